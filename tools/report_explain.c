/*
 * report_explain - penstock report explain: why does a sender stand like that?
 *
 * What is stored is the input, the hash of the knots, and what was said.  The
 * score is made again from them each time; when it comes to something else
 * than what was said, somebody changed the record, and it says so.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tools/advised.h"

static const char usage[] = "penstock report explain SUBJECT [--week W] "
    "[--json]";
static const char help[] =
"Shows how a sender stands and what each of its points is from: the shares\n"
"that were seen, what they are at least and at most, the tier, and why it is\n"
"kept up by the weeks before. The score is made again from its input.\n"
"SUBJECT is \"tenant:acme\", \"address:192.0.2.10\", \"pool:b2b\",\n"
"\"group:g1\", \"domain:acme.example\" or \"platform\"; the kind may be left\n"
"out where one name is only one of them.\n\n"
"  --week W  \"2026-W47\", or a date in it; default the last one it has\n"
"  --json    one JSON object\n\n"
"Exit status: 0 shown, 1 there is no such score, or it does not hold; 3\n"
"something is broken.\n";

enum { WEEKS = 9 };		/* the one that is asked for, and eight */

struct asked {
	struct judged	 j;
	const char	*subject, *week;
	bool		 json, color;
	int32_t		 until;		/* the day of the week asked for */
	struct scored	 weeks[WEEKS];	/* a ring; names are the arena's */
	size_t		 n;
	struct advised	*advised;
	size_t		 nadvised;
};

/* --- the score ------------------------------------------------------------ */

/* remember - the last ones */
static bool
remember(void *with, const struct scored *x)
{
	struct asked *a = with;

	a->weeks[a->n++ % WEEKS] = *x;
	return true;
}

/* week_at - the i-th before the one asked for; NULL: not that many */
static const struct scored *
week_at(const struct asked *a, size_t i)
{
	return i < a->n && i < WEEKS ? &a->weeks[(a->n - 1 - i) % WEEKS] :
	    NULL;
}

/* several - a name that is more than one subject */
static int
several(const struct asked *a, const enum subject_kind *kinds, size_t n)
{
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < n; i++)
		buf_printf(&b, "%s%s:%s", i == 0 ? "" : i + 1 < n ? ", " :
		    " or ", subject_names[kinds[i]], a->subject);
	buf_char(&b, '\0');
	tool_fail(TOOL_NO, "%s is several: say %s", a->subject,
	    buf_failed(&b) ? "which" : b.data);
	buf_free(&b);
	return TOOL_NO;
}

/* find - the weeks of the subject; TOOL_OK: there is one */
static int
find(struct asked *a)
{
	enum subject_kind kinds[SUBJECT_KINDS];
	const struct scored *x;
	struct slice name;
	struct why why;
	size_t n = judged_who(&a->j, a->subject, kinds, &name, &why);
	char week[16];

	if (n == 0 && why.text[0] != '\0')
		return tool_fail(TOOL_BROKEN, "%s", why.text);
	if (n > 1)
		return several(a, kinds, n);
	if (n == 1 && scores_each(a->j.watch, a->j.knots, kinds[0], name, 0,
	    a->until, remember, a, &why) == -1)
		return tool_fail(TOOL_BROKEN, "%s", why.text);
	x = week_at(a, 0);
	if (x == NULL)
		return tool_fail(TOOL_NO, "there is no score of %s%s%s; a "
		    "sender gets one when a week with mail of his is over",
		    a->subject, a->week != NULL ? " by week " : "",
		    a->week != NULL ? a->week : "");
	if (a->week != NULL && x->in.day != a->until - 1)
		return tool_fail(TOOL_NO, "%s has no score of week %s; the "
		    "last one before is of %s", a->subject, a->week,
		    judged_week_name(x->in.day, week));
	for (size_t i = 0; i < WEEKS; i++)
		a->weeks[i].name = name;
	return advised_load(&a->j, 0, &a->advised, &a->nadvised, &why) == -1 ?
	    tool_fail(TOOL_BROKEN, "%s", why.text) : TOOL_OK;
}

