/*
 * The event: what goes in comes out, and what is no event is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "lib/event.h"

static struct arena *arena;

static int
setup(void **state)
{
	(void)state;
	arena = arena_new(4096, 0);
	return arena == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static struct slice from_domains[] = {
	{ "acme.example", 12 }, { "news.acme.example", 17 } };
static struct event_signature signatures[] = {
	{ { "acme.example", 12 }, { "p2026a", 6 } },
	{ { "platform.example", 16 }, { "s1", 2 } } };
static struct event_recipient recipients[] = {
	{ .address = { "a@x.example", 11 }, .domain = { "x.example", 9 },
	    .provider = { "google", 6 }, .verdict = VERDICT_PASS },
	{ .address = { "b@here.example", 14 }, .domain = { "here.example", 12 },
	    .local = true, .verdict = VERDICT_DROP,
	    .rule = { "acme.conf:9", 11 } } };
static struct charge charges[] = {
	{ .key = { 1, 2, 3 }, .kind = LIMIT_THROTTLE, .tenant = UINT64_MAX,
	    .amount = 2, .rate = 200, .period = INT64_C(3600000000),
	    .name = { "hourly", 6 }, .rule = { "policy.conf:4", 13 } },
	{ .key = { 255 }, .kind = LIMIT_CAP, .shared = 1, .tenant = 7,
	    .amount = INT64_MAX, .window = INT64_C(1763683200000000),
	    .window_end = INT64_C(1763769600000000),
	    .name = { "daily", 5 } } };

/* full - an event with something in every field */
static struct event
full(void)
{
	struct event e = {
		.kind = EVENT_ACCEPT, .instance = SLICE("smtp"),
		.queue_id = SLICE("4bXyZ12345z"), .group = SLICE("agency7"),
		.tenant = SLICE("acme"), .login = SLICE("acme"),
		.listener = SLICE("submission"), .client = SLICE("10.1.2.3"),
		.mail_from = SLICE("news@acme.example"),
		.from_domains = from_domains, .nfrom_domains = 2,
		.stream = SLICE("marketing"), .matched = SLICE("header:X"),
		.campaign = SLICE("spring"), .pool = SLICE("b2b"),
		.address = SLICE("192.0.2.1"), .message_id = SLICE("<1@a>"),
		.size = 10240, .flags = EVENT_LONG_LINES,
		.signatures = signatures, .nsignatures = 2,
		.verdict = VERDICT_PASS, .would = VERDICT_REFUSE,
		.stage = STAGE_MESSAGE,
		.rule = SLICE("acme.conf:3"), .reply = SLICE("4.7.0 later"),
		.limit = SLICE("hourly"), .count = 17,
		.charges = charges, .ncharges = 2,
		.recipients = recipients, .nrecipients = 2,
		.voids = 12, .text = SLICE("words"),
		.return_path = SLICE("b+x@bounce.acme.example"),
		.token = UINT64_C(0x0123456789abcdef),
	};

	memset(e.policy_hash, 0xab, sizeof(e.policy_hash));
	return e;
}

/* encoded - stamped with sequence 5 */
static struct buf
encoded(const struct event *e)
{
	struct buf b = BUF_INIT;

	event_encode(e, &b);
	assert_false(buf_failed(&b));
	event_stamp(buf_slice(&b), 5, INT64_C(1763712000123456));
	return b;
}

static void
what_goes_in_comes_out(void **state)
{
	struct event e = full(), got;
	struct buf b = encoded(&e), again = BUF_INIT;
	struct why why;

	(void)state;
	if (event_decode(buf_slice(&b), &got, arena, &why) == -1)
		fail_msg("%s", why.text);
	assert_true(got.seq == 5);
	assert_true(got.time == INT64_C(1763712000123456));
	assert_true(slice_is(got.tenant, "acme"));
	assert_true(slice_is(got.text, "words"));
	assert_true(slice_is(got.charges[1].name, "daily"));
	assert_true(got.charges[0].tenant == UINT64_MAX);
	assert_true(got.recipients[1].local);
	assert_int_equal(got.would, VERDICT_REFUSE);
	assert_int_equal(got.flags, EVENT_LONG_LINES);
	assert_true(slice_is(got.recipients[1].rule, "acme.conf:9"));
	assert_true(slice_is(got.signatures[1].selector, "s1"));
	assert_true(slice_is(got.from_domains[1], "news.acme.example"));
	/* all the rest: the same bytes */
	event_encode(&got, &again);
	assert_int_equal(again.len, b.len);
	assert_memory_equal(again.data, b.data, b.len);
	buf_free(&b);
	buf_free(&again);
}

