/*
 * limits - penstock limits: what is spent of every limit, and when there is
 * room again.
 *
 * Rows come from the policy, numbers from the counters: a limit that nobody
 * touched has no counter and is shown only when its tenant is named.  A
 * counter of many tenants, or of several streams, stands here once.
 */
#include "tools/limits.h"

#include <stdlib.h>
#include <string.h>

#include "lib/map.h"
#include "policy/measure.h"

#define USAGE	"penstock limits [TENANT [--login LOGIN] [--sender ADDRESS]\n" \
		"                       [--rcpt ADDRESS]] [--json]"

static const char help[] = "usage: " USAGE "\n\n"
"Shows the limits that something was spent of, the fullest first; with\n"
"TENANT, all limits of that tenant. Numbers are as of the last message on\n"
"disk; what open messages hold reserved is known to the gate alone.\n\n"
"Limits that stand in pools and addresses are there, too, with the whole\n"
"number, of which bulk mail may have four fifths; warmups of addresses are\n"
"shown by penstock warmup.\n\n"
"Below stand the providers that want less mail (back-off) and the breakers\n"
"that tripped.\n\n"
"A limit that counts logins, senders, providers or domains apart has a row\n"
"for each that the last events speak of, the ten fullest; or for those named\n"
"with\n\n"
"  --login LOGIN     of that login\n"
"  --sender ADDRESS  of that MAIL FROM, and From\n"
"  --rcpt ADDRESS    to that domain and provider\n"
"  --json            one JSON object\n\n"
"Exit status: 0 shown, 1 no such tenant or a broken policy, 3 no store.\n";

/* word - " name=value", when the limit counts that apart */
static const char *
word(struct arena *arena, const char *all, const struct limit *l,
    unsigned per, struct slice value)
{
	if ((l->per & per) == 0 || all == NULL)
		return all;
	return arena_printf(arena, "%s%s%s=%.*s", all, *all != '\0' ? " " :
	    "", per_names[__builtin_ctz(per)], SLICE_ARG(value));
}

/* stands_in_way - is it a limit of the pool or the address itself? */
static bool
stands_in_way(const struct limit *l, const struct pool_address *a)
{
	for (size_t i = 0; a != NULL && i < a->pool->nlimits; i++)
		if (a->pool->limits[i] == l)
			return true;
	for (size_t i = 0; a != NULL && i < a->nlimits; i++)
		if (a->limits[i] == l)
			return true;
	return false;
}

/* of - the values of a counter, and the stream when it has another number */
static const char *
of(struct arena *arena, const struct tenant *t, const struct limit *l,
    const struct decide_facts *f)
{
	const struct stream *d = t->nstreams > 0 ? policy_default(t) : NULL;
	const char *all = "";
	bool common = stands_in_way(l, f->egress);

	for (size_t i = 0; d != NULL && i < d->nlimits; i++)
		common = common || d->limits[i] == l;
	if ((!common || (l->per & PER_STREAM) != 0) && f->stream != NULL)
		all = arena_printf(arena, "stream=%.*s",
		    SLICE_ARG(f->stream->name));
	if (f->egress != NULL) {
		all = word(arena, all, l, PER_POOL, f->egress->pool->name);
		all = word(arena, all, l, PER_ADDRESS, f->egress->address);
	}
	all = word(arena, all, l, PER_LOGIN, f->login);
	all = word(arena, all, l, PER_SENDER, f->sender.n > 0 ? f->sender :
	    SLICE("<>"));
	all = word(arena, all, l, PER_SENDER_DOMAIN, f->sender_domain);
	if (f->provider != DECIDE_ALL)
		all = word(arena, all, l, PER_PROVIDER,
		    slice_of(provider_name(f->provider)));
	all = word(arena, all, l, PER_RECIPIENT_DOMAIN, f->recipient_domain);
	return all != NULL ? all : "";
}

