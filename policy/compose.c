/*
 * compose - the streams of a tenant, from all levels that speak of its mail.
 *
 * Of a stream the value holds that is said nearest:
 *
 *	file, group, class by class, tenant		for all of its mail
 *	the stream in file, group, class by class, tenant
 *
 * the second row being nearer than the first.  A name takes its place in the
 * order of trial from the nearest level that has it.
 *
 * What a class and a group say together is worked out once, a mix; a tenant
 * that says no more points to it and costs no memory here.  A tenant with keys
 * has copies of the streams, since they name the keys, and still shares the
 * limits.
 *
 * A class is tried without any group when the main part is read, so that its
 * mistakes are known when no tenant has it.  What only some group could give
 * it is forgiven then, and asked for when a tenant has the one and not the
 * other.
 */
#include "policy/build.h"

#include <stdlib.h>

#include "lib/clock.h"

#define BACKOFF_MAX	(4 * CLOCK_HOUR)

#define TAKE(field) do {						\
	if (from->field##_at.file != NULL) {				\
		to->field = from->field;				\
		to->field##_at = from->field##_at;			\
	}								\
} while (0)

/* take - what a nearer level says */
static void
take(struct build *b, struct stream *to, const struct stream *from)
{
	compose_breakers(b, to, from);
	TAKE(priority);
	TAKE(return_path);
	TAKE(partial);
	TAKE(max_recipients);
	TAKE(fair_weight);
	TAKE(shadow);
	TAKE(paused);
	TAKE(hold_max);
	TAKE(backoff);
	TAKE(backoff_max);
	TAKE(then);
	TAKE(suppressed);
	TAKE(complaint_scope);
	TAKE(strip);
	TAKE(unsubscribe);
	TAKE(url);
	TAKE(mailto);
	TAKE(many_recipients);
	TAKE(existing);
	TAKE(list_id);
	TAKE(feedback_id);
	TAKE(campaign);
	TAKE(cfbl);
	TAKE(postal_address);
	TAKE(postal);
	if (from->match_at.file != NULL) {
		to->lines = from->lines;
		to->nlines = from->nlines;
		to->by_header = from->by_header;
		to->match_at = from->match_at;
	}
	if (from->claim_at.file != NULL) {
		to->claim = from->claim;
		to->nclaim = from->nclaim;
		to->claim_at = from->claim_at;
	}
	if (from->nroutes > 0) {
		to->routes = from->routes;
		to->nroutes = from->nroutes;
	}
}

/* part_of - a level's block of a stream, or NULL */
static const struct scope *
part_of(const struct scope *level, struct slice name)
{
	for (size_t i = 0; i < level->nstreams; i++)
		if (slice_eq(level->streams[i].name, name))
			return &level->streams[i];
	return NULL;
}

/* limits_of - an array of those that are on */
static const struct limit **
limits_of(struct merging *m, size_t *n)
{
	const struct limit **out = build_alloc(m->b, m->b->keep, m->nall,
	    sizeof(*out));

	*n = 0;
	for (size_t i = 0; out != NULL && i < m->nall; i++)
		if (m->all[i].limit != NULL)
			out[(*n)++] = m->all[i].limit;
	return out;
}

/* looser - may more pass l than w? */
static bool
looser(const struct limit *l, const struct limit *w)
{
	if (l == w)
		return false;
	if (l == NULL || w == NULL)
		return l == NULL;
	/* a count of its own is more mail beside that of the others */
	if ((l->shadow && !w->shadow) || l->per != w->per)
		return true;
	if (l->count != w->count || (l->to_all ? 0 : w->to_all ||
	    (w->to & ~l->to) != 0))
		return true;
	if (l->kind == LIMIT_THROTTLE)
		return l->burst > w->burst || (__int128)l->rate * w->period >
		    (__int128)w->rate * l->period;
	return l->most > w->most || (l->kind == LIMIT_CAP &&
	    (l->unit != w->unit || l->month_day != w->month_day));
}

/* loosens - what a stream lets pass that its tenant's others may not */
static const char *
loosens(struct merging *m, const struct stream *s, const struct stream *wide)
{
	for (size_t i = 0; i < m->nall; i++)
		if (m->all[i].wide != NULL && looser(m->all[i].limit,
		    m->all[i].wide))
			return build_printf(m->b, m->b->work, "%s \"%.*s\"",
			    limit_kind_names[m->all[i].wide->kind],
			    SLICE_ARG(m->all[i].wide->name));
	if ((s->shadow & ~wide->shadow & SHADOW_LIMITS) != 0)
		return "all limits (shadow)";
	if (wide->max_recipients > 0 && (s->max_recipients == 0 ||
	    s->max_recipients > wide->max_recipients))
		return "max_recipients";
	return NULL;
}

