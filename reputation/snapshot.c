/*
 * snapshot - the rows that an import makes, whoever wrote what is read.
 *
 * Importers never fail: a file is evidence, and so is one that is a login page
 * or half a document.  What they cannot read becomes a row with a state and a
 * sentence, so a report tells "we were not let in" from "all is well".
 *
 * Days.  Consoles leave out days of which they say nothing, and a chart that
 * draws a line through the gap, or a zero, would be a lie.  So at the end each
 * (subject, metric) of a series gets a NO_DATA row for every day that is
 * missing between the first and the last that were asked for, or, when nobody
 * knows what was asked for, that the answer has for that subject.
 *
 * Two values for one day: equal ones are one; different ones are an API_ERROR,
 * since nobody can say which of them holds.
 */
#include "reputation/snapshot.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "reputation/snapshot_in.h"

enum { DAYS_MOST = 750 };	/* of a series that are filled up */

const char *const snapshot_state_names[] = { "AVAILABLE", "NO_DATA",
	"NOT_AUTHORIZED", "API_ERROR", "REFUSED", "STALE", NULL };

/* snapshot_state_at - figures grow old */
enum snapshot_state
snapshot_state_at(const struct snapshot *s, int64_t now)
{
	return s->state == SNAPSHOT_AVAILABLE && now - s->taken >
	    SNAPSHOT_FRESH ? SNAPSHOT_STALE : s->state;
}

/* copied - in the set's arena, or the set has failed */
static struct slice
copied(struct snapshot_set *set, struct slice s, size_t most)
{
	struct slice out = snapshot_text(set->arena, s, most);

	if (out.p == NULL)
		set->failed = true;
	return out.p != NULL ? out : SLICE("");
}

/* snapshot_set_new - nothing is read yet */
int
snapshot_set_new(struct snapshot_set **out, const struct snapshot_ask *ask,
    struct why *why)
{
	struct snapshot_set *set = calloc(1, sizeof(*set));

	*out = NULL;
	if (set == NULL || (set->arena = arena_new(1 << 16, 0)) == NULL) {
		free(set);
		return why_kind(why, WHY_MEMORY, "no memory for snapshots");
	}
	set->ask = *ask;
	set->ask.provider = copied(set, ask->provider, SNAPSHOT_PROVIDER);
	if (ask->subject.p != NULL)
		set->ask.subject = copied(set, ask->subject,
		    SNAPSHOT_SUBJECT);
	set->day = (int32_t)(ask->taken / CLOCK_DAY);
	if (set->failed) {
		snapshot_set_free(set);
		return why_kind(why, WHY_MEMORY, "no memory for snapshots");
	}
	*out = set;
	return 0;
}

/* snapshot_set_free - NULL is allowed */
void
snapshot_set_free(struct snapshot_set *set)
{
	if (set == NULL)
		return;
	arena_free(set->arena);
	buf_free(&set->scratch);
	free(set->items);
	free(set->rows);
	free(set);
}

/* room - for one row more */
static bool
room(struct snapshot_set *set)
{
	struct snapshot_item *more;
	size_t cap = set->cap > 0 ? set->cap * 2 : 256;

	if (set->failed || set->n >= SNAPSHOT_ROWS) {
		set->failed = true;
		return false;
	}
	if (set->n < set->cap)
		return true;
	if ((more = realloc(set->items, cap * sizeof(*more))) == NULL) {
		set->failed = true;
		return false;
	}
	set->items = more;
	set->cap = cap;
	return true;
}

/* metric_of - bounded: what is longer keeps its head and gets a mark */
static struct slice
metric_of(struct snapshot_set *set, struct slice metric)
{
	struct slice cut;
	char *made;

	if (metric.n <= SNAPSHOT_METRIC)
		return copied(set, metric, SNAPSHOT_METRIC);
	cut = copied(set, metric, SNAPSHOT_METRIC - 9);
	made = arena_printf(set->arena, "%.*s~%08" PRIx32, SLICE_ARG(cut),
	    (uint32_t)hash_id("metric", metric));
	if (made == NULL)
		set->failed = true;
	return made != NULL ? slice_of(made) : SLICE("");
}

/* snapshot_add - the next row */
struct snapshot_item *
snapshot_add(struct snapshot_set *set, const char *type, struct slice subject,
    struct slice metric)
{
	struct snapshot_item *item = &set->nobody;

