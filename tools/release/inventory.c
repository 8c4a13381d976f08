/*
 * inventory - what lies in hold/, held against what the gate knows of it.
 *
 * A file that a row names is ours; any other is foreign, was held by somebody
 * for reasons of his own, and is counted and nothing else.  A row whose file
 * is not there is watched: when it was there once and is missing for as long
 * as it takes from one inventory to the next, somebody took it, and the gate
 * hears GONE.  Not before we looked for it in the rest of the queue: while
 * Postfix still writes it (in incoming/), it is not missing.
 *
 * As long as this process saw no file of ours at all, that takes sixty times as
 * long.  If config_directory names the wrong Postfix, all files seem to be
 * missing, and the gate must not forget its mail for that; it is said in the
 * log.
 */
#include "tools/release/work_in.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"

enum { UNPROVEN = 60 };			/* inventories */

struct stock {				/* one inventory under way */
	struct inventory count;
	struct watch	*watches;	/* the new ones */
	size_t		 n, room;
	size_t		 at;		/* in the old ones */
	struct held	*missing;	/* of this page, long enough */
	size_t		 nmissing;
	uint64_t	 overdue;	/* of the Postfix we know nothing of */
};

/* work_inventory_due - the first one at once */
bool
work_inventory_due(const struct work *w)
{
	return w->looked == 0 ||
	    clock_mono() - w->looked >= w->config->release.inventory;
}

/* work_inventory_now - with the next round */
void
work_inventory_now(struct work *w)
{
	w->looked = 0;
}

/* --- rows ----------------------------------------------------------------- */

/* watch - the row's, as it was, at the end of the new ones */
static struct watch *
watch(struct work *w, struct stock *s, uint64_t seq, struct why *why)
{
	struct watch *wider, *now;

	while (s->at < w->nwatches && w->watches[s->at].seq < seq)
		s->at++;
	if (s->n == s->room) {
		s->room = s->room > 0 ? 2 * s->room : 256;
		wider = realloc(s->watches, s->room * sizeof(*wider));
		if (wider == NULL) {
			why_kind(why, WHY_MEMORY, "no memory to watch what is "
			    "held");
			return NULL;
		}
		s->watches = wider;
	}
	now = &s->watches[s->n++];
	*now = s->at < w->nwatches && w->watches[s->at].seq == seq ?
	    w->watches[s->at] : (struct watch){ .seq = seq };
	return now;
}

/* look_for - the file of one row; is it missing for too long? 1, 0, -1 */
static int
look_for(struct work *w, struct stock *s, const struct held *h,
    struct why *why)
{
	struct station *station = work_station(w, h);
	struct file *file = station->down ? NULL : work_file(station, h);
	struct watch *now = watch(w, s, h->seq, why);
	int64_t mono = clock_mono(), past;

	if (now == NULL)
		return -1;
	if (station->down)
		return 0;
	if (file != NULL) {
		now->missing = 0;
		station->proven = true;
		s->count.ours += !file->ours;
		file->ours = true;
		if (s->count.oldest == 0 || h->since < s->count.oldest)
			s->count.oldest = h->since;
		return 0;
	}
	if (now->missing == 0)
		now->missing = mono;
	past = mono - now->missing;
	s->overdue += !station->proven && past > w->config->release.inventory;
	return past > 0 && past >= w->config->release.inventory *
	    (station->proven ? 1 : UNPROVEN);
}

/* --- what is gone --------------------------------------------------------- */

/* told - why it counts as gone, for people */
static const char *
told(enum order_place place)
{
	switch (place) {
	case PLACE_ACTIVE:
	case PLACE_DEFERRED:
		return "somebody released it: it is in the queue";
	case PLACE_CORRUPT:
		return "Postfix found it damaged: it is in corrupt/";
	default:
		return "somebody deleted it, or released it and it was "
		    "delivered";
	}
}

/* open_still - is nothing known of it in release/?  1, 0, -1 */
static int
open_still(struct work *w, const struct held *h, struct why *why)
{
	struct released r;
	struct trying t;
	bool done, tried;

	if (work_known(w, h, &r, &done, &t, &tried, why) == -1)
		return -1;
	return (!done || r.result == RELEASED_FAILED) && !tried;
}

/* find - where they are; what cannot be a queue id is nowhere */
static int
find(struct work *w, const struct station *s, const struct held *rows,
    size_t n, enum order_place *places, struct why *why)
{
	enum order_place found[WORK_PAGE];
	struct slice ids[WORK_PAGE];
	size_t asked = 0, i;

	for (i = 0; i < n; i++) {
		places[i] = PLACE_AWAY;
		if (order_queue_id(rows[i].queue_id))
			ids[asked++] = rows[i].queue_id;
	}
	if (asked > 0 && ask_do(s->ask, ORDER_WHERE, ids, asked, found,
	    &w->said, why) == -1)
		return -1;
	for (asked = i = 0; i < n; i++)
		if (order_queue_id(rows[i].queue_id))
			places[i] = found[asked++];
	return 0;
}

