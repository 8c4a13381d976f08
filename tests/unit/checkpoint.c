/*
 * The bounds of the ledger and its way to the disk: overflow, forgetting,
 * rounds of the checkpoint.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/ledger_asks.h"

/* numbered - the i-th key of a limit with many */
static struct ask
numbered(int i, int64_t amount, int64_t now)
{
	struct ask ask = cap_of('k', amount, 3, now);

	ask.charge.key[0] = (uint8_t)i;
	ask.charge.key[1] = (uint8_t)(i >> 8);
	ask.charge.key[8] = (uint8_t)i;
	ask.charge.key[9] = (uint8_t)(i >> 8);
	return ask;
}

static void
beyond_ten_thousand_counters_the_rest_share_one(void **state)
{
	struct ledger_stat stat;
	struct claim a = { 0 };
	struct ask two[2];
	int64_t next = T0 + DAY + HOUR;
	uint8_t dropped[64][16];
	int i;

	(void)state;
	for (i = 0; i < LEDGER_TENANT_COUNTERS; i++)
		assert_int_equal(spend(numbered(i, 1, T0), 1, T0), 1);
	ledger_stat(ledger, &stat);
	assert_int_equal(stat.counters, LEDGER_TENANT_COUNTERS);
	assert_int_equal(stat.overflows, 0);
	/* three of all the others together, not three of each */
	two[0] = numbered(20000, 1, T0);
	two[1] = numbered(20001, 1, T0);
	assert_int_equal(ledger_seal(ledger, &a, arena, two, 2, T0, NULL,
	    NULL), 1);
	assert_int_equal(a.n, 1);
	assert_true(a.asks[0].charge.amount == 2);
	settle(&a, true, 2, T0);
	assert_int_equal(spend(numbered(20002, 2, T0), 3, T0), 0);
	assert_int_equal(spend(numbered(20003, 1, T0), 3, T0), 1);
	assert_int_equal(spend(numbered(20000, 1, T0), 4, T0), 0);
	/* keys with a counter of their own are as they were */
	assert_int_equal(spend(numbered(5, 2, T0), 5, T0), 1);
	ledger_stat(ledger, &stat);
	assert_int_equal(stat.counters, LEDGER_TENANT_COUNTERS + 1);
	assert_true(stat.overflows >= 4);
	/* the charge names the shared counter: replay finds it */
	for (i = 0; i < 20000; i++)
		(void)ledger_sweep(ledger, next, dropped, 64);
	ledger_stat(ledger, &stat);
	assert_true(stat.counters == LEDGER_TENANT_COUNTERS + 1); /* dirty */
}

static void
while_the_shared_one_lives_new_keys_stay_in_it(void **state)
{
	struct ledger_stat stat;
	struct counter_row rows[256];
	uint8_t dropped[256][16];
	struct ask mine;
	int64_t now = T0 + 2 * DAY;
	bool left = true;
	int i;

	(void)state;
	for (i = 0; i <= LEDGER_TENANT_COUNTERS; i++)
		assert_int_equal(spend(numbered(i, 3, i < 100 ? T0 : now), 1,
		    i < 100 ? T0 : now), 1);
	ledger_round_begin(ledger, 1);
	while (left)
		(void)ledger_round_next(ledger, rows, 256, &left);
	(void)ledger_round_next(ledger, rows, 256, &left);
	for (i = 0; i < 512; i++)
		(void)ledger_sweep(ledger, now, dropped, 256);
	ledger_stat(ledger, &stat);
	assert_int_equal(stat.counters, LEDGER_TENANT_COUNTERS + 1 - 100);
	/* there is room, yet this key spent its three in the shared one */
	mine = numbered(LEDGER_TENANT_COUNTERS, 1, now);
	assert_int_equal(spend(mine, 2, now), 0);
}

