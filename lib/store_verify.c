/*
 * store_verify - does what is in the gate's store agree with itself?
 *
 * First db_verify walks every page in a child process; what it passed can be
 * read without a signal.  Then every record of every table is decoded, and
 * what can be derived from two places is compared:
 *
 *	events		decode; sequences dense; times never go back; the first
 *			of a minute is in minutes; a queue id is in queue_ids,
 *			at this event or a later one, but for releases
 *	minutes		each row names the first event of just that minute
 *	tokens		each row names the event that has the token
 *	queue_ids	each row names an event that bears the id
 *	counters	decode; none is ahead of the last event
 *	held		decode; each names the hold of that queue id, and the
 *			release that decided
 *	warmups		a key is a counter's, or the hash of the zone
 *	meta		the checkpoint is not ahead either; the status decodes
 *	forms		the key is the hash of the path
 *
 * A table is walked some rows at a time, each time in a transaction of its
 * own: the gate may be at work, and a long reader would make its file grow.
 * So the last sequence is read anew when something seems to be ahead of it.
 */
#include "lib/store.h"
#include "lib/store_in.h"

#include <inttypes.h>
#include <string.h>

#include "lib/hash.h"
#include "lib/held.h"
#include "lib/store_warm.h"
#include "lib/wire.h"

enum { BATCH = 1000 };

struct check {
	struct store	*store;
	struct db_txn	*txn;		/* of the batch */
	struct arena	*arena;		/* of the row */
	struct store_tally *tally;
	struct why	*why;
	int64_t		 time, minute;	/* of the event before */
};

/* wrong - the sentence for a store that does not agree with itself */
#define wrong(c, ...) why_kind((c)->why, WHY_BROKEN, __VA_ARGS__)

/* row64 - the value of an index */
static uint64_t
row64(struct slice value)
{
	struct wire w = wire_of(value);

	return value.n == 8 ? get_u64(&w) : 0;
}

/* event_at - the encoded event of a sequence, or nothing */
static int
event_at(struct check *c, uint64_t seq, struct slice *encoded)
{
	uint8_t key[8];

	be64_put(key, seq);
	return db_get(c->txn, T_EVENTS, (struct slice){ (char *)key, 8 },
	    encoded, c->why);
}

/* check_indexes - of one event: its minute and its queue id */
static int
check_indexes(struct check *c, const struct event *e)
{
	int64_t minute = e->time > 0 ? e->time / STORE_MINUTE : 0;
	uint8_t key[8], room[STORE_QUEUE_ID];
	struct slice value;
	int got;

	if (minute > c->minute) {
		be64_put(key, (uint64_t)minute);
		got = db_get(c->txn, T_MINUTES,
		    (struct slice){ (char *)key, 8 }, &value, c->why);
		if (got == -1)
			return -1;
		if (got == 0 || row64(value) != e->seq)
			return wrong(c, "event %" PRIu64 " is the first of its "
			    "minute, and the index of minutes does not say so",
			    e->seq);
		c->minute = minute;
	}
	/* a release is found by its hold, whose queue id it bears */
	if (e->queue_id.n == 0 || e->kind == EVENT_RELEASE)
		return 0;
	got = db_get(c->txn, T_QUEUE_IDS, store_queue_key(e->queue_id, room),
	    &value, c->why);
	if (got == -1)
		return -1;
	if (got == 0 || row64(value) < e->seq)
		return wrong(c, "event %" PRIu64 " has queue id %.*s, and the "
		    "index of queue ids does not know it", e->seq,
		    SLICE_ARG(e->queue_id));
	return 0;
}

/* check_event - a row of events */
static int
check_event(struct check *c, struct slice key, struct slice value)
{
	struct event e;
	uint64_t seq;

	if (key.n != 8)
		return wrong(c, "the key of an event has %zu bytes", key.n);
	seq = be64_get((const uint8_t *)key.p);
	if (event_decode(value, &e, c->arena, c->why) == -1)
		return why_in(c->why, "event %" PRIu64, seq);
	if (e.seq != seq)
		return wrong(c, "event %" PRIu64 " calls itself %" PRIu64, seq,
		    e.seq);
	if (c->tally->events > 0 && seq != c->tally->last + 1)
		return wrong(c, "events %" PRIu64 " to %" PRIu64 " are missing",
		    c->tally->last + 1, seq - 1);
	if (c->tally->events > 0 && e.time < c->time)
		return wrong(c, "event %" PRIu64 " is earlier than the one "
		    "before it", seq);
	if (c->tally->events == 0) {
		c->tally->first = seq;
		/* what was pruned may have begun its minute */
		if (seq > 1)
			c->minute = e.time / STORE_MINUTE;
	}
	c->tally->events++;
	c->tally->last = seq;
	c->time = e.time;
	return check_indexes(c, &e);
}

