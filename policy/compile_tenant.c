/*
 * compile_tenant - a tenant block, from a tenant file or from the main file.
 *
 * Everything that can be judged by the block and the main part is judged
 * here; what depends on other tenants is not.
 */
#include "policy/build.h"

#include "lib/scan.h"
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

/* compile_refer - a class or a group by its name */
void *
compile_refer(const struct map *map, const struct node *node,
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

/* what a block is read into */
struct reading {
	struct tenant	*t;
	struct picture	*pic;
	uint32_t	 unit;
	const struct class *class;
	bool		 lost;		/* class or group named, but not there */
	struct scope	 scope;
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
		compile_domains(b, r->pic, t, r->unit, row->name, v,
		    problems);
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
	struct why why;

	switch (row->id) {
	case WORD_IN_CLASS:
		t->class_at = node->at;
		r->class = compile_refer(b->classes, node, problems);
		if (r->class != NULL)
			t->class = r->class->name;
		else
			r->lost = true;
		break;
	case WORD_IN_GROUP:
		t->group_at = node->at;
		if ((t->group = compile_refer(b->groups, node, problems)) ==
		    NULL)
			r->lost = true;
		break;
	case WORD_CONTACT:
		if (build_reply_text(node, problems))
			t->contact = build_copy(b, b->keep, v->text);
		t->contact_at = node->at;
		break;
	case WORD_VALUE:	/* the checker looked at its bounds */
		(void)scan_count(v->text, row->least, row->most, &t->value,
		    &why);
		t->value_at = node->at;
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
	case WORD_LOGINS:
	case WORD_CLIENTS:
	case WORD_DOMAINS:
	case WORD_BOUNCE_DOMAIN:
		set_names(b, r, row, v, problems);
		break;
	default:
		if (row->type != KEYWORD_BLOCK)
			(void)compile_said(b, &r->scope, node, row, problems);
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

/* own_domains - keys are of domains that the tenant has */
static void
own_domains(const struct tenant *t, const struct identity *ids, size_t n,
    struct problems *problems)
{
	for (size_t i = 0; i < n; i++)
		if (!owns_alone(t, ids[i].domain))
			problem_error(problems, ids[i].at, "dkim \"%.*s\" "
			    "signs for %.*s, which is not among the domains "
			    "of tenant \"%.*s\"", SLICE_ARG(ids[i].selector),
			    SLICE_ARG(ids[i].domain), SLICE_ARG(t->name));
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
	if (!domains)
		return;
	own_domains(t, t->identities, t->nidentities, problems);
	for (size_t i = 0; i < r->scope.nstreams; i++) {
		const struct stream *s = &r->scope.streams[i].said;

		own_domains(t, s->identities, s->nidentities, problems);
	}
}

/* keys - of the tenant, and of its streams */
static void
keys(struct build *b, struct reading *r, const struct node *chain,
    struct problems *problems)
{
	struct tenant *t = r->t;
	size_t i = 0;

	compile_dkim(b, r->pic, t, r->unit, chain, NULL, &t->identities,
	    &t->nidentities, problems);
	for (; chain != NULL && i < r->scope.nstreams; chain = chain->next) {
		struct scope *s = &r->scope.streams[i];

		if (!is_block(chain, "stream") || chain->ntitles != 1)
			continue;
		compile_dkim(b, r->pic, t, r->unit, chain->child, &r->scope,
		    &s->said.identities, &s->said.nidentities, problems);
		i++;
	}
}

/* compile_tenant - one block into the picture of its file */
static void
compile_tenant(struct build *b, uint32_t unit, const struct node *node,
    struct picture *pic, struct problems *problems)
{
	struct reading r = { .pic = pic, .unit = unit, .scope = {
	    .level = LEVEL_TENANT, .at = node->at, .arena = b->file } };
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
	compile_blocks(b, &r.scope, node->child, problems);
	keys(b, &r, node->child, problems);
	compose_tenant(b, t, r.class, r.lost, &r.scope, problems);
	whole(&r, node, domains, problems);
	check_carried(b, t, problems);
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

/* salvage_one - logins, clients and domains of a block that can be read */
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
	compose_none(b, t);
	t->unit = unit;
	t->at = node->at;
	for (const struct node *n = node->child; n != NULL; n = n->next) {
		if (n->type != NODE_SETTING || n->value.type != VALUE_SET)
			continue;
		if (slice_is(n->name, "logins"))
			compile_logins(b, pic, t, unit, &n->value, mute);
		else if (slice_is(n->name, "clients"))
			compile_clients(b, pic, t, unit, &n->value, mute);
		else if (slice_is(n->name, "domains"))
			compile_domains(b, pic, t, unit, "domains", &n->value,
			    mute);
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
