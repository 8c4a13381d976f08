/*
 * token - AES-256-SIV around (tenant, list, recipient).
 *
 * Long form, before base64url:
 *
 *	 +0	u8	version, 1	\ in the clear, authenticated: the one
 *	 +1	u8	key number	/ associated datum of S2V
 *	 +2	16	synthetic IV, which is the authenticator
 *	+18	u64	tenant	\
 *	+26	u64	list	 } encrypted
 *	+34	...	recipient /
 *
 * Short form, before base32:
 *
 *	 +0	u8	version, 1
 *	 +1	u8	key number
 *	 +2	u64	id
 *	+10	10	first bytes of the synthetic IV of the id, with version,
 *			key number and the letter 's' as associated datum
 *
 * SIV, because the same words must give the same token (a message that is
 * delivered twice carries one link) without a nonce that could be used twice,
 * and because S2V is a pseudo-random function: cut to 80 bits it is still an
 * authenticator, so the short form needs no second key.  A forger has 2^-80 per
 * try, and each try is a request or a mail.
 *
 * OpenSSL 3.0 keeps state of an SIV context across messages and forgets the
 * associated data on reuse, so each call makes and initialises a context of
 * its own; the cipher itself is fetched once.  Such a context is the only
 * memory that does not come from the arena.
 *
 * A text that cannot be one of ours goes through a decryption all the same,
 * that of zeros: whoever measures the answer learns nothing about where it
 * failed.  The comparison of the authenticator is OpenSSL's CRYPTO_memcmp.
 *
 * Not chosen: HMAC behind AES-CTR (two keys, a nonce, 16 bytes more); a day of
 * issue in the token (deterministic no longer; old mail must keep working).
 */
#include "lib/token.h"

#include <errno.h>
#include <stdio.h>
#include <sys/random.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "lib/hash.h"
#include "lib/log.h"
#include "lib/token_in.h"

enum {
	VERSION = 1,
	HEAD = 2,			/* version, key number */
	TAG = 16,
	IDS = 16,			/* tenant, list */
	SHORT_ID = 8,
	SHORT_TAG = 10,
	SHORT_RAW = HEAD + SHORT_ID + SHORT_TAG,
	RAW_MAX = HEAD + TAG + IDS + TOKEN_RECIPIENT_MAX,
	EXIT_SOFTWARE_ERROR = 70
};

_Static_assert((RAW_MAX * 8 + 5) / 6 == TOKEN_MAX, "room for the longest");
_Static_assert(SHORT_RAW * 8 == TOKEN_SHORT * 5, "no unused bits");

/* siv - the cipher, found once */
static const EVP_CIPHER *
siv(void)
{
	static EVP_CIPHER *cipher;
	EVP_CIPHER *found, *none = NULL;

	found = __atomic_load_n(&cipher, __ATOMIC_ACQUIRE);
	if (found != NULL)
		return found;
	if ((found = EVP_CIPHER_fetch(NULL, "AES-256-SIV", NULL)) == NULL)
		log_fatal(EXIT_SOFTWARE_ERROR, "OpenSSL has no AES-256-SIV");
	if (!__atomic_compare_exchange_n(&cipher, &none, found, false,
	    __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
		EVP_CIPHER_free(found);
		return none;
	}
	return found;
}

/* put64 - least byte first */
static void
put64(uint8_t *out, uint64_t v)
{
	for (int i = 0; i < 8; i++)
		out[i] = (uint8_t)(v >> (8 * i));
}

/* get64 - the same back */
static uint64_t
get64(const uint8_t *in)
{
	uint64_t v = 0;

	for (int i = 7; i >= 0; i--)
		v = v << 8 | in[i];
	return v;
}

/* failed - OpenSSL had no memory, for nothing else can go wrong here */
static int
failed(struct why *why)
{
	ERR_clear_error();
	return why_kind(why, WHY_MEMORY, "no memory for a token");
}

/* seal - encrypt n bytes, and the synthetic IV of them and of aad */
static int
seal(const uint8_t *key, const uint8_t *aad, int naad, const uint8_t *in,
    int n, uint8_t *out, uint8_t tag[TAG])
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int len, rc = -1;

	if (ctx != NULL &&
	    EVP_EncryptInit_ex2(ctx, siv(), key, NULL, NULL) == 1 &&
	    EVP_EncryptUpdate(ctx, NULL, &len, aad, naad) == 1 &&
	    EVP_EncryptUpdate(ctx, out, &len, in, n) == 1 && len == n &&
	    EVP_EncryptFinal_ex(ctx, out + n, &len) == 1 &&
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG, tag) == 1)
		rc = 0;
	EVP_CIPHER_CTX_free(ctx);
	return rc;
}

/* open_sealed - 1 genuine, 0 not, -1 OpenSSL could not even try */
static int
open_sealed(const uint8_t *key, const uint8_t *aad, int naad,
    const uint8_t *in, int n, uint8_t *out, uint8_t tag[TAG])
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int len, rc = -1;

	if (ctx == NULL ||
	    EVP_DecryptInit_ex2(ctx, siv(), key, NULL, NULL) != 1 ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG, tag) != 1 ||
	    EVP_DecryptUpdate(ctx, NULL, &len, aad, naad) != 1)
		goto out;
	rc = EVP_DecryptUpdate(ctx, out, &len, in, n) == 1 && len == n &&
	    EVP_DecryptFinal_ex(ctx, out + n, &len) == 1;
	if (rc == 0)
		OPENSSL_cleanse(out, (size_t)n);
