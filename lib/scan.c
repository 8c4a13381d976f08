/*
 * scan - values with units, each in one place with its bounds and its error.
 *
 * A unit is always written: "90" is no duration and "200" is no rate, because
 * the reader who guesses wrong mails a customer's whole list in a minute.
 * Numbers are plain digits; every product is checked.
 */
#include "lib/scan.h"

#include <inttypes.h>
#include <limits.h>

#include "lib/clock.h"
#include "lib/date.h"
#include "lib/text.h"

#define RATE_MOST	INT64_C(1000000000000)
#define DURATION_MOST	(36525 * CLOCK_DAY)

/* is_digit - ASCII, in any locale */
static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* digits - the number at the head of *s, which moves behind it; -1: none */
static int
digits(struct slice *s, int64_t *out)
{
	int64_t n = 0;
	size_t i;

	for (i = 0; i < s->n && is_digit(s->p[i]); i++)
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, s->p[i] - '0', &n))
			return -1;
	*out = n;
	*s = slice_from(*s, i);
	return i > 0 ? 0 : -1;
}

/* letters - the word at the head of *s, which moves behind it */
static struct slice
letters(struct slice *s)
{
	struct slice word = *s;
	size_t i;

	for (i = 0; i < s->n && ((s->p[i] >= 'a' && s->p[i] <= 'z') ||
	    (s->p[i] >= 'A' && s->p[i] <= 'Z')); i++)
		;
	word.n = i;
	*s = slice_from(*s, i);
	return word;
}

/* scan_count - a whole number within bounds */
int
scan_count(struct slice text, int64_t least, int64_t most, int64_t *out,
    struct why *why)
{
	struct slice s = text;
	struct quoted q;

	if (digits(&s, out) == -1 || s.n > 0) {
		for (s = text; s.n > 0 && is_digit(s.p[0]);)
			s = slice_from(s, 1);
		if (text.n > 0 && s.n == 0)
			return why_set(why, "%s is too large; expected %" PRId64
			    " to %" PRId64, text_quote(text, &q), least, most);
		return why_set(why, "%s is not a whole number written in "
		    "digits", text_quote(text, &q));
	}
	if (*out < least || *out > most)
		return why_set(why, "%s is out of range; expected %" PRId64
		    " to %" PRId64, text_quote(text, &q), least, most);
	return 0;
}

/* scan_thousandths - a number with up to three decimals */
int
scan_thousandths(struct slice text, int64_t *out, struct why *why)
{
	struct slice s = text;
	struct quoted q;
	int64_t whole, part = 0;
	size_t decimals = 0;

	if (digits(&s, &whole) == -1)
		goto bad;
	if (s.n > 0 && s.p[0] == '.') {
		s = slice_from(s, 1);
		decimals = s.n;
		if (decimals > 3 || digits(&s, &part) == -1)
			goto bad;
		for (; decimals < 3; decimals++)
			part *= 10;
	}
	if (s.n > 0 || __builtin_mul_overflow(whole, 1000, out) ||
	    __builtin_add_overflow(*out, part, out))
		goto bad;
	return 0;
bad:
	return why_set(why, "%s is not a number with at most three decimals",
	    text_quote(text, &q));
}

struct period {
	const char		*name;
	enum window_unit	 unit;
	int64_t			 us;
	bool			 rate, cap;	/* where it may stand */
};

static const struct period periods[] = {
	{ "second", WINDOW_MINUTE, CLOCK_SECOND, true, false },
	{ "minute", WINDOW_MINUTE, CLOCK_MINUTE, true, true },
	{ "hour", WINDOW_HOUR, CLOCK_HOUR, true, true },
	{ "day", WINDOW_DAY, CLOCK_DAY, true, true },
	{ "week", WINDOW_WEEK, 7 * CLOCK_DAY, false, true },
	{ "month", WINDOW_MONTH, 0, false, true },
};

/* period_find - by name; NULL: unknown */
static const struct period *
period_find(struct slice name, bool cap)
{
	size_t i;

	for (i = 0; i < sizeof(periods) / sizeof(periods[0]); i++)
		if ((cap ? periods[i].cap : periods[i].rate) &&
		    slice_is(name, periods[i].name))
			return &periods[i];
	return NULL;
}

