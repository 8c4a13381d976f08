/*
 * decide and `per`: what a limit counts apart, what is one counter and what is
 * two, and that a thousand recipients at a thousand domains are no burden.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>
#include <cmocka.h>

#include "lib/provider.h"
#include "tests/unit/charged.h"

#define DOMAINS	1000

static const char policy[] =
/*  1 */ "timezone = \"UTC\"\n"
/*  2 */ "cap \"house\" { limit = \"1000000/day\"  per = \"all\" }\n"
/*  3 */ "cap \"each\" { limit = \"1000000/day\"  per = \"tenant\" }\n"
/*  4 */ "cap \"into\" { limit = \"1000000/day\"  per = \"provider\" }\n"
/*  5 */ "group \"g\" { cap \"lists\" { limit = \"100000/day\"\n"
/*  6 */ "  per = {\"group\", \"sender_domain\"} } }\n"
/*  7 */ "tenant \"a\" { group = \"g\"\n"
/*  8 */ "  logins = {\"*@a.example\"}  domains = {\"*.a.example\",\n"
/*  9 */ "    \"a.example\"}\n"
/* 10 */ "  cap \"person\" { limit = \"3/day\"  per = \"login\" }\n"
/* 11 */ "  cap \"from\" { limit = \"5/day\"  per = \"sender\" }\n"
/* 12 */ "  cap \"domain\" { limit = \"2/day\"  per = \"recipient_domain\" }\n"
/* 13 */ "  cap \"kind\" { limit = \"4/day\"  per = \"stream\" }\n"
/* 14 */ "  cap \"letters\" { limit = \"2/day\"  count = \"messages\"\n"
/* 15 */ "    per = {\"login\", \"provider\"} }\n"
/* 16 */ "  stream \"n\" { match = {\"sender:n@*\"} }\n"
/* 17 */ "  stream \"h\" { match = {\"header:X-H\"} }\n"
/* 18 */ "}\n"
/* 19 */ "tenant \"b\" { group = \"g\"\n"
/* 20 */ "  logins = {\"b\"}  domains = {\"b.example\"} }\n"
/* 21 */ "tenant \"wide\" { logins = {\"wide\"}  domains = {\"w.example\"}\n"
/* 22 */ "  throttle \"one\" { rate = \"1/second\"  burst = 1\n"
/* 23 */ "    per = \"recipient_domain\" }\n"
/* 24 */ "  cap \"two\" { limit = \"5/day\"  per = {\"recipient_domain\",\n"
/* 25 */ "    \"login\"} } }\n"
/* 26 */ "tenant \"dim\" { logins = {\"dim\"}  domains = {\"d.example\"}\n"
/* 27 */ "  throttle \"one\" { rate = \"1/hour\"  burst = 1  mode = \"shadow\"\n"
/* 28 */ "    per = \"recipient_domain\" } }\n";

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

/* one_message - one recipient, to its end; the verdict of the recipient */
static enum verdict
one_message(const char *login, const char *sender, const char *from,
    const char *to)
{
	enum verdict verdict;

	assert_int_equal(ask_mail(login, NULL, sender, 0), VERDICT_PASS);
	verdict = ask_rcpt(to, "smtp");
	if (verdict != VERDICT_PASS)
		return verdict;
	assert_int_equal(ask_from(from), VERDICT_PASS);
	verdict = ask_end(10);
	if (verdict == VERDICT_PASS)
		settled();
	return verdict;
}

/* sent - that it passes */
static void
sent(const char *login, const char *sender, const char *from, const char *to)
{
	assert_int_equal(one_message(login, sender, from, to), VERDICT_PASS);
}

