/*
 * keyword - a small language of its own, and what is said about each way to
 * get a word of it wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/buf.h"
#include "lib/keyword.h"

enum { IN_FILE = 1, IN_TENANT = 2, IN_LIMIT = 4 };
static const char *const places[] = { "the main file", "tenant", "throttle" };
static const char *const over[] = { "defer", "hold", "refuse", NULL };

/* clang-format off */
static const struct keyword rows[] = {
	{ "include", KEYWORD_STRING, IN_FILE, 1, .help = "h" },
	{ "tenant", KEYWORD_BLOCK, IN_FILE, 2, .titles = 1, .help = "h" },
	{ "trusted", KEYWORD_BLOCK, IN_FILE, 3, .help = "h" },
	{ "logins", KEYWORD_SET, IN_TENANT, 4, .help = "h" },
	{ "class", KEYWORD_NAME, IN_TENANT, 5, .help = "h" },
	{ "class", KEYWORD_BLOCK, IN_FILE, 6, .titles = 1, .help = "h" },
	{ "throttle", KEYWORD_BLOCK, IN_TENANT, 7, .titles = 1, .help = "h" },
	{ "rate", KEYWORD_RATE, IN_LIMIT, 8, .help = "h" },
	{ "over", KEYWORD_CHOICE, IN_LIMIT | IN_TENANT, 9, over, .help = "h" },
	{ "burst", KEYWORD_NUMBER, IN_LIMIT, 10, .least = 1, .most = 100, .help = "h" },
	{ "jitter", KEYWORD_NUMBER, IN_LIMIT, 11, .least = 0, .most = 1, .help = "h" },
	{ "weight", KEYWORD_NUMBER, IN_LIMIT, 12, .help = "h" },
	{ "room", KEYWORD_SIZE, IN_LIMIT, 13, .help = "h" },
	{ "keys", KEYWORD_STRING, IN_FILE, 14, .help = "h" },
	{ "keys", KEYWORD_BLOCK, IN_FILE, 15, .help = "h" },
};
/* clang-format on */

static const struct keyword_table table = {
	rows, sizeof(rows) / sizeof(rows[0]), places
};

struct word_case {
	const char	*name;
	unsigned	 where;
	const char	*text;
	const char	*want;		/* "line:col: text\n" */
	int		 id;		/* of the first, when it is right */
};

