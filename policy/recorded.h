/*
 * recorded - the facts of a message as its event has them, for a decision that
 * is made again: of another policy, or of a message that was held.
 *
 * Headers are not in an event.  From is made of its domains; what else a
 * decision reads in headers is not there.
 * Ownership: what is made lives in the mail's arena, the rest borrows the
 * event.   Threads: any.
 */
#ifndef POLICY_RECORDED_H
#define POLICY_RECORDED_H

#include "policy/decide.h"

#define RECORDED_HEADERS	2	/* From, one that names the tenant */

/* The envelope, before decide_mail; policy, ledger, arena are set already. */
void	recorded_mail(const struct event *, struct mail *);
/* For decide_headers, after decide_mail. -1 without memory. */
int	recorded_headers(const struct event *, const struct mail *,
	    struct header_fact[RECORDED_HEADERS], size_t *n);
/* A transport that is local, for recipients who were. */
struct slice recorded_local(const struct policy *);

#endif
