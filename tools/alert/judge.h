/*
 * judge - the part of penstock-alert that judges a week when it is over.
 *
 * A week is over on Monday at 06:00 UTC, so that what bounced late on Sunday
 * is in it; it is judged when all that the stores have is counted.  Weeks that
 * nobody judged, since the program did not run or watch/ is made again, are
 * judged in order.   Threads: one.
 */
#ifndef TOOLS_ALERT_JUDGE_H
#define TOOLS_ALERT_JUDGE_H

#include "tools/alert/count.h"

struct judge;

/* Is reputation.conf good?  Mistakes are said in the log. Action. */
int	judge_check(const struct config *, struct why *);
/* Reads it: with a mistake in it nobody is judged, -1. strict: as
 * count_new. */
int	judge_new(struct judge **, struct alert *, const struct count *,
	    bool strict, struct why *);
void	judge_free(struct judge *);			/* NULL allowed */
int	judge_ready(void *, const struct pollfd *, size_t, struct why *);
/* Reads it again; with a mistake in it the old knots stay. */
void	judge_reload(void *);

#endif
