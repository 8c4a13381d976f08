/*
 * Warmups: the day, its number, what may have gone by now, and when the next
 * one may.  The ledger counts; see also tests/unit/check.c for the language
 * and tests/e2e/test_warmup.py for mail.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "lib/clock.h"
#include "lib/date.h"
#include "lib/provider.h"
#include "policy/ledger.h"
#include "policy/warmup.h"

#define H	CLOCK_HOUR
#define M	CLOCK_MINUTE

static const struct zone *
zone_of(const char *name)
{
	const struct zone *z;
	struct why why;

	if (zone_find(name, &z, &why) == -1)
		fail_msg("%s", why.text);
	return z;
}

/* made - of that schedule; hours "" for none; started 0 for first-mail */
static struct warmup
made(const char *schedule, const char *hours, int64_t started)
{
	struct warmup w = { .schedule = schedule_find(slice_of(schedule)),
		.first_mail = started == 0, .started = started };
	struct why why;

	assert_non_null(w.schedule);
	if (hours[0] != '\0')
		assert_int_equal(hours_parse(slice_of(hours), &w.hours, &why),
		    0);
	return w;
}

/* --- the day ------------------------------------------------------------ */

static const struct day_case {
	const char	*name;
	int		 started;	/* days before today; -N: to come;
					   1000: first-mail */
	int		 row, row_started;	/* 0: no row */
	int		 want;
} day_cases[] = {
	{ "first mail, nobody knows it yet", 1000, 0, 0, 1 },
	{ "first mail, and the rules are on day 7", 1000, 7, 9, 7 },
	{ "a date: the calendar until the rules speak", 4, 0, 0, 5 },
	{ "today is day 1", 0, 0, 0, 1 },
	{ "tomorrow: not yet", -1, 0, 0, 0 },
	{ "the calendar ends with the schedule", 90, 0, 0, 42 },
	{ "a row is before the calendar", 30, 7, 30, 7 },
	{ "a later date than the row's begins anew", 2, 7, 30, 3 },
	{ "a row behind the end is at the end", 1000, 99, 99, 42 },
};

static void
the_day_is_the_rows_or_the_calendars(void **state)
{
	const int64_t today = date_days(2026, 11, 25);

	(void)state;
	for (size_t i = 0; i < sizeof(day_cases) / sizeof(day_cases[0]);
	    i++) {
		const struct day_case *c = &day_cases[i];
		struct warmup w = made("cold-slow", "", c->started == 1000 ?
		    0 : today - c->started);
		struct warm_row row = { .day = c->row,
		    .started = today - c->row_started };
		struct warm_view v;
		int64_t now = today * CLOCK_DAY + 13 * H;

		warmup_view(&w, c->row != 0 ? &row : NULL, zone_utc(), now,
		    &v);
		if (v.day != c->want)
			fail_msg("%s: got day %d, want %d", c->name, v.day,
			    c->want);
		assert_int_equal(v.cap, c->want == 0 ? 0 :
		    schedule_number(w.schedule, c->want));
		assert_int_equal(v.days, 42);
	}
}

/* --- the moment --------------------------------------------------------- */

