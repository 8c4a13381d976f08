/*
 * Many threads against one counter, with the writer and its rounds between
 * them: what is accepted is what may be, to the last recipient.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "policy/ledger.h"

#define NOW	(INT64_C(20000) * 86400 * 1000000)
#define THREADS	8
#define TRIES	400
#define CAP	1000

static struct {
	struct ledger	*ledger;
	pthread_mutex_t	 lock;		/* the writer is one */
	uint64_t	 seq;
	enum limit_kind	 kind;
	unsigned	 accepted;
} t = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* one_message - four recipients, then the end, or not */
static void
one_message(struct arena *arena, unsigned *dice)
{
	struct claim claim = { 0 };
	struct charge charge;
	struct ask ask = { .most = CAP }, one;
	int i;

	memset(ask.charge.key, 'a', sizeof(ask.charge.key));
	ask.charge.kind = (uint8_t)t.kind;
	ask.charge.tenant = 1;
	if (t.kind == LIMIT_CAP)
		ask.charge.window_end = INT64_MAX;
	one = ask;
	one.charge.amount = 1;
	for (i = 0; i < 4; i++) {
		if (ledger_more(t.ledger, &claim, arena, &one, 1, NOW, NULL,
		    NULL) != 1)
			break;
		ask.charge.amount = i + 1;
	}
	if (ask.charge.amount == 0 || rand_r(dice) % 4 == 0 ||
	    ledger_seal(t.ledger, &claim, arena, &ask, 1, NOW, NULL,
	    NULL) != 1) {
		ledger_release(t.ledger, &claim);
		return;
	}
	charge = claim.asks[0].charge;
	pthread_mutex_lock(&t.lock);
	ledger_settle(t.ledger, &charge, 1, true, ++t.seq, NOW);
	t.accepted += (unsigned)charge.amount;
	pthread_mutex_unlock(&t.lock);
}

static void *
sender(void *with)
{
	unsigned dice = *(unsigned *)with;
	struct arena *arena = arena_new(4096, 0);
	int i;

	for (i = 0; i < TRIES; i++) {
		one_message(arena, &dice);
		arena_reset(arena);
	}
	arena_free(arena);
	return NULL;
}

/* writer - rounds and sweeps while mail goes through */
static void *
writer(void *with)
{
	struct counter_row rows[4];
	uint8_t dropped[4][16];
	bool left;
	int i;

	(void)with;
	for (i = 0; i < TRIES; i++) {
		pthread_mutex_lock(&t.lock);
		ledger_round_begin(t.ledger, t.seq);
		(void)ledger_round_next(t.ledger, rows, 4, &left);
		if (i % 3 == 0)
			ledger_round_failed(t.ledger);
		pthread_mutex_unlock(&t.lock);
		(void)ledger_sweep(t.ledger, NOW, dropped, 4);
	}
	return NULL;
}

/* race - eight senders and the writer; what was accepted */
static unsigned
race(enum limit_kind kind)
{
	pthread_t threads[THREADS + 1];
	unsigned seeds[THREADS];
	unsigned i;

	t.ledger = ledger_new();
	t.kind = kind;
	t.accepted = 0;
	for (i = 0; i < THREADS; i++) {
		seeds[i] = i + 1;
		assert_int_equal(pthread_create(&threads[i], NULL, sender,
		    &seeds[i]), 0);
	}
	assert_int_equal(pthread_create(&threads[i], NULL, writer, NULL), 0);
	for (i = 0; i <= THREADS; i++)
		(void)pthread_join(threads[i], NULL);
	ledger_free(t.ledger);
	return t.accepted;
}

static void
eight_threads_get_exactly_the_cap(void **state)
{
	(void)state;
	assert_int_equal(race(LIMIT_CAP), CAP);
}

static void
eight_threads_open_exactly_so_much(void **state)
{
	(void)state;
	assert_int_equal(race(LIMIT_OPEN), CAP);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(eight_threads_get_exactly_the_cap),
		cmocka_unit_test(eight_threads_open_exactly_so_much),
	};

	return cmocka_run_group_tests_name("ledger_threads", tests, NULL,
	    NULL);
}
