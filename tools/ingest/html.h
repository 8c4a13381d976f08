/*
 * html - the text of a page, roughly: for reports that have no plain part.
 *
 * Tags that end a line become LF, others nothing; the entities that matter for
 * addresses and angles are undone; style and script are left out.
 * Threads: any.
 */
#ifndef TOOLS_INGEST_HTML_H
#define TOOLS_INGEST_HTML_H

#include "lib/mem.h"
#include "lib/slice.h"

/* In the arena, never longer than the page. p == NULL: no memory. */
struct slice html_text(struct slice page, struct arena *);

#endif
