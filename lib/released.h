/*
 * released - the store release/: what became of held mail that the gate let
 * go, and what lies in Postfix's hold queue.
 *
 * Written by penstock-release alone; read by the gate, which then forgets its
 * row of table "held" (lib/held.h), and by `penstock hold` and `penstock
 * status`.  What is decided of a held message stands there, what was done
 * about it stands here, both under the sequence of its hold event.
 * Threads: a db is for any; a struct released_reader belongs to one.
 */
#ifndef LIB_RELEASED_H
#define LIB_RELEASED_H

#include <stdint.h>
#include "lib/buf.h"
#include "lib/db.h"
#include "lib/mem.h"

#define RELEASED_TEXT	400	/* bytes of a sentence that are kept */

/* On disk as numbers: new ones at the end. */
enum released_result {
	RELEASED_DONE,		/* out of hold/, on its way */
	RELEASED_GONE,		/* somebody else took it out of hold/ */
	RELEASED_DROPPED,	/* deleted */
	RELEASED_EXPIRED,	/* its sender gets it back */
	RELEASED_FAILED,	/* still in hold/: is tried again, and the row
				   replaced when that works */
	RELEASED_RESULTS
};
extern const char *const released_names[];	/* NULL-ended */

struct released {
	uint64_t	seq;		/* of the hold event */
	int64_t		time;		/* us, wall clock */
	enum released_result result;
	struct slice	text;		/* for people; "" when all is said */
	struct slice	queue_id;	/* as in the row of the gate: a row of
					   another store's sequence shows */
};

struct inventory {			/* of all hold/ together */
	int64_t		time;		/* us, wall clock; taken each minute */
	uint64_t	ours;		/* files that a row of the gate names */
	uint64_t	foreign;	/* held by others: never touched */
	int64_t		oldest;		/* us, arrival of the oldest of ours;
					   0: there is none */
	struct slice	trouble;	/* why there is no newer one; "" */
};

/* An order that is being carried out, so that a restart knows whose work a
 * file that left hold/ was. */
struct trying {
	uint64_t	seq;
	int64_t		time;		/* us, wall clock, begun */
	uint8_t		state;		/* enum held_state */
	uint64_t	file;		/* its inode in hold/ */
	struct slice	queue_id;
};

/* Texts borrow the bytes. */
void	released_encode(const struct released *, struct buf *);
int	released_decode(uint64_t seq, struct slice, struct released *,
	    struct why *);
void	inventory_encode(const struct inventory *, struct buf *);
int	inventory_decode(struct slice, struct inventory *, struct why *);
void	trying_encode(const struct trying *, struct buf *);
int	trying_decode(uint64_t seq, struct slice, struct trying *,
	    struct why *);

/* --- penstock-release: one transaction of db_begin ------------------------ */
enum released_table { RELEASED_T_DONE, RELEASED_T_TRYING, RELEASED_T_RECORDS };
extern const struct db_layout released_layout;

/* dir: .../release */
int	released_open(struct db **, const char *dir, uint64_t map_size,
	    struct why *);					/* owner */
int	released_put(struct db_txn *, const struct released *, struct why *);
int	released_drop(struct db_txn *, uint64_t seq, struct why *); /* fetch */
int	released_get(struct db_txn *, uint64_t seq, struct released *,
	    struct why *);			/* fetch; borrows the txn */
int	inventory_put(struct db_txn *, const struct inventory *, struct why *);
int	trying_put(struct db_txn *, const struct trying *, struct why *);
int	trying_drop(struct db_txn *, uint64_t seq, struct why *);
						/* fetch */
/* Up to n rows whose sequence is at least from, in order; texts borrow the
 * txn. */
int	trying_rows(struct db_txn *, uint64_t from, size_t n, struct trying *,
	    size_t *got, struct why *);
/* The same of table done. */
int	released_rows(struct db_txn *, uint64_t from, size_t n,
	    struct released *, size_t *got, struct why *);

/* --- everybody else ------------------------------------------------------- */
struct released_reader;

/* Names only; the store may come, go and be replaced.  root: the store. */
int	released_reader(struct released_reader **, const char *root,
	    struct why *);
void	released_reader_close(struct released_reader *);	/* NULL allowed */
/* Up to n rows from that sequence on, in order, copied into the arena.  No
 * store: none. */
int	released_read(struct released_reader *, uint64_t from, size_t n,
	    struct arena *, struct released *, size_t *got, struct why *);
/* Fetch. */
int	released_inventory(struct released_reader *, struct arena *,
	    struct inventory *, struct why *);

struct released_tally {
	uint64_t	done, trying;
};
/* Every page in a child process, then every record. */
int	released_verify(const char *dir, struct released_tally *,
	    struct why *);

#endif
