/*
 * rollup_code - rows of hours, days, categories and category_hours.
 *
 * Numbers in keys are big-endian, in values little-endian; "name" is u8 length
 * and that many bytes.
 *
 *	table	     key			value
 *	hours	     be32 hour since 1970,	u8 format = 1, name x 7: group,
 *		     u8[16] hash		tenant, domain, stream, pool,
 *						address, provider; u32 which
 *						tallies are not 0 (bit i: the
 *						i-th), u64 each of those
 *	days	     be32 day, u8[16] hash	the same
 *	categories   be32 day, u8[16] hash	u8 format = 1, name x 7: group,
 *						tenant, pool, address, provider,
 *						kind, category; u64 count,
 *						u64 last outcome
 *	category_hours	be32 hour, u8[16] hash	the same
 *	places	     "event", "outcome"		u64 sequence that is in
 *		     "forgetting"		empty: all of it is to go
 *
 * The hash is the front of SHA-256 over the names as they stand in the value:
 * a cell is found without knowing what else there is, seven names that are
 * longer than a key of LMDB may be fit, and whoever chooses a name cannot make
 * it fall upon another's.  So the order within an hour means nothing; whoever
 * prints sorts.  A row whose numbers are all 0, since a void took back what
 * was counted, is not there: it would tell in which batches events came.  For
 * the same reason numbers add up as they are, below 0, too (two's complement);
 * readers see 0 then.  It takes a void of what was forgotten meanwhile.
 *
 * Not chosen: ids for names (a table of names would have to forget those that
 * nothing uses any more, and when it did would show), the names as the key
 * (too long for LMDB where domains are).
 */
#include "reputation/rollup_in.h"

#include <string.h>

#include "lib/hash.h"
#include "lib/wire.h"

enum { FORMAT = 1 };

/* get_name - one of those that were packed */
static struct slice
get_name(struct wire *w)
{
	size_t n = get_u8(w);
	struct slice s = { (const char *)w->p, n };

	if (w->bad || (size_t)(w->end - w->p) < n) {
		w->bad = true;
		return SLICE("");
	}
	w->p += n;
	return s;
}

/* rollup_pack - all seven */
struct slice
rollup_pack(const struct slice names[ROLLUP_NAMES], char *room)
{
	size_t n = 0;

	for (size_t i = 0; i < ROLLUP_NAMES; i++)
		n = rollup_pack_one(room, n, names[i]);
	return (struct slice){ room, n };
}

/* rollup_key - when, and about whom */
void
rollup_key(int32_t at, struct slice packed, uint8_t key[ROLLUP_KEY])
{
	uint8_t hash[HASH_SHA256];
	uint32_t t = at > 0 ? (uint32_t)at : 0;

	hash_sha256(packed.p, packed.n, hash);
	for (int i = 0; i < 4; i++)
		key[i] = (uint8_t)(t >> (24 - 8 * i));
	memcpy(key + 4, hash, ROLLUP_KEY - 4);
}

/* get_at - the hour or day of a key; false: it is none */
static bool
get_at(struct slice key, int32_t *at)
{
	const uint8_t *k = (const uint8_t *)key.p;

	if (key.n != ROLLUP_KEY)
		return false;
	*at = (int32_t)((uint32_t)k[0] << 24 | (uint32_t)k[1] << 16 |
	    (uint32_t)k[2] << 8 | k[3]);
	return true;
}

/* get_names - format and names, as a value begins */
static bool
get_names(struct wire *w, struct slice names[ROLLUP_NAMES])
{
	if (get_u8(w) != FORMAT)
		return false;
	for (size_t i = 0; i < ROLLUP_NAMES; i++)
		names[i] = get_name(w);
	return !w->bad;
}

/* get_tallies - those that are not 0 */
static bool
get_tallies(struct wire *w, uint64_t n[TALLIES])
{
	uint32_t which = get_u32(w);

	memset(n, 0, TALLIES * sizeof(*n));
	if (which >> TALLIES != 0)
		return false;
	for (; which != 0; which &= which - 1)
		n[__builtin_ctz(which)] = get_u64(w);
	return !w->bad && w->p == w->end;
}

/* get_cell - a row of hours or days; names borrow it */
static bool
get_cell(struct slice key, struct slice value, struct cell *c)
{
	struct slice names[ROLLUP_NAMES];
	struct wire w = wire_of(value);

	if (!get_at(key, &c->at) || !get_names(&w, names))
		return false;
	c->group = names[0];
	c->tenant = names[1];
	c->domain = names[2];
	c->stream = names[3];
	c->pool = names[4];
	c->address = names[5];
	c->provider = names[6];
	return get_tallies(&w, c->n);
}

