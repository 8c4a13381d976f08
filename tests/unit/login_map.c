/*
 * login_map - lines of logins: read, refused, found, and small.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/login_map.h"
#include "policy/policy.h"

static struct arena *arena;
static struct problems problems;
static struct login_map *map;
static struct tenant acme = { .name = { "acme", 4 } };

static int
begin(void **state)
{
	(void)state;
	arena = arena_new(4096, 0);
	problems_init(&problems, arena);
	map = login_map_new();
	assert_non_null(map);
	return 0;
}

static int
finish(void **state)
{
	(void)state;
	login_map_free(map);
	arena_free(arena);
	return 0;
}

/* add - a file of that text, kept as long as the arena */
static void
add(const char *path, const char *text, size_t n)
{
	struct slice copy = arena_copy(arena, (struct slice){ text, n });

	assert_int_equal(login_map_add(map, path, (char *)(uintptr_t)copy.p, n,
	    &problems), 0);
}

/* find_acme - there is one tenant */
static struct tenant *
find_acme(void *with, struct slice name, struct place first)
{
	(void)with;
	assert_non_null(first.file);
	return slice_is(name, "acme") ? &acme : NULL;
}

static void
logins_and_domains_are_found_with_their_lines(void **state)
{
	static const char text[] = "# logins\n\n"
	    "info@acme.example\tacme\n"
	    "  ops   acme # the boss\n"
	    "*@Acme.EXAMPLE acme\n"
	    "*@.acme.example acme\n"
	    "old@gone.example gone";
	static const char more[] = "Ops acme\n";
	struct tenant *t;
	struct slice name;
	struct place at;

	(void)state;
	add("a.map", text, sizeof(text) - 1);
	add("b.map", more, sizeof(more) - 1);
	assert_int_equal(problems.errors, 0);
	assert_int_equal(login_map_count(map), 6);
	login_map_settle(map, find_acme, NULL);
	assert_true(login_map_find(map, SLICE("info@acme.example"), false, &t,
	    &name, &at));
	assert_ptr_equal(t, &acme);
	assert_string_equal(at.file, "a.map");
	assert_int_equal(at.line, 3);
	assert_true(login_map_find(map, SLICE("ops"), false, &t, NULL, &at));
	assert_int_equal(at.line, 4);
	assert_int_equal(at.col, 3);
	assert_true(login_map_find(map, SLICE("Ops"), false, &t, NULL, &at));
	assert_string_equal(at.file, "b.map");
	assert_int_equal(at.line, 1);
	assert_true(login_map_find(map, SLICE("acme.example"), true, &t, NULL,
	    &at));
	assert_int_equal(at.line, 5);
	assert_true(login_map_find(map, SLICE(".acme.example"), true, &t, NULL,
	    &at));
	assert_int_equal(at.line, 6);
	/* a name that is no tenant's still has its line */
	assert_true(login_map_find(map, SLICE("old@gone.example"), false, &t,
	    &name, NULL));
	assert_null(t);
	assert_true(slice_is(name, "gone"));
	assert_false(login_map_find(map, SLICE("acme.example"), false, NULL,
	    NULL, NULL));
	assert_false(login_map_find(map, SLICE("*@acme.example"), false, NULL,
	    NULL, NULL));
	assert_false(login_map_find(map, SLICE("op"), false, NULL, NULL, NULL));
	assert_false(login_map_find(map, SLICE("ops acme"), false, NULL, NULL,
	    NULL));
	assert_false(login_map_find(map, SLICE(""), false, NULL, NULL, NULL));
	assert_false(login_map_find(NULL, SLICE("x"), false, NULL, NULL, NULL));
}

