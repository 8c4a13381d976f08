/*
 * budget - who may be asked for a snapshot, and how often.
 *
 * A call is one request to a provider.  It is counted in watch/, and the count
 * is on disk, before it is made: after a crash we may have counted one that was
 * never made, and never made one that was not counted.  A refusal has a
 * sentence, and the moment from which on it may be otherwise.
 * A person's request (with an incident and an approver, at the desk) need not
 * wait until a refresh is due, and is done once; the numbers bind it, too.
 * Threads: budget_look any, the others the one that fetches.
 */
#ifndef REPUTATION_BUDGET_H
#define REPUTATION_BUDGET_H

#include <stdbool.h>
#include <stdint.h>
#include "lib/config.h"
#include "lib/db.h"
#include "lib/slice.h"
#include "lib/why.h"

struct budget_rules {
	int64_t		central;	/* calls of a calendar month, UTC */
	int64_t		each;		/* of them to this provider */
	int64_t		apart;		/* us between two refreshes */
	unsigned	days;		/* with traffic, before the first one */
};

struct budget_ask {
	struct slice	provider, subject;
	int64_t		now;		/* us */
	unsigned	days;		/* with traffic, so far */
	bool		warm;		/* its warmup is finished */
	uint64_t	request;	/* decision at the desk; 0: by itself */
};

/* Those of penstock.conf for a provider. */
void	budget_rules_of(const struct config *, struct slice provider,
	    struct budget_rules *);
/* Its file of credentials; NULL: nobody asks it. */
const char *budget_credentials(const struct config *, struct slice provider);

enum budget_said { BUDGET_MAY, BUDGET_YOUNG, BUDGET_EARLY, BUDGET_DONE,
	BUDGET_CENTRAL, BUDGET_PROVIDER };

struct budget_answer {
	enum budget_said said;
	int64_t		 next;		/* us: next eligible refresh; 0: any
					   time, when all else allows */
	int64_t		 central, each;	/* calls of this month so far */
	int64_t		 last;		/* us: last refresh; 0: none */
	char		 text[300];	/* why not; "" for BUDGET_MAY */
};

/* Days with accepted mail in the last 400: of a domain and those below it, or
 * of anybody (domain absent). */
int	budget_days(struct db *watch, struct slice domain, int64_t now,
	    unsigned *, struct why *);
/* What the answer would be; nothing is counted. */
int	budget_look(struct db *watch, const struct budget_rules *,
	    const struct budget_ask *, struct budget_answer *, struct why *);
/* Begins a refresh: its first call is counted, on disk. Fetch: 0 it is
 * refused, and the answer says why. */
int	budget_take(struct db *watch, const struct budget_rules *,
	    const struct budget_ask *, struct budget_answer *, struct why *);
/* One call more of the same refresh. Fetch, likewise. */
int	budget_more(struct db *watch, const struct budget_rules *,
	    const struct budget_ask *, struct budget_answer *, struct why *);
/* What came of it: a failure may be tried again before the refresh is due, not
 * before `wait` us are over (0: a day), and later each time. */
int	budget_failed(struct db *watch, const struct budget_rules *,
	    const struct budget_ask *, int64_t wait, struct why *);
int	budget_worked(struct db *watch, const struct budget_rules *,
	    const struct budget_ask *, struct why *);
/* Decisions of the desk up to that one were looked at. */
int	budget_place(struct db *watch, uint64_t *seq, struct why *);
int	budget_passed(struct db *watch, uint64_t seq, struct why *);

#endif
