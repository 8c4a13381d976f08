/*
 * streams - what a tenant's mail has when file, group, class by class, tenant
 * and stream have all spoken.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include "lib/buf.h"
#include "lib/clock.h"
#include "policy/match.h"
#include "policy/policy.h"
#include "tests/unit/policy_files.h"

static struct arena *arena;
static struct problems problems;
static struct policy *p;

/* load - the text as policy.conf; want 1 without a mistake, -2 with some in
 * tenants' files, or 0 */
static void
load(const char *text, int want)
{
	struct policy_load args = { .path = "policy.conf", .keys = "keys",
	    .judge_keys = 100 };
	struct why why;

	policy_drop(p);
	problems_init(&problems, arena);
	files_write("policy.conf", text, strlen(text));
	if (policy_load(&args, &p, &problems, &why) != (want == -2 ? 1 : want))
		fail_msg("want %d, got \"%s\"", want, problems.first != NULL ?
		    problems.first->text : "no problem");
	for (struct problem *e = problems.first; want == 1 && e != NULL;
	    e = e->next)
		if (!e->warning)
			fail_msg("%s", e->text);
}

/* tenant - by name */
static const struct tenant *
tenant(const char *name)
{
	const struct tenant *t = policy_tenant(p, slice_of(name));

	assert_non_null(t);
	return t;
}

/* stream - of a tenant, by name */
static const struct stream *
stream(const char *name, const char *of)
{
	const struct stream *s = policy_stream(tenant(name), slice_of(of));

	if (s == NULL)
		fail_msg("%s has no stream %s", name, of);
	return s;
}

/* limit - of a stream, by name; NULL: it has none */
static const struct limit *
limit(const struct stream *s, const char *name)
{
	for (size_t i = 0; i < s->nlimits; i++)
		if (slice_is(s->limits[i]->name, name))
			return s->limits[i];
	return NULL;
}

static int
begin(void **state)
{
	(void)state;
	arena = arena_new(4096, 0);
	files_begin();
	return 0;
}

static int
finish(void **state)
{
	(void)state;
	policy_drop(p);
	p = NULL;
	files_end();
	arena_free(arena);
	return 0;
}

#define WHO(name) " logins = {\"" name "\"} domains = {\"" name ".example\"} "

static void
every_value_comes_from_the_nearest_that_says_it(void **state)
{
	const struct stream *s;

	(void)state;
	load("max_recipients = 10\npriority = \"bulk\"\nhold_max = \"2h\"\n"
	    "partial = \"allow\"\nreturn_path = \"verp\"\nthen = \"refuse\"\n"
	    "group \"g\" { max_recipients = 20 priority = \"interactive\" }\n"
	    "class \"base\" { hold_max = \"3h\" max_recipients = 30 }\n"
	    "class \"c\" { extends = \"base\" max_recipients = 40 }\n"
	    "tenant \"a\" { class = \"c\" group = \"g\"" WHO("a") "\n"
	    "	max_recipients = 50\n"
	    "	stream \"news\" { match = \"sender:news@*\" hold_max = \"4h\" }\n"
	    "}\n"
	    "tenant \"b\" { class = \"c\" group = \"g\"" WHO("b") "}\n"
	    "tenant \"c\" { group = \"g\"" WHO("c") "}\n"
	    "tenant \"d\" {" WHO("d") "}\n", 1);
	s = stream("a", "news");
	assert_int_equal(s->max_recipients, 50);
	assert_int_equal(s->max_recipients_at.line, 11);
	assert_int_equal(s->hold_max, 4 * CLOCK_HOUR);
	assert_int_equal(s->priority, PRIORITY_INTERACTIVE);
	assert_int_equal(s->priority_at.line, 7);
	assert_int_equal(s->partial, PARTIAL_ALLOW);
	assert_int_equal(s->return_path, RETURN_PATH_VERP);
	assert_int_equal(s->then, OVER_REFUSE);
	s = policy_default(tenant("a"));
	assert_int_equal(s->hold_max, 3 * CLOCK_HOUR);
	assert_null(s->at.file);
	s = policy_default(tenant("b"));
	assert_int_equal(s->max_recipients, 40);
	assert_int_equal(s->hold_max, 3 * CLOCK_HOUR);
	assert_int_equal(policy_default(tenant("c"))->max_recipients, 20);
	s = policy_default(tenant("d"));
	assert_int_equal(s->max_recipients, 10);
	assert_int_equal(s->priority, PRIORITY_BULK);
	assert_int_equal(s->hold_max, 2 * CLOCK_HOUR);
}

