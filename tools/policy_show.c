/*
 * policy_show - penstock policy show: the policy as it stands, each value with
 * the line it comes from.
 *
 * One walk over the policy fills a list of (depth, name, value, from); the two
 * voices only differ in how they print that list, so that neither can show
 * what the other hides.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "tools/policy.h"
#include "tools/tool.h"

#define USAGE	"penstock policy show [--tenant NAME] [--json]"

static const char help[] = "usage: " USAGE "\n\n"
"Shows the policy as it stands, each value with the file and line it comes\n"
"from; \"default\" is written nowhere.\n\n"
"  --tenant NAME   all that holds for one tenant\n"
"  --json          one JSON object\n\n"
"Exit status: 0 shown, 1 the policy has mistakes or no such tenant.\n";

enum kind { SHOW_VALUE, SHOW_BLOCK, SHOW_END };

struct line {
	enum kind	 kind;
	const char	*name;		/* of the setting or block */
	const char	*title;		/* BLOCK: or NULL */
	const char	*value;		/* NULL: none */
	bool		 number;	/* a bare number in JSON */
	struct place	 at;
};

struct show {
	const struct policy *policy;
	struct arena	*arena;
	struct line	*lines;
	size_t		 n, cap;
};

/* add - one line */
static void
add(struct show *s, struct line line)
{
	if (s->n == s->cap) {
		s->cap = s->cap > 0 ? s->cap * 2 : 64;
		s->lines = xrealloc(s->lines, s->cap * sizeof(*s->lines));
	}
	s->lines[s->n++] = line;
}

/* value - a setting with its text; NULL: none */
static void
value(struct show *s, const char *name, const char *text, struct place at)
{
	add(s, (struct line){ SHOW_VALUE, name, NULL, text, false, at });
}

/* text - a slice of the policy; empty: none */
static void
text(struct show *s, const char *name, struct slice t, struct place at)
{
	value(s, name, t.n > 0 ? arena_copy(s->arena, t).p : NULL, at);
}

/* number - bare in JSON */
static void
number(struct show *s, const char *name, int64_t n, struct place at)
{
	add(s, (struct line){ SHOW_VALUE, name, NULL,
	    arena_printf(s->arena, "%lld", (long long)n), true, at });
}

/* block - what follows up to end() is inside */
static void
block(struct show *s, const char *name, struct slice title, struct place at)
{
	add(s, (struct line){ SHOW_BLOCK, name, title.p != NULL ?
	    arena_copy(s->arena, title).p : NULL, NULL, false, at });
}

/* end - of the block that was begun */
static void
end(struct show *s)
{
	add(s, (struct line){ .kind = SHOW_END });
}

/* show_limit - whatever its kind has */
static void
show_limit(struct show *s, const struct limit *l)
{
	bool cap = l->kind == LIMIT_CAP;

	block(s, limit_kind_names[l->kind], l->name, l->at);
	text(s, cap ? "limit" : "rate", l->text, l->amount_at);
	if (!cap)
		number(s, "burst", l->burst, l->burst_at);
	value(s, "count", count_by_names[l->count], l->count_at);
	text(s, "to", l->to_text, l->to_at);
	value(s, "over", over_names[l->over], l->over_at);
	add(s, (struct line){ SHOW_VALUE, "jitter", NULL,
	    arena_printf(s->arena, "%g", l->jitter / 1000.0), true,
	    l->jitter_at });
	value(s, "per", limit_per(l, s->arena), (struct place){ .file = NULL });
	end(s);
}

/* show_identity - a key, and why it cannot be used */
static void
show_identity(struct show *s, const struct identity *id)
{
	block(s, "dkim", id->selector, id->at);
	text(s, "domain", id->domain, id->at);
	value(s, "key", id->key_path, id->at);
	value(s, "algorithm", key_algorithms[id->type], id->typed ? id->at :
	    (struct place){ .file = NULL });
	if (id->trouble != NULL)
		value(s, "trouble", id->trouble, id->at);
	end(s);
}

/* add_name - one login, client or domain */
static void
add_name(void *with, const char *word, struct slice t, struct place at)
{
	text(with, word, t, at);
}

/* by_place - as they stand in the file */
static int
by_place(const void *va, const void *vb)
{
	const struct line *a = va, *b = vb;

	if (a->at.line != b->at.line)
		return a->at.line < b->at.line ? -1 : 1;
	return a->at.col < b->at.col ? -1 : a->at.col > b->at.col;
}