static const struct moment_case {
	const char	*name, *hours, *zone;
	int		 date[3];
	int		 day;		/* of cold-slow */
	int		 at;		/* minutes from the day's begin on */
	int64_t		 cap, hour, so_far, rate, burst;
} moment_cases[] = {
	/* 50 over ten hours: 6.25, so 7 */
	{ "before the hours", "08:00-18:00", "UTC", { 2026, 11, 25 }, 1, 479,
	    50, 7, 0, 21, 1 },
	{ "the first one", "08:00-18:00", "UTC", { 2026, 11, 25 }, 1, 480,
	    50, 7, 7, 21, 1 },
	{ "its last minute", "08:00-18:00", "UTC", { 2026, 11, 25 }, 1, 539,
	    50, 7, 7, 21, 1 },
	{ "the second one has what is left", "08:00-18:00", "UTC",
	    { 2026, 11, 25 }, 1, 540, 50, 7, 14, 21, 1 },
	{ "the seventh", "08:00-18:00", "UTC", { 2026, 11, 25 }, 1, 840,
	    50, 7, 49, 21, 1 },
	{ "no more than the day's", "08:00-18:00", "UTC", { 2026, 11, 25 }, 1,
	    900, 50, 7, 50, 21, 1 },
	{ "after the hours", "08:00-18:00", "UTC", { 2026, 11, 25 }, 1, 1080,
	    50, 7, 0, 21, 1 },
	{ "between two parts", "08:00-12:00|13:00-19:00", "UTC",
	    { 2026, 11, 25 }, 1, 750, 50, 7, 0, 21, 1 },
	{ "behind the pause it goes on", "08:00-12:00|13:00-19:00", "UTC",
	    { 2026, 11, 25 }, 1, 780, 50, 7, 35, 21, 1 },
	{ "a day without hours", "Mon 08:00-18:00", "UTC", { 2026, 11, 25 },
	    1, 600, 50, 0, 0, 21, 1 },
	{ "no hours said: at midnight", "", "UTC", { 2026, 11, 25 }, 1, 0,
	    50, 7, 7, 21, 1 },
	{ "no hours said: all day long", "", "UTC", { 2026, 11, 25 }, 1, 1439,
	    50, 7, 50, 21, 1 },
	{ "sixteen hours make a small one", "06:00-22:00", "UTC",
	    { 2026, 11, 25 }, 42, 360, 2000, 157, 157, 834, 69 },
	{ "one hour may have it all", "09:00-10:00", "UTC", { 2026, 11, 25 },
	    1, 540, 50, 63, 50, 63, 1 },
	{ "half an hour too", "09:00-09:30", "UTC", { 2026, 11, 25 }, 1, 569,
	    50, 125, 50, 125, 1 },
	{ "the third day is careful", "08:00-18:00", "UTC", { 2026, 11, 25 },
	    3, 480, 60, 8, 8, 25, 1 },
	{ "the fourth has a burst", "08:00-18:00", "UTC", { 2026, 11, 25 }, 4,
	    480, 65, 9, 9, 28, 2 },
	{ "in India", "08:00-18:00", "Asia/Kolkata", { 2026, 11, 25 }, 1, 540,
	    50, 7, 14, 21, 1 },
	/* the hours are two, so 50 are 31.25 in each */
	{ "in spring one hour is not there", "01:00-04:00", "Europe/Madrid",
	    { 2026, 3, 29 }, 1, 60, 50, 32, 32, 32, 1 },
	{ "and the next follows it", "01:00-04:00", "Europe/Madrid",
	    { 2026, 3, 29 }, 1, 120, 50, 32, 50, 32, 1 },
	{ "all of them are skipped", "02:00-03:00", "Europe/Madrid",
	    { 2026, 3, 29 }, 1, 120, 50, 0, 0, 21, 1 },
	{ "in autumn one comes twice", "01:00-04:00", "Europe/Madrid",
	    { 2026, 10, 25 }, 1, 239, 50, 16, 48, 21, 1 },
	{ "and is an hour of its own", "01:00-04:00", "Europe/Madrid",
	    { 2026, 10, 25 }, 1, 240, 50, 16, 50, 21, 1 },
};

/* hours_of_texts - "|" between them */
static void
hours_of_texts(struct warmup *w, const char *texts)
{
	const char *bar = strchr(texts, '|');
	struct slice first = slice_of(texts);
	struct why why;

	w->hours.n = 0;
	if (bar != NULL)
		first.n = (size_t)(bar - texts);
	if (first.n > 0)
		assert_int_equal(hours_parse(first, &w->hours, &why), 0);
	if (bar != NULL)
		assert_int_equal(hours_parse(slice_of(bar + 1), &w->hours,
		    &why), 0);
}

static void
an_hours_rest_is_carried_within_the_day(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(moment_cases) /
	    sizeof(moment_cases[0]); i++) {
		const struct moment_case *c = &moment_cases[i];
		const struct zone *z = zone_of(c->zone);
		struct warmup w = made("cold-slow", "", 0);
		struct warm_row row = { .day = c->day };
		struct warm_view v;
		int64_t now = zone_moment(z, c->date[0], c->date[1],
		    c->date[2], 0, 0, 0) + c->at * M;

		hours_of_texts(&w, c->hours);
		warmup_view(&w, &row, z, now, &v);
		if (v.cap != c->cap || v.hour != c->hour ||
		    v.so_far != c->so_far || v.rate != c->rate ||
		    v.burst != c->burst)
			fail_msg("%s: got cap %lld, hour %lld, so far %lld, "
			    "rate %lld, burst %lld", c->name,
			    (long long)v.cap, (long long)v.hour,
			    (long long)v.so_far, (long long)v.rate,
			    (long long)v.burst);
	}
}

