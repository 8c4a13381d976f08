/*
 * pacer - the thread, and what it knows of who waits.
 *
 * A million messages may wait for a day, and then for the next minute only a
 * few of them fit.  So nobody is asked about twice without need: a message that
 * does not fit stands in the line of the counter that was full, and that line
 * is closed until the counter has room; then its first ones are asked, until
 * one of them does not fit, which closes the line again.  What one look costs
 * is what goes, and one more per line.
 *
 *	new row ----> the line of the new ones
 *	                  | asked (decide_release)
 *	     +------------+--------------+----------------------+
 *	     v                           v                      v
 *	  GO, DROP, EXPIRE      waits for a counter      waits for somebody
 *	  one commit with       until it has room        30 s, or until policy
 *	  the release                                    or desk changed
 *
 * A line that waits for a cap and still has some room left passes over a few
 * messages that are too large for it; those are first in the next window.  Of
 * a throttle nothing is passed over: small messages would eat up for ever what
 * a large one waits for.  Where an hour is shared out fairly, who had his part
 * waits for the next in a line of his own, and closes nobody else's; so does
 * bulk mail for which there are four fifths of a cap.
 *
 * New rows are found by their sequence, which only grows; nothing has to be
 * told by the callbacks.  A row is left alone until it is PACER_AGE old, so
 * that a hold whose commit came too late is void before it is looked at.
 *
 * Not chosen: a heap by forecast (a forecast is of what was known when the
 * message came), the index in the store (a write per move), one line per tenant
 * (a pool's cap is nobody's own).
 */
#include "milter/pacer.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "milter/pacer_in.h"

#define EVERY		CLOCK_SECOND		/* us: at least this often */
#define SWEEP		(10 * CLOCK_SECOND)

static const uint8_t line_new[LINE_KEY];

/* --- who waits ------------------------------------------------------------ */

/* pacer_stand - into its line, which is closed so long; one that is closed
 * already stays as it is, or a stream of new ones would keep it closed */
int
pacer_stand(struct pacer *p, struct waiter *w, const struct waits *waits,
    struct why *why)
{
	struct line *line = lines_get(p->lines, waits != NULL ? waits->key :
	    line_new);

	if (line == NULL || line_add(p->lines, line, w) == -1)
		return why_kind(why, WHY_MEMORY, "no memory to keep a held "
		    "message in mind");
	if (waits != NULL && line->at <= clock_now())
		line->at = waits->at;
	line->bulk = waits != NULL && waits->bulk;
	return 0;
}

/* pacer_find - one of all */
struct waiter *
pacer_find(struct pacer *p, uint64_t seq)
{
	struct waiter *w = NULL;

	while ((w = waiter_next(p->lines, w)) != NULL)
		if (w->seq == seq && !w->dead)
			return w;
	return NULL;
}

/* lane_of - by the stream, as the policy of now has it */
static enum lane
lane_of(const struct policy *policy, const struct held *h)
{
	const struct tenant *t = policy_tenant(policy, h->tenant);
	const struct stream *s;

	if (slice_starts(h->why, SLICE(DESK_NAME ":")))
		return LANE_ASKED;
	if (t == NULL)
		return LANE_BULK;
	s = policy_stream(t, h->stream);
	return (s != NULL ? s : policy_default(t))->priority ==
	    PRIORITY_BULK ? LANE_BULK : LANE_FIRST;
}

/* take_row - one more that waits */
static int
take_row(struct pacer *p, const struct policy *policy, const struct held *h,
    struct why *why)
{
	struct waiter *w;

	if (h->state != HELD_WAITING)
		return 0;
	if ((w = waiter_new(p->lines)) == NULL)
		return why_kind(why, WHY_MEMORY, "no memory to keep a held "
		    "message in mind");
	w->seq = h->seq;
	w->tenant = h->tenant_id;
	w->until = h->until;
	w->cost = 1;
	w->lane = (uint8_t)lane_of(policy, h);
	if (pacer_stand(p, w, NULL, why) == -1) {
		waiter_free(p->lines, w);
		return -1;
	}
	return 0;
}

