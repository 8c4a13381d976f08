/*
 * dsn_text - bounces for people: qmail, Exim, Gmail, Exchange and the others
 * who wrote, or write, sentences instead of RFC 3464.
 *
 * They differ in their sentences and agree in their shape: an opening, then an
 * address on a line of its own, then what the other server said, then the
 * message that came back behind a line that says so.  So there is one reader,
 * and tables: openings (which tell the form, and that it is a bounce at all),
 * the lines behind which the returned message begins, and what makes a delay
 * of it.
 *
 * An address that stands behind "sent by" is the sender, and so is one that
 * the report itself is addressed to: neither is a recipient.  Words belong to
 * the address above them; a transcript stands below all of them, and its lines
 * go to the address that they name, or to all that have no words yet.  When
 * nobody has any after all that, they have those of the whole text.
 *
 * Bounded: TEXT_BYTES and TEXT_LINES of the text are read.
 */
#include "tools/ingest/dsn.h"

#include <ctype.h>

#include "lib/buf.h"
#include "tools/ingest/fields.h"
#include "tools/ingest/html.h"

#define TEXT_BYTES	65536
#define TEXT_LINES	400
#define WORD_LINES	30	/* of what belongs to one address */

struct opening {
	const char	*words;
	enum dsn_form	 form;
};

/* The first that is found tells the form. */
static const struct opening openings[] = {
	{ "qmail-send program", DSN_QMAIL },
	{ "this is the qmail", DSN_QMAIL },
	{ "this is the mail system at host", DSN_POSTFIX },
	{ "this is the postfix program", DSN_POSTFIX },
	{ "this message was created automatically by mail delivery software",
	    DSN_EXIM },
	{ "sorry, we were unable to deliver your message to the following "
	    "address", DSN_YAHOO },
	{ "unable to deliver message to the following address", DSN_YAHOO },
	{ "delivery to the following recipient", DSN_GMAIL },
	{ "google tried to deliver your message", DSN_GMAIL },
	{ "your message wasn't delivered to", DSN_GMAIL },
	{ "your message couldn't be delivered to", DSN_GMAIL },
	{ "address not found", DSN_GMAIL },
	{ "message blocked", DSN_GMAIL },
	{ "following addresses had", DSN_SENDMAIL },
	{ "transcript of session follows", DSN_SENDMAIL },
	{ "did not reach the following recipient", DSN_EXCHANGE },
	{ "delivery has failed to these recipients", DSN_EXCHANGE },
	{ "diagnostic information for administrators", DSN_EXCHANGE },
	{ "couldn't be delivered", DSN_EXCHANGE },
	{ "dragonfly mail agent", DSN_OTHER },
	{ "unable to deliver your message to", DSN_OTHER },
	{ "was not delivered to", DSN_OTHER },
	{ "was not delivered", DSN_OTHER },
	{ "could not be delivered", DSN_OTHER },
	{ "cannot be delivered", DSN_OTHER },
	{ "can't be delivered", DSN_OTHER },
	{ "could not deliver", DSN_OTHER },
	{ "unable to deliver", DSN_OTHER },
	{ "unable to be delivered", DSN_OTHER },
	{ "has been rejected", DSN_OTHER },
	{ "was rejected by", DSN_OTHER },
	{ "undeliverable", DSN_OTHER },
	{ "undelivered", DSN_OTHER },
	{ "not been delivered", DSN_OTHER },
	{ "delivery failed", DSN_OTHER },
	{ "delivery failure", DSN_OTHER },
	{ "failed to deliver", DSN_OTHER },
	{ "failed permanently", DSN_OTHER },
	{ "permanent error", DSN_OTHER },
	{ "did not receive this message", DSN_OTHER },
	{ "error message below", DSN_OTHER },
	{ "an error occurred while trying to deliver", DSN_OTHER },
	{ "returned mail", DSN_OTHER },
	{ "mail could not be", DSN_OTHER },
	{ "trouble delivering your message", DSN_OTHER },
	{ "delivery to the following address", DSN_OTHER },
	{ "no valid recipients were found", DSN_OTHER },
	{ "sent <<< rcpt to", DSN_OTHER },
};

