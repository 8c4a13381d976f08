/*
 * domain - what relays teach.
 *
 * The row of a domain is written when its provider changes, and once a day at
 * most otherwise; a day is counted by the lines' own time.  The last few
 * thousand domains are kept in memory.
 */
#include "reputation/domain.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "lib/provider.h"
#include "reputation/outcome_in.h"

enum { KEPT = 4096, DOMAIN_MOST = 253 };

struct known {
	unsigned	provider;	/* learned; PROVIDER_UNRESOLVED: not */
	bool		listed;		/* on the list: nothing to learn */
	int64_t		first, last;	/* us */
	uint64_t	count;
};

struct domains {
	struct outcomes	*o;
	struct map	*map;		/* domain -> struct known */
	struct arena	*arena;
	char		 low[DOMAIN_MOST + 1];
};

/* domains_new - nothing known yet */
struct domains *
domains_new(struct outcomes *o)
{
	struct domains *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return NULL;
	d->o = o;
	if ((d->map = map_new()) == NULL ||
	    (d->arena = arena_new(65536, 0)) == NULL) {
		domains_free(d);
		return NULL;
	}
	return d;
}

/* domains_free - NULL is allowed */
void
domains_free(struct domains *d)
{
	if (d == NULL)
		return;
	map_free(d->map);
	arena_free(d->arena);
	free(d);
}

/* domains_forget - the store knows it all */
void
domains_forget(struct domains *d)
{
	struct map *fresh = map_new();

	if (fresh == NULL)
		return;		/* what is kept stays true */
	map_free(d->map);
	d->map = fresh;
	arena_reset(d->arena);
}

/* is_private - an address that is in nobody's DNS */
static bool
is_private(struct slice text)
{
	uint8_t a[16];
	char s[64];

	if (slice_starts(text, SLICE("IPv6:")))
		text = slice_from(text, 5);
	if (text.n == 0 || text.n >= sizeof(s))
		return true;
	memcpy(s, text.p, text.n);
	s[text.n] = '\0';
	if (inet_pton(AF_INET, s, a) == 1)
		return a[0] == 10 || a[0] == 127 || a[0] == 0 ||
		    (a[0] == 172 && (a[1] & 0xf0) == 16) ||
		    (a[0] == 192 && a[1] == 168) ||
		    (a[0] == 169 && a[1] == 254) ||
		    (a[0] == 100 && (a[1] & 0xc0) == 64);
	if (inet_pton(AF_INET6, s, a) == 1)
		return (a[0] & 0xfe) == 0xfc || (a[0] == 0xfe &&
		    (a[1] & 0xc0) == 0x80) || (memcmp(a, "\0\0\0\0\0\0\0\0\0"
		    "\0\0\0\0\0\0", 15) == 0 && a[15] <= 1);
	return true;
}

/* is_ours - a next hop by its host, or by host and port */
static bool
is_ours(const struct join_rules *rules, struct slice host, struct slice port)
{
	for (size_t i = 0; i < rules->nrelays; i++) {
		struct slice hop = rules->relays[i];

		if (slice_case_eq(hop, host))
			return true;
		if (hop.n == host.n + 1 + port.n && hop.p[host.n] == ':' &&
		    slice_case_eq((struct slice){ hop.p, host.n }, host) &&
		    slice_eq(slice_from(hop, host.n + 1), port))
			return true;
	}
	return false;
}

/* parts - "host[address]:port", the last two in whatever form */
static bool
parts(struct slice relay, struct slice *host, struct slice *address,
    struct slice *port)
{
	const char *open = memchr(relay.n > 0 ? relay.p : "", '[', relay.n);
	const char *close;

	if (open == NULL || open == relay.p || (close = memchr(open, ']',
	    relay.n - (size_t)(open - relay.p))) == NULL)
		return false;
	*host = (struct slice){ relay.p, (size_t)(open - relay.p) };
	*address = (struct slice){ open + 1, (size_t)(close - open - 1) };
	*port = slice_from(relay, (size_t)(close + 1 - relay.p));
	if (port->n > 0 && port->p[0] == ':')
		*port = slice_from(*port, 1);
	return true;
}

