/*
 * fold - which addresses are one mailbox, and which are not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "lib/fold.h"

static const struct {
	const char *name, *text, *want;		/* want NULL: refused */
} cases[] = {
	{ "an address as it is", "ann@example.org", "ann@example.org" },
	{ "case of both halves", "Ann.Lee@Example.ORG", "ann.lee@example.org" },
	{ "white space and brackets around it", " <ann@example.org>\r\n", "ann@example.org" },
	{ "a final dot of the domain", "ann@example.org.", "ann@example.org" },
	{ "quotes that say nothing", "\"ann\"@example.org", "ann@example.org" },
	{ "a domain in another script", "ann@B\xc3\xbc" "cher.example", "ann@xn--bcher-kva.example" },
	{ "the same domain decomposed", "ann@bu\xcc\x88" "cher.example", "ann@xn--bcher-kva.example" },
	{ "the same domain as an A-label in capitals", "ann@XN--BCHER-KVA.example", "ann@xn--bcher-kva.example" },
	{ "sharp s stays what it is", "ann@stra\xc3\x9f" "e.example", "ann@xn--strae-oqa.example" },
	{ "wide letters and an ideographic dot", "ann@\xef\xbd\x81\xe3\x80\x82" "example", "ann@a.example" },
	{ "dots at Gmail", "a.n.n@gmail.com", "ann@gmail.com" },
	{ "a tag at Gmail", "ann+news@gmail.com", "ann@gmail.com" },
	{ "two tags and dots at its other name", "A.nn+x+y@GoogleMail.com", "ann@gmail.com" },
	{ "dots elsewhere count", "a.nn@outlook.com", "a.nn@outlook.com" },
	{ "a tag at Outlook", "ann+x@hotmail.fr", "ann@hotmail.fr" },
	{ "a tag at iCloud", "ann+x@me.com", "ann@me.com" },
	{ "what Proton ignores", "a-n_n.+x@pm.me", "ann@proton.me" },
	{ "a tag where nobody promised one", "ann+x@example.org", "ann+x@example.org" },
	{ "a hyphen at Yahoo is part of the name", "ann-x@yahoo.com", "ann-x@yahoo.com" },
	{ "a subdomain of Gmail is another place", "a.nn@mail.gmail.com", "a.nn@mail.gmail.com" },
	{ "only dots at Gmail", "\"..\"@gmail.com", "..@gmail.com" },
	{ "only a tag at Gmail", "+x@gmail.com", "+x@gmail.com" },
	{ "dots and a tag at Gmail", ".+x@gmail.com", ".+x@gmail.com" },
	{ "a local part in another script", "J\xc3\xbcrgen@example.org", "j\xc3\xbcrgen@example.org" },
	{ "nothing", "", NULL },
	{ "the null path", "<>", NULL },
	{ "no domain", "ann", NULL },
	{ "no local part", "@example.org", NULL },
	{ "two addresses", "ann@example.org,bob@example.org", NULL },
	{ "a domain that is no UTF-8", "ann@b\xfc" "cher.example", NULL },
	{ "a local part that is no UTF-8", "a\xfcnn@example.org", NULL },
	{ "an address literal", "ann@[192.0.2.1]", NULL },
	{ "a star for all", "*@example.org", "*@example.org" },
};

static struct arena *arena;

static void
addresses_fold_to_their_mailbox(void **state)
{
	struct folded f;
	struct why why;
	int wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *want = cases[i].want;
		int rc;

		arena_reset(arena);
		why.text[0] = '\0';
		rc = fold_text(slice_of(cases[i].text), arena, NULL, &f, &why);
		if (want == NULL ? rc == -1 && why.text[0] != '\0' :
		    rc == 0 && f.n == strlen(want) &&
		    memcmp(f.text, want, f.n) == 0)
			continue;
		print_error("%s: got %d \"%.*s\" %s, want \"%s\"\n",
		    cases[i].name, rc, rc == 0 ? (int)f.n : 0, f.text,
		    why.text, want != NULL ? want : "refused");
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

/* hex - of a hash */
static const char *
hex(const uint8_t *p)
{
	static char out[2 * FOLD_HASH + 1];

	for (int i = 0; i < FOLD_HASH; i++)
		snprintf(out + 2 * i, 3, "%02x", p[i]);
	return out;
}

static void
the_key_is_the_same_for_ever(void **state)
{
	struct folded f;
	struct why why;

	(void)state;
	/* printf 'penstock address\0ann@gmail.com' | sha256sum | cut -c-32 */
	assert_int_equal(fold_text(SLICE("A.nn+tag@googlemail.com"), arena,
	    NULL, &f, &why), 0);
	assert_string_equal(hex(f.hash), "63736a1480399eb0d8cba5df9c73096e");
}

static void
an_envelope_has_the_key_of_its_text(void **state)
{
	struct mailbox m;
	struct folded a, b;
	struct why why;

	(void)state;
	assert_int_equal(address_path(arena, SLICE("<Ann+1@GMAIL.com>"), &m,
	    &why), 1);
	fold_mailbox(&m, &a);
	assert_int_equal(fold_text(SLICE("ann@gmail.com"), arena, &m, &b,
	    &why), 0);
	assert_memory_equal(a.hash, b.hash, FOLD_HASH);
	assert_true(slice_is(m.text, "ann@gmail.com"));
}

static void
the_longest_address_folds(void **state)
{
	char local[255], domain[253];
	struct mailbox m = { { local, 255 }, { domain, 253 }, SLICE_NONE };
	struct folded f;

	(void)state;
	memset(local, 'A', sizeof(local));
	memset(domain, 'd', sizeof(domain));
	fold_mailbox(&m, &f);
	assert_int_equal(f.n, 509);
	assert_true(f.n <= FOLD_MAX && f.text[0] == 'a' &&
	    f.text[255] == '@');
}

static void
what_a_key_costs(void **state)
{
	struct mailbox m;
	struct folded f;
	struct why why;
	int64_t began;
	const int n = 20000;

	(void)state;
	assert_int_equal(address_path(arena, SLICE("<so.me+body@gmail.com>"),
	    &m, &why), 1);
	began = clock_mono();
	for (int i = 0; i < n; i++)
		fold_mailbox(&m, &f);
	print_message("%.2f us to fold and hash\n",
	    (double)(clock_mono() - began) / n);
	assert_true(fold_version() >= 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_fold_to_their_mailbox),
		cmocka_unit_test(the_key_is_the_same_for_ever),
		cmocka_unit_test(an_envelope_has_the_key_of_its_text),
		cmocka_unit_test(the_longest_address_folds),
		cmocka_unit_test(what_a_key_costs),
	};
	struct why why;
	int failed;

	if (fold_init(&why) == -1 || fold_init(&why) == -1) {
		print_error("%s\n", why.text);
		return 1;
	}
	if ((arena = arena_new(4096, 0)) == NULL)
		return 1;
	failed = cmocka_run_group_tests_name("fold", tests, NULL, NULL);
	arena_free(arena);
	return failed;
}
