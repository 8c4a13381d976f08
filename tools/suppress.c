/*
 * suppress - penstock suppress check, and what its brothers share.
 *
 * All that three stores say of one address, each entry with what becomes of it;
 * and, for a stream or a tenant, the gate's own answer.
 */
#include "tools/suppress.h"

#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/hash.h"
#include "lib/text.h"
#include "tools/desk_state.h"
#include "tools/suppress_row.h"

enum { NOTE = 60 };		/* columns of a remote server's words */

static const char check_usage[] =
    "penstock suppress check ADDRESS [--list TENANT/STREAM | --tenant NAME\n"
    "    [--bulk]] [--json]\n"
    "  with a stream or tenant: may its mail go there? Exit status 1: no";

/* --- shared --------------------------------------------------------------- */

/* suppress_option - one of the four words for a scope */
bool
suppress_option(int argc, char **argv, int *i, struct scope_option *o,
    int *status)
{
	static const char *const words[] = { "--list", "--tenant", "--group",
		"--platform" };
	struct why why;
	unsigned w = 0;

	while (w < SUPPRESS_SCOPES && strcmp(argv[*i], words[w]) != 0)
		w++;
	if (w == SUPPRESS_SCOPES)
		return false;
	if (o->given || (w != SUPPRESS_PLATFORM && *i + 1 >= argc)) {
		*status = tool_fail(TOOL_USAGE, o->given ? "one scope at a "
		    "time, found a second: %s" : "%s needs a name", words[w]);
		return true;
	}
	o->given = true;
	o->scope = (enum suppress_scope)w;
	o->name = w == SUPPRESS_PLATFORM ? "" : argv[++*i];
	if (names_id(o->scope, slice_of(o->name), &o->id, &why) == -1)
		*status = tool_fail(TOOL_USAGE, "%s", why.text);
	return true;
}

/* suppress_known - a typing mistake must not look like a suppression */
int
suppress_known(const struct suppress_tool *t, const struct scope_option *o)
{
	char room[24];

	if (!o->given || o->name[0] == '#' || names_policy(t->names) == NULL ||
	    names_of(t->names, o->scope, o->id, room)[0] != '#')
		return TOOL_OK;
	return tool_fail(TOOL_NO, "the policy has no %s \"%s\"; penstock "
	    "policy show lists what it has", o->scope == SUPPRESS_LIST ?
	    "stream" : suppress_scope_names[o->scope], o->name);
}

/* suppress_begin - everything that is read */
int
suppress_begin(const struct tool *tool, struct suppress_tool *t)
{
	struct why why;
	int status;

	memset(t, 0, sizeof(*t));
	if ((t->arena = arena_new(1 << 16, 0)) == NULL)
		return tool_fail(TOOL_BROKEN, "out of memory");
	t->now = clock_wall();
	if ((status = tool_config(tool, &t->config)) != TOOL_OK)
		return status;
	if (fold_init(&why) == -1 ||
	    suppress_open(&t->lists, t->config->store, 0, &why) == -1 ||
	    suppress_refresh(t->lists, &why) == -1)
		return tool_fail(TOOL_BROKEN, "%s", why.text);
	t->names = names_new(t->config);
	return TOOL_OK;
}

/* suppress_end - whatever there is of it */
void
suppress_end(struct suppress_tool *t)
{
	suppress_close(t->lists);
	desk_close(t->desk);
	names_free(t->names);
	config_free(t->config);
	arena_free(t->arena);
}

/* suppress_desk - LMDB wants an environment open once in a process */
int
suppress_desk(struct suppress_tool *t)
{
	char *dir = xasprintf("%s/desk", t->config->store);
	struct why why;
	int rc;

	suppress_close(t->lists);
	t->lists = NULL;
	if (desk_goes_on_gate(t->config, &why) == -1)
		rc = -1;
	else
		rc = desk_open(&t->desk, dir, (uint64_t)t->config->map_size,
		    &why);
	free(dir);
	return rc == 0 ? TOOL_OK : tool_fail(TOOL_BROKEN, "%s", why.text);
}

/* suppress_whose - a scope and its name */
void
suppress_whose(const struct suppress_tool *t, enum suppress_scope scope,
    uint64_t id, char out[200])
{
	char room[24];
	const char *name = names_of(t->names, scope, id, room);

	snprintf(out, 200, "%s%s%s", suppress_scope_names[scope],
	    name[0] != '\0' ? " " : "", name);
}

