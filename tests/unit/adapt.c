/*
 * Each rule of a warmup and each of its boundaries is a row; then what a
 * decision does to days, who is singled out, and that the line that is
 * recorded is the decision: cut at every byte it is refused or another one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/adapt.h"

static struct arena *arena;

static int
setup(void **state)
{
	(void)state;
	arena = arena_new(1 << 16, 0);
	return arena == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

/* An ordinary day; a row says what is different, behind it. */
#pragma GCC diagnostic ignored "-Woverride-init"
#define GOOD .date = 20412, .day = 10, .days = 42, .cap = 110, .bulk = 110, \
	.used = 100, .known = true
#define WELL .ended = 1000, .arrived = 3000

static const struct row {
	const char	*name;
	struct adapt_input in;		/* without providers */
	struct adapt_count at;		/* at google; nothing: no traffic */
	enum adapt_rule	rule;
	int		day;
	int		clean;
} rows[] = {
	/* S1 */
	{ "one reply that says we are blocked stops", { GOOD },
	    { WELL, .listed = 1 }, ADAPT_S1, 10, 0 },
	{ "a list that all the world asks stops", { GOOD, .dnsbl = 1 },
	    { WELL }, ADAPT_S1, 10, 0 },
	/* S2 */
	{ "six complaints of a thousand are 0.30 % at least",
	    { GOOD }, { .ended = 1000, .arrived = 1000, .complaints = 6 },
	    ADAPT_S2, 10, 0 },
	{ "five of a thousand are not yet", { GOOD },
	    { .ended = 1000, .arrived = 1000, .complaints = 5 },
	    ADAPT_R1, 8, 0 },
	{ "59 hard bounces of a thousand are 5 % at least", { GOOD },
	    { WELL, .hard = 59 }, ADAPT_S2, 10, 0 },
	{ "58 are not yet", { GOOD }, { WELL, .hard = 58 }, ADAPT_R1, 8, 0 },
	{ "14 of two hundred are 5 % at least", { GOOD },
	    { .ended = 200, .arrived = 600, .hard = 14 }, ADAPT_S2, 10, 0 },
	{ "13 are not yet", { GOOD },
	    { .ended = 200, .arrived = 600, .hard = 13 }, ADAPT_R1, 8, 0 },
	{ "37 refusals for reputation of a thousand are 3 % at least",
	    { GOOD }, { WELL, .blocked = 37 }, ADAPT_S2, 10, 0 },
	{ "36 are not yet", { GOOD }, { WELL, .blocked = 36 },
	    ADAPT_R1, 8, 0 },
	{ "three bounces of three are evidence", { GOOD },
	    { .ended = 3, .hard = 3 }, ADAPT_S2, 10, 0 },
	{ "two bounces of two are none", { GOOD },
	    { .ended = 2, .hard = 2 }, ADAPT_A1, 11, 1 },
	/* R1 */
	{ "three complaints of three thousand are 0.10 %", { GOOD },
	    { .ended = 1000, .arrived = 3000, .complaints = 3 },
	    ADAPT_R1, 8, 0 },
	{ "of one more they are less", { GOOD },
	    { .ended = 1000, .arrived = 3001, .complaints = 3 },
	    ADAPT_H1, 10, 0 },
	{ "two of a thousand are too few", { GOOD },
	    { .ended = 1000, .arrived = 1000, .complaints = 2 },
	    ADAPT_H1, 10, 0 },
	{ "26 hard bounces of a thousand are 2 % at least", { GOOD },
	    { WELL, .hard = 26 }, ADAPT_R1, 8, 0 },
	{ "25 are not yet", { GOOD }, { WELL, .hard = 25 }, ADAPT_H1, 10, 0 },
	{ "15 refusals of a thousand are 1 % at least", { GOOD },
	    { WELL, .blocked = 15 }, ADAPT_R1, 8, 0 },
	{ "14 are not yet", { GOOD }, { WELL, .blocked = 14 },
	    ADAPT_A1, 11, 1 },
	{ "15 of a hundred deferred for rate", { GOOD },
	    { .ended = 85, .deferred = 15, .slow = 15 }, ADAPT_R1, 8, 0 },
	{ "14 of a hundred", { GOOD },
	    { .ended = 86, .deferred = 14, .slow = 14 }, ADAPT_H1, 10, 0 },
	{ "one of two deferred for rate is no evidence", { GOOD },
	    { .ended = 1, .deferred = 1, .slow = 1 }, ADAPT_H1, 10, 0 },
	{ "deferred for another reason is nobody's fault", { GOOD },
	    { .ended = 50, .deferred = 50 }, ADAPT_A1, 11, 1 },
	{ "a rollback ends at the first day", { GOOD, .day = 2 },
	    { WELL, .blocked = 15 }, ADAPT_R1, 1, 0 },
	/* H1 */
	{ "ten hard bounces of a thousand are 1 %", { GOOD },
	    { WELL, .hard = 10 }, ADAPT_H1, 10, 0 },
	{ "nine are less", { GOOD }, { WELL, .hard = 9 }, ADAPT_A1, 11, 1 },
	{ "four bounces are too few", { GOOD },
	    { .ended = 400, .hard = 4 }, ADAPT_A1, 11, 1 },
	{ "8 of a hundred deferred for rate", { GOOD },
	    { .ended = 92, .deferred = 8, .slow = 8 }, ADAPT_H1, 10, 0 },
	{ "7 of a hundred", { GOOD },
	    { .ended = 93, .deferred = 7, .slow = 7 }, ADAPT_A1, 11, 1 },
	{ "a complaint of two thousand is 0.05 %", { GOOD },
	    { .ended = 900, .arrived = 2000, .complaints = 1 },
	    ADAPT_H1, 10, 0 },
	{ "of one more it is less", { GOOD },
	    { .ended = 900, .arrived = 2001, .complaints = 1 },
	    ADAPT_A1, 11, 1 },
	/* H2 */
	{ "less than half was used", { GOOD, .used = 54 }, { WELL },
	    ADAPT_H2, 10, 1 },
	{ "half was used", { GOOD, .used = 55 }, { WELL },
	    ADAPT_A1, 11, 1 },
	{ "a limit of ours turned mail away", { GOOD, .used = 3,
	    .turned = 1 }, { WELL }, ADAPT_A1, 11, 1 },
	{ "a limit turned all of it away", { GOOD, .used = 0, .turned = 9,
	    .silent = 1 }, { 0 }, ADAPT_H2, 10, 0 },
	{ "a day in silence is no day", { GOOD, .used = 0, .silent = 7,
	    .clean = 4 }, { 0 }, ADAPT_H2, 10, 4 },
	/* I1, I2 */
	{ "eight days of silence go back two weeks' worth", { GOOD,
	    .used = 0, .silent = 8, .clean = 4 }, { 0 }, ADAPT_I1, 4, 4 },
	{ "the ninth goes back no further", { GOOD, .used = 0,
	    .silent = 9 }, { 0 }, ADAPT_H2, 10, 0 },
	{ "nor the fourteenth", { GOOD, .used = 0, .silent = 14 }, { 0 },
	    ADAPT_H2, 10, 0 },
	{ "the fifteenth goes back one week more", { GOOD, .used = 0,
	    .silent = 15 }, { 0 }, ADAPT_I1, 7, 0 },
	{ "the 22nd one more", { GOOD, .used = 0, .silent = 22 }, { 0 },
	    ADAPT_I1, 7, 0 },
	{ "the 29th the last one", { GOOD, .used = 0, .silent = 29 }, { 0 },
	    ADAPT_I1, 7, 0 },
	{ "the 30th is within it", { GOOD, .used = 0, .silent = 30 }, { 0 },
	    ADAPT_H2, 10, 0 },
	{ "31 days begin anew", { GOOD, .used = 0, .silent = 31,
	    .clean = 9 }, { 0 }, ADAPT_I2, 1, 0 },
	{ "and once is enough", { GOOD, .day = 1, .used = 0, .silent = 32 },
	    { 0 }, ADAPT_H2, 1, 0 },
	{ "a silence ends at the first day", { GOOD, .day = 3, .used = 0,
	    .silent = 8 }, { 0 }, ADAPT_I1, 1, 0 },
	{ "what was warm and is silent warms up again", { GOOD, .day = 42,
	    .warmed = true, .used = 0, .silent = 8 }, { 0 },
	    ADAPT_I1, 36, 0 },
	{ "a bounce that comes late counts on a day of silence", { GOOD,
	    .used = 0, .silent = 1 }, { .ended = 60, .hard = 30 },
	    ADAPT_S2, 10, 0 },
	/* N1 */
	{ "nobody knows, and it is required", { GOOD, .known = false,
	    .required = true, .clean = 2 }, { WELL, .listed = 9 },
	    ADAPT_N1, 10, 2 },
	{ "nobody knows, and nobody asks", { GOOD, .known = false },
	    { WELL, .listed = 9 }, ADAPT_A1, 11, 1 },
	/* C1 */
	{ "six days at the end", { GOOD, .day = 42, .clean = 5 }, { WELL },
	    ADAPT_A1, 42, 6 },
	{ "seven days at the end are warm", { GOOD, .day = 42, .clean = 6 },
	    { WELL }, ADAPT_C1, 42, 7 },
	{ "also with little mail", { GOOD, .day = 42, .clean = 6,
	    .used = 1 }, { WELL }, ADAPT_C1, 42, 7 },
	{ "seven clean days before the end are not", { GOOD, .day = 41,
	    .clean = 7, .used = 60 }, { WELL }, ADAPT_A1, 42, 0 },
	{ "warm stays warm", { GOOD, .day = 42, .clean = 9,
	    .warmed = true }, { WELL }, ADAPT_A1, 42, 10 },
	{ "a rollback ends it", { GOOD, .day = 42, .clean = 9,
	    .warmed = true }, { WELL, .blocked = 15 }, ADAPT_R1, 40, 0 },
	/* A2 */
	{ "the third clean day, nearly all used, is recommended", { GOOD,
	    .clean = 2 }, { WELL }, ADAPT_A2, 11, 3 },
	{ "and taken where the policy allows it", { GOOD, .clean = 2,
	    .fast = true }, { WELL }, ADAPT_A2, 12, 3 },
	{ "the fourth is an ordinary one", { GOOD, .clean = 3,
	    .fast = true }, { WELL }, ADAPT_A1, 11, 4 },
	{ "the sixth again", { GOOD, .clean = 5, .fast = true }, { WELL },
	    ADAPT_A2, 12, 6 },
	{ "99 of 110 are 90 %", { GOOD, .clean = 2, .used = 99 }, { WELL },
	    ADAPT_A2, 11, 3 },
	{ "an address's number is more than bulk may have", { GOOD, .clean = 2,
	    .cap = 138, .used = 99 }, { WELL }, ADAPT_A2, 11, 3 },
	{ "98 are less", { GOOD, .clean = 2, .used = 98 }, { WELL },
	    ADAPT_A1, 11, 3 },
	{ "3 % deferred for rate is too much for it", { GOOD, .clean = 2 },
	    { .ended = 97, .deferred = 3, .slow = 3 }, ADAPT_A1, 11, 3 },
	{ "2 % are not", { GOOD, .clean = 2 },
	    { .ended = 98, .deferred = 2, .slow = 2 }, ADAPT_A2, 11, 3 },
	{ "there is no day behind the last", { GOOD, .day = 41, .clean = 2,
	    .fast = true }, { WELL }, ADAPT_A1, 42, 0 },
	{ "not without outcomes", { GOOD, .clean = 2, .fast = true,
	    .known = false }, { WELL }, ADAPT_A1, 11, 3 },
	/* a schedule that became shorter */
	{ "the policy made the schedule shorter", { GOOD, .day = 50 },
	    { WELL }, ADAPT_A1, 42, 0 },
};

