/*
 * whose - which counter of a limit that counts apart: "login=ops
 * provider=google", as people and the desk write it.
 *
 * Words apart by one space, name=value, names as in `per`; a value has no space
 * and no control byte.  Of a sender "<>" is the null sender.
 * Threads: any.
 */
#ifndef POLICY_WHOSE_H
#define POLICY_WHOSE_H

#include "policy/decide.h"

/* The values that may be named. */
#define WHOSE_PER	(PER_LOGIN | PER_SENDER | PER_SENDER_DOMAIN | \
			PER_PROVIDER | PER_RECIPIENT_DOMAIN)

/* One more value, folded as the gate counts it; the arena keeps it. Action. */
int	whose_set(struct decide_facts *, unsigned per, struct slice value,
	    struct arena *, struct why *);
unsigned whose_said(const struct decide_facts *);	/* PER_* */
/* In the arena; p NULL without memory, n 0 when nothing was said. */
struct slice whose_print(const struct decide_facts *, struct arena *);
/* Sets facts to what the text says and nothing else. Action. */
int	whose_scan(struct slice, struct decide_facts *, struct arena *,
	    struct why *);

#endif
