/*
 * work - each moment at which it may be cut short, and what happens then.
 *
 * Postfix keeps a message as one file, and postsuper moves it out of hold/ by
 * rename(2): there is never a second copy, so whatever we do twice, a message
 * is in the queue once.  What can be got wrong is the order of our words:
 *
 *	(1)	rows that are due are read, and hold/ is listed
 *	(2)	a row of "trying" for each, with its inode; on disk
 *	(3)	postsuper renames or deletes; then postqueue for each
 *	(4)	a row of "done" for each, "trying" goes; on disk, in one commit
 *	(5)	the gate reads "done" and forgets its row
 *	(6)	"done" goes, when there is no row of the gate any more
 *
 * Killed before (2) is on disk: nothing was done; it begins anew.
 * Killed between (2) and the end of (3): of each message with a row in
 * "trying", the file is either in hold/ under the same inode: it is done
 * again, from (2).  Or it is not: then it was our postsuper that took it (it
 * was there when the row was written), and the step after it is repeated:
 * postqueue -i of a message that is on its way, or delivered, does nothing.
 * Killed between (3) and (4): the same.  After (4): "done" is there, and the
 * row is not looked at again.  The gate killed in (5): it reads again.
 * Killed in (6): it goes the next time.
 *
 * A postsuper that outlives us, since only we were killed, does what the one
 * we start anew does: one of both finds the file, and the result is the same.
 *
 * Under the same queue id another inode is in hold/: another message, held by
 * somebody else (short queue ids repeat).  It is none of ours.
 *
 * A row without "trying" whose file is not in hold/ was not taken by us.  That
 * is for the inventory to find out (inventory.c).
 *
 * One wish is not fulfilled: that the gate's charge and the delivery happen in
 * one moment.  The gate charges first (lib/held.h); a message whose release is
 * never carried out was charged and not sent, never the other way.
 */
#include "tools/release/work.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "tools/release/work_in.h"

#define RETRY	CLOCK_MINUTE		/* of what Postfix would not do */

/* What is to be done about a row, and what came of it. */
struct job {
	const struct held *held;
	uint64_t	 inode;		/* in hold/; 0: it is not there */
	struct trying	 trying;
	bool		 tried, failed;	/* before */
	struct released	 result;
};

struct page {				/* jobs of one Postfix and one state */
	struct station	*station;
	enum held_state	 state;
	size_t		 n;
	struct job	 jobs[WORK_PAGE];
};

/* --- life ----------------------------------------------------------------- */

/* work_new - nothing is opened yet */
int
work_new(struct work **out, const struct config *config, struct db *db,
    struct ask *const *asks, const char *const *instances, size_t n,
    void (*wait)(void), struct why *why)
{
	struct work *w = calloc(1, sizeof(*w));

	*out = w;
	if (w == NULL)
		return why_kind(why, WHY_MEMORY, "no memory");
	w->config = config;
	w->db = db;
	w->wait = wait;
	w->arena = arena_new(64u << 10, 0);
	w->stations = calloc(n, sizeof(*w->stations));
	if (asprintf(&w->gate_dir, "%s/gate", config->store) == -1)
		w->gate_dir = NULL;
	if (w->arena == NULL || w->stations == NULL || w->gate_dir == NULL)
		goto fail;
	for (size_t i = 0; i < n; i++) {
		struct station *s = &w->stations[w->nstations++];

		s->instance = instances[i];
		s->ask = asks[i];
		if ((s->arena = arena_new(64u << 10, 0)) == NULL)
			goto fail;
	}
	return 0;
fail:
	work_free(w);
	*out = NULL;
	return why_kind(why, WHY_MEMORY, "no memory");
}

/* work_free - what was borrowed stays */
void
work_free(struct work *w)
{
	if (w == NULL)
		return;
	for (size_t i = 0; i < w->nstations; i++) {
		map_free(w->stations[i].files);
		arena_free(w->stations[i].arena);
	}
	free(w->stations);
	store_close(w->gate);
	free(w->gate_dir);
	arena_free(w->arena);
	buf_free(&w->said);
	free(w->watches);
	free(w->trouble);
	free(w);
}

/* work_waits - is there more that will be done by itself? */
bool
work_waits(const struct work *w)
{
	return w->waits;
}

/* work_tally - what was done so far */
const struct work_tally *
work_tally(const struct work *w)
{
	return &w->tally;
}

/* --- the gate ------------------------------------------------------------- */

