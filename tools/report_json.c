/*
 * report_json - the whole model for machines; schema 1.
 *
 * Names are snake_case and stay: a later release adds, and never takes away or
 * gives another sense without a new number.  What nobody knows is null, and
 * a share stands beside the x and n that it is made of.  The schema is in
 * penstock-report(1).
 */
#include "tools/report.h"

#include <inttypes.h>
#include <string.h>

/* sep - a comma, unless something has just begun */
static void
sep(struct buf *b)
{
	if (b->len > 0 && strchr("{[:", b->data[b->len - 1]) == NULL)
		buf_char(b, ',');
}

/* name - of a member, whose value follows */
static void
name(struct buf *b, const char *key)
{
	sep(b);
	buf_printf(b, "\"%s\":", key);
}

/* text - a string, or null where there is none */
static void
text(struct buf *b, const char *key, struct slice s)
{
	name(b, key);
	if (s.n > 0)
		buf_json(b, s);
	else
		buf_str(b, "null");
}

/* number - a count */
static void
number(struct buf *b, const char *key, uint64_t n)
{
	name(b, key);
	buf_printf(b, "%" PRIu64, n);
}

/* real - a share, a score, a z */
static void
real(struct buf *b, const char *key, double d)
{
	name(b, key);
	buf_printf(b, "%.6g", d);
}

/* yes - true or false */
static void
yes(struct buf *b, const char *key, bool is)
{
	name(b, key);
	buf_str(b, is ? "true" : "false");
}

/* date - "2026-11-24" */
static void
date(struct buf *b, const char *key, int32_t day)
{
	char out[16];

	text(b, key, slice_of(day_text(day, out)));
}

/* moment - RFC 3339, or null */
static void
moment(struct buf *b, const char *key, int64_t us)
{
	name(b, key);
	if (us == 0) {
		buf_str(b, "null");
		return;
	}
	buf_char(b, '"');
	event_time(us, b);
	buf_char(b, '"');
}

/* share - x, n and what they make */
static void
share(struct buf *b, const char *key, struct share s)
{
	name(b, key);
	buf_char(b, '{');
	number(b, "x", s.x);
	number(b, "n", s.n);
	if (s.n > 0)
		real(b, "share", share_value(s));
	else
		text(b, "share", SLICE_NONE);
	buf_char(b, '}');
}

/* tallies - all counts of an object that has begun */
static void
tallies(struct buf *b, const uint64_t n[TALLIES])
{
	for (int i = 0; i < TALLIES; i++)
		number(b, tally_names[i], n[i]);
}

/* rates - of the same counts */
static void
rates(struct buf *b, const uint64_t n[TALLIES])
{
	name(b, "rates");
	buf_char(b, '{');
	for (int i = 0; i < RATES; i++)
		share(b, rate_names[i], rate_of(n, (enum rate)i));
	buf_char(b, '}');
}

/* sums - of two periods */
static void
sums(struct buf *b, const struct row *row)
{
	name(b, "now");
	buf_char(b, '{');
	tallies(b, row->now);
	buf_char(b, '}');
	name(b, "before");
	buf_char(b, '{');
	tallies(b, row->before);
	buf_char(b, '}');
	rates(b, row->now);
}

/* signals - what each one adds */
static void
signals(struct buf *b, const struct scored *s)
{
	name(b, "signals");
	buf_char(b, '{');
	for (int i = 0; i < SIGNALS; i++) {
		name(b, signal_names[i]);
		buf_char(b, '{');
		real(b, "points", s->score.points[i]);
		yes(b, "known", s->in.known[i]);
		if (i != SIGNAL_VOLUME && i != SIGNAL_POLICY &&
		    s->in.known[i]) {
			real(b, "x", (double)s->in.x2[i] / 2);
			real(b, "n", (double)s->in.n2[i] / 2);
			real(b, "low", s->score.low[i]);
			real(b, "raw", s->score.raw[i]);
			real(b, "high", s->score.high[i]);
		}
		buf_char(b, '}');
	}
	buf_char(b, '}');
}

