/*
 * checkpoint - counters to rows of the store and back, and forgetting.
 *
 * The charges in the events are the truth; rows only shorten the replay.  Why
 * a restart never counts one too few:
 *
 * (1) The writer settles in the order of sequences.  So a counter whose last
 *     charge had sequence s holds all its charges up to s; its row says s.
 * (2) A round begins after the charges of event S are settled.  Every counter
 *     charged since its row was last on disk is dirty then, and the round
 *     writes it, as it stands when its slice is copied: at S or later.
 * (3) S becomes the checkpoint only when all slices are on disk.  So a charge
 *     with a sequence up to the checkpoint is in the row of its counter.
 * (4) Replay takes the events behind the checkpoint and leaves out, counter by
 *     counter, charges up to the row's sequence: by (1) those are in the row.
 *     All others are added.  So each charge is in once.
 * (5) A row is deleted only after its counter leaked empty or its window was
 *     over for as long as a claim can live.  Charges before that, replayed
 *     once more without the row, have leaked, or are over, as well.
 *
 * What is changed between the copy of a slice and its commit stays dirty: the
 * mark SLICE_DIRTY.  A slice that fails puts itself and all that is left of
 * the round back; the next round writes them, and the old checkpoint holds.
 * Levels are rounded up (rate.c), in rows as in memory.  Reservations are in
 * no row: a crash forgets the messages that made them.
 */
#include <stdlib.h>
#include <string.h>

#include "policy/counter.h"
#include "policy/rate.h"

/* counter_to_row - as it is checkpointed */
static void
counter_to_row(const struct counter *c, uint64_t round_seq,
    struct counter_row *row)
{
	memset(row, 0, sizeof(*row));
	memcpy(row->key, c->key, sizeof(row->key));
	row->kind = c->kind;
	row->shared = c->shared;
	row->tenant = c->owner;
	row->level = c->level;
	if (c->kind == LIMIT_CAP) {
		row->window = c->window;
		row->window_end = c->window_end;
	} else if (c->kind == LIMIT_THROTTLE) {
		row->time = c->time;
		row->rate = c->rate;
		row->period = c->period;
	}
	row->seq = c->seq > round_seq ? c->seq : round_seq;
}

/* slice_done - the last slice is on disk */
static void
slice_done(struct ledger *l)
{
	struct counter *c;

	while ((c = l->slice) != NULL) {
		l->slice = c->link;
		c->link = NULL;
		if (c->mark == MARK_SLICE_DIRTY) {
			c->mark = MARK_CLEAN;
			counter_dirty(l, c);
		} else
			c->mark = MARK_CLEAN;
	}
}

/* put_back - a list of counters is dirty again */
static void
put_back(struct ledger *l, struct counter **list)
{
	struct counter *c;

	while ((c = *list) != NULL) {
		*list = c->link;
		c->mark = MARK_CLEAN;
		counter_dirty(l, c);
	}
}

/* ledger_round_begin - what is dirty now is to be written */
void
ledger_round_begin(struct ledger *l, uint64_t seq)
{
	pthread_mutex_lock(&l->lock);
	slice_done(l);
	put_back(l, &l->round);		/* a round that was given up */
	l->round = l->dirty;
	l->dirty = NULL;
	l->round_seq = seq;
	pthread_mutex_unlock(&l->lock);
}

/* ledger_round_next - the next slice of the round */
size_t
ledger_round_next(struct ledger *l, struct counter_row *rows, size_t n,
    bool *left)
{
	struct counter *c;
	size_t got = 0;

	pthread_mutex_lock(&l->lock);
	slice_done(l);
	while (got < n && (c = l->round) != NULL) {
		l->round = c->link;
		c->link = l->slice;
		l->slice = c;
		c->mark = MARK_SLICE;
		c->stored = true;
		counter_to_row(c, l->round_seq, &rows[got++]);
	}
	*left = l->round != NULL;
	pthread_mutex_unlock(&l->lock);
	return got;
}

/* ledger_round_failed - the slice did not reach the disk */
void
ledger_round_failed(struct ledger *l)
{
	pthread_mutex_lock(&l->lock);
	put_back(l, &l->slice);
	put_back(l, &l->round);
	pthread_mutex_unlock(&l->lock);
}

/* ledger_load - a row, at start */
int
ledger_load(struct ledger *l, const struct counter_row *row)
{
	struct charge charge = { .kind = row->kind, .shared = row->shared,
		.tenant = row->tenant, .window = row->window,
		.window_end = row->window_end, .rate = row->rate,
		.period = row->period };
	struct counter *c;

	memcpy(charge.key, row->key, sizeof(charge.key));
	pthread_mutex_lock(&l->lock);
	c = counter_get(l, &charge, row->time);
	if (c != NULL) {
		c->level = row->level < 0 ? 0 :
		    row->level > RATE_LEVEL_MAX ? RATE_LEVEL_MAX : row->level;
		c->seq = row->seq;
		c->stored = true;
	}
	pthread_mutex_unlock(&l->lock);
	return c != NULL ? 0 : -1;
}

/* counter_over - does it say nothing any more? */
static bool
counter_over(const struct counter *c, int64_t now)
{
	int64_t level = c->level, time;

	if (c->reserved > 0 || c->mark != MARK_CLEAN)
		return false;
	/* A thread whose moment is a little behind may still ask for the
	 * window before: it must not find an empty one. */
	if (c->kind == LIMIT_CAP)
		return now - c->window_end >= LEDGER_IDLE;
	if (c->kind >= LIMIT_OPEN)	/* finals are counted for ever */
		return c->level == 0;
	time = c->time;
	rate_leak(&level, &time, c->rate, c->period, now);
	return level == 0;
}

/* ledger_sweep - forget what says nothing any more, one shard a call */
size_t
ledger_sweep(struct ledger *l, int64_t now, uint8_t (*dropped)[16], size_t n)
{
	struct counter **at;
	struct shard *s;
	size_t i, got = 0;

	pthread_mutex_lock(&l->lock);
	claims_expire(l, now);
	s = &l->shards[l->sweep_at];
	for (i = 0; i < s->size && got < n; i++) {
		for (at = &s->buckets[i]; *at != NULL && got < n;) {
			if (!counter_over(*at, now)) {
				at = &(*at)->next;
				continue;
			}
			if ((*at)->stored)
				memcpy(dropped[got++], (*at)->key, 16);
			counter_delete(l, at);
		}
	}
	if (got < n)
		l->sweep_at = (l->sweep_at + 1) % COUNTER_SHARDS;
	pthread_mutex_unlock(&l->lock);
	return got;
}
