/*
 * The ledger, sentence by sentence: what design and manual say about limits,
 * each with a clock that is set.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "policy/rate.h"
#include "tests/unit/ledger_asks.h"

static void
fits_up_to_the_burst_and_not_one_more(void **state)
{
	struct claim a = { 0 }, b = { 0 };

	(void)state;
	assert_int_equal(spend(throttle_of('a', 4, 10), 1, T0), 1);
	assert_int_equal(reserve(&a, throttle_of('a', 5, 10), T0), 1);
	assert_int_equal(reserve(&b, throttle_of('a', 2, 10), T0), 0);
	assert_int_equal(reserve(&b, throttle_of('a', 1, 10), T0), 1);
	expect(throttle_of('a', 1, 10), T0, 4, 6);
}

static void
only_the_level_leaks_not_what_is_reserved(void **state)
{
	struct claim a = { 0 }, b = { 0 };

	(void)state;
	assert_int_equal(spend(throttle_of('a', 4, 10), 1, T0), 1);
	assert_int_equal(reserve(&a, throttle_of('a', 6, 10), T0), 1);
	expect(throttle_of('a', 1, 10), T0 + 3 * SECOND, 1, 6);
	expect(throttle_of('a', 1, 10), T0 + 60 * SECOND, 0, 6);
	assert_int_equal(reserve(&b, throttle_of('a', 5, 10),
	    T0 + 60 * SECOND), 0);
	assert_int_equal(reserve(&b, throttle_of('a', 4, 10),
	    T0 + 60 * SECOND), 1);
}

static void
commit_moves_reserved_into_the_level_at_commit_time(void **state)
{
	struct claim a = { 0 };

	(void)state;
	assert_int_equal(seal(&a, throttle_of('a', 10, 10), T0), 1);
	expect(throttle_of('a', 1, 10), T0 + 30 * SECOND, 0, 10);
	settle(&a, true, 1, T0 + 30 * SECOND);
	expect(throttle_of('a', 1, 10), T0 + 30 * SECOND, 10, 0);
	expect(throttle_of('a', 1, 10), T0 + 34 * SECOND, 6, 0);
}

static void
release_and_a_dropped_settle_charge_nobody(void **state)
{
	struct claim a = { 0 }, b = { 0 }, c = { 0 };

	(void)state;
	assert_int_equal(reserve(&a, cap_of('a', 5, 5, T0), T0), 1);
	ledger_release(ledger, &a);
	assert_int_equal(seal(&b, cap_of('a', 5, 5, T0), T0), 1);
	settle(&b, false, 0, T0);
	assert_int_equal(seal(&c, cap_of('a', 5, 5, T0), T0), 1);
	ledger_release(ledger, &c);		/* signing failed, say */
	ledger_release(ledger, &c);
	expect(cap_of('a', 1, 5, T0), T0, 0, 0);
}

static void
the_charge_belongs_to_the_window_of_the_end(void **state)
{
	struct claim a = { 0 };
	int64_t late = T0 + DAY - SECOND, next = T0 + DAY + SECOND;

	(void)state;
	assert_int_equal(reserve(&a, cap_of('a', 3, 5, late), late), 1);
	assert_int_equal(seal(&a, cap_of('a', 3, 5, next), next), 1);
	assert_true(a.asks[0].charge.window == T0 + DAY);
	settle(&a, true, 1, next);
	expect(cap_of('a', 1, 5, next), next, 3, 0);
}

static void
a_rolled_window_that_is_full_takes_none(void **state)
{
	struct claim a = { 0 }, b = { 0 };
	struct ask asks[2];
	int64_t late = T0 + DAY - SECOND, next = T0 + DAY + SECOND;

	(void)state;
	asks[0] = cap_of('a', 3, 5, late);
	asks[1] = throttle_of('b', 3, 5);
	assert_int_equal(ledger_reserve(ledger, &a, arena, asks, 2, late,
	    NULL, NULL), 1);
	assert_int_equal(spend(cap_of('a', 4, 5, next), 1, next), 1);
	asks[0] = cap_of('a', 3, 5, next);
	assert_int_equal(ledger_seal(ledger, &a, arena, asks, 2, next, NULL,
	    NULL), 0);
	expect(cap_of('a', 1, 5, next), next, 4, 0);
	expect(throttle_of('b', 1, 5), next, 0, 3);
	ledger_release(ledger, &a);
	expect(throttle_of('b', 1, 5), next, 0, 0);
	assert_int_equal(reserve(&b, cap_of('a', 1, 5, next), next), 1);
}

