/*
 * postfix_ways - the part of penstock postfix-config about the ways that mail
 * leaves: a transport for each address of a pool, and for each provider that
 * takes few connections; and how Postfix finds them.
 */
#ifndef TOOLS_POSTFIX_WAYS_H
#define TOOLS_POSTFIX_WAYS_H

#include "lib/config.h"
#include "policy/policy.h"

void	postfix_ways_main(const struct policy *);
void	postfix_ways_master(const struct config *, const struct policy *);

#endif
