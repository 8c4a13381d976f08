/*
 * address - the table is the specification: what each field says, or the
 * sentence it is refused with.  Behind it: paths, domains, size and time, and
 * a property: what was accepted, written out again, reads as the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "lib/address.h"
#include "lib/buf.h"

struct list_case {
	const char	*name, *field;
	const char	*want;		/* texts with blanks between, or */
	const char	*refused;	/* a piece of the sentence */
};

/* clang-format off */
static const struct list_case list_cases[] = {
	{ .name = "a bare address", .field = "a@b.example",
	  .want = "a@b.example" },
	{ .name = "an address in angles", .field = "<a@b.example>",
	  .want = "a@b.example" },
	{ .name = "white space all around", .field = "  <a@b.example>\t ",
	  .want = "a@b.example" },
	{ .name = "a display name", .field = "Joe Doe <a@b.example>",
	  .want = "a@b.example" },
	{ .name = "a middle initial", .field = "Joe Q. Doe <a@b.example>",
	  .want = "a@b.example" },
	{ .name = "a name without a blank", .field = "Joe<a@b.example>",
	  .want = "a@b.example" },
	{ .name = "a quoted name", .field = "\"Doe, Joe\" <a@b.example>",
	  .want = "a@b.example" },
	{ .name = "an address as quoted name is text",
	  .field = "\"x@evil.example\" <a@b.example>",
	  .want = "a@b.example" },
	{ .name = "angles in a quoted name are text",
	  .field = "\"<x@evil.example>\" <a@b.example>",
	  .want = "a@b.example" },
	{ .name = "an escaped quote in a name",
	  .field = "\"a \\\"b\\\" <x@evil.example>\" <a@b.example>",
	  .want = "a@b.example" },
	{ .name = "an escaped backslash ends before the quote",
	  .field = "\"a\\\\\" <a@b.example>", .want = "a@b.example" },
	{ .name = "quoted and bare words together",
	  .field = "Dr. \"J.\" Doe <a@b.example>", .want = "a@b.example" },
	{ .name = "an empty quoted name", .field = "\"\" <a@b.example>",
	  .want = "a@b.example" },
	{ .name = "an encoded word is text",
	  .field = "=?utf-8?Q?x=40evil=2Eexample?= <a@b.example>",
	  .want = "a@b.example" },
	{ .name = "8-bit text in a name", .field = "J\xc3\xbcrgen <a@b.example>",
	  .want = "a@b.example" },
	{ .name = "Latin-1 in a name", .field = "J\xfcrgen <a@b.example>",
	  .want = "a@b.example" },
	{ .name = "8-bit text in a quoted name",
	  .field = "\"J\xfc\" <a@b.example>", .want = "a@b.example" },
	{ .name = "a comment before", .field = "(x@evil.example) a@b.example",
	  .want = "a@b.example" },
	{ .name = "a comment behind", .field = "a@b.example (Joe, x@evil)",
	  .want = "a@b.example" },
	{ .name = "a comment behind angles",
	  .field = "<a@b.example> (<x@evil.example>)",
	  .want = "a@b.example" },
	{ .name = "a comment in a comment",
	  .field = "a@b.example (one (two) three)", .want = "a@b.example" },
	{ .name = "an escaped parenthesis in a comment",
	  .field = "a@b.example (one \\) two)", .want = "a@b.example" },
	{ .name = "a comment at the @", .field = "a(x)@(y)b.example",
	  .want = "a@b.example" },
	{ .name = "a comment in angles", .field = "< (x) a@b.example (y) >",
	  .want = "a@b.example" },
	{ .name = "white space at the @", .field = "a @ b.example",
	  .want = "a@b.example" },
	{ .name = "a fold as the milter shows it",
	  .field = "\"Joe\n Doe\"\n <a@b.example>", .want = "a@b.example" },
	{ .name = "a fold with CR", .field = "Joe\r\n\t<a@b.example>",
	  .want = "a@b.example" },
	{ .name = "a fold in a comment", .field = "a@b.example (x\n y)",
	  .want = "a@b.example" },
	{ .name = "a line end at the end", .field = "a@b.example\r\n",
	  .want = "a@b.example" },
	{ .name = "two addresses", .field = "a@b.example, <c@d.example>",
	  .want = "a@b.example c@d.example" },
	{ .name = "two with names, folded",
	  .field = "A <a@b.example>,\n\tC <c@d.example>",
	  .want = "a@b.example c@d.example" },
	{ .name = "a group", .field = "Us: a@b.example, <c@d.example>;",
	  .want = "a@b.example c@d.example" },
	{ .name = "a quoted group name with an address",
	  .field = "\"x@evil.example\": a@b.example;",
	  .want = "a@b.example" },
	{ .name = "an empty group beside an address",
	  .field = "None:;, a@b.example", .want = "a@b.example" },
	{ .name = "a group with a comment", .field = "A: (x) ; , a@b.example",
	  .want = "a@b.example" },
	{ .name = "an address before a group",
	  .field = "a@b.example, G: c@d.example ;",
	  .want = "a@b.example c@d.example" },
	{ .name = "the domain in lower case", .field = "Aa@B.EXAMPLE",
	  .want = "Aa@b.example" },
	{ .name = "a final dot is dropped", .field = "a@b.example.",
	  .want = "a@b.example" },
	{ .name = "an A-label", .field = "a@xn--bcher-kva.example",
	  .want = "a@xn--bcher-kva.example" },
	{ .name = "a domain of one label", .field = "root@localhost",
	  .want = "root@localhost" },
	{ .name = "digits in labels", .field = "a@1.2b.3com",
	  .want = "a@1.2b.3com" },
	{ .name = "every kind of atom",
	  .field = "!#$%&'*+-/=?^_`{|}~@b.example",
	  .want = "!#$%&'*+-/=?^_`{|}~@b.example" },
	{ .name = "a UTF-8 local part", .field = "j\xc3\xbcrgen@b.example",
	  .want = "j\xc3\xbcrgen@b.example" },
	{ .name = "a quoted local part that needs none",
	  .field = "\"a.b\"@b.example", .want = "a.b@b.example" },
	{ .name = "a quoted local part with a blank",
	  .field = "\"a b\"@b.example", .want = "\"a b\"@b.example" },
	{ .name = "a quoted local part with two dots",
	  .field = "<\"a..b\"@b.example>", .want = "\"a..b\"@b.example" },

	{ .name = "an empty field", .field = "", .refused = "is empty" },
	{ .name = "only white space", .field = " \n ", .refused = "is empty" },
	{ .name = "only a comment", .field = "(a@b.example)",
	  .refused = "missing" },
	{ .name = "a word", .field = "root", .refused = "has no domain" },
	{ .name = "words", .field = "Joe Doe", .refused = "has no domain" },
	{ .name = "a word in angles", .field = "Joe <root>",
	  .refused = "has no domain" },
	{ .name = "nothing in angles", .field = "<>", .refused = "empty" },
	{ .name = "a name and nothing in angles", .field = "Joe < >",
	  .refused = "empty" },
	{ .name = "nothing before the @", .field = "@b.example",
	  .refused = "nothing before the @" },
	{ .name = "nothing before the @ in angles", .field = "J <@b.example>",
	  .refused = "route" },
	{ .name = "an empty quoted local part", .field = "\"\"@b.example",
	  .refused = "nothing before the @" },
	{ .name = "nothing behind the @", .field = "a@",
	  .refused = "no domain" },
	{ .name = "nothing behind the @ in angles", .field = "<a@>",
	  .refused = "no domain" },
	{ .name = "two @", .field = "a@b.example@c.example",
	  .refused = "two addresses in one" },
	{ .name = "two @ in angles", .field = "<a@b.example@c.example>",
	  .refused = "no place here" },
	{ .name = "an unquoted address as name",
	  .field = "x@evil.example <a@b.example>",
	  .refused = "two addresses in one" },
	{ .name = "an unquoted address in a longer name",
	  .field = "via x@evil.example <a@b.example>",
	  .refused = "words before an address" },
	{ .name = "two angles", .field = "<a@b.example> <c@d.example>",
	  .refused = "two addresses in one" },
	{ .name = "angles in angles", .field = "<<a@b.example>>",
	  .refused = "no place here" },
	{ .name = "a word behind angles", .field = "<a@b.example> x",
	  .refused = "no place here" },
	{ .name = "a word behind an address", .field = "a@b.example x",
	  .refused = "no place here" },
	{ .name = "a word before an address", .field = "Joe a@b.example",
	  .refused = "words before an address" },
	{ .name = "a comma missing", .field = "a@b.example c@d.example",
	  .refused = "no place here" },
	{ .name = "an empty place between commas",
	  .field = "a@b.example,, c@d.example", .refused = "missing" },
	{ .name = "a comma at the end", .field = "a@b.example,",
	  .refused = "missing" },
	{ .name = "a comma at the start", .field = ", a@b.example",
	  .refused = "missing" },
	{ .name = "a semicolon without a group", .field = "a@b.example;",
	  .refused = "no place here" },
	{ .name = "a semicolon between addresses",
	  .field = "a@b.example; c@d.example", .refused = "no place here" },
	{ .name = "an open group", .field = "G: a@b.example",
	  .refused = "not closed" },
	{ .name = "an open empty group", .field = "G:", .refused = "missing" },
	{ .name = "only an empty group", .field = "undisclosed:;",
	  .refused = "without an address" },
	{ .name = "a group in a group", .field = "G: H: a@b.example;;",
	  .refused = "no place here" },
	{ .name = "a group without a name", .field = ": a@b.example;",
	  .refused = "no place here" },
	{ .name = "a word behind a group", .field = "G: a@b.example; x",
	  .refused = "no place here" },
	{ .name = "an open angle", .field = "<a@b.example",
	  .refused = "not closed" },
	{ .name = "an open angle without domain", .field = "Joe <a",
	  .refused = "not closed" },
	{ .name = "an open quote", .field = "\"Joe <a@b.example>",
	  .refused = "quote is not closed" },
	{ .name = "a quote that ends in an escape",
	  .field = "\"Joe\\\" <a@b.example>",
	  .refused = "quote is not closed" },
	{ .name = "an open comment", .field = "a@b.example (Joe",
	  .refused = "comment is not closed" },
	{ .name = "a closed comment that was not open",
	  .field = "a@b.example Joe)", .refused = "no place here" },
	{ .name = "comments too deep",
	  .field = "((((((((((((((((((x)))))))))))))))))) a@b.example",
	  .refused = "deep" },
	{ .name = "an @ in a comment at the @",
	  .field = "a(@evil.example)@b.example", .refused = "two ways" },
	{ .name = "an @ in a comment behind the @",
	  .field = "a@(x@evil.example)b.example", .refused = "two ways" },
	{ .name = "an @ in a comment in angles",
	  .field = "<(x@evil.example) a@b.example>", .refused = "two ways" },
	{ .name = "an @ in a comment at the end of angles",
	  .field = "<a@b.example (x@evil.example)>", .refused = "two ways" },
	{ .name = "a route", .field = "<@x.example:a@b.example>",
	  .refused = "route" },
	{ .name = "an address literal", .field = "a@[192.0.2.1]",
	  .refused = "in brackets" },
	{ .name = "an address literal in angles",
	  .field = "<a@[IPv6:2001:db8::1]>", .refused = "in brackets" },
	{ .name = "a numeric domain", .field = "a@192.0.2.1",
	  .refused = "is a number" },
	{ .name = "an 8-bit domain", .field = "a@b\xc3\xbc" "cher.example",
	  .refused = "A-label" },
	{ .name = "a Latin-1 domain", .field = "a@b\xfc" "cher.example",
	  .refused = "A-label" },
	{ .name = "an ideographic full stop",
	  .field = "a@b\xe3\x80\x82" "example", .refused = "A-label" },
	{ .name = "a local part that is no UTF-8", .field = "\xfc@b.example",
	  .refused = "UTF-8" },
	{ .name = "an overlong UTF-8 @", .field = "a\xc1\x80x@b.example",
	  .refused = "UTF-8" },
	{ .name = "an underscore in the domain", .field = "a@b_c.example",
	  .refused = "has \"_\" in it" },
	{ .name = "a hyphen at the edge", .field = "a@-b.example",
	  .refused = "hyphen" },
	{ .name = "a hyphen at the end", .field = "a@b-.example",
	  .refused = "hyphen" },
	{ .name = "two dots in the domain", .field = "a@b..example",
	  .refused = "empty part" },
	{ .name = "two dots at the end", .field = "a@b.example..",
	  .refused = "empty part" },
	{ .name = "a dot first in the domain", .field = "a@.b.example",
	  .refused = "empty part" },
	{ .name = "only a dot", .field = "a@.", .refused = "empty part" },
	{ .name = "a dot before the @", .field = "a.@b.example",
	  .refused = "dot too many" },
	{ .name = "a dot first", .field = ".a@b.example",
	  .refused = "dot too many" },
	{ .name = "two dots", .field = "a..b@c.example",
	  .refused = "dot too many" },
	{ .name = "white space at a dot", .field = "a . b@c.example",
	  .refused = "words before an address" },
	{ .name = "white space in the domain", .field = "a@b. example",
	  .refused = "no place here" },
	{ .name = "a quoted atom beside a bare one",
	  .field = "\"a\".b@c.example", .refused = "words before" },
	{ .name = "an @ in a quoted local part",
	  .field = "\"x@evil.example\"@b.example", .refused = "two ways" },
	{ .name = "an angle in a quoted local part",
	  .field = "\"x>\"@b.example", .refused = "two ways" },
	{ .name = "an escape in a quoted local part",
	  .field = "\"a\\b\"@b.example", .refused = "two ways" },
	{ .name = "an encoded word as local part",
	  .field = "=?utf-8?q?x=40evil=2Eexample=20?=@b.example",
	  .refused = "encoded word" },
	{ .name = "an encoded word with a comma",
	  .field = "=?utf-8?Q?Doe,_Joe?= <a@b.example>",
	  .refused = "has no domain" },
	{ .name = "an unquoted bracket", .field = "[x] <a@b.example>",
	  .refused = "no place here" },
	{ .name = "a backslash outside quotes", .field = "a\\@b.example",
	  .refused = "no place here" },
	{ .name = "a CR alone", .field = "Joe\r <a@b.example>",
	  .refused = "carriage return" },
	{ .name = "a line that is no fold",
	  .field = "a@b.example\nTo: x@evil.example",
	  .refused = "without white space" },
	{ .name = "an empty folded line", .field = "Joe\n \n <a@b.example>",
	  .refused = "folded line is empty" },
	{ .name = "a vertical tab", .field = "Joe\v<a@b.example>",
	  .refused = "control byte" },
	{ .name = "an escape sequence", .field = "\033$B <a@b.example>",
	  .refused = "control byte" },
	{ .name = "a control byte between quotes",
	  .field = "\"J\001\" <a@b.example>", .refused = "control byte" },
	{ .name = "a control byte in a comment",
	  .field = "(J\177) a@b.example", .refused = "control byte" },
	{ .name = "a control byte behind an escape",
	  .field = "\"J\\\001\" <a@b.example>", .refused = "control byte" },
};
/* clang-format on */

