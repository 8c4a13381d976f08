/*
 * store_outcomes - what penstock store stat says of outcomes/ beside its size.
 */
#ifndef TOOLS_STORE_OUTCOMES_H
#define TOOLS_STORE_OUTCOMES_H

#include "lib/db.h"
#include "lib/why.h"

/* dir: of the store, whose tables are those.  pruned: rows that are gone, per
 * table; oldest: us, of the first record, 0: there is none.  Action. */
int	store_outcomes(const char *dir, const struct db_about *,
	    uint64_t pruned[DB_TABLES_MAX], int64_t *oldest, struct why *);

#endif
