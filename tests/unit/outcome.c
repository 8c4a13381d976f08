/*
 * The outcomes/ store: one record per recipient and state, whoever brings it
 * and how often; totals, indexes and counters that agree with the records.
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

#include "reputation/outcome_in.h"

#define MAP	(UINT64_C(64) << 20)
#define SECOND	INT64_C(1000000)
#define T0	(INT64_C(1763712000) * SECOND)
#define DAY0	((int32_t)(T0 / OUTCOME_DAY))

static char folder[64], dir[80];
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
	snprintf(folder, sizeof(folder), "/tmp/penstock-outcome.XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(dir, sizeof(dir), "%s/outcomes", folder);
	arena = arena_new(4096, 0);
	must(outcomes_open(&store, dir, MAP, &why));
	must(outcomes_begin(store, &why));
	return 0;
}

static int
teardown(void **state)
{
	static const char *const files[] = { "data.mdb", "lock.mdb",
		"owner.lock" };
	char path[160];

	(void)state;
	outcomes_close(store);
	store = NULL;
	arena_free(arena);
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		unlink(path);
	}
	rmdir(dir);
	rmdir(folder);
	return 0;
}

/* turn - commit and begin anew, as from one batch of lines to the next */
static void
turn(void)
{
	must(outcomes_commit(store, &why));
	must(outcomes_begin(store, &why));
}

/* accept - an event of tenant acme to so many recipients rN@example.org */
static void
accept(uint64_t seq, const char *queue_id, size_t n, int64_t open)
{
	struct charge charge = { .key = "0123456789abcde", .kind = LIMIT_OPEN,
		.amount = open };
	struct event_recipient rcpts[16];
	char names[16][40];
	struct event e = { .kind = EVENT_ACCEPT, .seq = seq,
		.time = T0, .queue_id = slice_of(queue_id),
		.tenant = SLICE("acme"), .stream = SLICE("news"),
		.mail_from = SLICE("a@acme.example"),
		.message_id = SLICE("<m1@acme.example>"),
		.recipients = rcpts, .nrecipients = n,
		.charges = &charge, .ncharges = open > 0 };

	for (size_t i = 0; i < n; i++) {
		snprintf(names[i], sizeof(names[i]), "r%zu@example.org", i);
		rcpts[i] = (struct event_recipient){
			.address = slice_of(names[i]) };
	}
	must(outcome_accept(store, &e, &why));
}

/* add - one outcome of event 7; whether it was new */
static int
add(enum outcome_kind kind, enum outcome_source source, const char *rcpt,
    int64_t time)
{
	struct outcome x = { .kind = kind, .source = source, .event = 7,
		.queue_id = SLICE("Q7"), .time = time, .delay = 3 * SECOND,
		.recipient = slice_of(rcpt), .provider = SLICE("google"),
		.category = SLICE("quota"), .reply = SLICE("552 full") };
	int got = outcomes_add(store, &x, &why);

	must(got);
	return got;
}

/* records - how many there are */
static uint64_t
records(void)
{
	uint64_t seq;

	must(outcomes_last(store, &seq, &why));
	return seq;
}

/* finals - of the open counter */
static uint64_t
finals(void)
{
	uint64_t n;

	must(outcomes_finals(store, (const uint8_t *)"0123456789abcde", &n,
	    &why));
	return n;
}

static void
what_is_read_twice_is_recorded_once(void **state)
{
	(void)state;
	accept(7, "Q7", 2, 0);
	assert_int_equal(add(OUTCOME_DELIVERED, OUTCOME_LOG,
	    "r0@example.org", T0), 1);
	assert_int_equal(add(OUTCOME_DELIVERED, OUTCOME_LOG,
	    "R0@Example.org", T0), 0);
	turn();
	assert_int_equal(add(OUTCOME_DELIVERED, OUTCOME_LOG,
	    "r0@example.org", T0), 0);
	assert_int_equal(add(OUTCOME_DELIVERED, OUTCOME_LOG,
	    "r1@example.org", T0), 1);
	turn();
	assert_int_equal(records(), 2);
}

