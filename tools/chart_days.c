/*
 * chart_days - charts over days: bars of several parts, and a share with what
 * is not known about it.
 */
#include "tools/chart.h"

#include <stdio.h>

#define WIDE	1000		/* as wide as the page */
#define HIGH	220
#define HALF	480		/* two beside one another */
#define TICKS	4

/* scale - lines across, with counts or percents */
static void
scale(const struct chart *c, bool percent)
{
	for (int i = 0; i <= TICKS; i++) {
		double v = c->most * i / TICKS, y = chart_y(c, v);
		char out[32];

		if (percent)
			snprintf(out, sizeof(out), "%.4g %%", 100 * v);
		else if (i == 0)
			snprintf(out, sizeof(out), "0");
		else if (c->most >= 2e6)
			snprintf(out, sizeof(out), "%.3gM", v / 1e6);
		else if (c->most >= 2e3)
			snprintf(out, sizeof(out), "%.4gk", v / 1e3);
		else
			snprintf(out, sizeof(out), "%.4g", v);
		if (i > 0)
			buf_printf(c->b, "<line class=\"grid\" x1=\"%.1f\" "
			    "x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>\n", c->left,
			    c->right, y, y);
		chart_label(c, c->left - 5, y + 3.5, "axis", "end", "%s", out);
	}
}

/* total - of a day */
static double
total(const struct chart_part *parts, size_t n, size_t day)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (double)parts[i].values[day];
	return sum;
}

/* chart_stack - parts on one another, the first at the bottom */
void
chart_stack(struct buf *b, const char *id, const char *title,
    const char *desc, const struct chart_days *d,
    const struct chart_part *parts, size_t n, const bool *marked)
{
	double most = 0;
	struct chart c;

	chart_begin(&c, b, id, title, desc, WIDE, HIGH);
	for (size_t i = 0; i < d->n; i++)
		if (total(parts, n, i) > most)
			most = total(parts, n, i);
	c.most = chart_nice(most < TICKS ? TICKS : most * 1.04);
	chart_time(&c, d);
	scale(&c, false);
	for (size_t i = 0; i < d->n; i++) {
		double x = chart_x0(&c, d, i), sum = 0;
		double wide = chart_x0(&c, d, i + 1) - x;

		for (size_t k = 0; k < n; k++) {
			double v = (double)parts[k].values[i];
			double y = chart_y(&c, sum + v);

			if (v > 0)
				buf_printf(b, "<rect class=\"%s\" x=\"%.1f\" "
				    "y=\"%.1f\" width=\"%.1f\" height=\"%.1f\""
				    "/>\n", parts[k].class, x + wide * 0.12, y,
				    wide * 0.76, chart_y(&c, sum) - y);
			sum += v;
		}
		if (marked[i]) {
			double y = chart_y(&c, sum) - 4, mid = x + wide / 2;

			buf_printf(b, "<path class=\"spike\" d=\"M%.1f %.1fl-5"
			    " -8h10z\"/>\n", mid, y);
		}
	}
	chart_end(&c);
}

/* runs - each unbroken run of known days, as a shape of its own */
static void
runs(const struct chart *c, const struct chart_days *d,
    const struct chart_point *p, bool band)
{
	for (size_t i = 0, j; i < d->n; i = j + 1) {
		for (j = i; j < d->n && p[j].known; j++)
			;
		if (j == i)
			continue;
		buf_printf(c->b, "<path class=\"%s\" d=\"", band ? "band" :
		    "line");
		for (size_t k = i; k < j; k++)
			buf_printf(c->b, "%s%.1f %.1f", k == i ? "M" : "L",
			    chart_x(c, d, k), chart_y(c, band ? p[k].high :
			    p[k].at));
		for (size_t k = j; band && k-- > i; )
			buf_printf(c->b, "L%.1f %.1f", chart_x(c, d, k),
			    chart_y(c, p[k].low));
		buf_str(c->b, band ? "z\"/>\n" : "\"/>\n");
	}
}

