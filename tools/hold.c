/*
 * hold - penstock hold list, release and drop: the mail that waits in
 * Postfix's hold queue, and the word of a person about it.
 *
 * What waits is the gate's table "held"; what became of decisions about it is
 * in release/ until the gate has read it.  To release or to drop is a record
 * of the desk, which the gate obeys: it charges what the release costs and
 * writes the event, and penstock-release tells Postfix.  Nothing here touches
 * a queue.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/held_desk.h"
#include "lib/keyword.h"
#include "lib/released.h"
#include "lib/text.h"
#include "policy/warmup.h"
#include "tools/decision.h"

enum { PAGE = 256 };

static const char list_usage[] = "penstock hold list [--tenant NAME] "
    "[--json]";
static const char list_help[] =
"Mail that the gate holds, the oldest first: whose, until when it may wait,\n"
"when the gate thinks that it goes, and the limit that holds it.\n\n"
"  --tenant NAME  of that tenant alone\n"
"  --json         one JSON object a line\n\n"
"GOES is the gate's forecast, or what was decided: \"released\", \"dropped\"\n"
"or \"expired\" when penstock-release is to do so within seconds, \"failed\"\n"
"when Postfix does not.\n\n"
"Exit status: 0 shown, 3 something is broken.\n";
static const char release_usage[] = "penstock hold release QUEUE-ID | "
    "--tenant NAME | --all\n    --reason TEXT [--json]";
static const char release_help[] =
"Puts held mail in front of what else waits: one message, a tenant's, or all\n"
"that is held now; breakers hold it no more. It goes within seconds when its\n"
"limits have room; those that are full, pauses and suppressions still bind.\n"
"penstock limits grant makes room.\n\n"
"  --reason TEXT  one line; the audit log keeps it\n"
"  --json         one JSON object\n\n"
"Exit status: 0 decided, 1 no such mail is held, 3 not recorded, or not in\n"
"force within 5 s.\n";
static const char drop_usage[] = "penstock hold drop QUEUE-ID | "
    "--tenant NAME | --all\n    --reason TEXT [--json]";
static const char drop_help[] =
"Deletes held mail: one message, a tenant's, or all. Nobody is told; what it\n"
"was charged is given back. What is held later is not meant.\n\n"
"  --reason TEXT  one line; the audit log keeps it\n"
"  --json         one JSON object\n\n"
"Exit status: 0 decided, 1 no such mail is held, 3 not recorded, or not in\n"
"force within 5 s.\n";

struct listing {
	struct live	*live;
	struct released_reader *released;
	struct arena	*arena;		/* of a page */
	struct slice	 tenant;	/* p NULL: all */
	struct table	*table;		/* NULL: JSON */
	struct buf	 notes;		/* what Postfix would not do */
	size_t		 n;
	struct inventory inventory;
	bool		 counted;	/* inventory is one */
};

/* --- one row -------------------------------------------------------------- */

/* moment - month, day, hour and minute where the policy is */
static const char *
moment(const struct listing *l, int64_t us, char out[24])
{
	const struct policy *p = l->live->policy;
	struct civil c;

	if (us == 0)
		return "-";
	zone_civil(p != NULL ? p->zone : zone_utc(), us, &c);
	snprintf(out, 24, "%02d-%02d %02d:%02d", c.month, c.day, c.hour,
	    c.minute);
	return out;
}

/* is_warmup - is it the name of a limit of a warmup? */
static bool
is_warmup(struct slice why)
{
	return slice_is(why, WARMUP_DAY) || slice_is(why, WARMUP_BURST) ||
	    slice_is(why, WARMUP_PROVIDER);
}

/* what_is - a row's state as a word; "" while it waits */
static const char *
what_is(const struct held *h, const struct released *r)
{
	static const char *const words[] = { [HELD_WAITING] = "",
		[HELD_GO] = "released", [HELD_DROP] = "dropped",
		[HELD_EXPIRE] = "expired" };

	if (r != NULL && (r->result == RELEASED_FAILED ||
	    r->result == RELEASED_GONE))
		return released_names[r->result];
	return words[h->state];
}

/* json_time - a moment, or null */
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

