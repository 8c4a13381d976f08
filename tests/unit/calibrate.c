/*
 * Their word as a tier, ours beside it: figures of providers, what is no word
 * at all, agreement and kappa by hand, and a suggestion that is a file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "reputation/calibrate.h"

#define D	20594			/* 2026-05-21 */
#define Q	(2026 * 4 + 1)

static struct arena *arena;
static struct knots *k;

static int
setup(void **state)
{
	struct problems problems;
	struct why why;

	(void)state;
	arena = arena_new(1 << 16, 0);
	problems_init(&problems, arena);
	return knots_load(NULL, &k, &problems, &why) == 1 ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	knots_free(k);
	arena_free(arena);
	return 0;
}

/* --- their word ----------------------------------------------------------- */

struct row {
	const char	*provider, *metric, *value;
	int		 day, until;	/* from D; until 0: that day alone */
	bool		 upper;
	enum snapshot_state state;
};

#define G	"google"
#define M	"microsoft"
static const struct words {
	const char	*name;
	struct row	 rows[8];
	enum tier	 tier;		/* UNKNOWN: no word */
	const char	*said;
} words[] = {
	{ "little spam", { { G, "spam_rate", "0.0004", -6, 1, 0, 0 } },
	    TIER_HEALTHY, "spam rate 0.04 % in 7 days" },
	{ "what Google calls too much", { { G, "spam_rate", "0.001", -6, 1,
	    0, 0 } }, TIER_WATCH, "spam rate 0.10 % in 7 days" },
	{ "less than that on each day", { { G, "spam_rate", "0.001", -6, 1,
	    true, 0 } }, TIER_HEALTHY, "spam rate 0.10 % in 7 days" },
	{ "a mean above, not on every day", { { G, "spam_rate", "0.008", -6,
	    -3, 0, 0 }, { G, "spam_rate", "0.001", -3, 1, 0, 0 } },
	    TIER_AT_RISK, "spam rate 0.40 % in 7 days" },
	{ "at the level on six days", { { G, "spam_rate", "0.003", -5, 1, 0,
	    0 } }, TIER_AT_RISK, "spam rate 0.30 % in 6 days" },
	{ "on all of seven days", { { G, "spam_rate", "0.003", -6, 1, 0, 0 } },
	    TIER_CRITICAL, "spam rate 0.30 % in 7 days" },
	{ "on all of the three days there are", { { G, "spam_rate", "0.003",
	    -2, 1, 0, 0 } }, TIER_AT_RISK, "spam rate 0.30 % in 3 days" },
	{ "its verdict", { { G, "compliance:user_reported_spam_rate",
	    "NEEDS_WORK", -9, 0, 0, 0 }, { G, "spam_rate", "0.0001", 0, 1, 0,
	    0 } }, TIER_CRITICAL, "spam rate 0.01 % in 1 day, NEEDS_WORK" },
	{ "a verdict that is two months old",
	    { { G, "compliance:user_reported_spam_rate", "NEEDS_WORK", -40, 0,
	    0, 0 }, { G, "spam_rate", "0.0001", 0, 1, 0, 0 } }, TIER_HEALTHY,
	    "spam rate 0.01 % in 1 day" },
	{ "a day without data is no zero", { { G, "spam_rate", "", -3, -2,
	    0, SNAPSHOT_NO_DATA }, { G, "spam_rate", "0.002", 0, 1, 0, 0 } },
	    TIER_WATCH, "spam rate 0.20 % in 1 day" },
	{ "the answer was an error", { { G, "all", "", 0, 0, 0,
	    SNAPSHOT_API_ERROR } }, TIER_UNKNOWN, "" },
	{ "no number", { { G, "spam_rate", "low", 0, 1, 0, 0 } }, TIER_UNKNOWN,
	    "" },
	{ "green, and less than what is told", { { M, "complaint_rate",
	    "0.001", 0, 0, true, 0 }, { M, "filter_result", "GREEN", 0, 0, 0,
	    0 }, { M, "trap_hits", "0", 0, 0, 0, 0 } }, TIER_HEALTHY,
	    "GREEN" },
	{ "green with complaints", { { M, "complaint_rate", "0.003", 0, 0, 0,
	    0 }, { M, "filter_result", "GREEN", 0, 0, 0, 0 } }, TIER_WATCH,
	    "GREEN, complaints 0.30 %" },
	{ "green with traps", { { M, "filter_result", "GREEN", 0, 0, 0, 0 },
	    { M, "trap_hits", "2", 0, 0, 0, 0 } }, TIER_WATCH,
	    "GREEN, 2 trap hits" },
	{ "the worst of a week", { { M, "filter_result", "YELLOW", -6, -5, 0,
	    0 }, { M, "filter_result", "GREEN", -5, 1, 0, 0 } },
	    TIER_AT_RISK, "YELLOW" },
	{ "worse, but eight days ago", { { M, "filter_result", "RED", -7, -6,
	    0, 0 }, { M, "filter_result", "GREEN", -6, 1, 0, 0 } },
	    TIER_HEALTHY, "GREEN" },
	{ "red", { { M, "filter_result", "RED", 0, 0, 0, 0 } }, TIER_CRITICAL,
	    "RED" },
	{ "blocked, no colour that day", { { M, "blocked", "yes", 0, 0, 0,
	    0 } }, TIER_CRITICAL, "no colour, blocked" },
	{ "not blocked and no colour says nothing", { { M, "blocked", "no", 0,
	    0, 0, 0 } }, TIER_UNKNOWN, "" },
	{ "a colour that is none", { { M, "filter_result", "BLUE", 0, 0, 0,
	    0 } }, TIER_UNKNOWN, "" },
	{ "on a list of spammers", { { "dnsbl", "zen", "SBL,PBL", 0, 0, 0, 0 } },
	    TIER_CRITICAL, "listed: SBL,PBL" },
	{ "on another one", { { "dnsbl", "zen", "PBL", 0, 0, 0, 0 } },
	    TIER_AT_RISK, "listed: PBL" },
	{ "a word that only begins like one", { { "dnsbl", "zen", "SBLX", 0,
	    0, 0, 0 } }, TIER_AT_RISK, "listed: SBLX" },
	{ "on none, which is no word", { { "dnsbl", "zen", "not listed", 0, 0,
	    0, 0 } }, TIER_UNKNOWN, "" },
};

