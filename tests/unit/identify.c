/*
 * identify - tenants that do not stand in a block with that login: login maps,
 * a header of somebody who may, the domain of a login.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "policy/policy.h"
#include "tests/unit/policy_files.h"

static struct arena *arena;
static struct problems problems;

/* load - policy.conf, over a running one */
static struct policy *
load(const struct policy *running, int want)
{
	struct policy_load args = { .path = "policy.conf", .keys = "keys",
	    .running = running };
	struct policy *out;
	struct why why;

	problems_init(&problems, arena);
	if (policy_load(&args, &out, &problems, &why) != want)
		fail_msg("want %d: %s", want, problems.first != NULL ?
		    problems.first->text : "no problem");
	return out;
}

/* put - a file's whole text */
static void
put(const char *path, const char *text)
{
	files_write(path, text, strlen(text));
}

/* said - is there a problem with that text in it? */
static bool
said(const char *part)
{
	for (const struct problem *p = problems.first; p != NULL; p = p->next)
		if (strstr(p->text, part) != NULL)
			return true;
	return false;
}

/* owner - the name of the tenant of a login; "-" for none */
static const char *
owner(const struct policy *p, const char *login)
{
	const struct tenant *t = policy_by_login(p, slice_of(login), NULL);

	return t != NULL ? t->name.p : "-";
}

static int
begin(void **state)
{
	(void)state;
	arena = arena_new(4096, 0);
	files_begin();
	return mkdir("t", 0755);
}

static int
finish(void **state)
{
	(void)state;
	files_end();
	arena_free(arena);
	return 0;
}

#define TENANT(name, login, domain) \
	"tenant \"" name "\" { logins = {" login "} domains = {\"" domain \
	"\"} }\n"

/* --- login maps ----------------------------------------------------------- */

static void
the_nearer_line_wins_wherever_it_stands(void **state)
{
	struct policy *p;
	struct place rule;

	(void)state;
	put("policy.conf", "login_map = {\"one.map\", \"two.map\"}\n"
	    TENANT("a", "\"*@a.example\", \"ops@x.a.example\"", "a.example")
	    TENANT("b", "\"*@.b.example\"", "b.example")
	    TENANT("c", "\"c\"", "c.example"));
	put("one.map", "boss@a.example b\n*@.a.example c\n");
	put("two.map", "*@x.b.example c\nold@a.example gone\n");
	p = load(NULL, 1);
	assert_string_equal(owner(p, "any@A.example"), "a");
	assert_string_equal(owner(p, "boss@a.example"), "b");
	assert_string_equal(owner(p, "ops@x.a.example"), "a");
	assert_string_equal(owner(p, "any@x.a.example"), "c");
	assert_string_equal(owner(p, "any@x.b.example"), "c");
	assert_string_equal(owner(p, "any@y.x.b.example"), "b");
	/* A line for a tenant that is gone does not fall to the domain. */
	assert_string_equal(owner(p, "old@a.example"), "-");
	assert_true(said("there is no tenant \"gone\""));
	assert_int_equal(problems.errors, 0);
	policy_by_login(p, SLICE("any@x.b.example"), &rule);
	assert_string_equal(rule.file, "two.map");
	assert_int_equal(rule.line, 1);
	policy_drop(p);
}

static void
a_map_counts_as_main_file(void **state)
{
	struct policy *p, *q;

	(void)state;
	put("policy.conf", "login_map = \"one.map\"\ninclude \"t\"\n");
	put("t/a.conf", TENANT("a", "\"a\"", "a.example"));
	put("one.map", "x a\n");
	p = load(NULL, 1);
	assert_string_equal(owner(p, "x"), "a");
	put("one.map", "y a\n");
	q = load(p, 1);
	assert_string_equal(owner(q, "x"), "-");
	assert_string_equal(owner(q, "y"), "a");
	assert_memory_not_equal(p->hash, q->hash, HASH_SHA256);
	policy_drop(q);
	put("one.map", "y\n");
	assert_null(load(p, 0));
	assert_int_equal(remove("one.map"), 0);
	assert_null(load(p, 0));
	assert_true(said("there is no file \"one.map\""));
	policy_drop(p);
}