/* check_minute - a row of minutes */
static int
check_minute(struct check *c, struct slice key, struct slice value)
{
	uint64_t minute, seq = row64(value), in_record;
	struct slice encoded;
	int64_t time;
	int got;

	if (key.n != 8 || value.n != 8)
		return wrong(c, "a row of the minutes makes no sense");
	minute = be64_get((const uint8_t *)key.p);
	if ((got = event_at(c, seq, &encoded)) == -1)
		return -1;
	if (got == 0 || !event_head(encoded, &in_record, &time) ||
	    (time > 0 ? (uint64_t)(time / STORE_MINUTE) : 0) != minute)
		return wrong(c, "minute %" PRIu64 " names event %" PRIu64
		    ", which is of another", minute, seq);
	c->tally->minutes++;
	return 0;
}

/* check_queue_id - a row of queue_ids */
static int
check_queue_id(struct check *c, struct slice key, struct slice value)
{
	uint8_t room[STORE_QUEUE_ID];
	uint64_t seq = row64(value);
	struct slice encoded;
	struct event e;
	int got;

	if ((got = event_at(c, seq, &encoded)) == -1)
		return -1;
	if (got == 0)
		return wrong(c, "queue id %.*s names event %" PRIu64 ", which "
		    "is missing", SLICE_ARG(key), seq);
	if (event_decode(encoded, &e, c->arena, c->why) == -1)
		return why_in(c->why, "event %" PRIu64, seq);
	if (!slice_eq(store_queue_key(e.queue_id, room), key))
		return wrong(c, "queue id %.*s names event %" PRIu64 ", which "
		    "bears %.*s", SLICE_ARG(key), seq, SLICE_ARG(e.queue_id));
	c->tally->queue_ids++;
	return 0;
}

/* check_token - a row of tokens */
static int
check_token(struct check *c, struct slice key, struct slice value)
{
	uint64_t seq = row64(value);
	struct slice encoded;
	int got;

	if (key.n != 8 || value.n != 8)
		return wrong(c, "a row of the tokens makes no sense");
	if ((got = event_at(c, seq, &encoded)) == -1)
		return -1;
	if (got == 0 || event_token(encoded) !=
	    be64_get((const uint8_t *)key.p))
		return wrong(c, "a token names event %" PRIu64 ", which is "
		    "%s", seq, got == 0 ? "missing" : "of another");
	c->tally->tokens++;
	return 0;
}

/* check_ahead - nothing may know a sequence that no event has */
static int
check_ahead(struct check *c, const char *what, uint64_t seq)
{
	uint64_t last = c->tally->last;
	int64_t time;

	if (seq > last && store_tail(c->txn, &last, &time, c->why) == -1)
		return -1;
	if (seq > last)
		return wrong(c, "%s is as of event %" PRIu64 ", the last one "
		    "is %" PRIu64, what, seq, last);
	return 0;
}

/* check_counter - a row of counters */
static int
check_counter(struct check *c, struct slice key, struct slice value)
{
	struct counter_row row;

	if (!store_get_counter(key, value, &row))
		return wrong(c, "counter %" PRIu64 " makes no sense",
		    c->tally->counters + 1);
	c->tally->counters++;
	return check_ahead(c, "a counter", row.seq);
}

/* check_warm - a row of warmups; what is in one says policy/progress.c */
static int
check_warm(struct check *c, struct slice key, struct slice value)
{
	struct wire w = wire_of(value);
	struct slice zone;
	uint8_t hash[16];

	if (key.n == STORE_WARM_KEY)
		return value.n > 0 ? 0 : wrong(c, "a row of the warmups is "
		    "empty");
	(void)get_i64(&w);
	zone = get_field(&w);
	hash_128(zone.p, zone.n, hash);
	if (w.bad || key.n != 17 || key.p[0] != 'z' ||
	    memcmp(key.p + 1, hash, sizeof(hash)) != 0)
		return wrong(c, "a row of the warmups is not where its zone "
		    "belongs");
	return 0;
}

/* check_kind - the event that a row of held names is of that kind */
static int
check_kind(struct check *c, const struct held *h, uint64_t seq,
    enum event_kind kind)
{
	struct slice encoded;
	struct event e;
	int got;

	if ((got = event_at(c, seq, &encoded)) == -1)
		return -1;
	if (got == 1 && event_decode(encoded, &e, c->arena, c->why) == -1)
		return why_in(c->why, "event %" PRIu64, seq);
	if (got == 0 || e.kind != kind || !slice_eq(e.queue_id, h->queue_id) ||
	    (kind == EVENT_RELEASE && e.voids != h->seq))
		return wrong(c, "held message %" PRIu64 " (%.*s) names event "
		    "%" PRIu64 ", which is %s", h->seq, SLICE_ARG(h->queue_id),
		    seq, got == 0 ? "missing" : "of something else");
	return 0;
}

