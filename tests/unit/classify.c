/*
 * classify - rules against replies: what is read out of a reply, which rule
 * wins, and that no text makes the search slow.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/provider.h"
#include "reputation/classify_in.h"

static struct classifier *builtin;

/* load - rules of a test, which must be good */
static struct classifier *
load(const char *text)
{
	struct arena *arena = arena_new(4096, 0);
	struct classifier *c = NULL;
	struct problems problems;
	struct why why;

	problems_init(&problems, arena);
	if (classifier_parse(&c, "t", slice_of(text), &problems, &why) != 1)
		fail_msg("%s", problems.first != NULL ? problems.first->text :
		    why.text);
	arena_free(arena);
	return c;
}

/* verdict - the rule that decides */
static const char *
verdict(const struct classifier *c, unsigned provider, const char *reply)
{
	static char out[80];
	struct finding f;

	classify(c, provider, SLICE_NONE, slice_of(reply), &f);
	snprintf(out, sizeof(out), "%.*s", SLICE_ARG(f.rule));
	return out;
}

static const struct { const char *name, *reply, *code, *enhanced, *text; }
replies[] = {
	{ "codes go", "550 5.1.1 No such user", "550", "5.1.1", " no such user " },
	{ "no codes", "No such  user\r\n", "", "", " no such user " },
	{ "nothing", "", "", "", " " },
	{ "blanks", " \t\r\n", "", "", " " },
	{ "a type", "smtp; 550 5.1.1 gone", "550", "5.1.1", " gone " },
	{ "a type of Postfix's", "X-Postfix; unknown user: \"x\"", "", "", " unknown user: \"x\" " },
	{ "a whole header", "Diagnostic-Code: smtp; 550 gone", "550", "", " gone " },
	{ "a status before it", "5.0.0 smtp; 550 gone", "550", "5.0.0", " smtp; gone " },
	{ "an address goes", "550 <over.quota@spam.example>: gone", "550", "", " <@>: gone " },
	{ "a mailto goes", "550 mailto:a+b=c@d.example.", "550", "", " mailto:@. " },
	{ "a lonely @", "550 @ home", "550", "", " @ home " },
	{ "joined lines", "550-5.1.1 The account 550-5.1.1 that you 550 5.1.1 tried", "550", "5.1.1", " the account that you tried " },
	{ "joined lines without enhanced codes", "554-one 554 two", "554", "", " one two " },
	{ "Postfix's log", "host mx.full.example[192.0.2.1] said: 550 5.7.1 gone (in reply to RCPT TO command)", "550", "5.7.1", " host said: gone (in reply to rcpt to command) " },
	{ "the remote's codes count", "5.1.1 (host mx.example[192.0.2.1] said: 451 4.7.1 later)", "451", "4.7.1", " 5.1.1 (host said: later) " },
	{ "enhanced code in brackets", "550 gone (#5.1.1)", "550", "5.1.1", " gone (#5.1.1) " },
	{ "enhanced code alone", "gone: 5.1.10 RESOLVER", "5--", "5.1.10", " gone: resolver " },
	{ "an enhanced code that says more", "550 5.0.0 #5.1.0 Address rejected.", "550", "5.1.0", " 5.0.0 #5.1.0 address rejected. " },
	{ "one that says nothing, alone", "5.0.0 550 gone", "550", "5.0.0", " gone " },
	{ "an address is no code", "550 from 5.1.1.5 gone", "550", "", " from 5.1.1.5 gone " },
	{ "a version is no code", "550 Exim 4.94.2 gone", "550", "", " exim 4.94.2 gone " },
	{ "another class is no code", "550 gone (4.2.2)", "550", "", " gone (4.2.2) " },
	{ "a number is no code", "sent 554 times", "", "", " sent 554 times " },
	{ "a colon announces", "SMTP error after RCPT TO:<a@b.example>: 550 gone", "550", "", " smtp error after rcpt to:<@>: gone " },
	{ "a quote announces", "Remote Server returned '550 5.1.10 gone'", "550", "5.1.10", " remote server returned '550 gone' " },
	{ "capitals of two bytes", "550 \xc3\x89T\xc3\x89", "550", "", " \xc3\xa9t\xc3\xa9 " },
	{ "Cyrillic capitals", "\xd0\x9d\xd0\xb5\xd1\x82 \xd0\xaf", "", "", " \xd0\xbd\xd0\xb5\xd1\x82 \xd1\x8f " },
	{ "a curly apostrophe", "doesn\xe2\x80\x99t", "", "", " doesn't " },
	{ "rubbish stays", "\xff\xc3", "", "", " \xff\xc3 " },
};

