/*
 * judged - see judged.h.
 *
 * Weeks are those of ISO 8601: they begin on a Monday, and the first one of a
 * year is the one with its first Thursday.
 */
#include "tools/judged.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/date.h"
#include "reputation/watch.h"

enum { WEEK = 7, THURSDAY = 3 };

/* judged_open - watch/ must be there, and the knots must be good */
int
judged_open(const struct tool *tool, struct judged *j)
{
	struct problems problems;
	struct why why;
	int status, got;
	char *dir;

	*j = (struct judged){ .config = NULL };
	if ((status = tool_config(tool, &j->config)) != TOOL_OK)
		return status;
	if ((j->arena = arena_new(1 << 14, 0)) == NULL)
		return tool_fail(TOOL_BROKEN, "out of memory");
	problems_init(&problems, j->arena);
	got = knots_installed(j->config->reputation, &j->knots, &problems,
	    &why);
	tool_problems(stderr, &problems);
	if (got != 1)
		return tool_fail(TOOL_BROKEN, "nothing is judged without good "
		    "knots%s%s", got == -1 ? ": " : "; see "
		    "penstock-reputation(5)", got == -1 ? why.text : "");
	dir = xasprintf("%s/watch", j->config->store);
	got = watch_open_read(&j->watch, dir, &why);
	if (got == 0)
		tool_fail(TOOL_BROKEN, "%s: no store yet; penstock-alert "
		    "makes it, and judges a week when it is over", dir);
	free(dir);
	dir = xasprintf("%s/desk", j->config->store);
	if (got == 1 && desk_open_read(&j->desk, dir, &why) == -1)
		got = -1;
	free(dir);
	if (got == -1)
		tool_fail(TOOL_BROKEN, "%s", why.text);
	return got == 1 ? TOOL_OK : TOOL_BROKEN;
}

/* judged_close - whatever is open */
void
judged_close(struct judged *j)
{
	desk_close(j->desk);
	db_close(j->watch);
	knots_free(j->knots);
	arena_free(j->arena);
	config_free(j->config);
}

/* monday - of the week that has that day */
static int64_t
monday(int64_t day)
{
	return day - date_weekday(day);
}

/* number - of n digits off the front of *text; -1: there is none */
static int
number(const char **text, int n)
{
	int value = 0;

	for (int i = 0; i < n; i++, (*text)++) {
		if (!isdigit((unsigned char)**text))
			return -1;
		value = value * 10 + (**text - '0');
	}
	return value;
}

/* judged_week - as people write one */
bool
judged_week(const char *text, int32_t last, int32_t *day)
{
	int year, a, b;
	int64_t begin;

	if (strcmp(text, "last") == 0) {
		*day = last;
		return last > 0;
	}
	year = number(&text, 4);
	if (year < 1970 || *text++ != '-')
		return false;
	if (*text == 'W') {
		text++;
		a = number(&text, 2);
		begin = monday(date_days(year, 1, 4)) + (a - 1) * WEEK;
		*day = (int32_t)begin + WEEK;
		/* its Thursday says which year it is of */
		return a > 0 && *text == '\0' && begin + THURSDAY <
		    date_days(year + 1, 1, 1);
	}
	a = number(&text, 2);
	if (a < 0 || *text++ != '-')
		return false;
	b = number(&text, 2);
	if (b < 0 || *text != '\0' || !date_exists(year, a, b))
		return false;
	*day = (int32_t)monday(date_days(year, a, b)) + WEEK;
	return true;
}

/* judged_week_name - by its Thursday */
const char *
judged_week_name(int32_t day, char out[16])
{
	int64_t begin = monday((int64_t)day - 1), year;
	int month, of;

	date_of(begin + THURSDAY, &year, &month, &of);
	snprintf(out, 16, "%d-W%02d", (int)(year % 10000),
	    (int)((begin + THURSDAY - date_days(year, 1, 1)) / WEEK + 1) %
	    100);
	return out;
}

/* judged_week_days - for eyes */
const char *
judged_week_days(int32_t day, char out[64])
{
	static const char *const months[] = { "January", "February", "March",
		"April", "May", "June", "July", "August", "September",
		"October", "November", "December" };
	int64_t begin = monday((int64_t)day - 1), year[2];
	int month[2], of[2];

	date_of(begin, &year[0], &month[0], &of[0]);
	date_of(begin + WEEK - 1, &year[1], &month[1], &of[1]);
	if (month[0] == month[1])
		snprintf(out, 64, "%d to %d %s %d", of[0], of[1],
		    months[month[1] - 1], (int)year[1]);
	else
		snprintf(out, 64, "%d %s to %d %s %d", of[0],
		    months[month[0] - 1], of[1], months[month[1] - 1],
		    (int)year[1]);
	return out;
}

/* stop - one is enough to know that there is one */
static bool
stop(void *with, const struct scored *x)
{
	(void)x;
	*(bool *)with = true;
	return false;
}

/* judged_who - kinds that have a score of that name */
size_t
judged_who(const struct judged *j, const char *subject,
    enum subject_kind kinds[SUBJECT_KINDS], struct slice *name,
    struct why *why)
{
	enum subject_kind one;
	size_t n = 0;
	bool found;

	*name = slice_of(subject);
	why->text[0] = '\0';
	if (subject_parse(*name, NULL, &one, name)) {
		kinds[0] = one;
		return 1;
	}
	for (int k = 0; k < SUBJECT_KINDS; k++) {
		found = false;
		if (scores_each(j->watch, j->knots, (enum subject_kind)k,
		    *name, 0, INT32_MAX, stop, &found, why) == -1)
			return 0;
		if (found)
			kinds[n++] = (enum subject_kind)k;
	}
	return n;
}
