/*
 * past - how much each sender had accepted on each day of some weeks.
 *
 * What a day that stands out is held against (score_past).  Sums know it, too,
 * with twenty other counts of each day beside it: nine weeks of those would
 * take four times the memory.   Ownership: counts are the past's.
 * Threads: one.
 */
#ifndef REPUTATION_PAST_H
#define REPUTATION_PAST_H

#include "reputation/sums.h"

struct past;

/* Days [from, from + ndays). Action. */
int	past_read(struct past **, struct db *watch, int32_t from,
	    int32_t ndays, struct why *);
void	past_free(struct past *);			/* NULL allowed */
/* Of a PLATFORM, GROUP, TENANT, DOMAIN, POOL or ADDRESS: each day, the last
 * one last; at most UINT32_MAX of one. false: nothing at all. */
bool	past_of(struct past *, enum subject_kind, struct slice name,
	    uint64_t *days);

#endif