/* report - GONE, in one commit */
static int
report(struct work *w, const struct held *rows, const enum order_place *places,
    size_t n, struct why *why)
{
	struct db_txn *txn = NULL;

	if (db_reserve(w->db, why) == -1 ||
	    db_begin(w->db, true, &txn, why) == -1)
		return -1;
	for (size_t i = 0; i < n; i++) {
		const struct released r = { rows[i].seq, clock_wall(),
			RELEASED_GONE, slice_of(told(places[i])),
			rows[i].queue_id };

		if (places[i] == PLACE_HOLD || places[i] == PLACE_INCOMING)
			continue;
		if (released_put(txn, &r, why) == -1) {
			db_abort(txn);
			return -1;
		}
	}
	if (db_commit(txn, why) == -1)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (places[i] == PLACE_HOLD || places[i] == PLACE_INCOMING)
			continue;
		w->tally.gone++;
		log_warn("%.*s: held for tenant %.*s, and no longer in hold/: "
		    "%s", SLICE_ARG(rows[i].queue_id),
		    SLICE_ARG(rows[i].tenant), told(places[i]));
	}
	return 0;
}

/* gone - of one page, for each Postfix */
static int
gone(struct work *w, struct stock *s, struct why *why)
{
	enum order_place places[WORK_PAGE];
	struct held rows[WORK_PAGE];
	size_t n;
	int got;

	for (size_t i = 0; i < w->nstations; i++) {
		n = 0;
		for (size_t k = 0; k < s->nmissing; k++) {
			if (work_station(w, &s->missing[k]) != &w->stations[i])
				continue;
			if ((got = open_still(w, &s->missing[k], why)) == -1)
				return -1;
			if (got == 1)
				rows[n++] = s->missing[k];
		}
		why->kind = WHY_OTHER;
		if (n > 0 && find(w, &w->stations[i], rows, n, places,
		    why) == -1) {
			if (work_down(w, &w->stations[i], why) == -1)
				return -1;
			continue;
		}
		if (n > 0 && report(w, rows, places, n, why) == -1)
			return -1;
	}
	return 0;
}

/* --- the rows of the gate ------------------------------------------------- */

/* walk - every row, some at a time */
static int
walk(struct work *w, struct stock *s, struct why *why)
{
	struct held rows[WORK_PAGE], missing[WORK_PAGE];
	uint64_t from = 0;
	size_t got;
	int is;

	s->missing = missing;
	do {
		w->wait();
		arena_reset(w->arena);
		if (store_held(w->gate, from, HELD_ALL, WORK_PAGE, w->arena,
		    rows, &got, why) == -1)
			return -1;
		s->nmissing = 0;
		for (size_t i = 0; i < got; i++) {
			if ((is = look_for(w, s, &rows[i], why)) == -1)
				return -1;
			if (is == 1)
				missing[s->nmissing++] = rows[i];
		}
		if (gone(w, s, why) == -1)
			return -1;
		if (got > 0)
			from = rows[got - 1].seq + 1;
	} while (got == WORK_PAGE);
	return 0;
}

/* --- rows of release/ that nobody needs ----------------------------------- */

struct stale {
	uint64_t	done[WORK_PAGE], trying[WORK_PAGE];
	size_t		ndone, ntrying;
};

/* is_stale - has the gate no such row? 1, 0, -1 */
static int
is_stale(struct work *w, uint64_t seq, struct slice queue_id, struct why *why)
{
	struct held h;
	int got;

	arena_reset(w->arena);
	got = store_held_at(w->gate, seq, w->arena, &h, why);
	return got == -1 ? -1 : got == 0 || !slice_eq(h.queue_id, queue_id);
}

/* find_stale - of a page of both tables; *from moves on */
static int
find_stale(struct work *w, uint64_t from[2], struct stale *out, bool *more,
    struct why *why)
{
	struct released done[WORK_PAGE];
	struct trying trying[WORK_PAGE];
	struct db_txn *txn = NULL;
	size_t ndone = 0, ntrying = 0, i;
	int rc = -1, is;