/* check_held - a row of held */
static int
check_held(struct check *c, struct slice key, struct slice value)
{
	struct held h;

	if (key.n != 8)
		return wrong(c, "the key of a held message has %zu bytes",
		    key.n);
	if (held_decode(be64_get((const uint8_t *)key.p), value, &h,
	    c->why) == -1) {
		c->why->kind = WHY_BROKEN;
		return why_in(c->why, "held message %" PRIu64,
		    be64_get((const uint8_t *)key.p));
	}
	c->tally->held++;
	if (check_kind(c, &h, h.seq, EVENT_HOLD) == -1 ||
	    (h.state != HELD_WAITING &&
	    check_kind(c, &h, h.decision, EVENT_RELEASE) == -1))
		return -1;
	return 0;
}

/* check_meta - a row of meta */
static int
check_meta(struct check *c, struct slice key, struct slice value)
{
	struct store_head head;
	struct status status;

	if (store_get_head(key, value, &head) ||
	    (slice_is(key, "orders") && value.n > 0))
		return 0;
	if (slice_is(key, "status"))
		return store_get_status(value, &status, c->why);
	if (!slice_is(key, "checkpoint") || value.n != 8)
		return wrong(c, "row \"%.*s\" of meta makes no sense",
		    SLICE_ARG(key));
	c->tally->checkpoint = row64(value);
	return check_ahead(c, "the checkpoint", c->tally->checkpoint);
}

/* check_form - a row of forms */
static int
check_form(struct check *c, struct slice key, struct slice value)
{
	struct wire w = wire_of(value);
	struct slice path = get_field(&w);
	uint8_t hash[16];

	(void)get_field(&w);
	hash_128(path.p, path.n, hash);
	if (w.bad || w.p != w.end || key.n != sizeof(hash) ||
	    memcmp(key.p, hash, sizeof(hash)) != 0)
		return wrong(c, "last good form %" PRIu64 " makes no sense",
		    c->tally->forms + 1);
	c->tally->forms++;
	return 0;
}

/*
 * batch - rows of a table from behind *at on, in one transaction;
 * 1 there are more, 0 that was all
 */
static int
batch(struct check *c, unsigned table, struct buf *at,
    int (*row)(struct check *, struct slice, struct slice))
{
	struct db_cursor *cursor = NULL;
	struct slice key, value;
	int rc, n = 0;

	if (db_begin(store_db(c->store), false, &c->txn, c->why) == -1)
		return -1;
	rc = db_seek(c->txn, table, at->len > 0 ? buf_slice(at) : SLICE_NONE,
	    &cursor, &key, &value, c->why);
	if (rc == 1 && at->len > 0 && slice_eq(key, buf_slice(at)))
		rc = db_next(cursor, &key, &value, c->why);
	while (rc == 1) {
		arena_reset(c->arena);
		if (row(c, key, value) == -1) {
			rc = -1;
			break;
		}
		if (++n == BATCH) {
			buf_reset(at);
			buf_slices(at, key);
			break;
		}
		rc = db_next(cursor, &key, &value, c->why);
	}
	db_cursor_close(cursor);
	db_abort(c->txn);
	c->txn = NULL;
	if (buf_failed(at))
		return why_kind(c->why, WHY_MEMORY, "no memory");
	return rc;
}

/* check_table - all of its rows */
static int
check_table(struct check *c, unsigned table,
    int (*row)(struct check *, struct slice, struct slice))
{
	struct buf at = BUF_INIT;
	int more;

	do {
		more = batch(c, table, &at, row);
	} while (more == 1);
	buf_free(&at);
	return more;
}

/* store_verify - all of it */
int
store_verify(const char *dir, struct store_tally *tally, struct why *why)
{
	struct check c = { .tally = tally, .why = why, .minute = -1 };
	int rc = -1, got;

	memset(tally, 0, sizeof(*tally));
	if (db_verify(dir, &store_layout, why) == -1)
		return -1;
	if ((got = store_open_read(&c.store, dir, why)) != 1)
		return got == -1 ? -1 :
		    why_set(why, "there is no store in %s", dir);
	if ((c.arena = arena_new(64u << 10, 0)) == NULL) {
		why_kind(why, WHY_MEMORY, "no memory");
		goto out;
	}
	if (check_table(&c, T_EVENTS, check_event) == 0 &&
	    check_table(&c, T_MINUTES, check_minute) == 0 &&
	    check_table(&c, T_QUEUE_IDS, check_queue_id) == 0 &&
	    check_table(&c, T_TOKENS, check_token) == 0 &&
	    check_table(&c, T_COUNTERS, check_counter) == 0 &&
	    check_table(&c, T_HELD, check_held) == 0 &&
	    check_table(&c, T_WARMUPS, check_warm) == 0 &&
	    check_table(&c, T_META, check_meta) == 0 &&
	    check_table(&c, T_FORMS, check_form) == 0)
		rc = 0;
out:
	arena_free(c.arena);
	store_close(c.store);
	return rc;
}
