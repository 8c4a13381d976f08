/*
 * report_value - what tenants are worth to the operator, and what of that
 * hangs on a pool.
 *
 * The policy gives numbers without a unit.  A tenant whose mail leaves by two
 * pools hangs on both, by the parts of his mail of the period.  That is a
 * direction and no forecast: nobody knows what a bad week really costs.
 */
#include "tools/report_in.h"

#include <string.h>

#include "lib/map.h"
#include "policy/policy.h"

struct valuing {
	struct report	*r;
	struct map	*tenants, *pools;	/* name -> row */
};

/* index_rows - rows of a kind by name */
static int
index_rows(struct map *map, struct rows *rows)
{
	for (size_t i = 0; i < rows->n; i++)
		if (map_set(map, rows->list[i].name, &rows->list[i]) == -1)
			return -1;
	return 0;
}

/* share_out - a cell's part of its tenant's value, to its pool */
static bool
share_out(void *with, const struct cell *c)
{
	struct valuing *v = with;
	const struct scope *s = &v->r->scope;
	struct row *tenant = map_get(v->tenants, c->tenant);
	struct row *pool = map_get(v->pools, c->pool);

	if (tenant == NULL || pool == NULL || !tenant->has_value ||
	    tenant->now[TALLY_ACCEPTED] == 0 ||
	    (s->group.p != NULL && !slice_eq(s->group, c->group)))
		return true;
	pool->value += tenant->value * (double)c->n[TALLY_ACCEPTED] /
	    (double)tenant->now[TALLY_ACCEPTED];
	return true;
}

/* meant - is a tenant of the policy in the scope? */
static bool
meant(const struct scope *s, const struct tenant *t)
{
	return (s->tenant.p == NULL || slice_eq(s->tenant, t->name)) &&
	    (s->group.p == NULL || (t->group != NULL && slice_eq(s->group,
	    t->group->name)));
}

/* tenants - what the policy says of each; who has no mail is worth it, too */
static void
tenants(struct valuing *v, const struct policy *p)
{
	struct report *r = v->r;

	for (size_t i = 0; i < p->ntenants; i++) {
		const struct tenant *t = p->tenants[i];
		struct row *row = map_get(v->tenants, t->name);

		if (t->value_at.file == NULL || !meant(&r->scope, t))
			continue;
		r->valued = true;
		r->value += (double)t->value;
		if (row == NULL) {
			r->parts[TIER_UNKNOWN].n++;
			r->parts[TIER_UNKNOWN].value += (double)t->value;
			continue;
		}
		row->has_value = true;
		row->value = (double)t->value;
	}
	for (size_t i = 0; i < r->rows[SUBJECT_TENANT].n; i++) {
		const struct row *row = &r->rows[SUBJECT_TENANT].list[i];

		r->unvalued += !row->has_value && row->now[TALLY_ACCEPTED] > 0;
	}
	for (size_t i = 0; i < r->rows[SUBJECT_POOL].n; i++)
		r->rows[SUBJECT_POOL].list[i].has_value = r->valued;
}

/* parts - tenants by tier */
static void
parts(struct report *r)
{
	const struct rows *rows = &r->rows[SUBJECT_TENANT];

	for (size_t i = 0; i < rows->n; i++) {
		const struct row *row = &rows->list[i];
		struct hanging *p = &r->parts[row->scored != NULL ?
		    row->scored->score.tier : TIER_UNKNOWN];

		p->n++;
		p->now += row->now[TALLY_ACCEPTED];
		p->before += row->before[TALLY_ACCEPTED];
		p->value += row->value;
	}
	r->overview = true;
}

/* report_values - of the period */
int
report_values(struct report *r, struct db *watch, const struct policy *p,
    struct why *why)
{
	struct valuing v = { .r = r, .tenants = map_new(),
	    .pools = map_new() };
	int rc = -1;

	if (v.tenants == NULL || v.pools == NULL ||
	    index_rows(v.tenants, &r->rows[SUBJECT_TENANT]) == -1 ||
	    index_rows(v.pools, &r->rows[SUBJECT_POOL]) == -1) {
		why_kind(why, WHY_MEMORY, "out of memory");
		goto out;
	}
	if (p != NULL)
		tenants(&v, p);
	parts(r);
	rc = !r->valued ? 0 : rollup_each(watch, GRAIN_DAY, r->period.from,
	    r->period.until, share_out, &v, why);
out:
	map_free(v.tenants);
	map_free(v.pools);
	return rc;
}
