/*
 * suppress_export - penstock suppress export: all that stands, as CSV in our
 * columns, in the order of the keys.
 *
 * Three stores are walked side by side, a page of each at a time and a
 * transaction per page, so that a slow reader of the output holds up nobody's
 * store.  What several stores say alike is one row, with the latest date: an
 * export that is imported elsewhere gives the same export there.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/csv.h"
#include "tools/suppress.h"
#include "tools/suppress_row.h"

static const char usage[] =
    "penstock suppress export [SCOPE]\n"
    "  SCOPE: only --list TENANT/STREAM, --tenant NAME, --group NAME or\n"
    "  --platform";

enum { PAGE_ROWS = 256, FLUSH = 1 << 16 };

struct walk {				/* through one store */
	struct arena	*arena;
	struct suppress_record page[PAGE_ROWS];
	long		 n, at;
	uint8_t		 key[FOLD_HASH];
	bool		 begun;
};

struct export {
	struct suppress_tool tool;
	struct scope_option scope;
	struct walk	 walk[SUPPRESS_STORES];
	struct suppress_entry *list;	/* of one address, SUPPRESS_ENTRIES */
	struct buf	 out;
};

/* current - the record where a walk stands; NULL behind the last */
static int
current(struct export *x, int store, const struct suppress_record **out,
    struct why *why)
{
	struct walk *w = &x->walk[store];

	*out = NULL;
	if (w->at == w->n) {
		arena_reset(w->arena);
		w->at = 0;
		w->n = suppress_page(x->tool.lists, (enum suppress_store)store,
		    w->key, &w->begun, w->arena, w->page, PAGE_ROWS, why);
		if (w->n == -1) {
			w->n = 0;
			return -1;
		}
	}
	if (w->at < w->n)
		*out = &w->page[w->at];
	return 0;
}

/* compare - scope, id, reason: the order of an address's rows */
static int
compare(const void *va, const void *vb)
{
	const struct suppress_entry *a = va, *b = vb;

	if (a->scope != b->scope)
		return a->scope < b->scope ? -1 : 1;
	if (a->id != b->id)
		return a->id < b->id ? -1 : 1;
	return a->reason < b->reason ? -1 : a->reason > b->reason;
}

/* gather - what stands of one address, each thing once */
static size_t
gather(struct export *x, const struct suppress_record r[SUPPRESS_STORES])
{
	size_t n = 0, k;

	for (int i = 0; i < SUPPRESS_STORES; i++) {
		for (size_t j = 0; j < r[i].n; j++) {
			const struct suppress_entry *e = &r[i].list[j];

			if ((x->scope.given && (e->scope != x->scope.scope ||
			    e->id != x->scope.id)) || suppress_state(r,
			    (enum suppress_store)i, e, x->tool.now) !=
			    SUPPRESS_STANDS)
				continue;
			for (k = 0; k < n; k++)
				if (compare(&x->list[k], e) == 0)
					break;
			if (k == n)
				x->list[n++] = *e;
			else if (x->list[k].date < e->date)
				x->list[k] = *e;
		}
	}
	qsort(x->list, n, sizeof(*x->list), compare);
	return n;
}

/* row - one line of the file */
static void
row(struct export *x, struct slice address, const struct suppress_entry *e)
{
	char room[24], date[40], until[40] = "";

	row_print_date(e->date, date);
	if (e->expires != 0)
		row_print_date(e->expires, until);
	csv_put(&x->out, address, true);
	csv_put(&x->out, slice_of(suppress_scope_names[e->scope]), false);
	csv_put(&x->out, slice_of(names_of(x->tool.names, e->scope, e->id,
	    room)), false);
	csv_put(&x->out, slice_of(suppress_reason_names[e->reason]), false);
	csv_put(&x->out, e->source, false);
	csv_put(&x->out, slice_of(date), false);
	csv_put(&x->out, slice_of(until), false);
	csv_put(&x->out, e->note, false);
	buf_char(&x->out, '\n');
}

/* flush - what is gathered, to standard output */
static int
flush(struct export *x, struct why *why)
{
	if (buf_failed(&x->out))
		return why_kind(why, WHY_MEMORY, "out of memory");
	if (x->out.len > 0 && fwrite(x->out.data, 1, x->out.len, stdout) !=
	    x->out.len)
		return why_errno(why, "cannot write");
	buf_reset(&x->out);
	return 0;
}

/* next - the least key of the three walks, and its records; fetch */
static int
next(struct export *x, struct suppress_record r[SUPPRESS_STORES],
    struct why *why)
{
	const struct suppress_record *at[SUPPRESS_STORES], *least = NULL;
	uint8_t key[FOLD_HASH];

	for (int i = 0; i < SUPPRESS_STORES; i++) {
		if (current(x, i, &at[i], why) == -1)
			return -1;
		if (at[i] != NULL && (least == NULL ||
		    memcmp(at[i]->key, least->key, FOLD_HASH) < 0))
			least = at[i];
	}
	if (least == NULL)
		return 0;
	memcpy(key, least->key, FOLD_HASH);
	for (int i = 0; i < SUPPRESS_STORES; i++) {
		r[i] = (struct suppress_record){ .n = 0 };
		if (at[i] == NULL || memcmp(at[i]->key, key, FOLD_HASH) != 0)
			continue;
		r[i] = *at[i];
		x->walk[i].at++;
	}
	return 1;
}

/* all - every row */
static int
all(struct export *x, struct why *why)
{
	struct suppress_record r[SUPPRESS_STORES];
	int rc;

	buf_str(&x->out, "address,scope,list,reason,source,created_at,"
	    "expires_at,note\n");
	while ((rc = next(x, r, why)) == 1) {
		size_t n = gather(x, r);
		int first = r[0].n > 0 ? 0 : r[1].n > 0 ? 1 : 2;

		for (size_t i = 0; i < n; i++)
			row(x, r[first].address, &x->list[i]);
		if (x->out.len >= FLUSH && flush(x, why) == -1)
			return -1;
	}
	if (rc == -1 || flush(x, why) == -1)
		return -1;
	return fflush(stdout) == EOF ? why_errno(why, "cannot write") : 0;
}

/* tool_suppress_export - penstock suppress export */
int
tool_suppress_export(const struct tool *tool, int argc, char **argv)
{
	struct export *x = xcalloc(1, sizeof(*x));
	struct why why;
	int status = TOOL_OK;

	if (tool_asks_help(argc, argv)) {
		free(x);
		return tool_help(usage);
	}
	for (int i = 0; i < argc && status == TOOL_OK; i++)
		if (!suppress_option(argc, argv, &i, &x->scope, &status))
			status = tool_usage(usage);
	if (status != TOOL_OK) {
		free(x);
		return status;
	}
	x->list = xcalloc((size_t)SUPPRESS_ENTRIES * SUPPRESS_STORES,
	    sizeof(*x->list));
	for (int i = 0; i < SUPPRESS_STORES; i++)
		if ((x->walk[i].arena = arena_new(1 << 16, 0)) == NULL)
			status = tool_fail(TOOL_BROKEN, "out of memory");
	if (status == TOOL_OK &&
	    (status = suppress_begin(tool, &x->tool)) == TOOL_OK &&
	    (status = suppress_known(&x->tool, &x->scope)) == TOOL_OK &&
	    all(x, &why) == -1)
		status = tool_fail(TOOL_BROKEN, "%s", why.text);
	for (int i = 0; i < SUPPRESS_STORES; i++)
		arena_free(x->walk[i].arena);
	suppress_end(&x->tool);
	buf_free(&x->out);
	free(x->list);
	free(x);
	return status;
}
