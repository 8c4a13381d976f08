/*
 * conf/reputation.conf: what is compiled in, every mistake with its place, and
 * the form that is kept beside scores.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "reputation/knots.h"

extern const char reputation_data[];

static struct arena *arena;
static struct problems problems;

static int
setup(void **state)
{
	(void)state;
	arena = arena_new(4096, 0);
	return arena == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

/* parse - that text; NULL: it has mistakes */
static struct knots *
parse(struct slice text)
{
	struct knots *k = NULL;
	struct why why;
	int got;

	problems_init(&problems, arena);
	got = knots_parse("/etc/r.conf", text, &k, &problems, &why);
	assert_true(got == 1 ? k != NULL && problems.errors == 0 :
	    got == 0 && k == NULL && problems.errors > 0);
	problems_sort(&problems);
	return k;
}

/* shipped - the text that is compiled in, with one piece of it replaced */
static struct slice
shipped(const char *piece, const char *with)
{
	const char *at = strstr(reputation_data, piece);
	char *text;

	assert_non_null(at);
	text = arena_printf(arena, "%.*s%s%s", (int)(at - reputation_data),
	    reputation_data, with, at + strlen(piece));
	assert_non_null(text);
	return slice_of(text);
}

/* at - where in a text a piece of it stands */
static struct place
at(struct slice text, const char *piece)
{
	struct place p = { NULL, 1, 1 };
	const char *found = strstr(text.p, piece);

	assert_non_null(found);
	for (const char *c = text.p; c < found; c++)
		p = *c == '\n' ? (struct place){ NULL, p.line + 1, 1 } :
		    (struct place){ NULL, p.line, p.col + 1 };
	return p;
}

static const struct mistake {
	const char	*name, *piece, *with;
	const char	*where;		/* of the changed text; NULL: 1:1 */
	const char	*said;
	unsigned	 errors;
} mistakes[] = {
	{ "a knot without points", "\"0.10 %: 10\"", "\"0.10 %\"",
	    "\"0.10 %\"", "expected a knot such as \"0.10 %: 10\"", 1 },
	{ "a knot without a percent sign", "\"0.10 %: 10\"", "\"0.10: 10\"",
	    "\"0.10: 10\"", "expected a knot such as", 1 },
	{ "a share above all of it", "\"12 %: 60\"", "\"112 %: 60\"",
	    "\"112 %: 60\"", "expected a knot such as", 1 },
	{ "more points than there are", "\"0.60 %: 60\"", "\"0.60 %: 160\"",
	    "\"0.60 %: 160\"", "expected a knot such as", 1 },
	{ "a number that no computer keeps", "\"0.60 %: 60\"",
	    "\"99999999999999999999 %: 60\"", "\"99999999", "expected a knot",
	    1 },
	{ "more decimals than are read", "\"0.05 %: 0\"",
	    "\"0.05000001 %: 0\"", "\"0.05000001", "expected a knot", 1 },
	{ "a percentage of a spread", "\"7: 10\"", "\"7 %: 10\"",
	    "\"7 %: 10\"", "expected a knot such as \"7: 10\"", 1 },
	{ "knots out of order", "\"0.10 %: 10\"", "\"0.40 %: 10\"",
	    "\"0.30 %: 25\"", "\"0.30 %: 25\" is not above the knot before",
	    1 },
	{ "the same knot twice", "\"0.10 %: 10\"", "\"0.05 %: 10\"",
	    "\"0.05 %: 10\"", "\"0.05 %: 10\" is not above", 1 },
	{ "worse that has less points", "\"0.10 %: 10\"", "\"0.10 %: 30\"",
	    "\"0.30 %: 25\"", "\"0.30 %: 25\" has less points", 1 },
	{ "points for nothing", "\"0.05 %: 0\"", "\"0.05 %: 1\"",
	    "\"0.05 %: 1\"", "the first knot has 0 points", 1 },
	{ "a signal of one knot", "\"8 %: 0\",", "\"8 %: 0\" } } lost {{",
	    "{\n\t\t\"8 %: 0\" }", "a line needs two knots", 3 },
	{ "a signal that is none", "signal \"block\"", "signal \"blocks\"",
	    "\"blocks\"", "there is no signal \"blocks\"", 2 },
	{ "a signal without knots", "signal \"volume\" {", "signal \"volume\""
	    " { } x {", "signal \"volume\"", "signal has no knots", 2 },
	{ "no lower bound", "lower_bound = \"1.2816\"", "", NULL,
	    "there is no lower_bound", 1 },
	{ "a lower bound that is none", "\"1.2816\"", "\"90 %\"", "\"90 %\"",
	    "lower_bound: expected a number from 0.1 to 4", 1 },
	{ "a number in quotes", "margin = 5", "margin = \"5\"", "\"5\"\n",
	    "margin: expected a number without quotes", 1 },
	{ "half a week", "weeks = 2", "weeks = 0.5", "0.5\n}", "weeks: ", 1 },
	{ "no weeks at all", "weeks = 2", "weeks = 0", "0\n}\n\n# What",
	    "weeks: expected a whole number from 1 to 52", 1 },
	{ "tiers out of order", "at_risk = 25", "at_risk = 60", "tiers {",
	    "tiers rise: ", 1 },
	{ "a tier that is missing", "\tcritical = 50\n", "", "tiers {",
	    "tiers has no critical", 1 },
	{ "a tier twice", "watch = 10", "watch = 10 watch = 10",
	    "watch = 10\n", "watch was set already at /etc/r.conf:", 1 },
	{ "targets of nobody", "targets \"warm\"", "targets \"cold\"",
	    "\"cold\"", "targets are of \"warm\" or \"warming\"", 2 },
	{ "a target that is no share", "bounce = \"1 %\"", "bounce = \"1\"",
	    "\"1\"\n", "bounce: expected a share such as \"0.1 %\"", 1 },
	{ "a word that is none", "confident", "confidant", "confidant",
	    "unknown word \"confidant\" in evidence; did you mean", 2 },
	{ "a word at the wrong place", "minor = 5", "minor = 5 watch = 3",
	    "watch = 3", "\"watch\" cannot stand in policy", 1 },
};

