/*
 * measure_held - what waits in the hold queue for room of a limit.
 *
 * Beside the counter of a limit that holds stand two gauges of what is held
 * for it, under hash_128 of u8 lane and the limit's own key: lane 129 mail
 * that is not bulk, lane 130 bulk mail.  A hold event adds to one, the release
 * event takes out again; windows and leaks do not change them, since a message
 * that waits for tomorrow's cap still waits when tomorrow begins.
 *
 * A message that waits for one limit of its way, as for the five minutes of a
 * warmup's throttle, will want room of the others when it goes, of the day and
 * of the provider's part.  It stands in no queue there, so new mail does not
 * wait behind it; but it is counted in two more gauges (131 and 132), since all
 * that is held must come out of each limit within hold_max.
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

enum gauge { LANE_FIRST = 129, LANE_BULK, NEED_FIRST, NEED_BULK };

/* gauge_key - of the gauge beside that ask */
static void
gauge_key(const struct ask *ask, enum gauge which, uint8_t out[16])
{
	uint8_t text[17];

	text[0] = (uint8_t)which;
	memcpy(text + 1, ask->charge.key, 16);
	hash_128(text, sizeof(text), out);
}

/* gauge_ask - the ask of a gauge, without a name */
static void
gauge_ask(const struct ask *ask, enum gauge which, struct ask *to)
{
	*to = *ask;
	gauge_key(ask, which, to->charge.key);
	to->charge.kind = LIMIT_HELD;
	to->charge.window = to->charge.window_end = 0;
	to->charge.rate = to->charge.period = 0;
	to->inflight = 0;
	to->weight = 0;
}

/* waits - what a gauge says, with what is about to be held */
static int64_t
waits(struct ledger *l, const struct ask *ask, enum gauge which, int64_t now)
{
	struct counter_view view;
	struct ask gauge;

	gauge_ask(ask, which, &gauge);
	ledger_view(l, &gauge, now, &view);
	return view.used + view.reserved;
}

/* measure_before - all that goes before it */
int64_t
measure_before(struct ledger *l, const struct ask *ask, bool bulk, int64_t now)
{
	int64_t n = waits(l, ask, LANE_FIRST, now);

	return bulk ? n + waits(l, ask, LANE_BULK, now) : n;
}

/* cap_coming - whole windows from now on; of a fair pool's last one as much as
 * its hours have let through by then */
static int64_t
cap_coming(const struct limit *limit, const struct dimensions *d,
    const struct ask *ask, int64_t most, int64_t until)
{
	const struct zone *zone = measure_zone(limit, d->policy, d->tenant,
	    d->pool);
	struct window w = { ask->charge.window, ask->charge.window_end };
	int64_t length = w.end - w.start, n = 0;

	if (length < CLOCK_HOUR)	/* so many that nobody counts them */
		n = until > w.end ? (until - w.end) / length + 1 : 0;
	for (; length >= CLOCK_HOUR && w.end <= until; n++)
		zone_window(zone, limit->unit, limit->month_day, w.end, &w);
	if (most > 0 && n > LEDGER_AMOUNT_MAX / most)
		return LEDGER_AMOUNT_MAX;
	n *= most;
	if (ask->weight > 0 && length >= CLOCK_HOUR && w.end - w.start >
	    CLOCK_HOUR && w.start > ask->charge.window && until < w.end)
		n -= (int64_t)((__int128)most * (w.end - until) /
		    (w.end - w.start));
	return n;
}

/* coming - how much of the limit comes out until then, what it has room for now
 * included */
static int64_t
coming(struct ledger *l, const struct limit *limit, const struct dimensions *d,
    const struct ask *ask, int64_t until, int64_t now)
{
	int64_t most = measure_whole(limit, d, now), used, n;
	struct counter_view view;
	__int128 leak;

	ledger_view(l, ask, now, &view);
	used = view.used + view.reserved;
	if (limit->warmup != NULL)
		return measure_coming(limit, d, used, until, now);
	n = used < most ? most - used : 0;
	if (limit->kind == LIMIT_CAP)
		n += cap_coming(limit, d, ask, most, until);
	else if (limit->kind == LIMIT_THROTTLE && limit->period > 0) {
		leak = (__int128)limit->rate * (until - now) / limit->period;
		n += leak > LEDGER_AMOUNT_MAX ? LEDGER_AMOUNT_MAX :
		    (int64_t)leak;
	}
	return n > LEDGER_AMOUNT_MAX ? LEDGER_AMOUNT_MAX : n;
}

/* measure_held - the gauge, as a message that is to be held asks it */
int
measure_held(struct ledger *l, const struct limit *limit,
    const struct dimensions *d, const struct ask *ask,
    const struct holding *how, int64_t now, struct arena *arena,
    struct ask *held)
{
	enum gauge own = how->need ? how->bulk ? NEED_BULK : NEED_FIRST :
	    how->bulk ? LANE_BULK : LANE_FIRST;
	char *name = arena_printf(arena, "held:%.*s", SLICE_ARG(limit->name));

	if (name == NULL)
		return -1;
	gauge_ask(ask, own, held);
	held->charge.name = slice_of(name);
	held->most = coming(l, limit, d, ask, now + how->hold_max, now);
	for (int g = LANE_FIRST; g <= NEED_BULK; g++)
		if (g != (int)own && (how->bulk || g == LANE_FIRST ||
		    g == NEED_FIRST))
			held->most -= waits(l, ask, (enum gauge)g, now);
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
