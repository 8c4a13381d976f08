/*
 * dmarc - who sent as a domain, by what receivers reported: totals per domain,
 * source and UTC day, in the outcomes/ store.
 *
 * A report is hearsay: anybody can mail one.  So nothing but pages and
 * warnings may be made of these figures, and what strangers can add is
 * bounded: in all, per domain, and for domains that were never heard of, so
 * that forged reports do not keep out those about the domains in use.  That is
 * so for reports and for the rows that they make; what would be a row too many
 * is added to DMARC_OTHERS of its domain and day, so no message is lost from
 * the sums.  A report counts once, however often it comes.
 * Threads: dmarc_begin and dmarc_add writer only, dmarc_each any.
 */
#ifndef REPUTATION_DMARC_H
#define REPUTATION_DMARC_H

#include "reputation/outcome.h"

#define DMARC_SOURCES	2000	/* of a domain and day; then "others" */
#define DMARC_REPORTS	20000	/* that are taken in one day */
#define DMARC_SHARE	1000	/* of them about one domain */
#define DMARC_NEW	10000	/* about domains that nobody reported of on
				   an earlier day */
/* Rows of new sources that one day's reports may make: */
#define DMARC_ROWS	100000	/* in all */
#define DMARC_ROWS_SHARE 5000	/* about one domain, of whatever days */
#define DMARC_ROWS_NEW	25000	/* about domains as of DMARC_NEW */
#define DMARC_OTHERS	"others"

struct dmarc_report {
	struct slice	org, id;	/* who reports; both bounded */
	struct slice	domain;		/* lower case, at most 253 bytes */
	int64_t		begin, end;	/* us UTC */
	int64_t		came;		/* us UTC: the day that it counts in */
};

struct dmarc_total {
	struct slice	domain, source;	/* source: an address as text */
	int32_t		day;		/* since 1970 */
	uint64_t	aligned;	/* messages: SPF or DKIM, aligned */
	uint64_t	failing;	/* neither */
	uint64_t	dkim, spf;	/* of the aligned, by which */
	uint64_t	quarantined, rejected;
	struct slice	signer;		/* d= seen last; may be empty */
	struct slice	reporter;	/* who said so last */
};

/* Fetch: 1 it is new, 0 it was counted before. -1 also when there were too
 * many today (WHY_OTHER: nothing is wrong with the transaction). */
int	dmarc_begin(struct outcomes *, const struct dmarc_report *,
	    struct why *);
/* Adds figures of one source to the day in the middle of the report; of the
 * total, day and reporter are filled here.  Those that are worth a row come
 * first.  1 it has a row, 0 it is among the others, -1. */
int	dmarc_add(struct outcomes *, const struct dmarc_report *,
	    struct dmarc_total *, struct why *);
/* When what a row speaks of was over (us); INT64_MAX: it makes no sense. */
int64_t	dmarc_ends(struct slice key, struct slice value);
/* Totals of a domain, days from..to, in the order of days; false stops. */
int	dmarc_each(struct outcomes *, struct slice domain, int32_t from,
	    int32_t to, bool (*)(void *, const struct dmarc_total *), void *,
	    struct why *);

#endif
