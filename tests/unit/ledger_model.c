/*
 * The ledger against a model so plain that it cannot be wrong: every charge
 * ever settled in one list, every claim in one array, all sums made anew each
 * time.  Random schedules of everything that can happen, crash and restart
 * included.  Many threads are ledger_threads.c's.
 *
 * ROUNDS schedules (default 50) of 2,000 steps.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/hash.h"
#include "policy/ledger.h"
#include "policy/rate.h"

#define SECOND	INT64_C(1000000)
#define STEPS	2000
#define COUNTERS 7
#define CLAIMS	10
#define SPENT	(STEPS + 8)

static const struct kind {
	enum limit_kind	kind;
	int64_t		most;
	int64_t		span;		/* cap: window; throttle: period */
	int64_t		rate;
	bool		shared;
} kinds[COUNTERS] = {
	{ LIMIT_CAP, 40, 60 * SECOND, 0, false },
	{ LIMIT_CAP, 25, 7 * SECOND, 0, false },
	{ LIMIT_CAP, 60, 900 * SECOND, 0, true },
	{ LIMIT_THROTTLE, 10, 60 * SECOND, 30, false },
	{ LIMIT_THROTTLE, 20, 3600 * SECOND, 200, false },
	{ LIMIT_THROTTLE, 1000, SECOND, 999, true },
	{ LIMIT_OPEN, 30, 0, 0, false },
};

struct spent {				/* an event on disk */
	uint64_t	seq;
	int64_t		time;
	bool		back;		/* a void */
	bool		voided;
	bool		acked;
	size_t		n;
	struct charge	charges[COUNTERS];
};

struct mine {				/* a claim and what the model knows */
	struct claim	claim;
	struct arena	*arena;
	uint64_t	tenant;
	int64_t		amount[COUNTERS], window[COUNTERS];
	int64_t		touched;
	enum { NONE, HELD, GONE, SEALED } state;
};

