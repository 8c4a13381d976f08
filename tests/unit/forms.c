/*
 * forms - what a load leaves in the store for starts to come.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "milter/forms.h"
#include "tests/unit/policy_files.h"

#define MAP	(UINT64_C(64) << 20)

static struct store *store;
static struct arena *arena;
static struct why why;

/* must - or the reason */
static void
must(int rc)
{
	if (rc == -1)
		fail_msg("%s", why.text);
}

/* put - a file's whole text */
static void
put(const char *path, const char *text)
{
	files_write(path, text, strlen(text));
}

/* difference - what the files as they are now would write */
static struct forms *
difference(void)
{
	struct policy_load args = { .path = "policy.conf", .keys = "keys" };
	struct problems problems;
	struct policy *p;
	struct forms *forms;

	problems_init(&problems, arena);
	assert_int_equal(policy_load(&args, &p, &problems, &why), 1);
	forms = forms_new(p, store);
	assert_non_null(forms);
	policy_drop(p);
	return forms;
}

/* keep - writes the difference; how many forms it was */
static size_t
keep(void)
{
	struct forms *forms = difference();
	size_t n = forms_left(forms);

	must(store_begin(store, &why));
	assert_false(forms_put(forms, store, SIZE_MAX));
	must(store_commit(store, &why));
	forms_free(forms);
	return n;
}

/* kept - does the store have that text of it? NULL: nothing */
static void
kept(const char *path, const char *want)
{
	struct slice text = SLICE_NONE;
	int got = store_form(store, slice_of(path), arena, &text, &why);

	must(got);
	assert_int_equal(got, want != NULL);
	if (want != NULL)
		assert_true(slice_is(text, want));
}

#define A	"tenant \"a\" { logins = {\"a\"} domains = {\"a.example\"} }\n"
#define B	"tenant \"b\" { logins = {\"b\"} domains = {\"b.example\"} }\n"
#define C	"tenant \"c\" { logins = {\"c\"} domains = {\"c.example\"} }\n"

static int
begin(void **state)
{
	(void)state;
	files_begin();
	arena = arena_new(4096, 0);
	must(store_open(&store, "gate", MAP, &why));
	put("policy.conf", "include \"t\"\n");
	put("t/a.conf", A);
	put("t/b.conf", B);
	put("t/c.conf", C);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	store_close(store);
	arena_free(arena);
	files_end();
	return 0;
}

static void
only_what_differs_is_written(void **state)
{
	(void)state;
	assert_int_equal(keep(), 3);
	kept("t/a.conf", A);
	kept("t/c.conf", C);
	assert_int_equal(keep(), 0);
	put("t/b.conf", "# new\n" B);
	assert_int_equal(keep(), 1);
	kept("t/b.conf", "# new\n" B);
	kept("t/a.conf", A);
}

static void
a_broken_file_leaves_its_last_good_form(void **state)
{
	(void)state;
	assert_int_equal(keep(), 3);
	put("t/a.conf", "tenant \"a\" {\n");
	assert_int_equal(keep(), 0);
	kept("t/a.conf", A);
}

static void
a_file_that_is_gone_takes_its_form_along(void **state)
{
	(void)state;
	assert_int_equal(keep(), 3);
	assert_int_equal(unlink("t/c.conf"), 0);
	assert_int_equal(keep(), 1);
	kept("t/c.conf", NULL);
	kept("t/b.conf", B);
}

static void
slices_together_are_all_of_it(void **state)
{
	struct forms *forms = difference();
	size_t slices = 0;
	bool left;

	(void)state;
	do {
		must(store_begin(store, &why));
		left = forms_put(forms, store, 1);
		must(store_commit(store, &why));
		assert_int_equal(forms_left(forms), 3 - ++slices);
	} while (left);
	assert_int_equal(slices, 3);
	forms_free(forms);
	kept("t/a.conf", A);
	kept("t/b.conf", B);
	kept("t/c.conf", C);
	assert_int_equal(keep(), 0);
}

#define T(f)	cmocka_unit_test_setup_teardown(f, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(only_what_differs_is_written),
		T(a_broken_file_leaves_its_last_good_form),
		T(a_file_that_is_gone_takes_its_form_along),
		T(slices_together_are_all_of_it),
	};

	return cmocka_run_group_tests_name("forms", tests, files_keys,
	    files_no_keys);
}
