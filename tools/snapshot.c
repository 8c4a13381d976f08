/*
 * snapshot - penstock snapshot list, and what its brothers share.
 *
 * Of each series the latest period is shown: what a person would see in the
 * console of the provider on the day it was taken.  A row that says an answer
 * had no figures is shown until an answer of that subject had some.
 */
#include "tools/snapshot.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/date.h"
#include "lib/event.h"
#include "lib/keyword.h"
#include "lib/text.h"
#include "policy/progress.h"
#include "reputation/watch.h"

static const char usage[] =
    "penstock snapshot list [--provider P] [--subject S] [--all] [--json]\n"
    "  what providers said of us, as files and calls brought it; of each\n"
    "  figure the latest, with --all every day of it";

struct list {
	const struct tool *tool;
	struct config	*config;
	struct arena	*arena;
	const char	*provider, *subject;
	bool		 all, json;
	int64_t		 now;
	struct snapshot	*rows;
	size_t		 n, cap;
	bool		 failed;
};

/* --- shared --------------------------------------------------------------- */

/* snapshot_stores - for reading */
int
snapshot_stores(const struct config *config, struct snapshot_stores *s)
{
	char *watch = xasprintf("%s/watch", config->store);
	char *desk = xasprintf("%s/desk", config->store);
	struct why why;
	int status = TOOL_OK;

	memset(s, 0, sizeof(*s));
	if (watch_open_read(&s->watch, watch, &why) == -1 ||
	    desk_open_read(&s->desk, desk, &why) == -1)
		status = tool_fail(TOOL_BROKEN, "%s", why.text);
	free(watch);
	free(desk);
	return status;
}

/* snapshot_stores_close - what is open of them */
void
snapshot_stores_close(struct snapshot_stores *s)
{
	db_close(s->watch);
	desk_close(s->desk);
	memset(s, 0, sizeof(*s));
}

