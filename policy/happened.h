/*
 * happened - what other programs know of a recipient, as a decision asks for
 * it: suppressed, whose mailbox, how many are final; of breakers; and of
 * providers who want less.
 *
 * Policy reads no store; milter/feedback.c and tools/live.c answer from
 * outcomes/, consent/ and desk/.  An answer costs a few look-ups in memory
 * that is mapped, and waits for nobody.
 * Threads: any at a time.
 */
#ifndef POLICY_HAPPENED_H
#define POLICY_HAPPENED_H

#include "lib/address.h"
#include "lib/happenings.h"
#include "lib/suppress.h"

struct happened {
	/* Fetch: 1 suppressed, 0 not, -1 nobody knows: the mail must wait. */
	int	 (*suppressed)(void *, const struct mailbox *,
		    const struct suppress_who *, struct suppress_hit *,
		    struct why *);
	/* The provider of a domain that no list names, as far as deliveries
	 * taught it; PROVIDER_UNRESOLVED. */
	unsigned (*provider)(void *, struct slice domain);
	/* Fetch: did the breaker of that key (trip_key) ever trip? */
	int	 (*tripped)(void *, const uint8_t key[TRIP_KEY],
		    struct trip *);
	/* Fetch: does mail of that key (backoff_key) have to wait, or go
	 * slower, then? */
	int	 (*backoff)(void *, const uint8_t key[BACKOFF_KEY],
		    const struct backoff_when *, struct backoff *);
	void	*with;
};

#endif