static struct {
	struct ledger	*ledger;
	struct mine	claims[CLAIMS];
	struct spent	*spent;
	size_t		 nspent;
	uint64_t	 seq, checkpoint;
	struct counter_row rows[COUNTERS];
	bool		 has[COUNTERS];
	int64_t		 now;
	uint64_t	 dice, seed;
	unsigned	 step;
	uint64_t	 taken, refused, anew;
	int64_t		 finals;	/* of the open counter */
	/* exact throttles: units times the period */
	__int128	 level[COUNTERS];
	int64_t		 as_of[COUNTERS];
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
ask_of(int k, uint64_t tenant, int64_t amount)
{
	const struct kind *kind = &kinds[k];
	struct ask ask = { .most = kind->most };

	memset(ask.charge.key, 'a' + k, 16);
	ask.charge.kind = (uint8_t)kind->kind;
	ask.charge.shared = kind->shared;
	ask.charge.tenant = tenant;
	ask.charge.amount = amount;
	if (kind->kind == LIMIT_CAP) {
		ask.charge.window = m.now - (m.now % kind->span);
		ask.charge.window_end = ask.charge.window + kind->span;
		if (kind->shared)
			ask.inflight = kind->most / 4;
	} else if (kind->kind == LIMIT_THROTTLE) {
		ask.charge.rate = kind->rate;
		ask.charge.period = kind->span;
	}
	return ask;
}

static int
of_key(const struct charge *charge)
{
	return charge->key[0] - 'a';
}

/* counted - what the list says was spent of a cap in that window */
static int64_t
counted(int k, int64_t window, bool acked_only)
{
	const struct spent *s;
	int64_t sum = 0;
	size_t i, j;

	for (i = 0; i < m.nspent; i++) {
		s = &m.spent[i];
		if (s->back || s->voided || (acked_only && !s->acked))
			continue;
		for (j = 0; j < s->n; j++)
			if (of_key(&s->charges[j]) == k &&
			    s->charges[j].window == window)
				sum += s->charges[j].amount;
	}
	return sum;
}

/* finals - as outcomes would say; also of what was voided meanwhile */
static int64_t
finals(void *with, const uint8_t key[16])
{
	(void)with;
	return key[0] - 'a' == COUNTERS - 1 ? m.finals : 0;
}

/* under_way - what is spent of an open limit and not final */
static int64_t
under_way(int k)
{
	int64_t all = counted(k, 0, false);

	return all > m.finals ? all - m.finals : 0;
}

/* arrive - some of what was accepted becomes final */
static void
arrive(void)
{
	int64_t most = counted(COUNTERS - 1, 0, true);

	if (m.finals < most)
		m.finals += 1 + (int64_t)roll((uint64_t)(most - m.finals));
}

/* held - what open claims hold; of one tenant, or of all (0) */
static int64_t
held(int k, int64_t window, uint64_t tenant, const struct mine *but)
{
	const struct mine *c;
	int64_t sum = 0;
	size_t i;

	for (i = 0; i < CLAIMS; i++) {
		c = &m.claims[i];
		if (c == but || (c->state != HELD && c->state != SEALED) ||
		    (tenant != 0 && c->tenant != tenant))
			continue;
		if (kinds[k].kind == LIMIT_CAP && c->window[k] != window)
			continue;
		sum += c->amount[k];
	}
	return sum;
}

static void
leak(int k)
{
	m.level[k] -= (__int128)kinds[k].rate * (m.now - m.as_of[k]);
	if (m.level[k] < 0)
		m.level[k] = 0;
	m.as_of[k] = m.now;
}

static void
expire(void)
{
	size_t i;

	for (i = 0; i < CLAIMS; i++)
		if (m.claims[i].state == HELD &&
		    m.now - m.claims[i].touched >= LEDGER_IDLE)
			m.claims[i].state = GONE;
}

/* would_fit - the model's word: 1, 0, or -1 when rounding may decide */
static int
would_fit(const struct mine *c, int k, int64_t amount)
{
	int64_t window = ask_of(k, 1, 0).charge.window, mine = 0, need, slack;
	__int128 room;

	if (c->state == HELD && (kinds[k].kind != LIMIT_CAP ||
	    c->window[k] == window))
		mine = c->amount[k];
	need = amount - mine;
	if (need <= 0)
		return 1;
	if (kinds[k].kind == LIMIT_CAP) {
		if (counted(k, window, false) + held(k, window, 0, c) + mine +
		    need > kinds[k].most)
			return 0;
		return !kinds[k].shared || held(k, window, c->tenant, c) +
		    mine + need <= kinds[k].most / 4;
	}
	if (kinds[k].kind == LIMIT_OPEN)
		return under_way(k) + held(k, 0, 0, c) + mine + need <=
		    kinds[k].most;
	leak(k);
	room = ((__int128)kinds[k].most - held(k, 0, 0, c) - mine - need) *
	    kinds[k].span - m.level[k];
	if (room < 0)
		return 0;
	/* one us of leak and a millionth per step at most, against him */
	slack = (int64_t)STEPS * 2 * (kinds[k].rate + kinds[k].span /
	    RATE_UNIT + 1);
	return room >= slack ? 1 : -1;
}

/* become - reserve or seal, and compare */
static void
become(struct mine *c, const int64_t amount[COUNTERS], bool seal)
{
	struct ask asks[COUNTERS];
	struct shortfall lacks[COUNTERS];
	size_t n = 0, nlacks;
	int k, fit, want = 1, got;

	expire();
	for (k = 0; k < COUNTERS; k++) {
		if (amount[k] == 0)
			continue;
		asks[n++] = ask_of(k, c->tenant, amount[k]);
		fit = would_fit(c, k, amount[k]);
		if (fit == 0)
			want = 0;
		else if (fit == -1 && want == 1)
			want = -1;
	}
	got = seal ? ledger_seal(m.ledger, &c->claim, c->arena, asks, n, m.now,
	    lacks, &nlacks) : ledger_reserve(m.ledger, &c->claim, c->arena,
	    asks, n, m.now, lacks, &nlacks);
	if (want != -1 && got != want)
		fail_msg("seed %llu step %u: want %d, got %d",
		    (unsigned long long)m.seed, m.step, want, got);
	if (got != 1) {
		assert_int_equal(got, 0);
		assert_true(nlacks > 0);
		m.refused++;
		return;
	}
	m.taken++;
	c->state = seal ? SEALED : HELD;
	c->touched = m.now;
	for (k = 0; k < COUNTERS; k++) {
		c->amount[k] = amount[k];
		c->window[k] = ask_of(k, 1, 0).charge.window;
	}
}

/* become_more - only what is more; false: part of the claim is gone */
static bool
become_more(struct mine *c, const int64_t amount[COUNTERS])
{
	struct ask asks[COUNTERS];
	struct shortfall lacks[COUNTERS];
	size_t n = 0, nlacks;
	int k, fit, want = 1, got;
	bool gone = false;

	expire();
	for (k = 0; k < COUNTERS; k++) {
		if (amount[k] == c->amount[k])
			continue;
		asks[n] = ask_of(k, c->tenant, amount[k] - c->amount[k]);
		gone = gone || (kinds[k].kind == LIMIT_CAP &&
		    c->amount[k] > 0 &&
		    c->window[k] != asks[n].charge.window);
		n++;
		fit = would_fit(c, k, amount[k]);
		if (fit == 0)
			want = 0;
		else if (fit == -1 && want == 1)
			want = -1;
	}
	if (c->state == GONE || gone)
		want = LEDGER_ANEW;
	got = ledger_more(m.ledger, &c->claim, c->arena, asks, n, m.now,
	    lacks, &nlacks);
	if (want != -1 && got != want)
		fail_msg("seed %llu step %u: more: want %d, got %d",
		    (unsigned long long)m.seed, m.step, want, got);
	if (got == LEDGER_ANEW) {
		m.anew++;
		return false;
	}
	if (got != 1) {
		assert_true(nlacks > 0);
		m.refused++;
		return true;
	}
	m.taken++;
	c->state = HELD;
	c->touched = m.now;
	for (k = 0; k < COUNTERS; k++) {
		if (amount[k] != c->amount[k])
			c->window[k] = ask_of(k, 1, 0).charge.window;
		c->amount[k] = amount[k];
	}
	return true;
}

static void
forget(struct mine *c)
{
	memset(&c->claim, 0, sizeof(c->claim));
	arena_reset(c->arena);
	memset(c->amount, 0, sizeof(c->amount));
	c->state = NONE;
}

/* more - one recipient more, in some of the limits */
static void
more(struct mine *c)
{
	int64_t amount[COUNTERS];
	int k;

	if (c->state == SEALED)
		return;
	if (c->state == NONE)
		c->tenant = 1 + roll(3);
	memcpy(amount, c->amount, sizeof(amount));
	for (k = 0; k < COUNTERS; k++)
		if (roll(3) > 0)
			amount[k] += 1 + (int64_t)roll(3);
	if (roll(2) == 0 && become_more(c, amount))
		return;
	become(c, amount, false);
}

/* end - seal; now and then with bytes that differ from those declared */
static void
end(struct mine *c)
{
	int64_t amount[COUNTERS];

	if (c->state != HELD && c->state != GONE)
		return;
	memcpy(amount, c->amount, sizeof(amount));
	if (roll(3) == 0)
		amount[5] = (int64_t)roll(100);
	become(c, amount, true);
}

/* commit - the event is on disk; settled, unless we crash right here */
static void
commit(struct mine *c, bool crash)
{
	struct spent *s;
	size_t i;
	int k;

	if (c->state != SEALED || m.nspent == SPENT)
		return;
	s = &m.spent[m.nspent++];
	memset(s, 0, sizeof(*s));
	s->seq = ++m.seq;
	s->time = m.now;
	s->n = c->claim.n;
	s->acked = !crash;
	for (i = 0; i < s->n; i++) {
		s->charges[i] = c->claim.asks[i].charge;
		k = of_key(&s->charges[i]);
		if (kinds[k].kind != LIMIT_THROTTLE)
			continue;
		leak(k);
		m.level[k] += (__int128)s->charges[i].amount * kinds[k].span;
	}
	if (!crash)
		ledger_settle(m.ledger, s->charges, s->n, true, s->seq, m.now);
	forget(c);
}

static void
drop(struct mine *c)
{
	struct charge charges[COUNTERS];
	size_t i;

	if (c->state == SEALED && roll(2) == 0) {
		for (i = 0; i < c->claim.n; i++)
			charges[i] = c->claim.asks[i].charge;
		ledger_settle(m.ledger, charges, c->claim.n, false, 0, m.now);
	} else
		ledger_release(m.ledger, &c->claim);
	forget(c);
}

/* take_back - void one of the last events, at once */
static void
take_back(void)
{
	struct spent *s, *v;
	size_t j;
	int k;

	if (m.nspent == 0 || m.nspent == SPENT)
		return;
	s = &m.spent[m.nspent - 1];
	if (s->back || s->voided || s->time != m.now)
		return;
	s->voided = true;
	v = &m.spent[m.nspent++];
	*v = *s;
	v->back = true;
	v->seq = ++m.seq;
	for (j = 0; j < v->n; j++) {
		k = of_key(&v->charges[j]);
		if (kinds[k].kind != LIMIT_THROTTLE)
			continue;
		m.level[k] -= (__int128)v->charges[j].amount * kinds[k].span;
		if (m.level[k] < 0)
			m.level[k] = 0;
	}
	ledger_void(m.ledger, v->charges, v->n, v->seq, m.now);
}

/* round_some - a checkpoint, cut into slices with mail in between */
static void
round_some(void)
{
	struct counter_row rows[2];
	uint64_t seq = m.seq;
	size_t i, n;
	bool left = true;
	int k;

	ledger_round_begin(m.ledger, seq);
	while (left) {
		n = ledger_round_next(m.ledger, rows, 1 + roll(2), &left);
		if (roll(8) == 0) {
			ledger_round_failed(m.ledger);
			return;
		}
		for (i = 0; i < n; i++) {
			k = rows[i].key[0] - 'a';
			m.rows[k] = rows[i];
			m.has[k] = true;
		}
		end(&m.claims[roll(CLAIMS)]);
		commit(&m.claims[roll(CLAIMS)], false);
	}
	m.checkpoint = seq;
}

static void
sweep(void)
{
	uint8_t dropped[COUNTERS][16];
	size_t i, n;
	int turn;

	expire();
	for (turn = 0; turn < 256; turn++) {
		n = ledger_sweep(m.ledger, m.now, dropped, COUNTERS);
		for (i = 0; i < n; i++)
			m.has[dropped[i][0] - 'a'] = false;
	}
}

/* restart - kill -9: rows and events are all there is */
static void
restart(void)
{
	struct counter_view view;
	const struct spent *s;
	struct ask ask;
	int64_t want;
	size_t i;
	int k;

	ledger_free(m.ledger);
	m.ledger = ledger_new();
	assert_non_null(m.ledger);
	ledger_finals(m.ledger, finals, NULL);
	for (i = 0; i < CLAIMS; i++)
		forget(&m.claims[i]);
	for (k = 0; k < COUNTERS; k++)
		if (m.has[k])
			assert_int_equal(ledger_load(m.ledger, &m.rows[k]), 0);
	for (i = 0; i < m.nspent; i++) {
		s = &m.spent[i];
		if (s->seq > m.checkpoint)
			assert_int_equal(ledger_replay(m.ledger, s->charges,
			    s->n, s->back, s->seq, s->time), 0);
	}
	for (k = 0; k < COUNTERS; k++) {
		ask = ask_of(k, 1, 1);
		ledger_view(m.ledger, &ask, m.now, &view);
		if (kinds[k].kind == LIMIT_CAP)
			want = counted(k, ask.charge.window, false);
		else if (kinds[k].kind == LIMIT_OPEN)
			want = under_way(k);
		else {
			leak(k);
			want = (int64_t)(m.level[k] / kinds[k].span);
		}
		if (view.used < want || (kinds[k].kind != LIMIT_THROTTLE &&
		    view.used != want))
			fail_msg("seed %llu step %u: after a restart counter "
			    "%d says %lld, %lld were spent",
			    (unsigned long long)m.seed, m.step, k,
			    (long long)view.used, (long long)want);
	}
}

static void
pass_time(void)
{
	static const int64_t by[] = { 1, 1000, SECOND / 3, SECOND, 5 * SECOND,
		30 * SECOND, 119 * SECOND, 121 * SECOND, 700 * SECOND };

	m.now += (int64_t)roll((uint64_t)by[roll(sizeof(by) /
	    sizeof(by[0]))]) + 1;
}

/* never_above - in no window was more spent than the cap */
static void
never_above(void)
{
	const struct charge *charge;
	size_t i, j;
	int k;

	for (i = 0; i < m.nspent; i++) {
		for (j = 0; j < m.spent[i].n; j++) {
			charge = &m.spent[i].charges[j];
			k = of_key(charge);
			if (kinds[k].kind == LIMIT_CAP &&
			    counted(k, charge->window, true) > kinds[k].most)
				fail_msg("seed %llu: cap %d has %lld of %lld",
				    (unsigned long long)m.seed, k,
				    (long long)counted(k, charge->window,
				    true), (long long)kinds[k].most);
		}
	}
}

static void
schedule(uint64_t seed)
{
	struct mine *c;
	size_t i;

	m.nspent = 0;
	m.seq = m.checkpoint = 0;
	m.finals = 0;
	memset(m.has, 0, sizeof(m.has));
	memset(m.level, 0, sizeof(m.level));
	m.seed = seed;
	m.dice = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	m.now = INT64_C(20000) * 86400 * SECOND;
	for (i = 0; i < COUNTERS; i++)
		m.as_of[i] = m.now;
	m.ledger = ledger_new();
	ledger_finals(m.ledger, finals, NULL);
	for (m.step = 0; m.step < STEPS; m.step++) {
		c = &m.claims[roll(CLAIMS)];
		switch (roll(16)) {
		case 0: case 1: case 2: case 3: case 4: case 5:
			more(c);
			break;
		case 6: case 7:
			end(c);
			break;
		case 8: case 9:
			commit(c, false);
			break;
		case 10:
			drop(c);
			break;
		case 11: case 12:
			pass_time();
			if (roll(2) == 0)
				arrive();
			break;
		case 13:
			commit(c, false);
			take_back();
			break;
		case 14:
			round_some();
			break;
		default:
			if (roll(4) == 0)
				sweep();
			else if (roll(4) == 0) {
				if (roll(2) == 0)
					commit(c, true);
				restart();
			}
		}
	}
	never_above();
	ledger_free(m.ledger);
	for (i = 0; i < CLAIMS; i++)
		forget(&m.claims[i]);
}

static void
it_says_what_the_plain_model_says(void **state)
{
	const char *rounds = getenv("ROUNDS");
	long i, n = rounds != NULL ? atol(rounds) : 50;
	size_t j;

	(void)state;
	m.spent = calloc(SPENT, sizeof(*m.spent));
	for (j = 0; j < CLAIMS; j++)
		m.claims[j].arena = arena_new(4096, 0);
	for (i = 1; i <= n; i++)
		schedule((uint64_t)i);
	print_message("%llu taken, %llu refused, %llu anew\n",
	    (unsigned long long)m.taken, (unsigned long long)m.refused,
	    (unsigned long long)m.anew);
	/* a test that never refuses, or never takes, shows nothing */
	assert_true(m.taken > (uint64_t)n * 50 && m.refused > (uint64_t)n * 50);
	for (j = 0; j < CLAIMS; j++)
		arena_free(m.claims[j].arena);
	free(m.spent);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_says_what_the_plain_model_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
