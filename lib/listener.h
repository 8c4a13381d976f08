/*
 * listener - the listening socket that somebody connects to.
 *
 * "unix:/path" (also "local:", or the path alone), "inet:port@host",
 * "inet6:port@host".  A unix socket is 0660 from its birth: bound under a
 * umask and another name, given to its group, listening, then renamed, so
 * that whoever finds it can use it.
 * Threads: before any other, since the umask is the process's.
 */
#ifndef LIB_LISTENER_H
#define LIB_LISTENER_H

#include "lib/user.h"

struct listener {
	int	 fd;
	int	 spare;		/* a second hand on it, for the drain */
	char	 path[108];	/* "" for inet */
};

/* where: one of the forms above; group: who may connect to a unix socket, ""
 * keeps the own group. Makes the folder (0750) when it is missing. -1 also when
 * somebody else answers there already. */
int	listener_open(const char *where, const char *group,
	    const struct user *, struct listener *, struct why *);
/* From here on nobody is accepted; who connects waits in the backlog. */
int	listener_quiet(struct listener *, struct why *);
/* Removes the path, too, if it may. */
void	listener_close(struct listener *);

#endif
