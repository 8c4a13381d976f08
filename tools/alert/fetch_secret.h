/*
 * fetch_secret - the file with which a provider lets us in.
 *
 * JSON: {"key": ...} of SNDS, or client_id, client_secret and refresh_token of
 * an OAuth client (RFC 6749, section 6).  A regular file that nobody but its
 * owner may read, ours or root's.  What is in it is wiped when it is freed, and
 * no sentence has a word of it.   Threads: one.
 */
#ifndef TOOLS_ALERT_FETCH_SECRET_H
#define TOOLS_ALERT_FETCH_SECRET_H

#include "lib/slice.h"
#include "lib/why.h"

struct fetch_secret {
	struct slice	 key;			/* absent: it has none */
	struct slice	 client, secret, refresh;
	void		*inner;
};

int	fetch_secret_load(struct fetch_secret **, const char *path,
	    struct why *);
void	fetch_secret_free(struct fetch_secret *);	/* NULL allowed */

#endif
