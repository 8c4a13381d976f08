/*
 * writer_round - what rides along with the events: counters and status.
 *
 * A round of the checkpoint begins every 5 s when anything was charged
 * since the last one.  It is written slice by slice, each in the transaction
 * of a group when mail flows, in one of its own when not, so that a million
 * dirty counters do not stop a message.  policy/checkpoint.c says why any
 * number of slices and groups may come between the begin of a round and its
 * end: every row says itself up to which event it is good.
 *
 * The checkpoint's number is put with the last slice, in one transaction.
 * Slices are copied before the group's own events are settled, so a row never
 * knows an event that is not on disk.  When a commit fails, the whole round is
 * given up; its counters are dirty again and the old checkpoint holds.
 *
 * Rows of forgotten counters are deleted first in a transaction: a counter
 * that was born again meanwhile is put behind it.
 */
#include "milter/writer_in.h"

#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"

#define SWEEP_EVERY	(CLOCK_SECOND / 2)

/* text_take - a copy that is ours, the old one freed */
int
text_take(struct slice *to, struct slice from)
{
	char *p = malloc(from.n + 1);

	if (p == NULL)
		return -1;
	if (from.n > 0)
		memcpy(p, from.p, from.n);
	free((void *)(uintptr_t)to->p);
	*to = (struct slice){ p, from.n };
	return 0;
}

/* status_take - from now on this is the gate's word about itself */
int
status_take(struct writer *w, const struct status *status)
{
	struct status *own = &w->status;

	if (text_take(&own->text, status->text) == -1 ||
	    text_take(&own->version, status->version) == -1 ||
	    text_take(&own->socket, status->socket) == -1)
		return -1;
	own->pid = status->pid;
	own->started = status->started;
	own->generation = status->generation;
	own->result = status->result;
	memcpy(own->policy_hash, status->policy_hash,
	    sizeof(own->policy_hash));
	w->status_known = true;
	return 0;
}

/* status_put - with the figures of this moment */
int
status_put(struct writer *w, struct why *why)
{
	struct status *s = &w->status;
	struct ledger_stat stat;

	w->status_at = clock_mono();
	if (!w->status_known)
		return 0;
	ledger_stat(w->ledger, &stat);
	s->heartbeat = w->time;
	s->wall = clock_wall();
	s->clock_jump = clock_jumped();
	s->draining = atomic_load(&w->draining);
	s->overflow = stat.overflows;
	if (w->seen != NULL)
		s->seen = w->seen(w->seen_with);
	pthread_mutex_lock(&w->lock);
	s->accepted = w->accepted;
	s->deferred = w->deferred;
	s->refused = w->refused;
	s->failed = w->failed;
	pthread_mutex_unlock(&w->lock);
	w->was_draining = s->draining != 0;
	return store_put_status(w->store, s, why);
}

/* wants_round - was anything charged that no checkpoint knows? */
static bool
wants_round(struct writer *w, bool final)
{
	return w->settled > w->checkpoint &&
	    (final || clock_mono() - w->round_at >= w->round_every);
}

/* round_due - is there anything to write? */
bool
round_due(struct writer *w, bool final)
{
	return w->round || w->ndrops > 0 || wants_round(w, final);
}

/* round_put - rows that go, one slice of rows that come */
int
round_put(struct writer *w, size_t most, struct why *why)
{
	bool left;
	size_t i;

	for (i = 0; i < w->ndrops; i++)
		if (store_drop_counter(w->store, w->drops[i], why) == -1)
			return -1;
	if (!w->round && wants_round(w, atomic_load(&w->stopping))) {
		ledger_round_begin(w->ledger, w->settled);
		w->round = true;
		w->round_over = false;
		w->round_seq = w->settled;
		w->round_at = clock_mono();
	}
	if (!w->round)
		return 0;
	w->nrows = ledger_round_next(w->ledger, w->rows, most, &left);
	for (i = 0; i < w->nrows; i++)
		if (store_put_counter(w->store, &w->rows[i], why) == -1)
			return -1;
	if (left)
		return 0;
	w->round_over = true;
	return store_put_checkpoint(w->store, w->round_seq, why);
}

/* round_landed - the transaction is on disk */
void
round_landed(struct writer *w)
{
	bool left;

	w->ndrops = 0;
	if (!w->round || !w->round_over)
		return;
	w->round = false;
	w->checkpoint = w->round_seq;
	/* none more: this tells the ledger that its last slice is safe */
	(void)ledger_round_next(w->ledger, w->rows, 0, &left);
}

/* round_failed - the transaction is gone; deletions are tried again */
void
round_failed(struct writer *w)
{
	if (!w->round)
		return;
	ledger_round_failed(w->ledger);
	w->round = false;
	w->round_at = clock_mono();
}

/* round_sweep - a part of the counters is looked at, now and then */
void
round_sweep(struct writer *w)
{
	int64_t now = clock_mono();

	if (w->ndrops > 0 || now - w->sweep_at < SWEEP_EVERY)
		return;
	w->sweep_at = now;
	w->ndrops = ledger_sweep(w->ledger, clock_now(), w->drops,
	    WRITER_SLICE);
}
