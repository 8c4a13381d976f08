/*
 * The bounds against another way of finding them: the share p is looked for by
 * halving at which x of n lie exactly z standard deviations off, which is what
 * the interval is by definition; and against a published table.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/wilson.h"

/* goes_with - (seen - p)^2 <= z^2 p (1 - p) / n: does p fit what was seen? */
static int
goes_with(long double seen, long double p, long double n, long double z)
{
	return (seen - p) * (seen - p) <= z * z * p * (1 - p) / n;
}

/* by_halving_of - the end of the shares that go with it, below or above */
static long double
by_halving_of(long double x, long double n, long double z, int above)
{
	long double seen = x / n;
	long double in = seen, out = above ? 1 : 0;

	for (int i = 0; i < 200; i++) {
		long double middle = (in + out) / 2;

		if (goes_with(seen, middle, n, z))
			in = middle;
		else
			out = middle;
	}
	return in;
}

/* by_halving - of whole counts */
static long double
by_halving(uint64_t x, uint64_t n, long double z, int above)
{
	return by_halving_of((long double)x, (long double)n, z, above);
}

/* near - to the twelfth digit */
static void
near(const char *what, uint64_t x, uint64_t n, double got, long double want)
{
	long double off = (long double)got - want;

	if (off > 1e-12L || off < -1e-12L)
		fail_msg("%s of %llu in %llu: got %.15f, want %.15Lf", what,
		    (unsigned long long)x, (unsigned long long)n, got, want);
}

static void
bounds_are_the_ends_of_what_goes_with_it(void **state)
{
	static const uint64_t ns[] = { 1, 2, 3, 7, 10, 50, 99, 1000, 12345,
		1000000 };
	static const double zs[] = { 0.8416, WILSON_90, 1.6449, 2.3263 };

	(void)state;
	for (size_t i = 0; i < sizeof(ns) / sizeof(ns[0]); i++)
		for (size_t k = 0; k < sizeof(zs) / sizeof(zs[0]); k++)
			for (uint64_t part = 0; part <= 20; part++) {
				uint64_t n = ns[i], x = n * part / 20;

				near("low", x, n, wilson_low(x, n, zs[k]), x ==
				    0 ? 0 : by_halving(x, n,
				    (long double)zs[k], 0));
				near("high", x, n, wilson_high(x, n, zs[k]),
				    x == n ? 1 : by_halving(x, n,
				    (long double)zs[k], 1));
			}
}

/* How many events it takes until the lower bound is at that share. */
static const struct {
	uint64_t	n, x;
	double		share;
} evidence[] = {
	{ 1000, 3, 0.001 }, { 2000, 4, 0.001 }, { 5000, 8, 0.001 },
	{ 10000, 15, 0.001 }, { 1000, 6, 0.003 }, { 5000, 20, 0.003 },
	{ 500, 15, 0.02 }, { 1000, 26, 0.02 }, { 5000, 113, 0.02 },
	{ 200, 14, 0.05 }, { 1000, 59, 0.05 },
};

static void
so_many_are_evidence_and_one_less_is_none(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(evidence) / sizeof(evidence[0]); i++) {
		uint64_t n = evidence[i].n, x = evidence[i].x;

		if (!(wilson_low(x, n, WILSON_90) >= evidence[i].share &&
		    wilson_low(x - 1, n, WILSON_90) < evidence[i].share))
			fail_msg("%llu of %llu and one less: %.6f, %.6f, want "
			    "%.4f between them", (unsigned long long)x,
			    (unsigned long long)n, wilson_low(x, n, WILSON_90),
			    wilson_low(x - 1, n, WILSON_90),
			    evidence[i].share);
	}
}

static void
nothing_and_too_much_are_no_surprise(void **state)
{
	(void)state;
	assert_true(wilson_low(0, 0, WILSON_90) == 0.0);
	assert_true(wilson_high(0, 0, WILSON_90) == 1.0);
	assert_true(wilson_low(0, 1000, WILSON_90) == 0.0);
	assert_true(wilson_high(1000, 1000, WILSON_90) == 1.0);
	assert_true(wilson_low(9, 4, WILSON_90) ==
	    wilson_low(4, 4, WILSON_90));
	assert_true(wilson_low(UINT64_MAX, UINT64_MAX, WILSON_90) <= 1.0);
}

static void
halves_are_what_twice_as_many_of_them_are(void **state)
{
	(void)state;
	for (uint64_t n = 1; n < 3000; n = n * 3 + 1)
		for (uint64_t x = 0; x <= n; x += 1 + n / 7) {
			assert_true(wilson_low2(2 * x, 2 * n, WILSON_90) ==
			    wilson_low(x, n, WILSON_90));
			assert_true(wilson_high2(2 * x, 2 * n, WILSON_90) ==
			    wilson_high(x, n, WILSON_90));
		}
	near("low2", 3, 201, wilson_low2(3, 201, WILSON_90),
	    by_halving_of(1.5L, 100.5L, (long double)WILSON_90, 0));
	near("high2", 3, 201, wilson_high2(3, 201, WILSON_90),
	    by_halving_of(1.5L, 100.5L, (long double)WILSON_90, 1));
	assert_true(wilson_low2(0, 0, WILSON_90) == 0.0);
	assert_true(wilson_high2(9, 4, WILSON_90) == 1.0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bounds_are_the_ends_of_what_goes_with_it),
		cmocka_unit_test(so_many_are_evidence_and_one_less_is_none),
		cmocka_unit_test(halves_are_what_twice_as_many_of_them_are),
		cmocka_unit_test(nothing_and_too_much_are_no_surprise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
