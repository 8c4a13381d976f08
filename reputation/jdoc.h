/*
 * jdoc - JSON that others wrote, read: the one door to jansson.
 *
 * Bounded before jansson sees a byte: how much there is, how deep it goes, how
 * many values it has.  A key that comes twice is a mistake.  A file may hold
 * several documents, one behind the other.
 * Values borrow the document; all questions take NULL, which is no value.
 * Threads: a document belongs to one.
 */
#ifndef REPUTATION_JDOC_H
#define REPUTATION_JDOC_H

#include <stdbool.h>
#include <stdint.h>
#include "lib/slice.h"
#include "lib/why.h"

#define JDOC_BYTES	(16u << 20)
#define JDOC_DEPTH	32
#define JDOC_VALUES	2000000

enum jval_kind { JVAL_NONE, JVAL_NULL, JVAL_BOOL, JVAL_NUMBER, JVAL_TEXT,
	JVAL_LIST, JVAL_OBJECT };

struct jdoc;
struct jval;

/* The next document, cut from the front. Fetch: 0 when only blanks are left;
 * -1 says what is wrong with it. */
int	 jdoc_next(struct slice *rest, struct jdoc **, struct why *);
void	 jdoc_free(struct jdoc *);			/* NULL allowed */
const struct jval *jdoc_root(const struct jdoc *);

enum jval_kind jval_kind(const struct jval *);
const struct jval *jval_get(const struct jval *, const char *key);
size_t	 jval_count(const struct jval *);		/* of a list */
const struct jval *jval_at(const struct jval *, size_t);
struct slice jval_text(const struct jval *);	/* absent: it is no text */
bool	 jval_number(const struct jval *, double *);	/* a finite one */
/* A whole number, also one that is written as text, as Google does it. */
bool	 jval_whole(const struct jval *, int64_t *);
bool	 jval_true(const struct jval *);
/* Members in their order; *at starts NULL. false at the end. */
bool	 jval_each(const struct jval *, void **at, struct slice *key,
	    const struct jval **);

#endif
