/*
 * compile_identify - login maps, claim blocks and auto_tenant: the ways to a
 * tenant that do not stand in its own block.
 */
#include "policy/build.h"

#include "lib/text.h"

#define NAMES_TOLD	20	/* of login maps, one by one */

/* compile_login_map - each file as it is reached */
void
compile_login_map(struct build *b, const struct node *node,
    struct problems *problems)
{
	struct policy_index *index = b->policy->index;
	const struct value *items;
	size_t n;

	items = build_items(&node->value, &n);
	if (index->login_map == NULL &&
	    (index->login_map = login_map_new()) == NULL) {
		b->nomem = true;
		return;
	}
	for (size_t i = 0; i < n && !b->nomem; i++) {
		const char *path;
		struct slice text;

		/* its bytes are the policy's own */
		if (read_beside(b, node->at.file, &items[i], &path, &text) &&
		    login_map_add(index->login_map, path,
		    (char *)(uintptr_t)text.p, text.n, problems) == -1)
			b->nomem = true;
	}
}

/* put_line - one login or client of a claim; says who has it already */
static void
put_line(struct build *b, struct map *map, struct slice key,
    const struct claimer *by, const struct value *v,
    struct problems *problems)
{
	struct claim_line *line = build_alloc(b, b->keep, 1, sizeof(*line));
	char first[PATH_ROOM];
	struct quoted q;
	void *was = NULL;

	if (line == NULL)
		return;
	*line = (struct claim_line){ by, v->at };
	if (map_add(map, key, line, &was) == -1)
		b->nomem = true;
	if (was != NULL)
		problem_error(problems, v->at, "%s may claim already, at %s",
		    text_quote(v->text, &q), build_place(
		    ((struct claim_line *)was)->at, first, sizeof(first)));
}

/* claim_logins - those who name tenants */
static void
claim_logins(struct build *b, const struct claimer *by,
    const struct value *set, struct problems *problems)
{
	struct policy_index *index = b->policy->index;
	struct slice text;

	for (size_t i = 0; i < set->nitems; i++) {
		if (!compile_login_text(b, "logins", &set->items[i], &text,
		    problems))
			continue;
		if (slice_starts(text, SLICE("*@")))
			put_line(b, index->claim_domains, slice_from(text, 2),
			    by, &set->items[i], problems);
		else
			put_line(b, index->claim_logins, text, by,
			    &set->items[i], problems);
	}
}

/* claim_clients - the same, without a login */
static void
claim_clients(struct build *b, const struct claimer *by,
    const struct value *set, struct problems *problems)
{
	for (size_t i = 0; i < set->nitems; i++) {
		struct picture pic = { .last = &pic.stakes };
		struct value one = *set;

		one.items = &set->items[i];
		one.nitems = 1;
		compile_clients(b, &pic, NULL, 0, &one, problems);
		if (pic.stakes != NULL)
			put_line(b, b->policy->index->claim_clients.map,
			    pic.stakes->text, by, one.items, problems);
	}
}

/* claim_tenants - whom they may name */
static void
claim_tenants(struct build *b, struct claimer *by, const struct value *set,
    struct problems *problems)
{
	struct quoted q;

	if (set->nitems == 0)
		problem_error(problems, set->at, "tenants is empty; leave it "
		    "out to allow any");
	by->ntenants = 0;		/* twice: a mistake, which was said */
	by->tenants = build_alloc(b, b->keep, set->nitems,
	    sizeof(*by->tenants));
	for (size_t i = 0; by->tenants != NULL && i < set->nitems; i++) {
		if (keyword_is_name(set->items[i].text))
			by->tenants[by->ntenants++] = build_copy(b, b->keep,
			    set->items[i].text);
		else
			problem_error(problems, set->items[i].at, "tenants: "
			    "%s is not the name of a tenant",
			    text_quote(set->items[i].text, &q));
	}
}

/* claim_list - for show, one more */
static void
claim_list(struct build *b, const struct claimer *by)
{
	struct policy *p = b->policy;
	const struct claimer **more = build_alloc(b, b->keep,
	    p->nclaimers + 1, sizeof(*more));

	if (more == NULL)
		return;
	if (p->nclaimers > 0)
		memcpy(more, p->claimers, p->nclaimers * sizeof(*more));
	more[p->nclaimers++] = by;
	p->claimers = more;
}

/* compile_claim - a header that names the tenant */
void
compile_claim(struct build *b, const struct node *node,
    struct problems *problems)
{
	struct claimer *by = build_alloc(b, b->keep, 1, sizeof(*by));
	bool whose = false;
	struct quoted q;

	if (by == NULL)
		return;
	by->at = node->at;
	by->header = build_copy(b, b->keep, node->titles[0].text);
	if (!build_header(by->header))
		problem_error(problems, node->titles[0].at, "%s is not the "
		    "name of a header", text_quote(by->header, &q));
	keyword_duplicates(node->child, problems);
	for (struct node *n = node->child; n != NULL; n = n->next) {
		const struct keyword *row = words_check(n, IN_CLAIM, problems);

		whose = whose || slice_is(n->name, "logins") ||
		    slice_is(n->name, "clients");
		if (row == NULL)
			continue;
		if (row->id == WORD_LOGINS)
			claim_logins(b, by, &n->value, problems);
		else if (row->id == WORD_CLIENTS)
			claim_clients(b, by, &n->value, problems);
		else
			claim_tenants(b, by, &n->value, problems);
	}
	if (!whose)
		problem_error(problems, node->at, "claim %s has no logins and "
		    "no clients: nobody may name a tenant in it",
		    text_quote(by->header, &q));
	claim_list(b, by);
}

