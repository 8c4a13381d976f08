/*
 * user - whom a program runs as.
 *
 * Started as root with a user set: it works as that user from the beginning
 * (effective ids, so that whatever it makes belongs to the user and whatever
 * it cannot read it cannot read at the next reload either), is root once more
 * for the socket, and then never again.
 * Threads: the ids are the process's; all threads change with the caller.
 */
#ifndef LIB_USER_H
#define LIB_USER_H

#include <stdbool.h>
#include <sys/types.h>

#include "lib/why.h"

struct user {
	bool	switches;	/* root now, somebody else later */
	uid_t	uid;
	gid_t	gid;
};

/* name "": stays as started, root included. Not root: stays, too. Action. */
int	user_find(const char *name, struct user *, struct why *);
/* A folder that belongs to the user, when it is missing. Action. */
int	user_folder(const struct user *, const char *path, mode_t,
	    gid_t group, struct why *);
int	user_lower(const struct user *, struct why *);	/* for a while */
int	user_raise(const struct user *, struct why *);
int	user_become(const struct user *, struct why *);	/* for good */
/* All of it, of a program that opens no socket as root: name as above, with a
 * folder dir of its own, of group penstock, below a store that exists. */
int	user_settle(const char *name, const char *store, const char *dir,
	    struct why *);

/* The group of that name, or no; "" is no. */
bool	user_group(const char *name, gid_t *);

#endif
