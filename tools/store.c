/*
 * store - the stores seen from outside: stat, verify, backup.
 *
 * All of it reads; their programs may be at work or not.
 *
 * A backup is LMDB's compacted copy: one moment of each store, whatever is
 * written meanwhile.  (cp of a store in use is none.)  Several stores have
 * several moments; store_rows.h says in which order, and why.  Each copy is
 * verified before this says that it is one.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/store_outcomes.h"
#include "tools/store_rows.h"
#include "tools/store_watch.h"
#include "tools/tool.h"

#define STAT_USAGE	"penstock store stat [STORE ...] [--json]"
#define VERIFY_USAGE	"penstock store verify [STORE ...]"
#define BACKUP_USAGE	"penstock store backup FOLDER [STORE ...]"

struct wanted {				/* stores, as names in store_names */
	const char	*list[16];
	size_t		 n;
};

/* want - one by its name */
static int
want(struct wanted *w, const char *root, const char *name)
{
	size_t i = 0;

	while (store_names[i] != NULL && strcmp(store_names[i], name) != 0)
		i++;
	if (store_names[i] == NULL)
		return tool_fail(TOOL_USAGE, "there is no store \"%s\"; they "
		    "are gate, outcomes, consent, desk, release, checks and "
		    "watch", name);
	if (!store_there(root, name))
		return tool_fail(TOOL_BROKEN, "%s/%s: no store there yet",
		    root, name);
	w->list[w->n++] = store_names[i];
	return TOOL_OK;
}

