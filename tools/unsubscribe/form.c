/*
 * form - RFC 8058, section 3.1: the body is List-Unsubscribe=One-Click.
 *
 * Names and values are compared as RFC 8058 spells them; white space around a
 * value is forgiven, as are bare LF in multipart, for what is asked is plain
 * and the sender is a mailbox provider's client that nobody can ask to mend it.
 * Other pairs are passed over.
 */
#include "tools/unsubscribe/form.h"

#include <string.h>

/* hex - of a digit, -1 for any other */
static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* is - a percent-encoded text against a plain one */
static bool
is(struct slice coded, const char *want)
{
	size_t i = 0;

	for (; *want != '\0'; want++) {
		char c;

		if (i == coded.n)
			return false;
		c = coded.p[i++];
		if (c == '+')
			c = ' ';
		if (c == '%' && i + 2 <= coded.n && hex(coded.p[i]) != -1 &&
		    hex(coded.p[i + 1]) != -1) {
			c = (char)(hex(coded.p[i]) << 4 | hex(coded.p[i + 1]));
			i += 2;
		}
		if (c != *want)
			return false;
	}
	return i == coded.n;
}

/* pair - what one name and value ask for */
static enum form_wish
pair(struct slice name, struct slice value)
{
	if (is(name, "List-Unsubscribe") && is(value, "One-Click"))
		return FORM_UNSUBSCRIBE;
	if (is(name, "resubscribe") && is(value, "yes"))
		return FORM_RESUBSCRIBE;
	return FORM_NONE;
}

/* add - a second wish that differs makes both void */
static void
add(enum form_wish *all, bool *torn, enum form_wish one)
{
	if (one != FORM_NONE && *all != FORM_NONE && one != *all)
		*torn = true;
	if (one != FORM_NONE)
		*all = one;
}

/* cut - the part up to that character; rest begins behind it */
static struct slice
cut(struct slice *rest, char c)
{
	const char *at = rest->n > 0 ? memchr(rest->p, c, rest->n) : NULL;
	size_t n = at != NULL ? (size_t)(at - rest->p) : rest->n;
	struct slice part = { rest->p, n };

	*rest = slice_from(*rest, n + (at != NULL));
	return part;
}

/* --- urlencoded ----------------------------------------------------------- */

/* urlencoded - name=value&name=value */
static enum form_wish
urlencoded(struct slice body)
{
	enum form_wish all = FORM_NONE;
	bool torn = false;

	body = slice_trim(body);
	while (body.n > 0) {
		struct slice value = cut(&body, '&');
		struct slice name = cut(&value, '=');

		add(&all, &torn, pair(slice_trim(name), slice_trim(value)));
	}
	return torn ? FORM_NONE : all;
}

/* --- multipart ------------------------------------------------------------ */

/* parameter - name=token or name="text" behind a ";" of a field */
static struct slice
parameter(struct slice field, struct slice name)
{
	(void)cut(&field, ';');
	while (field.n > 0) {
		struct slice value = cut(&field, ';');
		struct slice key = slice_trim(cut(&value, '='));

		value = slice_trim(value);
		if (value.n >= 2 && value.p[0] == '"' &&
		    value.p[value.n - 1] == '"')
			value = (struct slice){ value.p + 1, value.n - 2 };
		if (slice_case_eq(key, name))
			return value;
	}
	return SLICE_NONE;
}

/* line - the next one without its end; false: there is none */
static bool
line(struct slice *rest, struct slice *out)
{
	if (rest->n == 0)
		return false;
	*out = cut(rest, '\n');
	if (out->n > 0 && out->p[out->n - 1] == '\r')
		out->n--;
	return true;
}

/* is_boundary - "--boundary" or, at the end, "--boundary--" */
static bool
is_boundary(struct slice l, struct slice boundary)
{
	return l.n >= boundary.n + 2 && memcmp(l.p, "--", 2) == 0 &&
	    memcmp(l.p + 2, boundary.p, boundary.n) == 0 &&
	    slice_trim(slice_from(l, boundary.n + 2)).n <= 2;
}

/* part - one part: its name by Content-Disposition, its value in one line */
static enum form_wish
part(struct slice *body, struct slice boundary)
{
	static const struct slice disposition = { "Content-Disposition", 19 };
	struct slice l, name = SLICE_NONE, value = SLICE_NONE;

	while (line(body, &l) && l.n > 0) {
		struct slice text = l, field = cut(&text, ':');

		if (is_boundary(l, boundary))
			return FORM_NONE;
		if (slice_case_eq(slice_trim(field), disposition))
			name = parameter(text, SLICE("name"));
	}
	while (line(body, &l) && !is_boundary(l, boundary)) {
		if (value.p != NULL && l.n > 0)
			return FORM_NONE;	/* ours has one line */
		if (value.p == NULL)
			value = slice_trim(l);
	}
	return name.p != NULL && value.p != NULL ? pair(name, value) :
	    FORM_NONE;
}

/* multipart - every part of it */
static enum form_wish
multipart(struct slice boundary, struct slice body)
{
	enum form_wish all = FORM_NONE;
	bool torn = false;
	struct slice l;

	if (boundary.n == 0)
		return FORM_NONE;
	while (line(&body, &l) && !is_boundary(l, boundary))
		;			/* a preamble */
	while (body.n > 0)
		add(&all, &torn, part(&body, boundary));
	return torn ? FORM_NONE : all;
}

/* form_read - by its type; without one, as most clients would have it */
enum form_wish
form_read(struct slice type, struct slice body)
{
	struct slice rest = type, media = slice_trim(cut(&rest, ';'));

	if (body.n > FORM_MAX)
		return FORM_NONE;
	if (type.n == 0 ||
	    slice_case_eq(media, SLICE("application/x-www-form-urlencoded")))
		return urlencoded(body);
	if (slice_case_eq(media, SLICE("multipart/form-data")))
		return multipart(parameter(type, SLICE("boundary")), body);
	return FORM_NONE;
}
