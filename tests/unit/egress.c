/*
 * egress: which pool a recipient has, which address a message leaves by, what
 * its limits say, where it goes when there is no room.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "policy/egress.h"
#include "policy/measure.h"
#include "tests/unit/charged.h"

#define SECOND	INT64_C(1000000)
#define HOUR	(3600 * SECOND)
#define DAY	(24 * HOUR)

static const char policy[] =
/*  1 */ "timezone = \"UTC\"\n"
/*  2 */ "pool \"two\" {\n"
/*  3 */ "  select = \"header\"\n"
/*  4 */ "  timezone = \"Asia/Tokyo\"\n"
/*  5 */ "  cap \"google\" { to = \"provider:google\"  limit = \"3/day\" }\n"
/*  6 */ "  address \"192.0.2.1\" { transport = \"two1\"\n"
/*  7 */ "    cap \"day\" { limit = \"4/day\" } }\n"
/*  8 */ "  address \"192.0.2.2\" { transport = \"two2\"\n"
/*  9 */ "    cap \"day\" { limit = \"8/day\" } }\n"
/* 10 */ "}\n"
/* 11 */ "pool \"over\" {\n"
/* 12 */ "  select = \"header\"  overflow = \"two\"\n"
/* 13 */ "  cap \"all\" { limit = \"2/day\" }\n"
/* 14 */ "  address \"192.0.2.3\" { transport = \"over1\" }\n"
/* 15 */ "}\n"
/* 16 */ "pool \"sent\" {\n"
/* 17 */ "  select = \"sender\"\n"
/* 18 */ "  address \"192.0.2.4\" { transport = \"sent1\" }\n"
/* 19 */ "  address \"192.0.2.5\" { transport = \"sent2\" }\n"
/* 20 */ "}\n"
/* 21 */ "pool \"slow\" {\n"
/* 22 */ "  select = \"header\"\n"
/* 23 */ "  address \"192.0.2.6\" { transport = \"slow1\"\n"
/* 24 */ "    cap \"few\" { limit = \"2/day\"  over = \"hold\" }\n"
/* 25 */ "    cap \"any\" { limit = \"100/day\" } }\n"
/* 26 */ "}\n"
/* 27 */ "tenant \"t\" { logins = {\"t\"}  domains = {\"t.example\"}\n"
/* 28 */ "  pool \"two\" { } }\n"
/* 29 */ "tenant \"o\" { logins = {\"o\"}  domains = {\"o.example\"}\n"
/* 30 */ "  pool \"over\" { }  cap \"own\" { limit = \"6/day\" } }\n"
/* 31 */ "tenant \"w\" { logins = {\"w\"}  domains = {\"w.example\"}\n"
/* 32 */ "  bounce_domain = \"b.w.example\"  return_path = \"verp\"\n"
/* 33 */ "  pool \"two\" { weight = 30 }  pool \"sent\" { weight = 70 }\n"
/* 34 */ "  cap \"apart\" { limit = \"50/day\"  per = \"address\" } }\n"
/* 35 */ "tenant \"h\" { logins = {\"h\"}  domains = {\"h.example\"}\n"
/* 36 */ "  pool \"slow\" { }\n"
/* 37 */ "  cap \"mine\" { limit = \"4/day\"  over = \"hold\" } }\n"
/* 38 */ "pool \"kept\" { select = \"header\"\n"
	"  cap \"ten\" { limit = \"10/day\" }\n"
	"  address \"192.0.2.8\" { transport = \"kept1\" } }\n"
	"tenant \"q\" { logins = {\"q\"}  domains = {\"q.example\"}\n"
	"  pool \"kept\" { }\n"
	"  stream \"news\" { match = {\"sender:news@*\"}\n"
	"    priority = \"bulk\" } }\n"
	"pool \"even\" { select = \"header\"  fair = \"tenant\"\n"
	"  cap \"many\" { limit = \"6000/day\" }\n"
	"  address \"192.0.2.9\" { transport = \"even1\" } }\n"
	"class \"evenly\" { pool \"even\" { }\n"
	"  stream \"news\" { match = {\"sender:news@*\"}\n"
	"    priority = \"bulk\" } }\n"
	"tenant \"e1\" { class = \"evenly\"  logins = {\"e1\"}\n"
	"  domains = {\"e1.example\"} }\n"
	"tenant \"e3\" { class = \"evenly\"  logins = {\"e3\"}\n"
	"  domains = {\"e3.example\"}  fair_weight = 3 }\n"
	"pool \"new\" { select = \"header\"  overflow = \"kept\"\n"
	"  address \"192.0.2.7\" { transport = \"new1\"\n"
	"    warmup \"mailbox\" { } } }\n"
	"tenant \"n\" { logins = {\"n\"}  domains = {\"n.example\"}\n"
	"  pool \"new\" { } }\n"
	"tenant \"k\" { logins = {\"k\"}  domains = {\"k.example\"}\n"
