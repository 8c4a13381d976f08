/*
 * portion - what of a cap of a pool or an address is for bulk mail, and what
 * for each tenant.   Threads: any.
 */
#ifndef POLICY_PORTION_H
#define POLICY_PORTION_H

#include "policy/measure.h"

/* Is it a cap that all who leave by that pool share? */
bool	portion_applies(const struct limit *, const struct dimensions *);
/* So much of it for bulk mail: four fifths, at least one of one. */
int64_t	portion_bulk(int64_t);
/* The part of a window that is shared out at that moment. */
void	portion_slot(int64_t window, int64_t window_end, int64_t now,
	    int64_t *slot, int64_t *slot_end);
/* ask->most is the number: of a warmup, for mail like this, and what bulk mail
 * may have by now.  Makes it what this mail may have, and says the shares. */
void	portion(const struct limit *, const struct dimensions *, int64_t bulk,
	    int64_t now, struct ask *);

#endif
