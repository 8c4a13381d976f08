/*
 * outcome_find - events by address and by Message-ID, domains by name.
 *
 * Both are indexed under a SipHash with a secret of this store, addresses in
 * lower case: the index shows nobody's address, and nobody can choose two
 * that meet.  It does not keep somebody who has the whole file, and the secret
 * with it, from asking for one.  By chance two of a hundred million meet once
 * in four thousand stores; who asks compares what the event says.  Not chosen:
 * SHA-256, which took a seventh of the time of a message.
 */
#include "reputation/outcome_in.h"

#include <string.h>

#include "lib/hash.h"
#include "lib/wire.h"

enum { ADDRESS = 512, DEFERRALS = 64 };

/* outcome_address_key - of an address */
uint64_t
outcome_address_key(const struct outcomes *o, struct slice address)
{
	char low[ADDRESS];
	size_t n = address.n < ADDRESS ? address.n : ADDRESS;

	for (size_t i = 0; i < n; i++) {
		char c = address.p[i];

		low[i] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
	}
	return hash_64(be64_get(o->secret), low, n);
}

/* outcome_message_id_key - with or without its brackets */
uint64_t
outcome_message_id_key(const struct outcomes *o, struct slice id)
{
	id = slice_trim(id);
	if (id.n >= 2 && id.p[0] == '<' && id.p[id.n - 1] == '>')
		id = (struct slice){ id.p + 1, id.n - 2 };
	return hash_64(be64_get(o->secret + 8), id.p, id.n);
}

/* find - events behind "after" under a hash */
static int
find(struct outcomes *o, uint64_t hash, unsigned bits, uint64_t after,
    uint64_t *events, size_t n, size_t *count, struct why *why)
{
	struct db_txn *txn = NULL;
	int rc;

	*count = 0;
	if (db_begin(o->db, false, &txn, why) == -1)
		return -1;
	rc = outcome_run_find(o, txn, T_INDEX, hash, bits, after, events, n,
	    count, why);
	db_abort(txn);
	return rc;
}

/* outcomes_by_address - events of a sender or a recipient */
int
outcomes_by_address(struct outcomes *o, struct slice address,
    enum outcome_role role, uint64_t after, uint64_t *events, size_t n,
    size_t *count, struct why *why)
{
	return find(o, outcome_address_key(o, address), role, after, events,
	    n, count, why);
}

/* outcomes_by_message_id - a Message-ID need not be unique */
int
outcomes_by_message_id(struct outcomes *o, struct slice id, uint64_t after,
    uint64_t *events, size_t n, size_t *count, struct why *why)
{
	return find(o, outcome_message_id_key(o, id), INDEX_MESSAGE_ID, after,
	    events, n, count, why);
}

/* outcomes_learned - what relays said of a domain, in lower case */
int
outcomes_learned(struct outcomes *o, struct slice domain, struct arena *arena,
    struct learned *l, struct why *why)
{
	struct db_txn *txn = NULL;
	struct slice value, kept;
	int got;

	if (db_begin(o->db, false, &txn, why) == -1)
		return -1;
	got = db_get(txn, T_DOMAINS, domain, &value, why);
	if (got == 1) {
		if ((kept = arena_copy(arena, value)).p == NULL)
			got = why_kind(why, WHY_MEMORY, "no memory for a row");
		else if (learned_decode(domain, kept, l, why) == -1)
			got = -1;
	}
	db_abort(txn);
	return got;
}

/* outcome_known_domain - what relays said, as the writer sees it */
int
outcome_known_domain(struct outcomes *o, struct slice domain,
    struct learned *l, struct why *why)
{
	struct slice value;
	int got = db_get(o->txn, T_DOMAINS, domain, &value, why);

	if (got == 1 && learned_decode(domain, value, l, why) == -1)
		got = -1;
	return got == -1 ? outcome_fail(o, why) : got;
}

/* keep_deferral - under its recipient, over an earlier one */
static int
keep_deferral(struct slice record, struct arena *arena, struct map *map,
    struct why *why)
{
	struct outcome *x = arena_alloc(arena, sizeof(*x));
	struct slice kept = arena_copy(arena, record);

	if (x == NULL || kept.p == NULL)
		return why_kind(why, WHY_MEMORY, "no memory for deferrals");
	if (outcome_decode(kept, x, why) == -1)
		return -1;
	if (x->kind == OUTCOME_DEFERRED &&
	    map_set(map, x->recipient, x) == -1)
		return why_kind(why, WHY_MEMORY, "no memory for deferrals");
	return 0;
}

/* outcome_deferrals - what was last said about each recipient */
int
outcome_deferrals(struct outcomes *o, uint64_t event, struct arena *arena,
    struct map *map, struct why *why)
{
	uint64_t seqs[DEFERRALS], after = 0;
	struct slice record;
	uint8_t room[8];
	size_t n;
	int got;

	do {
		if (outcome_run_find(o, o->txn, T_BY_EVENT, event, 0, after,
		    seqs, DEFERRALS, &n, why) == -1)
			return outcome_fail(o, why);
		for (size_t i = 0; i < n; i++) {
			after = seqs[i];
			got = db_get(o->txn, T_OUTCOMES, outcome_be64(after,
			    room), &record, why);
			if (got == -1 || (got == 1 && keep_deferral(record,
			    arena, map, why) == -1))
				return outcome_fail(o, why);
		}
	} while (n == DEFERRALS);
	return 0;
}
