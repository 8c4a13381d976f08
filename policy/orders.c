/*
 * orders - the picture: one array, sorted by tenant and sequence.
 *
 * What ends what:
 *
 *	pause	replaces a pause of the same tenant, stream and provider
 *	resume	ends the pause of the same tenant, stream and provider
 *	grant	adds to others of the same limit; of 0, ends them all
 *	lift	replaces the lift of the same breaker; it stands for ever, and
 *		what trips later stands against it; of a back-off, which ends
 *		by itself, it stands for two days
 *	until	ends a pause or a grant by itself
 *
 * A pause of everything and one of a provider stand beside each other: to
 * resume the one does not resume the other.
 *
 * A picture is made whole from the one before: decisions are rare and few are
 * in force, messages are many, and a reader needs neither a lock nor a copy.
 * Records are kept as the desk has them, encoded, in one block of memory that
 * the decoded ones borrow; so a picture is stored as it is and comes back the
 * same.
 *
 *	stored: u8 format = 1, u64 seq, u8[32] chain, u32 n, n fields, each
 *	a row of the desk (lib/desk_record.c)
 *
 * The clock: until is compared with gate time, which never goes back, so a
 * pause that is over does not come back.
 */
#include "policy/orders.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "lib/provider.h"
#include "lib/wire.h"

enum { FORMAT = 1 };
#define GRANT_MOST	INT64_C(1000000000000)	/* as any number of a limit */

struct orders {
	atomic_uint	 refs;
	uint64_t	 seq;
	uint8_t		 chain[HASH_SHA256];
	struct arena	*arena;		/* rows and all texts */
	struct order	*list;		/* by tenant, then seq */
	size_t		 n;
};

/* --- births and deaths ---------------------------------------------------- */

/* orders_new - room for n */
static struct orders *
orders_new(size_t n)
{
	struct orders *o = calloc(1, sizeof(*o));

	if (o == NULL || (o->arena = arena_new(4096, 0)) == NULL ||
	    (o->list = arena_array(o->arena, n + 1,
	    sizeof(*o->list))) == NULL) {
		orders_drop(o);
		return NULL;
	}
	atomic_init(&o->refs, 1);
	return o;
}

/* orders_hold - one more who looks at it */
struct orders *
orders_hold(struct orders *o)
{
	if (o != NULL)
		atomic_fetch_add_explicit(&o->refs, 1, memory_order_relaxed);
	return o;
}

/* orders_drop - the last one frees it */
void
orders_drop(struct orders *o)
{
	if (o == NULL || (atomic_load(&o->refs) > 0 &&
	    atomic_fetch_sub(&o->refs, 1) > 1))
		return;
	arena_free(o->arena);
	free(o);
}

/* orders_seq - how far it has read */
uint64_t
orders_seq(const struct orders *o)
{
	return o != NULL ? o->seq : 0;
}

/* orders_chain - of that record */
void
orders_chain(const struct orders *o, uint8_t out[HASH_SHA256])
{
	if (o != NULL)
		memcpy(out, o->chain, HASH_SHA256);
	else
		memset(out, 0, HASH_SHA256);
}

/* --- making --------------------------------------------------------------- */

/* copy_record - every text of it into the picture */
static const struct desk_record *
copy_record(struct arena *arena, const struct desk_record *from)
{
	struct desk_record *r = arena_alloc(arena, sizeof(*r));
	struct slice *const texts[] = { &r->tenant, &r->stream, &r->provider,
		&r->limit, &r->object, &r->subject, &r->reason, &r->user,
		&r->sudo, &r->before, &r->after };

	if (r == NULL)
		return NULL;
	*r = *from;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i]->p != NULL &&
		    (*texts[i] = arena_copy(arena, *texts[i])).p == NULL)
			return NULL;
	return r;
}