static void
what_belongs_to_a_window_that_is_over_touches_no_newer_one(void **state)
{
	struct claim a = { 0 }, b = { 0 }, c = { 0 };
	int64_t late = T0 + DAY - SECOND, next = T0 + DAY + SECOND;

	(void)state;
	assert_int_equal(reserve(&a, cap_of('a', 2, 5, late), late), 1);
	assert_int_equal(seal(&b, cap_of('a', 2, 5, late), late), 1);
	assert_int_equal(reserve(&c, cap_of('a', 5, 5, next), next), 1);
	expect(cap_of('a', 1, 5, next), next, 0, 5);
	ledger_release(ledger, &a);
	settle(&b, true, 1, next);
	expect(cap_of('a', 1, 5, next), next, 0, 5);
}

static void
a_moment_behind_the_roll_is_charged_to_the_newer_window(void **state)
{
	struct claim a = { 0 }, b = { 0 };
	int64_t late = T0 + DAY - 1, next = T0 + DAY + 1;

	(void)state;
	assert_int_equal(spend(cap_of('a', 5, 5, late), 1, late), 1);
	assert_int_equal(spend(cap_of('a', 4, 5, next), 2, next), 1);
	assert_int_equal(seal(&a, cap_of('a', 2, 5, late), late), 0);
	assert_int_equal(seal(&b, cap_of('a', 1, 5, late), late), 1);
	assert_true(b.asks[0].charge.window == T0 + DAY);
	settle(&b, true, 3, next);
	expect(cap_of('a', 1, 5, next), next, 5, 0);
}

static void
idle_for_two_minutes_it_is_gone_and_made_anew_at_the_end(void **state)
{
	struct claim a = { 0 }, b = { 0 };
	int64_t then = T0 + LEDGER_IDLE;

	(void)state;
	assert_int_equal(reserve(&a, cap_of('a', 4, 5, T0), T0), 1);
	assert_int_equal(reserve(&b, cap_of('a', 2, 5, T0), then - 1), 0);
	expect(cap_of('a', 1, 5, T0), then, 0, 0);
	assert_int_equal(a.state, CLAIM_EXPIRED);
	assert_int_equal(reserve(&b, cap_of('a', 1, 5, T0), then), 1);
	assert_int_equal(seal(&a, cap_of('a', 4, 5, T0), then), 1);
	settle(&a, true, 1, then);
	expect(cap_of('a', 1, 5, T0), then, 4, 1);
}

static void
what_expired_and_went_to_somebody_else_is_not_to_be_had(void **state)
{
	struct claim a = { 0 }, b = { 0 };
	int64_t then = T0 + LEDGER_IDLE;

	(void)state;
	assert_int_equal(reserve(&a, cap_of('a', 4, 5, T0), T0), 1);
	assert_int_equal(reserve(&b, cap_of('a', 2, 5, T0), then), 1);
	assert_int_equal(seal(&a, cap_of('a', 4, 5, T0), then), 0);
	ledger_release(ledger, &a);
	expect(cap_of('a', 1, 5, T0), then, 0, 2);
}

static void
the_next_recipient_keeps_a_claim_alive(void **state)
{
	struct claim a = { 0 };
	int64_t t = T0;
	int i;

	(void)state;
	for (i = 1; i <= 5; i++, t += LEDGER_IDLE - SECOND) {
		assert_int_equal(reserve(&a, cap_of('a', i, 9, T0), t), 1);
		expect(cap_of('a', 1, 9, T0), t, 0, i);
	}
}

