/*
 * What leaves towards libmilter: its functions are replaced by ones that write
 * down what they are given.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <libmilter/mfapi.h>

#include "lib/buf.h"
#include "milter/apply.h"

static struct buf sent;
static int fail_at;		/* the n-th call fails; 0: none */
static int calls;

static int
wrote(void)
{
	return ++calls == fail_at ? MI_FAILURE : MI_SUCCESS;
}

int
smfi_chgheader(SMFICTX *ctx, char *name, int index, char *value)
{
	(void)ctx;
	buf_printf(&sent, "chg(%s,%d,%s)", name, index,
	    value != NULL ? value : "NULL");
	return wrote();
}

int
smfi_insheader(SMFICTX *ctx, int index, char *name, char *value)
{
	(void)ctx;
	buf_printf(&sent, "ins(%d,%s,%s)", index, name, value);
	return wrote();
}

int
smfi_delrcpt(SMFICTX *ctx, char *rcpt)
{
	(void)ctx;
	buf_printf(&sent, "del(%s)", rcpt);
	return wrote();
}

int
smfi_chgfrom(SMFICTX *ctx, char *from, char *args)
{
	(void)ctx;
	buf_printf(&sent, "from(%s,%s)", from, args != NULL ? args : "NULL");
	return wrote();
}

int
smfi_quarantine(SMFICTX *ctx, char *reason)
{
	(void)ctx;
	buf_printf(&sent, "hold(%s)", reason);
	return wrote();
}

int
smfi_setreply(SMFICTX *ctx, char *code, char *dsn, char *text)
{
	(void)ctx;
	buf_printf(&sent, "reply(%s,%s,%s)", code, dsn, text);
	return wrote();
}

static void
begin(int fails)
{
	buf_reset(&sent);
	calls = 0;
	fail_at = fails;
}

static void
got_sent(const char *name, const char *want)
{
	if (slice_is(buf_slice(&sent), want))
		return;
	fail_msg("%s:\n got  %.*s\n want %s", name, (int)sent.len,
	    sent.data != NULL ? sent.data : "", want);
}

static const struct {
	const char	*name;
	struct slice	 in;
	const char	*want;		/* NULL: refused */
} texts[] = {
	{ .name = "a plain text stays", .in = SLICE("tenant acme: daily"),
	    .want = "tenant acme: daily" },
	{ .name = "a percent sign is doubled", .in = SLICE("100% of 5%"),
	    .want = "100%% of 5%%" },
	{ .name = "a line break is refused", .in = SLICE("a\nb") },
	{ .name = "a carriage return is refused", .in = SLICE("a\rb") },
	{ .name = "a NUL is refused", .in = SLICE("a\0b") },
	{ .name = "a tab is refused", .in = SLICE("a\tb") },
	{ .name = "DEL is refused", .in = SLICE("a\x7f") },
	{ .name = "nothing is refused", .in = SLICE("") },
	{ .name = "a reply is ASCII", .in = SLICE("d\xc3\xa9j\xe0"),
	    .want = "d??j?" },
};

static void
reply_texts(void **state)
{
	char out[APPLY_REPLY_MOST];
	bool ok;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		ok = apply_text(texts[i].in, out);
		if (ok != (texts[i].want != NULL) ||
		    (ok && strcmp(out, texts[i].want) != 0))
			fail_msg("%s: got %s \"%s\"", texts[i].name,
			    ok ? "taken" : "refused", ok ? out : "");
	}
}

static void
long_reply_is_cut_between_signs(void **state)
{
	char in[2000], out[APPLY_REPLY_MOST];

	(void)state;
	memset(in, '%', sizeof(in));
	assert_true(apply_text((struct slice){ in, sizeof(in) }, out));
	assert_int_equal(strlen(out), 980);
	memset(in, 'x', 979);
	assert_true(apply_text((struct slice){ in, sizeof(in) }, out));
	assert_int_equal(strlen(out), 979);	/* no half of "%%" */
}

static const struct {
	const char	*name;
	struct slice	 value;
	bool		 ok;
} values[] = {
	{ "an empty value", SLICE(""), true },
	{ "one line", SLICE("v=1; a=rsa-sha256"), true },
	{ "a fold with a tab", SLICE("a;\n\tb"), true },
	{ "a fold with a space", SLICE("a;\n b"), true },
	{ "8-bit bytes", SLICE("\xe2\x82\xac"), true },
	{ "a new header", SLICE("a\nBcc: x@y"), false },
	{ "an end of the head", SLICE("a\n\nbody"), false },
	{ "a line break at the end", SLICE("a\n"), false },
	{ "a carriage return", SLICE("a\r\n b"), false },
	{ "a NUL", SLICE("a\0b"), false },
	{ "an escape", SLICE("a\x1b[31m"), false },
};

static void
header_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		if (apply_value_ok(values[i].value) != values[i].ok)
			fail_msg("%s: want %s", values[i].name,
			    values[i].ok ? "taken" : "refused");
}

static void
header_names(void **state)
{
	(void)state;
	assert_true(apply_name_ok(SLICE("DKIM-Signature")));
	assert_true(apply_name_ok(SLICE("X-Penstock-!#$")));
	assert_false(apply_name_ok(SLICE("")));
	assert_false(apply_name_ok(SLICE("a b")));
	assert_false(apply_name_ok(SLICE("a:")));
	assert_false(apply_name_ok(SLICE("a\n")));
	assert_false(apply_name_ok(SLICE("a\0b")));
	assert_false(apply_name_ok(SLICE("\xc3\xa9")));
}