static void
replies_are_read(void **state)
{
	static struct said said;
	int wrong = 0;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		said_read(&said, slice_of(replies[i].reply));
		if (strcmp(said.code, replies[i].code) == 0 &&
		    strcmp(said.enhanced, replies[i].enhanced) == 0 &&
		    slice_is((struct slice){ said.text, said.n },
		    replies[i].text))
			continue;
		print_error("%s: got \"%s\" \"%s\" \"%.*s\", want \"%s\" "
		    "\"%s\" \"%s\"\n", replies[i].name, said.code,
		    said.enhanced, (int)said.n, said.text, replies[i].code,
		    replies[i].enhanced, replies[i].text);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

static const char order_rules[] =
	"code       *      550 *     unknown           none          -\n"
	"words      *      *   *     quota             none          mailbox full\n"
	"later      *      *   *     quota             none          full\n"
	"google     google *   *     quota             none          full\n"
	"gcode      google *   5.2.* unknown           none          -\n"
	"both       *      *   *     quota             none          red & blue\n"
	"chain      *      *   *     quota             none          one*two*one\n"
	"twice      *      *   *     quota             none          aba*aba\n"
	"exact      *      4?1 4.*   quota             none          busy\n"
	"quoted     *      *   *     quota             none          \" a & b\"\n"
	"micro      microsoft * *    quota             none          block list\n";

static const struct { const char *name, *provider, *reply, *want; } orders[] = {
	{ "words beat codes", "other", "550 mailbox full", "words" },
	{ "the earlier line wins", "other", "full mailbox full", "words" },
	{ "the provider's wins", "google", "550 mailbox full", "google" },
	{ "another provider's does not", "yahoo", "550 mailbox full", "words" },
	{ "code alone", "other", "550 5.2.1 no", "code" },
	{ "the provider's code", "google", "550 5.2.1 no", "gcode" },
	{ "nothing", "other", "551 no", "-" },
	{ "any order", "other", "blue, then red", "both" },
	{ "both are needed", "other", "red and red", "-" },
	{ "a chain in order", "other", "one two one", "chain" },
	{ "a chain out of order", "other", "two one one", "-" },
	{ "a chain with more between", "other", "one one two two one", "chain" },
	{ "pieces do not overlap", "other", "ababa", "-" },
	{ "pieces side by side", "other", "abaaba", "twice" },
	{ "codes must fit, too", "other", "451 4.7.1 busy", "exact" },
	{ "and do not", "other", "450 4.7.1 busy", "-" },
	{ "no enhanced code is none that fits", "other", "451 busy", "-" },
	{ "letters in quotes", "other", "x a & b", "quoted" },
	{ "quotes keep the blank", "other", "xa & b", "-" },
	{ "a set of providers", "outlook", "on our Block List", "micro" },
	{ "and its other member", "office365", "on our Block List", "micro" },
	{ "but not others", "google", "on our Block List", "-" },
};

static void
the_strongest_rule_decides(void **state)
{
	struct classifier *c = load(order_rules);
	const char *got;
	unsigned provider;
	int wrong = 0;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		for (provider = 0; strcmp(provider_name(provider),
		    orders[i].provider) != 0; provider++)
			assert_true(provider < PROVIDER_MAX);
		got = verdict(c, provider, orders[i].reply);
		if (strcmp(got, orders[i].want) == 0)
			continue;
		print_error("%s: got %s, want %s\n", orders[i].name, got,
		    orders[i].want);
		wrong++;
	}
	classifier_free(c);
	assert_int_equal(wrong, 0);
}

static void
a_domain_tells_the_provider(void **state)
{
	struct classifier *c = load(order_rules);
	struct finding f[9];

	(void)state;
	classify(c, PROVIDER_UNRESOLVED, SLICE("GMail.com"), SLICE("full"), f);
	assert_true(slice_is(f[0].rule, "google"));
	classify(c, PROVIDER_OTHER, SLICE("gmail.com"), SLICE("full"), f);
	assert_true(slice_is(f[0].rule, "later"));
	classify(c, 4711, SLICE("gmail.com"), SLICE("full"), f);
	assert_true(slice_is(f[0].rule, "later"));
	assert_int_equal(classify_all(c, PROVIDER_UNRESOLVED,
	    SLICE("gmail.com"), SLICE("550 5.2.2 mailbox full"), f, 9), 5);
	assert_true(slice_is(f[0].rule, "google"));
	assert_true(slice_is(f[1].rule, "words"));
	assert_true(slice_is(f[2].rule, "later"));
	assert_true(slice_is(f[3].rule, "gcode"));
	assert_true(slice_is(f[4].rule, "code"));
	assert_int_equal(classify_all(c, PROVIDER_UNRESOLVED,
	    SLICE("gmail.com"), SLICE("550 5.2.2 mailbox full"), f, 2), 2);
	classifier_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replies_are_read),
		cmocka_unit_test(the_strongest_rule_decides),
		cmocka_unit_test(a_domain_tells_the_provider),
	};
	struct why why;

	if (classifier_builtin(&builtin, &why) == -1) {
		print_error("%s\n", why.text);
		return 1;
	}
	return cmocka_run_group_tests_name("classify", tests, NULL, NULL);
}
