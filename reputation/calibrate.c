/*
 * calibrate - see calibrate.h.
 *
 * Kappa with linear weights (J. Cohen, 1968): two tiers apart is twice as bad
 * as one, and what chance alone would give is taken off.
 *
 * A suggestion goes through the knots in the order of the file and puts each
 * where most pairs have one tier, all others left as they are by then; among
 * equals the one nearest to where it was.  That is no best of all placements,
 * which with twenty pairs would be the best picture of chance, and each step
 * can be looked at by itself.  A knot moves between its neighbours only, so
 * what comes out is in order.
 */
#include "reputation/calibrate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NEAR = 3 /* days */, STEPS = 48 };

/* --- pairs ---------------------------------------------------------------- */

struct nearest {
	int32_t		day;		/* of their figures */
	struct scored	found;
	bool		any;
};

/* away - days between the end of a week and theirs */
static int32_t
away(const struct nearest *n, const struct scored *x)
{
	int32_t d = x->in.day - 1 - n->day;

	return d < 0 ? -d : d;
}

/* look - the nearest week */
static bool
look(void *with, const struct scored *x)
{
	struct nearest *n = with;

	if (!n->any || away(n, x) < away(n, &n->found)) {
		n->found = *x;
		n->any = true;
	}
	return true;
}

/* pairs_read - ours beside theirs */
int
pairs_read(struct db *watch, const struct knots *k,
    const struct official *officials, size_t n, struct arena *arena,
    struct pair **out, size_t *npairs, struct why *why)
{
	*npairs = 0;
	*out = arena_array(arena, n + 1, sizeof(**out));
	if (*out == NULL)
		return why_kind(why, WHY_MEMORY, "out of memory");
	for (size_t i = 0; i < n; i++) {
		const struct official *o = &officials[i];
		struct nearest near = { .day = o->day };

		if (scores_each(watch, k, o->kind, o->subject, o->day + 1 -
		    NEAR, o->day + 2 + NEAR, look, &near, why) == -1)
			return -1;
		if (!near.any || !near.found.score.enough ||
		    near.found.stored == TIER_UNKNOWN)
			continue;
		(*out)[(*npairs)++] = (struct pair){ .official = *o,
			.in = near.found.in, .ours = near.found.stored,
			.points = near.found.score.total };
	}
	return 0;
}

/* --- agreement ------------------------------------------------------------ */

/* kappa - how much better than chance; false: there is no chance in it */
static bool
kappa(const struct calibration *c, double *out)
{
	double seen = 0.0, chance = 0.0, rows[CALIBRATE_TIERS] = { 0 };
	double columns[CALIBRATE_TIERS] = { 0 }, n = (double)c->n;

	for (int i = 0; i < CALIBRATE_TIERS; i++)
		for (int j = 0; j < CALIBRATE_TIERS; j++) {
			rows[i] += (double)c->matrix[i][j] / n;
			columns[j] += (double)c->matrix[i][j] / n;
		}
	for (int i = 0; i < CALIBRATE_TIERS; i++)
		for (int j = 0; j < CALIBRATE_TIERS; j++) {
			double off = (double)abs(i - j) /
			    (CALIBRATE_TIERS - 1);

			seen += off * (double)c->matrix[i][j] / n;
			chance += off * rows[i] * columns[j];
		}
	*out = chance > 0.0 ? 1.0 - seen / chance : 0.0;
	return chance > 0.0;
}

/* calibrate - all of them in one matrix */
void
calibrate(const struct pair *pairs, size_t n, struct calibration *c)
{
	*c = (struct calibration){ .n = n, .enough = n >= CALIBRATE_LEAST };
	for (size_t i = 0; i < n; i++) {
		int ours = (int)pairs[i].ours - TIER_HEALTHY;
		int theirs = (int)pairs[i].official.tier - TIER_HEALTHY;

		c->matrix[ours][theirs]++;
		c->exact += ours == theirs;
		c->near += abs(ours - theirs) <= 1;
	}
	if (n > 0)
		c->has_kappa = kappa(c, &c->kappa);
}

/* --- a suggestion --------------------------------------------------------- */

/* agree - pairs that have one tier under those knots, each week by itself: the
 * weeks before, which may hold it up, were judged by the knots of then */
static size_t
agree(const struct pair *pairs, size_t n, const struct knots *k)
{
	struct score s;
	size_t same = 0;

	for (size_t i = 0; i < n; i++) {
		score_make(k, &pairs[i].in, &s);
		same += s.judged == pairs[i].official.tier;
	}
	return same;
}

/* rounded - as a file has it: thousandths of a percent, hundredths of z */
static double
rounded(enum signal s, double v)
{
	return s == SIGNAL_VOLUME ? floor(v * 100.0 + 0.5) / 100.0 :
	    floor(v * 100000.0 + 0.5) / 100000.0;
}