	if (room(set)) {
		item = &set->items[set->n];
		memset(item, 0, sizeof(*item));
		item->order = set->n++;
	}
	item->row = (struct snapshot){ .provider = set->ask.provider,
	    .subject_type = slice_of(type),
	    .subject = copied(set, subject, SNAPSHOT_SUBJECT),
	    .metric = metric_of(set, metric), .value = SLICE(""),
	    .unit = SLICE(""), .begin = set->day, .end = set->day,
	    .taken = set->ask.taken, .fetched = set->ask.fetched,
	    .source = slice_of(set->ask.source), .next = set->ask.next,
	    .state = SNAPSHOT_AVAILABLE, .note = SLICE("") };
	memcpy(item->row.raw, set->raw, sizeof(item->row.raw));
	return item;
}

/* say - with the arguments of whom it is for */
static void
say(struct snapshot_set *set, struct snapshot_item *item,
    enum snapshot_state state, const char *fmt, va_list ap)
{
	char text[600];

	(void)vsnprintf(text, sizeof(text), fmt, ap);
	item->row.state = state;
	item->row.note = copied(set, slice_of(text), SNAPSHOT_TEXT);
	if (state != SNAPSHOT_AVAILABLE) {
		item->row.value = SLICE("");
		item->row.upper = false;
	}
}

/* snapshot_say - a state, and why */
void
snapshot_say(struct snapshot_set *set, struct snapshot_item *item,
    enum snapshot_state state, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(set, item, state, fmt, ap);
	va_end(ap);
}

/* whole - the row that is about everything */
static struct snapshot_item *
whole(struct snapshot_set *set)
{
	char address[64];
	struct slice s = set->ask.subject;

	if (s.n == 0)
		return snapshot_add(set, SNAPSHOT_ACCOUNT,
		    SLICE(SNAPSHOT_ACCOUNT), SLICE(SNAPSHOT_WHOLE));
	return snapshot_add(set, slice_is(s, SNAPSHOT_ACCOUNT) ?
	    SNAPSHOT_ACCOUNT : snapshot_address(s, address) ? "address" :
	    "domain", s, SLICE(SNAPSHOT_WHOLE));
}

/* snapshot_whole - nothing in particular can be said */
void
snapshot_whole(struct snapshot_set *set, enum snapshot_state state,
    const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(set, whole(set), state, fmt, ap);
	va_end(ap);
}

/* snapshot_note - beside a value */
void
snapshot_note(struct snapshot_set *set, struct snapshot_item *item,
    struct slice note)
{
	item->row.note = copied(set, note, SNAPSHOT_TEXT);
}

/* snapshot_value - a word, or a figure that is one already */
void
snapshot_value(struct snapshot_set *set, struct snapshot_item *item,
    struct slice value, const char *unit)
{
	item->row.value = copied(set, value, SNAPSHOT_TEXT);
	item->row.unit = slice_of(unit);
}

/* snapshot_share - a part of one */
void
snapshot_share(struct snapshot_set *set, struct snapshot_item *item,
    double share)
{
	char text[40];

	item->row.unit = SLICE("share");
	(void)snprintf(text, sizeof(text), "%.7g", share);
	if (!(share >= 0 && share <= 1))
		snapshot_say(set, item, SNAPSHOT_API_ERROR, "%s is no share; "
		    "expected 0 to 1", text);
	else
		snapshot_value(set, item, slice_of(share == 0 ? "0" : text),
		    "share");
}

/* snapshot_count - none or more */
void
snapshot_count(struct snapshot_set *set, struct snapshot_item *item,
    int64_t count)
{
	char text[40];

	item->row.unit = SLICE("count");
	(void)snprintf(text, sizeof(text), "%" PRId64, count);
	if (count < 0)
		snapshot_say(set, item, SNAPSHOT_API_ERROR, "%s is no count",
		    text);
	else
		snapshot_value(set, item, slice_of(text), "count");
}

/* --- reading -------------------------------------------------------------- */

/* enough - is there memory for all that came? */
static int
enough(struct snapshot_set *set, struct why *why)
{
	if (!set->failed)
		return 0;
	if (set->n >= SNAPSHOT_ROWS)
		return why_set(why, "more than %d rows: import it in parts",
		    SNAPSHOT_ROWS);
	return why_kind(why, WHY_MEMORY, "no memory for the rows");
}

