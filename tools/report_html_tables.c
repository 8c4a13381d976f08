/*
 * report_html_tables - the page's tables: senders, refusals, what receivers
 * say.
 */
#include "tools/report_html_in.h"

#include <stdio.h>
#include <string.h>

#define SPARK_WIDE	76
#define SPARK_HIGH	18

/* spark - eight weeks of points, a bar each; its words are for ears */
static void
spark(struct buf *b, const struct report *r, const struct row *row)
{
	static const double high[] = { 1, 4, 8, 12, 17 };
	size_t known = 0;

	for (size_t i = 0; i < REPORT_SPARK; i++)
		known += row->weeks[i].known;
	if (known == 0) {
		buf_str(b, "<td class=\"l dim\">-</td>");
		return;
	}
	buf_printf(b, "<td class=\"l\"><svg class=\"spark\" viewBox=\"0 0 %d "
	    "%d\" role=\"img\"><title>", SPARK_WIDE, SPARK_HIGH);
	for (size_t i = 0; i < REPORT_SPARK; i++)
		if (row->weeks[i].known)
			buf_printf(b, "%.0f ", row->weeks[i].total);
		else
			buf_str(b, "- ");
	buf_printf(b, "points%s</title>", row->trend > 0 ? ", worse" :
	    row->trend < 0 ? ", better" : "");
	for (size_t i = 0; i < REPORT_SPARK; i++) {
		const struct week *w = &row->weeks[i];
		double d = w->total;
		int level = !w->known ? 0 : d < r->knots->watch ? 1 :
		    d < r->knots->at_risk ? 2 : d < r->knots->critical ? 3 : 4;

		buf_printf(b, "<rect class=\"t%d\" x=\"%zu\" y=\"%.0f\" "
		    "width=\"7\" height=\"%.0f\"/>", level, i * 8,
		    SPARK_HIGH - high[level], high[level]);
	}
	if (row->trend != 0)
		buf_printf(b, "<path class=\"t%d\" d=\"%s\"/>", row->trend > 0 ?
		    4 : 1, row->trend > 0 ? "M66 12l5-8 5 8z" :
		    "M66 6l5 8 5-8z");
	buf_str(b, "</svg></td>");
}

/* score - points and tier */
static void
score(struct buf *b, const struct row *row)
{
	const struct scored *s = row->scored;

	if (s == NULL) {
		buf_str(b, "<td class=\"dim\">-</td><td class=\"l dim\">not "
		    "judged</td>");
		return;
	}
	buf_printf(b, "<td><data value=\"%.6g\">%.1f</data></td>"
	    "<td class=\"l\">", s->score.total, s->score.total);
	html_badge(b, s->score.tier);
	if (s->score.tier != TIER_UNKNOWN && s->score.confidence ==
	    CONFIDENCE_LOW)
		buf_str(b, " <span class=\"dim\">not sure</span>");
	buf_str(b, "</td>");
}

/* row - of a table of senders */
static void
row_print(struct buf *b, const struct report *r, const struct row *row)
{
	const double *targets = r->knots->targets[r->warming];
	struct share delivered = rate_of(row->now, RATE_DELIVERED);
	struct share bounce = rate_of(row->now, RATE_BOUNCE);
	struct share complaint = rate_of(row->now, RATE_COMPLAINT);

	buf_str(b, "<tr><th scope=\"row\">");
	if (row->others > 0)
		buf_printf(b, "<span class=\"dim\">%zu others</span>",
		    row->others);
	else
		markup_text(b, row->name);
	buf_str(b, "</th>");
	html_td_number(b, row->now[TALLY_ACCEPTED]);
	html_td_share(b, delivered, 1, delivered.n > 0 &&
	    share_value(delivered) < targets[TARGET_DELIVERED]);
	html_td_share(b, bounce, 2, bounce.n > 0 &&
	    share_value(bounce) >= targets[TARGET_BOUNCE]);
	html_td_share(b, complaint, 2, complaint.n > 0 &&
	    share_value(complaint) >= targets[TARGET_COMPLAINT]);
	html_td_number(b, complaint.n);
	html_td_share(b, rate_of(row->now, RATE_BLOCK), 2, false);
	html_td_share(b, rate_of(row->now, RATE_DEFERRAL), 1, false);
	score(b, row);
	spark(b, r, row);
	buf_str(b, "</tr>\n");
}