static void
every_mistake_is_named_with_its_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		const struct mistake *m = &mistakes[i];
		struct slice text = shipped(m->piece, m->with);
		struct place want = m->where != NULL ? at(text, m->where) :
		    (struct place){ NULL, 1, 1 };
		struct knots *k = parse(text);
		const struct problem *p;
		bool found = false;

		if (k != NULL)
			fail_msg("%s: got no mistake", m->name);
		for (p = problems.first; p != NULL && !found; p = p->next)
			found = p->at.line == want.line && p->at.col ==
			    want.col && strstr(p->text, m->said) != NULL;
		if (!found || problems.errors != m->errors)
			fail_msg("%s: want %u:%u: %s (%u errors)\n"
			    "got  %u:%u: %s (%u errors)", m->name, want.line,
			    want.col, m->said, m->errors,
			    problems.first->at.line, problems.first->at.col,
			    problems.first->text, problems.errors);
	}
}

static void
an_empty_file_names_all_that_it_lacks(void **state)
{
	(void)state;
	assert_null(parse(SLICE("# nothing\n")));
	assert_int_equal(problems.errors, 5 + 6 + 2);
}

static void
what_is_compiled_in_is_what_was_published(void **state)
{
	struct knots *k = parse(slice_of(reputation_data));
	static const struct { enum signal s; double at, points; } want[] = {
		{ SIGNAL_COMPLAINT, 0.0005, 0 },
		{ SIGNAL_COMPLAINT, 0.001, 10 },
		{ SIGNAL_COMPLAINT, 0.003, 25 },
		{ SIGNAL_COMPLAINT, 0.005, 50 },
		{ SIGNAL_COMPLAINT, 0.002, 17.5 }, { SIGNAL_COMPLAINT, 0, 0 },
		{ SIGNAL_COMPLAINT, 1, 60 }, { SIGNAL_BOUNCE, 0.02, 10 },
		{ SIGNAL_BOUNCE, 0.05, 25 }, { SIGNAL_BOUNCE, 0.1, 50 },
		{ SIGNAL_BLOCK, 0.01, 10 }, { SIGNAL_BLOCK, 0.03, 25 },
		{ SIGNAL_DEFERRAL, 0.99, 20 }, { SIGNAL_DEFERRAL, 0.15, 5 },
		{ SIGNAL_VOLUME, 5, 0 }, { SIGNAL_VOLUME, 6, 5 },
		{ SIGNAL_VOLUME, 99, 20 }, { SIGNAL_UNSUB, 0.01, 5 },
		{ SIGNAL_POLICY, 1, 0 } };

	(void)state;
	assert_non_null(k);
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		double got = knots_points(k, want[i].s, want[i].at);

		if (got < want[i].points - 1e-9 || got > want[i].points + 1e-9)
			fail_msg("%s at %g: got %g points, want %g",
			    signal_names[want[i].s], want[i].at, got,
			    want[i].points);
	}
	assert_true(k->z == 1.2816 && k->watch == 10 && k->at_risk == 25 &&
	    k->critical == 50 && k->margin == 5 && k->calm_weeks == 2);
	assert_true(k->least_events == 3 && k->few_points == 5 &&
	    k->least_recipients == 200 && k->confident == 1000);
	assert_true(k->targets[0][TARGET_BOUNCE] == 0.01 &&
	    k->targets[0][TARGET_COMPLAINT] == 0.001 &&
	    k->targets[0][TARGET_DELIVERED] == 0.95 &&
	    k->targets[1][TARGET_DELIVERED] == 0.9);
	knots_free(k);
}

