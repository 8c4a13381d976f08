/*
 * rollup - from events and outcomes to cells, a batch per commit.
 *
 * A batch is read in one transaction of the gate's store and added up in
 * memory; then each cell that it touched is written once, sorted by key, in
 * one commit with the sequences that are in now (table "places").  A crash
 * leaves the whole batch or nothing of it, and whoever comes next begins where
 * the places say: nothing counts twice, nothing is missed.
 *
 * The places go by sequence, never by time: a log that is read late brings
 * outcomes of last week, which go into last week's cells.
 *
 * A batch ends at most_records, or when the cells are so many that memory
 * would not be bounded by anything else: a cell takes some 400 bytes.
 */
#include "reputation/rollup.h"
#include "reputation/rollup_in.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/random.h>

#include "lib/provider.h"
#include "lib/wire.h"

enum { RECORDS = 400000, CELLS = 100000, ARENA = 1 << 20, READ = 500,
	AHEAD = 1024 };

static const char *const places[] = { "event", "outcome" };
enum { EVENT, OUTCOME, PLACES };

/* rollup_free - NULL is allowed */
void
rollup_free(struct rollup *r)
{
	if (r == NULL)
		return;
	arena_free(r->arena);
	arena_free(r->reading);
	rollup_table_free(&r->hours);
	rollup_table_free(&r->days);
	rollup_table_free(&r->categories);
	rollup_table_free(&r->category_hours);
	rollup_senders_free(r->senders);
	buf_free(&r->value);
	free(r);
}

/* rollup_new - goes on where the store says */
int
rollup_new(struct rollup **out, struct db *watch, struct why *why)
{
	struct rollup *r = calloc(1, sizeof(*r));

	*out = NULL;
	if (r == NULL)
		goto memory;
	r->db = watch;
	r->arena = arena_new(ARENA, 0);
	r->reading = arena_new(ARENA, 0);
	r->senders = rollup_senders_new();
	if (r->arena == NULL || r->reading == NULL || r->senders == NULL ||
	    rollup_table_new(&r->hours, TALLIES) == -1 ||
	    rollup_table_new(&r->days, TALLIES) == -1 ||
	    rollup_table_new(&r->categories, OF_CATEGORY) == -1 ||
	    rollup_table_new(&r->category_hours, OF_CATEGORY) == -1)
		goto memory;
	if (getrandom(&r->seed, sizeof(r->seed), GRND_NONBLOCK) !=
	    sizeof(r->seed))
		r->seed = (uint64_t)(uintptr_t)r;	/* early boot */
	r->most_records = RECORDS;
	r->most_cells = CELLS;
	if (provider_init(why) == -1 || rollup_resume(watch, why) == -1) {
		rollup_free(r);
		return -1;
	}
	*out = r;
	return 0;
memory:
	rollup_free(r);
	return why_kind(why, WHY_MEMORY, "no memory to count events");
}

/* rollup_batch - how much goes into a commit */
void
rollup_batch(struct rollup *r, size_t records, size_t cells)
{
	r->most_records = records > 0 ? records : 1;
	r->most_cells = cells > 0 ? cells : 1;
}

/* --- places -------------------------------------------------------------- */

/* read_places - of both stores */
static int
read_places(struct db_txn *txn, uint64_t at[PLACES], struct why *why)
{
	struct slice value;
	struct wire w;
	int got;

	for (size_t i = 0; i < PLACES; i++) {
		at[i] = 0;
		got = db_get(txn, WATCH_PLACES, slice_of(places[i]), &value,
		    why);
		if (got == -1)
			return -1;
		if (got == 0)
			continue;
		w = wire_of(value);
		at[i] = get_u64(&w);
		if (w.bad || w.p != w.end)
			return why_kind(why, WHY_BROKEN, "the place in %s of "
			    "watch/ makes no sense", places[i]);
	}
	return 0;
}

/* rollup_places - for readers */
int
rollup_places(struct db *watch, uint64_t *event, uint64_t *outcome,
    struct why *why)
{
	struct db_txn *txn = NULL;
	uint64_t at[PLACES] = { 0 };
	int rc;

	if (db_begin(watch, false, &txn, why) == -1)
		return -1;
	rc = read_places(txn, at, why);
	db_abort(txn);
	*event = at[EVENT];
	*outcome = at[OUTCOME];
	return rc;
}

/* put_places - those that moved */
static int
put_places(struct rollup *r, struct db_txn *txn, const uint64_t *was,
    const uint64_t *at, struct why *why)
{
	for (size_t i = 0; i < PLACES; i++) {
		if (at[i] == was[i])
			continue;
		buf_reset(&r->value);
		put_u64(&r->value, at[i]);
		if (buf_failed(&r->value))
			return why_kind(why, WHY_MEMORY, "no memory");
		if (db_put(txn, WATCH_PLACES, slice_of(places[i]),
		    buf_slice(&r->value), why) == -1)
			return -1;
	}
	return 0;
}

