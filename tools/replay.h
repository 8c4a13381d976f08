/*
 * replay - what `penstock policy replay` shares: the recorded events go
 * page by page (replay_pages.c) through another policy (replay_event.c) into
 * a tally (replay_tally.c) that replay_print.c shows; replay.c has the words.
 *
 * Memory does not grow with the number of events: a page of them and one
 * message at a time, a ledger whose counters are swept, and a tally whose rows
 * are (tenant, limit) pairs.
 */
#ifndef TOOLS_REPLAY_H
#define TOOLS_REPLAY_H

#include "policy/decide.h"

#define REPLAY_VERDICTS	5		/* enum verdict */

struct replay_row {		/* a limit of a tenant; limit "": all of it */
	struct slice	 tenant, limit;
	uint64_t	 was[REPLAY_VERDICTS], would[REPLAY_VERDICTS];
	uint64_t	 changed;	/* of the whole tenant */
};

struct replay_change {		/* one kind of it, with its first example */
	struct slice	 tenant, limit, now;	/* now: another tenant, or "" */
	enum verdict	 was, would;
	uint64_t	 count;
	uint64_t	 seq;
	int64_t		 time;
	struct slice	 rule, recipient, reply;
};

struct replay_tally {
	struct arena	*arena;		/* rows live here */
	struct map	*index;
	struct replay_row **rows;
	struct replay_change **changes;
	size_t		 nrows, nchanges, cap_rows, cap_changes;
};

struct replay_attempt {		/* one recipient; or a message without any */
	const struct event *of;
	struct slice	 recipient;
	enum verdict	 was, would;
	struct slice	 was_limit, limit;	/* that said so, or "" */
	struct slice	 rule, reply;		/* of would */
	struct slice	 now;			/* its tenant then; "": nobody */
};

struct replay_text {
	size_t		 n;
	char		 text[256];
};

struct replay_first {		/* the last full record of a kind of refusal */
	struct replay_text recipient, from, limit, rule, tenant;
	enum verdict	 would;
	int64_t		 size;
};

struct replay {
	const struct policy *policy;
	struct ledger	*ledger;
	struct arena	*arena;		/* of one event */
	struct progress	*progress;	/* of warmups, at that event */
	struct replay_tally tally;
	bool		 counts;	/* not while it warms up */
	uint64_t	 settled;	/* sequence in our own ledger */
	/* of those that count */
	uint64_t	 messages, shadowed, was_shadowed;
	uint64_t	 desk, inside, voided;	/* left as they were */
	int64_t		 from, since;	/* warmed up from, counted since; us */
};

/* replay_pages.c: the events first to last; show (may be NULL) is told which
 * one is done, now and then. Action. */
int	replay_pages(struct replay *, struct store *, uint64_t first,
	    uint64_t last, void (*show)(void *, uint64_t seq), void *,
	    struct why *);

/* replay_event.c: one event, whatever its kind, with the recipients of the same
 * message that were turned away before it. Action. */
int	replay_event(struct replay *, const struct event *,
	    const struct event *const *refused, size_t nrefused,
	    struct why *);

/* replay_warmup.c: how far warmups were before that event; and one decision of
 * their rules, -1 without memory */
int	replay_warmups(struct replay *, struct store *, uint64_t first,
	    struct why *);
int	replay_warmup(struct replay *, const struct event *);

/* replay_first.c: a refusal is kept for its repeats. -1 without memory. */
int	replay_first_keep(struct replay_tally *,
	    const struct replay_attempt *);
const struct replay_first *replay_first_get(const struct replay_tally *,
	    const struct event *);		/* NULL: none */

/* replay_tally.c */
int	replay_tally_init(struct replay_tally *);	/* -1 without memory */
void	replay_tally_free(struct replay_tally *);
/* So many times the same; -1 without memory. */
int	replay_count(struct replay_tally *, const struct replay_attempt *,
	    uint64_t times);
void	replay_sort(struct replay_tally *);	/* by tenant, then limit */

/* Can headers decide which stream mail of this policy is in? */
bool	replay_by_header(const struct policy *);

/* replay_print.c */
void	replay_print(const struct replay *, const char *path, bool color);
void	replay_json(const struct replay *, const char *path);

#endif
