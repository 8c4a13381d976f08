/*
 * meter - see meter.h.
 *
 * The key of a counter is hash_128 over
 *
 *	u8 kind (0 throttle, 1 cap), u16 per (PER_*), little-endian, then the
 *	u64 id of each of its dimensions in the order of their bits, then the
 *	limit's name
 *
 * and nothing of the number, the class or the file, so that edits keep what
 * was spent.  A tenant's limit counts in the tenant's zone.  A group's limit
 * is one counter of tenants that may live in different zones, so it counts in
 * the policy's.
 *
 * A mail holds one amount per limit.  recipients: one each; messages: one,
 * from the first watched recipient on; bytes: SIZE= (or, at the end, the bytes
 * seen) times the recipients watched.
 */
#include "policy/meter.h"

#include <string.h>

#include "lib/hash.h"
#include "policy/reply.h"

/* limit_key - whose counter */
static void
limit_key(const struct tenant *t, const struct limit *limit, uint8_t key[16])
{
	uint8_t text[1 + 2 + 8 + 64];
	uint64_t id = limit_shared(limit) && t->group != NULL ?
	    t->group->id : t->id;
	size_t i, n = limit->name.n < 64 ? limit->name.n : 64;

	text[0] = (uint8_t)limit->kind;
	text[1] = (uint8_t)limit->per;
	text[2] = (uint8_t)(limit->per >> 8);
	for (i = 0; i < 8; i++)
		text[3 + i] = (uint8_t)(id >> (8 * i));
	if (n > 0)
		memcpy(text + 11, limit->name.p, n);
	hash_128(text, 11 + n, key);
}

/* limit_most - burst, or the cap */
static int64_t
limit_most(const struct limit *limit)
{
	return limit->kind == LIMIT_CAP ? limit->most : limit->burst;
}

/* most_now - with what the desk grants on top of it */
static int64_t
most_now(const struct mail *mail, const struct limit *limit, int64_t now)
{
	return limit_most(limit) + orders_grant(mail->orders,
	    mail->tenant->id, limit->kind, limit->name, now);
}

/* ask_window - a cap's window at that moment */
static void
ask_window(const struct policy *p, const struct tenant *t,
    const struct limit *limit, int64_t now, struct charge *charge)
{
	const struct zone *zone = limit_shared(limit) ? p->zone :
	    t->zone != NULL ? t->zone : p->zone;
	struct window w;

	if (limit->kind != LIMIT_CAP ||
	    (charge->window <= now && now < charge->window_end))
		return;
	zone_window(zone, limit->unit, limit->month_day, now, &w);
	charge->window = w.start;
	charge->window_end = w.end;
}

/* ask_inflight - what one tenant may hold of a cap that others share */
static int64_t
ask_inflight(const struct policy *p, const struct limit *limit, int64_t unit)
{
	int64_t share;

	if (!limit_shared(limit) || limit->kind != LIMIT_CAP)
		return 0;
	share = (int64_t)((__int128)limit->most * p->inflight / 100);
	if (share < unit)
		share = unit;
	return share > 1 ? share : 1;
}

/* meter_ask - what to ask the ledger for */
int
meter_ask(const struct policy *p, const struct tenant *t,
    const struct limit *limit, int64_t amount, int64_t unit, int64_t now,
    struct arena *arena, struct ask *ask)
{
	memset(ask, 0, sizeof(*ask));
	limit_key(t, limit, ask->charge.key);
	ask->charge.kind = (uint8_t)limit->kind;
	ask->charge.shared = limit_shared(limit);
	ask->charge.tenant = t->id;
	ask->charge.amount = amount;
	if (limit->kind == LIMIT_THROTTLE) {
		ask->charge.rate = limit->rate;
		ask->charge.period = limit->period;
	}
	ask_window(p, t, limit, now, &ask->charge);
	ask->charge.name = limit->name;
	ask->charge.rule = policy_rule(p, limit->at, arena);
	ask->policy = p->number;
	ask->most = limit_most(limit);
	ask->inflight = ask_inflight(p, limit, unit);
	return ask->charge.rule.p != NULL ? 0 : -1;
}

