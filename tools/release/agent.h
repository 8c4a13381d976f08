/*
 * agent - the half that is root: it reads orders from one peer and carries
 * them out on one queue.
 *
 * It opens no store, reads no configuration but Postfix's, and does nothing
 * that is not one of the six verbs of order.h.
 * Threads: a process of its own, without any.
 */
#ifndef TOOLS_RELEASE_AGENT_H
#define TOOLS_RELEASE_AGENT_H

#include "tools/release/queue.h"

/*
 * Greets and serves one peer until it leaves (0), says what is no order, or
 * says nothing for AGENT_PATIENCE (-1).  stop: a descriptor that becomes
 * readable when it is time to end after the order under way; -1 for none.
 * *stopped tells.  Closes fd.
 */
#define AGENT_PATIENCE	(10 * 60)	/* s; the other half asks each minute */
int	agent_serve(int fd, int stop, struct queue *, bool *stopped,
	    struct why *);

#endif
