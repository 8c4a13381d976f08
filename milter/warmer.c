/*
 * warmer - see warmer.h.
 *
 * When a day is judged: some seconds after it is over, when events that were
 * under way have landed, and when the ingester has read all events of that day
 * - it reads the log first, so it knows by then what Postfix said.  One that is
 * down or behind is waited for some minutes; then the day is judged without,
 * and the decision says so.
 *
 * The clock.  A day is over when gate time says so, which never goes back and
 * does not follow a jump of more than 25 h (lib/clock.c).  A wall clock that
 * steps back makes a long day, one that steps forward a short one, on which
 * less was sent; none makes two.
 *
 * Not chosen: a timer per warmup (they share zones, and a zone's events are
 * read once), judging at the first message of the new day (it would wait for
 * the old day's events), a decision per provider (an address has one day, or
 * nobody can say what it may send).
 */
#include "milter/warmer.h"
#include "milter/warmer_in.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/date.h"
#include "lib/log.h"
#include "lib/store_warm.h"
#include "milter/life.h"

#define EVERY		CLOCK_SECOND		/* between looks */
#define GRACE		(5 * CLOCK_SECOND)	/* a commit takes two */
#define PATIENCE	(10 * CLOCK_MINUTE)	/* for the ingester */
#define ASKED		(5 * CLOCK_SECOND)	/* whose a domain is */

/* --- days ----------------------------------------------------------------- */

/* warmer_date - of that moment there */
int64_t
warmer_date(const struct zone *zone, int64_t now)
{
	struct civil c;

	zone_civil(zone, now, &c);
	return date_days(c.year, c.month, c.day);
}

/* midnight - the first moment of a date */
static int64_t
midnight(const struct zone *zone, int64_t date)
{
	int64_t year;
	int month, day;

	date_of(date, &year, &month, &day);
	return zone_moment(zone, (int)year, month, day, 0, 0, 0);
}

/* warmer_window - from the first moment of a date to that of the next */
void
warmer_window(const struct zone *zone, int64_t date, struct window *w)
{
	w->start = midnight(zone, date);
	w->end = midnight(zone, date + 1);
}

/* --- zones ---------------------------------------------------------------- */

/* add_zone - once by its name; false without memory */
static bool
add_zone(struct warmer *w, const struct zone *zone)
{
	struct warm_zone *more;

	for (size_t i = 0; i < w->nzones; i++)
		if (strcmp(zone_name(w->zones[i].zone), zone_name(zone)) == 0)
			return true;
	more = realloc(w->zones, (w->nzones + 1) * sizeof(*more));
	if (more == NULL)
		return false;
	w->zones = more;
	w->zones[w->nzones++] = (struct warm_zone){ .zone = zone };
	return true;
}

/* warms - has that stream a warmup of its own? */
static bool
warms(const struct stream *s)
{
	for (size_t i = 0; i < s->nlimits; i++)
		if (s->limits[i]->warmup != NULL)
			return true;
	return false;
}

/* add_tenants - the zones of those who warm up, and of pools they may use */
static bool
add_tenants(struct warmer *w, const struct policy *p, const struct tenant *t)
{
	const struct zone *zone = t->zone != NULL ? t->zone : p->zone;

	for (size_t i = 0; i < t->nstreams; i++) {
		const struct stream *s = t->streams[i];

		if (!warms(s))
			continue;
		if (!add_zone(w, zone) || !add_zone(w, p->zone))
			return false;
		for (size_t k = 0; k < s->nroutes; k++)
			if (!add_zone(w, s->routes[k].pool->zone))
				return false;
	}
	return true;
}

/* find_zones - when the policy is another one than before */
static int
find_zones(struct warmer *w, const struct policy *p, struct why *why)
{
	struct subject s;
	bool fine = true;

	if (w->policy == p->number)
		return 0;
	for (size_t i = 0; i < p->npools; i++)
		for (size_t k = 0; k < p->pools[i]->naddresses; k++)
			if (subject_of_address(p, &p->pools[i]->addresses[k],
			    &s))
				fine = fine && add_zone(w, s.zone);
	for (size_t i = 0; i < p->ntenants; i++)
		fine = fine && add_tenants(w, p, p->tenants[i]);
	if (p->automatic != NULL)
		fine = fine && add_tenants(w, p, p->automatic);
	if (!fine)
		return why_kind(why, WHY_MEMORY, "no memory");
	w->policy = p->number;
	return 0;
}

/* --- a day ---------------------------------------------------------------- */

/* outcomes_of - fetch: 1 *fates is the ingester's word, or NULL: it has none;
 * 0 it may have one in a while */
static int
outcomes_of(struct warmer *w, const struct warm_day *d, struct fates **fates)
{
	bool late = clock_now() >= d->window.end + w->patience &&
	    clock_mono() - w->born >= w->patience;
	uint64_t applied;
	struct why why;
	int got = fates_open(fates, w->gate->config->store, &why);

	if (got == 0)
		return 1;
	if (got == 1 && fates_applied(*fates, &applied, &why) == 0) {
		if (applied >= d->last)
			return 1;
		why_set(&why, "the ingester has read events up to %llu, and "
		    "the day ends with %llu", (unsigned long long)applied,
		    (unsigned long long)d->last);
	}
	fates_close(*fates);
	*fates = NULL;
	if (late)
		log_warn("warmups are judged without outcomes: %s", why.text);
	return late;
}

/* judge_date - fetch: 1 it is done, 0 not yet */
static int
judge_date(struct warmer *w, struct policy *p, const struct warm_zone *z,
    struct why *why)
{
	struct warm_day d = { .w = w, .policy = p, .zone = z->zone,
		.date = z->next, .progress = gate_progress(w->gate) };
	struct fates *fates = NULL;
	int got = -1;

