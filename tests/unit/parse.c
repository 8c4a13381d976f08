/*
 * parse - the table is the specification: a file, what a person reads about
 * it, and the tree that is made of it all the same.  Behind it: bytes that are
 * no text, size, depth, memory that runs out, and files that are no files.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/buf.h"
#include "lib/parse.h"

struct parse_case {
	const char	*name, *text;
	const char	*want;		/* "line:col: text\n" of each problem */
	const char	*tree;		/* NULL: not looked at */
};

/* clang-format off */
static const struct parse_case cases[] = {
	{ .name = "an empty file", .text = "", .want = "", .tree = "" },
	{ .name = "blanks and comments only", .text = " # a = \"b\"\n\t\n#",
	  .want = "", .tree = "" },
	{ .name = "a string, a number, a decimal and a set",
	  .text = "a = \"x\" b = 5\nc = 0.25 d = {\"p\", \"q\"} e = {}",
	  .want = "", .tree = "a=\"x\" b=5 c=0.25 d={\"p\",\"q\"} e={} " },
	{ .name = "blocks with no, one and two titles, in each other",
	  .text = "a { b \"t\" { c \"u\" \"v\" { d = 1 } } }",
	  .want = "", .tree = "a{b\"t\"{c\"u\"\"v\"{d=1 }}}" },
	{ .name = "a title beside a setting of the same name",
	  .text = "keys = \"x\" keys { }", .want = "",
	  .tree = "keys=\"x\" keys{}" },
	{ .name = "newlines are spaces",
	  .text = "a\n=\n\"x\"\nb\n\"t\"\n{\n}\ninclude\n\"y\"",
	  .want = "", .tree = "a=\"x\" b\"t\"{}include\"y\" " },
	{ .name = "no spaces where none are needed",
	  .text = "a=\"x\"b=5 c\"t\"{d={\"q\",\"r\"}}", .want = "",
	  .tree = "a=\"x\" b=5 c\"t\"{d={\"q\",\"r\"} }" },
	{ .name = "an include is a node, in a block too",
	  .text = "include \"x.d\" a { include \"y\" }", .want = "",
	  .tree = "include\"x.d\" a{include\"y\" }" },
	{ .name = "escaped quotes and backslashes",
	  .text = "a = \"\\\"b\\\\\" c = \"\\\\\"", .want = "",
	  .tree = "a=\"\"b\\\" c=\"\\\" " },
	{ .name = "marks of the grammar mean nothing in a string",
	  .text = "a = \"{ # = } ,\"", .want = "", .tree = "a=\"{ # = } ,\" " },
	{ .name = "UTF-8 in a string",
	  .text = "a = \"J\xc3\xbcrgen \xf0\x9f\x93\xac\"", .want = "",
	  .tree = "a=\"J\xc3\xbcrgen \xf0\x9f\x93\xac\" " },
	{ .name = "names with dots, dashes, digits and capitals",
	  .text = "office365-dane = 50 mail.ru = 1 _X = 2", .want = "",
	  .tree = "office365-dane=50 mail.ru=1 _X=2 " },

	{ .name = "a bare word for a value is taken as meant",
	  .text = "a = Europe/Madrid\nb = 1",
	  .want = "1:5: text stands in quotes: write \"Europe/Madrid\"\n",
	  .tree = "a=\"Europe/Madrid\" b=1 " },
	{ .name = "a rate without quotes", .text = "rate = 200/hour\n",
	  .want = "1:8: text stands in quotes: write \"200/hour\"\n",
	  .tree = "rate=\"200/hour\" " },
	{ .name = "a negative number", .text = "a = -1",
	  .want = "1:5: text stands in quotes: write \"-1\"\n" },
	{ .name = "numbers that are none", .text = "a = 1. b = .5 c = 1.2.3",
	  .want = "1:5: text stands in quotes: write \"1.\"\n"
		"1:12: text stands in quotes: write \".5\"\n"
		"1:19: text stands in quotes: write \"1.2.3\"\n" },
	{ .name = "typographic quotation marks",
	  .text = "a = \xe2\x80\x9cx\xe2\x80\x9d",
	  .want = "1:5: text stands in quotes: write "
		"\"\xe2\x80\x9cx\xe2\x80\x9d\"; the only quotation mark "
		"is \"\n" },
	{ .name = "single quotes", .text = "a = 'x'",
	  .want = "1:5: text stands in quotes: write \"'x'\"; the only "
		"quotation mark is \"\n" },
	{ .name = "a bare title is taken as meant", .text = "tenant acme { a = 1 }",
	  .want = "1:8: text stands in quotes: write \"acme\"\n",
	  .tree = "tenant\"acme\"{a=1 }" },
	{ .name = "a value is missing, the next statement is not lost",
	  .text = "a =\nb = \"x\"", .want = "2:1: expected a value after "
		"\"=\", found \"b\"\n", .tree = "b=\"x\" " },
	{ .name = "a value is missing at the end",
	  .text = "a =", .want = "1:4: expected a value after \"=\", found the "
		"end of the file\n", .tree = "" },
	{ .name = "a value is missing on one line",
	  .text = "a = b = \"x\"", .want = "1:5: expected a value after "
		"\"=\", found \"b\"\n", .tree = "b=\"x\" " },
	{ .name = "two equals signs", .text = "a = = \"x\"\nb = 1",
	  .want = "1:5: expected a value after \"=\", found \"=\"\n",
	  .tree = "b=1 " },
	{ .name = "a colon for an equals sign", .text = "a: \"x\"\nb = 1",
	  .want = "1:1: expected the name of a setting or of a block, found "
		"\"a:\"\n", .tree = "b=1 " },
	{ .name = "neither an equals sign nor a brace",
	  .text = "logins \"a\"\nb = 1\n",
	  .want = "2:1: expected \"{\" after logins, found \"b\"\n",
	  .tree = "b=1 " },
	{ .name = "a word alone", .text = "foo\nb = 1\n",
	  .want = "2:1: expected \"=\" or \"{\" after foo, found \"b\"\n",
	  .tree = "b=1 " },
	{ .name = "a semicolon behind a statement", .text = "a = 1;\nb = 2;",
	  .want = "1:6: expected the name of a setting or of a block, found "
		"\";\"; nothing stands at the end of a statement\n"
		"2:6: expected the name of a setting or of a block, found "
		"\";\"; nothing stands at the end of a statement\n",
	  .tree = "a=1 b=2 " },
	{ .name = "two values for one setting", .text = "a = \"x\" \"y\"\nb = 1",
	  .want = "1:9: expected the name of a setting or of a block, found "
		"the string \"y\"\n", .tree = "a=\"x\" b=1 " },
	{ .name = "a string that does not end takes its line only",
	  .text = "a = \"x\nb = \"y\"\n",
	  .want = "1:5: this string does not end on its line: \"x\"\n",
	  .tree = "a=\"x\" b=\"y\" " },
	{ .name = "an open title does not swallow its brace",
	  .text = "tenant \"acme {\n\ta = 1\n}\nb = 2\n",
	  .want = "1:8: this string does not end on its line: \"acme \"\n",
	  .tree = "tenant\"acme \"{a=1 }b=2 " },
	{ .name = "an open string does not swallow the closing brace",
	  .text = "x {\n\ta = \"y }\nb = 2\n",
	  .want = "2:6: this string does not end on its line: \"y \"\n",
	  .tree = "x{a=\"y \" }b=2 " },
	{ .name = "an open string in a set",
	  .text = "a = {\"x\", \"y}\nb = 2\n",
	  .want = "1:11: this string does not end on its line: \"y\"\n",
	  .tree = "a={\"x\",\"y\"} b=2 " },
	{ .name = "an unknown escape shows where it is",
	  .text = "a = \"x\\ny\"\n",
	  .want = "1:7: unknown escape \\ before \"n\"; a string knows \\\" and "
		"\\\\ only\n" },
	{ .name = "a trailing comma", .text = "a = {\"x\",}\nb = 1",
	  .want = "1:10: expected a string after \",\", found \"}\"\n",
	  .tree = "a={\"x\"} b=1 " },
	{ .name = "a comma first", .text = "a = {,\"x\"}\nb = 1",
	  .want = "1:6: expected a string, found \",\"\n",
	  .tree = "a={\"x\"} b=1 " },
	{ .name = "a missing comma", .text = "a = {\"x\" \"y\"}\nb = 1",
	  .want = "1:10: expected \",\" or \"}\", found the string \"y\"\n",
	  .tree = "a={\"x\",\"y\"} b=1 " },
	{ .name = "bare words and numbers in a set",
	  .text = "a = {x, 5}\nb = 1",
	  .want = "1:6: text stands in quotes: write \"x\"\n"
		"1:9: text stands in quotes: write \"5\"\n",
	  .tree = "a={\"x\",\"5\"} b=1 " },
	{ .name = "a set that is not closed ends at the next statement",
	  .text = "a = {\"x\",\n  \"y\"\nb = 1\n",
	  .want = "3:1: expected \",\" or \"}\", found \"b\"\n",
	  .tree = "a={\"x\",\"y\"} b=1 " },
	{ .name = "a set that is not closed ends at the next block",
	  .text = "t {\n  a = {\"x\"\n  b \"y\" { c = 1 }\n}\nd = 2\n",
	  .want = "3:3: expected \",\" or \"}\", found \"b\"\n",
	  .tree = "t{a={\"x\"} b\"y\"{c=1 }}d=2 " },
	{ .name = "a set in a set", .text = "x { a = {{\"b\"}} }\nb = 1",
	  .want = "1:10: expected a string or \"}\", found \"{\"\n",
	  .tree = "x{a={} }b=1 " },
	{ .name = "a block written like a setting",
	  .text = "share = { google = 60 yahoo = 20 }\nb = 1",
	  .want = "1:9: a block is written without \"=\" before the \"{\"\n",
	  .tree = "share{google=60 yahoo=20 }b=1 " },
	{ .name = "an include with an equals sign", .text = "include = \"x\"",
	  .want = "1:9: expected a path in quotes after include, without "
		"\"=\", found \"=\"\n", .tree = "include\"x\" " },
	{ .name = "an include of nothing", .text = "include\nb = 1",
	  .want = "2:1: expected a path in quotes after include, found "
		"\"b\"\n", .tree = "b=1 " },
	{ .name = "a brace too many", .text = "a { }\n}\nb = 1",
	  .want = "2:1: expected the name of a setting or of a block, found "
		"\"}\"\n", .tree = "a{}b=1 " },
	{ .name = "a block without a name", .text = "{ a = 1 }\nb = 1",
	  .want = "1:1: expected the name of a block before \"{\", found "
		"\"{\"\n", .tree = "b=1 " },
	{ .name = "a missing brace names the line of its block",
	  .text = "# one\ntenant \"acme\" {\n\ta = 1\n",
	  .want = "4:1: missing \"}\" of tenant \"acme\", opened at line 2\n",
	  .tree = "tenant\"acme\"{a=1 }" },
	{ .name = "a brace that is missing further in is guessed",
	  .text = "tenant \"a\" {\n\tdkim \"k\" {\n\t\tb = 1\n}\nc = 2\n",
	  .want = "6:1: missing \"}\" of tenant \"a\", opened at line 1; perhaps "
		"it is that of dkim \"k\" at line 2, whose \"}\" stands "
		"further left\n" },
	{ .name = "a title of many odd bytes is shown whole",
	  .text = "a \"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
		"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xed\x80\x8e\" {\n",
	  .want = "1:4: byte 0xff is not UTF-8 (22 such bytes in this file); "
		"save the file as UTF-8\n"
		"2:1: missing \"}\" of a \"\\xff\\xff\\xff\\xff\\xff\\xff"
		"\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff"
		"\\xff\\xff\\xff\\xff\\xff\xed\x80\x8e\", opened at "
		"line 1\n" },
	{ .name = "every mistake of a file is named",
	  .text = "a = x\nb {\n\tc = = 1\n\td = \"y\n\te f\n}\ng = {1}\n",
	  .want = "1:5: text stands in quotes: write \"x\"\n"
		"3:6: expected a value after \"=\", found \"=\"\n"
		"4:6: this string does not end on its line: \"y\"\n"
		"5:4: expected \"=\" or \"{\" after e, found \"f\"\n"
		"7:6: text stands in quotes: write \"1\"\n" },
	{ .name = "control bytes are shown as numbers",
	  .text = "a = \x01\x1b[2J\n",
	  .want = "1:5: control byte 0x01 (2 control bytes in this file)\n"
		"1:7: text stands in quotes: write \"[2J\"\n" },
	{ .name = "a long word is cut",
	  .text = "a = wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww",
	  .want = "1:5: text stands in quotes: write \"wwwwwwwwwwwwwwwwwwwwwwwww"
		"wwwwwwwwwwwwwwwwwwwwwww...\"\n" },

	{ .name = "Windows line ends are said once, with what to do",
	  .text = "a = 1\r\nb = \"x\"\r\nc {\r\n}\r\n",
	  .want = "1:6: the file has Windows line ends; run: sed -i "
		"'s/\\r$//' t.conf\n",
	  .tree = "a=1 b=\"x\" c{}" },
	{ .name = "a byte order mark", .text = "\xef\xbb\xbf" "a = 1\n",
	  .want = "1:1: the file begins with a byte order mark; save it as "
		"UTF-8 without one\n", .tree = "a=1 " },
	{ .name = "UTF-16", .text = "\xff\xfe" "a = 1\n",
	  .want = "1:1: the file is UTF-16; save it as UTF-8\n", .tree = "" },
	{ .name = "Latin-1 is not UTF-8", .text = "# J\xfcrgen\na = \"\xe9\"\n",
	  .want = "1:4: byte 0xfc is not UTF-8 (2 such bytes in this file); "
		"save the file as UTF-8\n" },
	{ .name = "overlong UTF-8 is none", .text = "a = \"\xc0\xaf\"\n",
	  .want = "1:6: byte 0xc0 is not UTF-8 (2 such bytes in this file); "
		"save the file as UTF-8\n" },
	{ .name = "a surrogate is none", .text = "a = \"\xed\xa0\x80\"\n",
	  .want = "1:6: byte 0xed is not UTF-8 (3 such bytes in this file); "
		"save the file as UTF-8\n" },
};
/* clang-format on */

