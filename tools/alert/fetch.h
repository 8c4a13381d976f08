/*
 * fetch - penstock-alert's part that asks providers, within the budget.
 *
 * A thread of its own: a provider that answers slowly keeps nobody waiting.  It
 * looks at the desk for requests every few seconds, and every hour for what is
 * due; with what came it fills watch/ "snapshots".  Calls are counted before
 * they are made (reputation/budget.h).
 * Threads: start and stop by one; a round by any, one at a time.
 */
#ifndef TOOLS_ALERT_FETCH_H
#define TOOLS_ALERT_FETCH_H

#include "lib/config.h"
#include "lib/db.h"

struct fetch;

/* watch: the owner's, and it lives until fetch_stop. 1 it runs, 0 nobody is to
 * be asked (no credentials): *out is NULL. */
int	fetch_start(struct fetch **, const struct config *, struct db *watch,
	    struct why *);
void	fetch_stop(struct fetch *);			/* NULL allowed */

/* One round in this thread: requests, and what is due at that moment.
 * refreshes: how many were begun. -1: watch/ cannot be written. */
int	fetch_round(const struct config *, struct db *watch, int64_t now,
	    unsigned *refreshes, struct why *);

#endif
