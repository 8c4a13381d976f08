/*
 * map - linear probing, at most 3/4 full, deletions by shifting back.  The
 * hash is seeded per map, so that names chosen by a tenant cannot be made to
 * collide.
 */
#include "lib/map.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/random.h>

#include "lib/hash.h"

struct entry {
	const char	*key;
	void		*value;		/* NULL: empty */
	uint32_t	 n;
	uint32_t	 hash;		/* low half, enough to compare and place */
};

struct map {
	struct entry	*table;
	size_t		 size;		/* a power of two */
	size_t		 count;
	uint64_t	 seed;
};

/* map_new - an empty map */
struct map *
map_new(void)
{
	struct map *m = NULL;

	if ((m = calloc(1, sizeof(*m))) == NULL)
		return NULL;
	m->size = 16;
	if ((m->table = calloc(m->size, sizeof(*m->table))) == NULL) {
		free(m);
		return NULL;
	}
	if (getrandom(&m->seed, sizeof(m->seed), GRND_NONBLOCK) !=
	    sizeof(m->seed))
		m->seed = (uint64_t)(uintptr_t)m;	/* early boot */
	return m;
}

/* map_free - the map, not what it points to */
void
map_free(struct map *m)
{
	if (m == NULL)
		return;
	free(m->table);
	free(m);
}

/* find - the entry of that key, or the empty one where it would go */
static struct entry *
find(const struct map *m, struct slice key, uint32_t hash)
{
	size_t i = hash & (m->size - 1);

	for (;; i = (i + 1) & (m->size - 1)) {
		struct entry *e = &m->table[i];

		if (e->value == NULL || (e->hash == hash && e->n == key.n &&
		    (key.n == 0 || memcmp(e->key, key.p, key.n) == 0)))
			return e;
	}
}

/* hash_of - placed by the low half */
static uint32_t
hash_of(const struct map *m, struct slice key)
{
	return (uint32_t)hash_64(m->seed, key.p, key.n);
}

/* grow - twice the room */
static int
grow(struct map *m)
{
	struct map bigger = *m;

	if (m->size > SIZE_MAX / 2 / sizeof(*m->table) ||
	    m->size > UINT32_MAX / 2)
		return -1;
	bigger.size = m->size * 2;
	bigger.table = calloc(bigger.size, sizeof(*bigger.table));
	if (bigger.table == NULL)
		return -1;
	for (size_t i = 0; i < m->size; i++) {
		const struct entry *e = &m->table[i];

		if (e->value != NULL)
			*find(&bigger, (struct slice){ e->key, e->n },
			    e->hash) = *e;
	}
	free(m->table);
	*m = bigger;
	return 0;
}

/* map_get - the value of that key */
void *
map_get(const struct map *m, struct slice key)
{
	return find(m, key, hash_of(m, key))->value;
}

/* map_add - unless the key is there already */
int
map_add(struct map *m, struct slice key, void *value, void **old)
{
	struct entry *e;
	uint32_t hash = hash_of(m, key);

	if (old != NULL)
		*old = NULL;
	if (key.n > UINT32_MAX)
		return -1;
	if (m->count >= m->size / 4 * 3 && grow(m) == -1)
		return -1;
	e = find(m, key, hash);
	if (e->value != NULL) {
		if (old != NULL)
			*old = e->value;
		return 0;
	}
	*e = (struct entry){ key.p, value, (uint32_t)key.n, hash };
	m->count++;
	return 0;
}

/* map_set - whatever was there before */
int
map_set(struct map *m, struct slice key, void *value)
{
	void *old;

	if (map_add(m, key, value, &old) == -1)
		return -1;
	if (old != NULL) {
		struct entry *e = find(m, key, hash_of(m, key));

		e->key = key.p;
		e->value = value;
	}
	return 0;
}

/* map_remove - take a key out and close the gap it leaves in its run */
void *
map_remove(struct map *m, struct slice key)
{
	size_t mask = m->size - 1, gap, i;
	struct entry *e = find(m, key, hash_of(m, key));
	void *value = e->value;

	if (value == NULL)
		return NULL;
	gap = (size_t)(e - m->table);
	for (i = (gap + 1) & mask; m->table[i].value != NULL;
	    i = (i + 1) & mask) {
		size_t home = m->table[i].hash & mask;

		/* may it move back to the gap without passing its home? */
		if (((i - home) & mask) >= ((i - gap) & mask)) {
			m->table[gap] = m->table[i];
			gap = i;
		}
	}
	m->table[gap] = (struct entry){ NULL, NULL, 0, 0 };
	m->count--;
	return value;
}

/* map_count - keys in it */
size_t
map_count(const struct map *m)
{
	return m->count;
}

/* map_next - one after the other; nothing may be added meanwhile */
bool
map_next(const struct map *m, size_t *at, struct slice *key, void **value)
{
	for (; *at < m->size; (*at)++) {
		const struct entry *e = &m->table[*at];

		if (e->value == NULL)
			continue;
		if (key != NULL)
			*key = (struct slice){ e->key, e->n };
		if (value != NULL)
			*value = e->value;
		(*at)++;
		return true;
	}
	return false;
}
