/*
 * decide - who may speak as whom: the ways to a tenant, and the matrix of
 * tenant x tenant x every place where a message says who it is from.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "policy/reply.h"
#include "tests/unit/asked.h"

static const char policy[] =
/*  1 */ "unknown_sender = \"defer\"\n"
/*  2 */ "trusted { clients = {\"10.9.0.1\"} identify = \"from-domain\" }\n"
/*  3 */ "group \"closed\" { paused = \"invoice 4711\" }\n"
/*  4 */ "tenant \"acme\" {\n"
/*  5 */ "  logins = {\"acme\", \"*@acme.example\"}\n"
/*  6 */ "  clients = {\"10.1.0.0/16\"}\n"
/*  7 */ "  domains = {\"acme.example\", \"*.acme.example\"}\n"
/*  8 */ "  bounce_domain = \"bounce.acme-mail.example\"\n"
/*  9 */ "  contact = \"ops@acme.example\"\n"
/* 10 */ "  dkim \"a\" { domain = \"acme.example\"  key = \"good.rsa\" }\n"
/* 11 */ "}\n"
/* 12 */ "tenant \"beta\" {\n"
/* 13 */ "  logins = {\"beta\"}\n"
/* 14 */ "  clients = {\"10.1.2.0/24\"}\n"
/* 15 */ "  domains = {\"beta.example\"}\n"
/* 16 */ "  dkim \"b\" { domain = \"beta.example\"  key = \"good.rsa\" }\n"
/* 17 */ "}\n"
/* 18 */ "tenant \"gamma\" {\n"		/* below acme's domain */
/* 19 */ "  logins = {\"gamma\"}\n"
/* 20 */ "  domains = {\"sub.acme.example\"}\n"
/* 21 */ "  dkim \"g\" { domain = \"sub.acme.example\"  key = \"good.rsa\" }\n"
/* 22 */ "}\n"
/* 23 */ "tenant \"idle\" {\n"
/* 24 */ "  logins = {\"idle\"}  domains = {\"idle.example\"}\n"
/* 25 */ "  paused = \"complaints: 3 % today\"\n"
/* 26 */ "}\n"
/* 27 */ "tenant \"late\" {\n"
/* 28 */ "  logins = {\"late\"}  domains = {\"late.example\"}\n"
/* 29 */ "  group = \"closed\"\n"
/* 30 */ "}\n"
/* 31 */ "tenant \"keyless\" {\n"
/* 32 */ "  logins = {\"keyless\"}  domains = {\"keyless.example\"}\n"
/* 33 */ "}\n";

static const struct {
	const char *login, *domain;
} tenants[] = {
	{ "acme", "acme.example" },
	{ "beta", "beta.example" },
	{ "gamma", "sub.acme.example" },
};
#define TENANTS	(sizeof(tenants) / sizeof(tenants[0]))

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

enum want {
	OWN,		/* passes when the other is the tenant itself */
	ALWAYS,		/* the other's name is mere text */
	NEVER,		/* nobody can know what this says */
	NOT_OTHERS	/* refused when it is another's; else as you like */
};

