/*
 * dsn - RFC 3464, read as it is written in the field.
 *
 * The parts of a delivery-status are groups with an empty line between them,
 * the first about the message, each other about a recipient; in the field
 * groups are glued together, or the first is missing.  So a group that names a
 * recipient is about that recipient, and a second name inside of a group
 * begins another one.
 *
 * A report that has the part, but no words in it (Exim and OpenSMTPD write such
 * about their own deliveries), borrows the words of the text that a person
 * reads.  A comment behind the status is words, too.
 *
 * Amazon's notifications are JSON (sns.c).
 *
 * Filters pack a report into a mail of their own, which says no more than that
 * there was one.  Then the fields are read in the report inside.
 */
#include "tools/ingest/dsn.h"

#include <ctype.h>

#include "tools/ingest/fields.h"
#include "tools/ingest/sns.h"

#define STATUS_BYTES	65536	/* in which fields are looked for */

const char *const dsn_action_names[] = { "failed", "delayed", "delivered",
	"relayed", "expanded", NULL };
const char *const dsn_form_names[] = { "rfc3464", "postfix", "exim", "qmail",
	"sendmail", "exchange", "gmail", "yahoo", "ses", "other", NULL };

/* dsn_add - all of them are allocated with the first */
struct dsn_recipient *
dsn_add(struct dsn *d, struct arena *arena)
{
	struct dsn_recipient *r;

	if (d->list == NULL)
		d->list = arena_array(arena, DSN_RECIPIENTS,
		    sizeof(*d->list));
	if (d->list == NULL)
		return NULL;
	if (d->n == DSN_RECIPIENTS) {
		d->more++;
		return NULL;
	}
	r = &d->list[d->n++];
	*r = (struct dsn_recipient){ .action = DSN_FAILED,
	    .status = SLICE(""), .diagnostic = SLICE("") };
	return r;
}

/* digit - is there one at that place? */
static bool
digit(struct slice s, size_t at)
{
	return at < s.n && isdigit((unsigned char)s.p[at]);
}

/* enhanced - the length of "5.1.1" at that place, or 0 */
static size_t
enhanced(struct slice s, size_t at)
{
	size_t n = at + 2, part, i;

	if (at + 4 >= s.n || strchr("245", s.p[at]) == NULL ||
	    s.p[at] == '\0' || s.p[at + 1] != '.' ||
	    (at > 0 && (digit(s, at - 1) || s.p[at - 1] == '.')))
		return 0;
	for (part = 0; part < 2; part++) {
		for (i = 0; digit(s, n); i++)
			n++;
		if (i < 1 || i > 3 || (part == 0 && (n >= s.n ||
		    s.p[n++] != '.')))
			return 0;
	}
	/* "5.1.1.2" is something else */
	return digit(s, n) || (n + 1 < s.n && s.p[n] == '.' &&
	    digit(s, n + 1)) ? 0 : n - at;
}

/* reply_code - "550" as a word at that place */
static bool
reply_code(struct slice s, size_t at)
{
	return at + 3 <= s.n && (s.p[at] == '4' || s.p[at] == '5') &&
	    s.p[at + 1] >= '0' && s.p[at + 1] <= '7' && digit(s, at + 2) &&
	    !digit(s, at + 3) && (at == 0 || (!isalnum((unsigned char)
	    s.p[at - 1]) && s.p[at - 1] != '.' && s.p[at - 1] != ':' &&
	    s.p[at - 1] != '[')) && (at + 3 == s.n ||
	    strchr(" -,:;)\"'", s.p[at + 3]) != NULL);
}

/* dsn_status - an enhanced code says more than a reply code */
struct slice
dsn_status(struct slice text)
{
	size_t n;

	for (size_t i = 0; i < text.n; i++)
		if ((n = enhanced(text, i)) > 0 && text.p[i] != '2')
			return (struct slice){ text.p + i, n };
	for (size_t i = 0; i < text.n; i++)
		if (reply_code(text, i))
			return text.p[i] == '5' ? SLICE("5.0.0") :
			    SLICE("4.0.0");
	return SLICE("");
}

/* dsn_has_code - of either kind */
bool
dsn_has_code(struct slice text)
{
	return dsn_status(text).n > 0;
}

/* dsn_behind_type - "rfc822; a@b" without its type */
struct slice
dsn_behind_type(struct slice flat)
{
	const char *semicolon = flat.n > 0 ? memchr(flat.p, ';', flat.n) :
	    NULL;

	if (semicolon == NULL || semicolon - flat.p > 16)
		return flat;
	return slice_trim(slice_from(flat, (size_t)(semicolon - flat.p) + 1));
}

