/*
 * breakers - see breakers.h.
 *
 * Outcomes have a sequence, so there is no second road on which one could be
 * lost or counted twice: whatever wrote it (the log, a DSN, a complaint), it
 * is read here once.  Only what happened within the last window counts; a log
 * of last month that is read today trips nothing.
 *
 * A row that tripped stays; the gate compares its time with the last word of
 * a person (orders_lifted).  So a lift holds though this program is down, and
 * what trips afterwards has a later time.
 */
#include "tools/ingest/breakers.h"

#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/desk.h"
#include "lib/hash.h"
#include "lib/log.h"
#include "policy/orders.h"
#include "policy/policy.h"
#include "reputation/breaker.h"
#include "tools/ingest/decisions.h"

enum { BATCH = 256, BATCHES = 40, LIFTS = 64 };
#define EVERY	(500 * INT64_C(1000))		/* us between looks */

struct breakers {
	struct ingest	*in;
	struct tallies	*tallies;
	struct arena	*arena;		/* of one look */
	struct policy	*policy;	/* NULL: none yet */
	uint64_t	 generation;	/* of the gate, when it was loaded */
	bool		 some;		/* it has breakers */
	int64_t		 longest;	/* window of them */
	bool		 counting;	/* from seq on */
	uint64_t	 seq;		/* outcomes counted */
	struct decisions desk;
	uint64_t	 event;		/* whose login was asked for last */
	char		 login[256];
	int64_t		 looked;	/* mono */
	bool		 said;		/* that the policy has mistakes */
	bool		 full;		/* said: more than can be counted */
};

static int lift(void *, const struct desk_record *, struct why *);

/* breakers_new - nothing is read yet */
int
breakers_new(struct breakers **out, struct ingest *in, struct why *why)
{
	struct breakers *b = calloc(1, sizeof(*b));

	*out = NULL;
	if (b == NULL || (b->tallies = tallies_new()) == NULL ||
	    (b->arena = arena_new(1 << 16, 0)) == NULL) {
		breakers_free(b);
		return why_kind(why, WHY_MEMORY, "no memory for breakers");
	}
	b->in = in;
	b->desk = (struct decisions){ .in = in, .kind = DESK_BREAKER_LIFT,
	    .obey = lift, .with = b };
	*out = b;
	return 0;
}

/* breakers_free - NULL is allowed */
void
breakers_free(struct breakers *b)
{
	if (b == NULL)
		return;
	policy_drop(b->policy);
	tallies_free(b->tallies);
	arena_free(b->arena);
	free(b);
}

/* --- the policy ----------------------------------------------------------- */

/* note_streams - the longest window of a tenant */
static void
note_streams(struct breakers *b, const struct tenant *t)
{
	for (size_t i = 0; t != NULL && i < t->nstreams; i++)
		for (size_t j = 0; j < t->streams[i]->nbreakers; j++) {
			const struct breaker *k = t->streams[i]->breakers[j];

			b->some = b->some || !k->off;
			if (!k->off && k->window > b->longest)
				b->longest = k->window;
		}
}

/* load - the policy that the gate has now; the old one stays when the files
 * have mistakes */
static void
load(struct breakers *b)
{
	struct policy_load args = { .path = b->in->config->policy,
	    .keys = b->in->config->keys };
	struct problems problems;
	struct policy *fresh = NULL;
	struct why why;
	int got;

	args.forms = policy_forms_of(b->in->gate);
	problems_init(&problems, b->arena);
	got = policy_load(&args, &fresh, &problems, &why);
	if (got != 1) {
		if (!b->said)
			log_error("breakers: %s cannot be used (%s); %s",
			    b->in->config->policy, got == -1 ? why.text :
			    "penstock policy check names the mistakes",
			    b->policy != NULL ? "the old one stays" :
			    "none is counted");
		b->said = true;
		return;
	}
	b->said = false;
	policy_drop(b->policy);
	b->policy = fresh;
	b->some = false;
	b->longest = 0;
	note_streams(b, fresh->automatic);
	for (size_t i = 0; i < fresh->ntenants; i++)
		note_streams(b, fresh->tenants[i]);
}

/* follow_policy - has the gate another one? */
static int
follow_policy(struct breakers *b, struct why *why)
{
	struct status status = { .generation = 0 };

	if (b->in->gate != NULL && store_status(b->in->gate, &status,
	    b->arena, why) == -1)
		return -1;
	if (b->policy != NULL && status.generation == b->generation)
		return 0;
	b->generation = status.generation;
	load(b);
	return 0;
}

/* --- rows ----------------------------------------------------------------- */

/* row_get - fetch: of a breaker; texts live in the arena */
static int
row_get(struct breakers *b, const uint8_t key[TRIP_KEY], struct trip *trip,
    struct why *why)
{
	struct slice value, k = { (const char *)key, TRIP_KEY };
	int got = outcomes_row(b->in->outcomes, OUTCOMES_BREAKERS, k,
	    b->arena, &value, why);

	*trip = (struct trip){ .time = 0 };
	return got != 1 ? got : trip_decode(value, trip, why) == -1 ? -1 : 1;
}

