/*
 * pacer_in - the parts of the pacer: its thread and its index (pacer.c), one
 * message decided (pacer_try.c), what operators say (pacer_desk.c).
 */
#ifndef MILTER_PACER_IN_H
#define MILTER_PACER_IN_H

#include <pthread.h>
#include "lib/held.h"
#include "lib/released.h"
#include "milter/pacer.h"
#include "milter/pacer_line.h"

enum {
	PACER_BATCH = 64,	/* decisions of one commit */
	PACER_ROWS = 256,	/* rows read at once */
	PACER_PASSED = 32,	/* messages too large for what is left of a
				   cap that are passed over */
	PACER_TRIES = 2000	/* decisions between two looks at the clock */
};

/* Decided, and not on disk yet.  All of it lives in the batch's arena. */
struct pacer_batch {
	struct arena	*arena;
	struct event	 events[PACER_BATCH];
	struct held	 rows[PACER_BATCH];
	struct waiter	*waiters[PACER_BATCH];	/* NULL: of the desk */
	size_t		 n;
	struct policy	*policy;	/* what the charges borrow */
	struct orders	*orders;
	struct progress	*progress;	/* of warmups */
};

struct pacer {
	struct gate	*gate;
	pthread_t	 thread;
	bool		 running;
	pthread_mutex_t	 lock;		/* of all below but wake */
	struct lines	*lines;
	struct pacer_batch batch;
	struct arena	*arena;		/* of rows read */
	struct released_reader *released;
	uint64_t	 seen;		/* rows up to here are in the lines */
	int64_t		 age;
	int64_t		 swept, looked;	/* monotonic: expiry, release/ */
	pthread_mutex_t	 wake_lock;
	pthread_cond_t	 wake_cond;
	bool		 awake, stop;
};

/* --- pacer_try.c ---------------------------------------------------------- */
enum tried { TRIED_DECIDED, TRIED_WAITS, TRIED_GONE };
/* What a message that waits waits for. */
struct waits {
	uint8_t		 key[LINE_KEY];
	int64_t		 at;		/* us: try again then */
	bool		 room;		/* of a cap: smaller ones may fit */
	bool		 bulk;		/* its line comes after the others */
};
/* One message: decided (it is in the batch), waits, or it is not there to be
 * decided any more; -1. */
int	pacer_try(struct pacer *, struct waiter *, struct waits *,
	    struct why *);
/* Into the batch, whatever the limits say: dropped or given back. Fetch: 0
 * when it does not wait any more. */
int	pacer_end(struct pacer *, uint64_t seq, enum held_state,
	    struct slice rule, const char *text, struct waiter *,
	    struct why *);
/* What is in the batch goes to disk. -1: those that could not wait on. */
int	pacer_flush(struct pacer *, struct why *);
/* Is it time to?  Full, or heavy. */
bool	pacer_full(const struct pacer *);

/* The row of a message that waits, as an event says. Fetch. */
int	pacer_row(struct pacer *, uint64_t seq, struct arena *,
	    struct held *, struct why *);

/* --- pacer.c -------------------------------------------------------------- */
/* Before what it waits for; NULL: in front of all lines, as a new one. */
int	pacer_stand(struct pacer *, struct waiter *, const struct waits *,
	    struct why *);
/* Every row there is, of whatever age. */
int	pacer_read(struct pacer *, struct why *);
/* The waiter of that message, or NULL. Looks at all of them. */
struct waiter *pacer_find(struct pacer *, uint64_t seq);

#endif
