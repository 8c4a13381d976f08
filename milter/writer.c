/*
 * writer - what callbacks call: hand an event in, and wait for the disk.
 *
 * How a message is made durable:
 *
 *	callback	encodes its event into a ticket, puts the ticket into
 *			the queue, waits on the ticket's own semaphore
 *	thread		takes all that is queued (at most WRITER_MAIL), writes
 *			it in one transaction, commits: one fsync for all;
 *			settles the ledger in the order of sequences; posts
 *			each semaphore
 *
 * So the price of an fsync is shared by as many as came while the last one
 * ran, and nobody waits longer than for two.  Tickets, with their buffers, are
 * used again: a steady stream allocates nothing.
 *
 * The deadline.  Postfix waits for us, and behind Postfix a client.  After
 * WRITER_DEADLINE the callback answers 451 whatever the disk does.  An event
 * that is still in the queue then is taken out and never was; one that is in
 * the transaction may land: then the client comes again with a message that
 * was counted, so the thread writes a void behind it and gives the charges
 * back.  As long as no commit has returned since, nobody else waits: 451 at
 * MAIL, at once.
 *
 * No room.  When the disk or the map is full the whole group fails, and until
 * a probe, once a second, gets through, everything is refused at once.  Voids
 * and notes wait for better days.
 *
 * Not chosen: a commit every N ms (an idle gate would wait for nothing; a busy
 * one groups by itself), one condition for all waiters (each commit would wake
 * everybody), a lock-free queue (the lock is held for a few stores).
 */
#include "milter/writer.h"
#include "milter/writer_in.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/log.h"

/* --- start and stop ------------------------------------------------------- */

/* writer_poke - only a thread that sleeps needs a call into the kernel */
void
writer_poke(struct writer *w)
{
	if (!w->sleeping)
		return;
	w->sleeping = false;
	pthread_cond_signal(&w->work);
}

/* no_row - store_counters, for the sake of the checkpoint alone */
static bool
no_row(void *with, const struct counter_row *row)
{
	(void)with, (void)row;
	return false;
}

/* writer_free - no thread any more */
static void
writer_free(struct writer *w)
{
	struct ticket *t;

	while ((t = tickets_take(&w->notes)) != NULL ||
	    (t = tickets_take(&w->voids)) != NULL)
		ticket_free(t);
	while ((t = w->pool) != NULL) {
		w->pool = t->next;
		ticket_free(t);
	}
	repeats_free(w->repeats);
	repeats_free(w->closed);
	arena_free(w->arena);
	buf_free(&w->scratch);
	free((void *)(uintptr_t)w->status.text.p);
	free((void *)(uintptr_t)w->status.version.p);
	free((void *)(uintptr_t)w->status.socket.p);
	free((void *)(uintptr_t)w->status.desk.p);
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->work);
	pthread_cond_destroy(&w->answered);
	free(w);
}

/* thread_start - signals are for others */
static int
thread_start(struct writer *w, struct why *why)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&w->thread, NULL, writer_thread, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc != 0)
		return why_set(why, "cannot start the writer: %s",
		    strerror(rc));
	return 0;
}

/* writer_start - the ledger stands at sequence applied */
int
writer_start(struct writer **out, struct store *store, struct ledger *ledger,
    uint64_t applied, struct why *why)
{
	struct writer *w = calloc(1, sizeof(*w));
	pthread_condattr_t attr;
	uint64_t last;

	*out = NULL;
	if (w == NULL)
		return why_kind(why, WHY_MEMORY, "no memory for the writer");
	w->store = store;
	w->ledger = ledger;
	w->settled = applied;
	w->deadline = WRITER_DEADLINE;
	w->round_every = WRITER_ROUND;
	atomic_store(&w->beat, clock_mono());
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->work, &attr);
	pthread_cond_init(&w->answered, &attr);
	pthread_condattr_destroy(&attr);
	w->minute = clock_now() / CLOCK_MINUTE;
	w->round_at = clock_mono();
	if ((w->repeats = repeats_new()) == NULL ||
	    (w->closed = repeats_new()) == NULL ||
	    (w->arena = arena_new(64u << 10, 0)) == NULL) {
		why_kind(why, WHY_MEMORY, "no memory for the writer");
		goto fail;
	}
	if (store_last(store, &last, &w->time, why) == -1 ||
	    store_counters(store, &w->checkpoint, no_row, NULL, why) == -1)
		goto fail;
	if (last != applied) {
		why_set(why, "the counters stand at event %llu, the last one "
		    "is %llu", (unsigned long long)applied,
		    (unsigned long long)last);
		goto fail;
	}
	if (thread_start(w, why) == -1)
		goto fail;
	*out = w;
	return 0;
fail:
	writer_free(w);
	return -1;
}