/* open_gate - the store that is there now; fetch */
static int
open_gate(struct work *w, struct why *why)
{
	struct why gone;

	if (w->gate != NULL && db_check_file(store_db(w->gate), &gone) == -1) {
		store_close(w->gate);
		w->gate = NULL;
	}
	if (w->gate != NULL)
		return 1;
	w->still = 0;
	return store_open_read(&w->gate, w->gate_dir, why);
}

/*
 * follow - the gate's store, and how old a decision must be by its own clock.
 * A gate that commits nothing for a while (it may be dead) decided all we see
 * before that while.  Ours is no clock to ask: it may have jumped. Fetch.
 */
static int
follow(struct work *w, struct why *why)
{
	struct status status = { .heartbeat = 0 };
	int64_t beat, now = clock_mono();
	uint64_t last;
	int got = open_gate(w, why);

	if (got != 1)
		return got;
	arena_reset(w->arena);
	if (store_status(w->gate, &status, w->arena, why) == -1 ||
	    store_last(w->gate, &last, &beat, why) == -1)
		return -1;
	if (status.heartbeat > beat)
		beat = status.heartbeat;
	if (w->still == 0 || beat != w->beat || last != w->last)
		w->still = now;
	w->beat = beat;
	w->last = last;
	w->gate_time = now - w->still >= WORK_AGE ? INT64_MAX :
	    beat - WORK_AGE;
	return 1;
}

/* work_down - stores are everybody's, a Postfix is not */
int
work_down(struct work *w, struct station *s, const struct why *why)
{
	if (why->kind != WHY_OTHER)
		return -1;
	if (!w->down)
		w->why = *why;
	w->down = s->down = true;
	return 0;
}

/* --- files ---------------------------------------------------------------- */

/* work_station - by instance; the first has what is nobody's */
struct station *
work_station(struct work *w, const struct held *h)
{
	for (size_t i = 1; i < w->nstations; i++)
		if (slice_is(h->instance, w->stations[i].instance))
			return &w->stations[i];
	return &w->stations[0];
}

/* add_file - one more in hold/ */
static int
add_file(void *with, struct slice id, uint64_t inode, struct why *why)
{
	struct station *s = with;
	struct file *file = arena_alloc(s->arena, sizeof(*file));
	struct slice key = arena_copy(s->arena, id);

	if (file == NULL || key.p == NULL)
		return why_kind(why, WHY_MEMORY, "no memory for all that is "
		    "held");
	file->inode = inode;
	return map_set(s->files, key, file) == 0 ? 0 :
	    why_kind(why, WHY_MEMORY, "no memory for all that is held");
}

/* work_list - what lies in hold/ now */
int
work_list(struct work *w, struct station *s, struct why *why)
{
	if (s->listed)
		return 0;
	map_free(s->files);
	arena_reset(s->arena);
	if ((s->files = map_new()) == NULL)
		return why_kind(why, WHY_MEMORY, "no memory");
	w->wait();
	if (ask_held(s->ask, add_file, s, why) == -1)
		return -1;
	s->listed = true;
	return 0;
}

/* work_file - after work_list */
struct file *
work_file(const struct station *s, const struct held *h)
{
	return map_get(s->files, h->queue_id);
}

/* --- what release/ knows -------------------------------------------------- */

/* work_known - rows of another message do not count */
int
work_known(struct work *w, const struct held *h, struct released *r,
    bool *done, struct trying *t, bool *tried, struct why *why)
{
	struct db_txn *txn = NULL;
	size_t n = 0;
	int got = -1;

	*done = *tried = false;
	if (db_begin(w->db, false, &txn, why) == -1)
		return -1;
	if ((got = released_get(txn, h->seq, r, why)) == -1)
		goto out;
	*done = got == 1 && slice_eq(r->queue_id, h->queue_id);
	if (*done && (r->text = arena_copy(w->arena, r->text)).p == NULL) {
		got = why_kind(why, WHY_MEMORY, "no memory");
		goto out;
	}
	r->queue_id = h->queue_id;
	if ((got = trying_rows(txn, h->seq, 1, t, &n, why)) == -1)
		goto out;
	*tried = n == 1 && t->seq == h->seq &&
	    slice_eq(t->queue_id, h->queue_id);
	t->queue_id = h->queue_id;
out:
	db_abort(txn);
	return got == -1 ? -1 : 0;
}

/* --- results -------------------------------------------------------------- */

