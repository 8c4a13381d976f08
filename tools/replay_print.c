/*
 * replay_print - the two voices of `penstock policy replay`.
 */
#include <inttypes.h>
#include <stdio.h>

#include "tools/replay.h"
#include "tools/tool.h"

struct totals {
	uint64_t tenants, tenants_changed, attempts, attempts_changed;
};

/* total - over the rows of whole tenants */
static struct totals
total(const struct replay_tally *t)
{
	struct totals all = { 0, 0, 0, 0 };

	for (size_t i = 0; i < t->nrows; i++) {
		const struct replay_row *r = t->rows[i];

		if (r->limit.n > 0)
			continue;
		all.tenants++;
		all.tenants_changed += r->changed > 0;
		all.attempts_changed += r->changed;
		for (size_t v = 0; v < REPLAY_VERDICTS; v++)
			all.attempts += r->was[v];
	}
	return all;
}

/* name_of - a tenant's, or that nobody was known */
static struct slice
name_of(struct slice tenant)
{
	return tenant.n > 0 ? tenant : SLICE("(nobody)");
}

/* print_changes - each kind with its first example */
static void
print_changes(const struct replay_tally *t, bool color)
{
	static const char *const heads[] = { "TENANT", "LIMIT", "WAS",
	    "WOULD BE", "COUNT", "EVENT", "WHERE", NULL };
	struct table *table;

	if (t->nchanges == 0)
		return;
	table = table_new(heads, "<<<<>><");
	for (size_t i = 0; i < t->nchanges; i++) {
		const struct replay_change *c = t->changes[i];

		table_cell(table, "%.*s", SLICE_ARG(name_of(c->tenant)));
		table_cell(table, "%.*s", SLICE_ARG(c->limit.n > 0 ?
		    c->limit : SLICE("-")));
		table_cell(table, "%s", verdict_names[c->was]);
		if (c->now.n > 0)
			table_cell(table, "%s as %.*s", verdict_names[c->would],
			    SLICE_ARG(c->now));
		else
			table_cell(table, "%s", verdict_names[c->would]);
		table_cell(table, "%" PRIu64, c->count);
		table_cell(table, "%" PRIu64, c->seq);
		table_cell(table, "%.*s", SLICE_ARG(c->rule.n > 0 ? c->rule :
		    SLICE("-")));
	}
	putchar('\n');
	table_print(table, stdout, color);
	table_free(table);
}

/* print_pair - "15 > 11", "15" when it stays */
static void
print_pair(struct table *table, uint64_t was, uint64_t would)
{
	if (was == would)
		table_cell(table, "%" PRIu64, was);
	else
		table_cell(table, "%" PRIu64 " > %" PRIu64, was, would);
}

/* print_rows - tenants that change, and their limits */
static void
print_rows(const struct replay_tally *t, bool color)
{
	static const char *const heads[] = { "TENANT", "LIMIT", "PASS", "HOLD",
	    "DEFER", "REFUSE", "DROP", NULL };
	struct table *table;
	bool shown = false;

	if (t->nchanges == 0)
		return;
	table = table_new(heads, "<<>>>>>");
	for (size_t i = 0; i < t->nrows; i++) {
		const struct replay_row *r = t->rows[i];

		if (r->limit.n == 0)
			shown = r->changed > 0;
		if (!shown)
			continue;
		table_cell(table, "%.*s", SLICE_ARG(name_of(r->tenant)));
		table_cell(table, "%.*s", SLICE_ARG(r->limit.n > 0 ?
		    r->limit : SLICE("(all)")));
		for (size_t v = 0; v < REPLAY_VERDICTS; v++)
			if (v == VERDICT_PASS && r->limit.n > 0)
				table_cell(table, "-");
			else
				print_pair(table, r->was[v], r->would[v]);
	}
	putchar('\n');
	table_print(table, stdout, color);
	table_free(table);
}

/* note - "3 messages ...", when there are some */
static void
note(uint64_t n, const char *one, const char *many)
{
	if (n > 0)
		printf("%" PRIu64 " %s\n", n, n == 1 ? one : many);
}

/* print_notes - what the figures do not say */
static void
print_notes(const struct replay *r)
{
	note(r->was_shadowed, "message was recorded as passing in shadow mode "
	    "only", "messages were recorded as passing in shadow mode only");
	note(r->shadowed, "message would pass only because the new policy is "
	    "in shadow", "messages would pass only because the new policy is "
	    "in shadow");
	note(r->desk, "answer of the desk (a pause) was left out", "answers of "
	    "the desk (pauses) were left out");
	note(r->inside, "answer that no policy made (a key, the store, a "
	    "broken header) was left out", "answers that no policy made (keys, "
	    "the store, broken headers) were left out");
	note(r->voided, "message was taken back after it was recorded, and "
	    "counts as accepted", "messages were taken back after they were "
	    "recorded, and count as accepted");
	if (replay_by_header(r->policy))
		printf("headers are not recorded: in a stream that they select "
		    "is the mail that was\nin a stream of that name\n");
}

