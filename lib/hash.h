/*
 * hash - SHA-256 (OpenSSL), stable 64- and 128-bit ids, and base64.
 *
 * hash_id is the durable id of a named thing: first 8 bytes of
 * SHA-256(kind, 0x00, name).  hash_128 is SipHash-2-4-128 with a fixed public
 * key: durable, quick, for counter keys; not for secrets.
 * Threads: any.
 */
#ifndef LIB_HASH_H
#define LIB_HASH_H

#include <stddef.h>
#include <stdint.h>
#include "lib/slice.h"

#define HASH_SHA256	32

void	 hash_sha256(const void *, size_t, uint8_t out[HASH_SHA256]);
struct hash_sha256_ctx;				/* streaming */
struct hash_sha256_ctx *hash_sha256_new(void);	/* NULL: no memory */
void	 hash_sha256_reset(struct hash_sha256_ctx *);
void	 hash_sha256_add(struct hash_sha256_ctx *, const void *, size_t);
void	 hash_sha256_end(struct hash_sha256_ctx *, uint8_t out[HASH_SHA256]);
void	 hash_sha256_free(struct hash_sha256_ctx *);

uint64_t hash_id(const char *kind, struct slice name);
void	 hash_128(const void *, size_t, uint8_t out[16]);
uint64_t hash_64(uint64_t seed, const void *, size_t);	/* in-memory tables */

size_t	 base64_len(size_t n);			/* without NUL */
size_t	 base64_encode(const void *, size_t, char *out); /* no NUL; returns len */
/* Strict, ignores white space; -1 on a foreign byte. out holds n*3/4+3. */
long	 base64_decode(struct slice, uint8_t *out);

#endif
