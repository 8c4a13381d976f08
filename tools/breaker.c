/*
 * breaker - penstock breaker list and lift: which breakers tripped, and the
 * word of a person that ends it.
 *
 * A row of outcomes/ says when one tripped; the desk says when it was lifted;
 * the later of both counts.  So to lift one needs neither penstock-ingest nor
 * the gate to run.
 */
#include <stdlib.h>
#include <string.h>

#include "tools/decision.h"
#include "tools/stopped.h"

static const char list_usage[] = "penstock breaker list [TENANT] [--json]";
static const char list_help[] =
"Shows the breakers that tripped and that nobody lifted yet: whose, how much\n"
"went wrong, and what their mail gets.\n\n"
"  --json    one JSON object a line\n\n"
"Exit status: 0 shown, 3 something is broken.\n";
static const char lift_usage[] = "penstock breaker lift TENANT [BREAKER] "
    "--reason TEXT [--json]";
static const char lift_help[] =
"Lets the mail flow again that a breaker stopped, of that name or all of the\n"
"tenant's; what is counted begins anew. What it holds stays held until\n"
"penstock hold release.\n\n"
"  --reason TEXT  one line; the audit log keeps it\n"
"  --json         one JSON object\n\n"
"Exit status: 0 lifted, 1 there is no such tenant, or nothing tripped; 3 not\n"
"recorded, or not in force within 5 s.\n";

struct listing {
	struct live	*live;
	struct slice	 tenant, breaker;	/* p NULL: all */
	struct table	*table;			/* NULL: none is printed */
	bool		 json;
	size_t		 n;
	struct slice	 first;			/* what tripped, for the desk */
};

/* print_json - one line */
static void
print_json(const struct listing *l, const struct trip *t)
{
	const struct { const char *name; struct slice text; } fields[] = {
		{ "tenant", t->tenant }, { "breaker", t->breaker },
		{ "stream", t->stream }, { "login", t->login },
		{ "when", t->when },
		{ "action", slice_of(stopped_action(l->live, t)) } };
	struct buf b = BUF_INIT;

	buf_char(&b, '{');
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		buf_json_member(&b, fields[i].name, fields[i].text);
	buf_printf(&b, "\"time\":%lld,\"bad\":%llu,\"all\":%llu,"
	    "\"window\":%lld}\n", (long long)t->time,
	    (unsigned long long)t->bad, (unsigned long long)t->all,
	    (long long)t->window);
	if (!buf_failed(&b))
		fwrite(b.data, 1, b.len, stdout);
	buf_free(&b);
}

/* show - one that nobody lifted */
static void
show(void *with, const struct trip *t)
{
	struct listing *l = with;
	const struct policy *p = l->live->policy;
	char since[128];

	if (l->breaker.p != NULL && !slice_eq(l->breaker, t->breaker))
		return;
	l->n++;
	if (l->first.p == NULL)
		l->first = slice_of(arena_printf(l->live->arena, "breaker "
		    "%.*s tripped: %llu of %llu %.*s", SLICE_ARG(t->breaker),
		    (unsigned long long)t->bad, (unsigned long long)t->all,
		    SLICE_ARG(t->when)));
	if (l->json)
		print_json(l, t);
	if (l->table == NULL)
		return;
	stopped_cell(l->table, t->tenant);
	stopped_cell(l->table, t->breaker);
	stopped_cell(l->table, t->stream);
	stopped_cell(l->table, t->login);
	table_cell(l->table, "%s", zone_print(p != NULL ? p->zone :
	    zone_utc(), t->time, since, sizeof(since)));
	table_cell(l->table, "%llu of %llu %.*s", (unsigned long long)t->bad,
	    (unsigned long long)t->all, SLICE_ARG(t->when));
	table_cell(l->table, "%s", stopped_action(l->live, t));
}

/* walk - all rows, if there is a store */
static int
walk(struct listing *l)
{
	struct why why;

	return stopped_breakers(l->live, l->tenant, show, l, &why) == -1 ?
	    tool_fail(TOOL_BROKEN, "%s", why.text) : TOOL_OK;
}

/* tool_breaker_list - what is stopped */
int
tool_breaker_list(const struct tool *tool, int argc, char **argv)
{
	static const char *const heads[] = { "TENANT", "BREAKER", "STREAM",
	    "LOGIN", "SINCE", "RECIPIENTS", "ACTION", NULL };
	struct live live = { .config = NULL };
	struct listing l = { .live = &live };
	int status;

	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			printf("usage: %s\n\n%s", list_usage, list_help);
			return TOOL_OK;
		}
		if (strcmp(argv[i], "--json") == 0)
			l.json = true;
		else if (argv[i][0] == '-' || l.tenant.p != NULL)
			return tool_usage(list_usage);
		else
			l.tenant = slice_of(argv[i]);
	}
	status = live_open(tool, LIVE_MAY_LACK | LIVE_POLICY, &live);
	if (status == TOOL_OK) {
		if (!l.json)
			l.table = table_new(heads, "<<<<<<<");
		status = walk(&l);
		if (l.table != NULL && l.n > 0)
			table_print(l.table, stdout, tool->color);
		if (l.table != NULL && l.n == 0 && status == TOOL_OK)
			printf("no breaker is tripped\n");
		table_free(l.table);
	}
	live_close(&live);
	return status;
}

/* arguments - TENANT, BREAKER and options; -1: go on */
static int
arguments(struct decision *d, int argc, char **argv, const char *words[2])
{
	size_t n = 0;

	words[0] = words[1] = NULL;
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			printf("usage: %s\n\n%s", lift_usage, lift_help);
			return TOOL_OK;
		}
		if (decision_option(d, argc, argv, &i))
			continue;
		if (argv[i][0] == '-' || n == 2)
			return tool_usage(lift_usage);
		words[n++] = argv[i];
	}
	return n == 0 || d->until != NULL || d->stream != NULL ||
	    d->provider != NULL ? tool_usage(lift_usage) : -1;
}

/* tool_breaker_lift - a person says that it may go on */
int
tool_breaker_lift(const struct tool *tool, int argc, char **argv)
{
	struct decision d = { .tool = tool, .record.kind = DESK_BREAKER_LIFT };
	struct listing l = { .live = &d.live };
	const struct tenant *t;
	const char *words[2], *said;
	int status;

	if ((status = arguments(&d, argc, argv, words)) != -1)
		return status;
	if ((status = decision_begin(&d, LIVE_MAY_LACK | LIVE_POLICY,
	    false)) != TOOL_OK ||
	    (status = decision_tenant(&d, words[0], &t)) != TOOL_OK)
		goto out;
	l.tenant = d.record.tenant;
	l.breaker = words[1] != NULL ? slice_of(words[1]) : SLICE_NONE;
	if ((status = walk(&l)) != TOOL_OK)
		goto out;
	if (l.n == 0) {
		status = tool_fail(TOOL_NO, "no breaker %s%sof tenant %s is "
		    "tripped; penstock breaker list shows those that are",
		    words[1] != NULL ? words[1] : "", words[1] != NULL ? " " :
		    "", words[0]);
		goto out;
	}
	d.record.object = words[1] != NULL ? slice_of(words[1]) :
	    SLICE(ORDERS_ALL_BREAKERS);
	d.record.before = l.first;
	d.record.after = SLICE("lifted");
	said = arena_printf(d.live.arena, "tenant %s: %zu tripped breaker%s "
	    "lifted", words[0], l.n, l.n == 1 ? " is" : "s are");
	status = decision_make(&d, said != NULL ? said : "lifted");
out:
	decision_end(&d);
	return status;
}
