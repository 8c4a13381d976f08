/*
 * report_json - the whole model for machines; schema 1.
 *
 * Names are snake_case and stay: a later release adds, and never takes away or
 * gives another sense without a new number.  What nobody knows is null, and
 * a share stands beside the x and n that it is made of.  The schema is in
 * penstock-report(1).
 */
#include "tools/report_json_in.h"

#include "tools/object.h"

/* share - x, n and what they make */
static void
share(struct buf *b, const char *key, struct share s)
{
	object_name(b, key);
	buf_char(b, '{');
	object_number(b, "x", s.x);
	object_number(b, "n", s.n);
	if (s.n > 0)
		object_real(b, "share", share_value(s));
	else
		object_text(b, "share", SLICE_NONE);
	buf_char(b, '}');
}

/* json_tallies - all counts of an object that has begun */
void
json_tallies(struct buf *b, const uint64_t n[TALLIES])
{
	for (int i = 0; i < TALLIES; i++)
		object_number(b, tally_names[i], n[i]);
}

/* rates - of the same counts */
static void
rates(struct buf *b, const uint64_t n[TALLIES])
{
	object_name(b, "rates");
	buf_char(b, '{');
	for (int i = 0; i < RATES; i++)
		share(b, rate_names[i], rate_of(n, (enum rate)i));
	buf_char(b, '}');
}

/* sums - of two periods */
static void
sums(struct buf *b, const struct row *row)
{
	object_name(b, "now");
	buf_char(b, '{');
	json_tallies(b, row->now);
	buf_char(b, '}');
	object_name(b, "before");
	buf_char(b, '{');
	json_tallies(b, row->before);
	buf_char(b, '}');
	rates(b, row->now);
}

/* signals - what each one adds */
static void
signals(struct buf *b, const struct scored *s)
{
	object_name(b, "signals");
	buf_char(b, '{');
	for (int i = 0; i < SIGNALS; i++) {
		object_name(b, signal_names[i]);
		buf_char(b, '{');
		object_real(b, "points", s->score.points[i]);
		object_yes(b, "known", s->in.known[i]);
		if (i != SIGNAL_VOLUME && i != SIGNAL_POLICY &&
		    s->in.known[i]) {
			object_amount(b, "x", (double)s->in.x2[i] / 2);
			object_amount(b, "n", (double)s->in.n2[i] / 2);
			object_real(b, "low", s->score.low[i]);
			object_real(b, "raw", s->score.raw[i]);
			object_real(b, "high", s->score.high[i]);
		}
		buf_char(b, '}');
	}
	buf_char(b, '}');
}

/* score - or null */
static void
score(struct buf *b, const struct scored *s)
{
	object_name(b, "score");
	if (s == NULL) {
		buf_str(b, "null");
		return;
	}
	buf_char(b, '{');
	object_date(b, "as_of", s->in.day);
	object_text(b, "tier", slice_of(tier_names[s->score.tier]));
	object_yes(b, "enough_data", s->score.enough);
	object_text(b, "confidence", slice_of(confidence_names[
	    s->score.confidence]));
	object_real(b, "total", s->score.total);
	object_real(b, "total_raw", s->score.total_raw);
	object_real(b, "total_high", s->score.total_high);
	object_number(b, "recipients", s->in.recipients);
	object_yes(b, "warming", s->in.warming);
	signals(b, s);
	buf_char(b, '}');
}

/* weeks - tiers and scores; null: not judged */
static void
weeks(struct buf *b, const char *key, const struct week *list, size_t n,
    int32_t last)
{
	object_name(b, key);
	buf_char(b, '[');
	for (size_t i = 0; i < n; i++) {
		object_sep(b);
		buf_char(b, '{');
		object_date(b, "as_of", last - 7 * (int32_t)(n - 1 - i));
		if (list[i].known) {
			object_text(b, "tier", slice_of(
			    tier_names[list[i].tier]));
			object_real(b, "total", list[i].total);
		} else {
			object_text(b, "tier", SLICE_NONE);
			object_text(b, "total", SLICE_NONE);
		}
		buf_char(b, '}');
	}
	buf_char(b, ']');
}