static void
points_rise_with_the_share(void **state)
{
	struct knots *k = parse(slice_of(reputation_data));
	double before, now;

	(void)state;
	for (int s = 0; s < SIGNALS; s++) {
		before = -1;
		for (int i = 0; i <= 20000; i++) {
			now = knots_points(k, (enum signal)s, s ==
			    SIGNAL_VOLUME ? i / 1000.0 : i / 20000.0);
			assert_true(now >= before && now >= 0 && now <= 100);
			before = now;
		}
	}
	knots_free(k);
}

static void
the_stored_form_comes_back_with_its_hash(void **state)
{
	struct knots *k = parse(slice_of(reputation_data)), *again = NULL;
	struct knots *other;
	struct buf one = BUF_INIT, two = BUF_INIT;
	struct why why;

	(void)state;
	knots_encode(k, &one);
	assert_int_equal(knots_decode(buf_slice(&one), &again, &why), 0);
	knots_encode(again, &two);
	assert_true(slice_eq(buf_slice(&one), buf_slice(&two)));
	assert_memory_equal(again->hash, k->hash, HASH_SHA256);
	/* other words for the same knots have the same hash, others do not */
	other = parse(shipped("\"0.10 %: 10\"", "\" 0.1%:10.0 \""));
	assert_memory_equal(other->hash, k->hash, HASH_SHA256);
	knots_free(other);
	other = parse(shipped("\"0.10 %: 10\"", "\"0.10 %: 10.000001\""));
	assert_memory_not_equal(other->hash, k->hash, HASH_SHA256);
	knots_free(other);
	knots_free(again);
	for (size_t n = 0; n < one.len; n++)
		assert_int_equal(knots_decode((struct slice){ one.data, n },
		    &again, &why), -1);
	buf_char(&one, 0);
	assert_int_equal(knots_decode(buf_slice(&one), &again, &why), -1);
	buf_free(&one);
	buf_free(&two);
	knots_free(k);
}

static void
a_file_cut_at_every_byte_is_good_or_says_why(void **state)
{
	size_t all = strlen(reputation_data);
	char *cut;

	(void)state;
	for (size_t n = 0; n < all; n++) {
		struct knots *k;

		cut = malloc(n + 1);		/* so that a byte too far shows */
		memcpy(cut, reputation_data, n);
		k = parse((struct slice){ cut, n });
		assert_true((k != NULL) == (n >= all - 1));
		knots_free(k);
		free(cut);
		arena_reset(arena);
	}
}

static void
the_file_of_this_machine_or_the_built_in(void **state)
{
	char path[] = "/tmp/penstock-knots-XXXXXX";
	int fd = mkstemp(path);
	struct knots *k = NULL;
	struct why why;

	(void)state;
	assert_true(fd != -1);
	assert_true(write(fd, "tiers { }\n", 10) == 10);
	close(fd);
	problems_init(&problems, arena);
	assert_int_equal(knots_installed(path, &k, &problems, &why), 0);
	assert_string_equal(problems.first->at.file, path);
	unlink(path);
	assert_int_equal(knots_installed(path, &k, &problems, &why), -1);
	assert_non_null(strstr(why.text, path));
	assert_int_equal(knots_load(NULL, &k, &problems, &why), 1);
	knots_free(k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_mistake_is_named_with_its_place),
		cmocka_unit_test(an_empty_file_names_all_that_it_lacks),
		cmocka_unit_test(what_is_compiled_in_is_what_was_published),
		cmocka_unit_test(points_rise_with_the_share),
		cmocka_unit_test(the_stored_form_comes_back_with_its_hash),
		cmocka_unit_test(a_file_cut_at_every_byte_is_good_or_says_why),
		cmocka_unit_test(the_file_of_this_machine_or_the_built_in),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
