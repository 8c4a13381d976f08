/*
 * fuzz fold - any bytes as an address that somebody wrote.  What is accepted
 * folds to a text that folds to itself: else one mailbox would have two keys.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/fold.h"

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
	struct slice in = { (const char *)data, n };
	struct folded once, twice;
	struct mailbox m;
	struct why why;

	if (arena == NULL)
		must(fold_init(&why) == 0 &&
		    (arena = arena_new(1 << 12, 0)) != NULL);
	arena_reset(arena);
	why.text[0] = '\0';
	if (fold_text(in, arena, &m, &once, &why) == -1) {
		must(why.text[0] != '\0');
		return 0;
	}
	must(once.n > 2 && once.n <= FOLD_MAX);
	must(m.text.n <= 320);
	/* the canonical text has the same key as what was written */
	must(fold_text(m.text, arena, NULL, &twice, &why) == 0);
	must(memcmp(once.hash, twice.hash, FOLD_HASH) == 0);
	for (size_t i = 0; i < once.n; i++)
		must(once.text[i] < 'A' || once.text[i] > 'Z');
	return 0;
}