/* score - or null */
static void
score(struct buf *b, const struct scored *s)
{
	name(b, "score");
	if (s == NULL) {
		buf_str(b, "null");
		return;
	}
	buf_char(b, '{');
	date(b, "as_of", s->in.day);
	text(b, "tier", slice_of(tier_names[s->score.tier]));
	yes(b, "enough_data", s->score.enough);
	text(b, "confidence", slice_of(confidence_names[
	    s->score.confidence]));
	real(b, "total", s->score.total);
	real(b, "total_raw", s->score.total_raw);
	real(b, "total_high", s->score.total_high);
	number(b, "recipients", s->in.recipients);
	yes(b, "warming", s->in.warming);
	signals(b, s);
	buf_char(b, '}');
}

/* weeks - tiers and scores; null: not judged */
static void
weeks(struct buf *b, const char *key, const struct week *list, size_t n,
    int32_t last)
{
	name(b, key);
	buf_char(b, '[');
	for (size_t i = 0; i < n; i++) {
		sep(b);
		buf_char(b, '{');
		date(b, "as_of", last - 7 * (int32_t)(n - 1 - i));
		if (list[i].known) {
			text(b, "tier", slice_of(tier_names[list[i].tier]));
			real(b, "total", list[i].total);
		} else {
			text(b, "tier", SLICE_NONE);
			text(b, "total", SLICE_NONE);
		}
		buf_char(b, '}');
	}
	buf_char(b, ']');
}

/* who - kind and name of an object that has begun */
static void
who(struct buf *b, enum subject_kind kind, struct slice subject)
{
	text(b, "kind", slice_of(subject_names[kind]));
	text(b, "name", subject);
}

/* subject - a row */
static void
subject(struct buf *b, const struct report *r, const struct row *row,
    bool shown)
{
	sep(b);
	buf_char(b, '{');
	who(b, row->kind, row->name);
	yes(b, "shown", shown);
	sums(b, row);
	score(b, row->scored);
	text(b, "trend", slice_of(row->trend > 0 ? "worse" : row->trend < 0 ?
	    "better" : "same"));
	if (row->has_value)
		real(b, "value", row->value);
	weeks(b, "weeks", row->weeks, REPORT_SPARK, r->judged);
	buf_char(b, '}');
}

/* subjects - of every kind */
static void
subjects(struct buf *b, const struct report *r)
{
	name(b, "subjects");
	buf_char(b, '[');
	for (int k = 0; k < SUBJECT_KINDS; k++)
		for (size_t i = 0; i < r->rows[k].n; i++)
			subject(b, r, &r->rows[k].list[i],
			    i < r->rows[k].shown);
	buf_char(b, ']');
	name(b, "others");	/* what tables show in one row */
	buf_char(b, '[');
	for (int k = 0; k < SUBJECT_KINDS; k++) {
		const struct row *rest = &r->rows[k].rest;

		if (rest->others == 0)
			continue;
		sep(b);
		buf_char(b, '{');
		text(b, "kind", slice_of(subject_names[k]));
		number(b, "subjects", rest->others);
		sums(b, rest);
		buf_char(b, '}');
	}
	buf_char(b, ']');
}

/* tiers as names of members */
static const char *const tier_keys[] = { "insufficient_data", "healthy",
	"watch", "at_risk", "critical" };

/* tiers - how many of each kind are how well */
static void
tiers(struct buf *b, const struct report *r)
{
	name(b, "tiers");
	buf_char(b, '{');
	for (int k = 0; k < SUBJECT_KINDS; k++) {
		name(b, subject_names[k]);
		buf_char(b, '{');
		for (int t = 0; t <= TIER_CRITICAL; t++)
			number(b, tier_keys[t], r->tiers[k][t]);
		buf_char(b, '}');
	}
	buf_char(b, '}');
}

/* reasons - signals that have points */
static void
reasons(struct buf *b, const struct wrong *w)
{
	name(b, "reasons");
	buf_char(b, '[');
	for (int i = 0; i < SIGNALS; i++) {
		if (w->said[i].n == 0)
			continue;
		sep(b);
		buf_char(b, '{');
		text(b, "signal", slice_of(signal_names[i]));
		real(b, "points", w->row->scored->score.points[i]);
		text(b, "text", w->said[i]);
		buf_char(b, '}');
	}
	buf_char(b, ']');
}