/* needs_claim - whoever writes a header may not free himself of a limit */
static void
needs_claim(struct merging *m, const struct stream *s,
    const struct stream *wide, bool own)
{
	const char *what;
	char at[PATH_ROOM];

	if (!s->by_header || s->nclaim > 0 || (m->own != NULL && !own) ||
	    (what = loosens(m, s, wide)) == NULL ||
	    (m->lenient && build_told(m->b, s->at, 'c')))
		return;
	problem_error(m->problems, s->at, "stream \"%.*s\" is selected by a "
	    "header (match at %s) and loosens %s: anybody could write that "
	    "header; name the logins that may, claim = {\"...\"}",
	    SLICE_ARG(s->name), build_place(s->match_at, at, sizeof(at)),
	    what);
}

/* no_match - a stream that no mail would be in */
static void
no_match(struct merging *m, const struct stream *s, bool own, bool faulty)
{
	if (m->forgive || faulty || (m->own != NULL && !own))
		return;
	if (m->groupless && map_get(m->b->group_gives, slice_of(build_printf(
	    m->b, m->b->work, "match %.*s", SLICE_ARG(s->name)))) != NULL) {
		m->skipped = true;
		return;
	}
	if (m->lenient && build_told(m->b, s->at, 'm'))
		return;
	problem_error(m->problems, s->at, "stream \"%.*s\" has no match, here "
	    "or further out: no mail would be in it; write match = "
	    "{\"sender:news@*\"}", SLICE_ARG(s->name));
}

/* fill - one stream; false: it is not there after all */
static bool
fill(struct merging *m, struct stream *s, const struct stream *wide,
    const struct limit **base, size_t nbase)
{
	struct merging inner = *m;
	bool own = false, limits = false, faulty = false;
	const struct scope *part;
	struct slice name = s->name;

	*s = *wide;
	s->name = name;
	s->id = hash_id("stream", name);
	/* room of its own: the base must stay as it is */
	inner.all = build_alloc(m->b, m->b->file, m->nall, sizeof(*m->all));
	inner.cap = m->nall;
	if (inner.all == NULL)
		return false;
	if (m->nall > 0)
		memcpy(inner.all, m->all, m->nall * sizeof(*m->all));
	for (size_t i = 0; i < m->n; i++) {
		if ((part = part_of(m->levels[i], name)) == NULL)
			continue;
		own = own || part->level == LEVEL_TENANT;
		faulty = faulty || part->faulty;
		take(m->b, s, &part->said);
		s->at = part->at;
		merge_scope(&inner, part);
		limits = limits || part->ndrafts > 0;
	}
	merge_finish(&inner);
	m->skipped = m->skipped || inner.skipped;
	if (s->nlines == 0 && !slice_is(name, "default")) {
		no_match(m, s, own, faulty);
		return false;
	}
	s->limits = base;
	s->nlimits = nbase;
	if (limits)
		s->limits = limits_of(&inner, &s->nlimits);
	needs_claim(&inner, s, wide, own);
	return true;
}

/* listed - is there one of that name? */
static bool
listed(const struct stream *all, size_t n, struct slice name)
{
	for (size_t i = 0; i < n; i++)
		if (slice_eq(all[i].name, name))
			return true;
	return slice_is(name, "default");
}

/* names - of all streams, in the order in which they are tried */
static size_t
names(struct merging *m, struct stream *all)
{
	size_t n = 0;

	for (size_t i = m->n; i > 0; i--) {
		const struct scope *level = m->levels[i - 1];

		for (size_t j = 0; j < level->nstreams; j++)
			if (!listed(all, n, level->streams[j].name))
				all[n++].name = level->streams[j].name;
	}
	all[n++].name = SLICE("default");
	return n;
}

/* in_all - is the limit one of every stream? */
static bool
in_all(const struct limit *limit, const struct stream *const *streams,
    size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t j = 0;

		while (j < streams[i]->nlimits &&
		    streams[i]->limits[j] != limit)
			j++;
		if (j == streams[i]->nlimits)
			return false;
	}
	return true;
}

