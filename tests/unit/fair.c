/*
 * fair: what several tenants get of a cap that they share, hour by hour.
 *
 * A day is played minute by minute with a set clock.  Tenants that are greedy
 * ask until they are turned away; slow ones ask evenly for a little more than
 * their share; some sleep for a part of the day.  Messages have 1 to 3
 * recipients.  At any moment the count is below what may be gone by then.
 * On some days the counters are made anew from what the events say, several
 * times, and nobody gets more or less for it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "policy/ledger.h"

#define SECOND	INT64_C(1000000)
#define MINUTE	(60 * SECOND)
#define HOUR	(60 * MINUTE)
#define DAY	(24 * HOUR)
#define START	(INT64_C(20000) * DAY)

enum { TENANTS = 6, LARGEST = 3 };

struct sim {
	int		 weight;
	bool		 greedy;
	int		 sleeps, wakes;		/* hours; equal: never */
	int64_t		 hours[24], all;	/* what it got */
	int64_t		 owed;			/* of a slow one, thousandths */
};

static struct {
	struct ledger	*ledger;
	struct arena	*arena;
	struct sim	 tenants[TENANTS];
	int		 n;
	int64_t		 cap, gone;
	uint64_t	 seq;
	uint64_t	 dice;
	bool		 restarts;
} world;

/* What the events say: who had how much, when. */
static struct {
	int		 who;
	int64_t		 n, time;
} *told;
static size_t ntold, told_cap;

static uint64_t
roll(uint64_t below)
{
	world.dice ^= world.dice << 13;
	world.dice ^= world.dice >> 7;
	world.dice ^= world.dice << 17;
	return world.dice % below;
}

/* even - what may be gone at the end of that hour */
static int64_t
even(int hour)
{
	return (world.cap * (hour + 1) + 23) / 24;
}

static bool
awake(const struct sim *s, int hour)
{
	return s->sleeps == s->wakes || hour < s->sleeps || hour >= s->wakes;
}

/* as_before - are the same awake as in the hour before? */
static bool
as_before(int hour)
{
	for (int i = 0; i < world.n; i++)
		if (awake(&world.tenants[i], hour) !=
		    awake(&world.tenants[i], hour - 1))
			return false;
	return true;
}

/* nobody_fell - asleep, at the begin of that hour */
static bool
nobody_fell(int hour)
{
	for (int i = 0; i < world.n; i++)
		if (!awake(&world.tenants[i], hour) &&
		    awake(&world.tenants[i], hour - 1))
			return false;
	return true;
}

/* tell - an event */
static void
tell(int i, int64_t n, int64_t now)
{
	if (ntold == told_cap) {
		told_cap = told_cap > 0 ? told_cap * 2 : 4096;
		told = realloc(told, told_cap * sizeof(*told));
		assert_non_null(told);
	}
	told[ntold].who = i;
	told[ntold].n = n;
	told[ntold++].time = now;
}

/* restart - the gate, as restore.c does it */
static void
restart(int64_t now)
{
	struct charge c = { .key = { 1 }, .kind = LIMIT_CAP, .shared = 1,
	    .window = START, .window_end = START + DAY };

	ledger_free(world.ledger);
	world.ledger = ledger_new();
	assert_non_null(world.ledger);
	for (size_t i = 0; i < ntold; i++) {
		c.tenant = (uint64_t)told[i].who + 1;
		c.amount = told[i].n;
		assert_int_equal(ledger_replay(world.ledger, &c, 1, false,
		    i + 1, told[i].time), 0);
	}
	for (size_t i = 0; i < ntold; i++) {
		int64_t slot = told[i].time - (told[i].time - START) % HOUR;

		if (slot + HOUR <= now - 2 * HOUR)
			continue;
		c.tenant = (uint64_t)told[i].who + 1;
		c.amount = told[i].n;
		ledger_recall(world.ledger, &c, false, (uint32_t)
		    world.tenants[told[i].who].weight, slot, slot + HOUR);
	}
}

