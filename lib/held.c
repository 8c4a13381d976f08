/*
 * held - a row of the table "held", byte by byte.
 *
 * The key is be64 sequence of the hold event; the value, as in lib/wire.h:
 *
 *	u8 format = 1, u8 state, i64 since, until, decided, u64 decision,
 *	i64 forecast, u64 tenant id, field instance, queue id, tenant, stream,
 *	pool, address, why
 *
 * What a program that is root tells Postfix stands in here, so decoding is
 * narrow: a queue id is letters and digits and nothing else (a line of
 * postsuper's input), a state that is decided says when and by which event,
 * one that is not says neither, and no byte is left over.
 *
 * A walk looks at 1,000 rows at most in one transaction, whatever it looks
 * for: of a million rows that wait, the few that may go are found in many
 * short looks, and no reader keeps old pages for long.
 */
#include "lib/held.h"

#include "lib/store_in.h"
#include "lib/wire.h"

enum { FORMAT = 1, SLICE_ROWS = 1000 };

const char *const held_state_names[] = { "waiting", "go", "drop", "expire",
	NULL };

/* held_queue_id - of both of Postfix's kinds, and nothing that is neither */
bool
held_queue_id(struct slice id)
{
	for (size_t i = 0; i < id.n; i++) {
		char c = id.p[i];

		if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
		    (c >= 'a' && c <= 'z')))
			return false;
	}
	return id.n > 0 && id.n <= HELD_QUEUE_ID;
}

/* held_encode - append the row; failure is sticky in the buffer */
void
held_encode(const struct held *h, struct buf *b)
{
	put_u8(b, FORMAT);
	put_u8(b, (uint8_t)h->state);
	put_i64(b, h->since);
	put_i64(b, h->until);
	put_i64(b, h->decided);
	put_u64(b, h->decision);
	put_i64(b, h->forecast);
	put_u64(b, h->tenant_id);
	put_field(b, h->instance);
	put_field(b, h->queue_id);
	put_field(b, h->tenant);
	put_field(b, h->stream);
	put_field(b, h->pool);
	put_field(b, h->address);
	put_field(b, h->why);
}

/* sane - could the gate have written it? */
static bool
sane(uint64_t seq, const struct held *h)
{
	bool decided = h->state != HELD_WAITING;

	return h->since >= 0 && h->until >= h->since && h->forecast >= 0 &&
	    (decided ? h->decided >= h->since && h->decision > seq :
	    h->decided == 0 && h->decision == 0) && held_queue_id(h->queue_id);
}

/* held_decode - and back */
int
held_decode(uint64_t seq, struct slice s, struct held *h, struct why *why)
{
	struct wire w = wire_of(s);
	uint8_t format = get_u8(&w), state = get_u8(&w);

	memset(h, 0, sizeof(*h));
	if (!w.bad && format > FORMAT)
		return why_set(why, "a held message of format %u: written by "
		    "a newer Penstock, this one reads up to format %d", format,
		    FORMAT);
	h->seq = seq;
	h->since = get_i64(&w);
	h->until = get_i64(&w);
	h->decided = get_i64(&w);
	h->decision = get_u64(&w);
	h->forecast = get_i64(&w);
	h->tenant_id = get_u64(&w);
	h->instance = get_field(&w);
	h->queue_id = get_field(&w);
	h->tenant = get_field(&w);
	h->stream = get_field(&w);
	h->pool = get_field(&w);
	h->address = get_field(&w);
	h->why = get_field(&w);
	if (w.bad || w.p != w.end || format != FORMAT || state > HELD_EXPIRE)
		return why_set(why, "the row of a held message makes no sense");
	h->state = (enum held_state)state;
	if (!sane(seq, h))
		return why_set(why, "the row of a held message contradicts "
		    "itself");
	return 0;
}

/* --- the table ------------------------------------------------------------ */

/* held_key - where the row stands */
static struct slice
held_key(uint64_t seq, uint8_t out[8])
{
	be64_put(out, seq);
	return (struct slice){ (const char *)out, 8 };
}

