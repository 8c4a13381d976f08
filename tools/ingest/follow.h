/*
 * follow - the lines of a log file that grows, is renamed, copied and cut,
 * and packed, each line once and in order.
 *
 * Where it stands is a cursor: how many bytes of which content are done.
 * Content is known again by its first bytes and by the last ones before the
 * cursor, wherever the file is by now: under its name, as FILE.1,
 * FILE-20261121 or FILE.2.gz.  A file that cannot be found again is a gap,
 * and then everything that is there is read again: outcomes are recorded
 * once however often their lines are read.
 * Threads: one.
 */
#ifndef TOOLS_INGEST_FOLLOW_H
#define TOOLS_INGEST_FOLLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/slice.h"
#include "lib/why.h"

struct follow;

/* cursor: as follow_cursor wrote it; p NULL: none, from the beginning. The
 * file need not be there yet. Action. */
int	follow_open(struct follow **, const char *path, struct slice cursor,
	    struct why *);
/* One file, packed or not, or "-" for standard input, to its end. Action. */
int	follow_once(struct follow **, const char *path, struct why *);
void	follow_close(struct follow *);			/* NULL allowed */

/* Reads a piece. 1: follow_line has lines; 0: nothing now, or the end. */
int	follow_fill(struct follow *, struct why *);	/* fetch */
/* The next line, without its end; what is over LOGLINE_MAX is cut off. */
bool	follow_line(struct follow *, struct slice *);
/* A rotated file that is damaged was left where nothing more came out of it:
 * its name, and why. Fetch: 0 there is none that was not told yet. */
int	follow_damaged(struct follow *, struct slice *);
/* Behind the last line taken; appended. false: nothing was taken yet. */
bool	follow_cursor(struct follow *, struct buf *);
/* The latest moment that a line of this file can be of, us. */
int64_t	follow_now(const struct follow *);

struct follow_stat {
	uint64_t done;		/* bytes of this file taken */
	uint64_t size;		/* of this file as it is on disk; 0: unknown */
	uint64_t packed;	/* bytes of it read, when it is packed */
	uint64_t gaps;		/* content that could not be found again */
	uint64_t files;		/* changed to, since the beginning */
	uint64_t cut;		/* lines that were too long */
};
void	follow_stat(const struct follow *, struct follow_stat *);

#endif
