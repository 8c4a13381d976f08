/*
 * report_csv - one row per subject, for a spreadsheet.
 *
 * Columns only ever get more, at the end.  What nobody knows is empty.  A name
 * that a spreadsheet would take for a formula gets an apostrophe before it:
 * sending domains and logins are not always of our making.
 */
#include "tools/report.h"

#include <inttypes.h>
#include <string.h>

#include "lib/csv.h"

/* number - a count */
static void
number(struct buf *b, uint64_t n)
{
	buf_printf(b, ",%" PRIu64, n);
}

/* share - as a number between 0 and 1, or nothing */
static void
share(struct buf *b, struct share s)
{
	if (s.n > 0)
		buf_printf(b, ",%.6g", share_value(s));
	else
		buf_char(b, ',');
}

/* words - a name that stays one */
static void
words(struct buf *b, struct slice s, bool first)
{
	struct buf safe = BUF_INIT;

	if (s.n > 0 && strchr("=+-@\t\r", s.p[0]) != NULL)
		buf_char(&safe, '\'');
	buf_slices(&safe, s);
	csv_put(b, buf_slice(&safe), first);
	buf_free(&safe);
}

/* score - or empty columns */
static void
score(struct buf *b, const struct scored *s)
{
	if (s == NULL) {
		buf_str(b, ",,,,");
		return;
	}
	words(b, slice_of(tier_names[s->score.tier]), false);
	buf_printf(b, ",%.6g,", s->score.total);
	buf_str(b, confidence_names[s->score.confidence]);
	buf_str(b, s->score.enough ? ",yes" : ",no");
}

/* row - of a subject */
static void
row(struct buf *b, const struct report *r, const struct row *x)
{
	char from[16], to[16];

	words(b, slice_of(subject_names[x->kind]), true);
	words(b, x->name, false);
	buf_printf(b, ",%s,%s", day_text(r->period.from, from),
	    day_text(r->period.until - 1, to));
	for (int i = 0; i < TALLIES; i++)
		number(b, x->now[i]);
	for (int i = 0; i < RATES; i++)
		share(b, rate_of(x->now, (enum rate)i));
	number(b, x->before[TALLY_ACCEPTED]);
	score(b, x->scored);
	buf_str(b, "\r\n");
}

/* report_csv - with a heading */
void
report_csv(const struct report *r, struct buf *b)
{
	buf_str(b, "kind,name,from,to");
	for (int i = 0; i < TALLIES; i++)
		buf_printf(b, ",%s", tally_names[i]);
	for (int i = 0; i < RATES; i++)
		buf_printf(b, ",%s_share", rate_names[i]);
	buf_str(b, ",accepted_before,tier,score,confidence,enough_data\r\n");
	row(b, r, &r->all);
	for (int k = 0; k < SUBJECT_KINDS; k++)
		for (size_t i = 0; i < r->rows[k].n; i++)
			row(b, r, &r->rows[k].list[i]);
}
