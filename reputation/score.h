/*
 * score - how a sender stands, in points that explain themselves.
 *
 * Internal reputation model - directional guidance, not a mailbox provider
 * score.  Points come from the lower bound of what was seen (lib/wilson.h), so
 * that few events among few messages cannot shout; each knot is a published
 * level (conf/reputation.conf says whose).  score_make is pure: the same input
 * and knots give the same score, so a stored input can be judged again.
 * Threads: any.
 */
#ifndef REPUTATION_SCORE_H
#define REPUTATION_SCORE_H

#include <stdbool.h>
#include <stdint.h>
#include "lib/mem.h"
#include "lib/buf.h"
#include "reputation/knots.h"
#include "reputation/sums.h"

#define SCORE_LABEL	"Internal reputation model - directional guidance, " \
			"not a mailbox provider score."

/* On disk as numbers. */
enum tier { TIER_UNKNOWN /* insufficient data, never judged */, TIER_HEALTHY,
	TIER_WATCH, TIER_AT_RISK, TIER_CRITICAL };
extern const char *const tier_names[];	/* "insufficient data", "Healthy", ... */
enum confidence { CONFIDENCE_LOW, CONFIDENCE_MEDIUM, CONFIDENCE_HIGH };
extern const char *const confidence_names[];

/*
 * Seven days in full and the seven before by half.  Everything in halves, so
 * that it is whole numbers: x2 = 2 * this week's + last week's.
 */
struct score_input {
	int32_t		day;		/* the first day behind the week */
	uint64_t	x2[SIGNALS], n2[SIGNALS];
	bool		known[SIGNALS];	/* false: n/a, which is not 0 */
	double		volume;		/* z of the worst day, in thousandths;
					   SIGNAL_VOLUME */
	unsigned	minor, major, confirmed;	/* SIGNAL_POLICY: days,
					   days, traps */
	uint64_t	recipients;	/* of seven days: the volume guard */
	bool		warming;
	enum tier	before;		/* of the week before */
	unsigned	calm;		/* weeks in a row so low that the tier
					   may fall, before this one */
};

struct score {
	double		points[SIGNALS];	/* at the lower bound; without
					   enough data of policy alone */
	double		low[SIGNALS], raw[SIGNALS], high[SIGNALS]; /* shares */
	double		total, total_raw, total_high;	/* 0 .. 100; the last
					   two whatever the evidence */
	enum tier	judged;		/* what the points say */
	enum tier	tier;		/* with hysteresis */
	bool		enough;		/* false: insufficient data */
	enum confidence	confidence;
	unsigned	calm;
};

void	score_make(const struct knots *, const struct score_input *,
	    struct score *);
enum tier score_tier(const struct knots *, double points);
/*
 * z of the last seven days against the same weekdays before, of daily counts,
 * the last day last: the highest.  What lies before the first day with mail is
 * not known, and a day that has no more mail than the fullest weekday usually
 * has is no spike.  false: less than three weeks are known.
 */
bool	score_volume(const uint64_t *days, size_t n, double *z);
/* The input of a subject: sums of days, at least the last 14 of which end with
 * the week.  Not in them, so left alone: volume, day, warming, before, calm,
 * confirmed. */
void	score_gather(const struct knots *, const struct sum *, int32_t ndays,
	    struct score_input *);
/* Its volume, by score_volume. */
void	score_past(const uint64_t *days, size_t n, struct score_input *);
/* One line per signal that has points, as a person would say it; "" for none.
 * e.g. "complaints: at least 0.21 % (17 of 5,950 where they are reported)" */
void	score_say(const struct score_input *, const struct score *,
	    enum signal, struct buf *);

/* "17,000" */
void	score_number(struct buf *, uint64_t);

/* --- stored: watch/ "scores" ---------------------------------------------- */
struct scored {
	enum subject_kind kind;
	struct slice	name;
	uint8_t		knots[HASH_SHA256];	/* which ones judged */
	struct score_input in;
	struct score	score;		/* made again when it is read */
	enum tier	stored;		/* what was said then */
	bool		holds;		/* it is what was said */
};
int	scores_put(struct db_txn *, const struct scored *, struct why *);
/*
 * Of weeks that end in [from, until), by subject, oldest first; kind
 * SUBJECT_KINDS: all.  Each is judged by the knots that judged it then: those
 * given, when they are the same, or the ones that are kept with the scores.
 */
int	scores_each(struct db *watch, const struct knots *,
	    enum subject_kind, struct slice name, int32_t from, int32_t until,
	    bool (*)(void *, const struct scored *), void *, struct why *);

/* What a week is judged by beside the sums; NULL: n/a. */
struct suppress;
struct score_sources {
	struct suppress	*lists;		/* consent/ and desk/: unsubscribes and
					   traps */
	bool		(*warming)(void *, enum subject_kind, struct slice);
	void		*with;
};
/*
 * Judges every subject of the week that ends before `day` (a Monday) that was
 * not judged yet, and writes what it advises; in transactions of its own.
 * Who makes watch/ again does so for each Monday, in order.  Action; *judged:
 * how many there were.
 */
int	scores_run(struct db *watch, const struct score_sources *,
	    const struct knots *, int32_t day, size_t *judged, struct why *);
/* The latest week that was judged whole: the day behind it. Fetch. */
int	scores_last(struct db *watch, int32_t *day, struct why *);

#endif