/* %o: me@own-domain, %v: x@other's-domain, %d: other's domain */
static const struct claims {
	const char *name, *mail_from;
	const char *headers[7];
	enum want want;
} forms[] = {
	{ "MAIL FROM", "<%v>", { "From", "%o" }, OWN },
	{ "From", "<%o>", { "From", "%v" }, OWN },
	{ "both", "<%v>", { "From", "Some One <%v>" }, OWN },
	{ "From and a null sender", "<>", { "From", "%v" }, OWN },
	{ "the second of several in From", "<%o>", { "From", "%o, %v" }, OWN },
	{ "the first of several in From", "<%o>", { "From", "%v, %o" }, OWN },
	{ "two From fields", "<%o>", { "From", "%o", "From", "%v" }, NEVER },
	{ "two From fields in odd case", "<%o>",
	    { "From", "%o", "fROM ", "%v" }, NEVER },
	{ "From with white space before the colon", "<%o>",
	    { "From \t", "%v" }, OWN },
	{ "no From at all", "<%o>", { "Subject", "%v" }, NEVER },
	{ "Sender", "<%o>", { "From", "%o", "Sender", "%v" }, OWN },
	{ "Sender before From", "<%o>", { "SENDER", "%v", "From", "%o" },
	    OWN },
	{ "two Sender fields", "<%o>",
	    { "From", "%o", "Sender", "%o", "Sender", "%v" }, NEVER },
	{ "Resent-From", "<%o>", { "From", "%o", "Resent-From", "%v" }, OWN },
	{ "Resent-Sender", "<%o>", { "From", "%o", "resent-sender", "%v" },
	    OWN },
	{ "the second Resent-From", "<%o>",
	    { "From", "%o", "Resent-From", "%o", "Resent-From", "%v" }, OWN },
	{ "a group", "<%o>", { "From", "friends: %v;" }, OWN },
	{ "a group beside an address", "<%o>",
	    { "From", "%o, friends: %o, %v;" }, OWN },
	{ "an empty group", "<%o>", { "From", "undisclosed:;" }, NEVER },
	{ "a group in a group", "<%o>", { "From", "a: b: %v;;" }, NOT_OTHERS },
	{ "a comment", "<%o>", { "From", "%o (%v)" }, ALWAYS },
	{ "an address behind a comment", "<%o>", { "From", "(%o) %v" }, OWN },
	{ "nested comments", "<%o>", { "From", "(a (%v) (b)) %o" }, ALWAYS },
	{ "a comment with a quoted end", "<%o>", { "From", "(\\) %o (\\() %v" },
	    NOT_OTHERS },
	{ "a comment without end", "<%o>", { "From", "%o (%v" }, NEVER },
	{ "a comment inside the address", "<%o>",
	    { "From", "me(%v)@(x)%d" }, NOT_OTHERS },
	{ "a quoted display name", "<%o>", { "From", "\"%v\" <%o>" },
	    ALWAYS },
	{ "a quoted name with a comma", "<%o>",
	    { "From", "\"%v, me\" <%o>" }, ALWAYS },
	{ "a quoted name with a quoted quote", "<%o>",
	    { "From", "\"\\\" <%v>, \" <%o>" }, ALWAYS },
	{ "a quoted string without end", "<%o>", { "From", "\"%o <%v>" },
	    NEVER },
	{ "an unquoted address as name", "<%o>", { "From", "%o <%v>" },
	    NOT_OTHERS },
	{ "two angle addresses", "<%o>", { "From", "<%o> <%v>" }, NEVER },
	{ "an encoded word as name", "<%o>",
	    { "From", "=?utf-8?q?x=40%d?= <%o>" }, ALWAYS },
	{ "an encoded word as address", "<%o>",
	    { "From", "=?utf-8?b?eEBhY21lLmV4YW1wbGU=?=" }, NEVER },
	{ "an encoded word in brackets", "<%o>",
	    { "From", "<=?utf-8?q?x=40%d?=>" }, NEVER },
	{ "a route", "<%o>", { "From", "<@%d:%o>" }, NOT_OTHERS },
	{ "a route of one's own", "<%o>", { "From", "<@own.example:%v>" },
	    NOT_OTHERS },
	{ "folds", "<%o>", { "From", "Some\n One\n\t<%v>" }, OWN },
	{ "a fold that looks like a field", "<%o>",
	    { "From", "%o\n Sender: %v" }, NEVER },
	{ "a trailing dot", "<%o>", { "From", "x@%d." }, NOT_OTHERS },
	{ "a domain that begins like it", "<%o>", { "From", "x@%d.evil.test" },
	    NEVER },
	{ "a domain that ends like it", "<%o>",
	    { "From", "x@evilacme.example" }, NEVER },
	{ "another that does", "<%o>", { "From", "x@evilbeta.example" },
	    NEVER },
	{ "the domain above them all", "<%o>", { "From", "x@example" },
	    NEVER },
	{ "an 8-bit domain", "<%o>", { "From", "x@\xe9.%d" }, NEVER },
	{ "an address without a domain", "<%o>", { "From", "root" }, NEVER },
	{ "an empty domain", "<%o>", { "From", "x@" }, NEVER },
	{ "an empty address", "<%o>", { "From", "<>" }, NEVER },
	{ "an empty field", "<%o>", { "From", "" }, NEVER },
	{ "a domain literal", "<%o>", { "From", "x@[192.0.2.1]" }, NEVER },
	{ "a percent sign", "<%o>", { "From", "<x%%d@own.example>" }, NEVER },
	{ "a Sender that cannot be read", "<%o>",
	    { "From", "%o", "Sender", "%v x" }, NEVER },
	{ "a Reply-To is nobody's claim", "<%o>",
	    { "From", "%o", "Reply-To", "%v" }, ALWAYS },
};

