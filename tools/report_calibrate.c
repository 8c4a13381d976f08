/*
 * report_calibrate - penstock report calibrate: do our scores go with what
 * mailbox providers say?
 *
 * Both histories are kept and never changed, so this can be asked at any time,
 * and comes to the same.  A suggestion is a file of its own, which nobody
 * reads but a person.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reputation/calibrate.h"
#include "tools/judged.h"

static const char usage[] = "penstock report calibrate [--quarter Q] "
    "[--suggest FILE] [--json]";
static const char help[] =
"Compares our scores with the providers' own figures (penstock snapshot): for\n"
"each subject and quarter the provider's word of its last day there, and our\n"
"score of the week that ended within three days of it. Shows how often both\n"
"say the same, where they do not, and which knots would have gone better.\n\n"
"  --quarter Q     of that one alone: \"2026Q1\"; default all\n"
"  --suggest FILE  a reputation.conf with those knots; it must not exist, and\n"
"                  nothing reads it until a person puts it in place\n"
"  --json          one JSON object\n\n"
"Exit status: 0 shown, 1 fewer than 20 pairs, which is not enough evidence; 3\n"
"something is broken.\n";

struct asked {
	struct judged	 j;
	const char	*quarter, *file;
	bool		 json, color;
	struct snapshot	*rows;		/* heap; texts are the arena's */
	size_t		 nrows, room;
	bool		 failed;
	struct pair	*pairs;
	size_t		 npairs;
	struct calibration c;
	struct knots	 better;
	struct change	 changes[CALIBRATE_CHANGES];
	size_t		 nchanges;
};

/* --- pairs ---------------------------------------------------------------- */

/* keep - a copy of what the store lends */
static bool
keep(void *with, const struct snapshot *s)
{
	struct asked *a = with;
	struct snapshot *wider, *one;
	struct slice *texts[5];

	if (a->nrows == a->room) {
		wider = realloc(a->rows, (a->room * 2 + 256) *
		    sizeof(*wider));
		if (wider == NULL) {
			a->failed = true;
			return false;
		}
		a->rows = wider;
		a->room = a->room * 2 + 256;
	}
	one = &a->rows[a->nrows++];
	*one = *s;
	texts[0] = &one->provider;
	texts[1] = &one->subject_type;
	texts[2] = &one->subject;
	texts[3] = &one->metric;
	texts[4] = &one->value;
	for (size_t i = 0; i < 5; i++)
		if ((*texts[i] = arena_copy(a->j.arena, *texts[i])).p == NULL)
			a->failed = true;
	return !a->failed;
}

/* quarter_of - "2026Q1"; 0: it is none */
static int32_t
quarter_of(const char *text)
{
	char *end;
	long year = strtol(text, &end, 10);

	return end != text + 4 || year < 1970 || end[0] != 'Q' ||
	    end[1] < '1' || end[1] > '4' || end[2] != '\0' ? 0 :
	    (int32_t)(year * 4 + end[1] - '1');
}

/* collect - their words, and ours beside them */
static int
collect(struct asked *a)
{
	struct db *desk = a->j.desk != NULL ? desk_db(a->j.desk) : NULL;
	int32_t quarter = a->quarter != NULL ? quarter_of(a->quarter) : 0;
	struct official *o;
	struct why why;
	size_t n, kept = 0;

	if (a->quarter != NULL && quarter == 0)
		return tool_fail(TOOL_USAGE, "--quarter: %s is none; write "
		    "2026Q1", a->quarter);
	if (snapshots_each(a->j.watch, desk, 0, INT32_MAX, keep, a,
	    &why) == -1)
		return tool_fail(TOOL_BROKEN, "%s", why.text);
	if (a->failed)
		return tool_fail(TOOL_BROKEN, "out of memory");
	if (officials_make(a->rows, a->nrows, a->j.arena, &o, &n,
	    &why) == -1)
		return tool_fail(TOOL_BROKEN, "%s", why.text);
	for (size_t i = 0; i < n; i++)
		if (quarter == 0 || o[i].quarter == quarter)
			o[kept++] = o[i];
	if (pairs_read(a->j.watch, a->j.knots, o, kept, a->j.arena, &a->pairs,
	    &a->npairs, &why) == -1)
		return tool_fail(TOOL_BROKEN, "%s", why.text);
	calibrate(a->pairs, a->npairs, &a->c);
	a->nchanges = calibrate_suggest(a->pairs, a->npairs, a->j.knots,
	    &a->better, a->changes);
	return TOOL_OK;
}

/* --- for eyes ------------------------------------------------------------- */