/* print_json - one object, every key always there */
static void
print_json(const struct held *h, const struct released *r)
{
	const struct { const char *name; struct slice text; } fields[] = {
		{ "queue_id", h->queue_id }, { "tenant", h->tenant },
		{ "stream", h->stream }, { "pool", h->pool },
		{ "address", h->address }, { "instance", h->instance },
		{ "why", h->why }, { "state", slice_of(
		    held_state_names[h->state]) },
		{ "result", slice_of(r != NULL ?
		    released_names[r->result] : "") },
		{ "said", r != NULL ? r->text : SLICE("") } };
	struct buf b = BUF_INIT;

	buf_printf(&b, "{\"seq\":%" PRIu64, h->seq);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		buf_printf(&b, ",\"%s\":", fields[i].name);
		buf_json(&b, fields[i].text);
	}
	json_time(&b, "since", h->since);
	json_time(&b, "until", h->until);
	json_time(&b, "forecast", h->forecast);
	json_time(&b, "decided", h->decided);
	buf_printf(&b, ",\"decision\":%" PRIu64 "}\n", h->decision);
	if (!buf_failed(&b))
		fwrite(b.data, 1, b.len, stdout);
	buf_free(&b);
}

/* print_row - aligned, later */
static void
print_row(struct listing *l, const struct held *h, const struct released *r)
{
	const char *is = what_is(h, r);
	char a[24], b[24], c[24];
	struct quoted q;

	table_cell(l->table, "%.*s", SLICE_ARG(h->tenant));
	table_cell(l->table, "%.*s", SLICE_ARG(h->queue_id));
	table_cell(l->table, "%s", moment(l, h->since, a));
	table_cell(l->table, "%s", moment(l, h->until, b));
	table_cell(l->table, "%s", is[0] != '\0' ? is :
	    moment(l, h->forecast, c));
	if (h->why.n == 0)
		table_cell(l->table, "-");
	else if (keyword_is_name(h->why) || slice_starts(h->why,
	    SLICE(DESK_NAME ":")) || is_warmup(h->why))
		table_cell(l->table, "%.*s", SLICE_ARG(h->why));
	else
		table_cell(l->table, "%s", text_quote(h->why, &q));
	if (r != NULL && r->text.n > 0)
		buf_printf(&l->notes, "%.*s: %.*s\n", SLICE_ARG(h->queue_id),
		    SLICE_ARG(r->text));
}

/* --- all rows ------------------------------------------------------------- */

/* result_of - what release/ says of a row; NULL: nothing */
static const struct released *
result_of(struct listing *l, const struct held *h, struct released *r)
{
	struct why why;
	size_t got;

	if (h->state == HELD_WAITING && !l->counted)
		return NULL;
	if (released_read(l->released, h->seq, 1, l->arena, r, &got,
	    &why) == -1 || got == 0 || r->seq != h->seq ||
	    !slice_eq(r->queue_id, h->queue_id))
		return NULL;
	return r;
}

/* show - a page of rows */
static void
show(struct listing *l, const struct held *rows, size_t n)
{
	struct released room;

	for (size_t i = 0; i < n; i++) {
		const struct released *r;

		if (l->tenant.p != NULL && !slice_eq(l->tenant,
		    rows[i].tenant))
			continue;
		l->n++;
		r = result_of(l, &rows[i], &room);
		if (l->table != NULL)
			print_row(l, &rows[i], r);
		else
			print_json(&rows[i], r);
	}
}

/* walk - each row of the gate */
static int
walk(struct listing *l)
{
	struct held rows[PAGE];
	uint64_t from = 0;
	struct why why;
	size_t got = 0;

	while (l->live->store != NULL) {
		arena_reset(l->arena);
		if (store_held(l->live->store, from, HELD_ALL, PAGE, l->arena,
		    rows, &got, &why) == -1)
			return tool_fail(TOOL_BROKEN, "%s", why.text);
		show(l, rows, got);
		if (got < PAGE)
			break;
		from = rows[got - 1].seq + 1;
	}
	return TOOL_OK;
}

/* foot - below the table */
static void
foot(const struct listing *l, bool color)
{
	const struct inventory *i = &l->inventory;
	const struct policy *p = l->live->policy;

	if (l->n == 0)
		printf("nothing is held%s\n", l->tenant.p != NULL ?
		    " of that tenant" : "");
	else
		table_print(l->table, stdout, color);
	if (l->n > 0)
		printf("times are %s\n", zone_name(p != NULL ? p->zone :
		    zone_utc()));
	if (l->notes.len > 0)
		fwrite(l->notes.data, 1, l->notes.len, stdout);
	if (l->counted && i->foreign > 0)
		printf("%" PRIu64 " more in hold/ %s held by others\n",
		    i->foreign, i->foreign == 1 ? "is" : "are");
	if (l->counted && i->trouble.n > 0)
		printf("not released: %.*s\n", SLICE_ARG(i->trouble));
	if (!l->counted && l->n > 0)
		printf("penstock-release never ran on this store: nothing of "
		    "it is released\n");
}

