/*
 * prune - what outcomes/ forgets, a little at a time.
 *
 * A step is part of a transaction that the caller began.  It looks at some
 * rows and deletes those that are older than what is kept; a round is over when
 * every table was looked at.  What is never deleted: suppressions, what open
 * limits count (finals), the program's own counters, quarantine (which bounds
 * itself), the last runs of an index, and a message with an open recipient,
 * unless it is older than PRUNE_OPEN.
 * Threads: the writer's.
 */
#ifndef REPUTATION_PRUNE_H
#define REPUTATION_PRUNE_H

#include "reputation/outcome.h"

/*
 * Strikes are kept for 60 days, and what was delivered since the first of them
 * is asked of outcomes and their index: nothing younger may be forgotten.
 */
#define PRUNE_LEAST_DAYS	62
#define PRUNE_OPEN_DAYS		400	/* a message that nobody ends */

/* Moments (us): what is older than them is forgotten. */
struct prune_keep {
	int64_t		now;
	int64_t		outcomes;	/* records, and what finds them */
	int64_t		messages;	/* which states of whom were seen;
					   learned providers */
	int64_t		totals;		/* sums per day, DMARC */
	uint64_t	event;		/* the index of addresses and
					   Message-IDs begins here; 0: keep */
};

struct prune;

int	prune_new(struct prune **, struct outcomes *, struct why *);
void	prune_free(struct prune *);				/* NULL allowed */
/* Fetch: 1 there is more to look at, 0 a round is over.  *gone: rows that were
 * deleted; 0: nothing was written. */
int	prune_step(struct prune *, const struct prune_keep *, size_t *gone,
	    struct why *);
/* After an abort: the step never was. */
void	prune_forget(struct prune *);

#endif
