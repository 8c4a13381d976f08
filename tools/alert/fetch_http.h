/*
 * fetch_http - one request to a provider: the one door to libcurl.
 *
 * TLS is verified, redirects and proxies are not followed, cookies and netrc
 * not read; there is a time-out for all of it and a bound for the answer.
 * What it says of an error names no URL and no header: keys are in them.
 * Threads: one each.
 */
#ifndef TOOLS_ALERT_FETCH_HTTP_H
#define TOOLS_ALERT_FETCH_HTTP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "lib/buf.h"
#include "lib/slice.h"
#include "lib/why.h"

struct fetch_http;

struct fetch_request {
	const char	*url;
	struct slice	 body;		/* absent: GET */
	const char	*type;		/* of the body */
	const char	*bearer;	/* NULL: none */
};

struct fetch_answer {
	long		 status;	/* 200, 401, ... */
	struct buf	 body;		/* the caller's to free */
	int64_t		 wait;		/* us: Retry-After; 0: none */
};

/* Before threads. */
int	fetch_http_init(struct why *);
/* certificates: PEM, "" the system's; stop: set while a call is under way, it
 * ends; may be NULL. */
int	fetch_http_new(struct fetch_http **, int64_t timeout,
	    const char *certificates, const atomic_bool *stop, struct why *);
void	fetch_http_free(struct fetch_http *);		/* NULL allowed */
/* -1: no whole answer came. now: wall clock, for Retry-After dates. */
int	fetch_http(struct fetch_http *, const struct fetch_request *,
	    int64_t now, struct fetch_answer *, struct why *);
/* application/x-www-form-urlencoded, also for the query of a URL. */
void	fetch_escape(struct buf *, struct slice);

#endif
