/*
 * store_read - reading the gate's store: each call its own transaction.
 *
 * What leaves a call is copied into the caller's arena, so that no reader
 * keeps a transaction (and with it every page freed since) while it prints,
 * sends or waits.
 */
#include "lib/store.h"
#include "lib/store_in.h"

#include <inttypes.h>
#include <stdlib.h>

#include "lib/hash.h"
#include "lib/wire.h"

/* get64 - a number that is the value of a row */
static int
get64(struct slice value, uint64_t *out, struct why *why)
{
	struct wire w = wire_of(value);

	*out = get_u64(&w);
	if (value.n != 8)
		return why_set(why, "a row of an index has %zu bytes, not 8",
		    value.n);
	return 0;
}

/* store_tail - what the last event says */
int
store_tail(struct db_txn *txn, uint64_t *seq, int64_t *time, struct why *why)
{
	struct slice key, value;
	uint64_t in_record;
	int got = db_last(txn, T_EVENTS, &key, &value, why);

	*seq = 0;
	*time = 0;
	if (got != 1)
		return got;
	if (key.n != 8 || !event_head(value, &in_record, time) ||
	    (*seq = be64_get((const uint8_t *)key.p)) != in_record)
		return why_kind(why, WHY_BROKEN,
		    "the last event does not agree with its key");
	return 0;
}

/* store_last - sequence, and the latest moment the gate has left on disk */
int
store_last(struct store *s, uint64_t *seq, int64_t *time, struct why *why)
{
	struct db_txn *txn = NULL;
	struct status status;
	struct slice value;
	int rc = -1, got;

	if (db_begin(s->db, false, &txn, why) == -1)
		return -1;
	if (store_tail(txn, seq, time, why) == -1 ||
	    (got = db_get(txn, T_META, SLICE("status"), &value, why)) == -1)
		goto out;
	if (got == 1) {
		if (store_get_status(value, &status, why) == -1)
			goto out;
		if (status.heartbeat > *time)
			*time = status.heartbeat;
	}
	rc = 0;
out:
	db_abort(txn);
	return rc;
}

/* store_status - the gate's word about itself */
int
store_status(struct store *s, struct status *st, struct arena *arena,
    struct why *why)
{
	struct db_txn *txn = NULL;
	struct slice value;
	int rc;

	if (db_begin(s->db, false, &txn, why) == -1)
		return -1;
	rc = db_get(txn, T_META, SLICE("status"), &value, why);
	if (rc == 1) {
		value = arena_copy(arena, value);
		if (value.p == NULL)
			rc = why_kind(why, WHY_MEMORY,
			    "no memory to read the status");
		else if (store_get_status(value, st, why) == -1)
			rc = -1;
	}
	db_abort(txn);
	return rc;
}

/* time_of - when event seq happened; sequences are dense, so it is there */
static int
time_of(struct db_txn *txn, uint64_t seq, int64_t *time, struct why *why)
{
	uint64_t in_record;
	struct slice value;
	uint8_t key[8];
	int got;

	be64_put(key, seq);
	got = db_get(txn, T_EVENTS, (struct slice){ (char *)key, 8 }, &value,
	    why);
	if (got == -1)
		return -1;
	if (got == 0 || !event_head(value, &in_record, time))
		return why_kind(why, WHY_BROKEN, "event %llu is missing",
		    (unsigned long long)seq);
	return 0;
}

/* minute_range - sequences [*lo, *hi) hold the first event of time or later */
static int
minute_range(struct db_txn *txn, int64_t time, uint64_t *lo, uint64_t *hi,
    struct why *why)
{
	int64_t minute = time > 0 ? time / STORE_MINUTE : 0;
	struct db_cursor *cursor = NULL;
	struct slice k, v;
	uint8_t key[8];
	uint64_t seq;
	int got;

	be64_put(key, (uint64_t)minute);
	got = db_seek(txn, T_MINUTES, (struct slice){ (char *)key, 8 },
	    &cursor, &k, &v, why);
	if (got != 1)			/* none: *lo = *hi as they were */
		goto out;
	if (get64(v, &seq, why) == -1) {
		got = -1;
		goto out;
	}
	*lo = seq;
	if (be64_get((const uint8_t *)k.p) > (uint64_t)minute) {
		*hi = seq;
		goto out;
	}
	if ((got = db_next(cursor, &k, &v, why)) == 1 &&
	    get64(v, hi, why) == -1)
		got = -1;
out:
	db_cursor_close(cursor);
	return got == -1 ? -1 : 0;
}

