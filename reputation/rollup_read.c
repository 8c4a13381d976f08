/*
 * rollup_read - cells for whoever adds them up, and the end of old ones.
 *
 * Keys begin with the hour or the day, so a span is one run of rows, and what
 * is too old stands at the front.
 */
#include "reputation/rollup_in.h"

#include <stdlib.h>

enum { GONE = 2000 };		/* rows in a commit */

/* at_key - where that hour or day begins */
static struct slice
at_key(int32_t at, uint8_t room[4])
{
	uint32_t t = at > 0 ? (uint32_t)at : 0;

	for (int i = 0; i < 4; i++)
		room[i] = (uint8_t)(t >> (24 - 8 * i));
	return (struct slice){ (const char *)room, 4 };
}

/* key_at - and back; beyond all when it is none */
static int64_t
key_at(struct slice key)
{
	const uint8_t *k = (const uint8_t *)key.p;

	return key.n < 4 ? INT64_MAX : (int64_t)((uint32_t)k[0] << 24 |
	    (uint32_t)k[1] << 16 | (uint32_t)k[2] << 8 | k[3]);
}

/* senseless - a row that cannot be read */
static int
senseless(struct why *why)
{
	return why_kind(why, WHY_BROKEN, "a row of watch/ makes no sense "
	    "(penstock store verify watch)");
}

/* rollup_each - cells of a span */
int
rollup_each(struct db *watch, enum grain grain, int32_t from, int32_t until,
    bool (*call)(void *, const struct cell *), void *with, struct why *why)
{
	unsigned table = grain == GRAIN_HOUR ? WATCH_HOURS : WATCH_DAYS;
	struct db_cursor *cursor = NULL;
	struct db_txn *txn = NULL;
	struct slice key, value;
	struct cell cell;
	uint8_t room[4];
	int got;

	if (db_begin(watch, false, &txn, why) == -1)
		return -1;
	got = db_seek(txn, table, at_key(from, room), &cursor, &key, &value,
	    why);
	for (; got == 1; got = db_next(cursor, &key, &value, why)) {
		if (!rollup_cell(key, value, &cell)) {
			got = senseless(why);
			break;
		}
		if (cell.at >= until || !call(with, &cell))
			break;
	}
	db_cursor_close(cursor);
	db_abort(txn);
	return got == -1 ? -1 : 0;
}

/* rollup_categories - the same of what refusals meant */
int
rollup_categories(struct db *watch, enum grain grain, int32_t from,
    int32_t until, bool (*call)(void *, const struct category_cell *),
    void *with, struct why *why)
{
	unsigned table = grain == GRAIN_HOUR ? WATCH_CATEGORY_HOURS :
	    WATCH_CATEGORIES;
	struct db_cursor *cursor = NULL;
	struct category_cell cell;
	struct db_txn *txn = NULL;
	struct slice key, value;
	uint8_t room[4];
	int got;

	if (db_begin(watch, false, &txn, why) == -1)
		return -1;
	got = db_seek(txn, table, at_key(from, room), &cursor, &key, &value,
	    why);
	for (; got == 1; got = db_next(cursor, &key, &value, why)) {
		if (!rollup_category(key, value, &cell)) {
			got = senseless(why);
			break;
		}
		if (cell.at >= until || !call(with, &cell))
			break;
	}
	db_cursor_close(cursor);
	db_abort(txn);
	return got == -1 ? -1 : 0;
}

/* rollup_days - the first and the last that has a cell */
int
rollup_days(struct db *watch, int32_t *first, int32_t *last, struct why *why)
{
	struct db_cursor *cursor = NULL;
	struct db_txn *txn = NULL;
	struct slice key, value;
	int got;

	if (db_begin(watch, false, &txn, why) == -1)
		return -1;
	got = db_seek(txn, WATCH_DAYS, SLICE_NONE, &cursor, &key, &value, why);
	if (got == 1 && key.n != ROLLUP_KEY)
		got = senseless(why);
	if (got == 1) {
		*first = (int32_t)key_at(key);
		got = db_last(txn, WATCH_DAYS, &key, &value, why);
	}
	if (got == 1 && key.n != ROLLUP_KEY)
		got = senseless(why);
	if (got == 1)
		*last = (int32_t)key_at(key);
	db_cursor_close(cursor);
	db_abort(txn);
	return got;
}

/* --- what is too old ----------------------------------------------------- */

