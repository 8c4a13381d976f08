/*
 * adapt - may a warmup go on?  The rules S1 to C1, for one complete day.
 *
 * A pure function: what was seen, in; a rule and what follows from it, out.
 * Who calls it reads counters and stores (milter/warmer.c); who doubts a
 * decision calls it again with what was recorded (penstock warmup explain).
 *
 *	S1  a provider said that it blocks us, or a list	stop
 *	    that all the world asks has us
 *	S2  complaints >= 0.30 %, hard bounces >= 5 % or	stop
 *	    refusals for reputation >= 3 %, at least
 *	R1  3 complaints and >= 0.10 %, or hard bounces	day - 2, share
 *	    >= 2 % or refusals >= 1 % at least, or >= 15 %	x 0.5 for 3 days
 *	    deferred for rate or reputation
 *	I2  no mail for 31 days				day 1
 *	I1  no mail for 8, 15, 22, 29 days			day - 3 a week
 *	N1  nobody knows what became of it, and the policy	same day
 *	    wants that known
 *	H1  5 hard bounces and >= 1 %, or >= 8 % deferred	same day
 *	    for rate or reputation, or a complaint and
 *	    >= 0.05 %
 *	H2  less than half of the day's number was used, and	same day
 *	    no limit of ours turned mail away
 *	C1  7 days without trouble on the last day		warm
 *	A2  each third day in a row without trouble, >= 90 %	day + 1, or + 2
 *	    of bulk used, < 3 % deferred for rate or reputation	with fast_track
 *	A1  else						day + 1
 *
 * A warmup has one day.  A provider has a factor on its share, and is judged
 * only with traffic.  The most severe rule is the decision's; of the days that
 * the rules of several providers say, the lowest is taken.  "At least" is the
 * lower bound of lib/wilson.h and needs three events, or one bounce of five
 * would be 6 % of all mail to come.
 * Before S2 or R1 of a provider, a tenant with more than half of what went
 * wrong is singled out, when others use it as well, and the rest is judged
 * without him.  What nobody knows the provider of has no share: when that is
 * what stops, all of it stops.
 * Threads: any.
 */
#ifndef POLICY_ADAPT_H
#define POLICY_ADAPT_H

#include <stdbool.h>
#include <stdint.h>
#include "lib/buf.h"
#include "lib/mem.h"
#include "lib/slice.h"
#include "lib/why.h"

/* The most severe first. */
enum adapt_rule { ADAPT_S1, ADAPT_S2, ADAPT_R1, ADAPT_I2, ADAPT_I1, ADAPT_N1,
	ADAPT_H1, ADAPT_H2, ADAPT_C1, ADAPT_A2, ADAPT_A1, ADAPT_RULES };
extern const char *const adapt_rule_names[];		/* NULL-ended */

#define ADAPT_PROVIDERS		64	/* judged of one warmup, at most */
#define ADAPT_TENANTS		8	/* looked at per provider */
#define ADAPT_HALF		500	/* thousandths of a share, by R1 */
#define ADAPT_HALF_DAYS		3
#define ADAPT_NOBODY		SIZE_MAX
#define ADAPT_STRANGERS		"unresolved"	/* providers nobody knows */

/* What became of recipients on that day. */
struct adapt_count {
	uint64_t	ended;		/* delivered, bounced, given up */
	uint64_t	deferred;	/* at least once */
	uint64_t	slow;		/* of them, for rate or reputation */
	uint64_t	hard;		/* no such mailbox, no such domain */
	uint64_t	blocked;	/* refused for reputation */
	uint64_t	listed;		/* said to be blocked in so many words */
	uint64_t	arrived;	/* of this day and the two before it: */
	uint64_t	complaints;
};

struct adapt_tenant {
	struct slice	 name;
	struct adapt_count count;
};

struct adapt_provider {
	struct slice	 name;
	struct adapt_count count;	/* of all tenants */
	const struct adapt_tenant *tenants;	/* those with the most of what
						   went wrong */
	size_t		 ntenants;
};

struct adapt_input {
	int64_t		 date;		/* days since 1970, in its zone */
	int		 day, days;	/* of the schedule: 1 .. days */
	int64_t		 cap, used;	/* recipients of that day */
	int64_t		 bulk;		/* what bulk mail may have of cap */
	int64_t		 turned;	/* events in which a limit of ours
					   turned mail away */
	int		 silent;	/* days in a row without mail, with
					   this one; 0: there was some */
	int		 clean;		/* days in a row without trouble,
					   before this one */
	bool		 warmed;
	bool		 known;		/* what became of it */
	bool		 required;	/* require_outcomes */
	bool		 fast;		/* fast_track */
	uint64_t	 dnsbl;		/* said to be on a list of all the
					   world's */
	const struct adapt_provider *providers;	/* with traffic */
	size_t		 nproviders;
};

struct adapt_single {		/* a tenant who is stopped, not the pool */
	size_t		 provider, tenant;	/* places in the input */
	enum adapt_rule	 rule;			/* S2 or R1: what for */
};

struct adapt_decision {
	enum adapt_rule	 rule;
	size_t		 provider;	/* whose rule it is; ADAPT_NOBODY */
	int		 day;		/* from the next day on */
	int		 clean;
	bool		 warmed;
	bool		 stop;		/* all of it */
	bool		 faster;	/* A2 says so, and nobody allowed it */
	enum adapt_rule	 of[ADAPT_PROVIDERS];	/* each; ADAPT_A1: well */
	struct adapt_single singles[ADAPT_PROVIDERS];
	size_t		 nsingles;
};

void	 adapt(const struct adapt_input *, struct adapt_decision *);
/* Which of the two kinds of trouble it is: day stays or falls, or stops. */
bool	 adapt_stops(enum adapt_rule);

/*
 * As text, for the record, and back (adapt_text.c has the words).  What is
 * read borrows the text, arrays are the arena's.  Action: 0.
 */
void	 adapt_print(const struct adapt_input *, const struct adapt_decision *,
	    struct buf *);
int	 adapt_read(struct slice, struct adapt_input *,
	    struct adapt_decision *, struct arena *, struct why *);
/* Is it the same decision?  Of the same input. */
bool	 adapt_same(const struct adapt_input *, const struct adapt_decision *,
	    const struct adapt_decision *);
/* Why, in a sentence for a person. */
void	 adapt_say(const struct adapt_input *, const struct adapt_decision *,
	    struct buf *);

#endif
