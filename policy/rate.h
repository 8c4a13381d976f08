/*
 * rate - the arithmetic of a level that leaks: millionths, microseconds, and
 * nothing lost to rounding that a sender could gain by.
 *
 * A level is what was spent and has not leaked yet, in millionths of a unit.
 * Every rounding is against the sender: a computed level is never below the
 * true one, and at most one microsecond's leak per update above it.
 * Threads: any; questions only.
 */
#ifndef POLICY_RATE_H
#define POLICY_RATE_H

#include <stdbool.h>
#include <stdint.h>

#define RATE_UNIT	INT64_C(1000000)	/* millionths in one */
#define RATE_LEVEL_MAX	INT64_C(4000000000000000000)	/* levels stop here */

/* *level as of *time becomes the level as of now; nothing when now is not
 * later. *time may stay a little behind now: by less than one millionth. */
void	rate_leak(int64_t *level, int64_t *time, int64_t rate, int64_t period,
	    int64_t now);
/* us until that many millionths have leaked, rounded up; INT64_MAX: never. */
int64_t	rate_wait(int64_t millionths, int64_t rate, int64_t period);
/* level + units, stopping at RATE_LEVEL_MAX, and at 0 for negative units. */
int64_t	rate_add(int64_t level, int64_t units);
/* level + (reserved + n) units <= most units? */
bool	rate_fits(int64_t level, int64_t reserved, int64_t n, int64_t most);
int64_t	rate_whole(int64_t level);		/* units, rounded up */

#endif
