/*
 * wilson - how bad is it at least, when x of n went wrong?
 *
 * The one-sided bounds of E. B. Wilson's score interval (J. Am. Stat. Assoc.
 * 22, 1927).  The lower one is small where little is known, so that a few
 * events among few messages cannot shout; the raw share can.
 * Pure.  Threads: any.
 */
#ifndef LIB_WILSON_H
#define LIB_WILSON_H

#include <stdint.h>

#define WILSON_90	1.2816	/* z: nine times of ten the truth is above
				   the lower bound */

/* Shares between 0 and 1. x above n counts as n; of nothing: 0 and 1. */
double	wilson_low(uint64_t x, uint64_t n, double z);
double	wilson_high(uint64_t x, uint64_t n, double z);
/* The same of counts in halves: 3, 5 are one and a half of two and a half. */
double	wilson_low2(uint64_t x2, uint64_t n2, double z);
double	wilson_high2(uint64_t x2, uint64_t n2, double z);

#endif
