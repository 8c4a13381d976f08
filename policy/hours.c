/*
 * hours - see hours.h.
 *
 * A part of a day reaches from the first moment at which the wall shows its
 * beginning, or more, to the first one at which it shows its end.  So where
 * 02:00 to 03:00 is skipped a part "02:00-03:00" is empty, and where it comes
 * twice the part lasts two hours.  The date of a day is that of its first
 * moment (lib/zone.h says which moments are a day's).
 */
#include "policy/hours.h"

#include "lib/date.h"
#include "lib/text.h"

#define WEEK	7
#define ALL	0x7fu
#define LOOK	15		/* days: the same weekday comes twice */
#define MIDNIGHT (24 * 60)

/* weekday - "Mon", in any case; -1 */
static int
weekday(struct slice s)
{
	static const char *const names[] = { "mon", "tue", "wed", "thu",
	    "fri", "sat", "sun" };

	for (int i = 0; i < WEEK; i++)
		if (s.n == 3 && (s.p[0] | 32) == names[i][0] &&
		    (s.p[1] | 32) == names[i][1] &&
		    (s.p[2] | 32) == names[i][2])
			return i;
	return -1;
}

/* cut - the text before a byte, which goes too; all when it is not there */
static struct slice
cut(struct slice *rest, char at)
{
	struct slice part = *rest;
	size_t n = 0;

	while (n < rest->n && rest->p[n] != at)
		n++;
	part.n = n;
	*rest = slice_from(*rest, n < rest->n ? n + 1 : n);
	return part;
}

/* days - "Mon-Fri,Sun" as bits; 0: it is nothing of the kind */
static unsigned
days(struct slice s)
{
	unsigned set = 0;

	do {
		struct slice item = cut(&s, ','), left = item;
		int first = weekday(cut(&left, '-'));
		int last = left.n > 0 ? weekday(left) : first;

		if (first < 0 || last < 0 || (item.n != 3 && item.n != 7))
			return 0;
		for (int i = first;; i = (i + 1) % WEEK) {
			set |= 1u << i;
			if (i == last)
				break;
		}
	} while (s.n > 0);
	return set;
}

/* minute - "08:30" as minutes; -1 */
static int
minute(struct slice s)
{
	int h, m;

	if (s.n != 5 || s.p[2] != ':')
		return -1;
	for (size_t i = 0; i < 5; i++)
		if (i != 2 && (s.p[i] < '0' || s.p[i] > '9'))
			return -1;
	h = (s.p[0] - '0') * 10 + s.p[1] - '0';
	m = (s.p[3] - '0') * 10 + s.p[4] - '0';
	return m > 59 || h * 60 + m > MIDNIGHT ? -1 : h * 60 + m;
}

/* hours_parse - one text more */
int
hours_parse(struct slice text, struct hours *hours, struct why *why)
{
	struct slice rest = text, word = cut(&rest, ' ');
	unsigned set = ALL;
	struct quoted q;
	int from, to;

	if (rest.n > 0) {
		set = days(word);
		word = rest;
	}
	from = minute(cut(&word, '-'));
	to = minute(word);
	if (set == 0 || from < 0 || to < 0)
		return why_set(why, "expected hours, as \"Mon-Fri "
		    "08:00-18:00\" or \"Sat,Sun 10:00-14:00\", found %s",
		    text_quote(text, &q));
	if (from >= to)
		return why_set(why, "%s ends before it begins; hours over "
		    "midnight are two, one that ends at 24:00 and one that "
		    "begins at 00:00", text_quote(text, &q));
	for (size_t i = 0; i < hours->n; i++)
		if ((hours->spans[i].days & set) != 0 &&
		    from < hours->spans[i].to && hours->spans[i].from < to)
			return why_set(why, "%s is within other hours of the "
			    "same day", text_quote(text, &q));
	if (hours->n == HOURS_SPANS)
		return why_set(why, "more than %d hours of the week",
		    HOURS_SPANS);
	hours->spans[hours->n].days = set;
	hours->spans[hours->n].from = from;
	hours->spans[hours->n++].to = to;
	return 0;
}

/* part - from then to then, if that is any time; parts stay in order */
static void
part(struct hours_day *d, int64_t start, int64_t end)
{
	size_t at = d->n;

	if (start >= end)
		return;
	for (; at > 0 && d->parts[at - 1].start > start; at--)
		d->parts[at] = d->parts[at - 1];
	d->parts[at] = (struct window){ start, end };
	d->n++;
	d->length += end - start;
}

/* fill - the parts of a day whose date and bounds are known */
static void
fill(const struct hours *hours, const struct zone *zone, struct hours_day *d)
{
	int weekday_of = date_weekday(d->date), month, day;
	int64_t year;

	d->n = 0;
	d->length = 0;
	if (hours->n == 0)
		part(d, d->day.start, d->day.end);
	date_of(d->date, &year, &month, &day);
	for (size_t i = 0; i < hours->n; i++)
		if ((hours->spans[i].days >> weekday_of & 1) != 0)
			part(d, zone_moment(zone, (int)year, month, day,
			    0, hours->spans[i].from, 0), zone_moment(zone,
			    (int)year, month, day, 0, hours->spans[i].to, 0));
}

/* hours_of - the day that holds a moment */
void
hours_of(const struct hours *hours, const struct zone *zone, int64_t now,
    struct hours_day *d)
{
	struct civil c;

	zone_window(zone, WINDOW_DAY, 1, now, &d->day);
	zone_civil(zone, d->day.start, &c);
	d->date = date_days(c.year, c.month, c.day);
	fill(hours, zone, d);
}

/* hours_date - the day of a date */
void
hours_date(const struct hours *hours, const struct zone *zone, int64_t date,
    struct hours_day *d)
{
	int64_t year;
	int month, day;

	d->date = date;
	date_of(date, &year, &month, &day);
	d->day.start = zone_moment(zone, (int)year, month, day, 0, 0, 0);
	date_of(date + 1, &year, &month, &day);
	d->day.end = zone_moment(zone, (int)year, month, day, 0, 0, 0);
	fill(hours, zone, d);
}

/* hours_open - is that moment within them? */
bool
hours_open(const struct hours_day *d, int64_t now)
{
	for (size_t i = 0; i < d->n; i++)
		if (now >= d->parts[i].start && now < d->parts[i].end)
			return true;
	return false;
}

/* hours_elapsed - what is over of them */
int64_t
hours_elapsed(const struct hours_day *d, int64_t now)
{
	int64_t sum = 0;

	for (size_t i = 0; i < d->n && d->parts[i].start < now; i++)
		sum += (now < d->parts[i].end ? now : d->parts[i].end) -
		    d->parts[i].start;
	return sum;
}

/* hours_at - when that much is over */
int64_t
hours_at(const struct hours_day *d, int64_t elapsed)
{
	for (size_t i = 0; i < d->n; i++) {
		int64_t length = d->parts[i].end - d->parts[i].start;

		if (elapsed < length)
			return d->parts[i].start + elapsed;
		elapsed -= length;
	}
	return INT64_MAX;
}

/* hours_next - the first moment within them */
int64_t
hours_next(const struct hours *hours, const struct zone *zone, int64_t now)
{
	struct hours_day d;
	int64_t first;

	hours_of(hours, zone, now, &d);
	first = d.date;
	for (;;) {
		for (size_t i = 0; i < d.n; i++)
			if (now < d.parts[i].end)
				return now > d.parts[i].start ? now :
				    d.parts[i].start;
		if (d.date - first == LOOK)
			return INT64_MAX;
		hours_date(hours, zone, d.date + 1, &d);
	}
}
