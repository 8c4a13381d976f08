/*
 * warmer_day - who sent how much on a day.
 *
 * What was used is summed from the charges of events, by the key of the
 * counter and the window that stands in them: exactly what the ledger counted,
 * whenever its event came to disk.  A key that nobody knows yet is a warmup
 * that began on that day, and its first event says whose it is.
 *
 * What limits of ours turned away is in events of refusals, which have no
 * keys; so it counts for every warmup that the mail could have been part of:
 * the address that it names, or all of the pools that its tenant's mail goes
 * to, and the tenant's own.  What a STOP turned away does not count: a provider
 * that is stopped would otherwise look like a crowd that had no room.
 *
 * Events are read some hundred at a time, each time in a transaction of its
 * own, with a pause between: it is the gate that runs here.
 */
#include "milter/warmer_in.h"

#include <string.h>
#include <time.h>

#include "lib/clock.h"

#define SLACK	(10 * CLOCK_MINUTE)	/* an event may be late */
#define PAUSE	1000000			/* ns between batches */
enum { BATCH = 256 };

/* no_memory - the day is tried again */
static int
no_memory(struct why *why)
{
	return why_kind(why, WHY_MEMORY, "no memory for the day of the "
	    "warmups");
}

/* --- who is there --------------------------------------------------------- */

/* add - one more, that is not there yet */
static struct warm_mail *
add(struct warm_day *d, const struct subject *s, const struct event *seen)
{
	struct warm_mail *m = arena_alloc(d->arena, sizeof(*m));
	struct warm_mail **wider;
	size_t cap;

	if (m == NULL)
		return NULL;
	m->subject = *s;
	m->seen = seen;
	if (d->n == d->cap) {
		cap = d->cap > 0 ? 2 * d->cap : 64;
		wider = arena_array(d->arena, cap, sizeof(*wider));
		if (wider == NULL)
			return NULL;
		if (d->n > 0)
			memcpy(wider, d->list, d->n * sizeof(*wider));
		d->list = wider;
		d->cap = cap;
	}
	if (map_set(d->by_key, (struct slice){ (const char *)m->subject.key,
	    PROGRESS_KEY }, m) == -1)
		return NULL;
	if (s->whose != NULL) {
		m->next = map_get(d->by_tenant, s->whose->name);
		if (map_set(d->by_tenant, s->whose->name, m) == -1)
			return NULL;
	}
	d->list[d->n++] = m;
	return m;
}

/* same_zone - by name: a policy that was read again has it from elsewhere */
static bool
same_zone(const struct zone *a, const struct zone *b)
{
	return a == b || strcmp(zone_name(a), zone_name(b)) == 0;
}

/* add_addresses - those of the policy */
static int
add_addresses(struct warm_day *d)
{
	struct subject s;

	for (size_t i = 0; i < d->policy->npools; i++) {
		const struct pool *pool = d->policy->pools[i];

		for (size_t k = 0; k < pool->naddresses; k++)
			if (subject_of_address(d->policy,
			    &pool->addresses[k], &s) &&
			    same_zone(s.zone, d->zone) &&
			    add(d, &s, NULL) == NULL)
				return -1;
	}
	return 0;
}

/* add_seen - whose key an event names; fetch: 0 it is none of this day's */
static int
add_seen(struct warm_day *d, const struct event *e,
    const uint8_t key[PROGRESS_KEY], struct warm_mail **out, struct why *why)
{
	struct event *kept = arena_alloc(d->arena, sizeof(*kept));
	struct subject s;
	int got;

	*out = NULL;
	if (kept == NULL)
		return no_memory(why);
	*kept = *e;
	if ((got = subject_of_event(d->policy, kept, key, d->arena, &s,
	    why)) != 1)
		return got;
	if (!same_zone(s.zone, d->zone))
		return 0;
	*out = add(d, &s, kept);
	return *out != NULL ? 1 : no_memory(why);
}

