/*
 * suppress_row - columns by their names.
 *
 * A file of another house says why an address is on it by which file it is:
 * bounces, complaints, unsubscribes.  The columns tell; --as overrules.  What
 * cannot be told is refused rather than guessed.
 */
#include "tools/suppress_row.h"

#include <string.h>

#include "lib/text.h"
#include "tools/names.h"

const char *const row_formats[] = { "ours", "SendGrid", "Mailgun", "SES",
	"a list of addresses", NULL };

/* column - its index by any of these names, or -1 */
static int
column(const struct csv_row *header, const char *name)
{
	for (size_t i = 0; i < header->n; i++)
		if (slice_case_eq(slice_trim(header->field[i]),
		    slice_of(name)))
			return (int)i;
	return -1;
}

/* is_ses - the two words that SES knows */
static bool
is_ses(struct slice text, enum suppress_reason *reason)
{
	text = slice_trim(text);
	if (slice_case_eq(text, SLICE("BOUNCE")))
		*reason = SUPPRESS_HARD_BOUNCE;
	else if (slice_case_eq(text, SLICE("COMPLAINT")))
		*reason = SUPPRESS_COMPLAINT;
	else
		return false;
	return true;
}

/* of_sendgrid - which of its lists is it? */
static void
of_sendgrid(const struct csv_row *header, struct row_layout *l)
{
	l->format = ROW_SENDGRID;
	l->created = column(header, "created");
	l->note = column(header, "reason");
	l->reason = column(header, "status") != -1 ? SUPPRESS_HARD_BOUNCE :
	    column(header, "ip") != -1 ? SUPPRESS_COMPLAINT :
	    l->note != -1 ? SUPPRESS_INVALID : SUPPRESS_UNSUBSCRIBE;
}

/* of_mailgun - which of its lists is it? */
static void
of_mailgun(const struct csv_row *header, struct row_layout *l)
{
	l->format = ROW_MAILGUN;
	l->note = column(header, "error");
	l->reason = column(header, "code") != -1 || l->note != -1 ?
	    SUPPRESS_HARD_BOUNCE : SUPPRESS_COMPLAINT;
	if (column(header, "tags") != -1 || column(header, "tag") != -1)
		l->reason = SUPPRESS_UNSUBSCRIBE;
}

/* of_ses - emailaddress, reason; or no header at all */
static bool
of_ses(const struct csv_row *first, struct row_layout *l)
{
	enum suppress_reason reason;

	l->format = ROW_SES;
	if ((l->address = column(first, "emailaddress")) != -1) {
		l->reason_at = column(first, "reason");
		l->created = column(first, "lastupdatetime");
		return l->reason_at != -1;
	}
	if (first->n != 2 || !is_ses(first->field[1], &reason) ||
	    memchr(first->field[0].p, '@', first->field[0].n) == NULL)
		return false;
	l->address = 0;
	l->reason_at = 1;
	l->headless = true;
	return true;
}

/* row_layout - by the first row */
int
row_layout(const struct csv_row *first, struct row_layout *l, struct why *why)
{
	struct quoted q;

	if (first->error != NULL)
		return why_set(why, "line 1: %s", first->error);
	*l = (struct row_layout){ .reason = SUPPRESS_IMPORT,
	    .address = column(first, "address"),
	    .scope = column(first, "scope"), .list = column(first, "list"),
	    .reason_at = -1, .source = column(first, "source"),
	    .created = column(first, "created_at"),
	    .expires = column(first, "expires_at"), .note = -1 };
	if (l->address != -1 && l->scope != -1) {
		l->format = ROW_OURS;
		l->reason_at = column(first, "reason");
		l->note = column(first, "note");
		return 0;
	}
	if (l->address != -1 && l->created != -1) {
		of_mailgun(first, l);
		return 0;
	}
	if (column(first, "email") != -1) {
		l->address = column(first, "email");
		if (column(first, "created") != -1)
			of_sendgrid(first, l);
		else
			l->format = ROW_LIST;
		return 0;
	}
	if (l->address != -1) {
		l->format = ROW_LIST;
		return 0;
	}
	if (of_ses(first, l))
		return 0;
	return why_set(why, "line 1: %s is no header of a list that is known; "
	    "the columns of ours are address,scope,list,reason,source,"
	    "created_at,expires_at,note", text_quote(first->n > 0 ?
	    first->field[0] : SLICE(""), &q));
}

