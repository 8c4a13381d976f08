/*
 * decide and warmups: whose number it is, on which day, in which hour, and
 * what is said beyond it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "lib/clock.h"
#include "policy/egress.h"
#include "policy/measure.h"
#include "tests/unit/charged.h"

/* the beginning: 2024-10-04, a Friday */
static const char policy[] =
/*  1 */ "timezone = \"UTC\"\n"
/*  2 */ "schedule \"two\" { table = {\"2\", \"4\", \"9\"} }\n"
/*  3 */ "schedule \"ten\" { table = {\"10\", \"20\"} }\n"
/*  4 */ "pool \"p\" {\n"
/*  5 */ "  select = \"header\"  timezone = \"Asia/Kolkata\"\n"
/*  6 */ "  share { google = 50  microsoft = 30 }\n"
/*  7 */ "  address \"192.0.2.1\" { transport = \"p1\"\n"
/*  8 */ "    warmup \"ten\" { over = \"hold\" } }\n"
/*  9 */ "}\n"
/* 10 */ "tenant \"b\" { logins = {\"b\", \"b2\"}  domains = {\"b.example\"}\n"
/* 11 */ "  priority = \"bulk\"  hold_max = \"48h\"\n"
/* 12 */ "  warmup \"two\" { per = \"login\"\n"
/* 13 */ "    active_hours = \"Mon-Fri 08:00-18:00\" }\n"
/* 14 */ "  stream \"pw\" { match = \"sender:pw@*\"\n"
/* 15 */ "    priority = \"transactional\" } }\n"
/* 16 */ "tenant \"p\" { logins = {\"p\"}  domains = {\"p.example\"}\n"
/* 17 */ "  pool \"p\" { } }\n"
/* 18 */ "tenant \"h\" { logins = {\"h\"}  domains = {\"h.example\"}\n"
/* 19 */ "  warmup = \"two\"\n"
/* 20 */ "  stream \"bulk\" { match = \"header:X-Bulk=yes\"\n"
/* 21 */ "    priority = \"bulk\"  warmup \"two\" {\n"
/* 22 */ "      active_hours = \"08:00-18:00\" } } }\n"
/* 23 */ "tenant \"l\" { logins = {\"l\"}  domains = {\"l.example\"}\n"
/* 24 */ "  warmup \"two\" { started = \"2024-10-03\" } }\n"
/* 25 */ "tenant \"f\" { logins = {\"f\"}  domains = {\"f.example\"}\n"
/* 26 */ "  warmup \"two\" { started = \"2024-10-08\" } }\n"
/* 27 */ "pool \"fair\" { fair = \"tenant\"\n"
/* 28 */ "  address \"192.0.2.2\" { transport = \"f1\" warmup = \"ten\" } }\n";

static int
setup(void **state)
{
	(void)state;
	asked_begin(policy);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	progress_drop(asked.mail.progress);
	asked_end();
	return 0;
}

/* to - a mail of that login and sender to so many; its verdict where it was
 * turned away, or at the end */
static enum verdict
to(const char *login, const char *from, int n, const char *domain,
    struct progress *progress)
{
	enum verdict verdict;
	char text[128];

	snprintf(text, sizeof(text), "<%s>", from);
	assert_int_equal(ask_mail(login, NULL, text, 0), VERDICT_PASS);
	asked.mail.progress = progress;
	for (int i = 0; i < n; i++) {
		snprintf(text, sizeof(text), "<r%d@%s>", i, domain);
		if ((verdict = ask_rcpt(text, "smtp")) > VERDICT_HOLD)
			goto out;
	}
	if ((verdict = ask_from(from)) == VERDICT_PASS)
		verdict = ask_end(1);
	if (verdict <= VERDICT_HOLD)
		settled();
out:
	asked.mail.progress = NULL;
	return verdict;
}

static enum verdict
one(const char *login, const char *from)
{
	return to(login, from, 1, "r.example", NULL);
}

