/*
 * desk - what operators decided, in an order that nobody changes afterwards.
 *
 * One record is one decision and one line of the audit log.  Sequences are
 * dense from 1; each record is chained to the one before it, so that a
 * changed, removed or reordered one shows (desk.c has the bytes).  Whoever has
 * to act on a record follows the desk by sequence, applies it, and keeps the
 * last sequence and chain in its own store.  What is in force is never stored
 * here: it is the records, read in order (policy/orders.h).
 * Written by `penstock`, by any operator of the group, one at a time.
 * Threads: a desk for reading is for any, one for writing for one.
 */
#ifndef LIB_DESK_H
#define LIB_DESK_H

#include <stdbool.h>
#include <stdint.h>
#include "lib/buf.h"
#include "lib/db.h"
#include "lib/hash.h"
#include "lib/mem.h"

#define DESK_PATIENCE	(5 * INT64_C(1000000))	/* us a writer waits */
#define DESK_TEXT	500	/* bytes of a reason, most */
#define DESK_NAME	"desk"	/* stands for a file: "desk:12" is a rule */

struct desk;

/* On disk as numbers: new ones at the end, a row in desk_kinds for each. */
enum desk_kind { DESK_PAUSE = 1, DESK_RESUME, DESK_GRANT, DESK_RESET,
	DESK_SUPPRESS_ADD, DESK_SUPPRESS_REMOVE, DESK_ACK, DESK_APPROVE,
	DESK_IMPORT, DESK_CLOCK_ACCEPT, DESK_BREAKER_LIFT,
	DESK_BACKOFF_LIFT, DESK_HOLD_RELEASE, DESK_HOLD_DROP,
	DESK_WARMUP_RESUME, DESK_ANEW, DESK_ADVICE_APPLY,
	DESK_ADVICE_DISMISS, DESK_SNAPSHOT_REQUEST, DESK_KINDS };

struct desk_kind_row {
	const char	*name;		/* in JSON and for eyes: "pause" */
	unsigned	 needs;		/* DESK_NEEDS_*: else it is refused */
};
enum { DESK_NEEDS_REASON = 1, DESK_NEEDS_TENANT = 2, DESK_NEEDS_LIMIT = 4,
	DESK_NEEDS_SUBJECT = 8, DESK_NEEDS_OBJECT = 16, DESK_NEEDS_UNTIL = 32 };
extern const struct desk_kind_row desk_kinds[DESK_KINDS];
/* Its name; "unknown" for one that a newer Penstock wrote. */
const char *desk_kind_name(unsigned kind);

struct desk_record {
	uint64_t	 seq;		/* desk_put gives it */
	int64_t		 time;		/* us, wall clock; desk_put when 0 */
	unsigned	 kind;		/* enum desk_kind, or a newer one */
	struct slice	 tenant;
	struct slice	 stream, provider;	/* absent or empty: all */
	struct slice	 limit;		/* name */
	uint8_t		 limit_kind;	/* enum limit_kind */
	int64_t		 amount;
	int64_t		 until;		/* us; 0: until it is taken back */
	struct slice	 object;	/* of kinds to come: pool, alert, file */
	struct slice	 subject;	/* a person's address; may be erased */
	struct slice	 reason;	/* one line, printable */
	uint32_t	 uid;		/* desk_who fills these three */
	struct slice	 user, sudo;
	struct slice	 before, after;	/* the state, for people */
};

struct desk_row {
	struct desk_record record;
	uint8_t		 chain[HASH_SHA256];	/* as stored */
	struct slice	 body;			/* what it covers */
	bool		 erased;		/* the subject is gone */
};

/* --- tables: an environment of kind "desk" -------------------------------- */
/* T_RECORDS is ours; "suppressions" is for lib/suppress.c, "snapshots" for
 * reputation/snapshot.h.  A reader may meet an older desk without the last. */
enum desk_table { DESK_T_RECORDS, DESK_T_SUPPRESSIONS, DESK_T_SNAPSHOTS };

/* dir: .../desk.  Waits DESK_PATIENCE for another operator. Action. */
int	 desk_open(struct desk **, const char *dir, uint64_t map_size,
	    struct why *);
/* Fetch: 0 when there is none yet. */
int	 desk_open_read(struct desk **, const char *dir, struct why *);
void	 desk_close(struct desk *);			/* NULL allowed */
struct db *desk_db(struct desk *);

/* --- writing -------------------------------------------------------------- */
/* The real user, and who called sudo (believed of root only). Arena: names. */
void	 desk_who(struct desk_record *, struct arena *);
/* A reason must be one line of printable text, 1 to DESK_TEXT bytes. */
int	 desk_reason(struct slice, struct why *);
/* One record in a transaction of its own; on disk when it returns 0. */
int	 desk_append(struct desk *, const struct desk_record *, uint64_t *seq,
	    struct why *);
/*
 * A desk that was lost, or put back from an older copy, goes on behind a record
 * that it lacks, of that number and chain: the first one is of kind DESK_ANEW,
 * whose amount is the last record that there is and whose object is the chain
 * it follows, in hex.  Refused when the desk reaches as far.
 */
int	 desk_anew(struct desk *, const struct desk_record *, uint64_t after,
	    const uint8_t chain[HASH_SHA256], uint64_t *seq, struct why *);
/* What an ANEW record follows; false: it tells no such thing. */
bool	 desk_anew_after(const struct desk_record *,
	    uint8_t chain[HASH_SHA256]);
/* Or step by step, with other rows in the same transaction. After a -1 of
 * desk_put or of a row's: desk_abort. */
int	 desk_begin(struct desk *, struct db_txn **, struct why *);
int	 desk_put(struct desk *, const struct desk_record *, uint64_t *seq,
	    struct why *);
int	 desk_commit(struct desk *, struct why *);
void	 desk_abort(struct desk *);

/* --- reading: each call has its own read transaction ---------------------- */
/* The end of the chain; zeros in an empty desk. */
int	 desk_last(struct desk *, uint64_t *seq, uint8_t chain[HASH_SHA256],
	    struct why *);
/* Up to n rows from that sequence on, copied into the arena. A row that cannot
 * be read, or is missing, is an error that names it; those in front of an ANEW
 * record are not there. */
int	 desk_read(struct desk *, uint64_t from, size_t n, struct arena *,
	    struct desk_row *, size_t *got, struct why *);
/* Is the row what was written behind one whose chain is that? Its body, its
 * subject, its number. Zeros stand in front of the first. */
bool	 desk_follows(const struct desk_row *, uint64_t seq,
	    const uint8_t before[HASH_SHA256]);
/* Every page of it, in a child process: a damaged file may kill that. Before
 * it is opened. */
int	 desk_verify(const char *dir, struct why *);
/* -1: data.mdb at that path is gone, or is another file now. */
int	 desk_same(struct desk *, struct why *);

/* --- one record as bytes -------------------------------------------------- */
/* salt: of the subject, 16 random bytes; NULL: none is kept in the clear. */
void	 desk_encode(const struct desk_record *, const uint8_t *salt,
	    const uint8_t before[HASH_SHA256], struct buf *);
/* Texts borrow the bytes. */
int	 desk_decode(struct slice, struct desk_row *, struct why *);
/* One JSON object, no newline. */
void	 desk_json(const struct desk_row *, struct buf *);

#endif
