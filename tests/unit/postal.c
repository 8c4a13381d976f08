/*
 * postal - an address in the text of a message, wherever a mailer puts it and
 * however the body is cut.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "policy/postal.h"

#define ADDRESS	"Acme GmbH, M\xc3\xbcllerstr. 1, 10115 Berlin"
#define MIXED	"multipart/mixed; boundary=\"==b\""

static struct arena *arena;

/* clang-format off */
static const struct {
	const char	*name, *type, *coding, *body;
	bool		 want;
} cases[] = {
	{ "as it is written", NULL, NULL,
	    "Hello\r\n\r\n" ADDRESS "\r\n", true },
	{ "not there", NULL, NULL, "Hello\r\n", false },
	{ "an empty body", NULL, NULL, "", false },
	{ "without an end of line", "text/plain", "8bit", ADDRESS, true },
	{ "folded, tabs, and in capitals", "text/plain; charset=utf-8", "8bit",
	    "ACME GmbH,\r\n  M\xc3\xbcllerstr.\t1,\r\n10115\r\nBerlin", true },
	{ "begun twice", NULL, NULL, "Acme Acme GmbH, Acme " ADDRESS, true },
	{ "a part of it", NULL, NULL, "Acme GmbH, M\xc3\xbcllerstr. 1, 10115",
	    false },
	{ "two words in one", NULL, NULL,
	    "AcmeGmbH, M\xc3\xbcllerstr. 1, 10115 Berlin", false },
	{ "blanks that do not break", NULL, NULL,
	    "Acme\xc2\xa0GmbH, M\xc3\xbcllerstr. 1,\xc2\xa0 10115 Berlin",
	    true },
	{ "Latin-1", "text/plain; charset=ISO-8859-1", "8bit",
	    "Acme GmbH, M\xfcllerstr. 1, 10115 Berlin", true },
	{ "quoted-printable, with a soft break in a word", "text/plain",
	    "quoted-printable",
	    "Acme Gm=\r\nbH, M=C3=BCllerstr. 1, 10=\r\n115 Berlin\r\n", true },
	{ "quoted-printable: white space at the end is none of it",
	    "text/plain", "Quoted-Printable",
	    "Acme GmbH,=20 \r\nM=c3=bcllerstr. 1, 10115 Ber=  \r\nlin", true },
	{ "quoted-printable that is none", "text/plain", "quoted-printable",
	    "Acme GmbH, M=ZZllerstr. 1, 10115 Berlin=", false },
	{ "base64", "text/plain", "base64",
	    "QWNtZSBHbWJILCBNw7xsbGVyc3RyLiAx\r\nLCAxMDExNSBCZXJsaW4=\r\n",
	    true },
	{ "base64 in short lines, with rubbish", "text/plain", " BASE64 ",
	    "QWN\r\ntZSBHbWJI!LCBNw7xsbGVyc3RyL\r\niAxLCAxMDExNSBCZXJsaW4",
	    true },
	{ "HTML: tags are blanks", "text/html; charset=utf-8", NULL,
	    "<p>Acme&nbsp;GmbH,<br>M&uuml;llerstr. 1,<br/>\r\n<b\r\nclass=x>"
	    "10115</b> Berlin</p>", true },
	{ "HTML: characters by number", "text/html", NULL,
	    "Acme GmbH, M&#xFC;llerstr&#46; 1, &#49;0115 Berlin", true },
	{ "HTML: an address in a tag is not seen", "text/html", NULL,
	    "<img alt=\"" ADDRESS "\">", false },
	{ "plain text has no tags", "text/plain", NULL,
	    "Acme<br>GmbH, M\xc3\xbcllerstr. 1, 10115 Berlin", false },
	{ "HTML: an ampersand is no reason to give up", "text/html", NULL,
	    "Fish & chips &unknown; &" ADDRESS, true },
	{ "the second of two parts", MIXED, NULL,
	    "preamble\r\n--==b\r\nContent-Type: text/plain\r\n\r\nno\r\n"
	    "--==b\r\nContent-Type: text/html\r\nContent-Transfer-Encoding:\r\n"
	    " quoted-printable\r\n\r\nAcme=20GmbH,<br>M=C3=BCllerstr. 1, "
	    "10115 Berlin\r\n--==b--\r\n", true },
	{ "multiparts in one another", MIXED, NULL,
	    "--==b\r\ncontent-type: multipart/alternative;\r\n\tboundary=in\r\n"
	    "\r\n--in\r\n\r\n" ADDRESS "\r\n--in--\r\n--==b--\r\n", true },
	{ "behind the inner one", MIXED, NULL,
	    "--==b\r\nContent-Type: multipart/alternative; boundary=in\r\n\r\n"
	    "--in\r\n\r\nx\r\n--in--\r\nbetween\r\n--==b\r\n\r\n" ADDRESS
	    "\r\n--==b--", true },
	{ "an outer boundary ends the inner parts", MIXED, NULL,
	    "--==b\r\nContent-Type: multipart/related; boundary=in\r\n\r\n"
	    "--in\r\n\r\nx\r\n--==b\r\n\r\n" ADDRESS "\r\n", true },
	{ "not in what stands before and behind the parts", MIXED, NULL,
	    ADDRESS "\r\n--==b\r\n\r\nx\r\n--==b--\r\n" ADDRESS, false },
	{ "not in the head of a part", MIXED, NULL,
	    "--==b\r\nContent-Type: text/plain\r\nX-A: " ADDRESS "\r\n\r\nx"
	    "\r\n--==b--", false },
	{ "not across two parts", MIXED, NULL,
	    "--==b\r\n\r\nAcme GmbH, M\xc3\xbcllerstr. 1,\r\n--==b\r\n\r\n"
	    "10115 Berlin\r\n--==b--", false },
	{ "not in a picture", MIXED, NULL,
	    "--==b\r\nContent-Type: image/png\r\n\r\n" ADDRESS "\r\n--==b--",
	    false },
	{ "not in a message inside", MIXED, NULL,
	    "--==b\r\nContent-Type: message/rfc822\r\n\r\nA: b\r\n\r\n" ADDRESS
	    "\r\n--==b--", false },
	{ "a line that looks like a boundary", MIXED, NULL,
	    "--==b\r\n\r\n--==bc\r\n--=\r\n" ADDRESS "\r\n--==b--", true },
	{ "a multipart without a boundary", "multipart/mixed", NULL, ADDRESS,
	    false },
};
/* clang-format on */

