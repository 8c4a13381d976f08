/*
 * report_official - what receivers say: DMARC reports, and the snapshots of
 * mailbox providers.
 *
 * Both are hearsay beside our own counts, and are shown apart from them.  A
 * figure of a domain or address that others than the scope use, too, is about
 * all of them, so a report with a scope leaves it out.
 */
#include "tools/report_in.h"

#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "reputation/budget.h"
#include "reputation/dmarc.h"

#define DOMAINS		10
#define OFFICIALS	200
#define LOOK_BACK	45	/* days: a refresh is allowed each 30 */
#define OURS		(7 * REPORT_SPARK) /* days that are surely the scope's */
#define YEAR		372	/* days that are compared with our scores */
#define COMPARED	200000	/* figures of them, at most */

/* --- DMARC ---------------------------------------------------------------- */

/* add - one source of one day */
static bool
add(void *with, const struct dmarc_total *t)
{
	struct dmarc_row *d = with;

	d->aligned += t->aligned;
	d->failing += t->failing;
	d->dkim += t->dkim;
	d->spf += t->spf;
	d->quarantined += t->quarantined;
	d->rejected += t->rejected;
	d->sources += t->failing > 0;
	return true;
}

/* report_dmarc - of the domains that sent most */
int
report_dmarc(struct making *m)
{
	struct report *r = m->r;
	const struct rows *rows = &r->rows[SUBJECT_DOMAIN];

	r->dmarc = arena_array(r->arena, DOMAINS, sizeof(*r->dmarc));
	if (r->dmarc == NULL)
		return why_kind(m->why, WHY_MEMORY, "out of memory");
	for (size_t i = 0; m->in->outcomes != NULL && i < rows->n &&
	    r->ndmarc < DOMAINS; i++) {
		struct dmarc_row d = { .domain = rows->list[i].name };

		if (report_shared(m, SUBJECT_DOMAIN, d.domain))
			continue;
		if (dmarc_each(m->in->outcomes, d.domain, r->period.from,
		    r->period.until - 1, add, &d, m->why) == -1)
			return -1;
		if (d.aligned + d.failing > 0)
			r->dmarc[r->ndmarc++] = d;
	}
	return 0;
}

/* --- snapshots ------------------------------------------------------------ */

struct officials {
	struct making	*m;
	struct snapshot	last;		/* the latest of its three so far */
	bool		some, failed;
	struct snapshot	*year;		/* all of them */
	size_t		n, room;
};

/* kind_of - whose it is */
static enum subject_kind
kind_of(const struct snapshot *s)
{
	return slice_is(s->subject_type, "domain") ? SUBJECT_DOMAIN :
	    slice_is(s->subject_type, "pool") ? SUBJECT_POOL :
	    SUBJECT_ADDRESS;
}

/* allowed - is it the scope's alone? */
static bool
allowed(const struct making *m, const struct snapshot *s)
{
	enum subject_kind kind = kind_of(s);

	return !report_scoped(m->r) || (report_has(m, kind, s->subject) &&
	    !report_shared(m, kind, s->subject));
}

/* flush - the latest of provider, subject and metric is complete */
static void
flush(struct officials *f)
{
	struct report *r = f->m->r;

	if (!f->some)
		return;
	f->some = false;
	f->last.state = snapshot_state_at(&f->last,
	    (int64_t)r->period.until * CLOCK_DAY);
	if (f->last.next > 0 && (r->refresh == 0 || f->last.next < r->refresh))
		r->refresh = f->last.next;
	r->officials_all++;
	if (r->nofficials < OFFICIALS)
		r->officials[r->nofficials++] = f->last;
}

/* keep - a copy, every text of it */
static bool
keep(struct officials *f, const struct snapshot *s, struct snapshot *to)
{
	struct slice *texts[8] = { &to->provider, &to->subject_type,
	    &to->subject, &to->metric, &to->value, &to->unit, &to->source,
	    &to->note };

	*to = *s;
	for (size_t i = 0; i < 8; i++) {
		*texts[i] = arena_copy(f->m->r->arena, *texts[i]);
		f->failed |= texts[i]->p == NULL;
	}
	return !f->failed;
}