/* 39 */ "  pool \"sent\" { } }\n";

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

/* message - of that tenant to so many at a domain; its verdict at the end */
static enum verdict
message(const char *tenant, int n, const char *domain)
{
	enum verdict verdict;
	char text[128];

	snprintf(text, sizeof(text), "<x@%s.example>", tenant);
	assert_int_equal(ask_mail(tenant, NULL, text, 0), VERDICT_PASS);
	for (int i = 0; i < n; i++) {
		snprintf(text, sizeof(text), "<r%d@%s>", i, domain);
		assert_true(ask_rcpt(text, "smtp") <= VERDICT_HOLD);
	}
	snprintf(text, sizeof(text), "x@%s.example", tenant);
	assert_int_equal(ask_from(text), VERDICT_PASS);
	verdict = ask_end(1);
	if (verdict <= VERDICT_HOLD)
		settled();
	return verdict;
}

/* by - the address it left by */
static const char *
by(void)
{
	const struct pool_address *a = asked.mail.egress;

	return a != NULL ? a->address.p : "";
}

static void
an_address_with_room_then_the_one_least_used(void **state)
{
	(void)state;
	/* 3 of 4 are more than 0 of 8, then 3 of 8 less than 3 of 4 */
	assert_int_equal(message("t", 3, "a.example"), VERDICT_PASS);
	if (strcmp(by(), "192.0.2.1") == 0) {
		assert_int_equal(message("t", 3, "a.example"), VERDICT_PASS);
		assert_string_equal(by(), "192.0.2.2");
		assert_int_equal(message("t", 2, "a.example"), VERDICT_PASS);
		assert_string_equal(by(), "192.0.2.2");
		assert_int_equal(message("t", 1, "a.example"), VERDICT_PASS);
		assert_string_equal(by(), "192.0.2.2");
	} else {
		assert_int_equal(message("t", 3, "a.example"), VERDICT_PASS);
		assert_string_equal(by(), "192.0.2.1");
		assert_int_equal(message("t", 3, "a.example"), VERDICT_PASS);
		assert_string_equal(by(), "192.0.2.2");
	}
	/* 3 of 4 and 6 of 8: for two there is room in one of them only */
	assert_int_equal(message("t", 2, "a.example"), VERDICT_PASS);
	assert_string_equal(by(), "192.0.2.2");
	assert_int_equal(message("t", 2, "a.example"), VERDICT_DEFER);
	assert_int_equal(message("t", 1, "a.example"), VERDICT_PASS);
	assert_string_equal(by(), "192.0.2.1");
	assert_int_equal(message("t", 1, "a.example"), VERDICT_DEFER);
}

static void
a_day_of_the_pool_begins_in_its_zone(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(message("t", 1, "gmail.com"), VERDICT_PASS);
	/* 09:00 in Tokyo; all addresses are of the pool that is full */
	assert_int_equal(message("t", 1, "gmail.com"), VERDICT_DEFER);
	expect_reply("451", "4.7.0", "tenant t: limit google (3/day to "
	    "provider:google) is used up; next slot 2024-10-04 15:00", 5);
	assert_int_equal(message("t", 1, "a.example"), VERDICT_PASS);
	asked.now += 15 * HOUR - SECOND;
	assert_int_equal(message("t", 1, "gmail.com"), VERDICT_DEFER);
	asked.now += SECOND;
	assert_int_equal(message("t", 1, "gmail.com"), VERDICT_PASS);
}

