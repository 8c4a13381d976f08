/*
 * scan - values with units, each in one place with its bounds and its error.
 *
 * Action style: -1 and a sentence that names what was found and expected.
 * Threads: any.
 */
#ifndef LIB_SCAN_H
#define LIB_SCAN_H

#include <stdint.h>
#include "lib/slice.h"
#include "lib/why.h"
#include "lib/zone.h"

struct rate {			/* "200/hour": n per window of that unit */
	int64_t		 n;	/* 1 .. 10^12 */
	enum window_unit unit;	/* throttle: second also, see period */
	int		 month_day; /* "500000/month@17"; else 1 */
	int64_t		 period; /* us: second, minute, hour, day, week; 0 month */
};

int	scan_count(struct slice, int64_t least, int64_t most, int64_t *,
	    struct why *);
/* "0.2", "1", "12.125": thousandths; more than three decimals are refused. */
int	scan_thousandths(struct slice, int64_t *, struct why *);
/* N/second|minute|hour|day : a continuous rate. */
int	scan_rate(struct slice, struct rate *, struct why *);
/* N/minute|hour|day|week|month|month@D : a calendar cap. */
int	scan_cap(struct slice, struct rate *, struct why *);
/* "90 seconds", "15 minutes", "24 hours", "3 days", also "90s 15m 24h 3d", and
 * sums of them: "1h 30m". Microseconds; at most 100 years. */
int	scan_duration(struct slice, int64_t *, struct why *);
/* "64 MiB", "10 kB", "4096": bytes */
int	scan_size(struct slice, int64_t *, struct why *);
/*
 * "2026-11-01", "2026-11-01 08:00", "10:30" (today) in zone (NULL: UTC),
 * "2026-11-01T08:00:00Z", "...+01:00"; "3 days ago" or "1h" before now,
 * "in 3 days", "now".  A local time that does not exist is the next that does.
 */
int	scan_moment(struct slice, const struct zone *, int64_t now, int64_t *,
	    struct why *);
/* An end to come: "2h" and "3 days" are from now on, "18:00" is the next time
 * it is that late, "today 18:00", "tomorrow", "tomorrow 08:00"; else as
 * scan_moment. */
int	scan_until(struct slice, const struct zone *, int64_t now, int64_t *,
	    struct why *);

#endif