/* dump_value - a value in a form that is easy to write down */
static void
dump_value(const struct value *v, struct buf *out)
{
	size_t i;

	if (v->type == VALUE_SET) {
		buf_char(out, '{');
		for (i = 0; i < v->nitems; i++) {
			if (i > 0)
				buf_char(out, ',');
			dump_value(&v->items[i], out);
		}
		buf_char(out, '}');
	} else if (v->type == VALUE_NUMBER) {
		buf_slices(out, v->text);
	} else {
		buf_char(out, '"');
		buf_slices(out, v->text);
		buf_char(out, '"');
	}
}

/* dump - the tree in a form that is easy to write down */
static void
dump(const struct node *n, struct buf *out)
{
	size_t i;

	for (; n != NULL; n = n->next) {
		buf_slices(out, n->name);
		if (n->type == NODE_BLOCK) {
			for (i = 0; i < n->ntitles; i++)
				dump_value(&n->titles[i], out);
			buf_char(out, '{');
			dump(n->child, out);
			buf_char(out, '}');
			continue;
		}
		if (n->type == NODE_SETTING)
			buf_char(out, '=');
		dump_value(&n->value, out);
		buf_char(out, ' ');
	}
}

/* said - the problems in one text */
static void
said(const struct problems *problems, struct buf *out)
{
	const struct problem *p;

	for (p = problems->first; p != NULL; p = p->next)
		buf_printf(out, "%u:%u: %s\n", p->at.line, p->at.col, p->text);
}

