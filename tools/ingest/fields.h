/*
 * fields - lines and header fields of text that strangers wrote.
 *
 * All of it works on text with LF ends (fields_lf makes it so from CR LF, LF
 * and CR), is linear, and takes nothing for granted: no colon, no end, NULs.
 * Ownership: slices borrow the text, but for those that an arena is given for.
 * Threads: any.
 */
#ifndef TOOLS_INGEST_FIELDS_H
#define TOOLS_INGEST_FIELDS_H

#include <stdbool.h>
#include "lib/mem.h"
#include "lib/slice.h"

struct field {
	struct slice	name;	/* without the colon and blanks before it */
	struct slice	value;	/* as it stands, folds and all */
};

/* CR LF and CR become LF. p == NULL: no memory. */
struct slice fields_lf(struct slice, struct arena *);
/* One line without its LF; false at the end. */
bool	 line_next(struct slice *rest, struct slice *line);
/* The next field of a group; false at its end: an empty line, which is eaten,
 * or the end of the text.  Lines that are no field are passed over. */
bool	 field_next(struct slice *rest, struct field *);
/* The value on one line, white space around it and between its words made
 * one blank, NULs made blanks. p == NULL: no memory. */
struct slice field_flat(struct slice value, struct arena *);
/* The first field of that name in the first group of the text, flat; absent
 * when there is none. */
struct slice field_find(struct slice text, const char *name, struct arena *);

/* Where the word (ASCII, any case) begins, or SIZE_MAX. */
size_t	 text_find(struct slice, const char *word);
static inline bool
text_has(struct slice s, const char *word)
{
	return text_find(s, word) != (size_t)-1;
}
bool	 text_begins(struct slice, const char *word);	/* ASCII, any case */
struct slice slice_cut(struct slice, size_t n);		/* at most n of it */
/* The mailbox-like word in a text: "<a@b>", "a@b", "rfc822;a@b"; without
 * angles. Absent when there is none. Not judged any further. */
struct slice text_address(struct slice);

#endif