/* front - keys of rows before that hour or day, at most GONE */
static int
front(struct db_txn *txn, unsigned table, int64_t until,
    uint8_t (*keys)[ROLLUP_KEY], size_t *n, struct why *why)
{
	struct db_cursor *cursor = NULL;
	struct slice key, value;
	int got = db_seek(txn, table, SLICE_NONE, &cursor, &key, &value, why);

	*n = 0;
	for (; got == 1 && *n < GONE && key_at(key) < until;
	    got = db_next(cursor, &key, &value, why)) {
		if (key.n != ROLLUP_KEY) {
			got = senseless(why);
			break;
		}
		memcpy(keys[(*n)++], key.p, ROLLUP_KEY);
	}
	db_cursor_close(cursor);
	return got == -1 ? -1 : 0;
}

/* forget - rows of a table before that hour or day, a few per commit */
static int
forget(struct db *watch, unsigned table, int64_t until, uint64_t *gone,
    struct why *why)
{
	uint8_t (*keys)[ROLLUP_KEY] = malloc(GONE * sizeof(*keys));
	struct db_txn *txn = NULL;
	size_t n = 0;
	int rc = 0;

	if (keys == NULL)
		return why_kind(why, WHY_MEMORY, "no memory to forget cells");
	do {
		if ((rc = db_begin(watch, false, &txn, why)) == -1)
			break;
		rc = front(txn, table, until, keys, &n, why);
		db_abort(txn);
		txn = NULL;
		if (rc == -1 || n == 0 ||
		    (rc = db_begin(watch, true, &txn, why)) == -1)
			break;
		for (size_t i = 0; i < n && rc != -1; i++)
			rc = db_delete(txn, table, (struct slice){
			    (const char *)keys[i], ROLLUP_KEY }, why);
		if (rc == -1) {
			db_abort(txn);
			break;
		}
		rc = db_commit(txn, why);
		*gone += n;
	} while (rc == 0 && n == GONE);
	free(keys);
	return rc == -1 ? -1 : 0;
}

/* rollup_prune - hours, days, and categories with them */
int
rollup_prune(struct rollup *r, int64_t now, int64_t keep_hours,
    int64_t keep_days, uint64_t *gone, struct why *why)
{
	*gone = 0;
	if (keep_hours > 0 && (forget(r->db, WATCH_HOURS,
	    (now - keep_hours) / ROLLUP_HOUR, gone, why) == -1 ||
	    forget(r->db, WATCH_CATEGORY_HOURS, (now - keep_hours) /
	    ROLLUP_HOUR, gone, why) == -1))
		return -1;
	if (keep_days > 0 && (forget(r->db, WATCH_DAYS,
	    (now - keep_days) / ROLLUP_DAY, gone, why) == -1 ||
	    forget(r->db, WATCH_CATEGORIES, (now - keep_days) / ROLLUP_DAY,
	    gone, why) == -1))
		return -1;
	return 0;
}

/* mark - that all of it is to go; or, when it is gone, that it is */
static int
mark(struct db *watch, bool begun, struct why *why)
{
	struct db_txn *txn = NULL;
	int rc;

	if (db_begin(watch, true, &txn, why) == -1)
		return -1;
	if (begun)
		rc = db_put(txn, WATCH_PLACES, SLICE("forgetting"), SLICE(""),
		    why);
	else if ((rc = db_delete(txn, WATCH_PLACES, SLICE("event"),
	    why)) != -1 && (rc = db_delete(txn, WATCH_PLACES,
	    SLICE("outcome"), why)) != -1)
		rc = db_delete(txn, WATCH_PLACES, SLICE("forgetting"), why);
	if (rc == -1) {
		db_abort(txn);
		return -1;
	}
	return db_commit(txn, why);
}

/* rollup_forget - cells that a crash on the way leaves would be counted
 * twice: so a mark stands until the last is gone; rollup_new looks for it */
int
rollup_forget(struct db *watch, struct why *why)
{
	static const unsigned tables[] = { WATCH_HOURS, WATCH_DAYS,
		WATCH_CATEGORIES, WATCH_CATEGORY_HOURS };
	uint64_t gone = 0;

	if (mark(watch, true, why) == -1)
		return -1;
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		if (forget(watch, tables[i], INT64_MAX, &gone, why) == -1)
			return -1;
	return mark(watch, false, why);
}

/* rollup_resume - an earlier life was about to forget all */
int
rollup_resume(struct db *watch, struct why *why)
{
	struct db_txn *txn = NULL;
	struct slice value;
	int got;

	if (db_begin(watch, false, &txn, why) == -1)
		return -1;
	got = db_get(txn, WATCH_PLACES, SLICE("forgetting"), &value, why);
	db_abort(txn);
	return got == 1 ? rollup_forget(watch, why) : got;
}
