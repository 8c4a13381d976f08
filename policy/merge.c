/*
 * merge - limits of one kind and name at several levels, laid over each other.
 *
 * Levels are merged from the outermost in.  What two lines of different levels
 * say together is judged where the nearer one stands, and once: a tenant is
 * not told about lines of its class (build_told, and own).
 */
#include "policy/build.h"

#include "lib/text.h"
#include "policy/warmup.h"

/* warm - is it a part of a warmup? */
static bool
warm(const struct draft *d)
{
	return slice_starts(d->limit.name, SLICE("warmup:"));
}

/* silent - of those parts one speaks for all */
static bool
silent(const struct draft *d)
{
	return warm(d) && !slice_is(d->limit.name, WARMUP_DAY);
}

/* kind_of - for eyes */
static const char *
kind_of(const struct draft *d)
{
	return warm(d) ? "warmup" : limit_kind_names[d->limit.kind];
}

/* name_of - of a warmup, that of its schedule */
static struct slice
name_of(const struct draft *d)
{
	return warm(d) ? d->limit.text : d->limit.name;
}

/* find - the limit of that kind and name, or NULL */
static struct merged *
find(struct merging *m, const struct draft *d)
{
	for (size_t i = 0; i < m->nall; i++) {
		const struct limit *l = &m->all[i].part[0]->limit;

		if (l->kind == d->limit.kind &&
		    slice_eq(l->name, d->limit.name))
			return &m->all[i];
	}
	return NULL;
}

/* fresh - room for one more */
static struct merged *
fresh(struct merging *m)
{
	struct build *b = m->b;
	struct merged *more, *one;

	if (m->nall == m->cap) {
		size_t cap = m->cap > 0 ? m->cap * 2 : 16;

		if ((more = build_alloc(b, b->file, cap, sizeof(*more))) ==
		    NULL)
			return NULL;
		if (m->nall > 0)
			memcpy(more, m->all, m->nall * sizeof(*more));
		m->all = more;
		m->cap = cap;
	}
	one = &m->all[m->nall++];
	memset(one, 0, sizeof(*one));
	return one;
}

/* merge_scope - the drafts of one level, or of a stream there */
void
merge_scope(struct merging *m, const struct scope *scope)
{
	for (size_t i = 0; i < scope->ndrafts; i++) {
		struct draft *d = &scope->drafts[i];
		struct merged *one = find(m, d);

		if (one == NULL && (one = fresh(m)) == NULL)
			return;
		/* full: the same name twice in a block, which was said */
		if (one->n == sizeof(one->part) / sizeof(one->part[0]))
			continue;
		if ((d->set & SET_AMOUNT) != 0)
			one->off = d->off;
		one->part[one->n++] = d;
		one->outer += !scope->in_stream;
		one->limit = NULL;
	}
}

/* mine - is it this merge's to speak of that line? */
static bool
mine(struct merging *m, const struct draft *d, char what)
{
	if (silent(d))
		return false;
	if (m->own != NULL)
		return d->passing;
	/* what a class and a group do not agree on, each pair must know */
	return (!m->lenient && what != 's') ||
	    !build_told(m->b, d->limit.at, what);
}

/* other_count - a nearer block that counts apart what the others do not */
static void
other_count(struct merging *m, const struct merged *one,
    const struct draft *d)
{
	const struct draft *outer = one->part[0];
	char first[PATH_ROOM];

	if ((d->set & SET_PER) == 0 || compile_per(outer->standing, d->dims) ==
	    outer->limit.per || !mine(m, d, 'p'))
		return;
	problem_error(m->problems, d->limit.per_at, "%s \"%.*s\" stands "
	    "further out at %s, which says what it counts per; another per "
	    "would be another count: take the line out, or give this limit a "
	    "name of its own", kind_of(d), SLICE_ARG(name_of(d)),
	    build_place(outer->limit.at, first, sizeof(first)));
}

/* of_all - a nearer number for what many have spent */
static void
of_all(struct merging *m, const struct merged *one, size_t i)
{
	const struct draft *outer = one->part[0], *d = one->part[i];
	char first[PATH_ROOM];

	if ((d->set & SET_AMOUNT) == 0 || !limit_shared(&outer->limit) ||
	    limit_parts_per(one->part, i + 1) != outer->limit.per ||
	    !mine(m, d, 's'))
		return;
	problem_warn(m->problems, d->limit.amount_at, "%s \"%.*s\" is shared, "
	    "at %s: what is written here is measured against what all its "
	    "tenants have spent", kind_of(d), SLICE_ARG(name_of(d)),
	    build_place(outer->limit.at, first, sizeof(first)));
}

