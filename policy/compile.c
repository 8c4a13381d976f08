/*
 * compile - the main part: settings, groups and classes.
 *
 * Names of pools, groups and classes are entered before their insides are
 * read, so that a mistake inside a class is one message and not one more for
 * each tenant that refers to it.
 */
#include "policy/build.h"

#include <stdlib.h>

#include "lib/clock.h"
#include "lib/scan.h"
#include "lib/text.h"

/* enter - a thing by its name; a second one was said by keyword_duplicates */
static void
enter(struct build *b, struct map *map, struct slice name, void *thing)
{
	if (map_set(map, name, thing) == -1)
		b->nomem = true;
}

/* copy_set - the strings of a set, in keep */
static struct slice *
copy_set(struct build *b, const struct value *set, size_t *n)
{
	struct slice *out = build_alloc(b, b->keep, set->nitems,
	    sizeof(*out));

	*n = out != NULL ? set->nitems : 0;
	for (size_t i = 0; i < *n; i++)
		out[i] = build_copy(b, b->keep, set->items[i].text);
	return out;
}

/* trusted - clients whose From domain names the tenant */
static void
trusted(struct build *b, const struct node *node, struct problems *problems)
{
	struct nets *nets = &b->policy->index->trusted;
	bool identify = false, clients = false;

	b->policy->trusted = true;
	b->policy->trusted_at = node->at;
	keyword_duplicates(node->child, problems);
	for (struct node *n = node->child; n != NULL; n = n->next) {
		const struct keyword *row = words_check(n, IN_TRUSTED,
		    problems);
		struct picture pic = { .last = &pic.stakes };

		identify = identify || slice_is(n->name, "identify");
		clients = clients || slice_is(n->name, "clients");
		if (row == NULL || row->id != WORD_CLIENTS)
			continue;
		compile_clients(b, &pic, NULL, 0, &n->value, problems);
		for (struct stake *s = pic.stakes; s != NULL; s = s->next)
			enter(b, nets->map, s->text, s);
	}
	if (!clients || !identify)
		problem_error(problems, node->at, "trusted has no %s",
		    !clients ? "clients" : "identify; write identify = "
		    "\"from-domain\"");
}

/* gives - remember what a group may give to a class */
static void
gives(struct build *b, const struct scope *scope)
{
	for (size_t i = 0; i < scope->ndrafts; i++)
		if ((scope->drafts[i].set & SET_AMOUNT) != 0 &&
		    !scope->drafts[i].off)
			enter(b, b->group_gives, slice_of(build_printf(b,
			    b->work, "%s %.*s", limit_kind_names[
			    scope->drafts[i].limit.kind],
			    SLICE_ARG(scope->drafts[i].limit.name))), b);
	for (size_t i = 0; i < scope->nstreams; i++) {
		const struct scope *s = &scope->streams[i];

		gives(b, s);
		if (s->said.nlines > 0)
			enter(b, b->group_gives, slice_of(build_printf(b,
			    b->work, "match %.*s", SLICE_ARG(s->name))), b);
	}
}

/* group_set - one setting of a group */
static void
group_set(struct build *b, struct group *g, struct scope *scope,
    const struct node *n, const struct keyword *row,
    struct problems *problems)
{
	if (row->id == WORD_CONTACT) {
		g->contact_at = n->at;
		if (build_reply_text(n, problems))
			g->contact = build_copy(b, b->keep, n->value.text);
	} else if (row->id == WORD_PAUSED) {
		g->paused_at = n->at;
		if (build_reply_text(n, problems))
			g->paused = build_copy(b, b->keep, n->value.text).p;
	} else {
		(void)compile_said(b, scope, n, row, problems);
	}
}

/* group - tenants that share limits */
static void
group(struct build *b, const struct node *node, struct problems *problems)
{
	struct group *g = build_alloc(b, b->keep, 1, sizeof(*g));
	struct scope *scope = build_alloc(b, b->work, 1, sizeof(*scope));

	if (b->nomem || !build_name(node, &g->name, problems))
		return;
	g->name = build_copy(b, b->keep, g->name);
	g->id = hash_id("group", g->name);
	g->at = node->at;
	*scope = (struct scope){ .level = LEVEL_GROUP, .at = node->at,
	    .arena = b->work };
	enter(b, b->groups, g->name, g);
	enter(b, b->group_scopes, g->name, scope);
	keyword_duplicates(node->child, problems);
	for (struct node *n = node->child; n != NULL; n = n->next) {
		const struct keyword *row = words_check(n, IN_GROUP, problems);

		if (row != NULL && row->type != KEYWORD_BLOCK)
			group_set(b, g, scope, n, row, problems);
	}
	compile_blocks(b, scope, node->child, problems);
	gives(b, scope);
}

/* class - what each of its tenants says */
static void
class(struct build *b, const struct node *node, struct problems *problems)
{
	struct class *c = build_alloc(b, b->work, 1, sizeof(*c));