static struct arena *arena;

/* setup - one arena for all */
static int
setup(void **state)
{
	(void)state;
	return (arena = arena_new(1 << 16, 0)) == NULL ? -1 : 0;
}

/* teardown - leave nothing for the leak checker */
static int
teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

/* texts - what was read, with blanks between */
static char *
texts(const struct mailboxes *m)
{
	char *all = arena_printf(arena, "%s", "");

	for (size_t i = 0; i < m->n; i++) {
		const struct mailbox *b = &m->list[i];

		all = arena_printf(arena, "%s%s%.*s", all, i > 0 ? " " : "",
		    SLICE_ARG(b->text));
		/* the halves are those of the text */
		assert_true(slice_eq(b->domain, slice_from(b->text,
		    b->text.n - b->domain.n)));
		assert_non_null(memmem(b->text.p, b->text.n, b->local.p,
		    b->local.n));
	}
	return all;
}

/* lists - the table, each field in a block of exactly its size */
static void
lists(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(list_cases) / sizeof(list_cases[0]);
	    i++) {
		const struct list_case *c = &list_cases[i];
		size_t n = strlen(c->field);
		char *exact = malloc(n > 0 ? n : 1);
		struct mailboxes got;
		struct why why = { .text = "" };
		int rc;

		arena_reset(arena);
		memcpy(exact, c->field, n);
		rc = address_list(arena, (struct slice){ exact, n }, &got,
		    &why);
		if (c->want != NULL && rc == -1)
			fail_msg("%s: got refused (%s), want %s", c->name,
			    why.text, c->want);
		if (c->want != NULL && strcmp(texts(&got), c->want) != 0)
			fail_msg("%s: got %s, want %s", c->name, texts(&got),
			    c->want);
		if (c->refused != NULL && rc == 0)
			fail_msg("%s: got %s, want refused", c->name,
			    texts(&got));
		if (c->refused != NULL && strstr(why.text, c->refused) == NULL)
			fail_msg("%s: got the sentence \"%s\", want \"%s\" in "
			    "it", c->name, why.text, c->refused);
		free(exact);
	}
}

