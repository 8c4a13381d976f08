/*
 * address - what an address is: SMTP paths (RFC 5321) and header fields
 * (RFC 5322), read so that nobody is fooled.
 *
 * Strict where it decides who speaks: a domain is LDH labels, or A-labels; an
 * 8-bit or otherwise strange one is "not parsed" and the caller refuses.  So
 * is all that two receivers may read in two ways (address_list.c lists it).
 * Display names and comments are text, never an address.  Group syntax is
 * read, its members count.  Encoded words are text.  Time is linear in input.
 * Ownership: results live in the arena given.  Threads: any.
 */
#ifndef LIB_ADDRESS_H
#define LIB_ADDRESS_H

#include <stdbool.h>
#include "lib/mem.h"
#include "lib/slice.h"
#include "lib/why.h"

struct mailbox {
	struct slice	local;		/* unquoted */
	struct slice	domain;		/* lower case, no trailing dot */
	struct slice	text;		/* local@domain as canonical text */
};

struct mailboxes {
	struct mailbox	*list;
	size_t		 n;
};

#define ADDRESS_MAX	1000	/* mailboxes in one field; more: not parsed */

/* "<a@b>" or "a@b", libmilter's first argument of MAIL and RCPT: 1 a mailbox,
 * 0 the null path "<>", -1 not an address. A local recipient may be none
 * ("postmaster"): ask only about those that leave the house. */
int	address_path(struct arena *, struct slice, struct mailbox *,
	    struct why *);
/* mailbox-list or address-list of From, Sender, Resent-*. At least one. */
int	address_list(struct arena *, struct slice, struct mailboxes *,
	    struct why *);
/* Lower-case LDH domain of 1..253 bytes, one label or more, the last no
 * number; a final dot is dropped. U-labels are refused with a sentence that
 * asks for the A-label, whatever utf8_allowed says. */
int	address_domain(struct arena *, struct slice, bool utf8_allowed,
	    struct slice *, struct why *);

#endif
