/*
 * backoff - when a provider asks for less: rules from conf/backoff.conf, and
 * which of them an answer counts for.
 *
 * A rule names answers (words, codes, what the classifier makes of them), how
 * many of them within which time are enough, and what follows for how long.
 * The text of conf/backoff.conf is compiled in; an installed file replaces it
 * (penstock-backoff(5)).  What was counted is outcome_backoff.c's business,
 * and whether mail obeys is said by the policy.
 * Ownership: what is found is borrowed from the rules.
 * Threads: any once loaded; backoffs_match has some 180 kB of stack.
 */
#ifndef REPUTATION_BACKOFF_H
#define REPUTATION_BACKOFF_H

#include "lib/happenings.h"
#include "lib/provider.h"
#include "reputation/classify.h"

#define BACKOFF_DEFAULT	"/etc/penstock/backoff.conf"
#define BACKOFF_RULES	128
#define BACKOFF_TEXTS	512	/* of all rules */

/*
 * Whose word the text of a log line is: another server's; Postfix's, about a
 * server that it could not reach or lost; or Postfix's about anything else.
 */
enum backoff_from { BACKOFF_ANSWER, BACKOFF_CONNECTION, BACKOFF_OURS };
extern const char *const backoff_from_names[];	/* NULL-ended, without OURS */

struct backoff_rule {
	struct slice	 name;
	provider_set	 providers;	/* 0: all */
	unsigned	 categories;	/* bits of enum category; 0: any */
	bool		 texts;		/* it has words or codes */
	enum backoff_from from;
	int64_t		 threshold;	/* so many */
	int64_t		 window;	/* within so many us */
	enum backoff_action action;
	int64_t		 rate, period;	/* slow: so many in so many us */
	int64_t		 duration;	/* us */
	struct slice	 place;		/* "backoff.conf:12" */
	struct place	 at;
};

struct backoffs;

extern const struct keyword_table backoff_keywords;

/* The rules of conf/backoff.conf as compiled in. Calls provider_init. */
int	 backoffs_builtin(struct backoffs **, struct why *);
/* 1 good, 0 mistakes (all of them in problems), -1 no memory. file names the
 * text in problems and in places of rules; borrowed by problems. */
int	 backoffs_parse(struct backoffs **, const char *file, struct slice,
	    struct problems *, struct why *);
int	 backoffs_load(struct backoffs **, const char *path,
	    struct problems *, struct why *);
/* What holds on this machine: the file that penstock.conf names (configured),
 * or BACKOFF_DEFAULT where that file exists, or what was compiled in. */
int	 backoffs_installed(struct backoffs **, const char *configured,
	    struct problems *, struct why *);
void	 backoffs_free(struct backoffs *);		/* NULL allowed */
/* All rules, in the order of the file. */
const struct backoff_rule *backoffs_rules(const struct backoffs *, size_t *n);

/* Whose word is it?  text: what stands in the brackets of a log line. *host:
 * the server it is about, "mx.example[192.0.2.1]:25"; may be absent. */
enum backoff_from backoff_whose(struct slice text, struct slice *host);
/* The server's own words of such a text; of another one, all of it. */
struct slice backoff_words(struct slice text);
/* The rules that such a word counts for, in the order of the file; at most
 * room of them. */
size_t	 backoffs_match(const struct backoffs *, enum backoff_from,
	    unsigned provider, struct slice domain, enum category,
	    struct slice reply, const struct backoff_rule **, size_t room);

#endif