static void
a_stream_says_it_nearer_than_any_level(void **state)
{
	(void)state;
	load("stream \"news\" { match = \"sender:news@*\" max_recipients = 1 }\n"
	    "class \"c\" { max_recipients = 30\n"
	    "	stream \"news\" { paused = \"not today\" }\n}\n"
	    "tenant \"a\" { class = \"c\"" WHO("a") " max_recipients = 50 }\n",
	    1);
	assert_int_equal(stream("a", "news")->max_recipients, 1);
	assert_string_equal(stream("a", "news")->paused, "not today");
	assert_int_equal(stream("a", "default")->max_recipients, 50);
	assert_null(stream("a", "default")->paused);
	assert_int_equal(stream("a", "news")->at.line, 3);
	assert_int_equal(stream("a", "news")->match_at.line, 1);
}

static void
what_nobody_says_has_its_default(void **state)
{
	const struct stream *s;

	(void)state;
	load("tenant \"a\" {" WHO("a") "}\n", 1);
	assert_int_equal(tenant("a")->nstreams, 1);
	s = stream("a", "default");
	assert_int_equal(s->priority, PRIORITY_TRANSACTIONAL);
	assert_int_equal(s->return_path, RETURN_PATH_KEEP);
	assert_int_equal(s->partial, PARTIAL_BY_LISTENER);
	assert_int_equal(s->max_recipients, 0);
	assert_int_equal(s->hold_max, CLOCK_DAY);
	assert_int_equal(s->then, OVER_DEFER);
	assert_int_equal(s->shadow, 0);
	assert_false(s->strip || s->late || s->by_header);
	assert_int_equal(s->id, hash_id("stream", SLICE("default")));
}

static void
limits_of_one_name_are_merged_line_by_line(void **state)
{
	const struct limit *l;

	(void)state;
	load("cap \"day\" { limit = \"100/day\" per = \"tenant\" jitter = 0.5 }\n"
	    "group \"g\" { cap \"day\" { over = \"refuse\" } }\n"
	    "class \"base\" { cap \"day\" { count = \"messages\" }\n"
	    "	throttle \"t\" { rate = \"9/hour\" burst = 3 } }\n"
	    "class \"c\" { extends = \"base\"\n"
	    "	cap \"day\" { to = \"provider:google\" } }\n"
	    "tenant \"a\" { class = \"c\" group = \"g\"" WHO("a") "\n"
	    "	cap \"day\" { mode = \"shadow\" }\n"
	    "	stream \"news\" { match = \"sender:news@*\"\n"
	    "		cap \"day\" { limit = \"7/week\" }\n"
	    "		throttle \"t\" { rate = \"none\" }\n"
	    "	}\n"
	    "}\n", 1);
	l = limit(stream("a", "default"), "day");
	assert_int_equal(l->most, 100);
	assert_int_equal(l->unit, WINDOW_DAY);
	assert_int_equal(l->amount_at.line, 1);
	assert_int_equal(l->jitter, 500);
	assert_int_equal(l->over, OVER_REFUSE);
	assert_int_equal(l->over_at.line, 2);
	assert_int_equal(l->count, COUNT_MESSAGES);
	assert_true(l->to == provider_find(SLICE("google")));
	assert_true(l->shadow);
	assert_int_equal(l->at.line, 8);
	assert_int_equal(l->per, PER_TENANT);
	l = limit(stream("a", "news"), "day");
	assert_int_equal(l->most, 7);
	assert_int_equal(l->unit, WINDOW_WEEK);
	assert_int_equal(l->over, OVER_REFUSE);
	assert_true(l->shadow);
	/* A week is no day: it counts for itself. */
	assert_int_equal(l->per, PER_TENANT | PER_STREAM);
	assert_null(limit(stream("a", "news"), "t"));
	assert_int_equal(limit(stream("a", "default"), "t")->burst, 3);
}

