/*
 * explain_print - the two voices of `penstock policy explain`.
 */
#include <stdio.h>
#include <string.h>

#include "tools/explain.h"

/* rule_of - file:line, "-" for nowhere */
static struct slice
rule_of(struct explain *e, struct place at)
{
	struct slice rule = policy_rule(e->live.policy, at, e->live.arena);

	return rule.n > 0 ? rule : SLICE("-");
}

/* zone_of - the tenant's, or the policy's */
static const struct zone *
zone_of(const struct explain *e)
{
	const struct tenant *t = e->mail.tenant;

	return t != NULL && t->zone != NULL ? t->zone : e->live.policy->zone;
}

/* how - why it is that tenant */
static const char *
how(const struct explain *e)
{
	static const char *const why[] = {
		[ORIGIN_TENANT] = "by client",
		[ORIGIN_INBOUND] = "inbound: no login, no known client",
		[ORIGIN_TRUSTED] = "by From, from a trusted client",
	};

	return e->mail.origin == ORIGIN_TENANT && e->mail.login.n > 0 ?
	    "by login" : why[e->mail.origin];
}

/* print_head - who and when */
static void
print_head(struct explain *e)
{
	const struct tenant *t = e->mail.tenant;
	char when[128];

	printf("time    %s\n", zone_print(zone_of(e), e->now, when,
	    sizeof(when)));
	if (t == NULL) {
		printf("tenant  none, %s\n", e->mail.login.n > 0 ?
		    "nobody claims this login" : how(e));
		return;
	}
	printf("tenant  %.*s, %s (%.*s)\n", SLICE_ARG(t->name), how(e),
	    SLICE_ARG(rule_of(e, e->mail.tenant_rule)));
	if (t->form != FORM_CURRENT)
		printf("        its file is broken, this is the %s form\n",
		    form_names[t->form]);
	if ((policy_default(t)->shadow & SHADOW_LIMITS) != 0)
		printf("        limits are in shadow mode: counted, not "
		    "enforced\n");
}

/* left_of - what may still be sent */
static int64_t
left_of(const struct explain_limit *l)
{
	int64_t gone = l->view.used + l->view.reserved;

	return gone < l->ask.most ? l->ask.most - gone : 0;
}

/* print_limits - as they stand before this mail */
static void
print_limits(struct explain *e, bool color)
{
	static const char *const heads[] = { "LIMIT", "NUMBER", "TO", "COUNT",
	    "USED", "RESERVED", "MOST", "LEFT", "NEXT SLOT", "WHERE", NULL };
	struct table *table = table_new(heads, "<<<<>>>><<");
	const struct explain_limit *l;
	const struct zone *zone;
	size_t i;

	for (i = 0; i < e->nlimits; i++) {
		l = &e->limits[i];
		zone = limit_shared(l->limit) ? e->live.policy->zone :
		    zone_of(e);
		table_cell(table, "%s%.*s", limit_shared(l->limit) ?
		    "group " : "", SLICE_ARG(l->limit->name));
		table_cell(table, "%.*s", SLICE_ARG(l->limit->text));
		table_cell(table, "%.*s", SLICE_ARG(l->limit->to_all ?
		    SLICE("all") : l->limit->to_text));
		table_cell(table, "%s", count_by_names[l->limit->count]);
		table_cell(table, "%lld", (long long)l->view.used);
		table_cell(table, "%lld", (long long)l->view.reserved);
		table_cell(table, "%lld", (long long)l->ask.most);
		table_cell(table, "%lld", (long long)left_of(l));
		table_cell(table, "%s", l->view.next <= e->now ? "now" :
		    live_slot(&e->live, zone, l->view.next));
		table_cell(table, "%.*s", SLICE_ARG(rule_of(e,
		    l->limit->at)));
	}
	printf("\n");
	table_print(table, stdout, color);
	table_free(table);
}

/* print_steps - what was said to what */
static void
print_steps(struct explain *e, bool color)
{
	static const char *const heads[] = { "STEP", "VERDICT", "WHERE",
	    "REPLY", NULL };
	struct table *table = table_new(heads, "<<<<");
	const struct explain_step *s;
	size_t i;

	for (i = 0; i < e->nsteps; i++) {
		s = &e->steps[i];
		table_cell(table, "%.*s", SLICE_ARG(s->about));
		table_cell(table, "%s", verdict_names[s->answer.verdict]);
		table_cell(table, "%.*s", SLICE_ARG(rule_of(e,
		    s->answer.rule)));
		if (s->answer.verdict == VERDICT_PASS)
			table_cell(table, "-");
		else
			table_cell(table, "%s %s %.*s", s->answer.code,
			    s->answer.dsn, SLICE_ARG(s->answer.text));
	}
	printf("\n");
	table_print(table, stdout, color);
	table_free(table);
}

/* print_edits - what would be changed, in order */
static void
print_edits(struct explain *e)
{
	const struct edit *edit;
	const struct identity *id;
	size_t i;

	printf("\nedits\n");
	for (i = 0; i < e->plan.n; i++) {
		edit = &e->plan.edits[i];
		if (edit->kind == EDIT_REMOVE)
			printf("  remove %.*s, number %u of that name\n",
			    SLICE_ARG(edit->name), edit->index);
		else if (edit->kind == EDIT_DROP_RCPT)
			printf("  drop recipient %.*s\n",
			    SLICE_ARG(edit->value));
	}
	for (i = 0; i < e->mail.nidentities; i++) {
		id = e->mail.identities[i];
		printf("  insert DKIM-Signature: d=%.*s s=%.*s %s (%.*s)\n",
		    SLICE_ARG(id->domain), SLICE_ARG(id->selector),
		    key_algorithms[id->type], SLICE_ARG(rule_of(e, id->at)));
	}
	if (e->plan.n == 0 && e->mail.nidentities == 0)
		printf("  none\n");
}

