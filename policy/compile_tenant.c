/*
 * compile_tenant - a tenant block, from a tenant file or from the main file.
 *
 * Everything that can be judged by the block and the main part is judged
 * here; what depends on other tenants is not.
 */
#include "policy/build.h"

#include <stdlib.h>

#include "lib/clock.h"
#include "lib/text.h"

/* is_block - a block of that name */
static bool
is_block(const struct node *node, const char *word)
{
	return node->type == NODE_BLOCK && slice_is(node->name, word);
}

/* duplicates - what stands twice; dkim blocks are known by domain as well */
void
compile_duplicates(struct build *b, const struct node *chain,
    struct problems *problems)
{
	struct node *head = NULL, **last = &head;
	unsigned keys = 0;

	for (const struct node *n = chain; n != NULL; n = n->next)
		keys += is_block(n, "dkim");
	if (keys < 2) {
		keyword_duplicates(chain, problems);
		return;
	}
	for (const struct node *n = chain; n != NULL; n = n->next) {
		if (is_block(n, "dkim"))
			continue;
		if ((*last = build_alloc(b, b->work, 1, sizeof(*n))) == NULL)
			return;
		**last = *n;
		(*last)->next = NULL;
		last = &(*last)->next;
	}
	keyword_duplicates(head, problems);
}

/* compile_shadow - mode = "shadow" and shadow = {"limits"} say the same */
bool
compile_shadow(const struct node *node, const struct keyword *row,
    enum tristate *shadow, struct place *at, struct problems *problems)
{
	static const char *const parts[] = { "ownership", "require",
	    "suppression" };
	const struct value *v = &node->value;
	char first[PATH_ROOM];
	struct quoted q;

	if (*shadow != UNSET) {
		problem_error(problems, node->at, "mode and shadow say the "
		    "same thing twice; the other stands at %s",
		    build_place(*at, first, sizeof(first)));
		return false;
	}
	*at = node->at;
	*shadow = row->id == WORD_MODE ? choice_index(row, v) == 1 : NO;
	for (size_t i = 0; row->id == WORD_SHADOW && i < v->nitems; i++) {
		const struct value *item = &v->items[i];
		bool later = false;

		if (slice_is(item->text, "limits")) {
			*shadow = YES;
			continue;
		}
		for (size_t j = 0; j < sizeof(parts) / sizeof(parts[0]); j++)
			later = later || slice_is(item->text, parts[j]);
		problem_error(problems, item->at, later ?
		    "shadow: %s is not part of this release; only \"limits\" "
		    "can be in shadow" : "shadow: unknown part %s; expected "
		    "\"limits\"", text_quote(item->text, &q));
	}
	return true;
}

/* refer - a class or a group by its name */
static void *
refer(const struct map *map, const struct node *node,
    struct problems *problems)
{
	void *found = map_get(map, node->value.text);
	char near[128];
	struct quoted q;

	if (found == NULL)
		problem_error(problems, node->value.at, "there is no %.*s %s%s",
		    SLICE_ARG(node->name), text_quote(node->value.text, &q),
		    build_nearest(map, node->value.text, near, sizeof(near)));
	return found;
}

/* route - a pool its mail would leave by */
static void
route(struct build *b, const struct node *node, struct problems *problems)
{
	struct slice name = node->titles[0].text;
	char near[128];
	struct quoted q;

	for (struct node *n = node->child; n != NULL; n = n->next)
		words_check(n, IN_ROUTE, problems);
	keyword_duplicates(node->child, problems);
	if (map_get(b->pools, name) == NULL) {
		problem_error(problems, node->titles[0].at,
		    "there is no pool %s%s", text_quote(name, &q),
		    build_nearest(b->pools, name, near, sizeof(near)));
		return;
	}
	if (!b->warned_pools)
		problem_warn(b->problems, node->at, "pools are checked but not "
		    "chosen yet: mail leaves by Postfix's own route (said "
		    "once)");
	b->warned_pools = true;
}

/* what a block is read into */
struct reading {
	struct tenant	*t;
	struct picture	*pic;
	uint32_t	 unit;
	const struct class *class;
	bool		 class_lost;	/* named, but there is none */
	enum tristate	 shadow;
	int		 max_recipients;
	struct place	 max_recipients_at, shadow_at;
	bool		 known;		/* has logins or clients */
	bool		 odd_word;	/* may be a misspelt "logins" */
};

/* set_zone - by name, from the machine's zones */
static void
set_zone(const struct node *node, const struct zone **zone,
    struct problems *problems)
{
	struct why why;

	if (zone_find(node->value.text.p, zone, &why) == -1)
		problem_error(problems, node->value.at, "timezone: %s",
		    why.text);
}

