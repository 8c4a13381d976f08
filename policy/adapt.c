/*
 * adapt - see adapt.h.
 *
 * Shares are compared as integers, a * 1000 >= b * 15, so that a boundary is
 * where it is written; only the lower bound is a floating-point number.
 *
 * Why three days of complaints: they come when people read, not when mail
 * arrives.  Their share is of what arrived at that provider, since one that
 * sends no reports would thin out those of the others.
 *
 * Why the day of a silence falls at 8, 15, 22 and 29 days, by as much as is
 * new: each complete day is judged once, and the sum is what the rule says of
 * that many days.
 *
 * A day without mail is neither clean nor not.  One with little mail is clean:
 * who does not need the last number of his schedule is warm all the same.
 */
#include "policy/adapt.h"

#include <string.h>

#include "lib/wilson.h"

enum { EVIDENCE = 3, WEEK = 7, SILENT_BACK = 8, SILENT_OVER = 31,
	BACK_A_WEEK = 3, ROLL_BACK = 2, WARM_AFTER = 7, FAST_EVERY = 3 };

const char *const adapt_rule_names[] = { "S1", "S2", "R1", "I2", "I1", "N1",
	"H1", "H2", "C1", "A2", "A1", NULL };

/* What a provider did wrong, as far as a tenant can be made out. */
enum sin { SIN_NONE, SIN_COMPLAINTS, SIN_HARD, SIN_BLOCKED, SIN_SLOW };

struct verdict {
	enum adapt_rule	rule;
	enum sin	sin;
};

/* --- one provider --------------------------------------------------------- */

/* least - at least so much went wrong, or nobody can say */
static bool
least(uint64_t x, uint64_t n, double share)
{
	return x >= EVIDENCE && wilson_low(x, n > x ? n : x, WILSON_90) >=
	    share;
}

/* raw - x of n is that many hundredths of a percent, or more */
static bool
raw(uint64_t x, uint64_t n, uint64_t hundredths)
{
	return x > 0 && (__uint128_t)x * 10000 >= (__uint128_t)n * hundredths;
}

/* tries - recipients that were tried */
static uint64_t
tries(const struct adapt_count *c)
{
	return c->ended + c->deferred;
}

/* stops - S2 */
static enum sin
stops(const struct adapt_count *c)
{
	if (least(c->complaints, c->arrived, 0.0030))
		return SIN_COMPLAINTS;
	if (least(c->hard, c->ended, 0.05))
		return SIN_HARD;
	return least(c->blocked, c->ended, 0.03) ? SIN_BLOCKED : SIN_NONE;
}

/* rolls_back - R1 */
static enum sin
rolls_back(const struct adapt_count *c)
{
	if (c->complaints >= EVIDENCE && raw(c->complaints, c->arrived, 10))
		return SIN_COMPLAINTS;
	if (least(c->hard, c->ended, 0.02))
		return SIN_HARD;
	if (least(c->blocked, c->ended, 0.01))
		return SIN_BLOCKED;
	return c->slow >= EVIDENCE && raw(c->slow, tries(c), 1500) ?
	    SIN_SLOW : SIN_NONE;
}

/* holds - H1 */
static bool
holds(const struct adapt_count *c)
{
	return (c->hard >= 5 && raw(c->hard, c->ended, 100)) ||
	    raw(c->slow, tries(c), 800) || raw(c->complaints, c->arrived, 5);
}

/* judge - the rule of one provider; A1: it is well */
static struct verdict
judge(const struct adapt_count *c)
{
	enum sin sin;

	if (c->listed > 0)
		return (struct verdict){ ADAPT_S1, SIN_NONE };
	if ((sin = stops(c)) != SIN_NONE)
		return (struct verdict){ ADAPT_S2, sin };
	if ((sin = rolls_back(c)) != SIN_NONE)
		return (struct verdict){ ADAPT_R1, sin };
	return (struct verdict){ holds(c) ? ADAPT_H1 : ADAPT_A1, SIN_NONE };
}

/* --- one tenant of several ------------------------------------------------ */

/* sins - how many of that kind */
static uint64_t
sins(const struct adapt_count *c, enum sin sin)
{
	switch (sin) {
	case SIN_COMPLAINTS:
		return c->complaints;
	case SIN_HARD:
		return c->hard;
	case SIN_BLOCKED:
		return c->blocked;
	case SIN_SLOW:
		return c->slow;
	default:
		return 0;
	}
}

/* less - without that part, never below nothing */
static uint64_t
less(uint64_t all, uint64_t part)
{
	return all > part ? all - part : 0;
}

/* without - the rest of them */
static struct adapt_count
without(const struct adapt_count *all, const struct adapt_count *part)
{
	return (struct adapt_count){
		.ended = less(all->ended, part->ended),
		.deferred = less(all->deferred, part->deferred),
		.slow = less(all->slow, part->slow),
		.hard = less(all->hard, part->hard),
		.blocked = less(all->blocked, part->blocked),
		.listed = less(all->listed, part->listed),
		.arrived = less(all->arrived, part->arrived),
		.complaints = less(all->complaints, part->complaints),
	};
}

/* culprit - who has more than half of it, while others send as well */
static size_t
culprit(const struct adapt_provider *p, const struct adapt_count *rest,
    enum sin sin, const bool *out)
{
	for (size_t i = 0; i < p->ntenants && i < ADAPT_TENANTS; i++) {
		const struct adapt_count *c = &p->tenants[i].count;

		if (!out[i] && sins(c, sin) > sins(rest, sin) / 2 &&
		    (tries(rest) > tries(c) || rest->arrived > c->arrived))
			return i;
	}
	return ADAPT_NOBODY;
}

