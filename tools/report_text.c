/*
 * report_text - the report on a terminal: what is wrong first, then the rest.
 *
 * Made for 80 and for 120 columns; other widths get the one that fits.  A name
 * that is too long for its column stands on a line of its own, so that figures
 * stay in line.  Blocks 4 to 8 are in report_text_more.c.
 */
#include "tools/report_pen.h"

#include <stdio.h>
#include <string.h>

#include "lib/date.h"

#define WIDE	116		/* columns from which on there is room */
#define TOLD	10		/* rows of a table */
#define NAME_BESIDE 18		/* bytes of a name with room beside it */

/* --- what it is about ----------------------------------------------------- */

/* day_long - "Mon 2026-11-16" */
static const char *
day_long(int32_t day, char out[32])
{
	static const char *const names[] = { "Mon", "Tue", "Wed", "Thu", "Fri",
	    "Sat", "Sun" };
	char text[16];

	snprintf(out, 32, "%s %s", names[date_weekday(day)],
	    day_text(day, text));
	return out;
}

/* period - its name and days */
static void
period(const struct report *r, const struct pen *p)
{
	const struct period *t = &r->period;
	char from[32], to[32];

	if (t->unit == PERIOD_DAY)
		buf_printf(p->b, "%s (UTC)\n", day_long(t->from, from));
	else
		buf_printf(p->b, "%s, %s to %s (UTC)\n", t->name,
		    day_long(t->from, from), day_long(t->until - 1, to));
}

/* complete - how much of it is known */
static void
complete(const struct report *r, const struct pen *p)
{
	char n[32];

	if (r->all.now[TALLY_ACCEPTED] == 0) {
		if (r->first > r->last)
			pen_line(p, "watch/ has no mail yet.");
		return;
	}
	pen_line(p, "The outcome is known of %.1f %% of %s recipients "
	    "accepted.", 100 * report_known(r), number_text(
	    r->all.now[TALLY_ACCEPTED], n));
	if (!report_scoped(r))		/* all tenants' mail is in the numbers */
		pen_line(p, "As of event %llu and outcome %llu.",
		    (unsigned long long)r->event,
		    (unsigned long long)r->outcome);
	if (r->last < r->period.until - 1) {
		char day[32];

		pen_line(p, "The period is not over: the last day with mail "
		    "is %s.", day_long(r->last, day));
	}
}

/* header - block 1 */
static void
header(const struct report *r, const struct pen *p)
{
	static const char title[] = "Penstock reputation report";
	struct buf whose = BUF_INIT;
	size_t room = p->columns - sizeof(title);

	report_whose(r, &whose);
	pen_ink(p, INK_BOLD);
	buf_str(p->b, title);
	pen_ink(p, INK_PLAIN);
	if (whose.len < room)
		pen_pad(p, room + 1 - whose.len);
	else
		buf_char(p->b, '\n');
	(void)pen_clean(p, buf_slice(&whose), p->columns);
	buf_char(p->b, '\n');
	buf_free(&whose);
	period(r, p);
	pen_line(p, "%s", r->label);
	complete(r, p);
	for (size_t i = 0; i < r->nmissing; i++)
		pen_line(p, "%s", r->missing[i]);
}

/* headline - in one line what a person should know */
static void
headline(const struct report *r, const struct pen *p)
{
	struct buf line = BUF_INIT;
	enum tier worst = r->nwrong > 0 ?
	    r->wrong[0].row->scored->score.tier : TIER_HEALTHY;

	report_headline(r, &line);
	buf_char(p->b, '\n');
	if (r->nwrong > 0)
		pen_ink(p, pen_tier(worst));
	else
		pen_ink(p, INK_BOLD);
	if (r->nwrong > 0)
		buf_printf(p->b, "%s ", pen_mark(p, worst));
	buf_slices(p->b, buf_slice(&line));
	pen_ink(p, INK_PLAIN);
	buf_char(p->b, '\n');
	buf_free(&line);
}

