/*
 * meter - the limits of a tenant as one mail meets them: which count, how
 * much, and what is said when one does not fit.  Private to policy's decide
 * files.   Threads: as decide.h.
 */
#ifndef POLICY_METER_H
#define POLICY_METER_H

#include "policy/measure.h"

/* Reserves for one more remote recipient, in every limit that is known to
 * bind or in none: PASS, HOLD, or what turns it away. */
enum verdict meters_reserve(struct mail *, struct rcpt *, int64_t now,
	    struct answer *);
/* The whole mail of that many bytes; seals.  Also says which recipients it is
 * held for. */
enum verdict meters_seal(struct mail *, int64_t size, int64_t now,
	    struct answer *);

/* How that address looks for a mail of that many bytes: fits, load, fullest.
 * Nothing is reserved. -1 without memory. */
int	meters_look(struct mail *, const struct pool_address *, int64_t size,
	    int64_t now, struct egress_look *);

/* meter_find.c: the meter of that limit and those values, made if need be; room
 * for one more in a list of them.  p NULL, -1: no memory. */
struct meter *meters_find(struct mail *, const struct limit *,
	    const uint64_t of[4]);
int	meters_grow(struct arena *, struct meter ***list, size_t n,
	    size_t *cap);
/* All that the limit of a meter may count apart by. */
void	meter_known(struct mail *, const struct meter *, struct dimensions *);

/* judge.c: of so many of meters.lacks, what is said.  PASS: all is noted in
 * the meters (loose, hold), the would-be answer or the reason of the hold is
 * kept, and the question is to be asked once more. */
enum verdict meters_judge(struct mail *, size_t nlacks, int64_t now,
	    struct answer *);

/* decide_shadow.c: what is in shadow of that part of the decision lets this
 * pass: keeps the worst such answer, makes it a PASS and returns that; others
 * get the answer's verdict.  of: the limit it is about, or NULL. */
enum verdict shadow(struct mail *, unsigned part, struct answer *);
void	would_keep(struct mail *, const struct answer *);
/* The parts in shadow whatever the stream will be; and those that may be. */
unsigned shadow_all(const struct mail *);
unsigned shadow_some(const struct mail *);

#endif
