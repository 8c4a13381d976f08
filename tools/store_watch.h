/*
 * store_watch - what penstock store says of watch/: how far it has counted,
 * whether its cells can be read, and all of them as JSON lines.
 */
#ifndef TOOLS_STORE_WATCH_H
#define TOOLS_STORE_WATCH_H

#include <stdio.h>

#include "lib/buf.h"
#include "lib/why.h"

/* dir: of the store.  The last event and outcome that are counted. Action. */
int	store_watch_places(const char *dir, uint64_t at[2], struct why *);
/* Every page, then every cell; says into the buffer how many. Action. */
int	store_watch_verify(const char *dir, struct buf *said, struct why *);
/* Each with "record": "store", "hour", "day" or "category". Action. */
int	store_watch_dump(const char *dir, FILE *, struct why *);

#endif
