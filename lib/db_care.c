/*
 * db_care - looking after an environment: figures, copies, checks.
 *
 * db_verify works in a child process: a page that is missing or a length that
 * lies ends in SIGBUS or SIGSEGV there, and the parent says so.
 */
#include "lib/db_in.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lmdb.h>

/* db_check_readers - give the slots of dead readers back */
void
db_check_readers(struct db *db)
{
	int dead = 0;

	(void)mdb_reader_check(db->env, &dead);
}

/* db_let_go - LMDB maps the file shared and read-only, so nothing is lost */
void
db_let_go(struct slice low, struct slice high)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), from, to;

	if (low.p == NULL || high.p == NULL)
		return;
	from = (uintptr_t)low.p & ~(page - 1);
	to = ((uintptr_t)high.p + high.n + page - 1) & ~(page - 1);
	if (to > from)
		(void)madvise((void *)from, to - from, MADV_DONTNEED);
}

/* db_check_file - is what we write still what others would open? */
int
db_check_file(struct db *db, struct why *why)
{
	struct stat ours, theirs;
	char *path = db_path(db->dir, DB_DATA, why);
	int fd, rc = -1;

	if (path == NULL)
		return -1;
	if (mdb_env_get_fd(db->env, &fd) != 0 || fstat(fd, &ours) == -1)
		why_kind(why, WHY_BROKEN, "%s: cannot look at it", path);
	else if (stat(path, &theirs) == -1)
		why_kind(why, WHY_BROKEN, "%s is gone: %s", path,
		    strerror(errno));
	else if (ours.st_dev != theirs.st_dev || ours.st_ino != theirs.st_ino)
		why_kind(why, WHY_BROKEN, "%s is another file now", path);
	else if ((uint64_t)ours.st_size < db->allocated)
		why_kind(why, WHY_BROKEN, "%s was cut off", path);
	else
		rc = 0;
	free(path);
	return rc;
}

/* count_reader - callback of mdb_reader_list: one line per slot in use */
static int
count_reader(const char *line, void *with)
{
	unsigned *n = with;

	/* the first line is a heading, or says that there are none */
	if (line[0] == ' ' && strstr(line, "pid") == NULL)
		(*n)++;
	return 0;
}

/* db_stat - figures of the environment and its tables */
int
db_stat(struct db *db, struct db_stat *out, struct why *why)
{
	struct db_txn *txn = NULL;
	MDB_envinfo info;
	struct stat st;
	MDB_stat page;
	unsigned i;
	int fd, rc;

	memset(out, 0, sizeof(*out));
	if ((rc = mdb_env_info(db->env, &info)) != 0 ||
	    (rc = mdb_env_stat(db->env, &page)) != 0 ||
	    (rc = mdb_env_get_fd(db->env, &fd)) != 0)
		return db_why(why, db, rc, "look at the environment");
	out->map_size = info.me_mapsize;
	out->used = ((uint64_t)info.me_last_pgno + 1) * page.ms_psize;
	if (fstat(fd, &st) == 0)
		out->file_size = (uint64_t)st.st_size;
	mdb_reader_list(db->env, count_reader, &out->readers);
	if (db_begin(db, false, &txn, why) == -1)
		return -1;
	out->tables = db->tables;
	for (i = 0; i < db->tables; i++)
		if (db_count(txn, i, &out->entries[i], why) == -1)
			break;
	db_abort(txn);
	return i == out->tables ? 0 : -1;
}

