/*
 * audit - penstock audit: who decided what, when and why, and which policy was
 * loaded when, in one view by time.
 *
 * Decisions come from the desk, loads of the policy from the gate's events.
 * Both are read a few at a time and merged; what stands in memory does not
 * grow with either.
 */
#include "tools/audit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/scan.h"

enum { BATCH = 64, EVENTS = 256 };

static const char usage[] = "penstock audit [--since TIME] [--json] "
    "[--verify]";
static const char help[] =
"Decisions of operators and loads of the policy, the oldest first.\n\n"
"  --since TIME  from that moment: \"1h\", \"3 days ago\",\n"
"                \"2026-11-21T08:00:00Z\"\n"
"  --json        one object per line\n"
"  --verify      instead: is each decision what was written behind the one\n"
"                before it, and is the chain the one that the gate saw?\n\n"
"Exit status: 0 shown, or the chain is whole; 1 it is not; 3 a store cannot\n"
"be read.\n";

/* audit_next - of the desk, in order */
int
audit_next(struct audit *a, const struct desk_row **row, struct why *why)
{
	if (a->desk == NULL)
		return 0;
	if (a->at == a->n) {
		arena_reset(a->arena);
		a->at = a->n = 0;
		if (desk_read(a->desk, a->next, BATCH, a->arena, a->rows,
		    &a->n, why) == -1)
			return -1;
		if (a->n == 0)
			return 0;
		a->next = a->rows[a->n - 1].record.seq + 1;
	}
	*row = &a->rows[a->at++];
	return 1;
}

struct loads {				/* of the policy, from the events */
	struct store	*store;
	struct arena	*arena, *one;
	struct slice	 encoded[EVENTS];
	size_t		 n, at;
	uint64_t	 next;
	struct event	 event;
};

/* is_load - without decoding all of it */
static int
is_load(struct loads *l, struct slice encoded, struct why *why)
{
	enum event_kind kind;
	struct charge *charges;
	uint64_t seq, voids;
	int64_t time;
	size_t n;

	arena_reset(l->one);
	if (event_charges(encoded, &seq, &time, &kind, &voids, &charges, &n,
	    l->one, why) == -1)
		return -1;
	return kind == EVENT_RELOAD;
}

/* loads_next - fetch: the next load of a policy */
static int
loads_next(struct loads *l, struct why *why)
{
	int got;

	if (l->store == NULL)
		return 0;
	for (;;) {
		if (l->at == l->n) {
			arena_reset(l->arena);
			l->at = l->n = 0;
			if (store_read(l->store, l->next, EVENTS, l->arena,
			    l->encoded, &l->n, why) == -1)
				return -1;
			if (l->n == 0)
				return 0;
			l->next += l->n;
		}
		if ((got = is_load(l, l->encoded[l->at++], why)) == -1)
			return -1;
		if (got == 0)
			continue;
		return event_decode(l->encoded[l->at - 1], &l->event, l->one,
		    why) == -1 ? -1 : 1;
	}
}

/* plain - a text without what moves a cursor or rings; its first line */
static void
plain(struct buf *b, struct slice s)
{
	for (size_t i = 0; i < s.n && s.p[i] != '\n'; i++) {
		unsigned char c = (unsigned char)s.p[i];

		buf_char(b, c < ' ' || c == 0x7f ? '?' : s.p[i]);
	}
}

/* part - a label and a text, if there is one */
static void
part(struct buf *b, const char *label, struct slice text)
{
	if (text.n == 0)
		return;
	buf_str(b, label);
	plain(b, text);
}

/* put_who - who called sudo comes first */
static void
put_who(struct buf *b, const struct desk_record *r)
{
	if (r->user.n > 0)
		plain(b, r->sudo.n > 0 ? r->sudo : r->user);
	else
		buf_printf(b, "uid %" PRIu32, r->uid);
	if (r->user.n > 0 && r->sudo.n > 0)
		part(b, " as ", r->user);
}

/* put_row - a decision, for eyes */
static void
put_row(struct buf *b, const struct desk_row *row)
{
	const struct desk_record *r = &row->record;

	event_time(r->time, b);
	buf_printf(b, "  desk:%" PRIu64 "  ", r->seq);
	put_who(b, r);
	buf_printf(b, "  %s", desk_kind_name(r->kind));
	part(b, " ", r->tenant);
	part(b, " stream ", r->stream);
	part(b, " provider ", r->provider);
	part(b, " limit ", r->limit);
	if (r->kind == DESK_ANEW && r->seq > 0)
		buf_printf(b, ", without desk:%" PRId64 " to desk:%" PRIu64,
		    r->amount + 1, r->seq - 1);
	else
		part(b, " ", r->object);
	part(b, " ", r->subject);
	if (row->erased)
		buf_str(b, " (erased)");
	part(b, ": ", r->reason);
	if (r->before.n > 0 || r->after.n > 0) {
		buf_str(b, "  [");
		plain(b, r->before);
		buf_str(b, " -> ");
		plain(b, r->after);
		buf_char(b, ']');
	}
	buf_char(b, '\n');
}

/* put_load - a policy that was loaded, or not */
static void
put_load(struct buf *b, const struct event *e)
{
	event_time(e->time, b);
	buf_printf(b, "  event:%" PRIu64 "  gate  reload, policy "
	    "%02x%02x%02x%02x: ", e->seq, e->policy_hash[0],
	    e->policy_hash[1], e->policy_hash[2], e->policy_hash[3]);
	plain(b, e->text);
	buf_char(b, '\n');
}

