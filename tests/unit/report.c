/*
 * What the voices of penstock report share: periods, shares, words; and that
 * nothing a stranger wrote can drive a terminal.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tools/report.h"
#include "tools/report_pen.h"

static struct why why;
static struct buf out;

static int
setup(void **state)
{
	(void)state;
	out = (struct buf)BUF_INIT;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	buf_free(&out);
	return 0;
}

/* is - what was written, and nothing more; then nothing is */
static void
is(const char *want)
{
	buf_char(&out, '\0');
	assert_string_equal(out.data, want);
	buf_reset(&out);
}

/* --- periods -------------------------------------------------------------- */

#define LAST	20780		/* 2026-11-23, a Monday */

static const struct period_case {
	const char	*name;
	enum period_unit unit;
	const char	*asked, *want;	/* name, from, last day, before */
} periods[] = {
	{ "a day", PERIOD_DAY, "2026-11-22", "2026-11-22 2026-11-22 2026-11-22 2026-11-21" },
	{ "a leap day", PERIOD_DAY, "2028-02-29", "2028-02-29 2028-02-29 2028-02-29 2028-02-28" },
	{ "the last day", PERIOD_DAY, "last", "2026-11-23 2026-11-23 2026-11-23 2026-11-22" },
	{ "a week by its number", PERIOD_WEEK, "2026-W47", "2026-W47 2026-11-16 2026-11-22 2026-11-09" },
	{ "a week by a day in it", PERIOD_WEEK, "2026-11-18", "2026-W47 2026-11-16 2026-11-22 2026-11-09" },
	{ "the week that has begun", PERIOD_WEEK, "last", "2026-W48 2026-11-23 2026-11-29 2026-11-16" },
	{ "week 1 may begin in the year before", PERIOD_WEEK, "2026-W01", "2026-W01 2025-12-29 2026-01-04 2025-12-22" },
	{ "and the first days of January may be of the year before", PERIOD_WEEK, "2027-01-03", "2026-W53 2026-12-28 2027-01-03 2026-12-21" },
	{ "a year with 53 weeks", PERIOD_WEEK, "2026-W53", "2026-W53 2026-12-28 2027-01-03 2026-12-21" },
	{ "a month", PERIOD_MONTH, "2026-11", "2026-11 2026-11-01 2026-11-30 2026-10-01" },
	{ "January is compared with December", PERIOD_MONTH, "2026-01", "2026-01 2026-01-01 2026-01-31 2025-12-01" },
	{ "the last month", PERIOD_MONTH, "last", "2026-11 2026-11-01 2026-11-30 2026-10-01" },
	{ "a day that there is not", PERIOD_DAY, "2026-02-29", NULL },
	{ "a month that there is not", PERIOD_MONTH, "2026-13", NULL },
	{ "a week that the year does not have", PERIOD_WEEK, "2025-W53", NULL },
	{ "week 0", PERIOD_WEEK, "2026-W00", NULL },
	{ "a week as a day", PERIOD_DAY, "2026-W47", NULL },
	{ "a day as a month", PERIOD_MONTH, "2026-11-01", NULL },
	{ "before 1970", PERIOD_MONTH, "1969-12", NULL },
	{ "nothing", PERIOD_DAY, "", NULL },
	{ "with a sign", PERIOD_MONTH, "2026-+1", NULL },
	{ "with something behind", PERIOD_DAY, "2026-11-22x", NULL },
};

static void
periods_are_what_they_are_called(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(periods) / sizeof(periods[0]); i++) {
		const struct period_case *c = &periods[i];
		char from[16], to[16], before[16], got[100];
		struct period p;

		if (period_parse(c->unit, slice_of(c->asked), LAST, &p,
		    &why) == -1) {
			if (c->want != NULL)
				fail_msg("%s: %s", c->name, why.text);
			continue;
		}
		snprintf(got, sizeof(got), "%s %s %s %s", p.name,
		    day_text(p.from, from), day_text(p.until - 1, to),
		    day_text(p.before, before));
		if (c->want == NULL || strcmp(got, c->want) != 0)
			fail_msg("%s: got %s, want %s", c->name, got,
			    c->want != NULL ? c->want : "an error");
	}
}

static void
a_period_cut_at_any_byte_is_refused_or_a_period(void **state)
{
	static const char *const texts[] = { "2026-11-22", "2026-W47",
	    "2026-11" };

	(void)state;
	for (int u = 0; u < 3; u++)
		for (size_t n = 0; n <= strlen(texts[u]); n++) {
			char *exact = malloc(n + 1);
			struct period p;

			memcpy(exact, texts[u], n);
			assert_int_equal(period_parse((enum period_unit)u,
			    (struct slice){ exact, n }, LAST, &p, &why),
			    n == strlen(texts[u]) ? 0 : -1);
			free(exact);
		}
}

static void
by_itself_it_is_the_last_whole_week(void **state)
{
	struct period p;

	(void)state;
	period_usual(LAST - 100, LAST, &p);	/* a Monday has begun */
	assert_string_equal(p.name, "2026-W47");
	period_usual(LAST - 100, LAST - 1, &p);	/* a Sunday */
	assert_string_equal(p.name, "2026-W47");
	period_usual(LAST - 100, LAST - 2, &p);
	assert_string_equal(p.name, "2026-W46");
	period_usual(LAST, LAST, &p);		/* all there is */
	assert_string_equal(p.name, "2026-W48");
	period_usual(LAST, LAST + 2, &p);
	assert_string_equal(p.name, "2026-W48");
}

/* --- shares --------------------------------------------------------------- */

