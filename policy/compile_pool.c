/*
 * compile_pool - the addresses that mail may leave by, and the limits and
 * settings of a pool.
 *
 * An address and a transport belong to one pool each: Postfix binds a
 * transport to one address, and warmup is counted by address.  An address is
 * known by its shortest form, however it was written, so that "::1" and "0::1"
 * are one.
 *
 * With select = "sender" the transport stands in the return path, b.TRANSPORT.
 * TOKEN, whose local part has 64 bytes at most (RFC 5321, 4.5.3.1.1): so it has
 * 29 at most there, and no dot.
 */
#include "policy/build.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "lib/scan.h"
#include "lib/text.h"
#include "policy/egress.h"

#define SHARES_MAX	PROVIDER_MAX

/* enter - by its name; a second one was said by keyword_duplicates */
static void
enter(struct build *b, struct map *map, struct slice name, void *thing)
{
	if (map_set(map, name, thing) == -1)
		b->nomem = true;
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
    const struct keyword *row, const struct node *n,
    struct problems *problems)
{
	const struct value *v = &n->value;
	struct slice domain;
	struct quoted q;
	struct why why;

	if (row->id == WORD_HELO) {
		a->helo_at = n->at;
		if (address_domain(b->work, v->text, false, &domain, &why) ==
		    -1)
			problem_error(problems, v->at, "helo: %s is not a host "
			    "name: %s", text_quote(v->text, &q), why.text);
		else
			a->helo = build_copy(b, b->keep, domain);
	} else if (row->id == WORD_TRANSPORT) {
		a->transport_at = n->at;
		if (taken_transport(v->text))
			problem_error(problems, v->at, "transport: %s is a "
			    "service of Postfix's own; choose another name",
			    text_quote(v->text, &q));
		else
			a->transport = build_copy(b, b->keep, v->text);
	}
}

/* limits - those that stand in a pool or in one of its addresses */
static const struct limit **
limits(struct build *b, enum level level, const struct pool *pool,
    const struct node *node, size_t *n, struct problems *problems)
{
	struct merging m = { .b = b, .problems = problems };
	struct scope scope = { .level = level, .at = node->at,
	    .arena = b->work, .pool = level == LEVEL_ADDRESS ? pool : NULL };
	const struct limit **all;

	compile_drafts(b, &scope, node->child, problems);
	merge_scope(&m, &scope);
	merge_finish(&m);
	all = build_alloc(b, b->keep, m.nall, sizeof(*all));
	*n = 0;
	for (size_t i = 0; all != NULL && i < m.nall; i++)
		if (m.all[i].limit != NULL)
			all[(*n)++] = m.all[i].limit;
	return all;
}

/* address_text - in its shortest form; false: it is none */
static bool
address_text(struct build *b, const struct value *title,
    struct pool_address *a, struct problems *problems)
{
	char text[INET6_ADDRSTRLEN];
	unsigned char bytes[16];
	struct quoted q;
	int family = memchr(title->text.p, ':', title->text.n) != NULL ?
	    AF_INET6 : AF_INET;

	if (inet_pton(family, title->text.p, bytes) != 1 ||
	    inet_ntop(family, bytes, text, sizeof(text)) == NULL) {
		problem_error(problems, title->at, "%s is not an IP address",
		    text_quote(title->text, &q));
		a->address = build_copy(b, b->keep, title->text);
		return false;
	}
	a->address = build_copy(b, b->keep, slice_of(text));
	a->id = hash_id("address", a->address);
	return true;
}

/* address - one of a pool */
static void
address(struct build *b, const struct node *node, struct pool_address *a,
    struct problems *problems)
{
	unsigned errors = problems->errors;

	a->at = node->at;
	(void)address_text(b, &node->titles[0], a, problems);
	keyword_duplicates(node->child, problems);
	for (struct node *n = node->child; n != NULL; n = n->next) {
		const struct keyword *row = words_check(n, IN_ADDRESS,
		    problems);

		if (row != NULL && row->type != KEYWORD_BLOCK)
			address_set(b, a, row, n, problems);
	}
	a->limits = limits(b, LEVEL_ADDRESS, a->pool, node, &a->nlimits,
	    problems);
	for (size_t i = 0; i < a->nlimits; i++)
		if (a->limits[i]->warmup != NULL)
			a->warmup = a->limits[i]->warmup;
	if (a->transport.n == 0 && problems->errors == errors)
		problem_error(problems, node->at, "address \"%.*s\" has no "
		    "transport: the name of its service in master.cf",
		    SLICE_ARG(a->address));
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

/* share - "google = 60": one line of the block */
static void
share(struct build *b, const struct node *n, struct pool_share *s,
    struct problems *problems)
{
	struct quoted q;
	struct why why;
	int64_t percent;