static struct edit edits[] = {
	{ .kind = EDIT_REMOVE, .name = SLICE("X-Penstock-B"), .index = 2 },
	{ .kind = EDIT_REMOVE, .name = SLICE("X-Penstock-B"), .index = 1 },
	{ .kind = EDIT_DROP_RCPT, .value = SLICE("<a@b.example>") },
	{ .kind = EDIT_QUARANTINE, .value = SLICE("limit daily: held") },
	{ .kind = EDIT_INSERT, .name = SLICE("DKIM-Signature"),
	    .value = SLICE("v=1;\n\tb=x") },
};

static const char all_edits[] = "chg(X-Penstock-B,2,NULL)"
    "chg(X-Penstock-B,1,NULL)del(<a@b.example>)hold(limit daily: held)"
    "ins(0,DKIM-Signature,v=1;\n\tb=x)";

static void
edits_leave_in_the_order_of_the_plan(void **state)
{
	struct plan plan = { .edits = edits, .n = 5 };
	struct arena *arena = arena_new(4096, 0);
	struct why why;

	(void)state;
	begin(0);
	assert_int_equal(apply_plan(NULL, &plan, arena, &why), 0);
	got_sent("the order of the plan", all_edits);
	arena_free(arena);
}

static void
any_edit_that_fails_is_told(void **state)
{
	struct plan plan = { .edits = edits, .n = 5 };
	struct arena *arena = arena_new(4096, 0);
	struct why why;

	(void)state;
	for (int n = 1; n <= 5; n++) {
		begin(n);
		assert_int_equal(apply_plan(NULL, &plan, arena, &why), -1);
		assert_int_equal(calls, n);
	}
	assert_string_equal(why.text, "insert DKIM-Signature (edit 5 of 5)");
	arena_free(arena);
}

static void
a_return_path_leaves_without_words_of_its_own(void **state)
{
	static struct edit one = { .kind = EDIT_RETURN_PATH,
		.value = SLICE("b+x@bounce.acme.example") };
	struct plan plan = { .edits = &one, .n = 1 };
	struct arena *arena = arena_new(4096, 0);
	struct why why;

	(void)state;
	begin(0);
	assert_int_equal(apply_plan(NULL, &plan, arena, &why), 0);
	got_sent("a return path", "from(b+x@bounce.acme.example,NULL)");
	arena_free(arena);
}

static void
what_must_not_leave_does_not(void **state)
{
	static const struct edit bad[] = {
		{ .kind = EDIT_INSERT, .name = SLICE("A\nB"),
		    .value = SLICE("x") },
		{ .kind = EDIT_INSERT, .name = SLICE("A"),
		    .value = SLICE("x\nBcc: y") },
		{ .kind = EDIT_REMOVE, .name = SLICE("A:") , .index = 1 },
		{ .kind = EDIT_DROP_RCPT, .value = SLICE("a\r\nb") },
		{ .kind = EDIT_QUARANTINE, .value = SLICE("a\nb") },
		{ .kind = EDIT_RETURN_PATH, .value = SLICE("a\nb") },
	};
	struct arena *arena = arena_new(4096, 0);
	struct why why;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct edit one = bad[i];
		struct plan plan = { .edits = &one, .n = 1 };

		begin(0);
		assert_int_equal(apply_plan(NULL, &plan, arena, &why), -1);
		assert_int_equal(calls, 0);
	}
	arena_free(arena);
}

static void
without_memory_nothing_leaves(void **state)
{
	struct plan plan = { .edits = edits, .n = 5 };
	struct arena *arena = arena_new(16, 16);
	struct why why;

	(void)state;
	begin(0);
	assert_int_equal(apply_plan(NULL, &plan, arena, &why), -1);
	assert_int_equal(calls, 0);
	arena_free(arena);
}

static void
replies(void **state)
{
	struct answer a = { .code = "451", .dsn = "4.7.0",
		.text = SLICE("80% spent") };

	(void)state;
	begin(0);
	apply_reply(NULL, &a);
	got_sent("a reply", "reply(451,4.7.0,80%% spent)");
	begin(0);
	a.text = SLICE("80%\r\n250 ok");
	apply_reply(NULL, &a);
	got_sent("a text with a line break leaves the MTA's words", "");
	begin(0);
	a = (struct answer){ .code = NULL };
	apply_reply(NULL, &a);
	got_sent("no code, no reply", "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reply_texts),
		cmocka_unit_test(long_reply_is_cut_between_signs),
		cmocka_unit_test(header_values),
		cmocka_unit_test(header_names),
		cmocka_unit_test(edits_leave_in_the_order_of_the_plan),
		cmocka_unit_test(any_edit_that_fails_is_told),
		cmocka_unit_test(a_return_path_leaves_without_words_of_its_own),
		cmocka_unit_test(what_must_not_leave_does_not),
		cmocka_unit_test(without_memory_nothing_leaves),
		cmocka_unit_test(replies),
	};
	int failed = cmocka_run_group_tests_name("apply", tests, NULL, NULL);

	buf_free(&sent);
	return failed;
}
