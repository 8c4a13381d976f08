/*
 * slice - bytes with a length, borrowed from somebody else.
 *
 * Text from strangers is never assumed to end in NUL.  A slice with p == NULL
 * means "absent", one with n == 0 and p != NULL means "empty".
 * Threads: any.
 */
#ifndef LIB_SLICE_H
#define LIB_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

struct slice {
	const char	*p;
	size_t		 n;
};

/* For literals only; prints with "%.*s", SLICE_ARG(x). */
#define SLICE(lit)	((struct slice){ "" lit, sizeof(lit) - 1 })
#define SLICE_ARG(s)	(int)(s).n, (s).p != NULL ? (s).p : ""
#define SLICE_NONE	((struct slice){ NULL, 0 })

static inline struct slice
slice_of(const char *s)
{
	return (struct slice){ s, s != NULL ? strlen(s) : 0 };
}

static inline bool
slice_eq(struct slice a, struct slice b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool
slice_is(struct slice a, const char *s)
{
	return slice_eq(a, slice_of(s));
}

/* ASCII case folded; for header names, domains, keywords of protocols. */
static inline bool
slice_case_eq(struct slice a, struct slice b)
{
	return a.n == b.n && (a.n == 0 || strncasecmp(a.p, b.p, a.n) == 0);
}

static inline bool
slice_starts(struct slice a, struct slice head)
{
	return a.n >= head.n && memcmp(a.p, head.p, head.n) == 0;
}

static inline struct slice
slice_from(struct slice a, size_t at)
{
	return at >= a.n ? (struct slice){ a.p + a.n, 0 } :
	    (struct slice){ a.p + at, a.n - at };
}

static inline struct slice
slice_trim(struct slice a)
{
	while (a.n > 0 && strchr(" \t\r\n", a.p[0]) != NULL && a.p[0] != '\0')
		a.p++, a.n--;
	while (a.n > 0 && strchr(" \t\r\n", a.p[a.n - 1]) != NULL &&
	    a.p[a.n - 1] != '\0')
		a.n--;
	return a;
}

#endif
