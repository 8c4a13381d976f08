/*
 * warmer_judge - decisions about a day, and their commit.
 *
 * A row is written when a decision says something: a day with mail, or one on
 * which a silence sets it back.  A day of silence that changes nothing is not
 * written, so that a hundred thousand mailboxes that rest cost nothing; the row
 * then lags behind, and the days between are made up when it is looked at
 * again: without mail the rules need nothing but their number.
 *
 * Rows that were judged already bear the date behind it.  So a zone of which
 * half was committed before a kill -9 goes on with the other half.
 *
 * Order: commit, then the picture.  What is in force before the commit would
 * be what no record explains; the moment between the two has the old numbers,
 * which are the ones of yesterday.
 */
#include "milter/warmer_in.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/hash.h"
#include "lib/log.h"
#include "policy/portion.h"

/* Decisions of one commit. */
struct batch {
	struct warm_day	*d;
	struct fates	*fates;
	struct warm_row	 rows[WARMER_ROWS + ADAPT_PROVIDERS];
	size_t		 made_by[WARMER_ROWS + ADAPT_PROVIDERS];
	size_t		 nrows;
	struct event	 events[WARMER_ROWS];
	size_t		 nevents;
};

/* no_memory - tried again */
static int
no_memory(struct why *why)
{
	return why_kind(why, WHY_MEMORY, "no memory to judge warmups");
}

/* warm_event - an event by its sequence */
int
warm_event(struct gate *gate, uint64_t seq, struct arena *arena,
    struct event *e, struct why *why)
{
	int got = store_event(gate->store, seq, arena, e, why);

	return got == 1 ? e->kind == EVENT_WARMUP : got;
}

/* --- what the rules see --------------------------------------------------- */

/* fresh - the row of a warmup that has none: as the policy has it */
static void
fresh(const struct warm_day *d, const struct warm_mail *m,
    struct warm_row *row)
{
	const struct warmup *w = m->subject.limit->warmup;

	*row = (struct warm_row){ .name = m->subject.name,
		.day = warmup_day(w, NULL, d->date), .date = d->date,
		.started = w->first_mail ? d->date : w->started,
		.used = d->date - 1, .rule = SLICE(""),
		.inputs = SLICE("") };
	memcpy(row->key, m->subject.key, sizeof(row->key));
}

/* begun - the row to go on from; false: not on this day */
static bool
begun(const struct warm_day *d, const struct warm_mail *m,
    const struct progress *p, struct warm_row *row)
{
	const struct warmup *w = m->subject.limit->warmup;
	const struct warm_row *had = warmup_row(w, progress_find(p,
	    m->subject.key));

	if (had != NULL) {
		*row = *had;
		return row->date <= d->date;
	}
	if (w->first_mail ? m->used <= 0 : d->date < w->started)
		return false;
	fresh(d, m, row);
	return true;
}

/* input_of - all but what became of it */
static struct adapt_input
input_of(const struct warm_mail *m, const struct warm_row *row, int64_t date)
{
	const struct warmup *w = m->subject.limit->warmup;
	struct adapt_input in = { .date = date, .days = w->schedule->n,
		.used = m->used > 0 ? m->used : 0, .turned = m->turned,
		.clean = row->clean, .warmed = row->warmed != 0,
		.required = w->require_outcomes, .fast = w->fast_track };

	in.day = row->day < in.days ? row->day : in.days;
	in.cap = in.bulk = schedule_number(w->schedule, in.day);
	if (m->subject.whose == NULL)		/* an address */
		in.bulk = portion_bulk(in.cap);
	if (in.used == 0)
		in.silent = date - row->used > PROGRESS_DAYS ? PROGRESS_DAYS :
		    (int)(date - row->used);
	return in;
}

/* catch_up - days of silence that were not written */
static void
catch_up(const struct warm_mail *m, int64_t date, struct warm_row *row)
{
	struct warm_mail none = *m;
	struct adapt_decision x;
	struct adapt_input in;

	none.used = none.turned = 0;
	if (date - row->date > PROGRESS_DAYS)
		row->date = date - PROGRESS_DAYS;
	for (; row->date < date; row->date++) {
		in = input_of(&none, row, row->date);
		if (in.silent < 1)
			continue;
		adapt(&in, &x);
		row->day = x.day;
		row->clean = x.clean;
		row->warmed = x.warmed ? row->warmed : 0;
	}
}

/* --- what follows --------------------------------------------------------- */

/* factors_of - those that last, and those of the decision */
static int
factors_of(struct warm_day *d, const struct warm_row *had,
    const struct adapt_input *in, const struct adapt_decision *x,
    struct warm_row *row)
{
	struct warm_factor *to = arena_array(d->arena, PROGRESS_FACTORS,
	    sizeof(*to));
	int64_t next = d->date + 1;
	size_t n = 0;

