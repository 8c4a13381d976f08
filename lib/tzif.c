/*
 * tzif - one time zone file, read into spans of constant offset.
 *
 * The file (RFC 8536, big-endian):
 *   header	"TZif" version[1] unused[15], then u32 counts of: UT indicators,
 *		standard indicators, leap seconds, transitions, types, bytes of
 *		abbreviations
 *   data	of version 1, with times of 32 bits: skipped
 *   header	again, then the data with times of 64 bits:
 *		times[8 * n] types[n] ttinfo[6 * types] abbreviations,
 *		leap seconds[12 each], indicators
 *   footer	"\n" POSIX-TZ "\n"
 * A type is s32 offset, u8 isdst, u8 abbreviation; the offset is all we use.
 *
 * The footer rules times from the last transition on, so dates far ahead are
 * right without a table.  Its two changes of a year are computed when they are
 * asked for; negative daylight saving (Dublin) and changes that the clock
 * shows before 00:00 or after 24:00 need no special case.
 */
#include "lib/tzif.h"

#include <stdbool.h>
#include <stdlib.h>

#include "lib/date.h"

#define DAY		86400
#define OFFSET_MOST	(26 * 3600)
#define TYPES_MAX	256

struct rule {			/* when the clock changes, in local time */
	enum { RULE_WEEKDAY, RULE_JULIAN, RULE_DAY } kind;
	int	month, week, day;
	int32_t	time;		/* seconds from 00:00; may be negative */
};

struct tzif {
	int64_t		*times;
	int32_t		*offsets;	/* from times[i] on */
	size_t		 n;
	int32_t		 before;	/* ahead of the first transition */
	bool		 footer, dst;
	int32_t		 std_offset, dst_offset;
	struct rule	 to_dst, to_std;
};

struct counts {
	uint64_t	ut, standard, leap, times, types, chars;
};

/* be32 - an unsigned big-endian number */
static uint32_t
be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | p[3];
}

/* be64 - a signed one */
static int64_t
be64(const uint8_t *p)
{
	return (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4));
}

/* header - check it and take the counts */
static int
header(struct slice s, struct counts *c, struct why *why)
{
	const uint8_t *p = (const uint8_t *)s.p;

	if (s.n < 44 || memcmp(p, "TZif", 4) != 0)
		return why_set(why, "not a time zone file");
	if (p[4] < '2')
		return why_set(why, "a time zone file of version 1; version 2 "
		    "or later is needed");
	c->ut = be32(p + 20);
	c->standard = be32(p + 24);
	c->leap = be32(p + 28);
	c->times = be32(p + 32);
	c->types = be32(p + 36);
	c->chars = be32(p + 40);
	return 0;
}

/* data_size - bytes of the data behind a header; word: bytes of a time */
static uint64_t
data_size(const struct counts *c, uint64_t word)
{
	return c->times * (word + 1) + c->types * 6 + c->chars +
	    c->leap * (word + 4) + c->standard + c->ut;
}

/* table - transitions and their offsets */
static int
table(struct tzif *tz, const uint8_t *p, const struct counts *c,
    struct why *why)
{
	const uint8_t *types = p + c->times * 8, *info = types + c->times;
	int32_t offsets[TYPES_MAX];
	size_t i;

	for (i = 0; i < c->types; i++) {
		offsets[i] = (int32_t)be32(info + i * 6);
		if (offsets[i] <= -OFFSET_MOST || offsets[i] >= OFFSET_MOST)
			return why_set(why, "an offset of more than 26 hours");
	}
	tz->before = offsets[0];
	tz->n = c->times;
	tz->times = calloc(tz->n + 1, sizeof(*tz->times));
	tz->offsets = calloc(tz->n + 1, sizeof(*tz->offsets));
	if (tz->times == NULL || tz->offsets == NULL)
		return why_kind(why, WHY_MEMORY, "no memory for a time zone");
	for (i = 0; i < tz->n; i++) {
		tz->times[i] = be64(p + i * 8);
		if (types[i] >= c->types)
			return why_set(why, "a type that is not there");
		if (i > 0 && tz->times[i] <= tz->times[i - 1])
			return why_set(why, "transitions out of order");
		/* RFC 8536, 3.2: not before -2**59; keeps sums in range. */
		if (tz->times[i] < -(INT64_C(1) << 59) ||
		    tz->times[i] > INT64_C(1) << 59)
			return why_set(why, "a transition out of range");
		tz->offsets[i] = offsets[types[i]];
	}
	return 0;
}