/* snapshot_read - by what it looks like, then by who is said to have written
 * it */
int
snapshot_read(struct snapshot_set *set, struct slice bytes, struct why *why)
{
	struct slice p = set->ask.provider;

	hash_sha256(bytes.p, bytes.n, set->raw);
	set->token = SLICE_NONE;
	if (bytes.n > SNAPSHOT_BYTES)
		snapshot_whole(set, SNAPSHOT_API_ERROR, "%zu bytes are too "
		    "many; %u are read", bytes.n, SNAPSHOT_BYTES);
	else if (snapshot_is_html(bytes))
		snapshot_whole(set, SNAPSHOT_NOT_AUTHORIZED, "a page for "
		    "people came instead of figures: sign in again, or renew "
		    "the key");
	else if (snapshot_is_csv(bytes))
		snapshot_csv(set, bytes);
	else if (slice_is(p, "google"))
		snapshot_google(set, bytes);
	else if (slice_is(p, "microsoft"))
		snapshot_snds(set, bytes);
	else if (slice_is(p, "dnsbl"))
		snapshot_dnsbl(set, bytes);
	else
		snapshot_whole(set, SNAPSHOT_API_ERROR, "of this provider "
		    "only CSV with our own columns is read");
	return enough(set, why);
}

/* snapshot_failed - there is nothing to read */
int
snapshot_failed(struct snapshot_set *set, enum snapshot_state state,
    struct why *why, const char *fmt, ...)
{
	va_list ap;

	hash_sha256("", 0, set->raw);
	va_start(ap, fmt);
	say(set, whole(set), state, fmt, ap);
	va_end(ap);
	return enough(set, why);
}

/* snapshot_token - of the next page */
struct slice
snapshot_token(const struct snapshot_set *set)
{
	return set->token;
}

/* snapshot_refused - rows that a person wrote, and wrote wrong */
size_t
snapshot_refused(const struct snapshot_set *set, const char **first)
{
	*first = set->first;
	return set->refused;
}

/* --- the end -------------------------------------------------------------- */

/* by_bytes - shorter first where one begins like the other */
static int
by_bytes(struct slice a, struct slice b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int rc = n > 0 ? memcmp(a.p, b.p, n) : 0;

	return rc != 0 ? rc : (a.n > b.n) - (a.n < b.n);
}

/* series - are they about the same figure? */
static int
series(const struct snapshot *a, const struct snapshot *b)
{
	int rc = by_bytes(a->provider, b->provider);

	if (rc == 0)
		rc = by_bytes(a->subject, b->subject);
	return rc != 0 ? rc : by_bytes(a->metric, b->metric);
}

/* by_series - for qsort */
static int
by_series(const void *x, const void *y)
{
	const struct snapshot_item *a = x, *b = y;
	int rc = series(&a->row, &b->row);

	if (rc != 0)
		return rc;
	if (a->row.begin != b->row.begin)
		return a->row.begin < b->row.begin ? -1 : 1;
	return a->order < b->order ? -1 : 1;
}

/* same - do they say the same? */
static bool
same(const struct snapshot *a, const struct snapshot *b)
{
	return a->state == b->state && a->end == b->end &&
	    a->upper == b->upper && slice_eq(a->value, b->value);
}

/* one_each - rows in order; two about one day become one */
static void
one_each(struct snapshot_set *set)
{
	size_t kept = 0;

	if (set->n > 0)
		qsort(set->items, set->n, sizeof(*set->items), by_series);
	for (size_t i = 0; i < set->n; i++) {
		struct snapshot_item *last = kept > 0 ?
		    &set->items[kept - 1] : NULL, *item = &set->items[i];

		if (last == NULL || series(&last->row, &item->row) != 0 ||
		    last->row.begin != item->row.begin) {
			set->items[kept++] = *item;
			continue;
		}
		if (same(&last->row, &item->row))
			continue;
		if (slice_is(item->row.metric, SNAPSHOT_WHOLE)) {
			*last = *item;		/* the later one says more */
			continue;
		}
		if (last->row.end < item->row.end)
			last->row.end = item->row.end;
		snapshot_say(set, last, SNAPSHOT_API_ERROR, "two values came "
		    "for it, and they differ");
	}
	set->n = kept;
}

