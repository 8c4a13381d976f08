/*
 * store - the gate's store seen from outside: stat, verify, dump, backup.
 *
 * All of it reads; the gate may be at work or not.  A dump is JSON lines, each
 * with "record": "store" first, then "status", "counter", "form" and "event";
 * an event has the keys of `penstock events --json` beside it.
 *
 * A backup is LMDB's compacted copy: one moment of the store, whatever is
 * written meanwhile.  (cp of a store in use is none.)  It is verified before
 * this says that it is one.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/store_outcomes.h"
#include "tools/tool.h"

#define STAT_USAGE	"penstock store stat [--json]"
#define VERIFY_USAGE	"penstock store verify"
#define DUMP_USAGE	"penstock store dump"
#define BACKUP_USAGE	"penstock store backup FOLDER"

enum { BATCH = 256 };

static const char *const table_names[] = { "meta", "events", "minutes",
	"queue_ids", "counters", "forms", "tokens", "held",
	"warmups" };
enum { NTABLES = sizeof(table_names) / sizeof(table_names[0]) };

/* gate_dir - where the gate's store is */
static char *
gate_dir(const struct config *config)
{
	return xasprintf("%s/gate", config->store);
}

/* print - what was formatted, or the reason it was not */
static int
print(struct buf *b)
{
	int rc = TOOL_OK;

	if (buf_failed(b))
		rc = tool_fail(TOOL_BROKEN, "out of memory");
	else if (b->len > 0 &&
	    fwrite(b->data, 1, b->len, stdout) != b->len)
		rc = tool_fail(TOOL_BROKEN, "cannot write: %s",
		    strerror(errno));
	buf_reset(b);
	return rc;
}

/* --- stat ----------------------------------------------------------------- */

/* mib - for eyes */
static double
mib(uint64_t bytes)
{
	return (double)bytes / (1 << 20);
}

/* stat_json - one object */
static void
stat_json(const struct db_stat *st, uint64_t last, int64_t time,
    struct buf *b)
{
	buf_printf(b, "{\"map_size\":%" PRIu64 ",\"used\":%" PRIu64
	    ",\"file_size\":%" PRIu64 ",\"readers\":%u,\"last_seq\":%" PRIu64
	    ",\"last_time_us\":%" PRId64 ",\"rows\":{", st->map_size, st->used,
	    st->file_size, st->readers, last, time);
	for (unsigned i = 0; i < st->tables && i < NTABLES; i++)
		buf_printf(b, "%s\"%s\":%" PRIu64, i > 0 ? "," : "",
		    table_names[i], st->entries[i]);
	buf_char(b, '}');
}

/* stat_eyes - aligned */
static void
stat_eyes(const struct db_stat *st, uint64_t last, int64_t time,
    struct buf *b)
{
	buf_printf(b, "used         %.1f MiB of %.1f MiB (%.1f %%)\n",
	    mib(st->used), mib(st->map_size),
	    100.0 * (double)st->used / (double)st->map_size);
	buf_printf(b, "file         %.1f MiB, of which the part behind what is "
	    "used is kept free for writing\n", mib(st->file_size));
	buf_printf(b, "readers      %u\n", st->readers);
	for (unsigned i = 0; i < st->tables && i < NTABLES; i++)
		buf_printf(b, "%-12s %" PRIu64 " rows\n", table_names[i],
		    st->entries[i]);
	buf_printf(b, "last event   %" PRIu64, last);
	if (time > 0) {
		buf_str(b, ", last sign of life ");
		event_time(time, b);
	}
	buf_char(b, '\n');
}

/* tool_store_stat - sizes, rows, readers */
int
tool_store_stat(const struct tool *tool, int argc, char **argv)
{
	bool json = argc == 1 && strcmp(argv[0], "--json") == 0;
	struct config *config = NULL;
	struct store *store = NULL;
	struct buf b = BUF_INIT;
	struct db_stat st;
	uint64_t last;
	int64_t time;
	struct why why;
	int rc;

	if (tool_asks_help(argc, argv))
		return tool_help(STAT_USAGE);
	if (argc > 0 && !json)
		return tool_usage(STAT_USAGE);
	if ((rc = tool_config(tool, &config)) != TOOL_OK ||
	    (rc = tool_store(config, &store)) != TOOL_OK)
		goto out;
	if (db_stat(store_db(store), &st, &why) == -1 ||
	    store_last(store, &last, &time, &why) == -1) {
		rc = tool_fail(TOOL_BROKEN, "%s", why.text);
		goto out;
	}
	(json ? stat_json : stat_eyes)(&st, last, time, &b);
	if (store_outcomes(config, json, &b, &why) == -1) {
		rc = tool_fail(TOOL_BROKEN, "%s", why.text);
		goto out;
	}
	if (json)
		buf_str(&b, "}\n");
	rc = print(&b);
out:
	buf_free(&b);
	store_close(store);
	config_free(config);
	return rc;
}

