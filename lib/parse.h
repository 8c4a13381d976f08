/*
 * parse - the one parser of all our .conf files.
 *
 *   file  = *( name "=" value / name *string "{" file "}" / "include" string )
 *   value = string / number / "{" [ string *( "," string ) ] "}"
 *
 * Newlines are spaces, "#" comments run to the end of the line, strings know
 * \" and \\ only and end on their line, bare words are never values.  The
 * parser recovers at the end of a statement or block and goes on, so that one
 * run names every mistake.  It opens no other file: an include is a node.
 * Duplicates, unknown words and types are the business of the reader of the
 * tree (lib/keyword.h).
 * Ownership: names and strings are copied into the arena, each with a NUL
 * behind that is not counted, so the text read may go; file is borrowed and
 * lives as long as the arena.
 * Threads: any.
 */
#ifndef LIB_PARSE_H
#define LIB_PARSE_H

#include <stdbool.h>
#include <stdint.h>
#include "lib/mem.h"
#include "lib/problem.h"
#include "lib/slice.h"
#include "lib/why.h"

#define PARSE_FILE_MAX	(64u << 20)	/* bytes of one file */
#define PARSE_DEPTH_MAX	16		/* blocks in blocks */
#define PARSE_TITLES_MAX 8
#define PARSE_ERRORS_MAX 200		/* of one file; then it is left */

enum value_type { VALUE_STRING, VALUE_NUMBER, VALUE_SET };
extern const char *const value_type_names[];	/* "a string", "a number", ... */

struct value {
	enum value_type	 type;
	struct place	 at;
	struct slice	 text;		/* string unescaped; number as written */
	struct value	*items;		/* VALUE_SET: strings */
	size_t		 nitems;
};

enum node_type { NODE_SETTING, NODE_BLOCK, NODE_INCLUDE };

struct node {
	enum node_type	 type;
	struct place	 at;		/* of the name */
	struct slice	 name;		/* "include" for NODE_INCLUDE */
	struct value	 value;		/* setting; include: the string */
	struct value	*titles;	/* block */
	size_t		 ntitles;
	struct node	*child;		/* block: first statement inside */
	struct node	*next;
};

/* Returns the first node, NULL for an empty file; mistakes go to problems. */
struct node *parse_text(struct arena *, const char *file, struct slice,
	    struct problems *);
/* Reads a regular file whole (O_NOFOLLOW not set); fetch style: 0 ENOENT. */
int	parse_read(struct arena *, const char *path, struct slice *,
	    struct why *);

#endif
