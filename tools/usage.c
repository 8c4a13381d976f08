/*
 * usage - penstock usage: what each tenant and each group sent in a month, the
 * basis of an invoice.
 *
 * Months are those of UTC, as days are in watch/.  accepted: recipients that
 * were sent on or let go later; delivered: those that somebody took in that
 * month; held: those that waited in the hold queue.  When penstock-alert has
 * not counted all there is, or not from the first day of the month on, that is
 * said: a number that is not whole must not look like one.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/csv.h"
#include "lib/date.h"
#include "lib/map.h"
#include "reputation/outcome.h"
#include "reputation/rollup.h"
#include "tools/tool.h"

#define USAGE	"penstock usage [--month YYYY-MM] [--csv | --json]"
#define NUMBERS	4

static const char *const number_names[NUMBERS] = { "messages", "accepted",
	"delivered", "held" };
static const enum tally number_tallies[NUMBERS] = { TALLY_MESSAGES,
	TALLY_ACCEPTED, TALLY_DELIVERED, TALLY_HELD };

/* What one tenant of a group, or a whole group, or all of them sent. */
struct line {
	struct slice	group, tenant;		/* tenant p NULL: the group */
	uint64_t	n[NUMBERS];
};

struct month {
	char		name[8];		/* "2026-11" */
	int32_t		from, until;		/* days since 1970 */
	struct arena	*arena;
	struct map	*lines;
	struct line	**list;			/* sorted, at the end */
	size_t		n;
	uint64_t	all[NUMBERS];
	int32_t		first;			/* day there is a cell of */
	uint64_t	missing[2];		/* events, outcomes: not in */
	bool		failed;			/* no memory */
};

/* month_of - days of a month; false: it is none */
static bool
month_of(struct month *m, int64_t year, int month)
{
	if (year < 1970 || year > 9998 || month < 1 || month > 12)
		return false;
	m->from = (int32_t)date_days(year, month, 1);
	m->until = (int32_t)date_days(year, month + 1, 1);
	snprintf(m->name, sizeof(m->name), "%04u-%02u", (unsigned)year % 10000,
	    (unsigned)month % 100);
	return true;
}

/* parse_month - "2026-11" */
static bool
parse_month(struct month *m, const char *text)
{
	int n[6], at = 0;

	if (strlen(text) != 7 || text[4] != '-')
		return false;
	for (int i = 0; i < 7; i++) {
		if (i == 4)
			continue;
		if (text[i] < '0' || text[i] > '9')
			return false;
		n[at++] = text[i] - '0';
	}
	return month_of(m, n[0] * 1000 + n[1] * 100 + n[2] * 10 + n[3],
	    n[4] * 10 + n[5]);
}

/* last_month - the one before this one */
static bool
last_month(struct month *m)
{
	int64_t year;
	int month, day;

	date_of(clock_wall() / CLOCK_DAY, &year, &month, &day);
	return month == 1 ? month_of(m, year - 1, 12) :
	    month_of(m, year, month - 1);
}

/* line_of - the line of a tenant in a group, or of a group; NULL: no memory */
static struct line *
line_of(struct month *m, struct slice group, struct slice tenant)
{
	struct line *line;
	char room[2 * 256 + 2];
	struct slice key = { room, 0 };

	/* names of watch/ have 255 bytes at most */
	memcpy(room, group.p, group.n);
	key.n = group.n;
	room[key.n++] = tenant.p != NULL ? '/' : '\n';
	if (tenant.n > 0)
		memcpy(room + key.n, tenant.p, tenant.n);
	key.n += tenant.n;
	if ((line = map_get(m->lines, key)) != NULL)
		return line;
	line = arena_alloc(m->arena, sizeof(*line));
	key = arena_copy(m->arena, key);
	if (line == NULL || key.p == NULL)
		return NULL;
	line->group = (struct slice){ key.p, group.n };
	if (tenant.p != NULL)
		line->tenant = slice_from(key, group.n + 1);
	return map_set(m->lines, key, line) == -1 ? NULL : line;
}

/* add - a cell to the lines that it is of */
static bool
add(void *with, const struct cell *c)
{
	struct month *m = with;
	struct line *own, *group;
	uint64_t some = 0;

	for (size_t i = 0; i < NUMBERS; i++)
		some |= c->n[number_tallies[i]];
	if (some == 0)
		return true;
	own = line_of(m, c->group, c->tenant);
	group = line_of(m, c->group, SLICE_NONE);
	if (own == NULL || group == NULL) {
		m->failed = true;
		return false;
	}
	for (size_t i = 0; i < NUMBERS; i++) {
		own->n[i] += c->n[number_tallies[i]];
		group->n[i] += c->n[number_tallies[i]];
		m->all[i] += c->n[number_tallies[i]];
	}
	return true;
}

/* first_day - of all that there are */
static bool
first_day(void *with, const struct cell *c)
{
	((struct month *)with)->first = c->at;
	return false;
}