/* wrongs - who is not well, and what is advised */
static void
wrongs(struct buf *b, const struct report *r)
{
	name(b, "attention");
	buf_char(b, '[');
	for (size_t i = 0; i < r->nwrong; i++) {
		const struct wrong *w = &r->wrong[i];

		sep(b);
		buf_char(b, '{');
		who(b, w->row->kind, w->row->name);
		text(b, "tier", slice_of(tier_names[
		    w->row->scored->score.tier]));
		real(b, "total", w->row->scored->score.total);
		reasons(b, w);
		name(b, "advice");
		buf_char(b, '[');
		for (size_t k = 0; k < w->nadvice; k++) {
			const struct advice *a = w->advice[k];

			sep(b);
			buf_char(b, '{');
			text(b, "id", slice_of(a->id));
			text(b, "what", slice_of(advice_names[a->what]));
			text(b, "object", a->object);
			text(b, "text", a->text);
			buf_char(b, '}');
		}
		buf_str(b, "]}");
	}
	buf_char(b, ']');
	number(b, "attention_subjects", r->wrongs);
	name(b, "timeline");
	buf_char(b, '[');
	for (size_t i = 0; i < r->nstrips; i++) {
		const struct strip *s = &r->strips[i];

		sep(b);
		buf_char(b, '{');
		who(b, s->row->kind, s->row->name);
		weeks(b, "weeks", s->weeks, REPORT_WEEKS, r->judged);
		buf_char(b, '}');
	}
	buf_char(b, ']');
}

/* days - of the charts; list[i] of ndays */
static void
days(struct buf *b, const struct report *r, const char *key,
    uint64_t (*list)[TALLIES], const bool *spikes)
{
	name(b, key);
	buf_char(b, '[');
	for (size_t i = 0; i < r->ndays; i++) {
		sep(b);
		buf_char(b, '{');
		date(b, "date", r->chart_from + (int32_t)i);
		if (spikes != NULL)
			yes(b, "spike", spikes[i]);
		tallies(b, list[i]);
		buf_char(b, '}');
	}
	buf_char(b, ']');
}

/* heat - who sent to whom, and the days of each provider */
static void
heat(struct buf *b, const struct report *r)
{
	const struct heat *h = &r->heat;

	name(b, "senders_by_provider");
	buf_char(b, '[');
	for (size_t i = 0; i < h->nnames * h->nproviders; i++) {
		sep(b);
		buf_char(b, '{');
		who(b, h->kind, h->names[i / h->nproviders]);
		text(b, "provider", h->providers[i % h->nproviders]);
		tallies(b, h->cells[i]);
		buf_char(b, '}');
	}
	buf_char(b, ']');
	name(b, "provider_days");
	buf_char(b, '[');
	for (size_t p = 0; p < h->nproviders; p++) {
		sep(b);
		buf_char(b, '{');
		text(b, "provider", h->providers[p]);
		days(b, r, "days", r->provider_days + p * r->ndays, NULL);
		buf_char(b, '}');
	}
	buf_char(b, ']');
}

/* refusals - what they meant */
static void
refusals(struct buf *b, const struct report *r)
{
	name(b, "refusals");
	buf_char(b, '[');
	for (size_t i = 0; i < r->nwords; i++) {
		const struct wording_row *w = &r->words[i];

		sep(b);
		buf_char(b, '{');
		text(b, "kind", w->kind);
		text(b, "category", w->category);
		number(b, "count", w->count);
		text(b, "provider", w->provider);
		text(b, "sample", w->sample);
		buf_char(b, '}');
	}
	buf_char(b, ']');
	number(b, "refusals_other", r->words_rest);
}

