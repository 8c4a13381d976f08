/*
 * suppress_read - three stores of other programs, read as one.
 *
 * A store may come into being later than its reader: until then it says
 * nothing.  One that was there and is gone is another matter: whoever takes
 * it for an empty one mails everybody who unsubscribed.  So the set of those
 * that were seen outlives the reader (the gate keeps it in its own store).
 *
 * Which file a name leads to is looked up once a second and not per message;
 * three stat(2) would cost as much as the three look-ups.  A store that was
 * restored from a backup is another file, and is opened anew: nobody may be
 * reading in the old one meanwhile, hence the lock.
 */
#include "lib/suppress.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/clock.h"

static const char *const tables[] = { SUPPRESS_TABLE, NULL };
enum { TABLE };

/* One table is all we read, and its rows say their version. */
static const struct db_layout layouts[SUPPRESS_STORES] = {
	[SUPPRESS_OUTCOMES] = { DB_ANY_VERSION, "outcomes",
	    tables },
	[SUPPRESS_CONSENT] = { DB_ANY_VERSION, "consent",
	    tables },
	[SUPPRESS_DESK] = { DB_ANY_VERSION, "desk",
	    tables },
};

struct one {
	char		*dir, *file;
	struct db	*db;		/* NULL: not there, or not to be read */
	dev_t		 dev;
	ino_t		 ino;
};

struct suppress {
	pthread_rwlock_t lock;		/* readers: db; writer: refresh */
	struct one	 store[SUPPRESS_STORES];
	unsigned	 seen;
	int64_t		 looked;	/* clock_mono; atomic */
	bool		 broken;	/* one of them; why says it */
	struct why	 why;
};

/* suppress_open - the names; what is behind them is looked up by the first
 * check, so that a store which cannot be read defers mail, not the start */
int
suppress_open(struct suppress **out, const char *root, unsigned seen,
    struct why *why)
{
	struct suppress *s = calloc(1, sizeof(*s));

	*out = NULL;
	if (s == NULL)
		goto fail;
	pthread_rwlock_init(&s->lock, NULL);
	s->seen = seen;
	s->looked = INT64_MIN;
	for (int i = 0; i < SUPPRESS_STORES; i++) {
		struct one *o = &s->store[i];

		if (asprintf(&o->dir, "%s/%s", root,
		    suppress_store_names[i]) == -1) {
			o->dir = NULL;
			goto fail;
		}
		if (asprintf(&o->file, "%s/data.mdb", o->dir) == -1) {
			o->file = NULL;
			goto fail;
		}
	}
	*out = s;
	return 0;
fail:
	suppress_close(s);
	return why_kind(why, WHY_MEMORY, "no memory for suppressions");
}

/* suppress_close - nobody may be in a call */
void
suppress_close(struct suppress *s)
{
	if (s == NULL)
		return;
	for (int i = 0; i < SUPPRESS_STORES; i++) {
		db_close(s->store[i].db);
		free(s->store[i].dir);
		free(s->store[i].file);
	}
	pthread_rwlock_destroy(&s->lock);
	free(s);
}

/* suppress_seen - to be kept for the next life */
unsigned
suppress_seen(struct suppress *s)
{
	unsigned seen;

	pthread_rwlock_rdlock(&s->lock);
	seen = s->seen;
	pthread_rwlock_unlock(&s->lock);
	return seen;
}

/* look - at one store: is it there, is it the one we have open? */
static int
look(struct suppress *s, int i, struct why *why)
{
	struct one *o = &s->store[i];
	struct stat st;
	int rc;

	if (stat(o->file, &st) == -1) {
		if (errno != ENOENT && errno != ENOTDIR)
			return why_errno(why, "cannot look at the suppressions "
			    "in %s", o->dir);
		db_close(o->db);
		o->db = NULL;
		if ((s->seen & 1u << i) != 0)
			return why_set(why, "the store %s was here and is "
			    "gone, and with it its suppressions; restore it "
			    "from a backup", o->dir);
		return 0;
	}
	if (o->db != NULL && st.st_dev == o->dev && st.st_ino == o->ino)
		return 0;
	db_close(o->db);
	if ((rc = db_open_reader(&o->db, o->dir, &layouts[i], why)) != 1) {
		o->db = NULL;
		return rc;
	}
	o->dev = st.st_dev;
	o->ino = st.st_ino;
	s->seen |= 1u << i;
	return 0;
}

/* suppress_refresh - all three; the last that cannot be read is told */
int
suppress_refresh(struct suppress *s, struct why *why)
{
	struct why one;

	pthread_rwlock_wrlock(&s->lock);
	s->broken = false;
	for (int i = 0; i < SUPPRESS_STORES; i++) {
		if (look(s, i, &one) == -1) {
			s->broken = true;
			s->why = one;
		}
	}
	__atomic_store_n(&s->looked, clock_mono(), __ATOMIC_RELEASE);
	if (s->broken)
		*why = s->why;
	pthread_rwlock_unlock(&s->lock);
	return s->broken ? -1 : 0;
}

/* ready - a fresh view, and the lock for reading in it; -1 without the lock */
static int
ready(struct suppress *s, struct why *why)
{
	int64_t looked = __atomic_load_n(&s->looked, __ATOMIC_ACQUIRE);

	if ((looked == INT64_MIN || clock_mono() - looked > CLOCK_SECOND) &&
	    suppress_refresh(s, why) == -1)
		return -1;
	pthread_rwlock_rdlock(&s->lock);
	if (!s->broken)
		return 0;
	*why = s->why;
	pthread_rwlock_unlock(&s->lock);
	return -1;
}

