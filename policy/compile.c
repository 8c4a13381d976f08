/*
 * compile - the main part: settings, pools, groups and classes.
 *
 * Names of pools, groups and classes are entered before their insides are
 * read, so that a mistake inside a class is one message and not one more for
 * each tenant that refers to it.
 */
#include "policy/build.h"

#include <arpa/inet.h>
#include <stdlib.h>

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

/* taken_transport - services that Postfix's own master.cf has */
static bool
taken_transport(struct slice name)
{
	static const char *const taken[] = { "smtp", "relay", "local",
	    "virtual", "lmtp", "error", "retry", "discard", "cleanup",
	    "rewrite", "bounce", "defer", "trace", "verify", "proxymap",
	    "showq", "qmgr", "pickup", "tlsmgr", "anvil", "scache", "postlog",
	    "flush", "proxywrite" };

	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		if (slice_is(name, taken[i]))
			return true;
	return false;
}

/* address_set - one setting of an address */
static void
address_set(struct build *b, struct pool_address *a,
    const struct keyword *row, const struct value *v,
    struct problems *problems)
{
	struct slice domain;
	struct quoted q;
	struct why why;

	if (row->id == WORD_HELO) {
		if (address_domain(b->work, v->text, false, &domain, &why) ==
		    -1)
			problem_error(problems, v->at, "helo: %s is not a host "
			    "name: %s", text_quote(v->text, &q), why.text);
		else
			a->helo = build_copy(b, b->keep, domain);
	} else if (taken_transport(v->text)) {
		problem_error(problems, v->at, "transport: %s is a service of "
		    "Postfix's own; choose another name",
		    text_quote(v->text, &q));
	} else {
		a->transport = build_copy(b, b->keep, v->text);
	}
}

/* address - one of a pool */
static void
address(struct build *b, const struct node *node, struct pool_address *a,
    struct problems *problems)
{
	const struct value *title = &node->titles[0];
	unsigned errors = problems->errors;
	unsigned char bytes[16];
	struct quoted q;

	a->address = build_copy(b, b->keep, title->text);
	a->at = node->at;
	if (inet_pton(AF_INET, title->text.p, bytes) != 1 &&
	    inet_pton(AF_INET6, title->text.p, bytes) != 1)
		problem_error(problems, title->at, "%s is not an IP address",
		    text_quote(title->text, &q));
	keyword_duplicates(node->child, problems);
	for (struct node *n = node->child; n != NULL; n = n->next) {
		const struct keyword *row = words_check(n, IN_ADDRESS,
		    problems);

		if (row != NULL)
			address_set(b, a, row, &n->value, problems);
	}
	if (a->transport.n == 0 && problems->errors == errors)
		problem_error(problems, node->at, "address %s has no "
		    "transport: the name of its service in master.cf",
		    text_quote(title->text, &q));
}

/* once - nobody else has used this; says where the other stands */
static void
once(struct build *b, const char *word, struct slice name,
    struct pool_address *a, struct problems *problems)
{
	struct slice key = slice_of(build_printf(b, b->work, "%s \"%.*s\"",
	    word, SLICE_ARG(name)));
	char first[PATH_ROOM];
	const struct pool_address *other;

	if (name.n == 0 || b->nomem)
		return;
	if ((other = map_get(b->addresses, key)) != NULL)
		problem_error(problems, a->at, "%.*s is used already at %s",
		    SLICE_ARG(key), build_place(other->at, first,
		    sizeof(first)));
	else
		enter(b, b->addresses, key, a);
}

/* pool - addresses that belong together */
static void
pool(struct build *b, const struct node *node, struct problems *problems)
{
	struct pool *p = build_alloc(b, b->keep, 1, sizeof(*p));
	struct pool_address *a;
	size_t n = 0;

	if (p == NULL || !build_name(node, &p->name, problems))
		return;
	p->name = build_copy(b, b->keep, p->name);
	p->id = hash_id("pool", p->name);
	p->at = node->at;
	enter(b, b->pools, p->name, p);
	for (struct node *c = node->child; c != NULL; c = c->next)
		n += words_check(c, IN_POOL, problems) != NULL;
	keyword_duplicates(node->child, problems);
	p->addresses = build_alloc(b, b->keep, n, sizeof(*p->addresses));
	if (p->addresses == NULL)
		return;
	for (struct node *c = node->child; c != NULL; c = c->next) {
		if (c->type != NODE_BLOCK || c->ntitles != 1 ||
		    !slice_is(c->name, "address"))
			continue;
		a = &p->addresses[p->naddresses++];
		address(b, c, a, problems);
		once(b, "address", a->address, a, problems);
		once(b, "transport", a->transport, a, problems);
	}
	if (n == 0)
		problem_warn(problems, node->at, "pool \"%.*s\" has no "
		    "address: nothing could leave by it", SLICE_ARG(p->name));
}