/* absent - a day of that series of which nothing came */
static void
absent(struct snapshot_set *set, const struct snapshot *like, int32_t begin,
    int32_t end)
{
	struct snapshot_item *item;
	struct snapshot row = *like;

	item = snapshot_add(set, "", row.subject, row.metric);
	item->row.provider = row.provider;
	item->row.subject_type = row.subject_type;
	item->row.unit = row.unit;
	item->row.taken = row.taken;
	memcpy(item->row.raw, row.raw, sizeof(row.raw));
	item->row.begin = begin;
	item->row.end = end;
	item->row.state = SNAPSHOT_NO_DATA;
}

/* span - which days a subject's series should have */
static bool
span(const struct snapshot_set *set, size_t from, size_t until, int32_t *low,
    int32_t *high)
{
	bool some = false;

	*low = set->ask.begin;
	*high = set->ask.end;
	for (size_t i = from; i < until; i++) {
		const struct snapshot_item *item = &set->items[i];

		if (!item->daily)
			continue;
		if (set->ask.begin == 0) {
			if (!some || item->row.begin < *low)
				*low = item->row.begin;
			if (!some || item->row.begin > *high)
				*high = item->row.begin;
		}
		some = true;
	}
	return some && *high >= *low && *high - *low < DAYS_MOST;
}

/* fill_subject - items [from, until) are of one subject, in order */
static void
fill_subject(struct snapshot_set *set, size_t from, size_t until)
{
	int32_t low, high, day;

	if (!span(set, from, until, &low, &high))
		return;
	for (size_t i = from; i < until && !set->failed;) {
		struct snapshot like = set->items[i].row;
		bool daily = set->items[i].daily;

		for (day = low; i < until && series(&like,
		    &set->items[i].row) == 0; i++)
			for (; daily && day <= high &&
			    day <= set->items[i].row.begin; day++)
				if (day < set->items[i].row.begin)
					absent(set, &like, day, day);
		for (; daily && day <= high; day++)
			absent(set, &like, day, day);
	}
}

/* fill - every subject's missing days, and metrics of which nothing came */
static void
fill(struct snapshot_set *set)
{
	size_t n = set->n;

	for (size_t i = 0, j; i < n; i = j) {
		for (j = i + 1; j < n && slice_eq(set->items[i].row.subject,
		    set->items[j].row.subject) && slice_eq(
		    set->items[i].row.provider, set->items[j].row.provider);)
			j++;
		fill_subject(set, i, j);
	}
}

/* asked - of a metric that was asked for and nothing came of: no data */
static void
asked(struct snapshot_set *set)
{
	size_t n = set->n;
	char address[64];

	for (const char *const *m = set->ask.metrics; m != NULL && *m != NULL;
	    m++) {
		struct snapshot like = { .provider = set->ask.provider,
		    .subject = set->ask.subject, .metric = slice_of(*m),
		    .taken = set->ask.taken, .unit = SLICE("") };
		bool came = set->ask.subject.n == 0;

		like.subject_type = slice_of(snapshot_address(like.subject,
		    address) ? "address" : "domain");
		for (size_t i = 0; i < n && !came; i++)
			came = slice_is(set->items[i].row.metric, *m);
		if (!came)
			absent(set, &like, set->ask.begin, set->ask.end);
	}
}

/* snapshot_end - in order, whole */
int
snapshot_end(struct snapshot_set *set, struct why *why)
{
	bool bad = false;

	one_each(set);
	snapshot_google_end(set);
	for (size_t i = 0; i < set->n; i++)
		bad = bad || slice_is(set->items[i].row.metric,
		    SNAPSHOT_WHOLE);
	if (set->n == 0 && set->refused == 0)
		snapshot_whole(set, SNAPSHOT_NO_DATA, "there is nothing in "
		    "it: too little mail for figures, or not this subject");
	else if (!bad)
		asked(set);
	one_each(set);
	fill(set);
	one_each(set);
	if (enough(set, why) == -1)
		return -1;
	free(set->rows);
	set->nrows = 0;
	if ((set->rows = calloc(set->n + 1, sizeof(*set->rows))) == NULL)
		return why_kind(why, WHY_MEMORY, "no memory for the rows");
	for (size_t i = 0; i < set->n; i++)
		set->rows[set->nrows++] = set->items[i].row;
	return 0;
}

/* snapshot_rows - after the end */
const struct snapshot *
snapshot_rows(const struct snapshot_set *set, size_t *n)
{
	*n = set->nrows;
	return set->rows;
}
