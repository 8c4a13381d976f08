/*
 * counter - one counter, and the table of all of them; private to the ledger
 * (ledger.c, claim.c, checkpoint.c).  Policy and milter use ledger.h.
 *
 * Everything here is called with the ledger's mutex held.
 */
#ifndef POLICY_COUNTER_H
#define POLICY_COUNTER_H

#include <pthread.h>
#include "policy/fair.h"
#include "policy/ledger.h"

#define COUNTER_SHARDS	256

/* What one tenant holds reserved of a counter that several share. */
struct share {
	uint64_t	 tenant;
	int64_t		 reserved;
	struct share	*next;
};

enum mark {			/* of a counter, for the checkpoint */
	MARK_CLEAN,		/* its row is what it is */
	MARK_DIRTY,		/* in ledger->dirty or ->round: to be written */
	MARK_SLICE,		/* in ledger->slice: copied, not yet on disk */
	MARK_SLICE_DIRTY	/* the same, and changed after the copy */
};

struct counter {
	uint8_t		 key[16];
	struct counter	*next;		/* in its bucket */
	struct counter	*link;		/* in one of the lists of marks */
	int64_t		 level;		/* throttle: millionths; cap: count;
					   open: all that ever was; held: what
					   waits now */
	int64_t		 reserved;	/* units */
	union {
		struct {
			int64_t	time, rate, period;
		};
		struct {
			int64_t	window, window_end;
		};
	};
	uint64_t	 seq;		/* of the last charge in it */
	uint64_t	 owner;		/* tenant; 0 when shared */
	struct share	*shares;
	struct fair	*fair;		/* NULL: nobody asked fairly */
	uint8_t		 kind, mark;
	bool		 shared, stored; /* stored: there may be a row */
	uint32_t	 policy;	/* newest that asked: its form counts */
};

struct shard {
	struct counter	**buckets;
	size_t		 n, size;	/* size: a power of two, or 0 */
};

struct owner {			/* how many live counters a tenant has */
	uint64_t	 tenant;	/* 0: the slot is free */
	uint64_t	 counters;
};

struct ledger {
	pthread_mutex_t	 lock;
	struct shard	 shards[COUNTER_SHARDS];
	struct owner	*owners;	/* open addressing */
	size_t		 nowners, owners_size;
	struct claim	*first, *last;	/* held; longest untouched first */
	struct counter	*dirty, *round, *slice;
	uint64_t	 round_seq;
	int64_t		 (*finals)(void *, const uint8_t key[16]);
	void		*finals_with;
	unsigned	 sweep_at;	/* the shard that is next */
	struct ledger_stat stat;
};

struct counter *counter_find(const struct ledger *, const uint8_t key[16]);
/* Finds it or makes it, empty; NULL without memory. */
struct counter *counter_get(struct ledger *, const struct charge *,
	    int64_t now);
/* The counter that this charge counts in: its own, or the overflow counter
 * of its tenant and limit. NULL: none yet; with make, no memory. */
struct counter *counter_resolve(struct ledger *, const struct charge *,
	    int64_t now, bool make);
void	 counter_delete(struct ledger *, struct counter **at);
/* Leaks a level to now; rolls a cap's window that is over; takes on the form
 * of the limit that asks, unless a newer policy has asked before. True when it
 * took on another one. */
bool	 counter_turn(struct counter *, const struct ask *, int64_t now);
/* The same for a replay, where nothing says which policy is the newer one. */
void	 counter_follow(struct counter *, const struct charge *, int64_t time);
void	 counter_dirty(struct ledger *, struct counter *);
/* Does that charge's reservation stand in this counter, or did it go when the
 * window rolled? */
bool	 counter_holds(const struct counter *, const struct charge *);
/* Reserve amount more, or less when negative. share_of must have been called
 * with make before more is reserved of a shared counter. */
void	 counter_reserve(struct counter *, uint64_t tenant, int64_t amount);
struct share *share_of(struct counter *, uint64_t tenant, bool make);
/* Is there room for n more of a counter that was turned to now? */
bool	 counter_fits(const struct counter *, int64_t n, int64_t most);
/* When n more will fit, if everybody leaves it alone; what is reserved is
 * taken as spent. INT64_MAX: never. */
int64_t	 counter_next(const struct counter *, int64_t n, int64_t most,
	    int64_t now);
/* Of an open counter: what is final by now, at most its level; else 0. */
int64_t	 counter_finals(const struct ledger *, const struct counter *);
int64_t	 counter_used(const struct counter *);	/* whole units, rounded up */
/* Take the hand off what one charge reserved. */
void	 charge_unreserve(struct ledger *, const struct charge *);
void	 counters_free(struct ledger *);
/* claim.c: claims that nobody touched for LEDGER_IDLE hold nothing more. */
void	 claims_expire(struct ledger *, int64_t now);

#endif