/* open_listing - what a list needs beside the gate */
static int
open_listing(struct listing *l)
{
	struct why why;
	int got;

	if ((l->arena = arena_new(64u << 10, 0)) == NULL)
		return tool_fail(TOOL_BROKEN, "out of memory");
	if (released_reader(&l->released, l->live->config->store, &why) == -1)
		return tool_fail(TOOL_BROKEN, "%s", why.text);
	got = released_inventory(l->released, l->live->arena, &l->inventory,
	    &why);
	if (got == -1)
		fprintf(stderr, "penstock: what penstock-release did cannot be "
		    "read: %s\n", why.text);
	l->counted = got == 1;
	return TOOL_OK;
}

/* tool_hold_list - what waits */
int
tool_hold_list(const struct tool *tool, int argc, char **argv)
{
	static const char *const heads[] = { "TENANT", "QUEUE-ID", "SINCE",
	    "UNTIL", "GOES", "WHY", NULL };
	struct live live = { .config = NULL };
	struct listing l = { .live = &live };
	bool json = false;
	int status;

	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			printf("usage: %s\n\n%s", list_usage, list_help);
			return TOOL_OK;
		}
		if (strcmp(argv[i], "--json") == 0)
			json = true;
		else if (strcmp(argv[i], "--tenant") == 0 && i + 1 < argc)
			l.tenant = slice_of(argv[++i]);
		else
			return tool_usage(list_usage);
	}
	status = live_open(tool, LIVE_MAY_LACK | LIVE_POLICY, &live);
	if (status == TOOL_NO)		/* the policy has mistakes: no zone */
		status = TOOL_OK;
	if (status == TOOL_OK && (status = open_listing(&l)) == TOOL_OK) {
		if (!json)
			l.table = table_new(heads, "<<<<<<");
		status = walk(&l);
		if (!json && status == TOOL_OK)
			foot(&l, tool->color);
		table_free(l.table);
	}
	released_reader_close(l.released);
	arena_free(l.arena);
	buf_free(&l.notes);
	live_close(&live);
	return status;
}

/* --- decisions ------------------------------------------------------------ */

struct wish {
	struct decision	 d;
	const char	*queue_id, *tenant;
	bool		 all;
	size_t		 waiting;	/* messages that are meant, and may */
	size_t		 decided;	/* those about which it is late */
	uint64_t	 seq;		/* of the last one that is meant */
	struct slice	 whose;		/* tenant of that one */
};

/* arguments - which mail; -1: go on */
static int
arguments(struct wish *w, int argc, char **argv, const char *usage,
    const char *help)
{
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			printf("usage: %s\n\n%s", usage, help);
			return TOOL_OK;
		}
		if (strcmp(argv[i], "--all") == 0) {
			w->all = true;
			continue;
		}
		if (strcmp(argv[i], "--tenant") == 0 && i + 1 < argc) {
			w->tenant = argv[++i];
			continue;
		}
		if (decision_option(&w->d, argc, argv, &i))
			continue;
		if (argv[i][0] == '-' || w->queue_id != NULL)
			return tool_usage(usage);
		w->queue_id = argv[i];
	}
	if ((w->queue_id != NULL) + (w->tenant != NULL) + w->all != 1 ||
	    w->d.until != NULL || w->d.stream != NULL ||
	    w->d.provider != NULL)
		return tool_usage(usage);
	return -1;
}

/* meant - is that message one of them? */
static bool
meant(const struct wish *w, const struct held *h)
{
	return w->all || (w->queue_id != NULL ?
	    slice_is(h->queue_id, w->queue_id) :
	    slice_is(h->tenant, w->tenant));
}

