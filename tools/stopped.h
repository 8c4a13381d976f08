/*
 * stopped - what keeps mail back beside limits: back-offs in force, and
 * breakers that tripped and that nobody lifted; as outcomes/ and the desk say.
 *
 * For `breaker list`, `backoff list` and `limits`.   Threads: one.
 */
#ifndef TOOLS_STOPPED_H
#define TOOLS_STOPPED_H

#include "lib/happenings.h"
#include "tools/live.h"

struct stopped_backoff {
	const struct backoff_row *row;
	const struct backoff_entry *entry;
	int64_t		 until;		/* its end, as far as policy bears */
	const char	*policy;	/* "enforce", "advise", "off"; of an
					   address "by tenant" */
	const struct zone *zone;
};

/*
 * All of them, or those of one tenant (p not NULL); nothing where there is no
 * such store.  The callback's texts live for the call.  Action.
 */
int	stopped_breakers(struct live *, struct slice tenant,
	    void (*)(void *, const struct trip *), void *, struct why *);
int	stopped_backoffs(struct live *, struct slice tenant,
	    void (*)(void *, const struct stopped_backoff *), void *,
	    struct why *);
/* What a tripped breaker does, as the policy of now has it. */
const char *stopped_action(const struct live *, const struct trip *);
/* "10/minute" of what slow lets through, in the arena. */
const char *stopped_pace(struct arena *, const struct backoff_entry *);
/* A name, or foreign text made fit for a terminal; "-" for none. */
void	stopped_cell(struct table *, struct slice);

#endif