	if (c == NULL || !build_name(node, &c->name, problems))
		return;
	c->name = build_copy(b, b->keep, c->name);
	c->at = node->at;
	c->scope = (struct scope){ .level = LEVEL_CLASS, .at = node->at,
	    .arena = b->work };
	enter(b, b->classes, c->name, c);
	keyword_duplicates(node->child, problems);
	for (struct node *s = node->child; s != NULL; s = s->next) {
		const struct keyword *row = words_check(s, IN_CLASS, problems);

		if (row == NULL || row->type == KEYWORD_BLOCK)
			continue;
		if (row->id == WORD_EXTENDS) {
			c->extends_at = s->at;
			c->base = &s->value;
		} else {
			(void)compile_said(b, &c->scope, s, row, problems);
		}
	}
	compile_blocks(b, &c->scope, node->child, problems);
}

/* circle - classes that extend one another, by name */
static void
circle(struct build *b, const struct class *c, struct problems *problems)
{
	const char *way = build_printf(b, b->work, "\"%.*s\"",
	    SLICE_ARG(c->name));
	const struct class *next = c->extends;

	for (; next != c; next = next->extends)
		way = build_printf(b, b->work, "%s extends \"%.*s\"", way,
		    SLICE_ARG(next->name));
	problem_error(problems, c->extends_at, "class \"%.*s\" extends itself: "
	    "%s extends \"%.*s\"", SLICE_ARG(c->name), way,
	    SLICE_ARG(c->name));
}

/* walk - from a class to its last base; cuts a circle, and what is too deep */
static void
walk(struct build *b, struct class *c, unsigned mark,
    struct problems *problems)
{
	unsigned depth = 1;

	for (struct class *at = c; at->extends != NULL; at = at->extends) {
		at->mark = mark;
		if (at->extends->mark == mark) {
			circle(b, at->extends, problems);
			at->extends = NULL;
			return;
		}
		if (++depth > CLASSES_MAX) {
			problem_error(problems, at->extends_at, "class "
			    "\"%.*s\" stands on more than %d classes, one "
			    "extending the other", SLICE_ARG(c->name),
			    CLASSES_MAX - 1);
			at->extends = NULL;
			return;
		}
	}
}

/* extend - classes find those they extend, wherever in the file they stand */
static void
extend(struct build *b, struct problems *problems)
{
	unsigned mark = 0;
	char near[128];
	struct quoted q;

	for (int pass = 0; pass < 2; pass++)
		for (const struct node *n = b->tree; n != NULL; n = n->next) {
			struct class *c;

			if (n->type != NODE_BLOCK || n->ntitles != 1 ||
			    !slice_is(n->name, "class") || (c = map_get(
			    b->classes, n->titles[0].text)) == NULL ||
			    c->base == NULL)
				continue;
			if (pass == 1) {
				walk(b, c, ++mark, problems);
				continue;
			}
			c->extends = map_get(b->classes, c->base->text);
			if (c->extends == NULL && n->at.line == c->at.line)
				problem_error(problems, c->base->at, "there "
				    "is no class %s%s", text_quote(
				    c->base->text, &q), build_nearest(
				    b->classes, c->base->text, near,
				    sizeof(near)));
		}
}

/* setting - one of the main file */
static void
setting(struct build *b, const struct node *node, const struct keyword *row,
    struct problems *problems)
{
	struct policy *p = b->policy;
	const struct value *v = &node->value;
	struct why why;

	switch (row->id) {
	case WORD_LOGIN_MAP:
		compile_login_map(b, node, problems);
		break;
	case WORD_TIMEZONE:
		p->zone_at = node->at;
		if (zone_find(v->text.p, &p->zone, &why) == -1)
			problem_error(problems, v->at, "timezone: %s",
			    why.text);
		break;
	case WORD_UNKNOWN_SENDER:
		p->unknown_sender = (enum unknown)choice_index(row, v);
		p->unknown_sender_at = node->at;
		break;
	case WORD_INFLIGHT:
		p->inflight_at = node->at;
		p->inflight = atoi(v->text.p);		/* 1 to 100 */
		break;
	case WORD_QUEUE_LIFETIME:
		break;			/* read before all others */
	case WORD_SUBMISSION:
		p->submission_at = node->at;
		p->submission = copy_set(b, v, &p->nsubmission);
		break;
	case WORD_LOCAL_TRANSPORTS:
		p->local_transports_at = node->at;
		p->local_transports = copy_set(b, v, &p->nlocal_transports);
		break;
	default:
		if (row->type != KEYWORD_BLOCK)
			(void)compile_said(b, &b->file_scope, node, row,
			    problems);
		p->shadow = b->file_scope.said.shadow;
		p->shadow_at = b->file_scope.said.shadow_at;
		break;
	}
}

