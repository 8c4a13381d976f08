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
#include "policy/ledger.h"
#include "policy/match.h"
#include "policy/orders.h"
#include "policy/policy.h"

enum origin {
	ORIGIN_TENANT,		/* by login or client */
	ORIGIN_INBOUND,		/* unauthenticated: untouched, if all local */
	ORIGIN_TRUSTED		/* unauthenticated from a trusted client: the
				   From domain names the tenant, at EOH */
};

struct rcpt {
	struct mailbox	 to;
	bool		 local;
	unsigned	 provider;
	enum verdict	 verdict;	/* PASS; DROP removed at EOM */
	struct place	 rule;
};

struct meter {			/* a limit as this mail meets it */
	const struct limit *limit;
	struct ask	 ask;		/* amount: what this mail holds of it */
	int64_t		 watched;	/* remote recipients it counts */
	int64_t		 want;		/* scratch: the amount asked for */
};

struct would {			/* what shadow mode let pass; the worst of it */
	enum verdict	 verdict;	/* PASS: nothing */
	enum stage	 stage;
	struct place	 rule;
	const struct limit *limit;	/* or NULL */
	struct slice	 text;
};

struct mail {
	/* set by the caller before decide_mail, all else zero */
	struct policy	*policy;	/* a reference of ours */
	struct ledger	*ledger;
	struct orders	*orders; /* of the desk: the same; NULL: none */
	struct arena	*arena;
	struct slice	 login;		/* {auth_authen}; p NULL: none */
	struct slice	 listener;	/* {daemon_name} */
	struct ip	 client;
	struct slice	 mail_from_text; /* as given, with or without <> */
	int64_t		 declared;	/* SIZE=, 0 when not said */
	/* decided */
	int64_t		 now;		/* of the step under way */
	enum origin	 origin;
	const struct tenant *tenant;
	struct place	 tenant_rule;	/* the line that claims the login */
	const struct stream *stream;	/* NULL: not known before EOH */
	struct mailbox	 mail_from;
	bool		 null_sender;
	struct rcpt	*rcpts;		/* accepted ones */
	size_t		 nrcpts, cap_rcpts;
	size_t		 nremote;	/* of them */
	struct meter	*meters;	/* one per limit of the tenant */
	size_t		 nmeters;
	struct ask	*asks;		/* scratch, nmeters */
	struct shortfall *lacks;	/* scratch, nmeters */
	struct claim	 claim;
	struct would	 would;
	struct slice	*from_domains;	/* of every From mailbox */
	size_t		 nfrom_domains;
	const struct identity **identities;	/* who signs */
	size_t		 nidentities;
};

struct answer {
	enum verdict	 verdict;
	enum stage	 stage;
	const char	*code, *dsn;	/* "451", "4.7.0"; static */
	struct slice	 text;		/* one line, no CR LF, <= 900 bytes */
	struct place	 rule;
	const struct limit *limit;	/* or NULL */
	int64_t		 next;		/* us, 0: not known */
};

#define HEADER_CUT	59900	/* bytes: the milter's wire cuts near 60,000 */

/* All return the verdict (also in the answer). DEFER without memory. */
enum verdict decide_mail(struct mail *, int64_t now, struct answer *);
/* transport: {rcpt_mailer}, p NULL when unknown. Accepted ones are appended
 * to rcpts with their charges reserved. */
enum verdict decide_rcpt(struct mail *, struct slice rcpt_text,
	    struct slice transport, int64_t now, struct answer *);
/* Ownership of From, Sender, Resent-From, Resent-Sender; tenant of trusted
 * mail; identities that sign. */
enum verdict decide_headers(struct mail *, const struct header_fact *,
	    size_t n, int64_t now, struct answer *);
/* Bytes, rolled windows, trusted mail's limits; seals the claim. After PASS
 * the caller has mail->claim's charges settled, or calls decide_abort. */
enum verdict decide_message(struct mail *, int64_t size, int64_t now,
	    struct answer *);
/* Releases what is reserved; the mail may be forgotten then. Not for a mail
 * whose charges were handed over to be settled. */
void	decide_abort(struct mail *);

#define DECIDE_ALL	UINT_MAX	/* provider: limits to any of them */

/* For explain and `limits`: the asks of one recipient of that provider for
 * this tenant at now (arrays in the arena). -1 without memory. */
int	decide_asks(const struct policy *, const struct tenant *,
	    unsigned provider, int64_t bytes, int64_t now, struct arena *,
	    struct ask **, const struct limit ***, size_t *n);

#endif
