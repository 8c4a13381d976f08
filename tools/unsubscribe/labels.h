/*
 * labels - what tenants and streams are called, for the page.
 *
 * From the file that `penstock token names` writes; a line each:
 *
 *	tenant ID NAME		ID: 16 hex digits
 *	list ID NAME
 *
 * The name is the rest of the line and may be edited by hand ("Acme Ltd").
 * Threads: immutable once loaded.
 */
#ifndef TOOLS_UNSUBSCRIBE_LABELS_H
#define TOOLS_UNSUBSCRIBE_LABELS_H

#include <stdint.h>
#include "lib/slice.h"
#include "lib/why.h"

struct labels;

/* Fetch: 0 there is no such file; *out is then NULL, which knows nothing. */
int	labels_load(struct labels **out, const char *path, struct why *);
void	labels_free(struct labels *);			/* NULL allowed */
/* Absent when it is not known. labels may be NULL. */
struct slice labels_tenant(const struct labels *, uint64_t id);
struct slice labels_list(const struct labels *, uint64_t id);

#endif