/* writer_stop - everything that waits is on disk, or said to be lost */
void
writer_stop(struct writer *w)
{
	if (w == NULL)
		return;
	pthread_mutex_lock(&w->lock);
	atomic_store(&w->stopping, true);
	writer_poke(w);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	writer_free(w);
}

/* writer_tune - for tests */
void
writer_tune(struct writer *w, int64_t deadline, int64_t round)
{
	w->deadline = deadline;
	w->round_every = round;
}

/* --- is it well? ---------------------------------------------------------- */

/* writer_alive - may mail be taken? */
bool
writer_alive(struct writer *w, const char **reason)
{
	if (atomic_load(&w->stopping)) {
		*reason = "the gate is stopping";
		return false;
	}
	switch (atomic_load(&w->trouble)) {
	case TROUBLE_LATE:
		*reason = "the store does not answer";
		return false;
	case TROUBLE_NOROOM:
		*reason = "no room to record mail";
		return false;
	default:
		return true;
	}
}

/* writer_beats - a slow disk is no reason for a restart, a dead one is */
bool
writer_beats(struct writer *w)
{
	return clock_mono() - atomic_load(&w->beat) < 10 * CLOCK_SECOND;
}

/* --- mail ----------------------------------------------------------------- */

/* refuse - not even queued */
static int
refuse(struct writer *w, const struct event *e)
{
	ledger_settle(w->ledger, e->charges, e->ncharges, false, 0,
	    clock_now());
	pthread_mutex_lock(&w->lock);
	w->failed++;
	pthread_mutex_unlock(&w->lock);
	return -1;
}

/* wait_done - until the writer says so, or the deadline; false: too late */
static bool
wait_done(struct ticket *t, int64_t until)
{
	struct timespec ts = { .tv_sec = (time_t)(until / CLOCK_SECOND),
		.tv_nsec = (long)(until % CLOCK_SECOND * 1000) };
	int rc;

	do {
		rc = sem_clockwait(&t->done, CLOCK_MONOTONIC, &ts);
	} while (rc == -1 && errno == EINTR);
	return rc == 0;
}

/*
 * give_up - the deadline is over; true when the ticket is still ours because
 * it was decided in this very moment
 */
static bool
give_up(struct writer *w, struct ticket *t)
{
	enum ticket_state state;
	bool first;

	pthread_mutex_lock(&w->lock);
	state = atomic_load(&t->state);
	if (state == TICKET_LANDED || state == TICKET_FAILED) {
		pthread_mutex_unlock(&w->lock);
		while (sem_wait(&t->done) == -1 && errno == EINTR)
			;
		return true;
	}
	w->failed++;
	first = atomic_load(&w->trouble) == TROUBLE_NONE;
	if (first)
		atomic_store(&w->trouble, TROUBLE_LATE);
	if (state == TICKET_COMMITTING)
		atomic_store(&t->state, TICKET_ABANDONED);
	else
		tickets_remove(&w->mail, t);
	writer_poke(w);
	pthread_mutex_unlock(&w->lock);
	if (first)
		log_error("the store has not answered for %lld ms: mail gets "
		    "451 until it does", (long long)(w->deadline / 1000));
	if (state == TICKET_QUEUED) {
		ledger_settle(w->ledger, t->charges, t->ncharges, false, 0,
		    clock_now());
		ticket_drop(w, t);
	}
	return false;
}

/* commit - the event is on disk when this returns 0, with its row */
static int
commit(struct writer *w, const struct event *e, const struct held *held,
    uint64_t *seq, struct why *why)
{
	int64_t until = clock_mono() + w->deadline;
	struct ticket *t = NULL;
	const char *reason;
	int rc = 0;

	*seq = 0;
	if (!writer_alive(w, &reason)) {
		why_kind(why, WHY_NOROOM, "%s", reason);
		return refuse(w, e);
	}
	if ((t = ticket_get(w, TICKET_MAIL)) == NULL ||
	    ticket_fill(t, e, held) == -1) {
		if (t != NULL)
			ticket_drop(w, t);
		why_kind(why, WHY_MEMORY, "no memory to record the message");
		return refuse(w, e);
	}
	pthread_mutex_lock(&w->lock);
	/* the thread sees to it that nothing is queued when it has ended */
	if (atomic_load(&w->stopping)) {
		pthread_mutex_unlock(&w->lock);
		ticket_drop(w, t);
		why_set(why, "the gate is stopping");
		return refuse(w, e);
	}
	tickets_add(&w->mail, t);
	writer_poke(w);
	pthread_mutex_unlock(&w->lock);
	if (!wait_done(t, until) && !give_up(w, t))
		return why_kind(why, WHY_BUSY, "the store did not answer "
		    "within %lld ms", (long long)(w->deadline / 1000));
	if (atomic_load(&t->state) == TICKET_LANDED)
		*seq = t->seq;
	else {
		*why = t->why;
		rc = -1;
	}
	ticket_drop(w, t);
	return rc;
}

