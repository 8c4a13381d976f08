/*
 * wording - replies that say the same come out the same, and what matters in
 * them stays.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "reputation/wording.h"

static const struct { const char *name, *reply, *want; } rows[] = {
	{ "what Postfix says around it goes",
	  "host mx1.dest.example[192.0.2.1] said: 550 5.1.1 <a@b.example>: "
	  "User unknown (in reply to RCPT TO command)",
	  "550 5.1.1 <ADDRESS>: User unknown" },
	{ "a queue id of theirs", "250 2.0.0 Ok: queued as 4jWbmW5m0mz1bw1v",
	  "250 2.0.0 Ok: queued as ID" },
	{ "an address of ours and a session",
	  "421 4.7.0 [192.0.2.25 15] Our system has detected a2-20020a170902. "
	  "gsmtp", "421 4.7.0 [IP N] Our system has detected ID. gsmtp" },
	{ "IPv6", "550 5.7.1 [2001:db8::25] Our policy refuses IPv6:2001:db8::1",
	  "550 5.7.1 [IP] Our policy refuses IP" },
	{ "whose list it is stays", "554 5.7.1 Client host [192.0.2.25] blocked "
	  "using zen.spamhaus.org; https://www.spamhaus.org/query/ip/192.0.2.25",
	  "554 5.7.1 Client host [IP] blocked using zen.spamhaus.org; "
	  "https://www.spamhaus.org/..." },
	{ "a code within the text stays", "550 Message rejected (5.7.26) 12345",
	  "550 Message rejected (5.7.26) N" },
	{ "words stay", "451 4.7.1 Greylisted, see you in 300 seconds",
	  "451 4.7.1 Greylisted, see you in N seconds" },
	{ "blanks are one", "550   no    way", "550 no way" },
	{ "control bytes are seen", "550 a\tb\033[m", "550 a?b?[m" },
	{ "nothing", "", "" },
	{ "connect errors", "connect to mx.dest.example[192.0.2.1]:25: "
	  "Connection timed out",
	  "connect to mx.dest.example[IP]: Connection timed out" },
};

static void
replies_that_say_the_same_come_out_the_same(void **state)
{
	char out[WORDING_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t n = wording_of(slice_of(rows[i].reply), out);

		if (n != strlen(rows[i].want) ||
		    memcmp(out, rows[i].want, n) != 0)
			fail_msg("%s:\ngot  %.*s\nwant %s", rows[i].name,
			    (int)n, out, rows[i].want);
	}
}

static void
the_longest_text_fits(void **state)
{
	static const char *const fill[] = { "x", "@", " ", "1 ", "a1b2c3 " };
	char text[5000], out[WORDING_MAX];

	(void)state;
	for (size_t k = 0; k < sizeof(fill) / sizeof(fill[0]); k++) {
		for (size_t i = 0; i < sizeof(text); i++)
			text[i] = fill[k][i % strlen(fill[k])];
		for (size_t n = 0; n <= sizeof(text); n += 61) {
			char *copy = malloc(n + 1);

			assert_non_null(copy);
			memcpy(copy, text, n);
			assert_true(wording_of((struct slice){ copy, n },
			    out) <= WORDING_MAX);
			free(copy);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replies_that_say_the_same_come_out_the_same),
		cmocka_unit_test(the_longest_text_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