/* behind - that store ends before what was counted: it is another one */
static int
behind(const char *store, uint64_t last, uint64_t at, struct why *why)
{
	return why_set(why, "%s ends at number %" PRIu64 ", and %" PRIu64
	    " of it are counted in watch/: it is not the store it was.  To "
	    "count anew what is there, stop penstock-alert and run "
	    "penstock-alert --rebuild", store, last, at);
}

/* --- a batch ------------------------------------------------------------- */

/* full - is it time to commit? */
static bool
full(const struct rollup *r, size_t records)
{
	return records >= r->most_records || r->hours.n >= r->most_cells;
}

/* fetch - bytes that will be read next are asked for now */
static void
fetch(struct slice s)
{
	for (size_t i = 0; i < s.n && i < AHEAD; i += 64)
		__builtin_prefetch(s.p + i);
}

/* take_events - behind *at. Fetch: 1 the batch is full.  One event is counted
 * while the next one is on its way from memory. */
static int
take_events(struct rollup *r, struct store_walk *walk, uint64_t *at,
    size_t *records, struct why *why)
{
	struct slice now = SLICE_NONE, next;
	uint64_t seq = 0, behind;
	int got = store_walk_from(walk, *at + 1, &seq, &now, why);

	while (got == 1) {
		if ((got = store_walk_next(walk, &behind, &next, why)) == -1)
			return -1;
		if (got == 1)
			fetch(next);
		if (rollup_event(r, walk, now, why) == -1)
			return why_in(why, "event %" PRIu64, seq);
		*at = seq;
		if (full(r, ++*records))
			return 1;
		now = next;
		seq = behind;
	}
	return got;
}

/* take_outcomes - the same of outcomes, up to the last one that was there
 * before the walk began: the event of a later one may not be in it */
static int
take_outcomes(struct rollup *r, struct store_walk *walk,
    struct outcomes *outcomes, uint64_t last, uint64_t *at, size_t *records,
    struct why *why)
{
	struct outcome *list;
	size_t got;

	do {
		arena_reset(r->reading);
		list = arena_array(r->reading, READ, sizeof(*list));
		if (list == NULL)
			return why_kind(why, WHY_MEMORY, "no memory to count "
			    "outcomes");
		if (outcomes_read(outcomes, *at + 1, READ, r->reading, list,
		    &got, why) == -1)
			return why_in(why, "behind outcome %" PRIu64, *at);
		for (size_t i = 0; i < got; i++) {
			if (list[i].seq > last)
				return 0;
			if (rollup_outcome(r, walk, &list[i], why) == -1)
				return why_in(why, "outcome %" PRIu64,
				    list[i].seq);
			*at = list[i].seq;
			if (full(r, ++*records))
				return 1;
		}
	} while (got == READ);
	return 0;
}

/* by_key - for qsort */
static int
by_key(const void *a, const void *b)
{
	return memcmp((*(struct tallied *const *)a)->key,
	    (*(struct tallied *const *)b)->key, ROLLUP_KEY);
}

/* merge - rows that came twice, since their hour was thought to be over, are
 * one; they stand side by side */
static void
merge(struct tally_table *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++) {
		struct tallied *row = t->rows[i], *before = n > 0 ?
		    t->rows[n - 1] : NULL;

		if (before == NULL || memcmp(before->key, row->key,
		    ROLLUP_KEY) != 0) {
			t->rows[n++] = row;
			continue;
		}
		for (size_t k = 0; k < t->numbers; k++)
			before->n[k] += row->n[k];
	}
	t->n = n;
}

/* last_key - of a table; nothing is behind it. Action. */
static int
last_key(struct db_txn *txn, unsigned table, uint8_t last[ROLLUP_KEY],
    struct why *why)
{
	struct slice key, value;
	int got = db_last(txn, table, &key, &value, why);

	memset(last, 0, ROLLUP_KEY);
	if (got == 1 && key.n == ROLLUP_KEY)
		memcpy(last, key.p, ROLLUP_KEY);
	else if (got == 1)
		memset(last, 0xff, ROLLUP_KEY);	/* none of ours: look */
	return got == -1 ? -1 : 0;
}

/* put_table - each row, in the order of keys, so that pages are met once; most
 * of the hours are new, and stand behind all that is there */
static int
put_table(struct rollup *r, struct db_txn *txn, unsigned table,
    struct tally_table *t, struct why *why)
{
	uint8_t last[ROLLUP_KEY];

	for (size_t i = 0; i < t->n; i++)
		rollup_key(t->rows[i]->at, (struct slice){ t->rows[i]->names,
		    t->rows[i]->nnames }, t->rows[i]->key);
	qsort(t->rows, t->n, sizeof(struct tallied *), by_key);
	if (t == &r->hours)
		merge(t);
	if (last_key(txn, table, last, why) == -1)
		return -1;
	for (size_t i = 0; i < t->n; i++) {
		struct tallied *row = t->rows[i];
		bool new = memcmp(row->key, last, ROLLUP_KEY) > 0;

		if ((new ? rollup_append : rollup_add)(txn, table, row->key,
		    (struct slice){ row->names, row->nnames }, row->n,
		    &r->value, why) == -1)
			return -1;
	}
	return 0;
}