/* --- verify --------------------------------------------------------------- */

/* verify - say what was found in a folder; TOOL_NO when it is not well */
static int
verify(const char *dir)
{
	struct store_tally t;
	struct why why;

	if (store_verify(dir, &t, &why) == -1)
		return tool_fail(why.kind == WHY_BROKEN ? TOOL_NO :
		    TOOL_BROKEN, "%s: %s", dir, why.text);
	printf("%s is well: %" PRIu64 " events (%" PRIu64 " to %" PRIu64
	    "), %" PRIu64 " queue ids, %" PRIu64 " held messages, %" PRIu64
	    " counters as of event %" PRIu64 ", %" PRIu64 " last good forms\n",
	    dir, t.events, t.first, t.last, t.queue_ids, t.held, t.counters,
	    t.checkpoint, t.forms);
	return TOOL_OK;
}

/* tool_store_verify - 0 well, 1 damaged, 3 cannot be read */
int
tool_store_verify(const struct tool *tool, int argc, char **argv)
{
	struct config *config = NULL;
	char *dir = NULL;
	int rc;

	if (tool_asks_help(argc, argv))
		return tool_help(VERIFY_USAGE);
	if (argc > 0)
		return tool_usage(VERIFY_USAGE);
	if ((rc = tool_config(tool, &config)) != TOOL_OK)
		return rc;
	dir = gate_dir(config);
	rc = verify(dir);
	free(dir);
	config_free(config);
	return rc;
}

/* --- dump ----------------------------------------------------------------- */

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
	if (argc > 0)
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

/* --- backup --------------------------------------------------------------- */

/* is_empty - a folder without an entry, or none at all */
static bool
is_empty(const char *path)
{
	struct dirent *entry;
	DIR *dir = opendir(path);
	bool empty = true;

	if (dir == NULL)
		return errno == ENOENT;
	while (empty && (entry = readdir(dir)) != NULL)
		empty = strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0;
	closedir(dir);
	return empty;
}

/* make_parents - of a path; what stands is fine */
static int
make_parents(const char *path)
{
	char *copy = xstrdup(path), *at = copy;
	int rc = 0;

	while (rc == 0 && (at = strchr(at + 1, '/')) != NULL) {
		*at = '\0';
		if (mkdir(copy, 0750) == -1 && errno != EEXIST)
			rc = tool_fail(TOOL_BROKEN, "cannot make %s: %s", copy,
			    strerror(errno));
		*at = '/';
	}
	free(copy);
	return rc;
}

/* tool_store_backup - a copy that can stand in for the store */
int
tool_store_backup(const struct tool *tool, int argc, char **argv)
{
	struct config *config = NULL;
	struct store *store = NULL;
	struct why why;
	int rc;

	if (tool_asks_help(argc, argv))
		return tool_help(BACKUP_USAGE);
	if (argc != 1 || argv[0][0] == '-' || argv[0][0] == '\0')
		return tool_usage(BACKUP_USAGE);
	if (!is_empty(argv[0]))
		return tool_fail(TOOL_NO, "%s is there already and not an "
		    "empty folder: a backup replaces nothing", argv[0]);
	if ((rc = tool_config(tool, &config)) != TOOL_OK ||
	    (rc = tool_store(config, &store)) != TOOL_OK ||
	    (rc = make_parents(argv[0])) != TOOL_OK)
		goto out;
	if (db_copy(store_db(store), argv[0], &why) == -1) {
		rc = tool_fail(TOOL_BROKEN, "%s", why.text);
		goto out;
	}
	/* before a child process is started: LMDB and fork */
	store_close(store);
	store = NULL;
	rc = verify(argv[0]);
out:
	store_close(store);
	config_free(config);
	return rc;
}