/* field - of a row; absent where there is no such column, or it is empty */
static struct slice
field(const struct csv_row *row, int at)
{
	struct slice text;

	if (at < 0 || (size_t)at >= row->n)
		return SLICE_NONE;
	text = slice_trim(row->field[at]);
	return text.n > 0 ? text : SLICE_NONE;
}

/* word - a text's place in an array of names; -1 */
static int
word(struct slice text, const char *const *names)
{
	for (int i = 0; names[i] != NULL; i++)
		if (slice_case_eq(text, slice_of(names[i])))
			return i;
	return -1;
}

/* read_reason - by its column, the file's kind, or what was asked for */
static int
read_reason(const struct row_layout *l, const struct row_defaults *d,
    const struct csv_row *row, struct suppress_entry *e, struct why *why)
{
	struct slice text = field(row, l->reason_at);
	struct quoted q;
	int which;

	e->reason = d->reasoned ? d->reason : l->reason;
	if (text.p == NULL || d->reasoned)
		return 0;
	if (l->format == ROW_SES) {
		if (!is_ses(text, &e->reason))
			return why_set(why, "%s is neither BOUNCE nor "
			    "COMPLAINT", text_quote(text, &q));
		return 0;
	}
	if ((which = word(text, suppress_reason_names)) == -1)
		return why_set(why, "%s is no reason that we know",
		    text_quote(text, &q));
	e->reason = (enum suppress_reason)which;
	return 0;
}

/* read_scope - by its columns, or what was asked for */
static int
read_scope(const struct row_layout *l, const struct row_defaults *d,
    const struct csv_row *row, struct suppress_entry *e, struct why *why)
{
	struct slice text = field(row, l->scope), list = field(row, l->list);
	struct quoted q;
	int which;

	if (text.p == NULL) {
		if (!d->scoped)
			return why_set(why, "nothing says for whom it is: "
			    "--list, --tenant, --group or --platform does");
		e->scope = d->scope;
		e->id = d->id;
		return 0;
	}
	if ((which = word(text, suppress_scope_names)) == -1)
		return why_set(why, "%s is no scope; list, tenant, group and "
		    "platform are", text_quote(text, &q));
	e->scope = (enum suppress_scope)which;
	return names_id(e->scope, list, &e->id, why);
}

/* printable - texts of strangers that are kept: one line of UTF-8 */
static bool
printable(struct slice text)
{
	size_t n;

	for (size_t i = 0; i < text.n; i += n) {
		n = text_utf8(text.p + i, text.n - i);
		if (n == 0 || (unsigned char)text.p[i] < 0x20 ||
		    text.p[i] == 0x7f)
			return false;
	}
	return true;
}

/* cut - not longer than most, at the end of a character */
static struct slice
cut(struct slice text, size_t most)
{
	if (text.n > most) {
		text.n = most;
		while (text.n > 0 && ((unsigned char)text.p[text.n] & 0xc0) ==
		    0x80)
			text.n--;
	}
	return text;
}

/* row_read - one row */
int
row_read(const struct row_layout *l, const struct row_defaults *d,
    const struct csv_row *row, struct slice *address,
    struct suppress_entry *e, struct why *why)
{
	struct slice source = field(row, l->source);
	struct slice created = field(row, l->created);
	struct slice expires = field(row, l->expires);
	struct slice note = field(row, l->note);

	if (row->error != NULL)
		return why_set(why, "%s", row->error);
	*address = field(row, l->address);
	if (address->p == NULL)
		return why_set(why, "there is no address");
	*e = (struct suppress_entry){ .date = d->now };
	if (read_scope(l, d, row, e, why) == -1 ||
	    read_reason(l, d, row, e, why) == -1 ||
	    (created.p != NULL && row_date(created, &e->date, why) == -1) ||
	    (expires.p != NULL && row_date(expires, &e->expires, why) == -1))
		return -1;
	if (e->date > d->now)
		return why_set(why, "its date lies in the future");
	e->source = cut(source.p != NULL ? source : d->source,
	    SUPPRESS_SOURCE);
	e->note = note.p != NULL ? cut(note, SUPPRESS_NOTE) : SLICE("");
	if (!printable(e->source) || !printable(e->note))
		return why_set(why, "its source or note is no line of text");
	return 0;
}
