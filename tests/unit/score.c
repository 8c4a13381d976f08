/*
 * How a sender stands: the worked example, what an example cannot show (it
 * rises with what went wrong and with how much is known, within its bounds),
 * tiers that rise at once and fall in their time, days that stand out.
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

static struct knots *k;
static uint64_t state64;

/* roll - 0 .. n-1 of a seeded sequence (xorshift) */
static uint64_t
roll(uint64_t n)
{
	state64 ^= state64 << 13;
	state64 ^= state64 >> 7;
	state64 ^= state64 << 17;
	return state64 % n;
}

static int
setup(void **state)
{
	struct arena *arena = arena_new(4096, 0);
	struct problems problems;
	struct why why;

	(void)state;
	problems_init(&problems, arena);
	if (knots_load(NULL, &k, &problems, &why) != 1) {
		fprintf(stderr, "%s\n", why.text);
		return -1;
	}
	arena_free(arena);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	knots_free(k);
	return 0;
}

/* near - to within half a unit of the last digit that is printed */
static void
near(const char *what, double got, double want, double off)
{
	if (!(got >= want - off && got <= want + off))
		fail_msg("%s: got %.4f, want %.4f", what, got, want);
}

/* worked - 12,000 recipients of a week and 10,000 of the one before */
static struct score_input
worked(void)
{
	struct score_input in = { .day = 20000, .recipients = 12000,
		.before = TIER_HEALTHY, .volume = 4.2 };

	for (int s = 0; s < SIGNALS; s++)
		in.known[s] = true;
	in.x2[SIGNAL_COMPLAINT] = 2 * 14 + 6;
	in.n2[SIGNAL_COMPLAINT] = 2 * 4200 + 3500;
	in.x2[SIGNAL_BOUNCE] = 2 * 240 + 90;
	in.x2[SIGNAL_BLOCK] = 2 * 60 + 20;
	in.x2[SIGNAL_DEFERRAL] = 2 * 900 + 500;
	in.n2[SIGNAL_BOUNCE] = in.n2[SIGNAL_BLOCK] =
	    in.n2[SIGNAL_DEFERRAL] = 2 * 12000 + 10000;
	in.n2[SIGNAL_UNSUB] = 2 * 12000 + 10000;
	return in;
}

static void
the_worked_example_is_what_it_is_by_hand(void **state)
{
	struct score_input in = worked();
	double by_hand = 0;
	struct score s;

	(void)state;
	score_make(k, &in, &s);
	near("raw complaints", s.raw[SIGNAL_COMPLAINT] * 100, 0.286, 0.0005);
	near("complaints", s.low[SIGNAL_COMPLAINT] * 100, 0.210, 0.0005);
	near("at most", s.high[SIGNAL_COMPLAINT] * 100, 0.389, 0.0005);
	near("bounces", s.low[SIGNAL_BOUNCE] * 100, 1.555, 0.0005);
	near("at most", s.high[SIGNAL_BOUNCE] * 100, 1.807, 0.0005);
	near("blocks", s.low[SIGNAL_BLOCK] * 100, 0.353, 0.0005);
	near("at most", s.high[SIGNAL_BLOCK] * 100, 0.480, 0.0005);
	near("points", s.points[SIGNAL_COMPLAINT], 18.2, 0.05);
	near("points", s.points[SIGNAL_BOUNCE], 7.8, 0.05);
	near("points", s.points[SIGNAL_BLOCK], 0, 0);
	near("points", s.points[SIGNAL_DEFERRAL], 0, 0);
	near("points", s.points[SIGNAL_VOLUME], 0, 0);
	near("total", s.total, 26.0, 0.05);
	/* by hand each signal is rounded first: 36.1 + 9.0 + 1.3 */
	for (int i = 0; i < SIGNAL_VOLUME; i++)
		by_hand += floor(knots_points(k, (enum signal)i, s.high[i]) *
		    10 + 0.5) / 10;
	near("at most, by hand", by_hand, 46.4, 0.0001);
	near("at most", s.total_high, 46.51, 0.005);
	assert_int_equal(s.tier, TIER_AT_RISK);
	assert_int_equal(s.confidence, CONFIDENCE_HIGH);
}

