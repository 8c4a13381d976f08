/*
 * snapshot_store - rows of snapshots as bytes, in desk/ (brought by people) and
 * in watch/ (fetched).
 *
 * A key sorts as a report wants rows:
 *
 *	provider, 0, subject, 0, metric, 0, be32 begin with its top bit turned
 *
 * where none of the three has a zero byte, and a value is
 *
 *	u8 format = 1, field subject type, value, unit, source, note, u8 upper,
 *	u32 end, i64 taken, fetched, next, u8 state, u8[32] SHA-256 of what was
 *	read
 *
 * ("field" is u32 length and that many bytes, all numbers little-endian.)  A
 * file that was read has a mark, so that reading it again changes nothing, also
 * when a later file said something else since:
 *
 *	0, u8[32] SHA-256(provider, 0, subject, 0, SHA-256 of the file)
 *
 * whose value is i64, when it came.  Of two rows with one key the one that was
 * taken later stays.
 */
#include "reputation/snapshot.h"

#include <inttypes.h>

#include "lib/desk.h"
#include "lib/wire.h"
#include "reputation/watch.h"

enum { FORMAT = 1, MARK = 1 + HASH_SHA256 };

/* --- bytes ---------------------------------------------------------------- */

/* part - of a key: no zero in it */
static void
part(struct buf *b, struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		buf_char(b, s.p[i] == '\0' ? '?' : s.p[i]);
	buf_char(b, '\0');
}

/* key_of - where it stands */
static void
key_of(const struct snapshot *s, struct buf *b)
{
	uint32_t day = (uint32_t)s->begin ^ UINT32_C(0x80000000);
	uint8_t be[4] = { (uint8_t)(day >> 24), (uint8_t)(day >> 16),
		(uint8_t)(day >> 8), (uint8_t)day };

	part(b, s->provider);
	part(b, s->subject);
	part(b, s->metric);
	buf_add(b, be, sizeof(be));
}

/* snapshot_encode - the value */
void
snapshot_encode(const struct snapshot *s, struct buf *b)
{
	put_u8(b, FORMAT);
	put_field(b, s->subject_type);
	put_field(b, s->value);
	put_field(b, s->unit);
	put_field(b, s->source);
	put_field(b, s->note);
	put_u8(b, s->upper);
	put_u32(b, (uint32_t)s->end);
	put_i64(b, s->taken);
	put_i64(b, s->fetched);
	put_i64(b, s->next);
	put_u8(b, (uint8_t)s->state);
	put_bytes(b, s->raw, sizeof(s->raw));
}

/* get_part - of a key, up to its zero */
static bool
get_part(struct slice *key, struct slice *out)
{
	const char *end = key->n > 0 ? memchr(key->p, '\0', key->n) : NULL;

	if (end == NULL)
		return false;
	*out = (struct slice){ key->p, (size_t)(end - key->p) };
	*key = slice_from(*key, out->n + 1);
	return true;
}

/* snapshot_decode - both halves */
int
snapshot_decode(struct slice key, struct slice value, struct snapshot *s,
    struct why *why)
{
	struct wire w = wire_of(value);
	uint8_t format = get_u8(&w), state;
	const uint8_t *be;

	memset(s, 0, sizeof(*s));
	if (!w.bad && format > FORMAT)
		return why_set(why, "a snapshot of format %u: written by a "
		    "newer Penstock", format);
	s->subject_type = get_field(&w);
	s->value = get_field(&w);
	s->unit = get_field(&w);
	s->source = get_field(&w);
	s->note = get_field(&w);
	s->upper = get_u8(&w) != 0;
	s->end = (int32_t)get_u32(&w);
	s->taken = get_i64(&w);
	s->fetched = get_i64(&w);
	s->next = get_i64(&w);
	state = get_u8(&w);
	get_bytes(&w, s->raw, sizeof(s->raw));
	if (w.bad || w.p != w.end || format != FORMAT ||
	    state > SNAPSHOT_STALE || !get_part(&key, &s->provider) ||
	    !get_part(&key, &s->subject) || !get_part(&key, &s->metric) ||
	    key.n != 4)
		return why_kind(why, WHY_BROKEN, "a snapshot that makes no "
		    "sense");
	be = (const uint8_t *)key.p;
	s->begin = (int32_t)(((uint32_t)be[0] << 24 | (uint32_t)be[1] << 16 |
	    (uint32_t)be[2] << 8 | be[3]) ^ UINT32_C(0x80000000));
	s->state = (enum snapshot_state)state;
	return 0;
}

