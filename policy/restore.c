/*
 * restore - the ledger as it was: rows of the checkpoint, then the charges of
 * every event behind it, in order.  checkpoint.c says why that is enough.
 *
 * Rows are read in one transaction of the store; events a few at a time, so
 * that a reader beside the gate (`penstock limits`) holds no page for long.
 * What the gate writes between the two reads is behind the checkpoint read.
 */
#include <string.h>

#include "policy/ledger.h"

#define BATCH		256		/* events at a time */
#define ARENA_FIRST	(256u << 10)

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
