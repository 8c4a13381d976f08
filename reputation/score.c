/*
 * score - see score.h.
 *
 * A share becomes points at the least that it is, and not at what was seen:
 * of 60 messages a day with one complaint a week nobody knows whether that is
 * 0.2 % or 0.02 %, and a report that cries wolf in every fourth week of a
 * healthy sender is not read.  What that costs in weeks until trouble is seen
 * is in tests/unit/score_world.c, and in the table of HACKING.
 *
 * Not chosen: an average with a prior (a strong one misses what matters, a weak
 * one cries as often as the raw share), and a decay by the day (two weeks with
 * one weight each are explained in a sentence).
 */
#include "reputation/score.h"

#include <math.h>
#include <stdlib.h>

#include "lib/wilson.h"

#define WEEK		7
#define WEEKS_BEFORE	8	/* of history, at most */
#define WEEKS_LEAST	3
#define SPREAD_LEAST	0.15	/* of the logarithm: days differ that much */
#define MAD_IS_SIGMA	1.4826	/* of a normal distribution */
#define MOST		100.0

const char *const tier_names[] = { "insufficient data", "Healthy", "Watch",
	"At Risk", "Critical", NULL };
const char *const confidence_names[] = { "low", "medium", "high", NULL };

/* score_tier - what so many points are */
enum tier
score_tier(const struct knots *k, double points)
{
	return points >= k->critical ? TIER_CRITICAL :
	    points >= k->at_risk ? TIER_AT_RISK :
	    points >= k->watch ? TIER_WATCH : TIER_HEALTHY;
}

/* lower_cut - where a tier begins */
static double
lower_cut(const struct knots *k, enum tier tier)
{
	return tier == TIER_CRITICAL ? k->critical : tier == TIER_AT_RISK ?
	    k->at_risk : tier == TIER_WATCH ? k->watch : 0.0;
}

/* rate - the shares of a signal, and its points at each of them */
static void
rate(const struct knots *k, const struct score_input *in, enum signal s,
    struct score *out)
{
	uint64_t n2 = in->n2[s], x2 = in->x2[s] < n2 ? in->x2[s] : n2;
	double points;

	if (!in->known[s] || n2 == 0)
		return;
	out->low[s] = wilson_low2(x2, n2, k->z);
	out->raw[s] = (double)x2 / (double)n2;
	out->high[s] = wilson_high2(x2, n2, k->z);
	out->total_raw += knots_points(k, s, out->raw[s]);
	out->total_high += knots_points(k, s, out->high[s]);
	points = knots_points(k, s, out->low[s]);
	if (x2 / 2 < k->least_events && points > k->few_points)
		points = k->few_points;
	if (out->enough)
		out->points[s] = points;
}

/* volume - a day that stands out */
static void
volume(const struct knots *k, const struct score_input *in, struct score *out)
{
	double points;

	if (!in->known[SIGNAL_VOLUME])
		return;
	points = knots_points(k, SIGNAL_VOLUME, in->volume);
	out->low[SIGNAL_VOLUME] = out->raw[SIGNAL_VOLUME] =
	    out->high[SIGNAL_VOLUME] = in->volume;
	out->total_raw += points;
	out->total_high += points;
	if (out->enough)
		out->points[SIGNAL_VOLUME] = points;
}

/* rules - of the house, which do not depend on how much was sent */
static void
rules(const struct knots *k, const struct score_input *in, struct score *out)
{
	double points = (double)in->minor * k->minor;

	if (!in->known[SIGNAL_POLICY])
		return;
	if (points > k->minor_most)
		points = k->minor_most;
	points += (double)in->major * k->major +
	    (double)in->confirmed * k->confirmed;
	out->points[SIGNAL_POLICY] = points < MOST ? points : MOST;
	out->total_raw += points;
	out->total_high += points;
}

/* decide - from what the points say and what it was: up at once, down by one
 * step after calm weeks; a week without enough data moves nothing down */
static void
decide(const struct knots *k, const struct score_input *in, struct score *out)
{
	enum tier before = in->before;

	out->calm = in->calm;
	if (!out->enough && out->judged < TIER_WATCH)
		out->tier = before;
	else if (out->judged >= before) {
		out->tier = out->judged;
		out->calm = 0;
	} else if (!out->enough) {
		out->tier = before;
	} else if (out->total > lower_cut(k, before) - k->margin) {
		out->tier = before;
		out->calm = 0;
	} else if (++out->calm >= k->calm_weeks) {
		out->tier = (enum tier)(before - 1);
		out->calm = 0;
	} else {
		out->tier = before;
	}
}

/* trust - how far apart the bounds are */
static enum confidence
trust(const struct knots *k, const struct score_input *in,
    const struct score *s)
{
	enum tier high = score_tier(k, s->total_high);
	enum tier low = score_tier(k, s->total);

	if (!s->enough || !in->known[SIGNAL_BOUNCE] ||
	    in->n2[SIGNAL_BOUNCE] / 2 < k->confident)
		return CONFIDENCE_LOW;
	return high == low ? CONFIDENCE_HIGH : high == low + 1 ?
	    CONFIDENCE_MEDIUM : CONFIDENCE_LOW;
}

/* score_make - the same input and knots, the same score */
void
score_make(const struct knots *k, const struct score_input *in,
    struct score *out)
{
	*out = (struct score){ .enough = in->recipients >=
	    k->least_recipients };
	for (int s = 0; s < SIGNALS; s++) {
		if (s == SIGNAL_VOLUME)
			volume(k, in, out);
		else if (s == SIGNAL_POLICY)
			rules(k, in, out);
		else
			rate(k, in, (enum signal)s, out);
		out->total += out->points[s];
	}
	out->total = out->total < MOST ? out->total : MOST;
	out->total_raw = out->total_raw < MOST ? out->total_raw : MOST;
	out->total_high = out->total_high < MOST ? out->total_high : MOST;
	out->judged = score_tier(k, out->total);
	if (!out->enough && out->judged == TIER_HEALTHY)
		out->judged = TIER_UNKNOWN;
	decide(k, in, out);
	out->confidence = trust(k, in, out);
}

