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
 * A limit that counts apart by recipient domain gives a message of a thousand
 * recipients a thousand asks.  ledger_more is for them: it looks at what the
 * next recipient adds and leaves the rest alone, as long as all the rest is
 * still there.  Asks come in the order in which the claim has them, so looking
 * for one begins behind the one found last.
 *
 * State of a claim:
 *
 *	EMPTY    reserve, more -> HELD	seal -> SEALED
 *	HELD     reserve, more -> HELD	seal -> SEALED	120 s idle -> EXPIRED
 *	EXPIRED  reserve -> HELD	seal -> SEALED	(holds nothing)
 *	SEALED   settle, of its charges: the claim is forgotten
 *	any      release -> EMPTY
 *
 * Held claims stand in a list, longest untouched first; expiry looks at its
 * head at every reserve and sweep, so an idle one never keeps others waiting.
 */
#include <string.h>

#include "policy/counter.h"

enum step { RESERVE, MORE, SEAL };

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

/* claim_find - what a held claim has of that counter, or NULL; *at: where the
 * one looked for before stood */
static struct ask *
claim_find(const struct claim *claim, const uint8_t key[16], size_t *at)
{
	size_t i, n = claim->state == CLAIM_HELD ? claim->n : 0;

	for (i = 0; i < n; i++) {
		if (++*at >= n)
			*at = 0;
		if (memcmp(claim->asks[*at].charge.key, key, 16) == 0)
			return &claim->asks[*at];
	}
	return NULL;
}

/* shared_out - is there no room in this hour, but in the next?  That the
 * tenant asks is noted in any case. */
static bool
shared_out(struct counter *c, const struct ask *ask, int64_t need, bool fits,
    int64_t now)
{
	if (ask->weight == 0 || c->kind != LIMIT_CAP ||
	    ask->most == LEDGER_UNBOUNDED)
		return false;
	if (fair_fits(&c->fair, ask, c->level + c->reserved, need, now) &&
	    fits)
		return false;
	return fits || ask->slot_end < ask->charge.window_end;
}

/* in_flight - does he hold too much of it with his own open messages? */
static bool
in_flight(struct counter *c, const struct ask *ask, int64_t need)
{
	const struct share *s;

	if (!c->shared || ask->inflight <= 0)
		return false;
	s = share_of(c, ask->charge.tenant, false);
	return (s != NULL ? s->reserved : 0) + need > ask->inflight;
}

/* lacks_room - does this ask of the next set not fit?  Then say how */
static bool
lacks_room(const struct ledger *l, struct counter *c, const struct ask *ask,
    int64_t held, int64_t alone, int64_t now, struct shortfall *lack)
{
	int64_t need = ask->charge.amount - held, most = ask->most, finals;
	bool fits, inflight, fair;

	if (need <= 0)
		return false;
	finals = counter_finals(l, c);
	if (most != LEDGER_UNBOUNDED)
		most = most > INT64_MAX - finals ? INT64_MAX : most + finals;
	fits = counter_fits(c, need, most);
	fair = shared_out(c, ask, need, fits, now);
	inflight = fits && !fair && in_flight(c, ask, need);
	if (fits && !fair && !inflight)
		return false;
	if (lack == NULL)
		return true;
	lack->used = counter_used(c) - finals;
	lack->reserved = c->reserved;
	lack->most = ask->most;
	lack->inflight = inflight;
	lack->fair = fair;
	lack->next = inflight ? now : fair ? ask->slot_end :
	    alone > ask->most ? INT64_MAX : counter_next(c, need, most, now);
	return true;
}

/* claim_room - arrays for n asks; expiry reads them, so under the mutex */
static int
claim_room(struct claim *claim, struct arena *arena, size_t n)
{
	struct ask *asks, *spare;
	size_t cap = claim->cap > 0 ? claim->cap * 2 : 8;

	if (n <= claim->cap)
		return 0;
	if (cap < n)
		cap = n;
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

	for (i = 0; memcmp(ask->charge.key, c->key, 16) != 0 && i < *m; i++) {
		to = &claim->spare[i];
		if (memcmp(to->charge.key, c->key, 16) != 0)
			continue;
		to->charge.amount += ask->charge.amount;
		/* what is in shadow for one of them is so for all */
		if (ask->most == LEDGER_UNBOUNDED || (ask->most < to->most &&
		    to->most != LEDGER_UNBOUNDED))
			to->most = ask->most;
		return to;
	}
	to = &claim->spare[(*m)++];
	*to = *ask;
	memcpy(to->charge.key, c->key, 16);
	return to;
}

/* claim_amount - what the next set asks of a counter, within what can be
 * counted; already: what the claim has and keeps */
