/*
 * live - see live.h.
 */
#include "tools/live.h"

#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "policy/progress.h"

enum { BATCH = 256 };

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

/* load - the policy; errors to stderr, though a tenant's own do not stop us */
static int
load(struct live *live)
{
	struct policy_load args = { .path = live->config->policy,
	    .keys = live->config->keys,
	    .token_keys = live->config->token.keys };
	struct problems problems;
	struct why why;
	int got;

	args.forms = policy_forms_of(live->store);
	problems_init(&problems, live->arena);
	got = policy_load(&args, &live->policy, &problems, &why);
	if (got == -1)
		return tool_fail(TOOL_BROKEN, "%s", why.text);
	if (problems.errors > 0)
		tool_problems(stderr, &problems);
	return got == 1 ? TOOL_OK : TOOL_NO;
}

/* orders_base - as the gate put them on record */
static int
orders_base(struct live *live, struct why *why)
{
	struct slice stored;
	int got = live->store == NULL ? 0 :
	    store_orders(live->store, live->arena, &stored, why);

	if (got == 1)
		return orders_decode(stored, &live->orders, why);
	if (got == 0 && (live->orders = orders_after(NULL, NULL, 0,
	    live->now)) == NULL)
		return why_set(why, "out of memory");
	return got;
}

/* orders_more - rows of the desk that follow; 1 there may be more */
static int
orders_more(struct live *live, struct desk *desk, struct why *why)
{
	struct desk_row rows[BATCH];
	uint8_t before[HASH_SHA256];
	struct orders *next;
	uint64_t seq = orders_seq(live->orders);
	size_t got, n;

	if (desk_read(desk, seq + 1, BATCH, live->arena, rows, &got,
	    why) == -1)
		return -1;
	orders_chain(live->orders, before);
	for (n = 0; n < got && desk_follows(&rows[n], ++seq, before); n++)
		memcpy(before, rows[n].chain, sizeof(before));
	if ((next = orders_after(live->orders, rows, n, live->now)) == NULL)
		return why_set(why, "out of memory");
	orders_drop(live->orders);
	live->orders = next;
	if (n < got)
		return why_set(why, "desk:%llu does not follow from the "
		    "decision before it; penstock audit --verify tells more",
		    (unsigned long long)seq);
	return n == BATCH;
}

/* orders_open - what is in force; a desk that cannot be read is only said */
static int
orders_open(struct live *live)
{
	char *dir = xasprintf("%s/desk", live->config->store);
	struct desk *desk = NULL;
	struct why why;
	int got;

	if (orders_base(live, &why) == -1) {
		free(dir);
		return tool_fail(TOOL_BROKEN, "%s", why.text);
	}
	if ((got = desk_open_read(&desk, dir, &why)) == 1)
		while ((got = orders_more(live, desk, &why)) == 1)
			;
	if (got == -1)
		fprintf(stderr, "penstock: %s\n", why.text);
	desk_close(desk);
	free(dir);
	return TOOL_OK;
}

/* suppressed - as the gate asks */
static int
suppressed(void *with, const struct mailbox *box,
    const struct suppress_who *who, struct suppress_hit *hit, struct why *why)
{
	struct live *live = with;
	struct folded folded;

	fold_mailbox(box, &folded);
	return suppress_check(live->lists, folded.hash, who, hit, why);
}

/* provider - the same */
static unsigned
provider(void *with, struct slice domain)
{
	return happenings_provider(((struct live *)with)->rest, domain);
}

/* tripped - did that breaker ever? */
static int
tripped(void *with, const uint8_t key[TRIP_KEY], struct trip *trip)
{
	struct live *f = with;

	return happenings_trip(f->rest, key, trip);
}

/* backoff - does a provider want less? */
static int
backoff(void *with, const uint8_t key[BACKOFF_KEY],
    const struct backoff_when *when, struct backoff *out)
{
	struct live *f = with;

	return happenings_backoff(f->rest, key, when, out);
}

/* lists_open - with what the gate has seen of the stores */
static int
lists_open(struct live *live)
{
	struct status status = { .seen = 0 };
	struct why why;

	if (fold_init(&why) == -1 || (live->store != NULL &&
	    store_status(live->store, &status, live->arena, &why) == -1) ||
	    suppress_open(&live->lists, live->config->store, status.seen,
	    &why) == -1 || happenings_open(&live->rest, live->config->store,
	    &why) == -1)
		return tool_fail(TOOL_BROKEN, "%s", why.text);
	live->happened.suppressed = suppressed;
	live->happened.provider = provider;
	live->happened.tripped = tripped;
	live->happened.backoff = backoff;
	live->happened.with = live;
	ledger_finals(live->ledger, happenings_finals, live->rest);
	return TOOL_OK;
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
	    &why) == -1 || ((flags & LIVE_POLICY) == 0 && ledger_restore(
	    live->ledger, live->store, &seq, &why) == -1)))
		return tool_fail(TOOL_BROKEN, "%s", why.text);
	clock_start(last);
	live->now = clock_now();
	if (live->store != NULL && (flags & LIVE_SHARES) != 0 &&
	    ledger_restore_shares(live->ledger, live->store, live->policy,
	    live->now, &why) == -1)
		return tool_fail(TOOL_BROKEN, "%s", why.text);
	if ((status = lists_open(live)) != TOOL_OK)
		return status;
	if (live->store != NULL && progress_restore(live->store,
	    &live->progress, &why) == -1)
		return tool_fail(TOOL_BROKEN, "%s", why.text);
	return orders_open(live);
}

/* live_close - whatever is there of it */
void
live_close(struct live *live)
{
	ledger_free(live->ledger);
	happenings_close(live->rest);
	suppress_close(live->lists);
	orders_drop(live->orders);
	progress_drop(live->progress);
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
	if (next == LEDGER_SOMETIME)
		return "when some arrived";
	if (next <= live->now)
		return "now";
	zone_print(zone, next + (CLOCK_MINUTE - 1), text, sizeof(text));
	copy = arena_printf(live->arena, "%s", text);
	return copy != NULL ? copy : "?";
}
