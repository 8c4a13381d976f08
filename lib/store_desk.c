/*
 * store_desk - what the gate has taken from the desk, in its own store.
 *
 * Two things, both rows of "meta" (store.c has the bytes).  The orders in
 * force, so that a pause outlives a restart even when the desk is gone by
 * then.  And heads: where the chain of the desk stood, a row at most once a
 * minute; no operator can write here, so a desk that was cut or written anew
 * does not fit them.
 */
#include "lib/store.h"
#include "lib/store_in.h"

#include "lib/wire.h"

enum { HEAD_KEY = 4 + 8, HEAD_VALUE = 8 + HASH_SHA256 };

/* store_put_orders - over those that were */
int
store_put_orders(struct store *s, struct slice orders, struct why *why)
{
	return store_put_row(s, T_META, SLICE("orders"), orders, why);
}

/* store_orders - as they were put */
int
store_orders(struct store *s, struct arena *arena, struct slice *orders,
    struct why *why)
{
	struct db_txn *txn = NULL;
	int rc;

	if (db_begin(s->db, false, &txn, why) == -1)
		return -1;
	rc = db_get(txn, T_META, SLICE("orders"), orders, why);
	if (rc == 1 && (*orders = arena_copy(arena, *orders)).p == NULL)
		rc = why_kind(why, WHY_MEMORY, "no memory to read the orders "
		    "in force");
	db_abort(txn);
	return rc;
}

/* head_key - heads sort by sequence */
static struct slice
head_key(uint64_t seq, uint8_t out[HEAD_KEY])
{
	memcpy(out, "head", 4);
	be64_put(out + 4, seq);
	return (struct slice){ (char *)out, HEAD_KEY };
}

/* store_put_head - one more */
int
store_put_head(struct store *s, const struct store_head *head, struct why *why)
{
	uint8_t key[HEAD_KEY], value[HEAD_VALUE];
	uint64_t time = (uint64_t)head->time;

	for (int i = 0; i < 8; i++)
		value[i] = (uint8_t)(time >> (8 * i));
	memcpy(value + 8, head->chain, HASH_SHA256);
	return store_put_row(s, T_META, head_key(head->seq, key),
	    (struct slice){ (char *)value, sizeof(value) }, why);
}

/* store_get_head - and back */
bool
store_get_head(struct slice key, struct slice value, struct store_head *head)
{
	struct wire w = wire_of(value);

	if (key.n != HEAD_KEY || memcmp(key.p, "head", 4) != 0 ||
	    value.n != HEAD_VALUE)
		return false;
	head->seq = be64_get((const uint8_t *)key.p + 4);
	head->time = get_i64(&w);
	get_bytes(&w, head->chain, sizeof(head->chain));
	return !w.bad;
}

/* store_heads - some, in order */
int
store_heads(struct store *s, uint64_t from, size_t n, struct store_head *heads,
    size_t *got, struct why *why)
{
	struct db_cursor *cursor = NULL;
	struct db_txn *txn = NULL;
	struct slice key, value;
	uint8_t at[HEAD_KEY];
	int rc;

	*got = 0;
	if (db_begin(s->db, false, &txn, why) == -1)
		return -1;
	rc = db_seek(txn, T_META, head_key(from, at), &cursor, &key, &value,
	    why);
	while (rc == 1 && *got < n && key.n > 4 &&
	    memcmp(key.p, "head", 4) == 0) {
		if (!store_get_head(key, value, &heads[*got])) {
			rc = why_kind(why, WHY_BROKEN, "a head of the desk "
			    "makes no sense; penstock store verify tells "
			    "more");
			break;
		}
		(*got)++;
		rc = db_next(cursor, &key, &value, why);
	}
	db_cursor_close(cursor);
	db_abort(txn);
	return rc == -1 ? -1 : 0;
}
