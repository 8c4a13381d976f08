/*
 * zone - the oracle is libc: the same zone by TZ and localtime_r, at random
 * moments and around every change of the clock.  Windows are proved by what
 * they promise (each date has exactly one, no gap, the clock shows their
 * beginning) and by a table of days on which clocks did something odd.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <pthread.h>

#include "lib/date.h"
#include "lib/zone.h"

#define S	INT64_C(1000000)
#define FIRST	INT64_C(0)			/* 1970 */
#define LAST	INT64_C(4102444800)		/* 2100 */

static const char *const names[] = { "UTC", "Europe/Berlin", "Europe/Madrid",
	"America/New_York", "Australia/Lord_Howe", "Pacific/Apia",
	"Asia/Kolkata", "Africa/Cairo", "Europe/Dublin", "America/Santiago",
	"Africa/Casablanca", "America/St_Johns", "Pacific/Kwajalein",
	"Asia/Tehran", "Etc/GMT+5", "Antarctica/Troll" };
#define NAMES	(sizeof(names) / sizeof(names[0]))

static uint64_t seed;

/* roll - the next random number (splitmix64) */
static uint64_t
roll(void)
{
	uint64_t x = seed += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

/* rounds - how many moments per zone */
static int
rounds(void)
{
	const char *text = getenv("ROUNDS");

	return (text != NULL ? atoi(text) : 50) * 100;
}

/* as_libc - does the wall show what libc says? */
static void
as_libc(const struct zone *z, int64_t t)
{
	struct civil c;
	struct tm tm;
	time_t when = (time_t)t;

	assert_non_null(localtime_r(&when, &tm));
	zone_civil(z, t * S + 999999, &c);
	if (c.year == tm.tm_year + 1900 && c.month == tm.tm_mon + 1 &&
	    c.day == tm.tm_mday && c.hour == tm.tm_hour &&
	    c.minute == tm.tm_min && c.second == tm.tm_sec &&
	    c.weekday == (tm.tm_wday + 6) % 7 && c.offset == tm.tm_gmtoff)
		return;
	fail_msg("%s at %lld: got %d-%d-%d %d:%d:%d wd %d off %d, want "
	    "%d-%d-%d %d:%d:%d wd %d off %ld", zone_name(z), (long long)t,
	    c.year, c.month, c.day, c.hour, c.minute, c.second, c.weekday,
	    c.offset, tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
	    tm.tm_min, tm.tm_sec, (tm.tm_wday + 6) % 7, tm.tm_gmtoff);
}

/* offset_at - by libc */
static long
offset_at(int64_t t)
{
	time_t when = (time_t)t;
	struct tm tm;

	localtime_r(&when, &tm);
	return tm.tm_gmtoff;
}

/* next_change - the first second of another offset after t, by libc */
static int64_t
next_change(int64_t t, int64_t last)
{
	const int64_t step = 7 * 86400;
	int64_t low, high, middle;

	for (; t < last; t += step) {
		if (offset_at(t) == offset_at(t + step))
			continue;
		for (low = t, high = t + step; high - low > 1;) {
			middle = low + (high - low) / 2;
			if (offset_at(middle) == offset_at(t))
				low = middle;
			else
				high = middle;
		}
		return high;
	}
	return last;
}

static int64_t changes[1024];	/* of the zone in hand, by libc */
static size_t nchanges;

/* zone - that must be there; libc uses it too from now on */
static const struct zone *
zone(const char *name)
{
	const struct zone *z;
	struct why why;
	int64_t t = FIRST;

	if (zone_find(name, &z, &why) == -1)
		fail_msg("%s", why.text);
	setenv("TZ", name, 1);
	tzset();
	for (nchanges = 0; (t = next_change(t, LAST)) < LAST;) {
		assert_true(nchanges < sizeof(changes) / sizeof(changes[0]));
		changes[nchanges++] = t;
	}
	return z;
}

static void
civil_is_what_libc_says(void **state)
{
	const struct zone *z;
	size_t i, k;
	int n;

	(void)state;
	for (i = 0; i < NAMES; i++) {
		z = zone(names[i]);
		for (n = rounds(); n > 0; n--)
			as_libc(z, FIRST + (int64_t)(roll() % (LAST - FIRST)));
		for (k = 0; k < nchanges; k++)
			for (n = -2; n <= 2; n++)
				as_libc(z, changes[k] + n);
	}
}

/* shown_from - is t the first second at which the wall shows that or more? */
static void
shown_from(const struct zone *z, const struct civil *c, int64_t at)
{
	struct civil got;
	int64_t want, have, t = at / S;

	want = ((date_days(c->year, c->month, c->day) * 24 + c->hour) * 60 +
	    c->minute) * 60 + c->second;
	have = t + offset_at(t);
	zone_civil(z, at, &got);
	if (have < want || (have > want && t - 1 + offset_at(t - 1) >= want))
		fail_msg("%s: %d-%d-%d %d:%d:%d is told as %lld, where the "
		    "wall shows %d-%d-%d %d:%d:%d", zone_name(z), c->year,
		    c->month, c->day, c->hour, c->minute, c->second,
		    (long long)t, got.year, got.month, got.day, got.hour,
		    got.minute, got.second);
}

static void
moment_is_the_first_that_shows_it(void **state)
{
	const struct zone *z;
	struct civil c;
	int64_t t, at;
	size_t i;
	int n;

	(void)state;
	for (i = 0; i < NAMES; i++) {
		z = zone(names[i]);
		for (n = rounds(); n > 0; n--) {
			t = FIRST + (int64_t)(roll() % (LAST - FIRST));
			if (n % 2 == 0 && nchanges > 0)	/* near a change */
				t = changes[roll() % nchanges] - 7200 +
				    (int64_t)(roll() % 14400);
			zone_civil(z, t * S, &c);
			at = zone_moment(z, c.year, c.month, c.day, c.hour,
			    c.minute, c.second);
			shown_from(z, &c, at);
			/* The same wall: t, or the first of two. */
			assert_true(at <= t * S && at >= (t - 90000) * S);
			c.hour = (int)(roll() % 24);	/* maybe in a gap */
			at = zone_moment(z, c.year, c.month, c.day, c.hour,
			    c.minute, c.second);
			shown_from(z, &c, at);
		}
	}
}

/* begins_well - does the wall show the beginning of the unit at the start? */
static bool
begins_well(const struct zone *z, enum window_unit unit, int month_day,
    int64_t start)
{
	struct civil c, before;

	zone_civil(z, start, &c);
	zone_civil(z, start - S, &before);
	/* Where the clock jumped forward, the beginning was skipped. */
	if (c.offset > before.offset)
		return true;
	switch (unit) {
	case WINDOW_MINUTE: return c.second == 0;
	case WINDOW_HOUR: return c.minute == 0 && c.second == 0;
	case WINDOW_WEEK:
		if (c.weekday != 0)
			return false;
		break;
	case WINDOW_MONTH:
		if (c.day != month_day)
			return false;
		break;
	default:
		break;
	}
	return c.hour == 0 && c.minute == 0 && c.second == 0;
}

/* walk - n windows in a row: no gap, well begun, same from any moment */
static void
walk(const struct zone *z, enum window_unit unit, int month_day, int64_t t,
    int n)
{
	struct window w, before, again;
	int64_t inside;

	zone_window(z, unit, month_day, t, &before);
	assert_true(before.start <= t && t < before.end);
	for (; n > 0; n--, before = w) {
		zone_window(z, unit, month_day, before.end, &w);
		if (w.start != before.end || w.end <= w.start ||
		    !begins_well(z, unit, month_day, w.start))
			fail_msg("%s: the %s behind %lld is %lld to %lld",
			    zone_name(z), window_unit_names[unit],
			    (long long)(before.end / S),
			    (long long)(w.start / S), (long long)(w.end / S));
		inside = w.start + (int64_t)(roll() %
		    (uint64_t)(w.end - w.start));
		/* From another window, so that nothing is remembered. */
		zone_window(z, unit, month_day, before.start, &again);
		zone_window(z, unit, month_day, inside, &again);
		assert_true(again.start == w.start && again.end == w.end);
		zone_window(z, unit, month_day, before.start, &again);
		zone_window(z, unit, month_day, w.end - 1, &again);
		assert_true(again.start == w.start && again.end == w.end);
	}
}

static void
windows_tile_the_time(void **state)
{
	const struct zone *z;
	size_t i, k;

	(void)state;
	for (i = 0; i < NAMES; i++) {
		z = zone(names[i]);
		walk(z, WINDOW_DAY, 1, FIRST, 365 * 80);
		walk(z, WINDOW_WEEK, 1, FIRST, 52 * 100);
		walk(z, WINDOW_MONTH, 1, FIRST, 12 * 100);
		walk(z, WINDOW_MONTH, 17, FIRST, 12 * 100);
		walk(z, WINDOW_MONTH, 28, FIRST, 12 * 100);
		for (k = 0; k < nchanges; k++) {
			walk(z, WINDOW_HOUR, 1, (changes[k] - 18000) * S, 10);
			walk(z, WINDOW_MINUTE, 1, (changes[k] - 300) * S, 10);
		}
	}
}

/* Each date that libc shows at all has one day, and a day shows one date but
 * for minutes that repeat where the clock goes back over midnight. */
static void
each_date_has_one_day(void **state)
{
	const struct zone *z;
	struct civil c, last;
	struct window w;
	int64_t date, before;
	size_t i;

	(void)state;
	for (i = 0; i < NAMES; i++) {
		z = zone(names[i]);
		zone_window(z, WINDOW_DAY, 1, FIRST * S, &w);
		zone_civil(z, w.start, &c);
		before = date_days(c.year, c.month, c.day);
		while (w.end < LAST * S) {
			zone_window(z, WINDOW_DAY, 1, w.end, &w);
			zone_civil(z, w.start, &c);
			zone_civil(z, w.end - S, &last);
			date = date_days(c.year, c.month, c.day);
			if (date_days(last.year, last.month, last.day) != date)
				fail_msg("%s: a day from %d-%d-%d to %d-%d-%d",
				    zone_name(z), c.year, c.month, c.day,
				    last.year, last.month, last.day);
			/* Apia and Kwajalein each left a date out. */
			if (date != before + 1 && !(date == before + 2 &&
			    strncmp(names[i], "Pacific/", 8) == 0))
				fail_msg("%s: %d-%d-%d follows another date",
				    zone_name(z), c.year, c.month, c.day);
			before = date;
		}
	}
}

struct window_case {
	const char		*name, *zone;
	enum window_unit	 unit;
	int			 month_day;
	const char		*at;		/* UTC */
	const char		*start, *end;	/* UTC */
};

/* clang-format off */
static const struct window_case cases[] = {
	{ "a day of 23 hours", "Europe/Berlin", WINDOW_DAY, 1,
	  "2026-03-29 12:00", "2026-03-28 23:00", "2026-03-29 22:00" },
	{ "a day of 25 hours", "Europe/Berlin", WINDOW_DAY, 1,
	  "2026-10-25 00:30", "2026-10-24 22:00", "2026-10-25 23:00" },
	{ "the same far behind the table", "Europe/Berlin", WINDOW_DAY, 1,
	  "2096-10-28 00:30", "2096-10-27 22:00", "2096-10-28 23:00" },
	{ "the hour that comes twice, first", "Europe/Berlin", WINDOW_HOUR, 1,
	  "2026-10-25 00:30", "2026-10-25 00:00", "2026-10-25 01:00" },
	{ "the hour that comes twice, again", "Europe/Berlin", WINDOW_HOUR, 1,
	  "2026-10-25 01:30", "2026-10-25 01:00", "2026-10-25 02:00" },
	{ "half an hour that comes again belongs to its hour",
	  "Australia/Lord_Howe", WINDOW_HOUR, 1,
	  "2026-04-04 15:15", "2026-04-04 14:00", "2026-04-04 15:30" },
	{ "half an hour that is skipped makes a short hour",
	  "Australia/Lord_Howe", WINDOW_HOUR, 1,
	  "2026-10-03 15:45", "2026-10-03 15:30", "2026-10-03 16:00" },
	{ "an hour in a zone of half hours", "Asia/Kolkata", WINDOW_HOUR, 1,
	  "2026-06-01 12:10", "2026-06-01 11:30", "2026-06-01 12:30" },
	{ "a day without a midnight", "America/Santiago", WINDOW_DAY, 1,
	  "2026-09-06 12:00", "2026-09-06 04:00", "2026-09-07 03:00" },
	{ "a day whose last hour comes twice", "America/Santiago", WINDOW_DAY,
	  1, "2026-04-05 03:30", "2026-04-04 03:00", "2026-04-05 04:00" },
	{ "the day before the date that was skipped", "Pacific/Apia",
	  WINDOW_DAY, 1,
	  "2011-12-30 09:59", "2011-12-29 10:00", "2011-12-30 10:00" },
	{ "the day behind the date that was skipped", "Pacific/Apia",
	  WINDOW_DAY, 1,
	  "2011-12-30 10:00", "2011-12-30 10:00", "2011-12-31 10:00" },
	{ "a week of six days around it", "Pacific/Apia", WINDOW_WEEK, 1,
	  "2011-12-30 12:00", "2011-12-26 10:00", "2012-01-01 10:00" },
	{ "minutes before midnight that come again are of the new day",
	  "America/St_Johns", WINDOW_DAY, 1,
	  "2010-11-07 02:45", "2010-11-07 02:30", "2010-11-08 03:30" },
	{ "a week begins on Monday", "UTC", WINDOW_WEEK, 1,
	  "2026-11-22 23:59", "2026-11-16 00:00", "2026-11-23 00:00" },
	{ "a week over the end of a year", "UTC", WINDOW_WEEK, 1,
	  "2027-01-01 12:00", "2026-12-28 00:00", "2027-01-04 00:00" },
	{ "a month", "UTC", WINDOW_MONTH, 1,
	  "2028-02-29 12:00", "2028-02-01 00:00", "2028-03-01 00:00" },
	{ "a month from the 17th, before it", "UTC", WINDOW_MONTH, 17,
	  "2026-01-16 23:59", "2025-12-17 00:00", "2026-01-17 00:00" },
	{ "a month from the 17th, from it on", "UTC", WINDOW_MONTH, 17,
	  "2026-12-17 00:00", "2026-12-17 00:00", "2027-01-17 00:00" },
	{ "a minute", "UTC", WINDOW_MINUTE, 1,
	  "1969-12-31 23:59", "1969-12-31 23:59", "1970-01-01 00:00" },
};
/* clang-format on */

/* utc - "2026-11-22 10:30" in microseconds */
static int64_t
utc(const char *text)
{
	int y, mo, d, h, mi;

	assert_int_equal(sscanf(text, "%d-%d-%d %d:%d", &y, &mo, &d, &h, &mi),
	    5);
	return ((date_days(y, mo, d) * 24 + h) * 60 + mi) * 60 * S;
}

static void
odd_days(void **state)
{
	const struct window_case *c;
	const struct zone *z;
	struct window w;
	char start[64], end[64];
	int wrong = 0;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		c = &cases[i];
		z = zone(c->zone);
		zone_window(z, c->unit, c->month_day, utc(c->at), &w);
		if (w.start == utc(c->start) && w.end == utc(c->end))
			continue;
		print_error("%s\n  got:  %s to %s\n  want: %s to %s\n", c->name,
		    zone_print(zone_utc(), w.start, start, sizeof(start)),
		    zone_print(zone_utc(), w.end, end, sizeof(end)),
		    c->start, c->end);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

static void
names_are_checked(void **state)
{
	static const char *const bad[] = { "", "/etc/passwd", "../passwd",
		"Europe/../../x", "Europe//Berlin", "Europe/", ".", "a b",
		"Europe/Madird", "Europe", "tzdata.zi", "zone.tab", "Ma\ndrid",
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		"xxxxxxx", "UTC0", "right/UTC" };
	const struct zone *z, *again;
	struct why why;
	char out[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		why.text[0] = '\0';
		if (zone_find(bad[i], &z, &why) != -1)
			fail_msg("\"%s\" was taken", bad[i]);
		assert_true(why.text[0] != '\0');
		assert_null(strchr(why.text, '\n'));
	}
	assert_int_equal(zone_find("Europe/Madird", &z, &why), -1);
	assert_string_equal(why.text, "there is no time zone \"Europe/Madird\" "
	    "in /usr/share/zoneinfo (package tzdata)");
	z = zone("Europe/Madrid");
	again = zone("Europe/Madrid");
	assert_ptr_equal(z, again);
	assert_string_equal(zone_name(z), "Europe/Madrid");
	assert_string_equal(zone_print(z, utc("2026-11-21 23:00"), out,
	    sizeof(out)), "2026-11-22 00:00 Europe/Madrid");
}

static void
files_that_are_none(void **state)
{
	static const struct { const char *name, *text, *want; } broken[] = {
		{ "Empty", "", "not a time zone file" },
		{ "Text", "Europe/Berlin, as a person would write it down, "
		  "in text", "not a time zone file" },
		{ "Cut", "TZif2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
		  "\0\0\0\0\0\0\0\0\0\1\0\0\0\1\0\0\0\1", "cut short" },
	};
	static const size_t lengths[] = { 0, 55, 46 };
	char dir[] = "/tmp/penstock-zone-XXXXXX", path[64];
	const struct zone *z;
	struct why why;
	FILE *f;
	size_t i;

	(void)state;
	assert_non_null(mkdtemp(dir));
	setenv("TZDIR", dir, 1);
	for (i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, broken[i].name);
		f = fopen(path, "w");
		assert_non_null(f);
		fwrite(broken[i].text, 1, lengths[i], f);
		fclose(f);
		assert_int_equal(zone_find(broken[i].name, &z, &why), -1);
		if (strstr(why.text, broken[i].want) == NULL)
			fail_msg("%s: %s", broken[i].name, why.text);
		unlink(path);
	}
	assert_int_equal(zone_find("UTC", &z, &why), 0);	/* no file */
	assert_ptr_equal(z, zone_utc());
	unsetenv("TZDIR");
	rmdir(dir);
}

/* put - a file of one type, no transitions, and a rule in its footer */
static void
put(const char *path, const char *footer)
{
	static const char head[] = "TZif2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
	    "\0\0\0\0" "\0\0\0\0" "\0\0\0\0" "\0\0\0\0" "\0\0\0\1"
	    "\0\0\0\1" "\0\0\0\0\0\0";
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fwrite(head, 1, sizeof(head), f);	/* twice: the NUL is the name */
	fwrite(head, 1, sizeof(head), f);
	fprintf(f, "\n%s\n", footer);
	fclose(f);
}

static const struct {
	const char	*footer;
	const char	*at;		/* UTC */
	int32_t		 offset;	/* 99: refused */
} rules[] = {
	{ "EST5", "2026-07-01 00:00", -5 * 3600 },
	{ "<-03>3", "2026-07-01 00:00", -3 * 3600 },
	{ "<+0530>-5:30", "2026-07-01 00:00", 19800 },
	{ "EST5EDT,M3.2.0,M11.1.0", "2026-07-01 00:00", -4 * 3600 },
	{ "EST5EDT,M3.2.0,M11.1.0", "2026-03-08 06:59", -5 * 3600 },
	{ "EST5EDT,M3.2.0,M11.1.0", "2026-03-08 07:00", -4 * 3600 },
	/* Daylight saving all year: RFC 8536, 3.3.1 */
	{ "EST5EDT,0/0,J365/25", "2026-01-01 04:59", -4 * 3600 },
	{ "EST5EDT,0/0,J365/25", "2026-01-01 05:00", -4 * 3600 },
	{ "EST5EDT,0/0,J365/25", "2026-07-01 00:00", -4 * 3600 },
	{ "A0B,J60/0,J300/0", "2024-02-29 23:59", 0 },
	{ "A0B,J60/0,J300/0", "2024-03-01 00:00", 3600 },
	{ "A0B,59/0,300/0", "2024-02-29 00:00", 3600 },
	{ "A0B,59/0,300/0", "2025-02-28 23:59", 0 },
	{ "A0B,M10.5.0/-1,M3.5.0/-1", "2026-10-24 22:59", 0 },
	{ "A0B,M10.5.0/-1,M3.5.0/-1", "2026-10-24 23:00", 3600 },
	{ "", "2026-07-01 00:00", 0 },		/* the type goes on */
	{ "EST", "2026-07-01 00:00", 99 },
	{ "EST25", "2026-07-01 00:00", 99 },
	{ "EST5EDT", "2026-07-01 00:00", 99 },
	{ "EST5EDT,M13.1.0,M1.1.0", "2026-07-01 00:00", 99 },
	{ "EST5EDT,M3.6.0,M1.1.0", "2026-07-01 00:00", 99 },
	{ "EST5EDT,M3.2.7,M1.1.0", "2026-07-01 00:00", 99 },
	{ "EST5EDT,J0,J1", "2026-07-01 00:00", 99 },
	{ "EST5EDT,366,1", "2026-07-01 00:00", 99 },
	{ "EST5EDT,1/168,2", "2026-07-01 00:00", 99 },
	{ "EST5EDT,1,2 ", "2026-07-01 00:00", 99 },
	{ "<EST5", "2026-07-01 00:00", 99 },
};

static void
rules_in_footers(void **state)
{
	char dir[] = "/tmp/penstock-zone-XXXXXX", path[64], name[16];
	const struct zone *z;
	struct civil c;
	struct why why;
	int wrong = 0;
	size_t i;

	(void)state;
	assert_non_null(mkdtemp(dir));
	setenv("TZDIR", dir, 1);
	for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		snprintf(name, sizeof(name), "Rule%zu", i);
		snprintf(path, sizeof(path), "%s/%s", dir, name);
		put(path, rules[i].footer);
		c.offset = 99;
		if (zone_find(name, &z, &why) == 0)
			zone_civil(z, utc(rules[i].at), &c);
		unlink(path);
		if (c.offset == rules[i].offset)
			continue;
		print_error("%s at %s: got %d, want %d %s\n", rules[i].footer,
		    rules[i].at, c.offset, rules[i].offset,
		    c.offset == 99 ? why.text : "");
		wrong++;
	}
	unsetenv("TZDIR");
	rmdir(dir);
	assert_int_equal(wrong, 0);
}

