/*
 * rivals - who holds what, when two files claim the same.
 *
 * A login, a client network, a domain, a bounce domain, a tenant's name and a
 * DKIM selector have one holder.  Of two claims, that one stands whose file
 *   1. holds it in the running policy, or else
 *   2. claims it in its last good form (which is how a restart comes to the
 *      same answer as the reload before it; the main file has no such form),
 *      or else
 *   3. comes first: the main file, then the folders' files in their order.
 * The other file is the broken one, as a whole, and falls back to its last
 * good form, or to nothing.  That form may lose against somebody else, so it
 * goes round until nobody loses.  In a round only those fall who lose against
 * a file that itself loses nothing: whoever is beaten by a loser may be right
 * after all.  Where that leaves nobody (a circle), the last loser falls.
 * Every round but the last makes somebody fall and each file falls at most
 * twice, so there is an end.
 */
#include "policy/build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FEW	32		/* stakes that are looked through one by one */

struct defeat {
	const struct stake *loser, *winner;
};

struct round {
	struct build	*b;
	struct defeat	*defeats;
	size_t		 n, cap;
	bool		*beaten;		/* by unit */
};

/* signs_for - the domain of a DKIM record's name */
static struct slice
signs_for(const struct stake *s)
{
	const struct slice infix = SLICE("._domainkey.");
	const char *at = memmem(s->text.p, s->text.n, infix.p, infix.n);

	return at != NULL ? slice_from(s->text,
	    (size_t)(at - s->text.p) + infix.n) : SLICE("");
}

/* claims - is it among the stakes of that form? */
static bool
claims(const struct picture *pic, const struct stake *wanted)
{
	for (const struct stake *s = pic != NULL ? pic->stakes : NULL;
	    s != NULL; s = s->next)
		if (s->kind == wanted->kind && slice_eq(s->text, wanted->text))
			return true;
	return false;
}

/* holds - is it that file, under whichever name? */
static bool
holds(const struct unit *u, const char *holder)
{
	return strcmp(holder, u->path) == 0 ||
	    (u->was != NULL && strcmp(holder, u->was) == 0);
}

/* beats - does the later claim win over the earlier one? */
static bool
beats(struct build *b, const struct stake *later, const struct stake *earlier)
{
	const struct policy *running = b->args->running;
	const char *holder = running != NULL ? index_holder(running,
	    (enum stake_kind)later->kind, later->text) : NULL;
	bool good_later, good_earlier;

	if (holder != NULL && holds(&b->units[earlier->unit], holder))
		return false;
	if (holder != NULL && holds(&b->units[later->unit], holder))
		return true;
	if (earlier->unit == 0)
		return false;
	good_earlier = claims(load_good(b, earlier->unit), earlier);
	good_later = claims(load_good(b, later->unit), later);
	return good_later && !good_earlier;
}

/* defeated - remember it for the end of the round */
static void
defeated(struct round *r, const struct stake *loser,
    const struct stake *winner)
{
	if (r->n == r->cap) {
		size_t cap = r->cap > 0 ? r->cap * 2 : 16;
		struct defeat *more = reallocarray(r->defeats, cap,
		    sizeof(*more));

		if (more == NULL) {
			r->b->nomem = true;
			return;
		}
		r->defeats = more;
		r->cap = cap;
	}
	r->defeats[r->n++] = (struct defeat){ loser, winner };
	r->beaten[loser->unit] = true;
}

/* line - of a login map that has the login too, as a stake of the main part */
static const struct stake *
line(struct build *b, const struct stake *s)
{
	const struct login_map *m = b->policy->index->login_map;
	struct stake *other;
	struct tenant *t;
	struct slice name;
	struct place at;

	/* a main part that fell claims nothing more */
	if (b->units[0].form == FORM_BROKEN ||
	    (s->kind != STAKE_LOGIN && s->kind != STAKE_LOGIN_DOMAIN) ||
	    !login_map_find(m, s->text, s->kind == STAKE_LOGIN_DOMAIN, NULL,
	    &name, &at) ||
	    (t = build_alloc(b, b->work, 1, sizeof(*t))) == NULL ||
	    (other = build_alloc(b, b->work, 1, sizeof(*other))) == NULL)
		return NULL;
	t->name = name;
	*other = (struct stake){ s->text, t, at, NULL, 0, s->kind };
	return other;
}