/* input_of - the row with its provider */
static struct adapt_input
input_of(const struct row *r, struct adapt_provider *google)
{
	static const struct adapt_count none;
	struct adapt_input in = r->in;

	*google = (struct adapt_provider){ .name = SLICE("google"),
		.count = r->at };
	in.providers = google;
	in.nproviders = memcmp(&r->at, &none, sizeof(none)) != 0;
	return in;
}

static void
every_rule_begins_where_it_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];
		struct adapt_provider google;
		struct adapt_input in = input_of(r, &google);
		struct adapt_decision d;

		adapt(&in, &d);
		if (d.rule != r->rule || d.day != r->day ||
		    d.clean != r->clean)
			fail_msg("%s: got %s, day %d, clean %d; want %s, day "
			    "%d, clean %d", r->name, adapt_rule_names[d.rule],
			    d.day, d.clean, adapt_rule_names[r->rule], r->day,
			    r->clean);
		assert_int_equal(d.stop, in.known && in.dnsbl > 0);
		assert_int_equal(d.warmed, d.day == in.days &&
		    (in.warmed || d.rule == ADAPT_C1));
		assert_int_equal(d.faster, d.rule == ADAPT_A2 && !in.fast);
	}
}

static void
every_rule_has_a_row_and_every_row_replays(void **state)
{
	bool seen[ADAPT_RULES] = { false };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct adapt_provider google;
		struct adapt_input in = input_of(&rows[i], &google), back;
		struct adapt_decision d, said, again;
		struct buf b = BUF_INIT, c = BUF_INIT;
		struct why why;

		adapt(&in, &d);
		seen[d.rule] = true;
		adapt_print(&in, &d, &b);
		arena_reset(arena);
		if (adapt_read(buf_slice(&b), &back, &said, arena,
		    &why) == -1)
			fail_msg("%s: %.*s: %s", rows[i].name,
			    SLICE_ARG(buf_slice(&b)), why.text);
		adapt(&back, &again);
		assert_true(adapt_same(&back, &said, &again));
		assert_true(adapt_same(&in, &said, &d));
		adapt_print(&back, &again, &c);
		assert_int_equal(b.len, c.len);
		assert_memory_equal(b.data, c.data, b.len);
		buf_free(&b);
		buf_free(&c);
	}
	for (unsigned i = 0; i < ADAPT_RULES; i++)
		if (!seen[i])
			fail_msg("no row ends in %s", adapt_rule_names[i]);
}