/* at - so late on the first day, or days after it */
static void
at(int days, int hour, int minute)
{
	asked.now = INT64_C(20000) * CLOCK_DAY + days * CLOCK_DAY +
	    hour * CLOCK_HOUR + minute * CLOCK_MINUTE;
}

/* known - a row for the warmup of that tenant's, or address's, limits */
static struct progress *
known(const char *tenant, const char *login, const struct pool_address *a,
    struct warm_row row)
{
	const struct tenant *t = policy_tenant(asked.policy,
	    slice_of(tenant));
	const struct stream *s = policy_default(t);
	const struct limit *const *limits = a != NULL ? a->limits : s->limits;
	size_t n = a != NULL ? a->nlimits : s->nlimits;
	struct dimensions d;
	struct ask ask;

	measure_begin(asked.policy, t, s, &d);
	measure_egress(&d, a);
	if (login != NULL)
		measure_know(&d, PER_LOGIN, measure_id(PER_LOGIN,
		    slice_of(login)));
	for (size_t i = 0; i < n; i++) {
		if (limits[i]->warmup == NULL || limits[i]->part != WARM_DAY)
			continue;
		measure_ask(limits[i], &d, 1, 1, asked.now, &ask);
		memcpy(row.key, ask.charge.key, sizeof(row.key));
		return progress_after(NULL, &row, 1);
	}
	fail_msg("no warmup");
	return NULL;
}

static void
each_login_has_its_own(void **state)
{
	(void)state;
	at(0, 7, 59);
	assert_int_equal(one("b", "x@b.example"), VERDICT_DEFER);
	expect_reply("451", "4.7.0", "limit warmup:day (two, day 1 of 3: 2 a "
	    "day) is used up; next slot 2024-10-04 08:00 UTC", 12);
	at(0, 8, 0);
	assert_int_equal(one("b", "x@b.example"), VERDICT_PASS);
	assert_int_equal(one("b2", "x@b.example"), VERDICT_PASS);
	/* 2 a day are one in each hour at first; 0.84 an hour, one at once */
	assert_int_equal(one("b", "x@b.example"), VERDICT_DEFER);
	at(0, 9, 30);
	assert_int_equal(one("b", "x@b.example"), VERDICT_PASS);
	assert_int_equal(one("b", "x@b.example"), VERDICT_DEFER);
	expect_reply("451", "4.7.0", "next slot 2024-10-07 08:00 UTC", 12);
	at(0, 18, 0);
	assert_int_equal(one("b2", "x@b.example"), VERDICT_DEFER);
	expect_reply("451", "4.7.0", "next slot 2024-10-07 08:00 UTC", 12);
	/* a Saturday has no hours */
	at(1, 12, 0);
	assert_int_equal(one("b2", "x@b.example"), VERDICT_DEFER);
	at(3, 8, 0);
	assert_int_equal(one("b", "x@b.example"), VERDICT_PASS);
}

static void
other_mail_is_counted_and_waits_for_no_hour(void **state)
{
	(void)state;
	at(0, 3, 0);
	assert_int_equal(one("b", "pw@b.example"), VERDICT_PASS);
	assert_int_equal(one("b", "pw@b.example"), VERDICT_PASS);
	assert_int_equal(one("b", "pw@b.example"), VERDICT_DEFER);
	expect_reply("451", "4.7.0", "next slot 2024-10-05 00:00 UTC", 12);
	at(0, 12, 0);
	assert_int_equal(one("b", "x@b.example"), VERDICT_DEFER);
}

