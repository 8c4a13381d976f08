/*
 * budget - the table "budget" of watch/:
 *
 *	'c' be32 month				i64 calls of that month
 *	'p' be32 month, provider		i64 of them to that provider
 *	's' provider, 0, subject		a refresh: u8 format = 1, i64
 *						last, i64 next, u32 failures
 *	'r'					u64 last decision looked at
 *
 * A month is year * 12 + month - 1, of UTC.
 *
 * Why never one call too many.  budget_take and budget_more read both counts,
 * compare, add one to each and commit, in one transaction of the only writer;
 * only when the commit has returned do they say that a call may be made.  A
 * crash before that leaves the counts as they were, and no call; one behind it
 * leaves a call counted, made or not.  The same commit moves "next" on, and the
 * place at the desk: a refresh that ended in a crash is not begun again before
 * it is due, and a request is done once.
 *
 * Two years of months are kept; the rest goes with the next call.
 */
#include "reputation/budget.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/date.h"
#include "lib/wire.h"
#include "reputation/watch.h"

enum { FORMAT = 1, KEY = 1 + 4 + 64, SUBJECT_KEY = 400, MONTHS_KEPT = 24,
	DOUBLINGS = 5 };

struct subject {
	int64_t		last, next;
	uint32_t	failures;
};

/* Everything a question reads. */
struct state {
	int64_t		central, each;
	struct subject	subject;
	uint64_t	place;
};

enum { DAYS = 30 };		/* with traffic, before a provider is asked */

/* budget_rules_of - one that nobody asks has none to give */
void
budget_rules_of(const struct config *c, struct slice provider,
    struct budget_rules *r)
{
	*r = (struct budget_rules){ .central = c->snapshot.calls,
	    .each = slice_is(provider, "google") ? c->snapshot.google_calls :
	    slice_is(provider, "microsoft") ? c->snapshot.microsoft_calls : 0,
	    .apart = c->snapshot.refresh, .days = DAYS };
}

/* budget_credentials - which are also the switch */
const char *
budget_credentials(const struct config *c, struct slice provider)
{
	const char *path = slice_is(provider, "google") ?
	    c->snapshot.google_credentials : slice_is(provider, "microsoft") ?
	    c->snapshot.microsoft_credentials : "";

	return path[0] != '\0' ? path : NULL;
}

/* --- rows ----------------------------------------------------------------- */

/* month_of - as one number */
static uint32_t
month_of(int64_t us)
{
	int64_t year;
	int month, day;

	date_of(us / CLOCK_DAY, &year, &month, &day);
	return (uint32_t)(year * 12 + month - 1);
}

/* next_month - when it begins, us */
static int64_t
next_month(int64_t us)
{
	int64_t year;
	int month, day;

	date_of(us / CLOCK_DAY, &year, &month, &day);
	return date_days(year, month + 1, 1) * CLOCK_DAY;
}

/* month_key - of a count; provider empty: of all */
static struct slice
month_key(char room[KEY], uint32_t month, struct slice provider)
{
	room[0] = provider.n > 0 ? 'p' : 'c';
	for (int i = 0; i < 4; i++)
		room[1 + i] = (char)(month >> (24 - 8 * i));
	if (provider.n > 0)
		memcpy(room + 5, provider.p, provider.n);
	return (struct slice){ room, 5 + provider.n };
}

/* subject_key - of a refresh */
static struct slice
subject_key(char room[SUBJECT_KEY], const struct budget_ask *a)
{
	int n = snprintf(room, SUBJECT_KEY, "s%.*s", SLICE_ARG(a->provider));

	n += 1 + snprintf(room + n + 1, SUBJECT_KEY - (size_t)n - 1, "%.*s",
	    SLICE_ARG(a->subject));
	return (struct slice){ room, (size_t)n };
}

/* fits - names that go into keys */
static int
fits(const struct budget_ask *a, struct why *why)
{
	if (a->provider.n == 0 || a->provider.n > 64 || a->subject.n == 0 ||
	    a->subject.n > 255)
		return why_set(why, "a budget needs a provider and a subject");
	return 0;
}