/* count - and a line in the log, as the gate has one per message */
static void
count(struct work *w, const struct job *j)
{
	const struct held *h = j->held;

	switch (j->result.result) {
	case RELEASED_DONE:
		w->tally.done++;
		break;
	case RELEASED_DROPPED:
		w->tally.dropped++;
		break;
	case RELEASED_EXPIRED:
		w->tally.expired++;
		break;
	case RELEASED_GONE:
		w->tally.gone++;
		break;
	default:
		w->tally.failed++;
		if (j->failed)
			return;		/* and was said */
		log_error("%.*s: held for tenant %.*s, and to be %s: %.*s",
		    SLICE_ARG(h->queue_id), SLICE_ARG(h->tenant),
		    h->state == HELD_GO ? "released" : h->state == HELD_DROP ?
		    "dropped" : "expired", SLICE_ARG(j->result.text));
		return;
	}
	log_info("%.*s: %s tenant=%.*s stream=%.*s", SLICE_ARG(h->queue_id),
	    j->result.result == RELEASED_DONE ? "released" :
	    released_names[j->result.result], SLICE_ARG(h->tenant),
	    SLICE_ARG(h->stream));
}

/* record - results of some jobs, (4) */
static int
record(struct work *w, struct job *const *jobs, size_t n, struct why *why)
{
	struct db_txn *txn = NULL;

	if (n == 0)
		return 0;
	if (db_reserve(w->db, why) == -1 ||
	    db_begin(w->db, true, &txn, why) == -1)
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct released *r = &jobs[i]->result;

		r->seq = jobs[i]->held->seq;
		r->queue_id = jobs[i]->held->queue_id;
		r->time = clock_wall();
		if (released_put(txn, r, why) == -1 ||
		    trying_drop(txn, r->seq, why) == -1) {
			db_abort(txn);
			return -1;
		}
	}
	if (db_commit(txn, why) == -1)
		return -1;
	for (size_t i = 0; i < n; i++)
		count(w, jobs[i]);
	return 0;
}

/* result_of - when all went well */
static enum released_result
result_of(unsigned state)
{
	return state == HELD_DROP ? RELEASED_DROPPED :
	    state == HELD_EXPIRE ? RELEASED_EXPIRED : RELEASED_DONE;
}

/* --- one page ------------------------------------------------------------- */

/* note - rows of trying, (2) */
static int
note(struct work *w, struct job *const *jobs, size_t n, struct why *why)
{
	struct db_txn *txn = NULL;

	if (db_reserve(w->db, why) == -1 ||
	    db_begin(w->db, true, &txn, why) == -1)
		return -1;
	for (size_t i = 0; i < n; i++) {
		const struct trying t = { jobs[i]->held->seq, clock_wall(),
			(uint8_t)jobs[i]->held->state, jobs[i]->inode,
			jobs[i]->held->queue_id };

		if (trying_put(txn, &t, why) == -1) {
			db_abort(txn);
			return -1;
		}
	}
	return db_commit(txn, why);
}

/* execute - what is in hold/: (2), (3) and (4) */
static int
execute(struct work *w, struct page *p, struct job **jobs, size_t n,
    struct why *why)
{
	static const enum order_verb verbs[] = { [HELD_GO] = ORDER_RELEASE,
		[HELD_DROP] = ORDER_DROP, [HELD_EXPIRE] = ORDER_EXPIRE };
	enum order_place places[WORK_PAGE];
	struct slice ids[WORK_PAGE];

	if (n == 0)
		return 0;
	for (size_t i = 0; i < n; i++)
		ids[i] = jobs[i]->held->queue_id;
	if (note(w, jobs, n, why) == -1 ||
	    ask_do(p->station->ask, verbs[p->state], ids, n, places, &w->said,
	    why) == -1)
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct released *r = &jobs[i]->result;

		r->result = places[i] == PLACE_HOLD ? RELEASED_FAILED :
		    result_of(p->state);
		r->text = places[i] != PLACE_HOLD ? SLICE("") :
		    w->said.len > 0 ? buf_slice(&w->said) :
		    SLICE("postsuper left it in hold/, and did not say why");
	}
	return record(w, jobs, n, why);
}

/* finish - what our postsuper took before somebody killed us */
static int
finish(struct work *w, struct page *p, struct job **jobs, size_t n,
    struct why *why)
{
	struct slice ids[WORK_PAGE];
	size_t hurry = 0;

	for (size_t i = 0; i < n; i++) {
		jobs[i]->result = (struct released){ .text = SLICE(""),
			.result = result_of(jobs[i]->trying.state) };
		if (jobs[i]->trying.state != HELD_DROP)
			ids[hurry++] = jobs[i]->held->queue_id;
	}
	if (hurry > 0 && ask_do(p->station->ask, ORDER_QUEUE, ids, hurry,
	    NULL, &w->said, why) == -1)
		return -1;
	return record(w, jobs, n, why);
}

