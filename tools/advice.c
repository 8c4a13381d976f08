/*
 * advice - penstock advice list, apply and dismiss.
 *
 * Scores recommend and people decide: applying an advice changes nothing but
 * the audit log.  What it says then is the line or the command that a person
 * uses, with the figures of the last week in it, since a recommendation whose
 * next step has to be looked up is not followed.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/text.h"
#include "tools/advised.h"
#include "tools/decision.h"

static const char list_usage[] = "penstock advice list [--all] [--json]";
static const char list_help[] =
"Shows what scores recommend: to whom, what, and the figures it is from.\n"
"Nothing is done by itself. Without --all those of the last eight weeks that\n"
"are open, and those of which somebody decided in that time.\n\n"
"  --all   of all weeks, also what a later week advised again\n"
"  --json  one JSON object a line\n\n"
"Exit status: 0 shown, 3 something is broken.\n";
static const char apply_usage[] = "penstock advice apply ID --reason TEXT "
    "[--json]";
static const char apply_help[] =
"Records that an advice is followed, by whom and why, and prints what to\n"
"write into the policy, or which command to use, for it. It changes no mail.\n"
"\n"
"  --reason TEXT  one line; the audit log keeps it\n"
"  --json         one JSON object\n\n"
"Exit status: 0 recorded, 1 there is no such advice, or it was decided; 3 not\n"
"recorded.\n";
static const char dismiss_usage[] = "penstock advice dismiss ID --reason TEXT "
    "[--json]";
static const char dismiss_help[] =
"Records that an advice is not followed, by whom and why. A later week may\n"
"give it again.\n\n"
"  --reason TEXT  one line; the audit log keeps it\n"
"  --json         one JSON object\n\n"
"Exit status: 0 recorded, 1 there is no such advice, or it was decided; 3 not\n"
"recorded.\n";

enum { WEEK = 7, SHOWN = 8 * WEEK };

/* who - "tenant acme" */
static void
who(struct buf *b, const struct advice *a)
{
	buf_printf(b, "%s%s%.*s", subject_names[a->kind], a->name.n > 0 ?
	    " " : "", SLICE_ARG(a->name));
}

/* --- list ----------------------------------------------------------------- */

/* shown - without --all */
static bool
shown(const struct advised *d, int32_t newest)
{
	return d->state != ADVISED_AGAIN && d->a.day > newest - SHOWN;
}

/* print_one - for eyes */
static void
print_one(const struct advised *d)
{
	const struct desk_record *r = &d->decision;
	struct buf b = BUF_INIT;
	char week[16];

	printf("%s  %s  ", d->a.id, judged_week_name(d->a.day, week));
	who(&b, &d->a);
	printf("%.*s: %s%s%.*s  (%s)\n", SLICE_ARG(buf_slice(&b)),
	    advice_names[d->a.what], d->a.object.n > 0 ? " " : "",
	    SLICE_ARG(d->a.object), advised_names[d->state]);
	buf_reset(&b);
	buf_str(&b, "    ");
	tool_wrap(&b, 4, d->a.text);
	if (r->seq > 0) {
		buf_str(&b, "\n    ");
		buf_printf(&b, "desk:%" PRIu64 " by %.*s: ", r->seq,
		    SLICE_ARG(r->sudo.n > 0 ? r->sudo : r->user));
		tool_wrap(&b, 4, r->reason);
	}
	printf("%.*s\n", SLICE_ARG(buf_slice(&b)));
	buf_free(&b);
}

/* print_json - one line */
static void
print_json(const struct advised *d)
{
	const struct desk_record *r = &d->decision;
	struct buf b = BUF_INIT;
	char week[16];

	buf_char(&b, '{');
	buf_json_member(&b, "id", slice_of(d->a.id));
	buf_json_member(&b, "week", slice_of(judged_week_name(d->a.day,
	    week)));
	buf_json_member(&b, "kind", slice_of(subject_names[d->a.kind]));
	buf_json_member(&b, "name", d->a.name);
	buf_json_member(&b, "what", slice_of(advice_names[d->a.what]));
	buf_json_member(&b, "object", d->a.object);
	buf_json_member(&b, "text", d->a.text);
	if (r->seq > 0) {
		buf_json_member(&b, "user", r->user);
		buf_json_member(&b, "reason", r->reason);
		buf_printf(&b, "\"decision\":%" PRIu64 ",\"time\":%" PRId64
		    ",", r->seq, r->time);
	}
	buf_printf(&b, "\"state\":\"%s\"}\n", advised_names[d->state]);
	if (!buf_failed(&b))
		fwrite(b.data, 1, b.len, stdout);
	buf_free(&b);
}

