/*
 * report - what a period was like, for whom, and why: one model, four voices.
 *
 * report_model.c and its sisters make a struct report once, from watch/,
 * gate/ and outcomes/; the printers only show it, so that a figure is the same
 * on a terminal, in a page, in JSON and in CSV.  Nothing in it depends on the
 * moment it is asked for: the same stores and options give the same bytes.
 *
 * Days are those of UTC.  With a scope the figures are those of one tenant or
 * group alone, also where a pool or an address is shared; what cannot be told
 * apart (the score of a shared address, an official figure about it) is not
 * shown at all.
 * Ownership: everything lives in the report's arena.   Threads: one.
 */
#ifndef TOOLS_REPORT_H
#define TOOLS_REPORT_H

#include "reputation/advice.h"
#include "reputation/calibrate.h"
#include "reputation/score.h"
#include "reputation/snapshot.h"
#include "tools/tool.h"

#define REPORT_SCHEMA	1
#define REPORT_WEEKS	52	/* of tiers */
#define REPORT_SPARK	8	/* of them, as a line beside a row */
#define REPORT_ROWS	20	/* of a table; what is more is one row */
#define REPORT_WRONG	12	/* subjects whose reasons are told */
#define REPORT_STRIPS	16	/* subjects whose year is shown */
#define REPORT_HEAT	8	/* rows and columns of who sends to whom */
#define REPORT_WORDS	10	/* kinds of refusals */
#define REPORT_DAYS	28	/* of the charts, at least */

enum period_unit { PERIOD_DAY, PERIOD_WEEK, PERIOD_MONTH };

struct period {
	enum period_unit unit;
	int32_t		from, until;	/* days since 1970 */
	int32_t		before;		/* where the one before it begins */
	char		name[24];	/* "2026-W47" */
};
/* "2026-11-24", "2026-W47" or a date in it, "2026-11"; "last": as of the last
 * day there is. Action. */
int	period_parse(enum period_unit, struct slice, int32_t last,
	    struct period *, struct why *);
/* The last whole week, or the one that has begun when first lies in it. */
void	period_usual(int32_t first, int32_t last, struct period *);
const char *day_text(int32_t, char out[16]);		/* "2026-11-24" */

/* A share of something: x of n.  n 0: nobody knows, which is not 0. */
struct share { uint64_t x, n; };
enum rate { RATE_DELIVERED, RATE_BOUNCE, RATE_COMPLAINT, RATE_BLOCK,
	RATE_DEFERRAL, RATE_UNSUB, RATES };
extern const char *const rate_names[];		/* "delivered", ... NULL-ended */
struct share rate_of(const uint64_t n[TALLIES], enum rate);
double	share_value(struct share);			/* 0 .. 1; of nothing: 0 */

struct week {			/* a score, as far as a picture needs it */
	bool		known;
	enum tier	tier;
	double		total;
};

struct row {			/* of one subject */
	enum subject_kind kind;
	struct slice	name;
	size_t		others;		/* > 0: it is so many, in one */
	uint64_t	now[TALLIES], before[TALLIES];
	const struct scored *scored;	/* as of the period's end, or NULL */
	struct week	weeks[REPORT_SPARK];	/* the last one last */
	int		trend;		/* < 0 better, > 0 worse than a week
					   before; 0 the same, or unknown */
	double		value;		/* of a tenant, by the policy; of a
					   pool, what hangs on it */
	bool		has_value;
};

struct rows {
	struct row	*list;		/* what is worst first, then most mail */
	size_t		n, shown;	/* the first so many stand for themselves */
	struct row	rest;		/* the others; others 0: none */
};

struct wrong {			/* a subject that is not well */
	const struct row *row;
	struct slice	said[SIGNALS];	/* n 0: no points by it */
	const struct advice *advice[ADVICE_KINDS];
	size_t		nadvice;
};

struct strip {			/* the tiers of a year, the last week last */
	const struct row *row;
	struct week	weeks[REPORT_WEEKS];
};

struct kpi {
	struct share	is;
	double		target;
	bool		met;		/* when is.n > 0 */
};

struct heat {			/* who sent to which provider */
	enum subject_kind kind;		/* of its rows */
	struct slice	*names, *providers;
	size_t		nnames, nproviders;
	uint64_t	(*cells)[TALLIES];	/* [name * nproviders + provider] */
};

struct wording_row {		/* one meaning of refusals */
	struct slice	kind, category;
	uint64_t	count, last;
	struct slice	sample;		/* a reply, word for word; may be empty */
	struct slice	provider;	/* of that reply */
};

struct warm_mark {		/* one day of a warmup, as it was judged */
	int32_t		date;
	int		day, after;	/* of the schedule: that day, the next */
	int64_t		cap, used;
	const char	*rule;
	bool		back;		/* it held it, put it back or stopped it */
};
struct warm {
	struct slice	name;
	int		day, days;	/* days 0: nobody knows how many */
	int32_t		date;		/* of the last decision; 0: none yet */
	bool		stopped, warmed;
	bool		shared;		/* others' mail is in it: no figures */
	struct slice	said;		/* why, in a sentence */
	struct warm_mark *marks;	/* oldest first */
	size_t		nmarks;
};

