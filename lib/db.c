/*
 * db - the one door to LMDB.
 *
 * What is shut inside here, and why:
 *
 * Room.  LMDB writes pages with pwritev; on a full disk that is a short write,
 * and LMDB calls it EIO: it cannot be told from a broken disk.  So we never
 * let it come to that: before a transaction writes, the file is allocated
 * (posix_fallocate, not just sparse) for DB_SPARE beyond the last page used.
 * If that fails there is no room, nothing was touched, and it is tried again
 * at the next begin.  The check costs two loads; fallocate runs when less than
 * half the spare is left.  A transaction that writes more than a quarter of
 * the spare asks for more on the way.  File systems that copy on write (btrfs,
 * ZFS) do not keep what fallocate promises: there a full disk ends in exit 74
 * and a restart, which is loud, and loses nothing.
 *
 * Errors.  No room (map full, disk full): the transaction is gone, the
 * environment lives.  No memory: the same.  Everything else out of a put or a
 * commit: the store cannot be trusted by this process any more; after a failed
 * fdatasync the next one would succeed and prove nothing.
 *
 * Growth.  The map has its size at open; only an owner that is started with a
 * greater one grows it.  Readers meet MDB_MAP_RESIZED then: they adopt the new
 * size when none of their transactions is open.
 *
 * Cursors.  A writing transaction keeps one per table, so that rows in their
 * order find the page at hand; LMDB frees them when the transaction ends.
 *
 * Not chosen: WRITEMAP (disk full is SIGBUS), NOSYNC and NOMETASYNC (the last
 * answers would be lies after a power cut), MDB_NOLOCK, growing at run time.
 */
#include "lib/db.h"
#include "lib/db_in.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include <lmdb.h>

enum { PAGES_PER_PUT = 2 * 4096, IN_PAGE = 2032, ROW_HEAD = 16 };

struct db_cursor {
	MDB_cursor	*cursor;
	struct db	*db;
};

/* db_why - what LMDB or the system said, for a person and for a program */
int
db_why(struct why *why, const struct db *db, int rc, const char *what)
{
	enum why_kind kind;

	switch (rc) {
	case MDB_MAP_FULL:
		return why_kind(why, WHY_NOROOM, "%s: cannot %s: the map is "
		    "full (map_size in penstock.conf)", db->dir, what);
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		kind = WHY_NOROOM;
		break;
	case ENOMEM:
		kind = WHY_MEMORY;
		break;
	case MDB_READERS_FULL:
		return why_kind(why, WHY_BUSY, "%s: all %d reader slots are "
		    "taken", db->dir, DB_READERS);
	case EAGAIN:
		return why_kind(why, WHY_BUSY, "%s: cannot %s: another process "
		    "with this process's pid reads it: two containers that "
		    "share a store must share a PID namespace", db->dir, what);
	case MDB_BAD_VALSIZE:
	case EINVAL:
		kind = WHY_OTHER;
		break;
	default:
		kind = WHY_BROKEN;
	}
	return why_kind(why, kind, "%s: cannot %s: %s", db->dir, what,
	    mdb_strerror(rc));
}

/* val_of - a slice as LMDB takes it */
static MDB_val
val_of(struct slice s)
{
	return (MDB_val){ .mv_size = s.n,
	    .mv_data = (void *)(uintptr_t)(s.p != NULL ? s.p : "") };
}

/* slice_of_val - and back */
static struct slice
slice_of_val(MDB_val v)
{
	return (struct slice){ v.mv_size > 0 ? v.mv_data : "", v.mv_size };
}

/* --- room ----------------------------------------------------------------- */

