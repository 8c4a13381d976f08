/*
 * pacer_desk - what operators decide of held messages: one, all of a tenant, or
 * all (lib/held_desk.h).
 *
 * "Drop" is over at once.  "Release" is written into the row ("desk:12" where
 * the limit's name stood), so that it outlives a restart: the message goes
 * before all others of its tenant in every line, and breakers that hold do not
 * hold it.  Limits, pauses and suppressions still do: a person may say what is
 * urgent, and not that a cap is none.
 *
 * A decision about all is carried out in commits of some messages each.  One
 * that was cut off is begun again, since the desk's sequence is recorded behind
 * it; what is done already does not wait any more, or is urgent already.
 */
#include <inttypes.h>
#include <stdio.h>

#include "lib/clock.h"
#include "lib/hash.h"
#include "lib/held_desk.h"
#include "lib/log.h"
#include "milter/pacer_in.h"

struct wish {
	struct pacer	*p;
	const struct desk_record *r;
	char		 rule[32];	/* "desk:12" */
	uint64_t	 tenant;	/* 0: all */
	bool		 all;
	struct held	 rows[PACER_BATCH];	/* to be urgent */
	struct waiter	*waiters[PACER_BATCH];
	size_t		 n, done;
};

/* maybe - is it worth to read its row? */
static bool
maybe(const struct wish *s, const struct waiter *w)
{
	uint64_t seq = (uint64_t)s->r->amount;

	return !w->dead && (s->all ? w->seq <= seq : w->seq == seq) &&
	    (s->tenant == 0 || w->tenant == s->tenant) &&
	    (s->r->kind == DESK_HOLD_DROP || w->lane != LANE_ASKED);
}

/* again - the same message in front */
static int
again(struct pacer *p, struct waiter *was, struct why *why)
{
	struct waiter *w = waiter_new(p->lines);

	if (w == NULL)
		return why_kind(why, WHY_MEMORY, "no memory");
	w->seq = was->seq;
	w->tenant = was->tenant;
	w->until = was->until;
	w->cost = was->cost;
	w->lane = LANE_ASKED;
	was->dead = true;
	return pacer_stand(p, w, NULL, why);
}

/* commit - what was collected */
static int
commit(struct wish *s, struct why *why)
{
	struct writer_held held = { .rows = s->rows, .nrows = s->n };
	size_t i, n = s->n;

	s->n = 0;
	if (s->r->kind == DESK_HOLD_DROP)
		return pacer_flush(s->p, why);
	if (n > 0 && writer_held(s->p->gate->writer, &held, why) == -1)
		return -1;
	for (i = 0; i < n; i++)
		if (again(s->p, s->waiters[i], why) == -1)
			return -1;
	arena_reset(s->p->arena);	/* the rows */
	return 0;
}

/* one - a message that may be meant */
static int
one(struct wish *s, struct waiter *w, struct why *why)
{
	struct held *h = &s->rows[s->n];
	int got;

	if (s->n == 0)
		arena_reset(s->p->arena);
	got = pacer_row(s->p, w->seq, s->p->arena, h, why);
	if (got != 1 || !held_desk_means(s->r, h))
		return got == -1 ? -1 : 0;
	s->done++;
	if (s->r->kind == DESK_HOLD_DROP) {
		got = pacer_end(s->p, w->seq, HELD_DROP, slice_of(s->rule),
		    "an operator dropped it", w, why);
		return got == -1 ? -1 : pacer_full(s->p) ? commit(s, why) : 0;
	}
	h->why = slice_of(s->rule);
	s->waiters[s->n++] = w;
	return s->n == PACER_BATCH ? commit(s, why) : 0;
}

/* carry_out - over all who wait */
static int
carry_out(struct wish *s, struct why *why)
{
	struct waiter *w = NULL;
	struct why other;

	if (pacer_read(s->p, why) == -1)
		return -1;
	while ((w = waiter_next(s->p->lines, w)) != NULL)
		if (maybe(s, w) && one(s, w, why) == -1) {
			(void)pacer_flush(s->p, &other);
			return -1;
		}
	return commit(s, why);
}

/* pacer_order - of an operator */
int
pacer_order(struct pacer *p, const struct desk_record *r, struct why *why)
{
	struct wish s = { .p = p, .r = r, .tenant = r->tenant.n > 0 ?
		hash_id("tenant", r->tenant) : 0,
		.all = slice_is(r->object, HELD_DESK_ALL) };
	int rc;

	if (p == NULL)
		return why_set(why, "nothing lets held mail go here");
	if (r->amount <= 0)
		return 0;		/* it means nothing */
	snprintf(s.rule, sizeof(s.rule), DESK_NAME ":%" PRIu64, r->seq);
	pthread_mutex_lock(&p->lock);
	rc = carry_out(&s, why);
	pthread_mutex_unlock(&p->lock);
	if (rc == 0)
		log_info(DESK_NAME ":%" PRIu64 ": %zu held message%s %s",
		    r->seq, s.done, s.done == 1 ? "" : "s", r->kind ==
		    DESK_HOLD_DROP ? "dropped" : "to go first");
	return rc;
}