static void
it_says_why_as_a_person_would(void **state)
{
	static const char *const want[SIGNALS] = {
		[SIGNAL_COMPLAINT] = "complaints: at least 0.21 % (17 of 5,950 "
		    "where they are reported)",
		[SIGNAL_BOUNCE] = "hard bounces: at least 1.6 % (285 of "
		    "17,000 recipients)",
		[SIGNAL_BLOCK] = "", [SIGNAL_DEFERRAL] = "",
		[SIGNAL_VOLUME] = "volume: a day 6.0 times as far above the "
		    "same weekdays before as those usually differ",
		[SIGNAL_UNSUB] = "",
		[SIGNAL_POLICY] = "rules of the house: 1 day with many "
		    "refusals of senders that are not theirs, 2 days with "
		    "refused senders that are not theirs",
	};
	struct score_input in = worked();
	struct buf said = BUF_INIT;
	struct score s;

	(void)state;
	in.volume = 6.0;
	in.minor = 2;
	in.major = 1;
	score_make(k, &in, &s);
	for (int i = 0; i < SIGNALS; i++) {
		buf_reset(&said);
		score_say(&in, &s, (enum signal)i, &said);
		buf_char(&said, '\0');
		assert_false(buf_failed(&said));
		assert_string_equal(said.data, want[i]);
	}
	buf_free(&said);
}

static const struct tiers {
	const char	*name;
	enum tier	before, tier;
	unsigned	calm, calm_after;
	uint64_t	bounces;	/* of 10,000 in each of both weeks */
	uint64_t	recipients;
	unsigned	confirmed;
} tiers[] = {
	{ "never judged, and fine", TIER_UNKNOWN, TIER_HEALTHY, .bounces = 30,
	    .recipients = 10000 },
	{ "never judged, and bad", TIER_UNKNOWN, TIER_AT_RISK, .bounces = 600,
	    .recipients = 10000 },
	{ "up by two at once", TIER_HEALTHY, TIER_AT_RISK, .bounces = 600,
	    .recipients = 10000 },
	{ "fine for the first week: it stays", TIER_AT_RISK, TIER_AT_RISK,
	    .bounces = 30, .recipients = 10000, .calm_after = 1 },
	{ "fine for the second week: one step", TIER_AT_RISK, TIER_WATCH,
	    .calm = 1, .bounces = 30, .recipients = 10000 },
	{ "and the next step needs two again", TIER_WATCH, TIER_WATCH,
	    .bounces = 30, .recipients = 10000, .calm_after = 1 },
	{ "below the cut, but not by enough: it begins anew", TIER_WATCH,
	    TIER_WATCH, .calm = 1, .bounces = 150, .recipients = 10000 },
	{ "the same again: it begins anew", TIER_AT_RISK, TIER_AT_RISK,
	    .calm = 1, .bounces = 600, .recipients = 10000 },
	{ "too little mail, never judged", TIER_UNKNOWN, TIER_UNKNOWN,
	    .bounces = 9000, .recipients = 199 },
	{ "just enough of it", TIER_UNKNOWN, TIER_CRITICAL, .bounces = 9000,
	    .recipients = 200 },
	{ "too little mail: the tier stays, and what was calm", TIER_WATCH,
	    TIER_WATCH, .calm = 1, .calm_after = 1, .bounces = 0,
	    .recipients = 199 },
	{ "too little mail, and a trap", TIER_HEALTHY, TIER_CRITICAL,
	    .recipients = 10, .confirmed = 1 },
	{ "worse than a trap before: too little mail moves nothing down",
	    TIER_CRITICAL, TIER_CRITICAL, .recipients = 10, .calm = 1,
	    .calm_after = 1 },
};