/* chart_band - a share a day, its bounds, and the lines to stay under */
void
chart_band(struct buf *b, const char *id, const char *title,
    const char *desc, const struct chart_days *d,
    const struct chart_point *p, const struct chart_line *lines, size_t n)
{
	double most = lines[n - 1].at * 1.05;	/* all are in sight */
	struct chart c;

	chart_begin(&c, b, id, title, desc, HALF, HIGH);
	c.right -= 30;
	for (size_t i = 0; i < d->n; i++)
		if (p[i].known && p[i].at * 1.25 > most)
			most = p[i].at * 1.25;
	c.most = chart_nice(most);
	chart_time(&c, d);
	scale(&c, true);
	runs(&c, d, p, true);
	for (size_t i = 0; i < n; i++) {
		double y = chart_y(&c, lines[i].at);

		buf_printf(b, "<line class=\"cut cut%zu\" x1=\"%.1f\" "
		    "x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>\n", i + 1, c.left,
		    c.right, y, y);
		chart_label(&c, c.right + 4, y + 3.5, "cutname", "start", "%s",
		    lines[i].label);
	}
	runs(&c, d, p, false);
	for (size_t i = 0; i < d->n; i++)
		if (p[i].known)
			buf_printf(b, "<circle class=\"dot\" cx=\"%.1f\" "
			    "cy=\"%.1f\" r=\"2.4\"/>\n", chart_x(&c, d, i),
			    chart_y(&c, p[i].at));
	chart_end(&c);
}

#define SMALL_WIDE	240
#define SMALL_HIGH	96

/* line - one of two */
static void
line(const struct chart *c, const struct chart_days *d,
    const struct chart_point *p, const char *class, double low)
{
	bool down = false;

	buf_printf(c->b, "<path class=\"%s\" d=\"", class);
	for (size_t i = 0; i < d->n; i++) {
		if (p[i].known)
			buf_printf(c->b, "%s%.1f %.1f", down ? "L" : "M",
			    chart_x(c, d, i), chart_y(c, p[i].at - low));
		down = p[i].known;
	}
	buf_str(c->b, "\"/>\n");
}

/* chart_small - one of many of the same scale, to be compared */
void
chart_small(struct buf *b, const char *id, const char *title,
    const char *desc, const struct chart_days *d,
    const struct chart_point *one, const struct chart_point *two,
    double target, double low)
{
	struct chart c;

	chart_begin(&c, b, id, title, desc, SMALL_WIDE, SMALL_HIGH);
	c.left = 30;
	c.right = SMALL_WIDE - 4;
	c.top = 8;
	c.bottom = SMALL_HIGH - 6;
	c.most = 1 - low;
	buf_printf(b, "<rect class=\"now\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\""
	    " height=\"%.1f\"/>\n", chart_x0(&c, d, d->n - d->now), c.top,
	    c.right - chart_x0(&c, d, d->n - d->now), c.bottom - c.top);
	for (int k = 0; k <= 1; k++) {
		double y = k == 0 ? c.bottom : c.top;

		buf_printf(b, "<line class=\"%s\" x1=\"%.1f\" x2=\"%.1f\" "
		    "y1=\"%.1f\" y2=\"%.1f\"/>\n", k == 0 ? "base" : "grid",
		    c.left, c.right, y, y);
		chart_label(&c, c.left - 4, y + (k == 0 ? 0 : 5), "axis",
		    "end", "%.0f", 100 * (k == 0 ? low : 1));
	}
	if (target > low)
		buf_printf(b, "<line class=\"cut cut1\" x1=\"%.1f\" x2=\"%.1f\""
		    " y1=\"%.1f\" y2=\"%.1f\"/>\n", c.left, c.right,
		    chart_y(&c, target - low), chart_y(&c, target - low));
	line(&c, d, two, "line2", 0);
	line(&c, d, one, "line", low);
	chart_end(&c);
}
