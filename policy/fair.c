/*
 * fair - see fair.h.
 *
 * A slot is an hour of the cap's window (or all of a shorter window).  B is
 * what may pass in it: what the cap lets through until its end, less what was
 * gone at its begin, so that what is left of an hour goes on to the next.
 *
 *	tenants that asked in this slot or in the one before have the weights
 *	w, W in all; one that nobody knows yet has the weight 1
 *
 *	R = B * (W + x) / (W + 1)	x: the part of the slot that is over
 *	share = R * w / W
 *
 * so the part of him whom nobody knows is kept, and is given away as his time
 * goes by.  A message passes when its tenant's share has room for it.  Else,
 * and when the tenant was not known at the begin of the slot, it borrows: it
 * passes when, beside what was taken of R by all, every other
 * tenant still finds the least of
 *
 *	what is left of his share	his share * (1 - x)
 *
 * Who asks for more than his whole share at once, and owes nothing, may have
 * it: otherwise a share below one message would be none.  What a tenant had
 * beyond his share, by that, he owes in the next slot; what was borrowed is
 * not owed, since nobody wanted it.
 *
 * Not chosen: a queue per tenant (mail that is deferred has none), and shares
 * of all tenants of the policy (of ten thousand, each would have nothing).
 *
 * Amounts of shares are in 2^-16.  The walk over all others is made for each
 * message while there are few; for more, what they leave is worked out once a
 * second.
 */
#include "policy/fair.h"

#include <stdlib.h>
#include <string.h>

#define ONE		INT64_C(65536)
#define FEW		64		/* tenants */
#define SECOND		INT64_C(1000000)
#define TENANTS_FIRST	8

struct sharer {
	uint64_t	tenant;
	int64_t		weight;
	int64_t		used;		/* of this slot, and what is owed */
	int64_t		beyond;		/* of it, by a message that was larger
					   than the share: will be owed */
	int64_t		left;		/* of what the others must leave him,
					   when that was worked out */
	bool		asked;		/* in this slot */
	bool		fresh;		/* not known when it began */
};

struct fair {
	int64_t		slot, slot_end;
	int64_t		base;		/* gone at its begin */
	int64_t		even;		/* what may be gone at its end */
	int64_t		weights;
	int64_t		lefts;		/* of all, when worked out */
	int64_t		worked_out;	/* us */
	size_t		n, cap;
	struct sharer	*all;
};

/* fair_free - nobody counts here any more */
void
fair_free(struct fair *f)
{
	if (f != NULL)
		free(f->all);
	free(f);
}

/* budget - B, in 2^-16 */
static __int128
budget(const struct fair *f)
{
	int64_t b = f->even - f->base;

	return b > 0 ? (__int128)b * ONE : 0;
}

/* released - R: x in 2^-16 */
static __int128
released(const struct fair *f, int64_t x)
{
	return budget(f) * (f->weights * ONE + x) /
	    ((f->weights + 1) * ONE);
}

/* share_of - R * w / W */
static int64_t
share_of(const struct fair *f, const struct sharer *s, __int128 of)
{
	__int128 n = f->weights > 0 ? of * s->weight / f->weights : 0;

	return n > INT64_MAX ? INT64_MAX : (int64_t)n;
}

/* turn - another slot: debts stay, who did not ask is forgotten */
static void
turn(struct fair *f, int64_t slot, int64_t slot_end, int64_t gone)
{
	bool next = slot == f->slot_end;
	size_t i, n = 0;
	int64_t due;

	for (i = 0; i < f->n; i++) {
		struct sharer *s = &f->all[i];

		if (!next || !s->asked)
			continue;
		due = share_of(f, s, budget(f));
		s->used = s->used > due ? s->used - due : 0;
		if (s->used > s->beyond)	/* the rest was borrowed */
			s->used = s->beyond;
		s->beyond = s->used;
		s->asked = s->fresh = false;
		f->all[n++] = *s;
	}
	f->n = n;
	f->weights = 0;
	for (i = 0; i < n; i++)
		f->weights += f->all[i].weight;
	f->slot = slot;
	f->slot_end = slot_end;
	f->base = gone;
	f->worked_out = 0;
}

/* sharer_find - by its tenant, or NULL */
static struct sharer *
sharer_find(const struct fair *f, uint64_t tenant)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->all[i].tenant == tenant)
			return &f->all[i];
	return NULL;
}

