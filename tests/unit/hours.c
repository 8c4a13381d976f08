/*
 * Hours of the week: what is read, what is refused, and how long a day is
 * where clocks change.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/clock.h"
#include "lib/date.h"
#include "policy/hours.h"

static const struct zone *
zone_of(const char *name)
{
	const struct zone *z;
	struct why why;

	if (zone_find(name, &z, &why) == -1)
		fail_msg("%s", why.text);
	return z;
}

/* hours_with - of texts, "|" between them */
static int
hours_with(const char *texts, struct hours *h, struct why *why)
{
	char copy[256], *at = copy, *end;

	memset(h, 0, sizeof(*h));
	snprintf(copy, sizeof(copy), "%s", texts);
	while (at != NULL && *at != '\0') {
		end = strchr(at, '|');
		if (end != NULL)
			*end = '\0';
		if (hours_parse(slice_of(at), h, why) == -1)
			return -1;
		at = end != NULL ? end + 1 : NULL;
	}
	return 0;
}

static const struct parse_case {
	const char	*text;
	unsigned	 days;		/* of the last span */
	int		 from, to;
	const char	*why;		/* NULL: it is good */
} parse_cases[] = {
	{ "Mon-Fri 08:00-18:00", 0x1f, 480, 1080, NULL },
	{ "mon-fri 08:00-18:00", 0x1f, 480, 1080, NULL },
	{ "Sat,Sun 10:00-14:00", 0x60, 600, 840, NULL },
	{ "Fri-Mon 00:00-24:00", 0x71, 0, 1440, NULL },
	{ "Mon,Wed-Thu 07:30-07:31", 0x0d, 450, 451, NULL },
	{ "08:00-18:00", 0x7f, 480, 1080, NULL },
	{ "Mon 08:00-12:00|Mon 12:00-18:00", 0x01, 720, 1080, NULL },
	{ "Mon 13:00-18:00|Mon 08:00-12:00", 0x01, 480, 720, NULL },
	{ "Mon-Fri 08:00-18:00|Tue 17:59-19:00", 0, 0, 0, "other hours" },
	{ "Mon-Fri 18:00-08:00", 0, 0, 0, "over midnight are two" },
	{ "Mon-Fri 08:00-08:00", 0, 0, 0, "over midnight are two" },
	{ "", 0, 0, 0, NULL },
	{ "Mon-Fri", 0, 0, 0, "expected hours" },
	{ "Mon-Fri 8:00-18:00", 0, 0, 0, "expected hours" },
	{ "Mon-Fri 08:00-24:01", 0, 0, 0, "expected hours" },
	{ "Mon-Fri 08:60-18:00", 0, 0, 0, "expected hours" },
	{ "Mon-Fri 08:00 - 18:00", 0, 0, 0, "expected hours" },
	{ "Mon- 08:00-18:00", 0, 0, 0, "expected hours" },
	{ "Monday 08:00-18:00", 0, 0, 0, "expected hours" },
	{ "-Fri 08:00-18:00", 0, 0, 0, "expected hours" },
	{ "Mon-Fri,08:00-18:00", 0, 0, 0, "expected hours" },
	{ "Mon-Tue-Wed 08:00-18:00", 0, 0, 0, "expected hours" },
	{ "Mon 08:00-18:00 ", 0, 0, 0, "expected hours" },
	{ "never", 0, 0, 0, "expected hours" },
};

static void
texts_are_read_or_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(parse_cases) / sizeof(parse_cases[0]);
	    i++) {
		const struct parse_case *c = &parse_cases[i];
		struct hours h;
		struct why why;
		int got = hours_with(c->text, &h, &why);

		if (got != (c->why != NULL ? -1 : 0) ||
		    (got == -1 && strstr(why.text, c->why) == NULL))
			fail_msg("\"%s\": got %d %s", c->text, got,
			    got == -1 ? why.text : "");
		if (got == -1 || h.n == 0)
			continue;
		if (h.spans[h.n - 1].days != c->days ||
		    h.spans[h.n - 1].from != c->from ||
		    h.spans[h.n - 1].to != c->to)
			fail_msg("\"%s\": got %#x %d-%d", c->text,
			    h.spans[h.n - 1].days, h.spans[h.n - 1].from,
			    h.spans[h.n - 1].to);
	}
}

