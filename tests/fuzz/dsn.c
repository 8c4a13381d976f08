/*
 * fuzz dsn - any bytes as a mail, read as a bounce whatever it is.  What is
 * read must keep the promises of tools/ingest/dsn.h.
 */
#include <stdint.h>
#include <stdlib.h>

#include "tools/ingest/dsn.h"
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
	struct dsn d;
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
	must(m.nparts <= MAIL_PARTS);
	for (size_t i = 0; i < m.nparts; i++)
		must(!m.parts[i].text || memchr(m.parts[i].body.p, '\r',
		    m.parts[i].body.n) == NULL);
	(void)sort_mail(&m, n % 2 == 0, arena);
	got = dsn_read(&m, n % 3 == 0, arena, &d, &why);
	must(got == 0 || (got == 1 && d.n >= 1 && d.n <= DSN_RECIPIENTS));
	for (size_t i = 0; got == 1 && i < d.n; i++) {
		must(d.list[i].address.n > 0);
		must(d.list[i].diagnostic.n <= DSN_DIAGNOSTIC);
		must(memchr(d.list[i].diagnostic.p, '\n',
		    d.list[i].diagnostic.n) == NULL);
		must(d.list[i].action <= DSN_EXPANDED);
	}
	return 0;
}
