/*
 * whose - the counter of a limit that counts apart, in words and back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include "lib/provider.h"
#include "policy/whose.h"

static struct arena *arena;

static const struct {
	const char	*name, *text, *want;	/* want NULL: refused with says */
	const char	*says;
} cases[] = {
	{ "nothing is said", "", "", NULL },
	{ "a login as it is", "login=Ops", "login=Ops", NULL },
	{ "all of them, in the order of per",
	  "recipient_domain=x.example provider=google sender_domain=b.example "
	  "sender=a@b.example login=ops",
	  "login=ops sender=a@b.example sender_domain=b.example "
	  "provider=google recipient_domain=x.example", NULL },
	{ "domains in small letters", "sender=A@B.Example",
	  "sender=A@b.example", NULL },
	{ "the null sender", "sender=<>", "sender=<>", NULL },
	{ "a login with an = in it", "login=a=b", "login=a=b", NULL },
	{ "an unknown provider", "provider=gogle", NULL, "no provider" },
	{ "a sender that is none", "sender=a@@b", NULL, "sender" },
	{ "twice the same", "login=a login=b", NULL, "names no counter" },
	{ "an unknown word", "pool=b2b", NULL, "names no counter" },
	{ "no value", "login=", NULL, "nothing is named" },
	{ "a word alone", "login", NULL, "names no counter" },
	{ "two spaces", "login=a  sender=<>", NULL, "names no counter" },
};

static void
it_reads_what_it_prints(void **state)
{
	struct decide_facts f, again;
	struct slice printed;
	struct why why;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int got = whose_scan(slice_of(cases[i].text), &f, arena, &why);

		if (cases[i].want == NULL) {
			if (got == 0 || strstr(why.text, cases[i].says) ==
			    NULL)
				fail_msg("%s: got %d \"%s\", want \"%s\"",
				    cases[i].name, got, got == 0 ? "" :
				    why.text, cases[i].says);
			continue;
		}
		if (got == -1)
			fail_msg("%s: %s", cases[i].name, why.text);
		printed = whose_print(&f, arena);
		if (!slice_is(printed, cases[i].want))
			fail_msg("%s: got \"%.*s\", want \"%s\"",
			    cases[i].name, SLICE_ARG(printed), cases[i].want);
		assert_int_equal(whose_scan(printed, &again, arena, &why), 0);
		assert_int_equal(whose_said(&again), whose_said(&f));
	}
}

static void
a_value_that_the_text_cannot_hold_is_refused(void **state)
{
	struct decide_facts f = { .provider = DECIDE_ALL };
	struct why why;

	(void)state;
	assert_int_equal(whose_set(&f, PER_LOGIN, SLICE("a b"), arena, &why),
	    -1);
	assert_int_equal(whose_set(&f, PER_LOGIN, SLICE("a\nb"), arena, &why),
	    -1);
	assert_int_equal(whose_said(&f), 0);
	assert_int_equal(whose_set(&f, PER_SENDER, SLICE("<>"), arena, &why),
	    0);
	assert_int_equal(whose_said(&f), PER_SENDER);
}

static int
begin(void **state)
{
	struct why why;

	(void)state;
	arena = arena_new(4096, 0);
	return arena != NULL ? provider_init(&why) : -1;
}

static int
end(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_reads_what_it_prints),
		cmocka_unit_test(a_value_that_the_text_cannot_hold_is_refused),
	};

	return cmocka_run_group_tests_name("whose", tests, begin, end);
}
