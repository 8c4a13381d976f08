/*
 * decide_backoff - providers who want less, as the next recipient meets them.
 *
 * Asked at RCPT, of the tenant and the provider, or the domain where nobody
 * knows one: a look-up, and nothing is allocated unless something is in force.
 * What the row says is used to make mail slower or to make it wait, never the
 * other way round, and for no longer than backoff_max.
 *
 * A pause is 451 for that recipient.  Slow is one throttle more, in the ledger
 * like all others, that sees the mail of this tenant to that provider alone.
 * In advise both are decided as limits in shadow are: counted and recorded, and
 * the mail passes.
 *
 * While the stream is not known it is asked only when all streams say the
 * same; else, and for mail whose tenant comes late, at the end of the message,
 * where one recipient cannot be deferred without the others.
 *
 * Mail that leaves by a pool is counted by the address, whose ever it is, so
 * the address is what is asked for: at RCPT when the pool has one, else when it
 * is chosen.  It is chosen without a look at back-off: a provider that wants
 * less from an address does not get the same mail from the next one by itself.
 */
#include "policy/decide_in.h"

#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "policy/meter.h"
#include "policy/reply.h"

/* One that is in force for mail of this message. */
struct backed {
	struct backed	*next;
	uint8_t		 key[BACKOFF_KEY];
	struct backoff	 b;
	struct limit	 limit;		/* its name; of slow, its throttle */
};

/* What the policy says of it. */
struct said {
	enum heed	 heed;
	int64_t		 most;
	bool		 known;		/* the stream, or all, say so */
};

/* said_of - the stream, or all of them when they agree */
static struct said
said_of(const struct mail *mail)
{
	const struct tenant *t = mail->tenant;
	const struct stream *s = mail->stream != NULL ? mail->stream :
	    t->streams[0];
	struct said said = { s->backoff, s->backoff_max, true };

	for (size_t i = 1; mail->stream == NULL && i < t->nstreams; i++)
		if (t->streams[i]->backoff != s->backoff ||
		    t->streams[i]->backoff_max != s->backoff_max)
			said.known = false;
	return said;
}

/* pace - "10/minute" of a rate */
static const char *
pace(struct arena *arena, int64_t n, int64_t period)
{
	static const struct {
		int64_t		 us;
		const char	*name;
	} units[] = { { CLOCK_SECOND, "second" }, { CLOCK_MINUTE, "minute" },
		{ CLOCK_HOUR, "hour" }, { CLOCK_DAY, "day" } };

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (units[i].us == period)
			return arena_printf(arena, "%lld/%s", (long long)n,
			    units[i].name);
	return arena_printf(arena, "%lld in %lld s", (long long)n,
	    (long long)(period / CLOCK_SECOND));
}

/* place_of - "backoff.conf:12" as a place */
static struct place
place_of(const char *text, struct arena *arena)
{
	const char *colon = strrchr(text, ':'), *p;
	struct place at = { NULL, 0, 0 };
	struct slice file;

	if (colon == NULL)
		return at;
	file = arena_copy(arena, (struct slice){ text,
	    (size_t)(colon - text) });
	at.file = file.p;
	for (p = colon + 1; *p >= '0' && *p <= '9' && at.line < 1000000; p++)
		at.line = at.line * 10 + (unsigned)(*p - '0');
	return at;
}

/* limit_of - the throttle that slow is; of a pause, the name that it has in
 * events. false: no memory */
static bool
limit_of(struct backed *k, bool domain, struct slice to, bool advised,
    struct arena *arena)
{
	struct limit *l = &k->limit;
	const char *name = arena_printf(arena, "backoff:%s", k->b.rule);
	const char *text = k->b.action == BACKOFF_SLOW ?
	    pace(arena, k->b.rate, k->b.period) : "pause";

	if (name == NULL || text == NULL)
		return false;
	*l = (struct limit){ .kind = LIMIT_THROTTLE, .name = slice_of(name),
	    .text = slice_of(text), .to = UINT64_MAX, .to_text = to,
	    .per = PER_TENANT | (domain ? PER_RECIPIENT_DOMAIN :
	    PER_PROVIDER), .rate = k->b.rate, .period = k->b.period,
	    .burst = k->b.rate >= 120 ? k->b.rate / 60 : 1,
	    .over = OVER_DEFER, .shadow = advised,
	    .at = place_of(k->b.place, arena) };
	l->over_at = l->at;
	return true;
}

/* find - one that this message met before */
static struct backed *
find(const struct mail *mail, const uint8_t key[BACKOFF_KEY])
{
	struct backed *k = mail->backed;

	while (k != NULL && memcmp(k->key, key, BACKOFF_KEY) != 0)
		k = k->next;
	return k;
}

/* way - the address that his mail leaves by; NULL: Postfix's own route, or
 * *wait: that is not known yet */
static const struct pool_address *
way(const struct mail *mail, bool *wait)
{
	const struct pool *pool = mail->route != NULL ? mail->route->pool :
	    NULL;

	*wait = false;
	for (size_t i = 0; mail->stream == NULL &&
	    i < mail->tenant->nstreams; i++)
		*wait = *wait || mail->tenant->streams[i]->nroutes > 0;
	if (*wait || mail->egress != NULL || pool == NULL || mail->away != NULL)
		return mail->egress;
	*wait = pool->naddresses != 1;
	return *wait ? NULL : &pool->addresses[0];
}

