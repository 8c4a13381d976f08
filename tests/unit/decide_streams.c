/*
 * decide and streams: when it is known which one a mail is in, what binds
 * before and after, who is asked to come with the next message, and what is in
 * shadow.  The clock is set.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "tests/unit/charged.h"

static const char policy[] =
/*  1 */ "trusted { clients = {\"10.9.0.1\"} identify = \"from-domain\" }\n"
/*  2 */ "tenant \"acme\" {\n"
/*  3 */ "  logins = {\"acme\", \"ops\"}  domains = {\"acme.example\"}\n"
/*  4 */ "  cap \"all\" { limit = \"20/day\" }\n"
/*  5 */ "  dkim \"a\" { domain = \"acme.example\"  key = \"good.rsa\" }\n"
/*  6 */ "  stream \"ops\" { match = {\"login:ops\"}\n"
/*  7 */ "    cap \"few\" { limit = \"2/day\" }  max_recipients = 9 }\n"
/*  8 */ "  stream \"near\" { match = {\"recipient:*@near.example\"}\n"
/*  9 */ "    cap \"near\" { limit = \"3/day\" } }\n"
/* 10 */ "  stream \"news\" {\n"
/* 11 */ "    match = {\"sender:news@*\", \"header:X-Stream=news\",\n"
/* 12 */ "      \"header:X-Bulk\"}\n"
/* 13 */ "    strip = \"yes\"  max_recipients = 4\n"
/* 14 */ "    dkim \"n\" { domain = \"acme.example\"  key = \"good.ed\" }\n"
/* 15 */ "    cap \"news\" { limit = \"3/day\" } }\n"
/* 16 */ "  stream \"still\" { match = {\"sender:still@*\"}\n"
/* 17 */ "    paused = \"list under repair\" }\n"
/* 18 */ "  stream \"default\" { max_recipients = 2 }\n"
/* 19 */ "}\n"
/* 20 */ "tenant \"soft\" {\n"
/* 21 */ "  logins = {\"soft\"}  domains = {\"soft.example\"}\n"
/* 22 */ "  dkim \"s\" { domain = \"soft.example\"  key = \"good.rsa\" }\n"
/* 23 */ "  shadow = {\"ownership\"}\n"
/* 24 */ "}\n"
/* 25 */ "tenant \"half\" {\n"
/* 26 */ "  logins = {\"half\"}  domains = {\"half.example\"}\n"
/* 27 */ "  cap \"all\" { limit = \"1/day\" }\n"
/* 28 */ "  stream \"trial\" { match = {\"header:X-Trial\"}\n"
/* 29 */ "    shadow = {\"ownership\", \"limits\"}  claim = {\"half\"} }\n"
/* 30 */ "}\n"
/* 31 */ "tenant \"shut\" {\n"
/* 32 */ "  logins = {\"shut\"}  domains = {\"shut.example\"}\n"
/* 33 */ "  stream \"late\" { match = {\"header:X-Late\"}\n"
/* 34 */ "    paused = \"not today\" }\n"
/* 35 */ "}\n";

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
mail(const char *login, const char *from)
{
	assert_int_equal(ask_mail(login, NULL, from, 0), VERDICT_PASS);
}

static void
to(const char *path)
{
	assert_int_equal(ask_rcpt(path, "smtp"), VERDICT_PASS);
}

/* of - the stream it is in by now; NULL: not known yet */
static void
of(const char *stream)
{
	const struct stream *s = asked.mail.stream;
	const char *name = stream != NULL ? stream : "(not known)";

	if ((stream == NULL) != (s == NULL) ||
	    (s != NULL && !slice_is(s->name, name)))
		fail_msg("want stream %s, got %.*s", name, SLICE_ARG(
		    s != NULL ? s->name : SLICE("(not known)")));
}

/* head - From of acme, and one header more */
static enum verdict
head(const char *from, const char *name, const char *value)
{
	const char *pairs[] = { "From", from, name, value, NULL };

	return ask_headers(pairs);
}

