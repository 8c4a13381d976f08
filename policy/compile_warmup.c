/*
 * compile_warmup - schedules, and the limits that a warmup is made of.
 *
 * A warmup becomes drafts of limits like any other (compile_limit.c), under
 * names that nobody can write, so that what stands further out, "none", and
 * the counting apart go the way of all limits:
 *
 *	cap "warmup:day"		the number of the day
 *	throttle "warmup:burst"		five minutes of it
 *	cap "warmup:provider"		per provider: its share, its factor
 *	cap "warmup:SET"		of an address: the share of several
 *					providers together
 *
 * Their numbers are asked of policy/warmup.c; what stands in the limit are
 * those of the last day, for eyes.  A nearer warmup takes the place of one
 * further out with all its settings; only what it counts apart stays, which is
 * in the key.
 *
 * Mail whose provider nobody knows yet counts in no provider's part.
 */
#include "policy/build.h"

#include "lib/clock.h"
#include "lib/date.h"
#include "lib/scan.h"
#include "lib/text.h"
#include "policy/warmup.h"

#define APART	(PER_TENANT | PER_STREAM | PER_LOGIN | PER_SENDER | \
	    PER_SENDER_DOMAIN | PER_ADDRESS)

/* --- schedules ------------------------------------------------------------ */

/* table - of numbers that do not fall */
static void
table(struct build *b, struct schedule *s, const struct value *v,
    struct problems *problems)
{
	int64_t *to, before = 0;
	struct quoted q;
	struct why why;

	if (v->nitems == 0 || v->nitems > SCHEDULE_DAYS) {
		problem_error(problems, v->at, "table: expected the numbers of "
		    "1 to %d days, as {\"50\", \"60\"}", SCHEDULE_DAYS);
		return;
	}
	if ((to = build_alloc(b, b->keep, v->nitems, sizeof(*to))) == NULL)
		return;
	for (size_t i = 0; i < v->nitems; i++) {
		const struct value *item = &v->items[i];

		if (scan_count(item->text, 1, SCHEDULE_MOST, &to[i],
		    &why) == -1) {
			problem_error(problems, item->at, "table: expected a "
			    "whole number from 1 to %lld, found %s",
			    (long long)SCHEDULE_MOST, text_quote(item->text,
			    &q));
			return;
		}
		if (to[i] < before) {
			problem_error(problems, item->at, "table: %s is less "
			    "than the day before it; a warmup does not fall",
			    text_quote(item->text, &q));
			return;
		}
		before = to[i];
	}
	s->table = to;
	s->n = (int)v->nitems;
}

/* grown - of start, ratio and target */
static void
grown(struct build *b, struct schedule *s, const struct value *const part[3],
    struct problems *problems)
{
	int64_t start = 0, ratio = 0, target = 0;
	struct why why;

	if (scan_count(part[0]->text, 1, SCHEDULE_MOST, &start, &why) == -1 ||
	    scan_thousandths(part[1]->text, &ratio, &why) == -1 ||
	    scan_count(part[2]->text, 1, SCHEDULE_MOST, &target, &why) == -1)
		return;			/* keyword_check has said so */
	if (schedule_grow(start, ratio, target, b->keep, &s->table, &s->n,
	    &why) == -1) {
		s->table = NULL;
		problem_error(problems, s->at, "schedule \"%.*s\": %s",
		    SLICE_ARG(s->name), why.text);
	}
}

/* schedule - one block */
static void
schedule(struct build *b, const struct node *node, struct problems *problems)
{
	struct schedule *s = build_alloc(b, b->keep, 1, sizeof(*s));
	const struct value *part[3] = { NULL, NULL, NULL }, *days = NULL;
	unsigned errors = problems->errors;

	if (s == NULL || !build_name(node, &s->name, problems))
		return;
	s->name = build_copy(b, b->keep, s->name);
	s->at = node->at;
	if (schedule_find(s->name) != NULL || slice_is(s->name, "none"))
		problem_error(problems, node->titles[0].at, "schedule "
		    "\"%.*s\" is built in; choose another name",
		    SLICE_ARG(s->name));
	keyword_duplicates(node->child, problems);
	for (struct node *n = node->child; n != NULL; n = n->next) {
		const struct keyword *row = words_check(n, IN_SCHEDULE,
		    problems);

		if (row == NULL)
			continue;
		if (row->id == WORD_TABLE)
			days = &n->value;
		else
			part[row->id == WORD_START ? 0 : row->id ==
			    WORD_RATIO ? 1 : 2] = &n->value;
	}
	if (problems->errors == errors && days != NULL && part[0] == NULL &&
	    part[1] == NULL && part[2] == NULL)
		table(b, s, days, problems);
	else if (problems->errors == errors && days == NULL &&
	    part[0] != NULL && part[1] != NULL && part[2] != NULL)
		grown(b, s, part, problems);
	else if (problems->errors == errors)
		problem_error(problems, node->at, "schedule \"%.*s\" needs a "
		    "table, or start, ratio and target",
		    SLICE_ARG(s->name));
	if (map_set(b->schedules, s->name, s) == -1)
		b->nomem = true;
}

