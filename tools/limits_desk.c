/*
 * limits_desk - penstock limits grant and reset: an operator lets more through
 * for a while, or has what was spent forgotten.
 *
 * A limit is named as the policy names it, KIND:NAME where two kinds bear one
 * name.  A limit that tenants share is granted to the one tenant that is named,
 * and forgotten for all who share it: that is one counter.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/scan.h"
#include "lib/text.h"
#include "policy/whose.h"
#include "tools/decision.h"

static const char grant_usage[] = "penstock limits grant TENANT LIMIT +N "
    "--until TIME --reason TEXT\n    [--json]";
static const char grant_help[] =
"Raises a limit by N until then: the cap of each window, or the burst. Grants\n"
"of one limit add up; +0 takes all of them back.\n\n"
"  LIMIT          its name, or KIND:NAME (throttle:steady)\n"
"  --until TIME   \"2h\", \"18:00\", \"tomorrow 08:00\", \"2026-12-01 08:00\"\n"
"                 in the tenant's zone, or with an offset\n"
"  --reason TEXT  one line; the audit log keeps it\n"
"  --json         one JSON object\n\n"
"Exit status: 0 granted, 1 no such tenant or limit, 3 not recorded, or not in\n"
"force within 5 s.\n";
static const char reset_usage[] = "penstock limits reset TENANT LIMIT "
    "--reason TEXT [--login LOGIN]\n    [--sender ADDRESS] [--sender-domain "
    "DOMAIN] [--provider NAME]\n    [--recipient-domain DOMAIN] [--json]";
static const char reset_help[] =
"What was spent of a limit is forgotten: it begins at 0 again, for good.\n"
"What open messages hold reserved stays.\n\n"
"  LIMIT          its name, or KIND:NAME (throttle:steady)\n"
"  --login LOGIN, --sender ADDRESS, --sender-domain DOMAIN, --provider NAME,\n"
"  --recipient-domain DOMAIN\n"
"                 whose counter, of a limit that counts these apart\n"
"  --reason TEXT  one line; the audit log keeps it\n"
"  --json         one JSON object\n\n"
"Exit status: 0 reset, 1 no such tenant, limit or counter, 3 not recorded, or\n"
"not in force within 5 s.\n";

/* Options that name a counter. */
static const struct { const char *name; unsigned per; } selectors[] = {
	{ "--login", PER_LOGIN }, { "--sender", PER_SENDER },
	{ "--sender-domain", PER_SENDER_DOMAIN },
	{ "--provider", PER_PROVIDER },
	{ "--recipient-domain", PER_RECIPIENT_DOMAIN } };
enum { SELECTORS = sizeof(selectors) / sizeof(selectors[0]) };

struct wish {
	struct decision	 d;
	const char	*words[3];	/* TENANT, LIMIT, +N */
	size_t		 nwords;
	const struct tenant *tenant;
	const struct limit *limit;
	size_t		 counters;	/* one, or one for each stream */
	int64_t		 most, used;	/* of all of them */
	bool		 apart;		/* there are more, that were not named */
	const char	*selected[SELECTORS];
	struct decide_facts whose;
	unsigned	 per;		/* what limits of that name count by */
};

/* selector - one of those options with its value; false: it is none */
static bool
selector(struct wish *w, int argc, char **argv, int *at)
{
	for (size_t i = 0; i < SELECTORS && *at + 1 < argc; i++)
		if (strcmp(argv[*at], selectors[i].name) == 0) {
			w->selected[i] = argv[++*at];
			return true;
		}
	return false;
}

/* arguments - words and options; -1: go on */
static int
arguments(struct wish *w, size_t words, int argc, char **argv,
    const char *usage, const char *help)
{
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			printf("usage: %s\n\n%s", usage, help);
			return TOOL_OK;
		}
		if ((w->d.record.kind == DESK_RESET && selector(w, argc, argv,
		    &i)) || decision_option(&w->d, argc, argv, &i))
			continue;
		if (argv[i][0] == '-' || w->nwords == words)
			return tool_usage(usage);
		w->words[w->nwords++] = argv[i];
	}
	if (w->nwords < words || w->d.stream != NULL ||
	    w->d.provider != NULL)
		return tool_usage(usage);
	return -1;
}

