/*
 * tenant_list - penstock tenant list: who there is, in which form, and who is
 * kept from sending by what.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "tools/tenant_auto.h"

static const char usage[] = "penstock tenant list [--json]";

struct claims {				/* of one tenant */
	const struct tenant *tenant;
	size_t		 logins, clients;
};

struct census {
	struct live	 live;
	struct claims	*list;		/* by address of the tenant */
	size_t		 n;
	const struct tenant **all;	/* as they are shown */
	size_t		 nall;
	struct autos	 autos;
};

/* by_tenant - for qsort and bsearch */
static int
by_tenant(const void *va, const void *vb)
{
	const struct claims *a = va, *b = vb;

	return a->tenant < b->tenant ? -1 : a->tenant > b->tenant;
}

/* claims_of - its place in the list */
static struct claims *
claims_of(const struct census *c, const struct tenant *t)
{
	struct claims key = { .tenant = t };

	return bsearch(&key, c->list, c->n, sizeof(key), by_tenant);
}

/* count - callback per login and client */
static void
count(void *with, const struct tenant *t, const char *word)
{
	struct claims *claims = claims_of(with, t);

	if (claims == NULL)
		return;
	if (strcmp(word, "logins") == 0)
		claims->logins++;
	else
		claims->clients++;
}

struct pause {				/* what keeps a tenant as a whole */
	struct slice	 rule, reason;	/* rule.n 0: nothing */
	int64_t		 until;
};

/* paused - the policy first, as the gate asks */
static struct pause
paused(struct live *live, const struct tenant *t)
{
	struct pause p = { .until = 0 };
	struct place at = { NULL, 0, 0 };
	const struct order *o;

	if (t->paused != NULL) {
		at = t->paused_at;
		p.reason = slice_of(t->paused);
	} else if (t->group != NULL && t->group->paused != NULL) {
		at = t->group->paused_at;
		p.reason = slice_of(t->group->paused);
	} else if ((o = orders_pause(live->orders, t->id, 0, ORDERS_ALL,
	    live->now)) != NULL) {
		at = orders_place(o);
		p.reason = o->record->reason;
		p.until = o->until;
	}
	if (at.file != NULL)
		p.rule = policy_rule(live->policy, at, live->arena);
	return p;
}

/* parts - other pauses and grants of the desk in force: how many */
static size_t
parts(const struct live *live, const struct tenant *t, unsigned kind)
{
	const struct order *o;
	size_t left = orders_list(live->orders, t->id, &o), n = 0;

	for (; left > 0; left--, o++)
		if (o->kind == kind && (o->until == 0 ||
		    o->until > live->now) && (kind != DESK_PAUSE ||
		    o->stream != 0 || o->record->provider.n > 0))
			n++;
	return n;
}

/* state - for eyes */
static const char *
state(struct live *live, const struct tenant *t)
{
	struct pause p = paused(live, t);
	size_t pauses = parts(live, t, DESK_PAUSE);
	size_t grants = parts(live, t, DESK_GRANT);
	char part[64] = "", until[128] = "", when[112];
	const char *text;

	if (pauses > 0)
		snprintf(part, sizeof(part), ", parts paused: %zu", pauses);
	if (grants > 0)
		snprintf(part + strlen(part), sizeof(part) - strlen(part),
		    ", grants: %zu", grants);
	if (p.rule.n == 0)
		text = arena_printf(live->arena, "%s%s",
		    t->form == FORM_BROKEN ? "deferred" : "sends", part);
	else {
		if (p.until != 0)
			snprintf(until, sizeof(until), " until %s",
			    zone_print(t->zone != NULL ? t->zone :
			    live->policy->zone, p.until, when, sizeof(when)));
		text = arena_printf(live->arena, "paused by %.*s%s: %.*s%s",
		    SLICE_ARG(p.rule), until, SLICE_ARG(p.reason), part);
	}
	return text != NULL ? text : "?";
}

/* dash - nothing is shown as "-" */
static struct slice
dash(struct slice s)
{
	return s.n > 0 ? s : SLICE("-");
}

/* form - as its file says, or that there is none */
static const char *
form(const struct tenant *t)
{
	return !t->automatic ? form_names[t->form] : t->nstreams > 0 ?
	    "auto" : "gone";
}

/* print_eyes - a table */
static void
print_eyes(struct census *c, bool color)
{
	static const char *const heads[] = { "NAME", "GROUP", "CLASS", "FORM",
	    "STREAMS", "LOGINS", "CLIENTS", "STATE", NULL };
	struct table *table = table_new(heads, "<<<<>>><");

	for (size_t i = 0; i < c->nall; i++) {
		const struct tenant *t = c->all[i];
		const struct claims *n = claims_of(c, t);

		table_cell(table, "%.*s", SLICE_ARG(t->name));
		table_cell(table, "%.*s", SLICE_ARG(dash(t->group != NULL ?
		    t->group->name : SLICE(""))));
		table_cell(table, "%.*s", SLICE_ARG(dash(t->class)));
		table_cell(table, "%s", form(t));
		table_cell(table, "%zu", t->nstreams);
		if (n == NULL) {
			table_cell(table, "-");
			table_cell(table, "-");
		} else {
			table_cell(table, "%zu", n->logins);
			table_cell(table, "%zu", n->clients);
		}
		table_cell(table, "%s", state(&c->live, t));
	}
	table_print(table, stdout, color);
	table_free(table);
	if (c->autos.n > 0 || c->autos.cut)
		printf("\nauto: made by auto_tenant, of the mail of the last "
		    "%d days%s.\n", AUTO_DAYS, c->autos.cut ?
		    ", as far as the latest records go" : "");
}

