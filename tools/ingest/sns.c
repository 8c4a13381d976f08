/*
 * sns - see sns.h.
 *
 * The object is copied before it is parsed: up to the brace that ends it, since
 * SNS says behind it how to leave the topic, and without the "!", line end and
 * blank by which mail servers break a line of more than 990 bytes.  What the
 * copy shows on the way is its depth.
 *
 *	{ "notificationType": "Bounce",		or "eventType"
 *	  "bounce": { "bounceType", "bounceSubType", "reportingMTA",
 *	    "bouncedRecipients": [ { "emailAddress", "action", "status",
 *	      "diagnosticCode" }, ... ] },
 *	  "mail": { "headers": [ { "name", "value" }, ... ],
 *	    "commonHeaders": { "messageId" } } }
 *
 * A complaint has "complaint" and "complainedRecipients" in their places.
 * Members that are not known are passed over, as its documentation asks for.
 * A recipient without a diagnostic has the two types as words.
 */
#include "tools/ingest/sns.h"

#include <jansson.h>
#include <string.h>

#include "lib/buf.h"
#include "tools/ingest/fields.h"

#define HEADERS	1000u		/* fields of a message that are looked at */

/* What it tells of, and where. */
static const struct kind {
	const char	*type, *member, *list;
	enum dsn_action	 action;
} kinds[] = {
	{ "Bounce", "bounce", "bouncedRecipients", DSN_FAILED },
	{ "DeliveryDelay", "deliveryDelay", "delayedRecipients",
	    DSN_DELAYED },
	{ "Delivery", "delivery", "recipients", DSN_DELIVERED },
};

/* object_of - the bytes of the first object of a text, whole lines again;
 * absent: there is none that ends, or it is too large or too deep */
static struct slice
object_of(struct slice text, struct arena *arena)
{
	bool string = false, escaped = false;
	unsigned depth = 0;
	size_t n = 0;
	char *out;

	text = slice_trim(text);
	if (text.n < 2 || text.p[0] != '{' ||
	    (out = arena_alloc(arena, text.n < SNS_BYTES ? text.n :
	    SNS_BYTES)) == NULL)
		return SLICE_NONE;
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (c == '!' && i + 2 < text.n && text.p[i + 1] == '\n' &&
		    text.p[i + 2] == ' ') {
			i += 2;
			continue;
		}
		if (n == SNS_BYTES)
			break;
		out[n++] = c;
		if (escaped)
			escaped = false;
		else if (c == '\\')
			escaped = string;
		else if (c == '"')
			string = !string;
		else if (!string && (c == '{' || c == '[') &&
		    ++depth > SNS_DEPTH)
			break;
		else if (!string && (c == '}' || c == ']') && --depth == 0)
			return (struct slice){ out, n };
	}
	return SLICE_NONE;
}

/* parse - an object; NULL: it is none */
static json_t *
parse(struct slice text, struct arena *arena)
{
	struct slice object = object_of(text, arena);
	json_error_t error;

	return object.n == 0 ? NULL : json_loadb(object.p, object.n,
	    JSON_REJECT_DUPLICATES, &error);
}

/* string_of - a member, as it stands in there; absent when it is no text */
static struct slice
string_of(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	return json_is_string(value) ? (struct slice){
	    json_string_value(value), json_string_length(value) } :
	    SLICE_NONE;
}

/* kept - a member on one line, in the arena, at most n bytes; "" without one */
static struct slice
kept(const json_t *object, const char *name, size_t n, struct arena *arena)
{
	struct slice s = string_of(object, name), flat;

	if (s.p == NULL)
		return SLICE("");
	flat = field_flat(slice_cut(s, n), arena);
	return flat.p != NULL ? flat : SLICE("");
}

/* words_of - a bounce without the words of a server: what SES takes it for */
static struct slice
words_of(const json_t *report, struct arena *arena)
{
	struct slice type = slice_cut(string_of(report, "bounceType"), 32);
	struct slice sub = slice_cut(string_of(report, "bounceSubType"), 64);
	const char *text;

	if (type.n == 0)
		return SLICE("");
	text = arena_printf(arena, "Amazon SES: %.*s bounce, %.*s",
	    SLICE_ARG(type), SLICE_ARG(sub));
	return text == NULL ? SLICE("") : field_flat(slice_of(text), arena);
}

/* recipient - one of the list: an object, or an address alone */
static void
recipient(const struct kind *kind, const json_t *report, const json_t *value,
    struct dsn *d, struct arena *arena)
{
	struct dsn_recipient one = { .action = kind->action }, *r;
	struct slice address = json_is_string(value) ? (struct slice){
	    json_string_value(value), json_string_length(value) } :
	    string_of(value, "emailAddress");

	address = field_flat(slice_cut(text_address(address), 512), arena);
	if (address.n == 0)
		return;
	one.address = address;
	one.status = dsn_status(kept(value, "status", 32, arena));
	one.diagnostic = slice_cut(dsn_behind_type(kept(value,
	    "diagnosticCode", 4096, arena)), DSN_DIAGNOSTIC);
	if (one.diagnostic.n == 0)
		one.diagnostic = kind->action == DSN_FAILED ?
		    words_of(report, arena) : kept(report, "smtpResponse",
		    DSN_DIAGNOSTIC, arena);
	if (one.status.n == 0)
		one.status = dsn_status(one.diagnostic);
	if (text_begins(kept(value, "action", 32, arena), "delayed"))
		one.action = DSN_DELAYED;
	if ((r = dsn_add(d, arena)) != NULL)
		*r = one;
}

