/*
 * arf - RFC 5965 in the wild.
 *
 * Seen, and read: Version 0.1 and none; Abuse-Type instead of Feedback-Type;
 * Source-Ip; several Original-Rcpt-To; Removal-Recipient and Redacted-Address
 * of old loops; the part in base64, or as text/plain because some gateway did
 * not know its type; no message behind it, or only the word "REDACTED".
 *
 * Microsoft (JMRP) sends multipart/mixed with the message in it, whose head
 * got fields that begin with X-HmXmr; Amazon JSON (sns.c).
 */
#include "tools/ingest/arf.h"

#include <ctype.h>

#include "tools/ingest/fields.h"
#include "tools/ingest/sns.h"
#include "tools/ingest/sort.h"

const char *const arf_type_names[] = { "abuse", "fraud", "virus", "other",
	"not-spam", "opt-out", "auth-failure", "unknown", NULL };

/* is_hidden - made unreadable by the reporter */
static bool
is_hidden(struct slice s)
{
	size_t hex = 0;

	if (s.n == 0 || text_has(s, "redacted") || text_has(s, "x.x.x.x") ||
	    text_begins(s, "hashed@") || text_begins(s, "xxx"))
		return true;
	while (hex < s.n && isxdigit((unsigned char)s.p[hex]))
		hex++;
	return hex >= 32;		/* a hash instead of a local part */
}

/* shown - an address or a value, absent when it is hidden */
static struct slice
shown(struct arf *a, struct slice flat)
{
	if (!is_hidden(flat))
		return flat;
	a->hidden = true;
	return SLICE_NONE;
}

/* add_recipient - when it is an address, and not there yet */
static void
add_recipient(struct arf *a, struct slice flat)
{
	struct slice address = text_address(flat);

	if (address.p == NULL || is_hidden(address)) {
		a->hidden = true;
		return;
	}
	for (size_t i = 0; i < a->nrecipients; i++)
		if (slice_case_eq(a->recipients[i], address))
			return;
	if (a->nrecipients < ARF_RECIPIENTS)
		a->recipients[a->nrecipients++] = address;
}

/* type_of - by its name; Abuse-Type says "complaint" */
static enum arf_type
type_of(struct slice flat)
{
	if (slice_case_eq(flat, SLICE("complaint")))
		return ARF_ABUSE;
	if (slice_case_eq(flat, SLICE("not_spam")))
		return ARF_NOT_SPAM;
	if (slice_case_eq(flat, SLICE("opt_out")) ||
	    slice_case_eq(flat, SLICE("opt-out-list")))
		return ARF_OPT_OUT;
	for (int i = 0; i < ARF_UNKNOWN; i++)
		if (slice_case_eq(flat, slice_of(arf_type_names[i])))
			return (enum arf_type)i;
	return ARF_UNKNOWN;
}

/* report_field - one field of the feedback report */
static void
report_field(struct arf *a, struct slice name, struct slice flat, bool *typed)
{
	struct slice found;

	if (slice_case_eq(name, SLICE("Feedback-Type"))) {
		a->type = type_of(flat);
		*typed = true;
	} else if (slice_case_eq(name, SLICE("Abuse-Type")) && !*typed) {
		a->type = type_of(flat);
	} else if (slice_case_eq(name, SLICE("User-Agent"))) {
		a->agent = flat;
	} else if (slice_case_eq(name, SLICE("Source-IP"))) {
		a->source_ip = shown(a, flat);
	} else if (slice_case_eq(name, SLICE("Arrival-Date")) ||
	    slice_case_eq(name, SLICE("Received-Date"))) {
		a->arrival = flat;
	} else if (slice_case_eq(name, SLICE("Original-Mail-From"))) {
		found = text_address(flat);
		a->mail_from = shown(a, found.p != NULL ? found : SLICE(""));
	} else if (slice_case_eq(name, SLICE("Original-Envelope-Id"))) {
		a->envelope_id = flat;
	} else if (slice_case_eq(name, SLICE("CFBL-Feedback-ID"))) {
		a->feedback_id = flat;
	} else if (slice_case_eq(name, SLICE("Original-Rcpt-To")) ||
	    slice_case_eq(name, SLICE("Removal-Recipient"))) {
		add_recipient(a, flat);
	} else if (slice_case_eq(name, SLICE("Redacted-Address"))) {
		a->hidden = true;
	}
}

