/*
 * fuzz logline - any bytes as a line of a log.  Every slice that comes back
 * lies within the line; a delivery has a recipient and a status; the text of a
 * remote server begins behind the status.
 */
#include <stdint.h>
#include <stdlib.h>

#include "reputation/logline.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* must - stop where the fuzzer sees it */
static void
must(bool fine)
{
	if (!fine)
		abort();
}

/* within - a slice of the line, or absent */
static void
within(struct slice s, struct slice line)
{
	must(s.p == NULL || (s.p >= line.p && s.p + s.n <= line.p + line.n));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct logline_clock clock = { .zone = zone_utc(),
		.now = INT64_C(1795262400) * INT64_C(1000000) };
	struct slice line = { (const char *)data, n };
	struct logline l;
	bool taken = logline_parse(line, &clock, &l);
	const struct slice *all[] = { &l.host, &l.name, &l.daemon,
		&l.queue_id, &l.to, &l.orig_to, &l.from, &l.message_id,
		&l.notice, &l.sasl, &l.client, &l.relay, &l.dsn, &l.status,
		&l.text };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		within(*all[i], line);
	must(taken || l.kind == LOGLINE_STRANGE);
	must(l.kind <= LOGLINE_MILTER && l.delay >= -1);
	if (l.kind == LOGLINE_DELIVERY) {
		must(l.to.p != NULL && l.status.n > 0 && l.queue_id.n > 0);
		must(l.text.p == NULL || l.text.p > l.status.p);
	}
	/* the second time the clock knows the minute: no difference */
	if (taken) {
		int64_t time = l.time;

		must(logline_parse(line, &clock, &l) && l.time == time);
	}
	return 0;
}
