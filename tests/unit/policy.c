/*
 * policy - a policy over its life: last good forms, rival files, what a
 * tenant inherits, what is handed out to be kept.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "policy/policy.h"
#include "tests/unit/policy_files.h"

#define KEPT	8

/* The last good forms as the gate would keep them. */
static struct { const char *path, *text; } kept[KEPT];
static struct arena *arena;
static struct problems problems;

/* kept_get - a fetch, as the store's */
static int
kept_get(void *with, struct slice path, struct arena *a, struct slice *text,
    struct why *why)
{
	(void)why;
	assert_ptr_equal(with, kept);
	for (size_t i = 0; i < KEPT && kept[i].path != NULL; i++)
		if (slice_is(path, kept[i].path)) {
			*text = arena_copy(a, slice_of(kept[i].text));
			return 1;
		}
	return 0;
}

/* kept_each - all of them */
static int
kept_each(void *with, bool (*call)(void *, struct slice, struct slice),
    void *arg, struct why *why)
{
	(void)why;
	assert_ptr_equal(with, kept);
	for (size_t i = 0; i < KEPT && kept[i].path != NULL; i++)
		if (!call(arg, slice_of(kept[i].path),
		    slice_of(kept[i].text)))
			break;
	return 0;
}

/* load - policy.conf as a gate does, over a running one */
static struct policy *
load(const struct policy *running, int want)
{
	struct policy_load args = { .path = "policy.conf", .keys = "keys",
	    .running = running, .forms = { kept_get, kept,
	    kept_each } };
	struct policy *out;
	struct why why;

	problems_init(&problems, arena);
	assert_int_equal(policy_load(&args, &out, &problems, &why), want);
	return out;
}

/* put - a file's whole text */
static void
put(const char *path, const char *text)
{
	files_write(path, text, strlen(text));
}

