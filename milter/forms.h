/*
 * forms - the last good forms of tenant files that a policy leaves behind.
 *
 * What the store has and what the policy has are compared first; only what
 * differs is read and written.
 * Threads: forms_new and forms_free the one that loads, forms_put the writer.
 */
#ifndef MILTER_FORMS_H
#define MILTER_FORMS_H

#include "lib/store.h"
#include "policy/policy.h"

struct forms;

/* What the store is to get, and to lose.  NULL: no memory.  Texts are copied,
 * the policy is not needed any more. */
struct forms *forms_new(const struct policy *, struct store *);
void	 forms_free(struct forms *);			/* NULL allowed */
size_t	 forms_left(const struct forms *);
/*
 * Into the open transaction, up to most of them; false: there are no more.
 * One that fails is logged and ends it: the next load compares again.
 */
bool	 forms_put(struct forms *, struct store *, size_t most);

#endif
