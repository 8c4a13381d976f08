/*
 * forms - compare, read what differs, write it a slice at a time.
 *
 * A good tenant file's text is kept in the store, so that a restart with that
 * file broken finds the tenant as it was.  The store is walked once, its texts
 * hashed and the hashes held against those of the policy: a start with 100,000
 * files that are as they were reads none of them again and writes nothing.
 * Of files that are gone the form goes too: a file of that name made later
 * owes nothing to it.
 *
 * Texts are read before the writer is asked; its transactions take them from
 * memory, in the order of the store's keys, so that forms that come together
 * lie on the same pages.
 */
#include "milter/forms.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"

enum { SLICE_BYTES = 1 << 20 };		/* of one transaction, about */

struct kept {				/* a row of the store */
	struct slice	 path;
	uint8_t		 hash[HASH_SHA256];
	bool		 named;		/* the policy has that file */
	struct kept	*next;
};

struct form_change {			/* text absent: it goes */
	uint8_t		 key[16];
	struct slice	 path, text;
};

struct forms {
	struct arena	*arena;
	struct map	*kept;
	struct kept	*first;
	struct form_change *all;
	size_t		 n, room, done;
	bool		 short_of_memory;
};

/* note_kept - a row of the store */
static bool
note_kept(void *with, struct slice path, struct slice text)
{
	struct forms *f = with;
	struct kept *k = arena_alloc(f->arena, sizeof(*k));

	if (k == NULL || (k->path = arena_copy(f->arena, path)).p == NULL ||
	    map_set(f->kept, k->path, k) == -1) {
		f->short_of_memory = true;
		return false;
	}
	hash_sha256(text.p, text.n, k->hash);
	k->next = f->first;
	f->first = k;
	return true;
}

/* is_kept - does the store have that file as it is? */
static bool
is_kept(void *with, struct slice path, const uint8_t hash[HASH_SHA256])
{
	struct forms *f = with;
	struct kept *k = map_get(f->kept, path);

	if (k == NULL)
		return false;
	k->named = true;
	return memcmp(k->hash, hash, HASH_SHA256) == 0;
}

/* add - one more, copied; a form that finds no memory is kept next time */
static void
add(void *with, struct slice path, struct slice text)
{
	struct forms *f = with;
	size_t room = f->room == 0 ? 64 : f->room * 2;
	struct form_change *all, c = { .text = SLICE_NONE };

	if (f->n == f->room) {
		if ((all = reallocarray(f->all, room, sizeof(*all))) == NULL)
			return;
		f->all = all;
		f->room = room;
	}
	c.path = arena_copy(f->arena, path);
	if (text.p != NULL)
		c.text = arena_copy(f->arena, text);
	if (c.path.p == NULL || (text.p != NULL && c.text.p == NULL))
		return;
	hash_128(path.p, path.n, c.key);
	f->all[f->n++] = c;
}

/* by_key - as they lie in the store */
static int
by_key(const void *a, const void *b)
{
	const struct form_change *x = a, *y = b;

	return memcmp(x->key, y->key, sizeof(x->key));
}

/* forms_new - the difference between a policy and the store */
struct forms *
forms_new(const struct policy *policy, struct store *store)
{
	struct forms *f = calloc(1, sizeof(*f));
	struct why why;

	if (f == NULL)
		return NULL;
	if ((f->arena = arena_new(1 << 16, 0)) == NULL ||
	    (f->kept = map_new()) == NULL) {
		forms_free(f);
		return NULL;
	}
	if (store_each_form(store, note_kept, f, &why) == -1)
		log_warn("last good forms: %s", why.text);
	policy_files_unless(policy, is_kept, add, f);
	for (struct kept *k = f->first; k != NULL && !f->short_of_memory;
	    k = k->next)
		if (!k->named && access(k->path.p, F_OK) == -1 &&
		    errno == ENOENT)
			add(f, k->path, SLICE_NONE);
	if (f->n > 0)
		qsort(f->all, f->n, sizeof(*f->all), by_key);
	return f;
}

/* forms_left - how many are to be written yet */
size_t
forms_left(const struct forms *f)
{
	return f->n - f->done;
}

/* forms_put - some of them */
bool
forms_put(struct forms *f, struct store *store, size_t most)
{
	bool all = most == SIZE_MAX;
	size_t bytes = 0;
	struct why why;

	for (; most > 0 && forms_left(f) > 0 && (all || bytes < SLICE_BYTES);
	    most--) {
		const struct form_change *c = &f->all[f->done];

		if (store_put_form(store, c->path, c->text, &why) == -1) {
			log_warn("last good form of %.*s: %s",
			    SLICE_ARG(c->path), why.text);
			f->done = f->n;
			break;
		}
		bytes += c->text.n;
		f->done++;
	}
	return forms_left(f) > 0;
}

/* forms_free - all of it */
void
forms_free(struct forms *f)
{
	if (f == NULL)
		return;
	map_free(f->kept);
	arena_free(f->arena);
	free(f->all);
	free(f);
}
