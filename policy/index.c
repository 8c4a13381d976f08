/*
 * index - who owns a login, a client, a domain.
 *
 * Hash tables from text to the stake of its holder.  "*.x" and "*@.x" are
 * stored as ".x", so that going up from a domain to its parents is moving a
 * pointer to the next dot: no copy, no allocation.  One tenant costs one entry
 * per login and domain; a trie of labels would cost more and answer no faster.
 */
#include "policy/index.h"

#include <stdio.h>
#include <string.h>

#define DOMAIN_MAX	LOGIN_DOMAIN_MAX

/* found - the tenant of a stake, and the line that says so */
static const struct tenant *
found(const struct stake *s, struct place *rule)
{
	if (s == NULL)
		return NULL;
	if (rule != NULL)
		*rule = s->at;
	return s->tenant;
}

/* index_above - the entry of x itself, or of the nearest ".parent" */
struct stake *
index_above(const struct map *map, struct slice domain)
{
	struct stake *s = map_get(map, domain);
	const char *dot;

	while (s == NULL && domain.n > 1 &&
	    (dot = memchr(domain.p + 1, '.', domain.n - 1)) != NULL) {
		domain = slice_from(domain, (size_t)(dot - domain.p));
		s = map_get(map, domain);
	}
	return s;
}

/* login_domain - the part behind the last @, folded into out; n 0: none */
struct slice
login_domain(struct slice login, char out[LOGIN_DOMAIN_MAX])
{
	const char *at = memrchr(login.p, '@', login.n);
	struct slice domain;

	if (at == NULL)
		return SLICE("");
	domain = slice_from(login, (size_t)(at - login.p) + 1);
	if (domain.n == 0 || domain.n > DOMAIN_MAX || domain.p[0] == '.')
		return SLICE("");
	for (size_t i = 0; i < domain.n; i++)
		out[i] = domain.p[i] >= 'A' && domain.p[i] <= 'Z' ?
		    (char)(domain.p[i] | 0x20) : domain.p[i];
	return (struct slice){ out, domain.n };
}

/* above - the parent of a domain as ".x"; n 0: there is none */
static struct slice
above(struct slice domain)
{
	const char *dot = domain.n > 1 ? memchr(domain.p + 1, '.',
	    domain.n - 1) : NULL;

	return dot == NULL ? SLICE("") : slice_from(domain,
	    (size_t)(dot - domain.p));
}

/* policy_by_login - exact, then its domain, then the domains above */
const struct tenant *
policy_by_login(const struct policy *p, struct slice login,
    struct place *rule)
{
	const struct policy_index *index = p->index;
	char folded[DOMAIN_MAX];
	struct tenant *t = NULL;
	const struct stake *s;
	struct slice domain;

	if (login.p == NULL || login.n == 0)
		return NULL;
	if ((s = map_get(index->logins, login)) != NULL)
		return found(s, rule);
	if (login_map_find(index->login_map, login, false, &t, NULL, rule))
		return t;
	for (domain = login_domain(login, folded); domain.n > 0;
	    domain = above(domain)) {
		if ((s = map_get(index->login_domains, domain)) != NULL)
			return found(s, rule);
		if (login_map_find(index->login_map, domain, true, &t, NULL,
		    rule))
			return t;
	}
	return NULL;
}

/* policy_login_mapped - by itself, by its domain, or by one above */
bool
policy_login_mapped(const struct policy *p, struct slice login)
{
	const struct login_map *m = p->index->login_map;
	char folded[DOMAIN_MAX];
	struct slice domain;

	if (login_map_find(m, login, false, NULL, NULL, NULL))
		return true;
	for (domain = login_domain(login, folded); domain.n > 0;
	    domain = above(domain))
		if (login_map_find(m, domain, true, NULL, NULL, NULL))
			return true;
	return false;
}

/* policy_by_client - the longest prefix that holds the address */
const struct tenant *
policy_by_client(const struct policy *p, const struct ip *ip,
    struct place *rule)
{
	return found(nets_find(&p->index->clients, ip), rule);
}

/* policy_by_domain - itself, then "*." of its parents, nearest first */
const struct tenant *
policy_by_domain(const struct policy *p, struct slice domain,
    struct place *rule)
{
	if (domain.p == NULL || domain.n == 0 || domain.p[0] == '.')
		return NULL;
	return found(index_above(p->index->domains, domain), rule);
}

/* policy_owns - may this tenant speak for that domain? */
bool
policy_owns(const struct policy *p, const struct tenant *t,
    struct slice domain, bool bounce)
{
	const struct stake *s;

