/*
 * event - the byte format of one event.
 *
 * Little-endian; "field" is u32 length and that many bytes.  Format 1, and 2
 * where there is something to stand behind the recipients:
 *
 *	  0	u8	format = 1 or 2
 *	  1	u8	kind
 *	  2	u8	verdict
 *	  3	u8	stage
 *	  4	u24	flags
 *	  7	u8	would: the verdict that shadow mode kept back, 0 none
 *	  8	u64	seq	   ) patched by event_stamp: the writer knows
 *	 16	i64	time, us   ) them only inside its transaction
 *	 24	u64	voids
 *	 32	i64	size
 *	 40	u32	count
 *	 44	u8[32]	policy hash
 *	 76	u32	charges, each: u8[16] key, u8 kind, u8 shared,
 *			u64 tenant, i64 amount, window, window_end, rate,
 *			period, field name, field rule
 *		field	x 18, in the order of texts[] below
 *		u32	From domains, each: field
 *		u32	signatures, each: field domain, field selector
 *		u32	recipients, each: u8 local, u8 verdict,
 *			field address, domain, provider, rule
 *	format 2	field return path, u64 id of the short token
 *
 * The charges stand before all text, so that replay at start reads the front
 * of each record and no more.  Nothing may follow the last of it: a new
 * field is a new format number, an old format stays readable for ever, and a
 * format that is not known is refused with a sentence, never guessed at.
 *
 * Not chosen: varints and string tables (a third smaller; but a hand with a
 * hex dump at 3 a.m. reads this one), JSON (5 x the time and the bytes).
 */
#include "lib/event.h"

#include <limits.h>
#include <stddef.h>
#include <string.h>

#include "lib/wire.h"

enum { FORMAT = 2, PLAIN = 1, TAIL = 8, AT_SEQ = 8, AT_TIME = 16, HEAD = 76,
	CHARGE_LEAST = 16 + 2 + 6 * 8 + 2 * 4, FLAGS = 0xffffff };

const char *const event_kind_names[] = { "accept", "hold", "refuse", "defer",
	"drop", "void", "release", "reload", "warmup", "status", "reset",
	NULL };
const char *const verdict_names[] = { "pass", "hold", "defer", "refuse",
	"drop", NULL };
const char *const stage_names[] = { "connect", "mail", "rcpt", "headers",
	"message", NULL };
const char *const limit_kind_names[] = { "throttle", "cap", "open",
	"held", NULL };

/* Every plain text of an event; one list for both directions. */
static const size_t texts[] = {
	offsetof(struct event, instance),
	offsetof(struct event, queue_id),
	offsetof(struct event, group),
	offsetof(struct event, tenant),
	offsetof(struct event, login),
	offsetof(struct event, listener),
	offsetof(struct event, client),
	offsetof(struct event, mail_from),
	offsetof(struct event, stream),
	offsetof(struct event, matched),
	offsetof(struct event, campaign),
	offsetof(struct event, pool),
	offsetof(struct event, address),
	offsetof(struct event, message_id),
	offsetof(struct event, rule),
	offsetof(struct event, reply),
	offsetof(struct event, limit),
	offsetof(struct event, text),
};
enum { NTEXTS = sizeof(texts) / sizeof(texts[0]) };

/* put_charge - one charge */
static void
put_charge(struct buf *b, const struct charge *c)
{
	put_bytes(b, c->key, sizeof(c->key));
	put_u8(b, c->kind);
	put_u8(b, c->shared);
	put_u64(b, c->tenant);
	put_i64(b, c->amount);
	put_i64(b, c->window);
	put_i64(b, c->window_end);
	put_i64(b, c->rate);
	put_i64(b, c->period);
	put_field(b, c->name);
	put_field(b, c->rule);
}

