/*
 * keyword - a table row per setting feeds check, dump, and the manual lint.
 *
 * The reader of a tree looks a name up in its table; unknown names get the
 * nearest known one as a hint.  "where" says in which blocks a word may stand
 * (bits chosen by the table's owner).
 * Threads: any; tables are const.
 */
#ifndef LIB_KEYWORD_H
#define LIB_KEYWORD_H

#include "lib/parse.h"

enum keyword_type {
	KEYWORD_BLOCK,		/* titles: 0, 1, or 1 in ntitles */
	KEYWORD_STRING, KEYWORD_NAME, KEYWORD_NUMBER, KEYWORD_RATE,
	KEYWORD_CAP, KEYWORD_DURATION, KEYWORD_SIZE, KEYWORD_CHOICE,
	KEYWORD_SET, KEYWORD_ZONE, KEYWORD_DATE,
	KEYWORD_LIST		/* a set, or one string without braces */
};
extern const char *const keyword_type_names[];	/* what was expected */

struct keyword {
	const char		*name;
	enum keyword_type	 type;
	unsigned		 where;		/* blocks it may stand in */
	int			 id;		/* the owner's enum */
	const char *const	*choices;	/* KEYWORD_CHOICE, NULL-ended */
	int64_t			 least, most;	/* KEYWORD_NUMBER; both 0: any */
	unsigned		 titles;	/* KEYWORD_BLOCK: how many */
	const char		*unset;		/* the default, as printed */
	const char		*help;		/* one line */
};

struct keyword_table {
	const struct keyword	*rows;
	size_t			 n;
	const char *const	*where_names;	/* bit i -> "tenant", ... */
};

/*
 * keyword_check - find the row of a node that stands in block "where" (one
 * bit); says unknown word (with the nearest), wrong place, wrong type, wrong
 * titles, a name or choice or number that cannot be, and returns NULL then.
 * What stands in a string with a unit is the reader's business (lib/scan.h).
 * A name may have several rows, one per kind of place.  A number is whole,
 * unless its row has no bounds or most is 1: that is a share such as 0.2.
 * KEYWORD_SIZE may be written as a plain number of bytes.  An include is a
 * row named "include" of type KEYWORD_STRING.
 */
const struct keyword *keyword_check(const struct keyword_table *,
	    const struct node *, unsigned where, struct problems *);
/* Nearest by edit distance <= 2 (and <= n/2), NULL when none. */
const char *keyword_nearest(const struct keyword_table *, struct slice,
	    unsigned where);
/* Says every statement of a chain that repeats a setting, naming both places.
 * Blocks repeat when name and titles are equal. */
void	keyword_duplicates(const struct node *, struct problems *);
/* [A-Za-z0-9._-]{1,64} */
bool	keyword_is_name(struct slice);

#endif
