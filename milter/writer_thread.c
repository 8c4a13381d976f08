/*
 * writer_thread - the thread: take, write, commit, settle, wake.
 *
 * Once around: sleep until there is something (or TICK); close the minute's
 * repeats; answer a reload; write a group; look after the environment.  A
 * transaction begins and ends within one function, the ledger is settled
 * between the commit and the waking, and the order of the batch is the order
 * of sequences, so the ledger sees events exactly as a replay will.
 *
 * What an error means is decided in one place, group_failed: no room (or no
 * memory) fails the group and is lived through; all else ends the process
 * with EX_IOERR.  systemd starts it again, and what is read back then is what
 * is on disk.
 */
#include "milter/writer_in.h"

#include <errno.h>
#include <sysexits.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/log.h"

#define TICK		(CLOCK_SECOND / 2)	/* us: at least this often */
#define STATUS_EVERY	(2 * CLOCK_SECOND)
#define CARE_EVERY	(10 * CLOCK_SECOND)
#define PROBE_EVERY	CLOCK_SECOND
#define LOST_EVERY	CLOCK_MINUTE

enum { PROBE = 256 << 10, BUSY_SLICE = 256 };

/* fatal - the store cannot be trusted by this process any more */
static void
fatal(const struct why *why)
{
	log_fatal(EX_IOERR, "the store cannot be trusted: %s; leaving, so that "
	    "the next start reads back what is on disk", why->text);
}

/* --- taking --------------------------------------------------------------- */

/* has_work - lock held */
static bool
has_work(struct writer *w)
{
	enum trouble trouble = atomic_load(&w->trouble);

	if (w->mail.n > 0 || w->request != NULL || w->desk != NULL ||
	    w->held != NULL || w->warm != NULL ||
	    w->closed_full || atomic_load(&w->stopping))
		return true;
	if (trouble == TROUBLE_NOROOM)
		return false;
	return trouble == TROUBLE_LATE || w->voids.n > 0 || w->notes.n > 0 ||
	    w->round || w->ndrops > 0 ||
	    atomic_load(&w->draining) != w->was_draining;
}

/* await - until there is work, or a tick has passed */
static void
await(struct writer *w)
{
	int64_t until = clock_mono() + TICK;
	struct timespec ts = { .tv_sec = (time_t)(until / CLOCK_SECOND),
		.tv_nsec = (long)(until % CLOCK_SECOND * 1000) };

	while (!has_work(w)) {
		w->sleeping = true;
		if (pthread_cond_timedwait(&w->work, &w->lock, &ts) ==
		    ETIMEDOUT)
			break;
	}
	w->sleeping = false;
}

/* take_some - up to most of a queue, up to so many bytes; lock held */
static void
take_some(struct writer *w, struct tickets *q, size_t most, size_t *bytes)
{
	struct ticket *t;

	while (most-- > 0 && q->first != NULL &&
	    (w->nbatch == 0 || *bytes < WRITER_BYTES)) {
		t = tickets_take(q);
		*bytes += t->encoded.len;
		atomic_store_explicit(&t->state, TICKET_COMMITTING,
		    memory_order_relaxed);
		w->batch[w->nbatch++] = t;
	}
}

/*
 * take - the next group: what gives back first, then mail, then notes, which
 * get what mail leaves them, or WRITER_OTHER
 */
static void
take(struct writer *w)
{
	size_t bytes = 0, left = WRITER_MAIL;

	w->nbatch = 0;
	pthread_mutex_lock(&w->lock);
	take_some(w, &w->voids, WRITER_OTHER, &bytes);
	take_some(w, &w->mail, WRITER_MAIL, &bytes);
	left -= w->nbatch < left ? w->nbatch : left;
	take_some(w, &w->notes, left > WRITER_OTHER ? left : WRITER_OTHER,
	    &bytes);
	pthread_mutex_unlock(&w->lock);
}

/* --- a group -------------------------------------------------------------- */

/* writer_begin - a transaction, and its moment */
int
writer_begin(struct writer *w, struct why *why)
{
	int64_t now = clock_now();

	if (now > w->time)
		w->time = now;
	return store_begin(w->store, why);
}

/* status_due - a heartbeat, or something to say at once */
static bool
status_due(struct writer *w)
{
	return clock_mono() - w->status_at >= STATUS_EVERY ||
	    atomic_load(&w->trouble) == TROUBLE_LATE ||
	    atomic_load(&w->draining) != w->was_draining;
}

