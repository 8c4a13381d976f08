/*
 * fuzz scan - any bytes as every value with a unit.  What is accepted lies
 * within the bounds that lib/scan.h promises, what is refused has a sentence.
 */
#include <stdint.h>
#include <stdlib.h>

#include "lib/clock.h"
#include "lib/scan.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* must - stop where the fuzzer sees it */
static void
must(bool fine)
{
	if (!fine)
		abort();
}

/* rate - what both kinds promise */
static void
rate(const struct rate *r)
{
	must(r->n >= 1 && r->n <= INT64_C(1000000000000));
	must(r->month_day >= 1 && r->month_day <= 28);
	must(r->period >= 0 && r->unit <= WINDOW_MONTH);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct zone *apia;
	const int64_t now = INT64_C(1795262400) * CLOCK_SECOND;
	struct slice in = { (const char *)data, n };
	struct rate r;
	struct why why;
	int64_t v;

	if (apia == NULL)
		must(zone_find("Pacific/Apia", &apia, &why) == 0);
	why.text[0] = '\0';
	if (scan_count(in, 3, 99, &v, &why) == 0)
		must(v >= 3 && v <= 99);
	else
		must(why.text[0] != '\0');
	why.text[0] = '\0';
	if (scan_thousandths(in, &v, &why) == 0)
		must(v >= 0);
	else
		must(why.text[0] != '\0');
	why.text[0] = '\0';
	if (scan_rate(in, &r, &why) == 0) {
		rate(&r);
		must(r.period > 0 && r.month_day == 1);
	} else
		must(why.text[0] != '\0');
	why.text[0] = '\0';
	if (scan_cap(in, &r, &why) == 0)
		rate(&r);
	else
		must(why.text[0] != '\0');
	why.text[0] = '\0';
	if (scan_duration(in, &v, &why) == 0)
		must(v >= 0 && v <= 36525 * CLOCK_DAY);
	else
		must(why.text[0] != '\0');
	why.text[0] = '\0';
	if (scan_size(in, &v, &why) == 0)
		must(v >= 0);
	else
		must(why.text[0] != '\0');
	why.text[0] = '\0';
	if (scan_moment(in, apia, now, &v, &why) == -1)
		must(why.text[0] != '\0');
	return 0;
}
