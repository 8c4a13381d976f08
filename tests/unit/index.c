/*
 * index - who owns a login, a client, a domain: one policy, many questions.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "policy/policy.h"
#include "tests/unit/policy_files.h"

/* clang-format off */
static const char text[] =
"trusted { clients = {\"127.0.0.1\", \"2001:db8:1::/48\"} identify = \"from-domain\" }\n"
"local_transports = {\"local\", \"dovecot-lmtp\"}\n"
"tenant \"host\" {\n"
"	logins = {\"host\", \"*@.host.example\"}\n"
"	clients = {\"10.0.0.0/8\", \"2001:db8::/32\"}\n"
"	domains = {\"host.example\", \"*.host.example\"}\n"
"}\n"
"tenant \"shop\" {\n"
"	logins = {\"shop\", \"*@shop.host.example\", \"boss@x.host.example\"}\n"
"	clients = {\"10.1.0.0/16\", \"10.1.2.3\", \"2001:db8:2::/48\"}\n"
"	domains = {\"shop.host.example\", \"*.deep.shop.host.example\"}\n"
"	bounce_domain = \"bounce.host.example\"\n"
"	dkim \"s2\" { domain = \"shop.host.example\" key = \"good.ed\" algorithm = \"ed25519-sha256\" }\n"
"	dkim \"s1\" { domain = \"shop.host.example\" key = \"good.rsa\" }\n"
"	dkim \"d1\" { domain = \"a.deep.shop.host.example\" key = \"good.rsa\" }\n"
"}\n"
"tenant \"leaf\" {\n"
"	clients = {\"10.1.2.0/24\"}\n"
"	domains = {\"leaf.deep.shop.host.example\", \"LEAF.example\"}\n"
"}\n";
/* clang-format on */

static struct policy *policy;
static struct arena *arena;

/* set_up - load it once */
static int
set_up(void **state)
{
	struct policy_load load = { .path = "policy.conf", .keys = "keys",
	    .judge_keys = SIZE_MAX };
	struct problems problems;
	struct why why;

	if (files_keys(state) == -1)
		return -1;
	files_begin();
	files_write("policy.conf", text, sizeof(text) - 1);
	arena = arena_new(4096, 0);
	problems_init(&problems, arena);
	if (policy_load(&load, &policy, &problems, &why) != 1) {
		for (const struct problem *p = problems.first; p != NULL;
		    p = p->next)
			print_error("%u:%u: %s\n", p->at.line, p->at.col,
			    p->text);
		return -1;
	}
	return 0;
}

static int
tear_down(void **state)
{
	policy_drop(policy);
	arena_free(arena);
	files_end();
	return files_no_keys(state);
}

struct question {
	const char	*name, *what, *want;	/* want NULL: nobody */
	unsigned	 line;			/* of the rule */
	unsigned	 col;
};

/* judge - compare an answer; true: right */
static bool
judge(const struct question *q, const struct tenant *t, struct place rule)
{
	const char *got = t != NULL ? t->name.p : NULL;

	if ((got == NULL) != (q->want == NULL) ||
	    (got != NULL && strcmp(got, q->want) != 0) ||
	    (got != NULL && q->line != 0 && (rule.line != q->line ||
	    (q->col != 0 && rule.col != q->col)))) {
		print_error("%s (%s): want %s at %u:%u, got %s at %u:%u\n",
		    q->name, q->what, q->want != NULL ? q->want : "nobody",
		    q->line, q->col, got != NULL ? got : "nobody", rule.line,
		    rule.col);
		return false;
	}
	return true;
}

static const struct question logins[] = {
	{ "an exact login", "host", "host", 4, 12 },
	{ "logins are compared byte by byte", "HOST", NULL, 0, 0 },
	{ "a login of a domain", "a@shop.host.example", "shop", 9, 20 },
	{ "the domain's case does not matter", "a@Shop.HOST.example", "shop",
	    9, 20 },
	{ "below a domain", "a@x.host.example", "host", 4, 20 },
	{ "deep below a domain", "a@y.x.host.example", "host", 4, 20 },
	{ "below is not the domain itself", "a@host.example", NULL, 0, 0 },
	{ "an exact login wins over its domain", "boss@x.host.example", "shop",
	    9, 43 },
	{ "only the last @ counts", "a@b@shop.host.example", "shop", 9, 20 },
	{ "a domain that only ends alike", "a@ashop.host.example", "host", 4,
	    20 },
	{ "another name that ends alike", "a@myhost.example", NULL, 0, 0 },
	{ "nothing before the @", "@shop.host.example", "shop", 9, 20 },
	{ "nothing behind the @", "a@", NULL, 0, 0 },
	{ "a domain that begins with a dot", "a@.host.example", NULL, 0, 0 },
	{ "no login at all", "", NULL, 0, 0 },
	{ "somebody unknown", "nobody", NULL, 0, 0 },
};

