/*
 * pacer_desk - what operators decide of one held message.
 *
 * "Drop" is over at once.  "Release" is written into the row ("desk:12" where
 * the limit's name stood), so that it outlives a restart: the message goes
 * before all others of its tenant in every line, and breakers that hold do not
 * hold it.  Limits, pauses and suppressions still do: a person may say what is
 * urgent, and not that a cap is none.
 *
 * The object of the decision is a queue id, or the sequence of the hold; the
 * digits of one may look like the other, and then a queue id is meant that
 * waits.
 */
#include <inttypes.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "milter/pacer_in.h"

/* number - the digits of a sequence; 0: it is none */
static uint64_t
number(struct slice s)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9' ||
		    __builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(s.p[i] - '0'), &n))
			return 0;
	return n;
}

/* row_of - the message that is meant, if it waits. Fetch. */
static int
row_of(struct pacer *p, struct slice object, struct held *h, struct why *why)
{
	uint64_t seq = 0;
	int got = store_by_queue_id(p->gate->store, object, &seq, why);

	if (got == 1)
		got = pacer_row(p, seq, p->arena, h, why);
	if (got != 0 || (seq = number(object)) == 0)
		return got;
	return pacer_row(p, seq, p->arena, h, why);
}

/* urge - it goes first, from now on */
static int
urge(struct pacer *p, struct held *h, struct slice rule, struct why *why)
{
	struct writer_held held = { .rows = h, .nrows = 1 };
	struct waiter *was = pacer_find(p, h->seq), *w;

	h->why = rule;
	if (writer_held(p->gate->writer, &held, why) == -1)
		return -1;
	if (was == NULL)		/* it comes with the next rows */
		return 0;
	if ((w = waiter_new(p->lines)) == NULL)
		return why_kind(why, WHY_MEMORY, "no memory");
	w->seq = was->seq;
	w->tenant = was->tenant;
	w->until = was->until;
	w->cost = was->cost;
	w->lane = LANE_ASKED;
	was->dead = true;
	return pacer_stand(p, w, NULL, why);
}

/* drop - nobody gets it */
static int
drop(struct pacer *p, uint64_t seq, struct slice rule, struct why *why)
{
	struct waiter *w = pacer_find(p, seq);
	int got = pacer_end(p, seq, HELD_DROP, rule, "an operator dropped it",
	    w, why);

	if (got == 1)
		return pacer_flush(p, why);
	return got;
}

/* order - with the lock held */
static int
order(struct pacer *p, const struct desk_record *r, struct why *why)
{
	struct held h;
	const char *rule;
	int got;

	arena_reset(p->arena);
	rule = arena_printf(p->arena, DESK_NAME ":%" PRIu64, r->seq);
	if (rule == NULL)
		return why_kind(why, WHY_MEMORY, "no memory");
	if ((got = row_of(p, r->object, &h, why)) == -1)
		return -1;
	if (got == 0) {
		log_warn("%s: %.*s is not held, or decided already", rule,
		    SLICE_ARG(r->object));
		return 0;
	}
	return r->kind == DESK_HOLD_DROP ?
	    drop(p, h.seq, slice_of(rule), why) :
	    urge(p, &h, slice_of(rule), why);
}

/* pacer_order - of an operator */
int
pacer_order(struct pacer *p, const struct desk_record *r, struct why *why)
{
	int rc;

	if (p == NULL)
		return why_set(why, "nothing lets held mail go here");
	pthread_mutex_lock(&p->lock);
	rc = order(p, r, why);
	pthread_mutex_unlock(&p->lock);
	return rc;
}
