/*
 * pacer - lets held mail go: when there is room, in turn, by the policy and the
 * lists of then.
 *
 * A thread.  It keeps an index of the table "held" (lib/held.h), some 50 bytes
 * a message, asks decide_release of those whose turn it is, and has the writer
 * record what comes of it: the release with its charges, and the row for
 * penstock-release, in one commit.  It gives back to its sender what was held
 * for hold_max, and forgets rows whose message penstock-release reports as done
 * or gone.
 * Threads: new, start and stop from main; the others from any.
 */
#ifndef MILTER_PACER_H
#define MILTER_PACER_H

#include "lib/desk.h"
#include "milter/session.h"

struct pacer;

int	 pacer_new(struct pacer **, struct gate *, struct why *);
/* Its thread; the writer runs by then. Action. */
int	 pacer_start(struct pacer *, struct why *);
void	 pacer_stop(struct pacer *);		/* NULL allowed; frees */
/* Something changed (policy, orders): what waits is worth a look. */
void	 pacer_wake(struct pacer *);		/* NULL allowed */
/*
 * What an operator decided (DESK_HOLD_RELEASE, _DROP; lib/held_desk.h), on disk
 * when it returns 0; again is the same as once.  -1: nothing of it happened.
 * A message that does not wait any more: 0, and a line in the log.
 */
int	 pacer_order(struct pacer *, const struct desk_record *,
	    struct why *);

/* Tests: one round of all that is due, without the thread; how many messages
 * were decided, -1. */
long	 pacer_once(struct pacer *, struct why *);
/* How long a row lies before it is looked at, us (PACER_AGE). */
void	 pacer_tune(struct pacer *, int64_t age);

#define PACER_AGE	(3 * INT64_C(1000000))	/* us */

#endif
