/*
 * compile_limit - a block of a limit, and the limit that several blocks make.
 *
 * A block is read into a draft, which knows which lines were written and no
 * defaults.  A limit is the drafts of its name, outermost first, one laid over
 * the other; defaults are filled in last.  (The other order would give "burst"
 * of a class that never wrote one to a tenant that only changed the rate.)
 *
 * What it counts apart is a matter of the outermost block alone: its key must
 * not change when a tenant changes a number.
 *
 * A limit made of blocks of the main part is made once and pointed to by all
 * tenants that have it.
 */
#include "policy/build.h"

#include "lib/scan.h"
#include "lib/text.h"
#include "policy/warmup.h"

/* limit_kind - of a block by that name; -1: it is none */
static int
limit_kind(const struct node *node)
{
	if (node->type == NODE_BLOCK && node->ntitles == 1)
		for (int i = 0; i <= LIMIT_OPEN; i++)
			if (slice_is(node->name, limit_kind_names[i]))
				return i;
	return -1;
}

/* set_open - "5000" */
static bool
set_open(struct limit *limit, const struct value *v,
    struct problems *problems)
{
	struct quoted q;
	struct why why;

	if (scan_count(v->text, 1, INT64_C(1000000000000), &limit->most,
	    &why) == 0)
		return true;
	problem_error(problems, v->at, "limit: expected how many may be under "
	    "way at a time, as \"5000\", found %s", text_quote(v->text, &q));
	return false;
}

/* set_rate - "200/hour" or "1000/day" */
static bool
set_rate(struct limit *limit, const char *word, const struct value *v,
    struct problems *problems)
{
	struct rate rate;
	struct why why;

	if ((limit->kind == LIMIT_THROTTLE ? scan_rate(v->text, &rate, &why) :
	    scan_cap(v->text, &rate, &why)) == -1) {
		problem_error(problems, v->at, "%s: %s", word, why.text);
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
	return true;
}

/* set_amount - how many, or "none" */
static void
set_amount(struct build *b, struct draft *d, const struct node *node,
    struct problems *problems)
{
	struct limit *limit = &d->limit;
	const struct value *v = &node->value;

	limit->amount_at = node->at;
	d->set |= SET_AMOUNT;
	d->off = slice_is(v->text, "none");
	if (d->off)
		return;
	if (limit->kind == LIMIT_OPEN)
		set_open(limit, v, problems);
	else
		set_rate(limit, node->name.p, v, problems);
	limit->text = build_copy(b, b->keep, v->text);
}

/* set_to - "all" or "provider:NAME" */
static void
set_to(struct build *b, struct draft *d, const struct node *node,
    struct problems *problems)
{
	const struct value *v = &node->value;
	const struct slice head = SLICE("provider:");
	struct quoted q;

