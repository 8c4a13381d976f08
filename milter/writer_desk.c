/*
 * writer_desk - decisions of operators, in a transaction of the writer.
 *
 * A reset of a limit is an event like a charge: it has its place in the order
 * of sequences, and a replay that comes by it forgets what the ledger forgot.
 * The orders in force, with the desk's sequence in them, are in the same
 * commit; so after a kill -9 either all of it is done and not asked for again,
 * or nothing is, and all of it is asked for again.
 */
#include "milter/writer_in.h"

/* writer_desk - the thread does it; waits for the commit */
int
writer_desk(struct writer *w, const struct writer_desk *desk, struct why *why)
{
	struct desk_request request = { .desk = desk, .why = why };

	pthread_mutex_lock(&w->lock);
	while (w->desk != NULL)
		pthread_cond_wait(&w->answered, &w->lock);
	if (atomic_load(&w->stopping)) {
		pthread_mutex_unlock(&w->lock);
		return why_set(why, "the gate is stopping");
	}
	w->desk = &request;
	writer_poke(w);
	while (!request.done)
		pthread_cond_wait(&w->answered, &w->lock);
	pthread_mutex_unlock(&w->lock);
	return request.rc;
}

/* put_resets - the events; seqs has room for each */
static int
put_resets(struct writer *w, const struct writer_desk *desk, uint64_t *seqs,
    struct why *why)
{
	for (size_t i = 0; i < desk->nresets; i++) {
		buf_reset(&w->scratch);
		event_encode(&desk->resets[i], &w->scratch);
		if (buf_failed(&w->scratch))
			return why_kind(why, WHY_MEMORY, "no memory");
		if (store_append(w->store, buf_slice(&w->scratch), w->time,
		    SLICE_NONE, &seqs[i], why) == -1)
			return -1;
	}
	return 0;
}

/* put_all - everything into the open transaction */
static int
put_all(struct writer *w, const struct writer_desk *desk, uint64_t *seqs,
    struct why *why)
{
	if (put_resets(w, desk, seqs, why) == -1)
		return -1;
	if (desk->warm != NULL && warm_put(w, desk->warm, seqs +
	    desk->nresets, why) == -1)
		return -1;
	if (desk->orders.p != NULL &&
	    store_put_orders(w->store, desk->orders, why) == -1)
		return -1;
	if (desk->head != NULL &&
	    store_put_head(w->store, desk->head, why) == -1)
		return -1;
	return status_put(w, why);
}

/* put_desk - and what follows from it once it is on disk */
static int
put_desk(struct writer *w, const struct writer_desk *desk, struct why *why)
{
	struct status *own = &w->status;
	uint64_t was = own->desk_seq;
	struct slice text = own->desk;
	uint64_t *seqs;
	int rc = -1;

	arena_reset(w->arena);
	seqs = arena_array(w->arena, desk->nresets + 1 + (desk->warm != NULL ?
	    desk->warm->nevents : 0), sizeof(*seqs));
	if (seqs == NULL)
		return why_kind(why, WHY_MEMORY, "no memory");
	if (writer_begin(w, why) == -1)
		return -1;
	own->desk_seq = desk->seq;
	own->desk = desk->trouble;
	if (put_all(w, desk, seqs, why) == -1)
		store_abort(w->store);
	else
		rc = store_commit(w->store, why);
	own->desk = text;
	if (rc == -1) {
		own->desk_seq = was;
		return -1;
	}
	(void)text_take(&own->desk, desk->trouble);
	for (size_t i = 0; i < desk->nresets; i++) {
		ledger_reset(w->ledger, desk->resets[i].charges,
		    desk->resets[i].ncharges, seqs[i], w->time);
		w->settled = seqs[i];
	}
	if (desk->warm != NULL)
		warm_landed(w, desk->warm, seqs + desk->nresets);
	return 0;
}

/* desk_answer - if one waits */
int
desk_answer(struct writer *w, struct why *why)
{
	struct desk_request *r;

	pthread_mutex_lock(&w->lock);
	r = w->desk;
	pthread_mutex_unlock(&w->lock);
	if (r == NULL)
		return 0;
	r->rc = put_desk(w, r->desk, r->why);
	if (r->rc == -1 && r->why->kind != WHY_NOROOM &&
	    r->why->kind != WHY_MEMORY) {
		*why = *r->why;
		return -1;
	}
	pthread_mutex_lock(&w->lock);
	r->done = true;
	w->desk = NULL;
	pthread_cond_broadcast(&w->answered);
	pthread_mutex_unlock(&w->lock);
	return 0;
}
