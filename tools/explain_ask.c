/*
 * explain_ask - the gate's questions in the gate's order, about one message.
 *
 * The same functions that milter/stage.c calls, in the same order, with the
 * same facts.  When all is said the reservations are given back, and only then
 * are the counters looked at: what is shown is what was there before this
 * message.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/key.h"
#include "tools/explain.h"

/* step - remember what was said */
static void
step(struct explain *e, struct slice about, const struct answer *a)
{
	struct explain_step *to;

	to = xrealloc(e->steps, (e->nsteps + 1) * sizeof(*to));
	e->steps = to;
	to[e->nsteps++] = (struct explain_step){ about, *a };
	if (a->verdict > e->verdict)		/* hold, defer, refuse */
		e->verdict = a->verdict;
}

/* look - every counter that this mail met, as it stood before it */
static void
look(struct explain *e)
{
	const struct mail *mail = &e->mail;
	const struct meter *meter;
	struct explain_limit *to;
	size_t i;

	if (mail->meters.n == 0)
		return;
	e->limits = xcalloc(mail->meters.n, sizeof(*e->limits));
	for (i = 0; i < mail->meters.n; i++) {
		meter = mail->meters.list[i];
		if (meter->ask.charge.rule.p == NULL)
			continue;		/* nothing was asked of it */
		to = &e->limits[e->nlimits++];
		to->limit = meter->limit;
		to->ask = meter->ask;
		ledger_view(mail->ledger, &to->ask, e->now, &to->view);
	}
}

/* keys - are there keys for all that should sign?  The gate looks, too */
static enum verdict
keys(struct explain *e, struct answer *a)
{
	const struct identity *id;
	const char *warning;
	enum key_type type;
	struct why why;
	size_t i;
	int bits;

	for (i = 0; i < e->mail.nidentities; i++) {
		id = e->mail.identities[i];
		if (key_judge(id->key_path, &type, &bits, &warning, &why) == 0)
			continue;
		a->verdict = VERDICT_DEFER;
		a->code = "451";
		a->dsn = "4.3.5";
		a->rule = id->at;
		a->text = arena_copy(e->mail.arena, slice_of(why.text));
		return VERDICT_DEFER;
	}
	return a->verdict;
}

/* ask - up to the first answer that ends the message */
static int
ask(struct explain *e, struct why *why)
{
	struct mail *mail = &e->mail;
	struct answer a;
	size_t i;

	(void)decide_mail(mail, e->now, &a);
	step(e, SLICE("MAIL FROM"), &a);
	if (a.verdict != VERDICT_PASS)
		return 0;
	for (i = 0; i < e->nrcpts; i++) {
		(void)decide_rcpt(mail, e->rcpts[i].address,
		    e->rcpts[i].transport, e->now, &a);
		step(e, e->rcpts[i].address, &a);
	}
	if (mail->nrcpts == 0)
		return 0;
	if (mail->origin != ORIGIN_INBOUND) {
		if (decide_headers(mail, e->message.headers,
		    e->message.nheaders, e->now, &a) == VERDICT_PASS)
			(void)keys(e, &a);
		step(e, SLICE("headers"), &a);
		if (a.verdict != VERDICT_PASS)
			return 0;
	}
	if (mail->tenant == NULL) {		/* untouched */
		e->accepted = true;
		return 0;
	}
	if (decide_message(mail, e->message.size, e->now, &a) <= VERDICT_HOLD)
		e->accepted = true;
	step(e, SLICE("end of message"), &a);
	return e->file == NULL ? 0 : plan_make(mail, e->message.headers,
	    e->message.nheaders, &e->plan, mail->arena, why);
}

/* explain_ask - one message; the mail's facts are set */
int
explain_ask(struct explain *e, struct why *why)
{
	int done;

	e->mail.policy = e->live.policy;
	e->mail.ledger = e->live.ledger;
	e->mail.arena = e->live.arena;
	e->mail.login = e->login;
	e->mail.listener = e->listener;
	e->mail.client = e->client;
	e->mail.declared = e->size;
	done = ask(e, why);
	decide_abort(&e->mail);
	look(e);
	return done;
}

/* explain_forget - what explain_ask gathered; the rest is the arena's */
void
explain_forget(struct explain *e)
{
	free(e->steps);
	free(e->limits);
	e->steps = NULL;
	e->limits = NULL;
	e->nsteps = e->nlimits = 0;
}
