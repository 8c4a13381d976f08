/*
 * counter - the table of counters.
 *
 * 256 tables of chained buckets, the first byte of the key says which, each
 * growing by itself: with a million counters one growth moves some 4,000
 * entries, so that nobody waits long for the mutex.  One table that grows at
 * once would hold it for a tenth of a second; one with open addressing would
 * pay for empty slots of a hundred bytes.  A counter is 104 bytes and its
 * bucket 8 to 16.  Keys are hashes already; their bytes are the hash.
 *
 * Windows.  The window of a cap is a half-open range of time.  When it is over
 * the counter rolls: count and reservations begin anew.  Ranges that overlap
 * without being equal come from an edit (a day became a month, a tenant moved
 * to another zone): what was spent stays, the end is the new one's.  The start
 * changes at a roll only, and then it grows; claims and charges are given the
 * counter's.  So the start names one life of the counter, and what was laid a
 * hand on, or charged, in a life before is told by it.
 *
 * Messages of two policies may be open at once, and ask in any order.  The
 * newest that asked gives the form (a cap's end, a throttle's rate); an older
 * one takes what it finds.  If each changed it, a month would end at midnight
 * because of one message begun before the edit.  Charges on their way to the
 * disk change no form, they were given it when they were sealed.
 *
 * Open.  The level of an open counter is all that was ever accepted; how much
 * of it is final, somebody else counts (ledger_finals), under the same key and
 * for ever as well, so neither needs the other's hand.  What is under way is
 * the difference.  Such a counter is never forgotten once something is in it.
 *
 * Overflow.  A tenant may have 10,000 live counters.  Asks beyond share one
 * counter per limit, kept under a key of their own and held to that limit's
 * number: it counts what many keys spend, so nobody gets more than its cap.
 * As long as it lives, all new keys of that limit stay in it: a counter made
 * later would not know what the overflow has seen.
 */
#include "policy/counter.h"

#include <stdlib.h>
#include <string.h>

#include "lib/hash.h"
#include "policy/rate.h"

#define SHARD_FIRST	16	/* buckets */
#define OWNERS_FIRST	64

/* bucket_of - which bucket of its table */
static size_t
bucket_of(const uint8_t key[16], size_t size)
{
	uint64_t h;

	memcpy(&h, key + 8, sizeof(h));
	return (size_t)h & (size - 1);
}

/* shard_grow - twice the buckets; without memory the chains just get longer */
static void
shard_grow(struct ledger *l, struct shard *s)
{
	size_t i, at, size = s->size > 0 ? s->size * 2 : SHARD_FIRST;
	struct counter **to, *c, *next;

	to = calloc(size, sizeof(*to));
	if (to == NULL)
		return;
	for (i = 0; i < s->size; i++) {
		for (c = s->buckets[i]; c != NULL; c = next) {
			next = c->next;
			at = bucket_of(c->key, size);
			c->next = to[at];
			to[at] = c;
		}
	}
	l->stat.bytes += (size - s->size) * sizeof(*to);
	free(s->buckets);
	s->buckets = to;
	s->size = size;
}

/* owner_slot - where that tenant is in the table, or would be */
static struct owner *
owner_slot(struct owner *table, size_t size, uint64_t tenant)
{
	size_t at = (size_t)(tenant * UINT64_C(0x9e3779b97f4a7c15) >> 20);

	for (at &= size - 1; table[at].tenant != 0; at = (at + 1) & (size - 1))
		if (table[at].tenant == tenant)
			break;
	return &table[at];
}

/* owner_of - how many counters a tenant has; NULL: no memory to count them */
static struct owner *
owner_of(struct ledger *l, uint64_t tenant)
{
	size_t i, size;
	struct owner *to, *o;

	if (l->nowners * 2 >= l->owners_size) {
		size = l->owners_size > 0 ? l->owners_size * 2 : OWNERS_FIRST;
		to = calloc(size, sizeof(*to));
		if (to == NULL)
			return NULL;
		for (i = 0; i < l->owners_size; i++)
			if (l->owners[i].tenant != 0)
				*owner_slot(to, size, l->owners[i].tenant) =
				    l->owners[i];
		l->stat.bytes += (size - l->owners_size) * sizeof(*to);
		free(l->owners);
		l->owners = to;
		l->owners_size = size;
	}
	o = owner_slot(l->owners, l->owners_size, tenant);
	if (o->tenant == 0) {
		o->tenant = tenant;
		l->nowners++;
	}
	return o;
}

/* counter_find - the counter of that key, or NULL */
struct counter *
counter_find(const struct ledger *l, const uint8_t key[16])
{
	const struct shard *s = &l->shards[key[0]];
	struct counter *c;

	if (s->size == 0)
		return NULL;
	for (c = s->buckets[bucket_of(key, s->size)]; c != NULL; c = c->next)
		if (memcmp(c->key, key, sizeof(c->key)) == 0)
			return c;
	return NULL;
}

