/*
 * report_text_more - blocks 4 to 8 of the report on a terminal: providers,
 * refusals, warmups, what receivers say, alerts.
 */
#include "tools/report_pen.h"

#include <stdio.h>
#include <string.h>

#define BAR	20
#define CELL	13		/* columns of a provider */
#define OFFICIALS	16	/* lines */

/* --- block 4: who sent to whom -------------------------------------------- */

/* cell - delivered and deferred, and a sign when one of them is bad */
static void
cell(const struct report *r, const struct pen *p, const uint64_t n[TALLIES])
{
	struct share delivered = rate_of(n, RATE_DELIVERED);
	struct share deferred = rate_of(n, RATE_DEFERRAL);
	bool bad = delivered.n > 0 && (share_value(delivered) <
	    r->knots->targets[r->warming][TARGET_DELIVERED] ||
	    share_value(deferred) >= 0.15);
	char out[64] = "-";

	if (delivered.n > 0)
		snprintf(out, sizeof(out), "%s%.1f/%.1f", bad ? "!" : "",
		    100 * share_value(delivered), 100 * share_value(deferred));
	if (bad)
		pen_ink(p, INK_BAD);
	pen_right(p, out, CELL);
	if (bad)
		pen_ink(p, INK_PLAIN);
}

/* heat - a row per sender, a column per provider */
static void
heat(const struct report *r, const struct pen *p)
{
	const struct heat *h = &r->heat;
	size_t wide = p->columns >= 116 ? 24 : 15;
	size_t most = (p->columns - wide) / CELL;
	size_t n = h->nproviders < most ? h->nproviders : most;

	if (h->nnames == 0 || n == 0)
		return;
	pen_head(p, "PROVIDERS: delivered % / deferred %");
	pen_ink(p, INK_DIM);
	buf_printf(p->b, "%-*s", (int)wide, subject_names[h->kind]);
	for (size_t j = 0; j < n; j++) {
		size_t len = h->providers[j].n;

		pen_pad(p, len < CELL - 1 ? CELL - len : 1);
		(void)pen_clean(p, h->providers[j], CELL - 1);
	}
	pen_ink(p, INK_PLAIN);
	buf_char(p->b, '\n');
	for (size_t i = 0; i < h->nnames; i++) {
		pen_name(p, h->names[i], wide);
		for (size_t j = 0; j < n; j++)
			cell(r, p, h->cells[i * h->nproviders + j]);
		buf_char(p->b, '\n');
	}
	pen_ink(p, INK_DIM);
	pen_line(p, "! less delivered than the target, or 15 %% deferred");
	pen_ink(p, INK_PLAIN);
}

/* --- block 5: what refusals meant ----------------------------------------- */

/* refusals - and a reply of each */
static void
refusals(const struct report *r, const struct pen *p)
{
	char out[32];

	if (r->nwords == 0)
		return;
	pen_head(p, "WHAT SERVERS SAID");
	for (size_t i = 0; i < r->nwords; i++) {
		const struct wording_row *w = &r->words[i];

		pen_right(p, pen_count(w->count, 9, out), 9);
		buf_printf(p->b, "  %-8.*s  ", SLICE_ARG(w->kind));
		(void)pen_clean(p, w->category, 24);
		if (w->provider.n > 0) {
			buf_str(p->b, ", ");
			(void)pen_clean(p, w->provider, 24);
		}
		buf_char(p->b, '\n');
		if (w->sample.n == 0)
			continue;
		pen_pad(p, 11);
		pen_ink(p, INK_DIM);
		pen_wrap(p, 11, 11, (struct slice){ w->sample.p,
		    w->sample.n < 240 ? w->sample.n : 240 });
		pen_ink(p, INK_PLAIN);
	}
	if (r->words_rest > 0) {
		pen_right(p, pen_count(r->words_rest, 9, out), 9);
		buf_str(p->b, "  of other meanings\n");
	}
}

/* --- block 6: warmups ----------------------------------------------------- */

/* bar - how much of the day's number was used */
static void
bar(const struct pen *p, int64_t used, int64_t cap)
{
	int full = cap <= 0 ? 0 : used >= cap ? BAR :
	    (int)((double)used * BAR / (double)cap);

	buf_char(p->b, '[');
	for (int i = 0; i < BAR; i++)
		buf_char(p->b, i < full ? '#' : '.');
	buf_char(p->b, ']');
}

/* warm - one of them */
static void
warm(const struct pen *p, const struct warm *w)
{
	const struct warm_mark *last = w->nmarks > 0 ?
	    &w->marks[w->nmarks - 1] : NULL;
	char used[32], cap[32], day[16];

	pen_name(p, w->name, 24);
	if (w->stopped) {
		pen_ink(p, INK_BAD);
		buf_str(p->b, "STOPPED ");
		pen_ink(p, INK_PLAIN);
	} else if (w->warmed) {
		buf_str(p->b, "warm    ");
	}
	if (w->days > 0)
		buf_printf(p->b, "day %d of %d\n", w->day, w->days);
	else
		buf_printf(p->b, "day %d\n", w->day);
	if (last != NULL) {
		buf_printf(p->b, "  %s  ", day_text(last->date, day));
		bar(p, last->used, last->cap);
		buf_printf(p->b, " %s of %s\n", number_text(
		    (uint64_t)last->used, used), number_text(
		    (uint64_t)last->cap, cap));
	}
	if (w->said.n > 0) {
		buf_str(p->b, "  ");
		pen_wrap(p, 2, 2, w->said);
	}
}

