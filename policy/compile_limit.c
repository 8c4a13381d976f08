/*
 * compile_limit - throttles and caps, and how a tenant's override its class's.
 *
 * A block is first a draft that knows which settings were written.  A tenant's
 * block of the same kind and name as one of its class starts as a copy of the
 * class's draft, so that what is unset comes from there line by line; defaults
 * are filled in last.  (The other order would give "burst" of a class that
 * never wrote one to a tenant that only changed the rate.)
 *
 * A class's limits are made once and pointed to by all its tenants; so are
 * the arrays of those pointers, for tenants that override nothing.
 */
#include "policy/build.h"

#include "lib/scan.h"
#include "lib/text.h"

/* set_amount - "200/hour" or "1000/day", or "none" */
static bool
set_amount(struct build *b, struct draft *d, const struct node *node,
    struct problems *problems)
{
	struct limit *limit = &d->limit;
	const struct value *v = &node->value;
	struct rate rate;
	struct why why;
	int got;

	if (slice_is(v->text, "none")) {
		d->off = true;
		return true;
	}
	got = limit->kind == LIMIT_THROTTLE ? scan_rate(v->text, &rate, &why) :
	    scan_cap(v->text, &rate, &why);
	if (got == -1) {
		problem_error(problems, v->at, "%.*s: %s",
		    SLICE_ARG(node->name), why.text);
		return false;
	}
	if (limit->kind == LIMIT_THROTTLE) {
		limit->rate = rate.n;
		limit->period = rate.period;
	} else {
		limit->most = rate.n;
		limit->unit = rate.unit;
		limit->month_day = rate.month_day;
	}
	limit->text = build_copy(b, b->keep, v->text);
	limit->amount_at = node->at;
	d->off = false;
	d->set |= SET_AMOUNT;
	return true;
}

/* set_to - "all" or "provider:NAME" */
static bool
set_to(struct build *b, struct draft *d, const struct node *node,
    struct problems *problems)
{
	const struct value *v = &node->value;
	const struct slice head = SLICE("provider:");
	struct quoted q;

	d->set |= SET_TO;
	d->limit.to_at = node->at;
	d->limit.to_text = build_copy(b, b->keep, v->text);
	d->limit.to = 0;
	d->limit.to_all = slice_is(v->text, "all");
	if (d->limit.to_all)
		return true;
	if (!slice_starts(v->text, head)) {
		problem_error(problems, v->at, "to: expected \"all\" or "
		    "\"provider:NAME\", found %s", text_quote(v->text, &q));
		return false;
	}
	d->limit.to = provider_find(slice_from(v->text, head.n));
	if (d->limit.to != 0)
		return true;
	problem_error(problems, v->at, "to: unknown provider %s%s",
	    text_quote(slice_from(v->text, head.n), &q),
	    build_provider(b, slice_from(v->text, head.n)));
	return false;
}

/* set_one - one setting of a limit */
static bool
set_one(struct build *b, struct draft *d, const struct keyword *row,
    const struct node *node, struct problems *problems)
{
	const struct value *v = &node->value;
	struct limit *limit = &d->limit;
	struct why why;
	int64_t n = 0;

	switch (row->id) {
	case WORD_RATE:
	case WORD_LIMIT:
		return set_amount(b, d, node, problems);
	case WORD_TO:
		return set_to(b, d, node, problems);
	case WORD_BURST:
		d->set |= SET_BURST;
		limit->burst_at = node->at;
		return scan_count(v->text, 1, row->most, &limit->burst,
		    &why) == 0;
	case WORD_COUNT:
		limit->count_at = node->at;
		limit->count = (enum count_by)choice_index(row, v);
		return true;
	case WORD_OVER:
		limit->over_at = node->at;
		limit->over = choice_index(row, v) == 1 ? OVER_REFUSE :
		    OVER_DEFER;
		return true;
	default:
		limit->jitter_at = node->at;
		if (scan_thousandths(v->text, &n, &why) == -1)
			return false;
		limit->jitter = (int)n;
		return true;
	}
}

/* draft_of - the class's limit that a block of the tenant overrides */
static const struct draft *
draft_of(const struct class *class, const struct node *node)
{
	enum limit_kind kind = slice_is(node->name, "cap") ? LIMIT_CAP :
	    LIMIT_THROTTLE;

	for (size_t i = 0; class != NULL && i < class->ndrafts; i++)
		if (class->drafts[i].limit.kind == kind && slice_eq(
		    class->drafts[i].limit.name, node->titles[0].text))
			return &class->drafts[i];
	return NULL;
}

