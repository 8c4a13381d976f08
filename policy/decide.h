/*
 * decide - may this mail pass?  Asked at MAIL, at each RCPT, at the end of the
 * headers and at the end of the message, by the gate and by `policy explain`.
 *
 * A struct mail is one mail transaction (RFC 5321, 3.3) as policy sees it; all
 * its memory is the arena's.  An answer names the line that made it.
 * Nothing here blocks, logs, or reads a clock: the caller gives now.
 * Threads: a mail belongs to one thread at a time; ledger and policy are any.
 */
#ifndef POLICY_DECIDE_H
#define POLICY_DECIDE_H

#include <limits.h>
#include "policy/happened.h"
#include "policy/ledger.h"
#include "policy/match.h"
#include "policy/orders.h"
#include "policy/policy.h"

enum origin {
	ORIGIN_TENANT,		/* by login or client */
	ORIGIN_INBOUND,		/* unauthenticated: untouched, if all local */
	ORIGIN_TRUSTED,		/* unauthenticated from a trusted client: the
				   From domain names the tenant, at EOH */
	ORIGIN_CLAIMED		/* may name its tenant in a header, at EOH */
};

struct rcpt {
	struct mailbox	 to;
	bool		 local;
	unsigned	 provider;
	enum verdict	 verdict;	/* PASS; HOLD: the message is held, for
					   this one; DROP removed at EOM */
	struct place	 rule;
	struct slice	 path;		/* as the client wrote it */
	struct slice	 why;		/* DROP: the sentence; p NULL: none */
	const struct stream *asked;	/* suppressions were asked for it */
	bool		 backoff;	/* back-off was asked */
	const struct limit *slow;	/* of the one that slows it, or NULL */
	uint64_t	 domain_id, provider_id, path_id; /* 0: not made yet */
};

/* What a held message is asked again with (decide_release). */
struct releasing {
	const struct charge *had;	/* spent at acceptance */
	size_t		 n;
	bool		 asked_for;	/* by an operator: breakers that hold
					   do not hold it */
};

/* A limit as this mail meets it.  One that counts apart by something of the
 * recipient, or by the From domain, has a meter for each value. */
struct meter {
	const struct limit *limit;
	uint64_t	 of[4];		/* ids of those values; 0: none; the
					   last: of the pool or the address */
	struct ask	 ask;
	bool		 made;		/* the ask is */
	unsigned	 provider;	/* where it counts apart by that */
	int64_t		 watched;	/* remote recipients it counts */
	int64_t		 taken;		/* what is reserved of it */
	int64_t		 want;		/* what is asked for now, in all */
	bool		 hold;		/* full; it is the held that count */
	bool		 need;		/* another is; what is held for that
					   one counts here, too */
	int64_t		 queued;	/* of taken, among the held */
	int64_t		 before;	/* what others hold and goes first */
	bool		 hold_before;	/* scratch */
	bool		 loose;		/* scratch: full, and in shadow */
	struct meter	*next;		/* in its slot */
};

struct meters {
	struct meter	**list;
	size_t		 n, cap;
	struct meter	**slots;	/* by limit and values */
	size_t		 nslots;	/* a power of two, or 0 */
	/* scratch of one question: whose ask is the n-th, the asks, and what
	 * does not fit */
	struct meter	**whose;
	struct ask	*asks;
	struct shortfall *lacks;
	size_t		 nasks, cap_asks;
	struct meter	**touched;	/* those that see the recipient at hand */
	size_t		 ntouched, cap_touched;
	uint64_t	 login_id, sender_id;	/* 0: not made yet */
	uint64_t	*from_ids;	/* of from_domains */
	bool		 later;		/* egress limits are asked when the mail
					   is released, not now */
	bool		 firm;		/* those do not hold it */
	bool		 way;		/* only they said no */
	bool		 halted;	/* and one of them is a warmup that a
					   rule stopped */
};

/* An address that the mail could leave by, as it was seen. */
struct egress_look {
	const struct pool_address *address;
	bool		 fits;		/* all limits have room */
	int		 load;		/* thousandths used of the fullest that
					   counts by address */
	const struct limit *fullest;	/* or that has no room; NULL: nothing
					   is limited */
	int64_t		 next;		/* us, when one more would fit in all */
	uint64_t	 dice;		/* decides between equals */
};

