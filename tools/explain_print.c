/*
 * explain_print - the answer of `penstock policy explain`, for eyes.
 *
 * Two short lines for a limit and for a step that says no, so that 80 columns
 * suffice; a reply is one line, as the client hears it.
 */
#include <stdio.h>
#include <string.h>

#include "tools/explain.h"

#define BOLD	"\033[1m"
#define PLAIN	"\033[0m"

/* rule_of - file:line, "-" for nowhere */
static struct slice
rule_of(struct explain *e, struct place at)
{
	struct slice rule = policy_rule(e->live.policy, at, e->live.arena);

	return rule.n > 0 ? rule : SLICE("-");
}

/* heading - of a part */
static void
heading(const char *text, bool color)
{
	printf("\n%s%s%s\n", color ? BOLD : "", text, color ? PLAIN : "");
}

/* print_head - who and when */
static void
print_head(struct explain *e)
{
	const struct tenant *t = e->mail.tenant;
	char when[128];

	printf("time    %s\n", zone_print(explain_zone(e, NULL), e->now, when,
	    sizeof(when)));
	if (t == NULL) {
		printf("tenant  none, %s\n", e->mail.login.n > 0 ?
		    "nobody claims this login" : explain_how(e));
		return;
	}
	printf("tenant  %.*s, %s (%.*s)\n", SLICE_ARG(t->name),
	    explain_how(e), SLICE_ARG(rule_of(e, e->mail.tenant_rule)));
	if (t->automatic)
		printf("        made by auto_tenant, it has no file\n");
	else if (t->form != FORM_CURRENT)
		printf("        its file is broken, this is the %s form\n",
		    form_names[t->form]);
}

/* print_parts - what of the stream is in shadow */
static void
print_parts(struct explain *e, const struct stream *s)
{
	const char *comma = "";

	if (s->shadow == 0)
		return;
	printf("        in shadow mode, decided and not enforced: ");
	for (unsigned i = 0; shadow_names[i] != NULL; i++)
		if ((s->shadow >> i & 1) != 0) {
			printf("%s%s", comma, shadow_names[i]);
			comma = ", ";
		}
	printf(" (%.*s)\n", SLICE_ARG(rule_of(e, s->shadow_at)));
}

/* print_stream - which, by which line, and when that is known */
static void
print_stream(struct explain *e)
{
	static const char *const known[] = { [STAGE_MAIL] = "at MAIL",
		[STAGE_RCPT] = "at RCPT", [STAGE_HEADERS] = "at EOM" };
	const struct mail *mail = &e->mail;
	size_t i;

	if (mail->tenant == NULL)
		return;
	if (mail->stream != NULL && mail->matched != NULL)
		printf("stream  %.*s, by \"%.*s\" (%.*s), known %s\n",
		    SLICE_ARG(mail->stream->name),
		    SLICE_ARG(mail->matched->text),
		    SLICE_ARG(rule_of(e, mail->matched->at)),
		    known[e->known]);
	else if (mail->stream != NULL)
		printf("stream  %.*s, no other one matches, known %s\n",
		    SLICE_ARG(mail->stream->name), known[e->known]);
	if (e->nmay > 0) {
		printf("%s headers decide between", mail->stream != NULL ?
		    "       " : "stream ");
		for (i = 0; i < e->nmay; i++)
			printf("%s %.*s", i > 0 ? "," : "",
			    SLICE_ARG(e->may[i]->name));
		printf("\n");
	}
	if (mail->stream != NULL)
		print_parts(e, mail->stream);
}

/* print_limit - two lines: what it is, and how full */
static void
print_limit(struct explain *e, const struct explain_limit *l)
{
	const struct limit *limit = l->limit;

	printf("  %s %.*s: %.*s", limit_kind_names[limit->kind],
	    SLICE_ARG(limit->name), SLICE_ARG(limit->text));
	if (!limit->to_all)
		printf(" to %.*s", SLICE_ARG(limit->to_text));
	if (limit->count != COUNT_RECIPIENTS)
		printf(", %s", count_by_names[limit->count]);
	if (*l->of != '\0')
		printf(", of %s", l->of);
	printf("; over: %s%s (%.*s)\n", over_names[limit_over(limit,
	    e->mail.stream)], limit->shadow ? ", in shadow" : "",
	    SLICE_ARG(rule_of(e, limit->at)));
	printf("      used %lld, reserved %lld, left %lld of %lld; next slot "
	    "%s\n", (long long)l->view.used, (long long)l->view.reserved,
	    (long long)explain_left(l), (long long)l->ask.most,
	    l->view.next <= e->now ? "now" : live_slot(&e->live,
	    explain_zone(e, l), l->view.next));
}

