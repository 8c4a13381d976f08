/*
 * report_html - the report as one page, for people who have no terminal.
 *
 * No script and no request: style and pictures stand in the page, and its own
 * policy allows that one style, by its hash, and nothing else.  So it may be
 * mailed, kept and shown under any policy of a server.  What is wrong comes
 * first; every picture has its figures as a table below it; tables have at most
 * REPORT_ROWS rows, so that the page stays small in the largest house.
 */
#include "tools/report_html_in.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/date.h"
#include "lib/hash.h"

/* html_number - with commas */
void
html_number(struct buf *b, uint64_t n)
{
	char out[32];

	buf_printf(b, "<data value=\"%" PRIu64 "\">%s</data>", n,
	    number_text(n, out));
}

/* html_share - in percent; of nothing it is n/a */
void
html_share(struct buf *b, struct share s, int decimals)
{
	if (s.n == 0)
		buf_str(b, "<span class=\"dim\">n/a</span>");
	else
		buf_printf(b, "<data value=\"%.6g\">%.*f&nbsp;%%</data>",
		    share_value(s), share_value(s) >= 1 ? 0 : decimals,
		    100 * share_value(s));
}

/* html_td_number - in a cell */
void
html_td_number(struct buf *b, uint64_t n)
{
	buf_str(b, "<td>");
	html_number(b, n);
	buf_str(b, "</td>");
}

/* html_td_share - in a cell */
void
html_td_share(struct buf *b, struct share s, int decimals, bool bad)
{
	buf_str(b, bad ? "<td class=\"bad\">! " : "<td>");
	html_share(b, s, decimals);
	buf_str(b, "</td>");
}

/* html_td - a cell of text */
void
html_td(struct buf *b, const char *class, struct slice s)
{
	buf_printf(b, "<td class=\"%s\">", class);
	markup_text(b, s);
	buf_str(b, "</td>");
}

/* html_table - its headings */
void
html_table(struct buf *b, const char *class, const char *const *headings)
{
	buf_printf(b, "<div class=\"scroll%s\"><table>\n<thead><tr>", class);
	for (size_t i = 0; headings[i] != NULL; i++) {
		bool left = *headings[i] == '<';

		buf_str(b, left ? "<th scope=\"col\" class=\"l\">" :
		    "<th scope=\"col\">");
		markup_str(b, headings[i] + left);
		buf_str(b, "</th>");
	}
	buf_str(b, "</tr></thead>\n<tbody>\n");
}

/* html_table_end - of it */
void
html_table_end(struct buf *b)
{
	buf_str(b, "</tbody></table></div>\n");
}

/* html_section - a heading, and a sentence below it */
void
html_section(struct buf *b, const char *title, const char *note)
{
	buf_str(b, "\n<h2>");
	markup_str(b, title);
	buf_str(b, "</h2>\n");
	if (note == NULL)
		return;
	buf_str(b, "<p class=\"note\">");
	markup_str(b, note);
	buf_str(b, "</p>\n");
}

/* html_badge - a tier: shape, word and colour */
void
html_badge(struct buf *b, enum tier tier)
{
	static const char *const shapes[] = { "○", "●", "▲", "◆", "■" };

	buf_printf(b, "<span class=\"badge b%d\">%s %s</span>", (int)tier,
	    shapes[tier], tier_names[tier]);
}

/* --- the head ------------------------------------------------------------- */

/* day_words - "16 November 2026" */
static void
day_words(struct buf *b, int32_t at)
{
	static const char *const months[] = { "January", "February", "March",
	    "April", "May", "June", "July", "August", "September", "October",
	    "November", "December" };
	int64_t year;
	int month, day;

	date_of(at, &year, &month, &day);
	buf_printf(b, "%d %s %d", day, months[month - 1], (int)year);
}

