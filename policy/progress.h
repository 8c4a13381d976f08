/*
 * progress - how far every warmup has come: its day, what was stopped, what a
 * provider lost of its share.
 *
 * An immutable picture, made from the one before it and the rows that changed;
 * reference-counted like the orders and taken with them at MAIL.  A row is
 * found by the key of the warmup's counter of a day (policy/measure.h), the
 * same key that stands in the charges of events.  Who is not in the picture is
 * on the day that the policy says (policy/warmup.h).
 * A NULL picture is an empty one, in every function here.
 * Dates are days since 1970-01-01 (lib/date.h) in the zone of the pool or the
 * tenant; 0: there is none.
 * Threads: a picture is for any; making one is for one.
 */
#ifndef POLICY_PROGRESS_H
#define POLICY_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/buf.h"
#include "lib/slice.h"
#include "lib/why.h"

#define PROGRESS_KEY		16
#define PROGRESS_FACTORS	64	/* in one row */
#define PROGRESS_DAYS		4000	/* no schedule is longer */

/* What a provider gets of its share for a while. */
struct warm_factor {
	struct slice	 provider;	/* name */
	unsigned	 index;		/* of lib/provider.h; UINT_MAX: a name
					   that this release does not know */
	int		 thousandths;	/* 500: half; 0: it is stopped */
	int64_t		 until;		/* the first date without it; 0: until
					   a person resumes */
	struct slice	 rule;		/* "R1" */
};

struct warm_row {			/* texts are the picture's */
	uint8_t		 key[PROGRESS_KEY];
	struct slice	 name;		/* "192.0.2.10", for eyes */
	int		 day;		/* of the schedule, from 1 on */
	int64_t		 date;		/* the one that is that day */
	int64_t		 started;	/* the date of day 1 */
	int64_t		 used;		/* the last date with mail */
	int		 clean;		/* days in a row without a stop, a
					   rollback or a hold, until then */
	int64_t		 warmed;	/* the date it was done */
	int64_t		 stopped;	/* the date all of it was stopped; a
					   person resumes it */
	int64_t		 floor;		/* us: when a person last did; what is
					   not later does not count */
	uint64_t	 seq;		/* of the event that made it so */
	struct slice	 rule;		/* the last one that spoke, "A1" */
	struct slice	 inputs;	/* what it saw, a sentence */
	const struct warm_factor *factors;
	size_t		 nfactors;
};

struct progress;

/*
 * The picture after n more rows: each replaces the one of its key, one with
 * day 0 takes it out; of two of one key the later one counts.  All texts are
 * copied.  old is borrowed, NULL: none.  NULL: no memory.
 */
struct progress *progress_after(const struct progress *old,
	    const struct warm_row *, size_t n);
struct progress *progress_hold(struct progress *);	/* NULL allowed */
void	 progress_drop(struct progress *);		/* NULL allowed */

/* The row of that key, or NULL; and all of them, in the order of keys. */
const struct warm_row *progress_find(const struct progress *,
	    const uint8_t key[PROGRESS_KEY]);
size_t	 progress_rows(const struct progress *, const struct warm_row **first);

/* What that provider gets of its share on that date: 1000 all, 0 nothing.
 * row NULL: 1000. */
int	 progress_thousandths(const struct warm_row *, unsigned provider,
	    int64_t date);

/* A row as the store has it, under its key, and back.  Slices borrow the
 * bytes, factors go to room for PROGRESS_FACTORS.  Action: 0. */
void	 progress_encode(const struct warm_row *, struct buf *);
int	 progress_decode(const uint8_t key[PROGRESS_KEY], struct slice,
	    struct warm_row *, struct warm_factor *, struct why *);

/* The whole picture of a store; one that has none is an empty one. Action. */
struct store;
int	 progress_restore(struct store *, struct progress **, struct why *);

#endif
