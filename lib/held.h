/*
 * held - the messages that wait in Postfix's hold queue, and what is to become
 * of them: a table of the gate's store.
 *
 * A row is written with the hold event, in its transaction, and turned with
 * the event that decides (EVENT_RELEASE), in that one's.  penstock-release
 * executes what is not HELD_WAITING and reports into its own store
 * (lib/released.h); the gate forgets the row then.  It executes nothing that
 * was decided less than 10 s ago: a commit may still be taken back, and the
 * queue file may still be on its way into the folder of what is held.
 * Ownership: texts borrow what was decoded; store_held copies into the arena.
 * Threads: putting and dropping is for the writer of the store, within
 * store_begin and store_commit; the rest for any.
 */
#ifndef LIB_HELD_H
#define LIB_HELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/buf.h"
#include "lib/mem.h"
#include "lib/slice.h"
#include "lib/store.h"
#include "lib/why.h"

/* On disk as numbers: new ones at the end. */
enum held_state { HELD_WAITING,	/* nothing is decided */
	HELD_GO,		/* to be delivered: postsuper -H */
	HELD_DROP,		/* nobody may have it: postsuper -d */
	HELD_EXPIRE };		/* its sender gets a DSN: postsuper -f */
extern const char *const held_state_names[];	/* NULL-ended */
#define HELD_ALL	(-1)
#define HELD_QUEUE_ID	64	/* bytes of a queue id, most */

struct held {
	uint64_t	seq;		/* of the hold event */
	enum held_state	state;
	int64_t		since, until;	/* us; until: hold_max is over */
	int64_t		decided;	/* us, gate time the state turned; 0 */
	uint64_t	decision;	/* seq of the event that turned it; 0 */
	int64_t		forecast;	/* us; 0: nobody knows */
	uint64_t	tenant_id;
	struct slice	instance, queue_id, tenant, stream, pool, address;
	struct slice	why;		/* name of the limit or breaker that
					   held it, or what decided, for eyes */
};

/* Would postsuper(1) take it for one queue id?  Letters and digits. */
bool	held_queue_id(struct slice);

void	held_encode(const struct held *, struct buf *);
/* A row that is half decided, or whose queue id is none, is refused. */
int	held_decode(uint64_t seq, struct slice, struct held *, struct why *);

/* Up to n rows from that sequence on, in that state or all. */
int	store_held(struct store *, uint64_t from, int state, size_t n,
	    struct arena *, struct held *, size_t *got, struct why *);
/* One row; fetch. */
int	store_held_at(struct store *, uint64_t seq, struct arena *,
	    struct held *, struct why *);
int	store_put_held(struct store *, const struct held *, struct why *);
/* The same, encoded already. */
int	store_put_held_row(struct store *, uint64_t seq, struct slice,
	    struct why *);
/* Not there is fine. */
int	store_drop_held(struct store *, uint64_t seq, struct why *);

#endif
