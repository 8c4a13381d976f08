/*
 * policy_spent - what was spent of limits that a policy no longer has.
 *
 * A counter's key holds the name of its limit, so a limit of a new name starts
 * at nothing.  The rows of counters hold keys only; names are read from the
 * charges of the last events.  Said is what looks like a change of names: a
 * tenant has a limit that nobody was ever charged for in these events, and
 * something is spent of another of that kind which it does not have any more.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/map.h"
#include "tools/policy.h"
#include "tools/tool.h"

#define EVENTS_BACK	20000
#define PAGE		256
#define TOLD		20

struct spent {
	const struct policy *policy;
	struct problems	*problems;
	struct arena	*arena;		/* as long as the search */
	struct map	*rows;		/* key -> struct counter_row */
	struct map	*tenants;	/* id -> struct tenant */
	struct map	*charged;	/* "tenant kind name" */
	int64_t		 now;
	size_t		 told;
	bool		 nomem;
};

/* keep - a counter with something in it that still counts */
static bool
keep(void *with, const struct counter_row *row)
{
	struct spent *s = with;
	struct counter_row *copy;

	if (row->level <= 0 || (row->kind == LIMIT_CAP &&
	    row->window_end <= s->now))
		return true;
	if ((copy = arena_alloc(s->arena, sizeof(*copy))) == NULL) {
		s->nomem = true;
		return false;
	}
	*copy = *row;
	s->nomem = map_set(s->rows, (struct slice){ (const char *)copy->key,
	    sizeof(copy->key) }, copy) == -1;
	return !s->nomem;
}

/* charged_key - a limit of a tenant by its name */
static struct slice
charged_key(struct spent *s, uint64_t tenant, unsigned kind,
    struct slice name)
{
	const char *text = arena_printf(s->arena, "%llx %u %.*s",
	    (unsigned long long)tenant, kind, SLICE_ARG(name));

	return slice_of(text != NULL ? text : "");
}

/* has - the tenant has a limit of that kind and name */
static bool
has(const struct tenant *t, unsigned kind, struct slice name)
{
	for (size_t i = 0; i < t->nstreams; i++)
		for (size_t j = 0; j < t->streams[i]->nlimits; j++)
			if (t->streams[i]->limits[j]->kind == kind &&
			    slice_eq(t->streams[i]->limits[j]->name, name))
				return true;
	return false;
}

/* fresh - a limit of that kind which was not charged yet, or NULL */
static const struct limit *
fresh(struct spent *s, const struct tenant *t, unsigned kind)
{
	for (size_t i = 0; i < t->nstreams; i++)
		for (size_t j = 0; j < t->streams[i]->nlimits; j++) {
			const struct limit *l = t->streams[i]->limits[j];

			if (l->kind == kind && map_get(s->charged,
			    charged_key(s, t->id, kind, l->name)) == NULL)
				return l;
		}
	return NULL;
}

/* note - one charge; the first of its name is remembered */
static void
note(struct spent *s, const struct charge *c)
{
	struct charge *copy;
	struct slice key = charged_key(s, c->tenant, c->kind, c->name);
	const struct counter_row *row = map_get(s->rows, (struct slice){
	    (const char *)c->key, sizeof(c->key) });

	if (map_get(s->tenants, (struct slice){ (const char *)&c->tenant,
	    sizeof(c->tenant) }) == NULL || (row == NULL &&
	    map_get(s->charged, key) != NULL))
		return;
	if ((copy = arena_alloc(s->arena, sizeof(*copy))) == NULL) {
		s->nomem = true;
		return;
	}
	*copy = *c;
	copy->name = arena_copy(s->arena, c->name);
	/* what is spent, for eyes; a throttle's level is in millionths */
	copy->amount = row == NULL ? 0 : row->kind == LIMIT_THROTTLE ?
	    (row->level + 999999) / 1000000 : row->level;
	if (copy->name.p == NULL || map_set(s->charged, key, copy) == -1)
		s->nomem = true;
}

/* read_back - the charges of the last events */
static int
read_back(struct spent *s, struct store *store, uint64_t last,
    struct why *why)
{
	uint64_t from = last > EVENTS_BACK ? last - EVENTS_BACK : 1;
	struct arena *page = arena_new(1 << 16, 0);
	struct slice encoded[PAGE];
	size_t got = 0;

	while (page != NULL && from <= last && !s->nomem) {
		arena_reset(page);
		if (store_read(store, from, PAGE, page, encoded, &got, why) ==
		    -1 || got == 0)
			break;
		for (size_t i = 0; i < got; i++) {
			struct charge *charges = NULL;
			enum event_kind kind;
			uint64_t seq, voids;
			int64_t time;
			size_t n = 0;

			if (event_charges(encoded[i], &seq, &time, &kind,
			    &voids, &charges, &n, page, why) == -1)
				continue;	/* store verify's business */
			for (size_t j = 0; j < n; j++)
				note(s, &charges[j]);
		}
		from += got;
	}
	s->nomem = s->nomem || page == NULL;
	arena_free(page);
	return s->nomem ? -1 : 0;
}

/* tell - names that are gone beside names that are new */
static void
tell(struct spent *s)
{
	size_t at = 0;
	void *value;

	while (map_next(s->charged, &at, NULL, &value)) {
		const struct charge *c = value;
		const struct tenant *t = map_get(s->tenants, (struct slice){
		    (const char *)&c->tenant, sizeof(c->tenant) });
		const struct limit *l;

		if (c->amount == 0 || has(t, c->kind, c->name) ||
		    (l = fresh(s, t, c->kind)) == NULL || s->told++ >= TOLD)
			continue;
		problem_warn(s->problems, l->at, "%s \"%.*s\" of tenant "
		    "\"%.*s\" is new and starts at 0; \"%.*s\" is gone with "
		    "%lld spent of it", limit_kind_names[c->kind],
		    SLICE_ARG(l->name), SLICE_ARG(t->name), SLICE_ARG(c->name),
		    (long long)c->amount);
	}
	if (s->told > TOLD)
		problem_warn(s->problems, (struct place){ s->policy->path, 1,
		    1 }, "%zu more limits start at 0 where others are gone",
		    s->told - TOLD);
}

/* tenants_by_id - as charges name them */
static int
tenants_by_id(struct spent *s)
{
	for (size_t i = 0; i < s->policy->ntenants; i++) {
		struct tenant *t = s->policy->tenants[i];

		if (map_set(s->tenants, (struct slice){ (const char *)&t->id,
		    sizeof(t->id) }, t) == -1)
			return -1;
	}
	return 0;
}

/* policy_spent - beside a store, when there is one that can be read */
void
policy_spent(const char *dir, const struct policy *policy,
    struct problems *problems)
{
	struct spent s = { .policy = policy, .problems = problems,
	    .arena = arena_new(1 << 16, 0), .rows = map_new(),
	    .tenants = map_new(), .charged = map_new() };
	struct store *store = NULL;
	uint64_t last = 0, checkpoint;
	struct why why;

	if (s.arena == NULL || s.rows == NULL || s.tenants == NULL ||
	    s.charged == NULL || tenants_by_id(&s) == -1)
		goto out;
	if (store_open_read(&store, dir, &why) != 1 ||
	    store_last(store, &last, &s.now, &why) == -1 || last == 0 ||
	    store_counters(store, &checkpoint, keep, &s, &why) == -1 ||
	    s.nomem || read_back(&s, store, last, &why) == -1)
		goto out;
	tell(&s);
out:
	store_close(store);
	map_free(s.rows);
	map_free(s.tenants);
	map_free(s.charged);
	arena_free(s.arena);
}
