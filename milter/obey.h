/*
 * obey - the gate follows the desk: what operators decide holds within a
 * second.
 *
 * A thread looks several times a second.  A picture of what is in force is
 * swapped in, then the status says up to which decision.  No desk yet is fine.
 * A desk that is lost, cut, changed or cannot be read is said in the log and
 * in the status, and what was in force stays so, over a restart as well.
 * Threads: all from main; the thread is its own.
 */
#ifndef MILTER_OBEY_H
#define MILTER_OBEY_H

#include "milter/session.h"

struct obey;

/* With the store open: the orders in force of the gate's last life. Action. */
int	 obey_new(struct obey **, struct gate *, struct why *);
/* After the writer, before the socket: what was decided meanwhile. */
void	 obey_once(struct obey *);
int	 obey_start(struct obey *, struct why *);
/* Before the writer stops. The gate keeps its orders. NULL allowed. */
void	 obey_stop(struct obey *);

#endif
