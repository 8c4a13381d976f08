/*
 * fair - what each of several tenants may have of a counter that they share;
 * private to the ledger, called with its mutex held.
 *
 * Of what may pass in an hour, each tenant that asks has the part of its
 * weight for sure; what the others leave of the time that is over may be used
 * by all.  Lives in memory; at a start what the events of this hour and the one
 * before say is recalled (restore.c).
 */
#ifndef POLICY_FAIR_H
#define POLICY_FAIR_H

#include <stdbool.h>
#include <stdint.h>
#include "policy/ledger.h"

struct fair;

/*
 * Has this tenant its share left, or do the others leave so much?  gone: what
 * is spent and reserved of the counter.  Notes that the tenant asks.  True
 * without memory: the number of the counter binds all the same.
 */
bool	 fair_fits(struct fair **, const struct ask *, int64_t gone,
	    int64_t need, int64_t now);
/* So much was taken for that tenant, or given back. */
void	 fair_took(struct fair *, uint64_t tenant, int64_t amount);
/*
 * At a start, event by event: so much of the counter was that tenant's in that
 * slot, below zero what was given back; level: what is gone of the counter by
 * now.  That somebody was refused is in no event, and is forgotten.
 */
void	 fair_recall(struct fair **, int64_t slot, int64_t slot_end,
	    uint64_t tenant, uint32_t weight, int64_t amount, int64_t level);
void	 fair_free(struct fair *);		/* NULL allowed */

#endif
