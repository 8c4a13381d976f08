/*
 * makeup - see makeup.h.
 *
 * One map from (kind, name) to the tenants in it, each of them a row found by
 * (kind, name, tenant); memory goes with the pairs that occur.
 */
#include "reputation/makeup.h"

#include <stdlib.h>
#include <string.h>

#include "lib/map.h"
#include "lib/mem.h"

static const enum subject_kind kinds[] = { SUBJECT_PLATFORM, SUBJECT_GROUP,
	SUBJECT_DOMAIN, SUBJECT_POOL, SUBJECT_ADDRESS };

struct whole {				/* a subject */
	struct part	*parts;
	size_t		 n, room;
};

struct home {				/* of a tenant */
	struct slice	 group, pool;
	uint64_t	 most;		/* through that pool */
};

struct makeup {
	struct arena	*arena;
	struct map	*wholes;	/* kind, name -> struct whole */
	struct map	*places;	/* kind, name, 0, tenant -> 1 + index */
	struct map	*homes;		/* tenant -> struct home */
	struct whole	**all;		/* to be freed */
	size_t		 nall, room;
	struct buf	 key;
	bool		 failed;
};

/* makeup_free - NULL is allowed */
void
makeup_free(struct makeup *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < m->nall; i++)
		free(m->all[i]->parts);
	free(m->all);
	map_free(m->wholes);
	map_free(m->places);
	map_free(m->homes);
	arena_free(m->arena);
	buf_free(&m->key);
	free(m);
}

/* key_of - of a subject, or of a tenant in it */
static struct slice
key_of(struct buf *b, enum subject_kind kind, struct slice name,
    const struct slice *tenant)
{
	buf_reset(b);
	buf_char(b, (char)('a' + (int)kind));
	buf_slices(b, name);
	if (tenant != NULL) {
		buf_char(b, '\0');
		buf_slices(b, *tenant);
	}
	return buf_slice(b);
}

/* keep - under a copy of that key; false: no memory */
static bool
keep(struct makeup *m, struct map *map, struct slice key, void *value)
{
	struct slice copy = arena_copy(m->arena, key);

	return copy.p != NULL && map_set(map, copy, value) == 0;
}

/* whole_of - a subject, made when it is new; NULL: no memory */
static struct whole *
whole_of(struct makeup *m, enum subject_kind kind, struct slice name)
{
	struct slice key = key_of(&m->key, kind, name, NULL);
	struct whole *w = map_get(m->wholes, key), **wider;

	if (w != NULL)
		return w;
	if (m->nall == m->room) {
		wider = realloc(m->all, (m->room * 2 + 64) *
		    sizeof(struct whole *));
		if (wider == NULL)
			return NULL;
		m->all = wider;
		m->room = m->room * 2 + 64;
	}
	w = arena_alloc(m->arena, sizeof(*w));
	if (w == NULL || !keep(m, m->wholes, key, w))
		return NULL;
	m->all[m->nall++] = w;
	return w;
}

/* part_of - a tenant in a subject; NULL: no memory */
static struct part *
part_of(struct makeup *m, enum subject_kind kind, struct slice name,
    struct slice tenant)
{
	struct whole *w = whole_of(m, kind, name);
	struct slice key;
	struct part *wider;
	uintptr_t at;

	if (w == NULL)
		return NULL;
	key = key_of(&m->key, kind, name, &tenant);
	at = (uintptr_t)map_get(m->places, key);
	if (at > 0)
		return &w->parts[at - 1];
	if (w->n == w->room) {
		wider = realloc(w->parts, (w->room * 2 + 4) * sizeof(*wider));
		if (wider == NULL)
			return NULL;
		w->parts = wider;
		w->room = w->room * 2 + 4;
	}
	w->parts[w->n] = (struct part){ .tenant = arena_copy(m->arena,
	    tenant) };
	if (w->parts[w->n].tenant.p == NULL || !keep(m, m->places, key,
	    (void *)(w->n + 1)))
		return NULL;
	return &w->parts[w->n++];
}

/* at_home - the group of a tenant */
static void
at_home(struct makeup *m, const struct cell *c)
{
	struct home *h = map_get(m->homes, c->tenant);

	if (h == NULL) {
		h = arena_alloc(m->arena, sizeof(*h));
		if (h == NULL || !keep(m, m->homes, c->tenant, h)) {
			m->failed = true;
			return;
		}
	}
	if (!slice_eq(h->group, c->group) && c->group.n > 0) {
		h->group = arena_copy(m->arena, c->group);
		m->failed |= h->group.p == NULL;
	}
}

