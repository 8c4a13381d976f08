/*
 * trace - the life of messages: what the gate said, and what became of each
 * recipient.
 *
 * Which messages: by address or Message-ID from the ingester's indexes; what
 * it has not read yet, and everything where it never ran, from the gate's
 * events one by one.  A queue id is the gate's own index.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/map.h"
#include "lib/scan.h"
#include "reputation/outcome.h"
#include "tools/tool.h"

enum { BATCH = 256, FOUND = 10000, OUTCOMES = 4096 };
enum { HEAD = 29, SIDE = 32, BODY = 42, TEXT = 14 };	/* columns */

static const char usage[] = "penstock trace [--since TIME] [--json] "
    "QUEUE-ID | MESSAGE-ID\n"
    "       penstock trace [--since TIME] [--json] --rcpt ADDRESS "
    "[--sender ADDRESS]";

struct trace {
	const char	*rcpt, *sender, *since, *id;
	bool		 json;
	int64_t		 from;
	struct store	*gate;
	struct outcomes	*outcomes;	/* NULL: there is no store */
	struct arena	*arena;
	uint64_t	*events;	/* found, in their order */
	size_t		 n;
	uint64_t	 printed;
};

/* options - false: usage */
static bool
options(struct trace *t, int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		const char **to = NULL;

		if (strcmp(argv[i], "--json") == 0)
			t->json = true;
		else if (strcmp(argv[i], "--rcpt") == 0)
			to = &t->rcpt;
		else if (strcmp(argv[i], "--sender") == 0)
			to = &t->sender;
		else if (strcmp(argv[i], "--since") == 0)
			to = &t->since;
		else if (argv[i][0] == '-' || t->id != NULL)
			return false;
		else
			t->id = argv[i];
		if (to != NULL && ++i >= argc)
			return false;
		if (to != NULL)
			*to = argv[i];
	}
	return (t->id != NULL) != (t->rcpt != NULL || t->sender != NULL);
}

/* bare - an address or a Message-ID without its brackets */
static struct slice
bare(const char *text)
{
	struct slice s = slice_trim(slice_of(text));

	if (s.n >= 2 && s.p[0] == '<' && s.p[s.n - 1] == '>')
		s = (struct slice){ s.p + 1, s.n - 2 };
	return s;
}

/* is_message_id - or a queue id */
static bool
is_message_id(const char *id)
{
	return id[0] == '<' || strchr(id, '@') != NULL;
}

/* add - an event that was found; the list is bounded, the latest stay */
static void
add(struct trace *t, uint64_t seq)
{
	if (t->n == FOUND) {
		memmove(t->events, t->events + 1,
		    (FOUND - 1) * sizeof(*t->events));
		t->n--;
	}
	t->events[t->n++] = seq;
}

/* --- finding ------------------------------------------------------------- */

/* matches - an event against what is asked for */
static bool
matches(const struct trace *t, const struct event *e)
{
	if (t->id != NULL)
		return is_message_id(t->id) ? e->message_id.n > 0 &&
		    slice_eq(bare(t->id), (struct slice){ e->message_id.p +
		    (e->message_id.p[0] == '<'), e->message_id.n - (e->
		    message_id.p[0] == '<' ? 2 : 0) }) :
		    slice_is(e->queue_id, t->id);
	if (t->sender != NULL &&
	    !slice_case_eq(e->mail_from, bare(t->sender)))
		return false;
	if (t->rcpt == NULL)
		return true;
	for (size_t i = 0; i < e->nrecipients; i++)
		if (slice_case_eq(e->recipients[i].address, bare(t->rcpt)))
			return true;
	return false;
}

/* scan - the gate's events from a sequence on, one by one */
static int
scan(struct trace *t, uint64_t from, struct why *why)
{
	struct slice encoded[BATCH];
	struct arena *arena = arena_new(1 << 16, 0);
	struct event e;
	size_t got = 1;
	int rc = -1;

	if (arena == NULL)
		return why_kind(why, WHY_MEMORY, "out of memory");
	while (got > 0) {
		arena_reset(arena);
		if (store_read(t->gate, from, BATCH, arena, encoded, &got,
		    why) == -1)
			goto out;
		for (size_t i = 0; i < got; i++) {
			if (event_decode(encoded[i], &e, arena, why) == -1)
				goto out;
			from = e.seq + 1;
			if (matches(t, &e))
				add(t, e.seq);
		}
	}
	rc = 0;
out:
	arena_free(arena);
	return rc;
}

