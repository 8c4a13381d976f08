/*
 * Senders of whom it is known how they are, week after week: how often is one
 * who is well called otherwise, and how many weeks does it take until trouble
 * is seen?
 *
 * The world: a weekday pattern with weekends of 20-25 %, days that differ by a
 * lognormal 0.18; a healthy sender's own rates lognormal around 0.04 %
 * complaints, 0.5 % bounces, 0.15 % blocks, 3 % deferrals, so that one or two
 * of a hundred healthy ones truly lie above a published level; 35 % of the
 * mail where complaints are reported.  30 weeks behind eight of history,
 * trouble begins in the tenth.  Seeded, so the same every time; ROUNDS=n has
 * 8 n healthy senders and 2 n of each trouble at each volume, SEED=n others,
 * TABLE=1 prints what came out beside the table that was published of this
 * formula.
 *
 * Both read the same days through score_gather, as penstock-alert does.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "reputation/score.h"

enum { WEEKS = 30, BEFORE = 8, DAYS = (WEEKS + BEFORE) * 7, SPAN = 63,
	INCIDENT = 10, LOOKED = 8 };
#define NEVER	1000
#define MOST	500		/* rounds */

static struct knots *k, plain;	/* plain: z = 0, and no rule of evidence */

/* --- dice ----------------------------------------------------------------- */

static uint64_t dice;

/* uniform - in (0, 1): xorshift64*, 53 bits */
static double
uniform(void)
{
	dice ^= dice >> 12;
	dice ^= dice << 25;
	dice ^= dice >> 27;
	return ((double)((dice * UINT64_C(0x2545f4914f6cdd1d)) >> 11) + 0.5) /
	    9007199254740992.0;
}

/* normal - Box and Muller, one of the two */
static double
normal(void)
{
	double u = uniform(), v = uniform();

	return sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v);
}

/* lognormal - around that middle */
static double
lognormal(double middle, double sigma)
{
	return middle * exp(sigma * normal());
}

/* binomial - how many of n, each with chance p: one by one up to the next
 * success for few, by the normal distribution for many */
static uint64_t
binomial(uint64_t n, double p)
{
	double mean = (double)n * p, at = 0.0, miss;
	uint64_t x = 0;

	if (p <= 0.0 || n == 0)
		return 0;
	if (p >= 1.0)
		return n;
	if (mean > 50.0 && (double)n * (1.0 - p) > 50.0) {
		at = floor(mean + sqrt(mean * (1.0 - p)) * normal() + 0.5);
		return at < 0.0 ? 0 : at > (double)n ? n : (uint64_t)at;
	}
	for (miss = log1p(-p); ; x++) {
		at += floor(log(uniform()) / miss) + 1.0;
		if (at > (double)n)
			return x;
	}
}

/* --- senders -------------------------------------------------------------- */

struct sender {
	double	volume, complaint, bounce, block, deferral;
	double	weekday[7];
};

struct incident {
	const char	*name;
	double		complaint, bounce, block;	/* 0: as before */
	int		creeps;		/* weeks until it is so */
	double		volume;		/* times, for three days of a week */
	const char	*watch, *at_risk;	/* published */
};

static const struct incident healthy = { .name = "healthy" };
/* clang-format off */
static const struct incident incidents[] = {
	{ "bad list (bounce 8 %)", .bounce = 0.08,
	  .watch = "1/1  1/1  1/1  1/1", .at_risk = "2/2  2/2  1/2  1/1" },
	{ "mid list (bounce 3 %)", .bounce = 0.03,
	  .watch = "2/4  2/2  1/2  1/2", .at_risk = "never, by design" },
	{ "blocked (15 % blocks)", .block = 0.15,
	  .watch = "1/1  1/1  1/1  1/1", .at_risk = "1/1  1/1  1/1  1/1" },
	{ "complaints 0.4 %", .complaint = 0.004,
	  .watch = "15%  2/4  1/1  1/1", .at_risk = "12%  4/-  3/6  2/2" },
	{ "complaints 0.2 %", .complaint = 0.002,
	  .watch = "5%  5/-  2/4  1/2", .at_risk = "never, by design" },
	{ "creep to 0.4 % in 6 wk", .complaint = 0.004, .creeps = 6,
	  .watch = "9%  5/8  3/5  3/3", .at_risk = "-  45%  7/-  7/8" },
	{ "volume x5 for 3 days", .volume = 5.0,
	  .watch = "1/1  1/1  1/1  1/1", .at_risk = "never, by design" },
};
/* clang-format on */
enum { INCIDENTS = sizeof(incidents) / sizeof(incidents[0]) };
static const uint64_t volumes[] = { 60, 300, 1500, 8000 };
enum { VOLUMES = sizeof(volumes) / sizeof(volumes[0]) };