/* fill - %o, %v, %d */
static const char *
fill(const char *form, const char *own, const char *other)
{
	struct buf b = BUF_INIT;
	struct slice copy;

	for (; *form != '\0'; form++) {
		if (*form != '%' || strchr("ovd", form[1]) == NULL) {
			buf_char(&b, *form);
			continue;
		}
		form++;
		if (*form == 'd')
			buf_str(&b, other);
		else
			buf_printf(&b, "%s@%s", *form == 'o' ? "me" : "x",
			    *form == 'o' ? own : other);
	}
	copy = arena_copy(asked.texts, buf_slice(&b));
	assert_non_null(copy.p);
	buf_free(&b);
	return copy.p;
}

/* run - one cell of the matrix: does it get through, and who signs? */
static bool
run(const struct claims *f, const char *login, const char *own,
    const char *other)
{
	const char *pairs[8] = { NULL };
	size_t i;

	for (i = 0; f->headers[i] != NULL; i++)
		pairs[i] = i % 2 == 0 ? f->headers[i] :
		    fill(f->headers[i], own, other);
	if (ask_mail(login, NULL, fill(f->mail_from, own, other), 0) !=
	    VERDICT_PASS)
		return false;
	assert_int_equal(ask_rcpt("<someone@remote.example>", "smtp"),
	    VERDICT_PASS);
	if (ask_headers(pairs) != VERDICT_PASS)
		return false;
	assert_true(slice_is(asked.mail.tenant->name, login));
	assert_int_equal(asked.mail.nidentities, 1);
	for (i = 0; i < asked.mail.nidentities; i++)
		if (!slice_is(asked.mail.identities[i]->domain, own))
			fail_msg("%s: %s is signed with d=%.*s", f->name,
			    login, SLICE_ARG(asked.mail.identities[i]->domain));
	return ask_end(100) == VERDICT_PASS;
}

static void
nobody_speaks_for_another(void **state)
{
	size_t s, v, i;
	bool passes;

	(void)state;
	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		for (s = 0; s < TENANTS; s++) {
			for (v = 0; v < TENANTS; v++) {
				passes = run(&forms[i], tenants[s].login,
				    tenants[s].domain, tenants[v].domain);
				if ((forms[i].want == OWN && passes != (s == v))
				    || (forms[i].want == ALWAYS && !passes) ||
				    (forms[i].want == NEVER && passes) ||
				    (forms[i].want == NOT_OTHERS && passes &&
				    s != v))
					fail_msg("%s: %s with %s's domain %s "
					    "(%.*s)", forms[i].name,
					    tenants[s].login, tenants[v].login,
					    passes ? "passes" : "is refused",
					    SLICE_ARG(asked.answer.text));
			}
		}
	}
}

static void
a_login_leads_to_its_tenant_and_beats_the_network(void **state)
{
	(void)state;
	assert_int_equal(ask_mail("acme", NULL, "<a@acme.example>", 0),
	    VERDICT_PASS);
	assert_int_equal(asked.mail.tenant_rule.line, 5);
	assert_int_equal(ask_mail("joe@acme.example", "10.1.2.9",
	    "<a@acme.example>", 0), VERDICT_PASS);
	assert_true(slice_is(asked.mail.tenant->name, "acme"));
	/* the network does not help an unknown login */
	assert_int_equal(ask_mail("joe", "10.1.2.9", "<a@beta.example>", 0),
	    VERDICT_DEFER);
	expect_reply("451", "4.7.0", "login \"joe\"", 1);
}

