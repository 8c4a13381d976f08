/*
 * chart_rows - charts that have a row for each of something: tiers of a year,
 * points of a score; and the curve of a warmup.
 *
 * A tier is a height as well as a colour, so that a strip can be read in grey.
 */
#include "tools/chart.h"

#include <stdio.h>
#include <string.h>

#include "lib/date.h"

#define WIDE	1000
#define ROW	22
#define NAMES	210		/* columns of the viewBox for names */
#define NAME_BYTES 30

static const char *const month_names[] = { "Jan", "Feb", "Mar", "Apr", "May",
	"Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

/* shortened - a name that fits */
static void
shortened(const struct chart *c, double x, double y, const char *class,
    struct slice kind, struct slice s)
{
	size_t room = NAME_BYTES - kind.n;
	bool cut = s.n > room;

	buf_printf(c->b, "<text x=\"%.1f\" y=\"%.1f\" class=\"%s\" "
	    "text-anchor=\"end\"><tspan class=\"dim\">", x, y, class);
	markup_text(c->b, kind);
	buf_str(c->b, "</tspan> ");
	if (cut)
		s.n = room - 1;
	while (cut && s.n > 0 && ((unsigned char)s.p[s.n] & 0xc0) == 0x80)
		s.n--;
	markup_text(c->b, s);
	buf_str(c->b, cut ? "…</text>\n" : "</text>\n");
}

/* months - above the weeks */
static void
months(const struct chart *c, int32_t last, size_t weeks, double wide)
{
	int before = 0;

	for (size_t i = 0; i < weeks; i++) {
		int64_t year;
		int month, day;

		date_of(last - 7 * (int64_t)(weeks - 1 - i), &year, &month,
		    &day);
		if (month != before && before != 0)
			chart_label(c, c->left + wide * (double)i, c->top - 5,
			    "axis", "start", "%s", month_names[month - 1]);
		before = month;
	}
}

/* chart_strips - a year of tiers, a row each */
void
chart_strips(struct buf *b, const char *id, const char *title,
    const char *desc, int32_t last, size_t weeks,
    const struct chart_strip *strips, size_t n)
{
	static const double heights[] = { 2, 5, 9, 13, 17 };
	struct chart c;
	double wide;

	chart_begin(&c, b, id, title, desc, WIDE, 24 + ROW * (double)n);
	c.left = NAMES;
	c.top = 18;
	wide = (c.right - c.left) / (double)weeks;
	months(&c, last, weeks, wide);
	for (size_t i = 0; i < n; i++) {
		double base = c.top + ROW * (double)(i + 1) - 2;

		shortened(&c, c.left - 8, base - 4, "name", strips[i].kind,
		    strips[i].name);
		for (size_t k = 0; k < weeks; k++) {
			int level = strips[i].levels[k];

			buf_printf(b, "<rect class=\"t%d\" x=\"%.1f\" "
			    "y=\"%.1f\" width=\"%.1f\" height=\"%.0f\"/>\n",
			    level, c.left + wide * (double)k, base -
			    heights[level], wide - 1.2, heights[level]);
		}
	}
	chart_end(&c);
}

#define FALL_WIDE	460
#define FALL_NAMES	92
#define STEP		22

/* chart_fall - each step begins where the one before it ended */
void
chart_fall(struct buf *b, const char *id, const char *title,
    const char *desc, const struct chart_step *steps, size_t n,
    const double cuts[3], int level)
{
	double sum = 0, total = 0, high = 32 + STEP * (double)(n + 1);
	struct chart c;

	chart_begin(&c, b, id, title, desc, FALL_WIDE, high);
	c.left = FALL_NAMES;
	c.right = FALL_WIDE - 44;
	c.top = 18;
	for (size_t i = 0; i < n; i++)
		total += steps[i].points;
	c.most = total > 60 ? 100 : 60;
	for (size_t i = 0; i < 3; i++) {
		double x = c.left + (c.right - c.left) * cuts[i] / c.most;

		buf_printf(b, "<line class=\"cut cut%zu\" x1=\"%.1f\" "
		    "x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>\n", i + 1, x, x,
		    c.top, high - 14);
		chart_label(&c, x, c.top - 5, "cutname", "middle", "%.0f",
		    cuts[i]);
	}
	for (size_t i = 0; i <= n; i++) {
		bool all = i == n;
		double from = all ? 0 : sum;
		double to = all ? (total > 100 ? 100 : total) :
		    sum + steps[i].points;
		double y = c.top + STEP * (double)i + 3;
		double scale = (c.right - c.left) / c.most;

		chart_label(&c, c.left - 8, y + 12, all ? "name strong" :
		    "name", "end", "%s", all ? "score" : steps[i].name);
		buf_printf(b, "<rect class=\"t%d\" x=\"%.1f\" y=\"%.1f\" "
		    "width=\"%.1f\" height=\"15\"%s/>\n", level, c.left +
		    scale * from, y, scale * ((to > c.most ? c.most : to) -
		    from), all ? "" : " fill-opacity=\"0.55\"");
		chart_label(&c, c.left + scale * (to > c.most ? c.most : to) +
		    5, y + 12, all ? "name strong" : "name", "start",
		    all ? "%.1f" : "+%.1f", all ? to : steps[i].points);
		sum += all ? 0 : steps[i].points;
	}
	chart_end(&c);
}

#define CURVE_WIDE	480
#define CURVE_HIGH	190

/* curve_marks - what the rules said, where it was not "go on" */
static void
curve_marks(const struct chart *c, const struct chart_days *d,
    const struct chart_mark *marks, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		double x = chart_x(c, d, i), y = chart_y(c, marks[i].cap);

		if (!marks[i].back)
			continue;
		buf_printf(c->b, "<path class=\"spike\" d=\"M%.1f %.1fl-4 -7h8z"
		    "\"/>\n", x, y - 2);
		chart_label(c, x, y - 12, "cutname", "middle", "%s",
		    marks[i].rule);
	}
}

