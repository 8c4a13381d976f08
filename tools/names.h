/*
 * names - ids of tenants, groups and streams back to their names, for people.
 *
 * Ids are one-way; what the policy names can be told, all others are "#" and
 * 16 hex digits, a form that is read back, so that an export can be imported
 * where the policy is another.
 */
#ifndef TOOLS_NAMES_H
#define TOOLS_NAMES_H

#include <stdint.h>
#include "lib/mem.h"
#include "lib/suppress.h"
#include "policy/policy.h"
#include "tools/tool.h"

struct names;

/* Of the policy of that configuration; without one that can be read all are
 * unknown, and a line on stderr says so. */
struct names *names_new(const struct config *);
void	 names_free(struct names *);			/* NULL allowed */
const struct policy *names_policy(const struct names *); /* NULL: none */
/* "acme", "acme/marketing", "agency7", "" for the platform; "#0123...". */
const char *names_of(const struct names *, enum suppress_scope, uint64_t id,
	    char room[24]);
/* The id of such a text. A name need not be in the policy. Action. */
int	 names_id(enum suppress_scope, struct slice, uint64_t *,
	    struct why *);

#endif