/* has_error - is there one with that text in it? */
static bool
has_error(const char *part)
{
	for (const struct problem *p = problems.first; p != NULL; p = p->next)
		if (!p->warning && strstr(p->text, part) != NULL)
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

/* form - of a tenant by name */
static enum form
form(const struct policy *p, const char *name)
{
	const struct tenant *t = policy_tenant(p, slice_of(name));

	assert_non_null(t);
	return t->form;
}

static int
begin(void **state)
{
	(void)state;
	arena = arena_new(4096, 0);
	memset(kept, 0, sizeof(kept));
	files_begin();
	put("policy.conf", "include \"t\"\n");
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
	"tenant \"" name "\" {\n" \
	"	logins = {\"" login "\"}\n" \
	"	domains = {\"" domain "\"}\n" \
	"}\n"

/* --- a broken file ------------------------------------------------------- */

static void
a_broken_file_goes_on_with_its_last_good_form(void **state)
{
	struct policy *p;
	struct place rule;

	(void)state;
	put("t/a.conf", TENANT("a", "a", "a.example"));
	put("t/b.conf", "tenant \"b\" { logins = {\"b\"} burst = 5 }\n");
	kept[0].path = "t/b.conf";
	kept[0].text = "\n\n" TENANT("b", "old-b", "b.example");
	p = load(NULL, 1);
	assert_int_equal(form(p, "a"), FORM_CURRENT);
	assert_int_equal(form(p, "b"), FORM_LAST_GOOD);
	assert_string_equal(owner(p, "b"), "-");
	assert_non_null(policy_by_login(p, SLICE("old-b"), &rule));
	assert_string_equal(rule.file, "t/b.conf#last-good");
	assert_int_equal(rule.line, 4);
	assert_false(p->some_broken);
	assert_true(has_error("\"burst\" cannot stand in tenant"));
	policy_drop(p);
}

static void
a_new_broken_file_holds_what_logins_it_can(void **state)
{
	const struct tenant *t;
	struct policy *p;

	(void)state;
	put("t/a.conf", TENANT("a", "a", "a.example"));
	put("t/b.conf", "tenant \"b\" {\n\tlogins = {\"b\", \"a\", \"*\"}\n"
	    "\tdomains = {\"b.example\"\n\tclass = \"x\"\n}\n");
	p = load(NULL, 1);
	assert_true(p->some_broken);
	assert_int_equal(form(p, "b"), FORM_BROKEN);
	assert_string_equal(owner(p, "b"), "b");
	assert_string_equal(owner(p, "a"), "a");	/* not taken away */
	t = policy_by_login(p, SLICE("b"), NULL);
	assert_int_equal(t->form, FORM_BROKEN);
	assert_false(policy_owns(p, t, SLICE("b.example"), true));
	assert_null(policy_by_domain(p, SLICE("b.example"), NULL));
	policy_drop(p);
}

static void
a_broken_file_takes_no_name_from_a_good_one(void **state)
{
	struct policy *p;

	(void)state;
	put("t/a.conf", "tenant \"x\" { logins = {\"bad\"} }\n");
	put("t/b.conf", TENANT("x", "good", "x.example"));
	p = load(NULL, 1);
	assert_int_equal(p->ntenants, 1);
	assert_int_equal(form(p, "x"), FORM_CURRENT);
	assert_int_equal(policy_by_login(p, SLICE("bad"), NULL)->form,
	    FORM_BROKEN);
	policy_drop(p);
}

#define BROKEN(name)	"tenant \"" name "\" { burst = 5 }\n"

static void
a_file_that_was_renamed_and_broke_keeps_its_form(void **state)
{
	struct policy *p, *running;

	(void)state;
	kept[0].path = "t/old.conf";
	kept[0].text = TENANT("b", "b", "b.example");
	put("t/old.conf", kept[0].text);
	running = load(NULL, 1);
	assert_int_equal(unlink("t/old.conf"), 0);
	put("t/new.conf", BROKEN("b"));
	p = load(running, 1);		/* at a reload */
	assert_int_equal(form(p, "b"), FORM_LAST_GOOD);
	assert_string_equal(owner(p, "b"), "b");
	assert_false(p->some_broken);
	policy_drop(running);
	running = p;
	/* a rival of the same login does not get it, before or behind it */
	put("t/a.conf", TENANT("a", "b", "a.example"));
	p = load(running, 1);
	assert_string_equal(owner(p, "b"), "b");
	policy_drop(p);
	policy_drop(running);
	p = load(NULL, 1);		/* and at a start */
	assert_string_equal(owner(p, "b"), "b");
	assert_int_equal(form(p, "b"), FORM_LAST_GOOD);
	policy_drop(p);
}

static void
a_form_is_nobodys_whose_tenant_moved_elsewhere(void **state)
{
	struct policy *p;

	(void)state;
	kept[0].path = "t/old.conf";
	kept[0].text = TENANT("b", "b", "b.example")
	    TENANT("c", "c", "c.example");
	put("t/moved.conf", TENANT("c", "c2", "c.example"));
	put("t/new.conf", BROKEN("b"));
	p = load(NULL, 1);
	assert_string_equal(owner(p, "c2"), "c");
	assert_int_equal(form(p, "c"), FORM_CURRENT);
	assert_string_equal(owner(p, "b"), "-");
	assert_string_equal(owner(p, "c"), "-");
	assert_true(p->some_broken);
	policy_drop(p);
}

static void
a_form_has_one_heir_and_none_while_its_file_is_there(void **state)
{
	struct policy *p;

	(void)state;
	kept[0].path = "t/old.conf";
	kept[0].text = TENANT("b", "b", "b.example");
	kept[1].path = "t/there.conf";
	kept[1].text = TENANT("d", "d", "d.example");
	put("t/m.conf", BROKEN("b"));
	put("t/n.conf", BROKEN("b"));
	put("t/there.conf", "nonsense\n");
	put("t/z.conf", BROKEN("d"));
	p = load(NULL, 1);
	assert_string_equal(owner(p, "b"), "b");
	assert_string_equal(owner(p, "d"), "d");
	assert_int_equal(p->ntenants, 2);
	assert_true(p->some_broken);	/* n and z have nothing */
	policy_drop(p);
}

static void
a_last_good_form_must_fit_the_new_main_file(void **state)
{
	struct policy *p;

	(void)state;
	put("t/a.conf", "nonsense\n");
	kept[0].path = "t/a.conf";
	kept[0].text = "tenant \"a\" { class = \"gone\" logins = {\"a\"} "
	    "domains = {\"a.example\"} }\n";
	p = load(NULL, 1);
	assert_true(p->some_broken);
	assert_int_equal(p->ntenants, 0);
	policy_drop(p);
}

static void
a_mistake_in_the_main_part_refuses_everything(void **state)
{
	(void)state;
	put("t/a.conf", TENANT("a", "a", "a.example"));
	put("policy.conf", "include \"t\"\nclass \"c\" { x = 1 }\n");
	assert_null(load(NULL, 0));
}

/* --- rival files --------------------------------------------------------- */

static void
the_holder_in_the_running_policy_keeps_a_login(void **state)
{
	struct policy *running, *p;

	(void)state;
	put("t/b.conf", TENANT("b", "mail", "b.example"));
	running = load(NULL, 1);
	put("t/a.conf", TENANT("a", "mail", "a.example"));
	p = load(running, 1);
	assert_string_equal(owner(p, "mail"), "b");
	assert_int_equal(form(p, "a"), FORM_BROKEN);
	assert_int_equal(form(p, "b"), FORM_CURRENT);
	assert_true(has_error("login \"mail\" is held by tenant \"b\" "
	    "already, at t/b.conf:2:12"));
	policy_drop(p);
	policy_drop(running);
}

static void
at_start_the_last_good_form_decides(void **state)
{
	struct policy *p;

	(void)state;
	put("t/a.conf", TENANT("a", "mail", "a.example"));
	put("t/b.conf", TENANT("b", "mail", "b.example"));
	kept[0].path = "t/a.conf";
	kept[0].text = TENANT("a", "a", "a.example");
	kept[1].path = "t/b.conf";
	kept[1].text = TENANT("b", "mail", "b.example");
	p = load(NULL, 1);
	assert_string_equal(owner(p, "mail"), "b");
	assert_int_equal(form(p, "a"), FORM_LAST_GOOD);
	assert_string_equal(owner(p, "a"), "a");
	policy_drop(p);
}

static void
without_any_history_the_first_file_wins(void **state)
{
	struct policy *p;

	(void)state;
	put("t/a.conf", TENANT("a", "mail", "a.example"));
	put("t/b.conf", TENANT("b", "mail", "b.example"));
	p = load(NULL, 1);
	assert_string_equal(owner(p, "mail"), "a");
	assert_int_equal(form(p, "b"), FORM_BROKEN);
	policy_drop(p);
}

static void
a_login_may_move_from_one_file_to_another(void **state)
{
	struct policy *running, *p;

	(void)state;
	put("t/a.conf", TENANT("a", "mail", "a.example"));
	put("t/b.conf", TENANT("b", "b", "b.example"));
	running = load(NULL, 1);
	put("t/a.conf", TENANT("a", "a", "a.example"));
	put("t/b.conf", TENANT("b", "mail", "b.example"));
	p = load(running, 1);
	assert_string_equal(owner(p, "mail"), "b");
	assert_int_equal(problems.errors, 0);
	policy_drop(p);
	policy_drop(running);
}

static void
a_move_waits_when_the_giver_falls_back(void **state)
{
	struct policy *running, *p;

	(void)state;
	put("t/a.conf", TENANT("a", "mail", "a.example"));
	put("t/b.conf", TENANT("b", "b", "b.example"));
	running = load(NULL, 1);
	kept[0].path = "t/a.conf";
	kept[0].text = TENANT("a", "mail", "a.example");
	kept[1].path = "t/b.conf";
	kept[1].text = TENANT("b", "b", "b.example");
	put("t/a.conf", "tenant \"a\" { logins = {\"a\"} mistake = 1 }\n");
	put("t/b.conf", TENANT("b", "mail", "b.example"));
	p = load(running, 1);
	assert_string_equal(owner(p, "mail"), "a");
	assert_string_equal(owner(p, "b"), "b");
	assert_int_equal(form(p, "a"), FORM_LAST_GOOD);
	assert_int_equal(form(p, "b"), FORM_LAST_GOOD);
	policy_drop(p);
	policy_drop(running);
}

static void
who_loses_only_against_a_loser_does_not_fall(void **state)
{
	struct policy *p;

	(void)state;
	put("t/a.conf", "tenant \"a\" { logins = {\"1\"} domains = "
	    "{\"a.example\"} }\n");
	put("t/b.conf", "tenant \"b\" { logins = {\"1\", \"2\"} domains = "
	    "{\"b.example\"} }\n");
	put("t/c.conf", "tenant \"c\" { logins = {\"2\"} domains = "
	    "{\"c.example\"} }\n");
	p = load(NULL, 1);
	assert_string_equal(owner(p, "1"), "a");
	assert_string_equal(owner(p, "2"), "c");
	assert_int_equal(form(p, "b"), FORM_BROKEN);
	assert_int_equal(form(p, "c"), FORM_CURRENT);
	policy_drop(p);
}

static void
a_circle_of_rivals_comes_to_an_end(void **state)
{
	struct policy *running, *p;

	(void)state;
	put("t/a.conf", TENANT("a", "1", "a.example"));
	put("t/b.conf", TENANT("b", "2", "b.example"));
	put("t/c.conf", TENANT("c", "3", "c.example"));
	running = load(NULL, 1);
	for (int i = 0; i < 3; i++) {
		static const char *const paths[] = { "t/a.conf", "t/b.conf",
		    "t/c.conf" };
		static const char *const good[] = { TENANT("a", "1",
		    "a.example"), TENANT("b", "2", "b.example"),
		    TENANT("c", "3", "c.example") };

		kept[i].path = paths[i];
		kept[i].text = good[i];
	}
	put("t/a.conf", "tenant \"a\" { logins = {\"1\", \"2\"} domains = "
	    "{\"a.example\"} }\n");
	put("t/b.conf", "tenant \"b\" { logins = {\"2\", \"3\"} domains = "
	    "{\"b.example\"} }\n");
	put("t/c.conf", "tenant \"c\" { logins = {\"3\", \"1\"} domains = "
	    "{\"c.example\"} }\n");
	p = load(running, 1);
	assert_string_equal(owner(p, "1"), "a");
	assert_string_equal(owner(p, "2"), "b");
	assert_string_equal(owner(p, "3"), "c");
	assert_false(p->some_broken);
	policy_drop(p);
	policy_drop(running);
}

static void
the_main_file_may_not_take_what_runs(void **state)
{
	struct policy *running, *p;

	(void)state;
	put("t/a.conf", TENANT("a", "mail", "a.example"));
	running = load(NULL, 1);
	put("policy.conf", "include \"t\"\n" TENANT("m", "mail",
	    "m.example"));
	assert_null(load(running, 0));
	/* At a start somebody must be right: the main file. */
	p = load(NULL, 1);
	assert_string_equal(owner(p, "mail"), "m");
	policy_drop(p);
	policy_drop(running);
}

static void
a_class_may_not_be_taken_from_those_who_send(void **state)
{
	static const char text[] = "tenant \"a\" { class = \"plan\" logins = "
	    "{\"a\"} domains = {\"a.example\"} }\n";
	struct policy *running, *p;

	(void)state;
	put("policy.conf", "include \"t\"\nclass \"plan\" { }\n");
	put("t/a.conf", text);
	kept[0].path = "t/a.conf";
	kept[0].text = text;
	running = load(NULL, 1);
	put("policy.conf", "include \"t\"\nclass \"paln\" { }\n");
	assert_null(load(running, 0));
	assert_true(has_error("there is no class \"plan\""));
	assert_true(has_error("neither this file nor its last good form goes "
	    "with policy.conf any more"));
	/* also when it is the kept form that sends */
	put("t/a.conf", "tenant \"a\" { oh\n");
	assert_null(load(running, 0));
	/* At a start there is nothing better to go on with. */
	p = load(NULL, 1);
	assert_int_equal(form(p, "a"), FORM_BROKEN);
	/* Nor does one that does not send keep the main file as it is. */
	policy_drop(load(p, 1));
	policy_drop(p);
	/* The file follows the new name: all is well. */
	put("t/a.conf", "tenant \"a\" { class = \"paln\" logins = {\"a\"} "
	    "domains = {\"a.example\"} }\n");
	p = load(running, 1);
	assert_int_equal(form(p, "a"), FORM_CURRENT);
	policy_drop(p);
	policy_drop(running);
}

static void
two_files_may_part_a_domain(void **state)
{
	struct policy *p;

	(void)state;
	put("t/a.conf", TENANT("a", "a", "*.host.example"));
	put("t/b.conf", TENANT("b", "b", "b.host.example"));
	p = load(NULL, 1);
	assert_int_equal(problems.errors, 0);
	assert_string_equal(policy_by_domain(p, SLICE("b.host.example"),
	    NULL)->name.p, "b");
	policy_drop(p);
}

static void
a_key_for_a_part_that_is_anothers_breaks_its_file(void **state)
{
	struct policy *p;

	(void)state;
	put("t/a.conf", "tenant \"a\" {\n\tlogins = {\"a\"}\n\tdomains = "
	    "{\"*.host.example\"}\n\tdkim \"s\" { domain = "
	    "\"b.host.example\" key = \"good.rsa\" }\n}\n");
	put("t/b.conf", TENANT("b", "b", "b.host.example"));
	p = load(NULL, 1);
	assert_int_equal(form(p, "a"), FORM_BROKEN);
	assert_int_equal(form(p, "b"), FORM_CURRENT);
	assert_true(has_error("dkim signs for b.host.example, which belongs "
	    "to tenant \"b\", at t/b.conf:3:13"));
	policy_drop(p);
}

/* --- what a tenant has --------------------------------------------------- */

/* limit - of a tenant by name */
static const struct limit *
limit(const struct policy *p, const char *tenant, const char *name)
{
	const struct tenant *t = policy_tenant(p, slice_of(tenant));

	assert_non_null(t);
	for (size_t i = 0; i < policy_default(t)->nlimits; i++)
		if (slice_is(policy_default(t)->limits[i]->name, name))
			return policy_default(t)->limits[i];
	return NULL;
}

static void
a_tenant_overrides_its_class_line_by_line(void **state)
{
	const struct limit *l;
	struct policy *p;

	(void)state;
	put("policy.conf", "include \"t\"\n"
	    "group \"g\" { cap \"contract\" { limit = \"500000/month@17\" }"
	    " contact = \"ops@g.example\" }\n"
	    "class \"c\" {\n"
	    "	throttle \"steady\" { rate = \"200/hour\" burst = 20"
	    " count = \"messages\" jitter = 0.2 over = \"refuse\" }\n"
	    "	throttle \"open\" { rate = \"30/minute\" }\n"
	    "	cap \"daily\" { limit = \"1000/day\" }\n"
	    "	max_recipients = 50\n"
	    "}\n");
	put("t/a.conf", "tenant \"a\" { class = \"c\" group = \"g\"\n"
	    "	logins = {\"a\"} domains = {\"a.example\"} value = 1200\n"
	    "	throttle \"steady\" { rate = \"400/hour\" }\n"
	    "	throttle \"open\" { rate = \"60/minute\" }\n"
	    "	cap \"daily\" { limit = \"none\" }\n"
	    "	cap \"own\" { limit = \"7/week\" to = \"provider:google\" }\n"
	    "}\n");
	p = load(NULL, 1);
	assert_int_equal(problems.errors, 0);
	l = limit(p, "a", "steady");
	assert_int_equal(l->rate, 400);
	assert_int_equal(l->period, CLOCK_HOUR);
	assert_int_equal(l->burst, 20);
	assert_int_equal(l->count, COUNT_MESSAGES);
	assert_int_equal(l->over, OVER_REFUSE);
	assert_int_equal(l->jitter, 200);
	assert_true(l->to_all);
	assert_string_equal(l->at.file, "t/a.conf");
	assert_string_equal(l->burst_at.file, "policy.conf");
	assert_null(l->to_at.file);
	/* A burst that nobody wrote follows the tenant's rate. */
	assert_int_equal(limit(p, "a", "open")->burst, 60);
	assert_null(limit(p, "a", "daily"));
	l = limit(p, "a", "own");
	assert_int_equal(l->most, 7);
	assert_int_equal(l->unit, WINDOW_WEEK);
	assert_true(l->to == provider_find(SLICE("google")));
	l = limit(p, "a", "contract");
	assert_int_equal(l->per, PER_GROUP);
	assert_int_equal(l->month_day, 17);
	assert_int_equal(policy_default(policy_tenant(p, SLICE("a")))->nlimits, 4);
	assert_int_equal(policy_default(policy_tenant(p, SLICE("a")))->max_recipients, 50);
	assert_true(slice_is(policy_tenant(p, SLICE("a"))->contact,
	    "ops@g.example"));
	assert_int_equal(policy_tenant(p, SLICE("a"))->value, 1200);
	assert_string_equal(policy_tenant(p, SLICE("a"))->value_at.file,
	    "t/a.conf");
	policy_drop(p);
}

static void
tenants_of_a_class_share_its_limits(void **state)
{
	const struct tenant *a, *b;
	struct policy *p;

	(void)state;
	put("policy.conf", "class \"c\" { cap \"d\" { limit = \"5/day\" } }\n"
	    "tenant \"a\" { class = \"c\" logins = {\"a\"} domains = "
	    "{\"a.example\"} }\n"
	    "tenant \"b\" { class = \"c\" logins = {\"b\"} domains = "
	    "{\"b.example\"} cap \"own\" { limit = \"9/day\" } }\n"
	    "tenant \"c\" { class = \"c\" logins = {\"c\"} domains = "
	    "{\"c.example\"} }\n");
	p = load(NULL, 1);
	a = policy_tenant(p, SLICE("a"));
	b = policy_tenant(p, SLICE("c"));
	assert_ptr_equal(a->common, b->common);
	assert_ptr_equal(limit(p, "b", "d"), limit(p, "a", "d"));
	assert_int_equal(policy_default(policy_tenant(p, SLICE("b")))->nlimits, 2);
	policy_drop(p);
}

static void
shadow_and_zone_come_from_the_nearest_that_says_them(void **state)
{
	struct policy *p;

	(void)state;
	put("policy.conf", "timezone = \"Europe/Madrid\"\nmode = \"shadow\"\n"
	    "class \"on\" { mode = \"enforce\" }\n"
	    "class \"none\" { }\n"
	    "tenant \"a\" { class = \"on\" logins = {\"a\"} domains = "
	    "{\"a.example\"} }\n"
	    "tenant \"b\" { class = \"on\" logins = {\"b\"} domains = "
	    "{\"b.example\"} shadow = {\"limits\"} timezone = \"UTC\" }\n"
	    "tenant \"c\" { class = \"none\" logins = {\"c\"} domains = "
	    "{\"c.example\"} }\n"
	    "tenant \"d\" { logins = {\"d\"} domains = {\"d.example\"} "
	    "shadow = {} }\n");
	p = load(NULL, 1);
	assert_false(policy_default(policy_tenant(p, SLICE("a")))->shadow);
	assert_true(policy_default(policy_tenant(p, SLICE("b")))->shadow);
	assert_true(policy_default(policy_tenant(p, SLICE("c")))->shadow);
	assert_false(policy_default(policy_tenant(p, SLICE("d")))->shadow);
	assert_string_equal(zone_name(policy_tenant(p, SLICE("a"))->zone),
	    "Europe/Madrid");
	assert_string_equal(zone_name(policy_tenant(p, SLICE("b"))->zone),
	    "UTC");
	policy_drop(p);
}

static void
a_key_in_trouble_leaves_its_tenant_loaded(void **state)
{
	const struct tenant *t;
	struct policy *p;

	(void)state;
	put("t/a.conf", "tenant \"a\" {\n\tlogins = {\"a\"}\n\tdomains = "
	    "{\"a.example\", \"b.example\"}\n\tdkim \"s\" { domain = "
	    "\"a.example\" key = \"gone.rsa\" }\n\tdkim \"s\" { domain = "
	    "\"b.example\" key = \"good.rsa\" }\n}\n");
	p = load(NULL, 1);
	t = policy_tenant(p, SLICE("a"));
	assert_int_equal(t->form, FORM_CURRENT);
	assert_int_equal(t->nidentities, 2);
	assert_string_equal(t->identities[0].key_path, "keys/gone.rsa");
	assert_non_null(t->identities[0].trouble);
	assert_null(t->identities[1].trouble);
	assert_int_equal(problems.errors, 1);
	policy_drop(p);
}

/* --- what is handed out -------------------------------------------------- */

/* note_path - policy_files' callback: names in a row */
static void
note_path(void *with, struct slice path, struct slice text)
{
	char *all = with;

	assert_true(text.n > 0);
	strncat(all, path.p, 100);
	strncat(all, " ", 2);
}

static void
good_files_are_handed_out_to_be_kept(void **state)
{
	struct policy *p, *q;
	char all[400] = "";

	(void)state;
	put("t/a.conf", TENANT("a", "a", "a.example"));
	put("t/b.conf", "broken");
	put("t/c.conf", TENANT("c", "c", "c.example"));
	p = load(NULL, 1);
	policy_files(p, note_path, all);
	assert_string_equal(all, "t/a.conf t/c.conf ");
	/* Only what differs, and only while it still is what was judged. */
	put("t/c.conf", "# new\n" TENANT("c", "c", "c.example"));
	q = load(p, 1);
	all[0] = '\0';
	policy_files_since(q, p, note_path, all);
	assert_string_equal(all, "t/c.conf ");
	put("t/c.conf", "# newer\n");
	all[0] = '\0';
	policy_files_since(q, p, note_path, all);
	assert_string_equal(all, "");
	/* Who waits to free it learns when nobody else has it. */
	assert_true(policy_alone(p));
	assert_ptr_equal(policy_hold(p), p);
	assert_false(policy_alone(p));
	policy_drop(p);
	assert_true(policy_alone(p));
	policy_drop(p);
	policy_drop(q);
}

static void
files_that_are_no_tenant_files_are_left_alone(void **state)
{
	struct policy *p;

	(void)state;
	put("t/a.conf", TENANT("a", "a", "a.example"));
	put("t/.#a.conf", "garbage");
	put("t/a.conf~", "garbage");
	put("t/README", "garbage");
	put("t/.conf", "garbage");
	put("t/empty.conf", "");
	put("t/comment.conf", "# only\n");
	p = load(NULL, 1);
	assert_int_equal(problems.errors, 0);
	assert_int_equal(p->ntenants, 1);
	policy_drop(p);
}

static void
the_hash_tells_policies_apart_and_not_places(void **state)
{
	char where[4200];
	struct policy_load args = { .path = where, .keys = "keys" };
	struct policy *p, *q;
	struct why why;

	(void)state;
	put("t/a.conf", TENANT("a", "a", "a.example"));
	p = load(NULL, 1);
	q = load(NULL, 1);
	assert_memory_equal(p->hash, q->hash, HASH_SHA256);
	policy_drop(q);
	assert_non_null(getcwd(where, 4096));
	strncat(where, "/policy.conf", 20);
	assert_int_equal(policy_load(&args, &q, &problems, &why), 1);
	assert_memory_equal(p->hash, q->hash, HASH_SHA256);
	policy_drop(q);
	put("t/a.conf", TENANT("a", "a", "a.example") "#\n");
	q = load(NULL, 1);
	assert_memory_not_equal(p->hash, q->hash, HASH_SHA256);
	policy_drop(q);
	policy_drop(p);
}

static void
a_policy_lives_until_its_last_reader_drops_it(void **state)
{
	struct policy *p;

	(void)state;
	put("t/a.conf", TENANT("a", "a", "a.example"));
	p = load(NULL, 1);
	assert_ptr_equal(policy_hold(p), p);
	policy_drop(p);
	assert_string_equal(owner(p, "a"), "a");
	policy_drop(p);
	policy_drop(NULL);
}

#define CASE(f)	cmocka_unit_test_setup_teardown(f, begin, finish)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_broken_file_goes_on_with_its_last_good_form),
		CASE(a_new_broken_file_holds_what_logins_it_can),
		CASE(a_broken_file_takes_no_name_from_a_good_one),
		CASE(a_file_that_was_renamed_and_broke_keeps_its_form),
		CASE(a_form_is_nobodys_whose_tenant_moved_elsewhere),
		CASE(a_form_has_one_heir_and_none_while_its_file_is_there),
		CASE(a_last_good_form_must_fit_the_new_main_file),
		CASE(a_mistake_in_the_main_part_refuses_everything),
		CASE(the_holder_in_the_running_policy_keeps_a_login),
		CASE(at_start_the_last_good_form_decides),
		CASE(without_any_history_the_first_file_wins),
		CASE(a_login_may_move_from_one_file_to_another),
		CASE(a_move_waits_when_the_giver_falls_back),
		CASE(who_loses_only_against_a_loser_does_not_fall),
		CASE(a_circle_of_rivals_comes_to_an_end),
		CASE(the_main_file_may_not_take_what_runs),
		CASE(a_class_may_not_be_taken_from_those_who_send),
		CASE(two_files_may_part_a_domain),
		CASE(a_key_for_a_part_that_is_anothers_breaks_its_file),
		CASE(a_tenant_overrides_its_class_line_by_line),
		CASE(tenants_of_a_class_share_its_limits),
		CASE(shadow_and_zone_come_from_the_nearest_that_says_them),
		CASE(a_key_in_trouble_leaves_its_tenant_loaded),
		CASE(good_files_are_handed_out_to_be_kept),
		CASE(files_that_are_no_tenant_files_are_left_alone),
		CASE(the_hash_tells_policies_apart_and_not_places),
		CASE(a_policy_lives_until_its_last_reader_drops_it),
	};

	return cmocka_run_group_tests_name("policy", tests, files_keys,
	    files_no_keys);
}