/* --- several providers, several tenants ----------------------------------- */

static void
the_most_severe_wins_and_the_lowest_day_is_taken(void **state)
{
	const struct adapt_provider providers[] = {
		{ .name = SLICE("yahoo"), .count = { WELL } },
		{ .name = SLICE("google"), .count = { WELL, .blocked = 15 } },
		{ .name = SLICE("outlook"), .count = { WELL, .hard = 90 } },
		{ .name = SLICE("gmx"), .count = { WELL, .hard = 10 } },
	};
	struct adapt_input in = { GOOD, .providers = providers,
		.nproviders = 4 };
	struct adapt_decision d;

	(void)state;
	adapt(&in, &d);
	assert_int_equal(d.rule, ADAPT_S2);
	assert_int_equal(d.provider, 2);
	assert_int_equal(d.day, 8);
	assert_int_equal(d.of[0], ADAPT_A1);
	assert_int_equal(d.of[1], ADAPT_R1);
	assert_int_equal(d.of[2], ADAPT_S2);
	assert_int_equal(d.of[3], ADAPT_H1);
	assert_false(d.stop);
}

static void
strangers_have_no_share_so_all_of_it_stops(void **state)
{
	const struct adapt_provider providers[] = {
		{ .name = SLICE("google"), .count = { WELL } },
		{ .name = SLICE(ADAPT_STRANGERS), .count = { WELL,
		    .hard = 15 } },
	};
	struct adapt_provider worse[] = { providers[0], providers[1] };
	struct adapt_input in = { GOOD, .providers = providers,
		.nproviders = 2 };
	struct adapt_decision d;

	(void)state;
	adapt(&in, &d);
	assert_int_equal(d.rule, ADAPT_H1);
	assert_false(d.stop);
	worse[1].count.hard = 90;
	in.providers = worse;
	adapt(&in, &d);
	assert_int_equal(d.rule, ADAPT_S2);
	assert_int_equal(d.provider, 1);
	assert_true(d.stop);
}

