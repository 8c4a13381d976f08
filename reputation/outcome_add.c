/*
 * outcome_add - one outcome more: is it new, its record, its indexes, its
 * sums.
 *
 * What is new is decided by bits that are kept per message and recipient, not
 * by where in a log we are: two copies of a log, a log and the DSN of the same
 * bounce, and a log that was rotated under us all come to the same bits.
 *
 * Open limits.  The event says how many of its recipients a counter was
 * charged for, not which.  Of n recipients with m charged, the first n - m
 * that become final free nothing, the others one each: never too early, and
 * exact when all are final.
 */
#include "reputation/outcome_in.h"

#include <string.h>

#include "lib/wire.h"

enum { KEY_TEXT = 64, KEY_ROOM = 448, BUCKETS = 24,
	DAYS_KEPT = 32 };

/* A key of totals under construction. */
struct key {
	char	bytes[KEY_ROOM];
	size_t	n;
};

/* key_begin - which totals, and the day */
static void
key_begin(struct key *k, enum outcome_totals which, int64_t time)
{
	int64_t day = time / OUTCOME_DAY;

	k->bytes[0] = (char)which;
	for (int i = 0; i < 4; i++)
		k->bytes[1 + i] = (char)(day >> (24 - 8 * i));
	k->n = 5;
}

/* key_text - one name, and the zero behind it */
static void
key_text(struct key *k, struct slice text)
{
	for (size_t i = 0; i < text.n && i < KEY_TEXT; i++)
		if (text.p[i] != '\0')
			k->bytes[k->n++] = text.p[i];
	k->bytes[k->n++] = '\0';
}

/* key_sum - one more of it */
static int
key_sum(struct outcomes *o, const struct key *k, struct why *why)
{
	return outcome_sum(o, T_DAYS, (struct slice){ k->bytes, k->n }, 1,
	    why);
}

/* bucket_of - of a delay: the first power of two seconds above it */
static int
bucket_of(int64_t us)
{
	int bucket = 0;

	for (us /= INT64_C(1000000); us > 0 && bucket < BUCKETS - 1; us /= 2)
		bucket++;
	return bucket;
}

/* add_totals - what is counted of it */
static int
add_totals(struct outcomes *o, const struct outcome *x, struct why *why)
{
	struct slice kind = slice_of(outcome_kind_names[x->kind]);
	struct key k;

	key_begin(&k, TOTALS_TENANT, x->time);
	key_text(&k, x->tenant);
	key_text(&k, x->stream);
	key_text(&k, x->provider);
	key_text(&k, kind);
	key_text(&k, x->category);
	if (key_sum(o, &k, why) == -1)
		return -1;
	key_begin(&k, TOTALS_ADDRESS, x->time);
	key_text(&k, x->address);
	key_text(&k, x->provider);
	key_text(&k, kind);
	if (key_sum(o, &k, why) == -1)
		return -1;
	if (x->kind != OUTCOME_DELIVERED || x->delay < 0)
		return 0;
	key_begin(&k, TOTALS_DELAY, x->time);
	key_text(&k, x->provider);
	k.bytes[k.n++] = (char)bucket_of(x->delay);
	return key_sum(o, &k, why);
}

/* add_hour - where in the records that hour is found */
static int
add_hour(struct outcomes *o, const struct outcome *x, struct why *why)
{
	uint32_t hour = x->time > 0 ? (uint32_t)(x->time / OUTCOME_HOUR) : 0;
	uint8_t be[4] = { (uint8_t)(hour >> 24), (uint8_t)(hour >> 16),
		(uint8_t)(hour >> 8), (uint8_t)hour };
	struct slice key = { (const char *)be, 4 }, kept;
	uint64_t *span = map_get(o->hours, key);

	if (span == NULL) {
		kept = arena_copy(o->arena, key);
		span = arena_array(o->arena, 2, sizeof(*span));
		if (kept.p == NULL || span == NULL ||
		    map_set(o->hours, kept, span) == -1) {
			why_kind(why, WHY_MEMORY, "no memory for an hour");
			return outcome_fail(o, why);
		}
		span[0] = x->seq;
	}
	span[1] = x->seq;
	return 0;
}

/* append - the record and its indexes */
static int
append(struct outcomes *o, struct outcome *x, struct why *why)
{
	uint8_t room[8];

	x->seq = ++o->seq;
	buf_reset(&o->buf);
	outcome_encode(x, &o->buf);
	if (outcome_append_buf(o, T_OUTCOMES, outcome_be64(x->seq, room),
	    why) == -1 || (x->event != 0 && outcome_run_add(o, T_BY_EVENT,
	    x->event, x->seq, 0, why) == -1))
		return -1;
	return add_hour(o, x, why);
}

