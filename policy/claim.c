/*
 * claim - reserve, seal, release: what a message lays its hand on.
 *
 * Reserve is written as "the claim becomes exactly these asks": RCPT by RCPT
 * the same asks come with larger amounts, at the end of the message once more
 * with the windows of then and the bytes as counted.  For each ask the amount
 * held already in the same window is subtracted and only the rest is judged,
 * so that nobody loses what is his because a number was edited meanwhile; an
 * expired claim and a rolled window hold nothing, so all is judged anew.
 * First everything is judged, then everything is done: all or none.
 *
 * State of a claim:
 *
 *	EMPTY    reserve -> HELD	seal -> SEALED
 *	HELD     reserve -> HELD	seal -> SEALED	120 s idle -> EXPIRED
 *	EXPIRED  reserve -> HELD	seal -> SEALED	(holds nothing)
 *	SEALED   settle, of its charges: the claim is forgotten
 *	any      release -> EMPTY
 *
 * Held claims stand in a list, longest untouched first; expiry looks at its
 * head at every reserve and sweep, so an idle one never keeps others waiting.
 */
#include <string.h>

#include "policy/counter.h"

/* claim_unlink - out of the list of held claims */
static void
claim_unlink(struct ledger *l, struct claim *claim)
{
	if (claim->prev != NULL)
		claim->prev->next = claim->next;
	else
		l->first = claim->next;
	if (claim->next != NULL)
		claim->next->prev = claim->prev;
	else
		l->last = claim->prev;
	claim->prev = claim->next = NULL;
	l->stat.claims--;
}

/* claim_link - at the end of the list: just touched */
static void
claim_link(struct ledger *l, struct claim *claim, int64_t now)
{
	claim->touched = now;
	claim->next = NULL;
	claim->prev = l->last;
	if (l->last != NULL)
		l->last->next = claim;
	else
		l->first = claim;
	l->last = claim;
	l->stat.claims++;
}

/* claim_unreserve - of everything it has; a held one leaves the list */
static void
claim_unreserve(struct ledger *l, struct claim *claim, int state)
{
	size_t i;

	for (i = 0; i < claim->n; i++)
		charge_unreserve(l, &claim->asks[i].charge);
	if (claim->state == CLAIM_HELD)
		claim_unlink(l, claim);
	claim->state = state;
}

/* claims_expire - those that nobody touched for LEDGER_IDLE */
void
claims_expire(struct ledger *l, int64_t now)
{
	while (l->first != NULL && now - l->first->touched >= LEDGER_IDLE)
		claim_unreserve(l, l->first, CLAIM_EXPIRED);
}

/* claim_holds - how much of that counter a claim has reserved */
static int64_t
claim_holds(const struct claim *claim, const struct counter *c)
{
	size_t i;

	if (claim->state != CLAIM_HELD)
		return 0;
	for (i = 0; i < claim->n; i++)
		if (memcmp(claim->asks[i].charge.key, c->key, 16) == 0)
			return counter_holds(c, &claim->asks[i].charge) ?
			    claim->asks[i].charge.amount : 0;
	return 0;
}

/* lacks_room - does this ask of the next set not fit?  Then say how */
static bool
lacks_room(struct counter *c, const struct ask *ask, int64_t held,
    int64_t alone, int64_t now, struct shortfall *lack)
{
	int64_t need = ask->charge.amount - held;
	const struct share *s;
	bool inflight = false;

	if (need <= 0)
		return false;
	if (counter_fits(c, need, ask->most)) {
		if (!c->shared || ask->inflight <= 0)
			return false;
		s = share_of(c, ask->charge.tenant, false);
		inflight = (s != NULL ? s->reserved : 0) + need >
		    ask->inflight;
		if (!inflight)
			return false;
	}
	if (lack == NULL)
		return true;
	lack->used = counter_used(c);
	lack->reserved = c->reserved;
	lack->most = ask->most;
	lack->inflight = inflight;
	lack->next = inflight ? now : alone > ask->most ? INT64_MAX :
	    counter_next(c, need, ask->most, now);
	return true;
}

/* claim_room - arrays for n asks; expiry reads them, so under the mutex */
static int
claim_room(struct claim *claim, struct arena *arena, size_t n)
{
	struct ask *asks, *spare;
	size_t cap = n > 8 ? n : 8;

	if (n <= claim->cap)
		return 0;
	asks = arena_array(arena, cap, sizeof(*asks));
	spare = arena_array(arena, cap, sizeof(*spare));
	if (asks == NULL || spare == NULL)
		return -1;
	if (claim->n > 0)
		memcpy(asks, claim->asks, claim->n * sizeof(*asks));
	claim->asks = asks;
	claim->spare = spare;
	claim->cap = cap;
	return 0;
}

/* spare_add - put an ask into the next set, where its counter may be already
 * (the overflow counter stands for many keys) */