/* Through every minute of a week in which clocks change: never more than the
 * day's number, never less than a moment before, nothing on a new day. */
static void
what_may_have_gone_only_grows(void **state)
{
	static const char *const zones[] = { "UTC", "Europe/Madrid",
		"Asia/Kolkata", "Australia/Lord_Howe", "America/Santiago" };
	static const int begins[][3] = { { 2026, 3, 27 }, { 2026, 10, 23 },
		{ 2026, 4, 3 }, { 2026, 9, 4 } };

	(void)state;
	for (size_t i = 0; i < 5 * 4; i++) {
		const struct zone *z = zone_of(zones[i % 5]);
		const int *b = begins[i / 5];
		struct warmup w = made("cold-slow", "", date_days(2026, 1, 1));
		int64_t now = zone_moment(z, b[0], b[1], b[2], 0, 0, 0);
		int64_t end = now + 7 * CLOCK_DAY, date = 0, most = 0;

		hours_of_texts(&w, "Mon-Sat 01:30-04:30|07:00-21:00");
		for (; now < end; now += 3 * M) {
			struct warm_view v;

			warmup_view(&w, NULL, z, now, &v);
			assert_true(v.so_far <= v.cap && v.so_far >= 0);
			if (v.today.date != date) {
				if (date != 0)
					assert_int_equal(v.today.date,
					    date + 1);
				date = v.today.date;
				most = 0;
			}
			if (!hours_open(&v.today, now)) {
				assert_int_equal(v.so_far, 0);
				continue;
			}
			assert_true(v.so_far >= most);
			most = v.so_far;
		}
		assert_true(date != 0);
	}
}

/* --- the next slot ------------------------------------------------------ */

static const struct next_case {
	const char	*name, *hours;
	enum warm_part	 part;
	bool		 other;		/* not bulk */
	int		 day;		/* of the row; 0: a start in 3 days */
	int		 at;		/* minutes from midnight of a
					   Wednesday, UTC, on */
	int64_t		 used, n;
	int64_t		 ledger;	/* minutes: its word, for a throttle */
	int64_t		 want;		/* minutes, or: */
} next_cases[] = {
#define NEVER	-1
#define SOME	-2
	{ "the second hour", "08:00-18:00", WARM_DAY, false, 1, 500, 7, 1, 0,
	    540 },
	{ "so many need two more", "08:00-18:00", WARM_DAY, false, 1, 500, 7,
	    10, 0, 600 },
	{ "before the hours", "08:00-18:00", WARM_DAY, false, 1, 100, 0, 1, 0,
	    480 },
	{ "before the hours, for many", "08:00-18:00", WARM_DAY, false, 1,
	    100, 0, 50, 0, 900 },
	{ "after the hours", "08:00-18:00", WARM_DAY, false, 1, 1100, 7, 1, 0,
	    1440 + 480 },
	{ "used up", "08:00-18:00", WARM_DAY, false, 1, 1000, 50, 1, 0,
	    1440 + 480 },
	{ "used up on Wednesday, the next is Monday", "Mon-Wed 08:00-18:00",
	    WARM_DAY, false, 1, 1000, 50, 1, 0, 5 * 1440 + 480 },
	{ "used up, and no hours said", "", WARM_DAY, false, 1, 1000, 50, 1,
	    0, 1440 },
	{ "other mail waits for no hour", "08:00-18:00", WARM_DAY, true, 1,
	    1000, 50, 1, 0, 1440 },
	{ "more than the day has: when it has so many", "08:00-18:00",
	    WARM_DAY, false, 1, 500, 0, 65, 0, 3 * 1440 + 480 + 7 * 60 },
	{ "more than any day has", "08:00-18:00", WARM_DAY, false, 1, 500, 0,
	    2001, 0, NEVER },
	{ "not begun", "", WARM_DAY, false, 0, 500, 0, 1, 0, 3 * 1440 },
	{ "not begun, with hours", "08:00-18:00", WARM_DAY, false, 0, 500, 0,
	    1, 0, 3 * 1440 + 480 },
	{ "not begun, and many", "", WARM_DAY, true, 0, 500, 0, 60, 0,
	    5 * 1440 },
	{ "the throttle says when", "08:00-18:00", WARM_BURST, false, 1, 500,
	    1, 1, 503, 503 },
	{ "the throttle says: after the hours", "08:00-18:00", WARM_BURST,
	    false, 1, 1079, 1, 1, 1081, 1440 + 480 },
	{ "a provider's part is for the day", "08:00-18:00", WARM_SHARE,
	    false, 1, 500, 25, 1, 0, 1440 + 480 },
};