static int
setup(void **state)
{
	(void)state;
	return (arena = arena_new(1 << 16, 0)) == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

/* search - in a message of that head; the body in pieces: up to at, then n
 * bytes at a time */
static bool
search(const char *type, const char *coding, struct slice body, size_t at,
    size_t n)
{
	static const struct tenant tenant;
	struct stream stream = { .priority = PRIORITY_BULK,
	    .postal_address = postal_fold(arena, SLICE(ADDRESS)) };
	struct mail mail = { .arena = arena, .tenant = &tenant,
	    .stream = &stream, .nremote = 1 };
	struct header_fact h[2];
	size_t nh = 0;
	struct postal_search *p;
	struct why why;

	if (type != NULL)
		h[nh++] = (struct header_fact){ SLICE("content-type"),
			slice_of(type) };
	if (coding != NULL)
		h[nh++] = (struct header_fact){
			SLICE("Content-Transfer-Encoding "),
			slice_of(coding) };
	assert_int_equal(postal_begin(&p, &mail, h, nh, &why), 0);
	assert_non_null(p);
	postal_add(p, body.p, at);
	for (body = slice_from(body, at); body.n > 0;
	    body = slice_from(body, at)) {
		at = n < body.n ? n : body.n;
		postal_add(p, body.p, at);
	}
	return postal_found(p);
}

static void
wherever_a_mailer_puts_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (search(cases[i].type, cases[i].coding,
		    slice_of(cases[i].body), 0, SIZE_MAX) != cases[i].want)
			fail_msg("%s: want %d", cases[i].name, cases[i].want);
}

