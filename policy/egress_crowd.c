/*
 * egress_crowd - do so many recipients of one message ever fit?
 *
 * Limits of pools and addresses are asked at the end of a message, for the
 * whole of it.  One with more recipients than any address may have in a day, or
 * at one provider, would be deferred there again and again, and nobody would
 * tell its sender what to do.  So at RCPT those are counted that have come, and
 * the one who is too many is answered 452 4.5.3, as with max_recipients: the
 * client sends the rest in the next message.
 *
 * What is compared is the number of the whole window, not what is left of it:
 * a message that only fits tomorrow stays in one piece.  Where headers decide
 * about the stream there is no pool at RCPT; then the answer at the end says it
 * (judge.c).
 */
#include "policy/decide_in.h"
#include "policy/egress.h"
#include "policy/meter.h"
#include "policy/reply.h"

struct crowd {
	struct mail	*mail;
	const struct rcpt *rcpt;	/* the one who comes */
	int64_t		 now, n;	/* with him; all of them */
	const struct limit *by;		/* what they are too many for */
	int64_t		 most;
};

/* gets_it - elsewhere? */
static bool
gets_it(const struct rcpt *r)
{
	return !r->local && r->verdict != VERDICT_DROP;
}

/* counted - how many of the message that limit counts in his counter */
static int64_t
counted(const struct crowd *c, const struct limit *limit)
{
	const struct mail *mail = c->mail;
	bool apart = (limit->per & PER_PROVIDER) != 0;
	int64_t n = 1;

	if (!measure_watches(limit, c->rcpt->provider))
		return 0;
	if (limit->to_all && !apart)
		return c->n;
	for (size_t i = 0; i < mail->nrcpts; i++) {
		const struct rcpt *r = &mail->rcpts[i];

		n += gets_it(r) && (apart ? r->provider == c->rcpt->provider :
		    measure_watches(limit, r->provider));
	}
	return n;
}

/* fit - do they, in those limits? */
static bool
fit(struct crowd *c, const struct pool_address *a,
    const struct limit *const *limits, size_t n)
{
	const struct mail *mail = c->mail;
	struct dimensions d;

	measure_begin(mail->policy, mail->tenant, mail->stream, &d);
	measure_egress(&d, a);
	d.progress = mail->progress;
	d.provider = c->rcpt->provider;
	for (size_t i = 0; i < n; i++) {
		const struct limit *l = limits[i];
		int64_t most;

		if (!limit_egress(l) || l->shadow || (l->per &
		    (PER_RECIPIENT_DOMAIN | PER_SENDER_DOMAIN)) != 0 ||
		    (l->kind != LIMIT_OPEN && l->count != COUNT_RECIPIENTS))
			continue;
		most = measure_whole(l, &d, c->now);
		if (most != LEDGER_UNBOUNDED)
			most += orders_grant(mail->orders, mail->tenant->id,
			    l->kind, l->name, c->now);
		if (counted(c, l) <= most)
			continue;
		/* of several addresses, what the widest says */
		if (most > c->most) {
			c->most = most;
			c->by = l;
		}
		return false;
	}
	return true;
}

/* fit_pool - by any of its addresses? */
static bool
fit_pool(struct crowd *c, const struct pool *pool)
{
	const struct stream *s = c->mail->stream;

	for (size_t i = 0; i < pool->naddresses; i++) {
		const struct pool_address *a = &pool->addresses[i];

		if (fit(c, a, s->limits, s->nlimits) &&
		    fit(c, a, pool->limits, pool->nlimits) &&
		    fit(c, a, a->limits, a->nlimits))
			return true;
	}
	return false;
}

/* egress_crowd - one too many? */
enum verdict
egress_crowd(struct mail *mail, const struct rcpt *rcpt, int64_t now,
    struct answer *a)
{
	struct crowd c = { .mail = mail, .rcpt = rcpt, .now = now, .n = 1 };
	const struct pool *pool = mail->route != NULL ? mail->route->pool :
	    NULL;
	const char *to = "";

	for (size_t i = 0; i < mail->nrcpts; i++)
		c.n += gets_it(&mail->rcpts[i]);
	if (c.n == 1 || pool == NULL || mail->stream == NULL ||
	    egress_away(mail, pool) != NULL || fit_pool(&c, pool) ||
	    (pool->overflow != NULL && egress_away(mail, pool->overflow) ==
	    NULL && fit_pool(&c, pool->overflow)) || c.by == NULL)
		return reply_pass(a, mail->tenant_rule);
	if ((c.by->per & PER_PROVIDER) != 0)
		to = provider_name(rcpt->provider);
	else if (!c.by->to_all)
		to = c.by->to_text.p;
	(void)reply(a, mail->arena, VERDICT_DEFER, "452", "4.5.3", c.by->at,
	    "tenant %.*s: pool %.*s takes at most %lld recipients%s%s of one "
	    "message, by limit %.*s (%.*s); next slot: the next message%.*s",
	    SLICE_ARG(mail->tenant->name), SLICE_ARG(pool->name),
	    (long long)c.most, *to != '\0' ? " at " : "", to,
	    SLICE_ARG(c.by->name), SLICE_ARG(c.by->text),
	    SLICE_ARG(reply_contact(mail->arena, mail->tenant)));
	a->limit = c.by;
	return shadow(mail, SHADOW_LIMITS, a);
}