	if (to == NULL)
		return -1;
	for (size_t i = 0; i < had->nfactors; i++)
		if (had->factors[i].until == 0 || had->factors[i].until > next)
			to[n++] = had->factors[i];
	for (size_t i = 0; i < in->nproviders; i++) {
		bool stops = adapt_stops(x->of[i]);
		size_t k = 0;

		if ((!stops && x->of[i] != ADAPT_R1) || slice_is(
		    in->providers[i].name, ADAPT_STRANGERS))
			continue;
		while (k < n && !slice_eq(to[k].provider,
		    in->providers[i].name))
			k++;
		if (k == PROGRESS_FACTORS || (k < n && to[k].until == 0 &&
		    to[k].thousandths == 0))
			continue;	/* it is stopped already */
		to[k] = (struct warm_factor){
			.provider = in->providers[i].name,
			.thousandths = stops ? 0 : ADAPT_HALF,
			.until = stops ? 0 : next + ADAPT_HALF_DAYS,
			.rule = slice_of(adapt_rule_names[x->of[i]]) };
		n = k == n ? n + 1 : n;
	}
	row->factors = to;
	row->nfactors = n;
	return 0;
}

/* event_of - whose it is, and the decision as a line */
static int
event_of(struct warm_day *d, const struct warm_mail *m,
    const struct warm_row *had, const char *text, struct event *e)
{
	const struct subject *s = &m->subject;
	char hex[SUBJECT_HEX + 1];

	subject_hex(s->key, hex);
	*e = (struct event){ .kind = EVENT_WARMUP, .time = clock_now(),
		.instance = slice_of(d->w->gate->config->milter.instance),
		.limit = SLICE(FATE_CHARGE), .voids = had->seq, .count = 1,
		.matched = arena_copy(d->arena, slice_of(hex)),
		.rule = policy_rule(d->policy, s->limit->warmup->at,
		    d->arena), .text = slice_of(text) };
	if (s->address != NULL) {
		e->pool = s->address->pool->name;
		e->address = s->address->address;
	}
	if (m->seen != NULL) {
		e->group = m->seen->group;
		e->tenant = m->seen->tenant;
		e->stream = m->seen->stream;
		e->login = m->seen->login;
		e->mail_from = m->seen->mail_from;
		e->from_domains = m->seen->from_domains;
		e->nfrom_domains = m->seen->nfrom_domains;
	}
	memcpy(e->policy_hash, d->policy->hash, sizeof(e->policy_hash));
	return e->matched.p == NULL || e->rule.p == NULL ? -1 : 0;
}

/* texts_of - the line and the sentence, in the day's arena */
static int
texts_of(struct warm_day *d, const struct adapt_input *in,
    const struct adapt_decision *x, const char **line, struct slice *say)
{
	struct buf b = BUF_INIT;

	adapt_print(in, x, &b);
	*line = buf_failed(&b) ? NULL : arena_copy(d->arena,
	    buf_slice(&b)).p;
	buf_reset(&b);
	adapt_say(in, x, &b);
	*say = buf_failed(&b) ? SLICE_NONE : arena_copy(d->arena,
	    buf_slice(&b));
	buf_free(&b);
	return *line == NULL || say->p == NULL ? -1 : 0;
}

/* singles_of - tenants who are stopped in the pool of an address */
static int
singles_of(struct batch *b, const struct warm_mail *m,
    const struct progress *p, const struct adapt_input *in,
    const struct adapt_decision *x, struct slice say)
{
	const struct pool_address *a = m->subject.address;
	struct warm_row *row;
	const struct warm_row *had;
	struct slice tenant;
	char *name;

	for (size_t i = 0; m->subject.whose == NULL && i < x->nsingles; i++) {
		row = &b->rows[b->nrows];
		tenant = in->providers[x->singles[i].provider].tenants[
		    x->singles[i].tenant].name;
		*row = (struct warm_row){ .day = 1, .date = b->d->date + 1,
			.started = b->d->date + 1, .stopped = b->d->date + 1,
			.rule = slice_of(adapt_rule_names[
			    x->singles[i].rule]), .inputs = say };
		subject_single(a->pool, hash_id("tenant", tenant), row->key);
		had = progress_find(p, row->key);
		if (had != NULL && had->stopped != 0)
			continue;
		row->floor = had != NULL ? had->floor : 0;
		name = arena_printf(b->d->arena, "%.*s tenant %.*s",
		    SLICE_ARG(a->pool->name), SLICE_ARG(tenant));
		if (name == NULL)
			return -1;
		row->name = slice_of(name);
		b->made_by[b->nrows++] = b->nevents;
		log_warn("warmup %s: stopped by %.*s, until somebody resumes "
		    "it", name, SLICE_ARG(row->rule));
	}
	return 0;
}