/* count - the messages that are meant */
static int
count(struct wish *w)
{
	struct arena *arena = arena_new(64u << 10, 0);
	struct held rows[PAGE];
	uint64_t from = 0;
	struct why why;
	size_t got = 0;
	int rc = 0;

	if (arena == NULL)
		return tool_fail(TOOL_BROKEN, "out of memory");
	while (w->d.live.store != NULL) {
		arena_reset(arena);
		if ((rc = store_held(w->d.live.store, from, HELD_ALL, PAGE,
		    arena, rows, &got, &why)) == -1)
			break;
		for (size_t i = 0; i < got; i++) {
			if (!meant(w, &rows[i]))
				continue;
			w->waiting += rows[i].state == HELD_WAITING;
			w->decided += rows[i].state != HELD_WAITING;
			w->seq = rows[i].seq;
			w->whose = arena_copy(w->d.live.arena,
			    rows[i].tenant);
		}
		if (got < PAGE)
			break;
		from = rows[got - 1].seq + 1;
	}
	arena_free(arena);
	return rc == -1 ? tool_fail(TOOL_BROKEN, "%s", why.text) : TOOL_OK;
}

/* nobody - no message to decide about */
static int
nobody(const struct wish *w)
{
	struct quoted q;

	if (w->decided > 0)
		return tool_fail(TOOL_NO, "it is decided already what becomes "
		    "of %s; penstock hold list tells", w->decided == 1 ?
		    "it" : "them");
	if (w->queue_id != NULL)
		return tool_fail(TOOL_NO, "no message %s is held; penstock "
		    "hold list shows those that are",
		    text_quote(slice_of(w->queue_id), &q));
	return tool_fail(TOOL_NO, "nothing is held%s%s", w->tenant != NULL ?
	    " of tenant " : "", w->tenant != NULL ? w->tenant : "");
}

/* fill - the record: whom and what it means */
static int
fill(struct wish *w, const char *done)
{
	struct desk_record *r = &w->d.record;
	const char *before;
	int64_t time;
	struct why why;
	uint64_t last;

	if (w->queue_id != NULL) {
		r->object = slice_of(w->queue_id);
		r->tenant = w->whose;
		last = w->seq;
	} else {
		r->object = SLICE(HELD_DESK_ALL);
		r->tenant = w->tenant != NULL ? slice_of(w->tenant) :
		    SLICE("");
		if (store_last(w->d.live.store, &last, &time, &why) == -1)
			return tool_fail(TOOL_BROKEN, "%s", why.text);
	}
	r->amount = (int64_t)last;
	before = arena_printf(w->d.live.arena, "%zu message%s held",
	    w->waiting, w->waiting == 1 ? "" : "s");
	if (before == NULL || r->tenant.p == NULL)
		return tool_fail(TOOL_BROKEN, "out of memory");
	r->before = slice_of(before);
	r->after = slice_of(done);
	return TOOL_OK;
}

/* decide - either of both */
static int
decide(struct wish *w, const char *done)
{
	const char *said;
	int status;

	if ((status = decision_begin(&w->d, LIVE_MAY_LACK | LIVE_POLICY,
	    false)) != TOOL_OK || (status = count(w)) != TOOL_OK)
		return status;
	if (w->waiting == 0)
		return nobody(w);
	if ((status = fill(w, done)) != TOOL_OK)
		return status;
	said = arena_printf(w->d.live.arena, "%zu message%s %s %s",
	    w->waiting, w->waiting == 1 ? "" : "s",
	    w->waiting == 1 ? "is" : "are", w->d.record.kind ==
	    DESK_HOLD_DROP ? "dropped" : "next, as soon as its limits have "
	    "room");
	return decision_make(&w->d, said != NULL ? said : done);
}

/* tool_hold_release - it may go */
int
tool_hold_release(const struct tool *tool, int argc, char **argv)
{
	struct wish w = { .d = { .tool = tool,
		.record.kind = DESK_HOLD_RELEASE } };
	int status = arguments(&w, argc, argv, release_usage, release_help);

	if (status != -1)
		return status;
	status = decide(&w, "to go first");
	decision_end(&w.d);
	return status;
}

/* tool_hold_drop - nobody gets it */
int
tool_hold_drop(const struct tool *tool, int argc, char **argv)
{
	struct wish w = { .d = { .tool = tool,
		.record.kind = DESK_HOLD_DROP } };
	int status = arguments(&w, argc, argv, drop_usage, drop_help);

	if (status != -1)
		return status;
	status = decide(&w, "dropped");
	decision_end(&w.d);
	return status;
}
