/*
 * names - see names.h.  A list may be named by its token_list(); the tenant's
 * name alone is the list 0, all of the tenant, and has no entry here.
 */
#include "tools/names.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/hash.h"
#include "lib/log.h"
#include "lib/map.h"
#include "lib/text.h"
#include "lib/token.h"

struct scope_id {			/* key of the map */
	uint64_t	id;
	uint64_t	scope;
};

struct names {
	struct arena	*arena;
	struct policy	*policy;
	struct map	*map;		/* struct scope_id -> text */
};

/* add - one name; without memory it stays unknown */
static void
add(struct names *names, enum suppress_scope scope, uint64_t id,
    const char *text)
{
	struct scope_id *key = arena_alloc(names->arena, sizeof(*key));
	void *old;

	if (key == NULL || text == NULL)
		return;
	*key = (struct scope_id){ id, scope };
	(void)map_add(names->map, (struct slice){ (char *)key, sizeof(*key) },
	    (void *)(uintptr_t)text, &old);
}

/* add_tenant - and its streams */
static void
add_tenant(struct names *names, const struct tenant *t)
{
	add(names, SUPPRESS_TENANT, t->id, arena_printf(names->arena, "%.*s",
	    SLICE_ARG(t->name)));
	for (size_t i = 0; i < t->nstreams; i++)
		add(names, SUPPRESS_LIST,
		    token_list(t->name, t->streams[i]->name),
		    arena_printf(names->arena, "%.*s/%.*s",
		    SLICE_ARG(t->name), SLICE_ARG(t->streams[i]->name)));
}

/* names_new - from the policy, without its keys */
struct names *
names_new(const struct config *config)
{
	struct policy_load load = { .path = config->policy,
	    .keys = config->keys };
	struct names *names = xcalloc(1, sizeof(*names));
	struct problems problems;
	struct why why;

	names->arena = arena_new(1 << 16, 0);
	names->map = map_new();
	if (names->arena == NULL || names->map == NULL)
		log_fatal(TOOL_BROKEN, "out of memory");
	problems_init(&problems, names->arena);
	if (policy_load(&load, &names->policy, &problems, &why) != 1) {
		fprintf(stderr, "penstock: the policy %s cannot be used, so "
		    "tenants are shown by id; penstock policy check says "
		    "why\n", config->policy);
		names->policy = NULL;
		return names;
	}
	for (size_t i = 0; i < names->policy->ntenants; i++)
		add_tenant(names, names->policy->tenants[i]);
	for (size_t i = 0; i < names->policy->ngroups; i++)
		add(names, SUPPRESS_GROUP, names->policy->groups[i]->id,
		    arena_printf(names->arena, "%.*s",
		    SLICE_ARG(names->policy->groups[i]->name)));
	return names;
}

/* names_free - and the policy with it */
void
names_free(struct names *names)
{
	if (names == NULL)
		return;
	map_free(names->map);
	policy_drop(names->policy);
	arena_free(names->arena);
	free(names);
}

/* names_policy - that the names are of */
const struct policy *
names_policy(const struct names *names)
{
	return names->policy;
}

/* names_of - for eyes and for exports */
const char *
names_of(const struct names *names, enum suppress_scope scope, uint64_t id,
    char room[24])
{
	struct scope_id key = { id, scope };
	const char *text;

	if (scope == SUPPRESS_PLATFORM)
		return "";
	text = map_get(names->map, (struct slice){ (char *)&key,
	    sizeof(key) });
	if (text != NULL)
		return text;
	snprintf(room, 24, "#%016" PRIx64, id);
	return room;
}

/* hex_id - "#0123456789abcdef" */
static bool
hex_id(struct slice text, uint64_t *id)
{
	if (text.n != 17 || text.p[0] != '#')
		return false;
	*id = 0;
	for (size_t i = 1; i < text.n; i++) {
		const char *digits = "0123456789abcdef", *at;

		if (text.p[i] == '\0' ||
		    (at = strchr(digits, text.p[i])) == NULL)
			return false;
		*id = *id << 4 | (uint64_t)(at - digits);
	}
	return true;
}

/* names_id - of a name as it stands in a policy, or an id in hex */
int
names_id(enum suppress_scope scope, struct slice text, uint64_t *id,
    struct why *why)
{
	const char *slash = text.n > 0 ? memchr(text.p, '/', text.n) : NULL;
	size_t at = slash != NULL ? (size_t)(slash - text.p) : text.n;
	struct slice tenant = { text.p, at }, stream = slice_from(text, at + 1);
	struct quoted q;

	*id = 0;
	if (scope == SUPPRESS_PLATFORM)
		return text.n == 0 ? 0 : why_set(why, "the platform has no "
		    "name, found %s", text_quote(text, &q));
	if (hex_id(text, id))
		return 0;
	if (scope != SUPPRESS_LIST) {
		if (!keyword_is_name(text))
			return why_set(why, "expected the name of a %s, found "
			    "%s", suppress_scope_names[scope],
			    text_quote(text, &q));
		*id = hash_id(suppress_scope_names[scope], text);
		return 0;
	}
	if (slash == NULL || !keyword_is_name(tenant) ||
	    !keyword_is_name(stream))
		return why_set(why, "expected TENANT/STREAM, found %s",
		    text_quote(text, &q));
	*id = token_list(tenant, stream);
	return 0;
}