struct dmarc_row {
	struct slice	domain;
	uint64_t	aligned, failing, dkim, spf, quarantined, rejected;
	size_t		sources;	/* that failed */
};

struct calls {			/* of a provider, in the month of the end */
	const char	*provider;
	int64_t		made, most;
};

struct hanging {		/* what hangs on those of one tier */
	size_t		n;
	uint64_t	now, before;	/* recipients */
	double		value;
};

struct report {
	struct arena	*arena;
	struct period	 period;
	struct scope	 scope;
	int32_t		 first, last;	/* days that watch/ has; first > last:
					   none */
	uint64_t	 event, outcome;	/* how far it has them */
	const struct knots *knots;
	const char	*label;		/* SCORE_LABEL, or with a brand in it */

	struct row	 all;		/* of the scope */
	bool		 warming;	/* most of it left by warming addresses */
	struct kpi	 kpis[TARGETS];
	struct rows	 rows[SUBJECT_KINDS];
	struct wrong	*wrong;		/* the worst first */
	size_t		 nwrong, wrongs;	/* told; in all */
	int32_t		 judged;	/* the Monday of the scores shown */
	struct strip	*strips;
	size_t		 nstrips;
	size_t		 tiers[SUBJECT_KINDS][TIER_CRITICAL + 1];
	struct heat	 heat;

	int32_t		 chart_from;	/* until period.until */
	size_t		 ndays;
	uint64_t	 (*days)[TALLIES];	/* of the scope */
	bool		*spikes;	/* [ndays]: far above its weekday */
	uint64_t	 (*provider_days)[TALLIES];	/* [heat.provider * ndays
							   + day] */
	struct wording_row *words;
	size_t		 nwords;
	uint64_t	 words_rest;	/* recipients in all others */
	struct warm	*warms;
	size_t		 nwarms, warms_all;
	struct dmarc_row *dmarc;
	size_t		 ndmarc, dmarc_all;
	struct snapshot	*officials;
	size_t		 nofficials, officials_all;
	int64_t		 refresh;	/* us; 0: nobody knows */
	struct calls	 calls[2];	/* of those that are asked */
	size_t		 ncalls;
	int64_t		 calls_made, calls_most;	/* of all */
	struct calibration pairs;	/* our scores of a year beside them */
	bool		 overview;	/* what follows is known */
	struct hanging	 parts[TIER_CRITICAL + 1];	/* tenants by tier */
	bool		 valued;	/* some tenant has a value */
	double		 value;		/* of all that have one */
	size_t		 unvalued;	/* tenants with mail that have none */
	const char	*missing[4];	/* what could not be read, in sentences */
	size_t		 nmissing;
	struct sums	*sums;		/* whose names the rows borrow */
};

/* What it is made of; NULL: not there. */
struct report_stores {
	const struct config *config;	/* whom we may ask, and how often */
	struct db	*watch, *desk;
	struct store	*gate;
	struct outcomes	*outcomes;
};
/* Action; period, scope, knots, label and arena are given. */
int	report_make(struct report *, const struct report_stores *,
	    struct why *);
/* What each tenant is worth, by the policy (NULL: nobody knows); and what of it
 * hangs on a pool, by the parts of his mail. Action. */
struct policy;
int	report_values(struct report *, struct db *watch,
	    const struct policy *, struct why *);
void	report_end(struct report *);		/* but for arena and knots */

void	report_text(const struct report *, size_t columns, bool utf8,
	    bool color, struct buf *);
void	report_html(const struct report *, struct buf *);
void	report_json(const struct report *, struct buf *);
void	report_csv(const struct report *, struct buf *);
void	report_overview(const struct report *, size_t columns, bool utf8,
	    bool color, struct buf *);

/* "3 tenants and 1 address need attention": of one line, for a title. */
void	report_headline(const struct report *, struct buf *);
/* "tenant acme", "all tenants"; "2026-W47, Mon 2026-11-16 to ..." */
void	report_whose(const struct report *, struct buf *);
/* "12,345"; "1.25 %", or "n/a". */
const char *number_text(uint64_t, char out[32]);
const char *share_text(struct share, int decimals, char out[32]);
/* Is it of one tenant or group? */
bool	report_scoped(const struct report *);
/* "Calls left in 2026-11: ..."; nothing when nobody is asked. */
void	report_calls(const struct report *, struct buf *);
/* "< 0.1 %", "GREEN", "41 count"; or the state there is instead of a value. */
void	official_text(const struct snapshot *, struct buf *);
double	report_known(const struct report *);	/* share with an outcome */

#endif