static void
a_large_message_waits_for_an_empty_throttle(void **state)
{
	struct progress *p = known("b", "b", NULL, (struct warm_row){ .day =
	    3 });

	(void)state;
	/* day 3, 9: 2 an hour, 4 an hour through the throttle */
	at(0, 12, 0);
	assert_int_equal(to("b", "x@b.example", 5, "r.example", p),
	    VERDICT_PASS);
	assert_int_equal(to("b", "x@b.example", 2, "r.example", p),
	    VERDICT_DEFER);
	expect_reply("451", "4.7.0", "limit warmup:burst (two, day 3 of 3: 9 "
	    "a day) is used up; next slot 2024-10-04 13:15 UTC", 12);
	at(0, 13, 15);
	assert_int_equal(to("b", "x@b.example", 4, "r.example", p),
	    VERDICT_PASS);
	progress_drop(p);
	/* at once, and more than any day has */
	assert_int_equal(to("p", "x@p.example", 21, "r.example", NULL),
	    VERDICT_DEFER);
	expect_reply("452", "4.5.3", "pool p takes at most 10 recipients of "
	    "one message, by limit warmup:day (ten); next slot: the next "
	    "message", 8);
	/* at one provider */
	assert_int_equal(to("p", "x@p.example", 6, "gmail.com", NULL),
	    VERDICT_DEFER);
	expect_reply("452", "4.5.3", "pool p takes at most 5 recipients at "
	    "google of one message, by limit warmup:provider (ten)", 8);
	assert_int_equal(to("p", "x@p.example", 5, "gmail.com", NULL),
	    VERDICT_PASS);
	/* where headers decide, it is known at the end */
	assert_int_equal(to("h", "x@h.example", 9, "r.example", NULL),
	    VERDICT_DEFER);
	expect_reply("451", "4.7.0", "limit warmup:day (two, day 1 of 3: 2 a "
	    "day): this asks for 9 recipients, more than a day takes: send it "
	    "to fewer at a time, or next slot 2024-10-06 00:00 UTC", 19);
}

static void
a_stream_that_headers_select_is_asked_at_the_end(void **state)
{
	const char *bulk[] = { "From", "x@h.example", "X-Bulk", "yes", NULL };

	(void)state;
	at(0, 3, 0);
	assert_int_equal(ask_mail("h", NULL, "<x@h.example>", 0),
	    VERDICT_PASS);
	assert_int_equal(ask_rcpt("<r@r.example>", "smtp"), VERDICT_PASS);
	assert_int_equal(ask_headers(bulk), VERDICT_PASS);
	assert_int_equal(ask_end(1), VERDICT_DEFER);
	expect_reply("451", "4.7.0", "next slot 2024-10-04 08:00 UTC", 21);
	assert_int_equal(one("h", "x@h.example"), VERDICT_PASS);
	assert_int_equal(one("h", "x@h.example"), VERDICT_PASS);
	assert_int_equal(one("h", "x@h.example"), VERDICT_DEFER);
}

