/*
 * judge - which limit decides when several do not fit, and the sentence that
 * says so.
 *
 * Refuse beats defer beats hold, then the later slot wins; the slot told is
 * the latest of all, since before it one of them would say no.
 *
 * A limit holds when what it lacks comes within hold_max, and when as much is
 * not held yet as may be; otherwise it says what `then` says.  What one's own
 * open messages stand in the way of is deferred, whatever the limit says: they
 * are over in a moment.
 *
 * Egress limits, of pools and addresses, come after the others.  A message that
 * another limit holds leaves later, so they are not asked now.  While there may
 * be another address for it (firm) they hold nothing, and whoever asks is told
 * that it was they alone that said no (way).
 */
#include "lib/hash.h"
#include "policy/meter.h"
#include "policy/reply.h"

#define MINUTE	INT64_C(60000000)
#define HOLD_AGAIN (60 * MINUTE)	/* when all that may wait does */

struct sight {			/* a shortfall, as it is judged */
	const struct meter *meter;
	const struct shortfall *lack;
	enum verdict	 says;
	int64_t		 next;		/* the slot told */
};

/* warm_text - "cold-slow, day 3 of 42: 60 a day", of a warmup */
static const char *
warm_text(struct mail *mail, const struct meter *meter, int64_t now)
{
	const struct limit *limit = meter->limit;
	struct dimensions d;
	struct warm_ask ask;
	struct warm_view v;

	meter_known(mail, meter, &d);
	measure_view(limit, &d, now, &ask, &v);
	if (v.stopped)
		return arena_printf(mail->arena, "%.*s, stopped on day %d",
		    SLICE_ARG(limit->text), v.day);
	if (v.day == 0)
		return arena_printf(mail->arena, "%.*s, not begun yet",
		    SLICE_ARG(limit->text));
	if (limit->part != WARM_SHARE)
		return arena_printf(mail->arena, "%.*s, day %d of %d: %lld a "
		    "day", SLICE_ARG(limit->text), v.day, v.days,
		    (long long)v.cap);
	return arena_printf(mail->arena, "%.*s, day %d of %d: %lld a day to "
	    "%s", SLICE_ARG(limit->text), v.day, v.days,
	    (long long)warmup_most(&ask, &v), d.provider < PROVIDER_MAX &&
	    (limit->per & PER_PROVIDER) != 0 ? provider_name(d.provider) :
	    limit->to_text.p);
}

/* fifths - is it the part that bulk mail has of it? */
static bool
fifths(const struct mail *mail, const struct limit *limit)
{
	return mail->stream != NULL && mail->egress != NULL &&
	    mail->stream->priority == PRIORITY_BULK && limit_shared(limit) &&
	    limit_egress(limit) && limit->kind == LIMIT_CAP;
}

/* limit_text - "200/hour to provider:google", for the reply */
static const char *
limit_text(struct mail *mail, const struct meter *meter, int64_t now)
{
	const struct limit *limit = meter->limit;
	struct arena *arena = mail->arena;
	const char *s;

	if (limit->warmup != NULL)
		s = warm_text(mail, meter, now);
	else if (limit->to_all)
		s = arena_printf(arena, "%.*s", SLICE_ARG(limit->text));
	else
		s = arena_printf(arena, "%.*s to %.*s", SLICE_ARG(limit->text),
		    SLICE_ARG(limit->to_text));
	if (s != NULL && fifths(mail, limit))
		s = arena_printf(arena, "%s, bulk mail 80%% of it", s);
	return s != NULL ? s : "";
}

/* too_large - is it more than a day of the warmup takes? */
static bool
too_large(struct mail *mail, const struct sight *s, int64_t now)
{
	struct dimensions d;
	int64_t whole;

	if (s->meter->limit->warmup == NULL || s->next >= LEDGER_SOMETIME)
		return false;
	meter_known(mail, s->meter, &d);
	whole = measure_whole(s->meter->limit, &d, now);
	return whole > 0 && mail->meters.asks[s->lack->which].charge.amount >
	    whole;
}

/* jittered - told later by a random part of the wait */
static int64_t
jittered(const struct limit *limit, const struct claim *claim, int64_t now,
    int64_t next)
{
	uint64_t dice;
	int64_t most;

	if (limit->jitter <= 0 || next <= now)
		return next;
	most = (int64_t)((__int128)(next - now) * limit->jitter / 1000);
	dice = hash_64((uint64_t)now, &claim, sizeof(claim));
	if (most <= 0 || most > INT64_MAX - next)
		return next;
	return next + (int64_t)(dice % (uint64_t)most);
}