static void
a_sealed_claim_does_not_expire(void **state)
{
	struct claim a = { 0 }, b = { 0 };
	uint8_t dropped[4][16];
	int i;

	(void)state;
	assert_int_equal(seal(&a, throttle_of('a', 5, 5), T0), 1);
	for (i = 0; i < 300; i++)
		(void)ledger_sweep(ledger, T0 + HOUR, dropped, 4);
	expect(throttle_of('a', 1, 5), T0 + HOUR, 0, 5);
	assert_int_equal(reserve(&b, throttle_of('a', 1, 5), T0 + HOUR), 0);
	settle(&a, true, 1, T0 + HOUR);
	expect(throttle_of('a', 1, 5), T0 + HOUR, 5, 0);
}

/* shared_of - a shared cap of 100, of which a tenant may hold 25 */
static struct ask
shared_of(uint64_t tenant, int64_t amount)
{
	struct ask ask = cap_of('s', amount, 100, T0);

	ask.charge.shared = 1;
	ask.charge.tenant = tenant;
	ask.inflight = 25;
	return ask;
}

static void
one_tenant_holds_a_part_of_a_shared_cap_only(void **state)
{
	struct claim a = { 0 }, b = { 0 }, c = { 0 };
	struct shortfall lack;
	struct ask ask = shared_of(1, 1);
	size_t n;

	(void)state;
	assert_int_equal(reserve(&a, shared_of(1, 25), T0), 1);
	assert_int_equal(ledger_reserve(ledger, &b, arena, &ask, 1, T0, &lack,
	    &n), 0);
	assert_int_equal(n, 1);
	assert_true(lack.inflight);
	assert_int_equal(reserve(&c, shared_of(2, 25), T0), 1);
	/* what is spent is not held any more */
	assert_int_equal(seal(&a, shared_of(1, 25), T0), 1);
	assert_int_equal(reserve(&b, shared_of(1, 1), T0), 0);
	settle(&a, true, 1, T0);
	assert_int_equal(reserve(&b, shared_of(1, 25), T0), 1);
	ledger_release(ledger, &b);
	assert_int_equal(reserve(&b, shared_of(1, 25), T0), 1);
	expect(shared_of(1, 1), T0, 25, 50);
}

static void
a_void_gives_back_within_the_window(void **state)
{
	struct ask cap = cap_of('a', 4, 5, T0);
	struct ask flow = throttle_of('b', 4, 5);
	int64_t next = T0 + DAY;

	(void)state;
	assert_int_equal(spend(cap, 1, T0), 1);
	assert_int_equal(spend(flow, 2, T0), 1);
	assert_int_equal(spend(cap_of('a', 1, 5, T0), 3, T0), 1);
	ledger_void(ledger, &cap.charge, 1, 4, T0 + SECOND);
	ledger_void(ledger, &flow.charge, 1, 5, T0 + SECOND);
	expect(cap, T0 + SECOND, 1, 0);
	expect(flow, T0 + SECOND, 0, 0);
	/* never below nothing, never in a later window */
	ledger_void(ledger, &cap.charge, 1, 6, T0 + SECOND);
	expect(cap, T0 + SECOND, 0, 0);
	assert_int_equal(spend(cap_of('a', 5, 5, next), 7, next), 1);
	ledger_void(ledger, &cap.charge, 1, 8, next);
	expect(cap_of('a', 1, 5, next), next, 5, 0);
}