/* ask - for a message of tenant i; settled when it passes */
static bool
ask(int i, int64_t n, int64_t now)
{
	int hour = (int)((now - START) / HOUR);
	struct ask a = { .charge = { .key = { 1 }, .kind = LIMIT_CAP,
	    .shared = 1, .tenant = (uint64_t)i + 1, .amount = n,
	    .window = START, .window_end = START + DAY, .name = SLICE("day"),
	    .rule = SLICE("p:1") }, .most = even(hour), .even = even(hour),
	    .slot = START + hour * HOUR, .slot_end = START + (hour + 1) *
	    HOUR, .weight = (uint32_t)world.tenants[i].weight };
	struct claim claim = { .n = 0 };
	struct shortfall lack;
	size_t nlacks;
	int got;

	arena_reset(world.arena);
	got = ledger_seal(world.ledger, &claim, world.arena, &a, 1, now, &lack,
	    &nlacks);
	assert_int_not_equal(got, -1);
	if (got == 0) {
		assert_true(lack.next > now);
		return false;
	}
	ledger_settle(world.ledger, &claim.asks[0].charge, 1, true,
	    ++world.seq, now);
	world.gone += n;
	tell(i, n, now);
	assert_true(world.gone <= even(hour));
	world.tenants[i].hours[hour] += n;
	world.tenants[i].all += n;
	return true;
}

/* weights - of those who are awake */
static int
weights(int hour)
{
	int all = 0;

	for (int i = 0; i < world.n; i++)
		if (awake(&world.tenants[i], hour))
			all += world.tenants[i].weight;
	return all;
}

/* minute - of one tenant */
static void
minute(int i, int hour, int64_t now)
{
	struct sim *s = &world.tenants[i];
	int64_t n;

	if (!awake(s, hour))
		return;
	if (s->greedy) {
		while (ask(i, 1 + (int64_t)roll(LARGEST), now))
			;
		return;
	}
	/* a fifth more than its share, if it gets it */
	s->owed += world.cap * 1000 / 24 * s->weight / weights(hour) * 12 /
	    10 / 60;
	while (s->owed >= LARGEST * 1000) {
		n = 1 + (int64_t)roll(LARGEST);
		if (!ask(i, n, now))
			break;
		s->owed -= n * 1000;
	}
	if (s->owed > 20 * LARGEST * 1000)
		s->owed = 20 * LARGEST * 1000;
}

static void
day(void)
{
	int order[TENANTS];

	for (int m = 0; m < 24 * 60; m++) {
		for (int i = 0; i < world.n; i++) {
			int j = (int)roll((uint64_t)i + 1);

			order[i] = order[j];
			order[j] = i;
		}
		for (int i = 0; i < world.n; i++)
			minute(order[i], m / 60, START + m * MINUTE +
			    (int64_t)roll(60) * SECOND / 60);
		if (world.restarts && roll(240) == 0)
			restart(START + m * MINUTE + MINUTE / 2);
	}
}

static void
begin(uint64_t seed)
{
	memset(&world, 0, sizeof(world));
	ntold = 0;
	world.dice = seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
	world.ledger = ledger_new();
	world.arena = arena_new(1 << 12, 0);
	assert_non_null(world.ledger);
	assert_non_null(world.arena);
	for (int i = 0; i < 10; i++)
		(void)roll(2);
}

static void
end(void)
{
	ledger_free(world.ledger);
	arena_free(world.arena);
}

/* close_to - within 5 %, and a message */
static bool
close_to(int64_t got, int64_t want)
{
	int64_t off = want / 20 + LARGEST;

	return got >= want - off && got <= want + off;
}

/* forgotten - had somebody nothing of that hour?  A restart does not know then
 * that he asked, so he is new in the next. */
static bool
forgotten(int hour)
{
	for (int i = 0; world.restarts && i < world.n; i++)
		if (world.tenants[i].hours[hour] == 0)
			return true;
	return false;
}

