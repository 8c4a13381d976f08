/*
 * consent - the writing thread and its queue.
 *
 * Dates are the wall clock, for they are compared with those of operators in
 * another store; but always later than what this store says of the same list:
 * a clock that was set back must not let an old "subscribe again" outlive a
 * new "unsubscribe", which was answered with yes.
 *
 * A full disk shows before the commit (db_reserve) and passes: LATER.  Any
 * other failure of a commit is the end of the process, since nobody knows what
 * is on disk.
 */
#include "tools/unsubscribe/consent.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/log.h"

enum { TABLE, BATCH = 1024 };
#define TICK	(2 * CLOCK_SECOND)
#define SILENCE	(15 * CLOCK_SECOND)	/* without a beat: something hangs */

static const char *const tables[] = { SUPPRESS_TABLE, NULL };
const struct db_layout consent_layout = { .version = 1, .kind = "consent",
	.tables = tables };

struct consent {
	struct db	*db;
	struct arena	*arena;		/* the thread's */
	pthread_t	 thread;
	bool		 started;
	pthread_mutex_t	 lock;
	pthread_cond_t	 some;
	struct wish	*first, **last;
	bool		 stopping, well, broken;
	int64_t		 beat;		/* clock_mono */
	int64_t		 cared;
};

/* --- one batch ------------------------------------------------------------ */

/* later_than - a date behind all that the row says of that scope */
static int64_t
later_than(const struct suppress_record *r, const struct suppress_entry *e)
{
	int64_t date = clock_wall();

	for (size_t i = 0; i < r->n; i++)
		if (r->list[i].scope == e->scope && r->list[i].id == e->id &&
		    r->list[i].date >= date)
			date = r->list[i].date + 1;
	return date;
}

/* entry_of - a wish as it is stored */
static struct suppress_entry
entry_of(const struct wish *w)
{
	return (struct suppress_entry){
		.scope = w->list != 0 ? SUPPRESS_LIST : SUPPRESS_TENANT,
		.id = w->list != 0 ? w->list : w->tenant,
		.reason = SUPPRESS_UNSUBSCRIBE, .lift = w->lift,
		.source = slice_of(w->source), .note = SLICE("") };
}

/* write_one - a wish into the transaction: 1, or -1.  It is written also when
 * the row says so already: an operator may have lifted that since, in another
 * store, and this press is the later word. */
static int
write_one(struct consent *c, struct db_txn *txn, const struct wish *w,
    struct why *why)
{
	struct slice address = { w->address, w->naddress }, row;
	struct suppress_entry e = entry_of(w);
	struct suppress_record r = { .n = 0 };
	struct folded folded;
	int rc;

	arena_reset(c->arena);
	if (fold_text(address, c->arena, NULL, &folded, why) == -1)
		return -1;
	if ((rc = db_get(txn, TABLE, (struct slice){ (char *)folded.hash,
	    FOLD_HASH }, &row, why)) == -1 ||
	    (rc == 1 && suppress_decode(row, c->arena, &r, why) == -1))
		return -1;
	e.date = later_than(&r, &e);
	return suppress_add(txn, TABLE, &folded, address, &e, c->arena, why);
}

/* write_all - a batch in one transaction; a wish that cannot be written for
 * reasons of its own (an address with too many entries) is LATER alone */
static int
write_all(struct consent *c, struct wish *batch, struct why *why)
{
	static struct log_pace pace;
	struct db_txn *txn = NULL;
	bool some = false;
	int rc;

	if (db_reserve(c->db, why) == -1 ||
	    db_begin(c->db, true, &txn, why) == -1)
		return -1;
	for (struct wish *w = batch; w != NULL; w = w->next) {
		why->kind = WHY_OTHER;
		rc = write_one(c, txn, w, why);
		if (rc == -1 && why->kind != WHY_OTHER) {
			db_abort(txn);
			return -1;
		}
		if (rc == -1)
			/* why names the address: not for the log */
			log_paced(&pace, LOG_LEVEL_WARN, "an unsubscribe is "
			    "answered with 503: its address cannot be read, "
			    "or has %d entries already", SUPPRESS_ENTRIES);
		w->result = rc == -1 ? CONSENT_LATER : CONSENT_DONE;
		some = some || rc == 1;
	}
	if (some)
		return db_commit(txn, why);
	db_abort(txn);
	return 0;
}

