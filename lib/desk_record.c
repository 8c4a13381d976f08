/*
 * desk_record - one decision as bytes, and the chain.
 *
 * Little-endian; "field" is u32 length and that many bytes.  A row of the
 * table "records", whose key is be64 sequence:
 *
 *	u8[32]	chain = SHA-256(chain of the row before, body)
 *	field	body
 *	field	subject in the clear: u8[16] salt, text; empty when there is
 *		none, or when it was erased
 *
 *	body: u8 format = 1, u16 kind, u64 seq, i64 time, u32 uid, i64 amount,
 *	i64 until, u8 limit kind, u8[32] SHA-256(salt, subject) or zeros,
 *	field tenant, stream, provider, limit, object, reason, user, sudo,
 *	before, after
 *
 * The address of a person stands beside the chain and not in it: who asks to
 * be forgotten is taken out of the clear part, and the chain still holds.  The
 * salt keeps the hash that stays from being tried with a list of addresses;
 * it goes with the text.
 *
 * One table is both, the wishes and the audit log.  Two tables could disagree,
 * and the day they do nobody knows which one the gate followed.
 *
 * A kind or text of a newer Penstock is carried along: the chain covers bytes,
 * not meanings.  A newer format is refused.
 */
#include "lib/desk.h"

#include <inttypes.h>
#include <stddef.h>

#include "lib/event.h"
#include "lib/wire.h"

enum { FORMAT = 1, SALT = 16 };

static const uint8_t zeros[HASH_SHA256];

const struct desk_kind_row desk_kinds[DESK_KINDS] = {
	[DESK_PAUSE] = { "pause", DESK_NEEDS_REASON | DESK_NEEDS_TENANT },
	[DESK_RESUME] = { "resume", DESK_NEEDS_REASON | DESK_NEEDS_TENANT },
	[DESK_GRANT] = { "grant", DESK_NEEDS_REASON | DESK_NEEDS_TENANT |
	    DESK_NEEDS_LIMIT | DESK_NEEDS_UNTIL },
	[DESK_RESET] = { "reset", DESK_NEEDS_REASON | DESK_NEEDS_TENANT |
	    DESK_NEEDS_LIMIT },
	[DESK_SUPPRESS_ADD] = { "suppress-add", DESK_NEEDS_REASON |
	    DESK_NEEDS_SUBJECT },
	[DESK_SUPPRESS_REMOVE] = { "suppress-remove", DESK_NEEDS_REASON |
	    DESK_NEEDS_SUBJECT },
	[DESK_ACK] = { "ack", DESK_NEEDS_OBJECT },
	[DESK_APPROVE] = { "approve", DESK_NEEDS_OBJECT | DESK_NEEDS_REASON },
	[DESK_IMPORT] = { "import", DESK_NEEDS_OBJECT },
	[DESK_CLOCK_ACCEPT] = { "clock-accept", DESK_NEEDS_REASON },
	[DESK_BREAKER_LIFT] = { "breaker-lift", DESK_NEEDS_REASON |
	    DESK_NEEDS_OBJECT },
	[DESK_BACKOFF_LIFT] = { "backoff-lift", DESK_NEEDS_REASON |
	    DESK_NEEDS_OBJECT },
	[DESK_HOLD_RELEASE] = { "hold-release", DESK_NEEDS_REASON |
	    DESK_NEEDS_OBJECT },
	[DESK_HOLD_DROP] = { "hold-drop", DESK_NEEDS_REASON |
	    DESK_NEEDS_OBJECT },
	[DESK_WARMUP_RESUME] = { "warmup-resume", DESK_NEEDS_REASON |
	    DESK_NEEDS_OBJECT },
	[DESK_ANEW] = { "anew", DESK_NEEDS_REASON | DESK_NEEDS_OBJECT },
	[DESK_ADVICE_APPLY] = { "advice-apply", DESK_NEEDS_REASON |
	    DESK_NEEDS_OBJECT },
	[DESK_ADVICE_DISMISS] = { "advice-dismiss", DESK_NEEDS_REASON |
	    DESK_NEEDS_OBJECT },
	[DESK_SNAPSHOT_REQUEST] = { "snapshot-request", DESK_NEEDS_REASON |
	    DESK_NEEDS_OBJECT },
};