/* json_who - kind and name of an object that has begun */
void
json_who(struct buf *b, enum subject_kind kind, struct slice subject)
{
	object_text(b, "kind", slice_of(subject_names[kind]));
	object_text(b, "name", subject);
}

/* subject - a row */
static void
subject(struct buf *b, const struct report *r, const struct row *row,
    bool shown)
{
	object_sep(b);
	buf_char(b, '{');
	json_who(b, row->kind, row->name);
	object_yes(b, "shown", shown);
	sums(b, row);
	score(b, row->scored);
	object_text(b, "trend", slice_of(row->trend > 0 ? "worse" :
	    row->trend < 0 ? "better" : "same"));
	if (row->has_value)
		object_amount(b, "value", row->value);
	weeks(b, "weeks", row->weeks, REPORT_SPARK, r->judged);
	buf_char(b, '}');
}

/* subjects - of every kind */
static void
subjects(struct buf *b, const struct report *r)
{
	object_name(b, "subjects");
	buf_char(b, '[');
	for (int k = 0; k < SUBJECT_KINDS; k++)
		for (size_t i = 0; i < r->rows[k].n; i++)
			subject(b, r, &r->rows[k].list[i],
			    i < r->rows[k].shown);
	buf_char(b, ']');
	object_name(b, "others");	/* what tables show in one row */
	buf_char(b, '[');
	for (int k = 0; k < SUBJECT_KINDS; k++) {
		const struct row *rest = &r->rows[k].rest;

		if (rest->others == 0)
			continue;
		object_sep(b);
		buf_char(b, '{');
		object_text(b, "kind", slice_of(subject_names[k]));
		object_number(b, "subjects", rest->others);
		sums(b, rest);
		buf_char(b, '}');
	}
	buf_char(b, ']');
}

/* tiers as names of members */
const char *const json_tiers[] = { "insufficient_data", "healthy",
	"watch", "at_risk", "critical" };

/* tiers - how many of each kind are how well */
static void
tiers(struct buf *b, const struct report *r)
{
	object_name(b, "tiers");
	buf_char(b, '{');
	for (int k = 0; k < SUBJECT_KINDS; k++) {
		object_name(b, subject_names[k]);
		buf_char(b, '{');
		for (int t = 0; t <= TIER_CRITICAL; t++)
			object_number(b, json_tiers[t], r->tiers[k][t]);
		buf_char(b, '}');
	}
	buf_char(b, '}');
}

/* reasons - signals that have points */
static void
reasons(struct buf *b, const struct wrong *w)
{
	object_name(b, "reasons");
	buf_char(b, '[');
	for (int i = 0; i < SIGNALS; i++) {
		if (w->said[i].n == 0)
			continue;
		object_sep(b);
		buf_char(b, '{');
		object_text(b, "signal", slice_of(signal_names[i]));
		object_real(b, "points", w->row->scored->score.points[i]);
		object_text(b, "text", w->said[i]);
		buf_char(b, '}');
	}
	buf_char(b, ']');
}

/* wrongs - who is not well, and what is advised */
static void
wrongs(struct buf *b, const struct report *r)
{
	object_name(b, "attention");
	buf_char(b, '[');
	for (size_t i = 0; i < r->nwrong; i++) {
		const struct wrong *w = &r->wrong[i];

		object_sep(b);
		buf_char(b, '{');
		json_who(b, w->row->kind, w->row->name);
		object_text(b, "tier", slice_of(tier_names[
		    w->row->scored->score.tier]));
		object_real(b, "total", w->row->scored->score.total);
		reasons(b, w);
		object_name(b, "advice");
		buf_char(b, '[');
		for (size_t k = 0; k < w->nadvice; k++) {
			const struct advice *a = w->advice[k];

			object_sep(b);
			buf_char(b, '{');
			object_text(b, "id", slice_of(a->id));
			object_text(b, "what", slice_of(advice_names[a->what]));
			object_text(b, "object", a->object);
			object_text(b, "text", a->text);
			buf_char(b, '}');
		}
		buf_str(b, "]}");
	}
	buf_char(b, ']');
	object_number(b, "attention_subjects", r->wrongs);
	object_name(b, "timeline");
	buf_char(b, '[');
	for (size_t i = 0; i < r->nstrips; i++) {
		const struct strip *s = &r->strips[i];

		object_sep(b);
		buf_char(b, '{');
		json_who(b, s->row->kind, s->row->name);
		weeks(b, "weeks", s->weeks, REPORT_WEEKS, r->judged);
		buf_char(b, '}');
	}
	buf_char(b, ']');
}