static void
what_has_no_room_flows_over_and_no_further(void **state)
{
	(void)state;
	assert_int_equal(message("o", 2, "a.example"), VERDICT_PASS);
	assert_string_equal(by(), "192.0.2.3");
	assert_false(egress_overflowed(&asked.mail));
	assert_int_equal(message("o", 3, "a.example"), VERDICT_PASS);
	assert_true(egress_overflowed(&asked.mail));
	assert_string_equal(asked.mail.egress->pool->name.p, "two");
	assert_string_equal(asked.mail.route->pool->name.p, "over");
	/* its own limit sends no mail there */
	assert_int_equal(ask_mail("o", NULL, "<x@o.example>", 0),
	    VERDICT_PASS);
	assert_int_equal(ask_rcpt("<a@a.example>", "smtp"), VERDICT_PASS);
	assert_int_equal(ask_rcpt("<b@a.example>", "smtp"), VERDICT_DEFER);
	decide_abort(&asked.mail);
	/* and what is full there is told of the first pool */
	assert_int_equal(message("t", 8, "a.example"), VERDICT_PASS);
	assert_int_equal(message("t", 1, "a.example"), VERDICT_PASS);
	assert_int_equal(message("o", 1, "a.example"), VERDICT_DEFER);
	expect_reply("451", "4.7.0", "tenant o: limit all (2/day) is used up; "
	    "next slot 2024-10-05 00:00", 13);
	assert_false(egress_overflowed(&asked.mail));
}

static void
a_held_message_has_its_address_and_is_charged_later(void **state)
{
	const struct claim *claim = &asked.mail.claim;

	(void)state;
	assert_int_equal(message("h", 2, "a.example"), VERDICT_PASS);
	assert_int_equal(ask_mail("h", NULL, "<x@h.example>", 0),
	    VERDICT_PASS);
	assert_int_equal(ask_rcpt("<a@a.example>", "smtp"), VERDICT_PASS);
	assert_int_equal(ask_from("x@h.example"), VERDICT_PASS);
	/* the address is full: "few" holds, "any" is asked when it goes, and
	 * counts what will want room */
	assert_int_equal(ask_end(1), VERDICT_HOLD);
	assert_string_equal(by(), "192.0.2.6");
	assert_int_equal(claim->n, 3);
	assert_true(slice_is(claim->asks[0].charge.name, "mine"));
	assert_true(slice_is(claim->asks[1].charge.name, "held:few"));
	assert_true(slice_is(claim->asks[2].charge.name, "held:any"));
	assert_int_equal(claim->asks[2].charge.kind, LIMIT_HELD);
	settled();
	/* its own limit holds: nothing of the address is asked */
	assert_int_equal(ask_mail("h", NULL, "<x@h.example>", 0),
	    VERDICT_PASS);
	assert_int_equal(ask_rcpt("<a@a.example>", "smtp"), VERDICT_PASS);
	assert_int_equal(ask_rcpt("<b@a.example>", "smtp"), VERDICT_HOLD);
	assert_int_equal(ask_from("x@h.example"), VERDICT_PASS);
	assert_int_equal(ask_end(1), VERDICT_HOLD);
	assert_string_equal(by(), "192.0.2.6");
	assert_int_equal(claim->n, 1);
	assert_true(slice_is(claim->asks[0].charge.name, "held:mine"));
}

static void
what_is_bound_asks_its_own_address_alone(void **state)
{
	(void)state;
	assert_int_equal(message("t", 4, "a.example"), VERDICT_PASS);
	for (int i = 0; i < 2; i++) {
		bool full = strcmp(by(), "192.0.2.1") == 0;
		const struct pool_address *a = egress_find(asked.policy,
		    SLICE("192.0.2.1"));

		assert_non_null(a);
		assert_int_equal(ask_mail("t", NULL, "<x@t.example>", 0),
		    VERDICT_PASS);
		asked.mail.bound = true;
		asked.mail.egress = a;
		assert_int_equal(ask_rcpt("<a@a.example>", "smtp"),
		    VERDICT_PASS);
		assert_int_equal(ask_from("x@t.example"), VERDICT_PASS);
		assert_int_equal(ask_end(1), full ? VERDICT_DEFER :
		    VERDICT_PASS);
		assert_ptr_equal(asked.mail.egress, a);
		decide_abort(&asked.mail);
		if (full)
			break;
		assert_int_equal(message("t", 4, "a.example"), VERDICT_PASS);
	}
	assert_null(egress_find(asked.policy, SLICE("192.0.2.99")));
}

