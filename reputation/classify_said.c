/*
 * classify_said - a reply made fit for rules: folded, its codes taken out, and
 * what the sender or the recipient chose taken away.
 *
 * A reply of several lines arrives joined, with its codes before each line
 * ("550-5.1.1 The account 550-5.1.1 that you"); they would part the phrases
 * that rules look for, so codes that repeat the first one are dropped.
 * Addresses become "@" and the name behind "host" goes: a mailbox called
 * "over.quota" must not look like a reason.
 *
 * Everything is one pass, or a search that never goes back further than the
 * bytes of one word, over at most CLASSIFY_TEXT_MAX bytes.
 */
#include "reputation/classify_in.h"

#include <string.h>

/* digit - 0 to 9 in any locale */
static bool
digit(char c)
{
	return c >= '0' && c <= '9';
}

/* wordly - what a word, a number or a code is made of */
static bool
wordly(char c)
{
	return digit(c) || (c >= 'a' && c <= 'z') || (unsigned char)c >= 0x80;
}

/* fold_two - a letter of two bytes in UTF-8, in lower case */
static unsigned
fold_two(unsigned c)
{
	if ((c >= 0xc0 && c <= 0xde && c != 0xd7) ||	/* Latin-1 */
	    (c >= 0x391 && c <= 0x3a9) ||		/* Greek */
	    (c >= 0x410 && c <= 0x42f))			/* Cyrillic */
		return c + 0x20;
	if (c >= 0x400 && c <= 0x40f)
		return c + 0x50;
	if ((c >= 0x100 && c <= 0x137) || (c >= 0x14a && c <= 0x177))
		return c | 1;				/* pairs of Latin */
	return c;
}