/* --- the thread ----------------------------------------------------------- */

/* take - up to a batch from the queue, under the lock */
static struct wish *
take(struct consent *c)
{
	struct wish *batch = c->first, *end = batch;

	for (int n = 1; end != NULL && end->next != NULL && n < BATCH; n++)
		end = end->next;
	if (end != NULL) {
		c->first = end->next;
		if (c->first == NULL)
			c->last = &c->first;
		end->next = NULL;
	}
	return batch;
}

/* judge - how the last try went, told once when it changes */
static void
judge(struct consent *c, int rc, const struct why *why)
{
	bool was;

	pthread_mutex_lock(&c->lock);
	was = c->well;
	c->well = rc == 0;
	if (rc == -1 && why->kind == WHY_BROKEN)
		c->broken = true;
	pthread_mutex_unlock(&c->lock);
	if (rc == -1 && was)
		log_error("unsubscribes cannot be stored and are answered "
		    "with 503: %s", why->text);
	else if (rc == 0 && !was)
		log_info("unsubscribes are stored again");
}

/* care - what an owner does now and then; also the try of consent_well */
static void
care(struct consent *c)
{
	struct why why = { .kind = WHY_OTHER };
	int rc;

	if (clock_mono() - c->cared < TICK)
		return;
	c->cared = clock_mono();
	db_check_readers(c->db);
	rc = db_check_file(c->db, &why);
	if (rc == 0)
		rc = db_reserve(c->db, &why);
	judge(c, rc, &why);
}

/* serve - a batch written, and each wish told */
static void
serve(struct consent *c, struct wish *batch)
{
	struct why why = { .kind = WHY_OTHER };
	struct wish *next;
	int rc;

	if (consent_broken(c)) {
		rc = -1;		/* nothing more is tried */
	} else {
		rc = write_all(c, batch, &why);
		judge(c, rc, &why);
	}
	for (; batch != NULL; batch = next) {
		next = batch->next;
		if (rc == -1)
			batch->result = CONSENT_LATER;
		batch->done(batch);
	}
}