static void
tiers_rise_at_once_and_fall_in_their_time(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(tiers) / sizeof(tiers[0]); i++) {
		const struct tiers *t = &tiers[i];
		struct score_input in = { .recipients = t->recipients,
			.before = t->before, .calm = t->calm,
			.confirmed = t->confirmed };
		struct score s;

		in.known[SIGNAL_BOUNCE] = in.known[SIGNAL_POLICY] = true;
		in.x2[SIGNAL_BOUNCE] = 3 * t->bounces;
		in.n2[SIGNAL_BOUNCE] = 3 * 10000;
		score_make(k, &in, &s);
		if (s.tier != t->tier || s.calm != t->calm_after)
			fail_msg("%s: got %s, calm %u (%.1f points); want %s, "
			    "calm %u", t->name, tier_names[s.tier], s.calm,
			    s.total, tier_names[t->tier], t->calm_after);
	}
}

static void
little_evidence_has_few_points(void **state)
{
	struct score_input in = { .recipients = 200 };
	struct score s;

	(void)state;
	in.known[SIGNAL_COMPLAINT] = in.known[SIGNAL_BOUNCE] = true;
	in.n2[SIGNAL_COMPLAINT] = in.n2[SIGNAL_BOUNCE] = 400;
	in.x2[SIGNAL_COMPLAINT] = 5;		/* two and a half */
	score_make(k, &in, &s);
	assert_true(s.low[SIGNAL_COMPLAINT] > 0.005);
	assert_true(s.points[SIGNAL_COMPLAINT] == 5.0);
	in.x2[SIGNAL_COMPLAINT] = 6;
	score_make(k, &in, &s);
	assert_true(s.points[SIGNAL_COMPLAINT] > 50.0);
	/* what was never reported is no zero, and nothing is made of it */
	in.known[SIGNAL_COMPLAINT] = false;
	score_make(k, &in, &s);
	assert_true(s.total == 0.0 && s.high[SIGNAL_COMPLAINT] == 0.0);
}

/* random_input - a sender that could be */
static void
random_input(struct score_input *in)
{
	*in = (struct score_input){ .recipients = roll(100000),
		.volume = (double)roll(20000) / 1000.0,
		.minor = (unsigned)roll(8), .major = (unsigned)roll(3),
		.confirmed = (unsigned)roll(3),
		.before = (enum tier)roll(5), .calm = (unsigned)roll(2) };
	for (int s = 0; s < SIGNALS; s++) {
		in->known[s] = roll(5) > 0;
		in->n2[s] = roll(UINT64_C(1) << (1 + roll(24)));
		in->x2[s] = roll(in->n2[s] / (1 + roll(400)) + 2);
	}
}

static void
points_are_within_bounds_and_in_order(void **state)
{
	struct score_input in;
	struct score s, again;

	(void)state;
	state64 = UINT64_C(0x9e3779b97f4a7c15);
	for (int round = 0; round < 20000; round++) {
		random_input(&in);
		memset(&s, 0x55, sizeof(s));
		memset(&again, 0xaa, sizeof(again));
		score_make(k, &in, &s);
		score_make(k, &in, &again);
		assert_true(s.total >= 0.0 && s.total <= 100.0);
		assert_true(s.total_high <= 100.0);
		if (s.enough)
			assert_true(s.total <= s.total_high + 1e-9);
		assert_true(s.total_raw <= s.total_high + 1e-9);
		assert_true(s.total == again.total && s.tier == again.tier &&
		    s.total_high == again.total_high && s.calm ==
		    again.calm && s.confidence == again.confidence);
		assert_true(s.tier >= in.before || s.tier + 1 == in.before);
		for (int i = 0; i < SIGNALS; i++) {
			assert_true(s.low[i] <= s.raw[i] + 1e-12 &&
			    s.raw[i] <= s.high[i] + 1e-12);
			assert_true(s.points[i] >= 0.0 &&
			    s.points[i] <= 100.0);
		}
	}
}

static void
more_that_goes_wrong_is_never_better(void **state)
{
	struct score_input in, more;
	struct score s, t;
	enum signal at;

	(void)state;
	state64 = 77;
	for (int round = 0; round < 20000; round++) {
		random_input(&in);
		more = in;
		at = (enum signal)roll(SIGNALS);
		more.x2[at] += 1 + roll(50);
		more.minor += at == SIGNAL_POLICY;
		more.volume += at == SIGNAL_VOLUME ? 0.5 : 0.0;
		score_make(k, &in, &s);
		score_make(k, &more, &t);
		if (t.total < s.total || t.tier < s.tier ||
		    t.total_high < s.total_high - 1e-9)
			fail_msg("round %d: %s up, and %.3f became %.3f",
			    round, signal_names[at], s.total, t.total);
	}
}