/* suppress_subject - all that is known of an address */
int
suppress_subject(struct suppress_tool *t, const char *address,
    struct suppress_subject *s)
{
	struct why why;

	memset(s, 0, sizeof(*s));
	if (fold_text(slice_of(address), t->arena, &s->mailbox, &s->folded,
	    &why) == -1)
		return tool_fail(TOOL_USAGE, "%s", why.text);
	if (suppress_find(t->lists, s->folded.hash, t->arena, s->records,
	    &why) == -1)
		return tool_fail(TOOL_BROKEN, "%s", why.text);
	return TOOL_OK;
}

/* suppress_reason_of - by its name */
int
suppress_reason_of(const char *name)
{
	for (int i = 0; suppress_reason_names[i] != NULL; i++)
		if (strcmp(name, suppress_reason_names[i]) == 0)
			return i;
	return -1;
}

/* --- check ---------------------------------------------------------------- */

struct check {
	const char	*address;
	struct scope_option scope;
	bool		 bulk, json;
};

static const char *const states[] = { "stands", "lifted", "expired",
	"lifts" };

/* arguments - of check; TOOL_OK or what to exit with */
static int
arguments(struct check *c, int argc, char **argv)
{
	int status = TOOL_OK;

	for (int i = 0; i < argc && status == TOOL_OK; i++) {
		if (suppress_option(argc, argv, &i, &c->scope, &status))
			continue;
		if (strcmp(argv[i], "--bulk") == 0)
			c->bulk = true;
		else if (strcmp(argv[i], "--json") == 0)
			c->json = true;
		else if (argv[i][0] == '-' || c->address != NULL)
			return tool_usage(check_usage);
		else
			c->address = argv[i];
	}
	if (status == TOOL_OK && (c->address == NULL || (c->scope.given &&
	    c->scope.scope > SUPPRESS_TENANT)))
		return tool_usage(check_usage);
	return status;
}

/* who_of - the mail that is asked about */
static struct suppress_who
who_of(const struct suppress_tool *t, const struct check *c)
{
	struct slice name = slice_of(c->scope.name);
	const char *slash = memchr(name.p, '/', name.n);
	struct suppress_who who = { .bulk = c->bulk, .now = t->now };
	const struct stream *stream = NULL;
	const struct tenant *tenant;
	struct slice list = SLICE_NONE;

	if (c->scope.scope == SUPPRESS_LIST)
		who.list = c->scope.id;
	if (slash != NULL) {
		list = slice_from(name, (size_t)(slash + 1 - name.p));
		name.n = (size_t)(slash - name.p);
	}
	if (name.n > 0 && name.p[0] != '#')
		who.tenant = hash_id("tenant", name);
	else if (c->scope.scope == SUPPRESS_TENANT)
		who.tenant = c->scope.id;
	if (names_policy(t->names) == NULL || (tenant = policy_tenant(
	    names_policy(t->names), name)) == NULL)
		return who;
	if (tenant->group != NULL)
		who.group = tenant->group->id;
	if (list.n > 0)
		stream = policy_stream(tenant, list);
	if (stream == NULL)
		stream = policy_default(tenant);
	who.complained = stream->complaint_scope == COMPLAINT_TENANT;
	return who;
}

/* each - every entry, by store; a function gets store, entry and state */
static size_t
each(const struct suppress_tool *t, const struct suppress_subject *s,
    void (*show)(const struct suppress_tool *, enum suppress_store,
    const struct suppress_entry *, enum suppress_state, void *), void *with)
{
	enum suppress_state state;
	size_t standing = 0;

	for (int i = 0; i < SUPPRESS_STORES; i++) {
		for (size_t k = 0; k < s->records[i].n; k++) {
			state = suppress_state(s->records,
			    (enum suppress_store)i, &s->records[i].list[k],
			    t->now);
			standing += state == SUPPRESS_STANDS;
			show(t, (enum suppress_store)i,
			    &s->records[i].list[k], state, with);
		}
	}
	return standing;
}

/* show_row - for eyes */
static void
show_row(const struct suppress_tool *t, enum suppress_store store,
    const struct suppress_entry *e, enum suppress_state state, void *with)
{
	char whose[200], date[40], until[40] = "";
	struct table *table = with;

	suppress_whose(t, e->scope, e->id, whose);
	row_print_date(e->date, date);
	if (e->expires != 0)
		row_print_date(e->expires, until);
	table_cell(table, "%s", suppress_store_names[store]);
	table_cell(table, "%s", whose);
	table_cell(table, "%s", e->lift ? "-" :
	    suppress_reason_names[e->reason]);
	table_cell(table, "%s", date);
	table_cell(table, "%s", until);
	table_cell(table, "%s", states[state]);
	table_cell(table, "%.*s", SLICE_ARG(e->source));
	table_cell(table, "%.*s%s", e->note.n < NOTE ? (int)e->note.n : NOTE,
	    e->note.n > 0 ? e->note.p : "", e->note.n > NOTE ? "..." : "");
}

