/*
 * egress - see egress.h.
 *
 * Weights.  Every route of a recipient draws an exponential variate, -log2 of a
 * hash of (pool, recipient address), and divides it by its weight; the least
 * wins (weighted rendezvous hashing).  So each route gets its part of the
 * addresses, and when a weight grows, addresses come to that route from the
 * others and none moves between those.  In whole numbers: what was decided on
 * one machine is decided on the next.
 *
 * The address.  Each of the pool is looked at, without reserving anything:
 * those with room for the whole message in every limit come first, then the
 * one of whose fullest limit the least is used, and among equals a hash of
 * address and recipient decides, so that addresses without limits share the
 * mail.  In that order the ledger is asked, all limits or none; what has no
 * room any more by then gives way to the next.  Large pools are looked at in
 * parts, so that the time of a message does not grow with the pool.
 *
 * Only when none has room, and the limits that say so are all of the way and
 * none of the mail's own, the overflow pool is asked in the same way; not when
 * a warmup was stopped for what became of its mail: what has a bad name at one
 * address is not to leave by the next.  When
 * that has no room either, what the limits of the first pool say holds: hold,
 * defer or refuse.
 *
 * Mail that is held, for a limit of its own or a breaker, gets its address now
 * and is charged for it when it is released.
 */
#include "policy/egress.h"

#include <string.h>

#include "lib/hash.h"
#include "policy/decide_in.h"
#include "policy/meter.h"
#include "policy/reply.h"

#define PART	16		/* addresses that are looked at together */
#define FRACTION 24		/* bits of a logarithm */

/* surprise - -log2(h / 2^64) in 2^-FRACTION: from 0 to 64, in the mean 1.44 */
static uint64_t
surprise(uint64_t h)
{
	unsigned __int128 square;
	uint64_t x, bits = 0;
	int lead;

	h |= 1;
	lead = __builtin_clzll(h);
	x = h << lead;			/* 1 <= x / 2^63 < 2 */
	for (int i = 0; i < FRACTION; i++) {
		square = (unsigned __int128)x * x;
		bits = bits << 1 | (uint64_t)(square >> 127);
		x = (uint64_t)(square >> (63 + (square >> 127)));
	}
	return ((uint64_t)(lead + 1) << FRACTION) - bits;
}

/* rcpt_id - of a recipient's address, whatever its case */
static uint64_t
rcpt_id(struct rcpt *rcpt)
{
	if (rcpt->path_id == 0)
		rcpt->path_id = measure_id(PER_POOL, rcpt->to.text);
	return rcpt->path_id;
}

/* egress_route - the one that draws least */
const struct route *
egress_route(const struct stream *s, struct rcpt *rcpt)
{
	const struct route *best = NULL;
	uint64_t id, draw, least = 0;

	if (s->nroutes <= 1)
		return s->nroutes == 1 ? &s->routes[0] : NULL;
	id = rcpt_id(rcpt);
	for (size_t i = 0; i < s->nroutes; i++) {
		const struct route *r = &s->routes[i];

		draw = surprise(hash_64(r->pool->id, &id, sizeof(id)));
		if (best == NULL || draw * (uint64_t)best->weight <
		    least * (uint64_t)r->weight) {
			best = r;
			least = draw;
		}
	}
	return best;
}

/* leaves - does this recipient get the message, and elsewhere? */
static bool
leaves(const struct rcpt *rcpt)
{
	return !rcpt->local && rcpt->verdict != VERDICT_DROP;
}

/* first - who says by which pool it leaves */
static struct rcpt *
first(const struct mail *mail)
{
	for (size_t i = 0; i < mail->nrcpts; i++)
		if (leaves(&mail->rcpts[i]))
			return &mail->rcpts[i];
	return NULL;
}

/* cannot - why Postfix could not be told that way, as far as is known before
 * all recipients are; NULL: it can */
static const char *
cannot(const struct mail *mail, const struct pool *pool)
{
	if (pool->naddresses == 0)
		return "its pool has no address";
	if (pool->select != SELECT_SENDER)
		return NULL;
	if (mail->null_sender)
		return "it has no sender, and its pool is selected by that";
	if (mail->stream->return_path != RETURN_PATH_VERP)
		return "its stream keeps MAIL FROM, and its pool is selected "
		    "by that";
	return mail->tenant->bounce_domain.n == 0 ? "there is no "
	    "bounce_domain, and its pool is selected by MAIL FROM" : NULL;
}

/* egress_away - the same for the whole message */
const char *
egress_away(const struct mail *mail, const struct pool *pool)
{
	const char *why = cannot(mail, pool);

	for (size_t i = 0; why == NULL && i < mail->nrcpts; i++)
		if (pool->select == SELECT_HEADER && mail->rcpts[i].local)
			why = "it has a local recipient, and its pool is "
			    "selected for the whole message";
	return why;
}

