/*
 * portion - what of a cap of a pool or an address is for bulk mail, and what
 * for each tenant.
 *
 * Bulk mail may fill four fifths of it; what is above is for mail that people
 * wait for, which may have all of it.
 *
 * In a fair pool the cap is let through hour by hour, as even parts of its
 * window, or as its warmup says, and each hour is shared out by weights
 * (fair.h).  What an hour leaves goes on to the next.  Other mail than bulk is
 * not bound by the hour, but may be ahead of it by that fifth only: else one
 * tenant's might take the hours of all others in one.
 */
#include "policy/portion.h"

#define HOUR	INT64_C(3600000000)

/* portion_bulk - rounded up: a cap of one lets one through */
int64_t
portion_bulk(int64_t n)
{
	return n / 5 * 4 + (n % 5 * 4 + 4) / 5;
}

/* portion_applies - of a pool or an address, and of all */
bool
portion_applies(const struct limit *limit, const struct dimensions *d)
{
	return limit->kind == LIMIT_CAP && d->pool != NULL &&
	    limit_egress(limit) && limit_shared(limit);
}

/* by_now - of n in the window, at the end of its hour */
static int64_t
by_now(int64_t n, int64_t hour, int64_t hours)
{
	return (int64_t)(((__int128)n * (hour + 1) + hours - 1) / hours);
}

/* portion_slot - the hour of its window, or all of a shorter one */
void
portion_slot(int64_t window, int64_t window_end, int64_t now, int64_t *slot,
    int64_t *slot_end)
{
	int64_t hours = (window_end - window + HOUR - 1) / HOUR, hour = 0;

	*slot = window;
	*slot_end = window_end;
	if (hours <= 1)
		return;
	if (now > window)
		hour = (now - window) / HOUR;
	if (hour >= hours)
		hour = hours - 1;
	*slot += hour * HOUR;
	if (*slot_end > *slot + HOUR)
		*slot_end = *slot + HOUR;
}

/* shares - hour by hour, and by tenant */
static void
shares(const struct limit *limit, const struct dimensions *d, int64_t bulk,
    int64_t now, struct ask *ask)
{
	int64_t begin = ask->charge.window,
	    hours = (ask->charge.window_end - begin + HOUR - 1) / HOUR,
	    whole = ask->most, hour, even;

	portion_slot(begin, ask->charge.window_end, now, &ask->slot,
	    &ask->slot_end);
	hour = (ask->slot - begin) / HOUR;
	hours = hours > 1 ? hours : 1;
	ask->weight = (uint32_t)policy_default(d->tenant)->fair_weight;
	ask->even = limit->warmup != NULL ? bulk : by_now(bulk, hour, hours);
	if (d->bulk) {
		ask->most = ask->even;
		return;
	}
	even = by_now(portion_bulk(whole), hour, hours);
	if (even < ask->even)
		even = ask->even;
	even += whole - portion_bulk(whole);
	ask->most = even < whole ? even : whole;
}

/* portion - bulk's, and the tenant's */
void
portion(const struct limit *limit, const struct dimensions *d, int64_t bulk,
    int64_t now, struct ask *ask)
{
	ask->weight = 0;
	/* who asks for no tenant looks at the whole */
	if (!portion_applies(limit, d) || ask->most >= LEDGER_UNBOUNDED ||
	    bulk >= LEDGER_UNBOUNDED || d->tenant->nstreams == 0)
		return;
	if (d->pool->fair == FAIR_TENANT)
		shares(limit, d, bulk, now, ask);
	else if (d->bulk)
		ask->most = bulk;
}
