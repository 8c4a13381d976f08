/*
 * judge - see judge.h.
 */
#include "tools/alert/judge.h"

#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/date.h"
#include "lib/fold.h"
#include "lib/log.h"
#include "lib/suppress.h"
#include "reputation/rollup.h"
#include "reputation/score.h"
#include "tools/alert/warming.h"

#define LOOK	CLOCK_MINUTE		/* between two looks at the clock */
#define AGAIN	(10 * CLOCK_MINUTE)	/* behind trouble */
#define LATE	(6 * CLOCK_HOUR)	/* behind the end of a week */
enum { WEEK = 7 };

struct judge {
	struct alert	*alert;
	const struct count *count;
	struct knots	*knots;
	bool		 strict;
	int64_t		 next;		/* mono: not before */
};

/* load - the file, or what is compiled in; mistakes are said. Fetch: 0 it has
 * some. */
static int
load(const struct config *config, struct knots **out, struct why *why)
{
	struct arena *arena = arena_new(4096, 0);
	struct problems problems;
	int got;

	*out = NULL;
	if (arena == NULL)
		return why_kind(why, WHY_MEMORY, "no memory for the knots");
	problems_init(&problems, arena);
	got = knots_installed(config->reputation, out, &problems, why);
	problems_sort(&problems);
	for (const struct problem *p = problems.first; p != NULL; p = p->next)
		log_error("%s:%u:%u: %s", p->at.file, p->at.line, p->at.col,
		    p->text);
	arena_free(arena);
	return got;
}

/* load_or_refuse - nobody is judged by numbers that nobody meant */
static int
load_or_refuse(const struct config *config, struct knots **out,
    struct why *why)
{
	int got = load(config, out, why);

	return got == 1 ? 0 : got == -1 ? -1 : why_set(why, "%s has "
	    "mistakes, so nobody can be judged; penstock-reputation(5)",
	    config->reputation != NULL ? config->reputation : KNOTS_DEFAULT);
}

/* judge_check - before anything is opened */
int
judge_check(const struct config *config, struct why *why)
{
	struct knots *k = NULL;
	int rc = load_or_refuse(config, &k, why);

	knots_free(k);
	return rc;
}

/* judge_new - with the knots of now */
int
judge_new(struct judge **out, struct alert *a, const struct count *count,
    bool strict, struct why *why)
{
	struct judge *j = calloc(1, sizeof(*j));

	*out = NULL;
	if (j == NULL)
		return why_kind(why, WHY_MEMORY, "no memory to judge");
	*j = (struct judge){ .alert = a, .count = count, .strict = strict };
	if (fold_init(why) == -1 ||
	    load_or_refuse(a->config, &j->knots, why) == -1) {
		judge_free(j);
		return -1;
	}
	*out = j;
	return 0;
}

/* judge_free - NULL is allowed */
void
judge_free(struct judge *j)
{
	if (j == NULL)
		return;
	knots_free(j->knots);
	free(j);
}

/* judge_reload - others, if they are good */
void
judge_reload(void *with)
{
	struct judge *j = with;
	struct knots *fresh;
	struct why why;
	int got = load(j->alert->config, &fresh, &why);

	if (got == 1) {
		knots_free(j->knots);
		j->knots = fresh;
	} else if (got == 0)
		log_error("reputation.conf: the old knots stay");
	else
		log_error("reputation.conf: %s; the old knots stay",
		    why.text);
}

/* first - a day that has mail */
static bool
first(void *with, const struct cell *c)
{
	*(int32_t *)with = c->at;
	return false;
}

/* due - the week to be judged: the day behind it; fetch */
static int
due(struct judge *j, int32_t *day, struct why *why)
{
	int32_t began = -1;
	int64_t now, last;
	int got;

	if (alert_now(j->alert, &now, why) == -1)
		return -1;
	last = (now - LATE) / CLOCK_DAY;
	last -= date_weekday(last);		/* a Monday */
	if ((got = scores_last(j->alert->watch, day, why)) == -1)
		return -1;
	if (got == 1) {
		*day += WEEK;
		return *day <= last;
	}
	if (rollup_each(j->alert->watch, GRAIN_DAY, 0, (int32_t)last, first,
	    &began, why) == -1)
		return -1;
	*day = began - date_weekday(began) + WEEK;
	return began != -1 && *day <= last;
}

/* week - one of them */
static int
week(struct judge *j, int32_t day, struct why *why)
{
	struct score_sources from = { .warming = warming_is };
	struct warming *warming = NULL;
	int64_t began = clock_mono(), year;
	int rc = -1, month, of;
	size_t n = 0;

	if (suppress_open(&from.lists, j->alert->config->store, 0, why) == 0 &&
	    warming_read(&warming, j->alert->gate, j->alert->watch, day,
	    why) == 0) {
		from.with = warming;
		rc = scores_run(j->alert->watch, &from, j->knots, day, &n,
		    why);
	}
	if (rc == 0) {
		date_of((int64_t)day - 1, &year, &month, &of);
		log_info("%zu senders judged for the week that ended on "
		    "%04d-%02d-%02d, in %.1f s", n, (int)year, month, of,
		    (double)(clock_mono() - began) / 1e6);
	}
	suppress_close(from.lists);
	warming_free(warming);
	return rc;
}

/* judge_ready - a week, when one is over and counted */
int
judge_ready(void *with, const struct pollfd *fds, size_t nfds,
    struct why *why)
{
	struct judge *j = with;
	int64_t now = clock_mono();
	int32_t day;
	int got;

	(void)fds;
	(void)nfds;
	if (now < j->next || !count_is_done(j->count))
		return 0;
	got = due(j, &day, why);
	if (got == 1 && (got = week(j, day, why)) == 0)
		return 1;
	j->next = now + (got == -1 ? AGAIN : LOOK);
	if (got != -1)
		return 0;
	if (j->strict || why->kind == WHY_BROKEN)
		return -1;
	log_error("cannot judge: %s", why->text);
	return 0;
}
