/*
 * address_parts - what address.c (halves of an address, paths) and
 * address_list.c (header fields) share; nobody else includes it.
 */
#ifndef LIB_ADDRESS_PARTS_H
#define LIB_ADDRESS_PARTS_H

#include "lib/address.h"
#include "lib/text.h"

/* What stands there, for a sentence. */
#define SHOW(s, n) \
	text_quote((struct slice){ (s), (n) }, &(struct quoted){ "" })

/* What was read of a mailbox: bytes of the input, not yet judged. */
struct address_parts {
	struct slice	 local, domain;
	bool		 quoted;	/* the local part stood in quotes */
};

bool	 address_atext(char);		/* RFC 5322, section 3.2.3 */
/* A run of atoms, dots and 8-bit text; moves *p behind it. */
struct slice address_run(const char **p, const char *end);
bool	 address_dot_atom(struct slice);	/* single dots between atoms */
/* The mailbox in its canonical text, if both halves are good. Action. */
int	 address_make(struct arena *, const struct address_parts *,
	    struct mailbox *, struct why *);

#endif
