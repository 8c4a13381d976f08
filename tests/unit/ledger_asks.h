/*
 * ledger_asks - one ledger, asks of a daily cap and of 1/second, and the steps
 * of a message, for the tests of the ledger.  Included by one test program
 * each.
 */
#ifndef TESTS_UNIT_LEDGER_ASKS_H
#define TESTS_UNIT_LEDGER_ASKS_H

#include "policy/ledger.h"

#define SECOND	INT64_C(1000000)
#define HOUR	(3600 * SECOND)
#define DAY	(24 * HOUR)
#define T0	(INT64_C(20000) * DAY)		/* a midnight */

static struct ledger *ledger;
static struct arena *arena;

static int
setup(void **state)
{
	(void)state;
	ledger = ledger_new();
	arena = arena_new(4096, 0);
	return ledger == NULL || arena == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	ledger_free(ledger);
	arena_free(arena);
	return 0;
}

/* cap_of - an ask of a daily cap at that moment */
static struct ask
cap_of(char key, int64_t amount, int64_t most, int64_t now)
{
	struct ask ask = { .most = most };

	memset(ask.charge.key, key, 16);
	ask.charge.kind = LIMIT_CAP;
	ask.charge.tenant = 7;
	ask.charge.amount = amount;
	ask.charge.window = now - (now % DAY);
	ask.charge.window_end = ask.charge.window + DAY;
	ask.charge.name = SLICE("daily");
	return ask;
}

/* throttle_of - an ask of 1/second with that burst */
static struct ask
throttle_of(char key, int64_t amount, int64_t burst)
{
	struct ask ask = { .most = burst };

	memset(ask.charge.key, key, 16);
	ask.charge.kind = LIMIT_THROTTLE;
	ask.charge.tenant = 7;
	ask.charge.amount = amount;
	ask.charge.rate = 1;
	ask.charge.period = SECOND;
	ask.charge.name = SLICE("steady");
	return ask;
}

static int
reserve(struct claim *claim, struct ask ask, int64_t now)
{
	return ledger_reserve(ledger, claim, arena, &ask, 1, now, NULL, NULL);
}

static int
seal(struct claim *claim, struct ask ask, int64_t now)
{
	return ledger_seal(ledger, claim, arena, &ask, 1, now, NULL, NULL);
}

/* settle - the writer's part, for all charges of a sealed claim */
static void
settle(struct claim *claim, bool spent, uint64_t seq, int64_t now)
{
	struct charge charges[8];
	size_t i;

	assert_int_equal(claim->state, CLAIM_SEALED);
	for (i = 0; i < claim->n; i++)
		charges[i] = claim->asks[i].charge;
	ledger_settle(ledger, charges, claim->n, spent, seq, now);
	memset(claim, 0, sizeof(*claim));
}

/* spend - reserve, seal, settle at one moment; 1 when it fitted */
static int
spend(struct ask ask, uint64_t seq, int64_t now)
{
	struct claim claim = { 0 };
	int got = seal(&claim, ask, now);

	if (got == 1)
		settle(&claim, true, seq, now);
	return got;
}

/* expect - used and reserved as people would see them */
static void
expect(struct ask ask, int64_t now, int64_t used, int64_t reserved)
{
	struct counter_view view;

	ledger_view(ledger, &ask, now, &view);
	if (view.used != used || view.reserved != reserved)
		fail_msg("want used %lld reserved %lld, got %lld and %lld",
		    (long long)used, (long long)reserved,
		    (long long)view.used, (long long)view.reserved);
}

#define T(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