/* json_days - of the charts; list[i] of ndays */
void
json_days(struct buf *b, const struct report *r, const char *key,
    uint64_t (*list)[TALLIES], const bool *spikes)
{
	object_name(b, key);
	buf_char(b, '[');
	for (size_t i = 0; i < r->ndays; i++) {
		object_sep(b);
		buf_char(b, '{');
		object_date(b, "date", r->chart_from + (int32_t)i);
		if (spikes != NULL)
			object_yes(b, "spike", spikes[i]);
		json_tallies(b, list[i]);
		buf_char(b, '}');
	}
	buf_char(b, ']');
}

/* head - what it is about */
static void
head(struct buf *b, const struct report *r)
{
	static const char *const units[] = { "day", "week", "month" };
	struct buf line = BUF_INIT;

	object_number(b, "schema", REPORT_SCHEMA);
	object_text(b, "label", slice_of(r->label));
	object_name(b, "period");
	buf_char(b, '{');
	object_text(b, "unit", slice_of(units[r->period.unit]));
	object_text(b, "name", slice_of(r->period.name));
	object_date(b, "from", r->period.from);
	object_date(b, "to", r->period.until - 1);
	object_date(b, "before", r->period.before);
	buf_char(b, '}');
	object_name(b, "scope");
	buf_char(b, '{');
	object_text(b, "tenant", r->scope.tenant);
	object_text(b, "group", r->scope.group);
	buf_char(b, '}');
	object_name(b, "as_of");
	buf_char(b, '{');
	if (!report_scoped(r)) {	/* all tenants' mail is in them */
		object_number(b, "event", r->event);
		object_number(b, "outcome", r->outcome);
	}
	if (r->first <= r->last) {
		object_date(b, "first_day", r->first);
		object_date(b, "last_day", r->last);
	}
	object_date(b, "scores", r->judged);
	buf_char(b, '}');
	report_headline(r, &line);
	object_text(b, "headline", buf_slice(&line));
	buf_free(&line);
	object_name(b, "missing");
	buf_char(b, '[');
	for (size_t i = 0; i < r->nmissing; i++) {
		object_sep(b);
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

	object_text(b, "phase", slice_of(r->warming ? "warming" : "warm"));
	if (r->all.now[TALLY_ACCEPTED] > 0)
		object_real(b, "completeness", report_known(r));
	else
		object_text(b, "completeness", SLICE_NONE);
	object_name(b, "kpis");
	buf_char(b, '{');
	for (size_t i = 0; i < TARGETS; i++) {
		const struct kpi *k = &r->kpis[i];

		object_name(b, names[i]);
		buf_char(b, '{');
		object_number(b, "x", k->is.x);
		object_number(b, "n", k->is.n);
		if (k->is.n > 0)
			object_real(b, "share", share_value(k->is));
		else
			object_text(b, "share", SLICE_NONE);
		object_real(b, "target", k->target);
		if (k->is.n > 0)
			object_yes(b, "met", k->met);
		else
			object_text(b, "met", SLICE_NONE);
		buf_char(b, '}');
	}
	buf_char(b, '}');
}

/* report_json - one object, one line */
void
report_json(const struct report *r, struct buf *b)
{
	buf_char(b, '{');
	head(b, r);
	kpis(b, r);
	object_name(b, "total");
	buf_char(b, '{');
	sums(b, &r->all);
	buf_char(b, '}');
	wrongs(b, r);
	tiers(b, r);
	subjects(b, r);
	json_days(b, r, "days", r->days, r->spikes);
	report_json_more(r, b);
	object_name(b, "alerts");
	buf_str(b, "[]}\n");
}