/* add_rows - those that have a row already and are no address's own */
static int
add_rows(struct warm_day *d, struct why *why)
{
	const struct warm_row *rows;
	size_t n = progress_rows(d->progress, &rows);
	uint8_t key[PROGRESS_KEY];
	struct warm_mail *m;
	struct event e;
	int got;

	for (size_t i = 0; i < n; i++) {
		if (map_get(d->by_key, (struct slice){
		    (const char *)rows[i].key, PROGRESS_KEY }) != NULL)
			continue;
		if ((got = warm_event(d->w->gate, rows[i].seq, d->arena, &e,
		    why)) == -1)
			return -1;
		/* a row that bears another one's event is a tenant's stop */
		if (got == 1 && subject_unhex(e.matched, key) &&
		    memcmp(key, rows[i].key, sizeof(key)) == 0 &&
		    add_seen(d, &e, key, &m, why) == -1)
			return -1;
	}
	return 0;
}

/* --- what was used -------------------------------------------------------- */

/* whole - an event with all its texts, to be kept */
static int
whole(struct warm_day *d, struct slice encoded, struct event *e,
    struct why *why)
{
	struct slice copy = arena_copy(d->arena, encoded);

	return copy.p == NULL ? no_memory(why) :
	    event_decode(copy, e, d->arena, why);
}

/* use - one charge of a counter of a day */
static int
use(struct warm_day *d, struct slice encoded, const struct charge *c,
    bool back, struct why *why)
{
	struct warm_mail *m = map_get(d->by_key, (struct slice){
	    (const char *)c->key, PROGRESS_KEY });
	struct event e;
	int got = 1;

	if (c->window != d->window.start || !slice_is(c->name, FATE_CHARGE))
		return 0;
	if (m == NULL && (whole(d, encoded, &e, why) == -1 || (got = add_seen(
	    d, &e, c->key, &m, why)) == -1))
		return -1;
	if (got == 1)
		m->used += back ? -c->amount : c->amount;
	return 0;
}

/* --- what was turned away ------------------------------------------------- */

/* by_stop - is it a person's word that is waited for, and no number? */
static bool
by_stop(const struct warm_day *d, const struct warm_mail *m,
    const struct event *e)
{
	const struct warm_row *row = progress_find(d->progress,
	    m->subject.key);

	if (row == NULL || (row->stopped == 0 && row->nfactors == 0))
		return false;
	if (row->stopped != 0)
		return true;
	for (size_t i = 0; i < row->nfactors; i++)
		if (row->factors[i].thousandths == 0 &&
		    slice_is(e->limit, WARMUP_PROVIDER))
			return true;
	return false;
}

/* turn - for one warmup */
static void
turn(struct warm_day *d, struct warm_mail *m, const struct event *e)
{
	if (m != NULL && !by_stop(d, m, e))
		m->turned += e->count;
}

/* turn_pool - for every address of a pool, or the one that is named */
static void
turn_pool(struct warm_day *d, const struct pool *pool, const struct event *e)
{
	struct subject s;

	for (size_t i = 0; i < pool->naddresses; i++)
		if ((e->address.n == 0 || slice_eq(e->address,
		    pool->addresses[i].address)) && subject_of_address(
		    d->policy, &pool->addresses[i], &s))
			turn(d, map_get(d->by_key, (struct slice){
			    (const char *)s.key, PROGRESS_KEY }), e);
}

/* goes_to - is that pool among the ways of the tenant's mail? */
static bool
goes_to(const struct tenant *t, const struct event *e, const struct pool *pool)
{
	for (size_t i = 0; i < t->nstreams; i++) {
		const struct stream *s = t->streams[i];

		if (e->stream.n > 0 && !slice_eq(e->stream, s->name))
			continue;
		for (size_t k = 0; k < s->nroutes; k++)
			if (s->routes[k].pool == pool)
				return true;
	}
	return false;
}

