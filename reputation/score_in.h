/*
 * score_in - rows of scores, for score_store.c and score_run.c alone.
 */
#ifndef REPUTATION_SCORE_IN_H
#define REPUTATION_SCORE_IN_H

#include "reputation/score.h"

#define SCORE_NAME	400	/* bytes of a name that has scores */
#define SCORE_MEMORY	63	/* days that a tier outlives its mail */

struct score_key {
	uint8_t		bytes[1 + SCORE_NAME + 1 + 4];
	size_t		n;
};
bool	score_key(enum subject_kind, struct slice name, int32_t day,
	    struct score_key *);

int	scores_put_knots(struct db_txn *, const struct knots *, struct why *);
int	scores_put_last(struct db_txn *, int32_t day, struct why *);
/* Fills before and calm of the input; fetch. */
int	scores_before(struct db_txn *, enum subject_kind, struct slice name,
	    int32_t day, struct score_input *, struct why *);
int	scores_has(struct db_txn *, enum subject_kind, struct slice name,
	    int32_t day, struct why *);			/* fetch */

#endif
