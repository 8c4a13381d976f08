/*
 * advised - all advice there is, beside what became of it at the desk.
 */
#ifndef TOOLS_ADVISED_H
#define TOOLS_ADVISED_H

#include "reputation/advice.h"
#include "tools/judged.h"

enum advised_state { ADVISED_OPEN, ADVISED_AGAIN /* in a later week */,
	ADVISED_APPLIED, ADVISED_DISMISSED };
extern const char *const advised_names[];	/* "open", ... NULL-ended */

struct advised {
	struct advice	 a;		/* texts live in the arena of judged */
	enum advised_state state;
	struct desk_record decision;	/* seq 0: none; the last one */
};

/* Of weeks from that day on, newest first. Action. */
int	advised_load(struct judged *, int32_t from, struct advised **,
	    size_t *n, struct why *);
/* One by its id, or NULL. */
const struct advised *advised_find(const struct advised *, size_t n,
	    const char *id);

#endif
