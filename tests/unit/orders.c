/*
 * Orders: what is in force after so many decisions, and what the gate says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/clock.h"
#include "lib/provider.h"
#include "policy/orders.h"

#define NOW	(INT64_C(1795000000) * CLOCK_SECOND)
#define HOUR	CLOCK_HOUR

static struct orders *now_in_force;
static uint64_t seq;

static int
setup(void **state)
{
	struct why why;

	(void)state;
	seq = 0;
	now_in_force = NULL;
	return provider_init(&why);
}

static int
teardown(void **state)
{
	(void)state;
	orders_drop(now_in_force);
	return 0;
}

/* decide - one more decision */
static void
decide(struct desk_record r)
{
	struct desk_row row = { .record = r };
	struct orders *next;

	row.record.seq = ++seq;
	row.chain[0] = (uint8_t)seq;
	if (row.record.reason.n == 0)
		row.record.reason = SLICE("why not");
	next = orders_after(now_in_force, &row, 1, NOW);
	assert_non_null(next);
	orders_drop(now_in_force);
	now_in_force = next;
}

static void
pause_it(const char *tenant, const char *stream, const char *provider,
    int64_t until)
{
	decide((struct desk_record){ .kind = DESK_PAUSE,
	    .tenant = slice_of(tenant), .stream = slice_of(stream),
	    .provider = slice_of(provider), .until = until });
}

static void
resume_it(const char *tenant, const char *stream, const char *provider)
{
	decide((struct desk_record){ .kind = DESK_RESUME,
	    .tenant = slice_of(tenant), .stream = slice_of(stream),
	    .provider = slice_of(provider) });
}

static void
grant(const char *tenant, const char *limit, int64_t amount, int64_t until)
{
	decide((struct desk_record){ .kind = DESK_GRANT,
	    .tenant = slice_of(tenant), .limit = slice_of(limit),
	    .limit_kind = LIMIT_CAP, .amount = amount, .until = until });
}

/* paused - by which record; 0: it is not */
static uint64_t
paused(const char *tenant, const char *stream, const char *provider,
    int64_t at)
{
	unsigned which = ORDERS_ALL;
	const struct order *o;

	if (provider != NULL)
		for (which = 0; strcmp(provider_name(which), provider) != 0;)
			which++;
	o = orders_pause(now_in_force, hash_id("tenant", slice_of(tenant)),
	    stream != NULL ? hash_id("stream", slice_of(stream)) : 0, which,
	    at);
	return o != NULL ? o->seq : 0;
}

static int64_t
granted(const char *tenant, const char *limit, int64_t at)
{
	return orders_grant(now_in_force, hash_id("tenant", slice_of(tenant)),
	    LIMIT_CAP, slice_of(limit), at);
}

static void
nothing_is_in_force_at_first(void **state)
{
	const struct order *first;

	(void)state;
	assert_int_equal(paused("acme", NULL, NULL, NOW), 0);
	assert_int_equal(granted("acme", "daily", NOW), 0);
	assert_int_equal(orders_list(NULL, 0, &first), 0);
	assert_int_equal(orders_seq(NULL), 0);
}

static void
a_pause_holds_its_tenant_until_it_is_resumed(void **state)
{
	(void)state;
	pause_it("acme", "", "", 0);
	assert_int_equal(paused("acme", NULL, NULL, NOW), 1);
	assert_int_equal(paused("acme", "news", "google", NOW), 1);
	assert_int_equal(paused("bolt", NULL, NULL, NOW), 0);
	resume_it("bolt", "", "");
	assert_int_equal(paused("acme", NULL, NULL, NOW), 1);
	resume_it("acme", "", "");
	assert_int_equal(paused("acme", NULL, NULL, NOW), 0);
	assert_int_equal(orders_seq(now_in_force), 3);
}

static void
a_pause_ends_by_itself(void **state)
{
	(void)state;
	pause_it("acme", "", "", NOW + HOUR);
	assert_int_equal(paused("acme", NULL, NULL, NOW + HOUR - 1), 1);
	assert_int_equal(paused("acme", NULL, NULL, NOW + HOUR), 0);
}

