/*
 * db_open - making and opening an environment.
 *
 * Creation.  A new environment is made whole in DIR/.new (tables and the
 * record of what it is) and renamed into place.  So a data.mdb that lacks
 * anything is damage, and damage is never taken for a store that is new:
 * that would set every counter to zero in silence.
 *
 * A table that a later release added is made when the owner opens; those that
 * were there from the start are never made again.
 *
 * What it is.  Beside the tables of its layout every environment has a table
 * "layout" with one row: "kind" -> u32 version, bytes of the kind's name.
 */
#include "lib/db_in.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lmdb.h>

/* env_open - an environment at dir, nothing in it touched yet */
static int
env_open(struct db *db, const char *dir, uint64_t map_size, unsigned flags,
    struct why *why)
{
	int rc;

	if ((rc = mdb_env_create(&db->share->env)) != 0)
		return db_why(why, db, rc, "set up LMDB");
	db->env = db->share->env;
	if ((rc = mdb_env_set_maxdbs(db->env, DB_TABLES_MAX + 1)) != 0 ||
	    (rc = mdb_env_set_maxreaders(db->env, DB_READERS)) != 0)
		return db_why(why, db, rc, "set up LMDB");
	if (map_size > 0 &&
	    (rc = mdb_env_set_mapsize(db->env, (size_t)map_size)) != 0)
		return db_why(why, db, rc, "set the map's size");
	if ((rc = mdb_env_open(db->env, dir, flags | MDB_NOTLS, 0660)) != 0)
		return db_why(why, db, rc, "open the environment");
	return 0;
}

/* write_layout - create every table and say what this environment is */
static int
write_layout(struct db *db, MDB_txn *txn, const struct db_layout *layout,
    struct why *why)
{
	MDB_val key = { .mv_size = 4, .mv_data = (void *)(uintptr_t)"kind" };
	size_t n = strlen(layout->kind);
	uint8_t what[4 + 64];
	MDB_val value = { .mv_size = 4 + n, .mv_data = what };
	MDB_dbi dbi;
	unsigned i;
	int rc;

	if (n > 64)
		return why_set(why, "the kind of a store is too long");
	for (i = 0; i < 4; i++)
		what[i] = (uint8_t)(layout->version >> (8 * i));
	memcpy(what + 4, layout->kind, n);
	if ((rc = mdb_dbi_open(txn, "layout", MDB_CREATE, &dbi)) != 0 ||
	    (rc = mdb_put(txn, dbi, &key, &value, 0)) != 0)
		return db_why(why, db, rc, "write the layout");
	for (i = 0; layout->tables[i] != NULL; i++)
		if ((rc = mdb_dbi_open(txn, layout->tables[i], MDB_CREATE,
		    &dbi)) != 0)
			return db_why(why, db, rc, "make a table");
	return 0;
}

/* remove_new - the workshop of db_create, whatever is in it */
static void
remove_new(const char *new)
{
	struct why why;
	char *data = db_path(new, DB_DATA, &why);
	char *lock = db_path(new, DB_LOCK, &why);

	if (data != NULL)
		unlink(data);
	if (lock != NULL)
		unlink(lock);
	rmdir(new);
	free(data);
	free(lock);
}

/* sync_folder - the names in a folder are on disk */
static int
sync_folder(const char *dir, struct why *why)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;

	if (fd == -1 || fsync(fd) == -1)
		rc = why_errno(why, "cannot sync the folder %s", dir);
	if (fd != -1)
		close(fd);
	return rc;
}

/* db_create - a whole environment, or none */
static int
db_create(const char *dir, const struct db_layout *layout, uint64_t map_size,
    struct why *why)
{
	struct db db = { .owner_fd = -1 };
	char *from = NULL, *to = db_path(dir, DB_DATA, why);
	MDB_txn *txn = NULL;
	int rc = -1, err;