/* order_of - a record as it is asked about; false when nobody asks */
static bool
order_of(const struct desk_record *r, struct order *o)
{
	*o = (struct order){
		.seq = r->seq,
		.tenant = hash_id("tenant", r->tenant),
		.kind = r->kind,
		.stream = r->stream.n > 0 ? hash_id("stream", r->stream) : 0,
		.amount = r->amount,
		.until = r->until,
		.record = r,
	};
	if (r->kind == DESK_PAUSE || r->kind == DESK_RESUME) {
		if (r->provider.n == 0)
			return true;
		/* a name that this release does not know means all of them:
		 * the stricter reading of a pause */
		o->providers = provider_find(r->provider);
		return true;
	}
	if (r->kind == DESK_BREAKER_LIFT)
		return true;
	if (r->kind == DESK_BACKOFF_LIFT) {
		o->until = r->time + ORDERS_BACKOFF_LASTS;
		return true;
	}
	if (r->kind != DESK_GRANT)
		return false;
	o->limit_kind = r->limit_kind;
	return true;
}

/* same_scope - would the one take the other's place? */
static bool
same_scope(const struct order *a, const struct order *b)
{
	if (a->tenant != b->tenant)
		return false;
	if (a->kind == DESK_BREAKER_LIFT || a->kind == DESK_BACKOFF_LIFT)
		return slice_eq(a->record->object, b->record->object);
	if (a->kind == DESK_GRANT)
		return a->limit_kind == b->limit_kind &&
		    slice_eq(a->record->limit, b->record->limit);
	return slice_eq(a->record->stream, b->record->stream) &&
	    slice_eq(a->record->provider, b->record->provider);
}

/* ended - does what comes later end this one? */
static bool
ended(const struct order *o, const struct order *by)
{
	if (!(o->kind == by->kind ||
	    (o->kind == DESK_PAUSE && by->kind == DESK_RESUME)) ||
	    !same_scope(o, by))
		return false;
	return by->kind != DESK_GRANT || by->amount <= 0;
}

/* by_tenant - the order of the array */
static int
by_tenant(const void *va, const void *vb)
{
	const struct order *a = va, *b = vb;

	if (a->tenant != b->tenant)
		return a->tenant < b->tenant ? -1 : 1;
	return a->seq < b->seq ? -1 : a->seq > b->seq;
}

/* keep - an order that is in force, at the end */
static int
keep(struct orders *o, const struct order *from)
{
	struct order *to = &o->list[o->n];

	*to = *from;
	if ((to->record = copy_record(o->arena, from->record)) == NULL)
		return -1;
	o->n++;
	return 0;
}

/* stands - does it have force, or only end another one? */
static bool
stands(const struct order *o)
{
	return o->kind == DESK_PAUSE || o->kind == DESK_BREAKER_LIFT ||
	    o->kind == DESK_BACKOFF_LIFT ||
	    (o->kind == DESK_GRANT && o->amount > 0);
}

/* take - one more decision; what it ends is gone */
static int
take(struct orders *o, const struct desk_record *r)
{
	struct order next;
	size_t i, kept = 0;

	if (!order_of(r, &next))
		return 0;
	for (i = 0; i < o->n; i++)
		if (!ended(&o->list[i], &next))
			o->list[kept++] = o->list[i];
	o->n = kept;
	return stands(&next) ? keep(o, &next) : 0;
}

/* over - it has ended by itself */
static bool
over(const struct order *o, int64_t now)
{
	return o->until != 0 && o->until <= now;
}

/* orders_after - the next picture */
struct orders *
orders_after(const struct orders *old, const struct desk_row *rows, size_t n,
    int64_t now)
{
	size_t had = old != NULL ? old->n : 0, i;
	struct orders *o = orders_new(had + n);

	if (o == NULL)
		return NULL;
	o->seq = orders_seq(old);
	orders_chain(old, o->chain);
	for (i = 0; i < had; i++)
		if (!over(&old->list[i], now) &&
		    keep(o, &old->list[i]) == -1)
			goto fail;
	for (i = 0; i < n; i++) {
		if (take(o, &rows[i].record) == -1)
			goto fail;
		o->seq = rows[i].record.seq;
		memcpy(o->chain, rows[i].chain, sizeof(o->chain));
	}
	if (o->n > 1)
		qsort(o->list, o->n, sizeof(*o->list), by_tenant);
	return o;
fail:
	orders_drop(o);
	return NULL;
}