static void
each_login_has_its_own(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 3; i++)
		sent("x@a.example", "<>", "x@a.example",
		    i == 0 ? "<a@1.example>" : i == 1 ? "<a@gmail.com>" :
		    "<a@outlook.com>");
	assert_int_equal(one_message("X@A.example", "<>", "x@a.example",
	    "<a@yahoo.com>"), VERDICT_DEFER);
	expect_reply("451", "4.7.0", "limit person (3/day)", 10);
	sent("y@a.example", "<>", "y@a.example", "<a@yahoo.com>");
	expect_by("a", "person", (struct decide_facts){ .provider = DECIDE_ALL,
	    .login = SLICE("x@a.example") }, 3, 0);
	expect_by("a", "person", (struct decide_facts){ .provider = DECIDE_ALL,
	    .login = SLICE("y@a.example") }, 1, 0);
	expect_by("a", "person", (struct decide_facts){ .provider = DECIDE_ALL,
	    .login = SLICE("z@a.example") }, 0, 0);
}

static void
each_sender_and_the_empty_one_too(void **state)
{
	(void)state;
	sent("x@a.example", "<me@a.example>", "x@a.example", "<a@1.example>");
	sent("y@a.example", "<ME@a.example>", "x@a.example", "<a@2.example>");
	sent("y@a.example", "<>", "x@a.example", "<a@3.example>");
	expect_by("a", "from", (struct decide_facts){ .provider = DECIDE_ALL,
	    .sender = SLICE("me@a.example") }, 2, 0);
	expect_by("a", "from", (struct decide_facts){ .provider = DECIDE_ALL,
	    .sender = SLICE("") }, 1, 0);
}

static void
each_recipient_domain_in_one_message(void **state)
{
	(void)state;
	assert_int_equal(ask_mail("b@a.example", NULL, "<n@a.example>", 0),
	    VERDICT_PASS);
	assert_int_equal(ask_rcpt("<1@one.example>", "smtp"), VERDICT_PASS);
	assert_int_equal(ask_rcpt("<2@one.example>", "smtp"), VERDICT_PASS);
	assert_int_equal(ask_rcpt("<3@One.example>", "smtp"), VERDICT_DEFER);
	expect_reply("451", "4.7.0", "limit domain (2/day)", 12);
	assert_int_equal(ask_rcpt("<1@two.example>", "smtp"), VERDICT_PASS);
	assert_int_equal(ask_from("x@a.example"), VERDICT_PASS);
	assert_int_equal(ask_end(1), VERDICT_PASS);
	settled();
	expect_by("a", "domain", (struct decide_facts){
	    .provider = DECIDE_ALL, .recipient_domain =
	    SLICE("one.example") }, 2, 0);
	expect_by("a", "domain", (struct decide_facts){
	    .provider = DECIDE_ALL, .recipient_domain =
	    SLICE("two.example") }, 1, 0);
	/* main file: one counter of all, one per tenant */
	expect_used("a", "house", 3, 0);
	expect_used("a", "each", 3, 0);
	sent("b", "<>", "x@b.example", "<a@1.example>");
	expect_used("b", "house", 4, 0);
	expect_used("b", "each", 1, 0);
	expect_used("a", "each", 3, 0);
}

static void
each_provider_of_all_tenants(void **state)
{
	struct decide_facts google = { .provider = provider_of(
	    SLICE("gmail.com")) };

	(void)state;
	sent("x@a.example", "<>", "x@a.example", "<a@gmail.com>");
	sent("b", "<>", "x@b.example", "<a@gmail.com>");
	sent("b", "<>", "x@b.example", "<a@yahoo.com>");
	expect_by("b", "into", google, 2, 0);
	google.provider = provider_of(SLICE("yahoo.com"));
	expect_by("a", "into", google, 1, 0);
}

