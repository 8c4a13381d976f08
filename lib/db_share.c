/*
 * db_share - one LMDB environment per file and process.
 *
 * LMDB forbids to open an environment twice in one process, and means it: its
 * claim on lock.mdb is a lock of fcntl(2), which a process loses whole when it
 * closes any descriptor of that file.  The next program that opens the store
 * takes itself for the first one then, wipes the table of readers, and the
 * owner reuses pages that are being read here.  So two parts of a program that
 * look at one store (the gate's follower of the desk and its suppressions) get
 * two struct db around one environment, found by device and inode.
 *
 * One lock guards the list and the opening of tables, which LMDB wants one at
 * a time.  A child after fork (db_verify) has a list of its own: an environment
 * does not survive a fork.
 */
#include "lib/db_in.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lmdb.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct db_share *shares;
static pid_t owner;

/* db_share_lock - before anything of a store is opened or closed */
void
db_share_lock(void)
{
	pthread_mutex_lock(&lock);
	if (owner != getpid()) {
		owner = getpid();
		shares = NULL;		/* the parent's, if there are any */
	}
}

/* db_share_unlock - and behind it */
void
db_share_unlock(void)
{
	pthread_mutex_unlock(&lock);
}

/* data_of - which file that is; false: there is none */
static bool
data_of(const char *dir, struct stat *st)
{
	struct why why;
	char *path = db_path(dir, DB_DATA, &why);
	bool there = path != NULL && stat(path, st) == 0;

	free(path);
	return there;
}

/* db_share_find - the environment of that folder, if this process has it */
struct db_share *
db_share_find(const char *dir)
{
	struct db_share *s;
	struct stat st;

	if (shares == NULL || !data_of(dir, &st))
		return NULL;
	for (s = shares; s != NULL; s = s->next)
		if (s->dev == st.st_dev && s->ino == st.st_ino) {
			s->refs++;
			return s;
		}
	return NULL;
}

/* db_share_new - an environment that is about to be opened */
struct db_share *
db_share_new(struct why *why)
{
	struct db_share *s = calloc(1, sizeof(*s));

	if (s == NULL) {
		why_kind(why, WHY_MEMORY, "no memory to open a store");
		return NULL;
	}
	s->refs = 1;
	pthread_mutex_init(&s->mutex, NULL);
	pthread_cond_init(&s->quiet, NULL);
	return s;
}

/* db_share_tell - it is open: others may find it */
void
db_share_tell(struct db_share *s, const char *dir)
{
	struct stat st;

	if (!data_of(dir, &st))
		return;
	s->dev = st.st_dev;
	s->ino = st.st_ino;
	s->next = shares;
	shares = s;
}

/* db_share_drop - the last one closes it */
void
db_share_drop(struct db_share *s)
{
	struct db_share **at;

	if (s == NULL || --s->refs > 0)
		return;
	for (at = &shares; *at != NULL; at = &(*at)->next)
		if (*at == s) {
			*at = s->next;
			break;
		}
	if (s->env != NULL)
		mdb_env_close(s->env);
	pthread_mutex_destroy(&s->mutex);
	pthread_cond_destroy(&s->quiet);
	free(s);
}
