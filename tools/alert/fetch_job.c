/*
 * fetch_job - one refresh: the budget, the calls, the rows, and when the next
 * one is due.
 *
 * The order is what the budget's promise rests on: budget_take counts the first
 * call and moves the date of the next refresh, on disk; then fetch_call makes
 * it.  Each further call is counted by budget_more before it is made.  What
 * came is stored after that, and a crash in between loses figures, not counts.
 *
 * A refresh that ended without figures may be tried again the next day, and
 * later each time it fails, so that one outage of a provider does not cost a
 * month.
 */
#include "tools/alert/fetch_in.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "reputation/watch.h"

enum { DAYS = 30 };			/* that are asked for */

/* fetch_failed - nothing came, and why */
int
fetch_failed(struct fetch_job *j, enum snapshot_state state, struct why *why,
    const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	j->failed = true;
	return snapshot_failed(j->set, state, why, "%s", text);
}

/* time_of - until midnight a round has one time; a call behind it is one of
 * the next day, and of its month */
static int64_t
time_of(const struct fetch_round *r)
{
	int64_t now = r->now + (clock_mono() - r->began);

	return now / CLOCK_DAY == r->now / CLOCK_DAY ? r->now : now;
}

/* fetch_call - counted, then made */
int
fetch_call(struct fetch_job *j, const struct fetch_request *request,
    struct fetch_answer *answer, struct why *why)
{
	struct budget_answer said;
	struct why what;
	int got = 1;

	j->ask.now = time_of(j->round);
	if (!j->paid)
		got = budget_more(j->round->watch, &j->rules, &j->ask, &said,
		    why);
	j->paid = false;
	if (got == -1)
		return -1;
	if (got == 0)
		return fetch_failed(j, SNAPSHOT_REFUSED, why, "it was not "
		    "asked to the end: %s", said.text);
	j->calls++;
	if (fetch_http(j->round->http, request, j->round->now, answer,
	    &what) == 0)
		return 1;
	return fetch_failed(j, SNAPSHOT_API_ERROR, why, "%s", what.text);
}

/* fetch_refused - by the status, or by what it says itself */
int
fetch_refused(struct fetch_job *j, const struct fetch_answer *a,
    struct why *why)
{
	char wait[64] = "";

	j->failed = true;
	if (a->wait > j->wait)
		j->wait = a->wait;
	if (a->wait > 0)
		(void)snprintf(wait, sizeof(wait), "; it asks to wait for %"
		    PRId64 " s", a->wait / CLOCK_SECOND);
	if (a->status == 401 || a->status == 403)
		return fetch_failed(j, SNAPSHOT_NOT_AUTHORIZED, why, "HTTP "
		    "%ld: the credentials do not let us in (any more)",
		    a->status);
	if (a->status >= 300 && a->status < 400)
		return fetch_failed(j, SNAPSHOT_API_ERROR, why, "HTTP %ld: it "
		    "sends us elsewhere, where we do not go; is the URL in "
		    "penstock.conf right?", a->status);
	return fetch_failed(j, SNAPSHOT_API_ERROR, why, "HTTP %ld%s%s",
	    a->status, a->status == 429 ? ": asked too often" : "", wait);
}

/* --- storing -------------------------------------------------------------- */

/* store - every row, in one commit; how many say something new */
static int
store(struct fetch_job *j, size_t *n, struct why *why)
{
	const struct snapshot *rows = snapshot_rows(j->set, n);
	struct db_txn *txn = NULL;

	if (db_begin(j->round->watch, true, &txn, why) == -1)
		return -1;
	for (size_t i = 0; i < *n; i++) {
		if (snapshots_put(txn, WATCH_SNAPSHOTS, &rows[i], why) == -1) {
			db_abort(txn);
			return -1;
		}
		/* a page for people, half a document: in the rows alone */
		if (slice_is(rows[i].metric, SNAPSHOT_WHOLE) &&
		    rows[i].state != SNAPSHOT_NO_DATA)
			j->failed = true;
	}
	return db_commit(txn, why);
}

/* set_new - where its rows are collected */
static int
set_new(struct fetch_job *j, int64_t next, const char *const *metrics,
    struct why *why)
{
	struct snapshot_ask ask = { .provider = j->ask.provider,
	    .subject = j->ask.subject, .taken = j->round->now,
	    .fetched = j->round->now, .source = "api", .next = next };

	j->end = (int32_t)(j->round->now / CLOCK_DAY) - 1;
	j->begin = j->end - DAYS + 1;
	if (metrics != NULL) {
		ask.begin = j->begin;
		ask.end = j->end;
		ask.metrics = metrics;
	}
	return snapshot_set_new(&j->set, &ask, why);
}

/* conclude - rows, the date of the next one, a line for the operator */
static int
conclude(struct fetch_job *j, struct why *why)
{
	struct budget_answer now;
	size_t n = 0;

	if (snapshot_end(j->set, why) == -1 || store(j, &n, why) == -1 ||
	    (j->failed ? budget_failed(j->round->watch, &j->rules, &j->ask,
	    j->wait, why) : budget_worked(j->round->watch, &j->rules, &j->ask,
	    why)) == -1 || budget_look(j->round->watch, &j->rules, &j->ask,
	    &now, why) == -1)
		return -1;
	log_line(j->failed ? LOG_LEVEL_WARN : LOG_LEVEL_INFO, "snapshot: %.*s "
	    "about %.*s: %zu rows, %u calls (%" PRId64 " of %" PRId64
	    " this month)%s", SLICE_ARG(j->ask.provider),
	    SLICE_ARG(j->ask.subject), n, j->calls, now.central,
	    j->rules.central, j->failed ? "; some of it failed, penstock "
	    "snapshot list says why" : "");
	return 0;
}

/* refresh - it was taken from the budget */
static int
refresh(struct fetch_job *j, int64_t next, struct why *why)
{
	bool google = slice_is(j->ask.provider, "google");
	struct why what;
	int rc;

	j->paid = true;
	if (set_new(j, next, google ? fetch_google_names : NULL, why) == -1)
		return -1;
	if (fetch_secret_load(&j->secret, budget_credentials(j->round->config,
	    j->ask.provider), &what) == -1)
		rc = fetch_failed(j, SNAPSHOT_NOT_AUTHORIZED, why, "%s",
		    what.text);
	else
		rc = google ? fetch_google(j, why) : fetch_snds(j, why);
	fetch_secret_free(j->secret);
	return rc == -1 ? -1 : conclude(j, why);
}

/* fetch_job - if the budget allows it */
int
fetch_job(struct fetch_round *round, struct slice provider,
    struct slice subject, unsigned days, bool warm, uint64_t request,
    struct budget_answer *said, struct why *why)
{
	struct fetch_job j = { .round = round, .ask = { .provider = provider,
	    .subject = subject, .now = time_of(round), .days = days,
	    .warm = warm, .request = request } };
	int got, rc;

	budget_rules_of(round->config, provider, &j.rules);
	got = budget_take(round->watch, &j.rules, &j.ask, said, why);
	if (got != 1)
		return got;
	round->refreshes++;
	/* later questions are about the refresh, not about the request */
	j.ask.request = 0;
	rc = refresh(&j, said->next, why);
	snapshot_set_free(j.set);
	return rc == -1 ? -1 : 1;
}