/* db_room - the file is allocated for the spare and that many bytes more */
int
db_room(struct db *db, uint64_t more, struct why *why)
{
	uint64_t used, least, want;
	MDB_envinfo info;
	MDB_stat st;
	int fd, rc;

	mdb_env_info(db->env, &info);
	mdb_env_stat(db->env, &st);
	used = ((uint64_t)info.me_last_pgno + 1) * st.ms_psize;
	least = used + more + DB_SPARE / 2;
	want = used + more + DB_SPARE;
	if (least > info.me_mapsize)
		least = info.me_mapsize;
	if (want > info.me_mapsize)
		want = info.me_mapsize;
	if (db->allocated >= least)
		return 0;
	if ((rc = mdb_env_get_fd(db->env, &fd)) != 0)
		return db_why(why, db, rc, "find the data file");
	/* holes inside, should somebody have copied it sparse; best effort */
	if (db->allocated == 0)
		(void)fallocate(fd, 0, 0, (off_t)used);
	do {
		rc = posix_fallocate(fd, (off_t)used, (off_t)(want - used));
	} while (rc == EINTR);
	if (rc == ENOSPC || rc == EDQUOT || rc == EFBIG)
		return why_kind(why, WHY_NOROOM, "%s: no room on the disk: %s",
		    db->dir, strerror(rc));
	if (rc != 0)
		return why_kind(why, WHY_BROKEN, "%s: cannot extend data.mdb: "
		    "%s", db->dir, strerror(rc));
	db->allocated = want;
	return 0;
}

/* db_reserve - what every write transaction begins with */
int
db_reserve(struct db *db, struct why *why)
{
	return db_room(db, 0, why);
}

/* --- transactions --------------------------------------------------------- */

/* reader_enter - count this transaction; wait while the map is resized */
static void
reader_enter(struct db *db)
{
	pthread_mutex_lock(&db->share->mutex);
	while (db->share->resizing)
		pthread_cond_wait(&db->share->quiet, &db->share->mutex);
	db->share->open++;
	pthread_mutex_unlock(&db->share->mutex);
}

/* reader_leave - and uncount it */
static void
reader_leave(struct db *db)
{
	pthread_mutex_lock(&db->share->mutex);
	db->share->open--;
	pthread_cond_broadcast(&db->share->quiet);
	pthread_mutex_unlock(&db->share->mutex);
}

/* resize - adopt the owner's map; the caller is counted as one, not begun */
static int
resize(struct db *db)
{
	int rc = 0;

	pthread_mutex_lock(&db->share->mutex);
	db->share->open--;
	while (db->share->resizing)
		pthread_cond_wait(&db->share->quiet, &db->share->mutex);
	db->share->resizing = true;
	while (db->share->open > 0)
		pthread_cond_wait(&db->share->quiet, &db->share->mutex);
	rc = mdb_env_set_mapsize(db->env, 0);
	db->share->resizing = false;
	db->share->open++;
	pthread_cond_broadcast(&db->share->quiet);
	pthread_mutex_unlock(&db->share->mutex);
	return rc;
}

/* db_begin - a transaction; a writing one has its room */
int
db_begin(struct db *db, bool write, struct db_txn **out, struct why *why)
{
	struct db_txn *txn;
	int rc, tries;

	*out = NULL;
	if (write && db->owner_fd == -1)
		return why_set(why, "%s belongs to another program", db->dir);
	if (write && db_reserve(db, why) == -1)
		return -1;
	if ((txn = calloc(1, sizeof(*txn))) == NULL)
		return why_kind(why, WHY_MEMORY, "no memory for a transaction");
	txn->db = db;
	txn->write = write;
	txn->enough = DB_SPARE / 4;
	reader_enter(db);
	rc = mdb_txn_begin(db->env, NULL, write ? 0 : MDB_RDONLY, &txn->txn);
	for (tries = 0; rc == MDB_MAP_RESIZED && tries < 10; tries++)
		if ((rc = resize(db)) == 0)
			rc = mdb_txn_begin(db->env, NULL,
			    write ? 0 : MDB_RDONLY, &txn->txn);
	if (rc != 0) {
		reader_leave(db);
		free(txn);
		return db_why(why, db, rc, "begin a transaction");
	}
	*out = txn;
	return 0;
}

/*
 * still_lives - after a commit that failed for want of room: LMDB goes on,
 * unless it was the meta page that had none; then the environment is dead
 */
