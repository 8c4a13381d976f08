/*
 * What is old leaves outcomes/, what is needed stays: records, indexes, sums,
 * messages, strikes and reports, in steps that may end anywhere.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <unistd.h>

#include "lib/clock.h"
#include "lib/fold.h"
#include "lib/provider.h"
#include "lib/wire.h"
#include "reputation/dmarc.h"
#include "reputation/outcome_in.h"
#include "reputation/prune.h"
#include "tools/ingest/forget.h"

#define MAP	(UINT64_C(64) << 20)
#define DAY	OUTCOME_DAY
#define NOW	(INT64_C(20600) * DAY + 7 * OUTCOME_HOUR)
#define AGO(days) (NOW - (days) * DAY)

static char folder[64], dir[2][96];
static struct outcomes *store;
static struct arena *arena;
static struct why why;

/* must - or the reason */
static void
must(int rc)
{
	if (rc == -1)
		fail_msg("%s", why.text);
}

static int
setup(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/penstock-prune.XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(dir[0], sizeof(dir[0]), "%s/gate", folder);
	snprintf(dir[1], sizeof(dir[1]), "%s/outcomes", folder);
	arena = arena_new(4096, 0);
	must(provider_init(&why));
	must(fold_init(&why));
	must(outcomes_open(&store, dir[1], MAP, &why));
	return 0;
}

static int
teardown(void **state)
{
	static const char *const files[] = { "data.mdb", "lock.mdb",
		"owner.lock" };
	char path[256];

	(void)state;
	outcomes_close(store);
	arena_free(arena);
	for (size_t d = 0; d < 2; d++) {
		for (size_t i = 0; i < 3; i++) {
			snprintf(path, sizeof(path), "%s/%s", dir[d],
			    files[i]);
			unlink(path);
		}
		rmdir(dir[d]);
	}
	rmdir(folder);
	return 0;
}

/* message - an event of that day, to r0 and r1; how many were delivered */
static void
message(uint64_t seq, int64_t time, size_t delivered)
{
	struct event_recipient rcpts[2] = {
		{ .address = SLICE("r0@example.org") },
		{ .address = SLICE("r1@example.org") } };
	char queue_id[32];
	struct event e = { .kind = EVENT_ACCEPT, .seq = seq, .time = time,
		.tenant = SLICE("acme"), .mail_from = SLICE("a@acme.example"),
		.recipients = rcpts, .nrecipients = 2 };

	snprintf(queue_id, sizeof(queue_id), "Q%08llx",
	    (unsigned long long)(seq * 2654435761u));
	e.queue_id = slice_of(queue_id);
	must(outcome_accept(store, &e, &why));
	for (size_t i = 0; i < delivered; i++) {
		struct outcome x = { .kind = OUTCOME_DELIVERED, .event = seq,
			.time = time + 60 * CLOCK_SECOND, .delay = -1,
			.queue_id = e.queue_id,
			.recipient = rcpts[i].address,
			.provider = SLICE("google") };

		must(outcomes_add(store, &x, &why));
	}
}

/* rows - of a table */
static uint64_t
rows(unsigned table)
{
	struct db_stat st;

	must(db_stat(outcomes_db(store), &st, &why));
	return st.entries[table];
}

/* round_of - all steps of a round, each in a transaction */
static size_t
round_of(struct prune *p, const struct prune_keep *keep)
{
	size_t gone, steps = 0;
	int more;

	do {
		must(outcomes_begin(store, &why));
		more = prune_step(p, keep, &gone, &why);
		must(more);
		must(outcomes_commit(store, &why));
		steps++;
	} while (more == 1);
	return steps;
}

/* prune - with a new pruner; a round may begin where another one was */
static void
prune(int64_t outcomes, int64_t messages, int64_t totals, uint64_t event)
{
	struct prune_keep keep = { .now = NOW, .outcomes = outcomes,
		.messages = messages, .totals = totals, .event = event };
	struct prune *p;

	must(prune_new(&p, store, &why));
	(void)round_of(p, &keep);
	(void)round_of(p, &keep);
	prune_free(p);
}

/* counter - what was pruned, by its name */
static uint64_t
counter(const char *name)
{
	uint64_t n;

	must(outcomes_counter(store, name, &n, &why));
	return n;
}