/* What the key of a limit has in it, by where its outermost block stands. */
static void
a_limit_counts_apart_what_it_stands_in(void **state)
{
	static const struct { const char *name; unsigned per; } cases[] = {
		{ "file-all", 0 }, { "file-tenant", PER_TENANT },
		{ "file-login", PER_TENANT | PER_LOGIN },
		{ "file-provider", PER_PROVIDER },
		{ "file-group-login", PER_GROUP | PER_LOGIN },
		{ "group", PER_GROUP },
		{ "group-domain", PER_GROUP | PER_RECIPIENT_DOMAIN },
		{ "group-sender", PER_GROUP | PER_SENDER },
		{ "class", PER_TENANT }, { "class-stream", PER_TENANT |
		    PER_STREAM },
		{ "class-in", PER_TENANT | PER_STREAM },
		{ "tenant", PER_TENANT }, { "tenant-from", PER_TENANT |
		    PER_SENDER_DOMAIN },
		{ "in", PER_TENANT | PER_STREAM },
		{ "in-login", PER_TENANT | PER_STREAM | PER_LOGIN },
	};

	(void)state;
	load("cap \"file-all\" { limit = \"9/day\" per = \"all\" }\n"
	    "cap \"file-tenant\" { limit = \"9/day\" per = \"tenant\" }\n"
	    "cap \"file-login\" { limit = \"9/day\" per = {\"login\"} }\n"
	    "cap \"file-provider\" { limit = \"9/day\" per = \"provider\" }\n"
	    "cap \"file-group-login\" { limit = \"9/day\" per = "
	    "{\"group\", \"login\"} }\n"
	    "group \"g\" { cap \"group\" { limit = \"9/day\" }\n"
	    "	cap \"group-domain\" { limit = \"9/day\" per = "
	    "\"recipient_domain\" }\n"
	    "	cap \"group-sender\" { limit = \"9/day\" per = \"sender\" } }\n"
	    "class \"c\" { cap \"class\" { limit = \"9/day\" }\n"
	    "	cap \"class-stream\" { limit = \"9/day\" per = \"stream\" }\n"
	    "	stream \"s\" { match = \"any\" cap \"class-in\" { limit = "
	    "\"9/day\" } } }\n"
	    "tenant \"a\" { group = \"g\" class = \"c\"" WHO("a") "\n"
	    "	cap \"tenant\" { limit = \"9/day\" }\n"
	    "	cap \"tenant-from\" { limit = \"9/day\" per = "
	    "\"sender_domain\" }\n"
	    "	stream \"s\" { cap \"in\" { limit = \"9/day\" }\n"
	    "		cap \"in-login\" { limit = \"9/day\" per = \"login\" } }\n"
	    "}\n", 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct limit *l = limit(stream("a", "s"),
		    cases[i].name);

		assert_non_null(l);
		if (l->per != cases[i].per)
			fail_msg("%s: got %#x, want %#x", cases[i].name,
			    l->per, cases[i].per);
	}
}

static void
an_open_limit_has_no_window(void **state)
{
	const struct limit *l;

	(void)state;
	load("tenant \"a\" {" WHO("a") "\n"
	    "	open \"way\" { limit = \"5000\" to = \"provider:yahoo\" over = "
	    "\"hold\" }\n"
	    "	cap \"way\" { limit = \"6/day\" }\n}\n", 1);
	assert_int_equal(policy_default(tenant("a"))->nlimits, 2);
	l = policy_default(tenant("a"))->limits[0];
	assert_int_equal(l->kind, LIMIT_OPEN);
	assert_int_equal(l->most, 5000);
	assert_int_equal(l->count, COUNT_RECIPIENTS);
	assert_int_equal(l->over, OVER_HOLD);
	assert_string_equal(l->text.p, "5000");
	assert_int_equal(policy_default(tenant("a"))->limits[1]->kind,
	    LIMIT_CAP);
}

