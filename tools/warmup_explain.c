/*
 * warmup_explain - penstock warmup explain: why is it on that day?
 *
 * Each decision is an event that holds what it was made of and names the one
 * before it, so the chain is walked without looking at other events.  Each is
 * made again by the same function: when that comes to something else, somebody
 * changed the record, or the rules are other ones than those of the gate that
 * decided.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/date.h"
#include "policy/adapt.h"
#include "policy/subject.h"
#include "tools/live.h"

static const char usage[] = "penstock warmup explain SUBJECT [--last N] "
    "[--json]";
static const char help[] =
"Shows how a warmup came to its day: each decision with what it was made of,\n"
"the oldest first, and makes it again. SUBJECT is an address of a pool, or\n"
"another name that penstock warmup shows.\n\n"
"  --last N  so many decisions (default 30)\n"
"  --json    one JSON object a line\n\n"
"Exit status: 0 shown, 1 there is no such warmup, or a decision comes out\n"
"otherwise now; 3 something is broken.\n";

#define LAST_MOST	4000

struct asked {
	struct live	 live;
	const char	*subject;
	int		 last;
	bool		 json;
	size_t		 met;		/* warmups of that name */
	size_t		 wrong;		/* decisions that come out otherwise */
};

/* --- one decision --------------------------------------------------------- */

struct shown {			/* as recorded, and made again */
	struct event	 e;
	bool		 resumed;	/* a person's: nothing to make again */
	bool		 unread;	/* its line cannot be read */
	struct adapt_input in;
	struct adapt_decision d, again;
	bool		 same;
};

/* look_at - an event of the chain */
static void
look_at(struct asked *a, struct shown *s)
{
	struct why why;

	s->resumed = slice_starts(s->e.text, SLICE("resume "));
	if (s->resumed)
		return;
	s->unread = adapt_read(s->e.text, &s->in, &s->d, a->live.arena,
	    &why) == -1;
	if (!s->unread)
		adapt(&s->in, &s->again);
	s->same = !s->unread && adapt_same(&s->in, &s->d, &s->again);
	a->wrong += !s->same;
}

/* --- for scripts ---------------------------------------------------------- */

/* json_counts - of a provider, of a tenant */
static void
json_counts(struct buf *b, const struct adapt_count *c)
{
	buf_printf(b, ",\"ended\":%" PRIu64 ",\"deferred\":%" PRIu64
	    ",\"slow\":%" PRIu64 ",\"hard\":%" PRIu64 ",\"blocked\":%" PRIu64
	    ",\"listed\":%" PRIu64 ",\"arrived\":%" PRIu64
	    ",\"complaints\":%" PRIu64, c->ended, c->deferred, c->slow,
	    c->hard, c->blocked, c->listed, c->arrived, c->complaints);
}

/* single_rule - what a tenant was singled out for; NULL: he was not */
static const char *
single_rule(const struct shown *s, size_t provider, size_t tenant)
{
	for (size_t i = 0; i < s->d.nsingles; i++)
		if (s->d.singles[i].provider == provider &&
		    s->d.singles[i].tenant == tenant)
			return adapt_rule_names[s->d.singles[i].rule];
	return NULL;
}

/* json_provider - and its tenants */
static void
json_provider(struct buf *b, const struct shown *s, size_t at)
{
	const struct adapt_provider *p = &s->in.providers[at];
	const char *rule;

	buf_str(b, at > 0 ? ",{\"provider\":" : "{\"provider\":");
	buf_json(b, p->name);
	buf_printf(b, ",\"rule\":\"%s\"", adapt_rule_names[s->d.of[at]]);
	json_counts(b, &p->count);
	buf_str(b, ",\"tenants\":[");
	for (size_t i = 0; i < p->ntenants; i++) {
		rule = single_rule(s, at, i);
		buf_str(b, i > 0 ? ",{\"tenant\":" : "{\"tenant\":");
		buf_json(b, p->tenants[i].name);
		buf_printf(b, ",\"stopped\":%s%s%s", rule != NULL ? "\"" : "",
		    rule != NULL ? rule : "null", rule != NULL ? "\"" : "");
		json_counts(b, &p->tenants[i].count);
		buf_char(b, '}');
	}
	buf_str(b, "]}");
}

/* yes - a word of JSON */
static const char *
yes(bool b)
{
	return b ? "true" : "false";
}

