/*
 * ingest - one log to its end, and how the ingester is doing.
 *
 * The daemon is asked through its store: a note that it renews every few
 * seconds, the cursor into the gate's events, and its counters.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "reputation/ingest_status.h"
#include "reputation/outcome.h"
#include "tools/ingest/once.h"
#include "tools/tool.h"

#define FRESH	(20 * CLOCK_SECOND)	/* older: nobody renews it */

static const char usage[] = "penstock ingest [--json] LOG|-\n"
    "penstock ingest --dsn|--arf|--rua [--to ADDRESS] <MAIL";
static const char status_usage[] = "penstock ingest status [--json]";

static const char *const counters[] = { "lines", "deliveries", "outcomes",
	"repeated", "foreign", "notices", "added", "events", "dmarc_others",
	"dmarc_left_out" };
static const char *const kinds[] = { "log", "dsn", "arf", "rua" };
enum { NAME_CELL = 28, PLAIN = 160,
	NCOUNTERS = sizeof(counters) / sizeof(counters[0]),
	NKINDS = sizeof(kinds) / sizeof(kinds[0]) };

/* tool_ingest - LOG, or standard input */
int
tool_ingest(const struct tool *tool, int argc, char **argv)
{
	bool json = false;
	struct config *config;
	int status;

	if (tool_asks_help(argc, argv))
		return tool_help(usage);
	if (argc > 0 && strncmp(argv[0], "--", 2) == 0 &&
	    strcmp(argv[0], "--json") != 0)
		return tool_ingest_mail(tool, argc, argv);
	if (argc > 0 && strcmp(argv[0], "--json") == 0) {
		json = true;
		argc--;
		argv++;
	}
	if (argc != 1 || (argv[0][0] == '-' && argv[0][1] != '\0'))
		return tool_usage(usage);
	if ((status = tool_config(tool, &config)) != TOOL_OK)
		return status;
	status = ingest_once(config, argv[0], json);
	config_free(config);
	return status;
}

/* --- status --------------------------------------------------------------- */

struct strange {
	uint64_t	count;
	struct slice	texts[OUTCOMES_SAMPLES];
	int64_t		times[OUTCOMES_SAMPLES];
	size_t		n;
};

struct view {
	struct ingest_status status;
	bool		 said;		/* it ever ran as a daemon */
	bool		 running;
	uint64_t	 counts[NCOUNTERS];
	struct strange	 strange[NKINDS];
	uint64_t	 applied, last;	/* of the gate's events */
};

/* look - all of it */
static int
look(struct outcomes *o, const struct config *config, struct arena *arena,
    struct view *v, struct why *why)
{
	char *dir = xasprintf("%s/gate", config->store), name[80];
	struct store *gate = NULL;
	struct slice note;
	int64_t time;
	int got = store_open_read(&gate, dir, why), rc = -1;

	free(dir);
	if (got == -1 || (got == 1 &&
	    store_last(gate, &v->last, &time, why) == -1))
		goto out;
	if ((got = outcomes_note(o, INGEST_STATUS, arena, &note, why)) == -1 ||
	    (got == 1 && ingest_status_decode(note, arena, &v->status,
	    why) == -1) || outcomes_applied(o, &v->applied, why) == -1)
		goto out;
	v->said = got == 1;
	v->running = v->said && v->status.pid != 0 &&
	    llabs(clock_wall() - v->status.heartbeat) < FRESH;
	for (size_t i = 0; i < NCOUNTERS; i++)
		if (outcomes_counter(o, counters[i], &v->counts[i], why) == -1)
			goto out;
	for (size_t i = 0; i < NKINDS; i++) {
		struct strange *s = &v->strange[i];

		snprintf(name, sizeof(name), "strange %s", kinds[i]);
		if (outcomes_counter(o, name, &s->count, why) == -1 ||
		    outcomes_samples(o, kinds[i], arena, s->texts, s->times,
		    &s->n, why) == -1)
			goto out;
	}
	rc = 0;
out:
	store_close(gate);
	return rc;
}

/* put_time - JSON: a moment, or null */
static void
put_time(struct buf *b, const char *name, int64_t time)
{
	buf_printf(b, ",\"%s\":", name);
	if (time == 0) {
		buf_str(b, "null");
		return;
	}
	buf_char(b, '"');
	event_time(time, b);
	buf_char(b, '"');
}

