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
#include "policy/meter.h"
#include "policy/postal.h"
#include "tools/explain.h"

/* step - remember what was said */
static void
step(struct explain *e, struct slice about, const struct answer *a)
{
	struct explain_step *to;

	to = xrealloc(e->steps, (e->nsteps + 1) * sizeof(*to));
	e->steps = to;
	to[e->nsteps++] = (struct explain_step){ about, *a };
	e->verdict = a->verdict;
}

/* rcpt_with - a recipient whose values those are */
static const struct rcpt *
rcpt_with(const struct mail *mail, const struct meter *meter)
{
	for (size_t i = 0; i < mail->nrcpts; i++) {
		const struct rcpt *r = &mail->rcpts[i];

		if (!r->local && (meter->of[0] == 0 ||
		    r->provider_id == meter->of[0]) && (meter->of[1] == 0 ||
		    r->domain_id == meter->of[1]))
			return r;
	}
	return NULL;
}

/* from_with - the From domain that has that id */
static struct slice
from_with(const struct mail *mail, uint64_t id)
{
	for (size_t i = 0; i < mail->nfrom_domains; i++)
		if (mail->meters.from_ids != NULL &&
		    mail->meters.from_ids[i] == id)
			return mail->from_domains[i];
	return SLICE("");
}

/* value_of - what a limit counts apart by, of this mail; p NULL: it stands in
 * it, which goes without saying */
static struct slice
value_of(const struct mail *mail, const struct meter *meter, unsigned per)
{
	const struct rcpt *rcpt = rcpt_with(mail, meter);

	switch (per) {
	case PER_LOGIN:
		return mail->login.n > 0 ? mail->login : SLICE("");
	case PER_SENDER:
		return mail->null_sender ? SLICE("<>") : mail->mail_from.text;
	case PER_SENDER_DOMAIN:
		return from_with(mail, meter->of[2]);
	case PER_STREAM:
		return mail->stream != NULL ? mail->stream->name : SLICE("");
	case PER_PROVIDER:
		return rcpt != NULL ? slice_of(provider_name(rcpt->provider)) :
		    SLICE("");
	case PER_RECIPIENT_DOMAIN:
		return rcpt != NULL ? rcpt->to.domain : SLICE("");
	case PER_POOL:
		return mail->egress != NULL ? mail->egress->pool->name :
		    SLICE("");
	case PER_ADDRESS:
		return mail->egress != NULL ? mail->egress->address :
		    SLICE("");
	case PER_GROUP:
		return mail->tenant->group != NULL ?
		    mail->tenant->group->name : SLICE("");
	default:
		return SLICE_NONE;
	}
}

/* of - "login=ops provider=google" */
static const char *
of(const struct mail *mail, const struct meter *meter)
{
	const char *all = "";
	struct slice value;

	for (unsigned i = 0; i < PER_DIMENSIONS && all != NULL; i++) {
		if ((meter->limit->per >> i & 1) == 0)
			continue;
		value = value_of(mail, meter, 1u << i);
		if (value.p != NULL)
			all = arena_printf(mail->arena, "%s%s%s=%.*s", all,
			    *all != '\0' ? " " : "", per_names[i],
			    SLICE_ARG(value));
	}
	return all != NULL ? all : "";
}

/* concerns - is it of the way that the mail leaves, or of all ways? */
static bool
concerns(const struct mail *mail, const struct meter *meter)
{
	const struct pool_address *a = mail->egress;

	return meter->of[3] == 0 || (a != NULL && (meter->of[3] == a->id ||
	    meter->of[3] == a->pool->id));
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
		if (!meter->made || !concerns(mail, meter) ||
		    meter->ask.most == LEDGER_UNBOUNDED)
			continue;		/* nothing was asked of it */
		to = &e->limits[e->nlimits++];
		to->limit = meter->limit;
		to->of = of(mail, meter);
		to->ask = meter->ask;
		to->ask.most += orders_grant(mail->orders, mail->tenant->id,
		    meter->limit->kind, meter->limit->name, e->now);
		ledger_view(mail->ledger, &to->ask, e->now, &to->view);
		if (to->view.next > e->now && meter->limit->warmup != NULL) {
			struct dimensions d;

			meter_known(&e->mail, meter, &d);
			to->view.next = measure_next(meter->limit, &d,
			    to->view.used + to->view.reserved, 0, 1,
			    to->view.next, e->now);
		}
	}
}