/* except - domains that become no tenant */
static void
except(struct build *b, const struct value *set, struct problems *problems)
{
	struct policy *p = b->policy;
	struct picture pic = { .last = &pic.stakes };
	struct tenant t = { .name = SLICE("") };

	compile_domains(b, &pic, &t, 0, "except", set, problems);
	p->except = t.domains;
	p->nexcept = t.ndomains;
}

/* automatic - what the tenants that appear by themselves have */
static void
automatic(struct build *b, const struct node *node, struct picture *pic,
    struct problems *problems)
{
	struct scope nothing = { .level = LEVEL_TENANT, .arena = b->work };
	const struct class *class = NULL;
	bool lost = false, by = false;
	struct tenant *t;

	if ((t = build_alloc(b, b->keep, 1, sizeof(*t))) == NULL)
		return;
	*t = (struct tenant){ .name = SLICE("auto_tenant"), .at = node->at,
	    .automatic = true, .zone = b->policy->zone,
	    .zone_at = b->policy->zone_at };
	keyword_duplicates(node->child, problems);
	for (struct node *n = node->child; n != NULL; n = n->next) {
		const struct keyword *row = words_check(n, IN_AUTO, problems);

		by = by || slice_is(n->name, "by");
		if (row == NULL)
			continue;
		if (row->id == WORD_EXCEPT) {
			except(b, &n->value, problems);
		} else if (row->id == WORD_IN_GROUP) {
			t->group_at = n->at;
			t->group = compile_refer(b->groups, n, problems);
			lost = lost || t->group == NULL;
		} else if (row->id == WORD_IN_CLASS) {
			t->class_at = n->at;
			class = compile_refer(b->classes, n, problems);
			lost = lost || class == NULL;
		} else if (row->id == WORD_BOUNCE_DOMAIN) {
			t->bounce_domain_at = n->at;
			compile_bounce_auto(b, pic, t, &n->value, problems);
		}
	}
	if (!by)
		problem_error(problems, node->at, "auto_tenant has no by; "
		    "write by = \"login-domain\"");
	if (class != NULL)
		t->class = class->name;
	if (t->group != NULL) {
		t->contact = t->group->contact;
		t->contact_at = t->group->contact_at;
	}
	compose_tenant(b, t, class, lost, &nothing, problems);
	check_carried(b, t, problems);
	b->policy->automatic = t;
}

/* compile_auto - one block; that a second is a mistake was said */
void
compile_auto(struct build *b, struct picture *pic, struct problems *problems)
{
	for (const struct node *n = b->tree; n != NULL; n = n->next)
		if (n->type == NODE_BLOCK && n->ntitles == 0 &&
		    slice_is(n->name, "auto_tenant"))
			automatic(b, n, pic, problems);
}

struct naming {
	struct build	*b;
	size_t		 missing;
};

/* named - the tenant of a name in a login map */
static struct tenant *
named(void *with, struct slice name, struct place first)
{
	struct naming *n = with;
	const struct tenant *t = policy_tenant(n->b->policy, name);

	if (t == NULL && n->missing++ < NAMES_TOLD)
		problem_warn(n->b->problems, first, "there is no tenant "
		    "\"%.*s\": the logins that this file gives it are "
		    "nobody's", SLICE_ARG(name));
	return (struct tenant *)(uintptr_t)t;
}

/* in_vain - a login of a claim block that some tenant has */
static void
in_vain(struct build *b, const struct map *claims, bool domains)
{
	const struct policy_index *index = b->policy->index;
	char other[PATH_ROOM];
	struct slice key;
	size_t at = 0;
	void *value;

	while (map_next(claims, &at, &key, &value)) {
		const struct claim_line *line = value;
		const struct stake *s = map_get(domains ?
		    index->login_domains : index->logins, key);

		if (s != NULL)
			problem_warn(b->problems, line->at, "login \"%s%.*s\" "
			    "is of tenant \"%.*s\", at %s: it cannot name "
			    "another", domains ? "*@" : "", SLICE_ARG(key),
			    SLICE_ARG(s->tenant->name), build_place(s->at,
			    other, sizeof(other)));
	}
}

/* claims_of_none - a name that no tenant has */
static void
claims_of_none(struct build *b)
{
	const struct policy *p = b->policy;

	for (size_t i = 0; i < p->nclaimers; i++) {
		const struct claimer *by = p->claimers[i];

		for (size_t j = 0; j < by->ntenants; j++)
			if (policy_tenant(p, by->tenants[j]) == NULL)
				problem_warn(b->problems, by->at, "claim "
				    "\"%.*s\": there is no tenant \"%.*s\"",
				    SLICE_ARG(by->header),
				    SLICE_ARG(by->tenants[j]));
	}
}

/* identify_settle - now that the tenants are known */
void
identify_settle(struct build *b)
{
	struct policy_index *index = b->policy->index;
	struct naming naming = { b, 0 };

	if (index->login_map != NULL)
		login_map_settle(index->login_map, named, &naming);
	if (naming.missing > NAMES_TOLD)
		problem_warn(b->problems, (struct place){ b->policy->path, 1,
		    1 }, "%zu more names in login maps are no tenant's",
		    naming.missing - NAMES_TOLD);
	in_vain(b, index->claim_logins, false);
	in_vain(b, index->claim_domains, true);
	claims_of_none(b);
}
