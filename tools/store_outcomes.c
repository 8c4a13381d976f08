/*
 * store_outcomes - how far back outcomes/ goes, and what was pruned.
 */
#include "tools/store_outcomes.h"

#include <stdio.h>

#include "reputation/outcome.h"

/* store_outcomes - of each table, by its name */
int
store_outcomes(const char *dir, const struct db_about *about,
    uint64_t pruned[DB_TABLES_MAX], int64_t *oldest, struct why *why)
{
	struct arena *arena = arena_new(4096, 0);
	struct outcomes *o = NULL;
	struct outcome first;
	char name[96];
	size_t n = 0;
	int rc = -1;

	*oldest = 0;
	if (arena == NULL)
		return why_kind(why, WHY_MEMORY, "out of memory");
	if (outcomes_open_read(&o, dir, why) != 1 ||
	    outcomes_read(o, 1, 1, arena, &first, &n, why) == -1)
		goto out;
	if (n == 1)
		*oldest = first.time;
	for (unsigned i = 0; i < about->ntables; i++) {
		snprintf(name, sizeof(name), "pruned %s", about->names[i]);
		if (outcomes_counter(o, name, &pruned[i], why) == -1)
			goto out;
	}
	rc = 0;
out:
	outcomes_close(o);
	arena_free(arena);
	return rc;
}