/* --- block 9, which stands first: are the targets met? -------------------- */

/* kpi - one of them */
static void
kpi(const struct report *r, const struct pen *p, enum target which)
{
	static const char *const names[] = { "bounces", "complaints",
	    "delivered" };
	static const enum rate rates[] = { RATE_BOUNCE, RATE_COMPLAINT,
	    RATE_DELIVERED };
	const struct kpi *k = &r->kpis[which];
	struct share before = rate_of(r->all.before, rates[which]);
	int decimals = which == TARGET_DELIVERED ? 1 : 2;
	char is[32], of[32], was[32];
	bool known = k->is.n > 0;

	pen_ink(p, !known ? INK_DIM : k->met ? INK_GOOD : INK_BAD);
	buf_printf(p->b, "  %-4s", !known ? "n/a" : k->met ? "met" : "MISS");
	pen_ink(p, INK_PLAIN);
	buf_printf(p->b, "  %-10s  ", names[which]);
	pen_right(p, share_text(k->is, decimals, is), 8);
	buf_printf(p->b, "  target %s %.*f %%  ", which == TARGET_DELIVERED ?
	    ">=" : "< ", decimals, 100 * k->target);
	buf_printf(p->b, "n = ");
	pen_right(p, pen_count(k->is.n, 11, of), 11);
	buf_printf(p->b, "  before %s\n", share_text(before, decimals, was));
}

/* kpis - the line of targets */
static void
kpis(const struct report *r, const struct pen *p)
{
	pen_head(p, r->warming ? "TARGETS, while most of it warms up" :
	    "TARGETS");
	for (int i = 0; i < TARGETS; i++)
		kpi(r, p, (enum target)i);
	if (r->kpis[TARGET_COMPLAINT].is.n == 0)
		pen_line(p, "  Nothing was delivered where complaints are "
		    "reported: that is n/a, not 0.");
}

/* --- block 3: reasons ----------------------------------------------------- */

/* reasons - of one subject */
static void
reasons(const struct pen *p, const struct wrong *w)
{
	const struct score *s = &w->row->scored->score;

	for (int i = 0; i < SIGNALS; i++) {
		if (w->said[i].n == 0)
			continue;
		buf_printf(p->b, "    %5.1f  ", s->points[i]);
		pen_wrap(p, 11, 11, w->said[i]);
	}
	if (!s->enough)
		pen_line(p, "           too few recipients this week to judge "
		    "again; the tier stays");
	for (size_t i = 0; i < w->nadvice; i++) {
		const struct advice *a = w->advice[i];
		const char *what = advice_names[a->what];

		buf_printf(p->b, "   advice  %s %s: ", a->id, what);
		pen_wrap(p, 11 + strlen(a->id) + 3 + strlen(what), 11,
		    a->text);
	}
}

/* wrong - one that is not well */
static void
wrong(const struct pen *p, const struct wrong *w)
{
	const struct scored *s = w->row->scored;
	char day[16];

	pen_ink(p, pen_tier(s->score.tier));
	buf_printf(p->b, "  %s %-8s", pen_mark(p, s->score.tier),
	    tier_names[s->score.tier]);
	pen_ink(p, INK_PLAIN);
	buf_printf(p->b, "  %s ", subject_names[w->row->kind]);
	pen_ink(p, INK_BOLD);
	(void)pen_clean(p, w->row->name, p->columns - 24);
	pen_ink(p, INK_PLAIN);
	if (w->row->name.n > NAME_BESIDE)
		buf_str(p->b, "\n        ");
	buf_printf(p->b, ", %.1f points, confidence %s, %s\n", s->score.total,
	    confidence_names[s->score.confidence], day_text(s->in.day, day));
	reasons(p, w);
}

