/*
 * writer_in - the writer's two halves: what others call (writer.c) and what
 * its thread does (writer_thread.c, writer_round.c), and tickets between them.
 */
#ifndef MILTER_WRITER_IN_H
#define MILTER_WRITER_IN_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include "milter/repeat.h"
#include "milter/writer.h"

#define WRITER_MAIL	256	/* events of one commit, at most */
#define WRITER_OTHER	64	/* voids, and notes, of one commit */
#define WRITER_BATCH	(WRITER_MAIL + 2 * WRITER_OTHER)
#define WRITER_BYTES	(8u << 20)
#define WRITER_NOTES	65536	/* notes that wait, at most */
#define WRITER_ROUND	(5 * INT64_C(1000000))	/* us: checkpoints */
#define WRITER_POOL	1024	/* tickets kept */
#define WRITER_SLICE	1000	/* counters of one commit when idle */

enum ticket_kind { TICKET_MAIL, TICKET_VOID, TICKET_NOTE };

/*
 * A ticket is one event on its way.  Of one that somebody waits for:
 *
 *	QUEUED -> COMMITTING -> LANDED | FAILED		it is the waiter's again
 *	QUEUED		waiter gives up: taken out, never written
 *	COMMITTING	waiter gives up: ABANDONED, the writer's; if it lands,
 *			it comes back as a void
 * Changed under the lock; read without it after the semaphore.
 */
enum ticket_state { TICKET_QUEUED, TICKET_COMMITTING, TICKET_ABANDONED,
	TICKET_LANDED, TICKET_FAILED };

struct ticket {
	struct ticket	*next;
	enum ticket_kind kind;
	enum event_kind	 event;
	_Atomic enum ticket_state state;
	sem_t		 done;
	struct buf	 encoded;
	struct buf	 queue_id;
	struct buf	 held;		/* its row among the held; empty: none */
	uint64_t	 voids;		/* VOID: of what; its row goes */
	struct charge	*charges;	/* numbers only: no names, no rules */
	size_t		 ncharges, charges_cap;
	uint64_t	 seq;
	struct why	 why;		/* FAILED */
};

struct tickets {			/* first in, first out */
	struct ticket	*first, **end;
	size_t		 n;
};

struct reload_request {			/* borrowed from the one who waits */
	const struct status *status;
	const struct event *event;
	bool		(*forms)(void *, struct store *);
	void		*with;
	struct why	*why;
	int		 rc;
	bool		 done;
};

enum trouble { TROUBLE_NONE, TROUBLE_LATE, TROUBLE_NOROOM };

struct desk_request {			/* the same */
	const struct writer_desk *desk;
	struct why	*why;
	int		 rc;
	bool		 done;
};

struct held_request {			/* the same */
	const struct writer_held *held;
	struct why	*why;
	int		 rc;
	bool		 done;
};

struct warm_request {			/* and again */
	const struct writer_warm *warm;
	struct why	*why;
	int		 rc;
	bool		 done;
};

struct writer {
	struct store	*store;
	struct ledger	*ledger;
	pthread_t	 thread;
	_Atomic enum trouble trouble;
	atomic_bool	 stopping;
	atomic_bool	 draining;
	_Atomic int64_t	 beat;		/* monotonic: it last went round */
	_Atomic int64_t	 deadline, round_every;	/* us */

	pthread_mutex_t	 lock;
	pthread_cond_t	 work;		/* for the thread */
	pthread_cond_t	 answered;	/* for writer_reload, _desk, _held,
					   _warm */
	bool		 sleeping;
	struct tickets	 mail, voids, notes;
	struct ticket	*pool;
	size_t		 npool;
	struct reload_request *request;
	struct desk_request *desk;
	struct held_request *held;
	struct warm_request *warm;
	struct repeats	*repeats;	/* of this minute */
	struct repeats	*closed;	/* of the one before, until flushed */
	bool		 closed_full;
	int64_t		 minute;
	uint64_t	 lost;		/* notes, since the last word of it */
	uint64_t	 accepted, deferred, refused, failed;

	/* the thread's own */
	struct ticket	*batch[WRITER_BATCH];
	size_t		 nbatch;
	struct arena	*arena;
	struct buf	 scratch;
	uint64_t	 settled;	/* last sequence in the ledger */
	int64_t		 time;		/* gate time of the last transaction */
	struct status	 status;	/* owns its texts */
	bool		 status_known, was_draining;
	unsigned	 (*seen)(void *); /* NULL, or for the status record */
	void		*seen_with;
	int64_t		 status_at, care_at, sweep_at, probe_at, lost_at;
	bool		 round;		/* a checkpoint is under way */
	bool		 round_over;	/* all of its rows are in slices */
	uint64_t	 round_seq;	/* what it will be the checkpoint of */
	uint64_t	 checkpoint;	/* the one on disk */
	int64_t		 round_at;
	struct counter_row rows[WRITER_SLICE];
	size_t		 nrows;
	uint8_t		 drops[WRITER_SLICE][16];
	size_t		 ndrops;
};

/* --- ticket.c ------------------------------------------------------------- */
void	 tickets_add(struct tickets *, struct ticket *);
struct ticket *tickets_take(struct tickets *);	/* NULL: none */
void	 tickets_remove(struct tickets *, struct ticket *);
/* Puts some back in front, in their order. */
void	 tickets_back(struct tickets *, struct ticket **, size_t n);
/* From the pool; locked inside.  NULL: no memory. */
struct ticket *ticket_get(struct writer *, enum ticket_kind);
void	 ticket_put(struct writer *, struct ticket *);	/* lock held */
void	 ticket_drop(struct writer *, struct ticket *);	/* locked inside */
void	 ticket_free(struct ticket *);
/* held: the row beside the event, or NULL. -1 without memory. */
int	 ticket_fill(struct ticket *, const struct event *,
	    const struct held *);

/* --- writer.c ------------------------------------------------------------- */
/* The minute turned: the table of repeats is closed.  Lock held. */
void	 writer_turn(struct writer *);
/* Wakes the thread.  Lock held. */
void	 writer_poke(struct writer *);

/* --- writer_desk.c -------------------------------------------------------- */
/* Answers one that waits; 0, or -1 with why when a commit failed so that the
 * store cannot be trusted. */
int	 desk_answer(struct writer *, struct why *);

/* --- writer_held.c: the same --------------------------------------------- */
int	 held_answer(struct writer *, struct why *);

/* --- writer_warm.c: the same --------------------------------------------- */
int	 warm_answer(struct writer *, struct why *);
/* Into the transaction that is open; seqs: room for each event. And once it is
 * on disk. */
int	 warm_put(struct writer *, const struct writer_warm *, uint64_t *seqs,
	    struct why *);
void	 warm_landed(struct writer *, const struct writer_warm *,
	    const uint64_t *seqs);

/* --- writer_thread.c ------------------------------------------------------ */
void	*writer_thread(void *);
int	 writer_begin(struct writer *, struct why *);

/* --- writer_round.c: counters and status, in the transaction that is open - */
/* Copies the texts; -1 without memory. */
int	 status_take(struct writer *, const struct status *);
int	 status_put(struct writer *, struct why *);
/* A text of the status: a copy that is ours, the old one freed. */
int	 text_take(struct slice *to, struct slice from);
/* Is there anything for round_put to write? */
bool	 round_due(struct writer *, bool final);
int	 round_put(struct writer *, size_t most, struct why *);
void	 round_landed(struct writer *);
void	 round_failed(struct writer *);
void	 round_sweep(struct writer *);

#endif
