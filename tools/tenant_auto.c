/*
 * tenant_auto - see tenant_auto.h.
 *
 * Every event names its tenant.  A name that the policy has no block for and
 * that auto_tenant would make today is one; a name is asked for once.
 */
#include "tools/tenant_auto.h"

#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/map.h"

enum { PAGE = 256 };

struct looking {
	struct live	*live;
	struct autos	*out;
	struct map	*known;		/* names; kept in live's arena */
	struct arena	*scratch;
	size_t		 cap;
};

/* take - the name of an event's tenant */
static int
take(struct looking *l, struct slice name)
{
	struct arena *keep = l->live->arena;
	const struct tenant *t;
	int made;

	if (name.n == 0 || map_get(l->known, name) != NULL ||
	    policy_tenant(l->live->policy, name) != NULL)
		return 0;
	name = arena_copy(keep, name);
	if (name.p == NULL || map_set(l->known, name, l) == -1 ||
	    (made = policy_auto_domain(l->live->policy, name, keep,
	    &t)) == -1)
		return -1;
	if (made == 0)
		return 0;
	if (l->out->n == l->cap) {
		l->cap = l->cap > 0 ? l->cap * 2 : 64;
		l->out->list = xrealloc(l->out->list,
		    l->cap * sizeof(*l->out->list));
	}
	l->out->list[l->out->n++] = t;
	return 0;
}

/* page - some events; *got of them */
static int
page(struct looking *l, uint64_t *next, size_t *got, struct why *why)
{
	struct slice encoded[PAGE];
	struct event e;

	arena_reset(l->scratch);
	if (store_read(l->live->store, *next, PAGE, l->scratch, encoded, got,
	    why) == -1)
		return -1;
	for (size_t i = 0; i < *got; i++) {
		if (event_decode(encoded[i], &e, l->scratch, why) == -1)
			return -1;
		*next = e.seq + 1;
		if ((e.kind == EVENT_ACCEPT || e.kind == EVENT_HOLD) &&
		    take(l, e.tenant) == -1)
			return why_kind(why, WHY_MEMORY, "out of memory");
	}
	return 0;
}

/* by_name - for qsort */
static int
by_name(const void *va, const void *vb)
{
	struct slice a = (*(const struct tenant *const *)va)->name;
	struct slice b = (*(const struct tenant *const *)vb)->name;
	int order = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

	return order != 0 ? order : a.n < b.n ? -1 : a.n > b.n;
}

/* tenant_auto - of the latest events */
int
tenant_auto(struct live *live, struct autos *out, struct why *why)
{
	struct looking l = { .live = live, .out = out };
	uint64_t next, last;
	int64_t time;
	size_t got;
	int done = -1;

	if (live->store == NULL || live->policy->automatic == NULL)
		return 0;
	if (store_last(live->store, &last, &time, why) == -1 ||
	    store_seq_at(live->store, live->now - AUTO_DAYS * CLOCK_DAY,
	    &next, why) == -1)
		return -1;
	l.known = map_new();
	l.scratch = arena_new(64u << 10, 0);
	if (l.known == NULL || l.scratch == NULL) {
		(void)why_kind(why, WHY_MEMORY, "out of memory");
		goto out;
	}
	if (next == 0)
		next = 1;
	if ((out->cut = last >= next && last - next >= AUTO_MOST))
		next = last - AUTO_MOST + 1;
	do
		done = page(&l, &next, &got, why);
	while (done == 0 && got == PAGE && next <= last);
	if (out->n > 0)
		qsort(out->list, out->n, sizeof(*out->list), by_name);
out:
	map_free(l.known);
	arena_free(l.scratch);
	return done;
}

/* tenant_auto_free - the list; what is in it is live's */
void
tenant_auto_free(struct autos *autos)
{
	free(autos->list);
	*autos = (struct autos){ .n = 0 };
}
