/*
 * suppress_import - penstock suppress import: a list of a million rows, a row
 * at a time.
 *
 * Rows are read, and sorted by the hash that is their key, some hundred
 * thousand at a time, before anybody waits for the desk: in their order each
 * page of the tree is written once, however many it has.  They go into desk/ in
 * batches, each with a record of its own in the same transaction, so that no
 * row is there without one that says who brought it.  An import that ends in
 * the middle is begun again; what is stored already is "unchanged" then.
 *
 * A dry run reads only.  It counts against what is stored now, so an address
 * that comes twice in the file is new twice.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/scan.h"
#include "tools/suppress.h"
#include "tools/suppress_row.h"

static const char usage[] =
    "penstock suppress import [--dry-run] [SCOPE] [--as WHY]\n"
    "    [--reason TEXT] [--errors FILE] [--json] FILE|-\n"
    "  FILE is CSV of SendGrid, Mailgun or SES, or in our columns; SCOPE,\n"
    "  where no column says it: --list TENANT/STREAM, --tenant NAME,\n"
    "  --group NAME or --platform; --errors FILE gets the rows that are\n"
    "  refused, each with its line and why; --dry-run only counts";

enum { CHUNK = 500000, SMALL = 25000, LARGE = 100000, PAGES_MOST = 100000,
	PAGE = 4096, BAR = 30, BAR_ROWS = 4096, TEXTS = 1 << 20 };
#define LONGEST	(3 * CLOCK_SECOND)	/* others wait for the desk */

/* A row that was read: a record as if it were the first of its address. */
struct waiting {
	uint8_t		key[FOLD_HASH];
	uint32_t	at;		/* its place in the file, in order */
	uint32_t	n;		/* bytes of the record */
	const char	*record;
};

struct import {
	struct suppress_tool tool;
	const char	*path, *errors_path, *reason, *as;
	struct scope_option scope;
	bool		 dry, json;
	int		 fd;
	off_t		 size;		/* 0: not known */
	struct csv	*csv;
	struct row_layout layout;
	struct row_defaults defaults;
	FILE		*errors;
	struct arena	*arena;		/* of one row */
	struct buf	 merged, line;
	struct waiting	*waiting;	/* CHUNK */
	size_t		 nwaiting;
	struct arena	*texts;		/* of their records */
	uint64_t	 chunk_from;	/* row behind which they begin */
	struct db_txn	*txn;
	struct desk	*looks;		/* dry: the desk, or NULL: none yet */
	uint64_t	 rows, fresh, changed, unchanged, refused;
	uint64_t	 batch_rows, batch_puts, batch_most;
	uint8_t		 last[FOLD_HASH]; /* key behind which nothing stands */
	bool		 behind;	/* and that is known */
	int64_t		 batch_since;	/* clock_mono */
};

/* arguments - TOOL_OK, or what to exit with */
static int
arguments(struct import *m, int argc, char **argv)
{
	int status = TOOL_OK;
	struct why why;

	for (int i = 0; i < argc && status == TOOL_OK; i++) {
		const char **text = strcmp(argv[i], "--as") == 0 ? &m->as :
		    strcmp(argv[i], "--reason") == 0 ? &m->reason :
		    strcmp(argv[i], "--errors") == 0 ? &m->errors_path : NULL;

		if (suppress_option(argc, argv, &i, &m->scope, &status))
			continue;
		if (text != NULL && i + 1 < argc)
			*text = argv[++i];
		else if (strcmp(argv[i], "--dry-run") == 0)
			m->dry = true;
		else if (strcmp(argv[i], "--json") == 0)
			m->json = true;
		else if ((argv[i][0] == '-' && argv[i][1] != '\0') ||
		    m->path != NULL)
			return tool_usage(usage);
		else
			m->path = argv[i];
	}
	if (status != TOOL_OK)
		return status;
	if (m->path == NULL)
		return tool_usage(usage);
	if (m->as != NULL && suppress_reason_of(m->as) == -1)
		return tool_fail(TOOL_USAGE, "--as: no reason is called "
		    "\"%s\"", m->as);
	if (m->reason != NULL && desk_reason(slice_of(m->reason), &why) == -1)
		return tool_fail(TOOL_USAGE, "--reason: %s", why.text);
	return TOOL_OK;
}

/* read_fd - for csv_new */
static ssize_t
read_fd(void *with, void *room, size_t n)
{
	return read(*(int *)with, room, n);
}