/* defaults - what stands when the file says nothing */
static void
defaults(struct build *b)
{
	static struct slice local[] = { { "local", 5 }, { "virtual", 7 },
	    { "lmtp", 4 }, { "maildrop", 8 }, { "dovecot", 7 } };
	struct policy *p = b->policy;

	p->unknown_sender = UNKNOWN_DEFER;
	p->zone = zone_utc();
	p->inflight = 25;
	p->queue_lifetime = 5 * CLOCK_DAY;
	p->local_transports = local;
	p->nlocal_transports = sizeof(local) / sizeof(local[0]);
	b->file_scope = (struct scope){ .level = LEVEL_FILE, .arena = b->work };
}

/* queue_lifetime - which every hold_max is held against, wherever in the file
 * it stands */
static void
queue_lifetime(struct build *b, struct problems *problems)
{
	struct policy *p = b->policy;
	struct quoted q;
	struct why why;
	int64_t us;

	for (const struct node *n = b->tree; n != NULL; n = n->next) {
		const struct value *v = &n->value;

		if (n->type != NODE_SETTING || v->type != VALUE_STRING ||
		    !slice_is(n->name, "maximal_queue_lifetime"))
			continue;
		p->queue_lifetime_at = n->at;
		if (scan_duration(v->text, &us, &why) == -1)
			continue;	/* said when its turn comes */
		if (us <= CLOCK_DAY + CLOCK_MINUTE)
			problem_error(problems, v->at, "maximal_queue_lifetime"
			    ": %s leaves no day to deliver what was held; "
			    "Postfix's default is 5 days", text_quote(v->text,
			    &q));
		else
			p->queue_lifetime = us;
	}
	if (p->queue_lifetime <= 2 * CLOCK_DAY)
		problem_warn(problems, p->queue_lifetime_at,
		    "maximal_queue_lifetime: mail may be held for 24 hours "
		    "where no hold_max is written, and is to have a day for "
		    "its delivery then; write hold_max");
}

/* gather - pools and groups of the maps, in the order of the file */
static void
gather(struct build *b)
{
	struct policy *p = b->policy;

	p->pools = build_alloc(b, b->keep, map_count(b->pools),
	    sizeof(*p->pools));
	p->groups = build_alloc(b, b->keep, map_count(b->groups),
	    sizeof(*p->groups));
	if (b->nomem)
		return;
	for (const struct node *n = b->tree; n != NULL; n = n->next) {
		bool is_pool = slice_is(n->name, "pool");
		struct pool *pl;
		struct group *g;

		if (n->type != NODE_BLOCK || n->ntitles != 1 ||
		    (!is_pool && !slice_is(n->name, "group")))
			continue;
		pl = is_pool ? map_get(b->pools, n->titles[0].text) : NULL;
		g = is_pool ? NULL : map_get(b->groups, n->titles[0].text);
		if (pl != NULL && pl->at.line == n->at.line &&
		    pl->at.file == n->at.file && pl->at.col == n->at.col)
			p->pools[p->npools++] = pl;
		if (g != NULL && g->at.line == n->at.line &&
		    g->at.file == n->at.file && g->at.col == n->at.col)
			p->groups[p->ngroups++] = g;
	}
}

/* compile_main - everything but the tenants of other files */
void
compile_main(struct build *b, struct problems *problems)
{
	struct picture *pic = &b->units[0].now, own = { .last = &own.stakes };

	defaults(b);
	compile_duplicates(b, b->tree, problems);
	compile_schedules(b, problems);
	queue_lifetime(b, problems);
	for (struct node *n = b->tree; n != NULL; n = n->next) {
		const struct keyword *row = words_check(n, IN_FILE, problems);

		if (row == NULL)
			continue;
		switch (row->id) {
		case WORD_TRUSTED: trusted(b, n, problems); break;
		case WORD_POOL: compile_pool(b, n, problems); break;
		case WORD_CLAIM_BLOCK: compile_claim(b, n, problems); break;
		case WORD_AUTO_TENANT: break;	/* when classes are */
		case WORD_SCHEDULE: break;	/* they were first */
		case WORD_GROUP: group(b, n, problems); break;
		case WORD_CLASS: class(b, n, problems); break;
		default: setting(b, n, row, problems); break;
		}
	}
	gather(b);
	compile_pools(b, problems);
	extend(b, problems);
	compile_blocks(b, &b->file_scope, b->tree, problems);
	compose_main(b);
	/* the tenants' warnings ask whether the platform signs */
	compile_dkim(b, &own, NULL, 0, b->tree, NULL, &b->policy->identities,
	    &b->policy->nidentities, problems);
	compile_picture(b, 0, b->tree, false, pic, problems);
	if (own.stakes != NULL) {
		*pic->last = own.stakes;
		pic->last = own.last;
	}
	compile_auto(b, pic, problems);
}
