/*
 * store_dump - penstock store dump: the gate's store as JSON lines, or watch/
 * (tools/store_watch.c).
 *
 * Each with "record": "store" first, then "status", "counter", "head", "form"
 * and "event"; an event has the keys of `penstock events --json` beside it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tools/store_watch.h"
#include "tools/tool.h"

#define DUMP_USAGE	"penstock store dump [gate | watch]"

enum { BATCH = 256 };

/* hex - bytes as text in quotes */
static void
hex(struct buf *b, const uint8_t *p, size_t n)
{
	buf_char(b, '"');
	for (size_t i = 0; i < n; i++)
		buf_printf(b, "%02x", p[i]);
	buf_char(b, '"');
}

/* dump_counter - callback per row */
static bool
dump_counter(void *with, const struct counter_row *row)
{
	struct buf *b = with;

	buf_str(b, "{\"record\":\"counter\",\"key\":");
	hex(b, row->key, sizeof(row->key));
	buf_printf(b, ",\"kind\":\"%s\",\"shared\":%s,\"tenant\":\"%016" PRIx64
	    "\",\"level\":%" PRId64 ",\"time\":%" PRId64 ",\"window\":%" PRId64
	    ",\"window_end\":%" PRId64 ",\"rate\":%" PRId64
	    ",\"period\":%" PRId64 ",\"seq\":%" PRIu64 "}\n",
	    limit_kind_names[row->kind], row->shared ? "true" : "false",
	    row->tenant, row->level, row->time, row->window, row->window_end,
	    row->rate, row->period, row->seq);
	return !buf_failed(b);
}

/* dump_status - the gate's word about itself, if it has spoken */
static int
dump_status(struct store *store, struct arena *arena, struct buf *b,
    struct why *why)
{
	struct status s;
	int got = store_status(store, &s, arena, why);

	if (got != 1)
		return got;
	buf_printf(b, "{\"record\":\"status\",\"pid\":%" PRId64
	    ",\"started\":%" PRId64 ",\"heartbeat\":%" PRId64 ",\"wall\":%"
	    PRId64 ",\"clock_jump\":%" PRId64 ",\"generation\":%" PRIu64
	    ",\"result\":\"%s\",\"draining\":%s,\"policy_hash\":", s.pid,
	    s.started, s.heartbeat, s.wall, s.clock_jump, s.generation,
	    status_result_names[s.result], s.draining ? "true" : "false");
	hex(b, s.policy_hash, sizeof(s.policy_hash));
	buf_printf(b, ",\"accepted\":%" PRIu64 ",\"deferred\":%" PRIu64
	    ",\"refused\":%" PRIu64 ",\"failed\":%" PRIu64 ",\"overflow\":%"
	    PRIu64 ",\"text\":", s.accepted, s.deferred, s.refused, s.failed,
	    s.overflow);
	buf_json(b, s.text);
	buf_str(b, ",\"version\":");
	buf_json(b, s.version);
	buf_str(b, ",\"socket\":");
	buf_json(b, s.socket);
	buf_printf(b, ",\"desk_seq\":%" PRIu64 ",\"desk\":", s.desk_seq);
	buf_json(b, s.desk);
	buf_str(b, "}\n");
	return 0;
}

/* dump_heads - where the chain of the desk stood, and when */
static int
dump_heads(struct store *store, struct buf *b, struct why *why)
{
	struct store_head heads[BATCH];
	uint64_t next = 0;
	size_t i, n;

	do {
		if (store_heads(store, next, BATCH, heads, &n, why) == -1)
			return -1;
		for (i = 0; i < n; i++) {
			next = heads[i].seq + 1;
			buf_printf(b, "{\"record\":\"head\",\"desk_seq\":%"
			    PRIu64 ",\"time\":%" PRId64 ",\"chain\":",
			    heads[i].seq, heads[i].time);
			hex(b, heads[i].chain, sizeof(heads[i].chain));
			buf_str(b, "}\n");
		}
	} while (n == BATCH);
	return 0;
}

/* dump_forms - last good texts of tenant files */
static int
dump_forms(struct store *store, struct arena *arena, struct buf *b,
    struct why *why)
{
	struct slice *paths, text;
	size_t i, n;
	int got;