/* compile_schedules - before what refers to them */
void
compile_schedules(struct build *b, struct problems *problems)
{
	for (const struct node *n = b->tree; n != NULL; n = n->next)
		if (n->type == NODE_BLOCK && n->ntitles == 1 &&
		    slice_is(n->name, "schedule"))
			schedule(b, n, problems);
}

/* schedule_names - the nearest of them, or all that are built in */
static const char *
schedule_names(struct build *b, struct slice name)
{
	const char *names[8] = { NULL };
	char near[128];
	const struct schedule *s;

	for (size_t i = 0; i < 7 && (s = schedule_builtin(i)) != NULL; i++)
		names[i] = s->name.p;
	if (build_nearest(b->schedules, name, near, sizeof(near))[0] ==
	    '\0' && build_near(names, name, near, sizeof(near))[0] == '\0')
		return "; there are \"cold-slow\", \"standard\", "
		    "\"established\" and \"mailbox\", and those of schedule "
		    "blocks";
	return build_printf(b, b->work, "%s", near);
}

/* --- settings ------------------------------------------------------------- */

/* A warmup as it is read. */
struct reading {
	struct warmup	*warmup;
	unsigned	 dims;		/* PER_* that were written */
	unsigned	 set;		/* SET_* */
	enum over	 over;
	bool		 shadow;
	struct place	 per_at, over_at, mode_at;
};

/* set_started - a date, or "first-mail" */
static void
set_started(struct warmup *w, const struct node *n, struct problems *problems)
{
	const struct value *v = &n->value;
	int64_t us;
	struct quoted q;
	struct why why;

	w->started_at = n->at;
	w->first_mail = slice_is(v->text, "first-mail");
	if (w->first_mail)
		return;
	if (v->text.n != 10 || scan_moment(v->text, NULL, 0, &us, &why) ==
	    -1 || us <= 0) {
		problem_error(problems, v->at, "started: expected a date, as "
		    "\"2026-11-01\", or \"first-mail\", found %s",
		    text_quote(v->text, &q));
		return;
	}
	w->started = us / CLOCK_DAY;
	if (us > clock_wall())
		problem_warn(problems, v->at, "started is a day to come: "
		    "nothing passes this warmup before %.*s",
		    SLICE_ARG(v->text));
}

/* set_hours - "Mon-Fri 08:00-18:00", or a set of such */
static void
set_hours(struct build *b, struct warmup *w, const struct node *n,
    struct problems *problems)
{
	const struct value *items;
	struct why why;
	size_t count;

	items = build_items(&n->value, &count);
	w->hours_at = n->at;
	if (count == 0)
		problem_error(problems, n->value.at, "active_hours is empty: "
		    "nothing could ever be sent; leave it out instead");
	for (size_t i = 0; i < count; i++) {
		if (hours_parse(items[i].text, &w->hours, &why) == -1)
			problem_error(problems, items[i].at, "active_hours: "
			    "%s", why.text);
		w->hours_text = slice_of(build_printf(b, b->keep, "%.*s%s%.*s",
		    SLICE_ARG(w->hours_text), i > 0 ? ", " : "",
		    SLICE_ARG(items[i].text)));
	}
}

/* set_per - what has a warmup of its own */
static void
set_per(struct reading *r, const struct node *n, struct problems *problems)
{
	const struct value *items;
	struct quoted q;
	size_t count;

	items = build_items(&n->value, &count);
	r->set |= SET_PER;
	r->per_at = n->at;
	for (size_t i = 0; i < count; i++) {
		unsigned bit = 0;

		while (bit < PER_DIMENSIONS && !slice_is(items[i].text,
		    per_names[bit]))
			bit++;
		if (bit < PER_DIMENSIONS && (1u << bit & APART) != 0)
			r->dims |= 1u << bit;
		else
			problem_error(problems, items[i].at, "per: %s has no "
			    "warmup of its own; expected login, "
			    "sender_domain, address, sender, stream or tenant",
			    text_quote(items[i].text, &q));
	}
}

