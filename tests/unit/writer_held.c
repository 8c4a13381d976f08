/*
 * The writer and what is held: a row with its event, gone with its void; a
 * release, its charges and its row in one commit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/writer_gate.h"

static const char gauge[16] = "held:daily";

/* gauge_of - an ask of what waits for the daily cap */
static struct ask
gauge_of(int64_t amount)
{
	struct ask ask = { .most = 1000000 };

	memcpy(ask.charge.key, gauge, 16);
	ask.charge.kind = LIMIT_HELD;
	ask.charge.tenant = 7;
	ask.charge.amount = amount;
	ask.charge.name = SLICE("held:daily");
	return ask;
}

/* waiting - how much of it does */
static int64_t
waiting(void)
{
	struct ask ask = gauge_of(1);
	struct counter_view view;

	ledger_view(ledger, &ask, clock_now(), &view);
	return view.used;
}

/* row_of - as record_held makes it */
static struct held
row_of(const char *queue_id)
{
	return (struct held){ .since = clock_now(), .until = clock_now() +
		CLOCK_DAY, .tenant_id = 7, .queue_id = slice_of(queue_id),
		.tenant = SLICE("acme"), .why = SLICE("daily") };
}

/* hold - a message of that many waits; its sequence */
static uint64_t
hold(int64_t amount, const char *queue_id)
{
	struct ask ask = gauge_of(amount);
	struct held row = row_of(queue_id);
	struct mail m;
	uint64_t seq;

	mail_make(&m, 1, queue_id);
	ledger_release(ledger, &m.claim);
	assert_int_equal(ledger_seal(ledger, &m.claim, m.arena, &ask, 1,
	    clock_now(), NULL, NULL), 1);
	m.charge = m.claim.asks[0].charge;
	m.event.kind = EVENT_HOLD;
	must(writer_hold(writer, &m.event, &row, &seq, &why));
	mail_free(&m);
	return seq;
}

/* row - of that message; false: there is none */
static bool
row(uint64_t seq, struct held *h)
{
	int got = store_held_at(store, seq, arena, h, &why);

	must(got);
	return got == 1;
}

static void
a_row_comes_with_its_event_and_goes_with_its_void(void **state)
{
	uint64_t first = hold(2, "Q1"), second = hold(3, "Q2");
	struct event e = { .kind = EVENT_HOLD, .count = 1,
		.queue_id = SLICE("Q2"), .ncharges = 1 };
	struct ask ask = gauge_of(3);
	struct store_tally tally;
	struct held h;

	(void)state;
	assert_true(row(first, &h) && h.state == HELD_WAITING);
	assert_true(slice_is(h.queue_id, "Q1") && h.until == T0 + CLOCK_DAY);
	assert_int_equal(waiting(), 5);
	e.charges = &ask.charge;
	writer_void(writer, &e, second);
	stop();
	must(store_verify(dir, &tally, &why));
	assert_true(tally.held == 1 && tally.events == 3);
	start();
	assert_false(row(second, &h));
	assert_true(row(first, &h));
	assert_int_equal(waiting(), 2);
}

/* let_go - as the pacer does; the row as it is then */
static int
let_go(uint64_t seq, const char *queue_id, int64_t amount, struct held *h)
{
	struct ask cap = cap_of(amount);
	struct claim claim = { .n = 0 };
	struct charge charges[2];
	struct event e = { .kind = EVENT_RELEASE, .count = 1, .voids = seq,
		.queue_id = slice_of(queue_id), .tenant = SLICE("acme"),
		.charges = charges, .ncharges = 2 };
	struct writer_held held = { .events = &e, .rows = h, .nevents = 1,
		.nrows = 1 };

	assert_int_equal(ledger_seal(ledger, &claim, arena, &cap, 1,
	    clock_now(), NULL, NULL), 1);
	charges[0] = claim.asks[0].charge;
	charges[1] = gauge_of(-amount).charge;
	*h = row_of(queue_id);
	h->seq = seq;
	h->state = HELD_GO;
	return writer_held(writer, &held, &why);
}

static void
a_release_charges_gives_back_and_turns_the_row(void **state)
{
	uint64_t seq = hold(2, "Q1"), gone, other = hold(1, "Q2");
	struct writer_held held = { .gone = &gone, .ngone = 1 };
	struct store_tally tally;
	struct held h;
	uint64_t found;

	(void)state;
	must(let_go(seq, "Q1", 2, &h));
	assert_int_equal(spent(0), 2);
	assert_int_equal(waiting(), 1);
	assert_true(h.decision == 3 && h.decided == T0);
	/* who looks for the queue id finds the event that has all of it */
	assert_int_equal(store_by_queue_id(store, SLICE("Q1"), &found, &why),
	    1);
	assert_true(found == seq);
	/* as after a kill -9, and from the checkpoint */
	stop();
	must(store_verify(dir, &tally, &why));
	start();
	assert_int_equal(spent(0), 2);
	assert_int_equal(waiting(), 1);
	assert_true(row(seq, &h) && h.state == HELD_GO && h.decision == 3);
	gone = seq;
	must(writer_held(writer, &held, &why));
	assert_false(row(seq, &h));
	assert_true(row(other, &h));
}

static void
without_room_nothing_of_it_happened(void **state)
{
	uint64_t seq = hold(2, "Q1");
	struct held h;

	(void)state;
	disk_error = ENOSPC;
	assert_int_equal(let_go(seq, "Q1", 2, &h), -1);
	assert_int_equal(spent(0), 0);
	assert_int_equal(waiting(), 2);
	disk_error = 0;
	assert_true(row(seq, &h) && h.state == HELD_WAITING);
	assert_true(last_seq() == 1);
}

#define T(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_row_comes_with_its_event_and_goes_with_its_void),
		T(a_release_charges_gives_back_and_turns_the_row),
		T(without_room_nothing_of_it_happened),
	};

	log_open("writer_held", false, LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
