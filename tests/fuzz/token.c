/*
 * fuzz token - any bytes as a token, long and short.  The key is known to the
 * target and not to the fuzzer: what is accepted must be the one text that
 * making gives for what was read.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/token.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* must - stop where the fuzzer sees it */
static void
must(bool fine)
{
	if (!fine)
		abort();
}

/* load - a ring of one key, that of tests/unit/token.c */
static struct token_ring *
load(void)
{
	char dir[] = "/tmp/penstock-fuzz-XXXXXX", path[64];
	struct token_ring *ring = NULL;
	struct why why;
	FILE *f;

	must(mkdtemp(dir) != NULL);
	snprintf(path, sizeof(path), "%s/keys", dir);
	must((f = fopen(path, "w")) != NULL);
	fputs("200 ", f);
	for (int i = 0; i < 64; i++)
		fprintf(f, "%02x", 255 - i);
	fclose(f);
	must(chmod(path, 0600) == 0);
	must(token_ring_load(&ring, path, &why) == 0);
	unlink(path);
	rmdir(dir);
	return ring;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct token_ring *ring;
	static struct arena *arena;
	struct slice in = { (const char *)data, n }, again;
	struct token_short s;
	struct token t;
	struct why why;
	char text[TOKEN_SHORT + 1];
	int rc;

	if (ring == NULL) {
		ring = load();
		must((arena = arena_new(1 << 12, 0)) != NULL);
	}
	arena_reset(arena);
	rc = token_read(ring, in, arena, &t, &why);
	must(rc == 0 || rc == 1);
	if (rc == 1)
		must(token_make(ring, &t, arena, &again, &why) == 0 &&
		    slice_eq(again, in));
	again = token_in_path(in);
	must(again.p == NULL || (again.p >= in.p &&
	    again.p + again.n <= in.p + in.n));
	rc = token_short_read(ring, in, &s, &why);
	must(rc == 0 || rc == 1);
	if (rc == 1)
		must(token_short_make(ring, &s, text, &why) == 0 &&
		    slice_case_eq(slice_of(text), in));
	return 0;
}