/* in_order - for qsort: open ones first, the newest week, then by subject */
static int
in_order(const void *va, const void *vb)
{
	const struct advised *a = va, *b = vb;
	bool open[2] = { a->state == ADVISED_OPEN, b->state == ADVISED_OPEN };
	size_t n = a->a.name.n < b->a.name.n ? a->a.name.n : b->a.name.n;
	int order;

	if (open[0] != open[1])
		return open[0] ? -1 : 1;
	if (a->a.day != b->a.day)
		return a->a.day > b->a.day ? -1 : 1;
	if (a->a.kind != b->a.kind)
		return a->a.kind < b->a.kind ? -1 : 1;
	if ((order = memcmp(a->a.name.p, b->a.name.p, n)) != 0)
		return order;
	if (a->a.name.n != b->a.name.n)
		return a->a.name.n < b->a.name.n ? -1 : 1;
	return a->a.what < b->a.what ? -1 : a->a.what > b->a.what;
}

/* list - what there is */
static int
list(struct judged *j, bool all, bool json)
{
	struct advised *advised;
	struct why why;
	size_t n, printed = 0;
	int32_t newest;

	if (advised_load(j, 0, &advised, &n, &why) == -1)
		return tool_fail(TOOL_BROKEN, "%s", why.text);
	newest = n > 0 ? advised[0].a.day : 0;
	qsort(advised, n, sizeof(*advised), in_order);
	for (size_t i = 0; i < n; i++) {
		if (!all && !shown(&advised[i], newest))
			continue;
		if (json)
			print_json(&advised[i]);
		else
			print_one(&advised[i]);
		printed++;
	}
	if (printed == 0 && !json)
		puts("nothing is recommended");
	if (!json)
		puts(SCORE_LABEL);
	return TOOL_OK;
}

/* tool_advice_list - for eyes or programs */
int
tool_advice_list(const struct tool *tool, int argc, char **argv)
{
	bool all = false, json = false;
	struct judged j;
	int status;

	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			printf("usage: %s\n\n%s", list_usage, list_help);
			return TOOL_OK;
		}
		if (strcmp(argv[i], "--all") == 0)
			all = true;
		else if (strcmp(argv[i], "--json") == 0)
			json = true;
		else
			return tool_usage(list_usage);
	}
	status = judged_open(tool, &j);
	if (status == TOOL_OK)
		status = list(&j, all, json);
	judged_close(&j);
	return status;
}

/* --- apply and dismiss ---------------------------------------------------- */

/* a_day - what a subject sent a day, in the week of the advice: to a provider
 * (p NULL: the most on one day to all); at least 1 */
static uint64_t
a_day(struct judged *j, const struct advice *a, struct slice provider)
{
	struct sums *sums = NULL;
	const struct sum *sum;
	uint64_t n = 0;
	struct why why;

	if (sums_new(&sums, a->day - WEEK, WEEK, WEEK, NULL, &why) == 0 &&
	    sums_read(sums, j->watch, &why) == 0 &&
	    (sum = sums_find(sums, a->kind, a->name)) != NULL) {
		for (int i = 0; i < WEEK && provider.p == NULL; i++)
			if (sum->days[i][TALLY_ACCEPTED] > n)
				n = sum->days[i][TALLY_ACCEPTED];
		if (provider.p != NULL)
			n = sums_to(sums, a->kind, a->name,
			    provider)[TALLY_ACCEPTED] / WEEK;
	}
	sums_free(sums);
	return n > 0 ? n : 1;
}

/* block_of - where in the policy a line of that subject stands */
static const char *
block_of(const struct advice *a)
{
	return a->kind == SUBJECT_ADDRESS ? "address" : a->kind ==
	    SUBJECT_POOL ? "pool" : "tenant";
}

/* next_step - what a person does now */
static void
next_step(struct judged *j, const struct advice *a, struct buf *b)
{
	struct slice first = a->object;
	const char *comma;

	switch (a->what) {
	case ADVICE_WARMUP_HOLD:
		buf_printf(b, "In %s \"%.*s\" of the policy, until a week is "
		    "Healthy: cap \"advice\" { limit = \"%" PRIu64
		    "/day\" }", block_of(a), SLICE_ARG(a->name),
		    a_day(j, a, SLICE_NONE));
		break;
	case ADVICE_THROTTLE:
		buf_printf(b, "In %s \"%.*s\" of the policy: cap \"advice\" "
		    "{ to = \"provider:%.*s\"  limit = \"%" PRIu64
		    "/day\" }, half of a day of that week", block_of(a),
		    SLICE_ARG(a->name), SLICE_ARG(a->object),
		    (a_day(j, a, a->object) + 1) / 2);
		break;
	case ADVICE_REASSIGN:
		buf_printf(b, "In tenant \"%.*s\" of the policy, instead of "
		    "pool \"%.*s\": a pool of its own, with an address that "
		    "is warm or a warmup; penstock-pools(5)",
		    SLICE_ARG(a->name), SLICE_ARG(a->object));
		break;
	default:
		comma = first.n > 0 ? memchr(first.p, ',', first.n) : NULL;
		if (comma != NULL)
			first.n = (size_t)(comma - first.p);
		buf_printf(b, "penstock report explain tenant:%.*s, and "
		    "penstock replies --tenant %.*s for what servers say; "
		    "penstock tenant pause %.*s --reason ... where it cannot "
		    "wait", SLICE_ARG(first), SLICE_ARG(first),
		    SLICE_ARG(first));
		break;
	}
	buf_str(b, a->what == ADVICE_REVIEW ? "." : ". Then penstock policy "
	    "check and penstock reload.");
}

