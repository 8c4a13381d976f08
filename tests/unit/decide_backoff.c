/*
 * decide and providers who want less: who has to wait, who goes slower, how
 * far the policy lets them, and what a person says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "lib/clock.h"
#include "tests/unit/charged.h"

static const char policy[] =
/*  1 */ "timezone = \"UTC\"\n"
/*  2 */ "tenant \"e\" { logins = {\"e\"}  domains = {\"e.example\"}\n"
/*  3 */ "  backoff = \"enforce\"  contact = \"ops@e.example\"\n"
/*  4 */ "}\n"
/*  5 */ "tenant \"a\" { logins = {\"a\"}  domains = {\"a.example\"}\n"
/*  6 */ "}\n"
/*  7 */ "tenant \"o\" { logins = {\"o\"}  domains = {\"o.example\"}\n"
/*  8 */ "  backoff = \"off\"\n"
/*  9 */ "}\n"
/* 10 */ "tenant \"m\" { logins = {\"m\"}  domains = {\"m.example\"}\n"
/* 11 */ "  backoff = \"enforce\"  backoff_max = \"10 minutes\"\n"
/* 12 */ "}\n"
/* 13 */ "tenant \"s\" { logins = {\"s\"}  domains = {\"s.example\"}\n"
/* 14 */ "  backoff = \"enforce\"  shadow = {\"limits\"}\n"
/* 15 */ "}\n"
/* 16 */ "tenant \"h\" { logins = {\"h\"}  domains = {\"h.example\"}\n"
/* 17 */ "  stream \"news\" { match = {\"header:X-Kind=news\"}\n"
/* 18 */ "    backoff = \"enforce\" }\n"
/* 19 */ "}\n"
/* 20 */ "tenant \"same\" { logins = {\"same\"}  domains = {\"i.example\"}\n"
/* 21 */ "  backoff = \"enforce\"\n"
/* 22 */ "  stream \"news\" { match = {\"header:X-Kind=news\"} }\n"
/* 23 */ "}\n"
/* 24 */ "tenant \"p\" { logins = {\"p\"}  domains = {\"p.example\"}\n"
/* 25 */ "  backoff = \"enforce\"  partial = \"all-or-none\"\n"
/* 26 */ "}\n"
/* 27 */ "pool \"one\" { address \"192.0.2.1\" { transport = \"t1\" } }\n"
/* 28 */ "pool \"two\" { address \"192.0.2.2\" { transport = \"t2\" }\n"
/* 29 */ "  address \"192.0.2.3\" { transport = \"t3\"\n"
/* 30 */ "    cap \"c\" { limit = \"1/day\" } } }\n"
/* 31 */ "tenant \"w1\" { logins = {\"w1\"}  domains = {\"w1.example\"}\n"
/* 32 */ "  backoff = \"enforce\"  pool \"one\" { }\n"
/* 33 */ "}\n"
/* 34 */ "tenant \"w2\" { logins = {\"w2\"}  domains = {\"w2.example\"}\n"
/* 35 */ "  backoff = \"enforce\"  pool \"two\" { }\n"
/* 36 */ "}\n";

/* What outcomes/ would have: one row, for one tenant and place. */
static struct {
	const char	*tenant, *to;	/* or an address */
	struct backoff_row row;
	unsigned	 asked;
} there;

/* backoff - as milter/feedback.c answers */
static int
backoff(void *with, const uint8_t key[BACKOFF_KEY],
    const struct backoff_when *when, struct backoff *out)
{
	uint8_t mine[BACKOFF_KEY];
	bool address;

	(void)with;
	there.asked++;
	if (there.tenant == NULL)
		return 0;
	address = strchr(there.tenant, '.') != NULL;
	backoff_key(address, hash_id(address ? "address" : "tenant",
	    slice_of(there.tenant)), strchr(there.to, '.') != NULL,
	    slice_of(there.to), mine);
	return memcmp(key, mine, sizeof(mine)) == 0 ?
	    backoff_strictest(&there.row, when, out) : 0;
}

static const struct happened happened = { .backoff = backoff };

static int
setup(void **state)
{
	(void)state;
	asked_begin(policy);
	memset(&there, 0, sizeof(there));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	asked_end();
	return 0;
}