/* siblings - the class's limits of that kind, for a hint */
static const char *
siblings(struct build *b, const struct class *class, enum limit_kind kind)
{
	const char *all = "";

	for (size_t i = 0; class != NULL && i < class->ndrafts; i++) {
		const struct limit *l = &class->drafts[i].limit;

		if (l->kind == kind)
			all = build_printf(b, b->work, "%s%s\"%.*s\"", all,
			    all[0] != '\0' ? ", " : "; it has ",
			    SLICE_ARG(l->name));
	}
	return all;
}

/* nothing_off - "none" where there is nothing to switch off */
static void
nothing_off(struct build *b, const struct draft *d, const struct node *node,
    const struct class *class, struct problems *problems)
{
	struct quoted q, qc;

	if (d->limit.per == PER_GROUP || class == NULL)
		problem_error(problems, node->at, "%.*s %s is \"none\" and "
		    "switches nothing off: only a tenant of a class inherits "
		    "limits", SLICE_ARG(node->name),
		    text_quote(node->titles[0].text, &q));
	else
		problem_error(problems, node->at, "%.*s %s is \"none\" and "
		    "switches nothing off: class %s has no %.*s of that "
		    "name%s", SLICE_ARG(node->name),
		    text_quote(node->titles[0].text, &q),
		    text_quote(class->name, &qc), SLICE_ARG(node->name),
		    siblings(b, class, d->limit.kind));
}

/* nothing_to_count - a block without a rate, or "none" for nothing */
static bool
nothing_to_count(struct build *b, const struct draft *d,
    const struct node *node, bool inherited, const struct class *class,
    struct problems *problems)
{
	const char *word = d->limit.kind == LIMIT_THROTTLE ? "rate" : "limit";
	const char *like = d->limit.kind == LIMIT_THROTTLE ? "200/hour" :
	    "1000/day";
	struct quoted q;

	if (d->off && !inherited && !d->lost) {
		nothing_off(b, d, node, class, problems);
		return true;
	}
	if (!d->off && (d->set & SET_AMOUNT) == 0) {
		problem_error(problems, node->at, "%.*s %s has no %s; write "
		    "%s = \"%s\"", SLICE_ARG(node->name),
		    text_quote(node->titles[0].text, &q), word, word, like);
		return true;
	}
	return false;
}

/* compile_draft - a block, over what it inherits; false: it is no good */
bool
compile_draft(struct build *b, const struct node *node,
    const struct class *class, bool lost, unsigned per, struct draft *d,
    struct problems *problems)
{
	bool cap = slice_is(node->name, "cap"), good = true;
	unsigned errors = problems->errors;
	const struct draft *inherited = draft_of(class, node);

	*d = inherited != NULL ? *inherited : (struct draft){ .limit = {
	    .kind = cap ? LIMIT_CAP : LIMIT_THROTTLE, .to_all = true,
	    .month_day = 1 }, .lost = lost };
	d->made = NULL;
	d->limit.per = per;
	d->limit.at = node->at;
	good = build_name(node, &d->limit.name, problems);
	d->limit.name = build_copy(b, b->keep, d->limit.name);
	keyword_duplicates(node->child, problems);
	for (struct node *n = node->child; n != NULL; n = n->next) {
		const struct keyword *row = words_check(n,
		    cap ? IN_CAP : IN_THROTTLE, problems);

		if (row != NULL)
			good = set_one(b, d, row, n, problems) && good;
	}
	if (problems->errors > errors || !good)
		return false;
	return !nothing_to_count(b, d, node, inherited != NULL, class,
	    problems);
}

/* compile_limit - a draft with its defaults filled in, made once */
struct limit *
compile_limit(struct build *b, struct draft *d)
{
	if (d->made != NULL)
		return d->made;
	if ((d->made = build_alloc(b, b->keep, 1, sizeof(*d->made))) == NULL)
		return NULL;
	*d->made = d->limit;
	if ((d->set & SET_BURST) == 0)
		d->made->burst = d->made->rate;
	if ((d->set & SET_TO) == 0)
		d->made->to_text = SLICE("all");
	return d->made;
}

/* is_limit - a throttle or a cap with its one title */
static bool
is_limit(const struct node *node)
{
	return node->type == NODE_BLOCK && node->ntitles == 1 &&
	    (slice_is(node->name, "throttle") || slice_is(node->name, "cap"));
}

