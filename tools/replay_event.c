/*
 * replay_event - an event by its kind: which attempts it is, and how often.
 *
 *	accept, hold	once
 *	refuse, defer	as often as the record counts
 *	void		the message it names was answered 451 after all: it
 *			stays in the figures and is told beside them
 *
 * What the desk or the gate's own trouble decided stays as it was: another
 * policy would not have changed it.
 */
#include "policy/recorded.h"
#include "tools/replay_in.h"

/* attempt - one more; who NULL: the message itself */
static void
attempt(struct trial *t, const struct event *of,
    const struct event_recipient *who)
{
	struct replay_attempt *a = &t->attempts[t->n];

	t->who[t->n++] = who;
	a->of = of;
	a->was = of->verdict;
	if (who != NULL) {
		a->recipient = who->address;
		if (of->verdict <= VERDICT_HOLD &&
		    who->verdict == VERDICT_DROP)
			a->was = VERDICT_DROP;
	}
	a->was_limit = of->verdict != VERDICT_PASS ? of->limit : SLICE("");
}

/* begin - the attempts of an event: its remote recipients, or itself, and who
 * was turned away before */
static int
begin(struct trial *t)
{
	const struct event *e = t->e;
	const struct policy *p = t->r->policy;
	size_t i, room = e->nrecipients + 1 + t->nrefused;

	t->attempts = arena_array(t->r->arena, room, sizeof(*t->attempts));
	t->who = arena_array(t->r->arena, room, sizeof(*t->who));
	t->open = arena_array(t->r->arena, room, sizeof(*t->open));
	t->in = arena_array(t->r->arena, room, sizeof(*t->in));
	if (t->attempts == NULL || t->who == NULL || t->open == NULL ||
	    t->in == NULL)
		return -1;
	t->local = recorded_local(p);
	for (i = 0; i < e->nrecipients; i++)
		if (!e->recipients[i].local)
			attempt(t, e, &e->recipients[i]);
	if (t->n == 0)
		attempt(t, e, NULL);
	for (i = 0; i < t->nrefused; i++)
		attempt(t, t->refused[i], &t->refused[i]->recipients[0]);
	return 0;
}

/* count - into the tally */
static int
count(struct trial *t, uint64_t times)
{
	if (!t->r->counts)
		return 0;
	for (size_t i = 0; i < t->n; i++)
		if (replay_count(&t->r->tally, &t->attempts[i],
		    times) == -1)
			return -1;
	return 0;
}

/* left_alone - was it something that no policy decides? */
static bool
left_alone(struct replay *r, const struct event *e)
{
	if (e->verdict <= VERDICT_HOLD)
		return false;
	if (slice_starts(e->rule, SLICE("desk:"))) {
		r->desk += r->counts ? e->count : 0;
		return true;
	}
	if (e->rule.n == 0 && e->tenant.n > 0) {
		r->inside += r->counts ? e->count : 0;
		return true;
	}
	return false;
}

/* is_repeat - a count of refusals that are not written out */
static bool
is_repeat(const struct event *e)
{
	return (e->kind == EVENT_REFUSE || e->kind == EVENT_DEFER) &&
	    e->nrecipients == 0 && e->stage >= STAGE_RCPT;
}

/* text_of - what was kept */
static struct slice
text_of(const struct replay_text *t)
{
	return (struct slice){ t->text, t->n };
}

/* repeated - was the one before it turned away?  So is this one */
static void
repeated(struct replay_attempt *a, const struct event *e,
    const struct replay_first *f)
{
	*a = (struct replay_attempt){
		.of = e, .was = e->verdict, .would = e->verdict,
		.was_limit = e->limit, .limit = e->limit,
		.rule = e->rule, .reply = e->reply, .now = e->tenant,
	};
	if (f == NULL)
		return;		/* before we began: left as it was */
	a->recipient = text_of(&f->recipient);
	a->would = f->would;
	a->limit = text_of(&f->limit);
	a->rule = text_of(&f->rule);
	a->now = text_of(&f->tenant);
}

/* keep_refused - for their repeats */
static int
keep_refused(struct trial *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->attempts[i].of->verdict > VERDICT_HOLD &&
		    replay_first_keep(&t->r->tally, &t->attempts[i]) == -1)
			return -1;
	return 0;
}

/* ask - as often as it is counted; one more like one that was turned away is
 * turned away */
static int
ask(struct trial *t)
{
	uint64_t done, times = t->e->count > 0 ? t->e->count : 1;
	bool some = true;

	if (begin(t) == -1)
		return -1;
	for (done = 0; done < times && some; done++)
		if (trial_run(t, &some) == -1 || (done + 1 < times && some &&
		    count(t, 1) == -1))
			return -1;
	return count(t, some ? 1 : times - (done - 1));
}

/* ask_repeats - with the facts of the first */
static int
ask_repeats(struct replay *r, const struct event *e)
{
	const struct replay_first *f = replay_first_get(&r->tally, e);
	struct event_recipient to = { .verdict = e->verdict };
	struct event full = *e;
	struct trial t = { .r = r, .e = &full };
	struct replay_attempt a;
	struct slice from;

	if (f == NULL || f->would > VERDICT_HOLD) {
		repeated(&a, e, f);
		return r->counts ? replay_count(&r->tally, &a, e->count) : 0;
	}
	to.address = text_of(&f->recipient);
	from = text_of(&f->from);
	full.recipients = &to;
	full.nrecipients = to.address.n > 0;
	full.from_domains = &from;
	full.nfrom_domains = from.n > 0;
	full.size = f->size;
	return ask(&t);
}

/* all_final - nothing is under way: deliveries are not in the events */
static int64_t
all_final(void *with, const uint8_t key[16])
{
	(void)with;
	(void)key;
	return INT64_MAX;
}

/* replay_event - by its kind */
int
replay_event(struct replay *r, const struct event *e,
    const struct event *const *refused, size_t nrefused, struct why *why)
{
	struct trial t = { .r = r, .e = e, .refused = refused,
		.nrefused = nrefused };
	int done;

	ledger_finals(r->ledger, all_final, NULL);
	if (e->kind == EVENT_VOID)
		r->voided += r->counts;
	if (e->kind == EVENT_WARMUP && replay_warmup(r, e) == -1)
		return why_kind(why, WHY_MEMORY, "out of memory at event %llu",
		    (unsigned long long)e->seq);
	if ((e->kind != EVENT_ACCEPT && e->kind != EVENT_HOLD &&
	    e->kind != EVENT_REFUSE && e->kind != EVENT_DEFER &&
	    e->kind != EVENT_DROP) || left_alone(r, e))
		return 0;
	if (is_repeat(e))
		done = ask_repeats(r, e);
	else if ((done = ask(&t)) == 0)
		done = keep_refused(&t);
	if (done == -1)
		return why_kind(why, WHY_MEMORY, "out of memory at event %llu",
		    (unsigned long long)e->seq);
	if (r->counts) {
		r->messages += e->count > 0 ? e->count : 1;
		r->was_shadowed += e->would != VERDICT_PASS;
	}
	return 0;
}