/* place - one knot where most agree; the pairs that do */
static size_t
place(const struct pair *pairs, size_t n, struct knots *k, enum signal s,
    size_t at, size_t before)
{
	struct knot *c = k->curve[s];
	size_t nc = k->ncurve[s], best = before, same;
	double was = c[at].at, is = was, v;
	double low = at > 0 ? c[at - 1].at : 0.0;
	double high = at + 1 < nc ? c[at + 1].at : 2.0 * was;

	for (int i = 1; i < STEPS; i++) {
		v = rounded(s, low + (high - low) * i / STEPS);
		if (v <= low || v >= high || (s != SIGNAL_VOLUME && v > 1.0))
			continue;
		c[at].at = v;
		same = agree(pairs, n, k);
		if (same > best || (same == best && best > before &&
		    fabs(v - was) < fabs(is - was))) {
			best = same;
			is = v;
		}
	}
	c[at].at = is;
	return best;
}

/* calibrate_suggest - knot after knot */
size_t
calibrate_suggest(const struct pair *pairs, size_t n, const struct knots *from,
    struct knots *to, struct change changes[CALIBRATE_CHANGES])
{
	size_t nchanges = 0, now, before;

	*to = *from;
	if (n < CALIBRATE_LEAST)
		return 0;
	now = agree(pairs, n, from);
	for (int s = 0; s < SIGNALS; s++)
		for (size_t i = 0; i < from->ncurve[s]; i++) {
			before = now;
			now = place(pairs, n, to, (enum signal)s, i, before);
			if (now > before)
				changes[nchanges++] = (struct change){
				    (enum signal)s, i, from->curve[s][i].at,
				    to->curve[s][i].at, now };
		}
	return nchanges;
}

/* --- as a file ------------------------------------------------------------ */

/* trimmed - a number without zeros at its end */
static void
trimmed(struct buf *b, double v, int decimals)
{
	size_t from = b->len;

	buf_printf(b, "%.*f", decimals, v);
	if (buf_failed(b) || memchr(b->data + from, '.', b->len - from) ==
	    NULL)
		return;
	while (b->data[b->len - 1] == '0')
		b->len--;
	if (b->data[b->len - 1] == '.')
		b->len--;
}

/* share - "0.1 %", or a plain number of volume */
static void
share(struct buf *b, enum signal s, double v)
{
	trimmed(b, s == SIGNAL_VOLUME ? v : v * 100.0, 6);
	buf_str(b, s == SIGNAL_VOLUME ? "" : " %");
}

/* curve - a signal with its knots */
static void
curve(struct buf *b, const struct knots *k, enum signal s,
    const struct change *changes, size_t n)
{
	buf_printf(b, "signal \"%s\" {\n\tknots = {\n", signal_names[s]);
	for (size_t i = 0; i < k->ncurve[s]; i++) {
		buf_str(b, "\t\t\"");
		share(b, s, k->curve[s][i].at);
		buf_str(b, ": ");
		trimmed(b, k->curve[s][i].points, 6);
		buf_str(b, i + 1 < k->ncurve[s] ? "\"," : "\"");
		for (size_t c = 0; c < n; c++)
			if (changes[c].signal == s && changes[c].knot == i) {
				buf_str(b, "\t# was ");
				share(b, s, changes[c].was);
				buf_printf(b, "; %zu agree with it",
				    changes[c].exact);
			}
		buf_char(b, '\n');
	}
	buf_str(b, "\t}\n}\n");
}

/* number - "\tname = 5\n" */
static void
number(struct buf *b, const char *name, double v)
{
	buf_printf(b, "\t%s = ", name);
	trimmed(b, v, 6);
	buf_char(b, '\n');
}

/* target - of a phase */
static void
target(struct buf *b, const struct knots *k, int warming)
{
	buf_printf(b, "targets \"%s\" {\n", warming ? "warming" : "warm");
	for (int i = 0; i < TARGETS; i++) {
		buf_printf(b, "\t%s = \"", target_names[i]);
		share(b, SIGNAL_COMPLAINT, k->targets[warming][i]);
		buf_str(b, "\"\n");
	}
	buf_str(b, "}\n");
}

/* calibrate_write - all of it, as knots_parse reads it */
void
calibrate_write(const struct knots *k, const struct change *changes, size_t n,
    size_t npairs, struct buf *b)
{
	buf_printf(b, "# reputation.conf - suggested by penstock report "
	    "calibrate, from %zu pairs of our\n# score and a provider's own "
	    "word. It was applied by nobody; penstock-reputation(5)\n# says "
	    "what it means and where it goes.\n\nlower_bound = \"", npairs);
	trimmed(b, k->z, 6);
	buf_str(b, "\"\n");
	for (int s = 0; s < SIGNAL_POLICY; s++)
		curve(b, k, (enum signal)s, changes, n);
	buf_str(b, "policy {\n");
	number(b, "minor", k->minor);
	number(b, "minor_most", k->minor_most);
	number(b, "many", (double)k->many);
	number(b, "major", k->major);
	number(b, "confirmed", k->confirmed);
	buf_str(b, "}\nevidence {\n");
	number(b, "events", k->least_events);
	number(b, "points", k->few_points);
	number(b, "recipients", (double)k->least_recipients);
	number(b, "confident", (double)k->confident);
	buf_str(b, "}\ntiers {\n");
	number(b, "watch", k->watch);
	number(b, "at_risk", k->at_risk);
	number(b, "critical", k->critical);
	buf_str(b, "}\nfall {\n");
	number(b, "margin", k->margin);
	number(b, "weeks", k->calm_weeks);
	buf_str(b, "}\n");
	target(b, k, 1);
	target(b, k, 0);
}
