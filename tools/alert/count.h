/*
 * count - the part of penstock-alert that makes cells of events and outcomes,
 * and forgets those that are too old.   Threads: one.
 */
#ifndef TOOLS_ALERT_COUNT_H
#define TOOLS_ALERT_COUNT_H

#include "tools/alert/cycle.h"

struct count;

/* strict: a store that cannot be counted is the end, and not said in the log
 * and tried again. */
int	count_new(struct count **, struct alert *, bool strict, struct why *);
void	count_free(struct count *);			/* NULL allowed */
int	count_ready(void *, const struct pollfd *, size_t, struct why *);
/* All that the stores had when it looked last is in cells. */
bool	count_is_done(const struct count *);

#endif
