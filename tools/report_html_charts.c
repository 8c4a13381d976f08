/*
 * report_html_charts - the page's pictures of days, each with its figures
 * below it.
 *
 * The letters are those of the list in penstock-report(1).  Every number that
 * a picture is made of stands in the table of its <details>, and in the JSON.
 */
#include "tools/report_html_in.h"

#include <stdio.h>
#include <string.h>

#include "lib/wilson.h"

/* --- (a), (b), (c): days -------------------------------------------------- */

/* The parts of a day's bar. */
static uint64_t
part_of(const uint64_t n[TALLIES], int part)
{
	switch (part) {
	case 0:
		return n[TALLY_DELIVERED];
	case 1:
		return n[TALLY_DEFERRED];
	case 2:
		return n[TALLY_HARD] + n[TALLY_BOUNCED] + n[TALLY_EXPIRED];
	default:
		return n[TALLY_BLOCKED];
	}
}
static const char *const part_names[] = { "delivered", "deferred", "bounced",
	"blocked" };
static const char *const part_classes[] = { "s1", "s2", "s3", "s4" };
enum { PARTS = 4 };

/* html_days - those of the charts */
struct chart_days
html_days(const struct report *r)
{
	return (struct chart_days){ r->chart_from, r->ndays,
	    (size_t)(r->period.until - r->period.from) };
}

/* patterns - what parts two colours for eyes that see none */
static void
patterns(struct buf *b)
{
	buf_str(b, "<svg class=\"defs\" "
	    "aria-hidden=\"true\"><defs>"
	    "<pattern id=\"p2\" width=\"5\" height=\"5\" patternUnits=\""
	    "userSpaceOnUse\"><rect class=\"f2\" width=\"5\" height=\"5\"/>"
	    "<path class=\"g2\" d=\"M-1 6L6 -1M-1 1L1 -1M4 6L6 4\"/></pattern>"
	    "<pattern id=\"p4\" width=\"5\" height=\"5\" patternUnits=\""
	    "userSpaceOnUse\"><rect class=\"f4\" width=\"5\" height=\"5\"/>"
	    "<path class=\"g4\" d=\"M0 2.5H5\"/></pattern>"
	    "</defs></svg>\n");
}

/* legend - of the bars */
static void
legend(struct buf *b)
{
	buf_str(b, "<ul class=\"legend\">");
	for (int i = 0; i < PARTS; i++)
		buf_printf(b, "<li><svg viewBox=\"0 0 14 12\" aria-hidden="
		    "\"true\"><rect class=\"%s\" width=\"14\" height=\"12\"/>"
		    "</svg>%s</li>", part_classes[i], part_names[i]);
	buf_str(b, "<li><svg viewBox=\"0 0 14 12\" aria-hidden=\"true\">"
	    "<path class=\"spike\" d=\"M7 11l-5-8h10z\"/></svg>far above its "
	    "weekday</li></ul>\n");
}

/* html_details - the table below a picture begins */
void
html_details(struct buf *b, const char *const *headings)
{
	buf_str(b, "<details><summary>The figures</summary>");
	html_table(b, "", headings);
}

/* html_details_end - and ends */
void
html_details_end(struct buf *b)
{
	html_table_end(b);
	buf_str(b, "</details>\n");
}