/* warmups - as they were judged last */
static void
warmups(const struct report *r, const struct pen *p)
{
	if (r->nwarms == 0)
		return;
	pen_head(p, "WARMUP, by the last day that was judged");
	for (size_t i = 0; i < r->nwarms; i++)
		warm(p, &r->warms[i]);
	if (r->warms_all > r->nwarms)
		pen_line(p, "%zu more: penstock warmup", r->warms_all -
		    r->nwarms);
}

/* --- block 7: what receivers say ------------------------------------------ */

/* dmarc - totals of reports */
static void
dmarc(const struct report *r, const struct pen *p)
{
	char out[32];

	if (r->ndmarc == 0)
		return;
	pen_head(p, "DMARC REPORTS OF RECEIVERS");
	pen_ink(p, INK_DIM);
	buf_printf(p->b, "%-24s%11s%11s%11s%11s%11s\n", "domain", "messages",
	    "aligned%", "failing", "sources", "rejected");
	pen_ink(p, INK_PLAIN);
	for (size_t i = 0; i < r->ndmarc; i++) {
		const struct dmarc_row *d = &r->dmarc[i];
		uint64_t all = d->aligned + d->failing;

		pen_name(p, d->domain, 24);
		pen_right(p, pen_count(all, 10, out), 11);
		snprintf(out, sizeof(out), "%.1f", 100 * share_value(
		    (struct share){ d->aligned, all }));
		pen_right(p, out, 11);
		pen_right(p, pen_count(d->failing, 10, out), 11);
		pen_right(p, pen_count(d->sources, 10, out), 11);
		pen_right(p, pen_count(d->rejected, 10, out), 11);
		buf_char(p->b, '\n');
	}
}

/* official - one figure, or why there is none */
static void
official(const struct pen *p, const struct snapshot *s)
{
	struct buf line = BUF_INIT;
	char day[16];

	(void)pen_clean(p, s->provider, 12);
	buf_char(p->b, ' ');
	(void)pen_clean(p, s->subject, p->columns - 40);
	buf_str(p->b, "\n  ");
	buf_printf(&line, "%s ", day_text(s->end, day));
	buf_slices(&line, s->metric);
	buf_char(&line, ' ');
	official_text(s, &line);
	if (s->note.n > 0)
		buf_str(&line, ", ");
	buf_slices(&line, s->note);
	pen_wrap(p, 2, 4, buf_slice(&line));
	buf_free(&line);
}

/* compared - do our scores go with what they say? */
static void
compared(const struct report *r, const struct pen *p)
{
	const struct calibration *c = &r->pairs;

	if (c->n == 0)
		return;
	pen_line(p, "Of %s our scores and theirs make %zu pair%s: %zu of "
	    "the same tier, %zu at most one apart.%s", report_scoped(r) ?
	    "eight weeks" : "a year", c->n, c->n == 1 ? "" :
	    "s", c->exact, c->near, c->enough ? "" : " That is not enough "
	    "evidence.");
}

/* officials - the label, word for word, and the latest of each */
static void
officials(const struct report *r, const struct pen *p)
{
	size_t n = r->nofficials < OFFICIALS ? r->nofficials : OFFICIALS;
	struct buf when = BUF_INIT;

	pen_head(p, "WHAT PROVIDERS SAY");
	buf_str(p->b, SNAPSHOT_LABEL "\n");
	for (size_t i = 0; i < n; i++)
		official(p, &r->officials[i]);
	if (n == 0)
		pen_line(p, "None in the 45 days before the period ended. That "
		    "says nothing of how they stand.");
	if (r->officials_all > n)
		pen_line(p, "%zu more: --json", r->officials_all - n);
	if (r->refresh > 0) {
		event_time(r->refresh, &when);
		pen_line(p, "Next eligible refresh: %.*s", SLICE_ARG(
		    ((struct slice){ when.data, when.len > 10 ? 10 :
		    when.len })));
	}
	buf_reset(&when);
	report_calls(r, &when);
	if (when.len > 0)
		pen_wrap(p, 0, 0, buf_slice(&when));
	buf_free(&when);
	compared(r, p);
}

/* report_text_more - in their order */
void
report_text_more(const struct report *r, const struct pen *p)
{
	heat(r, p);
	refusals(r, p);
	warmups(r, p);
	dmarc(r, p);
	officials(r, p);
	pen_head(p, "ALERTS");
	pen_line(p, "No alert is on record.");
}
