/*
 * measure - see measure.h.
 *
 * The key of a counter is hash_128 over
 *
 *	u8 kind (0 throttle, 1 cap, 2 open) + 16 * what is counted (0
 *	recipients, 1 messages, 2 bytes), u16 per (PER_*), little-endian,
 *	then the u64 id of each of its dimensions in the order of their bits,
 *	then the limit's name
 *
 * and nothing of the number, the class or the file, so that edits keep what
 * was spent; a limit that counts something else by now starts anew, since
 * bytes that were spent are no recipients.  Groups, tenants and streams have
 * their durable ids; the id of a text is SipHash of it, letters made small,
 * since one person's login or sender in other letters is no other person.  A
 * group that a tenant has not is 0.
 *
 * A tenant's limit counts in the tenant's zone.  One that several share is one
 * counter of tenants that may live in different zones, so it counts in the
 * policy's.  What counts apart by pool or address counts in the pool's.
 *
 * What is reserved of an egress limit is so between the end of a message and
 * its commit, a moment, and in one piece; so no tenant is kept from a part of
 * it by its own open messages, as with caps that are reserved from RCPT on.
 */
#include "policy/measure.h"

#include <string.h>

#include "lib/clock.h"
#include "lib/hash.h"
#include "policy/portion.h"

#define SEED	UINT64_C(0x70656e73746f636b)
#define PIECE	256

/* measure_id - a text's, in small letters, piece by piece */
uint64_t
measure_id(unsigned per, struct slice s)
{
	uint64_t id = SEED ^ per;
	char piece[PIECE] = "";
	size_t i, n;

	if (s.p == NULL)
		s = SLICE("");
	do {
		n = s.n < PIECE ? s.n : PIECE;
		for (i = 0; i < n; i++)
			piece[i] = s.p[i] >= 'A' && s.p[i] <= 'Z' ?
			    (char)(s.p[i] - 'A' + 'a') : s.p[i];
		id = hash_64(id, piece, n);
		s = slice_from(s, n);
	} while (s.n > 0);
	return id != 0 ? id : 1;
}

/* measure_know - one more that is known */
void
measure_know(struct dimensions *d, unsigned per, uint64_t id)
{
	d->id[__builtin_ctz(per)] = id;
	d->known |= per;
}

/* measure_begin - what the tenant and the stream say */
void
measure_begin(const struct policy *p, const struct tenant *t,
    const struct stream *s, struct dimensions *d)
{
	d->known = 0;
	d->policy = p;
	d->tenant = t;
	d->pool = NULL;
	d->progress = NULL;
	d->bulk = s == NULL || s->priority == PRIORITY_BULK;
	d->provider = DECIDE_ALL;
	measure_know(d, PER_GROUP, t->group != NULL ? t->group->id : 0);
	measure_know(d, PER_TENANT, t->id);
	if (s != NULL)
		measure_know(d, PER_STREAM, s->id);
}

/* measure_egress - which way it leaves */
void
measure_egress(struct dimensions *d, const struct pool_address *a)
{
	d->pool = a != NULL ? a->pool : NULL;
	measure_know(d, PER_POOL, a != NULL ? a->pool->id : 0);
	measure_know(d, PER_ADDRESS, a != NULL ? a->id : 0);
}

/* key - whose counter */
static void
key(const struct limit *limit, const struct dimensions *d, uint8_t out[16])
{
	uint8_t text[1 + 2 + PER_DIMENSIONS * 8 + 64];
	size_t i, n = 0, name = limit->name.n < 64 ? limit->name.n : 64;

	text[n++] = (uint8_t)((unsigned)limit->kind |
	    (unsigned)limit->count << 4);
	text[n++] = (uint8_t)limit->per;
	text[n++] = (uint8_t)(limit->per >> 8);
	for (unsigned bit = 0; bit < PER_DIMENSIONS; bit++)
		for (i = 0; (limit->per >> bit & 1) != 0 && i < 8; i++)
			text[n++] = (uint8_t)(d->id[bit] >> (8 * i));
	if (name > 0)
		memcpy(text + n, limit->name.p, name);
	hash_128(text, n + name, out);
}

/* most - burst, the cap, or what may be open */
static int64_t
most(const struct limit *limit)
{
	return limit->kind == LIMIT_THROTTLE ? limit->burst : limit->most;
}

/* measure_zone - where its windows begin */
const struct zone *
measure_zone(const struct limit *limit, const struct policy *p,
    const struct tenant *t, const struct pool *pool)
{
	if (limit_egress(limit) && pool != NULL)
		return pool->zone;
	return limit_shared(limit) || t->zone == NULL ? p->zone : t->zone;
}