static void
a_pause_of_one_provider_is_not_one_of_all(void **state)
{
	(void)state;
	pause_it("acme", "", "google", 0);
	assert_int_equal(paused("acme", NULL, NULL, NOW), 0);
	assert_int_equal(paused("acme", NULL, "google", NOW), 1);
	assert_int_equal(paused("acme", NULL, "yahoo", NOW), 0);
	/* a set of providers, as in limits */
	pause_it("acme", "", "microsoft", 0);
	assert_int_equal(paused("acme", NULL, "outlook", NOW), 2);
	assert_int_equal(paused("acme", NULL, "google", NOW), 1);
	/* the wider one is the one that is told */
	pause_it("acme", "", "", 0);
	assert_int_equal(paused("acme", NULL, "google", NOW), 3);
	resume_it("acme", "", "");
	assert_int_equal(paused("acme", NULL, "google", NOW), 1);
	resume_it("acme", "", "google");
	assert_int_equal(paused("acme", NULL, "google", NOW), 0);
	assert_int_equal(paused("acme", NULL, "outlook", NOW), 2);
}

static void
a_pause_of_one_stream_is_not_one_of_all(void **state)
{
	(void)state;
	pause_it("acme", "news", "", 0);
	assert_int_equal(paused("acme", NULL, NULL, NOW), 0);
	assert_int_equal(paused("acme", "news", NULL, NOW), 1);
	assert_int_equal(paused("acme", "news", "google", NOW), 1);
	assert_int_equal(paused("acme", "bills", "google", NOW), 0);
	pause_it("acme", "bills", "google", 0);
	assert_int_equal(paused("acme", "bills", NULL, NOW), 0);
	assert_int_equal(paused("acme", "bills", "google", NOW), 2);
	assert_int_equal(paused("acme", NULL, "google", NOW), 0);
}

static void
a_name_no_release_knows_pauses_all_providers(void **state)
{
	(void)state;
	pause_it("acme", "", "provider-of-tomorrow", 0);
	assert_int_equal(paused("acme", NULL, "google", NOW), 1);
}

static void
the_later_pause_takes_the_place_of_the_earlier(void **state)
{
	const struct order *first;

	(void)state;
	pause_it("acme", "", "", NOW + HOUR);
	pause_it("acme", "", "", 0);
	assert_int_equal(paused("acme", NULL, NULL, NOW + 2 * HOUR), 2);
	assert_int_equal(orders_list(now_in_force, 0, &first), 1);
}

static void
grants_add_up_and_end(void **state)
{
	(void)state;
	grant("acme", "daily", 5, NOW + HOUR);
	grant("acme", "daily", 7, NOW + 2 * HOUR);
	grant("acme", "hourly", 100, NOW + HOUR);
	grant("bolt", "daily", 1000, NOW + HOUR);
	assert_int_equal(granted("acme", "daily", NOW), 12);
	assert_int_equal(granted("acme", "daily", NOW + HOUR), 7);
	assert_int_equal(granted("acme", "daily", NOW + 2 * HOUR), 0);
	assert_int_equal(granted("acme", "dail", NOW), 0);
	grant("acme", "daily", 0, NOW + HOUR);
	assert_int_equal(granted("acme", "daily", NOW), 0);
	assert_int_equal(granted("acme", "hourly", NOW), 100);
	/* no sum runs over */
	for (int i = 0; i < 3; i++)
		grant("acme", "daily", INT64_MAX, NOW + HOUR);
	assert_true(granted("acme", "daily", NOW) ==
	    INT64_C(1000000000000));
}

