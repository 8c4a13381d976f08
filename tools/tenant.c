/*
 * tenant - penstock tenant pause and resume: an operator stops a tenant's mail
 * and lets it go on, without an edit of a file.
 *
 * A pause stands beside the policy, and the stricter of both holds; so to
 * resume may leave a tenant paused by a line of a file, or by a wider or
 * narrower pause of the desk.  Then that is named, and the answer is no.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/text.h"
#include "tools/decision.h"

static const char pause_usage[] = "penstock tenant pause NAME --reason TEXT "
    "[--until TIME]\n    [--stream NAME] [--provider NAME] [--json]";
static const char pause_help[] =
"Defers a tenant's mail with 451 and the reason, from its next message on.\n\n"
"  --reason TEXT    one line; clients are told, and the audit log keeps it\n"
"  --until TIME     \"2h\", \"18:00\", \"tomorrow 08:00\",\n"
"                   \"2026-12-01 08:00\" in the tenant's zone, or with an\n"
"                   offset; without it until it is resumed\n"
"  --stream NAME    only this stream of it\n"
"  --provider NAME  only its recipients at this mailbox provider\n"
"  --json           one JSON object\n\n"
"Exit status: 0 paused, 1 no such tenant, stream or provider, 3 not recorded,\n"
"or not in force within 5 s.\n";
static const char resume_usage[] = "penstock tenant resume NAME --reason TEXT "
    "[--stream NAME]\n    [--provider NAME] [--json]";
static const char resume_help[] =
"Ends a pause of the desk: that of the whole tenant, or with --stream and\n"
"--provider the one that was made with the same.\n\n"
"  --reason TEXT    one line; the audit log keeps it\n"
"  --stream NAME, --provider NAME\n"
"                   which pause\n"
"  --json           one JSON object\n\n"
"Exit status: 0 resumed, 1 there is no such pause, or something else still\n"
"pauses it: the line of a file or another pause, which is named; 3 as above.\n";

/* scope_text - "", ", stream news", ", mail to google" */
static const char *
scope_text(struct decision *d, struct slice stream, struct slice provider)
{
	const char *text = arena_printf(d->live.arena, "%s%.*s%s%.*s",
	    stream.n > 0 ? ", stream " : "", SLICE_ARG(stream),
	    provider.n > 0 ? ", mail to " : "", SLICE_ARG(provider));

	return text != NULL ? text : "";
}

/* check_scope - a stream that the tenant has, a provider that there is */
static int
check_scope(struct decision *d, const struct tenant *t)
{
	struct quoted q;

	d->record.stream = slice_of(d->stream);
	d->record.provider = slice_of(d->provider);
	if (d->provider != NULL && provider_find(d->record.provider) == 0)
		return tool_fail(TOOL_NO, "no provider %s; penstock.conf(5) "
		    "and providers.conf name them",
		    text_quote(d->record.provider, &q));
	if (d->stream != NULL && t != NULL &&
	    policy_stream(t, d->record.stream) == NULL)
		return tool_fail(TOOL_NO, "tenant %.*s has no stream %s; "
		    "penstock policy show --tenant %.*s names them",
		    SLICE_ARG(t->name), text_quote(d->record.stream, &q),
		    SLICE_ARG(t->name));
	return TOOL_OK;
}

/* pause_of - the desk's pause of exactly that scope, in force now */
static const struct order *
pause_of(const struct decision *d)
{
	const struct order *o;
	size_t n = orders_list(d->live.orders,
	    hash_id("tenant", d->record.tenant), &o);

	for (; n > 0; n--, o++)
		if (o->kind == DESK_PAUSE && (o->until == 0 ||
		    o->until > d->live.now) &&
		    slice_eq(o->record->stream, d->record.stream) &&
		    slice_eq(o->record->provider, d->record.provider))
			return o;
	return NULL;
}

/* pause_text - of a pause of the desk, for the log and for eyes */
static const char *
pause_text(struct decision *d, const struct tenant *t, uint64_t seq,
    int64_t until, struct slice reason)
{
	char by[32] = "";
	const char *text;

	if (seq > 0)
		snprintf(by, sizeof(by), " by desk:%llu",
		    (unsigned long long)seq);
	text = arena_printf(d->live.arena, "paused%s%s%s: %.*s", by,
	    until != 0 ? " until " : "",
	    until != 0 ? decision_time(d, t, until) : "", SLICE_ARG(reason));
	return text != NULL ? text : "paused";
}

/* before_text - the state of that scope until now */
static struct slice
before_text(struct decision *d, const struct tenant *t)
{
	const struct order *o = pause_of(d);

	return slice_of(o == NULL ? "not paused" : pause_text(d, t, o->seq,
	    o->until, o->record->reason));
}

/* arguments - NAME and options; -1: go on */
static int
arguments(struct decision *d, int argc, char **argv, const char **name,
    const char *usage, const char *help)
{
	*name = NULL;
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			printf("usage: %s\n\n%s", usage, help);
			return TOOL_OK;
		}
		if (decision_option(d, argc, argv, &i))
			continue;
		if (argv[i][0] == '-' || *name != NULL)
			return tool_usage(usage);
		*name = argv[i];
	}
	return *name == NULL ? tool_usage(usage) : -1;
}