/* curve_day - a date below */
static void
curve_day(const struct chart *c, double x, const char *anchor, int32_t at)
{
	int64_t year;
	int month, day;

	date_of(at, &year, &month, &day);
	chart_label(c, x, c->bottom + 15, "axis", anchor, "%d %s", day,
	    month_names[month - 1]);
}

/* chart_curve - what the day's number was, and what was used of it */
void
chart_curve(struct buf *b, const char *id, const char *title,
    const char *desc, const struct chart_mark *marks, size_t n)
{
	struct chart_days d = { marks[0].day, n, 0 };
	double most = 0;
	struct chart c;

	chart_begin(&c, b, id, title, desc, CURVE_WIDE, CURVE_HIGH);
	for (size_t i = 0; i < n; i++) {
		most = marks[i].cap > most ? marks[i].cap : most;
		most = marks[i].used > most ? marks[i].used : most;
	}
	c.most = chart_nice(most * 1.12);
	for (int i = 0; i <= 2; i++) {
		double v = c.most * i / 2, y = chart_y(&c, v);

		buf_printf(b, "<line class=\"%s\" x1=\"%.1f\" x2=\"%.1f\" "
		    "y1=\"%.1f\" y2=\"%.1f\"/>\n", i == 0 ? "base" : "grid",
		    c.left, c.right, y, y);
		chart_label(&c, c.left - 5, y + 3.5, "axis", "end", "%.5g", v);
	}
	for (size_t i = 0; i < n; i++) {
		double x = chart_x0(&c, &d, i), y = chart_y(&c, marks[i].used);
		double wide = chart_x0(&c, &d, i + 1) - x;

		buf_printf(b, "<rect class=\"s1\" x=\"%.1f\" y=\"%.1f\" "
		    "width=\"%.1f\" height=\"%.1f\"/>\n", x + wide * 0.15, y,
		    wide * 0.7, c.bottom - y);
	}
	buf_str(b, "<path class=\"cap\" d=\"");
	for (size_t i = 0; i < n; i++)
		buf_printf(b, "%s%.1f %.1fH%.1f", i == 0 ? "M" : "L",
		    chart_x0(&c, &d, i), chart_y(&c, marks[i].cap),
		    chart_x0(&c, &d, i + 1));
	buf_str(b, "\"/>\n");
	curve_marks(&c, &d, marks, n);
	curve_day(&c, c.left, "start", marks[0].day);
	curve_day(&c, c.right, "end", marks[n - 1].day);
	chart_end(&c);
}
