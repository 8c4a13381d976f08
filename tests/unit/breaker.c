/*
 * How much went wrong in the last while: windows that slide, numbers that are
 * just enough, and what a person said meanwhile.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "reputation/breaker.h"

#define MINUTE	INT64_C(60000000)
#define HOUR	(60 * MINUTE)
#define T0	(INT64_C(1763712000) * 1000000)

static const uint8_t key[TRIP_KEY] = "of one tenant..", other[TRIP_KEY];
static const struct tally_rule rule = { .window = HOUR, .least = 10,
	.rate = 800 };
static struct tallies *t;
static uint64_t bad, all;

static int
setup(void **state)
{
	(void)state;
	t = tallies_new();
	return t == NULL || tallies_begin(t, key, 0, T0) == -1 ||
	    tallies_begin(t, other, 0, T0) == -1 ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	tallies_free(t);
	return 0;
}

/* add - n that ended at that moment, wrong or not; did the last one trip? */
static int
add(int n, int64_t time, bool wrong)
{
	int got = 0;

	while (n-- > 0)
		got = tallies_add(t, key, &rule, time, true, wrong, &bad,
		    &all);
	return got;
}

static void
fewer_than_least_are_not_judged(void **state)
{
	(void)state;
	assert_int_equal(add(9, T0, true), 0);
	assert_int_equal(add(1, T0, true), 1);
	assert_int_equal(bad, 10);
	assert_int_equal(all, 10);
}

static void
the_rate_itself_is_too_much(void **state)
{
	(void)state;
	add(93, T0, false);
	assert_int_equal(add(7, T0, true), 0);		/* 7 of 100 */
	assert_int_equal(add(1, T0, true), 0);		/* 8 of 101 */
	assert_int_equal(add(1, T0, true), 1);		/* 9 of 102 */
	/* what went well never trips */
	assert_int_equal(add(1, T0, false), 0);
}

static void
what_left_the_window_counts_no_more(void **state)
{
	(void)state;
	add(9, T0, true);
	assert_int_equal(add(1, T0 + HOUR + 3 * MINUTE, true), 0);
	assert_int_equal(add(9, T0 + HOUR + 3 * MINUTE, true), 1);
	assert_int_equal(all, 10);
	/* and an old line that comes late does not come back */
	assert_int_equal(add(20, T0, true), 0);
	assert_int_equal(add(1, T0 + HOUR + 4 * MINUTE, true), 1);
	assert_int_equal(all, 11);
}

static void
a_late_line_within_the_window_counts(void **state)
{
	(void)state;
	add(5, T0 + 30 * MINUTE, true);
	assert_int_equal(add(5, T0, true), 1);
}

static void
a_lift_counts_anew(void **state)
{
	(void)state;
	add(9, T0, true);
	tallies_reset(t, key, T0 + MINUTE);
	assert_int_equal(add(20, T0 + MINUTE, true), 0);  /* not later */
	assert_int_equal(add(9, T0 + 2 * MINUTE, true), 0);
	assert_int_equal(add(1, T0 + 2 * MINUTE, true), 1);
	assert_int_equal(bad, 10);
}

static void
one_does_not_count_for_another(void **state)
{
	(void)state;
	add(9, T0, true);
	assert_int_equal(tallies_add(t, other, &rule, T0, true, true, &bad,
	    &all), 0);
	assert_int_equal(tallies_add(t, (const uint8_t *)"of nobody here.",
	    &rule, T0, true, true, &bad, &all), 0);
	assert_int_equal(add(1, T0, true), 1);
}

static void
complaints_are_held_against_what_was_delivered(void **state)
{
	(void)state;
	add(100, T0, false);
	for (int i = 0; i < 8; i++)
		assert_int_equal(tallies_add(t, key, &rule, T0, false, true,
		    &bad, &all), i == 7);
	assert_int_equal(bad, 8);
	assert_int_equal(all, 100);
}

static void
there_is_an_end_to_how_many_are_counted(void **state)
{
	uint8_t k[TRIP_KEY] = { 0 };
	int got = 0;

	(void)state;
	for (uint32_t i = 2; got == 0 && i < 2 * TALLIES_MOST; i++) {
		memcpy(k + 8, &i, sizeof(i));
		got = tallies_begin(t, k, 0, T0);
	}
	assert_int_equal(got, -1);
	/* those of last month make room */
	assert_int_equal(tallies_begin(t, k, 0, T0 + 31 * 24 * HOUR), 0);
}

static void
a_row_cut_at_every_byte_is_refused(void **state)
{
	struct trip trip = { .time = T0, .floor = 1, .bad = 2, .all = 3,
		.window = HOUR, .tenant = SLICE("acme"),
		.breaker = SLICE("hard"), .when = SLICE("bounce") }, back;
	struct buf b = BUF_INIT;
	struct slice row;
	struct why why;

	(void)state;
	trip_encode(&trip, &b);
	row = buf_slice(&b);
	for (size_t n = 0; n < row.n; n++)
		assert_int_equal(trip_decode((struct slice){ row.p, n },
		    &back, &why), -1);
	assert_int_equal(trip_decode(row, &back, &why), 0);
	assert_int_equal(back.all, 3);
	assert_true(slice_is(back.breaker, "hard"));
	buf_free(&b);
}

int
main(void)
{
#define CASE(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(fewer_than_least_are_not_judged),
		CASE(the_rate_itself_is_too_much),
		CASE(what_left_the_window_counts_no_more),
		CASE(a_late_line_within_the_window_counts),
		CASE(a_lift_counts_anew),
		CASE(one_does_not_count_for_another),
		CASE(complaints_are_held_against_what_was_delivered),
		CASE(there_is_an_end_to_how_many_are_counted),
		CASE(a_row_cut_at_every_byte_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
