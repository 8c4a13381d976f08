/*
 * report_overview - on one page: what may be lost, and by whom.
 *
 * Which tenants and pools are not well, what share of the mail and of their
 * value hangs on them, and where it goes.  It is a direction: a share of the
 * volume that may suffer, not a loss that will come.
 */
#include "tools/report_pen.h"

#include <stdio.h>

#define ROWS	10		/* of each table: all fits a page */
#define WIDE	116

/* percent - of a whole, or a dash */
static void
percent(const struct pen *p, double part, double whole, size_t wide)
{
	char out[32] = "-";

	if (whole > 0)
		snprintf(out, sizeof(out), "%.1f %%", 100 * part / whole);
	pen_right(p, out, wide);
}

/* change - beside the period before */
static void
change(const struct pen *p, uint64_t now, uint64_t before, size_t wide)
{
	char out[32] = "-";

	if (before > 0)
		snprintf(out, sizeof(out), "%+.0f %%", 100 * ((double)now /
		    (double)before - 1));
	pen_right(p, out, wide);
}

/* tiers - how much hangs on which */
static void
tiers(const struct report *r, const struct pen *p)
{
	double all = (double)r->all.now[TALLY_ACCEPTED];
	char out[32];

	pen_head(p, "WHAT HANGS ON WHOM: tenants by tier");
	pen_ink(p, INK_DIM);
	buf_printf(p->b, "%-20s%9s%13s%10s%10s%s\n", "tier", "tenants",
	    "recipients", "of all", "change", r->valued ? "  of value" : "");
	pen_ink(p, INK_PLAIN);
	for (int t = TIER_CRITICAL; t >= 0; t--) {
		pen_ink(p, pen_tier((enum tier)t));
		buf_printf(p->b, "%s %-18s", pen_mark(p, (enum tier)t),
		    t == TIER_UNKNOWN ? "not judged" : tier_names[t]);
		pen_ink(p, INK_PLAIN);
		pen_right(p, number_text(r->parts[t].n, out), 9);
		pen_right(p, pen_count(r->parts[t].now, 12, out), 13);
		percent(p, (double)r->parts[t].now, all, 10);
		change(p, r->parts[t].now, r->parts[t].before, 10);
		if (r->valued)
			percent(p, r->parts[t].value, r->value, 10);
		buf_char(p->b, '\n');
	}
	if (r->valued && r->unvalued > 0)
		pen_line(p, "%zu tenant%s with mail ha%s no value in the "
		    "policy and count%s for nothing there.", r->unvalued,
		    r->unvalued == 1 ? "" : "s", r->unvalued == 1 ? "s" :
		    "ve", r->unvalued == 1 ? "s" : "");
	if (!r->valued)
		pen_line(p, "No tenant has a value in the policy, so only mail "
		    "is counted: value = NUMBER in tenant (penstock-policy(5))."
		    );
}

/* row_print - a tenant or a pool that is not well */
static void
row_print(const struct report *r, const struct pen *p, const struct row *row)
{
	static const char *const trends[] = { "better", "same", "worse" };
	const struct score *s = &row->scored->score;
	size_t wide = p->columns >= WIDE ? 44 : 24;
	char out[32];

	pen_name(p, row->name, wide);
	buf_char(p->b, ' ');
	pen_ink(p, pen_tier(s->tier));
	buf_printf(p->b, "%s %-8s", pen_mark(p, s->tier), tier_names[s->tier]);
	pen_ink(p, INK_PLAIN);
	snprintf(out, sizeof(out), "%.0f", s->total);
	pen_right(p, out, 5);
	buf_printf(p->b, "  %-6s ", trends[row->trend + 1]);
	pen_spark(p, r->knots, row->weeks, REPORT_SPARK);
	percent(p, (double)row->now[TALLY_ACCEPTED],
	    (double)r->all.now[TALLY_ACCEPTED], 10);
	if (r->valued)
		percent(p, row->has_value ? row->value : 0, row->has_value ?
		    r->value : 0, 10);
	buf_char(p->b, '\n');
}

/* table - those of a kind that are not well; they stand first */
static void
table(const struct report *r, const struct pen *p, enum subject_kind kind,
    const char *title)
{
	const struct rows *rows = &r->rows[kind];
	const size_t *t = r->tiers[kind];
	size_t bad = t[TIER_WATCH] + t[TIER_AT_RISK] + t[TIER_CRITICAL];

	pen_head(p, title);
	if (bad == 0) {
		pen_line(p, "None of those that could be judged.");
		return;
	}
	pen_ink(p, INK_DIM);
	buf_printf(p->b, "%-*s   %-8s%5s  %-6s %-8s%10s%s\n",
	    p->columns >= WIDE ? 44 : 24, subject_names[kind], "tier",
	    "score", "trend", "8 weeks", "of mail", r->valued ?
	    "  of value" : "");
	pen_ink(p, INK_PLAIN);
	for (size_t i = 0; i < bad && i < ROWS; i++)
		row_print(r, p, &rows->list[i]);
	if (bad > ROWS)
		pen_line(p, "%zu more: penstock report --csv", bad - ROWS);
}

/* report_overview - one page */
void
report_overview(const struct report *r, size_t columns, bool utf8, bool color,
    struct buf *b)
{
	struct pen p = { b, columns < WIDE ? 80 : 120, utf8, color };
	struct buf words = BUF_INIT;
	char from[16], to[16];

	report_whose(r, &words);
	pen_ink(&p, INK_BOLD);
	buf_str(b, "Penstock: what is at risk");
	pen_ink(&p, INK_PLAIN);
	buf_str(b, ", ");
	(void)pen_clean(&p, buf_slice(&words), 80);
	buf_printf(b, "\n%s, %s to %s (UTC)\n", r->period.name,
	    day_text(r->period.from, from), day_text(r->period.until - 1, to));
	pen_line(&p, "%s", r->label);
	pen_line(&p, "This is directional: a share of the mail that may "
	    "suffer, not a loss that will come.");
	buf_reset(&words);
	report_headline(r, &words);
	buf_char(b, '\n');
	pen_ink(&p, r->wrongs > 0 ? INK_WATCH : INK_GOOD);
	(void)pen_clean(&p, buf_slice(&words), p.columns);
	pen_ink(&p, INK_PLAIN);
	buf_char(b, '\n');
	for (size_t i = 0; i < r->nmissing; i++)
		pen_line(&p, "%s", r->missing[i]);
	tiers(r, &p);
	table(r, &p, SUBJECT_TENANT, "TENANTS AT RISK");
	table(r, &p, SUBJECT_POOL, "POOLS AT RISK");
	pen_head(&p, "OPEN ALERTS");
	pen_line(&p, "No alert is on record.");
	buf_free(&words);
}