/* set_one - one setting, wherever it stands; false: it is none of ours */
static bool
set_one(struct build *b, struct reading *r, int word, const struct node *n,
    struct problems *problems)
{
	struct warmup *w = r->warmup;
	bool yes = slice_is(n->value.text, "yes");

	switch (word) {
	case WORD_STARTED:
		set_started(w, n, problems);
		return true;
	case WORD_ACTIVE_HOURS:
		set_hours(b, w, n, problems);
		return true;
	case WORD_REQUIRE_OUTCOMES:
		w->outcomes_at = n->at;
		w->require_outcomes = yes;
		return true;
	case WORD_FAST_TRACK:
		w->fast_at = n->at;
		w->fast_track = yes;
		return true;
	case WORD_PER:
		set_per(r, n, problems);
		return true;
	case WORD_OVER:
		r->set |= SET_OVER;
		r->over_at = n->at;
		r->over = slice_is(n->value.text, "hold") ? OVER_HOLD :
		    slice_is(n->value.text, "refuse") ? OVER_REFUSE :
		    OVER_DEFER;
		return true;
	case WORD_MODE:
		r->set |= SET_MODE;
		r->mode_at = n->at;
		r->shadow = slice_is(n->value.text, "shadow");
		return true;
	default:
		return false;
	}
}

/* The settings of an address that are its warmup's. */
static const struct { const char *name; enum word word; } flat[] = {
	{ "started", WORD_STARTED }, { "active_hours", WORD_ACTIVE_HOURS },
	{ "require_outcomes", WORD_REQUIRE_OUTCOMES },
	{ "fast_track", WORD_FAST_TRACK },
};

/* flat_word - of a node that stands beside warmup = "..."; -1: none, or what
 * was said already */
static int
flat_word(const struct node *n)
{
	if (n->type == NODE_SETTING && n->value.type != VALUE_NUMBER)
		for (size_t i = 0; i < sizeof(flat) / sizeof(flat[0]); i++)
			if (slice_is(n->name, flat[i].name) &&
			    (n->value.type == VALUE_STRING ||
			    flat[i].word == WORD_ACTIVE_HOURS))
				return (int)flat[i].word;
	return -1;
}

/* read_all - the settings of a warmup, in its block or beside it */
static void
read_all(struct build *b, struct reading *r, const struct scope *scope,
    const struct node *node, const struct node *chain,
    struct problems *problems)
{
	const struct node *first = NULL;

	if (node->type == NODE_BLOCK) {
		keyword_duplicates(node->child, problems);
		for (struct node *n = node->child; n != NULL; n = n->next) {
			const struct keyword *row = words_check(n, IN_WARMUP,
			    problems);

			if (row != NULL)
				(void)set_one(b, r, row->id, n, problems);
		}
	}
	for (const struct node *n = scope->level == LEVEL_ADDRESS ? chain :
	    NULL; n != NULL; n = n->next) {
		int word = flat_word(n);

		if (word != -1 && node->type == NODE_BLOCK && first == NULL) {
			problem_error(problems, n->at, "%.*s belongs into the "
			    "block of the warmup", SLICE_ARG(n->name));
			first = n;
		} else if (word != -1 && node->type != NODE_BLOCK) {
			(void)set_one(b, r, word, n, problems);
		}
	}
}

/* --- drafts --------------------------------------------------------------- */

/* is_warmup - a block or a setting of that name */
static bool
is_warmup(const struct node *n)
{
	return slice_is(n->name, "warmup") && ((n->type == NODE_BLOCK &&
	    n->ntitles == 1) || (n->type == NODE_SETTING &&
	    n->value.type == VALUE_STRING));
}

/* compile_warmup_drafts - at most so many are made of a block */
size_t
compile_warmup_room(const struct scope *scope, const struct node *chain)
{
	size_t n = 0;

	for (; chain != NULL; chain = chain->next)
		n += is_warmup(chain);
	return n == 0 ? 0 : 3 + (scope->pool != NULL ? scope->pool->nshares :
	    0);
}

