/*
 * report_pen - writing on a terminal: columns, words, colour.
 *
 * Foreign text cannot drive the terminal: what is no plain character becomes
 * "?".  Colour is never the only sign of anything.   Threads: one.
 */
#ifndef TOOLS_REPORT_PEN_H
#define TOOLS_REPORT_PEN_H

#include "tools/report.h"

struct pen {
	struct buf	*b;
	size_t		 columns;
	bool		 utf8, color;
};

enum ink { INK_PLAIN, INK_BOLD, INK_DIM, INK_GOOD, INK_WATCH, INK_RISK,
	INK_BAD };

void	 pen_ink(const struct pen *, enum ink);		/* PLAIN ends it */
enum ink pen_tier(enum tier);
const char *pen_mark(const struct pen *, enum tier);	/* its shape */
/* The text made harmless, at most so many columns of it ("..." behind what is
 * cut); returns the columns taken. */
size_t	 pen_clean(const struct pen *, struct slice, size_t most);
void	 pen_pad(const struct pen *, size_t n);
/* In a field, at its left or its right; text that is ours. */
void	 pen_left(const struct pen *, const char *, size_t wide);
void	 pen_right(const struct pen *, const char *, size_t wide);
/* Words, from the column it is at, going on at indent. */
void	 pen_wrap(const struct pen *, size_t at, size_t indent, struct slice);
void	 pen_head(const struct pen *, const char *);	/* of a block */
void	 pen_line(const struct pen *, const char *, ...)
	    __attribute__((format(printf, 2, 3)));
/* A name in a field; one that is longer takes a line of its own. */
void	 pen_name(const struct pen *, struct slice, size_t wide);
/* Eight weeks as a line. */
void	 pen_spark(const struct pen *, const struct knots *,
	    const struct week *, size_t n);
/* "1,234,567", or "12.3M" where that is too wide. */
const char *pen_count(uint64_t, size_t wide, char out[32]);

/* Blocks 4 to 8, of report_text_more.c. */
void	report_text_more(const struct report *, const struct pen *);

#endif
