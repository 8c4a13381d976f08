/*
 * outcome_in - what the files of the outcomes/ store share, and what the
 * reader of the log (join.c) and prune.c need of them besides; nobody else
 * includes it.
 *
 * outcome.c: opening, a transaction, rows.  outcome_code.c: a record as bytes
 * and as JSON.  outcome_message.c: what is known per message and recipient.
 * outcome_run.c: indexes.  outcome_add.c: adding one; outcome_suppress.c: what
 * that means for its address; outcome_backoff.c: for the mail that follows;
 * outcome_fate.c: for warmups; outcome_read.c, outcome_find.c: reading.
 */
#ifndef REPUTATION_OUTCOME_IN_H
#define REPUTATION_OUTCOME_IN_H

#include "lib/buf.h"
#include "lib/fate.h"
#include "lib/map.h"
#include "reputation/outcome.h"

enum outcome_table { T_META, T_OUTCOMES, T_HOURS, T_MESSAGES, T_BY_EVENT,
	T_INDEX, T_DAYS, T_FINALS, T_DOMAINS, T_CURSORS,
	T_SAMPLES, T_THEIRS };
extern const struct db_layout outcomes_layout;

#define OUTCOME_HOUR	(3600 * INT64_C(1000000))
#define OUTCOME_DAY	(24 * OUTCOME_HOUR)
#define OUTCOME_SLACK	(5 * INT64_C(1000000))	/* a log's clock beside the
						   gate's */
#define OUTCOME_FOREIGN	(UINT64_C(1) << 63)	/* generation of a message
						   that has no event */
/* One recipient of a message: which states were seen. */
struct outcome_rcpt {
	uint8_t		hash[8];	/* of the address, case folded */
	uint16_t	kinds;		/* bits 1 << enum outcome_kind, and: */
	int32_t		day;		/* first day it was deferred */
	uint32_t	days;		/* bit i: deferred on day + i */
};

#define RCPT_KNOWN	0x8000	/* named by the event, and not local */
#define RCPT_LOCAL	0x4000	/* named by the event, and local */
#define RCPT_HEARD	0x2000	/* the log told its bounce, for back-off */
#define RCPT_FINAL	(1u << OUTCOME_DELIVERED | 1u << OUTCOME_BOUNCED | \
			    1u << OUTCOME_EXPIRED | 1u << OUTCOME_DELETED)

/* A counter of an open limit that this message is charged to. */
struct outcome_open {
	uint8_t		key[16];
	int64_t		amount;
};

/*
 * One message of one queue, from its event or from its first line in the log.
 * Lives until outcomes_commit or outcomes_abort; texts borrow the cache.
 */
struct outcome_message {
	struct slice	 key;		/* of its row */
	uint64_t	 event;		/* 0: foreign */
	int64_t		 first, last;	/* us: event or first line, last line */
	int64_t		 expired;	/* us; 0: not */
	int64_t		 removed;
	bool		 notice;	/* a report of Postfix: from=<> */
	uint32_t	 accepted;	/* recipients that may become final */
	uint32_t	 final;		/* of those, how many did */
	struct slice	 tenant, group, stream, campaign, pool, address;
	struct outcome_open *open;
	size_t		 nopen;
	uint8_t		 (*warm)[FATE_SUBJECT];	/* warmups that it counts in */
	size_t		 nwarm;
	struct outcome_rcpt *rcpts;	/* the first "sorted" by hash */
	size_t		 nrcpts, sorted, room;
	bool		 dirty;
};

struct outcome_entry {
	uint64_t	 key, value;	/* a hash or an event; seq << 3 | bits */
};

/* What a transaction adds to an index. */
struct outcome_run {
	struct outcome_entry *list;
	size_t		 n, room;
};

struct outcomes {
	struct db	*db;
	uint8_t		 secret[32];	/* of the address index */
	struct db_txn	*txn;		/* writer only, as all below */
	struct db_cursor *cursor;	/* in T_MESSAGES */
	struct why	 failed;
	bool		 bad;
	uint64_t	 seq, kept_seq;
	size_t		 puts;
	struct arena	*arena;		/* of the cache and of the sums */
	struct map	*messages;	/* key without generation -> chain */
	struct map	*sums;		/* table and key -> uint64_t */
	struct map	*hours;		/* hour -> uint64_t[2] */
	struct outcome_run runs[2];	/* T_INDEX, T_BY_EVENT */
	struct buf	 buf;
};

/* --- outcome.c: rows; a failure is remembered for the commit ------------- */
int	outcome_put(struct outcomes *, unsigned table, struct slice key,
	    struct slice value, struct why *);
int	outcome_put_buf(struct outcomes *, unsigned table, struct slice key,
	    struct why *);				/* value: o->buf */
/* Behind all rows of its table. */
int	outcome_append_buf(struct outcomes *, unsigned table,
	    struct slice key, struct why *);