/* json_orders - what the desk has in force, as it was decided */
static void
json_orders(struct live *live, const struct tenant *t, struct buf *b)
{
	const struct order *o;
	size_t left = orders_list(live->orders, t->id, &o);
	bool some = false;

	buf_str(b, "\"desk\":[");
	for (; left > 0; left--, o++) {
		struct desk_row row = { .record = *o->record };

		if (o->until != 0 && o->until <= live->now)
			continue;
		if (some)
			buf_char(b, ',');
		some = true;
		desk_json(&row, b);
	}
	buf_char(b, ']');
}

/* print_json - one object per line */
static void
print_json(struct census *c)
{
	const struct policy *p = c->live.policy;
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < c->nall; i++) {
		const struct tenant *t = c->all[i];
		const struct claims *n = claims_of(c, t);
		struct pause by = paused(&c->live, t);

		buf_reset(&b);
		buf_char(&b, '{');
		buf_json_member(&b, "tenant", t->name);
		buf_json_member(&b, "group", t->group != NULL ? t->group->name :
		    SLICE(""));
		buf_json_member(&b, "class", t->class);
		buf_json_member(&b, "form", slice_of(form(t)));
		buf_json_member(&b, "rule", policy_rule(p, t->at,
		    c->live.arena));
		buf_printf(&b, "\"streams\":%zu,\"logins\":%zu,\"clients\":%zu,"
		    "\"domains\":%zu,\"paused\":%s,", t->nstreams,
		    n != NULL ? n->logins : 0, n != NULL ? n->clients : 0,
		    t->ndomains, by.rule.n > 0 ? "true" : "false");
		buf_json_member(&b, "paused_by", by.rule.n > 0 ? by.rule :
		    SLICE(""));
		buf_json_member(&b, "reason", by.reason.n > 0 ? by.reason :
		    SLICE(""));
		json_orders(&c->live, t, &b);
		buf_str(&b, "}\n");
		if (!buf_failed(&b))
			fwrite(b.data, 1, b.len, stdout);
	}
	buf_free(&b);
}

/* seen - is it among those of the mail? */
static bool
seen(const struct census *c, uint64_t id)
{
	for (size_t i = 0; i < c->autos.n; i++)
		if (c->autos.list[i]->id == id)
			return true;
	return false;
}

/* of_desk - one that only the desk knows: made by auto_tenant, or gone from the
 * files */
static void
of_desk(struct census *c, const struct order *o)
{
	struct arena *arena = c->live.arena;
	const struct tenant *made;
	struct tenant *t;

	if (policy_auto_domain(c->live.policy, o->record->tenant, arena,
	    &made) == 1) {
		c->all[c->nall++] = made;
		return;
	}
	if ((t = arena_alloc(arena, sizeof(*t))) == NULL)
		return;
	t->name = o->record->tenant;
	t->id = o->tenant;
	t->automatic = true;
	c->all[c->nall++] = t;
}

/* everybody - those of the policy, of the mail, and of the desk */
static int
everybody(struct census *c)
{
	const struct policy *p = c->live.policy;
	const struct order *o;
	size_t n = orders_list(c->live.orders, 0, &o);
	uint64_t last = 0;
	struct why why;

	if (tenant_auto(&c->live, &c->autos, &why) == -1)
		return tool_fail(TOOL_BROKEN, "%s", why.text);
	c->all = xcalloc(p->ntenants + c->autos.n + n + 1, sizeof(*c->all));
	for (; c->nall < p->ntenants; c->nall++)
		c->all[c->nall] = p->tenants[c->nall];
	for (size_t i = 0; i < c->autos.n; i++)
		c->all[c->nall++] = c->autos.list[i];
	for (; n > 0; n--, o++) {
		if (o->tenant == last || (o->until != 0 &&
		    o->until <= c->live.now) || seen(c, o->tenant) ||
		    policy_tenant(p, o->record->tenant) != NULL)
			continue;
		last = o->tenant;
		of_desk(c, o);
	}
	return TOOL_OK;
}

/* tool_tenant_list - who there is */
int
tool_tenant_list(const struct tool *tool, int argc, char **argv)
{
	struct census c = { .n = 0 };
	bool json = argc == 1 && strcmp(argv[0], "--json") == 0;
	int status;

	if (tool_asks_help(argc, argv))
		return tool_help(usage);
	if (argc > 0 && !json)
		return tool_usage(usage);
	if ((status = live_open(tool, LIVE_MAY_LACK | LIVE_POLICY,
	    &c.live)) != TOOL_OK)
		goto out;
	c.n = c.live.policy->ntenants;
	c.list = xcalloc(c.n + 1, sizeof(*c.list));
	for (size_t i = 0; i < c.n; i++)
		c.list[i].tenant = c.live.policy->tenants[i];
	if (c.n > 0)
		qsort(c.list, c.n, sizeof(*c.list), by_tenant);
	policy_claims(c.live.policy, count, &c);
	if ((status = everybody(&c)) != TOOL_OK)
		goto out;
	if (json)
		print_json(&c);
	else
		print_eyes(&c, tool->color);
out:
	free(c.list);
	free(c.all);
	tenant_auto_free(&c.autos);
	live_close(&c.live);
	return status;
}
