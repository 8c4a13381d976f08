/*
 * prune - from the front where a table is in the order of time, by a walk
 * where it is not.
 *
 * Records, hours, sums and runs of an index begin with the oldest: their first
 * rows are deleted until one is young enough.  A log that was read late leaves
 * old records behind younger ones; they go when those do.
 *
 * Messages, domains, strikes, DMARC and back-off rows stand by name.  The walk
 * over them remembers its place in the row "prune" of the table meta, when it
 * deleted something: u8 format = 1, u8 stage, field key.  The counters "pruned
 * TABLE" stand beside it.
 *
 * A step deletes at most GONE rows and looks at LOOKED: some milliseconds, and
 * few pages for one commit.  A run goes whole, which is some hundred rows more.
 */
#include "reputation/prune.h"

#include <stdlib.h>
#include <string.h>

#include "lib/wire.h"
#include "reputation/dmarc.h"
#include "reputation/outcome_in.h"

enum { FORMAT = 1, GONE = 500, LOOKED = 4000, STRIKES_DAYS = 61, ROW = 8 };

/* stale - may that row go? */
typedef bool (*stale)(const struct prune_keep *, struct slice key,
    struct slice value);

static bool old_record(const struct prune_keep *, struct slice, struct slice);
static bool old_hour(const struct prune_keep *, struct slice, struct slice);
static bool old_day(const struct prune_keep *, struct slice, struct slice);
static bool old_message(const struct prune_keep *, struct slice,
    struct slice);
static bool old_domain(const struct prune_keep *, struct slice, struct slice);
static bool old_dmarc(const struct prune_keep *, struct slice, struct slice);
static bool old_strike(const struct prune_keep *, struct slice, struct slice);
static bool old_backoff(const struct prune_keep *, struct slice,
    struct slice);

/* What a round looks at, in this order. */
static const struct prune_stage {
	unsigned	 table;
	const char	*counter;
	stale		 old;		/* NULL: runs */
	bool		 walks;		/* else the first that is not old ends
					   it */
	char		 prefix;	/* of its keys; 0: all */
} stages[] = {
	{ T_OUTCOMES, "pruned outcomes", old_record, false, 0 },
	{ T_HOURS, "pruned hours", old_hour, false, 0 },
	{ T_DAYS, "pruned days", old_day, false, TOTALS_ADDRESS },
	{ T_DAYS, "pruned days", old_day, false, TOTALS_DELAY },
	{ T_DAYS, "pruned days", old_day, false, TOTALS_TENANT },
	{ T_BY_EVENT, "pruned by_event", NULL, false, 0 },
	{ T_INDEX, "pruned index", NULL, false, 0 },
	{ T_MESSAGES, "pruned messages", old_message, true, 0 },
	{ T_DOMAINS, "pruned domains", old_domain, true, 0 },
	{ T_THEIRS + OUTCOMES_DMARC, "pruned dmarc", old_dmarc, true, 0 },
	{ T_THEIRS + OUTCOMES_STRIKES, "pruned strikes", old_strike, true,
	  0 },
	{ T_THEIRS + OUTCOMES_BACKOFF, "pruned backoff", old_backoff, true,
	  0 },
};
enum { STAGES = sizeof(stages) / sizeof(stages[0]) };

struct place {
	unsigned	stage;
	size_t		n;
	char		key[DB_KEY_MAX];	/* looked at up to here */
};

struct prune {
	struct outcomes	*o;
	struct place	 at, kept;	/* kept: before this transaction */
	struct arena	*arena;		/* keys of a step */
};

/* --- what is old --------------------------------------------------------- */

/* old_record - by its time, which stands at a fixed place (outcome_code.c) */
static bool
old_record(const struct prune_keep *keep, struct slice key, struct slice value)
{
	struct wire w = wire_of(slice_from(value, 12));
	int64_t time = get_i64(&w);

	(void)key;
	return !w.bad && time < keep->outcomes;
}

/* day_at - a number of four bytes in a key */
static int64_t
day_at(struct slice key, size_t at)
{
	const uint8_t *k = (const uint8_t *)key.p + at;

	if (key.n < at + 4)
		return INT64_MAX;
	return (int64_t)((uint32_t)k[0] << 24 | (uint32_t)k[1] << 16 |
	    (uint32_t)k[2] << 8 | k[3]);
}

/* old_hour - the whole of it */
static bool
old_hour(const struct prune_keep *keep, struct slice key, struct slice value)
{
	(void)value;
	return key.n == 4 && (day_at(key, 0) + 1) * OUTCOME_HOUR <=
	    keep->outcomes;
}

/* old_day - of sums */
static bool
old_day(const struct prune_keep *keep, struct slice key, struct slice value)
{
	(void)value;
	return key.n > 5 && (day_at(key, 1) + 1) * OUTCOME_DAY <= keep->totals;
}