/* flush - the batch, and how far it goes */
static int
flush(struct rollup *r, const uint64_t *was, const uint64_t *at,
    struct why *why)
{
	struct db_txn *txn = NULL;

	if (rollup_fold(r, why) == -1 ||
	    db_begin(r->db, true, &txn, why) == -1)
		return -1;
	if (put_table(r, txn, WATCH_HOURS, &r->hours, why) == -1 ||
	    put_table(r, txn, WATCH_DAYS, &r->days, why) == -1 ||
	    put_table(r, txn, WATCH_CATEGORIES, &r->categories, why) == -1 ||
	    put_table(r, txn, WATCH_CATEGORY_HOURS, &r->category_hours,
	    why) == -1 ||
	    put_places(r, txn, was, at, why) == -1) {
		db_abort(txn);
		return -1;
	}
	return db_commit(txn, why);
}

/* empty - nothing is in memory */
static void
empty(struct rollup *r)
{
	r->last = NULL;
	rollup_table_empty(&r->hours);
	rollup_table_empty(&r->days);
	rollup_table_empty(&r->categories);
	rollup_table_empty(&r->category_hours);
	arena_reset(r->arena);
	arena_reset(r->reading);
}

/* take - the batch from both stores. Fetch: 1 there is more. */
static int
take(struct rollup *r, struct store *gate, struct outcomes *outcomes,
    const uint64_t *was, uint64_t *at, struct why *why)
{
	struct store_walk *walk = NULL;
	uint64_t last, ended = 0;
	int64_t time;
	size_t records = 0;
	int got;

	if ((outcomes != NULL && outcomes_last(outcomes, &ended, why) ==
	    -1) || store_last(gate, &last, &time, why) == -1)
		return -1;
	if (last < was[EVENT])
		return behind("gate/", last, was[EVENT], why);
	if (store_walk(gate, &walk, why) == -1)
		return -1;
	got = take_events(r, walk, &at[EVENT], &records, why);
	if (got == 0 && outcomes != NULL)
		got = ended < was[OUTCOME] ? behind("outcomes/", ended,
		    was[OUTCOME], why) : take_outcomes(r, walk, outcomes,
		    ended, &at[OUTCOME], &records, why);
	store_walk_end(walk);
	return got;
}

/* rollup_step - a batch */
int
rollup_step(struct rollup *r, struct store *gate, struct outcomes *outcomes,
    bool *more, struct why *why)
{
	uint64_t was[PLACES], at[PLACES];
	int got;

	*more = false;
	if (gate == NULL)
		return 0;
	if (rollup_places(r->db, &was[EVENT], &was[OUTCOME], why) == -1)
		return -1;
	memcpy(at, was, sizeof(at));
	empty(r);
	if ((got = take(r, gate, outcomes, was, at, why)) == -1)
		return -1;
	*more = got == 1;
	if (memcmp(at, was, sizeof(at)) == 0)
		return 0;
	return flush(r, was, at, why);
}

/* --- rows from elsewhere ------------------------------------------------- */

/* rollup_put - one cell, added */
int
rollup_put(struct db_txn *txn, enum grain grain, const struct cell *c,
    struct why *why)
{
	struct slice names[ROLLUP_NAMES], packed;
	char room[ROLLUP_PACKED];
	uint8_t key[ROLLUP_KEY];
	struct buf b = BUF_INIT;
	int rc;

	rollup_names(c, names);
	packed = rollup_pack(names, room);
	rollup_key(c->at, packed, key);
	rc = rollup_add(txn, grain == GRAIN_HOUR ? WATCH_HOURS : WATCH_DAYS,
	    key, packed, c->n, &b, why);
	buf_free(&b);
	return rc;
}

/* rollup_put_category - likewise */
int
rollup_put_category(struct db_txn *txn, enum grain grain,
    const struct category_cell *c, struct why *why)
{
	const struct slice names[ROLLUP_NAMES] = { c->group, c->tenant,
		c->pool, c->address, c->provider, c->kind, c->category };
	const uint64_t n[] = { c->count, c->last };
	char room[ROLLUP_PACKED];
	struct slice packed = rollup_pack(names, room);
	uint8_t key[ROLLUP_KEY];
	struct buf b = BUF_INIT;
	int rc;

	rollup_key(c->at, packed, key);
	rc = rollup_add(txn, grain == GRAIN_HOUR ? WATCH_CATEGORY_HOURS :
	    WATCH_CATEGORIES, key, packed, n, &b, why);
	buf_free(&b);
	return rc;
}
