/*
 * desk_state - is there still the desk whose decisions the gate has in force?
 *
 * The gate obeys no other one, and what is written to another one would come
 * true for nobody; worse, a list of suppressed recipients that was lost would
 * look like an empty one.
 */
#ifndef TOOLS_DESK_STATE_H
#define TOOLS_DESK_STATE_H

#include "lib/config.h"
#include "policy/orders.h"

enum desk_state {
	DESK_STATE_FINE,	/* it goes on from there, or nobody asks yet */
	DESK_STATE_GONE,
	DESK_STATE_CUT		/* it ends before, or was written anew */
};

/* Beside what is in force (NULL: nothing is).  A desk that cannot be read is
 * fine here: who opens it says it better. */
enum desk_state desk_state(const struct config *, const struct orders *);
/* -1 unless it is fine; why tells what to do.  Action. */
int	desk_goes_on(const struct config *, const struct orders *,
	    struct why *);
/* The same beside what the gate's store has. */
int	desk_goes_on_gate(const struct config *, struct why *);

#endif