static void
messages_are_counted_once_per_value(void **state)
{
	struct decide_facts f = { .provider = provider_of(SLICE("gmail.com")),
		.login = SLICE("x@a.example") };

	(void)state;
	assert_int_equal(ask_mail("x@a.example", NULL, "<>", 0),
	    VERDICT_PASS);
	assert_int_equal(ask_rcpt("<a@gmail.com>", "smtp"), VERDICT_PASS);
	assert_int_equal(ask_rcpt("<b@gmail.com>", "smtp"), VERDICT_PASS);
	assert_int_equal(ask_rcpt("<c@yahoo.com>", "smtp"), VERDICT_PASS);
	assert_int_equal(ask_from("x@a.example"), VERDICT_PASS);
	assert_int_equal(ask_end(1), VERDICT_PASS);
	settled();
	expect_by("a", "letters", f, 1, 0);
	f.provider = provider_of(SLICE("yahoo.com"));
	expect_by("a", "letters", f, 1, 0);
}

static void
each_stream_even_one_known_late(void **state)
{
	static const char *const h[] = { "From", "x@a.example", "X-H", "1",
		NULL };
	const struct tenant *a = policy_tenant(asked.policy, SLICE("a"));
	struct decide_facts f = { .provider = DECIDE_ALL };

	(void)state;
	sent("x@a.example", "<n@a.example>", "x@a.example", "<a@1.example>");
	assert_int_equal(ask_mail("x@a.example", NULL, "<>", 0),
	    VERDICT_PASS);
	assert_int_equal(ask_rcpt("<a@2.example>", "smtp"), VERDICT_PASS);
	assert_int_equal(ask_headers(h), VERDICT_PASS);
	assert_int_equal(ask_end(1), VERDICT_PASS);
	settled();
	f.stream = policy_stream(a, SLICE("n"));
	expect_by("a", "kind", f, 1, 0);
	f.stream = policy_stream(a, SLICE("h"));
	expect_by("a", "kind", f, 1, 0);
	f.stream = NULL;
	expect_by("a", "kind", f, 0, 0);
}

static void
every_domain_in_from_counts(void **state)
{
	struct decide_facts f = { .provider = DECIDE_ALL,
		.sender_domain = SLICE("a.example") };

	(void)state;
	assert_int_equal(ask_mail("x@a.example", NULL, "<>", 0),
	    VERDICT_PASS);
	assert_int_equal(ask_rcpt("<a@2.example>", "smtp"), VERDICT_PASS);
	assert_int_equal(ask_rcpt("<a@3.example>", "smtp"), VERDICT_PASS);
	expect_by("a", "lists", f, 0, 0);	/* not before it is known */
	assert_int_equal(ask_from("x@a.example, y@sub.a.example, z@a.example"),
	    VERDICT_PASS);
	assert_int_equal(ask_end(1), VERDICT_PASS);
	settled();
	expect_by("a", "lists", f, 2, 0);
	f.sender_domain = SLICE("sub.a.example");
	expect_by("a", "lists", f, 2, 0);
	f.sender_domain = SLICE("b.example");
	expect_by("b", "lists", f, 0, 0);
}

/* crowd - a message to so many domains; microseconds of the thread */
static int64_t
crowd_at(const char *login, int first, int n)
{
	struct timespec begin, end;
	char path[64];
	int i;

	assert_int_equal(ask_mail(login, NULL, "<>", 0), VERDICT_PASS);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
	for (i = first; i < first + n; i++) {
		snprintf(path, sizeof(path), "<x@domain%d.example>", i);
		assert_int_equal(ask_rcpt(path, "smtp"), VERDICT_PASS);
	}
	assert_int_equal(ask_from(login[0] == 'w' ? "x@w.example" :
	    "x@d.example"), VERDICT_PASS);
	assert_int_equal(ask_end(10), VERDICT_PASS);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
	return (end.tv_sec - begin.tv_sec) * 1000000 +
	    (end.tv_nsec - begin.tv_nsec) / 1000;
}

/* crowd - to the first so many domains */
static int64_t
crowd(const char *login, int n)
{
	return crowd_at(login, 0, n);
}