static void
old_records_and_sums_go_young_ones_stay(void **state)
{
	struct outcome first;
	uint64_t from, to;
	size_t n;

	(void)state;
	for (int day = 200; day > 0; day -= 10) {
		must(outcomes_begin(store, &why));
		message((uint64_t)(201 - day), AGO(day), 2);
		must(outcomes_commit(store, &why));
	}
	assert_int_equal(rows(T_OUTCOMES), 40);
	prune(AGO(95), AGO(400), AGO(150), 0);
	/* 90 days ago and younger */
	assert_int_equal(rows(T_OUTCOMES), 18);
	assert_int_equal(counter("pruned outcomes"), 22);
	must(outcomes_read(store, 1, 1, arena, &first, &n, &why));
	assert_true(n == 1 && first.time > AGO(91));
	must(outcomes_span(store, AGO(120), NOW, &from, &to, &why));
	assert_true(from == 23 && to == 40);
	assert_int_equal(rows(T_HOURS), 9);
	/* sums: 140 to 10 days ago, two rows each; messages all */
	assert_int_equal(rows(T_DAYS), 2 * 15);
	assert_int_equal(rows(T_MESSAGES), 20);
	/* and nothing more goes the next time */
	prune(AGO(95), AGO(400), AGO(150), 0);
	assert_int_equal(rows(T_OUTCOMES), 18);
}

static void
a_message_with_an_open_recipient_stays(void **state)
{
	struct outcome_message *m;

	(void)state;
	must(outcomes_begin(store, &why));
	message(1, AGO(100), 2);	/* done */
	message(2, AGO(100), 1);	/* r1 is open */
	message(3, AGO(401), 1);	/* nobody ends it any more */
	message(4, AGO(10), 2);
	must(outcome_message_at(store, SLICE(""), SLICE("foreign1"), AGO(100),
	    true, &m, &why));
	must(outcome_message_at(store, SLICE(""), SLICE("foreign2"), AGO(5),
	    true, &m, &why));
	must(outcomes_commit(store, &why));
	assert_int_equal(rows(T_MESSAGES), 6);
	prune(AGO(400), AGO(90), AGO(400), 0);
	assert_int_equal(rows(T_MESSAGES), 3);
	assert_int_equal(counter("pruned messages"), 3);
	/* the one that is open is known, and can still be ended, once */
	for (int again = 0; again < 2; again++) {
		struct outcome x = { .kind = OUTCOME_BOUNCED, .event = 2,
			.time = NOW, .delay = -1,
			.queue_id = SLICE("Q13c6ef372"),
			.recipient = SLICE("r1@example.org") };
		char want[32];

		snprintf(want, sizeof(want), "Q%08llx",
		    (unsigned long long)(2 * UINT64_C(2654435761)));
		x.queue_id = slice_of(want);
		must(outcomes_begin(store, &why));
		assert_int_equal(outcomes_add(store, &x, &why), again == 0);
		must(outcomes_commit(store, &why));
	}
}

static void
whole_runs_of_the_index_go_and_the_last_stays(void **state)
{
	uint64_t found[4], seq = 1;
	size_t n;

	(void)state;
	for (int run = 0; run < 3; run++) {
		must(outcomes_begin(store, &why));
		for (int i = 0; i < 12000; i++, seq++)
			message(seq, AGO(100 - run), 0);
		must(outcomes_commit(store, &why));
	}
	/* events from 24001 on are young enough, so two runs are not */
	prune(AGO(400), AGO(400), AGO(400), 24001);
	must(outcomes_by_address(store, SLICE("r0@example.org"),
	    ROLE_RECIPIENT, 0, found, 4, &n, &why));
	assert_true(n == 4 && found[0] == 24001);
	assert_true(counter("pruned index") > 2 * 36000 / 124);
	/* the last one stays whatever is said */
	prune(AGO(400), AGO(400), AGO(400), 99999);
	must(outcomes_by_address(store, SLICE("r0@example.org"),
	    ROLE_RECIPIENT, 0, found, 4, &n, &why));
	assert_true(n == 4 && found[0] == 24001);
}