static void
who_has_a_login_already_keeps_it_from_a_map(void **state)
{
	struct policy *p, *q;

	(void)state;
	put("policy.conf", "login_map = \"one.map\"\ninclude \"t\"\n");
	put("t/a.conf", TENANT("a", "\"x\", \"a\"", "a.example"));
	put("t/b.conf", TENANT("b", "\"b\"", "b.example"));
	put("one.map", "# none\n");
	p = load(NULL, 1);
	put("one.map", "x b\n");
	assert_null(load(p, 0));
	assert_true(said("login \"x\" is held by tenant \"a\" already, at "
	    "t/a.conf:1:"));
	policy_drop(p);
	/* At a start the main part comes first. */
	p = load(NULL, 1);
	assert_string_equal(owner(p, "x"), "b");
	assert_string_equal(owner(p, "a"), "a");
	assert_int_equal(policy_tenant(p, SLICE("a"))->form, FORM_BROKEN);
	assert_true(said("login \"x\" is held by tenant \"b\" already, at "
	    "one.map:1:1"));
	/* And then the map is the one who has it. */
	q = load(p, 1);
	assert_string_equal(owner(q, "x"), "b");
	policy_drop(q);
	policy_drop(p);
	put("policy.conf", "login_map = \"one.map\"\n" TENANT("a", "\"x\"",
	    "a.example"));
	assert_null(load(NULL, 0));
	assert_true(said("login \"x\" is held by tenant \"b\" already, at "
	    "one.map:1:1"));
}

/* count_name - policy_names' callback: logins that begin with "many" */
static void
count_name(void *with, const char *word, struct slice text, struct place at)
{
	assert_non_null(at.file);
	if (strcmp(word, "logins") == 0 && slice_starts(text, SLICE("many")))
		++*(size_t *)with;
}

static void
names_of_a_tenant_include_its_lines(void **state)
{
	struct policy *p;
	size_t n = 0;

	(void)state;
	put("policy.conf", "login_map = \"one.map\"\n" TENANT("a", "\"a\"",
	    "a.example") TENANT("b", "\"b\"", "b.example"));
	put("one.map", "many1 a\nmany2 a\nmany3 b\n");
	p = load(NULL, 1);
	policy_names(p, policy_tenant(p, SLICE("a")), count_name, &n);
	assert_int_equal(n, 2);
	policy_drop(p);
}

/* --- claims --------------------------------------------------------------- */

static void
a_claim_is_for_those_it_names(void **state)
{
	const struct ip app = { .b = { [10] = 0xff, [11] = 0xff, 10, 0, 0, 9 },
	    .known = true };
	const struct ip other = { .b = { [10] = 0xff, [11] = 0xff, 10, 9 },
	    .known = true };
	const struct claimer *c;
	struct policy *p;

	(void)state;
	put("policy.conf", "claim \"X-Tenant\" { logins = {\"app\", "
	    "\"*@Apps.example\"} clients = {\"10.0.0.0/16\"} }\n"
	    "claim \"X-Shop\" { logins = {\"shop\"} tenants = {\"a\"} }\n"
	    TENANT("a", "\"a\"", "a.example")
	    TENANT("b", "\"b\"", "b.example"));
	p = load(NULL, 1);
	c = policy_claim(p, SLICE("app"), &other);
	assert_non_null(c);
	assert_string_equal(c->header.p, "X-Tenant");
	assert_int_equal(c->at.line, 1);
	assert_ptr_equal(policy_claim(p, SLICE("x@apps.EXAMPLE"), NULL), c);
	assert_null(policy_claim(p, SLICE("x@sub.apps.example"), NULL));
	assert_ptr_equal(policy_claim(p, SLICE_NONE, &app), c);
	assert_null(policy_claim(p, SLICE_NONE, &other));
	/* The network does not help a login. */
	assert_null(policy_claim(p, SLICE("nobody"), &app));
	assert_ptr_equal(policy_claimed(p, c, SLICE(" b ")),
	    policy_tenant(p, SLICE("b")));
	assert_null(policy_claimed(p, c, SLICE("none")));
	assert_null(policy_claimed(p, c, SLICE_NONE));
	c = policy_claim(p, SLICE("shop"), NULL);
	assert_string_equal(c->header.p, "X-Shop");
	assert_non_null(policy_claimed(p, c, SLICE("a")));
	assert_null(policy_claimed(p, c, SLICE("b")));
	assert_int_equal(p->nclaimers, 2);
	policy_drop(p);
}

/* --- tenants that appear by themselves ------------------------------------ */

