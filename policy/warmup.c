/*
 * warmup - see warmup.h.
 *
 * The hours.  The day's number C is spread over the T active hours of the
 * day: each adds C / T and a quarter more, rounded up, and what one did not
 * use is there in the next, so by the k-th hour k times that may have been
 * sent, and C at the most.  The next day begins with nothing.  A warmup
 * without hours may send all day long, and is spread over ten hours.
 *
 * The throttle keeps the hour's part, and what has gathered, from leaving at
 * once.  Were it as narrow as the hour it would eat what was carried: who has
 * three hours a day, and begins when all but those are over, would never send
 * more than three eighths of his number, a day on which less than half is
 * used is repeated, and he would never be warm.  So it is as wide as three
 * hours need: C / 3 and a quarter more per hour (of T, when that is less).
 * Its burst is what it leaks in five minutes, on the first three days one; a
 * message of more recipients than that waits until the bucket is empty.
 *
 * Shares bind on the day alone: a provider's part of C, rounded up, so that it
 * is at least one as long as nobody stopped it.
 *
 * The day is the row's, not the calendar's: a new one is said by the rules
 * (milter/warmer.c) once the old one is known.  Until they have spoken the old
 * number holds.  A clock that steps by a day therefore moves nobody on, and
 * the ledger does not reopen a window.
 */
#include "policy/warmup.h"

#include "lib/clock.h"
#include "policy/ledger.h"
#include "policy/portion.h"

#define SPREAD		(10 * CLOCK_HOUR)	/* over, when none are said */
#define CAMPAIGN	(3 * CLOCK_HOUR)	/* the throttle is as wide */
#define LOOK		14			/* days, for a slot */

/* per_hour - a quarter more than an even part of n, in length us */
static int64_t
per_hour(int64_t n, int64_t length)
{
	__int128 more = (__int128)n * 5 * CLOCK_HOUR;
	__int128 of = (__int128)4 * length;

	return (int64_t)((more + of - 1) / of);
}

/* least - of two */
static int64_t
least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* warmup_row - does it count for what the policy says now? */
const struct warm_row *
warmup_row(const struct warmup *w, const struct warm_row *row)
{
	return row != NULL && !w->first_mail && row->started < w->started ?
	    NULL : row;
}

/* warmup_day - of the schedule */
int
warmup_day(const struct warmup *w, const struct warm_row *row, int64_t date)
{
	int n = w->schedule->n;

	if ((row = warmup_row(w, row)) != NULL)
		return row->day < 1 ? 1 : row->day > n ? n : row->day;
	if (w->first_mail)
		return 1;
	if (date < w->started)
		return 0;
	return date - w->started >= n ? n : (int)(date - w->started) + 1;
}

/* spread - over how much time a day's number is */
static int64_t
spread(const struct warmup *w, const struct hours_day *d)
{
	return w->hours.n == 0 ? least(d->length, SPREAD) : d->length;
}

/* hour_of - what an active hour of that day adds to a number */
static int64_t
hour_of(const struct warmup *w, const struct hours_day *d, int64_t cap)
{
	int64_t length = spread(w, d);

	return length > 0 ? per_hour(cap, length) : 0;
}

/* numbers - of the day and of its throttle */
static void
numbers(const struct warmup *w, int64_t now, struct warm_view *v)
{
	int64_t length = least(spread(w, &v->today), CAMPAIGN), hours;

	v->hour = hour_of(w, &v->today, v->cap);
	v->rate = per_hour(v->cap, length > 0 ? length : CAMPAIGN);
	v->burst = v->day <= WARMUP_CAREFUL || v->rate < 12 ? 1 :
	    v->rate / 12;
	if (!hours_open(&v->today, now))
		return;
	hours = hours_elapsed(&v->today, now) / CLOCK_HOUR + 1;
	v->so_far = least(v->cap, v->hour > v->cap / hours ? v->cap :
	    hours * v->hour);
}

/* warmup_view - where it is at a moment */
void
warmup_view(const struct warmup *w, const struct warm_row *row,
    const struct zone *zone, int64_t now, struct warm_view *v)
{
	/* a throttle that leaks nothing would never be empty again */
	*v = (struct warm_view){ .days = w->schedule->n, .rate = 1,
	    .burst = 1 };
	row = warmup_row(w, row);
	hours_of(&w->hours, zone, now, &v->today);
	v->day = warmup_day(w, row, v->today.date);
	v->stopped = row != NULL && row->stopped != 0;
	if (v->day == 0 || v->stopped)
		return;
	v->cap = schedule_number(w->schedule, v->day);
	numbers(w, now, v);
}

/* warmup_percent - the least of what the pool says */
int
warmup_percent(const struct warmup *w, unsigned provider)
{
	int percent = 100;

	for (size_t i = 0; i < w->nshares && provider < PROVIDER_MAX; i++)
		if ((w->shares[i].to >> provider & 1) != 0 &&
		    w->shares[i].percent < percent)
			percent = w->shares[i].percent;
	return percent;
}

