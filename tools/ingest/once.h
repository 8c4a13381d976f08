/*
 * once - a log from its first line to its last, while somebody waits.
 *
 * For the daemon's --once and for `penstock ingest`.  Becomes the ingester's
 * user when started as root.  The progress bar goes to a terminal on stderr.
 */
#ifndef TOOLS_INGEST_ONCE_H
#define TOOLS_INGEST_ONCE_H

#include <stdbool.h>

#include "lib/config.h"

/* path "-": standard input. The exit status: 0, or 3 with a word on stderr. */
int	ingest_once(const struct config *, const char *path, bool json);
/* The folder of the store, made for that user; then there is no way back to
 * root. Action. */
struct why;
int	ingest_become(const struct config *, struct why *);

#endif
