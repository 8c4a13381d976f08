/*
 * replay_tally - what was and what would be, per tenant and limit.
 *
 * A row for each tenant, for each limit that turned something away in either
 * policy, and for each kind of change with its first example; found by a map,
 * listed by arrays.  Rows live until the end, so names are copied once.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/map.h"
#include "tools/replay.h"

/* replay_tally_init - empty */
int
replay_tally_init(struct replay_tally *t)
{
	memset(t, 0, sizeof(*t));
	t->arena = arena_new(1 << 14, 0);
	t->index = map_new();
	return t->arena != NULL && t->index != NULL ? 0 : -1;
}

/* replay_tally_free - whatever is there */
void
replay_tally_free(struct replay_tally *t)
{
	map_free(t->index);
	arena_free(t->arena);
	free(t->rows);
	free(t->changes);
}

/* key_of - the words of a key, each with its length in front */
static struct slice
key_of(char *out, char kind, struct slice a, struct slice b, struct slice c)
{
	struct slice parts[] = { a, b, c };
	size_t n = 1;

	out[0] = kind;
	for (size_t i = 0; i < 3; i++) {
		size_t take = parts[i].n < 255 ? parts[i].n : 255;

		out[n++] = (char)take;
		if (take > 0)
			memcpy(out + n, parts[i].p, take);
		n += take;
	}
	return (struct slice){ out, n };
}
#define KEY_MOST	(1 + 3 * 256)

/* keep - a name for good; "" for none */
static struct slice
keep(struct replay_tally *t, struct slice s, bool *lost)
{
	struct slice copy = s.n > 0 ? arena_copy(t->arena, s) : SLICE("");

	*lost = *lost || copy.p == NULL;
	return copy;
}

/* row_get - that of a limit of a tenant, made when it is not there */
static struct replay_row *
row_get(struct replay_tally *t, struct slice tenant, struct slice limit)
{
	char text[KEY_MOST];
	struct slice key = key_of(text, 'r', tenant, limit, SLICE(""));
	struct replay_row *row = map_get(t->index, key);
	bool lost = false;

	if (row != NULL)
		return row;
	if ((row = arena_alloc(t->arena, sizeof(*row))) == NULL)
		return NULL;
	row->tenant = keep(t, tenant, &lost);
	row->limit = keep(t, limit, &lost);
	key = keep(t, key, &lost);
	if (lost || map_set(t->index, key, row) == -1)
		return NULL;
	if (t->nrows == t->cap_rows) {
		t->cap_rows = t->cap_rows > 0 ? t->cap_rows * 2 : 64;
		t->rows = xrealloc(t->rows, t->cap_rows * sizeof(*t->rows));
	}
	return t->rows[t->nrows++] = row;
}

/* change_make - the first of its kind: it is the example */
static struct replay_change *
change_make(struct replay_tally *t, const struct replay_attempt *a,
    struct slice key)
{
	const struct event *e = a->of;
	struct replay_change *c = arena_alloc(t->arena, sizeof(*c));
	bool lost = c == NULL;

	if (lost)
		return NULL;
	c->tenant = keep(t, e->tenant, &lost);
	c->limit = keep(t, a->limit.n > 0 ? a->limit : a->was_limit, &lost);
	c->now = keep(t, slice_eq(a->now, e->tenant) ? SLICE("") : a->now,
	    &lost);
	c->was = a->was;
	c->would = a->would;
	c->seq = e->seq;
	c->time = e->time;
	c->rule = keep(t, a->would == VERDICT_PASS ? e->rule : a->rule,
	    &lost);
	c->recipient = keep(t, a->recipient, &lost);
	c->reply = keep(t, a->would == VERDICT_PASS ? e->reply : a->reply,
	    &lost);
	key = keep(t, key, &lost);
	if (lost || map_set(t->index, key, c) == -1)
		return NULL;
	if (t->nchanges == t->cap_changes) {
		t->cap_changes = t->cap_changes > 0 ? t->cap_changes * 2 : 64;
		t->changes = xrealloc(t->changes,
		    t->cap_changes * sizeof(*t->changes));
	}
	return t->changes[t->nchanges++] = c;
}

/* changed - another verdict, or the same one from another tenant */
static bool
changed(const struct replay_attempt *a)
{
	const struct event *e = a->of;

	return a->was != a->would || (a->now.n > 0 && e->tenant.n > 0 &&
	    !slice_eq(a->now, e->tenant));
}

/* count_change - with its kind */
static int
count_change(struct replay_tally *t, const struct replay_attempt *a,
    uint64_t times)
{
	char text[KEY_MOST];
	char verdicts[2] = { (char)a->was, (char)a->would };
	struct slice key, limit = a->limit.n > 0 ? a->limit : a->was_limit;
	struct replay_change *c;

	key = key_of(text, verdicts[0] * REPLAY_VERDICTS + verdicts[1],
	    a->of->tenant, limit, a->now);
	if ((c = map_get(t->index, key)) == NULL &&
	    (c = change_make(t, a, key)) == NULL)
		return -1;
	c->count += times;
	return 0;
}

/* replay_count - one attempt, so many times */
int
replay_count(struct replay_tally *t, const struct replay_attempt *a,
    uint64_t times)
{
	const struct event *e = a->of;
	struct replay_row *all = row_get(t, e->tenant, SLICE("")), *row;

	if (all == NULL)
		return -1;
	all->was[a->was] += times;
	all->would[a->would] += times;
	if (a->was_limit.n > 0) {
		if ((row = row_get(t, e->tenant, a->was_limit)) == NULL)
			return -1;
		row->was[a->was] += times;
	}
	if (a->limit.n > 0) {
		if ((row = row_get(t, e->tenant, a->limit)) == NULL)
			return -1;
		row->would[a->would] += times;
	}
	if (!changed(a))
		return 0;
	all->changed += times;
	return count_change(t, a, times);
}

/* compare - as bytes */
static int
compare(struct slice a, struct slice b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int order = n > 0 ? memcmp(a.p, b.p, n) : 0;

	return order != 0 ? order : (a.n > b.n) - (a.n < b.n);
}

/* by_name - tenant, then limit; the row of the whole tenant comes first */
static int
by_name(const void *va, const void *vb)
{
	const struct replay_row *const *a = va, *const *b = vb;
	int order = compare((*a)->tenant, (*b)->tenant);

	return order != 0 ? order : compare((*a)->limit, (*b)->limit);
}

/* by_tenant - then the most frequent, then the first */
static int
by_tenant(const void *va, const void *vb)
{
	const struct replay_change *const *pa = va, *const *pb = vb;
	const struct replay_change *a = *pa, *b = *pb;
	int order = compare(a->tenant, b->tenant);

	if (order != 0)
		return order;
	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	return (a->seq > b->seq) - (a->seq < b->seq);
}

/* replay_sort - for people, and the same each time */
void
replay_sort(struct replay_tally *t)
{
	if (t->nrows > 0)
		qsort(t->rows, t->nrows, sizeof(*t->rows), by_name);
	if (t->nchanges > 0)
		qsort(t->changes, t->nchanges, sizeof(*t->changes),
		    by_tenant);
}