static const struct {
	const char	*name;
	struct adapt_count all, first, second;
	enum adapt_rule	rule;		/* of the provider, without them */
	size_t		nsingles;
	enum adapt_rule	what_for;
} crowds[] = {
	{ "one tenant's list, and others who are well",
	    { .ended = 1000, .hard = 100 }, { .ended = 200, .hard = 98 },
	    { .ended = 300, .hard = 1 }, ADAPT_A1, 1, ADAPT_S2 },
	{ "half of it is not more than half", { .ended = 1000, .hard = 100 },
	    { .ended = 200, .hard = 50 }, { .ended = 200, .hard = 50 },
	    ADAPT_S2, 0, 0 },
	{ "one more is", { .ended = 1000, .hard = 100 },
	    { .ended = 200, .hard = 51 }, { .ended = 700, .hard = 2 },
	    ADAPT_S2, 1, ADAPT_S2 },
	{ "one after the other", { .ended = 1000, .hard = 100 },
	    { .ended = 200, .hard = 60 }, { .ended = 200, .hard = 39 },
	    ADAPT_A1, 2, ADAPT_S2 },
	{ "who is alone stops the provider", { .ended = 200, .hard = 98 },
	    { .ended = 200, .hard = 98 }, { 0 }, ADAPT_S2, 0, 0 },
	{ "nobody is singled out for a hold", { .ended = 1000, .hard = 10 },
	    { .ended = 200, .hard = 9 }, { .ended = 300, .hard = 1 },
	    ADAPT_H1, 0, 0 },
	{ "complaints count for who got them", { .ended = 100,
	    .arrived = 1000, .complaints = 3 }, { .ended = 10,
	    .arrived = 100, .complaints = 2 }, { .ended = 90,
	    .arrived = 900, .complaints = 1 }, ADAPT_H1, 1, ADAPT_R1 },
	{ "a block of the address is everybody's", { .ended = 1000,
	    .listed = 3 }, { .ended = 10, .listed = 3 }, { .ended = 900 },
	    ADAPT_S1, 0, 0 },
};

