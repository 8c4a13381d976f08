/*
 * What the writer writes beside mail: refusals, checkpoints, reloads, its word
 * about itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "milter/repeat.h"
#include "tests/unit/writer_gate.h"

/* --- refusals ------------------------------------------------------------- */

/* note - a refusal by that limit */
static void
note(const char *tenant, const char *limit, const char *rule)
{
	struct event e = { .kind = EVENT_DEFER, .verdict = VERDICT_DEFER,
		.stage = STAGE_RCPT, .count = 1, .tenant = slice_of(tenant),
		.limit = slice_of(limit), .rule = slice_of(rule),
		.queue_id = SLICE("Q7"), .login = SLICE("acme"),
		.recipients = &bob, .nrecipients = 1 };

	writer_note(writer, &e);
}

static void
repeats_within_a_minute_are_one_record(void **state)
{
	struct event e;
	int i;

	(void)state;
	for (i = 0; i < 1000; i++)
		note("acme", "hourly", "acme.conf:3");
	note("other", "hourly", "acme.conf:3");
	note("acme", "daily", "acme.conf:3");
	note("acme", "hourly", "acme.conf:9");
	must(send_one(1));
	/* the next minute begins anew */
	clock_set(T0 + CLOCK_MINUTE);
	note("acme", "hourly", "acme.conf:3");
	note("acme", "hourly", "acme.conf:3");
	stop();
	start();
	/* four firsts, one of mail, the count, a first, a count */
	assert_true(last_seq() == 8);
	for (i = 1; i <= 8; i++) {
		e = event((uint64_t)i);
		if (e.kind == EVENT_ACCEPT || e.count == 1)
			continue;
		assert_true(e.kind == EVENT_DEFER && e.stage == STAGE_RCPT);
		assert_int_equal(e.count, 999);
		assert_true(slice_is(e.tenant, "acme") &&
		    slice_is(e.limit, "hourly") && slice_is(e.login, "acme"));
		/* what belonged to the first one alone is not told of all */
		assert_true(e.queue_id.n == 0 && e.nrecipients == 0);
		break;
	}
	assert_true(i <= 8);
}

static void
a_flood_of_refusals_holds_nobody_and_is_counted(void **state)
{
	struct status status = { .pid = 1 }, got;
	struct event e, load = { .kind = EVENT_RELOAD, .count = 1 };
	uint64_t noted = 0, lost = 0;
	char rule[32];
	int64_t began;

	(void)state;
	must(writer_reload(writer, &status, &load, NULL, NULL, &why));
	disk_hold(true);
	note("first", "", "");
	disk_await();
	began = clock_mono();
	for (int i = 0; i < 70000; i++) {
		snprintf(rule, sizeof(rule), "acme.conf:%d", i);
		note("acme", "hourly", rule);
	}
	assert_true(clock_mono() - began < 5 * CLOCK_SECOND);
	disk_hold(false);
	stop();
	start();
	for (uint64_t seq = 1; seq <= last_seq(); seq++) {
		arena_reset(arena);
		e = event(seq);
		if (e.kind == EVENT_STATUS)
			lost += e.count;
		else if (e.kind == EVENT_DEFER)
			noted += e.count;
	}
	if (noted + lost != 70001 || lost < 4000)
		fail_msg("got %llu noted, %llu lost", (unsigned long long)noted,
		    (unsigned long long)lost);
	arena_reset(arena);
	assert_int_equal(store_status(store, &got, arena, &why), 1);
	assert_true(got.deferred == 70001);
}

/* sum - what repeats_flush says */
static void
sum(void *with, const struct event *e)
{
	*(uint64_t *)with += e->count;
}

