/*
 * ask - the half with the stores asks the half that is root.
 *
 * Over a pair of sockets that both were born with, or over a unix socket at
 * which penstock-release --agent listens beside another image's Postfix.
 * After any error the connection is closed: what became of an order then is
 * not known, and work.c finds out by looking.
 * Threads: one.
 */
#ifndef TOOLS_RELEASE_ASK_H
#define TOOLS_RELEASE_ASK_H

#include "tools/release/order.h"

struct ask;

/* path: of the socket, borrowed; or NULL, and fd is one end of a pair, which
 * it owns.  wait is called at least once a second while an answer is
 * awaited. */
int	ask_new(struct ask **, const char *path, int fd, void (*wait)(void),
	    struct why *);
void	ask_free(struct ask *);			/* NULL allowed */
/* The pair is broken, and there is no other way. */
bool	ask_lost(const struct ask *);

/* Each message in hold/. Action. */
int	ask_held(struct ask *, int (*each)(void *, struct slice id,
	    uint64_t file, struct why *), void *, struct why *);
/* An order; places, when there are answers to it, in the order of the ids.
 * said: what Postfix complained of, replaced. Action. */
int	ask_do(struct ask *, enum order_verb, const struct slice *ids,
	    size_t n, enum order_place *places, struct buf *said,
	    struct why *);

#endif