static void
by_login(void **state)
{
	unsigned wrong = 0;
	char longest[600];

	(void)state;
	for (size_t i = 0; i < sizeof(logins) / sizeof(logins[0]); i++) {
		struct place rule = { 0 };
		const struct tenant *t = policy_by_login(policy,
		    slice_of(logins[i].what), &rule);

		wrong += !judge(&logins[i], t, rule);
	}
	memset(longest, 'a', sizeof(longest));
	memcpy(longest, "x@", 2);
	assert_null(policy_by_login(policy, (struct slice){ longest,
	    sizeof(longest) }, NULL));
	assert_null(policy_by_login(policy, SLICE_NONE, NULL));
	assert_int_equal(wrong, 0);
}

static const struct question domains[] = {
	{ "an exact domain", "host.example", "host", 6, 13 },
	{ "below a domain", "x.host.example", "host", 6, 29 },
	{ "an exact one wins over a star", "shop.host.example", "shop", 11,
	    13 },
	{ "what is below it is still the star's", "x.shop.host.example",
	    "host", 6, 29 },
	{ "a nearer star wins over a farther one",
	    "x.deep.shop.host.example", "shop", 11, 34 },
	{ "a star does not hold its own domain", "deep.shop.host.example",
	    "host", 6, 29 },
	{ "an exact one below the nearer star",
	    "leaf.deep.shop.host.example", "leaf", 19, 13 },
	{ "and what is below that", "x.leaf.deep.shop.host.example", "shop",
	    11, 34 },
	{ "a policy's domain is folded", "leaf.example", "leaf", 19, 44 },
	{ "a bounce domain is for MAIL FROM alone", "bounce.host.example",
	    "host", 6, 29 },
	{ "a name that only ends alike", "myhost.example", NULL, 0, 0 },
	{ "the top level", "example", NULL, 0, 0 },
	{ "a leading dot is no domain", ".host.example", NULL, 0, 0 },
	{ "nothing", "", NULL, 0, 0 },
};

static void
by_domain(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(domains) / sizeof(domains[0]); i++) {
		struct place rule = { 0 };
		const struct tenant *t = policy_by_domain(policy,
		    slice_of(domains[i].what), &rule);

		wrong += !judge(&domains[i], t, rule);
	}
	assert_int_equal(wrong, 0);
}

/* ip - of a text */
static struct ip
ip(const char *s)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct ip out;

	if (inet_pton(AF_INET, s, &in.sin_addr) == 1)
		ip_of((struct sockaddr *)&in, &out);
	else if (inet_pton(AF_INET6, s, &in6.sin6_addr) == 1)
		ip_of((struct sockaddr *)&in6, &out);
	else
		ip_of(NULL, &out);
	return out;
}

static const struct question clients[] = {
	{ "in a wide network", "10.2.0.1", "host", 5, 0 },
	{ "in a narrower one", "10.1.0.1", "shop", 10, 0 },
	{ "in one narrower still", "10.1.2.4", "leaf", 18, 0 },
	{ "one address", "10.1.2.3", "shop", 10, 0 },
	{ "the last of a network", "10.255.255.255", "host", 5, 0 },
	{ "the first behind it", "11.0.0.0", NULL, 0, 0 },
	{ "in IPv6", "2001:db8:1::1", "host", 5, 0 },
	{ "in a narrower one of IPv6", "2001:db8:2::1", "shop", 10, 0 },
	{ "IPv4 in IPv6's clothes", "::ffff:10.1.0.1", "shop", 10, 0 },
	{ "elsewhere", "2001:db9::1", NULL, 0, 0 },
	{ "no address", "", NULL, 0, 0 },
};

static void
by_client(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(clients) / sizeof(clients[0]); i++) {
		struct place rule = { 0 };
		struct ip address = ip(clients[i].what);
		const struct tenant *t = policy_by_client(policy, &address,
		    &rule);

		wrong += !judge(&clients[i], t, rule);
	}
	assert_int_equal(wrong, 0);
}

