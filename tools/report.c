/*
 * report - penstock report: options, stores, and which voice.
 *
 * The moment it is asked for changes nothing but the page's own file: days come
 * from the options and from the last day that watch/ has.
 */
#include "tools/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/desk.h"
#include "policy/policy.h"
#include "reputation/outcome.h"
#include "tools/live.h"
#include "tools/report_in.h"

static const char usage[] =
    "penstock report [--day D | --week W | --month M]\n"
    "                       [--tenant T | --group G] [--brand WORD]\n"
    "                       [--html FILE | --json | --csv | --overview "
    "[--json]]";
static const char help[] =
"What became of the mail of a day, a week or a month, how each sender stands,\n"
"and why. Without a period: the last whole week that there is mail of.\n\n"
"  --day D      \"2026-11-24\"; \"last\" is the last day with mail\n"
"  --week W     \"2026-W47\", or a date in it, or \"last\"\n"
"  --month M    \"2026-11\", or \"last\"\n"
"  --tenant T   of that tenant alone: nobody else's figures or names\n"
"  --group G    the same of a group\n"
"  --html FILE  one page that needs nothing else; \"-\" is stdout\n"
"  --json       all of it, schema 1 (penstock-report(1))\n"
"  --csv        one row per subject\n"
"  --overview   one page: which tenants and pools are at risk, and what hangs\n"
"               on them\n"
"  --brand WORD a word in the line that says whose model it is\n\n"
"Days are those of UTC. Exit status: 0 shown, 1 there is nothing of that\n"
"tenant or group, 3 something is broken.\n";

#define BRAND	40		/* bytes */

struct asked {
	const char	*period, *html, *tenant, *group, *brand;
	enum period_unit unit;
	bool		 json, csv, overview;
};

struct opened {			/* all that has to be given back */
	struct config	*config;
	struct report_stores stores;
	struct desk	*desk;
	struct knots	*knots;
	struct report	 report;
};

/* takes - an option that has a value */
static const char **
takes(struct asked *a, const char *word)
{
	static const char *const units[] = { "--day", "--week", "--month" };

	for (int i = 0; i < 3; i++)
		if (strcmp(word, units[i]) == 0 && a->period == NULL) {
			a->unit = (enum period_unit)i;
			return &a->period;
		}
	return strcmp(word, "--html") == 0 ? &a->html :
	    strcmp(word, "--tenant") == 0 ? &a->tenant :
	    strcmp(word, "--group") == 0 ? &a->group :
	    strcmp(word, "--brand") == 0 ? &a->brand : NULL;
}

/* options - false: usage */
static bool
options(struct asked *a, int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		const char **to = takes(a, argv[i]);

		if (to != NULL && (*to != NULL || ++i >= argc))
			return false;
		if (to != NULL)
			*to = argv[i];
		else if (strcmp(argv[i], "--json") == 0)
			a->json = true;
		else if (strcmp(argv[i], "--csv") == 0)
			a->csv = true;
		else if (strcmp(argv[i], "--overview") == 0)
			a->overview = true;
		else
			return false;
	}
	return (a->tenant == NULL || a->group == NULL) && (a->html != NULL) +
	    a->json + a->csv <= 1 && !(a->overview && (a->csv ||
	    a->html != NULL)) && (a->brand == NULL ||
	    strlen(a->brand) <= BRAND);
}

/* --- stores --------------------------------------------------------------- */

/* stores - watch/ must be there, the others may lack */
static int
stores(struct opened *o)
{
	const char *store = o->config->store;
	char *watch = xasprintf("%s/watch", store);
	char *gate = xasprintf("%s/gate", store);
	char *outcomes = xasprintf("%s/outcomes", store);
	char *desk = xasprintf("%s/desk", store);
	struct why why;
	int got, status = TOOL_OK;

	o->stores.config = o->config;
	got = watch_open_read(&o->stores.watch, watch, &why);
	if (got == 0)
		status = tool_fail(TOOL_BROKEN, "%s: no such store yet: is "
		    "penstock-alert running? It makes it and counts what gate/ "
		    "and outcomes/ have", watch);
	else if (got == -1 ||
	    (got = store_open_read(&o->stores.gate, gate, &why)) == -1)
		status = tool_fail(TOOL_BROKEN, "%s", why.text);
	if (status == TOOL_OK && got == 0)
		report_lacks(&o->report, "There is no gate/ store, so no "
		    "warmups are shown.");
	if (status == TOOL_OK && (got = outcomes_open_read(
	    &o->stores.outcomes, outcomes, &why)) == -1)
		status = tool_fail(TOOL_BROKEN, "%s", why.text);
	if (status == TOOL_OK && got == 0)
		report_lacks(&o->report, "There is no outcomes/ store: is "
		    "penstock-ingest running? Without it nobody knows what "
		    "became of the mail.");
	if (status == TOOL_OK && desk_open_read(&o->desk, desk, &why) == -1)
		status = tool_fail(TOOL_BROKEN, "%s", why.text);
	o->stores.desk = o->desk != NULL ? desk_db(o->desk) : NULL;
	free(watch);
	free(gate);
	free(outcomes);
	free(desk);
	return status;
}

