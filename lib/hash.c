/*
 * hash - SHA-256 comes from OpenSSL, fetched once, since a fetch per call
 * costs more than the hash of a short name.  SipHash-2-4 is written out here
 * (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012): OpenSSL's
 * EVP_MAC needs two allocations a call, and counter keys are made on the path
 * of every message.
 */
#include "lib/hash.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "lib/log.h"

enum { EXIT_SOFTWARE_ERROR = 70 };

struct hash_sha256_ctx {
	EVP_MD_CTX	*md;
};

/* sha256 - the algorithm, found once */
static const EVP_MD *
sha256(void)
{
	static EVP_MD *md;
	EVP_MD *found, *none = NULL;

	found = __atomic_load_n(&md, __ATOMIC_ACQUIRE);
	if (found != NULL)
		return found;
	if ((found = EVP_MD_fetch(NULL, "SHA256", NULL)) == NULL)
		log_fatal(EXIT_SOFTWARE_ERROR, "OpenSSL has no SHA-256");
	if (!__atomic_compare_exchange_n(&md, &none, found, false,
	    __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
		EVP_MD_free(found);
		return none;
	}
	return found;
}

/* hash_sha256 - of one run of bytes */
void
hash_sha256(const void *p, size_t n, uint8_t out[HASH_SHA256])
{
	if (EVP_Digest(p, n, out, NULL, sha256(), NULL) != 1)
		log_fatal(EXIT_SOFTWARE_ERROR, "SHA-256 failed");
}

/* hash_sha256_new - for several runs of bytes */
struct hash_sha256_ctx *
hash_sha256_new(void)
{
	struct hash_sha256_ctx *ctx = NULL;

	if ((ctx = malloc(sizeof(*ctx))) == NULL)
		return NULL;
	if ((ctx->md = EVP_MD_CTX_new()) == NULL) {
		free(ctx);
		return NULL;
	}
	hash_sha256_reset(ctx);
	return ctx;
}

/* hash_sha256_reset - from the beginning */
void
hash_sha256_reset(struct hash_sha256_ctx *ctx)
{
	if (EVP_DigestInit_ex2(ctx->md, sha256(), NULL) != 1)
		log_fatal(EXIT_SOFTWARE_ERROR, "SHA-256 failed");
}

/* hash_sha256_add - more bytes */
void
hash_sha256_add(struct hash_sha256_ctx *ctx, const void *p, size_t n)
{
	if (EVP_DigestUpdate(ctx->md, p, n) != 1)
		log_fatal(EXIT_SOFTWARE_ERROR, "SHA-256 failed");
}

/* hash_sha256_end - the sum; reset before using it again */
void
hash_sha256_end(struct hash_sha256_ctx *ctx, uint8_t out[HASH_SHA256])
{
	if (EVP_DigestFinal_ex(ctx->md, out, NULL) != 1)
		log_fatal(EXIT_SOFTWARE_ERROR, "SHA-256 failed");
}

/* hash_sha256_free - NULL allowed */
void
hash_sha256_free(struct hash_sha256_ctx *ctx)
{
	if (ctx == NULL)
		return;
	EVP_MD_CTX_free(ctx->md);
	free(ctx);
}

/* hash_id - the id of a named thing that stays when everything else changes */
uint64_t
hash_id(const char *kind, struct slice name)
{
	struct hash_sha256_ctx *ctx = hash_sha256_new();
	uint8_t sum[HASH_SHA256];
	uint64_t id = 0;

	if (ctx == NULL)
		log_fatal(EXIT_SOFTWARE_ERROR, "out of memory");
	hash_sha256_add(ctx, kind, strlen(kind) + 1);
	hash_sha256_add(ctx, name.p, name.n);
	hash_sha256_end(ctx, sum);
	hash_sha256_free(ctx);
	for (int i = 0; i < 8; i++)
		id = id << 8 | sum[i];
	return id;
}

#define ROTL(x, b)	((x) << (b) | (x) >> (64 - (b)))

struct sip {
	uint64_t	v0, v1, v2, v3;
};

/* sip_round - mix once */
static inline void
sip_round(struct sip *s)
{
	s->v0 += s->v1;
	s->v1 = ROTL(s->v1, 13) ^ s->v0;
	s->v0 = ROTL(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = ROTL(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = ROTL(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = ROTL(s->v1, 17) ^ s->v2;
	s->v2 = ROTL(s->v2, 32);
}

/* sip_two - the rounds of a word */
static inline void
sip_two(struct sip *s)
{
	sip_round(s);
	sip_round(s);
}

/* sip_four - the rounds of the end */
static inline void
sip_four(struct sip *s)
{
	sip_two(s);
	sip_two(s);
}

/* le64 - eight bytes, least first */
static inline uint64_t
le64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

/* sip_absorb - all of the input, as the paper pads it */
static void
sip_absorb(struct sip *out, uint64_t k0, uint64_t k1, const uint8_t *p,
    size_t n)
{
	uint64_t last = (uint64_t)n << 56;
	size_t whole = n / 8;
	struct sip copy = *out, *s = &copy;	/* in registers */

	s->v0 = k0 ^ UINT64_C(0x736f6d6570736575);
	s->v1 ^= k1 ^ UINT64_C(0x646f72616e646f6d);
	s->v2 = k0 ^ UINT64_C(0x6c7967656e657261);
	s->v3 = k1 ^ UINT64_C(0x7465646279746573);
	for (; whole > 0; whole--, p += 8) {
		uint64_t m = le64(p);

		s->v3 ^= m;
		sip_two(s);
		s->v0 ^= m;
	}
	for (size_t i = 0; i < n % 8; i++)
		last |= (uint64_t)p[i] << (8 * i);
	s->v3 ^= last;
	sip_two(s);
	s->v0 ^= last;
	*out = copy;
}

/* hash_64 - SipHash-2-4 under a seed */
uint64_t
hash_64(uint64_t seed, const void *p, size_t n)
{
	struct sip s = { 0, 0, 0, 0 };

	sip_absorb(&s, seed, ~seed, p, n);
	s.v2 ^= 0xff;
	sip_four(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

/* hash_128 - SipHash-2-4 with 128 bits out, under the paper's key 00..0f */
void
hash_128(const void *p, size_t n, uint8_t out[16])
{
	struct sip s = { 0, 0xee, 0, 0 };
	uint64_t half;

	sip_absorb(&s, UINT64_C(0x0706050403020100),
	    UINT64_C(0x0f0e0d0c0b0a0908), p, n);
	s.v2 ^= 0xee;
	sip_four(&s);
	half = s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
	for (int i = 0; i < 8; i++)
		out[i] = (uint8_t)(half >> (8 * i));
	s.v1 ^= 0xdd;
	sip_four(&s);
	half = s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
	for (int i = 0; i < 8; i++)
		out[8 + i] = (uint8_t)(half >> (8 * i));
}

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* base64_len - characters for n bytes (RFC 4648, section 4) */
size_t
base64_len(size_t n)
{
	return (n + 2) / 3 * 4;
}

/* base64_encode - with padding, without line breaks */
size_t
base64_encode(const void *in, size_t n, char *out)
{
	const uint8_t *p = in;
	char *o = out;

	for (; n > 0; p += 3) {
		size_t take = n < 3 ? n : 3;
		uint32_t v = (uint32_t)p[0] << 16 |
		    (take > 1 ? (uint32_t)p[1] << 8 : 0) |
		    (take > 2 ? p[2] : 0);

		*o++ = alphabet[v >> 18];
		*o++ = alphabet[v >> 12 & 63];
		*o++ = take > 1 ? alphabet[v >> 6 & 63] : '=';
		*o++ = take > 2 ? alphabet[v & 63] : '=';
		n -= take;
	}
	return (size_t)(o - out);
}

/* base64_decode - bytes written, -1 when it is not base64 */
long
base64_decode(struct slice in, uint8_t *out)
{
	uint32_t v = 0;
	unsigned have = 0, pad = 0;
	long n = 0;

	for (size_t i = 0; i < in.n; i++) {
		const char *at;
		char c = in.p[i];

		if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
			continue;
		if (c == '=') {
			pad++;
			continue;
		}
		if (pad > 0 || c == '\0' || (at = strchr(alphabet, c)) == NULL)
			return -1;
		v = v << 6 | (uint32_t)(at - alphabet);
		if (++have == 4) {
			out[n++] = (uint8_t)(v >> 16);
			out[n++] = (uint8_t)(v >> 8);
			out[n++] = (uint8_t)v;
			have = 0;
			v = 0;
		}
	}
	if (have == 1 || (have > 0 && have + pad != 4) || (have == 0 && pad))
		return -1;
	if (have >= 2)
		out[n++] = (uint8_t)(v >> (6 * have - 8));
	if (have == 3)
		out[n++] = (uint8_t)(v >> 2);
	return n;
}
