/*
 * rate - see rate.h.
 *
 * A throttle of n per period leaks n * 10^6 / period millionths per us, which
 * is seldom a whole number (200/hour: one millionth in 18 us).  Updates come
 * at any moment; if each rounded its leak down and moved the time to now, a
 * counter asked every microsecond would never leak at all.  So the time moves
 * only as far as the leak that was really booked accounts for, rounded up: the
 * rest of the wait is kept for the next update.
 *
 * Products are 128 bits wide: 10^12 a second, over 300,000 years of us, in
 * millionths, is 10^37.
 */
#include "policy/rate.h"

/* rate_leak - let the level run off from *time to now */
void
rate_leak(int64_t *level, int64_t *time, int64_t rate, int64_t period,
    int64_t now)
{
	__int128 leak, scaled;

	if (now <= *time)
		return;
	if (rate <= 0 || period <= 0 || *level <= 0) {
		*time = now;
		return;
	}
	scaled = (__int128)rate * RATE_UNIT;
	leak = scaled * (now - *time) / period;
	if (leak >= *level) {
		*level = 0;
		*time = now;
		return;
	}
	*level -= (int64_t)leak;
	*time += (int64_t)((leak * period + scaled - 1) / scaled);
}

/* rate_wait - how long until that much has leaked */
int64_t
rate_wait(int64_t millionths, int64_t rate, int64_t period)
{
	__int128 scaled, wait;

	if (millionths <= 0)
		return 0;
	if (rate <= 0 || period <= 0)
		return INT64_MAX;
	scaled = (__int128)rate * RATE_UNIT;
	wait = ((__int128)millionths * period + scaled - 1) / scaled;
	return wait > INT64_MAX ? INT64_MAX : (int64_t)wait;
}

/* rate_add - spend so many units, or give them back */
int64_t
rate_add(int64_t level, int64_t units)
{
	__int128 sum = level + (__int128)units * RATE_UNIT;

	if (sum < 0)
		return 0;
	return sum > RATE_LEVEL_MAX ? RATE_LEVEL_MAX : (int64_t)sum;
}

/* rate_fits - is there room for n more? */
bool
rate_fits(int64_t level, int64_t reserved, int64_t n, int64_t most)
{
	return level + ((__int128)reserved + n) * RATE_UNIT <=
	    (__int128)most * RATE_UNIT;
}

/* rate_whole - a level as people read it */
int64_t
rate_whole(int64_t level)
{
	return level / RATE_UNIT + (level % RATE_UNIT != 0);
}