static void
mistakes_in_a_map(void **state)
{
	static const struct { const char *text, *said; unsigned line, col; }
	cases[] = {
		{ "\n# c\nops\n", "login \"ops\" has no tenant; a line is a "
		    "login and the name of its tenant", 3, 1 },
		{ "ops # acme\n", "login \"ops\" has no tenant; a line is a "
		    "login and the name of its tenant", 1, 1 },
		{ "ops acme inc\n", "\"inc\" is too much; a line is a login "
		    "and the name of its tenant", 1, 10 },
		{ "ops acme,inc\n", "\"acme,inc\" is not a name; a name has 1 "
		    "to 64 letters, digits, \".\", \"_\" or \"-\"", 1, 5 },
		{ "a* acme\n", "login \"a*\": \"*\" stands only in "
		    "\"*@domain\" (all logins of it) and \"*@.domain\" (all "
		    "below it)", 1, 1 },
		{ " @b acme\n", "login \"@b\": \"*\" stands only in "
		    "\"*@domain\" (all logins of it) and \"*@.domain\" (all "
		    "below it)", 1, 2 },
		{ "*@a_b.example acme\n", "login \"*@a_b.example\" does not "
		    "end in a domain", 1, 1 },
		{ "*@ acme\n", "login \"*@\" does not end in a domain", 1, 1 },
		{ "*@.com acme\n", "login \"*@.com\" does not end in a domain "
		    "of two labels at least", 1, 1 },
		{ "a acme\n\nb acme\n a acme\n", "login \"a\" stands already "
		    "at x.map:1:1", 4, 2 },
		{ "*@a.example x\n*@A.example y\n", "login \"*@a.example\" "
		    "stands already at x.map:1:1", 2, 1 },
		{ "a acme\r\n", "the file has Windows line ends; run: sed -i "
		    "'s/\\r$//' x.map", 1, 7 },
		{ "a\001 acme\n", "a control byte in x.map; is this the right "
		    "file?", 1, 2 },
		{ "\xef\xbb\xbf" "a acme\n", "the file begins with a byte "
		    "order mark; save it as UTF-8 without BOM", 1, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		login_map_free(map);
		map = login_map_new();
		problems_init(&problems, arena);
		add("x.map", cases[i].text, strlen(cases[i].text));
		assert_int_equal(problems.errors, 1);
		assert_string_equal(problems.first->text, cases[i].said);
		assert_int_equal(problems.first->at.line, cases[i].line);
		assert_int_equal(problems.first->at.col, cases[i].col);
	}
}

static void
a_wrong_file_is_left_after_a_hundred_mistakes(void **state)
{
	char text[4000];

	(void)state;
	for (size_t i = 0; i < sizeof(text); i += 2)
		memcpy(text + i, "a\n", 2);
	add("x.map", text, sizeof(text));
	assert_int_equal(problems.errors, 101);
}

static void
a_map_cut_at_every_byte_is_read_or_refused(void **state)
{
	static const char text[] = "# c\nops acme\n*@A.example x # y\n\tb\tc\n";

	(void)state;
	for (size_t n = 0; n < sizeof(text); n++) {
		login_map_free(map);
		map = login_map_new();
		add("x.map", text, n);
		assert_in_range(login_map_count(map), 0, 3);
	}
	assert_int_equal(login_map_count(map), 3);
}

/* note - its logins in a row */
static void
note(void *with, struct slice text, struct place at)
{
	assert_int_equal(at.line, 1);
	strncat(with, text.p, text.n);
}

static void
each_line_of_a_tenant(void **state)
{
	char all[100] = "";

	(void)state;
	add("x.map", "ops acme\nother gone\n", 20);
	login_map_settle(map, find_acme, NULL);
	login_map_each(map, &acme, note, all);
	assert_string_equal(all, "ops");
}

static void
a_million_lines_are_small(void **state)
{
	const size_t lines = 1000000, room = 40;
	char *text = malloc(lines * room), *p = text;
	struct mallinfo2 before, after;
	char login[32];
	struct place at;
	size_t used;

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < lines; i++)
		p += snprintf(p, room, "user%zu@d%zu.example t%zu\n", i, i % 1000,
		    i % 1000);
	before = mallinfo2();
	assert_int_equal(login_map_add(map, "x.map", text, (size_t)(p - text),
	    &problems), 0);
	after = mallinfo2();
	used = after.uordblks + after.hblkhd - before.uordblks -
	    before.hblkhd;
	print_message("%zu lines: %.1f bytes a line beside the text\n",
	    login_map_count(map), (double)used / (double)lines);
	assert_int_equal(login_map_count(map), lines);
	assert_true(used <= 60 * lines);
	for (size_t i = 0; i < lines; i += 99991) {
		snprintf(login, sizeof(login), "user%zu@d%zu.example", i,
		    i % 1000);
		assert_true(login_map_find(map, slice_of(login), false, NULL,
		    NULL, &at));
		assert_int_equal(at.line, i + 1);
	}
	free(text);
}

#define CASE(f)	cmocka_unit_test_setup_teardown(f, begin, finish)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(logins_and_domains_are_found_with_their_lines),
		CASE(mistakes_in_a_map),
		CASE(a_wrong_file_is_left_after_a_hundred_mistakes),
		CASE(a_map_cut_at_every_byte_is_read_or_refused),
		CASE(each_line_of_a_tenant),
		CASE(a_million_lines_are_small),
	};

	return cmocka_run_group_tests_name("login_map", tests, NULL, NULL);
}
