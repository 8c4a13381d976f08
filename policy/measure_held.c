/*
 * measure_held - what waits in the hold queue for room of a limit.
 *
 * Beside the counter of a limit that holds stand two gauges of what is held
 * for it, under hash_128 of u8 lane and the limit's own key: lane 129 mail
 * that is not bulk, lane 130 bulk mail.  A hold event adds to one, the release
 * event takes out again; windows and leaks do not change them, since a message
 * that waits for tomorrow's cap still waits when tomorrow begins.
 *
 * What waits goes first.  A limit has no room for new mail that the held will
 * take, or a steady stream of new mail would starve them, and no forecast
 * would be true.  Bulk mail does not come before any other: a reset of a
 * password meets no more than what is held of its own kind, and penstock's
 * pacer lets it go first.
 *
 * The forecast, made when a message comes, counts what is held before it: a cap
 * gives one window after the other, a throttle its rate.  What it foresees
 * beyond hold_max is not held.  It is of whole amounts: a message that is
 * larger than what is left of a window waits for the next one, and so do those
 * of the same size behind it.
 */
#include "policy/measure.h"

#include "lib/clock.h"
#include "lib/hash.h"

enum { LANE_FIRST = 129, LANE_BULK = 130 };

/* lane_key - of the gauge beside that ask */
static void
lane_key(const struct ask *ask, bool bulk, uint8_t out[16])
{
	uint8_t text[17];

	text[0] = bulk ? LANE_BULK : LANE_FIRST;
	memcpy(text + 1, ask->charge.key, 16);
	hash_128(text, sizeof(text), out);
}

/* lane - the ask of a gauge, without a name */
static void
lane(const struct ask *ask, bool bulk, struct ask *to)
{
	*to = *ask;
	lane_key(ask, bulk, to->charge.key);
	to->charge.kind = LIMIT_HELD;
	to->charge.window = to->charge.window_end = 0;
	to->charge.rate = to->charge.period = 0;
	to->inflight = 0;
}

/* waits - what a gauge says, with what is about to be held */
static int64_t
waits(struct ledger *l, const struct ask *ask, bool bulk, int64_t now)
{
	struct counter_view view;
	struct ask gauge;

	lane(ask, bulk, &gauge);
	ledger_view(l, &gauge, now, &view);
	return view.used + view.reserved;
}

/* measure_before - all that goes before it */
int64_t
measure_before(struct ledger *l, const struct ask *ask, bool bulk, int64_t now)
{
	int64_t n = waits(l, ask, false, now);

	return bulk ? n + waits(l, ask, true, now) : n;
}

/* held_most - how much of the limit comes out again within hold_max, what it
 * has room for now included */
static int64_t
held_most(const struct limit *limit, const struct dimensions *d,
    const struct ask *ask, int64_t hold_max, int64_t now)
{
	int64_t length = ask->charge.window_end - ask->charge.window, times;
	struct warm_ask who;
	struct warm_view v;
	__int128 n;

	if (limit->warmup != NULL) {
		/* what there is now may be an hour's part of the day */
		measure_view(limit, d, now, &who, &v);
		times = hold_max / CLOCK_DAY;
		n = (__int128)v.cap * ((times > 1 ? times : 1) + 1);
	} else if (limit->kind == LIMIT_THROTTLE)
		n = limit->period > 0 ?
		    (__int128)limit->rate * hold_max / limit->period +
		    ask->most : 0;
	else {
		times = length > 0 ? hold_max / length : 1;
		n = (__int128)ask->most * ((times > 1 ? times : 1) + 1);
	}
	return n > LEDGER_AMOUNT_MAX ? LEDGER_AMOUNT_MAX : (int64_t)n;
}

/* measure_held - the gauge, as a message that is to be held asks it */
int
measure_held(struct ledger *l, const struct limit *limit,
    const struct dimensions *d, const struct ask *ask, bool bulk,
    int64_t hold_max, int64_t now, struct arena *arena, struct ask *held)
{
	char *name = arena_printf(arena, "held:%.*s", SLICE_ARG(limit->name));

	if (name == NULL)
		return -1;
	lane(ask, bulk, held);
	held->charge.name = slice_of(name);
	held->most = held_most(limit, d, ask, hold_max, now);
	if (bulk)
		held->most -= waits(l, ask, false, now);
	if (held->most < 0)
		held->most = 0;
	return 0;
}

/* cap_forecast - so many windows of `most` from the one that is open on */
static int64_t
cap_forecast(const struct zone *zone, const struct limit *limit,
    const struct charge *charge, int64_t most, __int128 need, int64_t until)
{
	__int128 windows = (need + most - 1) / most;
	struct window w = { charge->window, charge->window_end };

	while (--windows > 0 && w.end <= until)
		zone_window(zone, limit->unit, limit->month_day, w.end, &w);
	return w.end;
}

/* throttle_forecast - until so much more has leaked */
static int64_t
throttle_forecast(const struct limit *limit, __int128 need, int64_t now)
{
	__int128 wait = limit->rate > 0 ?
	    (need * limit->period + limit->rate - 1) / limit->rate : INT64_MAX;

	return wait > INT64_MAX / 2 - now ? LEDGER_SOMETIME - 1 :
	    now + (int64_t)wait;
}

/* measure_forecast - room behind those that wait */
int64_t
measure_forecast(const struct limit *limit, const struct zone *zone,
    const struct ask *ask, const struct shortfall *lack, int64_t before,
    int64_t now, int64_t until)
{
	int64_t n = ask->charge.amount, most = lack->most + before;
	__int128 need = (__int128)lack->used + lack->reserved + before + n -
	    most;

	if (n > most)
		return INT64_MAX;
	if (before <= 0 || limit->kind >= LIMIT_OPEN || most <= 0)
		return lack->next;
	if (need <= 0)
		return now;
	return limit->kind == LIMIT_CAP ?
	    cap_forecast(zone, limit, &ask->charge, most, need, until) :
	    throttle_forecast(limit, need, now);
}