static void
streams_are_tried_from_the_tenant_outwards(void **state)
{
	static const char *const want[] = { "own", "both", "near", "base",
	    "g", "f", "default" };
	const struct tenant *t;

	(void)state;
	load("stream \"f\" { match = \"login:f\" }\n"
	    "stream \"both\" { match = \"login:both\" }\n"
	    "class \"c\" { extends = \"b\" stream \"near\" { match = "
	    "\"login:n\" } }\n"
	    "class \"b\" { stream \"base\" { match = \"login:b\" }\n"
	    "	stream \"near\" { match = \"login:x\" } }\n"
	    "group \"g\" { stream \"g\" { match = \"login:g\" } }\n"
	    "tenant \"a\" { class = \"c\" group = \"g\"" WHO("a") "\n"
	    "	stream \"default\" { max_recipients = 3 }\n"
	    "	stream \"own\" { match = {\"login:o\", \"sender:x@*\"} }\n"
	    "	stream \"both\" { priority = \"bulk\" }\n}\n", 1);
	t = tenant("a");
	assert_int_equal(t->nstreams, sizeof(want) / sizeof(want[0]));
	for (size_t i = 0; i < t->nstreams; i++)
		assert_string_equal(t->streams[i]->name.p, want[i]);
	assert_string_equal(stream("a", "near")->lines[0].text.p, "login:n");
	assert_int_equal(stream("a", "own")->nlines, 2);
	assert_int_equal(stream("a", "default")->max_recipients, 3);
	assert_int_equal(stream("a", "both")->lines[0].at.line, 2);
}

static void
streams_behind_a_header_stream_are_late(void **state)
{
	(void)state;
	load("tenant \"a\" {" WHO("a") "\n"
	    "	stream \"first\" { match = \"sender:x@*\" }\n"
	    "	stream \"head\" { match = {\"login:z\", \"header:X-S=b !login:q\"} "
	    "strip = \"yes\" }\n"
	    "	stream \"last\" { match = \"sender:y@*\" }\n}\n", 1);
	assert_false(stream("a", "first")->late);
	assert_true(stream("a", "head")->late);
	assert_true(stream("a", "head")->by_header);
	assert_true(stream("a", "head")->strip);
	assert_true(stream("a", "last")->late);
	assert_false(stream("a", "last")->by_header);
	assert_true(stream("a", "default")->late);
}

static void
what_all_streams_have_alike_is_common(void **state)
{
	const struct tenant *t;

	(void)state;
	load("class \"c\" { cap \"one\" { limit = \"9/day\" }\n"
	    "	cap \"two\" { limit = \"99/week\" } }\n"
	    "tenant \"a\" { class = \"c\"" WHO("a") "\n"
	    "	stream \"s\" { match = \"login:s\" cap \"two\" { limit = "
	    "\"9/week\" } }\n"
	    "	stream \"t\" { match = \"login:t\" cap \"three\" { limit = "
	    "\"9/month\" } } }\n"
	    "tenant \"b\" { class = \"c\"" WHO("b") "}\n", 1);
	t = tenant("a");
	assert_int_equal(t->ncommon, 1);
	assert_string_equal(t->common[0]->name.p, "one");
	assert_int_equal(stream("a", "s")->nlimits, 2);
	assert_int_equal(stream("a", "t")->nlimits, 3);
	assert_int_equal(stream("a", "default")->nlimits, 2);
	assert_int_equal(tenant("b")->ncommon, 2);
}