static void
the_next_slot_is_told_truly(void **state)
{
	/* 2026-11-25 is a Wednesday */
	const int64_t today = date_days(2026, 11, 25);
	const struct pool_share half = { .to = (provider_set)1 << 5,
		.percent = 50 };

	(void)state;
	for (size_t i = 0; i < sizeof(next_cases) / sizeof(next_cases[0]);
	    i++) {
		const struct next_case *c = &next_cases[i];
		struct warmup w = made("cold-slow", c->hours, c->day != 0 ? 0 :
		    today + 3);
		struct limit limit = { .warmup = &w, .part = c->part,
		    .per = c->part == WARM_SHARE ? PER_PROVIDER : 0 };
		struct warm_row row = { .day = c->day };
		struct warm_ask a = { .limit = &limit, .zone = zone_utc(),
		    .row = c->day != 0 ? &row : NULL, .bulk = !c->other,
		    .provider = 5 };
		int64_t now = today * CLOCK_DAY + c->at * M, got, want;
		struct warm_view v;

		w.shares = &half;
		w.nshares = 1;
		warmup_view(&w, a.row, a.zone, now, &v);
		got = warmup_next(&a, &v, c->used, 0, c->n, today * CLOCK_DAY +
		    c->ledger * M, now);
		want = c->want == NEVER ? INT64_MAX : c->want == SOME ?
		    LEDGER_SOMETIME : today * CLOCK_DAY + c->want * M;
		if (got != want)
			fail_msg("%s: got minute %lld, want %lld", c->name,
			    (long long)((got - today * CLOCK_DAY) / M),
			    (long long)c->want);
		if (c->part != WARM_DAY || want == INT64_MAX)
			continue;
		/* at that moment it does fit, as its row would say then; and
		 * a moment before it does not */
		row.day += (int)(want / CLOCK_DAY - today);
		row.day = row.day < 1 ? 1 : row.day;
		warmup_view(&w, a.row, a.zone, want, &v);
		assert_true(warmup_most(&a, &v) >= c->n + (v.today.date ==
		    today ? c->used : 0));
	}
}

/* --- providers ---------------------------------------------------------- */

static void
a_provider_has_its_part(void **state)
{
	const struct pool_share shares[] = {
		{ .to = (provider_set)1 << 5, .percent = 60 },
		{ .to = (provider_set)3 << 6, .percent = 50 },
		{ .to = (provider_set)1 << 6, .percent = 40 },
	};
	struct warm_factor factors[] = {
		{ .index = 5, .thousandths = 500, .until = 103 },
		{ .index = 9, .thousandths = 0 },
	};
	struct warmup w = made("cold-slow", "", 0);
	struct limit apart = { .warmup = &w, .part = WARM_SHARE,
		.per = PER_PROVIDER };
	struct limit set = { .warmup = &w, .part = WARM_SHARE,
		.to = (provider_set)3 << 6 };
	struct warm_row row = { .day = 4, .factors = factors, .nfactors = 2 };
	struct warm_ask a = { .limit = &apart, .zone = zone_utc(),
		.row = &row, .bulk = true };
	static const int64_t want[][2] = { { 5, 20 }, { 6, 26 }, { 7, 33 },
		{ 8, 65 }, { 9, 0 } };
	struct warm_view v;

	(void)state;
	w.shares = shares;
	w.nshares = 3;
	warmup_view(&w, &row, zone_utc(), 100 * CLOCK_DAY, &v);
	assert_int_equal(v.cap, 65);
	for (size_t i = 0; i < 5; i++) {
		a.provider = (unsigned)want[i][0];
		assert_int_equal(warmup_most(&a, &v), want[i][1]);
	}
	assert_int_equal(warmup_next(&a, &v, 0, 0, 1, 0, 100 * CLOCK_DAY),
	    LEDGER_SOMETIME);
	a.provider = 5;
	warmup_view(&w, &row, zone_utc(), 103 * CLOCK_DAY, &v);
	assert_int_equal(warmup_most(&a, &v), 39);
	a.limit = &set;
	assert_int_equal(warmup_most(&a, &v), 33);
}