static void
only_what_has_a_tail_is_of_the_second_format(void **state)
{
	struct event e = full(), got;
	struct buf b = encoded(&e);
	struct why why;

	(void)state;
	assert_int_equal(b.data[0], 2);
	assert_true(event_token(buf_slice(&b)) == e.token);
	for (size_t n = 0; n < b.len; n++)
		(void)event_token((struct slice){ (char *)b.data, n });
	assert_int_equal(event_decode(buf_slice(&b), &got, arena, &why), 0);
	assert_true(slice_eq(got.return_path, e.return_path));
	assert_true(got.token == e.token);
	buf_free(&b);
	/* a void names no mail that went */
	e.kind = EVENT_VOID;
	b = encoded(&e);
	assert_true(event_token(buf_slice(&b)) == 0);
	buf_free(&b);
	e.kind = EVENT_ACCEPT;
	e.return_path = SLICE_NONE;
	e.token = 0;
	b = encoded(&e);
	assert_int_equal(b.data[0], 1);
	assert_true(event_token(buf_slice(&b)) == 0);
	buf_free(&b);
}

static void
replay_reads_the_same_charges(void **state)
{
	struct event e = full();
	struct buf b = encoded(&e);
	struct charge *c;
	enum event_kind kind;
	uint64_t seq, voids;
	int64_t time;
	struct why why;
	size_t n;

	(void)state;
	assert_int_equal(event_charges(buf_slice(&b), &seq, &time, &kind,
	    &voids, &c, &n, arena, &why), 0);
	assert_true(seq == 5 && voids == 12 && kind == EVENT_ACCEPT);
	assert_true(time == INT64_C(1763712000123456));
	assert_int_equal(n, 2);
	assert_memory_equal(c[1].key, charges[1].key, 16);
	assert_true(c[1].amount == INT64_MAX && c[1].shared == 1);
	assert_true(c[0].rate == 200 && c[1].window == charges[1].window);
	buf_free(&b);
}

/* peek_all - up to the last recipient; -1: refused */
static int
peek_all(struct slice s, struct event_peek *p, struct event_peek_recipient *r)
{
	struct why why;
	int got = event_peek(s, p, &why);

	while (got == 0 && (got = event_peek_next(p, r, &why)) == 1)
		got = 0;
	return got;
}

static void
who_counts_it_sees_the_same(void **state)
{
	struct event e = full();
	struct event_peek_recipient r[3];
	struct event_peek p;
	struct buf b = encoded(&e);
	struct why why;

	(void)state;
	assert_int_equal(event_peek(buf_slice(&b), &p, &why), 0);
	assert_true(p.kind == EVENT_ACCEPT && p.verdict == VERDICT_PASS);
	assert_true(p.seq == 5 && p.voids == 12 && p.count == 17);
	assert_true(p.time == INT64_C(1763712000123456) && p.size == 10240);
	assert_true(p.flags == EVENT_LONG_LINES);
	assert_true(slice_eq(p.group, e.group) && slice_eq(p.tenant,
	    e.tenant) && slice_eq(p.stream, e.stream) && slice_eq(p.pool,
	    e.pool) && slice_eq(p.address, e.address));
	assert_true(slice_eq(p.domain, from_domains[0]));
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(event_peek_next(&p, &r[i], &why), 1);
		assert_true(r[i].local == recipients[i].local);
		assert_true(r[i].verdict == recipients[i].verdict);
		assert_true(slice_eq(r[i].address, recipients[i].address));
		assert_true(slice_eq(r[i].provider, recipients[i].provider));
	}
	assert_int_equal(event_peek_next(&p, &r[2], &why), 0);
	buf_free(&b);
	/* without anything in it */
	e = (struct event){ .kind = EVENT_DEFER };
	b = encoded(&e);
	assert_int_equal(event_peek(buf_slice(&b), &p, &why), 0);
	assert_int_equal(p.domain.n, 0);
	assert_int_equal(event_peek_next(&p, &r[0], &why), 0);
	buf_free(&b);
}

