/*
 * join - lines of a Postfix log and events of the gate become outcomes.
 *
 * A line finds its message by (instance, queue id) and time, its recipient by
 * the address that the gate accepted: orig_to= first, then to=.  A line whose
 * message has no event is foreign and only counted.  Everything happens in the
 * transaction of the store that the caller opened and commits.
 * Threads: one.
 */
#ifndef REPUTATION_JOIN_H
#define REPUTATION_JOIN_H

#include "lib/store.h"
#include "reputation/classify.h"
#include "reputation/logline.h"
#include "reputation/outcome.h"

struct join;

struct join_rules {
	struct slice	 instance;	/* of lines whose name is not below */
	const struct join_instance {
		struct slice	syslog_name, instance;
	}		*instances;
	size_t		 ninstances;
	const struct slice *relays;	/* next hops of ours, as in relay=:
					   "host" or "host:port"; they tell
					   nothing about a provider */
	size_t		 nrelays;
};

/* What happened since the counters were last taken. */
struct join_counts {
	uint64_t	lines, deliveries, strange, outcomes, repeated, added,
			events;
};

/* All borrowed; call provider_init and fold_init first. */
int	 join_new(struct join **, struct outcomes *, const struct classifier *,
	    const struct join_rules *, struct why *);
void	 join_free(struct join *);
/* Another set of rules from the next line on; borrowed. */
void	 join_reclassify(struct join *, const struct classifier *);
/* Rules of back-off from the next line on; borrowed. NULL, as at first: none
 * is counted. */
struct backoffs;
void	 join_backoffs(struct join *, const struct backoffs *);
/*
 * Applies events of the gate behind the last one applied, as far as a line of
 * that moment may be about them, at most n; *got how many.  Fewer than n: that
 * was all.  The gate commits an event before Postfix hears of it: who reads
 * lines, then says join_look, and before each line applies the events up to
 * it, misses none.  gate NULL: there is no store of a gate yet.
 */
#define JOIN_ALL	INT64_MAX
int	 join_events(struct join *, struct store *gate, int64_t time, size_t n,
	    size_t *got, struct why *);
/* Lines were read: there may be more events now. */
void	 join_look(struct join *);
/* Does that line speak of a message, so that events must come before it? */
bool	 join_needs(const struct logline *);
/* raw: the whole line, for the samples of what was not understood. */
int	 join_line(struct join *, struct store *gate, const struct logline *,
	    struct slice raw, struct why *);
/* Before the commit: adds the counters to those in the store. */
int	 join_flush(struct join *, struct why *);
/* After an abort: the counters of that transaction never were. */
void	 join_forget(struct join *);
/* Of the transaction that is open. */
const struct join_counts *join_counts(const struct join *);

#endif
