/*
 * limits_print - the rows of `penstock limits` in order, and their two voices.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/map.h"
#include "policy/portion.h"
#include "tools/limits.h"

/* by_share - fullest first, then as the policy has them */
static int
by_share(const void *va, const void *vb)
{
	const struct limits_row *a = va, *b = vb;
	__int128 left = (__int128)a->view.used * b->most;
	__int128 right = (__int128)b->view.used * a->most;

	return left > right ? -1 : left < right ? 1 :
	    a->tenant != b->tenant ? (a->tenant < b->tenant ? -1 : 1) :
	    a->limit != b->limit ? (a->limit < b->limit ? -1 : 1) :
	    strcmp(a->of, b->of);
}

/* crowded - do LIMITS_TOP values of that limit stand before it? */
static bool
crowded(struct map *seen, const struct limits_row *row, struct arena *keep)
{
	const void *whose[2] = { row->tenant, row->limit };
	struct slice key = { (const char *)whose, sizeof(whose) };
	size_t *n = map_get(seen, key);

	if (n == NULL) {
		n = arena_alloc(keep, sizeof(*n));
		key = arena_copy(keep, key);
		if (n == NULL || key.p == NULL || map_set(seen, key, n) == -1)
			return false;
	}
	return (*n)++ >= LIMITS_TOP;
}

/* limits_sort - fullest first, and of many values the first ones */
size_t
limits_sort(struct limits_rows *rows)
{
	struct map *seen = map_new();
	size_t kept = 0, all = rows->n;

	if (rows->n > 0)
		qsort(rows->list, rows->n, sizeof(*rows->list), by_share);
	for (size_t i = 0; i < rows->n; i++)
		if (*rows->list[i].of == '\0' || seen == NULL ||
		    !crowded(seen, &rows->list[i], rows->live->arena))
			rows->list[kept++] = rows->list[i];
	map_free(seen);
	rows->n = kept;
	return all - kept;
}

/* left_of - what may still be sent now */
static int64_t
left_of(const struct limits_row *row)
{
	return row->view.used < row->most ? row->most - row->view.used : 0;
}

/* whose_cell - a tenant's, a group's or everybody's, and the value */
static void
whose_cell(struct table *table, const struct limits_row *r)
{
	const char *gap = *r->of != '\0' ? " " : "";

	if (!limit_shared(r->limit))
		table_cell(table, "%.*s%s%s", SLICE_ARG(r->tenant->name), gap,
		    r->of);
	else if ((r->limit->per & PER_GROUP) != 0 && r->tenant->group != NULL)
		table_cell(table, "group %.*s%s%s",
		    SLICE_ARG(r->tenant->group->name), gap, r->of);
	else
		table_cell(table, "%s%s%s", r->way ? "" : "all mail",
		    r->way ? "" : gap, r->of);
}

/* number_cell - with what it is a number of */
static void
number_cell(struct table *table, const struct limit *l)
{
	table_cell(table, "%.*s%s%.*s%s%s", SLICE_ARG(l->text),
	    l->to_all ? "" : " to ", SLICE_ARG(l->to_all ? SLICE("") :
	    l->to_text), l->count == COUNT_RECIPIENTS ? "" : ", ",
	    l->count == COUNT_RECIPIENTS ? "" : count_by_names[l->count]);
}

/* limits_print - a table */
void
limits_print(const struct limits_rows *rows, size_t left_out, bool color)
{
	static const char *const heads[] = { "OF", "LIMIT", "NUMBER", "USED",
	    "MOST", "LEFT", "NEXT SLOT", "WHERE", NULL };
	struct table *table = table_new(heads, "<<<>>><<");
	const struct limits_row *r;
	size_t i;

	for (i = 0; i < rows->n; i++) {
		r = &rows->list[i];
		whose_cell(table, r);
		table_cell(table, "%.*s", SLICE_ARG(r->limit->name));
		number_cell(table, r->limit);
		table_cell(table, "%lld", (long long)r->view.used);
		table_cell(table, "%lld", (long long)r->most);
		table_cell(table, "%lld", (long long)left_of(r));
		table_cell(table, "%s", live_slot(rows->live, r->zone,
		    r->view.next));
		table_cell(table, "%.*s", SLICE_ARG(policy_rule(
		    rows->live->policy, r->limit->at, rows->live->arena)));
	}
	table_print(table, stdout, color);
	table_free(table);
	if (rows->n == 0)
		printf("nothing is spent of any limit\n");
	if (rows->events > 0)
		printf("\nLimits that count logins, senders or places apart: "
		    "those of the last %zu events%s.\n", rows->events,
		    left_out > 0 ? ", of each the fullest" : "");
}

/* json_row - one object */
static void
json_row(const struct limits_rows *rows, const struct limits_row *r,
    struct buf *b)
{
	const struct limit *l = r->limit;
	bool shared = limit_shared(l), group = shared &&
	    (l->per & PER_GROUP) != 0 && r->tenant->group != NULL;

	buf_char(b, '{');
	buf_json_member(b, group ? "group" : "tenant", group ?
	    r->tenant->group->name : shared ? SLICE("") : r->tenant->name);
	if (r->way && shared && l->kind == LIMIT_CAP)
		buf_printf(b, "\"bulk\":%lld,",
		    (long long)portion_bulk(r->most));
	buf_json_member(b, "limit", l->name);
	buf_json_member(b, "kind", slice_of(limit_kind_names[l->kind]));
	buf_json_member(b, "number", l->text);
	buf_json_member(b, "to", l->to_all ? SLICE("all") : l->to_text);
	buf_json_member(b, "count", slice_of(count_by_names[l->count]));
	buf_json_member(b, "over", slice_of(over_names[limit_over(l,
	    r->tenant->nstreams > 0 ? policy_default(r->tenant) : NULL)]));
	buf_json_member(b, "rule", policy_rule(rows->live->policy, l->at,
	    rows->live->arena));
	buf_printf(b, "\"used\":%lld,\"most\":%lld,\"remaining\":%lld,"
	    "\"next\":", (long long)r->view.used, (long long)r->most,
	    (long long)left_of(r));
	if (r->view.next >= LEDGER_SOMETIME)
		buf_str(b, "null,");
	else
		buf_printf(b, "%lld,", (long long)r->view.next);
	if (l->kind == LIMIT_CAP)
		buf_printf(b, "\"window_end\":%lld,",
		    (long long)r->window_end);
	buf_json_member(b, "per", slice_of(limit_per(l, rows->live->arena)));
	buf_str(b, "\"of\":");
	buf_json(b, slice_of(r->of));
	buf_char(b, '}');
}

/* limits_json - one object */
void
limits_json(const struct limits_rows *rows, size_t left_out,
    struct slice tenant)
{
	struct buf b = BUF_INIT;

	buf_printf(&b, "{\"time\":%lld,\"limits\":[",
	    (long long)rows->live->now);
	for (size_t i = 0; i < rows->n; i++) {
		buf_str(&b, i > 0 ? "," : "");
		json_row(rows, &rows->list[i], &b);
	}
	buf_printf(&b, "],\"events\":%zu,\"left_out\":%zu,", rows->events,
	    left_out);
	limits_stopped(rows->live, tenant, true, &b);
	buf_str(&b, "}\n");
	if (!buf_failed(&b))
		fwrite(b.data, 1, b.len, stdout);
	buf_free(&b);
}
