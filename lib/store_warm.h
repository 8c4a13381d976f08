/*
 * store_warm - how far warmups have come, in the gate's store: rows of the
 * table "warmups", as bytes (policy/progress.c has what is in them), and of
 * each time zone the first date whose mail was not looked at yet.
 *
 * Threads: writing calls "writer only", reading calls any.
 */
#ifndef LIB_STORE_WARM_H
#define LIB_STORE_WARM_H

#include "lib/store.h"

#define STORE_WARM_KEY	16

int	store_put_warm(struct store *, const uint8_t key[STORE_WARM_KEY],
	    struct slice row, struct why *);
/* Dates are days since 1970. */
int	store_put_judged(struct store *, struct slice zone, int64_t date,
	    struct why *);

/* Every row, in the order of keys; the callback returns false to stop.  One
 * transaction, whose bytes the callback borrows. */
int	store_each_warm(struct store *, bool (*)(void *,
	    const uint8_t key[STORE_WARM_KEY], struct slice row), void *,
	    struct why *);
int	store_judged(struct store *, struct slice zone, int64_t *date,
	    struct why *);					/* fetch */

#endif