/* indexed - events by address or Message-ID that the ingester has read */
static int
indexed(struct trace *t, uint64_t from, uint64_t applied, struct why *why)
{
	uint64_t list[BATCH], after = from > 0 ? from - 1 : 0;
	size_t got = BATCH;

	while (got == BATCH) {
		int rc = t->id != NULL ? outcomes_by_message_id(t->outcomes,
		    slice_of(t->id), after, list, BATCH, &got, why) :
		    t->rcpt != NULL ? outcomes_by_address(t->outcomes,
		    bare(t->rcpt), ROLE_RECIPIENT, after, list, BATCH, &got,
		    why) : outcomes_by_address(t->outcomes, bare(t->sender),
		    ROLE_SENDER, after, list, BATCH, &got, why);

		if (rc == -1)
			return -1;
		for (size_t i = 0; i < got; i++) {
			after = list[i];
			if (list[i] <= applied)
				add(t, list[i]);
		}
	}
	return 0;
}

/* find - all that are asked for; some of them may turn out not to match */
static int
find(struct trace *t, struct why *why)
{
	uint64_t from = 1, applied = 0;

	if (t->since != NULL &&
	    store_seq_at(t->gate, t->from, &from, why) == -1)
		return -1;
	/* The ingester indexes what Postfix has; the queue id finds the
	 * latest message that bears it, without a walk. */
	if (t->id != NULL && !is_message_id(t->id)) {
		uint64_t seq;
		int got = store_by_queue_id(t->gate, slice_of(t->id), &seq,
		    why);

		if (got == 1 && seq >= from)
			add(t, seq);
		return got == -1 ? -1 : 0;
	}
	if (t->outcomes != NULL &&
	    (outcomes_applied(t->outcomes, &applied, why) == -1 ||
	    indexed(t, from, applied, why) == -1))
		return -1;
	return scan(t, applied + 1 > from ? applied + 1 : from, why);
}

/* --- printing ------------------------------------------------------------ */

/* put_plain - foreign text, harmless to a terminal */
static void
put_plain(struct buf *b, struct slice s, size_t most)
{
	for (size_t i = 0; i < s.n && i < most; i++)
		buf_char(b, s.p[i] >= ' ' && s.p[i] < 127 ? s.p[i] : '?');
}

/* put_text - as it fits into the terminal; the text is freed */
static void
put_text(struct buf *b, size_t indent, struct buf *text)
{
	tool_wrap(b, indent, buf_slice(text));
	buf_char(b, '\n');
	buf_free(text);
}

/* put_recipient - what the gate said of one, when it is not the usual */
static void
put_recipient(struct buf *b, const struct event_recipient *r)
{
	struct buf text = BUF_INIT;

	buf_printf(b, "    %-27s %-10s", "", verdict_names[r->verdict]);
	put_plain(&text, r->address, 80);
	if (r->rule.n > 0) {
		buf_str(&text, "  ");
		put_plain(&text, r->rule, 160);
	}
	put_text(b, BODY, &text);
}

/* put_event - the first lines */
static void
put_event(struct buf *b, const struct event *e)
{
	struct buf text = BUF_INIT;

	event_time(e->time, b);
	buf_str(b, "  ");
	buf_str(&text, event_kind_names[e->kind]);
	if (e->queue_id.n > 0) {
		buf_char(&text, ' ');
		put_plain(&text, e->queue_id, 64);
	}
	buf_str(&text, "  tenant ");
	put_plain(&text, e->tenant, 64);
	if (e->stream.n > 0) {
		buf_str(&text, ", stream ");
		put_plain(&text, e->stream, 64);
	}
	buf_str(&text, "  from <");
	put_plain(&text, e->mail_from, 120);
	buf_printf(&text, ">  %zu recipient%s", e->nrecipients,
	    e->nrecipients == 1 ? "" : "s");
	if (e->message_id.n > 0) {
		buf_str(&text, "  ");
		put_plain(&text, e->message_id, 120);
	}
	put_text(b, HEAD, &text);
	if (e->rule.n > 0 || e->reply.n > 0) {
		buf_printf(b, "%*s", SIDE, "");
		put_plain(&text, e->rule, 120);
		buf_str(&text, e->rule.n > 0 && e->reply.n > 0 ? "  " : "");
		put_plain(&text, e->reply, 200);
		put_text(b, SIDE, &text);
	}
	for (size_t i = 0; i < e->nrecipients; i++)
		if (e->recipients[i].verdict != VERDICT_PASS)
			put_recipient(b, &e->recipients[i]);
}

