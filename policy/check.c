/*
 * check - what can be read and is still not wise, and whether the keys are
 * there.
 *
 * "Can never bind": a limit L says nothing when another limit M of the same
 * tenant, which counts the same and at least the same recipients, lets less
 * pass in every window of L.  Only pairs whose windows nest are judged (an
 * hour lies in one day, but a week may lie in two months), and a day is taken
 * as 25 hours, so that a warning is never wrong.
 *
 * A key in trouble does not break its file: the tenant is loaded and its mail
 * for that domain gets 451, so that a wrong mode of one key file does not take
 * a tenant's other domains away.
 */
#include "policy/build.h"

#include <stdio.h>

#include "lib/clock.h"

#define UNSIGNED_TOLD	20	/* tenants named one by one */

/* longest - of a window of that unit, us */
static int64_t
longest(enum window_unit unit)
{
	switch (unit) {
	case WINDOW_MINUTE: return CLOCK_MINUTE;
	case WINDOW_HOUR: return 2 * CLOCK_HOUR;	/* repeated in autumn */
	case WINDOW_DAY: return 25 * CLOCK_HOUR;
	case WINDOW_WEEK: return 7 * CLOCK_DAY + CLOCK_HOUR;
	default: return 31 * CLOCK_DAY + CLOCK_HOUR;
	}
}

/* nests - does a window of unit a always lie in one of b? */
static bool
nests(const struct limit *a, const struct limit *b)
{
	if (a->unit == b->unit)
		return a->unit != WINDOW_MONTH ||
		    a->month_day == b->month_day;
	return a->unit < b->unit && a->unit != WINDOW_WEEK;
}

/* passes - the most that limit m lets pass in a window of cap l; -1: unknown */
static int64_t
passes(const struct limit *l, const struct limit *m)
{
	__int128 n;

	if (m->kind == LIMIT_OPEN)
		return -1;
	if (m->kind == LIMIT_CAP)
		return nests(l, m) ? m->most : -1;
	n = (__int128)m->rate * longest(l->unit) / m->period + m->burst + 1;
	return n > INT64_MAX ? -1 : (int64_t)n;
}

/* covers - does m count all that l counts? */
static bool
covers(const struct limit *m, const struct limit *l)
{
	/* a tenant is in one group only, so its own mail is all of one */
	unsigned within = l->per |
	    ((l->per & PER_TENANT) != 0 ? PER_GROUP : 0);

	if ((m->kind == l->kind && slice_eq(m->name, l->name)) ||
	    m->warmup != NULL || l->warmup != NULL ||
	    m->count != l->count || m->shadow ||
	    (m->per & ~within) != 0)
		return false;
	return m->to_all || (!l->to_all && (l->to & ~m->to) == 0);
}

/* idle - can l never bind because of m? */
static bool
idle(const struct limit *l, const struct limit *m)
{
	int64_t most;

	if (!covers(m, l))
		return false;
	if (l->kind == LIMIT_CAP) {
		most = passes(l, m);
		return most != -1 && l->most > most;
	}
	if (l->kind == LIMIT_OPEN)
		return m->kind == LIMIT_OPEN && l->most > m->most;
	/* A throttle under a throttle that is tighter in both numbers. */
	return m->kind == LIMIT_THROTTLE && l->burst > m->burst &&
	    (__int128)l->rate * m->period >= (__int128)m->rate * l->period;
}

/* warned - was this place spoken of already? remembers it */
static bool
warned(struct build *b, const struct place *at)
{
	struct slice key = { (const char *)at, sizeof(*at) };
	void *was = NULL;

	if (map_add(b->warned, key, (void *)(uintptr_t)1, &was) == -1)
		b->nomem = true;
	return was != NULL;
}

/* never_binds - say it; a tenant's line is news, not its class's */
static void
never_binds(const struct limit *l, const struct limit *m,
    const struct tenant *own, struct problems *problems)
{
	struct place at = own != NULL && l->at.file != own->at.file ? m->at :
	    l->at;
	char other[PATH_ROOM];

	problem_warn(problems, at, "%s \"%.*s\" (%.*s) can never bind: "
	    "%s \"%.*s\" (%.*s) at %s is always reached first",
	    limit_kind_names[l->kind], SLICE_ARG(l->name), SLICE_ARG(l->text),
	    limit_kind_names[m->kind], SLICE_ARG(m->name), SLICE_ARG(m->text),
	    build_place(m->at, other, sizeof(other)));
}

/* check_limits - those that stand side by side in a tenant */
void
check_limits(struct build *b, const struct limit *const *limits, size_t n,
    const struct tenant *own, struct problems *problems)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++) {
			check_warmup(b, limits[i], limits[j], problems);
			if (idle(limits[i], limits[j]) &&
			    !warned(b, &limits[i]->at))
				never_binds(limits[i], limits[j], own,
				    problems);
		}
}