/* db_copy - compacted and consistent, while the owner goes on writing */
int
db_copy(struct db *db, const char *to, struct why *why)
{
	char *data = db_path(to, DB_DATA, why);
	int fd = -1, rc = -1, err;

	if (data == NULL)
		return -1;
	if (mkdir(to, 0750) == -1 && errno != EEXIST) {
		why_errno(why, "cannot make %s", to);
		goto out;
	}
	if (access(data, F_OK) == 0) {
		why_set(why, "%s is there already", data);
		goto out;
	}
	if ((err = mdb_env_copy2(db->env, to, MDB_CP_COMPACT)) != 0) {
		why_set(why, "cannot copy %s to %s: %s", db->dir, to,
		    mdb_strerror(err));
		unlink(data);
		goto out;
	}
	chmod(data, 0640);
	if ((fd = open(data, O_RDONLY | O_CLOEXEC)) == -1 ||
	    fsync(fd) == -1) {
		why_errno(why, "cannot sync %s", data);
		goto out;
	}
	close(fd);
	if ((fd = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1 ||
	    fsync(fd) == -1) {
		why_errno(why, "cannot sync %s", to);
		goto out;
	}
	rc = 0;
out:
	if (fd != -1)
		close(fd);
	free(data);
	return rc;
}

/* walk - every key and byte of one table, in order, as many as it says */
static int
walk(struct db *db, MDB_txn *txn, MDB_dbi dbi, const char *name,
    struct why *why)
{
	MDB_cursor *cursor = NULL;
	MDB_val k, v, before = { 0, NULL };
	volatile uint8_t sum = 0;
	uint64_t n = 0;
	size_t i;
	MDB_stat st;
	int rc;

	if ((rc = mdb_stat(txn, dbi, &st)) != 0 ||
	    (rc = mdb_cursor_open(txn, dbi, &cursor)) != 0)
		return db_why(why, db, rc, "walk");
	while ((rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) == 0) {
		for (i = 0; i < k.mv_size; i++)
			sum ^= ((const uint8_t *)k.mv_data)[i];
		for (i = 0; i < v.mv_size; i++)
			sum ^= ((const uint8_t *)v.mv_data)[i];
		if (n > 0 && mdb_cmp(txn, dbi, &before, &k) >= 0)
			break;
		before = k;
		n++;
	}
	mdb_cursor_close(cursor);
	if (rc == 0)
		return why_kind(why, WHY_BROKEN, "%s: the keys of table %s "
		    "are out of order behind row %llu", db->dir, name,
		    (unsigned long long)n);
	if (rc != MDB_NOTFOUND)
		return db_why(why, db, rc, "walk");
	if (n != st.ms_entries)
		return why_kind(why, WHY_BROKEN, "%s: table %s says that it "
		    "has %llu rows and has %llu", db->dir, name,
		    (unsigned long long)st.ms_entries, (unsigned long long)n);
	return 0;
}

/* walk_all - the free list, the list of tables, the tables */
static int
walk_all(const char *dir, const struct db_layout *layout, struct why *why)
{
	enum { FREE_LIST = 0, MAIN = 1 };	/* LMDB's own handles */
	struct db_about about;
	struct db_txn *txn = NULL;
	struct db *db = NULL;
	unsigned i;
	int rc = 1;

	if (layout == NULL) {
		rc = db_look(dir, &about, why);
		layout = &about.layout;
	}
	if (rc == 1)
		rc = db_open_reader(&db, dir, layout, why);
	if (rc == 0)
		return why_set(why, "there is no store in %s", dir);
	if (rc == -1 || db_begin(db, false, &txn, why) == -1)
		return -1;
	rc = 0;
	if (walk(db, txn->txn, MAIN, "of tables", why) == -1)
		rc = -1;
	for (i = 0; rc == 0 && i < db->tables; i++)
		rc = walk(db, txn->txn, db->dbi[i], layout->tables[i], why);
	/* the keys of the free list are numbers: mdb_cmp knows */
	if (rc == 0)
		rc = walk(db, txn->txn, FREE_LIST, "of free pages", why);
	db_abort(txn);
	db_close(db);
	return rc;
}

/* db_verify - walk it all in a child, which may die of it */
int
db_verify(const char *dir, const struct db_layout *layout, struct why *why)
{
	struct why found = { .kind = WHY_OTHER };
	int fds[2], status;
	size_t got = 0;
	ssize_t n;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) == -1)
		return why_errno(why, "cannot make a pipe");
	if ((pid = fork()) == -1) {
		close(fds[0]);
		close(fds[1]);
		return why_errno(why, "cannot start a child process");
	}
	if (pid == 0) {
		signal(SIGBUS, SIG_DFL);
		signal(SIGSEGV, SIG_DFL);
		if (walk_all(dir, layout, &found) == 0)
			_exit(0);
		_exit(write(fds[1], &found, sizeof(found)) ==
		    (ssize_t)sizeof(found) ? 1 : 2);
	}
	close(fds[1]);
	while (got < sizeof(found) && (n = read(fds[0], (char *)&found + got,
	    sizeof(found) - got)) > 0)
		got += (size_t)n;
	close(fds[0]);
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFSIGNALED(status))
		return why_kind(why, WHY_BROKEN, "%s is damaged: reading it "
		    "ended in %s", dir, strsignal(WTERMSIG(status)));
	if (got != sizeof(found))
		return why_set(why, "%s: the check ended without a word", dir);
	*why = found;
	return -1;
}