/* put_outcome - one line more of its life */
static void
put_outcome(struct buf *b, const struct outcome *x)
{
	struct buf text = BUF_INIT;

	buf_str(b, "    ");
	event_time(x->time, b);
	buf_printf(b, " %-10s", outcome_kind_names[x->kind]);
	put_plain(&text, x->recipient, 80);
	buf_str(&text, "  ");
	put_plain(&text, x->provider, 32);
	if (x->delay >= 0)
		buf_printf(&text, "  after %.2f s", (double)x->delay / 1e6);
	if (x->source != OUTCOME_LOG)
		buf_printf(&text, "  told by %s",
		    outcome_source_names[x->source]);
	put_text(b, BODY, &text);
	if (x->category.n > 0) {
		buf_printf(b, "%*s", TEXT, "");
		put_plain(&text, x->category, 32);
		buf_str(&text, ", ");
		put_plain(&text, x->action, 32);
		buf_str(&text, " (rule ");
		put_plain(&text, x->rule, 64);
		buf_char(&text, ')');
		put_text(b, TEXT, &text);
	}
	if (x->reply.n > 0) {
		buf_printf(b, "%*s", TEXT, "");
		put_plain(&text, x->reply, 300);
		put_text(b, TEXT, &text);
	}
}

/* is_final - nothing more is to come of that recipient by itself */
static bool
is_final(enum outcome_kind kind)
{
	return kind == OUTCOME_DELIVERED || kind == OUTCOME_BOUNCED ||
	    kind == OUTCOME_EXPIRED || kind == OUTCOME_DELETED;
}

/* lowered - a copy in lower case: the log may write it in another one */
static struct slice
lowered(struct arena *arena, struct slice s)
{
	char *low = arena_alloc(arena, s.n + 1);

	if (low == NULL)
		return SLICE_NONE;
	for (size_t i = 0; i < s.n; i++)
		low[i] = s.p[i] >= 'A' && s.p[i] <= 'Z' ?
		    (char)(s.p[i] | 0x20) : s.p[i];
	return (struct slice){ low, s.n };
}

/* put_open - recipients of whom nothing final is known */
static void
put_open(const struct trace *t, struct buf *b, const struct event *e,
    const struct outcome *list, size_t n)
{
	struct map *done = map_new();
	bool first = true;

	for (size_t i = 0; done != NULL && i < n; i++) {
		struct slice low = lowered(t->arena, list[i].recipient);

		if (is_final(list[i].kind) && low.p != NULL)
			(void)map_set(done, low, done);
	}
	for (size_t i = 0; done != NULL && i < e->nrecipients; i++) {
		const struct event_recipient *r = &e->recipients[i];
		struct slice low = lowered(t->arena, r->address);

		if ((r->verdict != VERDICT_PASS &&
		    r->verdict != VERDICT_HOLD) || low.p == NULL ||
		    map_get(done, low) != NULL)
			continue;
		if (t->json) {
			buf_str(b, first ? "" : ",");
			buf_json(b, r->address);
		} else {
			buf_printf(b, "    %-27s open      ", "");
			put_plain(b, r->address, 80);
			buf_char(b, '\n');
		}
		first = false;
	}
	map_free(done);
}

/* by_time - outcomes in the order in which they happened */
static int
by_time(const void *a, const void *b)
{
	const struct outcome *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	return (x->seq > y->seq) - (x->seq < y->seq);
}

/* outcomes_for - of one event, in the arena */
static int
outcomes_for(struct trace *t, uint64_t event, struct outcome **list,
    size_t *n, struct why *why)
{
	uint64_t *seqs = arena_array(t->arena, OUTCOMES, sizeof(*seqs));
	size_t got, one;

	*n = 0;
	*list = NULL;
	if (t->outcomes == NULL)
		return 0;
	if (seqs == NULL)
		return why_kind(why, WHY_MEMORY, "out of memory");
	if (outcomes_of_event(t->outcomes, event, seqs, OUTCOMES, &got,
	    why) == -1)
		return -1;
	*list = arena_array(t->arena, got + 1, sizeof(**list));
	if (*list == NULL)
		return why_kind(why, WHY_MEMORY, "out of memory");
	for (size_t i = 0; i < got; i++) {
		if (outcomes_read(t->outcomes, seqs[i], 1, t->arena,
		    &(*list)[*n], &one, why) == -1)
			return -1;
		*n += one == 1 && (*list)[*n].seq == seqs[i];
	}
	qsort(*list, *n, sizeof(**list), by_time);
	return 0;
}

