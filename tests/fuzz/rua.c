/*
 * fuzz rua - any bytes as the attachment of a DMARC report.
 */
#include <stdint.h>
#include <stdlib.h>

#include "tools/ingest/rua.h"

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
	struct rua r;
	struct why why;

	if (arena == NULL)
		must((arena = arena_new(1 << 16, 0)) != NULL);
	arena_reset(arena);
	if (rua_read((struct slice){ (const char *)data, n }, arena, &r,
	    &why) == -1)
		return 0;
	must(r.domain.n >= 1 && r.domain.n <= RUA_TEXT && r.id.n >= 1);
	must(r.begin > 0 && r.end >= r.begin);
	for (size_t i = 0; i < r.n; i++)
		must(r.records[i].source.n >= 1 &&
		    r.records[i].source.n <= RUA_TEXT &&
		    r.records[i].count >= 1);
	return 0;
}
