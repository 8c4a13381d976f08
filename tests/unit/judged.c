/*
 * Weeks as people write them: ISO 8601's, a date in one, and what is none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/date.h"
#include "tools/judged.h"

static const struct {
	const char	*text;
	int		 year, month, day;	/* its Monday; year 0: none */
	const char	*name, *days;
} weeks[] = {
	{ "2026-W47", 2026, 11, 16, "2026-W47", "16 to 22 November 2026" },
	{ "2026-11-16", 2026, 11, 16, "2026-W47", "16 to 22 November 2026" },
	{ "2026-11-22", 2026, 11, 16, "2026-W47", "16 to 22 November 2026" },
	{ "2026-11-23", 2026, 11, 23, "2026-W48", "23 to 29 November 2026" },
	{ "2024-12-30", 2024, 12, 30, "2025-W01",
	    "30 December to 5 January 2025" },
	{ "2025-W01", 2024, 12, 30, "2025-W01",
	    "30 December to 5 January 2025" },
	{ "2020-W53", 2020, 12, 28, "2020-W53",
	    "28 December to 3 January 2021" },
	{ "2021-01-03", 2020, 12, 28, "2020-W53",
	    "28 December to 3 January 2021" },
	{ "2021-W01", 2021, 1, 4, "2021-W01", "4 to 10 January 2021" },
	{ "2016-02-29", 2016, 2, 29, "2016-W09",
	    "29 February to 6 March 2016" },
	{ "last", 2026, 11, 16, "2026-W47", "16 to 22 November 2026" },
	{ .text = "2021-W53" }, { .text = "2026-W00" }, { .text = "2026-W54" },
	{ .text = "2026-W4" }, { .text = "2026-W471" }, { .text = "2026W47" },
	{ .text = "2026-02-29" }, { .text = "2026-13-01" },
	{ .text = "2026-11-2" }, { .text = "2026-11-221" }, { .text = "" },
	{ .text = "1969-W30" }, { .text = "the last" },
};

static void
a_week_is_named_as_iso_8601_does(void **state)
{
	int32_t last = (int32_t)date_days(2026, 11, 23), day;
	char name[16], days[64];

	(void)state;
	for (size_t i = 0; i < sizeof(weeks) / sizeof(weeks[0]); i++) {
		bool good = judged_week(weeks[i].text, last, &day);

		if (good != (weeks[i].year != 0))
			fail_msg("%s: is it a week? got %d", weeks[i].text,
			    good);
		if (!good)
			continue;
		if (day - 7 != date_days(weeks[i].year, weeks[i].month,
		    weeks[i].day))
			fail_msg("%s: %d days off", weeks[i].text, (int)(day -
			    7 - date_days(weeks[i].year, weeks[i].month,
			    weeks[i].day)));
		assert_string_equal(judged_week_name(day, name),
		    weeks[i].name);
		assert_string_equal(judged_week_days(day, days),
		    weeks[i].days);
	}
	assert_false(judged_week("last", 0, &day));	/* none was judged */
}

static void
every_week_of_forty_years_comes_back(void **state)
{
	int32_t day, again;
	char name[16];

	(void)state;
	/* 1970-01-05 is a Monday */
	for (day = 4 + 7; day < 14600; day += 7) {
		if (!judged_week(judged_week_name(day, name), 0, &again) ||
		    again != day)
			fail_msg("%s: day %d came back as %d", name, (int)day,
			    (int)again);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_week_is_named_as_iso_8601_does),
		cmocka_unit_test(every_week_of_forty_years_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
