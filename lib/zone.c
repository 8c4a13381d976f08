/*
 * zone - civil time in a named zone.
 *
 * Days, weeks and months begin at the first moment whose local time is at or
 * past 00:00 of their first date, and end where the next one begins.  So every
 * date has exactly one window and windows leave no gap, whatever the clock
 * does: a day of 23 or 25 hours is one window, a midnight that is skipped
 * (Santiago) begins the day at 01:00, a date that is skipped (Apia, 2011-12-30)
 * has an empty window, and where the clock goes back over midnight the minutes
 * that repeat belong to the day that has begun.
 *
 * Minutes and hours go by the clock too, but a unit that repeats counts twice,
 * or 02:59 would last for an hour on a night in October.  A new one begins
 * where the clock shows the beginning of a unit, or jumps forward into one; a
 * piece of a unit that repeats (Lord Howe goes back by 30 minutes) belongs to
 * the hour before it.
 *
 * zone_window is asked several times per message, nearly always for the window
 * it told last.  That is kept per zone and kind of window, start and length in
 * one atomic word, so there is no lock and no torn value.
 *
 * A zone is read once; after an update of tzdata, restart.
 */
#include "lib/zone.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/date.h"
#include "lib/map.h"
#include "lib/mem.h"
#include "lib/parse.h"
#include "lib/text.h"
#include "lib/tzif.h"

#define DAY		86400
#define SECOND		INT64_C(1000000)
#define NAME_MAX_LEN	64
#define ZONEINFO	"/usr/share/zoneinfo"

/* One slot each for minute, hour, day, week, and month@1 .. month@28. */
#define SLOTS		(WINDOW_MONTH + 28)
/* In a slot: start in seconds plus BIAS above, length in seconds below. */
#define LENGTH_BITS	22
#define BIAS		(INT64_C(1) << 41)

const char *const window_unit_names[] = { "minute", "hour", "day", "week",
	"month", NULL };

struct zone {
	const char		*name;
	struct tzif		*tz;		/* NULL: UTC */
	_Atomic uint64_t	*recent;	/* SLOTS of them, 0: empty */
};

static _Atomic uint64_t utc_recent[SLOTS];
static const struct zone utc = { "UTC", NULL, utc_recent };

static pthread_mutex_t zones_lock = PTHREAD_MUTEX_INITIALIZER;
static struct map *zones;		/* by name; grows, never shrinks */

/* zone_utc - needs no file */
const struct zone *
zone_utc(void)
{
	return &utc;
}

/* zone_name - as it was asked for */
const char *
zone_name(const struct zone *z)
{
	return z->name;
}

/* good_name - parts of letters, digits and _ + - between slashes, no dots */
static bool
good_name(const char *name)
{
	const char *p;
	char c, before = '/';

	for (p = name; (c = *p) != '\0'; before = c, p++)
		if (!(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z') &&
		    !(c >= '0' && c <= '9') && c != '_' && c != '+' &&
		    c != '-' && (c != '/' || before == '/'))
			return false;
	return before != '/' && p - name <= NAME_MAX_LEN;
}

/* zone_read - a new zone from its file */
static int
zone_read(const char *name, struct zone **out, struct why *why)
{
	const char *dir = secure_getenv("TZDIR");
	struct arena *arena = NULL;
	struct zone *z = NULL;
	struct slice bytes;
	char path[4096];
	int got, result = -1;

	if (dir == NULL || dir[0] != '/')
		dir = ZONEINFO;
	if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, name) >=
	    sizeof(path))
		return why_set(why, "TZDIR is too long");
	arena = arena_new(8192, 0);
	z = calloc(1, sizeof(*z));
	if (arena == NULL || z == NULL)
		goto memory;
	got = parse_read(arena, path, &bytes, why);
	if (got == -1)
		goto out;
	if (got == 0) {
		why_set(why, "there is no time zone \"%s\" in %s (package "
		    "tzdata)", name, dir);
		goto out;
	}
	if (tzif_read(bytes, &z->tz, why) == -1) {
		why_in(why, "%s", path);
		goto out;
	}
	z->name = strdup(name);
	z->recent = calloc(SLOTS, sizeof(*z->recent));
	if (z->name == NULL || z->recent == NULL)
		goto memory;
	*out = z;
	z = NULL;
	result = 0;
	goto out;
