/*
 * subject - see subject.h.
 *
 * The key is made again of what the event says, with every limit of a day that
 * could have been charged, and compared: a handful of hashes, once a day for
 * whom nobody knows yet.
 */
#include "policy/subject.h"

#include "lib/hash.h"
#include "policy/egress.h"
#include "policy/measure.h"

static const struct tenant nobody;	/* an address is all tenants' */

/* dimensions_of - as measure wants them */
static void
dimensions_of(const struct policy *p, const struct subject *s,
    struct dimensions *d)
{
	measure_begin(p, s->whose != NULL ? s->whose : &nobody, NULL, d);
	measure_egress(d, s->address);
	memcpy(d->id, s->id, sizeof(d->id));
	d->known = s->known;
}

/* key_of - of one of its limits */
static void
key_of(const struct policy *p, const struct subject *s,
    const struct limit *limit, uint8_t key[PROGRESS_KEY])
{
	struct dimensions d;
	struct ask ask;

	dimensions_of(p, s, &d);
	measure_ask(limit, &d, 1, 1, 0, &ask);
	memcpy(key, ask.charge.key, PROGRESS_KEY);
}

/* zone_of - in whose days it counts */
static const struct zone *
zone_of(const struct policy *p, const struct subject *s)
{
	if (limit_egress(s->limit) && s->address != NULL)
		return s->address->pool->zone;
	if (limit_shared(s->limit) || s->whose == NULL ||
	    s->whose->zone == NULL)
		return p->zone;
	return s->whose->zone;
}

/* know - one thing more that is said of its mail */
static void
know(struct subject *s, unsigned per, uint64_t id)
{
	s->id[__builtin_ctz(per)] = id;
	s->known |= per;
}

/* is_day - a warmup's limit of the day */
static bool
is_day(const struct limit *limit)
{
	return limit->warmup != NULL && limit->part == WARM_DAY;
}

/* by_address - pool and address */
static void
by_address(struct subject *s, const struct pool_address *a)
{
	s->address = a;
	know(s, PER_POOL, a != NULL ? a->pool->id : 0);
	know(s, PER_ADDRESS, a != NULL ? a->id : 0);
}

/* subject_of_address - its own */
bool
subject_of_address(const struct policy *p, const struct pool_address *a,
    struct subject *s)
{
	*s = (struct subject){ .limits = a->limits, .nlimits = a->nlimits,
		.name = a->address };
	by_address(s, a);
	for (size_t i = 0; i < a->nlimits; i++)
		if (is_day(a->limits[i])) {
			s->limit = a->limits[i];
			s->zone = zone_of(p, s);
			key_of(p, s, s->limit, s->key);
			return true;
		}
	return false;
}

/* --- of an event ---------------------------------------------------------- */

/* named - "acme/news a@b.example" */
static int
named(struct subject *s, const struct event *e, struct arena *arena)
{
	unsigned per = s->limit->per;
	char *text;

	if ((per & PER_TENANT) != 0)
		s->tenant = e->tenant;
	if ((per & PER_STREAM) != 0)
		s->stream = e->stream;
	if ((per & PER_LOGIN) != 0)
		s->login = e->login.p != NULL ? e->login : SLICE("");
	text = arena_printf(arena, "%.*s%s%.*s%s%.*s%s%.*s%s%.*s",
	    SLICE_ARG(s->tenant), s->stream.p != NULL ? "/" : "",
	    SLICE_ARG(s->stream), s->login.p != NULL ? " " : "",
	    SLICE_ARG(s->login), s->from.p != NULL ? " @" : "",
	    SLICE_ARG(s->from), (per & PER_ADDRESS) != 0 ? " " : "",
	    (per & PER_ADDRESS) != 0 ? (int)e->address.n : 0,
	    e->address.n > 0 ? e->address.p : "");
	if (text == NULL)
		return -1;
	s->name = slice_of(text);
	return 0;
}

/* matches - is that limit's key the one? */
static bool
matches(const struct policy *p, struct subject *s, const struct limit *limit,
    const uint8_t key[PROGRESS_KEY])
{
	if ((limit->per & ~s->known) != 0)
		return false;
	key_of(p, s, limit, s->key);
	return memcmp(s->key, key, PROGRESS_KEY) == 0;
}

/* with_from - every domain that the mail is from, where that counts */
static bool
with_from(const struct policy *p, const struct event *e, struct subject *s,
    const struct limit *limit, const uint8_t key[PROGRESS_KEY])
{
	if ((limit->per & PER_SENDER_DOMAIN) == 0)
		return matches(p, s, limit, key);
	for (size_t i = 0; i < e->nfrom_domains; i++) {
		s->from = e->from_domains[i];
		know(s, PER_SENDER_DOMAIN, measure_id(PER_SENDER_DOMAIN,
		    s->from));
		if (matches(p, s, limit, key))
			return true;
	}
	s->from = SLICE_NONE;
	return false;
}

/* tenant_of - as it is now; NULL: there is none */
static int
tenant_of(const struct policy *p, const struct event *e, struct arena *arena,
    const struct tenant **t)
{
	*t = policy_tenant(p, e->tenant);
	return *t == NULL && e->tenant.n > 0 && policy_auto_domain(p,
	    e->tenant, arena, t) == -1 ? -1 : 0;
}