/* explain_print - for eyes */
void
explain_print(struct explain *e, bool color)
{
	const struct would *would = &e->mail.would;

	print_head(e);
	if (e->nlimits > 0)
		print_limits(e, color);
	print_steps(e, color);
	if (would->verdict != VERDICT_PASS)
		printf("\nshadow  would have been %s at %s (%.*s): %.*s\n",
		    verdict_names[would->verdict], stage_names[would->stage],
		    SLICE_ARG(rule_of(e, would->rule)),
		    SLICE_ARG(would->text));
	if (e->file != NULL && e->accepted)
		print_edits(e);
	printf("\nverdict %s%s\n", verdict_names[e->verdict],
	    e->verdict != VERDICT_PASS && e->accepted ?
	    ", for some of the recipients" : "");
}

/* field - "name":"text", */
static void
field(struct buf *b, const char *name, struct slice text)
{
	buf_printf(b, "\"%s\":", name);
	buf_json(b, text);
	buf_char(b, ',');
}

/* json_steps - what was said to what */
static void
json_steps(struct explain *e, struct buf *b)
{
	const struct answer *a;
	size_t i;

	buf_str(b, "\"steps\":[");
	for (i = 0; i < e->nsteps; i++) {
		a = &e->steps[i].answer;
		buf_str(b, i > 0 ? ",{" : "{");
		field(b, "about", e->steps[i].about);
		field(b, "stage", slice_of(stage_names[a->stage]));
		field(b, "code", slice_of(a->code));
		field(b, "dsn", slice_of(a->dsn));
		field(b, "text", a->text);
		field(b, "rule", policy_rule(e->live.policy, a->rule,
		    e->live.arena));
		field(b, "limit", a->limit != NULL ? a->limit->name :
		    SLICE(""));
		buf_printf(b, "\"next\":%lld,\"verdict\":\"%s\"}",
		    (long long)a->next, verdict_names[a->verdict]);
	}
	buf_str(b, "],");
}

/* json_limits - as they stand before this mail */
static void
json_limits(struct explain *e, struct buf *b)
{
	const struct explain_limit *l;
	size_t i;

	buf_str(b, "\"limits\":[");
	for (i = 0; i < e->nlimits; i++) {
		l = &e->limits[i];
		buf_str(b, i > 0 ? ",{" : "{");
		field(b, "limit", l->limit->name);
		field(b, "kind", slice_of(limit_kind_names[l->limit->kind]));
		field(b, "per", slice_of(limit_per(l->limit, e->live.arena)));
		field(b, "number", l->limit->text);
		field(b, "rule", policy_rule(e->live.policy, l->limit->at,
		    e->live.arena));
		buf_printf(b, "\"used\":%lld,\"reserved\":%lld,\"most\":%lld,"
		    "\"remaining\":%lld,\"next\":", (long long)l->view.used,
		    (long long)l->view.reserved, (long long)l->ask.most,
		    (long long)left_of(l));
		if (l->view.next == INT64_MAX)
			buf_str(b, "null}");
		else
			buf_printf(b, "%lld}", (long long)l->view.next);
	}
	buf_str(b, "],");
}

/* json_edits - what would be changed, in order */
static void
json_edits(struct explain *e, struct buf *b)
{
	const char *comma = "";
	const struct edit *edit;
	size_t i;

	buf_str(b, "\"edits\":[");
	for (i = 0; e->accepted && i < e->plan.n; i++, comma = ",") {
		edit = &e->plan.edits[i];
		buf_printf(b, "%s{", comma);
		if (edit->kind == EDIT_DROP_RCPT) {
			field(b, "address", edit->value);
			buf_str(b, "\"edit\":\"drop\"}");
			continue;
		}
		field(b, "name", edit->name);
		buf_printf(b, "\"index\":%u,\"edit\":\"remove\"}",
		    edit->index);
	}
	for (i = 0; e->accepted && i < e->mail.nidentities; i++, comma = ",") {
		buf_printf(b, "%s{\"name\":\"DKIM-Signature\",", comma);
		field(b, "domain", e->mail.identities[i]->domain);
		field(b, "selector", e->mail.identities[i]->selector);
		buf_str(b, "\"index\":0,\"edit\":\"insert\"}");
	}
	buf_str(b, "],");
}

/* explain_json - one object */
void
explain_json(struct explain *e)
{
	const struct tenant *t = e->mail.tenant;
	const struct would *would = &e->mail.would;
	struct buf b = BUF_INIT;

	buf_printf(&b, "{\"time\":%lld,", (long long)e->now);
	field(&b, "tenant", t != NULL ? t->name : SLICE(""));
	field(&b, "origin", slice_of(how(e)));
	field(&b, "tenant_rule", policy_rule(e->live.policy,
	    e->mail.tenant_rule, e->live.arena));
	json_limits(e, &b);
	json_steps(e, &b);
	json_edits(e, &b);
	if (would->verdict != VERDICT_PASS) {
		buf_str(&b, "\"shadow\":{");
		field(&b, "text", would->text);
		field(&b, "rule", policy_rule(e->live.policy, would->rule,
		    e->live.arena));
		buf_printf(&b, "\"verdict\":\"%s\"},",
		    verdict_names[would->verdict]);
	}
	buf_printf(&b, "\"accepted\":%s,\"verdict\":\"%s\"}\n",
	    e->accepted ? "true" : "false", verdict_names[e->verdict]);
	if (!buf_failed(&b))
		fwrite(b.data, 1, b.len, stdout);
	buf_free(&b);
}
