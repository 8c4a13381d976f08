/*
 * outcome - what became of the mail: the outcomes/ store, one record per
 * recipient and state, and what is counted with it.
 *
 * Written by penstock-ingest alone, read by everybody.  Its tables stand byte
 * by byte at the head of outcome.c, a record at the head of outcome_code.c.
 *
 * One transaction (outcomes_begin ... outcomes_commit) holds the outcomes, the
 * totals they change and the cursor of the log they came from, so that a
 * crash leaves all of them or none.  outcomes_add remembers per message and
 * recipient which states were seen: what is read twice is recorded once,
 * whether it comes from the log, from a DSN, or from both.
 *
 * It needs no policy and asks no question of the gate: callers bring what
 * they know.   Threads: writing calls "writer only", reading calls any.
 */
#ifndef REPUTATION_OUTCOME_H
#define REPUTATION_OUTCOME_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/db.h"
#include "lib/event.h"
#include "lib/happenings.h"
#include "lib/mem.h"
#include "lib/suppress.h"

/*
 * Recorded once per message and recipient, DEFERRED once per UTC day as well.
 * BOUNCED and EXPIRED exclude each other; DELIVERED may be followed by a
 * bounce that came later by mail.
 */
enum outcome_kind { OUTCOME_DELIVERED, OUTCOME_DEFERRED, OUTCOME_BOUNCED,
	OUTCOME_EXPIRED, OUTCOME_COMPLAINT, OUTCOME_NOT_SPAM,
	OUTCOME_OPT_OUT, OUTCOME_DELETED /* from the queue, by hand */ };
extern const char *const outcome_kind_names[];		/* NULL-ended */
enum outcome_source { OUTCOME_LOG, OUTCOME_DSN, OUTCOME_ARF };
extern const char *const outcome_source_names[];	/* NULL-ended */

#define OUTCOME_REPLY	1024	/* bytes of a remote text that are kept */
#define OUTCOME_TEXT	320	/* of any other text */

struct outcome {
	uint64_t	 seq;		/* given by outcomes_add, from 1 */
	int64_t		 time;		/* us UTC: of the line, of the report */
	enum outcome_kind kind;
	enum outcome_source source;
	uint64_t	 event;		/* the gate's sequence; 0: no event */
	int64_t		 delay;		/* us in our queue; -1: not known */
	uint8_t		 folded[16];	/* hash of the folded address, as in
					   lib/suppress.h; zeros: unknown */
	struct slice	 instance, queue_id;	/* as in the event */
	struct slice	 tenant, group, stream, campaign, pool;
	struct slice	 address;	/* ours, that it left from */
	struct slice	 recipient;	/* as the gate saw it, or the log */
	struct slice	 domain, provider;
	struct slice	 code;		/* "5.1.1" */
	struct slice	 reply;		/* remote text, cut at OUTCOME_REPLY */
	struct slice	 category, action, rule;	/* the classifier's */
	struct slice	 relay;		/* "mx.example[192.0.2.1]:25" */
};

struct outcomes;
extern const char *const outcomes_tables[];		/* NULL-ended */

/* dir: .../outcomes */
int	outcomes_open(struct outcomes **, const char *dir, uint64_t map_size,
	    struct why *);					/* owner */
int	outcomes_open_read(struct outcomes **, const char *dir,
	    struct why *);					/* fetch */
void	outcomes_close(struct outcomes *);
struct db *outcomes_db(struct outcomes *);

/* --- writer only: one transaction at a time ------------------------------ */
int	outcomes_begin(struct outcomes *, struct why *);
/*
 * Fetch: 1 recorded (seq is given), 0 was there already, -1 failed.  An
 * outcome with an event is one of the message (instance, queue_id, event):
 * give all three as they stand in the event.  One without an event and
 * without a queue id cannot be recognised again and is recorded each time.
 */
int	outcomes_add(struct outcomes *, struct outcome *, struct why *);
/* A call that failed makes the commit fail, whoever overlooked it. */
int	outcomes_commit(struct outcomes *, struct why *);
void	outcomes_abort(struct outcomes *);
/* Puts since begin: at OUTCOMES_BATCH it is time to commit. */
#define OUTCOMES_BATCH	15000
size_t	outcomes_pending(const struct outcomes *);

/* The cursor of a log by name: bytes that mean something to the caller. */
int	outcomes_put_cursor(struct outcomes *, struct slice name,
	    struct slice value, struct why *);
/* What nobody understood: counted per kind ("log", "dsn", ...), and the last
 * OUTCOMES_SAMPLES of each are kept, cut at 512 bytes. */
#define OUTCOMES_SAMPLES	16
int	outcomes_strange(struct outcomes *, const char *kind, int64_t time,
	    struct slice sample, struct why *);
/* Counters of the program itself ("lines", "foreign", ...), added up. */
int	outcomes_count(struct outcomes *, const char *name, int64_t add,
	    struct why *);
/* What the program says of itself, by name. */
int	outcomes_put_note(struct outcomes *, const char *name, struct slice,
	    struct why *);
/* The reader of the log has the gate's events up to and with seq. */
int	outcomes_put_applied(struct outcomes *, uint64_t seq, struct why *);

/*
 * Tables whose rows belong to other modules, which describe them: the record
 * of suppressions is lib/suppress.h's, of DMARC reports reputation/dmarc.h's.
 */
