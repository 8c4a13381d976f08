/*
 * progress_restore - the picture as the store has it: for the gate when it
 * starts, and for those who look.
 */
#include "policy/progress.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "lib/store_warm.h"

struct loading {
	struct warm_factor factors[PROGRESS_FACTORS];
	struct warm_row	*rows;
	size_t		 n, cap;
	struct arena	*arena;
	struct why	*why;
	bool		 failed;
};

/* room - for one row more */
static bool
room(struct loading *l)
{
	struct warm_row *more;

	if (l->n < l->cap)
		return true;
	l->cap = l->cap > 0 ? 2 * l->cap : 256;
	if ((more = realloc(l->rows, l->cap * sizeof(*more))) == NULL)
		return false;
	l->rows = more;
	return true;
}

/* keep - a row, copied; false without memory */
static bool
keep(struct loading *l, const uint8_t key[PROGRESS_KEY], struct slice value)
{
	struct slice copy = arena_copy(l->arena, value);
	struct warm_factor *to;
	struct warm_row *row;

	if (copy.p == NULL || !room(l))
		return false;
	row = &l->rows[l->n];
	if (progress_decode(key, copy, row, l->factors, l->why) == -1) {
		l->why->kind = WHY_BROKEN;
		why_in(l->why, "how far the warmups have come (penstock store "
		    "verify)");
		l->failed = true;
		return true;
	}
	to = arena_array(l->arena, row->nfactors + 1, sizeof(*to));
	if (to == NULL)
		return false;
	memcpy(to, l->factors, row->nfactors * sizeof(*to));
	row->factors = to;
	l->n++;
	return true;
}

/* load - one of the store */
static bool
load(void *with, const uint8_t key[STORE_WARM_KEY], struct slice value)
{
	struct loading *l = with;

	if (!keep(l, key, value)) {
		why_kind(l->why, WHY_MEMORY, "no memory for the warmups");
		l->failed = true;
	}
	return !l->failed;
}

/* progress_restore - all rows */
int
progress_restore(struct store *store, struct progress **out, struct why *why)
{
	struct loading l = { .arena = arena_new(64u << 10, 0), .why = why };
	int rc = -1;

	*out = NULL;
	if (l.arena == NULL)
		return why_kind(why, WHY_MEMORY, "no memory for the warmups");
	if (store_each_warm(store, load, &l, why) == 0 && !l.failed) {
		*out = progress_after(NULL, l.rows, l.n);
		rc = *out != NULL ? 0 : why_kind(why, WHY_MEMORY,
		    "no memory for the warmups");
	}
	free(l.rows);
	arena_free(l.arena);
	return rc;
}