/* --- as bytes ------------------------------------------------------------- */

/* orders_encode - append it; failure is sticky in the buffer */
void
orders_encode(const struct orders *o, struct buf *b)
{
	static const uint8_t zeros[HASH_SHA256];
	uint8_t chain[HASH_SHA256];
	struct buf row = BUF_INIT;
	size_t n = o != NULL ? o->n : 0;

	orders_chain(o, chain);
	put_u8(b, FORMAT);
	put_u64(b, orders_seq(o));
	put_bytes(b, chain, sizeof(chain));
	put_u32(b, (uint32_t)n);
	for (size_t i = 0; i < n; i++) {
		buf_reset(&row);
		desk_encode(o->list[i].record, NULL, zeros, &row);
		if (buf_failed(&row))
			b->failed = true;
		put_field(b, buf_slice(&row));
	}
	buf_free(&row);
}

/* get_orders - the records behind the head */
static int
get_orders(struct wire *w, struct orders *o, uint32_t n, struct why *why)
{
	struct desk_row row;
	struct order next;

	for (uint32_t i = 0; i < n; i++) {
		if (desk_decode(get_field(w), &row, why) == -1)
			return -1;
		/* in the order of the array, all of them with force */
		if (!order_of(&row.record, &next) || !stands(&next) ||
		    next.seq > o->seq || (i > 0 &&
		    by_tenant(&o->list[i - 1], &next) >= 0))
			return why_set(why, "the orders in force make no "
			    "sense");
		if (keep(o, &next) == -1)
			return why_kind(why, WHY_MEMORY, "no memory");
	}
	return 0;
}

/* orders_decode - and back */
int
orders_decode(struct slice s, struct orders **out, struct why *why)
{
	struct wire w = wire_of(s);
	struct orders *o = NULL;
	uint8_t format = get_u8(&w), chain[HASH_SHA256];
	uint64_t seq = get_u64(&w);
	uint32_t n;

	*out = NULL;
	get_bytes(&w, chain, sizeof(chain));
	n = get_u32(&w);
	if (!w.bad && format > FORMAT)
		return why_set(why, "orders in force of format %u: written by "
		    "a newer Penstock", format);
	if (w.bad || format != FORMAT || n > (size_t)(w.end - w.p) / 4)
		return why_set(why, "the orders in force make no sense");
	if ((o = orders_new(n)) == NULL)
		return why_kind(why, WHY_MEMORY, "no memory for the orders in "
		    "force");
	o->seq = seq;
	memcpy(o->chain, chain, sizeof(chain));
	if (get_orders(&w, o, n, why) == -1)
		goto fail;
	if (w.bad || w.p != w.end) {
		why_set(why, "the orders in force make no sense");
		goto fail;
	}
	*out = o;
	return 0;
fail:
	orders_drop(o);
	return -1;
}

/* --- questions ------------------------------------------------------------ */

/* orders_list - the part of the array that is about one tenant */
size_t
orders_list(const struct orders *o, uint64_t tenant,
    const struct order **first)
{
	size_t low = 0, high, n = 0;

	*first = NULL;
	if (o == NULL || o->n == 0)
		return 0;
	*first = o->list;
	if (tenant == 0)
		return o->n;
	high = o->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (o->list[middle].tenant < tenant)
			low = middle + 1;
		else
			high = middle;
	}
	*first = o->list + low;
	while (low + n < o->n && o->list[low + n].tenant == tenant)
		n++;
	return n;
}