static void
a_bounce_in_the_log_and_its_dsn_count_once(void **state)
{
	(void)state;
	accept(7, "Q7", 2, 0);
	assert_int_equal(add(OUTCOME_BOUNCED, OUTCOME_LOG,
	    "r0@example.org", T0), 1);
	assert_int_equal(add(OUTCOME_BOUNCED, OUTCOME_DSN,
	    "r0@example.org", T0 + SECOND), 0);
	assert_int_equal(add(OUTCOME_EXPIRED, OUTCOME_LOG,
	    "r0@example.org", T0 + SECOND), 0);
	/* delivered first, bounced by mail from further on: both happened */
	assert_int_equal(add(OUTCOME_DELIVERED, OUTCOME_LOG,
	    "r1@example.org", T0), 1);
	assert_int_equal(add(OUTCOME_BOUNCED, OUTCOME_DSN,
	    "r1@example.org", T0 + SECOND), 1);
	assert_int_equal(add(OUTCOME_COMPLAINT, OUTCOME_ARF,
	    "r1@example.org", T0 + SECOND), 1);
	assert_int_equal(add(OUTCOME_COMPLAINT, OUTCOME_ARF,
	    "r1@example.org", T0 + SECOND), 0);
}

static void
deferrals_count_once_a_day_in_any_order(void **state)
{
	static const struct {
		int	day, is_new;
	} rows[] = { { 3, 1 }, { 3, 0 }, { 4, 1 }, { 1, 1 }, { 3, 0 },
		{ 4, 0 }, { 1, 0 }, { 2, 1 }, { 30, 1 }, { 30, 0 } };

	(void)state;
	accept(7, "Q7", 1, 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int got = add(OUTCOME_DEFERRED, OUTCOME_LOG,
		    "r0@example.org", T0 + rows[i].day * OUTCOME_DAY);

		if (got != rows[i].is_new)
			fail_msg("row %zu: got %d want %d", i, got,
			    rows[i].is_new);
		if (i % 3 == 0)
			turn();
	}
}

static void
an_open_counter_is_freed_late_and_then_exactly(void **state)
{
	static const uint64_t want[] = { 0, 0, 1, 2 };
	char rcpt[40];

	(void)state;
	accept(7, "Q7", 4, 2);		/* two of the four are charged */
	for (size_t i = 0; i < 4; i++) {
		snprintf(rcpt, sizeof(rcpt), "r%zu@example.org", i);
		add(OUTCOME_DEFERRED, OUTCOME_LOG, rcpt, T0);
		add(i % 2 ? OUTCOME_BOUNCED : OUTCOME_DELIVERED, OUTCOME_LOG,
		    rcpt, T0);
		add(OUTCOME_COMPLAINT, OUTCOME_ARF, rcpt, T0);
		turn();
		if (finals() != want[i])
			fail_msg("after %zu: got %d want %d", i + 1,
			    (int)finals(), (int)want[i]);
	}
	/* an address that the event does not name frees nothing */
	add(OUTCOME_DELIVERED, OUTCOME_LOG, "alias@example.org", T0);
	turn();
	assert_int_equal(finals(), 2);
}

static void
an_abort_takes_everything_back(void **state)
{
	uint64_t n;

	(void)state;
	accept(7, "Q7", 1, 1);
	turn();
	add(OUTCOME_DELIVERED, OUTCOME_LOG, "r0@example.org", T0);
	must(outcomes_put_cursor(store, SLICE("x"), SLICE("2"), &why));
	outcomes_abort(store);
	must(outcomes_begin(store, &why));
	assert_int_equal(records(), 0);
	assert_int_equal(finals(), 0);
	assert_int_equal(add(OUTCOME_DELIVERED, OUTCOME_LOG,
	    "r0@example.org", T0), 1);
	turn();
	assert_int_equal(records(), 1);
	assert_int_equal(finals(), 1);
	must(outcomes_counter(store, "foreign", &n, &why));
	assert_int_equal(n, 0);
}

/* sum - callback: the counts of one tenant */
static bool
sum(void *with, const struct outcome_total *t)
{
	char *said = with;
	size_t n = strlen(said);

	snprintf(said + n, 400 - n, "%d/%.*s/%.*s/%.*s/%.*s/%.*s=%d ",
	    (int)(t->day - DAY0), SLICE_ARG(t->tenant), SLICE_ARG(t->stream),
	    SLICE_ARG(t->provider), SLICE_ARG(t->kind),
	    SLICE_ARG(t->category), (int)t->count);
	return true;
}

