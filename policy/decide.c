/*
 * decide - MAIL, RCPT, the end.  The headers are judged in decide_headers.c,
 * the stream in decide_stream.c, the limits in meter.c and judge.c.
 *
 * Who speaks is settled once, at MAIL, by the first that applies:
 *
 *	a login		the tenant that has it; a claim block, and then a
 *			header says which tenant; auto_tenant, by its domain;
 *			or nobody: unknown_sender.  The network does not help
 *			an unknown login.
 *	a client	in a tenant's network; in a claim block
 *	a client	that `trusted` names: decided at the end of the headers
 *	anybody else	inbound: local recipients only, and untouched
 *
 * Everything is denied that no line allows; PASS is said in few places.
 */
#include "policy/decide.h"

#include <string.h>

#include "policy/decide_in.h"
#include "policy/egress.h"
#include "policy/meter.h"
#include "policy/reply.h"
#include "policy/unsubscribe.h"

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

/* sender_owned - may this tenant use that MAIL FROM? */
static enum verdict
sender_owned(struct mail *mail, struct answer *a)
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
	(void)reply(a, arena, VERDICT_REFUSE, "553", "5.7.1", t->at,
	    "tenant %.*s does not own the sender's domain \"%.*s\"%.*s",
	    SLICE_ARG(t->name), SLICE_ARG(reply_clean(arena,
	    mail->mail_from.domain)), SLICE_ARG(reply_contact(arena, t)));
	a->unowned = true;
	return a->verdict;
}

/* decide_sender - the same, unless that is in shadow */
enum verdict
decide_sender(struct mail *mail, struct answer *a)
{
	if (egress_forged(mail->policy, &mail->mail_from)) {
		(void)reply(a, mail->arena, VERDICT_REFUSE, "553", "5.7.1",
		    mail->tenant->at, "tenant %.*s: \"%.*s\" is a return path "
		    "that only this gate writes",
		    SLICE_ARG(mail->tenant->name), SLICE_ARG(reply_clean(
		    mail->arena, mail->mail_from.text)));
		a->unowned = true;
		return a->verdict;
	}
	if (sender_owned(mail, a) == VERDICT_PASS ||
	    shadow(mail, SHADOW_OWNERSHIP, a) == VERDICT_PASS)
		return VERDICT_PASS;
	if ((shadow_some(mail) & SHADOW_OWNERSHIP) == 0)
		return a->verdict;
	mail->unowned = *a;
	return reply_pass(a, mail->tenant_rule);
}

/* by_login - the tenant of a login, or that it names one in a header */
static enum verdict
by_login(struct mail *mail, struct answer *a)
{
	const struct policy *p = mail->policy;
	char *who;

	mail->tenant = policy_by_login(p, mail->login, &mail->tenant_rule);
	if (mail->tenant != NULL)
		return VERDICT_PASS;
	if ((mail->claimer = policy_claim(p, mail->login, NULL)) != NULL)
		return VERDICT_PASS;
	if (policy_auto(p, mail->login, mail->arena, &mail->tenant) == -1)
		return reply_memory(a);
	if (mail->tenant != NULL) {
		mail->tenant_rule = mail->tenant->at;
		return VERDICT_PASS;
	}
	who = arena_printf(mail->arena, "login \"%.*s\" belongs to no tenant "
	    "here", SLICE_ARG(reply_clean(mail->arena, mail->login)));
	return who != NULL ? decide_unknown(mail, a, who) : reply_memory(a);
}

/* by_client - the tenant of a network, if it is in one */
static void
by_client(struct mail *mail)
{
	const struct policy *p = mail->policy;

	if (!mail->client.known)
		return;
	mail->tenant = policy_by_client(p, &mail->client, &mail->tenant_rule);
	if (mail->tenant == NULL)
		mail->claimer = policy_claim(p, SLICE_NONE, &mail->client);
}