static void
the_same_share_of_more_is_never_better(void **state)
{
	struct score_input in, more;
	struct score s, t;

	(void)state;
	state64 = 4711;
	for (int round = 0; round < 20000; round++) {
		uint64_t times = 2 + roll(9);

		random_input(&in);
		more = in;
		more.recipients *= times;
		for (int i = 0; i < SIGNALS; i++) {
			if (in.x2[i] > in.n2[i])
				in.x2[i] = in.n2[i];
			more.x2[i] = in.x2[i] * times;
			more.n2[i] = in.n2[i] * times;
		}
		score_make(k, &in, &s);
		score_make(k, &more, &t);
		if (t.total < s.total - 1e-9 ||
		    t.total_high > s.total_high + 1e-9)
			fail_msg("round %d: %.3f to %.3f became %.3f to %.3f",
			    round, s.total, s.total_high, t.total,
			    t.total_high);
	}
}

static const struct series {
	const char	*name;
	uint64_t	weeks[9][7];
	bool		known;
	double		least, most;
} series[] = {
	{ "two weeks are no history", { [6] = { 9, 9, 9, 9, 9, 9, 9 },
	    [7] = { 9, 9, 9, 9, 9, 9, 9 }, [8] = { 9, 9, 9, 9, 9, 9, 9 } },
	    false, 0, 0 },
	{ "three are", { [5] = { 9, 9, 9, 9, 9, 9, 9 },
	    [6] = { 9, 9, 9, 9, 9, 9, 9 }, [7] = { 9, 9, 9, 9, 9, 9, 9 },
	    [8] = { 9, 9, 9, 9, 9, 9, 9 } }, true, 0, 0 },
	{ "five times as much on a Tuesday", {
	    { 900, 950, 1000, 900, 900, 200, 180 },
	    { 950, 900, 1000, 900, 900, 210, 180 },
	    { 900, 1000, 1000, 950, 900, 200, 190 },
	    { 900, 950, 1000, 900, 900, 200, 180 },
	    { 900, 950, 1000, 900, 900, 200, 180 },
	    { 900, 950, 1000, 900, 900, 200, 180 },
	    { 900, 950, 1000, 900, 900, 200, 180 },
	    { 900, 950, 1000, 900, 900, 200, 180 },
	    { 900, 4750, 1000, 900, 900, 200, 180 } }, true, 10, 11 },
	{ "less is no spike", {
	    { 900, 950, 1000, 900, 900, 200, 180 },
	    { 950, 900, 1000, 900, 900, 210, 180 },
	    { 900, 1000, 1000, 950, 900, 200, 190 },
	    { 900, 950, 1000, 900, 900, 200, 180 },
	    { 0 }, { 0 }, { 0 }, { 0 },
	    { 0, 0, 0, 0, 0, 0, 0 } }, true, 0, 0 },
	{ "three letters on a Sunday that is usually quiet", {
	    { 300, 300, 300, 300, 300, 0, 0 },
	    { 300, 310, 300, 300, 300, 0, 0 },
	    { 300, 300, 300, 300, 300, 0, 0 },
	    { 300, 300, 300, 300, 290, 0, 0 },
	    { 300, 300, 300, 300, 300, 0, 0 },
	    { 300, 300, 320, 300, 300, 0, 0 },
	    { 300, 300, 300, 300, 300, 0, 0 },
	    { 300, 300, 300, 300, 300, 0, 0 },
	    { 300, 300, 300, 300, 300, 0, 3 } }, true, 0, 0.01 },
};

static void
a_day_that_stands_out_is_seen(void **state)
{
	double z;

	(void)state;
	for (size_t i = 0; i < sizeof(series) / sizeof(series[0]); i++) {
		const struct series *s = &series[i];
		bool known = score_volume(s->weeks[0], 63, &z);

		if (known != s->known || z < s->least || z > s->most)
			fail_msg("%s: got %s, z %.2f; want %s, %.2f to %.2f",
			    s->name, known ? "known" : "unknown", z,
			    s->known ? "known" : "unknown", s->least,
			    s->most);
	}
	assert_false(score_volume(series[1].weeks[0], 6, &z));
	assert_false(score_volume(NULL, 0, &z));
}

