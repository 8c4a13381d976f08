/*
 * address_list - From, Sender and their like, in one pass from left to right
 * without backtracking: a field of any shape costs what its length costs.
 *
 * A mailbox is read in the form that all receivers read alike.  The rest is
 * refused with a sentence, for what decides who speaks must not have two
 * readings:
 *
 *	a@b <c@d>		which of the two?
 *	"a@b"@c			splitters on "@" see another domain
 *	a(@b)@c			so do readers that know no comments
 *	=?utf-8?q?...?=@c	some decode it, and may find another "@"
 *	<@a,@b:c@d>, a@[1.2.3.4], a . b@c, a@b@c, a@b,,c@d, a@b;
 *
 * Accepted beside the plain forms: white space and comments wherever RFC 5322
 * has them without "obs-", the dot in an unquoted display name (obs-phrase,
 * everybody's middle initial), groups (RFC 6854), 8-bit text in display names
 * and comments.
 */
#include "lib/address.h"

#include <string.h>

#include "lib/address_parts.h"

enum { COMMENT_DEPTH = 16 };

/* A place in the field. */
struct scan {
	const char	*p, *end;
	bool		 at_sign;	/* in the comments skipped last */
	struct why	*why;
};

/* is_control - never in a field that counts; TAB, CR, LF are seen to before */
static bool
is_control(char c)
{
	return (unsigned char)c < ' ' || c == 0x7f;
}

/* at - is that byte next? */
static bool
at(const struct scan *s, char c)
{
	return s->p < s->end && *s->p == c;
}

/* rest - bytes to the end */
static size_t
rest(const struct scan *s)
{
	return (size_t)(s->end - s->p);
}

/* fold - a line end inside a field, and the white space it must have behind */
static int
fold(struct scan *s)
{
	if (at(s, '\r') && (++s->p == s->end || *s->p != '\n'))
		return why_set(s->why, "a carriage return stands alone");
	if (++s->p == s->end)
		return 0;
	if (*s->p != ' ' && *s->p != '\t')
		return why_set(s->why, "a line is broken without white space "
		    "behind");
	while (at(s, ' ') || at(s, '\t'))
		s->p++;
	if (at(s, '\r') || at(s, '\n'))
		return why_set(s->why, "a folded line is empty");
	return 0;
}

/* comment - with those in it; counted, not recursed into */
static int
comment(struct scan *s)
{
	unsigned depth = 0;

	while (s->p < s->end) {
		char c = *s->p;

		if (c == '\r' || c == '\n') {
			if (fold(s) == -1)
				return -1;
			continue;
		}
		if (is_control(c) && c != '\t')
			return why_set(s->why, "a control byte in a comment");
		if (c == '@')
			s->at_sign = true;
		s->p++;
		if (c == '(' && ++depth > COMMENT_DEPTH)
			return why_set(s->why, "comments stand %d deep in "
			    "each other", depth);
		if (c == ')' && --depth == 0)
			return 0;
		/* the byte behind is looked at for '@' and controls only */
		if (c == '\\' && s->p < s->end && !is_control(*s->p)) {
			if (*s->p == '@')
				s->at_sign = true;
			s->p++;
		}
	}
	return why_set(s->why, "a comment is not closed: a \"(\" without "
	    "\")\"");
}

/* skip - white space and comments; at_sign tells of "@" in these comments */
static int
skip(struct scan *s)
{
	s->at_sign = false;
	while (s->p < s->end) {
		switch (*s->p) {
		case ' ':
		case '\t':
			s->p++;
			break;
		case '\r':
		case '\n':
			if (fold(s) == -1)
				return -1;
			break;
		case '(':
			if (comment(s) == -1)
				return -1;
			break;
		default:
			return 0;
		}
	}
	return 0;
}