/* is_new - a counter, with that number, that has no row yet; -1 no memory */
static int
is_new(struct limits_rows *rows, const struct ask *ask,
    const struct limit *limit)
{
	char bytes[16 + sizeof(limit)];
	struct slice key = { bytes, sizeof(bytes) };

	memcpy(bytes, ask->charge.key, 16);
	memcpy(bytes + 16, &limit, sizeof(limit));
	if (map_get(rows->known, key) != NULL)
		return 0;
	key = arena_copy(rows->live->arena, key);
	return key.p == NULL || map_set(rows->known, key, rows) == -1 ? -1 :
	    1;
}

/* row_add - one more */
static void
row_add(struct limits_rows *rows, const struct tenant *t,
    const struct limit *limit, struct ask *ask, const struct decide_facts *f,
    bool all)
{
	struct live *live = rows->live;
	struct limits_row *row;

	if (rows->n == rows->cap) {
		rows->cap = rows->cap > 0 ? rows->cap * 2 : 64;
		rows->list = xrealloc(rows->list,
		    rows->cap * sizeof(*rows->list));
	}
	if (ask->most == LEDGER_UNBOUNDED)
		return;		/* a warmup's throttle is for bulk mail */
	row = &rows->list[rows->n];
	*row = (struct limits_row){ .tenant = t, .limit = limit,
	    .stream = f->stream };
	memcpy(row->key, ask->charge.key, sizeof(row->key));
	row->zone = measure_zone(limit, live->policy, t, f->egress != NULL ?
	    f->egress->pool : NULL);
	row->way = stands_in_way(limit, f->egress);
	ask->most += orders_grant(live->orders, t->id, limit->kind,
	    limit->name, live->now);
	row->most = ask->most;
	row->window_end = ask->charge.window_end;
	ledger_view(live->ledger, ask, live->now, &row->view);
	if (limit->warmup != NULL)
		row->view.next = decide_next(live->policy, t, f, limit,
		    row->view.used, 1, row->view.next, live->now);
	if (!all && row->view.used <= 0)
		return;
	row->of = of(live->arena, t, limit, f);
	rows->n++;
}

/* limits_add - the counters that such mail meets */
int
limits_add(struct limits_rows *rows, const struct tenant *t,
    const struct decide_facts *f, bool all)
{
	static const uint8_t unsaid[16];
	const struct limit **limits;
	struct ask *asks;
	size_t i, n;
	int got;

	if (decide_asks_of(rows->live->policy, t, f, rows->live->now,
	    rows->scratch, &asks, &limits, &n) == -1)
		return -1;
	for (i = 0; i < n; i++) {
		if (memcmp(asks[i].charge.key, unsaid, sizeof(unsaid)) == 0) {
			rows->values = true;
			continue;
		}
		if ((got = is_new(rows, &asks[i], limits[i])) == -1)
			return -1;
		if (got == 1)
			row_add(rows, t, limits[i], &asks[i], f, all);
	}
	return 0;
}

/* apart_by_whose - is it of no use without a tenant? */
static bool
apart_by_whose(const struct limit *limit)
{
	return (limit->per & (PER_GROUP | PER_TENANT)) != 0;
}

/* limits_way - the counters of the pool and the address, but for warmups */
int
limits_way(struct limits_rows *rows, const struct tenant *t,
    const struct decide_facts *f, bool all)
{
	static const uint8_t unsaid[16];
	static const struct tenant nobody;
	const struct limit **limits;
	struct ask *asks;
	size_t i, n;
	int got;

	if (decide_asks_way(rows->live->policy, t, f, rows->live->now,
	    rows->scratch, &asks, &limits, &n) == -1)
		return -1;
	for (i = 0; i < n; i++) {
		if (limits[i]->warmup != NULL ||
		    (t != NULL && !apart_by_whose(limits[i])))
			continue;
		if (memcmp(asks[i].charge.key, unsaid, sizeof(unsaid)) == 0) {
			rows->values = true;
			continue;
		}
		if ((got = is_new(rows, &asks[i], limits[i])) == -1)
			return -1;
		if (got == 1)
			row_add(rows, t != NULL ? t : &nobody, limits[i],
			    &asks[i], f, all);
	}
	return 0;
}