/* pool_of - of one recipient of tenant w */
static const char *
pool_of(int i)
{
	const struct stream *s = policy_default(policy_tenant(asked.policy,
	    SLICE("w")));
	struct rcpt r = { .to.text = slice_of(arena_printf(asked.texts,
	    "r%d@a.example", i)) };

	return egress_route(s, &r)->pool->name.p;
}

/* again - the policy with another weight for "two" */
static void
again(const char *weight)
{
	char *copy = strdup(policy), *at = strstr(copy, "weight = 30");

	assert_int_equal(strlen(weight), 2);
	memcpy(at + 9, weight, 2);
	files_write("policy.conf", copy, strlen(copy));
	asked_load();
	free(copy);
}

static void
weights_are_kept_and_move_recipients_one_way(void **state)
{
	enum { N = 20000 };
	char *was = calloc(N, 1);
	int two = 0, moved;

	(void)state;
	for (int i = 0; i < N; i++) {
		was[i] = strcmp(pool_of(i), "two") == 0;
		two += was[i];
	}
	/* 30 of 100, within four deviations */
	assert_in_range(two, N * 30 / 100 - 260, N * 30 / 100 + 260);
	again("70");
	moved = 0;
	for (int i = 0; i < N; i++) {
		bool now = strcmp(pool_of(i), "two") == 0;

		assert_true(now || !was[i]);	/* none goes back */
		moved += now && !was[i];
	}
	assert_in_range(two + moved, N / 2 - 300, N / 2 + 300);
	free(was);
}

static void
the_case_of_an_address_does_not_matter(void **state)
{
	const struct stream *s = policy_default(policy_tenant(asked.policy,
	    SLICE("w")));

	(void)state;
	for (int i = 0; i < 50; i++) {
		struct rcpt low = { .to.text = slice_of(arena_printf(
		    asked.texts, "abc%d@a.example", i)) };
		struct rcpt high = { .to.text = slice_of(arena_printf(
		    asked.texts, "ABC%d@A.example", i)) };

		assert_ptr_equal(egress_route(s, &low),
		    egress_route(s, &high));
	}
}

/* first_of - a recipient whose pool is that one, from number i on */
static int
first_of(const char *pool, int i)
{
	while (strcmp(pool_of(i), pool) != 0)
		i++;
	return i;
}

/* rcpt - number i */
static enum verdict
rcpt(int i)
{
	return ask_rcpt(arena_printf(asked.texts, "<r%d@a.example>", i),
	    "smtp");
}

static void
the_first_recipient_fixes_the_pool(void **state)
{
	int a = first_of("two", 0), b = first_of("sent", 0);

	(void)state;
	assert_int_equal(ask_mail("w", NULL, "<x@w.example>", 0),
	    VERDICT_PASS);
	assert_int_equal(rcpt(a), VERDICT_PASS);
	assert_int_equal(rcpt(b), VERDICT_DEFER);
	assert_string_equal(asked.answer.code, "452");
	assert_string_equal(asked.answer.dsn, "4.5.3");
	assert_int_equal(rcpt(first_of("two", a + 1)), VERDICT_PASS);
	assert_string_equal(asked.mail.route->pool->name.p, "two");
	/* where mail programs submit, nobody comes again */
	asked.listener = "submission";
	assert_int_equal(ask_mail("w", NULL, "<x@w.example>", 0),
	    VERDICT_PASS);
	assert_int_equal(rcpt(b), VERDICT_PASS);
	assert_int_equal(rcpt(a), VERDICT_PASS);
	assert_string_equal(asked.mail.route->pool->name.p, "sent");
	asked.listener = NULL;
}