/* say - a line of the log, louder when somebody must look */
static void
say(const struct warm_row *row, const struct adapt_decision *x, int before)
{
	enum log_level level = adapt_stops(x->rule) || x->rule == ADAPT_R1 ?
	    LOG_LEVEL_WARN : LOG_LEVEL_INFO;

	log_line(level, "warmup %.*s: %s, day %d -> %d%s: %.*s",
	    SLICE_ARG(row->name), adapt_rule_names[x->rule], before, row->day,
	    adapt_stops(x->rule) ? ", stopped until somebody resumes it" : "",
	    SLICE_ARG(row->inputs));
}

/* changed - does the decision say anything? */
static bool
changed(const struct adapt_input *in, const struct adapt_decision *x,
    const struct warm_row *had)
{
	return in->silent == 0 || x->rule != ADAPT_H2 || had->seq == 0 ||
	    x->day != had->day;
}

/* put - the decision: a row, and an event that it names */
static int
put(struct batch *b, const struct warm_mail *m, const struct progress *p,
    const struct warm_row *had, const struct adapt_input *in,
    const struct adapt_decision *x)
{
	struct warm_day *d = b->d;
	struct warm_row *row = &b->rows[b->nrows];
	int64_t next = d->date + 1;
	const char *line;

	*row = *had;
	row->name = m->subject.name;
	row->day = x->day;
	row->date = next;
	row->clean = x->clean;
	row->used = in->used > 0 ? d->date : had->used;
	row->warmed = !x->warmed ? 0 : had->warmed != 0 ? had->warmed : next;
	row->stopped = had->stopped == 0 && x->stop ? next : had->stopped;
	row->rule = slice_of(adapt_rule_names[x->rule]);
	if (texts_of(d, in, x, &line, &row->inputs) == -1 ||
	    factors_of(d, had, in, x, row) == -1 ||
	    event_of(d, m, had, line, &b->events[b->nevents]) == -1)
		return -1;
	b->made_by[b->nrows++] = b->nevents;
	say(row, x, in->day);
	if (singles_of(b, m, p, in, x, row->inputs) == -1)
		return -1;
	b->nevents++;
	return 0;
}

/* any - did anybody hear of that day's mail? */
static bool
any(const struct adapt_input *in)
{
	for (size_t i = 0; i < in->nproviders; i++)
		if (in->providers[i].count.ended +
		    in->providers[i].count.deferred > 0)
			return true;
	return false;
}

/* judge - one warmup */
static int
judge(struct batch *b, const struct warm_mail *m, const struct progress *p,
    struct why *why)
{
	struct warm_row had;
	struct adapt_decision x;
	struct adapt_input in;

	if (!begun(b->d, m, p, &had))
		return 0;
	catch_up(m, b->d->date, &had);
	in = input_of(m, &had, b->d->date);
	if (b->fates != NULL) {
		if (fate_read(b->d, m, b->fates, p, &in, why) == -1)
			return -1;
		in.known = in.used == 0 || any(&in);
	}
	adapt(&in, &x);
	if (!changed(&in, &x, &had) && in.nproviders == 0)
		return 0;
	return put(b, m, p, &had, &in, &x) == -1 ? no_memory(why) : 0;
}

/* --- a commit ------------------------------------------------------------- */

/* flush - on record, then in force */
static int
flush(struct batch *b, bool last, struct why *why)
{
	struct warmer *w = b->d->w;
	struct writer_warm out = { .events = b->events,
		.nevents = b->nevents, .rows = b->rows, .nrows = b->nrows,
		.made_by = b->made_by, .judged = b->d->date + 1 };
	struct progress *had, *next;

	if (last)
		out.zone = slice_of(zone_name(b->d->zone));
	if (b->nrows == 0 && !last)
		return 0;
	if (writer_warm(w->gate->writer, &out, why) == -1)
		return -1;
	if (b->nrows > 0) {
		had = gate_progress(w->gate);
		next = progress_after(had, b->rows, b->nrows);
		progress_drop(had);
		/* on record: the next start has it, whatever this one has */
		if (next == NULL)
			return no_memory(why);
		gate_advance(w->gate, next);
	}
	b->nrows = b->nevents = 0;
	return 0;
}

/* day_judge - every warmup of it */
int
day_judge(struct warm_day *d, struct fates *fates, struct why *why)
{
	struct batch *b = arena_alloc(d->arena, sizeof(*b));
	struct progress *p;
	size_t i = 0;
	int rc = 0;

	if (b == NULL)
		return no_memory(why);
	b->d = d;
	b->fates = fates;
	do {
		/* rows that are made borrow texts of the picture before */
		p = gate_progress(d->w->gate);
		while (rc == 0 && i < d->n && b->nevents < WARMER_ROWS &&
		    b->nrows < WARMER_ROWS)
			rc = judge(b, d->list[i++], p, why);
		if (rc == 0)
			rc = flush(b, i == d->n, why);
		progress_drop(p);
	} while (rc == 0 && i < d->n);
	return rc;
}