/* table - of one kind */
static void
table(struct buf *b, const struct report *r, enum subject_kind kind,
    const char *title, const char *first)
{
	const struct rows *rows = &r->rows[kind];
	const char *headings[] = { first, "sent", "delivered", "bounces",
	    "complaints", "of", "blocked", "deferred", "points", "<tier",
	    "<8 weeks", NULL };

	if (rows->n == 0)
		return;
	buf_printf(b, "<h3 class=\"more\">%s</h3>\n", title);
	html_table(b, " senders", headings);
	for (size_t i = 0; i < rows->shown; i++)
		row_print(b, r, &rows->list[i]);
	if (rows->rest.others > 0)
		row_print(b, r, &rows->rest);
	html_table_end(b);
}

/* report_html_tables - who sent, and how it went */
void
report_html_tables(const struct report *r, struct buf *b)
{
	html_section(b, "Senders", "What is not well stands first, then who "
	    "sent most. ! misses a target.");
	table(b, r, SUBJECT_POOL, "Pools", "<pool");
	table(b, r, SUBJECT_ADDRESS, "Addresses", "<address");
	table(b, r, SUBJECT_TENANT, "Tenants", "<tenant");
	table(b, r, SUBJECT_DOMAIN, "Sending domains", "<domain");
	if (r->all.now[TALLY_ACCEPTED] == 0 && r->rows[SUBJECT_TENANT].n == 0)
		buf_str(b, "<p>Nobody sent anything.</p>\n");
}

/* report_html_refusals - what servers said */
void
report_html_refusals(const struct report *r, struct buf *b)
{
	static const char *const headings[] = { "<meaning", "<", "<the latest "
	    "reply, word for word", "recipients", NULL };

	if (r->nwords == 0)
		return;
	html_section(b, "What servers said", "Deferrals count a recipient once "
	    "a day.");
	html_table(b, "", headings);
	for (size_t i = 0; i < r->nwords; i++) {
		const struct wording_row *w = &r->words[i];

		buf_str(b, "<tr><th scope=\"row\" class=\"nw\">");
		markup_text(b, w->category);
		buf_str(b, "</th>");
		html_td(b, "l dim", w->kind);
		buf_str(b, "<td class=\"l wrap\">");
		if (w->provider.n > 0) {
			markup_text(b, w->provider);
			buf_str(b, ": ");
		}
		markup_text(b, (struct slice){ w->sample.p, w->sample.n < 400 ?
		    w->sample.n : 400 });
		buf_str(b, "</td>");
		html_td_number(b, w->count);
		buf_str(b, "</tr>\n");
	}
	if (r->words_rest > 0) {
		buf_str(b, "<tr><th scope=\"row\" class=\"dim\">other</th>"
		    "<td></td><td></td>");
		html_td_number(b, r->words_rest);
		buf_str(b, "</tr>\n");
	}
	html_table_end(b);
}

/* dmarc - totals of reports */
static void
dmarc(struct buf *b, const struct report *r)
{
	static const char *const headings[] = { "<domain", "messages",
	    "aligned", "by DKIM", "by SPF", "failing", "from sources",
	    "quarantined", "rejected", NULL };

	if (r->ndmarc == 0)
		return;
	html_section(b, "DMARC reports of receivers", "Who sent as these "
	    "domains, by what receivers reported. Anybody can mail a report.");
	html_table(b, "", headings);
	for (size_t i = 0; i < r->ndmarc; i++) {
		const struct dmarc_row *d = &r->dmarc[i];
		uint64_t all = d->aligned + d->failing;

		buf_str(b, "<tr><th scope=\"row\">");
		markup_text(b, d->domain);
		buf_str(b, "</th>");
		html_td_number(b, all);
		html_td_share(b, (struct share){ d->aligned, all }, 1, false);
		html_td_share(b, (struct share){ d->dkim, all }, 1, false);
		html_td_share(b, (struct share){ d->spf, all }, 1, false);
		html_td_number(b, d->failing);
		html_td_number(b, d->sources);
		html_td_number(b, d->quarantined);
		html_td_number(b, d->rejected);
		buf_str(b, "</tr>\n");
	}
	html_table_end(b);
}

