/*
 * door - libmicrohttpd around answer.h: connections, deadlines, headers.
 *
 * One thread serves all connections; those that wait for the disk are
 * suspended meanwhile.  Every answer closes its connection.
 * Threads: all calls from main.
 */
#ifndef TOOLS_UNSUBSCRIBE_DOOR_H
#define TOOLS_UNSUBSCRIBE_DOOR_H

#include "lib/config.h"
#include "tools/unsubscribe/answer.h"

struct door;

/* fd: listening, the door's from now on.  certificate and key: PEM texts, both
 * NULL for plain HTTP. Action. */
int	door_start(struct door **, struct shared *, const struct config *,
	    int fd, const char *certificate, const char *key, struct why *);
/* Cuts off what did not come in time. A few times a second. */
void	door_sweep(struct door *);
/* Nobody is accepted any more; then, when nothing waits for the disk (see
 * consent_stop), door_stop. */
void	door_quiet(struct door *);
void	door_stop(struct door *);			/* NULL allowed */
/* Connections that are open. */
unsigned door_count(struct door *);

#endif