static void
however_the_body_is_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct slice body = slice_of(cases[i].body);

		for (size_t at = 0; at <= body.n; at++)
			if (search(cases[i].type, cases[i].coding, body, at,
			    SIZE_MAX) != cases[i].want)
				fail_msg("%s: cut at %zu", cases[i].name, at);
		assert_int_equal(search(cases[i].type, cases[i].coding, body,
		    0, 1), cases[i].want);
		arena_reset(arena);
	}
}

static void
a_body_that_ends_anywhere_is_no_harm(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct slice body = slice_of(cases[i].body);

		for (size_t n = body.n; n > 0; n--)
			(void)search(cases[i].type, cases[i].coding,
			    (struct slice){ body.p, n - 1 }, 0, 7);
		arena_reset(arena);
	}
}

static void
lines_of_any_length(void **state)
{
	enum { LONG = 100000 };
	static const char tail[] = " " ADDRESS, edge[] = "--==b\n";
	static char body[LONG + sizeof(tail)];
	struct slice all = { body, sizeof(body) - 1 };

	(void)state;
	memset(body, 'x', LONG);
	memcpy(body + LONG, tail, sizeof(tail));
	assert_true(search(NULL, NULL, all, 0, SIZE_MAX));
	assert_true(search("text/html", NULL, all, 0, 4096));
	/* a boundary is one at the start of a line alone */
	memcpy(body + 1024, edge, sizeof(edge) - 1);
	assert_false(search(MIXED, NULL, all, 0, SIZE_MAX));
	body[1023] = '\n';
	body[1030] = '\n';
	assert_true(search(MIXED, NULL, all, 0, SIZE_MAX));
}

static void
many_multiparts_in_one_another_have_an_end(void **state)
{
	struct slice body;
	char *all = NULL;
	size_t n = 0;

	(void)state;
	all = malloc(100 * 80 + 200);
	assert_non_null(all);
	for (int i = 0; i < 100; i++)
		n += (size_t)snprintf(all + n, 80, "--b%d\r\nContent-Type: "
		    "multipart/mixed; boundary=b%d\r\n\r\n", i, i + 1);
	memcpy(all + n, ADDRESS, sizeof(ADDRESS));
	body = slice_of(all);
	assert_false(search("multipart/mixed; boundary=b0", NULL, body, 0,
	    SIZE_MAX));
	free(all);
}

static void
other_mail_is_not_looked_at(void **state)
{
	static const struct tenant tenant;
	struct stream stream = { .priority = PRIORITY_TRANSACTIONAL,
	    .postal_address = SLICE("somewhere 1") };
	struct mail mail = { .arena = arena, .tenant = &tenant,
	    .stream = &stream, .nremote = 1 };
	struct postal_search *p;
	struct why why;

	(void)state;
	assert_int_equal(postal_begin(&p, &mail, NULL, 0, &why), 0);
	assert_null(p);
	stream.priority = PRIORITY_BULK;
	mail.nremote = 0;
	assert_int_equal(postal_begin(&p, &mail, NULL, 0, &why), 0);
	assert_null(p);
	mail.nremote = 1;
	stream.postal_address.n = 0;
	assert_int_equal(postal_begin(&p, &mail, NULL, 0, &why), 0);
	assert_null(p);
}

#define T(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(wherever_a_mailer_puts_it),
		T(however_the_body_is_cut),
		T(a_body_that_ends_anywhere_is_no_harm),
		T(lines_of_any_length),
		T(many_multiparts_in_one_another_have_an_end),
		T(other_mail_is_not_looked_at),
	};

	return cmocka_run_group_tests_name("postal", tests, NULL, NULL);
}
