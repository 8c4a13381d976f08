/*
 * provider - which mailbox provider a recipient's domain belongs to.
 *
 * From conf/providers.conf, compiled in at build time: exact domains, and the
 * names of mail exchangers for whoever knows those of a domain.  A domain that
 * nobody knows is "unresolved", which is not "other".
 * Threads: any after provider_init.
 */
#ifndef LIB_PROVIDER_H
#define LIB_PROVIDER_H

#include <stdbool.h>
#include <stdint.h>
#include "lib/parse.h"
#include "lib/slice.h"
#include "lib/why.h"

#define PROVIDER_MAX		64	/* a set is one uint64_t */
#define PROVIDER_UNRESOLVED	0
#define PROVIDER_OTHER		1

typedef uint64_t provider_set;

/* Parses the compiled-in text once; action style. Before threads. */
int	provider_init(struct why *);
unsigned provider_of(struct slice domain);	/* index < PROVIDER_MAX */
/* By the name of a mail exchanger, any case; PROVIDER_OTHER: nobody's here. */
unsigned provider_of_mx(struct slice host);
const char *provider_name(unsigned);
unsigned provider_count(void);
/* How many connections at a time it takes from one address; 0: not known. */
int	provider_connections(unsigned);
/* Do complaints of its users come to a sender who enrolled?  By name. */
bool	provider_reports_complaints(struct slice name);
/* By name of a provider, or of a named set ("microsoft"); 0: unknown. */
provider_set provider_find(struct slice name);

#endif
