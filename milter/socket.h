/*
 * socket - the listening socket that Postfix connects to.
 *
 * "unix:/path" (also "local:", or the path alone), "inet:port@host",
 * "inet6:port@host".  A unix socket is 0660 from its birth: bound under a
 * umask and another name, given to its group, listening, then renamed, so
 * that whoever finds it can use it.
 * Threads: before any other, since the umask is the process's.
 */
#ifndef MILTER_SOCKET_H
#define MILTER_SOCKET_H

#include "lib/config.h"
#include "milter/user.h"

struct listener {
	int	 fd;
	int	 spare;		/* a second hand on it, for the drain */
	char	 path[108];	/* "" for inet */
};

/* Makes the folder (0750) when it is missing. -1 also when somebody else
 * answers there already. */
int	listener_open(const struct config *, const struct user *,
	    struct listener *, struct why *);
/* From here on nobody is accepted; who connects waits in the backlog. */
int	listener_quiet(struct listener *, struct why *);
/* Removes the path, too, if it may. */
void	listener_close(struct listener *);

#endif