/* bar - how far it is, on a terminal */
static void
bar(const struct import *m, bool last)
{
	unsigned done = m->size > 0 ? (unsigned)(csv_bytes(m->csv) * 100 /
	    (uint64_t)m->size) : 0;
	char full[BAR + 1];

	if (!isatty(STDERR_FILENO))
		return;
	if (last) {
		fputs("\r\033[K", stderr);
		return;
	}
	done = done > 100 ? 100 : done;
	for (unsigned i = 0; i < BAR; i++)
		full[i] = i < done * BAR / 100 ? '#' : '.';
	full[BAR] = '\0';
	fprintf(stderr, "\r[%s] %3u %%  %" PRIu64 " rows", full, done,
	    m->rows);
	fflush(stderr);
}

/* refuse - a row into the file of errors */
static void
refuse(struct import *m, const struct csv_row *row, const struct why *why)
{
	char line[24];

	m->refused++;
	if (m->errors == NULL)
		return;
	buf_reset(&m->line);
	snprintf(line, sizeof(line), "%" PRIu64, row->line);
	csv_put(&m->line, slice_of(line), true);
	csv_put(&m->line, slice_of(why->text), false);
	for (size_t i = 0; i < row->n; i++)
		csv_put(&m->line, row->field[i], false);
	buf_char(&m->line, '\n');
	fwrite(m->line.data, 1, m->line.len, m->errors);
}

/* --- batches -------------------------------------------------------------- */

/* record - who brought this batch */
static int
record(struct import *m, struct why *why)
{
	struct desk_record r = { .kind = DESK_IMPORT };
	char said[160], *copy = xstrdup(m->path);
	uint64_t seq;
	int rc;

	snprintf(said, sizeof(said), "suppressions, %s, of rows %" PRIu64
	    " to %" PRIu64, row_formats[m->layout.format], m->chunk_from + 1,
	    m->rows);
	desk_who(&r, m->tool.arena);
	r.object = slice_of(strcmp(m->path, "-") == 0 ? "standard input" :
	    basename(copy));
	r.reason = slice_of(m->reason != NULL ? m->reason : "");
	r.amount = (int64_t)m->batch_puts;
	r.after = slice_of(said);
	rc = desk_put(m->tool.desk, &r, &seq, why);
	free(copy);
	return rc;
}

/* end_batch - on disk, or gone; the next row written begins another one */
static int
end_batch(struct import *m, struct why *why)
{
	int rc = 0;

	if (m->txn == NULL)
		return 0;
	if (m->dry) {
		db_abort(m->txn);
	} else if (m->batch_puts == 0) {
		desk_abort(m->tool.desk);
	} else if (record(m, why) == -1) {
		desk_abort(m->tool.desk);
		rc = -1;
	} else {
		rc = desk_commit(m->tool.desk, why);
	}
	m->txn = NULL;
	m->batch_rows = m->batch_puts = 0;
	return rc;
}

/* how_many - rows of the next batch: each may dirty a page of a large tree,
 * which stays in memory until the commit */
static uint64_t
how_many(struct db *db)
{
	struct db_stat st;
	struct why why;

	return db_stat(db, &st, &why) == -1 || st.used / PAGE > PAGES_MOST ?
	    SMALL : LARGE;
}

/* begin_batch - a transaction, if none is open; without a desk none is */
static int
begin_batch(struct import *m, struct why *why)
{
	if (m->txn != NULL)
		return 0;
	m->batch_since = clock_mono();
	m->behind = false;
	m->batch_most = m->dry ? SMALL : how_many(desk_db(m->tool.desk));
	if (!m->dry)
		return desk_begin(m->tool.desk, &m->txn, why);
	return m->looks == NULL ? 0 :
	    db_begin(desk_db(m->looks), false, &m->txn, why);
}

/* put - a record; behind all others, pages fill to the brim */
static int
put(struct import *m, struct slice key, struct slice record, struct why *why)
{
	struct slice last, value;
	int got;

	if (!m->behind) {
		got = db_last(m->txn, DESK_T_SUPPRESSIONS, &last, &value, why);
		if (got == -1)
			return -1;
		m->behind = got == 0 || (last.n == FOLD_HASH &&
		    memcmp(last.p, key.p, FOLD_HASH) < 0);
	}
	/* rows come in order, an address that comes twice is there already */
	if (!m->behind || memcmp(m->last, key.p, FOLD_HASH) == 0)
		return db_put(m->txn, DESK_T_SUPPRESSIONS, key, record, why);
	memcpy(m->last, key.p, FOLD_HASH);
	return db_append(m->txn, DESK_T_SUPPRESSIONS, key, record, why);
}