/* parse - a text without a NUL behind it: reading too far must show */
static struct node *
parse(struct arena *arena, struct slice text, struct problems *problems)
{
	char *exact = malloc(text.n > 0 ? text.n : 1);
	struct node *tree;

	assert_non_null(exact);
	memcpy(exact, text.p, text.n);
	problems_init(problems, arena);
	tree = parse_text(arena, "t.conf", (struct slice){ exact, text.n },
	    problems);
	problems_sort(problems);
	free(exact);
	return tree;
}

/* same - compare, and show both */
static int
same(const char *name, const char *what, const struct buf *got,
    const char *want)
{
	if (slice_is(buf_slice(got), want))
		return 0;
	print_error("%s: %s\n  got:\n%.*s\n  want:\n%s\n", name, what,
	    SLICE_ARG(buf_slice(got)), want);
	return 1;
}

static void
every_case(void **state)
{
	struct arena *arena = arena_new(4096, 0);
	struct buf got = BUF_INIT;
	struct problems problems;
	struct node *tree;
	int wrong = 0;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		arena_reset(arena);
		tree = parse(arena, slice_of(cases[i].text), &problems);
		buf_reset(&got);
		said(&problems, &got);
		wrong += same(cases[i].name, "problems", &got, cases[i].want);
		if (cases[i].tree == NULL)
			continue;
		buf_reset(&got);
		dump(tree, &got);
		wrong += same(cases[i].name, "tree", &got, cases[i].tree);
	}
	buf_free(&got);
	arena_free(arena);
	assert_int_equal(wrong, 0);
}

