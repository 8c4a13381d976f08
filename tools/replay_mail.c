/*
 * replay_mail - one recorded event, asked again of another policy.
 *
 * An event is facts and a verdict.  The facts are put to decide_mail,
 * decide_rcpt, decide_headers and decide_message at the time of the event, and
 * what is accepted is spent in a ledger of our own.
 *
 *	accept, hold	all recipients, as one message
 *	refuse, defer	at MAIL: the sender alone; at RCPT: one recipient;
 *			later: all
 *
 * A recipient who was accepted and would hear 452 (too many in one message) is
 * sent the next message at once, as mail servers do.
 *
 * Headers are not in an event.  From is made of its domains; where headers
 * decide about the stream it is the one that the event was in, if there is one
 * of that name and the envelope allows it.
 */
#include <string.h>

#include "lib/buf.h"
#include "policy/recorded.h"
#include "tools/replay_in.h"

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
	mail->progress = t->r->progress;
	mail->arena = t->r->arena;
	recorded_mail(e, mail);
	/* of a message that was turned away the size is not known, or it was
	 * not told at MAIL */
	mail->declared = e->verdict <= VERDICT_HOLD ? e->size : 0;
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

	if (trial_unknowable(t, mail->tenant, i)) {
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
	else if (trial_keeps(t->e, mail.tenant))
		all_stay(t, &mail);
	else
		the_end(t, &mail, taken);
	for (i = 0; i < t->n && mail.nrcpts > 0; i++)
		if (t->open[i])
			return 1;
	return 0;
}

/* trial_run - once; *some when something of it was accepted */
int
trial_run(struct trial *t, bool *some)
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
