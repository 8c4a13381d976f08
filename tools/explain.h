/*
 * explain - what `penstock policy explain` was asked, and what came out;
 * the command line is explain.c's, the asking explain_ask.c's, explain_print.c
 * and explain_json.c tell it.
 */
#ifndef TOOLS_EXPLAIN_H
#define TOOLS_EXPLAIN_H

#include "policy/plan.h"
#include "tools/live.h"
#include "tools/message.h"

struct explain_rcpt {
	struct slice	address, transport;
	size_t		at;		/* in mail.rcpts, if he was taken */
	bool		taken;
	enum verdict	verdict;	/* of the whole mail, for him */
};

struct explain_step {
	struct slice	about;		/* "MAIL FROM", a recipient, ... */
	struct answer	answer;
};

struct explain_limit {			/* before this mail */
	const struct limit *limit;
	const char	*of;		/* whose count: "login=ops", or "" */
	struct ask	 ask;		/* of its counter */
	struct counter_view view;
};

struct explain {
	/* asked */
	struct slice	 login, from, sender, listener;
	struct ip	 client;
	const char	*file, *at;
	int64_t		 size;
	bool		 fresh, json;
	struct explain_rcpt *rcpts;
	size_t		 nrcpts;
	/* found */
	struct live	 live;
	int64_t		 now;
	struct message_file message;
	struct mail	 mail;
	struct explain_step *steps;
	size_t		 nsteps;
	struct explain_limit *limits;
	size_t		 nlimits;
	struct plan	 plan;
	enum stage	 known;		/* where the stream was: MAIL, RCPT or
					   HEADERS */
	const struct stream **may;	/* by the envelope alone, when that */
	size_t		 nmay;		/* does not suffice */
	bool		 accepted;	/* the message, by some recipients */
	enum verdict	 verdict;	/* what the message was told; pass may
					   be for some recipients only */
};

/* Why it is that tenant, and where its days begin. */
const char *explain_how(const struct explain *);
const struct zone *explain_zone(const struct explain *,
	    const struct explain_limit *);	/* limit NULL: the tenant's */
size_t	explain_passed(const struct explain *);	/* recipients with verdict pass */
int64_t	explain_left(const struct explain_limit *);
/*
 * Asks about one message: the facts above, live's policy, ledger, arena, now
 * and mail.mail_from_text are set, all else is zero.  Reserves, and gives it
 * back.  -1: no memory, what is known so far may be printed.
 */
int	explain_ask(struct explain *, struct why *);
void	explain_forget(struct explain *);	/* what explain_ask gathered */
void	explain_print(struct explain *, bool color);
void	explain_json(struct explain *);
/* explain_way.c: pool and address */
void	explain_way_print(struct explain *);
void	explain_way_json(struct explain *, struct buf *);

#endif