memory:
	why_kind(why, WHY_MEMORY, "no memory for time zone %s", name);
out:
	if (z != NULL) {
		tzif_free(z->tz);
		free((void *)z->name);
		free(z);
	}
	arena_free(arena);
	return result;
}

/* zone_find - from the zones known already, or from its file */
int
zone_find(const char *name, const struct zone **out, struct why *why)
{
	struct zone *z = NULL;
	struct quoted q;
	int result = -1;

	if (strcmp(name, utc.name) == 0) {
		*out = &utc;
		return 0;
	}
	if (!good_name(name))
		return why_set(why, "%s is not the name of a time zone; write "
		    "one such as \"Europe/Madrid\"",
		    text_quote(slice_of(name), &q));
	pthread_mutex_lock(&zones_lock);
	if (zones == NULL && (zones = map_new()) == NULL) {
		why_kind(why, WHY_MEMORY, "no memory for time zones");
		goto out;
	}
	z = map_get(zones, slice_of(name));
	if (z == NULL) {
		if (zone_read(name, &z, why) == -1)
			goto out;
		if (map_set(zones, slice_of(z->name), z) == -1) {
			/* Not kept, so it leaks; there is no memory anyway. */
			why_kind(why, WHY_MEMORY, "no memory for time zones");
			goto out;
		}
	}
	*out = z;
	result = 0;
out:
	pthread_mutex_unlock(&zones_lock);
	return result;
}

/* floor_div - rounds to minus infinity; b > 0 */
static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* us_of - microseconds, kept within what they can say */
static int64_t
us_of(int64_t seconds)
{
	if (seconds >= INT64_MAX / SECOND)
		return INT64_MAX;
	if (seconds <= INT64_MIN / SECOND)
		return INT64_MIN;
	return seconds * SECOND;
}

/* zone_civil - what the wall shows */
void
zone_civil(const struct zone *z, int64_t us, struct civil *c)
{
	struct tzif_span span;
	int64_t t, days, year;
	int of_day;

	t = floor_div(us, SECOND);
	tzif_span(z->tz, t, &span);
	days = floor_div(t + span.offset, DAY);
	of_day = (int)(t + span.offset - days * DAY);
	date_of(days, &year, &c->month, &c->day);
	c->year = (int)year;
	c->hour = of_day / 3600;
	c->minute = of_day / 60 % 60;
	c->second = of_day % 60;
	c->weekday = date_weekday(days);
	c->offset = span.offset;
}

/* moment - the first moment whose local time is at or past that; seconds */
static int64_t
moment(const struct zone *z, int64_t local)
{
	struct tzif_span span;
	int64_t t = local - 26 * 3600, at;

	for (;;) {
		tzif_span(z->tz, t, &span);
		at = local - span.offset;
		if (at < span.start)
			at = span.start;	/* it fell into a gap */
		if (at < span.end)
			return at;
		t = span.end;
	}
}

/* zone_moment - when the wall first shows that, or first more */
int64_t
zone_moment(const struct zone *z, int year, int month, int day, int hour,
    int minute, int second)
{
	return us_of(moment(z, date_days(year, month, day) * DAY +
	    hour * 3600 + minute * 60 + second));
}

/* begins - does a unit of len seconds begin where this span begins? */
static bool
begins(const struct zone *z, const struct tzif_span *span, int64_t len)
{
	struct tzif_span before;
	int64_t now, then;

	now = floor_div(span->start + span->offset, len);
	if (now * len == span->start + span->offset)
		return true;
	tzif_span(z->tz, span->start - 1, &before);
	then = floor_div(span->start - 1 + before.offset, len);
	return span->offset > before.offset && now != then;
}

