/*
 * tenant_auto - tenants that auto_tenant made: they stand in no file, and who
 * there is only the mail tells.
 */
#ifndef TOOLS_TENANT_AUTO_H
#define TOOLS_TENANT_AUTO_H

#include "tools/live.h"

#define AUTO_DAYS	7	/* of events that are looked through, */
#define AUTO_MOST	500000	/* and no more than the latest of so many */

struct autos {
	const struct tenant **list;	/* by name; they are live's arena's */
	size_t		 n;
	bool		 cut;		/* there were more events than that */
};

/* Those that had a message accepted in the last days.  Nobody where the policy
 * has no auto_tenant, or there is no store. Action. */
int	tenant_auto(struct live *, struct autos *, struct why *);
void	tenant_auto_free(struct autos *);

#endif