/* cut_of - where a tier begins */
static double
cut_of(const struct knots *k, enum tier tier)
{
	return tier == TIER_CRITICAL ? k->critical : tier == TIER_AT_RISK ?
	    k->at_risk : k->watch;
}

/* --- for eyes ------------------------------------------------------------- */

/* share - "0.210 %"; of volume no share */
static void
share(struct table *t, enum signal s, double v)
{
	if (s == SIGNAL_VOLUME)
		table_cell(t, "%.1f", v);
	else
		table_cell(t, v < 0.1 ? "%.2f %%" : "%.1f %%", v * 100.0);
}

/* count - of halves, as a cell */
static void
count(struct table *t, uint64_t x2, uint64_t n2)
{
	struct buf b = BUF_INIT;

	score_number(&b, x2 / 2);
	buf_str(&b, x2 % 2 != 0 ? ".5 of " : " of ");
	score_number(&b, n2 / 2);
	buf_str(&b, n2 % 2 != 0 ? ".5" : "");
	table_cell(t, "%.*s", SLICE_ARG(buf_slice(&b)));
	buf_free(&b);
}

/* signal_row - what was seen of one, and what it is at least and at most */
static void
signal_row(struct table *t, const struct scored *x, enum signal s)
{
	bool rate = s != SIGNAL_VOLUME && s != SIGNAL_POLICY;

	table_cell(t, "%s", signal_names[s]);
	if (!x->in.known[s]) {
		table_cell(t, "n/a");
		for (int i = 0; i < 4; i++)
			table_cell(t, "-");
		return;
	}
	if (rate)
		count(t, x->in.x2[s], x->in.n2[s]);
	else if (s == SIGNAL_POLICY)
		table_cell(t, "%u + %u + %u", x->in.confirmed, x->in.major,
		    x->in.minor);
	else
		table_cell(t, "z");
	if (rate || s == SIGNAL_VOLUME) {
		share(t, s, x->score.raw[s]);
		share(t, s, x->score.low[s]);
		share(t, s, x->score.high[s]);
	} else
		for (int i = 0; i < 3; i++)
			table_cell(t, "-");
	table_cell(t, "%.1f", x->score.points[s]);
}

/* print_signals - all of them */
static void
print_signals(const struct asked *a, const struct scored *x)
{
	static const char *const heads[] = { "SIGNAL", "COUNTED", "SEEN",
	    "AT LEAST", "AT MOST", "POINTS", NULL };
	struct table *t = table_new(heads, "<>>>>>");

	for (int s = 0; s < SIGNALS; s++)
		signal_row(t, x, (enum signal)s);
	table_print(t, stdout, a->color);
	table_free(t);
}

/* print_reasons - the sentences */
static void
print_reasons(const struct scored *x)
{
	struct buf b = BUF_INIT, line = BUF_INIT;

	for (int s = 0; s < SIGNALS; s++) {
		buf_reset(&b);
		buf_reset(&line);
		score_say(&x->in, &x->score, (enum signal)s, &b);
		if (b.len == 0)
			continue;
		buf_printf(&line, "%6.1f  ", x->score.points[s]);
		tool_wrap(&line, 8, buf_slice(&b));
		printf("%.*s\n", SLICE_ARG(buf_slice(&line)));
	}
	buf_free(&b);
	buf_free(&line);
}

/* print_tier - what it is, and what it is made of */
static void
print_tier(const struct asked *a, const struct scored *x)
{
	const struct score *s = &x->score;
	const struct knots *k = a->j.knots;

	printf("%s", tier_names[x->stored]);
	if (!s->enough && s->judged >= TIER_WATCH && s->judged == s->tier)
		printf(", by the rules of the house alone: %.1f points; with "
		    "%" PRIu64 " recipients this week cannot be judged by "
		    "shares", s->total, x->in.recipients);
	else if (!s->enough && x->stored == TIER_UNKNOWN)
		printf(": with %" PRIu64 " recipients this week cannot be "
		    "judged", x->in.recipients);
	else if (!s->enough)
		printf(", since the weeks before: with %" PRIu64
		    " recipients this week cannot be judged", x->in.recipients);
	else
		printf(", %.1f points at least; %.1f as seen, %.1f at most; "
		    "confidence %s", s->total, s->total_raw, s->total_high,
		    confidence_names[s->confidence]);
	printf("%s\n", x->in.warming ? "; warming up" : "");
	if (!s->enough || s->tier == s->judged)
		return;
	printf("This week alone is %s. A tier falls by one after %u weeks "
	    "with at most %.0f points", tier_names[s->judged], k->calm_weeks,
	    cut_of(k, x->in.before) - k->margin);
	if (s->tier < x->in.before)
		printf("; it fell from %s now.\n", tier_names[x->in.before]);
	else
		printf("; there %s %u of them.\n", s->calm == 1 ? "is" :
		    "are", s->calm);
}