static void
an_envelope_stream_is_known_at_mail(void **state)
{
	(void)state;
	mail("ops", "<x@acme.example>");
	of("ops");
	assert_true(slice_is(asked.mail.matched->text, "login:ops"));
	to("<a@remote.example>");
	to("<b@near.example>");		/* ops comes first */
	of("ops");
	assert_int_equal(ask_rcpt("<c@remote.example>", "smtp"),
	    VERDICT_DEFER);
	expect_reply("451", "4.7.0", "limit few (2/day) is used up", 7);
}

static void
a_header_stream_is_known_at_the_end_of_the_headers(void **state)
{
	const struct stream *news;

	(void)state;
	mail("acme", "<x@acme.example>");
	of(NULL);
	to("<a@remote.example>");
	of(NULL);
	news = policy_stream(asked.mail.tenant, SLICE("news"));
	expect_used("acme", "all", 0, 1);
	expect_by("acme", "news", (struct decide_facts){ .stream = news,
	    .provider = DECIDE_ALL }, 0, 0);
	assert_int_equal(head("x@acme.example", "x-stream", "News"),
	    VERDICT_PASS);
	of("news");
	assert_true(slice_is(asked.mail.matched->text,
	    "header:X-Stream=news"));
	/* the stream's own key, not the tenant's */
	assert_int_equal(asked.mail.nidentities, 1);
	assert_true(slice_is(asked.mail.identities[0]->selector, "n"));
	assert_int_equal(ask_end(1), VERDICT_PASS);
	expect_used("acme", "all", 0, 1);
	expect_by("acme", "news", (struct decide_facts){ .stream = news,
	    .provider = DECIDE_ALL }, 0, 1);
	settled();
	expect_used("acme", "all", 1, 0);
	expect_by("acme", "news", (struct decide_facts){ .stream = news,
	    .provider = DECIDE_ALL }, 1, 0);
}

static void
without_its_header_it_is_the_default(void **state)
{
	(void)state;
	mail("acme", "<x@acme.example>");
	to("<a@remote.example>");
	assert_int_equal(ask_from("x@acme.example"), VERDICT_PASS);
	of("default");
	assert_null(asked.mail.matched);
	assert_true(slice_is(asked.mail.identities[0]->selector, "a"));
	assert_int_equal(ask_end(1), VERDICT_PASS);
	settled();
	expect_used("acme", "all", 1, 0);
}

static void
at_the_end_all_limits_or_none(void **state)
{
	int i;

	(void)state;
	mail("acme", "<x@acme.example>");
	for (i = 0; i < 4; i++)
		to("<a@remote.example>");
	assert_int_equal(head("x@acme.example", "X-Bulk", "1"), VERDICT_PASS);
	assert_int_equal(ask_end(1), VERDICT_DEFER);
	expect_reply("451", "4.7.0", "limit news (3/day): this asks for 4 "
	    "recipients, never more than 3", 15);
	expect_nothing_open();
	expect_used("acme", "all", 0, 0);
}

static void
the_largest_candidate_says_how_many_recipients(void **state)
{
	int i;

	(void)state;
	mail("acme", "<x@acme.example>");
	for (i = 0; i < 4; i++)
		to("<a@remote.example>");
	assert_int_equal(ask_rcpt("<e@remote.example>", "smtp"),
	    VERDICT_DEFER);
	expect_reply("452", "4.5.3", "at most 4 recipients", 13);
	/* and then it is the default one, with two */
	assert_int_equal(ask_from("x@acme.example"), VERDICT_DEFER);
	expect_reply("452", "4.5.3", "at most 2 recipients", 18);
}

