/*
 * explain_json - the answer of `penstock policy explain`, for programs.
 */
#include <stdio.h>

#include "tools/explain.h"

/* rule - a line of the policy, "" for nowhere */
static struct slice
rule(struct explain *e, struct place at)
{
	return policy_rule(e->live.policy, at, e->live.arena);
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
		buf_json_member(b, "about", e->steps[i].about);
		buf_json_member(b, "stage", slice_of(stage_names[a->stage]));
		buf_json_member(b, "code", slice_of(a->code));
		buf_json_member(b, "dsn", slice_of(a->dsn));
		buf_json_member(b, "text", a->text);
		buf_json_member(b, "rule", policy_rule(e->live.policy, a->rule,
		    e->live.arena));
		buf_json_member(b, "limit", a->limit != NULL ? a->limit->name :
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
		buf_json_member(b, "limit", l->limit->name);
		buf_json_member(b, "kind",
		    slice_of(limit_kind_names[l->limit->kind]));
		buf_json_member(b, "per",
		    slice_of(limit_per(l->limit, e->live.arena)));
		buf_json_member(b, "of", slice_of(l->of));
		buf_json_member(b, "number", l->limit->text);
		buf_json_member(b, "to", l->limit->to_all ? SLICE("all") :
		    l->limit->to_text);
		buf_json_member(b, "count",
		    slice_of(count_by_names[l->limit->count]));
		buf_json_member(b, "over",
		    slice_of(over_names[limit_over(l->limit,
		    e->mail.stream)]));
		buf_json_member(b, "mode", l->limit->shadow ? SLICE("shadow") :
		    SLICE("enforce"));
		buf_json_member(b, "rule", rule(e, l->limit->at));
		buf_printf(b, "\"used\":%lld,\"reserved\":%lld,\"most\":%lld,"
		    "\"remaining\":%lld,\"next\":", (long long)l->view.used,
		    (long long)l->view.reserved, (long long)l->ask.most,
		    (long long)explain_left(l));
		if (l->view.next >= LEDGER_SOMETIME)
			buf_str(b, "null}");
		else
			buf_printf(b, "%lld}", (long long)l->view.next);
	}
	buf_str(b, "],");
}

/* json_rcpts - what becomes of whom */
static void
json_rcpts(struct explain *e, struct buf *b)
{
	buf_str(b, "\"recipients\":[");
	for (size_t i = 0; i < e->nrcpts; i++) {
		buf_str(b, i > 0 ? ",{" : "{");
		buf_json_member(b, "address", e->rcpts[i].address);
		buf_printf(b, "\"verdict\":\"%s\"}",
		    verdict_names[e->rcpts[i].verdict]);
	}
	buf_str(b, "],");
}

/* json_stream - which, why, and which it might have been */
static void
json_stream(struct explain *e, struct buf *b)
{
	const struct mail *mail = &e->mail;

	if (mail->stream == NULL) {
		buf_str(b, "\"stream\":null,");
	} else {
		buf_json_member(b, "stream", mail->stream->name);
		buf_json_member(b, "matched", mail->matched != NULL ?
		    mail->matched->text : SLICE(""));
		buf_json_member(b, "stream_rule", mail->matched != NULL ?
		    rule(e, mail->matched->at) : SLICE(""));
		buf_json_member(b, "known", slice_of(stage_names[e->known]));
	}
	buf_str(b, "\"may_be\":[");
	for (size_t i = 0; i < e->nmay; i++) {
		buf_str(b, i > 0 ? "," : "");
		buf_json(b, e->may[i]->name);
	}
	buf_str(b, "],");
}

/* json_edit - one change of the message */
static void
json_edit(const struct edit *edit, struct buf *b)
{
	if (edit->kind == EDIT_REMOVE || edit->kind == EDIT_INSERT)
		buf_json_member(b, "name", edit->name);
	if (edit->kind == EDIT_REMOVE)
		buf_printf(b, "\"index\":%u,", edit->index);
	if (edit->kind == EDIT_DROP_RCPT)
		buf_json_member(b, "address", edit->value);
	else if (edit->kind != EDIT_REMOVE)
		buf_json_member(b, "value", edit->value);
	buf_printf(b, "\"edit\":\"%s\"}", edit->kind == EDIT_DROP_RCPT ?
	    "drop" : edit_names[edit->kind]);
}

/* json_edits - what would be changed, in order */
static void
json_edits(struct explain *e, struct buf *b)
{
	const char *comma = "";
	size_t i;

	buf_str(b, "\"edits\":[");
	for (i = 0; e->accepted && i < e->plan.n; i++, comma = ",") {
		buf_printf(b, "%s{", comma);
		json_edit(&e->plan.edits[i], b);
	}
	for (i = 0; e->accepted && i < e->mail.nidentities; i++, comma = ",") {
		buf_printf(b, "%s{\"name\":\"DKIM-Signature\",", comma);
		buf_json_member(b, "domain", e->mail.identities[i]->domain);
		buf_json_member(b, "selector", e->mail.identities[i]->selector);
		buf_json_member(b, "rule", rule(e, e->mail.identities[i]->at));
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
	buf_json_member(&b, "tenant", t != NULL ? t->name : SLICE(""));
	buf_json_member(&b, "origin", slice_of(explain_how(e)));
	buf_json_member(&b, "tenant_rule", policy_rule(e->live.policy,
	    e->mail.tenant_rule, e->live.arena));
	json_stream(e, &b);
	json_limits(e, &b);
	json_steps(e, &b);
	explain_way_json(e, &b);
	json_edits(e, &b);
	json_rcpts(e, &b);
	if (would->verdict != VERDICT_PASS) {
		buf_str(&b, "\"shadow\":{");
		buf_json_member(&b, "text", would->text);
		buf_json_member(&b, "rule",
		    policy_rule(e->live.policy, would->rule,
		    e->live.arena));
		buf_printf(&b, "\"verdict\":\"%s\"},",
		    verdict_names[would->verdict]);
	}
	buf_printf(&b, "\"no_postal\":%s,", e->mail.no_postal ? "true" :
	    "false");
	buf_printf(&b, "\"accepted\":%s,\"verdict\":\"%s\"}\n",
	    e->accepted ? "true" : "false", verdict_names[e->verdict]);
	if (!buf_failed(&b))
		fwrite(b.data, 1, b.len, stdout);
	buf_free(&b);
}