/* born - one who is well */
static struct sender
born(uint64_t volume)
{
	struct sender s = { .volume = (double)volume,
		.complaint = lognormal(0.0004, 0.40),
		.bounce = lognormal(0.005, 0.30),
		.block = lognormal(0.0015, 0.40),
		.deferral = lognormal(0.03, 0.35) };

	for (int i = 0; i < 7; i++)
		s.weekday[i] = i < 5 ? 0.9 + 0.2 * uniform() :
		    0.20 + 0.05 * uniform();
	return s;
}

/* rate - of a week: his own, or what the trouble makes of it */
static double
rate(double own, double trouble, int creeps, int week)
{
	double part;

	if (week < INCIDENT || trouble <= 0.0)
		return own;
	if (creeps == 0)
		return trouble;
	part = (double)(week - INCIDENT + 1) / creeps;
	return own + (trouble - own) * (part < 1.0 ? part : 1.0);
}

/* a_day - of that sender, in a week of his */
static void
a_day(const struct sender *s, const struct incident *i, int day,
    uint64_t n[TALLIES])
{
	int week = day < BEFORE * 7 ? -1 : day / 7 - BEFORE;
	double most = s->volume * s->weekday[day % 7] * lognormal(1.0, 0.18);
	uint64_t sent, hard, blocked;

	if (week == INCIDENT && i->volume > 0.0 && day % 7 < 3)
		most *= i->volume;
	sent = (uint64_t)(most + 0.5);
	hard = binomial(sent, rate(s->bounce, i->bounce, 0, week));
	blocked = binomial(sent - hard, rate(s->block, i->block, 0, week));
	n[TALLY_ACCEPTED] = sent;
	n[TALLY_HARD] = hard;
	n[TALLY_BLOCKED] = blocked;
	n[TALLY_DELIVERED] = sent - hard - blocked;
	n[TALLY_SLOW] = binomial(sent, s->deferral);
	n[TALLY_FEEDBACK] = binomial(n[TALLY_DELIVERED], 0.35);
	n[TALLY_COMPLAINTS] = binomial(n[TALLY_FEEDBACK], rate(s->complaint,
	    i->complaint, i->creeps, week));
}

struct life {
	enum tier	formula[WEEKS], raw[WEEKS];
};

/* judge - as penstock-alert does: what it was goes into the next week */
static enum tier
judge(const struct knots *knots, const struct sum *sum,
    struct score_input *in)
{
	uint64_t past[SPAN];
	struct score score;

	for (int i = 0; i < SPAN; i++)
		past[i] = sum->days[i][TALLY_ACCEPTED];
	score_past(past, SPAN, in);
	score_gather(knots, sum, SPAN, in);
	score_make(knots, in, &score);
	in->before = score.tier;
	in->calm = score.calm;
	return score.tier;
}

/* live - 30 weeks of a sender, judged each Monday: by the formula, and by the
 * plain shares with the same knots */
static void
live(uint64_t volume, const struct incident *i, struct life *out)
{
	static uint64_t days[DAYS][TALLIES];
	static const uint64_t *rows[DAYS];
	struct sum sum = { .kind = SUBJECT_ADDRESS };
	struct score_input in = { .before = TIER_UNKNOWN }, raw = in;
	struct sender s = born(volume);

	memset(days, 0, sizeof(days));
	for (int d = 0; d < DAYS; d++) {
		a_day(&s, i, d, days[d]);
		rows[d] = days[d];
	}
	for (int w = 0; w < WEEKS; w++) {
		sum.days = &rows[(BEFORE + w + 1) * 7 - SPAN];
		out->formula[w] = judge(k, &sum, &in);
		out->raw[w] = judge(&plain, &sum, &raw);
	}
}

/* --- what came of it ------------------------------------------------------ */

struct alarms {			/* of weeks of those who are well */
	size_t	weeks, n[2][TIER_CRITICAL + 1], changes[2];
};

struct found {			/* weeks to that tier, of each sender */
	size_t	 senders;
	unsigned *weeks[2];	/* Watch, At Risk */
};

static struct alarms alarms[VOLUMES];
static struct found found[INCIDENTS][VOLUMES];

/* count - the weeks of one who is well */
static void
count(struct alarms *a, const struct life *l)
{
	const enum tier *tiers[2] = { l->formula, l->raw };

	a->weeks += WEEKS;
	for (int which = 0; which < 2; which++)
		for (int w = 0; w < WEEKS; w++) {
			for (int t = TIER_WATCH; t <= TIER_CRITICAL; t++)
				a->n[which][t] += tiers[which][w] >=
				    (enum tier)t;
			a->changes[which] += w > 0 && tiers[which][w] !=
			    tiers[which][w - 1];
		}
}