/* print_matrix - rows are ours, columns theirs */
static void
print_matrix(const struct asked *a)
{
	static const char *const heads[] = { "OURS \\ THEIRS", "Healthy",
	    "Watch", "At Risk", "Critical", NULL };
	struct table *t = table_new(heads, "<>>>>");

	for (int i = 0; i < CALIBRATE_TIERS; i++) {
		table_cell(t, "%s", tier_names[TIER_HEALTHY + i]);
		for (int k = 0; k < CALIBRATE_TIERS; k++)
			table_cell(t, "%zu", a->c.matrix[i][k]);
	}
	table_print(t, stdout, a->color);
	table_free(t);
}

/* why_ours - what the points of a pair are from */
static void
why_ours(const struct asked *a, const struct pair *p, struct buf *b)
{
	bool first = true;
	struct score s;
	size_t at;

	score_make(a->j.knots, &p->in, &s);
	for (int i = 0; i < SIGNALS; i++) {
		at = b->len;
		if (!first)
			buf_str(b, "; ");
		score_say(&p->in, &s, (enum signal)i, b);
		if (b->len == at + (first ? 0 : 2))
			b->len = at;
		else
			first = false;
	}
	if (first)
		buf_str(b, "no signal has points");
}

/* print_disagreements - one below the other, with the signals */
static void
print_disagreements(const struct asked *a)
{
	struct buf b = BUF_INIT;
	char quarter[16];
	bool any = false;

	for (size_t i = 0; i < a->npairs; i++) {
		const struct pair *p = &a->pairs[i];

		if (p->ours == p->official.tier)
			continue;
		if (!any)
			printf("\nWhere they do not agree:\n");
		any = true;
		printf("%s  %.*s: %s (%.1f points), %.*s says %s: %.*s\n",
		    official_quarter(p->official.quarter, quarter),
		    SLICE_ARG(p->official.subject), tier_names[p->ours],
		    p->points, SLICE_ARG(p->official.provider),
		    tier_names[p->official.tier], SLICE_ARG(p->official.said));
		buf_reset(&b);
		why_ours(a, p, &b);
		printf("        %.*s\n", SLICE_ARG(buf_slice(&b)));
	}
	buf_free(&b);
}

/* print_changes - knots that would have gone better */
static void
print_changes(const struct asked *a)
{
	if (!a->c.enough) {
		printf("\nnot enough evidence: %zu pairs, and a suggestion "
		    "needs %d\n", a->npairs, CALIBRATE_LEAST);
		return;
	}
	printf(a->nchanges == 0 ? "\nNo knot would have gone better.\n" :
	    "\nKnots that would have gone better, one after the other:\n");
	for (size_t i = 0; i < a->nchanges; i++) {
		const struct change *c = &a->changes[i];
		double unit = c->signal == SIGNAL_VOLUME ? 1.0 : 100.0;
		const char *sign = c->signal == SIGNAL_VOLUME ? "" : " %";

		printf("  %s, %.0f points: %g%s instead of %g%s: then %zu of "
		    "%zu agree\n", signal_names[c->signal],
		    a->better.curve[c->signal][c->knot].points,
		    c->is * unit, sign, c->was * unit, sign, c->exact,
		    a->npairs);
	}
}

/* print - all of it */
static void
print(const struct asked *a)
{
	const struct calibration *c = &a->c;

	printf("%zu pairs of our score and a provider's own word%s%s\n",
	    c->n, a->quarter != NULL ? ", of " : "", a->quarter != NULL ?
	    a->quarter : "");
	if (c->n > 0) {
		printf("%zu agree (%.0f %%), %zu are at most one tier apart",
		    c->exact, 100.0 * (double)c->exact / (double)c->n,
		    c->near);
		if (c->has_kappa)
			printf("; kappa %.2f (1: always, 0: as chance)",
			    c->kappa);
		printf("\n\n");
		print_matrix(a);
		print_disagreements(a);
	}
	print_changes(a);
	printf("%s\n%s\n", SCORE_LABEL, SNAPSHOT_LABEL);
}

/* --- for programs --------------------------------------------------------- */

/* json_pairs - where they disagree */
static void
json_pairs(const struct asked *a, struct buf *b)
{
	struct buf why = BUF_INIT;
	bool first = true;
	char quarter[16];

	for (size_t i = 0; i < a->npairs; i++) {
		const struct pair *p = &a->pairs[i];

		if (p->ours == p->official.tier)
			continue;
		buf_reset(&why);
		why_ours(a, p, &why);
		buf_str(b, first ? "{" : ",{");
		first = false;
		buf_json_member(b, "subject", p->official.subject);
		buf_json_member(b, "provider", p->official.provider);
		buf_json_member(b, "quarter", slice_of(official_quarter(
		    p->official.quarter, quarter)));
		buf_json_member(b, "ours", slice_of(tier_names[p->ours]));
		buf_json_member(b, "theirs", slice_of(
		    tier_names[p->official.tier]));
		buf_json_member(b, "said", p->official.said);
		buf_json_member(b, "why", buf_slice(&why));
		buf_printf(b, "\"points\":%.3f}", p->points);
	}
	buf_free(&why);
}