/* in_stream - among the limits of the mail's stream */
static bool
in_stream(const struct policy *p, const struct event *e, struct subject *s,
    const uint8_t key[PROGRESS_KEY])
{
	const struct stream *stream = policy_stream(s->whose, e->stream);

	if (stream == NULL)
		stream = policy_default(s->whose);
	know(s, PER_GROUP, s->whose->group != NULL ? s->whose->group->id : 0);
	know(s, PER_TENANT, s->whose->id);
	know(s, PER_STREAM, stream->id);
	know(s, PER_LOGIN, measure_id(PER_LOGIN, e->login));
	know(s, PER_SENDER, measure_id(PER_SENDER, e->mail_from));
	s->limits = stream->limits;
	s->nlimits = stream->nlimits;
	for (size_t i = 0; i < stream->nlimits; i++) {
		if (!is_day(stream->limits[i]) ||
		    !with_from(p, e, s, stream->limits[i], key))
			continue;
		s->limit = stream->limits[i];
		return true;
	}
	return false;
}

/* subject_of_event - the address, or one of the tenant's */
int
subject_of_event(const struct policy *p, const struct event *e,
    const uint8_t key[PROGRESS_KEY], struct arena *arena, struct subject *s,
    struct why *why)
{
	const struct pool_address *a = e->address.n > 0 ?
	    egress_find(p, e->address) : NULL;
	const struct tenant *t;

	if (a != NULL && subject_of_address(p, a, s) &&
	    memcmp(s->key, key, PROGRESS_KEY) == 0)
		return 1;
	if (tenant_of(p, e, arena, &t) == -1)
		return why_kind(why, WHY_MEMORY, "no memory");
	*s = (struct subject){ .whose = t };
	by_address(s, a);
	if (t == NULL || !in_stream(p, e, s, key))
		return 0;
	s->zone = zone_of(p, s);
	return named(s, e, arena) == -1 ? why_kind(why, WHY_MEMORY,
	    "no memory") : 1;
}

/* --- more of it ----------------------------------------------------------- */

/* subject_shares - of the provider, among the limits of the same warmup */
size_t
subject_shares(const struct policy *p, const struct subject *s,
    unsigned provider, int64_t n, int64_t now,
    struct charge charges[SUBJECT_SHARES])
{
	struct dimensions d;
	struct ask ask;
	size_t got = 0;

	dimensions_of(p, s, &d);
	measure_know(&d, PER_PROVIDER, measure_id(PER_PROVIDER,
	    slice_of(provider_name(provider))));
	for (size_t i = 0; i < s->nlimits && got < SUBJECT_SHARES; i++) {
		const struct limit *limit = s->limits[i];

		if (limit->warmup != s->limit->warmup ||
		    limit->part != WARM_SHARE ||
		    (limit->per & ~d.known) != 0 ||
		    !measure_watches(limit, provider))
			continue;
		measure_ask(limit, &d, n, 1, now, &ask);
		charges[got++] = ask.charge;
	}
	return got;
}

/* subject_single - of the pool and the tenant */
void
subject_single(const struct pool *pool, uint64_t tenant,
    uint8_t key[PROGRESS_KEY])
{
	const uint64_t ids[] = { hash_id("warmup", SLICE("single")), pool->id,
		tenant };
	uint8_t text[sizeof(ids)];

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)(ids[i / 8] >> (8 * (i % 8)));
	hash_128(text, sizeof(text), key);
}

/* subject_meant - by its name, its key, or as a tenant's */
bool
subject_meant(struct slice object, struct slice tenant,
    const struct warm_row *row)
{
	struct pool pool = { .id = hash_id("pool", object) };
	uint8_t key[PROGRESS_KEY];

	if (tenant.n > 0)
		subject_single(&pool, hash_id("tenant", tenant), key);
	else if (!subject_unhex(object, key))
		return slice_eq(object, row->name);
	return memcmp(key, row->key, sizeof(key)) == 0;
}

/* subject_frees - by its provider */
bool
subject_frees(struct slice provider, const struct warm_factor *f)
{
	if (provider.n == 0)
		return f->until == 0;
	return slice_eq(provider, f->provider) || (f->index < PROVIDER_MAX &&
	    (provider_find(provider) >> f->index & 1) != 0);
}

/* subject_hex - two digits a byte */
void
subject_hex(const uint8_t key[PROGRESS_KEY], char out[SUBJECT_HEX + 1])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < PROGRESS_KEY; i++) {
		out[2 * i] = digits[key[i] >> 4];
		out[2 * i + 1] = digits[key[i] & 15];
	}
	out[SUBJECT_HEX] = '\0';
}

/* subject_unhex - and back */
bool
subject_unhex(struct slice s, uint8_t key[PROGRESS_KEY])
{
	static const char digits[] = "0123456789abcdef";
	const char *high, *low;

	if (s.n != SUBJECT_HEX)
		return false;
	for (size_t i = 0; i < PROGRESS_KEY; i++) {
		high = memchr(digits, s.p[2 * i], 16);
		low = memchr(digits, s.p[2 * i + 1], 16);
		if (high == NULL || low == NULL)
			return false;
		key[i] = (uint8_t)((high - digits) << 4 | (low - digits));
	}
	return true;
}
