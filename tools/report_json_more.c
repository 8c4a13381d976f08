/*
 * report_json_more - the second half of the JSON form: providers, refusals,
 * warmups, what receivers say, and what is at risk.
 */
#include "tools/report_json_in.h"

#include "tools/object.h"

/* heat - who sent to whom, and the days of each provider */
static void
heat(struct buf *b, const struct report *r)
{
	const struct heat *h = &r->heat;

	object_name(b, "senders_by_provider");
	buf_char(b, '[');
	for (size_t i = 0; i < h->nnames * h->nproviders; i++) {
		object_sep(b);
		buf_char(b, '{');
		json_who(b, h->kind, h->names[i / h->nproviders]);
		object_text(b, "provider", h->providers[i % h->nproviders]);
		json_tallies(b, h->cells[i]);
		buf_char(b, '}');
	}
	buf_char(b, ']');
	object_name(b, "provider_days");
	buf_char(b, '[');
	for (size_t p = 0; p < h->nproviders; p++) {
		object_sep(b);
		buf_char(b, '{');
		object_text(b, "provider", h->providers[p]);
		json_days(b, r, "days", r->provider_days + p * r->ndays, NULL);
		buf_char(b, '}');
	}
	buf_char(b, ']');
}

/* refusals - what they meant */
static void
refusals(struct buf *b, const struct report *r)
{
	object_name(b, "refusals");
	buf_char(b, '[');
	for (size_t i = 0; i < r->nwords; i++) {
		const struct wording_row *w = &r->words[i];

		object_sep(b);
		buf_char(b, '{');
		object_text(b, "kind", w->kind);
		object_text(b, "category", w->category);
		object_number(b, "count", w->count);
		object_text(b, "provider", w->provider);
		object_text(b, "sample", w->sample);
		buf_char(b, '}');
	}
	buf_char(b, ']');
	object_number(b, "refusals_other", r->words_rest);
}

/* warmups - how far they are, day by day */
static void
warmups(struct buf *b, const struct report *r)
{
	object_name(b, "warmups");
	buf_char(b, '[');
	for (size_t i = 0; i < r->nwarms; i++) {
		const struct warm *w = &r->warms[i];

		object_sep(b);
		buf_char(b, '{');
		object_text(b, "name", w->name);
		object_number(b, "day", (uint64_t)w->day);
		object_number(b, "days", (uint64_t)w->days);
		object_yes(b, "stopped", w->stopped);
		object_yes(b, "warmed", w->warmed);
		object_yes(b, "shared", w->shared);
		object_text(b, "said", w->said);
		object_name(b, "history");
		buf_char(b, '[');
		for (size_t k = 0; k < w->nmarks; k++) {
			const struct warm_mark *x = &w->marks[k];

			object_sep(b);
			buf_char(b, '{');
			object_date(b, "date", x->date);
			object_number(b, "day", (uint64_t)x->day);
			object_number(b, "day_after", (uint64_t)x->after);
			object_number(b, "cap", (uint64_t)x->cap);
			object_number(b, "used", (uint64_t)x->used);
			object_text(b, "rule", slice_of(x->rule));
			buf_char(b, '}');
		}
		buf_str(b, "]}");
	}
	buf_char(b, ']');
	object_number(b, "warmups_all", r->warms_all);
}

/* dmarc - of each domain */
static void
dmarc(struct buf *b, const struct report *r)
{
	object_name(b, "dmarc");
	buf_char(b, '[');
	for (size_t i = 0; i < r->ndmarc; i++) {
		const struct dmarc_row *d = &r->dmarc[i];

		object_sep(b);
		buf_char(b, '{');
		object_text(b, "domain", d->domain);
		object_number(b, "aligned", d->aligned);
		object_number(b, "failing", d->failing);
		object_number(b, "dkim", d->dkim);
		object_number(b, "spf", d->spf);
		object_number(b, "quarantined", d->quarantined);
		object_number(b, "rejected", d->rejected);
		object_number(b, "failing_sources", d->sources);
		buf_char(b, '}');
	}
	buf_char(b, ']');
}