/* compare - as bytes */
static int
compare(struct slice a, struct slice b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n > 0 ? memcmp(a.p, b.p, n) : 0;

	return c != 0 ? c : a.n < b.n ? -1 : a.n > b.n;
}

/* by_name - tenants by group and name, then the groups */
static int
by_name(const void *a, const void *b)
{
	const struct line *x = *(struct line *const *)a,
	    *y = *(struct line *const *)b;
	int c;

	if ((x->tenant.p == NULL) != (y->tenant.p == NULL))
		return x->tenant.p == NULL ? 1 : -1;
	c = compare(x->group, y->group);
	return c != 0 ? c : compare(x->tenant, y->tenant);
}

/* sort - the lines into a list */
static int
sort(struct month *m, struct why *why)
{
	size_t at = 0;
	void *line;

	m->list = arena_array(m->arena, map_count(m->lines) + 1,
	    sizeof(struct line *));
	if (m->failed || m->list == NULL)
		return why_kind(why, WHY_MEMORY, "no memory for so many "
		    "tenants");
	while (map_next(m->lines, &at, NULL, &line))
		m->list[m->n++] = line;
	qsort(m->list, m->n, sizeof(struct line *), by_name);
	return 0;
}

/* missing - what the stores have and no cell yet */
static int
missing(struct month *m, const struct config *config, struct db *watch,
    struct why *why)
{
	char *gate = xasprintf("%s/gate", config->store);
	char *dir = xasprintf("%s/outcomes", config->store);
	uint64_t at[2], last[2] = { 0, 0 };
	struct outcomes *outcomes = NULL;
	struct store *store = NULL;
	int64_t time;
	int rc = -1;

	if (rollup_places(watch, &at[0], &at[1], why) == -1 ||
	    store_open_read(&store, gate, why) == -1 ||
	    outcomes_open_read(&outcomes, dir, why) == -1 ||
	    (store != NULL && store_last(store, &last[0], &time,
	    why) == -1) ||
	    (outcomes != NULL && outcomes_last(outcomes, &last[1],
	    why) == -1))
		goto out;
	for (size_t i = 0; i < 2; i++)
		m->missing[i] = last[i] > at[i] ? last[i] - at[i] : 0;
	rc = 0;
out:
	outcomes_close(outcomes);
	store_close(store);
	free(gate);
	free(dir);
	return rc;
}

/* gather - the month. Fetch: 0 there is nothing counted at all. */
static int
gather(struct month *m, const struct config *config, struct why *why)
{
	char *dir = xasprintf("%s/watch", config->store);
	struct db *watch = NULL;
	int got = watch_open_read(&watch, dir, why);

	free(dir);
	if (got != 1)
		return got;
	m->first = INT32_MAX;
	m->arena = arena_new(1 << 16, 0);
	m->lines = map_new();
	if (m->arena == NULL || m->lines == NULL)
		got = why_kind(why, WHY_MEMORY, "out of memory");
	else if (missing(m, config, watch, why) == -1 ||
	    rollup_each(watch, GRAIN_DAY, 0, INT32_MAX, first_day, m,
	    why) == -1 ||
	    rollup_each(watch, GRAIN_DAY, m->from, m->until, add, m,
	    why) == -1 || sort(m, why) == -1)
		got = -1;
	db_close(watch);
	return got;
}

/* --- the three voices ---------------------------------------------------- */

/* kind_of - a line */
static const char *
kind_of(const struct line *line)
{
	return line->tenant.p != NULL ? "tenant" : "group";
}

/* print_csv - one line each, the same columns for both kinds */
static void
print_csv(const struct month *m, struct buf *b)
{
	buf_str(b, "month,kind,group,tenant");
	for (size_t i = 0; i < NUMBERS; i++)
		buf_printf(b, ",%s", number_names[i]);
	buf_str(b, "\r\n");
	for (size_t k = 0; k < m->n; k++) {
		const struct line *l = m->list[k];

		csv_put(b, slice_of(m->name), true);
		csv_put(b, slice_of(kind_of(l)), false);
		csv_put(b, l->group, false);
		csv_put(b, l->tenant, false);
		for (size_t i = 0; i < NUMBERS; i++)
			buf_printf(b, ",%" PRIu64, l->n[i]);
		buf_str(b, "\r\n");
	}
}

/* numbers_json - members of an object that goes on */
static void
numbers_json(const uint64_t n[NUMBERS], struct buf *b)
{
	for (size_t i = 0; i < NUMBERS; i++)
		buf_printf(b, "%s\"%s\":%" PRIu64, i > 0 ? "," : "",
		    number_names[i], n[i]);
}

/* lines_json - of one kind */
static void
lines_json(const struct month *m, bool tenants, struct buf *b)
{
	bool first = true;

	for (size_t k = 0; k < m->n; k++) {
		const struct line *l = m->list[k];

		if ((l->tenant.p != NULL) != tenants)
			continue;
		buf_str(b, first ? "{\"group\":" : ",{\"group\":");
		buf_json(b, l->group);
		if (tenants) {
			buf_str(b, ",\"tenant\":");
			buf_json(b, l->tenant);
		}
		buf_char(b, ',');
		numbers_json(l->n, b);
		buf_char(b, '}');
		first = false;
	}
}