/* all_limits - of all streams, each once; in the arena */
static const struct limit **
all_limits(const struct wish *w, size_t *n)
{
	const struct tenant *t = w->tenant;
	const struct limit **list;
	size_t i, j, k, most = 0;

	*n = 0;
	for (i = 0; i < t->nstreams; i++)
		most += t->streams[i]->nlimits;
	list = arena_array(w->d.live.arena, most + 1, sizeof(*list));
	for (i = 0; list != NULL && i < t->nstreams; i++)
		for (j = 0; j < t->streams[i]->nlimits; j++) {
			for (k = 0; k < *n; k++)
				if (list[k] == t->streams[i]->limits[j])
					break;
			if (k == *n)
				list[(*n)++] = t->streams[i]->limits[j];
		}
	return list;
}

/* limit_unknown - with the nearest one */
static int
limit_unknown(struct wish *w, struct slice name, const struct limit **list,
    size_t n)
{
	struct slice *names = arena_array(w->d.live.arena, n + 1,
	    sizeof(*names));
	const char *near = NULL;
	struct quoted q;

	for (size_t i = 0; names != NULL && i < n; i++)
		names[i] = list[i]->name;
	if (names != NULL)
		near = decision_nearest(w->d.live.arena, names, n, name);
	text_quote(slice_of(w->words[1]), &q);
	if (near != NULL)
		return tool_fail(TOOL_NO, "tenant %s has no limit %s; did you "
		    "mean \"%s\"?", w->words[0], q.s, near);
	return tool_fail(TOOL_NO, "tenant %s has no limit %s; penstock limits "
	    "%s shows those that it has", w->words[0], q.s, w->words[0]);
}

/* find_limit - NAME, or KIND:NAME */
static int
find_limit(struct wish *w)
{
	struct slice word = slice_of(w->words[1]), kind = { NULL, 0 };
	const char *colon = strchr(w->words[1], ':');
	const struct limit **list;
	size_t i, n;

	if (colon != NULL) {
		kind = (struct slice){ word.p, (size_t)(colon - word.p) };
		word = slice_from(word, kind.n + 1);
	}
	if ((list = all_limits(w, &n)) == NULL)
		return tool_fail(TOOL_BROKEN, "out of memory");
	w->limit = NULL;
	for (i = 0; i < n; i++) {
		if (!slice_eq(list[i]->name, word) || (kind.p != NULL &&
		    !slice_is(kind, limit_kind_names[list[i]->kind])))
			continue;
		if (w->limit != NULL && w->limit->kind != list[i]->kind)
			return tool_fail(TOOL_NO, "tenant %.*s has a %s and a "
			    "%s of that name; write %s:%.*s or %s:%.*s",
			    SLICE_ARG(w->tenant->name),
			    limit_kind_names[w->limit->kind],
			    limit_kind_names[list[i]->kind],
			    limit_kind_names[w->limit->kind], SLICE_ARG(word),
			    limit_kind_names[list[i]->kind], SLICE_ARG(word));
		w->limit = list[i];
		w->per |= list[i]->per;
	}
	if (w->limit == NULL)
		return limit_unknown(w, word, list, n);
	w->d.record.limit = w->limit->name;
	w->d.record.limit_kind = (uint8_t)w->limit->kind;
	return TOOL_OK;
}

/* figures - what is spent of its counters now, all together */
static int
figures(struct wish *w)
{
	struct live *live = &w->d.live;
	struct counter_view view;
	struct ask *asks;
	size_t i;

	if (decide_asks_named(live->policy, w->tenant, w->limit->kind,
	    w->limit->name, &w->whose, live->now, live->arena, &asks,
	    &w->counters, &w->apart) == -1)
		return tool_fail(TOOL_BROKEN, "out of memory");
	for (i = 0; i < w->counters; i++) {
		ledger_view(live->ledger, &asks[i], live->now, &view);
		w->used += view.used;
		w->most += asks[i].most;
	}
	return TOOL_OK;
}

