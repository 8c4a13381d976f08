/*
 * postfix_ways - see postfix_ways.h.
 *
 * The gate names the transport, in the return path or in a header; Postfix has
 * a table that makes a transport of each name.  Every line is literal: Postfix
 * skips a rule with "$1" in sender_dependent_default_transport_maps, with no
 * more than a warning, and all that mail would leave by its own address.  The
 * last line of a table is for names that are not in it, of a policy that is
 * newer than these lines: such mail waits in the queue and says why.
 *
 * A table is one line, long as it is: each line of the output is a setting.
 *
 * A provider that takes so many connections from one address has a transport
 * with so many processes, for messages that go there alone.
 */
#include "tools/postfix_ways.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/egress.h"
#include "policy/plan.h"
#include "tools/tool.h"

#define NEWER	"4.3.5 this transport is not in main.cf; penstock " \
		"postfix-config prints it"

/* each - every transport that the gate may name; processes 0: as many
 * as Postfix allows */
static void
each(const struct policy *p, enum select select, void (*call)(
    const struct pool_address *, const char *name, int processes))
{
	for (size_t i = 0; i < p->npools; i++) {
		const struct pool *pool = p->pools[i];

		if (pool->select != select)
			continue;
		for (size_t j = 0; j < pool->naddresses; j++) {
			const struct pool_address *a = &pool->addresses[j];
			char *name = xasprintf("%.*s",
			    SLICE_ARG(a->transport));

			call(a, name, 0);
			free(name);
			for (unsigned k = 0; k < provider_count(); k++) {
				if (!egress_divides(a, k))
					continue;
				name = xasprintf("%.*s-%s", SLICE_ARG(
				    a->transport), provider_name(k));
				call(a, name, provider_connections(k));
				free(name);
			}
		}
	}
}

/* escaped - a name in a regular expression */
static void
escaped(const char *name)
{
	for (; *name != '\0'; name++)
		printf("%s%c", *name == '.' ? "\\" : "", *name);
}

/* by_sender - a line of sender_dependent_default_transport_maps */
static void
by_sender(const struct pool_address *a, const char *name, int processes)
{
	(void)a;
	(void)processes;
	printf(" { /^b\\.");
	escaped(name);
	printf("\\.[a-z2-7]{%d}@/ %s: }", TOKEN_SHORT, name);
}

/* by_header - a line of milter_header_checks */
static void
by_header(const struct pool_address *a, const char *name, int processes)
{
	(void)a;
	(void)processes;
	printf(" { /^" PLAN_ROUTE ": ");
	escaped(name);
	printf("$$/ FILTER %s: }", name);
}

/* has - is there a pool of that kind with an address? */
static bool
has(const struct policy *p, enum select select)
{
	for (size_t i = 0; i < p->npools; i++)
		if (p->pools[i]->select == select &&
		    p->pools[i]->naddresses > 0)
			return true;
	return false;
}

/* postfix_ways_main - how a name becomes a transport */
void
postfix_ways_main(const struct policy *p)
{
	if (has(p, SELECT_SENDER)) {
		printf("\n# The return path names the transport (pools with "
		    "select = \"sender\").\n"
		    "sender_dependent_default_transport_maps = regexp:{");
		each(p, SELECT_SENDER, by_sender);
		printf(" { /^b\\.[^.@]+\\.[a-z2-7]{%d}@/ retry:" NEWER
		    " } }\n", TOKEN_SHORT);
	}
	if (has(p, SELECT_HEADER)) {
		printf("\n# A header of the gate names it (pools with select = "
		    "\"header\"). Add to what\n# this setting says already.\n"
		    "milter_header_checks = regexp:{");
		each(p, SELECT_HEADER, by_header);
		printf(" { /^" PLAN_ROUTE ":/ FILTER retry: } }\n");
	}
	if (has(p, SELECT_SENDER) || has(p, SELECT_HEADER))
		printf("\n# To hold back the queued mail of one address, or of "
		    "one address to one provider,\n# name its transports "
		    "here and reload; \"postqueue -f\" when they are taken "
		    "out.\n#defer_transports =\n");
}

/* service - the transport of an address */
static void
service(const struct pool_address *a, const char *name, int processes)
{
	bool v6 = memchr(a->address.p, ':', a->address.n) != NULL;

	if (processes > 0)
		printf("%s unix - - n - %d smtp\n", name, processes);
	else
		printf("\n# pool \"%.*s\", address %.*s\n%s unix - - n - - "
		    "smtp\n", SLICE_ARG(a->pool->name), SLICE_ARG(a->address),
		    name);
	printf("    -o syslog_name=postfix/%s\n", name);
	printf("    -o %s=%.*s\n", v6 ? "smtp_bind_address6" :
	    "smtp_bind_address", SLICE_ARG(a->address));
	/* The other family would leave by an address outside of the pool. */
	printf("    -o inet_protocols=%s\n", v6 ? "ipv6" : "ipv4");
	if (a->helo.n > 0)
		printf("    -o smtp_helo_name=%.*s\n", SLICE_ARG(a->helo));
	if (a->pool->select == SELECT_HEADER)
		printf("    -o { smtp_header_checks = regexp:{ { /^" PLAN_ROUTE
		    ":/ IGNORE } } }\n");
	printf("    -o disable_mime_output_conversion=yes\n");
}

/* postfix_ways_master - the transports themselves */
void
postfix_ways_master(const struct config *config, const struct policy *p)
{
	printf("# master.cf: transports for the addresses of the pools in "
	    "%s\n", config->policy);
	for (enum select s = SELECT_NONE; s <= SELECT_HEADER; s++)
		each(p, s, service);
	if (!has(p, SELECT_NONE) && !has(p, SELECT_SENDER) &&
	    !has(p, SELECT_HEADER))
		printf("# There are no pools: mail leaves by Postfix's own "
		    "smtp transport.\n");
}