static void
the_nearest_network_leads_to_its_tenant(void **state)
{
	(void)state;
	assert_int_equal(ask_mail(NULL, "10.1.2.9", "<a@beta.example>", 0),
	    VERDICT_PASS);
	assert_true(slice_is(asked.mail.tenant->name, "beta"));
	assert_int_equal(ask_mail("", "10.1.3.9", "<a@acme.example>", 0),
	    VERDICT_PASS);
	assert_true(slice_is(asked.mail.tenant->name, "acme"));
	assert_int_equal(asked.mail.origin, ORIGIN_TENANT);
}

static void
an_unknown_login_is_shown_harmless(void **state)
{
	(void)state;
	assert_int_equal(ask_mail("a\r\n250 \"ok\" %n \xff", NULL, "<>", 0),
	    VERDICT_DEFER);
	expect_reply("451", "4.7.0", "login \"a\\x0d\\x0a250 \\x22ok\\x22 %n "
	    "\\xff\"", 1);
}

static void
a_reply_is_one_short_line_of_printable_ascii(void **state)
{
	char longer[2000];

	(void)state;
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	(void)looked_at(reply(&asked.answer, asked.texts, VERDICT_DEFER, "451",
	    "4.7.0", (struct place){ NULL, 0, 0 }, "a\r\nb\x7f\xc3\xbc\t%s",
	    longer));
	assert_int_equal(asked.answer.text.n, 900);
	assert_memory_equal(asked.answer.text.p, "a??b????xxx", 11);
}

static void
unknown_sender_may_be_refused(void **state)
{
	static const char refuse[] = "unknown_sender = \"refuse\"\n"
	    "include \"tenants.d\"\n";
	static const char broken[] = "tenant \"x\" { logins = {\"known\"} "
	    "domains = {\"x.example\"} color = \"red\" }\n";

	(void)state;
	files_write("policy.conf", refuse, sizeof(refuse) - 1);
	files_write("tenants.d/README", "", 0);
	asked_load();
	assert_int_equal(ask_mail("joe", NULL, "<>", 0), VERDICT_REFUSE);
	expect_reply("550", "5.7.1", "belongs to no tenant", 1);
	assert_int_equal(ask_mail(NULL, "192.0.2.1", "<j@x.example>", 0),
	    VERDICT_PASS);
	assert_int_equal(ask_rcpt("<r@remote.example>", "smtp"),
	    VERDICT_REFUSE);
	/* while a tenant file is broken, it may be one of its logins */
	files_write("tenants.d/x.conf", broken, sizeof(broken) - 1);
	asked_load();
	assert_int_equal(ask_mail("joe", NULL, "<>", 0), VERDICT_DEFER);
	assert_int_equal(ask_mail("known", NULL, "<a@x.example>", 0),
	    VERDICT_DEFER);
	expect_reply("451", "4.3.5", "tenant x: its policy file", 0);
}

static void
a_paused_tenant_or_group_gets_451_with_the_reason(void **state)
{
	(void)state;
	assert_int_equal(ask_mail("idle", NULL, "<a@idle.example>", 0),
	    VERDICT_DEFER);
	expect_reply("451", "4.7.0", "tenant idle is paused: complaints: 3 % "
	    "today", 25);
	assert_int_equal(ask_mail("late", NULL, "<a@late.example>", 0),
	    VERDICT_DEFER);
	expect_reply("451", "4.7.0", "group closed is paused: invoice 4711",
	    3);
}

static void
mail_from_may_be_null_or_of_the_bounce_domain(void **state)
{
	(void)state;
	assert_int_equal(ask_mail("acme", NULL, "<>", 0), VERDICT_PASS);
	assert_true(asked.mail.null_sender);
	assert_int_equal(ask_mail("acme", NULL,
	    "<b+1@bounce.acme-mail.example>", 0), VERDICT_PASS);
	assert_int_equal(ask_rcpt("<r@remote.example>", "smtp"),
	    VERDICT_PASS);
	assert_int_equal(ask_from("b@bounce.acme-mail.example"),
	    VERDICT_REFUSE);
	expect_reply("550", "5.7.1", "From: tenant acme does not own the "
	    "domain \"bounce.acme-mail.example\"; contact ops@acme.example",
	    4);
	assert_int_equal(ask_mail("beta", NULL,
	    "<b+1@bounce.acme-mail.example>", 0), VERDICT_REFUSE);
	expect_reply("553", "5.7.1", "tenant beta does not own", 12);
}