/* clang-format off */
static const struct word_case cases[] = {
	{ "a known word", IN_TENANT, "logins = {\"a\"}", "", 4 },
	{ "an include", IN_FILE, "include \"x\"", "", 1 },
	{ "one word, two places: a name", IN_TENANT, "class = \"a.b_c-9\"", "", 5 },
	{ "one word, two places: a block", IN_FILE, "class \"a\" { }", "", 6 },
	{ "one word, one place: a setting", IN_FILE, "keys = \"x\"", "", 14 },
	{ "one word, one place: a block", IN_FILE, "keys { }", "", 15 },
	{ "a size as a number", IN_LIMIT, "room = 4096", "", 13 },
	{ "a share", IN_LIMIT, "jitter = 0.2", "", 11 },
	{ "a number without bounds may have decimals", IN_LIMIT, "weight = 90.5", "", 12 },
	{ "a letter too many", IN_TENANT, "loginz = {\"a\"}",
	  "1:1: unknown word \"loginz\" in tenant; did you mean \"logins\"?\n", 0 },
	{ "two letters swapped", IN_LIMIT, "rtae = \"1/day\"",
	  "1:1: unknown word \"rtae\" in throttle; did you mean \"rate\"?\n", 0 },
	{ "a letter missing", IN_FILE, "tenat \"a\" { }",
	  "1:1: unknown word \"tenat\" in the main file; did you mean \"tenant\"?\n", 0 },
	{ "two letters missing", IN_TENANT, "lgns = {\"a\"}",
	  "1:1: unknown word \"lgns\" in tenant; did you mean \"logins\"?\n", 0 },
	{ "three letters missing", IN_TENANT, "thrtl \"a\" { }",
	  "1:1: unknown word \"thrtl\" in tenant\n", 0 },
	{ "a word near to none", IN_TENANT, "quota = 5",
	  "1:1: unknown word \"quota\" in tenant\n", 0 },
	{ "a short word is near to none", IN_LIMIT, "x = 5",
	  "1:1: unknown word \"x\" in throttle\n", 0 },
	{ "near only to a word of another place", IN_FILE, "loginz = {}",
	  "1:1: unknown word \"loginz\" in the main file\n", 0 },
	{ "a word in the wrong place", IN_FILE, "burst = 5",
	  "1:1: \"burst\" cannot stand in the main file; its place is in throttle\n", 0 },
	{ "a word of two other places", IN_FILE, "over = \"hold\"",
	  "1:1: \"over\" cannot stand in the main file; its place is in tenant or throttle\n", 0 },
	{ "an include where none may stand", IN_TENANT, "include \"x\"",
	  "1:1: \"include\" cannot stand in tenant; its place is in the main file\n", 0 },
	{ "a setting written as a block", IN_TENANT, "logins { }",
	  "1:1: logins is a setting, not a block; write logins = {...}\n", 0 },
	{ "a number written as a block", IN_LIMIT, "burst { }",
	  "1:1: burst is a setting, not a block; write burst = ...\n", 0 },
	{ "a block written as a setting", IN_FILE, "tenant = \"a\"",
	  "1:1: tenant is a block, not a setting; write tenant \"...\" { ... }\n", 0 },
	{ "a block without titles written as a setting", IN_FILE, "trusted = \"a\"",
	  "1:1: trusted is a block, not a setting; write trusted { ... }\n", 0 },
	{ "no title", IN_FILE, "tenant { }",
	  "1:1: tenant needs a title: tenant \"...\" { ... }\n", 0 },
	{ "a title where none is", IN_FILE, "trusted \"a\" { }",
	  "1:9: trusted takes no title, found \"a\"\n", 0 },
	{ "two titles", IN_FILE, "tenant \"a\" \"b\" { }",
	  "1:12: tenant takes one title, found a second: \"b\"\n", 0 },
	{ "a string for a set", IN_TENANT, "logins = \"a\"",
	  "1:10: logins: expected a set: logins = {\"a\"}\n", 0 },
	{ "a number for a set", IN_TENANT, "logins = 5",
	  "1:10: logins: expected a set: logins = {\"5\"}\n", 0 },
	{ "a set for a rate", IN_LIMIT, "rate = {\"a\"}",
	  "1:8: rate: expected a rate such as \"200/hour\", found a set\n", 0 },
	{ "a number for a rate", IN_LIMIT, "rate = 200",
	  "1:8: rate: expected a rate such as \"200/hour\", found the number 200\n", 0 },
	{ "a string for a number", IN_LIMIT, "burst = \"20\"",
	  "1:9: burst: expected a number without quotes, found \"20\"\n", 0 },
	{ "a number below its bounds", IN_LIMIT, "burst = 0",
	  "1:9: burst: expected a whole number from 1 to 100, found \"0\"\n", 0 },
	{ "a number above its bounds", IN_LIMIT, "burst = 101",
	  "1:9: burst: expected a whole number from 1 to 100, found \"101\"\n", 0 },
	{ "a number larger than numbers are", IN_LIMIT, "burst = 99999999999999999999",
	  "1:9: burst: expected a whole number from 1 to 100, found \"99999999999999999999\"\n", 0 },
	{ "half a thing", IN_LIMIT, "burst = 2.5",
	  "1:9: burst: expected a whole number from 1 to 100, found \"2.5\"\n", 0 },
	{ "a share of more than all", IN_LIMIT, "jitter = 1.001",
	  "1:10: jitter: expected a number from 0 to 1, found \"1.001\"\n", 0 },
	{ "a share too fine", IN_LIMIT, "jitter = 0.12345",
	  "1:10: jitter: \"0.12345\" is not a number with at most three decimals\n", 0 },
	{ "a word that is no choice", IN_LIMIT, "over = \"bounce\"",
	  "1:8: over: expected \"defer\", \"hold\" or \"refuse\", found \"bounce\"\n", 0 },
	{ "a set for a choice", IN_LIMIT, "over = {\"defer\"}",
	  "1:8: over: expected \"defer\", \"hold\" or \"refuse\", found a set\n", 0 },
	{ "a name with a blank", IN_TENANT, "class = \"a b\"",
	  "1:9: class: \"a b\" is not a name; a name has 1 to 64 letters, digits, \".\", \"_\" or \"-\"\n", 0 },
	{ "an empty name", IN_TENANT, "class = \"\"",
	  "1:9: class: \"\" is not a name; a name has 1 to 64 letters, digits, \".\", \"_\" or \"-\"\n", 0 },
	{ "a set for a size", IN_LIMIT, "room = {}",
	  "1:8: room: expected a size such as \"64 MiB\", found a set\n", 0 },
};

