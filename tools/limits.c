/*
 * limits - penstock limits: what is spent of every limit, and when there is
 * room again.
 *
 * Rows come from the policy, numbers from the counters: a limit that nobody
 * touched has no counter and is shown only when its tenant is named.  A
 * group's limit is one counter of many tenants and stands here once.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/map.h"
#include "tools/live.h"

#define USAGE	"penstock limits [TENANT] [--json]"

static const char help[] = "usage: " USAGE "\n\n"
"Shows the limits that something was spent of, the fullest first; with\n"
"TENANT, all limits of that tenant. Numbers are as of the last message on\n"
"disk; what open messages hold reserved is known to the gate alone.\n\n"
"  --json    one JSON object\n\n"
"Exit status: 0 shown, 1 no such tenant or a broken policy, 3 no store.\n";

struct row {
	const struct tenant	*tenant;
	const struct limit	*limit;
	const struct zone	*zone;
	struct counter_view	 view;
	int64_t			 most, window_end;
};

struct rows {
	struct row	*list;
	size_t		 n, cap;
};

/* row_add - one more */
static void
row_add(struct rows *rows, struct row row)
{
	if (rows->n == rows->cap) {
		rows->cap = rows->cap > 0 ? rows->cap * 2 : 64;
		rows->list = xrealloc(rows->list,
		    rows->cap * sizeof(*rows->list));
	}
	rows->list[rows->n++] = row;
}

/* seen_before - a group's counter that another tenant's row shows */
static bool
seen_before(struct map *seen, const struct ask *ask, struct arena *keep)
{
	struct slice key = { (const char *)ask->charge.key, 16 };

	if (!ask->charge.shared)
		return false;
	if (map_get(seen, key) != NULL)
		return true;
	key = arena_copy(keep, key);
	if (key.p != NULL)
		(void)map_set(seen, key, seen);
	return false;
}

/* tenant_rows - its limits; all: also those that nothing is spent of */
static int
tenant_rows(struct live *live, const struct tenant *t, bool all,
    struct map *seen, struct arena *scratch, struct rows *rows)
{
	const struct policy *p = live->policy;
	const struct limit **limits;
	struct ask *asks;
	struct row row = { .tenant = t };
	size_t i, n;

	arena_reset(scratch);
	if (decide_asks(p, t, DECIDE_ALL, 0, live->now, scratch, &asks,
	    &limits, &n) == -1)
		return -1;
	for (i = 0; i < n; i++) {
		if (seen_before(seen, &asks[i], live->arena))
			continue;
		row.limit = limits[i];
		row.zone = !limit_shared(limits[i]) &&
		    t->zone != NULL ? t->zone : p->zone;
		asks[i].most += orders_grant(live->orders, t->id,
		    limits[i]->kind, limits[i]->name, live->now);
		row.most = asks[i].most;
		row.window_end = asks[i].charge.window_end;
		ledger_view(live->ledger, &asks[i], live->now, &row.view);
		if (all || row.view.used > 0)
			row_add(rows, row);
	}
	return 0;
}

/* by_share - fullest first, then as the policy has them */
static int
by_share(const void *va, const void *vb)
{
	const struct row *a = va, *b = vb;
	__int128 left = (__int128)a->view.used * b->most;
	__int128 right = (__int128)b->view.used * a->most;

	return left > right ? -1 : left < right ? 1 :
	    a->tenant != b->tenant ? (a->tenant < b->tenant ? -1 : 1) :
	    a->limit < b->limit ? -1 : a->limit > b->limit;
}

/* whose - a tenant, or the group that shares it */
static struct slice
whose(const struct row *row)
{
	return limit_shared(row->limit) && row->tenant->group != NULL ?
	    row->tenant->group->name : row->tenant->name;
}

/* left_of - what may still be sent now */
static int64_t
left_of(const struct row *row)
{
	return row->view.used < row->most ? row->most - row->view.used : 0;
}

/* print_eyes - a table */
static void
print_eyes(struct live *live, const struct rows *rows, bool color)
{
	static const char *const heads[] = { "OF", "LIMIT", "NUMBER", "TO",
	    "COUNT", "USED", "MOST", "LEFT", "NEXT SLOT", "WHERE", NULL };
	struct table *table = table_new(heads, "<<<<<>>><<");
	const struct row *r;
	size_t i;

	for (i = 0; i < rows->n; i++) {
		r = &rows->list[i];
		table_cell(table, "%s%.*s", limit_shared(r->limit) ?
		    "group " : "", SLICE_ARG(whose(r)));
		table_cell(table, "%.*s", SLICE_ARG(r->limit->name));
		table_cell(table, "%.*s", SLICE_ARG(r->limit->text));
		table_cell(table, "%.*s", SLICE_ARG(r->limit->to_all ?
		    SLICE("all") : r->limit->to_text));
		table_cell(table, "%s", count_by_names[r->limit->count]);
		table_cell(table, "%lld", (long long)r->view.used);
		table_cell(table, "%lld", (long long)r->most);
		table_cell(table, "%lld", (long long)left_of(r));
		table_cell(table, "%s", live_slot(live, r->zone,
		    r->view.next));
		table_cell(table, "%.*s", SLICE_ARG(policy_rule(live->policy,
		    r->limit->at, live->arena)));
	}
	table_print(table, stdout, color);
	table_free(table);
	if (rows->n == 0)
		printf("nothing is spent of any limit\n");
}

