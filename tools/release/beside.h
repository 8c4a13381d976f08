/*
 * beside - penstock-release --agent: the half that is root, as a program of
 * its own in the container of Postfix.
 *
 * It listens at a unix socket, mode 0600, that belongs to the user of the
 * other half, and serves one peer after another: root and that user, nobody
 * else.  No configuration but Postfix's, no store.
 */
#ifndef TOOLS_RELEASE_BESIDE_H
#define TOOLS_RELEASE_BESIDE_H

/* Until SIGTERM; the exit status. user: a name or a number, "" is root. */
int	beside_run(const char *socket, const char *user,
	    const char *config_directory, const char *command_directory);

#endif