/* crowd - a message to so many there; how many were taken */
static int
crowd(const char *tenant, int n, const char *domain)
{
	char text[128];
	int taken = 0;

	snprintf(text, sizeof(text), "<x@%s.example>", tenant);
	assert_int_equal(ask_mail(tenant, NULL, text, 0), VERDICT_PASS);
	for (int i = 0; i < n; i++) {
		snprintf(text, sizeof(text), "<r%d@%s>", i, domain);
		if (ask_rcpt(text, "smtp") <= VERDICT_HOLD)
			taken++;
	}
	return taken;
}

static void
more_than_ever_fit_come_with_the_next_message(void **state)
{
	(void)state;
	/* of two addresses the wider one's day */
	assert_int_equal(crowd("t", 12, "example.org"), 8);
	expect_reply("452", "4.5.3", "tenant t: pool two takes at most 8 "
	    "recipients of one message, by limit day (8/day); next slot: the "
	    "next message", 9);
	assert_int_equal(ask_from("x@t.example"), VERDICT_PASS);
	assert_int_equal(ask_end(1), VERDICT_PASS);
	settled();
	assert_string_equal(by(), "192.0.2.2");
	/* what is left is no matter: these fit tomorrow */
	assert_int_equal(crowd("t", 8, "example.org"), 8);
	/* at one provider */
	assert_int_equal(crowd("t", 5, "gmail.com"), 3);
	expect_reply("452", "4.5.3", "takes at most 3 recipients at "
	    "provider:google of one message, by limit google (3/day)", 5);
	/* where there is an overflow, what fits there */
	assert_int_equal(crowd("o", 6, "example.org"), 6);
	/* bulk mail has four fifths of ten, other mail all */
	assert_int_equal(crowd("q", 12, "example.org"), 10);
	assert_int_equal(ask_mail("q", NULL, "<news@q.example>", 0),
	    VERDICT_PASS);
	for (int i = 0; i < 8; i++)
		assert_int_equal(rcpt(i), VERDICT_PASS);
	assert_int_equal(rcpt(8), VERDICT_DEFER);
	expect_reply("452", "4.5.3", "at most 8 recipients", 0);
	/* mail programs do not come again: all or none */
	asked.listener = "submission";
	assert_int_equal(crowd("t", 12, "example.org"), 8);
	assert_int_equal(ask_rcpt("<one@example.org>", "smtp"),
	    VERDICT_DEFER);
	expect_reply("452", "4.5.3", "at most 8 recipients", 0);
	asked.listener = NULL;
}

static void
who_is_turned_away_fixes_nothing(void **state)
{
	int a = first_of("two", 0), b = first_of("sent", 0);

	(void)state;
	assert_int_equal(ask_mail("w", NULL, "<x@w.example>", 0),
	    VERDICT_PASS);
	assert_int_equal(ask_rcpt("<no address>", "smtp"), VERDICT_REFUSE);
	assert_null(asked.mail.route);
	assert_int_equal(rcpt(b), VERDICT_PASS);
	assert_string_equal(asked.mail.route->pool->name.p, "sent");
	assert_int_equal(rcpt(a), VERDICT_DEFER);
	assert_string_equal(asked.mail.route->pool->name.p, "sent");
}

static void
mail_that_cannot_be_told_takes_postfix_own_route(void **state)
{
	static const struct {
		const char	*tenant, *from;
		bool		 local;
	} cases[] = {
		{ "w", "<>", false },		/* no sender to change */
		{ "k", "<x@k.example>", false },	/* keeps its sender */
		{ "t", "<x@t.example>", true },		/* FILTER is of all */
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(ask_mail(cases[i].tenant, NULL,
		    cases[i].from, 0), VERDICT_PASS);
		assert_int_equal(rcpt(first_of("sent", 0)), VERDICT_PASS);
		if (cases[i].local)
			assert_int_equal(ask_rcpt("<l@t.example>", "lmtp"),
			    VERDICT_PASS);
		assert_int_equal(ask_from(arena_printf(asked.texts,
		    "x@%s.example", cases[i].tenant)), VERDICT_PASS);
		assert_int_equal(ask_end(1), VERDICT_PASS);
		assert_null(asked.mail.egress);
		assert_non_null(asked.mail.away);
		for (size_t j = 0; j < asked.mail.claim.n; j++)
			assert_false(slice_is(asked.mail.claim.asks[j].charge.
			    name, "day"));
	}
}