/* new_deferral - the first of its day? */
static bool
new_deferral(struct outcome_rcpt *r, int64_t time)
{
	int32_t day = (int32_t)(time / OUTCOME_DAY);
	int64_t off;

	if (r->days == 0)
		r->day = day;
	off = (int64_t)day - r->day;
	if (off < 0) {		/* an older log came later */
		if (off <= -DAYS_KEPT || r->days >> (DAYS_KEPT + off) != 0)
			return false;
		r->days <<= -off;
		r->day = day;
		off = 0;
	}
	if (off >= DAYS_KEPT || (r->days >> off & 1) != 0)
		return false;
	r->days |= UINT32_C(1) << off;
	return true;
}

/* is_new - was this state of this recipient not seen yet?  It is now. */
static bool
is_new(struct outcome_rcpt *r, const struct outcome *x)
{
	uint16_t bit = (uint16_t)(1u << x->kind), seen = r->kinds;

	if (x->kind == OUTCOME_DEFERRED)
		return new_deferral(r, x->time);
	if (x->kind == OUTCOME_BOUNCED || x->kind == OUTCOME_EXPIRED)
		seen &= 1u << OUTCOME_BOUNCED | 1u << OUTCOME_EXPIRED;
	else
		seen &= bit;
	r->kinds |= bit;
	return seen == 0;
}

/* freed - of a counter, when so many recipients are final */
static int64_t
freed(const struct outcome_message *m, int64_t amount, uint32_t final)
{
	int64_t behind = (int64_t)final - ((int64_t)m->accepted - amount);

	return behind < 0 ? 0 : behind < amount ? behind : amount;
}

/* one_final - a recipient of the gate became final */
static int
one_final(struct outcomes *o, struct outcome_message *m, struct why *why)
{
	m->final++;
	for (size_t i = 0; i < m->nopen; i++) {
		const struct outcome_open *c = &m->open[i];
		int64_t more = freed(m, c->amount, m->final) -
		    freed(m, c->amount, m->final - 1);

		if (more != 0 && outcome_sum(o, T_FINALS, (struct slice){
		    (const char *)c->key, sizeof(c->key) }, more, why) == -1)
			return -1;
	}
	return 0;
}

/* outcome_inherit - what the caller left out, the message knows */
void
outcome_inherit(struct outcome *x, const struct outcome_message *m)
{
	if (x->tenant.p == NULL)
		x->tenant = m->tenant;
	if (x->group.p == NULL)
		x->group = m->group;
	if (x->stream.p == NULL)
		x->stream = m->stream;
	if (x->campaign.p == NULL)
		x->campaign = m->campaign;
	if (x->pool.p == NULL)
		x->pool = m->pool;
	if (x->address.p == NULL)
		x->address = m->address;
}

/* outcome_record - one state of one recipient of a message at hand */
int
outcome_record(struct outcomes *o, struct outcome_message *m,
    struct outcome_rcpt *r, struct outcome *x, struct why *why)
{
	bool open = (r->kinds & RCPT_KNOWN) != 0 &&
	    (r->kinds & RCPT_FINAL) == 0;
	uint16_t before = r->kinds;
	uint32_t days = r->days;
	bool fresh = is_new(r, x);

	if (r->kinds != before || r->days != days)
		m->dirty = true;
	if (!fresh)
		return 0;
	outcome_inherit(x, m);
	x->event = m->event;
	if (open && (r->kinds & RCPT_FINAL) != 0 && one_final(o, m, why) == -1)
		return -1;
	if (m->notice)
		return outcomes_count(o, "notices", 1, why) == -1 ? -1 : 1;
	if (m->event == 0) {
		x->seq = 0;
		if (outcomes_count(o, "foreign", 1, why) == -1)
			return -1;
	} else if (append(o, x, why) == -1 ||
	    outcome_suppress(o, x, why) == -1) {
		return -1;
	}
	return add_totals(o, x, why) == -1 ||
	    outcome_fate(o, m, x, why) == -1 ? -1 : 1;
}

/* outcomes_add - one outcome, unless it was there */
int
outcomes_add(struct outcomes *o, struct outcome *x, struct why *why)
{
	struct outcome_message *m;
	struct outcome_rcpt *r;

	if (x->event == 0 && x->queue_id.n == 0)
		return append(o, x, why) == -1 ||
		    add_totals(o, x, why) == -1 ? -1 : 1;
	if ((x->event != 0 ? outcome_message_of(o, x->instance, x->queue_id,
	    x->event, x->time, &m, why) : outcome_message_at(o, x->instance,
	    x->queue_id, x->time, true, &m, why)) == -1)
		return -1;
	if ((r = outcome_rcpt_of(o, m, x->recipient)) == NULL) {
		why_kind(why, WHY_MEMORY, "no memory for a recipient");
		return outcome_fail(o, why);
	}
	return outcome_record(o, m, r, x, why);
}