static void
what_is_stopped_waits_for_a_person(void **state)
{
	struct warmup w = made("cold-slow", "", 0);
	struct limit limit = { .warmup = &w, .part = WARM_DAY };
	struct warm_row row = { .day = 9, .stopped = 99 };
	struct warm_ask a = { .limit = &limit, .zone = zone_utc(),
		.row = &row };
	struct warm_view v;

	(void)state;
	warmup_view(&w, &row, zone_utc(), 100 * CLOCK_DAY, &v);
	assert_true(v.stopped);
	assert_int_equal(v.day, 9);
	assert_int_equal(warmup_most(&a, &v), 0);
	assert_int_equal(warmup_next(&a, &v, 0, 0, 1, 0, 100 * CLOCK_DAY),
	    LEDGER_SOMETIME);
	a.bulk = true;
	assert_int_equal(warmup_most(&a, &v), 0);
}

/* --- the forecast --------------------------------------------------------- */

static const struct warm_case {
	const char	*name, *schedule, *hours;
	int		 started;	/* days to come; 0: first-mail */
	struct warm_row	 row;		/* day 0: none */
	int		 want;		/* days from a Wednesday on; -1: nobody
					   knows */
} warm_cases[] = {
	/* 35 days, of which one is today, and a week */
	{ "a mailbox that begins today", "mailbox", "", 0, { .day = 0 },
	    34 + 7 },
	{ "one that begins on Sunday", "mailbox", "", 4, { .day = 0 },
	    4 + 34 + 7 },
	{ "weekdays only", "mailbox", "Mon-Fri 08:00-18:00", 0, { .day = 0 },
	    /* 41 of them: eight weeks, and Wednesday to Wednesday */
	    8 * 7 + 1 },
	{ "one in its last week", "mailbox", "", 0, { .day = 35, .clean = 3 },
	    4 },
	{ "one that was done", "mailbox", "", 0, { .day = 35, .clean = 9,
	    .warmed = 20000 }, 20000 },
	{ "one that is stopped", "mailbox", "", 0, { .day = 9, .stopped = 1 },
	    -1 },
};

static void
the_day_it_will_be_warm(void **state)
{
	const int64_t today = date_days(2026, 11, 25);

	(void)state;
	for (size_t i = 0; i < sizeof(warm_cases) / sizeof(warm_cases[0]);
	    i++) {
		const struct warm_case *c = &warm_cases[i];
		struct warmup w = made(c->schedule, c->hours, c->started == 0 ?
		    0 : today + c->started);
		const struct warm_row *row = c->row.day != 0 ? &c->row : NULL;
		struct warm_view v;
		int64_t got, want = c->want == -1 ? 0 : c->want == 20000 ?
		    c->want : today + c->want;

		warmup_view(&w, row, zone_utc(), today * CLOCK_DAY + 9 * H,
		    &v);
		got = warmup_warm(&w, row, zone_utc(), &v);
		if (got != want)
			fail_msg("%s: got day %lld, want %d", c->name,
			    (long long)(got - today), c->want);
	}
}

static void
what_waits_goes_first(void **state)
{
	const int64_t today = date_days(2026, 11, 25);
	struct warmup w = made("cold-slow", "08:00-18:00", 0);
	struct limit limit = { .warmup = &w, .part = WARM_DAY };
	struct warm_row row = { .day = 1 };
	struct warm_ask a = { .limit = &limit, .zone = zone_utc(),
		.row = &row, .bulk = true };
	int64_t now = today * CLOCK_DAY + 9 * H;
	static const int64_t want[][3] = {	/* used, before, minutes */
		{ 0, 0, 540 }, { 14, 0, 600 }, { 0, 14, 600 },
		{ 14, 14, 720 }, { 50, 0, 1440 + 480 }, { 0, 50, 1440 + 480 },
		{ 25, 25, 1440 + 480 }, { 50, 49, 1440 + 900 },
		{ 50, 50, 2 * 1440 + 480 }, { 50, 107, 3 * 1440 + 540 } };
	struct warm_view v;

	(void)state;
	warmup_view(&w, &row, zone_utc(), now, &v);
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		int64_t got = warmup_next(&a, &v, want[i][0], want[i][1], 1, 0,
		    now);

		if (got != today * CLOCK_DAY + want[i][2] * M)
			fail_msg("%zu: got minute %lld, want %lld", i,
			    (long long)((got - today * CLOCK_DAY) / M),
			    (long long)want[i][2]);
	}
}

