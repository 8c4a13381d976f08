/*
 * store_outcomes - the part of penstock store stat about outcomes/.
 */
#ifndef TOOLS_STORE_OUTCOMES_H
#define TOOLS_STORE_OUTCOMES_H

#include "tools/tool.h"

/* Appends lines, or a member of the JSON object.  Action. */
int	store_outcomes(const struct config *, bool json, struct buf *,
	    struct why *);

#endif
