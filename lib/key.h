/*
 * key - DKIM private keys: found, judged, parsed once, kept.
 *
 * A key is a PEM file (PKCS#8 or PKCS#1), RSA of 2048 bits or more (1024 to
 * 2047: a warning, less: refused) or Ed25519, a regular file, readable by
 * nobody but its owner (mode & 077 == 0; or root's with 0640 and our own
 * group, where root, who checks for the service, takes any group but its
 * own), in a folder that not everybody may write.  key_stat looks only; parsing
 * happens in key_get or ahead of traffic by the cache's own thread.
 * The cache keeps the 4,096 most recently used; a parsed key is read-only and
 * reference-counted.
 * Threads: any.
 */
#ifndef LIB_KEY_H
#define LIB_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include "lib/slice.h"
#include "lib/why.h"

struct evp_pkey_st;			/* OpenSSL's EVP_PKEY */

enum key_type { KEY_RSA, KEY_ED25519 };
extern const char *const key_algorithms[];	/* "rsa-sha256", "ed25519-sha256" */

struct key {				/* owned by the cache; key_release it */
	enum key_type		 type;
	int			 bits;
	struct evp_pkey_st	*pkey;
};

struct key_cache;

/* keep: keys held parsed (0: 4096). */
struct key_cache *key_cache_new(size_t keep);
void	key_cache_free(struct key_cache *);
/* Regular, owner-only, not empty, not huge. Action. */
int	key_stat(const char *path, struct why *);
/* The bytes of a file that key_stat lets pass: for keys of other kinds
 * (lib/token_ring.c). Fewer than room, or it fails. Action. */
int	key_read(const char *path, char *out, size_t room, size_t *n,
	    struct stat *, struct why *);
/* Parse and judge one file without a cache; *warning may be set. Action. */
int	key_judge(const char *path, enum key_type *, int *bits,
	    const char **warning, struct why *);
/* The same for the cache: key->pkey is the caller's (EVP_PKEY_free), *st is
 * the file that was read. A failure of kind WHY_MEMORY may pass by itself,
 * any other lasts as long as the file. Action. */
int	key_parse(const char *path, struct key *, struct stat *st,
	    struct why *);
/* The parsed key of that file, from the cache or read now. Action. A file
 * whose identity (inode, mtime, size) changed since parsing is read anew only
 * after key_cache_refresh. */
int	key_get(struct key_cache *, const char *path, const struct key **,
	    struct why *);
void	key_release(struct key_cache *, const struct key *);
/* After a reload: forget keys whose files changed. */
void	key_cache_refresh(struct key_cache *);
/* Ask the background thread to parse ahead; path is copied. */
void	key_prefetch(struct key_cache *, const char *path);
/* DNS text of the public half, "v=DKIM1; k=rsa; p=...". Action. */
int	key_record(const struct key *, char *out, size_t, struct why *);

#endif