static struct ask *
spare_add(struct claim *claim, size_t *m, const struct ask *ask,
    const struct counter *c)
{
	struct ask *to;
	size_t i;

	for (i = 0; i < *m; i++) {
		to = &claim->spare[i];
		if (memcmp(to->charge.key, c->key, 16) != 0)
			continue;
		to->charge.amount += ask->charge.amount;
		if (ask->most < to->most)
			to->most = ask->most;
		return to;
	}
	to = &claim->spare[(*m)++];
	*to = *ask;
	memcpy(to->charge.key, c->key, 16);
	return to;
}

/* claim_judge - make the next set and judge it; 1 fits, 0 not, -1 no memory */
static int
claim_judge(struct ledger *l, struct claim *claim, const struct ask *asks,
    size_t n, int64_t now, bool seal, size_t *m, struct shortfall *lacks,
    size_t *nlacks)
{
	struct counter *c;
	struct ask *to;
	int64_t held;
	size_t i, short_of = 0;

	for (i = 0; i < n; i++) {
		if (asks[i].charge.amount <= 0)
			continue;
		c = counter_resolve(l, &asks[i].charge, now, true);
		if (c == NULL)
			return -1;
		to = spare_add(claim, m, &asks[i], c);
		if (to->charge.amount > LEDGER_AMOUNT_MAX)
			to->charge.amount = to->most == LEDGER_UNBOUNDED ?
			    LEDGER_AMOUNT_MAX : LEDGER_AMOUNT_MAX + 1;
		if (counter_turn(c, to, now))
			counter_dirty(l, c);	/* a restart knows it too */
		if (c->kind == LIMIT_CAP) {
			to->charge.window = c->window;
			to->charge.window_end = c->window_end;
		}
		if (c->shared && share_of(c, to->charge.tenant, true) == NULL)
			return -1;
		held = claim_holds(claim, c);
		if (lacks_room(c, to, held, seal ? to->charge.amount :
		    to->charge.amount - held, now,
		    lacks != NULL ? &lacks[short_of] : NULL)) {
			if (lacks != NULL)
				lacks[short_of].which = i;
			short_of++;
		}
	}
	if (nlacks != NULL)
		*nlacks = short_of;
	return short_of == 0;
}

/* claim_take - the next set was judged well: make it the claim's */
static void
claim_take(struct ledger *l, struct claim *claim, size_t m, int64_t now,
    bool seal)
{
	const struct charge *charge;
	struct ask *swap;
	size_t i;

	/* more before less: a share that falls to nothing is freed */
	for (i = 0; i < m; i++) {
		charge = &claim->spare[i].charge;
		counter_reserve(counter_find(l, charge->key), charge->tenant,
		    charge->amount);
	}
	if (claim->state == CLAIM_HELD)
		claim_unreserve(l, claim, CLAIM_EMPTY);
	swap = claim->asks;
	claim->asks = claim->spare;
	claim->spare = swap;
	claim->n = m;
	if (seal)
		claim->state = CLAIM_SEALED;
	else {
		claim->state = CLAIM_HELD;
		claim_link(l, claim, now);
	}
}

/* claim_become - reserve and seal */
static int
claim_become(struct ledger *l, struct claim *claim, struct arena *arena,
    const struct ask *asks, size_t n, int64_t now, bool seal,
    struct shortfall *lacks, size_t *nlacks)
{
	size_t m = 0;
	int fits;

	if (nlacks != NULL)
		*nlacks = 0;
	pthread_mutex_lock(&l->lock);
	claims_expire(l, now);
	fits = claim_room(claim, arena, n);
	if (fits == 0)
		fits = claim_judge(l, claim, asks, n, now, seal, &m, lacks,
		    nlacks);
	if (fits == 1)
		claim_take(l, claim, m, now, seal);
	pthread_mutex_unlock(&l->lock);
	return fits;
}

/* ledger_reserve - take n from every counter or from none */
int
ledger_reserve(struct ledger *l, struct claim *claim, struct arena *arena,
    const struct ask *asks, size_t n, int64_t now, struct shortfall *lacks,
    size_t *nlacks)
{
	return claim_become(l, claim, arena, asks, n, now, false, lacks,
	    nlacks);
}

/* ledger_seal - the same for the last time, before the event is written */
int
ledger_seal(struct ledger *l, struct claim *claim, struct arena *arena,
    const struct ask *asks, size_t n, int64_t now, struct shortfall *lacks,
    size_t *nlacks)
{
	return claim_become(l, claim, arena, asks, n, now, true, lacks,
	    nlacks);
}

/* ledger_release - the message is not to be: nobody is charged */
void
ledger_release(struct ledger *l, struct claim *claim)
{
	pthread_mutex_lock(&l->lock);
	if (claim->state == CLAIM_HELD || claim->state == CLAIM_SEALED)
		claim_unreserve(l, claim, CLAIM_EMPTY);
	claim->state = CLAIM_EMPTY;
	claim->n = 0;
	pthread_mutex_unlock(&l->lock);
}