static void
a_domain_of_a_login_becomes_a_tenant(void **state)
{
	const struct tenant *t, *u;
	struct policy *p;

	(void)state;
	put("policy.conf", "auto_tenant { by = \"login-domain\" class = "
	    "\"starter\" group = \"g\" except = {\"no.example\", "
	    "\"*.no.example\"} }\n"
	    "group \"g\" { contact = \"ops@g.example\" }\n"
	    "class \"starter\" { cap \"day\" { limit = \"5/day\" }\n"
	    "	stream \"news\" { match = \"sender:news@*\" } }\n"
	    TENANT("a", "\"*@a.example\"", "a.example")
	    TENANT("b", "\"b\"", "*.b.example")
	    TENANT("named.example", "\"n\"", "n.example"));
	p = load(NULL, 1);
	assert_int_equal(policy_auto(p, SLICE("info@New.example"), arena, &t),
	    1);
	assert_string_equal(t->name.p, "new.example");
	assert_true(t->automatic);
	assert_int_equal(t->id, hash_id("tenant", SLICE("new.example")));
	assert_string_equal(t->group->name.p, "g");
	assert_string_equal(t->class.p, "starter");
	assert_string_equal(t->contact.p, "ops@g.example");
	assert_int_equal(t->at.line, 1);
	assert_int_equal(t->nstreams, 2);
	assert_int_equal(t->ncommon, 1);
	assert_int_equal(t->form, FORM_CURRENT);
	/* It owns that domain alone. */
	assert_true(policy_owns(p, t, SLICE("new.example"), true));
	assert_false(policy_owns(p, t, SLICE("x.new.example"), true));
	assert_false(policy_owns(p, t, SLICE("a.example"), false));
	assert_false(policy_owns(p, policy_tenant(p, SLICE("a")),
	    SLICE("new.example"), false));
	/* The same again is the same to all that goes by its id. */
	assert_int_equal(policy_auto_domain(p, SLICE("new.example"), arena,
	    &u), 1);
	assert_int_equal(t->id, u->id);
	assert_ptr_equal(t->streams, u->streams);
	policy_drop(p);
}

static void
what_stands_in_a_file_becomes_no_tenant(void **state)
{
	static const char *const none[] = { "plain", "@new.example", "x@",
	    "x@localhost", "x@no.example", "x@sub.no.example", "x@b.b.example",
	    "x@a.example", "x@named.example", "x@bad_.example", "x@.example",
	    "x@new.example.", "x@192.0.2.1", "mapped@new.example",
	    "x@bounce.example", "x@all.example",
	    "x@aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
	    "example" };
	const struct tenant *t;
	struct policy *p;

	(void)state;
	put("policy.conf", "login_map = \"m\"\n"
	    "auto_tenant { by = \"login-domain\" except = {\"no.example\", "
	    "\"*.no.example\"} }\n"
	    TENANT("a", "\"boss@a.example\"", "a.example")
	    TENANT("b", "\"b\"", "*.b.example")
	    "tenant \"named.example\" { logins = {\"n\"} domains = "
	    "{\"n.example\"} bounce_domain = \"bounce.example\" }\n");
	put("m", "mapped@new.example gone\n*@all.example gone\n");
	p = load(NULL, 1);
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		if (policy_auto(p, slice_of(none[i]), arena, &t) != 0)
			fail_msg("%s became tenant %s", none[i], t->name.p);
	assert_int_equal(policy_auto(p, SLICE("x@new.example"), arena, &t), 1);
	policy_drop(p);
	put("policy.conf", "");
	p = load(NULL, 1);
	assert_int_equal(policy_auto(p, SLICE("x@new.example"), arena, &t), 0);
	policy_drop(p);
}

static void
a_broken_file_keeps_its_domains_from_becoming_tenants(void **state)
{
	static const char *const none[] = { "j@b.example", "j@x.sub.example",
		"j@a.example" };
	const struct tenant *t;
	struct policy *p;

	(void)state;
	put("policy.conf", "auto_tenant { by = \"login-domain\" }\n"
	    "include \"t\"\n" TENANT("a", "\"a\"", "a.example"));
	put("t/b.conf", "tenant \"b\" { logins = {\"b\"} bogus = 1 domains = "
	    "{\"b.example\", \"*.sub.example\", \"a.example\"} }\n");
	p = load(NULL, 1);
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		if (policy_auto(p, slice_of(none[i]), arena, &t) != 0)
			fail_msg("%s became tenant %s", none[i], t->name.p);
	assert_int_equal(policy_auto(p, SLICE("x@new.example"), arena, &t), 1);
	/* what is somebody's stays his */
	assert_ptr_equal(policy_by_domain(p, SLICE("a.example"), NULL),
	    policy_tenant(p, SLICE("a")));
	assert_null(policy_by_domain(p, SLICE("b.example"), NULL));
	policy_drop(p);
}

#define CASE(f)	cmocka_unit_test_setup_teardown(f, begin, finish)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_nearer_line_wins_wherever_it_stands),
		CASE(a_map_counts_as_main_file),
		CASE(who_has_a_login_already_keeps_it_from_a_map),
		CASE(names_of_a_tenant_include_its_lines),
		CASE(a_claim_is_for_those_it_names),
		CASE(a_domain_of_a_login_becomes_a_tenant),
		CASE(what_stands_in_a_file_becomes_no_tenant),
		CASE(a_broken_file_keeps_its_domains_from_becoming_tenants),
	};

	return cmocka_run_group_tests_name("identify", tests, files_keys,
	    files_no_keys);
}
