/*
 * replay_mail - one recorded event, asked again of another policy.
 *
 * An event is facts and a verdict.  The facts are put to decide_mail,
 * decide_rcpt, decide_headers and decide_message at the time of the event, and
 * what is accepted is spent in a ledger of our own.
 *
 *	accept, hold	all recipients, as one message
 *	refuse, defer	at MAIL: the sender alone; at RCPT: one recipient;
 *			later: all.  Repeated as often as the record counts
 *	void		the message it names was answered 451 after all: it
 *			stays in the figures and is told beside them
 *
 * A recipient who was accepted and would hear 452 (too many in one message) is
 * sent the next message at once, as mail servers do.
 *
 * Headers are not in an event.  From is made of its domains; where headers
 * decide about the stream it is the one that the event was in, if there is one
 * of that name and the envelope allows it.  A refusal for a header that is not
 * recorded stays what it was, and so does one by an open limit (what was
 * delivered since is not in the events, so these do not bind here), and what
 * the desk or the gate's own trouble decided: another policy would not have
 * changed it.
 */
#include <string.h>

#include "lib/buf.h"
#include "policy/recorded.h"
#include "tools/replay.h"

struct trial {			/* of one event */
	struct replay	*r;
	const struct event *e;
	const struct event *const *refused;	/* before it, of the same
						   message */
	size_t		 nrefused;
	struct replay_attempt *attempts;
	const struct event_recipient **who;	/* NULL: the message itself */
	size_t		 n;		/* attempts */
	bool		*open;		/* still to be sent */
	bool		*in;		/* taken by the mail at hand */
	struct header_fact headers[RECORDED_HEADERS];
	size_t		 nheaders;
	struct slice	 local;		/* a transport that is */
};

/* answered - what the new policy says to an attempt */
static void
answered(struct trial *t, struct replay_attempt *to, const struct mail *mail,
    const struct answer *a)
{
	to->would = a->verdict;
	to->limit = a->limit != NULL ? a->limit->name : SLICE("");
	to->rule = policy_rule(t->r->policy, a->rule, t->r->arena);
	to->reply = a->verdict == VERDICT_PASS ? SLICE("") : a->text;
	to->now = mail->tenant != NULL ? mail->tenant->name : SLICE("");
}

/* answered_open - the same to all that were still to be sent */
static void
answered_open(struct trial *t, const struct mail *mail,
    const struct answer *a)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->open[i]) {
			answered(t, &t->attempts[i], mail, a);
			t->open[i] = false;
		}
}

/* mail_of - the facts of the envelope */
static void
mail_of(const struct trial *t, struct mail *mail)
{
	const struct event *e = t->e;

	memset(mail, 0, sizeof(*mail));
	mail->policy = (struct policy *)(uintptr_t)t->r->policy;
	mail->ledger = t->r->ledger;
	mail->arena = t->r->arena;
	recorded_mail(e, mail);
	/* of a message that was turned away the size is not known, or it was
	 * not told at MAIL */
	mail->declared = e->verdict <= VERDICT_HOLD ? e->size : 0;
}

/* is_named - one of that name that counts bytes, or else an open one */
static bool
is_named(const struct limit *const *limits, size_t n, struct slice name,
    bool bytes)
{
	for (size_t i = 0; i < n; i++)
		if (slice_eq(limits[i]->name, name) && (bytes ?
		    limits[i]->count == COUNT_BYTES :
		    limits[i]->kind == LIMIT_OPEN))
			return true;
	return false;
}

/* has_limit - does one of that name and kind bind the tenant's mail, or the
 * pools it leaves by? */
static bool
has_limit(const struct tenant *tenant, struct slice name, bool bytes)
{
	for (size_t i = 0; tenant != NULL && name.n > 0 &&
	    i < tenant->nstreams; i++) {
		const struct stream *s = tenant->streams[i];

		if (is_named(s->limits, s->nlimits, name, bytes))
			return true;
		for (size_t j = 0; j < s->nroutes; j++) {
			const struct pool *p = s->routes[j].pool;

			if (is_named(p->limits, p->nlimits, name, bytes))
				return true;
			for (size_t k = 0; k < p->naddresses; k++)
				if (is_named(p->addresses[k].limits,
				    p->addresses[k].nlimits, name, bytes))
					return true;
		}
	}
	return false;
}

