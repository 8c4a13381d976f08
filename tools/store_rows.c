/*
 * store_rows - see store_rows.h.
 *
 * Pages first, in a child process; a store whose pages lie would kill this one.
 * Then rows, by the reader that everybody uses: what it can read today it can
 * read tomorrow.  Tables without such a reader here (sums, cursors, indexes of
 * outcomes/) are read as pages and keys only.
 */
#include "tools/store_rows.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/desk.h"
#include "lib/released.h"
#include "lib/store.h"
#include "lib/suppress.h"
#include "reputation/outcome.h"
#include "tools/store_watch.h"

enum { PAGE = 256 };

const char *const store_names[] = { "watch", "outcomes", "release", "checks",
	"gate", "consent", "desk", NULL };

/* store_there - its data file is */
bool
store_there(const char *root, const char *name)
{
	char *data = xasprintf("%s/%s/data.mdb", root, name);
	bool there = access(data, F_OK) == 0;

	free(data);
	return there;
}

/* gate - events dense, indexes that lead to them, counters */
static int
gate(const char *dir, struct buf *said, struct why *why)
{
	struct store_tally t;

	if (store_verify(dir, &t, why) == -1)
		return -1;
	buf_printf(said, "%" PRIu64 " events (%" PRIu64 " to %" PRIu64
	    "), %" PRIu64 " queue ids, %" PRIu64 " held messages, %" PRIu64
	    " counters as of event %" PRIu64 ", %" PRIu64 " last good forms",
	    t.events, t.first, t.last, t.queue_ids, t.held, t.counters,
	    t.checkpoint, t.forms);
	return 0;
}

/* release - what became of held mail */
static int
release(const char *dir, struct buf *said, struct why *why)
{
	struct released_tally t;

	if (released_verify(dir, &t, why) == -1)
		return -1;
	buf_printf(said, "%" PRIu64 " results, %" PRIu64 " orders under way",
	    t.done, t.trying);
	return 0;
}

/* outcome_page - some records; *next moves behind them */
static int
outcome_page(struct outcomes *o, uint64_t *next, uint64_t *first,
    struct arena *arena, size_t *got, struct why *why)
{
	struct outcome list[PAGE];

	arena_reset(arena);
	if (outcomes_read(o, *next, PAGE, arena, list, got, why) == -1)
		return -1;
	if (*first == 0 && *got > 0)	/* those before it were pruned */
		*first = *next = list[0].seq;
	for (size_t i = 0; i < *got; i++)
		if (list[i].seq != (*next)++)
			return why_kind(why, WHY_BROKEN, "outcome %" PRIu64
			    " is missing", *next - 1);
	return 0;
}

/* outcome_rows - every record */
static int
outcome_rows(const char *dir, struct arena *arena, struct buf *said,
    struct why *why)
{
	struct outcomes *o = NULL;
	uint64_t next = 1, first = 0, last;
	size_t got = PAGE;
	int rc;

	if ((rc = outcomes_open_read(&o, dir, why)) != 1)
		return -1;
	if ((rc = outcomes_last(o, &last, why)) == 0)
		while (rc == 0 && got == PAGE)
			rc = outcome_page(o, &next, &first, arena, &got, why);
	if (rc == 0 && first != 0 && next <= last)
		rc = why_kind(why, WHY_BROKEN, "outcome %" PRIu64 " is "
		    "missing", next);
	outcomes_close(o);
	if (rc == 0)
		buf_printf(said, "%" PRIu64 " outcomes, ", first == 0 ? 0 :
		    next - first);
	return rc;
}

/* desk_page - some decisions, each behind the one before it */
static int
desk_page(struct desk *d, uint64_t *next, uint8_t before[HASH_SHA256],
    struct arena *arena, size_t *got, struct why *why)
{
	struct desk_row rows[PAGE];
	uint8_t lost[HASH_SHA256];

	arena_reset(arena);
	if (desk_read(d, *next, PAGE, arena, rows, got, why) == -1)
		return -1;
	for (size_t i = 0; i < *got; i++) {
		if (rows[i].record.seq > *next &&
		    desk_anew_after(&rows[i].record, lost))
			memcpy(before, lost, sizeof(lost));
		*next = rows[i].record.seq;
		if (!desk_follows(&rows[i], *next, before))
			return why_kind(why, WHY_BROKEN, "desk:%" PRIu64
			    " does not follow from the decision before it "
			    "(penstock audit --verify)", *next);
		memcpy(before, rows[i].chain, HASH_SHA256);
		(*next)++;
	}
	return 0;
}

