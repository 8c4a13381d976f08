/*
 * makeup - whose mail it is that a pool, an address or a group has.
 *
 * Sums know each of them alone; who has to be asked about a bad week of an
 * address are the tenants in it.  One walk over the cells of some days; names
 * live in the makeup.   Threads: one.
 */
#ifndef REPUTATION_MAKEUP_H
#define REPUTATION_MAKEUP_H

#include "reputation/sums.h"

struct makeup;

struct part {				/* of a subject */
	struct slice	tenant;
	uint64_t	ended, complaints, hard, blocked;
};

/* Days [from, until). */
int	makeup_read(struct makeup **, struct db *watch, int32_t from,
	    int32_t until, struct why *);
void	makeup_free(struct makeup *);			/* NULL allowed */
/* Of a POOL, ADDRESS, GROUP, DOMAIN or PLATFORM, sorted by tenant; the array
 * is the makeup's. */
const struct part *makeup_of(struct makeup *, enum subject_kind,
	    struct slice name, size_t *n);
/* The group that a tenant was last seen in; n 0: none. */
struct slice makeup_group(const struct makeup *, struct slice tenant);
/* Of the pools that a tenant's mail went through the one with most of it, and
 * how many tenants that has; 0: none that has a name. */
size_t	makeup_pool(struct makeup *, struct slice tenant, struct slice *pool);

#endif