/* month_day - the D of "month@D" */
static int
month_day(struct slice text, struct slice s, int *out, struct why *why)
{
	struct quoted q;
	int64_t day;

	if (digits(&s, &day) == -1 || s.n > 0 || day < 1 || day > 28)
		return why_set(why, "%s: the day after \"month@\" is 1 to 28, "
		    "a day that every month has", text_quote(text, &q));
	*out = (int)day;
	return 0;
}

/* scan_per - "N/period" for both kinds */
static int
scan_per(struct slice text, bool cap, struct rate *out, struct why *why)
{
	const char *expected = cap ? "minute, hour, day, week, month or "
	    "month@17" : "second, minute, hour or day";
	const struct period *period;
	struct slice s = text, name;
	struct quoted q, q2;
	size_t at = 0;

	while (at < s.n && s.p[at] != '/')
		at++;
	name = slice_from(s, at + 1);
	s.n = at;
	if (digits(&s, &out->n) == -1 || s.n > 0)
		return why_set(why, "%s: expected a whole number before the "
		    "period, such as \"%s\"", text_quote(text, &q),
		    cap ? "1000/day" : "200/hour");
	if (out->n < 1 || out->n > RATE_MOST)
		return why_set(why, "%s: the number is from 1 to %" PRId64,
		    text_quote(text, &q), RATE_MOST);
	if (name.n == 0)
		return why_set(why, "%s has no period; write %" PRId64 "/ and "
		    "%s", text_quote(text, &q), out->n, expected);
	at = 0;
	while (at < name.n && name.p[at] != '@')
		at++;
	s = slice_from(name, at);
	name.n = at;
	period = period_find(name, cap);
	if (period == NULL && period_find(name, !cap) != NULL)
		return why_set(why, "%s: a %s does not count per %.*s; "
		    "expected %s", text_quote(text, &q), cap ? "cap" : "rate",
		    SLICE_ARG(name), expected);
	if (period == NULL || (s.n > 0 && period->unit != WINDOW_MONTH))
		return why_set(why, "%s: unknown period %s; expected %s",
		    text_quote(text, &q), text_quote((struct slice){ name.p,
		    name.n + s.n }, &q2), expected);
	out->unit = period->unit;
	out->period = period->us;
	out->month_day = 1;
	if (s.n > 0)
		return month_day(text, slice_from(s, 1), &out->month_day, why);
	return 0;
}

/* scan_rate - "200/hour", continuous */
int
scan_rate(struct slice text, struct rate *out, struct why *why)
{
	return scan_per(text, false, out, why);
}

/* scan_cap - "1000/day", per calendar window */
int
scan_cap(struct slice text, struct rate *out, struct why *why)
{
	return scan_per(text, true, out, why);
}

static const struct { const char *name; int64_t us; } durations[] = {
	{ "s", CLOCK_SECOND }, { "second", CLOCK_SECOND },
	{ "seconds", CLOCK_SECOND }, { "m", CLOCK_MINUTE },
	{ "minute", CLOCK_MINUTE }, { "minutes", CLOCK_MINUTE },
	{ "h", CLOCK_HOUR }, { "hour", CLOCK_HOUR },
	{ "hours", CLOCK_HOUR }, { "d", CLOCK_DAY },
	{ "day", CLOCK_DAY }, { "days", CLOCK_DAY },
};

/* duration_unit - in microseconds; 0: unknown */
static int64_t
duration_unit(struct slice word)
{
	size_t i;

	for (i = 0; i < sizeof(durations) / sizeof(durations[0]); i++)
		if (slice_is(word, durations[i].name))
			return durations[i].us;
	return 0;
}

/* scan_duration - one or more of "number unit" */
int
scan_duration(struct slice text, int64_t *out, struct why *why)
{
	struct slice s = slice_trim(text), word;
	int64_t n, unit, sum = 0;
	struct quoted q, q2;

	do {
		if (digits(&s, &n) == -1)
			return why_set(why, "%s is not a duration; write a "
			    "number and a unit, such as \"15 minutes\"",
			    text_quote(text, &q));
		s = slice_trim(s);
		word = letters(&s);
		if (word.n == 0 && s.n == 0)
			return why_set(why, "%s has no unit; expected seconds, "
			    "minutes, hours or days", text_quote(text, &q));
		unit = duration_unit(word);
		if (unit == 0)
			return why_set(why, "%s: unknown unit %s; expected "
			    "seconds, minutes, hours or days",
			    text_quote(text, &q), text_quote(word.n > 0 ? word :
			    s, &q2));
		if (__builtin_mul_overflow(n, unit, &n) ||
		    __builtin_add_overflow(sum, n, &sum) ||
		    sum > DURATION_MOST)
			return why_set(why, "%s is longer than 100 years",
			    text_quote(text, &q));
		s = slice_trim(s);
	} while (s.n > 0);
	*out = sum;
	return 0;
}