static void
the_table_of_repeats_is_bounded(void **state)
{
	struct repeats *r = repeats_new();
	struct event e = { .kind = EVENT_REFUSE };
	uint64_t counted = 0;
	char limit[16];
	int i;

	(void)state;
	for (int round = 0; round < 3; round++)
		for (i = 0; i < REPEAT_MAX + 100; i++) {
			snprintf(limit, sizeof(limit), "l%d", i);
			e.limit = slice_of(limit);
			assert_int_equal(repeats_count(r, &e),
			    round > 0 && i < REPEAT_MAX);
		}
	repeats_flush(r, sum, &counted);
	assert_true(counted == 2 * REPEAT_MAX);
	assert_true(repeats_empty(r));
	counted = 0;
	repeats_flush(r, sum, &counted);
	assert_true(counted == 0);
	repeats_free(r);
}

/* --- checkpoint, policy, status ------------------------------------------- */

struct found {
	uint64_t rows, highest;
};

/* find - callback of store_counters */
static bool
find(void *with, const struct counter_row *row)
{
	struct found *f = with;

	f->rows++;
	if (row->seq > f->highest)
		f->highest = row->seq;
	return true;
}

/* send_wide - a message that is charged to fifty counters of its own */
static void
send_wide(int n)
{
	struct charge charges[50];
	struct ask asks[50];
	struct mail m;

	mail_make(&m, 1, "Q");
	ledger_release(ledger, &m.claim);
	for (int i = 0; i < 50; i++) {
		int number = n * 50 + i;

		asks[i] = cap_of(1);
		memcpy(asks[i].charge.key, &number, sizeof(number));
		charges[i] = asks[i].charge;
	}
	assert_int_equal(ledger_seal(ledger, &m.claim, m.arena, asks, 50,
	    clock_now(), NULL, NULL), 1);
	m.event.charges = charges;
	m.event.ncharges = 50;
	if (mail_send(&m) == -1)
		fail_msg("%s", m.why.text);
	mail_free(&m);
}

static void
the_last_checkpoint_is_complete(void **state)
{
	struct found found = { 0 };
	struct store_tally tally;
	uint64_t checkpoint;

	(void)state;
	/* more counters than a slice has */
	for (int i = 0; i < 50; i++)
		send_wide(i);
	stop();
	must(store_verify(dir, &tally, &why));
	assert_true(tally.checkpoint == 50 && tally.counters == 2500);
	start();
	must(store_counters(store, &checkpoint, find, &found, &why));
	assert_true(checkpoint == 50 && found.rows == 2500 &&
	    found.highest <= 50);
	/* nothing new: the next one needs none */
	stop();
	start();
	must(store_counters(store, &checkpoint, find, &found, &why));
	assert_true(checkpoint == 50);
}

/* two_forms - what a reload leaves for later starts */
static bool
two_forms(void *with, struct store *s)
{
	struct why ignored;

	(void)with;
	store_put_form(s, SLICE("a.conf"), SLICE("tenant \"a\" {}"), &ignored);
	store_put_form(s, SLICE("b.conf"), SLICE("tenant \"b\" {}"), &ignored);
	return false;
}

/* too_much - more than there is room for; the failure is overlooked */
static bool
too_much(void *with, struct store *s)
{
	static char text[1 << 20];
	struct why ignored;
	char path[32];

	(void)with;
	for (int i = 0; i < 300; i++) {
		snprintf(path, sizeof(path), "%d.conf", i);
		store_put_form(s, slice_of(path),
		    (struct slice){ text, sizeof(text) }, &ignored);
	}
	return false;
}

struct slices {
	int		 put;
	uint64_t	 recorded;	/* events, before the last slice */
};

/* three_slices - a form each */
static bool
three_slices(void *with, struct store *s)
{
	struct slices *slices = with;
	struct why ignored;
	char path[32];

	snprintf(path, sizeof(path), "s%d.conf", ++slices->put);
	store_put_form(s, slice_of(path), SLICE("x"), &ignored);
	slices->recorded += last_seq();
	return slices->put < 3;
}

