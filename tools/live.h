/*
 * live - the policy and the counters as the gate has them, for the commands
 * that show numbers.
 *
 * The policy is loaded as the gate loads it, with the last good forms of the
 * store; the counters are restored from the store as at a start of the gate.
 * What operators have in force is what the gate has, and what it will read of
 * the desk next.
 * What messages on their way in hold reserved is in the gate's memory only.
 */
#ifndef TOOLS_LIVE_H
#define TOOLS_LIVE_H

#include "lib/happenings.h"
#include "policy/decide.h"
#include "tools/tool.h"

enum {
	LIVE_FRESH = 1,		/* all counters empty */
	LIVE_MAY_LACK = 2,	/* no store yet: a word, and empty counters */
	LIVE_POLICY = 4,	/* no counters are asked for */
	LIVE_SHARES = 8		/* whose part of an hour was used, too */
};

struct live {
	struct config	*config;
	struct store	*store;		/* NULL: fresh, or not there yet */
	struct policy	*policy;
	struct ledger	*ledger;
	struct orders	*orders;	/* of the desk; NULL: none */
	struct progress	*progress;	/* of warmups; NULL: none */
	struct suppress	*lists;		/* of outcomes/, consent/, desk/ */
	struct happenings *rest;	/* of outcomes/, what else there is */
	struct happened	 happened;	/* both, as decide asks; with: this */
	struct arena	*arena;
	int64_t		 now;		/* gate time */
};

/* TOOL_OK, or says why and returns the status; live_close in every case. */
int	live_open(const struct tool *, unsigned flags, struct live *);
void	live_close(struct live *);
/* "now", "never", "when some arrived" of what is open, or the first full
 * minute, in that zone; in the arena. */
const char *live_slot(struct live *, const struct zone *, int64_t next);

#endif