/* print_before - the weeks before, one line */
static void
print_before(const struct asked *a)
{
	const struct scored *x;
	char week[16];

	for (size_t i = 1; (x = week_at(a, i)) != NULL; i++)
		printf("%s%s %s (%.1f)", i == 1 ? "Before: " : ", ",
		    judged_week_name(x->in.day, week), tier_names[x->stored],
		    x->score.total);
	if (week_at(a, 1) != NULL)
		putchar('\n');
}

/* is_about - an advice of that subject and week */
static bool
is_about(const struct advised *d, const struct scored *x)
{
	return d->a.kind == x->kind && d->a.day == x->in.day &&
	    slice_eq(d->a.name, x->name);
}

/* print - all of it */
static void
print(const struct asked *a, const struct scored *x)
{
	char week[16], days[64];
	struct buf b = BUF_INIT;

	printf("%s%s%.*s, week %s (%s)\n", subject_names[x->kind],
	    x->name.n > 0 ? " " : "", SLICE_ARG(x->name),
	    judged_week_name(x->in.day, week), judged_week_days(x->in.day,
	    days));
	print_tier(a, x);
	if (!x->holds)
		printf("THIS SCORE DOES NOT HOLD: it was said to be %s, and "
		    "what is stored of it makes %s with %.1f points. watch/ "
		    "was changed, or another release judged it.\n",
		    tier_names[x->stored], tier_names[x->score.tier],
		    x->score.total);
	putchar('\n');
	print_reasons(x);
	if (x->score.total > 0.0)
		putchar('\n');
	print_signals(a, x);
	putchar('\n');
	print_before(a);
	for (size_t i = 0; i < a->nadvised; i++) {
		const struct advised *d = &a->advised[i];

		if (!is_about(d, x))
			continue;
		buf_reset(&b);
		buf_printf(&b, "Advice %s (%s): ", d->a.id,
		    advised_names[d->state]);
		tool_wrap(&b, 4, d->a.text);
		printf("%.*s\n", SLICE_ARG(buf_slice(&b)));
	}
	printf("%s\n", SCORE_LABEL);
	buf_free(&b);
}

/* --- for programs --------------------------------------------------------- */

/* json_signals - an object by name */
static void
json_signals(struct buf *b, const struct scored *x)
{
	struct buf said = BUF_INIT;

	for (int s = 0; s < SIGNALS; s++) {
		buf_reset(&said);
		score_say(&x->in, &x->score, (enum signal)s, &said);
		buf_printf(b, "%s\"%s\":{\"known\":%s,", s == 0 ? "" : ",",
		    signal_names[s], x->in.known[s] ? "true" : "false");
		if (x->in.known[s] && s != SIGNAL_POLICY)
			buf_printf(b, "\"x\":%.1f,\"n\":%.1f,\"seen\":%.6f,"
			    "\"at_least\":%.6f,\"at_most\":%.6f,",
			    (double)x->in.x2[s] / 2.0,
			    (double)x->in.n2[s] / 2.0, x->score.raw[s],
			    x->score.low[s], x->score.high[s]);
		if (x->in.known[s] && s == SIGNAL_POLICY)
			buf_printf(b, "\"confirmed\":%u,\"major\":%u,"
			    "\"minor\":%u,", x->in.confirmed, x->in.major,
			    x->in.minor);
		buf_printf(b, "\"points\":%.3f,\"why\":",
		    x->score.points[s]);
		buf_json(b, buf_slice(&said));
		buf_char(b, '}');
	}
	buf_free(&said);
}