/* read_rows - a slice of those that came; true: there may be more */
static int
read_rows(struct pacer *p, struct why *why)
{
	int64_t old = clock_now() - p->age;
	struct policy *policy;
	struct held *rows;
	size_t got, i;
	int rc = 0;

	arena_reset(p->arena);
	if ((rows = arena_array(p->arena, PACER_ROWS, sizeof(*rows))) == NULL)
		return why_kind(why, WHY_MEMORY, "no memory");
	if (store_held(p->gate->store, p->seen + 1, HELD_ALL, PACER_ROWS,
	    p->arena, rows, &got, why) == -1)
		return -1;
	policy = gate_policy(p->gate);
	for (i = 0; i < got && rows[i].since <= old && rc == 0; i++)
		if ((rc = take_row(p, policy, &rows[i], why)) == 0)
			p->seen = rows[i].seq;
	policy_drop(policy);
	return rc == -1 ? -1 : i == PACER_ROWS;
}

/* pacer_read - all of them now */
int
pacer_read(struct pacer *p, struct why *why)
{
	int64_t age = p->age;
	int got;

	p->age = 0;
	do {
		got = read_rows(p, why);
	} while (got == 1);
	p->age = age;
	return got;
}

/* --- turns ---------------------------------------------------------------- */

/* same - does it wait for what that line waits for? */
static bool
same(const struct line *line, const struct waits *waits)
{
	return memcmp(waits->key, line->key, LINE_KEY) == 0;
}

/* moved - it waits for something else than it did, or is gone */
static void
moved(struct pacer *p, struct waiter *w, int tried, const struct waits *waits)
{
	struct why why;

	if (tried == TRIED_GONE)
		waiter_free(p->lines, w);
	else if (tried == TRIED_WAITS && pacer_stand(p, w, waits, &why) == -1)
		log_error("%s; it waits for the next start", why.text);
}

/* stay - it stands where it stood */
static void
stay(struct pacer *p, struct line *line, struct waiter *w)
{
	if (line_add(p->lines, line, w) == -1)
		log_error("no memory to keep a held message in mind; it waits "
		    "for the next start");
}

/* look_ahead - a cap has room, and not for the next one: for those behind? */
static long
look_ahead(struct pacer *p, struct line *line, size_t *tries,
    struct why *why)
{
	struct peek peek = { .place = NULL };
	struct waits waits = { .room = true };
	struct waiter *w;
	size_t left = PACER_PASSED;
	long n = 0;
	int tried;

	while (waits.room && left-- > 0 && *tries > 0 && !pacer_full(p) &&
	    (w = line_peek(p->lines, line, &peek)) != NULL) {
		(*tries)--;
		if ((tried = pacer_try(p, w, &waits, why)) == -1)
			return -1;
		if (tried == TRIED_WAITS && same(line, &waits))
			continue;
		line_out(line, &peek);
		moved(p, w, tried, &waits);
		if (tried == TRIED_DECIDED) {
			line_pay(p->lines, line, w);
			n++;
		}
		waits.room = true;
	}
	return n;
}

/* serve - a line that is open, until it is closed or empty; how many were
 * decided */
static long
serve(struct pacer *p, struct line *line, size_t *tries, struct why *why)
{
	struct waits waits;
	struct waiter *w;
	long n = 0, more;
	int tried;

	while (*tries > 0 && (w = line_take(p->lines, line)) != NULL) {
		(*tries)--;
		if ((tried = pacer_try(p, w, &waits, why)) == -1) {
			stay(p, line, w);
			return -1;
		}
		if (tried == TRIED_WAITS && same(line, &waits)) {
			line->at = waits.at;
			stay(p, line, w);
			more = waits.room ? look_ahead(p, line, tries, why) :
			    0;
			return more == -1 ? -1 : n + more;
		}
		if (tried == TRIED_DECIDED) {
			line_pay(p->lines, line, w);
			n++;
		} else
			moved(p, w, tried, &waits);
		if (pacer_full(p) && pacer_flush(p, why) == -1)
			return -1;
	}
	return n;
}

/* lines_of - every line that is open, once */
static long
lines_of(struct pacer *p, bool bulk, size_t *tries, struct why *why)
{
	int64_t now = clock_now();
	struct line *line, *next;
	long n = 0, some;

	for (line = lines_next(p->lines, NULL); line != NULL; line = next) {
		next = lines_next(p->lines, line);
		if (line->at > now || line->bulk != bulk || *tries == 0)
			continue;
		if ((some = serve(p, line, tries, why)) == -1)
			return -1;
		n += some;
		lines_tidy(p->lines, line);
	}
	return n;
}

/* round_of - all of them; those of bulk mail at the end */
static long
round_of(struct pacer *p, size_t *tries, struct why *why)
{
	long n = lines_of(p, false, tries, why), more;

	if (n == -1 || (more = lines_of(p, true, tries, why)) == -1)
		return -1;
	return n + more;
}

/* --- what is over --------------------------------------------------------- */

