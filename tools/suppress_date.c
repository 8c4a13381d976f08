/*
 * suppress_date - the dates that lists of other houses have.
 *
 * lib/scan.h reads moments that an operator writes ("3 days ago"); a list is
 * read strictly, with fractions of a second and the months' names of RFC 5322.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/date.h"
#include "lib/text.h"
#include "tools/suppress_row.h"

struct civil {
	int64_t	year;
	int	month, day, hour, minute, second;
	int64_t	us, offset;		/* us; offset to UTC */
};

/* digits - a number of least to most digits, cut from the front */
static bool
digits(struct slice *s, size_t least, size_t most, int64_t *out)
{
	size_t n = 0;

	*out = 0;
	while (n < s->n && n < most && s->p[n] >= '0' && s->p[n] <= '9')
		*out = *out * 10 + (s->p[n++] - '0');
	*s = slice_from(*s, n);
	return n >= least;
}

/* take - one of these characters */
static bool
take(struct slice *s, const char *any)
{
	if (s->n == 0 || s->p[0] == '\0' || strchr(any, s->p[0]) == NULL)
		return false;
	*s = slice_from(*s, 1);
	return true;
}

/* small - digits that fit an int */
static bool
small(struct slice *s, size_t least, size_t most, int *out)
{
	int64_t v;
	bool fine = digits(s, least, most, &v);

	*out = (int)v;
	return fine;
}

/* blanks - none or more */
static void
blanks(struct slice *s)
{
	while (take(s, " \t"))
		;
}

/* of_clock - HH:MM[:SS[.fraction]] */
static bool
of_clock(struct slice *s, struct civil *c)
{
	int64_t scale = 100000;

	if (!small(s, 1, 2, &c->hour) || !take(s, ":") ||
	    !small(s, 2, 2, &c->minute))
		return false;
	if (!take(s, ":"))
		return true;
	if (!small(s, 2, 2, &c->second))
		return false;
	if (!take(s, ".,"))
		return true;
	if (s->n == 0 || s->p[0] < '0' || s->p[0] > '9')
		return false;
	for (; s->n > 0 && s->p[0] >= '0' && s->p[0] <= '9'; scale /= 10) {
		c->us += scale * (s->p[0] - '0');
		*s = slice_from(*s, 1);
	}
	return true;
}

/* of_zone - Z, UTC, GMT, +hh:mm, +hhmm, "+0000 UTC", or nothing */
static bool
of_zone(struct slice *s, struct civil *c)
{
	int hours, minutes = 0;
	bool minus;

	blanks(s);
	if (s->n > 0 && (s->p[0] == '+' || s->p[0] == '-')) {
		minus = s->p[0] == '-';
		*s = slice_from(*s, 1);
		if (!small(s, 2, 2, &hours))
			return false;
		(void)take(s, ":");
		if (s->n > 0 && s->p[0] != ' ' && !small(s, 2, 2, &minutes))
			return false;
		if (hours > 14 || minutes > 59)
			return false;
		c->offset = (hours * 60 + minutes) * CLOCK_MINUTE;
		if (minus)
			c->offset = -c->offset;
		blanks(s);
	}
	return s->n == 0 || slice_case_eq(*s, SLICE("Z")) ||
	    slice_case_eq(*s, SLICE("UTC")) || slice_case_eq(*s, SLICE("GMT"));
}

/* of_iso - YYYY-MM-DD, and a time behind a T or a blank */
static bool
of_iso(struct slice s, struct civil *c)
{
	if (!digits(&s, 4, 4, &c->year) || !take(&s, "-/") ||
	    !small(&s, 2, 2, &c->month) || !take(&s, "-/") ||
	    !small(&s, 2, 2, &c->day))
		return false;
	if (s.n == 0)
		return true;
	return take(&s, "Tt ") && of_clock(&s, c) && of_zone(&s, c);
}

/* of_mail - [Fri, ]21 Nov 2025 08:00[:00] +0000 */
static bool
of_mail(struct slice s, struct civil *c)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	const char *comma = s.n > 0 ? memchr(s.p, ',', s.n) : NULL;

	if (comma != NULL)
		s = slice_from(s, (size_t)(comma + 1 - s.p));
	blanks(&s);
	if (!small(&s, 1, 2, &c->day) || !take(&s, " -") || s.n < 4)
		return false;
	for (c->month = 1; c->month <= 12; c->month++)
		if (strncasecmp(s.p, months + 3 * (c->month - 1), 3) == 0)
			break;
	s = slice_from(s, 3);
	if (c->month > 12 || !take(&s, " -") || !digits(&s, 4, 4, &c->year))
		return false;
	blanks(&s);
	return s.n == 0 || (of_clock(&s, c) && of_zone(&s, c));
}

/* row_date - one of the three */
int
row_date(struct slice text, int64_t *out, struct why *why)
{
	struct slice s = slice_trim(text);
	struct civil c = { .year = 0 };
	struct quoted q;
	int64_t unix_time;

	if (s.n > 0 && s.n <= 13 && digits(&s, 1, 13, &unix_time) &&
	    s.n == 0) {
		/* 13 digits are milliseconds */
		*out = slice_trim(text).n > 11 ? unix_time * 1000 :
		    unix_time * CLOCK_SECOND;
		return 0;
	}
	s = slice_trim(text);
	if (!of_iso(s, &c)) {
		c = (struct civil){ .year = 0 };
		if (!of_mail(s, &c))
			return why_set(why, "%s is no date", text_quote(text,
			    &q));
	}
	if (!date_exists(c.year, c.month, c.day) || c.year < 1970 ||
	    c.hour > 23 || c.minute > 59 || c.second > 60)
		return why_set(why, "%s is no date that there is",
		    text_quote(text, &q));
	*out = date_days(c.year, c.month, c.day) * CLOCK_DAY +
	    c.hour * CLOCK_HOUR + c.minute * CLOCK_MINUTE +
	    c.second * CLOCK_SECOND + c.us - c.offset;
	return 0;
}

/* row_print_date - and back */
void
row_print_date(int64_t us, char out[40])
{
	int64_t days = us / CLOCK_DAY, rest = us % CLOCK_DAY, year, fraction;
	int month, day, n;

	if (rest < 0) {
		rest += CLOCK_DAY;
		days--;
	}
	date_of(days, &year, &month, &day);
	n = snprintf(out, 40, "%04" PRId64 "-%02d-%02dT%02d:%02d:%02d", year,
	    month, day, (int)(rest / CLOCK_HOUR),
	    (int)(rest % CLOCK_HOUR / CLOCK_MINUTE),
	    (int)(rest % CLOCK_MINUTE / CLOCK_SECOND));
	fraction = rest % CLOCK_SECOND;
	if (fraction != 0)
		n += snprintf(out + n, 40 - (size_t)n, ".%06" PRId64,
		    fraction);
	snprintf(out + n, 40 - (size_t)n, "Z");
}