/* nul - a NUL byte is refused wherever it stands */
static void
nul(void **state)
{
	static const char field[] = "Joe (c) \"q\" <a@b.example> (d)";
	struct mailboxes got;
	struct why why;

	(void)state;
	for (size_t i = 0; i < sizeof(field); i++) {
		char with[sizeof(field)];

		memcpy(with, field, i);
		with[i] = '\0';
		memcpy(with + i + 1, field + i, sizeof(field) - 1 - i);
		if (address_list(arena, (struct slice){ with, sizeof(with) },
		    &got, &why) == 0)
			fail_msg("a NUL at %zu: got accepted", i);
	}
}

struct path_case {
	const char	*name, *path;
	int		 rc;
	const char	*want;		/* the text, or a piece of the sentence */
};

/* clang-format off */
static const struct path_case path_cases[] = {
	{ "a path", "<a@b.example>", 1, "a@b.example" },
	{ "a path without angles", "a@b.example", 1, "a@b.example" },
	{ "the null path", "<>", 0, NULL },
	{ "upper case", "<A@B.EXAMPLE>", 1, "A@b.example" },
	{ "a final dot", "<a@b.example.>", 1, "a@b.example" },
	{ "two dots, as carriers gave out", "<a..b@c.example>", 1,
	  "\"a..b\"@c.example" },
	{ "the same in quotes", "<\"a..b\"@c.example>", 1,
	  "\"a..b\"@c.example" },
	{ "quotes that are not needed", "<\"a\"@c.example>", 1,
	  "a@c.example" },
	{ "a VERP path", "<bounce+a=b.example@c.example>", 1,
	  "bounce+a=b.example@c.example" },
	{ "UTF-8 before the @", "<j\xc3\xbc@b.example>", 1,
	  "j\xc3\xbc@b.example" },
	{ "nothing", "", -1, "empty" },
	{ "no domain", "<postmaster>", -1, "has no domain" },
	{ "no local part", "<@b.example>", -1, "route" },
	{ "a route", "<@x.example,@y.example:a@b.example>", -1, "route" },
	{ "an open angle", "<a@b.example", -1, "no place" },
	{ "a closed angle", "a@b.example>", -1, "has \">\" in it" },
	{ "parameters behind", "<a@b.example> SIZE=1", -1, "no place" },
	{ "two @", "<a@b.example@c.example>", -1, "has \"@\" in it" },
	{ "an @ in quotes", "<\"a@b\"@c.example>", -1, "two ways" },
	{ "an open quote", "<\"a@c.example>", -1, "not closed" },
	{ "a text behind quotes", "<\"a\"b@c.example>", -1, "no place" },
	{ "a literal", "<a@[192.0.2.1]>", -1, "in brackets" },
	{ "a comment", "<a@b.example(x)>", -1, "has \"(\" in it" },
	{ "white space", "< a@b.example>", -1, "no place" },
	{ "a line end", "<a@b.example\r\nDATA>", -1, "in it" },
	{ "an 8-bit domain", "<a@b\xc3\xbc.example>", -1, "A-label" },
	{ "only angles open", "<", -1, "no place" },
};
/* clang-format on */