/* json - one object */
static void
json(const struct asked *a)
{
	const struct calibration *c = &a->c;
	struct buf b = BUF_INIT;

	buf_printf(&b, "{\"schema\":1,\"pairs\":%zu,\"enough\":%s,"
	    "\"agree\":%zu,\"near\":%zu,\"kappa\":", c->n, c->enough ?
	    "true" : "false", c->exact, c->near);
	buf_printf(&b, c->has_kappa ? "%.4f" : "null", c->kappa);
	buf_str(&b, ",\"matrix\":[");
	for (int i = 0; i < CALIBRATE_TIERS; i++)
		buf_printf(&b, "%s[%zu,%zu,%zu,%zu]", i == 0 ? "" : ",",
		    c->matrix[i][0], c->matrix[i][1], c->matrix[i][2],
		    c->matrix[i][3]);
	buf_str(&b, "],\"disagreements\":[");
	json_pairs(a, &b);
	buf_str(&b, "],\"suggestions\":[");
	for (size_t i = 0; i < a->nchanges; i++)
		buf_printf(&b, "%s{\"signal\":\"%s\",\"points\":%g,\"was\":%g,"
		    "\"is\":%g,\"agree\":%zu}", i == 0 ? "" : ",",
		    signal_names[a->changes[i].signal],
		    a->better.curve[a->changes[i].signal][
		    a->changes[i].knot].points, a->changes[i].was,
		    a->changes[i].is, a->changes[i].exact);
	buf_str(&b, "],\"label\":");
	buf_json(&b, SLICE(SCORE_LABEL));
	buf_str(&b, ",\"official_label\":");
	buf_json(&b, SLICE(SNAPSHOT_LABEL));
	buf_str(&b, "}\n");
	if (!buf_failed(&b))
		fwrite(b.data, 1, b.len, stdout);
	buf_free(&b);
}

/* --- the suggestion ------------------------------------------------------- */

/* write_file - beside what holds, never over anything */
static int
write_file(const struct asked *a)
{
	struct buf b = BUF_INIT;
	int fd, status = TOOL_BROKEN;
	size_t done = 0;
	ssize_t n = 0;

	calibrate_write(&a->better, a->changes, a->nchanges, a->npairs, &b);
	fd = buf_failed(&b) ? -1 : open(a->file, O_WRONLY | O_CREAT | O_EXCL |
	    O_CLOEXEC, 0644);
	if (fd == -1) {
		tool_fail(TOOL_BROKEN, "%s: %s", a->file, buf_failed(&b) ?
		    "out of memory" : errno == EEXIST ? "is there already, "
		    "and nothing is overwritten; name another file" :
		    strerror(errno));
		buf_free(&b);
		return TOOL_BROKEN;
	}
	(void)fchmod(fd, 0644);
	while (done < b.len && (n = write(fd, b.data + done, b.len -
	    done)) > 0)
		done += (size_t)n;
	if (done == b.len && fsync(fd) == 0)
		status = TOOL_OK;
	else
		tool_fail(TOOL_BROKEN, "%s: %s", a->file, strerror(errno));
	if (close(fd) == -1 && status == TOOL_OK)
		status = tool_fail(TOOL_BROKEN, "%s: %s", a->file,
		    strerror(errno));
	if (status != TOOL_OK)
		(void)unlink(a->file);
	else if (!a->json)
		printf("%s is written; to follow it, put it where reputation "
		    "in penstock.conf says and restart penstock-alert\n",
		    a->file);
	buf_free(&b);
	return status;
}

/* suggest - when there is something to write */
static int
suggest(const struct asked *a)
{
	if (!a->c.enough)
		return TOOL_NO;
	if (a->file == NULL)
		return TOOL_OK;
	if (a->nchanges > 0)
		return write_file(a);
	if (!a->json)
		printf("%s is not written: it would say what holds now\n",
		    a->file);
	return TOOL_OK;
}

/* tool_report_calibrate - both histories, side by side */
int
tool_report_calibrate(const struct tool *tool, int argc, char **argv)
{
	struct asked a = { .color = tool->color };
	int status;

	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			printf("usage: %s\n\n%s", usage, help);
			return TOOL_OK;
		}
		if (strcmp(argv[i], "--json") == 0)
			a.json = true;
		else if (strcmp(argv[i], "--quarter") == 0 && i + 1 < argc)
			a.quarter = argv[++i];
		else if (strcmp(argv[i], "--suggest") == 0 && i + 1 < argc)
			a.file = argv[++i];
		else
			return tool_usage(usage);
	}
	status = judged_open(tool, &a.j);
	if (status == TOOL_OK && (status = collect(&a)) == TOOL_OK) {
		if (a.json)
			json(&a);
		else
			print(&a);
		status = suggest(&a);
	}
	free(a.rows);
	judged_close(&a.j);
	return status;
}
