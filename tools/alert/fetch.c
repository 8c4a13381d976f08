/*
 * fetch - see fetch.h.
 *
 * Requests of the desk first, in their order, each once: the place up to which
 * the desk was read moves in the commit that counts the call, or, when the
 * budget refuses it, before the refusal is stored where the person looks for
 * the figures.  Then what is due.
 */
#include "tools/alert/fetch.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/address.h"
#include "lib/clock.h"
#include "lib/desk.h"
#include "lib/log.h"
#include "reputation/watch.h"
#include "tools/alert/fetch_in.h"

enum { PAGE = 64, REQUESTS = 10, HOURLY = 3600 };	/* s between looks */

struct fetch {
	const struct config *config;
	struct db	*watch;
	pthread_t	 thread;
	pthread_mutex_t	 mutex;
	pthread_cond_t	 wake;
	atomic_bool	 stop;
};

/* stopped - by fetch_stop? */
static bool
stopped(const struct fetch_round *r)
{
	return r->stop != NULL && atomic_load(r->stop);
}

/* --- requests ------------------------------------------------------------- */

/* explain - a refusal, where the figures would be */
static int
explain(struct fetch_round *r, struct slice provider, struct slice subject,
    uint64_t seq, const char *text, struct why *why)
{
	struct snapshot s = { .provider = provider, .subject_type =
	    SLICE("domain"), .subject = subject, .metric =
	    SLICE(SNAPSHOT_WHOLE), .value = SLICE(""), .unit = SLICE(""),
	    .begin = (int32_t)(r->now / CLOCK_DAY), .taken = r->now,
	    .fetched = r->now, .source = SLICE("api"),
	    .state = SNAPSHOT_REFUSED, .note = slice_of(text) };
	struct db_txn *txn = NULL;

	if (slice_is(subject, SNAPSHOT_ACCOUNT))
		s.subject_type = SLICE(SNAPSHOT_ACCOUNT);
	s.end = s.begin;
	log_warn("snapshot: desk:%llu (%.*s about %.*s) is not done: %s",
	    (unsigned long long)seq, SLICE_ARG(provider), SLICE_ARG(subject),
	    text);
	if (db_begin(r->watch, true, &txn, why) == -1)
		return -1;
	if (snapshots_put(txn, WATCH_SNAPSHOTS, &s, why) == -1) {
		db_abort(txn);
		return -1;
	}
	return db_commit(txn, why);
}

/* request - one decision; 0 or -1 */
static int
request(struct fetch_round *r, const struct desk_record *d,
    struct arena *arena, struct why *why)
{
	struct budget_answer said = { .text = "" };
	struct slice subject = d->object;
	struct why what;
	int got = 0;

	if (slice_is(d->provider, "microsoft"))
		subject = SLICE(SNAPSHOT_ACCOUNT);
	if (budget_credentials(r->config, d->provider) == NULL) {
		(void)snprintf(said.text, sizeof(said.text), "penstock.conf "
		    "names no credentials of this provider");
	} else if (slice_is(d->provider, "google") && address_domain(arena,
	    d->object, false, &subject, &what) == -1) {
		subject = d->object;
		(void)snprintf(said.text, sizeof(said.text), "the subject is "
		    "no domain: %.200s", what.text);
	} else if ((got = fetch_job(r, d->provider, subject, 0, false, d->seq,
	    &said, why)) != 0) {
		return got == -1 ? -1 : 0;
	}
	if (budget_passed(r->watch, d->seq, why) == -1)
		return -1;
	return said.said == BUDGET_DONE || subject.n > SNAPSHOT_SUBJECT ||
	    d->provider.n > SNAPSHOT_PROVIDER ? 0 : explain(r, d->provider,
	    subject, d->seq, said.text, why);
}

/* requests - what the desk has since the last look */
static int
requests(struct fetch_round *r, struct why *why)
{
	char *dir = xasprintf("%s/desk", r->config->store);
	struct arena *arena = arena_new(1 << 14, 0);
	struct desk *desk = NULL;
	struct desk_row rows[PAGE];
	uint64_t seq = 0;
	size_t n = 0;
	int rc = arena == NULL ? why_kind(why, WHY_MEMORY, "no memory to read "
	    "the desk") : desk_open_read(&desk, dir, why);

	free(dir);
	if (rc == 1 && (rc = budget_place(r->watch, &seq, why)) == 0)
		do {
			arena_reset(arena);
			rc = desk_read(desk, seq + 1, PAGE, arena, rows, &n,
			    why);
			for (size_t i = 0; i < n && rc == 0 && !stopped(r);
			    i++) {
				seq = rows[i].record.seq;
				if (rows[i].record.kind ==
				    DESK_SNAPSHOT_REQUEST)
					rc = request(r, &rows[i].record, arena,
					    why);
			}
			if (rc == 0 && n > 0 && !stopped(r))
				rc = budget_passed(r->watch, seq, why);
		} while (rc == 0 && n == PAGE && !stopped(r));
	desk_close(desk);
	arena_free(arena);
	return rc;
}

/* --- what is due ---------------------------------------------------------- */

