/*
 * calibrate - do our scores go with what mailbox providers say themselves?
 *
 * A pair is a subject, a quarter, the provider's word (official.h) and our
 * score of the week that ended within three days of it.  What comes of them is
 * for a person: nothing changes a knot.   Threads: any; pure but for
 * pairs_read.
 */
#ifndef REPUTATION_CALIBRATE_H
#define REPUTATION_CALIBRATE_H

#include "lib/buf.h"
#include "reputation/official.h"

#define CALIBRATE_LEAST	20	/* pairs; fewer are not enough evidence */
enum { CALIBRATE_TIERS = 4 };	/* Healthy .. Critical */

struct pair {
	struct official	 official;
	struct score_input in;
	enum tier	 ours;		/* as it was said then */
	double		 points;
};

struct calibration {
	size_t		 n;
	size_t		 matrix[CALIBRATE_TIERS][CALIBRATE_TIERS];
					/* [ours][theirs] */
	size_t		 exact, near;	/* the same; at most one apart */
	double		 kappa;		/* linear weights; 1 the same, 0 chance */
	bool		 has_kappa;	/* false: all are of one tier */
	bool		 enough;
};

/* A knot that would have gone better with what they said. */
struct change {
	enum signal	 signal;
	size_t		 knot;
	double		 was, is;	/* shares, or z */
	size_t		 exact;		/* with it and all changes before */
};
enum { CALIBRATE_CHANGES = SIGNALS * KNOTS_MOST };

/* Our scores beside those; who has none within three days, or one without
 * enough data, makes no pair.  In the arena.  Action. */
int	pairs_read(struct db *watch, const struct knots *,
	    const struct official *, size_t n, struct arena *, struct pair **,
	    size_t *npairs, struct why *);
void	calibrate(const struct pair *, size_t n, struct calibration *);
/*
 * One knot after the other, between its neighbours, where most pairs agree; a
 * knot that gains nothing stays.  *to begins as *from.  How many changed; 0
 * when there are fewer pairs than CALIBRATE_LEAST.
 */
size_t	calibrate_suggest(const struct pair *, size_t n, const struct knots *
	    from, struct knots *to, struct change[CALIBRATE_CHANGES]);
/* A whole reputation.conf of those knots; each change says what it was. */
void	calibrate_write(const struct knots *, const struct change *,
	    size_t nchanges, size_t npairs, struct buf *);

#endif
