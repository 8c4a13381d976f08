/*
 * date - the Gregorian calendar, without a loop over years.
 *
 * The year is taken to begin in March: the leap day is then the last of its
 * year, and the lengths of the months follow the line (153 m + 2) / 5.  The
 * calendar repeats after 400 years, which have 146,097 days.
 */
#include "lib/date.h"

#define ERA_DAYS	146097		/* of 400 years */
#define EPOCH_DAYS	719468		/* 0000-03-01 to 1970-01-01 */

/* floor_div - rounds to minus infinity; b > 0 */
static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* date_leap - has the year a 29th of February? */
bool
date_leap(int64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* date_month_days - 28 .. 31 */
int
date_month_days(int64_t year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
	    31 };

	return days[month - 1] + (month == 2 && date_leap(year));
}

/* date_exists - is there such a day? */
bool
date_exists(int64_t year, int month, int day)
{
	return month >= 1 && month <= 12 && day >= 1 &&
	    day <= date_month_days(year, month);
}

/* date_days - days since 1970-01-01 */
int64_t
date_days(int64_t year, int month, int day)
{
	int64_t march, era, of_era;

	march = (int64_t)month - 3;		/* March is 0 */
	year += floor_div(march, 12);
	march -= floor_div(march, 12) * 12;
	era = floor_div(year, 400);
	of_era = year - era * 400;
	return era * ERA_DAYS + of_era * 365 + of_era / 4 - of_era / 100 +
	    (153 * march + 2) / 5 + day - 1 - EPOCH_DAYS;
}

/* date_of - the date of a day */
void
date_of(int64_t days, int64_t *year, int *month, int *day)
{
	int64_t era, left, of_era, march;

	days += EPOCH_DAYS;
	era = floor_div(days, ERA_DAYS);
	left = days - era * ERA_DAYS;		/* 0 .. 146096 */
	/* Take out the leap days before it, then years are 365 days. */
	of_era = (left - left / 1460 + left / 36524 - left / 146096) / 365;
	left -= of_era * 365 + of_era / 4 - of_era / 100;
	march = (5 * left + 2) / 153;
	*day = (int)(left - (153 * march + 2) / 5) + 1;
	*month = (int)(march < 10 ? march + 3 : march - 9);
	*year = era * 400 + of_era + (*month <= 2);
}

/* date_weekday - 1970-01-01 was a Thursday */
int
date_weekday(int64_t days)
{
	return (int)(days + 3 - floor_div(days + 3, 7) * 7);
}