/* address_of - the mailbox in the field, or what stands there */
static struct slice
address_of(struct slice flat)
{
	struct slice whole = dsn_behind_type(flat), found = text_address(whole);

	return found.p != NULL ? found : whole;
}

/* action_of - "failed", "failed (reason)", "failure" */
static enum dsn_action
action_of(struct slice flat)
{
	for (int i = 0; dsn_action_names[i] != NULL; i++)
		if (text_begins(flat, dsn_action_names[i]))
			return (enum dsn_action)i;
	return DSN_FAILED;
}

/* comment_of - "4.0.0 (host name lookup failure)": what stands in brackets */
static struct slice
comment_of(struct slice flat)
{
	const char *open = flat.n > 0 ? memchr(flat.p, '(', flat.n) : NULL;
	struct slice inside;

	if (open == NULL || flat.p[flat.n - 1] != ')')
		return SLICE("");
	inside = slice_from(flat, (size_t)(open - flat.p) + 1);
	inside.n--;
	return slice_cut(slice_trim(inside), DSN_DIAGNOSTIC);
}

/* recipient_field - one field of a group about a recipient */
static void
recipient_field(struct dsn_recipient *r, struct slice name, struct slice flat)
{
	if (slice_case_eq(name, SLICE("Action")))
		r->action = action_of(flat);
	else if (slice_case_eq(name, SLICE("Status"))) {
		r->status = dsn_status(flat).n > 0 || flat.n == 0 ?
		    dsn_status(flat) : slice_cut(flat, 5);
		r->comment = comment_of(flat);
	}
	else if (slice_case_eq(name, SLICE("Diagnostic-Code")))
		r->diagnostic = slice_cut(dsn_behind_type(flat),
		    DSN_DIAGNOSTIC);
	else if (slice_case_eq(name, SLICE("Remote-MTA")))
		r->remote = dsn_behind_type(flat);
	else if (slice_case_eq(name, SLICE("Original-Recipient")))
		r->original = address_of(flat);
	else if (slice_case_eq(name, SLICE("Final-Recipient")))
		r->address = address_of(flat);
}

/* message_field - one field of the group about the message */
static void
message_field(struct dsn *d, struct slice name, struct slice flat)
{
	if (slice_case_eq(name, SLICE("Reporting-MTA")))
		d->reporter = dsn_behind_type(flat);
	else if (slice_case_eq(name, SLICE("Original-Envelope-Id")))
		d->envelope_id = flat;
	else if (slice_case_eq(name, SLICE("X-Postfix-Queue-ID")))
		d->queue_id = flat;
}

/* add_named - a recipient, when the fields named one */
static void
add_named(struct dsn *d, struct dsn_recipient *one, struct arena *arena)
{
	struct dsn_recipient *r;

	if (one->address.n == 0)
		one->address = one->original;
	if (one->address.n > 0 && (r = dsn_add(d, arena)) != NULL)
		*r = *one;
}

/* read_group - one group; its fields may stand in any order */
static int
read_group(struct dsn *d, struct slice *rest, struct arena *arena)
{
	static const struct dsn_recipient nobody = { .action = DSN_FAILED,
	    .status = { "", 0 }, .diagnostic = { "", 0 } };
	struct dsn_recipient one = nobody;
	bool final = false;
	struct slice flat;
	struct field f;

	while (field_next(rest, &f)) {
		flat = field_flat(slice_cut(f.value, 4096), arena);
		if (flat.p == NULL)
			return -1;
		if (slice_case_eq(f.name, SLICE("Final-Recipient"))) {
			if (final) {
				add_named(d, &one, arena);
				one = nobody;
			}
			final = true;
		}
		recipient_field(&one, f.name, flat);
		message_field(d, f.name, flat);
	}
	add_named(d, &one, arena);
	return 0;
}

/* status_part - the machine's part of the report; NULL: there is none */
static const struct mail_part *
status_part(const struct mail *m)
{
	const struct mail_part *part = mail_part(m, "message/delivery-status");

	return part != NULL ? part :
	    mail_part(m, "message/global-delivery-status");
}

/* returned_part - what came back of the message */
static struct slice
returned_part(const struct mail *m)
{
	static const char *const types[] = { "message/rfc822",
		"text/rfc822-headers", "message/global",
		"message/global-headers", "text/rfc822" };
	const struct mail_part *part;

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if ((part = mail_part(m, types[i])) != NULL)
			return part->body;
	return SLICE_NONE;
}

/* borrow_words - from the text, for recipients without a diagnostic */
static int
borrow_words(const struct mail *m, struct dsn *d, struct arena *arena,
    struct why *why)
{
	struct dsn text = { .n = 0 };
	bool lacks = false;
	int got;