/* begin - a draft of one part */
static struct draft *
begin(struct build *b, const struct scope *scope, const struct node *node,
    const struct reading *r, struct slice name, struct draft *d)
{
	*d = (struct draft){ .standing = compile_standing(scope),
	    .set = SET_AMOUNT | r->set, .dims = r->dims,
	    .off = r->warmup == NULL,
	    .passing = scope->level == LEVEL_TENANT };
	d->limit = (struct limit){ .name = name, .at = node->at,
	    .amount_at = node->at, .per_at = r->per_at, .over = r->over,
	    .over_at = r->over_at, .shadow = r->shadow,
	    .mode_at = r->mode_at, .kind = LIMIT_CAP, .unit = WINDOW_DAY,
	    .month_day = 1, .to_all = true, .to_text = SLICE("all"),
	    .warmup = r->warmup, .text = SLICE("none") };
	if (r->warmup != NULL) {
		d->limit.text = r->warmup->schedule->name;
		d->limit.most = schedule_number(r->warmup->schedule,
		    r->warmup->schedule->n);
	}
	d->limit.name = build_copy(b, b->keep, name);
	return d;
}

/* part_of - and what is particular about it */
static void
part_of(struct draft *d, enum warm_part part)
{
	struct limit *l = &d->limit;

	l->part = part;
	if (part == WARM_BURST) {
		l->kind = LIMIT_THROTTLE;
		l->rate = l->most > 0 ? l->most : 1;
		l->period = CLOCK_DAY;
	}
	d->limit.per = compile_per(d->standing, d->dims);
}

/* drafts - of one warmup */
static size_t
drafts(struct build *b, const struct scope *scope, const struct node *node,
    const struct reading *r, struct draft *to)
{
	const struct pool *pool = scope->pool;
	struct draft *d;
	size_t n = 0;

	part_of(begin(b, scope, node, r, SLICE(WARMUP_DAY), &to[n++]),
	    WARM_DAY);
	part_of(begin(b, scope, node, r, SLICE(WARMUP_BURST), &to[n++]),
	    WARM_BURST);
	d = begin(b, scope, node, r, SLICE(WARMUP_PROVIDER), &to[n++]);
	d->dims |= PER_PROVIDER;
	d->set |= SET_TO;
	d->limit.to_all = false;
	d->limit.to = ~((provider_set)1 << PROVIDER_UNRESOLVED);
	d->limit.to_text = SLICE("each provider");
	part_of(d, WARM_SHARE);
	for (size_t i = 0; pool != NULL && i < pool->nshares; i++) {
		const struct pool_share *s = &pool->shares[i];

		if (__builtin_popcountll(s->to) < 2)
			continue;
		d = begin(b, scope, node, r, slice_of(build_printf(b, b->work,
		    "warmup:%.*s", SLICE_ARG(s->to_text))), &to[n++]);
		d->set |= SET_TO;
		d->limit.to_all = false;
		d->limit.to = s->to;
		d->limit.to_text = slice_of(build_printf(b, b->keep,
		    "provider:%.*s", SLICE_ARG(s->to_text)));
		part_of(d, WARM_SHARE);
	}
	return n;
}

/* lone - settings of a warmup that is not there */
static void
lone(const struct scope *scope, const struct node *chain, bool off,
    struct problems *problems)
{
	if (scope->level != LEVEL_ADDRESS)
		return;
	for (; chain != NULL; chain = chain->next)
		if (flat_word(chain) != -1)
			problem_error(problems, chain->at, "%.*s is about a "
			    "warmup, and this address has none%s",
			    SLICE_ARG(chain->name), off ? "" : "; write "
			    "warmup = \"cold-slow\" beside it");
}