/* put_log - JSON: one log */
static void
put_log(struct buf *b, const struct ingest_log *l, int64_t now)
{
	buf_str(b, "{\"name\":");
	buf_json(b, l->name);
	buf_printf(b, ",\"lines\":%" PRIu64 ",\"rate\":%" PRIu64
	    ",\"offset\":%" PRIu64 ",\"size\":%" PRIu64 ",\"behind\":%" PRIu64
	    ",\"gaps\":%" PRIu64 ",\"cut\":%" PRIu64, l->lines, l->rate,
	    l->done, l->size, l->size > l->done ? l->size - l->done : 0,
	    l->gaps, l->cut);
	put_time(b, "last_line", l->time);
	if (l->time == 0)
		buf_str(b, ",\"age\":null");
	else
		buf_printf(b, ",\"age\":%lld",
		    (long long)((now - l->time) / CLOCK_SECOND));
	buf_str(b, ",\"unreadable\":");
	if (l->unread.n == 0)
		buf_str(b, "null");
	else
		buf_json(b, l->unread);
	buf_char(b, '}');
}

/* print_json - one object */
static void
print_json(const struct view *v, int64_t now)
{
	struct buf b = BUF_INIT;

	buf_printf(&b, "{\"running\":%s,\"pid\":%lld",
	    v->running ? "true" : "false", (long long)v->status.pid);
	put_time(&b, "started", v->status.started);
	put_time(&b, "heartbeat", v->status.heartbeat);
	buf_str(&b, ",\"version\":");
	buf_json(&b, v->status.version);
	buf_printf(&b, ",\"events_applied\":%" PRIu64 ",\"events_behind\":%"
	    PRIu64 ",\"logs\":[", v->applied, v->last > v->applied ?
	    v->last - v->applied : 0);
	for (size_t i = 0; i < v->status.nlogs; i++) {
		if (i > 0)
			buf_char(&b, ',');
		put_log(&b, &v->status.logs[i], now);
	}
	buf_str(&b, "],\"counts\":{");
	for (size_t i = 0; i < NCOUNTERS; i++)
		buf_printf(&b, "%s\"%s\":%" PRIu64, i > 0 ? "," : "",
		    counters[i], v->counts[i]);
	buf_str(&b, "},\"not_understood\":{");
	for (size_t i = 0; i < NKINDS; i++) {
		const struct strange *s = &v->strange[i];

		buf_printf(&b, "%s\"%s\":{\"count\":%" PRIu64 ",\"samples\":[",
		    i > 0 ? "," : "", kinds[i], s->count);
		for (size_t k = 0; k < s->n; k++) {
			if (k > 0)
				buf_char(&b, ',');
			buf_json(&b, s->texts[k]);
		}
		buf_str(&b, "]}");
	}
	buf_str(&b, "}}\n");
	fwrite(b.data, 1, b.len, stdout);
	buf_free(&b);
}

/* print_plain - foreign text from that column on, harmless to a terminal */
static void
print_plain(struct slice text, size_t indent)
{
	struct buf plain = BUF_INIT, b = BUF_INIT;

	for (size_t i = 0; i < text.n && i < PLAIN; i++)
		buf_char(&plain, text.p[i] >= ' ' && text.p[i] < 127 ?
		    text.p[i] : '?');
	tool_wrap(&b, indent, buf_slice(&plain));
	buf_char(&b, '\n');
	fwrite(b.data, 1, b.len, stdout);
	buf_free(&plain);
	buf_free(&b);
}

/* size_cell - bytes in few characters */
static void
size_cell(struct table *t, uint64_t bytes)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB" };
	double v = (double)bytes;
	size_t i = 0;

	while (v >= 1000 && i < 4) {
		v /= 1000;
		i++;
	}
	table_cell(t, i == 0 ? "%.0f %s" : "%.1f %s", v, units[i]);
}

/* age_cell - how long ago, likewise */
static void
age_cell(struct table *t, int64_t us)
{
	static const struct {
		int64_t		 least, unit;
		const char	*name;
	} all[] = { { 2 * CLOCK_DAY, CLOCK_DAY, "d" },
		{ 2 * CLOCK_HOUR, CLOCK_HOUR, "h" },
		{ 120 * CLOCK_SECOND, 60 * CLOCK_SECOND, "min" },
		{ INT64_MIN, CLOCK_SECOND, "s" } };
	size_t i = 0;

	while (us < all[i].least)
		i++;
	table_cell(t, "%lld %s ago", (long long)(us / all[i].unit),
	    all[i].name);
}