	d->set |= SET_TO;
	d->limit.to_at = node->at;
	d->limit.to_text = build_copy(b, b->keep, v->text);
	d->limit.to_all = slice_is(v->text, "all");
	if (d->limit.to_all)
		return;
	if (!slice_starts(v->text, head)) {
		problem_error(problems, v->at, "to: expected \"all\" or "
		    "\"provider:NAME\", found %s", text_quote(v->text, &q));
		return;
	}
	d->limit.to = provider_find(slice_from(v->text, head.n));
	if (d->limit.to == 0)
		problem_error(problems, v->at, "to: unknown provider %s%s",
		    text_quote(slice_from(v->text, head.n), &q),
		    build_provider(b, slice_from(v->text, head.n)));
}

/* dimension - one word of per */
static unsigned
dimension(const struct value *v, struct problems *problems)
{
	char near[128];
	struct quoted q;
	unsigned i = 0;

	while (i < PER_DIMENSIONS && !slice_is(v->text, per_names[i]))
		i++;
	if (i < PER_DIMENSIONS)
		return 1u << i;
	problem_error(problems, v->at, "per: unknown dimension %s%s",
	    text_quote(v->text, &q), build_near(per_names, v->text, near,
	    sizeof(near))[0] != '\0' ? near : "; expected group, tenant, "
	    "stream, login, sender, sender_domain, pool, address, provider, "
	    "recipient_domain, or \"all\" alone");
	return 0;
}

/* set_per - what has a count of its own */
static void
set_per(struct draft *d, const struct node *node, struct problems *problems)
{
	const struct value *items;
	bool all = false;
	size_t n;

	items = build_items(&node->value, &n);
	d->set |= SET_PER;
	d->limit.per_at = node->at;
	for (size_t i = 0; i < n; i++) {
		if (slice_is(items[i].text, "all"))
			all = true;
		else
			d->dims |= dimension(&items[i], problems);
	}
	if (n == 0)
		problem_error(problems, node->value.at, "per is empty; leave "
		    "it out, or write \"all\"");
	else if (all && n > 1)
		problem_error(problems, node->value.at, "per: \"all\" says "
		    "that nothing counts apart; it stands alone");
}

/* compile_per - the dimensions of a key */
unsigned
compile_per(unsigned standing, unsigned dims)
{
	const unsigned of_tenant = PER_STREAM | PER_LOGIN | PER_SENDER |
	    PER_SENDER_DOMAIN;
	unsigned per = standing | dims;

	/* "ops" of one tenant is not "ops" of another */
	if ((dims & of_tenant) != 0 && (per & PER_GROUP) == 0)
		per |= PER_TENANT;
	return per;
}

/* set_one - one setting of a limit */
static void
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
		set_amount(b, d, node, problems);
		break;
	case WORD_TO:
		set_to(b, d, node, problems);
		break;
	case WORD_PER:
		set_per(d, node, problems);
		break;
	case WORD_BURST:		/* keyword_check has read it */
		d->set |= SET_BURST;
		limit->burst_at = node->at;
		(void)scan_count(v->text, 1, row->most, &limit->burst, &why);
		break;
	case WORD_COUNT:
		d->set |= SET_COUNT;
		limit->count_at = node->at;
		limit->count = (enum count_by)choice_index(row, v);
		break;
	case WORD_OVER:
		d->set |= SET_OVER;
		limit->over_at = node->at;
		limit->over = (enum over)choice_index(row, v);
		break;
	case WORD_MODE:
		d->set |= SET_MODE;
		limit->mode_at = node->at;
		limit->shadow = choice_index(row, v) == 1;
		break;
	default:
		d->set |= SET_JITTER;
		limit->jitter_at = node->at;
		if (scan_thousandths(v->text, &n, &why) == 0)
			limit->jitter = (int)n;
		break;
	}
}

/* compile_standing - where a block stands, as dimensions */
unsigned
compile_standing(const struct scope *scope)
{
	static const unsigned standing[] = { 0, PER_GROUP, PER_TENANT,
	    PER_TENANT, PER_POOL, PER_ADDRESS };

	return scope->in_stream ? PER_TENANT | PER_STREAM :
	    standing[scope->level];
}

/* draft - a block; false: it is no good */
static bool
draft(struct build *b, const struct scope *scope, const struct node *node,
    struct draft *d, struct problems *problems)
{
	static const unsigned where[] = { IN_THROTTLE, IN_CAP, IN_OPEN };
	unsigned errors = problems->errors;
	int kind = limit_kind(node);

	*d = (struct draft){ .limit = { .kind = (enum limit_kind)kind,
	    .at = node->at }, .standing = compile_standing(scope),
	    .passing = scope->level == LEVEL_TENANT };
	if (build_name(node, &d->limit.name, problems))
		d->limit.name = build_copy(b, b->keep, d->limit.name);
	keyword_duplicates(node->child, problems);
	for (struct node *n = node->child; n != NULL; n = n->next) {
		const struct keyword *row = words_check(n, where[kind],
		    problems);

		if (row != NULL)
			set_one(b, d, row, n, problems);
	}
	d->limit.per = compile_per(d->standing, d->dims);
	if (scope->level == LEVEL_FILE && !scope->in_stream &&
	    (d->set & SET_PER) == 0)
		problem_warn(problems, node->at, "%s \"%.*s\" counts the mail "
		    "of all tenants together; write per = \"tenant\" for one "
		    "count each, or per = \"all\" to say that you mean it",
		    limit_kind_names[kind], SLICE_ARG(d->limit.name));
	return problems->errors == errors;
}

/* compile_drafts - all limits of a block */
void
compile_drafts(struct build *b, struct scope *scope,
    const struct node *chain, struct problems *problems)
{
	size_t n = 0;

	for (const struct node *node = chain; node != NULL; node = node->next)
		if (limit_kind(node) != -1 && ++n == LIMITS_MAX + 1)
			problem_error(problems, node->at, "more than %d "
			    "limits in one block", LIMITS_MAX);
	if (n > LIMITS_MAX)
		return;
	n += compile_warmup_room(scope, chain);
	if ((scope->drafts = build_alloc(b, scope->arena, n,
	    sizeof(*scope->drafts))) == NULL)
		return;
	for (const struct node *node = chain; node != NULL; node = node->next)
		if (limit_kind(node) != -1 && draft(b, scope, node,
		    &scope->drafts[scope->ndrafts], problems))
			scope->ndrafts++;
	scope->ndrafts += compile_warmup(b, scope, chain,
	    scope->drafts + scope->ndrafts, problems);
}