/* warmups - how far they are, day by day */
static void
warmups(struct buf *b, const struct report *r)
{
	name(b, "warmups");
	buf_char(b, '[');
	for (size_t i = 0; i < r->nwarms; i++) {
		const struct warm *w = &r->warms[i];

		sep(b);
		buf_char(b, '{');
		text(b, "name", w->name);
		number(b, "day", (uint64_t)w->day);
		number(b, "days", (uint64_t)w->days);
		yes(b, "stopped", w->stopped);
		yes(b, "warmed", w->warmed);
		yes(b, "shared", w->shared);
		text(b, "said", w->said);
		name(b, "history");
		buf_char(b, '[');
		for (size_t k = 0; k < w->nmarks; k++) {
			const struct warm_mark *x = &w->marks[k];

			sep(b);
			buf_char(b, '{');
			date(b, "date", x->date);
			number(b, "day", (uint64_t)x->day);
			number(b, "day_after", (uint64_t)x->after);
			number(b, "cap", (uint64_t)x->cap);
			number(b, "used", (uint64_t)x->used);
			text(b, "rule", slice_of(x->rule));
			buf_char(b, '}');
		}
		buf_str(b, "]}");
	}
	buf_char(b, ']');
	number(b, "warmups_all", r->warms_all);
}

/* dmarc - of each domain */
static void
dmarc(struct buf *b, const struct report *r)
{
	name(b, "dmarc");
	buf_char(b, '[');
	for (size_t i = 0; i < r->ndmarc; i++) {
		const struct dmarc_row *d = &r->dmarc[i];

		sep(b);
		buf_char(b, '{');
		text(b, "domain", d->domain);
		number(b, "aligned", d->aligned);
		number(b, "failing", d->failing);
		number(b, "dkim", d->dkim);
		number(b, "spf", d->spf);
		number(b, "quarantined", d->quarantined);
		number(b, "rejected", d->rejected);
		number(b, "failing_sources", d->sources);
		buf_char(b, '}');
	}
	buf_char(b, ']');
}

/* compared - our tiers (rows) beside theirs, Healthy to Critical */
static void
compared(struct buf *b, const struct report *r)
{
	const struct calibration *c = &r->pairs;

	name(b, "calibration");
	buf_char(b, '{');
	number(b, "pairs", c->n);
	number(b, "exact", c->exact);
	number(b, "near", c->near);
	yes(b, "enough", c->enough);
	if (c->has_kappa)
		real(b, "kappa", c->kappa);
	else
		text(b, "kappa", SLICE_NONE);
	name(b, "matrix");
	buf_char(b, '[');
	for (int i = 0; i < CALIBRATE_TIERS; i++) {
		sep(b);
		buf_char(b, '[');
		for (int k = 0; k < CALIBRATE_TIERS; k++) {
			sep(b);
			buf_printf(b, "%zu", c->matrix[i][k]);
		}
		buf_char(b, ']');
	}
	buf_str(b, "]}");
}

/* officials - what providers say */
static void
officials(struct buf *b, const struct report *r)
{
	text(b, "official_label", slice_of(SNAPSHOT_LABEL));
	name(b, "official");
	buf_char(b, '[');
	for (size_t i = 0; i < r->nofficials; i++) {
		const struct snapshot *s = &r->officials[i];

		sep(b);
		buf_char(b, '{');
		text(b, "provider", s->provider);
		text(b, "subject_type", s->subject_type);
		text(b, "subject", s->subject);
		text(b, "metric", s->metric);
		text(b, "value", s->value);
		text(b, "unit", s->unit);
		yes(b, "upper_bound", s->upper);
		date(b, "from", s->begin);
		date(b, "to", s->end);
		moment(b, "taken", s->taken);
		moment(b, "next_eligible_refresh", s->next);
		text(b, "state", slice_of(snapshot_state_names[s->state]));
		text(b, "source", s->source);
		text(b, "note", s->note);
		buf_char(b, '}');
	}
	buf_char(b, ']');
	number(b, "official_all", r->officials_all);
	compared(b, r);
}