/* Every text of the body, one list for both directions. */
static const struct { const char *name; size_t at; } texts[] = {
	{ "tenant", offsetof(struct desk_record, tenant) },
	{ "stream", offsetof(struct desk_record, stream) },
	{ "provider", offsetof(struct desk_record, provider) },
	{ "limit", offsetof(struct desk_record, limit) },
	{ "object", offsetof(struct desk_record, object) },
	{ "reason", offsetof(struct desk_record, reason) },
	{ "user", offsetof(struct desk_record, user) },
	{ "sudo", offsetof(struct desk_record, sudo) },
	{ "before", offsetof(struct desk_record, before) },
	{ "after", offsetof(struct desk_record, after) },
};
enum { NTEXTS = sizeof(texts) / sizeof(texts[0]) };

/* desk_kind_name - for eyes and for scripts */
const char *
desk_kind_name(unsigned kind)
{
	return kind > 0 && kind < DESK_KINDS ? desk_kinds[kind].name :
	    "unknown";
}

/* sealed - what the body says of a subject: SHA-256(salt, text) */
static void
sealed(struct slice clear, uint8_t out[HASH_SHA256])
{
	hash_sha256(clear.p, clear.n, out);
}

/* link - the chain of a body */
static bool
link(const uint8_t before[HASH_SHA256], struct slice body,
    uint8_t out[HASH_SHA256])
{
	struct hash_sha256_ctx *ctx = hash_sha256_new();

	if (ctx == NULL)
		return false;
	hash_sha256_add(ctx, before, HASH_SHA256);
	hash_sha256_add(ctx, body.p, body.n);
	hash_sha256_end(ctx, out);
	hash_sha256_free(ctx);
	return true;
}

/* put_body - what the chain covers */
static void
put_body(const struct desk_record *r, struct slice clear, struct buf *b)
{
	uint8_t digest[HASH_SHA256] = { 0 };

	if (clear.n > 0)
		sealed(clear, digest);
	put_u8(b, FORMAT);
	put_u16(b, (uint16_t)r->kind);
	put_u64(b, r->seq);
	put_i64(b, r->time);
	put_u32(b, r->uid);
	put_i64(b, r->amount);
	put_i64(b, r->until);
	put_u8(b, r->limit_kind);
	put_bytes(b, digest, sizeof(digest));
	for (size_t i = 0; i < NTEXTS; i++)
		put_field(b, *(const struct slice *)(const void *)
		    ((const char *)r + texts[i].at));
}

/* desk_encode - append the row; failure is sticky in the buffer */
void
desk_encode(const struct desk_record *r, const uint8_t *salt,
    const uint8_t before[HASH_SHA256], struct buf *b)
{
	struct buf body = BUF_INIT, clear = BUF_INIT;
	uint8_t chain[HASH_SHA256];

	if (salt != NULL && r->subject.n > 0) {
		put_bytes(&clear, salt, SALT);
		put_bytes(&clear, r->subject.p, r->subject.n);
	}
	put_body(r, buf_slice(&clear), &body);
	if (buf_failed(&body) || buf_failed(&clear) ||
	    !link(before, buf_slice(&body), chain))
		b->failed = true;
	else {
		put_bytes(b, chain, sizeof(chain));
		put_field(b, buf_slice(&body));
		put_field(b, buf_slice(&clear));
	}
	buf_free(&body);
	buf_free(&clear);
}

/* get_body - and back; whether there was a subject */
static int
get_body(struct slice body, struct desk_record *r, bool *subject,
    struct why *why)
{
	struct wire w = wire_of(body);
	uint8_t format = get_u8(&w), digest[HASH_SHA256];

