/*
 * lmtp_send - hands one message over, by LMTP or by SMTP.
 *
 * For what stands beside: a pipe that gives its input to the daemon's socket,
 * and the daemon that sends on what was not for it.  It waits, as long as it is
 * told; so the patience of a daemon is short.
 * Line ends become CR LF, whatever they were.   Threads: any.
 */
#ifndef LIB_LMTP_SEND_H
#define LIB_LMTP_SEND_H

#include <stdbool.h>
#include <stdint.h>
#include "lib/slice.h"
#include "lib/why.h"

struct lmtp_to {
	const char	*where;		/* "unix:/path", "inet:host:port" */
	bool		 smtp;		/* EHLO instead of LHLO */
	const char	*name;		/* how we are called */
	int64_t		 patience;	/* us for all of it */
};

struct lmtp_answer {			/* to one recipient */
	int		 code;		/* 250; 0: it never came */
	char		 text[200];	/* the whole line */
};

/* Each recipient has its answer, of RCPT or of the end. Action: -1 when the
 * dialogue broke; answers that came before are there. */
int	lmtp_send(const struct lmtp_to *, struct slice sender,
	    const struct slice *recipients, size_t n, bool utf8,
	    struct slice message, struct lmtp_answer *, struct why *);

#endif
