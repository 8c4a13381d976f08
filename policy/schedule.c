/*
 * schedule - see schedule.h.
 *
 * Published plans agree on little: 5 to 15 a day for a new mailbox, 50 to 500
 * for a new address, more by a fifth each day for the careful and by two fifths
 * for the largest.  What mailbox providers look at is that a number grows
 * steadily, so the four here are growths by a constant ratio (mailbox: by one
 * a day), rounded to what a person would say, in steps of
 *
 *	1 below 20, 5 below 100, 10 below 200, 20 below 500, 50 below 1,000,
 *	100 below 2,000, 200 below 5,000, 500 below 10,000, 1,000 below 20,000
 *	and 2,000 above
 *
 * cold-slow grows by 9.4 % a day, standard by 17.2 %, established by 22.7 %;
 * tests/unit/schedule.c makes them again from these words.
 */
#include "policy/schedule.h"

#define UNIT	INT64_C(1000000)		/* a table grows in millionths */

/* clang-format off */
static const int64_t cold_slow[] = {
	50, 55, 60, 65, 70, 80, 85, 95, 100, 110, 120, 130, 150, 160,
	180, 190, 220, 240, 260, 280, 300, 340, 360, 400, 440, 480, 500, 550,
	600, 700, 750, 800, 900, 950, 1100, 1200, 1300, 1400, 1500, 1700,
	1800, 2000
};
static const int64_t standard[] = {
	100, 120, 140, 160, 190, 220, 260, 300, 360, 420, 480, 550, 650, 800,
	900, 1100, 1300, 1500, 1700, 2000, 2400, 2800, 3200, 3800, 4600,
	5500, 6000, 7500, 8500, 10000
};
static const int64_t established[] = {
	200, 240, 300, 360, 460, 550, 700, 850, 1000, 1300, 1500, 1900, 2400,
	2800, 3600, 4200, 5500, 6500, 8000, 9500, 12000, 15000, 18000, 22000,
	28000, 34000, 40000, 50000
};
static const int64_t mailbox[] = {
	5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22,
	24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40
};

#define BUILTIN(text, table, what) \
	{ { text, sizeof(text) - 1 }, table, \
	    sizeof(table) / sizeof(table[0]), what, { NULL, 0, 0 } }
static const struct schedule builtins[] = {
	BUILTIN("cold-slow", cold_slow, "a new address and a new domain"),
	BUILTIN("standard", standard, "a new address, a domain that is known"),
	BUILTIN("established", established, "lists that were mailed from "
	    "elsewhere until now"),
	BUILTIN("mailbox", mailbox, "one person's mailbox"),
};
/* clang-format on */

/* schedule_builtin - one after the other */
const struct schedule *
schedule_builtin(size_t at)
{
	return at < sizeof(builtins) / sizeof(builtins[0]) ? &builtins[at] :
	    NULL;
}

/* schedule_find - of those that are built in */
const struct schedule *
schedule_find(struct slice name)
{
	const struct schedule *s;

	for (size_t i = 0; (s = schedule_builtin(i)) != NULL; i++)
		if (slice_eq(s->name, name))
			return s;
	return NULL;
}

/* schedule_number - of a day; what lies outside is the nearest end */
int64_t
schedule_number(const struct schedule *s, int day)
{
	return s->table[day < 1 ? 0 : day > s->n ? s->n - 1 : day - 1];
}

/* schedule_day - when so many fit into one day */
int
schedule_day(const struct schedule *s, int from, int64_t many)
{
	if (schedule_number(s, s->n) < many)
		return 0;
	for (from = from < 1 ? 1 : from; schedule_number(s, from) < many;)
		from++;
	return from;
}

/* schedule_grow - a table of three numbers */
int
schedule_grow(int64_t start, int64_t ratio, int64_t target,
    struct arena *arena, const int64_t **out, int *n, struct why *why)
{
	int64_t *table;
	__int128 exact = (__int128)start * UNIT;
	int64_t number = start;

	if (start < 1 || target < start || target > SCHEDULE_MOST)
		return why_set(why, "start must be at least 1, and target at "
		    "least start and at most %lld", (long long)SCHEDULE_MOST);
	if (ratio <= 1000 && target > start)
		return why_set(why, "ratio must be more than 1, as 1.1 for a "
		    "tenth more each day");
	if ((table = arena_array(arena, SCHEDULE_DAYS,
	    sizeof(*table))) == NULL)
		return why_kind(why, WHY_MEMORY, "no memory");
	for (*n = 0; *n < SCHEDULE_DAYS; ) {
		table[(*n)++] = number;
		if (number == target)
			break;
		exact = exact * ratio / 1000;
		if (exact > (__int128)target * UNIT)
			exact = (__int128)target * UNIT;
		number = (int64_t)(exact / UNIT) > number ?
		    (int64_t)(exact / UNIT) : number + 1;
	}
	if (table[*n - 1] != target)
		return why_set(why, "from %lld to %lld by that ratio takes "
		    "more than %d days; write a larger ratio or a smaller "
		    "target", (long long)start, (long long)target,
		    SCHEDULE_DAYS);
	*out = table;
	return 0;
}