/* paths - the table of the envelope */
static void
paths(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(path_cases) / sizeof(path_cases[0]);
	    i++) {
		const struct path_case *c = &path_cases[i];
		struct mailbox m = { .text = SLICE_NONE };
		struct why why = { .text = "" };
		int rc;

		arena_reset(arena);
		rc = address_path(arena, slice_of(c->path), &m, &why);
		if (rc != c->rc)
			fail_msg("%s: got %d (%s), want %d", c->name, rc,
			    rc == -1 ? why.text : "", c->rc);
		if (rc == 1 && !slice_is(m.text, c->want))
			fail_msg("%s: got %.*s, want %s", c->name,
			    SLICE_ARG(m.text), c->want);
		if (rc == -1 && strstr(why.text, c->want) == NULL)
			fail_msg("%s: got the sentence \"%s\", want \"%s\" in "
			    "it", c->name, why.text, c->want);
	}
}

/* repeat - n times one byte */
static char *
repeat(char c, size_t n)
{
	char *s = arena_alloc(arena, n + 1);

	memset(s, c, n);
	return s;
}

/* bounds - each limit from both sides */
static void
bounds(void **state)
{
	struct slice d;
	struct mailbox m;
	struct mailboxes list;
	struct why why;
	struct buf b = BUF_INIT;
	char *label;

	(void)state;
	arena_reset(arena);
	label = repeat('a', 63);
	assert_int_equal(address_domain(arena, slice_of(label), false, &d,
	    &why), 0);
	assert_int_equal(address_domain(arena, slice_of(repeat('a', 64)),
	    false, &d, &why), -1);
	/* 3 * 64 + 61 = 253 */
	assert_int_equal(address_domain(arena, slice_of(arena_printf(arena,
	    "%s.%s.%s.%.61s", label, label, label, label)), false, &d, &why),
	    0);
	assert_int_equal(address_domain(arena, slice_of(arena_printf(arena,
	    "%s.%s.%s.%.61s.", label, label, label, label)), false, &d, &why),
	    0);
	assert_int_equal((int)d.n, 253);
	assert_int_equal(address_domain(arena, slice_of(arena_printf(arena,
	    "%s.%s.%s.%.62s", label, label, label, label)), false, &d, &why),
	    -1);
	assert_int_equal(address_domain(arena, SLICE(""), false, &d, &why), -1);
	assert_int_equal(address_domain(arena, SLICE("b\xc3\xbc.example"),
	    true, &d, &why), -1);
	assert_non_null(strstr(why.text, "xn--"));

	assert_int_equal(address_path(arena, slice_of(arena_printf(arena,
	    "%s@b.example", repeat('l', 255))), &m, &why), 1);
	assert_int_equal(address_path(arena, slice_of(arena_printf(arena,
	    "%s@b.example", repeat('l', 256))), &m, &why), -1);

	for (int i = 0; i < ADDRESS_MAX; i++)
		buf_printf(&b, "%sa%d@b.example", i > 0 ? ", " : "", i);
	assert_int_equal(address_list(arena, buf_slice(&b), &list, &why), 0);
	assert_int_equal((int)list.n, ADDRESS_MAX);
	assert_true(slice_is(list.list[999].local, "a999"));
	buf_str(&b, ", x@b.example");
	assert_int_equal(address_list(arena, buf_slice(&b), &list, &why), -1);
	assert_non_null(strstr(why.text, "more than 1000"));
	buf_free(&b);
}

