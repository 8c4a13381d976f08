/*
 * report_model - the figures of a report: totals, rows, who sent to whom, days.
 *
 * One walk over the cells of the days (reputation/sums.h) serves all of it; a
 * second one, with a scope only, finds which domains and addresses others use
 * as well, since what is known of those as a whole is not the scope's alone.
 */
#include "tools/report_in.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/map.h"

#define SPIKE_Z		5.0	/* where points for volume begin */
#define SPIKE_LEAST	3	/* of the same weekday before */
#define SPIKE_DAYS	8
#define SPIKE_FLOOR	0.15	/* of the spread, on a scale of ln(1 + n) */

/* report_scoped - is it of one tenant or group? */
bool
report_scoped(const struct report *r)
{
	return r->scope.tenant.p != NULL || r->scope.group.p != NULL;
}

/* report_lacks - said once each, below the header */
void
report_lacks(struct report *r, const char *what)
{
	if (r->nmissing < sizeof(r->missing) / sizeof(r->missing[0]))
		r->missing[r->nmissing++] = what;
}

/* add - a day's to a sum */
static void
add(uint64_t to[TALLIES], const uint64_t from[TALLIES])
{
	for (size_t i = 0; i < TALLIES; i++)
		to[i] += from[i];
}

/* --- whose names others used, too ----------------------------------------- */

/* within - is the cell the scope's? */
static bool
within(const struct scope *s, const struct cell *c)
{
	return (s->tenant.p == NULL || slice_eq(c->tenant, s->tenant)) &&
	    (s->group.p == NULL || slice_eq(c->group, s->group));
}

/* key_of - a name among those of its kind */
static struct slice
key_of(char room[512], enum subject_kind kind, struct slice name)
{
	size_t n = name.n < 500 ? name.n : 500;

	room[0] = (char)('0' + kind);
	memcpy(room + 1, name.p != NULL ? name.p : "", n);
	return (struct slice){ room, n + 1 };
}

/* note - that one is used by a stranger; false: no memory */
static bool
note(struct making *m, enum subject_kind kind, struct slice name)
{
	char room[512];
	struct slice key = key_of(room, kind, name), kept;

	if (name.n == 0 || map_get(m->strangers, key) != NULL)
		return true;
	kept = arena_copy(m->r->arena, key);
	return kept.p != NULL && map_set(m->strangers, kept, m) == 0;
}

/* stranger - a cell that is not the scope's */
static bool
stranger(void *with, const struct cell *c)
{
	struct making *m = with;

	if (within(&m->r->scope, c))
		return true;
	/* a tenant who came from another group was judged there as well */
	if ((c->group.n == 0 || note(m, SUBJECT_TENANT, c->tenant)) &&
	    note(m, SUBJECT_DOMAIN, c->domain) &&
	    note(m, SUBJECT_POOL, c->pool) &&
	    note(m, SUBJECT_ADDRESS, c->address) &&
	    note(m, SUBJECT_GROUP, c->group))
		return true;
	why_kind(m->why, WHY_MEMORY, "out of memory");
	map_free(m->strangers);
	m->strangers = NULL;
	return false;
}

/* strangers - of as many weeks as the scores of a row look back: REPORT_SPARK
 * of them, and nine weeks before the first */
static int
strangers(struct making *m)
{
	struct report *r = m->r;

	if (!report_scoped(r))
		return 0;
	if ((m->strangers = map_new()) == NULL)
		return why_kind(m->why, WHY_MEMORY, "out of memory");
	if (rollup_each(m->in->watch, GRAIN_DAY, r->period.until -
	    7 * (REPORT_SPARK + 10), r->period.until, stranger, m,
	    m->why) == -1)
		return -1;
	return m->strangers != NULL ? 0 : -1;
}

/* report_shared - may what is known of it be others' as well? */
bool
report_shared(const struct making *m, enum subject_kind kind,
    struct slice name)
{
	char room[512];

