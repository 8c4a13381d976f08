/*
 * buf - doubling growth; one bad allocation makes all later calls silent.
 */
#include "lib/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/text.h"

/* buf_free - back to BUF_INIT */
void
buf_free(struct buf *b)
{
	free(b->data);
	*b = (struct buf)BUF_INIT;
}

/* buf_room - n bytes behind the end, not yet counted in len */
void *
buf_room(struct buf *b, size_t n)
{
	size_t cap = b->cap > 0 ? b->cap : 256;
	char *data;

	if (b->failed)
		return NULL;
	if (n > SIZE_MAX / 4 || b->len > SIZE_MAX / 4)
		goto fail;
	while (cap < b->len + n)
		cap *= 2;
	if (cap > b->cap) {
		if ((data = realloc(b->data, cap)) == NULL)
			goto fail;
		b->data = data;
		b->cap = cap;
	}
	return b->data + b->len;
fail:
	b->failed = true;
	return NULL;
}

/* buf_str - append a C string */
void
buf_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

/* buf_printf - append formatted text */
void
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	char *room;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || (room = buf_room(b, (size_t)n + 1)) == NULL)
		return;
	va_start(ap, fmt);
	vsnprintf(room, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
}

/* buf_json - a JSON string (RFC 8259, section 7) */
void
buf_json(struct buf *b, struct slice s)
{
	size_t n, plain;

	buf_char(b, '"');
	while (s.n > 0) {
		for (plain = 0; plain < s.n; plain++) {
			unsigned char c = (unsigned char)s.p[plain];

			if (c < 0x20 || c == '"' || c == '\\' || c >= 0x7f)
				break;
		}
		buf_add(b, s.p, plain);
		s = slice_from(s, plain);
		if (s.n == 0)
			break;
		if (s.p[0] == '"' || s.p[0] == '\\')
			buf_printf(b, "\\%c", s.p[0]), n = 1;
		else if ((unsigned char)s.p[0] < 0x20 || s.p[0] == 0x7f)
			buf_printf(b, "\\u%04x", (unsigned)s.p[0]), n = 1;
		else if ((n = text_utf8(s.p, s.n)) > 0)
			buf_add(b, s.p, n);
		else
			buf_str(b, "\xef\xbf\xbd"), n = 1;
		s = slice_from(s, n);
	}
	buf_char(b, '"');
}

/* buf_json_member - a name, a string and a comma */
void
buf_json_member(struct buf *b, const char *name, struct slice text)
{
	buf_printf(b, "\"%s\":", name);
	buf_json(b, text);
	buf_char(b, ',');
}