/* rows_of - as the store tells them */
static size_t
rows_of(const struct row *from, struct snapshot *out)
{
	size_t n = 0;

	for (int i = 0; i < 8 && from[i].provider != NULL; i++) {
		const struct row *r = &from[i];
		int until = r->until != 0 ? r->until : r->day + 1;

		for (int d = r->day; d < until; d++)
			out[n++] = (struct snapshot){
			    .provider = slice_of(r->provider),
			    .subject_type = slice_of(strcmp(r->provider, G) ==
			    0 ? "domain" : "address"),
			    .subject = SLICE("who"),
			    .metric = slice_of(r->metric),
			    .value = slice_of(r->value), .upper = r->upper,
			    .begin = D + d, .end = D + d, .state = r->state };
	}
	return n;
}

static void
what_they_say_is_a_tier_or_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		const struct words *w = &words[i];
		struct snapshot rows[64];
		struct official *o;
		struct why why;
		size_t n;

		assert_int_equal(officials_make(rows, rows_of(w->rows, rows),
		    arena, &o, &n, &why), 0);
		if (n != (w->tier != TIER_UNKNOWN))
			fail_msg("%s: got %zu words", w->name, n);
		if (n == 0)
			continue;
		if (o->tier != w->tier || !slice_is(o->said, w->said))
			fail_msg("%s: got %s, \"%.*s\"; want %s, \"%s\"",
			    w->name, tier_names[o->tier], SLICE_ARG(o->said),
			    tier_names[w->tier], w->said);
		assert_int_equal(o->day, D);
		assert_int_equal(o->quarter, Q);
		assert_int_equal(o->kind, strcmp(w->rows[0].provider, G) ==
		    0 ? SUBJECT_DOMAIN : SUBJECT_ADDRESS);
	}
}

static void
each_subject_has_one_word_a_quarter(void **state)
{
	struct snapshot rows[6];
	struct official *o;
	struct why why;
	char text[16];
	size_t n;

	(void)state;
	for (int i = 0; i < 6; i++)
		rows[i] = (struct snapshot){ .provider = SLICE("google"),
			.subject_type = SLICE("domain"),
			.subject = i < 4 ? SLICE("a.test") : SLICE("b.test"),
			.metric = SLICE("spam_rate"),
			.value = i == 3 ? SLICE("0.5") : SLICE("0.0001"),
			.begin = D - 100 + 50 * (i % 4),
			.end = D - 100 + 50 * (i % 4) };
	assert_int_equal(officials_make(rows, 6, arena, &o, &n, &why), 0);
	/* a: February, April, then July; May is the later one of its quarter */
	assert_int_equal(n, 3 + 2);
	assert_int_equal(o[0].quarter, Q - 1);
	assert_int_equal(o[1].quarter, Q);
	assert_int_equal(o[1].day, D);
	assert_int_equal(o[2].quarter, Q + 1);
	assert_int_equal(o[2].tier, TIER_AT_RISK);
	assert_true(slice_is(o[3].subject, "b.test"));
	assert_string_equal(official_quarter(o[1].quarter, text), "2026Q2");
}

/* --- ours beside it ------------------------------------------------------- */

/* put - n pairs of two tiers */
static size_t
put(struct pair *pairs, size_t at, size_t n, enum tier ours, enum tier theirs)
{
	for (size_t i = 0; i < n; i++)
		pairs[at + i] = (struct pair){ .ours = ours,
			.official.tier = theirs };
	return at + n;
}

