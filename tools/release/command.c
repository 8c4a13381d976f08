/*
 * command - fork, exec, and two pipes that are read until both are closed.
 */
#include "tools/release/command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"

enum { KEPT = 4096, NOT_FOUND = 127 };
#define PATIENCE	CLOCK_MINUTE

/* command_file - in memory: nobody else can have it open */
int
command_file(struct slice bytes, struct why *why)
{
	int fd = memfd_create("penstock-release", MFD_CLOEXEC);
	size_t at = 0;
	ssize_t n;

	while (fd != -1 && at < bytes.n) {
		if ((n = write(fd, bytes.p + at, bytes.n - at)) <= 0) {
			why_errno(why, "a file in memory");
			close(fd);
			return -1;
		}
		at += (size_t)n;
	}
	if (fd == -1 || lseek(fd, 0, SEEK_SET) == -1) {
		why_errno(why, "a file in memory");
		if (fd != -1)
			close(fd);
		return -1;
	}
	return fd;
}

/* child - becomes the program, or ends */
static void __attribute__((noreturn))
child(char *const *argv, int in, int out, int err)
{
	sigset_t none;
	int null;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	null = open("/dev/null", O_RDWR);
	if (null == -1 || dup2(in != -1 ? in : null, 0) == -1 ||
	    dup2(out, 1) == -1 || dup2(err, 2) == -1)
		_exit(NOT_FOUND);
	if (null > 2)
		close(null);
	execv(argv[0], argv);
	_exit(NOT_FOUND);
}

/* take - what is there into the buffer, or nowhere; false: it is closed */
static bool
take(int fd, struct buf *b)
{
	char room[1024];
	ssize_t n = read(fd, room, sizeof(room));

	if (n <= 0)
		return n == -1 && errno == EINTR;
	if (b->len < KEPT)
		buf_add(b, room, (size_t)n < KEPT - b->len ? (size_t)n :
		    KEPT - b->len);
	return true;
}

/* listen_to - both pipes until they close; false: its time is over */
static bool
listen_to(int out, struct buf *said, int err, struct buf *complained)
{
	int64_t until = clock_mono() + PATIENCE, left;
	struct pollfd fds[] = { { .fd = out, .events = POLLIN },
		{ .fd = err, .events = POLLIN } };

	while (fds[0].fd != -1 || fds[1].fd != -1) {
		if ((left = until - clock_mono()) <= 0)
			return false;
		if (poll(fds, 2, (int)(left / 1000) + 1) == -1)
			continue;
		if (fds[0].revents != 0 && !take(out, said))
			fds[0].fd = -1;
		if (fds[1].revents != 0 && !take(err, complained))
			fds[1].fd = -1;
	}
	return true;
}

/* end_of - what became of it */
static int
end_of(pid_t pid, const char *name, bool in_time, int *status,
    struct why *why)
{
	int got;

	if (!in_time)
		(void)kill(pid, SIGKILL);
	while (waitpid(pid, &got, 0) == -1)
		if (errno != EINTR)
			return why_errno(why, "waiting for %s", name);
	if (!in_time)
		return why_set(why, "%s did not end within a minute", name);
	*status = WIFEXITED(got) ? WEXITSTATUS(got) : 128 + WTERMSIG(got);
	if (*status == NOT_FOUND)
		return why_set(why, "cannot run %s (release { "
		    "command_directory }?)", name);
	return 0;
}

/* command_run - to its end */
int
command_run(char *const *argv, int in, struct buf *out, struct buf *err,
    int *status, struct why *why)
{
	int o[2] = { -1, -1 }, e[2] = { -1, -1 }, rc = -1;
	bool in_time;
	pid_t pid;

	if (pipe2(o, O_CLOEXEC) == -1 || pipe2(e, O_CLOEXEC) == -1) {
		why_errno(why, "a pipe");
		goto done;
	}
	if ((pid = fork()) == -1) {
		why_errno(why, "cannot start %s", argv[0]);
		goto done;
	}
	if (pid == 0)
		child(argv, in, o[1], e[1]);
	close(o[1]);
	close(e[1]);
	o[1] = e[1] = -1;
	in_time = listen_to(o[0], out != NULL ? out : err, e[0], err);
	rc = end_of(pid, argv[0], in_time, status, why);
	if (rc == 0 && (buf_failed(err) || (out != NULL && buf_failed(out))))
		rc = why_kind(why, WHY_MEMORY, "no memory for what %s said",
		    argv[0]);
done:
	for (int i = 0; i < 2; i++) {
		if (o[i] != -1)
			close(o[i]);
		if (e[i] != -1)
			close(e[i]);
	}
	return rc;
}