/* snapshot_provider - as rows have it */
const char *
snapshot_provider(struct arena *arena, const char *name)
{
	struct quoted q;
	char *copy;

	if (!keyword_is_name(slice_of(name)) ||
	    strlen(name) > SNAPSHOT_PROVIDER ||
	    (copy = arena_printf(arena, "%s", name)) == NULL) {
		tool_fail(TOOL_USAGE, "--provider: %s is no name of a "
		    "provider; google, microsoft and dnsbl are read in their "
		    "own formats, others as CSV", text_quote(slice_of(name),
		    &q));
		return NULL;
	}
	for (char *p = copy; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	return copy;
}

/* snapshot_budget - as if it were asked for now, by a person */
int
snapshot_budget(const struct config *config, struct db *watch,
    struct slice provider, struct slice subject, int64_t now,
    struct budget_answer *answer, struct why *why)
{
	struct budget_rules rules;
	struct budget_ask ask = { .provider = provider, .now = now,
	    .subject = slice_is(provider, "microsoft") ?
	    SLICE(SNAPSHOT_ACCOUNT) : subject, .request = UINT64_MAX };

	memset(answer, 0, sizeof(*answer));
	if (watch == NULL)
		return 0;
	budget_rules_of(config, provider, &rules);
	return budget_look(watch, &rules, &ask, answer, why);
}

/* snapshot_date - ISO 8601 */
const char *
snapshot_date(int32_t days, char room[16])
{
	int64_t year;
	int month, day;

	date_of(days, &year, &month, &day);
	(void)snprintf(room, 16, "%04d-%02d-%02d", (int)(year % 10000), month,
	    day);
	return room;
}

/* --- rows ----------------------------------------------------------------- */

/* kept - a copy that outlives the store */
static struct slice
kept(struct list *l, struct slice s)
{
	struct slice copy = arena_copy(l->arena, s);

	if (copy.p == NULL)
		l->failed = true;
	return copy;
}

/* series - do both rows say the same figure? */
static bool
series(const struct snapshot *a, const struct snapshot *b)
{
	return slice_eq(a->provider, b->provider) &&
	    slice_eq(a->subject, b->subject) && slice_eq(a->metric, b->metric);
}

/* meant - is it asked for? */
static bool
meant(const struct list *l, const struct snapshot *s)
{
	return (l->provider == NULL || slice_is(s->provider, l->provider)) &&
	    (l->subject == NULL || slice_case_eq(s->subject,
	    slice_of(l->subject)));
}

/* take - a row, for snapshots_each; of a series the last one replaces */
static bool
take(void *with, const struct snapshot *s)
{
	struct list *l = with;
	struct snapshot *row;

	if (!meant(l, s))
		return true;
	if (!l->all && l->n > 0 && series(&l->rows[l->n - 1], s))
		l->n--;
	if (l->n == l->cap) {
		l->cap = l->cap > 0 ? l->cap * 2 : 256;
		l->rows = xrealloc(l->rows, l->cap * sizeof(*l->rows));
	}
	row = &l->rows[l->n++];
	*row = *s;
	row->provider = kept(l, s->provider);
	row->subject_type = kept(l, s->subject_type);
	row->subject = kept(l, s->subject);
	row->metric = kept(l, s->metric);
	row->value = kept(l, s->value);
	row->unit = kept(l, s->unit);
	row->source = kept(l, s->source);
	row->note = kept(l, s->note);
	return !l->failed;
}

/* over - a row about a whole answer, and a later answer had figures? */
static bool
over(const struct list *l, const struct snapshot *s)
{
	if (l->all || !slice_is(s->metric, SNAPSHOT_WHOLE))
		return false;
	for (size_t i = 0; i < l->n; i++) {
		const struct snapshot *r = &l->rows[i];

		if (slice_eq(r->provider, s->provider) &&
		    (slice_eq(r->subject, s->subject) ||
		    slice_is(s->subject, SNAPSHOT_ACCOUNT)) &&
		    !slice_is(r->metric, SNAPSHOT_WHOLE) &&
		    r->taken > s->taken)
			return true;
	}
	return false;
}

/* --- two voices ----------------------------------------------------------- */

/* next_of - when it may be asked again, us; 0: any time, or nobody asks */
static int64_t
next_of(const struct list *l, struct db *watch, const struct snapshot *s)
{
	struct budget_answer answer;
	struct why why;

	if (budget_credentials(l->config, s->provider) == NULL)
		return s->next;
	return snapshot_budget(l->config, watch, s->provider, s->subject,
	    l->now, &answer, &why) == 0 ? answer.next : s->next;
}

/* json_time - "2026-08-03T08:00:00.000000Z", or null */
static void
json_time(struct buf *b, const char *name, int64_t us)
{
	buf_printf(b, ",\"%s\":", name);
	if (us == 0) {
		buf_str(b, "null");
		return;
	}
	buf_char(b, '"');
	event_time(us, b);
	buf_char(b, '"');
}

/* json_row - one of the list */
static void
json_row(const struct list *l, struct db *watch, const struct snapshot *s,
    struct buf *b)
{
	char room[16];

	buf_char(b, '{');
	buf_json_member(b, "provider", s->provider);
	buf_json_member(b, "subject_type", s->subject_type);
	buf_json_member(b, "subject", s->subject);
	buf_json_member(b, "metric", s->metric);
	if (s->value.n > 0)
		buf_json_member(b, "value", s->value);
	else
		buf_str(b, "\"value\":null,");
	buf_json_member(b, "unit", s->unit);
	buf_json_member(b, "source", s->source);
	buf_json_member(b, "note", s->note);
	buf_printf(b, "\"upper\":%s,\"period_start\":\"%s\"", s->upper ?
	    "true" : "false", snapshot_date(s->begin, room));
	buf_printf(b, ",\"period_end\":\"%s\"", snapshot_date(s->end, room));
	json_time(b, "snapshot_date", s->taken);
	json_time(b, "fetched_at", s->fetched);
	json_time(b, "next_eligible_refresh", next_of(l, watch, s));
	buf_str(b, ",\"raw_sha256\":\"");
	for (size_t i = 0; i < sizeof(s->raw); i++)
		buf_printf(b, "%02x", s->raw[i]);
	buf_printf(b, "\",\"state\":\"%s\"}", snapshot_state_names[
	    snapshot_state_at(s, l->now)]);
}

/* warm - has some warmup come to its end?  As penstock-alert asks it */
static bool
warm(const struct list *l)
{
	char *dir = xasprintf("%s/gate", l->config->store);
	struct progress *p = NULL;
	struct store *store = NULL;
	const struct warm_row *rows;
	struct why why;
	bool some = false;
	size_t n;

	if (store_open_read(&store, dir, &why) == 1 &&
	    progress_restore(store, &p, &why) == 0) {
		n = progress_rows(p, &rows);
		for (size_t i = 0; i < n && !some; i++)
			some = rows[i].warmed != 0;
	}
	progress_drop(p);
	store_close(store);
	free(dir);
	return some;
}

/* ask_of - what penstock-alert would be told about a subject now */
static int
ask_of(const struct list *l, struct db *watch, const char *provider,
    struct slice subject, struct budget_answer *answer)
{
	bool google = strcmp(provider, "google") == 0;
	struct budget_ask ask = { .provider = slice_of(provider),
	    .subject = subject, .now = l->now };
	struct budget_rules rules;
	struct why why;

	*answer = (struct budget_answer){ .said = BUDGET_YOUNG };
	if (watch == NULL) {
		(void)snprintf(answer->text, sizeof(answer->text),
		    "penstock-alert has not counted any mail yet");
		return TOOL_OK;
	}
	budget_rules_of(l->config, ask.provider, &rules);
	ask.warm = !google && warm(l);
	if (budget_days(watch, google ? subject : SLICE_NONE, l->now,
	    &ask.days, &why) == -1 || budget_look(watch, &rules, &ask, answer,
	    &why) == -1)
		return tool_fail(TOOL_BROKEN, "%s", why.text);
	return TOOL_OK;
}

/* asked - the i-th subject that penstock.conf has providers asked about */
static bool
asked(const struct list *l, size_t i, const char **provider,
    struct slice *subject)
{
	const struct config *c = l->config;
	size_t n = budget_credentials(c, SLICE("google")) != NULL ?
	    c->snapshot.ngoogle_domains : 0;

	*provider = i < n ? "google" : "microsoft";
	*subject = i < n ? slice_of(c->snapshot.google_domains[i]) :
	    SLICE(SNAPSHOT_ACCOUNT);
	return i < n || (i == n && budget_credentials(c,
	    SLICE("microsoft")) != NULL);
}

/* calls - of this month, of all or of a provider */
static int
calls(const struct list *l, struct db *watch, const char *provider,
    struct budget_answer *answer)
{
	struct why why;

	if (snapshot_budget(l->config, watch, slice_of(provider),
	    SLICE(SNAPSHOT_ACCOUNT), l->now, answer, &why) == -1)
		return tool_fail(TOOL_BROKEN, "%s", why.text);
	return TOOL_OK;
}

/* print_json - one object; the label is in it */
static int
print_json(const struct list *l, struct db *watch)
{
	struct budget_answer google, microsoft, one;
	struct buf b = BUF_INIT;
	const char *provider;
	struct slice subject;
	size_t shown = 0;

	if (calls(l, watch, "google", &google) != TOOL_OK ||
	    calls(l, watch, "microsoft", &microsoft) != TOOL_OK)
		return TOOL_BROKEN;
	buf_str(&b, "{\"schema\":1,\"label\":");
	buf_json(&b, SLICE(SNAPSHOT_LABEL));
	buf_printf(&b, ",\"budget\":{\"calls\":%" PRId64 ",\"of\":%" PRId64
	    ",\"google\":{\"calls\":%" PRId64 ",\"of\":%" PRId64 "}"
	    ",\"microsoft\":{\"calls\":%" PRId64 ",\"of\":%" PRId64
	    "}},\"snapshots\":[", google.central, l->config->snapshot.calls,
	    google.each, l->config->snapshot.google_calls, microsoft.each,
	    l->config->snapshot.microsoft_calls);
	for (size_t i = 0; i < l->n; i++) {
		if (over(l, &l->rows[i]))
			continue;
		buf_str(&b, shown++ > 0 ? ",\n" : "\n");
		json_row(l, watch, &l->rows[i], &b);
	}
	buf_str(&b, "],\"asked\":[");
	for (size_t i = 0; asked(l, i, &provider, &subject); i++) {
		if (ask_of(l, watch, provider, subject, &one) != TOOL_OK) {
			buf_free(&b);
			return TOOL_BROKEN;
		}
		buf_str(&b, i > 0 ? ",\n{" : "\n{");
		buf_json_member(&b, "provider", slice_of(provider));
		buf_json_member(&b, "subject", subject);
		buf_json_member(&b, "why", slice_of(one.text));
		buf_printf(&b, "\"eligible\":%s", one.said == BUDGET_MAY ?
		    "true" : "false");
		json_time(&b, "last_refresh", one.last);
		json_time(&b, "next_eligible_refresh", one.next);
		buf_char(&b, '}');
	}
	buf_str(&b, "]}\n");
	if (buf_failed(&b)) {
		buf_free(&b);
		return tool_fail(TOOL_BROKEN, "out of memory");
	}
	fwrite(b.data, 1, b.len, stdout);
	buf_free(&b);
	return TOOL_OK;
}

/* row - for eyes */
static void
row(const struct list *l, struct db *watch, const struct snapshot *s,
    struct table *t)
{
	int64_t next = next_of(l, watch, s);
	char room[16];

	table_cell(t, "%.*s", SLICE_ARG(s->provider));
	table_cell(t, "%.*s", SLICE_ARG(s->subject));
	table_cell(t, "%.*s", SLICE_ARG(s->metric));
	if (s->value.n == 0)
		table_cell(t, "-");
	else
		table_cell(t, "%s%.*s", s->upper ? "< " : "",
		    (int)(s->value.n < 40 ? s->value.n : 40), s->value.p);
	table_cell(t, "%s", snapshot_date(s->end, room));
	table_cell(t, "%s", snapshot_state_names[snapshot_state_at(s,
	    l->now)]);
	table_cell(t, "%s", snapshot_date((int32_t)(s->taken / CLOCK_DAY),
	    room));
	if (budget_credentials(l->config, s->provider) == NULL)
		table_cell(t, "by file");
	else if (next <= l->now)
		table_cell(t, "now");
	else
		table_cell(t, "%s", snapshot_date((int32_t)(next / CLOCK_DAY +
		    (next % CLOCK_DAY > 0)), room));
	table_cell(t, "%.*s", (int)(s->note.n < 60 ? s->note.n : 60),
	    s->note.n > 0 ? s->note.p : "");
}

/* eligible - who is asked next, and why not now */
static int
eligible(const struct list *l, struct db *watch)
{
	struct budget_answer answer;
	const char *provider;
	struct slice subject;

	for (size_t i = 0; asked(l, i, &provider, &subject); i++) {
		if (ask_of(l, watch, provider, subject, &answer) != TOOL_OK)
			return TOOL_BROKEN;
		printf("%s about %.*s: %s\n", provider, SLICE_ARG(subject),
		    answer.said == BUDGET_MAY ? "next eligible refresh: now" :
		    answer.text);
	}
	return TOOL_OK;
}

/* print_eyes - the label, a table, what is left of the budget */
static int
print_eyes(const struct list *l, struct db *watch)
{
	static const char *const headings[] = { "PROVIDER", "SUBJECT",
		"METRIC", "VALUE", "OF", "STATE", "TAKEN", "NEXT REFRESH",
		"NOTE", NULL };
	struct table *t = table_new(headings, "<<<><<<<<");
	const struct config *c = l->config;
	struct budget_answer google, microsoft;

	for (size_t i = 0; i < l->n; i++)
		if (!over(l, &l->rows[i]))
			row(l, watch, &l->rows[i], t);
	if (calls(l, watch, "google", &google) != TOOL_OK ||
	    calls(l, watch, "microsoft", &microsoft) != TOOL_OK) {
		table_free(t);
		return TOOL_BROKEN;
	}
	printf("%s\n\n", SNAPSHOT_LABEL);
	if (table_rows(t) > 0)
		table_print(t, stdout, l->tool->color);
	else
		printf("nothing yet; penstock snapshot import reads files of "
		    "Google, Microsoft and block lists\n");
	printf("\ncalls this month: %" PRId64 " of %" PRId64 " (google %" PRId64
	    " of %" PRId64 ", microsoft %" PRId64 " of %" PRId64 ")\n",
	    google.central, c->snapshot.calls, google.each,
	    c->snapshot.google_calls, microsoft.each,
	    c->snapshot.microsoft_calls);
	table_free(t);
	return eligible(l, watch);
}

/* --- the command ---------------------------------------------------------- */

/* arguments - TOOL_OK, or what to exit with */
static int
arguments(struct list *l, int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			l->json = true;
		else if (strcmp(argv[i], "--all") == 0)
			l->all = true;
		else if (strcmp(argv[i], "--provider") == 0 && i + 1 < argc) {
			l->provider = snapshot_provider(l->arena, argv[++i]);
			if (l->provider == NULL)
				return TOOL_USAGE;
		} else if (strcmp(argv[i], "--subject") == 0 && i + 1 < argc)
			l->subject = argv[++i];
		else
			return tool_usage(usage);
	}
	return TOOL_OK;
}