/* part_of - thousandths of a percentage of a number, rounded up */
static int64_t
part_of(int64_t n, int percent, int thousandths)
{
	__int128 part = (__int128)n * percent * thousandths;

	return (int64_t)((part + 99999) / 100000);
}

/* warmup_share - of one provider */
int64_t
warmup_share(const struct warmup *w, const struct warm_row *row,
    const struct warm_view *v, unsigned provider)
{
	return part_of(v->cap, warmup_percent(w, provider),
	    progress_thousandths(warmup_row(w, row), provider,
	    v->today.date));
}

/* set_percent - of the providers that a limit counts together */
static int
set_percent(const struct limit *limit)
{
	const struct warmup *w = limit->warmup;

	for (size_t i = 0; i < w->nshares; i++)
		if (w->shares[i].to == limit->to)
			return w->shares[i].percent;
	return 100;
}

/* share_most - of a provider, or of the providers that a limit counts */
static int64_t
share_most(const struct warm_ask *a, const struct warm_view *v)
{
	if ((a->limit->per & PER_PROVIDER) != 0)
		return warmup_share(a->limit->warmup, a->row, v, a->provider);
	return part_of(v->cap, set_percent(a->limit), 1000);
}

/* warmup_most - the number of that limit now */
int64_t
warmup_most(const struct warm_ask *a, const struct warm_view *v)
{
	switch (a->limit->part) {
	case WARM_DAY:
		return a->bulk ? v->so_far : v->cap;
	case WARM_BURST:
		return a->bulk ? v->burst : LEDGER_UNBOUNDED;
	default:
		return share_most(a, v);
	}
}

/* by_hour - from now on, when so many may have been sent on that day */
static int64_t
by_hour(const struct warmup *w, const struct hours_day *d, int64_t cap,
    int64_t many, int64_t now)
{
	int64_t hour = hour_of(w, d, cap), at;

	if (hour == 0)
		return INT64_MAX;
	at = hours_at(d, (many - 1) / hour * CLOCK_HOUR);
	if (at >= now || at == INT64_MAX)
		return at;
	return hours_at(d, hours_elapsed(d, now));
}

/* first_day - the date from which on a day's number is so large; day: of the
 * schedule then; 0: never */
static int64_t
first_day(const struct warm_ask *a, const struct warm_view *v,
    int64_t number, int *day)
{
	const struct warmup *w = a->limit->warmup;
	int today = v->day < 1 ? 1 : v->day;
	int64_t date = v->day < 1 ? w->started : v->today.date + 1;

	if ((*day = schedule_day(w->schedule, today, number)) == 0)
		return 0;
	return *day > today ? date + *day - today - (v->day > 0) : date;
}

/* share_percent - of a provider, or of the providers that a limit counts */
static int
share_percent(const struct warm_ask *a)
{
	return (a->limit->per & PER_PROVIDER) != 0 ?
	    warmup_percent(a->limit->warmup, a->provider) :
	    set_percent(a->limit);
}

/* room_on - of a day's number, on a date */
static int64_t
room_on(const struct warm_ask *a, int64_t cap, int64_t date)
{
	int thousandths = 1000;

	if (a->limit->part != WARM_SHARE)
		return cap;
	if ((a->limit->per & PER_PROVIDER) != 0)
		thousandths = progress_thousandths(warmup_row(
		    a->limit->warmup, a->row), a->provider, date);
	return part_of(cap, share_percent(a), thousandths);
}

/* next_day - when so many fit on a day to come that has such a number, behind
 * those that wait.  The number stays what it is: rules may repeat the day, and
 * what is held on the word of a number that never comes goes back. */
static int64_t
next_day(const struct warm_ask *a, const struct warm_view *v, int64_t before,
    int64_t n, int64_t number)
{
	const struct warmup *w = a->limit->warmup;
	struct hours_day d;
	int64_t at = INT64_MAX, cap, date, room, many;
	int day;

	if (a->fifths)		/* of which the fifths are so many */
		number = (number - 1) / 4 * 5 + (number - 1) % 4 * 5 / 4 + 1;
	if ((date = first_day(a, v, number, &day)) == 0)
		return INT64_MAX;
	cap = schedule_number(w->schedule, day);
	if (a->fifths)
		cap = portion_bulk(cap);
	for (int i = 0; i < LOOK && at == INT64_MAX; i++) {
		hours_date(&w->hours, a->zone, date + i, &d);
		if (d.n == 0 && a->bulk)
			continue;
		room = room_on(a, cap, date + i);
		if (before > room - n) {
			before -= before < room ? before : room;
			continue;
		}
		/* of a share, when as much of the day has gone */
		many = least(cap, before * cap / room + n);
		at = !a->bulk ? d.day.start : by_hour(w, &d, cap, many,
		    d.day.start);
	}
	/* later than anybody looks ahead */
	return at != INT64_MAX ? at : d.day.end;
}