/* store - one record, beside what is there of the address */
static int
store(struct import *m, const struct waiting *w, struct why *why)
{
	struct slice key = { (const char *)w->key, FOLD_HASH }, row;
	struct slice record = { w->record, w->n };
	struct suppress_record r;
	int there = 0, rc = 1;

	if (m->txn != NULL && (there = db_get(m->txn, DESK_T_SUPPRESSIONS, key,
	    &row, why)) == -1)
		return -1;
	if (there == 1) {
		arena_reset(m->arena);
		buf_reset(&m->merged);
		if (suppress_decode(record, m->arena, &r, why) == -1)
			return -1;
		rc = suppress_merge(row, r.address, &r.list[0], m->arena,
		    &m->merged, why);
		record = buf_slice(&m->merged);
	}
	if (rc == 1 && !m->dry && put(m, key, record, why) == -1)
		return -1;
	if (rc == 0)
		m->unchanged++;
	else if (rc == 1 && there == 1)
		m->changed++;
	else if (rc == 1)
		m->fresh++;
	m->batch_rows++;
	m->batch_puts += rc == 1;
	return rc == -1 ? -1 : 0;
}

/* by_key - for qsort; rows of one address as they came */
static int
by_key(const void *a, const void *b)
{
	const struct waiting *x = a, *y = b;
	int rc = memcmp(x->key, y->key, FOLD_HASH);

	return rc != 0 ? rc : (x->at > y->at) - (x->at < y->at);
}

/* flush - the rows that were read, into the store */
static int
flush(struct import *m, struct why *why)
{
	qsort(m->waiting, m->nwaiting, sizeof(*m->waiting), by_key);
	for (size_t i = 0; i < m->nwaiting; i++) {
		if (begin_batch(m, why) == -1 ||
		    store(m, &m->waiting[i], why) == -1)
			return -1;
		if ((m->batch_rows >= m->batch_most ||
		    (i % BAR_ROWS == 0 &&
		    clock_mono() - m->batch_since > LONGEST)) &&
		    end_batch(m, why) == -1)
			return -1;
	}
	if (end_batch(m, why) == -1)
		return -1;
	m->nwaiting = 0;
	m->chunk_from = m->rows;
	arena_reset(m->texts);
	return 0;
}

/* one - a row: kept for later, or refused; -1 when no more can be stored */
static int
one(struct import *m, const struct csv_row *row, struct why *why)
{
	struct waiting *w = &m->waiting[m->nwaiting];
	struct suppress_entry e;
	struct slice address, record;
	struct mailbox mailbox;
	struct folded folded;

	m->rows++;
	arena_reset(m->arena);
	if (row_read(&m->layout, &m->defaults, row, &address, &e, why) == -1 ||
	    fold_text(address, m->arena, &mailbox, &folded, why) == -1) {
		refuse(m, row, why);
		return 0;
	}
	buf_reset(&m->merged);
	if (suppress_merge(SLICE_NONE, mailbox.text, &e, m->arena, &m->merged,
	    why) == -1)
		return -1;
	record = arena_copy(m->texts, buf_slice(&m->merged));
	if (record.p == NULL)
		return why_kind(why, WHY_MEMORY, "no memory for the rows");
	memcpy(w->key, folded.hash, FOLD_HASH);
	w->at = (uint32_t)m->nwaiting++;
	w->n = (uint32_t)record.n;
	w->record = record.p;
	return m->nwaiting == CHUNK ? flush(m, why) : 0;
}

/* all - every row of the file */
static int
all(struct import *m, struct why *why)
{
	struct csv_row row;
	int rc = csv_next(m->csv, &row, why);

	if (rc == 0)
		return why_set(why, "there is no row in it");
	if (rc == -1 || row_layout(&row, &m->layout, why) == -1)
		return -1;
	if (!m->layout.headless)
		rc = csv_next(m->csv, &row, why);
	for (; rc == 1; rc = csv_next(m->csv, &row, why)) {
		if (one(m, &row, why) == -1) {
			rc = -1;
			break;
		}
		if (m->rows % BAR_ROWS == 0)
			bar(m, false);
	}
	bar(m, true);
	if (rc == 0 && (rc = flush(m, why)) == 0)
		return 0;
	if (m->txn != NULL && !m->dry)
		desk_abort(m->tool.desk);
	else
		db_abort(m->txn);
	m->txn = NULL;
	return -1;
}

/* --- the command ---------------------------------------------------------- */