/* pool_rows - of its addresses, and of each provider where that counts */
static int
pool_rows(struct limits_rows *rows, const struct pool *pool,
    const struct decide_facts *said, bool all)
{
	struct decide_facts f = *said;

	for (size_t i = 0; i < pool->naddresses; i++) {
		f.egress = &pool->addresses[i];
		f.provider = said->provider;
		arena_reset(rows->scratch);
		if (limits_way(rows, NULL, &f, all) == -1)
			return -1;
		for (f.provider = 0; said->provider == DECIDE_ALL &&
		    f.provider < provider_count(); f.provider++)
			if (limits_way(rows, NULL, &f, false) == -1)
				return -1;
	}
	return 0;
}

/* leads_to - does any mail of the tenant leave by that pool? */
static bool
leads_to(const struct tenant *t, const struct pool *pool)
{
	for (size_t i = 0; i < t->nstreams; i++)
		for (size_t j = 0; j < t->streams[i]->nroutes; j++) {
			const struct pool *his = t->streams[i]->routes[j].pool;

			if (his == pool || his->overflow == pool)
				return true;
		}
	return false;
}

/* pools - all of them, or those that mail of the tenant may leave by */
static int
pools(struct limits_rows *rows, const struct tenant *t,
    const struct decide_facts *said)
{
	const struct policy *p = rows->live->policy;

	for (size_t i = 0; i < p->npools; i++)
		if ((t == NULL || leads_to(t, p->pools[i])) &&
		    pool_rows(rows, p->pools[i], said, t != NULL) == -1)
			return -1;
	return 0;
}

/* tenant_rows - for each of its streams */
static int
tenant_rows(struct limits_rows *rows, const struct tenant *t,
    const struct decide_facts *said, bool all)
{
	struct decide_facts f = *said;

	f.progress = rows->live->progress;
	for (size_t i = t->nstreams; i > 0; i--) {	/* the default first */
		arena_reset(rows->scratch);
		f.stream = t->streams[i - 1];
		if (limits_add(rows, t, &f, all) == -1)
			return -1;
	}
	return 0;
}

/* limits_tenant - the same, of nobody in particular */
int
limits_tenant(struct limits_rows *rows, const struct tenant *t, bool all)
{
	const struct decide_facts f = { .provider = DECIDE_ALL };

	return tenant_rows(rows, t, &f, all);
}

struct asked {
	const char	*tenant;
	struct decide_facts facts;
	struct slice	 rcpt;
	bool		 json, some;	/* some: of the facts was said */
};

/* tenant_of - by its name, also one that auto_tenant makes */
static int
tenant_of(struct live *live, const char *name, const struct tenant **t)
{
	int got = 1;

	if ((*t = policy_tenant(live->policy, slice_of(name))) == NULL)
		got = policy_auto_domain(live->policy, slice_of(name),
		    live->arena, t);
	if (got == 0)
		return tool_fail(TOOL_NO, "no tenant \"%s\" in %s", name,
		    live->policy->path);
	return got == 1 ? TOOL_OK : tool_fail(TOOL_BROKEN, "out of memory");
}

/* collect - of one tenant or of all */
static int
collect(struct limits_rows *rows, const struct asked *asked)
{
	const struct policy *p = rows->live->policy;
	const struct tenant *t = NULL;
	struct why why = { .text = "out of memory" };
	int status, done = 0;
	size_t i;

	if (asked->tenant != NULL) {
		status = tenant_of(rows->live, asked->tenant, &t);
		if (status != TOOL_OK)
			return status;
		done = tenant_rows(rows, t, &asked->facts, true);
	} else
		for (i = 0; done == 0 && i < p->ntenants; i++)
			done = tenant_rows(rows, p->tenants[i],
			    &asked->facts, false);
	if (done == 0)
		done = pools(rows, t, &asked->facts);
	if (p->automatic != NULL && asked->tenant == NULL)
		rows->values = true;	/* tenants that only mail makes */
	if (done == 0 && !asked->some)
		done = limits_seen(rows, t, &why);
	return done == 0 ? TOOL_OK : tool_fail(TOOL_BROKEN, "%s", why.text);
}

