/*
 * changes - what a new policy changes for whom, in words.
 *
 * For the person who typed `penstock reload`: tenants added, changed, removed,
 * and those whose file is in trouble, with the problems.  By name; a renamed
 * tenant is one removed and one added.
 * Threads: any; both policies are held by the caller.
 */
#ifndef MILTER_CHANGES_H
#define MILTER_CHANGES_H

#include "lib/buf.h"
#include "policy/policy.h"

#define CHANGES_MOST	16384	/* bytes of text; the rest is counted */

/* before NULL: the first policy of this process. One line per kind. */
void	changes_text(const struct policy *before, const struct policy *,
	    struct buf *);
/* "file:line:col: error: text" lines, errors before warnings; sorts them. */
void	changes_problems(struct problems *, struct buf *);

#endif