/* returned_of - the header fields of the message, as a message has them */
static struct slice
returned_of(const json_t *mail, struct arena *arena)
{
	const json_t *all = json_object_get(mail, "headers");
	struct slice id = string_of(json_object_get(mail, "commonHeaders"),
	    "messageId");
	size_t n = json_array_size(all);
	struct buf b = BUF_INIT;
	struct slice copy;

	for (size_t i = 0; i < n && i < HEADERS; i++) {
		const json_t *one = json_array_get(all, i);
		struct slice name = kept(one, "name", 256, arena);

		if (name.n == 0 || memchr(name.p, ':', name.n) != NULL)
			continue;
		buf_slices(&b, name);
		buf_str(&b, ": ");
		buf_slices(&b, kept(one, "value", 16384, arena));
		buf_char(&b, '\n');
	}
	if (id.n > 0 && field_find(buf_slice(&b), "Message-ID", arena).n == 0) {
		buf_str(&b, "Message-ID: ");
		buf_slices(&b, field_flat(slice_cut(id, 1000), arena));
		buf_char(&b, '\n');
	}
	copy = buf_failed(&b) ? SLICE_NONE : arena_copy(arena, buf_slice(&b));
	buf_free(&b);
	return copy;
}

/* fill - what the object says */
static void
fill(const json_t *object, struct dsn *d, struct arena *arena)
{
	struct slice type = string_of(object, "notificationType");
	const json_t *report, *list;

	if (type.p == NULL)
		type = string_of(object, "eventType");
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		if (!slice_is(type, kinds[k].type))
			continue;
		report = json_object_get(object, kinds[k].member);
		list = json_object_get(report, kinds[k].list);
		for (size_t i = 0; i < json_array_size(list); i++)
			recipient(&kinds[k], report, json_array_get(list, i),
			    d, arena);
		d->reporter = dsn_behind_type(kept(report, "reportingMTA",
		    256, arena));
		d->returned = returned_of(json_object_get(object, "mail"),
		    arena);
	}
}

/* notification - the object, or the one that its envelope holds as a text;
 * NULL: none.  The caller's to give back. */
static json_t *
notification(const struct mail *m, struct arena *arena)
{
	json_t *outer = parse(mail_text(m), arena), *inner;
	struct slice text;

	if (outer == NULL || !slice_is(string_of(outer, "Type"),
	    "Notification") || (text = string_of(outer, "Message")).n == 0 ||
	    (inner = parse(text, arena)) == NULL)
		return outer;
	json_decref(outer);
	return inner;
}

/* sns_read - whoever is in it */
int
sns_read(const struct mail *m, struct arena *arena, struct dsn *out)
{
	json_t *object = notification(m, arena);

	*out = (struct dsn){ .form = DSN_SES };
	if (object == NULL)
		return 0;
	fill(object, out, arena);
	json_decref(object);
	return out->n > 0;
}

/* type_of - the words of RFC 5965; what says none is abuse */
static enum arf_type
type_of(const json_t *report)
{
	struct slice type = string_of(report, "complaintFeedbackType");

	for (int i = 0; type.n > 0 && i < ARF_UNKNOWN; i++)
		if (slice_case_eq(type, slice_of(arf_type_names[i])))
			return (enum arf_type)i;
	return type.n == 0 ? ARF_ABUSE : ARF_UNKNOWN;
}

/* complaint - of the one whom it names.  Of several SES does not know who it
 * was, and one whom it did not mail, since he is on its list, made none. */
static bool
complaint(const json_t *object, struct arena *arena, struct arf *a)
{
	const json_t *report = json_object_get(object, "complaint");
	const json_t *list = json_object_get(report, "complainedRecipients");
	const json_t *mail = json_object_get(object, "mail");
	struct slice type = string_of(object, "notificationType");

	if (type.p == NULL)
		type = string_of(object, "eventType");
	if (!slice_is(type, "Complaint") || json_array_size(list) == 0 ||
	    string_of(report, "complaintSubType").n > 0 ||
	    (a->recipients = arena_array(arena, 1,
	    sizeof(*a->recipients))) == NULL)
		return false;
	a->type = type_of(report);
	a->agent = kept(report, "userAgent", 256, arena);
	a->arrival = kept(report, "arrivalDate", 64, arena);
	a->mail_from = text_address(kept(mail, "source", 512, arena));
	a->returned = returned_of(mail, arena);
	a->hidden = json_array_size(list) > 1;
	if (!a->hidden)
		a->recipients[0] = text_address(kept(json_array_get(list, 0),
		    "emailAddress", 512, arena));
	a->nrecipients = !a->hidden && a->recipients[0].n > 0;
	return true;
}

/* sns_complaint - see the header */
int
sns_complaint(const struct mail *m, struct arena *arena, struct arf *out)
{
	json_t *object = notification(m, arena);
	bool is;

	*out = (struct arf){ .type = ARF_UNKNOWN };
	is = object != NULL && complaint(object, arena, out);
	json_decref(object);
	return is;
}
