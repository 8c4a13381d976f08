/*
 * breaker - how much of somebody's mail went wrong in the last while.
 *
 * Counts by key (trip_key of lib/happenings.h) over a sliding window of twenty
 * steps, by the time of what happened.  It knows no policy: the caller brings
 * the numbers.  At most TALLIES_MOST keys; one more is refused.
 * Threads: one.
 */
#ifndef REPUTATION_BREAKER_H
#define REPUTATION_BREAKER_H

#include <stdbool.h>
#include "lib/happenings.h"

#define TALLIES_MOST	50000

struct tallies;

struct tally_rule {
	int64_t		window;		/* us */
	uint64_t	least;		/* that must have ended */
	unsigned	rate;		/* hundredths of a percent */
};

struct tallies	*tallies_new(void);		/* NULL: no memory */
void	 tallies_free(struct tallies *);	/* NULL allowed */
/* Is that key known?  If not, what is older than floor will not count. */
bool	 tallies_known(const struct tallies *, const uint8_t key[TRIP_KEY]);
int	 tallies_begin(struct tallies *, const uint8_t key[TRIP_KEY],
	    int64_t floor, int64_t now);	/* -1: no room */
/*
 * One thing more: it ended (delivered, or not), or went wrong, or both.
 * Fetch: 1 that is too much now (*bad, *all), 0 it is not, or too old.
 */
int	 tallies_add(struct tallies *, const uint8_t key[TRIP_KEY],
	    const struct tally_rule *, int64_t time, bool ended, bool wrong,
	    uint64_t *bad, uint64_t *all);
/* Counts anew: what is not later than floor never was. */
void	 tallies_reset(struct tallies *, const uint8_t key[TRIP_KEY],
	    int64_t floor);

#endif