/* print_limits - as they stand before this mail */
static void
print_limits(struct explain *e, bool color)
{
	heading("limits, before this message", color);
	for (size_t i = 0; i < e->nlimits; i++)
		print_limit(e, &e->limits[i]);
}

/* print_steps - what was said to what */
static void
print_steps(struct explain *e, bool color)
{
	const struct explain_step *s;
	size_t i;

	heading("steps", color);
	for (i = 0; i < e->nsteps; i++) {
		s = &e->steps[i];
		printf("  %-6s  %.*s", verdict_names[s->answer.verdict],
		    SLICE_ARG(s->about));
		if (s->answer.rule.file != NULL)
			printf(" (%.*s)", SLICE_ARG(rule_of(e,
			    s->answer.rule)));
		putchar('\n');
		if (s->answer.verdict == VERDICT_PASS)
			continue;
		printf("          %s %s %.*s\n", s->answer.code,
		    s->answer.dsn, SLICE_ARG(s->answer.text));
	}
}

/* print_edit - one change of the message */
static void
print_edit(const struct edit *edit)
{
	switch (edit->kind) {
	case EDIT_REMOVE:
		printf("  remove %.*s, number %u of that name\n",
		    SLICE_ARG(edit->name), edit->index);
		break;
	case EDIT_INSERT:
		printf("  insert %.*s: %.*s\n", SLICE_ARG(edit->name),
		    SLICE_ARG(edit->value));
		break;
	default:
		printf("  %s %.*s\n", edit_names[edit->kind],
		    SLICE_ARG(edit->value));
	}
}

/* print_edits - what would be changed, in order */
static void
print_edits(struct explain *e, bool color)
{
	const struct identity *id;
	size_t i;

	heading("edits", color);
	for (i = 0; i < e->plan.n; i++)
		print_edit(&e->plan.edits[i]);
	for (i = 0; i < e->mail.nidentities; i++) {
		id = e->mail.identities[i];
		printf("  insert DKIM-Signature: d=%.*s s=%.*s %s (%.*s)\n",
		    SLICE_ARG(id->domain), SLICE_ARG(id->selector),
		    key_algorithms[id->type], SLICE_ARG(rule_of(e, id->at)));
	}
	if (e->plan.n == 0 && e->mail.nidentities == 0)
		printf("  none\n");
}

/* print_rcpts - what becomes of whom, and of the whole */
static void
print_rcpts(struct explain *e, bool color)
{
	size_t passed = explain_passed(e);

	heading("recipients", color);
	for (size_t i = 0; i < e->nrcpts; i++)
		printf("  %-6s  %.*s\n", verdict_names[e->rcpts[i].verdict],
		    SLICE_ARG(e->rcpts[i].address));
	if (e->mail.no_postal && e->accepted)
		printf("\npostal  its text does not have the postal address, "
		    "which is recorded\n");
	printf("\nverdict %s", verdict_names[e->verdict]);
	if (e->verdict == VERDICT_PASS && passed < e->nrcpts)
		printf(", for %zu of %zu recipients", passed, e->nrcpts);
	putchar('\n');
}

/* explain_print - all of it */
void
explain_print(struct explain *e, bool color)
{
	const struct would *would = &e->mail.would;

	print_head(e);
	print_stream(e);
	if (e->nlimits > 0)
		print_limits(e, color);
	print_steps(e, color);
	explain_way_print(e);
	if (would->verdict != VERDICT_PASS)
		printf("\nshadow  would have been %s at %s (%.*s): %.*s\n",
		    verdict_names[would->verdict], stage_names[would->stage],
		    SLICE_ARG(rule_of(e, would->rule)),
		    SLICE_ARG(would->text));
	if (e->file != NULL && e->accepted)
		print_edits(e, color);
	print_rcpts(e, color);
}