/* old_message - nothing is open, and nothing was heard of it for long */
static bool
old_message(const struct prune_keep *keep, struct slice key,
    struct slice value)
{
	struct wire w = wire_of(value);
	int64_t moments[4], latest = INT64_MIN;
	uint32_t accepted, final;
	uint64_t event;
	bool open;

	(void)key;
	(void)get_u8(&w);
	(void)get_u8(&w);
	event = get_u64(&w);
	for (size_t i = 0; i < 4; i++) {	/* first, last, expired,
						   removed */
		moments[i] = get_i64(&w);
		if (moments[i] > latest)
			latest = moments[i];
	}
	accepted = get_u32(&w);
	final = get_u32(&w);
	open = event != 0 && moments[2] == 0 && moments[3] == 0 &&
	    final < accepted;
	return !w.bad && latest < (open ? keep->now - PRUNE_OPEN_DAYS *
	    OUTCOME_DAY : keep->messages);
}

/* old_domain - no relay spoke for it since */
static bool
old_domain(const struct prune_keep *keep, struct slice key,
    struct slice value)
{
	struct learned l;
	struct why why;

	return learned_decode(key, value, &l, &why) == 0 &&
	    l.last < keep->messages;
}

/* old_dmarc - reports and their sums */
static bool
old_dmarc(const struct prune_keep *keep, struct slice key, struct slice value)
{
	return dmarc_ends(key, value) <= keep->totals;
}

/* old_strike - the last was so long ago that it counts no more */
static bool
old_strike(const struct prune_keep *keep, struct slice key,
    struct slice value)
{
	struct wire w = wire_of(slice_from(value, 2));
	int32_t day = (int32_t)get_u32(&w);

	(void)key;
	return !w.bad && day < keep->now / OUTCOME_DAY - STRIKES_DAYS;
}

/* old_backoff - it ended, and what it counted is of long ago */
static bool
old_backoff(const struct prune_keep *keep, struct slice key,
    struct slice value)
{
	(void)key;
	return outcome_backoff_over(value, keep->now);
}

/* --- a step -------------------------------------------------------------- */

/* read_place - where an earlier life left it; fetch */
static int
read_place(struct prune *p, struct why *why)
{
	struct slice row, key;
	int got = outcomes_note(p->o, "prune", p->arena, &row, why);
	struct wire w = wire_of(got == 1 ? row : SLICE(""));

	if (got != 1)
		return got;
	if (get_u8(&w) != FORMAT)
		return 0;
	p->at.stage = get_u8(&w);
	key = get_field(&w);
	if (w.bad || p->at.stage >= STAGES || key.n > sizeof(p->at.key))
		p->at = (struct place){ .stage = 0 };
	else if (key.n > 0)
		memcpy(p->at.key, key.p, p->at.n = key.n);
	return 1;
}

/* prune_new - goes on where it was */
int
prune_new(struct prune **out, struct outcomes *o, struct why *why)
{
	struct prune *p = calloc(1, sizeof(*p));

	*out = NULL;
	if (p == NULL || (p->arena = arena_new(1 << 16, 0)) == NULL) {
		prune_free(p);
		return why_kind(why, WHY_MEMORY, "no memory to prune");
	}
	p->o = o;
	if (read_place(p, why) == -1) {
		prune_free(p);
		return -1;
	}
	p->kept = p->at;
	*out = p;
	return 0;
}

/* prune_free - NULL is allowed */
void
prune_free(struct prune *p)
{
	if (p == NULL)
		return;
	arena_free(p->arena);
	free(p);
}

/* prune_forget - back to where the step began */
void
prune_forget(struct prune *p)
{
	p->at = p->kept;
}

/* delete_all - rows whose keys were noted */
static int
delete_all(struct prune *p, unsigned table, const struct slice *keys, size_t n,
    struct why *why)
{
	for (size_t i = 0; i < n; i++)
		if (db_delete(p->o->txn, table, keys[i], why) == -1)
			return outcome_fail(p->o, why);
	p->o->puts += n;
	return 0;
}

/* move - the place is behind that key */
static void
move(struct place *at, struct slice key)
{
	at->n = key.n < sizeof(at->key) ? key.n : sizeof(at->key);
	memcpy(at->key, key.p, at->n);
}

/* rows_of - old rows of a table from the place on. Fetch: 1 there is more. */
static int
rows_of(struct prune *p, const struct prune_stage *s,
    const struct prune_keep *keep, size_t *gone, struct why *why)
{
	struct slice *keys = arena_array(p->arena, GONE, sizeof(*keys));
	struct slice key, value, from = SLICE_NONE;
	struct db_cursor *cursor = NULL;
	size_t looked = 0;
	int got, rc;

	if (keys == NULL)
		return why_kind(why, WHY_MEMORY, "no memory to prune");
	if (p->at.n > 0)
		from = (struct slice){ p->at.key, p->at.n };
	else if (s->prefix != 0)
		from = (struct slice){ &s->prefix, 1 };
	*gone = 0;
	got = db_seek(p->o->txn, s->table, from, &cursor, &key, &value, why);
	for (; got == 1; got = db_next(cursor, &key, &value, why)) {
		if (s->prefix != 0 && (key.n == 0 || key.p[0] != s->prefix)) {
			got = 0;
			break;
		}
		if (s->walks)
			move(&p->at, key);
		if (s->old(keep, key, value)) {
			if ((keys[*gone] = arena_copy(p->arena, key)).p ==
			    NULL) {
				got = why_kind(why, WHY_MEMORY,
				    "no memory to prune");
				break;
			}
			if (++*gone == GONE)
				break;
		} else if (!s->walks) {
			got = 0;
			break;
		}
		if (++looked == LOOKED)
			break;
	}
	rc = got;
	db_cursor_close(cursor);
	if (rc == -1)
		return outcome_fail(p->o, why);
	return delete_all(p, s->table, keys, *gone, why) == -1 ? -1 : rc;
}