/* weeks_to - from the first bad one, counted from 1 */
static unsigned
weeks_to(const struct life *l, enum tier tier)
{
	for (int w = INCIDENT; w < INCIDENT + LOOKED; w++)
		if (l->formula[w] >= tier)
			return (unsigned)(w - INCIDENT + 1);
	return NEVER;
}

/* ascending - for qsort */
static int
ascending(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

	return x < y ? -1 : x > y;
}

/* part - the week by which so many of a hundred are found */
static unsigned
part(const struct found *f, int tier, unsigned percent)
{
	size_t at = (f->senders * percent + 99) / 100;

	return f->weeks[tier][at > 0 ? at - 1 : 0];
}

/* setup - all of it, once */
static int
setup(void **state)
{
	const char *rounds = getenv("ROUNDS"), *seed = getenv("SEED");
	size_t n = rounds != NULL ? (size_t)strtoul(rounds, NULL, 10) : 50;
	size_t well, ill;
	struct arena *arena = arena_new(4096, 0);
	struct problems problems;
	struct why why;
	struct life l;

	(void)state;
	problems_init(&problems, arena);
	n = n > MOST ? MOST : n;	/* make soak asks for more than that */
	well = n * 8;
	ill = n * 2;
	if (n == 0 || knots_load(NULL, &k, &problems, &why) != 1)
		return -1;
	arena_free(arena);
	plain = *k;
	plain.z = 0.0;
	plain.least_events = 0;
	dice = UINT64_C(0x853c49e6748fea9b) ^ (seed != NULL ?
	    strtoul(seed, NULL, 10) * UINT64_C(0x9e3779b97f4a7c15) : 0);
	for (int v = 0; v < VOLUMES; v++) {
		for (size_t s = 0; s < well; s++) {
			live(volumes[v], &healthy, &l);
			count(&alarms[v], &l);
		}
		for (int i = 0; i < INCIDENTS; i++) {
			struct found *f = &found[i][v];

			f->senders = ill;
			for (int t = 0; t < 2; t++)
				f->weeks[t] = xcalloc(ill, sizeof(unsigned));
			for (size_t s = 0; s < ill; s++) {
				live(volumes[v], &incidents[i], &l);
				f->weeks[0][s] = weeks_to(&l, TIER_WATCH);
				f->weeks[1][s] = weeks_to(&l, TIER_AT_RISK);
			}
			for (int t = 0; t < 2; t++)
				qsort(f->weeks[t], ill, sizeof(unsigned),
				    ascending);
		}
	}
	return 0;
}

/* teardown - and the table, for whoever asks */
static void
print_alarms(void)
{
	static const char *const published[VOLUMES][3] = {
		{ "23.6/15.3/8.2", "0.35/0.08/0.04", "7.0 -> 0.1" },
		{ "42.5/ 2.0/0.1", "1.20/0.00/0.00", "12.0 -> 0.5" },
		{ "16.5/ 0.0/0.0", "1.30/0.00/0.00", "3.7 -> 0.5" },
		{ " 5.4/ 0.0/0.0", "2.60/0.00/0.00", "0.7 -> 0.2" } };

	printf("\nWeeks of healthy senders called Watch/At Risk/Critical or "
	    "worse, in percent\n%8s  %-30s  %-31s  %s\n", "a day",
	    "raw share (published)", "formula (published)",
	    "changes a year (published)");
	for (int v = 0; v < VOLUMES; v++) {
		const struct alarms *a = &alarms[v];
		double all = (double)a->weeks / 100.0;
		double years = (double)a->weeks / 52.0;

		printf("%8u  %4.1f/%4.1f/%3.1f  (%-13s)  %4.2f/%4.2f/%4.2f "
		    "(%-14s)  %4.1f -> %.1f (%s)\n", (unsigned)volumes[v],
		    (double)a->n[1][TIER_WATCH] / all,
		    (double)a->n[1][TIER_AT_RISK] / all,
		    (double)a->n[1][TIER_CRITICAL] / all, published[v][0],
		    (double)a->n[0][TIER_WATCH] / all,
		    (double)a->n[0][TIER_AT_RISK] / all,
		    (double)a->n[0][TIER_CRITICAL] / all, published[v][1],
		    (double)a->changes[1] / years,
		    (double)a->changes[0] / years, published[v][2]);
	}
}