/* row_put - in a transaction of its own */
static int
row_put(struct breakers *b, const uint8_t key[TRIP_KEY],
    const struct trip *trip, struct why *why)
{
	struct outcomes *o = b->in->outcomes;
	struct buf value = BUF_INIT;
	int rc = -1;

	trip_encode(trip, &value);
	if (buf_failed(&value))
		why_kind(why, WHY_MEMORY, "no memory for a breaker");
	else if (outcomes_begin(o, why) == 0) {
		rc = outcomes_put(o, OUTCOMES_BREAKERS, (struct slice){
		    (const char *)key, TRIP_KEY }, buf_slice(&value), why);
		if (rc == -1)
			outcomes_abort(o);
		else
			rc = outcomes_commit(o, why);
	}
	buf_free(&value);
	return rc;
}

/* --- what a person lifted ------------------------------------------------- */

struct lifting {
	struct breakers	*b;
	const struct desk_record *r;
	uint8_t		 keys[LIFTS][TRIP_KEY];
	size_t		 n;
};

/* lifts - is it one of those? */
static bool
lifts(void *with, struct slice key, struct slice value)
{
	struct lifting *l = with;
	struct trip trip;
	struct why why;

	if (key.n == TRIP_KEY && trip_decode(value, &trip, &why) == 0 &&
	    slice_eq(trip.tenant, l->r->tenant) && (slice_is(l->r->object,
	    ORDERS_ALL_BREAKERS) ||
	    slice_eq(trip.breaker, l->r->object)) &&
	    trip.floor < l->r->time && l->n < LIFTS)
		memcpy(l->keys[l->n++], key.p, TRIP_KEY);
	return l->n < LIFTS;
}

/* lift - rows of a decision count anew from its time on */
static int
lift(void *with, const struct desk_record *r, struct why *why)
{
	struct breakers *b = with;
	struct lifting l = { .b = b, .r = r };
	struct trip trip;

	do {
		l.n = 0;
		if (outcomes_each(b->in->outcomes, OUTCOMES_BREAKERS,
		    SLICE_NONE, lifts, &l, why) == -1)
			return -1;
		for (size_t i = 0; i < l.n; i++) {
			if (row_get(b, l.keys[i], &trip, why) != 1)
				return -1;
			trip.floor = r->time;
			if (row_put(b, l.keys[i], &trip, why) == -1)
				return -1;
			tallies_reset(b->tallies, l.keys[i], r->time);
		}
	} while (l.n == LIFTS);
	log_info("breakers: desk:%llu: tenant %.*s counts anew",
	    (unsigned long long)r->seq, SLICE_ARG(r->tenant));
	return 0;
}

/* --- counting ------------------------------------------------------------- */

/* login_of - of the message that an outcome is about; "" when its event is
 * gone */
static int
login_of(struct breakers *b, uint64_t event, struct slice *login,
    struct why *why)
{
	struct event e;
	int got;

	if (event != b->event || event == 0) {
		b->event = event;
		b->login[0] = '\0';
		if (event == 0 || b->in->gate == NULL)
			goto out;
		if ((got = store_event(b->in->gate, event, b->arena, &e,
		    why)) == -1)
			return -1;
		if (got == 1 && e.login.n < sizeof(b->login)) {
			if (e.login.n > 0)
				memcpy(b->login, e.login.p, e.login.n);
			b->login[e.login.n] = '\0';
		}
	}
out:
	*login = slice_of(b->login);
	return 0;
}

/* is_wrong - does that outcome count against it? */
static bool
is_wrong(const struct breaker *k, const struct outcome *x)
{
	switch (k->when) {
	case BREAKER_HARD_BOUNCE:
		return x->kind == OUTCOME_BOUNCED && slice_is(x->action,
		    action_names[ACTION_SUPPRESS_NOW]);
	case BREAKER_BOUNCE:
		return x->kind == OUTCOME_BOUNCED ||
		    x->kind == OUTCOME_EXPIRED;
	case BREAKER_COMPLAINT:
		return x->kind == OUTCOME_COMPLAINT;
	}
	return false;
}

/* trip - too much: the gate reads it at the next message */
static int
trip(struct breakers *b, const struct breaker *k, const uint8_t *key,
    const struct outcome *x, struct slice login, uint64_t bad, uint64_t all,
    struct why *why)
{
	struct trip t;

	if (row_get(b, key, &t, why) == -1)
		return -1;
	if (t.time > t.floor)		/* it did already */
		return 0;
	t = (struct trip){ .time = clock_wall(), .floor = t.floor,
	    .bad = bad, .all = all, .window = k->window, .tenant = x->tenant,
	    .stream = (k->per & PER_STREAM) != 0 ? x->stream : SLICE_NONE,
	    .login = login, .breaker = k->name,
	    .when = slice_of(breaker_when_names[k->when]) };
	if (row_put(b, key, &t, why) == -1)
		return -1;
	log_warn("breaker %.*s of tenant %.*s tripped: %llu of %llu "
	    "recipients %s; action %s, until penstock breaker lift",
	    SLICE_ARG(k->name), SLICE_ARG(x->tenant),
	    (unsigned long long)bad, (unsigned long long)all,
	    breaker_when_names[k->when], breaker_action_names[k->action]);
	return 0;
}