/* common - the limits that all streams have alike */
static void
common(struct merging *m, struct mix *out)
{
	bool alike = true;

	for (size_t i = 0; i < out->nstreams; i++)
		alike = alike && out->streams[i]->limits == out->base;
	out->common = out->base;
	out->ncommon = out->nbase;
	if (alike || (out->common = build_alloc(m->b, m->b->keep, out->nbase,
	    sizeof(*out->common))) == NULL)
		return;
	out->ncommon = 0;
	for (size_t i = 0; i < out->nbase; i++)
		if (in_all(out->base[i], out->streams, out->nstreams))
			out->common[out->ncommon++] = out->base[i];
}

/* compose - all streams of the levels; base: limits known already, or NULL */
static void
compose(struct merging *m, const struct mix *known, struct mix *out)
{
	struct stream wide = { .priority = PRIORITY_TRANSACTIONAL,
	    .fair_weight = 1, .hold_max = CLOCK_DAY,
	    .backoff_max = BACKOFF_MAX,
	    .mailto = SLICE("unsubscribe") }, *all, **list;
	size_t most = 1, n, good = 0;
	bool late = false;

	for (size_t i = 0; i < m->n; i++) {
		merge_scope(m, m->levels[i]);
		take(m->b, &wide, &m->levels[i]->said);
		most += m->levels[i]->nstreams;
	}
	merge_finish(m);
	out->base = known != NULL ? known->base : limits_of(m, &out->nbase);
	if (known != NULL)
		out->nbase = known->nbase;
	all = build_alloc(m->b, m->b->file, most, sizeof(*all));
	if (m->b->nomem)
		return;
	n = names(m, all);
	list = build_alloc(m->b, m->b->keep, n, sizeof(*list));
	for (size_t i = 0; i < n && !m->b->nomem; i++) {
		if (!fill(m, &all[i], &wide, out->base, out->nbase))
			continue;
		late = late || all[i].by_header;
		all[i].late = late;
		if ((list[good] = build_alloc(m->b, m->b->keep, 1,
		    sizeof(**list))) == NULL)
			return;
		*list[good++] = all[i];
	}
	if (m->b->nomem)
		return;
	out->streams = (const struct stream *const *)list;
	out->nstreams = good;
	common(m, out);
	check_streams(m->b, out->streams, out->nstreams, m->own, m->problems);
}

/* levels - file, group and class, outermost first */
static void
levels(struct merging *m, const struct group *group,
    const struct class *class)
{
	const struct scope *chain[CLASSES_MAX];
	size_t n = 0;

	m->levels[m->n++] = &m->b->file_scope;
	if (group != NULL && (m->levels[m->n] = map_get(m->b->group_scopes,
	    group->name)) != NULL)
		m->n++;
	for (; class != NULL && n < CLASSES_MAX; class = class->extends)
		chain[n++] = &class->scope;
	while (n > 0)
		m->levels[m->n++] = chain[--n];
}

/* trouble - the first mistake of a mix, to be told to its tenants */
static const char *
trouble(struct build *b, const struct mix *mix,
    const struct problems *problems)
{
	const struct problem *p = problems->first;
	char at[PATH_ROOM];

	while (p != NULL && p->warning)
		p = p->next;
	if (p == NULL)
		return NULL;
	build_place(p->at, at, sizeof(at));
	if (mix->group == NULL)
		return build_printf(b, b->work, "class \"%.*s\" needs a "
		    "group: %s: %s", SLICE_ARG(mix->class->name), at,
		    p->text);
	return build_printf(b, b->work, "class \"%.*s\" and group \"%.*s\" do "
	    "not go together: %s: %s", SLICE_ARG(mix->class->name),
	    SLICE_ARG(mix->group->name), at, p->text);
}

/* forward - what is not wise belongs to the main part */
static void
forward(struct build *b, const struct problems *problems)
{
	for (const struct problem *p = problems->first; p != NULL; p = p->next)
		if (p->warning)
			problem_warn(b->problems, p->at, "%s", p->text);
}

/* mix_of - of a class and a group; lenient: the main part tries itself */
static const struct mix *
mix_of(struct build *b, const struct group *group, const struct class *class,
    bool lenient)
{
	struct mix *mix, key = { .class = class, .group = group };
	struct slice name = { (const char *)&key, offsetof(struct mix,
	    streams) };
	struct problems problems;
	struct merging m = { .b = b, .lenient = lenient,
	    .groupless = lenient && class != NULL };

	if ((mix = map_get(b->mixes, name)) != NULL)
		return mix;
	if ((mix = build_alloc(b, b->work, 1, sizeof(*mix))) == NULL)
		return NULL;
	*mix = key;
	problems_init(&problems, b->work);
	/* alone each of them stands in the main part, and so do its faults */
	m.problems = lenient ? b->problems : &problems;
	levels(&m, group, class);
	compose(&m, NULL, mix);
	if (!lenient) {
		forward(b, &problems);
		mix->trouble = class != NULL && !b->main_broken ?
		    trouble(b, mix, &problems) : NULL;
	}
	name.p = (const char *)mix;
	if (!m.skipped && !b->nomem && map_set(b->mixes, name, mix) == -1)
		b->nomem = true;
	return b->nomem ? NULL : mix;
}