/* begin - a transaction in each store and what it has of that address */
static int
begin(struct suppress *s, const uint8_t *hash,
    struct db_txn *txns[SUPPRESS_STORES], struct slice values[SUPPRESS_STORES],
    struct why *why)
{
	struct slice key = { (const char *)hash, FOLD_HASH };
	int rc;

	for (int i = 0; i < SUPPRESS_STORES; i++) {
		values[i] = SLICE_NONE;
		if (s->store[i].db == NULL)
			continue;
		if (db_begin(s->store[i].db, false, &txns[i], why) == -1 ||
		    (rc = db_get(txns[i], TABLE, key, &values[i], why)) == -1)
			return why_in(why, "%s", s->store[i].dir);
		if (rc == 0)
			values[i] = SLICE_NONE;
	}
	return 0;
}

/* end - give all of them back */
static void
end(struct suppress *s, struct db_txn *txns[SUPPRESS_STORES])
{
	for (int i = 0; i < SUPPRESS_STORES; i++)
		db_abort(txns[i]);
	pthread_rwlock_unlock(&s->lock);
}

/* suppress_check - three look-ups and a judgement */
int
suppress_check(struct suppress *s, const uint8_t hash[FOLD_HASH],
    const struct suppress_who *who, struct suppress_hit *hit, struct why *why)
{
	struct db_txn *txns[SUPPRESS_STORES] = { NULL };
	struct slice values[SUPPRESS_STORES];
	int rc;

	if (ready(s, why) == -1)
		return -1;
	if ((rc = begin(s, hash, txns, values, why)) == 0)
		rc = suppress_judge(values, who, hit, why);
	end(s, txns);
	return rc;
}

/* keep - a record whose slices live in the arena */
static int
keep(struct slice value, struct arena *arena, struct suppress_record *out,
    struct why *why)
{
	struct slice copy = arena_copy(arena, value);

	if (copy.p == NULL)
		return why_kind(why, WHY_MEMORY, "no memory for a record");
	return suppress_decode(copy, arena, out, why);
}

/* suppress_find - one address in all stores */
int
suppress_find(struct suppress *s, const uint8_t hash[FOLD_HASH],
    struct arena *arena, struct suppress_record out[SUPPRESS_STORES],
    struct why *why)
{
	struct db_txn *txns[SUPPRESS_STORES] = { NULL };
	struct slice values[SUPPRESS_STORES];
	int rc;

	memset(out, 0, SUPPRESS_STORES * sizeof(*out));
	if (ready(s, why) == -1)
		return -1;
	rc = begin(s, hash, txns, values, why);
	for (int i = 0; i < SUPPRESS_STORES && rc != -1; i++) {
		if (values[i].p == NULL)
			continue;
		rc = keep(values[i], arena, &out[i], why) == -1 ? -1 : 1;
	}
	end(s, txns);
	return rc;
}

/* next_key - the least key that is greater; false behind the last of all */
static bool
next_key(uint8_t key[FOLD_HASH])
{
	for (int i = FOLD_HASH; i > 0; i--)
		if (++key[i - 1] != 0)
			return true;
	return false;
}

/* page - records from key on, in one transaction */
static long
page(struct db_txn *txn, uint8_t key[FOLD_HASH], struct arena *arena,
    struct suppress_record *out, size_t max, struct why *why)
{
	struct slice k = { (const char *)key, FOLD_HASH }, v;
	struct db_cursor *cursor = NULL;
	size_t n = 0;
	int rc = db_seek(txn, TABLE, k, &cursor, &k, &v, why);

	while (rc == 1 && n < max) {
		if (k.n != FOLD_HASH) {
			rc = why_kind(why, WHY_BROKEN, "a key of the "
			    "suppressions is damaged");
			break;
		}
		memcpy(key, k.p, FOLD_HASH);
		if ((rc = keep(v, arena, &out[n], why)) == -1)
			break;
		memcpy(out[n].key, key, FOLD_HASH);
		if (++n < max)
			rc = db_next(cursor, &k, &v, why);
	}
	db_cursor_close(cursor);
	return rc == -1 ? -1 : (long)n;
}

/* suppress_page - the records behind key, a transaction per page */
long
suppress_page(struct suppress *s, enum suppress_store store,
    uint8_t key[FOLD_HASH], bool *begun, struct arena *arena,
    struct suppress_record *out, size_t max, struct why *why)
{
	struct db_txn *txn = NULL;
	uint8_t from[FOLD_HASH] = { 0 };
	long n = 0;

	if (*begun) {
		memcpy(from, key, FOLD_HASH);
		if (!next_key(from))
			return 0;
	}
	if (ready(s, why) == -1)
		return -1;
	if (s->store[store].db != NULL) {
		if (db_begin(s->store[store].db, false, &txn, why) == -1)
			n = -1;
		else
			n = page(txn, from, arena, out, max, why);
		db_abort(txn);
	}
	pthread_rwlock_unlock(&s->lock);
	if (n > 0) {
		memcpy(key, from, FOLD_HASH);
		*begun = true;
	}
	return n;
}
