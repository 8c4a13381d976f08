/*
 * snapshot - what mailbox providers themselves say of us, at one point in time.
 *
 * Read from files a person brings (penstock snapshot import, kept in desk/) or
 * fetched by penstock-alert within its budget (kept in watch/); never on the
 * way of mail.  What is absent is a state, never a zero.
 * Importers take strangers' bytes: bounded, and each a target of tests/fuzz.
 * Threads: any.
 */
#ifndef REPUTATION_SNAPSHOT_H
#define REPUTATION_SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>
#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/db.h"
#include "lib/hash.h"
#include "lib/mem.h"
#include "lib/slice.h"
#include "lib/why.h"

#define SNAPSHOT_LABEL	"Official provider reputation snapshot " \
	"(point-in-time; confirm in provider consoles for latest status)."

/* On disk as numbers: new ones at the end. */
enum snapshot_state { SNAPSHOT_AVAILABLE, SNAPSHOT_NO_DATA,
	SNAPSHOT_NOT_AUTHORIZED, SNAPSHOT_API_ERROR, SNAPSHOT_REFUSED,
	SNAPSHOT_STALE };
extern const char *const snapshot_state_names[];	/* "AVAILABLE", ... */

struct snapshot {
	struct slice	provider;	/* "google", "microsoft", "dnsbl" */
	struct slice	subject_type;	/* "domain", "address", "range",
					   "account" */
	struct slice	subject, metric; /* "spam_rate", "filter_result" */
	struct slice	value;		/* as text; empty: none */
	struct slice	unit;		/* "share", "count", "colour", ... */
	bool		upper;		/* "< 0.1 %": not more than value */
	int32_t		begin, end;	/* days since 1970; end included */
	int64_t		taken;		/* us: date of the snapshot */
	int64_t		fetched;	/* us: when we got it */
	struct slice	source;		/* "api", "file" */
	uint8_t		raw[HASH_SHA256];	/* of what was read */
	int64_t		next;		/* us: next eligible refresh; 0 */
	enum snapshot_state state;
	struct slice	note;		/* why, in a sentence; may be empty */
};

#define SNAPSHOT_BYTES		(16u << 20)	/* of a file or an answer */
#define SNAPSHOT_ROWS		200000		/* of one import */
#define SNAPSHOT_PROVIDER	32		/* bytes, most, as below */
#define SNAPSHOT_SUBJECT	255
#define SNAPSHOT_METRIC		160
#define SNAPSHOT_TEXT		400		/* value, unit, note */

/* What a row about a whole answer has for a metric: no figure could be had. */
#define SNAPSHOT_WHOLE		"all"
/* What a row is called in sentences for eyes, where nobody is named. */
#define SNAPSHOT_ACCOUNT	"account"

/* AVAILABLE becomes STALE when it is older than that. */
#define SNAPSHOT_FRESH		(60 * CLOCK_DAY)
enum snapshot_state snapshot_state_at(const struct snapshot *, int64_t now);

/* --- importers ------------------------------------------------------------ */
struct snapshot_ask {
	struct slice	provider;	/* lower case */
	struct slice	subject;	/* absent: the answer says it */
	int32_t		begin, end;	/* days that were asked for; 0: unknown */
	const char	*const *metrics; /* that were asked for; NULL: unknown */
	int64_t		taken, fetched;	/* us */
	const char	*source;	/* "api", "file" */
	int64_t		next;		/* us; 0 */
};

struct snapshot_set;			/* copies all it keeps */
int	snapshot_set_new(struct snapshot_set **, const struct snapshot_ask *,
	    struct why *);
void	snapshot_set_free(struct snapshot_set *);	/* NULL allowed */
/*
 * A file, or a page of an answer.  Whatever it is, it becomes rows: what no
 * figure can be had of is one of a state with a note.  -1: no memory.
 */
int	snapshot_read(struct snapshot_set *, struct slice, struct why *);
/* No bytes came: a row that says why. */
int	snapshot_failed(struct snapshot_set *, enum snapshot_state,
	    struct why *, const char *, ...)
	    __attribute__((format(printf, 4, 5)));
/* All pages are in: rows in order, one for each (provider, subject, metric,
 * begin), and days that are missing as NO_DATA. */
int	snapshot_end(struct snapshot_set *, struct why *);
const struct snapshot *snapshot_rows(const struct snapshot_set *, size_t *n);
/* Rows of a CSV of our own that a person must put right; the first of them in
 * a sentence. */
size_t	snapshot_refused(const struct snapshot_set *, const char **first);
/* "nextPageToken" of the page read last; absent: it was the last one. Borrows
 * the set. */
struct slice snapshot_token(const struct snapshot_set *);

/* --- stored --------------------------------------------------------------- */
/* Into that table of the transaction, if it says something new. Fetch: 1 it
 * was put, 0 it is there, or a later one. */
int	snapshots_put(struct db_txn *, unsigned table, const struct snapshot *,
	    struct why *);
/* Is that file in, read for that provider and subject? Fetch. */
int	snapshots_known(struct db *, unsigned table,
	    const uint8_t raw[HASH_SHA256], struct slice provider,
	    struct slice subject, struct why *);
/* It is now. */
int	snapshots_mark(struct db_txn *, unsigned table,
	    const uint8_t raw[HASH_SHA256], struct slice provider,
	    struct slice subject, int64_t now, struct why *);
void	snapshot_encode(const struct snapshot *, struct buf *);
/* Texts borrow key and value. */
int	snapshot_decode(struct slice key, struct slice value,
	    struct snapshot *, struct why *);
/* Of both stores (either may be NULL), by provider, subject, metric, begin; of
 * two with the same four the one that was taken later.  false stops. */
int	snapshots_each(struct db *watch, struct db *desk, int32_t from,
	    int32_t until, bool (*)(void *, const struct snapshot *), void *,
	    struct why *);

#endif