/* knots - as they are installed */
static int
knots(struct opened *o)
{
	struct problems problems;
	struct why why;
	int got;

	problems_init(&problems, o->report.arena);
	got = knots_installed(o->config->reputation, &o->knots, &problems,
	    &why);
	tool_problems(stderr, &problems);
	if (got == -1)
		return tool_fail(TOOL_BROKEN, "%s", why.text);
	o->report.knots = o->knots;
	return got == 1 ? TOOL_OK : TOOL_BROKEN;
}

/* close_all - whatever is open */
static void
close_all(struct opened *o)
{
	report_end(&o->report);
	knots_free(o->knots);
	db_close(o->stores.watch);
	store_close(o->stores.gate);
	outcomes_close(o->stores.outcomes);
	desk_close(o->desk);
	arena_free(o->report.arena);
	config_free(o->config);
}

/* --- what is asked for ---------------------------------------------------- */

/* period - by the options and by what there is */
static int
period(const struct asked *a, struct opened *o)
{
	struct report *r = &o->report;
	struct why why;
	int got = rollup_days(o->stores.watch, &r->first, &r->last, &why);

	if (got == -1 || rollup_places(o->stores.watch, &r->event,
	    &r->outcome, &why) == -1)
		return tool_fail(TOOL_BROKEN, "%s", why.text);
	if (got == 0) {			/* nothing was counted yet */
		r->first = 1;
		r->last = 0;
	}
	if (a->period == NULL && got == 0)
		return tool_fail(TOOL_NO, "watch/ has no mail yet; --week "
		    "2026-W47 and the like show an empty week");
	if (a->period == NULL)
		period_usual(r->first, r->last, &r->period);
	else if (got == 0 && strcmp(a->period, "last") == 0)
		return tool_fail(TOOL_NO, "watch/ has no mail yet, so there "
		    "is no last day");
	else if (period_parse(a->unit, slice_of(a->period), r->last,
	    &r->period, &why) == -1)
		return tool_fail(TOOL_USAGE, "%s", why.text);
	return TOOL_OK;
}

/* known - is there anything of that tenant or group? */
static int
known(const struct report *r)
{
	bool tenant = r->scope.tenant.p != NULL;
	struct slice name = tenant ? r->scope.tenant : r->scope.group;
	char from[16], to[16];

	if (!report_scoped(r) || r->rows[SUBJECT_TENANT].n > 0)
		return TOOL_OK;
	return tool_fail(TOOL_NO, "nothing was counted of the %s \"%.*s\" from "
	    "%s to %s; penstock tenant list shows who there is", tenant ?
	    "tenant" : "group", SLICE_ARG(name), day_text(r->period.before,
	    from), day_text(r->period.until - 1, to));
}

/* values - what tenants are worth, where the policy can be read */
static int
values(const struct tool *tool, struct opened *o)
{
	struct live live;
	struct why why;
	int status = live_open(tool, LIVE_MAY_LACK | LIVE_POLICY, &live);

	if (status == TOOL_NO)
		report_lacks(&o->report, "The policy has mistakes, so no "
		    "values of tenants are known: penstock policy check.");
	if (status != TOOL_BROKEN)
		status = report_values(&o->report, o->stores.watch,
		    live.policy, &why) == -1 ? tool_fail(TOOL_BROKEN, "%s",
		    why.text) : TOOL_OK;
	live_close(&live);
	return status;
}

/* --- the four voices ------------------------------------------------------ */

