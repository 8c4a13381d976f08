/*
 * fuzz backoff - any bytes as a file of back-off rules with an answer behind
 * it, and as a row of the store.
 *
 * A file is good, or its mistakes have places and can be shown; an answer
 * counts for rules of the file, in its order, and for the same ones twice; a
 * row that is read comes back byte for byte, and what holds of it ends within
 * the time that the caller bears.  The first byte chooses: even, rules up to
 * the first NUL, then the answer; odd, a row.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/text.h"
#include "reputation/backoff.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* must - stop where the fuzzer sees it */
static void
must(bool fine)
{
	if (!fine)
		abort();
}

/* ask - what every answer promises */
static void
ask(const struct backoffs *b, struct slice text)
{
	const struct backoff_rule *one[BACKOFF_RULES], *two[BACKOFF_RULES];
	const struct backoff_rule *rules;
	enum backoff_from from;
	struct slice host;
	size_t all, n, m;

	from = backoff_whose(text, &host);
	must(host.n <= text.n);
	rules = backoffs_rules(b, &all);
	must(all <= BACKOFF_RULES);
	if (from == BACKOFF_OURS)
		from = BACKOFF_ANSWER;
	n = backoffs_match(b, from, 2, SLICE("gmail.com"),
	    CATEGORY_RATE_LIMIT, text, one, BACKOFF_RULES);
	m = backoffs_match(b, from, 2, SLICE("gmail.com"),
	    CATEGORY_RATE_LIMIT, text, two, 1);
	must(n <= all && m == (n > 0));
	for (size_t i = 0; i < n; i++) {
		must(one[i] >= rules && one[i] < rules + all);
		must(i == 0 ? one[i] == two[0] : one[i - 1] < one[i]);
		must(one[i]->threshold > 0 && one[i]->window > 0 &&
		    one[i]->duration > 0 && one[i]->place.n > 0);
	}
}

/* rules - the bytes as a file */
static void
rules(struct slice text, struct slice answer)
{
	struct arena *arena = arena_new(4096, 0);
	struct problems problems;
	struct backoffs *b = NULL;
	struct quoted q;
	struct why why;
	int got;

	must(arena != NULL);
	problems_init(&problems, arena);
	got = backoffs_parse(&b, "fuzz.conf", text, &problems, &why);
	must(got == 1 ? b != NULL && problems.errors == 0 :
	    got == 0 && b == NULL && problems.errors > 0);
	for (struct problem *p = problems.first; p != NULL; p = p->next)
		must(p->at.line >= 1 && p->at.col >= 1 && p->text[0] != '\0' &&
		    text_quote(slice_of(p->text), &q) != NULL);
	if (b != NULL)
		ask(b, answer);
	backoffs_free(b);
	arena_free(arena);
}

/* row - the bytes as one of the store */
static void
row(struct slice bytes)
{
	struct backoff_when when = { .now = 1000, .most = 500 };
	struct buf again = BUF_INIT;
	struct backoff_row r;
	struct backoff b;
	struct why why;

	if (backoff_decode(bytes, &r, &why) == -1)
		return;
	must(r.n <= BACKOFF_ENTRIES);
	backoff_encode(&r, &again);
	must(buf_failed(&again) || again.len == bytes.n);
	if (backoff_strictest(&r, &when, &b) == 1)
		must(b.until > when.now && (b.action == BACKOFF_PAUSE ||
		    (b.rate > 0 && b.period > 0)) &&
		    b.until - b.since <= when.most);
	buf_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct slice in = { (const char *)data, n }, text;
	const char *nul;

	if (n == 0)
		return 0;
	in = slice_from(in, 1);
	if (data[0] % 2 == 1) {
		row(in);
		return 0;
	}
	nul = memchr(in.p, '\0', in.n);
	text = (struct slice){ in.p, nul != NULL ? (size_t)(nul - in.p) :
	    in.n };
	rules(text, nul != NULL ? slice_from(in, text.n + 1) : text);
	return 0;
}
