/*
 * fuzz zone - any bytes as a time zone file.  Whatever the file says, spans
 * hold the moment they were asked for, windows do too, and they follow each
 * other without a gap.
 *
 * The first eight bytes are the moment, in seconds, the rest is the file.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/zone.c"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* must - stop where the fuzzer sees it */
static void
must(bool fine)
{
	if (!fine)
		abort();
}

/* windows - of every unit around t, and the one behind each */
static void
windows(struct zone *z, int64_t t)
{
	struct window w, next, again;
	enum window_unit unit;
	int i;

	for (i = 0; i <= WINDOW_MONTH + 1; i++) {
		unit = i > WINDOW_MONTH ? WINDOW_MONTH : (enum window_unit)i;
		zone_window(z, unit, i > WINDOW_MONTH ? 17 : 1, t * SECOND,
		    &w);
		must(w.start <= t * SECOND && t * SECOND < w.end);
		zone_window(z, unit, i > WINDOW_MONTH ? 17 : 1, w.end, &next);
		must(next.start == w.end && next.end > next.start);
		memset((void *)z->recent, 0, SLOTS * sizeof(*z->recent));
		zone_window(z, unit, i > WINDOW_MONTH ? 17 : 1, w.start,
		    &again);
		must(again.start == w.start && again.end == w.end);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static _Atomic uint64_t recent[SLOTS];
	struct zone z = { "Fuzz/Zone", NULL, recent };
	struct tzif_span span;
	struct civil c;
	struct why why;
	char out[64];
	int64_t t;

	if (n < 8)
		return 0;
	memcpy(&t, data, 8);
	t %= INT64_C(1) << 37;			/* some 4,000 years */
	why.text[0] = '\0';
	if (tzif_read((struct slice){ (const char *)data + 8, n - 8 }, &z.tz,
	    &why) == -1) {
		must(why.text[0] != '\0' && z.tz == NULL);
		return 0;
	}
	tzif_span(z.tz, t, &span);
	must(span.start <= t && t < span.end);
	zone_civil(&z, t * SECOND, &c);
	must(c.month >= 1 && c.month <= 12 && c.hour < 24);
	must(zone_moment(&z, c.year, c.month, c.day, c.hour, c.minute,
	    c.second) <= t * SECOND);
	windows(&z, t);
	zone_print(&z, t * SECOND, out, sizeof(out));
	memset((void *)recent, 0, sizeof(recent));
	tzif_free(z.tz);
	return 0;
}