/* check_tenants - what a person should know about them */
void
check_tenants(struct build *b)
{
	const struct policy *p = b->policy;
	size_t bare = 0;

	for (size_t i = 0; i < p->ntenants; i++) {
		const struct tenant *t = p->tenants[i];

		if (t->form == FORM_BROKEN)
			continue;
		if (t->nidentities == 0 && bare++ < UNSIGNED_TOLD)
			problem_warn(b->problems, t->at, "tenant \"%.*s\" has "
			    "no dkim block: its mail is %s",
			    SLICE_ARG(t->name), p->nidentities > 0 ?
			    "signed by the platform only" : "sent unsigned");
	}
	if (bare > UNSIGNED_TOLD)
		problem_warn(b->problems, (struct place){ p->path, 1, 1 },
		    "%zu more tenants have no dkim block",
		    bare - UNSIGNED_TOLD);
}

/* trouble - remember why the key cannot be used, and say it */
static void
trouble(struct build *b, struct identity *id, const struct tenant *t,
    const char *why)
{
	id->trouble = build_copy(b, b->keep, slice_of(why)).p;
	if (t != NULL)
		problem_error(b->problems, id->at, "tenant \"%.*s\": dkim "
		    "\"%.*s\" cannot sign, mail of %.*s gets 451: %s",
		    SLICE_ARG(t->name), SLICE_ARG(id->selector),
		    SLICE_ARG(id->domain), why);
	else
		problem_error(b->problems, id->at, "dkim \"%.*s\" of the "
		    "platform cannot sign, all mail gets 451: %s",
		    SLICE_ARG(id->selector), why);
}

/* check_key - is the file there, and is it what it should be? */
static void
check_key(struct build *b, struct identity *id, const struct tenant *t,
    size_t *judge)
{
	const char *warning = NULL;
	enum key_type type;
	struct why why;
	int bits;

	if (*judge == 0) {
		if (key_stat(id->key_path, &why) == -1)
			trouble(b, id, t, why.text);
		return;
	}
	--*judge;
	if (key_judge(id->key_path, &type, &bits, &warning, &why) == -1) {
		trouble(b, id, t, why.text);
		return;
	}
	if (id->typed && type != id->type) {
		why_set(&why, "algorithm says %s, and %s is good for %s",
		    key_algorithms[id->type], id->key_path,
		    key_algorithms[type]);
		trouble(b, id, t, why.text);
		return;
	}
	id->type = type;
	if (warning != NULL)
		problem_warn(b->problems, id->at, "dkim \"%.*s\": %s",
		    SLICE_ARG(id->selector), warning);
}

/* check_twins - now that the keys' own types are known */
static void
check_twins(struct build *b, struct identity *ids, size_t n,
    const struct tenant *t)
{
	for (size_t i = 0; i < n; i++) {
		bool rsa = ids[i].type == KEY_RSA || ids[i].typed;

		for (size_t j = 0; !rsa && j < n; j++)
			rsa = slice_eq(ids[i].domain, ids[j].domain) &&
			    ids[j].type == KEY_RSA;
		if (!rsa && ids[i].trouble == NULL)
			trouble(b, &ids[i], t, "it is Ed25519 and the domain "
			    "has no RSA key; add one, many receivers verify "
			    "RSA only");
	}
}

/* check_set - the keys of a tenant, or of the platform */
static void
check_set(struct build *b, struct identity *ids, size_t n,
    const struct tenant *t, size_t *judge)
{
	for (size_t i = 0; i < n; i++)
		check_key(b, &ids[i], t, judge);
	check_twins(b, ids, n, t);
}

/* same_key - the tenant's identity that a stream has a copy of, or NULL */
static const struct identity *
same_key(const struct tenant *t, const struct identity *id)
{
	for (size_t i = 0; i < t->nidentities; i++)
		if (t->identities[i].at.line == id->at.line &&
		    t->identities[i].at.col == id->at.col &&
		    t->identities[i].at.file == id->at.file)
			return &t->identities[i];
	return NULL;
}

/* check_stream - keys of its own are looked at, others were */
static void
check_stream(struct build *b, const struct stream *s, const struct tenant *t,
    size_t *judge)
{
	const struct identity *known;

	if (s->identities == t->identities)
		return;
	for (size_t i = 0; i < s->nidentities; i++) {
		known = same_key(t, &s->identities[i]);
		if (known != NULL)
			s->identities[i] = *known;
		else
			check_key(b, &s->identities[i], t, judge);
	}
	check_twins(b, s->identities, s->nidentities, t);
}

/* check_keys - of every tenant in force */
void
check_keys(struct build *b)
{
	struct policy *p = b->policy;
	size_t judge = b->args->judge_keys;

	check_set(b, p->identities, p->nidentities, NULL, &judge);
	for (size_t i = 0; i < p->ntenants && !b->nomem; i++) {
		struct tenant *t = p->tenants[i];

		check_set(b, t->identities, t->nidentities, t, &judge);
		for (size_t j = 0; j < t->nstreams; j++)
			if (t->streams[j]->nidentities > 0)
				check_stream(b, t->streams[j], t, &judge);
	}
}
