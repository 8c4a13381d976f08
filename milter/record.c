/*
 * record - events and log lines from the state of a message.
 *
 * The accept event is built before the commit and kept until the edits are
 * through, since a failing edit voids exactly what it says.  A refusal's is
 * built on the stack and copied by the writer.  When the arena has no room
 * for a part of a refusal, the part is left out: the refusal stands.
 */
#include "milter/record.h"

#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "policy/egress.h"

/* or_dash - for eyes */
static struct slice
or_dash(struct slice s)
{
	return s.n > 0 ? s : SLICE("-");
}

/* say - the line of a message; would: of a limit in shadow mode, or NULL */
static void
say(struct session *s, enum verdict verdict, const char *would,
    struct slice rule)
{
	struct message *m = &s->message;
	const struct tenant *t = m->mail.tenant;
	struct slice id = m->queue_id.n > 0 ? m->queue_id : SLICE("NOQUEUE");
	struct slice name = or_dash(t != NULL ? t->name : SLICE_NONE);
	struct slice by = or_dash(rule), stream = or_dash(
	    m->mail.stream != NULL ? m->mail.stream->name : SLICE_NONE);
	struct slice address = m->mail.egress != NULL ?
	    m->mail.egress->address : SLICE("");

	log_info("%.*s: tenant=%.*s stream=%.*s rcpts=%zu verdict=%s%s%s "
	    "rule=%.*s%s%.*s", SLICE_ARG(id), SLICE_ARG(name),
	    SLICE_ARG(stream), m->mail.nrcpts,
	    verdict_names[verdict], would != NULL ? " would=" : "",
	    would != NULL ? would : "", SLICE_ARG(by),
	    address.n > 0 ? " address=" : "", SLICE_ARG(address));
	m->logged = true;
}

/* record_pass - it was accepted, if only because a shadow bars nobody, or
 * into the hold queue */
void
record_pass(struct session *s)
{
	const struct mail *mail = &s->message.mail;
	const struct would *w = &mail->would;
	bool held = mail->hold.code != NULL;

	say(s, held ? VERDICT_HOLD : VERDICT_PASS, w->verdict !=
	    VERDICT_PASS ? verdict_names[w->verdict] : NULL,
	    held ? policy_rule(mail->policy, mail->hold.rule,
	    s->message.arena) : w->verdict != VERDICT_PASS ?
	    policy_rule(mail->policy, w->rule, s->message.arena) :
	    SLICE_NONE);
}

/* record_unsaid - a message that ended with refused recipients only */
void
record_unsaid(struct session *s)
{
	struct message *m = &s->message;

	if (m->refused > 0 && !m->logged)
		say(s, m->last_refusal, NULL, m->last_rule);
}

/* message_id - the header's value, as written */
static struct slice
message_id(const struct message *m)
{
	struct slice v;

	for (size_t i = 0; i < m->nheaders; i++) {
		if (!slice_case_eq(m->headers[i].name, SLICE("message-id")))
			continue;
		v = slice_trim(m->headers[i].value);
		if (v.n > MESSAGE_NAME_MOST)
			v.n = MESSAGE_NAME_MOST;
		return v;
	}
	return SLICE_NONE;
}

/* fill_way - the pool and the address; before the end, the pool that it is to
 * leave by */
static void
fill_way(const struct mail *mail, struct event *e)
{
	if (mail->egress != NULL) {
		e->pool = mail->egress->pool->name;
		e->address = mail->egress->address;
	} else if (mail->route != NULL && mail->away == NULL) {
		e->pool = mail->route->pool->name;
	}
	if (egress_overflowed(mail))
		e->flags |= EVENT_OVERFLOW;
}

