/*
 * decide and limits: what a recipient, a message and its bytes are charged,
 * and what is said when one limit does not fit.  The clock is set.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "tests/unit/charged.h"

#define SECOND	INT64_C(1000000)
#define DAY	(86400 * SECOND)

static const char policy[] =
/*  1 */ "timezone = \"UTC\"\n"
/*  2 */ "trusted { clients = {\"10.9.0.1\"} identify = \"from-domain\" }\n"
/*  3 */ "group \"g\" {\n"
/*  4 */ "  cap \"contract\" { limit = \"40/day\" }\n"
/*  5 */ "  contact = \"ops@agency.example\"\n"
/*  6 */ "}\n"
/*  7 */ "tenant \"acme\" {\n"
/*  8 */ "  logins = {\"acme\"}  domains = {\"acme.example\"}\n"
/*  9 */ "  timezone = \"Europe/Madrid\"\n"
/* 10 */ "  throttle \"steady\" { rate = \"60/hour\"  burst = 5 }\n"
/* 11 */ "  throttle \"google\" { rate = \"60/hour\"  burst = 3\n"
/* 12 */ "    to = \"provider:google\" }\n"
/* 13 */ "  cap \"messages\" { limit = \"3/day\"  count = \"messages\" }\n"
/* 14 */ "  cap \"bytes\" { limit = \"1000/day\"  count = \"bytes\" }\n"
/* 15 */ "  cap \"hard\" { limit = \"8/day\"  over = \"refuse\" }\n"
/* 16 */ "}\n"
/* 17 */ "tenant \"one\" { group = \"g\"\n"
/* 18 */ "  logins = {\"one\"}  domains = {\"one.example\"} }\n"
/* 19 */ "tenant \"two\" { group = \"g\"\n"
/* 20 */ "  logins = {\"two\"}  domains = {\"two.example\"} }\n"
/* 21 */ "tenant \"soft\" { mode = \"shadow\"\n"
/* 22 */ "  logins = {\"soft\"}  domains = {\"soft.example\"}\n"
/* 23 */ "  cap \"tiny\" { limit = \"2/day\" }  max_recipients = 3 }\n"
/* 24 */ "tenant \"few\" { logins = {\"few\"}  domains = {\"few.example\"}\n"
/* 25 */ "  max_recipients = 2\n"
/* 26 */ "  throttle \"late\" { rate = \"60/hour\"  burst = 1  jitter = 0.5 }\n"
/* 27 */ "  cap \"huge\" { limit = \"10/day\"  count = \"bytes\" } }\n"
/* 28 */ "tenant \"mix\" { logins = {\"mix\"}  domains = {\"mix.example\"}\n"
/* 29 */ "  cap \"soon\" { limit = \"1/minute\"  over = \"refuse\" }\n"
/* 30 */ "  cap \"later\" { limit = \"1/day\" } }\n"
/* 31 */ "group \"h\" {\n"
/* 32 */ "  cap \"volume\" { limit = \"1000/day\"  count = \"bytes\" }\n"
/* 33 */ "  cap \"shared\" { limit = \"8/day\" } }\n"
/* 34 */ "tenant \"east\" { group = \"h\"  timezone = \"Asia/Tokyo\"\n"
/* 35 */ "  logins = {\"east\"}  domains = {\"east.example\"} }\n"
/* 36 */ "tenant \"west\" { group = \"h\"  mode = \"shadow\"\n"
/* 37 */ "  timezone = \"America/New_York\"\n"
/* 38 */ "  logins = {\"west\"}  domains = {\"west.example\"} }\n";

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
	asked_end();
	return 0;
}

static void
mail(const char *login, const char *from, int64_t size)
{
	assert_int_equal(ask_mail(login, NULL, from, size), VERDICT_PASS);
}

static void
a_recipient_is_charged_where_it_is_watched(void **state)
{
	(void)state;
	mail("acme", "<a@acme.example>", 100);
	assert_int_equal(ask_rcpt("<r@remote.example>", "smtp"),
	    VERDICT_PASS);
	expect_used("acme", "steady", 0, 1);
	expect_used("acme", "google", 0, 0);
	expect_used("acme", "messages", 0, 1);
	expect_used("acme", "bytes", 0, 100);
	assert_int_equal(ask_rcpt("<r@gmail.com>", "smtp"), VERDICT_PASS);
	expect_used("acme", "steady", 0, 2);
	expect_used("acme", "google", 0, 1);
	expect_used("acme", "messages", 0, 1);
	expect_used("acme", "bytes", 0, 200);
	decide_abort(&asked.mail);
	expect_used("acme", "steady", 0, 0);
	expect_used("acme", "messages", 0, 0);
	expect_used("acme", "bytes", 0, 0);
}

