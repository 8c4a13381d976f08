/*
 * store_in - the tables of the gate's store, for the files that make it up.
 *
 * store.c writes and opens, store_read.c reads, store_verify.c compares,
 * store_desk.c keeps what the gate knows of the desk, held.c what is held,
 * store_warm.c how far warmups have come.
 */
#ifndef LIB_STORE_IN_H
#define LIB_STORE_IN_H

#include "lib/store.h"

enum store_table { T_META, T_EVENTS, T_MINUTES, T_QUEUE_IDS, T_COUNTERS,
	T_FORMS, T_TOKENS, T_HELD, T_WARMUPS };
extern const struct db_layout store_layout;

#define STORE_MINUTE	(60 * INT64_C(1000000))
#define STORE_COUNTER	66	/* bytes of a counter's value */
#define STORE_QUEUE_ID	64	/* longer ones are indexed by their hash */

struct store {
	struct db	*db;
	struct db_txn	*txn;		/* writer only, as all below */
	struct why	 failed;	/* the first put of txn that did */
	bool		 bad;
	uint64_t	 seq;		/* last one given, in txn */
	int64_t		 time;
	int64_t		 minute;	/* last one in the index */
	uint64_t	 kept_seq;	/* as committed, for an abort */
	int64_t		 kept_time, kept_minute;
	struct buf	 buf;
};

/* One row, in the writer's transaction; what fails makes the commit fail. */
int	store_put_row(struct store *, unsigned table, struct slice key,
	    struct slice value, struct why *);
/* The same with the value built in its buf, which may have failed. */
int	store_put_buf(struct store *, unsigned table, struct slice key,
	    struct why *);
/* Not there is fine. */
int	store_delete_row(struct store *, unsigned table, struct slice key,
	    struct why *);
/* A head of the desk as a row of meta; false when it is none. */
bool	store_get_head(struct slice key, struct slice value,
	    struct store_head *);
/* The key of a queue id in its index; out holds STORE_QUEUE_ID bytes. */
struct slice store_queue_key(struct slice queue_id,
	    uint8_t out[STORE_QUEUE_ID]);
bool	store_get_counter(struct slice key, struct slice value,
	    struct counter_row *);
/* Sequence and time at the head of an event; false when it has no head. */
int	store_get_status(struct slice value, struct status *, struct why *);
/* Last sequence and event time of a transaction. */
int	store_tail(struct db_txn *, uint64_t *seq, int64_t *time,
	    struct why *);

#endif
