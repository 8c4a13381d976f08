/*
 * backoff - penstock backoff list and lift: which providers want less of whose
 * mail, and the word of a person that ends it.
 *
 * As with breakers a row of outcomes/ says when one began and the desk when it
 * was lifted; the later of both counts, and neither penstock-ingest nor the
 * gate has to run for it.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/text.h"
#include "tools/decision.h"
#include "tools/stopped.h"

static const char list_usage[] = "penstock backoff list [TENANT] [--json]";
static const char list_help[] =
"Shows the back-offs that are in force: whose mail, to which provider (or to\n"
"which domain, where nobody knows its provider), what it gets until when, and\n"
"the rule and the answers that made it so.\n\n"
"  --json    one JSON object a line\n\n"
"Exit status: 0 shown, 3 something is broken.\n";
static const char lift_usage[] = "penstock backoff lift TENANT | --address "
    "ADDRESS [PROVIDER|DOMAIN]\n                             --reason TEXT "
    "[--json]";
static const char lift_help[] =
"Ends the back-offs of a tenant (or of one of our addresses) to that provider\n"
"or domain, or all of them; what is counted begins anew.\n\n"
"  --address ADDRESS  of ours, that mail leaves from\n"
"  --reason TEXT      one line; the audit log keeps it\n"
"  --json             one JSON object\n\n"
"Exit status: 0 lifted, 1 there is no such tenant, or nothing is in force; 3\n"
"not recorded, or not in force within 5 s.\n";

struct listing {
	struct live	*live;
	struct slice	 address, to;		/* lift: p NULL: not asked */
	struct table	*table;			/* NULL: none is printed */
	bool		 json;
	size_t		 n;
	struct slice	 first;			/* for the desk */
};

/* print_json - one line */
static void
print_json(const struct listing *l, const struct stopped_backoff *s)
{
	const struct backoff_entry *e = s->entry;
	const struct { const char *name; struct slice text; } fields[] = {
		{ s->row->address ? "address" : "tenant", s->row->whose },
		{ s->row->domain ? "domain" : "provider", s->row->to },
		{ "rule", e->rule }, { "place", e->place },
		{ "action", slice_of(backoff_action_names[e->action]) },
		{ "policy", slice_of(s->policy) }, { "reply", e->reply } };
	struct buf b = BUF_INIT;

	buf_char(&b, '{');
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		buf_json_member(&b, fields[i].name, fields[i].text);
	if (e->action == BACKOFF_SLOW) {
		buf_str(&b, "\"rate\":");
		buf_json(&b, slice_of(stopped_pace(l->live->arena, e)));
		buf_char(&b, ',');
	}
	buf_printf(&b, "\"since\":%lld,\"until\":%lld,\"answers\":%llu,"
	    "\"window\":%lld}\n", (long long)e->since, (long long)s->until,
	    (unsigned long long)e->hits, (long long)e->window);
	if (!buf_failed(&b))
		fwrite(b.data, 1, b.len, stdout);
	buf_free(&b);
}

/* show - one that is in force */
static void
show(void *with, const struct stopped_backoff *s)
{
	struct listing *l = with;
	const struct backoff_entry *e = s->entry;
	char until[128];
	struct quoted q;

	if ((l->address.p != NULL && (!s->row->address ||
	    !slice_eq(l->address, s->row->whose))) ||
	    (l->to.p != NULL && !slice_eq(l->to, s->row->to)))
		return;
	l->n++;
	if (l->first.p == NULL)
		l->first = slice_of(arena_printf(l->live->arena, "back-off "
		    "rule %.*s: %s to %.*s", SLICE_ARG(e->rule),
		    backoff_action_names[e->action], SLICE_ARG(s->row->to)));
	if (l->json)
		print_json(l, s);
	if (l->table == NULL)
		return;
	stopped_cell(l->table, s->row->whose);
	stopped_cell(l->table, s->row->to);
	table_cell(l->table, "%s%s%s", backoff_action_names[e->action],
	    e->action == BACKOFF_SLOW ? " " : "", e->action == BACKOFF_SLOW ?
	    stopped_pace(l->live->arena, e) : "");
	table_cell(l->table, "%s", zone_print(s->zone, s->until +
	    (CLOCK_MINUTE - 1), until, sizeof(until)));
	table_cell(l->table, "%s", s->policy);
	table_cell(l->table, "%.*s (%.*s)", SLICE_ARG(e->rule),
	    SLICE_ARG(e->place));
	table_cell(l->table, "%llu: %s", (unsigned long long)e->hits,
	    text_quote(e->reply, &q));
}

/* walk - all rows, or a tenant's */
static int
walk(struct listing *l, struct slice tenant)
{
	struct why why;

	return stopped_backoffs(l->live, tenant, show, l, &why) == -1 ?
	    tool_fail(TOOL_BROKEN, "%s", why.text) : TOOL_OK;
}