/* quoted_string - what is between the quotes, as it stands */
static int
quoted_string(struct scan *s, struct slice *inside)
{
	const char *start = ++s->p;

	while (s->p < s->end) {
		char c = *s->p;

		if (c == '"') {
			*inside = (struct slice){ start,
			    (size_t)(s->p++ - start) };
			return 0;
		}
		if (c == '\r' || c == '\n') {
			if (fold(s) == -1)
				return -1;
			continue;
		}
		if (is_control(c) && c != '\t')
			return why_set(s->why, "a control byte between quotes");
		s->p++;
		if (c == '\\' && s->p < s->end && !is_control(*s->p))
			s->p++;
	}
	return why_set(s->why, "a quote is not closed: %s",
	    SHOW(start, (size_t)(s->end - start)));
}

/* stray - the byte that has no business here */
static int
stray(const struct scan *s)
{
	if (is_control(*s->p))
		return why_set(s->why, "a control byte (0x%02x)",
		    (unsigned char)*s->p);
	return why_set(s->why, "%s has no place here: %s", SHOW(s->p, 1),
	    SHOW(s->p, rest(s)));
}

/* two_ways - as in a(@b)@c */
static int
two_ways(const struct scan *s)
{
	return why_set(s->why, "a comment with an \"@\" inside an address "
	    "could be read in two ways");
}

/* tight - white space and comments inside an address */
static int
tight(struct scan *s)
{
	if (skip(s) == -1)
		return -1;
	return s->at_sign ? two_ways(s) : 0;
}

/* domain_part - from the "@" to behind the domain, which is not judged */
static int
domain_part(struct scan *s, struct slice *domain)
{
	s->p++;
	if (tight(s) == -1)
		return -1;
	if (at(s, '['))
		return why_set(s->why, "an address in brackets instead of a "
		    "domain: %s", SHOW(s->p, rest(s)));
	*domain = address_run(&s->p, s->end);
	return 0;
}

/* word - an unquoted run, or what is between quotes; 0 when there is none */
static int
word(struct scan *s, struct address_parts *parts)
{
	struct slice text;
	bool quoted = at(s, '"');

	if (quoted && quoted_string(s, &text) == -1)
		return -1;
	if (!quoted && (text = address_run(&s->p, s->end)).n == 0)
		return 0;
	parts->local = text;
	parts->quoted = quoted;
	s->at_sign = false;
	return 1;
}

/* angle - "<" to ">" */
static int
angle(struct scan *s, struct address_parts *parts)
{
	const char *start = s->p++;

	if (tight(s) == -1)
		return -1;
	if (at(s, '@'))
		return why_set(s->why, "a route before the address: %s",
		    SHOW(start, rest(s) + 1));
	if (at(s, '>'))
		return why_set(s->why, "the address in <> is empty");
	if (word(s, parts) == -1 || tight(s) == -1)
		return -1;
	if (at(s, '>'))
		return why_set(s->why, "%s has no domain",
		    SHOW(parts->local.p, parts->local.n));
	if (at(s, '@') && (domain_part(s, &parts->domain) == -1 ||
	    tight(s) == -1))
		return -1;
	if (s->p == s->end)
		return why_set(s->why, "an address is not closed: %s",
		    SHOW(start, (size_t)(s->end - start)));
	if (*s->p != '>')
		return stray(s);
	s->p++;
	return 0;
}

/* bare - is that one word, "@" and a domain, without < and >? */
static int
bare(struct scan *s, unsigned words, const char *start,
    struct address_parts *parts)
{
	if (s->p < s->end && *s->p != '@' && *s->p != ',' && *s->p != ';')
		return stray(s);
	if (words == 0)
		return why_set(s->why, at(s, '@') ?
		    "there is nothing before the @" :
		    "an address is missing where one should stand");
	if (!at(s, '@'))
		return why_set(s->why, "%s has no domain",
		    SHOW(start, (size_t)(s->p - start)));
	if (words > 1)
		return why_set(s->why, "words before an address that is not "
		    "in <>: %s", SHOW(start, (size_t)(s->end - start)));
	if (s->at_sign)
		return two_ways(s);
	return domain_part(s, &parts->domain);
}

