/*
 * letter - the token in a mail to the unsubscribe address.
 *
 * Mail programs make such a mail from mailto:unsubscribe@...?subject=TOKEN, or
 * of an address that holds the token behind a "+".  Nothing but the recipient
 * and the Subject is looked at.
 * Threads: any.
 */
#ifndef TOOLS_UNSUBSCRIBE_LETTER_H
#define TOOLS_UNSUBSCRIBE_LETTER_H

#include "lib/token.h"

#define LETTER_SUBJECT	2048		/* bytes of it that are looked at */

/* Fetch: 0 there is no token of ours. */
int	letter_token(const struct token_ring *, struct slice recipient,
	    struct slice message, struct arena *, struct token *,
	    struct why *);
/* The first Subject, unfolded and decoded; how many bytes. */
size_t	letter_subject(struct slice message, char out[LETTER_SUBJECT]);

#endif