static void
local_recipients_are_never_charged(void **state)
{
	int i;

	(void)state;
	mail("acme", "<a@acme.example>", 900);
	for (i = 0; i < 20; i++)
		assert_int_equal(ask_rcpt("<us@acme.example>", "lmtp"),
		    VERDICT_PASS);
	expect_used("acme", "steady", 0, 0);
	expect_used("acme", "messages", 0, 0);
	assert_int_equal(ask_from("a@acme.example"), VERDICT_PASS);
	assert_int_equal(ask_end(5000), VERDICT_PASS);
	assert_int_equal(asked.mail.claim.n, 0);
	mail("few", "<a@few.example>", 0);
	for (i = 0; i < 20; i++)
		assert_int_equal(ask_rcpt("<us@acme.example>", "lmtp"),
		    VERDICT_PASS);
}

static void
bytes_are_settled_as_size_times_recipients(void **state)
{
	(void)state;
	mail("acme", "<a@acme.example>", 10);
	assert_int_equal(ask_rcpt("<r@remote.example>", "smtp"),
	    VERDICT_PASS);
	assert_int_equal(ask_rcpt("<us@acme.example>", "local"),
	    VERDICT_PASS);
	assert_int_equal(ask_rcpt("<r@gmail.com>", "smtp"), VERDICT_PASS);
	expect_used("acme", "bytes", 0, 20);
	assert_int_equal(ask_from("a@acme.example"), VERDICT_PASS);
	assert_int_equal(ask_end(300), VERDICT_PASS);
	expect_used("acme", "bytes", 0, 600);
	settled();
	expect_used("acme", "bytes", 600, 0);
	expect_used("acme", "steady", 2, 0);
	expect_used("acme", "google", 1, 0);
	expect_used("acme", "messages", 1, 0);

	/* more bytes than were said, and more than fit: the whole message */
	mail("acme", "<a@acme.example>", 0);
	assert_int_equal(ask_rcpt("<r@remote.example>", "smtp"),
	    VERDICT_PASS);
	expect_used("acme", "bytes", 600, 0);
	assert_int_equal(ask_from("a@acme.example"), VERDICT_PASS);
	assert_int_equal(ask_end(401), VERDICT_DEFER);
	expect_reply("451", "4.7.0", "limit bytes (1000/day) is used up", 14);
	decide_abort(&asked.mail);
	expect_used("acme", "bytes", 600, 0);
	expect_used("acme", "steady", 2, 0);
}

static void
one_limit_that_is_full_defers_one_recipient(void **state)
{
	int i;

	(void)state;
	mail("acme", "<a@acme.example>", 0);
	for (i = 0; i < 3; i++)
		assert_int_equal(ask_rcpt("<r@gmail.com>", "smtp"),
		    VERDICT_PASS);
	assert_int_equal(ask_rcpt("<r@gmail.com>", "smtp"), VERDICT_DEFER);
	expect_reply("451", "4.7.0", "tenant acme: limit google (60/hour to "
	    "provider:google) is used up; next slot 2024-10-04 02:01 "
	    "Europe/Madrid", 11);
	assert_ptr_equal(asked.answer.limit, asked.mail.meters.list[1]->limit);
	assert_true(asked.answer.next == asked.now + 60 * SECOND);
	expect_used("acme", "steady", 0, 3);	/* not of steady either */
	assert_int_equal(ask_rcpt("<r@remote.example>", "smtp"),
	    VERDICT_PASS);
	assert_int_equal(ask_rcpt("<r@remote.example>", "smtp"),
	    VERDICT_PASS);
	assert_int_equal(ask_rcpt("<r@remote.example>", "smtp"),
	    VERDICT_DEFER);
	expect_reply("451", "4.7.0", "limit steady", 10);
	assert_int_equal(ask_from("a@acme.example"), VERDICT_PASS);
	assert_int_equal(ask_end(10), VERDICT_PASS);
	assert_int_equal(asked.mail.nrcpts, 5);
	settled();
	expect_used("acme", "steady", 5, 0);
	asked.now += 60 * SECOND;
	mail("acme", "<a@acme.example>", 0);
	assert_int_equal(ask_rcpt("<r@gmail.com>", "smtp"), VERDICT_PASS);
}

