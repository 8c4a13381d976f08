/*
 * desk_state - see desk_state.h.
 */
#include "tools/desk_state.h"

#include <stdlib.h>
#include <string.h>

#include "lib/desk.h"
#include "lib/store.h"

/* desk_state - by the end of its chain */
enum desk_state
desk_state(const struct config *config, const struct orders *orders)
{
	char *dir = xasprintf("%s/desk", config->store);
	uint64_t had = orders_seq(orders), seq = 0;
	uint8_t ours[HASH_SHA256], chain[HASH_SHA256];
	struct desk *desk = NULL;
	struct why why;
	int got;

	if ((got = desk_open_read(&desk, dir, &why)) == 1 &&
	    desk_last(desk, &seq, chain, &why) == -1)
		got = -1;
	desk_close(desk);
	free(dir);
	if (had == 0 || got == -1)
		return DESK_STATE_FINE;
	if (got == 0)
		return DESK_STATE_GONE;
	orders_chain(orders, ours);
	return seq > had || (seq == had && memcmp(ours, chain,
	    sizeof(ours)) == 0) ? DESK_STATE_FINE : DESK_STATE_CUT;
}

/* desk_goes_on - or why nothing is decided */
int
desk_goes_on(const struct config *config, const struct orders *orders,
    struct why *why)
{
	enum desk_state state = desk_state(config, orders);

	if (state == DESK_STATE_FINE)
		return 0;
	return why_set(why, "%s/desk %s, and the gate has decisions up to "
	    "desk:%llu in force; put the newest backup of it back, then, or "
	    "if there is none: penstock store anew", config->store,
	    state == DESK_STATE_GONE ? "is gone" :
	    "was cut or written anew", (unsigned long long)
	    orders_seq(orders));
}

/* desk_goes_on_gate - of its store, if there is one */
int
desk_goes_on_gate(const struct config *config, struct why *why)
{
	char *dir = xasprintf("%s/gate", config->store);
	struct arena *arena = arena_new(1 << 14, 0);
	struct store *store = NULL;
	struct orders *orders = NULL;
	struct slice stored;
	int got = -1;

	if (arena == NULL)
		(void)why_kind(why, WHY_MEMORY, "out of memory");
	else if ((got = store_open_read(&store, dir, why)) == 1 &&
	    (got = store_orders(store, arena, &stored, why)) == 1 &&
	    (got = orders_decode(stored, &orders, why)) == 0)
		got = desk_goes_on(config, orders, why);
	store_close(store);
	orders_drop(orders);
	arena_free(arena);
	free(dir);
	return got == -1 ? -1 : 0;
}