/* wrongs - block 3 */
static void
wrongs(const struct report *r, const struct pen *p)
{
	if (r->nwrong == 0)
		return;
	pen_head(p, "WHAT IS WRONG, AND WHY");
	pen_line(p, "  Counts are of seven days, and by half of the seven "
	    "before.");
	for (size_t i = 0; i < r->nwrong; i++)
		wrong(p, &r->wrong[i]);
	if (r->wrongs > r->nwrong)
		pen_line(p, "  %zu more are not healthy: --json, --csv",
		    r->wrongs - r->nwrong);
	for (size_t i = 0; i < r->nwrong; i++)
		if (r->wrong[i].nadvice > 0) {
			pen_line(p, "  Nothing is done by itself: penstock "
			    "advice apply|dismiss ID --reason \"...\"");
			return;
		}
}

/* --- block 2: the tables -------------------------------------------------- */

/* percent - in its field, without the sign */
static void
percent(const struct pen *p, struct share s, int decimals, size_t wide)
{
	char out[32];

	if (s.n == 0)
		snprintf(out, sizeof(out), "n/a");
	else
		snprintf(out, sizeof(out), "%.*f", share_value(s) >= 0.9995 ?
		    0 : decimals, 100 * share_value(s));
	buf_char(p->b, ' ');
	pen_right(p, out, wide);
}

/* change - beside the period before */
static void
change(const struct pen *p, const struct row *row)
{
	uint64_t now = row->now[TALLY_ACCEPTED];
	uint64_t before = row->before[TALLY_ACCEPTED];
	char out[32];
	double d;

	if (before == 0)
		snprintf(out, sizeof(out), now > 0 ? "new" : "");
	else if ((d = 100 * ((double)now / (double)before - 1)) > 999)
		snprintf(out, sizeof(out), ">+999%%");
	else
		snprintf(out, sizeof(out), "%+.0f%%", d);
	buf_char(p->b, ' ');
	pen_right(p, out, 6);
}

/* score - points, tier, and how sure */
static void
score(const struct pen *p, const struct row *row, bool wide)
{
	const struct scored *s = row->scored;
	char out[32] = "-";

	if (s != NULL)
		snprintf(out, sizeof(out), "%s%.0f", !wide &&
		    s->score.confidence == CONFIDENCE_LOW ? "~" : "",
		    s->score.total);
	buf_char(p->b, ' ');
	pen_right(p, out, wide ? 5 : 4);
	buf_char(p->b, ' ');
	if (s != NULL)
		pen_ink(p, pen_tier(s->score.tier));
	pen_left(p, s == NULL ? "-" : s->score.tier == TIER_UNKNOWN ?
	    "no data" : tier_names[s->score.tier], 8);
	if (s != NULL)
		pen_ink(p, INK_PLAIN);
	if (wide) {
		buf_char(p->b, ' ');
		pen_left(p, s == NULL ? "" :
		    confidence_names[s->score.confidence], 6);
	}
}

/* weeks - the arrow and the line */
static void
weeks(const struct report *r, const struct pen *p, const struct row *row)
{
	static const char *const arrows[2][3] = { { "-", "=", "+" },
	    { "↘", "→", "↗" } };

	buf_printf(p->b, " %s", row->scored == NULL ? " " :
	    arrows[p->utf8][row->trend + 1]);
	pen_spark(p, r->knots, row->weeks, REPORT_SPARK);
}

/* row - of a table */
static void
row_print(const struct report *r, const struct pen *p, const struct row *row)
{
	bool wide = p->columns >= WIDE;
	char out[32];

	pen_name(p, row->name, wide ? 24 : 15);
	buf_char(p->b, ' ');
	pen_right(p, pen_count(row->now[TALLY_ACCEPTED], wide ? 10 : 8, out),
	    wide ? 10 : 8);
	if (wide)
		change(p, row);
	percent(p, rate_of(row->now, RATE_DELIVERED), 1, wide ? 6 : 5);
	percent(p, rate_of(row->now, RATE_BOUNCE), 2, wide ? 6 : 5);
	percent(p, rate_of(row->now, RATE_COMPLAINT), 2, wide ? 6 : 5);
	if (wide) {
		buf_char(p->b, ' ');
		pen_right(p, pen_count(rate_of(row->now, RATE_COMPLAINT).n, 9,
		    out), 9);
	}
	percent(p, rate_of(row->now, RATE_BLOCK), 2, wide ? 6 : 5);
	percent(p, rate_of(row->now, RATE_DEFERRAL), 1, wide ? 6 : 5);
	score(p, row, wide);
	weeks(r, p, row);
	buf_char(p->b, '\n');
}