/* slot_text - what the client is told about the next one */
static const char *
slot_text(struct mail *mail, const struct sight *s, struct answer *a,
    int64_t now)
{
	const struct tenant *t = mail->tenant;
	const struct zone *zone = t->zone != NULL ? t->zone :
	    mail->policy->zone;
	const char *text;
	char when[128];

	if (s->next == LEDGER_SOMETIME && s->meter->limit->warmup != NULL)
		return "next slot when the operator lets it go on";
	if (s->next == LEDGER_SOMETIME)
		return "next slot when mail that is under way has arrived or "
		    "failed";
	a->next = jittered(s->meter->limit, &mail->claim, now, s->next);
	/* people read minutes: the first full one that is not too early */
	(void)zone_print(zone, a->next + (MINUTE - 1), when, sizeof(when));
	text = arena_printf(mail->arena, s->says == VERDICT_HOLD ?
	    "held, next slot %s" : s->meter->hold || s->meter->need ||
	    s->meter->before > 0 ?
	    "no more of it may be held, next slot %s" : "next slot %s", when);
	return text != NULL ? text : "";
}

/* say_over - the sentence about the limit that decides */
static enum verdict
say_over(struct mail *mail, const struct sight *s, int64_t now,
    struct answer *a)
{
	static const char *const codes[] = { [VERDICT_HOLD] = "250",
		[VERDICT_DEFER] = "451", [VERDICT_REFUSE] = "550" };
	static const char *const dsns[] = { [VERDICT_HOLD] = "2.0.0",
		[VERDICT_DEFER] = "4.7.0", [VERDICT_REFUSE] = "5.7.1" };
	const struct tenant *t = mail->tenant;
	const struct limit *limit = s->meter->limit;
	const char *what = limit_text(mail, s->meter, now);
	struct slice contact = reply_contact(mail->arena, t);

	a->limit = limit;
	a->next = 0;
	a->counter = s->next < LEDGER_SOMETIME ?
	    mail->meters.asks[s->lack->which].charge.key : NULL;
	a->fair = s->lack->fair;
	a->fifths = fifths(mail, limit);
	a->room = limit->kind == LIMIT_CAP && !s->lack->inflight &&
	    s->lack->used + s->lack->reserved < s->lack->most;
	if (s->lack->inflight) {
		a->next = now;
		return reply(a, mail->arena, s->says, codes[s->says],
		    dsns[s->says], limit->at, "tenant %.*s: limit %.*s (%s): "
		    "too much of it is held by this tenant's open messages; "
		    "next slot: when they end%.*s", SLICE_ARG(t->name),
		    SLICE_ARG(limit->name), what, SLICE_ARG(contact));
	}
	if (s->lack->fair)
		return reply(a, mail->arena, s->says, codes[s->says],
		    dsns[s->says], limit->at, "tenant %.*s: limit %.*s (%s): "
		    "what this tenant may have of it in this hour is used up; "
		    "%s%.*s",
		    SLICE_ARG(t->name), SLICE_ARG(limit->name), what,
		    slot_text(mail, s, a, now), SLICE_ARG(contact));
	if (s->next == INT64_MAX)
		return reply(a, mail->arena, s->says, codes[s->says],
		    dsns[s->says], limit->at, "tenant %.*s: limit %.*s (%s): "
		    "this asks for %lld %s, never more than %lld fit at "
		    "once%.*s", SLICE_ARG(t->name), SLICE_ARG(limit->name),
		    what, (long long)mail->meters.asks[s->lack->which].charge.
		    amount, count_by_names[limit->count],
		    (long long)(limit->warmup != NULL ? limit->most :
		    s->lack->most + s->meter->before), SLICE_ARG(contact));
	if (too_large(mail, s, now))
		return reply(a, mail->arena, s->says, codes[s->says],
		    dsns[s->says], limit->at, "tenant %.*s: limit %.*s (%s): "
		    "this asks for %lld recipients, more than a day takes: "
		    "send it to fewer at a time, or %s%.*s",
		    SLICE_ARG(t->name), SLICE_ARG(limit->name), what,
		    (long long)mail->meters.asks[s->lack->which].charge.
		    amount, slot_text(mail, s, a, now), SLICE_ARG(contact));
	return reply(a, mail->arena, s->says, codes[s->says], dsns[s->says],
	    limit->at, "tenant %.*s: limit %.*s (%s) is used up; %s%.*s",
	    SLICE_ARG(t->name), SLICE_ARG(limit->name), what,
	    slot_text(mail, s, a, now), SLICE_ARG(contact));
}

/* forecast - when it would have room, behind those that wait for it */
static int64_t
forecast(struct mail *mail, const struct meter *meter,
    const struct shortfall *lack, int64_t now)
{
	const struct stream *s = mail->stream != NULL ? mail->stream :
	    policy_default(mail->tenant);
	const struct ask *ask = &mail->meters.asks[lack->which];
	struct dimensions d;
	int64_t next;

	if (lack->inflight)
		return lack->next;
	if (meter->hold || meter->need)		/* a gauge knows no time */
		return meter->limit->kind == LIMIT_CAP ?
		    meter->ask.charge.window_end : now + HOLD_AGAIN;
	if (meter->limit->warmup != NULL) {
		meter_known(mail, meter, &d);
		next = measure_next(meter->limit, &d, lack->used +
		    lack->reserved, meter->before, ask->charge.amount,
		    lack->next, now);
		return lack->fair && next < lack->next ? lack->next : next;
	}
	if (lack->fair)			/* by the hour, not by its window */
		return lack->next;
	return measure_forecast(meter->limit, measure_zone(meter->limit,
	    mail->policy, mail->tenant, mail->egress != NULL ?
	    mail->egress->pool : NULL), ask, lack, meter->before, now,
	    now + s->hold_max);
}

