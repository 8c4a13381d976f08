/*
 * db - the one door to LMDB.
 *
 * Full durability always: no WRITEMAP, NOSYNC, NOMETASYNC.  MDB_NOTLS, 1,024
 * readers.  An environment has one writing program, its owner, which holds an
 * exclusive lock (flock on DIR/owner.lock) as long as it lives; a second owner
 * fails with WHY_BUSY and its pid.  A shared environment has several writing
 * programs of one group, one at a time, each for a moment: the next one waits
 * a little for the lock.  A reader opens lock.mdb read-write first:
 * without a reader slot LMDB reads garbage in silence, so that failing is an
 * error which names the systemd ReadWritePaths= line.
 * A data file shorter than its meta pages say is refused before LMDB maps it.
 *
 * Errors of db_commit and db_put: WHY_NOROOM (disk or map full; the
 * transaction is gone, the environment lives) or WHY_BROKEN (exit).
 * Slices of db_get and cursors borrow the transaction.
 * Threads: a db is for any; a transaction belongs to one thread, and a read
 * transaction lives for one call of ours, never across a callback.
 * No fork after db_open.
 */
#ifndef LIB_DB_H
#define LIB_DB_H

#include <stdbool.h>
#include <stdint.h>
#include "lib/slice.h"
#include "lib/why.h"

#define DB_TABLES_MAX	24
#define DB_KEY_MAX	511
#define DB_ANY_VERSION	UINT32_MAX	/* for a reader of tables whose rows
					   say their own (lib/suppress.h) */
#define DB_SPARE	(64u << 20)	/* kept allocated beyond the last page */

struct db;
struct db_txn;
struct db_cursor;

struct db_layout {			/* of one store, const */
	uint32_t	 version;	/* another one on disk is refused */
	const char	*kind;		/* "gate": written at creation, checked */
	const char	*const *tables;	/* NULL-ended */
	unsigned	 first;		/* so many were there from the start;
					   an owner adds the rest. 0: all */
};

/* Creates DIR (2750) and files (data 0640, lock 0660) when missing. */
int	 db_open_owner(struct db **, const char *dir, const struct db_layout *,
	    uint64_t map_size, struct why *);
/* The same (2770, 0660), waiting for another one up to that many us. */
int	 db_open_shared(struct db **, const char *dir,
	    const struct db_layout *, uint64_t map_size, int64_t patience,
	    struct why *);
/* Fetch: 0 when there is no such store yet. */
int	 db_open_reader(struct db **, const char *dir,
	    const struct db_layout *, struct why *);
void	 db_close(struct db *);

int	 db_begin(struct db *, bool write, struct db_txn **, struct why *);
int	 db_commit(struct db_txn *, struct why *);	/* frees the txn */
void	 db_abort(struct db_txn *);			/* NULL allowed */

/* table: index in layout->tables. */
int	 db_get(struct db_txn *, unsigned table, struct slice key,
	    struct slice *value, struct why *);			/* fetch */
int	 db_put(struct db_txn *, unsigned table, struct slice key,
	    struct slice value, struct why *);
int	 db_append(struct db_txn *, unsigned table, struct slice key,
	    struct slice value, struct why *);	/* key > all others */
int	 db_delete(struct db_txn *, unsigned table, struct slice key,
	    struct why *);					/* fetch */
int	 db_count(struct db_txn *, unsigned table, uint64_t *, struct why *);

/* Cursor: at the first key >= key; key.p NULL: at the first of all. Fetch. */
int	 db_seek(struct db_txn *, unsigned table, struct slice key,
	    struct db_cursor **, struct slice *k, struct slice *v,
	    struct why *);		/* *cursor reused when not NULL */
/* Likewise at the last key <= key, or the first of all. Fetch. */
int	 db_floor(struct db_txn *, unsigned table, struct slice key,
	    struct db_cursor **, struct slice *k, struct slice *v,
	    struct why *);
int	 db_last(struct db_txn *, unsigned table, struct slice *k,
	    struct slice *v, struct why *);			/* fetch */
int	 db_next(struct db_cursor *, struct slice *k, struct slice *v,
	    struct why *);					/* fetch */
void	 db_cursor_close(struct db_cursor *);	/* before commit or abort */

/* Owner: keep DB_SPARE (less at the end of the map) allocated beyond the last
 * page used. WHY_NOROOM when the disk has no room. */
int	 db_reserve(struct db *, struct why *);
/* Owner: clear slots of dead readers. Every 10 s. */
void	 db_check_readers(struct db *);
/*
 * After a walk over much of a store: the pages from one value to the other,
 * of one environment, leave the memory of the process.  They stay in the
 * kernel's cache, and whoever needs one gets it back; no transaction is hurt.
 */
void	 db_let_go(struct slice low, struct slice high);
/* -1 WHY_BROKEN when data.mdb at that path is gone, or another file now. */
int	 db_check_file(struct db *, struct why *);

struct db_stat {
	uint64_t map_size, used, file_size;	/* bytes */
	uint64_t entries[DB_TABLES_MAX];
	unsigned tables, readers;
};
int	 db_stat(struct db *, struct db_stat *, struct why *);
/* What an environment is, whichever it is: a layout for the calls above and
 * below, which borrows this struct; tables by name. */
struct db_about {
	struct db_layout layout;
	unsigned	 ntables;
	char		 kind[68], names[DB_TABLES_MAX][32];
	const char	*tables[DB_TABLES_MAX + 1];
};
int	 db_look(const char *dir, struct db_about *, struct why *); /* fetch */
/* A compacted, consistent copy into a new directory, live. */
int	 db_copy(struct db *, const char *to, struct why *);
/* Walk every page and key in a child process (a damaged file may SIGBUS);
 * layout NULL: of whatever store it is. */
int	 db_verify(const char *dir, const struct db_layout *, struct why *);

#endif