/* egress_rcpt - one who is to get it */
enum verdict
egress_rcpt(struct mail *mail, struct rcpt *rcpt, struct answer *a)
{
	const struct tenant *t = mail->tenant;
	const struct route *his;

	if (mail->stream == NULL || mail->stream->nroutes == 0)
		return reply_pass(a, mail->tenant_rule);
	if (mail->route == NULL) {
		his = egress_route(mail->stream, rcpt);
		if (decide_single(mail, his->pool, a) != VERDICT_PASS)
			return a->verdict;
		mail->route = his;
		return reply_pass(a, mail->tenant_rule);
	}
	if (mail->stream->nroutes == 1 || mail->releasing != NULL ||
	    mail->route->pool->other_path == OTHER_PATH_IGNORE ||
	    cannot(mail, mail->route->pool) != NULL ||
	    decide_submission(mail->policy, mail->listener) ||
	    (his = egress_route(mail->stream, rcpt)) == mail->route)
		return reply_pass(a, mail->tenant_rule);
	return reply(a, mail->arena, VERDICT_DEFER, "452", "4.5.3", his->at,
	    "tenant %.*s: <%.*s> is reached by pool %.*s, this message leaves "
	    "by pool %.*s; next slot: the next message", SLICE_ARG(t->name),
	    SLICE_ARG(reply_clean(mail->arena, rcpt->to.text)),
	    SLICE_ARG(his->pool->name), SLICE_ARG(mail->route->pool->name));
}

/* egress_headers - the stream was not known, or he was dropped */
void
egress_headers(struct mail *mail)
{
	struct rcpt *rcpt = first(mail);

	if (mail->route == NULL && rcpt != NULL)
		mail->route = egress_route(mail->stream, rcpt);
}

/* sooner - does it come first? */
static bool
sooner(const struct egress_look *a, const struct egress_look *b)
{
	if (a->fits != b->fits)
		return a->fits;
	if (!a->fits && a->next != b->next)
		return a->next < b->next;
	return a->load != b->load ? a->load < b->load : a->dice < b->dice;
}

/* look - at some of the pool's addresses, from one on; the best is first */
static struct egress_look *
look(struct mail *mail, const struct pool *pool, size_t from, size_t n,
    int64_t size, int64_t now)
{
	struct egress_look *all = &mail->looks[mail->nlooks], one;
	uint64_t id = rcpt_id(first(mail));
	size_t i, j;

	for (i = 0; i < n; i++) {
		const struct pool_address *a = &pool->addresses[(from + i) %
		    pool->naddresses];

		if (meters_look(mail, a, size, now, &one) == -1)
			return NULL;
		one.dice = hash_64(a->id, &id, sizeof(id));
		for (j = i; j > 0 && sooner(&one, &all[j - 1]); j--)
			all[j] = all[j - 1];
		all[j] = one;
	}
	mail->nlooks += n;
	return all;
}

/* part - of the pool's addresses: the ledger is asked for those with room; when
 * none has, the one that has some soonest gives the answer */
static enum verdict
part(struct mail *mail, const struct pool *pool, size_t from, size_t n,
    int64_t size, int64_t now, struct answer *a)
{
	struct meters *ms = &mail->meters;
	const struct would would = mail->would;
	enum stage stage = a->stage;
	struct egress_look *all;
	size_t i;

	if ((all = look(mail, pool, from, n, size, now)) == NULL)
		return reply_memory(a);
	for (i = 0; i < n && (i == 0 || all[i].fits); i++) {
		mail->would = would;
		decide_begin(a, stage);
		mail->egress = all[i].address;
		if (meters_seal(mail, size, now, a) <= VERDICT_HOLD || !ms->way)
			break;
	}
	return a->verdict;
}

/* pool_seal - by any address of the pool; *best: of those without room */
static enum verdict
pool_seal(struct mail *mail, const struct pool *pool, int64_t size,
    int64_t now, struct answer *a, const struct pool_address **best)
{
	size_t n = pool->naddresses, from = 0, left, k;
	uint64_t id = rcpt_id(first(mail));
	int64_t next = INT64_MAX;

	*best = NULL;
	if (n > PART)
		from = (size_t)(id % n);
	for (left = n; left > 0; left -= k, from += k) {
		k = left < PART ? left : PART;
		if (part(mail, pool, from, k, size, now, a) <= VERDICT_HOLD ||
		    !mail->meters.way)
			return a->verdict;
		if (*best == NULL || a->next < next) {
			*best = mail->egress;
			next = a->next;
		}
	}
	return a->verdict;
}

/* choose - an address for what is held anyway */
static int
choose(struct mail *mail, const struct pool *pool, int64_t size, int64_t now)
{
	size_t n = pool->naddresses < PART ? pool->naddresses : PART;
	const struct egress_look *all;

	if (pool->naddresses == 1) {
		mail->egress = &pool->addresses[0];
		return 0;
	}
	if ((all = look(mail, pool, (size_t)(rcpt_id(first(mail)) %
	    pool->naddresses), n, size, now)) == NULL)
		return -1;
	mail->egress = all[0].address;
	return 0;
}

