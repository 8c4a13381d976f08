/*
 * work - what the gate decided of held mail, carried out; and the inventory.
 *
 * For the half with the stores.  It follows the gate's table "held", tells the
 * other half what to do, and writes down in release/ what became of it
 * (lib/released.h).  work.c has the argument why nothing is delivered twice
 * and nothing is lost, whenever either half is killed.
 * Threads: one.
 */
#ifndef TOOLS_RELEASE_WORK_H
#define TOOLS_RELEASE_WORK_H

#include <stdbool.h>
#include "lib/config.h"
#include "lib/db.h"
#include "tools/release/ask.h"

#define WORK_AGE	(10 * INT64_C(1000000))	/* us between a decision and
						   what is done about it */

struct work;

struct work_tally {			/* since work_new */
	uint64_t	done, dropped, expired, gone, failed;
};

/* db: of release/, borrowed, as the configuration and the asks.  instances[i]
 * is whose messages asks[i] is about; asks[0] is for all that have none of
 * their own. */
int	work_new(struct work **, const struct config *, struct db *,
	    struct ask *const *asks, const char *const *instances, size_t n,
	    void (*wait)(void), struct why *);
void	work_free(struct work *);		/* NULL allowed */
/* Once round: what is due is done, and an inventory taken when its time has
 * come.  -1: the store is full (WHY_NOROOM), broken (WHY_BROKEN), or what is
 * said could not be done now; it goes on with the next call unless broken. */
int	work_round(struct work *, struct why *);
/* Is something decided and not done, that needs no person? */
bool	work_waits(const struct work *);
void	work_inventory_now(struct work *);
const struct work_tally *work_tally(const struct work *);

#endif