	if ((db.dir = db_path(dir, ".new", why)) == NULL || to == NULL ||
	    (db.share = db_share_new(why)) == NULL ||
	    (from = db_path(db.dir, DB_DATA, why)) == NULL)
		goto out;
	remove_new(db.dir);
	if (mkdir(db.dir, 0750) == -1) {
		why_errno(why, "cannot make %s", db.dir);
		goto out;
	}
	if (env_open(&db, db.dir, map_size, 0, why) == -1)
		goto out;
	if ((err = mdb_txn_begin(db.env, NULL, 0, &txn)) != 0) {
		db_why(why, &db, err, "begin");
		goto out;
	}
	if (write_layout(&db, txn, layout, why) == -1)
		goto out;
	err = mdb_txn_commit(txn);
	txn = NULL;
	if (err != 0) {
		db_why(why, &db, err, "create the store");
		goto out;
	}
	if (rename(from, to) == -1) {
		why_errno(why, "cannot rename %s to %s", from, to);
		goto out;
	}
	rc = sync_folder(dir, why);
out:
	if (txn != NULL)
		mdb_txn_abort(txn);
	db_share_drop(db.share);
	if (db.dir != NULL)
		remove_new(db.dir);
	free(db.dir);
	free(from);
	free(to);
	return rc;
}

