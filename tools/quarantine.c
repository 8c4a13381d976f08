/*
 * quarantine - penstock ingest quarantine: mails that came to penstock-ingest
 * and had no effect, the reason, and the mail itself.
 *
 * What strangers wrote goes to a terminal only with its control bytes made
 * visible; into a file or a pipe it goes as it is.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/mem.h"
#include "lib/scan.h"
#include "lib/text.h"
#include "reputation/quarantine.h"
#include "tools/tool.h"

static const char usage[] =
    "penstock ingest quarantine list [--json] | show ID";

/* moment - RFC 3339, to the second */
static void
moment(int64_t time, struct buf *b)
{
	buf_reset(b);
	event_time(time, b);
	if (b->len > 19)
		b->len = 19;
	buf_str(b, "Z");
}

/* one_row - for eyes */
static bool
one_row(void *table, const struct quarantined *q)
{
	struct buf b = BUF_INIT;
	struct quoted quoted;

	moment(q->time, &b);
	table_cell(table, "%" PRIu64, q->id);
	table_cell(table, "%.*s", (int)b.len, b.data);
	table_cell(table, "%.*s", SLICE_ARG(q->kind));
	table_cell(table, "%" PRIu64, q->size);
	table_cell(table, "%s", text_quote(q->sender, &quoted));
	table_cell(table, "%.*s", SLICE_ARG(q->reason));
	buf_free(&b);
	return true;
}

/* one_object - for programs */
static bool
one_object(void *nothing, const struct quarantined *q)
{
	struct buf b = BUF_INIT;

	(void)nothing;
	buf_printf(&b, "{\"id\":%" PRIu64 ",\"time\":\"", q->id);
	event_time(q->time, &b);
	buf_str(&b, "\",\"kind\":");
	buf_json(&b, q->kind);
	buf_str(&b, ",\"reason\":");
	buf_json(&b, q->reason);
	buf_str(&b, ",\"sender\":");
	buf_json(&b, q->sender);
	buf_str(&b, ",\"recipient\":");
	buf_json(&b, q->recipient);
	buf_printf(&b, ",\"size\":%" PRIu64 "}\n", q->size);
	fwrite(b.data, 1, b.len, stdout);
	buf_free(&b);
	return true;
}

/* list - the latest first */
static int
list(const struct tool *tool, struct outcomes *o, bool json)
{
	static const char *const headings[] = { "id", "time", "kind", "bytes",
		"from", "reason", NULL };
	struct table *table = json ? NULL : table_new(headings, "><<><<");
	struct why why;
	int rc = quarantine_each(o, json ? one_object : one_row, table, &why);

	if (table != NULL && rc == 0 && table_rows(table) == 0)
		puts("no mail is kept: all reports were understood");
	else if (table != NULL && rc == 0)
		table_print(table, stdout, tool->color);
	table_free(table);
	return rc == -1 ? tool_fail(TOOL_BROKEN, "%s", why.text) : TOOL_OK;
}

/* write_mail - as it is, or fit for a terminal */
static void
write_mail(struct slice m)
{
	bool terminal = isatty(STDOUT_FILENO);
	size_t n;

	if (!terminal) {
		fwrite(m.p, 1, m.n, stdout);
		return;
	}
	for (size_t i = 0; i < m.n; i += n > 0 ? n : 1) {
		unsigned char c = (unsigned char)m.p[i];

		n = text_utf8(m.p + i, m.n - i);
		if (c == '\n' || c == '\t' || (c >= ' ' && c < 0x7f))
			putchar(c);
		else if (c == '\r' && i + 1 < m.n && m.p[i + 1] == '\n')
			continue;
		else if (n > 1 && !(c == 0xc2 && (unsigned char)m.p[i + 1] <
		    0xa0))
			fwrite(m.p + i, 1, n, stdout);
		else
			printf("\\x%02x", c);
	}
}

/* show - the reason to stderr, the mail to stdout */
static int
show(struct outcomes *o, const char *text)
{
	struct arena *arena = arena_new(1 << 17, 0);
	int status = TOOL_OK, got;
	struct quarantined q;
	struct why why;
	int64_t id;

	if (arena == NULL)
		return tool_fail(TOOL_BROKEN, "out of memory");
	if (scan_count(slice_of(text), 1, INT64_MAX, &id, &why) == -1) {
		status = tool_fail(TOOL_USAGE, "ID: %s", why.text);
	} else if ((got = quarantine_get(o, (uint64_t)id, arena, &q,
	    &why)) == -1) {
		status = tool_fail(TOOL_BROKEN, "%s", why.text);
	} else if (got == 0) {
		status = tool_fail(TOOL_NO, "no mail %s is kept; the last %d "
		    "are (penstock ingest quarantine list)", text,
		    QUARANTINE_MOST);
	} else {
		fprintf(stderr, "penstock: %.*s: %.*s\n", SLICE_ARG(q.kind),
		    SLICE_ARG(q.reason));
		write_mail(q.message);
		if (q.size > q.message.n)
			fprintf(stderr, "penstock: the first %zu of %" PRIu64
			    " bytes\n", q.message.n, q.size);
	}
	arena_free(arena);
	return status;
}

/* tool_ingest_quarantine - list or show */
int
tool_ingest_quarantine(const struct tool *tool, int argc, char **argv)
{
	bool json = argc == 2 && strcmp(argv[1], "--json") == 0, lists;
	struct outcomes *o = NULL;
	struct config *config;
	int status;

	if (tool_asks_help(argc, argv))
		return tool_help(usage);
	lists = argc >= 1 && strcmp(argv[0], "list") == 0 &&
	    (argc == 1 || json);
	if (!lists && (argc != 2 || strcmp(argv[0], "show") != 0))
		return tool_usage(usage);
	if ((status = tool_config(tool, &config)) != TOOL_OK)
		return status;
	if ((status = tool_outcomes(config, &o)) == TOOL_OK)
		status = lists ? list(tool, o, json) : show(o, argv[1]);
	outcomes_close(o);
	config_free(config);
	return status;
}
