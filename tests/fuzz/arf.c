/*
 * fuzz arf - any bytes as a mail, read as a complaint whatever it is.
 */
#include <stdint.h>
#include <stdlib.h>

#include "tools/ingest/arf.h"
#include "tools/ingest/sort.h"

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
	struct mail m;
	struct arf a;
	struct why why;
	int got;

	if (arena == NULL) {
		mail_init();
		must((arena = arena_new(1 << 16, 0)) != NULL);
	}
	arena_reset(arena);
	if (mail_read((struct slice){ (const char *)data, n }, arena, &m,
	    &why) == -1)
		return 0;
	got = arf_read(&m, arena, &a, &why);
	must(got == 0 || got == 1);
	must(got == 0 || (a.type <= ARF_UNKNOWN &&
	    a.nrecipients <= ARF_RECIPIENTS));
	for (size_t i = 0; got == 1 && i < a.nrecipients; i++)
		must(memchr(a.recipients[i].p, '@', a.recipients[i].n) !=
		    NULL);
	return 0;
}
