/*
 * text - foreign text made fit for a sentence, and UTF-8 told from rubbish.
 *
 * Whatever a message quotes may come from a file that somebody else wrote and
 * goes to a terminal or a log: it is cut, and nothing in it may move the
 * cursor, end the line or reverse the direction of what follows.
 */
#include "lib/text.h"

#include <stdint.h>
#include <stdio.h>

/* text_utf8 - length of the well-formed character at p, 0 when it is none */
size_t
text_utf8(const char *p, size_t n)
{
	const unsigned char *u = (const unsigned char *)p;
	unsigned char least = 0x80, most = 0xbf;
	size_t i, len;

	if (n == 0)
		return 0;
	if (u[0] < 0x80)
		return 1;
	if (u[0] < 0xc2 || u[0] > 0xf4)
		return 0;
	len = u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : 4;
	if (n < len)
		return 0;
	/* No overlong forms, no surrogates, nothing above U+10FFFF. */
	switch (u[0]) {
	case 0xe0: least = 0xa0; break;
	case 0xed: most = 0x9f; break;
	case 0xf0: least = 0x90; break;
	case 0xf4: most = 0x8f; break;
	}
	if (u[1] < least || u[1] > most)
		return 0;
	for (i = 2; i < len; i++)
		if (u[i] < 0x80 || u[i] > 0xbf)
			return 0;
	return len;
}

/* text_harmless - may this character be shown as it is? */
static int
text_harmless(const char *p, size_t len)
{
	const unsigned char *u = (const unsigned char *)p;
	uint32_t c;

	if (len == 1)
		return u[0] >= 0x20 && u[0] != 0x7f;
	if (len == 2)
		return u[0] != 0xc2 || u[1] >= 0xa0;	/* C1 controls */
	if (len == 4)
		return 1;
	c = (uint32_t)(u[0] & 0x0f) << 12 | (uint32_t)(u[1] & 0x3f) << 6 |
	    (u[2] & 0x3f);
	return !(c >= 0x200b && c <= 0x200f) &&	/* invisible, directions */
	    !(c >= 0x2028 && c <= 0x202e) &&	/* line ends, overrides */
	    !(c >= 0x2060 && c <= 0x206f) && c != 0xfeff;
}

/* text_quote - a bounded, printable copy in double quotes */
const char *
text_quote(struct slice text, struct quoted *out)
{
	static const char hex[] = "0123456789abcdef";
	char *o = out->s;
	size_t at = 0, i, len;

	*o++ = '"';
	while (at < text.n) {
		len = text_utf8(text.p + at, text.n - at);
		if (at + (len > 0 ? len : 1) > TEXT_QUOTED)
			break;
		if (text.p[at] == '"' || text.p[at] == '\\') {
			*o++ = '\\';
			*o++ = text.p[at++];
		} else if (len > 0 && text_harmless(text.p + at, len)) {
			for (i = 0; i < len; i++)
				*o++ = text.p[at++];
		} else {
			for (i = 0; i < (len > 0 ? len : 1); i++, at++) {
				*o++ = '\\';
				*o++ = 'x';
				*o++ = hex[(unsigned char)text.p[at] >> 4];
				*o++ = hex[(unsigned char)text.p[at] & 15];
			}
		}
	}
	if (at < text.n)
		*o++ = '.', *o++ = '.', *o++ = '.';
	*o++ = '"';
	*o = '\0';
	return out->s;
}