/* compose_main - file, groups and classes, each for itself */
void
compose_main(struct build *b)
{
	struct policy *p = b->policy;
	const struct mix *mix;
	struct slice name;
	size_t at = 0;
	void *class;

	(void)mix_of(b, NULL, NULL, true);
	for (size_t i = 0; i < p->ngroups && !b->nomem; i++) {
		struct group *g = p->groups[i];

		if ((mix = mix_of(b, g, NULL, true)) == NULL)
			return;
		g->limits = build_alloc(b, b->keep, mix->nbase,
		    sizeof(*g->limits));
		for (size_t j = 0; g->limits != NULL && j < mix->nbase; j++)
			if ((mix->base[j]->per & PER_GROUP) != 0)
				g->limits[g->nlimits++] = *mix->base[j];
	}
	while (!b->nomem && map_next(b->classes, &at, &name, &class))
		(void)mix_of(b, NULL, class, true);
	b->main_broken = b->problems->errors > b->errors_before;
}

/* says_nothing - that its class and group do not say for it */
static bool
says_nothing(const struct scope *scope)
{
	return scope->ndrafts == 0 && scope->nstreams == 0 && !scope->says;
}

/* own_keys - streams that name the tenant's keys */
static void
own_keys(struct build *b, struct tenant *t, const struct scope *scope)
{
	struct stream *copies = build_alloc(b, b->keep, t->nstreams,
	    sizeof(*copies));
	const struct stream **list = build_alloc(b, b->keep, t->nstreams,
	    sizeof(*list));
	const struct scope *part;

	for (size_t i = 0; !b->nomem && i < t->nstreams; i++) {
		copies[i] = *t->streams[i];
		part = part_of(scope, copies[i].name);
		compile_stream_keys(b, t, &copies[i], part != NULL ?
		    &part->said : NULL);
		list[i] = &copies[i];
	}
	if (!b->nomem)
		t->streams = list;
}

/* has_keys - in its own block or in one of its streams */
static bool
has_keys(const struct tenant *t, const struct scope *scope)
{
	for (size_t i = 0; i < scope->nstreams; i++)
		if (scope->streams[i].said.nidentities > 0)
			return true;
	return t->nidentities > 0;
}

/* give - what was composed to the tenant */
static void
give(struct tenant *t, const struct mix *mix)
{
	t->streams = mix->streams;
	t->nstreams = mix->nstreams;
	t->common = mix->common;
	t->ncommon = mix->ncommon;
}

/* compose_tenant - over what its class and group say */
void
compose_tenant(struct build *b, struct tenant *t, const struct class *class,
    bool lost, const struct scope *scope, struct problems *problems)
{
	const struct mix *mix = mix_of(b, t->group, class, false);
	struct merging m = { .b = b, .problems = problems, .own = t,
	    .forgive = lost };
	struct mix own = { .class = class, .group = t->group };

	if (mix == NULL)
		return;
	give(t, mix);
	if (mix->trouble != NULL) {
		problem_error(problems, t->class_at, "%s", mix->trouble);
		return;
	}
	if (!says_nothing(scope)) {
		levels(&m, t->group, class);
		m.levels[m.n++] = scope;
		compose(&m, scope->ndrafts == 0 ? mix : NULL, &own);
		if (b->nomem)
			return;
		give(t, &own);
	}
	if (has_keys(t, scope))
		own_keys(b, t, scope);
}

/* compose_none - a tenant that gets 451 in any case */
void
compose_none(struct build *b, struct tenant *t)
{
	struct stream *s = build_alloc(b, b->keep, 1, sizeof(*s));
	const struct stream **all = build_alloc(b, b->keep, 1, sizeof(*all));

	if (s == NULL || all == NULL)
		return;
	s->name = SLICE("default");
	s->id = hash_id("stream", s->name);
	s->hold_max = CLOCK_DAY;
	s->backoff_max = BACKOFF_MAX;
	s->fair_weight = 1;
	s->priority = PRIORITY_TRANSACTIONAL;
	all[0] = s;
	t->streams = all;
	t->nstreams = 1;
}