static void
the_record_comes_with_the_last_slice_of_forms(void **state)
{
	struct status status = { .pid = 9, .generation = 1 }, got;
	struct event e = { .kind = EVENT_RELOAD, .count = 1 };
	struct slice text;
	struct slices slices = { 0, 0 };

	(void)state;
	must(writer_reload(writer, &status, &e, three_slices, &slices, &why));
	assert_true(slices.put == 3 && slices.recorded == 0);
	assert_true(event(1).kind == EVENT_RELOAD && last_seq() == 1);
	assert_int_equal(store_status(store, &got, arena, &why), 1);
	assert_true(got.generation == 1);
	for (const char *const *p = (const char *const []){ "s1.conf",
	    "s2.conf", "s3.conf", NULL }; *p != NULL; p++)
		assert_int_equal(store_form(store, slice_of(*p), arena, &text,
		    &why), 1);
	must(send_one(1));
	assert_true(last_seq() == 2);
}

static void
a_reload_is_event_status_and_forms_at_once(void **state)
{
	struct status status = { .pid = 9, .generation = 1,
		.text = SLICE("first"), .version = SLICE("0.1") }, got;
	struct event e = { .kind = EVENT_RELOAD, .count = 1,
		.text = SLICE("first") };
	struct slice text;

	(void)state;
	must(writer_reload(writer, &status, &e, two_forms, NULL, &why));
	assert_true(event(1).kind == EVENT_RELOAD);
	assert_int_equal(store_status(store, &got, arena, &why), 1);
	assert_true(got.generation == 1 && slice_is(got.text, "first"));
	assert_int_equal(store_form(store, SLICE("b.conf"), arena, &text,
	    &why), 1);
	status.generation = 2;
	assert_int_equal(writer_reload(writer, &status, &e, too_much, NULL,
	    &why), -1);
	assert_int_equal(why.kind, WHY_NOROOM);
	assert_int_equal(store_form(store, SLICE("0.conf"), arena, &text,
	    &why), 0);
	/* mail does not suffer, and the status says it a little later */
	must(send_one(1));
	assert_true(last_seq() == 2);
}

static void
the_status_counts(void **state)
{
	struct status status = { .pid = 9, .started = T0 }, got;
	struct event e = { .kind = EVENT_RELOAD, .count = 1 };

	(void)state;
	must(writer_reload(writer, &status, &e, NULL, NULL, &why));
	must(send_one(1));
	must(send_one(1));
	note("acme", "hourly", "acme.conf:3");
	note("acme", "hourly", "acme.conf:3");
	note("acme", "hourly", "acme.conf:3");
	disk_error = ENOSPC;
	assert_int_equal(send_one(1), -1);
	disk_error = 0;
	until(alive, "room");
	clock_set(T0 + 5 * CLOCK_SECOND);
	writer_draining(writer);
	stop();
	start();
	assert_int_equal(store_status(store, &got, arena, &why), 1);
	assert_true(got.accepted == 2 && got.deferred == 3 &&
	    got.failed == 1);
	assert_true(got.draining == 1 && got.pid == 9);
	assert_true(got.heartbeat == T0 + 5 * CLOCK_SECOND);
}

static void
a_writer_starts_where_the_ledger_stands(void **state)
{
	uint64_t applied;

	(void)state;
	must(send_one(1));
	writer_stop(writer);
	writer = NULL;
	assert_int_equal(writer_start(&writer, store, ledger, 0, &why), -1);
	assert_non_null(strstr(why.text, "stand at event 0"));
	ledger_free(ledger);
	ledger = ledger_new();
	must(ledger_restore(ledger, store, &applied, &why));
	assert_true(applied == 1);
	must(writer_start(&writer, store, ledger, applied, &why));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(repeats_within_a_minute_are_one_record),
		T(a_flood_of_refusals_holds_nobody_and_is_counted),
		T(the_table_of_repeats_is_bounded),
		T(the_last_checkpoint_is_complete),
		T(a_reload_is_event_status_and_forms_at_once),
		T(the_record_comes_with_the_last_slice_of_forms),
		T(the_status_counts),
		T(a_writer_starts_where_the_ledger_stands),
	};

	log_open("unit", false, LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