/* print_one - a message */
static int
print_one(struct trace *t, uint64_t seq, struct why *why)
{
	struct buf b = BUF_INIT;
	struct outcome *list;
	struct event e;
	size_t n;
	int rc = -1, got;

	arena_reset(t->arena);
	if ((got = store_event(t->gate, seq, t->arena, &e, why)) != 1)
		return got;
	if (!matches(t, &e) || e.time < t->from)
		return 0;	/* pruned; or another one of that sender */
	if (outcomes_for(t, seq, &list, &n, why) == -1)
		return -1;
	if (t->json) {
		buf_str(&b, "{\"event\":");
		event_json(&e, &b);
		buf_str(&b, ",\"outcomes\":[");
		for (size_t i = 0; i < n; i++) {
			buf_str(&b, i > 0 ? "," : "");
			outcome_json(&list[i], &b);
		}
		buf_str(&b, "],\"open\":[");
		if (e.kind == EVENT_ACCEPT || e.kind == EVENT_HOLD)
			put_open(t, &b, &e, list, n);
		buf_str(&b, "]}\n");
	} else {
		if (t->printed > 0)
			buf_char(&b, '\n');
		put_event(&b, &e);
		for (size_t i = 0; i < n; i++)
			put_outcome(&b, &list[i]);
		if (e.kind == EVENT_ACCEPT || e.kind == EVENT_HOLD)
			put_open(t, &b, &e, list, n);
	}
	t->printed++;
	if (buf_failed(&b))
		why_kind(why, WHY_MEMORY, "out of memory");
	else
		rc = 0;
	fwrite(b.data, 1, b.len, stdout);
	buf_free(&b);
	return rc;
}

/* run - with the stores */
static int
run(struct trace *t)
{
	struct why why;

	t->arena = arena_new(1 << 16, 0);
	t->events = calloc(FOUND, sizeof(*t->events));
	if (t->arena == NULL || t->events == NULL)
		return tool_fail(TOOL_BROKEN, "out of memory");
	t->from = INT64_MIN;
	if (t->since != NULL && scan_moment(slice_of(t->since), NULL,
	    clock_wall(), &t->from, &why) == -1)
		return tool_fail(TOOL_USAGE, "--since: %s", why.text);
	if (find(t, &why) == -1)
		return tool_fail(TOOL_BROKEN, "%s", why.text);
	for (size_t i = 0; i < t->n; i++)
		if (print_one(t, t->events[i], &why) == -1)
			return tool_fail(TOOL_BROKEN, "%s", why.text);
	if (t->printed == 0 && !t->json)
		fputs("no such message\n", stderr);
	return t->printed > 0 ? TOOL_OK : TOOL_NO;
}

/* open_outcomes - what there is of it */
static int
open_outcomes(struct trace *t, const struct config *config)
{
	char *dir = xasprintf("%s/outcomes", config->store);
	struct why why;
	int got = outcomes_open_read(&t->outcomes, dir, &why);

	free(dir);
	if (got == 0)
		fputs("penstock: penstock-ingest has no store yet: only the "
		    "gate's word\n", stderr);
	return got == -1 ? tool_fail(TOOL_BROKEN, "%s", why.text) : TOOL_OK;
}

/* tool_trace - 0 found, 1 not */
int
tool_trace(const struct tool *tool, int argc, char **argv)
{
	struct trace t = { .id = NULL };
	struct config *config;
	int status;

	if (tool_asks_help(argc, argv))
		return tool_help(usage);
	if (!options(&t, argc, argv))
		return tool_usage(usage);
	if ((status = tool_config(tool, &config)) != TOOL_OK)
		return status;
	if ((status = tool_store(config, &t.gate)) == TOOL_OK &&
	    (status = open_outcomes(&t, config)) == TOOL_OK)
		status = run(&t);
	outcomes_close(t.outcomes);
	store_close(t.gate);
	arena_free(t.arena);
	free(t.events);
	config_free(config);
	return status;
}