	*s = (struct pool_share){ .at = n->at,
	    .to = provider_find(n->name),
	    .to_text = build_copy(b, b->keep, n->name) };
	if (n->type != NODE_SETTING) {
		problem_error(problems, n->at, "share: expected a provider and "
		    "its percent, such as google = 60");
		return;
	}
	if (s->to == 0)
		problem_error(problems, n->at, "share: unknown provider %s%s",
		    text_quote(n->name, &q), build_provider(b, n->name));
	if (s->to == (provider_set)1 << PROVIDER_UNRESOLVED)
		problem_error(problems, n->at, "share: nobody knows the "
		    "provider of such recipients yet; they count against the "
		    "address alone");
	if (n->value.type != VALUE_NUMBER || scan_count(n->value.text, 1, 100,
	    &percent, &why) == -1)
		problem_error(problems, n->value.at, "share: expected a "
		    "percentage from 1 to 100, as google = 60, found %s",
		    text_quote(n->value.text, &q));
	else
		s->percent = (int)percent;
}

/* shares - the block of a pool */
static void
shares(struct build *b, struct pool *p, const struct node *node,
    struct problems *problems)
{
	struct pool_share *all;
	size_t n = 0;

	keyword_duplicates(node->child, problems);
	for (const struct node *c = node->child; c != NULL; c = c->next)
		n++;
	if (n > SHARES_MAX) {
		problem_error(problems, node->at, "share names more than %d "
		    "providers", SHARES_MAX);
		return;
	}
	if ((all = build_alloc(b, b->keep, n, sizeof(*all))) == NULL)
		return;
	for (const struct node *c = node->child; c != NULL; c = c->next)
		share(b, c, &all[p->nshares++], problems);
	p->shares = all;
}

/* pool_set - one setting of a pool */
static void
pool_set(struct pool *p, const struct keyword *row, const struct node *n,
    struct problems *problems)
{
	const struct value *v = &n->value;
	struct why why;

	switch (row->id) {
	case WORD_TIMEZONE:
		p->zone_at = n->at;
		if (zone_find(v->text.p, &p->zone, &why) == -1)
			problem_error(problems, v->at, "timezone: %s",
			    why.text);
		break;
	case WORD_SELECT:
		p->select_at = n->at;
		p->select = (enum select)choice_index(row, v);
		break;
	case WORD_FAIR:
		p->fair_at = n->at;
		p->fair = (enum fair)choice_index(row, v);
		break;
	case WORD_OTHER_PATH:
		p->other_path_at = n->at;
		p->other_path = (enum other_path)choice_index(row, v);
		break;
	case WORD_OVERFLOW:		/* pools_settle, when all are known */
		p->overflow_at = n->at;
		break;
	default:
		break;
	}
}

/* addresses - of a pool */
static void
addresses(struct build *b, struct pool *p, const struct node *node,
    struct problems *problems)
{
	struct pool_address *a;
	size_t n = 0;