static void
strikes_domains_and_reports_go_by_their_days(void **state)
{
	static const int days[] = { 200, 100, 62, 61, 60, 1 };
	struct dmarc_report report = { .org = SLICE("big.example"),
		.domain = SLICE("acme.example") };
	char name[32];

	(void)state;
	must(outcomes_begin(store, &why));
	for (size_t i = 0; i < sizeof(days) / sizeof(days[0]); i++) {
		struct learned l = { .provider = SLICE("google"),
			.relay = SLICE("mx.example"), .first = AGO(300),
			.last = AGO(days[i]), .count = 1 };
		struct dmarc_total t = { .source = SLICE("192.0.2.1"),
			.aligned = 1 };
		struct buf b = BUF_INIT;

		put_u8(&b, 1);
		put_u8(&b, 1);
		put_u32(&b, (uint32_t)(AGO(days[i]) / DAY));
		put_i64(&b, AGO(days[i]));
		snprintf(name, sizeof(name), "d%zu.example", i);
		must(outcomes_put(store, OUTCOMES_STRIKES, slice_of(name),
		    buf_slice(&b), &why));
		l.domain = slice_of(name);
		must(outcome_learn(store, &l, &why));
		report.id = slice_of(name);
		report.begin = AGO(days[i]);
		report.end = report.begin + CLOCK_HOUR;
		report.came = AGO(days[i]);
		assert_int_equal(dmarc_begin(store, &report, &why), 1);
		must(dmarc_add(store, &report, &t, &why));
		buf_free(&b);
	}
	must(outcomes_commit(store, &why));
	prune(AGO(400), AGO(90), AGO(150), 0);
	/* strikes 61 days old count no more; domains and reports as said */
	assert_int_equal(rows(T_THEIRS + OUTCOMES_STRIKES), 3);
	assert_int_equal(rows(T_DOMAINS), 4);
	assert_int_equal(counter("pruned domains"), 2);
	/* a report, its day, that of new domains and of the domain; a source
	 * and how many there were; rows of the day, likewise */
	assert_int_equal(counter("pruned dmarc"), 9);
	prune(AGO(400), AGO(400), NOW, 0);
	assert_true(rows(T_THEIRS + OUTCOMES_DMARC) <= 4);
}

static void
a_round_goes_on_where_it_was_killed(void **state)
{
	struct prune_keep keep = { .now = NOW, .outcomes = AGO(400),
		.messages = AGO(90), .totals = AGO(400) };
	struct prune *p;
	size_t gone, steps = 0;
	int more;

	(void)state;
	must(outcomes_begin(store, &why));
	for (uint64_t seq = 1; seq <= 9000; seq++)
		message(seq, AGO(seq % 3 == 0 ? 10 : 100), 2);
	must(outcomes_commit(store, &why));
	do {	/* another pruner each time; every second step is lost */
		must(prune_new(&p, store, &why));
		do {
			must(outcomes_begin(store, &why));
			more = prune_step(p, &keep, &gone, &why);
			must(more);
			if (gone > 0 && steps++ % 2 == 0) {
				outcomes_abort(store);
				prune_forget(p);
				gone = 0;
				continue;
			}
			must(outcomes_commit(store, &why));
		} while (more == 1 && gone == 0);
		prune_free(p);
	} while (more == 1);
	assert_int_equal(rows(T_MESSAGES), 3000);
	assert_int_equal(counter("pruned messages"), 6000);
	assert_true(steps >= 2 * 6000 / 500);
}

static void
the_program_prunes_by_the_clock_and_its_settings(void **state)
{
	struct config config = { .ingest = { .keep_outcomes = 90 * DAY,
		.keep_messages = 90 * DAY, .keep_totals = 1000 * DAY } };
	struct ingest in = { .config = &config, .outcomes = store };
	struct forget *f;

	(void)state;
	must(outcomes_begin(store, &why));
	message(1, AGO(89), 2);
	message(2, AGO(1), 2);
	must(outcomes_commit(store, &why));
	must(forget_new(&f, &in, &why));
	for (int day = 0; day < 4; day++) {
		for (int i = 0; i < 40; i++) {
			clock_set(NOW + day * DAY + i * CLOCK_SECOND);
			must(forget_ready(f, NULL, 0, &why));
		}
		if (rows(T_OUTCOMES) != (day < 2 ? 4 : 2))
			fail_msg("day %d: %d rows", day,
			    (int)rows(T_OUTCOMES));
	}
	assert_int_equal(rows(T_MESSAGES), 1);
	forget_free(f);
	clock_set(0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(old_records_and_sums_go_young_ones_stay),
		CASE(a_message_with_an_open_recipient_stays),
		CASE(whole_runs_of_the_index_go_and_the_last_stays),
		CASE(strikes_domains_and_reports_go_by_their_days),
		CASE(a_round_goes_on_where_it_was_killed),
		CASE(the_program_prunes_by_the_clock_and_its_settings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