/* window - a cap's at that moment */
static void
window(const struct limit *limit, const struct dimensions *d, int64_t now,
    struct charge *charge)
{
	struct window w;

	if (limit->kind != LIMIT_CAP ||
	    (charge->window <= now && now < charge->window_end))
		return;
	zone_window(measure_zone(limit, d->policy, d->tenant, d->pool),
	    limit->unit, limit->month_day, now, &w);
	charge->window = w.start;
	charge->window_end = w.end;
}

/* measure_view - where a warmup is */
void
measure_view(const struct limit *limit, const struct dimensions *d,
    int64_t now, struct warm_ask *ask, struct warm_view *v)
{
	struct limit day = { .name = SLICE(WARMUP_DAY), .kind = LIMIT_CAP,
		.per = limit->per & ~(unsigned)PER_PROVIDER };
	uint8_t subject[PROGRESS_KEY];

	*ask = (struct warm_ask){ .limit = limit, .zone = measure_zone(limit,
	    d->policy, d->tenant, d->pool),
	    .provider = d->provider, .bulk = d->bulk };
	if (d->progress != NULL) {
		key(&day, d, subject);
		ask->row = progress_find(d->progress, subject);
	}
	warmup_view(limit->warmup, ask->row, ask->zone, now, v);
}

/* part_view - the same, of what bulk mail may have of a pool's */
static void
part_view(const struct limit *limit, const struct dimensions *d, int64_t now,
    struct warm_ask *ask, struct warm_view *v)
{
	measure_view(limit, d, now, ask, v);
	if (!ask->bulk || !portion_applies(limit, d))
		return;
	ask->fifths = true;
	v->cap = portion_bulk(v->cap);
	v->so_far = portion_bulk(v->so_far);
	v->hour = portion_bulk(v->hour);
}

/* measure_whole - of the whole window, or of the whole day */
int64_t
measure_whole(const struct limit *limit, const struct dimensions *d,
    int64_t now)
{
	struct warm_ask who;
	struct warm_view v;
	int64_t n;

	if (limit->warmup == NULL) {
		n = most(limit);
		return d->bulk && portion_applies(limit, d) ?
		    portion_bulk(n) : n;
	}
	if (limit->part == WARM_BURST)
		return LEDGER_UNBOUNDED;
	part_view(limit, d, now, &who, &v);
	v.so_far = v.cap;
	return warmup_most(&who, &v);
}

/* warm - its number now, and what its throttle leaks; the number is what bulk
 * mail may have by now */
static int64_t
warm(const struct limit *limit, const struct dimensions *d, int64_t now,
    struct ask *ask)
{
	struct dimensions bulk = *d;
	struct warm_ask who;
	struct warm_view v;

	part_view(limit, d, now, &who, &v);
	ask->most = warmup_most(&who, &v);
	if (limit->kind == LIMIT_THROTTLE) {
		ask->charge.rate = v.rate;
		ask->charge.period = CLOCK_HOUR;
	}
	if (d->bulk || !portion_applies(limit, d))
		return ask->most;
	bulk.bulk = true;
	part_view(limit, &bulk, now, &who, &v);
	return warmup_most(&who, &v);
}

/* measure_next - when n more fit */
int64_t
measure_next(const struct limit *limit, const struct dimensions *d,
    int64_t used, int64_t before, int64_t n, int64_t next, int64_t now)
{
	struct warm_ask who;
	struct warm_view v;

	if (limit->warmup == NULL)
		return next;
	part_view(limit, d, now, &who, &v);
	return warmup_next(&who, &v, used, before, n, next, now);
}

/* measure_coming - until then */
int64_t
measure_coming(const struct limit *limit, const struct dimensions *d,
    int64_t used, int64_t until, int64_t now)
{
	struct warm_ask who;
	struct warm_view v;

	part_view(limit, d, now, &who, &v);
	return warmup_coming(&who, &v, used, until, now);
}

/* inflight - what one tenant may hold of a cap that others share */
static int64_t
inflight(const struct limit *limit, const struct dimensions *d, int64_t unit)
{
	int64_t share;

	if (!limit_shared(limit) || limit->kind != LIMIT_CAP ||
	    limit_egress(limit))
		return 0;
	share = (int64_t)((__int128)limit->most * d->policy->inflight / 100);
	if (share < unit)
		share = unit;
	return share > 1 ? share : 1;
}