/* check_layout - is this the kind of store, and the version, that we know? */
static int
check_layout(struct db *db, MDB_txn *txn, struct why *why)
{
	MDB_val key = { .mv_size = 4, .mv_data = (void *)(uintptr_t)"kind" };
	const struct db_layout *layout = db->layout;
	MDB_val value = { 0, NULL };
	const uint8_t *p;
	uint32_t version;
	MDB_dbi dbi;
	int rc;

	if ((rc = mdb_dbi_open(txn, "layout", 0, &dbi)) == 0)
		rc = mdb_get(txn, dbi, &key, &value);
	if (rc == MDB_NOTFOUND || (rc == 0 && value.mv_size < 4))
		return why_kind(why, WHY_BROKEN, "%s is an LMDB environment, "
		    "but no store of Penstock", db->dir);
	if (rc != 0)
		return db_why(why, db, rc, "read the layout");
	p = value.mv_data;
	version = (uint32_t)p[0] | (uint32_t)p[1] << 8 |
	    (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
	if (layout->kind != NULL && (value.mv_size - 4 !=
	    strlen(layout->kind) || memcmp(p + 4, layout->kind,
	    value.mv_size - 4) != 0))
		return why_set(why, "%s holds a store of kind \"%.*s\", not "
		    "\"%s\"", db->dir, (int)(value.mv_size - 4), p + 4,
		    layout->kind);
	if (version != layout->version &&
	    (layout->version != DB_ANY_VERSION || db->owner_fd != -1))
		return why_set(why, "%s has format %u of a %s Penstock, this "
		    "one knows format %u", db->dir, version,
		    version > layout->version ? "newer" : "older",
		    layout->version);
	return 0;
}

/* open_tables - check what it is, take the handles of its tables */
static int
open_tables(struct db *db, struct why *why)
{
	MDB_txn *txn = NULL;
	unsigned i, first = db->layout->first;
	bool grow = first > 0 && db->owner_fd != -1;
	int rc;

	if ((rc = mdb_txn_begin(db->env, NULL, grow ? 0 : MDB_RDONLY,
	    &txn)) != 0)
		return db_why(why, db, rc, "begin reading");
	if (check_layout(db, txn, why) == -1)
		goto fail;
	for (i = 0; db->layout->tables[i] != NULL; i++) {
		if (i >= DB_TABLES_MAX) {
			why_set(why, "too many tables in a layout");
			goto fail;
		}
		rc = mdb_dbi_open(txn, db->layout->tables[i], grow &&
		    i >= first ? MDB_CREATE : 0, &db->dbi[i]);
		if (rc != 0) {
			db_why(why, db, rc, "open a table");
			goto fail;
		}
	}
	db->tables = i;
	/* commit, or LMDB forgets the handles */
	if ((rc = mdb_txn_commit(txn)) != 0)
		return db_why(why, db, rc, "open the tables");
	return 0;
fail:
	mdb_txn_abort(txn);
	return -1;
}

/* db_new - the struct, nothing opened */
static struct db *
db_new(const char *dir, const struct db_layout *layout, struct why *why)
{
	struct db *db = calloc(1, sizeof(*db));

	if (db == NULL || (db->dir = strdup(dir)) == NULL) {
		free(db);
		why_kind(why, WHY_MEMORY, "no memory to open %s", dir);
		return NULL;
	}
	db->owner_fd = -1;
	db->layout = layout;
	return db;
}

/*
 * settle - an owner who was killed between the last page of a commit and the
 * word in lock.mdb that it is there leaves readers the snapshot before it, for
 * as long as anybody has the environment open.  LMDB puts that right for the
 * next one who begins to write; until then he would read, at his start, less
 * than what he goes on from.
 */
static int
settle(struct db *db, struct why *why)
{
	MDB_txn *txn;
	int rc = mdb_txn_begin(db->env, NULL, 0, &txn);

	if (rc != 0)
		return db_why(why, db, rc, "begin");
	mdb_txn_abort(txn);
	return 0;
}

/* own_locked - what stands between db_share_lock and its end */
static int
own_locked(struct db *db, uint64_t map_size, struct why *why)
{
	struct db_share *other;
	int rc;

	if ((other = db_share_find(db->dir)) != NULL) {
		db_share_drop(other);
		return why_kind(why, WHY_BUSY, "%s: this process reads it "
		    "already, and cannot write it at the same time", db->dir);
	}
	if ((rc = db_file_whole(db->dir, why)) == -1 ||
	    (rc == 0 && db_create(db->dir, db->layout, map_size, why) == -1) ||
	    (db->share = db_share_new(why)) == NULL ||
	    env_open(db, db->dir, map_size, 0, why) == -1 ||
	    settle(db, why) == -1 || open_tables(db, why) == -1)
		return -1;
	db_share_tell(db->share, db->dir);
	return 0;
}

/* db_own - lock, look, create if need be, open */
static int
db_own(struct db **out, const char *dir, const struct db_layout *layout,
    uint64_t map_size, const struct db_modes *modes, int64_t patience,
    struct why *why)
{
	struct db *db = db_new(dir, layout, why);
	int rc;

	*out = NULL;
	if (db == NULL)
		return -1;
	if (db_file_folder(dir, modes, why) == -1 ||
	    (db->owner_fd = db_file_own(dir, modes, patience, why)) == -1) {
		db_close(db);
		return -1;
	}
	db_share_lock();
	rc = own_locked(db, map_size, why);
	db_share_unlock();
	if (rc == -1) {
		db_close(db);
		return -1;
	}
	db_file_mode(dir, DB_DATA, modes->data);
	db_file_mode(dir, DB_LOCK, 0660);
	*out = db;
	return 0;
}

/* db_open_owner - the one program that writes it, as long as it lives */
int
db_open_owner(struct db **out, const char *dir, const struct db_layout *layout,
    uint64_t map_size, struct why *why)
{
	static const struct db_modes modes = { S_ISGID | 0750, 0640, 0640 };

	return db_own(out, dir, layout, map_size, &modes, 0, why);
}

/* db_open_shared - one of several, for a moment */
int
db_open_shared(struct db **out, const char *dir,
    const struct db_layout *layout, uint64_t map_size, int64_t patience,
    struct why *why)
{
	static const struct db_modes modes = { S_ISGID | 0770, 0660, 0660 };

	return db_own(out, dir, layout, map_size, &modes, patience, why);
}

/* read_locked - the environment of this process, or a new one */
static int
read_locked(struct db *db, struct why *why)
{
	if ((db->share = db_share_find(db->dir)) != NULL) {
		db->env = db->share->env;
		return open_tables(db, why);
	}
	if (db_file_slot(db->dir, why) == -1 ||
	    (db->share = db_share_new(why)) == NULL ||
	    env_open(db, db->dir, 0, MDB_RDONLY, why) == -1 ||
	    open_tables(db, why) == -1)
		return -1;
	db_share_tell(db->share, db->dir);
	return 0;
}

/* db_open_reader - of a store that belongs to another program */
int
db_open_reader(struct db **out, const char *dir,
    const struct db_layout *layout, struct why *why)
{
	struct db *db = NULL;
	int rc;

	*out = NULL;
	if ((rc = db_file_whole(dir, why)) != 1)
		return rc;
	if ((db = db_new(dir, layout, why)) == NULL)
		return -1;
	db_share_lock();
	rc = read_locked(db, why);
	db_share_unlock();
	if (rc == -1) {
		db_close(db);
		return -1;
	}
	*out = db;
	return 1;
}

/* db_close - and let the next owner in */
void
db_close(struct db *db)
{
	if (db == NULL)
		return;
	db_share_lock();
	db_share_drop(db->share);
	db_share_unlock();
	if (db->owner_fd != -1)
		close(db->owner_fd);
	free(db->dir);
	free(db);
}
