/*
 * report_html_rows - the page's pictures that have one for each of something:
 * for who is not well, for a year of tiers, for providers and for warmups.
 */
#include "tools/report_html_in.h"

#include <stdio.h>
#include <string.h>

#define CARDS	6		/* with a picture */

/* --- (f): what is wrong --------------------------------------------------- */

/* fall - the steps of a score */
static void
fall(struct buf *b, const struct report *r, const struct wrong *w, size_t at)
{
	const struct scored *s = w->row->scored;
	const double cuts[3] = { r->knots->watch, r->knots->at_risk,
	    r->knots->critical };
	struct chart_step steps[SIGNALS];
	size_t n = 0;
	char id[32];

	for (int i = 0; i < SIGNALS; i++)
		if (s->score.points[i] > 0)
			steps[n++] = (struct chart_step){ signal_names[i],
			    s->score.points[i] };
	snprintf(id, sizeof(id), "f%zu", at + 1);
	chart_fall(b, id, "Points of the score", "Each signal adds its points; "
	    "the dashed lines are where Watch, At Risk and Critical begin",
	    steps, n, cuts, s->score.tier);
}

/* wrong - a card */
static void
wrong(struct buf *b, const struct report *r, const struct wrong *w, size_t at)
{
	const struct scored *s = w->row->scored;
	char day[16];

	buf_printf(b, "<article class=\"card wrong w%d\"><div>\n<h3>",
	    (int)s->score.tier);
	html_badge(b, s->score.tier);
	buf_printf(b, " <span class=\"dim\">%s</span> ",
	    subject_names[w->row->kind]);
	markup_text(b, w->row->name);
	buf_str(b, "</h3>\n<ul>\n");
	for (int i = 0; i < SIGNALS; i++) {
		if (w->said[i].n == 0)
			continue;
		buf_printf(b, "<li><data value=\"%.6g\">%.1f</data> <span>",
		    s->score.points[i], s->score.points[i]);
		markup_text(b, w->said[i]);
		buf_str(b, "</span></li>\n");
	}
	if (!s->score.enough)
		buf_str(b, "<li><span></span><span>Too few recipients this "
		    "week to judge again; the tier stays.</span></li>\n");
	buf_printf(b, "</ul>\n<p class=\"note\">%.1f of 100 points, confidence "
	    "%s, as of %s</p>\n", s->score.total,
	    confidence_names[s->score.confidence], day_text(s->in.day, day));
	buf_str(b, "</div><div>\n");
	fall(b, r, w, at);
	for (size_t i = 0; i < w->nadvice; i++) {
		buf_printf(b, "<p class=\"advice\"><b>%s</b> · ",
		    advice_names[w->advice[i]->what]);
		markup_text(b, w->advice[i]->text);
		buf_printf(b, " <code class=\"dim\">%s</code></p>\n",
		    w->advice[i]->id);
	}
	buf_str(b, "</div></article>\n");
}

/* also - those behind them, a line each */
static void
also(struct buf *b, const struct report *r)
{
	static const char *const headings[] = { "<also not well", "<tier",
	    "points", "<by", NULL };

	html_table(b, " more", headings);
	for (size_t i = CARDS; i < r->nwrong; i++) {
		const struct wrong *w = &r->wrong[i];
		const struct score *s = &w->row->scored->score;

		buf_printf(b, "<tr><th scope=\"row\"><span class=\"dim\">%s"
		    "</span> ", subject_names[w->row->kind]);
		markup_text(b, w->row->name);
		buf_str(b, "</th><td class=\"l\">");
		html_badge(b, s->tier);
		buf_printf(b, "</td><td><data value=\"%.6g\">%.1f</data></td>"
		    "<td class=\"l wrap\">", s->total, s->total);
		for (int k = 0; k < SIGNALS; k++) {
			if (w->said[k].n == 0)
				continue;
			markup_text(b, w->said[k]);
			buf_str(b, "<br>");
		}
		for (size_t k = 0; k < w->nadvice; k++) {
			buf_printf(b, "<b>%s</b>: ",
			    advice_names[w->advice[k]->what]);
			markup_text(b, w->advice[k]->text);
			buf_printf(b, " <code>%s</code><br>",
			    w->advice[k]->id);
		}
		buf_str(b, "</td></tr>\n");
	}
	html_table_end(b);
}

