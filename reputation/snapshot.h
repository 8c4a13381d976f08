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
	struct slice	subject_type;	/* "domain", "address" */
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

/* Of both stores (either may be NULL), by provider, subject, metric, begin; of
 * two with the same four the one that was taken later.  false stops. */
int	snapshots_each(struct db *watch, struct db *desk, int32_t from,
	    int32_t until, bool (*)(void *, const struct snapshot *), void *,
	    struct why *);

#endif
