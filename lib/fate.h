/*
 * fate - what became of the mail of one warmup, minute by minute.
 *
 * penstock-ingest adds it up in outcomes/ as it learns it
 * (reputation/outcome_fate.c); the gate reads whole days of it, in whatever
 * zone (milter/warmer.c).  Whose mail it was is said by the key of the
 * warmup's counter of a day, which stands in the charges of the event.
 * Threads: any.
 */
#ifndef LIB_FATE_H
#define LIB_FATE_H

#include <stdbool.h>
#include <stdint.h>
#include "lib/slice.h"
#include "lib/why.h"

#define FATE_CHARGE	"warmup:day"	/* the name of such a charge */
#define FATE_SUBJECT	16		/* bytes of its key */
#define FATE_MINUTE	(60 * INT64_C(1000000))	/* us */

enum fate {
	FATE_DELIVERED,
	FATE_HARD,		/* bounced: no such mailbox, no such domain */
	FATE_BLOCKED,		/* bounced: the sender's reputation */
	FATE_BOUNCED,		/* bounced for another reason, or given up */
	FATE_SLOW,		/* deferred for rate or reputation */
	FATE_DEFERRED,		/* deferred for another reason */
	FATE_COMPLAINT,
	FATE_LISTED,		/* beside one of those: the reply says that the
				   provider blocks us */
	FATE_DNSBL,		/* the same: a list that all the world asks
				   has us */
	FATES
};

struct fate_row {
	int64_t		minute;		/* since 1970 */
	enum fate	fate;
	struct slice	provider, tenant;
	uint64_t	count;
};

/* A row's key in the table "days"; room for FATE_KEY bytes.  Names are cut at
 * 64 bytes and lose what cannot stand in a key. */
#define FATE_KEY	192
struct slice fate_key(const uint8_t subject[FATE_SUBJECT],
	    const struct fate_row *, char room[FATE_KEY]);
/* And back; false when it makes no sense. Slices borrow the key. */
bool	 fate_row(struct slice key, struct slice value,
	    uint8_t subject[FATE_SUBJECT], struct fate_row *);

/* A reader.  root: the folder of the stores. */
struct fates;
int	 fates_open(struct fates **, const char *root, struct why *);
						/* fetch: 0 no such store */
void	 fates_close(struct fates *);		/* NULL allowed */
/* Rows of a subject of [since, until), us, in order; false stops. One
 * transaction. */
int	 fates_each(struct fates *, const uint8_t subject[FATE_SUBJECT],
	    int64_t since, int64_t until,
	    bool (*)(void *, const struct fate_row *), void *, struct why *);
/* The last event of the gate that the ingester has read; 0: none. */
int	 fates_applied(struct fates *, uint64_t *seq, struct why *);

#endif
