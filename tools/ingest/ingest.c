/*
 * ingest - opening and closing what the parts of penstock-ingest share.
 */
#include "tools/ingest/ingest.h"

#include <stdlib.h>

#include "lib/clock.h"
#include "lib/fold.h"
#include "lib/log.h"
#include "lib/provider.h"

#define ASK	(2 * CLOCK_SECOND)

/* say - mistakes of a file of rules */
static void
say(struct problems *problems, const char *path)
{
	problems_sort(problems);
	for (const struct problem *p = problems->first; p != NULL; p = p->next)
		log_line(p->warning ? LOG_LEVEL_WARN : LOG_LEVEL_ERROR,
		    "%s:%u:%u: %s", p->at.file != NULL ? p->at.file : path,
		    p->at.line, p->at.col, p->text);
}

/* rules - the classifier that holds on this machine. Fetch: 0 mistakes. */
static int
rules(const struct config *config, struct classifier **out, struct why *why)
{
	struct arena *arena = arena_new(4096, 0);
	struct problems problems;
	int got;

	*out = NULL;
	if (arena == NULL)
		return why_kind(why, WHY_MEMORY, "no memory for rules");
	problems_init(&problems, arena);
	got = classifier_installed(out, config->bounces, &problems, why);
	if (got == 0)
		say(&problems, config->bounces != NULL ? config->bounces :
		    CLASSIFY_DEFAULT);
	arena_free(arena);
	return got;
}

/* backoffs - the same of back-off */
static int
backoffs(const struct config *config, struct backoffs **out, struct why *why)
{
	struct arena *arena = arena_new(4096, 0);
	struct problems problems;
	int got;

	*out = NULL;
	if (arena == NULL)
		return why_kind(why, WHY_MEMORY, "no memory for rules");
	problems_init(&problems, arena);
	got = backoffs_installed(out, config->backoff, &problems, why);
	if (got == 0)
		say(&problems, config->backoff != NULL ? config->backoff :
		    BACKOFF_DEFAULT);
	arena_free(arena);
	return got;
}

/* open_rules - both, or what is compiled in */
static int
open_rules(struct ingest *in, struct why *why)
{
	int got = rules(in->config, &in->classifier, why);

	if (got == 0) {
		log_warn("going on with the rules for bounces that are "
		    "compiled in");
		got = classifier_builtin(&in->classifier, why);
	}
	if (got == -1 || (got = backoffs(in->config, &in->backoffs, why)) !=
	    0)
		return got == -1 ? -1 : 0;
	log_warn("going on with the rules of back-off that are compiled in");
	return backoffs_builtin(&in->backoffs, why);
}

/* names - of instances and next hops, for the joiner */
static int
names(struct ingest *in, struct why *why)
{
	const struct config *c = in->config;
	size_t pairs = c->ingest.nnames / 2;
	struct join_instance *list = arena_array(c->arena, pairs + 1,
	    sizeof(*list));
	struct slice *relays = arena_array(c->arena, c->ingest.nrelays + 1,
	    sizeof(*relays));
	const struct zone *zone = NULL;

	if (list == NULL || relays == NULL)
		return why_kind(why, WHY_MEMORY, "no memory for settings");
	for (size_t i = 0; i < pairs; i++) {
		list[i].syslog_name = slice_of(c->ingest.names[2 * i]);
		list[i].instance = slice_of(c->ingest.names[2 * i + 1]);
	}
	for (size_t i = 0; i < c->ingest.nrelays; i++)
		relays[i] = slice_of(c->ingest.relays[i]);
	in->rules.instance = slice_of(c->milter.instance);
	in->rules.instances = list;
	in->rules.ninstances = pairs;
	in->rules.relays = relays;
	in->rules.nrelays = c->ingest.nrelays;
	if (c->ingest.zone[0] != '\0' &&
	    zone_find(c->ingest.zone, &zone, why) == -1)
		return -1;
	in->clock.zone = zone;
	return 0;
}

/* ingest_open - as the owner of the store */
int
ingest_open(struct ingest *in, const struct config *config, struct why *why)
{
	char *dir = NULL;
	int rc = -1;

	*in = (struct ingest){ .config = config };
	if (provider_init(why) == -1 || fold_init(why) == -1 ||
	    names(in, why) == -1 || open_rules(in, why) == -1)
		goto out;
	dir = xasprintf("%s/outcomes", config->store);
	if (outcomes_open(&in->outcomes, dir, (uint64_t)config->map_size,
	    why) == -1 || join_new(&in->join, in->outcomes, in->classifier,
	    &in->rules, why) == -1)
		goto out;
	join_backoffs(in->join, in->backoffs);
	rc = 0;
out:
	free(dir);
	if (rc == -1)
		ingest_close(in);
	return rc;
}

/* ingest_close - also one that was half open */
void
ingest_close(struct ingest *in)
{
	join_free(in->join);
	outcomes_close(in->outcomes);
	store_close(in->gate);
	classifier_free(in->classifier);
	backoffs_free(in->backoffs);
	*in = (struct ingest){ .config = in->config };
}

/* reload_backoffs - others for what comes */
static void
reload_backoffs(struct ingest *in)
{
	struct backoffs *fresh;
	struct why why;
	size_t n;

	switch (backoffs(in->config, &fresh, &why)) {
	case 1:
		join_backoffs(in->join, fresh);
		backoffs_free(in->backoffs);
		in->backoffs = fresh;
		(void)backoffs_rules(fresh, &n);
		log_info("rules of back-off read again: %zu", n);
		return;
	case 0:
		log_error("rules of back-off: the old ones stay");
		return;
	default:
		log_error("rules of back-off: %s; the old ones stay",
		    why.text);
	}
}

/* reload_bounces - the same */
static void
reload_bounces(struct ingest *in)
{
	struct classifier *fresh;
	struct why why;

	switch (rules(in->config, &fresh, &why)) {
	case 1:
		join_reclassify(in->join, fresh);
		classifier_free(in->classifier);
		in->classifier = fresh;
		log_info("rules for bounces read again: %zu",
		    classifier_rules(fresh));
		return;
	case 0:
		log_error("rules for bounces: the old ones stay");
		return;
	default:
		log_error("rules for bounces: %s; the old ones stay",
		    why.text);
	}
}

/* ingest_reload - other rules for what comes */
void
ingest_reload(struct ingest *in)
{
	reload_bounces(in);
	reload_backoffs(in);
}

/* ingest_gate - the gate's store, once it is there */
int
ingest_gate(struct ingest *in, struct why *why)
{
	int64_t now = clock_mono();
	char *dir;
	int got;

	if (in->gate != NULL || (in->gate_asked != 0 &&
	    now - in->gate_asked < ASK))
		return 0;
	in->gate_asked = now;
	dir = xasprintf("%s/gate", in->config->store);
	got = store_open_read(&in->gate, dir, why);
	free(dir);
	return got == -1 ? -1 : 0;
}