	if (domain.p == NULL || domain.n == 0)
		return false;
	if (t->automatic)
		return slice_eq(domain, t->name);
	/* A bounce domain is exact and so nearer than anybody's "*.". */
	if (bounce && (s = map_get(p->index->bounces, domain)) != NULL)
		return s->tenant == t;
	return policy_by_domain(p, domain, NULL) == t;
}

/* policy_trusts - is it a client whose From names the tenant? */
bool
policy_trusts(const struct policy *p, const struct ip *ip)
{
	return p->trusted && nets_find(&p->index->trusted, ip) != NULL;
}

/* index_holder - the path of the file that holds it, NULL when nobody does */
const char *
index_holder(const struct policy *p, enum stake_kind kind, struct slice text)
{
	const struct policy_index *index = p->index;
	const struct map *map = kind == STAKE_LOGIN ? index->logins :
	    kind == STAKE_LOGIN_DOMAIN ? index->login_domains :
	    kind == STAKE_DOMAIN ? index->domains :
	    kind == STAKE_BOUNCE ? index->bounces :
	    kind == STAKE_CLIENT ? index->clients.map : NULL;
	const struct tenant *t;
	const struct stake *s;

	if (kind == STAKE_TENANT) {
		t = policy_tenant(p, text);
		return t != NULL && t->form != FORM_BROKEN ?
		    index->units[t->unit].path : NULL;
	}
	if ((kind == STAKE_LOGIN || kind == STAKE_LOGIN_DOMAIN) &&
	    login_map_find(index->login_map, text, kind != STAKE_LOGIN, NULL,
	    NULL, NULL))
		return index->units[0].path;
	s = map != NULL ? map_get(map, text) : NULL;
	if (s == NULL || index->units[s->unit].form == FORM_BROKEN)
		return NULL;
	return index->units[s->unit].path;
}

/* stake_print - the text of a stake as it is written in a file */
static struct slice
stake_print(const struct stake *s, char *out, size_t n)
{
	bool star = s->text.n > 0 && s->text.p[0] == '.';
	struct net_key key;
	char net[NET_TEXT];

	switch ((enum stake_kind)s->kind) {
	case STAKE_LOGIN_DOMAIN:
		snprintf(out, n, "*@%.*s", SLICE_ARG(s->text));
		break;
	case STAKE_CLIENT:
		memcpy(&key, s->text.p, sizeof(key));
		snprintf(out, n, "%s", net_print(&key, net));
		break;
	default:
		snprintf(out, n, "%s%.*s", star ? "*" : "",
		    SLICE_ARG(s->text));
		break;
	}
	return slice_of(out);
}

struct lines {
	void	(*call)(void *, const char *, struct slice, struct place);
	void	*with;
};

/* line_name - a line of a login map is one of its logins */
static void
line_name(void *with, struct slice text, struct place at)
{
	const struct lines *to = with;

	to->call(to->with, "logins", text, at);
}

/* policy_names - what a tenant is known by */
void
policy_names(const struct policy *p, const struct tenant *t,
    void (*call)(void *, const char *, struct slice, struct place),
    void *with)
{
	const struct policy_index *index = p->index;
	const struct map *maps[] = { index->logins, index->login_domains,
	    index->clients.map, index->domains, index->bounces };
	static const char *const words[] = { "logins", "logins", "clients",
	    "domains", "bounce_domain" };
	char text[DOMAIN_MAX + 8];

	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
		size_t at = 0;
		void *value;

		while (map_next(maps[i], &at, NULL, &value)) {
			const struct stake *s = value;

			if (s->tenant == t)
				call(with, words[i], i == 0 ? s->text :
				    stake_print(s, text, sizeof(text)), s->at);
		}
	}
	login_map_each(index->login_map, t, line_name,
	    &(struct lines){ call, with });
}

/* policy_claims - whose each of them is */
void
policy_claims(const struct policy *p,
    void (*call)(void *, const struct tenant *, const char *), void *with)
{
	const struct map *maps[] = { p->index->logins,
	    p->index->login_domains, p->index->clients.map };
	static const char *const words[] = { "logins", "logins", "clients" };

	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
		size_t at = 0;
		void *value;

		while (map_next(maps[i], &at, NULL, &value)) {
			const struct stake *s = value;

			if (s->tenant != NULL)
				call(with, s->tenant, words[i]);
		}
	}
}

/* index_free - the tables; what they point to is the policy's arena */
void
index_free(struct policy_index *index)
{
	if (index == NULL)
		return;
	map_free(index->logins);
	map_free(index->login_domains);
	map_free(index->domains);
	map_free(index->bounces);
	map_free(index->clients.map);
	map_free(index->trusted.map);
	map_free(index->claim_logins);
	map_free(index->claim_domains);
	map_free(index->claim_clients.map);
	map_free(index->withheld);
	login_map_free(index->login_map);
}