static void
nul_bytes(void **state)
{
	static const char text[] = "a = \"x\0y\"\n\0b = 1\0";
	struct arena *arena = arena_new(4096, 0);
	struct buf got = BUF_INIT;
	struct problems problems;

	(void)state;
	parse(arena, (struct slice){ text, sizeof(text) - 1 }, &problems);
	said(&problems, &got);
	assert_int_equal(same("NUL bytes are counted", "problems", &got,
	    "1:7: NUL byte (3 in this file)\n"), 0);
	buf_free(&got);
	arena_free(arena);
}

static void
places(void **state)
{
	static const char text[] = "# c\n\n  a = {\n\t\"x\",\n\"y\"}\n\xc3\xa4";
	struct arena *arena = arena_new(4096, 0);
	struct problems problems;
	struct node *n;

	(void)state;
	n = parse(arena, slice_of(text), &problems);
	assert_string_equal(n->at.file, "t.conf");
	assert_int_equal(n->at.line, 3);
	assert_int_equal(n->at.col, 3);
	assert_int_equal(n->value.at.line, 3);
	assert_int_equal(n->value.at.col, 7);
	assert_int_equal(n->value.items[0].at.line, 4);
	assert_int_equal(n->value.items[0].at.col, 2);
	assert_int_equal(n->value.items[1].at.line, 5);
	assert_int_equal(n->value.items[1].at.col, 1);
	assert_int_equal(problems.first->at.line, 6);
	/* Names and strings end in NUL, for those who need it. */
	assert_string_equal(n->name.p, "a");
	assert_string_equal(n->value.items[1].text.p, "y");
	arena_free(arena);
}

