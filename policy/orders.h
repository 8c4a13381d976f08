/*
 * orders - what operators' decisions have in force: pauses, grants, breakers
 * and back-offs that were lifted.
 *
 * An immutable picture, made from the one before it and the next records of
 * the desk (lib/desk.h); reference-counted like a policy, and taken with it at
 * MAIL.  Beside the policy, never in its place: the stricter of both holds.
 * A NULL picture is an empty one, in every function here.
 * Questions allocate nothing and cost a look-up by tenant.
 * Threads: a picture is for any; making one is for one.
 */
#ifndef POLICY_ORDERS_H
#define POLICY_ORDERS_H

#include <limits.h>
#include "lib/desk.h"
#include "lib/event.h"
#include "lib/problem.h"

#define ORDERS_ALL_BREAKERS "*"	/* object of such a lift */
#define ORDERS_BACKOFF_LASTS	(INT64_C(172800) * 1000000)	/* us: longer
						   than any back-off */
#define ORDERS_ALL	UINT_MAX	/* a question about no provider */

struct order {				/* texts are the picture's */
	uint64_t	 seq;		/* of the desk */
	uint64_t	 tenant;	/* hash_id("tenant", name) */
	unsigned	 kind;		/* DESK_PAUSE, _GRANT, _BREAKER_LIFT,
					   _BACKOFF_LIFT */
	uint64_t	 stream;	/* hash_id("stream", name); 0: all */
	uint64_t	 providers;	/* set; 0: all */
	enum limit_kind	 limit_kind;	/* grants */
	int64_t		 amount;
	int64_t		 until;		/* us; 0: until taken back */
	const struct desk_record *record;	/* as decided */
};

struct orders;

/*
 * The picture after n more rows, in order; dropped is what a resume or a
 * later decision ended and what is over at now.  old is borrowed, NULL: none.
 * NULL: no memory.
 */
struct orders *orders_after(const struct orders *old, const struct desk_row *,
	    size_t n, int64_t now);
struct orders *orders_hold(struct orders *);	/* NULL allowed */
void	 orders_drop(struct orders *);		/* NULL allowed */
/* The last record in it, and its chain (zeros for none). */
uint64_t orders_seq(const struct orders *);
void	 orders_chain(const struct orders *, uint8_t out[HASH_SHA256]);

/* As bytes, for the store of who follows the desk, and back. Action: 0. */
void	 orders_encode(const struct orders *, struct buf *);
int	 orders_decode(struct slice, struct orders **, struct why *);

/*
 * The pause that keeps this from being sent at now, or NULL; of several, the
 * one of the whole tenant first.  stream 0 and ORDERS_ALL ask for a pause of
 * the whole tenant only: at MAIL.  With a stream or a provider, those of that
 * stream, of that provider, and of everything count.
 */
const struct order *orders_pause(const struct orders *, uint64_t tenant,
	    uint64_t stream, unsigned provider, int64_t now);
/* How much more a limit of that name lets through at now: the sum of its
 * grants, at most 10^12. */
int64_t	 orders_grant(const struct orders *, uint64_t tenant,
	    enum limit_kind, struct slice limit, int64_t now);
/* When a person last lifted that breaker, or all of the tenant's: us of the
 * wall clock, 0 never.  What tripped later stands. */
int64_t	 orders_lifted(const struct orders *, uint64_t tenant,
	    struct slice breaker);
/*
 * When a person last lifted the back-off of whose mail to that place, or to
 * all of them: us, 0 never or long ago.  Whose: a tenant by its id, or an
 * address of ours (p not NULL).
 */
int64_t	 orders_backoff_lifted(const struct orders *, uint64_t tenant,
	    struct slice address, struct slice to);
/* What such a record is about; to is empty for all places.  Its object is the
 * place or "*", of an address "ADDRESS PLACE", with no tenant.  false: it is
 * neither. */
bool	 orders_backoff_object(const struct desk_record *, bool *address,
	    struct slice *whose, struct slice *to);
/* "desk:SEQ", where a line of a file would stand. */
struct place orders_place(const struct order *);

/* All of a tenant's, or all (tenant 0), by tenant and sequence; also those
 * that are over: test until. */
size_t	 orders_list(const struct orders *, uint64_t tenant,
	    const struct order **first);

#endif
