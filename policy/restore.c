/*
 * restore - the ledger as it was: rows of the checkpoint, then the charges of
 * every event behind it, in order.  checkpoint.c says why that is enough.
 *
 * Rows are read in one transaction of the store; events a few at a time, so
 * that a reader beside the gate (`penstock limits`) holds no page for long.
 * What the gate writes between the two reads is behind the checkpoint read.
 *
 * Shares.  Whose part of the hour was used is in no row, so the events of the
 * hour and of the one before are read once more, where a pool is fair: the
 * million that came last, since a start must not take long.  Only limits that
 * stand in such a pool or its addresses are looked for; one further out that
 * counts by pool begins its hour anew.
 */
#include <string.h>

#include "lib/clock.h"
#include "lib/map.h"
#include "policy/policy.h"
#include "policy/portion.h"

#define BATCH		256		/* events at a time */
#define ARENA_FIRST	(256u << 10)
#define RECALLED	1000000		/* events */

struct load {
	struct ledger	*ledger;
	bool		 failed;
};

/* load_row - one counter of the checkpoint */
static bool
load_row(void *with, const struct counter_row *row)
{
	struct load *load = with;

	load->failed = ledger_load(load->ledger, row) == -1;
	return !load->failed;
}

/* replay - the charges of one event */
static int
replay(struct ledger *l, struct slice encoded, struct arena *arena,
    uint64_t *seq, struct why *why)
{
	enum event_kind kind;
	struct charge *charges;
	uint64_t voids;
	int64_t time;
	size_t n;

	if (event_charges(encoded, seq, &time, &kind, &voids, &charges, &n,
	    arena, why) == -1)
		return -1;
	if (kind == EVENT_RESET)
		ledger_reset(l, charges, n, *seq, time);
	else if (ledger_replay(l, charges, n, kind == EVENT_VOID, *seq,
	    time) == -1)
		return why_kind(why, WHY_MEMORY, "no memory for the counters "
		    "of event %llu", (unsigned long long)*seq);
	return 0;
}

/* ledger_restore - checkpoint, then replay */
int
ledger_restore(struct ledger *l, struct store *store, uint64_t *seq,
    struct why *why)
{
	struct load load = { l, false };
	struct slice encoded[BATCH];
	struct arena *arena = NULL;
	uint64_t from = 0, last;
	size_t i, got;
	int ret = -1;

	*seq = 0;
	arena = arena_new(ARENA_FIRST, 0);
	if (arena == NULL) {
		(void)why_kind(why, WHY_MEMORY, "no memory for the replay");
		goto out;
	}
	if (store_counters(store, &from, load_row, &load, why) == -1)
		goto out;
	if (load.failed) {
		(void)why_kind(why, WHY_MEMORY, "no memory for the counters");
		goto out;
	}
	last = from;
	do {
		arena_reset(arena);
		if (store_read(store, last + 1, BATCH, arena, encoded, &got,
		    why) == -1)
			goto out;
		for (i = 0; i < got; i++)
			if (replay(l, encoded[i], arena, &last, why) == -1)
				goto out;
	} while (got > 0);
	*seq = last;
	ret = 0;
out:
	if (ret == -1)
		(void)why_in(why, "restoring the counters");
	arena_free(arena);
	return ret;
}

struct recall {
	struct ledger	*ledger;
	struct map	*names;		/* of limits that are shared fairly */
	struct map	*weights;	/* of tenants, by their ids */
	int64_t		 from;		/* us */
};

/* recall_limits - the names of some */
static int
recall_limits(struct recall *r, const struct limit *const *limits, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (limits[i]->kind == LIMIT_CAP && map_set(r->names,
		    limits[i]->name, r) == -1)
			return -1;
	return 0;
}