static void
a_line_of_a_megabyte(void **state)
{
	struct arena *arena = arena_new(4096, 0);
	struct buf text = BUF_INIT;
	struct problems problems;
	struct node *n;
	int i;

	(void)state;
	buf_str(&text, "a = {");
	for (i = 0; i < 100000; i++)
		buf_printf(&text, "%s\"login%05d\"", i > 0 ? "," : "", i);
	buf_str(&text, "} b = x");
	n = parse(arena, buf_slice(&text), &problems);
	assert_int_equal(n->value.nitems, 100000);
	assert_string_equal(n->value.items[99999].text.p, "login99999");
	assert_int_equal(problems.errors, 1);
	assert_int_equal(problems.first->at.line, 1);
	assert_int_equal(problems.first->at.col, text.len);
	buf_free(&text);
	arena_free(arena);
}

/* nest - n blocks in each other */
static unsigned
nest(int n)
{
	struct arena *arena = arena_new(4096, 0);
	struct buf text = BUF_INIT;
	struct problems problems;
	unsigned errors;
	int i;

	for (i = 0; i < n; i++)
		buf_str(&text, "a{");
	for (i = 0; i < n; i++)
		buf_str(&text, "}");
	buf_str(&text, "b=x");
	parse(arena, buf_slice(&text), &problems);
	/* Whatever stands behind it is read again. */
	assert_non_null(strstr(problems.first->next != NULL ?
	    problems.first->next->text : problems.first->text, "\"x\""));
	errors = problems.errors - 1;
	buf_free(&text);
	arena_free(arena);
	return errors;
}

static void
depth_is_bounded(void **state)
{
	(void)state;
	assert_int_equal(nest(PARSE_DEPTH_MAX), 0);
	assert_int_equal(nest(PARSE_DEPTH_MAX + 1), 1);
	assert_int_equal(nest(1000000), 1);
}