static void
refuse_beats_defer_and_the_latest_slot_is_told(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 8; i++, asked.now += 60 * SECOND) {
		mail("acme", "<>", 0);
		if (i >= 3)		/* a fourth message of the day */
			break;
		assert_int_equal(ask_rcpt("<r@remote.example>", "smtp"),
		    VERDICT_PASS);
		assert_int_equal(ask_rcpt("<r@remote.example>", "smtp"),
		    VERDICT_PASS);
		assert_int_equal(ask_from("a@acme.example"), VERDICT_PASS);
		assert_int_equal(ask_end(1), VERDICT_PASS);
		settled();
	}
	assert_int_equal(ask_rcpt("<r@remote.example>", "smtp"),
	    VERDICT_DEFER);
	expect_reply("451", "4.7.0", "limit messages (3/day) is used up; next "
	    "slot 2024-10-05 00:00 Europe/Madrid", 13);
	/* in one message: hard has two left, steady three and a bit */
	asked_end();
	asked_begin(policy);
	mail("acme", "<>", 0);
	for (i = 0; i < 5; i++)
		assert_int_equal(ask_rcpt("<r@remote.example>", "smtp"),
		    VERDICT_PASS);
	assert_int_equal(ask_from("a@acme.example"), VERDICT_PASS);
	assert_int_equal(ask_end(1), VERDICT_PASS);
	settled();
	asked.now += 180 * SECOND;
	mail("acme", "<>", 0);
	for (i = 0; i < 3; i++)
		assert_int_equal(ask_rcpt("<r@remote.example>", "smtp"),
		    VERDICT_PASS);
	assert_int_equal(ask_rcpt("<r@remote.example>", "smtp"),
	    VERDICT_REFUSE);
	expect_reply("550", "5.7.1", "limit hard (8/day) is used up; next slot "
	    "2024-10-05 00:00 Europe/Madrid", 15);
}

static void
a_group_shares_its_limit_and_one_holds_a_quarter(void **state)
{
	int i;

	(void)state;
	mail("one", "<>", 0);
	for (i = 0; i < 10; i++)
		assert_int_equal(ask_rcpt("<r@remote.example>", "smtp"),
		    VERDICT_PASS);
	assert_int_equal(ask_rcpt("<r@remote.example>", "smtp"),
	    VERDICT_DEFER);
	expect_reply("451", "4.7.0", "tenant one: limit contract (40/day): too "
	    "much of it is held by this tenant's open messages", 4);
	assert_int_equal(ask_from("a@one.example"), VERDICT_PASS);
	assert_int_equal(ask_end(1), VERDICT_PASS);
	settled();
	expect_used("two", "contract", 10, 0);
	mail("two", "<>", 0);
	for (i = 0; i < 10; i++)
		assert_int_equal(ask_rcpt("<r@remote.example>", "smtp"),
		    VERDICT_PASS);
	expect_used("one", "contract", 10, 10);
}

static void
one_recipient_may_take_more_than_a_quarter(void **state)
{
	(void)state;
	mail("east", "<>", 600);
	assert_int_equal(ask_rcpt("<r@remote.example>", "smtp"),
	    VERDICT_PASS);
	assert_int_equal(ask_from("a@east.example"), VERDICT_PASS);
	assert_int_equal(ask_end(700), VERDICT_PASS);
	settled();
	expect_used("east", "volume", 700, 0);
}

static void
a_group_counts_in_the_zone_of_the_policy(void **state)
{
	(void)state;
	/* 23:00 UTC: tomorrow in Tokyo, evening in New York, today for both */
	asked.now += 23 * 3600 * SECOND;
	mail("east", "<>", 0);
	assert_int_equal(ask_rcpt("<r@remote.example>", "smtp"),
	    VERDICT_PASS);
	assert_int_equal(ask_from("a@east.example"), VERDICT_PASS);
	assert_int_equal(ask_end(1), VERDICT_PASS);
	settled();
	expect_used("west", "shared", 1, 0);
	asked.now += 3600 * SECOND;
	expect_used("east", "shared", 0, 0);
	expect_used("west", "shared", 0, 0);
}

