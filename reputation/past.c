/*
 * past - see past.h.
 *
 * One map from (kind, name) to a row of 32-bit counts: a sender has some
 * hundred bytes, however many his cells are.
 */
#include "reputation/past.h"

#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/map.h"
#include "lib/mem.h"

static const enum subject_kind kinds[] = { SUBJECT_PLATFORM, SUBJECT_GROUP,
	SUBJECT_TENANT, SUBJECT_DOMAIN, SUBJECT_POOL, SUBJECT_ADDRESS };
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

struct past {
	struct arena	*arena;
	struct map	*rows;		/* kind, name -> uint32_t[ndays] */
	struct buf	 key;
	int32_t		 from, ndays;
	bool		 failed;	/* no memory */
};

/* past_free - NULL is allowed */
void
past_free(struct past *p)
{
	if (p == NULL)
		return;
	map_free(p->rows);
	arena_free(p->arena);
	buf_free(&p->key);
	free(p);
}

/* key_of - of a subject */
static struct slice
key_of(struct buf *b, enum subject_kind kind, struct slice name)
{
	buf_reset(b);
	buf_char(b, (char)('a' + (int)kind));
	buf_slices(b, name);
	return buf_slice(b);
}

/* row_of - made when it is new; NULL: no memory */
static uint32_t *
row_of(struct past *p, enum subject_kind kind, struct slice name)
{
	struct slice key = key_of(&p->key, kind, name);
	uint32_t *row = buf_failed(&p->key) ? NULL : map_get(p->rows, key);

	if (row != NULL || buf_failed(&p->key))
		return row;
	key = arena_copy(p->arena, key);
	row = arena_array(p->arena, (size_t)p->ndays, sizeof(*row));
	return key.p != NULL && row != NULL &&
	    map_set(p->rows, key, row) == 0 ? row : NULL;
}

/* add - a cell to whatever it is in */
static bool
add(void *with, const struct cell *c)
{
	struct past *p = with;
	struct slice names[KINDS] = { SLICE(""), c->group, c->tenant,
		c->domain, c->pool, c->address };
	uint64_t n = c->n[TALLY_ACCEPTED];
	uint32_t *row;

	for (size_t i = 0; i < KINDS && n > 0; i++) {
		if (names[i].n == 0 && kinds[i] != SUBJECT_PLATFORM)
			continue;
		if ((row = row_of(p, kinds[i], names[i])) == NULL) {
			p->failed = true;
			return false;
		}
		row += c->at - p->from;
		*row = n > UINT32_MAX - *row ? UINT32_MAX :
		    *row + (uint32_t)n;
	}
	return true;
}

/* past_read - the cells of those days */
int
past_read(struct past **out, struct db *watch, int32_t from, int32_t ndays,
    struct why *why)
{
	struct past *p = calloc(1, sizeof(*p));

	*out = NULL;
	if (p == NULL)
		return why_kind(why, WHY_MEMORY, "no memory to add up");
	p->from = from;
	p->ndays = ndays;
	p->arena = arena_new(1 << 16, 0);
	p->rows = map_new();
	p->failed = p->arena == NULL || p->rows == NULL;
	if (!p->failed && rollup_each(watch, GRAIN_DAY, from, from + ndays,
	    add, p, why) == -1) {
		past_free(p);
		return -1;
	}
	if (p->failed) {
		past_free(p);
		return why_kind(why, WHY_MEMORY, "no memory to add up");
	}
	*out = p;
	return 0;
}

/* past_of - each day of one */
bool
past_of(struct past *p, enum subject_kind kind, struct slice name,
    uint64_t *days)
{
	const uint32_t *row = map_get(p->rows, key_of(&p->key, kind, name));

	for (int32_t i = 0; i < p->ndays; i++)
		days[i] = row != NULL ? row[i] : 0;
	return row != NULL;
}