static void
cut_after_any_byte_who_counts_it_stops(void **state)
{
	struct event e = full();
	struct event_peek_recipient r;
	struct event_peek p;
	size_t n, behind;
	struct buf b;

	(void)state;
	e.return_path = SLICE_NONE;	/* the recipients stand last */
	e.token = 0;
	b = encoded(&e);
	for (n = 0; n < b.len; n++) {
		char *cut = malloc(n + 1);

		memcpy(cut, b.data, n);
		if (peek_all((struct slice){ cut, n }, &p, &r) != -1)
			fail_msg("%zu of %zu bytes were taken", n, b.len);
		free(cut);
	}
	/* and no byte of it makes it read elsewhere */
	for (behind = 0; behind < b.len; behind++) {
		uint8_t was = (uint8_t)b.data[behind];

		b.data[behind] = (char)0xff;
		(void)peek_all(buf_slice(&b), &p, &r);
		b.data[behind] = (char)was;
	}
	assert_int_equal(peek_all(buf_slice(&b), &p, &r), 0);
	buf_free(&b);
}

static void
cut_after_any_byte_it_is_refused(void **state)
{
	struct event e = full(), got;
	struct buf b = encoded(&e);
	struct why why;
	size_t n;

	(void)state;
	for (n = 0; n < b.len; n++) {
		/* a copy of that length: a read behind it is seen by ASan */
		char *cut = malloc(n + 1);

		memcpy(cut, b.data, n);
		why.text[0] = '\0';
		if (event_decode((struct slice){ cut, n }, &got, arena,
		    &why) != -1)
			fail_msg("%zu of %zu bytes were taken", n, b.len);
		assert_true(why.text[0] != '\0');
		free(cut);
	}
	buf_free(&b);
}

static void
bytes_behind_it_are_refused(void **state)
{
	struct event e = full(), got;
	struct buf b = encoded(&e);
	struct why why;

	(void)state;
	buf_char(&b, 0);
	assert_int_equal(event_decode(buf_slice(&b), &got, arena, &why), -1);
	assert_non_null(strstr(why.text, "too many"));
	buf_free(&b);
}

