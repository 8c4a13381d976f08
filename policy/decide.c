/*
 * decide - MAIL, RCPT, the end.  The headers are judged in decide_headers.c,
 * the limits in meter.c.
 *
 * Who speaks is settled once, at MAIL, by the first that applies:
 *
 *	a login		the tenant that claims it, or nobody: unknown_sender.
 *			The network does not help an unknown login.
 *	a client	in a tenant's network
 *	a client	that `trusted` names: decided at the end of the headers
 *	anybody else	inbound: local recipients only, and untouched
 *
 * Everything is denied that no line allows; PASS is said in few places.
 */
#include "policy/decide.h"

#include <stdio.h>
#include <string.h>

#include "policy/decide_in.h"
#include "policy/meter.h"
#include "policy/reply.h"

#define RCPTS_FIRST	8

/* decide_begin - a fresh answer */
void
decide_begin(struct answer *a, enum stage stage)
{
	memset(a, 0, sizeof(*a));
	a->stage = stage;
}

/* decide_unknown - no tenant claims this */
enum verdict
decide_unknown(struct mail *mail, struct answer *a, const char *who)
{
	const struct policy *p = mail->policy;

	if (p->unknown_sender == UNKNOWN_REFUSE && !p->some_broken)
		return reply(a, mail->arena, VERDICT_REFUSE, "550", "5.7.1",
		    p->unknown_sender_at, "%s", who);
	return reply(a, mail->arena, VERDICT_DEFER, "451", "4.7.0",
	    p->unknown_sender_at, "%s", who);
}

/* decide_desk - did an operator pause this? */
enum verdict
decide_desk(struct mail *mail, uint64_t stream, unsigned provider,
    struct answer *a)
{
	const struct tenant *t = mail->tenant;
	const struct order *o = orders_pause(mail->orders, t->id, stream,
	    provider, mail->now);
	const struct desk_record *r;
	char what[3 * 64 + 32];

	if (o == NULL)
		return reply_pass(a, mail->tenant_rule);
	r = o->record;
	snprintf(what, sizeof(what), "%s%.*s%s%.*s",
	    r->stream.n > 0 ? ": stream " : "", SLICE_ARG(r->stream),
	    r->provider.n > 0 ? ": mail to " : "", SLICE_ARG(r->provider));
	return reply(a, mail->arena, VERDICT_DEFER, "451", "4.7.0",
	    orders_place(o), "tenant %.*s%s is paused: %.*s%.*s",
	    SLICE_ARG(t->name), what, (int)(r->reason.n < 300 ? r->reason.n :
	    300), r->reason.p, SLICE_ARG(reply_contact(mail->arena, t)));
}

/* stream_id - as the desk knows it; 0: not known yet */
static uint64_t
stream_id(const struct mail *mail)
{
	return mail->stream != NULL ? mail->stream->id : 0;
}

/* decide_tenant - may it send at all now? */
enum verdict
decide_tenant(struct mail *mail, struct answer *a)
{
	const struct tenant *t = mail->tenant;
	struct slice contact = reply_contact(mail->arena, t);

	if (t->form == FORM_BROKEN)
		return reply(a, mail->arena, VERDICT_DEFER, "451", "4.3.5",
		    t->at, "tenant %.*s: its policy file has mistakes, the "
		    "postmaster must mend it", SLICE_ARG(t->name));
	if (t->paused != NULL)
		return reply(a, mail->arena, VERDICT_DEFER, "451", "4.7.0",
		    t->paused_at, "tenant %.*s is paused: %.300s%.*s",
		    SLICE_ARG(t->name), t->paused, SLICE_ARG(contact));
	if (t->group != NULL && t->group->paused != NULL)
		return reply(a, mail->arena, VERDICT_DEFER, "451", "4.7.0",
		    t->group->paused_at, "tenant %.*s: group %.*s is paused: "
		    "%.300s%.*s", SLICE_ARG(t->name),
		    SLICE_ARG(t->group->name), t->group->paused,
		    SLICE_ARG(contact));
	if (decide_desk(mail, 0, ORDERS_ALL, a) != VERDICT_PASS)
		return a->verdict;
	mail->stream = policy_default(t);
	if (meters_make(mail) == -1)
		return reply_memory(a);
	return reply_pass(a, mail->tenant_rule);
}