/* tool_tenant_pause - from its next message on */
int
tool_tenant_pause(const struct tool *tool, int argc, char **argv)
{
	struct decision d = { .tool = tool, .record.kind = DESK_PAUSE };
	const struct tenant *t;
	const char *name, *said;
	int status;

	if ((status = arguments(&d, argc, argv, &name, pause_usage,
	    pause_help)) != -1)
		return status;
	if ((status = decision_begin(&d, LIVE_MAY_LACK | LIVE_POLICY,
	    false)) != TOOL_OK ||
	    (status = decision_tenant(&d, name, &t)) != TOOL_OK ||
	    (status = check_scope(&d, t)) != TOOL_OK ||
	    (status = decision_until(&d, t)) != TOOL_OK)
		goto out;
	d.record.before = before_text(&d, t);
	d.record.after = slice_of(pause_text(&d, t, 0, d.record.until,
	    slice_of(d.reason)));
	said = arena_printf(d.live.arena, "tenant %s%s is paused%s%s", name,
	    scope_text(&d, d.record.stream, d.record.provider),
	    d.record.until != 0 ? " until " : "", d.record.until != 0 ?
	    decision_time(&d, t, d.record.until) : "");
	status = decision_make(&d, said != NULL ? said : "paused");
out:
	decision_end(&d);
	return status;
}

/* still_file - the lines of files that pause it; how many */
static int
still_file(struct decision *d, const struct tenant *t)
{
	const struct { const char *what; struct slice name; const char *why;
	    struct place at; } lines[] = {
		{ "tenant", t->name, t->paused, t->paused_at },
		{ "group", t->group != NULL ? t->group->name : SLICE(""),
		    t->group != NULL ? t->group->paused : NULL,
		    t->group != NULL ? t->group->paused_at : t->at },
	};
	int n = 0;

	for (size_t i = 0; i < 2; i++) {
		if (lines[i].why == NULL)
			continue;
		(void)tool_fail(TOOL_NO, "%s %.*s is still paused by %.*s: "
		    "%s; edit it, and penstock reload", lines[i].what,
		    SLICE_ARG(lines[i].name), SLICE_ARG(policy_rule(
		    d->live.policy, lines[i].at, d->live.arena)),
		    lines[i].why);
		n++;
	}
	for (size_t i = 0; i < t->nstreams; i++) {
		const struct stream *s = t->streams[i];

		if (s->paused == NULL || (d->record.stream.n > 0 &&
		    !slice_eq(d->record.stream, s->name)))
			continue;
		(void)tool_fail(TOOL_NO, "stream %.*s of %.*s is still paused "
		    "by %.*s: %s; edit it, and penstock reload",
		    SLICE_ARG(s->name), SLICE_ARG(t->name),
		    SLICE_ARG(policy_rule(d->live.policy, s->paused_at,
		    d->live.arena)), s->paused);
		n++;
	}
	return n;
}

/* still_desk - other pauses of the desk; how many */
static int
still_desk(struct decision *d, const struct tenant *t)
{
	const struct order *mine = pause_of(d), *o;
	size_t left = orders_list(d->live.orders,
	    hash_id("tenant", d->record.tenant), &o);
	int n = 0;

	for (; left > 0; left--, o++) {
		if (o == mine || o->kind != DESK_PAUSE || (o->until != 0 &&
		    o->until <= d->live.now))
			continue;
		(void)tool_fail(TOOL_NO, "tenant %.*s%s is still %s",
		    SLICE_ARG(d->record.tenant), scope_text(d,
		    o->record->stream, o->record->provider), pause_text(d, t,
		    o->seq, o->until, o->record->reason));
		n++;
	}
	return n;
}

/* tool_tenant_resume - what the desk paused; what else pauses is named */
int
tool_tenant_resume(const struct tool *tool, int argc, char **argv)
{
	struct decision d = { .tool = tool, .record.kind = DESK_RESUME };
	const struct tenant *t;
	const char *name, *said;
	int status;

	if ((status = arguments(&d, argc, argv, &name, resume_usage,
	    resume_help)) != -1)
		return status;
	if (d.until != NULL)
		return tool_usage(resume_usage);
	if ((status = decision_begin(&d, LIVE_MAY_LACK | LIVE_POLICY,
	    false)) != TOOL_OK ||
	    (status = decision_tenant(&d, name, &t)) != TOOL_OK ||
	    (status = check_scope(&d, t)) != TOOL_OK)
		goto out;
	if (pause_of(&d) == NULL)
		status = tool_fail(TOOL_NO, "tenant %s%s is not paused by the "
		    "desk", name, scope_text(&d, d.record.stream,
		    d.record.provider));
	else {
		d.record.before = before_text(&d, t);
		d.record.after = SLICE("not paused");
		said = arena_printf(d.live.arena, "the pause of tenant %s%s "
		    "has ended", name, scope_text(&d, d.record.stream,
		    d.record.provider));
		status = decision_make(&d, said != NULL ? said : "resumed");
	}
	if (status != TOOL_BROKEN && (still_desk(&d, t) +
	    (t != NULL ? still_file(&d, t) : 0)) > 0)
		status = TOOL_NO;
out:
	decision_end(&d);
	return status;
}