static const struct word_case repeats[] = {
	{ "a setting twice", 0, "a = 1\n a = 1\n",
	  "2:2: a was set already at t.conf:1:1\n", 0 },
	{ "a setting three times names the first", 0, "a = 1 b = 1 a = 2\na = 3",
	  "1:13: a was set already at t.conf:1:1\n"
	  "2:1: a was set already at t.conf:1:1\n", 0 },
	{ "a block of one title twice", 0, "t \"x\" { } t \"y\" { } t \"x\" { }",
	  "1:21: t \"x\" stands already at t.conf:1:1\n", 0 },
	{ "a block without titles twice", 0, "t { } t { }",
	  "1:7: t stands already at t.conf:1:1\n", 0 },
	{ "titles of another number", 0, "t { } t \"x\" { } t \"x\" \"y\" { }", "", 0 },
	{ "a setting and a block of one name", 0, "t = 1 t { }", "", 0 },
	{ "titles of capitals are others", 0, "t \"x\" { } t \"X\" { }", "", 0 },
	{ "an include twice", 0, "include \"x\" include \"y\" include \"x\"",
	  "1:25: include \"x\" stands already at t.conf:1:1\n", 0 },
	{ "repeats within a block are for who reads it", 0, "t { a = 1 a = 1 }", "", 0 },
};
/* clang-format on */

/* said - the problems in one text */
static void
said(struct problems *problems, struct buf *out)
{
	const struct problem *p;

	problems_sort(problems);
	buf_reset(out);
	for (p = problems->first; p != NULL; p = p->next)
		buf_printf(out, "%u:%u: %s\n", p->at.line, p->at.col, p->text);
}

/* one - parse, check or look for repeats, compare */
static int
one(const struct word_case *c, struct arena *arena, struct buf *got)
{
	const struct keyword *row = NULL;
	struct problems problems;
	struct node *n;

	arena_reset(arena);
	problems_init(&problems, arena);
	n = parse_text(arena, "t.conf", slice_of(c->text), &problems);
	if (c->where != 0)
		row = keyword_check(&table, n, c->where, &problems);
	else
		keyword_duplicates(n, &problems);
	said(&problems, got);
	if (slice_is(buf_slice(got), c->want) &&
	    (row != NULL ? row->id : 0) == c->id)
		return 0;
	print_error("%s\n  got:  %d %.*s\n  want: %d %s\n", c->name,
	    row != NULL ? row->id : 0, SLICE_ARG(buf_slice(got)), c->id,
	    c->want);
	return 1;
}

static void
every_case(void **state)
{
	struct arena *arena = arena_new(4096, 0);
	struct buf got = BUF_INIT;
	int wrong = 0;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		wrong += one(&cases[i], arena, &got);
	for (i = 0; i < sizeof(repeats) / sizeof(repeats[0]); i++)
		wrong += one(&repeats[i], arena, &got);
	buf_free(&got);
	arena_free(arena);
	assert_int_equal(wrong, 0);
}

static void
repeats_among_very_many(void **state)
{
	struct arena *arena = arena_new(4096, 0);
	struct buf text = BUF_INIT;
	struct problems problems;
	struct node *n;
	int i;

	(void)state;
	problems_init(&problems, arena);
	for (i = 0; i < 100000; i++)
		buf_printf(&text, "t \"%d\" { }\n", i * 7919 % 99999);
	n = parse_text(arena, "t.conf", buf_slice(&text), &problems);
	keyword_duplicates(n, &problems);
	assert_int_equal(problems.errors, 1);
	assert_string_equal(problems.first->text,
	    "t \"0\" stands already at t.conf:1:1");
	assert_int_equal(problems.first->at.line, 100000);
	buf_free(&text);
	arena_free(arena);
}

static void
names(void **state)
{
	static const char *const good[] = { "a", "A", "0", "a.b", "_", "-",
		"0123456789012345678901234567890123456789012345678901234567"
		"890123" };
	static const char *const bad[] = { "", " ", "a b", "a/b", "\xc3\xa4",
		"a\n", "a@b", "0123456789012345678901234567890123456789012345"
		"6789012345678901234" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!keyword_is_name(slice_of(good[i])))
			fail_msg("\"%s\" is a name", good[i]);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (keyword_is_name(slice_of(bad[i])))
			fail_msg("\"%s\" is no name", bad[i]);
	assert_false(keyword_is_name((struct slice){ "a\0b", 3 }));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_case),
		cmocka_unit_test(repeats_among_very_many),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests_name("keyword", tests, NULL, NULL);
}