/* What is remembered for one kind of window is not told for another. */
static void
kinds_of_windows_are_kept_apart(void **state)
{
	const struct zone *z = zone("Europe/Berlin");
	const int64_t t = utc("2026-11-21 12:00");
	struct window w;
	int unit, day;

	(void)state;
	for (unit = 0; unit <= WINDOW_MONTH; unit++)
		for (day = 1; day <= (unit == WINDOW_MONTH ? 28 : 1); day++) {
			zone_window(z, (enum window_unit)unit, day, t, &w);
			assert_true(w.start <= t && t < w.end);
			assert_true(begins_well(z, (enum window_unit)unit, day,
			    w.start));
			assert_true(begins_well(z, (enum window_unit)unit, day,
			    w.end));
		}
}

/* ask - a thread that asks for windows of two days in turn */
static void *
ask(void *arg)
{
	const struct zone *z = arg;
	struct window w;
	int64_t t;
	int i;

	for (i = 0; i < 100000; i++) {
		t = (i % 3 == 0 ? INT64_C(1774785600) : INT64_C(1792929600)) *
		    S + i;
		zone_window(z, i % 2 == 0 ? WINDOW_DAY : WINDOW_MONTH, 1, t,
		    &w);
		if (t < w.start || t >= w.end ||
		    (i % 2 == 0 && (w.end - w.start) / S != 23 * 3600 &&
		    (w.end - w.start) / S != 25 * 3600))
			return arg;
	}
	return NULL;
}

