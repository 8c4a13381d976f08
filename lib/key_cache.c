/*
 * key_cache - parsed keys at hand: parsing costs 350 us, more than signing.
 *
 * One mutex, one map from path to entry, one list in order of use.  A hit
 * moves two pointers and counts one reference.  Nobody parses with the mutex
 * held: two threads may parse the same new key at the same time, and the
 * second result is thrown away.  A file that cannot be used is remembered as
 * such, with its sentence, until key_cache_refresh, so that a broken key does
 * not cost a parse per message; our own trouble (WHY_MEMORY: no memory, no
 * descriptors) is not remembered.
 *
 * Not chosen: a look at the file for every message (a stat each, and a key
 * half copied would be taken); a lock per entry (nothing waits for this one).
 */
#include "lib/key.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "lib/map.h"

enum { KEEP = 4096 };

struct entry {
	struct key	 key;		/* first: key_release gets back here */
	atomic_uint	 refs;		/* the map's own counts */
	bool		 failed;
	struct why	 why;
	struct stat	 st;		/* of the file that was read */
	struct entry	*newer, *older;	/* order of use; under the mutex */
	char		 path[];
};

struct key_cache {
	pthread_mutex_t	 mutex;		/* all below */
	pthread_cond_t	 wake;
	struct map	*map;
	struct entry	*newest, *oldest;
	size_t		 keep;
	unsigned	 generation;	/* of refreshes */

	pthread_t	 thread;	/* the one that parses ahead */
	bool		 running, stop;
	char		**queue;	/* a ring of keep paths */
	size_t		 head, queued;
};

/* entry_drop - one reference less */
static void
entry_drop(struct entry *e)
{
	if (atomic_fetch_sub_explicit(&e->refs, 1, memory_order_acq_rel) != 1)
		return;
	EVP_PKEY_free(e->key.pkey);
	free(e);
}

/* entry_new - parse that file, for better or worse */
static struct entry *
entry_new(const char *path, struct why *why)
{
	size_t n = strlen(path);
	struct entry *e = NULL;

	if ((e = calloc(1, sizeof(*e) + n + 1)) == NULL) {
		why_kind(why, WHY_MEMORY, "%s: no memory", path);
		return NULL;
	}
	memcpy(e->path, path, n + 1);
	atomic_init(&e->refs, 1);
	e->failed = key_parse(path, &e->key, &e->st, &e->why) == -1;
	if (e->failed && e->why.kind == WHY_MEMORY) {
		*why = e->why;
		entry_drop(e);
		return NULL;
	}
	return e;
}

/* unlink_entry - out of the order of use */
static void
unlink_entry(struct key_cache *c, struct entry *e)
{
	*(e->newer != NULL ? &e->newer->older : &c->newest) = e->older;
	*(e->older != NULL ? &e->older->newer : &c->oldest) = e->newer;
	e->newer = e->older = NULL;
}

/* link_newest - used just now */
static void
link_newest(struct key_cache *c, struct entry *e)
{
	e->older = c->newest;
	*(c->newest != NULL ? &c->newest->newer : &c->oldest) = e;
	c->newest = e;
}

/* forget - out of the map; whoever signs with it keeps it alive */
static void
forget(struct key_cache *c, struct entry *e)
{
	map_remove(c->map, slice_of(e->path));
	unlink_entry(c, e);
	entry_drop(e);
}

/* find - under the mutex; a hit is the newest */
static struct entry *
find(struct key_cache *c, const char *path)
{
	struct entry *e = map_get(c->map, slice_of(path));

	if (e != NULL && e != c->newest) {
		unlink_entry(c, e);
		link_newest(c, e);
	}
	return e;
}

/*
 * keep - under the mutex: the new entry joins the map with a reference of its
 * own, unless another thread was quicker or the files may have changed since
 */
static struct entry *
keep(struct key_cache *c, struct entry *e, unsigned generation)
{
	struct entry *there = find(c, e->path);

	if (there != NULL)
		return there;
	if (generation != c->generation ||
	    map_set(c->map, slice_of(e->path), e) == -1)
		return e;
	atomic_fetch_add(&e->refs, 1);
	link_newest(c, e);
	if (map_count(c->map) > c->keep)
		forget(c, c->oldest);
	return e;
}

/* fetch - the entry of that path with a reference for the caller */
static struct entry *
fetch(struct key_cache *c, const char *path, struct why *why)
{
	struct entry *e, *mine;
	unsigned generation;

	pthread_mutex_lock(&c->mutex);
	generation = c->generation;
	if ((e = find(c, path)) != NULL)
		atomic_fetch_add_explicit(&e->refs, 1, memory_order_relaxed);
	pthread_mutex_unlock(&c->mutex);
	if (e != NULL || (mine = entry_new(path, why)) == NULL)
		return e;

	pthread_mutex_lock(&c->mutex);
	e = keep(c, mine, generation);
	if (e != mine)
		atomic_fetch_add(&e->refs, 1);
	pthread_mutex_unlock(&c->mutex);
	if (e != mine)
		entry_drop(mine);
	return e;
}

/* key_get - parsed, with a reference */
int
key_get(struct key_cache *c, const char *path, const struct key **key,
    struct why *why)
{
	struct entry *e = fetch(c, path, why);

