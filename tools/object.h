/*
 * object - members of JSON objects, for whoever prints more than a line of it.
 *
 * A comma stands before a member or an element unless it is the first: the
 * byte before it tells, so nobody counts.  Braces and brackets are the
 * caller's.   Threads: any.
 */
#ifndef TOOLS_OBJECT_H
#define TOOLS_OBJECT_H

#include <stdbool.h>
#include <stdint.h>
#include "lib/buf.h"

void	object_sep(struct buf *);	/* before an element */
void	object_name(struct buf *, const char *);
/* An empty text and the moment 0 are null; a date is of days since 1970. */
void	object_text(struct buf *, const char *, struct slice);
void	object_number(struct buf *, const char *, uint64_t);
void	object_real(struct buf *, const char *, double);
void	object_amount(struct buf *, const char *, double);
void	object_yes(struct buf *, const char *, bool);
void	object_date(struct buf *, const char *, int32_t days);
void	object_moment(struct buf *, const char *, int64_t us);

#endif