/* say - a day that was not fair */
static void
say(uint64_t seed, const char *what, int i, int hour)
{
	for (int k = 0; k < world.n; k++) {
		const struct sim *s = &world.tenants[k];

		print_message("%d: weight %d %s, sleeps %d-%d, %lld:", k,
		    s->weight, s->greedy ? "greedy" : "slow", s->sleeps,
		    s->wakes, (long long)s->all);
		for (int h = 0; h < 24; h++)
			print_message(" %lld", (long long)s->hours[h]);
		print_message("\n");
	}
	fail_msg("seed %llu: cap %lld, tenant %d, hour %d: %s",
	    (unsigned long long)seed, (long long)world.cap, i, hour, what);
}

static long
rounds(void)
{
	const char *s = getenv("ROUNDS");

	return s != NULL && atol(s) > 0 ? atol(s) : 50;
}

static void
each_has_its_weight_of_every_hour(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= (uint64_t)rounds(); seed++) {
		int all = 0;

		begin(seed);
		world.n = 2 + (int)roll(TENANTS - 1);
		world.cap = 6000 + (int64_t)roll(50000);
		for (int i = 0; i < world.n; i++) {
			world.tenants[i].weight = 1 + (int)roll(4);
			world.tenants[i].greedy = roll(2) == 0;
			all += world.tenants[i].weight;
		}
		world.restarts = seed % 2 == 0;
		day();
		for (int i = 0; i < world.n; i++) {
			const struct sim *s = &world.tenants[i];
			int64_t due = world.cap * s->weight / all;

			/* the first hour belongs to whoever comes first */
			for (int h = 1; h < 24; h++)
				if (!close_to(s->hours[h], due / 24) &&
				    !forgotten(h - 1))
					say(seed, "not its part", i, h);
			if (!close_to(s->all - s->hours[0], due / 24 * 23))
				say(seed, "not its part of the day", i, -1);
		}
		end();
	}
}

static void
what_sleepers_leave_is_used_and_given_back(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= (uint64_t)rounds(); seed++) {
		begin(seed + 1000000);
		world.n = 2 + (int)roll(TENANTS - 1);
		world.cap = 6000 + (int64_t)roll(50000);
		for (int i = 0; i < world.n; i++) {
			struct sim *s = &world.tenants[i];

			s->weight = 1 + (int)roll(4);
			s->greedy = true;
			if (i > 0 && roll(2) == 0) {
				s->sleeps = 2 + (int)roll(10);
				s->wakes = s->sleeps + 2 + (int)roll(8);
			}
		}
		day();
		/* somebody is always awake and greedy: nothing is left over */
		if (world.gone < world.cap - world.cap / 100)
			say(seed, "not used up", -1, -1);
		for (int i = 0; i < world.n; i++) {
			const struct sim *s = &world.tenants[i];

			/* Who was awake before has his part, and so has who
			 * wakes an hour later; only of one who fell asleep
			 * just now the part goes to whoever comes first. */
			for (int h = 2; h < 24; h++) {
				int64_t due = world.cap / 24 * s->weight /
				    weights(h);

				if (!awake(s, h) || !(awake(s, h - 1) ?
				    nobody_fell(h) : as_before(h)))
					continue;
				if (s->hours[h] < due - due / 20 - LARGEST)
					say(seed, "less than its part", i, h);
			}
		}
		end();
	}
}

static void
who_wakes_finds_a_part_of_the_hour(void **state)
{
	(void)state;
	begin(7);
	world.n = 2;
	world.cap = 24000;
	world.tenants[0] = (struct sim){ .weight = 1, .greedy = true };
	world.tenants[1] = (struct sim){ .weight = 1, .greedy = true,
	    .sleeps = 0, .wakes = 5 };
	day();
	/* alone the first has all, by and by; then half of it is kept */
	assert_int_equal(world.tenants[0].hours[3], 1000);
	assert_true(world.tenants[1].hours[5] >= 250);
	assert_true(close_to(world.tenants[1].hours[6], 500));
	assert_true(close_to(world.tenants[0].hours[6], 500));
	end();
}