/* store_seq_at - by the index to the minute, by halving within it */
int
store_seq_at(struct store *s, int64_t time, uint64_t *seq, struct why *why)
{
	struct db_txn *txn = NULL;
	uint64_t lo, hi, mid;
	int64_t t;
	int rc = -1;

	if (db_begin(s->db, false, &txn, why) == -1)
		return -1;
	if (store_tail(txn, &hi, &t, why) == -1)
		goto out;
	lo = ++hi;
	if (minute_range(txn, time, &lo, &hi, why) == -1)
		goto out;
	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (time_of(txn, mid, &t, why) == -1)
			goto out;
		if (t < time)
			lo = mid + 1;
		else
			hi = mid;
	}
	*seq = lo;
	rc = 0;
out:
	db_abort(txn);
	return rc;
}

/* store_read - some events, copied */
int
store_read(struct store *s, uint64_t from, size_t n, struct arena *arena,
    struct slice *encoded, size_t *got, struct why *why)
{
	struct db_cursor *cursor = NULL;
	struct db_txn *txn = NULL;
	struct slice k, v;
	uint8_t key[8];
	int rc;

	*got = 0;
	if (db_begin(s->db, false, &txn, why) == -1)
		return -1;
	be64_put(key, from);
	rc = db_seek(txn, T_EVENTS, (struct slice){ (char *)key, 8 }, &cursor,
	    &k, &v, why);
	while (rc == 1 && *got < n) {
		encoded[*got] = arena_copy(arena, v);
		if (encoded[*got].p == NULL) {
			/* a full arena gives what it holds */
			rc = *got > 0 ? 0 : why_kind(why, WHY_MEMORY,
			    "no memory to read an event");
			break;
		}
		if (++*got < n)
			rc = db_next(cursor, &k, &v, why);
	}
	db_cursor_close(cursor);
	db_abort(txn);
	return rc == -1 ? -1 : 0;
}

/* store_event - that one, and no other in its place */
int
store_event(struct store *s, uint64_t seq, struct arena *arena,
    struct event *e, struct why *why)
{
	struct db_txn *txn = NULL;
	struct slice value;
	uint8_t key[8];
	int rc;

	if (db_begin(s->db, false, &txn, why) == -1)
		return -1;
	be64_put(key, seq);
	rc = db_get(txn, T_EVENTS, (struct slice){ (char *)key, 8 }, &value,
	    why);
	if (rc == 1 && (value = arena_copy(arena, value)).p == NULL)
		rc = why_kind(why, WHY_MEMORY, "no memory to read an event");
	db_abort(txn);
	if (rc == 1 && event_decode(value, e, arena, why) == -1)
		return why_in(why, "event %" PRIu64, seq);
	return rc;
}

/* store_by_queue_id - the latest event that bears it */
int
store_by_queue_id(struct store *s, struct slice id, uint64_t *seq,
    struct why *why)
{
	uint8_t room[STORE_QUEUE_ID];
	struct db_txn *txn = NULL;
	struct slice value;
	int rc;

	if (id.n == 0)
		return 0;
	if (db_begin(s->db, false, &txn, why) == -1)
		return -1;
	rc = db_get(txn, T_QUEUE_IDS, store_queue_key(id, room), &value, why);
	if (rc == 1 && get64(value, seq, why) == -1)
		rc = -1;
	db_abort(txn);
	return rc;
}

/* store_by_token - the message that it names */
int
store_by_token(struct store *s, uint64_t id, uint64_t *seq, struct why *why)
{
	struct db_txn *txn = NULL;
	struct slice value;
	uint8_t key[8];
	int rc;

	if (db_begin(s->db, false, &txn, why) == -1)
		return -1;
	be64_put(key, id);
	rc = db_get(txn, T_TOKENS, (struct slice){ (char *)key, 8 }, &value,
	    why);
	if (rc == 1 && get64(value, seq, why) == -1)
		rc = -1;
	db_abort(txn);
	return rc;
}

/* store_counters - the whole checkpoint, as of one moment */
int
store_counters(struct store *s, uint64_t *checkpoint,
    bool (*each)(void *, const struct counter_row *), void *with,
    struct why *why)
{
	struct db_cursor *cursor = NULL;
	struct db_txn *txn = NULL;
	struct counter_row row;
	struct slice k, v;
	int rc;

