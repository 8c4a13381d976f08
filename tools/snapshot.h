/*
 * snapshot - what the commands about snapshots share; nobody else includes it.
 */
#ifndef TOOLS_SNAPSHOT_H
#define TOOLS_SNAPSHOT_H

#include "lib/desk.h"
#include "reputation/budget.h"
#include "reputation/snapshot.h"
#include "tools/tool.h"

/* The two stores for reading; either stays NULL when there is none yet.
 * TOOL_BROKEN, said. */
struct snapshot_stores {
	struct db	*watch;
	struct desk	*desk;
};
int	snapshot_stores(const struct config *, struct snapshot_stores *);
void	snapshot_stores_close(struct snapshot_stores *);

/* "google", "Google" -> google in the arena; NULL: said, it is no name. */
const char *snapshot_provider(struct arena *, const char *);
/* What the budget knows of it: zeros without a store. 0, -1. */
int	snapshot_budget(const struct config *, struct db *watch,
	    struct slice provider, struct slice subject, int64_t now,
	    struct budget_answer *, struct why *);
/* "2026-08-03" of a day since 1970. */
const char *snapshot_date(int32_t day, char room[16]);

#endif
