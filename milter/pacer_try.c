/*
 * pacer_try - one held message: asked about, and what came of it recorded.
 *
 * The event of a release bears what the event of the hold said (whose it is,
 * to whom, from where), so that a reader of events needs no other; "voids" is
 * the sequence of the hold.  Its charges are what decide_release reserved, and
 * what the hold had among the held, below zero.
 *
 * Decisions are collected and committed together.  Until then their charges are
 * reserved, so the next one sees them; a commit that fails drops them all, and
 * the messages wait on.
 */
#include "milter/pacer_in.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/hash.h"
#include "lib/log.h"
#include "policy/decide.h"
#include "policy/progress.h"

#define HEAVY		(8u << 20)		/* bytes of a batch's arena */
#define RETRY		(30 * CLOCK_SECOND)	/* for what nobody wakes us */
#define LONGEST		(5 * CLOCK_MINUTE)
#define SOON		(CLOCK_SECOND / 20)

/* pacer_full - is it time to commit? */
bool
pacer_full(const struct pacer *p)
{
	return p->batch.n == PACER_BATCH ||
	    arena_used(p->batch.arena) > HEAVY;
}

/* clear - the batch is over */
static void
clear(struct pacer *p)
{
	struct pacer_batch *b = &p->batch;

	b->n = 0;
	policy_drop(b->policy);
	orders_drop(b->orders);
	progress_drop(b->progress);
	b->policy = NULL;
	b->orders = NULL;
	b->progress = NULL;
	arena_reset(b->arena);
}

/* begin - a batch has the policy, the orders and the warmups of its first
 * decision */
static void
begin(struct pacer *p)
{
	if (p->batch.policy != NULL)
		return;
	p->batch.policy = gate_policy(p->gate);
	p->batch.orders = gate_orders(p->gate);
	p->batch.progress = gate_progress(p->gate);
}

/* log_one - what became of it */
static void
log_one(const struct event *e)
{
	log_info("%.*s: tenant=%.*s stream=%.*s verdict=%s held=%" PRIu64
	    " rule=%.*s", SLICE_ARG(e->queue_id), SLICE_ARG(e->tenant),
	    SLICE_ARG(e->stream), e->verdict == VERDICT_PASS ? "release" :
	    e->verdict == VERDICT_DROP ? "drop" : "expire", e->voids,
	    SLICE_ARG(e->rule));
}

/* pacer_flush - on disk, or none of it */
int
pacer_flush(struct pacer *p, struct why *why)
{
	struct pacer_batch *b = &p->batch;
	struct writer_held held = { .events = b->events, .rows = b->rows,
		.nevents = b->n, .nrows = b->n };
	struct waits soon = { .at = clock_now() + CLOCK_SECOND };
	struct why again;
	int rc = 0;

	if (b->n > 0)
		rc = writer_held(p->gate->writer, &held, why);
	for (size_t i = 0; i < b->n; i++) {
		struct waiter *w = b->waiters[i];

		if (rc == 0)
			log_one(&b->events[i]);
		if (w == NULL)
			continue;
		if (w->standing)	/* its lane frees it, when it comes */
			w->dead = rc == 0;
		else if (rc == 0)
			waiter_free(p->lines, w);
		else if (pacer_stand(p, w, &soon, &again) == -1)
			log_error("%s; it waits for the next start",
			    again.text);
	}
	clear(p);
	return rc;
}

/* event_of - that hold, as it was written. Fetch. */
static int
event_of(struct pacer *p, uint64_t seq, struct event *e, struct why *why)
{
	int got = store_event(p->gate->store, seq, p->batch.arena, e, why);

	return got == 1 ? e->kind == EVENT_HOLD : got;
}

/* pacer_row - if it waits */
int
pacer_row(struct pacer *p, uint64_t seq, struct arena *arena, struct held *h,
    struct why *why)
{
	int got = store_held_at(p->gate->store, seq, arena, h, why);

	return got == 1 ? h->state == HELD_WAITING : got;
}