static void
mistakes_are_bounded(void **state)
{
	struct arena *arena = arena_new(4096, 0);
	struct buf text = BUF_INIT;
	struct problems problems;
	struct problem *p;
	int i;

	(void)state;
	for (i = 0; i < 100000; i++)
		buf_str(&text, "b = x\n");
	parse(arena, buf_slice(&text), &problems);
	assert_int_equal(problems.errors, PARSE_ERRORS_MAX + 1);
	for (p = problems.first; p->next != NULL;)
		p = p->next;
	assert_string_equal(p->text,
	    "too many mistakes; the rest of the file was not read");
	buf_free(&text);
	arena_free(arena);
}

static void
without_memory_it_is_an_error(void **state)
{
	static const char text[] =
	    "tenant \"acme\" { a = {\"x\", \"y\"} b = \"\\\\\" c { d = 5 } }\n"
	    "include \"x\" e = 7\n";
	struct problems problems;
	struct arena *arena;
	unsigned refused = 0;
	size_t limit;

	(void)state;
	for (limit = 64; limit < 8192; limit += 16) {
		arena = arena_new(64, limit);
		parse(arena, slice_of(text), &problems);
		assert_true(arena_used(arena) <= limit);
		refused += problems.errors > 0;
		if (limit == 64)
			assert_true(problems.errors > 0);
		arena_free(arena);
	}
	assert_int_equal(problems.errors, 0);
	assert_true(refused > 20);
}

static void
sorted_by_file_line_column(void **state)
{
	static const struct place at[] = {
		{ "b", 2, 1 }, { "a", 9, 9 }, { "b", 1, 7 }, { "b", 1, 3 },
		{ "a", 1, 1 }, { "b", 1, 3 }, { NULL, 0, 0 },
	};
	static const char *want[] = { "3", "5", "2", "0", "4", "1", "6" };
	struct arena *arena = arena_new(4096, 0);
	struct problems problems;
	struct problem *p;
	size_t i;

	(void)state;
	problems_init(&problems, arena);
	for (i = 0; i < 7; i++)
		(i == 2 ? problem_warn : problem_error)(&problems, at[i],
		    "%zu", i);
	problems_sort(&problems);
	for (i = 0, p = problems.first; p != NULL; p = p->next, i++)
		assert_string_equal(p->text, want[i]);
	assert_int_equal(i, 7);
	assert_int_equal(problems.errors, 6);
	assert_int_equal(problems.warnings, 1);
	problem_error(&problems, at[0], "last");
	for (p = problems.first; p->next != NULL;)
		p = p->next;
	assert_string_equal(p->text, "last");
	arena_free(arena);
}

static void
files(void **state)
{
	char dir[] = "/tmp/penstock-parse-XXXXXX", path[64];
	struct arena *arena = arena_new(4096, 0);
	struct slice text;
	struct why why;
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/a.conf", dir);
	assert_int_equal(parse_read(arena, path, &text, &why), 0);
	assert_int_equal(parse_read(arena, dir, &text, &why), -1);
	assert_non_null(strstr(why.text, "is not a regular file"));
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(parse_read(arena, path, &text, &why), -1);
	assert_non_null(strstr(why.text, "is not a regular file"));
	unlink(path);
	f = fopen(path, "w");
	assert_int_equal(parse_read(arena, path, &text, &why), 1);
	assert_int_equal(text.n, 0);
	assert_non_null(text.p);
	fwrite("a\0b", 1, 3, f);
	fclose(f);
	assert_int_equal(parse_read(arena, path, &text, &why), 1);
	assert_int_equal(text.n, 3);
	assert_memory_equal(text.p, "a\0b", 4);
	assert_int_equal(truncate(path, PARSE_FILE_MAX + 1), 0);
	assert_int_equal(parse_read(arena, path, &text, &why), -1);
	assert_non_null(strstr(why.text, "the most we read"));
	unlink(path);
	rmdir(dir);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_case),
		cmocka_unit_test(nul_bytes),
		cmocka_unit_test(places),
		cmocka_unit_test(a_line_of_a_megabyte),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(mistakes_are_bounded),
		cmocka_unit_test(without_memory_it_is_an_error),
		cmocka_unit_test(sorted_by_file_line_column),
		cmocka_unit_test(files),
	};

	return cmocka_run_group_tests_name("parse", tests, NULL, NULL);
}
