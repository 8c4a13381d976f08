/*
 * writer - the one thread that writes the store: group commit, void, status,
 * checkpoint, last good forms.
 *
 * A callback submits an encoded event and waits at most the deadline; many
 * waiters share one commit.  After a deadline the caller answers 451; if the
 * event lands all the same, a void follows it.  The writer settles the ledger
 * in the order of sequences, before it wakes anybody.
 * No room: submit fails at once until a probe (1/s) gets through.  Any other
 * error of a commit is fatal: log_fatal(EX_IOERR).
 * Threads: any, after writer_start.
 */
#ifndef MILTER_WRITER_H
#define MILTER_WRITER_H

#include "lib/event.h"
#include "lib/held.h"
#include "lib/store.h"
#include "policy/ledger.h"
#include "policy/progress.h"

#define WRITER_DEADLINE	(2 * INT64_C(1000000))	/* us */

struct writer;

int	 writer_start(struct writer **, struct store *, struct ledger *,
	    uint64_t applied, struct why *);
/* Flushes what waits and the counts of repeats, final checkpoint, joins. */
void	 writer_stop(struct writer *);

/* May mail be taken at all? False: 451 at MAIL, *reason static text. */
bool	 writer_alive(struct writer *, const char **reason);
/* Does its thread still go round, room or no room?  For the watchdog. */
bool	 writer_beats(struct writer *);

/*
 * Durable before it returns 0. The event's charges were sealed by the caller;
 * whatever happens, the writer settles them (spent or dropped).
 * -1: answer 451 (no room, deadline, memory). *seq: the event's.
 */
int	 writer_commit(struct writer *, const struct event *, uint64_t *seq,
	    struct why *);
/* The same of a message that is held: its row is on disk with the event, and
 * goes when that is voided.  The row's seq is the writer's to give. */
int	 writer_hold(struct writer *, const struct event *,
	    const struct held *, uint64_t *seq, struct why *);
/* An accepted event whose edits failed: written without waiting. */
void	 writer_void(struct writer *, const struct event *, uint64_t seq);
/* Refusals and deferrals: not waited for; repeats of (tenant, limit, stage,
 * kind) within a minute become one more record with their count. */
void	 writer_note(struct writer *, const struct event *);
/*
 * A policy was loaded: forms, event, status text. Waits for the commit.
 * forms (may be NULL) puts a slice and says whether more are left: each slice
 * is a transaction, mail goes between them, and the last one has the event
 * and the status with it.
 */
int	 writer_reload(struct writer *, const struct status *, const struct
	    event *, bool (*forms)(void *, struct store *), void *with,
	    struct why *);
/*
 * Decisions about warmups (milter/warmer.c): events, whose charges are spent
 * without having been reserved, the rows that they make, which learn of their
 * sequences, and how far the days of a zone are judged; in one commit that is
 * waited for.  -1: nothing of it happened.
 */
struct writer_warm {
	const struct event	*events;	/* EVENT_WARMUP */
	size_t			 nevents;
	struct warm_row		*rows;
	const size_t		*made_by;	/* event of each; not one of
						   them: its seq stays */
	size_t			 nrows;
	struct slice		 zone;		/* p NULL: no zone */
	int64_t			 judged;	/* all before that date */
};
int	 writer_warm(struct writer *, const struct writer_warm *,
	    struct why *);
/*
 * What was taken from the desk (milter/obey.c): resets as events, which the
 * ledger follows at once, the orders in force, the head of the chain, and two
 * words for the status; in one commit that is waited for.  -1: nothing of it
 * happened, say it again later.
 */
struct writer_desk {
	const struct event	*resets;	/* EVENT_RESET */
	size_t			 nresets;
	struct slice		 orders;	/* p NULL: as they were */
	const struct store_head	*head;		/* NULL: not now */
	const struct writer_warm *warm;		/* NULL: nothing resumes */
	uint64_t		 seq;		/* last decision in force */
	struct slice		 trouble;	/* empty: none */
};
int	 writer_desk(struct writer *, const struct writer_desk *,
	    struct why *);
/*
 * What becomes of held messages (milter/pacer.c), in one commit that is waited
 * for: releases with their rows, rows alone, rows that go.  The sequence and
 * time of a decision are the writer's to give.  The charges are settled,
 * whatever happens, those below 0 given back.  -1: nothing of it happened.
 */
struct writer_held {
	const struct event	*events;	/* EVENT_RELEASE */
	struct held		*rows;		/* of each event, as it is
						   turned; then those that
						   are only written anew */
	size_t			 nevents, nrows;	/* nrows >= nevents */
	const uint64_t		*gone;		/* rows that are forgotten */
	size_t			 ngone;
};
int	 writer_held(struct writer *, const struct writer_held *,
	    struct why *);
/* Whom to ask for status.seen, each time the status is written. Before the
 * first writer_reload. */
void	 writer_seen(struct writer *, unsigned (*)(void *), void *);
void	 writer_draining(struct writer *);
/* Tests: other times than WRITER_DEADLINE and 5 s between checkpoints, us. */
void	 writer_tune(struct writer *, int64_t deadline, int64_t round);

#endif