/* limit_watches - does it count mail to that provider? */
static bool
limit_watches(const struct limit *limit, unsigned provider)
{
	return limit->to_all || provider == DECIDE_ALL ||
	    (provider < PROVIDER_MAX && (limit->to >> provider & 1) != 0);
}

/* amount_of - what so many recipients of a message of that size are */
static int64_t
amount_of(const struct limit *limit, int64_t watched, int64_t bytes)
{
	int64_t all;

	if (watched == 0)
		return 0;
	if (limit->count == COUNT_RECIPIENTS)
		return watched;
	if (limit->count == COUNT_MESSAGES)
		return 1;
	if (__builtin_mul_overflow(bytes, watched, &all) ||
	    all > LEDGER_AMOUNT_MAX)
		return LEDGER_AMOUNT_MAX + 1;
	return all;
}

/* meters_make - one for each limit of the tenant */
int
meters_make(struct mail *mail)
{
	const struct stream *s = mail->stream;
	size_t i, n = s->nlimits;

	mail->nmeters = 0;
	if (n == 0)
		return 0;
	mail->meters = arena_array(mail->arena, n, sizeof(*mail->meters));
	mail->asks = arena_array(mail->arena, n, sizeof(*mail->asks));
	mail->lacks = arena_array(mail->arena, n, sizeof(*mail->lacks));
	if (mail->meters == NULL || mail->asks == NULL || mail->lacks == NULL)
		return -1;
	for (i = 0; i < n; i++)
		mail->meters[i].limit = s->limits[i];
	mail->nmeters = n;
	return 0;
}

/* meters_collect - the asks of all meters that want something; asks[j] is of
 * the meter which[j].  Returns how many, or -1 without memory. */
static long
meters_collect(struct mail *mail, int64_t unit, int64_t now)
{
	struct meter *meter;
	struct ask *ask;
	size_t i;
	long n = 0;

	for (i = 0; i < mail->nmeters; i++) {
		meter = &mail->meters[i];
		if (meter->want <= 0)
			continue;
		ask = &meter->ask;
		if (ask->charge.rule.p == NULL && meter_ask(mail->policy,
		    mail->tenant, meter->limit, 0, unit, now, mail->arena,
		    ask) == -1)
			return -1;
		ask_window(mail->policy, mail->tenant, meter->limit, now,
		    &ask->charge);
		ask->most = most_now(mail, meter->limit, now);
		ask->inflight = ask_inflight(mail->policy, meter->limit,
		    meter->limit->count == COUNT_BYTES ? unit : 1);
		mail->asks[n] = *ask;
		mail->asks[n++].charge.amount = meter->want;
	}
	return n;
}

/* meters_shadow - what would have been said */
enum verdict
meters_shadow(struct mail *mail, struct answer *a)
{
	if ((mail->stream->shadow & SHADOW_LIMITS) == 0)
		return a->verdict;
	if (mail->would.verdict == VERDICT_PASS ||
	    (mail->would.verdict == VERDICT_DEFER &&
	    a->verdict == VERDICT_REFUSE)) {
		mail->would.verdict = a->verdict;
		mail->would.stage = a->stage;
		mail->would.rule = a->rule;
		mail->would.limit = a->limit;
		mail->would.text = a->text;
	}
	a->limit = NULL;
	a->next = 0;
	return reply_pass(a, mail->tenant_rule);
}

/* ask_ledger - in every limit or in none: 1, 0, -1 without memory */
static int
ask_ledger(struct mail *mail, size_t n, bool seal, int64_t now,
    size_t *nlacks)
{
	return seal ? ledger_seal(mail->ledger, &mail->claim, mail->arena,
	    mail->asks, n, now, mail->lacks, nlacks) :
	    ledger_reserve(mail->ledger, &mail->claim, mail->arena,
	    mail->asks, n, now, mail->lacks, nlacks);
}