/* period - in words */
static void
period(struct buf *b, const struct report *r)
{
	const struct period *p = &r->period;

	if (p->unit != PERIOD_DAY) {
		buf_printf(b, "%s, ", p->name);
		day_words(b, p->from);
		buf_str(b, " to ");
	}
	day_words(b, p->until - 1);
	buf_str(b, " (UTC)");
}

/* head - up to the style, and what the page may load: nothing */
static void
head(struct buf *b, const struct report *r, struct slice line)
{
	uint8_t sum[HASH_SHA256];
	char hash[64];
	struct buf whose = BUF_INIT;

	hash_sha256(report_css, strlen(report_css), sum);
	hash[base64_encode(sum, sizeof(sum), hash)] = '\0';
	report_whose(r, &whose);
	buf_printf(b, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
	    "<meta charset=\"utf-8\">\n<meta http-equiv=\""
	    "Content-Security-Policy\" content=\"default-src 'none'; "
	    "style-src 'sha256-%s'; base-uri 'none'; form-action 'none'\">\n"
	    "<meta name=\"viewport\" content=\"width=device-width, "
	    "initial-scale=1\">\n<meta name=\"robots\" content=\"noindex\">\n"
	    "<title>%s: ", hash, r->period.name);
	markup_text(b, line);
	buf_str(b, " - ");
	markup_text(b, buf_slice(&whose));
	buf_printf(b, "</title>\n<style>%s</style>\n</head>\n<body>\n",
	    report_css);
	buf_free(&whose);
}

/* complete - how much of it is known, and up to where */
static void
complete(struct buf *b, const struct report *r)
{
	char day[16];

	if (r->all.now[TALLY_ACCEPTED] > 0)
		buf_printf(b, "<p class=\"note\">The outcome is known of "
		    "%.1f&nbsp;%% of the recipients accepted.",
		    100 * report_known(r));
	else
		buf_str(b, "<p class=\"note\">No mail was accepted in this "
		    "period.");
	if (r->first <= r->last && r->last < r->period.until - 1)
		buf_printf(b, " It is not over: the last day with mail is %s.",
		    day_text(r->last, day));
	for (size_t i = 0; i < r->nmissing; i++) {
		buf_char(b, ' ');
		markup_str(b, r->missing[i]);
	}
	buf_str(b, "</p>\n");
}

/* top - whose, when, and what to know */
static void
top(struct buf *b, const struct report *r, struct slice line)
{
	struct buf whose = BUF_INIT;

	report_whose(r, &whose);
	buf_str(b, "<header>\n<p class=\"kicker\">Penstock reputation report "
	    "· ");
	markup_text(b, buf_slice(&whose));
	buf_str(b, " · ");
	period(b, r);
	buf_str(b, "</p>\n<h1>");
	markup_text(b, line);
	buf_str(b, "</h1>\n");
	complete(b, r);
	buf_str(b, "<p class=\"label\">");
	markup_str(b, r->label);
	buf_str(b, "</p>\n</header>\n");
	buf_free(&whose);
}

/* --- targets -------------------------------------------------------------- */

/* kpi - one card */
static void
kpi(struct buf *b, const struct report *r, enum target which)
{
	static const char *const names[] = { "Bounces", "Complaints",
	    "Delivered" };
	static const char *const of[] = { "recipients whose outcome is known",
	    "delivered where complaints are reported",
	    "recipients whose outcome is known" };
	static const enum rate rates[] = { RATE_BOUNCE, RATE_COMPLAINT,
	    RATE_DELIVERED };
	const struct kpi *k = &r->kpis[which];
	int decimals = which == TARGET_DELIVERED ? 1 : 2;
	char was[32];

	buf_printf(b, "<div class=\"card kpi\"><span class=\"what\">%s "
	    "<span class=\"badge %s\">%s</span></span><b>", names[which],
	    k->is.n == 0 ? "b0" : k->met ? "b1" : "b4", k->is.n == 0 ?
	    "○ n/a" : k->met ? "✓ met" : "✗ missed");
	html_share(b, k->is, decimals);
	buf_printf(b, "</b><span class=\"note\">target %s %.*f&nbsp;%% · "
	    "before %s<br>of ", which == TARGET_DELIVERED ? "≥" : "&lt;",
	    decimals, 100 * k->target, share_text(rate_of(r->all.before,
	    rates[which]), decimals, was));
	html_number(b, k->is.n);
	buf_printf(b, " %s</span></div>\n", of[which]);
}

