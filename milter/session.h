/*
 * session - one connection of the MTA, and the one message it may carry.
 *
 * Not a place for decisions (milter/stage.c) nor for libmilter (gate.c,
 * apply.c).  Between two callbacks a session belongs to nobody: the pool of
 * libmilter runs the next one on any thread, so nothing here is thread-local
 * and nothing is locked across callbacks.
 * Threads: a session is with one callback at a time; struct gate is for any.
 */
#ifndef MILTER_SESSION_H
#define MILTER_SESSION_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include "lib/config.h"
#include "lib/key.h"
#include "lib/sign.h"
#include "milter/writer.h"
#include "policy/decide.h"
#include "policy/plan.h"
#include "policy/postal.h"
#include "policy/progress.h"

/* Bounds of one message. */
enum {
	MESSAGE_HEADERS = 10000,
	MESSAGE_HEADER_BYTES = 4 << 20,
	MESSAGE_NAME_MOST = 998,
	MESSAGE_FORGED = 1000,	/* fields we would take out: the MTA's time
				   for that grows with their square */
	MESSAGE_ARENA_FIRST = 16 << 10,
	MESSAGE_ARENA_MOST = 32 << 20
};

struct gate {				/* the process; sessions borrow it */
	const struct config	*config;
	struct store		*store;
	struct ledger		*ledger;
	struct writer		*writer;
	struct key_cache	*keys;
	pthread_mutex_t		 policy_lock;	/* of the two below */
	struct policy		*policy;	/* owns a reference */
	const struct happened	*happened; /* of outcomes/, consent/, desk/ */
	struct orders		*orders;	/* the same; NULL: none */
	struct pacer		*pacer;		/* NULL: nothing is let go */
	struct progress		*progress;	/* of warmups, the same */
	struct warmer		*warmer;	/* who changes it; NULL: nobody */
	atomic_long		 sessions;
	atomic_long		 messages;	/* between MAIL and their end */
	atomic_long		 inside;	/* callbacks running */
	atomic_bool		 draining;	/* no new message */
	atomic_bool		 stopping;	/* no new callback */
};

enum message_state {
	MESSAGE_NONE,
	MESSAGE_ENVELOPE,	/* from MAIL to the end of the headers */
	MESSAGE_BODY,
	MESSAGE_OVER		/* answered; its text is still in the arena */
};

struct message {
	enum message_state		 progress;
	struct arena		*arena;		/* everything below */
	struct mail		 mail;
	struct slice		 queue_id;	/* p NULL until EOM */
	struct header_fact	*headers;
	size_t			 nheaders, cap_headers, header_bytes;
	size_t			 nforged;	/* of them, named like ours */
	size_t			 sign_names;	/* bytes they take in h= */
	int64_t			 size;		/* as seen so far */
	bool			 failed;	/* to be said at EOH: */
	struct answer		 failure;
	const struct key	**keys;		/* of mail.identities */
	size_t			 nkeys;
	bool			 signing;
	struct postal_search	*postal;	/* NULL: not looked for */
	bool			 handed;	/* the writer has the claim */
	struct plan		 plan;
	struct event		 event;		/* as committed */
	uint64_t		 seq;
	size_t			 refused;	/* recipients turned away */
	bool			 deferred;	/* one of them may come again */
	enum verdict		 last_refusal;
	struct slice		 last_rule;
	bool			 logged;
};

struct session {
	struct gate	*gate;
	struct ip	 client;
	struct signer	*signer;		/* made at first use */
	struct message	 message;
};

/* hostaddr NULL: no address (pickup, unknown). NULL: too many, or memory. */
struct session *session_new(struct gate *, const struct sockaddr *);
void	 session_free(struct session *);	/* NULL allowed */

/* Ends what may still be open first: after our own refusals and after a
 * normal end no abort comes. -1 without memory. */
int	 message_begin(struct session *);
/* Releases reservations, keys, the policy and all memory. Any state. */
void	 message_end(struct session *);
/* Ends a message that is OVER, once its answer has been passed on. */
void	 message_settle(struct session *);

/* The policy of now, with a reference of the caller's. */
struct policy *gate_policy(struct gate *);
/* What operators have in force, with a reference of the caller's, or NULL. */
struct orders *gate_orders(struct gate *);
/* Puts others in place, whose reference it takes; drops the old ones. */
void	 gate_order(struct gate *, struct orders *);
/* How far warmups have come, likewise. */
struct progress *gate_progress(struct gate *);
void	 gate_advance(struct gate *, struct progress *);
/* Puts another one in place; the old one, whose reference is the caller's. */
struct policy *gate_swap(struct gate *, struct policy *);

#endif
