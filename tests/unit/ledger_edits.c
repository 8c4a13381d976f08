/*
 * The ledger while its limit is edited: messages of two policies, each with a
 * window of its own (an hour, six, a day), open at once and asking in any
 * order, over many midnights.  A message ends within half an hour of the edit
 * that it did not see.  Three things must hold:
 *
 *	what is reserved is what open claims hold, never less or more;
 *	what is spent is at least what was charged in windows that began
 *	since the newest policy asked first, in the window that it has;
 *	a restart from the row of a checkpoint counts the same, or more.
 *
 * ROUNDS schedules (default 50) of 3,000 steps.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "policy/ledger.h"

#define SECOND	INT64_C(1000000)
#define HOUR	(3600 * SECOND)
#define DAY	(24 * HOUR)
#define T0	(INT64_C(20000) * DAY)
#define STEPS	3000
#define CLAIMS	8
#define MOST	40

static const int64_t spans[] = { HOUR, 6 * HOUR, DAY };

struct mine {
	struct claim	claim;
	struct arena	*arena;
	uint32_t	policy;
	int64_t		span;
	int64_t		amount;
	bool		sealed;
};

static struct ledger *ledger;
static struct {
	struct mine	claims[CLAIMS];
	struct charge	events[STEPS];
	struct counter_row row;
	bool		 has;
	size_t		n;
	uint64_t	seq, dice;
	uint32_t	policy, asked;	/* the newest; the newest that asked */
	int64_t		span, since;	/* of the newest; since when it asks */
	int64_t		now, edited;
} m;

static uint64_t
roll(uint64_t below)
{
	m.dice ^= m.dice << 13;
	m.dice ^= m.dice >> 7;
	m.dice ^= m.dice << 17;
	return (m.dice >> 11) % below;
}

static struct ask
ask_of(uint32_t policy, int64_t span, int64_t amount)
{
	struct ask ask = { .most = MOST, .policy = policy };

	memset(ask.charge.key, 'a', sizeof(ask.charge.key));
	ask.charge.kind = LIMIT_CAP;
	ask.charge.tenant = 7;
	ask.charge.amount = amount;
	ask.charge.window = m.now - (m.now % span);
	ask.charge.window_end = ask.charge.window + span;
	return ask;
}

static void
forget(struct mine *c)
{
	memset(&c->claim, 0, sizeof(c->claim));
	arena_reset(c->arena);
	c->amount = 0;
	c->sealed = false;
}

/* older_open - is a message of an older policy under way? */
static bool
older_open(void)
{
	size_t i;

	for (i = 0; i < CLAIMS; i++)
		if (m.claims[i].amount > 0 && m.claims[i].policy < m.policy)
			return true;
	return false;
}

static void
step(struct mine *c)
{
	struct ask ask;

	if (c->amount > 0 && !c->sealed && c->policy < m.policy &&
	    m.now - m.edited > HOUR / 2) {
		ledger_release(ledger, &c->claim);
		forget(c);
	}
	switch (roll(8)) {
	case 0: case 1: case 2:
		if (c->sealed)
			return;
		if (c->amount == 0) {
			c->policy = m.policy;
			c->span = m.span;
		}
		ask = ask_of(c->policy, c->span, c->amount + 1 +
		    (int64_t)roll(5));
		if (c->policy > m.asked) {
			m.asked = c->policy;
			m.since = m.now;
		}
		if (ledger_reserve(ledger, &c->claim, c->arena, &ask, 1,
		    m.now, NULL, NULL) == 1)
			c->amount = ask.charge.amount;
		return;
	case 3:
		if (c->sealed || c->amount == 0)
			return;
		ask = ask_of(c->policy, c->span, c->amount);
		c->sealed = ledger_seal(ledger, &c->claim, c->arena, &ask, 1,
		    m.now, NULL, NULL) == 1;
		return;
	case 4: case 5:
		if (!c->sealed)
			return;
		m.events[m.n++] = c->claim.asks[0].charge;
		ledger_settle(ledger, &c->claim.asks[0].charge, 1, true,
		    ++m.seq, m.now);
		forget(c);
		return;
	case 6:
		if (!c->sealed) {
			ledger_release(ledger, &c->claim);
			forget(c);
		}
		return;
	default:
		m.now += (int64_t)roll(roll(4) == 0 ? 90 * 60 : 30) * SECOND;
		if (roll(12) == 0 && !older_open()) {
			m.policy++;
			m.span = spans[roll(3)];
			m.edited = m.now;
		}
	}
}

