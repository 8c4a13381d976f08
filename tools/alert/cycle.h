/*
 * cycle - one for all parts of penstock-alert: signals, what they wait for, the
 * watchdog.
 *
 * SIGTERM, SIGINT and SIGUSR2 end it behind the commit under way; SIGHUP and
 * SIGUSR1 have parts read their files again.   Threads: one.
 */
#ifndef TOOLS_ALERT_CYCLE_H
#define TOOLS_ALERT_CYCLE_H

#include <poll.h>
#include <stdbool.h>

#include "tools/alert/alert.h"

/*
 * want puts what it waits for into at most room places and says how many; NULL:
 * nothing.  ready is called after each wait, a second or less, with the same
 * places, also when nothing happened, and may write to watch/ in transactions
 * of its own: 1 there is more to do and nobody waits, 0, or -1: the end of the
 * program.  reload, which may be NULL: its files may be others.
 */
struct cycle_part {
	void	*with;
	size_t	(*want)(void *with, struct pollfd *, size_t room);
	int	(*ready)(void *with, const struct pollfd *, size_t n,
		    struct why *);
	void	(*reload)(void *with);
};

#define CYCLE_FDS	256	/* of all parts together */

/* Before anything else: the signals wait from now on. */
void	cycle_block(void);
/* Waits up to a second; the end was asked for? */
bool	cycle_pause(void);
/* Until a signal says so: 0. -1 the program cannot go on. */
int	cycle_run(struct alert *, const struct cycle_part *, size_t n,
	    struct why *);
/* No waiting: until no part has more to do. */
int	cycle_once(struct alert *, const struct cycle_part *, size_t n,
	    struct why *);

#endif
