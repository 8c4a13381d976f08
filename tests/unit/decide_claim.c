/*
 * decide, when the tenant is not in a tenant's own block: a login that names
 * one in a header, and tenants that appear by the domain of their logins.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "tests/unit/charged.h"

static const char policy[] =
/*  1 */ "unknown_sender = \"refuse\"\n"
/*  2 */ "trusted { clients = {\"10.9.0.1\"} identify = \"from-domain\" }\n"
/*  3 */ "claim \"X-Tenant\" { logins = {\"app\", \"*@app.example\"}\n"
/*  4 */ "  clients = {\"10.8.0.0/16\"}  tenants = {\"acme\", \"beta\"} }\n"
/*  5 */ "auto_tenant { by = \"login-domain\"  class = \"plain\"\n"
/*  6 */ "  except = {\"not.example\"} }\n"
/*  7 */ "class \"plain\" { cap \"daily\" { limit = \"2/day\" } }\n"
/*  8 */ "tenant \"acme\" { logins = {\"acme\", \"x@acme.example\"}\n"
/*  9 */ "  domains = {\"acme.example\"}  contact = \"ops@acme.example\"\n"
/* 10 */ "  cap \"daily\" { limit = \"2/day\" }\n"
/* 11 */ "  stream \"n\" { match = {\"header:X-N\"} } }\n"
/* 12 */ "tenant \"beta\" { logins = {\"beta\"}  domains = {\"b.example\"}\n"
/* 13 */ "  paused = \"unpaid\" }\n"
/* 14 */ "tenant \"cats\" { logins = {\"cats\"}  domains = {\"c.example\"} }\n";

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

/* claim - From of acme, and what the header says; NULL: it is not there */
static enum verdict
claim(const char *login, const char *client, const char *says)
{
	const char *pairs[] = { "From", "x@acme.example", says != NULL ?
		"x-tenant" : NULL, says, NULL };

	assert_int_equal(ask_mail(login, client, "<x@acme.example>", 0),
	    VERDICT_PASS);
	assert_int_equal(asked.mail.origin, ORIGIN_CLAIMED);
	assert_null(asked.mail.tenant);
	assert_int_equal(ask_rcpt("<r@remote.example>", "smtp"),
	    VERDICT_PASS);
	return ask_headers(pairs);
}

static void
a_header_names_the_tenant(void **state)
{
	static const char *const twice[] = { "From", "x@acme.example",
		"X-Tenant", "acme", "X-Tenant", "acme", NULL };
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		assert_int_equal(claim(i == 0 ? "app" : "y@app.example", NULL,
		    " acme "), VERDICT_PASS);
		assert_int_equal(ask_end(1), VERDICT_PASS);
		settled();
	}
	expect_used("acme", "daily", 2, 0);
	assert_int_equal(claim(NULL, "10.8.1.1", "acme"), VERDICT_PASS);
	assert_int_equal(ask_end(1), VERDICT_DEFER);
	expect_reply("451", "4.7.0", "tenant acme: limit daily (2/day)", 10);
	assert_int_equal(claim("app", NULL, NULL), VERDICT_REFUSE);
	expect_reply("550", "5.7.1", "X-Tenant: this header must name the "
	    "tenant, and it is not there", 3);
	assert_int_equal(claim("app", NULL, "cats"), VERDICT_REFUSE);
	expect_reply("550", "5.7.1", "X-Tenant: \"cats\" is no tenant that "
	    "this sender may name", 3);
	assert_int_equal(claim("app", NULL, "acme\" or more"),
	    VERDICT_REFUSE);
	assert_int_equal(claim("app", NULL, ""), VERDICT_REFUSE);
	assert_int_equal(claim("app", NULL, "beta"), VERDICT_DEFER);
	expect_reply("451", "4.7.0", "tenant beta is paused: unpaid", 13);
	assert_int_equal(claim("app", NULL, "acme"), VERDICT_PASS);
	assert_int_equal(ask_headers(twice), VERDICT_PASS); /* known by now */
	assert_int_equal(ask_mail("app", NULL, "<>", 0), VERDICT_PASS);
	assert_int_equal(ask_rcpt("<us@here.example>", "local"),
	    VERDICT_PASS);
	assert_int_equal(ask_headers(twice), VERDICT_REFUSE);
	expect_reply("550", "5.7.1", "there more than once", 3);
}

static void
the_named_tenant_must_own_what_it_says(void **state)
{
	static const char *const other[] = { "From", "x@b.example",
		"X-Tenant", "acme", NULL };

	(void)state;
	assert_int_equal(ask_mail("app", NULL, "<x@b.example>", 0),
	    VERDICT_PASS);
	assert_int_equal(ask_rcpt("<r@remote.example>", "smtp"),
	    VERDICT_PASS);
	assert_int_equal(ask_headers(other), VERDICT_REFUSE);
	expect_reply("553", "5.7.1", "tenant acme does not own the sender's "
	    "domain", 8);
	assert_int_equal(ask_mail("app", NULL, "<x@acme.example>", 0),
	    VERDICT_PASS);
	assert_int_equal(ask_rcpt("<r@remote.example>", "smtp"),
	    VERDICT_PASS);
	assert_int_equal(ask_headers(other), VERDICT_REFUSE);
	expect_reply("550", "5.7.1", "From: tenant acme does not own", 8);
}

