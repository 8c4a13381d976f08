/*
 * live - see live.h.
 */
#include "tools/live.h"

#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"

/* store_open_maybe - the store, when there must or may be one */
static int
store_open_maybe(struct live *live, unsigned flags)
{
	struct why why;
	char *dir;
	int got;

	if ((flags & LIVE_FRESH) != 0)
		return TOOL_OK;
	if ((flags & LIVE_MAY_LACK) == 0)
		return tool_store(live->config, &live->store);
	dir = xasprintf("%s/gate", live->config->store);
	got = store_open_read(&live->store, dir, &why);
	if (got == 0)
		fprintf(stderr, "penstock: %s: no store yet, so nothing is "
		    "spent\n", dir);
	free(dir);
	return got == -1 ? tool_fail(TOOL_BROKEN, "%s; --fresh assumes empty "
	    "counters", why.text) : TOOL_OK;
}

/* form_get - last good text of a tenant file */
static int
form_get(void *with, struct slice path, struct arena *arena,
    struct slice *text, struct why *why)
{
	return store_form(with, path, arena, text, why);
}

/* load - the policy; errors to stderr, though a tenant's own do not stop us */
static int
load(struct live *live)
{
	struct policy_load args = { .path = live->config->policy,
	    .keys = live->config->keys };
	struct problems problems;
	struct why why;
	int got;

	if (live->store != NULL)
		args.forms = (struct policy_forms){ form_get, live->store };
	problems_init(&problems, live->arena);
	got = policy_load(&args, &live->policy, &problems, &why);
	if (got == -1)
		return tool_fail(TOOL_BROKEN, "%s", why.text);
	if (problems.errors > 0)
		tool_problems(stderr, &problems);
	return got == 1 ? TOOL_OK : TOOL_NO;
}

/* live_open - configuration, store, policy, counters */
int
live_open(const struct tool *tool, unsigned flags, struct live *live)
{
	uint64_t seq;
	int64_t last = 0;
	struct why why;
	int status;

	memset(live, 0, sizeof(*live));
	live->arena = arena_new(1 << 16, 0);
	live->ledger = ledger_new();
	if (live->arena == NULL || live->ledger == NULL)
		return tool_fail(TOOL_BROKEN, "out of memory");
	if ((status = tool_config(tool, &live->config)) != TOOL_OK ||
	    (status = store_open_maybe(live, flags)) != TOOL_OK ||
	    (status = load(live)) != TOOL_OK)
		return status;
	if (live->store != NULL && (store_last(live->store, &seq, &last,
	    &why) == -1 || ledger_restore(live->ledger, live->store, &seq,
	    &why) == -1))
		return tool_fail(TOOL_BROKEN, "%s", why.text);
	clock_start(last);
	live->now = clock_now();
	return TOOL_OK;
}

/* live_close - whatever is there of it */
void
live_close(struct live *live)
{
	ledger_free(live->ledger);
	policy_drop(live->policy);
	store_close(live->store);
	config_free(live->config);
	arena_free(live->arena);
}

/* live_slot - when one more fits */
const char *
live_slot(struct live *live, const struct zone *zone, int64_t next)
{
	char text[128];
	char *copy;

	if (next == INT64_MAX)
		return "never";
	if (next <= live->now)
		return "now";
	zone_print(zone, next + (CLOCK_MINUTE - 1), text, sizeof(text));
	copy = arena_printf(live->arena, "%s", text);
	return copy != NULL ? copy : "?";
}