/* --- the footer: std offset [dst [offset] "," rule "," rule] ------------- */

/* number - digits at the head of *s, 0 .. most */
static int
number(struct slice *s, int most, int *out)
{
	size_t i;

	*out = 0;
	for (i = 0; i < s->n && s->p[i] >= '0' && s->p[i] <= '9'; i++) {
		*out = *out * 10 + (s->p[i] - '0');
		if (*out > most)
			return -1;
	}
	*s = slice_from(*s, i);
	return i > 0 ? 0 : -1;
}

/* mark - does c stand at the head of *s? then move behind it */
static bool
mark(struct slice *s, char c)
{
	if (s->n == 0 || s->p[0] != c)
		return false;
	*s = slice_from(*s, 1);
	return true;
}

/* hours - [+-]h[:m[:s]] in seconds */
static int
hours(struct slice *s, int most, int32_t *out)
{
	int h, m = 0, sec = 0, sign;

	sign = mark(s, '-') ? -1 : 1;
	if (sign == 1)
		mark(s, '+');
	if (number(s, most, &h) == -1 ||
	    (mark(s, ':') && (number(s, 59, &m) == -1 ||
	    (mark(s, ':') && number(s, 59, &sec) == -1))))
		return -1;
	*out = sign * (h * 3600 + m * 60 + sec);
	return 0;
}

/* abbreviation - letters, or anything within "<>" */
static int
abbreviation(struct slice *s)
{
	size_t i = 0;

	if (mark(s, '<')) {
		while (i < s->n && s->p[i] != '>')
			i++;
		*s = slice_from(*s, i);
		return mark(s, '>') && i > 0 ? 0 : -1;
	}
	while (i < s->n && ((s->p[i] >= 'A' && s->p[i] <= 'Z') ||
	    (s->p[i] >= 'a' && s->p[i] <= 'z')))
		i++;
	*s = slice_from(*s, i);
	return i > 0 ? 0 : -1;
}

/* date_rule - ",Mm.w.d", ",Jn" or ",n", then ["/" time] */
static int
date_rule(struct slice *s, struct rule *r)
{
	r->time = 2 * 3600;
	if (!mark(s, ','))
		return -1;
	if (mark(s, 'M')) {
		r->kind = RULE_WEEKDAY;
		if (number(s, 12, &r->month) == -1 || r->month < 1 ||
		    !mark(s, '.') || number(s, 5, &r->week) == -1 ||
		    r->week < 1 || !mark(s, '.') ||
		    number(s, 6, &r->day) == -1)
			return -1;
	} else if (mark(s, 'J')) {
		r->kind = RULE_JULIAN;
		if (number(s, 365, &r->day) == -1 || r->day < 1)
			return -1;
	} else {
		r->kind = RULE_DAY;
		if (number(s, 365, &r->day) == -1)
			return -1;
	}
	return mark(s, '/') ? hours(s, 167, &r->time) : 0;
}

/* footer - what holds behind the table */
static int
footer(struct tzif *tz, struct slice s, struct why *why)
{
	if (!mark(&s, '\n'))
		return why_set(why, "the footer is missing");
	if (mark(&s, '\n'))
		return 0;			/* the last type goes on */
	tz->footer = true;
	if (abbreviation(&s) == -1 || hours(&s, 24, &tz->std_offset) == -1)
		return why_set(why, "the footer is no TZ string");
	tz->std_offset = -tz->std_offset;	/* POSIX counts west of UTC */
	if (mark(&s, '\n'))
		return 0;
	tz->dst = true;
	tz->dst_offset = tz->std_offset + 3600;
	if (abbreviation(&s) == -1)
		return why_set(why, "the footer is no TZ string");
	if (s.n > 0 && s.p[0] != ',') {
		if (hours(&s, 24, &tz->dst_offset) == -1)
			return why_set(why, "the footer is no TZ string");
		tz->dst_offset = -tz->dst_offset;
	}
	if (date_rule(&s, &tz->to_dst) == -1 ||
	    date_rule(&s, &tz->to_std) == -1 || !mark(&s, '\n'))
		return why_set(why, "the footer has no rule we know");
	return 0;
}

