/*
 * outcome_find - events by address and by Message-ID, domains by name.
 *
 * Addresses are indexed under two SipHashes of the address in lower case, each
 * with a secret of this store: the index shows nobody's address.  It does not
 * keep somebody who has the whole file, and the secret with it, from asking
 * for one.  Not chosen: SHA-256, which took a seventh of the time of a message.
 */
#include "reputation/outcome_in.h"

#include <string.h>

#include "lib/hash.h"
#include "lib/wire.h"

enum { KEY = 24, ADDRESS = 512 };

/* outcome_address_key - of an address */
void
outcome_address_key(const struct outcomes *o, struct slice address,
    uint8_t out[16])
{
	char low[ADDRESS];
	size_t n = address.n < ADDRESS ? address.n : ADDRESS;

	for (size_t i = 0; i < n; i++) {
		char c = address.p[i];

		low[i] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
	}
	be64_put(out, hash_64(be64_get(o->secret), low, n));
	be64_put(out + 8, hash_64(be64_get(o->secret + 8), low, n));
}

/* outcome_message_id_key - with or without its brackets */
void
outcome_message_id_key(struct slice id, uint8_t out[16])
{
	id = slice_trim(id);
	if (id.n >= 2 && id.p[0] == '<' && id.p[id.n - 1] == '>')
		id = (struct slice){ id.p + 1, id.n - 2 };
	hash_128(id.p, id.n, out);
}

/* find - events behind "after" under a hash */
static int
find(struct outcomes *o, unsigned table, const uint8_t hash[16],
    uint8_t roles, uint64_t after, uint64_t *events, size_t n, size_t *count,
    struct why *why)
{
	struct db_cursor *cursor = NULL;
	struct db_txn *txn = NULL;
	struct slice key, value;
	uint8_t from[KEY];
	int got;

	*count = 0;
	memcpy(from, hash, 16);
	be64_put(from + 16, after + 1);
	if (db_begin(o->db, false, &txn, why) == -1)
		return -1;
	got = db_seek(txn, table, (struct slice){ (char *)from, KEY }, &cursor,
	    &key, &value, why);
	for (; got == 1 && *count < n && key.n == KEY &&
	    memcmp(key.p, hash, 16) == 0;
	    got = db_next(cursor, &key, &value, why))
		if (roles == 0 ||
		    (value.n == 1 && ((uint8_t)value.p[0] & roles) != 0))
			events[(*count)++] =
			    be64_get((const uint8_t *)key.p + 16);
	db_cursor_close(cursor);
	db_abort(txn);
	return got == -1 ? -1 : 0;
}

/* outcomes_by_address - events of a sender or a recipient */
int
outcomes_by_address(struct outcomes *o, struct slice address,
    enum outcome_role role, uint64_t after, uint64_t *events, size_t n,
    size_t *count, struct why *why)
{
	uint8_t hash[16];

	outcome_address_key(o, address, hash);
	return find(o, T_ADDRESSES, hash, (uint8_t)role, after, events, n,
	    count, why);
}

/* outcomes_by_message_id - a Message-ID need not be unique */
int
outcomes_by_message_id(struct outcomes *o, struct slice id, uint64_t after,
    uint64_t *events, size_t n, size_t *count, struct why *why)
{
	uint8_t hash[16];

	outcome_message_id_key(id, hash);
	return find(o, T_MESSAGE_IDS, hash, 0, after, events, n, count, why);
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
	struct db_cursor *cursor = NULL;
	struct slice key, value, record;
	uint8_t room[16] = { 0 };
	int got;

	be64_put(room, event);
	got = db_seek(o->txn, T_BY_EVENT, (struct slice){ (char *)room, 16 },
	    &cursor, &key, &value, why);
	while (got == 1 && key.n == 16 && memcmp(key.p, room, 8) == 0) {
		got = db_get(o->txn, T_OUTCOMES, slice_from(key, 8), &record,
		    why);
		if (got == 1 && keep_deferral(record, arena, map, why) == -1)
			got = -1;
		if (got != -1)
			got = db_next(cursor, &key, &value, why);
	}
	db_cursor_close(cursor);
	return got == -1 ? outcome_fail(o, why) : 0;
}