/* print_found - median/90th week per volume, or how many are found at all */
static void
print_found(int tier)
{
	char cell[32];

	printf("\nWeeks until %s (median/90th of a hundred; a percentage: "
	    "found in 8 weeks)\n%-24s %-28s %s\n", tier == 0 ? "Watch" :
	    "At Risk", "", "60   300  1500 8000 a day", "published");
	for (int i = 0; i < INCIDENTS; i++) {
		printf("%-24s ", incidents[i].name);
		for (int v = 0; v < VOLUMES; v++) {
			const struct found *f = &found[i][v];
			unsigned half = part(f, tier, 50);
			unsigned most = part(f, tier, 90);
			size_t n = 0;

			while (n < f->senders && f->weeks[tier][n] != NEVER)
				n++;
			if (half == NEVER)
				snprintf(cell, sizeof(cell), "%zu%%",
				    n * 100 / f->senders);
			else if (most == NEVER)
				snprintf(cell, sizeof(cell), "%u/-", half);
			else
				snprintf(cell, sizeof(cell), "%u/%u", half,
				    most);
			printf("%-5s", cell);
		}
		printf("         %s\n", tier == 0 ? incidents[i].watch :
		    incidents[i].at_risk);
	}
}

static int
teardown(void **state)
{
	(void)state;
	if (getenv("TABLE") != NULL) {
		print_alarms();
		print_found(0);
		print_found(1);
	}
	for (int i = 0; i < INCIDENTS; i++)
		for (int v = 0; v < VOLUMES; v++)
			for (int t = 0; t < 2; t++)
				free(found[i][v].weeks[t]);
	knots_free(k);
	return 0;
}

static void
who_is_well_is_seldom_called_otherwise(void **state)
{
	(void)state;
	for (int v = 0; v < VOLUMES; v++) {
		const struct alarms *a = &alarms[v];

		if (a->n[0][TIER_WATCH] * 100 > a->weeks * 3 ||
		    a->n[0][TIER_AT_RISK] * 1000 > a->weeks * 2)
			fail_msg("%u a day: Watch in %zu, At Risk in %zu of "
			    "%zu weeks; want at most 3 %% and 0.2 %%",
			    (unsigned)volumes[v], a->n[0][TIER_WATCH],
			    a->n[0][TIER_AT_RISK], a->weeks);
	}
}

static void
plain_shares_would_cry_much_more_often(void **state)
{
	(void)state;
	for (int v = 0; v < VOLUMES; v++)
		assert_true(alarms[v].n[1][TIER_WATCH] >
		    2 * alarms[v].n[0][TIER_WATCH]);
}

static void
bad_lists_and_blocks_are_at_risk_in_two_weeks(void **state)
{
	(void)state;
	for (int i = 0; i < INCIDENTS; i++)
		for (int v = 1; v < VOLUMES; v++) {
			if (incidents[i].bounce < 0.08 &&
			    incidents[i].block <= 0.0)
				continue;
			if (part(&found[i][v], 1, 90) > 2)
				fail_msg("%s, %u a day: nine of ten are At "
				    "Risk after %u weeks, want 2",
				    incidents[i].name, (unsigned)volumes[v],
				    part(&found[i][v], 1, 90));
		}
}

static void
what_must_not_be_at_risk_is_not(void **state)
{
	(void)state;
	for (int i = 0; i < INCIDENTS; i++)
		for (int v = 0; v < VOLUMES; v++)
			if (strcmp(incidents[i].at_risk,
			    "never, by design") == 0 && part(&found[i][v], 1,
			    25) != NEVER)
				fail_msg("%s, %u a day: a quarter are At Risk "
				    "after %u weeks", incidents[i].name,
				    (unsigned)volumes[v],
				    part(&found[i][v], 1, 25));
}

static void
complaints_are_seen_where_there_is_enough_mail(void **state)
{
	(void)state;
	for (int v = 2; v < VOLUMES; v++)
		if (part(&found[3][v], 0, 90) > 2)
			fail_msg("%s, %u a day: nine of ten are at Watch "
			    "after %u weeks, want 2", incidents[3].name,
			    (unsigned)volumes[v], part(&found[3][v], 0, 90));
}

static void
the_same_seed_is_the_same_world(void **state)
{
	struct life one, two;

	(void)state;
	for (int i = 0; i < INCIDENTS; i++) {
		memset(&one, 0, sizeof(one));
		memset(&two, 0, sizeof(two));
		dice = 42;
		live(300, &incidents[i], &one);
		dice = 42;
		live(300, &incidents[i], &two);
		assert_memory_equal(&one, &two, sizeof(one));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_is_well_is_seldom_called_otherwise),
		cmocka_unit_test(plain_shares_would_cry_much_more_often),
		cmocka_unit_test(
		    bad_lists_and_blocks_are_at_risk_in_two_weeks),
		cmocka_unit_test(what_must_not_be_at_risk_is_not),
		cmocka_unit_test(
		    complaints_are_seen_where_there_is_enough_mail),
		cmocka_unit_test(the_same_seed_is_the_same_world),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
