/*
 * snapshot_csv - figures of any provider, in CSV with our own columns:
 *
 *	provider, subject_type, subject, metric, value, unit, upper,
 *	period_start, period_end, snapshot_date, state, note
 *
 * in any order; subject, metric and period_start must be there, the rest has
 * what one would expect: the provider that was named, the type that the
 * subject looks like, one day, AVAILABLE when there is a value and NO_DATA when
 * there is none.  A person wrote this file, so a row that is wrong is refused
 * with its line, and the others count.
 */
#include "reputation/snapshot_in.h"

#include <stdarg.h>
#include <stdio.h>

#include "lib/keyword.h"
#include "lib/scan.h"
#include "lib/text.h"

enum column { PROVIDER, TYPE, SUBJECT, METRIC, VALUE, UNIT, UPPER, BEGIN, END,
	TAKEN, STATE, NOTE, COLUMNS };

static const char *const names[COLUMNS] = { "provider", "subject_type",
	"subject", "metric", "value", "unit", "upper", "period_start",
	"period_end", "snapshot_date", "state", "note" };

struct table {
	struct snapshot_set *set;
	int		 at[COLUMNS];	/* -1: it has no such column */
	size_t		 n;
};

/* header - is it ours? */
static bool
header(const struct csv_row *row, struct table *t)
{
	t->n = row->n;
	for (int c = 0; c < COLUMNS; c++) {
		t->at[c] = -1;
		for (size_t i = 0; i < row->n; i++)
			if (slice_case_eq(slice_trim(row->field[i]),
			    slice_of(names[c])))
				t->at[c] = (int)i;
	}
	return row->error == NULL && t->at[SUBJECT] != -1 &&
	    t->at[METRIC] != -1 && t->at[BEGIN] != -1;
}

/* snapshot_is_csv - by the first line alone */
bool
snapshot_is_csv(struct slice bytes)
{
	const char *end = bytes.n > 0 ? memchr(bytes.p, '\n', bytes.n) : NULL;
	struct snapshot_bytes from = { { bytes.p, end != NULL ?
	    (size_t)(end - bytes.p) : bytes.n } };
	struct csv_row row;
	struct table t;
	struct csv *c;
	struct why why;
	bool ours = false;

	if (from.rest.n < 10 || from.rest.n > 2000 ||
	    (c = csv_new(snapshot_give, &from)) == NULL)
		return false;
	ours = csv_next(c, &row, &why) == 1 && header(&row, &t);
	csv_free(c);
	return ours;
}

/* cell - of a row; empty when there is no such column */
static struct slice
cell(const struct table *t, const struct csv_row *row, enum column c)
{
	return t->at[c] == -1 || (size_t)t->at[c] >= row->n ? SLICE("") :
	    slice_trim(row->field[t->at[c]]);
}

/* refuse - the first one is shown */
static bool __attribute__((format(printf, 3, 4)))
refuse(struct table *t, const struct csv_row *row, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (t->set->refused++ > 0)
		return false;
	n = snprintf(t->set->first, sizeof(t->set->first), "line %llu: ",
	    (unsigned long long)row->line);
	va_start(ap, fmt);
	(void)vsnprintf(t->set->first + n, sizeof(t->set->first) - (size_t)n,
	    fmt, ap);
	va_end(ap);
	return false;
}

/* days - from when to when, and when it was looked up */
static bool
days(struct table *t, const struct csv_row *row, struct snapshot *s)
{
	struct slice end = cell(t, row, END), taken = cell(t, row, TAKEN);
	struct quoted q;
	struct why why;
	int64_t us;

	if (!snapshot_day(cell(t, row, BEGIN), &s->begin))
		return refuse(t, row, "period_start: %s is no day",
		    text_quote(cell(t, row, BEGIN), &q));
	s->end = s->begin;
	if (end.n > 0 && (!snapshot_day(end, &s->end) || s->end < s->begin))
		return refuse(t, row, "period_end: %s is no day behind the "
		    "first", text_quote(end, &q));
	if (taken.n > 0 && scan_moment(taken, NULL, t->set->ask.taken, &us,
	    &why) == -1)
		return refuse(t, row, "snapshot_date: %s", why.text);
	/* no later file could ever say anything else */
	if (taken.n > 0 && us > t->set->ask.fetched)
		return refuse(t, row, "snapshot_date: %s is still to come",
		    text_quote(taken, &q));
	if (taken.n > 0)
		s->taken = us;
	return true;
}

/* state - its number; -1: there is none of that name */
static int
state(struct slice text)
{
	for (int i = 0; snapshot_state_names[i] != NULL; i++)
		if (slice_case_eq(text, slice_of(snapshot_state_names[i])))
			return i;
	return -1;
}

