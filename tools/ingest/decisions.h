/*
 * decisions - the desk, followed by a part of penstock-ingest for the one kind
 * of decision that it has to obey.
 *
 * Read from the first one on at each start: what is obeyed twice must come to
 * the same.  A desk that cannot be read is said once, and waited for.
 * Threads: one.
 */
#ifndef TOOLS_INGEST_DECISIONS_H
#define TOOLS_INGEST_DECISIONS_H

#include "lib/desk.h"
#include "tools/ingest/ingest.h"

struct decisions {
	struct ingest	*in;
	enum desk_kind	 kind;
	int		(*obey)(void *, const struct desk_record *,
			    struct why *);
	void		*with;
	uint64_t	 seq;		/* read so far */
	bool		 blind;		/* said: it cannot be read */
};

/* Those that are new. Action: -1 is obey's. */
int	decisions_follow(struct decisions *, struct arena *, struct why *);

#endif