/* json_field - "name":"text", */
static void
json_field(struct buf *b, const char *name, struct slice text)
{
	buf_printf(b, "\"%s\":", name);
	buf_json(b, text);
	buf_char(b, ',');
}

/* print_json - one object */
static void
print_json(struct live *live, const struct rows *rows)
{
	struct buf b = BUF_INIT;
	const struct row *r;
	size_t i;

	buf_printf(&b, "{\"time\":%lld,\"limits\":[", (long long)live->now);
	for (i = 0; i < rows->n; i++) {
		r = &rows->list[i];
		buf_str(&b, i > 0 ? ",{" : "{");
		json_field(&b, limit_shared(r->limit) ? "group" :
		    "tenant", whose(r));
		json_field(&b, "limit", r->limit->name);
		json_field(&b, "kind",
		    slice_of(limit_kind_names[r->limit->kind]));
		json_field(&b, "number", r->limit->text);
		json_field(&b, "to", r->limit->to_all ? SLICE("all") :
		    r->limit->to_text);
		json_field(&b, "count",
		    slice_of(count_by_names[r->limit->count]));
		json_field(&b, "over", slice_of(over_names[r->limit->over]));
		json_field(&b, "rule", policy_rule(live->policy, r->limit->at,
		    live->arena));
		buf_printf(&b, "\"used\":%lld,\"most\":%lld,\"remaining\":%lld,"
		    "\"next\":", (long long)r->view.used, (long long)r->most,
		    (long long)left_of(r));
		if (r->view.next >= LEDGER_SOMETIME)
			buf_str(&b, "null");
		else
			buf_printf(&b, "%lld", (long long)r->view.next);
		if (r->limit->kind == LIMIT_CAP)
			buf_printf(&b, ",\"window_end\":%lld",
			    (long long)r->window_end);
		buf_char(&b, '}');
	}
	buf_str(&b, "]}\n");
	if (!buf_failed(&b))
		fwrite(b.data, 1, b.len, stdout);
	buf_free(&b);
}

/* collect - of one tenant or of all */
static int
collect(struct live *live, const char *name, struct rows *rows)
{
	const struct policy *p = live->policy;
	const struct tenant *t;
	struct map *seen = map_new();
	struct arena *scratch = arena_new(1 << 14, 0);
	int status = TOOL_OK, done = 0;
	size_t i;

	if (seen == NULL || scratch == NULL)
		done = -1;
	else if (name != NULL) {
		t = policy_tenant(p, slice_of(name));
		if (t == NULL)
			status = tool_fail(TOOL_NO, "no tenant \"%s\" in %s",
			    name, p->path);
		else
			done = tenant_rows(live, t, true, seen, scratch, rows);
	} else
		for (i = 0; done == 0 && i < p->ntenants; i++)
			done = tenant_rows(live, p->tenants[i], false, seen,
			    scratch, rows);
	if (done == -1)
		status = tool_fail(TOOL_BROKEN, "out of memory");
	map_free(seen);
	arena_free(scratch);
	return status;
}

/* tool_limits - how full is what? */
int
tool_limits(const struct tool *tool, int argc, char **argv)
{
	const char *name = NULL;
	struct live live = { .config = NULL };
	struct rows rows = { NULL, 0, 0 };
	bool json = false;
	int i, status;

	for (i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			json = true;
		else if (strcmp(argv[i], "--help") == 0) {
			fputs(help, stdout);
			return TOOL_OK;
		} else if (argv[i][0] == '-' || name != NULL)
			return tool_usage(USAGE);
		else
			name = argv[i];
	}
	if ((status = live_open(tool, 0, &live)) != TOOL_OK ||
	    (status = collect(&live, name, &rows)) != TOOL_OK)
		goto out;
	if (rows.n > 0)
		qsort(rows.list, rows.n, sizeof(*rows.list), by_share);
	if (json)
		print_json(&live, &rows);
	else
		print_eyes(&live, &rows, tool->color);
out:
	free(rows.list);
	live_close(&live);
	return status;
}