/* put - one stake into its table, against whoever is there */
static void
put(struct round *r, struct stake *s)
{
	struct map *map = r->b->held[s->kind];
	const struct stake *mapped;
	struct stake *old;
	void *was = NULL;

	if (s->unit > 0 && (mapped = line(r->b, s)) != NULL) {
		if (beats(r->b, s, mapped))
			defeated(r, mapped, s);
		else
			defeated(r, s, mapped);
	}
	if (map_add(map, s->text, s, &was) == -1) {
		r->b->nomem = true;
		return;
	}
	if ((old = was) == NULL || old->unit == s->unit)
		return;			/* its own twice: self_check's */
	if (!beats(r->b, s, old)) {
		defeated(r, s, old);
		return;
	}
	defeated(r, old, s);
	if (map_set(map, s->text, s) == -1)
		r->b->nomem = true;
}

/* cross - claims of one kind against those of another */
static void
cross(struct round *r, const struct stake *s)
{
	const struct map *domains = r->b->held[STAKE_DOMAIN];
	const struct stake *other, *later, *earlier;

	if (s->tenant == NULL)
		return;
	if (s->kind == STAKE_BOUNCE) {
		/* Somebody else's domain is not ours for MAIL FROM. */
		other = map_get(domains, s->text);
		if (other == NULL || other->unit == s->unit)
			return;
		later = other->unit > s->unit ? other : s;
		earlier = later == s ? other : s;
		if (beats(r->b, later, earlier))
			defeated(r, earlier, later);
		else
			defeated(r, later, earlier);
	} else if (s->kind == STAKE_SELECTOR) {
		/* "*.x" is ours, but a part of it may be another's. */
		other = index_above(domains, signs_for(s));
		if (other != NULL && other->unit != s->unit)
			defeated(r, s, other);
	}
}

/* empty_tables - a new round */
static void
empty_tables(struct build *b)
{
	for (int i = 0; i < STAKES; i++) {
		map_free(b->held[i]);
		if ((b->held[i] = map_new()) == NULL)
			b->nomem = true;
	}
}

/* describe - a stake as people write it */
static const char *
describe(const struct stake *s, char *out, size_t n)
{
	struct net_key key;
	char net[NET_TEXT];
	bool below = s->text.n > 0 && s->text.p[0] == '.';

	switch ((enum stake_kind)s->kind) {
	case STAKE_CLIENT:
		memcpy(&key, s->text.p, sizeof(key));
		snprintf(out, n, "client \"%s\"", net_print(&key, net));
		break;
	case STAKE_LOGIN_DOMAIN:
		snprintf(out, n, "login \"*@%.*s\"", SLICE_ARG(s->text));
		break;
	case STAKE_DOMAIN:
		snprintf(out, n, "domain \"%s%.*s\"", below ? "*" : "",
		    SLICE_ARG(s->text));
		break;
	default:
		snprintf(out, n, "%s \"%.*s\"", s->kind == STAKE_TENANT ?
		    "tenant" : s->kind == STAKE_LOGIN ? "login" :
		    s->kind == STAKE_BOUNCE ? "bounce_domain" : "DKIM record",
		    SLICE_ARG(s->text));
		break;
	}
	return out;
}

/* say - why the loser's file is the broken one */
static void
say(const struct stake *loser, const struct stake *winner,
    struct problems *problems)
{
	char what[400], first[PATH_ROOM];

	describe(loser, what, sizeof(what));
	build_place(winner->at, first, sizeof(first));
	if (loser->kind == STAKE_TENANT)
		problem_error(problems, loser->at, "%s stands already at %s",
		    what, first);
	else if (loser->kind == STAKE_SELECTOR && winner->kind == STAKE_DOMAIN)
		problem_error(problems, loser->at, "dkim signs for %.*s, which "
		    "belongs to tenant \"%.*s\", at %s",
		    SLICE_ARG(signs_for(loser)),
		    SLICE_ARG(winner->tenant->name), first);
	else if (winner->tenant == NULL)
		problem_error(problems, loser->at, "%s is the platform's own "
		    "already, at %s", what, first);
	else if (winner->tenant == loser->tenant)
		problem_error(problems, loser->at, "%s is listed twice, first "
		    "at %s", what, first);
	else
		problem_error(problems, loser->at, "%s is held by tenant "
		    "\"%.*s\" already, at %s", what,
		    SLICE_ARG(winner->tenant->name), first);
}

/* fall - a unit loses its form; the main file takes everything with it */
static void
fall(struct build *b, const struct defeat *d)
{
	struct unit *u = &b->units[d->loser->unit];
	struct picture *good;

	if (u->form == FORM_CURRENT) {
		say(d->loser, d->winner, b->problems);
		if (u->first_error.line == 0)
			u->first_error = d->loser->at;
	}
	good = d->loser->unit > 0 && u->form == FORM_CURRENT ?
	    load_good(b, d->loser->unit) : NULL;
	if (good != NULL) {
		u->form = FORM_LAST_GOOD;
		u->now = *good;
	} else {
		u->form = FORM_BROKEN;
		memset(&u->now, 0, sizeof(u->now));
	}
}