static void
nonsense_is_refused_with_a_sentence(void **state)
{
	static const struct {
		const char	*name;
		size_t		 at;
		uint8_t		 value;
		const char	*said;
	} cases[] = {
		{ .name = "a newer format", .at = 0, .value = 3,
		    .said = "newer Penstock" },
		{ .name = "format 0", .at = 0, .value = 0,
		    .said = "makes no sense" },
		{ .name = "an unknown kind", .at = 1, .value = 11,
		    .said = "makes no sense" },
		{ .name = "an unknown verdict", .at = 2, .value = 5,
		    .said = "makes no sense" },
		{ .name = "an unknown stage", .at = 3, .value = 5,
		    .said = "makes no sense" },
		{ .name = "an unknown verdict of a shadow", .at = 7,
		    .value = 5, .said = "makes no sense" },
		{ .name = "four thousand million charges", .at = 79,
		    .value = 0xff, .said = "before it is whole" },
		{ .name = "a charge of an unknown kind", .at = 80 + 16,
		    .value = 9, .said = "charge 1" },
		{ .name = "a charge half shared", .at = 80 + 17,
		    .value = 9, .said = "charge 1" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct event e = full(), got;
		struct buf b = encoded(&e);
		struct why why = { .text = "" };

		b.data[cases[i].at] = (char)cases[i].value;
		if (event_decode(buf_slice(&b), &got, arena, &why) != -1 ||
		    strstr(why.text, cases[i].said) == NULL)
			fail_msg("%s: got \"%s\", want \"%s\"", cases[i].name,
			    why.text, cases[i].said);
		buf_free(&b);
	}
}

static void
an_empty_event_has_every_key(void **state)
{
	static const char want[] = "{\"kind\":\"status\",\"seq\":0,"
	    "\"time\":\"1970-01-01T00:00:00.000000Z\",\"time_us\":0,"
	    "\"instance\":\"\",\"queue_id\":\"\",\"group\":\"\","
	    "\"tenant\":\"\",\"login\":\"\",\"listener\":\"\","
	    "\"client\":\"\",\"mail_from\":\"\",\"from_domains\":[],"
	    "\"stream\":\"\",\"matched\":\"\",\"campaign\":\"\","
	    "\"pool\":\"\",\"address\":\"\",\"message_id\":\"\","
	    "\"size\":0,\"policy_hash\":\"00000000000000000000000000000000"
	    "00000000000000000000000000000000\",\"signatures\":[],"
	    "\"verdict\":\"pass\",\"would\":\"\","
	    "\"stage\":\"connect\",\"rule\":\"\","
	    "\"reply\":\"\",\"limit\":\"\",\"count\":0,\"charges\":[],"
	    "\"recipients\":[],\"voids\":0,\"flags\":{\"long_lines\":false,\"no_postal\":false,\"overflow\":false,\"unowned\":false},"
	    "\"text\":\"\",\"return_path\":\"\",\"token\":\"\"}";
	struct event e = { .kind = EVENT_STATUS };
	struct buf b = BUF_INIT;

	(void)state;
	event_json(&e, &b);
	buf_char(&b, '\0');
	assert_string_equal(b.data, want);
	buf_free(&b);
}

static void
json_shows_what_there_is(void **state)
{
	static const char *const want[] = {
		"\"time\":\"2025-11-21T08:00:00.123456Z\"",
		"\"from_domains\":[\"acme.example\",\"news.acme.example\"]",
		"\"signatures\":[{\"domain\":\"acme.example\","
		    "\"selector\":\"p2026a\"},{\"domain\"",
		"\"tenant\":\"ffffffffffffffff\",\"shared\":false,\"amount\":2,"
		    "\"window\":null",
		"\"window\":\"2025-11-21T00:00:00.000000Z\"",
		"{\"address\":\"b@here.example\",\"domain\":\"here.example\","
		    "\"provider\":\"\",\"local\":true,\"verdict\":\"drop\","
		    "\"rule\":\"acme.conf:9\"}",
		"\"flags\":{\"long_lines\":true,\"no_postal\":false,\"overflow\":false,\"unowned\":false}",
		"\"verdict\":\"pass\",\"would\":\"refuse\"",
		"\"login\":\"a\\u000a\\\"\xef\xbf\xbd\"", NULL };
	struct event e = full();
	struct buf b = BUF_INIT;
	size_t i;

	(void)state;
	e.time = INT64_C(1763712000123456);
	e.login = SLICE("a\n\"\xff");
	event_json(&e, &b);
	buf_char(&b, '\0');
	assert_null(strchr(b.data, '\n'));
	for (i = 0; want[i] != NULL; i++)
		if (strstr(b.data, want[i]) == NULL)
			fail_msg("%s is not in\n%s", want[i], b.data);
	buf_free(&b);
}

static void
times_are_rfc_3339(void **state)
{
	static const struct {
		const char	*name;
		int64_t		 us;
		const char	*want;
	} cases[] = {
		{ "the epoch", 0, "1970-01-01T00:00:00.000000Z" },
		{ "before it", -1, "1969-12-31T23:59:59.999999Z" },
		{ "a leap day", INT64_C(1709210096000001),
		    "2024-02-29T12:34:56.000001Z" },
		{ "beyond four digits", INT64_MAX,
		    "9999-12-31T23:59:59.999999Z" },
		{ "before the year 0", INT64_MIN,
		    "9999-12-31T23:59:59.999999Z" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf b = BUF_INIT;

		event_time(cases[i].us, &b);
		buf_char(&b, '\0');
		if (strcmp(b.data, cases[i].want) != 0)
			fail_msg("%s: got %s, want %s", cases[i].name, b.data,
			    cases[i].want);
		buf_free(&b);
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_goes_in_comes_out),
		T(only_what_has_a_tail_is_of_the_second_format),
		T(replay_reads_the_same_charges),
		T(who_counts_it_sees_the_same),
		T(cut_after_any_byte_who_counts_it_stops),
		T(cut_after_any_byte_it_is_refused),
		T(bytes_behind_it_are_refused),
		T(nonsense_is_refused_with_a_sentence),
		T(an_empty_event_has_every_key),
		T(json_shows_what_there_is),
		T(times_are_rfc_3339),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