	if (!report_scoped(m->r))
		return false;
	switch (kind) {
	case SUBJECT_PLATFORM:
	case SUBJECT_PROVIDER:
	case SUBJECT_KINDS:
		return true;
	case SUBJECT_GROUP:	/* of a tenant's report it is the neighbours */
		return m->r->scope.group.p == NULL ||
		    m->r->scope.tenant.p != NULL ||
		    !slice_eq(name, m->r->scope.group);
	case SUBJECT_STREAM:	/* "tenant/stream" */
		for (size_t i = 0; i < name.n; i++)
			if (name.p[i] == '/')
				name.n = i;
		kind = SUBJECT_TENANT;
		break;
	case SUBJECT_TENANT:
	case SUBJECT_DOMAIN:
	case SUBJECT_POOL:
	case SUBJECT_ADDRESS:
		break;
	}
	return map_get(m->strangers, key_of(room, kind, name)) != NULL;
}

/* --- rows ----------------------------------------------------------------- */

/* fill - a row of a sum: the period and the one before it */
static void
fill(const struct making *m, const struct sum *s, struct row *row)
{
	const struct period *p = &m->r->period;
	int32_t from = sums_from(m->sums);

	row->kind = s->kind;
	row->name = s->name;
	memcpy(row->now, s->all, sizeof(row->now));
	for (int32_t day = p->before; day < p->from; day++)
		add(row->before, s->days[day - from]);
}

/* silent - nothing of it in either period */
static bool
silent(const struct row *row)
{
	for (size_t i = 0; i < TALLIES; i++)
		if (row->now[i] > 0 || row->before[i] > 0)
			return false;
	return true;
}

/* rows_of - all of a kind */
static int
rows_of(struct making *m, enum subject_kind kind)
{
	struct rows *rows = &m->r->rows[kind];
	const struct sum *const *sums;
	size_t n;

	if ((sums = sums_of(m->sums, kind, &n)) == NULL && n > 0)
		return why_kind(m->why, WHY_MEMORY, "out of memory");
	rows->list = arena_array(m->r->arena, n + 1, sizeof(*rows->list));
	if (rows->list == NULL)
		return why_kind(m->why, WHY_MEMORY, "out of memory");
	for (size_t i = 0; i < n; i++) {
		struct row *row = &rows->list[rows->n];

		fill(m, sums[i], row);
		if (row->name.n > 0 && !silent(row))
			rows->n++;
		else
			memset(row, 0, sizeof(*row));
	}
	return 0;
}

/* report_has - is there mail of it in the days that were read? */
bool
report_has(const struct making *m, enum subject_kind kind, struct slice name)
{
	return sums_find(m->sums, kind, name) != NULL;
}

/* tier_of - how bad a row is */
static int
tier_of(const struct row *row)
{
	return row->scored != NULL ? (int)row->scored->score.tier : -1;
}

/* by_worth - what is worst first, then most mail, then by name */
static int
by_worth(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	uint64_t nx = x->now[TALLY_ACCEPTED], ny = y->now[TALLY_ACCEPTED];
	int tx = tier_of(x), ty = tier_of(y), order;
	bool bad = tx >= TIER_WATCH || ty >= TIER_WATCH;
	size_t n = x->name.n < y->name.n ? x->name.n : y->name.n;

	if (bad && tx != ty)
		return tx > ty ? -1 : 1;
	if (nx != ny)
		return nx > ny ? -1 : 1;
	order = n > 0 ? memcmp(x->name.p, y->name.p, n) : 0;
	return order != 0 ? order : (x->name.n > y->name.n) -
	    (x->name.n < y->name.n);
}

/* order - the first of them stand for themselves, the others are one */
static void
order(struct rows *rows)
{
	qsort(rows->list, rows->n, sizeof(*rows->list), by_worth);
	rows->shown = rows->n;
	if (rows->n <= REPORT_ROWS)
		return;
	rows->shown = REPORT_ROWS - 1;
	rows->rest.kind = rows->list[0].kind;
	rows->rest.others = rows->n - rows->shown;
	for (size_t i = rows->shown; i < rows->n; i++) {
		add(rows->rest.now, rows->list[i].now);
		add(rows->rest.before, rows->list[i].before);
	}
}