/* run - the thread */
static void *
run(void *with)
{
	struct consent *c = with;
	struct timespec until;
	struct wish *batch;

	pthread_mutex_lock(&c->lock);
	while (!c->stopping || c->first != NULL) {
		c->beat = clock_mono();
		if (c->first == NULL) {
			clock_gettime(CLOCK_MONOTONIC, &until);
			until.tv_sec += 1;
			pthread_cond_timedwait(&c->some, &c->lock, &until);
		}
		batch = take(c);
		pthread_mutex_unlock(&c->lock);
		if (batch != NULL)
			serve(c, batch);
		care(c);
		pthread_mutex_lock(&c->lock);
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

/* consent_open - the store, then the thread */
int
consent_open(struct consent **out, const char *dir, uint64_t map_size,
    struct why *why)
{
	struct consent *c = calloc(1, sizeof(*c));
	pthread_condattr_t attr;
	int err;

	*out = NULL;
	if (c == NULL || (c->arena = arena_new(8192, 0)) == NULL) {
		free(c);
		return why_kind(why, WHY_MEMORY, "no memory for %s", dir);
	}
	c->last = &c->first;
	c->well = true;
	pthread_mutex_init(&c->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&c->some, &attr);
	pthread_condattr_destroy(&attr);
	if (db_open_owner(&c->db, dir, &consent_layout, map_size, why) == -1) {
		consent_close(c);
		return -1;
	}
	if ((err = pthread_create(&c->thread, NULL, run, c)) != 0) {
		errno = err;
		why_errno(why, "cannot start a thread");
		consent_close(c);
		return -1;
	}
	c->started = true;
	*out = c;
	return 0;
}

/* consent_stop - when the queue has run dry */
void
consent_stop(struct consent *c)
{
	pthread_mutex_lock(&c->lock);
	c->stopping = true;
	pthread_cond_signal(&c->some);
	pthread_mutex_unlock(&c->lock);
	if (c->started)
		pthread_join(c->thread, NULL);
	c->started = false;
}

/* consent_close - and the store is anybody's */
void
consent_close(struct consent *c)
{
	if (c == NULL)
		return;
	consent_stop(c);
	db_close(c->db);
	arena_free(c->arena);
	pthread_cond_destroy(&c->some);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

/* --- what others call ----------------------------------------------------- */

/* consent_wish - of a token that was read */
void
consent_wish(struct wish *w, const struct token *t, bool lift,
    const char *source)
{
	memset(w, 0, sizeof(*w));
	w->lift = lift;
	w->tenant = t->tenant;
	w->list = t->list;
	w->naddress = t->recipient.n;
	memcpy(w->address, t->recipient.p, t->recipient.n);
	w->source = source;
}

/* consent_put - to the end of the queue */
void
consent_put(struct consent *c, struct wish *w)
{
	bool late;

	w->next = NULL;
	w->result = CONSENT_WAITS;
	pthread_mutex_lock(&c->lock);
	if (!(late = c->stopping)) {
		*c->last = w;
		c->last = &w->next;
		pthread_cond_signal(&c->some);
	}
	pthread_mutex_unlock(&c->lock);
	if (late) {
		w->result = CONSENT_LATER;
		w->done(w);
	}
}

/* left - what a row says of the token's list, or of the tenant */
static int
left(struct slice row, const struct token *t, struct arena *arena,
    int64_t *date, struct why *why)
{
	struct suppress_record r;

	if (suppress_decode(row, arena, &r, why) == -1)
		return -1;
	for (size_t i = 0; i < r.n; i++) {
		const struct suppress_entry *e = &r.list[i];

		if (e->scope != (t->list != 0 ? SUPPRESS_LIST :
		    SUPPRESS_TENANT) ||
		    e->id != (t->list != 0 ? t->list : t->tenant))
			continue;
		*date = e->date;
		return !e->lift;
	}
	return 0;
}

/* consent_left - for the page */
int
consent_left(struct consent *c, const struct token *t, int64_t *date,
    struct why *why)
{
	struct arena *arena = arena_new(4096, 0);
	struct db_txn *txn = NULL;
	struct folded folded;
	struct slice row;
	int rc = -1;

	if (arena == NULL)
		return why_kind(why, WHY_MEMORY, "no memory");
	if (fold_text(t->recipient, arena, NULL, &folded, why) == -1 ||
	    db_begin(c->db, false, &txn, why) == -1)
		goto out;
	rc = db_get(txn, TABLE, (struct slice){ (char *)folded.hash,
	    FOLD_HASH }, &row, why);
	if (rc == 1)
		rc = left(row, t, arena, date, why);
out:
	db_abort(txn);
	arena_free(arena);
	return rc;
}

/* flag - one of them, under the lock */
static bool
flag(struct consent *c, const bool *which)
{
	bool value;

	pthread_mutex_lock(&c->lock);
	value = *which;
	pthread_mutex_unlock(&c->lock);
	return value;
}

/* consent_well - could we write a moment ago? */
bool
consent_well(struct consent *c)
{
	return flag(c, &c->well) && consent_beats(c);
}

/* consent_broken - must the process end? */
bool
consent_broken(struct consent *c)
{
	return flag(c, &c->broken);
}

/* consent_beats - does the thread come round? */
bool
consent_beats(struct consent *c)
{
	bool beats;

	pthread_mutex_lock(&c->lock);
	beats = clock_mono() - c->beat < SILENCE || c->beat == 0;
	pthread_mutex_unlock(&c->lock);
	return beats;
}
