/*
 * wilson - see wilson.h.
 *
 *	p = x / n		d = 1 + z^2 / n
 *	centre = (p + z^2 / 2n) / d
 *	half = z * sqrt(p (1 - p) / n + z^2 / 4n^2) / d
 *
 * The root is IEEE's, rounded the one right way, and C11 keeps a * b + c two
 * roundings: the same input is the same number on every machine, so a decision
 * that was recorded can be made again.
 *
 * Not chosen: the normal interval (nothing wrong among few is then a certain
 * zero), Clopper-Pearson (needs the incomplete beta function), a Bayesian prior
 * (its strength would have to be explained to whoever is stopped by it).
 */
#include "lib/wilson.h"

#include <math.h>

struct interval {
	double	centre, half;
};

/* interval - around what was seen */
static struct interval
interval(uint64_t x, uint64_t n, double z)
{
	double all = (double)n, p = (double)x / all, zz = z * z;
	double d = 1.0 + zz / all;

	return (struct interval){
		.centre = (p + zz / (2.0 * all)) / d,
		.half = z * sqrt(p * (1.0 - p) / all + zz / (4.0 * all * all)) /
		    d,
	};
}

/* wilson_low - at least so much */
double
wilson_low(uint64_t x, uint64_t n, double z)
{
	struct interval i;

	if (n == 0 || x == 0)
		return 0.0;
	i = interval(x < n ? x : n, n, z);
	return i.centre > i.half ? i.centre - i.half : 0.0;
}

/* wilson_high - at most so much */
double
wilson_high(uint64_t x, uint64_t n, double z)
{
	struct interval i;

	if (n == 0 || x >= n)
		return 1.0;
	i = interval(x, n, z);
	return i.centre + i.half < 1.0 ? i.centre + i.half : 1.0;
}
