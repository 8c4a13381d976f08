/*
 * decide and what a full limit does: hold, defer, refuse; how much may be
 * held; all recipients or none; limits in shadow; what may be open at once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "tests/unit/charged.h"

#define SECOND	INT64_C(1000000)
#define HOUR	(3600 * SECOND)

static const char policy[] =
/*  1 */ "timezone = \"UTC\"\n"
/*  2 */ "tenant \"h\" { logins = {\"h\"}  domains = {\"h.example\"}\n"
/*  3 */ "  cap \"daily\" { limit = \"4/day\"  over = \"hold\" }\n"
/*  4 */ "  cap \"also\" { limit = \"100/day\" }\n"
/*  5 */ "}\n"
/*  6 */ "tenant \"t\" { logins = {\"t\"}  domains = {\"t.example\"}\n"
/*  7 */ "  hold_max = \"2h\"  then = \"refuse\"\n"
/*  8 */ "  throttle \"slow\" { rate = \"3/hour\"  burst = 2\n"
/*  9 */ "    over = \"hold\" }\n"
/* 10 */ "}\n"
/* 11 */ "tenant \"m\" { logins = {\"m\"}  domains = {\"m.example\"}\n"
/* 12 */ "  cap \"month\" { limit = \"1/month\"  over = \"hold\" }\n"
/* 13 */ "}\n"
/* 14 */ "tenant \"mix\" { logins = {\"mix\"}  domains = {\"mix.example\"}"
	    "  hold_max = \"72h\"\n"
/* 15 */ "  cap \"holds\" { limit = \"2/day\"  over = \"hold\" }\n"
/* 16 */ "  cap \"defers\" { limit = \"4/day\" }\n"
/* 17 */ "  cap \"refuses\" { limit = \"5/day\"  over = \"refuse\" }\n"
/* 18 */ "  cap \"google\" { limit = \"1/day\"  to = \"provider:google\"\n"
/* 19 */ "    over = \"hold\" }\n"
/* 20 */ "}\n"
/* 21 */ "tenant \"quick\" { logins = {\"quick\"}  domains = {\"q.example\"}\n"
/* 22 */ "  priority = \"interactive\"\n"
/* 23 */ "  cap \"daily\" { limit = \"1/day\" }\n"
/* 24 */ "}\n"
/* 25 */ "tenant \"s\" { logins = {\"s\"}  domains = {\"s.example\"}\n"
/* 26 */ "  cap \"trial\" { limit = \"1/day\"  mode = \"shadow\"\n"
/* 27 */ "    over = \"refuse\" }\n"
/* 28 */ "  cap \"holds\" { limit = \"1/day\"  mode = \"shadow\"\n"
/* 29 */ "    over = \"hold\" }\n"
/* 30 */ "  cap \"real\" { limit = \"3/day\" }\n"
/* 31 */ "}\n"
/* 32 */ "tenant \"o\" { logins = {\"o\"}  domains = {\"o.example\"}\n"
/* 33 */ "  open \"way\" { limit = \"3\" }\n"
/* 34 */ "}\n"
/* 35 */ "tenant \"p\" { logins = {\"p\"}  domains = {\"p.example\"}\n"
/* 36 */ "  cap \"few\" { limit = \"2/day\" }\n"
/* 37 */ "  stream \"any\" { match = {\"sender:any@*\"}\n"
/* 38 */ "    partial = \"allow\" }\n"
/* 39 */ "  stream \"all\" { match = {\"sender:all@*\"}\n"
/* 40 */ "    partial = \"all-or-none\" }\n"
/* 41 */ "}\n";

static int64_t finals_now;
static struct charge queue[64];		/* what is held, oldest first */
static size_t nqueue;

