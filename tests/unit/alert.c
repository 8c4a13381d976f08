/*
 * penstock-alert by its parts: what is too old goes by the clock and the
 * settings, a clock that is years ahead takes nothing, a store that is not the
 * one it was stops the counting and not the program.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "reputation/rollup.h"
#include "tools/alert/count.h"

#define MAP	(UINT64_C(64) << 20)
#define DAY	CLOCK_DAY
#define D0	20600
#define NOW	(D0 * DAY + 7 * CLOCK_HOUR)

static char folder[64], dir[2][96];
static struct config config;
static struct store *gate;
static struct alert alert;
static struct count *count;
static struct why why;

/* must - or the reason */
static void
must(int rc)
{
	if (rc == -1)
		fail_msg("%s", why.text);
}

/* wipe - the files of a store */
static void
wipe(const char *at)
{
	static const char *const files[] = { "data.mdb", "lock.mdb",
		"owner.lock" };
	char path[160];

	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", at, files[i]);
		unlink(path);
	}
	rmdir(at);
}

static int
setup(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/penstock-alert.XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(dir[0], sizeof(dir[0]), "%s/gate", folder);
	snprintf(dir[1], sizeof(dir[1]), "%s/watch", folder);
	config = (struct config){ .store = folder, .map_size = MAP,
		.alert = { .user = "", .keep_hours = 35 * DAY,
			.keep_days = 100 * DAY } };
	must(store_open(&gate, dir[0], MAP, &why));
	clock_set(NOW);
	must(alert_open(&alert, &config, &why));
	must(count_new(&count, &alert, false, &why));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	count_free(count);
	alert_close(&alert);
	store_close(gate);
	wipe(dir[0]);
	wipe(dir[1]);
	rmdir(folder);
	clock_set(0);
	return 0;
}

/* mail - one message of that moment */
static void
mail(int64_t time)
{
	struct event_recipient to = { .address = SLICE("r@x.test"),
		.provider = SLICE("google"), .verdict = VERDICT_PASS };
	struct event e = { .kind = EVENT_ACCEPT, .verdict = VERDICT_PASS,
		.tenant = SLICE("acme"), .count = 1, .recipients = &to,
		.nrecipients = 1 };
	struct buf b = BUF_INIT;
	uint64_t seq;

	event_encode(&e, &b);
	must(store_begin(gate, &why));
	must(store_append(gate, buf_slice(&b), time, SLICE_NONE, &seq, &why));
	must(store_commit(gate, &why));
	buf_free(&b);
}

/* turns - until nothing is left to do */
static void
turns(void)
{
	int got;

	do {
		got = count_ready(count, NULL, 0, &why);
		must(got);
	} while (got == 1);
}

/* rows - of a table */
static uint64_t
rows(enum watch_table table)
{
	struct db_txn *txn;
	uint64_t n;

	must(db_begin(alert.watch, false, &txn, &why));
	must(db_count(txn, table, &n, &why));
	db_abort(txn);
	return n;
}

static void
what_is_old_goes_by_the_clock_and_the_settings(void **state)
{
	static const int ago[] = { 120, 101, 99, 36, 34, 1, 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(ago) / sizeof(ago[0]); i++)
		mail(NOW - ago[i] * DAY);
	turns();
	assert_true(count_is_done(count));
	assert_int_equal(rows(WATCH_HOURS), 3);
	assert_int_equal(rows(WATCH_DAYS), 5);
}

static void
a_clock_that_is_years_ahead_forgets_nothing(void **state)
{
	(void)state;
	mail(NOW - 20 * DAY);
	mail(NOW);
	clock_set(NOW + 3000 * DAY);
	turns();
	assert_int_equal(rows(WATCH_HOURS), 2);
	assert_int_equal(rows(WATCH_DAYS), 2);
}

static void
nor_while_the_gate_is_not_there(void **state)
{
	(void)state;
	mail(NOW);
	turns();
	count_free(count);		/* the next life of the program */
	alert_close(&alert);
	store_close(gate);
	gate = NULL;
	wipe(dir[0]);
	clock_set(NOW + 3000 * DAY);
	must(alert_open(&alert, &config, &why));
	must(count_new(&count, &alert, false, &why));
	turns();
	assert_int_equal(rows(WATCH_DAYS), 1);
}

