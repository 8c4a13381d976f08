/*
 * replay - penstock policy replay: the recorded events, through another policy.
 *
 * The ledger is fresh and runs on the time of the events.  It would be empty
 * where the question begins, so the replay begins earlier: at the start of the
 * longest window that the question's first moment is in, or as far back as the
 * slowest throttle needs to run dry.  What happens until then is decided and
 * spent, and not counted.  The store may not reach that far back; then the
 * oldest event is where it begins.
 */
#include "tools/replay.h"

#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/scan.h"
#include "policy/progress.h"
#include "tools/tool.h"

enum { BAR = 30 };

#define WARM_MOST	(400 * CLOCK_DAY)

static const char usage[] =
    "penstock policy replay NEWFILE [--since TIME] [--json]";

static const char help[] =
"Puts the recorded events to the policy in NEWFILE and says what would change\n"
"per tenant and limit. Nothing is written, and the gate is not asked.\n\n"
"  --since TIME   count from then; \"7d\" (the default), \"2026-11-01\"\n"
"  --json         one JSON object\n\n"
"Counters are warmed up by the events before TIME, as far back as the longest\n"
"limit needs. A retry is in the records as one more try, so what a wider\n"
"limit would let through is at most what is shown.\n\n"
"Exit status: 0 replayed, 1 NEWFILE has mistakes, 3 no store.\n";

struct asked {
	const char	*file, *since;
	bool		 json;
};

struct run {			/* all that has to be given back */
	struct config	*config;
	struct store	*store;
	struct policy	*policy;
	struct arena	*arena;		/* problems */
	struct replay	 replay;
	uint64_t	 first, last;	/* sequences to be read */
	int64_t		 drawn;		/* when the bar was */
};

/* replay_by_header - a stream of some tenant */
bool
replay_by_header(const struct policy *p)
{
	for (size_t i = 0; i < p->ntenants; i++)
		for (size_t j = 0; j < p->tenants[i]->nstreams; j++)
			if (p->tenants[i]->streams[j]->by_header)
				return true;
	return false;
}

/* warm_limit - from when on it must be fed to be true at since */
static int64_t
warm_limit(const struct limit *l, const struct zone *zone, int64_t since)
{
	struct window w;
	__int128 dry;

	if (l->kind == LIMIT_CAP) {
		zone_window(zone, l->unit, l->month_day, since, &w);
		return w.start;
	}
	if (l->kind != LIMIT_THROTTLE || l->rate <= 0)
		return since;
	dry = (__int128)l->burst * l->period / l->rate + 1;
	return since - (dry < WARM_MOST ? (int64_t)dry : WARM_MOST);
}

/* warm - the earliest of all limits */
static int64_t
warm(const struct policy *p, int64_t since)
{
	int64_t from = since, one;

	for (size_t i = 0; i < p->ntenants; i++) {
		const struct tenant *t = p->tenants[i];

		for (size_t j = 0; j < t->nstreams; j++)
			for (size_t k = 0; k < t->streams[j]->nlimits; k++) {
				const struct limit *l =
				    t->streams[j]->limits[k];

				one = warm_limit(l, limit_shared(l) ||
				    t->zone == NULL ? p->zone : t->zone,
				    since);
				if (one < from)
					from = one;
			}
	}
	return from;
}

/* draw - the bar, on a terminal, ten times a second */
static void
draw(void *with, uint64_t seq)
{
	struct run *run = with;
	uint64_t all = run->last - run->first + 1;
	int64_t now = clock_mono();
	int part = (int)((seq - run->first) * 1000 / all);

	if (now - run->drawn < CLOCK_SECOND / 10)
		return;
	run->drawn = now;
	fprintf(stderr, "\rreplay [%.*s%*s] %3d %%  event %llu",
	    part * BAR / 1000, "##############################",
	    BAR - part * BAR / 1000, "", part / 10, (unsigned long long)seq);
	fflush(stderr);
}