/* --- with the ledger ---------------------------------------------------- */

struct world {
	struct ledger	*ledger;
	struct arena	*arena;
	struct warmup	 warmup;
	struct limit	 day, burst;
	struct warm_row	 row;
	const struct zone *zone;
	uint64_t	 seq;
};

/* one_of - the ask of one of the two limits */
static struct ask
one_of(struct world *w, const struct limit *limit, bool bulk, int64_t n,
    int64_t now)
{
	struct warm_ask a = { .limit = limit, .row = &w->row, .zone = w->zone,
		.bulk = bulk };
	struct ask ask = { .policy = 1 };
	struct warm_view v;

	warmup_view(&w->warmup, &w->row, w->zone, now, &v);
	ask.charge = (struct charge){ .kind = (uint8_t)limit->kind,
	    .tenant = 1, .amount = n, .key = { limit->part == WARM_DAY } };
	if (limit->kind == LIMIT_CAP) {
		ask.charge.window = v.today.day.start;
		ask.charge.window_end = v.today.day.end;
	} else {
		ask.charge.rate = v.rate;
		ask.charge.period = H;
	}
	ask.most = warmup_most(&a, &v);
	if (limit->part == WARM_BURST && ask.most < n)
		ask.most = n;
	return ask;
}

/* sends - a mail of n recipients; does it pass? */
static bool
sends(struct world *w, bool bulk, int64_t n, int64_t now)
{
	struct ask asks[] = { one_of(w, &w->day, bulk, n, now),
		one_of(w, &w->burst, bulk, n, now) };
	struct claim claim = { .asks = NULL };
	struct charge charges[2];
	int got;

	arena_reset(w->arena);
	got = ledger_seal(w->ledger, &claim, w->arena, asks, 2, now, NULL,
	    NULL);
	assert_int_not_equal(got, -1);
	if (got == 0)
		return false;
	for (size_t i = 0; i < 2; i++)
		charges[i] = claim.asks[i].charge;
	ledger_settle(w->ledger, charges, 2, true, ++w->seq, now);
	return true;
}

static void
world_begin(struct world *w, const char *schedule, const char *hours)
{
	*w = (struct world){ .ledger = ledger_new(),
	    .arena = arena_new(4096, 0), .zone = zone_utc() };
	w->warmup = made(schedule, hours, 0);
	w->day = (struct limit){ .kind = LIMIT_CAP, .unit = WINDOW_DAY,
	    .warmup = &w->warmup, .part = WARM_DAY };
	w->burst = (struct limit){ .kind = LIMIT_THROTTLE,
	    .warmup = &w->warmup, .part = WARM_BURST };
	w->row.day = 1;
}

static void
world_end(struct world *w)
{
	ledger_free(w->ledger);
	arena_free(w->arena);
}

/* day_of - what a sender gets who tries each 10 s from then to then */
static int64_t
day_of(struct world *w, int64_t midnight, int from, int to, int64_t n)
{
	int64_t sent = 0, now;

	for (now = midnight + from * M; now < midnight + to * M;
	    now += 10 * CLOCK_SECOND)
		while (sends(w, true, n, now))
			sent += n;
	return sent;
}

static const struct sender_case {
	const char	*name, *schedule, *hours;
	int		 from, to;	/* minutes of the day in which he
					   tries */
	int64_t		 n;		/* recipients of a mail */
	int		 percent;	/* of each day's number that he gets
					   at least */
} sender_cases[] = {
	{ "all day long", "cold-slow", "", 0, 1440, 1, 100 },
	{ "three hours at the end of the active ones", "cold-slow",
	    "08:00-18:00", 900, 1080, 1, 100 },
	{ "three hours in the middle", "cold-slow", "08:00-18:00", 720, 900,
	    1, 85 },
	{ "the first three hours", "cold-slow", "08:00-18:00", 480, 660, 1,
	    36 },
	{ "three hours, and they are all there are", "cold-slow",
	    "09:00-12:00", 540, 720, 1, 100 },
	{ "one hour, and it is all there is", "standard", "09:00-10:00", 540,
	    600, 1, 100 },
	{ "three hours in the evening, none said", "standard", "", 1080, 1260,
	    1, 100 },
	{ "a mailbox in its three hours", "mailbox", "14:00-17:00", 840, 1020,
	    1, 100 },
	{ "mails of ten recipients", "standard", "08:00-18:00", 480, 1080, 10,
	    90 },
};