/* fill_common - what is the same for every kind; client: its text */
static void
fill_common(struct session *s, struct event *e, struct slice client)
{
	struct message *m = &s->message;
	const struct mail *mail = &m->mail;
	const struct tenant *t = mail->tenant;

	*e = (struct event){
		.time = clock_now(),
		.instance = slice_of(s->gate->config->milter.instance),
		.queue_id = m->queue_id,
		.login = mail->login,
		.listener = mail->listener,
		.client = client,
		.mail_from = mail->mail_from.text,
		.from_domains = mail->from_domains,
		.nfrom_domains = mail->nfrom_domains,
		.campaign = mail->campaign,
		.message_id = message_id(m),
		.size = m->size,
		.count = 1,
	};
	if (t != NULL) {
		e->tenant = t->name;
		e->stream = mail->stream != NULL ? mail->stream->name :
		    SLICE_NONE;
		e->matched = mail->matched != NULL ? mail->matched->text :
		    SLICE_NONE;
		if (t->group != NULL)
			e->group = t->group->name;
	}
	fill_way(mail, e);
	memcpy(e->policy_hash, mail->policy->hash, sizeof(e->policy_hash));
}

/* fill_recipients - those that were accepted */
static int
fill_recipients(struct message *m, struct event *e)
{
	const struct mail *mail = &m->mail;
	struct event_recipient *r;

	if ((r = arena_array(m->arena, mail->nrcpts, sizeof(*r))) == NULL)
		return -1;
	for (size_t i = 0; i < mail->nrcpts; i++) {
		const struct rcpt *from = &mail->rcpts[i];

		r[i] = (struct event_recipient){
			.address = from->to.text,
			.domain = from->to.domain,
			.provider = slice_of(provider_name(from->provider)),
			.local = from->local,
			.verdict = from->verdict,
			.rule = from->why.p != NULL ? from->why :
			    policy_rule(mail->policy, from->rule, m->arena),
		};
	}
	e->recipients = r;
	e->nrecipients = mail->nrcpts;
	return 0;
}

/* fill_signatures - who signed */
static int
fill_signatures(struct message *m, struct event *e)
{
	const struct mail *mail = &m->mail;
	struct event_signature *g;

	if ((g = arena_array(m->arena, mail->nidentities,
	    sizeof(*g))) == NULL)
		return -1;
	for (size_t i = 0; i < mail->nidentities; i++) {
		g[i].domain = mail->identities[i]->domain;
		g[i].selector = mail->identities[i]->selector;
	}
	e->signatures = g;
	e->nsignatures = mail->nidentities;
	return 0;
}

/* fill_charges - what the sealed claim costs */
static int
fill_charges(struct message *m, struct event *e)
{
	const struct claim *claim = &m->mail.claim;
	struct charge *c;

	if ((c = arena_array(m->arena, claim->n, sizeof(*c))) == NULL)
		return -1;
	for (size_t i = 0; i < claim->n; i++)
		c[i] = claim->asks[i].charge;
	e->charges = c;
	e->ncharges = claim->n;
	return 0;
}

/* fill_would - what a limit in shadow mode would have answered; the verdict
 * says pass, the rest why it would not have been one */
static void
fill_would(struct message *m, struct event *e)
{
	const struct would *w = &m->mail.would;

	if (w->verdict == VERDICT_PASS)
		return;
	e->would = w->verdict;
	e->rule = policy_rule(m->mail.policy, w->rule, m->arena);
	e->limit = w->limit != NULL ? w->limit->name : SLICE_NONE;
	e->reply = w->text;
}

/* fill_hold - which limit it waits for; that counts more than a shadow */
static void
fill_hold(struct message *m, struct event *e)
{
	const struct answer *hold = &m->mail.hold;

	if (hold->code == NULL)
		return;
	e->kind = EVENT_HOLD;
	e->verdict = VERDICT_HOLD;
	e->rule = policy_rule(m->mail.policy, hold->rule, m->arena);
	e->limit = hold->limit != NULL ? hold->limit->name : SLICE_NONE;
	e->reply = hold->text;
}

