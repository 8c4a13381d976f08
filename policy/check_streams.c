/*
 * check_streams - streams and limits that can be read and are not wise.
 *
 * "Never reached": every line of the stream asks for at least all that some
 * line of an earlier one asks for.  A line with a header word in a stream with
 * a claim takes mail of some logins only, and so hides nothing.
 *
 * "Escapes": whoever writes a header may take his mail from a later stream,
 * which has a limit that the header's stream has not, and nothing in exchange.
 * A stream with a limit of its own is a choice between two limits, and one
 * whose lines rule out the other's is no choice at all; nothing is said then.
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

/* apart - can no mail be in both lines, since one has what the other denies? */
static bool
apart(const struct match_line *l, const struct match_line *m)
{
	for (size_t i = 0; i < l->n; i++)
		for (size_t j = 0; j < m->n; j++) {
			struct match_word w = m->words[j];

			w.not = !w.not;
			if (same_word(&l->words[i], &w))
				return true;
		}
	return false;
}

/* by_header - is it a line that anybody's header could make fit? */
static bool
by_header(const struct match_line *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->words[i].what == MATCH_HEADER)
			return true;
	return false;
}

/* may_take - can a header take mail of the later stream into s?  What is in
 * that one by a header as well was free to stay out of it. */
static bool
may_take(const struct stream *s, const struct stream *later)
{
	size_t i, j;

	for (i = 0; i < s->nlines; i++) {
		if (!by_header(&s->lines[i]))
			continue;
		if (later->nlines == 0)
			return true;
		for (j = 0; j < later->nlines; j++)
			if (!by_header(&later->lines[j]) &&
			    !apart(&s->lines[i], &later->lines[j]))
				return true;
	}
	return false;
}

/* has - a limit of that kind and name, or NULL */
static const struct limit *
has(const struct stream *s, const struct limit *limit)
{
	for (size_t i = 0; i < s->nlimits; i++)
		if (s->limits[i]->kind == limit->kind &&
		    slice_eq(s->limits[i]->name, limit->name))
			return s->limits[i];
	return NULL;
}

/* escaped - a limit of the later stream that s has not; NULL: none, or it has
 * another one in exchange */
static const struct limit *
escaped(const struct stream *s, const struct stream *later)
{
	const struct limit *missing = NULL;
	size_t i;

	for (i = 0; i < s->nlimits; i++)
		if (has(later, s->limits[i]) == NULL)
			return NULL;
	for (i = 0; missing == NULL && i < later->nlimits; i++)
		if (!later->limits[i]->shadow && has(s, later->limits[i]) ==
		    NULL)
			missing = later->limits[i];
	return missing;
}

/* check_escape - of one stream, into later ones */
static void
check_escape(struct build *b, const struct stream *const *all, size_t n,
    size_t i, const struct tenant *own, struct problems *problems)
{
	const struct stream *s = all[i];
	const struct limit *l;
	char other[PATH_ROOM];

	if (!s->by_header || s->nclaim > 0 ||
	    (own != NULL && s->at.file != own->at.file))
		return;
	for (size_t j = i + 1; j < n; j++) {
		if ((l = escaped(s, all[j])) == NULL || !may_take(s, all[j]))
			continue;
		if (build_told(b, s->at, 'e'))
			return;
		problem_warn(problems, s->at, "stream \"%.*s\" is selected by "
		    "a header, and mail of stream \"%.*s\" escapes %s "
		    "\"%.*s\" at %s by it: anybody could write that header; "
		    "name the logins that may, claim = {\"...\"}",
		    SLICE_ARG(s->name), SLICE_ARG(all[j]->name),
		    limit_kind_names[l->kind], SLICE_ARG(l->name),
		    build_place(l->at, other, sizeof(other)));
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

/* check_paths - pools that its mail cannot be sent to */
static void
check_paths(struct build *b, const struct stream *s, const struct tenant *own,
    struct problems *problems)
{
	for (size_t i = 0; i < s->nroutes; i++) {
		const struct route *r = &s->routes[i];

		if (r->pool->select != SELECT_SENDER ||
		    s->return_path == RETURN_PATH_VERP ||
		    (own != NULL && r->at.file != own->at.file) ||
		    build_told(b, r->at, 'v'))
			continue;
		problem_warn(problems, r->at, "pool \"%.*s\" is selected by "
		    "the return path (select = \"sender\"), and stream "
		    "\"%.*s\" keeps it: its mail leaves by Postfix's own "
		    "route; write return_path = \"verp\"",
		    SLICE_ARG(r->pool->name), SLICE_ARG(s->name));
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
		check_escape(b, all, n, i, own, problems);
		check_burst(b, s, problems);
		check_open(b, s, problems);
		check_paths(b, s, own, problems);
		check_limits(b, s->limits, s->nlimits, own, problems);
	}
}
