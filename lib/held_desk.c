/*
 * held_desk - see held_desk.h.
 */
#include "lib/held_desk.h"

/* held_desk_is - of these two kinds */
bool
held_desk_is(const struct desk_record *r)
{
	return r->kind == DESK_HOLD_RELEASE || r->kind == DESK_HOLD_DROP;
}

/* held_desk_means - one, a tenant's, or all of that moment */
bool
held_desk_means(const struct desk_record *r, const struct held *h)
{
	if (!held_desk_is(r) || r->amount <= 0)
		return false;
	if (r->tenant.n > 0 && !slice_eq(r->tenant, h->tenant))
		return false;
	if (slice_is(r->object, HELD_DESK_ALL))
		return h->seq <= (uint64_t)r->amount;
	return h->seq == (uint64_t)r->amount &&
	    slice_eq(r->object, h->queue_id);
}
