/*
 * alert - what the parts of penstock-alert share: its store, and the stores
 * that it reads.
 *
 * It writes watch/ and nothing else.  gate/ and outcomes/ may come later than
 * it does, and may be replaced while it runs.
 * Threads: one.
 */
#ifndef TOOLS_ALERT_ALERT_H
#define TOOLS_ALERT_ALERT_H

#include "lib/config.h"
#include "lib/store.h"
#include "reputation/outcome.h"
#include "reputation/watch.h"

struct alert {
	const struct config *config;
	struct db	*watch;
	struct store	*gate;		/* NULL: not there (yet) */
	struct outcomes	*outcomes;	/* the same */
	int64_t		 asked;		/* mono: for those that are not */
};

/* The folder of the store, then the user, for good. Action. */
int	alert_become(const struct config *, struct why *);
/* As the owner of watch/; WHY_BUSY: another one is. */
int	alert_open(struct alert *, const struct config *, struct why *);
void	alert_close(struct alert *);
/* Opens what came by now, and anew what was replaced.  Cheap. */
int	alert_sources(struct alert *, struct why *);
/* Now, but no further than a day behind the last sign of life of the gate: a
 * clock that is years ahead must neither forget nor judge. Action. */
int	alert_now(struct alert *, int64_t *us, struct why *);

#endif