/* print - one of the two */
static int
print(const struct audit *a, struct buf *b, const struct desk_row *row,
    const struct event *load, struct why *why)
{
	buf_reset(b);
	if (row != NULL && a->json) {
		desk_json(row, b);
		buf_char(b, '\n');
	} else if (row != NULL)
		put_row(b, row);
	else if (a->json) {
		event_json(load, b);
		buf_char(b, '\n');
	} else
		put_load(b, load);
	if (buf_failed(b))
		return why_set(why, "out of memory");
	if (fwrite(b->data, 1, b->len, stdout) != b->len)
		return why_errno(why, "cannot write");
	return 0;
}

/* merge - by time; among decisions, and among loads, in their own order */
static int
merge(struct audit *a, struct loads *l, int64_t since, struct why *why)
{
	const struct desk_row *row = NULL;
	struct buf b = BUF_INIT;
	int rows = 1, loads, rc = 0;

	loads = loads_next(l, why);
	do {
		rows = audit_next(a, &row, why);
	} while (rows == 1 && row->record.time < since);
	while (rc == 0 && (rows == 1 || loads == 1)) {
		if (rows == -1 || loads == -1)
			break;
		if (rows == 1 && (loads == 0 ||
		    row->record.time <= l->event.time)) {
			rc = print(a, &b, row, NULL, why);
			rows = rc == 0 ? audit_next(a, &row, why) : rows;
		} else {
			rc = print(a, &b, NULL, &l->event, why);
			loads = rc == 0 ? loads_next(l, why) : loads;
		}
	}
	buf_free(&b);
	return rc == -1 || rows == -1 || loads == -1 ? -1 : 0;
}

/* show - everything since then */
static int
show(struct audit *a, const char *since)
{
	struct loads *l = xcalloc(1, sizeof(*l));
	int64_t from = INT64_MIN;
	struct why why;
	int rc = TOOL_OK;

	l->store = a->store;
	l->next = 1;
	l->arena = arena_new(256u << 10, 0);
	l->one = arena_new(1 << 14, 0);
	if (l->arena == NULL || l->one == NULL)
		rc = tool_fail(TOOL_BROKEN, "out of memory");
	else if (since != NULL && scan_moment(slice_of(since), NULL,
	    clock_wall(), &from, &why) == -1)
		rc = tool_fail(TOOL_USAGE, "--since: %s", why.text);
	else if ((since != NULL && l->store != NULL && store_seq_at(l->store,
	    from, &l->next, &why) == -1) || merge(a, l, from, &why) == -1 ||
	    (fflush(stdout) != 0 && why_errno(&why, "cannot write") == -1))
		rc = tool_fail(TOOL_BROKEN, "%s", why.text);
	arena_free(l->arena);
	arena_free(l->one);
	free(l);
	return rc;
}

/* pages - every page of the desk, before anything is opened */
static int
pages(const struct audit *a)
{
	char *data = xasprintf("%s/data.mdb", a->dir);
	bool there = access(data, F_OK) == 0;
	struct why why;

	free(data);
	return !there || desk_verify(a->dir, &why) == 0 ? TOOL_OK :
	    tool_fail(TOOL_NO, "%s", why.text);
}

/* open_all - the desk and the gate's store, either of which may lack */
static int
open_all(const struct tool *tool, struct audit *a, bool verify)
{
	char *gate;
	struct why why;
	int rc, got;

	if ((rc = tool_config(tool, &a->config)) != TOOL_OK)
		return rc;
	if ((a->arena = arena_new(64u << 10, 0)) == NULL)
		return tool_fail(TOOL_BROKEN, "out of memory");
	a->next = 1;
	a->dir = xasprintf("%s/desk", a->config->store);
	if (verify && (rc = pages(a)) != TOOL_OK)
		return rc;
	gate = xasprintf("%s/gate", a->config->store);
	got = store_open_read(&a->store, gate, &why);
	free(gate);
	if (got == -1 || desk_open_read(&a->desk, a->dir, &why) == -1)
		return tool_fail(TOOL_BROKEN, "%s", why.text);
	return TOOL_OK;
}

/* tool_audit - show, or verify */
int
tool_audit(const struct tool *tool, int argc, char **argv)
{
	struct audit *a = xcalloc(1, sizeof(*a));
	const char *since = NULL;
	bool verify = false;
	int rc = TOOL_OK;

	for (int i = 0; i < argc && rc == TOOL_OK; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			printf("usage: %s\n\n%s", usage, help);
			goto out;
		}
		if (strcmp(argv[i], "--json") == 0)
			a->json = true;
		else if (strcmp(argv[i], "--verify") == 0)
			verify = true;
		else if (strcmp(argv[i], "--since") == 0 && i + 1 < argc)
			since = argv[++i];
		else
			rc = tool_usage(usage);
	}
	if (rc == TOOL_OK && verify && since != NULL)
		rc = tool_usage(usage);
	if (rc == TOOL_OK && (rc = open_all(tool, a, verify)) == TOOL_OK)
		rc = verify ? audit_verify(a) : show(a, since);
out:
	desk_close(a->desk);
	store_close(a->store);
	arena_free(a->arena);
	config_free(a->config);
	free(a->dir);
	free(a);
	return rc;
}