/* says - what a limit says when it is over, and has room by then */
static enum verdict
says(const struct mail *mail, const struct meter *meter,
    const struct shortfall *lack, int64_t next, int64_t now)
{
	const struct stream *s = mail->stream != NULL ? mail->stream :
	    policy_default(mail->tenant);
	enum over over = limit_over(meter->limit, mail->stream);

	if (mail->releasing != NULL)
		return VERDICT_DEFER;	/* it waits on */

	if (lack->inflight)
		return VERDICT_DEFER;
	if (over == OVER_HOLD && (meter->hold || meter->need ||
	    next > now + s->hold_max))
		over = s->then;
	return over == OVER_REFUSE ? VERDICT_REFUSE : over == OVER_HOLD ?
	    VERDICT_HOLD : VERDICT_DEFER;
}

/* worst_of - the one of the enforced, or of those in shadow, that decides, of
 * egress limits or of others; meter NULL: there is none */
static struct sight
worst_of(struct mail *mail, size_t nlacks, bool shadows, bool egress,
    int64_t now)
{
	struct meters *ms = &mail->meters;
	bool all = (shadow_all(mail) & SHADOW_LIMITS) != 0;
	struct sight worst = { .meter = NULL }, s;
	int64_t next = 0;
	size_t i;

	for (i = 0; i < nlacks; i++) {
		s.lack = &ms->lacks[i];
		s.meter = ms->whose[s.lack->which];
		if ((all || s.meter->limit->shadow) != shadows ||
		    limit_egress(s.meter->limit) != egress)
			continue;
		s.next = forecast(mail, s.meter, s.lack, now);
		s.says = says(mail, s.meter, s.lack, s.next, now);
		if (egress && ms->firm && s.says == VERDICT_HOLD)
			s.says = VERDICT_DEFER;
		if (egress && !shadows && s.next == LEDGER_SOMETIME &&
		    s.meter->limit->warmup != NULL)
			ms->halted = true;
		if (s.next > next)
			next = s.next;
		if (worst.meter == NULL || s.says > worst.says ||
		    (s.says == worst.says && s.next > worst.next))
			worst = s;
	}
	/* "never" is for the limit to say that it is true of; so is "who
	 * knows when" */
	if (next < LEDGER_SOMETIME)
		worst.next = next;
	return worst;
}

/* worse - of two, the one that decides; the slot told is the later one */
static struct sight
worse(struct sight a, struct sight b)
{
	int64_t next = a.next > b.next ? a.next : b.next;

	if (a.meter == NULL || b.meter == NULL)
		return a.meter == NULL ? b : a;
	if (b.says > a.says || (b.says == a.says && b.next > a.next))
		a = b;
	if (next < LEDGER_SOMETIME)
		a.next = next;
	return a;
}

/* note - in the meters: those in shadow let all pass, the others hold, but for
 * egress limits of what another holds */
static void
note(struct mail *mail, size_t nlacks, bool held)
{
	struct meters *ms = &mail->meters;
	bool all = (shadow_all(mail) & SHADOW_LIMITS) != 0;
	struct meter *meter;
	size_t i;

	for (i = 0; i < nlacks; i++) {
		meter = ms->whose[ms->lacks[i].which];
		if (all || meter->limit->shadow)
			meter->loose = true;
		else if (!held || !limit_egress(meter->limit))
			meter->hold = true;
	}
}

/* meters_judge - of all that does not fit, what is said? */
enum verdict
meters_judge(struct mail *mail, size_t nlacks, int64_t now, struct answer *a)
{
	struct sight worst = worst_of(mail, nlacks, false, false, now);
	bool held = worst.meter != NULL && worst.says == VERDICT_HOLD;
	struct answer said = { .stage = a->stage };

	mail->meters.way = worst.meter == NULL;
	if (!held)
		worst = worse(worst, worst_of(mail, nlacks, false, true,
		    now));
	if (worst.meter != NULL && worst.says != VERDICT_HOLD)
		return say_over(mail, &worst, now, a);
	if (worst.meter != NULL) {
		(void)say_over(mail, &worst, now, &said);
		if (said.code[0] != '2')	/* the arena is empty */
			return reply_memory(a);
		if (mail->hold.code == NULL || said.next > mail->hold.next)
			mail->hold = said;
	}
	worst = worse(worst_of(mail, nlacks, true, false, now),
	    worst_of(mail, nlacks, true, true, now));
	if (worst.meter != NULL) {
		(void)say_over(mail, &worst, now, &said);
		would_keep(mail, &said);
	}
	note(mail, nlacks, held);
	return VERDICT_PASS;
}
