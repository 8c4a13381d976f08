/*
 * fuzz sign - any bytes as a message: two bytes that say where the body is
 * cut, header lines in LF, an empty line, the body.  However a body is cut,
 * its hash must be the same; canonical headers must stay as they are when they
 * are made canonical again; and signing must do nothing but sign.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "lib/canon.h"
#include "lib/sign.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

enum { HEADERS_MAX = 64 };

/* must - stop where the fuzzer sees it */
static void
must(bool fine)
{
	if (!fine)
		abort();
}

/* body_hash - in pieces of that size */
static void
body_hash(struct slice body, size_t piece, uint8_t *sum)
{
	struct hash_sha256_ctx *hash = hash_sha256_new();
	struct canon_body c;

	must(hash != NULL);
	canon_body_start(&c, hash);
	for (size_t at = 0; at < body.n; at += piece)
		canon_body_add(&c, body.p + at,
		    piece < body.n - at ? piece : body.n - at);
	canon_body_end(&c);
	hash_sha256_end(hash, sum);
	hash_sha256_free(hash);
}

/* header - the next line with its folds; false at the empty line */
static bool
header(struct slice *rest, struct sign_header *h)
{
	const char *end = rest->p + rest->n, *p = rest->p, *colon;

	while (p < end && (*p != '\n' || (p + 1 < end &&
	    (p[1] == ' ' || p[1] == '\t'))))
		p++;
	colon = memchr(rest->p, ':', (size_t)(p - rest->p));
	if (colon == NULL) {
		*rest = (struct slice){ p, (size_t)(end - p) };
		return false;
	}
	h->name = (struct slice){ rest->p, (size_t)(colon - rest->p) };
	h->value = (struct slice){ colon + 1, (size_t)(p - colon - 1) };
	p += p < end;
	*rest = (struct slice){ p, (size_t)(end - p) };
	return true;
}

/* same_again - canonical is what canonicalisation leaves alone */
static void
same_again(const struct sign_header *h)
{
	char *once = malloc(h->name.n + h->value.n + 1), *twice, *colon;
	size_t n = canon_header(h->name, h->value, once), m;

	twice = malloc(n);
	must((colon = memchr(once, ':', n)) != NULL);
	m = canon_header((struct slice){ once, (size_t)(colon - once) },
	    (struct slice){ colon + 1, (size_t)(once + n - colon - 1) },
	    twice);
	must(n == m && memcmp(once, twice, n) == 0);
	free(once);
	free(twice);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct arena *arena;
	static struct signer *signer;
	static struct key key = { .type = KEY_ED25519 };
	static const unsigned char seed[32] = { 1 };
	struct sign_header headers[HEADERS_MAX];
	struct sign_identity id = { SLICE("a.example"), SLICE("s"), &key };
	struct slice rest = { (const char *)data + 2, n - 2 }, value;
	uint8_t whole[HASH_SHA256], cut[HASH_SHA256];
	size_t nheaders = 0;
	struct why why;

	if (n < 2)
		return 0;
	if (arena == NULL) {
		must((arena = arena_new(1 << 16, 0)) != NULL);
		must((signer = sign_new()) != NULL);
		key.pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL,
		    seed, sizeof(seed));
		must(key.pkey != NULL);
	}
	arena_reset(arena);
	while (nheaders < HEADERS_MAX && header(&rest, &headers[nheaders]))
		same_again(&headers[nheaders++]);
	body_hash(rest, rest.n > 0 ? rest.n : 1, whole);
	body_hash(rest, 1, cut);
	must(memcmp(whole, cut, sizeof(cut)) == 0);
	body_hash(rest, 1u + data[0] + 256u * data[1], cut);
	must(memcmp(whole, cut, sizeof(cut)) == 0);
	must(sign_begin(signer, &why) == 0);
	must(sign_body(signer, rest.p, rest.n, &why) == 0);
	if (sign_finish(signer, arena, headers, nheaders, &id, 1, 1, &value,
	    &why) == 0)
		must(value.n > 200 && memchr(value.p, '\r', value.n) == NULL);
	return 0;
}