/* sharer_of - the same, and it asks; NULL without memory */
static struct sharer *
sharer_of(struct fair *f, uint64_t tenant, uint32_t weight)
{
	struct sharer *s = sharer_find(f, tenant), *more;
	size_t cap;

	if (s == NULL && f->n == f->cap) {
		cap = f->cap > 0 ? f->cap * 2 : TENANTS_FIRST;
		more = realloc(f->all, cap * sizeof(*more));
		if (more == NULL)
			return NULL;
		f->all = more;
		f->cap = cap;
	}
	if (s == NULL) {
		s = &f->all[f->n++];
		*s = (struct sharer){ .tenant = tenant, .fresh = true };
		f->worked_out = 0;
	}
	f->weights += (int64_t)weight - s->weight;
	s->weight = weight;
	s->asked = true;
	return s;
}

/* left_for - what the others must leave him of the slot */
static int64_t
left_for(const struct fair *f, const struct sharer *s, __int128 of, int64_t x)
{
	int64_t share = share_of(f, s, of), left = share - s->used, rest;

	rest = (int64_t)((__int128)share * (ONE - x) / ONE);
	left = left < rest ? left : rest;
	return left > 0 ? left : 0;
}

/* others - what must be left for all but this one */
static int64_t
others(struct fair *f, const struct sharer *me, __int128 of, int64_t x,
    int64_t now)
{
	size_t i;

	if (f->n <= FEW || f->worked_out == 0 || now < f->worked_out ||
	    now - f->worked_out >= SECOND) {
		f->lefts = 0;
		for (i = 0; i < f->n; i++) {
			f->all[i].left = left_for(f, &f->all[i], of, x);
			f->lefts += f->all[i].left;
		}
		f->worked_out = now;
	}
	return f->lefts - me->left;
}

/* fair_fits - his share, or what nobody wants */
bool
fair_fits(struct fair **at, const struct ask *ask, int64_t gone, int64_t need,
    int64_t now)
{
	struct fair *f = *at;
	int64_t share, x = ONE, length = ask->slot_end - ask->slot;
	__int128 of, taken = (__int128)need * ONE;
	struct sharer *me;

	if (f == NULL && (*at = f = calloc(1, sizeof(*f))) == NULL)
		return true;
	/* a moment behind the slot: it is the newer one that counts */
	if (ask->slot > f->slot || f->slot_end == 0)
		turn(f, ask->slot, ask->slot_end, gone);
	f->even = ask->even;
	if ((me = sharer_of(f, ask->charge.tenant, ask->weight)) == NULL)
		return true;
	if (length > 0 && now < ask->slot_end)
		x = now > ask->slot ? (int64_t)((__int128)(now - ask->slot) *
		    ONE / length) : 0;
	of = released(f, x);
	share = share_of(f, me, of);
	if (!me->fresh && me->used + taken <= share)
		return true;
	if (!me->fresh && taken > share && me->used == 0) {
		me->beyond = (int64_t)(taken - share);
		return true;
	}
	if (gone > f->base)
		taken += (__int128)(gone - f->base) * ONE;
	taken += others(f, me, of, x, now);
	if (ask->most > ask->even)	/* what hours do not bind */
		of += (__int128)(ask->most - ask->even) * ONE;
	return taken <= of;
}

/* fair_took - for that tenant; below zero: given back */
void
fair_took(struct fair *f, uint64_t tenant, int64_t amount)
{
	struct sharer *s;
	int64_t n;

	if (f == NULL || (s = sharer_find(f, tenant)) == NULL)
		return;
	if (__builtin_mul_overflow(amount, ONE, &n) ||
	    __builtin_add_overflow(s->used, n, &n))
		return;
	s->used = n > 0 ? n : 0;
}

/*
 * fair_recall - what an event says
 *
 * What was gone at the begin of the slot is what is gone by now, less what came
 * in it.  How much a slot before had to give is not known any more, so a debt
 * of then is forgiven: it is less than one message.
 */
void
fair_recall(struct fair **at, int64_t slot, int64_t slot_end, uint64_t tenant,
    uint32_t weight, int64_t amount, int64_t level)
{
	struct fair *f = *at;

	if (f == NULL && (*at = f = calloc(1, sizeof(*f))) == NULL)
		return;
	if (slot > f->slot || f->slot_end == 0)
		turn(f, slot, slot_end, level);
	if (slot != f->slot || sharer_of(f, tenant, weight) == NULL)
		return;
	fair_took(f, tenant, amount);
	f->base = f->base > amount ? f->base - amount : 0;
}