/* by_clock - the minute or hour around t */
static void
by_clock(const struct zone *z, int64_t len, int64_t t, int64_t *start,
    int64_t *end)
{
	struct tzif_span span;
	int64_t at;

	for (at = t;; at = span.start - 1) {
		tzif_span(z->tz, at, &span);
		*start = floor_div(at + span.offset, len) * len - span.offset;
		if (*start >= span.start)
			break;
		*start = span.start;
		if (begins(z, &span, len))
			break;
	}
	for (at = t;; at = span.start) {
		tzif_span(z->tz, at, &span);
		*end = floor_div(at + span.offset, len) * len + len -
		    span.offset;
		if (*end < span.end)
			break;
		*end = span.end;
		tzif_span(z->tz, *end, &span);
		if (begins(z, &span, len))
			break;
	}
}

/* date_window - first day of the window of that day, and of the next */
static void
date_window(enum window_unit unit, int month_day, int64_t day, int64_t *first,
    int64_t *next)
{
	int64_t year;
	int month, of_month;

	switch (unit) {
	case WINDOW_WEEK:
		*first = day - date_weekday(day);
		*next = *first + 7;
		break;
	case WINDOW_MONTH:
		date_of(day, &year, &month, &of_month);
		if (of_month < month_day)
			month--;
		*first = date_days(year, month, month_day);
		*next = date_days(year, month + 1, month_day);
		break;
	default:
		*first = day;
		*next = day + 1;
		break;
	}
}

/* by_date - the day, week or month around t */
static void
by_date(const struct zone *z, enum window_unit unit, int month_day, int64_t t,
    int64_t *start, int64_t *end)
{
	struct tzif_span span;
	int64_t day, first, next;

	tzif_span(z->tz, t, &span);
	day = floor_div(t + span.offset, DAY);
	/* The clock may have gone back behind a date that has begun. */
	for (;; day = next) {
		date_window(unit, month_day, day, &first, &next);
		*end = moment(z, next * DAY);
		if (t < *end)
			break;
	}
	*start = moment(z, first * DAY);
}

/* zone_window - the calendar window that holds a moment */
void
zone_window(const struct zone *z, enum window_unit unit, int month_day,
    int64_t us, struct window *out)
{
	_Atomic uint64_t *slot;
	int64_t t, start, end;
	uint64_t kept;

	if (unit != WINDOW_MONTH || month_day < 1 || month_day > 28)
		month_day = 1;
	slot = &z->recent[(int)unit + month_day - 1];
	t = floor_div(us, SECOND);
	kept = atomic_load_explicit(slot, memory_order_relaxed);
	if (kept != 0) {
		start = (int64_t)(kept >> LENGTH_BITS) - BIAS;
		end = start + (int64_t)(kept & ((1u << LENGTH_BITS) - 1));
		if (start <= t && t < end) {
			out->start = start * SECOND;
			out->end = end * SECOND;
			return;
		}
	}
	if (unit == WINDOW_MINUTE)
		by_clock(z, 60, t, &start, &end);
	else if (unit == WINDOW_HOUR)
		by_clock(z, 3600, t, &start, &end);
	else
		by_date(z, unit, month_day, t, &start, &end);
	out->start = us_of(start);
	out->end = us_of(end);
	if (start > -BIAS && start < BIAS - DAY &&
	    end - start < INT64_C(1) << LENGTH_BITS &&
	    out->end != INT64_MAX && out->start != INT64_MIN)
		atomic_store_explicit(slot, (uint64_t)(start + BIAS) <<
		    LENGTH_BITS | (uint64_t)(end - start),
		    memory_order_relaxed);
}

/* zone_print - "2026-11-22 00:00 Europe/Madrid" */
char *
zone_print(const struct zone *z, int64_t us, char *out, size_t size)
{
	struct civil c;

	zone_civil(z, us, &c);
	snprintf(out, size, "%04d-%02d-%02d %02d:%02d %s", c.year, c.month,
	    c.day, c.hour, c.minute, z->name);
	return out;
}