/* raw_path - an address as given, without its angle brackets */
static struct slice
raw_path(struct slice s)
{
	s = slice_trim(s);
	if (s.n >= 2 && s.p[0] == '<' && s.p[s.n - 1] == '>')
		return (struct slice){ s.p + 1, s.n - 2 };
	return s;
}

/* path_parse - an address of the envelope: 1; 0 the null path; -1 not one,
 * with the text as it came; -2 without memory */
static int
path_parse(struct mail *mail, struct slice text, struct mailbox *box)
{
	struct why why = { .kind = WHY_OTHER };
	int got = address_path(mail->arena, text, box, &why);

	if (got == 1)
		return 1;
	memset(box, 0, sizeof(*box));
	box->text = got == 0 ? SLICE("") : raw_path(text);
	return got == -1 && why.kind == WHY_MEMORY ? -2 : got;
}

/* decide_sender - may this tenant use that MAIL FROM? */
enum verdict
decide_sender(struct mail *mail, struct answer *a)
{
	const struct tenant *t = mail->tenant;
	struct arena *arena = mail->arena;

	if (!mail->null_sender && mail->mail_from.domain.n == 0)
		return reply(a, arena, VERDICT_REFUSE, "553", "5.1.7", t->at,
		    "tenant %.*s: \"%.*s\" is not a sender address",
		    SLICE_ARG(t->name), SLICE_ARG(reply_clean(arena,
		    mail->mail_from.text)));
	if (mail->null_sender || policy_owns(mail->policy, t,
	    mail->mail_from.domain, true))
		return reply_pass(a, mail->tenant_rule);
	return reply(a, arena, VERDICT_REFUSE, "553", "5.7.1", t->at,
	    "tenant %.*s does not own the sender's domain \"%.*s\"%.*s",
	    SLICE_ARG(t->name), SLICE_ARG(reply_clean(arena,
	    mail->mail_from.domain)), SLICE_ARG(reply_contact(arena, t)));
}

/* decide_mail - who is it? */
enum verdict
decide_mail(struct mail *mail, int64_t now, struct answer *a)
{
	const struct policy *p = mail->policy;
	int parsed;
	char *who;

	decide_begin(a, STAGE_MAIL);
	mail->now = now;
	parsed = path_parse(mail, mail->mail_from_text, &mail->mail_from);
	if (parsed == -2)
		return reply_memory(a);
	mail->null_sender = parsed == 0;
	mail->tenant = NULL;
	mail->origin = ORIGIN_TENANT;
	if (mail->login.p != NULL && mail->login.n > 0) {
		mail->tenant = policy_by_login(p, mail->login,
		    &mail->tenant_rule);
		if (mail->tenant == NULL) {
			who = arena_printf(mail->arena, "login \"%.*s\" "
			    "belongs to no tenant here", SLICE_ARG(reply_clean(
			    mail->arena, mail->login)));
			return who != NULL ? decide_unknown(mail, a, who) :
			    reply_memory(a);
		}
	} else if (mail->client.known)
		mail->tenant = policy_by_client(p, &mail->client,
		    &mail->tenant_rule);
	if (mail->tenant == NULL) {
		mail->origin = policy_trusts(p, &mail->client) ?
		    ORIGIN_TRUSTED : ORIGIN_INBOUND;
		return reply_pass(a, (struct place){ NULL, 0, 0 });
	}
	if (decide_tenant(mail, a) != VERDICT_PASS)
		return a->verdict;
	return decide_sender(mail, a);
}

/* rcpt_room - for one accepted recipient more */
static int
rcpt_room(struct mail *mail)
{
	size_t cap;
	struct rcpt *to;

	if (mail->nrcpts == mail->cap_rcpts) {
		cap = mail->cap_rcpts > 0 ? mail->cap_rcpts * 2 : RCPTS_FIRST;
		to = arena_array(mail->arena, cap, sizeof(*to));
		if (to == NULL)
			return -1;
		if (mail->nrcpts > 0)
			memcpy(to, mail->rcpts, mail->nrcpts * sizeof(*to));
		mail->rcpts = to;
		mail->cap_rcpts = cap;
	}
	return 0;
}

