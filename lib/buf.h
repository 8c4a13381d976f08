/*
 * buf - a growable run of bytes on the heap.
 *
 * Failure is sticky: after a refused allocation every further call does
 * nothing and buf_failed() is true; test once, at the end.
 * Ownership: the caller owns the struct; buf_free releases its memory.
 * Threads: one at a time.
 */
#ifndef LIB_BUF_H
#define LIB_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "lib/slice.h"

struct buf {
	char	*data;		/* not NUL-terminated */
	size_t	 len, cap;
	bool	 failed;
};
#define BUF_INIT	{ NULL, 0, 0, false }

void	 buf_free(struct buf *);
static inline void buf_reset(struct buf *b) { b->len = 0; b->failed = false; }
static inline bool buf_failed(const struct buf *b) { return b->failed; }
static inline struct slice
buf_slice(const struct buf *b)
{
	return (struct slice){ b->data != NULL ? b->data : "", b->len };
}

void	*buf_room(struct buf *, size_t);	/* NULL when failed; then set len */
static inline void
buf_add(struct buf *b, const void *p, size_t n)
{
	if (n > 0 && !b->failed && (b->cap - b->len >= n ||
	    buf_room(b, n) != NULL)) {
		memcpy(b->data + b->len, p, n);
		b->len += n;
	}
}
static inline void
buf_slices(struct buf *b, struct slice s)	/* absent: adds nothing */
{
	buf_add(b, s.p, s.n);
}
static inline void
buf_char(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}
void	 buf_str(struct buf *, const char *);
void	 buf_printf(struct buf *, const char *, ...)
	    __attribute__((format(printf, 2, 3)));
/* "name":"text", of an object that goes on. */
void	 buf_json_member(struct buf *, const char *name, struct slice);
/* JSON string with quotes; bytes that are no UTF-8 come out as U+FFFD. */
void	 buf_json(struct buf *, struct slice);

#endif
