/*
 * wording - word by word, in one pass.
 *
 * A word is what stands between blanks; brackets and punctuation at its ends
 * stay.  In what remains an address, an IP address, a run of digits, and a
 * mixture of letters and digits of some length are what a server makes anew
 * for each mail.  What a host is called stays when a sentence names it: whose
 * list refused us matters.
 */
#include "reputation/wording.h"

#include <arpa/inet.h>
#include <stdbool.h>

enum { ID_LEAST = 6 };

/* is_digit - of ASCII */
static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* is_letter - of ASCII */
static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* is_ip - IPv4 or IPv6, with "IPv6:" in front or not */
static bool
is_ip(struct slice s)
{
	unsigned char a[16];
	char text[64];

	if (slice_starts(s, SLICE("IPv6:")))
		s = slice_from(s, 5);
	if (s.n < 3 || s.n >= sizeof(text))
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	return inet_pton(AF_INET, text, a) == 1 ||
	    (memchr(s.p, ':', s.n) != NULL &&
	    inet_pton(AF_INET6, text, a) == 1);
}

/* is_code - "5.7.1", as servers write it anywhere */
static bool
is_code(struct slice s)
{
	size_t dots = 0;

	if (s.n < 5 || s.n > 9 || !(s.p[0] == '2' || s.p[0] == '4' ||
	    s.p[0] == '5') || s.p[1] != '.')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		dots += s.p[i] == '.';
		if (!is_digit(s.p[i]) && s.p[i] != '.')
			return false;
	}
	return dots == 2 && is_digit(s.p[s.n - 1]);
}

/* is_reply - "550" */
static bool
is_reply(struct slice s)
{
	return s.n == 3 && s.p[0] >= '2' && s.p[0] <= '5' &&
	    is_digit(s.p[1]) && is_digit(s.p[2]);
}

/* is_name - a host or a URL without a number that says who is asking */
static bool
is_name(struct slice s)
{
	bool dot = false;

	for (size_t i = 0; i < s.n; i++) {
		dot |= s.p[i] == '.';
		if (!is_letter(s.p[i]) && s.p[i] != '.' && s.p[i] != '-' &&
		    s.p[i] != '/' && s.p[i] != ':' && s.p[i] != '_')
			return false;
	}
	return dot;
}

/* common - what a word stands for; NULL: itself */
static const char *
common(struct slice s, bool first)
{
	size_t digits = 0, letters = 0;

	if (s.n == 0 || is_code(s) || is_name(s) || (first && is_reply(s)))
		return NULL;
	if (memchr(s.p, '@', s.n) != NULL)
		return "ADDRESS";
	if (is_ip(s))
		return "IP";
	for (size_t i = 0; i < s.n; i++) {
		digits += is_digit(s.p[i]);
		letters += is_letter(s.p[i]);
	}
	if (digits == 0)
		return NULL;
	if (letters == 0)
		return "N";
	return s.n >= ID_LEAST ? "ID" : NULL;
}

/* is_edge - punctuation that may stand around a word */
static bool
is_edge(char c)
{
	return strchr("<>()[]{}\"',;:.!?=#", c) != NULL && c != '\0';
}

/* remote - what the server said, without what Postfix says around it */
static struct slice
remote(struct slice s)
{
	const char *at;

	if (slice_starts(s, SLICE("host ")) &&
	    (at = memmem(s.p, s.n, " said: ", 7)) != NULL)
		s = slice_from(s, (size_t)(at - s.p) + 7);
	if (s.n > 0 && s.p[s.n - 1] == ')' &&
	    (at = memmem(s.p, s.n, " (in reply to ", 14)) != NULL)
		s.n = (size_t)(at - s.p);
	return s;
}

/* put - bytes, as far as there is room */
static void
put(char *out, size_t *n, const char *p, size_t len)
{
	for (size_t i = 0; i < len && *n < WORDING_MAX; i++)
		out[(*n)++] = p[i] >= ' ' && p[i] != 127 ? p[i] : '?';
}

/* put_host - "mx.example[192.0.2.1]:25", or a URL: who it is stays, the rest
 * goes; false: it is neither */
static bool
put_host(char *out, size_t *n, struct slice s)
{
	const char *at = memmem(s.p, s.n, "://", 3), *end;
	struct slice ip;

	if (at != NULL) {
		size_t head = (size_t)(at - s.p) + 3;

		end = memchr(s.p + head, '/', s.n - head);
		put(out, n, s.p, end == NULL ? s.n : (size_t)(end - s.p));
		if (end != NULL)
			put(out, n, "/...", 4);
		return true;
	}
	if (s.n == 0 || (at = memchr(s.p, '[', s.n)) == NULL || at == s.p ||
	    (end = memchr(at, ']', s.n - (size_t)(at - s.p))) == NULL)
		return false;
	ip = (struct slice){ at + 1, (size_t)(end - at - 1) };
	if (!is_ip(ip))
		return false;
	put(out, n, s.p, (size_t)(at - s.p));
	put(out, n, "[IP]", 4);
	return true;
}

/* wording_of - the whole reply */
size_t
wording_of(struct slice reply, char out[WORDING_MAX])
{
	struct slice s = remote(reply);
	size_t n = 0, at = 0;

	while (at < s.n && n < WORDING_MAX) {
		size_t end = at, head, tail;
		struct slice word;
		const char *as;

		while (end < s.n && s.p[end] != ' ')
			end++;
		for (head = at; head < end && is_edge(s.p[head]); head++)
			;
		for (tail = end; tail > head && is_edge(s.p[tail - 1]); tail--)
			;
		word = (struct slice){ s.p + head, tail - head };
		as = common(word, head == 0);
		put(out, &n, s.p + at, head - at);
		if (put_host(out, &n, word))
			;
		else if (as != NULL)
			put(out, &n, as, strlen(as));
		else
			put(out, &n, word.p, word.n);
		put(out, &n, s.p + tail, end - tail);
		for (at = end; at < s.n && s.p[at] == ' '; at++)
			;
		if (at < s.n)
			put(out, &n, " ", 1);
	}
	return n;
}
