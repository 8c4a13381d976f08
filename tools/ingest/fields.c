/*
 * fields - what all parsers of reports stand on.
 *
 * Reports come with CR LF, with LF, and, from one large sender, with CR alone;
 * making all of them LF once is cheaper than to think of it in every place.
 * A header field is read as generously as it can be read in one way: old
 * reports fold with no white space, or put a blank before the colon.
 */
#include "tools/ingest/fields.h"

#include <ctype.h>
#include <stdint.h>

/* fields_lf - one pass, never longer than it was */
struct slice
fields_lf(struct slice s, struct arena *arena)
{
	char *out = arena_alloc(arena, s.n + 1);
	size_t n = 0;

	if (out == NULL)
		return SLICE_NONE;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != '\r')
			out[n++] = s.p[i];
		else if (i + 1 >= s.n || s.p[i + 1] != '\n')
			out[n++] = '\n';
	}
	return (struct slice){ out, n };
}

/* line_next - up to the LF */
bool
line_next(struct slice *rest, struct slice *line)
{
	const char *end;

	if (rest->n == 0)
		return false;
	end = memchr(rest->p, '\n', rest->n);
	line->p = rest->p;
	line->n = end != NULL ? (size_t)(end - rest->p) : rest->n;
	*rest = slice_from(*rest, line->n + (end != NULL));
	return true;
}

/* is_blank - a fold begins with it */
static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* field_next - and the lines that are folded to it */
bool
field_next(struct slice *rest, struct field *f)
{
	struct slice line, ahead;
	const char *colon;

	while (line_next(rest, &line)) {
		if (slice_trim(line).n == 0)
			return false;
		colon = memchr(line.p, ':', line.n);
		if (is_blank(line.p[0]) || colon == NULL || colon == line.p)
			continue;
		f->name = slice_trim((struct slice){ line.p,
		    (size_t)(colon - line.p) });
		f->value = slice_from(line, (size_t)(colon - line.p) + 1);
		for (ahead = *rest; ahead.n > 0 && is_blank(ahead.p[0]) &&
		    line_next(&ahead, &line) && slice_trim(line).n > 0;
		    *rest = ahead)
			f->value.n = (size_t)(line.p + line.n - f->value.p);
		return true;
	}
	return false;
}

/* field_flat - words with one blank between them */
struct slice
field_flat(struct slice value, struct arena *arena)
{
	char *out = arena_alloc(arena, value.n + 1);
	size_t n = 0;

	if (out == NULL)
		return SLICE_NONE;
	for (size_t i = 0; i < value.n; i++) {
		char c = value.p[i];

		if (c != ' ' && c != '\t' && c != '\n' && c != '\r' &&
		    c != '\0')
			out[n++] = c;
		else if (n > 0 && out[n - 1] != ' ')
			out[n++] = ' ';
	}
	if (n > 0 && out[n - 1] == ' ')
		n--;
	return (struct slice){ out, n };
}

/* field_find - the first of its name */
struct slice
field_find(struct slice text, const char *name, struct arena *arena)
{
	struct field f;

	while (field_next(&text, &f))
		if (slice_case_eq(f.name, slice_of(name)))
			return field_flat(f.value, arena);
	return SLICE_NONE;
}

/* text_begins - with these letters */
bool
text_begins(struct slice s, const char *word)
{
	size_t n = strlen(word);

	return s.n >= n && strncasecmp(s.p, word, n) == 0;
}

/* text_find - by its first letter, then the rest; words are short */
size_t
text_find(struct slice s, const char *word)
{
	size_t n = strlen(word);
	int first = tolower((unsigned char)word[0]);

	for (size_t i = 0; i + n <= s.n; i++)
		if (tolower((unsigned char)s.p[i]) == first &&
		    strncasecmp(s.p + i, word, n) == 0)
			return i;
	return SIZE_MAX;
}

/* slice_cut - the head of it */
struct slice
slice_cut(struct slice s, size_t n)
{
	return (struct slice){ s.p, s.n < n ? s.n : n };
}

/* is_address_byte - what may stand in a bare address of a report */
static bool
is_address_byte(unsigned char c)
{
	return c > ' ' && c != 0x7f && strchr("<>()[]\"',;:", c) == NULL;
}

/* text_address - around the first at sign that has something on both sides */
struct slice
text_address(struct slice s)
{
	for (size_t at = 1; at + 1 < s.n; at++) {
		size_t from = at, to = at + 1;

		if (s.p[at] != '@')
			continue;
		if (s.p[at - 1] == '"') {	/* "a b"@c */
			for (from = at - 1; from > 0 &&
			    s.p[from - 1] != '"'; from--)
				;
			if (from > 0)
				from--;
		} else {
			while (from > 0 &&
			    is_address_byte((unsigned char)s.p[from - 1]))
				from--;
		}
		while (to < s.n && is_address_byte((unsigned char)s.p[to]) &&
		    s.p[to] != '@')
			to++;
		while (to > at + 1 && s.p[to - 1] == '.')
			to--;
		if (from < at && to > at + 1)
			return (struct slice){ s.p + from, to - from };
		at = to - 1;
	}
	return SLICE_NONE;
}
