/*
 * fuzz knots - any bytes as a file of knots, and as the form that is kept
 * beside scores.
 *
 * A file is good, or its mistakes have places and can be shown; good knots
 * rise, give 0 to 100 points for whatever share, and come back from their
 * stored form with the same hash.  The first byte chooses: even, a file; odd,
 * a stored form.
 */
#include <stdint.h>
#include <stdlib.h>

#include "lib/text.h"
#include "reputation/knots.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* must - stop where the fuzzer sees it */
static void
must(bool fine)
{
	if (!fine)
		abort();
}

/* stored - there and back; k NULL: whatever the bytes are */
static void
stored(struct slice bytes, const struct knots *k)
{
	struct buf again = BUF_INIT;
	struct knots *other = NULL;
	struct why why;

	if (knots_decode(bytes, &other, &why) == -1) {
		must(k == NULL && why.text[0] != '\0');
		return;
	}
	knots_encode(other, &again);
	must(buf_failed(&again) || slice_eq(buf_slice(&again), bytes));
	if (k != NULL)
		must(memcmp(other->hash, k->hash, HASH_SHA256) == 0);
	knots_free(other);
	buf_free(&again);
}

/* judge - what every good file promises */
static void
judge(const struct knots *k)
{
	static const double shares[] = { 0, 1e-9, 0.0005, 0.001, 0.003, 0.1,
		0.5, 1, 5, 7, 1000, 1e12 };
	struct buf bytes = BUF_INIT;
	double before, now;

	must(k->z > 0 && k->watch < k->at_risk && k->at_risk < k->critical &&
	    k->calm_weeks > 0);
	for (int s = 0; s < SIGNALS; s++) {
		before = 0;
		for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]);
		    i++) {
			now = knots_points(k, (enum signal)s, shares[i]);
			must(now >= before && now <= 100);
			before = now;
		}
	}
	knots_encode(k, &bytes);
	if (!buf_failed(&bytes))
		stored(buf_slice(&bytes), k);
	buf_free(&bytes);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct slice in = { (const char *)data, n };
	struct problems problems;
	struct knots *k = NULL;
	struct arena *arena;
	struct quoted q;
	struct why why;
	int got;

	if (n == 0)
		return 0;
	in = slice_from(in, 1);
	if (data[0] % 2 == 1) {
		stored(in, NULL);
		return 0;
	}
	arena = arena_new(4096, 0);
	must(arena != NULL);
	problems_init(&problems, arena);
	got = knots_parse("fuzz.conf", in, &k, &problems, &why);
	must(got == 1 ? k != NULL && problems.errors == 0 :
	    got == 0 && k == NULL && problems.errors > 0);
	for (struct problem *p = problems.first; p != NULL; p = p->next)
		must(p->at.line >= 1 && p->at.col >= 1 && p->text[0] != '\0' &&
		    text_quote(slice_of(p->text), &q) != NULL);
	if (k != NULL)
		judge(k);
	knots_free(k);
	arena_free(arena);
	return 0;
}
