/*
 * listener - bind, publish, quiet.
 *
 * Not left to libmilter: it binds with whatever umask there is, cannot set a
 * group, removes what lies at the path without asking whether somebody
 * answers there, and its only way to stop listening is to stop.  It gets the
 * descriptor ("fd:N") instead.  To stop accepting, a pipe nobody writes to is
 * put over that descriptor: libmilter polls it in vain, sessions go on.
 *
 * The group is set through a descriptor of the very socket that was bound, not
 * through its name: the folder may belong to a user with less rights.
 */
#include "lib/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/log.h"

/* unix_address - of a path that fits */
static int
unix_address(const char *path, struct sockaddr_un *sun, struct why *why)
{
	*sun = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(sun->sun_path))
		return why_set(why, "socket path of more than %zu bytes: %s",
		    sizeof(sun->sun_path) - 1, path);
	memcpy(sun->sun_path, path, strlen(path));
	return 0;
}

/* nobody_there - may the name be taken? */
static int
nobody_there(const struct sockaddr_un *sun, struct why *why)
{
	struct stat st;
	int fd, rc = 0;

	if (lstat(sun->sun_path, &st) == -1)
		return errno == ENOENT ? 0 :
		    why_errno(why, "%s", sun->sun_path);
	if (!S_ISSOCK(st.st_mode))
		return why_set(why, "%s is there and is no socket",
		    sun->sun_path);
	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, 0)) == -1)
		return why_errno(why, "socket");
	/* A full backlog (EAGAIN) is somebody, too. */
	if (connect(fd, (const struct sockaddr *)sun, sizeof(*sun)) == 0 ||
	    errno == EAGAIN)
		rc = why_kind(why, WHY_BUSY, "another program answers on %s",
		    sun->sun_path);
	close(fd);
	return rc;
}

/* give - owner and group of a socket that was just bound under that name; a
 * set-gid folder has given it the group already, and then nothing is asked */
static int
give(const char *path, uid_t uid, gid_t gid, struct why *why)
{
	int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC), rc = -1;
	struct stat st;

	if (fd == -1 || fstat(fd, &st) == -1)
		why_errno(why, "%s", path);
	else if (!S_ISSOCK(st.st_mode))
		why_set(why, "%s was replaced", path);
	else if ((st.st_uid != uid || st.st_gid != gid) &&
	    fchownat(fd, "", uid, gid, AT_EMPTY_PATH) == -1)
		why_errno(why, "cannot give %s to group %u (a member of it, "
		    "or root, can)", path, (unsigned)gid);
	else
		rc = 0;
	if (fd != -1)
		close(fd);
	return rc;
}

/* unix_folder - where the socket will lie */
static int
unix_folder(const char *path, const struct user *user, gid_t gid,
    struct why *why)
{
	const char *slash = strrchr(path, '/');
	char dir[sizeof(((struct sockaddr_un *)0)->sun_path)];

	if (slash == NULL || slash == path)
		return 0;
	memcpy(dir, path, (size_t)(slash - path));
	dir[slash - path] = '\0';
	return user_folder(user, dir, 0750, gid, why);
}

/* unix_open - bound aside, listening, renamed into place */
static int
unix_open(const char *path, const char *group, const struct user *user,
    struct listener *l, struct why *why)
{
	struct sockaddr_un sun, aside;
	char name[sizeof(sun.sun_path) + 16];
	gid_t gid = user->gid;
	mode_t old;
	int rc;