/* fold_wide - one UTF-8 character of 2 or 3 bytes; returns bytes read */
static size_t
fold_wide(char *out, size_t *n, const char *p, size_t left)
{
	const unsigned char *u = (const unsigned char *)p;
	unsigned c;

	if (left >= 2 && u[0] >= 0xc3 && u[0] <= 0xdf &&
	    (u[1] & 0xc0) == 0x80) {
		c = fold_two((u[0] & 0x1fu) << 6 | (u[1] & 0x3fu));
		out[(*n)++] = (char)(0xc0 | c >> 6);
		out[(*n)++] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (left >= 2 && u[0] == 0xc2 && u[1] == 0xa0) {
		out[(*n)++] = ' ';			/* no-break space */
		return 2;
	}
	if (left >= 3 && u[0] == 0xe2 && u[1] == 0x80 &&
	    u[2] >= 0x98 && u[2] <= 0x9f) {
		out[(*n)++] = u[2] < 0x9c ? '\'' : '"';
		return 3;
	}
	out[(*n)++] = *p;
	return 1;
}

/* said_fold - case, white space and quotes made equal */
size_t
said_fold(char *out, struct slice in)
{
	size_t i, n = 0;
	unsigned char c;

	for (i = 0; i < in.n;) {
		c = (unsigned char)in.p[i];
		if (c >= 0x80) {
			i += fold_wide(out, &n, in.p + i, in.n - i);
			continue;
		}
		i++;
		if (c >= 'A' && c <= 'Z')
			out[n++] = (char)(c | 0x20);
		else if (c > ' ' && c != 0x7f)
			out[n++] = (char)c;
		else if (n > 0 && out[n - 1] != ' ')
			out[n++] = ' ';
	}
	return n;
}

/* begins - is this what stands at p? */
static bool
begins(const char *p, size_t left, struct slice what)
{
	return left >= what.n && memcmp(p, what.p, what.n) == 0;
}

/* ends - is this what stands before at? */
static bool
ends(const char *p, size_t at, struct slice what)
{
	return at >= what.n && memcmp(p + at - what.n, what.p, what.n) == 0;
}

/* code_at - a reply code of a refusal, parted from what follows */
static bool
code_at(const char *p, size_t left)
{
	if (left < 3 || (p[0] != '2' && p[0] != '4' && p[0] != '5') ||
	    p[1] < '0' || p[1] > '7' || !digit(p[2]))
		return false;
	return left == 3 || !(wordly(p[3]) || p[3] == '@' || p[3] == '/' ||
	    (p[3] == '.' && left > 4 && digit(p[4])));
}

/* enhanced_at - bytes of an enhanced code (RFC 3463); 0: there is none */
static size_t
enhanced_at(const char *p, size_t left)
{
	size_t i = 4;

	if (left < 5 || (p[0] != '2' && p[0] != '4' && p[0] != '5') ||
	    p[1] != '.' || !digit(p[2]) || p[3] != '.' || !digit(p[4]))
		return 0;
	while (i < left && digit(p[i]))
		i++;
	if (i > 7 || (i < left && (wordly(p[i]) || p[i] == '-' ||
	    (p[i] == '.' && i + 1 < left && digit(p[i + 1])))))
		return 0;
	return i;
}

/* starts_word - nothing before at that would make it part of a word */
static bool
starts_word(const char *p, size_t at)
{
	return at == 0 || !(wordly(p[at - 1]) || p[at - 1] == '.' ||
	    p[at - 1] == '-');
}

/* announced - does what stands before at promise a reply? */
static bool
announced(const char *p, size_t at)
{
	/* clang-format off */
	static const struct slice before[] = {
		SLICE(": "), SLICE(":"), SLICE("<<< "), SLICE("'"),
		SLICE("\""), SLICE("("), SLICE("["), SLICE("code "),
		SLICE("error "), SLICE("smtp "), SLICE("returned "),
		SLICE("; "), SLICE(";"), SLICE("- "), SLICE("code="),
		SLICE("status="), SLICE("with "),
	};
	/* clang-format on */
	size_t i;

	for (i = 0; i < sizeof(before) / sizeof(before[0]); i++)
		if (ends(p, at, before[i]))
			return true;
	return false;
}

/* behind - where an enhanced code would follow the reply code at "at" */
static size_t
behind(const char *p, size_t n, size_t at)
{
	size_t i = at + 3, most = i + 3;

	while (i < n && i < most && strchr(" -(#[:", p[i]) != NULL)
		i++;
	return i;
}

/* after_enhanced - does "5.0.0 " stand right before at? */
static bool
after_enhanced(const char *p, size_t at)
{
	size_t n;

	for (n = 5; n <= 7 && n < at; n++)
		if (p[at - 1] == ' ' && starts_word(p, at - 1 - n) &&
		    enhanced_at(p + at - 1 - n, n) == n)
			return true;
	return false;
}

/* find_code - where the reply code stands; n: nowhere */
static size_t
find_code(const char *p, size_t n)
{
	size_t i, first = n, to;

	for (i = 0; i + 3 <= n; i++) {
		if (!digit(p[i]) || !starts_word(p, i) ||
		    !code_at(p + i, n - i))
			continue;
		if (ends(p, i, SLICE("said: ")))
			return i;	/* the remote's own words */
		to = behind(p, n, i);
		if (first == n && (i == 0 || (p[i] != '2' &&
		    (announced(p, i) || enhanced_at(p + to, n - to) > 0 ||
		    after_enhanced(p, i)))))
			first = i;
	}
	return first;
}

/* find_enhanced - behind the reply code, or the first of its class; 5.0.0 says
 * nothing, so any other goes before it */
static size_t
find_enhanced(const char *p, size_t n, size_t code)
{
	size_t i, found = n;

	if (code < n) {
		i = behind(p, n, code);
		if (enhanced_at(p + i, n - i) > 0)
			found = i;
	}
	if (found < n && !begins(p + found + 1, n - found - 1, SLICE(".0.0")))
		return found;
	for (i = 0; i + 5 <= n; i++)
		if (p[i + 1] == '.' && starts_word(p, i) &&
		    (code == n || p[i] == p[code]) &&
		    enhanced_at(p + i, n - i) > 0) {
			if (!begins(p + i + 1, n - i - 1, SLICE(".0.0")))
				return i;
			found = found < n ? found : i;
		}
	return found;
}

/* find_codes - both, as far as they are there */
static void
find_codes(struct said *said, const char *p, size_t n)
{
	size_t code = find_code(p, n), enhanced = find_enhanced(p, n, code);

	said->code[0] = said->enhanced[0] = '\0';
	if (enhanced < n) {
		size_t len = enhanced_at(p + enhanced, n - enhanced);

		memcpy(said->enhanced, p + enhanced, len);
		said->enhanced[len] = '\0';
		/* Without a reply code its class is known, no more. */
		said->code[0] = p[enhanced];
		said->code[1] = said->code[2] = '-';
		said->code[3] = '\0';
	}
	if (code < n) {
		memcpy(said->code, p + code, 3);
		said->code[3] = '\0';
	}
}

/* type_at - bytes of "smtp;" and its like at the head; 0: there is none */
static size_t
type_at(const char *p, size_t n)
{
	size_t i = 0;

	if (begins(p, n, SLICE("diagnostic-code:")))
		return sizeof("diagnostic-code:") - 1;
	while (i < n && i < 32 && (wordly(p[i]) || p[i] == '-'))
		i++;
	return i > 0 && i < n && p[i] == ';' ? i + 1 : 0;
}

/* code_repeats - bytes of the codes at the head of a further line */
static size_t
code_repeats(const struct said *said, const char *p, size_t left)
{
	size_t i = 0, n = strlen(said->enhanced);

	if (digit(said->code[1]) && left >= 4 &&
	    memcmp(p, said->code, 3) == 0 && (p[3] == ' ' || p[3] == '-'))
		i = 4;
	while (i > 0 && i < left && (p[i] == ' ' || p[i] == '-'))
		i++;
	if (n > 0 && i + n < left && memcmp(p + i, said->enhanced, n) == 0 &&
	    p[i + n] == ' ')
		i += n + 1;
	return i;
}

/* local_char - may stand left of "@", and is no bracket or colon */
static bool
local_char(char c)
{
	return wordly(c) || (c != '\0' && strchr("._+-=%!#$&/~^*", c) != NULL);
}

/* host_at - bytes of a host's name behind "host "; 0: a word follows */
static size_t
host_at(const char *p, size_t left)
{
	size_t i;
	bool dotted = false;

	for (i = 0; i < left && p[i] != ' '; i++)
		dotted |= p[i] == '.' || p[i] == '[';
	return dotted ? i : 0;
}

/* said_text - the folded text without codes, addresses and names of hosts */
static void
said_text(struct said *said, const char *p, size_t n)
{
	size_t i = 0, skip;
	char *out = said->text;

	said->n = 0;
	out[said->n++] = ' ';
	while (i < n) {
		if (i == 0 || p[i - 1] == ' ') {
			if ((skip = code_repeats(said, p + i, n - i)) > 0) {
				i += skip;
				continue;
			}
		}
		if (p[i] == '@' && i > 0 && local_char(p[i - 1]) &&
		    i + 1 < n && wordly(p[i + 1])) {
			while (said->n > 1 && local_char(out[said->n - 1]))
				said->n--;
			out[said->n++] = '@';
			for (i++; i < n && (wordly(p[i]) || p[i] == '-' ||
			    (p[i] == '.' && i + 1 < n && wordly(p[i + 1])));)
				i++;
			continue;
		}
		if (p[i] == ' ' && ends(out, said->n, SLICE("host")) &&
		    (skip = host_at(p + i + 1, n - i - 1)) > 0) {
			i += skip + 1;
			continue;
		}
		if (p[i] != ' ' || out[said->n - 1] != ' ')
			out[said->n++] = p[i];
		i++;
	}
	if (out[said->n - 1] != ' ')
		out[said->n++] = ' ';
}

/* said_read - the whole of it */
void
said_read(struct said *said, struct slice reply)
{
	char folded[CLASSIFY_TEXT_MAX];
	const char *p = folded;
	size_t n, skip;

	if (reply.n > CLASSIFY_TEXT_MAX)
		reply.n = CLASSIFY_TEXT_MAX;
	n = said_fold(folded, reply);
	while ((skip = type_at(p, n)) > 0) {
		p += skip, n -= skip;
		while (n > 0 && *p == ' ')
			p++, n--;
	}
	find_codes(said, p, n);
	said_text(said, p, n);
}