static void
who_had_his_part_has_no_second_one_after_a_restart(void **state)
{
	(void)state;
	begin(11);
	world.n = 2;
	world.cap = 24000;
	for (int i = 0; i < 2; i++)
		world.tenants[i] = (struct sim){ .weight = 1 };
	/* in the first hour both are there, and so they are known */
	assert_true(ask(0, 1, START + MINUTE));
	assert_true(ask(1, 1, START + MINUTE));
	/* the first takes all of its part, and what time has set free */
	while (ask(0, 1, START + HOUR + MINUTE))
		;
	assert_in_range(world.tenants[0].hours[1], 660, 700);
	for (int i = 0; i < 3; i++) {
		restart(START + HOUR + MINUTE);
		assert_false(ask(0, 1, START + HOUR + MINUTE));
	}
	/* and the second finds what is its own */
	while (ask(1, 1, START + HOUR + MINUTE))
		;
	assert_in_range(world.tenants[1].hours[1], 660, 700);
	end();
}

static void
a_share_below_one_message_is_not_none(void **state)
{
	(void)state;
	begin(3);
	world.n = 5;
	world.cap = 50;			/* two an hour, for five */
	for (int i = 0; i < world.n; i++)
		world.tenants[i] = (struct sim){ .weight = 1, .greedy = true };
	day();
	assert_true(world.gone >= 47);
	for (int i = 0; i < world.n; i++)
		assert_in_range(world.tenants[i].all, 7, 13);
	end();
}

static void
a_message_that_fails_is_nobodys_share(void **state)
{
	struct claim claim = { .n = 0 };
	struct ask a = { .charge = { .key = { 1 }, .kind = LIMIT_CAP,
	    .shared = 1, .amount = 60, .window = START,
	    .window_end = START + DAY, .name = SLICE("day"),
	    .rule = SLICE("p:1") }, .most = 100, .even = 100,
	    .slot = START, .slot_end = START + HOUR, .weight = 1 };
	struct shortfall lack;
	size_t n;

	(void)state;
	begin(1);
	for (uint64_t t = 1; t <= 2; t++) {	/* both are known */
		a.charge.tenant = t;
		a.charge.amount = 1;
		assert_int_equal(ledger_seal(world.ledger, &claim, world.arena,
		    &a, 1, START, &lack, &n), 1);
		ledger_release(world.ledger, &claim);
	}
	/* (2 / 3 of the hour) / 2 is 33 for each at its begin */
	a.charge.tenant = 1;
	a.charge.amount = 33;
	assert_int_equal(ledger_seal(world.ledger, &claim, world.arena, &a, 1,
	    START, &lack, &n), 1);
	ledger_release(world.ledger, &claim);
	assert_int_equal(ledger_seal(world.ledger, &claim, world.arena, &a, 1,
	    START, &lack, &n), 1);
	ledger_settle(world.ledger, &claim.asks[0].charge, 1, true, 1, START);
	claim = (struct claim){ .n = 0 };
	a.charge.amount = 2;
	assert_int_equal(ledger_seal(world.ledger, &claim, world.arena, &a, 1,
	    START, &lack, &n), 0);
	assert_true(lack.fair);
	assert_int_equal(lack.next, START + HOUR);
	/* it was answered 451 after all */
	a.charge.amount = 33;
	ledger_void(world.ledger, &a.charge, 1, 2, START);
	a.charge.amount = 2;
	assert_int_equal(ledger_seal(world.ledger, &claim, world.arena, &a, 1,
	    START, &lack, &n), 1);
	ledger_release(world.ledger, &claim);
	end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_has_its_weight_of_every_hour),
		cmocka_unit_test(what_sleepers_leave_is_used_and_given_back),
		cmocka_unit_test(who_wakes_finds_a_part_of_the_hour),
		cmocka_unit_test(
		    who_had_his_part_has_no_second_one_after_a_restart),
		cmocka_unit_test(a_share_below_one_message_is_not_none),
		cmocka_unit_test(a_message_that_fails_is_nobodys_share),
	};

	return cmocka_run_group_tests_name("fair", tests, NULL, NULL);
}
