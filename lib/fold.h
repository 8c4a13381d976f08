/*
 * fold - the many ways of writing an address, folded to the one that a
 * suppression list is asked for.
 *
 * Domain: IDNA (A-label), lower case.  Local part: lower case, and what its
 * provider is known to ignore (conf/folding.conf, compiled in, versioned).
 * The key is 16 bytes of SHA-256, the same in all stores; it hides an address
 * from a glance, not from somebody who guesses.  Not for mail: an address that
 * was folded is never written to.
 * Threads: any after fold_init.
 */
#ifndef LIB_FOLD_H
#define LIB_FOLD_H

#include <stdint.h>
#include "lib/address.h"

#define FOLD_HASH	16
#define FOLD_MAX	512	/* a local part of 255, "@", a domain of 253 */

struct folded {
	uint8_t	hash[FOLD_HASH];
	size_t	n;
	char	text[FOLD_MAX];		/* what was hashed */
};

/* Reads the rules. Before threads; a second call does nothing. Action. */
int	 fold_init(struct why *);
unsigned fold_version(void);		/* of the rules */
/* A mailbox as lib/address reads it. Allocates nothing, cannot fail. */
void	 fold_mailbox(const struct mailbox *, struct folded *);
/* As a person or a list writes it: white space or "<>" around it, a domain in
 * any script. *mailbox, which may be NULL, lives in the arena. Action. */
int	 fold_text(struct slice, struct arena *, struct mailbox *,
	    struct folded *, struct why *);

#endif