static void
days_become_the_input_of_a_score(void **state)
{
	static uint64_t days[63][TALLIES];
	static const uint64_t *rows[63];
	uint64_t past[63];
	struct sum sum = { .kind = SUBJECT_TENANT, .name = SLICE("acme"),
		.days = rows };
	struct score_input in = { .day = 7, .before = TIER_WATCH };

	(void)state;
	for (int i = 0; i < 63; i++) {
		rows[i] = days[i];
		days[i][TALLY_ACCEPTED] = 100;
		days[i][TALLY_DELIVERED] = 90;
		days[i][TALLY_HARD] = 3;
		days[i][TALLY_BLOCKED] = 2;
		days[i][TALLY_BLOCKED_DAY] = 1;
		days[i][TALLY_SLOW] = 7;
		days[i][TALLY_COMPLAINTS] = 1;
		days[i][TALLY_FEEDBACK] = 30;
		days[i][TALLY_OPT_OUT] = 1;
	}
	days[62][TALLY_VIOLATED] = 100;
	days[61][TALLY_VIOLATED] = 99;
	days[60][TALLY_VIOLATED] = 1;
	days[55][TALLY_VIOLATED] = 1;	/* the week before */
	score_gather(k, &sum, 63, &in);
	assert_int_equal(in.x2[SIGNAL_BOUNCE], 3 * 7 * 3);
	assert_int_equal(in.n2[SIGNAL_BOUNCE], 95 * 7 * 3);
	assert_int_equal(in.x2[SIGNAL_BLOCK], 3 * 7 * 3);
	assert_int_equal(in.x2[SIGNAL_DEFERRAL], 7 * 7 * 3);
	assert_int_equal(in.n2[SIGNAL_DEFERRAL], 95 * 7 * 3);
	assert_int_equal(in.x2[SIGNAL_COMPLAINT], 7 * 3);
	assert_int_equal(in.n2[SIGNAL_COMPLAINT], 30 * 7 * 3);
	assert_int_equal(in.x2[SIGNAL_UNSUB], 7 * 3);
	assert_int_equal(in.n2[SIGNAL_UNSUB], 100 * 7 * 3);
	assert_int_equal(in.recipients, 95 * 7);
	assert_int_equal(in.major, 1);
	assert_int_equal(in.minor, 2);
	assert_true(in.known[SIGNAL_UNSUB] && !in.known[SIGNAL_VOLUME]);
	for (int i = 0; i < 63; i++)
		past[i] = i == 60 ? 5000 : 100;
	score_past(past, 63, &in);
	assert_true(in.known[SIGNAL_VOLUME] && in.volume > 20);
	assert_int_equal(in.x2[SIGNAL_UNSUB], 7 * 3);
	assert_int_equal(in.day, 7);
	assert_int_equal(in.before, TIER_WATCH);
	sum.kind = SUBJECT_ADDRESS;
	for (int i = 0; i < 63; i++)
		days[i][TALLY_FEEDBACK] = days[i][TALLY_COMPLAINTS] = 0;
	score_gather(k, &sum, 63, &in);
	assert_false(in.known[SIGNAL_UNSUB]);
	assert_false(in.known[SIGNAL_COMPLAINT]);	/* n/a, never 0 */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_worked_example_is_what_it_is_by_hand),
		cmocka_unit_test(it_says_why_as_a_person_would),
		cmocka_unit_test(tiers_rise_at_once_and_fall_in_their_time),
		cmocka_unit_test(little_evidence_has_few_points),
		cmocka_unit_test(points_are_within_bounds_and_in_order),
		cmocka_unit_test(more_that_goes_wrong_is_never_better),
		cmocka_unit_test(the_same_share_of_more_is_never_better),
		cmocka_unit_test(a_day_that_stands_out_is_seen),
		cmocka_unit_test(days_become_the_input_of_a_score),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
