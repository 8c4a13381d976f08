/*
 * hours - the hours of the week in which something may happen.
 *
 * "Mon-Fri 08:00-18:00", "Sat,Sun 10:00-14:00", "08:00-18:00" for every day.
 * By the clock on the wall of a zone: on the day on which clocks change an
 * hour that is skipped is not there, one that comes twice counts twice.
 * Threads: any.
 */
#ifndef POLICY_HOURS_H
#define POLICY_HOURS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/slice.h"
#include "lib/why.h"
#include "lib/zone.h"

#define HOURS_SPANS	16

struct hours {
	struct {
		unsigned days;		/* bit 0: Monday */
		int	 from, to;	/* minutes of the day; to <= 24:00 */
	}		 spans[HOURS_SPANS];
	size_t		 n;		/* 0: always */
};

struct hours_day {			/* one day of them */
	int64_t		 date;		/* days since 1970-01-01 */
	struct window	 day;		/* all of it */
	struct window	 parts[HOURS_SPANS];	/* in order; us UTC */
	size_t		 n;
	int64_t		 length;	/* us of all parts */
};

/* Adds what the text says.  Action; texts that overlap are refused. */
int	 hours_parse(struct slice, struct hours *, struct why *);
/* The day that holds a moment; the day of a date. */
void	 hours_of(const struct hours *, const struct zone *, int64_t now,
	    struct hours_day *);
void	 hours_date(const struct hours *, const struct zone *, int64_t date,
	    struct hours_day *);
bool	 hours_open(const struct hours_day *, int64_t now);
/* How much of its length is over. */
int64_t	 hours_elapsed(const struct hours_day *, int64_t now);
/* The moment at which that much is over and time goes on; INT64_MAX: not on
 * that day. */
int64_t	 hours_at(const struct hours_day *, int64_t elapsed);
/* The first moment from now on that is within them. */
int64_t	 hours_next(const struct hours *, const struct zone *, int64_t now);

#endif