/* keep_was - would what is not in the event still decide it? */
static bool
keep_was(const struct event *e, const struct tenant *tenant)
{
	if (e->verdict <= VERDICT_HOLD)
		return false;
	if (has_limit(tenant, e->limit, false))
		return true;		/* what is delivered is not in it */
	/* A message whose size is not known, or one recipient too many of one
	 * whose end is not recorded. */
	if (e->stage < STAGE_MESSAGE && has_limit(tenant, e->limit, true))
		return true;
	if (e->stage == STAGE_RCPT && e->tenant.n > 0)
		return e->limit.n == 0 && e->verdict == VERDICT_DEFER;
	return e->stage == STAGE_HEADERS && e->limit.n == 0 &&
	    (e->nfrom_domains == 0 || (e->tenant.n > 0 &&
	    !slice_starts(e->reply, SLICE("From:"))));
}

/* stay - as it was */
static void
stay(struct trial *t, size_t i)
{
	struct replay_attempt *a = &t->attempts[i];

	t->open[i] = false;
	a->would = a->was;
	a->limit = a->was_limit;
	a->rule = a->of->rule;
	a->reply = a->of->reply;
	a->now = a->of->tenant;
}

/* unknowable - turned away by a limit whose count is not in the events */
static bool
unknowable(const struct trial *t, const struct mail *mail, size_t i)
{
	const struct replay_attempt *a = &t->attempts[i];

	return has_limit(mail->tenant, a->was_limit, false) ||
	    (a->was > VERDICT_HOLD && t->e->verdict > VERDICT_HOLD &&
	    t->e->stage < STAGE_MESSAGE &&
	    has_limit(mail->tenant, a->was_limit, true));
}

/* refused_alone - would he be turned away if the message were his alone? */
static bool
refused_alone(struct trial *t, size_t i)
{
	struct mail mail;
	struct answer a;
	bool refused;

	mail_of(t, &mail);
	refused = decide_mail(&mail, t->e->time, &a) == VERDICT_PASS &&
	    decide_rcpt(&mail, t->who[i]->address, SLICE("smtp"), t->e->time,
	    &a) > VERDICT_HOLD;
	decide_abort(&mail);
	return refused;
}

/* one_rcpt - ask for one; true: taken.  Who was accepted and hears that the
 * message has too many stays open for the next one; who was turned away may
 * have come before those who make it too many now */
static bool
one_rcpt(struct trial *t, struct mail *mail, size_t i, size_t n)
{
	struct answer a;
	bool crowd;

	if (unknowable(t, mail, i)) {
		stay(t, i);
		return false;
	}
	if (decide_rcpt(mail, t->who[i]->address, SLICE("smtp"), t->e->time,
	    &a) <= VERDICT_HOLD)
		return true;
	crowd = n > 0 && strcmp(a.code, "452") == 0;
	if (crowd && t->attempts[i].was > VERDICT_HOLD)
		stay(t, i);
	else if (!crowd) {
		answered(t, &t->attempts[i], mail, &a);
		t->open[i] = false;
	}
	return false;
}

/* recipients - of one mail.  Who was turned away came before or after those
 * who were accepted: before, if he would be turned away alone as well.
 * taken[j] is the attempt of the mail's recipient j, or t->n for a local one */
static void
recipients(struct trial *t, struct mail *mail, size_t *taken)
{
	enum { BEFORE, ACCEPTED, AFTER } part;
	const struct event *e = t->e;
	struct answer a;
	size_t i, n = 0;

	memset(t->in, 0, t->n * sizeof(*t->in));
	for (part = BEFORE; part <= AFTER; part++)
		for (i = 0; i < t->n; i++)
			if (t->open[i] && !t->in[i] && t->who[i] != NULL &&
			    (t->attempts[i].of == e ? part == ACCEPTED :
			    part == AFTER || (part == BEFORE &&
			    refused_alone(t, i))) && one_rcpt(t, mail, i, n)) {
				taken[mail->nrcpts - 1] = i;
				t->in[i] = true;
				n++;
			}
	for (i = 0; i < e->nrecipients; i++)
		if (e->recipients[i].local && decide_rcpt(mail,
		    e->recipients[i].address, t->local, e->time, &a) <=
		    VERDICT_HOLD)
			taken[mail->nrcpts - 1] = t->n;
}