/* enlist - among those of a year; with a scope, of what others might have used
 * before, no more than was looked at */
static bool
enlist(struct officials *f, const struct snapshot *s)
{
	if (report_scoped(f->m->r) && s->begin < f->m->r->period.until - OURS)
		return true;
	if (f->n == COMPARED)
		return true;
	if (f->n == f->room) {
		f->room = f->room * 2 + 256;
		f->year = xrealloc(f->year, f->room * sizeof(*f->year));
	}
	return keep(f, s, &f->year[f->n++]);
}

/* take - one, in the order of provider, subject, metric, beginning */
static bool
take(void *with, const struct snapshot *s)
{
	struct officials *f = with;

	if (!allowed(f->m, s))
		return true;
	if (!enlist(f, s))
		return false;
	if (s->end < f->m->r->period.until - LOOK_BACK)
		return true;
	if (f->some && (!slice_eq(f->last.provider, s->provider) ||
	    !slice_eq(f->last.subject, s->subject) ||
	    !slice_eq(f->last.metric, s->metric)))
		flush(f);
	f->some = true;
	if (!keep(f, s, &f->last))
		return false;
	/* why a whole refresh failed is for the one who asks: it names his
	 * files and his budget */
	if (report_scoped(f->m->r) && slice_is(s->metric, SNAPSHOT_WHOLE))
		f->last.note = SLICE_NONE;
	return true;
}

/* calls - how often we asked in the month in which the period ends, of how
 * often we may; all tenants' subjects are in it */
static int
calls(struct making *m)
{
	static const char *const asked[] = { "google", "microsoft" };
	struct report *r = m->r;

	for (size_t i = 0; i < 2 && !report_scoped(r) &&
	    m->in->config != NULL; i++) {
		struct budget_ask ask = { .provider = slice_of(asked[i]),
			.subject = SLICE("-"), .now = (int64_t)r->period.until *
			CLOCK_DAY - 1 };
		struct budget_answer answer;
		struct budget_rules rules;

		if (budget_credentials(m->in->config, ask.provider) == NULL)
			continue;
		budget_rules_of(m->in->config, ask.provider, &rules);
		if (budget_look(m->in->watch, &rules, &ask, &answer,
		    m->why) == -1)
			return -1;
		r->calls[r->ncalls++] = (struct calls){ asked[i], answer.each,
		    rules.each };
		r->calls_made = answer.central;
		r->calls_most = rules.central;
	}
	return 0;
}

/* compare - our scores beside their words */
static int
compare(struct making *m, const struct officials *f)
{
	struct report *r = m->r;
	struct official *officials;
	struct pair *pairs;
	size_t n, npairs;

	if (officials_make(f->year, f->n, r->arena, &officials, &n,
	    m->why) == -1 || pairs_read(m->in->watch, r->knots, officials, n,
	    r->arena, &pairs, &npairs, m->why) == -1)
		return -1;
	calibrate(pairs, npairs, &r->pairs);
	return 0;
}

/* report_officials - the latest of each */
int
report_officials(struct making *m)
{
	struct report *r = m->r;
	struct officials f = { .m = m };
	int rc = -1;

	r->officials = arena_array(r->arena, OFFICIALS, sizeof(*r->officials));
	if (r->officials == NULL)
		return why_kind(m->why, WHY_MEMORY, "out of memory");
	if (calls(m) == -1)
		goto out;
	if (snapshots_each(m->in->watch, m->in->desk, r->period.until - YEAR,
	    r->period.until, take, &f, m->why) == -1)
		goto out;
	flush(&f);
	rc = f.failed ? why_kind(m->why, WHY_MEMORY, "out of memory") :
	    compare(m, &f);
out:
	free(f.year);
	return rc;
}