/* count_one - an outcome in one breaker */
static int
count_one(struct breakers *b, const struct breaker *k, uint64_t stream,
    const struct outcome *x, int64_t now, struct why *why)
{
	struct tally_rule rule = { .window = k->window,
	    .least = (uint64_t)k->least, .rate = (unsigned)k->rate };
	struct slice login = SLICE_NONE;
	uint8_t key[TRIP_KEY];
	uint64_t bad, all;
	struct trip t;

	if (x->time < now - k->window)
		return 0;
	if ((k->per & PER_LOGIN) != 0 &&
	    login_of(b, x->event, &login, why) == -1)
		return -1;
	trip_key(hash_id("tenant", x->tenant), k->name,
	    (k->per & PER_STREAM) != 0 ? stream : 0,
	    (k->per & PER_LOGIN) != 0 ? hash_id("login", login) : 0, key);
	if (!tallies_known(b->tallies, key)) {
		if (row_get(b, key, &t, why) == -1)
			return -1;
		if (tallies_begin(b->tallies, key, t.floor, now) == -1) {
			if (!b->full)
				log_error("breakers: more than %d tenants, "
				    "streams and logins are counted apart; "
				    "some are not", TALLIES_MOST);
			b->full = true;
			return 0;
		}
	}
	if (tallies_add(b->tallies, key, &rule, x->time,
	    x->kind == OUTCOME_DELIVERED || x->kind == OUTCOME_BOUNCED ||
	    x->kind == OUTCOME_EXPIRED, is_wrong(k, x), &bad, &all) != 1)
		return 0;
	return trip(b, k, key, x, login, bad, all, why);
}

/* count - an outcome in all breakers of its stream */
static int
count(struct breakers *b, const struct outcome *x, int64_t now,
    struct why *why)
{
	const struct tenant *t = policy_tenant(b->policy, x->tenant);
	const struct stream *s = NULL;

	if (t == NULL)
		t = b->policy->automatic;
	if (t == NULL || x->tenant.n == 0)
		return 0;
	if ((s = policy_stream(t, x->stream)) == NULL)
		s = policy_default(t);
	for (size_t i = 0; i < s->nbreakers; i++)
		if (!s->breakers[i]->off && count_one(b, s->breakers[i],
		    s->id, x, now, why) == -1)
			return -1;
	return 0;
}

/* begin - where the last window begins */
static int
begin(struct breakers *b, int64_t now, struct why *why)
{
	uint64_t from, to;

	if (b->counting)
		return 0;
	if (outcomes_span(b->in->outcomes, now - b->longest, now +
	    CLOCK_DAY, &from, &to, why) == -1)
		return -1;
	if (from > to && outcomes_last(b->in->outcomes, &from, why) == 0)
		from++;
	b->seq = from - 1;
	b->counting = true;
	return 0;
}

/* follow_outcomes - those that are new. Fetch: 1 there are more. */
static int
follow_outcomes(struct breakers *b, int64_t now, struct why *why)
{
	struct outcome list[BATCH];
	size_t got = 0;

	for (int i = 0; i < BATCHES; i++) {
		arena_reset(b->arena);
		if (outcomes_read(b->in->outcomes, b->seq + 1, BATCH,
		    b->arena, list, &got, why) == -1)
			return -1;
		for (size_t j = 0; j < got; j++) {
			if (count(b, &list[j], now, why) == -1)
				return -1;
			b->seq = list[j].seq;
		}
		if (got < BATCH)
			return 0;
	}
	return 1;
}

/* look - policy, desk, outcomes. Fetch: 1 there is more to read. */
static int
look(struct breakers *b, struct why *why)
{
	int64_t now = clock_wall();

	arena_reset(b->arena);
	if (follow_policy(b, why) == -1)
		return -1;
	if (b->policy == NULL || !b->some) {
		b->counting = false;
		return 0;
	}
	if (decisions_follow(&b->desk, b->arena, why) == -1 ||
	    begin(b, now, why) == -1)
		return -1;
	return follow_outcomes(b, now, why);
}

/* breakers_want - nothing but the time */
size_t
breakers_want(void *with, struct pollfd *fds, size_t room)
{
	(void)with;
	(void)fds;
	(void)room;
	return 0;
}

/* breakers_ready - twice a second; a full disk is waited for */
int
breakers_ready(void *with, const struct pollfd *fds, size_t n,
    struct why *why)
{
	struct breakers *b = with;
	int64_t now = clock_mono();

	(void)fds;
	(void)n;
	if (b->looked != 0 && now - b->looked < EVERY)
		return 0;
	b->looked = now;
	if (ingest_gate(b->in, why) == -1)
		return -1;
	return look(b, why) == -1 && why->kind != WHY_NOROOM ? -1 : 0;
}

/* breakers_settle - now, and all there is */
int
breakers_settle(struct breakers *b, struct why *why)
{
	int got;

	while ((got = look(b, why)) == 1)
		;
	return got;
}