/* in_force - from now on for that tenant, to there */
static void
in_force(const char *tenant, const char *place, enum backoff_action action,
    int64_t rate, int64_t duration)
{
	there.tenant = tenant;
	there.to = place;
	there.row.entries[there.row.n++] = (struct backoff_entry){
	    .rule = SLICE("unusual"), .place = SLICE("backoff.conf:12"),
	    .action = action, .rate = rate, .period = CLOCK_MINUTE,
	    .since = asked.now, .until = asked.now + duration, .hits = 3,
	    .window = CLOCK_HOUR, .reply = SLICE("421 4.7.28 unusual\trate") };
}

/* mail - by that login, with what is known */
static void
mail(const char *login)
{
	assert_int_equal(ask_mail(login, NULL, "<>", 0), VERDICT_PASS);
	asked.mail.happened = &happened;
}

static enum verdict
to(const char *path)
{
	return ask_rcpt(path, "smtp");
}

static void
a_pause_is_for_that_tenant_and_provider_alone(void **state)
{
	(void)state;
	in_force("e", "google", BACKOFF_PAUSE, 0, CLOCK_HOUR);
	mail("e");
	assert_int_equal(to("<x@gmail.com>"), VERDICT_DEFER);
	expect_reply("451", "4.7.0", "tenant e: google wants less mail, next "
	    "slot 2024-10-04 01:00 UTC: back-off rule unusual, 3 answers "
	    "within 60 min, the last \"421 4.7.28 unusual\\x09rate\"; contact "
	    "ops@e.example", 12);
	assert_true(slice_is(asked.answer.limit->name, "backoff:unusual"));
	assert_string_equal(asked.answer.rule.file, "backoff.conf");
	assert_true(asked.answer.next == asked.now + CLOCK_HOUR);
	assert_int_equal(to("<x@googlemail.com>"), VERDICT_DEFER);
	assert_int_equal(to("<x@yahoo.com>"), VERDICT_PASS);
	assert_int_equal(to("<x@dest.example>"), VERDICT_PASS);
	assert_int_equal(asked.mail.nrcpts, 2);
	assert_int_equal(ask_from("x@e.example"), VERDICT_PASS);
	assert_int_equal(ask_end(1), VERDICT_PASS);
	mail("m");
	assert_int_equal(to("<x@gmail.com>"), VERDICT_PASS);
	/* and to the end of it */
	asked.now += CLOCK_HOUR - 1;
	mail("e");
	assert_int_equal(to("<x@gmail.com>"), VERDICT_DEFER);
	asked.now++;
	mail("e");
	assert_int_equal(to("<x@gmail.com>"), VERDICT_PASS);
}

static void
a_domain_that_nobody_knows_stands_for_itself(void **state)
{
	(void)state;
	in_force("e", "dest.example", BACKOFF_PAUSE, 0, CLOCK_HOUR);
	mail("e");
	assert_int_equal(to("<x@dest.example>"), VERDICT_DEFER);
	assert_int_equal(to("<x@Dest.Example>"), VERDICT_DEFER);
	assert_int_equal(to("<x@other.example>"), VERDICT_PASS);
}

static void
a_recipient_costs_one_look_up_and_local_ones_none(void **state)
{
	(void)state;
	mail("e");
	to("<x@gmail.com>");
	to("<y@gmail.com>");
	assert_int_equal(ask_rcpt("<z@e.example>", "virtual"), VERDICT_PASS);
	assert_int_equal(there.asked, 2);
	assert_int_equal(ask_from("x@e.example"), VERDICT_PASS);
	assert_int_equal(ask_end(1), VERDICT_PASS);
	assert_int_equal(there.asked, 2);
	assert_null(asked.mail.backed);
}

static void
advise_shows_it_and_lets_it_pass(void **state)
{
	(void)state;
	in_force("a", "google", BACKOFF_PAUSE, 0, CLOCK_HOUR);
	mail("a");
	assert_int_equal(to("<x@gmail.com>"), VERDICT_PASS);
	assert_int_equal(asked.mail.would.verdict, VERDICT_DEFER);
	assert_true(slice_is(asked.mail.would.limit->name,
	    "backoff:unusual"));
	assert_int_equal(ask_from("x@a.example"), VERDICT_PASS);
	assert_int_equal(ask_end(1), VERDICT_PASS);
}