static int
still_lives(struct db *db, int failed)
{
	MDB_txn *txn = NULL;
	int rc = mdb_txn_begin(db->env, NULL, MDB_RDONLY, &txn);

	if (rc == 0)
		mdb_txn_abort(txn);
	return rc == MDB_PANIC ? rc : failed;
}

/* db_commit - on disk when it returns 0 */
int
db_commit(struct db_txn *txn, struct why *why)
{
	struct db *db = txn->db;
	int rc = mdb_txn_commit(txn->txn);

	if (rc != 0)
		rc = still_lives(db, rc);
	free(txn);
	reader_leave(db);
	return rc != 0 ? db_why(why, db, rc, "commit") : 0;
}

/* db_abort - as if it never was */
void
db_abort(struct db_txn *txn)
{
	struct db *db;

	if (txn == NULL)
		return;
	db = txn->db;
	mdb_txn_abort(txn->txn);
	free(txn);
	reader_leave(db);
}

/* db_get - the value of a key */
int
db_get(struct db_txn *txn, unsigned table, struct slice key,
    struct slice *value, struct why *why)
{
	MDB_val k = val_of(key), v;
	int rc = mdb_get(txn->txn, txn->db->dbi[table], &k, &v);

	*value = SLICE_NONE;
	if (rc == MDB_NOTFOUND)
		return 0;
	if (rc != 0)
		return db_why(why, txn->db, rc, "read");
	*value = slice_of_val(v);
	return 1;
}

/*
 * make_room - for what was written: no more than a page or two for each row,
 * nor than every page of those tables once and the rows themselves
 */
static int
make_room(struct db_txn *txn, struct why *why)
{
	uint64_t most = txn->bytes;
	MDB_stat st;

	for (unsigned i = 0; i < txn->db->tables; i++)
		if (txn->cursors[i] != NULL && mdb_stat(txn->txn,
		    txn->db->dbi[i], &st) == 0)
			most += (uint64_t)(st.ms_branch_pages +
			    st.ms_leaf_pages + st.ms_overflow_pages) *
			    st.ms_psize;
	if (db_room(txn->db, most < txn->wrote ? most : txn->wrote,
	    why) == -1)
		return -1;
	/* so much more is within the spare */
	txn->enough = txn->wrote + DB_SPARE / 4;
	return 0;
}

/* put - one row, and room for the pages it may dirty */
static int
put(struct db_txn *txn, unsigned table, struct slice key, struct slice value,
    unsigned flags, struct why *why)
{
	MDB_val k = val_of(key), v = val_of(value);
	MDB_cursor **cursor = &txn->cursors[table];
	int rc = 0;

	size_t n = 2 * (key.n + value.n + ROW_HEAD);

	if (key.n + value.n >= IN_PAGE)		/* pages of its own */
		n += PAGES_PER_PUT;
	txn->bytes += n;
	txn->wrote += flags == MDB_APPEND ? n : n + PAGES_PER_PUT;
	if (txn->wrote > txn->enough && make_room(txn, why) == -1)
		return -1;
	if (*cursor == NULL)
		rc = mdb_cursor_open(txn->txn, txn->db->dbi[table], cursor);
	if (rc == 0)
		rc = mdb_cursor_put(*cursor, &k, &v, flags);
	return rc != 0 ? db_why(why, txn->db, rc, "write") : 0;
}

/* db_put - new or over what was there */
int
db_put(struct db_txn *txn, unsigned table, struct slice key,
    struct slice value, struct why *why)
{
	return put(txn, table, key, value, 0, why);
}

/* db_append - behind every other key: leaves fill to the brim */
int
db_append(struct db_txn *txn, unsigned table, struct slice key,
    struct slice value, struct why *why)
{
	return put(txn, table, key, value, MDB_APPEND, why);
}

/* db_delete - remove a row */
int
db_delete(struct db_txn *txn, unsigned table, struct slice key,
    struct why *why)
{
	MDB_val k = val_of(key);
	int rc;

	txn->wrote += PAGES_PER_PUT;
	rc = mdb_del(txn->txn, txn->db->dbi[table], &k, NULL);
	if (rc == MDB_NOTFOUND)
		return 0;
	return rc != 0 ? db_why(why, txn->db, rc, "delete") : 1;
}