/* meters_ask - for all that the meters want; unit: bytes of one recipient */
static enum verdict
meters_ask(struct mail *mail, int64_t unit, bool seal, int64_t now,
    struct answer *a)
{
	size_t nlacks = 0;
	long i, n;
	int got;

	n = meters_collect(mail, unit, now);
	if (n == -1)
		return reply_memory(a);
	got = ask_ledger(mail, (size_t)n, seal, now, &nlacks);
	if (got == 0) {
		(void)meters_judge(mail, nlacks, now, a);
		if (meters_shadow(mail, a) != VERDICT_PASS)
			return a->verdict;
		/* counted without bound, so that the figures are true */
		for (i = 0; i < n; i++) {
			mail->asks[i].most = LEDGER_UNBOUNDED;
			mail->asks[i].inflight = 0;
		}
		got = ask_ledger(mail, (size_t)n, seal, now, &nlacks);
	}
	return got == 1 ? reply_pass(a, mail->tenant_rule) : reply_memory(a);
}

/* meters_reserve - for one more recipient */
enum verdict
meters_reserve(struct mail *mail, unsigned provider, int64_t now,
    struct answer *a)
{
	struct meter *meter;
	bool watches, any = false;
	size_t i;

	for (i = 0; i < mail->nmeters; i++) {
		meter = &mail->meters[i];
		watches = limit_watches(meter->limit, provider);
		any = any || watches;
		meter->want = amount_of(meter->limit,
		    meter->watched + watches, mail->declared);
	}
	if (!any)
		return reply_pass(a, mail->tenant_rule);
	if (meters_ask(mail, mail->declared, false, now, a) != VERDICT_PASS)
		return a->verdict;
	for (i = 0; i < mail->nmeters; i++)
		if (limit_watches(mail->meters[i].limit, provider))
			mail->meters[i].watched++;
	return VERDICT_PASS;
}

/* meters_seal - the whole mail, for the last time */
enum verdict
meters_seal(struct mail *mail, int64_t size, int64_t now, struct answer *a)
{
	struct meter *meter;
	const struct rcpt *rcpt;
	size_t i, j;

	for (i = 0; i < mail->nmeters; i++) {
		meter = &mail->meters[i];
		meter->watched = 0;
		for (j = 0; j < mail->nrcpts; j++) {
			rcpt = &mail->rcpts[j];
			if (!rcpt->local && rcpt->verdict == VERDICT_PASS &&
			    limit_watches(meter->limit, rcpt->provider))
				meter->watched++;
		}
		meter->want = amount_of(meter->limit, meter->watched, size);
	}
	return meters_ask(mail, size, true, now, a);
}

/* decide_asks - what one recipient would ask of every limit */
int
decide_asks(const struct policy *p, const struct tenant *t, unsigned provider,
    int64_t bytes, int64_t now, struct arena *arena, struct ask **asks,
    const struct limit ***limits, size_t *n)
{
	const struct stream *s = policy_default(t);
	const struct limit *limit;
	int64_t amount;
	size_t i;

	*n = 0;
	*asks = arena_array(arena, s->nlimits, sizeof(**asks));
	*limits = arena_array(arena, s->nlimits, sizeof(**limits));
	if (*asks == NULL || *limits == NULL)
		return -1;
	for (i = 0; i < s->nlimits; i++) {
		limit = s->limits[i];
		if (!limit_watches(limit, provider))
			continue;
		amount = amount_of(limit, 1, bytes);
		if (meter_ask(p, t, limit, amount, amount, now, arena,
		    &(*asks)[*n]) == -1)
			return -1;
		(*limits)[(*n)++] = limit;
	}
	return 0;
}
