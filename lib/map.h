/*
 * map - a hash map from bytes to a pointer; open addressing, keyed hash.
 *
 * Keys are borrowed: they must live as long as the map (usually in the same
 * arena as the values).  Values are never NULL.
 * Threads: readers any while nobody writes.
 */
#ifndef LIB_MAP_H
#define LIB_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include "lib/slice.h"

struct map;

struct map	*map_new(void);			/* NULL: no memory */
void	 map_free(struct map *);		/* NULL allowed; values untouched */
void	*map_get(const struct map *, struct slice key);	/* NULL: not there */
/* 0, -1 without memory; *old: the value that was there and stays, or NULL */
int	 map_add(struct map *, struct slice key, void *value, void **old);
int	 map_set(struct map *, struct slice key, void *value);	/* replaces */
void	*map_remove(struct map *, struct slice key);
size_t	 map_count(const struct map *);
/* Start with *at = 0; false at the end. Order is arbitrary. */
bool	 map_next(const struct map *, size_t *at, struct slice *key,
	    void **value);

#endif