	if (store_forms(store, arena, &paths, &n, why) == -1)
		return -1;
	for (i = 0; i < n; i++) {
		got = store_form(store, paths[i], arena, &text, why);
		if (got == -1)
			return -1;
		if (got == 0)
			continue;
		buf_str(b, "{\"record\":\"form\",\"path\":");
		buf_json(b, paths[i]);
		buf_str(b, ",\"text\":");
		buf_json(b, text);
		buf_str(b, "}\n");
	}
	return 0;
}

/* dump_batch - some events; *next moves behind them */
static int
dump_batch(struct store *store, uint64_t *next, struct arena *arena,
    struct buf *b, size_t *got, struct why *why)
{
	struct slice encoded[BATCH];
	struct event e;
	size_t i, at;

	arena_reset(arena);
	if (store_read(store, *next, BATCH, arena, encoded, got, why) == -1)
		return -1;
	for (i = 0; i < *got; i++) {
		if (event_decode(encoded[i], &e, arena, why) == -1)
			return why_in(why, "event behind %" PRIu64, *next - 1);
		*next = e.seq + 1;
		at = b->len;
		event_json(&e, b);
		if (buf_failed(b))
			return why_set(why, "out of memory");
		/* the record's name in front of what is there */
		b->data[at] = ',';
		buf_str(b, "\n");
		if (fprintf(stdout, "{\"record\":\"event\"%.*s",
		    (int)(b->len - at), b->data + at) < 0)
			return why_errno(why, "cannot write");
		buf_reset(b);
	}
	return 0;
}

/* dump - everything */
static int
dump(struct store *store, struct arena *arena, struct buf *b, struct why *why)
{
	uint64_t checkpoint, next = 1;
	size_t got;

	buf_str(b, "{\"record\":\"store\",\"kind\":\"gate\",\"format\":1}\n");
	if (dump_status(store, arena, b, why) == -1 ||
	    store_counters(store, &checkpoint, dump_counter, b, why) == -1)
		return -1;
	buf_printf(b, "{\"record\":\"checkpoint\",\"seq\":%" PRIu64 "}\n",
	    checkpoint);
	if (dump_heads(store, b, why) == -1 ||
	    dump_forms(store, arena, b, why) == -1)
		return -1;
	if (buf_failed(b))
		return why_set(why, "out of memory");
	if (fwrite(b->data, 1, b->len, stdout) != b->len)
		return why_errno(why, "cannot write");
	buf_reset(b);
	do {
		if (dump_batch(store, &next, arena, b, &got, why) == -1)
			return -1;
	} while (got > 0);
	return fflush(stdout) == 0 ? 0 : why_errno(why, "cannot write");
}

/* dump_watch - the other store */
static int
dump_watch(const struct tool *tool)
{
	struct config *config = NULL;
	struct why why;
	int rc = tool_config(tool, &config);
	char *dir;

	if (rc != TOOL_OK)
		return rc;
	dir = xasprintf("%s/watch", config->store);
	if (store_watch_dump(dir, stdout, &why) == -1)
		rc = tool_fail(TOOL_BROKEN, "%s", why.text);
	free(dir);
	config_free(config);
	return rc;
}

/* tool_store_dump - JSON lines */
int
tool_store_dump(const struct tool *tool, int argc, char **argv)
{
	struct config *config = NULL;
	struct arena *arena = NULL;
	struct store *store = NULL;
	struct buf b = BUF_INIT;
	struct why why;
	int rc;

	if (tool_asks_help(argc, argv))
		return tool_help(DUMP_USAGE);
	if (argc == 1 && strcmp(argv[0], "watch") == 0)
		return dump_watch(tool);
	if (argc > 1 || (argc == 1 && strcmp(argv[0], "gate") != 0))
		return tool_usage(DUMP_USAGE);
	if ((rc = tool_config(tool, &config)) != TOOL_OK ||
	    (rc = tool_store(config, &store)) != TOOL_OK)
		goto out;
	if ((arena = arena_new(256u << 10, 0)) == NULL)
		rc = tool_fail(TOOL_BROKEN, "out of memory");
	else if (dump(store, arena, &b, &why) == -1)
		rc = tool_fail(TOOL_BROKEN, "%s", why.text);
out:
	buf_free(&b);
	arena_free(arena);
	store_close(store);
	config_free(config);
	return rc;
}