/* index_addresses - who wrote, and to whom */
static int
index_addresses(struct outcomes *o, const struct event *e, struct why *why)
{
	uint64_t sender = outcome_address_key(o, e->mail_from), hash;
	unsigned roles = ROLE_SENDER;

	for (size_t i = 0; i < e->nrecipients; i++) {
		hash = outcome_address_key(o, e->recipients[i].address);
		if (hash == sender)
			roles |= ROLE_RECIPIENT;
		else if (outcome_run_add(o, T_INDEX, hash, e->seq,
		    ROLE_RECIPIENT, why) == -1)
			return -1;
	}
	return outcome_run_add(o, T_INDEX, sender, e->seq, roles, why);
}

/* add_open - the counters of open limits that it is charged to */
static int
add_open(struct outcomes *o, struct outcome_message *m, const struct event *e)
{
	m->open = arena_array(o->arena, e->ncharges + 1, sizeof(*m->open));
	if (m->open == NULL)
		return -1;
	m->nopen = 0;
	for (size_t i = 0; i < e->ncharges; i++)
		if (e->charges[i].kind == LIMIT_OPEN) {
			struct outcome_open *c = &m->open[m->nopen++];

			memcpy(c->key, e->charges[i].key, sizeof(c->key));
			c->amount = e->charges[i].amount;
		}
	return 0;
}

/* add_known - the recipients that may become final */
static int
add_known(struct outcomes *o, struct outcome_message *m, const struct event *e,
    struct why *why)
{
	for (size_t i = 0; i < e->nrecipients; i++) {
		const struct event_recipient *er = &e->recipients[i];
		struct outcome_rcpt *r;

		if (er->verdict != VERDICT_PASS && er->verdict != VERDICT_HOLD)
			continue;
		if ((r = outcome_rcpt_of(o, m, er->address)) == NULL) {
			why_kind(why, WHY_MEMORY, "no memory for recipients");
			return outcome_fail(o, why);
		}
		m->accepted += !er->local && (r->kinds & RCPT_KNOWN) == 0;
		r->kinds |= er->local ? RCPT_LOCAL : RCPT_KNOWN;
	}
	for (size_t i = 0; i < m->nrcpts; i++)
		if ((m->rcpts[i].kinds & RCPT_KNOWN) != 0 &&
		    (m->rcpts[i].kinds & RCPT_FINAL) != 0 &&
		    one_final(o, m, why) == -1)
			return -1;
	return 0;
}

/* index_message_id - so that a trace and a report find it */
static int
index_message_id(struct outcomes *o, const struct event *e, struct why *why)
{
	return e->message_id.n == 0 ? 0 : outcome_run_add(o, T_INDEX,
	    outcome_message_id_key(o, e->message_id), e->seq,
	    INDEX_MESSAGE_ID, why);
}

/* outcome_index - an event whose message went no further */
int
outcome_index(struct outcomes *o, const struct event *e, struct why *why)
{
	return index_addresses(o, e, why) == -1 ||
	    index_message_id(o, e, why) == -1 ? -1 : 0;
}

/* outcome_accept - an event of the gate whose message Postfix has now */
int
outcome_accept(struct outcomes *o, const struct event *e, struct why *why)
{
	const struct slice texts[] = { e->tenant, e->group, e->stream,
		e->campaign, e->pool, e->address };
	struct outcome_message *m;
	struct slice *to[6];

	if (outcome_message_of(o, e->instance, e->queue_id, e->seq, e->time,
	    &m, why) == -1)
		return -1;
	to[0] = &m->tenant;
	to[1] = &m->group;
	to[2] = &m->stream;
	to[3] = &m->campaign;
	to[4] = &m->pool;
	to[5] = &m->address;
	m->first = e->time;
	m->dirty = true;
	for (size_t i = 0; i < 6; i++)
		if ((*to[i] = arena_copy(o->arena, texts[i])).p == NULL) {
			why_kind(why, WHY_MEMORY, "no memory for a message");
			return outcome_fail(o, why);
		}
	if (add_open(o, m, e) == -1) {
		why_kind(why, WHY_MEMORY, "no memory for a message");
		return outcome_fail(o, why);
	}
	if (outcome_warm(o, m, e, why) == -1)
		return -1;
	return add_known(o, m, e, why) == -1 ? -1 : outcome_index(o, e, why);
}

/* outcome_learn - what a relay said about the provider of a domain */
int
outcome_learn(struct outcomes *o, const struct learned *l, struct why *why)
{
	buf_reset(&o->buf);
	learned_encode(l, &o->buf);
	return outcome_put_buf(o, T_DOMAINS, l->domain, why);
}