/* misnamed - what Postfix cannot have made is not shown to it */
static int
misnamed(struct work *w, struct job *j, struct why *why)
{
	j->result = (struct released){ .result = RELEASED_FAILED,
		.text = SLICE("its queue id is none that Postfix makes") };
	return record(w, &j, 1, why);
}

/* serve - a page: sorted into what is to do and what was done */
static int
serve(struct work *w, struct page *p, struct why *why)
{
	struct job *todo[WORK_PAGE], *over[WORK_PAGE];
	size_t ntodo = 0, nover = 0;
	struct file *file;

	if (p->n == 0)
		return 0;
	if (work_list(w, p->station, why) == -1)
		return -1;
	for (size_t i = 0; i < p->n; i++) {
		struct job *j = &p->jobs[i];

		if (!order_queue_id(j->held->queue_id)) {
			if (misnamed(w, j, why) == -1)
				return -1;
			continue;
		}
		file = work_file(p->station, j->held);
		if (file != NULL && (!j->tried ||
		    j->trying.file == file->inode)) {
			p->station->proven = true;
			j->inode = file->inode;
			todo[ntodo++] = j;
		} else if (j->tried) {
			over[nover++] = j;
		}
	}
	return finish(w, p, over, nover, why) == -1 ? -1 :
	    execute(w, p, todo, ntodo, why);
}

/* due - is it to be done now?  1, 0, -1 */
static int
due(struct work *w, const struct held *h, struct job *j, struct why *why)
{
	struct released r;
	bool done;

	if (h->decided > w->gate_time) {
		w->waits = true;
		return 0;
	}
	*j = (struct job){ .held = h };
	if (work_known(w, h, &r, &done, &j->trying, &j->tried, why) == -1)
		return -1;
	j->failed = done && r.result == RELEASED_FAILED;
	return !done || (j->failed && (clock_wall() < r.time ||
	    clock_wall() - r.time >= RETRY));
}

/* sort - rows of a page to the Postfix they are in, each served */
static int
sort(struct work *w, const struct held *rows, size_t n, struct why *why)
{
	struct page *p = arena_alloc(w->arena, sizeof(*p));
	int got;

	if (p == NULL)
		return why_kind(why, WHY_MEMORY, "no memory for a page");
	for (size_t s = 0; s < w->nstations; s++) {
		p->station = &w->stations[s];
		p->n = 0;
		if (p->station->down)
			continue;
		for (size_t i = 0; i < n; i++) {
			if (work_station(w, &rows[i]) != p->station)
				continue;
			p->state = rows[i].state;
			if ((got = due(w, &rows[i], &p->jobs[p->n],
			    why)) == -1)
				return -1;
			p->n += (size_t)got;
		}
		why->kind = WHY_OTHER;
		if (serve(w, p, why) == -1 &&
		    work_down(w, p->station, why) == -1)
			return -1;
	}
	return 0;
}

/* --- a round -------------------------------------------------------------- */

/* turn - all rows of one state, in the order in which they came */
static int
turn(struct work *w, enum held_state state, struct why *why)
{
	struct held rows[WORK_PAGE];
	uint64_t from = 0;
	size_t got;

	do {
		w->wait();
		arena_reset(w->arena);
		if (store_held(w->gate, from, (int)state, WORK_PAGE, w->arena,
		    rows, &got, why) == -1 || sort(w, rows, got, why) == -1)
			return -1;
		if (got > 0)
			from = rows[got - 1].seq + 1;
	} while (got == WORK_PAGE);
	return 0;
}

/* go_round - what is due, then the inventory */
static int
go_round(struct work *w, struct why *why)
{
	static const enum held_state states[] = { HELD_DROP, HELD_EXPIRE,
		HELD_GO };
	int got = follow(w, why);

	for (size_t i = 0; got == 1 && i < 3; i++)
		if (turn(w, states[i], why) == -1)
			return -1;
	if (got == -1 || (work_inventory_due(w) &&
	    work_inventory(w, why) == -1))
		return -1;
	if (w->down)
		*why = w->why;
	return w->down ? -1 : 0;
}

/* work_round - and the store says how it went */
int
work_round(struct work *w, struct why *why)
{
	int rc;

	w->waits = w->down = false;
	for (size_t i = 0; i < w->nstations; i++)
		w->stations[i].listed = w->stations[i].down = false;
	rc = go_round(w, why);
	if (rc == 0 || why->kind != WHY_BROKEN)	/* that is the end of us */
		work_trouble(w, rc == 0 ? "" : why->text);
	return rc;
}
