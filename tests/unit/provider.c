/*
 * provider - the table that is compiled in: it reads without a mistake, and
 * domains that matter are where they belong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/keyword.h"
#include "lib/provider.h"

static const struct { const char *domain, *want; } cases[] = {
	{ "gmail.com", "google" }, { "googlemail.com", "google" },
	{ "hotmail.co.uk", "outlook" }, { "outlook.com", "outlook" },
	{ "live.nl", "outlook" }, { "msn.com", "outlook" },
	{ "yahoo.com", "yahoo" }, { "yahoo.de", "yahoo" },
	{ "yahoo.co.jp", "yahoo_jp" }, { "aol.com", "yahoo" },
	{ "icloud.com", "apple" }, { "me.com", "apple" },
	{ "gmx.de", "gmx_webde" }, { "web.de", "gmx_webde" },
	{ "t-online.de", "tonline" }, { "orange.fr", "orange" },
	{ "comcast.net", "comcast" }, { "proton.me", "proton" },
	{ "mail.ru", "mailru" }, { "qq.com", "qq" },
	{ "b.example", "unresolved" }, { "", "unresolved" },
	{ "mail.gmail.com", "unresolved" }, { "com", "unresolved" },
	{ "notgmail.com", "unresolved" },
};

static void
domains_are_where_they_belong(void **state)
{
	const char *got;
	int wrong = 0;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		got = provider_name(provider_of(slice_of(cases[i].domain)));
		if (strcmp(got, cases[i].want) == 0)
			continue;
		print_error("%s: got %s, want %s\n", cases[i].domain, got,
		    cases[i].want);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

static void
hosts_belong_to_what_they_are_below(void **state)
{
	static const struct { const char *host, *want; } hosts[] = {
		{ "gmail-smtp-in.l.google.com", "google" },
		{ "ASPMX.L.GOOGLE.COM.", "google" },
		{ "x.mail.protection.outlook.com", "office365" },
		{ "hotmail-com.olc.protection.outlook.com", "outlook" },
		{ "mta5.am0.yahoodns.net", "yahoo" },
		{ "google.com", "other" }, { "mx.dest.example", "other" },
		{ "evilgoogle.com", "other" }, { "", "other" }, { ".", "other" },
		{ "google.com.evil.example", "other" },
	};
	const char *got;
	char longest[300];

	(void)state;
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		got = provider_name(provider_of_mx(slice_of(hosts[i].host)));
		if (strcmp(got, hosts[i].want) != 0)
			fail_msg("%s: got %s, want %s", hosts[i].host, got,
			    hosts[i].want);
	}
	memset(longest, '.', sizeof(longest));
	assert_true(provider_of_mx((struct slice){ longest, 300 }) ==
	    PROVIDER_OTHER);
	assert_true(provider_of_mx((struct slice){ longest, 250 }) ==
	    PROVIDER_OTHER);
}

static void
names_and_sets(void **state)
{
	unsigned i;

	(void)state;
	assert_true(provider_count() > 40 && provider_count() <= PROVIDER_MAX);
	assert_string_equal(provider_name(PROVIDER_UNRESOLVED), "unresolved");
	assert_string_equal(provider_name(PROVIDER_OTHER), "other");
	assert_string_equal(provider_name(PROVIDER_MAX), "unresolved");
	for (i = 0; i < provider_count(); i++) {
		assert_true(keyword_is_name(slice_of(provider_name(i))));
		assert_true(provider_find(slice_of(provider_name(i))) ==
		    (provider_set)1 << i);
	}
	assert_true(provider_find(SLICE("microsoft")) ==
	    (provider_find(SLICE("outlook")) |
	    provider_find(SLICE("office365")) |
	    provider_find(SLICE("office365-dane"))));
	assert_true(provider_reports_complaints(SLICE("yahoo")));
	assert_true(provider_reports_complaints(SLICE("outlook")));
	assert_true(provider_reports_complaints(SLICE("comcast")));
	assert_false(provider_reports_complaints(SLICE("google")));
	assert_false(provider_reports_complaints(SLICE("office365")));
	assert_false(provider_reports_complaints(SLICE("microsoft")));
	assert_false(provider_reports_complaints(SLICE("")));
	assert_true(provider_find(SLICE("gogle")) == 0);
	assert_true(provider_find(SLICE("")) == 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(domains_are_where_they_belong),
		cmocka_unit_test(hosts_belong_to_what_they_are_below),
		cmocka_unit_test(names_and_sets),
	};
	struct why why;

	/* Twice: the second time it is there already. */
	if (provider_init(&why) == -1 || provider_init(&why) == -1) {
		print_error("%s\n", why.text);
		return 1;
	}
	return cmocka_run_group_tests_name("provider", tests, NULL, NULL);
}