static const struct { const char *name; int64_t bytes; } sizes[] = {
	{ "", 1 }, { "B", 1 }, { "bytes", 1 },
	{ "kB", 1000 }, { "KiB", INT64_C(1) << 10 },
	{ "MB", 1000000 }, { "MiB", INT64_C(1) << 20 },
	{ "GB", 1000000000 }, { "GiB", INT64_C(1) << 30 },
	{ "TB", INT64_C(1000000000000) }, { "TiB", INT64_C(1) << 40 },
};

/* scan_size - bytes; k is 1000 and Ki is 1024, nothing is guessed */
int
scan_size(struct slice text, int64_t *out, struct why *why)
{
	struct slice s = slice_trim(text);
	struct quoted q;
	int64_t n;
	size_t i;

	if (digits(&s, &n) == -1)
		return why_set(why, "%s is not a size; write a number and a "
		    "unit, such as \"64 MiB\"", text_quote(text, &q));
	s = slice_trim(s);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		if (!slice_is(s, sizes[i].name))
			continue;
		if (__builtin_mul_overflow(n, sizes[i].bytes, out))
			return why_set(why, "%s is too large",
			    text_quote(text, &q));
		return 0;
	}
	return why_set(why, "%s: unknown unit; expected B, kB, KiB, MB, MiB, "
	    "GB, GiB, TB or TiB", text_quote(text, &q));
}

/* fixed - exactly n digits at the head of *s; -1: not so */
static int
fixed(struct slice *s, size_t n, int *out)
{
	struct slice head = *s;
	int64_t value;

	if (s->n < n)
		return -1;
	head.n = n;
	if (digits(&head, &value) == -1 || head.n > 0)
		return -1;
	*out = (int)value;
	*s = slice_from(*s, n);
	return 0;
}

/* mark - does that byte stand at the head of *s? then move behind it */
static bool
mark(struct slice *s, char c)
{
	if (s->n == 0 || s->p[0] != c)
		return false;
	*s = slice_from(*s, 1);
	return true;
}

/* time_of_day - "08:00" or "08:00:30" */
static int
time_of_day(struct slice *s, struct civil *c)
{
	c->second = 0;
	if (fixed(s, 2, &c->hour) == -1 || !mark(s, ':') ||
	    fixed(s, 2, &c->minute) == -1 ||
	    (mark(s, ':') && fixed(s, 2, &c->second) == -1))
		return -1;
	return c->hour < 24 && c->minute < 60 && c->second < 60 ? 0 : -1;
}

/* offset - "Z" or "+01:00", seconds east; 1 there, 0 none, -1 malformed */
static int
offset(struct slice *s, int *out)
{
	int hour, minute = 0, sign;

	*out = 0;
	if (s->n == 0)
		return 0;
	if (mark(s, 'Z'))
		return 1;
	sign = mark(s, '+') ? 1 : mark(s, '-') ? -1 : 0;
	if (sign == 0 || fixed(s, 2, &hour) == -1 || !mark(s, ':') ||
	    fixed(s, 2, &minute) == -1 || hour > 23 || minute > 59)
		return -1;
	*out = sign * (hour * 3600 + minute * 60);
	return 1;
}

/* calendar - a date, with or without a time of day; 0 it is none, 1 done */
static int
calendar(struct slice text, const struct zone *zone, int64_t *out,
    struct why *why)
{
	struct slice s = text;
	struct civil c = { 0 };
	struct quoted q;
	int east = 0, zoned = 0;

	if (fixed(&s, 4, &c.year) == -1 || !mark(&s, '-'))
		return 0;
	if (fixed(&s, 2, &c.month) == -1 || !mark(&s, '-') ||
	    fixed(&s, 2, &c.day) == -1)
		return why_set(why, "%s is not a date; write it as "
		    "\"2026-11-01\"", text_quote(text, &q));
	if (!date_exists(c.year, c.month, c.day))
		return why_set(why, "there is no such date as %s",
		    text_quote(text, &q));
	if (mark(&s, 'T') || mark(&s, ' ')) {
		if (time_of_day(&s, &c) == -1 ||
		    (zoned = offset(&s, &east)) == -1)
			return why_set(why, "%s: the time of day is not one; "
			    "write \"2026-11-01T08:00:00Z\"",
			    text_quote(text, &q));
	}
	if (s.n > 0)
		return why_set(why, "%s: there is more behind the date than a "
		    "time of day", text_quote(text, &q));
	*out = zone_moment(zoned == 1 ? zone_utc() : zone, c.year, c.month,
	    c.day, c.hour, c.minute, c.second);
	if (zoned == 1)
		*out -= east * CLOCK_SECOND;
	return 1;
}

