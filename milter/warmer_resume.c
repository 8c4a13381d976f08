/*
 * warmer_resume - the word of a person: what was stopped goes on.
 *
 * A decision names a subject as the board shows it, an address or the name of
 * a row; with a provider, that one alone goes on; with a tenant, its object is
 * the pool in which the tenant was stopped.  From then on nothing counts that
 * happened before: the person has seen it.
 *
 * It is done before it is on record, like all that the desk decides; and when
 * the record finds no room it is done again, which changes nothing more: the
 * rows that it names are written whether they change or not.
 */
#include "milter/warmer_in.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"

enum { RESUMES = 64, FIRST = 16 << 10 };

struct resuming {
	struct warmer	*w;
	struct progress	*picture;
	struct warm_row	 rows[RESUMES];
	size_t		 made_by[RESUMES];
	struct event	 events[RESUMES];
	size_t		 n;
};

/* free_factors - of that provider, or of all; what only cuts stays unless the
 * provider is named */
static int
free_factors(struct resuming *g, const struct desk_record *r,
    const struct warm_row *had, struct warm_row *row)
{
	struct warm_factor *to = arena_array(g->w->desk, had->nfactors + 1,
	    sizeof(*to));
	size_t n = 0;

	if (to == NULL)
		return -1;
	for (size_t i = 0; i < had->nfactors; i++) {
		const struct warm_factor *f = &had->factors[i];

		if (subject_frees(r->provider, f))
			continue;
		to[n] = *f;
		to[n].provider = arena_copy(g->w->desk, f->provider);
		to[n].rule = arena_copy(g->w->desk, f->rule);
		if (to[n].provider.p == NULL || to[n].rule.p == NULL)
			return -1;
		n++;
	}
	row->factors = to;
	row->nfactors = n;
	return 0;
}

/* event_of - the record of it, in the chain of the row's events */
static int
event_of(struct resuming *g, const struct desk_record *r,
    const struct warm_row *had, struct event *e, struct why *why)
{
	struct arena *arena = g->w->desk;
	char hex[SUBJECT_HEX + 1];
	struct event before;
	int got;

	if ((got = warm_event(g->w->gate, had->seq, arena, &before,
	    why)) == -1)
		return -1;
	subject_hex(had->key, hex);
	*e = got == 1 ? before : (struct event){ .kind = EVENT_WARMUP };
	e->seq = 0;
	e->time = clock_now();
	e->voids = had->seq;
	e->verdict = VERDICT_PASS;
	e->count = 1;
	e->ncharges = 0;
	e->limit = SLICE(FATE_CHARGE);
	e->matched = arena_copy(arena, slice_of(hex));
	e->rule = slice_of(arena_printf(arena, DESK_NAME ":%" PRIu64,
	    r->seq));
	e->text = slice_of(arena_printf(arena, "resume provider=%.*s: %.*s",
	    r->provider.n > 0 ? (int)r->provider.n : 1, r->provider.n > 0 ?
	    r->provider.p : "-", SLICE_ARG(r->reason)));
	return e->matched.p == NULL || e->rule.p == NULL || e->text.p == NULL ?
	    why_kind(why, WHY_MEMORY, "no memory") : 0;
}

/* resume - one row */
static int
resume(struct resuming *g, const struct desk_record *r,
    const struct warm_row *had, struct why *why)
{
	struct warm_row *row = &g->rows[g->n];

	/* the picture that it is in goes before this is on record */
	*row = *had;
	row->name = arena_copy(g->w->desk, had->name);
	if (row->name.p == NULL)
		return why_kind(why, WHY_MEMORY, "no memory");
	if (event_of(g, r, had, &g->events[g->n], why) == -1)
		return -1;
	if (free_factors(g, r, had, row) == -1)
		return why_kind(why, WHY_MEMORY, "no memory");
	if (r->provider.n == 0)
		row->stopped = 0;
	row->floor = g->events[g->n].time;
	row->rule = SLICE("resume");
	row->inputs = slice_of(arena_printf(g->w->desk, "desk:%" PRIu64
	    ": %.*s", r->seq, SLICE_ARG(r->reason)));
	if (row->inputs.p == NULL)
		return why_kind(why, WHY_MEMORY, "no memory");
	g->made_by[g->n] = g->n;
	g->n++;
	log_info("warmup %.*s: resumed%s%.*s by desk:%" PRIu64,
	    SLICE_ARG(row->name), r->provider.n > 0 ? " at " : "",
	    SLICE_ARG(r->provider), r->seq);
	return 0;
}