/* put_ticket - the event, and what its message is among the held */
static int
put_ticket(struct writer *w, struct ticket *t, struct why *why)
{
	if (store_append(w->store, buf_slice(&t->encoded), w->time,
	    buf_slice(&t->queue_id), &t->seq, why) == -1)
		return -1;
	if (t->kind == TICKET_VOID && t->voids != 0)
		return store_drop_held(w->store, t->voids, why);
	return t->held.len == 0 ? 0 : store_put_held_row(w->store, t->seq,
	    buf_slice(&t->held), why);
}

/* put_group - everything in one transaction */
static int
put_group(struct writer *w, struct why *why)
{
	size_t i;

	if (writer_begin(w, why) == -1)
		return -1;
	for (i = 0; i < w->nbatch; i++)
		if (put_ticket(w, w->batch[i], why) == -1)
			goto fail;
	if (round_due(w, atomic_load(&w->stopping)) && round_put(w,
	    w->nbatch > 0 ? BUSY_SLICE : WRITER_SLICE, why) == -1)
		goto fail;
	if (status_due(w) && status_put(w, why) == -1)
		goto fail;
	return store_commit(w->store, why);
fail:
	store_abort(w->store);
	return -1;
}

/* void_of - an event that nobody waited for becomes one that gives it back */
static int
void_of(struct writer *w, struct ticket *t)
{
	struct event e;
	struct buf swap;
	struct why why;

	arena_reset(w->arena);
	buf_reset(&w->scratch);
	if (event_decode(buf_slice(&t->encoded), &e, w->arena, &why) == -1)
		goto fail;
	e.kind = EVENT_VOID;
	e.voids = t->voids = t->seq;
	e.seq = 0;
	e.text = SLICE("it was on disk only after the answer 451");
	event_encode(&e, &w->scratch);
	if (buf_failed(&w->scratch)) {
		why_set(&why, "no memory");
		goto fail;
	}
	swap = t->encoded;
	t->encoded = w->scratch;
	w->scratch = swap;
	t->kind = TICKET_VOID;
	return 0;
fail:
	log_error("cannot void event %llu: %s; what it was charged stays "
	    "charged", (unsigned long long)t->seq, why.text);
	return -1;
}

/* settle - the ledger follows, event by event */
static void
settle(struct writer *w)
{
	size_t i;

	for (i = 0; i < w->nbatch; i++) {
		struct ticket *t = w->batch[i];

		if (t->kind == TICKET_MAIL)
			ledger_settle(w->ledger, t->charges, t->ncharges, true,
			    t->seq, w->time);
		else if (t->kind == TICKET_VOID)
			ledger_void(w->ledger, t->charges, t->ncharges,
			    t->seq, w->time);
		w->settled = t->seq;
	}
}

/* post - those of the batch that are decided; each is its waiter's from here */
static void
post(struct ticket **batch, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		sem_post(&batch[i]->done);
}

/*
 * part - the batch is decided: whose it is now; lock held.  Tickets with a
 * waiter move to the front of the batch, their number is returned.
 */
static size_t
part(struct writer *w, enum ticket_state state)
{
	size_t i, waiting = 0;

	for (i = 0; i < w->nbatch; i++) {
		struct ticket *t = w->batch[i];

		if (t->kind == TICKET_MAIL &&
		    atomic_load(&t->state) == TICKET_COMMITTING) {
			if (state == TICKET_FAILED)
				w->failed++;
			else
				w->accepted += t->event == EVENT_ACCEPT ||
				    t->event == EVENT_HOLD;
			w->batch[waiting++] = t;
			atomic_store(&t->state, state);
		} else if (t->kind == TICKET_MAIL && state == TICKET_LANDED &&
		    void_of(w, t) == 0)
			tickets_add(&w->voids, t);
		else
			ticket_put(w, t);
	}
	return waiting;
}

/* group_landed - on disk: settle, then wake */
static void
group_landed(struct writer *w)
{
	size_t waiting;
	bool late;

	settle(w);
	round_landed(w);
	pthread_mutex_lock(&w->lock);
	waiting = part(w, TICKET_LANDED);
	late = atomic_load(&w->trouble) == TROUBLE_LATE;
	if (late)
		atomic_store(&w->trouble, TROUBLE_NONE);
	pthread_mutex_unlock(&w->lock);
	post(w->batch, waiting);
	if (late)
		log_info("the store answers again: mail is taken");
}

