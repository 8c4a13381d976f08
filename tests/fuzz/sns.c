/*
 * fuzz sns - any bytes as the text of a notification.
 */
#include <stdint.h>
#include <stdlib.h>

#include "tools/ingest/sns.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* must - stop where the fuzzer sees it */
static void
must(bool fine)
{
	if (!fine)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct arena *arena;
	struct mail_part part = { .type = SLICE("text/plain"),
		.body = { (const char *)data, n }, .text = true };
	struct mail m = { .parts = &part, .nparts = 1 };
	struct dsn d;
	struct arf a;
	int got;

	if (arena == NULL)
		must((arena = arena_new(1 << 16, 0)) != NULL);
	arena_reset(arena);
	got = sns_read(&m, arena, &d);
	must(got == 0 || (got == 1 && d.n >= 1 && d.n <= DSN_RECIPIENTS));
	for (size_t i = 0; got == 1 && i < d.n; i++) {
		const struct dsn_recipient *r = &d.list[i];

		must(r->address.n > 0 && r->diagnostic.n <= DSN_DIAGNOSTIC);
		must(memchr(r->diagnostic.p, '\n', r->diagnostic.n) == NULL);
		must(memchr(r->address.p, '\n', r->address.n) == NULL);
		must(r->status.n <= 8);
	}
	if (sns_complaint(&m, arena, &a) == 1)
		must(a.nrecipients <= 1 && a.type <= ARF_UNKNOWN &&
		    (a.nrecipients == 0 || a.recipients[0].n > 0));
	return 0;
}