/* show_json - the same as an object */
static void
show_json(const struct suppress_tool *t, enum suppress_store store,
    const struct suppress_entry *e, enum suppress_state state, void *with)
{
	char room[24], date[40];
	struct buf *b = with;

	row_print_date(e->date, date);
	buf_printf(b, "%s{\"store\":\"%s\",\"scope\":\"%s\",\"list\":",
	    b->data[b->len - 1] == '[' ? "" : ",",
	    suppress_store_names[store], suppress_scope_names[e->scope]);
	buf_json(b, slice_of(names_of(t->names, e->scope, e->id, room)));
	buf_printf(b, ",\"reason\":\"%s\",\"state\":\"%s\",\"since\":\"%s\"",
	    suppress_reason_names[e->reason], states[state], date);
	if (e->expires != 0) {
		row_print_date(e->expires, date);
		buf_printf(b, ",\"expires\":\"%s\"", date);
	}
	buf_str(b, ",\"source\":");
	buf_json(b, e->source);
	buf_str(b, ",\"note\":");
	buf_json(b, e->note);
	buf_char(b, '}');
}

/* print - in either voice; the exit status */
static int
print(const struct suppress_tool *t, const struct check *c,
    const struct suppress_subject *s, const struct suppress_hit *hit, int got,
    bool color)
{
	static const char *const headings[] = { "STORE", "SCOPE", "REASON",
		"SINCE", "UNTIL", "STATE", "SOURCE", "NOTE", NULL };
	struct table *table = table_new(headings, "<<<<<<<<");
	struct buf b = BUF_INIT;
	char whose[200];
	size_t standing;
	bool no;

	buf_str(&b, "{\"address\":");
	buf_json(&b, s->mailbox.text);
	buf_str(&b, ",\"folded\":");
	buf_json(&b, (struct slice){ s->folded.text, s->folded.n });
	buf_str(&b, ",\"entries\":[");
	(void)each(t, s, show_json, &b);
	standing = each(t, s, show_row, table);
	no = c->scope.given ? got == 1 : standing > 0;
	buf_printf(&b, "],\"suppressed\":%s}\n", no ? "true" : "false");
	if (c->json) {
		fwrite(b.data, 1, b.len, stdout);
	} else if (s->records[0].n + s->records[1].n + s->records[2].n > 0) {
		table_print(table, stdout, color);
	} else {
		printf("nobody said anything of %.*s\n",
		    SLICE_ARG(s->mailbox.text));
	}
	if (!c->json && c->scope.given) {
		if (no)
			suppress_whose(t, hit->scope, hit->id, whose);
		printf(no ? "%s mail of %s: no (%s, %s)\n" :
		    "%s mail of %s: yes\n", c->bulk ? "bulk" : "other",
		    c->scope.name, no ? whose : "", no ?
		    suppress_reason_names[hit->reason] : "");
	}
	table_free(table);
	buf_free(&b);
	return no ? TOOL_NO : TOOL_OK;
}

/* tool_suppress_check - penstock suppress check */
int
tool_suppress_check(const struct tool *tool, int argc, char **argv)
{
	struct check c = { .address = NULL };
	struct suppress_tool t;
	struct suppress_subject s;
	struct suppress_hit hit = { .date = 0 };
	struct suppress_who who;
	struct why why;
	int status, got = 0;

	if (tool_asks_help(argc, argv))
		return tool_help(check_usage);
	if ((status = arguments(&c, argc, argv)) != TOOL_OK)
		return status;
	if ((status = suppress_begin(tool, &t)) != TOOL_OK ||
	    (status = suppress_known(&t, &c.scope)) != TOOL_OK ||
	    (status = suppress_subject(&t, c.address, &s)) != TOOL_OK)
		goto out;
	if (c.scope.given) {
		who = who_of(&t, &c);
		got = suppress_check(t.lists, s.folded.hash, &who, &hit,
		    &why);
	}
	status = got == -1 ? tool_fail(TOOL_BROKEN, "%s", why.text) :
	    print(&t, &c, &s, &hit, got, tool->color);
out:
	suppress_end(&t);
	return status;
}