static void
sweep_forgets_what_says_nothing_any_more(void **state)
{
	struct counter_row rows[8];
	uint8_t dropped[8][16];
	struct ledger_stat stat;
	struct claim a = { 0 };
	size_t n = 0, i;
	bool left;

	(void)state;
	assert_int_equal(spend(cap_of('a', 1, 5, T0), 1, T0), 1);
	assert_int_equal(spend(throttle_of('b', 5, 5), 2, T0), 1);
	assert_int_equal(reserve(&a, throttle_of('c', 5, 5), T0), 1);
	ledger_release(ledger, &a);
	ledger_round_begin(ledger, 2);
	assert_int_equal(ledger_round_next(ledger, rows, 8, &left), 2);
	assert_false(left);
	assert_int_equal(ledger_round_next(ledger, rows, 8, &left), 0);
	for (i = 0; i < 256; i++)
		n += ledger_sweep(ledger, T0 + 4 * SECOND, dropped, 8);
	assert_int_equal(n, 0);			/* c had no row */
	for (i = 0; i < 256; i++)
		n += ledger_sweep(ledger, T0 + 5 * SECOND, dropped + n, 8 - n);
	assert_int_equal(n, 1);
	assert_int_equal(dropped[0][0], 'b');
	for (i = 0; i < 256; i++)
		n += ledger_sweep(ledger, T0 + DAY, dropped + n, 8 - n);
	assert_int_equal(n, 1);		/* a late thread may still ask */
	for (i = 0; i < 256; i++)
		n += ledger_sweep(ledger, T0 + DAY + LEDGER_IDLE, dropped + n,
		    8 - n);
	assert_int_equal(n, 2);
	ledger_stat(ledger, &stat);
	assert_int_equal(stat.counters, 0);
}

/* rows_of - a whole round that reaches the disk */
static size_t
rows_of(uint64_t seq, struct counter_row *rows, size_t n)
{
	bool left;
	size_t got;

	ledger_round_begin(ledger, seq);
	got = ledger_round_next(ledger, rows, n, &left);
	assert_false(left);
	assert_int_equal(ledger_round_next(ledger, rows + got, n - got, &left),
	    0);
	return got;
}

static void
what_changes_while_a_slice_is_written_stays_dirty(void **state)
{
	struct counter_row rows[8], again[8];
	bool left;

	(void)state;
	assert_int_equal(spend(cap_of('a', 1, 9, T0), 1, T0), 1);
	assert_int_equal(spend(cap_of('b', 1, 9, T0), 2, T0), 1);
	ledger_round_begin(ledger, 2);
	assert_int_equal(ledger_round_next(ledger, rows, 1, &left), 1);
	assert_true(left);
	assert_int_equal(spend(cap_of('a', 1, 9, T0), 3, T0), 1);
	assert_int_equal(spend(cap_of('b', 1, 9, T0), 4, T0), 1);
	assert_int_equal(ledger_round_next(ledger, rows + 1, 7, &left), 1);
	assert_false(left);
	assert_true(rows[0].seq == 2 && rows[0].level == 1);
	assert_true(rows[1].seq >= 3 && rows[1].level == 2);
	assert_int_equal(ledger_round_next(ledger, rows + 2, 6, &left), 0);
	/* the first to be copied changed after its copy */
	assert_int_equal(rows_of(4, again, 8), 1);
	assert_memory_equal(again[0].key, rows[0].key, 16);
	assert_true(again[0].level == 2);
	assert_int_equal(rows_of(4, again, 8), 0);
}

static void
a_slice_that_did_not_reach_the_disk_is_written_again(void **state)
{
	struct counter_row rows[8];
	bool left;

	(void)state;
	assert_int_equal(spend(cap_of('a', 1, 9, T0), 1, T0), 1);
	assert_int_equal(spend(cap_of('b', 1, 9, T0), 2, T0), 1);
	assert_int_equal(spend(cap_of('c', 1, 9, T0), 3, T0), 1);
	ledger_round_begin(ledger, 3);
	assert_int_equal(ledger_round_next(ledger, rows, 1, &left), 1);
	assert_int_equal(ledger_round_next(ledger, rows, 1, &left), 1);
	ledger_round_failed(ledger);
	assert_int_equal(rows_of(3, rows, 8), 2);
	assert_int_equal(rows_of(3, rows, 8), 0);
}