static void
the_calendar_counts_until_rules_speak(void **state)
{
	struct progress *p;

	(void)state;
	/* begun yesterday: day 2 */
	at(0, 3, 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(one("l", "x@l.example"), VERDICT_PASS);
	assert_int_equal(one("l", "x@l.example"), VERDICT_DEFER);
	at(1, 3, 0);
	p = known("l", NULL, NULL, (struct warm_row){ .day = 1,
	    .started = 19999 });
	for (int i = 0; i < 2; i++)
		assert_int_equal(to("l", "x@l.example", 1, "r.example", p),
		    VERDICT_PASS);
	assert_int_equal(to("l", "x@l.example", 1, "r.example", p),
	    VERDICT_DEFER);
	progress_drop(p);
	/* and on Tuesday only */
	assert_int_equal(one("f", "x@f.example"), VERDICT_DEFER);
	expect_reply("451", "4.7.0", "(two, not begun yet) is used up; next "
	    "slot 2024-10-08 00:00 UTC", 26);
	at(4, 0, 0);
	assert_int_equal(one("f", "x@f.example"), VERDICT_PASS);
}

static void
what_is_stopped_says_so(void **state)
{
	struct progress *p = known("l", NULL, NULL, (struct warm_row){
	    .day = 2, .started = 19999, .stopped = 20000 });

	(void)state;
	assert_int_equal(to("l", "x@l.example", 1, "r.example", p),
	    VERDICT_DEFER);
	expect_reply("451", "4.7.0", "(two, stopped on day 2) is used up; "
	    "next slot when the operator lets it go on", 24);
	progress_drop(p);
}

static void
an_address_holds_and_its_providers_have_parts(void **state)
{
	const struct pool_address *a = egress_find(asked.policy,
	    SLICE("192.0.2.1"));
	struct warm_factor half = { .provider = SLICE("google"),
	    .index = provider_of(SLICE("gmail.com")), .thousandths = 500,
	    .until = 20010, .rule = SLICE("R1") };
	struct progress *p;

	(void)state;
	assert_non_null(a);
	assert_ptr_equal(a->warmup, a->limits[0]->warmup);
	at(0, 3, 0);
	/* 10 a day; google 5, microsoft 3 of them */
	for (int i = 0; i < 5; i++)
		assert_int_equal(to("p", "x@p.example", 1, "gmail.com", NULL),
		    VERDICT_PASS);
	assert_int_equal(to("p", "x@p.example", 1, "gmail.com", NULL),
	    VERDICT_HOLD);
	expect_reply("250", "2.0.0", "limit warmup:provider (ten, day 1 of 2: "
	    "5 a day to google) is used up; held, next slot 2024-10-04 18:30 "
	    "UTC", 8);
	for (int i = 0; i < 3; i++)
		assert_int_equal(to("p", "x@p.example", 1, "outlook.com",
		    NULL), VERDICT_PASS);
	assert_int_equal(to("p", "x@p.example", 1, "outlook.com", NULL),
	    VERDICT_HOLD);
	/* nobody knows where these are; they fill the address */
	for (int i = 0; i < 2; i++)
		assert_int_equal(to("p", "x@p.example", 1, "r.example", NULL),
		    VERDICT_PASS);
	assert_int_equal(to("p", "x@p.example", 1, "r.example", NULL),
	    VERDICT_HOLD);
	expect_reply("250", "2.0.0", "limit warmup:day", 8);
	/* the day of the pool: 18:30 UTC; google has half of its half, and
	 * what is held since yesterday goes first */
	at(0, 18, 30);
	p = known("p", NULL, a, (struct warm_row){ .day = 1,
	    .factors = &half, .nfactors = 1 });
	for (int i = 0; i < 2; i++)
		assert_int_equal(to("p", "x@p.example", 1, "gmail.com", p),
		    VERDICT_PASS);
	assert_int_equal(to("p", "x@p.example", 1, "gmail.com", p),
	    VERDICT_HOLD);
	expect_reply("250", "2.0.0", "(ten, day 1 of 2: 3 a day to google)",
	    8);
	progress_drop(p);
}

/* The warmer and the board ask for an address, and for no tenant. */
static void
who_is_no_tenant_looks_at_the_whole(void **state)
{
	static const struct tenant nobody;
	const struct pool_address *a = egress_find(asked.policy,
	    SLICE("192.0.2.2"));
	struct dimensions d;
	struct ask ask;

	(void)state;
	assert_non_null(a);
	measure_begin(asked.policy, &nobody, NULL, &d);
	measure_egress(&d, a);
	d.bulk = false;
	measure_ask(a->limits[0], &d, 1, 1, asked.now, &ask);
	assert_int_equal(ask.most, 10);
	assert_int_equal(ask.weight, 0);
	d.bulk = true;
	measure_ask(a->limits[0], &d, 1, 1, asked.now, &ask);
	assert_int_equal(ask.weight, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_login_has_its_own, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    other_mail_is_counted_and_waits_for_no_hour, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    a_large_message_waits_for_an_empty_throttle, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    a_stream_that_headers_select_is_asked_at_the_end, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    the_calendar_counts_until_rules_speak, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_stopped_says_so, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    an_address_holds_and_its_providers_have_parts, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    who_is_no_tenant_looks_at_the_whole, setup, teardown),
	};

	return cmocka_run_group_tests(tests, files_keys, files_no_keys);
}