/* json - one object */
static void
json(const struct asked *a, const struct scored *x)
{
	const struct score *s = &x->score;
	struct buf b = BUF_INIT;
	bool first = true;
	char week[16];

	buf_str(&b, "{\"schema\":1,\"kind\":");
	buf_json(&b, slice_of(subject_names[x->kind]));
	buf_str(&b, ",\"name\":");
	buf_json(&b, x->name);
	buf_printf(&b, ",\"week\":\"%s\",\"tier\":\"%s\",\"judged\":\"%s\","
	    "\"before\":\"%s\",\"holds\":%s,\"enough\":%s,\"recipients\":%"
	    PRIu64 ",\"warming\":%s,\"points\":%.3f,\"points_seen\":%.3f,"
	    "\"points_at_most\":%.3f,\"confidence\":\"%s\",\"calm\":%u,"
	    "\"signals\":{", judged_week_name(x->in.day, week),
	    tier_names[x->stored], tier_names[s->judged],
	    tier_names[x->in.before], x->holds ? "true" : "false",
	    s->enough ? "true" : "false", x->in.recipients, x->in.warming ?
	    "true" : "false", s->total, s->total_raw, s->total_high,
	    confidence_names[s->confidence], s->calm);
	json_signals(&b, x);
	buf_str(&b, "},\"advice\":[");
	for (size_t i = 0; i < a->nadvised; i++) {
		const struct advised *d = &a->advised[i];

		if (!is_about(d, x))
			continue;
		buf_printf(&b, "%s{\"id\":\"%s\",\"state\":\"%s\",\"text\":",
		    first ? "" : ",", d->a.id, advised_names[d->state]);
		buf_json(&b, d->a.text);
		buf_char(&b, '}');
		first = false;
	}
	buf_str(&b, "],\"label\":");
	buf_json(&b, SLICE(SCORE_LABEL));
	buf_str(&b, "}\n");
	if (!buf_failed(&b))
		fwrite(b.data, 1, b.len, stdout);
	buf_free(&b);
}

/* arguments - -1: go on */
static int
arguments(struct asked *a, int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			printf("usage: %s\n\n%s", usage, help);
			return TOOL_OK;
		}
		if (strcmp(argv[i], "--json") == 0)
			a->json = true;
		else if (strcmp(argv[i], "--week") == 0 && i + 1 < argc)
			a->week = argv[++i];
		else if (argv[i][0] == '-' || a->subject != NULL)
			return tool_usage(usage);
		else
			a->subject = argv[i];
	}
	return a->subject == NULL ? tool_usage(usage) : -1;
}

/* which - the week that is asked for; until: the day behind its score */
static int
which(struct asked *a)
{
	int32_t last = 0, day;
	struct why why;

	a->until = INT32_MAX;
	if (a->week == NULL)
		return TOOL_OK;
	if (scores_last(a->j.watch, &last, &why) == -1)
		return tool_fail(TOOL_BROKEN, "%s", why.text);
	if (!judged_week(a->week, last, &day))
		return tool_fail(TOOL_USAGE, "--week: %s is no week; write "
		    "2026-W47, a date in it, or last", a->week);
	a->until = day + 1;
	return TOOL_OK;
}

/* tool_report_explain - how it stands, and why */
int
tool_report_explain(const struct tool *tool, int argc, char **argv)
{
	struct asked a = { .color = tool->color };
	const struct scored *x;
	int status;

	if ((status = arguments(&a, argc, argv)) != -1)
		return status;
	status = judged_open(tool, &a.j);
	if (status == TOOL_OK && (status = which(&a)) == TOOL_OK &&
	    (status = find(&a)) == TOOL_OK) {
		x = week_at(&a, 0);
		if (a.json)
			json(&a, x);
		else
			print(&a, x);
		status = x->holds ? TOOL_OK : TOOL_NO;
	}
	judged_close(&a.j);
	return status;
}
