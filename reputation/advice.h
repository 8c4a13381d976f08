/*
 * advice - what a score recommends; a person applies it, or not.
 *
 * Made with the scores of a week, one row per (subject, what); watch/ has
 * them.  What became of one is the desk's: DESK_ADVICE_APPLY or _DISMISS with
 * the id as object and a reason.  Nothing is done by itself.   Threads: any.
 */
#ifndef REPUTATION_ADVICE_H
#define REPUTATION_ADVICE_H

#include "lib/mem.h"
#include "reputation/makeup.h"
#include "reputation/score.h"

/* On disk as numbers. */
enum advice_what { ADVICE_WARMUP_HOLD, ADVICE_THROTTLE, ADVICE_REASSIGN,
	ADVICE_REVIEW, ADVICE_KINDS };
extern const char *const advice_names[];	/* "hold warmup", ... */

#define ADVICE_ID	10	/* letters of an id, without the NUL */

struct advice {
	char		id[ADVICE_ID + 1];	/* of hash(week, subject, what) */
	int32_t		day;			/* of the score */
	enum subject_kind kind;
	struct slice	name;
	enum advice_what what;
	struct slice	object;		/* provider, or tenants to review */
	struct slice	text;		/* a sentence, with the figures */
};

/* Fills the id from day, kind, name and what. */
void	advice_id(struct advice *);
/* What a score of this week advises; sums and makeup are of its two weeks,
 * texts live in the arena, names are the score's.  Action. */
int	advice_make(const struct scored *, struct sums *, struct makeup *,
	    struct arena *, struct advice out[ADVICE_KINDS], size_t *n,
	    struct why *);
int	advice_put(struct db_txn *, const struct advice *, struct why *);
/* Of weeks in [from, until), newest first; false stops. */
int	advice_each(struct db *watch, int32_t from, int32_t until,
	    bool (*)(void *, const struct advice *), void *, struct why *);

#endif
