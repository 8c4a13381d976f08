/*
 * official - what a provider's own figures of a quarter say, as a tier.
 *
 * The figures of the last week that a provider told of (snapshot.h), on the
 * scale of our scores, so that the two can be compared (calibrate.h).  Who is
 * on no list of a DNSBL is not said to be well by that: it is no verdict.
 * Ownership: texts live in the arena.   Threads: any.
 */
#ifndef REPUTATION_OFFICIAL_H
#define REPUTATION_OFFICIAL_H

#include "lib/mem.h"
#include "reputation/score.h"
#include "reputation/snapshot.h"

struct official {
	struct slice	provider, subject;
	enum subject_kind kind;		/* ADDRESS or DOMAIN */
	int32_t		quarter;	/* year * 4 + 0 .. 3 */
	int32_t		day;		/* the last one of the figures */
	enum tier	tier;
	struct slice	said;		/* "spam rate 0.21 %", for people */
};

/* Rows as snapshots_each has them, in its order: by provider and subject.
 * One verdict per provider, subject and quarter.  Action. */
int	officials_make(const struct snapshot *, size_t n, struct arena *,
	    struct official **, size_t *nofficials, struct why *);
/* "2026Q1" */
const char *official_quarter(int32_t quarter, char out[16]);

#endif