/* group_failed - no room: lived through; anything else: the end */
static void
group_failed(struct writer *w, const struct why *why)
{
	struct ticket *keep[WRITER_BATCH];
	size_t i, waiting, n = 0, mail = 0;

	if (why->kind != WHY_NOROOM && why->kind != WHY_MEMORY)
		fatal(why);
	for (i = 0; i < w->nbatch; i++) {
		struct ticket *t = w->batch[i];

		if (t->kind != TICKET_MAIL) {
			keep[n++] = t;
			continue;
		}
		ledger_settle(w->ledger, t->charges, t->ncharges, false, 0,
		    w->time);
		t->why = *why;
		w->batch[mail++] = t;
	}
	w->nbatch = mail;
	round_failed(w);
	pthread_mutex_lock(&w->lock);
	waiting = part(w, TICKET_FAILED);
	/* notes stand behind voids in a batch */
	while (n > 0 && keep[n - 1]->kind == TICKET_NOTE)
		tickets_back(&w->notes, &keep[--n], 1);
	tickets_back(&w->voids, keep, n);
	atomic_store(&w->trouble, TROUBLE_NOROOM);
	pthread_mutex_unlock(&w->lock);
	post(w->batch, waiting);
	w->probe_at = clock_mono();
	log_error("%s: mail gets 451 until there is room", why->text);
}

/* group - write what there is to write; false: nothing was */
static bool
group(struct writer *w)
{
	struct why why;

	take(w);
	if (w->nbatch == 0 && !status_due(w) &&
	    !round_due(w, atomic_load(&w->stopping)))
		return false;
	if (put_group(w, &why) == 0)
		group_landed(w);
	else
		group_failed(w, &why);
	return true;
}

/* --- no room -------------------------------------------------------------- */

/* fail_mail - those who queued up just before the door was closed */
static void
fail_mail(struct writer *w)
{
	struct ticket *t;

	for (;;) {
		pthread_mutex_lock(&w->lock);
		t = tickets_take(&w->mail);
		if (t != NULL) {
			w->failed++;
			why_kind(&t->why, WHY_NOROOM,
			    "no room to record mail");
			atomic_store(&t->state, TICKET_FAILED);
		}
		pthread_mutex_unlock(&w->lock);
		if (t == NULL)
			return;
		ledger_settle(w->ledger, t->charges, t->ncharges, false, 0,
		    clock_now());
		sem_post(&t->done);
	}
}

/* probe - once a second: would events fit, and does a commit get through? */
static void
probe(struct writer *w)
{
	int64_t now = clock_mono();
	struct why why;
	int rc;

	if (now - w->probe_at < PROBE_EVERY)
		return;
	w->probe_at = now;
	rc = store_probe(w->store, PROBE, &why);
	if (rc == 0 && (rc = writer_begin(w, &why)) == 0) {
		if ((rc = status_put(w, &why)) == 0)
			rc = store_commit(w->store, &why);
		else
			store_abort(w->store);
	}
	if (rc == -1) {
		if (why.kind != WHY_NOROOM && why.kind != WHY_MEMORY)
			fatal(&why);
		return;
	}
	pthread_mutex_lock(&w->lock);
	atomic_store(&w->trouble, TROUBLE_NONE);
	pthread_mutex_unlock(&w->lock);
	log_info("there is room again: mail is taken");
}

/* --- what comes from inside ----------------------------------------------- */

/* write_note - an event of our own making; never one too many */
static void
write_note(void *with, const struct event *e)
{
	struct writer *w = with;
	struct ticket *t = ticket_get(w, TICKET_NOTE);
	bool filled = t != NULL && ticket_fill(t, e, NULL) == 0;

	pthread_mutex_lock(&w->lock);
	if (filled)
		tickets_add(&w->notes, t);
	else {
		if (t != NULL)
			ticket_put(w, t);
		w->lost += e->count;
	}
	pthread_mutex_unlock(&w->lock);
}

/* flush_repeats - the minute that is over becomes events */
static void
flush_repeats(struct writer *w)
{
	bool full;

	pthread_mutex_lock(&w->lock);
	writer_turn(w);
	full = w->closed_full;
	pthread_mutex_unlock(&w->lock);
	if (!full)
		return;
	repeats_flush(w->closed, write_note, w);
	pthread_mutex_lock(&w->lock);
	w->closed_full = false;
	pthread_mutex_unlock(&w->lock);
}

/* say_lost - refusals that could not be noted are at least counted */
static void
say_lost(struct writer *w, bool now)
{
	struct event e = { .kind = EVENT_STATUS, .verdict = VERDICT_DEFER,
		.text = SLICE("refusals that were not recorded: too many "
		    "waited for the disk") };
	uint64_t lost;

	if (!now && clock_mono() - w->lost_at < LOST_EVERY)
		return;
	pthread_mutex_lock(&w->lock);
	lost = w->lost;
	w->lost = 0;
	pthread_mutex_unlock(&w->lock);
	if (lost == 0)
		return;
	w->lost_at = clock_mono();
	log_warn("%llu refusals were not recorded: too many waited for the "
	    "disk", (unsigned long long)lost);
	e.count = lost < UINT32_MAX ? (uint32_t)lost : UINT32_MAX;
	write_note(w, &e);
}