static void
what_is_over_is_forgotten_with_the_next_decision(void **state)
{
	const struct order *first;
	struct desk_row row = { .record = { .kind = DESK_RESUME, .seq = 3,
		.tenant = SLICE("cats") } };
	struct orders *next;

	(void)state;
	pause_it("acme", "", "", NOW + HOUR);
	grant("acme", "daily", 5, NOW + HOUR);
	assert_int_equal(orders_list(now_in_force, 0, &first), 2);
	next = orders_after(now_in_force, &row, 1, NOW + HOUR);
	assert_int_equal(orders_list(next, 0, &first), 0);
	assert_int_equal(orders_seq(next), 3);
	orders_drop(next);
}

static void
kinds_of_others_move_the_sequence_only(void **state)
{
	const struct order *first;

	(void)state;
	decide((struct desk_record){ .kind = DESK_ACK,
	    .object = SLICE("alert") });
	decide((struct desk_record){ .kind = 4711 });
	assert_int_equal(orders_seq(now_in_force), 2);
	assert_int_equal(orders_list(now_in_force, 0, &first), 0);
}

/* many - decisions about several tenants, in no order */
static void
many(void)
{
	pause_it("zoo", "", "", 0);
	pause_it("acme", "news", "google", NOW + HOUR);
	grant("mid", "daily", 5, NOW + HOUR);
	pause_it("bolt", "", "", 0);
	grant("acme", "daily", 6, NOW + HOUR);
}

static void
a_picture_comes_back_from_its_bytes(void **state)
{
	uint8_t chain[HASH_SHA256], again[HASH_SHA256];
	struct buf b = BUF_INIT, c = BUF_INIT;
	struct orders *o;
	struct why why;

	(void)state;
	many();
	orders_encode(now_in_force, &b);
	assert_false(buf_failed(&b));
	if (orders_decode(buf_slice(&b), &o, &why) == -1)
		fail_msg("%s", why.text);
	orders_chain(now_in_force, chain);
	orders_chain(o, again);
	assert_memory_equal(chain, again, sizeof(chain));
	orders_drop(now_in_force);
	now_in_force = o;
	assert_int_equal(paused("zoo", NULL, NULL, NOW), 1);
	assert_int_equal(paused("acme", "news", "google", NOW), 2);
	assert_int_equal(granted("mid", "daily", NOW), 5);
	assert_int_equal(orders_seq(o), 5);
	orders_encode(o, &c);
	assert_int_equal(b.len, c.len);
	assert_memory_equal(b.data, c.data, b.len);
	buf_reset(&c);
	orders_encode(NULL, &c);
	assert_int_equal(orders_decode(buf_slice(&c), &o, &why), 0);
	assert_int_equal(orders_seq(o), 0);
	orders_drop(o);
	buf_free(&b);
	buf_free(&c);
}

static void
bytes_cut_anywhere_are_refused(void **state)
{
	struct buf b = BUF_INIT;
	struct orders *o;
	struct why why;

	(void)state;
	many();
	orders_encode(now_in_force, &b);
	for (size_t n = 0; n < b.len; n++) {
		char *cut = malloc(n + 1);

		memcpy(cut, b.data, n);
		assert_int_equal(orders_decode((struct slice){ cut, n }, &o,
		    &why), -1);
		assert_null(o);
		free(cut);
	}
	buf_char(&b, 'x');
	assert_int_equal(orders_decode(buf_slice(&b), &o, &why), -1);
	buf_free(&b);
}

int
main(void)
{
#define TEST(t)	cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_in_force_at_first),
		TEST(a_pause_holds_its_tenant_until_it_is_resumed),
		TEST(a_pause_ends_by_itself),
		TEST(a_pause_of_one_provider_is_not_one_of_all),
		TEST(a_pause_of_one_stream_is_not_one_of_all),
		TEST(a_name_no_release_knows_pauses_all_providers),
		TEST(the_later_pause_takes_the_place_of_the_earlier),
		TEST(grants_add_up_and_end),
		TEST(what_is_over_is_forgotten_with_the_next_decision),
		TEST(kinds_of_others_move_the_sequence_only),
		TEST(a_picture_comes_back_from_its_bytes),
		TEST(bytes_cut_anywhere_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