	out->ndone = out->ntrying = 0;
	if (db_begin(w->db, false, &txn, why) == -1 ||
	    released_rows(txn, from[0], WORK_PAGE, done, &ndone, why) == -1 ||
	    trying_rows(txn, from[1], WORK_PAGE, trying, &ntrying, why) == -1)
		goto out;
	for (i = 0; i < ndone; i++) {
		if ((is = is_stale(w, done[i].seq, done[i].queue_id,
		    why)) == -1)
			goto out;
		if (is == 1)
			out->done[out->ndone++] = done[i].seq;
		from[0] = done[i].seq + 1;
	}
	for (i = 0; i < ntrying; i++) {
		if ((is = is_stale(w, trying[i].seq, trying[i].queue_id,
		    why)) == -1)
			goto out;
		if (is == 1)
			out->trying[out->ntrying++] = trying[i].seq;
		from[1] = trying[i].seq + 1;
	}
	*more = ndone == WORK_PAGE || ntrying == WORK_PAGE;
	rc = 0;
out:
	db_abort(txn);
	return rc;
}

/* forget - those */
static int
forget(struct work *w, const struct stale *s, struct why *why)
{
	struct db_txn *txn = NULL;
	int rc = 0;

	if (s->ndone + s->ntrying == 0)
		return 0;
	if (db_begin(w->db, true, &txn, why) == -1)
		return -1;
	for (size_t i = 0; rc != -1 && i < s->ndone; i++)
		rc = released_drop(txn, s->done[i], why);
	for (size_t i = 0; rc != -1 && i < s->ntrying; i++)
		rc = trying_drop(txn, s->trying[i], why);
	if (rc == -1) {
		db_abort(txn);
		return -1;
	}
	return db_commit(txn, why);
}

/* prune - all of them */
static int
prune(struct work *w, struct why *why)
{
	uint64_t from[2] = { 0, 0 };
	struct stale stale;
	bool more;

	do {
		w->wait();
		if (find_stale(w, from, &stale, &more, why) == -1 ||
		    forget(w, &stale, why) == -1)
			return -1;
	} while (more);
	return 0;
}

/* --- all of it ------------------------------------------------------------ */

/* keep - the count, on disk */
static int
keep(struct work *w, const struct inventory *i, struct why *why)
{
	struct db_txn *txn = NULL;

	if (db_reserve(w->db, why) == -1 ||
	    db_begin(w->db, true, &txn, why) == -1)
		return -1;
	if (inventory_put(txn, i, why) == -1) {
		db_abort(txn);
		return -1;
	}
	return db_commit(txn, why);
}

/* suspect - all seem to be missing, and we never saw one */
static void
suspect(const struct stock *s)
{
	if (s->overdue > 0 && s->count.ours == 0)
		log_warn("none of %llu messages that the gate has on hold is "
		    "in hold/: does config_directory (or agent) name the "
		    "Postfix they were sent to?",
		    (unsigned long long)s->overdue);
}

/* work_inventory - count, watch, tidy */
int
work_inventory(struct work *w, struct why *why)
{
	struct stock s = { .count = { .trouble = slice_of(w->trouble != NULL ?
	    w->trouble : "") } };
	size_t up = 0;
	uint64_t files = 0;
	int rc = -1;

	for (size_t i = 0; i < w->nstations; i++) {
		struct station *one = &w->stations[i];

		one->listed = false;	/* a part of it was released since */
		why->kind = WHY_OTHER;
		if (!one->down && work_list(w, one, why) == -1 &&
		    work_down(w, one, why) == -1)
			return -1;
		files += one->down ? 0 : map_count(one->files);
		up += !one->down;
	}
	if (up == 0)
		return 0;		/* with the next round */
	if (w->gate != NULL && walk(w, &s, why) == -1)
		goto out;
	s.count.foreign = files - s.count.ours;
	s.count.time = clock_wall();
	suspect(&s);
	free(w->watches);
	w->watches = s.watches;
	w->nwatches = s.n;
	s.watches = NULL;
	if ((w->gate != NULL && prune(w, why) == -1) ||
	    keep(w, &s.count, why) == -1)
		goto out;
	w->looked = clock_mono();
	rc = 0;
out:
	free(s.watches);
	return rc;
}

/* work_trouble - when it is another one than the store has */
void
work_trouble(struct work *w, const char *text)
{
	struct inventory i = { .time = 0 };
	struct db_txn *txn = NULL;
	struct slice value;
	struct why why;
	int got;

	if (strcmp(text, w->trouble != NULL ? w->trouble : "") == 0)
		return;
	if (text[0] != '\0')
		log_error("held mail is not released: %s", text);
	else
		log_info("held mail is released again");
	free(w->trouble);
	w->trouble = strdup(text);
	if (db_begin(w->db, true, &txn, &why) == -1)
		return;
	got = db_get(txn, RELEASED_T_RECORDS, SLICE("inventory"), &value,
	    &why);
	if (got != 1 || inventory_decode(value, &i, &why) == -1)
		i = (struct inventory){ .time = 0 };
	i.trouble = slice_of(text);
	if (inventory_put(txn, &i, &why) == -1)
		db_abort(txn);
	else
		(void)db_commit(txn, &why);
}