/* head - what it is about */
static void
head(struct buf *b, const struct report *r)
{
	static const char *const units[] = { "day", "week", "month" };
	struct buf line = BUF_INIT;

	number(b, "schema", REPORT_SCHEMA);
	text(b, "label", slice_of(r->label));
	name(b, "period");
	buf_char(b, '{');
	text(b, "unit", slice_of(units[r->period.unit]));
	text(b, "name", slice_of(r->period.name));
	date(b, "from", r->period.from);
	date(b, "to", r->period.until - 1);
	date(b, "before", r->period.before);
	buf_char(b, '}');
	name(b, "scope");
	buf_char(b, '{');
	text(b, "tenant", r->scope.tenant);
	text(b, "group", r->scope.group);
	buf_char(b, '}');
	name(b, "as_of");
	buf_char(b, '{');
	if (!report_scoped(r)) {	/* all tenants' mail is in them */
		number(b, "event", r->event);
		number(b, "outcome", r->outcome);
	}
	if (r->first <= r->last) {
		date(b, "first_day", r->first);
		date(b, "last_day", r->last);
	}
	date(b, "scores", r->judged);
	buf_char(b, '}');
	report_headline(r, &line);
	text(b, "headline", buf_slice(&line));
	buf_free(&line);
	name(b, "missing");
	buf_char(b, '[');
	for (size_t i = 0; i < r->nmissing; i++) {
		sep(b);
		buf_json(b, slice_of(r->missing[i]));
	}
	buf_char(b, ']');
}

/* kpis - and whether they are met; null: nobody knows */
static void
kpis(struct buf *b, const struct report *r)
{
	static const char *const names[TARGETS] = { "bounce", "complaint",
	    "delivered" };

	text(b, "phase", slice_of(r->warming ? "warming" : "warm"));
	if (r->all.now[TALLY_ACCEPTED] > 0)
		real(b, "completeness", report_known(r));
	else
		text(b, "completeness", SLICE_NONE);
	name(b, "kpis");
	buf_char(b, '{');
	for (size_t i = 0; i < TARGETS; i++) {
		const struct kpi *k = &r->kpis[i];

		name(b, names[i]);
		buf_char(b, '{');
		number(b, "x", k->is.x);
		number(b, "n", k->is.n);
		if (k->is.n > 0)
			real(b, "share", share_value(k->is));
		else
			text(b, "share", SLICE_NONE);
		real(b, "target", k->target);
		if (k->is.n > 0)
			yes(b, "met", k->met);
		else
			text(b, "met", SLICE_NONE);
		buf_char(b, '}');
	}
	buf_char(b, '}');
}

/* overview - what hangs on tenants of each tier */
static void
overview(struct buf *b, const struct report *r)
{
	name(b, "overview");
	buf_char(b, '{');
	text(b, "says", SLICE("directional: a share of the mail that may "
	    "suffer, not a loss that will come"));
	if (r->valued)
		real(b, "value", r->value);
	else
		text(b, "value", SLICE_NONE);
	number(b, "unvalued", r->unvalued);
	name(b, "tiers");
	buf_char(b, '{');
	for (int t = 0; t <= TIER_CRITICAL; t++) {
		const struct hanging *p = &r->parts[t];

		name(b, tier_keys[t]);
		buf_char(b, '{');
		number(b, "tenants", p->n);
		number(b, "recipients", p->now);
		number(b, "recipients_before", p->before);
		if (r->valued)
			real(b, "value", p->value);
		else
			text(b, "value", SLICE_NONE);
		buf_char(b, '}');
	}
	buf_str(b, "}}");
}

/* report_json - one object, one line */
void
report_json(const struct report *r, struct buf *b)
{
	buf_char(b, '{');
	head(b, r);
	kpis(b, r);
	name(b, "total");
	buf_char(b, '{');
	sums(b, &r->all);
	buf_char(b, '}');
	wrongs(b, r);
	tiers(b, r);
	subjects(b, r);
	days(b, r, "days", r->days, r->spikes);
	heat(b, r);
	refusals(b, r);
	warmups(b, r);
	dmarc(b, r);
	officials(b, r);
	if (r->overview)
		overview(b, r);
	name(b, "alerts");
	buf_str(b, "[]}\n");
}
