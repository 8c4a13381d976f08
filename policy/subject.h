/*
 * subject - whose warmup is it?  An address of a pool, or what a class, tenant
 * or stream counts apart: a login, a sending domain, the tenant itself.
 *
 * It is known by the key of its counter of a day, which stands in the charges
 * of events and in the picture of progress.  From the key nobody learns whose
 * it is; the event that bears it says that, and the policy says what it is.
 * Ownership: borrows the policy and the event; texts of its own are the
 * arena's.   Threads: any.
 */
#ifndef POLICY_SUBJECT_H
#define POLICY_SUBJECT_H

#include "policy/decide.h"
#include "policy/warmup.h"

struct subject {
	uint8_t		 key[PROGRESS_KEY];
	const struct limit *limit;	/* that of the day */
	const struct limit *const *limits;	/* it stands among */
	size_t		 nlimits;
	const struct zone *zone;	/* of its days */
	const struct tenant *whose;	/* NULL: an address's own */
	const struct pool_address *address;	/* of it; or NULL */
	uint64_t	 id[PER_DIMENSIONS];
	unsigned	 known;		/* PER_* */
	struct slice	 name;		/* "192.0.2.10", "acme/news a@b.example" */
	struct slice	 tenant, stream, login, from;	/* p NULL: it does not
							   count apart by it */
};

/* The warmup of that address; false: it has none. */
bool	 subject_of_address(const struct policy *, const struct pool_address *,
	    struct subject *);
/* The one of that key which an event counts in, by what the event says of its
 * mail.  Fetch: 0 the policy of now has none such. */
int	 subject_of_event(const struct policy *, const struct event *,
	    const uint8_t key[PROGRESS_KEY], struct arena *, struct subject *,
	    struct why *);
/*
 * What n recipients of a provider cost at now in its share, and in that of the
 * providers it is counted with, beside the day: how many charges, at most
 * SUBJECT_SHARES.  Rules are empty.
 */
#define SUBJECT_SHARES	16
size_t	 subject_shares(const struct policy *, const struct subject *,
	    unsigned provider, int64_t n, int64_t now,
	    struct charge charges[SUBJECT_SHARES]);

/* The row of a tenant who is stopped in a pool, and nobody else there. */
void	 subject_single(const struct pool *, uint64_t tenant,
	    uint8_t key[PROGRESS_KEY]);

/* Does a person who names an object, and a tenant or none, mean that row?  An
 * address or another name of a row, a key as text; with a tenant, the pool in
 * which he is stopped. */
bool	 subject_meant(struct slice object, struct slice tenant,
	    const struct warm_row *);
/* And that factor: of the provider or set, or all that last until somebody
 * resumes (n 0). */
bool	 subject_frees(struct slice provider, const struct warm_factor *);

/* A key as text, for events and for people; and back. */
#define SUBJECT_HEX	(2 * PROGRESS_KEY)
void	 subject_hex(const uint8_t key[PROGRESS_KEY],
	    char out[SUBJECT_HEX + 1]);
bool	 subject_unhex(struct slice, uint8_t key[PROGRESS_KEY]);

#endif
