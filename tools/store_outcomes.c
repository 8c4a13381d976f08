/*
 * store_outcomes - what penstock store stat says of outcomes/: how full it is,
 * how far back it goes, and what was pruned.
 */
#include "tools/store_outcomes.h"

#include <inttypes.h>
#include <stdlib.h>

#include "reputation/outcome.h"

struct figures {
	struct db_stat	stat;
	int64_t		oldest;		/* us, of the first record; 0: none */
	uint64_t	pruned[DB_TABLES_MAX];
	uint64_t	all;		/* of them */
};

/* figures - of a store that is open */
static int
figures(struct outcomes *o, struct figures *f, struct why *why)
{
	struct arena *arena = arena_new(4096, 0);
	struct outcome first;
	char name[96];
	size_t n;
	int rc = -1;

	*f = (struct figures){ .oldest = 0 };
	if (arena == NULL)
		return why_kind(why, WHY_MEMORY, "out of memory");
	if (db_stat(outcomes_db(o), &f->stat, why) == -1 ||
	    outcomes_read(o, 1, 1, arena, &first, &n, why) == -1)
		goto out;
	if (n == 1)
		f->oldest = first.time;
	for (size_t i = 0; outcomes_tables[i] != NULL; i++) {
		snprintf(name, sizeof(name), "pruned %s", outcomes_tables[i]);
		if (outcomes_counter(o, name, &f->pruned[i], why) == -1)
			goto out;
		f->all += f->pruned[i];
	}
	rc = 0;
out:
	arena_free(arena);
	return rc;
}

/* as_json - a member of the object of stat */
static void
as_json(const struct figures *f, struct buf *b)
{
	buf_printf(b, ",\"outcomes\":{\"used\":%" PRIu64 ",\"file_size\":%"
	    PRIu64 ",\"readers\":%u,\"oldest_us\":%" PRId64 ",\"rows\":{",
	    f->stat.used, f->stat.file_size, f->stat.readers, f->oldest);
	for (size_t i = 0; outcomes_tables[i] != NULL; i++)
		buf_printf(b, "%s\"%s\":%" PRIu64, i > 0 ? "," : "",
		    outcomes_tables[i], f->stat.entries[i]);
	buf_str(b, "},\"pruned\":{");
	for (size_t i = 0; outcomes_tables[i] != NULL; i++)
		buf_printf(b, "%s\"%s\":%" PRIu64, i > 0 ? "," : "",
		    outcomes_tables[i], f->pruned[i]);
	buf_str(b, "}}");
}

/* for_eyes - tables that have or had something */
static void
for_eyes(const struct figures *f, struct buf *b)
{
	const struct db_stat *st = &f->stat;

	buf_printf(b, "\noutcomes/\nused         %.1f MiB of %.1f MiB (%.1f "
	    "%%)\n", (double)st->used / (1 << 20),
	    (double)st->map_size / (1 << 20),
	    100.0 * (double)st->used / (double)st->map_size);
	for (size_t i = 0; outcomes_tables[i] != NULL; i++) {
		if (st->entries[i] == 0 && f->pruned[i] == 0)
			continue;
		buf_printf(b, "%-12s %" PRIu64 " rows", outcomes_tables[i],
		    st->entries[i]);
		if (f->pruned[i] > 0)
			buf_printf(b, ", %" PRIu64 " pruned", f->pruned[i]);
		buf_char(b, '\n');
	}
	if (f->oldest != 0) {
		buf_str(b, "from         ");
		event_time(f->oldest, b);
		buf_char(b, '\n');
	}
}

/* store_outcomes - appended; nothing where there is no such store */
int
store_outcomes(const struct config *config, bool json, struct buf *b,
    struct why *why)
{
	char *dir = xasprintf("%s/outcomes", config->store);
	struct outcomes *o = NULL;
	struct figures f;
	int rc = outcomes_open_read(&o, dir, why);

	if (rc == 1 && (rc = figures(o, &f, why)) == 0)
		(json ? as_json : for_eyes)(&f, b);
	outcomes_close(o);
	free(dir);
	return rc == -1 ? -1 : 0;
}