/* number - a row of 8 bytes; 0 when it is not there */
static int
number(struct db_txn *txn, struct slice key, uint64_t *out, struct why *why)
{
	struct slice value;
	struct wire w;
	int got = db_get(txn, WATCH_BUDGET, key, &value, why);

	*out = 0;
	if (got != 1)
		return got;
	w = wire_of(value);
	*out = get_u64(&w);
	return w.bad || w.p != w.end ? why_kind(why, WHY_BROKEN, "a count of "
	    "calls that makes no sense") : 0;
}

/* put_number - and back */
static int
put_number(struct db_txn *txn, struct slice key, uint64_t n, struct why *why)
{
	struct buf b = BUF_INIT;
	int rc;

	put_u64(&b, n);
	rc = buf_failed(&b) ? why_kind(why, WHY_MEMORY, "no memory for a "
	    "count") : db_put(txn, WATCH_BUDGET, key, buf_slice(&b), why);
	buf_free(&b);
	return rc;
}

/* get_subject - zeros when it was never asked about */
static int
get_subject(struct db_txn *txn, const struct budget_ask *a,
    struct subject *s, struct why *why)
{
	char room[SUBJECT_KEY];
	struct slice value;
	struct wire w;
	int got = db_get(txn, WATCH_BUDGET, subject_key(room, a), &value, why);

	memset(s, 0, sizeof(*s));
	if (got != 1)
		return got;
	w = wire_of(value);
	if (get_u8(&w) != FORMAT)
		w.bad = true;
	s->last = get_i64(&w);
	s->next = get_i64(&w);
	s->failures = get_u32(&w);
	return w.bad || w.p != w.end ? why_kind(why, WHY_BROKEN, "a refresh "
	    "that makes no sense") : 0;
}

/* put_subject - and back */
static int
put_subject(struct db_txn *txn, const struct budget_ask *a,
    const struct subject *s, struct why *why)
{
	char room[SUBJECT_KEY];
	struct buf b = BUF_INIT;
	int rc;

	put_u8(&b, FORMAT);
	put_i64(&b, s->last);
	put_i64(&b, s->next);
	put_u32(&b, s->failures);
	rc = buf_failed(&b) ? why_kind(why, WHY_MEMORY, "no memory for a "
	    "refresh") : db_put(txn, WATCH_BUDGET, subject_key(room, a),
	    buf_slice(&b), why);
	buf_free(&b);
	return rc;
}

/* state_of - all that is stored about a question */
static int
state_of(struct db_txn *txn, const struct budget_ask *a, struct state *s,
    struct why *why)
{
	uint32_t month = month_of(a->now);
	uint64_t central, each;
	char room[KEY];

	if (number(txn, month_key(room, month, SLICE_NONE), &central,
	    why) == -1 ||
	    number(txn, month_key(room, month, a->provider), &each,
	    why) == -1 || number(txn, SLICE("r"), &s->place, why) == -1)
		return -1;
	s->central = (int64_t)central;
	s->each = (int64_t)each;
	return get_subject(txn, a, &s->subject, why);
}

/* --- judging -------------------------------------------------------------- */

/* day_text - 2026-12-01 */
static const char *
day_text(int64_t us, char room[32])
{
	int64_t year;
	int month, day;

	date_of(us / CLOCK_DAY + (us % CLOCK_DAY > 0), &year, &month, &day);
	(void)snprintf(room, 32, "%04d-%02d-%02d", (int)year, month, day);
	return room;
}

/* numbers - do the counts of the month allow one more? */
static bool
numbers(const struct budget_rules *r, const struct budget_ask *a,
    const struct state *s, struct budget_answer *answer)
{
	char room[32];

	if (s->central >= r->central) {
		answer->said = BUDGET_CENTRAL;
		(void)snprintf(answer->text, sizeof(answer->text), "all %"
		    PRId64 " calls of this month are used; the next are from "
		    "%s on, or with a larger number for \"calls\"", r->central,
		    day_text(next_month(a->now), room));
	} else if (s->each >= r->each) {
		answer->said = BUDGET_PROVIDER;
		(void)snprintf(answer->text, sizeof(answer->text), "all %"
		    PRId64 " calls to %.*s of this month are used; the next "
		    "are from %s on, or with a larger number for "
		    "\"%.*s_calls\"", r->each, SLICE_ARG(a->provider),
		    day_text(next_month(a->now), room),
		    SLICE_ARG(a->provider));
	} else
		return true;
	if (answer->next < next_month(a->now))
		answer->next = next_month(a->now);
	return false;
}

