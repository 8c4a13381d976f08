/*
 * store - the gate's own store: its tables byte by byte, and writing them.
 *
 * An LMDB environment of kind "gate", format 1.  Numbers in values are
 * little-endian, in keys big-endian, so that they sort; "field" is u32 length
 * and that many bytes.
 *
 *	table	   key			value
 *	meta	   "checkpoint"		u64 sequence: replay starts behind it
 *		   "status"		status record, below
 *		   "orders"		what is in force of the desk
 *					(policy/orders.c)
 *		   "head", be64 desk	i64 time, u8[32] chain there
 *		   sequence
 *	events	   be64 sequence	an event (event.c); dense from 1
 *	minutes	   be64 minute		u64 sequence of the first event in it;
 *		   since 1970		minutes without one have no row
 *	queue_ids  the queue id; over	u64 sequence of the latest event that
 *		   64 bytes: its	bears it
 *		   hash_128
 *	counters   hash_128, as in	u8 kind, u8 shared, u64 tenant,
 *		   a charge		i64 level, time, window, window_end,
 *					rate, period, u64 seq
 *	tokens	   be64 id of a	u64 sequence of the event of its message;
 *		   short token		whose it is says the event, when he is
 *					the only remote recipient
 *	held	   be64 sequence of	what is to become of it (held.c); gone
 *		   the hold event	when it is done
 *	warmups	   the warmup's counter	how far it has come, and how far the
 *		   of a day, or a zone	days of a zone were judged
 *					(store_warm.c)
 *	forms	   hash_128 of path	field path, field text
 *
 *	status: u8 format = 3, i64 pid, started, heartbeat, wall, clock_jump,
 *	u64 generation, u8 result, u8 draining, u8[32] policy hash,
 *	u64 accepted, deferred, refused, failed, overflow,
 *	field text, version, socket, u64 desk_seq, field desk,
 *	u32 seen
 *	(format 1 ends behind socket, format 2 behind desk)
 *
 * One transaction holds many events (the writer's group), and counters ride
 * along.  The index of minutes costs one row a minute; the index of queue ids
 * costs one page written per event in a large store, which is the dearest
 * thing here, and what `trace` and the log reader stand on.
 *
 * Every legal state after a crash is that of some commit: LMDB swaps a meta
 * page after the pages are on disk.  So an event and its index rows are there
 * together or not at all, and nothing has to be repaired at start.
 *
 * Not chosen: time in the key of events (a clock that stands still or goes
 * back would break the order), one table for all (append would not fill
 * leaves), zstd (the rules of privacy need records that can be read in place).
 */
#include "lib/store.h"
#include "lib/store_in.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/hash.h"
#include "lib/wire.h"

enum { STATUS_FORMAT = 3 };

static const char *const tables[] = { "meta", "events", "minutes",
	"queue_ids", "counters", "forms", "tokens", "held",
	"warmups", NULL };
const struct db_layout store_layout = { .version = 1, .kind = "gate",
	.tables = tables, .first = T_TOKENS };

const char *const status_result_names[] = { "ok", "partly", "refused", NULL };

/* store_new - the struct around an environment; takes it */
static struct store *
store_new(struct db *db, struct why *why)
{
	struct store *s = calloc(1, sizeof(*s));

	if (s == NULL) {
		db_close(db);
		why_kind(why, WHY_MEMORY, "no memory to open a store");
		return NULL;
	}
	s->db = db;
	return s;
}

/* store_open - as the owner; goes on behind the last event */
int
store_open(struct store **out, const char *dir, uint64_t map_size,
    struct why *why)
{
	struct db_txn *txn = NULL;
	struct slice key, value;
	struct store *s = NULL;
	struct db *db = NULL;
	int rc = -1, got;

	*out = NULL;
	if (db_open_owner(&db, dir, &store_layout, map_size, why) == -1 ||
	    (s = store_new(db, why)) == NULL)
		return -1;
	if (db_begin(db, false, &txn, why) == -1 ||
	    store_tail(txn, &s->kept_seq, &s->kept_time, why) == -1 ||
	    (got = db_last(txn, T_MINUTES, &key, &value, why)) == -1)
		goto out;
	s->kept_minute = got == 1 && key.n == 8 ?
	    (int64_t)be64_get((const uint8_t *)key.p) : -1;
	rc = 0;
out:
	db_abort(txn);
	if (rc == -1)
		store_close(s);
	else
		*out = s;
	return rc;
}

/* store_open_read - somebody else's */
int
store_open_read(struct store **out, const char *dir, struct why *why)
{
	struct db *db = NULL;
	int rc = db_open_reader(&db, dir, &store_layout, why);

	*out = NULL;
	if (rc != 1)
		return rc;
	return (*out = store_new(db, why)) != NULL ? 1 : -1;
}

/* store_close - a transaction that is open is dropped */
void
store_close(struct store *s)
{
	if (s == NULL)
		return;
	db_abort(s->txn);
	db_close(s->db);
	buf_free(&s->buf);
	free(s);
}

/* store_db - for what the door to LMDB does itself */
struct db *
store_db(struct store *s)
{
	return s->db;
}