/* group - tenants that share limits */
static void
group(struct build *b, const struct node *node, struct problems *problems)
{
	struct group *g = build_alloc(b, b->keep, 1, sizeof(*g));
	struct draft *drafts;

	if (g == NULL || !build_name(node, &g->name, problems))
		return;
	g->name = build_copy(b, b->keep, g->name);
	g->id = hash_id("group", g->name);
	g->at = node->at;
	enter(b, b->groups, g->name, g);
	keyword_duplicates(node->child, problems);
	for (struct node *n = node->child; n != NULL; n = n->next) {
		const struct keyword *row = words_check(n, IN_GROUP, problems);

		if (row == NULL || row->type == KEYWORD_BLOCK ||
		    !build_reply_text(n, problems))
			continue;
		if (row->id == WORD_CONTACT) {
			g->contact = build_copy(b, b->keep, n->value.text);
			g->contact_at = n->at;
		} else {
			g->paused = build_copy(b, b->keep, n->value.text).p;
			g->paused_at = n->at;
		}
	}
	g->nlimits = compile_drafts(b, node->child, PER_GROUP, &drafts,
	    problems);
	g->limits = build_alloc(b, b->keep, g->nlimits, sizeof(*g->limits));
	for (size_t i = 0; g->limits != NULL && i < g->nlimits; i++) {
		const struct limit *made = compile_limit(b, &drafts[i]);

		if (made != NULL)
			g->limits[i] = *made;
	}
}

/* class - limits that stand in each of its tenants */
static void
class(struct build *b, const struct node *node, struct problems *problems)
{
	struct class *c = build_alloc(b, b->work, 1, sizeof(*c));
	const struct limit **made;
	size_t n = 0;

	if (c == NULL || !build_name(node, &c->name, problems))
		return;
	c->name = build_copy(b, b->keep, c->name);
	c->at = node->at;
	c->shadow = UNSET;
	enter(b, b->classes, c->name, c);
	keyword_duplicates(node->child, problems);
	for (struct node *s = node->child; s != NULL; s = s->next) {
		const struct keyword *row = words_check(s, IN_CLASS, problems);

		if (row == NULL || row->type == KEYWORD_BLOCK)
			continue;
		if (row->id == WORD_MAX_RECIPIENTS) {
			c->max_recipients = atoi(s->value.text.p);
			c->max_recipients_at = s->at;
		} else {
			compile_shadow(s, row, &c->shadow, &c->shadow_at,
			    problems);
		}
	}
	c->ndrafts = compile_drafts(b, node->child, PER_TENANT, &c->drafts,
	    problems);
	made = build_alloc(b, b->work, c->ndrafts, sizeof(*made));
	for (size_t i = 0; made != NULL && i < c->ndrafts; i++)
		if ((made[n] = compile_limit(b, &c->drafts[i])) != NULL)
			n++;
	if (made != NULL)
		check_limits(b, made, n, NULL, problems);
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
	case WORD_MODE:
	case WORD_SHADOW:
		compile_shadow(node, row, &b->shadow, &p->shadow_at,
		    problems);
		p->shadow = b->shadow == YES ? SHADOW_LIMITS : 0;
		break;
	case WORD_INFLIGHT:
		p->inflight_at = node->at;
		p->inflight = atoi(v->text.p);		/* 1 to 100 */
		break;
	case WORD_SUBMISSION:
		p->submission_at = node->at;
		p->submission = copy_set(b, v, &p->nsubmission);
		break;
	case WORD_LOCAL_TRANSPORTS:
		p->local_transports_at = node->at;
		p->local_transports = copy_set(b, v, &p->nlocal_transports);
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
	p->local_transports = local;
	p->nlocal_transports = sizeof(local) / sizeof(local[0]);
	b->shadow = UNSET;
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
	struct picture *pic = &b->units[0].now;

	defaults(b);
	compile_duplicates(b, b->tree, problems);
	for (struct node *n = b->tree; n != NULL; n = n->next) {
		const struct keyword *row = words_check(n, IN_FILE, problems);

		if (row == NULL)
			continue;
		switch (row->id) {
		case WORD_TRUSTED: trusted(b, n, problems); break;
		case WORD_POOL: pool(b, n, problems); break;
		case WORD_GROUP: group(b, n, problems); break;
		case WORD_CLASS: class(b, n, problems); break;
		default: setting(b, n, row, problems); break;
		}
	}
	gather(b);
	compile_picture(b, 0, b->tree, false, pic, problems);
	compile_dkim(b, pic, NULL, 0, b->tree, &b->policy->identities,
	    &b->policy->nidentities, problems);
}