/* report_part - where the fields stand; NULL: nowhere */
static const struct mail_part *
report_part(const struct mail *m)
{
	const struct mail_part *part = mail_part(m, "message/feedback-report");

	for (size_t i = 0; part == NULL && i < m->nparts; i++)
		if (m->parts[i].text && (text_begins(m->parts[i].body,
		    "Feedback-Type:") || text_has(slice_cut(m->parts[i].body,
		    4096), "\nFeedback-Type:")))
			part = &m->parts[i];
	return part;
}

/* returned_of - the message that it is about */
static struct slice
returned_of(const struct mail *m, const struct mail_part *report)
{
	static const char *const types[] = { "message/rfc822",
		"text/rfc822-headers", "message/global",
		"message/global-headers", "text/rfc822" };
	const struct mail_part *part;

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if ((part = mail_part(m, types[i])) != NULL &&
		    part != report)
			return part->body;
	return SLICE_NONE;
}

/* returned_fields - what the message itself has to say */
static void
returned_fields(struct arf *a, bool jmrp, struct arena *arena)
{
	static const char *const recipients[] = { "X-HmXmrOriginalRecipient",
		"X-MS-Exchange-Organization-OriginalEnvelopeRecipients" };
	struct slice flat;

	if (a->returned.p == NULL)
		return;
	for (size_t i = 0; jmrp && i < 2; i++)
		if ((flat = field_find(a->returned, recipients[i],
		    arena)).p != NULL)
			add_recipient(a, flat);
	if (a->feedback_id.p == NULL)
		a->feedback_id = field_find(a->returned, "CFBL-Feedback-ID",
		    arena);
	if (a->mail_from.p == NULL) {
		flat = text_address(field_find(a->returned, "Return-Path",
		    arena));
		if (flat.p != NULL)
			a->mail_from = shown(a, flat);
	}
}

/* reporter_of - the domain of From */
static struct slice
reporter_of(const struct mail *m)
{
	const char *at = m->from.p != NULL ? memchr(m->from.p, '@',
	    m->from.n) : NULL;

	return at == NULL ? SLICE_NONE : slice_from(m->from,
	    (size_t)(at - m->from.p) + 1);
}

/* arf_read - the fields, then the message */
int
arf_read(const struct mail *m, struct arena *arena, struct arf *out,
    struct why *why)
{
	const struct mail_part *part = report_part(m);
	bool jmrp = part == NULL && sort_is_jmrp(m), typed = false;
	struct slice rest, flat;
	struct field f;

	*out = (struct arf){ .type = jmrp ? ARF_ABUSE : ARF_UNKNOWN };
	if (part == NULL && !jmrp) {
		if (sns_complaint(m, arena, out) == 0)
			return 0;
		out->reporter = reporter_of(m);
		return 1;
	}
	out->recipients = arena_array(arena, ARF_RECIPIENTS,
	    sizeof(*out->recipients));
	if (out->recipients == NULL)
		return why_kind(why, WHY_MEMORY, "no memory for a report");
	out->reporter = reporter_of(m);
	/* An empty line inside is a mistake of theirs, not an end. */
	for (rest = part != NULL ? slice_cut(part->body, 1 << 20) :
	    SLICE(""); rest.n > 0;)
		while (field_next(&rest, &f)) {
			flat = field_flat(slice_cut(f.value, 4096), arena);
			if (flat.p == NULL)
				return why_kind(why, WHY_MEMORY,
				    "no memory for a report");
			report_field(out, f.name, flat, &typed);
		}
	out->returned = returned_of(m, part);
	returned_fields(out, jmrp, arena);
	return 1;
}