/* headings - as wide as the rows */
static void
headings(const struct pen *p, const char *first)
{
	bool wide = p->columns >= WIDE;

	pen_ink(p, INK_DIM);
	buf_printf(p->b, "%-*s ", wide ? 24 : 15, first);
	if (wide)
		buf_printf(p->b, "%10s %6s %6s %6s %6s %9s %6s %6s %5s %-8s "
		    "%-6s 8 weeks", "sent", "change", "deliv%", "bounc%",
		    "compl%", "of n", "block%", "defer%", "score", "tier",
		    "sure");
	else
		buf_printf(p->b, "%8s %5s %5s %5s %5s %5s %4s %-8s 8 weeks",
		    "sent", "dlv%", "bnc%", "cmp%", "blk%", "dfr%", "scr",
		    "tier");
	pen_ink(p, INK_PLAIN);
	buf_char(p->b, '\n');
}

/* table - of one kind; false: there is nothing */
static bool
table(const struct report *r, const struct pen *p, enum subject_kind kind,
    const char *title, const char *first)
{
	const struct rows *rows = &r->rows[kind];

	if (rows->n == 0)
		return false;
	pen_head(p, title);
	headings(p, first);
	for (size_t i = 0; i < rows->n && i < TOLD; i++)
		row_print(r, p, &rows->list[i]);
	if (rows->n > TOLD)
		pen_line(p, "%zu more: --json, --csv", rows->n - TOLD);
	return true;
}

/* legend - what the signs mean */
static void
legend(const struct report *r, const struct pen *p)
{
	struct week w[6] = { { .known = false } };
	double at[6] = { 0, 0, r->knots->watch / 2, r->knots->watch,
	    r->knots->at_risk, r->knots->critical };

	pen_ink(p, INK_DIM);
	buf_str(p->b, "8 weeks of points, the last at the right: ");
	for (int i = 1; i < 6; i++) {
		w[i] = (struct week){ .known = true, .total = at[i] };
		pen_spark(p, r->knots, &w[i], 1);
		buf_printf(p->b, "%.0f+ ", at[i]);
	}
	pen_spark(p, r->knots, &w[0], 1);
	buf_str(p->b, "none\n");
	pen_line(p, p->utf8 ? "↗ worse than a week before, ↘ better%s" :
	    "+ worse than a week before, - better%s", p->columns >= WIDE ?
	    "" : "; ~ the score is not sure");
	pen_ink(p, INK_PLAIN);
}

/* tables - block 2 */
static void
tables(const struct report *r, const struct pen *p)
{
	bool any = table(r, p, SUBJECT_POOL, "POOLS", "pool");

	any |= table(r, p, SUBJECT_ADDRESS, "ADDRESSES", "address");
	any |= table(r, p, SUBJECT_TENANT, "TENANTS", "tenant");
	any |= table(r, p, SUBJECT_DOMAIN, "SENDING DOMAINS", "domain");
	if (any)
		legend(r, p);
	if (any && report_scoped(r))
		pen_line(p, "Of pools and addresses that others use, too, only "
		    "this part is shown; what is known of them as a whole is "
		    "left out.");
}

/* report_text - all of it */
void
report_text(const struct report *r, size_t columns, bool utf8, bool color,
    struct buf *b)
{
	struct pen p = { b, columns < 80 ? 80 : columns < WIDE ? 80 : 120,
		utf8, color };

	header(r, &p);
	headline(r, &p);
	kpis(r, &p);
	wrongs(r, &p);
	tables(r, &p);
	report_text_more(r, &p);
}