	if (!w.bad && format > FORMAT)
		return why_set(why, "a decision of format %u: written by a "
		    "newer Penstock, this one reads up to format %d", format,
		    FORMAT);
	r->kind = get_u16(&w);
	r->seq = get_u64(&w);
	r->time = get_i64(&w);
	r->uid = get_u32(&w);
	r->amount = get_i64(&w);
	r->until = get_i64(&w);
	r->limit_kind = get_u8(&w);
	get_bytes(&w, digest, sizeof(digest));
	for (size_t i = 0; i < NTEXTS; i++)
		*(struct slice *)(void *)((char *)r + texts[i].at) =
		    get_field(&w);
	if (w.bad || w.p != w.end || format != FORMAT || r->kind == 0)
		return why_set(why, "the decision makes no sense");
	*subject = memcmp(digest, zeros, sizeof(digest)) != 0;
	return 0;
}

/* desk_decode - a row; nothing is believed of its chain yet */
int
desk_decode(struct slice s, struct desk_row *row, struct why *why)
{
	struct wire w = wire_of(s);
	struct slice clear;
	bool subject = false;

	memset(row, 0, sizeof(*row));
	get_bytes(&w, row->chain, sizeof(row->chain));
	row->body = get_field(&w);
	clear = get_field(&w);
	if (w.bad || w.p != w.end || (clear.n > 0 && clear.n <= SALT))
		return why_set(why, "the decision makes no sense");
	if (get_body(row->body, &row->record, &subject, why) == -1)
		return -1;
	if (clear.n > 0)
		row->record.subject = slice_from(clear, SALT);
	row->erased = subject && clear.n == 0;
	return 0;
}

/* desk_follows - the chain, the number, and the subject's hash */
bool
desk_follows(const struct desk_row *row, uint64_t seq,
    const uint8_t before[HASH_SHA256])
{
	static const size_t digest_at = 1 + 2 + 8 + 8 + 4 + 8 + 8 + 1;
	uint8_t chain[HASH_SHA256], digest[HASH_SHA256];
	const struct slice *subject = &row->record.subject;
	const char *in_body;

	if (row->record.seq != seq || !link(before, row->body, chain) ||
	    memcmp(chain, row->chain, sizeof(chain)) != 0)
		return false;
	if (row->body.n < digest_at + sizeof(digest))
		return false;
	in_body = row->body.p + digest_at;
	if (subject->p == NULL)
		return true;
	sealed((struct slice){ subject->p - SALT, subject->n + SALT }, digest);
	return memcmp(in_body, digest, sizeof(digest)) == 0;
}

/* limit_kind - its name; one of tomorrow has none yet */
static const char *
limit_kind(const struct desk_record *r)
{
	unsigned i;

	if (r->limit.n == 0)
		return "";
	for (i = 0; limit_kind_names[i] != NULL; i++)
		if (i == r->limit_kind)
			return limit_kind_names[i];
	return "unknown";
}

/* json_text - a key and a string, behind a comma */
static void
json_text(struct buf *b, const char *name, struct slice text)
{
	buf_printf(b, ",\"%s\":", name);
	buf_json(b, text);
}

/* desk_json - one object; every key is always there */
void
desk_json(const struct desk_row *row, struct buf *b)
{
	const struct desk_record *r = &row->record;

	buf_printf(b, "{\"kind\":\"%s\",\"seq\":%" PRIu64 ",\"time\":\"",
	    desk_kind_name(r->kind), r->seq);
	event_time(r->time, b);
	buf_printf(b, "\",\"time_us\":%" PRId64 ",\"uid\":%" PRIu32, r->time,
	    r->uid);
	for (size_t i = 0; i < NTEXTS; i++)
		json_text(b, texts[i].name, *(const struct slice *)
		    (const void *)((const char *)r + texts[i].at));
	json_text(b, "limit_kind", slice_of(limit_kind(r)));
	buf_printf(b, ",\"amount\":%" PRId64 ",\"until\":", r->amount);
	if (r->until == 0)
		buf_str(b, "null");
	else {
		buf_char(b, '"');
		event_time(r->until, b);
		buf_char(b, '"');
	}
	json_text(b, "subject", r->subject);
	buf_printf(b, ",\"erased\":%s,\"chain\":\"",
	    row->erased ? "true" : "false");
	for (size_t i = 0; i < sizeof(row->chain); i++)
		buf_printf(b, "%02x", row->chain[i]);
	buf_str(b, "\"}");
}