/* desk_rows - every decision */
static int
desk_rows(const char *dir, struct arena *arena, struct buf *said,
    struct why *why)
{
	uint8_t before[HASH_SHA256] = { 0 };
	struct desk *d = NULL;
	uint64_t next = 1;
	size_t got = PAGE;
	int rc;

	if (desk_open_read(&d, dir, why) != 1)
		return -1;
	for (rc = 0; rc == 0 && got == PAGE;)
		rc = desk_page(d, &next, before, arena, &got, why);
	desk_close(d);
	if (rc == 0)
		buf_printf(said, "decisions up to desk:%" PRIu64 ", ",
		    next - 1);
	return rc;
}

/* list_page - some rows behind key, in one transaction; how many, or -1 */
static long
list_page(struct db *db, uint8_t key[FOLD_HASH], bool begun,
    struct arena *arena, struct why *why)
{
	struct slice k = { (const char *)key, FOLD_HASH }, v;
	struct db_cursor *cursor = NULL;
	struct suppress_record record;
	struct db_txn *txn = NULL;
	long n = 0;
	int rc;

	if (db_begin(db, false, &txn, why) == -1)
		return -1;
	rc = db_seek(txn, 0, begun ? k : SLICE_NONE, &cursor, &k, &v, why);
	if (rc == 1 && begun && k.n == FOLD_HASH &&
	    memcmp(k.p, key, FOLD_HASH) == 0)
		rc = db_next(cursor, &k, &v, why);
	while (rc == 1 && n < PAGE) {
		if (k.n != FOLD_HASH)
			rc = why_kind(why, WHY_BROKEN, "a key of the "
			    "suppressions is damaged");
		else if ((rc = suppress_decode(v, arena, &record, why)) == 0) {
			memcpy(key, k.p, FOLD_HASH);
			n++;
			rc = db_next(cursor, &k, &v, why);
		}
	}
	db_cursor_close(cursor);
	db_abort(txn);
	return rc == -1 ? -1 : n;
}

/* suppressed - every address of that store */
static int
suppressed(const char *dir, const char *kind, struct arena *arena,
    struct buf *said, struct why *why)
{
	static const char *const tables[] = { SUPPRESS_TABLE, NULL };
	const struct db_layout layout = { .version = DB_ANY_VERSION,
		.kind = kind, .tables = tables };
	uint8_t key[FOLD_HASH];
	struct db *db = NULL;
	uint64_t n = 0;
	long got;

	if (db_open_reader(&db, dir, &layout, why) != 1)
		return -1;
	do {
		arena_reset(arena);
		got = list_page(db, key, n > 0, arena, why);
		n += got > 0 ? (uint64_t)got : 0;
	} while (got > 0);
	db_close(db);
	if (got == 0)
		buf_printf(said, "%" PRIu64 " suppressed addresses", n);
	return (int)got;
}

/* listed - a store of another program with a list of suppressions */
static int
listed(const char *dir, enum suppress_store store, struct buf *said,
    struct why *why)
{
	struct arena *arena = NULL;
	int rc = -1;

	if (db_verify(dir, NULL, why) == -1)
		return -1;
	if ((arena = arena_new(256u << 10, 0)) == NULL)
		return why_kind(why, WHY_MEMORY, "out of memory");
	if ((store != SUPPRESS_OUTCOMES || outcome_rows(dir, arena, said,
	    why) == 0) && (store != SUPPRESS_DESK || desk_rows(dir, arena,
	    said, why) == 0))
		rc = suppressed(dir, suppress_store_names[store], arena, said,
		    why);
	arena_free(arena);
	return rc;
}

/* store_rows - by its name */
int
store_rows(const char *root, const char *name, struct buf *said,
    struct why *why)
{
	char *dir = xasprintf("%s/%s", root, name);
	int rc;

	if (strcmp(name, "gate") == 0)
		rc = gate(dir, said, why);
	else if (strcmp(name, "release") == 0)
		rc = release(dir, said, why);
	else if (strcmp(name, "outcomes") == 0)
		rc = listed(dir, SUPPRESS_OUTCOMES, said, why);
	else if (strcmp(name, "consent") == 0)
		rc = listed(dir, SUPPRESS_CONSENT, said, why);
	else if (strcmp(name, "desk") == 0)
		rc = listed(dir, SUPPRESS_DESK, said, why);
	else if (strcmp(name, "watch") == 0)
		rc = store_watch_verify(dir, said, why);
	else if ((rc = db_verify(dir, NULL, why)) == 0)
		buf_str(said, "every page and key");
	free(dir);
	return rc;
}
