/*
 * plan - the edits a message gets, as data, shared by the gate and by explain.
 *
 * Removals come first, from the highest index of a name to the lowest; then
 * recipients that may not have it, the hold queue, the return path, and
 * inserts at index 0, the route first, the DKIM-Signatures last.
 * milter/apply.c carries them out and nothing else does.
 * Memory: the arena.  Threads: any.
 */
#ifndef POLICY_PLAN_H
#define POLICY_PLAN_H

#include "lib/sign.h"
#include "policy/decide.h"
#include "policy/unsubscribe.h"

enum edit_kind { EDIT_REMOVE, EDIT_INSERT, EDIT_DROP_RCPT,
	EDIT_QUARANTINE, EDIT_RETURN_PATH };
extern const char *const edit_names[];

struct edit {
	enum edit_kind	kind;
	struct slice	name, value;	/* REMOVE: name as seen; QUARANTINE:
					   value says why; RETURN_PATH:
					   the address */
	unsigned	index;		/* REMOVE: 1.. among that name */
};

struct plan {
	struct edit	*edits;
	size_t		 n, cap;
	size_t		 nremoved;	/* of them, EDIT_REMOVE */
	struct sign_header *left;	/* headers as they will stand */
	size_t		 nleft;
	struct carried	 carried;	/* what of them is ours */
};

/* The header by which a pool with select = "header" is told to Postfix: its
 * value is the transport. It is removed at delivery, and so is not signed. */
#define PLAN_ROUTE	"X-Penstock-Route"

/* Is it a name that only we may write (X-Penstock-...)? */
bool	plan_forged(struct slice name);
/* Everything but the signatures; forged headers go, and those that select the
 * stream if it says so. */
int	plan_make(const struct mail *, const struct header_fact *, size_t n,
	    struct plan *, struct arena *, struct why *);
int	plan_signature(struct plan *, struct slice value, struct arena *,
	    struct why *);

#endif