static void
a_tenant_is_stopped_before_the_pool(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(crowds) / sizeof(crowds[0]); i++) {
		const struct adapt_tenant tenants[] = {
			{ SLICE("acme"), crowds[i].first },
			{ SLICE("beta"), crowds[i].second } };
		const struct adapt_provider google = { SLICE("google"),
			crowds[i].all, tenants, 2 };
		struct adapt_input in = { GOOD, .providers = &google,
			.nproviders = 1 }, back;
		struct adapt_decision d, said, again;
		struct buf b = BUF_INIT;
		struct why why;

		adapt(&in, &d);
		if (d.of[0] != crowds[i].rule ||
		    d.nsingles != crowds[i].nsingles)
			fail_msg("%s: got %s and %zu singled out, want %s and "
			    "%zu", crowds[i].name, adapt_rule_names[d.of[0]],
			    d.nsingles, adapt_rule_names[crowds[i].rule],
			    crowds[i].nsingles);
		for (size_t k = 0; k < d.nsingles; k++)
			assert_int_equal(d.singles[k].rule,
			    k == 0 ? crowds[i].what_for : d.singles[k].rule);
		adapt_print(&in, &d, &b);
		arena_reset(arena);
		assert_int_equal(adapt_read(buf_slice(&b), &back, &said,
		    arena, &why), 0);
		adapt(&back, &again);
		assert_true(adapt_same(&back, &said, &again));
		buf_free(&b);
	}
}

/* --- the line ------------------------------------------------------------- */

/* a_line - with all that may stand in one */
static void
a_line(struct buf *b)
{
	const struct adapt_tenant tenants[] = {
		{ SLICE("acme"), { .ended = 200, .hard = 98 } },
		{ SLICE("beta b;=,"), { .ended = 300, .hard = 1 } } };
	const struct adapt_provider providers[] = {
		{ SLICE("google"), { .ended = 1000, .hard = 100 }, tenants,
		    2 },
		{ .name = SLICE("yahoo"), .count = { WELL, .slow = 3 } } };
	struct adapt_input in = { GOOD, .fast = true, .turned = 7,
		.providers = providers, .nproviders = 2 };
	struct adapt_decision d;

	adapt(&in, &d);
	adapt_print(&in, &d, b);
}