struct would {			/* what shadow mode let pass; the worst of it */
	enum verdict	 verdict;	/* PASS: nothing */
	enum stage	 stage;
	struct place	 rule;
	const struct limit *limit;	/* or NULL */
	struct slice	 text;
};

struct progress;			/* policy/progress.h */

struct answer {
	enum verdict	 verdict;
	enum stage	 stage;
	const char	*code, *dsn;	/* "451", "4.7.0"; static */
	struct slice	 text;		/* one line, no CR LF, <= 900 bytes */
	struct place	 rule;
	const struct limit *limit;	/* or NULL */
	int64_t		 next;		/* us, 0: not known */
	const uint8_t	*counter;	/* key of the one that is full; NULL:
					   time alone makes no room for this */
	bool		 room;		/* of a cap, for less than this */
	bool		 unowned;	/* a sender that is not the tenant's */
	bool		 fair;		/* it has, but this tenant's part of
					   the hour is used up */
	bool		 fifths;	/* what bulk mail may have of it is;
					   other mail may have more */
};

struct mail {
	/* set by the caller before decide_mail, all else zero */
	struct policy	*policy;	/* a reference of ours */
	struct ledger	*ledger;
	const struct happened *happened; /* NULL: nothing is known */
	struct orders	*orders; /* of the desk: the same; NULL: none */
	struct arena	*arena;
	struct slice	 login;		/* {auth_authen}; p NULL: none */
	struct slice	 listener;	/* {daemon_name} */
	struct ip	 client;
	struct slice	 mail_from_text; /* as given, with or without <> */
	int64_t		 declared;	/* SIZE=, 0 when not said */
	struct slice	 told;		/* of a record, which has no headers:
					   the stream that they selected */
	const struct releasing *releasing; /* NULL: it comes just now */
	/* decided */
	int64_t		 now;		/* of the step under way */
	enum origin	 origin;
	const struct claimer *claimer;	/* CLAIMED: says in which header */
	const struct tenant *tenant;
	struct place	 tenant_rule;	/* the line that claims the login */
	const struct stream *stream;	/* NULL: not known before EOH */
	const struct match_line *matched; /* which made it that; or NULL */
	bool		 by_rcpt;	/* the recipient had to be known */
	struct slice	 first_rcpt;	/* whose stream it is; p NULL: none */
	uint64_t	 list;		/* token_list of the stream; 0: not made */
	struct mailbox	 mail_from;
	bool		 null_sender;
	struct rcpt	*rcpts;		/* accepted ones */
	size_t		 nrcpts, cap_rcpts;
	size_t		 nremote;	/* of them */
	struct meters	 meters;
	struct claim	 claim;
	struct would	 would;
	struct answer	 barred;	/* all or none, and one was turned away:
					   said to all; code NULL: it was not */
	struct answer	 unowned;	/* of MAIL FROM, when only the stream
					   says whether it counts; as above */
	struct answer	 hold;		/* why it is held; as above */
	struct answer	 broken;	/* the breaker that holds it; as above */
	const struct limit *slow[4];	/* of breakers that slow it */
	size_t		 nslow;
	struct backed	*backed;	/* back-offs that were met */
	struct slice	*from_domains;	/* of every From mailbox */
	size_t		 nfrom_domains;
	const struct identity **identities;	/* who signs */
	size_t		 nidentities;
	const struct route *route;	/* fixed by its first remote recipient;
					   NULL: Postfix's own */
	const struct pool_address *egress; /* that it leaves by, known at the
					   end; NULL: Postfix's own route */
	bool		 bound;		/* egress is given: Postfix was told */
	const char	*away;		/* why it leaves by Postfix's own route
					   although it has one; or NULL */
	struct egress_look *looks;	/* all that were looked at, in the order
					   in which they were asked */
	size_t		 nlooks;
	struct progress	*progress;	/* of warmups, a reference of ours;
					   NULL: none */
	struct slice	 campaign;	/* as its header says; p NULL: none */
	bool		 no_postal;	/* bulk, and without a postal address */
};

#define HEADER_CUT	59900	/* bytes: the milter's wire cuts near 60,000 */