/* replay_print - for eyes */
void
replay_print(const struct replay *r, const char *path, bool color)
{
	const struct replay_tally *t = &r->tally;
	struct totals all = total(t);

	print_changes(t, color);
	print_rows(t, color);
	if (t->nchanges > 0)
		putchar('\n');
	printf("%s: ", path);
	if (all.attempts == 0)
		printf("no mail is recorded in that time\n");
	else
		printf("%" PRIu64 " of %" PRIu64 " tenants would change, "
		    "%" PRIu64 " of %" PRIu64 " recipients\n",
		    all.tenants_changed, all.tenants, all.attempts_changed,
		    all.attempts);
	print_notes(r);
}

/* json_counts - "name":{"pass":1,...} */
static void
json_counts(struct buf *b, const char *name, const uint64_t *counts)
{
	buf_printf(b, "\"%s\":{", name);
	for (size_t v = 0; v < REPLAY_VERDICTS; v++)
		buf_printf(b, "%s\"%s\":%" PRIu64, v > 0 ? "," : "",
		    verdict_names[v], counts[v]);
	buf_char(b, '}');
}

/* json_rows - of tenants that change, and their limits */
static void
json_rows(const struct replay_tally *t, struct buf *b)
{
	const char *comma = "";
	bool shown = false;

	buf_str(b, "\"tenants\":[");
	for (size_t i = 0; i < t->nrows; i++) {
		const struct replay_row *r = t->rows[i];

		if (r->limit.n == 0)
			shown = r->changed > 0;
		if (!shown)
			continue;
		buf_printf(b, "%s{", comma);
		comma = ",";
		buf_json_member(b, "tenant", r->tenant);
		if (r->limit.n > 0)
			buf_json_member(b, "limit", r->limit);
		else
			buf_printf(b, "\"limit\":null,\"changed\":%" PRIu64
			    ",", r->changed);
		json_counts(b, "recorded", r->was);
		buf_char(b, ',');
		json_counts(b, "would", r->would);
		buf_char(b, '}');
	}
	buf_str(b, "],");
}

/* json_changes - each kind with its first example */
static void
json_changes(const struct replay_tally *t, struct buf *b)
{
	buf_str(b, "\"changes\":[");
	for (size_t i = 0; i < t->nchanges; i++) {
		const struct replay_change *c = t->changes[i];

		buf_str(b, i > 0 ? ",{" : "{");
		buf_json_member(b, "tenant", c->tenant);
		buf_json_member(b, "limit", c->limit);
		buf_json_member(b, "was", slice_of(verdict_names[c->was]));
		buf_json_member(b, "would", slice_of(verdict_names[c->would]));
		if (c->now.n > 0)
			buf_json_member(b, "as_tenant", c->now);
		buf_json_member(b, "rule", c->rule);
		buf_json_member(b, "recipient", c->recipient);
		buf_json_member(b, "reply", c->reply);
		buf_printf(b, "\"count\":%" PRIu64 ",\"seq\":%" PRIu64
		    ",\"time\":\"", c->count, c->seq);
		event_time(c->time, b);
		buf_str(b, "\"}");
	}
	buf_str(b, "],");
}

/* replay_json - one object */
void
replay_json(const struct replay *r, const char *path)
{
	struct totals all = total(&r->tally);
	struct buf b = BUF_INIT;

	buf_char(&b, '{');
	buf_json_member(&b, "policy", slice_of(path));
	buf_str(&b, "\"since\":\"");
	event_time(r->since, &b);
	buf_str(&b, "\",\"warmed_up_from\":\"");
	event_time(r->from, &b);
	buf_str(&b, "\",");
	json_changes(&r->tally, &b);
	json_rows(&r->tally, &b);
	buf_printf(&b, "\"messages\":%" PRIu64 ",\"recipients\":%" PRIu64
	    ",\"recipients_changed\":%" PRIu64 ",\"tenants_seen\":%" PRIu64
	    ",\"tenants_changed\":%" PRIu64 ",\"recorded_shadow\":%" PRIu64
	    ",\"shadow\":%" PRIu64 ",\"desk\":%" PRIu64 ",\"inside\":%" PRIu64
	    ",\"voided\":%" PRIu64 ",\"headers_guessed\":%s}\n", r->messages,
	    all.attempts, all.attempts_changed, all.tenants,
	    all.tenants_changed, r->was_shadowed, r->shadowed, r->desk,
	    r->inside, r->voided, replay_by_header(r->policy) ? "true" :
	    "false");
	if (!buf_failed(&b))
		fwrite(b.data, 1, b.len, stdout);
	buf_free(&b);
}
