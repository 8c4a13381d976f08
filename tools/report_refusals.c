/*
 * report_refusals - what refusals meant, with a reply that was really given.
 *
 * The sample is the latest reply of the commonest kinds, taken from outcomes/
 * by its sequence.  It is shown only when that record is still there and is of
 * a tenant whose figures may be seen: nothing is taken on trust, since a reply
 * names recipients.
 */
#include "tools/report_in.h"

#include <stdlib.h>
#include <string.h>

#define KINDS	64	/* two kinds times the categories, with room */

struct tally_of {
	struct wording_row row;
	struct slice	tenant, provider;
};

struct refusals {
	struct making	*m;
	struct tally_of	list[KINDS];
	size_t		n;
	uint64_t	rest;
	bool		failed;
};

/* keep - a copy in the report's arena */
static struct slice
keep(struct refusals *f, struct slice s)
{
	struct slice kept = arena_copy(f->m->r->arena, s);

	f->failed |= kept.p == NULL;
	return kept;
}

/* find - the one of that meaning, or a new one; NULL: too many */
static struct tally_of *
find(struct refusals *f, const struct category_cell *c)
{
	struct tally_of *t = f->list;

	for (; t < f->list + f->n; t++)
		if (slice_eq(t->row.kind, c->kind) &&
		    slice_eq(t->row.category, c->category))
			return t;
	if (f->n == KINDS)
		return NULL;
	f->n++;
	t->row.kind = keep(f, c->kind);
	t->row.category = keep(f, c->category);
	return t;
}

/* take - one cell */
static bool
take(void *with, const struct category_cell *c)
{
	struct refusals *f = with;
	const struct scope *s = &f->m->r->scope;
	struct tally_of *t;

	if ((s->tenant.p != NULL && !slice_eq(c->tenant, s->tenant)) ||
	    (s->group.p != NULL && !slice_eq(c->group, s->group)))
		return true;
	if ((t = find(f, c)) == NULL) {
		f->rest += c->count;
		return true;
	}
	t->row.count += c->count;
	if (c->last > t->row.last) {
		t->row.last = c->last;
		t->tenant = keep(f, c->tenant);
		t->provider = keep(f, c->provider);
	}
	return !f->failed;
}

/* by_count - the most frequent first, then by name */
static int
by_count(const void *a, const void *b)
{
	const struct wording_row *x = &((const struct tally_of *)a)->row;
	const struct wording_row *y = &((const struct tally_of *)b)->row;
	int order;

	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	order = strcmp(x->category.p, y->category.p);
	return order != 0 ? order : strcmp(x->kind.p, y->kind.p);
}

/* sample - the reply itself, when it may be shown */
static int
sample(struct refusals *f, struct tally_of *t)
{
	struct making *m = f->m;
	struct arena *arena;
	struct outcome x;
	size_t got = 0;
	int rc;

	if (m->in->outcomes == NULL || t->row.last == 0)
		return 0;
	if ((arena = arena_new(1 << 14, 0)) == NULL)
		return why_kind(m->why, WHY_MEMORY, "out of memory");
	rc = outcomes_read(m->in->outcomes, t->row.last, 1, arena, &x, &got,
	    m->why);
	if (rc == 0 && got == 1 && x.seq == t->row.last &&
	    slice_eq(x.tenant, t->tenant)) {
		t->row.sample = keep(f, x.reply);
		t->row.provider = t->provider;
	}
	arena_free(arena);
	return rc;
}

/* report_refusals - of the period */
int
report_refusals(struct making *m)
{
	struct report *r = m->r;
	struct refusals *f = calloc(1, sizeof(*f));
	int rc = -1;

	r->words = arena_array(r->arena, REPORT_WORDS, sizeof(*r->words));
	if (f == NULL || r->words == NULL) {
		free(f);
		return why_kind(m->why, WHY_MEMORY, "out of memory");
	}
	f->m = m;
	if (rollup_categories(m->in->watch, GRAIN_DAY, r->period.from,
	    r->period.until, take, f, m->why) == -1)
		goto out;
	if (f->failed) {
		why_kind(m->why, WHY_MEMORY, "out of memory");
		goto out;
	}
	qsort(f->list, f->n, sizeof(f->list[0]), by_count);
	r->words_rest = f->rest;
	for (size_t i = 0; i < f->n; i++) {
		if (r->nwords == REPORT_WORDS) {
			r->words_rest += f->list[i].row.count;
			continue;
		}
		if (sample(f, &f->list[i]) == -1)
			goto out;
		r->words[r->nwords++] = f->list[i].row;
	}
	rc = f->failed ? why_kind(m->why, WHY_MEMORY, "out of memory") : 0;
out:
	free(f);
	return rc;
}