/* All return the verdict (also in the answer). DEFER without memory. */
enum verdict decide_mail(struct mail *, int64_t now, struct answer *);
/* transport: {rcpt_mailer}, p NULL when unknown. Accepted ones are appended
 * to rcpts with their charges reserved.  HOLD: accepted, and as things stand
 * the message will be held. */
enum verdict decide_rcpt(struct mail *, struct slice rcpt_text,
	    struct slice transport, int64_t now, struct answer *);
/* The stream, if it was not known; ownership of From, Sender, Resent-From,
 * Resent-Sender; tenant of trusted mail; identities that sign. */
enum verdict decide_headers(struct mail *, const struct header_fact *,
	    size_t n, int64_t now, struct answer *);
/* All limits of the stream, bytes, rolled windows; seals the claim.  After
 * PASS, and after HOLD (the message is to be quarantined), the caller has
 * mail->claim's charges settled, or calls decide_abort. */
enum verdict decide_message(struct mail *, int64_t size, int64_t now,
	    struct answer *);
/*
 * A held message, as its event has it, once more, whole, at now: may it go?
 * What the caller sets before decide_mail is set; asked_for: an operator wants
 * it out, so breakers that hold do not hold it.  What was spent at acceptance
 * is not asked for again.
 *	PASS	it may; the claim, sealed, is what it costs now
 *	DEFER	it waits: for room of a->limit until a->next, or for somebody
 *		(pause, breaker, key, a tenant that is gone) where next is 0
 *	DROP	nobody may have it any more
 *	REFUSE	some may not have it, and nobody can be taken out of a message
 *		that is queued: its sender gets it back
 * The claim is empty but after PASS.
 */
enum verdict decide_release(struct mail *, const struct event *,
	    bool asked_for, int64_t now, struct answer *);
/* Releases what is reserved; the mail may be forgotten then. Not for a mail
 * whose charges were handed over to be settled. */
void	decide_abort(struct mail *);

#define DECIDE_ALL	UINT_MAX	/* provider: limits to any of them */

/* What a recipient's limits may depend on; p NULL: not said. */
struct decide_facts {
	const struct stream *stream;	/* NULL: the default one */
	struct slice	 login, sender, sender_domain, recipient_domain;
	unsigned	 provider;	/* or DECIDE_ALL */
	int64_t		 bytes;
	const struct progress *progress; /* of warmups; or NULL */
	const struct pool_address *egress;	/* that it leaves by */
};

/*
 * For explain and `limits`: the asks of one recipient for this tenant at now
 * (arrays in the arena).  One whose key is all zero is of a limit that counts
 * apart by something that the facts do not say.  -1 without memory.
 */
int	decide_asks_of(const struct policy *, const struct tenant *,
	    const struct decide_facts *, int64_t now, struct arena *,
	    struct ask **, const struct limit ***, size_t *n);
/* The same of the limits that stand in the pool and the address of the facts
 * (not NULL). Tenant NULL: the whole numbers, and what counts groups or tenants
 * apart is not said. */
int	decide_asks_way(const struct policy *, const struct tenant *,
	    const struct decide_facts *, int64_t now, struct arena *,
	    struct ask **, const struct limit ***, size_t *n);
/* When n more will fit into one of those limits, of which so much is used;
 * next: what the ledger says, which knows no schedules. */
int64_t	decide_next(const struct policy *, const struct tenant *,
	    const struct decide_facts *, const struct limit *, int64_t used,
	    int64_t n, int64_t next, int64_t now);
/* The same for the default stream and nothing said but the provider. */
int	decide_asks(const struct policy *, const struct tenant *,
	    unsigned provider, int64_t bytes, int64_t now, struct arena *,
	    struct ask **, const struct limit ***, size_t *n);
/* Of all streams: each counter of the limits of that kind and name, once, but
 * for those that count apart by more than tenant, group, stream and what the
 * facts say; *apart when there are such.  Their stream is not asked for. */
int	decide_asks_named(const struct policy *, const struct tenant *,
	    enum limit_kind, struct slice name, const struct decide_facts *,
	    int64_t now, struct arena *, struct ask **, size_t *n,
	    bool *apart);

#endif
