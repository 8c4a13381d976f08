/*
 * canon - most mail is canonical already.  So the body is not rewritten byte
 * by byte: run() finds the longest stretch that stands as it should (words
 * with one space between, lines that end in CRLF and are followed by a word)
 * and hands it to the hash where it lies.  Only what lies between such
 * stretches is remembered: line ends, of which trailing ones must vanish, and
 * white space, of which one byte stays and none at the end of a line.
 *
 * libopendkim 2.11 drops a lone CR from a relaxed body and joins the words
 * around it.  We keep it, as the RFC and dkimpy do: no two verifiers agree on
 * such mail, and Postfix has made it a space before a milter sees it.
 */
#include "lib/canon.h"

#include <stdint.h>
#include <string.h>

/* canon_body_start - for a new message */
void
canon_body_start(struct canon_body *c, struct hash_sha256_ctx *hash)
{
	c->hash = hash;
	c->crlfs = c->line = c->used = 0;
	c->space = c->cr = c->content = c->long_line = false;
}

/* flush - what waits goes to the hash */
static void
flush(struct canon_body *c)
{
	if (c->used > 0)
		hash_sha256_add(c->hash, c->block, c->used);
	c->used = 0;
}

/* put - canonical bytes; long runs are not copied */
static void
put(struct canon_body *c, const char *p, size_t n)
{
	if (n > sizeof(c->block) - c->used)
		flush(c);
	if (n >= sizeof(c->block) / 2) {
		flush(c);
		hash_sha256_add(c->hash, p, n);
		return;
	}
	memcpy(c->block + c->used, p, n);
	c->used += n;
}

/* settle - content comes: what was held back before it counts */
static void
settle(struct canon_body *c)
{
	for (; c->crlfs > 0; c->crlfs--)
		put(c, "\r\n", 2);
	if (c->space)
		put(c, " ", 1);
	c->space = false;
	c->content = true;
}

/* line_end - a line of n more bytes than those of earlier chunks */
static void
line_end(struct canon_body *c, size_t n)
{
	if (n > CANON_LINE_MAX || c->line > CANON_LINE_MAX - n)
		c->long_line = true;
	c->line = 0;
}

/*
 * skip_text - over text and single blanks between text, sixteen bytes at a
 * time; stops at or before the first byte that needs a closer look.  Byte by
 * byte, the end of each word is a branch guessed wrong, and twice the time.
 */
static const char *
skip_text(const char *p, const char *end)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	typedef unsigned char bytes __attribute__((vector_size(16)));

	for (; end - p > 16; p += 16) {
		bytes here, next;
		uint64_t look[2];

		memcpy(&here, p, sizeof(here));
		memcpy(&next, p + 1, sizeof(next));
		here = (bytes)((here <= ' ') & ~((here == ' ') & (next > ' ')));
		memcpy(look, &here, sizeof(look));
		if (look[0] != 0)
			return p + __builtin_ctzll(look[0]) / 8;
		if (look[1] != 0)
			return p + 8 + __builtin_ctzll(look[1]) / 8;
	}
#endif
	return p;
}

/*
 * run - the end of the stretch from p, a byte of content, that is canonical
 * as it stands; *from moves to the start of the line that is open there
 */
static const char *
run(struct canon_body *c, const char *p, const char *end, const char **from)
{
	for (p++; p < end; p++) {
		/* whatever is above the space is text, 8-bit bytes as well */
		p = skip_text(p, end);
		if ((unsigned char)*p > ' ')
			continue;
		if (end - p >= 2 && *p == ' ' && (unsigned char)p[1] > ' ')
			continue;
		if (end - p >= 3 && p[0] == '\r' && p[1] == '\n' &&
		    (unsigned char)p[2] > ' ') {
			line_end(c, (size_t)(p - *from));
			*from = p + 2;
			p++;
			continue;
		}
		break;
	}
	return p;
}

/* resume - the CR at the end of the chunk before: half a line end, or text */
static const char *
resume(struct canon_body *c, const char *p)
{
	c->cr = false;
	if (*p != '\n') {
		settle(c);
		put(c, "\r", 1);
		return p;
	}
	c->line--;			/* its CR was counted */
	line_end(c, 0);
	c->space = false;
	c->crlfs++;
	return p + 1;
}

/* canon_body_add - the next bytes, cut anywhere */
void
canon_body_add(struct canon_body *c, const void *data, size_t n)
{
	const char *p = data, *end = p + n, *from, *start;

	if (n == 0)
		return;
	if (c->cr)
		p = resume(c, p);
	from = p;
	while (p < end) {
		if (*p == ' ' || *p == '\t') {
			c->space = true;
			p++;
			continue;
		}
		if (*p == '\r' && end - p == 1) {
			c->cr = true;
			break;
		}
		if (*p == '\r' && p[1] == '\n') {
			line_end(c, (size_t)(p - from));
			c->space = false;
			c->crlfs++;
			from = p += 2;
			continue;
		}
		settle(c);
		start = p;
		p = run(c, p, end, &from);
		put(c, start, (size_t)(p - start));
	}
	c->line += (size_t)(end - from);
}

/* canon_body_end - content ends in exactly one CRLF; an empty body is empty */
void
canon_body_end(struct canon_body *c)
{
	if (c->cr) {
		settle(c);
		put(c, "\r", 1);
	}
	line_end(c, 0);
	if (c->content)
		put(c, "\r\n", 2);
	flush(c);
	c->cr = false;
}

/* blank - white space of a header; a fold is always followed by some */
static bool
blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* canon_header - name in lower case, colon, value unfolded and squeezed */
size_t
canon_header(struct slice name, struct slice value, char *out)
{
	const char *p = value.p, *end = p + value.n;
	char *o = out;

	for (size_t i = 0; i < name.n; i++) {
		char b = name.p[i];

		*o++ = b >= 'A' && b <= 'Z' ? (char)(b - 'A' + 'a') : b;
	}
	*o++ = ':';
	while (p < end && blank(*p))
		p++;
	while (end > p && blank(end[-1]))
		end--;
	while (p < end) {
		if (!blank(*p)) {
			*o++ = *p++;
			continue;
		}
		while (blank(*p))	/* the last byte is not blank */
			p++;
		*o++ = ' ';
	}
	return (size_t)(o - out);
}
