/*
 * warmup - what a schedule lets through on a day and at a moment of it.
 *
 * A warmup is a handful of limits (policy/compile_warmup.c) whose numbers are
 * not in the policy: they come from the day of the schedule, which is told by
 * the picture of progress, or by the calendar while there is no row yet; from
 * the active hours of that day; and from what a provider may have of it.
 * The day is that of the zone of the pool, or of the tenant.
 *
 * Hours bind bulk mail only.  Other mail of the same subject is counted, and
 * may have all of the day's number at any time.
 * Threads: any; questions only.
 */
#ifndef POLICY_WARMUP_H
#define POLICY_WARMUP_H

#include "policy/hours.h"
#include "policy/policy.h"
#include "policy/progress.h"
#include "policy/schedule.h"

#define WARMUP_DAY	"warmup:day"	/* names of its limits: ":" is in no */
#define WARMUP_BURST	"warmup:burst"	/* name that a person writes */
#define WARMUP_PROVIDER	"warmup:provider"
#define WARMUP_CAREFUL	3		/* days with a burst of 1 */

struct warmup {				/* as written, defaults filled in */
	const struct schedule *schedule;
	bool		 first_mail;	/* else started is a date */
	int64_t		 started;	/* days since 1970-01-01 */
	struct hours	 hours;
	struct slice	 hours_text;	/* n 0: all hours of the day */
	bool		 require_outcomes, fast_track;
	const struct pool_share *shares; /* of the pool */
	size_t		 nshares;
	struct place	 at;
	/* where each was written; nowhere: its default */
	struct place	 started_at, hours_at, outcomes_at, fast_at;
};

/* Where a warmup is at a moment. */
struct warm_view {
	int		 day, days;	/* k of N; 0: it has not begun */
	int64_t		 cap;		/* of the day */
	int64_t		 hour;		/* what an active hour adds to it */
	int64_t		 so_far;	/* what bulk mail may have had by now,
					   0 outside the active hours */
	int64_t		 rate;		/* per hour: what the throttle leaks */
	int64_t		 burst;
	bool		 stopped;	/* a person must resume it */
	struct hours_day today;
};

/* row: NULL: none.  One of a warmup that began before the date that the policy
 * says now is as none. */
void	 warmup_view(const struct warmup *, const struct warm_row *,
	    const struct zone *, int64_t now, struct warm_view *);
/* The row that counts, or NULL; and the day that it says, or the calendar,
 * on that date: 0 before it begins. */
const struct warm_row *warmup_row(const struct warmup *,
	    const struct warm_row *);
int	 warmup_day(const struct warmup *, const struct warm_row *,
	    int64_t date);
/* What of the day's number may go to that provider: percent of it, the factor
 * of the row; and to the set of a limit. */
int	 warmup_percent(const struct warmup *, unsigned provider);
int64_t	 warmup_share(const struct warmup *, const struct warm_row *,
	    const struct warm_view *, unsigned provider);

/* The date on which it will be warm, if each day with active hours is a good
 * one: the last day of the schedule, and WARMUP_CLEAN such days more.  0: a
 * person must resume it first.  One that is warm: that date. */
#define WARMUP_CLEAN	7
int64_t	 warmup_warm(const struct warmup *, const struct warm_row *,
	    const struct zone *, const struct warm_view *);

struct warm_ask {			/* of which limit, by whom */
	const struct limit *limit;	/* whose warmup is not NULL */
	const struct warm_row *row;	/* or NULL */
	const struct zone *zone;
	unsigned	 provider;	/* of a WARM_SHARE that counts apart by
					   it */
	bool		 bulk;
	bool		 fifths;	/* it has four fifths of every number */
};

/* The number of that limit now; LEDGER_UNBOUNDED where it does not bind. */
int64_t	 warmup_most(const struct warm_ask *, const struct warm_view *);
/*
 * When n more will fit: used is what is spent and reserved, before what waits
 * for room and goes first, next what the ledger says.  On a day to come it is
 * as if nobody else sent before, and the number is today's, or the least that
 * is large enough.  INT64_MAX: never; LEDGER_SOMETIME: when a
 * person says so.
 */
int64_t	 warmup_next(const struct warm_ask *, const struct warm_view *,
	    int64_t used, int64_t before, int64_t n, int64_t next, int64_t now);
/* How much it lets through from now until then, some days at most, when so much
 * of today's is used: whole days have today's number. */
int64_t	 warmup_coming(const struct warm_ask *, const struct warm_view *,
	    int64_t used, int64_t until, int64_t now);

#endif
