/*
 * db_look - what an environment is, when nobody says what it should be.
 *
 * LMDB keeps the tables of an environment as rows of its main one, under their
 * names.  Ours has one table more than its layout says, "layout".
 */
#include "lib/db_in.h"

#include <string.h>

#include <lmdb.h>

static const char *const tables[] = { "layout", NULL };
static const struct db_layout any = { .version = DB_ANY_VERSION, .kind = NULL,
	.tables = tables };

/* name_add - of a table, if it is one of a layout */
static int
name_add(struct db_about *about, const MDB_val *key, struct why *why)
{
	unsigned n = about->ntables;

	if (key->mv_size == 6 && memcmp(key->mv_data, "layout", 6) == 0)
		return 0;
	if (n == DB_TABLES_MAX || key->mv_size >= sizeof(about->names[n]))
		return why_kind(why, WHY_BROKEN, "its list of tables makes no "
		    "sense");
	memcpy(about->names[n], key->mv_data, key->mv_size);
	about->names[n][key->mv_size] = '\0';
	about->tables[n] = about->names[n];
	about->ntables++;
	return 0;
}

/* names - of all tables, in the order of the bytes */
static int
names(struct db *db, struct db_txn *txn, struct db_about *about,
    struct why *why)
{
	enum { MAIN = 1 };		/* LMDB's own handle */
	MDB_cursor *cursor = NULL;
	MDB_val k, v;
	int rc, done = 0;

	if ((rc = mdb_cursor_open(txn->txn, MAIN, &cursor)) != 0)
		return db_why(why, db, rc, "list the tables");
	while (done == 0 && (rc = mdb_cursor_get(cursor, &k, &v,
	    MDB_NEXT)) == 0)
		done = name_add(about, &k, why);
	mdb_cursor_close(cursor);
	if (done == 0 && rc != MDB_NOTFOUND)
		return db_why(why, db, rc, "list the tables");
	return done;
}

/* kind - what it says of itself */
static int
kind(struct db_txn *txn, struct db_about *about, struct why *why)
{
	struct slice value;
	const uint8_t *p;

	if (db_get(txn, 0, SLICE("kind"), &value, why) != 1 || value.n < 4 ||
	    value.n - 4 >= sizeof(about->kind))
		return why_kind(why, WHY_BROKEN, "it does not say what it is");
	p = (const uint8_t *)value.p;
	about->layout.version = (uint32_t)p[0] | (uint32_t)p[1] << 8 |
	    (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
	memcpy(about->kind, p + 4, value.n - 4);
	about->kind[value.n - 4] = '\0';
	return 0;
}

/* db_look - a layout, made of what is there */
int
db_look(const char *dir, struct db_about *about, struct why *why)
{
	struct db_txn *txn = NULL;
	struct db *db = NULL;
	int rc;

	memset(about, 0, sizeof(*about));
	if ((rc = db_open_reader(&db, dir, &any, why)) != 1)
		return rc;
	if (db_begin(db, false, &txn, why) == -1 ||
	    kind(txn, about, why) == -1 || names(db, txn, about, why) == -1)
		rc = why_in(why, "%s", dir);
	db_abort(txn);
	db_close(db);
	about->layout.kind = about->kind;
	about->layout.tables = about->tables;
	return rc;
}