/* report_html_wrong - who is not well, the worst first */
void
report_html_wrong(const struct report *r, struct buf *b)
{
	if (r->nwrong == 0)
		return;
	html_section(b, "What is wrong, and why", "Counts are of seven days, "
	    "and by half of the seven before. Advice is for a person to apply "
	    "or dismiss; nothing is done by itself.");
	buf_str(b, "<div class=\"grid\" id=\"chart-f\">\n");
	for (size_t i = 0; i < r->nwrong && i < CARDS; i++)
		wrong(b, r, &r->wrong[i], i);
	buf_str(b, "</div>\n");
	if (r->nwrong > CARDS)
		also(b, r);
	if (r->wrongs > r->nwrong)
		buf_printf(b, "<p class=\"note\">%zu more are not healthy; "
		    "they stand first in the tables, and all in the JSON form."
		    "</p>\n", r->wrongs - r->nwrong);
}

/* --- (d): a year of tiers ------------------------------------------------- */

/* year_rows - the figures: who had which tier for how many weeks */
static void
year_rows(struct buf *b, const struct report *r)
{
	static const char *const headings[] = { "<", "Healthy", "Watch",
	    "At Risk", "Critical", "not judged", NULL };

	html_details(b, headings);
	for (size_t i = 0; i < r->nstrips; i++) {
		const struct strip *s = &r->strips[i];
		size_t n[TIER_CRITICAL + 1] = { 0 };

		for (size_t k = 0; k < REPORT_WEEKS; k++)
			n[s->weeks[k].known ? s->weeks[k].tier :
			    TIER_UNKNOWN]++;
		buf_printf(b, "<tr><th scope=\"row\">%s ",
		    subject_names[s->row->kind]);
		markup_text(b, s->row->name);
		buf_str(b, "</th>");
		for (int t = TIER_HEALTHY; t <= TIER_CRITICAL; t++)
			html_td_number(b, n[t]);
		html_td_number(b, n[TIER_UNKNOWN]);
		buf_str(b, "</tr>\n");
	}
	html_details_end(b);
}

/* report_html_year - the strips */
void
report_html_year(const struct report *r, struct buf *b)
{
	struct chart_strip strips[REPORT_STRIPS];
	uint8_t levels[REPORT_STRIPS][REPORT_WEEKS];

	if (r->nstrips == 0)
		return;
	for (size_t i = 0; i < r->nstrips; i++) {
		const struct strip *s = &r->strips[i];

		for (size_t k = 0; k < REPORT_WEEKS; k++)
			levels[i][k] = s->weeks[k].known ?
			    (uint8_t)s->weeks[k].tier : 0;
		strips[i] = (struct chart_strip){ slice_of(
		    subject_names[s->row->kind]), s->row->name, levels[i] };
	}
	html_section(b, "A year of tiers", "A mark per week: the higher, the "
	    "worse. A thin line: not judged, or too little mail.");
	buf_str(b, "<div class=\"card\" id=\"chart-d\"><div class=\"scroll\">"
	    "<div class=\"chart\">\n");
	chart_strips(b, "d", "Tiers of 52 weeks", "A row per sender, a mark "
	    "per week, the last one at the right", r->judged, REPORT_WEEKS,
	    strips, r->nstrips);
	buf_str(b, "</div></div>");
	year_rows(b, r);
	buf_str(b, "</div>\n");
}

#define FEW	10		/* recipients a day that bend no scale */

/* --- (e): providers ------------------------------------------------------- */