static void
many_threads_see_whole_windows(void **state)
{
	const struct zone *z = zone("Europe/Berlin");
	pthread_t threads[4];
	void *wrong;
	int i;

	(void)state;
	for (i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask,
		    (void *)z), 0);
	for (i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(threads[i], &wrong), 0);
		assert_null(wrong);
	}
}

static void
far_moments_do_no_harm(void **state)
{
	static const int64_t far[] = { INT64_MIN, INT64_MIN + 1, -1, 0, 1,
		INT64_MAX - 1, INT64_MAX };
	const struct zone *z = zone("America/New_York");
	struct window w;
	struct civil c;
	size_t i;
	int unit;

	(void)state;
	for (i = 0; i < sizeof(far) / sizeof(far[0]); i++) {
		zone_civil(z, far[i], &c);
		assert_true(c.month >= 1 && c.month <= 12);
		for (unit = 0; unit <= WINDOW_MONTH; unit++) {
			zone_window(z, (enum window_unit)unit, 17, far[i], &w);
			assert_true(w.start <= far[i] && far[i] <= w.end);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(civil_is_what_libc_says),
		cmocka_unit_test(moment_is_the_first_that_shows_it),
		cmocka_unit_test(windows_tile_the_time),
		cmocka_unit_test(each_date_has_one_day),
		cmocka_unit_test(odd_days),
		cmocka_unit_test(names_are_checked),
		cmocka_unit_test(files_that_are_none),
		cmocka_unit_test(rules_in_footers),
		cmocka_unit_test(kinds_of_windows_are_kept_apart),
		cmocka_unit_test(many_threads_see_whole_windows),
		cmocka_unit_test(far_moments_do_no_harm),
	};

	seed = (uint64_t)time(NULL);
	if (getenv("SEED") != NULL)
		seed = strtoull(getenv("SEED"), NULL, 10);
	printf("SEED=%llu\n", (unsigned long long)seed);
	return cmocka_run_group_tests_name("zone", tests, NULL, NULL);
}
