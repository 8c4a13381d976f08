/*
 * decision - what the commands share by which an operator decides something:
 * who and why, onto the desk, and wait until the gate has it in force.
 *
 * The order of a command: decision_begin, options one by one, the record
 * filled in, decision_make, decision_end.
 */
#ifndef TOOLS_DECISION_H
#define TOOLS_DECISION_H

#include "lib/desk.h"
#include "tools/live.h"

struct decision {
	const struct tool *tool;
	bool		 json;
	struct live	 live;		/* policy NULL: it has mistakes */
	const char	*reason, *until, *stream, *provider;
	struct desk_record record;	/* decision_make adds who and why */
	uint64_t	 seq;		/* given to it */
};

/* One option with its value, if it is one of ours: 1 taken, 0 it is not.
 * --reason, --until, --stream, --provider; --json has none: see argc. */
int	decision_option(struct decision *, int argc, char **argv, int *at);
/*
 * Loads the policy and what is in force.  needs_policy: TOOL_NO when it has
 * mistakes; otherwise a word on stderr, and names are not checked.
 */
int	decision_begin(struct decision *, unsigned live_flags,
	    bool needs_policy);
/* The tenant of that name; *t NULL and TOOL_OK when there is no policy to ask.
 * TOOL_NO with the nearest name when there is none. */
int	decision_tenant(struct decision *, const char *name,
	    const struct tenant **t);
/* --until as a moment in the future, in the tenant's zone (t may be NULL). */
int	decision_until(struct decision *, const struct tenant *t);
/* Records it and waits for the gate; prints what came of it. said: what it
 * means, for eyes: "tenant acme is paused". */
int	decision_make(struct decision *, const char *said);
/* Records it, for decisions that change nothing at the gate: nobody waits, and
 * who called says what was recorded.  TOOL_OK, or says why not. */
int	decision_record(struct decision *);
void	decision_end(struct decision *);

/* The nearest of some names, for "did you mean"; NULL: none is near. */
const char *decision_nearest(struct arena *, const struct slice *names,
	    size_t n, struct slice word);
/* "2026-11-25 09:30 Europe/Madrid" in the tenant's zone; in the arena. */
const char *decision_time(struct decision *, const struct tenant *t,
	    int64_t us);

#endif
