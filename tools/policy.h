/*
 * policy - the way of the commands to the policy.
 */
#ifndef TOOLS_POLICY_H
#define TOOLS_POLICY_H

#include "policy/policy.h"

/* As policy_load with every key judged; what could not be read becomes a
 * problem without a place. tokens: the file of their keys, NULL: of no
 * interest. 1 loaded, 0 not. */
int	tool_policy_load(const char *path, const char *keys,
	    const char *tokens, struct problems *, struct policy **);
/* policy_spent.c: warns of limits that start at 0 because their name is new,
 * by the gate's store in dir; silent when there is none to be read. */
void	 policy_spent(const char *dir, const struct policy *,
	    struct problems *);

#endif