/* set_names - logins, clients, domains and the bounce domain */
static void
set_names(struct build *b, struct reading *r, const struct keyword *row,
    const struct value *v, struct problems *problems)
{
	struct tenant *t = r->t;

	if (row->type == KEYWORD_SET && v->nitems == 0)
		problem_error(problems, v->at, "%s is empty; %s", row->name,
		    row->id == WORD_DOMAINS ? "the tenant could write nothing "
		    "in From" : "leave it out instead");
	switch (row->id) {
	case WORD_LOGINS:
		r->known = true;
		compile_logins(b, r->pic, t, r->unit, v, problems);
		break;
	case WORD_CLIENTS:
		r->known = true;
		compile_clients(b, r->pic, t, r->unit, v, problems);
		break;
	case WORD_DOMAINS:
		compile_domains(b, r->pic, t, r->unit, v, problems);
		break;
	default:
		t->bounce_domain_at = v->at;
		compile_bounce(b, r->pic, t, r->unit, v, problems);
		break;
	}
}

/* set_one - one statement of a tenant; limits and keys come afterwards */
static void
set_one(struct build *b, struct reading *r, struct node *node,
    const struct keyword *row, struct problems *problems)
{
	struct tenant *t = r->t;
	struct value *v = &node->value;

	switch (row->id) {
	case WORD_IN_CLASS:
		t->class_at = node->at;
		if ((r->class = refer(b->classes, node, problems)) != NULL)
			t->class = r->class->name;
		else
			r->class_lost = true;
		break;
	case WORD_IN_GROUP:
		t->group_at = node->at;
		t->group = refer(b->groups, node, problems);
		break;
	case WORD_POOL:
		route(b, node, problems);
		break;
	case WORD_CONTACT:
		if (build_reply_text(node, problems))
			t->contact = build_copy(b, b->keep, v->text);
		t->contact_at = node->at;
		break;
	case WORD_PAUSED:
		if (build_reply_text(node, problems))
			t->paused = build_copy(b, b->keep, v->text).p;
		t->paused_at = node->at;
		break;
	case WORD_TIMEZONE:
		set_zone(node, &t->zone, problems);
		t->zone_at = node->at;
		break;
	case WORD_MODE:
	case WORD_SHADOW:
		compile_shadow(node, row, &r->shadow, &r->shadow_at, problems);
		break;
	case WORD_MAX_RECIPIENTS:
		r->max_recipients = atoi(v->text.p);	/* 1 to 10^6 */
		r->max_recipients_at = node->at;
		break;
	case WORD_LOGINS:
	case WORD_CLIENTS:
	case WORD_DOMAINS:
	case WORD_BOUNCE_DOMAIN:
		set_names(b, r, row, v, problems);
		break;
	}
}

/* inherit - what the tenant leaves unsaid */
static void
inherit(struct build *b, struct reading *r)
{
	struct tenant *t = r->t;

	if (t->zone == NULL) {
		t->zone = b->policy->zone;
		t->zone_at = b->policy->zone_at;
	}
	if (t->contact.n == 0 && t->group != NULL) {
		t->contact = t->group->contact;
		t->contact_at = t->group->contact_at;
	}
	if (r->max_recipients == 0 && r->class != NULL) {
		r->max_recipients = r->class->max_recipients;
		r->max_recipients_at = r->class->max_recipients_at;
	}
	if (r->shadow == UNSET && r->class != NULL) {
		r->shadow = r->class->shadow;
		r->shadow_at = r->class->shadow_at;
	}
	if (r->shadow == UNSET) {
		r->shadow = b->shadow;
		r->shadow_at = b->policy->shadow_at;
	}
}

/* owns_alone - by the tenant's own list, whatever others hold below it */
static bool
owns_alone(const struct tenant *t, struct slice domain)
{
	for (size_t i = 0; i < t->ndomains; i++) {
		struct slice own = t->domains[i];

		if (own.p[0] != '*') {
			if (slice_eq(own, domain))
				return true;
			continue;
		}
		own = slice_from(own, 1);		/* ".x" */
		if (domain.n > own.n && slice_eq(own,
		    slice_from(domain, domain.n - own.n)))
			return true;
	}
	return false;
}

/* whole - what a tenant must have, and keys of its own domains only */
static void
whole(struct reading *r, const struct node *node, bool domains,
    struct problems *problems)
{
	struct tenant *t = r->t;

	if (!r->known && !r->odd_word)
		problem_error(problems, node->at, "tenant \"%.*s\" has no "
		    "logins and no clients: no mail could ever be its own",
		    SLICE_ARG(t->name));
	if (!domains && !r->odd_word)
		problem_error(problems, node->at, "tenant \"%.*s\" has no "
		    "domains: it could write nothing in From",
		    SLICE_ARG(t->name));
	for (size_t i = 0; domains && i < t->nidentities; i++) {
		const struct identity *id = &t->identities[i];

		if (!owns_alone(t, id->domain))
			problem_error(problems, id->at, "dkim \"%.*s\" signs "
			    "for %.*s, which is not among the domains of "
			    "tenant \"%.*s\"", SLICE_ARG(id->selector),
			    SLICE_ARG(id->domain), SLICE_ARG(t->name));
	}
}