/* domain_ours - is that a next hop of ours? */
bool
domain_ours(const struct join_rules *rules, struct slice relay)
{
	struct slice host, address, port;

	return parts(relay, &host, &address, &port) &&
	    is_ours(rules, host, port);
}

/* domain_relay - "host[address]:port" of somebody else */
bool
domain_relay(const struct join_rules *rules, struct slice relay,
    struct slice *host)
{
	struct slice address, port;

	if (!parts(relay, host, &address, &port))
		return false;
	/* no name: smtp(8) was told an address, or DNS has none for it */
	return !is_private(address) && !is_ours(rules, *host, port) &&
	    memchr(host->p, '.', host->n) != NULL &&
	    !slice_eq(*host, address);
}

/* lower - the domain of an address; empty: it has none that could be one */
static struct slice
lower(struct domains *d, struct slice address)
{
	const char *at = memrchr(address.n > 0 ? address.p : "", '@',
	    address.n);
	struct slice domain = SLICE("");

	if (at == NULL)
		return domain;
	domain = slice_from(address, (size_t)(at + 1 - address.p));
	if (domain.n > DOMAIN_MOST)
		return SLICE("");
	for (size_t i = 0; i < domain.n; i++)
		d->low[i] = domain.p[i] >= 'A' && domain.p[i] <= 'Z' ?
		    (char)(domain.p[i] | 0x20) : domain.p[i];
	return (struct slice){ d->low, domain.n };
}

/* find - what is known of a domain, from memory or from the store */
static struct known *
find(struct domains *d, struct slice domain, struct why *why)
{
	struct known *k = map_get(d->map, domain);
	struct slice kept;
	struct learned l;
	int got;

	if (k != NULL)
		return k;
	if (map_count(d->map) >= KEPT)
		domains_forget(d);
	k = arena_alloc(d->arena, sizeof(*k));
	kept = arena_copy(d->arena, domain);
	if (k == NULL || kept.p == NULL || map_set(d->map, kept, k) == -1) {
		why_kind(why, WHY_MEMORY, "no memory for a domain");
		(void)outcome_fail(d->o, why);
		return NULL;
	}
	k->provider = provider_of(domain);
	k->listed = k->provider != PROVIDER_UNRESOLVED;
	if (k->listed)
		return k;
	if ((got = outcome_known_domain(d->o, domain, &l, why)) == -1)
		return NULL;
	if (got == 1) {
		k->first = l.first;
		k->last = l.last;
		k->count = l.count;
		for (unsigned i = 0; i < provider_count(); i++)
			if (slice_is(l.provider, provider_name(i)))
				k->provider = i;
	}
	return k;
}

/* learn - the host that answered for it */
static int
learn(struct domains *d, struct slice domain, struct known *k,
    struct slice host, int64_t time, struct why *why)
{
	unsigned provider = provider_of_mx(host);
	struct learned l = { .domain = domain, .relay = host };

	if (time < k->last || (provider == k->provider && k->count > 0 &&
	    time / OUTCOME_DAY == k->last / OUTCOME_DAY))
		return 0;
	if (k->count == 0)
		k->first = time;
	k->provider = provider;
	k->last = time;
	k->count++;
	l.provider = slice_of(provider_name(provider));
	l.first = k->first;
	l.last = k->last;
	l.count = k->count;
	return outcome_learn(d->o, &l, why);
}

/* domains_of - of a recipient, and what its line teaches */
int
domains_of(struct domains *d, const struct join_rules *rules,
    const struct logline *l, struct outcome *x, struct why *why)
{
	struct slice host;
	struct known *k;

	x->domain = lower(d, x->recipient);
	x->provider = slice_of(provider_name(PROVIDER_UNRESOLVED));
	if (x->domain.n == 0)
		return 0;
	if ((k = find(d, x->domain, why)) == NULL)
		return -1;
	if (!k->listed && domain_relay(rules, l->relay, &host) &&
	    learn(d, x->domain, k, host, l->time, why) == -1)
		return -1;
	x->provider = slice_of(provider_name(k->provider));
	return 0;
}
