/*
 * compile_pool - the addresses that mail may leave by.
 *
 * An address and a transport belong to one pool each: Postfix binds a
 * transport to one address, and warmup will be counted by address.
 */
#include "policy/build.h"

#include <arpa/inet.h>

#include "lib/text.h"

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

/* compile_pool - addresses that belong together */
void
compile_pool(struct build *b, const struct node *node,
    struct problems *problems)
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