static void
the_first_recipient_fixes_the_stream(void **state)
{
	(void)state;
	mail("acme", "<x@acme.example>");
	assert_int_equal(ask_rcpt("<us@here.example>", "local"),
	    VERDICT_PASS);
	to("<a@near.example>");
	of("near");
	to("<b@near.example>");
	to("<c@far.example>");		/* a header may still say otherwise */
	of("near");
	assert_int_equal(ask_from("x@acme.example"), VERDICT_PASS);
	of("near");
	assert_int_equal(ask_end(1), VERDICT_PASS);

	mail("acme", "<news@acme.example>");
	to("<a@near.example>");
	of("near");
	assert_int_equal(ask_rcpt("<b@far.example>", "smtp"), VERDICT_DEFER);
	expect_reply("452", "4.5.3", "<b@far.example> belongs to stream news, "
	    "this message is of stream near; next slot: the next message", 10);
	assert_int_equal(asked.mail.nrcpts, 1);
}

static void
where_mail_programs_submit_he_stays(void **state)
{
	(void)state;
	asked.listener = "submission";
	mail("acme", "<news@acme.example>");
	to("<a@near.example>");
	to("<b@far.example>");
	of("near");
	assert_int_equal(ask_from("x@acme.example"), VERDICT_PASS);
	assert_int_equal(ask_end(1), VERDICT_PASS);
	assert_int_equal(asked.mail.nrcpts, 2);
}

static void
a_recipient_who_is_turned_away_fixes_nothing(void **state)
{
	int i;

	(void)state;
	mail("acme", "<news@acme.example>");
	for (i = 0; i < 3; i++)
		to("<a@near.example>");
	assert_int_equal(ask_from("x@acme.example"), VERDICT_PASS);
	assert_int_equal(ask_end(1), VERDICT_PASS);
	settled();
	mail("acme", "<news@acme.example>");
	assert_int_equal(ask_rcpt("<a@near.example>", "smtp"), VERDICT_DEFER);
	expect_reply("451", "4.7.0", "limit near (3/day)", 9);
	of(NULL);
	to("<b@far.example>");
	of("news");
}

static void
a_stream_alone_may_be_paused(void **state)
{
	(void)state;
	assert_int_equal(ask_mail("ops", NULL, "<still@acme.example>", 0),
	    VERDICT_PASS);		/* ops comes first */
	mail("acme", "<still@acme.example>");
	of(NULL);
	to("<a@near.example>");
	mail("acme", "<still@acme.example>");
	to("<a@far.example>");
	assert_int_equal(ask_from("x@acme.example"), VERDICT_DEFER);
	expect_reply("451", "4.7.0", "tenant acme: stream still is paused: "
	    "list under repair", 17);
	mail("shut", "<x@shut.example>");
	to("<a@far.example>");
	assert_int_equal(head("x@shut.example", "X-Late", ""), VERDICT_DEFER);
	expect_reply("451", "4.7.0", "stream late is paused: not today", 34);
	assert_int_equal(asked.answer.stage, STAGE_HEADERS);
}

static void
local_mail_has_a_stream_too(void **state)
{
	(void)state;
	mail("acme", "<x@acme.example>");
	assert_int_equal(ask_rcpt("<us@near.example>", "local"),
	    VERDICT_PASS);
	assert_int_equal(ask_from("x@acme.example"), VERDICT_PASS);
	of("near");
	assert_int_equal(ask_end(1), VERDICT_PASS);
	assert_int_equal(asked.mail.claim.n, 0);
}

static void
trusted_mail_finds_its_stream_by_the_headers(void **state)
{
	(void)state;
	assert_int_equal(ask_mail(NULL, "10.9.0.1", "<news@acme.example>", 0),
	    VERDICT_PASS);
	to("<a@remote.example>");
	assert_int_equal(ask_from("x@acme.example"), VERDICT_PASS);
	of("news");
	assert_int_equal(ask_end(1), VERDICT_PASS);
	settled();
	expect_used("acme", "all", 1, 0);
	/* the first who is remote fixes it, not one of ours */
	assert_int_equal(ask_mail(NULL, "10.9.0.1", "<x@acme.example>", 0),
	    VERDICT_PASS);
	assert_int_equal(ask_rcpt("<us@here.example>", "local"),
	    VERDICT_PASS);
	to("<a@near.example>");
	assert_int_equal(ask_from("x@acme.example"), VERDICT_PASS);
	of("near");
}