static void
bytes_of_any_kind_do_no_harm(void **state)
{
	static const char good[] = "Mon-Fri,Sun 08:00-18:00";
	struct hours h = { .n = 0 };
	struct why why;

	(void)state;
	for (size_t n = 0; n < sizeof(good) - 1; n++) {
		char *cut = malloc(n + 1);

		memcpy(cut, good, n);
		assert_int_equal(hours_parse((struct slice){ cut, n }, &h,
		    &why), -1);
		free(cut);
	}
	assert_int_equal(h.n, 0);
	for (int i = 0; i < HOURS_SPANS; i++) {
		char text[48];

		snprintf(text, sizeof(text), "Mon %02d:00-%02d:30", i, i);
		assert_int_equal(hours_parse(slice_of(text), &h, &why), 0);
	}
	assert_int_equal(hours_parse(SLICE("Tue 08:00-09:00"), &h, &why), -1);
	assert_non_null(strstr(why.text, "more than 16"));
}

static const struct day_case {
	const char	*name, *zone, *hours;
	int		 date[3];
	int		 day;		/* minutes that the day has */
	int		 length;	/* minutes of its hours */
	int		 first;		/* minutes from the day's begin on */
} day_cases[] = {
	{ "a plain Monday", "UTC", "Mon-Fri 08:00-18:00", { 2026, 11, 23 },
	    1440, 600, 480 },
	{ "a Sunday has none", "UTC", "Mon-Fri 08:00-18:00", { 2026, 11, 22 },
	    1440, 0, -1 },
	{ "no hours said: all of it", "UTC", "", { 2026, 11, 22 }, 1440, 1440,
	    0 },
	{ "two parts", "UTC", "13:00-18:00|08:00-12:00", { 2026, 11, 22 },
	    1440, 540, 480 },
	{ "half-hour zone", "Asia/Kolkata", "08:00-18:00", { 2026, 11, 22 },
	    1440, 600, 480 },
	{ "quarter-hour zone", "Asia/Kathmandu", "08:00-18:00",
	    { 2026, 11, 22 }, 1440, 600, 480 },
	{ "spring, all day", "Europe/Madrid", "", { 2026, 3, 29 }, 1380,
	    1380, 0 },
	{ "spring, the hours after", "Europe/Madrid", "08:00-18:00",
	    { 2026, 3, 29 }, 1380, 600, 420 },
	{ "spring, the hour that is skipped", "Europe/Madrid", "02:00-03:00",
	    { 2026, 3, 29 }, 1380, 0, -1 },
	{ "spring, hours around it", "Europe/Madrid", "01:00-04:00",
	    { 2026, 3, 29 }, 1380, 120, 60 },
	{ "autumn, the hour that comes twice", "Europe/Madrid", "02:00-03:00",
	    { 2026, 10, 25 }, 1500, 120, 120 },
	{ "autumn, all day", "Europe/Madrid", "", { 2026, 10, 25 }, 1500,
	    1500, 0 },
	{ "autumn by half an hour", "Australia/Lord_Howe", "01:00-03:00",
	    { 2026, 4, 5 }, 1470, 150, 60 },
	{ "a midnight that is skipped", "America/Santiago", "00:00-02:00",
	    { 2026, 9, 6 }, 1380, 60, 0 },
	{ "a date that is skipped", "Pacific/Apia", "08:00-18:00",
	    { 2011, 12, 30 }, 0, 0, -1 },
};