/* show_tenant - everything that holds for it */
static void
show_tenant(struct show *s, const struct tenant *t)
{
	const struct stream *d = policy_default(t);
	size_t from;

	block(s, "tenant", t->name, t->at);
	value(s, "form", form_names[t->form], t->at);
	text(s, "class", t->class, t->class_at);
	text(s, "group", t->group != NULL ? t->group->name : SLICE_NONE,
	    t->group_at);
	text(s, "contact", t->contact, t->contact_at);
	value(s, "paused", t->paused != NULL || t->group == NULL ? t->paused :
	    t->group->paused, t->paused != NULL || t->group == NULL ?
	    t->paused_at : t->group->paused_at);
	value(s, "timezone", zone_name(t->zone), t->zone_at);
	value(s, "mode", (d->shadow & SHADOW_LIMITS) != 0 ? "shadow (limits)" :
	    "enforce", d->shadow_at);
	if (d->max_recipients > 0)
		number(s, "max_recipients", d->max_recipients,
		    d->max_recipients_at);
	else
		value(s, "max_recipients", NULL, d->max_recipients_at);
	from = s->n;
	policy_names(s->policy, t, add_name, s);
	qsort(s->lines + from, s->n - from, sizeof(*s->lines), by_place);
	for (size_t i = 0; i < d->nlimits; i++)
		show_limit(s, d->limits[i]);
	for (size_t i = 0; i < t->nidentities; i++)
		show_identity(s, &t->identities[i]);
	end(s);
}

/* join - the strings of a set */
static const char *
join(struct show *s, const struct slice *set, size_t n)
{
	const char *all = NULL;

	for (size_t i = 0; i < n; i++)
		all = arena_printf(s->arena, "%s%s%.*s", all != NULL ? all :
		    "", i > 0 ? ", " : "", SLICE_ARG(set[i]));
	return all;
}

/* show_main - settings of the main file, pools and groups */
static void
show_main(struct show *s)
{
	const struct policy *p = s->policy;

	value(s, "timezone", zone_name(p->zone), p->zone_at);
	value(s, "unknown_sender", p->unknown_sender == UNKNOWN_DEFER ?
	    "defer" : "refuse", p->unknown_sender_at);
	value(s, "mode", (p->shadow & SHADOW_LIMITS) != 0 ?
	    "shadow (limits)" : "enforce",
	    p->shadow_at);
	number(s, "inflight", p->inflight, p->inflight_at);
	value(s, "trusted", p->trusted ? "from-domain" : NULL, p->trusted_at);
	value(s, "submission", join(s, p->submission, p->nsubmission),
	    p->submission_at);
	value(s, "local_transports", join(s, p->local_transports,
	    p->nlocal_transports), p->local_transports_at);
	for (size_t i = 0; i < p->nidentities; i++)
		show_identity(s, &p->identities[i]);
	for (size_t i = 0; i < p->npools; i++) {
		block(s, "pool", p->pools[i]->name, p->pools[i]->at);
		for (size_t j = 0; j < p->pools[i]->naddresses; j++) {
			struct pool_address *a = &p->pools[i]->addresses[j];

			block(s, "address", a->address, a->at);
			text(s, "helo", a->helo, a->at);
			text(s, "transport", a->transport, a->at);
			end(s);
		}
		end(s);
	}
	for (size_t i = 0; i < p->ngroups; i++) {
		const struct group *g = p->groups[i];

		block(s, "group", g->name, g->at);
		text(s, "contact", g->contact, g->contact_at);
		value(s, "paused", g->paused, g->paused_at);
		for (size_t j = 0; j < g->nlimits; j++)
			show_limit(s, &g->limits[j]);
		end(s);
	}
}

/* from - where a line comes from, as people and JSON read it */
static const char *
from(const struct show *s, const struct line *l)
{
	return l->at.file == NULL ? "default" :
	    policy_rule(s->policy, l->at, s->arena).p;
}

/* print - aligned, one value per line */
static void
print(const struct show *s, bool color)
{
	static const char *const headings[] = { "SETTING", "VALUE", "FROM",
	    NULL };
	struct table *table = table_new(headings, "<<<");
	int depth = 0;

	for (size_t i = 0; i < s->n; i++) {
		const struct line *l = &s->lines[i];

		if (l->kind == SHOW_END) {
			depth--;
			continue;
		}
		if (l->kind == SHOW_BLOCK && l->title != NULL)
			table_cell(table, "%*s%s \"%s\"", depth * 2, "",
			    l->name, l->title);
		else
			table_cell(table, "%*s%s", depth * 2, "", l->name);
		table_cell(table, "%s", l->kind == SHOW_BLOCK ? "" :
		    l->value != NULL ? l->value : "-");
		table_cell(table, "%s", from(s, l));
		depth += l->kind == SHOW_BLOCK;
	}
	table_print(table, stdout, color);
	table_free(table);
}