/* recall_pools - of all fair pools; how many there are, or -1 */
static int
recall_pools(struct recall *r, const struct policy *p)
{
	int n = 0;

	for (size_t i = 0; i < p->npools; i++) {
		const struct pool *pool = p->pools[i];

		if (pool->fair != FAIR_TENANT)
			continue;
		if (recall_limits(r, pool->limits, pool->nlimits) == -1)
			return -1;
		for (size_t j = 0; j < pool->naddresses; j++)
			if (recall_limits(r, pool->addresses[j].limits,
			    pool->addresses[j].nlimits) == -1)
				return -1;
		n++;
	}
	return n;
}

/* recall_weights - of all tenants */
static int
recall_weights(struct recall *r, const struct policy *p)
{
	for (size_t i = 0; i < p->ntenants; i++) {
		const struct tenant *t = p->tenants[i];
		struct slice id = { (const char *)&t->id, sizeof(t->id) };

		if (map_set(r->weights, id, (void *)t) == -1)
			return -1;
	}
	return 0;
}

/* weight_of - 1 of one that only mail makes */
static uint32_t
weight_of(const struct recall *r, uint64_t tenant)
{
	const struct tenant *t = map_get(r->weights,
	    (struct slice){ (const char *)&tenant, sizeof(tenant) });

	return t != NULL ? (uint32_t)policy_default(t)->fair_weight : 1;
}

/* recall - one event */
static int
recall(struct recall *r, struct slice encoded, struct arena *arena,
    uint64_t *seq, struct why *why)
{
	enum event_kind kind;
	struct charge *c;
	uint64_t voids;
	int64_t time, slot, slot_end;
	size_t n;

	if (event_charges(encoded, seq, &time, &kind, &voids, &c, &n, arena,
	    why) == -1)
		return -1;
	for (; kind != EVENT_RESET && n > 0; n--, c++) {
		if (c->kind != LIMIT_CAP || !c->shared ||
		    map_get(r->names, c->name) == NULL)
			continue;
		portion_slot(c->window, c->window_end, time, &slot,
		    &slot_end);
		if (slot_end > r->from)
			ledger_recall(r->ledger, c, kind == EVENT_VOID,
			    weight_of(r, c->tenant), slot, slot_end);
	}
	return 0;
}

/* recall_events - those since then */
static int
recall_events(struct recall *r, struct store *store, struct arena *arena,
    struct why *why)
{
	struct slice encoded[BATCH];
	uint64_t next, last;
	int64_t time;
	size_t i, got;

	if (store_seq_at(store, r->from, &next, why) == -1 ||
	    store_last(store, &last, &time, why) == -1)
		return -1;
	if (last > RECALLED && next < last - RECALLED)
		next = last - RECALLED;
	do {
		arena_reset(arena);
		if (store_read(store, next, BATCH, arena, encoded, &got,
		    why) == -1)
			return -1;
		for (i = 0; i < got; i++) {
			if (recall(r, encoded[i], arena, &next, why) == -1)
				return -1;
			next++;
		}
	} while (got > 0);
	return 0;
}

/* ledger_restore_shares - of caps of fair pools */
int
ledger_restore_shares(struct ledger *l, struct store *store,
    const struct policy *p, int64_t now, struct why *why)
{
	struct recall r = { .ledger = l, .names = map_new(),
	    .weights = map_new(), .from = now - 2 * CLOCK_HOUR };
	struct arena *arena = arena_new(ARENA_FIRST, 0);
	int got = -1;

	if (r.names != NULL && r.weights != NULL && arena != NULL)
		got = recall_pools(&r, p);
	if (got > 0)
		got = recall_weights(&r, p);
	else if (got == 0)
		goto out;
	if (got == -1)
		(void)why_kind(why, WHY_MEMORY, "no memory for the shares of "
		    "tenants");
	else
		got = recall_events(&r, store, arena, why);
	if (got == -1)
		(void)why_in(why, "restoring the shares of tenants");
out:
	map_free(r.names);
	map_free(r.weights);
	arena_free(arena);
	return got == -1 ? -1 : 0;
}