static void
mail_from_that_is_no_address_is_refused_of_tenants_only(void **state)
{
	static const char *const bad[] = { "<a>", "<a@>", "<@b>", "a b@c.d",
		"<a@b@c>", "", "<\xe9@acme.example", "<a@acme.example\r\n>",
		"<a@\xe9.example>" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(ask_mail("acme", NULL, bad[i], 0),
		    VERDICT_REFUSE);
		expect_reply("553", "5.1.7", "is not a sender address", 4);
		assert_int_equal(ask_mail(NULL, "192.0.2.1", bad[i], 0),
		    VERDICT_PASS);
		assert_int_equal(ask_rcpt("<us@local.example>", "virtual"),
		    VERDICT_PASS);
	}
}

static void
inbound_mail_is_not_judged_while_it_stays_here(void **state)
{
	(void)state;
	assert_int_equal(ask_mail(NULL, "192.0.2.1", "<x@acme.example>", 0),
	    VERDICT_PASS);
	assert_int_equal(asked.mail.origin, ORIGIN_INBOUND);
	assert_int_equal(ask_rcpt("<us@local.example>", "lmtp"),
	    VERDICT_PASS);
	assert_int_equal(ask_rcpt("root", "local"), VERDICT_PASS);
	assert_int_equal(ask_rcpt("<us@remote.example>", "smtp"),
	    VERDICT_DEFER);
	expect_reply("451", "4.7.0", "the recipient is not local", 1);
	assert_int_equal(ask_rcpt("<us@remote.example>", NULL),
	    VERDICT_DEFER);
	assert_int_equal(ask_from("x@acme.example"), VERDICT_PASS);
	assert_int_equal(asked.mail.nidentities, 0);
	assert_int_equal(ask_end(1), VERDICT_PASS);
	assert_null(asked.mail.tenant);
}

static void
trusted_mail_has_its_tenant_from_from(void **state)
{
	(void)state;
	assert_int_equal(ask_mail(NULL, "10.9.0.1", "<>", 0), VERDICT_PASS);
	assert_int_equal(asked.mail.origin, ORIGIN_TRUSTED);
	assert_int_equal(ask_rcpt("<r@remote.example>", "smtp"),
	    VERDICT_PASS);
	assert_int_equal(ask_from("a@beta.example"), VERDICT_PASS);
	assert_true(slice_is(asked.mail.tenant->name, "beta"));
	assert_int_equal(asked.mail.nidentities, 1);
	assert_int_equal(ask_end(1), VERDICT_PASS);

	assert_int_equal(ask_mail(NULL, "10.9.0.1", "<>", 0), VERDICT_PASS);
	assert_int_equal(ask_rcpt("<r@remote.example>", "smtp"),
	    VERDICT_PASS);
	assert_int_equal(ask_from("a@beta.example, b@acme.example"),
	    VERDICT_REFUSE);
	expect_reply("550", "5.7.1", "several tenants", 0);

	assert_int_equal(ask_mail(NULL, "10.9.0.1", "<>", 0), VERDICT_PASS);
	assert_int_equal(ask_rcpt("<r@remote.example>", "smtp"),
	    VERDICT_PASS);
	assert_int_equal(ask_from("a@nobody.example"), VERDICT_DEFER);
	expect_reply("451", "4.7.0", "\"nobody.example\" belongs to no tenant",
	    1);

	assert_int_equal(ask_mail(NULL, "10.9.0.1", "<>", 0), VERDICT_PASS);
	assert_int_equal(ask_rcpt("<r@remote.example>", "smtp"),
	    VERDICT_PASS);
	assert_int_equal(ask_from("a@idle.example"), VERDICT_DEFER);
	expect_reply("451", "4.7.0", "tenant idle is paused", 25);

	/* the tenant that From names must own the envelope's sender as well */
	assert_int_equal(ask_mail(NULL, "10.9.0.1", "<b@acme.example>", 0),
	    VERDICT_PASS);
	assert_int_equal(ask_rcpt("<r@remote.example>", "smtp"),
	    VERDICT_PASS);
	assert_int_equal(ask_from("a@beta.example"), VERDICT_REFUSE);
	assert_string_equal(asked.answer.code, "553");
	assert_int_equal(ask_mail(NULL, "10.9.0.1", "<a@beta.example>", 0),
	    VERDICT_PASS);
	assert_int_equal(ask_rcpt("<r@remote.example>", "smtp"),
	    VERDICT_PASS);
	assert_int_equal(ask_from("a@beta.example"), VERDICT_PASS);

	/* all at home: inbound, whatever From says */
	assert_int_equal(ask_mail(NULL, "10.9.0.1", "<>", 0), VERDICT_PASS);
	assert_int_equal(ask_rcpt("<r@local.example>", "virtual"),
	    VERDICT_PASS);
	assert_int_equal(ask_from("nonsense"), VERDICT_PASS);
	assert_int_equal(ask_end(1), VERDICT_PASS);
}