/* ask - fetch: what is in force for such mail */
static int
ask(struct mail *mail, const struct rcpt *rcpt, const struct said *said,
    const struct pool_address *from, struct backed **out)
{
	const struct happened *h = mail->happened;
	struct backoff_when when = { .now = mail->now, .most = said->most };
	uint8_t key[BACKOFF_KEY];
	struct backoff b;
	struct backed *k;
	struct slice to;
	bool domain = backoff_to(rcpt->provider, rcpt->to.domain, &to);

	backoff_key(from != NULL, from != NULL ? from->id : mail->tenant->id,
	    domain, to, key);
	if ((*out = find(mail, key)) != NULL)
		return 1;
	when.lifted = orders_backoff_lifted(mail->orders, mail->tenant->id,
	    from != NULL ? from->address : SLICE_NONE, to);
	if (h->backoff(h->with, key, &when, &b) != 1)
		return 0;
	if ((k = arena_alloc(mail->arena, sizeof(*k))) == NULL)
		return -1;
	k->b = b;
	memcpy(k->key, key, sizeof(key));
	if (!limit_of(k, domain, to, said->heed == HEED_ADVISE, mail->arena))
		return -1;
	if (from != NULL)
		k->limit.per ^= PER_TENANT | PER_ADDRESS;
	k->next = mail->backed;
	*out = mail->backed = k;
	return 1;
}

/* says - "tenant acme: google wants less until 14:30: 3 answers within 1 h" */
static enum verdict
says(struct mail *mail, const struct backed *k, struct answer *a)
{
	const struct tenant *t = mail->tenant;
	const struct zone *zone = t->zone != NULL ? t->zone :
	    mail->policy->zone;
	char when[128];

	/* people read minutes: the first full one that is not too early */
	(void)zone_print(zone, k->b.until + (CLOCK_MINUTE - 1), when,
	    sizeof(when));
	(void)reply(a, mail->arena, VERDICT_DEFER, "451", "4.7.0",
	    k->limit.at, "tenant %.*s: %.*s wants less mail, next slot %s: "
	    "back-off rule %s, %llu answers within %lld min, the last \"%.*s\""
	    "%.*s", SLICE_ARG(t->name), SLICE_ARG(k->limit.to_text), when,
	    k->b.rule, (unsigned long long)k->b.hits,
	    (long long)(k->b.window / CLOCK_MINUTE),
	    SLICE_ARG(reply_clean(mail->arena, slice_of(k->b.reply))),
	    SLICE_ARG(reply_contact(mail->arena, t)));
	a->limit = &k->limit;
	a->next = k->b.until;
	return a->verdict;
}

/* decide_backoff - one remote recipient of a tenant that is known */
enum verdict
decide_backoff(struct mail *mail, struct rcpt *rcpt, struct answer *a)
{
	const struct happened *h = mail->happened;
	const struct pool_address *from;
	struct said said = said_of(mail);
	struct backed *k;
	bool wait;

	if (h == NULL || h->backoff == NULL || !said.known)
		return reply_pass(a, mail->tenant_rule);
	from = way(mail, &wait);
	if (wait)
		return reply_pass(a, mail->tenant_rule);
	rcpt->backoff = true;
	if (said.heed == HEED_OFF)
		return reply_pass(a, mail->tenant_rule);
	switch (ask(mail, rcpt, &said, from, &k)) {
	case 0:
		return reply_pass(a, mail->tenant_rule);
	case -1:
		return reply_memory(a);
	}
	if (k->b.action == BACKOFF_SLOW) {
		rcpt->slow = &k->limit;
		return reply_pass(a, mail->tenant_rule);
	}
	if (says(mail, k, a) != VERDICT_DEFER || strcmp(a->dsn, "4.3.0") == 0)
		return a->verdict;
	if (said.heed == HEED_ENFORCE)
		return shadow(mail, SHADOW_LIMITS, a);
	would_keep(mail, a);
	a->limit = NULL;
	a->next = 0;
	return reply_pass(a, mail->tenant_rule);
}

/* late - whoever was accepted before it could be asked; *slow: one of them
 * goes slower */
static enum verdict
late(struct mail *mail, bool *slow, struct answer *a)
{
	*slow = false;
	for (size_t i = 0; i < mail->nrcpts; i++) {
		struct rcpt *rcpt = &mail->rcpts[i];

		if (rcpt->local || rcpt->verdict == VERDICT_DROP ||
		    rcpt->backoff)
			continue;
		if (decide_backoff(mail, rcpt, a) != VERDICT_PASS)
			return a->verdict;
		*slow = *slow || rcpt->slow != NULL;
	}
	return VERDICT_PASS;
}

/* decide_backoff_late - before the limits are asked for the last time */
enum verdict
decide_backoff_late(struct mail *mail, struct answer *a)
{
	bool slow;

	return late(mail, &slow, a);
}

/* decide_backoff_way - the address is chosen, all limits have room */
enum verdict
decide_backoff_way(struct mail *mail, int64_t size, int64_t now,
    struct answer *a)
{
	struct answer sealed = *a;
	bool slow;

	if (late(mail, &slow, a) != VERDICT_PASS)
		return a->verdict;
	if (slow)
		return meters_seal(mail, size, now, a);
	*a = sealed;
	return a->verdict;
}
