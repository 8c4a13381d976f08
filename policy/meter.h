/*
 * meter - the limits of a tenant as one mail meets them: which count, how
 * much, and what is said when one does not fit.  Private to policy's decide
 * files.   Threads: as decide.h.
 */
#ifndef POLICY_METER_H
#define POLICY_METER_H

#include "policy/decide.h"

/* The ask for amount of that limit at now; unit: what one recipient counts.
 * -1 without memory. */
int	meter_ask(const struct policy *, const struct tenant *,
	    const struct limit *, int64_t amount, int64_t unit, int64_t now,
	    struct arena *, struct ask *);
/* Makes the mail's meters, once its tenant is known. -1 without memory. */
int	meters_make(struct mail *);
/* Reserves for one more recipient of that provider, in every limit or none. */
enum verdict meters_reserve(struct mail *, unsigned provider, int64_t now,
	    struct answer *);
/* The whole mail of that many bytes; seals. */
enum verdict meters_seal(struct mail *, int64_t size, int64_t now,
	    struct answer *);
/* judge.c: the answer when so many of mail->lacks do not fit. */
enum verdict meters_judge(struct mail *, size_t nlacks, int64_t now,
	    struct answer *);
/* A tenant in shadow mode lets this pass: keeps the worst such answer, makes
 * it a PASS and returns that; others get the answer's verdict. */
enum verdict meters_shadow(struct mail *, struct answer *);

#endif