/* rollup_cell - for readers: what was taken back and never counted is 0 */
bool
rollup_cell(struct slice key, struct slice value, struct cell *c)
{
	if (!get_cell(key, value, c))
		return false;
	for (size_t i = 0; i < TALLIES; i++)
		if ((int64_t)c->n[i] < 0)
			c->n[i] = 0;
	return true;
}

/* rollup_names - of a cell, in their order */
void
rollup_names(const struct cell *c, struct slice names[ROLLUP_NAMES])
{
	const struct slice all[ROLLUP_NAMES] = { c->group, c->tenant,
		c->domain, c->stream, c->pool, c->address, c->provider };

	memcpy(names, all, sizeof(all));
}

/* rollup_category - a row of categories; names borrow it */
bool
rollup_category(struct slice key, struct slice value, struct category_cell *c)
{
	struct slice names[ROLLUP_NAMES];
	struct wire w = wire_of(value);

	if (!get_at(key, &c->at) || !get_names(&w, names))
		return false;
	c->group = names[0];
	c->tenant = names[1];
	c->pool = names[2];
	c->address = names[3];
	c->provider = names[4];
	c->kind = names[5];
	c->category = names[6];
	c->count = get_u64(&w);
	c->last = get_u64(&w);
	return !w.bad && w.p == w.end;
}

/* of_categories - is it one of those tables? */
static bool
of_categories(unsigned table)
{
	return table == WATCH_CATEGORIES || table == WATCH_CATEGORY_HOURS;
}

/* put_value - a row; false: there is nothing to be said */
static bool
put_value(struct buf *b, unsigned table, struct slice packed,
    const uint64_t *n)
{
	uint32_t which = 0;

	put_u8(b, FORMAT);
	buf_slices(b, packed);
	if (of_categories(table)) {
		put_u64(b, n[OF_COUNT]);
		put_u64(b, n[OF_LAST]);
		return n[OF_COUNT] > 0;
	}
	for (unsigned i = 0; i < TALLIES; i++)
		if (n[i] > 0)
			which |= UINT32_C(1) << i;
	put_u32(b, which);
	for (unsigned i = 0; i < TALLIES; i++)
		if (n[i] > 0)
			put_u64(b, n[i]);
	return which != 0;
}

/* there - what the row says by now. Fetch; -1: it makes no sense */
static int
there(struct db_txn *txn, unsigned table, struct slice key, uint64_t *n,
    struct why *why)
{
	struct category_cell category;
	struct slice value;
	struct cell cell;
	int got = db_get(txn, table, key, &value, why);

	if (got != 1)
		return got;
	if (of_categories(table) ? !rollup_category(key, value,
	    &category) : !get_cell(key, value, &cell))
		return why_kind(why, WHY_BROKEN, "a row of watch/ makes no "
		    "sense (penstock store verify watch)");
	if (of_categories(table)) {
		n[OF_COUNT] = category.count;
		n[OF_LAST] = category.last;
	} else
		memcpy(n, cell.n, sizeof(cell.n));
	return 1;
}

/* rollup_add - one row */
int
rollup_add(struct db_txn *txn, unsigned table, const uint8_t key[ROLLUP_KEY],
    struct slice packed, const uint64_t *n, struct buf *b, struct why *why)
{
	struct slice k = { (const char *)key, ROLLUP_KEY };
	uint64_t now[TALLIES] = { 0 };
	int got = there(txn, table, k, now, why);
	bool some;

	if (got == -1)
		return -1;
	if (of_categories(table)) {
		now[OF_COUNT] += n[OF_COUNT];
		if (n[OF_LAST] > now[OF_LAST])
			now[OF_LAST] = n[OF_LAST];
	} else
		for (size_t i = 0; i < TALLIES; i++)
			now[i] += n[i];
	buf_reset(b);
	some = put_value(b, table, packed, now);
	if (buf_failed(b))
		return why_kind(why, WHY_MEMORY, "no memory for a cell");
	if (some)
		return db_put(txn, table, k, buf_slice(b), why);
	return got == 1 && db_delete(txn, table, k, why) == -1 ? -1 : 0;
}

/* rollup_append - one row that is new and the last */
int
rollup_append(struct db_txn *txn, unsigned table,
    const uint8_t key[ROLLUP_KEY], struct slice packed, const uint64_t *n,
    struct buf *b, struct why *why)
{
	bool some;

	buf_reset(b);
	some = put_value(b, table, packed, n);
	if (buf_failed(b))
		return why_kind(why, WHY_MEMORY, "no memory for a cell");
	return some ? db_append(txn, table, (struct slice){
	    (const char *)key, ROLLUP_KEY }, buf_slice(b), why) : 0;
}
