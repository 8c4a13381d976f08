/*
 * postal - does a text part of the message have the sender's postal address
 * (15 USC 7704)?  It is looked for, never put in.
 *
 * The body is seen in any chunking and never kept.  Looked at are text parts,
 * in the message or in its multiparts, behind their transfer encoding; white
 * space of any length is one blank, case is folded in ASCII, in HTML a tag is
 * white space and character references are read.  Latin-1 is read as UTF-8.
 * Bounded: eight multiparts in one another, 4 KiB of a part's head; what is
 * beyond is not looked at, so an address in there is not found.
 * Memory: the arena, once.  Threads: one at a time.
 */
#ifndef POLICY_POSTAL_H
#define POLICY_POSTAL_H

#include "lib/mem.h"
#include "policy/decide.h"

#define POSTAL_MOST	300	/* bytes of an address, folded */

struct postal_search;

/* The address as it is compared; n 0 when nothing is left of it; in the
 * arena, p NULL without memory. */
struct slice postal_fold(struct arena *, struct slice address);
/* For that message: its stream has an address, it is bulk, and somebody
 * elsewhere gets it.  *out NULL: nothing is to be looked for. Action. */
int	postal_begin(struct postal_search **out, const struct mail *,
	    const struct header_fact *, size_t n, struct why *);
void	postal_add(struct postal_search *, const void *, size_t n);
bool	postal_found(struct postal_search *);	/* no more comes */
/* It was not: recorded, deferred or refused. */
enum verdict postal_missing(struct mail *, struct answer *);

#endif