/* --- a transaction of the writer ------------------------------------------ */

/* store_begin - room is reserved, nothing written */
int
store_begin(struct store *s, struct why *why)
{
	if (db_begin(s->db, true, &s->txn, why) == -1)
		return -1;
	s->bad = false;
	s->seq = s->kept_seq;
	s->time = s->kept_time;
	s->minute = s->kept_minute;
	return 0;
}

/* store_abort - as if it had not begun */
void
store_abort(struct store *s)
{
	db_abort(s->txn);
	s->txn = NULL;
}

/* store_commit - on disk, all of it */
int
store_commit(struct store *s, struct why *why)
{
	struct db_txn *txn = s->txn;

	if (s->bad) {
		store_abort(s);
		*why = s->failed;
		return -1;
	}
	s->txn = NULL;
	if (db_commit(txn, why) == -1)
		return -1;
	s->kept_seq = s->seq;
	s->kept_time = s->time;
	s->kept_minute = s->minute;
	return 0;
}

/* fail - a put of this transaction did; what fails behind it says the same */
static int
fail(struct store *s, struct why *why)
{
	if (s->bad)
		*why = s->failed;
	else
		s->failed = *why;
	s->bad = true;
	return -1;
}

/* store_put_row - one row */
int
store_put_row(struct store *s, unsigned table, struct slice key,
    struct slice value, struct why *why)
{
	if (db_put(s->txn, table, key, value, why) == -1)
		return fail(s, why);
	return 0;
}

/* store_put_buf - one row whose value was built in s->buf */
int
store_put_buf(struct store *s, unsigned table, struct slice key,
    struct why *why)
{
	if (buf_failed(&s->buf)) {
		why_kind(why, WHY_MEMORY, "no memory to write a row");
		return fail(s, why);
	}
	return store_put_row(s, table, key, buf_slice(&s->buf), why);
}

/* store_delete_row - it is not there any more */
int
store_delete_row(struct store *s, unsigned table, struct slice key,
    struct why *why)
{
	if (db_delete(s->txn, table, key, why) == -1)
		return fail(s, why);
	return 0;
}

/* le64 - a number as the value of a row */
static struct slice
le64(uint64_t v, uint8_t out[8])
{
	int i;

	for (i = 0; i < 8; i++)
		out[i] = (uint8_t)(v >> (8 * i));
	return (struct slice){ (const char *)out, 8 };
}

/* store_queue_key - LMDB's keys are short, a stranger's queue id may not be */
struct slice
store_queue_key(struct slice id, uint8_t out[STORE_QUEUE_ID])
{
	if (id.n <= STORE_QUEUE_ID)
		return id;
	hash_128(id.p, id.n, out);
	return (struct slice){ (const char *)out, 16 };
}

/* index_minute - the first event of a minute leaves a mark */
static int
index_minute(struct store *s, struct why *why)
{
	int64_t minute = s->time > 0 ? s->time / STORE_MINUTE : 0;
	uint8_t key[8], value[8];

	if (minute <= s->minute)
		return 0;
	be64_put(key, (uint64_t)minute);
	if (db_append(s->txn, T_MINUTES, (struct slice){ (char *)key, 8 },
	    le64(s->seq, value), why) == -1)
		return fail(s, why);
	s->minute = minute;
	return 0;
}

/* index_token - the message that a short token names */
static int
index_token(struct store *s, uint64_t token, struct why *why)
{
	uint8_t key[8], value[8];

	if (token == 0)
		return 0;
	be64_put(key, token);
	return store_put_row(s, T_TOKENS, (struct slice){ (char *)key, 8 },
	    le64(s->seq, value), why);
}

/* store_append - the next event */
int
store_append(struct store *s, struct slice encoded, int64_t time,
    struct slice queue_id, uint64_t *seq, struct why *why)
{
	uint8_t key[8], room[STORE_QUEUE_ID], value[8];

	if (time > s->time)
		s->time = time;
	s->seq++;
	event_stamp(encoded, s->seq, s->time);
	be64_put(key, s->seq);
	if (db_append(s->txn, T_EVENTS, (struct slice){ (char *)key, 8 },
	    encoded, why) == -1)
		return fail(s, why);
	if (index_minute(s, why) == -1)
		return -1;
	if (queue_id.n > 0 && store_put_row(s, T_QUEUE_IDS,
	    store_queue_key(queue_id, room), le64(s->seq, value), why) == -1)
		return -1;
	if (index_token(s, event_token(encoded), why) == -1)
		return -1;
	*seq = s->seq;
	return 0;
}

/* store_probe - rows like events', and away with them */
int
store_probe(struct store *s, size_t bytes, struct why *why)
{
	char row[2048] = "", key[32];
	size_t i;
	int rc = 0;

	if (store_begin(s, why) == -1)
		return -1;
	for (i = 0; rc == 0 && i * sizeof(row) < bytes; i++) {
		int n = snprintf(key, sizeof(key), "probe%zu", i);

		rc = store_put_row(s, T_META, (struct slice){ key, (size_t)n },
		    (struct slice){ row, sizeof(row) }, why);
	}
	store_abort(s);
	return rc;
}

