/*
 * plan - which headers go, in which order, and what is left to be signed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "policy/plan.h"

static struct arena *arena;
static struct tenant tenant;
static struct mail mail;

static int
setup(void **state)
{
	(void)state;
	arena = arena_new(4096, 0);
	memset(&mail, 0, sizeof(mail));
	mail.tenant = &tenant;
	return arena == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

/* The edits are applied to the names as an MTA would, one by one. */
static const struct {
	const char *name;
	const char *names[12];
	const char *left[12];
	size_t edits;
} cases[] = {
	{ "nothing of ours, nothing to do",
	    { "From", "To", "X-Pen", "Penstock-X" },
	    { "From", "To", "X-Pen", "Penstock-X" }, 0 },
	{ "one forged header goes", { "From", "X-Penstock-Pool", "To" },
	    { "From", "To" }, 1 },
	{ "whatever its case, and with white space before the colon",
	    { "x-penstock-pool", "From", "X-PENSTOCK-POOL ", "To",
	    "X-Penstock-pool\t" }, { "From", "To" }, 3 },
	{ "names that begin like it go, too",
	    { "X-Penstock-", "From", "X-Penstock-A", "X-Penstock-AB",
	    "X-Penstock-A", "X-Penstock-AB", "To" }, { "From", "To" }, 5 },
	{ "the same header beside others of that name that stay",
	    { "From", "X-Penstock", "X-Penstock-Tenant", "X-Penstock", "To" },
	    { "From", "X-Penstock", "X-Penstock", "To" }, 1 },
	{ "no headers at all", { NULL }, { NULL }, 0 },
	{ "only forged ones", { "X-Penstock-A", "X-Penstock-a" }, { NULL },
	    2 },
};

/* same_name - as the MTA compares: case and trailing white space ignored */
static bool
same_name(const char *a, struct slice b)
{
	return slice_case_eq(slice_trim(slice_of(a)), slice_trim(b));
}

/* apply - one removal on a list of names; fails when there is none */
static void
apply(const char **names, size_t *n, const struct edit *edit)
{
	unsigned seen = 0;
	size_t i;

	assert_int_equal(edit->kind, EDIT_REMOVE);
	for (i = 0; i < *n; i++)
		if (same_name(names[i], edit->name) && ++seen == edit->index)
			break;
	assert_true(i < *n);
	memmove(names + i, names + i + 1, (*n - i - 1) * sizeof(*names));
	(*n)--;
}

static void
forged_headers_go(void **state)
{
	struct header_fact h[12];
	const char *names[12];
	struct plan plan;
	struct why why;
	size_t i, j, n, want;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (n = 0; cases[i].names[n] != NULL; n++) {
			names[n] = cases[i].names[n];
			h[n].name = slice_of(names[n]);
			h[n].value = slice_of(names[n]);
		}
		for (want = 0; cases[i].left[want] != NULL; want++)
			;
		assert_int_equal(plan_make(&mail, h, n, &plan, arena, &why),
		    0);
		if (plan.n != cases[i].edits || plan.nleft != want)
			fail_msg("%s: want %zu edits and %zu left, got %zu "
			    "and %zu", cases[i].name, cases[i].edits, want,
			    plan.n, plan.nleft);
		for (j = 0; j < plan.n; j++)
			apply(names, &n, &plan.edits[j]);
		assert_int_equal(n, want);
		for (j = 0; j < n; j++) {
			assert_string_equal(names[j], cases[i].left[j]);
			assert_true(same_name(names[j], plan.left[j].name));
		}
	}
}

static void
mail_of_no_tenant_is_not_touched(void **state)
{
	struct header_fact h[2] = {
		{ SLICE("X-Penstock-Pool"), SLICE("b") },
		{ SLICE("From"), SLICE("a@b.example") },
	};
	struct plan plan;
	struct why why;

	(void)state;
	mail.tenant = NULL;
	assert_int_equal(plan_make(&mail, h, 2, &plan, arena, &why), 0);
	assert_int_equal(plan.n, 0);
	assert_int_equal(plan.nleft, 2);
}

static void
signatures_come_last_and_recipients_may_go(void **state)
{
	struct header_fact h[1] = { { SLICE("X-Penstock-A"), SLICE("b") } };
	struct rcpt rcpts[2] = { { .verdict = VERDICT_PASS },
		{ .verdict = VERDICT_DROP, .path = SLICE("<R@X.example>") } };
	struct plan plan;
	struct why why;
	int i;

	(void)state;
	mail.rcpts = rcpts;
	mail.nrcpts = 2;
	assert_int_equal(plan_make(&mail, h, 1, &plan, arena, &why), 0);
	for (i = 0; i < 20; i++)
		assert_int_equal(plan_signature(&plan, SLICE("v=1"), arena,
		    &why), 0);
	assert_int_equal(plan.n, 22);
	assert_int_equal(plan.edits[0].kind, EDIT_REMOVE);
	assert_int_equal(plan.edits[1].kind, EDIT_DROP_RCPT);
	assert_true(slice_is(plan.edits[1].value, "<R@X.example>"));
	assert_int_equal(plan.edits[21].kind, EDIT_INSERT);
	assert_int_equal(plan.edits[21].index, 0);
	assert_true(slice_is(plan.edits[21].name, "DKIM-Signature"));
}

static void
ten_thousand_forged_headers_take_no_time(void **state)
{
	enum { MANY = 10000 };
	struct header_fact *h = calloc(MANY, sizeof(*h));
	struct plan plan;
	struct why why;
	size_t i;

	(void)state;
	assert_non_null(h);
	for (i = 0; i < MANY; i++)
		h[i].name = i % 2 == 0 ? SLICE("X-Penstock-Even") :
		    SLICE("X-PENSTOCK-ODD!");
	assert_int_equal(plan_make(&mail, h, MANY, &plan, arena, &why), 0);
	assert_int_equal(plan.n, MANY);
	assert_int_equal(plan.edits[0].index, MANY / 2);
	assert_int_equal(plan.edits[MANY - 1].index, 1);
	free(h);
}

static void
without_memory_there_is_no_plan(void **state)
{
	struct header_fact h[1] = { { SLICE("X-Penstock-A"), SLICE("b") } };
	struct arena *tiny = arena_new(16, 16);
	struct plan plan;
	struct why why;

	(void)state;
	assert_int_equal(plan_make(&mail, h, 1, &plan, tiny, &why), -1);
	assert_int_equal(why.kind, WHY_MEMORY);
	arena_free(tiny);
}

#define T(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(forged_headers_go),
		T(mail_of_no_tenant_is_not_touched),
		T(signatures_come_last_and_recipients_may_go),
		T(ten_thousand_forged_headers_take_no_time),
		T(without_memory_there_is_no_plan),
	};

	return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