/* --- writing -------------------------------------------------------------- */

/* newer - does it say something that is not there yet? */
static bool
newer(const struct snapshot *s, const struct snapshot *there)
{
	if (s->taken != there->taken)
		return s->taken > there->taken;
	return s->state != there->state || s->upper != there->upper ||
	    s->end != there->end || !slice_eq(s->value, there->value) ||
	    !slice_eq(s->unit, there->unit) || !slice_eq(s->note, there->note);
}

/* snapshots_put - a row, unless a later one is there */
int
snapshots_put(struct db_txn *txn, unsigned table, const struct snapshot *s,
    struct why *why)
{
	struct buf key = BUF_INIT, value = BUF_INIT;
	struct snapshot there;
	struct slice old;
	int got, rc = -1;

	key_of(s, &key);
	snapshot_encode(s, &value);
	if (buf_failed(&key) || buf_failed(&value)) {
		(void)why_kind(why, WHY_MEMORY, "no memory for a snapshot");
	} else if (key.len > DB_KEY_MAX) {
		(void)why_set(why, "a snapshot whose names have %zu bytes",
		    key.len);
	} else if ((got = db_get(txn, table, buf_slice(&key), &old, why)) !=
	    -1 && (got == 0 || snapshot_decode(buf_slice(&key), old, &there,
	    why) == 0)) {
		if (got == 1 && !newer(s, &there))
			rc = 0;
		else
			rc = db_put(txn, table, buf_slice(&key),
			    buf_slice(&value), why) == 0 ? 1 : -1;
	}
	buf_free(&key);
	buf_free(&value);
	return rc;
}

/* mark_of - the key of a file */
static struct slice
mark_of(char room[MARK], const uint8_t raw[HASH_SHA256],
    struct slice provider, struct slice subject)
{
	struct hash_sha256_ctx *ctx = hash_sha256_new();

	if (ctx == NULL)
		return SLICE_NONE;
	hash_sha256_add(ctx, provider.p, provider.n);
	hash_sha256_add(ctx, "", 1);
	hash_sha256_add(ctx, subject.p, subject.n);
	hash_sha256_add(ctx, "", 1);
	hash_sha256_add(ctx, raw, HASH_SHA256);
	room[0] = '\0';
	hash_sha256_end(ctx, (uint8_t *)room + 1);
	hash_sha256_free(ctx);
	return (struct slice){ room, MARK };
}

/* snapshots_known - was that file read before? */
int
snapshots_known(struct db *db, unsigned table, const uint8_t raw[HASH_SHA256],
    struct slice provider, struct slice subject, struct why *why)
{
	struct db_txn *txn = NULL;
	struct db_stat stat;
	struct slice key, value;
	char room[MARK];
	int got;

	if (db_stat(db, &stat, why) == -1)
		return -1;
	if (stat.tables <= table)
		return 0;
	if ((key = mark_of(room, raw, provider, subject)).p == NULL)
		return why_kind(why, WHY_MEMORY, "no memory for a mark");
	if (db_begin(db, false, &txn, why) == -1)
		return -1;
	got = db_get(txn, table, key, &value, why);
	db_abort(txn);
	return got;
}