/* share_next - when n more may go to a provider */
static int64_t
share_next(const struct warm_ask *a, const struct warm_view *v,
    int64_t before, int64_t n)
{
	const struct warm_row *row = warmup_row(a->limit->warmup, a->row);

	for (size_t i = 0; row != NULL && i < row->nfactors &&
	    (a->limit->per & PER_PROVIDER) != 0; i++)
		if (row->factors[i].index == a->provider &&
		    row->factors[i].thousandths == 0 &&
		    row->factors[i].until == 0)
			return LEDGER_SOMETIME;
	/* of a part that is rounded up: one more than the others need */
	return next_day(a, v, before, n, (n - 1) * 100 / share_percent(a) +
	    1);
}

/* per_rate - how long until so many have leaked */
static int64_t
per_rate(int64_t n, int64_t rate)
{
	__int128 us = ((__int128)n * CLOCK_HOUR + rate - 1) / rate;

	return us > LOOK * CLOCK_DAY ? LOOK * CLOCK_DAY : (int64_t)us;
}

/* warmup_next - when n more will fit */
int64_t
warmup_next(const struct warm_ask *a, const struct warm_view *v, int64_t used,
    int64_t before, int64_t n, int64_t next, int64_t now)
{
	const struct warmup *w = a->limit->warmup;
	int64_t left = used < v->cap ? v->cap - used : 0, at = INT64_MAX;

	if (v->stopped)
		return LEDGER_SOMETIME;
	if (a->limit->part == WARM_SHARE)
		return share_next(a, v, before, n);
	if (a->limit->part == WARM_BURST) {
		/* the ledger takes what goes first from what may be at once */
		if (next >= LEDGER_SOMETIME)
			next = now + per_rate(used + before + n, v->rate);
		return hours_next(&w->hours, a->zone, next);
	}
	if (before <= left - n)
		at = a->bulk ? by_hour(w, &v->today, v->cap, used + before + n,
		    now) : now;
	return at != INT64_MAX ? at : next_day(a, v, before < left ? 0 :
	    before - left, n, n);
}

/* gone_by - how much of a day's number its hours have let through by then; not
 * what the last one does, since the throttle takes its time */
static int64_t
gone_by(const struct warmup *w, const struct hours_day *d, int64_t cap,
    int64_t then)
{
	int64_t hour = hour_of(w, d, cap), hours;

	then -= CLOCK_HOUR;
	if (then < d->day.start || hour == 0)
		return 0;
	hours = hours_elapsed(d, then) / CLOCK_HOUR + hours_open(d, then);
	return hours > 0 && hour > cap / hours ? cap : hours * hour;
}

/* day_coming - of one day, from now until then */
static int64_t
day_coming(const struct warm_ask *a, const struct hours_day *d, int64_t cap,
    int64_t until, int64_t now)
{
	const struct warmup *w = a->limit->warmup;
	int64_t n = a->bulk ? gone_by(w, d, cap, until) : cap;

	if (until < d->day.start || (a->bulk && (d->n == 0 ||
	    hours_elapsed(d, now) >= d->length)))
		return 0;
	return a->limit->part != WARM_SHARE ? n : least(n, room_on(a, cap,
	    d->date));
}

/* warmup_coming - until then */
int64_t
warmup_coming(const struct warm_ask *a, const struct warm_view *v,
    int64_t used, int64_t until, int64_t now)
{
	const struct warmup *w = a->limit->warmup;
	int64_t date = v->day < 1 ? w->started : v->today.date, n,
	    cap = schedule_number(w->schedule, v->day < 1 ? 1 : v->day);
	struct hours_day d;

	if (v->stopped)
		return 0;
	if (a->limit->part == WARM_BURST)
		return LEDGER_AMOUNT_MAX;
	if (a->fifths)
		cap = portion_bulk(cap);
	hours_date(&w->hours, a->zone, date, &d);
	n = day_coming(a, &d, cap, until, now);
	n = n > used ? n - used : 0;
	for (int i = 1; i < LOOK && d.day.end <= until; i++) {
		hours_date(&w->hours, a->zone, date + i, &d);
		n += day_coming(a, &d, cap, until, now);
	}
	return n < LEDGER_AMOUNT_MAX ? n : LEDGER_AMOUNT_MAX;
}

/* warmup_warm - when it will be warm */
int64_t
warmup_warm(const struct warmup *w, const struct warm_row *row,
    const struct zone *zone, const struct warm_view *v)
{
	int64_t date = v->day == 0 ? w->started : v->today.date;
	int left = v->days - (v->day == 0 ? 1 : v->day) + WARMUP_CLEAN;
	struct hours_day d;

	row = warmup_row(w, row);
	if (row != NULL && row->warmed != 0)
		return row->warmed;
	if (v->stopped)
		return 0;
	if (row != NULL && v->day == v->days)
		left = row->clean < WARMUP_CLEAN ? WARMUP_CLEAN - row->clean :
		    1;
	/* a week without any hours cannot be: compile_warmup.c */
	for (int i = 0; left > 0 && i < 7 * (SCHEDULE_DAYS + WARMUP_CLEAN);
	    i++) {
		hours_date(&w->hours, zone, date++, &d);
		left -= d.n > 0;
	}
	return date;
}
