/*
 * report_pen - see report_pen.h.
 */
#include "tools/report_pen.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/text.h"

/* clang-format off */
static const char *const inks[] = {
	[INK_PLAIN] = "\033[0m",  [INK_BOLD] = "\033[1m",
	[INK_DIM] = "\033[2m",    [INK_GOOD] = "\033[32m",
	[INK_WATCH] = "\033[33m", [INK_RISK] = "\033[1;33m",
	[INK_BAD] = "\033[1;31m",
};
static const char *const marks[2][TIER_CRITICAL + 1] = {
	{ "?", "-", "*", "!", "X" },
	{ "○", "●", "▲", "◆", "■" },
};
static const char *const sparks[2][6] = {	/* unknown, then higher */
	{ "-", "_", ".", ":", "+", "#" },
	{ "·", "▁", "▂", "▃", "▅", "▇" },
};
/* clang-format on */

/* pen_ink - from here on; nothing where there is no colour */
void
pen_ink(const struct pen *p, enum ink ink)
{
	if (p->color)
		buf_str(p->b, inks[ink]);
}

/* pen_tier - its colour */
enum ink
pen_tier(enum tier tier)
{
	static const enum ink of[] = { INK_DIM, INK_GOOD, INK_WATCH, INK_RISK,
	    INK_BAD };

	return of[tier];
}

/* pen_mark - its shape */
const char *
pen_mark(const struct pen *p, enum tier tier)
{
	return marks[p->utf8][tier];
}

/* turns - would it turn the direction of a line, or end it? */
static bool
turns(const char *s, size_t n)
{
	unsigned char a, b, c;

	if (n == 2 && (unsigned char)s[0] == 0xc2)
		return (unsigned char)s[1] < 0xa0;	/* C1 */
	if (n != 3)
		return false;
	a = (unsigned char)s[0];
	b = (unsigned char)s[1];
	c = (unsigned char)s[2];
	return (a == 0xe2 && b == 0x80 && (c >= 0xa8 || (c >= 0x8b &&
	    c <= 0x8f))) || (a == 0xe2 && b == 0x81 && c >= 0xa0) ||
	    (a == 0xef && b == 0xbb && c == 0xbf);
}

/* pen_clean - a stranger's text */
size_t
pen_clean(const struct pen *p, struct slice s, size_t most)
{
	size_t done = 0, n, left = 0;

	for (size_t i = 0; i < s.n; i++)
		left += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	while (s.n > 0 && done < most) {
		if (left > most && done + 3 >= most) {
			pen_left(p, "...", most - done < 3 ? most - done : 3);
			return most;
		}
		if ((n = text_utf8(s.p, s.n)) == 0) {
			buf_char(p->b, '?');
			n = 1;
		} else if (n == 1 && ((unsigned char)*s.p < ' ' ||
		    *s.p == 0x7f)) {
			buf_char(p->b, ' ');
		} else if (n > 1 && (!p->utf8 || turns(s.p, n))) {
			buf_char(p->b, '?');
		} else {
			buf_add(p->b, s.p, n);
		}
		s = slice_from(s, n);
		done++;
	}
	return done;
}

/* pen_pad - blanks */
void
pen_pad(const struct pen *p, size_t n)
{
	while (n-- > 0)
		buf_char(p->b, ' ');
}

/* wide_of - columns of text that is ours */
static size_t
wide_of(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

/* pen_left - at the left of its field, cut to it */
void
pen_left(const struct pen *p, const char *s, size_t wide)
{
	size_t n = wide_of(s);

	if (n > wide) {
		buf_add(p->b, s, wide);
		return;
	}
	buf_str(p->b, s);
	pen_pad(p, wide - n);
}

/* pen_right - at the right of its field */
void
pen_right(const struct pen *p, const char *s, size_t wide)
{
	size_t n = wide_of(s);

	pen_pad(p, n < wide ? wide - n : 0);
	buf_str(p->b, s);
}

/* pen_wrap - word by word; a word that is wider than the line is broken */
void
pen_wrap(const struct pen *p, size_t at, size_t indent, struct slice s)
{
	size_t room = p->columns - indent;
	bool first = true;

	while (s.n > 0) {
		struct slice word = s;
		struct buf kept = BUF_INIT;
		struct pen side = *p;
		size_t n = 0, wide;

		while (n < s.n && s.p[n] != ' ')
			n++;
		word.n = n;
		for (s = slice_from(s, n); s.n > 0 && *s.p == ' '; )
			s = slice_from(s, 1);
		side.b = &kept;
		wide = pen_clean(&side, word, room);
		if (at > indent && at + !first + wide > p->columns) {
			buf_char(p->b, '\n');
			pen_pad(p, indent);
			at = indent;
		} else if (!first) {
			buf_char(p->b, ' ');
			at++;
		}
		first = false;
		buf_slices(p->b, buf_slice(&kept));
		at += wide;
		buf_free(&kept);
	}
	buf_char(p->b, '\n');
}

/* pen_head - a block begins */
void
pen_head(const struct pen *p, const char *title)
{
	buf_char(p->b, '\n');
	pen_ink(p, INK_BOLD);
	buf_str(p->b, title);
	pen_ink(p, INK_PLAIN);
	buf_char(p->b, '\n');
}

/* pen_line - words of ours, wrapped */
void
pen_line(const struct pen *p, const char *fmt, ...)
{
	char *text = NULL;
	size_t indent;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	if (text == NULL) {
		p->b->failed = true;
		return;
	}
	indent = strspn(text, " ");
	pen_pad(p, indent);
	pen_wrap(p, indent, indent, slice_of(text + indent));
	free(text);
}

/* pen_name - the first field of a row */
void
pen_name(const struct pen *p, struct slice name, size_t wide)
{
	size_t n = 0;

	for (size_t i = 0; i < name.n; i++)
		n += ((unsigned char)name.p[i] & 0xc0) != 0x80;
	if (n > wide) {
		(void)pen_clean(p, name, p->columns);
		buf_char(p->b, '\n');
		pen_pad(p, wide);
		return;
	}
	pen_pad(p, wide - pen_clean(p, name, wide));
}

/* pen_spark - the higher, the worse */
void
pen_spark(const struct pen *p, const struct knots *k,
    const struct week *weeks, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		double d = weeks[i].total;
		int level = !weeks[i].known ? 0 : d < k->watch / 2 ? 1 :
		    d < k->watch ? 2 : d < k->at_risk ? 3 :
		    d < k->critical ? 4 : 5;

		buf_str(p->b, sparks[p->utf8][level]);
	}
}

/* pen_count - in its field */
const char *
pen_count(uint64_t n, size_t wide, char out[32])
{
	static const char units[] = "kMGTPE";
	double d = (double)n;
	int unit = -1;

	if (strlen(number_text(n, out)) <= wide)
		return out;
	while (d >= 1000 && unit < 5) {
		d /= 1000;
		unit++;
	}
	snprintf(out, 32, d < 100 ? "%.1f%c" : "%.0f%c", d, units[unit]);
	return out;
}
