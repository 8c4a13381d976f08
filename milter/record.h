/*
 * record - what is written down about a message: its event, its log line.
 *
 * One line per message at info, without recipients; each refused recipient
 * has an event (repeats are folded by the writer) and a line at debug.
 * Threads: one at a time per session.
 */
#ifndef MILTER_RECORD_H
#define MILTER_RECORD_H

#include "lib/held.h"
#include "milter/session.h"

/* Fills message.event, borrowing the message's memory. -1 without memory. */
int	record_accept(struct session *);
/* Behind it, of a message that is to be held: its row among the held, which
 * borrows the same. -1: it cannot be held. */
int	record_held(struct session *, struct held *, struct why *);
/* A refusal or deferral: the event, unless the mail is nobody's business;
 * rcpt.p NULL: of the whole message, which gets its log line. */
void	record_refusal(struct session *, const struct answer *,
	    struct slice rcpt);
void	record_pass(struct session *);		/* the log line */
/* Recipients were refused and no line was written: it is now. */
void	record_unsaid(struct session *);

#endif