/* decision - every row that it means */
static int
decision(struct resuming *g, const struct desk_record *r, struct why *why)
{
	const struct warm_row *rows;
	size_t n = progress_rows(g->picture, &rows), met = 0, from = g->n;

	for (size_t i = 0; i < n && g->n < RESUMES; i++)
		if (subject_meant(r->object, r->tenant, &rows[i])) {
			if (resume(g, r, &rows[i], why) == -1)
				return -1;
			met++;
		}
	if (met == 0)
		log_warn("desk:%" PRIu64 ": there is no warmup %.*s: nothing "
		    "to resume", r->seq, SLICE_ARG(r->object));
	return (int)(g->n - from);
}

/* resume_all - the decisions of a batch; each sees what the one before left */
static int
resume_all(struct resuming *g, const struct desk_row *rows, size_t n,
    struct why *why)
{
	struct progress *next;
	int got;

	for (size_t i = 0; i < n; i++) {
		if (rows[i].record.kind != DESK_WARMUP_RESUME)
			continue;
		if ((got = decision(g, &rows[i].record, why)) == -1)
			return -1;
		if (got == 0)
			continue;
		next = progress_after(g->picture, g->rows + g->n - got,
		    (size_t)got);
		if (next == NULL)
			return why_kind(why, WHY_MEMORY, "no memory");
		progress_drop(g->picture);
		g->picture = next;
	}
	return 0;
}

/* asks - is there any of ours in the batch? */
static bool
asks(const struct desk_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (rows[i].record.kind == DESK_WARMUP_RESUME)
			return true;
	return false;
}

/* warmer_resume - swapped in; the rest is for the record */
int
warmer_resume(struct warmer *w, const struct desk_row *rows, size_t n,
    const struct writer_warm **out, struct why *why)
{
	struct resuming *g;
	int rc;

	*out = NULL;
	pthread_mutex_lock(&w->turn);
	if (!asks(rows, n))
		return 0;
	if (w->desk == NULL && (w->desk = arena_new(FIRST, 0)) == NULL)
		return why_kind(why, WHY_MEMORY, "no memory");
	arena_reset(w->desk);
	if ((g = arena_alloc(w->desk, sizeof(*g))) == NULL)
		return why_kind(why, WHY_MEMORY, "no memory");
	g->w = w;
	g->picture = gate_progress(w->gate);
	rc = resume_all(g, rows, n, why);
	if (rc == -1 || g->n == 0) {
		progress_drop(g->picture);
		return rc;
	}
	gate_advance(w->gate, g->picture);
	w->out = (struct writer_warm){ .events = g->events, .nevents = g->n,
		.rows = g->rows, .nrows = g->n, .made_by = g->made_by };
	*out = &w->out;
	return 0;
}

/* warmer_resumed - on record, or not: rows know their events now */
void
warmer_resumed(struct warmer *w)
{
	struct progress *had, *next;

	if (w->out.nrows > 0) {
		had = gate_progress(w->gate);
		next = progress_after(had, w->out.rows, w->out.nrows);
		progress_drop(had);
		if (next != NULL)
			gate_advance(w->gate, next);
		memset(&w->out, 0, sizeof(w->out));
	}
	pthread_mutex_unlock(&w->turn);
}
