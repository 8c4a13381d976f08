/*
 * Pictures of a page: scales, nothing to draw, and that nothing a stranger
 * wrote leaves its place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tools/chart.h"

#define LAST	20780		/* 2026-11-23, a Monday */

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

static void
markup_is_text_in_a_page(void **state)
{
	(void)state;
	markup_str(&out, "<b onload=\"x()\">&'");
	is("&lt;b onload=&quot;x()&quot;&gt;&amp;&#39;");
	markup_str(&out, "a\033[2J\177\n\302\233b");
	is("a [2J   b");
	markup_str(&out, "\xff\xc0\xaf");
	is("\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	markup_str(&out, "a\xe2\x80\xae" "b\xe2\x81\xa6\xef\xbb\xbf");
	is("a\xef\xbf\xbd" "b\xef\xbf\xbd\xef\xbf\xbd");
	markup_str(&out, "J\xc3\xb8rgen \xe2\x82\xac");
	is("J\xc3\xb8rgen \xe2\x82\xac");
	markup_text(&out, (struct slice){ "\xe2\x82", 2 });	/* cut */
	is("\xef\xbf\xbd\xef\xbf\xbd");
}

static void
scales_end_with_numbers_that_are_easy(void **state)
{
	static const double cases[][2] = { { 0.0031, 0.004 }, { 1, 1 },
	    { 1.01, 2 }, { 7, 8 }, { 9.5, 10 }, { 1234, 2000 }, { 0, 1 },
	    { -1, 1 } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_true(chart_nice(cases[i][0]) > cases[i][1] * 0.9999 &&
		    chart_nice(cases[i][0]) < cases[i][1] * 1.0001);
}

static void
pictures_of_nothing_have_no_wild_numbers(void **state)
{
	const struct chart_days d = { LAST, 3, 3 };
	const uint64_t zeros[3] = { 0 };
	const struct chart_part part = { "s1", zeros };
	const struct chart_point none[3] = { { .known = false } };
	const struct chart_line line = { 0.01, "1 %" };
	const struct chart_mark mark = { LAST, 0, 0, "A1", false };
	const double cuts[3] = { 10, 25, 50 };
	const bool no[3] = { false };

	(void)state;
	chart_stack(&out, "a", "t", "d", &d, &part, 1, no);
	chart_band(&out, "b", "t", "d", &d, none, &line, 1);
	chart_small(&out, "e", "t", "d", &d, none, none, 0.95, 0.8);
	chart_fall(&out, "f", "t", "d", NULL, 0, cuts, 1);
	chart_curve(&out, "g", "t", "d", &mark, 1);
	buf_char(&out, '\0');
	assert_null(strstr(out.data, "nan"));
	assert_null(strstr(out.data, "inf"));
	assert_null(strstr(out.data, "=\"-"));
}

static void
every_level_is_in_sight_of_a_small_share(void **state)
{
	const struct chart_days d = { LAST, 2, 2 };
	const struct chart_point p[2] = { { 0.0001, 0.0002, 0.0004, true },
	    { 0.0002, 0.0003, 0.0005, true } };
	const struct chart_line lines[3] = { { 0.01, "1 %" }, { 0.02, "2 %" },
	    { 0.05, "5 %" } };

	(void)state;
	chart_band(&out, "c", "t", "d", &d, p, lines, 3);
	buf_char(&out, '\0');
	assert_non_null(strstr(out.data, "cut1"));
	assert_non_null(strstr(out.data, "cut2"));
	assert_non_null(strstr(out.data, "cut3"));
	assert_non_null(strstr(out.data, ">5 %<"));
}

static void
names_in_pictures_are_text_and_cut_between_characters(void **state)
{
	char name[200];
	uint8_t levels[2] = { 0, 4 };
	struct chart_strip strip = { SLICE("domain"), { name, 0 }, levels };

	(void)state;
	for (size_t i = 0; i + 1 < sizeof(name); i += 2)
		memcpy(name + i, "\xc3\xb8", 2);
	strip.name.n = sizeof(name);
	chart_strips(&out, "d", "t", "d", LAST, 2, &strip, 1);
	buf_char(&out, '\0');
	assert_null(strstr(out.data, "\xef\xbf\xbd"));
	assert_non_null(strstr(out.data, "\xc3\xb8…"));
	buf_reset(&out);
	strip.name = SLICE("<script>");
	chart_strips(&out, "d", "t", "d", LAST, 2, &strip, 1);
	buf_char(&out, '\0');
	assert_null(strstr(out.data, "<script>"));
}

#define CASE(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(markup_is_text_in_a_page),
		CASE(scales_end_with_numbers_that_are_easy),
		CASE(pictures_of_nothing_have_no_wild_numbers),
		CASE(every_level_is_in_sight_of_a_small_share),
		CASE(names_in_pictures_are_text_and_cut_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