/* list - with everything open */
static int
list(struct list *l, const struct snapshot_stores *s)
{
	struct why why;

	if (snapshots_each(s->watch, s->desk != NULL ? desk_db(s->desk) :
	    NULL, INT32_MIN, INT32_MAX, take, l, &why) == -1)
		return tool_fail(TOOL_BROKEN, "%s", why.text);
	if (l->failed)
		return tool_fail(TOOL_BROKEN, "out of memory");
	return l->json ? print_json(l, s->watch) : print_eyes(l, s->watch);
}

/* tool_snapshot_list - penstock snapshot list */
int
tool_snapshot_list(const struct tool *tool, int argc, char **argv)
{
	struct list l = { .tool = tool, .now = clock_wall(),
		.arena = arena_new(1 << 16, 0) };
	struct snapshot_stores stores = { NULL, NULL };
	int status;

	if (tool_asks_help(argc, argv)) {
		arena_free(l.arena);
		return tool_help(usage);
	}
	if (l.arena == NULL)
		return tool_fail(TOOL_BROKEN, "out of memory");
	if ((status = arguments(&l, argc, argv)) == TOOL_OK &&
	    (status = tool_config(tool, &l.config)) == TOOL_OK &&
	    (status = snapshot_stores(l.config, &stores)) == TOOL_OK)
		status = list(&l, &stores);
	snapshot_stores_close(&stores);
	config_free(l.config);
	free(l.rows);
	arena_free(l.arena);
	return status;
}