/* add - a cell to whatever it is in */
static bool
add(void *with, const struct cell *c)
{
	struct makeup *m = with;
	struct slice names[] = { SLICE(""), c->group, c->domain, c->pool,
		c->address };
	struct part *p;

	if (c->tenant.n == 0)
		return true;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (i > 0 && names[i].n == 0)
			continue;
		p = part_of(m, kinds[i], names[i], c->tenant);
		if (p == NULL) {
			m->failed = true;
			return false;
		}
		p->ended += tally_ended(c->n);
		p->complaints += c->n[TALLY_COMPLAINTS];
		p->hard += c->n[TALLY_HARD];
		p->blocked += c->n[TALLY_BLOCKED] + c->n[TALLY_BLOCKED_DAY];
	}
	at_home(m, c);
	return !m->failed;
}

/* by_tenant - for qsort */
static int
by_tenant(const void *a, const void *b)
{
	const struct part *x = a, *y = b;
	size_t n = x->tenant.n < y->tenant.n ? x->tenant.n : y->tenant.n;
	int order = memcmp(x->tenant.p, y->tenant.p, n);

	return order != 0 ? order : x->tenant.n < y->tenant.n ? -1 :
	    x->tenant.n > y->tenant.n;
}

/* below - in the order of bytes */
static bool
below(struct slice a, struct slice b)
{
	int order = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

	return order < 0 || (order == 0 && a.n < b.n);
}

/* settle - sorted, since no part is added any more; and where each tenant has
 * most of his mail (of two the first by name: a map has no order) */
static void
settle(struct makeup *m, struct slice key, struct whole *w)
{
	struct slice name = slice_from(key, 1);
	struct home *h;

	qsort(w->parts, w->n, sizeof(*w->parts), by_tenant);
	for (size_t i = 0; key.p[0] == 'a' + SUBJECT_POOL && i < w->n; i++) {
		h = map_get(m->homes, w->parts[i].tenant);
		if (h == NULL || w->parts[i].ended < h->most ||
		    (w->parts[i].ended == h->most && h->pool.n > 0 &&
		    !below(name, h->pool)))
			continue;
		h->most = w->parts[i].ended;
		h->pool = name;
	}
}

/* makeup_read - the cells of those days */
int
makeup_read(struct makeup **out, struct db *watch, int32_t from,
    int32_t until, struct why *why)
{
	struct makeup *m = calloc(1, sizeof(*m));
	struct slice key;
	void *value;
	size_t at = 0;
	int rc = -1;

	*out = NULL;
	if (m == NULL)
		return why_kind(why, WHY_MEMORY, "no memory to add up");
	m->arena = arena_new(1 << 16, 0);
	m->wholes = map_new();
	m->places = map_new();
	m->homes = map_new();
	m->failed = m->arena == NULL || m->wholes == NULL ||
	    m->places == NULL || m->homes == NULL;
	if (!m->failed && rollup_each(watch, GRAIN_DAY, from, until, add, m,
	    why) == -1)
		goto out;
	if (m->failed || buf_failed(&m->key)) {
		why_kind(why, WHY_MEMORY, "no memory to add up");
		goto out;
	}
	while (map_next(m->wholes, &at, &key, &value))
		settle(m, key, value);
	*out = m;
	m = NULL;
	rc = 0;
out:
	makeup_free(m);
	return rc;
}

/* makeup_of - the tenants in it */
const struct part *
makeup_of(struct makeup *m, enum subject_kind kind, struct slice name,
    size_t *n)
{
	struct whole *w = map_get(m->wholes, key_of(&m->key, kind, name,
	    NULL));

	*n = w != NULL ? w->n : 0;
	return w != NULL ? w->parts : NULL;
}

/* makeup_group - of a tenant */
struct slice
makeup_group(const struct makeup *m, struct slice tenant)
{
	const struct home *h = map_get(m->homes, tenant);

	return h != NULL && h->group.n > 0 ? h->group : SLICE("");
}

/* makeup_pool - of a tenant */
size_t
makeup_pool(struct makeup *m, struct slice tenant, struct slice *pool)
{
	const struct home *h = map_get(m->homes, tenant);
	size_t n = 0;

	*pool = h != NULL && h->pool.n > 0 ? h->pool : SLICE("");
	if (pool->n > 0)
		(void)makeup_of(m, SUBJECT_POOL, *pool, &n);
	return n;
}
