/*
 * changes - what `penstock reload` says to the person who typed it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "milter/changes.h"
#include "tests/unit/policy_files.h"

static struct arena *arena;
static struct policy *before, *now;

/* put - a file's whole text */
static void
put(const char *path, const char *text)
{
	files_write(path, text, strlen(text));
}

/* load - policy.conf over a running one, or NULL */
static struct policy *
load(const struct policy *running)
{
	struct policy_load args = { .path = "policy.conf", .keys = "keys",
	    .running = running };
	struct problems problems;
	struct policy *p;
	struct why why;

	problems_init(&problems, arena);
	if (policy_load(&args, &p, &problems, &why) != 1)
		fail_msg("%s", problems.first->text);
	return p;
}

/* says - the text of a change is that and nothing more */
static void
says(const char *want)
{
	struct buf out = BUF_INIT;

	now = load(before);
	changes_text(before, now, &out);
	buf_char(&out, '\0');
	assert_string_equal(out.data, want);
	buf_free(&out);
	policy_drop(before);
	before = now;
}

#define TENANT(name, more) "tenant \"" name "\" { domains = {\"" name \
	".example\"} logins = {\"" name "\"" more "} }\n"

static int
begin(void **state)
{
	(void)state;
	arena = arena_new(4096, 0);
	files_begin();
	put("policy.conf", "include \"t\"\nlogin_map = \"m\"\n"
	    "class \"c\" { cap \"day\" { limit = \"5/day\" } }\n"
	    TENANT("main", ""));
	put("m", "x main\n");
	put("t/a.conf", TENANT("a", ""));
	put("t/b.conf", "tenant \"b\" { class = \"c\" domains = "
	    "{\"b.example\"} logins = {\"b\"} }\n");
	before = load(NULL);
	return 0;
}

static int
finish(void **state)
{
	(void)state;
	policy_drop(before);
	files_end();
	arena_free(arena);
	return 0;
}

static void
nothing_is_nothing(void **state)
{
	(void)state;
	says("nothing changed\n");
}

static void
tenants_come_change_and_go(void **state)
{
	(void)state;
	put("t/c.conf", TENANT("c", ""));
	put("t/a.conf", TENANT("a", ", \"a2\""));
	assert_int_equal(remove("t/b.conf"), 0);
	says("added (1): c\nchanged (1): a\nremoved (1): b\n");
}

static void
logins_alone_are_a_change_wherever_they_stand(void **state)
{
	(void)state;
	put("policy.conf", "include \"t\"\nlogin_map = \"m\"\n"
	    "class \"c\" { cap \"day\" { limit = \"5/day\" } }\n"
	    TENANT("main", ", \"more\""));
	says("changed (1): main\n");
	put("m", "y a\n");
	says("changed (2): a main\n");
	put("m", "# a comment only\ny a\n");
	says("the main part changed, no tenant's limits, domains or keys\n");
}

static void
what_a_tenant_is_worth_is_a_change_of_it(void **state)
{
	(void)state;
	put("t/a.conf", "tenant \"a\" { domains = {\"a.example\"} "
	    "logins = {\"a\"} value = 7 }\n");
	says("changed (1): a\n");
	put("t/a.conf", "tenant \"a\" { domains = {\"a.example\"} "
	    "logins = {\"a\"} value = 8 }\n");
	says("changed (1): a\n");
}

static void
a_plan_changes_its_tenants(void **state)
{
	(void)state;
	put("policy.conf", "include \"t\"\nlogin_map = \"m\"\n"
	    "class \"c\" { cap \"day\" { limit = \"5/day\" }\n"
	    "	stream \"s\" { match = \"login:q\" } }\n" TENANT("main", ""));
	says("changed (1): b\n");
	put("policy.conf", "include \"t\"\nlogin_map = \"m\"\n"
	    "class \"c\" { cap \"day\" { limit = \"5/day\" }\n"
	    "	stream \"s\" { match = \"login:r\" } }\n" TENANT("main", ""));
	says("changed (1): b\n");
}

static void
a_renamed_limit_starts_at_nothing(void **state)
{
	(void)state;
	put("policy.conf", "include \"t\"\nlogin_map = \"m\"\n"
	    "class \"c\" { cap \"daily\" { limit = \"5/day\" } }\n"
	    TENANT("main", ""));
	says("changed (1): b\n"
	    "cap daily of tenant b is new and starts at 0; day is gone with "
	    "what was spent of it\n");
	/* One more is no rename, nor is another number. */
	put("policy.conf", "include \"t\"\nlogin_map = \"m\"\n"
	    "class \"c\" { cap \"daily\" { limit = \"6/week\" }\n"
	    "	throttle \"t\" { rate = \"1/second\" } }\n" TENANT("main", ""));
	says("changed (1): b\n");
}

static void
broken_files_are_named(void **state)
{
	(void)state;
	put("t/a.conf", "tenant \"a\" { nonsense = 1 }\n");
	says("broken and deferred (1): a\n");
}

#define CASE(f)	cmocka_unit_test_setup_teardown(f, begin, finish)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(nothing_is_nothing),
		CASE(tenants_come_change_and_go),
		CASE(logins_alone_are_a_change_wherever_they_stand),
		CASE(what_a_tenant_is_worth_is_a_change_of_it),
		CASE(a_plan_changes_its_tenants),
		CASE(a_renamed_limit_starts_at_nothing),
		CASE(broken_files_are_named),
	};

	return cmocka_run_group_tests_name("changes", tests, files_keys,
	    files_no_keys);
}