static void
zero_would_keep_all_and_the_program_prunes_once_an_hour(void **state)
{
	(void)state;
	mail(NOW - 200 * DAY);
	mail(NOW);
	config.alert.keep_hours = config.alert.keep_days = 0;
	turns();
	assert_int_equal(rows(WATCH_HOURS), 2);
	config.alert.keep_hours = config.alert.keep_days = DAY;
	turns();		/* it looked for old ones just now */
	assert_int_equal(rows(WATCH_HOURS), 2);
}

/* fill - the map, with cells of a day that is long over, until it is full */
static void
fill(int32_t day)
{
	struct cell c = { .at = day, .n = { 1 } };
	struct db_txn *txn;
	char name[32];
	unsigned n = 0;
	int rc;

	c.tenant.p = name;
	for (unsigned batch = 200; batch > 0; batch = rc == -1 ? batch / 3 :
	    batch) {
		must(db_begin(alert.watch, true, &txn, &why));
		rc = 0;
		for (unsigned i = 0; i < batch && rc == 0; i++) {
			c.tenant.n = (size_t)snprintf(name, sizeof(name),
			    "tenant%u", n++);
			rc = rollup_put(txn, GRAIN_DAY, &c, &why);
		}
		if (rc == -1)
			db_abort(txn);
		else
			rc = db_commit(txn, &why);
	}
	assert_int_equal(why.kind, WHY_NOROOM);
}

static void
a_full_map_does_not_keep_what_is_old(void **state)
{
	struct config small = config;

	(void)state;
	log_open("alert", false, LOG_LEVEL_ERROR);
	count_free(count);
	alert_close(&alert);
	wipe(dir[1]);
	small.map_size = 2 << 20;
	must(alert_open(&alert, &small, &why));
	must(count_new(&count, &alert, false, &why));
	fill(D0 - 200);
	assert_true(rows(WATCH_DAYS) > 1000);
	for (int i = 0; i < 400; i++)	/* hours, so that it needs room */
		mail(NOW - (400 - i) * CLOCK_HOUR);
	turns();
	count_free(count);		/* instead of a minute */
	must(count_new(&count, &alert, false, &why));
	turns();
	assert_true(count_is_done(count));
	assert_int_equal(rows(WATCH_HOURS), 400);
	assert_int_equal(rows(WATCH_DAYS), 18);
}

static void
another_store_stops_the_counting_and_not_the_program(void **state)
{
	struct count *strict = NULL;

	(void)state;
	log_open("alert", false, LOG_LEVEL_ERROR);
	for (int i = 0; i < 5; i++)
		mail(NOW);
	turns();
	store_close(gate);
	wipe(dir[0]);
	must(store_open(&gate, dir[0], MAP, &why));
	mail(NOW);
	alert.asked = 0;		/* as after some seconds */
	turns();
	assert_false(count_is_done(count));
	must(count_new(&strict, &alert, true, &why));
	assert_int_equal(count_ready(strict, NULL, 0, &why), -1);
	assert_non_null(strstr(why.text, "--rebuild"));
	count_free(strict);
}

static void
without_a_gate_nothing_is_done_yet(void **state)
{
	struct alert other = { .config = NULL };
	struct config nowhere = config;
	struct count *c = NULL;
	char at[96], watch[112];

	(void)state;
	snprintf(at, sizeof(at), "%s/other", folder);
	snprintf(watch, sizeof(watch), "%s/watch", at);
	assert_int_equal(mkdir(at, 0700), 0);
	nowhere.store = at;
	must(alert_open(&other, &nowhere, &why));
	must(count_new(&c, &other, true, &why));
	assert_int_equal(count_ready(c, NULL, 0, &why), 0);
	assert_false(count_is_done(c));
	count_free(c);
	alert_close(&other);
	wipe(watch);
	rmdir(at);
}

static void
a_second_owner_is_busy(void **state)
{
	struct alert second = { .config = NULL };

	(void)state;
	assert_int_equal(alert_open(&second, &config, &why), -1);
	assert_int_equal(why.kind, WHY_BUSY);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_is_old_goes_by_the_clock_and_the_settings),
		CASE(a_clock_that_is_years_ahead_forgets_nothing),
		CASE(nor_while_the_gate_is_not_there),
		CASE(zero_would_keep_all_and_the_program_prunes_once_an_hour),
		CASE(a_full_map_does_not_keep_what_is_old),
		CASE(another_store_stops_the_counting_and_not_the_program),
		CASE(without_a_gate_nothing_is_done_yet),
		CASE(a_second_owner_is_busy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