/* rcpt_crowded - is that one recipient too many for one message? */
static enum verdict
rcpt_crowded(struct mail *mail, size_t n, struct answer *a)
{
	const struct tenant *t = mail->tenant;
	const struct stream *s = mail->stream;
	bool next = a->stage == STAGE_RCPT;

	if (s->max_recipients <= 0 || n <= (size_t)s->max_recipients)
		return VERDICT_PASS;
	(void)reply(a, mail->arena, VERDICT_DEFER, "452", "4.5.3",
	    s->max_recipients_at, "tenant %.*s: at most %d recipients in one "
	    "message (max_recipients)%s%.*s", SLICE_ARG(t->name),
	    s->max_recipients, next ? "; next slot: the next message" : "",
	    SLICE_ARG(reply_contact(mail->arena, t)));
	return meters_shadow(mail, a);
}

/* rcpt_remote - may this mail go to one more recipient elsewhere? */
static enum verdict
rcpt_remote(struct mail *mail, struct rcpt *rcpt, int64_t now,
    struct answer *a)
{
	if (mail->origin == ORIGIN_INBOUND)
		return decide_unknown(mail, a, "who sends this? nobody logged "
		    "in, and the recipient is not local");
	rcpt->provider = provider_of(rcpt->to.domain);
	if (mail->origin == ORIGIN_TRUSTED)
		return reply_pass(a, mail->policy->trusted_at);
	if (decide_desk(mail, stream_id(mail), rcpt->provider, a) !=
	    VERDICT_PASS ||
	    rcpt_crowded(mail, mail->nremote + 1, a) != VERDICT_PASS)
		return a->verdict;
	return meters_reserve(mail, rcpt->provider, now, a);
}

/* decide_rcpt - one more recipient */
enum verdict
decide_rcpt(struct mail *mail, struct slice text, struct slice transport,
    int64_t now, struct answer *a)
{
	struct rcpt rcpt = { .verdict = VERDICT_PASS };
	int parsed;

	decide_begin(a, STAGE_RCPT);
	mail->now = now;
	rcpt.local = policy_is_local(mail->policy, transport);
	parsed = path_parse(mail, text, &rcpt.to);
	if (parsed == -2 || rcpt_room(mail) == -1)
		return reply_memory(a);
	if (parsed != 1 && !rcpt.local && mail->origin != ORIGIN_INBOUND)
		return reply(a, mail->arena, VERDICT_REFUSE, "553", "5.1.3",
		    (struct place){ NULL, 0, 0 }, "\"%.*s\" is not a "
		    "recipient address", SLICE_ARG(reply_clean(mail->arena,
		    rcpt.to.text)));
	if (rcpt.local)
		(void)reply_pass(a, mail->tenant_rule);
	else if (rcpt_remote(mail, &rcpt, now, a) != VERDICT_PASS)
		return a->verdict;
	rcpt.rule = a->rule;
	mail->rcpts[mail->nrcpts++] = rcpt;
	mail->nremote += !rcpt.local;
	return VERDICT_PASS;
}

/* rcpts_desk - recipients came before the tenant of trusted mail, or before
 * the stream, was known: one that an operator paused defers the whole */
static enum verdict
rcpts_desk(struct mail *mail, struct answer *a)
{
	size_t i;

	for (i = 0; i < mail->nrcpts; i++)
		if (!mail->rcpts[i].local && decide_desk(mail,
		    stream_id(mail), mail->rcpts[i].provider, a) !=
		    VERDICT_PASS)
			return a->verdict;
	return VERDICT_PASS;
}

/* decide_message - the whole of it, at the end */
enum verdict
decide_message(struct mail *mail, int64_t size, int64_t now, struct answer *a)
{
	decide_begin(a, STAGE_MESSAGE);
	mail->now = now;
	if (mail->tenant == NULL) {
		/* inbound, or trusted mail that stays here */
		if (mail->nremote == 0)
			return reply_pass(a, mail->tenant_rule);
		return decide_unknown(mail, a, "nobody is known to send this");
	}
	if (rcpts_desk(mail, a) != VERDICT_PASS)
		return a->verdict;
	if (mail->origin == ORIGIN_TRUSTED &&
	    rcpt_crowded(mail, mail->nremote, a) != VERDICT_PASS)
		return a->verdict;
	return meters_seal(mail, size, now, a);
}

/* decide_abort - nobody is charged */
void
decide_abort(struct mail *mail)
{
	if (mail->ledger != NULL)
		ledger_release(mail->ledger, &mail->claim);
}