/* measure_again - the window of now, one recipient's part of now */
void
measure_again(const struct limit *limit, const struct dimensions *d,
    int64_t unit, int64_t now, struct ask *ask)
{
	int64_t bulk;

	window(limit, d, now, &ask->charge);
	ask->inflight = inflight(limit, d, limit->count == COUNT_BYTES ?
	    unit : 1);
	bulk = limit->warmup != NULL ? warm(limit, d, now, ask) :
	    portion_bulk(ask->most = most(limit));
	portion(limit, d, bulk, now, ask);
}

/* measure_ask - what to ask the ledger for */
void
measure_ask(const struct limit *limit, const struct dimensions *d,
    int64_t amount, int64_t unit, int64_t now, struct ask *ask)
{
	memset(ask, 0, sizeof(*ask));
	key(limit, d, ask->charge.key);
	ask->charge.kind = (uint8_t)limit->kind;
	ask->charge.shared = limit_shared(limit);
	ask->charge.tenant = d->tenant->id;
	ask->charge.amount = amount;
	if (limit->kind == LIMIT_THROTTLE) {
		ask->charge.rate = limit->rate;
		ask->charge.period = limit->period;
	}
	ask->charge.name = limit->name;
	ask->policy = d->policy->number;
	measure_again(limit, d, unit, now, ask);
}

/* measure_rule - its file and line, for the event */
int
measure_rule(const struct policy *p, const struct limit *limit,
    struct arena *arena, struct ask *ask)
{
	ask->charge.rule = policy_rule(p, limit->at, arena);
	return ask->charge.rule.p != NULL ? 0 : -1;
}

/* measure_watches - does it count mail to that provider? */
bool
measure_watches(const struct limit *limit, unsigned provider)
{
	return limit->to_all || provider == DECIDE_ALL ||
	    (provider < PROVIDER_MAX && (limit->to >> provider & 1) != 0);
}

/* measure_amount - recipients, messages or bytes */
int64_t
measure_amount(const struct limit *limit, int64_t watched, int64_t bytes)
{
	int64_t all;

	if (watched == 0)
		return 0;
	if (limit->kind == LIMIT_OPEN || limit->count == COUNT_RECIPIENTS)
		return watched;
	if (limit->count == COUNT_MESSAGES)
		return 1;
	if (__builtin_mul_overflow(bytes, watched, &all) ||
	    all > LEDGER_AMOUNT_MAX)
		return LEDGER_AMOUNT_MAX + 1;
	return all;
}

/* facts_known - what the facts say of a limit's dimensions */
static void
facts_known(const struct policy *p, const struct tenant *t,
    const struct stream *s, const struct decide_facts *f,
    struct dimensions *d)
{
	const struct { unsigned per; struct slice text; } texts[] = {
		{ PER_LOGIN, f->login }, { PER_SENDER, f->sender },
		{ PER_SENDER_DOMAIN, f->sender_domain },
		{ PER_RECIPIENT_DOMAIN, f->recipient_domain },
	};

	measure_begin(p, t, s, d);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].text.p != NULL)
			measure_know(d, texts[i].per, measure_id(
			    texts[i].per, texts[i].text));
	if (f->egress != NULL)
		measure_egress(d, f->egress);
	d->progress = f->progress;
	d->provider = f->provider;
	if (f->provider != DECIDE_ALL)
		measure_know(d, PER_PROVIDER, measure_id(PER_PROVIDER,
		    slice_of(provider_name(f->provider))));
}

/* decide_next - when there is room again */
int64_t
decide_next(const struct policy *p, const struct tenant *t,
    const struct decide_facts *f, const struct limit *limit, int64_t used,
    int64_t n, int64_t next, int64_t now)
{
	struct dimensions d;

	if (limit->warmup == NULL || next <= now)
		return next;
	facts_known(p, t, f->stream != NULL ? f->stream : policy_default(t), f,
	    &d);
	return measure_next(limit, &d, used, 0, n, next, now);
}

/* asks_add - what one recipient would ask of those limits */
static int
asks_add(const struct dimensions *d, const struct decide_facts *f,
    const struct limit *const *list, size_t nlist, int64_t now,
    struct arena *arena, struct ask *asks, const struct limit **limits,
    size_t *n)
{
	for (size_t i = 0; i < nlist; i++) {
		const struct limit *limit = list[i];
		struct ask *ask = &asks[*n];
		int64_t amount;

		if (!measure_watches(limit, f->provider))
			continue;
		amount = measure_amount(limit, 1, f->bytes);
		measure_ask(limit, d, amount, amount, now, ask);
		if (measure_rule(d->policy, limit, arena, ask) == -1)
			return -1;
		if ((limit->per & ~d->known) != 0)
			memset(ask->charge.key, 0, 16);
		limits[(*n)++] = limit;
	}
	return 0;
}