static void
claim_amount(struct ask *to, int64_t already)
{
	if (to->charge.amount > LEDGER_AMOUNT_MAX - already)
		to->charge.amount = to->most == LEDGER_UNBOUNDED ?
		    LEDGER_AMOUNT_MAX - already : LEDGER_AMOUNT_MAX + 1;
}

/* claim_judge - make the next set and judge it; 1 fits, 0 not, -1 no memory,
 * LEDGER_ANEW when more is asked of something that is gone */
static int
claim_judge(struct ledger *l, struct claim *claim, const struct ask *asks,
    size_t n, int64_t now, enum step step, size_t *m, struct shortfall *lacks,
    size_t *nlacks)
{
	const struct ask *had;
	struct counter *c;
	struct ask *to;
	int64_t held;
	size_t i, at = claim->n, short_of = 0;

	for (i = 0; i < n; i++) {
		if (asks[i].charge.amount <= 0)
			continue;
		c = counter_resolve(l, &asks[i].charge, now, true);
		if (c == NULL)
			return -1;
		to = spare_add(claim, m, &asks[i], c);
		if (counter_turn(c, to, now))
			counter_dirty(l, c);	/* a restart knows it too */
		had = claim_find(claim, c->key, &at);
		if (had != NULL && !counter_holds(c, &had->charge)) {
			if (step == MORE)
				return LEDGER_ANEW;
			had = NULL;
		}
		claim_amount(to, step == MORE && had != NULL ?
		    had->charge.amount : 0);
		if (c->kind == LIMIT_CAP) {
			to->charge.window = c->window;
			to->charge.window_end = c->window_end;
		}
		if (c->shared && share_of(c, to->charge.tenant, true) == NULL)
			return -1;
		held = step != MORE && had != NULL ? had->charge.amount : 0;
		if (lacks_room(l, c, to, held, step == SEAL ?
		    to->charge.amount : to->charge.amount - held, now,
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

/* claim_grow - the next set was judged well: it comes on top */
static void
claim_grow(struct ledger *l, struct claim *claim, size_t m, int64_t now)
{
	const struct ask *more;
	struct ask *had;
	size_t i, at = claim->n;

	if (claim->state != CLAIM_HELD)
		claim->n = 0;
	for (i = 0; i < m; i++) {
		more = &claim->spare[i];
		counter_reserve(counter_find(l, more->charge.key),
		    more->charge.tenant, more->charge.amount);
		had = claim_find(claim, more->charge.key, &at);
		if (had != NULL)
			had->charge.amount += more->charge.amount;
		else
			claim->asks[claim->n++] = *more;
	}
	if (claim->state == CLAIM_HELD)
		claim_unlink(l, claim);
	claim->state = CLAIM_HELD;
	claim_link(l, claim, now);
}

/* claim_become - reserve, more and seal */
static int
claim_become(struct ledger *l, struct claim *claim, struct arena *arena,
    const struct ask *asks, size_t n, int64_t now, enum step step,
    struct shortfall *lacks, size_t *nlacks)
{
	size_t m = 0;
	int fits;

	if (nlacks != NULL)
		*nlacks = 0;
	pthread_mutex_lock(&l->lock);
	claims_expire(l, now);
	if (step == MORE && (claim->state == CLAIM_EXPIRED ||
	    claim->state == CLAIM_SEALED))
		fits = LEDGER_ANEW;
	else
		fits = claim_room(claim, arena, n + (step == MORE ?
		    claim->n : 0));
	if (fits == 0)
		fits = claim_judge(l, claim, asks, n, now, step, &m, lacks,
		    nlacks);
	if (fits == 1 && step == MORE)
		claim_grow(l, claim, m, now);
	else if (fits == 1)
		claim_take(l, claim, m, now, step == SEAL);
	pthread_mutex_unlock(&l->lock);
	return fits;
}

/* ledger_reserve - take n from every counter or from none */
int
ledger_reserve(struct ledger *l, struct claim *claim, struct arena *arena,
    const struct ask *asks, size_t n, int64_t now, struct shortfall *lacks,
    size_t *nlacks)
{
	return claim_become(l, claim, arena, asks, n, now, RESERVE, lacks,
	    nlacks);
}

/* ledger_more - on top of what the claim has, in every counter or in none */
int
ledger_more(struct ledger *l, struct claim *claim, struct arena *arena,
    const struct ask *asks, size_t n, int64_t now, struct shortfall *lacks,
    size_t *nlacks)
{
	return claim_become(l, claim, arena, asks, n, now, MORE, lacks,
	    nlacks);
}

/* ledger_seal - the same for the last time, before the event is written */
int
ledger_seal(struct ledger *l, struct claim *claim, struct arena *arena,
    const struct ask *asks, size_t n, int64_t now, struct shortfall *lacks,
    size_t *nlacks)
{
	return claim_become(l, claim, arena, asks, n, now, SEAL, lacks,
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