static void
all_limits_or_none_and_every_short_one_is_named(void **state)
{
	struct claim a = { 0 };
	struct shortfall lacks[4];
	struct ask asks[4];
	size_t n;

	(void)state;
	assert_int_equal(spend(cap_of('b', 5, 5, T0), 1, T0), 1);
	assert_int_equal(spend(throttle_of('d', 5, 5), 2, T0), 1);
	asks[0] = cap_of('a', 1, 5, T0);
	asks[1] = cap_of('b', 1, 5, T0);
	asks[2] = throttle_of('c', 1, 5);
	asks[3] = throttle_of('d', 1, 5);
	assert_int_equal(ledger_reserve(ledger, &a, arena, asks, 4, T0, lacks,
	    &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(lacks[0].which, 1);
	assert_true(lacks[0].next == T0 + DAY);
	assert_int_equal(lacks[1].which, 3);
	assert_true(lacks[1].next == T0 + SECOND);
	expect(asks[0], T0, 0, 0);
	expect(asks[2], T0, 0, 0);
}

static void
it_fits_at_the_slot_told_and_not_before(void **state)
{
	struct claim a = { 0 };
	struct shortfall lack;
	struct ask ask = throttle_of('a', 3, 7);
	int64_t rate;
	size_t n;

	(void)state;
	for (rate = 1; rate < 2000; rate = rate * 3 + 1) {
		ask.charge.key[0] = (uint8_t)rate;
		ask.charge.key[1] = (uint8_t)(rate >> 8);
		ask.charge.rate = rate;
		ask.charge.period = HOUR;
		ask.charge.amount = 7;
		assert_int_equal(spend(ask, 1, T0), 1);
		ask.charge.amount = 3;
		assert_int_equal(ledger_reserve(ledger, &a, arena, &ask, 1,
		    T0 + 17, &lack, &n), 0);
		assert_int_equal(reserve(&a, ask, lack.next - 2), 0);
		assert_int_equal(reserve(&a, ask, lack.next + 1), 1);
		ledger_release(ledger, &a);
	}
}

static void
more_than_fits_at_all_never_does(void **state)
{
	struct claim a = { 0 };
	struct shortfall lack;
	struct ask ask = throttle_of('a', 8, 7);
	size_t n;

	(void)state;
	assert_int_equal(ledger_seal(ledger, &a, arena, &ask, 1, T0, &lack,
	    &n), 0);
	assert_true(lack.next == INT64_MAX);
	ask = cap_of('b', INT64_MAX, LEDGER_AMOUNT_MAX, T0);
	assert_int_equal(ledger_seal(ledger, &a, arena, &ask, 1, T0, &lack,
	    &n), 0);
	assert_true(lack.next == INT64_MAX);
}

static void
edits_keep_what_was_spent(void **state)
{
	struct ask ask = throttle_of('a', 4, 10);

	(void)state;
	assert_int_equal(spend(ask, 1, T0), 1);
	ask.charge.rate = 3600;			/* from 1/s to 3600/hour */
	ask.charge.period = HOUR;
	expect(ask, T0 + SECOND, 3, 0);
	ask.most = 3;				/* a smaller burst */
	ask.charge.amount = 1;
	assert_int_equal(spend(ask, 2, T0 + SECOND), 0);
	assert_int_equal(spend(ask, 2, T0 + 2 * SECOND), 1);
	/* a cap with another number */
	assert_int_equal(spend(cap_of('b', 4, 5, T0), 3, T0), 1);
	assert_int_equal(spend(cap_of('b', 1, 4, T0), 4, T0), 0);
	assert_int_equal(spend(cap_of('b', 1, 6, T0), 4, T0), 1);
	expect(cap_of('b', 1, 6, T0), T0, 5, 0);
}

static void
edits_of_the_window_keep_what_was_spent(void **state)
{
	struct ask day = cap_of('a', 4, 5, T0 + 3 * DAY), month = day;
	struct claim held = { 0 }, other = { 0 };
	int64_t now = T0 + 3 * DAY + HOUR, next = now + DAY;

	(void)state;
	month.charge.window = T0;
	month.charge.window_end = T0 + 30 * DAY;
	assert_int_equal(spend(day, 1, now), 1);
	expect(month, now, 4, 0);
	month.charge.amount = 1;
	assert_int_equal(reserve(&held, month, now), 1);
	assert_int_equal(reserve(&other, month, now), 0);
	/* what is held is held still, and the month goes on next day */
	assert_int_equal(reserve(&other, month, next), 1);
	ledger_release(ledger, &other);
	expect(month, next, 4, 0);
	/* back to days: this day has it all, the next begins anew */
	day = cap_of('a', 1, 5, next);
	expect(day, next, 4, 0);
	assert_int_equal(reserve(&held, day, next), 1);
	assert_int_equal(reserve(&other, day, next), 0);
	ledger_release(ledger, &held);
	expect(cap_of('a', 1, 5, next + DAY), next + DAY, 0, 0);
}

/* monthly - an ask of the same counter after its limit became a month's */
static struct ask
monthly(char key, int64_t amount, int64_t most)
{
	struct ask ask = cap_of(key, amount, most, T0);

	ask.charge.window_end = T0 + 30 * DAY;
	return ask;
}

static void
a_hand_laid_on_before_a_roll_is_not_held_after_an_edit(void **state)
{
	struct claim old = { 0 }, other = { 0 };
	int64_t late = T0 + DAY - SECOND, next = T0 + DAY + SECOND;

	(void)state;
	assert_int_equal(reserve(&old, monthly('a', 5, 10), late), 1);
	/* a day's now; it rolls at midnight, and the month comes back */
	assert_int_equal(spend(cap_of('a', 1, 10, T0), 1, late), 1);
	assert_int_equal(reserve(&other, cap_of('a', 8, 10, next), next), 1);
	assert_int_equal(seal(&old, monthly('a', 5, 10), next), 0);
	expect(monthly('a', 1, 10), next, 0, 8);
	ledger_release(ledger, &old);
	expect(monthly('a', 1, 10), next, 0, 8);
}

static void
a_charge_made_before_an_edit_does_not_shorten_the_window(void **state)
{
	uint8_t dropped[8][16];
	struct claim old = { 0 };
	int64_t next = T0 + DAY + LEDGER_IDLE;
	struct counter_row rows[8];
	bool left;
	int i;

	(void)state;
	assert_int_equal(seal(&old, cap_of('a', 1, 10, T0), T0 + HOUR), 1);
	assert_int_equal(spend(monthly('a', 9, 10), 1, T0 + HOUR), 1);
	settle(&old, true, 2, T0 + HOUR);
	ledger_round_begin(ledger, 2);
	(void)ledger_round_next(ledger, rows, 8, &left);
	(void)ledger_round_next(ledger, rows, 8, &left);
	for (i = 0; i < 256; i++)
		assert_int_equal(ledger_sweep(ledger, next, dropped, 8), 0);
	assert_int_equal(spend(monthly('a', 1, 10), 3, next), 0);
	expect(monthly('a', 1, 10), next, 10, 0);
}

static void
a_void_made_before_an_edit_does_not_shorten_the_window(void **state)
{
	struct ask day = cap_of('a', 2, 10, T0);
	uint8_t dropped[8][16];
	struct counter_row rows[8];
	int64_t next = T0 + DAY + LEDGER_IDLE;
	bool left;
	int i;

	(void)state;
	assert_int_equal(spend(day, 1, T0 + HOUR), 1);
	assert_int_equal(spend(monthly('a', 8, 10), 2, T0 + HOUR), 1);
	ledger_void(ledger, &day.charge, 1, 3, T0 + HOUR);
	expect(monthly('a', 1, 10), T0 + HOUR, 8, 0);
	ledger_round_begin(ledger, 3);
	(void)ledger_round_next(ledger, rows, 8, &left);
	(void)ledger_round_next(ledger, rows, 8, &left);
	for (i = 0; i < 256; i++)
		assert_int_equal(ledger_sweep(ledger, next, dropped, 8), 0);
	expect(monthly('a', 1, 10), next, 8, 0);
}

static void
a_message_of_the_policy_before_brings_no_window_back(void **state)
{
	struct ask month = monthly('a', 8, 10);
	struct ask day = cap_of('a', 1, 10, T0 + DAY - SECOND);
	int64_t next = T0 + DAY + SECOND;
	struct claim first = { 0 }, second = { 0 };

	(void)state;
	day.policy = 1;
	month.policy = 2;
	assert_int_equal(spend(month, 1, T0 + HOUR), 1);
	/* one goes before midnight, one behind it */
	assert_int_equal(seal(&first, day, T0 + DAY - SECOND), 1);
	settle(&first, true, 2, T0 + DAY - SECOND);
	day.charge.window += DAY;
	day.charge.window_end += DAY;
	assert_int_equal(seal(&second, day, next), 1);
	settle(&second, true, 3, next);
	month.charge.amount = 1;
	expect(month, next, 10, 0);
	assert_int_equal(spend(month, 4, next), 0);
}

static void
a_shadowed_limit_counts_without_bound(void **state)
{
	struct ask ask = cap_of('a', 8, LEDGER_UNBOUNDED, T0);
	struct ask flow = throttle_of('b', LEDGER_AMOUNT_MAX,
	    LEDGER_UNBOUNDED);
	int i;

	(void)state;
	assert_int_equal(spend(ask, 1, T0), 1);
	expect(cap_of('a', 1, 5, T0), T0, 8, 0);
	assert_int_equal(spend(cap_of('a', 1, 5, T0), 2, T0), 0);
	for (i = 0; i < 30; i++)
		assert_int_equal(spend(flow, (uint64_t)i + 3, T0), 1);
	flow.charge.amount = 1;
	flow.most = 5;
	assert_int_equal(spend(flow, 40, T0), 0);
}

static void
no_leak_is_lost_by_asking_often(void **state)
{
	int64_t level = 20 * RATE_UNIT, time = T0, now;

	(void)state;
	for (now = T0; now <= T0 + 100 * SECOND; now += 7)
		rate_leak(&level, &time, 200, HOUR, now);
	/* 200 an hour leak 5.5555 in 100 s: not less, but for 1 us an update */
	if (level > 20 * RATE_UNIT - 5555000 ||
	    level < 20 * RATE_UNIT - 5555556)
		fail_msg("20 less 5.5555 expected, got %lld millionths",
		    (long long)level);
}

static void
numbers_at_their_bounds_do_not_overflow(void **state)
{
	int64_t level = RATE_LEVEL_MAX, time = 0;

	(void)state;
	rate_leak(&level, &time, LEDGER_AMOUNT_MAX, SECOND, INT64_MAX);
	assert_true(level == 0);
	level = rate_add(RATE_LEVEL_MAX, LEDGER_AMOUNT_MAX);
	assert_true(level == RATE_LEVEL_MAX);
	assert_true(rate_add(0, INT64_MIN + 1) == 0);
	assert_true(rate_wait(RATE_LEVEL_MAX, 1, 31 * DAY) == INT64_MAX);
	assert_true(rate_wait(RATE_UNIT, 1, SECOND) == SECOND);
	assert_false(rate_fits(RATE_LEVEL_MAX, INT64_MAX, INT64_MAX,
	    LEDGER_AMOUNT_MAX));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(fits_up_to_the_burst_and_not_one_more),
		T(only_the_level_leaks_not_what_is_reserved),
		T(commit_moves_reserved_into_the_level_at_commit_time),
		T(release_and_a_dropped_settle_charge_nobody),
		T(the_charge_belongs_to_the_window_of_the_end),
		T(a_rolled_window_that_is_full_takes_none),
		T(what_belongs_to_a_window_that_is_over_touches_no_newer_one),
		T(a_moment_behind_the_roll_is_charged_to_the_newer_window),
		T(idle_for_two_minutes_it_is_gone_and_made_anew_at_the_end),
		T(what_expired_and_went_to_somebody_else_is_not_to_be_had),
		T(the_next_recipient_keeps_a_claim_alive),
		T(a_sealed_claim_does_not_expire),
		T(one_tenant_holds_a_part_of_a_shared_cap_only),
		T(a_void_gives_back_within_the_window),
		T(all_limits_or_none_and_every_short_one_is_named),
		T(it_fits_at_the_slot_told_and_not_before),
		T(more_than_fits_at_all_never_does),
		T(edits_keep_what_was_spent),
		T(edits_of_the_window_keep_what_was_spent),
		T(a_hand_laid_on_before_a_roll_is_not_held_after_an_edit),
		T(a_charge_made_before_an_edit_does_not_shorten_the_window),
		T(a_void_made_before_an_edit_does_not_shorten_the_window),
		T(a_message_of_the_policy_before_brings_no_window_back),
		T(a_shadowed_limit_counts_without_bound),
		T(no_leak_is_lost_by_asking_often),
		T(numbers_at_their_bounds_do_not_overflow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
