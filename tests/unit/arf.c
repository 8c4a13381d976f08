/*
 * arf - each sample of tests/fuzz/corpus/arf and what is read in it:
 * "type source mail_from recipients", hidden values left out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/buf.h"
#include "tests/unit/samples.h"
#include "tools/ingest/arf.h"
#include "tools/ingest/fields.h"
#include "tools/ingest/sort.h"

#define USUAL	"192.0.2.25 news@acme.example ann@far.example"

struct complaint {
	const char	*file, *want;
	bool		 hidden, bare;	/* bare: no head of the message */
};

/* clang-format off */
static const struct complaint complaints[] = {
	{ "abuse", "abuse " USUAL, false, false },
	{ "quoted-type", "abuse " USUAL, false, false },
	{ "version-0.1", "abuse " USUAL, false, false },
	{ "redacted", "abuse  news@acme.example", true, false },
	{ "hashed", "abuse 192.0.2.25 news@acme.example", true, true },
	{ "several", "abuse  news@acme.example ann@far.example "
	  "bob@far.example", false, false },
	{ "not-spam", "not-spam " USUAL, false, false },
	{ "opt-out", "opt-out " USUAL, false, false },
	{ "auth-failure", "auth-failure " USUAL, false, false },
	{ "unknown-type", "unknown " USUAL, false, false },
	{ "headers-only", "abuse " USUAL, false, false },
	{ "base64", "abuse " USUAL, false, false },
	{ "cfbl", "abuse " USUAL " k7abcdefghij", false, false },
	{ "jmrp", "abuse  news@acme.example ann@far.example", false, false },
	{ "text-part", "abuse " USUAL, false, false },
	{ "sns", "abuse  news@acme.example ann@far.example", false, false },
	{ "sns-not-spam", "not-spam  news@acme.example ann@far.example",
	  false, false },
	{ "sns-several", "abuse  news@acme.example", true, false },
};
/* clang-format on */

/* read_one - 1 when it is a complaint */
static int
read_one(struct slice raw, struct arena *arena, struct arf *a)
{
	struct mail m;
	struct why why;

	if (mail_read(raw, arena, &m, &why) == -1 ||
	    sort_mail(&m, false, arena) != REPORT_ARF)
		return 0;
	return arf_read(&m, arena, a, &why);
}

/* test_complaints - the table */
static void
test_complaints(void **state)
{
	struct arena *arena = arena_new(1 << 16, 0);
	struct arf a;

	(void)state;
	for (size_t i = 0; i < sizeof(complaints) / sizeof(complaints[0]);
	    i++) {
		const struct complaint *c = &complaints[i];
		struct slice raw = sample("arf", c->file);
		struct buf got = BUF_INIT;

		if (read_one(raw, arena, &a) != 1)
			fail_msg("%s: not taken for a complaint", c->file);
		buf_printf(&got, "%s %.*s %.*s", arf_type_names[a.type],
		    SLICE_ARG(a.source_ip), SLICE_ARG(a.mail_from));
		for (size_t j = 0; j < a.nrecipients; j++)
			buf_printf(&got, " %.*s", SLICE_ARG(a.recipients[j]));
		if (a.feedback_id.n > 0)
			buf_printf(&got, " %.*s", SLICE_ARG(a.feedback_id));
		if (!slice_is(buf_slice(&got), c->want))
			fail_msg("%s:\n got: %.*s\nwant: %s", c->file,
			    (int)got.len, got.data, c->want);
		assert_int_equal(a.hidden, c->hidden);
		if (text_has(a.returned, "<1001.news@acme.example>") ==
		    c->bare)
			fail_msg("%s: returned: %.*s", c->file,
			    SLICE_ARG(a.returned));
		if (!slice_is(a.reporter, "far.example") &&
		    !slice_is(a.reporter, "hotmail.example"))
			fail_msg("%s: reporter %.*s", c->file,
			    SLICE_ARG(a.reporter));
		buf_free(&got);
		arena_reset(arena);
		sample_free(raw);
	}
	arena_free(arena);
}

/* test_cut - every sample, cut at every byte */
static void
test_cut(void **state)
{
	struct arena *arena = arena_new(1 << 16, 0);
	struct arf a;

	(void)state;
	for (size_t i = 0; i < sizeof(complaints) / sizeof(complaints[0]);
	    i++) {
		struct slice raw = sample("arf", complaints[i].file);

		for (size_t n = 0; n <= raw.n; n++) {
			char *copy = malloc(n > 0 ? n : 1);

			memcpy(copy, raw.p, n);
			read_one((struct slice){ copy, n }, arena, &a);
			arena_reset(arena);
			free(copy);
		}
		sample_free(raw);
	}
	arena_free(arena);
}

/* test_many - recipients beyond the bound are left */
static void
test_many(void **state)
{
	struct arena *arena = arena_new(1 << 16, 0);
	struct buf b = BUF_INIT;
	struct arf a;

	(void)state;
	buf_str(&b, "From: fbl@far.example\nContent-Type: "
	    "message/feedback-report\n\nFeedback-Type: abuse\n");
	for (int i = 0; i < 100000; i++)
		buf_printf(&b, "Original-Rcpt-To: a%d@b.example\n", i);
	assert_int_equal(read_one(buf_slice(&b), arena, &a), 1);
	assert_int_equal(a.nrecipients, ARF_RECIPIENTS);
	buf_free(&b);
	arena_free(arena);
}

/* test_listed - what SES did not send is no complaint */
static void
test_listed(void **state)
{
	struct arena *arena = arena_new(1 << 16, 0);
	struct slice raw = sample("arf", "sns-listed");
	struct arf a;

	(void)state;
	assert_int_equal(read_one(raw, arena, &a), 0);
	sample_free(raw);
	arena_free(arena);
}

/* start - GMime's tables */
static int
start(void **state)
{
	(void)state;
	mail_init();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_complaints),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_listed),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
