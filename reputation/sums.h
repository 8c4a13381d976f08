/*
 * sums - cells of some days, added up by whom they are about.
 *
 * One walk over the days serves a whole report, and all scores of a week.
 * Subjects are kept in a map by (kind, name); a subject of a pair kind has two
 * names.  Ownership: everything lives in the sums' arena.   Threads: one.
 */
#ifndef REPUTATION_SUMS_H
#define REPUTATION_SUMS_H

#include "reputation/rollup.h"

/* On disk as numbers (scores): new ones at the end. */
enum subject_kind {
	SUBJECT_PLATFORM,		/* all of it; name "" */
	SUBJECT_GROUP, SUBJECT_TENANT, SUBJECT_DOMAIN, SUBJECT_POOL,
	SUBJECT_ADDRESS, SUBJECT_STREAM,	/* "tenant/stream" */
	SUBJECT_PROVIDER,
	SUBJECT_KINDS
};
extern const char *const subject_names[];	/* "platform", ... NULL-ended */
/* "tenant:acme", "address:192.0.2.10", or "acme" when only one kind has it
 * in those sums; false: nobody. */
struct sums;
bool	 subject_parse(struct slice, const struct sums *, enum subject_kind *,
	    struct slice *name);

struct scope {			/* whose figures may be seen; both NULL: all */
	struct slice	group, tenant;	/* p NULL: not bound */
};

struct sum {
	enum subject_kind kind;
	struct slice	 name;
	uint64_t	 all[TALLIES];		/* of the last span */
	const uint64_t	*const *days;	/* [sums_ndays][TALLIES]: each day;
					   those without mail share one row
					   of zeros */
};

/* Days [from, from + ndays); the last `span` of them are summed in all[]. */
int	 sums_new(struct sums **, int32_t from, int32_t ndays, int32_t span,
	    const struct scope *, struct why *);
void	 sums_free(struct sums *);			/* NULL allowed */
int	 sums_read(struct sums *, struct db *watch, struct why *);
int32_t	 sums_from(const struct sums *);
int32_t	 sums_ndays(const struct sums *);
/* Of one kind, sorted by name; the array is the sums'. */
const struct sum *const *sums_of(struct sums *, enum subject_kind, size_t *n);
const struct sum *sums_find(const struct sums *, enum subject_kind,
	    struct slice name);
/* Of the last span: what one subject sent to one provider; zeros when none.
 * kind: POOL, ADDRESS, TENANT, GROUP or PLATFORM. A subject without a name
 * (no group, Postfix's own route) is none. */
const uint64_t *sums_to(const struct sums *, enum subject_kind,
	    struct slice name, struct slice provider);

/* Ended, for whatever reason: what a share of bounces is a share of. */
uint64_t tally_ended(const uint64_t n[TALLIES]);

#endif