static void
tenants_that_say_no_more_share_everything(void **state)
{
	const struct tenant *a, *b, *c, *k;

	(void)state;
	load("class \"base\" { cap \"d\" { limit = \"5/day\" } }\n"
	    "class \"c\" { extends = \"base\" cap \"d\" { jitter = 1 }\n"
	    "	stream \"s\" { match = \"login:x\" } }\n"
	    "tenant \"a\" { class = \"c\"" WHO("a") "}\n"
	    "tenant \"b\" { class = \"c\"" WHO("b") "contact = \"x\" }\n"
	    "tenant \"c\" { class = \"c\"" WHO("c") "max_recipients = 2 }\n"
	    "tenant \"k\" { class = \"c\"" WHO("k") "\n"
	    "	dkim \"s\" { domain = \"k.example\" key = \"good.rsa\" } }\n", 1);
	a = tenant("a");
	b = tenant("b");
	c = tenant("c");
	k = tenant("k");
	assert_ptr_equal(a->streams, b->streams);
	assert_ptr_equal(a->common, b->common);
	assert_ptr_not_equal(a->streams, c->streams);
	assert_ptr_equal(a->common, c->common);
	assert_ptr_equal(a->streams[0]->limits, k->streams[0]->limits);
	assert_int_equal(k->streams[0]->nidentities, 1);
	assert_int_equal(k->streams[1]->nidentities, 1);
	assert_int_equal(a->streams[0]->nidentities, 0);
}

static void
a_stream_signs_with_its_own_key_for_its_domain(void **state)
{
	const struct identity *id;

	(void)state;
	load("tenant \"a\" { logins = {\"a\"} domains = {\"a.example\", "
	    "\"b.example\"}\n"
	    "	dkim \"a1\" { domain = \"a.example\" key = \"good.rsa\" }\n"
	    "	dkim \"b1\" { domain = \"b.example\" key = \"good.rsa\" }\n"
	    "	stream \"news\" { match = \"sender:news@*\"\n"
	    "		dkim \"n1\" { domain = \"a.example\" key = \"good.rsa\" }\n"
	    "	}\n"
	    "	stream \"more\" { match = \"sender:more@*\"\n"
	    "		dkim \"n1\" { domain = \"a.example\" key = \"good.rsa\" }\n"
	    "	}\n"
	    "}\n", 1);
	assert_int_equal(policy_identities(stream("a", "news"),
	    SLICE("a.example"), &id), 1);
	assert_string_equal(id->selector.p, "n1");
	assert_null(id->trouble);
	assert_int_equal(policy_identities(stream("a", "news"),
	    SLICE("b.example"), &id), 1);
	assert_string_equal(id->selector.p, "b1");
	assert_int_equal(policy_identities(stream("a", "default"),
	    SLICE("x.a.example"), &id), 1);
	assert_string_equal(id->selector.p, "a1");
}

static void
a_key_of_a_stream_in_trouble_is_said(void **state)
{
	const struct identity *id;

	static const char text[] = "tenant \"a\" {" WHO("a") "\n"
	    "	dkim \"a1\" { domain = \"a.example\" key = \"open.rsa\" }\n"
	    "	stream \"news\" { match = \"sender:news@*\"\n"
	    "		dkim \"n1\" { domain = \"a.example\" key = \"gone.rsa\" }\n"
	    "	}\n"
	    "	stream \"more\" { match = \"sender:more@*\" }\n"
	    "}\n";

	(void)state;
	mkdir("t", 0755);
	files_write("t/a.conf", text, sizeof(text) - 1);
	load("include \"t\"\n", -2);
	assert_int_equal(problems.errors, 2);
	assert_int_equal(policy_identities(stream("a", "news"),
	    SLICE("a.example"), &id), 1);
	assert_non_null(strstr(id->trouble, "gone.rsa"));
	assert_int_equal(policy_identities(stream("a", "more"),
	    SLICE("a.example"), &id), 1);
	assert_non_null(strstr(id->trouble, "open.rsa"));
}

