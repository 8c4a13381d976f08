/*
 * watch - the watch/ store: its tables, and opening them.
 *
 * An LMDB environment of kind "watch", format 1.  Whose a table is stands in
 * watch.h, what is in it at the head of the .c that writes it.
 */
#include "reputation/watch.h"

static const char *const tables[] = { "places", "hours", "days", "categories",
	"scores", "snapshots", "budget", "advice", "category_hours",
	NULL };
const struct db_layout watch_layout = { .version = 1, .kind = "watch",
	.tables = tables };

_Static_assert(sizeof(tables) / sizeof(tables[0]) == WATCH_TABLES + 1,
    "a name for each table");

/* watch_open - as the owner */
int
watch_open(struct db **db, const char *dir, uint64_t map_size,
    struct why *why)
{
	return db_open_owner(db, dir, &watch_layout, map_size, why);
}

/* watch_open_read - as a reader */
int
watch_open_read(struct db **db, const char *dir, struct why *why)
{
	return db_open_reader(db, dir, &watch_layout, why);
}
