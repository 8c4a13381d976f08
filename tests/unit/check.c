/*
 * check - mistakes as a list of sentences with what a postmaster reads.
 *
 * Each case is a set of files and every line that `policy check` must print,
 * complete and in order: a message that moves, changes or appears twice is a
 * failure.  Read the tables as documentation of the language's errors.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/buf.h"
#include "policy/policy.h"
#include "tests/unit/policy_files.h"

#define TEXT(s)		s, sizeof(s) - 1

struct given {
	const char	*path, *text;
	size_t		 n;
};

struct mistake {
	const char	*name;
	struct given	 files[4];
	const char	*want;
};

/* clang-format off */
static const struct mistake in_words[] = {
#include "tests/unit/check_words.h"
};
static const struct mistake in_warmups[] = {
#include "tests/unit/check_warmups.h"
};
static const struct mistake unwise_warmups[] = {
#include "tests/unit/check_warmups_unwise.h"
};
static const struct mistake in_streams[] = {
#include "tests/unit/check_streams.h"
};
static const struct mistake in_names[] = {
#include "tests/unit/check_names.h"
};
static const struct mistake in_files[] = {
#include "tests/unit/check_files.h"
};
static const struct mistake unwise[] = {
#include "tests/unit/check_warnings.h"
};
static const struct mistake in_levels[] = {
#include "tests/unit/check_levels.h"
};
/* clang-format on */

/* said - what policy check prints, without its summary */
static struct buf
said(bool errors_only)
{
	struct policy_load load = { .path = "policy.conf", .keys = "keys",
	    .judge_keys = SIZE_MAX };
	struct arena *arena = arena_new(4096, 0);
	struct policy *policy = NULL;
	struct problems problems;
	struct buf out = BUF_INIT;
	struct why why;
	int got;

	problems_init(&problems, arena);
	got = policy_load(&load, &policy, &problems, &why);
	assert_int_not_equal(got, -1);
	assert_true((got == 1) == (policy != NULL));
	policy_drop(policy);		/* problems must not need it */
	problems_sort(&problems);
	for (const struct problem *p = problems.first; p != NULL; p = p->next)
		if (!p->warning || !errors_only)
			buf_printf(&out, "%s:%u:%u: %s: %s\n", p->at.file,
			    p->at.line, p->at.col, p->warning ? "warning" :
			    "error", p->text);
	buf_char(&out, '\0');
	arena_free(arena);
	return out;
}

/* run - every case of a table; all are tried before the test fails */
static void
run(const struct mistake *all, size_t n, bool errors_only)
{
	unsigned wrong = 0;

	for (size_t i = 0; i < n; i++) {
		struct buf got;

		files_begin();
		for (const struct given *g = all[i].files; g->path != NULL;
		    g++)
			files_write(g->path, g->text, g->n);
		got = said(errors_only);
		if (strcmp(got.data, all[i].want) != 0) {
			print_error("%s\n--- want\n%s--- got\n%s",
			    all[i].name, all[i].want, got.data);
			wrong++;
		}
		buf_free(&got);
		files_end();
	}
	assert_int_equal(wrong, 0);
}

#define RUN(table, errors_only) \
	run(table, sizeof(table) / sizeof(table[0]), errors_only)

static void
mistakes_in_words(void **state)
{
	(void)state;
	RUN(in_words, true);
}

static void
mistakes_in_streams(void **state)
{
	(void)state;
	RUN(in_streams, true);
}

static void
mistakes_in_warmups(void **state)
{
	(void)state;
	RUN(in_warmups, true);
}

static void
mistakes_in_names(void **state)
{
	(void)state;
	RUN(in_names, true);
}

static void
mistakes_in_files(void **state)
{
	(void)state;
	RUN(in_files, true);
}

static void
warnings(void **state)
{
	(void)state;
	RUN(unwise, false);
	RUN(in_levels, false);
	RUN(unwise_warmups, false);
}

/* long_text - head, a megabyte of x, tail */
static void
long_text(const char *head, const char *tail)
{
	struct buf text = BUF_INIT;

	buf_str(&text, head);
	for (size_t i = 0; i < 1 << 20; i++)
		buf_char(&text, 'x');
	buf_str(&text, tail);
	files_write("policy.conf", text.data, text.len);
	buf_free(&text);
}

/* A line of a megabyte is a line: what follows is still checked. */
static void
long_lines(void **state)
{
	struct buf got;

	(void)state;
	files_begin();
	long_text("# ", "\ntimezone = \"Nowhere\"\n");
	got = said(true);
	assert_memory_equal(got.data, "policy.conf:2:12: error: timezone: ",
	    35);
	buf_free(&got);
	long_text("timezone = \"", "\"\n");
	got = said(true);
	assert_memory_equal(got.data, "policy.conf:1:12: error: timezone: ",
	    35);
	assert_true(got.len < 300);	/* the value is quoted in part */
	buf_free(&got);
	files_end();
}

/* A main file that is not there, or cannot be read, is no policy at all. */
static void
no_main_file(void **state)
{
	struct policy_load load = { .path = "policy.conf", .keys = "keys" };
	struct arena *arena = arena_new(4096, 0);
	struct policy *policy;
	struct problems problems;
	struct why why;

	(void)state;
	files_begin();
	problems_init(&problems, arena);
	assert_int_equal(policy_load(&load, &policy, &problems, &why), -1);
	assert_string_equal(why.text, "there is no policy file policy.conf");
	assert_int_equal(mkdir("policy.conf", 0755), 0);
	assert_int_equal(policy_load(&load, &policy, &problems, &why), -1);
	assert_string_equal(why.text, "policy.conf is not a regular file");
	assert_null(policy);
	arena_free(arena);
	files_end();
}

/* Files that nobody but root may read; root loads as somebody else. */
static void
unreadable(void **state)
{
	bool root = geteuid() == 0;
	struct buf got;

	(void)state;
	files_begin();
	files_write("policy.conf", TEXT("include \"t\"\ninclude \"m.conf\"\n"));
	files_write("m.conf", TEXT(""));
	files_write("t/a.conf", TEXT("tenant \"a\" { }\n"));
	assert_int_equal(chmod(".", 0755), 0);
	assert_int_equal(chmod("m.conf", 0), 0);
	assert_int_equal(chmod("t/a.conf", 0), 0);
	assert_int_equal(root ? seteuid(65534) : 0, 0);
	got = said(true);
	assert_int_equal(root ? seteuid(0) : 0, 0);
	assert_string_equal(got.data,
	    "policy.conf:2:9: error: include: cannot open m.conf: Permission "
	    "denied\nt/a.conf:1:1: error: cannot open t/a.conf: Permission "
	    "denied\n");
	buf_free(&got);
	files_end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mistakes_in_words),
		cmocka_unit_test(mistakes_in_streams),
		cmocka_unit_test(mistakes_in_warmups),
		cmocka_unit_test(mistakes_in_names),
		cmocka_unit_test(mistakes_in_files),
		cmocka_unit_test(warnings),
		cmocka_unit_test(long_lines),
		cmocka_unit_test(no_main_file),
		cmocka_unit_test(unreadable),
	};

	return cmocka_run_group_tests_name("check", tests, files_keys,
	    files_no_keys);
}