static void
replay_leaves_out_what_the_row_has(void **state)
{
	struct counter_row rows[8];
	struct ask ask = cap_of('a', 2, 9, T0);

	(void)state;
	assert_int_equal(spend(ask, 5, T0), 1);
	assert_int_equal(rows_of(5, rows, 8), 1);
	ledger_free(ledger);
	ledger = ledger_new();
	assert_int_equal(ledger_load(ledger, &rows[0]), 0);
	expect(ask, T0, 2, 0);
	assert_int_equal(ledger_replay(ledger, &ask.charge, 1, false, 4, T0),
	    0);
	assert_int_equal(ledger_replay(ledger, &ask.charge, 1, false, 5, T0),
	    0);
	expect(ask, T0, 2, 0);
	assert_int_equal(ledger_replay(ledger, &ask.charge, 1, false, 6, T0),
	    0);
	expect(ask, T0, 4, 0);
	assert_int_equal(ledger_replay(ledger, &ask.charge, 1, true, 7, T0),
	    0);
	expect(ask, T0, 2, 0);
}

static void
a_restart_knows_the_rate_that_was_edited(void **state)
{
	struct ask fast = throttle_of('a', 10, 10), slow = fast;
	struct counter_row rows[8];

	(void)state;
	assert_int_equal(spend(fast, 1, T0), 1);
	assert_int_equal(rows_of(1, rows, 8), 1);
	slow.charge.period = HOUR;		/* from 1/second to 1/hour */
	slow.charge.amount = 1;
	assert_int_equal(spend(slow, 2, T0), 0);
	expect(slow, T0 + 9 * SECOND, 10, 0);
	assert_int_equal(rows_of(2, rows, 8), 1);
	ledger_free(ledger);
	ledger = ledger_new();
	assert_int_equal(ledger_load(ledger, &rows[0]), 0);
	expect(slow, T0 + 9 * SECOND, 10, 0);
	assert_int_equal(spend(slow, 3, T0 + 9 * SECOND), 0);
}

static void
a_restart_knows_the_window_that_was_edited(void **state)
{
	struct ask month = cap_of('a', 9, 10, T0), day;
	int64_t now = T0 + DAY - SECOND, next = T0 + DAY + SECOND;
	struct counter_row rows[8];

	(void)state;
	month.charge.window_end = T0 + 30 * DAY;
	assert_int_equal(spend(month, 1, T0), 1);
	assert_int_equal(rows_of(1, rows, 8), 1);
	/* the day's cap is used up by what the month spent, until midnight */
	assert_int_equal(spend(cap_of('a', 2, 10, now), 2, now), 0);
	assert_int_equal(rows_of(2, rows, 8), 1);
	ledger_free(ledger);
	ledger = ledger_new();
	assert_int_equal(ledger_load(ledger, &rows[0]), 0);
	expect(cap_of('a', 1, 10, now), now, 9, 0);
	day = cap_of('a', 10, 10, next);
	assert_int_equal(spend(day, 3, next), 1);
	assert_int_equal(ledger_replay(ledger, &day.charge, 1, false, 4,
	    next), 0);
	expect(day, next, 20, 0);
}

static void
a_replay_of_two_policies_forgets_nothing(void **state)
{
	struct ask month = cap_of('a', 8, 10, T0), day = cap_of('a', 1, 10, T0);

	(void)state;
	month.charge.window_end = T0 + 30 * DAY;
	assert_int_equal(ledger_replay(ledger, &month.charge, 1, false, 1,
	    T0), 0);
	/* sealed before the edit, on disk after it */
	assert_int_equal(ledger_replay(ledger, &day.charge, 1, false, 2, T0),
	    0);
	expect(month, T0 + 2 * DAY, 9, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(beyond_ten_thousand_counters_the_rest_share_one),
		T(while_the_shared_one_lives_new_keys_stay_in_it),
		T(sweep_forgets_what_says_nothing_any_more),
		T(what_changes_while_a_slice_is_written_stays_dirty),
		T(a_slice_that_did_not_reach_the_disk_is_written_again),
		T(replay_leaves_out_what_the_row_has),
		T(a_restart_knows_the_rate_that_was_edited),
		T(a_restart_knows_the_window_that_was_edited),
		T(a_replay_of_two_policies_forgets_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
