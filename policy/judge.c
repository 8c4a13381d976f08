/*
 * judge - which limit decides when several do not fit, and the sentence that
 * says so.
 *
 * Refuse beats defer, then the later slot wins; the slot told is the latest of
 * all, since before it one of them would say no.
 */
#include "lib/hash.h"
#include "policy/meter.h"
#include "policy/reply.h"

#define MINUTE	INT64_C(60000000)

/* meter_at - the meter of the n-th ask collected */
static const struct meter *
meter_at(const struct mail *mail, size_t n)
{
	size_t i;

	for (i = 0; i < mail->nmeters; i++)
		if (mail->meters[i].want > 0 && n-- == 0)
			return &mail->meters[i];
	return NULL;
}

/* limit_text - "200/hour to provider:google", for the reply */
static const char *
limit_text(struct arena *arena, const struct limit *limit)
{
	const char *s;

	if (limit->to_all)
		s = arena_printf(arena, "%.*s", SLICE_ARG(limit->text));
	else
		s = arena_printf(arena, "%.*s to %.*s", SLICE_ARG(limit->text),
		    SLICE_ARG(limit->to_text));
	return s != NULL ? s : "";
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

/* say_over - the sentence about the limit that decides */
static enum verdict
say_over(struct mail *mail, const struct limit *limit,
    const struct shortfall *lack, int64_t next, int64_t now, struct answer *a)
{
	const struct tenant *t = mail->tenant;
	const struct zone *zone = t->zone != NULL ? t->zone :
	    mail->policy->zone;
	bool refuse = limit->over == OVER_REFUSE && !lack->inflight;
	enum verdict verdict = refuse ? VERDICT_REFUSE : VERDICT_DEFER;
	const char *code = refuse ? "550" : "451";
	const char *dsn = refuse ? "5.7.1" : "4.7.0";
	const char *what = limit_text(mail->arena, limit);
	struct slice contact = reply_contact(mail->arena, t);
	char when[128];

	a->limit = limit;
	if (lack->inflight) {
		a->next = now;
		return reply(a, mail->arena, verdict, code, dsn, limit->at,
		    "tenant %.*s: limit %.*s (%s): too much of it is held by "
		    "this tenant's open messages; next slot: when they end"
		    "%.*s", SLICE_ARG(t->name), SLICE_ARG(limit->name), what,
		    SLICE_ARG(contact));
	}
	if (next == INT64_MAX) {
		a->next = 0;
		return reply(a, mail->arena, verdict, code, dsn, limit->at,
		    "tenant %.*s: limit %.*s (%s): this asks for %lld %s, "
		    "never more than %lld fit at once%.*s",
		    SLICE_ARG(t->name), SLICE_ARG(limit->name), what,
		    (long long)mail->asks[lack->which].charge.amount,
		    count_by_names[limit->count],
		    (long long)lack->most, SLICE_ARG(contact));
	}
	a->next = jittered(limit, &mail->claim, now, next);
	/* people read minutes: the first full one that is not too early */
	(void)zone_print(zone, a->next + (MINUTE - 1), when, sizeof(when));
	return reply(a, mail->arena, verdict, code, dsn, limit->at,
	    "tenant %.*s: limit %.*s (%s) is used up; next slot %s%.*s",
	    SLICE_ARG(t->name), SLICE_ARG(limit->name), what, when,
	    SLICE_ARG(contact));
}

/* rank - refuse beats defer; what open messages hold is never refused for */
static int
rank(const struct limit *limit, const struct shortfall *lack)
{
	return limit->over == OVER_REFUSE && !lack->inflight;
}

/* meters_judge - of all that do not fit, which one decides? */
enum verdict
meters_judge(struct mail *mail, size_t nlacks, int64_t now, struct answer *a)
{
	const struct shortfall *lack, *worst = NULL;
	const struct limit *limit, *decides = NULL;
	int64_t next = 0;
	int more;
	size_t i;

	for (i = 0; i < nlacks; i++) {
		lack = &mail->lacks[i];
		limit = meter_at(mail, lack->which)->limit;
		more = decides == NULL ? 1 :
		    rank(limit, lack) - rank(decides, worst);
		if (more > 0 || (more == 0 && lack->next > worst->next)) {
			decides = limit;
			worst = lack;
		}
		if (lack->next > next)
			next = lack->next;
	}
	if (decides == NULL)
		return reply_memory(a);
	/* "never" is for the limit to say that it is true of */
	if (next == INT64_MAX)
		next = worst->next;
	return say_over(mail, decides, worst, next, now, a);
}