static void
nobody_is_kept_from_becoming_warm(void **state)
{
	const int64_t begin = date_days(2026, 11, 1);

	(void)state;
	for (size_t i = 0; i < sizeof(sender_cases) /
	    sizeof(sender_cases[0]); i++) {
		const struct sender_case *c = &sender_cases[i];
		struct world w;

		world_begin(&w, c->schedule, c->hours);
		for (int day = 1; day <= w.warmup.schedule->n; day += 3) {
			int64_t cap, sent;

			w.row.day = day;
			cap = schedule_number(w.warmup.schedule, day);
			if (cap > 3000)
				break;
			sent = day_of(&w, (begin + day) * CLOCK_DAY, c->from,
			    c->to, c->n);
			if (sent > cap || sent * 100 < cap * c->percent)
				fail_msg("%s, day %d: got %lld of %lld",
				    c->name, day, (long long)sent,
				    (long long)cap);
		}
		world_end(&w);
	}
}

static void
hours_bind_bulk_mail_only(void **state)
{
	const int64_t midnight = date_days(2026, 11, 25) * CLOCK_DAY;
	struct world w;

	(void)state;
	world_begin(&w, "cold-slow", "08:00-18:00");
	/* at night a password may be sent, also many at once: all count */
	for (int i = 0; i < 30; i++)
		assert_true(sends(&w, false, 1, midnight + 60 * M));
	assert_false(sends(&w, true, 1, midnight + 60 * M));
	/* 30 are gone: bulk waits for the fifth hour, when 35 may be */
	assert_int_equal(day_of(&w, midnight, 480, 720, 1), 0);
	assert_int_equal(day_of(&w, midnight, 720, 780, 1), 5);
	for (int i = 0; i < 15; i++)
		assert_true(sends(&w, false, 1, midnight + 1300 * M));
	assert_false(sends(&w, false, 1, midnight + 1300 * M));
	world_end(&w);
}

static void
what_is_left_does_not_reach_the_next_day(void **state)
{
	const int64_t midnight = date_days(2026, 11, 25) * CLOCK_DAY;
	struct world w;

	(void)state;
	world_begin(&w, "standard", "");
	assert_int_equal(day_of(&w, midnight, 0, 60, 1), 13);
	assert_int_equal(day_of(&w, midnight + CLOCK_DAY, 0, 60, 1), 13);
	/* 42 an hour, one at a time, and he tries each 10 s: 40 */
	assert_int_equal(day_of(&w, midnight + CLOCK_DAY, 1380, 1440, 1),
	    40);
	world_end(&w);
}

/* A clock that steps by a day moves nobody on in his schedule, and no day has
 * more than its number. */
static void
a_clock_that_steps_gives_nothing(void **state)
{
	const int64_t day = CLOCK_DAY, d = date_days(2026, 11, 25) * day;
	struct world w;

	(void)state;
	world_begin(&w, "mailbox", "");
	assert_int_equal(day_of(&w, d, 600, 1440, 1), 5);
	/* forward by a day: the next window, still day 1 */
	assert_int_equal(day_of(&w, d + 2 * day, 600, 1440, 1), 5);
	/* back by a day, were the gate to follow: into the window that is */
	assert_int_equal(day_of(&w, d + day, 600, 1440, 1), 0);
	assert_int_equal(day_of(&w, d + 2 * day, 600, 1440, 1), 0);
	assert_int_equal(day_of(&w, d + 3 * day, 600, 1440, 1), 5);
	world_end(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_day_is_the_rows_or_the_calendars),
		cmocka_unit_test(an_hours_rest_is_carried_within_the_day),
		cmocka_unit_test(what_may_have_gone_only_grows),
		cmocka_unit_test(the_next_slot_is_told_truly),
		cmocka_unit_test(a_provider_has_its_part),
		cmocka_unit_test(what_is_stopped_waits_for_a_person),
		cmocka_unit_test(the_day_it_will_be_warm),
		cmocka_unit_test(what_waits_goes_first),
		cmocka_unit_test(nobody_is_kept_from_becoming_warm),
		cmocka_unit_test(hours_bind_bulk_mail_only),
		cmocka_unit_test(what_is_left_does_not_reach_the_next_day),
		cmocka_unit_test(a_clock_that_steps_gives_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