/* plan - the edits, as text */
static const char *
plan(const char *const *pairs)
{
	struct header_fact h[16];
	const char *all = "";
	struct plan made;
	struct why why;
	size_t i, n = 0;

	for (; pairs[2 * n] != NULL; n++)
		h[n] = (struct header_fact){ slice_of(pairs[2 * n]),
			slice_of(pairs[2 * n + 1]) };
	assert_int_equal(plan_make(&asked.mail, h, n, &made, asked.arena,
	    &why), 0);
	for (i = 0; i < made.n; i++)
		all = arena_printf(asked.arena, "%s%s %.*s %u;", all,
		    edit_names[made.edits[i].kind],
		    SLICE_ARG(made.edits[i].name), made.edits[i].index);
	assert_int_equal(made.nleft + made.nremoved, n);
	return all;
}

static void
the_headers_that_select_it_are_removed(void **state)
{
	static const char *const pairs[] = { "X-Stream", "news", "From",
	    "x@acme.example", "X-Bulk", "1", "x-stream", "other", "Subject",
	    "hello", NULL };

	(void)state;
	mail("acme", "<x@acme.example>");
	to("<a@remote.example>");
	assert_int_equal(ask_headers(pairs), VERDICT_PASS);
	of("news");
	assert_string_equal(plan(pairs),
	    "remove x-stream 2;remove X-Bulk 1;remove X-Stream 1;");
	/* another stream leaves them where they are */
	mail("ops", "<x@acme.example>");
	to("<a@remote.example>");
	assert_int_equal(ask_headers(pairs), VERDICT_PASS);
	of("ops");
	assert_string_equal(plan(pairs), "");
}

static void
ownership_in_shadow_lets_pass_and_remembers(void **state)
{
	static const char *const two[] = { "From", "x@soft.example", "Sender",
	    "boss@other.example", NULL };
	static const char *const broken[] = { "From", "<>, (", NULL };
	static const char *const none[] = { "Subject", "hello", NULL };

	(void)state;
	mail("soft", "<x@other.example>");
	assert_int_equal(asked.mail.would.verdict, VERDICT_REFUSE);
	to("<a@remote.example>");
	assert_int_equal(ask_headers(two), VERDICT_PASS);
	assert_int_equal(asked.mail.nidentities, 1);
	assert_int_equal(ask_end(1), VERDICT_PASS);

	mail("soft", "<x@soft.example>");
	to("<a@remote.example>");
	assert_int_equal(ask_headers(two), VERDICT_PASS);
	assert_int_equal(asked.mail.would.verdict, VERDICT_REFUSE);
	assert_non_null(memmem(asked.mail.would.text.p,
	    asked.mail.would.text.n, "Sender: tenant soft does not own", 32));

	mail("soft", "<x@soft.example>");
	to("<a@remote.example>");
	assert_int_equal(ask_from("x@other.example"), VERDICT_PASS);
	assert_int_equal(asked.mail.would.verdict, VERDICT_REFUSE);
	assert_int_equal(asked.mail.nidentities, 0);

	mail("soft", "<x@soft.example>");
	to("<a@remote.example>");
	assert_int_equal(ask_headers(broken), VERDICT_PASS);
	assert_int_equal(asked.mail.would.verdict, VERDICT_REFUSE);
	assert_int_equal(asked.mail.nidentities, 0);

	mail("soft", "<x@soft.example>");
	to("<a@remote.example>");
	assert_int_equal(ask_headers(none), VERDICT_PASS);
	assert_int_equal(asked.mail.would.verdict, VERDICT_REFUSE);
	assert_int_equal(asked.mail.nidentities, 0);

	mail("soft", "<x@soft.example>");
	to("<a@remote.example>");
	assert_int_equal(ask_from("x@soft.example"), VERDICT_PASS);
	assert_int_equal(asked.mail.would.verdict, VERDICT_PASS);
	assert_int_equal(asked.mail.nidentities, 1);
	/* an unknown sender is never in shadow */
	assert_int_equal(ask_mail("nobody", NULL, "<x@soft.example>", 0),
	    VERDICT_DEFER);
}

