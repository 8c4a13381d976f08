/*
 * decide_release: what was held is decided again from its event, by the policy
 * and the lists of then.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "tests/unit/charged.h"

#define SECOND	INT64_C(1000000)
#define HOUR	(3600 * SECOND)

static const char head[] =
/*  1 */ "timezone = \"UTC\"\n"
/*  2 */ "tenant \"h\" { logins = {\"h\"}  domains = {\"h.example\"}\n"
/*  3 */ "  suppressed = \"refuse\"\n"
/*  4 */ "  cap \"daily\" { limit = \"2/day\"  over = \"hold\" }\n"
/*  5 */ "  cap \"also\" { limit = \"4/day\" }\n";
static const char tail[] = "}\n";

static struct event event;
static struct event_recipient people[8];
static struct charge charges[8];
static struct slice domains[1];

/* --- the lists of others -------------------------------------------------- */

static const char *barred;		/* who may not get mail */
static bool lists_gone;

static int
suppressed(void *with, const struct mailbox *box,
    const struct suppress_who *who, struct suppress_hit *hit, struct why *why)
{
	(void)with, (void)who;
	if (lists_gone)
		return why_set(why, "gone");
	if (barred == NULL || strstr(barred, box->text.p) == NULL)
		return 0;
	memset(hit, 0, sizeof(*hit));
	return 1;
}

static bool tripped_now;

static int
tripped(void *with, const uint8_t key[TRIP_KEY], struct trip *trip)
{
	(void)with, (void)key;
	memset(trip, 0, sizeof(*trip));
	trip->time = asked.now - 1;
	return tripped_now;
}

static const struct happened lists = { .suppressed = suppressed,
	.tripped = tripped };

/* --- a policy with something more in it ----------------------------------- */

static void
policy_with(const char *more, const char *behind)
{
	char text[4096];
	int n = snprintf(text, sizeof(text), "%s%s%s%s", head, more, tail,
	    behind);

	files_write("policy.conf", text, (size_t)n);
	asked_load();
}

static int
setup(void **state)
{
	char text[2048];

	(void)state;
	snprintf(text, sizeof(text), "%s%s", head, tail);
	asked_begin(text);
	barred = NULL;
	lists_gone = tripped_now = false;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	asked_end();
	return 0;
}

/* --- a message that is held ----------------------------------------------- */

/* fill - fills the day; the next message waits */
static void
fill(void)
{
	assert_int_equal(ask_mail("h", NULL, "<x@h.example>", 0),
	    VERDICT_PASS);
	assert_int_equal(ask_rcpt("<a@r.example>", "smtp"), VERDICT_PASS);
	assert_int_equal(ask_rcpt("<b@r.example>", "smtp"), VERDICT_PASS);
	assert_int_equal(ask_from("x@h.example"), VERDICT_PASS);
	assert_int_equal(ask_end(100), VERDICT_PASS);
	settled();
}

/* hold - a message to those people waits, as its event says */
static void
hold(size_t n, const char *const *to)
{
	const struct claim *claim = &asked.mail.claim;

	fill();
	assert_int_equal(ask_mail("h", NULL, "<x@h.example>", 0),
	    VERDICT_PASS);
	for (size_t i = 0; i < n; i++)
		assert_true(ask_rcpt(to[i], "smtp") <= VERDICT_HOLD);
	assert_int_equal(ask_from("x@h.example"), VERDICT_PASS);
	assert_int_equal(ask_end(100), VERDICT_HOLD);
	domains[0] = SLICE("h.example");
	event = (struct event){ .kind = EVENT_HOLD, .verdict = VERDICT_HOLD,
		.tenant = SLICE("h"), .login = SLICE("h"),
		.listener = SLICE("smtpd"), .mail_from = SLICE("x@h.example"),
		.from_domains = domains, .nfrom_domains = 1,
		.stream = SLICE("default"), .size = 100,
		.recipients = people, .nrecipients = n, .charges = charges,
		.ncharges = claim->n };
	for (size_t i = 0; i < n; i++)
		people[i] = (struct event_recipient){
			.address = arena_copy(asked.texts,
			asked.mail.rcpts[i].to.text),
			.verdict = VERDICT_HOLD };
	for (size_t i = 0; i < claim->n; i++) {
		charges[i] = claim->asks[i].charge;
		charges[i].name = arena_copy(asked.texts, charges[i].name);
	}
	settled();
}

/* release - what is said now */
static enum verdict
release(bool asked_for)
{
	struct mail *mail = &asked.mail;

	decide_abort(mail);
	memset(mail, 0, sizeof(*mail));
	arena_reset(asked.arena);
	mail->policy = asked.policy;
	mail->ledger = asked.ledger;
	mail->arena = asked.arena;
	mail->happened = &lists;
	return decide_release(mail, &event, asked_for, asked.now,
	    &asked.answer);
}

/* says - a part of the sentence */
static void
says(const char *part)
{
	char text[1024];

	snprintf(text, sizeof(text), "%.*s", SLICE_ARG(asked.answer.text));
	if (strstr(text, part) == NULL)
		fail_msg("want \"%s\", got \"%s\"", part, text);
}

static const char *const one[] = { "<c@r.example>" };
static const char *const two[] = { "<c@r.example>", "<d@r.example>" };

