/*
 * running - finding the gate.
 *
 * The lock is asked for last, and only when everything else fits: then it is
 * held, the question is answered "no" at once, and no gate that is just
 * starting can be disturbed by it.  A pidfd names the process for as long as
 * it is open, whatever happens to the number.
 */
#include "tools/running.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/pidfd.h>
#include <unistd.h>

/* is_milter - by the name that the kernel has for it */
static bool
is_milter(pid_t pid)
{
	char path[64], name[32] = "";
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%ld/comm", (long)pid);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return false;
	n = read(fd, name, sizeof(name) - 1);
	close(fd);
	return n > 0 && strncmp(name, "penstock-milter", 15) == 0;
}

/* running_owner - somebody holds the store's lock */
bool
running_owner(const struct config *config, const char *store)
{
	char *path = xasprintf("%s/%s/owner.lock", config->store, store);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	bool held = false;

	free(path);
	if (fd == -1)
		return false;
	held = flock(fd, LOCK_SH | LOCK_NB) == -1 && errno == EWOULDBLOCK;
	close(fd);
	return held;
}

/* running_open - a hand on the process */
int
running_open(const struct config *config, const struct status *status)
{
	int fd;

	if (status->pid <= 0 || status->pid > INT32_MAX ||
	    (fd = pidfd_open((pid_t)status->pid, 0)) == -1)
		return -1;
	if (is_milter((pid_t)status->pid) && running_owner(config, "gate"))
		return fd;
	close(fd);
	return -1;
}

/* running_status - the gate's own word */
int
running_status(struct store *store, struct arena *arena, struct status *status)
{
	struct why why;
	int got = store_status(store, status, arena, &why);

	if (got == 1)
		return TOOL_OK;
	return tool_fail(TOOL_BROKEN, "%s", got == 0 ? "the store has no "
	    "status record yet: the gate never ran to its end of start" :
	    why.text);
}

/* running_json - what both commands tell to scripts */
void
running_json(const struct status *status, struct buf *out)
{
	buf_printf(out, "\"generation\":%llu,\"result\":\"%s\","
	    "\"policy_hash\":\"", (unsigned long long)status->generation,
	    status_result_names[status->result]);
	for (size_t i = 0; i < sizeof(status->policy_hash); i++)
		buf_printf(out, "%02x", status->policy_hash[i]);
	buf_str(out, "\",\"text\":");
	buf_json(out, status->text);
}