/* A subject, or a sender, that only bounces have. */
static const char *const subjects[] = { "undeliver", "failure notice",
	"delivery status notification", "mail delivery failed",
	"returned mail", "delivery failure", "delivery failed",
	"mail delivery system", "failure delivery", "not delivered",
	"delivery notification", "nondeliverable", "mail system error",
	"warning: message", "delayed", "delivery delay" };
static const char *const daemons[] = { "mailer-daemon", "postmaster",
	"mail-daemon", "mailerdaemon", "mdaemon", "noreply-bounce",
	"post_master" };

/* Still trying. */
static const char *const delays[] = { "has not yet been delivered",
	"delivery attempts will continue", "this is a warning message only",
	"will keep trying", "will be retried", "not need to resend",
	"transient non-fatal errors", "delivery incomplete",
	"has been delayed", "is delayed", "still trying to deliver",
	"will continue to try", "message will be attempted" };

/* Behind a line like this comes the message, or the head of it. */
static const char *const returns[] = {
	"below this line is a copy of the message",
	"this is a copy of the message", "this is a copy of your message",
	"the header of the original message", "original message header",
	"original message follows", "original message --",
	"- original message", "unsent message follows",
	"message header follows", "message headers follow",
	"- returned message", "returned message follows",
	"undelivered message follows", "message text follows",
	"this is the original message", "your original message",
	"message is following", "here is a copy", "message contents follow",
	"included below", "message header:", "original mail as follows",
	"the first 50 lines of the original", "included is a copy",
	"headers of the message that", "copy of the original message",
	"--- the headers of", "original headers" };

struct text {
	struct slice	 body;		/* up to the returned message */
	struct slice	 returned;
	struct slice	 to;		/* whom the report is addressed to */
};

/* any_of - does one of the words stand in it? */
static bool
any_of(struct slice s, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (text_has(s, words[i]))
			return true;
	return false;
}

#define ANY_OF(s, words) any_of(s, words, sizeof(words) / sizeof((words)[0]))

/* split - the text apart from the message that came back */
static void
split(struct text *t)
{
	struct slice rest = t->body, line, ahead;

	while (line_next(&rest, &line)) {
		struct slice trimmed = slice_trim(line);

		if (trimmed.n == 0 || trimmed.n > 200)
			continue;
		ahead = slice_trim(rest);
		if (text_begins(trimmed, "Received: from ") ||
		    text_begins(trimmed, "Received: (qmail ") ||
		    text_begins(trimmed, "Return-Path: <")) {
			rest = (struct slice){ line.p,
			    line.n + rest.n + (rest.p > line.p + line.n) };
		} else if (!ANY_OF(trimmed, returns) ||
		    (ahead.n > 0 && ahead.p[0] == '<')) {
			continue;
		}
		t->body.n = (size_t)(line.p - t->body.p);
		while (rest.n > 0 && isspace((unsigned char)rest.p[0]))
			rest = slice_from(rest, 1);
		t->returned = rest;
		return;
	}
}

/* form_of - the first opening that is there; -1: none */
static int
form_of(struct slice body)
{
	for (size_t i = 0; i < sizeof(openings) / sizeof(openings[0]); i++)
		if (text_has(body, openings[i].words))
			return (int)openings[i].form;
	return -1;
}

/* dsn_is_bounce - from nobody, or from a daemon, with the words of a bounce */
bool
dsn_is_bounce(const struct mail *m, bool null_sender)
{
	return null_sender || ANY_OF(m->from, daemons) ||
	    ANY_OF(m->subject, subjects);
}

/* --- lines ---------------------------------------------------------------- */

/* unmarked - without what stands before an address in a list */
static struct slice
unmarked(struct slice line)
{
	static const char *const heads[] = { "Recipient:", "Recipient address:",
		"Final recipient:", "Original address:", "Failed recipient:",
		"RCPT TO:", ">>> RCPT TO:", "Invalid address:", "User:",
		"Destination:", "Address:", "Failed address:",
		"Delivery failed:", "Could not be delivered to:",
		"Sent <<< RCPT TO:", "The following "
		"recipients returned permanent errors:", ">>>", "*", "--",
		"-", "\xe2\x80\xa2" };

	line = slice_trim(line);
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		if (text_begins(line, heads[i]))
			return slice_trim(slice_from(line, strlen(heads[i])));
	return line;
}

