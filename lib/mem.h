/*
 * mem - arenas: the memory of one message, or of one policy, freed in one call.
 *
 * Not for things that outlive their owner, and not for buffers that grow by
 * doubling (lib/buf.h).  An arena keeps its first block across arena_reset, so
 * that a steady stream of messages allocates nothing.
 * Threads: an arena belongs to one thread at a time.
 */
#ifndef LIB_MEM_H
#define LIB_MEM_H

#include <stddef.h>
#include "lib/slice.h"

struct arena;

/* first: size of the block that is kept; limit: bytes in all, 0 for none. */
struct arena	*arena_new(size_t first, size_t limit);	/* NULL: no memory */
void	 arena_free(struct arena *);			/* NULL allowed */
void	 arena_reset(struct arena *);
size_t	 arena_used(const struct arena *);

/* Zeroed, aligned for any type; NULL over the limit or without memory. */
void	*arena_alloc(struct arena *, size_t);
void	*arena_array(struct arena *, size_t n, size_t size); /* checked n*size */
/* Copies, with a NUL behind that is not counted. p == NULL: no memory. */
struct slice arena_copy(struct arena *, struct slice);
char	*arena_printf(struct arena *, const char *, ...)
	    __attribute__((format(printf, 2, 3)));

/* Cannot fail: log_fatal. For start-up and the command line only. */
void	*xmalloc(size_t);
void	*xcalloc(size_t, size_t);
void	*xrealloc(void *, size_t);
char	*xstrdup(const char *);
char	*xasprintf(const char *, ...) __attribute__((format(printf, 1, 2)));

#endif