/* play - all of them */
static int
play(struct run *run, struct why *why)
{
	bool bar = isatty(STDERR_FILENO);
	int done = replay_pages(&run->replay, run->store, run->first,
	    run->last, bar ? draw : NULL, run, why);

	if (bar)
		fprintf(stderr, "\r%*s\r", BAR + 40, "");
	return done;
}

/* load - the new policy; one with mistakes is not asked */
static int
load(struct run *run, const char *file)
{
	struct policy_load args = { .path = file, .keys = run->config->keys,
	    .judge_keys = SIZE_MAX };
	struct problems problems;
	struct why why;

	problems_init(&problems, run->arena);
	if (policy_load(&args, &run->policy, &problems, &why) == -1)
		return tool_fail(TOOL_NO, "%s", why.text);
	if (problems.errors == 0)
		return TOOL_OK;
	tool_problems(stderr, &problems);
	return tool_fail(TOOL_NO, "%s has mistakes, so nothing was replayed",
	    file);
}

/* range - which events, and which of them count */
static int
range(struct run *run, const char *since)
{
	struct replay *r = &run->replay;
	struct why why;
	int64_t last;

	if (scan_moment(slice_of(since), run->policy->zone, clock_wall(),
	    &r->since, &why) == -1)
		return tool_fail(TOOL_USAGE, "--since: %s", why.text);
	r->from = warm(run->policy, r->since);
	if (store_last(run->store, &run->last, &last, &why) == -1 ||
	    store_seq_at(run->store, r->from, &run->first, &why) == -1)
		return tool_fail(TOOL_BROKEN, "%s", why.text);
	return TOOL_OK;
}

/* run_all - in order, each step only when the one before went well */
static int
run_all(const struct tool *tool, struct run *run, const struct asked *asked)
{
	struct replay *r = &run->replay;
	struct why why;
	int status;

	run->arena = arena_new(1 << 14, 0);
	r->arena = arena_new(1 << 16, 0);
	r->ledger = ledger_new();
	if (run->arena == NULL || r->arena == NULL || r->ledger == NULL ||
	    replay_tally_init(&r->tally) == -1)
		return tool_fail(TOOL_BROKEN, "out of memory");
	if ((status = tool_config(tool, &run->config)) != TOOL_OK ||
	    (status = load(run, asked->file)) != TOOL_OK ||
	    (status = tool_store(run->config, &run->store)) != TOOL_OK)
		return status;
	r->policy = run->policy;
	if ((status = range(run, asked->since)) != TOOL_OK)
		return status;
	if (replay_warmups(r, run->store, run->first, &why) == -1 ||
	    play(run, &why) == -1)
		return tool_fail(TOOL_BROKEN, "%s", why.text);
	replay_sort(&r->tally);
	if (asked->json)
		replay_json(r, asked->file);
	else
		replay_print(r, asked->file, tool->color);
	return TOOL_OK;
}

/* tool_policy_replay - what would another policy have said? */
int
tool_policy_replay(const struct tool *tool, int argc, char **argv)
{
	struct asked asked = { .since = "7d" };
	struct run run = { .config = NULL };
	int status;

	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			asked.json = true;
		else if (strcmp(argv[i], "--help") == 0) {
			printf("usage: %s\n\n%s", usage, help);
			return TOOL_OK;
		} else if (strcmp(argv[i], "--since") == 0 && i + 1 < argc)
			asked.since = argv[++i];
		else if (argv[i][0] == '-' || asked.file != NULL)
			return tool_usage(usage);
		else
			asked.file = argv[i];
	}
	if (asked.file == NULL)
		return tool_usage(usage);
	status = run_all(tool, &run, &asked);
	replay_tally_free(&run.replay.tally);
	progress_drop(run.replay.progress);
	ledger_free(run.replay.ledger);
	arena_free(run.replay.arena);
	arena_free(run.arena);
	policy_drop(run.policy);
	store_close(run.store);
	config_free(run.config);
	return status;
}