/* put_loaded - event and status into the transaction that is open */
static int
put_loaded(struct writer *w, const struct reload_request *r, uint64_t *seq)
{
	if (status_take(w, r->status) == -1)
		return why_kind(r->why, WHY_MEMORY, "no memory");
	buf_reset(&w->scratch);
	event_encode(r->event, &w->scratch);
	if (buf_failed(&w->scratch))
		return why_kind(r->why, WHY_MEMORY, "no memory");
	if (store_append(w->store, buf_slice(&w->scratch), w->time,
	    SLICE_NONE, seq, r->why) == -1)
		return -1;
	return status_put(w, r->why);
}

/* put_reload - a slice of forms in a transaction of its own; with the last
 * one the rest.  *left: there is more. */
static int
put_reload(struct writer *w, const struct reload_request *r, bool *left)
{
	uint64_t seq = w->settled;

	*left = false;
	if (writer_begin(w, r->why) == -1)
		return -1;
	if (r->forms != NULL)
		*left = r->forms(r->with, w->store);
	if (!*left && put_loaded(w, r, &seq) == -1) {
		store_abort(w->store);
		return -1;
	}
	if (store_commit(w->store, r->why) == -1)
		return -1;
	w->settled = seq;
	return 0;
}

/* answer_reload - if one waits; true: mail goes first, then again */
static bool
answer_reload(struct writer *w)
{
	struct reload_request *r;
	bool left;

	pthread_mutex_lock(&w->lock);
	r = w->request;
	pthread_mutex_unlock(&w->lock);
	if (r == NULL)
		return false;
	r->rc = put_reload(w, r, &left);
	if (r->rc == 0 && left)
		return true;
	if (r->rc == -1 && r->why->kind != WHY_NOROOM &&
	    r->why->kind != WHY_MEMORY)
		fatal(r->why);
	pthread_mutex_lock(&w->lock);
	r->done = true;
	w->request = NULL;
	pthread_cond_broadcast(&w->answered);
	pthread_mutex_unlock(&w->lock);
	return false;
}

/* answer_others - those that wait for a transaction of their own */
static void
answer_others(struct writer *w)
{
	struct why why;

	if (desk_answer(w, &why) == -1 || held_answer(w, &why) == -1 ||
	    warm_answer(w, &why) == -1)
		fatal(&why);
}

/* care - of the environment, every now and then */
static void
care(struct writer *w)
{
	int64_t now = clock_mono();
	struct why why;

	round_sweep(w);
	say_lost(w, false);
	if (now - w->care_at < CARE_EVERY)
		return;
	w->care_at = now;
	db_check_readers(store_db(w->store));
	if (db_check_file(store_db(w->store), &why) == -1)
		fatal(&why);
}

/* --- the way round -------------------------------------------------------- */

/* around - once */
static void
around(struct writer *w)
{
	flush_repeats(w);
	(void)answer_reload(w);
	answer_others(w);
	if (atomic_load(&w->trouble) == TROUBLE_NOROOM) {
		fail_mail(w);
		probe(w);
	} else
		(void)group(w);
	care(w);
	atomic_store(&w->beat, clock_mono());
}

/* close_minute - whatever minute it is: the last repeats become events */
static void
close_minute(struct writer *w)
{
	flush_repeats(w);
	pthread_mutex_lock(&w->lock);
	w->minute = -1;
	writer_turn(w);
	pthread_mutex_unlock(&w->lock);
	flush_repeats(w);
}

/* finish - the last groups, the last checkpoint, the last word */
static void
finish(struct writer *w)
{
	close_minute(w);
	while (answer_reload(w))
		atomic_store(&w->beat, clock_mono());
	answer_others(w);
	w->status_at = 0;
	do {
		say_lost(w, true);
		atomic_store(&w->beat, clock_mono());
	} while (atomic_load(&w->trouble) != TROUBLE_NOROOM && group(w));
	fail_mail(w);
	if (w->voids.n > 0 || w->notes.n > 0)
		log_error("no room at the end: %zu events that give charges "
		    "back and %zu refusals are not recorded", w->voids.n,
		    w->notes.n);
}

/* writer_thread - until writer_stop */
void *
writer_thread(void *arg)
{
	struct writer *w = arg;

	do {
		pthread_mutex_lock(&w->lock);
		await(w);
		pthread_mutex_unlock(&w->lock);
		around(w);
	} while (!atomic_load(&w->stopping));
	finish(w);
	return NULL;
}