/* apart - a nearer block whose rate, window or thing counted is another, so
 * that it cannot count where the others do */
static void
apart(struct merging *m, const struct merged *one, size_t i)
{
	const struct draft *outer = one->part[0], *d = one->part[i];
	char first[PATH_ROOM];

	if (limit_parts_per(one->part, i + 1) ==
	    limit_parts_per(one->part, i) || !mine(m, d, 'f'))
		return;
	problem_warn(m->problems, d->limit.at, "%s \"%.*s\" has another "
	    "%s than the one at %s: it counts for itself "
	    "here, and what it counts is not counted there", kind_of(d),
	    SLICE_ARG(name_of(d)), warm(d) ? "schedule" : "rate, window or "
	    "count", build_place(outer->limit.at, first,
	    sizeof(first)));
}

/* siblings - limits of that kind which are inherited, for a hint */
static const char *
siblings(struct merging *m, const struct merged *one)
{
	const char *all = "";

	for (size_t i = 0; i < m->nall; i++) {
		const struct draft *d = m->all[i].part[0];

		if (&m->all[i] == one || d->passing || warm(d) ||
		    d->limit.kind != one->part[0]->limit.kind)
			continue;
		all = build_printf(m->b, m->b->work, "%s%s\"%.*s\"", all,
		    all[0] != '\0' ? ", " : "; there is ",
		    SLICE_ARG(name_of(d)));
	}
	return all;
}

/* given - does some group give what this class may be short of? */
static bool
given(struct merging *m, const struct draft *d)
{
	if (!m->groupless || map_get(m->b->group_gives, slice_of(build_printf(
	    m->b, m->b->work, "%s %.*s", limit_kind_names[d->limit.kind],
	    SLICE_ARG(d->limit.name)))) == NULL)
		return false;
	m->skipped = true;
	return true;
}

/* nothing_off - "none" where there is nothing to switch off */
static void
nothing_off(struct merging *m, const struct merged *one)
{
	const struct draft *d = one->part[0];
	const char *others = siblings(m, one);
	struct quoted q;

	if (warm(d)) {
		problem_error(m->problems, d->limit.at, "warmup is \"none\" "
		    "and switches nothing off: no warmup stands further out");
		return;
	}
	problem_error(m->problems, d->limit.at, "%s %s is \"none\" and "
	    "switches nothing off: no %s of that name stands further out%s",
	    kind_of(d), text_quote(name_of(d), &q), kind_of(d), others);
}

/* no_amount - a limit of no number */
static void
no_amount(struct merging *m, const struct merged *one)
{
	static const char *const words[] = { "rate", "limit", "limit" };
	static const char *const likes[] = { "200/hour", "1000/day", "5000" };
	const struct draft *d = one->part[one->n - 1];
	enum limit_kind kind = d->limit.kind;
	struct quoted q;

	problem_error(m->problems, d->limit.at, "%s %s has no %s; write "
	    "%s = \"%s\"", kind_of(d), text_quote(name_of(d), &q),
	    words[kind], words[kind], likes[kind]);
}

/* judge - the lines that came since the last time; false: it is no limit */
static bool
judge(struct merging *m, struct merged *one)
{
	bool amount = false;

	for (size_t i = 0; i < one->n; i++)
		amount = amount || (one->part[i]->set & SET_AMOUNT) != 0;
	for (size_t i = one->judged > 0 ? one->judged : 1; i < one->n; i++) {
		other_count(m, one, one->part[i]);
		of_all(m, one, i);
		apart(m, one, i);
	}
	if (amount && one->part[0]->off && one->judged == 0 && !m->forgive &&
	    (m->own == NULL || one->part[0]->passing) &&
	    !given(m, one->part[0]) && mine(m, one->part[0], 'o'))
		nothing_off(m, one);
	one->judged = one->n;
	if (amount || m->forgive)
		return amount;
	if ((m->own != NULL || !given(m, one->part[one->n - 1])) &&
	    mine(m, one->part[one->n - 1], 'a'))
		no_amount(m, one);
	return false;
}

/* merge_finish - the limits of all that was merged so far */
void
merge_finish(struct merging *m)
{
	for (size_t i = 0; i < m->nall && !m->b->nomem; i++) {
		struct merged *one = &m->all[i];

		if (one->n == one->judged)
			continue;
		one->limit = judge(m, one) && !one->off ?
		    compile_limit(m->b, one->part, one->n) : NULL;
		if (one->outer == one->n)
			one->wide = one->limit;
	}
}
