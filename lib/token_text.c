/*
 * token_text - bytes as characters that survive URLs and mail addresses.
 *
 * Reading is strict: a text that is not exactly what writing gives is refused,
 * unused bits of the last character included, so that one token has one form.
 * Tables are searched by arithmetic, not by memory: what is read here is not
 * secret, but it costs nothing.
 */
#include "lib/token_in.h"

#include <string.h>

/* sextet - 6 bits as a character of base64url */
static char
sextet(unsigned v)
{
	return "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	    "0123456789-_"[v & 63];
}

/* value64 - and back; -1 for any other */
static int
value64(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}

/* token_base64 - three bytes, four characters; the rest without padding */
size_t
token_base64(const uint8_t *p, size_t n, char *out)
{
	uint32_t bits = 0;
	unsigned have = 0;
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		bits = bits << 8 | p[i];
		for (have += 8; have >= 6; have -= 6)
			out[len++] = sextet(bits >> (have - 6));
	}
	if (have > 0)
		out[len++] = sextet(bits << (6 - have));
	return len;
}

/* token_unbase64 - the one text of those bytes */
long
token_unbase64(struct slice text, uint8_t *out, size_t room)
{
	uint32_t bits = 0;
	unsigned have = 0;
	size_t n = 0;
	int v;

	if (text.n % 4 == 1 || text.n / 4 * 3 + 2 > room)
		return -1;
	for (size_t i = 0; i < text.n; i++) {
		if ((v = value64(text.p[i])) == -1)
			return -1;
		bits = bits << 6 | (uint32_t)v;
		if ((have += 6) >= 8)
			out[n++] = (uint8_t)(bits >> (have -= 8));
	}
	return (bits & ((1u << have) - 1)) == 0 ? (long)n : -1;
}

/* token_base32 - five bytes, eight characters */
void
token_base32(const uint8_t *p, size_t n, char *out)
{
	uint32_t bits = 0;
	unsigned have = 0;
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		bits = bits << 8 | p[i];
		for (have += 8; have >= 5; have -= 5)
			out[len++] = "abcdefghijklmnopqrstuvwxyz234567"
			    [bits >> (have - 5) & 31];
	}
}

/* token_unbase32 - mail systems change the case of local parts: either */
bool
token_unbase32(struct slice text, uint8_t *out)
{
	uint32_t bits = 0;
	unsigned have = 0, v;

	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (c >= 'a' && c <= 'z')
			v = (unsigned)(c - 'a');
		else if (c >= 'A' && c <= 'Z')
			v = (unsigned)(c - 'A');
		else if (c >= '2' && c <= '7')
			v = (unsigned)(c - '2') + 26;
		else
			return false;
		bits = bits << 5 | v;
		if ((have += 5) >= 8)
			*out++ = (uint8_t)(bits >> (have -= 8));
	}
	return true;
}

/* token_in_path - what stands behind "b+", or behind "b.TRANSPORT." */
struct slice
token_in_path(struct slice path)
{
	const char *at = memrchr(path.p != NULL ? path.p : "", '@', path.n),
	    *dot;

	if (at != NULL)
		path.n = (size_t)(at - path.p);
	if (path.n < 2 || (path.p[0] | 0x20) != 'b')
		return SLICE_NONE;
	if (path.p[1] == '+')
		return slice_from(path, 2);
	if (path.p[1] != '.')
		return SLICE_NONE;
	path = slice_from(path, 2);
	dot = memchr(path.p, '.', path.n);
	if (dot == NULL || dot == path.p)
		return SLICE_NONE;
	return slice_from(path, (size_t)(dot + 1 - path.p));
}
