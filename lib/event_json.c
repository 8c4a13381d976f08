/*
 * event_json - an event as one JSON object, for `penstock events --json`, for
 * dumps and for whoever ships events elsewhere.
 *
 * Every key is always there, so that a reader needs no "if"; what a kind does
 * not use is "", 0 or [].  Ids of 64 bits and keys are hex text: a JSON number
 * holds 53 bits in most readers.  Times are RFC 3339, UTC, with microseconds,
 * which is exact; the event's own time comes as a number too.
 */
#include "lib/event.h"

#include <inttypes.h>
#include <time.h>

/* json_key - `"name":`, with a comma before it unless it is the first */
static void
json_key(struct buf *b, const char *name)
{
	if (b->len > 0 && b->data[b->len - 1] != '{')
		buf_char(b, ',');
	buf_char(b, '"');
	buf_str(b, name);
	buf_str(b, "\":");
}

/* json_text - a key and a string */
static void
json_text(struct buf *b, const char *name, struct slice value)
{
	json_key(b, name);
	buf_json(b, value);
}

/* json_int - a key and a number */
static void
json_int(struct buf *b, const char *name, int64_t value)
{
	json_key(b, name);
	buf_printf(b, "%" PRId64, value);
}

/* json_bool - a key and true or false */
static void
json_bool(struct buf *b, const char *name, bool value)
{
	json_key(b, name);
	buf_str(b, value ? "true" : "false");
}

/* json_hex - a key and bytes as hex */
static void
json_hex(struct buf *b, const char *name, const uint8_t *p, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	json_key(b, name);
	buf_char(b, '"');
	for (i = 0; i < n; i++) {
		buf_char(b, digits[p[i] >> 4]);
		buf_char(b, digits[p[i] & 15]);
	}
	buf_char(b, '"');
}

/* json_hex64 - a key and an id, "" for 0 */
static void
json_hex64(struct buf *b, const char *name, uint64_t id)
{
	json_key(b, name);
	if (id == 0)
		buf_str(b, "\"\"");
	else
		buf_printf(b, "\"%016" PRIx64 "\"", id);
}

/* event_time - us since 1970 as RFC 3339, UTC, microseconds */
void
event_time(int64_t us, struct buf *b)
{
	int64_t part = us % 1000000;
	time_t s = (time_t)(us / 1000000);
	struct tm tm;

	if (part < 0) {
		part += 1000000;
		s--;
	}
	/* RFC 3339 has years of four digits */
	if (gmtime_r(&s, &tm) == NULL || tm.tm_year < -1900 ||
	    tm.tm_year > 9999 - 1900) {
		buf_str(b, "9999-12-31T23:59:59.999999Z");
		return;
	}
	buf_printf(b, "%04d-%02d-%02dT%02d:%02d:%02d.%06" PRId64 "Z",
	    tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
	    tm.tm_min, tm.tm_sec, part);
}

/* json_time - a key and a time; null for 0, which means none */
static void
json_time(struct buf *b, const char *name, int64_t us)
{
	json_key(b, name);
	if (us == 0) {
		buf_str(b, "null");
		return;
	}
	buf_char(b, '"');
	event_time(us, b);
	buf_char(b, '"');
}

/* json_charge - one charge */
static void
json_charge(struct buf *b, const struct charge *c)
{
	buf_char(b, '{');
	json_text(b, "limit", c->name);
	json_text(b, "kind", slice_of(limit_kind_names[c->kind]));
	json_hex(b, "key", c->key, sizeof(c->key));
	json_key(b, "tenant");
	buf_printf(b, "\"%016" PRIx64 "\"", c->tenant);
	json_bool(b, "shared", c->shared != 0);
	json_int(b, "amount", c->amount);
	json_time(b, "window", c->window);
	json_time(b, "window_end", c->window_end);
	json_int(b, "rate", c->rate);
	json_int(b, "period_us", c->period);
	json_text(b, "rule", c->rule);
	buf_char(b, '}');
}

