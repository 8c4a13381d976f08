/*
 * problem - what is wrong in a file, and where; collected, so that one run
 * names everything.
 *
 * Ownership: texts live in the arena given to problems_init; place.file is
 * borrowed and must live as long.  Without memory a problem is counted and its
 * text is lost: errors alone says whether all is well.
 * Threads: one at a time per struct problems.
 */
#ifndef LIB_PROBLEM_H
#define LIB_PROBLEM_H

#include <stdbool.h>
#include "lib/mem.h"

struct place {			/* where a word stands; printed file:line:col */
	const char	*file;	/* NULL: nowhere (a default) */
	unsigned	 line, col;	/* from 1; col counts bytes */
};

struct problem {
	struct place	 at;
	bool		 warning;
	const char	*text;
	struct problem	*next;
};

struct problems {		/* in order of discovery; sort, then print */
	struct arena	*arena;
	struct problem	*first, **last;
	unsigned	 errors, warnings;
};

void	problems_init(struct problems *, struct arena *);
void	problem_error(struct problems *, struct place, const char *, ...)
	    __attribute__((format(printf, 3, 4)));
void	problem_warn(struct problems *, struct place, const char *, ...)
	    __attribute__((format(printf, 3, 4)));
/* Stable sort by file (first seen), line, column. */
void	problems_sort(struct problems *);

#endif
