/*
 * fuzz postal - the first two lines are Content-Type and
 * Content-Transfer-Encoding, the rest is a body.  However it is cut, the
 * answer is the same.
 */
#include <stdint.h>
#include <stdlib.h>

#include "policy/postal.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* must - stop where the fuzzer sees it */
static void
must(bool fine)
{
	if (!fine)
		abort();
}

/* line - off the front */
static struct slice
line(struct slice *s)
{
	const char *end = s->n > 0 ? memchr(s->p, '\n', s->n) : NULL;
	struct slice one = { s->p, end != NULL ? (size_t)(end - s->p) : s->n };

	*s = slice_from(*s, one.n + (end != NULL));
	return one;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct tenant tenant;
	static struct arena *arena;
	struct slice body = { (const char *)data, n };
	struct stream stream = { .priority = PRIORITY_BULK };
	struct header_fact h[2] = { { .name = SLICE("Content-Type") },
		{ .name = SLICE("Content-Transfer-Encoding") } };
	struct postal_search *whole, *cut;
	struct mail mail;
	struct why why;

	if (n == 0)
		return 0;
	if (arena == NULL)
		must((arena = arena_new(1 << 16, 0)) != NULL);
	arena_reset(arena);
	stream.postal_address = postal_fold(arena, SLICE("Acme 1 a Acme 1 b"));
	mail = (struct mail){ .arena = arena, .tenant = &tenant,
	    .stream = &stream, .nremote = 1 };
	h[0].value = line(&body);
	h[1].value = line(&body);
	must(postal_begin(&whole, &mail, h, 2, &why) == 0 && whole != NULL);
	must(postal_begin(&cut, &mail, h, 2, &why) == 0 && cut != NULL);
	postal_add(whole, body.p, body.n);
	for (size_t i = 0; i < body.n; i++)
		postal_add(cut, body.p + i, 1);
	must(postal_found(whole) == postal_found(cut));
	return 0;
}