/* db_count - rows of a table */
int
db_count(struct db_txn *txn, unsigned table, uint64_t *n, struct why *why)
{
	MDB_stat st;
	int rc = mdb_stat(txn->txn, txn->db->dbi[table], &st);

	*n = rc == 0 ? st.ms_entries : 0;
	return rc != 0 ? db_why(why, txn->db, rc, "count") : 0;
}

/* cursor_get - one step of a cursor */
static int
cursor_get(struct db *db, MDB_cursor *cursor, MDB_cursor_op op, MDB_val *k,
    struct slice *key, struct slice *value, struct why *why)
{
	MDB_val v;
	int rc = mdb_cursor_get(cursor, k, &v, op);

	if (rc == MDB_NOTFOUND)
		return 0;
	if (rc != 0)
		return db_why(why, db, rc, "read");
	*key = slice_of_val(*k);
	*value = slice_of_val(v);
	return 1;
}

/* cursor_open - unless it is */
static int
cursor_open(struct db_txn *txn, unsigned table, struct db_cursor **cursor,
    struct why *why)
{
	struct db_cursor *c;
	int rc;

	if (*cursor != NULL)
		return 0;
	if ((c = calloc(1, sizeof(*c))) == NULL)
		return why_kind(why, WHY_MEMORY, "no memory for a cursor");
	rc = mdb_cursor_open(txn->txn, txn->db->dbi[table], &c->cursor);
	if (rc != 0) {
		free(c);
		return db_why(why, txn->db, rc, "open a cursor");
	}
	c->db = txn->db;
	*cursor = c;
	return 0;
}

/* db_seek - put a cursor on the first key that is not less */
int
db_seek(struct db_txn *txn, unsigned table, struct slice key,
    struct db_cursor **cursor, struct slice *k, struct slice *v,
    struct why *why)
{
	MDB_val at = val_of(key);

	if (cursor_open(txn, table, cursor, why) == -1)
		return -1;
	return cursor_get(txn->db, (*cursor)->cursor,
	    key.p == NULL ? MDB_FIRST : MDB_SET_RANGE, &at, k, v, why);
}

/* db_floor - put it on the last key that is not greater, or on the first */
int
db_floor(struct db_txn *txn, unsigned table, struct slice key,
    struct db_cursor **cursor, struct slice *k, struct slice *v,
    struct why *why)
{
	MDB_val at = val_of(key);
	int got;

	if (cursor_open(txn, table, cursor, why) == -1)
		return -1;
	got = cursor_get(txn->db, (*cursor)->cursor, MDB_SET_RANGE, &at, k, v,
	    why);
	if (got == -1 || (got == 1 && slice_eq(*k, key)))
		return got;
	got = cursor_get(txn->db, (*cursor)->cursor, got == 1 ? MDB_PREV :
	    MDB_LAST, &at, k, v, why);
	return got != 0 ? got : cursor_get(txn->db, (*cursor)->cursor,
	    MDB_FIRST, &at, k, v, why);
}

/* db_last - the greatest key */
int
db_last(struct db_txn *txn, unsigned table, struct slice *k, struct slice *v,
    struct why *why)
{
	MDB_cursor *cursor = NULL;
	MDB_val at = { 0, NULL };
	int rc = mdb_cursor_open(txn->txn, txn->db->dbi[table], &cursor);

	if (rc != 0)
		return db_why(why, txn->db, rc, "open a cursor");
	rc = cursor_get(txn->db, cursor, MDB_LAST, &at, k, v, why);
	mdb_cursor_close(cursor);
	return rc;
}

/* db_next - one further */
int
db_next(struct db_cursor *c, struct slice *k, struct slice *v, struct why *why)
{
	MDB_val at = { 0, NULL };

	return cursor_get(c->db, c->cursor, MDB_NEXT, &at, k, v, why);
}

/* db_cursor_close - before its transaction ends */
void
db_cursor_close(struct db_cursor *c)
{
	if (c == NULL)
		return;
	mdb_cursor_close(c->cursor);
	free(c);
}