/* settle_round - true when somebody fell */
static bool
settle_round(struct round *r)
{
	struct build *b = r->b;
	bool some = false;

	r->n = 0;
	memset(r->beaten, 0, b->nunits * sizeof(*r->beaten));
	empty_tables(b);
	for (size_t i = 0; i < b->nunits && !b->nomem; i++)
		for (struct stake *s = b->units[i].now.stakes; s != NULL;
		    s = s->next)
			put(r, s);
	for (size_t i = 0; i < b->nunits && !b->nomem; i++)
		for (struct stake *s = b->units[i].now.stakes; s != NULL;
		    s = s->next)
			cross(r, s);
	if (b->nomem || r->n == 0)
		return false;
	for (size_t i = 0; i < b->nunits; i++)
		b->units[i].demoted = false;
	for (size_t i = 0; i < r->n; i++) {
		struct unit *u = &b->units[r->defeats[i].loser->unit];

		if (r->beaten[r->defeats[i].winner->unit])
			continue;
		some = true;
		if (!u->demoted)
			fall(b, &r->defeats[i]);
		else if (r->defeats[i].loser->at.file == u->path)
			say(r->defeats[i].loser, r->defeats[i].winner,
			    b->problems);
		u->demoted = true;
	}
	if (!some)
		fall(b, &r->defeats[r->n - 1]);
	return true;
}

/* rivals_settle - until nobody loses; b->held are the tables then */
void
rivals_settle(struct build *b)
{
	struct round r = { .b = b };

	r.beaten = calloc(b->nunits, sizeof(*r.beaten));
	if (r.beaten == NULL)
		b->nomem = true;
	while (!b->nomem && settle_round(&r))
		;
	free(r.beaten);
	free(r.defeats);
}

/* rivals_report - what a broken file would run into once it is mended */
void
rivals_report(struct build *b)
{
	for (uint32_t i = 1; i < b->nunits; i++)
		for (const struct stake *s = b->units[i].partial.stakes;
		    s != NULL; s = s->next) {
			const struct stake *o = map_get(b->held[s->kind],
			    s->text);

			if (o != NULL && o->unit != i)
				say(s, o, b->problems);
		}
}

/* older - the first stake of the file that says the same */
static const struct stake *
older(const struct picture *pic, struct map *const *seen,
    const struct stake *s)
{
	if (seen[s->kind] != NULL)
		return map_get(seen[s->kind], s->text);
	for (const struct stake *o = pic->stakes; o != NULL; o = o->next)
		if (o->kind == s->kind && slice_eq(o->text, s->text))
			return o;
	return NULL;
}

/* remember - tables of a file with so many stakes that looking takes long */
static void
remember(struct build *b, const struct picture *pic, struct map **seen)
{
	size_t n = 0;

	for (const struct stake *s = pic->stakes; s != NULL; s = s->next)
		n++;
	/* of the main file there is auto_tenant beside its tenants */
	if (pic->n + (pic == &b->units[0].now) < 2 && n < FEW)
		return;
	for (int i = 0; i < STAKES; i++)
		if ((seen[i] = map_new()) == NULL)
			b->nomem = true;
	for (struct stake *s = pic->stakes; s != NULL && !b->nomem;
	    s = s->next)
		if (map_add(seen[s->kind], s->text, s, NULL) == -1)
			b->nomem = true;
}

/* rivals_within - what one file claims twice is its own mistake */
void
rivals_within(struct build *b, const struct picture *pic,
    struct problems *problems)
{
	struct map *seen[STAKES] = { NULL };
	const struct stake *old;

	remember(b, pic, seen);
	for (const struct stake *s = pic->stakes; s != NULL && !b->nomem;
	    s = s->next) {
		/* keyword_duplicates has named tenants of one name */
		old = s->kind == STAKE_TENANT ? s : older(pic, seen, s);
		if (old != s)
			say(s, old, problems);
		if (s->unit == 0 && (old = line(b, s)) != NULL)
			say(s, old, problems);
		if (seen[STAKE_DOMAIN] == NULL || s->tenant == NULL)
			continue;
		if (s->kind == STAKE_BOUNCE)
			old = map_get(seen[STAKE_DOMAIN], s->text);
		else if (s->kind == STAKE_SELECTOR)
			old = index_above(seen[STAKE_DOMAIN], signs_for(s));
		else
			continue;
		if (old != NULL && old->tenant != s->tenant)
			say(s, old, problems);
	}
	for (int i = 0; i < STAKES; i++)
		map_free(seen[i]);
}