static void
shadow_may_hold_more_than_its_part(void **state)
{
	int i;

	(void)state;
	mail("west", "<>", 0);
	for (i = 0; i < 5; i++)
		assert_int_equal(ask_rcpt("<r@remote.example>", "smtp"),
		    VERDICT_PASS);
	assert_int_equal(asked.mail.would.verdict, VERDICT_DEFER);
	expect_used("east", "shared", 0, 5);
}

static void
refuse_wins_and_the_slot_of_the_other_is_told(void **state)
{
	(void)state;
	asked.now += SECOND;
	mail("mix", "<>", 0);
	assert_int_equal(ask_rcpt("<r@remote.example>", "smtp"),
	    VERDICT_PASS);
	assert_int_equal(ask_rcpt("<r@remote.example>", "smtp"),
	    VERDICT_REFUSE);
	expect_reply("550", "5.7.1", "limit soon (1/minute) is used up; next "
	    "slot 2024-10-05 00:00 UTC", 29);
}

static void
the_minute_told_is_not_too_early(void **state)
{
	int i;

	(void)state;
	asked.now += 30 * SECOND;
	mail("acme", "<>", 0);
	for (i = 0; i < 5; i++)
		assert_int_equal(ask_rcpt("<r@remote.example>", "smtp"),
		    VERDICT_PASS);
	assert_int_equal(ask_rcpt("<r@remote.example>", "smtp"),
	    VERDICT_DEFER);		/* fits again at 02:01:30 */
	expect_reply("451", "4.7.0", "next slot 2024-10-04 02:02", 10);
}

static void
a_window_that_rolled_since_rcpt_is_charged_anew(void **state)
{
	int64_t midnight = asked.now + DAY - 2 * 3600 * SECOND; /* Madrid */

	(void)state;
	asked.now = midnight - SECOND;
	mail("acme", "<>", 0);
	assert_int_equal(ask_rcpt("<r@remote.example>", "smtp"),
	    VERDICT_PASS);
	asked.now = midnight + SECOND;
	assert_int_equal(ask_from("a@acme.example"), VERDICT_PASS);
	assert_int_equal(ask_end(1), VERDICT_PASS);
	settled();
	expect_used("acme", "messages", 1, 0);
	expect_used("acme", "hard", 1, 0);
	asked.now = midnight - SECOND;
	asked.now = midnight + DAY - SECOND;
	expect_used("acme", "hard", 1, 0);
	asked.now = midnight + DAY;
	expect_used("acme", "hard", 0, 0);
}

static void
idle_for_two_minutes_it_is_reserved_anew_at_the_end(void **state)
{
	(void)state;
	mail("acme", "<>", 0);
	assert_int_equal(ask_rcpt("<r@remote.example>", "smtp"),
	    VERDICT_PASS);
	asked.now += 121 * SECOND;
	expect_used("acme", "hard", 0, 0);
	assert_int_equal(ask_from("a@acme.example"), VERDICT_PASS);
	assert_int_equal(ask_end(7), VERDICT_PASS);
	expect_used("acme", "hard", 0, 1);
	expect_used("acme", "bytes", 0, 7);
}

static void
too_many_recipients_is_452_for_the_rest(void **state)
{
	(void)state;
	mail("few", "<>", 0);
	assert_int_equal(ask_rcpt("<r@here.example>", "local"), VERDICT_PASS);
	assert_int_equal(ask_rcpt("<r@remote.example>", "smtp"),
	    VERDICT_PASS);
	asked.now += 60 * SECOND;
	assert_int_equal(ask_rcpt("<r@remote.example>", "smtp"),
	    VERDICT_DEFER);		/* by the throttle: burst 1 */
	expect_reply("451", "4.7.0", "limit late", 26);
	asked.mail.nremote = 2;
	assert_int_equal(ask_rcpt("<r@remote.example>", "smtp"),
	    VERDICT_DEFER);
	expect_reply("452", "4.5.3", "at most 2 recipients in one message",
	    25);
}