/* writer_commit - of mail that goes on */
int
writer_commit(struct writer *w, const struct event *e, uint64_t *seq,
    struct why *why)
{
	return commit(w, e, NULL, seq, why);
}

/* writer_hold - of mail that waits */
int
writer_hold(struct writer *w, const struct event *e, const struct held *held,
    uint64_t *seq, struct why *why)
{
	return commit(w, e, held, seq, why);
}

/* writer_void - what was recorded was not accepted after all */
void
writer_void(struct writer *w, const struct event *e, uint64_t seq)
{
	struct event v = *e;
	struct ticket *t;

	v.kind = EVENT_VOID;
	v.voids = seq;
	v.seq = 0;
	v.text = SLICE("the message was not accepted: an edit failed");
	if ((t = ticket_get(w, TICKET_VOID)) == NULL ||
	    ticket_fill(t, &v, NULL) == -1) {
		if (t != NULL)
			ticket_drop(w, t);
		log_error("no memory to void event %llu: what it was charged "
		    "stays charged", (unsigned long long)seq);
		return;
	}
	pthread_mutex_lock(&w->lock);
	w->failed++;
	tickets_add(&w->voids, t);
	writer_poke(w);
	pthread_mutex_unlock(&w->lock);
}

/* --- notes ---------------------------------------------------------------- */

/* writer_turn - a minute is over: its repeats are to be written */
void
writer_turn(struct writer *w)
{
	int64_t minute = clock_now() / CLOCK_MINUTE;
	struct repeats *swap;

	/* the thread may be late with the last one: then it counts on */
	if (minute == w->minute || w->closed_full)
		return;
	w->minute = minute;
	if (repeats_empty(w->repeats))
		return;
	swap = w->closed;
	w->closed = w->repeats;
	w->repeats = swap;
	w->closed_full = true;
	writer_poke(w);
}

/* note_counted - is it a repeat, or one too many?  Then that is all */
static bool
note_counted(struct writer *w, const struct event *e)
{
	bool counted = false;

	pthread_mutex_lock(&w->lock);
	if (e->kind == EVENT_DEFER)
		w->deferred++;
	else if (e->kind == EVENT_REFUSE)
		w->refused++;
	writer_turn(w);
	if (e->kind == EVENT_DEFER || e->kind == EVENT_REFUSE)
		counted = repeats_count(w->repeats, e);
	if (!counted && w->notes.n >= WRITER_NOTES) {
		w->lost++;
		counted = true;
	}
	pthread_mutex_unlock(&w->lock);
	return counted;
}

/* writer_note - a refusal; never waits for the disk */
void
writer_note(struct writer *w, const struct event *e)
{
	struct ticket *t;

	if (note_counted(w, e))
		return;
	if ((t = ticket_get(w, TICKET_NOTE)) == NULL ||
	    ticket_fill(t, e, NULL) == -1) {
		pthread_mutex_lock(&w->lock);
		if (t != NULL)
			ticket_put(w, t);
		w->lost++;
		pthread_mutex_unlock(&w->lock);
		return;
	}
	pthread_mutex_lock(&w->lock);
	tickets_add(&w->notes, t);
	writer_poke(w);
	pthread_mutex_unlock(&w->lock);
}

/* --- policy --------------------------------------------------------------- */

/* writer_reload - the thread does it, in transactions of its own */
int
writer_reload(struct writer *w, const struct status *status,
    const struct event *e, bool (*forms)(void *, struct store *), void *with,
    struct why *why)
{
	struct reload_request request = { .status = status, .event = e,
		.forms = forms, .with = with, .why = why };

	pthread_mutex_lock(&w->lock);
	while (w->request != NULL)
		pthread_cond_wait(&w->answered, &w->lock);
	if (atomic_load(&w->stopping)) {
		pthread_mutex_unlock(&w->lock);
		return why_set(why, "the gate is stopping");
	}
	w->request = &request;
	writer_poke(w);
	while (!request.done)
		pthread_cond_wait(&w->answered, &w->lock);
	pthread_mutex_unlock(&w->lock);
	return request.rc;
}

/* writer_seen - which stores of others the gate has seen */
void
writer_seen(struct writer *w, unsigned (*seen)(void *), void *with)
{
	w->seen = seen;
	w->seen_with = with;
}

/* writer_draining - said in the status, soon */
void
writer_draining(struct writer *w)
{
	pthread_mutex_lock(&w->lock);
	atomic_store(&w->draining, true);
	writer_poke(w);
	pthread_mutex_unlock(&w->lock);
}
