/*
 * db_in - what the files of the door to LMDB share; nobody else includes it.
 *
 * db_file.c: the folder, its modes, the owner's lock, the file before LMDB
 * maps it.  db_open.c: making and opening.  db_share.c: once per process.
 * db.c: transactions.  db_look.c: what an environment is.  db_care.c: what an
 * owner or a tool does besides.
 */
#ifndef LIB_DB_IN_H
#define LIB_DB_IN_H

#include <pthread.h>
#include <sys/types.h>
#include "lib/db.h"

#define DB_DATA		"data.mdb"
#define DB_LOCK		"lock.mdb"
#define DB_OWNER	"owner.lock"
#define DB_READERS	1024

struct db_share {			/* one environment of this process */
	struct MDB_env	*env;
	pthread_mutex_t	 mutex;		/* of the three below */
	pthread_cond_t	 quiet;
	unsigned	 open;		/* transactions */
	bool		 resizing;
	unsigned	 refs;		/* db_share.c's, as all below */
	dev_t		 dev;
	ino_t		 ino;
	struct db_share	*next;
};

struct db {
	struct db_share	*share;
	struct MDB_env	*env;		/* the share's */
	unsigned	 dbi[DB_TABLES_MAX];	/* MDB_dbi */
	unsigned	 tables;
	const struct db_layout *layout;
	char		*dir;
	int		 owner_fd;	/* -1: a reader */
	uint64_t	 allocated;	/* bytes of the file known allocated */
};

struct db_txn {
	struct MDB_txn	*txn;
	struct db	*db;
	uint64_t	 wrote;		/* most bytes its pages may take */
	uint64_t	 bytes;		/* of its rows, twice */
	uint64_t	 enough;	/* of wrote there is room for */
	bool		 write;
	struct MDB_cursor *cursors[DB_TABLES_MAX];	/* a writer's own */
};

/* --- db_file.c ------------------------------------------------------------ */
/* dir/name in malloc'd memory; NULL with why. */
char	*db_path(const char *dir, const char *name, struct why *);
/* Who may do what with the files of a store. */
struct db_modes {
	unsigned	folder, data, owner;	/* set-gid; data.mdb; owner.lock */
};
/* The folder exists and belongs to the group that reads it. */
int	 db_file_folder(const char *dir, const struct db_modes *,
	    struct why *);
/* Sets mode and group of dir/name; failing to is no error. */
void	 db_file_mode(const char *dir, const char *name, unsigned mode);
/* Takes the owner's lock, which may take so many us: an fd, or -1 (WHY_BUSY
 * names the other's pid). */
int	 db_file_own(const char *dir, const struct db_modes *,
	    int64_t patience, struct why *);
/* Fetch: 0 no data file; 1 it is as long as its meta pages say. */
int	 db_file_whole(const char *dir, struct why *);
/* A reader can write lock.mdb, so that LMDB gives it a slot. */
int	 db_file_slot(const char *dir, struct why *);

/* --- db_share.c ----------------------------------------------------------- */
/* Around all that follows, and the opening of tables. */
void	 db_share_lock(void);
void	 db_share_unlock(void);
/* The one of that folder, with a reference, or NULL. */
struct db_share *db_share_find(const char *dir);
struct db_share *db_share_new(struct why *);	/* NULL: no memory */
void	 db_share_tell(struct db_share *, const char *dir);
void	 db_share_drop(struct db_share *);	/* NULL allowed */

/* --- db.c ----------------------------------------------------------------- */
/* The sentence and the kind for an LMDB or errno code; returns -1. */
int	 db_why(struct why *, const struct db *, int rc, const char *what);
/* Room for a transaction of that many bytes more. */
int	 db_room(struct db *, uint64_t more, struct why *);

#endif