static void
totals_are_kept_per_day_tenant_provider_and_category(void **state)
{
	char said[400] = "";

	(void)state;
	accept(7, "Q7", 3, 0);
	add(OUTCOME_DELIVERED, OUTCOME_LOG, "r0@example.org", T0);
	add(OUTCOME_DELIVERED, OUTCOME_LOG, "r1@example.org", T0);
	turn();
	add(OUTCOME_DELIVERED, OUTCOME_LOG, "r2@example.org", T0);
	add(OUTCOME_COMPLAINT, OUTCOME_ARF, "r2@example.org",
	    T0 + OUTCOME_DAY);
	turn();
	must(outcomes_totals(store, TOTALS_TENANT, DAY0, DAY0 + 9, sum, said,
	    &why));
	assert_string_equal(said, "0/acme/news/google/delivered/quota=3 "
	    "1/acme/news/google/complaint/quota=1 ");
	said[0] = '\0';
	must(outcomes_totals(store, TOTALS_TENANT, DAY0 + 1, DAY0 + 1, sum,
	    said, &why));
	assert_string_equal(said, "1/acme/news/google/complaint/quota=1 ");
}

static void
events_are_found_by_address_and_message_id(void **state)
{
	uint64_t found[8];
	size_t n;

	(void)state;
	accept(7, "Q7", 2, 0);
	accept(9, "Q9", 1, 0);
	add(OUTCOME_DELIVERED, OUTCOME_LOG, "r1@example.org", T0);
	turn();
	must(outcomes_by_address(store, SLICE("A@acme.example"), ROLE_SENDER,
	    0, found, 8, &n, &why));
	assert_true(n == 2 && found[0] == 7 && found[1] == 9);
	must(outcomes_by_address(store, SLICE("r1@example.org"),
	    ROLE_RECIPIENT, 0, found, 8, &n, &why));
	assert_true(n == 1 && found[0] == 7);
	must(outcomes_by_address(store, SLICE("r1@example.org"), ROLE_SENDER,
	    0, found, 8, &n, &why));
	assert_int_equal(n, 0);
	must(outcomes_by_message_id(store, SLICE("m1@acme.example"), 7, found,
	    8, &n, &why));
	assert_true(n == 1 && found[0] == 9);
	must(outcomes_of_event(store, 7, found, 8, &n, &why));
	assert_true(n == 1 && found[0] == 1);
}

static void
lines_find_their_message_by_time(void **state)
{
	struct outcome_message *m;
	struct slice q = SLICE("Q7"), none = SLICE("");

	(void)state;
	accept(7, "Q7", 1, 0);
	must(outcome_message_at(store, none, q, T0, true, &m, &why));
	assert_int_equal(m->event, 7);
	m->removed = T0 + SECOND;
	turn();
	/* before it began, and long after it ended: somebody else's */
	must(outcome_message_at(store, none, q, T0 - 60 * SECOND, true, &m,
	    &why));
	assert_int_equal(m->event, 0);
	must(outcome_message_at(store, none, q, T0 + 600 * SECOND, true, &m,
	    &why));
	assert_int_equal(m->event, 0);
	turn();
	/* the id comes again: the nearest event before the line */
	must(outcome_message_of(store, none, q, 11, T0 + 900 * SECOND, &m,
	    &why));
	turn();
	must(outcome_message_at(store, none, q, T0 + 901 * SECOND, true, &m,
	    &why));
	assert_int_equal(m->event, 11);
	must(outcome_message_at(store, none, SLICE("Q"), T0, false, &m,
	    &why));
	assert_null(m);
	must(outcome_message_at(store, SLICE("two"), q, T0, false, &m, &why));
	assert_null(m);
}

static void
a_message_that_was_taken_back_has_no_outcome(void **state)
{
	struct outcome_message *m;

	(void)state;
	accept(7, "Q7", 1, 1);
	turn();
	must(outcome_message_void(store, SLICE(""), SLICE("Q7"), 7, &why));
	turn();
	must(outcome_message_at(store, SLICE(""), SLICE("Q7"), T0, true, &m,
	    &why));
	assert_int_equal(m->event, 0);
}

static void
many_recipients_cost_no_square(void **state)
{
	struct outcome_message *m;
	char address[40];
	size_t i, n = 100000;

	(void)state;
	must(outcome_message_at(store, SLICE(""), SLICE("BIG"), T0, true, &m,
	    &why));
	for (i = 0; i < n; i++) {
		snprintf(address, sizeof(address), "u%zu@example.net", i);
		assert_non_null(outcome_rcpt_of(store, m, slice_of(address)));
	}
	assert_int_equal(m->nrcpts, n);
	turn();
	must(outcome_message_at(store, SLICE(""), SLICE("BIG"), T0, false, &m,
	    &why));
	assert_int_equal(m->nrcpts, n);
	for (i = 0; i < n; i += 997) {
		snprintf(address, sizeof(address), "U%zu@example.net", i);
		assert_non_null(outcome_rcpt_of(store, m, slice_of(address)));
	}
	assert_int_equal(m->nrcpts, n);
}