	*key = NULL;
	if (e == NULL)
		return -1;
	if (e->failed) {
		*why = e->why;
		entry_drop(e);
		return -1;
	}
	*key = &e->key;
	return 0;
}

/* key_release - NULL allowed */
void
key_release(struct key_cache *c, const struct key *key)
{
	(void)c;
	if (key != NULL)
		entry_drop((struct entry *)(uintptr_t)key);
}

/* changed - is the file another one than that which was parsed? */
static bool
changed(const struct entry *e)
{
	struct stat st;
	struct why why;

	if (e->failed || stat(e->path, &st) == -1)
		return true;
	return st.st_dev != e->st.st_dev || st.st_ino != e->st.st_ino ||
	    st.st_size != e->st.st_size ||
	    st.st_mtim.tv_sec != e->st.st_mtim.tv_sec ||
	    st.st_mtim.tv_nsec != e->st.st_mtim.tv_nsec ||
	    key_stat(e->path, &why) == -1;
}

/* key_cache_refresh - look at the files without the mutex, forget with it */
void
key_cache_refresh(struct key_cache *c)
{
	struct entry **all = NULL, *e;
	size_t n = 0;

	pthread_mutex_lock(&c->mutex);
	c->generation++;
	all = calloc(map_count(c->map) + 1, sizeof(*all));
	for (e = c->newest; e != NULL; e = e->older) {
		if (all == NULL)
			continue;
		atomic_fetch_add(&e->refs, 1);
		all[n++] = e;
	}
	/* without memory to look, nothing can be trusted to be unchanged */
	while (all == NULL && c->newest != NULL)
		forget(c, c->newest);
	pthread_mutex_unlock(&c->mutex);

	for (size_t i = 0; i < n; i++) {
		bool stale = changed(all[i]);

		pthread_mutex_lock(&c->mutex);
		if (stale && map_get(c->map, slice_of(all[i]->path)) == all[i])
			forget(c, all[i]);
		pthread_mutex_unlock(&c->mutex);
		entry_drop(all[i]);
	}
	free(all);
}

/* next - under the mutex: a path that is not there yet, or NULL to stop */
static char *
next(struct key_cache *c)
{
	char *path;

	for (;;) {
		while (c->queued == 0 && !c->stop)
			pthread_cond_wait(&c->wake, &c->mutex);
		if (c->stop)
			return NULL;
		path = c->queue[c->head];
		c->head = (c->head + 1) % c->keep;
		c->queued--;
		/* never push out a key that mail has asked for */
		if (map_count(c->map) < c->keep &&
		    map_get(c->map, slice_of(path)) == NULL)
			return path;
		free(path);
	}
}

/* ahead - the thread that parses before the mail comes */
static void *
ahead(void *arg)
{
	struct key_cache *c = arg;
	struct why why;
	char *path;

	for (;;) {
		struct entry *e;

		pthread_mutex_lock(&c->mutex);
		path = next(c);
		pthread_mutex_unlock(&c->mutex);
		if (path == NULL)
			return NULL;
		if ((e = fetch(c, path, &why)) != NULL)
			entry_drop(e);
		free(path);
	}
}

/* start - under the mutex: the thread, with all signals left to the others */
static bool
start(struct key_cache *c)
{
	sigset_t all, old;

	if (c->running)
		return true;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	c->running = pthread_create(&c->thread, NULL, ahead, c) == 0;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return c->running;
}

/* key_prefetch - best effort: what finds no room is parsed at first use */
void
key_prefetch(struct key_cache *c, const char *path)
{
	char *copy = strdup(path);

	if (copy == NULL)
		return;
	pthread_mutex_lock(&c->mutex);
	if (c->queued < c->keep && start(c)) {
		c->queue[(c->head + c->queued++) % c->keep] = copy;
		copy = NULL;
		pthread_cond_signal(&c->wake);
	}
	pthread_mutex_unlock(&c->mutex);
	free(copy);
}

/* key_cache_new - NULL: no memory */
struct key_cache *
key_cache_new(size_t keys)
{
	struct key_cache *c = NULL;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		return NULL;
	pthread_mutex_init(&c->mutex, NULL);
	pthread_cond_init(&c->wake, NULL);
	c->keep = keys > 0 ? keys : KEEP;
	c->queue = calloc(c->keep, sizeof(*c->queue));
	c->map = map_new();
	if (c->queue == NULL || c->map == NULL) {
		key_cache_free(c);
		return NULL;
	}
	return c;
}

/* key_cache_free - stops the thread; keys still held live on */
void
key_cache_free(struct key_cache *c)
{
	if (c == NULL)
		return;
	pthread_mutex_lock(&c->mutex);
	c->stop = true;
	pthread_cond_signal(&c->wake);
	pthread_mutex_unlock(&c->mutex);
	if (c->running)
		pthread_join(c->thread, NULL);
	while (c->newest != NULL)
		forget(c, c->newest);
	for (; c->queued > 0; c->queued--) {
		free(c->queue[c->head]);
		c->head = (c->head + 1) % c->keep;
	}
	map_free(c->map);
	free(c->queue);
	pthread_cond_destroy(&c->wake);
	pthread_mutex_destroy(&c->mutex);
	free(c);
}