/* spend - what was accepted is charged */
static void
spend(struct trial *t, struct mail *mail)
{
	const struct claim *claim = &mail->claim;
	struct charge *all = arena_array(t->r->arena, claim->n + 1,
	    sizeof(*all));
	size_t i;

	if (all == NULL) {
		decide_abort(mail);
		return;
	}
	for (i = 0; i < claim->n; i++)
		all[i] = claim->asks[i].charge;
	ledger_settle(t->r->ledger, all, claim->n, true, ++t->r->settled,
	    t->e->time);
}

/* all_stay - as they were; nobody is charged */
static void
all_stay(struct trial *t, struct mail *mail)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->open[i])
			stay(t, i);
	decide_abort(mail);
}

/* the_end - headers and message; what is said goes to all taken */
static void
the_end(struct trial *t, struct mail *mail, const size_t *taken)
{
	const struct event *e = t->e;
	struct replay_attempt *to;
	struct answer a;
	size_t i;

	if (decide_headers(mail, t->headers, t->nheaders, e->time, &a) ==
	    VERDICT_PASS && mail->tenant != NULL)
		(void)decide_message(mail, e->size, e->time, &a);
	for (i = 0; i < mail->nrcpts; i++) {
		if (taken[i] == t->n && t->who[0] != NULL)
			continue;
		to = &t->attempts[taken[i] == t->n ? 0 : taken[i]];
		t->open[to - t->attempts] = false;
		answered(t, to, mail, &a);
		if (a.verdict > VERDICT_HOLD ||
		    mail->rcpts[i].verdict != VERDICT_DROP)
			continue;
		to->would = VERDICT_DROP;
		to->rule = policy_rule(t->r->policy, mail->rcpts[i].rule,
		    t->r->arena);
	}
	if (a.verdict > VERDICT_HOLD) {
		decide_abort(mail);
		return;
	}
	t->r->shadowed += t->r->counts && mail->would.verdict !=
	    VERDICT_PASS;
	spend(t, mail);
}

/* one_mail - MAIL to the end, with all that are open; 1: some are left over
 * for the next, 0: none, -1: no memory */
static int
one_mail(struct trial *t)
{
	struct mail mail;
	struct answer a;
	size_t i, *taken;

	mail_of(t, &mail);
	taken = arena_array(t->r->arena, t->e->nrecipients + t->n + 1,
	    sizeof(*taken));
	if (taken == NULL)
		return -1;
	if (decide_mail(&mail, t->e->time, &a) != VERDICT_PASS ||
	    (t->who[0] == NULL && t->e->nrecipients == 0)) {
		answered_open(t, &mail, &a);
		decide_abort(&mail);
		return 0;
	}
	if (recorded_headers(t->e, &mail, t->headers, &t->nheaders) == -1)
		return -1;
	recipients(t, &mail, taken);
	if (mail.nrcpts == 0)
		decide_abort(&mail);
	else if (keep_was(t->e, mail.tenant))
		all_stay(t, &mail);
	else
		the_end(t, &mail, taken);
	for (i = 0; i < t->n && mail.nrcpts > 0; i++)
		if (t->open[i])
			return 1;
	return 0;
}

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

/* run - once; true when something of it was accepted */
static int
run(struct trial *t, bool *some)
{
	int got;

	for (size_t i = 0; i < t->n; i++)
		t->open[i] = true;
	while ((got = one_mail(t)) == 1)
		;
	*some = false;
	for (size_t i = 0; i < t->n; i++)
		*some = *some || t->attempts[i].would <= VERDICT_HOLD;
	return got;
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
		if (run(t, &some) == -1 || (done + 1 < times && some &&
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