/* took - seconds of CPU for a field of a piece again and again */
static double
took(const char *piece, size_t bytes)
{
	struct mailboxes list;
	struct why why;
	struct buf b = BUF_INIT;
	clock_t start;
	double s;

	while (b.len < bytes)
		buf_str(&b, piece);
	arena_reset(arena);
	start = clock();
	(void)address_list(arena, buf_slice(&b), &list, &why);
	s = (double)(clock() - start) / CLOCKS_PER_SEC;
	buf_free(&b);
	return s;
}

/* linear - half a megabyte of anything is read or refused at once */
static void
linear(void **state)
{
	static const char *const pieces[] = {
		"a", "a@", "a@b,", "(", "(x)", "()", "\"", "\"x\" ", "\\", "<",
		"<a@b>,", "g:", "g:;,", ",", " ", "\n ", "a ", ".", "=?",
		"a@b.example, ", "\xc3\xbc", "\"\\\"", "(\\(", "@", "a.",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		double s = took(pieces[i], 500000);

		if (s > 0.2)
			fail_msg("500 kB of \"%s\": got %.2f s, want < 0.2",
			    pieces[i], s);
	}
}

/* again - random fields of grammar's pieces: accepted ones read as before */
static void
again(void **state)
{
	static const char *const pieces[] = {
		"a", "b.c", "@", "x.example", "EVIL.example", "<", ">", ",",
		" ", "\"", "q r", "(", ")", "c", ":", ";", "\n ", ".", "\\",
		"\xc3\xbc", "a@x.example", "\"n, m\" ", "<u@x.example>",
	};
	const char *rounds = getenv("ROUNDS");
	int most = (rounds != NULL ? atoi(rounds) : 50) * 2000, accepted = 0;
	struct mailboxes one, two;
	struct why why;

	(void)state;
	srand(7);
	for (int i = 0; i < most; i++) {
		char *field;

		arena_reset(arena);
		field = arena_printf(arena, "%s", "");
		for (int n = 1 + rand() % 9; n > 0; n--)
			field = arena_printf(arena, "%s%s", field, pieces[
			    (size_t)rand() % (sizeof(pieces) /
			    sizeof(pieces[0]))]);
		if (address_list(arena, slice_of(field), &one, &why) == -1)
			continue;
		accepted++;
		field = arena_printf(arena, "%s", "");
		for (size_t j = 0; j < one.n; j++)
			field = arena_printf(arena, "%s%s%.*s", field,
			    j > 0 ? ", " : "", SLICE_ARG(one.list[j].text));
		if (address_list(arena, slice_of(field), &two, &why) == -1)
			fail_msg("%s: got refused (%s), want as before", field,
			    why.text);
		assert_string_equal(texts(&one), texts(&two));
	}
	if (accepted < most / 200)
		fail_msg("got %d of %d accepted, want more to be proved by",
		    accepted, most);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists),
		cmocka_unit_test(nul),
		cmocka_unit_test(paths),
		cmocka_unit_test(bounds),
		cmocka_unit_test(linear),
		cmocka_unit_test(again),
	};

	return cmocka_run_group_tests_name("address", tests, setup, teardown);
}
