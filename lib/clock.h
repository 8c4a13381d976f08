/*
 * clock - gate time: microseconds since 1970 UTC that never go back.
 *
 * Wall clock at start, never below the last time stored, advanced by
 * CLOCK_BOOTTIME.  A wall clock that steps forward by up to 25 h is followed;
 * a larger jump either way keeps our own pace and clock_jumped() tells, until
 * the wall returns or clock_accept() is called.
 * Tests set it with clock_set and it stands still until clock_set again.
 * Threads: any after clock_start.
 */
#ifndef LIB_CLOCK_H
#define LIB_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define CLOCK_SECOND	INT64_C(1000000)
#define CLOCK_MINUTE	(60 * CLOCK_SECOND)
#define CLOCK_HOUR	(60 * CLOCK_MINUTE)
#define CLOCK_DAY	(24 * CLOCK_HOUR)

void	clock_start(int64_t last_stored);	/* 0: none */
int64_t	clock_now(void);			/* gate time */
int64_t	clock_wall(void);			/* CLOCK_REALTIME, us */
int64_t	clock_mono(void);			/* CLOCK_MONOTONIC, us: deadlines */
int64_t	clock_jumped(void);			/* wall minus gate, 0 when sane */
void	clock_accept(void);			/* forward jumps: follow the wall */
void	clock_set(int64_t);			/* tests; 0 lets it run again */

#endif