/* read_one - the schedule it names, and its settings; false: it is no good */
static bool
read_one(struct build *b, const struct scope *scope, const struct node *node,
    const struct node *chain, struct reading *r, struct problems *problems)
{
	const struct value *title = node->type == NODE_BLOCK ?
	    &node->titles[0] : &node->value;
	unsigned errors = problems->errors;
	const struct schedule *s;
	struct quoted q;

	*r = (struct reading){ .warmup = NULL };
	if (slice_is(title->text, "none")) {
		if (node->type == NODE_BLOCK && node->child != NULL)
			problem_error(problems, node->child->at, "warmup "
			    "\"none\" switches it off; it has no settings");
		lone(scope, chain, true, problems);
		return problems->errors == errors;
	}
	if ((s = map_get(b->schedules, title->text)) == NULL)
		s = schedule_find(title->text);
	if (s == NULL)
		problem_error(problems, title->at, "warmup: there is no "
		    "schedule %s%s", text_quote(title->text, &q),
		    schedule_names(b, title->text));
	if ((r->warmup = build_alloc(b, b->keep, 1, sizeof(*r->warmup))) ==
	    NULL)
		return false;
	*r->warmup = (struct warmup){ .schedule = s, .first_mail = true,
	    .at = node->at };
	read_all(b, r, scope, node, chain, problems);
	if (scope->pool != NULL) {
		r->warmup->shares = scope->pool->shares;
		r->warmup->nshares = scope->pool->nshares;
	}
	/* a schedule that is wrong was spoken of where it stands */
	return problems->errors == errors && s->table != NULL;
}

/* compile_warmup - the warmup of a block as drafts; how many */
size_t
compile_warmup(struct build *b, const struct scope *scope,
    const struct node *chain, struct draft *to, struct problems *problems)
{
	const struct node *node = NULL;
	char first[PATH_ROOM];
	struct reading r;

	for (const struct node *n = chain; n != NULL; n = n->next) {
		if (!is_warmup(n))
			continue;
		if (node != NULL) {
			/* two of one form and title were said already */
			if (node->type != n->type ||
			    (node->type == NODE_BLOCK && !slice_eq(
			    node->titles[0].text, n->titles[0].text)))
				problem_error(problems, n->at, "a second "
				    "warmup; the first stands at %s",
				    build_place(node->at, first,
				    sizeof(first)));
			return 0;
		}
		node = n;
	}
	if (node == NULL) {
		lone(scope, chain, false, problems);
		return 0;
	}
	if (!read_one(b, scope, node, chain, &r, problems) || b->nomem)
		return 0;
	return drafts(b, scope, node, &r, to);
}

/* --- what is not wise ----------------------------------------------------- */

/* ends_at - the day on which a cap says no before the schedule does; 0: none */
static int
ends_at(const struct schedule *s, const struct limit *cap)
{
	int64_t day = cap->unit == WINDOW_DAY ? cap->most :
	    cap->unit == WINDOW_WEEK ? cap->most / 7 :
	    cap->unit == WINDOW_MONTH ? cap->most / 31 : 0;

	return day <= 0 ? 0 : schedule_day(s, 1, day + 1);
}

/* check_warmup - a limit beside it that it will never fill */
void
check_warmup(struct build *b, const struct limit *warm,
    const struct limit *cap, struct problems *problems)
{
	const struct schedule *s;
	char other[PATH_ROOM];
	int day;

	if (warm->warmup == NULL || warm->part != WARM_DAY ||
	    cap->warmup != NULL || cap->kind != LIMIT_CAP || !cap->to_all ||
	    cap->count != COUNT_RECIPIENTS || cap->shadow)
		return;
	s = warm->warmup->schedule;
	if ((day = ends_at(s, cap)) == 0 || build_told(b, warm->at, 'w'))
		return;
	problem_warn(problems, warm->at, "warmup \"%.*s\" goes up to %lld a "
	    "day, and from day %d on cap \"%.*s\" (%.*s) at %s is reached "
	    "first", SLICE_ARG(s->name), (long long)schedule_number(s, s->n),
	    day, SLICE_ARG(cap->name), SLICE_ARG(cap->text),
	    build_place(cap->at, other, sizeof(other)));
}

/* check_warmups - of a pool: its addresses and what stands beside them */
void
check_warmups(struct build *b, const struct pool *p, struct problems *problems)
{
	bool any = false;

	for (size_t i = 0; i < p->naddresses; i++) {
		const struct pool_address *a = &p->addresses[i];

		any = any || a->warmup != NULL;
		for (size_t j = 0; j < a->nlimits; j++) {
			for (size_t k = 0; k < a->nlimits; k++)
				check_warmup(b, a->limits[j], a->limits[k],
				    problems);
			for (size_t k = 0; k < p->nlimits; k++)
				check_warmup(b, a->limits[j], p->limits[k],
				    problems);
		}
	}
	if (p->nshares > 0 && !any)
		problem_warn(problems, p->shares[0].at, "share is of the "
		    "number of a warmup, and no address of pool \"%.*s\" has "
		    "one", SLICE_ARG(p->name));
}
