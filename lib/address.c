/*
 * address - the halves of an address, and the envelope's paths.
 *
 * The local part is anything that no reader takes for something else: atoms
 * and dots, spaces when it was quoted, UTF-8 (RFC 6531); never "@", "<", ","
 * and their like inside quotes, on which splitters disagree, and no encoded
 * word, which some decode.  Dots may stand anywhere in an envelope: carriers
 * gave out such addresses, and everybody reads the same in them.
 *
 * Not chosen: an IDNA library for domains in UTF-8.  Every domain has its
 * A-label, and two libraries map differently.
 */
#include "lib/address.h"

#include <string.h>

#include "lib/address_parts.h"

enum {
	LOCAL_MAX = 255,		/* RFC 5321 says 64; VERP and SRS
					   senders are longer */
	TEXT_MAX = 320,
	DOMAIN_MAX = 253,
	LABEL_MAX = 63
};

/* is_digit - ASCII only, whatever the locale says */
static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* is_alnum - ASCII letter or digit */
static bool
is_alnum(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* address_atext - RFC 5322, section 3.2.3 */
bool
address_atext(char c)
{
	static const char others[] = "!#$%&'*+-/=?^_`{|}~";

	return is_alnum(c) || (c != '\0' && strchr(others, c) != NULL);
}

/* is_8bit - a byte of some other script */
static bool
is_8bit(char c)
{
	return (unsigned char)c >= 0x80;
}

/* --- domains ------------------------------------------------------------- */

/* check_label - letters, digits, hyphens inside */
static int
check_label(struct slice whole, const char *p, size_t n, struct why *why)
{
	if (n == 0)
		return why_set(why, "the domain %s has an empty part",
		    SHOW(whole.p, whole.n));
	if (n > LABEL_MAX)
		return why_set(why, "the domain %s has a part of more than "
		    "%d bytes", SHOW(whole.p, whole.n), LABEL_MAX);
	for (size_t i = 0; i < n; i++) {
		if (is_8bit(p[i]))
			return why_set(why, "the domain %s is not ASCII; write "
			    "its A-label form (xn--...)",
			    SHOW(whole.p, whole.n));
		if (!is_alnum(p[i]) && p[i] != '-')
			return why_set(why, "the domain %s has %s in it",
			    SHOW(whole.p, whole.n), SHOW(p + i, 1));
	}
	if (p[0] == '-' || p[n - 1] == '-')
		return why_set(why, "a part of the domain %s begins or ends "
		    "with a hyphen", SHOW(whole.p, whole.n));
	return 0;
}

/* check_domain - the whole name; *n is its length without a final dot */
static int
check_domain(struct slice d, size_t *n, struct why *why)
{
	size_t from = 0;
	bool digits = true;

	*n = d.n > 1 && d.p[d.n - 1] == '.' ? d.n - 1 : d.n;
	if (*n == 0)
		return why_set(why, "there is no domain");
	if (*n > DOMAIN_MAX)
		return why_set(why, "the domain %s has more than %d bytes",
		    SHOW(d.p, d.n), DOMAIN_MAX);
	for (size_t i = 0; i <= *n; i++) {
		if (i < *n && d.p[i] != '.')
			continue;
		if (check_label(d, d.p + from, i - from, why) == -1)
			return -1;
		from = i + 1;
	}
	for (size_t i = *n; i > 0 && d.p[i - 1] != '.'; i--)
		digits = digits && is_digit(d.p[i - 1]);
	if (digits)
		return why_set(why, "%s is a number, not a domain",
		    SHOW(d.p, d.n));
	return 0;
}

/* lower - n bytes of ASCII */
static void
lower(char *to, const char *from, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char c = from[i];

		to[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
	}
}

/* address_domain - checked, in lower case, in the arena */
int
address_domain(struct arena *arena, struct slice d, bool utf8_allowed,
    struct slice *out, struct why *why)
{
	size_t n;
	char *p;

	(void)utf8_allowed;	/* the sentence is the same: write xn-- */
	if (check_domain(d, &n, why) == -1)
		return -1;
	if ((p = arena_alloc(arena, n + 1)) == NULL)
		return why_kind(why, WHY_MEMORY, "no memory for a domain");
	lower(p, d.p, n);
	*out = (struct slice){ p, n };
	return 0;
}

/* --- local part and mailbox ---------------------------------------------- */

/* address_dot_atom - atoms with single dots between? */
bool
address_dot_atom(struct slice s)
{
	bool dot = true;		/* as if one stood before */

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == ' ' || (s.p[i] == '.' && dot))
			return false;
		dot = s.p[i] == '.';
	}
	return !dot;
}