/* --- counters, checkpoint, forms, status ---------------------------------- */

/* store_put_counter - a row of the checkpoint */
int
store_put_counter(struct store *s, const struct counter_row *row,
    struct why *why)
{
	struct buf *b = &s->buf;

	buf_reset(b);
	put_u8(b, row->kind);
	put_u8(b, row->shared);
	put_u64(b, row->tenant);
	put_i64(b, row->level);
	put_i64(b, row->time);
	put_i64(b, row->window);
	put_i64(b, row->window_end);
	put_i64(b, row->rate);
	put_i64(b, row->period);
	put_u64(b, row->seq);
	return store_put_buf(s, T_COUNTERS,
	    (struct slice){ (const char *)row->key, sizeof(row->key) }, why);
}

/* store_get_counter - and back */
bool
store_get_counter(struct slice key, struct slice value,
    struct counter_row *row)
{
	struct wire w = wire_of(value);

	memset(row, 0, sizeof(*row));
	if (key.n != sizeof(row->key) || value.n != STORE_COUNTER)
		return false;
	memcpy(row->key, key.p, sizeof(row->key));
	row->kind = get_u8(&w);
	row->shared = get_u8(&w);
	row->tenant = get_u64(&w);
	row->level = get_i64(&w);
	row->time = get_i64(&w);
	row->window = get_i64(&w);
	row->window_end = get_i64(&w);
	row->rate = get_i64(&w);
	row->period = get_i64(&w);
	row->seq = get_u64(&w);
	return !w.bad && row->kind <= LIMIT_HELD && row->shared <= 1;
}

/* store_drop_counter - it says nothing any more; not there is fine */
int
store_drop_counter(struct store *s, const uint8_t key[16], struct why *why)
{
	return store_delete_row(s, T_COUNTERS,
	    (struct slice){ (const char *)key, 16 }, why);
}

/* store_put_checkpoint - replay starts behind seq */
int
store_put_checkpoint(struct store *s, uint64_t seq, struct why *why)
{
	uint8_t value[8];

	return store_put_row(s, T_META, SLICE("checkpoint"),
	    le64(seq, value), why);
}

/* store_put_form - the last good text of a file, or none any more */
int
store_put_form(struct store *s, struct slice path, struct slice text,
    struct why *why)
{
	uint8_t hash[16];
	struct slice key = { (const char *)hash, sizeof(hash) };

	hash_128(path.p, path.n, hash);
	if (text.p == NULL)
		return store_delete_row(s, T_FORMS, key, why);
	buf_reset(&s->buf);
	put_field(&s->buf, path);
	put_field(&s->buf, text);
	return store_put_buf(s, T_FORMS, key, why);
}

/* store_put_status - the gate's word about itself */
int
store_put_status(struct store *s, const struct status *st, struct why *why)
{
	struct buf *b = &s->buf;

	buf_reset(b);
	put_u8(b, STATUS_FORMAT);
	put_i64(b, st->pid);
	put_i64(b, st->started);
	put_i64(b, st->heartbeat);
	put_i64(b, st->wall);
	put_i64(b, st->clock_jump);
	put_u64(b, st->generation);
	put_u8(b, st->result);
	put_u8(b, st->draining);
	put_bytes(b, st->policy_hash, sizeof(st->policy_hash));
	put_u64(b, st->accepted);
	put_u64(b, st->deferred);
	put_u64(b, st->refused);
	put_u64(b, st->failed);
	put_u64(b, st->overflow);
	put_field(b, st->text);
	put_field(b, st->version);
	put_field(b, st->socket);
	put_u64(b, st->desk_seq);
	put_field(b, st->desk);
	put_u32(b, st->seen);
	return store_put_buf(s, T_META, SLICE("status"), why);
}

/* store_get_status - and back; texts borrow the value */
int
store_get_status(struct slice value, struct status *st, struct why *why)
{
	struct wire w = wire_of(value);
	uint8_t format = get_u8(&w);

	memset(st, 0, sizeof(*st));
	if (format > STATUS_FORMAT)
		return why_set(why, "status record of format %u: written by a "
		    "newer Penstock", format);
	st->pid = get_i64(&w);
	st->started = get_i64(&w);
	st->heartbeat = get_i64(&w);
	st->wall = get_i64(&w);
	st->clock_jump = get_i64(&w);
	st->generation = get_u64(&w);
	st->result = get_u8(&w);
	st->draining = get_u8(&w);
	get_bytes(&w, st->policy_hash, sizeof(st->policy_hash));
	st->accepted = get_u64(&w);
	st->deferred = get_u64(&w);
	st->refused = get_u64(&w);
	st->failed = get_u64(&w);
	st->overflow = get_u64(&w);
	st->text = get_field(&w);
	st->version = get_field(&w);
	st->socket = get_field(&w);
	if (format >= 2) {
		st->desk_seq = get_u64(&w);
		st->desk = get_field(&w);
	}
	if (format >= 3)
		st->seen = get_u32(&w);
	if (w.bad || w.p != w.end || format == 0 || st->result > STATUS_REFUSED)
		return why_set(why, "the status record makes no sense");
	return 0;
}
