/*
 * check_streams - streams and limits that can be read and are not wise.
 *
 * "Never reached": every line of the stream asks for at least all that some
 * line of an earlier one asks for.  A line with a header word in a stream with
 * a claim takes mail of some logins only, and so hides nothing.
 *
 * Of a tenant only what its own file makes of it is said; the rest was said of
 * its class.
 */
#include "policy/build.h"

/* same_word - do they ask for the same? */
static bool
same_word(const struct match_word *a, const struct match_word *b)
{
	return a->what == b->what && a->not == b->not &&
	    slice_case_eq(a->name, b->name) &&
	    (a->glob.p == NULL) == (b->glob.p == NULL) &&
	    slice_case_eq(a->glob, b->glob) &&
	    memcmp(&a->net, &b->net, sizeof(a->net)) == 0;
}

/* hides - is all mail of line l taken by line m already? */
static bool
hides(const struct match_line *m, const struct match_line *l, bool claim)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct match_word *w = &m->words[i];
		size_t j = 0;

		if (w->what == MATCH_ANY && !w->not)
			continue;
		if (w->what == MATCH_HEADER && claim)
			return false;
		while (j < l->n && !same_word(w, &l->words[j]))
			j++;
		if (j == l->n)
			return false;
	}
	return true;
}

/* never_reached - because of that earlier stream */
static bool
never_reached(const struct stream *s, const struct stream *earlier)
{
	static const struct match_line nothing;
	size_t i = 0, j;

	do {
		const struct match_line *l = s->nlines > 0 ? &s->lines[i] :
		    &nothing;

		for (j = 0; j < earlier->nlines; j++)
			if (hides(&earlier->lines[j], l, earlier->nclaim > 0))
				break;
		if (j == earlier->nlines)
			return false;
	} while (++i < s->nlines);
	return true;
}

/* check_reach - of one stream; the default that nobody wrote may be idle */
static void
check_reach(struct build *b, const struct stream *const *all, size_t i,
    const struct tenant *own, struct problems *problems)
{
	const struct stream *s = all[i];
	const char *file = own != NULL ? own->at.file : NULL;
	char other[PATH_ROOM];
	struct place at;

	for (size_t j = 0; s->at.file != NULL && j < i; j++) {
		if (!never_reached(s, all[j]))
			continue;
		at = own != NULL && s->at.file != file ? all[j]->at : s->at;
		if ((own != NULL && at.file != file) || build_told(b, at, 'u'))
			return;
		build_place(all[j]->at, other, sizeof(other));
		problem_warn(problems, at, "stream \"%.*s\" is never reached: "
		    "stream \"%.*s\" at %s is tried first and has all of its "
		    "mail", SLICE_ARG(s->name), SLICE_ARG(all[j]->name),
		    other);
		return;
	}
}

/* check_burst - a message with more recipients than ever fit at once */
static void
check_burst(struct build *b, const struct stream *s,
    struct problems *problems)
{
	char other[PATH_ROOM];

	for (size_t i = 0; i < s->nlimits && s->max_recipients > 0; i++) {
		const struct limit *l = s->limits[i];
		int64_t most = l->kind == LIMIT_THROTTLE ? l->burst : l->most;

		if (l->count != COUNT_RECIPIENTS || !l->to_all || l->shadow ||
		    (l->per & (PER_PROVIDER | PER_RECIPIENT_DOMAIN)) != 0 ||
		    s->max_recipients <= most)
			continue;
		if (build_told(b, s->max_recipients_at, 'b'))
			return;
		problem_warn(problems, s->max_recipients_at,
		    "max_recipients %d is more than %s \"%.*s\" at %s ever "
		    "lets pass at once (%lld): the rest of such a message is "
		    "deferred", s->max_recipients, limit_kind_names[l->kind],
		    SLICE_ARG(l->name), build_place(l->at, other,
		    sizeof(other)), (long long)most);
		return;
	}
}

/* check_open - whose figures come from elsewhere; said once */
static void
check_open(struct build *b, const struct stream *s, struct problems *problems)
{
	for (size_t i = 0; i < s->nlimits && !b->warned_open; i++) {
		if (s->limits[i]->kind != LIMIT_OPEN)
			continue;
		b->warned_open = true;
		problem_warn(problems, s->limits[i]->at, "open limits need "
		    "penstock-ingest: what it does not report delivered or "
		    "bounced stays open (said once)");
	}
}

/* check_streams - each for itself and beside the earlier ones */
void
check_streams(struct build *b, const struct stream *const *all, size_t n,
    const struct tenant *own, struct problems *problems)
{
	for (size_t i = 0; i < n && !b->nomem; i++) {
		const struct stream *s = all[i];

		check_reach(b, all, i, own, problems);
		check_burst(b, s, problems);
		check_open(b, s, problems);
		check_limits(b, s->limits, s->nlimits, own, problems);
	}
}