/* may - the streams that the mail may still be in, by what is known of it */
static void
may(struct explain *e)
{
	const struct mail *mail = &e->mail;
	const struct tenant *t = mail->tenant;
	struct match_facts facts = {
		.login = mail->login,
		.listener = mail->listener,
		.sender = mail->null_sender ? SLICE("") : mail->mail_from.text,
		.client = &mail->client,
		.recipient = mail->first_rcpt,
	};
	enum known known = KNOWN_NO;

	e->may = arena_array(mail->arena, t->nstreams, sizeof(*e->may));
	for (size_t i = 0; e->may != NULL && i < t->nstreams &&
	    known != KNOWN_YES; i++) {
		known = match_stream(t->streams[i], &facts, NULL);
		if (known != KNOWN_NO)
			e->may[e->nmay++] = t->streams[i];
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

/* dropped - the client hears 250, and he will not get it */
static bool
dropped(const struct rcpt *rcpt, struct answer *a)
{
	if (rcpt->verdict != VERDICT_DROP)
		return false;
	a->verdict = VERDICT_DROP;
	a->text = rcpt->why;
	return true;
}

/* said_before - was his drop told at RCPT? */
static bool
said_before(const struct explain *e, const struct rcpt *rcpt)
{
	for (size_t i = 0; i < e->nsteps; i++)
		if (e->steps[i].answer.verdict == VERDICT_DROP &&
		    e->steps[i].about.p == rcpt->path.p)
			return true;
	return false;
}

/* late_drops - those whom only the stream, or the tenant, gave away */
static void
late_drops(struct explain *e)
{
	struct answer a = { .stage = STAGE_HEADERS, .code = "250",
		.dsn = "2.0.0" };

	for (size_t i = 0; i < e->mail.nrcpts; i++)
		if (e->mail.rcpts[i].verdict == VERDICT_DROP &&
		    !said_before(e, &e->mail.rcpts[i]) &&
		    dropped(&e->mail.rcpts[i], &a))
			step(e, e->mail.rcpts[i].path, &a);
}

/* lacks_postal - is the text in the file, and the address not in the text?
 * The gate sees every line end in CRLF. */
static int
lacks_postal(struct explain *e, bool *lacks, struct why *why)
{
	struct postal_search *search = NULL;
	struct slice rest = e->message.body, line;

	*lacks = false;
	if (e->file != NULL && postal_begin(&search, &e->mail,
	    e->message.headers, e->message.nheaders, why) == -1)
		return -1;
	if (search == NULL)
		return 0;
	while (message_line(&rest, &line)) {
		postal_add(search, line.p, line.n);
		postal_add(search, "\r\n", 2);
	}
	*lacks = !postal_found(search);
	return 0;
}

/* rcpts - each of them; one that is dropped now is not told so again */
static void
rcpts(struct explain *e)
{
	struct mail *mail = &e->mail;
	struct explain_rcpt *r;
	struct answer a;

	for (size_t i = 0; i < e->nrcpts; i++) {
		r = &e->rcpts[i];
		r->at = mail->nrcpts;
		(void)decide_rcpt(mail, r->address, r->transport, e->now, &a);
		if ((r->taken = mail->nrcpts > r->at))
			dropped(&mail->rcpts[r->at], &a);
		r->verdict = a.verdict;
		step(e, r->address, &a);
	}
}

/* ask - up to the first answer that ends the message */
static int
ask(struct explain *e, struct why *why)
{
	struct mail *mail = &e->mail;
	struct answer a;
	bool lacks;

	(void)decide_mail(mail, e->now, &a);
	step(e, SLICE("MAIL FROM"), &a);
	e->known = mail->stream != NULL ? STAGE_MAIL : STAGE_RCPT;
	if (a.verdict != VERDICT_PASS)
		return 0;
	rcpts(e);
	if (mail->nrcpts == 0)
		return 0;
	if (mail->tenant != NULL && mail->stream == NULL) {
		e->known = STAGE_HEADERS;
		may(e);
	}
	if (mail->origin != ORIGIN_INBOUND) {
		if (decide_headers(mail, e->message.headers,
		    e->message.nheaders, e->now, &a) == VERDICT_PASS)
			(void)keys(e, &a);
		step(e, SLICE("headers"), &a);
		late_drops(e);
		e->verdict = a.verdict;
		if (a.verdict != VERDICT_PASS)
			return 0;
	}
	if (mail->tenant == NULL) {		/* untouched */
		e->accepted = true;
		e->verdict = VERDICT_PASS;
		return 0;
	}
	if (lacks_postal(e, &lacks, why) == -1)
		return -1;
	if (lacks && postal_missing(mail, &a) != VERDICT_PASS) {
		step(e, SLICE("end of message"), &a);
		return 0;
	}
	if (decide_message(mail, e->message.size, e->now, &a) <= VERDICT_HOLD)
		e->accepted = true;
	step(e, SLICE("end of message"), &a);
	return e->file == NULL ? 0 : plan_make(mail, e->message.headers,
	    e->message.nheaders, &e->plan, mail->arena, why);
}

/* sum_up - what becomes of each recipient; of the message, if there is none */
static void
sum_up(struct explain *e)
{
	enum verdict worst = VERDICT_PASS;
	struct explain_rcpt *r;

	for (size_t i = 0; i < e->nrcpts; i++) {
		r = &e->rcpts[i];
		if (e->nsteps == 1 || (r->taken && (!e->accepted ||
		    e->mail.rcpts[r->at].verdict != VERDICT_DROP)))
			r->verdict = e->verdict;
		else if (r->taken)
			r->verdict = VERDICT_DROP;
		if (r->verdict > worst)
			worst = r->verdict;
	}
	if (e->mail.nrcpts == 0)
		e->verdict = worst;
}

/* explain_ask - one message; the mail's facts are set */
int
explain_ask(struct explain *e, struct why *why)
{
	int done;

	e->mail.policy = e->live.policy;
	e->mail.ledger = e->live.ledger;
	e->mail.orders = e->live.orders;
	e->mail.progress = e->live.progress;
	e->mail.happened = &e->live.happened;
	e->mail.arena = e->live.arena;
	e->mail.login = e->login;
	e->mail.listener = e->listener;
	e->mail.client = e->client;
	e->mail.declared = e->size;
	done = ask(e, why);
	sum_up(e);
	decide_abort(&e->mail);
	look(e);
	return done;
}

/* explain_how - why it is that tenant */
const char *
explain_how(const struct explain *e)
{
	switch (e->mail.origin) {
	case ORIGIN_TENANT:
		return e->mail.tenant != NULL && e->mail.tenant->automatic ?
		    "by the login's domain, auto_tenant" :
		    e->mail.login.n > 0 ? "by login" : "by client";
	case ORIGIN_CLAIMED:
		return "by a header that it may claim";
	case ORIGIN_TRUSTED:
		return "by From, from a trusted client";
	default:
		return "inbound: no login, no known client";
	}
}

/* explain_zone - the tenant's; what is shared counts in the policy's, or in
 * the pool's */
const struct zone *
explain_zone(const struct explain *e, const struct explain_limit *l)
{
	const struct tenant *t = e->mail.tenant;

	if (l != NULL && limit_egress(l->limit) && e->mail.egress != NULL)
		return e->mail.egress->pool->zone;
	return t != NULL && t->zone != NULL && (l == NULL ||
	    !limit_shared(l->limit)) ? t->zone : e->live.policy->zone;
}

/* explain_passed - who gets it at once */
size_t
explain_passed(const struct explain *e)
{
	size_t n = 0;

	for (size_t i = 0; i < e->nrcpts; i++)
		n += e->rcpts[i].verdict == VERDICT_PASS;
	return n;
}

/* explain_left - what may still be sent */
int64_t
explain_left(const struct explain_limit *l)
{
	int64_t gone = l->view.used + l->view.reserved;

	return gone < l->ask.most ? l->ask.most - gone : 0;
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
