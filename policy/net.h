/*
 * net - networks of addresses, and which of them is the nearest.
 *
 * IPv4 and IPv6 are kept apart, so that "::/0" does not hold 10.0.0.1.
 * Threads: readers any while nobody writes.
 */
#ifndef POLICY_NET_H
#define POLICY_NET_H

#include <stdbool.h>
#include <stdint.h>
#include "lib/map.h"
#include "lib/mem.h"
#include "policy/policy.h"

#define NET_TEXT	(INET6_ADDRSTRLEN + 4)

struct net_key {			/* plain bytes: a key of a map */
	uint8_t	family;			/* 4 or 6 */
	uint8_t	bits;			/* of the prefix in that family */
	uint8_t	b[16];			/* v4 is mapped; host bits are 0 */
};

struct nets {
	struct map	*map;		/* net_key -> anything */
	/* which prefixes there are, longest first */
	uint8_t		 v4[33], v6[129];
	uint8_t		 nv4, nv6;
};

/* "10.1.0.0/16", "2001:db8::/32", or one address. Action. */
int	 net_scan(struct slice, struct net_key *, struct why *);
char	*net_print(const struct net_key *, char out[NET_TEXT]);
struct slice net_slice(const struct net_key *);
/* The map's keys are net_keys; makes the lists of prefixes from them. */
void	 nets_ready(struct nets *);
/* The value of the longest prefix that holds the address, or NULL. */
void	*nets_find(const struct nets *, const struct ip *);

#endif
