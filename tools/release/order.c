/*
 * order - lines made and read.
 *
 * Narrow on purpose: one blank between two words, no other form of anything.
 * What one half formats the other reads back to the same bytes, and what reads
 * back to other bytes is refused; tests/fuzz/order.c holds it to that.
 *
 * Queue ids (Postfix, global/mail_queue.h).  Short: the microseconds of the
 * file's birth in five hexadecimal digits and the inode in as many as it
 * takes, upper case.  Long (enable_long_queue_ids): seconds in six or more and
 * microseconds in four digits to the base of 52 that has no vowels, "z", and
 * the inode to the base of 51, which is the same without "z".
 */
#include "tools/release/order.h"

#include <inttypes.h>
#include <string.h>

#include "lib/text.h"

enum { SHORT_TIME = 5, SHORT_MOST = 21, LONG_TIME = 10, LONG_TIME_MOST = 12,
	TEXT_MOST = 400 };

const char *const order_verbs[] = { "list", "where", "release", "expire",
	"drop", "queue", NULL };
const char *const order_places[] = { "hold", "incoming", "active", "deferred",
	"corrupt", "away", NULL };

/* --- queue ids ------------------------------------------------------------ */

/* is_short - hexadecimal digits */
static bool
is_short(struct slice id)
{
	for (size_t i = 0; i < id.n; i++)
		if ((id.p[i] < '0' || id.p[i] > '9') &&
		    (id.p[i] < 'A' || id.p[i] > 'F'))
			return false;
	return id.n > SHORT_TIME && id.n <= SHORT_MOST;
}

/* is_long - digits without vowels, one "z" between two parts */
static bool
is_long(struct slice id)
{
	size_t z = 0;

	for (size_t i = 0; i < id.n; i++) {
		char c = id.p[i];

		if (c == 'z' && z == 0 && i >= LONG_TIME)
			z = i;
		else if (c == 'z' ? i >= LONG_TIME :
		    !((c >= '0' && c <= '9') || (((c >= 'A' && c <= 'Z') ||
		    (c >= 'a' && c <= 'y')) && strchr("aeiouAEIOU",
		    c) == NULL)))
			return false;
	}
	return z != 0 && z <= LONG_TIME_MOST && z + 1 < id.n &&
	    id.n <= ORDER_ID_MOST;
}

/* order_queue_id - either of them */
bool
order_queue_id(struct slice id)
{
	return is_short(id) || is_long(id);
}

/* --- words ---------------------------------------------------------------- */

/* word - up to the next blank; *more: another one follows */
static struct slice
word(struct slice *rest, bool *more)
{
	const char *end = rest->n > 0 ? memchr(rest->p, ' ', rest->n) : NULL;
	size_t n = end != NULL ? (size_t)(end - rest->p) : rest->n;
	struct slice w = { rest->p, n };

	*more = end != NULL;
	*rest = slice_from(*rest, n + (end != NULL));
	return w;
}

/* one_of - its index in a NULL-ended list, or -1 */
static int
one_of(const char *const *names, struct slice w)
{
	for (int i = 0; names[i] != NULL; i++)
		if (slice_is(w, names[i]))
			return i;
	return -1;
}

