/*
 * ledger - what the writer does to it, and what people may see.  Claims of
 * messages are claim.c's, the checkpoint's rows are checkpoint.c's.
 *
 * One mutex guards everything: a reserve of six limits holds it for less than
 * a microsecond, and one lock is one order of events to reason about.
 */
#include "policy/ledger.h"

#include <stdlib.h>
#include <string.h>

#include "policy/counter.h"
#include "policy/rate.h"

/* ledger_new - nothing spent */
struct ledger *
ledger_new(void)
{
	struct ledger *l = calloc(1, sizeof(*l));

	if (l != NULL)
		l->stat.bytes = sizeof(*l);
	if (l != NULL && pthread_mutex_init(&l->lock, NULL) != 0) {
		free(l);
		return NULL;
	}
	return l;
}

/* ledger_free - at exit; claims that are still held are forgotten */
void
ledger_free(struct ledger *l)
{
	if (l == NULL)
		return;
	counters_free(l);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

/* counter_spend - put a charge into the level, or take it out, unless it is of
 * a window that is over; the form of the counter stays */
static void
counter_spend(struct ledger *l, struct counter *c, const struct charge *charge,
    bool back, uint64_t seq, int64_t time)
{
	int64_t n = back ? -charge->amount : charge->amount;

	if (c->kind == LIMIT_THROTTLE) {
		rate_leak(&c->level, &c->time, c->rate, c->period, time);
		c->level = rate_add(c->level, n);
	} else if (counter_holds(c, charge)) {
		fair_took(c->fair, charge->tenant, n);
		if (c->level + n < 0)
			c->level = 0;
		else if (c->level < RATE_LEVEL_MAX)
			c->level += n;
	}
	if (seq > c->seq)
		c->seq = seq;
	counter_dirty(l, c);
}

/* ledger_settle - what was sealed is spent, or is not to be */
void
ledger_settle(struct ledger *l, const struct charge *charges, size_t n,
    bool spent, uint64_t seq, int64_t time)
{
	struct counter *c;
	size_t i;

	pthread_mutex_lock(&l->lock);
	for (i = 0; i < n; i++) {
		/* of what is given back nothing was reserved */
		if (charges[i].amount > 0)
			charge_unreserve(l, &charges[i]);
		if (!spent)
			continue;
		/* It is there while something of it is reserved; only one
		 * whose window is over may be gone, and needs no count. */
		c = counter_get(l, &charges[i], time);
		if (c != NULL)
			counter_spend(l, c, &charges[i], false, seq, time);
	}
	pthread_mutex_unlock(&l->lock);
}

/* ledger_replay - the charges of an event, again, after a restart */
int
ledger_replay(struct ledger *l, const struct charge *charges, size_t n,
    bool back, uint64_t seq, int64_t time)
{
	struct counter *c;
	size_t i;
	int done = 0;

	pthread_mutex_lock(&l->lock);
	for (i = 0; i < n && done == 0; i++) {
		c = counter_get(l, &charges[i], time);
		if (c == NULL)
			done = -1;
		else if (seq > c->seq) {
			counter_follow(c, &charges[i], time);
			counter_spend(l, c, &charges[i], back, seq, time);
		}
	}
	pthread_mutex_unlock(&l->lock);
	return done;
}

/* ledger_recall - whose of an hour it was */
void
ledger_recall(struct ledger *l, const struct charge *charge, bool back,
    uint32_t weight, int64_t slot, int64_t slot_end)
{
	struct counter *c;

	pthread_mutex_lock(&l->lock);
	c = counter_find(l, charge->key);
	if (c != NULL && c->kind == LIMIT_CAP && c->shared)
		fair_recall(&c->fair, slot, slot_end, charge->tenant, weight,
		    back ? -charge->amount : charge->amount, c->level);
	pthread_mutex_unlock(&l->lock);
}

/* ledger_void - an event that was answered with 451 after all */
void
ledger_void(struct ledger *l, const struct charge *charges, size_t n,
    uint64_t seq, int64_t time)
{
	struct counter *c;
	size_t i;

	pthread_mutex_lock(&l->lock);
	for (i = 0; i < n; i++) {
		c = counter_find(l, charges[i].key);
		if (c != NULL)
			counter_spend(l, c, &charges[i], true, seq, time);
	}
	pthread_mutex_unlock(&l->lock);
}

/*
 * ledger_reset - an operator says that nothing was spent
 *
 * The level becomes zero, rather than less by what it was: a replay may stand
 * some millionths above the level of then, and must end at the same.  A cap
 * whose window is over has nothing to forget.  A void that follows gives back
 * what the reset forgot already: both are mail that was not sent.
 */
void
ledger_reset(struct ledger *l, const struct charge *charges, size_t n,
    uint64_t seq, int64_t time)
{
	struct counter *c;
	size_t i;

	pthread_mutex_lock(&l->lock);
	for (i = 0; i < n; i++) {
		c = counter_find(l, charges[i].key);
		/* what is open is known from elsewhere: nothing to forget */
		if (c == NULL || seq <= c->seq || c->kind >= LIMIT_OPEN)
			continue;
		if (c->kind == LIMIT_CAP && !counter_holds(c, &charges[i]))
			continue;
		if (c->kind == LIMIT_THROTTLE)
			rate_leak(&c->level, &c->time, c->rate, c->period,
			    time);
		c->level = 0;
		c->seq = seq;
		counter_dirty(l, c);
	}
	pthread_mutex_unlock(&l->lock);
}

/* ledger_view - what people are shown */
void
ledger_view(struct ledger *l, const struct ask *ask, int64_t now,
    struct counter_view *view)
{
	struct counter copy = { .kind = ask->charge.kind };
	const struct counter *c;
	int64_t finals = 0;

	copy.window = ask->charge.window;	/* an empty one, when none */
	copy.window_end = ask->charge.window_end;
	if (copy.kind == LIMIT_THROTTLE) {
		copy.time = now;
		copy.rate = ask->charge.rate;
		copy.period = ask->charge.period;
	}
	pthread_mutex_lock(&l->lock);
	claims_expire(l, now);
	c = counter_resolve(l, &ask->charge, now, false);
	view->live = c != NULL;
	if (c != NULL) {
		copy = *c;
		finals = counter_finals(l, c);
	}
	copy.shares = NULL;		/* a roll would free them */
	pthread_mutex_unlock(&l->lock);
	(void)counter_turn(&copy, ask, now);
	copy.level -= finals;
	view->used = counter_used(&copy);
	view->reserved = copy.reserved;
	view->next = counter_next(&copy, 1, ask->most, now);
}

/* ledger_finals - who counts what is final */
void
ledger_finals(struct ledger *l, int64_t (*finals)(void *, const uint8_t *),
    void *with)
{
	pthread_mutex_lock(&l->lock);
	l->finals = finals;
	l->finals_with = with;
	pthread_mutex_unlock(&l->lock);
}

/* ledger_stat - how much there is of it */
void
ledger_stat(struct ledger *l, struct ledger_stat *stat)
{
	pthread_mutex_lock(&l->lock);
	*stat = l->stat;
	pthread_mutex_unlock(&l->lock);
}