/* behind_address - may this stand behind the address of an address line? */
static bool
behind_address(struct slice s)
{
	static const char *const tails[] = { "<mailto:", "on ", "(", "<",
		"generated", "unknown", "failed", "... unknown", "error,",
		"invalid address", ". reason:" };

	s = slice_trim(s);
	if (s.n == 0 || s.p[0] == ':' || s.p[0] == ';')
		return true;
	if (s.p[0] == ',' && s.n == 1)
		return true;
	for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++)
		if (text_begins(s, tails[i]))
			return true;
	return false;
}

/* address_line - is it one?  Then the address and what stands behind it */
static bool
address_line(struct slice line, struct slice *address, struct slice *words)
{
	static const char *const sentences[] = { "delivering your mail to <",
		"your message wasn't delivered to ",
		"your message couldn't be delivered to ",
		"there was a problem delivering your message to ",
		"message could not be delivered to ",
		"could not deliver message to ",
		"your message to <", "your message to ", "following user: ",
		"not listed in ", "mail for <" };
	struct slice found, tail, s = unmarked(line);
	size_t at;

	if (s.n == 0 || s.n > 400)
		return false;
	found = text_address(slice_cut(s, 340));
	if (found.p == NULL)
		return false;
	at = (size_t)(found.p - s.p);
	tail = slice_from(s, at + found.n);
	*address = found;
	*words = SLICE("");
	if (at == 1 && (s.p[0] == '<' || s.p[0] == '"') && tail.n > 0) {
		tail = slice_trim(slice_from(tail, 1));
		/* "<a@b>... User unknown" is a reply */
		if (text_begins(tail, "..."))
			return false;
		if (tail.n > 0 && (tail.p[0] == ':' || tail.p[0] == ';'))
			tail = slice_trim(slice_from(tail, 1));
		*words = tail;
		return true;
	}
	if (at == 0 && behind_address(tail)) {
		tail = slice_trim(tail);
		if (tail.n > 0 && strchr(":;.", tail.p[0]) != NULL)
			*words = slice_trim(slice_from(tail, 1));
		else if (text_begins(tail, "invalid address") ||
		    text_begins(tail, "error,"))
			*words = tail;
		return true;
	}
	for (size_t i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++)
		if (text_has(s, sentences[i])) {
			*words = s;
			return true;
		}
	return false;
}

/* is_own - of the sender, or addressed as the report is */
static bool
is_own(const struct text *t, struct slice address, struct slice before)
{
	before = slice_trim(before);
	if (before.n >= 7 && text_has(slice_from(before, before.n - 7),
	    "sent by"))
		return true;
	return t->to.n > 0 && slice_case_eq(address, t->to);
}

/* same_address - was it named already?  Then that one */
static struct dsn_recipient *
same_address(struct dsn *d, struct slice address)
{
	for (size_t i = 0; i < d->n; i++)
		if (slice_case_eq(d->list[i].address, address))
			return &d->list[i];
	return NULL;
}

/* add_words - to a diagnostic that is being collected */
static void
add_words(struct buf *words, struct slice line)
{
	line = slice_trim(line);
	if (line.n == 0 || words->len >= DSN_DIAGNOSTIC)
		return;
	if (words->len > 0)
		buf_char(words, ' ');
	buf_slices(words, slice_cut(line, DSN_DIAGNOSTIC - words->len));
}

/* is_boundary - of a MIME part that stands in the text: something broke */
static bool
is_boundary(struct slice line)
{
	return line.n > 12 && text_begins(line, "--") && line.p[2] != ' ' &&
	    memchr(line.p, ' ', line.n) == NULL &&
	    memchr(line.p, '@', line.n) == NULL;
}

