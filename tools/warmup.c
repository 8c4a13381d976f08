/*
 * warmup - penstock warmup: how far each warmup is, and what is left of today.
 *
 * Addresses stand in the policy.  What a class, tenant or stream warms up may
 * count apart by login and the like: of those the ones are shown that the last
 * events speak of (limits_seen.c), the fullest of each tenant.
 *
 * The numbers are the gate's own (policy/warmup.c), the day is that of the
 * rows which the rules left in the store.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/map.h"
#include "policy/measure.h"
#include "policy/portion.h"
#include "tools/board.h"
#include "tools/limits.h"

static const char usage[] = "penstock warmup [POOL|ADDRESS|TENANT] [--json]";
static const char help[] =
"Shows each warmup: its day, what was used of today's number, per provider\n"
"where it is an address, what an hour adds, the rule that spoke last with\n"
"what it saw, and the date on which it will be warm if no rule holds it.\n\n"
"  POOL|ADDRESS|TENANT  those of that pool, address or tenant alone\n"
"  --json               one JSON object\n\n"
"Exit status: 0 shown, 1 nothing of that name is warmed up, 3 something is\n"
"broken.\n";

static const struct tenant nobody;	/* an address is all tenants' */

/* row_new - one more */
static struct board_row *
row_new(struct board *b)
{
	if (b->n == b->cap) {
		b->cap = b->cap > 0 ? b->cap * 2 : 32;
		b->list = xrealloc(b->list, b->cap * sizeof(*b->list));
	}
	return memset(&b->list[b->n++], 0, sizeof(*b->list));
}

/* counted - what is in a counter, and what it lets through */
static int64_t
counted(const struct board *b, const struct limit *limit,
    const struct dimensions *d, struct counter_view *view)
{
	struct ask ask;

	measure_ask(limit, d, 1, 1, b->live->now, &ask);
	ledger_view(b->live->ledger, &ask, b->live->now, view);
	return ask.most;
}

/* factor_of - what the rules took from that provider; the least of it */
static const struct warm_factor *
factor_of(const struct board_row *r, unsigned provider)
{
	const struct warm_row *row = warmup_row(r->limit->warmup, r->row);
	const struct warm_factor *least = NULL;

	for (size_t i = 0; row != NULL && i < row->nfactors; i++) {
		const struct warm_factor *f = &row->factors[i];

		if (f->index == provider && (f->until == 0 ||
		    r->view.today.date < f->until) && (least == NULL ||
		    f->thousandths < least->thousandths))
			least = f;
	}
	return least;
}

/* providers - those that got some today, or have less than all */
static void
providers(const struct board *b, struct board_row *r,
    const struct limit *share, struct dimensions *d)
{
	struct counter_view view;
	struct board_provider p;

	r->providers = arena_array(b->live->arena, provider_count(),
	    sizeof(*r->providers));
	for (unsigned i = 0; r->providers != NULL && i < provider_count();
	    i++) {
		if (!measure_watches(share, i))
			continue;
		d->provider = i;
		measure_know(d, PER_PROVIDER, measure_id(PER_PROVIDER,
		    slice_of(provider_name(i))));
		p = (struct board_provider){ .provider = i,
		    .percent = warmup_percent(r->limit->warmup, i),
		    .factor = factor_of(r, i), .thousandths = 1000 };
		p.most = counted(b, share, d, &view);
		p.used = view.used;
		if (p.factor != NULL)
			p.thousandths = p.factor->thousandths;
		if (p.used > 0 || p.percent < 100 || p.thousandths < 1000)
			r->providers[r->nproviders++] = p;
	}
}

/* rest_of - what follows from the view and the day's counter */
static void
rest_of(const struct board *b, struct board_row *r,
    const struct counter_view *day, bool bulk)
{
	const struct warm_ask ask = { .limit = r->limit, .row = r->row,
		.zone = r->zone, .bulk = bulk };

	r->used = day->used;
	/* of a pool bulk mail has a part */
	r->most = r->address != NULL ? portion_bulk(r->view.so_far) :
	    r->view.so_far;
	if (r->address != NULL)
		r->view.hour = portion_bulk(r->view.hour);
	r->next = r->used < (bulk ? r->most : r->view.cap) ? b->live->now :
	    warmup_next(&ask, &r->view, day->used, 0, 1, day->next,
	    b->live->now);
	r->warm = warmup_warm(r->limit->warmup, r->row, r->zone, &r->view);
}

