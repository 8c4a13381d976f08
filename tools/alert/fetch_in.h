/*
 * fetch_in - what the files of fetch share; nobody else includes it.
 *
 * fetch.c: the thread, requests of the desk, what is due.  fetch_job.c: one
 * refresh, from the budget to the rows.  fetch_google.c, fetch_snds.c: the
 * calls of it.  fetch_warm.c, fetch_http.c, fetch_secret.c.
 */
#ifndef TOOLS_ALERT_FETCH_IN_H
#define TOOLS_ALERT_FETCH_IN_H

#include "reputation/budget.h"
#include "reputation/snapshot.h"
#include "tools/alert/fetch.h"
#include "tools/alert/fetch_http.h"
#include "tools/alert/fetch_secret.h"

/* Of one round. */
struct fetch_round {
	const struct config *config;
	struct db	*watch;
	struct fetch_http *http;
	const atomic_bool *stop;	/* may be NULL */
	int64_t		 now, began;	/* began: clock_mono() then */
	struct buf	 token;		/* Google's access token; "" none yet */
	bool		 locked;	/* Google gives no token */
	unsigned	 refreshes;
};

/* One refresh. */
struct fetch_job {
	struct fetch_round *round;
	struct budget_rules rules;
	struct budget_ask ask;
	struct fetch_secret *secret;
	struct snapshot_set *set;
	bool		 paid;		/* budget_take's call is not made yet */
	bool		 failed;	/* no figures: try again before long */
	unsigned	 calls;
	int64_t		 wait;		/* us: a server asked for it */
	int32_t		 begin, end;	/* days that are asked for */
};

/* --- fetch_job.c ---------------------------------------------------------- */
/* The budget decides; then it is done. Fetch: 0 refused, *said why. -1: the
 * store. */
int	fetch_job(struct fetch_round *, struct slice provider,
	    struct slice subject, unsigned days, bool warm, uint64_t request,
	    struct budget_answer *said, struct why *);
/* One call that the budget allows: 1 an answer, 0 none, and the job has
 * failed with a row that says why; -1 the store. */
int	fetch_call(struct fetch_job *, const struct fetch_request *,
	    struct fetch_answer *, struct why *);
/* An answer that is none: its status as a state. -1: memory. */
int	fetch_refused(struct fetch_job *, const struct fetch_answer *,
	    struct why *);
/* A row for the whole refresh. */
int	fetch_failed(struct fetch_job *, enum snapshot_state, struct why *,
	    const char *, ...) __attribute__((format(printf, 4, 5)));

/* What Google is asked for, NULL-ended. */
extern const char *const fetch_google_names[];
/* 0 it is over, however it went; -1 the store, or memory. */
int	fetch_google(struct fetch_job *, struct why *);
int	fetch_snds(struct fetch_job *, struct why *);

/* --- fetch_warm.c --------------------------------------------------------- */
/* Has the warmup of some address of ours come to its end? */
bool	fetch_warm(struct fetch_round *);

#endif