static void
a_thousand_domains_are_no_burden(void **state)
{
	int64_t took = crowd("wide", DOMAINS);

	(void)state;
	assert_int_equal(asked.mail.nrcpts, DOMAINS);
	/* two of its own per domain; house, each and into */
	assert_int_equal(asked.mail.claim.n, 2 * DOMAINS + 3);
	settled();
	expect_by("wide", "one", (struct decide_facts){
	    .provider = DECIDE_ALL,
	    .recipient_domain = SLICE("domain7.example") }, 1, 0);
	print_message("%d recipients at %d domains: %lld us\n", DOMAINS,
	    DOMAINS, (long long)took);
	/* some 7,000 here; what grows with the square took a second */
	assert_true(took < 400000);
}

static void
nor_are_they_in_shadow(void **state)
{
	int64_t took;

	(void)state;
	crowd("dim", DOMAINS);
	settled();
	took = crowd("dim", DOMAINS);	/* each of them is full now */
	assert_int_equal(asked.mail.would.verdict, VERDICT_DEFER);
	print_message("again, all full and in shadow: %lld us\n",
	    (long long)took);
	assert_true(took < 400000);
}

static void
beyond_ten_thousand_counters_they_share_one(void **state)
{
	struct ledger_stat stat;
	char path[64];
	int i;

	(void)state;
	for (i = 0; i < 12; i++) {
		crowd_at("dim", i * DOMAINS, DOMAINS);
		settled();
	}
	ledger_stat(asked.ledger, &stat);
	assert_true(stat.overflows > 0);
	assert_true(stat.counters < 11000);
	/* in shadow: all counted, and what it would have said is known */
	assert_int_equal(asked.mail.would.verdict, VERDICT_DEFER);
	assert_int_equal(asked.mail.would.rule.line, 27);
	/* enforced: the one counter has the room of one value */
	for (i = 0; i < 5; i++) {
		crowd_at("wide", i * DOMAINS, i < 4 ? DOMAINS : DOMAINS - 2);
		settled();
	}
	assert_int_equal(ask_mail("wide", NULL, "<>", 0), VERDICT_PASS);
	do
		snprintf(path, sizeof(path), "<x@domain%d.example>", 9000 + i++);
	while (ask_rcpt(path, "smtp") == VERDICT_PASS);
	assert_true(asked.mail.nrcpts <= 4);
	expect_reply("451", "4.7.0", "limit one (1/second)", 22);
}

static void
a_claim_that_was_idle_is_made_anew_for_all_of_them(void **state)
{
	struct decide_facts f = { .provider = DECIDE_ALL,
		.recipient_domain = SLICE("domain1.example") };
	int i;
	char path[64];

	(void)state;
	assert_int_equal(ask_mail("wide", NULL, "<>", 0), VERDICT_PASS);
	for (i = 0; i < 20; i++) {
		snprintf(path, sizeof(path), "<x@domain%d.example>", i);
		assert_int_equal(ask_rcpt(path, "smtp"), VERDICT_PASS);
		if (i == 10)
			asked.now += LEDGER_IDLE + 1;
	}
	expect_by("wide", "one", f, 0, 1);
	assert_int_equal(ask_from("x@w.example"), VERDICT_PASS);
	assert_int_equal(ask_end(10), VERDICT_PASS);
	settled();
	expect_by("wide", "one", f, 1, 0);
	expect_used("wide", "each", 20, 0);
}

#define T(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(each_login_has_its_own),
		T(each_sender_and_the_empty_one_too),
		T(each_recipient_domain_in_one_message),
		T(each_provider_of_all_tenants),
		T(messages_are_counted_once_per_value),
		T(each_stream_even_one_known_late),
		T(every_domain_in_from_counts),
		T(a_thousand_domains_are_no_burden),
		T(nor_are_they_in_shadow),
		T(beyond_ten_thousand_counters_they_share_one),
		T(a_claim_that_was_idle_is_made_anew_for_all_of_them),
	};

	return cmocka_run_group_tests_name("decide_per", tests, files_keys,
	    files_no_keys);
}