/* select_counter - what the options say, and whether the limit counts by it */
static int
select_counter(struct wish *w)
{
	struct desk_record *r = &w->d.record;
	struct why why;

	w->whose = (struct decide_facts){ .provider = DECIDE_ALL };
	for (size_t i = 0; i < SELECTORS; i++) {
		if (w->selected[i] == NULL)
			continue;
		if ((w->per & selectors[i].per) == 0)
			return tool_fail(TOOL_NO, "limit %.*s does not count "
			    "apart by %s; it counts by %s",
			    SLICE_ARG(w->limit->name), selectors[i].name + 2,
			    limit_per(w->limit, w->d.live.arena));
		if (whose_set(&w->whose, selectors[i].per,
		    slice_of(w->selected[i]), w->d.live.arena, &why) == -1)
			return tool_fail(TOOL_USAGE, "%s: %s",
			    selectors[i].name, why.text);
	}
	r->object = whose_print(&w->whose, w->d.live.arena);
	return r->object.p != NULL ? TOOL_OK : tool_fail(TOOL_BROKEN,
	    "out of memory");
}

/* missing - the options that would name one counter; in the arena */
static const char *
missing(const struct wish *w)
{
	unsigned said = whose_said(&w->whose);
	const char *all = "";

	for (size_t i = 0; i < SELECTORS && all != NULL; i++)
		if ((w->per & selectors[i].per & ~said) != 0)
			all = arena_printf(w->d.live.arena, "%s%s%s", all,
			    *all != '\0' ? " and " : "", selectors[i].name);
	return all != NULL ? all : "";
}

/* resettable - is there one counter, or one a stream, that it is about? */
static int
resettable(struct wish *w)
{
	const char *options = missing(w);
	struct slice name = w->limit->name;

	if (w->limit->kind == LIMIT_OPEN)
		return tool_fail(TOOL_NO, "limit %.*s counts what is still "
		    "under way: forgotten mail would be counted out when it "
		    "ends, and more than the limit be under way; a grant "
		    "raises it, and where the log of an end was never read, "
		    "penstock-ingest --once FILE reads it", SLICE_ARG(name));
	if (w->apart && *options != '\0')
		return tool_fail(TOOL_NO, "limit %.*s counts apart by %s: name "
		    "the counter with %s (penstock limits %.*s shows them)",
		    SLICE_ARG(name), limit_per(w->limit, w->d.live.arena),
		    options, SLICE_ARG(w->tenant->name));
	if (w->apart)
		return tool_fail(TOOL_NO, "limit %.*s counts apart by %s: "
		    "there is no one counter to reset; a grant raises it",
		    SLICE_ARG(name), limit_per(w->limit, w->d.live.arena));
	if (w->counters == 0)
		return tool_fail(TOOL_NO, "limit %.*s counts mail to %.*s: "
		    "none of it is that", SLICE_ARG(name),
		    SLICE_ARG(w->limit->to_text));
	return TOOL_OK;
}

/* begin - tenant, limit, and what is spent of it */
static int
begin(struct wish *w)
{
	int status;

	if ((status = decision_begin(&w->d, LIVE_MAY_LACK, true)) !=
	    TOOL_OK || (status = decision_tenant(&w->d, w->words[0],
	    &w->tenant)) != TOOL_OK || (status = find_limit(w)) != TOOL_OK ||
	    (status = select_counter(w)) != TOOL_OK)
		return status;
	return figures(w);
}

/* text - into the arena */
static struct slice
text(struct wish *w, const char *format, long long a, long long b)
{
	const char *copy = arena_printf(w->d.live.arena, "%s %lld of %lld",
	    format, a, b);

	return copy != NULL ? slice_of(copy) : SLICE("");
}