static void
a_header_too_long_to_be_seen_whole_is_refused(void **state)
{
	static char longer[HEADER_CUT + 1];
	const char *pairs[] = { "From", "a@acme.example", "X-Long", longer,
		NULL };

	(void)state;
	memset(longer, 'x', HEADER_CUT - 6);
	assert_int_equal(ask_mail("acme", NULL, "<>", 0), VERDICT_PASS);
	assert_int_equal(ask_rcpt("<r@remote.example>", "smtp"),
	    VERDICT_PASS);
	assert_int_equal(ask_headers(pairs), VERDICT_REFUSE);
	expect_reply("554", "5.6.0", "header \"X-Long\"", 0);
	longer[HEADER_CUT - 7] = '\0';
	assert_int_equal(ask_headers(pairs), VERDICT_PASS);
	/* inbound mail is not ours to judge */
	longer[HEADER_CUT - 7] = 'x';
	assert_int_equal(ask_mail(NULL, "192.0.2.1", "<>", 0), VERDICT_PASS);
	assert_int_equal(ask_rcpt("<r@here.example>", "local"), VERDICT_PASS);
	assert_int_equal(ask_headers(pairs), VERDICT_PASS);
}

static void
the_nearest_key_signs_and_one_in_trouble_defers(void **state)
{
	static const char text[] =
	    "dkim \"p\" { domain = \"platform.example\" key = \"good.rsa\" }\n"
	    "tenant \"t\" { logins = {\"t\"}\n"
	    " domains = {\"t.example\", \"*.t.example\", \"u.example\"}\n"
	    " dkim \"one\" { domain = \"t.example\" key = \"good.rsa\" }\n"
	    " dkim \"two\" { domain = \"t.example\" key = \"good.ed\" }\n"
	    " dkim \"low\" { domain = \"a.t.example\" key = \"good.rsa\" }\n"
	    "}\n"
	    "include \"tenants.d\"\n";
	static const char bad[] =
	    "tenant \"open\" { logins = {\"open\"} domains = {\"o.example\"}\n"
	    " dkim \"x\" { domain = \"o.example\" key = \"open.rsa\" } }\n";

	(void)state;
	files_write("policy.conf", text, sizeof(text) - 1);
	files_write("tenants.d/open.conf", bad, sizeof(bad) - 1);
	asked_load();
	assert_int_equal(ask_mail("t", NULL, "<>", 0), VERDICT_PASS);
	assert_int_equal(ask_from("a@b.t.example, b@t.example"), VERDICT_PASS);
	assert_int_equal(asked.mail.nfrom_domains, 2);
	assert_int_equal(asked.mail.nidentities, 3);
	assert_true(slice_is(asked.mail.identities[0]->selector, "one"));
	assert_true(slice_is(asked.mail.identities[2]->selector, "p"));
	assert_int_equal(ask_from("a@a.t.example, c@u.example"), VERDICT_PASS);
	assert_int_equal(asked.mail.nidentities, 2);
	assert_true(slice_is(asked.mail.identities[0]->selector, "low"));
	/* a key that others may read: 451, never unsigned */
	if (ask_mail("open", NULL, "<>", 0) == VERDICT_PASS)
		assert_int_equal(ask_from("a@o.example"), VERDICT_DEFER);
	expect_reply("451", "4.3.5", "tenant open", 0);
}