/* store_put_held - a new row, or over the one of that message */
int
store_put_held(struct store *s, const struct held *h, struct why *why)
{
	uint8_t key[8];

	buf_reset(&s->buf);
	held_encode(h, &s->buf);
	return store_put_buf(s, T_HELD, held_key(h->seq, key), why);
}

/* store_put_held_row - what held_encode made */
int
store_put_held_row(struct store *s, uint64_t seq, struct slice row,
    struct why *why)
{
	uint8_t key[8];

	return store_put_row(s, T_HELD, held_key(seq, key), row, why);
}

/* store_drop_held - it is held no more */
int
store_drop_held(struct store *s, uint64_t seq, struct why *why)
{
	uint8_t key[8];

	return store_delete_row(s, T_HELD, held_key(seq, key), why);
}

/* row - a copy of one, decoded; the sentence names it */
static int
row(struct slice key, struct slice value, struct arena *arena, struct held *h,
    struct why *why)
{
	uint64_t seq;

	if (key.n != 8)
		return why_kind(why, WHY_BROKEN, "the key of a held message "
		    "has %zu bytes", key.n);
	seq = be64_get((const uint8_t *)key.p);
	if ((value = arena_copy(arena, value)).p == NULL)
		return why_kind(why, WHY_MEMORY, "no memory to read what is "
		    "held");
	if (held_decode(seq, value, h, why) == -1) {
		why->kind = WHY_BROKEN;
		return why_in(why, "held message %llu",
		    (unsigned long long)seq);
	}
	return 0;
}

/* is_state - without a copy; one that cannot be read is for row to name */
static bool
is_state(struct slice value, int state)
{
	return state == HELD_ALL || value.n < 2 ||
	    (uint8_t)value.p[1] == state;
}

/*
 * held_slice - rows of one transaction, behind those that are there; *from is
 * where the next one goes on.  1 there may be more, 0 that was all, -1
 */
static int
held_slice(struct store *s, uint64_t *from, int state, size_t n,
    struct arena *arena, struct held *rows, size_t *got, struct why *why)
{
	struct db_cursor *cursor = NULL;
	struct db_txn *txn = NULL;
	struct slice k, v;
	size_t seen = 0;
	uint8_t key[8];
	int rc;

	if (db_begin(s->db, false, &txn, why) == -1)
		return -1;
	rc = db_seek(txn, T_HELD, held_key(*from, key), &cursor, &k, &v, why);
	while (rc == 1 && *got < n && seen++ < SLICE_ROWS) {
		if (is_state(v, state) &&
		    row(k, v, arena, &rows[(*got)++], why) == -1) {
			rc = -1;
			break;
		}
		*from = (k.n == 8 ? be64_get((const uint8_t *)k.p) : *from) + 1;
		rc = db_next(cursor, &k, &v, why);
	}
	db_cursor_close(cursor);
	db_abort(txn);
	return rc;
}

/* store_held - some of them, in the order in which they came */
int
store_held(struct store *s, uint64_t from, int state, size_t n,
    struct arena *arena, struct held *rows, size_t *got, struct why *why)
{
	int rc = 1;

	*got = 0;
	while (rc == 1 && *got < n)
		rc = held_slice(s, &from, state, n, arena, rows, got, why);
	return rc == -1 ? -1 : 0;
}

/* store_held_at - the row of one message */
int
store_held_at(struct store *s, uint64_t seq, struct arena *arena,
    struct held *h, struct why *why)
{
	struct db_txn *txn = NULL;
	struct slice value;
	uint8_t key[8];
	int rc;

	if (db_begin(s->db, false, &txn, why) == -1)
		return -1;
	rc = db_get(txn, T_HELD, held_key(seq, key), &value, why);
	if (rc == 1 && row(held_key(seq, key), value, arena, h, why) == -1)
		rc = -1;
	db_abort(txn);
	return rc;
}