/* tool_limits_grant - so much more, until then */
int
tool_limits_grant(const struct tool *tool, int argc, char **argv)
{
	struct wish w = { .d = { .tool = tool, .record.kind = DESK_GRANT } };
	struct desk_record *r = &w.d.record;
	struct slice more;
	const char *said;
	struct why why;
	int64_t had;
	int status;

	if ((status = arguments(&w, 3, argc, argv, grant_usage,
	    grant_help)) != -1)
		return status;
	more = slice_of(w.words[2]);
	if (more.n < 2 || more.p[0] != '+')
		return tool_fail(TOOL_USAGE, "write +N: so much more than the "
		    "policy allows, not \"%s\"", w.words[2]);
	if (scan_count(slice_from(more, 1), 0, LEDGER_AMOUNT_MAX, &r->amount,
	    &why) == -1)
		return tool_fail(TOOL_USAGE, "%s", why.text);
	if (w.d.until == NULL)
		return tool_fail(TOOL_USAGE, "a grant needs --until: it ends "
		    "by itself");
	if ((status = begin(&w)) != TOOL_OK ||
	    (status = decision_until(&w.d, w.tenant)) != TOOL_OK)
		goto out;
	had = orders_grant(w.d.live.orders, w.tenant->id, w.limit->kind,
	    w.limit->name, w.d.live.now);
	r->before = slice_of(arena_printf(w.d.live.arena, "+%lld on %.*s",
	    (long long)had, SLICE_ARG(w.limit->text)));
	r->after = slice_of(arena_printf(w.d.live.arena, "+%lld on %.*s until "
	    "%s", (long long)(r->amount > 0 ? had + r->amount : 0),
	    SLICE_ARG(w.limit->text), decision_time(&w.d, w.tenant,
	    r->until)));
	if (r->amount == 0)
		said = arena_printf(w.d.live.arena, "tenant %.*s: what was "
		    "granted on limit %.*s is taken back",
		    SLICE_ARG(w.tenant->name), SLICE_ARG(w.limit->name));
	else
		said = arena_printf(w.d.live.arena, "tenant %.*s: limit %.*s "
		    "(%.*s) lets %lld more through until %s",
		    SLICE_ARG(w.tenant->name), SLICE_ARG(w.limit->name),
		    SLICE_ARG(w.limit->text), (long long)r->amount,
		    decision_time(&w.d, w.tenant, r->until));
	status = decision_make(&w.d, said != NULL ? said : "granted");
out:
	decision_end(&w.d);
	return status;
}

/* tool_limits_reset - as if nothing had been sent */
int
tool_limits_reset(const struct tool *tool, int argc, char **argv)
{
	struct wish w = { .d = { .tool = tool, .record.kind = DESK_RESET } };
	struct desk_record *r = &w.d.record;
	const char *said;
	int status;

	if ((status = arguments(&w, 2, argc, argv, reset_usage,
	    reset_help)) != -1)
		return status;
	if (w.d.until != NULL)
		return tool_usage(reset_usage);
	if ((status = begin(&w)) != TOOL_OK ||
	    (status = resettable(&w)) != TOOL_OK)
		goto out;
	r->before = text(&w, "spent", w.used, w.most);
	r->after = text(&w, "spent", 0, w.most);
	said = arena_printf(w.d.live.arena, "tenant %.*s: %lld spent of limit "
	    "%.*s (%.*s)%s%.*s is forgotten%s", SLICE_ARG(w.tenant->name),
	    (long long)w.used, SLICE_ARG(w.limit->name),
	    SLICE_ARG(w.limit->text), r->object.n > 0 ? " of " : "",
	    SLICE_ARG(r->object), limit_shared(w.limit) ? ", for all "
	    "who share it" : "");
	status = decision_make(&w.d, said != NULL ? said : "reset");
out:
	decision_end(&w.d);
	return status;
}
