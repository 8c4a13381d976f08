/*
 * store_walk - many events of the gate's store, read in place.
 *
 * store_read copies each event, so that its caller may take all the time there
 * is.  Who counts millions of them is quicker than the copy; he promises to be
 * done soon, since pages that were freed meanwhile wait for him.
 */
#include "lib/store.h"
#include "lib/store_in.h"

#include <inttypes.h>
#include <stdlib.h>

#include "lib/wire.h"

struct store_walk {
	struct db_txn	 *txn;
	struct db_cursor *cursor;
};

/* store_walk - begins */
int
store_walk(struct store *s, struct store_walk **out, struct why *why)
{
	struct store_walk *w = calloc(1, sizeof(*w));

	*out = NULL;
	if (w == NULL)
		return why_kind(why, WHY_MEMORY, "no memory to read events");
	if (db_begin(s->db, false, &w->txn, why) == -1) {
		free(w);
		return -1;
	}
	*out = w;
	return 0;
}

/* store_walk_end - what was read is no more */
void
store_walk_end(struct store_walk *w)
{
	if (w == NULL)
		return;
	db_cursor_close(w->cursor);
	db_abort(w->txn);
	free(w);
}

/* step - what a cursor found */
static int
step(int got, struct slice key, uint64_t *seq, struct why *why)
{
	if (got != 1)
		return got;
	if (key.n != 8)
		return why_kind(why, WHY_BROKEN, "the key of an event has %zu "
		    "bytes, not 8", key.n);
	*seq = be64_get((const uint8_t *)key.p);
	return 1;
}

/* store_walk_from - the first of them */
int
store_walk_from(struct store_walk *w, uint64_t from, uint64_t *seq,
    struct slice *encoded, struct why *why)
{
	struct slice key = SLICE_NONE;
	uint8_t room[8];

	be64_put(room, from);
	return step(db_seek(w->txn, T_EVENTS, (struct slice){ (char *)room,
	    8 }, &w->cursor, &key, encoded, why), key, seq, why);
}

/* store_walk_next - the one behind */
int
store_walk_next(struct store_walk *w, uint64_t *seq, struct slice *encoded,
    struct why *why)
{
	struct slice key = SLICE_NONE;

	return step(db_next(w->cursor, &key, encoded, why), key, seq, why);
}

/* store_walk_at - any of them */
int
store_walk_at(struct store_walk *w, uint64_t seq, struct slice *encoded,
    struct why *why)
{
	uint8_t room[8];

	be64_put(room, seq);
	return db_get(w->txn, T_EVENTS, (struct slice){ (char *)room, 8 },
	    encoded, why);
}
