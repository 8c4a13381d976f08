/*
 * mem - a chain of blocks, each twice as large as the one before; a reset
 * frees all but the first.  Zeroing happens at hand-out, so that a reset costs
 * nothing for memory that nobody takes again.
 */
#include "lib/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"

enum { EXIT_OSERR = 71, GROWTH_MAX = 1 << 20 };

struct block {
	struct block	*prev;
	size_t		 size, used;
	_Alignas(max_align_t) unsigned char	 data[];
};

struct arena {
	struct block	*last;		/* the one being filled */
	size_t		 limit;		/* 0: none */
	size_t		 total;		/* bytes of all blocks */
};

/* block_new - a block with room for size bytes */
static struct block *
block_new(struct block *prev, size_t size)
{
	struct block *b;

	if (size > SIZE_MAX - sizeof(*b) ||
	    (b = malloc(sizeof(*b) + size)) == NULL)
		return NULL;
	b->prev = prev;
	b->size = size;
	b->used = 0;
	return b;
}

/* arena_new - with a first block that stays */
struct arena *
arena_new(size_t first, size_t limit)
{
	struct arena *a = NULL;

	if ((a = malloc(sizeof(*a))) == NULL)
		return NULL;
	if ((a->last = block_new(NULL, first)) == NULL) {
		free(a);
		return NULL;
	}
	a->limit = limit;
	a->total = first;
	return a;
}

/* arena_free - everything that was taken, and the arena */
void
arena_free(struct arena *a)
{
	struct block *b, *prev;

	if (a == NULL)
		return;
	for (b = a->last; b != NULL; b = prev) {
		prev = b->prev;
		free(b);
	}
	free(a);
}

/* arena_reset - all memory is free again; the first block is kept */
void
arena_reset(struct arena *a)
{
	struct block *prev;

	while ((prev = a->last->prev) != NULL) {
		a->total -= a->last->size;
		free(a->last);
		a->last = prev;
	}
	a->last->used = 0;
}

/* arena_used - bytes of the blocks held, taken or not */
size_t
arena_used(const struct arena *a)
{
	return a->total;
}

/* grow - a new last block, at least twice the one before, within the limit */
static bool
grow(struct arena *a, size_t need)
{
	size_t size = a->last->size;
	struct block *b;

	size = size < GROWTH_MAX / 2 ? size * 2 : GROWTH_MAX;
	if (size < need)
		size = need;
	if (a->limit != 0) {
		if (a->total > a->limit || need > a->limit - a->total)
			return false;
		if (size > a->limit - a->total)
			size = a->limit - a->total;
	}
	if ((b = block_new(a->last, size)) == NULL)
		return false;
	a->last = b;
	a->total += size;
	return true;
}

/* take - aligned bytes as they are */
static void *
take(struct arena *a, size_t n)
{
	const size_t align = _Alignof(max_align_t);
	unsigned char *p;

	if (n > SIZE_MAX - align)
		return NULL;
	n = (n + align - 1) & ~(align - 1);
	if (a->last->size - a->last->used < n && !grow(a, n))
		return NULL;
	p = a->last->data + a->last->used;
	a->last->used += n;
	return p;
}

/* arena_alloc - zeroed memory for one thing */
void *
arena_alloc(struct arena *a, size_t n)
{
	void *p = take(a, n);

	return p != NULL ? memset(p, 0, n) : NULL;
}

/* arena_array - zeroed memory for n things */
void *
arena_array(struct arena *a, size_t n, size_t size)
{
	size_t all;

	if (__builtin_mul_overflow(n, size, &all))
		return NULL;
	return arena_alloc(a, all);
}

/* arena_copy - the same bytes with a NUL behind */
struct slice
arena_copy(struct arena *a, struct slice s)
{
	char *p;

	if (s.n == SIZE_MAX || (p = take(a, s.n + 1)) == NULL)
		return SLICE_NONE;
	if (s.n > 0)
		memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	return (struct slice){ p, s.n };
}

/* arena_printf - as printf, into memory of the arena */
char *
arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *p;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || (p = take(a, (size_t)n + 1)) == NULL)
		return NULL;
	va_start(ap, fmt);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return p;
}

/* must - memory or the end of the process */
static void *
must(void *p)
{
	if (p == NULL)
		log_fatal(EXIT_OSERR, "out of memory");
	return p;
}

/* xmalloc - malloc that cannot fail */
void *
xmalloc(size_t n)
{
	return must(malloc(n > 0 ? n : 1));
}

/* xcalloc - calloc that cannot fail */
void *
xcalloc(size_t n, size_t size)
{
	return must(calloc(n > 0 ? n : 1, size > 0 ? size : 1));
}

/* xrealloc - realloc that cannot fail */
void *
xrealloc(void *p, size_t n)
{
	return must(realloc(p, n > 0 ? n : 1));
}

/* xstrdup - strdup that cannot fail */
char *
xstrdup(const char *s)
{
	return must(strdup(s));
}

/* xasprintf - a fresh string that cannot fail */
char *
xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s = NULL;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	return must(n < 0 ? NULL : s);
}