static int
setup(void **state)
{
	(void)state;
	asked_begin(policy);
	finals_now = 0;
	nqueue = 0;
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
mail(const char *login, const char *from)
{
	assert_int_equal(ask_mail(login, NULL, from, 0), VERDICT_PASS);
}

static enum verdict
to(const char *path)
{
	return ask_rcpt(path, "smtp");
}

/* queued - what the mail at hand adds to the held, remembered */
static void
queued(void)
{
	const struct claim *claim = &asked.mail.claim;

	for (size_t i = 0; i < claim->n; i++)
		if (claim->asks[i].charge.kind == LIMIT_HELD) {
			assert_true(nqueue < 64);
			queue[nqueue] = claim->asks[i].charge;
			queue[nqueue++].name = SLICE_NONE;
		}
}

/* let_go - the oldest n of them are held no more */
static void
let_go(size_t n)
{
	assert_true(n <= nqueue);
	for (size_t i = 0; i < n; i++) {
		queue[i].amount = -queue[i].amount;
		ledger_settle(asked.ledger, &queue[i], 1, true, ++asked.seq,
		    asked.now);
	}
	nqueue -= n;
	memmove(queue, queue + n, nqueue * sizeof(queue[0]));
}

/* end - headers from that domain, and the end; settled if accepted */
static enum verdict
end(const char *from)
{
	enum verdict verdict;

	assert_int_equal(ask_from(from), VERDICT_PASS);
	verdict = ask_end(1);
	if (verdict <= VERDICT_HOLD) {
		queued();
		settled();
	}
	return verdict;
}

/* whole - a message to so many; its verdict at the end */
static enum verdict
whole(const char *login, const char *from, int n)
{
	mail(login, "<>");
	while (n-- > 0)
		assert_true(to("<r@remote.example>") <= VERDICT_HOLD);
	return end(from);
}

/* held - of a limit, how much waits in the hold queue; the charges say so */
static int64_t
held(const char *name)
{
	const struct claim *claim = &asked.mail.claim;
	size_t i;

	for (i = 0; i < claim->n; i++)
		if (slice_is(claim->asks[i].charge.name, name))
			return claim->asks[i].charge.amount;
	return 0;
}

static void
a_full_limit_holds_and_the_others_are_charged(void **state)
{
	(void)state;
	assert_int_equal(whole("h", "x@h.example", 3), VERDICT_PASS);
	mail("h", "<>");
	assert_int_equal(to("<a@remote.example>"), VERDICT_PASS);
	assert_int_equal(to("<b@remote.example>"), VERDICT_HOLD);
	expect_reply("250", "2.0.0", "tenant h: limit daily (4/day) is used "
	    "up; held, next slot 2024-10-05 00:00", 3);
	assert_int_equal(asked.mail.nrcpts, 2);
	/* the first one counts among the held as well now: all or none */
	expect_used("h", "daily", 3, 0);
	expect_used("h", "also", 3, 2);
	assert_int_equal(ask_from("x@h.example"), VERDICT_PASS);
	assert_int_equal(ask_end(1), VERDICT_HOLD);
	expect_reply("250", "2.0.0", "limit daily (4/day) is used up; held", 3);
	assert_int_equal(held("held:daily"), 2);
	assert_int_equal(held("daily"), 0);
	assert_int_equal(held("also"), 2);
	assert_int_equal(asked.mail.rcpts[0].verdict, VERDICT_HOLD);
	assert_int_equal(asked.mail.rcpts[0].rule.line, 3);
	queued();
	settled();
	expect_used("h", "daily", 3, 0);
	expect_used("h", "also", 5, 0);
	/* there is room for one, and the held go first */
	assert_int_equal(whole("h", "x@h.example", 1), VERDICT_HOLD);
	let_go(2);
	assert_int_equal(whole("h", "x@h.example", 1), VERDICT_PASS);
}

static void
no_more_is_held_than_comes_out_in_time(void **state)
{
	int i;

	(void)state;
	assert_int_equal(whole("h", "x@h.example", 4), VERDICT_PASS);
	assert_int_equal(whole("h", "x@h.example", 3), VERDICT_HOLD);
	assert_int_equal(whole("h", "x@h.example", 1), VERDICT_HOLD);
	mail("h", "<>");
	assert_int_equal(to("<b@remote.example>"), VERDICT_DEFER);
	expect_reply("451", "4.7.0", "limit daily (4/day) is used up; no more "
	    "of it may be held, next slot 2024-10-06 00:00", 3);
	decide_abort(&asked.mail);
	/* the day ends, and they wait on: as many as come out of it */
	asked.now += 24 * HOUR;
	mail("h", "<>");
	assert_int_equal(to("<b@remote.example>"), VERDICT_HOLD);
	decide_abort(&asked.mail);
	assert_int_equal(whole("h", "x@h.example", 4), VERDICT_HOLD);
	mail("h", "<>");
	assert_int_equal(to("<b@remote.example>"), VERDICT_DEFER);
	decide_abort(&asked.mail);
	let_go(3);
	assert_int_equal(whole("h", "x@h.example", 4), VERDICT_PASS);
	/* a throttle: 3 an hour for two hours */
	assert_int_equal(whole("t", "x@t.example", 2), VERDICT_PASS);
	for (i = 0; i < 6; i++)
		assert_int_equal(whole("t", "x@t.example", 1), VERDICT_HOLD);
	mail("t", "<>");
	assert_int_equal(to("<b@remote.example>"), VERDICT_REFUSE);
	expect_reply("550", "5.7.1", "no more of it may be held", 8);
	decide_abort(&asked.mail);
	/* an hour later three of the spent have leaked, and the held wait */
	asked.now += HOUR;
	mail("t", "<>");
	assert_int_equal(to("<b@remote.example>"), VERDICT_HOLD);
	decide_abort(&asked.mail);
	let_go(6);
	assert_int_equal(whole("t", "x@t.example", 2), VERDICT_PASS);
	for (i = 0; i < 6; i++)
		assert_int_equal(whole("t", "x@t.example", 1), VERDICT_HOLD);
	mail("t", "<>");
	assert_int_equal(to("<b@remote.example>"), VERDICT_REFUSE);
}

static void
what_would_wait_too_long_is_not_held(void **state)
{
	(void)state;
	assert_int_equal(whole("m", "x@m.example", 1), VERDICT_PASS);
	mail("m", "<>");
	assert_int_equal(to("<b@remote.example>"), VERDICT_DEFER);
	expect_reply("451", "4.7.0", "limit month (1/month) is used up; next "
	    "slot 2024-11-01 00:00", 12);
	decide_abort(&asked.mail);
	/* the last day of the month */
	asked.now += 27 * 24 * HOUR + HOUR;
	mail("m", "<>");
	assert_int_equal(to("<b@remote.example>"), VERDICT_HOLD);
	/* never is too long, too */
	mail("t", "<>");
	assert_int_equal(to("<a@remote.example>"), VERDICT_PASS);
	assert_int_equal(to("<b@remote.example>"), VERDICT_PASS);
	assert_int_equal(to("<c@remote.example>"), VERDICT_HOLD);
	assert_int_equal(ask_from("x@t.example"), VERDICT_PASS);
	assert_int_equal(ask_end(1), VERDICT_REFUSE);
	expect_reply("550", "5.7.1", "limit slow (3/hour): this asks for 3 "
	    "recipients, never more than 2 fit at once", 8);
}

static void
refuse_beats_defer_beats_hold(void **state)
{
	(void)state;
	assert_int_equal(whole("mix", "x@mix.example", 2), VERDICT_PASS);
	assert_int_equal(whole("mix", "x@mix.example", 1), VERDICT_HOLD);
	assert_int_equal(whole("mix", "x@mix.example", 1), VERDICT_HOLD);
	mail("mix", "<>");
	assert_int_equal(to("<b@remote.example>"), VERDICT_DEFER);
	expect_reply("451", "4.7.0", "limit defers (4/day)", 16);
	expect_used("mix", "refuses", 4, 0);
	decide_abort(&asked.mail);
	asked.now += 24 * HOUR;
	let_go(2);
	assert_int_equal(whole("mix", "x@mix.example", 2), VERDICT_PASS);
	mail("mix", "<>");
	assert_int_equal(to("<a@remote.example>"), VERDICT_HOLD);
	assert_int_equal(to("<b@remote.example>"), VERDICT_HOLD);
	assert_int_equal(to("<c@remote.example>"), VERDICT_DEFER);
	/* who is turned away changes nothing for the others */
	assert_int_equal(end("x@mix.example"), VERDICT_HOLD);
	expect_used("mix", "defers", 4, 0);
}

static void
one_held_recipient_holds_the_message(void **state)
{
	(void)state;
	mail("mix", "<>");
	assert_int_equal(to("<a@gmail.com>"), VERDICT_PASS);
	assert_int_equal(end("x@mix.example"), VERDICT_PASS);
	mail("mix", "<>");
	assert_int_equal(to("<b@gmail.com>"), VERDICT_HOLD);
	decide_abort(&asked.mail);
	mail("mix", "<>");
	assert_int_equal(ask_rcpt("<us@mix.example>", "local"), VERDICT_PASS);
	assert_int_equal(to("<a@remote.example>"), VERDICT_PASS);
	assert_int_equal(ask_from("x@mix.example"), VERDICT_PASS);
	assert_int_equal(ask_end(1), VERDICT_PASS);
	decide_abort(&asked.mail);
	mail("mix", "<>");
	assert_int_equal(ask_rcpt("<us@mix.example>", "local"), VERDICT_PASS);
	assert_int_equal(to("<a@gmail.com>"), VERDICT_HOLD);
	assert_int_equal(ask_from("x@mix.example"), VERDICT_PASS);
	assert_int_equal(ask_end(1), VERDICT_HOLD);
	assert_int_equal(asked.mail.rcpts[0].verdict, VERDICT_PASS);
	assert_int_equal(asked.mail.rcpts[1].verdict, VERDICT_HOLD);
	assert_int_equal(held("holds"), 1);
	assert_int_equal(held("google"), 0);
	assert_int_equal(held("held:google"), 1);
}

static void
room_that_came_meanwhile_lets_it_pass(void **state)
{
	(void)state;
	assert_int_equal(whole("t", "x@t.example", 2), VERDICT_PASS);
	mail("t", "<>");
	assert_int_equal(to("<b@remote.example>"), VERDICT_HOLD);
	asked.now += HOUR / 3;
	assert_int_equal(end("x@t.example"), VERDICT_PASS);
	assert_null(asked.mail.hold.code);
	expect_used("t", "slow", 2, 0);
}

static void
interactive_mail_is_held_without_a_word(void **state)
{
	(void)state;
	assert_int_equal(whole("quick", "x@q.example", 1), VERDICT_PASS);
	assert_int_equal(whole("quick", "x@q.example", 1), VERDICT_HOLD);
}

static void
a_limit_alone_in_shadow(void **state)
{
	(void)state;
	assert_int_equal(whole("s", "x@s.example", 1), VERDICT_PASS);
	assert_int_equal(asked.mail.would.verdict, VERDICT_PASS);
	mail("s", "<>");
	assert_int_equal(to("<a@remote.example>"), VERDICT_PASS);
	assert_int_equal(asked.mail.would.verdict, VERDICT_REFUSE);
	assert_int_equal(asked.mail.would.rule.line, 26);
	assert_int_equal(to("<b@remote.example>"), VERDICT_PASS);
	assert_int_equal(to("<c@remote.example>"), VERDICT_DEFER);
	expect_reply("451", "4.7.0", "limit real (3/day)", 30);
	assert_int_equal(end("x@s.example"), VERDICT_PASS);
	expect_used("s", "trial", 3, 0);
	expect_used("s", "holds", 3, 0);
	expect_used("s", "real", 3, 0);
}

static int64_t
finals(void *with, const uint8_t key[16])
{
	(void)with;
	(void)key;
	return finals_now;
}

static void
what_is_open_ends_when_it_is_final(void **state)
{
	(void)state;
	ledger_finals(asked.ledger, finals, NULL);
	assert_int_equal(whole("o", "x@o.example", 2), VERDICT_PASS);
	mail("o", "<>");
	assert_int_equal(to("<a@remote.example>"), VERDICT_PASS);
	assert_int_equal(to("<b@remote.example>"), VERDICT_DEFER);
	expect_reply("451", "4.7.0", "limit way (3) is used up; next slot when "
	    "mail that is under way has arrived or failed", 33);
	assert_int_equal(asked.answer.next, 0);
	expect_used("o", "way", 2, 1);
	assert_int_equal(end("x@o.example"), VERDICT_PASS);
	expect_used("o", "way", 3, 0);
	asked.now += 40 * 24 * HOUR;		/* nothing leaks */
	expect_used("o", "way", 3, 0);
	finals_now = 2;
	expect_used("o", "way", 1, 0);
	mail("o", "<>");
	assert_int_equal(to("<a@remote.example>"), VERDICT_PASS);
	assert_int_equal(to("<b@remote.example>"), VERDICT_PASS);
	assert_int_equal(to("<c@remote.example>"), VERDICT_DEFER);
	assert_int_equal(end("x@o.example"), VERDICT_PASS);
	finals_now = 7;				/* more than there were */
	expect_used("o", "way", 0, 0);
	mail("o", "<>");
	assert_int_equal(to("<a@remote.example>"), VERDICT_PASS);
	assert_int_equal(to("<b@remote.example>"), VERDICT_PASS);
	assert_int_equal(to("<c@remote.example>"), VERDICT_PASS);
	assert_int_equal(to("<d@remote.example>"), VERDICT_DEFER);
}

static void
all_or_none_where_mail_programs_submit(void **state)
{
	(void)state;
	asked.listener = "submission";
	mail("p", "<x@p.example>");
	assert_int_equal(to("<a@remote.example>"), VERDICT_PASS);
	assert_int_equal(to("<b@remote.example>"), VERDICT_PASS);
	assert_int_equal(to("<c@remote.example>"), VERDICT_DEFER);
	expect_reply("451", "4.7.0", "limit few (2/day)", 36);
	expect_used("p", "few", 0, 0);		/* nobody waits for it */
	assert_int_equal(ask_rcpt("<us@p.example>", "local"), VERDICT_DEFER);
	expect_reply("451", "4.7.0", "limit few (2/day)", 36);
	assert_int_equal(ask_from("x@p.example"), VERDICT_DEFER);
	expect_reply("451", "4.7.0", "limit few (2/day)", 36);
	assert_int_equal(asked.answer.stage, STAGE_HEADERS);
	/* the next message is another matter */
	assert_int_equal(whole("p", "x@p.example", 2), VERDICT_PASS);
}

static void
the_stream_may_say_otherwise(void **state)
{
	(void)state;
	asked.listener = "submissions";
	mail("p", "<any@p.example>");
	assert_int_equal(to("<a@remote.example>"), VERDICT_PASS);
	assert_int_equal(to("<b@remote.example>"), VERDICT_PASS);
	assert_int_equal(to("<c@remote.example>"), VERDICT_DEFER);
	assert_int_equal(end("x@p.example"), VERDICT_PASS);
	asked.listener = "smtpd";
	asked.now += 24 * HOUR;
	mail("p", "<all@p.example>");
	assert_int_equal(to("<a@remote.example>"), VERDICT_PASS);
	assert_int_equal(to("<b@remote.example>"), VERDICT_PASS);
	assert_int_equal(to("<c@remote.example>"), VERDICT_DEFER);
	assert_int_equal(ask_from("x@p.example"), VERDICT_DEFER);
	/* on the same listener the default stream lets the two have it */
	mail("p", "<x@p.example>");
	assert_int_equal(to("<a@remote.example>"), VERDICT_PASS);
	assert_int_equal(to("<b@remote.example>"), VERDICT_PASS);
	assert_int_equal(to("<c@remote.example>"), VERDICT_DEFER);
	assert_int_equal(end("x@p.example"), VERDICT_PASS);
}

#define T(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_full_limit_holds_and_the_others_are_charged),
		T(no_more_is_held_than_comes_out_in_time),
		T(what_would_wait_too_long_is_not_held),
		T(refuse_beats_defer_beats_hold),
		T(one_held_recipient_holds_the_message),
		T(room_that_came_meanwhile_lets_it_pass),
		T(interactive_mail_is_held_without_a_word),
		T(a_limit_alone_in_shadow),
		T(what_is_open_ends_when_it_is_final),
		T(all_or_none_where_mail_programs_submit),
		T(the_stream_may_say_otherwise),
	};

	return cmocka_run_group_tests_name("decide_hold", tests, files_keys,
	    files_no_keys);
}