/* name_cell - the end of a name tells more than its beginning */
static void
name_cell(struct table *t, struct slice name)
{
	if (name.n <= NAME_CELL)
		table_cell(t, "%.*s", SLICE_ARG(name));
	else
		table_cell(t, "...%.*s", SLICE_ARG(slice_from(name,
		    name.n - (NAME_CELL - 3))));
}

/* print_logs - a row each, and why one cannot be read */
static void
print_logs(const struct view *v, bool color, int64_t now)
{
	static const char *const headings[] = { "LOG", "LINES", "LINES/S",
		"BEHIND", "LAST LINE", "GAPS", NULL };
	struct table *t = table_new(headings, "<>>>>>");

	for (size_t i = 0; i < v->status.nlogs; i++) {
		const struct ingest_log *l = &v->status.logs[i];

		name_cell(t, l->name);
		table_cell(t, "%" PRIu64, l->lines);
		table_cell(t, "%" PRIu64, l->rate);
		size_cell(t, l->size > l->done ? l->size - l->done : 0);
		if (l->time == 0)
			table_cell(t, "none yet");
		else
			age_cell(t, now - l->time);
		table_cell(t, "%" PRIu64, l->gaps);
	}
	table_print(t, stdout, color);
	table_free(t);
	for (size_t i = 0; i < v->status.nlogs; i++) {
		const struct ingest_log *l = &v->status.logs[i];
		struct buf b = BUF_INIT;

		if (l->unread.n == 0)
			continue;
		buf_slices(&b, l->name);
		buf_str(&b, ": ");
		buf_slices(&b, l->unread);
		fputs("NOT READ: ", stdout);
		print_plain(buf_slice(&b), 10);
		buf_free(&b);
	}
}

/* print_eyes - for a person */
static void
print_eyes(const struct view *v, bool color, int64_t now)
{
	if (!v->said)
		puts("penstock-ingest has not run as a daemon here");
	else if (v->running)
		printf("running, pid %lld\n", (long long)v->status.pid);
	else
		printf("NOT running: %s %lld s ago\n", v->status.pid == 0 ?
		    "it was told to end" : "its last word was",
		    (long long)((now - v->status.heartbeat) / CLOCK_SECOND));
	printf("events of the gate: %" PRIu64 " read, %" PRIu64
	    " to be read\n\n", v->applied, v->last > v->applied ?
	    v->last - v->applied : 0);
	if (v->status.nlogs > 0) {
		print_logs(v, color, now);
		putchar('\n');
	}
	for (size_t i = 0; i < NCOUNTERS; i++)
		printf("%-14s %12" PRIu64 "\n", counters[i], v->counts[i]);
	for (size_t i = 0; i < NKINDS; i++) {
		const struct strange *s = &v->strange[i];

		if (s->count == 0)
			continue;
		printf("\nnot understood (%s): %" PRIu64 "; the latest:\n",
		    kinds[i], s->count);
		for (size_t k = 0; k < s->n && k < 5; k++) {
			fputs("    ", stdout);
			print_plain(s->texts[k], 4);
		}
	}
}

/* tool_ingest_status - 0 it runs, 1 it does not */
int
tool_ingest_status(const struct tool *tool, int argc, char **argv)
{
	bool json = argc == 1 && strcmp(argv[0], "--json") == 0;
	struct arena *arena = NULL;
	struct outcomes *o = NULL;
	struct config *config;
	struct view v = { .said = false };
	struct why why;
	int status;

	if (tool_asks_help(argc, argv))
		return tool_help(status_usage);
	if (argc > 0 && !json)
		return tool_usage(status_usage);
	if ((status = tool_config(tool, &config)) != TOOL_OK)
		return status;
	if ((arena = arena_new(65536, 0)) == NULL)
		status = tool_fail(TOOL_BROKEN, "out of memory");
	else if ((status = tool_outcomes(config, &o)) == TOOL_OK) {
		if (look(o, config, arena, &v, &why) == -1) {
			status = tool_fail(TOOL_BROKEN, "%s", why.text);
		} else {
			if (json)
				print_json(&v, clock_wall());
			else
				print_eyes(&v, tool->color, clock_wall());
			status = v.running ? TOOL_OK : TOOL_NO;
		}
	}
	outcomes_close(o);
	arena_free(arena);
	config_free(config);
	return status;
}
