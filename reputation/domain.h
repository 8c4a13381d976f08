/*
 * domain - which provider a recipient's domain belongs to, as the log tells.
 *
 * First the list of exact domains (lib/provider.h); for others the name of the
 * host that answered (relay=), remembered in outcomes/ and provisional: a
 * domain moves, and the next answer says so.  A relay that is a next hop of
 * ours, or has a private address, tells nothing.
 * Private to join.c.   Threads: one.
 */
#ifndef REPUTATION_DOMAIN_H
#define REPUTATION_DOMAIN_H

#include "reputation/join.h"

struct domains;

struct domains *domains_new(struct outcomes *);		/* NULL: no memory */
void	domains_free(struct domains *);
/* After an abort: nothing is remembered. */
void	domains_forget(struct domains *);
/* Fills x->domain and x->provider from x->recipient, and learns from the
 * relay of the line; both live until the next call. */
int	domains_of(struct domains *, const struct join_rules *,
	    const struct logline *, struct outcome *x, struct why *);
/* Is "host[address]:port" a next hop of ours? */
bool	domain_ours(const struct join_rules *, struct slice relay);
/* Does "relay=" name somebody else's mail exchanger?  Its host then. */
bool	domain_relay(const struct join_rules *, struct slice relay,
	    struct slice *host);

#endif