/* report_rows - of every kind */
int
report_rows(struct making *m)
{
	const struct sum *all = sums_find(m->sums, SUBJECT_PLATFORM,
	    SLICE(""));

	m->r->all.name = SLICE("");
	if (all != NULL)
		fill(m, all, &m->r->all);
	for (int k = 0; k < SUBJECT_KINDS; k++)
		if (k != SUBJECT_PLATFORM &&
		    rows_of(m, (enum subject_kind)k) == -1)
			return -1;
	return 0;
}

/* --- days ----------------------------------------------------------------- */

/* by_size - of numbers */
static int
by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* median - sorts them */
static double
median(double *list, size_t n)
{
	qsort(list, n, sizeof(*list), by_size);
	return n % 2 == 1 ? list[n / 2] : (list[n / 2 - 1] + list[n / 2]) / 2;
}

/* spike - far above the same weekdays before it? */
static bool
spike(const struct sum *s, size_t at)
{
	double before[SPIKE_DAYS], off[SPIKE_DAYS], mid, spread;
	size_t n = 0;

	while (n < SPIKE_DAYS && at >= 7 * (n + 1)) {
		before[n] = log1p((double)
		    s->days[at - 7 * (n + 1)][TALLY_ACCEPTED]);
		n++;
	}
	if (n < SPIKE_LEAST)
		return false;
	mid = median(before, n);
	for (size_t i = 0; i < n; i++)
		off[i] = fabs(before[i] - mid);
	spread = 1.4826 * median(off, n);
	if (spread < SPIKE_FLOOR)
		spread = SPIKE_FLOOR;
	return mid > 0 && (log1p((double)s->days[at][TALLY_ACCEPTED]) - mid) /
	    spread >= SPIKE_Z;
}

/* days - of the charts */
static int
days(struct making *m)
{
	struct report *r = m->r;
	const struct sum *all = sums_find(m->sums, SUBJECT_PLATFORM,
	    SLICE(""));
	size_t off = (size_t)(r->chart_from - sums_from(m->sums));

	r->days = arena_array(r->arena, r->ndays, sizeof(*r->days));
	r->spikes = arena_array(r->arena, r->ndays, sizeof(*r->spikes));
	r->provider_days = arena_array(r->arena, r->ndays *
	    (r->heat.nproviders + 1), sizeof(*r->provider_days));
	if (r->days == NULL || r->spikes == NULL || r->provider_days == NULL)
		return why_kind(m->why, WHY_MEMORY, "out of memory");
	for (size_t i = 0; all != NULL && i < r->ndays; i++) {
		memcpy(r->days[i], all->days[off + i], sizeof(r->days[i]));
		r->spikes[i] = spike(all, off + i);
	}
	for (size_t p = 0; p < r->heat.nproviders; p++) {
		const struct sum *s = sums_find(m->sums, SUBJECT_PROVIDER,
		    r->heat.providers[p]);

		for (size_t i = 0; s != NULL && i < r->ndays; i++)
			memcpy(r->provider_days[p * r->ndays + i],
			    s->days[off + i], sizeof(r->days[i]));
	}
	return 0;
}

/* --- who sent to whom ----------------------------------------------------- */

/* names_of - the first rows with mail, as the rows of the heat table */
static size_t
names_of(struct report *r, enum subject_kind kind, struct slice **names)
{
	const struct rows *rows = &r->rows[kind];
	size_t n = 0;

	*names = arena_array(r->arena, REPORT_HEAT, sizeof(**names));
	for (size_t i = 0; *names != NULL && i < rows->n && n < REPORT_HEAT;
	    i++)
		if (tally_ended(rows->list[i].now) > 0)
			(*names)[n++] = rows->list[i].name;
	return n;
}