/* official - one figure, or why there is none */
static void
official(struct buf *b, const struct snapshot *s)
{
	struct buf value = BUF_INIT;
	char day[16];

	buf_str(b, "<tr><th scope=\"row\">");
	markup_text(b, s->subject);
	buf_str(b, "</th>");
	html_td(b, "l", s->provider);
	html_td(b, "l", s->metric);
	buf_str(b, s->state == SNAPSHOT_AVAILABLE ? "<td>" :
	    "<td class=\"dim\">");
	official_text(s, &value);
	markup_text(b, buf_slice(&value));
	buf_free(&value);
	buf_printf(b, "</td><td>%s</td>", day_text(s->end, day));
	html_td(b, "l wrap", s->note);
	buf_str(b, "</tr>\n");
}

/* matrix - (h): our tiers beside theirs; a table is the best picture of it */
static void
matrix(struct buf *b, const struct report *r)
{
	const struct calibration *c = &r->pairs;
	static const char *const headings[] = { "<ours below, theirs beside",
	    "Healthy", "Watch", "At Risk", "Critical", NULL };

	if (c->n == 0)
		return;
	buf_printf(b, "<h3 class=\"more\">Our scores and theirs, of %s</h3>"
	    "\n<p class=\"note\">%zu pairs; %zu of the same tier, %zu at most "
	    "one apart.%s</p>\n<div id=\"chart-h\">", report_scoped(r) ?
	    "eight weeks" : "a year", c->n, c->exact, c->near,
	    c->enough ? "" : " That is not enough evidence.");
	html_table(b, " matrix", headings);
	for (int i = 0; i < CALIBRATE_TIERS; i++) {
		buf_str(b, "<tr><th scope=\"row\">");
		html_badge(b, (enum tier)(TIER_HEALTHY + i));
		buf_str(b, "</th>");
		for (int k = 0; k < CALIBRATE_TIERS; k++) {
			buf_str(b, i == k ? "<td class=\"same\">" : "<td>");
			html_number(b, c->matrix[i][k]);
			buf_str(b, "</td>");
		}
		buf_str(b, "</tr>\n");
	}
	html_table_end(b);
	buf_str(b, "</div>\n");
}

/* report_html_receivers - DMARC, and the snapshots under their label */
void
report_html_receivers(const struct report *r, struct buf *b)
{
	static const char *const headings[] = { "<subject", "<provider",
	    "<metric", "value", "until", "<note", NULL };
	size_t n = r->nofficials < 2 * REPORT_ROWS ? r->nofficials :
	    2 * REPORT_ROWS;
	struct buf when = BUF_INIT;

	dmarc(b, r);
	html_section(b, "What providers say", NULL);
	buf_str(b, "<p class=\"label\">" SNAPSHOT_LABEL "</p>\n");
	if (n > 0)
		html_table(b, "", headings);
	for (size_t i = 0; i < n; i++)
		official(b, &r->officials[i]);
	if (n > 0)
		html_table_end(b);
	else
		buf_str(b, "<p class=\"note more\">There is no snapshot of the "
		    "45 days before the period ended. That says nothing of how "
		    "they stand.</p>\n");
	if (r->officials_all > n)
		buf_printf(b, "<p class=\"note\">%zu more figures stand in the "
		    "JSON form.</p>\n", r->officials_all - n);
	if (r->refresh > 0) {
		event_time(r->refresh, &when);
		buf_printf(b, "<p class=\"note\">Next eligible refresh: %.*s"
		    "</p>\n", when.len > 10 ? 10 : (int)when.len,
		    when.data != NULL ? when.data : "");
	}
	buf_reset(&when);
	report_calls(r, &when);
	if (when.len > 0) {
		buf_str(b, "<p class=\"note\">");
		markup_text(b, buf_slice(&when));
		buf_str(b, "</p>\n");
	}
	buf_free(&when);
	matrix(b, r);
}