/* number - decimal, as it would be printed */
static bool
number(struct slice w, uint64_t *out)
{
	uint64_t n = 0;

	if (w.n == 0 || w.n > 20 || (w.p[0] == '0' && w.n > 1))
		return false;
	for (size_t i = 0; i < w.n; i++) {
		unsigned digit = (unsigned)w.p[i] - '0';

		if (digit > 9 || n > (UINT64_MAX - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	*out = n;
	return true;
}

/* refuse - a line that is none, in a sentence */
static int
refuse(struct why *why, const char *what, struct slice line)
{
	struct quoted q;

	return why_set(why, "%s: %s", what, text_quote(line, &q));
}

/* --- orders --------------------------------------------------------------- */

/* order_parse - a verb and its ids */
int
order_parse(struct slice line, struct order *o, struct why *why)
{
	struct slice rest = line, w;
	bool more;
	int verb;

	o->n = 0;
	if (line.n >= ORDER_LINE)
		return why_set(why, "an order of %zu bytes", line.n);
	if ((verb = one_of(order_verbs, word(&rest, &more))) == -1)
		return refuse(why, "no order of mine", line);
	o->verb = (enum order_verb)verb;
	while (more) {
		w = word(&rest, &more);
		if (!order_queue_id(w))
			return refuse(why, "no queue id of Postfix", w);
		if (o->n == ORDER_IDS)
			return why_set(why, "more than %d queue ids",
			    ORDER_IDS);
		o->ids[o->n++] = w;
	}
	if ((o->verb == ORDER_LIST) != (o->n == 0))
		return refuse(why, o->n == 0 ? "an order about no message" :
		    "list takes no queue ids", line);
	return 0;
}

/* order_format - and the LF */
void
order_format(const struct order *o, struct buf *b)
{
	buf_str(b, order_verbs[o->verb]);
	for (size_t i = 0; i < o->n; i++) {
		buf_char(b, ' ');
		buf_slices(b, o->ids[i]);
	}
	buf_char(b, '\n');
}

/* --- replies -------------------------------------------------------------- */

/* parse_held - "ID INODE" */
static bool
parse_held(struct slice rest, struct reply *r)
{
	bool more, last;

	r->id = word(&rest, &more);
	return more && order_queue_id(r->id) &&
	    number(word(&rest, &last), &r->file) && !last;
}

/* parse_at - "ID PLACE" */
static bool
parse_at(struct slice rest, struct reply *r)
{
	bool more, last;
	int place;

	r->id = word(&rest, &more);
	place = one_of(order_places, word(&rest, &last));
	r->place = (enum order_place)place;
	return more && order_queue_id(r->id) && place != -1 && !last;
}

/* printable - one line that harms no terminal */
static bool
printable(struct slice text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] < ' ' || text.p[i] > '~')
			return false;
	return text.n <= TEXT_MOST;
}

/* reply_parse - one line of an answer */
int
reply_parse(struct slice line, struct reply *r, struct why *why)
{
	struct slice rest = line, w;
	bool more, good = false;

	memset(r, 0, sizeof(*r));
	r->text = SLICE("");
	w = word(&rest, &more);
	if (line.n >= ORDER_LINE || !more) {
		good = false;
	} else if (slice_is(w, "held")) {
		r->kind = REPLY_HELD;
		good = parse_held(rest, r);
	} else if (slice_is(w, "at")) {
		r->kind = REPLY_AT;
		good = parse_at(rest, r);
	} else if (slice_is(w, "end")) {
		r->kind = REPLY_END;
		good = number(word(&rest, &more), &r->n) && more &&
		    printable(rest);
		r->text = rest;
	} else if (slice_is(w, "no")) {
		r->kind = REPLY_NO;
		good = printable(rest);
		r->text = rest;
	}
	return good ? 0 : refuse(why, "no answer of penstock-release", line);
}

/* put_text - what is not printable as "?", and no more than fits */
static void
put_text(struct buf *b, struct slice text)
{
	for (size_t i = 0; i < text.n && i < TEXT_MOST; i++)
		buf_char(b, text.p[i] >= ' ' && text.p[i] <= '~' ?
		    text.p[i] : '?');
}

/* reply_format - and the LF */
void
reply_format(const struct reply *r, struct buf *b)
{
	switch (r->kind) {
	case REPLY_HELD:
		buf_printf(b, "held %.*s %" PRIu64, SLICE_ARG(r->id),
		    r->file);
		break;
	case REPLY_AT:
		buf_printf(b, "at %.*s %s", SLICE_ARG(r->id),
		    order_places[r->place]);
		break;
	case REPLY_END:
		buf_printf(b, "end %" PRIu64 " ", r->n);
		put_text(b, r->text);
		break;
	case REPLY_NO:
		buf_str(b, "no ");
		put_text(b, r->text);
		break;
	}
	buf_char(b, '\n');
}