struct deciding {
	struct decision	 d;
	struct judged	 j;
	const char	*id;
};

/* find - the one that is meant, and open */
static int
find(struct deciding *x, const struct advised **out)
{
	struct advised *all;
	struct why why;
	struct quoted q;
	size_t n;

	if (advised_load(&x->j, 0, &all, &n, &why) == -1)
		return tool_fail(TOOL_BROKEN, "%s", why.text);
	*out = advised_find(all, n, x->id);
	if (*out == NULL)
		return tool_fail(TOOL_NO, "there is no advice %s; penstock "
		    "advice list shows those there are",
		    text_quote(slice_of(x->id), &q));
	if ((*out)->decision.seq > 0)
		return tool_fail(TOOL_NO, "advice %s was %s already: desk:%"
		    PRIu64, x->id, advised_names[(*out)->state],
		    (*out)->decision.seq);
	return TOOL_OK;
}

/* record - onto the desk, and what follows */
static int
record(struct deciding *x, const struct advised *one, bool apply)
{
	struct desk_record *r = &x->d.record;
	struct buf b = BUF_INIT, next = BUF_INIT;
	int status;

	who(&b, &one->a);
	buf_printf(&b, ": %s%s%.*s", advice_names[one->a.what],
	    one->a.object.n > 0 ? " " : "", SLICE_ARG(one->a.object));
	r->object = slice_of(one->a.id);
	r->before = arena_copy(x->j.arena, buf_slice(&b));
	r->after = slice_of(apply ? "applied" : "dismissed");
	if (one->a.kind == SUBJECT_TENANT)
		r->tenant = one->a.name;
	if (apply)
		next_step(&x->j, &one->a, &next);
	desk_close(x->j.desk);		/* nobody reads and writes it at once */
	x->j.desk = NULL;
	status = buf_failed(&b) || buf_failed(&next) || r->before.p == NULL ?
	    tool_fail(TOOL_BROKEN, "out of memory") :
	    decision_record(&x->d);
	if (status == TOOL_OK && x->d.json) {
		buf_reset(&b);
		buf_printf(&b, "{\"seq\":%" PRIu64 ",\"next\":", x->d.seq);
		buf_json(&b, buf_slice(&next));
		printf("%.*s}\n", SLICE_ARG(buf_slice(&b)));
	} else if (status == TOOL_OK) {
		printf("advice %s (%.*s) is %s: desk:%" PRIu64 "\n",
		    one->a.id, SLICE_ARG(r->before), apply ?
		    "on record as applied" : "dismissed", x->d.seq);
		buf_reset(&b);
		if (apply)
			tool_wrap(&b, 0, buf_slice(&next));
		if (apply)
			printf("%.*s\n", SLICE_ARG(buf_slice(&b)));
	}
	buf_free(&b);
	buf_free(&next);
	return status;
}

/* decide - both commands */
static int
decide(const struct tool *tool, int argc, char **argv, bool apply)
{
	const char *usage = apply ? apply_usage : dismiss_usage;
	struct deciding x = { .d = { .tool = tool, .record.kind = apply ?
		DESK_ADVICE_APPLY : DESK_ADVICE_DISMISS } };
	const struct advised *one = NULL;
	int status;

	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			printf("usage: %s\n\n%s", usage, apply ? apply_help :
			    dismiss_help);
			return TOOL_OK;
		}
		if (decision_option(&x.d, argc, argv, &i))
			continue;
		if (argv[i][0] == '-' || x.id != NULL)
			return tool_usage(usage);
		x.id = argv[i];
	}
	if (x.id == NULL || x.d.until != NULL || x.d.stream != NULL ||
	    x.d.provider != NULL)
		return tool_usage(usage);
	status = decision_begin(&x.d, LIVE_MAY_LACK | LIVE_POLICY, false);
	if (status == TOOL_OK && (status = judged_open(tool, &x.j)) ==
	    TOOL_OK && (status = find(&x, &one)) == TOOL_OK)
		status = record(&x, one, apply);
	judged_close(&x.j);
	decision_end(&x.d);
	return status;
}

/* tool_advice_apply - somebody follows it */
int
tool_advice_apply(const struct tool *tool, int argc, char **argv)
{
	return decide(tool, argc, argv, true);
}

/* tool_advice_dismiss - somebody does not */
int
tool_advice_dismiss(const struct tool *tool, int argc, char **argv)
{
	return decide(tool, argc, argv, false);
}