/* charges - what it costs now, and what is given back */
static int
charges(struct pacer *p, const struct event *was, const struct claim *claim,
    struct event *e)
{
	size_t i, n = claim != NULL ? claim->n : 0;

	e->ncharges = 0;
	e->charges = arena_array(p->batch.arena, n + was->ncharges + 1,
	    sizeof(*e->charges));
	if (e->charges == NULL)
		return -1;
	for (i = 0; i < n; i++)
		e->charges[e->ncharges++] = claim->asks[i].charge;
	for (i = 0; i < was->ncharges; i++) {
		if (was->charges[i].kind != LIMIT_HELD)
			continue;
		e->charges[e->ncharges] = was->charges[i];
		e->charges[e->ncharges++].amount = -was->charges[i].amount;
	}
	return 0;
}

/* put - one more into the batch; 0, or -1 without memory */
static int
put(struct pacer *p, const struct event *was, const struct held *row,
    enum held_state state, const struct claim *claim, struct event *e,
    struct waiter *w)
{
	struct pacer_batch *b = &p->batch;

	if (charges(p, was, claim, e) == -1)
		return -1;
	e->kind = EVENT_RELEASE;
	e->verdict = state == HELD_GO ? VERDICT_PASS : state == HELD_DROP ?
	    VERDICT_DROP : VERDICT_REFUSE;
	e->would = VERDICT_PASS;
	e->voids = was->seq;
	e->seq = 0;
	e->time = clock_now();
	e->token = 0;
	e->return_path = SLICE_NONE;
	memcpy(e->policy_hash, b->policy->hash, sizeof(e->policy_hash));
	b->events[b->n] = *e;
	b->rows[b->n] = *row;
	b->rows[b->n].state = state;
	if (state != HELD_GO)
		b->rows[b->n].why = e->rule;
	b->waiters[b->n] = w;
	b->n++;
	return 0;
}

/* recipients - as they are now */
static int
recipients(struct pacer *p, const struct event *was, const struct mail *mail,
    struct event *e)
{
	size_t n = 0;

	e->recipients = arena_array(p->batch.arena, was->nrecipients + 1,
	    sizeof(*e->recipients));
	if (e->recipients == NULL)
		return -1;
	for (size_t i = 0; i < was->nrecipients; i++) {
		struct event_recipient *r = &e->recipients[i];

		*r = was->recipients[i];
		if (r->verdict == VERDICT_DROP || n >= mail->nrcpts)
			continue;
		r->verdict = mail->rcpts[n].verdict == VERDICT_DROP ?
		    VERDICT_DROP : VERDICT_PASS;
		r->rule = mail->rcpts[n].why.p != NULL ? mail->rcpts[n].why :
		    policy_rule(mail->policy, mail->rcpts[n].rule,
		    p->batch.arena);
		n++;
	}
	return 0;
}

/* line_of - of a counter; of this tenant alone, or of bulk mail, while others
 * find room there */
static void
line_of(const struct waiter *w, const struct answer *a, uint8_t key[LINE_KEY])
{
	uint8_t text[LINE_KEY + 8];
	uint64_t whose = a->fair ? w->tenant : 0;

	memcpy(text, a->counter, LINE_KEY);
	for (int i = 0; i < 8; i++)
		text[LINE_KEY + i] = (uint8_t)(whose >> (8 * i));
	if (a->fair || a->fifths)
		hash_128(text, sizeof(text), key);
	else
		memcpy(key, a->counter, LINE_KEY);
}