static void
trust(void **state)
{
	struct ip a = ip("127.0.0.1"), b = ip("127.0.0.2"), none = ip("");
	struct ip c = ip("2001:db8:1:2::3");

	(void)state;
	assert_true(policy_trusts(policy, &a));
	assert_true(policy_trusts(policy, &c));
	assert_false(policy_trusts(policy, &b));
	assert_false(policy_trusts(policy, &none));
}

/* Each tenant owns what policy_by_domain gives it, and nothing else. */
static void
ownership_agrees(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(domains) / sizeof(domains[0]); i++)
		for (size_t j = 0; j < policy->ntenants; j++) {
			const struct tenant *t = policy->tenants[j];
			bool want = domains[i].want != NULL &&
			    slice_is(t->name, domains[i].want);

			if (policy_owns(policy, t, slice_of(domains[i].what),
			    false) != want)
				fail_msg("%s of %s", domains[i].what,
				    t->name.p);
		}
}

static void
bounces(void **state)
{
	const struct tenant *host = policy_tenant(policy, SLICE("host"));
	const struct tenant *shop = policy_tenant(policy, SLICE("shop"));
	struct slice d = SLICE("bounce.host.example");

	(void)state;
	assert_true(policy_owns(policy, shop, d, true));
	assert_false(policy_owns(policy, shop, d, false));
	/* It is nearer than the star of the other. */
	assert_false(policy_owns(policy, host, d, true));
	assert_true(policy_owns(policy, host, d, false));
	assert_true(policy_owns(policy, host, SLICE("host.example"), true));
}

static void
names(void **state)
{
	(void)state;
	assert_int_equal(policy->ntenants, 3);
	assert_non_null(policy_tenant(policy, SLICE("leaf")));
	assert_null(policy_tenant(policy, SLICE("lea")));
	assert_null(policy_tenant(policy, SLICE("leafs")));
	assert_null(policy_tenant(policy, SLICE("")));
	assert_true(policy_is_local(policy, SLICE("dovecot-lmtp")));
	assert_false(policy_is_local(policy, SLICE("virtual")));
	assert_false(policy_is_local(policy, SLICE_NONE));
}

static void
identities(void **state)
{
	const struct tenant *t = policy_tenant(policy, SLICE("shop"));
	const struct identity *id;

	(void)state;
	assert_int_equal(policy_identities(policy_default(t), SLICE("shop.host.example"),
	    &id), 2);
	assert_true(slice_is(id[0].selector, "s1"));	/* RSA first */
	assert_true(slice_is(id[1].selector, "s2"));
	assert_int_equal(policy_identities(policy_default(t), SLICE("b.c.shop.host.example"),
	    &id), 2);
	assert_int_equal(policy_identities(policy_default(t),
	    SLICE("x.a.deep.shop.host.example"), &id), 1);
	assert_true(slice_is(id->selector, "d1"));
	assert_int_equal(policy_identities(policy_default(t), SLICE("host.example"), &id), 0);
	assert_null(id);
	t = policy_tenant(policy, SLICE("host"));
	assert_int_equal(policy_identities(policy_default(t), SLICE("host.example"), &id), 0);
}

static void
addresses(void **state)
{
	char out[INET6_ADDRSTRLEN];
	struct ip a = ip("192.0.2.1"), b = ip("2001:db8::1"), none = ip("");

	(void)state;
	assert_string_equal(ip_print(&a, out), "192.0.2.1");
	assert_string_equal(ip_print(&b, out), "2001:db8::1");
	assert_string_equal(ip_print(&none, out), "unknown");
}

static void
rules(void **state)
{
	struct place at = { "policy.conf", 7, 3 }, nowhere = { NULL, 0, 0 };

	(void)state;
	assert_true(slice_is(policy_rule(policy, at, arena), "policy.conf:7"));
	assert_true(slice_is(policy_rule(policy, nowhere, arena), ""));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_login),
		cmocka_unit_test(by_domain),
		cmocka_unit_test(by_client),
		cmocka_unit_test(trust),
		cmocka_unit_test(ownership_agrees),
		cmocka_unit_test(bounces),
		cmocka_unit_test(names),
		cmocka_unit_test(identities),
		cmocka_unit_test(addresses),
		cmocka_unit_test(rules),
	};

	return cmocka_run_group_tests_name("index", tests, set_up, tear_down);
}