/* judge - may a refresh begin? */
static bool
judge(const struct budget_rules *r, const struct budget_ask *a,
    const struct state *s, struct budget_answer *answer)
{
	char room[32];

	*answer = (struct budget_answer){ .said = BUDGET_MAY,
	    .next = s->subject.next, .central = s->central, .each = s->each,
	    .last = s->subject.last };
	if (a->request != 0 && a->request <= s->place) {
		answer->said = BUDGET_DONE;
		(void)snprintf(answer->text, sizeof(answer->text), "desk:%"
		    PRIu64 " was looked at already", a->request);
		return false;
	}
	if (!numbers(r, a, s, answer))
		return false;
	if (a->request != 0)
		return true;
	if (a->days < r->days && !a->warm) {
		answer->said = BUDGET_YOUNG;
		(void)snprintf(answer->text, sizeof(answer->text), "%.*s has "
		    "had mail on %u days; a provider is asked from %u days "
		    "on, or when its warmup is finished",
		    SLICE_ARG(a->subject), a->days, r->days);
		return false;
	}
	if (a->now < s->subject.next) {
		answer->said = BUDGET_EARLY;
		(void)snprintf(answer->text, sizeof(answer->text), "%s; the "
		    "next refresh is from %s on", s->subject.failures > 0 ?
		    "the last call failed" : "it was asked a short while ago",
		    day_text(s->subject.next, room));
		return false;
	}
	return true;
}

/* budget_look - as budget_take would answer */
int
budget_look(struct db *watch, const struct budget_rules *r,
    const struct budget_ask *a, struct budget_answer *answer, struct why *why)
{
	struct db_txn *txn = NULL;
	struct state s;
	int rc;

	if (fits(a, why) == -1 || db_begin(watch, false, &txn, why) == -1)
		return -1;
	if ((rc = state_of(txn, a, &s, why)) == 0)
		(void)judge(r, a, &s, answer);
	db_abort(txn);
	return rc;
}

/* --- counting ------------------------------------------------------------- */

/* forget - one month that nobody asks for any more */
static int
forget(struct db_txn *txn, uint32_t month, struct why *why)
{
	static const char kinds[] = "cp";
	struct db_cursor *cursor = NULL;
	struct slice key, value;
	char room[KEY], old[KEY];
	int got = 0;

	for (const char *k = kinds; *k != '\0' && got != -1; k++) {
		(void)month_key(room, 0, SLICE_NONE);
		room[0] = *k;
		got = db_seek(txn, WATCH_BUDGET, (struct slice){ room, 5 },
		    &cursor, &key, &value, why);
		if (got != 1 || key.n > sizeof(old) || key.n < 5 ||
		    key.p[0] != *k)
			continue;
		(void)month_key(room, month - MONTHS_KEPT, SLICE_NONE);
		if (memcmp(key.p + 1, room + 1, 4) >= 0)
			continue;
		memcpy(old, key.p, key.n);
		got = db_delete(txn, WATCH_BUDGET, (struct slice){ old,
		    key.n }, why);
	}
	db_cursor_close(cursor);
	return got == -1 ? -1 : 0;
}

/* count - one call more, in both counts */
static int
count(struct db_txn *txn, const struct budget_ask *a, const struct state *s,
    struct why *why)
{
	uint32_t month = month_of(a->now);
	char room[KEY];

	return forget(txn, month, why) == -1 || put_number(txn,
	    month_key(room, month, SLICE_NONE), (uint64_t)s->central + 1,
	    why) == -1 ? -1 : put_number(txn, month_key(room, month,
	    a->provider), (uint64_t)s->each + 1, why);
}

/* begun - a refresh is under way, and is not due again for a while */
static int
begun(struct db_txn *txn, const struct budget_rules *r,
    const struct budget_ask *a, struct state *s, struct why *why)
{
	s->subject.last = a->now;
	s->subject.next = a->now + r->apart;
	if (a->request != 0 && put_number(txn, SLICE("r"), a->request,
	    why) == -1)
		return -1;
	return put_subject(txn, a, &s->subject, why);
}

