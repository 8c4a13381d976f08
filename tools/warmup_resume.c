/*
 * warmup_resume - penstock warmup resume: what a rule stopped goes on, because
 * a person says so.
 *
 * The desk has it, and who said it and why; the gate does it.  What happened
 * until then counts no more, or the next evening would stop it again.
 */
#include <string.h>

#include "policy/subject.h"
#include "tools/decision.h"

static const char usage[] = "penstock warmup resume SUBJECT "
    "[--provider P] [--tenant T] --reason TEXT [--json]";
static const char help[] =
"Lets a warmup go on that a rule stopped (S1, S2). SUBJECT is an address of a\n"
"pool, or another name that penstock warmup shows. What went wrong until now\n"
"does not count any more.\n\n"
"  --provider P   only mail to that provider, also when it has but a part of\n"
"                 its share (R1)\n"
"  --tenant T     a tenant who was stopped in a pool; SUBJECT is the pool\n"
"  --reason TEXT  one line; the audit log keeps it\n"
"  --json         one JSON object\n\n"
"Exit status: 0 resumed, 1 nothing is stopped there; 3 not recorded, or not\n"
"in force within 5 s.\n";

struct asked {
	struct decision	 d;
	const char	*subject, *tenant;
};

/* arguments - the subject and options; -1: go on */
static int
arguments(struct asked *a, int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			printf("usage: %s\n\n%s", usage, help);
			return TOOL_OK;
		}
		if (strcmp(argv[i], "--tenant") == 0 && i + 1 < argc) {
			a->tenant = argv[++i];
			continue;
		}
		if (decision_option(&a->d, argc, argv, &i))
			continue;
		if (argv[i][0] == '-' || a->subject != NULL)
			return tool_usage(usage);
		a->subject = argv[i];
	}
	return a->subject == NULL || a->d.until != NULL ||
	    a->d.stream != NULL || (a->tenant != NULL &&
	    a->d.provider != NULL) ? tool_usage(usage) : -1;
}

/* freed - how much of that row would go on; what it is now, for the audit */
static size_t
freed(struct asked *a, const struct warm_row *row)
{
	struct desk_record *r = &a->d.record;
	size_t n = r->provider.n == 0 && row->stopped != 0;

	for (size_t i = 0; i < row->nfactors; i++)
		n += subject_frees(r->provider, &row->factors[i]);
	if (n > 0 && r->before.p == NULL)
		r->before = slice_of(arena_printf(a->d.live.arena,
		    "%.*s: day %d, %.*s: %.*s", SLICE_ARG(row->name), row->day,
		    SLICE_ARG(row->rule), SLICE_ARG(row->inputs)));
	return n;
}

/* stopped - how much is, of what is meant; met: how many warmups that is */
static size_t
stopped(struct asked *a, const struct progress *p, size_t *met)
{
	const struct warm_row *rows;
	size_t n = progress_rows(p, &rows), all = 0;

	*met = 0;
	for (size_t i = 0; i < n; i++)
		if (subject_meant(a->d.record.object, a->d.record.tenant,
		    &rows[i])) {
			++*met;
			all += freed(a, &rows[i]);
		}
	return all;
}

/* decide - unless there is nothing to decide */
static int
decide(struct asked *a)
{
	struct progress *p = NULL;
	const char *said;
	size_t met = 0, n;
	struct why why;

	if (a->d.live.store != NULL && progress_restore(a->d.live.store, &p,
	    &why) == -1)
		return tool_fail(TOOL_BROKEN, "%s", why.text);
	n = stopped(a, p, &met);
	progress_drop(p);
	if (met == 0)
		return tool_fail(TOOL_NO, "nothing is known of a warmup %s%s%s"
		    "; penstock warmup shows those there are", a->subject,
		    a->tenant != NULL ? " of tenant " : "", a->tenant != NULL ?
		    a->tenant : "");
	if (n == 0)
		return tool_fail(TOOL_NO, "%s is not stopped%s%s", a->subject,
		    a->d.provider != NULL ? " at " : "", a->d.provider != NULL ?
		    a->d.provider : "");
	a->d.record.after = SLICE("resumed");
	said = arena_printf(a->d.live.arena, "%s%s%s goes on", a->subject,
	    a->d.provider != NULL ? " at " : a->tenant != NULL ? " tenant " :
	    "", a->d.provider != NULL ? a->d.provider : a->tenant != NULL ?
	    a->tenant : "");
	return decision_make(&a->d, said != NULL ? said : "resumed");
}

/* tool_warmup_resume - a person says that it may go on */
int
tool_warmup_resume(const struct tool *tool, int argc, char **argv)
{
	struct asked a = { .d = { .tool = tool,
		.record.kind = DESK_WARMUP_RESUME } };
	int status;

	if ((status = arguments(&a, argc, argv)) != -1)
		return status;
	status = decision_begin(&a.d, LIVE_MAY_LACK | LIVE_POLICY, false);
	if (status == TOOL_OK && a.d.provider != NULL &&
	    provider_find(slice_of(a.d.provider)) == 0)
		status = tool_fail(TOOL_USAGE, "no provider is named %s",
		    a.d.provider);
	if (status == TOOL_OK) {
		a.d.record.object = slice_of(a.subject);
		if (a.tenant != NULL)
			a.d.record.tenant = slice_of(a.tenant);
		if (a.d.provider != NULL)
			a.d.record.provider = slice_of(a.d.provider);
		status = decide(&a);
	}
	decision_end(&a.d);
	return status;
}
