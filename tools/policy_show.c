/*
 * policy_show - penstock policy show: the policy as it stands, each value with
 * the line it comes from.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "tools/policy.h"
#include "tools/show.h"
#include "tools/tool.h"

#define USAGE	"penstock policy show [--tenant NAME [--stream NAME]] " \
		"[--json]"

static const char help[] = "usage: " USAGE "\n\n"
"Shows the policy as it stands, each value with the file and line it comes\n"
"from; \"default\" is written nowhere. Of keys the path is shown alone.\n\n"
"  --tenant NAME   all that holds for one tenant, stream by stream; also a\n"
"                  domain of which auto_tenant makes one\n"
"  --stream NAME   of its streams only this one\n"
"  --json          one JSON array\n\n"
"Exit status: 0 shown, 1 the policy has mistakes or no such tenant.\n";

/* show_address - of a pool, and what is its own */
static void
show_address(struct show *s, const struct pool_address *a)
{
	show_block(s, "address", a->address, a->at);
	show_text(s, "helo", a->helo, a->helo_at);
	show_text(s, "transport", a->transport, a->transport_at);
	for (size_t i = 0; i < a->nlimits; i++)
		show_limit(s, a->limits[i], NULL);
	show_end(s);
}

/* show_shares - of the warmup of its addresses */
static void
show_shares(struct show *s, const struct pool *pool)
{
	if (pool->nshares == 0)
		return;
	show_block(s, "share", SLICE_NONE, pool->shares[0].at);
	for (size_t i = 0; i < pool->nshares; i++)
		show_number(s, arena_copy(s->arena, pool->shares[i].to_text).p,
		    pool->shares[i].percent, pool->shares[i].at);
	show_end(s);
}

/* show_pools - addresses and their transports */
static void
show_pools(struct show *s)
{
	const struct policy *p = s->policy;

	for (size_t i = 0; i < p->npools; i++) {
		const struct pool *pool = p->pools[i];

		show_block(s, "pool", pool->name, pool->at);
		show_value(s, "timezone", zone_name(pool->zone),
		    pool->zone_at);
		show_value(s, "select", select_names[pool->select],
		    pool->select_at);
		show_value(s, "fair", fair_names[pool->fair], pool->fair_at);
		show_value(s, "other_path", other_path_names[pool->other_path],
		    pool->other_path_at);
		show_text(s, "overflow", pool->overflow != NULL ?
		    pool->overflow->name : SLICE_NONE, pool->overflow_at);
		for (size_t j = 0; j < pool->nlimits; j++)
			show_limit(s, pool->limits[j], NULL);
		show_shares(s, pool);
		for (size_t j = 0; j < pool->naddresses; j++)
			show_address(s, &pool->addresses[j]);
		show_end(s);
	}
}

/* show_groups - with the limits that their tenants share */
static void
show_groups(struct show *s)
{
	const struct policy *p = s->policy;

	for (size_t i = 0; i < p->ngroups; i++) {
		const struct group *g = p->groups[i];

		show_block(s, "group", g->name, g->at);
		show_text(s, "contact", g->contact, g->contact_at);
		show_value(s, "paused", g->paused, g->paused_at);
		for (size_t j = 0; j < g->nlimits; j++)
			show_limit(s, &g->limits[j], NULL);
		show_end(s);
	}
}

/* show_claims - who may name a tenant in a header, and tenants that appear */
static void
show_claims(struct show *s)
{
	const struct policy *p = s->policy;

	for (size_t i = 0; i < p->nclaimers; i++) {
		const struct claimer *c = p->claimers[i];

		show_block(s, "claim", c->header, c->at);
		show_set(s, "tenants", c->tenants, c->ntenants, c->at);
		show_end(s);
	}
	if (p->automatic == NULL)
		return;
	show_block(s, "auto_tenant", SLICE_NONE, p->automatic->at);
	show_text(s, "class", p->automatic->class, p->automatic->class_at);
	show_text(s, "group", p->automatic->group != NULL ?
	    p->automatic->group->name : SLICE_NONE, p->automatic->group_at);
	show_text(s, "bounce_domain", p->automatic->bounce_domain,
	    p->automatic->bounce_domain_at);
	show_set(s, "except", p->except, p->nexcept, p->automatic->at);
	show_end(s);
}

/* show_main - settings of the main file, pools and groups */
static void
show_main(struct show *s)
{
	const struct policy *p = s->policy;

	show_value(s, "timezone", zone_name(p->zone), p->zone_at);
	show_value(s, "unknown_sender", p->unknown_sender == UNKNOWN_DEFER ?
	    "defer" : "refuse", p->unknown_sender_at);
	show_value(s, "shadow", show_shadow(s, p->shadow), p->shadow_at);
	show_number(s, "inflight", p->inflight, p->inflight_at);
	show_value(s, "trusted", p->trusted ? "from-domain" : NULL,
	    p->trusted_at);
	show_set(s, "submission", p->submission, p->nsubmission,
	    p->submission_at);
	show_set(s, "local_transports", p->local_transports,
	    p->nlocal_transports, p->local_transports_at);
	for (size_t i = 0; i < p->nidentities; i++)
		show_identity(s, &p->identities[i]);
	show_claims(s);
	show_pools(s);
	show_groups(s);
}