/* turned_away - one event in which a limit of ours said no */
static void
turned_away(struct warm_day *d, const struct event *e)
{
	const struct tenant *t = policy_tenant(d->policy, e->tenant);
	struct warm_mail *m = map_get(d->by_tenant, e->tenant);

	if (t == NULL && e->tenant.n > 0)
		(void)policy_auto_domain(d->policy, e->tenant, d->some, &t);
	for (size_t i = 0; i < d->policy->npools; i++) {
		const struct pool *pool = d->policy->pools[i];

		if (e->pool.n > 0 ? slice_eq(e->pool, pool->name) :
		    t != NULL && goes_to(t, e, pool))
			turn_pool(d, pool, e);
	}
	for (; m != NULL; m = m->next)
		if ((m->subject.stream.p == NULL || e->stream.n == 0 ||
		    slice_eq(m->subject.stream, e->stream)) &&
		    (m->subject.login.p == NULL ||
		    slice_eq(m->subject.login, e->login)))
			turn(d, m, e);
}

/* --- the events of a day -------------------------------------------------- */

/* one - event */
static int
one(struct warm_day *d, struct slice encoded, struct why *why)
{
	struct charge *charges;
	enum event_kind kind;
	uint64_t seq, voids;
	struct event e;
	int64_t time;
	size_t n;

	if (event_charges(encoded, &seq, &time, &kind, &voids, &charges, &n,
	    d->some, why) == -1)
		return why_in(why, "an event of the gate");
	for (size_t i = 0; kind != EVENT_WARMUP && kind != EVENT_RESET &&
	    i < n; i++)
		if (use(d, encoded, &charges[i], kind == EVENT_VOID,
		    why) == -1)
			return -1;
	if ((kind != EVENT_DEFER && kind != EVENT_REFUSE &&
	    kind != EVENT_HOLD) || time < d->window.start ||
	    time >= d->window.end)
		return 0;
	if (event_decode(encoded, &e, d->some, why) == -1)
		return why_in(why, "event %llu", (unsigned long long)seq);
	if (e.limit.n > 0)
		turned_away(d, &e);
	return 0;
}

/* scan - all of them */
static int
scan(struct warm_day *d, uint64_t from, uint64_t to, struct why *why)
{
	struct timespec pause = { .tv_nsec = PAUSE };
	struct slice encoded[BATCH];
	size_t got = 1;

	while (from < to && got > 0) {
		if (warmer_stopping(d->w))
			return why_set(why, "the gate is stopping");
		arena_reset(d->some);
		if (store_read(d->w->gate->store, from, to - from < BATCH ?
		    (size_t)(to - from) : BATCH, d->some, encoded, &got,
		    why) == -1)
			return -1;
		for (size_t i = 0; i < got; i++)
			if (one(d, encoded[i], why) == -1)
				return -1;
		from += got;
		if (from < to)
			nanosleep(&pause, NULL);
	}
	return 0;
}

/* day_read - the warmups of that zone and that day */
int
day_read(struct warm_day *d, struct why *why)
{
	struct store *store = d->w->gate->store;
	uint64_t from, to, end;

	d->arena = arena_new(64u << 10, 0);
	d->some = arena_new(256u << 10, 0);
	d->by_key = map_new();
	d->by_tenant = map_new();
	if (d->arena == NULL || d->some == NULL || d->by_key == NULL ||
	    d->by_tenant == NULL || add_addresses(d) == -1)
		return no_memory(why);
	warmer_window(d->zone, d->date, &d->window);
	if (add_rows(d, why) == -1 ||
	    store_seq_at(store, d->window.start, &from, why) == -1 ||
	    store_seq_at(store, d->window.end, &end, why) == -1 ||
	    store_seq_at(store, d->window.end + SLACK, &to, why) == -1)
		return -1;
	d->last = end - 1;
	return scan(d, from, to, why);
}

/* day_free - whatever is there of it */
void
day_free(struct warm_day *d)
{
	map_free(d->by_key);
	map_free(d->by_tenant);
	arena_free(d->arena);
	arena_free(d->some);
}