/* is_section - "----- Transcript of session follows -----" and such */
static bool
is_section(struct slice line)
{
	line = slice_trim(line);
	return text_begins(line, "---") || text_has(line, "transcript of") ||
	    text_begins(line, "___") || is_boundary(line);
}

/* take_words - the lines below an address; moves behind them */
static struct slice
take_words(const struct text *t, struct slice *rest, struct slice first,
    struct arena *arena)
{
	struct slice ahead, line, address, words;
	struct buf all = BUF_INIT;
	unsigned lines = 0;

	add_words(&all, first);
	for (ahead = *rest; lines < WORD_LINES && line_next(&ahead, &line);
	    *rest = ahead, lines++) {
		if (is_section(line))
			break;
		if (slice_trim(line).n == 0) {
			if (dsn_has_code(buf_slice(&all)))
				break;
			continue;
		}
		if (address_line(line, &address, &words) &&
		    !is_own(t, address, SLICE("")) && words.n == 0)
			break;
		/* "a@b: 550 no", one below the other */
		if (address_line(line, &address, &words) &&
		    (slice_trim(line).p[0] == '<' ||
		    (address.p == slice_trim(line).p &&
		    dsn_has_code(words))) && all.len > 0 &&
		    dsn_has_code(buf_slice(&all)))
			break;
		add_words(&all, line);
	}
	words = field_flat(buf_slice(&all), arena);
	buf_free(&all);
	return words;
}

/* addresses - all address lines of the text, each with its words */
static int
addresses(const struct text *t, struct dsn *d, struct arena *arena)
{
	struct slice rest = t->body, line, before = SLICE(""), address, words;
	struct dsn_recipient *r;
	unsigned lines = 0;
	bool above = false;	/* Lotus Notes gives the reason first */

	while (lines++ < TEXT_LINES && line_next(&rest, &line)) {
		if (slice_trim(line).n == 0)
			continue;
		if (is_section(line))
			above = text_has(line, "failure reasons");
		if (address_line(line, &address, &words) &&
		    !is_own(t, address, before)) {
			words = above ? slice_cut(slice_trim(before),
			    DSN_DIAGNOSTIC) : take_words(t, &rest, words,
			    arena);
			if (words.p == NULL)
				return -1;
			r = same_address(d, address);
			if (r == NULL && (r = dsn_add(d, arena)) == NULL)
				continue;
			r->address = address;
			if (!dsn_has_code(r->diagnostic) &&
			    (dsn_has_code(words) || r->diagnostic.n == 0))
				r->diagnostic = words;
		}
		before = line;
	}
	return 0;
}

/* --- what is left --------------------------------------------------------- */

/* failed_header - X-Failed-Recipients of Exim and Gmail */
static int
failed_header(const struct mail *m, struct dsn *d, struct arena *arena)
{
	struct slice rest = field_find(m->head, "X-Failed-Recipients", arena);
	struct dsn_recipient *r;
	struct slice address;

	while ((address = text_address(rest)).p != NULL) {
		rest = slice_from(rest, (size_t)(address.p - rest.p) +
		    address.n);
		if (same_address(d, address) != NULL)
			continue;
		if ((r = dsn_add(d, arena)) == NULL)
			break;
		r->address = address;
	}
	return 0;
}

/* said - a line in which the other server speaks, without its marks */
static struct slice
said(struct slice line)
{
	static const char *const marks[] = { "<<<", "(reason:", "...",
		"Remote host said:", "reason:" };

	line = slice_trim(line);
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (text_begins(line, marks[i]))
			line = slice_trim(slice_from(line, strlen(marks[i])));
	return line;
}

/* transcript - for recipients whose words have no code: a line that has one,
 * rather one that names the recipient */