/* json_decision - what it was made of, and what came of it */
static void
json_decision(struct buf *b, const struct shown *s)
{
	const struct adapt_input *in = &s->in;
	const struct adapt_decision *d = &s->d;
	int64_t year;
	int month, day;

	date_of(in->date, &year, &month, &day);
	buf_printf(b, ",\"date\":\"%04" PRId64 "-%02d-%02d\",\"rule\":\"%s\","
	    "\"day_before\":%d,\"day_after\":%d,\"days\":%d,\"cap\":%" PRId64
	    ",\"bulk\":%" PRId64 ",\"used\":%" PRId64 ",\"turned_away\":%"
	    PRId64 ",\"silent\":%d,\"clean_before\":%d,"
	    "\"clean_after\":%d", year, month, day,
	    adapt_rule_names[d->rule], in->day, d->day, in->days, in->cap,
	    in->bulk, in->used, in->turned, in->silent, in->clean, d->clean);
	buf_printf(b, ",\"warmed\":%s,\"stopped\":%s,\"outcomes\":%s,"
	    "\"require_outcomes\":%s,\"fast_track\":%s,\"faster\":%s,"
	    "\"dnsbl\":%" PRIu64 ",\"provider\":", yes(d->warmed),
	    yes(d->stop), yes(in->known), yes(in->required), yes(in->fast),
	    yes(d->faster), in->dnsbl);
	if (d->provider < in->nproviders)
		buf_json(b, in->providers[d->provider].name);
	else
		buf_str(b, "null");
	buf_str(b, ",\"providers\":[");
	for (size_t i = 0; i < in->nproviders; i++)
		json_provider(b, s, i);
	buf_printf(b, "],\"rederived\":%s", yes(s->same));
	if (!s->same)
		buf_printf(b, ",\"now\":{\"rule\":\"%s\",\"day_after\":%d}",
		    adapt_rule_names[s->again.rule], s->again.day);
}

/* print_json - one line */
static void
print_json(const struct warm_row *row, const struct shown *s)
{
	struct buf b = BUF_INIT;

	buf_printf(&b, "{\"seq\":%" PRIu64 ",\"time\":%" PRId64
	    ",\"subject\":", s->e.seq, s->e.time);
	buf_json(&b, row->name);
	buf_str(&b, ",\"by\":");
	buf_json(&b, s->e.rule);
	if (s->resumed || s->unread) {
		buf_printf(&b, ",\"%s\":true,\"text\":", s->resumed ?
		    "resumed" : "unread");
		buf_json(&b, s->e.text);
	} else {
		json_decision(&b, s);
	}
	buf_str(&b, "}\n");
	if (!buf_failed(&b))
		fwrite(b.data, 1, b.len, stdout);
	buf_free(&b);
}

/* --- for eyes ------------------------------------------------------------- */

/* print_counts - what was seen of it */
static void
print_counts(const char *indent, struct slice name, const char *rule,
    const struct adapt_count *c)
{
	printf("%s%-14.*s %-2s  %" PRIu64 " ended, %" PRIu64 " deferred (%"
	    PRIu64 " for rate or reputation), %" PRIu64 " bounced, %" PRIu64
	    " refused, %" PRIu64 " complaints of %" PRIu64 " in three days",
	    indent, SLICE_ARG(name), rule, c->ended, c->deferred, c->slow,
	    c->hard, c->blocked, c->complaints, c->arrived);
	if (c->listed > 0)
		printf(", %" PRIu64 " say that we are blocked", c->listed);
	putchar('\n');
}

/* print_providers - each with those of its tenants who were looked at */
static void
print_providers(const struct shown *s)
{
	for (size_t i = 0; i < s->in.nproviders; i++) {
		const struct adapt_provider *p = &s->in.providers[i];

		print_counts("    ", p->name, adapt_rule_names[s->d.of[i]],
		    &p->count);
		for (size_t k = 0; k < p->ntenants; k++)
			if (single_rule(s, i, k) != NULL)
				print_counts("      stopped: ",
				    p->tenants[k].name, single_rule(s, i, k),
				    &p->tenants[k].count);
	}
}

/* print_decision - its line, and what stands below it */
static void
print_decision(const struct shown *s)
{
	struct buf b = BUF_INIT;
	int64_t year;
	int month, day;

	date_of(s->in.date, &year, &month, &day);
	adapt_say(&s->in, &s->d, &b);
	printf("%04" PRId64 "-%02d-%02d  %-2s  day %d -> %d of %d  %" PRId64
	    "/%" PRId64 "  %.*s\n", year, month, day,
	    adapt_rule_names[s->d.rule], s->in.day, s->d.day, s->in.days,
	    s->in.used, s->in.cap, SLICE_ARG(buf_slice(&b)));
	buf_free(&b);
	print_providers(s);
	if (!s->same)
		printf("    made again it is %s, day %d: the record of event %"
		    PRIu64 " was changed, or the rules are other ones\n",
		    adapt_rule_names[s->again.rule], s->again.day, s->e.seq);
}