static void
agreement_is_what_it_is_by_hand(void **state)
{
	struct pair pairs[64];
	struct calibration c;
	size_t n = 0;

	(void)state;
	n = put(pairs, n, 20, TIER_HEALTHY, TIER_HEALTHY);
	n = put(pairs, n, 5, TIER_HEALTHY, TIER_WATCH);
	n = put(pairs, n, 5, TIER_WATCH, TIER_HEALTHY);
	n = put(pairs, n, 8, TIER_AT_RISK, TIER_AT_RISK);
	n = put(pairs, n, 2, TIER_CRITICAL, TIER_HEALTHY);
	calibrate(pairs, n, &c);
	assert_int_equal(c.n, 40);
	assert_int_equal(c.exact, 28);
	assert_int_equal(c.near, 38);
	assert_int_equal(c.matrix[0][1], 5);
	assert_int_equal(c.matrix[3][0], 2);
	assert_true(c.enough && c.has_kappa);
	/*
	 * ours 25 5 8 2, theirs 27 5 8 0 of 40.  Off: (5 + 5) / 3 + 2 = 16/3
	 * of 40.  By chance: sum of ours * theirs * distance / 3 =
	 * (25*5 + 25*8*2 + 5*27 + 5*8 + 8*27*2 + 8*5 + 2*27*3 + 2*5*2 + 2*8) /
	 * 3 / 40 = 1370 / 120 of 40
	 */
	assert_true(c.kappa > 1 - (16.0 / 3) / (1370.0 / 120) - 1e-12 &&
	    c.kappa < 1 - (16.0 / 3) / (1370.0 / 120) + 1e-12);
	/* all the same: 1; all of one tier: there is nothing to compare */
	n = put(pairs, 0, 10, TIER_HEALTHY, TIER_HEALTHY);
	calibrate(pairs, put(pairs, n, 10, TIER_WATCH, TIER_WATCH), &c);
	assert_true(c.kappa == 1.0 && c.has_kappa && c.exact == 20);
	calibrate(pairs, 10, &c);
	assert_false(c.has_kappa);
	assert_false(c.enough);
	calibrate(pairs, 0, &c);
	assert_int_equal(c.n, 0);
	assert_false(c.has_kappa);
}

/* sender - with that share of bounces, and how they call it */
static struct pair
sender(uint64_t bounces, enum tier theirs)
{
	struct pair p = { .official.tier = theirs };
	struct score s;

	p.in.recipients = 100000;
	p.in.known[SIGNAL_BOUNCE] = true;
	p.in.n2[SIGNAL_BOUNCE] = 200000;
	p.in.x2[SIGNAL_BOUNCE] = 2 * bounces;
	score_make(k, &p.in, &s);
	p.ours = s.tier;
	return p;
}

static void
a_suggestion_is_where_most_would_agree(void **state)
{
	struct change changes[CALIBRATE_CHANGES];
	struct pair pairs[40];
	struct problems problems;
	struct knots to, *again = NULL;
	struct buf file = BUF_INIT;
	struct why why;
	size_t n;

	(void)state;
	/* they call 3 % healthy, and 4.5 % Watch; we say Watch to both */
	for (int i = 0; i < 40; i++)
		pairs[i] = i % 2 == 0 ? sender(3000, TIER_HEALTHY) :
		    sender(4500, TIER_WATCH);
	assert_int_equal(calibrate_suggest(pairs, 19, k, &to, changes), 0);
	assert_memory_equal(&to, k, sizeof(to));
	n = calibrate_suggest(pairs, 40, k, &to, changes);
	assert_int_equal(n, 1);
	assert_int_equal(changes[0].signal, SIGNAL_BOUNCE);
	assert_int_equal(changes[0].knot, 2);
	assert_int_equal(changes[0].exact, 40);
	assert_true(changes[0].was == 0.02 && changes[0].is > 0.029 &&
	    changes[0].is < 0.045);
	calibrate_write(&to, changes, n, 40, &file);
	assert_false(buf_failed(&file));
	problems_init(&problems, arena);
	if (knots_parse("suggested.conf", buf_slice(&file), &again, &problems,
	    &why) != 1)
		fail_msg("%u:%u: %s", problems.first->at.line,
		    problems.first->at.col, problems.first->text);
	for (int s = 0; s < SIGNALS; s++)
		for (size_t i = 0; i < to.ncurve[s]; i++)
			assert_true(again->curve[s][i].at ==
			    to.curve[s][i].at && again->curve[s][i].points ==
			    to.curve[s][i].points);
	assert_non_null(strstr(file.data, "# was 2 %; 40 agree with it"));
	knots_free(again);
	/* nothing to be gained: the file is what holds now, to the last bit */
	buf_reset(&file);
	for (int i = 0; i < 40; i++)
		pairs[i] = sender(3000, TIER_WATCH);
	assert_int_equal(calibrate_suggest(pairs, 40, k, &to, changes), 0);
	calibrate_write(&to, changes, 0, 40, &file);
	assert_int_equal(knots_parse("same.conf", buf_slice(&file), &again,
	    &problems, &why), 1);
	assert_memory_equal(again->hash, k->hash, HASH_SHA256);
	knots_free(again);
	buf_free(&file);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_they_say_is_a_tier_or_nothing),
		cmocka_unit_test(each_subject_has_one_word_a_quarter),
		cmocka_unit_test(agreement_is_what_it_is_by_hand),
		cmocka_unit_test(a_suggestion_is_where_most_would_agree),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