/* snapshots_mark - so that it is passed over the next time */
int
snapshots_mark(struct db_txn *txn, unsigned table,
    const uint8_t raw[HASH_SHA256], struct slice provider,
    struct slice subject, int64_t now, struct why *why)
{
	struct buf value = BUF_INIT;
	char room[MARK];
	struct slice key = mark_of(room, raw, provider, subject);
	int rc;

	put_i64(&value, now);
	rc = key.p == NULL || buf_failed(&value) ? why_kind(why, WHY_MEMORY,
	    "no memory for a mark") : db_put(txn, table, key,
	    buf_slice(&value), why);
	buf_free(&value);
	return rc;
}

/* --- reading -------------------------------------------------------------- */

/* One store, as far as it is read. */
struct side {
	struct db_txn	*txn;
	struct db_cursor *cursor;
	struct slice	 key, value;
	int		 got;		/* 1: there is a row */
};

/* side_open - at its first row; one without such a table has none */
static int
side_open(struct side *s, struct db *db, unsigned table, struct why *why)
{
	struct db_stat stat;

	s->got = 0;
	if (db == NULL)
		return 0;
	if (db_stat(db, &stat, why) == -1)
		return -1;
	if (stat.tables <= table)
		return 0;
	if (db_begin(db, false, &s->txn, why) == -1)
		return -1;
	/* marks begin with a zero, and stand in front */
	s->got = db_seek(s->txn, table, SLICE("\1"), &s->cursor, &s->key,
	    &s->value, why);
	return s->got == -1 ? -1 : 0;
}

/* side_close - whatever is open of it */
static void
side_close(struct side *s)
{
	db_cursor_close(s->cursor);
	db_abort(s->txn);
}

/* side_next - one row further */
static int
side_next(struct side *s, struct why *why)
{
	s->got = db_next(s->cursor, &s->key, &s->value, why);
	return s->got == -1 ? -1 : 0;
}

/* before - which of two comes first: -1, 0, 1 as memcmp */
static int
before(const struct side *a, const struct side *b)
{
	size_t n = a->key.n < b->key.n ? a->key.n : b->key.n;
	int rc;

	if (a->got != 1 || b->got != 1)
		return a->got == 1 ? -1 : 1;
	rc = memcmp(a->key.p, b->key.p, n);
	return rc != 0 ? rc : (a->key.n > b->key.n) - (a->key.n < b->key.n);
}

/* merged - the next row of both; of two with one key the later one */
static int
merged(const struct side *a, const struct side *b, int order,
    struct snapshot *s, struct why *why)
{
	const struct side *first = order <= 0 ? a : b;
	struct snapshot other;

	if (snapshot_decode(first->key, first->value, s, why) == -1)
		return -1;
	if (order != 0)
		return 0;
	if (snapshot_decode(b->key, b->value, &other, why) == -1)
		return -1;
	if (other.taken > s->taken)
		*s = other;
	return 0;
}

/* snapshots_each - two stores, one order */
int
snapshots_each(struct db *watch, struct db *desk, int32_t from, int32_t until,
    bool (*each)(void *, const struct snapshot *), void *with,
    struct why *why)
{
	struct side a = { .txn = NULL }, b = { .txn = NULL };
	struct snapshot s;
	bool on = true;
	int rc = -1, order;

	if (side_open(&a, watch, WATCH_SNAPSHOTS, why) == -1 ||
	    side_open(&b, desk, DESK_T_SNAPSHOTS, why) == -1)
		goto out;
	while (on && (a.got == 1 || b.got == 1)) {
		order = before(&a, &b);
		if (merged(&a, &b, order, &s, why) == -1)
			goto out;
		if (s.begin < until && s.end >= from)
			on = each(with, &s);
		if ((order <= 0 && side_next(&a, why) == -1) ||
		    (order >= 0 && side_next(&b, why) == -1))
			goto out;
	}
	rc = 0;
out:
	side_close(&a);
	side_close(&b);
	return rc;
}