/* lay - the lines of a nearer block over those of the others */
static void
lay(struct limit *to, const struct draft *d)
{
	const struct limit *from = &d->limit;

	to->at = from->at;
	if ((d->set & SET_AMOUNT) != 0) {
		to->rate = from->rate;
		to->period = from->period;
		to->most = from->most;
		to->unit = from->unit;
		to->month_day = from->month_day;
		to->text = from->text;
		to->warmup = from->warmup;
		to->part = from->part;
		to->amount_at = from->amount_at;
	}
	if ((d->set & SET_BURST) != 0) {
		to->burst = from->burst;
		to->burst_at = from->burst_at;
	}
	if ((d->set & SET_TO) != 0) {
		to->to_all = from->to_all;
		to->to = from->to;
		to->to_text = from->to_text;
		to->to_at = from->to_at;
	}
	if ((d->set & SET_COUNT) != 0) {
		to->count = from->count;
		to->count_at = from->count_at;
	}
	if ((d->set & SET_OVER) != 0) {
		to->over = from->over;
		to->over_at = from->over_at;
	}
	if ((d->set & SET_JITTER) != 0) {
		to->jitter = from->jitter;
		to->jitter_at = from->jitter_at;
	}
	if ((d->set & SET_MODE) != 0) {
		to->shadow = from->shadow;
		to->mode_at = from->mode_at;
	}
}

/* same_form - can both be measured in one counter? A counter leaks at one
 * rate, or counts in one kind of window, one kind of thing. */
static bool
same_form(const struct limit *a, const struct limit *b)
{
	return a->count == b->count && a->rate == b->rate &&
	    a->period == b->period && a->unit == b->unit &&
	    a->month_day == b->month_day &&
	    (a->warmup == NULL || b->warmup == NULL ||
	    a->warmup->schedule == b->warmup->schedule);
}

/* limit_parts_per - what the limit of these blocks counts apart: as the
 * outermost says, until a nearer one gives the count another form, which is
 * then a count of what that one stands in. */
unsigned
limit_parts_per(struct draft *const *part, size_t n)
{
	struct limit so_far = { .month_day = 1 }, next;
	unsigned per = part[0]->limit.per;
	bool amount = false;

	for (size_t i = 0; i < n; i++) {
		if (part[i]->off)
			continue;
		next = so_far;
		lay(&next, part[i]);
		if (amount && !same_form(&next, &so_far))
			per = compile_per(per | part[i]->standing, 0);
		amount = amount || (part[i]->set & SET_AMOUNT) != 0;
		so_far = next;
	}
	return per;
}

/* make - with its defaults */
static struct limit *
make(struct build *b, struct draft *const *part, size_t n)
{
	const struct limit *outer = &part[0]->limit;
	struct limit *limit = build_alloc(b, b->keep, 1, sizeof(*limit));

	if (limit == NULL)
		return NULL;
	*limit = (struct limit){ .name = outer->name, .kind = outer->kind,
	    .per = limit_parts_per(part, n), .per_at = outer->per_at,
	    .to_all = true,
	    .to_text = SLICE("all"), .month_day = 1 };
	for (size_t i = 0; i < n; i++)
		lay(limit, part[i]);
	if (limit->burst_at.file == NULL)
		limit->burst = limit->rate;
	return limit;
}

/* compile_limit - one of some blocks, made once if they are the same */
struct limit *
compile_limit(struct build *b, struct draft *const *part, size_t n)
{
	struct slice key = { (const char *)part, n * sizeof(struct draft *) };
	struct limit *limit;

	if (n == 1)
		return part[0]->made != NULL ? part[0]->made :
		    (part[0]->made = make(b, part, 1));
	if (part[n - 1]->passing)
		return make(b, part, n);
	if ((limit = map_get(b->made, key)) != NULL)
		return limit;
	limit = make(b, part, n);
	key = build_copy(b, b->work, key);
	if (limit == NULL || b->nomem || map_set(b->made, key, limit) == -1) {
		b->nomem = true;
		return NULL;
	}
	return limit;
}
