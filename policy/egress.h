/*
 * egress - which way a mail leaves: the pool by its first recipient, the
 * address by what has room at its end.
 *
 * Weights are of recipient addresses: one address has the same pool for as long
 * as the weights are what they are, whoever writes to it.  What is chosen is
 * fixed with the message: Postfix is told once (see plan.h), so mail that is
 * held keeps its address.
 * Private to policy's decide files, but for the questions below.
 * Threads: as decide.h.
 */
#ifndef POLICY_EGRESS_H
#define POLICY_EGRESS_H

#include "policy/decide.h"

/* Letters of a transport in a return path, "b.TRANSPORT.TOKEN", whose local
 * part has 64 at most (RFC 5321, 4.5.3.1.1). */
#define EGRESS_TRANSPORT	(64 - TOKEN_SHORT - 3)

/* The route of a recipient among those of the stream; NULL: it has none. */
const struct route *egress_route(const struct stream *, struct rcpt *);
/* At RCPT, for a remote recipient who is to get it: fixes the route, or says
 * that his is another. */
enum verdict egress_rcpt(struct mail *, struct rcpt *,
	    struct answer *);
/* The same for one of several: do so many ever fit, by any address?  DEFER, for
 * the next message (egress_crowd.c). */
enum verdict egress_crowd(struct mail *, const struct rcpt *, int64_t now,
	    struct answer *);
/* Why Postfix could not be told a way by that pool, as far as is known; NULL:
 * it can. */
const char *egress_away(const struct mail *, const struct pool *);
/* At the end of the headers: the route, if no recipient has fixed it. */
void	egress_headers(struct mail *);
/* The limits of the message, and the address: tries them one after the other,
 * and those of the overflow pool.  As meters_seal.  bound: only the one that
 * is given. */
enum verdict egress_seal(struct mail *, int64_t size, int64_t now,
	    struct answer *);

/* Is it a sender that only we may write: a return path that names one of our
 * transports?  Whoever wrote it could choose his address. */
bool	egress_forged(const struct policy *, const struct mailbox *);
/* Has that address a transport of its own for mail to the provider?  In a
 * return path there may be no room for the name. */
bool	egress_divides(const struct pool_address *, unsigned provider);
/* The address of that text, in its shortest form; NULL: of no pool. */
const struct pool_address *egress_find(const struct policy *,
	    struct slice address);
/* Did it leave by the overflow of its pool? */
bool	egress_overflowed(const struct mail *);
/*
 * The transport it leaves by: the address's own, or the one for mail to a
 * provider that takes few connections, when all of it goes there.  In the
 * arena; p NULL: without memory, or Postfix's own route.
 */
struct slice egress_transport(const struct mail *, struct arena *);

#endif