/* first_kept - sequences of an index from there on are wanted. Action. */
static int
first_kept(struct prune *p, unsigned table, const struct prune_keep *keep,
    uint64_t *seq, struct why *why)
{
	struct db_cursor *cursor = NULL;
	struct slice key, value;
	int got;

	if (table == T_INDEX) {
		*seq = keep->event;
		return 0;
	}
	got = db_seek(p->o->txn, T_OUTCOMES, SLICE_NONE, &cursor, &key,
	    &value, why);
	*seq = got == 1 && key.n == ROW ?
	    be64_get((const uint8_t *)key.p) : 0;
	db_cursor_close(cursor);
	return got == -1 ? outcome_fail(p->o, why) : 0;
}

/*
 * run_of - the first run of an index, when all that is in it is older than
 * what is kept.  Fetch: 1 it went.
 */
static int
run_of(struct prune *p, unsigned table, const struct prune_keep *keep,
    size_t *gone, struct why *why)
{
	struct db_cursor *cursor = NULL;
	struct slice key, value, *keys = NULL;
	uint8_t room[ROW];
	uint64_t base, seq;
	size_t n = 0, most = 0;
	int got;

	*gone = 0;
	if (first_kept(p, table, keep, &seq, why) == -1)
		return -1;
	got = db_seek(p->o->txn, table, SLICE_NONE, &cursor, &key, &value,
	    why);
	if (got != 1 || key.n < ROW)
		goto out;
	base = be64_get((const uint8_t *)key.p);
	/* the next one begins before that, too */
	got = db_seek(p->o->txn, table, outcome_be64(base + 1, room), &cursor,
	    &key, &value, why);
	if (got != 1 || be64_get((const uint8_t *)key.p) > seq) {
		got = got == -1 ? -1 : 0;
		goto out;
	}
	got = db_seek(p->o->txn, table, SLICE_NONE, &cursor, &key, &value,
	    why);
	for (; got == 1 && be64_get((const uint8_t *)key.p) == base;
	    got = db_next(cursor, &key, &value, why)) {
		if (n == most) {
			struct slice *wider = arena_array(p->arena,
			    most + GONE, sizeof(*wider));

			if (wider == NULL)
				break;
			if (n > 0)
				memcpy(wider, keys, n * sizeof(*keys));
			keys = wider;
			most += GONE;
		}
		keys[n] = arena_copy(p->arena, key);
		if (keys[n++].p == NULL)
			break;
	}
	if (got == 1 && be64_get((const uint8_t *)key.p) == base)
		got = why_kind(why, WHY_MEMORY, "no memory to prune");
out:
	db_cursor_close(cursor);
	if (got == -1)
		return outcome_fail(p->o, why);
	*gone = n;
	return delete_all(p, table, keys, n, why) == -1 ? -1 : n > 0;
}

/* save - the place, beside what was deleted */
static int
save(struct prune *p, const char *counter, size_t gone, struct why *why)
{
	struct buf b = BUF_INIT;
	int rc;

	put_u8(&b, FORMAT);
	put_u8(&b, (uint8_t)p->at.stage);
	put_field(&b, (struct slice){ p->at.key, p->at.n });
	rc = buf_failed(&b) ? why_kind(why, WHY_MEMORY, "no memory to prune") :
	    outcomes_put_note(p->o, "prune", buf_slice(&b), why);
	buf_free(&b);
	return rc == -1 ? -1 : outcomes_count(p->o, counter, (int64_t)gone,
	    why);
}

/* prune_step - some rows of one table */
int
prune_step(struct prune *p, const struct prune_keep *keep, size_t *gone,
    struct why *why)
{
	const struct prune_stage *s = &stages[p->at.stage];
	int more;

	p->kept = p->at;
	arena_reset(p->arena);
	more = s->old != NULL ? rows_of(p, s, keep, gone, why) :
	    run_of(p, s->table, keep, gone, why);
	if (more == -1)
		return -1;
	if (more == 0) {
		p->at.n = 0;
		p->at.stage = (p->at.stage + 1) % STAGES;
	}
	if (*gone > 0 && save(p, s->counter, *gone, why) == -1)
		return -1;
	return more == 1 || p->at.stage != 0;
}
