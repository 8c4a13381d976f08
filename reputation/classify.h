/*
 * classify - what a remote server's refusal means, and what to do about the
 * address.
 *
 * Rules come from a text file (conf/bounces.rules, compiled in; an installed
 * file replaces them; format in penstock-bounces(5)).  Of the rules that match
 * the strongest decides: one that knows words before one that knows none, then
 * one for this provider before one for all, then the earlier in the file.
 *
 * The action is for a recipient whose delivery has ended: a deferral is asked
 * for its category.  A reply of class 4 (code or enhanced code) suppresses at
 * once only by a rule whose code column says 4; else suppress_now becomes
 * suppress_after_k.
 *
 * It reads the text of a reply, never a whole message: "550 5.1.1 text",
 * replies of several lines joined in one, the body of a Diagnostic-Code, a
 * line of Postfix's log, with or without codes.  It counts nothing and
 * suppresses nobody.
 * Ownership: finding.rule and rule ids are borrowed from the classifier.
 * Threads: classify and classify_all: any number at a time, nothing is
 * allocated; some 170 kB of stack.
 */
#ifndef REPUTATION_CLASSIFY_H
#define REPUTATION_CLASSIFY_H

#include <stddef.h>
#include "lib/problem.h"
#include "lib/slice.h"
#include "lib/why.h"

#define CLASSIFY_DEFAULT	"/etc/penstock/bounces.rules"
#define CLASSIFY_TEXT_MAX	8192	/* bytes of a reply that are read */
#define CLASSIFY_RULES_MAX	4096

enum category {
	CATEGORY_UNKNOWN,
	CATEGORY_RECIPIENT_UNKNOWN, CATEGORY_RECIPIENT_INACTIVE,
	CATEGORY_DOMAIN_BAD, CATEGORY_QUOTA, CATEGORY_BLOCK_REPUTATION,
	CATEGORY_SPAM_CONTENT, CATEGORY_AUTH_POLICY, CATEGORY_POLICY_OTHER,
	CATEGORY_RATE_LIMIT, CATEGORY_SIZE_OR_PROTOCOL,
	CATEGORY_NETWORK_EXPIRED, CATEGORY_SYSTEM_REMOTE,
	CATEGORIES
};
extern const char *const category_names[CATEGORIES];

enum action {
	ACTION_NONE,
	ACTION_SUPPRESS_NOW,	/* a hard bounce: never again */
	ACTION_SUPPRESS_AFTER_K,/* when it repeats over days */
	ACTION_RETRY,		/* the same mail may get through later */
	ACTION_FIX_SENDER,	/* our side: keys, DNS, content, size */
	ACTION_SLOW_DOWN,	/* the provider wants less, or none of it */
	ACTIONS
};
extern const char *const action_names[ACTIONS];

struct finding {
	enum category	 category;
	enum action	 action;
	struct slice	 rule;		/* its id; "-" when no rule matched */
};

struct classifier;

/* The rules of conf/bounces.rules as compiled in.  Calls provider_init. */
int	classifier_builtin(struct classifier **, struct why *);
/* 1 good, 0 mistakes (all of them in problems), -1 it cannot be read. */
int	classifier_load(struct classifier **, const char *path,
	    struct problems *, struct why *);
/* The same from text; file names it in problems and is borrowed by them. */
int	classifier_parse(struct classifier **, const char *file, struct slice,
	    struct problems *, struct why *);
/* What holds on this machine: the file that penstock.conf names (configured),
 * or CLASSIFY_DEFAULT where that file exists, or the rules compiled in. As
 * classifier_load. */
int	classifier_installed(struct classifier **, const char *configured,
	    struct problems *, struct why *);
/* As classifier_load, but what is held stays unless the file is good; then it
 * is freed, so nobody else may be using it. */
int	classifier_reload(struct classifier **, const char *path,
	    struct problems *, struct why *);
void	classifier_free(struct classifier *);
size_t	classifier_rules(const struct classifier *);

/*
 * provider: of the recipient; when it is PROVIDER_UNRESOLVED, domain (the
 * recipient's, any case, may be absent) is looked up.  Only the first
 * CLASSIFY_TEXT_MAX bytes of the reply are read.
 */
void	classify(const struct classifier *, unsigned provider,
	    struct slice domain, struct slice reply, struct finding *);
/* All that match, strongest first, at most room; returns how many. */
size_t	classify_all(const struct classifier *, unsigned provider,
	    struct slice domain, struct slice reply, struct finding *,
	    size_t room);

#endif
