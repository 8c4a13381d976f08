/*
 * repeat - refusals that say the same again, counted instead of written.
 *
 * Two are the same when tenant, limit, stage, kind and rule are.  The first of
 * a minute is the caller's to write, the others are counted here and come out
 * as one event, made of the first: what belonged to one message (queue id,
 * message id, recipients, size) is empty in it; login, client and sender are
 * those of the first, as an example.
 * Threads: none inside; the caller locks.
 */
#ifndef MILTER_REPEAT_H
#define MILTER_REPEAT_H

#include <stdbool.h>
#include "lib/event.h"

#define REPEAT_MAX	4096	/* different ones at a time */

struct repeats;

struct repeats *repeats_new(void);		/* NULL: no memory */
void	 repeats_free(struct repeats *);	/* NULL allowed */
/* True: counted.  False: write it yourself; it is the first of its kind, or
 * the table is full. */
bool	 repeats_count(struct repeats *, const struct event *);
bool	 repeats_empty(const struct repeats *);
/* One event for everything counted; then the table is empty. */
void	 repeats_flush(struct repeats *, void (*)(void *,
	    const struct event *), void *with);

#endif