int	outcome_fail(struct outcomes *, struct why *);
/* Adds to a u64 in a row, in memory until the commit. */
int	outcome_sum(struct outcomes *, unsigned table, struct slice key,
	    int64_t add, struct why *);
struct slice outcome_be64(uint64_t, uint8_t room[8]);
uint64_t outcome_u64(struct slice value);	/* 0 when it is none */

/* --- outcome_message.c --------------------------------------------------- */
/* Of an event, as in outcomes_add; made when there is no row yet. */
int	outcome_message_of(struct outcomes *, struct slice instance,
	    struct slice queue_id, uint64_t event, int64_t time,
	    struct outcome_message **, struct why *);
/*
 * The message that a line of that moment is about: the latest of ours that
 * began before it and was not removed before it; else a foreign one, made
 * when there is none and "make" says so.  Fetch.
 */
int	outcome_message_at(struct outcomes *, struct slice instance,
	    struct slice queue_id, int64_t time, bool make,
	    struct outcome_message **, struct why *);
/* The recipient, made when it is new; NULL without memory. */
struct outcome_rcpt *outcome_rcpt_of(struct outcomes *,
	    struct outcome_message *, struct slice address);
/* Does the event name that address, here or elsewhere? */
bool	outcome_rcpt_known(const struct outcome_message *, struct slice);
void	outcome_address_hash(struct slice address, uint8_t out[8]);
int	outcome_messages_write(struct outcomes *, struct why *);
/* The message has another queue id from now on (postsuper -r). */
int	outcome_message_moved(struct outcomes *, struct outcome_message *,
	    struct slice instance, struct slice queue_id, int64_t time,
	    struct why *);
/* The message is no more (its event was taken back). */
int	outcome_message_void(struct outcomes *, struct slice instance,
	    struct slice queue_id, uint64_t event, struct why *);

/* --- outcome_add.c ------------------------------------------------------- */
/* As outcomes_add, for a message at hand; address names the recipient. */
int	outcome_record(struct outcomes *, struct outcome_message *,
	    struct outcome_rcpt *, struct outcome *, struct why *);

/* What the caller left out of it, the message knows. */
void	outcome_inherit(struct outcome *, const struct outcome_message *);
/* Indexes an event that was accepted, and makes its message. */
int	outcome_accept(struct outcomes *, const struct event *, struct why *);
/* Indexes one that was refused, deferred or dropped. */
int	outcome_index(struct outcomes *, const struct event *, struct why *);
int	outcome_learn(struct outcomes *, const struct learned *, struct why *);
/* In the transaction of the writer: as outcomes_learned, texts borrow until the
 * next call; and the deferrals of an event, the last of each recipient. Fetch,
 * action. */
int	outcome_known_domain(struct outcomes *, struct slice domain,
	    struct learned *, struct why *);
int	outcome_deferrals(struct outcomes *, uint64_t event, struct arena *,
	    struct map *by_recipient, struct why *);

/* --- outcome_fate.c ------------------------------------------------------ */
/* What a new outcome means for the warmups that its message counts in. */
int	outcome_fate(struct outcomes *, const struct outcome_message *,
	    const struct outcome *, struct why *);
/* The warmups that an event is charged to. */
int	outcome_warm(struct outcomes *, struct outcome_message *,
	    const struct event *, struct why *);
/* The release of a message that was held: it is charged now, and may leave by
 * another address. */
int	outcome_released(struct outcomes *, const struct event *,
	    struct why *);

/* --- outcome_suppress.c --------------------------------------------------- */
int	outcome_suppress(struct outcomes *, const struct outcome *,
	    struct why *);

/* --- outcome_backoff.c ---------------------------------------------------- */
struct backoffs;
/* What a new outcome means for the mail behind it. */
int	outcome_backoff(struct outcomes *, const struct backoffs *,
	    const struct outcome *, struct why *);
/* May a row go at that moment? */
bool	outcome_backoff_over(struct slice value, int64_t now);

/* --- outcome_find.c ------------------------------------------------------ */
uint64_t outcome_address_key(const struct outcomes *, struct slice address);
uint64_t outcome_message_id_key(const struct outcomes *, struct slice id);
#define INDEX_MESSAGE_ID	4	/* beside the bits of a role */

/* --- outcome_run.c: T_INDEX and T_BY_EVENT ------------------------------- */
int	outcome_run_add(struct outcomes *, unsigned table, uint64_t key,
	    uint64_t seq, unsigned bits, struct why *);
int	outcome_runs_write(struct outcomes *, struct why *);
void	outcome_runs_forget(struct outcomes *);
/* Sequences of that key behind "after", with one of the bits (0: any), in
 * their order; with the writer's transaction also those not yet written. */
int	outcome_run_find(struct outcomes *, struct db_txn *, unsigned table,
	    uint64_t key, unsigned bits, uint64_t after, uint64_t *seqs,
	    size_t n, size_t *count, struct why *);

#endif