/* counter_get - the counter of that charge's key, made if need be */
struct counter *
counter_get(struct ledger *l, const struct charge *charge, int64_t now)
{
	struct shard *s = &l->shards[charge->key[0]];
	struct counter *c, **at;
	struct owner *o = NULL;

	c = counter_find(l, charge->key);
	if (c != NULL)
		return c;
	if (s->n >= s->size)
		shard_grow(l, s);
	if (s->size == 0)
		return NULL;
	if (!charge->shared && charge->tenant != 0) {
		o = owner_of(l, charge->tenant);
		if (o == NULL)
			return NULL;
	}
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return NULL;
	memcpy(c->key, charge->key, sizeof(c->key));
	c->kind = charge->kind;
	c->shared = charge->shared != 0;
	c->owner = c->shared ? 0 : charge->tenant;
	if (c->kind == LIMIT_CAP) {
		c->window = charge->window;
		c->window_end = charge->window_end;
	} else if (c->kind == LIMIT_THROTTLE) {
		c->time = now;
		c->rate = charge->rate;
		c->period = charge->period;
	}
	at = &s->buckets[bucket_of(c->key, s->size)];
	c->next = *at;
	*at = c;
	s->n++;
	if (o != NULL)
		o->counters++;
	l->stat.counters++;
	l->stat.bytes += sizeof(*c);
	return c;
}

/* overflow_key - of what one limit's keys share beyond the bound */
static void
overflow_key(const struct charge *charge, uint8_t key[16])
{
	uint8_t text[1 + 8 + 8 + 128];
	size_t i, n = charge->name.n;

	if (n > sizeof(text) - 17)
		n = sizeof(text) - 17;
	text[0] = charge->kind;
	memcpy(text + 1, "overflow", 8);
	for (i = 0; i < 8; i++)
		text[9 + i] = (uint8_t)(charge->tenant >> (8 * i));
	if (n > 0)
		memcpy(text + 17, charge->name.p, n);
	hash_128(text, 17 + n, key);
}

/* counter_resolve - the counter that this charge counts in */
struct counter *
counter_resolve(struct ledger *l, const struct charge *charge, int64_t now,
    bool make)
{
	struct charge over;
	struct counter *c;
	struct owner *o;

	c = counter_find(l, charge->key);
	if (c != NULL || charge->shared || charge->tenant == 0)
		return c == NULL && make ? counter_get(l, charge, now) : c;
	over = *charge;
	overflow_key(charge, over.key);
	c = counter_find(l, over.key);
	if (c == NULL && !make)
		return NULL;
	if (c == NULL) {
		o = owner_of(l, charge->tenant);
		if (o == NULL)
			return NULL;
		if (o->counters < LEDGER_TENANT_COUNTERS)
			return counter_get(l, charge, now);
		c = counter_get(l, &over, now);
	}
	if (make)
		l->stat.overflows++;
	return c;
}

/* shares_free - nobody holds anything of it */
static void
shares_free(struct counter *c)
{
	struct share *s;

	while ((s = c->shares) != NULL) {
		c->shares = s->next;
		free(s);
	}
}

/* counter_delete - take it out of its bucket; it must be clean */
void
counter_delete(struct ledger *l, struct counter **at)
{
	struct counter *c = *at;

	*at = c->next;
	l->shards[c->key[0]].n--;
	if (c->owner != 0)
		owner_slot(l->owners, l->owners_size, c->owner)->counters--;
	l->stat.counters--;
	l->stat.bytes -= sizeof(*c);
	shares_free(c);
	fair_free(c->fair);
	free(c);
}

/* roll - another window begins, nothing spent and nothing held */
static void
roll(struct counter *c, int64_t start, int64_t end)
{
	c->window = start > c->window_end ? start : c->window_end;
	c->window_end = end;
	c->level = 0;
	c->reserved = 0;
	shares_free(c);
}

/* throttle_turn - leak to now, then at that charge's rate; was it another? */
static bool
throttle_turn(struct counter *c, const struct charge *charge, bool newer,
    int64_t now)
{
	rate_leak(&c->level, &c->time, c->rate, c->period, now);
	if (!newer || (c->rate == charge->rate && c->period == charge->period))
		return false;
	c->rate = charge->rate;
	c->period = charge->period;
	return true;
}

/* counter_turn - bring it to now, and to the form of the limit that asks */
bool
counter_turn(struct counter *c, const struct ask *ask, int64_t now)
{
	const struct charge *charge = &ask->charge;
	bool newer = ask->policy >= c->policy;

	if (newer)
		c->policy = ask->policy;
	if (c->kind >= LIMIT_OPEN)
		return false;
	if (c->kind == LIMIT_THROTTLE)
		return throttle_turn(c, charge, newer, now);
	/* a window that is over is kept when all of it lies in the newer one */
	if (charge->window >= c->window_end || (now >= c->window_end &&
	    charge->window_end > c->window_end &&
	    (!newer || charge->window > c->window))) {
		roll(c, charge->window, charge->window_end);
		return false;
	}
	/* our moment may be a little behind: then it is the newer window */
	if (!newer || charge->window_end <= c->window ||
	    charge->window_end == c->window_end)
		return false;
	c->window_end = charge->window_end;
	return true;
}

