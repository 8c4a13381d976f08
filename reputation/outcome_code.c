/*
 * outcome_code - an outcome as bytes, and as JSON.
 *
 * Little-endian; "field" is u32 length and that many bytes.  Format 1:
 *
 *	 0	u8	format = 1
 *	 1	u8	kind
 *	 2	u8	source
 *	 3	u8	0
 *	 4	u64	sequence
 *	12	i64	time, us
 *	20	u64	event; 0: none
 *	28	i64	delay, us; -1: not known
 *	36	u8[16]	hash of the folded address
 *	52	field	x 17, in the order of texts[] below
 *
 * Nothing follows: a new field is a new format number.
 */
#include "reputation/outcome.h"

#include <stddef.h>

#include "lib/wire.h"

enum { FORMAT = 1 };

const char *const outcome_kind_names[] = { "delivered", "deferred", "bounced",
	"expired", "complaint", "not_spam", "opt_out", "deleted", NULL };
const char *const outcome_source_names[] = { "log", "dsn", "arf", NULL };

/* Every text of an outcome; one list for both directions and for JSON. */
static const struct text {
	const char	*name;
	size_t		 at;
} texts[] = {
	{ "instance", offsetof(struct outcome, instance) },
	{ "queue_id", offsetof(struct outcome, queue_id) },
	{ "tenant", offsetof(struct outcome, tenant) },
	{ "group", offsetof(struct outcome, group) },
	{ "stream", offsetof(struct outcome, stream) },
	{ "campaign", offsetof(struct outcome, campaign) },
	{ "pool", offsetof(struct outcome, pool) },
	{ "address", offsetof(struct outcome, address) },
	{ "recipient", offsetof(struct outcome, recipient) },
	{ "domain", offsetof(struct outcome, domain) },
	{ "provider", offsetof(struct outcome, provider) },
	{ "code", offsetof(struct outcome, code) },
	{ "reply", offsetof(struct outcome, reply) },
	{ "category", offsetof(struct outcome, category) },
	{ "action", offsetof(struct outcome, action) },
	{ "rule", offsetof(struct outcome, rule) },
	{ "relay", offsetof(struct outcome, relay) },
};
enum { NTEXTS = sizeof(texts) / sizeof(texts[0]) };

/* text_of - the i-th text of an outcome */
static struct slice *
text_of(const struct outcome *o, size_t i)
{
	return (struct slice *)(uintptr_t)((const char *)o + texts[i].at);
}

/* outcome_encode - append the record; texts are cut at their bounds */
void
outcome_encode(const struct outcome *o, struct buf *b)
{
	size_t i;

	put_u8(b, FORMAT);
	put_u8(b, (uint8_t)o->kind);
	put_u8(b, (uint8_t)o->source);
	put_u8(b, 0);
	put_u64(b, o->seq);
	put_i64(b, o->time);
	put_u64(b, o->event);
	put_i64(b, o->delay);
	put_bytes(b, o->folded, sizeof(o->folded));
	for (i = 0; i < NTEXTS; i++) {
		struct slice text = *text_of(o, i);
		size_t most = texts[i].at == offsetof(struct outcome, reply) ?
		    OUTCOME_REPLY : OUTCOME_TEXT;

		if (text.n > most)
			text.n = most;
		put_field(b, text);
	}
}

/* outcome_decode - the record; texts borrow it */
int
outcome_decode(struct slice record, struct outcome *o, struct why *why)
{
	struct wire w = wire_of(record);
	uint8_t format = get_u8(&w), kind = get_u8(&w), source = get_u8(&w);
	size_t i;

	memset(o, 0, sizeof(*o));
	if (format > FORMAT)
		return why_set(why, "outcome of format %u: written by a newer "
		    "Penstock", format);
	(void)get_u8(&w);
	o->kind = (enum outcome_kind)kind;
	o->source = (enum outcome_source)source;
	o->seq = get_u64(&w);
	o->time = get_i64(&w);
	o->event = get_u64(&w);
	o->delay = get_i64(&w);
	get_bytes(&w, o->folded, sizeof(o->folded));
	for (i = 0; i < NTEXTS; i++)
		*text_of(o, i) = get_field(&w);
	if (w.bad || w.p != w.end || kind > OUTCOME_DELETED ||
	    source > OUTCOME_ARF || format == 0)
		return why_set(why, "the record of an outcome makes no sense");
	return 0;
}

/* outcome_json - for people's tools */
void
outcome_json(const struct outcome *o, struct buf *b)
{
	size_t i;

	buf_printf(b, "{\"seq\":%llu,\"time\":\"", (unsigned long long)o->seq);
	event_time(o->time, b);
	buf_printf(b, "\",\"kind\":\"%s\",\"source\":\"%s\",\"event\":%llu,"
	    "\"delay\":", outcome_kind_names[o->kind],
	    outcome_source_names[o->source], (unsigned long long)o->event);
	if (o->delay < 0)
		buf_str(b, "null");
	else
		buf_printf(b, "%lld.%06lld", (long long)(o->delay / 1000000),
		    (long long)(o->delay % 1000000));
	for (i = 0; i < NTEXTS; i++) {
		buf_printf(b, ",\"%s\":", texts[i].name);
		buf_json(b, *text_of(o, i));
	}
	buf_char(b, '}');
}
