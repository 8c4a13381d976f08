/*
 * zone - civil time in a named zone, from the machine's TZif files (RFC 8536).
 *
 * glibc has no call per zone.  A window is the calendar minute, hour, day,
 * week (from Monday), month, or month starting on day D, that holds a moment.
 * A day of 23 or 25 hours is one window; where a local midnight does not
 * exist, the day starts at the first moment that does.
 * Ownership: zones are cached for the life of the process, never freed.
 * Threads: any.
 */
#ifndef LIB_ZONE_H
#define LIB_ZONE_H

#include <stddef.h>
#include <stdint.h>
#include "lib/why.h"

struct zone;

enum window_unit { WINDOW_MINUTE, WINDOW_HOUR, WINDOW_DAY, WINDOW_WEEK,
	WINDOW_MONTH };
extern const char *const window_unit_names[];	/* "minute" ... "month", NULL */

struct window {
	int64_t	start, end;		/* us UTC; start <= t < end */
};

struct civil {
	int	year, month, day, hour, minute, second;	/* month 1..12 */
	int	weekday;				/* 0 Monday .. 6 Sunday */
	int32_t	offset;					/* seconds east of UTC */
};

/* Fetch by name ("Europe/Madrid", "UTC"); action style. TZDIR respected. */
int	zone_find(const char *name, const struct zone **, struct why *);
const struct zone *zone_utc(void);
const char *zone_name(const struct zone *);
void	zone_civil(const struct zone *, int64_t us, struct civil *);
int64_t	zone_moment(const struct zone *, int year, int month, int day,
	    int hour, int minute, int second);	/* first moment >= that; us */
/* month_day: 1..28 for WINDOW_MONTH ("month@17"), else 1. Caches inside. */
void	zone_window(const struct zone *, enum window_unit, int month_day,
	    int64_t us, struct window *);
/* "2026-11-22 00:00 Europe/Madrid"; returns out. */
char	*zone_print(const struct zone *, int64_t us, char *out, size_t);

#endif
