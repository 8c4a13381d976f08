/*
 * Schedules: the tables that are built in are what schedule.c says they are;
 * those that a policy makes of three numbers grow and end.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "policy/schedule.h"

/* rounded - as a person would say it: the steps at the head of schedule.c */
static int64_t
rounded(double x)
{
	static const struct { double below, step; } steps[] = { { 20, 1 },
		{ 100, 5 }, { 200, 10 }, { 500, 20 }, { 1000, 50 },
		{ 2000, 100 }, { 5000, 200 }, { 10000, 500 }, { 20000, 1000 },
		{ 1e18, 2000 } };
	size_t i = 0;

	while (x >= steps[i].below)
		i++;
	return (int64_t)(nearbyint(x / steps[i].step) * steps[i].step);
}

static const struct growth {
	const char	*name;
	double		 first, last;
	int		 days;
} growths[] = {
	{ "cold-slow", 50, 2000, 42 },
	{ "standard", 100, 10000, 30 },
	{ "established", 200, 50000, 28 },
};

static void
tables_are_made_of_their_rule(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(growths) / sizeof(growths[0]); i++) {
		const struct growth *g = &growths[i];
		const struct schedule *s = schedule_find(slice_of(g->name));

		assert_non_null(s);
		assert_int_equal(s->n, g->days);
		assert_int_equal(schedule_number(s, 1), (int64_t)g->first);
		assert_int_equal(schedule_number(s, s->n), (int64_t)g->last);
		for (int day = 1; day <= s->n; day++) {
			double exact = g->first * pow(g->last / g->first,
			    (double)(day - 1) / (g->days - 1));

			if (schedule_number(s, day) != rounded(exact))
				fail_msg("%s day %d: got %lld, want %lld",
				    g->name, day, (long long)schedule_number(s,
				    day), (long long)rounded(exact));
		}
	}
}

static void
a_mailbox_grows_by_one_a_day(void **state)
{
	const struct schedule *s = schedule_find(SLICE("mailbox"));

	(void)state;
	assert_non_null(s);
	assert_int_equal(s->n, 35);
	for (int day = 1; day <= s->n; day++)
		assert_int_equal(schedule_number(s, day),
		    5 + (int64_t)nearbyint(35.0 * (day - 1) / 34 - 1e-9));
}

static void
no_table_falls_and_all_have_a_name(void **state)
{
	const struct schedule *s;
	size_t n = 0;

	(void)state;
	while ((s = schedule_builtin(n)) != NULL) {
		assert_ptr_equal(schedule_find(s->name), s);
		assert_true(s->n >= 1 && s->n <= SCHEDULE_DAYS);
		for (int day = 2; day <= s->n; day++)
			assert_true(schedule_number(s, day) >
			    schedule_number(s, day - 1));
		n++;
	}
	assert_int_equal(n, 4);
	assert_null(schedule_find(SLICE("cold")));
}

static void
days_outside_are_the_nearest_end(void **state)
{
	const struct schedule *s = schedule_find(SLICE("mailbox"));

	(void)state;
	assert_int_equal(schedule_number(s, 0), 5);
	assert_int_equal(schedule_number(s, -7), 5);
	assert_int_equal(schedule_number(s, 36), 40);
	assert_int_equal(schedule_number(s, 4000), 40);
	assert_int_equal(schedule_day(s, 1, 5), 1);
	assert_int_equal(schedule_day(s, 1, 6), 2);
	assert_int_equal(schedule_day(s, 9, 6), 9);
	assert_int_equal(schedule_day(s, 1, 40), 35);
	assert_int_equal(schedule_day(s, 1, 41), 0);
	assert_int_equal(schedule_day(s, 0, 5), 1);
}

static const struct grow_case {
	const char	*name;
	int64_t		 start, ratio, target;
	int64_t		 table[8];	/* 0-ended, or its beginning */
	int		 n;		/* 0: refused */
	const char	*why;
} grow_cases[] = {
	{ "a tenth more each day", 50, 1100, 80, { 50, 55, 60, 66, 73, 80 },
	    6, NULL },
	{ "at least one more", 1, 1100, 5, { 1, 2, 3, 4, 5 }, 5, NULL },
	{ "the exact growth is kept behind the rounding", 10, 1150, 20,
	    { 10, 11, 13, 15, 17, 20 }, 6, NULL },
	{ "there already", 7, 1000, 7, { 7 }, 1, NULL },
	{ "the last step is cut", 100, 2000, 350, { 100, 200, 350 }, 3,
	    NULL },
	{ "the largest there is", 1000000000, 1500, 1000000000,
	    { 1000000000 }, 1, NULL },
	{ "does not grow", 50, 1000, 80, { 0 }, 0, "ratio must be more" },
	{ "shrinks", 50, 900, 80, { 0 }, 0, "ratio must be more" },
	{ "from nothing", 0, 1100, 80, { 0 }, 0, "start must be at least" },
	{ "downward", 50, 1100, 40, { 0 }, 0, "target at least start" },
	{ "beyond what is counted", 50, 1100, 1000000001, { 0 }, 0,
	    "at most 1000000000" },
	{ "takes years", 1, 1001, 2000, { 0 }, 0, "more than 400 days" },
};

static void
three_numbers_make_a_table(void **state)
{
	struct arena *arena = arena_new(4096, 0);

	(void)state;
	for (size_t i = 0; i < sizeof(grow_cases) / sizeof(grow_cases[0]);
	    i++) {
		const struct grow_case *c = &grow_cases[i];
		const int64_t *table;
		struct why why;
		int n, got;

		arena_reset(arena);
		got = schedule_grow(c->start, c->ratio, c->target, arena,
		    &table, &n, &why);
		if (c->n == 0) {
			if (got != -1 || strstr(why.text, c->why) == NULL)
				fail_msg("%s: got %d %s", c->name, got,
				    got == -1 ? why.text : "");
			continue;
		}
		if (got != 0 || n != c->n)
			fail_msg("%s: got %d days, want %d", c->name, n,
			    c->n);
		for (int k = 0; k < n; k++)
			if (table[k] != c->table[k])
				fail_msg("%s, day %d: got %lld, want %lld",
				    c->name, k + 1, (long long)table[k],
				    (long long)c->table[k]);
	}
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_are_made_of_their_rule),
		cmocka_unit_test(a_mailbox_grows_by_one_a_day),
		cmocka_unit_test(no_table_falls_and_all_have_a_name),
		cmocka_unit_test(days_outside_are_the_nearest_end),
		cmocka_unit_test(three_numbers_make_a_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