/* default_stream - what all of the tenant's mail is in */
static void
default_stream(struct build *b, const struct reading *r)
{
	struct stream *s = build_alloc(b, b->keep, 1, sizeof(*s));
	const struct stream **all = build_alloc(b, b->keep, 1, sizeof(*all));
	struct tenant *t = r->t;

	if (s == NULL || all == NULL)
		return;
	s->name = SLICE("default");
	s->id = hash_id("stream", s->name);
	s->limits = t->common;
	s->nlimits = t->ncommon;
	s->priority = PRIORITY_TRANSACTIONAL;
	s->hold_max = CLOCK_DAY;
	s->max_recipients = r->max_recipients;
	s->max_recipients_at = r->max_recipients_at;
	s->shadow = r->shadow == YES ? SHADOW_LIMITS : 0;
	s->shadow_at = r->shadow_at;
	s->identities = t->identities;
	s->nidentities = t->nidentities;
	all[0] = s;
	t->streams = all;
	t->nstreams = 1;
}

/* compile_tenant - one block into the picture of its file */
static void
compile_tenant(struct build *b, uint32_t unit, const struct node *node,
    struct picture *pic, struct problems *problems)
{
	struct reading r = { .pic = pic, .unit = unit, .shadow = UNSET };
	bool domains = false;
	struct tenant *t;

	if ((r.t = t = build_alloc(b, b->keep, 1, sizeof(*t))) == NULL)
		return;
	t->at = node->at;
	t->unit = unit;
	if (build_name(node, &t->name, problems))
		t->name = build_copy(b, b->keep, t->name);
	t->id = hash_id("tenant", t->name);
	stake_add(b, pic, STAKE_TENANT, t->name, node->titles[0].at, t, unit);
	compile_duplicates(b, node->child, problems);
	for (struct node *n = node->child; n != NULL; n = n->next) {
		const struct keyword *row = words_check(n, IN_TENANT,
		    problems);

		domains = domains || slice_is(n->name, "domains");
		r.known = r.known || slice_is(n->name, "logins") ||
		    slice_is(n->name, "clients");
		if (row != NULL)
			set_one(b, &r, n, row, problems);
		else
			r.odd_word = true;
	}
	inherit(b, &r);
	compile_limits(b, t, r.class, r.class_lost, node->child, problems);
	compile_dkim(b, pic, t, unit, node->child, &t->identities,
	    &t->nidentities, problems);
	default_stream(b, &r);
	whole(&r, node, domains, problems);
	pic->tenants[pic->n++] = t;
}

/* picture_room - an empty picture with room for the tenants of a chain */
static bool
picture_room(struct build *b, const struct node *chain, struct picture *pic)
{
	size_t n = 0;

	for (; chain != NULL; chain = chain->next)
		n += is_block(chain, "tenant");
	pic->n = 0;
	pic->stakes = NULL;
	pic->last = &pic->stakes;
	pic->tenants = build_alloc(b, b->work, n, sizeof(*pic->tenants));
	return pic->tenants != NULL;
}

/* compile_picture - the tenants of a chain; in a file of their own no more */
void
compile_picture(struct build *b, uint32_t unit, struct node *chain,
    bool tenants_only, struct picture *pic, struct problems *problems)
{
	struct quoted q;

	if (!picture_room(b, chain, pic))
		return;
	if (tenants_only)
		keyword_duplicates(chain, problems);
	for (struct node *n = chain; n != NULL; n = n->next) {
		if (is_block(n, "tenant")) {
			if (!tenants_only ? n->ntitles == 1 :
			    words_check(n, IN_FILE, problems) != NULL)
				compile_tenant(b, unit, n, pic, problems);
		} else if (tenants_only) {
			problem_error(problems, n->at, "%s cannot stand here: "
			    "a file of an included folder holds tenants only",
			    text_quote(n->name, &q));
		}
	}
}

/* salvage_one - the logins and clients of a block that can be read */
static void
salvage_one(struct build *b, uint32_t unit, const struct node *node,
    struct picture *pic, struct problems *mute)
{
	struct tenant *t = build_alloc(b, b->keep, 1, sizeof(*t));
	bool named = node->ntitles > 0 && keyword_is_name(node->titles[0].text);

	if (t == NULL)
		return;
	t->name = build_copy(b, b->keep, named ? node->titles[0].text :
	    SLICE("?"));
	t->id = hash_id("tenant", t->name);
	t->form = FORM_BROKEN;
	t->zone = b->policy->zone;
	default_stream(b, &(struct reading){ .t = t });
	t->unit = unit;
	t->at = node->at;
	for (const struct node *n = node->child; n != NULL; n = n->next) {
		if (n->type != NODE_SETTING || n->value.type != VALUE_SET)
			continue;
		if (slice_is(n->name, "logins"))
			compile_logins(b, pic, t, unit, &n->value, mute);
		else if (slice_is(n->name, "clients"))
			compile_clients(b, pic, t, unit, &n->value, mute);
	}
	pic->tenants[pic->n++] = t;
}

/* compile_salvage - of a file that is new and broken */
void
compile_salvage(struct build *b, uint32_t unit, const struct node *chain,
    struct picture *pic)
{
	struct problems mute;

	problems_init(&mute, b->file);
	if (!picture_room(b, chain, pic))
		return;
	for (; chain != NULL; chain = chain->next)
		if (is_block(chain, "tenant"))
			salvage_one(b, unit, chain, pic, &mute);
}