static void
a_share_is_of_what_it_says(void **state)
{
	uint64_t n[TALLIES] = { [TALLY_DELIVERED] = 90, [TALLY_HARD] = 4,
	    [TALLY_BLOCKED] = 3, [TALLY_BLOCKED_DAY] = 2, [TALLY_BOUNCED] = 2,
	    [TALLY_EXPIRED] = 1, [TALLY_COMPLAINTS] = 1,
	    [TALLY_FEEDBACK] = 20, [TALLY_OPT_OUT] = 9,
	    [TALLY_DEFERRED] = 300 };
	static const struct share want[RATES] = { { 90, 100 }, { 4, 100 },
	    { 1, 20 }, { 5, 100 }, { 100, 100 }, { 9, 90 } };
	char text[32];

	(void)state;
	for (int i = 0; i < RATES; i++) {
		struct share s = rate_of(n, (enum rate)i);

		if (s.x != want[i].x || s.n != want[i].n)
			fail_msg("%s: got %d of %d", rate_names[i], (int)s.x,
			    (int)s.n);
	}
	n[TALLY_FEEDBACK] = n[TALLY_COMPLAINTS] = 0;
	assert_string_equal(share_text(rate_of(n, RATE_COMPLAINT), 2, text),
	    "n/a");
	assert_string_equal(share_text(want[RATE_COMPLAINT], 2, text),
	    "5.00 %");
}

static void
numbers_as_people_read_them(void **state)
{
	char text[32];

	(void)state;
	assert_string_equal(number_text(0, text), "0");
	assert_string_equal(number_text(999, text), "999");
	assert_string_equal(number_text(1000, text), "1,000");
	assert_string_equal(number_text(UINT64_MAX, text),
	    "18,446,744,073,709,551,615");
	assert_string_equal(pen_count(1234567, 9, text), "1,234,567");
	assert_string_equal(pen_count(1234567, 8, text), "1.2M");
	assert_string_equal(pen_count(UINT64_MAX, 8, text), "18.4E");
}

static const struct official_case {
	const char	*name, *value, *unit, *want;
	bool		upper;
	enum snapshot_state state;
} officials[] = {
	{ .name = "a share in percent", .value = "0.0031", .unit = "share", .want = "0.31 %" },
	{ .name = "a bound stays one", .value = "0.001", .unit = "share", .upper = true, .want = "< 0.1 %" },
	{ .name = "a real zero", .value = "0", .unit = "share", .want = "0 %" },
	{ .name = "a word", .value = "GREEN", .unit = "colour", .want = "GREEN colour" },
	{ .name = "a share that is none", .value = "0.1x", .unit = "share", .want = "0.1x share" },
	{ .name = "one that is not a number", .value = "nan", .unit = "share", .want = "nan share" },
	{ .name = "nothing is a state, never a zero", .value = "", .unit = "share", .state = SNAPSHOT_NO_DATA, .want = "NO_DATA" },
	{ .name = "an old one says so", .value = "0.002", .unit = "share", .state = SNAPSHOT_STALE, .want = "0.2 % (STALE)" },
};

static void
figures_of_providers_are_as_they_said_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(officials) / sizeof(officials[0]); i++) {
		const struct official_case *c = &officials[i];
		struct snapshot s = { .value = slice_of(c->value),
			.unit = slice_of(c->unit), .upper = c->upper,
			.state = c->state };

		official_text(&s, &out);
		buf_char(&out, '\0');
		if (strcmp(out.data, c->want) != 0)
			fail_msg("%s: got %s, want %s", c->name, out.data,
			    c->want);
		buf_reset(&out);
	}
}

/* --- strangers' text ------------------------------------------------------ */

static void
a_terminal_gets_characters_alone(void **state)
{
	struct pen wide = { &out, 80, true, false };
	struct pen plain = { &out, 80, false, false };

	(void)state;
	assert_int_equal(pen_clean(&wide, SLICE("a\033[2J\xff\xe2\x80\xaez"),
	    40), 8);
	is("a [2J??z");
	(void)pen_clean(&plain, SLICE("J\xc3\xb8rgen"), 40);
	is("J?rgen");
	assert_int_equal(pen_clean(&wide, SLICE("0123456789"), 7), 7);
	is("0123...");
	assert_int_equal(pen_clean(&wide, SLICE("\xc3\xb8\xc3\xb8\xc3\xb8"),
	    3), 3);
	is("\xc3\xb8\xc3\xb8\xc3\xb8");
}

static void
words_are_wrapped_and_long_ones_end(void **state)
{
	struct pen p = { &out, 20, true, false };

	(void)state;
	pen_wrap(&p, 2, 4, SLICE("one two three four five six"));
	is("one two three four\n    five six\n");
	pen_wrap(&p, 2, 8, SLICE("a b c"));
	is("a b c\n");
	pen_wrap(&p, 4, 4, SLICE("a 0123456789012345678901234567890"));
	is("a\n    0123456789012...\n");
	pen_wrap(&p, 0, 0, SLICE(""));
	is("\n");
}

static void
a_long_name_takes_a_line(void **state)
{
	struct pen p = { &out, 80, true, false };

	(void)state;
	pen_name(&p, SLICE("short"), 8);
	is("short   ");
	pen_name(&p, SLICE("longer-than-that"), 8);
	is("longer-than-that\n        ");
}

#define CASE(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(periods_are_what_they_are_called),
		CASE(a_period_cut_at_any_byte_is_refused_or_a_period),
		CASE(by_itself_it_is_the_last_whole_week),
		CASE(a_share_is_of_what_it_says),
		CASE(numbers_as_people_read_them),
		CASE(figures_of_providers_are_as_they_said_them),
		CASE(a_terminal_gets_characters_alone),
		CASE(words_are_wrapped_and_long_ones_end),
		CASE(a_long_name_takes_a_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