/* judge_provider - and who is singled out before it */
static enum adapt_rule
judge_provider(const struct adapt_input *in, size_t at,
    struct adapt_decision *d)
{
	const struct adapt_provider *p = &in->providers[at];
	struct adapt_count rest = p->count;
	bool out[ADAPT_TENANTS] = { false };
	struct verdict v;
	size_t who;

	for (;;) {
		v = judge(&rest);
		if ((v.rule != ADAPT_S2 && v.rule != ADAPT_R1) ||
		    d->nsingles == ADAPT_PROVIDERS ||
		    (who = culprit(p, &rest, v.sin, out)) == ADAPT_NOBODY)
			return v.rule;
		out[who] = true;
		rest = without(&rest, &p->tenants[who].count);
		d->singles[d->nsingles++] = (struct adapt_single){ at, who,
			v.rule };
	}
}

/* --- the day -------------------------------------------------------------- */

/* adapt_stops - a person has to say that it may go on */
bool
adapt_stops(enum adapt_rule rule)
{
	return rule == ADAPT_S1 || rule == ADAPT_S2;
}

/* propose - a rule that holds: the most severe is the decision's */
static void
propose(struct adapt_decision *d, enum adapt_rule rule, size_t provider)
{
	if (rule < d->rule) {
		d->rule = rule;
		d->provider = provider;
	}
}

/* back_of - how far a silence of so many days sets back, in all */
static int
back_of(int silent)
{
	return silent < SILENT_BACK ? 0 : (silent + WEEK - 1) / WEEK *
	    BACK_A_WEEK;
}

/* judge_silence - a day without mail */
static int
judge_silence(const struct adapt_input *in, struct adapt_decision *d)
{
	int back = back_of(in->silent) - back_of(in->silent - 1);

	if (in->silent == SILENT_OVER) {
		propose(d, ADAPT_I2, ADAPT_NOBODY);
		return 1;
	}
	if (in->silent < SILENT_OVER && back > 0) {
		propose(d, ADAPT_I1, ADAPT_NOBODY);
		return in->day - back;
	}
	propose(d, ADAPT_H2, ADAPT_NOBODY);
	return in->day;
}

/* slow_in - of all that was tried, less than 3 % was put off */
static bool
swift(const struct adapt_input *in)
{
	uint64_t slow = 0, all = 0;

	for (size_t i = 0; i < in->nproviders; i++) {
		slow += in->providers[i].count.slow;
		all += tries(&in->providers[i].count);
	}
	return !raw(slow, all, 300);
}

/* half_used - half of the day's number, or what our own limits let through */
static bool
half_used(const struct adapt_input *in)
{
	return in->turned > 0 || in->used >= in->cap - in->used;
}

/* advance - a day with mail and without trouble */
static int
advance(const struct adapt_input *in, struct adapt_decision *d)
{
	int clean = in->clean + 1;

	if (!in->warmed && in->day >= in->days && clean >= WARM_AFTER) {
		propose(d, ADAPT_C1, ADAPT_NOBODY);
		return in->day;
	}
	if (!half_used(in)) {
		propose(d, ADAPT_H2, ADAPT_NOBODY);
		return in->day;
	}
	if (in->day + 1 < in->days && clean % FAST_EVERY == 0 && in->known &&
	    (__int128)in->used * 10 >= (__int128)in->bulk * 9 && swift(in)) {
		propose(d, ADAPT_A2, ADAPT_NOBODY);
		d->faster = !in->fast;
		return in->day + (in->fast ? 2 : 1);
	}
	propose(d, ADAPT_A1, ADAPT_NOBODY);
	return in->day + 1;
}

/* judge_all - every provider with traffic; the lowest day that one says */
static int
judge_all(const struct adapt_input *in, struct adapt_decision *d)
{
	int day = in->day;

	for (size_t i = 0; in->known && i < in->nproviders &&
	    i < ADAPT_PROVIDERS; i++) {
		d->of[i] = judge_provider(in, i, d);
		if (d->of[i] == ADAPT_R1)
			day = in->day - ROLL_BACK;
		if (d->of[i] != ADAPT_A1)
			propose(d, d->of[i], i);
		d->stop = d->stop || (adapt_stops(d->of[i]) &&
		    slice_is(in->providers[i].name, ADAPT_STRANGERS));
	}
	if (in->known && in->dnsbl > 0) {
		propose(d, ADAPT_S1, ADAPT_NOBODY);
		if (d->rule == ADAPT_S1)
			d->provider = ADAPT_NOBODY;
		d->stop = true;
	}
	return day;
}

/* adapt - what follows from that day */
void
adapt(const struct adapt_input *in, struct adapt_decision *d)
{
	int day, other;
	bool trouble;

	memset(d, 0, sizeof(*d));
	for (size_t i = 0; i < ADAPT_PROVIDERS; i++)
		d->of[i] = ADAPT_A1;
	d->rule = ADAPT_RULES;
	d->provider = ADAPT_NOBODY;
	day = judge_all(in, d);
	trouble = d->rule != ADAPT_RULES;
	if (in->silent > 0) {
		other = judge_silence(in, d);
		day = other < day ? other : day;
	} else if (!in->known && in->required)
		propose(d, ADAPT_N1, ADAPT_NOBODY);
	else if (!trouble)
		day = advance(in, d);
	d->day = day < 1 ? 1 : day > in->days ? in->days : day;
	d->clean = trouble || d->rule == ADAPT_I2 ? 0 : in->silent > 0 ||
	    d->rule == ADAPT_N1 ? in->clean : in->clean + 1;
	if (d->day == in->days && in->day != in->days)
		d->clean = 0;		/* seven days there are counted anew */
	d->warmed = d->day == in->days && (in->warmed || d->rule == ADAPT_C1);
}
