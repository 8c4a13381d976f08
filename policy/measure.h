/*
 * measure - what one limit counts: its key, its number, its window, how much
 * a recipient is.  Private to policy's decide files.   Threads: any.
 */
#ifndef POLICY_MEASURE_H
#define POLICY_MEASURE_H

#include "policy/decide.h"
#include "policy/warmup.h"

/* The ids of what a limit counts apart by, at the place of their bits; and
 * whose mail it is. */
struct dimensions {
	uint64_t	id[PER_DIMENSIONS];
	unsigned	known;		/* PER_*: which of them are there */
	const struct policy *policy;
	const struct tenant *tenant;
	const struct pool *pool;	/* in whose zone egress limits count;
					   NULL: none */
	const struct progress *progress; /* of warmups, or NULL */
	bool		 bulk;		/* mail that waits for the hours of a
					   warmup */
	unsigned	 provider;	/* of PER_PROVIDER, or DECIDE_ALL */
};

/* The id of a value that is text, case folded; never 0. */
uint64_t measure_id(unsigned per, struct slice);
/* Group and tenant, and the stream when it is not NULL. */
void	measure_begin(const struct policy *, const struct tenant *,
	    const struct stream *, struct dimensions *);
/* The pool and the address; NULL: Postfix's own route, which is pool 0. */
void	measure_egress(struct dimensions *, const struct pool_address *);
void	measure_know(struct dimensions *, unsigned per, uint64_t id);
/* Does the limit count mail to that provider? */
bool	measure_watches(const struct limit *, unsigned provider);
/* What so many recipients of a message of so many bytes are. */
int64_t	measure_amount(const struct limit *, int64_t watched, int64_t bytes);
/* What such mail may have of it at the most in one window, when nothing is
 * spent: a message that asks for more never fits. */
int64_t	measure_whole(const struct limit *, const struct dimensions *,
	    int64_t now);
/* The ask for amount of that limit at now, but for its rule; unit: what one
 * recipient counts.  All its dimensions must be known. */
void	measure_ask(const struct limit *, const struct dimensions *,
	    int64_t amount, int64_t unit, int64_t now, struct ask *);
/* The line of the limit; -1 without memory. */
int	measure_rule(const struct policy *, const struct limit *,
	    struct arena *, struct ask *);
/* An ask made before, at a later moment or for another unit. */
void	measure_again(const struct limit *, const struct dimensions *,
	    int64_t unit, int64_t now, struct ask *);
/* Where the warmup of that limit is.  ask: who asks. */
void	measure_view(const struct limit *, const struct dimensions *,
	    int64_t now, struct warm_ask *ask, struct warm_view *);
/* When n more fit into it, behind so much that waits; used, next: what the
 * ledger says.  Of a limit that is no warmup's: what the ledger says. */
int64_t	measure_next(const struct limit *, const struct dimensions *,
	    int64_t used, int64_t before, int64_t n, int64_t next,
	    int64_t now);
/* How much a warmup's limit lets through from now until then, when so much is
 * used of it and no day brings a larger number. */
int64_t	measure_coming(const struct limit *, const struct dimensions *,
	    int64_t used, int64_t until, int64_t now);
/* The zone whose calendar a cap follows; pool: by which it leaves, or NULL. */
const struct zone *measure_zone(const struct limit *, const struct policy *,
	    const struct tenant *, const struct pool *);

/* --- measure_held.c: those that wait for room ---------------------------- */
struct holding {		/* a message that is to be held */
	bool		 bulk;
	bool		 need;	/* not for this limit, but it will want room
				   of it when it goes */
	int64_t		 hold_max;
};
/* What counts the held beside that ask: at most what the limit lets through
 * within hold_max, less what waits before them. -1 without memory. */
int	measure_held(struct ledger *, const struct limit *,
	    const struct dimensions *, const struct ask *,
	    const struct holding *, int64_t now, struct arena *,
	    struct ask *);
/* How much waits for that ask's room before such mail that comes now. */
int64_t	measure_before(struct ledger *, const struct ask *, bool bulk,
	    int64_t now);
/* When there is room for an ask that lacks it, behind so much that waits; of
 * what will not be until that moment, any later one.  INT64_MAX: never;
 * LEDGER_SOMETIME. */
int64_t	measure_forecast(const struct limit *, const struct zone *,
	    const struct ask *, const struct shortfall *, int64_t before,
	    int64_t now, int64_t until);

#endif
