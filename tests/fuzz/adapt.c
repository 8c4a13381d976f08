/*
 * fuzz adapt - any bytes as the recorded decision of a warmup.  What is read
 * comes back as the same line, is one sentence for a person, and the decision
 * that is made of it again stays within its schedule.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policy/adapt.h"

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
	static struct buf once, said;
	struct adapt_decision d, again, more;
	struct adapt_input in, back;
	struct slice text = { (const char *)data, n };
	struct why why;

	if (arena == NULL)
		must((arena = arena_new(1 << 16, 0)) != NULL);
	arena_reset(arena);
	if (adapt_read(text, &in, &d, arena, &why) == -1)
		return 0;
	buf_reset(&once);
	adapt_print(&in, &d, &once);
	must(adapt_read(buf_slice(&once), &back, &more, arena, &why) == 0);
	must(back.nproviders == in.nproviders && back.date == in.date);
	must(adapt_same(&in, &d, &more));
	buf_reset(&said);
	adapt_say(&in, &d, &said);
	must(said.len > 0 && memchr(said.data, '\n', said.len) == NULL);
	adapt(&in, &again);
	must(again.rule < ADAPT_RULES && again.day >= 1);
	must(again.day <= in.days || in.days < 1);
	must(again.nsingles <= ADAPT_PROVIDERS);
	return 0;
}
