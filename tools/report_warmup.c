/*
 * report_warmup - how far warmups are, as they were judged until the period
 * ended.
 *
 * `penstock warmup` shows what is left of today; a report shows days that are
 * over, and a day is over when a rule has spoken of it.  So everything comes
 * from the chain of decisions (tools/warmup_explain.c walks the same one), and
 * the clock is not asked.
 * With a scope, an address that others use as well shows its day and no
 * figures: they would be the neighbours'.
 */
#include "tools/report_in.h"

#include <stdlib.h>
#include <string.h>

#include "lib/store.h"
#include "policy/adapt.h"
#include "policy/progress.h"

#define WARMS	16	/* shown */
#define MARKS	64	/* days of each */
#define CHAIN	400	/* events that are looked at for them */

struct found {
	const struct warm_row *row;
	bool		address;
	bool		shared;
	bool		single;		/* a tenant who is stopped in a pool */
};

/* event_of - the decision that a row names; fetch */
static int
event_of(struct making *m, uint64_t seq, struct arena *arena, struct event *e)
{
	int got = store_event(m->in->gate, seq, arena, e, m->why);

	return got == 1 ? e->kind == EVENT_WARMUP : got;
}

/* single_of - "b2b tenant acme": is it about the scope's tenant? */
static bool
single_of(const struct report *r, struct slice name)
{
	struct slice t = r->scope.tenant;
	static const char middle[] = " tenant ";
	size_t n = t.n + sizeof(middle) - 1;

	return t.p != NULL && name.n > n &&
	    memcmp(name.p + name.n - n, middle, sizeof(middle) - 1) == 0 &&
	    memcmp(name.p + name.n - t.n, t.p, t.n) == 0;
}

/* ours - may it be shown, and how much of it?  fetch */
static int
ours(struct making *m, struct arena *arena, struct found *f)
{
	const struct scope *s = &m->r->scope;
	struct event e;
	int got;

	arena_reset(arena);
	if ((got = event_of(m, f->row->seq, arena, &e)) != 1)
		return got == 0 ? !report_scoped(m->r) : got;
	f->address = e.address.n > 0;
	f->single = f->address && !slice_eq(e.address, f->row->name);
	if (!report_scoped(m->r))
		return 1;
	if (f->single)
		return single_of(m->r, f->row->name);
	if (!f->address)
		return (s->tenant.p == NULL || slice_eq(e.tenant,
		    s->tenant)) && (s->group.p == NULL || slice_eq(e.group,
		    s->group));
	f->shared = report_shared(m, SUBJECT_ADDRESS, f->row->name);
	return report_has(m, SUBJECT_ADDRESS, f->row->name);
}

/* rank - what is stopped first, what is warm last */
static int
rank(const struct found *f)
{
	return f->row->stopped != 0 || f->single ? 0 : f->row->warmed != 0 ?
	    2 : 1;
}

/* by_need - then addresses, then by name */
static int
by_need(const void *a, const void *b)
{
	const struct found *x = a, *y = b;
	size_t n = x->row->name.n < y->row->name.n ? x->row->name.n :
	    y->row->name.n;
	int order;

	if (rank(x) != rank(y))
		return rank(x) - rank(y);
	if (x->address != y->address)
		return x->address ? -1 : 1;
	order = n > 0 ? memcmp(x->row->name.p, y->row->name.p, n) : 0;
	return order != 0 ? order : (x->row->name.n > y->row->name.n) -
	    (x->row->name.n < y->row->name.n);
}

/* mark - a decision, as one day of it */
static void
mark(struct warm *w, const struct adapt_input *in,
    const struct adapt_decision *d)
{
	struct warm_mark *k = &w->marks[w->nmarks++];

	*k = (struct warm_mark){ .date = (int32_t)in->date, .day = in->day,
	    .after = d->day, .cap = in->cap, .used = in->used,
	    .rule = adapt_rule_names[d->rule],
	    .back = d->rule <= ADAPT_H2 };
	if (w->nmarks > 1)
		return;
	w->date = k->date;		/* the latest comes first */
	w->day = d->day;
	w->days = in->days;
	w->stopped |= d->stop;
	w->warmed = d->warmed;
}

/* latest - what the newest decision says in words */
static int
latest(struct making *m, struct warm *w, const struct adapt_input *in,
    const struct adapt_decision *d)
{
	struct buf b = BUF_INIT;

	buf_printf(&b, "%s: ", adapt_rule_names[d->rule]);
	adapt_say(in, d, &b);
	w->said = arena_copy(m->r->arena, buf_slice(&b));
	buf_free(&b);
	return w->said.p == NULL ? why_kind(m->why, WHY_MEMORY,
	    "out of memory") : 0;
}