	for (size_t i = 0; i < d->n; i++)
		lacks |= d->list[i].diagnostic.n == 0;
	if (!lacks && d->returned.p != NULL)
		return 0;
	if ((got = dsn_text(m, true, arena, &text, why)) != 1)
		return got;
	if (d->returned.p == NULL)
		d->returned = text.returned;
	if (d->form == DSN_RFC3464)
		d->form = text.form;
	for (size_t i = 0; i < d->n; i++) {
		for (size_t j = 0; j < text.n && d->list[i].diagnostic.n == 0;
		    j++)
			if (text.n == 1 || slice_case_eq(d->list[i].address,
			    text.list[j].address))
				d->list[i].diagnostic =
				    text.list[j].diagnostic;
		if (d->list[i].status.n == 0)
			d->list[i].status = dsn_status(d->list[i].diagnostic);
	}
	return 0;
}

/* status_in - the fields stand in a text, or the MIME around them is broken;
 * absent: they do not */
static struct slice
status_in(struct slice text)
{
	static const char *const heads[] = { "Reporting-MTA:", "Action:",
		"Final-Recipient:" };
	struct slice rest = slice_cut(text, STATUS_BYTES), line;
	const char *from = NULL;
	bool final = false;

	while (line_next(&rest, &line)) {
		for (size_t i = 0; from == NULL && i < 3; i++)
			if (text_begins(line, heads[i]))
				from = line.p;
		final |= from != NULL && text_begins(line, heads[2]);
		if (from != NULL && text_begins(line, "Received:"))
			return final ? (struct slice){ from, (size_t)(line.p -
			    from) } : SLICE_NONE;
	}
	return final ? (struct slice){ from, (size_t)(rest.p - from) } :
	    SLICE_NONE;
}

/* is_report - does that message say of itself that it is one? */
static bool
is_report(struct slice message, struct arena *arena)
{
	struct slice type = field_find(slice_cut(message, STATUS_BYTES),
	    "Content-Type", arena);

	return text_begins(type, "multipart/report") &&
	    text_has(type, "delivery-status");
}

/* read_groups - all of them */
static int
read_groups(struct slice rest, struct dsn *d, struct arena *arena,
    struct why *why)
{
	while (rest.n > 0)
		if (read_group(d, &rest, arena) == -1)
			return why_kind(why, WHY_MEMORY, "no memory for a "
			    "report");
	return 0;
}

/* use_comments - of a status, as the words of who has none; all: also those
 * that only say its class again */
static void
use_comments(struct dsn *d, bool all)
{
	static const char *const classes[] = { "permanent failure",
		"permanent error", "temporary failure", "transient failure",
		"delivery failed", "success" };

	for (size_t i = 0; i < d->n; i++) {
		struct dsn_recipient *r = &d->list[i];
		bool empty = r->comment.n == 0;

		for (size_t k = 0; !all && !empty &&
		    k < sizeof(classes) / sizeof(classes[0]); k++)
			empty = slice_case_eq(r->comment,
			    slice_of(classes[k]));
		if (!empty && r->diagnostic.n == 0)
			r->diagnostic = r->comment;
	}
}

/* dsn_read - by its part, else by its text */
int
dsn_read(const struct mail *m, bool null_sender, struct arena *arena,
    struct dsn *out, struct why *why)
{
	const struct mail_part *part = status_part(m);
	struct slice inside;
	struct dsn json;

	*out = (struct dsn){ .form = DSN_RFC3464 };
	out->returned = returned_part(m);
	if (part != NULL && read_groups(part->body, out, arena, why) == -1)
		return -1;
	if (out->n == 0 && (inside = status_in(mail_text(m))).n > 0 &&
	    (part != NULL || dsn_is_bounce(m, null_sender)) &&
	    read_groups(inside, out, arena, why) == -1)
		return -1;
	if (out->n == 0 && dsn_is_bounce(m, null_sender) &&
	    is_report(out->returned, arena) &&
	    (inside = status_in(out->returned)).n > 0) {
		if (read_groups(inside, out, arena, why) == -1)
			return -1;
		/* what came back is behind them */
		out->returned = slice_from(out->returned, (size_t)(inside.p +
		    inside.n - out->returned.p));
	}
	if (out->n == 0 && part == NULL && sns_read(m, arena, &json) == 1) {
		*out = json;
		return 1;
	}
	if (out->n == 0)
		return dsn_text(m, part != NULL || null_sender, arena, out,
		    why);
	use_comments(out, false);
	if (borrow_words(m, out, arena, why) == -1)
		return -1;
	use_comments(out, true);
	return 1;
}