	if (group[0] != '\0' && !user_group(group, &gid))
		log_warn("there is no group \"%s\": the socket keeps its own",
		    group);
	snprintf(name, sizeof(name), "%s.%ld", path, (long)getpid());
	if (unix_address(path, &sun, why) == -1 ||
	    unix_address(name, &aside, why) == -1 ||
	    unix_folder(path, user, gid, why) == -1 ||
	    nobody_there(&sun, why) == -1)
		return -1;
	(void)unlink(name);
	if ((l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1)
		return why_errno(why, "socket");
	old = umask(0117);
	rc = bind(l->fd, (struct sockaddr *)&aside, sizeof(aside));
	umask(old);
	if (rc == -1)
		return why_errno(why, "cannot bind %s", name);
	if (give(name, user->uid, gid, why) == -1)
		goto fail;
	if (listen(l->fd, SOMAXCONN) == -1 || rename(name, path) == -1) {
		why_errno(why, "cannot listen on %s", path);
		goto fail;
	}
	memcpy(l->path, path, strlen(path) + 1);
	return 0;
fail:
	(void)unlink(name);
	return -1;
}

/* inet_open - "port@host" or "port" */
static int
inet_open(const char *what, int family, struct listener *l, struct why *why)
{
	struct addrinfo hints = { .ai_family = family, .ai_socktype =
		SOCK_STREAM, .ai_flags = AI_PASSIVE };
	struct addrinfo *found = NULL;
	const char *at = strchr(what, '@');
	char port[32];
	int rc, on = 1;

	snprintf(port, sizeof(port), "%.*s",
	    (int)(at != NULL ? at - what : (ptrdiff_t)strlen(what)), what);
	rc = getaddrinfo(at != NULL ? at + 1 : NULL, port, &hints, &found);
	if (rc != 0)
		return why_set(why, "socket %s: %s", what, gai_strerror(rc));
	rc = -1;
	if ((l->fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC,
	    0)) == -1 || setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &on,
	    sizeof(on)) == -1 || bind(l->fd, found->ai_addr,
	    found->ai_addrlen) == -1 || listen(l->fd, SOMAXCONN) == -1)
		why_errno(why, "cannot listen on %s", what);
	else
		rc = 0;
	freeaddrinfo(found);
	return rc;
}

/* open_by_kind - as the configuration's word says */
static int
open_by_kind(const char *s, const char *group, const struct user *user,
    struct listener *l, struct why *why)
{
	if (strncmp(s, "inet:", 5) == 0)
		return inet_open(s + 5, AF_INET, l, why);
	if (strncmp(s, "inet6:", 6) == 0)
		return inet_open(s + 6, AF_INET6, l, why);
	if (strncmp(s, "unix:", 5) == 0)
		return unix_open(s + 5, group, user, l, why);
	if (strncmp(s, "local:", 6) == 0)
		return unix_open(s + 6, group, user, l, why);
	if (s[0] == '/')
		return unix_open(s, group, user, l, why);
	return why_set(why, "socket \"%s\" is neither unix:/path nor "
	    "inet:port@host", s);
}

/* listener_open - whoever is meant may come */
int
listener_open(const char *where, const char *group, const struct user *user,
    struct listener *l, struct why *why)
{
	*l = (struct listener){ .fd = -1, .spare = -1, .path = "" };
	if (open_by_kind(where, group, user, l, why) == -1)
		goto fail;
	l->spare = fcntl(l->fd, F_DUPFD_CLOEXEC, 0);
	if (l->spare == -1) {
		why_errno(why, "dup");
		goto fail;
	}
	return 0;
fail:
	listener_close(l);
	return -1;
}

/* listener_quiet - a pipe that never speaks takes the descriptor's place */
int
listener_quiet(struct listener *l, struct why *why)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) == -1)
		return why_errno(why, "pipe");
	/* The writing end stays open: closed, the pipe would be readable. */
	if (dup2(ends[0], l->fd) == -1)
		return why_errno(why, "dup2");
	close(ends[0]);
	return 0;
}

/* listener_close - the last hand off; the name goes when it may */
void
listener_close(struct listener *l)
{
	if (l->path[0] != '\0')
		(void)unlink(l->path);
	if (l->spare != -1)
		close(l->spare);
	if (l->fd != -1)
		close(l->fd);
	*l = (struct listener){ .fd = -1, .spare = -1, .path = "" };
}