static void
a_tenant_without_keys_is_sent_unsigned(void **state)
{
	(void)state;
	assert_int_equal(ask_mail("keyless", NULL, "<>", 0), VERDICT_PASS);
	assert_int_equal(ask_from("a@keyless.example"), VERDICT_PASS);
	assert_int_equal(asked.mail.nidentities, 0);
}

static void
recipients_that_are_no_address_are_refused_unless_local(void **state)
{
	static const char *const bad[] = { "<a>", "<>", "", "<a@b@c>",
		"<x@\xff.example>", "<a@[1.2.3.4" };
	size_t i;

	(void)state;
	assert_int_equal(ask_mail("acme", NULL, "<>", 0), VERDICT_PASS);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(ask_rcpt(bad[i], "smtp"), VERDICT_REFUSE);
		expect_reply("553", "5.1.3", "is not a recipient address", 0);
		assert_int_equal(ask_rcpt(bad[i], "local"), VERDICT_PASS);
	}
	assert_int_equal(asked.mail.nremote, 0);
	assert_int_equal(asked.mail.nrcpts, sizeof(bad) / sizeof(bad[0]));
}

/* whole - a message from MAIL to the end; how far it got */
static enum verdict
whole(void)
{
	if (ask_mail("acme", NULL, "<me@acme.example>", 10) != VERDICT_PASS ||
	    ask_rcpt("<someone@remote.example>", "smtp") != VERDICT_PASS ||
	    ask_from("\"Me\" <me@acme.example>, b@x.acme.example") !=
	    VERDICT_PASS)
		return asked.answer.verdict;
	return ask_end(20);
}

static void
without_memory_it_is_always_451(void **state)
{
	static const char more[] = "tenant \"acme\" { logins = {\"acme\"}\n"
	    " domains = {\"acme.example\", \"*.acme.example\"}\n"
	    " cap \"a\" { limit = \"9/day\" }\n"
	    " throttle \"b\" { rate = \"9/day\" } }\n";
	struct arena *plenty = asked.arena;
	size_t limit;
	int deferred = 0;

	(void)state;
	files_write("policy.conf", more, sizeof(more) - 1);
	asked_load();
	for (limit = 8; limit < 100000; limit += 24) {
		asked.arena = arena_new(8, limit);
		if (whole() == VERDICT_PASS)
			break;
		expect_reply("451", "4.3.0", "local trouble", 0);
		deferred++;
		decide_abort(&asked.mail);
		arena_free(asked.arena);
	}
	assert_int_equal(asked.answer.verdict, VERDICT_PASS);
	assert_true(deferred > 20);
	decide_abort(&asked.mail);
	arena_free(asked.arena);
	asked.arena = plenty;
}

#define T(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(nobody_speaks_for_another),
		T(a_login_leads_to_its_tenant_and_beats_the_network),
		T(the_nearest_network_leads_to_its_tenant),
		T(an_unknown_login_is_shown_harmless),
		T(a_reply_is_one_short_line_of_printable_ascii),
		T(unknown_sender_may_be_refused),
		T(a_paused_tenant_or_group_gets_451_with_the_reason),
		T(mail_from_may_be_null_or_of_the_bounce_domain),
		T(mail_from_that_is_no_address_is_refused_of_tenants_only),
		T(inbound_mail_is_not_judged_while_it_stays_here),
		T(trusted_mail_has_its_tenant_from_from),
		T(a_header_too_long_to_be_seen_whole_is_refused),
		T(the_nearest_key_signs_and_one_in_trouble_defers),
		T(a_tenant_without_keys_is_sent_unsigned),
		T(recipients_that_are_no_address_are_refused_unless_local),
		T(without_memory_it_is_always_451),
	};

	return cmocka_run_group_tests_name("decide", tests, files_keys,
	    files_no_keys);
}