/* asks_room - for so many */
static int
asks_room(size_t most, struct arena *arena, struct ask **asks,
    const struct limit ***limits, size_t *n)
{
	*n = 0;
	*asks = arena_array(arena, most + 1, sizeof(**asks));
	*limits = arena_array(arena, most + 1, sizeof(**limits));
	return *asks == NULL || *limits == NULL ? -1 : 0;
}

/* decide_asks_of - what one recipient would ask of every limit */
int
decide_asks_of(const struct policy *p, const struct tenant *t,
    const struct decide_facts *f, int64_t now, struct arena *arena,
    struct ask **asks, const struct limit ***limits, size_t *n)
{
	const struct stream *s = f->stream != NULL ? f->stream :
	    policy_default(t);
	struct dimensions d;

	if (asks_room(s->nlimits, arena, asks, limits, n) == -1)
		return -1;
	facts_known(p, t, s, f, &d);
	return asks_add(&d, f, s->limits, s->nlimits, now, arena, *asks,
	    *limits, n);
}

/* decide_asks_way - the same of the limits that stand in the pool and in the
 * address it leaves by */
int
decide_asks_way(const struct policy *p, const struct tenant *t,
    const struct decide_facts *f, int64_t now, struct arena *arena,
    struct ask **asks, const struct limit ***limits, size_t *n)
{
	static const struct tenant nobody;
	const struct pool_address *a = f->egress;
	struct dimensions d;

	if (asks_room(a->pool->nlimits + a->nlimits, arena, asks, limits,
	    n) == -1)
		return -1;
	facts_known(p, t != NULL ? t : &nobody, f->stream, f, &d);
	if (t == NULL)
		d.known &= ~(unsigned)(PER_GROUP | PER_TENANT);
	if (asks_add(&d, f, a->pool->limits, a->pool->nlimits, now, arena,
	    *asks, *limits, n) == -1)
		return -1;
	return asks_add(&d, f, a->limits, a->nlimits, now, arena, *asks,
	    *limits, n);
}

/* decide_asks - of the default stream */
int
decide_asks(const struct policy *p, const struct tenant *t, unsigned provider,
    int64_t bytes, int64_t now, struct arena *arena, struct ask **asks,
    const struct limit ***limits, size_t *n)
{
	struct decide_facts f = { .provider = provider, .bytes = bytes };

	return decide_asks_of(p, t, &f, now, arena, asks, limits, n);
}

/* named_add - the asks of one stream that bear the name, each key once */
static void
named_add(const struct ask *asks, const struct limit *const *limits, size_t n,
    enum limit_kind kind, struct slice name, struct ask *to, size_t *got,
    bool *apart)
{
	static const uint8_t none[sizeof(asks->charge.key)];
	size_t i, j;

	for (i = 0; i < n; i++) {
		if (limits[i]->kind != kind || !slice_eq(limits[i]->name, name))
			continue;
		if (memcmp(asks[i].charge.key, none, sizeof(none)) == 0) {
			*apart = true;
			continue;
		}
		for (j = 0; j < *got; j++)
			if (memcmp(to[j].charge.key, asks[i].charge.key,
			    sizeof(none)) == 0)
				break;
		if (j == *got)
			to[(*got)++] = asks[i];
	}
}

/* decide_asks_named - the counters of one name, whatever stream they bind */
int
decide_asks_named(const struct policy *p, const struct tenant *t,
    enum limit_kind kind, struct slice name, const struct decide_facts *said,
    int64_t now, struct arena *arena, struct ask **asks, size_t *n,
    bool *apart)
{
	struct decide_facts f = *said;
	const struct limit **limits;
	struct ask *some;
	size_t i, k, most = 0;

	*n = 0;
	*apart = false;
	for (i = 0; i < t->nstreams; i++)
		most += t->streams[i]->nlimits;
	if ((*asks = arena_array(arena, most + 1, sizeof(**asks))) == NULL)
		return -1;
	for (i = 0; i < t->nstreams; i++) {
		f.stream = t->streams[i];
		if (decide_asks_of(p, t, &f, now, arena, &some, &limits,
		    &k) == -1)
			return -1;
		named_add(some, limits, k, kind, name, *asks, n, apart);
	}
	return 0;
}