/* tzif_read - from the bytes of a file */
int
tzif_read(struct slice bytes, struct tzif **out, struct why *why)
{
	struct tzif *tz = NULL;
	struct counts c;
	uint64_t size;

	*out = NULL;
	if (header(bytes, &c, why) == -1)
		return -1;
	size = data_size(&c, 4) + 44;
	if (size > bytes.n)
		return why_set(why, "the file is cut short");
	bytes = slice_from(bytes, size);
	if (header(bytes, &c, why) == -1)
		return -1;
	bytes = slice_from(bytes, 44);
	size = data_size(&c, 8);
	if (size > bytes.n)
		return why_set(why, "the file is cut short");
	if (c.types < 1 || c.types > TYPES_MAX)
		return why_set(why, "%s types", c.types < 1 ? "no" :
		    "too many");
	if (c.leap > 0)
		return why_set(why, "it counts leap seconds (\"right\" zone)");
	tz = calloc(1, sizeof(*tz));
	if (tz == NULL)
		return why_kind(why, WHY_MEMORY, "no memory for a time zone");
	if (table(tz, (const uint8_t *)bytes.p, &c, why) == -1 ||
	    footer(tz, slice_from(bytes, size), why) == -1) {
		tzif_free(tz);
		return -1;
	}
	*out = tz;
	return 0;
}

/* tzif_free - all of it */
void
tzif_free(struct tzif *tz)
{
	if (tz == NULL)
		return;
	free(tz->times);
	free(tz->offsets);
	free(tz);
}

/* rule_day - the day of that year, since 1970 */
static int64_t
rule_day(const struct rule *r, int64_t year)
{
	int64_t first;
	int ahead;

	switch (r->kind) {
	case RULE_JULIAN:		/* the 29th of February has no number */
		return date_days(year, 1, 1) + r->day - 1 +
		    (r->day >= 60 && date_leap(year));
	case RULE_DAY:
		return date_days(year, 1, 1) + r->day;
	default:
		break;
	}
	first = date_days(year, r->month, 1);
	ahead = (r->day + 6 - date_weekday(first)) % 7;	/* 0 is Sunday */
	ahead += (r->week - 1) * 7;
	while (ahead >= date_month_days(year, r->month))
		ahead -= 7;
	return first + ahead;
}

/*
 * footer_span - the latest change at or before t, and the next.  Of two at one
 * moment (daylight saving all year, RFC 8536, 3.3.1) the one to DST holds.
 */
static void
footer_span(const struct tzif *tz, int64_t t, struct tzif_span *span)
{
	int64_t year, at, y;
	int month, day;
	bool dst;
	int i;

	span->start = INT64_MIN;
	span->end = INT64_MAX;
	span->offset = tz->std_offset;
	if (!tz->dst)
		return;
	date_of(t / DAY, &year, &month, &day);
	/* A time of up to 167 hours carries a rule into the next year. */
	for (y = year - 2; y <= year + 2; y++) {
		for (i = 0; i < 2; i++) {
			dst = i == 1;
			at = dst ? rule_day(&tz->to_dst, y) * DAY +
			    tz->to_dst.time - tz->std_offset :
			    rule_day(&tz->to_std, y) * DAY +
			    tz->to_std.time - tz->dst_offset;
			if (at > t) {
				if (at < span->end)
					span->end = at;
			} else if (at > span->start ||
			    (at == span->start && dst)) {
				span->start = at;
				span->offset = dst ? tz->dst_offset :
				    tz->std_offset;
			}
		}
	}
}

/* tzif_span - by binary search in the table, or by the footer */
void
tzif_span(const struct tzif *tz, int64_t t, struct tzif_span *span)
{
	size_t low = 0, high, middle;

	span->start = INT64_MIN;
	span->end = INT64_MAX;
	span->offset = 0;
	if (tz == NULL)
		return;
	high = tz->n;			/* the first transition behind t */
	while (low < high) {
		middle = low + (high - low) / 2;
		if (tz->times[middle] <= t)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < tz->n) {
		span->end = tz->times[low];
	} else if (tz->footer) {
		footer_span(tz, t, span);
		if (tz->n > 0 && span->start < tz->times[tz->n - 1])
			span->start = tz->times[tz->n - 1];
		return;
	}
	span->offset = low > 0 ? tz->offsets[low - 1] : tz->before;
	if (low > 0)
		span->start = tz->times[low - 1];
}