static void
off_does_not_even_ask(void **state)
{
	(void)state;
	in_force("o", "google", BACKOFF_PAUSE, 0, CLOCK_HOUR);
	mail("o");
	assert_int_equal(to("<x@gmail.com>"), VERDICT_PASS);
	assert_int_equal(asked.mail.would.verdict, VERDICT_PASS);
	assert_int_equal(there.asked, 0);
}

static void
no_row_lasts_longer_than_the_policy_bears(void **state)
{
	(void)state;
	in_force("m", "google", BACKOFF_PAUSE, 0, CLOCK_DAY * 365);
	mail("m");
	assert_int_equal(to("<x@gmail.com>"), VERDICT_DEFER);
	assert_true(asked.answer.next == asked.now + 10 * CLOCK_MINUTE);
	asked.now += 10 * CLOCK_MINUTE;
	mail("m");
	assert_int_equal(to("<x@gmail.com>"), VERDICT_PASS);
	/* four hours where it says nothing */
	there.row.n = 0;
	in_force("e", "google", BACKOFF_PAUSE, 0, CLOCK_DAY * 365);
	mail("e");
	assert_int_equal(to("<x@gmail.com>"), VERDICT_DEFER);
	assert_true(asked.answer.next == asked.now + 4 * CLOCK_HOUR);
}

static void
what_is_in_shadow_is_not_obeyed(void **state)
{
	(void)state;
	in_force("s", "google", BACKOFF_PAUSE, 0, CLOCK_HOUR);
	mail("s");
	assert_int_equal(to("<x@gmail.com>"), VERDICT_PASS);
	assert_int_equal(asked.mail.would.verdict, VERDICT_DEFER);
}

/* sent - one message to that recipient, by its tenant */
static enum verdict
sent(const char *login, const char *from, const char *path)
{
	enum verdict verdict;

	mail(login);
	if ((verdict = to(path)) > VERDICT_HOLD)
		return verdict;
	assert_int_equal(ask_from(from), VERDICT_PASS);
	assert_int_equal(ask_end(1), VERDICT_PASS);
	settled();
	return VERDICT_PASS;
}

static void
slow_is_a_throttle_of_that_provider(void **state)
{
	(void)state;
	in_force("e", "google", BACKOFF_SLOW, 2, CLOCK_HOUR);
	assert_int_equal(sent("e", "x@e.example", "<x@gmail.com>"),
	    VERDICT_PASS);
	assert_int_equal(sent("e", "x@e.example", "<y@gmail.com>"),
	    VERDICT_DEFER);
	expect_reply("451", "4.7.0", "tenant e: limit backoff:unusual "
	    "(2/minute to google) is used up; next slot", 12);
	assert_true(slice_is(asked.answer.limit->name, "backoff:unusual"));
	assert_int_equal(sent("e", "x@e.example", "<y@yahoo.com>"),
	    VERDICT_PASS);
	asked.now += CLOCK_MINUTE / 2;
	assert_int_equal(sent("e", "x@e.example", "<y@gmail.com>"),
	    VERDICT_PASS);
	assert_int_equal(sent("e", "x@e.example", "<z@gmail.com>"),
	    VERDICT_DEFER);
	/* both recipients of one message are counted in one throttle */
	asked.now += CLOCK_MINUTE;
	mail("e");
	assert_int_equal(to("<a@gmail.com>"), VERDICT_PASS);
	assert_int_equal(to("<b@gmail.com>"), VERDICT_DEFER);
	assert_int_equal(to("<b@yahoo.com>"), VERDICT_PASS);
	/* over */
	asked.now += CLOCK_HOUR;
	for (int i = 0; i < 5; i++)
		assert_int_equal(sent("e", "x@e.example", "<y@gmail.com>"),
		    VERDICT_PASS);
}

static void
slow_in_advise_counts_and_passes(void **state)
{
	(void)state;
	in_force("a", "google", BACKOFF_SLOW, 1, CLOCK_HOUR);
	for (int i = 0; i < 3; i++)
		assert_int_equal(sent("a", "x@a.example", "<x@gmail.com>"),
		    VERDICT_PASS);
	assert_int_equal(asked.mail.would.verdict, VERDICT_DEFER);
	assert_true(slice_is(asked.mail.would.limit->name,
	    "backoff:unusual"));
}