/* wanted - those that are named, once each and in our order; or all */
static int
wanted(struct wanted *w, const char *root, int argc, char **argv)
{
	struct wanted said = { .n = 0 };
	int rc = TOOL_OK;

	for (int i = 0; i < argc && rc == TOOL_OK; i++) {
		if (said.n == sizeof(said.list) / sizeof(said.list[0]))
			return tool_fail(TOOL_USAGE, "so many stores there "
			    "are not");
		rc = want(&said, root, argv[i]);
	}
	if (rc != TOOL_OK)
		return rc;
	for (size_t i = 0; store_names[i] != NULL; i++) {
		bool take = argc == 0 && store_there(root, store_names[i]);

		for (size_t j = 0; j < said.n; j++)
			take = take || said.list[j] == store_names[i];
		if (take)
			w->list[w->n++] = store_names[i];
	}
	return w->n > 0 ? TOOL_OK : tool_fail(TOOL_BROKEN, "%s: no store yet; "
	    "penstock-milter makes it at its first start", root);
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

struct figures {
	const char	*name;
	struct db_about	 about;
	struct db_stat	 st;
	uint64_t	 last;		/* of the gate */
	int64_t		 time;
	uint64_t	 pruned[DB_TABLES_MAX];	/* of outcomes/ */
	int64_t		 oldest;
	uint64_t	 counted[2];	/* of watch/: event, outcome */
};

/* mib - for eyes */
static double
mib(uint64_t bytes)
{
	return (double)bytes / (1 << 20);
}

/* json_tables - a number for each */
static void
json_tables(const struct figures *f, const char *name, const uint64_t *list,
    struct buf *b)
{
	buf_printf(b, ",\"%s\":{", name);
	for (unsigned i = 0; i < f->st.tables; i++) {
		buf_str(b, i > 0 ? "," : "");
		buf_json(b, slice_of(f->about.names[i]));
		buf_printf(b, ":%" PRIu64, list[i]);
	}
	buf_char(b, '}');
}

/* stat_json - a member of the object */
static void
stat_json(const struct figures *f, struct buf *b)
{
	buf_printf(b, "\"%s\":{\"format\":%u,\"map_size\":%" PRIu64
	    ",\"used\":%" PRIu64 ",\"file_size\":%" PRIu64 ",\"readers\":%u",
	    f->name, f->about.layout.version, f->st.map_size, f->st.used,
	    f->st.file_size, f->st.readers);
	if (strcmp(f->name, "gate") == 0)
		buf_printf(b, ",\"last_seq\":%" PRIu64 ",\"last_time_us\":%"
		    PRId64, f->last, f->time);
	if (strcmp(f->name, "outcomes") == 0) {
		buf_printf(b, ",\"oldest_us\":%" PRId64, f->oldest);
		json_tables(f, "pruned", f->pruned, b);
	}
	if (strcmp(f->name, "watch") == 0)
		buf_printf(b, ",\"last_event\":%" PRIu64
		    ",\"last_outcome\":%" PRIu64, f->counted[0],
		    f->counted[1]);
	json_tables(f, "rows", f->st.entries, b);
	buf_char(b, '}');
}

/* stat_eyes - aligned */
static void
stat_eyes(const struct figures *f, struct buf *b)
{
	buf_printf(b, "%s\n  used          %.1f MiB of %.1f MiB (%.1f %%)\n",
	    f->name, mib(f->st.used), mib(f->st.map_size),
	    100.0 * (double)f->st.used / (double)f->st.map_size);
	buf_printf(b, "  file          %.1f MiB, of which the part behind what "
	    "is used is kept free\n                for writing\n",
	    mib(f->st.file_size));
	buf_printf(b, "  readers       %u\n", f->st.readers);
	for (unsigned i = 0; i < f->st.tables; i++) {
		buf_printf(b, "  %-13s %" PRIu64 " rows", f->about.names[i],
		    f->st.entries[i]);
		if (f->pruned[i] > 0)
			buf_printf(b, ", %" PRIu64 " pruned", f->pruned[i]);
		buf_char(b, '\n');
	}
	if (f->oldest != 0) {
		buf_str(b, "  from          ");
		event_time(f->oldest, b);
		buf_char(b, '\n');
	}
	if (strcmp(f->name, "watch") == 0)
		buf_printf(b, "  counted       up to event %" PRIu64
		    " and outcome %" PRIu64 "\n", f->counted[0],
		    f->counted[1]);
	if (strcmp(f->name, "gate") != 0)
		return;
	buf_printf(b, "  last event    %" PRIu64, f->last);
	if (f->time > 0) {
		buf_str(b, ", last sign of life ");
		event_time(f->time, b);
	}
	buf_char(b, '\n');
}

/* gate_last - the number and the time of its latest event */
static int
gate_last(const char *dir, struct figures *f, struct why *why)
{
	struct store *store = NULL;
	int rc = -1;

	if (store_open_read(&store, dir, why) == 1)
		rc = store_last(store, &f->last, &f->time, why);
	store_close(store);
	return rc;
}

/* figures - of one store */
static int
figures(const char *root, struct figures *f, struct why *why)
{
	char *dir = xasprintf("%s/%s", root, f->name);
	struct db *db = NULL;
	int rc = -1;

	if (db_look(dir, &f->about, why) == 1 && db_open_reader(&db, dir,
	    &f->about.layout, why) == 1 && db_stat(db, &f->st, why) == 0)
		rc = strcmp(f->name, "gate") == 0 ? gate_last(dir, f, why) :
		    strcmp(f->name, "outcomes") == 0 ? store_outcomes(dir,
		    &f->about, f->pruned, &f->oldest, why) :
		    strcmp(f->name, "watch") == 0 ? store_watch_places(dir,
		    f->counted, why) : 0;
	db_close(db);
	free(dir);
	return rc;
}

/* tool_store_stat - sizes, rows, readers */
int
tool_store_stat(const struct tool *tool, int argc, char **argv)
{
	bool json = argc > 0 && strcmp(argv[argc - 1], "--json") == 0;
	struct config *config = NULL;
	struct wanted w = { .n = 0 };
	struct buf b = BUF_INIT;
	struct figures f;
	struct why why;
	int rc;

	if (tool_asks_help(argc, argv))
		return tool_help(STAT_USAGE);
	if (argc > json && argv[0][0] == '-')
		return tool_usage(STAT_USAGE);
	if ((rc = tool_config(tool, &config)) == TOOL_OK)
		rc = wanted(&w, config->store, argc - json, argv);
	for (size_t i = 0; i < w.n && rc == TOOL_OK; i++) {
		f = (struct figures){ .name = w.list[i] };
		if (figures(config->store, &f, &why) == -1)
			rc = tool_fail(TOOL_BROKEN, "%s", why.text);
		else {
			buf_str(&b, json ? i > 0 ? "," : "{" : i > 0 ? "\n" :
			    "");
			(json ? stat_json : stat_eyes)(&f, &b);
			rc = print(&b);
		}
	}
	if (json && rc == TOOL_OK)
		printf("}\n");
	buf_free(&b);
	config_free(config);
	return rc;
}

/* --- verify --------------------------------------------------------------- */

/* verify - say what was found in a store; TOOL_NO when it is not well */
static int
verify(const char *root, const char *name)
{
	struct buf said = BUF_INIT;
	struct why why;
	int rc = TOOL_OK;

	if (store_rows(root, name, &said, &why) == -1)
		rc = tool_fail(why.kind == WHY_BROKEN ? TOOL_NO : TOOL_BROKEN,
		    "%s/%s: %s", root, name, why.text);
	else
		printf("%s/%s is well: %.*s\n", root, name,
		    SLICE_ARG(buf_slice(&said)));
	buf_free(&said);
	return rc;
}

/* verify_all - each of them, whatever the others say; the worst */
static int
verify_all(const char *root, const struct wanted *w)
{
	int rc = TOOL_OK, one;

	for (size_t i = 0; i < w->n; i++)
		if ((one = verify(root, w->list[i])) > rc)
			rc = one;
	return rc;
}

/* tool_store_verify - 0 well, 1 damaged, 3 cannot be read */
int
tool_store_verify(const struct tool *tool, int argc, char **argv)
{
	struct config *config = NULL;
	struct wanted w = { .n = 0 };
	int rc;

	if (tool_asks_help(argc, argv))
		return tool_help(VERIFY_USAGE);
	if (argc > 0 && argv[0][0] == '-')
		return tool_usage(VERIFY_USAGE);
	if ((rc = tool_config(tool, &config)) == TOOL_OK && (rc = wanted(&w,
	    config->store, argc, argv)) == TOOL_OK)
		rc = verify_all(config->store, &w);
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

/* make_folders - a path and all above it; what stands is fine */
static int
make_folders(const char *path)
{
	char *copy = xasprintf("%s/", path), *at = copy;
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

/* copy - one store */
static int
copy(const char *root, const char *name, const char *to)
{
	char *from = xasprintf("%s/%s", root, name);
	char *into = xasprintf("%s/%s", to, name);
	struct db_about about;
	struct db *db = NULL;
	struct why why;
	int rc = TOOL_OK;

	if (db_look(from, &about, &why) != 1 || db_open_reader(&db, from,
	    &about.layout, &why) != 1 || db_copy(db, into, &why) == -1)
		rc = tool_fail(TOOL_BROKEN, "%s", why.text);
	/* before a child process is started: LMDB and fork */
	db_close(db);
	free(from);
	free(into);
	return rc;
}

/* tool_store_backup - copies that can stand in for the stores */
int
tool_store_backup(const struct tool *tool, int argc, char **argv)
{
	struct config *config = NULL;
	struct wanted w = { .n = 0 };
	int rc;

	if (tool_asks_help(argc, argv))
		return tool_help(BACKUP_USAGE);
	if (argc < 1 || argv[0][0] == '-' || argv[0][0] == '\0')
		return tool_usage(BACKUP_USAGE);
	if (!is_empty(argv[0]))
		return tool_fail(TOOL_NO, "%s is there already and not an "
		    "empty folder: a backup replaces nothing", argv[0]);
	if ((rc = tool_config(tool, &config)) != TOOL_OK ||
	    (rc = wanted(&w, config->store, argc - 1, argv + 1)) != TOOL_OK ||
	    (rc = make_folders(argv[0])) != TOOL_OK)
		goto out;
	for (size_t i = 0; i < w.n && rc == TOOL_OK; i++)
		rc = copy(config->store, w.list[i], argv[0]);
	if (rc == TOOL_OK)
		rc = verify_all(argv[0], &w);
out:
	config_free(config);
	return rc;
}