/* options - of the command line; -1: go on */
static int
options(struct asked *asked, int argc, char **argv)
{
	struct slice *to;

	for (int i = 0; i < argc; i++) {
		to = strcmp(argv[i], "--login") == 0 ? &asked->facts.login :
		    strcmp(argv[i], "--sender") == 0 ? &asked->facts.sender :
		    strcmp(argv[i], "--rcpt") == 0 ? &asked->rcpt : NULL;
		if (to != NULL && i + 1 < argc) {
			*to = slice_of(argv[++i]);
			asked->some = true;
		} else if (strcmp(argv[i], "--json") == 0)
			asked->json = true;
		else if (strcmp(argv[i], "--help") == 0) {
			fputs(help, stdout);
			return TOOL_OK;
		} else if (argv[i][0] == '-' || asked->tenant != NULL)
			return tool_usage(USAGE);
		else
			asked->tenant = argv[i];
	}
	return asked->some && asked->tenant == NULL ? tool_usage(USAGE) : -1;
}

/* facts - what the addresses on the command line are; NULL: all is well */
static const char *
facts(struct asked *asked, struct arena *arena)
{
	struct mailbox box;
	struct why why;

	if (asked->rcpt.p != NULL) {
		if (address_path(arena, asked->rcpt, &box, &why) != 1)
			return "--rcpt is not an address";
		asked->facts.recipient_domain = box.domain;
		asked->facts.provider = provider_of(box.domain);
	}
	if (asked->facts.sender.p == NULL)
		return NULL;
	switch (address_path(arena, asked->facts.sender, &box, &why)) {
	case 1:
		asked->facts.sender = box.text;
		asked->facts.sender_domain = box.domain;
		return NULL;
	case 0:
		asked->facts.sender = SLICE("");
		return NULL;
	default:
		return "--sender is not an address";
	}
}

/* print_stopped - what else keeps mail back */
static void
print_stopped(struct live *live, struct slice tenant)
{
	struct buf b = BUF_INIT;

	limits_stopped(live, tenant, false, &b);
	if (!buf_failed(&b) && b.len > 0)
		printf("\n%.*s", (int)b.len, b.data);
	buf_free(&b);
}

/* tool_limits - how full is what? */
int
tool_limits(const struct tool *tool, int argc, char **argv)
{
	struct asked asked = { .facts = { .provider = DECIDE_ALL } };
	struct live live = { .config = NULL };
	struct limits_rows rows = { .live = &live };
	const char *wrong;
	size_t left_out;
	int status;

	if ((status = options(&asked, argc, argv)) != -1)
		return status;
	if ((status = live_open(tool, 0, &live)) != TOOL_OK)
		goto out;
	rows.known = map_new();
	rows.scratch = arena_new(1 << 14, 0);
	if (rows.known == NULL || rows.scratch == NULL)
		status = tool_fail(TOOL_BROKEN, "out of memory");
	else if ((wrong = facts(&asked, live.arena)) != NULL)
		status = tool_fail(TOOL_USAGE, "%s", wrong);
	else
		status = collect(&rows, &asked);
	if (status != TOOL_OK)
		goto out;
	left_out = limits_sort(&rows);
	if (asked.json)
		limits_json(&rows, left_out, slice_of(asked.tenant));
	else {
		limits_print(&rows, left_out, tool->color);
		print_stopped(&live, slice_of(asked.tenant));
	}
out:
	free(rows.list);
	map_free(rows.known);
	arena_free(rows.scratch);
	live_close(&live);
	return status;
}
