/*
 * decide_release - the decision made again for a message that was held, before
 * it goes.
 *
 * Much may have changed while it waited: the tenant is paused or gone, its
 * login or domain is another's, the key that signed it is retired, a recipient
 * unsubscribed, a breaker tripped.  So nothing is believed of the old answer
 * but what was spent: who, stream, ownership, suppressions, pauses and breakers
 * are asked again of the policy and the lists of now, and then every limit
 * that the event did not charge: what was full then, what counts only at
 * release, and what was written since.
 *
 * What is left alone is what needed the message itself (its headers, its
 * number of recipients): it was in order when it came and has not changed.
 *
 * A recipient who may not have it any more.  Postfix cannot take one recipient
 * out of a message that is queued.  When nobody else is left the message is
 * dropped, as at acceptance.  Else it goes to nobody: to mail him is what he
 * asked us not to do, and to drop it in silence would hide from its sender that
 * the others have not got it.  It is given back to the sender at once, with
 * Postfix's notice, who sends it again without him; waiting for hold_max would
 * only make it later.
 *
 * All other trouble waits: a policy that is wrong for an hour must not bounce
 * what is held.  When hold_max is over, the pacer gives it back.
 */
#include "policy/decide_in.h"
#include "policy/egress.h"
#include "policy/meter.h"
#include "policy/recorded.h"
#include "policy/reply.h"

/* waits - not now; nothing is reserved */
static enum verdict
waits(struct mail *mail, struct answer *a)
{
	decide_abort(mail);
	a->verdict = VERDICT_DEFER;
	return VERDICT_DEFER;
}

/* has_key - does the stream, or the platform, still sign with that key? */
static bool
has_key(const struct identity *list, size_t n,
    const struct event_signature *g)
{
	for (size_t i = 0; i < n; i++)
		if (slice_case_eq(list[i].domain, g->domain) &&
		    slice_eq(list[i].selector, g->selector))
			return true;
	return false;
}

/* keys - the signatures stand in the message: are their keys still in use? */
static enum verdict
keys(struct mail *mail, const struct event *e, struct answer *a)
{
	const struct stream *s = mail->stream;
	const struct policy *p = mail->policy;

	for (size_t i = 0; i < e->nsignatures; i++) {
		const struct event_signature *g = &e->signatures[i];

		if (has_key(s->identities, s->nidentities, g) ||
		    has_key(p->identities, p->nidentities, g))
			continue;
		return reply(a, mail->arena, VERDICT_DEFER, "451", "4.7.0",
		    mail->tenant->at, "tenant %.*s: the message is signed "
		    "with the key %.*s of %.*s, which is not in the policy "
		    "any more", SLICE_ARG(mail->tenant->name),
		    SLICE_ARG(reply_clean(mail->arena, g->selector)),
		    SLICE_ARG(reply_clean(mail->arena, g->domain)));
	}
	return VERDICT_PASS;
}

/* way - Postfix was told when it came: it leaves as it was to, or waits */
static enum verdict
way(struct mail *mail, const struct event *e, struct answer *a)
{
	mail->bound = true;
	mail->away = NULL;
	mail->egress = e->address.n == 0 ? NULL :
	    egress_find(mail->policy, e->address);
	if (e->address.n == 0 || (mail->egress != NULL &&
	    slice_eq(mail->egress->pool->name, e->pool)))
		return VERDICT_PASS;
	return reply(a, mail->arena, VERDICT_DEFER, "451", "4.7.0",
	    mail->tenant->at, "tenant %.*s: the message is to leave by "
	    "address %.*s of pool %.*s, which is not in the policy any more",
	    SLICE_ARG(mail->tenant->name), SLICE_ARG(reply_clean(mail->arena,
	    e->address)), SLICE_ARG(reply_clean(mail->arena, e->pool)));
}

/* envelope - the sender, and those whom it was accepted for */
static enum verdict
envelope(struct mail *mail, const struct event *e, int64_t now,
    struct answer *a)
{
	const struct event_recipient *r;

