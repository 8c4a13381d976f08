/*
 * writer_warm - decisions about warmups, in a transaction of the writer.
 *
 * The event of a decision, the row that it makes and how far the days of a
 * zone are judged are one commit: after a kill -9 either the day is judged, or
 * it is judged again, from the same events.  A row names the event that made
 * it so, whose sequence is known here only.
 *
 * Charges of such an event are spent without having been reserved: what was
 * sent to a provider that nobody knew yet is counted there as soon as he is
 * known, and may be more than his share.
 */
#include "milter/writer_in.h"

#include "lib/log.h"
#include "lib/store_warm.h"

/* put_events - each gets its place; the rows that it made learn of it */
static int
put_events(struct writer *w, const struct writer_warm *warm, uint64_t *seqs,
    struct why *why)
{
	for (size_t i = 0; i < warm->nevents; i++) {
		buf_reset(&w->scratch);
		event_encode(&warm->events[i], &w->scratch);
		if (buf_failed(&w->scratch))
			return why_kind(why, WHY_MEMORY, "no memory");
		if (store_append(w->store, buf_slice(&w->scratch), w->time,
		    SLICE_NONE, &seqs[i], why) == -1)
			return -1;
	}
	for (size_t i = 0; i < warm->nrows; i++)
		if (warm->made_by[i] < warm->nevents)
			warm->rows[i].seq = seqs[warm->made_by[i]];
	return 0;
}

/* warm_put - all of it into the open transaction; seqs: room for each event */
int
warm_put(struct writer *w, const struct writer_warm *warm, uint64_t *seqs,
    struct why *why)
{
	if (put_events(w, warm, seqs, why) == -1)
		return -1;
	for (size_t i = 0; i < warm->nrows; i++) {
		buf_reset(&w->scratch);
		progress_encode(&warm->rows[i], &w->scratch);
		if (buf_failed(&w->scratch))
			return why_kind(why, WHY_MEMORY, "no memory");
		if (store_put_warm(w->store, warm->rows[i].key,
		    buf_slice(&w->scratch), why) == -1)
			return -1;
	}
	return warm->zone.p == NULL ? 0 : store_put_judged(w->store,
	    warm->zone, warm->judged, why);
}

/* warm_landed - on disk: the ledger follows */
void
warm_landed(struct writer *w, const struct writer_warm *warm,
    const uint64_t *seqs)
{
	for (size_t i = 0; i < warm->nevents; i++) {
		const struct event *e = &warm->events[i];

		if (e->ncharges > 0 && ledger_replay(w->ledger, e->charges,
		    e->ncharges, false, seqs[i], w->time) == -1)
			log_warn("no memory: what event %llu charges is "
			    "counted from the next start on",
			    (unsigned long long)seqs[i]);
		w->settled = seqs[i];
	}
}

/* put - in a transaction of its own */
static int
put(struct writer *w, const struct writer_warm *warm, struct why *why)
{
	uint64_t *seqs;

	arena_reset(w->arena);
	seqs = arena_array(w->arena, warm->nevents + 1, sizeof(*seqs));
	if (seqs == NULL)
		return why_kind(why, WHY_MEMORY, "no memory");
	if (writer_begin(w, why) == -1)
		return -1;
	if (warm_put(w, warm, seqs, why) == -1) {
		store_abort(w->store);
		return -1;
	}
	if (store_commit(w->store, why) == -1)
		return -1;
	warm_landed(w, warm, seqs);
	return 0;
}

/* writer_warm - the thread does it; waits for the commit */
int
writer_warm(struct writer *w, const struct writer_warm *warm, struct why *why)
{
	struct warm_request request = { .warm = warm, .why = why };

	pthread_mutex_lock(&w->lock);
	while (w->warm != NULL)
		pthread_cond_wait(&w->answered, &w->lock);
	if (atomic_load(&w->stopping)) {
		pthread_mutex_unlock(&w->lock);
		return why_set(why, "the gate is stopping");
	}
	w->warm = &request;
	writer_poke(w);
	while (!request.done)
		pthread_cond_wait(&w->answered, &w->lock);
	pthread_mutex_unlock(&w->lock);
	return request.rc;
}

/* warm_answer - if one waits */
int
warm_answer(struct writer *w, struct why *why)
{
	struct warm_request *r;

	pthread_mutex_lock(&w->lock);
	r = w->warm;
	pthread_mutex_unlock(&w->lock);
	if (r == NULL)
		return 0;
	r->rc = put(w, r->warm, r->why);
	if (r->rc == -1 && r->why->kind != WHY_NOROOM &&
	    r->why->kind != WHY_MEMORY) {
		*why = *r->why;
		return -1;
	}
	pthread_mutex_lock(&w->lock);
	r->done = true;
	w->warm = NULL;
	pthread_cond_broadcast(&w->answered);
	pthread_mutex_unlock(&w->lock);
	return 0;
}