static void
transcript(const struct text *t, struct dsn *d)
{
	struct slice rest = t->body, line, words, any = SLICE_NONE, named;
	unsigned lines = 0;

	while (lines++ < TEXT_LINES && line_next(&rest, &line)) {
		words = slice_cut(said(line), DSN_DIAGNOSTIC);
		if (text_begins(words, ">>>") || !dsn_has_code(words))
			continue;
		if (any.p == NULL)
			any = words;
		named = text_address(words);
		for (size_t i = 0; named.p != NULL && i < d->n; i++)
			if (!dsn_has_code(d->list[i].diagnostic) &&
			    slice_case_eq(named, d->list[i].address))
				d->list[i].diagnostic = words;
	}
	for (size_t i = 0; any.p != NULL && i < d->n; i++)
		if (!dsn_has_code(d->list[i].diagnostic) &&
		    (d->n == 1 || d->list[i].diagnostic.n == 0))
			d->list[i].diagnostic = any;
	/* The last of a list has the words that stand below the list. */
	for (size_t i = d->n; i-- > 1;)
		if (d->list[i - 1].diagnostic.n == 0)
			d->list[i - 1].diagnostic = d->list[i].diagnostic;
}

/* returned_to - nobody is named, but the message that came back says for whom
 * it was */
static int
returned_to(const struct text *t, struct dsn *d, struct arena *arena)
{
	struct slice to = field_find(t->returned, "To", arena), words;
	struct slice address = text_address(to), rest = t->body;
	struct dsn_recipient *r;

	if (address.p == NULL || slice_case_eq(address, t->to))
		return 0;
	words = take_words(t, &rest, SLICE(""), arena);
	if (words.p == NULL || (r = dsn_add(d, arena)) == NULL)
		return -1;
	r->address = address;
	r->diagnostic = words;
	return 0;
}

/* speechless - when all are named without a word, they have those of the whole
 * text: it says why in sentences that name nobody.  Beside one who has words of
 * his own they could be his. */
static int
speechless(const struct text *t, struct dsn *d, struct arena *arena)
{
	struct slice words, rest = t->body;

	for (size_t i = 0; i < d->n; i++)
		if (d->list[i].diagnostic.n > 0)
			return 0;
	if ((words = take_words(t, &rest, SLICE(""), arena)).p == NULL)
		return -1;
	for (size_t i = 0; i < d->n; i++)
		d->list[i].diagnostic = words;
	return 0;
}

/* text_of - plain, or a page made plain */
static struct slice
text_of(const struct mail *m, struct arena *arena)
{
	const struct mail_part *html;
	struct slice text = mail_text(m);

	if (mail_part(m, "text/plain") != NULL)
		return slice_cut(text, TEXT_BYTES);
	html = mail_part(m, "text/html");
	if (html != NULL)
		return html_text(slice_cut(html->body, TEXT_BYTES), arena);
	return SLICE_NONE;
}

/* finish - status and action of each, as far as the words tell */
static void
finish(const struct mail *m, const struct text *t, struct dsn *d)
{
	bool delayed = ANY_OF(t->body, delays) ||
	    text_has(m->subject, "delayed") ||
	    text_has(m->subject, "delivery delay");

	for (size_t i = 0; i < d->n; i++) {
		if (delayed)
			d->list[i].action = DSN_DELAYED;
		d->list[i].status = dsn_status(d->list[i].diagnostic);
	}
}

/* dsn_text - see the header */
int
dsn_text(const struct mail *m, bool null_sender, struct arena *arena,
    struct dsn *d, struct why *why)
{
	struct text t = { .body = text_of(m, arena) };
	int form;

	if (t.body.p == NULL || !dsn_is_bounce(m, null_sender))
		return 0;
	t.to = text_address(field_find(m->head, "To", arena));
	split(&t);
	if ((form = form_of(t.body)) == -1 && !ANY_OF(m->subject, subjects))
		return 0;
	d->form = form == -1 ? DSN_OTHER : (enum dsn_form)form;
	if (d->returned.p == NULL)
		d->returned = t.returned;
	else
		t.returned = d->returned;
	if (addresses(&t, d, arena) == -1 ||
	    failed_header(m, d, arena) == -1 ||
	    (d->n == 0 && returned_to(&t, d, arena) == -1))
		return why_kind(why, WHY_MEMORY, "no memory for a report");
	transcript(&t, d);
	if (speechless(&t, d, arena) == -1)
		return why_kind(why, WHY_MEMORY, "no memory for a report");
	finish(m, &t, d);
	return d->n > 0;
}