static void
jitter_tells_a_later_slot_never_an_earlier(void **state)
{
	int64_t wait, least = INT64_MAX, most = 0;
	int i;

	(void)state;
	mail("few", "<>", 0);
	assert_int_equal(ask_rcpt("<r@remote.example>", "smtp"),
	    VERDICT_PASS);
	assert_int_equal(ask_from("a@few.example"), VERDICT_PASS);
	assert_int_equal(ask_end(1), VERDICT_PASS);
	settled();
	for (i = 0; i < 50; i++) {
		mail("few", "<>", 0);
		assert_int_equal(ask_rcpt("<r@remote.example>", "smtp"),
		    VERDICT_DEFER);
		wait = asked.answer.next - asked.now;
		least = wait < least ? wait : least;
		most = wait > most ? wait : most;
		asked.now += 1000;
	}
	assert_true(least >= 59 * SECOND && most <= 90 * SECOND);
	assert_true(most - least > 10 * SECOND);
}

static void
what_can_never_fit_says_so(void **state)
{
	(void)state;
	mail("few", "<>", 11);
	assert_int_equal(ask_rcpt("<r@remote.example>", "smtp"),
	    VERDICT_DEFER);
	expect_reply("451", "4.7.0", "limit huge (10/day): this asks for 11 "
	    "bytes, never more than 10 fit at once", 27);
	mail("few", "<>", INT64_MAX);
	assert_int_equal(ask_rcpt("<r@remote.example>", "smtp"),
	    VERDICT_DEFER);
	assert_int_equal(asked.answer.next, 0);
}

static void
shadow_lets_pass_counts_and_remembers_the_worst(void **state)
{
	int i;

	(void)state;
	mail("soft", "<>", 0);
	for (i = 0; i < 2; i++)
		assert_int_equal(ask_rcpt("<r@remote.example>", "smtp"),
		    VERDICT_PASS);
	assert_int_equal(asked.mail.would.verdict, VERDICT_PASS);
	for (i = 0; i < 3; i++)
		assert_int_equal(ask_rcpt("<r@remote.example>", "smtp"),
		    VERDICT_PASS);
	assert_int_equal(asked.mail.would.verdict, VERDICT_DEFER);
	assert_int_equal(asked.mail.would.rule.line, 23);
	assert_non_null(asked.mail.would.limit);
	assert_int_equal(ask_from("a@soft.example"), VERDICT_PASS);
	assert_int_equal(ask_end(1), VERDICT_PASS);
	settled();
	expect_used("soft", "tiny", 5, 0);
	mail("soft", "<>", 0);
	assert_int_equal(ask_rcpt("<r@remote.example>", "smtp"),
	    VERDICT_PASS);
	assert_int_equal(asked.mail.would.verdict, VERDICT_DEFER);
}

static void
trusted_mail_is_charged_whole_or_not_at_all(void **state)
{
	int i;

	(void)state;
	assert_int_equal(ask_mail(NULL, "10.9.0.1", "<>", 0), VERDICT_PASS);
	for (i = 0; i < 6; i++)
		assert_int_equal(ask_rcpt("<r@remote.example>", "smtp"),
		    VERDICT_PASS);
	assert_int_equal(ask_from("a@acme.example"), VERDICT_PASS);
	expect_used("acme", "steady", 0, 0);
	assert_int_equal(ask_end(1), VERDICT_DEFER);
	expect_reply("451", "4.7.0", "limit steady (60/hour): this asks for 6 "
	    "recipients, never more than 5", 10);
	decide_abort(&asked.mail);
	expect_used("acme", "hard", 0, 0);

	assert_int_equal(ask_mail(NULL, "10.9.0.1", "<>", 0), VERDICT_PASS);
	for (i = 0; i < 3; i++)
		assert_int_equal(ask_rcpt("<r@gmail.com>", "smtp"),
		    VERDICT_PASS);
	assert_int_equal(ask_from("a@acme.example"), VERDICT_PASS);
	assert_int_equal(ask_end(10), VERDICT_PASS);
	settled();
	expect_used("acme", "steady", 3, 0);
	expect_used("acme", "google", 3, 0);
	expect_used("acme", "bytes", 30, 0);

	assert_int_equal(ask_mail(NULL, "10.9.0.1", "<>", 0), VERDICT_PASS);
	for (i = 0; i < 3; i++)
		assert_int_equal(ask_rcpt("<r@remote.example>", "smtp"),
		    VERDICT_PASS);
	assert_int_equal(ask_from("a@few.example"), VERDICT_DEFER);
	expect_reply("452", "4.5.3", "at most 2 recipients", 25);
}