static void
a_stream_that_headers_select_decides_at_the_end(void **state)
{
	static const char *const news[] = { "From", "x@h.example", "X-Kind",
		"news", NULL };

	(void)state;
	in_force("h", "google", BACKOFF_PAUSE, 0, CLOCK_HOUR);
	mail("h");
	assert_int_equal(to("<x@gmail.com>"), VERDICT_PASS);
	assert_int_equal(there.asked, 0);
	assert_int_equal(ask_headers(news), VERDICT_PASS);
	assert_int_equal(ask_end(1), VERDICT_DEFER);
	assert_true(slice_is(asked.answer.limit->name, "backoff:unusual"));
	/* the other stream is only advised */
	mail("h");
	assert_int_equal(to("<x@gmail.com>"), VERDICT_PASS);
	assert_int_equal(ask_from("x@h.example"), VERDICT_PASS);
	assert_int_equal(ask_end(1), VERDICT_PASS);
	assert_int_equal(asked.mail.would.verdict, VERDICT_DEFER);
	/* streams that agree are asked at once */
	there.tenant = "same";
	mail("same");
	assert_int_equal(to("<x@gmail.com>"), VERDICT_DEFER);
}

static void
all_or_none_turns_the_others_away_too(void **state)
{
	(void)state;
	in_force("p", "google", BACKOFF_PAUSE, 0, CLOCK_HOUR);
	mail("p");
	assert_int_equal(to("<x@yahoo.com>"), VERDICT_PASS);
	assert_int_equal(to("<x@gmail.com>"), VERDICT_DEFER);
	assert_int_equal(to("<y@yahoo.com>"), VERDICT_DEFER);
}

static void
mail_of_a_pool_asks_for_its_address(void **state)
{
	(void)state;
	/* whose ever it was that the provider meant */
	in_force("192.0.2.1", "google", BACKOFF_PAUSE, 0, CLOCK_HOUR);
	mail("w1");
	assert_int_equal(to("<x@gmail.com>"), VERDICT_DEFER);
	assert_int_equal(to("<x@yahoo.com>"), VERDICT_PASS);
	assert_int_equal(ask_from("x@w1.example"), VERDICT_PASS);
	assert_int_equal(ask_end(1), VERDICT_PASS);
	assert_int_equal(there.asked, 2);
	/* mail without that pool does not notice, nor a row of the tenant */
	mail("e");
	assert_int_equal(to("<x@gmail.com>"), VERDICT_PASS);
	there.tenant = "w1";
	mail("w1");
	assert_int_equal(to("<x@gmail.com>"), VERDICT_PASS);
}

static void
of_several_addresses_the_chosen_one_is_asked_at_the_end(void **state)
{
	(void)state;
	there.tenant = "192.0.2.9";
	there.to = "google";
	/* the one with a cap is full by now */
	for (int i = 0; i < 2; i++)
		assert_int_equal(sent("w2", "x@w2.example", "<x@yahoo.com>"),
		    VERDICT_PASS);
	in_force("192.0.2.2", "google", BACKOFF_PAUSE, 0, CLOCK_HOUR);
	there.asked = 0;
	mail("w2");
	assert_int_equal(to("<x@gmail.com>"), VERDICT_PASS);
	assert_int_equal(there.asked, 0);
	assert_int_equal(ask_from("x@w2.example"), VERDICT_PASS);
	assert_int_equal(ask_end(1), VERDICT_DEFER);
	expect_reply("451", "4.7.0", "google wants less mail", 12);
	assert_int_equal(there.asked, 1);
	expect_nothing_open();
	/* slow: one passes, the next has no room */
	there.row.n = 0;
	in_force("192.0.2.2", "google", BACKOFF_SLOW, 1, CLOCK_HOUR);
	assert_int_equal(sent("w2", "x@w2.example", "<x@gmail.com>"),
	    VERDICT_PASS);
	assert_string_equal(asked.mail.egress->address.p, "192.0.2.2");
	mail("w2");
	assert_int_equal(to("<x@gmail.com>"), VERDICT_PASS);
	assert_int_equal(ask_from("x@w2.example"), VERDICT_PASS);
	assert_int_equal(ask_end(1), VERDICT_DEFER);
	expect_reply("451", "4.7.0", "limit backoff:unusual (1/minute to "
	    "google) is used up", 12);
	expect_nothing_open();
	assert_int_equal(sent("w2", "x@w2.example", "<x@yahoo.com>"),
	    VERDICT_PASS);
}