/* print - one event */
static void
print(struct asked *a, const struct warm_row *row, const struct shown *s)
{
	char when[128];

	if (a->json) {
		print_json(row, s);
		return;
	}
	if (!s->resumed && !s->unread) {
		print_decision(s);
		return;
	}
	printf("%s  %s  %.*s: %.*s\n", zone_print(a->live.policy != NULL ?
	    a->live.policy->zone : zone_utc(), s->e.time, when, sizeof(when)),
	    s->resumed ? "resumed" : "cannot be read", SLICE_ARG(s->e.rule),
	    SLICE_ARG(s->e.text));
}

/* --- the chain ------------------------------------------------------------ */

/* fetch - an event by its sequence; 0: it is none of a warmup */
static int
fetch(struct asked *a, uint64_t seq, struct event *e)
{
	struct why why;
	int got = store_event(a->live.store, seq, a->live.arena, e, &why);

	if (got == -1)
		return tool_fail(-1, "%s", why.text);
	return got == 1 && e->kind == EVENT_WARMUP;
}

/* explain - one warmup: its events backwards, then shown forwards */
static int
explain(struct asked *a, const struct warm_row *row)
{
	struct event *chain = arena_array(a->live.arena, (size_t)a->last + 1,
	    sizeof(*chain));
	uint64_t seq = row->seq, before;
	int n = 0, got = 1;

	if (chain == NULL)
		return tool_fail(TOOL_BROKEN, "out of memory");
	while (n < a->last && seq != 0 && (got = fetch(a, seq,
	    &chain[n])) == 1) {
		before = chain[n++].voids;
		/* an event names an earlier one, or the chain is cut */
		seq = before < seq ? before : 0;
	}
	if (got == -1)
		return TOOL_BROKEN;
	if (!a->json)
		printf("%.*s: day %d%s, as of event %" PRIu64 "\n",
		    SLICE_ARG(row->name), row->day, row->stopped != 0 ?
		    ", stopped" : row->warmed != 0 ? ", warm" : "", row->seq);
	while (n-- > 0) {
		struct shown s = { .e = chain[n] };

		look_at(a, &s);
		print(a, row, &s);
	}
	return TOOL_OK;
}

/* explain_all - every warmup of that name */
static int
explain_all(struct asked *a)
{
	const struct warm_row *rows;
	struct progress *p = NULL;
	int status = TOOL_OK;
	struct why why;
	size_t n;

	if (a->live.store != NULL && progress_restore(a->live.store, &p,
	    &why) == -1)
		return tool_fail(TOOL_BROKEN, "%s", why.text);
	n = progress_rows(p, &rows);
	for (size_t i = 0; status == TOOL_OK && i < n; i++)
		if (subject_meant(slice_of(a->subject), SLICE_NONE,
		    &rows[i])) {
			a->met++;
			status = explain(a, &rows[i]);
		}
	progress_drop(p);
	if (status != TOOL_OK)
		return status;
	if (a->met == 0)
		return tool_fail(TOOL_NO, "nothing was decided of a warmup %s "
		    "yet; penstock warmup shows those there are", a->subject);
	return a->wrong == 0 ? TOOL_OK : tool_fail(TOOL_NO, "%zu decision%s "
	    "come%s out otherwise now", a->wrong, a->wrong == 1 ? "" : "s",
	    a->wrong == 1 ? "s" : "");
}

/* arguments - -1: go on */
static int
arguments(struct asked *a, int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			printf("usage: %s\n\n%s", usage, help);
			return TOOL_OK;
		}
		if (strcmp(argv[i], "--json") == 0)
			a->json = true;
		else if (strcmp(argv[i], "--last") == 0 && i + 1 < argc)
			a->last = atoi(argv[++i]);
		else if (argv[i][0] == '-' || a->subject != NULL)
			return tool_usage(usage);
		else
			a->subject = argv[i];
	}
	return a->subject == NULL || a->last < 1 || a->last > LAST_MOST ?
	    tool_usage(usage) : -1;
}

/* tool_warmup_explain - how it came to be on that day */
int
tool_warmup_explain(const struct tool *tool, int argc, char **argv)
{
	struct asked a = { .last = 30 };
	int status;

	if ((status = arguments(&a, argc, argv)) != -1)
		return status;
	status = live_open(tool, LIVE_MAY_LACK | LIVE_POLICY, &a.live);
	if (status == TOOL_NO || status == TOOL_OK)
		status = explain_all(&a);
	live_close(&a.live);
	return status;
}
