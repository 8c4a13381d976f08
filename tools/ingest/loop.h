/*
 * loop - one for all: signals, the logs, and whatever else is served.
 *
 * SIGTERM, SIGINT and SIGUSR2 end it behind the commit under way; SIGHUP and
 * SIGUSR1 read the rules for bounces and those of back-off again.
 * Threads: one.
 */
#ifndef TOOLS_INGEST_LOOP_H
#define TOOLS_INGEST_LOOP_H

#include <poll.h>

#include "tools/ingest/ingest.h"

/*
 * A part of the program beside the logs.  want puts what it waits for into
 * at most room places and says how many; ready is called after each wait with
 * the same places, also when nothing happened (deadlines), and may write to
 * the store in transactions of its own.  ready: -1 is the end of the program.
 */
struct loop_part {
	void	*with;
	size_t	(*want)(void *with, struct pollfd *, size_t room);
	int	(*ready)(void *with, const struct pollfd *, size_t n,
		    struct why *);
};

#define LOOP_FDS	512	/* of all parts together */

/* Before anything else: the signals wait from now on. */
void	loop_block(void);
/* Until a signal says so: 0. -1 the program cannot go on. */
int	loop_run(struct ingest *, struct source **, size_t nsources,
	    const struct loop_part *, size_t nparts, struct why *);

#endif
