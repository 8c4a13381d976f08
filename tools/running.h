/*
 * running - is there a gate on this store, and what does it say of itself?
 *
 * Shared by `penstock status` and `penstock reload`.  A process counts when
 * its pid is the one of the status record, it is a penstock-milter, and the
 * store's owner lock is held; a pid alone may be anybody's by now.
 */
#ifndef TOOLS_RUNNING_H
#define TOOLS_RUNNING_H

#include "lib/mem.h"
#include "lib/store.h"
#include "tools/tool.h"

/* Does a program own that store ("gate", "release") now? Never takes its
 * lock. */
bool	running_owner(const struct config *, const char *store);
/* A pidfd of the gate, -1: it does not run. Never takes its lock. */
int	running_open(const struct config *, const struct status *);
/* The status record; prints why and returns TOOL_BROKEN when there is none. */
int	running_status(struct store *, struct arena *, struct status *);
/* Members of a JSON object about the last load, without braces. */
void	running_json(const struct status *, struct buf *);

#endif
