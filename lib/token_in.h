/*
 * token_in - what the files of token share; nobody else includes it.
 *
 * token_ring.c: the file of keys.  token_text.c: base64url and base32.
 * token.c: the tokens.
 */
#ifndef LIB_TOKEN_IN_H
#define LIB_TOKEN_IN_H

#include <sys/stat.h>
#include "lib/token.h"

#define TOKEN_KEY	64		/* bytes: two keys of AES-256 */

struct token_key {
	bool	there;
	uint8_t	bytes[TOKEN_KEY];
};

struct token_ring {
	char		*path;
	struct stat	 file;		/* what was read */
	size_t		 keys;
	uint8_t		 newest;
	struct token_key key[TOKEN_KEYS_MAX + 1];	/* by number, from 1 */
};

/* base64url without padding (RFC 4648, section 5); returns the length. */
size_t	 token_base64(const uint8_t *, size_t n, char *out);
/* Only what token_base64 writes; -1 for any other text or one over room. */
long	 token_unbase64(struct slice, uint8_t *out, size_t room);
/* base32 in lower case; n is a multiple of 5 (no rest, no padding). */
void	 token_base32(const uint8_t *, size_t n, char *out);
/* Either case; text.n is a multiple of 8. false: some other character. */
bool	 token_unbase32(struct slice, uint8_t *out);

#endif
