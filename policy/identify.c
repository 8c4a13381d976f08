/*
 * identify - tenants that are found in other ways than by their own block:
 * named in a header by somebody who may, or made of the domain of a login.
 *
 * An automatic tenant is a copy of one that was composed when the policy was
 * loaded, with a name and one domain; its streams and limits are that one's.
 * Two logins of a domain make the same tenant twice, which is one to all that
 * goes by its id: counters, orders, events.
 *
 * Whatever stands in a file wins: a domain that some tenant holds, or that is
 * in a login map, makes none, so that no login speaks for it beside those that
 * its tenant names.  A domain that can be read in a file with mistakes makes
 * none either: its tenant is there, and not in force yet.
 */
#include "policy/policy.h"

#include "lib/keyword.h"
#include "policy/index.h"

/* policy_claim - by login; the network does not help a login */
const struct claimer *
policy_claim(const struct policy *p, struct slice login, const struct ip *ip)
{
	const struct policy_index *index = p->index;
	char folded[LOGIN_DOMAIN_MAX];
	const struct claim_line *line;
	struct slice domain;

	if (login.p == NULL || login.n == 0) {
		line = ip != NULL ? nets_find(&index->claim_clients, ip) :
		    NULL;
		return line != NULL ? line->by : NULL;
	}
	if ((line = map_get(index->claim_logins, login)) != NULL)
		return line->by;
	domain = login_domain(login, folded);
	while (domain.n > 0) {
		const char *dot;

		if ((line = map_get(index->claim_domains, domain)) != NULL)
			return line->by;
		dot = domain.n > 1 ? memchr(domain.p + 1, '.', domain.n - 1) :
		    NULL;
		if (dot == NULL)
			break;
		domain = slice_from(domain, (size_t)(dot - domain.p));
	}
	return NULL;
}

/* policy_claimed - may it name that one? */
const struct tenant *
policy_claimed(const struct policy *p, const struct claimer *by,
    struct slice name)
{
	size_t i = 0;

	if (name.p == NULL)
		return NULL;
	name = slice_trim(name);
	while (i < by->ntenants && !slice_eq(by->tenants[i], name))
		i++;
	if (by->ntenants > 0 && i == by->ntenants)
		return NULL;
	return policy_tenant(p, name);
}

/* excepted - is it one of the domains that become no tenant? */
static bool
excepted(const struct policy *p, struct slice domain)
{
	for (size_t i = 0; i < p->nexcept; i++) {
		struct slice own = p->except[i];

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

/* below - is it "bounce.*"?  Then what stands before the domain */
static bool
below(const struct policy *p, struct slice *prefix)
{
	*prefix = p->automatic->bounce_domain;
	return prefix->n > 0 && prefix->p[--prefix->n] == '*';
}

/* is_bounces - "bounce.x.example": where x.example's bounces come back to */
static bool
is_bounces(const struct policy *p, struct slice domain)
{
	struct slice prefix;

	return below(p, &prefix) && slice_starts(domain, prefix) &&
	    memchr(domain.p + prefix.n, '.', domain.n - prefix.n) != NULL;
}

/* bounces_of - where its bounces come back to: nowhere if somebody has that
 * domain, or it is too long */
static int
bounces_of(const struct policy *p, struct slice domain, struct arena *arena,
    struct slice *out)
{
	struct slice prefix, text;

	*out = p->automatic->bounce_domain;
	if (!below(p, &prefix))
		return 0;
	*out = SLICE_NONE;
	if (prefix.n + domain.n > LOGIN_DOMAIN_MAX)
		return 0;
	text = slice_of(arena_printf(arena, "%.*s%.*s", SLICE_ARG(prefix),
	    SLICE_ARG(domain)));
	if (text.p == NULL)
		return -1;
	if (policy_by_domain(p, text, NULL) == NULL &&
	    map_get(p->index->bounces, text) == NULL &&
	    index_above(p->index->withheld, text) == NULL)
		*out = text;
	return 0;
}

/* policy_auto_domain - the tenant of a domain that nobody has */
int
policy_auto_domain(const struct policy *p, struct slice text,
    struct arena *arena, const struct tenant **out)
{
	struct why why = { .kind = WHY_OTHER };
	struct slice domain, *domains;
	struct tenant *t;

	*out = NULL;
	if (p->automatic == NULL || text.p == NULL)
		return 0;
	if (address_domain(arena, text, true, &domain, &why) == -1)
		return why.kind == WHY_MEMORY ? -1 : 0;
	if (domain.n != text.n || !keyword_is_name(domain) ||
	    memchr(domain.p, '.', domain.n) == NULL || excepted(p, domain) ||
	    policy_by_domain(p, domain, NULL) != NULL ||
	    map_get(p->index->bounces, domain) != NULL ||
	    is_bounces(p, domain) ||
	    index_above(p->index->withheld, domain) != NULL ||
	    policy_tenant(p, domain) != NULL)
		return 0;
	t = arena_alloc(arena, sizeof(*t));
	domains = arena_alloc(arena, sizeof(*domains));
	if (t == NULL || domains == NULL)
		return -1;
	*t = *p->automatic;
	t->name = *domains = domain;
	t->id = hash_id("tenant", domain);
	t->domains = domains;
	t->ndomains = 1;
	if (bounces_of(p, domain, arena, &t->bounce_domain) == -1)
		return -1;
	*out = t;
	return 1;
}

/* policy_auto - of the domain of a login */
int
policy_auto(const struct policy *p, struct slice login, struct arena *arena,
    const struct tenant **out)
{
	const char *at;

	*out = NULL;
	if (p->automatic == NULL || login.p == NULL || login.n == 0 ||
	    (at = memrchr(login.p, '@', login.n)) == NULL ||
	    at == login.p || policy_login_mapped(p, login))
		return 0;
	return policy_auto_domain(p, slice_from(login,
	    (size_t)(at - login.p) + 1), arena, out);
}
