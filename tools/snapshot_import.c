/*
 * snapshot_import - penstock snapshot import: files of providers onto the desk.
 *
 * Files are read before anybody waits for the desk.  All rows and the marks of
 * the files go in with one record of who brought them, in one transaction; a
 * file that is in already, for that provider and subject, is passed over, so
 * importing it twice changes nothing and says so.
 *
 * What could not be read is stored as well: that a login page came instead of
 * figures is what the report has to say of that day.
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
#include "tools/desk_state.h"
#include "tools/snapshot.h"

static const char usage[] =
    "penstock snapshot import --provider P [--subject S] [--taken WHEN]\n"
    "    [--reason TEXT] [--dry-run] [--json] FILE|- ...\n"
    "  P is google (JSON of Postmaster Tools; pages in one file or several),\n"
    "  microsoft (CSV or JSON of SNDS, data and ipStatus), dnsbl (answers of\n"
    "  block lists with their test points), or another name (CSV with our\n"
    "  columns, which may also stand in for any of these)\n"
    "  --subject S    whom files are about that do not say it themselves\n"
    "  --taken WHEN   when they were saved; default: as the files say";

enum { FILES_MOST = 400 };

struct file {
	const char	*name;		/* "-" */
	struct buf	 bytes;
	uint8_t		 raw[HASH_SHA256];
	bool		 known;		/* it was read before */
};

struct import {
	struct arena	*arena;
	struct config	*config;
	const char	*provider, *subject, *reason, *taken_text;
	bool		 dry, json;
	int64_t		 now, taken;	/* newest of the files */
	struct file	*files;
	size_t		 nfiles, known;
	struct snapshot_set *set;
	size_t		 fresh, same;	/* rows */
	uint64_t	 seq;
};

/* arguments - TOOL_OK, or what to exit with */
static int
arguments(struct import *m, int argc, char **argv)
{
	struct why why;

	m->files = xcalloc((size_t)argc + 1, sizeof(*m->files));
	for (int i = 0; i < argc; i++) {
		const char **text = strcmp(argv[i], "--subject") == 0 ?
		    &m->subject : strcmp(argv[i], "--reason") == 0 ?
		    &m->reason : strcmp(argv[i], "--taken") == 0 ?
		    &m->taken_text : strcmp(argv[i], "--provider") == 0 ?
		    &m->provider : NULL;

		if (text != NULL && i + 1 < argc)
			*text = argv[++i];
		else if (strcmp(argv[i], "--dry-run") == 0)
			m->dry = true;
		else if (strcmp(argv[i], "--json") == 0)
			m->json = true;
		else if (argv[i][0] == '-' && argv[i][1] != '\0')
			return tool_usage(usage);
		else
			m->files[m->nfiles++].name = argv[i];
	}
	if (m->provider == NULL || m->nfiles == 0)
		return tool_usage(usage);
	if (m->nfiles > FILES_MOST)
		return tool_fail(TOOL_USAGE, "%zu files are too many for one "
		    "import; at most %d", m->nfiles, FILES_MOST);
	if ((m->provider = snapshot_provider(m->arena, m->provider)) == NULL)
		return TOOL_USAGE;
	if (m->reason != NULL && desk_reason(slice_of(m->reason), &why) == -1)
		return tool_fail(TOOL_USAGE, "--reason: %s", why.text);
	if (m->taken_text != NULL && scan_moment(slice_of(m->taken_text), NULL,
	    m->now, &m->taken, &why) == -1)
		return tool_fail(TOOL_USAGE, "--taken: %s", why.text);
	if (m->taken > m->now)
		return tool_fail(TOOL_USAGE, "--taken %s is still to come",
		    m->taken_text);
	return TOOL_OK;
}