/* utf8 - may it be more than ASCII? */
static bool
utf8(void)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };

	for (int i = 0; i < 3; i++) {
		const char *is = getenv(names[i]);

		if (is != NULL && *is != '\0')
			return strcasestr(is, "utf-8") != NULL ||
			    strcasestr(is, "utf8") != NULL;
	}
	return false;
}

/* columns - COLUMNS, the terminal's, or 80 */
static size_t
columns(void)
{
	const char *is = getenv("COLUMNS");
	struct winsize size = { .ws_col = 0 };

	if (is != NULL && atoi(is) > 0)
		return (size_t)atoi(is);
	if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ,
	    &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	return 80;
}

/* put_file - whole, or as it was */
static int
put_file(const char *path, const struct buf *b)
{
	char *beside = xasprintf("%s.new", path);
	FILE *f = fopen(beside, "w");
	int status = TOOL_OK;

	if (f == NULL || fwrite(b->data, 1, b->len, f) != b->len ||
	    fflush(f) != 0 || fsync(fileno(f)) == -1 ||
	    rename(beside, path) == -1) {
		status = tool_fail(TOOL_BROKEN, "%s cannot be written: %s",
		    path, strerror(errno));
		if (f != NULL)
			(void)unlink(beside);
	}
	if (f != NULL)
		fclose(f);
	free(beside);
	return status;
}

/* print - in the voice that was asked for */
static int
print(const struct tool *tool, const struct asked *a, const struct report *r)
{
	struct buf b = BUF_INIT;
	int status = TOOL_OK;

	if (a->html != NULL)
		report_html(r, &b);
	else if (a->json)
		report_json(r, &b);
	else if (a->csv)
		report_csv(r, &b);
	else if (a->overview)
		report_overview(r, columns(), utf8(), tool->color, &b);
	else
		report_text(r, columns(), utf8(), tool->color, &b);
	if (buf_failed(&b))
		status = tool_fail(TOOL_BROKEN, "out of memory");
	else if (a->html != NULL && strcmp(a->html, "-") != 0)
		status = put_file(a->html, &b);
	else if (fwrite(b.data, 1, b.len, stdout) != b.len ||
	    fflush(stdout) != 0)
		status = tool_fail(TOOL_BROKEN, "stdout: %s",
		    strerror(errno));
	buf_free(&b);
	return status;
}

/* label - whose model it is */
static const char *
label(struct arena *arena, const char *brand)
{
	static const char first[] = "Internal ";
	const char *text;

	if (brand == NULL || *brand == '\0')
		return SCORE_LABEL;
	text = arena_printf(arena, "%s%s %s", first, brand,
	    &SCORE_LABEL[sizeof(first) - 1]);
	return text != NULL ? text : SCORE_LABEL;
}

/* run - everything between opening and closing */
static int
run(const struct tool *tool, const struct asked *a, struct opened *o)
{
	struct report *r = &o->report;
	struct why why;
	int status;

	if ((r->arena = arena_new(1 << 18, 0)) == NULL)
		return tool_fail(TOOL_BROKEN, "out of memory");
	r->label = label(r->arena, a->brand);
	r->scope.tenant = a->tenant != NULL ? slice_of(a->tenant) :
	    SLICE_NONE;
	r->scope.group = a->group != NULL ? slice_of(a->group) : SLICE_NONE;
	if ((status = tool_config(tool, &o->config)) != TOOL_OK ||
	    (status = stores(o)) != TOOL_OK ||
	    (status = knots(o)) != TOOL_OK ||
	    (status = period(a, o)) != TOOL_OK)
		return status;
	if (report_make(r, &o->stores, &why) == -1)
		return tool_fail(TOOL_BROKEN, "%s", why.text);
	if ((status = known(r)) != TOOL_OK ||
	    (a->overview && (status = values(tool, o)) != TOOL_OK))
		return status;
	return print(tool, a, r);
}

/* tool_report - what a period was like */
int
tool_report(const struct tool *tool, int argc, char **argv)
{
	struct opened o = { .config = NULL };
	struct asked a = { .period = NULL };
	int status;

	if (tool_asks_help(argc, argv)) {
		printf("usage: %s\n\n%s", usage, help);
		return TOOL_OK;
	}
	if (!options(&a, argc, argv))
		return tool_usage(usage);
	status = run(tool, &a, &o);
	close_all(&o);
	return status;
}
