/*
 * store - the gate's own store: events, counter checkpoints, last good tenant
 * files, the status record; its tables and keys are described in store.c.
 *
 * Written by penstock-milter's writer thread alone; read by everybody, by
 * sequence.  Threads: writing calls "writer only", reading calls any.
 */
#ifndef LIB_STORE_H
#define LIB_STORE_H

#include <stdbool.h>
#include <stdint.h>
#include "lib/db.h"
#include "lib/event.h"
#include "lib/mem.h"

struct store;

/* dir: .../gate */
int	store_open(struct store **, const char *dir, uint64_t map_size,
	    struct why *);					/* owner */
int	store_open_read(struct store **, const char *dir, struct why *); /* fetch */
void	store_close(struct store *);
struct db *store_db(struct store *);

/* --- writer only: one transaction at a time ------------------------------- */
int	store_begin(struct store *, struct why *);
/* Gives seq (dense from 1) and stamps the encoded event; time is raised to
 * the last stored one if below. Keeps the minute and queue-id indexes. */
int	store_append(struct store *, struct slice encoded, int64_t time,
	    struct slice queue_id, uint64_t *seq, struct why *);
/* A put that failed makes the commit fail, whoever overlooked it. */
int	store_commit(struct store *, struct why *);	/* NOROOM or BROKEN */
void	store_abort(struct store *);
/* Would events of so many bytes fit?  Tries it and takes it back. */
int	store_probe(struct store *, size_t bytes, struct why *);

/* One counter as checkpointed; as of event sequence seq. */
struct counter_row {
	uint8_t		key[16];
	uint8_t		kind;		/* enum limit_kind */
	uint8_t		shared;
	uint64_t	tenant;		/* owner of the key; 0 when shared */
	int64_t		level;		/* throttle: millionths; cap: count */
	int64_t		time;		/* throttle: level as of, us */
	int64_t		window, window_end;	/* cap */
	int64_t		rate, period;	/* throttle: last known */
	uint64_t	seq;
};
int	store_put_counter(struct store *, const struct counter_row *,
	    struct why *);
int	store_drop_counter(struct store *, const uint8_t key[16], struct why *);
/* All counters dirty at this sequence are written: replay starts behind it. */
int	store_put_checkpoint(struct store *, uint64_t seq, struct why *);

/* Last good text of a tenant file, by path. text.p NULL removes it. */
int	store_put_form(struct store *, struct slice path, struct slice text,
	    struct why *);

struct status {			/* the gate's word about itself */
	int64_t		pid;
	int64_t		started;	/* us */
	int64_t		heartbeat;	/* us, gate time */
	int64_t		wall;		/* wall clock then */
	int64_t		clock_jump;	/* us, 0 when sane */
	uint64_t	generation;	/* reloads answered, good or refused */
	uint8_t		result;		/* of the last: enum status_result */
	uint8_t		draining;
	uint8_t		policy_hash[HASH_SHA256];
	uint64_t	accepted, deferred, refused, failed; /* since start */
	uint64_t	overflow;	/* charges to overflow counters */
	uint64_t	desk_seq;	/* last decision in force; 0: none */
	struct slice	text;		/* what the last load changed, refused */
	struct slice	version;
	struct slice	socket;
	struct slice	desk;		/* why the desk is not followed; empty:
					   it is */
	uint32_t	seen;	/* stores of suppressions that were there: bits
				   of enum suppress_store (lib/suppress.h) */
};
enum status_result { STATUS_OK, STATUS_PARTLY, STATUS_REFUSED };
extern const char *const status_result_names[];
int	store_put_status(struct store *, const struct status *, struct why *);

/* What the gate has taken from the desk (policy/orders.h), as bytes: it holds
 * on when the desk is gone. */
int	store_put_orders(struct store *, struct slice, struct why *);
/* Where the desk's chain stood: kept for ever, so that a cut tail shows. */
struct store_head {
	uint64_t	seq;
	int64_t		time;		/* us, when the gate had read so far */
	uint8_t		chain[HASH_SHA256];
};
int	store_put_head(struct store *, const struct store_head *,
	    struct why *);

/* --- any: each call opens and ends its own read transaction --------------- */
int	store_status(struct store *, struct status *, struct arena *,
	    struct why *);					/* fetch */
/* Last stored time and sequence; zeros in an empty store. */
int	store_last(struct store *, uint64_t *seq, int64_t *time, struct why *);
/* First sequence at or after that moment (last+1 when none). */
int	store_seq_at(struct store *, int64_t time, uint64_t *seq, struct why *);
/*
 * Up to n events from sequence from on, copied into the arena; *got of them.
 * Few at a time, so that no reader keeps a transaction open.
 */
int	store_read(struct store *, uint64_t from, size_t n, struct arena *,
	    struct slice *encoded, size_t *got, struct why *);
/* The one event of that sequence, in the arena.  Fetch: 0 it is not there (any
 * more). */
int	store_event(struct store *, uint64_t seq, struct arena *,
	    struct event *, struct why *);
/*
 * A walk over many events in one transaction (store_walk.c), for who is quick
 * and waits for nobody meanwhile: slices borrow it until store_walk_end.
 */
struct store_walk;
int	store_walk(struct store *, struct store_walk **, struct why *);
void	store_walk_end(struct store_walk *);		/* NULL allowed */
/* The next from that sequence on; then the one behind it, and so on. Fetch. */
int	store_walk_from(struct store_walk *, uint64_t from, uint64_t *seq,
	    struct slice *encoded, struct why *);
int	store_walk_next(struct store_walk *, uint64_t *seq,
	    struct slice *encoded, struct why *);
/* Any other one, which does not move the walk. Fetch. */
int	store_walk_at(struct store_walk *, uint64_t seq, struct slice *encoded,
	    struct why *);
int	store_by_queue_id(struct store *, struct slice, uint64_t *seq,
	    struct why *);					/* fetch */
/* The message that a short token of that id names. Fetch. */
int	store_by_token(struct store *, uint64_t id, uint64_t *seq,
	    struct why *);
/* Every counter row; the callback returns false to stop. One transaction. */
int	store_counters(struct store *, uint64_t *checkpoint,
	    bool (*)(void *, const struct counter_row *), void *,
	    struct why *);
int	store_form(struct store *, struct slice path, struct arena *,
	    struct slice *text, struct why *);			/* fetch */
int	store_forms(struct store *, struct arena *, struct slice **paths,
	    size_t *n, struct why *);
/* Every form; the callback returns false to stop.  One transaction, whose
 * pages leave the memory of the process when it is over. */
int	store_each_form(struct store *, bool (*)(void *, struct slice path,
	    struct slice text), void *, struct why *);

int	store_orders(struct store *, struct arena *, struct slice *,
	    struct why *);					/* fetch */
/* Up to n heads whose sequence is at least from, in order. */
int	store_heads(struct store *, uint64_t from, size_t n,
	    struct store_head *, size_t *got, struct why *);

/*
 * Every page, then every record: sequences dense, times in order, indexes
 * and counters in agreement with the events.  Pages are walked in a child
 * process first: a damaged file may kill it.  dir: .../gate, in use or not.
 */
struct store_tally {
	uint64_t events, first, last, minutes, queue_ids, counters, forms,
		 tokens, held;
	uint64_t checkpoint;
};
int	store_verify(const char *dir, struct store_tally *, struct why *);

#endif
