/*
 * warmer - each warmup is judged by its last day, and goes on or does not.
 *
 * A thread.  When a day is over in the zone of a pool or a tenant, it sums up
 * from the events what was used and what limits of ours turned away, reads
 * from outcomes/ what became of it, and asks the rules (policy/adapt.h).  The
 * decision, with all it was made of, and the row that it makes are one commit;
 * then the gate has another picture of progress.  Days that nobody judged,
 * since the gate was down, are judged one after the other.
 *
 * Nothing here moves a day forward by the clock alone: as long as a day is not
 * judged the number of the one before holds.
 * Threads: new, start and stop from main; the thread is its own; resume from
 * that of the desk.
 */
#ifndef MILTER_WARMER_H
#define MILTER_WARMER_H

#include "lib/desk.h"
#include "milter/session.h"

struct warmer;

/* With the store open: the picture of the gate's last life. Action. */
int	 warmer_new(struct warmer **, struct gate *, struct why *);
/* What the thread does each second, once the writer is there: all days that are
 * over.  What cannot be done now is tried again. */
void	 warmer_once(struct warmer *);
int	 warmer_start(struct warmer *, struct why *);
/* Before the writer stops.  The gate keeps its picture. NULL allowed. */
void	 warmer_stop(struct warmer *);

/*
 * Decisions of the desk that stops are over: the picture is swapped, and *out
 * is what must be on record with them; it lives until warmer_resumed, which
 * must follow, also when nothing was recorded.  Until then no day is judged.
 */
int	 warmer_resume(struct warmer *, const struct desk_row *, size_t n,
	    const struct writer_warm **out, struct why *);
void	 warmer_resumed(struct warmer *);

/* Tests: how long after a day it is judged, how long the ingester may be
 * behind, how often providers are asked for; us. */
void	 warmer_tune(struct warmer *, int64_t grace, int64_t patience,
	    int64_t every);

#endif
