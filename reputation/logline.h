/*
 * logline - one line of a Postfix log, taken apart; nothing is allocated.
 *
 * Classic and ISO 8601 time, any syslog_name, daemon names of several parts
 * ("postfix/poolb/smtp"), fields that are not known yet.  What a remote server
 * said stands behind the first " (" of a delivery line and is never searched
 * for fields.  A line of another program is LOGLINE_OTHER, and so is one of
 * Postfix that says nothing about a message; LOGLINE_STRANGE is one that
 * should have been understood.
 * Ownership: slices borrow the line.   Threads: any; a clock has one user.
 */
#ifndef REPUTATION_LOGLINE_H
#define REPUTATION_LOGLINE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/slice.h"
#include "lib/zone.h"

#define LOGLINE_MAX	65536	/* bytes; what is behind them is not read */

enum logline_kind {
	LOGLINE_OTHER,
	LOGLINE_STRANGE,
	LOGLINE_DELIVERY,	/* to, relay, delay, dsn, status, text */
	LOGLINE_CLIENT,		/* smtpd: client, sasl */
	LOGLINE_MESSAGE_ID,	/* cleanup: message_id */
	LOGLINE_QUEUED,		/* qmgr: from, for each attempt */
	LOGLINE_EXPIRED,	/* qmgr: from; open recipients are returned */
	LOGLINE_REMOVED,	/* qmgr: the end of the queue id */
	LOGLINE_DELETED,	/* postsuper: the same, by hand */
	LOGLINE_REQUEUED,	/* pickup: notice is the id it had before */
	LOGLINE_NOTICE,		/* bounce: notice is the queue id of a report */
	LOGLINE_MILTER		/* milter-reject, -hold, -discard: text */
};
extern const char *const logline_kind_names[];	/* NULL-ended */

struct logline {
	enum logline_kind kind;
	int64_t		 time;		/* us UTC */
	struct slice	 host;
	struct slice	 name;		/* syslog_name and further parts */
	struct slice	 daemon;	/* "smtp" */
	struct slice	 queue_id;
	struct slice	 to, orig_to;	/* between < and >; absent: p NULL */
	struct slice	 from, message_id, notice, sasl, client;
	struct slice	 relay, dsn, status;
	struct slice	 text;		/* in the brackets of a delivery line */
	int64_t		 delay;		/* us; -1: none */
};

/*
 * What turns the time of a line into a moment.  A classic time has no year:
 * it is the latest one that does not lie more than a day behind "now", and in
 * which that day exists.
 */
struct logline_clock {
	int64_t		 now;		/* us */
	const struct zone *zone;	/* of classic times; NULL: the machine's */
	char		 minute[13];	/* the last one, and what it came to */
	int64_t		 moment;
	int64_t		 base;		/* now when that was */
};

/* line: without its line end.  Kind is LOGLINE_OTHER or above; false: not a
 * line of a log at all (no time, no tag), kind is LOGLINE_STRANGE then. */
bool	logline_parse(struct slice line, struct logline_clock *,
	    struct logline *);
/* The same where time and tag ("postfix/smtp") are known: the journal. */
void	logline_message(struct slice tag, struct slice message, int64_t time,
	    struct logline *);

#endif