/* provider - one small picture */
static void
provider(struct buf *b, const struct report *r, size_t at, double low)
{
	struct chart_point one[REPORT_DAYS + 8], two[REPORT_DAYS + 8];
	const uint64_t (*days)[TALLIES] =
	    (const uint64_t (*)[TALLIES])(r->provider_days + at * r->ndays);
	struct chart_days d = html_days(r);
	uint64_t sum[TALLIES] = { 0 };
	char id[32];

	for (size_t i = 0; i < d.n; i++) {
		one[i] = html_point(r, rate_of(days[i], RATE_DELIVERED));
		two[i] = html_point(r, rate_of(days[i], RATE_DEFERRAL));
		for (size_t k = 0; k < TALLIES && i + d.now >= d.n; k++)
			sum[k] += days[i][k];
	}
	snprintf(id, sizeof(id), "e%zu", at + 1);
	buf_str(b, "<div class=\"card\"><h3>");
	markup_text(b, r->heat.providers[at]);
	buf_str(b, "</h3><p class=\"note\">");
	html_share(b, rate_of(sum, RATE_DELIVERED), 1);
	buf_str(b, " delivered, ");
	html_share(b, rate_of(sum, RATE_DEFERRAL), 1);
	buf_str(b, " deferred</p>\n");
	chart_small(b, id, "Delivered and deferred", "The share delivered a "
	    "day as a line, the share deferred as a broken one, in percent",
	    &d, one, two, r->knots->targets[r->warming][TARGET_DELIVERED], low);
	buf_str(b, "</div>\n");
}

/* figures_of - of all of them: a row per day, two columns each */
static void
figures_of(struct buf *b, const struct report *r)
{
	const struct heat *h = &r->heat;
	char day[16];

	buf_str(b, "<details><summary>The figures: delivered / deferred"
	    "</summary><div class=\"scroll\"><table>\n<thead><tr><th "
	    "scope=\"col\" class=\"l\">day</th>");
	for (size_t p = 0; p < h->nproviders; p++) {
		buf_str(b, "<th scope=\"col\">");
		markup_text(b, h->providers[p]);
		buf_str(b, "</th>");
	}
	buf_str(b, "</tr></thead>\n<tbody>\n");
	for (size_t i = 0; i < r->ndays; i++) {
		buf_printf(b, "<tr><th scope=\"row\">%s</th>", day_text(
		    r->chart_from + (int32_t)i, day));
		for (size_t p = 0; p < h->nproviders; p++) {
			const uint64_t *n = r->provider_days[p * r->ndays + i];

			buf_str(b, "<td>");
			html_share(b, rate_of(n, RATE_DELIVERED), 1);
			buf_str(b, " / ");
			html_share(b, rate_of(n, RATE_DEFERRAL), 1);
			buf_str(b, "</td>");
		}
		buf_str(b, "</tr>\n");
	}
	html_details_end(b);
}

/* lowest - where the scale of all of them begins */
static double
lowest(const struct report *r)
{
	static const double ends[] = { 0.9, 0.8, 0.6, 0.4, 0 };
	double low = 1;
	size_t i = 0;

	for (size_t k = 0; k < r->heat.nproviders * r->ndays; k++) {
		struct share s = rate_of(r->provider_days[k], RATE_DELIVERED);
		struct share d = rate_of(r->provider_days[k], RATE_DEFERRAL);

		if (s.n >= FEW && share_value(s) < low)
			low = share_value(s);
		if (d.n >= FEW && 1 - share_value(d) < low)
			low = 1 - share_value(d);
	}
	while (ends[i] > low)
		i++;
	return ends[i];
}

/* heat - the table of who sent to whom */
static void
heat(struct buf *b, const struct report *r)
{
	const struct heat *h = &r->heat;
	const double *targets = r->knots->targets[r->warming];

	buf_printf(b, "<div class=\"scroll more\"><table>\n<thead><tr>"
	    "<th scope=\"col\" class=\"l\">%s</th>", subject_names[h->kind]);
	for (size_t j = 0; j < h->nproviders; j++) {
		buf_str(b, "<th scope=\"col\">");
		markup_text(b, h->providers[j]);
		buf_str(b, "</th>");
	}
	buf_str(b, "</tr></thead>\n<tbody>\n");
	for (size_t i = 0; i < h->nnames; i++) {
		buf_str(b, "<tr><th scope=\"row\">");
		markup_text(b, h->names[i]);
		buf_str(b, "</th>");
		for (size_t j = 0; j < h->nproviders; j++) {
			const uint64_t *n = h->cells[i * h->nproviders + j];
			struct share s = rate_of(n, RATE_DELIVERED);
			bool bad = s.n > 0 && share_value(s) <
			    targets[TARGET_DELIVERED];

			buf_str(b, bad ? "<td class=\"bad\">! " : "<td>");
			html_share(b, s, 1);
			if (s.n > 0) {
				buf_str(b, " <span class=\"dim\">/ ");
				html_share(b, rate_of(n, RATE_DEFERRAL), 1);
				buf_str(b, "</span>");
			}
			buf_str(b, "</td>");
		}
		buf_str(b, "</tr>\n");
	}
	html_table_end(b);
}

