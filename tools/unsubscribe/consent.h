/*
 * consent - the store consent/: who left which list, and came back.
 *
 * Owned by penstock-unsubscribe.  Its one table is that of lib/suppress.h, so
 * the gate sees an unsubscribe with the next message.  Wishes of many clients
 * share a commit: a thread takes all that wait, writes them, and tells each
 * when they are on disk.
 * Threads: consent_put and questions are for any; done is called by the
 * writing thread and must not wait for it.
 */
#ifndef TOOLS_UNSUBSCRIBE_CONSENT_H
#define TOOLS_UNSUBSCRIBE_CONSENT_H

#include <stdbool.h>
#include <stdint.h>
#include "lib/suppress.h"
#include "lib/token.h"

enum consent_result {
	CONSENT_WAITS,
	CONSENT_DONE,			/* on disk, now or before */
	CONSENT_LATER			/* not on disk; may be tried again */
};

struct wish {				/* the caller's until done */
	bool		 lift;		/* subscribe again */
	uint64_t	 tenant, list;
	char		 address[TOKEN_RECIPIENT_MAX];
	size_t		 naddress;
	const char	*source;	/* "one-click", "page", "mailto" */
	void		(*done)(struct wish *);
	void		*with;
	enum consent_result result;
	struct wish	*next;		/* of the queue */
};

struct consent;

extern const struct db_layout consent_layout;

/* dir: .../consent.  Opens it as its owner and starts the thread. Action. */
int	consent_open(struct consent **, const char *dir, uint64_t map_size,
	    struct why *);
/* What was put is written and told; what is put later is LATER at once. */
void	consent_stop(struct consent *);
/* Stops it, too. Nobody may be in a call. */
void	consent_close(struct consent *);		/* NULL allowed */
void	consent_wish(struct wish *, const struct token *, bool lift,
	    const char *source);
void	consent_put(struct consent *, struct wish *);
/* What the store says of that token: 1 unsubscribed since *date, 0 not,
 * -1 it cannot be read. Fetch. */
int	consent_left(struct consent *, const struct token *, int64_t *date,
	    struct why *);
/* Did the last try to write succeed?  Tried every few seconds. */
bool	consent_well(struct consent *);
/* The store cannot be trusted: the process must end. */
bool	consent_broken(struct consent *);
/* Has the thread come round within the last few seconds? */
bool	consent_beats(struct consent *);

#endif
