/*
 * lmtp - the receiving side of LMTP (RFC 2033) as a machine without a socket.
 *
 * Bytes go in, replies come out; who owns the socket moves both.  What it
 * promises to its program: a whole message with at least one recipient, dots
 * undone, lines as they came; and to the client: one reply per recipient
 * behind the dot, none of them before the program gave it.  PIPELINING,
 * 8BITMIME, SMTPUTF8, SIZE, ENHANCEDSTATUSCODES; no BDAT, no DSN.
 *
 * Everything is bounded: a command line, errors, recipients, a message, the
 * messages of all connections together, replies that nobody reads.  The end of
 * a message is CR LF . CR LF and nothing that looks like it.
 * Ownership: the slices of lmtp_mail live until its last reply.
 * Threads: one at a time; the connections that share an lmtp_rules, too.
 */
#ifndef LIB_LMTP_H
#define LIB_LMTP_H

#include <stdbool.h>
#include <stddef.h>
#include "lib/slice.h"

#define LMTP_LINE	2048		/* bytes of a command with its end */
#define LMTP_PATH	512		/* bytes of an address */
#define LMTP_ERRORS	20		/* then 421 and the end */
#define LMTP_UNREAD	65536		/* bytes of replies, then it eats not */

struct lmtp_rules {			/* shared by connections */
	const char	*name;		/* how we are called; borrowed */
	size_t		 size_max;	/* bytes of a message */
	size_t		 recipients_max;
	size_t		 held_max;	/* bytes of all messages under way */
	bool		 asks;		/* the program judges each RCPT */
	size_t		 held;		/* kept by the machine; begin with 0 */
};

enum lmtp_step {
	LMTP_READ,	/* all eaten: bring more input */
	LMTP_WRITE,	/* write lmtp_out first, then go on */
	LMTP_RCPT,	/* judge the last recipient: one lmtp_reply */
	LMTP_MESSAGE,	/* a message: one lmtp_reply for each recipient */
	LMTP_END	/* write lmtp_out and close */
};

struct lmtp_mail {
	struct slice	 sender;	/* "" for <>; bytes between < and > */
	const struct slice *recipients;	/* the same; accepted ones */
	size_t		 nrecipients;
	struct slice	 message;	/* LMTP_MESSAGE only */
	bool		 utf8;		/* SMTPUTF8 was asked for */
};

struct lmtp;

/* Greets at once: see lmtp_out. NULL: no memory. */
struct lmtp	*lmtp_new(struct lmtp_rules *);
void		 lmtp_free(struct lmtp *);
/* Goes on until something is wanted; cuts what it ate from in. */
enum lmtp_step	 lmtp_step(struct lmtp *, struct slice *in);
const struct lmtp_mail *lmtp_mail(const struct lmtp *);
/*
 * One reply, "250 2.1.5 fine": for LMTP_RCPT (a 250 keeps the recipient), and
 * for LMTP_MESSAGE in the order of the recipients.  One line; bytes that would
 * break it are written as '?'.
 */
void		 lmtp_reply(struct lmtp *, const char *, ...)
		    __attribute__((format(printf, 2, 3)));
/* "421 4.4.2 ..." of one's own accord; the next step is LMTP_END. */
void		 lmtp_give_up(struct lmtp *, const char *);
struct slice	 lmtp_out(const struct lmtp *);
void		 lmtp_sent(struct lmtp *, size_t);	/* so many of them left */
/* Nothing is under way: closing now costs nobody a message. */
bool		 lmtp_idle(const struct lmtp *);

#endif
