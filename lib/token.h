/*
 * token - who may stop what: (tenant, list, recipient) as text that nobody else
 * can make or read.
 *
 * The long form stands in List-Unsubscribe: AES-256-SIV (RFC 5297), so it is
 * opaque, needs no table, and the same words always give the same token.
 * The short form stands in return paths and CFBL-Feedback-ID: a random id that
 * the gate's index resolves, and an authenticator, in base32 of any case.
 * A list is what one presses "unsubscribe" for: a stream of a tenant, see
 * token_list(); 0 is all mail of the tenant.
 *
 * Not a secret to be kept from its recipient, and no proof of anything but
 * that we made it: forwarded mail carries its token with it.
 * Keys come from one file (token_ring.c): the highest number makes, all verify.
 * Threads: any once loaded; a ring is immutable.
 */
#ifndef LIB_TOKEN_H
#define LIB_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/mem.h"
#include "lib/slice.h"
#include "lib/why.h"

#define TOKEN_RECIPIENT_MAX	320	/* bytes, as lib/address has it */
#define TOKEN_MAX		472	/* characters of the longest; 131 for an
					   address of 64 */
#define TOKEN_SHORT		32	/* characters of every short one */
#define TOKEN_KEYS_MAX		255

struct token_ring;

struct token {
	uint8_t		version;	/* filled by both; 1 */
	uint8_t		key;		/* number of the key; filled by both */
	uint64_t	tenant;		/* hash_id("tenant", name) */
	uint64_t	list;		/* token_list(); 0: all of the tenant */
	struct slice	recipient;	/* local@domain */
};

struct token_short {
	uint8_t		key;
	uint64_t	id;		/* what the gate's index knows */
};

/* The file is judged like a DKIM key (lib/key.h). Action. */
int	token_ring_load(struct token_ring **, const char *path, struct why *);
void	token_ring_free(struct token_ring *);		/* NULL allowed */
/* Is another file there now than the one that was loaded? */
bool	token_ring_changed(const struct token_ring *);
/* The number of the key that makes, and how many verify. */
uint8_t	token_ring_newest(const struct token_ring *, size_t *keys);
/* A new file, or the old one with one key more, written beside it and renamed
 * into place; owner, group and mode stay, a new one is 0600. Action. */
int	token_ring_add(const char *path, uint8_t *number, struct why *);

/* The durable id of a tenant's stream as a list: hash_id("list",
 * "tenant/stream"), unlike the id of the stream alone. */
uint64_t token_list(struct slice tenant, struct slice stream);

/* The text lives in the arena, with a NUL behind. Fails for an address that is
 * empty or longer than TOKEN_RECIPIENT_MAX, and without memory. Action. */
int	token_make(const struct token_ring *, struct token *, struct arena *,
	    struct slice *text, struct why *);
/* Fetch: 0 for all that we did not make, which takes the same steps whatever
 * is wrong with it; recipient lives in the arena. */
int	token_read(const struct token_ring *, struct slice text,
	    struct arena *, struct token *, struct why *);

/* out: TOKEN_SHORT characters a-z2-7 and a NUL. Action. */
int	token_short_make(const struct token_ring *, struct token_short *,
	    char out[TOKEN_SHORT + 1], struct why *);
/* Fetch: as token_read. */
int	token_short_read(const struct token_ring *, struct slice text,
	    struct token_short *, struct why *);
/*
 * Return paths carry it: "b+TOKEN@domain", or "b.TRANSPORT.TOKEN@domain" where
 * Postfix looks its transport up by them.  The token in the local part of such
 * a path, with or without its domain; p NULL: it is none.  Question.
 */
struct slice token_in_path(struct slice path);
/* A fresh id for token_short_make, from the kernel. Action. */
int	token_short_id(uint64_t *, struct why *);

#endif