/* address_row - of a pool */
static void
address_row(struct board *b, const struct pool_address *a)
{
	const struct limit *day = NULL, *share = NULL;
	struct counter_view view;
	struct dimensions d;
	struct warm_ask ask;
	struct board_row *r;

	for (size_t i = 0; i < a->nlimits; i++) {
		const struct limit *l = a->limits[i];

		if (l->warmup != NULL && l->part == WARM_DAY)
			day = l;
		if (l->warmup != NULL && l->part == WARM_SHARE &&
		    (l->per & PER_PROVIDER) != 0)
			share = l;
	}
	if (day == NULL || share == NULL)
		return;
	r = row_new(b);
	measure_begin(b->live->policy, &nobody, NULL, &d);
	measure_egress(&d, a);
	d.progress = b->live->progress;
	d.bulk = false;			/* the whole numbers */
	measure_view(day, &d, b->live->now, &ask, &r->view);
	r->address = a;
	r->of = "";
	r->limit = day;
	r->zone = ask.zone;
	r->row = warmup_row(day->warmup, ask.row);
	(void)counted(b, day, &d, &view);
	rest_of(b, r, &view, true);
	providers(b, r, share, &d);
}

/* wanted - is it asked for? */
static bool
wanted(const char *name, struct slice one, struct slice other)
{
	return name == NULL || slice_is(one, name) || slice_is(other, name);
}

/* tenant_row - of the mail of a tenant */
static void
tenant_row(struct board *b, const struct limits_row *l)
{
	bool bulk = l->stream == NULL ||
	    l->stream->priority == PRIORITY_BULK;
	struct board_row *r = row_new(b);

	r->tenant = l->tenant;
	r->stream = (l->limit->per & PER_STREAM) != 0 ? l->stream : NULL;
	r->of = l->of;
	r->limit = l->limit;
	r->zone = l->zone;
	r->row = warmup_row(l->limit->warmup, progress_find(
	    b->live->progress, l->key));
	warmup_view(l->limit->warmup, r->row, r->zone, b->live->now,
	    &r->view);
	rest_of(b, r, &l->view, bulk);
}

/* warms_up - has any stream of it a warmup? */
static bool
warms_up(const struct tenant *t)
{
	for (size_t i = 0; i < t->nstreams; i++)
		for (size_t j = 0; j < t->streams[i]->nlimits; j++)
			if (t->streams[i]->limits[j]->warmup != NULL)
				return true;
	return false;
}

/* tenants - the warmups of those that have any */
static int
tenants(struct board *b, const char *name)
{
	const struct policy *p = b->live->policy;
	struct limits_rows rows = { .live = b->live, .known = map_new(),
		.scratch = arena_new(1 << 14, 0) };
	struct why why = { .text = "out of memory" };
	const struct tenant *only = name != NULL ? policy_tenant(p,
	    slice_of(name)) : NULL;
	int done = rows.known == NULL || rows.scratch == NULL ? -1 : 0;
	bool any = p->automatic != NULL;

	for (size_t i = 0; done == 0 && i < p->ntenants; i++) {
		const struct tenant *t = p->tenants[i];

		if (!wanted(name, t->name, SLICE_NONE) || !warms_up(t))
			continue;
		any = true;
		done = limits_tenant(&rows, t, true);
	}
	if (done == 0 && any && b->live->store != NULL &&
	    (name == NULL || only != NULL))
		done = limits_seen(&rows, only, &why);
	if (done == 0)
		(void)limits_sort(&rows);
	for (size_t i = 0; done == 0 && i < rows.n; i++)
		if (rows.list[i].limit->warmup != NULL &&
		    rows.list[i].limit->part == WARM_DAY)
			tenant_row(b, &rows.list[i]);
	free(rows.list);
	map_free(rows.known);
	arena_free(rows.scratch);
	return done == 0 ? TOOL_OK : tool_fail(TOOL_BROKEN, "%s", why.text);
}

/* gather - all that is asked for */
static int
gather(struct board *b, const char *name)
{
	const struct policy *p = b->live->policy;
	int status;

	for (size_t i = 0; i < p->npools; i++)
		for (size_t j = 0; j < p->pools[i]->naddresses; j++)
			if (wanted(name, p->pools[i]->name,
			    p->pools[i]->addresses[j].address))
				address_row(b, &p->pools[i]->addresses[j]);
	if ((status = tenants(b, name)) != TOOL_OK)
		return status;
	if (name != NULL && b->n == 0)
		return tool_fail(TOOL_NO, "nothing of the name \"%s\" is "
		    "warmed up; penstock warmup shows all that is", name);
	return TOOL_OK;
}

/* tool_warmup - the board */
int
tool_warmup(const struct tool *tool, int argc, char **argv)
{
	struct live live = { .config = NULL };
	struct board board = { .live = &live };
	const char *name = NULL;
	bool json = false;
	int status;

	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			printf("usage: %s\n\n%s", usage, help);
			return TOOL_OK;
		}
		if (strcmp(argv[i], "--json") == 0)
			json = true;
		else if (argv[i][0] == '-' || name != NULL)
			return tool_usage(usage);
		else
			name = argv[i];
	}
	if ((status = live_open(tool, LIVE_MAY_LACK, &live)) == TOOL_OK &&
	    (status = gather(&board, name)) == TOOL_OK) {
		if (json)
			board_json(&board);
		else
			board_print(&board, tool->color);
	}
	free(board.list);
	live_close(&live);
	return status;
}
