/*
 * reload - have the gate read its policy, and wait for what came of it.
 *
 * A signal to the gate, then its status record until the generation grows.
 * A reload that somebody else began a moment before answers for ours as well;
 * ours follows it all the same.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/mem.h"
#include "tools/running.h"
#include "tools/tool.h"

#define PATIENCE	(30 * CLOCK_SECOND)

static const char usage[] = "penstock reload [--json]";

/* wait_for - until the generation is another one */
static int
wait_for(struct store *store, struct arena *arena, int gate,
    struct status *status)
{
	int64_t deadline = clock_mono() + PATIENCE;
	struct timespec pause = { .tv_nsec = 20000000 };
	uint64_t before = status->generation;
	int64_t pid = status->pid;
	int rc;

	for (;;) {
		nanosleep(&pause, NULL);
		arena_reset(arena);
		rc = running_status(store, arena, status);
		if (rc != TOOL_OK)
			return rc;
		if (status->generation != before && status->pid == pid)
			return TOOL_OK;
		if (pidfd_send_signal(gate, 0, NULL, 0) == -1 &&
		    errno == ESRCH)
			return tool_fail(TOOL_BROKEN, "the gate ended while "
			    "it was reading");
		if (clock_mono() > deadline)
			return tool_fail(TOOL_BROKEN, "no answer within "
			    "%lld s; penstock status tells how the gate is",
			    (long long)(PATIENCE / CLOCK_SECOND));
	}
}

/* ask - signal and wait */
static int
ask(const struct config *config, struct store *store, struct arena *arena,
    struct status *status)
{
	int gate, rc;

	if ((rc = running_status(store, arena, status)) != TOOL_OK)
		return rc;
	if ((gate = running_open(config, status)) == -1)
		return tool_fail(TOOL_BROKEN, "no gate runs on %s",
		    config->store);
	if (pidfd_send_signal(gate, SIGUSR1, NULL, 0) == -1)
		rc = tool_fail(TOOL_BROKEN, "cannot signal the gate (pid "
		    "%lld): %s", (long long)status->pid, strerror(errno));
	else
		rc = wait_for(store, arena, gate, status);
	close(gate);
	return rc;
}

/* print - one voice or the other */
static void
print(const struct status *status, bool json)
{
	struct buf b = BUF_INIT;

	if (json) {
		buf_char(&b, '{');
		running_json(status, &b);
		buf_str(&b, "}\n");
	} else {
		buf_printf(&b, "%s, generation %llu\n",
		    status_result_names[status->result],
		    (unsigned long long)status->generation);
		buf_slices(&b, status->text);
	}
	if (!buf_failed(&b))
		fwrite(b.data, 1, b.len, stdout);
	buf_free(&b);
}

/* tool_reload - 0 all taken, 1 something was refused, 3 no gate */
int
tool_reload(const struct tool *tool, int argc, char **argv)
{
	struct config *config = NULL;
	struct arena *arena = NULL;
	struct store *store = NULL;
	struct status status;
	bool json = argc == 1 && strcmp(argv[0], "--json") == 0;
	int rc;

	if (tool_asks_help(argc, argv))
		return tool_help(usage);
	if (argc > 0 && !json)
		return tool_usage(usage);
	if ((rc = tool_config(tool, &config)) != TOOL_OK ||
	    (rc = tool_store(config, &store)) != TOOL_OK)
		goto out;
	if ((arena = arena_new(4096, 0)) == NULL) {
		rc = tool_fail(TOOL_BROKEN, "out of memory");
		goto out;
	}
	if ((rc = ask(config, store, arena, &status)) != TOOL_OK)
		goto out;
	print(&status, json);
	rc = status.result == STATUS_OK ? TOOL_OK : TOOL_NO;
out:
	store_close(store);
	arena_free(arena);
	config_free(config);
	return rc;
}