/* record_accept - the event whose commit makes the message ours */
int
record_accept(struct session *s)
{
	struct message *m = &s->message;
	struct event *e = &m->event;
	char text[INET6_ADDRSTRLEN];
	struct slice client = SLICE_NONE;

	if (s->client.known) {
		client = arena_copy(m->arena,
		    slice_of(ip_print(&s->client, text)));
		if (client.p == NULL)
			return -1;
	}
	fill_common(s, e, client);
	e->kind = EVENT_ACCEPT;
	e->verdict = VERDICT_PASS;
	e->stage = STAGE_MESSAGE;
	e->rule = policy_rule(m->mail.policy, m->mail.tenant_rule, m->arena);
	fill_would(m, e);
	fill_hold(m, e);
	e->token = m->plan.carried.token;
	e->return_path = m->plan.carried.return_path;
	if (m->mail.no_postal)
		e->flags |= EVENT_NO_POSTAL;
	if (m->signing && sign_long_lines(s->signer))
		e->flags |= EVENT_LONG_LINES;
	if (fill_recipients(m, e) == -1 || fill_signatures(m, e) == -1 ||
	    fill_charges(m, e) == -1)
		return -1;
	return 0;
}

/* record_held - whose it is, until when it may wait, and for what */
int
record_held(struct session *s, struct held *h, struct why *why)
{
	const struct message *m = &s->message;
	const struct event *e = &m->event;
	const struct answer *hold = &m->mail.hold;

	*h = (struct held){
		.since = e->time,
		.until = e->time + m->mail.stream->hold_max,
		.forecast = hold->next > 0 ? hold->next : 0,
		.tenant_id = m->mail.tenant->id,
		.instance = e->instance,
		.queue_id = e->queue_id,
		.tenant = e->tenant,
		.stream = e->stream,
		.pool = e->pool,
		.address = e->address,
		.why = e->limit.n > 0 ? e->limit : e->rule,
	};
	if (!held_queue_id(e->queue_id))
		return why_set(why, "Postfix tells no queue id to hold the "
		    "message under (is i in milter_end_of_data_macros?)");
	return 0;
}

/* fill_refused - the one recipient that a refusal is about */
static void
fill_refused(struct message *m, struct event *e, struct slice text,
    struct event_recipient *r)
{
	struct mailbox to;
	struct why why;

	*r = (struct event_recipient){ .address = text, .verdict = e->verdict,
		.rule = e->rule };
	if (address_path(m->arena, text, &to, &why) == 1) {
		r->address = to.text;
		r->domain = to.domain;
		r->provider = slice_of(provider_name(provider_of(to.domain)));
	}
	e->recipients = r;
	e->nrecipients = 1;
}

/* all_dropped - did nobody get it, for what happened to them before? */
static bool
all_dropped(const struct message *m)
{
	for (size_t i = 0; i < m->mail.nrcpts; i++)
		if (m->mail.rcpts[i].verdict != VERDICT_DROP)
			return false;
	return m->mail.nrcpts > 0;
}

/* record_refusal - nobody waits for it */
void
record_refusal(struct session *s, const struct answer *a, struct slice rcpt)
{
	struct message *m = &s->message;
	struct event_recipient one;
	struct event e;
	char text[INET6_ADDRSTRLEN];
	struct slice rule;

	rule = policy_rule(m->mail.policy, a->rule, m->arena);
	fill_common(s, &e, s->client.known ?
	    slice_of(ip_print(&s->client, text)) : SLICE_NONE);
	e.kind = rcpt.p == NULL && all_dropped(m) ? EVENT_DROP :
	    a->verdict == VERDICT_REFUSE ? EVENT_REFUSE : EVENT_DEFER;
	e.verdict = a->verdict;
	e.stage = a->stage;
	e.rule = rule;
	e.reply = a->text;
	e.limit = a->limit != NULL ? a->limit->name : SLICE_NONE;
	if (a->unowned)
		e.flags |= EVENT_UNOWNED;
	if (rcpt.p != NULL)
		fill_refused(m, &e, rcpt, &one);
	else
		(void)fill_recipients(m, &e);
	writer_note(s->gate->writer, &e);
	if (rcpt.p == NULL) {
		say(s, a->verdict, NULL, rule);
		return;
	}
	m->refused++;
	m->deferred = m->deferred || a->verdict != VERDICT_REFUSE;
	m->last_refusal = a->verdict;
	m->last_rule = rule;
	log_debug("recipient %.*s: verdict=%s rule=%.*s", SLICE_ARG(rcpt),
	    verdict_names[a->verdict], SLICE_ARG(rule));
}