/* json_recipient - one recipient */
static void
json_recipient(struct buf *b, const struct event_recipient *r)
{
	buf_char(b, '{');
	json_text(b, "address", r->address);
	json_text(b, "domain", r->domain);
	json_text(b, "provider", r->provider);
	json_bool(b, "local", r->local);
	json_text(b, "verdict", slice_of(verdict_names[r->verdict]));
	json_text(b, "rule", r->rule);
	buf_char(b, '}');
}

/* json_who - whose message it was */
static void
json_who(struct buf *b, const struct event *e)
{
	size_t i;

	json_text(b, "instance", e->instance);
	json_text(b, "queue_id", e->queue_id);
	json_text(b, "group", e->group);
	json_text(b, "tenant", e->tenant);
	json_text(b, "login", e->login);
	json_text(b, "listener", e->listener);
	json_text(b, "client", e->client);
	json_text(b, "mail_from", e->mail_from);
	json_key(b, "from_domains");
	buf_char(b, '[');
	for (i = 0; i < e->nfrom_domains; i++) {
		if (i > 0)
			buf_char(b, ',');
		buf_json(b, e->from_domains[i]);
	}
	buf_char(b, ']');
	json_text(b, "stream", e->stream);
	json_text(b, "matched", e->matched);
	json_text(b, "campaign", e->campaign);
	json_text(b, "pool", e->pool);
	json_text(b, "address", e->address);
	json_text(b, "message_id", e->message_id);
	json_int(b, "size", e->size);
}

/* json_what - what became of it */
static void
json_what(struct buf *b, const struct event *e)
{
	size_t i;

	json_hex(b, "policy_hash", e->policy_hash, sizeof(e->policy_hash));
	json_key(b, "signatures");
	buf_char(b, '[');
	for (i = 0; i < e->nsignatures; i++) {
		buf_str(b, i > 0 ? ",{" : "{");
		json_text(b, "domain", e->signatures[i].domain);
		json_text(b, "selector", e->signatures[i].selector);
		buf_char(b, '}');
	}
	buf_char(b, ']');
	json_text(b, "verdict", slice_of(verdict_names[e->verdict]));
	json_text(b, "would", slice_of(e->would != VERDICT_PASS ?
	    verdict_names[e->would] : ""));
	json_text(b, "stage", slice_of(stage_names[e->stage]));
	json_text(b, "rule", e->rule);
	json_text(b, "reply", e->reply);
	json_text(b, "limit", e->limit);
	json_int(b, "count", e->count);
	json_key(b, "charges");
	buf_char(b, '[');
	for (i = 0; i < e->ncharges; i++) {
		if (i > 0)
			buf_char(b, ',');
		json_charge(b, &e->charges[i]);
	}
	buf_char(b, ']');
	json_key(b, "recipients");
	buf_char(b, '[');
	for (i = 0; i < e->nrecipients; i++) {
		if (i > 0)
			buf_char(b, ',');
		json_recipient(b, &e->recipients[i]);
	}
	buf_char(b, ']');
}

/* event_json - the whole object, on one line, without the line's end */
void
event_json(const struct event *e, struct buf *b)
{
	buf_char(b, '{');
	json_text(b, "kind", slice_of(event_kind_names[e->kind]));
	json_key(b, "seq");
	buf_printf(b, "%" PRIu64, e->seq);
	json_key(b, "time");
	buf_char(b, '"');
	event_time(e->time, b);
	buf_char(b, '"');
	json_int(b, "time_us", e->time);
	json_who(b, e);
	json_what(b, e);
	json_key(b, "voids");
	buf_printf(b, "%" PRIu64, e->voids);
	json_key(b, "flags");
	buf_char(b, '{');
	json_bool(b, "long_lines", (e->flags & EVENT_LONG_LINES) != 0);
	json_bool(b, "no_postal", (e->flags & EVENT_NO_POSTAL) != 0);
	json_bool(b, "overflow", (e->flags & EVENT_OVERFLOW) != 0);
	json_bool(b, "unowned", (e->flags & EVENT_UNOWNED) != 0);
	buf_char(b, '}');
	json_text(b, "text", e->text);
	json_text(b, "return_path", e->return_path);
	json_hex64(b, "token", e->token);
	buf_char(b, '}');
}
