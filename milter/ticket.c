/*
 * ticket - one event on its way to the disk, and the queues it stands in.
 *
 * The states of a ticket are told in writer_in.h.  Tickets go back to a pool
 * with their buffers; one that has grown fat (a message with thousands of
 * recipients) is freed, so that a rare one does not stay.
 */
#include "milter/writer_in.h"

#include <stdlib.h>

/* tickets_add - at the end */
void
tickets_add(struct tickets *q, struct ticket *t)
{
	t->next = NULL;
	*(q->first != NULL ? q->end : &q->first) = t;
	q->end = &t->next;
	q->n++;
}

/* tickets_take - the first, or NULL */
struct ticket *
tickets_take(struct tickets *q)
{
	struct ticket *t = q->first;

	if (t != NULL) {
		q->first = t->next;
		q->n--;
	}
	return t;
}

/* tickets_back - what was taken and could not be written */
void
tickets_back(struct tickets *q, struct ticket **list, size_t n)
{
	while (n-- > 0) {
		list[n]->next = q->first;
		if (q->first == NULL)
			q->end = &list[n]->next;
		q->first = list[n];
		q->n++;
	}
}

/* tickets_remove - from wherever it stands */
void
tickets_remove(struct tickets *q, struct ticket *t)
{
	struct ticket **at = &q->first;

	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	if (q->end == &t->next)
		q->end = at;
	q->n--;
}

/* ticket_free - for good */
void
ticket_free(struct ticket *t)
{
	buf_free(&t->encoded);
	buf_free(&t->queue_id);
	buf_free(&t->held);
	free(t->charges);
	sem_destroy(&t->done);
	free(t);
}

/* ticket_get - from the pool, or a new one */
struct ticket *
ticket_get(struct writer *w, enum ticket_kind kind)
{
	struct ticket *t;

	pthread_mutex_lock(&w->lock);
	if ((t = w->pool) != NULL) {
		w->pool = t->next;
		w->npool--;
	}
	pthread_mutex_unlock(&w->lock);
	if (t == NULL) {
		if ((t = calloc(1, sizeof(*t))) == NULL)
			return NULL;
		sem_init(&t->done, 0, 0);
	}
	t->kind = kind;
	t->seq = 0;
	atomic_store_explicit(&t->state, TICKET_QUEUED, memory_order_relaxed);
	return t;
}

/* ticket_put - back to the pool, unless it is fat or the pool is */
void
ticket_put(struct writer *w, struct ticket *t)
{
	if (w->npool >= WRITER_POOL || t->encoded.cap > (64u << 10) ||
	    t->charges_cap > 64) {
		ticket_free(t);
		return;
	}
	t->next = w->pool;
	w->pool = t;
	w->npool++;
}

/* ticket_drop - as ticket_put, without the lock held */
void
ticket_drop(struct writer *w, struct ticket *t)
{
	pthread_mutex_lock(&w->lock);
	ticket_put(w, t);
	pthread_mutex_unlock(&w->lock);
}

/* ticket_fill - the event, its queue id, its charges, and its row */
int
ticket_fill(struct ticket *t, const struct event *e, const struct held *held)
{
	struct charge *charges;
	size_t i;

	t->event = e->kind;
	buf_reset(&t->encoded);
	event_encode(e, &t->encoded);
	buf_reset(&t->queue_id);
	buf_slices(&t->queue_id, e->queue_id);
	buf_reset(&t->held);
	if (held != NULL)
		held_encode(held, &t->held);
	t->voids = e->voids;
	if (buf_failed(&t->encoded) || buf_failed(&t->queue_id) ||
	    buf_failed(&t->held))
		return -1;
	if (e->ncharges > t->charges_cap) {
		charges = realloc(t->charges, e->ncharges * sizeof(*charges));
		if (charges == NULL)
			return -1;
		t->charges = charges;
		t->charges_cap = e->ncharges;
	}
	for (i = 0; i < e->ncharges; i++) {
		t->charges[i] = e->charges[i];
		/* the caller's memory: gone when he gives up */
		t->charges[i].name = t->charges[i].rule = SLICE_NONE;
	}
	t->ncharges = e->ncharges;
	return 0;
}
