/*
 * scan - values with units: what each text is worth, or the sentence it is
 * refused with.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "lib/scan.h"

#define S	CLOCK_SECOND
#define E12	INT64_C(1000000000000)

enum kind { COUNT, SHARE, RATE, CAP, DURATION, SIZE };

struct scan_case {
	enum kind	 kind;
	const char	*text;
	int64_t		 want;		/* of a rate: n */
	int64_t		 period;	/* of a rate */
	int		 unit, day;	/* of a cap */
	const char	*refused;	/* the sentence, whole */
};

/* clang-format off */
static const struct scan_case cases[] = {
	{ COUNT, "1", .want = 1 }, { COUNT, "50", .want = 50 },
	{ COUNT, "007", .want = 7 },
	{ COUNT, "0", .refused = "\"0\" is out of range; expected 1 to 50" },
	{ COUNT, "51", .refused = "\"51\" is out of range; expected 1 to 50" },
	{ COUNT, "", .refused = "\"\" is not a whole number written in digits" },
	{ COUNT, "-1", .refused = "\"-1\" is not a whole number written in digits" },
	{ COUNT, "+1", .refused = "\"+1\" is not a whole number written in digits" },
	{ COUNT, "1 ", .refused = "\"1 \" is not a whole number written in digits" },
	{ COUNT, "2.5", .refused = "\"2.5\" is not a whole number written in digits" },
	{ COUNT, "1,000", .refused = "\"1,000\" is not a whole number written in digits" },
	{ COUNT, "99999999999999999999", .refused = "\"99999999999999999999\" is too large; expected 1 to 50" },
	{ COUNT, "0x10", .refused = "\"0x10\" is not a whole number written in digits" },

	{ SHARE, "0", .want = 0 }, { SHARE, "1", .want = 1000 },
	{ SHARE, "0.2", .want = 200 }, { SHARE, "0.125", .want = 125 },
	{ SHARE, "12.05", .want = 12050 }, { SHARE, "3.000", .want = 3000 },
	{ SHARE, "0.1234", .refused = "\"0.1234\" is not a number with at most three decimals" },
	{ SHARE, "0.", .refused = "\"0.\" is not a number with at most three decimals" },
	{ SHARE, ".5", .refused = "\".5\" is not a number with at most three decimals" },
	{ SHARE, "1e3", .refused = "\"1e3\" is not a number with at most three decimals" },
	{ SHARE, "9223372036854775807", .refused = "\"9223372036854775807\" is not a number with at most three decimals" },

	{ RATE, "200/hour", .want = 200, .period = 3600 * S },
	{ RATE, "1/second", .want = 1, .period = S },
	{ RATE, "30/minute", .want = 30, .period = 60 * S },
	{ RATE, "5/day", .want = 5, .period = 86400 * S },
	{ RATE, "1000000000000/day", .want = E12, .period = 86400 * S },
	{ RATE, "1000000000001/day", .refused = "\"1000000000001/day\": the number is from 1 to 1000000000000" },
	{ RATE, "0/hour", .refused = "\"0/hour\": the number is from 1 to 1000000000000" },
	{ RATE, "200", .refused = "\"200\" has no period; write 200/ and second, minute, hour or day" },
	{ RATE, "200/", .refused = "\"200/\" has no period; write 200/ and second, minute, hour or day" },
	{ RATE, "200/hr", .refused = "\"200/hr\": unknown period \"hr\"; expected second, minute, hour or day" },
	{ RATE, "200/hours", .refused = "\"200/hours\": unknown period \"hours\"; expected second, minute, hour or day" },
	{ RATE, "200/week", .refused = "\"200/week\": a rate does not count per week; expected second, minute, hour or day" },
	{ RATE, "200/month@3", .refused = "\"200/month@3\": a rate does not count per month; expected second, minute, hour or day" },
	{ RATE, "200/hour@3", .refused = "\"200/hour@3\": unknown period \"hour@3\"; expected second, minute, hour or day" },
	{ RATE, "/hour", .refused = "\"/hour\": expected a whole number before the period, such as \"200/hour\"" },
	{ RATE, "many/hour", .refused = "\"many/hour\": expected a whole number before the period, such as \"200/hour\"" },
	{ RATE, "1.5/hour", .refused = "\"1.5/hour\": expected a whole number before the period, such as \"200/hour\"" },
	{ RATE, "200/hour/day", .refused = "\"200/hour/day\": unknown period \"hour/day\"; expected second, minute, hour or day" },
	{ RATE, "", .refused = "\"\": expected a whole number before the period, such as \"200/hour\"" },

	{ CAP, "1000/day", .want = 1000, .unit = WINDOW_DAY, .day = 1 },
	{ CAP, "1/minute", .want = 1, .unit = WINDOW_MINUTE, .day = 1 },
	{ CAP, "1/hour", .want = 1, .unit = WINDOW_HOUR, .day = 1 },
	{ CAP, "1/week", .want = 1, .unit = WINDOW_WEEK, .day = 1 },
	{ CAP, "9/month", .want = 9, .unit = WINDOW_MONTH, .day = 1 },
	{ CAP, "500000/month@17", .want = 500000, .unit = WINDOW_MONTH, .day = 17 },
	{ CAP, "9/month@28", .want = 9, .unit = WINDOW_MONTH, .day = 28 },
	{ CAP, "9/month@29", .refused = "\"9/month@29\": the day after \"month@\" is 1 to 28, a day that every month has" },
	{ CAP, "9/month@0", .refused = "\"9/month@0\": the day after \"month@\" is 1 to 28, a day that every month has" },
	{ CAP, "9/month@", .refused = "\"9/month@\": the day after \"month@\" is 1 to 28, a day that every month has" },
	{ CAP, "9/month@1x", .refused = "\"9/month@1x\": the day after \"month@\" is 1 to 28, a day that every month has" },
	{ CAP, "9/day@3", .refused = "\"9/day@3\": unknown period \"day@3\"; expected minute, hour, day, week, month or month@17" },
	{ CAP, "9/second", .refused = "\"9/second\": a cap does not count per second; expected minute, hour, day, week, month or month@17" },
	{ CAP, "9/year", .refused = "\"9/year\": unknown period \"year\"; expected minute, hour, day, week, month or month@17" },

	{ DURATION, "90 seconds", .want = 90 * S },
	{ DURATION, "15 minutes", .want = 900 * S },
	{ DURATION, "1 hour", .want = 3600 * S },
	{ DURATION, "3 days", .want = 3 * 86400 * S },
	{ DURATION, "90s", .want = 90 * S }, { DURATION, "15m", .want = 900 * S },
	{ DURATION, "24h", .want = 86400 * S }, { DURATION, "3d", .want = 3 * 86400 * S },
	{ DURATION, "1h 30m", .want = 5400 * S }, { DURATION, "1h30m", .want = 5400 * S },
	{ DURATION, "0s", .want = 0 },
	{ DURATION, "90", .refused = "\"90\" has no unit; expected seconds, minutes, hours or days" },
	{ DURATION, "1h 5", .refused = "\"1h 5\" has no unit; expected seconds, minutes, hours or days" },
	{ DURATION, "5 weeks", .refused = "\"5 weeks\": unknown unit \"weeks\"; expected seconds, minutes, hours or days" },
	{ DURATION, "5 %", .refused = "\"5 %\": unknown unit \"%\"; expected seconds, minutes, hours or days" },
	{ DURATION, "soon", .refused = "\"soon\" is not a duration; write a number and a unit, such as \"15 minutes\"" },
	{ DURATION, "", .refused = "\"\" is not a duration; write a number and a unit, such as \"15 minutes\"" },
	{ DURATION, "36526d", .refused = "\"36526d\" is longer than 100 years" },
	{ DURATION, "9223372036854775807d", .refused = "\"9223372036854775807d\" is longer than 100 years" },
	{ DURATION, "36525d 1s", .refused = "\"36525d 1s\" is longer than 100 years" },

	{ SIZE, "4096", .want = 4096 }, { SIZE, "10 kB", .want = 10000 },
	{ SIZE, "10kB", .want = 10000 }, { SIZE, "64 MiB", .want = 64 << 20 },
	{ SIZE, "16 GiB", .want = INT64_C(16) << 30 },
	{ SIZE, "2 TB", .want = 2 * E12 }, { SIZE, "7 B", .want = 7 },
	{ SIZE, "10 KB", .refused = "\"10 KB\": unknown unit; expected B, kB, KiB, MB, MiB, GB, GiB, TB or TiB" },
	{ SIZE, "64M", .refused = "\"64M\": unknown unit; expected B, kB, KiB, MB, MiB, GB, GiB, TB or TiB" },
	{ SIZE, "big", .refused = "\"big\" is not a size; write a number and a unit, such as \"64 MiB\"" },
	{ SIZE, "9223372036854775807 kB", .refused = "\"9223372036854775807 kB\" is too large" },
};
/* clang-format on */

