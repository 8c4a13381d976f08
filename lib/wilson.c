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
interval(double x, double all, double z)
{
	double p = x / all, zz = z * z, d = 1.0 + zz / all;

	return (struct interval){
		.centre = (p + zz / (2.0 * all)) / d,
		.half = z * sqrt(p * (1.0 - p) / all + zz / (4.0 * all * all)) /
		    d,
	};
}

/* low - at least so much; x and n of any unit that is a power of two */
static double
low(uint64_t x, uint64_t n, double unit, double z)
{
	struct interval i;

	if (n == 0 || x == 0)
		return 0.0;
	i = interval((double)(x < n ? x : n) * unit, (double)n * unit, z);
	return i.centre > i.half ? i.centre - i.half : 0.0;
}

/* high - at most so much */
static double
high(uint64_t x, uint64_t n, double unit, double z)
{
	struct interval i;

	if (n == 0 || x >= n)
		return 1.0;
	i = interval((double)x * unit, (double)n * unit, z);
	return i.centre + i.half < 1.0 ? i.centre + i.half : 1.0;
}

/* wilson_low - of whole counts */
double
wilson_low(uint64_t x, uint64_t n, double z)
{
	return low(x, n, 1.0, z);
}

/* wilson_high - of whole counts */
double
wilson_high(uint64_t x, uint64_t n, double z)
{
	return high(x, n, 1.0, z);
}

/* wilson_low2 - of counts in halves */
double
wilson_low2(uint64_t x2, uint64_t n2, double z)
{
	return low(x2, n2, 0.5, z);
}

/* wilson_high2 - of counts in halves */
double
wilson_high2(uint64_t x2, uint64_t n2, double z)
{
	return high(x2, n2, 0.5, z);
}