/* expire - what was held for hold_max goes back to its sender */
static long
expire(struct pacer *p, struct why *why)
{
	int64_t now = clock_now();
	struct waiter *w = NULL;
	long n = 0;
	int got;

	while ((w = waiter_next(p->lines, w)) != NULL) {
		if (w->dead || w->until > now)
			continue;
		got = pacer_end(p, w->seq, HELD_EXPIRE, SLICE_NONE,
		    "held for as long as hold_max allows: back to its sender",
		    w, why);
		if (got == -1)
			return -1;
		w->dead = true;		/* whatever it is: not here any more */
		n += got;
		if (pacer_full(p) && pacer_flush(p, why) == -1)
			return -1;
	}
	return n;
}

/* over - is that row's message done with?  One that nobody let go and that is
 * gone was let go, or deleted, by hand: it is held no more. Fetch. */
static int
over(struct pacer *p, const struct released *r, struct why *why)
{
	struct held h;
	int got;

	if (r->result == RELEASED_FAILED)
		return 0;
	got = store_held_at(p->gate->store, r->seq, p->arena, &h, why);
	if (got != 1 || !slice_eq(h.queue_id, r->queue_id))
		return got == -1 ? -1 : 0;
	if (h.state != HELD_WAITING)
		return 1;
	if (r->result != RELEASED_GONE)
		return 0;
	if (pacer_full(p) && pacer_flush(p, why) == -1)
		return -1;
	return pacer_end(p, r->seq, HELD_DROP, SLICE_NONE, "somebody took it "
	    "out of the hold queue by hand", pacer_find(p, r->seq), why) ==
	    -1 ? -1 : 0;
}

/* forget - rows whose message left the hold queue, as release/ says */
static int
forget(struct pacer *p, struct why *why)
{
	struct released *rows;
	uint64_t from = 0, gone[PACER_ROWS];
	struct writer_held held = { .gone = gone };
	size_t got, i;
	int is;

	do {
		arena_reset(p->arena);
		held.ngone = 0;
		rows = arena_array(p->arena, PACER_ROWS, sizeof(*rows));
		if (rows == NULL)
			return why_kind(why, WHY_MEMORY, "no memory");
		if (released_read(p->released, from, PACER_ROWS, p->arena,
		    rows, &got, why) == -1)
			return why_in(why, "release/");
		for (i = 0; i < got; i++) {
			from = rows[i].seq + 1;
			if ((is = over(p, &rows[i], why)) == -1)
				return -1;
			if (is == 1)
				gone[held.ngone++] = rows[i].seq;
		}
		if (held.ngone > 0 &&
		    writer_held(p->gate->writer, &held, why) == -1)
			return -1;
	} while (got == PACER_ROWS);
	return 0;
}

/* stopping - is it over? */
static bool
stopping(struct pacer *p)
{
	bool stop;

	pthread_mutex_lock(&p->wake_lock);
	stop = p->stop;
	pthread_mutex_unlock(&p->wake_lock);
	return stop;
}

/* --- the way round -------------------------------------------------------- */

/* hear - of penstock-release, now and then */
static int
hear(struct pacer *p, bool now, struct why *why)
{
	int64_t mono = clock_mono();

	if (!now && mono - p->looked < EVERY)
		return 0;
	p->looked = mono;
	return forget(p, why);
}

/* sweep - behind the round: who still can goes, on the last day, too */
static long
sweep(struct pacer *p, bool now, struct why *why)
{
	int64_t mono = clock_mono();

	if (!now && mono - p->swept < SWEEP)
		return 0;
	p->swept = mono;
	return expire(p, why);
}

/* once - new rows, what is over, whose turn it is; *more: go on at once */
static long
once(struct pacer *p, bool now, bool *more, struct why *why)
{
	size_t tries = PACER_TRIES;
	struct why again;
	long n = 0, some = 0;
	int got;

	*more = false;
	/* all of them first: or those who came first would take all there is */
	while ((got = read_rows(p, why)) == 1 && !stopping(p))
		;
	if (got == -1 || hear(p, now, why) == -1 ||
	    (n = round_of(p, &tries, why)) == -1 ||
	    pacer_flush(p, why) == -1 ||
	    (tries > 0 && (some = sweep(p, now, why)) == -1)) {
		(void)pacer_flush(p, &again);
		return -1;
	}
	*more = tries == 0;
	return pacer_flush(p, why) == -1 ? -1 : n + some;
}

