/*
 * watch - the watch/ store: what was made of events and outcomes.
 *
 * Written by penstock-alert alone, read by everybody.  Everything in it but
 * snapshots, budget and advice can be made again from gate/ and outcomes/:
 * who deletes it gets the same bytes back.  Tables belong to the modules that
 * are named; each says at the head of its .c what a key and a value are.
 * Threads: as lib/db.h.
 */
#ifndef REPUTATION_WATCH_H
#define REPUTATION_WATCH_H

#include <stdint.h>
#include "lib/db.h"

enum watch_table {
	WATCH_PLACES,		/* rollup: how far gate/ and outcomes/ are in */
	WATCH_HOURS,		/* rollup: cells of an hour */
	WATCH_DAYS,		/* rollup: cells of a day */
	WATCH_CATEGORIES,	/* rollup: what refusals meant, by day */
	WATCH_SCORES,		/* scores: one per subject and week */
	WATCH_SNAPSHOTS,	/* snapshot: those that were fetched */
	WATCH_BUDGET,		/* budget: calls of a month */
	WATCH_ADVICE,		/* advice */
	WATCH_CATEGORY_HOURS,	/* rollup: categories by hour */
	WATCH_TABLES
};
extern const struct db_layout watch_layout;

/* dir: .../watch.  The owner's, and a reader's (fetch: 0 no such store). */
int	watch_open(struct db **, const char *dir, uint64_t map_size,
	    struct why *);
int	watch_open_read(struct db **, const char *dir, struct why *);

#endif