static void
pools_of_the_nearest_block_replace_the_others(void **state)
{
	(void)state;
	load("pool \"x\" { address \"192.0.2.1\" { transport = \"x1\" } }\n"
	    "pool \"y\" { address \"192.0.2.2\" { transport = \"y1\" } }\n"
	    "class \"c\" { pool \"x\" { weight = 90 } pool \"y\" { } }\n"
	    "tenant \"a\" { class = \"c\"" WHO("a") "\n"
	    "	stream \"news\" { match = \"sender:news@*\" pool \"y\" { } } }\n",
	    1);
	assert_int_equal(stream("a", "default")->nroutes, 2);
	assert_int_equal(stream("a", "default")->routes[0].weight, 90);
	assert_int_equal(stream("a", "default")->routes[1].weight, 1);
	assert_int_equal(stream("a", "news")->nroutes, 1);
	assert_string_equal(stream("a", "news")->routes[0].pool->name.p, "y");
}

static void
parts_in_shadow_are_replaced_as_a_set(void **state)
{
	(void)state;
	load("shadow = {\"limits\", \"ownership\"}\n"
	    "group \"g\" { shadow = {\"require\"} }\n"
	    "class \"c\" { mode = \"shadow\" }\n"
	    "tenant \"a\" {" WHO("a") "}\n"
	    "tenant \"b\" { group = \"g\"" WHO("b") "}\n"
	    "tenant \"c\" { group = \"g\" class = \"c\"" WHO("c") "\n"
	    "	stream \"s\" { match = \"any\" shadow = {\"suppression\"} }\n"
	    "	stream \"t\" { match = \"login:t\" mode = \"enforce\" } }\n", 1);
	assert_int_equal(p->shadow, SHADOW_LIMITS | SHADOW_OWNERSHIP);
	assert_int_equal(policy_default(tenant("a"))->shadow, SHADOW_LIMITS |
	    SHADOW_OWNERSHIP);
	assert_int_equal(policy_default(tenant("b"))->shadow, SHADOW_REQUIRE);
	assert_int_equal(policy_default(tenant("c"))->shadow, SHADOW_ALL);
	assert_int_equal(stream("c", "s")->shadow, SHADOW_SUPPRESSION);
	assert_int_equal(stream("c", "t")->shadow, 0);
}

static void
sixteen_classes_may_stand_on_one_another(void **state)
{
	struct buf text = BUF_INIT;

	(void)state;
	buf_str(&text, "class \"c0\" { cap \"d\" { limit = \"9/day\" } }\n");
	for (int i = 1; i < 17; i++) {
		buf_printf(&text, "class \"c%d\" { extends = \"c%d\" cap \"d\" "
		    "{ jitter = 0.0%02d } }\n", i, i - 1, i);
		if (i >= 15) {
			size_t n = text.len;

			buf_printf(&text, "tenant \"a\" { class = \"c%d\"" WHO(
			    "a") "}\n%c", i, '\0');
			load(text.data, i == 15);
			text.len = n;
		}
	}
	assert_non_null(strstr(problems.first->text, "class \"c16\" stands on "
	    "more than 15 classes"));
	buf_free(&text);
}

#define CASE(f)	cmocka_unit_test_setup_teardown(f, begin, finish)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(every_value_comes_from_the_nearest_that_says_it),
		CASE(a_stream_says_it_nearer_than_any_level),
		CASE(what_nobody_says_has_its_default),
		CASE(limits_of_one_name_are_merged_line_by_line),
		CASE(a_limit_counts_apart_what_it_stands_in),
		CASE(an_open_limit_has_no_window),
		CASE(streams_are_tried_from_the_tenant_outwards),
		CASE(streams_behind_a_header_stream_are_late),
		CASE(what_all_streams_have_alike_is_common),
		CASE(tenants_that_say_no_more_share_everything),
		CASE(a_stream_signs_with_its_own_key_for_its_domain),
		CASE(a_key_of_a_stream_in_trouble_is_said),
		CASE(pools_of_the_nearest_block_replace_the_others),
		CASE(parts_in_shadow_are_replaced_as_a_set),
		CASE(sixteen_classes_may_stand_on_one_another),
	};

	return cmocka_run_group_tests_name("streams", tests, files_keys,
	    files_no_keys);
}