/* compared - our tiers (rows) beside theirs, Healthy to Critical */
static void
compared(struct buf *b, const struct report *r)
{
	const struct calibration *c = &r->pairs;

	object_name(b, "calibration");
	buf_char(b, '{');
	object_number(b, "pairs", c->n);
	object_number(b, "exact", c->exact);
	object_number(b, "near", c->near);
	object_yes(b, "enough", c->enough);
	if (c->has_kappa)
		object_real(b, "kappa", c->kappa);
	else
		object_text(b, "kappa", SLICE_NONE);
	object_name(b, "matrix");
	buf_char(b, '[');
	for (int i = 0; i < CALIBRATE_TIERS; i++) {
		object_sep(b);
		buf_char(b, '[');
		for (int k = 0; k < CALIBRATE_TIERS; k++) {
			object_sep(b);
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
	object_text(b, "official_label", slice_of(SNAPSHOT_LABEL));
	object_name(b, "official");
	buf_char(b, '[');
	for (size_t i = 0; i < r->nofficials; i++) {
		const struct snapshot *s = &r->officials[i];

		object_sep(b);
		buf_char(b, '{');
		object_text(b, "provider", s->provider);
		object_text(b, "subject_type", s->subject_type);
		object_text(b, "subject", s->subject);
		object_text(b, "metric", s->metric);
		object_text(b, "value", s->value);
		object_text(b, "unit", s->unit);
		object_yes(b, "upper_bound", s->upper);
		object_date(b, "from", s->begin);
		object_date(b, "to", s->end);
		object_moment(b, "taken", s->taken);
		object_moment(b, "next_eligible_refresh", s->next);
		object_text(b, "state", slice_of(
		    snapshot_state_names[s->state]));
		object_text(b, "source", s->source);
		object_text(b, "note", s->note);
		buf_char(b, '}');
	}
	buf_char(b, ']');
	object_number(b, "official_all", r->officials_all);
	object_name(b, "calls");
	buf_char(b, '[');
	for (size_t i = 0; i < r->ncalls; i++) {
		object_sep(b);
		buf_char(b, '{');
		object_text(b, "provider", slice_of(r->calls[i].provider));
		object_number(b, "made", (uint64_t)r->calls[i].made);
		object_number(b, "most", (uint64_t)r->calls[i].most);
		buf_char(b, '}');
	}
	buf_char(b, ']');
	compared(b, r);
}

/* overview - what hangs on tenants of each tier */
static void
overview(struct buf *b, const struct report *r)
{
	object_name(b, "overview");
	buf_char(b, '{');
	object_text(b, "says", SLICE("directional: a share of the mail that "
	    "may suffer, not a loss that will come"));
	if (r->valued)
		object_amount(b, "value", r->value);
	else
		object_text(b, "value", SLICE_NONE);
	object_number(b, "unvalued", r->unvalued);
	object_name(b, "tiers");
	buf_char(b, '{');
	for (int t = 0; t <= TIER_CRITICAL; t++) {
		const struct hanging *p = &r->parts[t];

		object_name(b, json_tiers[t]);
		buf_char(b, '{');
		object_number(b, "tenants", p->n);
		object_number(b, "recipients", p->now);
		object_number(b, "recipients_before", p->before);
		if (r->valued)
			object_amount(b, "value", p->value);
		else
			object_text(b, "value", SLICE_NONE);
		buf_char(b, '}');
	}
	buf_str(b, "}}");
}

/* report_json_more - members of the report's object */
void
report_json_more(const struct report *r, struct buf *b)
{
	heat(b, r);
	refusals(b, r);
	warmups(b, r);
	dmarc(b, r);
	officials(b, r);
	if (r->overview)
		overview(b, r);
}