enum outcomes_table { OUTCOMES_SUPPRESSIONS, OUTCOMES_BACKOFF,
	OUTCOMES_DMARC, OUTCOMES_QUARANTINE, OUTCOMES_BREAKERS,
	OUTCOMES_STRIKES };
int	outcomes_put(struct outcomes *, enum outcomes_table, struct slice key,
	    struct slice value, struct why *);
int	outcomes_delete(struct outcomes *, enum outcomes_table,
	    struct slice key, struct why *);		/* fetch */
/*
 * The tenant (its id) writes to that address no more, unless it expires or is
 * lifted.  outcomes_add does so by itself for what bounced for good and for
 * complaints (outcome_suppress.c).  1 new, 0 said already or no address.
 */
int	outcomes_suppress(struct outcomes *, uint64_t tenant,
	    struct slice address, enum suppress_reason, const char *source,
	    int64_t time, int64_t expires, struct slice note, struct why *);
/*
 * Back-off rows (lib/happenings.h).  What a person lifted: of a tenant or of
 * an address, to one place or (to absent) to all; what began by then is over
 * and counts anew.  Has transactions of its own.
 */
struct backoff_lift {
	bool		address;
	struct slice	whose, to;
	int64_t		time;		/* us */
};
int	outcomes_backoff_lift(struct outcomes *, const struct backoff_lift *,
	    struct why *);
/* In the writer's transaction; the value borrows until the next call. */
int	outcomes_get(struct outcomes *, enum outcomes_table, struct slice key,
	    struct slice *value, struct why *);		/* fetch */

/* --- any: each call opens and ends its own read transaction -------------- */
/* Last sequence given; 0 in an empty store. */
int	outcomes_last(struct outcomes *, uint64_t *seq, struct why *);
/* Up to n records from sequence from on, copied into the arena. */
int	outcomes_read(struct outcomes *, uint64_t from, size_t n,
	    struct arena *, struct outcome *, size_t *got, struct why *);
/* Between which sequences lie the outcomes of [since, until), and others;
 * *from > *to: nowhere. */
int	outcomes_span(struct outcomes *, int64_t since, int64_t until,
	    uint64_t *from, uint64_t *to, struct why *);
/* Sequences of the outcomes of an event, in their order; at most n. */
int	outcomes_of_event(struct outcomes *, uint64_t event, uint64_t *seqs,
	    size_t n, size_t *got, struct why *);

/* Events that name an address (of either role), the latest last; the index
 * knows addresses by a keyed hash.  At most n, those after event "after". */
enum outcome_role { ROLE_SENDER = 1, ROLE_RECIPIENT = 2 };
int	outcomes_by_address(struct outcomes *, struct slice address,
	    enum outcome_role, uint64_t after, uint64_t *events, size_t n,
	    size_t *got, struct why *);
/* Events with that Message-ID (with or without <>), likewise. */
int	outcomes_by_message_id(struct outcomes *, struct slice, uint64_t after,
	    uint64_t *events, size_t n, size_t *got, struct why *);

/*
 * Totals.  Per UTC day: (address, provider, kind), (tenant, stream, provider,
 * kind, category), and a histogram of delays per provider: bucket i counts
 * deliveries of less than 2^i seconds and not less than half of it.
 */
struct outcome_total {
	int32_t		day;		/* since 1970 */
	struct slice	address, tenant, stream, provider, kind, category;
	int		bucket;		/* delays only */
	uint64_t	count;
};
enum outcome_totals { TOTALS_ADDRESS = 'a', TOTALS_TENANT = 't',
	TOTALS_DELAY = 'd' };
/* Rows of those days in their order; the callback returns false to stop. */
int	outcomes_totals(struct outcomes *, enum outcome_totals, int32_t from,
	    int32_t to, bool (*)(void *, const struct outcome_total *), void *,
	    struct why *);
/* How many recipients became final for the counter of an open limit. */
int	outcomes_finals(struct outcomes *, const uint8_t key[16], uint64_t *,
	    struct why *);				/* fetch */

int	outcomes_cursor(struct outcomes *, struct slice name, struct arena *,
	    struct slice *value, struct why *);		/* fetch */
int	outcomes_note(struct outcomes *, const char *name, struct arena *,
	    struct slice *, struct why *);		/* fetch */
int	outcomes_counter(struct outcomes *, const char *name, uint64_t *,
	    struct why *);				/* 0 when never */
int	outcomes_applied(struct outcomes *, uint64_t *seq, struct why *);
/* Kept samples of a kind, the latest first, into texts[OUTCOMES_SAMPLES]. */
int	outcomes_samples(struct outcomes *, const char *kind, struct arena *,
	    struct slice *texts, int64_t *times, size_t *got, struct why *);
/* Rows of somebody else's table from key on; false stops. */
int	outcomes_each(struct outcomes *, enum outcomes_table, struct slice key,
	    bool (*)(void *, struct slice key, struct slice value), void *,
	    struct why *);
int	outcomes_row(struct outcomes *, enum outcomes_table, struct slice key,
	    struct arena *, struct slice *value, struct why *);	/* fetch */

/* What the relays of a recipient domain said about its provider. */
int	outcomes_learned(struct outcomes *, struct slice domain,
	    struct arena *, struct learned *, struct why *);	/* fetch */

/* --- records ------------------------------------------------------------- */
void	outcome_encode(const struct outcome *, struct buf *);
int	outcome_decode(struct slice, struct outcome *, struct why *);
/* One JSON object, no newline. */
void	outcome_json(const struct outcome *, struct buf *);

#endif