/* lifted - the picture after that word of a person */
static struct orders *
lifted(const char *tenant, const char *object, int64_t time)
{
	struct desk_row row = { .record = { .seq = 1, .time = time,
		.kind = DESK_BACKOFF_LIFT, .tenant = slice_of(tenant),
		.object = slice_of(object), .reason = SLICE("why not") } };
	struct orders *o = orders_after(NULL, &row, 1, time);

	assert_non_null(o);
	return o;
}

static void
a_person_ends_what_began_before(void **state)
{
	static const struct {
		const char	*tenant, *object;
		int64_t		 late;
		enum verdict	 verdict;
	} all[] = {
		{ "e", "google", 1, VERDICT_PASS },
		{ "e", "*", 1, VERDICT_PASS },
		{ "e", "google", -1, VERDICT_DEFER },
		{ "e", "yahoo", 1, VERDICT_DEFER },
		{ "m", "google", 1, VERDICT_DEFER },
		{ "", "192.0.2.1 google", 1, VERDICT_DEFER },
	};
	struct orders *o;

	(void)state;
	in_force("e", "google", BACKOFF_PAUSE, 0, CLOCK_HOUR);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		o = lifted(all[i].tenant, all[i].object,
		    asked.now + all[i].late);
		mail("e");
		asked.mail.orders = o;
		if (to("<x@gmail.com>") != all[i].verdict)
			fail_msg("%s %s %lld", all[i].tenant, all[i].object,
			    (long long)all[i].late);
		decide_abort(&asked.mail);
		asked.mail.orders = NULL;
		orders_drop(o);
	}
}

static void
of_an_address_it_is_that_address(void **state)
{
	struct orders *o = lifted("", "192.0.2.1 google", asked.now), *later;

	(void)state;
	assert_true(orders_backoff_lifted(o, 0, SLICE("192.0.2.1"),
	    SLICE("google")) == asked.now);
	assert_true(orders_backoff_lifted(o, 0, SLICE("192.0.2.2"),
	    SLICE("google")) == 0);
	assert_true(orders_backoff_lifted(o, 0, SLICE("192.0.2.1"),
	    SLICE("yahoo")) == 0);
	assert_true(orders_backoff_lifted(NULL, 0, SLICE("192.0.2.1"),
	    SLICE("google")) == 0);
	/* nothing lasts as long as the word is kept */
	later = orders_after(o, NULL, 0, asked.now + ORDERS_BACKOFF_LASTS);
	assert_true(orders_backoff_lifted(later, 0, SLICE("192.0.2.1"),
	    SLICE("google")) == 0);
	orders_drop(later);
	orders_drop(o);
}

int
main(void)
{
#define CASE(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(a_pause_is_for_that_tenant_and_provider_alone),
		CASE(a_domain_that_nobody_knows_stands_for_itself),
		CASE(a_recipient_costs_one_look_up_and_local_ones_none),
		CASE(advise_shows_it_and_lets_it_pass),
		CASE(off_does_not_even_ask),
		CASE(no_row_lasts_longer_than_the_policy_bears),
		CASE(what_is_in_shadow_is_not_obeyed),
		CASE(slow_is_a_throttle_of_that_provider),
		CASE(slow_in_advise_counts_and_passes),
		CASE(a_stream_that_headers_select_decides_at_the_end),
		CASE(all_or_none_turns_the_others_away_too),
		CASE(mail_of_a_pool_asks_for_its_address),
		CASE(of_several_addresses_the_chosen_one_is_asked_at_the_end),
		CASE(a_person_ends_what_began_before),
		CASE(of_an_address_it_is_that_address),
	};

	return cmocka_run_group_tests(tests, files_keys, files_no_keys);
}
