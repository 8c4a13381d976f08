/*
 * report_html_in - what the files that write the page share; private to them.
 */
#ifndef TOOLS_REPORT_HTML_IN_H
#define TOOLS_REPORT_HTML_IN_H

#include "tools/chart.h"
#include "tools/report.h"

extern const char report_css[];			/* tools/report.css */

/* A number as people read it, and in <data> as programs do. */
void	html_number(struct buf *, uint64_t);
void	html_share(struct buf *, struct share, int decimals);
/* The same as a cell; bad: it misses a target, which is said in words. */
void	html_td_number(struct buf *, uint64_t);
void	html_td_share(struct buf *, struct share, int decimals, bool bad);
void	html_td(struct buf *, const char *class, struct slice);
/* A table with headings, those that begin with "<" at the left; its end. */
void	html_table(struct buf *, const char *class,
	    const char *const *headings);
void	html_table_end(struct buf *);
/* The figures of a picture, folded; its end. */
void	html_details(struct buf *, const char *const *headings);
void	html_details_end(struct buf *);
struct chart_days html_days(const struct report *);
struct chart_point html_point(const struct report *, struct share);
void	html_section(struct buf *, const char *title, const char *note);
void	html_badge(struct buf *, enum tier);

void	report_html_charts(const struct report *, struct buf *);
void	report_html_wrong(const struct report *, struct buf *);
void	report_html_year(const struct report *, struct buf *);
void	report_html_providers(const struct report *, struct buf *);
void	report_html_warmups(const struct report *, struct buf *);
void	report_html_tables(const struct report *, struct buf *);
void	report_html_refusals(const struct report *, struct buf *);
void	report_html_receivers(const struct report *, struct buf *);

#endif