enum item { ITEM_BAD = -1, ITEM_MAILBOX, ITEM_GROUP };

/*
 * item - the words up to what tells their meaning: "<" ends a display name,
 * "@" a local part, ":" the name of a group
 */
static enum item
item(struct scan *s, bool in_group, struct address_parts *parts)
{
	const char *start;
	unsigned words = 0;
	int got;

	memset(parts, 0, sizeof(*parts));
	if (skip(s) == -1)
		return ITEM_BAD;
	start = s->p;
	while ((got = word(s, parts)) == 1) {
		words++;
		if (skip(s) == -1)
			return ITEM_BAD;
	}
	if (got == -1)
		return ITEM_BAD;
	if (at(s, ':') && words > 0 && !in_group) {
		s->p++;
		return skip(s) == -1 ? ITEM_BAD : ITEM_GROUP;
	}
	if (at(s, '<') ? angle(s, parts) == -1 :
	    bare(s, words, start, parts) == -1)
		return ITEM_BAD;
	return skip(s) == -1 ? ITEM_BAD : ITEM_MAILBOX;
}

/* behind - what follows a mailbox; 1 another one, 0 the end, -1 neither */
static int
behind(struct scan *s, bool *in_group)
{
	if (*in_group && at(s, ';')) {
		*in_group = false;
		s->p++;
		if (skip(s) == -1)
			return -1;
	}
	if (at(s, ',')) {
		s->p++;
		return 1;
	}
	if (s->p == s->end)
		return *in_group ? why_set(s->why, "a group is not closed: a "
		    "\":\" without \";\"") : 0;
	if (at(s, '<') || at(s, '@'))
		return why_set(s->why, "two addresses in one, or an \"@\" in "
		    "a name without quotes: %s", SHOW(s->p, rest(s)));
	return stray(s);
}

/* add - one more mailbox; the array doubles within the arena */
static int
add(struct arena *arena, struct mailboxes *out, size_t *room,
    const struct address_parts *parts, struct why *why)
{
	if (out->n == ADDRESS_MAX)
		return why_set(why, "more than %d addresses", ADDRESS_MAX);
	if (out->n == *room) {
		size_t more = *room > 0 ? *room * 2 : 4;
		struct mailbox *list =
		    arena_array(arena, more, sizeof(*list));

		if (list == NULL)
			return why_kind(why, WHY_MEMORY,
			    "no memory for addresses");
		if (out->n > 0)
			memcpy(list, out->list, out->n * sizeof(*list));
		out->list = list;
		*room = more;
	}
	if (!parts->quoted && parts->local.n > 0 &&
	    !address_dot_atom(parts->local))
		return why_set(why, "a dot too many before the @: %s",
		    SHOW(parts->local.p, parts->local.n));
	if (address_make(arena, parts, &out->list[out->n], why) == -1)
		return -1;
	out->n++;
	return 0;
}

/* address_list - every mailbox of a field, or none */
int
address_list(struct arena *arena, struct slice field, struct mailboxes *out,
    struct why *why)
{
	struct scan s = { field.p, field.p + field.n, false, why };
	struct address_parts parts;
	bool in_group = false;
	size_t room = 0;
	int more;

	out->list = NULL;
	out->n = 0;
	if (field.n == 0 || slice_trim(field).n == 0)
		return why_set(why, "the field is empty");
	do {
		switch (item(&s, in_group, &parts)) {
		case ITEM_BAD:
			return -1;
		case ITEM_GROUP:
			in_group = true;
			more = at(&s, ';') ? behind(&s, &in_group) : 1;
			break;
		case ITEM_MAILBOX:
			if (add(arena, out, &room, &parts, why) == -1)
				return -1;
			more = behind(&s, &in_group);
			break;
		}
	} while (more == 1);
	if (more == 0 && out->n == 0)
		return why_set(why, "a group without an address");
	return more;
}