/* counter_follow - as the charges of an event say; the longer end, for lack of
 * better knowledge: who asks next sets it right, and nothing is forgotten */
void
counter_follow(struct counter *c, const struct charge *charge, int64_t time)
{
	if (c->kind >= LIMIT_OPEN)
		return;
	if (c->kind == LIMIT_THROTTLE)
		(void)throttle_turn(c, charge, true, time);
	else if (charge->window >= c->window_end)
		roll(c, charge->window, charge->window_end);
	else if (charge->window_end > c->window_end)
		c->window_end = charge->window_end;
}

/* counter_dirty - its row is no longer what it is */
void
counter_dirty(struct ledger *l, struct counter *c)
{
	if (c->mark == MARK_CLEAN) {
		c->mark = MARK_DIRTY;
		c->link = l->dirty;
		l->dirty = c;
	} else if (c->mark == MARK_SLICE)
		c->mark = MARK_SLICE_DIRTY;
}

/* counter_holds - is that reservation still part of reserved? */
bool
counter_holds(const struct counter *c, const struct charge *charge)
{
	return c->kind != LIMIT_CAP || (charge->window >= c->window &&
	    charge->window < c->window_end);
}

/* share_of - what one tenant holds of a shared counter */
struct share *
share_of(struct counter *c, uint64_t tenant, bool make)
{
	struct share *s;

	for (s = c->shares; s != NULL; s = s->next)
		if (s->tenant == tenant)
			return s;
	if (!make)
		return NULL;
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return NULL;
	s->tenant = tenant;
	s->next = c->shares;
	c->shares = s;
	return s;
}

/* counter_reserve - lay a hand on so much more, or less */
void
counter_reserve(struct counter *c, uint64_t tenant, int64_t amount)
{
	struct share *s, **at;

	c->reserved += amount;
	if (c->reserved < 0)
		c->reserved = 0;
	fair_took(c->fair, tenant, amount);
	if (!c->shared)
		return;
	s = share_of(c, tenant, false);
	if (s == NULL)
		return;
	s->reserved += amount;
	if (s->reserved > 0)
		return;
	for (at = &c->shares; *at != s; at = &(*at)->next)
		;
	*at = s->next;
	free(s);
}

/* counter_fits - is there room for n more of a counter that stands at now? */
bool
counter_fits(const struct counter *c, int64_t n, int64_t most)
{
	if (n <= 0 || most == LEDGER_UNBOUNDED)
		return true;
	if (c->kind == LIMIT_THROTTLE)
		return rate_fits(c->level, c->reserved, n, most);
	return (__int128)c->level + c->reserved + n <= most;
}

/* counter_next - when n more will fit, if everybody leaves it alone; what is
 * reserved is taken as spent */
int64_t
counter_next(const struct counter *c, int64_t n, int64_t most, int64_t now)
{
	__int128 over;
	int64_t wait;

	if (counter_fits(c, n, most))
		return now;
	if (n > most)
		return INT64_MAX;
	if (c->kind == LIMIT_CAP)
		return c->window_end;
	if (c->kind >= LIMIT_OPEN)
		return LEDGER_SOMETIME;
	over = c->level + ((__int128)c->reserved + n - most) * RATE_UNIT;
	wait = over > INT64_MAX ? INT64_MAX :
	    rate_wait((int64_t)over, c->rate, c->period);
	if (wait > INT64_MAX - c->time)
		return INT64_MAX;
	return c->time + wait > now ? c->time + wait : now;
}

/* counter_finals - how much of an open counter is no longer under way */
int64_t
counter_finals(const struct ledger *l, const struct counter *c)
{
	int64_t n;

	if (c->kind != LIMIT_OPEN || l->finals == NULL || c->level <= 0)
		return 0;
	n = l->finals(l->finals_with, c->key);
	return n < 0 ? 0 : n > c->level ? c->level : n;
}

/* counter_used - in whole units, rounded up */
int64_t
counter_used(const struct counter *c)
{
	return c->kind == LIMIT_THROTTLE ? rate_whole(c->level) : c->level;
}

/* charge_unreserve - take the hand off what one charge reserved */
void
charge_unreserve(struct ledger *l, const struct charge *charge)
{
	struct counter *c = counter_find(l, charge->key);

	if (c != NULL && counter_holds(c, charge))
		counter_reserve(c, charge->tenant, -charge->amount);
}

/* counters_free - all of them, at the end */
void
counters_free(struct ledger *l)
{
	struct counter *c, *next;
	size_t i, j;

	for (i = 0; i < COUNTER_SHARDS; i++) {
		for (j = 0; j < l->shards[i].size; j++) {
			for (c = l->shards[i].buckets[j]; c != NULL; c = next) {
				next = c->next;
				shares_free(c);
				fair_free(c->fair);
				free(c);
			}
		}
		free(l->shards[i].buckets);
	}
	free(l->owners);
}
