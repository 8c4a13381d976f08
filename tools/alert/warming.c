/*
 * warming - see warming.h.
 *
 * Which addresses a pool has says the policy; which of them its mail left by
 * say the cells, and those are of the week in question, whatever the policy
 * says today.
 */
#include "tools/alert/warming.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "lib/map.h"
#include "lib/mem.h"
#include "policy/progress.h"

enum { WEEKS = 14 };		/* two of them, in days */

struct warming {
	struct arena	*arena;
	struct map	*addresses, *pools;	/* name -> itself */
	bool		 failed;		/* no memory */
};

/* warming_free - NULL is allowed */
void
warming_free(struct warming *w)
{
	if (w == NULL)
		return;
	map_free(w->addresses);
	map_free(w->pools);
	arena_free(w->arena);
	free(w);
}

/* remember - a name */
static void
remember(struct warming *w, struct map *map, struct slice name)
{
	struct slice *copy;

	if (map_get(map, name) != NULL)
		return;
	copy = arena_alloc(w->arena, sizeof(*copy));
	if (copy == NULL || (*copy = arena_copy(w->arena, name)).p == NULL ||
	    map_set(map, *copy, copy) == -1)
		w->failed = true;
}

/* is_address - and not what a tenant's warmup counts apart */
static bool
is_address(struct slice name)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr room;

	if (name.n >= sizeof(text))
		return false;
	memcpy(text, name.p, name.n);
	text[name.n] = '\0';
	return inet_pton(AF_INET, text, &room) == 1 ||
	    inet_pton(AF_INET6, text, &room) == 1;
}

/* add - the pool of a cell, when its address is one */
static bool
add(void *with, const struct cell *c)
{
	struct warming *w = with;

	if (c->pool.n > 0 && map_get(w->addresses, c->address) != NULL)
		remember(w, w->pools, c->pool);
	return !w->failed;
}

/* read_rows - of the gate */
static int
read_rows(struct warming *w, struct store *gate, int32_t day, struct why *why)
{
	const struct warm_row *rows;
	struct progress *p = NULL;
	size_t n;

	if (gate == NULL)
		return 0;
	if (progress_restore(gate, &p, why) == -1)
		return -1;
	n = progress_rows(p, &rows);
	for (size_t i = 0; i < n; i++)
		if (rows[i].warmed == 0 && rows[i].used >= day - WEEKS &&
		    is_address(rows[i].name))
			remember(w, w->addresses, rows[i].name);
	progress_drop(p);
	return 0;
}

/* warming_read - addresses, then the pools they were in */
int
warming_read(struct warming **out, struct store *gate, struct db *watch,
    int32_t day, struct why *why)
{
	struct warming *w = calloc(1, sizeof(*w));

	*out = NULL;
	if (w == NULL)
		return why_kind(why, WHY_MEMORY, "no memory for warmups");
	w->arena = arena_new(1 << 12, 0);
	w->addresses = map_new();
	w->pools = map_new();
	w->failed = w->arena == NULL || w->addresses == NULL ||
	    w->pools == NULL;
	if (w->failed || read_rows(w, gate, day, why) == -1 ||
	    (map_count(w->addresses) > 0 && rollup_each(watch, GRAIN_DAY,
	    day - WEEKS, day, add, w, why) == -1) || w->failed) {
		if (w->failed)
			why_kind(why, WHY_MEMORY, "no memory for warmups");
		warming_free(w);
		return -1;
	}
	*out = w;
	return 0;
}

/* warming_is - does it? */
bool
warming_is(void *with, enum subject_kind kind, struct slice name)
{
	const struct warming *w = with;

	return kind == SUBJECT_ADDRESS ? map_get(w->addresses, name) != NULL :
	    kind == SUBJECT_POOL && map_get(w->pools, name) != NULL;
}
