/*
 * advice - rows of the table "advice" of watch/.
 *
 *	key	be32 (2^32 - 1 - day of the score), 10 letters of the id: the
 *		newest week is first
 *	value	u8 format = 1, u8 what, u8 kind, u32 length and bytes each of
 *		name, object, text
 *
 * The id is made of the week, the subject and what is advised, so a week that
 * is judged again gives the same ids, and a decision that stands at the desk
 * still belongs to it.
 */
#include "reputation/advice.h"

#include <string.h>

#include "lib/wire.h"
#include "reputation/watch.h"

enum { FORMAT = 1, KEY = 4 + ADVICE_ID };

const char *const advice_names[] = { "hold warmup", "throttle",
	"reassign pool", "review tenants", NULL };
_Static_assert(sizeof(advice_names) / sizeof(advice_names[0]) ==
    ADVICE_KINDS + 1, "a name for each");

/* advice_id - ten letters of a hash */
void
advice_id(struct advice *a)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
	uint8_t hash[HASH_SHA256];
	struct buf b = BUF_INIT;
	uint64_t bits = 0;

	put_u32(&b, (uint32_t)a->day);
	put_u8(&b, (uint8_t)a->kind);
	put_u8(&b, (uint8_t)a->what);
	put_field(&b, a->name);
	hash_sha256(b.data != NULL ? b.data : "", b.len, hash);
	for (int i = 0; i < 7; i++)
		bits = bits << 8 | hash[i];
	for (int i = 0; i < ADVICE_ID; i++, bits >>= 5)
		a->id[i] = letters[bits & 31];
	a->id[ADVICE_ID] = '\0';
	buf_free(&b);
}

/* make_key - of a week and an id */
static void
make_key(int32_t day, const char *id, uint8_t key[KEY])
{
	uint32_t at = UINT32_MAX - (uint32_t)day;

	for (int i = 0; i < 4; i++)
		key[i] = (uint8_t)(at >> (24 - 8 * i));
	memcpy(key + 4, id, ADVICE_ID);
}

/* advice_put - id and day say where */
int
advice_put(struct db_txn *txn, const struct advice *a, struct why *why)
{
	struct buf b = BUF_INIT;
	uint8_t key[KEY];
	int rc;

	make_key(a->day, a->id, key);
	put_u8(&b, FORMAT);
	put_u8(&b, (uint8_t)a->what);
	put_u8(&b, (uint8_t)a->kind);
	put_field(&b, a->name);
	put_field(&b, a->object);
	put_field(&b, a->text);
	rc = buf_failed(&b) ? why_kind(why, WHY_MEMORY, "no memory for an "
	    "advice") : db_put(txn, WATCH_ADVICE,
	    (struct slice){ (const char *)key, KEY }, buf_slice(&b), why);
	buf_free(&b);
	return rc;
}

/* decode - a row */
static int
decode(struct slice key, struct slice value, struct advice *a,
    struct why *why)
{
	struct wire w = wire_of(value);
	uint8_t format = get_u8(&w);
	uint32_t at = 0;

	a->what = (enum advice_what)get_u8(&w);
	a->kind = (enum subject_kind)get_u8(&w);
	a->name = get_field(&w);
	a->object = get_field(&w);
	a->text = get_field(&w);
	if (w.bad || w.p != w.end || format != FORMAT || key.n != KEY ||
	    a->what >= ADVICE_KINDS || a->kind >= SUBJECT_KINDS)
		return why_set(why, "an advice of %zu bytes is none of this "
		    "release", value.n);
	for (int i = 0; i < 4; i++)
		at = at << 8 | (uint8_t)key.p[i];
	a->day = (int32_t)(UINT32_MAX - at);
	memcpy(a->id, key.p + 4, ADVICE_ID);
	a->id[ADVICE_ID] = '\0';
	return 0;
}

/* advice_each - newest week first */
int
advice_each(struct db *watch, int32_t from, int32_t until,
    bool (*each)(void *, const struct advice *), void *with, struct why *why)
{
	static const char none[ADVICE_ID];
	struct db_cursor *cursor = NULL;
	struct db_txn *txn = NULL;
	struct advice a;
	struct slice k, v;
	uint8_t key[KEY];
	int got;

	if (until <= from || until <= 0)
		return 0;
	make_key(until - 1, none, key);
	if (db_begin(watch, false, &txn, why) == -1)
		return -1;
	got = db_seek(txn, WATCH_ADVICE, (struct slice){ (const char *)key,
	    KEY }, &cursor, &k, &v, why);
	while (got == 1) {
		got = decode(k, v, &a, why);
		if (got == -1 || a.day < from || !each(with, &a))
			break;
		got = db_next(cursor, &k, &v, why);
	}
	db_cursor_close(cursor);
	db_abort(txn);
	return got == -1 ? -1 : 0;
}