static void
the_stream_says_whether_ownership_is_in_shadow(void **state)
{
	(void)state;
	mail("half", "<x@other.example>");
	assert_non_null(asked.mail.unowned.code);
	assert_int_equal(asked.mail.would.verdict, VERDICT_PASS);
	to("<a@remote.example>");
	assert_int_equal(head("x@half.example", "X-Trial", "1"),
	    VERDICT_PASS);
	assert_int_equal(asked.mail.would.verdict, VERDICT_REFUSE);
	mail("half", "<x@other.example>");
	to("<a@remote.example>");
	assert_int_equal(ask_from("x@half.example"), VERDICT_REFUSE);
	expect_reply("553", "5.7.1", "tenant half does not own the sender's "
	    "domain", 25);
	assert_int_equal(asked.answer.stage, STAGE_HEADERS);
}

static void
what_may_be_in_shadow_is_not_reserved_before_it_is_known(void **state)
{
	int i;

	(void)state;
	mail("half", "<x@half.example>");
	for (i = 0; i < 3; i++)
		to("<a@remote.example>");
	expect_used("half", "all", 0, 0);
	assert_int_equal(head("x@half.example", "X-Trial", "1"),
	    VERDICT_PASS);
	assert_int_equal(ask_end(1), VERDICT_PASS);
	assert_int_equal(asked.mail.would.verdict, VERDICT_DEFER);
	decide_abort(&asked.mail);
	mail("half", "<x@half.example>");
	for (i = 0; i < 3; i++)
		to("<a@remote.example>");
	assert_int_equal(ask_from("x@half.example"), VERDICT_PASS);
	assert_int_equal(ask_end(1), VERDICT_DEFER);
	expect_reply("451", "4.7.0", "limit all (1/day)", 27);
}

static void
if_nobody_may_have_it_it_is_refused(void **state)
{
	(void)state;
	mail("acme", "<x@acme.example>");
	to("<a@remote.example>");
	to("<b@remote.example>");
	assert_int_equal(ask_from("x@acme.example"), VERDICT_PASS);
	asked.mail.rcpts[0].verdict = VERDICT_DROP;
	assert_int_equal(ask_end(1), VERDICT_PASS);
	assert_int_equal(asked.mail.claim.asks[0].charge.amount, 1);
	decide_abort(&asked.mail);
	asked.mail.rcpts[1].verdict = VERDICT_DROP;
	assert_int_equal(ask_end(1), VERDICT_REFUSE);
	expect_reply("550", "5.7.1", "none of its recipients may have this "
	    "message", 0);
}

#define T(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_envelope_stream_is_known_at_mail),
		T(a_header_stream_is_known_at_the_end_of_the_headers),
		T(without_its_header_it_is_the_default),
		T(at_the_end_all_limits_or_none),
		T(the_largest_candidate_says_how_many_recipients),
		T(the_first_recipient_fixes_the_stream),
		T(where_mail_programs_submit_he_stays),
		T(a_recipient_who_is_turned_away_fixes_nothing),
		T(a_stream_alone_may_be_paused),
		T(local_mail_has_a_stream_too),
		T(trusted_mail_finds_its_stream_by_the_headers),
		T(the_headers_that_select_it_are_removed),
		T(ownership_in_shadow_lets_pass_and_remembers),
		T(the_stream_says_whether_ownership_is_in_shadow),
		T(what_may_be_in_shadow_is_not_reserved_before_it_is_known),
		T(if_nobody_may_have_it_it_is_refused),
	};

	return cmocka_run_group_tests_name("decide_streams", tests, files_keys,
	    files_no_keys);
}
