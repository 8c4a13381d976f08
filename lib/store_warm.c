/*
 * store_warm - see store_warm.h.
 *
 *	table	   key			value
 *	warmups	   u8[16] counter of	a row of policy/progress.c
 *		   a day
 *		   "z", u8[16] hash_128	i64 date, field zone
 *		   of a zone's name
 *
 * A zone's date is there for those whose warmup has no row yet: a login that
 * wrote for the first time while the gate was down for two days begins on the
 * day on which it did.
 */
#include "lib/store_warm.h"

#include "lib/hash.h"
#include "lib/store_in.h"
#include "lib/wire.h"

enum { ZONE_KEY = 1 + 16 };

/* store_put_warm - over the one that was there */
int
store_put_warm(struct store *s, const uint8_t key[STORE_WARM_KEY],
    struct slice row, struct why *why)
{
	return store_put_row(s, T_WARMUPS,
	    (struct slice){ (const char *)key, STORE_WARM_KEY }, row, why);
}

/* zone_key - where its date stands */
static struct slice
zone_key(struct slice zone, uint8_t out[ZONE_KEY])
{
	out[0] = 'z';
	hash_128(zone.p, zone.n, out + 1);
	return (struct slice){ (const char *)out, ZONE_KEY };
}

/* store_put_judged - all before that date is done */
int
store_put_judged(struct store *s, struct slice zone, int64_t date,
    struct why *why)
{
	uint8_t key[ZONE_KEY];

	buf_reset(&s->buf);
	put_i64(&s->buf, date);
	put_field(&s->buf, zone);
	return store_put_buf(s, T_WARMUPS, zone_key(zone, key), why);
}

/* store_each_warm - all of them */
int
store_each_warm(struct store *s, bool (*each)(void *,
    const uint8_t key[STORE_WARM_KEY], struct slice), void *with,
    struct why *why)
{
	struct db_cursor *cursor = NULL;
	struct db_txn *txn = NULL;
	struct slice k, v;
	int rc;

	if (db_begin(s->db, false, &txn, why) == -1)
		return -1;
	rc = db_seek(txn, T_WARMUPS, SLICE_NONE, &cursor, &k, &v, why);
	while (rc == 1 && (k.n != STORE_WARM_KEY ||
	    each(with, (const uint8_t *)k.p, v)))
		rc = db_next(cursor, &k, &v, why);
	db_cursor_close(cursor);
	db_abort(txn);
	return rc == -1 ? -1 : 0;
}

/* store_judged - where that zone stands */
int
store_judged(struct store *s, struct slice zone, int64_t *date,
    struct why *why)
{
	struct db_txn *txn = NULL;
	uint8_t key[ZONE_KEY];
	struct slice value;
	struct wire w;
	int rc;

	if (db_begin(s->db, false, &txn, why) == -1)
		return -1;
	rc = db_get(txn, T_WARMUPS, zone_key(zone, key), &value, why);
	if (rc == 1) {
		w = wire_of(value);
		*date = get_i64(&w);
		if (w.bad)
			rc = why_kind(why, WHY_BROKEN, "how far the days of a "
			    "zone were judged makes no sense; penstock store "
			    "verify tells more");
	}
	db_abort(txn);
	return rc;
}
