/*
 * knots - conf/reputation.conf: from shares to points, cuts of tiers, targets.
 *
 * Compiled in like the rules of bounces; a file that penstock.conf names
 * replaces it (penstock-reputation(5)).  Checked like policy: every mistake,
 * with file:line:column.  A file says all of it: what judges senders stands in
 * one place.   Ownership: knots_free.   Threads: any once loaded.
 */
#ifndef REPUTATION_KNOTS_H
#define REPUTATION_KNOTS_H

#include <stdint.h>
#include "lib/buf.h"
#include "lib/hash.h"
#include "lib/keyword.h"
#include "lib/problem.h"
#include "lib/why.h"

/* On disk as numbers: new ones at the end. */
enum signal { SIGNAL_COMPLAINT, SIGNAL_BOUNCE, SIGNAL_BLOCK, SIGNAL_DEFERRAL,
	SIGNAL_VOLUME, SIGNAL_UNSUB, SIGNAL_POLICY, SIGNALS };
extern const char *const signal_names[];	/* "complaint", ... NULL-ended */

#define KNOTS_DEFAULT	"/etc/penstock/reputation.conf"
#define KNOTS_MOST	12

struct knot { double at, points; };	/* share (or z), and its points */

enum target { TARGET_BOUNCE, TARGET_COMPLAINT, TARGET_DELIVERED, TARGETS };

struct knots {
	struct knot	curve[SIGNALS][KNOTS_MOST];
	size_t		ncurve[SIGNALS];	/* 0: SIGNAL_POLICY */
	double		z;			/* of the lower bound */
	unsigned	least_events;		/* below: at most few_points */
	double		few_points;
	double		watch, at_risk, critical;	/* cuts */
	double		margin;			/* below a cut, to fall */
	unsigned	calm_weeks;
	uint64_t	least_recipients;	/* the volume guard */
	uint64_t	confident;	/* recipients of both weeks */
	uint64_t	many;		/* refusals of a day: a major one */
	double		minor, minor_most, major, confirmed;	/* points */
	double		targets[2][TARGETS];	/* [warming]: shares */
	uint8_t		hash[HASH_SHA256];	/* of what they say, not of how
						   it was written */
};

extern const struct keyword_table knots_keywords;
extern const char *const target_names[];	/* "bounce", ... NULL-ended */

/* path NULL: the compiled-in ones. 1 good, 0 mistakes, -1 unreadable. */
int	knots_load(const char *path, struct knots **, struct problems *,
	    struct why *);
/* The text of a file; file names it in problems, which borrow the name. */
int	knots_parse(const char *file, struct slice, struct knots **,
	    struct problems *, struct why *);
/* What holds on this machine: the file that penstock.conf names (configured,
 * may be NULL), or KNOTS_DEFAULT where there is one, or the compiled-in. */
int	knots_installed(const char *configured, struct knots **,
	    struct problems *, struct why *);
void	knots_free(struct knots *);		/* NULL allowed */
/* Piecewise linear; 0 for SIGNAL_POLICY. */
double	knots_points(const struct knots *, enum signal, double share);
/* As scores keep them, so that an old one can be made again. Action. */
void	knots_encode(const struct knots *, struct buf *);
int	knots_decode(struct slice, struct knots **, struct why *);

#endif