out:
	ERR_clear_error();
	EVP_CIPHER_CTX_free(ctx);
	return rc;
}

/* token_list - streams of two tenants may have one name; lists may not */
uint64_t
token_list(struct slice tenant, struct slice stream)
{
	char name[160];
	int n = snprintf(name, sizeof(name), "%.*s/%.*s", SLICE_ARG(tenant),
	    SLICE_ARG(stream));

	/* names have at most 64 bytes (lib/keyword.h) */
	if (n < 0 || (size_t)n >= sizeof(name))
		n = sizeof(name) - 1;
	return hash_id("list", (struct slice){ name, (size_t)n });
}

/* token_make - with the newest key */
int
token_make(const struct token_ring *ring, struct token *t,
    struct arena *arena, struct slice *text, struct why *why)
{
	uint8_t raw[RAW_MAX], plain[IDS + TOKEN_RECIPIENT_MAX];
	size_t n = IDS + t->recipient.n;
	char *out;

	if (t->recipient.n == 0)
		return why_set(why, "a token needs a recipient");
	if (t->recipient.n > TOKEN_RECIPIENT_MAX)
		return why_set(why, "the recipient has %zu bytes; a token "
		    "holds at most %d", t->recipient.n, TOKEN_RECIPIENT_MAX);
	t->version = raw[0] = VERSION;
	t->key = raw[1] = ring->newest;
	put64(plain, t->tenant);
	put64(plain + 8, t->list);
	memcpy(plain + IDS, t->recipient.p, t->recipient.n);
	out = arena_alloc(arena, ((HEAD + TAG + n) * 8 + 5) / 6 + 1);
	if (out == NULL || seal(ring->key[ring->newest].bytes, raw, HEAD,
	    plain, (int)n, raw + HEAD + TAG, raw + HEAD) == -1)
		return failed(why);
	*text = (struct slice){ out, token_base64(raw, HEAD + TAG + n, out) };
	return 0;
}

/* key_of - that of a number; the newest for the sake of time when wrong */
static const uint8_t *
key_of(const struct token_ring *ring, const uint8_t *head, bool *known)
{
	*known = head[0] == VERSION && ring->key[head[1]].there;
	return ring->key[*known ? head[1] : ring->newest].bytes;
}

/* token_read - what we made, and nothing else */
int
token_read(const struct token_ring *ring, struct slice text,
    struct arena *arena, struct token *t, struct why *why)
{
	uint8_t raw[RAW_MAX + 4] = { 0 }, plain[RAW_MAX];
	long n = token_unbase64(text, raw, sizeof(raw));
	bool known, sized = n > HEAD + TAG + IDS && n <= RAW_MAX;
	const uint8_t *key = key_of(ring, raw, &known);
	int len = sized ? (int)n - HEAD - TAG : IDS + 24, got;

	got = open_sealed(key, raw, HEAD, raw + HEAD + TAG, len, plain,
	    raw + HEAD);
	if (got == -1)
		return failed(why);
	if (got == 0 || !known || !sized)
		return 0;
	t->version = raw[0];
	t->key = raw[1];
	t->tenant = get64(plain);
	t->list = get64(plain + 8);
	t->recipient = arena_copy(arena, (struct slice){ (char *)plain + IDS,
	    (size_t)len - IDS });
	return t->recipient.p != NULL ? 1 : failed(why);
}

/* short_tag - the authenticator of version, key number and id */
static int
short_tag(const uint8_t *key, const uint8_t *raw, uint8_t tag[TAG])
{
	const uint8_t aad[HEAD + 1] = { raw[0], raw[1], 's' };
	uint8_t sealed[SHORT_ID];

	return seal(key, aad, sizeof(aad), raw + HEAD, SHORT_ID, sealed, tag);
}

/* token_short_make - with the newest key */
int
token_short_make(const struct token_ring *ring, struct token_short *t,
    char out[TOKEN_SHORT + 1], struct why *why)
{
	uint8_t raw[SHORT_RAW], tag[TAG];

	raw[0] = VERSION;
	t->key = raw[1] = ring->newest;
	put64(raw + HEAD, t->id);
	if (short_tag(ring->key[ring->newest].bytes, raw, tag) == -1)
		return failed(why);
	memcpy(raw + HEAD + SHORT_ID, tag, SHORT_TAG);
	token_base32(raw, SHORT_RAW, out);
	out[TOKEN_SHORT] = '\0';
	return 0;
}

/* token_short_read - in whatever case it came back */
int
token_short_read(const struct token_ring *ring, struct slice text,
    struct token_short *t, struct why *why)
{
	uint8_t raw[SHORT_RAW] = { 0 }, tag[TAG];
	bool good = text.n == TOKEN_SHORT && token_unbase32(text, raw), known;
	const uint8_t *key = key_of(ring, raw, &known);

	if (short_tag(key, raw, tag) == -1)
		return failed(why);
	if (CRYPTO_memcmp(tag, raw + HEAD + SHORT_ID, SHORT_TAG) != 0 ||
	    !good || !known)
		return 0;
	t->key = raw[1];
	t->id = get64(raw + HEAD);
	return 1;
}

/* token_short_id - 64 bits that nobody can foresee */
int
token_short_id(uint64_t *id, struct why *why)
{
	ssize_t got;

	do
		got = getrandom(id, sizeof(*id), 0);
	while (got == -1 && errno == EINTR);
	return got == (ssize_t)sizeof(*id) ? 0 :
	    why_errno(why, "no random numbers from the kernel");
}
