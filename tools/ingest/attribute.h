/*
 * attribute - did we send that message to that recipient?
 *
 * A report is a claim of a stranger.  It is proven when it shows what only
 * somebody can show who has the message, and names a recipient to whom the
 * gate let it through: the queue id of a notice of our own Postfix, the
 * Message-ID, or a token of ours.  Everything else suppresses nobody.
 * Ownership: all lives in the arena.  Threads: one.
 */
#ifndef TOOLS_INGEST_ATTRIBUTE_H
#define TOOLS_INGEST_ATTRIBUTE_H

#include "lib/store.h"
#include "lib/token.h"
#include "reputation/outcome.h"

#define ATTRIBUTE_AGE	(INT64_C(30) * 24 * 3600 * 1000000)	/* us */

struct attribute_by {			/* borrowed */
	struct outcomes	*outcomes;
	struct store	*gate;		/* NULL: there is none */
	const struct token_ring *ring;	/* NULL: no tokens are made here */
	int64_t		 now;
};

struct claim {
	struct slice	 queue_id;	/* absent where nothing is said */
	struct slice	 returned;	/* the message, or its head */
	struct slice	 message_id;	/* of another place */
	struct slice	 recipient, original;	/* whom the report names */
	struct slice	 path;		/* the address that the report came to,
					   or MAIL FROM as it was */
	struct slice	 feedback_id;	/* a token that it bears */
};

enum proof_by { PROOF_NONE, PROOF_QUEUE_ID, PROOF_MESSAGE_ID, PROOF_TOKEN,
	PROOF_PATH };
extern const char *const proof_names[];

struct proof {
	enum proof_by	 by;
	struct event	 event;		/* of the gate; not of PROOF_TOKEN */
	const struct event_recipient *recipient;	/* in it */
	struct token	 token;		/* PROOF_TOKEN: tenant, recipient */
};

/* Fetch: 1 proven, 0 not. */
int	attribute(const struct attribute_by *, const struct claim *,
	    struct arena *, struct proof *, struct why *);
/* The message of that Message-ID, whoever asks: to whom does an answer to it
 * go?  Fetch. */
int	attribute_message(const struct attribute_by *, struct slice id,
	    struct arena *, struct event *, struct why *);

#endif
