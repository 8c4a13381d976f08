/*
 * rollup - how much of whose mail went which way, by hour and by day.
 *
 * A cell counts what events and outcomes say of one group, tenant, sending
 * domain, stream, pool, address and provider in one hour or day of UTC; every
 * table and chart is a sum of cells (reputation/sums.h).  What the gate did
 * counts at the time of the event, what became of it at the time of the
 * outcome.  A recipient counts once per message, a deferral of his once a day:
 * retries change nothing.
 *
 * Counts only grow, and a cell is a sum, so it does not matter in which
 * batches events came: deleted and made again, the tables have the same bytes.
 */
#ifndef REPUTATION_ROLLUP_H
#define REPUTATION_ROLLUP_H

#include <stdbool.h>
#include <stdint.h>
#include "lib/event.h"
#include "lib/store.h"
#include "reputation/outcome.h"
#include "reputation/watch.h"

/* Stored as numbers: new ones at the end, a name in tally_names for each.
 * Recipients, unless it says otherwise; local ones count nowhere. */
enum tally {
	/* of events */
	TALLY_ACCEPTED,		/* sent on, or let go later; less voids */
	TALLY_MESSAGES,		/* of those, messages, at the provider of the
				   first recipient */
	TALLY_BYTES,		/* of those messages */
	TALLY_HELD,		/* came into the hold queue */
	TALLY_RELEASED,		/* and left it for delivery (in ACCEPTED, too) */
	TALLY_OVER,		/* events: deferred by us, repeats included */
	TALLY_REFUSED,		/* events: refused by us */
	TALLY_DROPPED,		/* suppressed while others of it went */
	TALLY_VIOLATED,		/* events: refused or deferred since a sender
				   was not the tenant's to use */
	/* of outcomes */
	TALLY_DELIVERED,
	TALLY_DEFERRED,		/* of a day: asked to come back later */
	TALLY_SLOW,		/* of those: for rate or reputation */
	TALLY_HARD,		/* bounced: recipient_unknown, domain_bad,
				   recipient_inactive */
	TALLY_BLOCKED,		/* bounced: block_reputation, spam_content,
				   auth_policy */
	TALLY_BLOCKED_DAY,	/* the same as a deferral, of a day */
	TALLY_BOUNCED,		/* bounced for any other reason */
	TALLY_EXPIRED,		/* given up, or deleted from the queue */
	TALLY_COMPLAINTS,
	TALLY_NOT_SPAM,
	TALLY_OPT_OUT,
	TALLY_FEEDBACK,		/* delivered where complaints are reported */
	TALLIES
};
extern const char *const tally_names[];			/* NULL-ended */

struct cell {
	int32_t		at;		/* hours or days since 1970, UTC */
	struct slice	group, tenant, domain, stream, pool, address,
			provider;	/* empty where there is none */
	uint64_t	n[TALLIES];
};

/* What refusals (BOUNCED, and DEFERRED, of a day) meant. */
struct category_cell {
	int32_t		at;		/* hours or days since 1970, UTC */
	struct slice	group, tenant, pool, address, provider;
	struct slice	kind;		/* "bounced", "deferred" */
	struct slice	category;	/* of reputation/classify.h */
	uint64_t	count;
	uint64_t	last;		/* sequence of the latest outcome: its
					   text is the sample */
};

enum grain { GRAIN_HOUR, GRAIN_DAY };

/* --- writing: penstock-alert; one thread ---------------------------------- */
struct rollup;
int	rollup_new(struct rollup **, struct db *watch, struct why *);
void	rollup_free(struct rollup *);			/* NULL allowed */
/*
 * Takes what gate/ and outcomes/ have behind the stored places, a batch per
 * commit; *more: call again.  Either may be NULL: not there (yet); outcomes
 * wait for the gate, whose events say which domain they are of.  A store that
 * ends before the place up to which it was counted is another one than it
 * was: that is an error, until somebody calls rollup_forget.
 */
int	rollup_step(struct rollup *, struct store *gate, struct outcomes *,
	    bool *more, struct why *);
/* At most so many events and outcomes, and cells, in a commit; for tests. */
void	rollup_batch(struct rollup *, size_t records, size_t cells);
/* Cells older than that go: us each, 0 for ever.  *gone: how many did. */
int	rollup_prune(struct rollup *, int64_t now, int64_t keep_hours,
	    int64_t keep_days, uint64_t *gone, struct why *);
/* Every cell and both places: all is counted anew. */
int	rollup_forget(struct db *watch, struct why *);

/* --- reading: any --------------------------------------------------------- */
/* Cells of [from, until), in the order of their keys; false stops. One read
 * transaction; slices borrow it. */
int	rollup_each(struct db *watch, enum grain, int32_t from, int32_t until,
	    bool (*)(void *, const struct cell *), void *, struct why *);
int	rollup_categories(struct db *watch, enum grain, int32_t from,
	    int32_t until, bool (*)(void *, const struct category_cell *),
	    void *, struct why *);
/* The first and the last day that has a cell. Fetch. */
int	rollup_days(struct db *watch, int32_t *first, int32_t *last,
	    struct why *);
/* Last sequences that are in. */
int	rollup_places(struct db *watch, uint64_t *event, uint64_t *outcome,
	    struct why *);
/* A cell as the tables have it, also for tests that fill a store; adds to what
 * is there. */
int	rollup_put(struct db_txn *, enum grain, const struct cell *,
	    struct why *);
int	rollup_put_category(struct db_txn *, enum grain,
	    const struct category_cell *,
	    struct why *);

#endif
