/*
 * sign - RFC 6376 relaxed/relaxed signatures (RFC 8301, RFC 8463), streaming.
 *
 * One body hash for all signatures of a message.  The body is seen in any
 * chunking and never kept.  h= takes each header of the set in sign.c, bottom
 * up, and oversigns the ones that must not be added later.  No l=, no x=.
 * The caller gives the headers as they will stand when the message leaves.
 * Memory: the arena of the message.  Threads: one at a time per signer.
 */
#ifndef LIB_SIGN_H
#define LIB_SIGN_H

#include <stdint.h>
#include "lib/key.h"
#include "lib/mem.h"
#include "lib/slice.h"
#include "lib/why.h"

struct sign_header {		/* as the MTA shows it; folds are \n or \r\n */
	struct slice	name;	/* trailing white space is not part of it */
	struct slice	value;
};

struct sign_identity {
	struct slice	domain;		/* d= */
	struct slice	selector;	/* s= */
	const struct key *key;		/* borrowed until sign_finish */
};

struct signer;

/* A signer is reused for message after message of a session. */
struct signer	*sign_new(void);	/* NULL: no memory */
void	 sign_free(struct signer *);
/* Starts the body hash. Action. */
int	 sign_begin(struct signer *, struct why *);
int	 sign_body(struct signer *, const void *, size_t, struct why *);
/* Bytes that one field of that name adds to h=; 0: it is not signed. */
size_t	 sign_names(struct slice name);
/* So many all in all: libopendkim does not verify an h= of 5,000 bytes. */
#define SIGN_NAMES_MOST	3500
/* True when a line of the body, or after sign_finish of a signed header, had
 * more than 998 bytes: relays break it, and the signature with it. */
int	 sign_long_lines(const struct signer *);
/*
 * One value per identity for a header named DKIM-Signature, folded with
 * "\n\t", without a leading space, in the arena. time: seconds since 1970.
 */
int	 sign_finish(struct signer *, struct arena *,
	    const struct sign_header *, size_t nheaders,
	    const struct sign_identity *, size_t n, int64_t time,
	    struct slice *values, struct why *);

#endif