/* figure - value, unit and state belong together */
static bool
figure(struct table *t, const struct csv_row *row, struct snapshot *s,
    struct snapshot_item *item)
{
	struct slice value = cell(t, row, VALUE), word = cell(t, row, STATE);
	struct slice unit = cell(t, row, UNIT), upper = cell(t, row, UPPER);
	int known = word.n > 0 ? state(word) : value.n > 0 ?
	    SNAPSHOT_AVAILABLE : SNAPSHOT_NO_DATA;
	struct quoted q;
	double x;

	if (known == -1)
		return refuse(t, row, "state: %s is none of AVAILABLE, "
		    "NO_DATA, NOT_AUTHORIZED, API_ERROR, REFUSED, STALE",
		    text_quote(word, &q));
	if ((known == SNAPSHOT_AVAILABLE || known == SNAPSHOT_STALE) !=
	    (value.n > 0))
		return refuse(t, row, "value: %s does not go with state %s",
		    text_quote(value, &q), snapshot_state_names[known]);
	if (value.n > 0 && (slice_is(unit, "share") ||
	    slice_is(unit, "count")) && (!snapshot_number(value, &x) ||
	    x < 0 || (slice_is(unit, "share") && x > 1)))
		return refuse(t, row, "value: %s is no %.*s",
		    text_quote(value, &q), SLICE_ARG(unit));
	if (unit.n > 0 && !keyword_is_name(unit))
		return refuse(t, row, "unit: %s is no word", text_quote(unit,
		    &q));
	s->state = (enum snapshot_state)known;
	s->upper = slice_is(upper, "1") || slice_case_eq(upper,
	    SLICE("true")) || slice_case_eq(upper, SLICE("yes"));
	snapshot_value(t->set, item, value, "");
	s->unit = snapshot_text(t->set->arena, unit, 64);
	if (s->unit.p == NULL)
		t->set->failed = true;
	return true;
}

/* subject - whom it is about, in its one form */
static const char *
subject(struct slice type, struct slice text, char room[256])
{
	char address[64];

	if (snapshot_address(text, address) && (type.n == 0 ||
	    slice_is(type, "address") || slice_is(type, "ip"))) {
		(void)snprintf(room, 256, "%s", address);
		return "address";
	}
	if (slice_is(type, "range") || slice_is(type, SNAPSHOT_ACCOUNT)) {
		if (text.n == 0 || text.n > 140)
			return NULL;
		(void)snprintf(room, 256, "%.*s", SLICE_ARG(text));
		return slice_is(type, "range") ? "range" : SNAPSHOT_ACCOUNT;
	}
	return (type.n == 0 || slice_is(type, "domain")) &&
	    snapshot_domain(text, room) ? "domain" : NULL;
}

/* one - a row */
static bool
one(struct table *t, const struct csv_row *row)
{
	struct slice provider = cell(t, row, PROVIDER);
	struct slice metric = cell(t, row, METRIC);
	struct snapshot_item *item;
	char name[256] = "", word[SNAPSHOT_PROVIDER + 1];
	const char *type;
	struct quoted q;

	if (row->error != NULL)
		return refuse(t, row, "%s", row->error);
	if (row->n > t->n)
		return refuse(t, row, "more fields than the header has");
	if (provider.n > SNAPSHOT_PROVIDER || (provider.n > 0 &&
	    !keyword_is_name(provider)))
		return refuse(t, row, "provider: %s is no name",
		    text_quote(provider, &q));
	type = subject(cell(t, row, TYPE), cell(t, row, SUBJECT), name);
	if (type == NULL)
		return refuse(t, row, "subject: %s is neither an address nor "
		    "a domain", text_quote(cell(t, row, SUBJECT), &q));
	if (metric.n == 0 || metric.n > SNAPSHOT_METRIC)
		return refuse(t, row, "metric: %s is no name",
		    text_quote(metric, &q));
	item = snapshot_add(t->set, type, slice_of(name), metric);
	if (provider.n > 0) {
		snapshot_name(provider, word, sizeof(word));
		item->row.provider = snapshot_text(t->set->arena,
		    slice_of(word), SNAPSHOT_PROVIDER);
		if (item->row.provider.p == NULL)
			t->set->failed = true;
	}
	snapshot_note(t->set, item, cell(t, row, NOTE));
	if (!days(t, row, &item->row) || !figure(t, row, &item->row, item)) {
		if (t->set->n > 0 && item == &t->set->items[t->set->n - 1])
			t->set->n--;	/* as if it had not begun */
		return false;
	}
	item->daily = item->row.begin == item->row.end;
	return true;
}

/* snapshot_csv - every row of it */
void
snapshot_csv(struct snapshot_set *set, struct slice bytes)
{
	struct snapshot_bytes from = { bytes };
	struct csv *c = csv_new(snapshot_give, &from);
	struct table t = { .set = set };
	struct csv_row row;
	struct why why;

	if (c == NULL) {
		set->failed = true;
		return;
	}
	if (csv_next(c, &row, &why) == 1 && header(&row, &t))
		while (!set->failed && csv_next(c, &row, &why) == 1)
			(void)one(&t, &row);
	csv_free(c);
}