/* event_encode - append the record; failure is sticky in the buffer */
void
event_encode(const struct event *e, struct buf *b)
{
	uint8_t format = e->return_path.n > 0 || e->token != 0 ? FORMAT :
	    PLAIN;
	size_t i;

	put_u8(b, format);
	put_u8(b, (uint8_t)e->kind);
	put_u8(b, (uint8_t)e->verdict);
	put_u8(b, (uint8_t)e->stage);
	put_u32(b, (e->flags & FLAGS) | (uint32_t)e->would << 24);
	put_u64(b, e->seq);
	put_i64(b, e->time);
	put_u64(b, e->voids);
	put_i64(b, e->size);
	put_u32(b, e->count);
	put_bytes(b, e->policy_hash, sizeof(e->policy_hash));
	put_u32(b, (uint32_t)e->ncharges);
	for (i = 0; i < e->ncharges; i++)
		put_charge(b, &e->charges[i]);
	for (i = 0; i < NTEXTS; i++)
		put_field(b, *(const struct slice *)(const void *)
		    ((const char *)e + texts[i]));
	put_u32(b, (uint32_t)e->nfrom_domains);
	for (i = 0; i < e->nfrom_domains; i++)
		put_field(b, e->from_domains[i]);
	put_u32(b, (uint32_t)e->nsignatures);
	for (i = 0; i < e->nsignatures; i++) {
		put_field(b, e->signatures[i].domain);
		put_field(b, e->signatures[i].selector);
	}
	put_u32(b, (uint32_t)e->nrecipients);
	for (i = 0; i < e->nrecipients; i++) {
		const struct event_recipient *r = &e->recipients[i];

		put_u8(b, r->local);
		put_u8(b, (uint8_t)r->verdict);
		put_field(b, r->address);
		put_field(b, r->domain);
		put_field(b, r->provider);
		put_field(b, r->rule);
	}
	if (format == PLAIN)
		return;
	put_field(b, e->return_path);
	put_u64(b, e->token);
}

/* event_token - the last eight bytes of a record that has them */
uint64_t
event_token(struct slice encoded)
{
	const uint8_t *p = (const uint8_t *)encoded.p;
	struct wire w;

	if (encoded.n < HEAD + TAIL || p[0] != FORMAT ||
	    (p[1] != EVENT_ACCEPT && p[1] != EVENT_HOLD))
		return 0;
	w = wire_of(slice_from(encoded, encoded.n - TAIL));
	return get_u64(&w);
}

/* event_stamp - give an encoded event its place in the order */
void
event_stamp(struct slice encoded, uint64_t seq, int64_t time)
{
	uint8_t *p = (uint8_t *)(uintptr_t)encoded.p;
	uint64_t t = (uint64_t)time;
	int i;

	if (encoded.n < HEAD)
		return;
	for (i = 0; i < 8; i++) {
		p[AT_SEQ + i] = (uint8_t)(seq >> (8 * i));
		p[AT_TIME + i] = (uint8_t)(t >> (8 * i));
	}
}

/* event_head - seq and time, which stand at fixed places */
bool
event_head(struct slice encoded, uint64_t *seq, int64_t *time)
{
	struct wire w = wire_of(slice_from(encoded, AT_SEQ));

	*seq = get_u64(&w);
	*time = get_i64(&w);
	return !w.bad;
}

/* get_head - everything in front of the charges */
static int
get_head(struct wire *w, struct event *e, uint8_t *out, struct why *why)
{
	uint8_t format = get_u8(w), kind = get_u8(w), verdict = get_u8(w);
	uint8_t stage = get_u8(w);
	uint32_t flags;

	if (!w->bad && format > FORMAT)
		return why_set(why, "event of format %u: written by a newer "
		    "Penstock, this one reads up to format %d", format, FORMAT);
	*out = format;
	flags = get_u32(w);
	e->flags = flags & FLAGS;
	e->seq = get_u64(w);
	e->time = get_i64(w);
	e->voids = get_u64(w);
	e->size = get_i64(w);
	e->count = get_u32(w);
	get_bytes(w, e->policy_hash, sizeof(e->policy_hash));
	if (w->bad || format < PLAIN || kind > EVENT_RESET ||
	    verdict > VERDICT_DROP || stage > STAGE_MESSAGE ||
	    flags >> 24 > VERDICT_DROP)
		return why_set(why, "the head of the event makes no sense");
	e->kind = kind;
	e->verdict = verdict;
	e->would = flags >> 24;
	e->stage = stage;
	return 0;
}

/*
 * get_array - a count, and zeroed room for so many; least is what one takes
 * on the wire, so that a false count cannot ask for more than the record is
 */
static int
get_array(struct wire *w, size_t least, size_t size, struct arena *arena,
    void *out, size_t *n, struct why *why)
{
	uint32_t count = get_u32(w);
	void *p = NULL;

	*n = 0;
	if (w->bad || count > (size_t)(w->end - w->p) / least)
		return why_set(why, "the event ends before it is whole");
	if (count > 0 && (p = arena_array(arena, count, size)) == NULL)
		return why_kind(why, WHY_MEMORY, "no memory to read an event");
	memcpy(out, &p, sizeof(p));
	*n = count;
	return 0;
}