/* volume - the fourth card */
static void
volume(struct buf *b, const struct report *r)
{
	uint64_t now = r->all.now[TALLY_ACCEPTED];
	uint64_t before = r->all.before[TALLY_ACCEPTED];

	buf_str(b, "<div class=\"card kpi\"><span class=\"what\">Sent</span>"
	    "<b>");
	html_number(b, now);
	buf_str(b, "</b><span class=\"note\">recipients accepted · before ");
	html_number(b, before);
	if (before > 0)
		buf_printf(b, " (%+.0f&nbsp;%%)", 100 * ((double)now /
		    (double)before - 1));
	buf_str(b, "<br>in ");
	html_number(b, r->all.now[TALLY_MESSAGES]);
	buf_str(b, " messages</span></div>\n");
}

/* kpis - in a row */
static void
kpis(struct buf *b, const struct report *r)
{
	buf_str(b, "<div class=\"grid kpis\">\n");
	for (int i = 0; i < TARGETS; i++)
		kpi(b, r, (enum target)i);
	volume(b, r);
	buf_str(b, "</div>\n");
	if (r->warming)
		buf_str(b, "<p class=\"note\">Most of it left by addresses "
		    "that warm up; the targets are those of warming up.</p>\n");
	if (r->all.now[TALLY_ACCEPTED] > 0 &&
	    r->kpis[TARGET_COMPLAINT].is.n == 0)
		buf_str(b, "<p class=\"note\">Nothing was delivered where "
		    "complaints are reported, so nobody knows their share: "
		    "n/a is not 0.</p>\n");
}

/* --- all ------------------------------------------------------------------ */

/* foot - how to read it */
static void
foot(struct buf *b, const struct report *r)
{
	buf_str(b, "\n<footer>\n<p>Bounces are refusals since there is no such "
	    "mailbox or domain, one per recipient and message. Blocked is "
	    "what was refused for reputation, content or authentication. "
	    "Deferred counts a recipient once a day. Complaints are a share "
	    "of what was delivered where complaints are reported. Points of a "
	    "score come from the lower bound of what was seen, so that few "
	    "events among few messages cannot shout.</p>\n");
	if (report_scoped(r))
		buf_str(b, "<p>These are the figures of one sender alone. Of "
		    "pools and addresses that others use, too, only this part "
		    "is shown; what is known of them as a whole is left out."
		    "</p>\n");
	buf_str(b, "<p>Days are those of UTC.");
	if (!report_scoped(r))		/* all tenants' mail is in the numbers */
		buf_printf(b, " As of event %" PRIu64 " and outcome %" PRIu64
		    ".", r->event, r->outcome);
	buf_str(b, "</p>\n</footer>\n</body>\n</html>\n");
}

/* report_html - the whole page */
void
report_html(const struct report *r, struct buf *b)
{
	struct buf line = BUF_INIT;

	report_headline(r, &line);
	head(b, r, buf_slice(&line));
	top(b, r, buf_slice(&line));
	kpis(b, r);
	report_html_wrong(r, b);
	report_html_charts(r, b);
	report_html_tables(r, b);
	report_html_year(r, b);
	report_html_providers(r, b);
	report_html_refusals(r, b);
	report_html_warmups(r, b);
	report_html_receivers(r, b);
	html_section(b, "Alerts", NULL);
	buf_str(b, "<p>No alert is on record.</p>\n");
	foot(b, r);
	buf_free(&line);
}
