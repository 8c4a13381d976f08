/*
 * net - networks of addresses.
 *
 * One hash table of (family, prefix, masked address); a look-up tries each
 * prefix length that exists, longest first.  Policies have a handful of
 * lengths, so this is two or three probes; a trie would be more code and, at
 * 100,000 networks, more memory.
 */
#include "policy/net.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "lib/text.h"

static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

/* ip_of - the address of a client, IPv4 mapped into IPv6 */
void
ip_of(const struct sockaddr *sa, struct ip *ip)
{
	memset(ip, 0, sizeof(*ip));
	if (sa == NULL)
		return;
	if (sa->sa_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, sa, sizeof(in));
		memcpy(ip->b, mapped, sizeof(mapped));
		memcpy(ip->b + 12, &in.sin_addr, 4);
		ip->known = true;
	} else if (sa->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;

		memcpy(&in6, sa, sizeof(in6));
		memcpy(ip->b, &in6.sin6_addr, 16);
		ip->known = true;
	}
}

/* ip_is_v4 - is it an IPv4 address in IPv6's clothes? */
static bool
ip_is_v4(const uint8_t b[16])
{
	return memcmp(b, mapped, sizeof(mapped)) == 0;
}

/* ip_print - as people write it; "unknown" for none */
char *
ip_print(const struct ip *ip, char out[INET6_ADDRSTRLEN])
{
	bool v4 = ip_is_v4(ip->b);

	if (!ip->known || inet_ntop(v4 ? AF_INET : AF_INET6,
	    v4 ? ip->b + 12 : ip->b, out, INET6_ADDRSTRLEN) == NULL)
		snprintf(out, INET6_ADDRSTRLEN, "unknown");
	return out;
}

/* mask - clear the bits behind a prefix; were any set? */
static bool
mask(uint8_t b[16], unsigned bits)
{
	bool some = false;

	for (unsigned i = bits; i < 128; i++) {
		uint8_t bit = (uint8_t)(0x80 >> i % 8);

		some = some || (b[i / 8] & bit) != 0;
		b[i / 8] &= (uint8_t)~bit;
	}
	return some;
}

/* prefix - the number behind the slash; -1: none, or more than most */
static int
prefix(struct slice s, unsigned most)
{
	unsigned n = 0;

	if (s.n == 0 || s.n > 3)
		return -1;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return -1;
		n = n * 10 + (unsigned)(s.p[i] - '0');
	}
	return n <= most && (s.n == 1 || s.p[0] != '0') ? (int)n : -1;
}

/* net_scan - an address or a network, with no bit set behind the prefix */
int
net_scan(struct slice text, struct net_key *key, struct why *why)
{
	const char *slash = memchr(text.p, '/', text.n);
	size_t n = slash != NULL ? (size_t)(slash - text.p) : text.n;
	char address[INET6_ADDRSTRLEN], net[NET_TEXT];
	struct quoted q;
	int bits;

	memset(key, 0, sizeof(*key));
	if (n < sizeof(address)) {
		memcpy(address, text.p, n);
		address[n] = '\0';
	}
	if (n >= sizeof(address) || memchr(address, '\0', n) != NULL)
		goto not_one;
	if (inet_pton(AF_INET, address, key->b + 12) == 1) {
		memcpy(key->b, mapped, sizeof(mapped));
		key->family = 4;
	} else if (inet_pton(AF_INET6, address, key->b) == 1) {
		key->family = 6;
	} else {
		goto not_one;
	}
	bits = key->family == 4 ? 32 : 128;
	if (slash != NULL && (bits = prefix(slice_from(text, n + 1),
	    (unsigned)bits)) == -1)
		return why_set(why, "%s: the number behind \"/\" must be 0 to "
		    "%d", text_quote(text, &q), key->family == 4 ? 32 : 128);
	if (key->family == 6 && bits >= 96 && ip_is_v4(key->b)) {
		key->family = 4;
		bits -= 96;
	}
	key->bits = (uint8_t)bits;
	if (mask(key->b, (unsigned)bits + (key->family == 4 ? 96 : 0)))
		return why_set(why, "%s is an address in a network, not the "
		    "network; write \"%s\", or \"%s\" for the one address",
		    text_quote(text, &q), net_print(key, net), address);
	return 0;
not_one:
	return why_set(why, "%s is not an IP address or network "
	    "(as \"192.0.2.7\", \"10.1.0.0/16\", \"2001:db8::/32\")",
	    text_quote(text, &q));
}

/* net_print - as people write it; without the prefix when it is one address */
char *
net_print(const struct net_key *key, char out[NET_TEXT])
{
	struct ip ip = { .known = true };
	char address[INET6_ADDRSTRLEN];

	memcpy(ip.b, key->b, sizeof(ip.b));
	ip_print(&ip, address);
	if (key->bits == (key->family == 4 ? 32 : 128))
		snprintf(out, NET_TEXT, "%s", address);
	else
		snprintf(out, NET_TEXT, "%s/%u", address, key->bits);
	return out;
}

/* net_slice - the bytes of the key */
struct slice
net_slice(const struct net_key *key)
{
	return (struct slice){ (const char *)key, sizeof(*key) };
}

/* nets_ready - which prefixes there are, longest first */
void
nets_ready(struct nets *nets)
{
	bool v4[33] = { false }, v6[129] = { false };
	struct slice text;
	size_t at = 0;

	while (map_next(nets->map, &at, &text, NULL)) {
		struct net_key key;

		memcpy(&key, text.p, sizeof(key));
		if (key.family == 4)
			v4[key.bits] = true;
		else
			v6[key.bits] = true;
	}
	nets->nv4 = nets->nv6 = 0;
	for (int i = 32; i >= 0; i--)
		if (v4[i])
			nets->v4[nets->nv4++] = (uint8_t)i;
	for (int i = 128; i >= 0; i--)
		if (v6[i])
			nets->v6[nets->nv6++] = (uint8_t)i;
}

/* nets_find - the longest prefix wins */
void *
nets_find(const struct nets *nets, const struct ip *ip)
{
	struct net_key key;
	const uint8_t *bits;
	size_t n;

	if (!ip->known || nets->map == NULL)
		return NULL;
	key.family = ip_is_v4(ip->b) ? 4 : 6;
	bits = key.family == 4 ? nets->v4 : nets->v6;
	n = key.family == 4 ? nets->nv4 : nets->nv6;
	memcpy(key.b, ip->b, sizeof(key.b));
	for (size_t i = 0; i < n; i++) {
		void *found;

		key.bits = bits[i];
		mask(key.b, key.bits + (key.family == 4 ? 96u : 0u));
		found = map_get(nets->map, net_slice(&key));
		if (found != NULL)
			return found;
	}
	return NULL;
}