/* open_all - file, desk, file of errors */
static int
open_all(struct import *m)
{
	char *dir;
	struct stat st;
	struct why why;
	int status, rc;

	m->fd = strcmp(m->path, "-") == 0 ? STDIN_FILENO :
	    open(m->path, O_RDONLY | O_CLOEXEC);
	if (m->fd == -1 || fstat(m->fd, &st) == -1)
		return tool_fail(TOOL_BROKEN, "%s: %s", m->path,
		    strerror(errno));
	if (S_ISREG(st.st_mode))
		m->size = st.st_size;
	if ((m->csv = csv_new(read_fd, &m->fd)) == NULL ||
	    (m->arena = arena_new(8192, 0)) == NULL ||
	    (m->texts = arena_new(TEXTS, 0)) == NULL ||
	    (m->waiting = calloc(CHUNK, sizeof(*m->waiting))) == NULL)
		return tool_fail(TOOL_BROKEN, "out of memory");
	if (m->errors_path != NULL &&
	    (m->errors = fopen(m->errors_path, "we")) == NULL)
		return tool_fail(TOOL_BROKEN, "%s: %s", m->errors_path,
		    strerror(errno));
	if (m->errors != NULL)
		fputs("line,error,row\n", m->errors);
	if (!m->dry)
		return suppress_desk(&m->tool);
	suppress_close(m->tool.lists);
	m->tool.lists = NULL;
	dir = xasprintf("%s/desk", m->tool.config->store);
	rc = desk_open_read(&m->looks, dir, &why);
	free(dir);
	status = rc == -1 ? tool_fail(TOOL_BROKEN, "%s", why.text) : TOOL_OK;
	return status;
}

/* report - what became of the rows; exit status */
static int
report(const struct import *m)
{
	const char *more = m->refused > 0 && m->errors == NULL ?
	    "; --errors FILE keeps them" : "";

	if (m->json)
		printf("{\"format\":\"%s\",\"dry_run\":%s,\"rows\":%" PRIu64
		    ",\"new\":%" PRIu64 ",\"changed\":%" PRIu64
		    ",\"unchanged\":%" PRIu64 ",\"refused\":%" PRIu64 "}\n",
		    row_formats[m->layout.format], m->dry ? "true" : "false",
		    m->rows, m->fresh, m->changed, m->unchanged, m->refused);
	else
		printf("%s (%s)%s\n%10" PRIu64 " rows\n%10" PRIu64 " new\n%10"
		    PRIu64 " changed\n%10" PRIu64 " unchanged\n%10" PRIu64
		    " refused%s\n", m->path, row_formats[m->layout.format],
		    m->dry ? ", nothing stored: a dry run" : "", m->rows,
		    m->fresh, m->changed, m->unchanged, m->refused, more);
	return m->refused > 0 ? TOOL_NO : TOOL_OK;
}

/* import - with everything open; exit status */
static int
import(struct import *m)
{
	char *copy = xstrdup(m->path);
	struct why why;
	int status;

	m->defaults = (struct row_defaults){ .scoped = m->scope.given,
	    .scope = m->scope.scope, .id = m->scope.id,
	    .reasoned = m->as != NULL, .now = m->tool.now,
	    .source = slice_of(strcmp(m->path, "-") == 0 ? "import" :
	    basename(copy)) };
	if (m->as != NULL)
		m->defaults.reason =
		    (enum suppress_reason)suppress_reason_of(m->as);
	if (all(m, &why) == -1)
		status = tool_fail(TOOL_BROKEN, "%s: %s%s", m->path, why.text,
		    m->fresh + m->changed > 0 && !m->dry ? "; a part of it "
		    "may be stored: import it again" : "");
	else
		status = report(m);
	if (m->errors != NULL && (ferror(m->errors) ||
	    fflush(m->errors) == EOF))
		status = tool_fail(TOOL_BROKEN, "%s: %s", m->errors_path,
		    strerror(errno));
	free(copy);
	return status;
}

/* tool_suppress_import - penstock suppress import */
int
tool_suppress_import(const struct tool *tool, int argc, char **argv)
{
	struct import m = { .fd = -1 };
	int status;

	if (tool_asks_help(argc, argv))
		return tool_help(usage);
	if ((status = arguments(&m, argc, argv)) != TOOL_OK)
		return status;
	if ((status = suppress_begin(tool, &m.tool)) == TOOL_OK &&
	    (status = suppress_known(&m.tool, &m.scope)) == TOOL_OK &&
	    (status = open_all(&m)) == TOOL_OK)
		status = import(&m);
	if (m.errors != NULL)
		fclose(m.errors);
	if (m.fd > STDIN_FILENO)
		close(m.fd);
	csv_free(m.csv);
	desk_close(m.looks);
	buf_free(&m.merged);
	buf_free(&m.line);
	arena_free(m.arena);
	arena_free(m.texts);
	free(m.waiting);
	suppress_end(&m.tool);
	return status;
}
