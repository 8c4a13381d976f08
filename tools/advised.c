/*
 * advised - see advised.h.
 *
 * An advice of which nobody decided anything is open in the latest week that
 * gave it; in the weeks before it is the same again, and one decision is
 * enough.
 */
#include "tools/advised.h"

#include <stdlib.h>
#include <string.h>

#include "lib/map.h"

enum { BATCH = 64 };

const char *const advised_names[] = { "open", "again", "applied", "dismissed",
	NULL };

struct loading {
	struct arena	*arena;
	struct advised	*list;		/* heap until all are there */
	size_t		 n, room;
	bool		 failed;
};

/* add - a copy */
static bool
add(void *with, const struct advice *a)
{
	struct loading *l = with;
	struct advised *one, *wider;

	if (l->n == l->room) {
		wider = realloc(l->list, (l->room * 2 + 32) * sizeof(*wider));
		if (wider == NULL) {
			l->failed = true;
			return false;
		}
		l->list = wider;
		l->room = l->room * 2 + 32;
	}
	one = &l->list[l->n++];
	*one = (struct advised){ .a = *a };
	one->a.name = arena_copy(l->arena, a->name);
	one->a.object = arena_copy(l->arena, a->object);
	one->a.text = arena_copy(l->arena, a->text);
	l->failed = one->a.name.p == NULL || one->a.object.p == NULL ||
	    one->a.text.p == NULL;
	return !l->failed;
}

/* copy_texts - of a record whose arena goes */
static bool
copy_texts(struct arena *arena, struct desk_record *r)
{
	struct slice *texts[] = { &r->object, &r->reason, &r->user, &r->sudo };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if ((*texts[i] = arena_copy(arena, texts[i]->p != NULL ?
		    *texts[i] : SLICE(""))).p == NULL)
			return false;
	return true;
}

/* decide - the desk, from its first record on; the last word counts */
static int
decide(struct judged *j, struct map *ids, struct why *why)
{
	struct arena *arena = arena_new(1 << 14, 0);
	struct desk_row rows[BATCH];
	uint64_t next = 1;
	size_t n = 0;
	int rc = -1;

	if (arena == NULL)
		return why_kind(why, WHY_MEMORY, "out of memory");
	do {
		arena_reset(arena);
		if (desk_read(j->desk, next, BATCH, arena, rows, &n,
		    why) == -1)
			goto out;
		for (size_t i = 0; i < n; i++) {
			struct desk_record *r = &rows[i].record;
			struct advised *one = NULL;

			next = r->seq + 1;
			if (r->kind == DESK_ADVICE_APPLY ||
			    r->kind == DESK_ADVICE_DISMISS)
				one = map_get(ids, r->object);
			if (one == NULL)
				continue;
			one->decision = *r;
			one->state = r->kind == DESK_ADVICE_APPLY ?
			    ADVISED_APPLIED : ADVISED_DISMISSED;
			if (!copy_texts(j->arena, &one->decision)) {
				why_kind(why, WHY_MEMORY, "out of memory");
				goto out;
			}
		}
	} while (n > 0);
	rc = 0;
out:
	arena_free(arena);
	return rc;
}

/* again - what a later week advised, too, is not open twice */
static int
again(struct judged *j, struct advised *list, size_t n, struct why *why)
{
	struct map *seen = map_new();
	int rc = seen != NULL ? 0 : -1;

	for (size_t i = 0; i < n && rc == 0; i++) {
		char *key = arena_printf(j->arena, "%d %d %.*s",
		    (int)list[i].a.what, (int)list[i].a.kind,
		    SLICE_ARG(list[i].a.name));
		void *old = NULL;

		rc = key == NULL ? -1 : map_add(seen, slice_of(key), &list[i],
		    &old);
		if (old != NULL && list[i].state == ADVISED_OPEN)
			list[i].state = ADVISED_AGAIN;
	}
	map_free(seen);
	return rc == 0 ? 0 : why_kind(why, WHY_MEMORY, "out of memory");
}

/* advised_load - all of it */
int
advised_load(struct judged *j, int32_t from, struct advised **out, size_t *n,
    struct why *why)
{
	struct loading l = { .arena = j->arena };
	struct map *ids = map_new();
	int rc = -1;

	*out = NULL;
	*n = 0;
	if (advice_each(j->watch, from, INT32_MAX, add, &l, why) == -1)
		goto out;
	if (l.failed || ids == NULL || (*out = arena_array(j->arena, l.n + 1,
	    sizeof(**out))) == NULL) {
		why_kind(why, WHY_MEMORY, "out of memory");
		goto out;
	}
	if (l.n > 0)
		memcpy(*out, l.list, l.n * sizeof(**out));
	*n = l.n;
	for (size_t i = 0; i < l.n; i++)
		if (map_set(ids, slice_of((*out)[i].a.id), &(*out)[i]) == -1) {
			why_kind(why, WHY_MEMORY, "out of memory");
			goto out;
		}
	if (j->desk != NULL && decide(j, ids, why) == -1)
		goto out;
	rc = again(j, *out, l.n, why);
out:
	map_free(ids);
	free(l.list);
	return rc;
}

/* advised_find - by id */
const struct advised *
advised_find(const struct advised *list, size_t n, const char *id)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].a.id, id) == 0)
			return &list[i];
	return NULL;
}
