/*
 * chart - the frame of every chart: title, scale, days, labels.
 *
 * Coordinates are those of the viewBox; the page scales them.  They are written
 * with one decimal, so that a picture of 28 days is some kilobytes.
 */
#include "tools/chart.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/date.h"
#include "lib/text.h"

/* replaced - characters that may not stand in a page as they are */
static const char *
replaced(const char *s, size_t n)
{
	unsigned char a = (unsigned char)s[0];
	unsigned char b = n > 1 ? (unsigned char)s[1] : 0;
	unsigned char c = n > 2 ? (unsigned char)s[2] : 0;

	if (n == 0)
		return "\xef\xbf\xbd";
	if (n == 1)
		return a == '&' ? "&amp;" : a == '<' ? "&lt;" : a == '>' ?
		    "&gt;" : a == '"' ? "&quot;" : a == '\'' ? "&#39;" :
		    a < ' ' || a == 0x7f ? " " : NULL;
	if (n == 2 && a == 0xc2 && b < 0xa0)
		return " ";				/* C1 */
	if ((n == 3 && a == 0xe2 && b == 0x80 && ((c >= 0x8b && c <= 0x8f) ||
	    c >= 0xa8) && c <= 0xae) ||
	    (n == 3 && a == 0xe2 && b == 0x81 && c >= 0xa0) ||
	    (n == 3 && a == 0xef && b == 0xbb && c == 0xbf) ||
	    (n == 3 && a == 0xef && b == 0xbf && c >= 0xbe))
		return "\xef\xbf\xbd";
	return NULL;
}

/* markup_text - harmless in a page */
void
markup_text(struct buf *b, struct slice s)
{
	while (s.n > 0) {
		size_t n = text_utf8(s.p, s.n);
		const char *other = replaced(s.p, n);

		if (other != NULL)
			buf_str(b, other);
		else
			buf_add(b, s.p, n);
		s = slice_from(s, n > 0 ? n : 1);
	}
}

/* markup_str - the same of a string */
void
markup_str(struct buf *b, const char *s)
{
	markup_text(b, slice_of(s));
}

/* chart_begin - what it is, for eyes and for ears */
void
chart_begin(struct chart *c, struct buf *b, const char *id,
    const char *title, const char *desc, double wide, double high)
{
	*c = (struct chart){ .b = b, .wide = wide, .high = high, .left = 44,
	    .right = wide - 10, .top = 14, .bottom = high - 22, .most = 1 };
	buf_printf(b, "<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" "
	    "aria-labelledby=\"%s-t %s-d\">\n<title id=\"%s-t\">", wide, high,
	    id, id, id);
	markup_str(b, title);
	buf_printf(b, "</title><desc id=\"%s-d\">", id);
	markup_str(b, desc);
	buf_str(b, "</desc>\n");
}

/* chart_end - of the picture */
void
chart_end(const struct chart *c)
{
	buf_str(c->b, "</svg>\n");
}

/* chart_label - words at a place */
void
chart_label(const struct chart *c, double x, double y, const char *class,
    const char *anchor, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	if (text == NULL) {
		c->b->failed = true;
		return;
	}
	buf_printf(c->b, "<text x=\"%.1f\" y=\"%.1f\" class=\"%s\" "
	    "text-anchor=\"%s\">", x, y, class, anchor);
	markup_str(c->b, text);
	buf_str(c->b, "</text>\n");
	free(text);
}

/* chart_nice - the next number that is easy to read */
double
chart_nice(double most)
{
	static const double steps[] = { 1, 2, 4, 6, 8, 10 };
	double power;

	if (!(most > 0))
		return 1;
	power = pow(10, floor(log10(most)));
	for (size_t i = 0; i < 6; i++)
		if (steps[i] * power >= most * 0.999999)
			return steps[i] * power;
	return 10 * power;
}

/* chart_y - how high a value stands; nothing is drawn above the top */
double
chart_y(const struct chart *c, double value)
{
	double part = value / c->most;

	part = part < 0 ? 0 : part > 1 ? 1 : part;
	return c->bottom - part * (c->bottom - c->top);
}

/* chart_x0 - where a day begins */
double
chart_x0(const struct chart *c, const struct chart_days *d, size_t at)
{
	return c->left + (c->right - c->left) * (double)at / (double)d->n;
}

/* chart_x - its middle */
double
chart_x(const struct chart *c, const struct chart_days *d, size_t at)
{
	return (chart_x0(c, d, at) + chart_x0(c, d, at + 1)) / 2;
}

/* chart_time - the days below, and the period shaded */
void
chart_time(const struct chart *c, const struct chart_days *d)
{
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr",
	    "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	double x = chart_x0(c, d, d->n - d->now);

	buf_printf(c->b, "<rect class=\"now\" x=\"%.1f\" y=\"%.1f\" "
	    "width=\"%.1f\" height=\"%.1f\"/>\n", x, c->top, c->right - x,
	    c->bottom - c->top);
	for (size_t i = 0; i < d->n; i++) {
		int64_t year;
		int month, day;

		if (date_weekday(d->from + (int32_t)i) != 0)
			continue;
		date_of(d->from + (int64_t)i, &year, &month, &day);
		buf_printf(c->b, "<line class=\"tick\" x1=\"%.1f\" x2=\"%.1f\""
		    " y1=\"%.1f\" y2=\"%.1f\"/>\n", chart_x0(c, d, i),
		    chart_x0(c, d, i), c->bottom, c->bottom + 4);
		if (chart_x0(c, d, i) < c->right - 30)
			chart_label(c, chart_x0(c, d, i) + 2, c->bottom + 15,
			    "axis", "start", "%d %s", day, months[month - 1]);
	}
	buf_printf(c->b, "<line class=\"base\" x1=\"%.1f\" x2=\"%.1f\" "
	    "y1=\"%.1f\" y2=\"%.1f\"/>\n", c->left, c->right, c->bottom,
	    c->bottom);
}