/* budget_take - the first call of a refresh */
int
budget_take(struct db *watch, const struct budget_rules *r,
    const struct budget_ask *a, struct budget_answer *answer, struct why *why)
{
	struct db_txn *txn = NULL;
	struct state s;
	bool may = false;

	if (fits(a, why) == -1 || db_begin(watch, true, &txn, why) == -1)
		return -1;
	if (state_of(txn, a, &s, why) == -1 ||
	    ((may = judge(r, a, &s, answer)) && (count(txn, a, &s, why) == -1 ||
	    begun(txn, r, a, &s, why) == -1))) {
		db_abort(txn);
		return -1;
	}
	if (!may) {
		db_abort(txn);
		return 0;
	}
	answer->central++;
	answer->each++;
	answer->next = s.subject.next;
	return db_commit(txn, why) == -1 ? -1 : 1;
}

/* budget_more - another call of it */
int
budget_more(struct db *watch, const struct budget_rules *r,
    const struct budget_ask *a, struct budget_answer *answer, struct why *why)
{
	struct db_txn *txn = NULL;
	struct state s;

	if (fits(a, why) == -1 || db_begin(watch, true, &txn, why) == -1)
		return -1;
	if (state_of(txn, a, &s, why) == -1) {
		db_abort(txn);
		return -1;
	}
	*answer = (struct budget_answer){ .said = BUDGET_MAY,
	    .next = s.subject.next, .central = s.central, .each = s.each,
	    .last = s.subject.last };
	if (!numbers(r, a, &s, answer)) {
		db_abort(txn);
		return 0;
	}
	if (count(txn, a, &s, why) == -1) {
		db_abort(txn);
		return -1;
	}
	answer->central++;
	answer->each++;
	return db_commit(txn, why) == -1 ? -1 : 1;
}

/* ended - with so many failures in a row; due then */
static int
ended(struct db *watch, const struct budget_rules *r,
    const struct budget_ask *a, bool failed, int64_t wait, struct why *why)
{
	struct db_txn *txn = NULL;
	struct subject s;

	if (fits(a, why) == -1 || db_begin(watch, true, &txn, why) == -1)
		return -1;
	if (get_subject(txn, a, &s, why) == -1) {
		db_abort(txn);
		return -1;
	}
	s.failures = failed ? s.failures + 1 : 0;
	if (failed) {
		int64_t later = CLOCK_DAY << (s.failures > DOUBLINGS ?
		    DOUBLINGS : s.failures - 1);

		if (later > r->apart)
			later = r->apart;
		s.next = a->now + (wait > later ? wait : later);
	}
	if (put_subject(txn, a, &s, why) == -1) {
		db_abort(txn);
		return -1;
	}
	return db_commit(txn, why);
}

/* budget_failed - tried again later, and later each time */
int
budget_failed(struct db *watch, const struct budget_rules *r,
    const struct budget_ask *a, int64_t wait, struct why *why)
{
	return ended(watch, r, a, true, wait, why);
}

/* budget_worked - due as budget_take said */
int
budget_worked(struct db *watch, const struct budget_rules *r,
    const struct budget_ask *a, struct why *why)
{
	return ended(watch, r, a, false, 0, why);
}

/* --- the desk ------------------------------------------------------------- */

/* budget_place - how far it was read */
int
budget_place(struct db *watch, uint64_t *seq, struct why *why)
{
	struct db_txn *txn = NULL;
	int rc;

	if (db_begin(watch, false, &txn, why) == -1)
		return -1;
	rc = number(txn, SLICE("r"), seq, why);
	db_abort(txn);
	return rc;
}

/* budget_passed - never back */
int
budget_passed(struct db *watch, uint64_t seq, struct why *why)
{
	struct db_txn *txn = NULL;
	uint64_t there;

	if (db_begin(watch, true, &txn, why) == -1)
		return -1;
	if (number(txn, SLICE("r"), &there, why) == -1 || (seq > there &&
	    put_number(txn, SLICE("r"), seq, why) == -1)) {
		db_abort(txn);
		return -1;
	}
	return db_commit(txn, why);
}
