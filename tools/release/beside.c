/*
 * beside - a socket, and a peer at a time.
 *
 * Two at a time would be two who decide about one queue; the second waits in
 * the backlog until the first has gone.
 */
#include "tools/release/beside.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/listener.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/service.h"
#include "lib/version.h"
#include "tools/release/agent.h"

/* who - whose socket it is; a number is for containers, which have their own
 * list of users */
static struct user
who(const char *name)
{
	struct user user = { false, 0, getegid() };
	const struct passwd *pw;
	unsigned long uid;
	char *end;

	if (name[0] == '\0')
		return user;
	errno = 0;
	uid = strtoul(name, &end, 10);
	if (isdigit((unsigned char)name[0]) && *end == '\0' && errno == 0 &&
	    uid < UINT32_MAX) {
		user.uid = (uid_t)uid;
		return user;
	}
	if ((pw = getpwnam(name)) == NULL)
		log_fatal(EX_CONFIG, "there is no user \"%s\" here; a number "
		    "will do, too", name);
	user.uid = pw->pw_uid;
	return user;
}

/* stop_fd - readable when it is time to end */
static int
stop_fd(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	if ((fd = signalfd(-1, &set, SFD_CLOEXEC)) == -1)
		log_fatal(EX_OSERR, "signalfd: %s", strerror(errno));
	return fd;
}

/* welcome - may that peer give orders? */
static bool
welcome(int fd, const struct user *user)
{
	struct ucred peer;
	socklen_t n = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) == -1)
		return false;
	if (peer.uid == 0 || peer.uid == user->uid)
		return true;
	log_warn("uid %u connected and may not", (unsigned)peer.uid);
	return false;
}

/* serve - peers, until told; exit status */
static int
serve(const struct listener *l, int stop, struct queue *queue,
    const struct user *user)
{
	struct pollfd fds[] = { { .fd = l->fd, .events = POLLIN },
		{ .fd = stop, .events = POLLIN } };
	bool stopped = false;
	struct why why;
	int fd;

	while (!stopped) {
		if (poll(fds, 2, -1) == -1)
			continue;
		if (fds[1].revents != 0)
			break;
		if ((fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC)) == -1)
			continue;
		if (!welcome(fd, user)) {
			close(fd);
			continue;
		}
		log_info("the other half of penstock-release has come");
		if (agent_serve(fd, stop, queue, &stopped, &why) == -1)
			log_warn("the other half was sent away: %s", why.text);
		else
			log_info("the other half has gone");
	}
	return 0;
}

/* beside_run - see beside.h */
int
beside_run(const char *socket, const char *name, const char *config,
    const char *commands)
{
	struct user user = who(name);
	struct queue *queue = NULL;
	struct listener l;
	struct why why;
	int status, stop = stop_fd();

	/* from another machine's penstock.conf it may come with the word */
	if (strncmp(socket, "unix:", 5) == 0)
		socket += 5;
	if (socket[0] != '/')
		log_fatal(EX_USAGE, "--agent: expected the absolute path of a "
		    "socket, found \"%s\"", socket);
	if (queue_open(&queue, config, commands, &why) == -1)
		log_fatal(EX_CONFIG, "%s", why.text);
	if (listener_open(socket, "", &user, &l, &why) == -1)
		log_fatal(EX_CANTCREAT, "%s", why.text);
	if (chmod(l.path, 0600) == -1)
		log_fatal(EX_CANTCREAT, "%s: %s", l.path, strerror(errno));
	log_info("penstock-release " PENSTOCK_VERSION " serves %s at %s",
	    queue_folder(queue), l.path);
	service_notify("READY=1");
	status = serve(&l, stop, queue, &user);
	listener_close(&l);
	queue_close(queue);
	close(stop);
	log_info("stopped");
	return status;
}
