/*
 * warming - which addresses and pools have a warmup under way, for the scores
 * of a week.
 *
 * An address does whose warmup the gate has as not done, and that used it in
 * these two weeks; a pool does when mail of it left by such an address.
 * Threads: one.
 */
#ifndef TOOLS_ALERT_WARMING_H
#define TOOLS_ALERT_WARMING_H

#include "lib/store.h"
#include "reputation/sums.h"

struct warming;

/* Of the two weeks that end before that day; gate may be NULL. Action. */
int	warming_read(struct warming **, struct store *gate, struct db *watch,
	    int32_t day, struct why *);
void	warming_free(struct warming *);			/* NULL allowed */
/* As struct score_sources asks, with the warming. */
bool	warming_is(void *, enum subject_kind, struct slice name);

#endif