static void
a_record_that_is_cut_anywhere_is_refused(void **state)
{
	struct outcome x = { .seq = 5, .kind = OUTCOME_EXPIRED, .time = T0,
		.source = OUTCOME_DSN, .delay = -1, .event = 9,
		.recipient = SLICE("a@example.org"), .reply = SLICE("no\n"),
		.relay = SLICE("mx.example[192.0.2.1]:25") }, y;
	struct buf b = BUF_INIT, json = BUF_INIT;

	(void)state;
	outcome_encode(&x, &b);
	for (size_t i = 0; i < b.len; i++)
		assert_int_equal(outcome_decode((struct slice){ b.data, i },
		    &y, &why), -1);
	must(outcome_decode(buf_slice(&b), &y, &why));
	assert_true(y.seq == 5 && y.delay == -1 && y.kind == OUTCOME_EXPIRED &&
	    slice_eq(y.relay, x.relay) && y.event == 9);
	outcome_json(&y, &json);
	assert_true(json.len > 10 && memchr(json.data, '\n', json.len) == NULL);
	buf_char(&b, 'x');
	assert_int_equal(outcome_decode(buf_slice(&b), &y, &why), -1);
	b.data[0] = 9;
	assert_int_equal(outcome_decode(buf_slice(&b), &y, &why), -1);
	assert_non_null(strstr(why.text, "newer"));
	buf_free(&b);
	buf_free(&json);
}

static void
what_was_not_understood_is_counted_and_the_last_are_kept(void **state)
{
	struct slice texts[OUTCOMES_SAMPLES];
	int64_t times[OUTCOMES_SAMPLES];
	char line[32];
	uint64_t total;
	size_t n;

	(void)state;
	for (int i = 0; i < 40; i++) {
		snprintf(line, sizeof(line), "line %d", i);
		must(outcomes_strange(store, "log", T0 + i, slice_of(line),
		    &why));
		if (i % 7 == 0)
			turn();
	}
	turn();
	must(outcomes_counter(store, "strange log", &total, &why));
	assert_int_equal(total, 40);
	must(outcomes_samples(store, "log", arena, texts, times, &n, &why));
	assert_int_equal(n, OUTCOMES_SAMPLES);
	assert_true(slice_is(texts[0], "line 39") && times[0] == T0 + 39);
	assert_true(slice_is(texts[OUTCOMES_SAMPLES - 1], "line 24"));
}

static void
outcomes_of_an_hour_are_found_after_a_restart(void **state)
{
	struct outcome found[4];
	uint64_t from, to;
	size_t n;

	(void)state;
	accept(7, "Q7", 3, 0);
	add(OUTCOME_DELIVERED, OUTCOME_LOG, "r0@example.org", T0);
	add(OUTCOME_DELIVERED, OUTCOME_LOG, "r1@example.org",
	    T0 + 5 * OUTCOME_HOUR);
	must(outcomes_commit(store, &why));
	outcomes_close(store);
	must(outcomes_open(&store, dir, MAP, &why));
	must(outcomes_begin(store, &why));
	add(OUTCOME_DELIVERED, OUTCOME_LOG, "r2@example.org",
	    T0 + 5 * OUTCOME_HOUR + SECOND);
	turn();
	must(outcomes_span(store, T0 + 4 * OUTCOME_HOUR, INT64_MAX, &from,
	    &to, &why));
	assert_true(from == 2 && to == 3);
	must(outcomes_read(store, from, 4, arena, found, &n, &why));
	assert_int_equal(n, 2);
	assert_true(slice_is(found[0].recipient, "r1@example.org") &&
	    slice_is(found[0].tenant, "acme"));
	must(outcomes_span(store, T0 + OUTCOME_HOUR, T0 + 2 * OUTCOME_HOUR,
	    &from, &to, &why));
	assert_true(from > to);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_is_read_twice_is_recorded_once),
		CASE(a_bounce_in_the_log_and_its_dsn_count_once),
		CASE(deferrals_count_once_a_day_in_any_order),
		CASE(an_open_counter_is_freed_late_and_then_exactly),
		CASE(an_abort_takes_everything_back),
		CASE(totals_are_kept_per_day_tenant_provider_and_category),
		CASE(events_are_found_by_address_and_message_id),
		CASE(lines_find_their_message_by_time),
		CASE(a_message_that_was_taken_back_has_no_outcome),
		CASE(many_recipients_cost_no_square),
		CASE(a_record_that_is_cut_anywhere_is_refused),
		CASE(what_was_not_understood_is_counted_and_the_last_are_kept),
		CASE(outcomes_of_an_hour_are_found_after_a_restart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