static void
edits_of_number_class_and_file_keep_what_was_spent(void **state)
{
	static const char edited[] = "include \"tenants.d\"\n"
	    "class \"c\" { throttle \"steady\" { rate = \"6/hour\" "
	    "burst = 9 }\n cap \"hard\" { limit = \"6/day\" } }\n";
	static const char acme[] = "tenant \"acme\" { class = \"c\"\n"
	    "logins = {\"acme\"}  domains = {\"acme.example\"}\n"
	    "timezone = \"Europe/Madrid\" }\n";
	int i;

	(void)state;
	mail("acme", "<>", 0);
	for (i = 0; i < 5; i++)
		assert_int_equal(ask_rcpt("<r@remote.example>", "smtp"),
		    VERDICT_PASS);
	assert_int_equal(ask_from("a@acme.example"), VERDICT_PASS);
	assert_int_equal(ask_end(1), VERDICT_PASS);
	settled();
	decide_abort(&asked.mail);
	files_write("policy.conf", edited, sizeof(edited) - 1);
	files_write("tenants.d/a.conf", acme, sizeof(acme) - 1);
	asked_load();
	expect_used("acme", "steady", 5, 0);
	expect_used("acme", "hard", 5, 0);
	mail("acme", "<>", 0);
	assert_int_equal(ask_rcpt("<r@remote.example>", "smtp"),
	    VERDICT_PASS);
	assert_int_equal(ask_rcpt("<r@remote.example>", "smtp"),
	    VERDICT_DEFER);
	expect_reply("451", "4.7.0", "limit hard (6/day)", 3);
}

static void
a_limit_that_counts_something_else_starts_anew(void **state)
{
	static const char edited[] = "tenant \"acme\" { logins = {\"acme\"}\n"
	    "domains = {\"acme.example\"}  timezone = \"Europe/Madrid\"\n"
	    "cap \"messages\" { limit = \"900/day\"  count = \"bytes\" }\n"
	    "cap \"bytes\" { limit = \"9/day\" }\n"
	    "cap \"hard\" { limit = \"9/day\" } }\n";

	(void)state;
	mail("acme", "<>", 0);
	assert_int_equal(ask_rcpt("<r@remote.example>", "smtp"),
	    VERDICT_PASS);
	assert_int_equal(ask_from("a@acme.example"), VERDICT_PASS);
	assert_int_equal(ask_end(500), VERDICT_PASS);
	settled();
	decide_abort(&asked.mail);
	expect_used("acme", "bytes", 500, 0);
	files_write("policy.conf", edited, sizeof(edited) - 1);
	asked_load();
	/* 500 bytes are not 500 recipients */
	expect_used("acme", "bytes", 0, 0);
	expect_used("acme", "messages", 0, 0);
	expect_used("acme", "hard", 1, 0);
}

#define T(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_recipient_is_charged_where_it_is_watched),
		T(local_recipients_are_never_charged),
		T(bytes_are_settled_as_size_times_recipients),
		T(one_limit_that_is_full_defers_one_recipient),
		T(refuse_beats_defer_and_the_latest_slot_is_told),
		T(a_group_shares_its_limit_and_one_holds_a_quarter),
		T(one_recipient_may_take_more_than_a_quarter),
		T(a_group_counts_in_the_zone_of_the_policy),
		T(shadow_may_hold_more_than_its_part),
		T(refuse_wins_and_the_slot_of_the_other_is_told),
		T(the_minute_told_is_not_too_early),
		T(a_window_that_rolled_since_rcpt_is_charged_anew),
		T(idle_for_two_minutes_it_is_reserved_anew_at_the_end),
		T(too_many_recipients_is_452_for_the_rest),
		T(jitter_tells_a_later_slot_never_an_earlier),
		T(what_can_never_fit_says_so),
		T(shadow_lets_pass_counts_and_remembers_the_worst),
		T(trusted_mail_is_charged_whole_or_not_at_all),
		T(edits_of_number_class_and_file_keep_what_was_spent),
		T(a_limit_that_counts_something_else_starts_anew),
	};

	return cmocka_run_group_tests_name("decide_limits", tests, files_keys,
	    files_no_keys);
}