/* address_run - atoms, dots and 8-bit text without a break */
struct slice
address_run(const char **p, const char *end)
{
	const char *start = *p;

	while (*p < end &&
	    (address_atext(**p) || **p == '.' || is_8bit(**p)))
		(*p)++;
	return (struct slice){ start, (size_t)(*p - start) };
}

/* check_local - what no reader takes for something else */
static int
check_local(struct slice s, bool quoted, struct why *why)
{
	const char *word;
	size_t n;

	if (s.n == 0)
		return why_set(why, "there is nothing before the @");
	if (s.n > LOCAL_MAX)
		return why_set(why, "the part before the @ has more than %d "
		    "bytes: %s", LOCAL_MAX, SHOW(s.p, s.n));
	if ((word = memmem(s.p, s.n, "=?", 2)) != NULL &&
	    memmem(word + 2, (size_t)(s.p + s.n - word) - 2, "?=", 2) != NULL)
		return why_set(why, "an encoded word is no address: %s",
		    SHOW(s.p, s.n));
	for (size_t i = 0; i < s.n; i += n) {
		n = 1;
		if (is_8bit(s.p[i]) && (n = text_utf8(s.p + i, s.n - i)) == 0)
			return why_set(why, "the part before the @ is no "
			    "UTF-8: %s", SHOW(s.p, s.n));
		if (n > 1 || address_atext(s.p[i]) || s.p[i] == '.' ||
		    (quoted && s.p[i] == ' '))
			continue;
		return why_set(why, "the part before the @ has %s in it, "
		    "which could be read in two ways: %s", SHOW(s.p + i, 1),
		    SHOW(s.p, s.n));
	}
	return 0;
}

/* address_make - the mailbox in its canonical text */
int
address_make(struct arena *arena, const struct address_parts *parts,
    struct mailbox *m, struct why *why)
{
	struct slice local = parts->local;
	size_t n = 0, domain, quotes;
	char *p;

	if (check_local(local, parts->quoted, why) == -1 ||
	    check_domain(parts->domain, &domain, why) == -1)
		return -1;
	quotes = address_dot_atom(local) ? 0 : 1;
	if (local.n + 2 * quotes + 1 + domain > TEXT_MAX)
		return why_set(why, "an address of more than %d bytes: %s",
		    TEXT_MAX, SHOW(local.p, local.n));
	p = arena_alloc(arena, local.n + 2 * quotes + 1 + domain + 1);
	if (p == NULL)
		return why_kind(why, WHY_MEMORY, "no memory for an address");
	if (quotes)
		p[n++] = '"';
	memcpy(p + n, local.p, local.n);
	m->local = (struct slice){ p + n, local.n };
	n += local.n;
	if (quotes)
		p[n++] = '"';
	p[n++] = '@';
	lower(p + n, parts->domain.p, domain);
	m->domain = (struct slice){ p + n, domain };
	m->text = (struct slice){ p, n + domain };
	return 0;
}

/* address_path - the argument of MAIL FROM or RCPT TO */
int
address_path(struct arena *arena, struct slice path, struct mailbox *m,
    struct why *why)
{
	struct slice in = path;
	struct address_parts parts = { .quoted = false };
	const char *p, *end, *close;

	if (in.n >= 2 && in.p[0] == '<' && in.p[in.n - 1] == '>') {
		in.p++;
		in.n -= 2;
		if (in.n == 0)
			return 0;
	}
	if (in.n == 0)
		return why_set(why, "the address is empty");
	p = in.p;
	end = p + in.n;
	if (*p == '@')
		return why_set(why, "a route before the address: %s",
		    SHOW(path.p, path.n));
	if ((parts.quoted = *p == '"')) {
		/* no backslash is allowed inside, so the next one ends it */
		if ((close = memchr(++p, '"', in.n - 1)) == NULL)
			return why_set(why, "a quote is not closed: %s",
			    SHOW(in.p, in.n));
		parts.local = (struct slice){ p, (size_t)(close - p) };
		p = close + 1;
	} else {
		parts.local = address_run(&p, end);
	}
	if (p == end)
		return why_set(why, "%s has no domain", SHOW(in.p, in.n));
	if (*p != '@')
		return why_set(why, "%s has no place in an address: %s",
		    SHOW(p, 1), SHOW(in.p, in.n));
	p++;
	if (p < end && *p == '[')
		return why_set(why, "an address in brackets instead of a "
		    "domain: %s", SHOW(in.p, in.n));
	parts.domain = (struct slice){ p, (size_t)(end - p) };
	return address_make(arena, &parts, m, why) == -1 ? -1 : 1;
}
