/*
 * ledger - how much of every limit is spent, and who has laid a hand on it.
 *
 * A counter is (level or count, time or window, reserved).  Only the level
 * leaks; the test is level + reserved + n <= burst, or count + reserved + n <=
 * cap; of an open limit, accepted - final + reserved + n <= most.
 * A claim reserves in all its counters or in none.  sealed -> settled:
 * what was reserved moves into the level at commit time, or is dropped.
 * A reservation belongs to its window and is idle after 120 s: then it is
 * gone and the next reserve or seal makes it anew, all or none.
 * Counters live in memory; the events are their durable form, a checkpoint
 * shortens the replay.  Amounts of throttles are kept in millionths.
 * Threads: any; one mutex inside, never held across a call out, but for the
 * look at finals.
 */
#ifndef POLICY_LEDGER_H
#define POLICY_LEDGER_H

#include <stdbool.h>
#include <stdint.h>
#include "lib/event.h"
#include "lib/mem.h"
#include "lib/store.h"

#define LEDGER_IDLE		(120 * INT64_C(1000000))	/* us */
#define LEDGER_TENANT_COUNTERS	10000
#define LEDGER_AMOUNT_MAX	INT64_C(1000000000000)		/* 10^12 */
#define LEDGER_UNBOUNDED	INT64_MAX	/* a "most" that always fits:
						   shadowed limits count too */
#define LEDGER_SOMETIME		(INT64_MAX - 1)	/* a "next" that nobody knows:
						   when mail is final */

struct ledger;

struct ask {			/* what a message wants of one counter */
	struct charge	charge;	/* amount = what it wants in all */
	int64_t		most;	/* burst, the cap, or what may be open */
	int64_t		inflight; /* one tenant may hold that much; 0: any */
	/* of a counter that tenants share fairly, fair.h; weight 0: not */
	int64_t		slot, slot_end;	/* us: the present hour */
	int64_t		even;	/* how much may be gone at its end */
	uint32_t	weight;	/* of the tenant */
	uint32_t	policy;	/* number of the one that asks */
};

struct claim {			/* of one message; all zero to begin with */
	struct ask	*asks;	/* one per counter; what is held */
	struct ask	*spare;	/* the next set is made here */
	size_t		 n, cap;
	int64_t		 touched;	/* gate time of the last reserve */
	int		 state;		/* CLAIM_*; the ledger's to read */
	struct claim	*prev, *next;	/* ledger's list while held */
};
enum { CLAIM_EMPTY, CLAIM_HELD, CLAIM_EXPIRED, CLAIM_SEALED };

struct shortfall {		/* an ask that did not fit, and until when */
	size_t		 which;		/* index into the asks given */
	int64_t		 used, reserved; /* whole units, as people read */
	int64_t		 most;
	int64_t		 next;		/* us: when it would fit, if left alone;
					   INT64_MAX: never (amount > most);
					   LEDGER_SOMETIME */
	bool		 inflight;	/* own reservations stand in the way */
	bool		 fair;		/* this hour is shared out */
};

struct ledger	*ledger_new(void);		/* NULL: no memory */
void	 ledger_free(struct ledger *);

/*
 * The claim becomes exactly the asks given (amounts in all, not on top; no two
 * of one key), all or none.  1 reserved; 0 does not fit: every ask that does
 * not is in lacks (room for n, or NULL) and the claim holds what it held; -1
 * without memory.
 * What is held already in the same window is not judged again.  A moment
 * behind the counter's window is charged to the counter's window: the asks in
 * the claim say which.  arena: where the claim's arrays grow.
 */
int	 ledger_reserve(struct ledger *, struct claim *, struct arena *,
	    const struct ask *, size_t n, int64_t now, struct shortfall *lacks,
	    size_t *nlacks);
/*
 * The amounts given are how much more; all else stays as it is.  As above, or
 * LEDGER_ANEW: part of what the claim held is gone (it was idle, or a window
 * rolled), nothing was done, and all must be asked for with ledger_reserve.
 */
#define LEDGER_ANEW	2
int	 ledger_more(struct ledger *, struct claim *, struct arena *,
	    const struct ask *, size_t n, int64_t now, struct shortfall *lacks,
	    size_t *nlacks);