/* print_json - one object */
static void
print_json(const struct month *m, struct buf *b)
{
	buf_printf(b, "{\"month\":\"%s\",\"tenants\":[", m->name);
	lines_json(m, true, b);
	buf_str(b, "],\"groups\":[");
	lines_json(m, false, b);
	buf_str(b, "],\"all\":{");
	numbers_json(m->all, b);
	buf_printf(b, "},\"events_missing\":%" PRIu64
	    ",\"outcomes_missing\":%" PRIu64 ",\"from_its_first_day\":%s}\n",
	    m->missing[0], m->missing[1], m->first <= m->from ? "true" :
	    "false");
}

/* print_table - for eyes */
static int
print_table(const struct month *m, bool color)
{
	static const char *const headings[] = { "GROUP", "TENANT", "MESSAGES",
		"ACCEPTED", "DELIVERED", "HELD", NULL };
	struct table *t = table_new(headings, "<<>>>>");

	for (size_t k = 0; k < m->n; k++) {
		const struct line *l = m->list[k];

		table_cell(t, "%.*s", l->group.n > 0 ? (int)l->group.n : 1,
		    l->group.n > 0 ? l->group.p : "-");
		if (l->tenant.p == NULL)
			table_cell(t, "(all)");
		else
			table_cell(t, "%.*s", l->tenant.n > 0 ?
			    (int)l->tenant.n : 1, l->tenant.n > 0 ?
			    l->tenant.p : "-");
		for (size_t i = 0; i < NUMBERS; i++)
			table_cell(t, "%" PRIu64, l->n[i]);
	}
	table_cell(t, "(all)");
	table_cell(t, "(all)");
	for (size_t i = 0; i < NUMBERS; i++)
		table_cell(t, "%" PRIu64, m->all[i]);
	printf("%s, in UTC; recipients, and messages where it says so\n\n",
	    m->name);
	table_print(t, stdout, color);
	table_free(t);
	return TOOL_OK;
}

/* warn - why it is not the whole month */
static void
warn(const struct month *m)
{
	if (m->missing[0] > 0 || m->missing[1] > 0)
		fprintf(stderr, "penstock: not whole: %" PRIu64 " events and "
		    "%" PRIu64 " outcomes are not counted yet (does "
		    "penstock-alert run?)\n", m->missing[0], m->missing[1]);
	if (m->until > clock_wall() / CLOCK_DAY)
		fprintf(stderr, "penstock: not whole: %s is not over\n",
		    m->name);
	if (m->first > m->from)
		fprintf(stderr, "penstock: nothing is counted of the first "
		    "days of %s: mail began later, or alert { keep_days } "
		    "ended it\n", m->name);
}

/* print - in one of the voices */
static int
print(const struct month *m, bool csv, bool json, bool color)
{
	struct buf b = BUF_INIT;
	int rc = TOOL_OK;

	warn(m);
	if (!csv && !json)
		return print_table(m, color);
	(csv ? print_csv : print_json)(m, &b);
	if (buf_failed(&b))
		rc = tool_fail(TOOL_BROKEN, "out of memory");
	else if (fwrite(b.data, 1, b.len, stdout) != b.len ||
	    fflush(stdout) != 0)
		rc = tool_fail(TOOL_BROKEN, "cannot write: %s",
		    strerror(errno));
	buf_free(&b);
	return rc;
}

/* tool_usage_month - penstock usage */
int
tool_usage_month(const struct tool *tool, int argc, char **argv)
{
	struct month m = { .n = 0 };
	struct config *config = NULL;
	bool csv = false, json = false, good = last_month(&m);
	struct why why;
	int rc, got;

	if (tool_asks_help(argc, argv))
		return tool_help(USAGE);
	for (int i = 0; i < argc && good; i++) {
		if (strcmp(argv[i], "--csv") == 0)
			csv = true;
		else if (strcmp(argv[i], "--json") == 0)
			json = true;
		else if (strcmp(argv[i], "--month") == 0 && i + 1 < argc)
			good = parse_month(&m, argv[++i]);
		else
			good = false;
	}
	if (!good || (csv && json))
		return tool_usage(USAGE);
	if ((rc = tool_config(tool, &config)) != TOOL_OK)
		return rc;
	if ((got = gather(&m, config, &why)) == 1)
		rc = print(&m, csv, json, tool->color);
	else
		rc = got == -1 ? tool_fail(TOOL_BROKEN, "%s", why.text) :
		    tool_fail(TOOL_BROKEN, "%s/watch: nothing is counted yet; "
		    "penstock-alert does that", config->store);
	map_free(m.lines);
	arena_free(m.arena);
	config_free(config);
	return rc;
}
