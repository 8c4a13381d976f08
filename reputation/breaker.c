/*
 * breaker - see breaker.h.
 *
 * A window is a ring of STEPS counts; the sum is of the steps that lie within
 * the window that ends with the newest step.  So it looks back between 19 and
 * 20 twentieths of the window, which is exact enough for "8% within an hour"
 * and costs 170 bytes for each key whatever passes.
 *
 * Not chosen: an exact list of times (a bad list of a million addresses would
 * make it as long as itself), an average that decays (nobody can check it with
 * a pencil).
 */
#include "reputation/breaker.h"

#include <stdlib.h>
#include <string.h>

#include "lib/map.h"

enum { STEPS = 20 };
#define IDLE	(8 * INT64_C(86400) * 1000000)	/* us: longer than a window */

struct tally {
	uint8_t		key[TRIP_KEY];
	int64_t		floor, last;	/* us */
	int64_t		step;		/* us */
	int64_t		head;		/* number of the newest step */
	uint32_t	bad[STEPS], all[STEPS];
};

struct tallies {
	struct map	*map;
};

/* slice_key - of the map */
static struct slice
slice_key(const uint8_t *key)
{
	return (struct slice){ (const char *)key, TRIP_KEY };
}

/* tallies_new - none */
struct tallies *
tallies_new(void)
{
	struct tallies *t = calloc(1, sizeof(*t));

	if (t == NULL || (t->map = map_new()) == NULL) {
		free(t);
		return NULL;
	}
	return t;
}

/* tallies_free - and all of them */
void
tallies_free(struct tallies *t)
{
	struct slice key;
	size_t at = 0;
	void *one;

	if (t == NULL)
		return;
	while (map_next(t->map, &at, &key, &one))
		free(one);
	map_free(t->map);
	free(t);
}

/* tallies_known - was it begun? */
bool
tallies_known(const struct tallies *t, const uint8_t key[TRIP_KEY])
{
	return map_get(t->map, slice_key(key)) != NULL;
}

/* sweep - one that nothing happened to for longer than any window */
static void
sweep(struct tallies *t, int64_t now)
{
	struct tally *old = NULL;
	struct slice key;
	size_t at = 0;
	void *one;

	while (old == NULL && map_next(t->map, &at, &key, &one))
		if (((struct tally *)one)->last < now - IDLE)
			old = one;
	if (old != NULL) {
		(void)map_remove(t->map, slice_key(old->key));
		free(old);
	}
}

/* tallies_begin - a new one */
int
tallies_begin(struct tallies *t, const uint8_t key[TRIP_KEY], int64_t floor,
    int64_t now)
{
	struct tally *one;

	if (map_count(t->map) >= TALLIES_MOST)
		sweep(t, now);
	if (map_count(t->map) >= TALLIES_MOST ||
	    (one = calloc(1, sizeof(*one))) == NULL)
		return -1;
	memcpy(one->key, key, TRIP_KEY);
	one->floor = floor;
	one->last = now;
	if (map_set(t->map, slice_key(one->key), one) == -1) {
		free(one);
		return -1;
	}
	return 0;
}

/* turn - the ring so that step at is in it; false: it is too old for that */
static bool
turn(struct tally *one, int64_t at)
{
	if (at <= one->head - STEPS)
		return false;
	if (at >= one->head + STEPS) {
		memset(one->bad, 0, sizeof(one->bad));
		memset(one->all, 0, sizeof(one->all));
		one->head = at;
	}
	for (; one->head < at; one->head++) {
		one->bad[(one->head + 1) % STEPS] = 0;
		one->all[(one->head + 1) % STEPS] = 0;
	}
	return true;
}

/* tallies_add - one thing more */
int
tallies_add(struct tallies *t, const uint8_t key[TRIP_KEY],
    const struct tally_rule *rule, int64_t time, bool ended, bool wrong,
    uint64_t *bad, uint64_t *all)
{
	struct tally *one = map_get(t->map, slice_key(key));
	int64_t step = rule->window / STEPS, at;

	if (one == NULL || time <= one->floor || time <= 0 || step <= 0)
		return 0;
	if (one->step != step) {	/* the policy has another window */
		memset(one->bad, 0, sizeof(one->bad));
		memset(one->all, 0, sizeof(one->all));
		one->step = step;
		one->head = time / step;
	}
	at = time / step;
	if (!turn(one, at))
		return 0;
	if (time > one->last)
		one->last = time;
	one->bad[at % STEPS] += wrong;
	one->all[at % STEPS] += ended;
	if (!wrong)
		return 0;
	*bad = *all = 0;
	for (size_t i = 0; i < STEPS; i++) {
		*bad += one->bad[i];
		*all += one->all[i];
	}
	return *all >= rule->least && *bad * 10000 >= *all * rule->rate;
}

/* tallies_reset - as if nothing had been */
void
tallies_reset(struct tallies *t, const uint8_t key[TRIP_KEY], int64_t floor)
{
	struct tally *one = map_get(t->map, slice_key(key));

	if (one == NULL)
		return;
	memset(one->bad, 0, sizeof(one->bad));
	memset(one->all, 0, sizeof(one->all));
	if (floor > one->floor)
		one->floor = floor;
}
