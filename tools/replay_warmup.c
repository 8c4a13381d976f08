/*
 * replay_warmup - how far warmups were when the recorded mail came.
 *
 * The picture of now is taken back to the first event that is replayed: each
 * row names the decision that made it, and each decision the one before, with
 * the day that it went out from.  Then the recorded decisions move it on, in
 * their places among the mail.  What a provider had lost before the first event
 * is not known by then, and it has all of its share until a rule speaks.
 */
#include <stdlib.h>

#include "policy/adapt.h"
#include "policy/progress.h"
#include "policy/subject.h"
#include "tools/replay.h"

/* read_one - the decision of that sequence; fetch */
static int
read_one(struct store *store, uint64_t seq, struct arena *arena,
    struct event *e, struct why *why)
{
	int got = store_event(store, seq, arena, e, why);

	return got == 1 ? e->kind == EVENT_WARMUP : got;
}

/* is_resume - the word of a person, not of a rule */
static bool
is_resume(const struct event *e)
{
	return slice_starts(e->text, SLICE("resume "));
}

/* back - a row as it was before that event */
static int
back(struct store *store, uint64_t first, struct arena *arena,
    struct warm_row *row, struct why *why)
{
	struct adapt_decision d;
	struct adapt_input in;
	uint64_t seq = row->seq;
	struct event e;
	int got;

	while (seq >= first && seq != 0) {
		if ((got = read_one(store, seq, arena, &e, why)) != 1)
			return got;
		row->nfactors = 0;
		row->stopped = is_resume(&e) ? 1 : 0;
		if (!is_resume(&e) && adapt_read(e.text, &in, &d, arena,
		    why) == 0) {
			row->day = in.day;
			row->date = in.date;
		}
		seq = e.voids < seq ? e.voids : 0;
	}
	return 0;
}

/* replay_warmups - the picture before the first event. Action. */
int
replay_warmups(struct replay *r, struct store *store, uint64_t first,
    struct why *why)
{
	struct arena *arena = arena_new(1 << 16, 0);
	const struct warm_row *rows;
	struct progress *now = NULL;
	struct warm_row *were;
	int result = -1;
	size_t n;

	if (arena == NULL) {
		why_kind(why, WHY_MEMORY, "out of memory");
		goto out;
	}
	if (progress_restore(store, &now, why) == -1)
		goto out;
	n = progress_rows(now, &rows);
	if ((were = arena_array(arena, n + 1, sizeof(*were))) == NULL) {
		why_kind(why, WHY_MEMORY, "out of memory");
		goto out;
	}
	for (size_t i = 0; i < n; i++) {
		were[i] = rows[i];
		if (back(store, first, arena, &were[i], why) == -1)
			goto out;
	}
	if ((r->progress = progress_after(NULL, were, n)) == NULL) {
		why_kind(why, WHY_MEMORY, "out of memory");
		goto out;
	}
	result = 0;
out:
	progress_drop(now);
	arena_free(arena);
	return result;
}

/* factor - what a rule takes from a provider */
static size_t
factor(const struct adapt_input *in, size_t i, enum adapt_rule rule,
    struct warm_factor *to)
{
	if (rule != ADAPT_R1 && !adapt_stops(rule))
		return 0;
	*to = (struct warm_factor){ .provider = in->providers[i].name,
	    .index = UINT_MAX, .rule = slice_of(adapt_rule_names[rule]),
	    .thousandths = rule == ADAPT_R1 ? ADAPT_HALF : 0,
	    .until = rule == ADAPT_R1 ? in->date + 1 + ADAPT_HALF_DAYS : 0 };
	for (unsigned p = 0; p < provider_count(); p++)
		if (slice_is(to->provider, provider_name(p)))
			to->index = p;
	return 1;
}

/* factors - those that are in force still, and what the rules say now */
static size_t
factors(const struct warm_row *had, const struct adapt_input *in,
    const struct adapt_decision *d, struct warm_factor *to)
{
	size_t n = 0;

	for (size_t i = 0; i < had->nfactors && n < PROGRESS_FACTORS; i++)
		if (had->factors[i].until == 0 ||
		    had->factors[i].until > in->date + 1)
			to[n++] = had->factors[i];
	for (size_t i = 0; i < in->nproviders && i < ADAPT_PROVIDERS &&
	    n < PROGRESS_FACTORS; i++)
		n += factor(in, i, d->of[i], &to[n]);
	return n;
}

/* replay_warmup - a decision among the mail. -1 without memory */
int
replay_warmup(struct replay *r, const struct event *e)
{
	struct warm_factor made[PROGRESS_FACTORS];
	const struct warm_row *had;
	struct adapt_decision d;
	struct progress *next;
	struct adapt_input in;
	struct warm_row row = { .nfactors = 0 };
	struct why why;

	if (!subject_unhex(e->matched, row.key))
		return 0;
	if ((had = progress_find(r->progress, row.key)) != NULL)
		row = *had;
	if (is_resume(e)) {
		row.stopped = 0;
		row.nfactors = 0;
	} else if (adapt_read(e->text, &in, &d, r->arena, &why) == -1) {
		return 0;		/* of another release */
	} else {
		row.nfactors = factors(&row, &in, &d, made);
		row.factors = made;
		row.day = d.day;
		row.date = in.date + 1;
		row.clean = d.clean;
		row.stopped = d.stop ? in.date + 1 : row.stopped;
		if (row.started == 0)
			row.started = in.date - in.day + 1;
	}
	if ((next = progress_after(r->progress, &row, 1)) == NULL)
		return -1;
	progress_drop(r->progress);
	r->progress = next;
	return 0;
}