/*
 * As ledger_reserve, before the event is written; the claim is SEALED then and
 * does not expire.  Who hands its charges over to be settled forgets the
 * claim; who does not, releases it.  Never both.
 */
int	 ledger_seal(struct ledger *, struct claim *, struct arena *,
	    const struct ask *, size_t n, int64_t now, struct shortfall *lacks,
	    size_t *nlacks);
void	 ledger_release(struct ledger *, struct claim *);	/* EMPTY after */

/* --- the writer, in the order of sequences ------------------------------- */
/* reserved -> level (spent true), or reserved is dropped (seq unused then). */
void	 ledger_settle(struct ledger *, const struct charge *, size_t n,
	    bool spent, uint64_t seq, int64_t time);
/* Without a reservation: replay at start. Ignored when the counter is as of
 * that sequence or a later one. -1 without memory: do not start. */
int	 ledger_replay(struct ledger *, const struct charge *, size_t n,
	    bool back, uint64_t seq, int64_t time);
/* Gives back the charges of a voided event. */
void	 ledger_void(struct ledger *, const struct charge *, size_t n,
	    uint64_t seq, int64_t time);

/* Behind the replay, in the order of events: so much of a cap that is shared
 * fairly was that tenant's in that slot (fair.h). */
void	 ledger_recall(struct ledger *, const struct charge *, bool back,
	    uint32_t weight, int64_t slot, int64_t slot_end);

/* What was spent is forgotten, as of an event: live and at replay. What is
 * reserved stays; counters that are not there, or are as of a later event,
 * are left alone. */
void	 ledger_reset(struct ledger *, const struct charge *, size_t n,
	    uint64_t seq, int64_t time);

/* Checkpoint: a round over counters dirty at its begin, slice by slice.
 * seq: the last event settled. A call of round_next says that the slice
 * before it is on disk, unless ledger_round_failed was called. */
void	 ledger_round_begin(struct ledger *, uint64_t seq);
/* Up to n rows; *left false when the round is over (ask until 0 rows). */
size_t	 ledger_round_next(struct ledger *, struct counter_row *, size_t n,
	    bool *left);
/* The slice did not reach the disk: its counters, and those still to come,
 * are dirty again; the round is over and its seq is no checkpoint. */
void	 ledger_round_failed(struct ledger *);
/* At start, before the replay. -1 without memory. */
int	 ledger_load(struct ledger *, const struct counter_row *);

/* Expires claims idle for LEDGER_IDLE and forgets counters of one part in 256
 * that say nothing any more (leaked empty, window over): call it often.  Keys
 * of rows to delete from the store go to dropped; it stops when that is
 * full. */
size_t	 ledger_sweep(struct ledger *, int64_t now, uint8_t (*dropped)[16],
	    size_t n);

struct counter_view {
	int64_t	used, reserved;		/* whole units, used rounded up */
	int64_t	next;			/* when one more fits; now when it does;
					   INT64_MAX: never; LEDGER_SOMETIME */
	bool	live;			/* there is a counter */
};
void	 ledger_view(struct ledger *, const struct ask *, int64_t now,
	    struct counter_view *);
struct ledger_stat {
	uint64_t counters, claims;	/* now; claims: held ones */
	uint64_t overflows;		/* asks sent to an overflow counter */
	uint64_t bytes;			/* heap of the counters */
};
void	 ledger_stat(struct ledger *, struct ledger_stat *);

/* How much of what was charged to an open counter is final: all that ever was,
 * by key; a look into memory that must not wait, nor call the ledger, and is
 * made with the mutex held.  NULL (the beginning): nothing is.  Set before
 * mail comes. */
void	 ledger_finals(struct ledger *, int64_t (*)(void *,
	    const uint8_t key[16]), void *with);

/* policy/restore.c: checkpoint + replay from a store; last seq applied. */
int	 ledger_restore(struct ledger *, struct store *, uint64_t *seq,
	    struct why *);
/* Behind it: what each tenant had, in the hour of now and the one before, of
 * caps that stand in a fair pool or its addresses. */
struct policy;
int	 ledger_restore_shares(struct ledger *, struct store *,
	    const struct policy *, int64_t now, struct why *);

#endif
