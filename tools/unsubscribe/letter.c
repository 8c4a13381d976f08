/*
 * letter - what mail programs do to a long Subject: they put "Re:" or a word
 * of their own before it, fold it where there is no blank, or write it as
 * encoded words (RFC 2047).  So each word of it is tried, and all that follows
 * a word with the blanks taken out.
 *
 * A try is a decryption of a few microseconds; TRIES bounds them.
 */
#include "tools/unsubscribe/letter.h"

#include <string.h>

#include "lib/hash.h"

enum { TRIES = 12, HEADER_MAX = 64 << 10, LEAST = 40 };

/* --- Subject -------------------------------------------------------------- */

/* hex - of a digit, -1 for any other */
static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* decode_q - "Q" of RFC 2047, section 4.2; bytes written */
static size_t
decode_q(struct slice text, char *out)
{
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '=' && i + 2 < text.n &&
		    hex(text.p[i + 1]) != -1 && hex(text.p[i + 2]) != -1) {
			out[n++] = (char)(hex(text.p[i + 1]) << 4 |
			    hex(text.p[i + 2]));
			i += 2;
		} else {
			out[n++] = text.p[i] == '_' ? ' ' : text.p[i];
		}
	}
	return n;
}

/* word_end - where an encoded word at text.p ends; 0: it is none.  *coded and
 * *kind tell what is in it */
static size_t
word_end(struct slice text, struct slice *coded, char *kind)
{
	size_t at = 2;
	const char *end;

	if (text.n < 8 || memcmp(text.p, "=?", 2) != 0)
		return 0;
	while (at < text.n && text.p[at] != '?')
		at++;
	if (at + 3 > text.n || text.p[at + 2] != '?')
		return 0;
	*kind = (char)(text.p[at + 1] | 0x20);
	*coded = slice_from(text, at + 3);
	if ((end = memmem(coded->p, coded->n, "?=", 2)) == NULL ||
	    (*kind != 'q' && *kind != 'b'))
		return 0;
	coded->n = (size_t)(end - coded->p);
	return (size_t)(end + 2 - text.p);
}

/* decode_words - encoded words read, the blanks between two of them gone; in
 * place, for it never grows */
static size_t
decode_words(char *text, size_t len)
{
	static const size_t room = LETTER_SUBJECT + 4;
	uint8_t bytes[LETTER_SUBJECT + 4];
	size_t out = 0, behind = SIZE_MAX;	/* where a word ended in out */

	for (size_t i = 0; i < len; ) {
		struct slice coded, rest = { text + i, len - i };
		char kind;
		size_t n = word_end(rest, &coded, &kind);
		long got;

		if (n == 0) {
			text[out++] = text[i++];
			if (text[out - 1] != ' ' && text[out - 1] != '\t')
				behind = SIZE_MAX;
			continue;
		}
		if (behind != SIZE_MAX)
			out = behind;
		if (kind == 'q') {
			got = (long)decode_q(coded, (char *)bytes);
		} else if (coded.n / 4 * 3 + 3 > room ||
		    (got = base64_decode(coded, bytes)) == -1) {
			got = 0;
		}
		i += n;
		memcpy(text + out, bytes, (size_t)got);
		out += (size_t)got;
		behind = out;
	}
	return out;
}

/* unfold - one field's text up to its end, without line breaks */
static size_t
unfold(struct slice text, char out[LETTER_SUBJECT])
{
	size_t n = 0;

	for (size_t i = 0; i < text.n && n < LETTER_SUBJECT; i++) {
		if (text.p[i] == '\n' && (i + 1 == text.n ||
		    (text.p[i + 1] != ' ' && text.p[i + 1] != '\t')))
			break;
		if (text.p[i] != '\r' && text.p[i] != '\n')
			out[n++] = text.p[i];
	}
	return n;
}

/* letter_subject - of the first field of that name */
size_t
letter_subject(struct slice message, char out[LETTER_SUBJECT])
{
	static const struct slice name = { "subject:", 8 };

	if (message.n > HEADER_MAX)
		message.n = HEADER_MAX;
	while (message.n > 0 && message.p[0] != '\n' && message.p[0] != '\r') {
		const char *end = memchr(message.p, '\n', message.n);

		if (message.n >= name.n && slice_case_eq((struct slice){
		    message.p, name.n }, name))
			return decode_words(out, unfold(slice_from(message,
			    name.n), out));
		if (end == NULL)
			break;
		message = slice_from(message, (size_t)(end + 1 - message.p));
	}
	return 0;
}

/* --- tokens --------------------------------------------------------------- */

/* is_token - a character that a token may have */
static bool
is_token(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* squeezed - all token characters from a word on, blanks left out */
static struct slice
squeezed(struct slice text, char room[LETTER_SUBJECT])
{
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++) {
		if (is_token(text.p[i]))
			room[n++] = text.p[i];
		else if (text.p[i] != ' ' && text.p[i] != '\t')
			break;
	}
	return (struct slice){ room, n };
}

/* try_words - each run of token characters, and what follows it */
static int
try_words(const struct token_ring *ring, struct slice text,
    struct arena *arena, struct token *t, struct why *why)
{
	char room[LETTER_SUBJECT];
	int tries = 0, rc = 0;

	for (size_t i = 0; i < text.n && rc == 0 && tries < TRIES; ) {
		struct slice word = slice_from(text, i), all;
		size_t n = 0;

		while (n < word.n && is_token(word.p[n]))
			n++;
		i += n + 1;
		if (n == 0)
			continue;
		all = squeezed(word, room);
		word.n = n;
		if (word.n >= LEAST) {
			tries++;
			rc = token_read(ring, word, arena, t, why);
		}
		if (rc == 0 && all.n > word.n && all.n >= LEAST) {
			tries++;
			rc = token_read(ring, all, arena, t, why);
		}
	}
	return rc;
}

/* letter_token - the recipient's extension first, then the Subject */
int
letter_token(const struct token_ring *ring, struct slice recipient,
    struct slice message, struct arena *arena, struct token *t,
    struct why *why)
{
	char subject[LETTER_SUBJECT];
	struct slice local = recipient;
	const char *plus;
	int rc = 0;

	while (local.n > 0 && local.p[local.n - 1] != '@')
		local.n--;
	if (local.n > 0)
		local.n--;
	if (local.n > 0 && (plus = memchr(local.p, '+', local.n)) != NULL)
		rc = token_read(ring, slice_from(local,
		    (size_t)(plus + 1 - local.p)), arena, t, why);
	if (rc == 0)
		rc = try_words(ring, (struct slice){ subject,
		    letter_subject(message, subject) }, arena, t, why);
	return rc;
}