/* waits_for - the line that such an answer sends it to */
static void
waits_for(const struct waiter *w, const struct event *was,
    const struct answer *a, struct waits *waits)
{
	char text[256];
	int n;

	waits->room = a->room;
	waits->bulk = a->fifths;
	waits->at = clock_now();
	if (a->counter != NULL) {
		line_of(w, a, waits->key);
		waits->at = a->next > waits->at + LONGEST || a->next == 0 ?
		    waits->at + LONGEST : a->next > waits->at + SOON ?
		    a->next : waits->at + SOON;
		return;
	}
	/* for somebody to do something: with all that wait for the same */
	n = snprintf(text, sizeof(text), "wait%016" PRIx64 "%.*s %s:%u",
	    w->tenant, (int)(was->stream.n < 64 ? was->stream.n : 64),
	    was->stream.p != NULL ? was->stream.p : "",
	    a->rule.file != NULL ? a->rule.file : "", a->rule.line);
	hash_128(text, (size_t)n < sizeof(text) ? (size_t)n :
	    sizeof(text) - 1, waits->key);
	waits->at += RETRY;
}

/* decided - PASS, DROP or REFUSE: the event, and into the batch */
static int
decided(struct pacer *p, const struct event *was, const struct held *row,
    const struct mail *mail, const struct answer *a, struct waiter *w)
{
	struct event e = *was;
	enum held_state state = a->verdict == VERDICT_PASS ? HELD_GO :
	    a->verdict == VERDICT_DROP ? HELD_DROP : HELD_EXPIRE;

	e.rule = policy_rule(mail->policy, a->rule, p->batch.arena);
	e.reply = a->verdict == VERDICT_PASS ? SLICE_NONE : a->text;
	e.limit = SLICE_NONE;
	e.text = a->verdict == VERDICT_PASS ? SLICE("there is room for it") :
	    a->verdict == VERDICT_DROP ? SLICE("nobody may have it any more") :
	    SLICE("not all may have it any more: back to its sender");
	if (e.rule.p == NULL || recipients(p, was, mail, &e) == -1)
		return -1;
	return put(p, was, row, state, a->verdict == VERDICT_PASS ?
	    &mail->claim : NULL, &e, w);
}

/* pacer_try - may it go? */
int
pacer_try(struct pacer *p, struct waiter *w, struct waits *waits,
    struct why *why)
{
	struct arena *arena = p->batch.arena;
	struct answer a;
	struct held row;
	struct event e;
	struct mail *mail;
	int got;

	begin(p);
	if ((got = pacer_row(p, w->seq, arena, &row, why)) == 1)
		got = event_of(p, w->seq, &e, why);
	if (got != 1)
		return got == 0 ? TRIED_GONE : -1;
	if ((mail = arena_alloc(arena, sizeof(*mail))) == NULL)
		return why_kind(why, WHY_MEMORY, "no memory");
	w->cost = e.nrecipients > 0 ? (uint32_t)e.nrecipients : 1;
	mail->policy = p->batch.policy;
	mail->orders = p->batch.orders;
	mail->progress = p->batch.progress;
	mail->happened = p->gate->happened;
	mail->ledger = p->gate->ledger;
	mail->arena = arena;
	if (decide_release(mail, &e, w->lane == LANE_ASKED, clock_now(),
	    &a) == VERDICT_DEFER) {
		waits_for(w, &e, &a, waits);
		return TRIED_WAITS;
	}
	if (decided(p, &e, &row, mail, &a, w) == -1) {
		decide_abort(mail);
		return why_kind(why, WHY_MEMORY, "no memory");
	}
	return TRIED_DECIDED;
}

/* pacer_end - it is over for that message */
int
pacer_end(struct pacer *p, uint64_t seq, enum held_state state,
    struct slice rule, const char *text, struct waiter *w, struct why *why)
{
	struct event e, was;
	struct held row;
	int got;

	begin(p);
	if ((got = pacer_row(p, seq, p->batch.arena, &row, why)) == 1)
		got = event_of(p, seq, &was, why);
	if (got != 1)
		return got;
	e = was;
	e.rule = rule;
	e.reply = e.limit = SLICE_NONE;
	e.text = slice_of(text);
	if (put(p, &was, &row, state, NULL, &e, w) == -1)
		return why_kind(why, WHY_MEMORY, "no memory");
	if (w != NULL)
		w->dead = true;		/* nobody asks about it meanwhile */
	return 1;
}
