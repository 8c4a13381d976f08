/*
 * limits - rows of `penstock limits`: a counter each, with whose it is.
 * Gathered by limits.c (from the policy) and limits_seen.c (values of logins,
 * senders and the like, from the events), printed by limits_print.c, with what
 * else keeps mail back (limits_stopped.c).
 */
#ifndef TOOLS_LIMITS_H
#define TOOLS_LIMITS_H

#include "tools/live.h"

struct limits_row {
	const struct tenant	*tenant;
	const struct limit	*limit;
	const struct zone	*zone;
	const struct stream	*stream; /* that it was asked for */
	uint8_t			 key[16];	/* of the counter */
	bool			 way;	/* it stands in a pool or an address */
	const char		*of;	/* "login=ops stream=bulk", or "" */
	struct counter_view	 view;
	int64_t			 most, window_end;
};

struct limits_rows {
	struct live		*live;
	struct limits_row	*list;
	size_t			 n, cap;
	struct map		*known;		/* by counter and limit */
	struct arena		*scratch;
	bool			 values;	/* some count by what is not said */
	size_t			 events;	/* looked at for it */
};

#define LIMITS_SEEN	10000	/* events looked through for values */
#define LIMITS_TOP	10	/* values of a limit that are shown */

/* The counters that mail of those facts meets; all: also empty ones.  Those
 * that count apart by what the facts do not say are left out (values is set).
 * -1 without memory. */
int	limits_add(struct limits_rows *, const struct tenant *,
	    const struct decide_facts *, bool all);
/* The same of the limits that stand in the pool and the address of the facts
 * (not NULL), without warmups: tenant NULL, those that all share; or those that
 * count his apart. */
int	limits_way(struct limits_rows *, const struct tenant *,
	    const struct decide_facts *, bool all);
/* Those of all streams of a tenant, as far as nothing more is said. */
int	limits_tenant(struct limits_rows *, const struct tenant *, bool all);
/* The same for the facts of the latest events; only: of that tenant, or NULL.
 * Action. */
int	limits_seen(struct limits_rows *, const struct tenant *only,
	    struct why *);
/* The fullest first; of the values of one limit, only the first LIMITS_TOP.
 * Returns how many were left out. */
size_t	limits_sort(struct limits_rows *);

/* limits_stopped.c: back-offs in force and tripped breakers, of a tenant or (p
 * NULL) of all; for eyes a line each, into the buffer, or the members of two
 * JSON arrays.  What cannot be read is said on stderr. */
void	limits_stopped(struct live *, struct slice tenant, bool json,
	    struct buf *);

void	limits_print(const struct limits_rows *, size_t left_out, bool color);
void	limits_json(const struct limits_rows *, size_t left_out,
	    struct slice tenant);

#endif
