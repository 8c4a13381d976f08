/*
 * forget - what the settings say is too old leaves outcomes/, beside the
 * work: one short transaction a second while there is any, and a look at
 * everything once an hour.
 */
#ifndef TOOLS_INGEST_FORGET_H
#define TOOLS_INGEST_FORGET_H

#include "tools/ingest/ingest.h"
#include "tools/ingest/loop.h"

struct forget;

int	forget_new(struct forget **, struct ingest *, struct why *);
void	forget_free(struct forget *);			/* NULL allowed */
/* As a part of the loop. */
size_t	forget_want(void *, struct pollfd *, size_t room);
int	forget_ready(void *, const struct pollfd *, size_t n, struct why *);

#endif