static void
a_limit_of_a_tenant_counts_apart_by_address(void **state)
{
	int64_t room = 0;

	(void)state;
	for (int i = 0, n = 0; n < 100; n++, i++) {
		i = first_of("sent", i);
		assert_int_equal(ask_mail("w", NULL, "<x@w.example>", 0),
		    VERDICT_PASS);
		assert_int_equal(rcpt(i), VERDICT_PASS);
		assert_int_equal(ask_from("x@w.example"), VERDICT_PASS);
		assert_int_equal(ask_end(1), VERDICT_PASS);
		assert_int_equal(asked.mail.claim.n, 1);
		room += asked.mail.claim.asks[0].charge.amount;
		settled();
	}
	assert_int_equal(room, 100);
	/* 50 by each of the two addresses: both are full */
	assert_int_equal(ask_mail("w", NULL, "<x@w.example>", 0),
	    VERDICT_PASS);
	assert_int_equal(rcpt(first_of("sent", 0)), VERDICT_PASS);
	assert_int_equal(ask_from("x@w.example"), VERDICT_PASS);
	assert_int_equal(ask_end(1), VERDICT_DEFER);
}

static void
a_forged_return_path_chooses_no_address(void **state)
{
	(void)state;
	assert_int_equal(ask_mail("t", NULL, "<b.sent1.abcdefghijklmnopqrstuv"
	    "wxyz234567@t.example>", 0), VERDICT_REFUSE);
	assert_string_equal(asked.answer.code, "553");
	assert_int_equal(ask_mail("t", NULL, "<b.smith@t.example>", 0),
	    VERDICT_PASS);
	assert_int_equal(ask_mail("t", NULL, "<b.j.smith@t.example>", 0),
	    VERDICT_PASS);
}

static void
a_transport_of_its_own_where_few_connections_are_taken(void **state)
{
	(void)state;
	assert_int_equal(message("o", 1, "gmail.com"), VERDICT_PASS);
	assert_true(slice_is(egress_transport(&asked.mail, asked.texts),
	    "over1-google"));
	assert_int_equal(message("o", 1, "a.example"), VERDICT_PASS);
	assert_true(slice_is(egress_transport(&asked.mail, asked.texts),
	    "over1"));
	assert_int_equal(ask_mail("t", NULL, "<x@t.example>", 0),
	    VERDICT_PASS);
	assert_int_equal(ask_rcpt("<a@gmail.com>", "smtp"), VERDICT_PASS);
	assert_int_equal(ask_rcpt("<a@yahoo.com>", "smtp"), VERDICT_PASS);
	assert_int_equal(ask_from("x@t.example"), VERDICT_PASS);
	assert_int_equal(ask_end(1), VERDICT_PASS);
	assert_int_equal(egress_transport(&asked.mail, asked.texts).n, 4);
}

/* one - recipient of that sender at that tenant */
static enum verdict
one(const char *tenant, const char *local)
{
	enum verdict verdict;

	assert_int_equal(ask_mail(tenant, NULL, arena_printf(asked.texts,
	    "<%s@%s.example>", local, tenant), 0), VERDICT_PASS);
	assert_int_equal(ask_rcpt("<r@a.example>", "smtp"), VERDICT_PASS);
	assert_int_equal(ask_from(arena_printf(asked.texts, "x@%s.example",
	    tenant)), VERDICT_PASS);
	if ((verdict = ask_end(1)) == VERDICT_PASS)
		settled();
	return verdict;
}

