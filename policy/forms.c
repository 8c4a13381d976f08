/*
 * forms - the last good forms of tenant files, as the gate's store has them.
 */
#include "lib/store.h"
#include "policy/policy.h"

/* get - the last good text of one file */
static int
get(void *with, struct slice path, struct arena *arena, struct slice *text,
    struct why *why)
{
	return store_form(with, path, arena, text, why);
}

/* each - all of them */
static int
each(void *with, bool (*call)(void *, struct slice, struct slice),
    void *with_call, struct why *why)
{
	return store_each_form(with, call, with_call, why);
}

/* policy_forms_of - of that store, or none */
struct policy_forms
policy_forms_of(struct store *store)
{
	return store == NULL ? (struct policy_forms){ .get = NULL } :
	    (struct policy_forms){ .get = get, .each = each, .with = store };
}