/* heat - addresses, or where there are none, tenants */
static int
heat(struct making *m)
{
	struct report *r = m->r;
	struct heat *h = &r->heat;

	h->kind = r->rows[SUBJECT_ADDRESS].n > 0 ? SUBJECT_ADDRESS :
	    SUBJECT_TENANT;
	h->nnames = names_of(r, h->kind, &h->names);
	h->nproviders = names_of(r, SUBJECT_PROVIDER, &h->providers);
	h->cells = arena_array(r->arena, h->nnames * h->nproviders + 1,
	    sizeof(*h->cells));
	if (h->names == NULL || h->providers == NULL || h->cells == NULL)
		return why_kind(m->why, WHY_MEMORY, "out of memory");
	for (size_t i = 0; i < h->nnames; i++)
		for (size_t j = 0; j < h->nproviders; j++)
			memcpy(h->cells[i * h->nproviders + j], sums_to(
			    m->sums, h->kind, h->names[i], h->providers[j]),
			    sizeof(*h->cells));
	return 0;
}

/* --- all of it ------------------------------------------------------------ */

/* warming - did most of it leave by addresses that are still warming up? */
static bool
warming(const struct report *r)
{
	uint64_t young = 0;

	for (size_t i = 0; i < r->rows[SUBJECT_ADDRESS].n; i++) {
		const struct row *row = &r->rows[SUBJECT_ADDRESS].list[i];

		for (size_t w = 0; w < r->nwarms; w++)
			if (!r->warms[w].warmed && slice_eq(r->warms[w].name,
			    row->name))
				young += row->now[TALLY_ACCEPTED];
	}
	return young > r->all.now[TALLY_ACCEPTED] / 2;
}

/* kpis - and whether they are met */
static void
kpis(struct report *r)
{
	static const enum rate rates[TARGETS] = { RATE_BOUNCE,
	    RATE_COMPLAINT, RATE_DELIVERED };

	for (size_t i = 0; i < TARGETS; i++) {
		struct kpi *k = &r->kpis[i];
		double is;

		k->is = rate_of(r->all.now, rates[i]);
		k->target = r->knots->targets[r->warming][i];
		is = share_value(k->is);
		k->met = k->is.n > 0 && (i == TARGET_DELIVERED ?
		    is >= k->target : is < k->target);
	}
}

/* report_make - all of it */
int
report_make(struct report *r, const struct report_stores *in, struct why *why)
{
	struct making m = { .r = r, .in = in, .why = why };
	const struct period *p = &r->period;
	int32_t span = p->until - p->from, ndays = p->until - p->before;
	int rc = -1;

	r->ndays = (size_t)(span > REPORT_DAYS ? span : REPORT_DAYS);
	r->chart_from = p->until - (int32_t)r->ndays;
	if (ndays < (int32_t)r->ndays)
		ndays = (int32_t)r->ndays;
	if (sums_new(&m.sums, p->until - ndays, ndays, span, &r->scope,
	    why) == -1)
		return -1;
	if (sums_read(m.sums, in->watch, why) == -1 || strangers(&m) == -1 ||
	    report_rows(&m) == -1 || report_scores(&m) == -1)
		goto out;
	for (int k = 0; k < SUBJECT_KINDS; k++)
		if (r->rows[k].n > 0)
			order(&r->rows[k]);
	if (heat(&m) == -1 || days(&m) == -1 || report_wrong(&m) == -1 ||
	    report_refusals(&m) == -1 || report_warmups(&m) == -1 ||
	    report_dmarc(&m) == -1 || report_officials(&m) == -1)
		goto out;
	r->warming = warming(r);
	kpis(r);
	rc = 0;
out:
	map_free(m.strangers);
	r->sums = m.sums;
	return rc;
}

/* report_end - what is not in its arena */
void
report_end(struct report *r)
{
	sums_free(r->sums);
	r->sums = NULL;
}
