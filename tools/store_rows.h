/*
 * store_rows - is a store well: every page, and every row that something here
 * can read?
 */
#ifndef TOOLS_STORE_ROWS_H
#define TOOLS_STORE_ROWS_H

#include <stdbool.h>
#include "lib/buf.h"
#include "lib/why.h"

/*
 * Names of the stores below `store` in the order in which they are copied:
 * who knows another one's numbers goes before it, so that no copy is behind
 * what a copy of another store has seen.  NULL-ended.
 */
extern const char *const store_names[];

/* Is there one of that name below root? */
bool	store_there(const char *root, const char *name);
/* Says into the buffer what there is.  -1: damaged (WHY_BROKEN), or it cannot
 * be read.  Nothing of it may be open: a child process looks first. */
int	store_rows(const char *root, const char *name, struct buf *said,
	    struct why *);

#endif