	*checkpoint = 0;
	if (db_begin(s->db, false, &txn, why) == -1)
		return -1;
	rc = db_get(txn, T_META, SLICE("checkpoint"), &v, why);
	if (rc == 1 && get64(v, checkpoint, why) == -1)
		rc = -1;
	if (rc != -1)
		rc = db_seek(txn, T_COUNTERS, SLICE_NONE, &cursor, &k, &v, why);
	while (rc == 1) {
		if (!store_get_counter(k, v, &row)) {
			rc = why_kind(why, WHY_BROKEN,
			    "a row of the counters makes no sense");
			break;
		}
		if (!each(with, &row))
			break;
		rc = db_next(cursor, &k, &v, why);
	}
	db_cursor_close(cursor);
	db_abort(txn);
	return rc == -1 ? -1 : 0;
}

/* store_form - the last good text of that file */
int
store_form(struct store *s, struct slice path, struct arena *arena,
    struct slice *text, struct why *why)
{
	struct db_txn *txn = NULL;
	struct slice value, kept;
	struct wire w;
	uint8_t hash[16];
	int rc;

	hash_128(path.p, path.n, hash);
	if (db_begin(s->db, false, &txn, why) == -1)
		return -1;
	rc = db_get(txn, T_FORMS,
	    (struct slice){ (const char *)hash, sizeof(hash) }, &value, why);
	if (rc == 1) {
		w = wire_of(value);
		kept = get_field(&w);
		value = get_field(&w);
		if (w.bad)
			rc = why_set(why, "a last good form makes no sense");
		else if (!slice_eq(kept, path))
			rc = 0;
		else if ((*text = arena_copy(arena, value)).p == NULL)
			rc = why_kind(why, WHY_MEMORY,
			    "no memory to read a last good form");
	}
	db_abort(txn);
	return rc;
}

/* store_each_form - all of them, in the order of their keys */
int
store_each_form(struct store *s, bool (*each)(void *, struct slice,
    struct slice), void *with, struct why *why)
{
	struct slice k, v, path, text, low = SLICE_NONE, high = SLICE_NONE;
	struct db_cursor *cursor = NULL;
	struct db_txn *txn = NULL;
	struct wire w;
	int rc;

	if (db_begin(s->db, false, &txn, why) == -1)
		return -1;
	rc = db_seek(txn, T_FORMS, SLICE_NONE, &cursor, &k, &v, why);
	while (rc == 1) {
		if (low.p == NULL || v.p < low.p)
			low = v;
		if (high.p == NULL || v.p > high.p)
			high = v;
		w = wire_of(v);
		path = get_field(&w);
		text = get_field(&w);
		if (w.bad)
			rc = why_set(why, "a last good form makes no sense");
		else if (!each(with, path, text))
			rc = 0;
		else
			rc = db_next(cursor, &k, &v, why);
	}
	db_cursor_close(cursor);
	db_abort(txn);
	db_let_go(low, high);
	return rc;
}

/* store_forms - the paths that have one */
int
store_forms(struct store *s, struct arena *arena, struct slice **paths,
    size_t *n, struct why *why)
{
	struct db_cursor *cursor = NULL;
	struct db_txn *txn = NULL;
	struct slice k, v;
	struct wire w;
	uint64_t count;
	int rc = -1;

	*paths = NULL;
	*n = 0;
	if (db_begin(s->db, false, &txn, why) == -1)
		return -1;
	if (db_count(txn, T_FORMS, &count, why) == -1)
		goto out;
	if (count > 0 && (*paths = arena_array(arena, (size_t)count,
	    sizeof(**paths))) == NULL) {
		why_kind(why, WHY_MEMORY, "no memory for the last good forms");
		goto out;
	}
	rc = db_seek(txn, T_FORMS, SLICE_NONE, &cursor, &k, &v, why);
	while (rc == 1 && *n < count) {
		w = wire_of(v);
		v = arena_copy(arena, get_field(&w));
		if (v.p == NULL || w.bad) {
			rc = why_set(why, "cannot read the last good forms");
			break;
		}
		(*paths)[(*n)++] = v;
		rc = db_next(cursor, &k, &v, why);
	}
out:
	db_cursor_close(cursor);
	db_abort(txn);
	return rc == -1 ? -1 : 0;
}