/* looks_room - for all addresses that may be looked at */
static int
looks_room(struct mail *mail, const struct pool *pool)
{
	size_t n = pool->naddresses + (pool->overflow != NULL ?
	    pool->overflow->naddresses : 0);

	mail->nlooks = 0;
	mail->looks = arena_array(mail->arena, n, sizeof(*mail->looks));
	return mail->looks == NULL ? -1 : 0;
}

/* by_pool - the address, or what its limits say */
static enum verdict
by_pool(struct mail *mail, const struct pool *pool, int64_t size,
    int64_t now, struct answer *a)
{
	const struct pool *over = pool->overflow;
	struct meters *ms = &mail->meters;
	const struct would would = mail->would;
	const struct pool_address *best, *other;
	enum stage stage = a->stage;

	if (looks_room(mail, pool) == -1)
		return reply_memory(a);
	ms->firm = true;
	ms->halted = false;
	(void)pool_seal(mail, pool, size, now, a, &best);
	if (a->verdict > VERDICT_HOLD && ms->way && !ms->halted &&
	    over != NULL && egress_away(mail, over) == NULL &&
	    decide_singled(mail, over) == NULL)
		(void)pool_seal(mail, over, size, now, a, &other);
	ms->firm = false;
	if (a->verdict <= VERDICT_HOLD || best == NULL)
		return a->verdict;
	mail->would = would;
	decide_begin(a, stage);
	mail->egress = best;
	return meters_seal(mail, size, now, a);
}

/* egress_seal - all its limits, and the way */
enum verdict
egress_seal(struct mail *mail, int64_t size, int64_t now, struct answer *a)
{
	const struct pool *pool = mail->route != NULL ? mail->route->pool :
	    NULL;

	if (pool != NULL && decide_single(mail, mail->bound &&
	    mail->egress != NULL ? mail->egress->pool : pool, a) !=
	    VERDICT_PASS)
		return a->verdict;
	mail->meters.later = mail->broken.code != NULL && mail->nremote > 0;
	if (mail->bound)
		return meters_seal(mail, size, now, a);
	mail->egress = NULL;
	mail->away = pool != NULL ? egress_away(mail, pool) : NULL;
	if (pool == NULL || mail->away != NULL || first(mail) == NULL)
		return meters_seal(mail, size, now, a);
	if (!mail->meters.later && (pool->naddresses > 1 ||
	    pool->overflow != NULL))
		return by_pool(mail, pool, size, now, a);
	if (looks_room(mail, pool) == -1 ||
	    choose(mail, pool, size, now) == -1)
		return reply_memory(a);
	return meters_seal(mail, size, now, a);
}

/* egress_find - by its text */
const struct pool_address *
egress_find(const struct policy *p, struct slice address)
{
	for (size_t i = 0; i < p->npools; i++)
		for (size_t j = 0; j < p->pools[i]->naddresses; j++)
			if (slice_eq(p->pools[i]->addresses[j].address,
			    address))
				return &p->pools[i]->addresses[j];
	return NULL;
}

/* egress_overflowed - is it another pool than its own? */
bool
egress_overflowed(const struct mail *mail)
{
	return mail->egress != NULL && mail->route != NULL &&
	    mail->egress->pool != mail->route->pool;
}

/* egress_forged - only mail that a pool steers by it could be harmed */
bool
egress_forged(const struct policy *p, const struct mailbox *from)
{
	struct slice token = token_in_path(from->local);

	if (token.n != TOKEN_SHORT || from->local.p[1] != '.')
		return false;
	for (size_t i = 0; i < p->npools; i++)
		if (p->pools[i]->select == SELECT_SENDER)
			return true;
	return false;
}

/* egress_divides - does it take few connections, and has the name room? */
bool
egress_divides(const struct pool_address *a, unsigned provider)
{
	return a->pool->select != SELECT_NONE && provider < PROVIDER_MAX &&
	    provider_connections(provider) > 0 &&
	    (a->pool->select != SELECT_SENDER || a->transport.n + 1 +
	    strlen(provider_name(provider)) <= EGRESS_TRANSPORT);
}

/* only_provider - that all of it goes to; PROVIDER_MAX: to several */
static unsigned
only_provider(const struct mail *mail)
{
	unsigned only = PROVIDER_MAX;

	for (size_t i = 0; i < mail->nrcpts; i++) {
		if (!leaves(&mail->rcpts[i]))
			continue;
		if (only != PROVIDER_MAX && only != mail->rcpts[i].provider)
			return PROVIDER_MAX;
		only = mail->rcpts[i].provider;
	}
	return only;
}

/* egress_transport - its name in master.cf */
struct slice
egress_transport(const struct mail *mail, struct arena *arena)
{
	const struct pool_address *a = mail->egress;
	unsigned provider;
	char *name;

	if (a == NULL)
		return SLICE_NONE;
	provider = only_provider(mail);
	if (!egress_divides(a, provider))
		return a->transport;
	name = arena_printf(arena, "%.*s-%s", SLICE_ARG(a->transport),
	    provider_name(provider));
	return name != NULL ? slice_of(name) : SLICE_NONE;
}
