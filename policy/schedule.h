/*
 * schedule - so much on the first day, so much on the second.
 *
 * The four that are built in, and those that a policy writes, as a table or as
 * start, ratio and target.  A table never falls; behind its end its last
 * number stays.
 * Threads: any.
 */
#ifndef POLICY_SCHEDULE_H
#define POLICY_SCHEDULE_H

#include <stddef.h>
#include <stdint.h>
#include "lib/mem.h"
#include "lib/problem.h"
#include "lib/slice.h"
#include "lib/why.h"

#define SCHEDULE_DAYS	400		/* at most */
#define SCHEDULE_MOST	INT64_C(1000000000)	/* a day */

struct schedule {
	struct slice	 name;
	const int64_t	*table;		/* of day 1, day 2, ... */
	int		 n;		/* 1 to SCHEDULE_DAYS */
	const char	*help;		/* built in: what it is for */
	struct place	 at;		/* nowhere: built in */
};

/* Built in; at: from 0 on; NULL: there are no more. */
const struct schedule *schedule_builtin(size_t at);
const struct schedule *schedule_find(struct slice name);	/* NULL */

/* The number of a day, from 1 on. */
int64_t	 schedule_number(const struct schedule *, int day);
/* The first day, from that one on, that lets so many through; 0: none. */
int	 schedule_day(const struct schedule *, int from, int64_t many);
/* A table from start to target, each day ratio thousandths of the one before
 * and at least one more.  Action; the table is the arena's. */
int	 schedule_grow(int64_t start, int64_t ratio, int64_t target,
	    struct arena *, const int64_t **, int *n, struct why *);

#endif