/* read_file - all of it; a bound keeps a wrong name from filling memory */
static int
read_file(struct import *m, struct file *f)
{
	int fd = strcmp(f->name, "-") == 0 ? STDIN_FILENO :
	    open(f->name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat st;
	ssize_t got = -1;
	char *room;

	if (fd == -1 || fstat(fd, &st) == -1)
		return tool_fail(TOOL_BROKEN, "%s: %s", f->name,
		    strerror(errno));
	while (f->bytes.len <= SNAPSHOT_BYTES) {
		if ((room = buf_room(&f->bytes, 1 << 16)) == NULL)
			break;
		if ((got = read(fd, room, 1 << 16)) == -1 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		f->bytes.len += (size_t)got;
	}
	if (fd != STDIN_FILENO)
		close(fd);
	if (buf_failed(&f->bytes))
		return tool_fail(TOOL_BROKEN, "out of memory");
	if (got == -1)
		return tool_fail(TOOL_BROKEN, "%s: %s", f->name,
		    strerror(errno));
	if (f->bytes.len > SNAPSHOT_BYTES)
		return tool_fail(TOOL_BROKEN, "%s: more than %u bytes; split "
		    "it", f->name, SNAPSHOT_BYTES);
	hash_sha256(f->bytes.data, f->bytes.len, f->raw);
	if (m->taken_text == NULL && S_ISREG(st.st_mode) && (int64_t)
	    st.st_mtim.tv_sec * CLOCK_SECOND <= m->now && (int64_t)
	    st.st_mtim.tv_sec * CLOCK_SECOND > m->taken)
		m->taken = (int64_t)st.st_mtim.tv_sec * CLOCK_SECOND;
	return TOOL_OK;
}

/* subject - as rows and marks have it */
static struct slice
subject(const struct import *m)
{
	return m->subject != NULL ? slice_of(m->subject) : SLICE_NONE;
}

/* look - which of the files are in already? */
static int
look(struct import *m)
{
	struct snapshot_stores stores;
	struct why why;
	int status = snapshot_stores(m->config, &stores), got;

	for (size_t i = 0; i < m->nfiles && status == TOOL_OK &&
	    stores.desk != NULL; i++) {
		struct file *f = &m->files[i];

		got = snapshots_known(desk_db(stores.desk),
		    DESK_T_SNAPSHOTS, f->raw, slice_of(m->provider),
		    subject(m), &why);
		if (got == -1)
			status = tool_fail(TOOL_BROKEN, "%s", why.text);
		f->known = got == 1;
		m->known += f->known;
	}
	snapshot_stores_close(&stores);
	return status;
}

/* parse - the files that are new, as one answer */
static int
parse(struct import *m)
{
	struct snapshot_ask ask = { .provider = slice_of(m->provider),
	    .subject = subject(m), .taken = m->taken > 0 ? m->taken : m->now,
	    .fetched = m->now, .source = "file" };
	struct why why;

	if (snapshot_set_new(&m->set, &ask, &why) == -1)
		return tool_fail(TOOL_BROKEN, "%s", why.text);
	for (size_t i = 0; i < m->nfiles; i++)
		if (!m->files[i].known && snapshot_read(m->set,
		    buf_slice(&m->files[i].bytes), &why) == -1)
			return tool_fail(TOOL_BROKEN, "%s: %s",
			    m->files[i].name, why.text);
	if (snapshot_end(m->set, &why) == -1)
		return tool_fail(TOOL_BROKEN, "%s", why.text);
	return TOOL_OK;
}

/* record - who brought it */
static int
record(struct import *m, struct desk *desk, struct why *why)
{
	struct desk_record r = { .kind = DESK_IMPORT,
	    .amount = (int64_t)m->fresh,
	    .provider = slice_of(m->provider), .object = SLICE("standard "
	    "input"), .reason = slice_of(m->reason != NULL ? m->reason : "") };
	char *copy = xstrdup(m->files[0].name);
	char said[160];
	int rc;

	desk_who(&r, m->arena);
	if (strcmp(copy, "-") != 0)
		r.object = slice_of(basename(copy));
	(void)snprintf(said, sizeof(said), "snapshots, %s, %zu file%s, %zu "
	    "rows", m->provider, m->nfiles - m->known, m->nfiles - m->known ==
	    1 ? "" : "s", m->fresh);
	r.after = slice_of(said);
	rc = desk_put(desk, &r, &m->seq, why);
	free(copy);
	return rc;
}

/* rows - and marks, into the transaction */
static int
rows(struct import *m, struct db_txn *txn, struct why *why)
{
	const struct snapshot *row;
	size_t n;
	int got;

	row = snapshot_rows(m->set, &n);
	for (size_t i = 0; i < n; i++) {
		if ((got = snapshots_put(txn, DESK_T_SNAPSHOTS, &row[i],
		    why)) == -1)
			return -1;
		m->fresh += got == 1;
		m->same += got == 0;
	}
	for (size_t i = 0; i < m->nfiles; i++)
		if (!m->files[i].known && snapshots_mark(txn,
		    DESK_T_SNAPSHOTS, m->files[i].raw, slice_of(m->provider),
		    subject(m), m->now, why) == -1)
			return -1;
	return 0;
}

/* store - all of it, or nothing */
static int
store(struct import *m)
{
	char *dir = xasprintf("%s/desk", m->config->store);
	struct desk *desk = NULL;
	struct db_txn *txn;
	struct why why;
	int rc = -1;

	if (desk_goes_on_gate(m->config, &why) == 0 && desk_open(&desk, dir,
	    (uint64_t)m->config->map_size, &why) == 0 &&
	    desk_begin(desk, &txn, &why) == 0) {
		if (rows(m, txn, &why) == -1 || record(m, desk, &why) == -1)
			desk_abort(desk);
		else
			rc = desk_commit(desk, &why);
	}
	desk_close(desk);
	free(dir);
	return rc == 0 ? TOOL_OK : tool_fail(TOOL_BROKEN, "nothing is "
	    "imported: %s", why.text);
}

/* --- what came of it ------------------------------------------------------ */

/* sentences - of rows that have no figure and say why, once each */
static void
sentences(const struct snapshot *row, size_t n)
{
	struct slice last = SLICE_NONE;
	size_t shown = 0;

	for (size_t i = 0; i < n; i++) {
		const struct snapshot *s = &row[i];

		if (s->state == SNAPSHOT_AVAILABLE || s->note.n == 0 ||
		    (last.p != NULL && slice_eq(last, s->note)))
			continue;
		last = s->note;
		if (++shown > 10) {
			fprintf(stderr, "penstock: and more; penstock snapshot "
			    "list --all shows them\n");
			return;
		}
		fprintf(stderr, "penstock: %.*s: %s: %.*s\n",
		    SLICE_ARG(s->subject), snapshot_state_names[s->state],
		    SLICE_ARG(s->note));
	}
}

/* report - counts, and the exit status */
static int
report(const struct import *m)
{
	size_t n = 0, count[SNAPSHOT_STALE + 1] = { 0 }, bad, refused = 0;
	const struct snapshot *row = NULL;
	const char *first = "";

	if (m->set != NULL) {
		row = snapshot_rows(m->set, &n);
		refused = snapshot_refused(m->set, &first);
	}
	for (size_t i = 0; i < n; i++)
		count[row[i].state]++;
	bad = n - count[SNAPSHOT_AVAILABLE] - count[SNAPSHOT_NO_DATA] -
	    count[SNAPSHOT_STALE];
	if (m->json) {
		printf("{\"provider\":\"%s\",\"dry_run\":%s,\"files\":%zu,"
		    "\"known_files\":%zu,\"rows\":%zu,\"new\":%zu,"
		    "\"unchanged\":%zu,\"refused\":%zu,\"states\":{",
		    m->provider, m->dry ? "true" : "false", m->nfiles,
		    m->known, n, m->fresh, m->same, refused);
		for (int i = 0; i <= SNAPSHOT_STALE; i++)
			printf("%s\"%s\":%zu", i > 0 ? "," : "",
			    snapshot_state_names[i], count[i]);
		printf("},\"seq\":%" PRIu64 "}\n", m->seq);
	} else if (m->known == m->nfiles) {
		printf("%s: imported before; nothing changed\n",
		    m->nfiles == 1 ? m->files[0].name : "all files");
	} else {
		printf("%s: %zu rows%s, %zu new, %zu unchanged\n",
		    m->provider, n, m->dry ? " (a dry run, nothing is stored)" :
		    "", m->fresh, m->same);
		for (int i = 0; i <= SNAPSHOT_STALE; i++)
			if (count[i] > 0)
				printf("%10zu %s\n", count[i],
				    snapshot_state_names[i]);
		if (m->known > 0)
			printf("%10zu files were imported before\n",
			    m->known);
	}
	sentences(row, n);
	if (refused > 0)
		fprintf(stderr, "penstock: %zu rows are refused; %s\n",
		    refused, first);
	return bad > 0 || refused > 0 ? TOOL_NO : TOOL_OK;
}

/* import - with the arguments known */
static int
import(struct import *m)
{
	int status = TOOL_OK;

	for (size_t i = 0; i < m->nfiles && status == TOOL_OK; i++)
		status = read_file(m, &m->files[i]);
	if (status != TOOL_OK || (status = look(m)) != TOOL_OK)
		return status;
	if (m->known < m->nfiles) {
		if ((status = parse(m)) != TOOL_OK ||
		    (!m->dry && (status = store(m)) != TOOL_OK))
			return status;
	}
	return report(m);
}

/* tool_snapshot_import - penstock snapshot import */
int
tool_snapshot_import(const struct tool *tool, int argc, char **argv)
{
	struct import m = { .arena = arena_new(1 << 14, 0),
		.now = clock_wall() };
	int status;

	if (tool_asks_help(argc, argv)) {
		arena_free(m.arena);
		return tool_help(usage);
	}
	if (m.arena == NULL)
		return tool_fail(TOOL_BROKEN, "out of memory");
	if ((status = arguments(&m, argc, argv)) == TOOL_OK &&
	    (status = tool_config(tool, &m.config)) == TOOL_OK)
		status = import(&m);
	for (size_t i = 0; i < m.nfiles; i++)
		buf_free(&m.files[i].bytes);
	free(m.files);
	snapshot_set_free(m.set);
	config_free(m.config);
	arena_free(m.arena);
	return status;
}
