/*
 * keywords - every word of the policy language: where it may stand, what it
 * takes, its default, and what it is for.
 *
 * One row feeds the check, `policy show` and the lint that holds the manual
 * page against this table.  Threads: any; all is const.
 */
#ifndef POLICY_KEYWORDS_H
#define POLICY_KEYWORDS_H

#include "lib/keyword.h"

/* The blocks a word may stand in. */
enum {
	IN_FILE		= 1 << 0,	/* the main file, outside of blocks */
	IN_TRUSTED	= 1 << 1,
	IN_POOL		= 1 << 2,
	IN_ADDRESS	= 1 << 3,
	IN_GROUP	= 1 << 4,
	IN_CLASS	= 1 << 5,
	IN_TENANT	= 1 << 6,
	IN_THROTTLE	= 1 << 7,
	IN_CAP		= 1 << 8,
	IN_DKIM		= 1 << 9,
	IN_ROUTE	= 1 << 10,	/* pool in a class, tenant or stream */
	IN_STREAM	= 1 << 11,
	IN_OPEN		= 1 << 12,
	IN_CLAIM	= 1 << 13,
	IN_AUTO		= 1 << 14,	/* auto_tenant */
	IN_UNSUBSCRIBE	= 1 << 15,
	IN_BREAKER	= 1 << 16,
	IN_SHARE	= 1 << 17,
	IN_WARMUP	= 1 << 18,
	IN_SCHEDULE	= 1 << 19
};

enum word {
	WORD_ADDRESS, WORD_ALGORITHM, WORD_AUTO_TENANT, WORD_BOUNCE_DOMAIN,
	WORD_BURST, WORD_BY, WORD_CLAIM_BLOCK, WORD_EXCEPT, WORD_LOGIN_MAP,
	WORD_TENANTS,
	WORD_CAP, WORD_CLAIM, WORD_CLASS, WORD_CLIENTS, WORD_CONTACT,
	WORD_COUNT, WORD_DKIM, WORD_DOMAIN, WORD_DOMAINS, WORD_EXTENDS,
	WORD_GROUP, WORD_HELO, WORD_HOLD_MAX, WORD_IDENTIFY, WORD_IN_CLASS,
	WORD_INCLUDE, WORD_IN_GROUP, WORD_INFLIGHT, WORD_JITTER, WORD_KEY,
	WORD_LIMIT, WORD_LOCAL_TRANSPORTS, WORD_LOGINS, WORD_MATCH,
	WORD_MAX_RECIPIENTS, WORD_MODE, WORD_OPEN, WORD_OVER, WORD_PARTIAL,
	WORD_PAUSED, WORD_PER, WORD_POOL, WORD_PRIORITY, WORD_QUEUE_LIFETIME,
	WORD_RATE, WORD_RETURN_PATH, WORD_SHADOW, WORD_STREAM, WORD_STRIP,
	WORD_SUBMISSION, WORD_SUPPRESSED, WORD_TENANT, WORD_THEN, WORD_THROTTLE,
	WORD_TIMEZONE, WORD_TO, WORD_TRANSPORT, WORD_TRUSTED,
	WORD_UNKNOWN_SENDER, WORD_WEIGHT,
	WORD_CAMPAIGN, WORD_CFBL, WORD_COMPLAINT_SCOPE, WORD_EXISTING,
	WORD_FEEDBACK_ID, WORD_LIST_ID, WORD_MAILTO, WORD_MANY_RECIPIENTS,
	WORD_POSTAL, WORD_POSTAL_ADDRESS, WORD_UNSUBSCRIBE,
	WORD_UNSUBSCRIBE_BLOCK, WORD_URL,
	WORD_BACKOFF, WORD_BACKOFF_MAX,
	WORD_ACTION, WORD_BREAKER, WORD_BREAKER_RATE, WORD_LEAST, WORD_SLOW,
	WORD_WHEN, WORD_WINDOW,
	WORD_FAIR, WORD_FAIR_WEIGHT, WORD_OTHER_PATH, WORD_OVERFLOW,
	WORD_SELECT, WORD_SHARE,
	WORD_ACTIVE_HOURS, WORD_FAST_TRACK, WORD_RATIO, WORD_REQUIRE_OUTCOMES,
	WORD_SCHEDULE, WORD_START, WORD_STARTED, WORD_TABLE, WORD_TARGET,
	WORD_VALUE,
	WORD_WARMUP
};

extern const struct keyword_table policy_keywords;

/* Order of the enums they become. */
extern const char *const mode_choices[];	/* enforce, shadow */

/*
 * words_check - the row of a node, or NULL with a problem said: keyword_check
 * and, before it, words of the language that this release does not know yet.
 * Those are errors, so that nobody believes in a limit that does not bind.
 */
const struct keyword *words_check(struct node *, unsigned where,
	    struct problems *);

#endif