/* json - the same list; blocks are objects in an array "blocks" */
static void
json(const struct show *s)
{
	struct buf out = BUF_INIT;
	bool first = true;

	buf_char(&out, '[');
	for (size_t i = 0; i < s->n; i++) {
		const struct line *l = &s->lines[i];

		if (l->kind == SHOW_END) {
			buf_str(&out, "]}");
			first = false;
			continue;
		}
		buf_str(&out, first ? "{\"name\":" : ",{\"name\":");
		buf_json(&out, slice_of(l->name));
		if (l->title != NULL) {
			buf_str(&out, ",\"title\":");
			buf_json(&out, slice_of(l->title));
		}
		if (l->kind == SHOW_VALUE) {
			buf_str(&out, ",\"value\":");
			if (l->value == NULL)
				buf_str(&out, "null");
			else if (l->number)
				buf_str(&out, l->value);
			else
				buf_json(&out, slice_of(l->value));
		}
		buf_str(&out, ",\"from\":");
		buf_json(&out, slice_of(from(s, l)));
		buf_str(&out, l->kind == SHOW_BLOCK ? ",\"inside\":[" : "}");
		first = l->kind == SHOW_BLOCK;
	}
	buf_char(&out, ']');
	printf("%.*s\n", SLICE_ARG(buf_slice(&out)));
	buf_free(&out);
}

/* overview - the tenants, one line each */
static void
overview(const struct show *s, bool color)
{
	static const char *const headings[] = { "TENANT", "FORM", "CLASS",
	    "GROUP", "LIMITS", "DOMAINS", "KEYS", "STATE", "FROM", NULL };
	const struct policy *p = s->policy;
	struct table *table = table_new(headings, "<<<<>>><<");

	for (size_t i = 0; i < p->ntenants; i++) {
		const struct tenant *t = p->tenants[i];
		size_t bad = 0;

		for (size_t j = 0; j < t->nidentities; j++)
			bad += t->identities[j].trouble != NULL;
		table_cell(table, "%.*s", SLICE_ARG(t->name));
		table_cell(table, "%s", form_names[t->form]);
		table_cell(table, "%s", t->class.n > 0 ? t->class.p : "-");
		table_cell(table, "%s", t->group != NULL ? t->group->name.p :
		    "-");
		table_cell(table, "%zu", policy_default(t)->nlimits);
		table_cell(table, "%zu", t->ndomains);
		table_cell(table, "%zu", t->nidentities);
		table_cell(table, "%s", t->paused != NULL || (t->group !=
		    NULL && t->group->paused != NULL) ? "paused" : bad > 0 ?
		    "key trouble" :
		    (policy_default(t)->shadow & SHADOW_LIMITS) != 0 ?
		    "shadow" : "-");
		table_cell(table, "%s", policy_rule(p, t->at, s->arena).p);
	}
	putchar('\n');
	table_print(table, stdout, color);
	table_free(table);
}

/* show - the whole, or one tenant */
static int
show(const struct tool *tool, const struct policy *p, const char *name,
    bool as_json)
{
	struct show s = { .policy = p, .arena = arena_new(1 << 16, 0) };
	const struct tenant *t = NULL;
	int status = TOOL_OK;

	if (s.arena == NULL)
		return tool_fail(TOOL_BROKEN, "out of memory");
	if (name != NULL && (t = policy_tenant(p, slice_of(name))) == NULL) {
		status = tool_fail(TOOL_NO, "there is no tenant \"%s\"", name);
		goto out;
	}
	if (t != NULL)
		show_tenant(&s, t);
	else
		show_main(&s);
	for (size_t i = 0; t == NULL && as_json && i < p->ntenants; i++)
		show_tenant(&s, p->tenants[i]);
	if (as_json)
		json(&s);
	else
		print(&s, tool->color);
	if (t == NULL && !as_json)
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
	const char *name = NULL;
	bool as_json = false;
	int status;

	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0) {
			as_json = true;
		} else if (strcmp(argv[i], "--tenant") == 0 && i + 1 < argc) {
			name = argv[++i];
		} else if (strcmp(argv[i], "--help") == 0) {
			fputs(help, stdout);
			return TOOL_OK;
		} else {
			return tool_usage(USAGE);
		}
	}
	if ((status = tool_config(tool, &config)) != TOOL_OK)
		return status;
	if ((arena = arena_new(1 << 16, 0)) == NULL) {
		config_free(config);
		return tool_fail(TOOL_BROKEN, "out of memory");
	}
	problems_init(&problems, arena);
	if (tool_policy_load(config->policy, config->keys, &problems,
	    &policy) == 1)
		status = show(tool, policy, name, as_json);
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