/* pacer_once - all that is due */
long
pacer_once(struct pacer *p, struct why *why)
{
	bool more;
	long n = 0, some;

	pthread_mutex_lock(&p->lock);
	do {
		if ((some = once(p, true, &more, why)) == -1)
			n = -1;
		else
			n += some;
	} while (some != -1 && more);
	pthread_mutex_unlock(&p->lock);
	return n;
}

/* reopen - every line is worth a look */
static void
reopen(struct pacer *p)
{
	struct line *line = NULL;

	pthread_mutex_lock(&p->lock);
	while ((line = lines_next(p->lines, line)) != NULL)
		line->at = 0;
	pthread_mutex_unlock(&p->lock);
}

/* nap - until there may be something; true: something changed */
static bool
nap(struct pacer *p)
{
	int64_t until = clock_mono() + EVERY / 4;
	struct timespec ts = { .tv_sec = (time_t)(until / CLOCK_SECOND),
		.tv_nsec = (long)(until % CLOCK_SECOND * 1000) };
	bool awake;

	pthread_mutex_lock(&p->wake_lock);
	while (!p->awake && !p->stop && pthread_cond_timedwait(&p->wake_cond,
	    &p->wake_lock, &ts) != ETIMEDOUT)
		;
	awake = p->awake;
	p->awake = false;
	pthread_mutex_unlock(&p->wake_lock);
	return awake;
}

/* work - the thread */
static void *
work(void *arg)
{
	struct pacer *p = arg;
	int64_t said = 0;
	struct why why;
	bool more = false;
	long n;

	while (!stopping(p)) {
		if (!more && nap(p))
			reopen(p);
		pthread_mutex_lock(&p->lock);
		n = once(p, false, &more, &why);
		pthread_mutex_unlock(&p->lock);
		if (n != -1 || stopping(p))
			continue;
		more = false;
		if (said == 0 || clock_mono() - said >= CLOCK_MINUTE)
			log_error("held mail waits: %s", why.text);
		said = clock_mono();
	}
	return NULL;
}

/* --- births and deaths ---------------------------------------------------- */

/* pacer_new - nothing is read yet */
int
pacer_new(struct pacer **out, struct gate *gate, struct why *why)
{
	struct pacer *p = calloc(1, sizeof(*p));
	pthread_condattr_t attr;

	*out = NULL;
	if (p == NULL)
		return why_kind(why, WHY_MEMORY, "no memory for the pacer");
	p->gate = gate;
	p->age = PACER_AGE;
	pthread_mutex_init(&p->lock, NULL);
	pthread_mutex_init(&p->wake_lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&p->wake_cond, &attr);
	pthread_condattr_destroy(&attr);
	p->lines = lines_new();
	p->arena = arena_new(64u << 10, 0);
	p->batch.arena = arena_new(256u << 10, 0);
	if (p->lines == NULL || p->arena == NULL || p->batch.arena == NULL) {
		pacer_stop(p);
		return why_kind(why, WHY_MEMORY, "no memory for the pacer");
	}
	if (released_reader(&p->released, gate->config->store, why) == -1) {
		pacer_stop(p);
		return -1;
	}
	*out = p;
	return 0;
}

/* pacer_start - its thread; signals are for others */
int
pacer_start(struct pacer *p, struct why *why)
{
	sigset_t all, before;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&p->thread, NULL, work, p);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (err != 0) {
		errno = err;
		return why_errno(why, "cannot start the pacer");
	}
	p->running = true;
	return 0;
}

/* pacer_wake - soon */
void
pacer_wake(struct pacer *p)
{
	if (p == NULL)
		return;
	pthread_mutex_lock(&p->wake_lock);
	p->awake = true;
	pthread_cond_signal(&p->wake_cond);
	pthread_mutex_unlock(&p->wake_lock);
}

/* pacer_tune - for tests */
void
pacer_tune(struct pacer *p, int64_t age)
{
	p->age = age;
}

/* pacer_stop - and forget; what waits is in the store */
void
pacer_stop(struct pacer *p)
{
	if (p == NULL)
		return;
	pthread_mutex_lock(&p->wake_lock);
	p->stop = true;
	pthread_cond_signal(&p->wake_cond);
	pthread_mutex_unlock(&p->wake_lock);
	if (p->running)
		pthread_join(p->thread, NULL);
	released_reader_close(p->released);
	lines_free(p->lines);
	arena_free(p->arena);
	arena_free(p->batch.arena);
	pthread_cond_destroy(&p->wake_cond);
	pthread_mutex_destroy(&p->wake_lock);
	pthread_mutex_destroy(&p->lock);
	free(p);
}