/* report_html_providers - small pictures, then the table */
void
report_html_providers(const struct report *r, struct buf *b)
{
	double low;

	if (r->heat.nproviders == 0)
		return;
	low = lowest(r);
	html_section(b, "Providers", "Delivered hangs from 100 %, deferred "
	    "(broken) stands on 0 %; a percent is as high in all of them. The "
	    "period is shaded.");
	buf_str(b, "<div class=\"grid four\" id=\"chart-e\">\n");
	for (size_t i = 0; i < r->heat.nproviders; i++)
		provider(b, r, i, low);
	buf_str(b, "</div>\n");
	figures_of(b, r);
	if (r->heat.nnames > 0) {
		buf_str(b, "<p class=\"note more\">Delivered / deferred of the "
		    "period, by who sent to whom. ! misses the target.</p>\n");
		heat(b, r);
	}
}

/* --- (g): warmups --------------------------------------------------------- */

/* marks_of - for the curve */
static size_t
marks_of(const struct warm *w, struct chart_mark *out, size_t most)
{
	size_t n = w->nmarks < most ? w->nmarks : most;
	size_t first = w->nmarks - n;

	for (size_t i = 0; i < n; i++) {
		const struct warm_mark *k = &w->marks[first + i];

		out[i] = (struct chart_mark){ k->date, (double)k->cap,
		    (double)k->used, k->rule, k->back };
	}
	return n;
}

/* figures - of the curve */
static void
figures(struct buf *b, const struct warm *w)
{
	static const char *const headings[] = { "<day", "of the schedule",
	    "its number", "used", "rule", NULL };
	char day[16];

	html_details(b, headings);
	for (size_t i = 0; i < w->nmarks; i++) {
		const struct warm_mark *k = &w->marks[i];

		buf_printf(b, "<tr><th scope=\"row\">%s</th>",
		    day_text(k->date, day));
		html_td_number(b, (uint64_t)k->day);
		html_td_number(b, (uint64_t)k->cap);
		html_td_number(b, (uint64_t)k->used);
		html_td(b, "", slice_of(k->rule));
		buf_str(b, "</tr>\n");
	}
	html_details_end(b);
}

/* warm - a card */
static void
warm(struct buf *b, const struct warm *w, size_t at, bool drawn)
{
	struct chart_mark marks[64];
	size_t n;
	char id[32];

	buf_str(b, "<div class=\"card\"><h3>");
	markup_text(b, w->name);
	buf_printf(b, " <span class=\"badge %s\">%s</span></h3>\n",
	    w->stopped ? "b4" : w->warmed ? "b1" : "b0", w->stopped ?
	    "■ stopped" : w->warmed ? "● warm" : "○ warming up");
	buf_str(b, "<p class=\"note\">");
	if (w->days > 0)
		buf_printf(b, "day %d of %d. ", w->day, w->days);
	markup_text(b, w->said);
	buf_str(b, "</p>\n");
	if (drawn && (n = marks_of(w, marks, 64)) > 0) {
		snprintf(id, sizeof(id), "g%zu", at + 1);
		chart_curve(b, id, "Warmup", "The number of each day as a "
		    "stepped line, what was used of it as bars, and a mark "
		    "where a rule held it, put it back or stopped it", marks,
		    n);
		figures(b, w);
	}
	buf_str(b, "</div>\n");
}

/* report_html_warmups - the first with their curves */
void
report_html_warmups(const struct report *r, struct buf *b)
{
	enum { DRAWN = 8 };

	if (r->nwarms == 0)
		return;
	html_section(b, "Warmup", "Line: the number of the day. Bars: what was "
	    "used of it. ▼ a rule held it, put it back or stopped it.");
	buf_str(b, "<div class=\"grid two\" id=\"chart-g\">\n");
	for (size_t i = 0; i < r->nwarms; i++)
		warm(b, &r->warms[i], i, i < DRAWN);
	buf_str(b, "</div>\n");
	if (r->warms_all > r->nwarms)
		buf_printf(b, "<p class=\"note\">%zu more: penstock warmup "
		    "shows them.</p>\n", r->warms_all - r->nwarms);
}