static void
bulk_leaves_a_fifth_to_other_mail(void **state)
{
	(void)state;
	for (int i = 0; i < 8; i++)
		assert_int_equal(one("q", "news"), VERDICT_PASS);
	assert_int_equal(one("q", "news"), VERDICT_DEFER);
	expect_reply("451", "4.7.0", "limit ten (10/day, bulk mail 80% of it) "
	    "is used up; next slot 2024-10-05 00:00", 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(one("q", "x"), VERDICT_PASS);
	assert_int_equal(one("q", "x"), VERDICT_DEFER);
	expect_reply("451", "4.7.0", "limit ten (10/day) is used up", 0);
}

/* stopped - the warmup of that address */
static struct progress *
stopped(const char *address)
{
	const struct pool_address *a = egress_find(asked.policy,
	    slice_of(address));
	const struct tenant *t = policy_tenant(asked.policy, SLICE("n"));
	struct warm_row row = { .day = 2, .started = 19999,
		.stopped = 20000 };
	struct dimensions d;
	struct ask ask;

	assert_non_null(a);
	measure_begin(asked.policy, t, policy_default(t), &d);
	measure_egress(&d, a);
	for (size_t i = 0; i < a->nlimits; i++) {
		if (a->limits[i]->part != WARM_DAY)
			continue;
		measure_ask(a->limits[i], &d, 1, 1, asked.now, &ask);
		memcpy(row.key, ask.charge.key, sizeof(row.key));
	}
	return progress_after(NULL, &row, 1);
}

static void
what_a_rule_stopped_does_not_flow_over(void **state)
{
	struct progress *p = stopped("192.0.2.7");

	(void)state;
	for (int i = 0; i < 6; i++)
		assert_int_equal(one("n", "x"), VERDICT_PASS);
	assert_true(egress_overflowed(&asked.mail));
	assert_int_equal(ask_mail("n", NULL, "<x@n.example>", 0),
	    VERDICT_PASS);
	asked.mail.progress = p;
	assert_int_equal(ask_rcpt("<r@a.example>", "smtp"), VERDICT_PASS);
	assert_int_equal(ask_from("x@n.example"), VERDICT_PASS);
	assert_int_equal(ask_end(1), VERDICT_DEFER);
	asked.mail.progress = NULL;
	progress_drop(p);
}

static void
a_fair_pool_is_shared_out_hour_by_hour(void **state)
{
	int got[2][4] = { { 0 } };

	(void)state;
	/* 200 an hour for bulk mail; both ask for all of it each minute */
	for (int m = 0; m < 4 * 60; m++, asked.now += HOUR / 60) {
		while (one("e1", "news") == VERDICT_PASS)
			got[0][m / 60]++;
		assert_int_equal(asked.answer.next % HOUR, 0);
		while (one("e3", "news") == VERDICT_PASS)
			got[1][m / 60]++;
		arena_reset(asked.texts);
	}
	for (int h = 1; h < 4; h++) {
		assert_in_range(got[0][h], 48, 52);
		assert_in_range(got[1][h], 148, 152);
	}
	expect_reply("451", "4.7.0", "limit many (6000/day, bulk mail 80% of "
	    "it): what this tenant may have of it in this hour is used up; "
	    "next slot 2024-10-04 04:00", 0);
	/* an hour does not bind other mail, as far as that fifth goes */
	for (int i = 0; i < 1000; i++)
		assert_int_equal(one("e1", "x"), VERDICT_PASS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)
		TEST(an_address_with_room_then_the_one_least_used),
		TEST(a_day_of_the_pool_begins_in_its_zone),
		TEST(what_has_no_room_flows_over_and_no_further),
		TEST(a_held_message_has_its_address_and_is_charged_later),
		TEST(what_is_bound_asks_its_own_address_alone),
		TEST(weights_are_kept_and_move_recipients_one_way),
		TEST(the_case_of_an_address_does_not_matter),
		TEST(the_first_recipient_fixes_the_pool),
		TEST(more_than_ever_fit_come_with_the_next_message),
		TEST(who_is_turned_away_fixes_nothing),
		TEST(mail_that_cannot_be_told_takes_postfix_own_route),
		TEST(a_limit_of_a_tenant_counts_apart_by_address),
		TEST(a_forged_return_path_chooses_no_address),
		TEST(bulk_leaves_a_fifth_to_other_mail),
		TEST(what_a_rule_stopped_does_not_flow_over),
		TEST(a_fair_pool_is_shared_out_hour_by_hour),
		TEST(a_transport_of_its_own_where_few_connections_are_taken),
	};

	return cmocka_run_group_tests_name("egress", tests, files_keys,
	    files_no_keys);
}