	for (struct node *c = node->child; c != NULL; c = c->next)
		n += slice_is(c->name, "address");
	p->addresses = build_alloc(b, b->keep, n, sizeof(*p->addresses));
	if (p->addresses == NULL)
		return;
	for (struct node *c = node->child; c != NULL; c = c->next) {
		if (c->type != NODE_BLOCK || c->ntitles != 1 ||
		    !slice_is(c->name, "address"))
			continue;
		a = &p->addresses[p->naddresses++];
		a->pool = p;
		address(b, c, a, problems);
		once(b, "address", a->address, a, problems);
		once(b, "transport", a->transport, a, problems);
		for (unsigned k = 0; a->transport.n > 0 &&
		    k < provider_count(); k++)
			if (egress_divides(a, k))
				once(b, "transport", slice_of(build_printf(b,
				    b->work, "%.*s-%s", SLICE_ARG(a->transport),
				    provider_name(k))), a, problems);
	}
	if (n == 0)
		problem_warn(problems, node->at, "pool \"%.*s\" has no "
		    "address: nothing could leave by it", SLICE_ARG(p->name));
}

/* selectable - can its transports stand where select puts them? */
static void
selectable(const struct pool *p, struct problems *problems)
{
	if (p->select == SELECT_NONE && p->naddresses > 1)
		problem_warn(problems, p->addresses[1].at, "pool \"%.*s\" has "
		    "several addresses and no select: Postfix is not told "
		    "which one the gate counted; write select = \"sender\" or "
		    "\"header\"", SLICE_ARG(p->name));
	for (size_t i = 0; p->select == SELECT_SENDER && i < p->naddresses;
	    i++) {
		const struct pool_address *a = &p->addresses[i];

		if (a->transport.n > EGRESS_TRANSPORT)
			problem_error(problems, a->transport_at, "transport: "
			    "\"%.*s\" is longer than the %d letters that fit "
			    "into a return path (select = \"sender\")",
			    SLICE_ARG(a->transport), EGRESS_TRANSPORT);
		else if (memchr(a->transport.p != NULL ? a->transport.p : "",
		    '.', a->transport.n) != NULL)
			problem_error(problems, a->transport_at, "transport: "
			    "\"%.*s\" has a dot, which ends it in a return "
			    "path (select = \"sender\")",
			    SLICE_ARG(a->transport));
	}
}

/* compile_pool - addresses that belong together */
void
compile_pool(struct build *b, const struct node *node,
    struct problems *problems)
{
	struct pool *p = build_alloc(b, b->keep, 1, sizeof(*p));

	if (p == NULL || !build_name(node, &p->name, problems))
		return;
	p->name = build_copy(b, b->keep, p->name);
	p->id = hash_id("pool", p->name);
	p->at = node->at;
	enter(b, b->pools, p->name, p);
	keyword_duplicates(node->child, problems);
	for (struct node *c = node->child; c != NULL; c = c->next) {
		const struct keyword *row = words_check(c, IN_POOL, problems);

		if (row == NULL)
			continue;
		if (row->id == WORD_SHARE)
			shares(b, p, c, problems);
		else if (row->type != KEYWORD_BLOCK)
			pool_set(p, row, c, problems);
	}
	addresses(b, p, node, problems);
	p->limits = limits(b, LEVEL_POOL, p, node, &p->nlimits, problems);
	selectable(p, problems);
	check_warmups(b, p, problems);
}

/* overflow - the pool that a setting names */
static void
overflow(struct build *b, struct pool *p, const struct value *v,
    struct problems *problems)
{
	struct pool *to = map_get(b->pools, v->text);
	char near[128];
	struct quoted q;

	if (to == NULL) {
		problem_error(problems, v->at, "overflow: there is no pool "
		    "%s%s", text_quote(v->text, &q), build_nearest(b->pools,
		    v->text, near, sizeof(near)));
		return;
	}
	if (to == p) {
		problem_error(problems, v->at, "overflow: a pool does not flow "
		    "over into itself; leave the line out");
		return;
	}
	p->overflow = to;
	if (to->overflow_at.file != NULL)
		problem_warn(problems, v->at, "overflow: pool \"%.*s\" has an "
		    "overflow of its own, which mail that comes from here does "
		    "not take", SLICE_ARG(to->name));
}

/* compile_pools - what needs all pools and the whole main file */
void
compile_pools(struct build *b, struct problems *problems)
{
	for (const struct node *n = b->tree; n != NULL; n = n->next) {
		struct pool *p = n->type == NODE_BLOCK && n->ntitles == 1 &&
		    slice_is(n->name, "pool") ? map_get(b->pools,
		    n->titles[0].text) : NULL;

		if (p == NULL)
			continue;
		if (p->zone == NULL)
			p->zone = b->policy->zone;
		for (const struct node *c = n->child; c != NULL; c = c->next)
			if (c->type == NODE_SETTING && c->value.text.p !=
			    NULL && c->at.line == p->overflow_at.line &&
			    c->at.col == p->overflow_at.col &&
			    c->at.file == p->overflow_at.file)
				overflow(b, p, &c->value, problems);
	}
}
