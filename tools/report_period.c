/*
 * report_period - which days a report is about, from what a person writes.
 *
 * Nothing is counted from today: "last" and the default mean the last day that
 * watch/ has, so that the same store gives the same report tomorrow.  Weeks
 * are those of ISO 8601: from Monday, and week 1 has the year's first
 * Thursday.
 */
#include "tools/report.h"

#include <stdio.h>

#include "lib/date.h"
#include "lib/text.h"

#define YEARS_FROM	1970
#define YEARS_UNTIL	9999

/* day_text - "2026-11-24" */
const char *
day_text(int32_t days, char out[16])
{
	int64_t year;
	int month, day;

	date_of(days, &year, &month, &day);
	snprintf(out, 16, "%04d-%02d-%02d", (int)(year % 10000), month, day);
	return out;
}

/* monday - of the week that holds that day */
static int32_t
monday(int32_t day)
{
	return day - date_weekday(day);
}

/* week_one - the Monday of week 1: 4 January is always in it */
static int32_t
week_one(int64_t year)
{
	return monday((int32_t)date_days(year, 1, 4));
}

/* week_of - the week that begins on that Monday */
static void
week_of(int32_t from, struct period *p)
{
	int64_t year;
	int month, day;

	date_of(from + 3, &year, &month, &day);		/* its Thursday */
	*p = (struct period){ .unit = PERIOD_WEEK, .from = from,
	    .until = from + 7, .before = from - 7 };
	snprintf(p->name, sizeof(p->name), "%04d-W%02d", (int)(year % 10000),
	    (from - week_one(year)) / 7 + 1);
}

/* day_of - that one */
static void
day_of(int32_t at, struct period *p)
{
	*p = (struct period){ .unit = PERIOD_DAY, .from = at,
	    .until = at + 1, .before = at - 1 };
	day_text(at, p->name);
}

/* month_of - the one of that year */
static void
month_of(int64_t year, int month, struct period *p)
{
	*p = (struct period){ .unit = PERIOD_MONTH,
	    .from = (int32_t)date_days(year, month, 1),
	    .until = (int32_t)date_days(year, month + 1, 1),
	    .before = (int32_t)date_days(year, month - 1, 1) };
	snprintf(p->name, sizeof(p->name), "%04d-%02d", (int)(year % 10000),
	    month);
}

/* digits - so many of them and no other byte, as a number; -1 */
static int
digits(struct slice s, size_t n)
{
	int value = 0;

	if (s.n < n)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return -1;
		value = value * 10 + (s.p[i] - '0');
	}
	return value;
}

/* year_in - four digits that are a year we count in */
static bool
year_in(struct slice s, int *year)
{
	*year = digits(s, 4);
	return *year >= YEARS_FROM && *year < YEARS_UNTIL && s.n > 4 &&
	    s.p[4] == '-';
}

/* read_date - "2026-11-24" */
static bool
read_date(struct slice s, int32_t *days)
{
	int year, month, day;

	if (s.n != 10 || s.p[7] != '-' || !year_in(s, &year))
		return false;
	month = digits(slice_from(s, 5), 2);
	day = digits(slice_from(s, 8), 2);
	if (month < 1 || month > 12 || day < 1 ||
	    !date_exists(year, month, day))
		return false;
	*days = (int32_t)date_days(year, month, day);
	return true;
}

/* read_week - "2026-W47", or a date in it */
static bool
read_week(struct slice s, struct period *p)
{
	int year, week;
	int32_t at;

	if (read_date(s, &at)) {
		week_of(monday(at), p);
		return true;
	}
	if (s.n != 8 || !year_in(s, &year) || s.p[5] != 'W' ||
	    (week = digits(slice_from(s, 6), 2)) < 1)
		return false;
	at = week_one(year) + 7 * (week - 1);
	week_of(at, p);
	return at < week_one(year + 1);		/* a year has 52 or 53 */
}

/* read_month - "2026-11" */
static bool
read_month(struct slice s, struct period *p)
{
	int year, month;

	if (s.n != 7 || !year_in(s, &year) ||
	    (month = digits(slice_from(s, 5), 2)) < 1 || month > 12)
		return false;
	month_of(year, month, p);
	return true;
}

/* period_last - the one that holds that day */
static void
period_last(enum period_unit unit, int32_t last, struct period *p)
{
	int64_t year;
	int month, day;

	date_of(last, &year, &month, &day);
	if (unit == PERIOD_DAY)
		day_of(last, p);
	else if (unit == PERIOD_WEEK)
		week_of(monday(last), p);
	else
		month_of(year, month, p);
}

/* period_parse - what --day, --week and --month take */
int
period_parse(enum period_unit unit, struct slice s, int32_t last,
    struct period *p, struct why *why)
{
	static const char *const wanted[] = { "a date, \"2026-11-24\"",
	    "a week, \"2026-W47\", or a date in it", "a month, \"2026-11\"" };
	struct quoted quoted;
	int32_t at;

	if (slice_is(s, "last")) {
		period_last(unit, last, p);
		return 0;
	}
	if (unit == PERIOD_DAY && read_date(s, &at)) {
		day_of(at, p);
		return 0;
	}
	if (unit == PERIOD_WEEK && read_week(s, p))
		return 0;
	if (unit == PERIOD_MONTH && read_month(s, p))
		return 0;
	return why_set(why, "%s is not %s, and not \"last\"",
	    text_quote(s, &quoted), wanted[unit]);
}

/* period_usual - of the week that begins, the one before it is whole */
void
period_usual(int32_t first, int32_t last, struct period *p)
{
	int32_t from = monday(last);

	if (last < from + 6 && first < from)
		from -= 7;
	week_of(from, p);
}