/* open_claims - what they hold, if they are of the life that goes on */
static int64_t
open_claims(void)
{
	int64_t sum = 0, start = 0;
	const struct claim *c;
	size_t i;

	for (i = 0; i < CLAIMS; i++) {
		c = &m.claims[i].claim;
		if (c->n > 0 && c->asks[0].charge.window > start &&
		    c->state != CLAIM_EXPIRED)
			start = c->asks[0].charge.window;
	}
	for (i = 0; i < CLAIMS; i++) {
		c = &m.claims[i].claim;
		if (c->n > 0 && c->state != CLAIM_EXPIRED &&
		    c->asks[0].charge.window == start)
			sum += c->asks[0].charge.amount;
	}
	return sum;
}

/* checkpoint - a round that reaches the disk */
static void
checkpoint(void)
{
	struct counter_row row;
	bool left;

	ledger_round_begin(ledger, m.seq);
	if (ledger_round_next(ledger, &row, 1, &left) == 1) {
		m.row = row;
		m.has = true;
	}
	assert_int_equal(ledger_round_next(ledger, &row, 1, &left), 0);
}

static void
judge(uint64_t seed)
{
	struct ask ask = ask_of(m.policy, m.span, 1);
	int64_t since = m.since > ask.charge.window ? m.since :
	    ask.charge.window, spent = 0;
	struct counter_view view, again;
	struct ledger *l = ledger_new();
	size_t i;

	ledger_view(ledger, &ask, m.now, &view);
	if (view.reserved != 0 && view.reserved != open_claims())
		fail_msg("seed %llu: %lld reserved, %lld held",
		    (unsigned long long)seed, (long long)view.reserved,
		    (long long)open_claims());
	for (i = 0; i < m.n; i++)
		if (m.asked == m.policy && m.events[i].window >= since)
			spent += m.events[i].amount;
	if (view.used < spent)
		fail_msg("seed %llu: %lld used, %lld spent",
		    (unsigned long long)seed, (long long)view.used,
		    (long long)spent);
	checkpoint();
	if (m.has)
		assert_int_equal(ledger_load(l, &m.row), 0);
	ledger_view(l, &ask, m.now, &again);
	if (again.used < view.used)
		fail_msg("seed %llu: %lld used, %lld after a restart",
		    (unsigned long long)seed, (long long)view.used,
		    (long long)again.used);
	ledger_free(l);
}

static void
whoever_asks_in_whatever_order_nothing_is_lost(void **state)
{
	const char *rounds = getenv("ROUNDS");
	long i, n = rounds != NULL ? atol(rounds) : 50;
	struct counter_view view;
	struct ask ask;
	size_t j, k;

	(void)state;
	for (j = 0; j < CLAIMS; j++)
		m.claims[j].arena = arena_new(4096, 0);
	for (i = 1; i <= n; i++) {
		ledger_free(ledger);
		ledger = ledger_new();
		m.n = 0;
		m.has = false;
		m.seq = 0;
		m.policy = 1;
		m.span = HOUR;
		m.now = m.since = m.edited = T0;
		m.asked = 0;
		m.dice = (uint64_t)i * UINT64_C(0x9e3779b97f4a7c15) + 1;
		for (k = 0; k < STEPS; k++) {
			step(&m.claims[roll(CLAIMS)]);
			if (k % 50 == 49)
				judge((uint64_t)i);
		}
		for (j = 0; j < CLAIMS; j++) {
			ledger_release(ledger, &m.claims[j].claim);
			forget(&m.claims[j]);
		}
		ask = ask_of(m.policy, m.span, 1);
		ledger_view(ledger, &ask, m.now, &view);
		assert_true(view.reserved == 0);
	}
	ledger_free(ledger);
	for (j = 0; j < CLAIMS; j++)
		arena_free(m.claims[j].arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    whoever_asks_in_whatever_order_nothing_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