/* scan - by the function of that kind */
static int
scan(enum kind kind, struct slice text, struct rate *rate, struct why *why)
{
	switch (kind) {
	case COUNT: return scan_count(text, 1, 50, &rate->n, why);
	case SHARE: return scan_thousandths(text, &rate->n, why);
	case RATE: return scan_rate(text, rate, why);
	case CAP: return scan_cap(text, rate, why);
	case DURATION: return scan_duration(text, &rate->n, why);
	case SIZE: return scan_size(text, &rate->n, why);
	}
	return -1;
}

static void
every_case(void **state)
{
	const struct scan_case *c;
	struct rate got;
	struct why why;
	int wrong = 0, result;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		c = &cases[i];
		memset(&got, 0, sizeof(got));
		why.text[0] = '\0';
		result = scan(c->kind, slice_of(c->text), &got, &why);
		if (c->refused != NULL) {
			if (result == -1 && strcmp(why.text, c->refused) == 0)
				continue;
			print_error("\"%s\"\n  got:  %s\n  want: %s\n", c->text,
			    result == -1 ? why.text : "accepted", c->refused);
			wrong++;
			continue;
		}
		if (result == 0 && got.n == c->want &&
		    (c->kind != RATE || got.period == c->period) &&
		    (c->kind != CAP || ((int)got.unit == c->unit &&
		    got.month_day == c->day)))
			continue;
		print_error("\"%s\"\n  got:  %lld %s\n  want: %lld\n", c->text,
		    (long long)got.n, result == -1 ? why.text : "",
		    (long long)c->want);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

struct moment_case {
	const char	*text, *zone;
	int64_t		 want;		/* seconds */
	const char	*refused;	/* a piece of the sentence */
};

/* Now is 2026-11-21 12:00:00 UTC, 13:00 in Madrid. */
#define NOW	INT64_C(1795262400)

/* clang-format off */
static const struct moment_case moments[] = {
	{ "now", NULL, .want = NOW }, { "1h", NULL, .want = NOW - 3600 },
	{ "3 days ago", NULL, .want = NOW - 3 * 86400 },
	{ " 90s ago ", NULL, .want = NOW - 90 },
	{ "in 2 hours", NULL, .want = NOW + 7200 },
	{ "2026-11-21", NULL, .want = NOW - 12 * 3600 },
	{ "2026-11-21", "Europe/Madrid", .want = NOW - 13 * 3600 },
	{ "2026-11-21 08:00", "Europe/Madrid", .want = NOW - 5 * 3600 },
	{ "2026-11-21T08:00:30", NULL, .want = NOW - 4 * 3600 + 30 },
	{ "2026-11-21T08:00:00Z", "Europe/Madrid", .want = NOW - 4 * 3600 },
	{ "2026-11-21T08:00+01:00", NULL, .want = NOW - 5 * 3600 },
	{ "2026-11-21T08:00:00-05:30", NULL, .want = NOW + 5400 },
	{ "10:30", "Europe/Madrid", .want = NOW - 2 * 3600 - 1800 },
	{ "13:00:01", "Europe/Madrid", .want = NOW + 1 },
	{ "2024-02-29", NULL, .want = 1709164800 },
	{ "2026-03-29 02:30", "Europe/Madrid", .want = 1774746000 },	/* in a gap */
	{ "2026-02-29", NULL, .refused = "there is no such date as \"2026-02-29\"" },
	{ "2026-13-01", NULL, .refused = "there is no such date" },
	{ "2026-11-00", NULL, .refused = "there is no such date" },
	{ "2026-11-1", NULL, .refused = "is not a date" },
	{ "2026-11-21 25:00", NULL, .refused = "the time of day is not one" },
	{ "2026-11-21 10:60", NULL, .refused = "the time of day is not one" },
	{ "2026-11-21T10:00+1", NULL, .refused = "the time of day is not one" },
	{ "2026-11-21x", NULL, .refused = "more behind the date" },
	{ "yesterday", NULL, .refused = "is not a moment" },
	{ "24:00", NULL, .refused = "\"24:00\": unknown unit \":00\"" },
	{ "", NULL, .refused = "is not a moment" },
	{ "ago", NULL, .refused = "is not a moment" },
	{ "in soon", NULL, .refused = "is not a duration" },
};
static const struct moment_case ends[] = {
	{ "2h", NULL, .want = NOW + 7200 }, { "3 days", NULL, .want = NOW + 3 * 86400 },
	{ "90", NULL, .refused = "has no unit" },
	{ "18:00", NULL, .want = NOW + 6 * 3600 },
	{ "18:00", "Europe/Madrid", .want = NOW + 5 * 3600 },
	{ "11:00", NULL, .want = NOW + 23 * 3600 },		/* it is noon: the next one */
	{ "12:00", NULL, .want = NOW + 24 * 3600 },
	{ "today 18:00", NULL, .want = NOW + 6 * 3600 },
	{ "today 08:00", NULL, .want = NOW - 4 * 3600 },	/* the caller says that it is over */
	{ "tomorrow", NULL, .want = NOW + 12 * 3600 },
	{ "tomorrow 08:00", "Europe/Madrid", .want = NOW + 19 * 3600 },
	{ " tomorrow  08:00:30 ", NULL, .want = NOW + 20 * 3600 + 30 },
	{ "in 2 hours", NULL, .want = NOW + 7200 },
	{ "2026-12-01 08:00", "Europe/Madrid", .want = NOW + 10 * 86400 - 5 * 3600 },
	{ "2026-12-01T08:00:00Z", "Europe/Madrid", .want = NOW + 10 * 86400 - 4 * 3600 },
	{ "2026-02-29", NULL, .refused = "there is no such date" },
	{ "tomorrow 25:00", NULL, .refused = "is not a time to come" },
	{ "tomorrow evening", NULL, .refused = "is not a time to come" },
	{ "today", NULL, .refused = "is not a time to come" },
	{ "soon", NULL, .refused = "is not a time to come" },
	{ "", NULL, .refused = "is not a time to come" },
	{ "-1h", NULL, .refused = "is not a time to come" },
};
/* clang-format on */

/* each - every case of a table against the function that reads it */
static void
each(const struct moment_case *list, size_t n, int (*read)(struct slice,
    const struct zone *, int64_t, int64_t *, struct why *))
{
	const struct moment_case *c;
	const struct zone *zone;
	struct why why;
	int64_t got;
	int result, wrong = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		c = &list[i];
		zone = NULL;
		if (c->zone != NULL)
			assert_int_equal(zone_find(c->zone, &zone, &why), 0);
		result = read(slice_of(c->text), zone, NOW * S, &got, &why);
		if (c->refused != NULL ? result == -1 &&
		    strstr(why.text, c->refused) != NULL :
		    result == 0 && got == c->want * S)
			continue;
		print_error("\"%s\" in %s\n  got:  %lld %s\n  want: %lld %s\n",
		    c->text, c->zone != NULL ? c->zone : "UTC", result == 0 ?
		    (long long)(got / S) : -1, result == -1 ? why.text : "",
		    (long long)c->want, c->refused != NULL ? c->refused : "");
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

static void
every_moment(void **state)
{
	(void)state;
	each(moments, sizeof(moments) / sizeof(moments[0]), scan_moment);
}

static void
every_end(void **state)
{
	(void)state;
	each(ends, sizeof(ends) / sizeof(ends[0]), scan_until);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_case),
		cmocka_unit_test(every_moment),
		cmocka_unit_test(every_end),
	};

	return cmocka_run_group_tests_name("scan", tests, NULL, NULL);
}
