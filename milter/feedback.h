/*
 * feedback - the gate's view of what happened to mail, and of what people
 * said: outcomes/, consent/ and desk/, which others write.
 *
 * A store that does not exist yet says nothing.  One that was seen once and is
 * gone defers the mail of all tenants (451), since an empty list would mail
 * everybody who unsubscribed; which ones were seen is kept in the status.
 * Threads: feedback_new and _free from main; the answers from any.
 */
#ifndef MILTER_FEEDBACK_H
#define MILTER_FEEDBACK_H

#include "milter/session.h"

struct feedback_view;

/* With the gate's own store open. Sets gate->happened and
 * ledger_finals. Action. */
int	 feedback_new(struct feedback_view **, struct gate *, struct why *);
void	 feedback_free(struct feedback_view *);	/* NULL allowed */
/* Stores seen so far, for writer_seen; with: the feedback. */
unsigned feedback_seen(void *with);

#endif