/* compile_drafts - all limits of a class or a group; how many are good */
size_t
compile_drafts(struct build *b, const struct node *chain, unsigned per,
    struct draft **drafts, struct problems *problems)
{
	size_t n = 0, good = 0;

	for (const struct node *node = chain; node != NULL; node = node->next)
		n += is_limit(node);
	*drafts = n > 0 ? build_alloc(b, b->work, n, sizeof(**drafts)) : NULL;
	if (*drafts == NULL)
		return 0;
	for (const struct node *node = chain; node != NULL; node = node->next)
		if (is_limit(node) && compile_draft(b, node, NULL, false,
		    per, &(*drafts)[good], problems))
			good++;
	return good;
}

/* override_of - the tenant's block of that kind and name */
static const struct node *
override_of(const struct node *chain, const struct limit *limit)
{
	const char *word = limit->kind == LIMIT_CAP ? "cap" : "throttle";

	for (; chain != NULL; chain = chain->next)
		if (is_limit(chain) && slice_is(chain->name, word) &&
		    slice_eq(chain->titles[0].text, limit->name))
			return chain;
	return NULL;
}

/* group_limits - the group's behind the tenant's */
static size_t
group_limits(const struct group *group, const struct limit **out)
{
	size_t i;

	for (i = 0; group != NULL && i < group->nlimits; i++)
		out[i] = &group->limits[i];
	return i;
}

/* shared_limits - class and group as they are, one array for all tenants */
static void
shared_limits(struct build *b, struct tenant *t, const struct class *class)
{
	struct shared_limits *s, key = { .class = class, .group = t->group };
	struct slice name = { (const char *)&key,
	    offsetof(struct shared_limits, limits) };
	size_t most = (class != NULL ? class->ndrafts : 0) +
	    (t->group != NULL ? t->group->nlimits : 0);

	if (most == 0)
		return;
	if ((s = map_get(b->shared, name)) == NULL) {
		if ((s = build_alloc(b, b->work, 1, sizeof(*s))) == NULL ||
		    (s->limits = build_alloc(b, b->keep, most,
		    sizeof(struct limit *))) == NULL)
			return;
		s->class = class;
		s->group = t->group;
		name.p = (const char *)s;
		for (size_t i = 0; class != NULL && i < class->ndrafts; i++)
			if ((s->limits[s->n] = compile_limit(b,
			    &class->drafts[i])) != NULL)
				s->n++;
		s->n += group_limits(t->group, s->limits + s->n);
		if (map_set(b->shared, name, s) == -1)
			b->nomem = true;
		check_limits(b, s->limits, s->n, NULL, b->problems);
	}
	t->common = s->limits;
	t->ncommon = s->n;
}

/* own_limits - the tenant's blocks that are no override, or all of them */
static void
own_limits(struct build *b, struct tenant *t, const struct class *class,
    bool class_lost, const struct node *chain, size_t most,
    struct problems *problems)
{
	const struct limit *made;
	struct draft d;

	t->common = build_alloc(b, b->keep, most, sizeof(struct limit *));
	if (t->common == NULL)
		return;
	for (size_t i = 0; class != NULL && i < class->ndrafts; i++) {
		struct draft *theirs = &class->drafts[i];

		if (override_of(chain, &theirs->limit) == NULL &&
		    (made = compile_limit(b, theirs)) != NULL)
			t->common[t->ncommon++] = made;
	}
	for (; chain != NULL; chain = chain->next) {
		if (!is_limit(chain) || !compile_draft(b, chain, class,
		    class_lost, PER_TENANT, &d, problems) || d.off)
			continue;
		if ((made = compile_limit(b, &d)) != NULL)
			t->common[t->ncommon++] = made;
	}
	t->ncommon += group_limits(t->group, t->common + t->ncommon);
	check_limits(b, t->common, t->ncommon, t, problems);
}

/* compile_limits - what stands in a tenant: class, own, group */
void
compile_limits(struct build *b, struct tenant *t, const struct class *class,
    bool class_lost, const struct node *chain, struct problems *problems)
{
	size_t own = 0;

	for (const struct node *n = chain; n != NULL; n = n->next)
		own += is_limit(n);
	if (own == 0)
		shared_limits(b, t, class);
	else
		own_limits(b, t, class, class_lost, chain, own +
		    (class != NULL ? class->ndrafts : 0) +
		    (t->group != NULL ? t->group->nlimits : 0), problems);
}
