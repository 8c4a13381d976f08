/*
 * date - the proleptic Gregorian calendar as a count of days since 1970-01-01.
 *
 * No time zones (lib/zone.h).   Threads: any.
 */
#ifndef LIB_DATE_H
#define LIB_DATE_H

#include <stdbool.h>
#include <stdint.h>

bool	date_leap(int64_t year);
int	date_month_days(int64_t year, int month);	/* month 1..12 */
bool	date_exists(int64_t year, int month, int day);
/* month may run over: 13 is January of the next year, 0 December. */
int64_t	date_days(int64_t year, int month, int day);
void	date_of(int64_t days, int64_t *year, int *month, int *day);
int	date_weekday(int64_t days);			/* 0 Monday .. 6 */

#endif
