/*
 * replay_in - what the files that ask an event again share; nobody else
 * includes it.
 */
#ifndef TOOLS_REPLAY_IN_H
#define TOOLS_REPLAY_IN_H

#include "policy/recorded.h"
#include "tools/replay.h"

struct trial {			/* of one event */
	struct replay	*r;
	const struct event *e;
	const struct event *const *refused;	/* before it, of the same
						   message */
	size_t		 nrefused;
	struct replay_attempt *attempts;
	const struct event_recipient **who;	/* NULL: the message itself */
	size_t		 n;		/* attempts */
	bool		*open;		/* still to be sent */
	bool		*in;		/* taken by the mail at hand */
	struct header_fact headers[RECORDED_HEADERS];
	size_t		 nheaders;
	struct slice	 local;		/* a transport that is */
};

/* replay_mail.c: the attempts, once; *some: of it was accepted.  -1 without
 * memory. */
int	trial_run(struct trial *, bool *some);

/* replay_kept.c: would what is not in the event still decide it? */
bool	trial_keeps(const struct event *, const struct tenant *);
/* Was attempt i turned away by a limit whose count is not in the events? */
bool	trial_unknowable(const struct trial *, const struct tenant *, size_t i);

#endif