/* state - the one word about a tenant that matters most */
static const char *
state(const struct tenant *t)
{
	unsigned shadow = 0;
	bool bad = false, paused = false;

	for (size_t i = 0; i < t->nstreams; i++) {
		const struct stream *s = t->streams[i];

		shadow |= s->shadow;
		paused = paused || s->paused != NULL;
		for (size_t j = 0; j < s->nidentities; j++)
			bad = bad || s->identities[j].trouble != NULL;
	}
	return t->form != FORM_CURRENT ? form_names[t->form] :
	    t->paused != NULL || (t->group != NULL &&
	    t->group->paused != NULL) ? "paused" :
	    bad ? "key trouble" : paused ? "stream paused" :
	    shadow != 0 ? "shadow" : "-";
}

/* overview - the tenants, one line each */
static void
overview(const struct show *s, bool color)
{
	static const char *const headings[] = { "TENANT", "CLASS", "GROUP",
	    "STREAMS", "LIMITS", "DOMAINS", "KEYS", "STATE", "FROM", NULL };
	const struct policy *p = s->policy;
	struct table *table = table_new(headings, "<<<>>>><<");

	for (size_t i = 0; i < p->ntenants; i++) {
		const struct tenant *t = p->tenants[i];
		const struct stream *d = policy_default(t);

		table_cell(table, "%.*s", SLICE_ARG(t->name));
		table_cell(table, "%s", t->class.n > 0 ? t->class.p : "-");
		table_cell(table, "%s", t->group != NULL ? t->group->name.p :
		    "-");
		table_cell(table, "%zu", t->nstreams);
		table_cell(table, "%zu", d->nlimits);
		table_cell(table, "%zu", t->ndomains);
		table_cell(table, "%zu", d->nidentities);
		table_cell(table, "%s", state(t));
		table_cell(table, "%s", policy_rule(p, t->at, s->arena).p);
	}
	putchar('\n');
	table_print(table, stdout, color);
	table_free(table);
}

struct ask {
	const char	*tenant, *stream;	/* or NULL */
	bool		 json;
};

/* find - the tenant and the stream that were asked for */
static int
find(const struct show *s, const struct ask *ask, const struct tenant **t,
    const struct stream **stream)
{
	int got = 1;

	if (ask->tenant == NULL)
		return TOOL_OK;
	if ((*t = policy_tenant(s->policy, slice_of(ask->tenant))) == NULL)
		got = policy_auto_domain(s->policy, slice_of(ask->tenant),
		    s->arena, t);
	if (got == -1)
		return tool_fail(TOOL_BROKEN, "out of memory");
	if (got == 0)
		return tool_fail(TOOL_NO, "there is no tenant \"%s\"; "
		    "penstock policy show lists them", ask->tenant);
	if (ask->stream != NULL && (*stream = policy_stream(*t,
	    slice_of(ask->stream))) == NULL)
		return tool_fail(TOOL_NO, "tenant %s has no stream \"%s\"; "
		    "without --stream all are shown", ask->tenant,
		    ask->stream);
	return TOOL_OK;
}

/* show - the whole, or one tenant */
static int
show(const struct tool *tool, const struct policy *p, const struct ask *ask)
{
	struct show s = { .policy = p, .arena = arena_new(1 << 16, 0) };
	const struct tenant *t = NULL;
	const struct stream *stream = NULL;
	int status;

	if (s.arena == NULL)
		return tool_fail(TOOL_BROKEN, "out of memory");
	if ((status = find(&s, ask, &t, &stream)) != TOOL_OK)
		goto out;
	if (t != NULL)
		show_tenant(&s, t, stream);
	else
		show_main(&s);
	for (size_t i = 0; t == NULL && ask->json && i < p->ntenants; i++)
		show_tenant(&s, p->tenants[i], NULL);
	if (ask->json)
		show_json(&s);
	else
		show_print(&s, tool->color);
	if (t == NULL && !ask->json)
		overview(&s, tool->color);
out:
	free(s.lines);
	arena_free(s.arena);
	return status;
}

/* tool_policy_show - load as the gate would, and print */
int
tool_policy_show(const struct tool *tool, int argc, char **argv)
{
	struct config *config = NULL;
	struct policy *policy = NULL;
	struct arena *arena = NULL;
	struct problems problems;
	struct ask ask = { .json = false };
	int status;

	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0) {
			ask.json = true;
		} else if (strcmp(argv[i], "--tenant") == 0 && i + 1 < argc) {
			ask.tenant = argv[++i];
		} else if (strcmp(argv[i], "--stream") == 0 && i + 1 < argc) {
			ask.stream = argv[++i];
		} else if (strcmp(argv[i], "--help") == 0) {
			fputs(help, stdout);
			return TOOL_OK;
		} else {
			return tool_usage(USAGE);
		}
	}
	if (ask.stream != NULL && ask.tenant == NULL)
		return tool_usage(USAGE);
	if ((status = tool_config(tool, &config)) != TOOL_OK)
		return status;
	if ((arena = arena_new(1 << 16, 0)) == NULL) {
		config_free(config);
		return tool_fail(TOOL_BROKEN, "out of memory");
	}
	problems_init(&problems, arena);
	if (tool_policy_load(config->policy, config->keys, NULL, &problems,
	    &policy) == 1)
		status = show(tool, policy, &ask);
	else
		status = TOOL_NO;
	if (problems.errors > 0) {
		tool_problems(stderr, &problems);
		status = TOOL_NO;
	}
	policy_drop(policy);
	arena_free(arena);
	config_free(config);
	return status;
}