static void
days_are_as_long_as_the_clock_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(day_cases) / sizeof(day_cases[0]);
	    i++) {
		const struct day_case *c = &day_cases[i];
		const struct zone *z = zone_of(c->zone);
		struct hours_day d, again;
		struct hours h;
		struct why why;
		int64_t first;

		assert_int_equal(hours_with(c->hours, &h, &why), 0);
		hours_date(&h, z, date_days(c->date[0], c->date[1],
		    c->date[2]), &d);
		first = d.n > 0 ? (d.parts[0].start - d.day.start) /
		    CLOCK_MINUTE : -1;
		if ((d.day.end - d.day.start) / CLOCK_MINUTE != c->day ||
		    d.length / CLOCK_MINUTE != c->length || first != c->first)
			fail_msg("%s: got %lld, %lld of them, from %lld",
			    c->name, (long long)((d.day.end - d.day.start) /
			    CLOCK_MINUTE), (long long)(d.length /
			    CLOCK_MINUTE), (long long)first);
		if (c->day == 0)
			continue;
		hours_of(&h, z, d.day.start, &again);
		assert_memory_equal(&again.day, &d.day, sizeof(d.day));
		assert_int_equal(again.date, d.date);
		hours_of(&h, z, d.day.end - 1, &again);
		assert_int_equal(again.date, d.date);
		hours_of(&h, z, d.day.end, &again);
		assert_int_equal(again.date, d.date + 1);
	}
}

/* Elapsed and its moment are each other's inverse, all through the week in
 * which clocks change. */
static void
elapsed_and_moment_go_together(void **state)
{
	static const char *const zones[] = { "UTC", "Europe/Madrid",
		"Asia/Kolkata", "Australia/Lord_Howe", "America/Santiago" };
	static const int begins[][3] = { { 2026, 3, 27 }, { 2026, 10, 23 },
		{ 2026, 4, 3 }, { 2026, 9, 4 } };
	struct hours h;
	struct why why;

	(void)state;
	assert_int_equal(hours_with("Mon-Fri 00:30-03:30|Mon-Sun 08:00-18:00",
	    &h, &why), 0);
	for (size_t i = 0; i < 5 * 4; i++) {
		const struct zone *z = zone_of(zones[i % 5]);
		const int *b = begins[i / 5];
		int64_t now = zone_moment(z, b[0], b[1], b[2], 0, 0, 0);
		int64_t end = now + 7 * CLOCK_DAY;

		for (; now < end; now += 7 * CLOCK_MINUTE) {
			struct hours_day d;
			int64_t next = hours_next(&h, z, now), e;

			hours_of(&h, z, now, &d);
			e = hours_elapsed(&d, now);
			assert_true(e >= 0 && e <= d.length);
			if (hours_open(&d, now)) {
				assert_int_equal(next, now);
				assert_int_equal(hours_at(&d, e), now);
			} else {
				assert_true(next > now);
				if (e < d.length)
					assert_int_equal(hours_at(&d, e),
					    next);
				hours_of(&h, z, next, &d);
				assert_true(hours_open(&d, next));
				hours_of(&h, z, next - 1, &d);
				assert_false(hours_open(&d, next - 1));
			}
		}
	}
}

static void
the_next_moment_may_be_far(void **state)
{
	const struct zone *z = zone_of("Europe/Madrid");
	int64_t friday = zone_moment(z, 2026, 11, 27, 18, 0, 0);
	struct hours_day d;
	struct hours h;
	struct why why;

	(void)state;
	assert_int_equal(hours_with("Mon-Fri 08:00-18:00", &h, &why), 0);
	assert_int_equal(hours_next(&h, z, friday), zone_moment(z, 2026, 11,
	    30, 8, 0, 0));
	assert_int_equal(hours_next(&h, z, friday - 1), friday - 1);
	hours_of(&h, z, friday, &d);
	assert_int_equal(hours_at(&d, d.length), INT64_MAX);
	assert_int_equal(hours_at(&d, 0), friday - 10 * CLOCK_HOUR);
	/* the one hour of the week is skipped: the week after */
	assert_int_equal(hours_with("Sun 02:00-03:00", &h, &why), 0);
	assert_int_equal(hours_next(&h, z, zone_moment(z, 2026, 3, 27, 0, 0,
	    0)), zone_moment(z, 2026, 4, 5, 2, 0, 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_are_read_or_refused),
		cmocka_unit_test(bytes_of_any_kind_do_no_harm),
		cmocka_unit_test(days_are_as_long_as_the_clock_says),
		cmocka_unit_test(elapsed_and_moment_go_together),
		cmocka_unit_test(the_next_moment_may_be_far),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
