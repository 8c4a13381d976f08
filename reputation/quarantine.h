/*
 * quarantine - mails that came to penstock-ingest and had no effect, with the
 * reason: the last QUARANTINE_MOST of them, each cut at QUARANTINE_BYTES.
 *
 * For people, and for making parsers better.  Nothing is read back by a
 * program.   Threads: quarantine_put writer only, others any.
 */
#ifndef REPUTATION_QUARANTINE_H
#define REPUTATION_QUARANTINE_H

#include "reputation/outcome.h"

#define QUARANTINE_MOST		1000
#define QUARANTINE_BYTES	65536

struct quarantined {
	uint64_t	id;		/* given; from 1 */
	int64_t		time;		/* us UTC, when it came */
	struct slice	kind;		/* "dsn", "arf", "rua", "auto", ... */
	struct slice	reason;		/* a sentence */
	struct slice	sender, recipient;	/* of the envelope; the first */
	uint64_t	size;		/* of the whole message */
	struct slice	message;	/* its beginning */
};

int	quarantine_put(struct outcomes *, struct quarantined *, struct why *);
/* The latest first; false stops. Slices live for one call. */
int	quarantine_each(struct outcomes *,
	    bool (*)(void *, const struct quarantined *), void *,
	    struct why *);
int	quarantine_get(struct outcomes *, uint64_t id, struct arena *,
	    struct quarantined *, struct why *);		/* fetch */

#endif
