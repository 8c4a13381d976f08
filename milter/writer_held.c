/*
 * writer_held - what becomes of held messages, in a transaction of the writer.
 *
 * The event of a release is the durable form of what it costs, and the row is
 * the order for penstock-release: both are in one commit, so after a kill -9
 * either a message is charged and goes, or it is neither.  Nobody gives up
 * waiting here: a release that landed behind its caller's back would have to be
 * taken back, and penstock-release may have seen it by then.  A row that is not
 * there any more, or decided, by the moment of writing is passed over.
 */
#include "milter/writer_in.h"

/* writer_held - the thread does it; waits for the commit */
int
writer_held(struct writer *w, const struct writer_held *held,
    struct why *why)
{
	struct held_request request = { .held = held, .why = why };

	pthread_mutex_lock(&w->lock);
	while (w->held != NULL)
		pthread_cond_wait(&w->answered, &w->lock);
	if (atomic_load(&w->stopping)) {
		pthread_mutex_unlock(&w->lock);
		for (size_t i = 0; i < held->nevents; i++)
			ledger_settle(w->ledger, held->events[i].charges,
			    held->events[i].ncharges, false, 0, 0);
		return why_set(why, "the gate is stopping");
	}
	w->held = &request;
	writer_poke(w);
	while (!request.done)
		pthread_cond_wait(&w->answered, &w->lock);
	pthread_mutex_unlock(&w->lock);
	return request.rc;
}

/* waits - does it still?  A void may have taken it away. */
static int
waits(struct writer *w, uint64_t seq, struct why *why)
{
	struct held h;
	int got = store_held_at(w->store, seq, w->arena, &h, why);

	return got == 1 ? h.state == HELD_WAITING : got;
}

/* put_event - one release; *row is decided by it */
static int
put_event(struct writer *w, const struct event *e, struct held *row,
    struct why *why)
{
	buf_reset(&w->scratch);
	event_encode(e, &w->scratch);
	if (buf_failed(&w->scratch))
		return why_kind(why, WHY_MEMORY, "no memory");
	/* not indexed: a queue id leads to the event that has all of it */
	if (store_append(w->store, buf_slice(&w->scratch), w->time,
	    SLICE_NONE, &row->decision, why) == -1)
		return -1;
	row->decided = w->time > row->since ? w->time : row->since;
	return 0;
}

/* put_all - everything into the open transaction */
static int
put_all(struct writer *w, const struct writer_held *held, struct why *why)
{
	int got;

	arena_reset(w->arena);
	for (size_t i = 0; i < held->nrows; i++) {
		if ((got = waits(w, held->rows[i].seq, why)) == -1)
			return -1;
		if (got == 0)		/* what it would have cost is dropped */
			continue;
		if (i < held->nevents && put_event(w, &held->events[i],
		    &held->rows[i], why) == -1)
			return -1;
		if (store_put_held(w->store, &held->rows[i], why) == -1)
			return -1;
	}
	for (size_t i = 0; i < held->ngone; i++)
		if (store_drop_held(w->store, held->gone[i], why) == -1)
			return -1;
	return 0;
}

/* put_held - and what follows from it once it is on disk */
static int
put_held(struct writer *w, const struct writer_held *held, struct why *why)
{
	bool landed;

	if (writer_begin(w, why) == -1)
		landed = false;
	else if (put_all(w, held, why) == -1) {
		store_abort(w->store);
		landed = false;
	} else
		landed = store_commit(w->store, why) == 0;
	for (size_t i = 0; i < held->nevents; i++) {
		uint64_t seq = landed ? held->rows[i].decision : 0;

		ledger_settle(w->ledger, held->events[i].charges,
		    held->events[i].ncharges, seq != 0, seq, w->time);
		if (seq != 0)
			w->settled = seq;
	}
	return landed ? 0 : -1;
}

/* held_answer - if one waits; -1: the store cannot be trusted */
int
held_answer(struct writer *w, struct why *why)
{
	struct held_request *r;

	pthread_mutex_lock(&w->lock);
	r = w->held;
	pthread_mutex_unlock(&w->lock);
	if (r == NULL)
		return 0;
	/* what was held and answered 451 after all is void first */
	if (w->voids.n > 0 && atomic_load(&w->trouble) == TROUBLE_NONE &&
	    !atomic_load(&w->stopping))
		return 0;
	if (atomic_load(&w->trouble) == TROUBLE_NOROOM) {
		/* what would be put is small, and mail is refused meanwhile */
		why_kind(r->why, WHY_NOROOM, "no room to record a release");
		for (size_t i = 0; i < r->held->nevents; i++)
			ledger_settle(w->ledger, r->held->events[i].charges,
			    r->held->events[i].ncharges, false, 0, w->time);
		r->rc = -1;
	} else
		r->rc = put_held(w, r->held, r->why);
	if (r->rc == -1 && r->why->kind != WHY_NOROOM &&
	    r->why->kind != WHY_MEMORY) {
		*why = *r->why;
		return -1;
	}
	pthread_mutex_lock(&w->lock);
	r->done = true;
	w->held = NULL;
	pthread_cond_broadcast(&w->answered);
	pthread_mutex_unlock(&w->lock);
	return 0;
}
