/*
 * dsn - what a bounce says: to whom, what became of it, in whose words.
 *
 * RFC 3464 where it is there, and the texts of those who write none: Postfix,
 * Exim, qmail, sendmail, Exchange and Office 365, Gmail, Yahoo and some more.
 * It believes what it reads; whether the report is authentic is asked
 * elsewhere (attribute.h), and what a reply means, too (reputation/classify.h).
 * Ownership: slices live in the mail or the arena.  Threads: any.
 */
#ifndef TOOLS_INGEST_DSN_H
#define TOOLS_INGEST_DSN_H

#include "tools/ingest/mail.h"

#define DSN_RECIPIENTS	1000	/* of one report; more are counted only */
#define DSN_DIAGNOSTIC	2048	/* bytes that are kept */

enum dsn_action { DSN_FAILED, DSN_DELAYED, DSN_DELIVERED, DSN_RELAYED,
	DSN_EXPANDED };
extern const char *const dsn_action_names[];	/* NULL-ended */

enum dsn_form { DSN_RFC3464, DSN_POSTFIX, DSN_EXIM, DSN_QMAIL, DSN_SENDMAIL,
	DSN_EXCHANGE, DSN_GMAIL, DSN_YAHOO, DSN_SES, DSN_OTHER };
extern const char *const dsn_form_names[];	/* NULL-ended */

struct dsn_recipient {
	struct slice	 address;	/* Final-Recipient, or as in the text */
	struct slice	 original;	/* Original-Recipient; may be absent */
	enum dsn_action	 action;
	struct slice	 status;	/* "5.1.1"; "" when it says none */
	struct slice	 diagnostic;	/* on one line, without "smtp;" */
	struct slice	 remote;	/* Remote-MTA's name; may be absent */
	struct slice	 comment;	/* behind the status; for dsn.c */
};

struct dsn {
	enum dsn_form	 form;
	struct slice	 reporter;	/* Reporting-MTA's name; may be absent */
	struct slice	 envelope_id;	/* Original-Envelope-Id */
	struct slice	 queue_id;	/* X-Postfix-Queue-ID */
	struct slice	 returned;	/* head of the returned message, or all */
	struct dsn_recipient *list;
	size_t		 n;
	size_t		 more;		/* recipients beyond DSN_RECIPIENTS */
};

/* Fetch: 0 when it is no bounce. null_sender: it came from <>. */
int	dsn_read(const struct mail *, bool null_sender, struct arena *,
	    struct dsn *, struct why *);

/* For dsn_text.c. A recipient more; NULL: no room or no memory. */
struct dsn_recipient *dsn_add(struct dsn *, struct arena *);
int	dsn_text(const struct mail *, bool null_sender, struct arena *,
	    struct dsn *, struct why *);		/* fetch */
/* From nobody, from a daemon, or with the subject of a bounce? */
bool	dsn_is_bounce(const struct mail *, bool null_sender);
/* The first enhanced code of a text, else of its reply code "5.0.0", or "". */
struct slice dsn_status(struct slice text);
/* "smtp; 550 no" without its type. */
struct slice dsn_behind_type(struct slice flat);
/* Has it a reply code or an enhanced code? */
bool	dsn_has_code(struct slice text);

#endif