/* scan_moment - a date, a time of today, or a span before or after now */
int
scan_moment(struct slice text, const struct zone *zone, int64_t now,
    int64_t *out, struct why *why)
{
	struct slice s = slice_trim(text), tail = SLICE(" ago");
	struct civil today, c;
	struct quoted q;
	int64_t span;
	int done;

	if (zone == NULL)
		zone = zone_utc();
	if (slice_is(s, "now")) {
		*out = now;
		return 0;
	}
	if ((done = calendar(s, zone, out, why)) != 0)
		return done == 1 ? 0 : -1;
	if (s.n >= 5 && s.p[2] == ':' && time_of_day(&s, &c) == 0 &&
	    s.n == 0) {
		zone_civil(zone, now, &today);
		*out = zone_moment(zone, today.year, today.month, today.day,
		    c.hour, c.minute, c.second);
		return 0;
	}
	s = slice_trim(text);
	if (slice_starts(s, SLICE("in "))) {
		if (scan_duration(slice_from(s, 3), &span, why) == -1)
			return -1;
		*out = now + span;
		return 0;
	}
	if (s.n > tail.n && slice_eq(slice_from(s, s.n - tail.n), tail))
		s.n -= tail.n;
	if (s.n == 0 || !is_digit(s.p[0]))
		return why_set(why, "%s is not a moment; write \"2026-11-01\", "
		    "\"2026-11-01T08:00:00Z\", \"10:30\" or \"3 days ago\"",
		    text_quote(text, &q));
	if (scan_duration(s, &span, why) == -1)
		return -1;
	*out = now - span;
	return 0;
}

/* next_day - midnight, or that time of day, of the day after now */
static int64_t
next_day(const struct zone *zone, int64_t now, const struct civil *c)
{
	struct window day;
	struct civil next;

	zone_window(zone, WINDOW_DAY, 1, now, &day);
	zone_civil(zone, day.end, &next);
	return zone_moment(zone, next.year, next.month, next.day, c->hour,
	    c->minute, c->second);
}

/* scan_until - the same words mean what is to come */
int
scan_until(struct slice text, const struct zone *zone, int64_t now,
    int64_t *out, struct why *why)
{
	struct slice s = slice_trim(text), day, rest;
	struct civil c = { 0 };
	struct quoted q;
	int64_t span;
	bool tomorrow;

	if (zone == NULL)
		zone = zone_utc();
	day = letters(&s);
	rest = slice_trim(s);
	tomorrow = slice_is(day, "tomorrow");
	if (tomorrow && rest.n == 0) {
		*out = next_day(zone, now, &c);
		return 0;
	}
	if ((tomorrow || slice_is(day, "today")) &&
	    time_of_day(&rest, &c) == 0 && rest.n == 0) {
		if (tomorrow)
			*out = next_day(zone, now, &c);
		else
			return scan_moment(slice_trim(s), zone, now, out, why);
		return 0;
	}
	s = rest = slice_trim(text);
	if (s.n >= 5 && s.p[2] == ':' && time_of_day(&rest, &c) == 0 &&
	    rest.n == 0) {
		if (scan_moment(s, zone, now, out, why) == -1)
			return -1;
		if (*out <= now)
			*out = next_day(zone, now, &c);
		return 0;
	}
	/* a date begins with four digits and '-', a span does not */
	if (s.n > 0 && is_digit(s.p[0]) && (s.n < 5 || s.p[4] != '-')) {
		if (scan_duration(s, &span, why) == -1)
			return -1;
		if (__builtin_add_overflow(now, span, out))
			*out = INT64_MAX;
		return 0;
	}
	if (s.n == 0 || (!is_digit(s.p[0]) && !slice_starts(s, SLICE("in "))))
		return why_set(why, "%s is not a time to come; write \"2h\", "
		    "\"18:00\", \"tomorrow 08:00\" or \"2026-12-01 08:00\"",
		    text_quote(text, &q));
	return scan_moment(s, zone, now, out, why);
}
