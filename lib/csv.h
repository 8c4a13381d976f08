/*
 * csv - rows of an RFC 4180 file, one at a time, in memory that does not grow.
 *
 * Fields may be quoted, "" is a quote in them; lines end in LF or CR LF, in
 * quotes they are text.  A byte order mark in front is taken off.  A row that
 * is malformed, has a NUL, or is too long is given with its error, and reading
 * goes on behind its line.  What parts fields is a comma, until another byte is
 * said.
 * Ownership: the fields of a row live until the next call.  Threads: one.
 */
#ifndef LIB_CSV_H
#define LIB_CSV_H

#include <stdint.h>
#include <sys/types.h>
#include "lib/buf.h"
#include "lib/slice.h"
#include "lib/why.h"

#define CSV_ROW		16384		/* bytes of a row */
#define CSV_FIELDS	64

struct csv;

struct csv_row {
	uint64_t	 line;		/* where it begins, from 1 */
	const char	*error;		/* NULL: it is good */
	size_t		 n;
	struct slice	 field[CSV_FIELDS];
};

/* read as read(2): bytes, 0 at the end, -1 with errno. NULL: no memory. */
struct csv *csv_new(ssize_t (*read)(void *, void *, size_t), void *with);
void	 csv_free(struct csv *);			/* NULL allowed */
void	 csv_parted_by(struct csv *, char);	/* ',', ';' or a tab */
/* Fetch; blank lines are passed over. */
int	 csv_next(struct csv *, struct csv_row *, struct why *);
uint64_t csv_bytes(const struct csv *);		/* read so far: for a bar */

/* One field, quoted where it must be, with a comma before it if not first. */
void	 csv_put(struct buf *, struct slice, bool first);

#endif
