/*
 * tzif - one time zone file (RFC 8536, version 2 and later), read into spans
 * of constant offset from UTC; for lib/zone.c.
 *
 * Behind the table of the file the rule in its footer (a POSIX TZ string) goes
 * on for ever.  Files with leap seconds are refused.
 * Threads: any once read.
 */
#ifndef LIB_TZIF_H
#define LIB_TZIF_H

#include <stdint.h>
#include "lib/slice.h"
#include "lib/why.h"

struct tzif;

struct tzif_span {		/* seconds since 1970 UTC; start <= t < end */
	int64_t	start, end;	/* INT64_MIN, INT64_MAX: without end */
	int32_t	offset;		/* seconds east of UTC; less than 26 h */
};

/* Copies what it needs of the bytes. Action. */
int	tzif_read(struct slice bytes, struct tzif **, struct why *);
void	tzif_free(struct tzif *);			/* NULL allowed */
/* The span that holds t; NULL is UTC. Neighbours may have equal offsets. */
void	tzif_span(const struct tzif *, int64_t t, struct tzif_span *);

#endif