/* removed - how many headers the plan takes out */
static size_t
removed(void)
{
	struct header_fact h[] = { { SLICE("X-Tenant"), SLICE("acme") },
		{ SLICE("From"), SLICE("x@acme.example") } };
	struct plan plan;
	struct why why;

	assert_int_equal(plan_make(&asked.mail, h, 2, &plan, asked.arena,
	    &why), 0);
	return plan.nremoved;
}

static void
the_header_is_removed_for_those_it_has_a_meaning_for(void **state)
{
	static const char *const pairs[] = { "From", "x@acme.example",
		"X-Tenant", "cats", NULL };

	(void)state;
	assert_int_equal(claim("app", NULL, "acme"), VERDICT_PASS);
	assert_int_equal(removed(), 1);
	assert_int_equal(ask_mail("acme", NULL, "<x@acme.example>", 0),
	    VERDICT_PASS);
	assert_int_equal(ask_rcpt("<r@remote.example>", "smtp"),
	    VERDICT_PASS);
	assert_int_equal(ask_headers(pairs), VERDICT_PASS);
	assert_true(slice_is(asked.mail.tenant->name, "acme"));
	assert_int_equal(removed(), 0);
}

static void
a_domain_of_a_login_makes_a_tenant(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		assert_int_equal(ask_mail(i == 0 ? "a@new.example" :
		    "b@New.example", NULL, "<x@new.example>", 0),
		    VERDICT_PASS);
		assert_true(asked.mail.tenant->automatic);
		assert_true(slice_is(asked.mail.tenant->name, "new.example"));
		assert_int_equal(ask_rcpt("<r@remote.example>", "smtp"),
		    i < 2 ? VERDICT_PASS : VERDICT_DEFER);
		if (i == 2)
			break;
		assert_int_equal(ask_from("x@new.example"), VERDICT_PASS);
		assert_int_equal(ask_end(1), VERDICT_PASS);
		settled();
	}
	expect_reply("451", "4.7.0", "tenant new.example: limit daily (2/day)",
	    7);
	/* another domain is another tenant, and has its own */
	assert_int_equal(ask_mail("a@two.example", NULL, "<a@two.example>",
	    0), VERDICT_PASS);
	assert_int_equal(ask_rcpt("<r@remote.example>", "smtp"),
	    VERDICT_PASS);
	assert_int_equal(ask_from("a@new.example"), VERDICT_REFUSE);
	expect_reply("550", "5.7.1", "tenant two.example does not own the "
	    "domain \"new.example\"", 0);
	assert_int_equal(ask_mail("a@two.example", NULL, "<a@new.example>",
	    0), VERDICT_REFUSE);
}

static void
it_makes_none_of_what_belongs_to_others(void **state)
{
	(void)state;
	assert_int_equal(ask_mail("a@not.example", NULL, "<>", 0),
	    VERDICT_REFUSE);
	assert_int_equal(ask_mail("y@acme.example", NULL, "<>", 0),
	    VERDICT_REFUSE);
	expect_reply("550", "5.7.1", "login \"y@acme.example\" belongs to no "
	    "tenant here", 1);
	assert_int_equal(ask_mail("nobody", NULL, "<>", 0), VERDICT_REFUSE);
	assert_int_equal(ask_mail("x@acme.example", NULL, "<>", 0),
	    VERDICT_PASS);
	assert_false(asked.mail.tenant->automatic);
}

static void
trusted_mail_of_such_a_domain(void **state)
{
	(void)state;
	assert_int_equal(ask_mail(NULL, "10.9.0.1", "<>", 0), VERDICT_PASS);
	assert_int_equal(ask_rcpt("<r@remote.example>", "smtp"),
	    VERDICT_PASS);
	assert_int_equal(ask_from("a@new.example, b@new.example"),
	    VERDICT_PASS);
	assert_true(slice_is(asked.mail.tenant->name, "new.example"));
	assert_int_equal(ask_end(1), VERDICT_PASS);
	assert_int_equal(ask_mail(NULL, "10.9.0.1", "<>", 0), VERDICT_PASS);
	assert_int_equal(ask_rcpt("<r@remote.example>", "smtp"),
	    VERDICT_PASS);
	assert_int_equal(ask_from("a@new.example, b@two.example"),
	    VERDICT_REFUSE);
}

#define T(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_header_names_the_tenant),
		T(the_named_tenant_must_own_what_it_says),
		T(the_header_is_removed_for_those_it_has_a_meaning_for),
		T(a_domain_of_a_login_makes_a_tenant),
		T(it_makes_none_of_what_belongs_to_others),
		T(trusted_mail_of_such_a_domain),
	};

	return cmocka_run_group_tests_name("decide_claim", tests, files_keys,
	    files_no_keys);
}