/* holds - does this pause keep that from being sent? */
static bool
holds(const struct order *o, uint64_t stream, unsigned provider)
{
	if (o->stream != 0 && o->stream != stream)
		return false;
	if (o->record->provider.n == 0)
		return true;
	if (provider >= PROVIDER_MAX)
		return false;
	return o->providers == 0 || (o->providers >> provider & 1) != 0;
}

/* orders_pause - what keeps this from being sent, the widest first */
const struct order *
orders_pause(const struct orders *orders, uint64_t tenant, uint64_t stream,
    unsigned provider, int64_t now)
{
	const struct order *o, *found = NULL;
	size_t i, n = orders_list(orders, tenant, &o);

	for (i = 0; i < n; i++, o++) {
		if (o->kind != DESK_PAUSE || over(o, now) ||
		    !holds(o, stream, provider))
			continue;
		if (o->stream == 0 && o->record->provider.n == 0)
			return o;
		if (found == NULL)
			found = o;
	}
	return found;
}

/* orders_grant - how much more */
int64_t
orders_grant(const struct orders *orders, uint64_t tenant,
    enum limit_kind kind, struct slice limit, int64_t now)
{
	const struct order *o;
	size_t i, n = orders_list(orders, tenant, &o);
	int64_t sum = 0;

	for (i = 0; i < n; i++, o++)
		if (o->kind == DESK_GRANT && !over(o, now) &&
		    o->limit_kind == kind && o->amount > 0 &&
		    slice_eq(o->record->limit, limit))
			sum = o->amount > GRANT_MOST - sum ? GRANT_MOST :
			    sum + o->amount;
	return sum;
}

/* orders_lifted - the latest word of a person */
int64_t
orders_lifted(const struct orders *orders, uint64_t tenant,
    struct slice breaker)
{
	const struct order *o;
	size_t i, n = orders_list(orders, tenant, &o);
	int64_t last = 0;

	for (i = 0; i < n; i++, o++)
		if (o->kind == DESK_BREAKER_LIFT && o->record->time > last &&
		    (slice_is(o->record->object, ORDERS_ALL_BREAKERS) ||
		    slice_eq(o->record->object, breaker)))
			last = o->record->time;
	return last;
}

/* orders_backoff_object - whose, and where to */
bool
orders_backoff_object(const struct desk_record *r, bool *address,
    struct slice *whose, struct slice *to)
{
	const char *blank;

	*to = r->object;
	*whose = r->tenant;
	*address = r->tenant.n == 0;
	if (*address) {
		blank = r->object.n > 0 ? memchr(r->object.p, ' ',
		    r->object.n) : NULL;
		if (blank == NULL)
			return false;
		*whose = (struct slice){ r->object.p,
		    (size_t)(blank - r->object.p) };
		*to = slice_from(r->object, whose->n + 1);
	}
	if (slice_is(*to, ORDERS_ALL_BREAKERS))
		*to = SLICE("");
	return whose->n > 0;
}

/* orders_backoff_lifted - the latest word of a person */
int64_t
orders_backoff_lifted(const struct orders *orders, uint64_t tenant,
    struct slice address, struct slice to)
{
	const struct order *o;
	struct slice whose, place;
	int64_t last = 0;
	bool is_address;
	size_t n;

	if (orders == NULL || orders->n == 0)
		return 0;
	n = orders_list(orders, address.p != NULL ?
	    hash_id("tenant", SLICE("")) : tenant, &o);
	for (; n > 0; n--, o++)
		if (o->kind == DESK_BACKOFF_LIFT && o->record->time > last &&
		    orders_backoff_object(o->record, &is_address, &whose,
		    &place) && (address.p == NULL || slice_eq(whose,
		    address)) && (place.n == 0 || slice_eq(place, to)))
			last = o->record->time;
	return last;
}

/* orders_place - where a line of a file would stand */
struct place
orders_place(const struct order *o)
{
	return (struct place){ DESK_NAME, (unsigned)o->seq, 0 };
}