/* decide_mail - who is it? */
enum verdict
decide_mail(struct mail *mail, int64_t now, struct answer *a)
{
	int parsed;

	decide_begin(a, STAGE_MAIL);
	mail->now = now;
	parsed = path_parse(mail, mail->mail_from_text, &mail->mail_from);
	if (parsed == -2)
		return reply_memory(a);
	mail->null_sender = parsed == 0;
	mail->tenant = NULL;
	mail->origin = ORIGIN_TENANT;
	if (mail->login.p == NULL || mail->login.n == 0)
		by_client(mail);
	else if (by_login(mail, a) != VERDICT_PASS)
		return a->verdict;
	if (mail->claimer != NULL) {
		mail->origin = ORIGIN_CLAIMED;
		return reply_pass(a, mail->claimer->at);
	}
	if (mail->tenant == NULL) {
		mail->origin = policy_trusts(mail->policy, &mail->client) ?
		    ORIGIN_TRUSTED : ORIGIN_INBOUND;
		return reply_pass(a, (struct place){ NULL, 0, 0 });
	}
	if (decide_tenant(mail, a) != VERDICT_PASS ||
	    decide_stream_mail(mail, a) != VERDICT_PASS)
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

/* decide_crowd - are so many recipients too many for one message? */
enum verdict
decide_crowd(struct mail *mail, const struct rcpt *rcpt, size_t n,
    struct answer *a)
{
	const struct tenant *t = mail->tenant;
	bool next = a->stage == STAGE_RCPT;
	struct place at = { NULL, 0, 0 };
	int most = decide_stream_most(mail, rcpt, &at);

	if (most <= 0 || n <= (size_t)most)
		return reply_pass(a, mail->tenant_rule);
	(void)reply(a, mail->arena, VERDICT_DEFER, "452", "4.5.3", at,
	    "tenant %.*s: at most %d recipients in one message "
	    "(max_recipients)%s%.*s", SLICE_ARG(t->name), most,
	    next ? "; next slot: the next message" : "",
	    SLICE_ARG(reply_contact(mail->arena, t)));
	return shadow(mail, SHADOW_LIMITS, a);
}

/* rcpt_limits - is there room for him?  Not for one alone, where it is all or
 * none */
static enum verdict
rcpt_limits(struct mail *mail, struct rcpt *rcpt, int64_t now,
    struct answer *a)
{
	if (mail->releasing != NULL)	/* asked as a whole, at the end */
		return reply_pass(a, mail->tenant_rule);
	if (decide_backoff(mail, rcpt, a) == VERDICT_PASS &&
	    decide_crowd(mail, rcpt, mail->nremote + 1, a) == VERDICT_PASS &&
	    egress_crowd(mail, rcpt, now, a) == VERDICT_PASS &&
	    unsubscribe_rcpt(mail, a) == VERDICT_PASS &&
	    meters_reserve(mail, rcpt, now, a) <= VERDICT_HOLD)
		return a->verdict;
	if (decide_all_or_none(mail)) {
		mail->barred = *a;
		ledger_release(mail->ledger, &mail->claim);
	}
	return a->verdict;
}

/* rcpt_remote - may this mail go to one more recipient elsewhere? */
static enum verdict
rcpt_remote(struct mail *mail, struct rcpt *rcpt, int64_t now,
    struct answer *a)
{
	const struct route *route = mail->route;

	if (mail->origin == ORIGIN_INBOUND)
		return decide_unknown(mail, a, "who sends this? nobody logged "
		    "in, and the recipient is not local");
	rcpt->provider = provider_of(rcpt->to.domain);
	if (rcpt->provider == PROVIDER_UNRESOLVED && mail->happened != NULL &&
	    mail->happened->provider != NULL)
		rcpt->provider = mail->happened->provider(
		    mail->happened->with, rcpt->to.domain);
	if (mail->origin != ORIGIN_TENANT)	/* whose it is comes later */
		return reply_pass(a, mail->claimer != NULL ?
		    mail->claimer->at : mail->policy->trusted_at);
	if (decide_stream_rcpt(mail, rcpt, a) == VERDICT_PASS &&
	    decide_desk(mail, rcpt->provider, a) == VERDICT_PASS &&
	    decide_suppressed(mail, rcpt, a) == VERDICT_PASS &&
	    rcpt->verdict != VERDICT_DROP && (mail->releasing != NULL ||
	    egress_rcpt(mail, rcpt, a) == VERDICT_PASS))
		(void)rcpt_limits(mail, rcpt, now, a);
	if (a->verdict > VERDICT_HOLD) {
		decide_stream_back(mail);
		mail->route = route;
	}
	return a->verdict;
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
	if (mail->barred.code != NULL) {
		*a = mail->barred;
		return a->verdict;
	}
	rcpt.local = policy_is_local(mail->policy, transport);
	rcpt.path = text;
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
	else if (rcpt_remote(mail, &rcpt, now, a) > VERDICT_HOLD)
		return a->verdict;
	rcpt.rule = a->rule;
	mail->rcpts[mail->nrcpts++] = rcpt;
	mail->nremote += !rcpt.local;
	return a->verdict;
}

/* nobody_left - were there recipients, and may none of them have it? */
static bool
nobody_left(const struct mail *mail)
{
	for (size_t i = 0; i < mail->nrcpts; i++)
		if (mail->rcpts[i].verdict != VERDICT_DROP)
			return false;
	return mail->nrcpts > 0;
}

/* rcpts_desk - recipients came before the tenant of trusted mail, or before
 * the stream, was known: one that an operator paused defers the whole */
static enum verdict
rcpts_desk(struct mail *mail, struct answer *a)
{
	size_t i;

	for (i = 0; i < mail->nrcpts; i++)
		if (!mail->rcpts[i].local &&
		    mail->rcpts[i].verdict != VERDICT_DROP &&
		    decide_desk(mail, mail->rcpts[i].provider, a) !=
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
	if (nobody_left(mail))
		return reply(a, mail->arena, VERDICT_REFUSE, "550", "5.7.1",
		    mail->rcpts[0].rule, "tenant %.*s: none of its recipients "
		    "may have this message%.*s", SLICE_ARG(mail->tenant->name),
		    SLICE_ARG(reply_contact(mail->arena, mail->tenant)));
	if (rcpts_desk(mail, a) != VERDICT_PASS ||
	    decide_backoff_late(mail, a) != VERDICT_PASS)
		return a->verdict;
	if (egress_seal(mail, size, now, a) == VERDICT_PASS &&
	    !mail->meters.later)	/* what is held is asked again */
		(void)decide_backoff_way(mail, size, now, a);
	if (a->verdict > VERDICT_HOLD)
		return a->verdict;
	return decide_broken(mail, a);
}

/* decide_abort - nobody is charged */
void
decide_abort(struct mail *mail)
{
	if (mail->ledger != NULL)
		ledger_release(mail->ledger, &mail->claim);
}