/* one - a subject, if it is due; the walk over its days comes last */
static int
one(struct fetch_round *r, const char *provider, struct slice subject,
    struct slice domain, struct why *why)
{
	struct budget_ask ask = { .provider = slice_of(provider),
	    .subject = subject, .now = r->now, .warm = true };
	struct budget_answer said;
	struct budget_rules rules;
	unsigned days = 0;

	if (stopped(r))
		return 0;
	budget_rules_of(r->config, ask.provider, &rules);
	if (budget_look(r->watch, &rules, &ask, &said, why) == -1)
		return -1;
	if (said.said != BUDGET_MAY)
		return 0;
	if (budget_days(r->watch, domain, r->now, &days, why) == -1)
		return -1;
	return fetch_job(r, ask.provider, subject, days, domain.p == NULL &&
	    fetch_warm(r), 0, &said, why) == -1 ? -1 : 0;
}

/* due - every subject of the configuration */
static int
due(struct fetch_round *r, struct why *why)
{
	const struct config *c = r->config;

	for (size_t i = 0; i < c->snapshot.ngoogle_domains &&
	    budget_credentials(c, SLICE("google")) != NULL; i++) {
		struct slice domain = slice_of(c->snapshot.google_domains[i]);

		/* without a token each would cost a call for nothing */
		if (!r->locked && one(r, "google", domain, domain, why) == -1)
			return -1;
	}
	return budget_credentials(c, SLICE("microsoft")) == NULL ? 0 :
	    one(r, "microsoft", SLICE(SNAPSHOT_ACCOUNT), SLICE_NONE, why);
}

/* round_of - requests, and when it is time what is due */
static int
round_of(const struct config *config, struct db *watch,
    const atomic_bool *stop, int64_t now, bool all, unsigned *refreshes,
    struct why *why)
{
	struct fetch_round r = { .config = config, .watch = watch,
	    .stop = stop, .now = now, .began = clock_mono(),
	    .token = BUF_INIT };
	int rc;

	if (fetch_http_new(&r.http, config->snapshot.timeout,
	    config->snapshot.certificates, stop, why) == -1)
		return -1;
	rc = requests(&r, why);
	if (rc == 0 && all)
		rc = due(&r, why);
	if (r.token.data != NULL)
		explicit_bzero(r.token.data, r.token.cap);
	buf_free(&r.token);
	fetch_http_free(r.http);
	*refreshes = r.refreshes;
	return rc;
}

/* fetch_round - all of it, now */
int
fetch_round(const struct config *config, struct db *watch, int64_t now,
    unsigned *refreshes, struct why *why)
{
	return round_of(config, watch, NULL, now, true, refreshes, why);
}

/* --- the thread ----------------------------------------------------------- */

/* pause_for - some seconds, or until fetch_stop */
static void
pause_for(struct fetch *f, int seconds)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += seconds;
	pthread_mutex_lock(&f->mutex);
	while (!atomic_load(&f->stop) && pthread_cond_timedwait(&f->wake,
	    &f->mutex, &until) == 0)
		;
	pthread_mutex_unlock(&f->mutex);
}

/* run - until it is stopped; what fails is said and tried again */
static void *
run(void *with)
{
	static struct log_pace pace;
	struct fetch *f = with;
	int64_t next = 0;
	unsigned n;
	struct why why;

	while (!atomic_load(&f->stop)) {
		bool all = clock_mono() >= next;

		if (all)
			next = clock_mono() + HOURLY * CLOCK_SECOND;
		if (round_of(f->config, f->watch, &f->stop, clock_wall(), all,
		    &n, &why) == -1)
			log_paced(&pace, LOG_LEVEL_ERROR, "snapshot: %s",
			    why.text);
		pause_for(f, REQUESTS);
	}
	return NULL;
}

/* fetch_start - unless there is nobody to ask */
int
fetch_start(struct fetch **out, const struct config *config, struct db *watch,
    struct why *why)
{
	pthread_condattr_t attr;
	struct fetch *f;

	*out = NULL;
	if (budget_credentials(config, SLICE("google")) == NULL &&
	    budget_credentials(config, SLICE("microsoft")) == NULL)
		return 0;
	if (fetch_http_init(why) == -1)
		return -1;
	if ((f = calloc(1, sizeof(*f))) == NULL)
		return why_kind(why, WHY_MEMORY, "no memory for snapshots");
	f->config = config;
	f->watch = watch;
	pthread_mutex_init(&f->mutex, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&f->wake, &attr);
	pthread_condattr_destroy(&attr);
	if ((errno = pthread_create(&f->thread, NULL, run, f)) != 0) {
		(void)why_errno(why, "cannot start the thread of snapshots");
		pthread_cond_destroy(&f->wake);
		pthread_mutex_destroy(&f->mutex);
		free(f);
		return -1;
	}
	*out = f;
	return 1;
}

/* fetch_stop - a call that is under way ends */
void
fetch_stop(struct fetch *f)
{
	if (f == NULL)
		return;
	pthread_mutex_lock(&f->mutex);
	atomic_store(&f->stop, true);
	pthread_cond_signal(&f->wake);
	pthread_mutex_unlock(&f->mutex);
	pthread_join(f->thread, NULL);
	pthread_cond_destroy(&f->wake);
	pthread_mutex_destroy(&f->mutex);
	free(f);
}
