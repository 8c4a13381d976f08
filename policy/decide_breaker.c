/*
 * decide_breaker - breakers that tripped, as the next message meets them.
 *
 * Asked as soon as the stream is known, which for most mail is at MAIL.  The
 * row says that it tripped and the policy of now says what that means: an edit
 * of the action holds at once, and a breaker that is not there any more stops
 * nobody.  A pause is 451; held mail is accepted into the hold queue and waits
 * for a person; slow is one throttle more, of the breaker's own name.
 */
#include "policy/decide_in.h"

#include "lib/hash.h"
#include "policy/meter.h"
#include "policy/reply.h"


/* key - of what it counts apart */
static void
key(const struct mail *mail, const struct breaker *k, uint8_t out[TRIP_KEY])
{
	trip_key(mail->tenant->id, k->name, (k->per & PER_STREAM) != 0 ?
	    mail->stream->id : 0, (k->per & PER_LOGIN) != 0 ?
	    hash_id("login", mail->login) : 0, out);
}

/* says - "tenant acme: breaker hard tripped: 12 of 80 hard_bounce" */
static enum verdict
says(struct mail *mail, const struct breaker *k, const struct trip *trip,
    enum verdict verdict, struct answer *a)
{
	const struct tenant *t = mail->tenant;
	const struct zone *zone = t->zone != NULL ? t->zone :
	    mail->policy->zone;
	char when[128];

	(void)zone_print(zone, trip->time, when, sizeof(when));
	return reply(a, mail->arena, verdict, verdict == VERDICT_HOLD ? "250" :
	    "451", verdict == VERDICT_HOLD ? "2.0.0" : "4.7.0", k->at,
	    "tenant %.*s: breaker %.*s tripped at %s: %llu of %llu recipients "
	    "%s; a person must lift it%.*s", SLICE_ARG(t->name),
	    SLICE_ARG(k->name), when, (unsigned long long)trip->bad,
	    (unsigned long long)trip->all, breaker_when_names[k->when],
	    SLICE_ARG(reply_contact(mail->arena, t)));
}

/* obey - one that is tripped */
static enum verdict
obey(struct mail *mail, const struct breaker *k, const struct trip *trip,
    struct answer *a)
{
	struct answer held = { .stage = a->stage };

	if (k->action == BREAKER_SLOW) {
		if (mail->nslow < sizeof(mail->slow) / sizeof(mail->slow[0]))
			mail->slow[mail->nslow++] = &k->slow;
		return VERDICT_PASS;
	}
	if (k->action == BREAKER_PAUSE) {
		(void)says(mail, k, trip, VERDICT_DEFER, a);
		return shadow(mail, SHADOW_LIMITS, a);
	}
	if (mail->releasing != NULL && mail->releasing->asked_for)
		return VERDICT_PASS;	/* a person said so */
	if (says(mail, k, trip, VERDICT_HOLD, &held) != VERDICT_HOLD) {
		*a = held;
		return a->verdict;
	}
	mail->broken = held;
	if (shadow(mail, SHADOW_LIMITS, &held) == VERDICT_PASS)
		mail->broken.code = NULL;
	return VERDICT_PASS;
}

/* decide_breakers - all of the stream; the first that pauses is told */
enum verdict
decide_breakers(struct mail *mail, struct answer *a)
{
	const struct happened *h = mail->happened;
	const struct stream *s = mail->stream;
	uint8_t of[TRIP_KEY];
	struct trip trip;

	mail->nslow = 0;
	mail->broken.code = NULL;
	if (h == NULL || h->tripped == NULL)
		return reply_pass(a, mail->tenant_rule);
	for (size_t i = 0; i < s->nbreakers; i++) {
		const struct breaker *k = s->breakers[i];

		if (k->off)
			continue;
		key(mail, k, of);
		if (h->tripped(h->with, of, &trip) != 1 || trip.time == 0 ||
		    trip.time <= orders_lifted(mail->orders, mail->tenant->id,
		    k->name))
			continue;
		if (obey(mail, k, &trip, a) != VERDICT_PASS)
			return a->verdict;
	}
	return reply_pass(a, mail->tenant_rule);
}

/* decide_broken - every remote recipient waits for a person */
enum verdict
decide_broken(struct mail *mail, struct answer *a)
{
	if (mail->broken.code == NULL || mail->nremote == 0)
		return a->verdict;
	for (size_t i = 0; i < mail->nrcpts; i++) {
		struct rcpt *rcpt = &mail->rcpts[i];

		if (rcpt->local || rcpt->verdict == VERDICT_DROP)
			continue;
		rcpt->verdict = VERDICT_HOLD;
		rcpt->rule = mail->broken.rule;
	}
	mail->hold = mail->broken;
	*a = mail->broken;
	a->stage = STAGE_MESSAGE;
	return VERDICT_HOLD;
}