	if (decide_mail(mail, now, a) != VERDICT_PASS)
		return a->verdict;
	for (size_t i = 0; i < e->nrecipients; i++) {
		r = &e->recipients[i];
		if (r->verdict != VERDICT_DROP && decide_rcpt(mail,
		    r->address, r->local ? recorded_local(mail->policy) :
		    SLICE("smtp"), now, a) > VERDICT_HOLD)
			return a->verdict;
	}
	return VERDICT_PASS;
}

/* headers - and whose it is by now */
static enum verdict
headers(struct mail *mail, const struct event *e, int64_t now,
    struct answer *a)
{
	struct header_fact h[RECORDED_HEADERS];
	size_t n;

	if (recorded_headers(e, mail, h, &n) == -1)
		return reply_memory(a);
	if (decide_headers(mail, h, n, now, a) != VERDICT_PASS)
		return a->verdict;
	if (mail->tenant == NULL || !slice_eq(mail->tenant->name, e->tenant))
		return reply(a, mail->arena, VERDICT_DEFER, "451", "4.7.0",
		    mail->tenant_rule, "tenant %.*s, who sent it, is not whom "
		    "its login or network belongs to now",
		    SLICE_ARG(reply_clean(mail->arena, e->tenant)));
	if (keys(mail, e, a) != VERDICT_PASS)
		return a->verdict;
	return way(mail, e, a);
}

/* barred - may somebody not have it any more?  PASS: nobody */
static enum verdict
barred(struct mail *mail, struct answer *a)
{
	const struct rcpt *first = NULL;
	size_t i, n = 0;

	for (i = 0; i < mail->nrcpts; i++) {
		if (mail->rcpts[i].verdict != VERDICT_DROP)
			continue;
		n++;
		if (first == NULL)
			first = &mail->rcpts[i];
	}
	if (n == 0)
		return VERDICT_PASS;
	decide_abort(mail);
	if (n == mail->nrcpts)
		return reply(a, mail->arena, VERDICT_DROP, "550", "5.7.1",
		    first->rule, "tenant %.*s: none of its recipients may "
		    "have this message any more: %.*s",
		    SLICE_ARG(mail->tenant->name), SLICE_ARG(first->why));
	return reply(a, mail->arena, VERDICT_REFUSE, "550", "5.7.1",
	    first->rule, "tenant %.*s: %zu of %zu recipients may not have "
	    "this message any more, and cannot be taken out of it while it is "
	    "queued: it goes back to its sender", SLICE_ARG(
	    mail->tenant->name), n, mail->nrcpts);
}

/* spent - what the event charged to limits, without what is only held */
static int
spent(struct mail *mail, const struct event *e, bool asked_for)
{
	struct releasing *r = arena_alloc(mail->arena, sizeof(*r));

	if (r == NULL)
		return -1;
	r->had = e->charges;
	r->n = e->ncharges;
	r->asked_for = asked_for;
	mail->releasing = r;
	return 0;
}

/* decide_release - may it go now? */
enum verdict
decide_release(struct mail *mail, const struct event *e, bool asked_for,
    int64_t now, struct answer *a)
{
	enum verdict verdict;

	decide_begin(a, STAGE_MESSAGE);
	if (spent(mail, e, asked_for) == -1) {
		(void)reply_memory(a);
		return waits(mail, a);
	}
	recorded_mail(e, mail);
	if (envelope(mail, e, now, a) != VERDICT_PASS ||
	    headers(mail, e, now, a) != VERDICT_PASS)
		return waits(mail, a);
	if ((verdict = barred(mail, a)) != VERDICT_PASS)
		return a->verdict == verdict ? verdict : waits(mail, a);
	if (decide_message(mail, e->size, now, a) != VERDICT_PASS)
		return waits(mail, a);
	return VERDICT_PASS;
}