	if (day_read(&d, why) == 0 && (got = outcomes_of(w, &d,
	    &fates)) == 1) {
		pthread_mutex_lock(&w->turn);
		if (day_judge(&d, fates, why) == -1)
			got = -1;
		pthread_mutex_unlock(&w->turn);
	}
	fates_close(fates);
	progress_drop(d.progress);
	day_free(&d);
	return got;
}

/* begin_zone - where it stood in the last life, or from today on */
static int
begin_zone(struct warmer *w, struct warm_zone *z, int64_t now,
    struct why *why)
{
	struct writer_warm out = { .zone = slice_of(zone_name(z->zone)) };
	int got = store_judged(w->gate->store, out.zone, &z->next, why);

	if (got == 0) {
		out.judged = z->next = warmer_date(z->zone, now);
		got = writer_warm(w->gate->writer, &out, why);
	}
	z->known = got != -1;
	return got == -1 ? -1 : 0;
}

/* look_zone - all of its days that are over */
static int
look_zone(struct warmer *w, struct policy *p, struct warm_zone *z,
    struct why *why)
{
	int64_t now = clock_now();
	int got;

	if (!z->known && begin_zone(w, z, now, why) == -1)
		return -1;
	while (z->next < warmer_date(z->zone, now - w->grace)) {
		if ((got = judge_date(w, p, z, why)) != 1)
			return got;
		z->next++;
		if (warmer_stopping(w))
			return 0;
	}
	return 0;
}

/* trouble - said once, and again when it is another one */
static void
trouble(struct warmer *w, const char *text)
{
	if (strcmp(w->trouble, text) == 0)
		return;
	if (text[0] != '\0')
		log_error("warmups: %s; the numbers of the day before hold",
		    text);
	else
		log_info("warmups: days are judged again");
	(void)snprintf(w->trouble, sizeof(w->trouble), "%s", text);
}

/* warmer_once - every zone */
void
warmer_once(struct warmer *w)
{
	struct policy *p = gate_policy(w->gate);
	struct why why;
	int rc = find_zones(w, p, &why);

	for (size_t i = 0; rc != -1 && i < w->nzones; i++)
		rc = look_zone(w, p, &w->zones[i], &why);
	if (rc != -1)
		rc = moves_look(w, p, &why);
	policy_drop(p);
	if (rc == -1 && warmer_stopping(w))
		return;
	trouble(w, rc == -1 ? why.text : "");
}

/* --- the thread ----------------------------------------------------------- */

/* warmer_stopping - is it told to? */
bool
warmer_stopping(struct warmer *w)
{
	bool stop;

	pthread_mutex_lock(&w->lock);
	stop = w->stop;
	pthread_mutex_unlock(&w->lock);
	return stop;
}

/* work - the thread */
static void *
work(void *arg)
{
	struct warmer *w = arg;
	struct timespec ts;
	int64_t until;

	life_aside();
	pthread_mutex_lock(&w->lock);
	while (!w->stop) {
		pthread_mutex_unlock(&w->lock);
		warmer_once(w);
		pthread_mutex_lock(&w->lock);
		until = clock_mono() + EVERY;
		ts.tv_sec = (time_t)(until / CLOCK_SECOND);
		ts.tv_nsec = (long)(until % CLOCK_SECOND * 1000);
		while (!w->stop && pthread_cond_timedwait(&w->wake, &w->lock,
		    &ts) != ETIMEDOUT)
			;
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

/* --- births and deaths ---------------------------------------------------- */

/* restore - the picture of the last life */
static int
restore(struct gate *gate, struct why *why)
{
	struct progress *p;

	if (progress_restore(gate->store, &p, why) == -1)
		return -1;
	gate_advance(gate, p);
	return 0;
}

/* warmer_new - nothing is judged yet */
int
warmer_new(struct warmer **out, struct gate *gate, struct why *why)
{
	struct warmer *w = calloc(1, sizeof(*w));
	pthread_condattr_t attr;

	*out = NULL;
	if (w == NULL)
		return why_kind(why, WHY_MEMORY, "no memory");
	w->gate = gate;
	w->grace = GRACE;
	w->patience = PATIENCE;
	w->every = ASKED;
	w->born = clock_mono();
	pthread_mutex_init(&w->lock, NULL);
	pthread_mutex_init(&w->turn, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->wake, &attr);
	pthread_condattr_destroy(&attr);
	if ((w->moves = moves_new()) == NULL) {
		warmer_stop(w);
		return why_kind(why, WHY_MEMORY, "no memory");
	}
	if (restore(gate, why) == -1) {
		warmer_stop(w);
		return -1;
	}
	*out = w;
	return 0;
}

/* warmer_start - its thread; signals are for others */
int
warmer_start(struct warmer *w, struct why *why)
{
	sigset_t all, before;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&w->thread, NULL, work, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (err != 0) {
		errno = err;
		return why_errno(why, "cannot start the thread of the "
		    "warmups");
	}
	w->running = true;
	return 0;
}

/* warmer_tune - for tests */
void
warmer_tune(struct warmer *w, int64_t grace, int64_t patience,
    int64_t every)
{
	w->every = every;
	w->grace = grace;
	w->patience = patience;
}

/* warmer_stop - and forget */
void
warmer_stop(struct warmer *w)
{
	if (w == NULL)
		return;
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
	if (w->running)
		pthread_join(w->thread, NULL);
	pthread_cond_destroy(&w->wake);
	pthread_mutex_destroy(&w->turn);
	pthread_mutex_destroy(&w->lock);
	moves_free(w->moves);
	arena_free(w->desk);
	free(w->zones);
	free(w);
}
