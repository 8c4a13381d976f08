/*
 * breakers - a part of penstock-ingest's loop: follows the outcomes, counts
 * what the policy's breakers count, and writes down which of them tripped.
 *
 * The policy is loaded as the gate loads it and again when the gate says that
 * it has another one.  Counts are memory: a start makes them anew from the
 * outcomes of the last window.  What a person lifted at the desk is counted
 * anew from that moment.   Threads: one.
 */
#ifndef TOOLS_INGEST_BREAKERS_H
#define TOOLS_INGEST_BREAKERS_H

#include <poll.h>

#include "tools/ingest/ingest.h"

struct breakers;

/* Nothing is read yet. Fails without memory only. */
int	breakers_new(struct breakers **, struct ingest *, struct why *);
void	breakers_free(struct breakers *);		/* NULL allowed */
/* As struct loop_part has it. */
size_t	breakers_want(void *, struct pollfd *, size_t room);
int	breakers_ready(void *, const struct pollfd *, size_t n, struct why *);
/* All outcomes there are, at once. Action. */
int	breakers_settle(struct breakers *, struct why *);

#endif