/* --- volume --------------------------------------------------------------- */

/* ascending - for qsort */
static int
ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* median - of n > 0; sorts them */
static double
median(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), ascending);
	return n % 2 == 1 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2.0;
}

/* history - logarithms of the same weekday before; how many */
static size_t
history(const uint64_t *days, size_t first, size_t at, double *out)
{
	size_t n = 0;

	while (n < WEEKS_BEFORE && at >= WEEK && at - WEEK >= first) {
		at -= WEEK;
		out[n++] = log(1.0 + (double)days[at]);
	}
	return n;
}

/* z_of - how far that day lies above the middle of its weekday */
static double
z_of(double day, double *before, size_t n, double middle)
{
	double spread;

	for (size_t i = 0; i < n; i++)
		before[i] = fabs(before[i] - middle);
	spread = MAD_IS_SIGMA * median(before, n);
	return (day - middle) / (spread > SPREAD_LEAST ? spread :
	    SPREAD_LEAST);
}

/* score_volume - the day that stands out most */
bool
score_volume(const uint64_t *days, size_t n, double *z)
{
	double before[WEEKS_BEFORE], middle[WEEK], full = 0.0, of, day;
	size_t first = 0, counts[WEEK], known = 0;

	*z = 0.0;
	while (first < n && days[first] == 0)
		first++;
	if (n < WEEK)
		return false;
	for (size_t i = 0; i < WEEK; i++) {
		counts[i] = history(days, first, n - WEEK + i, before);
		if (counts[i] < WEEKS_LEAST)
			continue;
		known++;
		middle[i] = median(before, counts[i]);
		if (middle[i] > full)
			full = middle[i];
	}
	for (size_t i = 0; i < WEEK; i++) {
		day = log(1.0 + (double)days[n - WEEK + i]);
		if (counts[i] < WEEKS_LEAST || day <= full)
			continue;
		(void)history(days, first, n - WEEK + i, before);
		of = z_of(day, before, counts[i], middle[i]);
		if (of > *z)
			*z = of;
	}
	return known > 0;
}

/* --- from sums ------------------------------------------------------------ */

/* weight - of a day, in halves: this week, the one before, or none */
static uint64_t
weight(int32_t ndays, int32_t day)
{
	return day >= ndays - WEEK ? 2 : day >= ndays - 2 * WEEK ? 1 : 0;
}

/* add_day - what a day tells of each signal */
static void
add_day(const uint64_t n[TALLIES], uint64_t w, struct score_input *in)
{
	uint64_t ended = tally_ended(n);

	in->x2[SIGNAL_COMPLAINT] += w * n[TALLY_COMPLAINTS];
	in->n2[SIGNAL_COMPLAINT] += w * n[TALLY_FEEDBACK];
	in->x2[SIGNAL_BOUNCE] += w * n[TALLY_HARD];
	in->n2[SIGNAL_BOUNCE] += w * ended;
	in->x2[SIGNAL_BLOCK] += w * (n[TALLY_BLOCKED] +
	    n[TALLY_BLOCKED_DAY]);
	in->n2[SIGNAL_BLOCK] += w * ended;
	in->x2[SIGNAL_DEFERRAL] += w * n[TALLY_SLOW];
	in->n2[SIGNAL_DEFERRAL] += w * ended;
	in->x2[SIGNAL_UNSUB] += w * n[TALLY_OPT_OUT];
	in->n2[SIGNAL_UNSUB] += w * n[TALLY_ACCEPTED];
}

/* score_past - how far the last days stand out among all */
void
score_past(const uint64_t *days, size_t n, struct score_input *in)
{
	in->known[SIGNAL_VOLUME] = score_volume(days, n, &in->volume);
	in->volume = floor(in->volume * 1000.0) / 1000.0;
}

/* score_gather - days of a subject as the input of its score */
void
score_gather(const struct knots *k, const struct sum *sum, int32_t ndays,
    struct score_input *in)
{
	bool person = sum->kind != SUBJECT_ADDRESS &&
	    sum->kind != SUBJECT_POOL && sum->kind != SUBJECT_DOMAIN;

	for (int s = 0; s < SIGNALS; s++)
		in->x2[s] = in->n2[s] = 0;
	in->minor = in->major = 0;
	in->recipients = 0;
	for (int32_t i = ndays > 2 * WEEK ? ndays - 2 * WEEK : 0; i < ndays;
	    i++) {
		const uint64_t *n = sum->days[i];

		add_day(n, weight(ndays, i), in);
		if (i < ndays - WEEK)
			continue;
		in->recipients += tally_ended(n);
		if (sum->kind != SUBJECT_TENANT)
			continue;	/* among many somebody always does */
		in->major += n[TALLY_VIOLATED] >= k->many;
		in->minor += n[TALLY_VIOLATED] > 0 &&
		    n[TALLY_VIOLATED] < k->many;
	}
	for (int s = 0; s < SIGNALS; s++)
		in->known[s] = s != SIGNAL_VOLUME ? in->n2[s] > 0 :
		    in->known[s];
	/* who leaves a list leaves no address of ours, and none breaks rules */
	in->known[SIGNAL_UNSUB] &= person;
	in->known[SIGNAL_POLICY] = person;
}