static void
it_waits_for_room_and_is_charged_what_it_was_not(void **state)
{
	const struct claim *claim = &asked.mail.claim;

	(void)state;
	hold(1, one);
	expect_used("h", "daily", 2, 0);
	expect_used("h", "also", 3, 0);
	assert_int_equal(release(false), VERDICT_DEFER);
	says("limit daily (2/day) is used up");
	assert_true(asked.answer.next == asked.now + 24 * HOUR);
	assert_int_equal(claim->state, CLAIM_EMPTY);
	asked.now += 24 * HOUR;
	assert_int_equal(release(false), VERDICT_PASS);
	/* "also" was charged when it came, and is not again */
	assert_int_equal(claim->n, 1);
	assert_true(slice_is(claim->asks[0].charge.name, "daily"));
	settled();
	expect_used("h", "daily", 1, 0);
	expect_used("h", "also", 0, 0);
}

static void
a_limit_written_since_binds_it(void **state)
{
	(void)state;
	hold(1, one);
	asked.now += 24 * HOUR;
	policy_with("cap \"none\" { limit = \"1/hour\" }\n", "");
	assert_int_equal(release(false), VERDICT_PASS);
	assert_int_equal(asked.mail.claim.n, 2);
	settled();
	assert_int_equal(release(false), VERDICT_DEFER);
	says("limit none (1/hour)");
	policy_with("open \"way\" { limit = \"1\" }\n", "");
	assert_int_equal(release(false), VERDICT_PASS);
}

static void
nobody_is_mailed_who_may_not_be(void **state)
{
	(void)state;
	hold(2, two);
	asked.now += 24 * HOUR;
	barred = "c@r.example d@r.example";
	assert_int_equal(release(false), VERDICT_DROP);
	assert_int_equal(asked.mail.claim.state, CLAIM_EMPTY);
	says("none of its recipients");
	/* he alone: the message cannot be split, its sender is told */
	barred = "d@r.example";
	assert_int_equal(release(false), VERDICT_REFUSE);
	says("1 of 2 recipients");
	assert_int_equal(asked.mail.claim.state, CLAIM_EMPTY);
	/* nobody knows: it waits */
	lists_gone = true;
	assert_int_equal(release(false), VERDICT_DEFER);
	lists_gone = false;
	barred = NULL;
	assert_int_equal(release(false), VERDICT_PASS);
}

static void
who_was_dropped_when_it_came_is_not_asked_for(void **state)
{
	(void)state;
	hold(2, two);
	asked.now += 24 * HOUR;
	people[0].verdict = VERDICT_DROP;
	barred = "c@r.example";
	assert_int_equal(release(false), VERDICT_PASS);
	assert_int_equal(asked.mail.nrcpts, 1);
	assert_int_equal(asked.mail.claim.asks[0].charge.amount, 1);
}

static void
what_keeps_new_mail_out_keeps_it_in(void **state)
{
	static const char breaker[] = "breaker \"bad\" { when = \"hard_bounce\""
	    "  rate = \"5%\"  least = 10  window = \"1h\"  action = \"hold\" "
	    "}\n";
	static const char other[] = "tenant \"z\" { logins = {\"h\"}\n"
	    "  domains = {\"z.example\"} }\n";
	char text[2048];

	(void)state;
	hold(1, one);
	asked.now += 24 * HOUR;
	policy_with("paused = \"invoice\"\n", "");
	assert_int_equal(release(true), VERDICT_DEFER);
	says("paused: invoice");
	assert_true(asked.answer.next == 0);
	policy_with(breaker, "");
	tripped_now = true;
	assert_int_equal(release(false), VERDICT_DEFER);
	says("breaker bad tripped");
	assert_int_equal(asked.mail.claim.state, CLAIM_EMPTY);
	/* a person wants it out */
	assert_int_equal(release(true), VERDICT_PASS);
	tripped_now = false;
	/* another has the login, the tenant is still there */
	snprintf(text, sizeof(text), "timezone = \"UTC\"\n"
	    "tenant \"h\" { logins = {\"i\"}  domains = {\"h.example\"} }\n%s",
	    other);
	files_write("policy.conf", text, strlen(text));
	asked_load();
	assert_int_equal(release(false), VERDICT_DEFER);
	/* and nobody is */
	files_write("policy.conf", "timezone = \"UTC\"\n", 17);
	asked_load();
	assert_int_equal(release(true), VERDICT_DEFER);
	says("belongs to no tenant");
}

static void
a_message_signed_by_a_retired_key_stays(void **state)
{
	static struct event_signature signature = { { "h.example", 9 },
		{ "old", 3 } };

	(void)state;
	hold(1, one);
	asked.now += 24 * HOUR;
	event.signatures = &signature;
	event.nsignatures = 1;
	assert_int_equal(release(false), VERDICT_DEFER);
	says("key old of h.example, which is not in the policy any more");
	policy_with("dkim \"old\" { domain = \"h.example\"  key = "
	    "\"good.rsa\" }\n", "");
	assert_int_equal(release(false), VERDICT_PASS);
}

#define T(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(it_waits_for_room_and_is_charged_what_it_was_not),
		T(a_limit_written_since_binds_it),
		T(nobody_is_mailed_who_may_not_be),
		T(who_was_dropped_when_it_came_is_not_asked_for),
		T(what_keeps_new_mail_out_keeps_it_in),
		T(a_message_signed_by_a_retired_key_stays),
	};

	return cmocka_run_group_tests_name("decide_release", tests,
	    files_keys, files_no_keys);
}