/* volume - (a) */
static void
volume(struct buf *b, const struct report *r)
{
	static const char *const headings[] = { "<day", "delivered", "deferred",
	    "bounced", "blocked", "far above its weekday", NULL };
	struct chart_days d = html_days(r);
	struct chart_part parts[PARTS];
	uint64_t values[PARTS][REPORT_DAYS + 8];
	char day[16];

	for (int k = 0; k < PARTS; k++) {
		for (size_t i = 0; i < d.n; i++)
			values[k][i] = part_of(r->days[i], k);
		parts[k] = (struct chart_part){ part_classes[k], values[k] };
	}
	html_section(b, "Volume", "Recipients a day; the period is shaded. Who "
	    "was deferred on a day may be delivered on it, too.");
	patterns(b);
	legend(b);
	buf_str(b, "<div class=\"card\" id=\"chart-a\"><div class=\"scroll\">"
	    "<div class=\"chart\">\n");
	chart_stack(b, "a", "Daily volume", "Bars of recipients a day, from "
	    "the bottom: delivered, deferred, bounced, blocked", &d, parts,
	    PARTS, r->spikes);
	buf_str(b, "</div></div>");
	html_details(b, headings);
	for (size_t i = 0; i < d.n; i++) {
		buf_printf(b, "<tr><th scope=\"row\">%s</th>", day_text(
		    d.from + (int32_t)i, day));
		for (int k = 0; k < PARTS; k++)
			html_td_number(b, values[k][i]);
		buf_printf(b, "<td>%s</td></tr>\n", r->spikes[i] ? "yes" : "");
	}
	html_details_end(b);
	buf_str(b, "</div>\n");
}

/* html_point - a share of a day, with what it may be */
struct chart_point
html_point(const struct report *r, struct share s)
{
	return (struct chart_point){ wilson_low(s.x, s.n, r->knots->z),
	    share_value(s), wilson_high(s.x, s.n, r->knots->z), s.n > 0 };
}

/* rate - (b) or (c) */
static void
rate(struct buf *b, const struct report *r, enum rate which, const char *id,
    const char *title, const char *desc, const struct chart_line *lines,
    size_t nlines)
{
	static const char *const headings[] = { "<day", "of", "events",
	    "share", "at least", "at most", NULL };
	struct chart_point points[REPORT_DAYS + 8];
	struct chart_days d = html_days(r);
	char day[16];

	for (size_t i = 0; i < d.n; i++)
		points[i] = html_point(r, rate_of(r->days[i], which));
	buf_printf(b, "<div class=\"card\" id=\"chart-%s\"><h3>%s</h3>"
	    "<div class=\"chart small\">\n", id, title);
	chart_band(b, id, title, desc, &d, points, lines, nlines);
	buf_str(b, "</div>");
	html_details(b, headings);
	for (size_t i = 0; i < d.n; i++) {
		struct share s = rate_of(r->days[i], which);

		buf_printf(b, "<tr><th scope=\"row\">%s</th>", day_text(
		    d.from + (int32_t)i, day));
		html_td_number(b, s.n);
		html_td_number(b, s.x);
		html_td_share(b, s, 3, false);
		if (s.n > 0)
			buf_printf(b, "<td>%.3f&nbsp;%%</td><td>%.3f&nbsp;%%"
			    "</td></tr>\n", 100 * points[i].low,
			    100 * points[i].high);
		else
			buf_str(b, "<td></td><td></td></tr>\n");
	}
	html_details_end(b);
	buf_str(b, "</div>\n");
}

/* report_html_charts - (a), (b), (c) */
void
report_html_charts(const struct report *r, struct buf *b)
{
	static const struct chart_line complaints[] = { { 0.001, "0.1 %" },
	    { 0.003, "0.3 %" } };
	static const struct chart_line bounces[] = { { 0.01, "1 %" },
	    { 0.02, "2 %" }, { 0.05, "5 %" } };

	volume(b, r);
	buf_str(b, "<div class=\"grid two more\">\n");
	rate(b, r, RATE_COMPLAINT, "b", "Complaints", "The share of complaints "
	    "a day, of what was delivered where they are reported, between "
	    "the bounds of what it may really be, and the levels 0.1 and 0.3 "
	    "percent", complaints, 2);
	rate(b, r, RATE_BOUNCE, "c", "Bounces", "The share of bounces a day, "
	    "between the bounds of what it may really be, and the levels 1, 2 "
	    "and 5 percent", bounces, 3);
	buf_str(b, "</div>\n");
}