/* turn - from the latest first to the oldest first */
static void
turn(struct warm *w)
{
	for (size_t i = 0, j = w->nmarks; i + 1 < j; i++) {
		struct warm_mark x = w->marks[i];

		w->marks[i] = w->marks[--j];
		w->marks[j] = x;
	}
}

/* chain - the decisions until the period ended, back from the row's */
static int
chain(struct making *m, const struct found *f, struct arena *arena,
    struct warm *w)
{
	uint64_t seq = f->row->seq;
	bool resumed = false;

	for (size_t i = 0; seq != 0 && i < CHAIN && w->nmarks < MARKS; i++) {
		struct adapt_decision d;
		struct adapt_input in;
		struct event e;
		struct why why;
		int got;

		arena_reset(arena);
		if ((got = event_of(m, seq, arena, &e)) != 1)
			return got;
		seq = e.voids < seq ? e.voids : 0;
		if (slice_starts(e.text, SLICE("resume "))) {
			resumed |= w->nmarks == 0;
			continue;
		}
		if (adapt_read(e.text, &in, &d, arena, &why) == -1 ||
		    in.date >= m->r->period.until)
			continue;
		mark(w, &in, &d);
		if (w->nmarks == 1 && !f->shared && latest(m, w, &in, &d) == -1)
			return -1;
	}
	if (resumed)
		w->stopped = false;
	return 0;
}

/* fill - one warmup */
static int
fill(struct making *m, const struct found *f, struct arena *arena,
    struct warm *w)
{
	struct report *r = m->r;

	*w = (struct warm){ .name = arena_copy(r->arena, f->row->name),
	    .day = f->row->day, .stopped = f->single, .shared = f->shared,
	    .marks = arena_array(r->arena, MARKS, sizeof(*w->marks)) };
	if (w->name.p == NULL || w->marks == NULL)
		return why_kind(m->why, WHY_MEMORY, "out of memory");
	if (f->single)
		return 0;
	if (chain(m, f, arena, w) == -1)
		return -1;
	if (w->nmarks == 0) {		/* nothing was decided by then */
		w->stopped = f->row->stopped != 0;
		w->warmed = f->row->warmed != 0;
	}
	turn(w);
	if (f->shared)
		w->nmarks = 0;
	return 0;
}

/* gather - those that may be shown; fetch: how many, or -1 */
static int
gather(struct making *m, const struct progress *p, struct arena *arena,
    struct found *list, size_t *n)
{
	const struct warm_row *rows;
	size_t all = progress_rows(p, &rows);

	for (size_t i = 0; i < all; i++) {
		struct found *f = &list[*n];
		int got;

		*f = (struct found){ .row = &rows[i] };
		if ((got = ours(m, arena, f)) == -1)
			return -1;
		*n += (size_t)got;
	}
	return 0;
}

/* show - the first of them */
static int
show(struct making *m, const struct progress *p, struct arena *arena)
{
	struct report *r = m->r;
	const struct warm_row *rows;
	size_t all = progress_rows(p, &rows), n = 0;
	struct found *list = calloc(all + 1, sizeof(*list));
	int rc = -1;

	r->warms = arena_array(r->arena, WARMS, sizeof(*r->warms));
	if (list == NULL || r->warms == NULL) {
		why_kind(m->why, WHY_MEMORY, "out of memory");
		goto out;
	}
	if (gather(m, p, arena, list, &n) == -1)
		goto out;
	qsort(list, n, sizeof(*list), by_need);
	r->warms_all = n;
	while (r->nwarms < n && r->nwarms < WARMS) {
		if (fill(m, &list[r->nwarms], arena,
		    &r->warms[r->nwarms]) == -1)
			goto out;
		r->nwarms++;
	}
	rc = 0;
out:
	free(list);
	return rc;
}

/* report_warmups - of the gate's store */
int
report_warmups(struct making *m)
{
	struct progress *p = NULL;
	struct arena *arena;
	int rc = -1;

	if (m->in->gate == NULL)
		return 0;
	if (progress_restore(m->in->gate, &p, m->why) == -1)
		return -1;
	if ((arena = arena_new(1 << 16, 0)) == NULL)
		why_kind(m->why, WHY_MEMORY, "out of memory");
	else
		rc = show(m, p, arena);
	arena_free(arena);
	progress_drop(p);
	return rc;
}
