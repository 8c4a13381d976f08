/*
 * audit - the desk's records and the gate's heads, read in order by the two
 * halves of `penstock audit`: audit.c shows, audit_verify.c compares.
 */
#ifndef TOOLS_AUDIT_H
#define TOOLS_AUDIT_H

#include "lib/desk.h"
#include "tools/tool.h"

struct audit {
	struct config	*config;
	char		*dir;		/* of the desk */
	struct desk	*desk;		/* NULL: there is none */
	struct store	*store;		/* the gate's; NULL: there is none */
	struct arena	*arena;		/* of a batch of the desk */
	bool		 json;
	/* the batch */
	struct desk_row	 rows[64];
	size_t		 n, at;
	uint64_t	 next;		/* first sequence not read yet */
};

/* Fetch: the next record; it is good until the next call. */
int	audit_next(struct audit *, const struct desk_row **, struct why *);
/* --verify: the whole command; its exit status. */
int	audit_verify(struct audit *);

#endif