/* tool_backoff_list - who wants less */
int
tool_backoff_list(const struct tool *tool, int argc, char **argv)
{
	static const char *const heads[] = { "WHOSE", "TO", "ACTION", "UNTIL",
	    "POLICY", "RULE", "ANSWERS", NULL };
	struct live live = { .config = NULL };
	struct listing l = { .live = &live };
	struct slice tenant = SLICE_NONE;
	int status;

	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			printf("usage: %s\n\n%s", list_usage, list_help);
			return TOOL_OK;
		}
		if (strcmp(argv[i], "--json") == 0)
			l.json = true;
		else if (argv[i][0] == '-' || tenant.p != NULL)
			return tool_usage(list_usage);
		else
			tenant = slice_of(argv[i]);
	}
	status = live_open(tool, LIVE_MAY_LACK | LIVE_POLICY, &live);
	if (status == TOOL_OK) {
		if (!l.json)
			l.table = table_new(heads, "<<<<<<<");
		status = walk(&l, tenant);
		if (l.table != NULL && l.n > 0)
			table_print(l.table, stdout, tool->color);
		if (l.table != NULL && l.n == 0 && status == TOOL_OK)
			printf("no provider wants less mail\n");
		table_free(l.table);
	}
	live_close(&live);
	return status;
}

struct asked {
	const char	*address, *words[2];
	size_t		 nwords;
};

/* arguments - TENANT or --address, PLACE, and options; -1: go on */
static int
arguments(struct decision *d, int argc, char **argv, struct asked *asked)
{
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			printf("usage: %s\n\n%s", lift_usage, lift_help);
			return TOOL_OK;
		}
		if (strcmp(argv[i], "--address") == 0 && i + 1 < argc)
			asked->address = argv[++i];
		else if (decision_option(d, argc, argv, &i))
			continue;
		else if (argv[i][0] == '-' || asked->nwords == 2)
			return tool_usage(lift_usage);
		else
			asked->words[asked->nwords++] = argv[i];
	}
	return asked->nwords > (asked->address != NULL ? 1 : 2) ||
	    (asked->address == NULL && asked->nwords == 0) ||
	    (asked->address != NULL && strchr(asked->address, ' ') != NULL) ||
	    d->until != NULL || d->stream != NULL || d->provider != NULL ?
	    tool_usage(lift_usage) : -1;
}

/* record - what the desk is told; NULL: no memory */
static const char *
record(struct decision *d, const struct asked *asked, const char *place,
    const struct listing *l)
{
	const char *to = place != NULL ? place : ORDERS_ALL_BREAKERS;
	const char *object = asked->address != NULL ? arena_printf(
	    d->live.arena, "%s %s", asked->address, to) : to;

	if (object == NULL)
		return NULL;
	d->record.object = slice_of(object);
	d->record.before = l->first;
	d->record.after = SLICE("lifted");
	return arena_printf(d->live.arena, "%s %s: %zu back-off%s lifted",
	    asked->address != NULL ? "address" : "tenant",
	    asked->address != NULL ? asked->address : asked->words[0], l->n,
	    l->n == 1 ? " is" : "s are");
}

/* lift - what is there, and the record */
static int
lift(struct decision *d, const struct asked *asked)
{
	struct listing l = { .live = &d->live };
	const char *place = asked->words[asked->address != NULL ? 0 : 1];
	const char *said;
	int status;

	if (place != NULL)
		l.to = slice_of(place);
	if (asked->address != NULL)
		l.address = slice_of(asked->address);
	if ((status = walk(&l, d->record.tenant)) != TOOL_OK)
		return status;
	if (l.n == 0)
		return tool_fail(TOOL_NO, "no back-off of %s%s%s is in force; "
		    "penstock backoff list shows those that are",
		    asked->address != NULL ? asked->address :
		    asked->words[0], place != NULL ? " to " : "",
		    place != NULL ? place : "");
	said = record(d, asked, place, &l);
	return said == NULL ? tool_fail(TOOL_BROKEN, "out of memory") :
	    decision_make(d, said);
}

/* tool_backoff_lift - a person says that it may go on */
int
tool_backoff_lift(const struct tool *tool, int argc, char **argv)
{
	struct decision d = { .tool = tool, .record.kind = DESK_BACKOFF_LIFT };
	struct asked asked = { .address = NULL };
	const struct tenant *t;
	int status;

	if ((status = arguments(&d, argc, argv, &asked)) != -1)
		return status;
	status = decision_begin(&d, LIVE_MAY_LACK | LIVE_POLICY, false);
	if (status == TOOL_OK && asked.address == NULL)
		status = decision_tenant(&d, asked.words[0], &t);
	if (status == TOOL_OK)
		status = lift(&d, &asked);
	decision_end(&d);
	return status;
}