static void
the_line_is_what_the_manual_shows(void **state)
{
	static const char want[] = "A1 to=11 clean=1 warmed=0 stop=0 faster=0 "
	    "by=- date=2025-11-20 day=10 of=42 cap=110 bulk=110 used=100 "
	    "turned=7 silent=0 before=0 was=0 known=1 required=0 fast=1 dnsbl=0; "
	    "google A1 ended=1000 deferred=0 slow=0 hard=100 blocked=0 "
	    "listed=0 arrived=0 complaints=0, acme S2 ended=200 deferred=0 "
	    "slow=0 hard=98 blocked=0 listed=0 arrived=0 complaints=0, "
	    "beta?b??? - ended=300 deferred=0 slow=0 hard=1 blocked=0 "
	    "listed=0 arrived=0 complaints=0; yahoo A1 ended=1000 deferred=0 "
	    "slow=3 hard=0 blocked=0 listed=0 arrived=3000 complaints=0";
	struct buf b = BUF_INIT;

	(void)state;
	a_line(&b);
	buf_char(&b, '\0');
	assert_string_equal(b.data, want);
	buf_free(&b);
}

static void
a_line_that_was_cut_is_not_taken_for_it(void **state)
{
	struct adapt_decision d, said;
	struct adapt_input in;
	struct buf b = BUF_INIT;
	struct why why;
	char *cut;

	(void)state;
	a_line(&b);
	arena_reset(arena);
	assert_int_equal(adapt_read(buf_slice(&b), &in, &said, arena, &why),
	    0);
	for (size_t n = 0; n < b.len; n++) {
		cut = malloc(n + 1);	/* so that a byte too far shows */
		memcpy(cut, b.data, n);
		arena_reset(arena);
		(void)adapt_read((struct slice){ n > 0 ? cut : "", n }, &in,
		    &d, arena, &why);
		free(cut);
	}
	for (size_t n = 0; n < b.len; n++) {
		b.data[n] ^= 1;
		arena_reset(arena);
		(void)adapt_read(buf_slice(&b), &in, &d, arena, &why);
		b.data[n] ^= 1;
	}
	buf_free(&b);
}

static const struct {
	const char *name, *text;
} wrong[] = {
	{ "nothing", "" },
	{ "a rule of a newer release", "Z9 to=1 clean=0" },
	{ "no rule", "- to=1 clean=0" },
	{ "a number that is none", "A1 to=x clean=0" },
	{ "a number without end", "A1 to=11111111111111111111 clean=0" },
};

static void
what_is_no_decision_is_refused(void **state)
{
	struct adapt_decision d;
	struct adapt_input in;
	struct why why;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (adapt_read(slice_of(wrong[i].text), &in, &d, arena,
		    &why) != -1)
			fail_msg("%s was read", wrong[i].name);
}

static void
sentences_say_what_was_seen(void **state)
{
	const struct adapt_tenant tenants[] = {
		{ SLICE("acme"), { .ended = 200, .hard = 98 } } };
	const struct adapt_provider google = { SLICE("google"),
		{ .ended = 1000, .hard = 100 }, tenants, 1 };
	struct adapt_input in = { GOOD, .providers = &google,
		.nproviders = 1 };
	struct adapt_decision d;
	struct buf b = BUF_INIT;

	(void)state;
	adapt(&in, &d);
	adapt_say(&in, &d, &b);
	buf_char(&b, '\0');
	assert_string_equal(b.data, "100 of 110 used; tenant acme is stopped "
	    "(S2 at google)");
	buf_reset(&b);
	in.providers = &(struct adapt_provider){ SLICE("google"),
		{ .ended = 50, .hard = 20, .arrived = 90 }, NULL, 0 };
	adapt(&in, &d);
	adapt_say(&in, &d, &b);
	buf_char(&b, '\0');
	assert_string_equal(b.data, "google: 20 of 50 bounced, 0 refused for "
	    "reputation, 0 of 50 deferred for rate or reputation, 0 "
	    "complaints about 90 in three days");
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_rule_begins_where_it_says),
		cmocka_unit_test(every_rule_has_a_row_and_every_row_replays),
		cmocka_unit_test(
		    the_most_severe_wins_and_the_lowest_day_is_taken),
		cmocka_unit_test(strangers_have_no_share_so_all_of_it_stops),
		cmocka_unit_test(a_tenant_is_stopped_before_the_pool),
		cmocka_unit_test(the_line_is_what_the_manual_shows),
		cmocka_unit_test(a_line_that_was_cut_is_not_taken_for_it),
		cmocka_unit_test(what_is_no_decision_is_refused),
		cmocka_unit_test(sentences_say_what_was_seen),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
