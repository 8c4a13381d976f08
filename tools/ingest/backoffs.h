/*
 * backoffs - a part of penstock-ingest's loop: what a person lifted of
 * back-off begins anew.
 *
 * Counting is part of reading the log (reputation/outcome_backoff.c), and rows
 * of long ago are pruned like others (reputation/prune.c).
 * Threads: one.
 */
#ifndef TOOLS_INGEST_BACKOFFS_H
#define TOOLS_INGEST_BACKOFFS_H

#include <poll.h>

#include "tools/ingest/ingest.h"

struct backoff_part;

/* Fails without memory only. */
int	backoff_part_new(struct backoff_part **, struct ingest *, struct why *);
void	backoff_part_free(struct backoff_part *);	/* NULL allowed */
/* As struct loop_part has it. */
size_t	backoff_part_want(void *, struct pollfd *, size_t room);
int	backoff_part_ready(void *, const struct pollfd *, size_t n,
	    struct why *);

#endif