/* get_charges - the charges; their texts borrow the record */
static int
get_charges(struct wire *w, struct charge **charges, size_t *n,
    struct arena *arena, struct why *why)
{
	size_t i;

	if (get_array(w, CHARGE_LEAST, sizeof(**charges), arena, charges, n,
	    why) == -1)
		return -1;
	for (i = 0; i < *n; i++) {
		struct charge *c = &(*charges)[i];

		get_bytes(w, c->key, sizeof(c->key));
		c->kind = get_u8(w);
		c->shared = get_u8(w);
		c->tenant = get_u64(w);
		c->amount = get_i64(w);
		c->window = get_i64(w);
		c->window_end = get_i64(w);
		c->rate = get_i64(w);
		c->period = get_i64(w);
		c->name = get_field(w);
		c->rule = get_field(w);
		if (w->bad || c->kind > LIMIT_HELD || c->shared > 1)
			return why_set(why,
			    "charge %zu of the event makes no sense", i + 1);
	}
	return 0;
}

/* get_recipients - the recipients; their texts borrow the record */
static int
get_recipients(struct wire *w, struct event *e, struct arena *arena,
    struct why *why)
{
	size_t i;

	if (get_array(w, 2 + 4 * 4, sizeof(*e->recipients), arena,
	    &e->recipients, &e->nrecipients, why) == -1)
		return -1;
	for (i = 0; i < e->nrecipients; i++) {
		struct event_recipient *r = &e->recipients[i];
		uint8_t local = get_u8(w), verdict = get_u8(w);

		r->local = local != 0;
		r->verdict = verdict;
		r->address = get_field(w);
		r->domain = get_field(w);
		r->provider = get_field(w);
		r->rule = get_field(w);
		if (w->bad || local > 1 || verdict > VERDICT_DROP)
			return why_set(why,
			    "recipient %zu of the event makes no sense", i + 1);
	}
	return 0;
}

/* event_decode - the whole record */
int
event_decode(struct slice s, struct event *e, struct arena *arena,
    struct why *why)
{
	struct wire w = wire_of(s);
	uint8_t format;
	size_t i;

	memset(e, 0, sizeof(*e));
	if (get_head(&w, e, &format, why) == -1 ||
	    get_charges(&w, &e->charges, &e->ncharges, arena, why) == -1)
		return -1;
	for (i = 0; i < NTEXTS; i++)
		*(struct slice *)(void *)((char *)e + texts[i]) =
		    get_field(&w);
	if (get_array(&w, 4, sizeof(*e->from_domains), arena,
	    &e->from_domains, &e->nfrom_domains, why) == -1)
		return -1;
	for (i = 0; i < e->nfrom_domains; i++)
		e->from_domains[i] = get_field(&w);
	if (get_array(&w, 8, sizeof(*e->signatures), arena, &e->signatures,
	    &e->nsignatures, why) == -1)
		return -1;
	for (i = 0; i < e->nsignatures; i++) {
		e->signatures[i].domain = get_field(&w);
		e->signatures[i].selector = get_field(&w);
	}
	if (get_recipients(&w, e, arena, why) == -1)
		return -1;
	if (format == FORMAT) {
		e->return_path = get_field(&w);
		e->token = get_u64(&w);
	}
	if (w.bad)
		return why_set(why, "the event ends before it is whole");
	if (w.p != w.end)
		return why_set(why, "%zu bytes too many behind the event",
		    (size_t)(w.end - w.p));
	return 0;
}

/* event_charges - what replay needs, and no more of the record is read */
int
event_charges(struct slice s, uint64_t *seq, int64_t *time,
    enum event_kind *kind, uint64_t *voids, struct charge **charges, size_t *n,
    struct arena *arena, struct why *why)
{
	struct wire w = wire_of(s);
	struct event e = { .kind = EVENT_ACCEPT };
	uint8_t format;

	if (get_head(&w, &e, &format, why) == -1 ||
	    get_charges(&w, charges, n, arena, why) == -1)
		return -1;
	*seq = e.seq;
	*time = e.time;
	*kind = e.kind;
	*voids = e.voids;
	return 0;
}
