/*
 * reload - the policy of the first moment and every one after it.
 *
 * The whole new policy or the old one; a broken tenant file keeps that tenant
 * as it was.  A reload runs in a thread of its own, so that a large policy
 * keeps neither signals nor the watchdog waiting; the old snapshot is dropped
 * there.  What came of it goes into the status record for `penstock reload`.
 * Threads: request from any; the others from main.
 */
#ifndef MILTER_RELOAD_H
#define MILTER_RELOAD_H

#include <stdio.h>

#include "milter/session.h"

struct reload;

struct reload *reload_new(struct gate *);	/* NULL: no memory */
/* Before the writer: loads the policy into the gate, logs its problems.
 * -1: its main part is wrong, or it cannot be read. */
int	 reload_first(struct reload *, struct why *);
/* After the writer: what was loaded is on record, generation 1. */
void	 reload_record(struct reload *);
/* Keys are parsed ahead, and requests answered, from here on. Action. */
int	 reload_start(struct reload *, struct why *);
void	 reload_request(struct reload *);
/* Waits for a reload that runs; the gate keeps its policy. NULL allowed. */
void	 reload_stop(struct reload *);

/* For -n: loads and forgets, needs no store. Lines of problems to the stream;
 * true when the policy is fit for use as it stands. */
bool	 reload_check(const struct config *, FILE *);

#endif
