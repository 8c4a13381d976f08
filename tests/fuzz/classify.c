/*
 * fuzz classify - any bytes as a reply to the rules that are compiled in, and
 * as a file of rules with a reply behind it.
 *
 * What comes back is a category, an action and the id of a rule; the same
 * reply gets the same answer twice; the best of all that match is the one that
 * decides.  The first byte chooses: even, the reply alone; odd, rules up to
 * the first NUL, then the reply.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/text.h"
#include "reputation/classify.h"

#define ALL	16

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
ask(const struct classifier *c, struct slice domain, struct slice reply)
{
	struct finding one, again, all[ALL];
	size_t n, i;

	classify(c, 0, domain, reply, &one);
	classify(c, 0, domain, reply, &again);
	must(one.category < CATEGORIES && one.action < ACTIONS);
	must(one.category == again.category && one.action == again.action &&
	    slice_eq(one.rule, again.rule));
	n = classify_all(c, 0, domain, reply, all, ALL);
	must(n <= ALL);
	must(n == 0 ? slice_is(one.rule, "-") :
	    slice_eq(one.rule, all[0].rule));
	for (i = 0; i < n; i++)
		must(all[i].rule.n > 0 && all[i].category < CATEGORIES);
}

/* ask_own - the bytes as rules first */
static void
ask_own(struct slice rules, struct slice reply)
{
	struct arena *arena = arena_new(4096, 0);
	struct classifier *c = NULL;
	struct problems problems;
	const struct problem *p;
	struct quoted q;
	struct why why;
	int got;

	must(arena != NULL);
	problems_init(&problems, arena);
	got = classifier_parse(&c, "fuzz.rules", rules, &problems, &why);
	must(got == 1 ? c != NULL && problems.errors == 0 :
	    got == 0 && c == NULL && problems.errors > 0);
	for (p = problems.first; p != NULL; p = p->next)
		must(p->at.line >= 1 && p->at.col >= 1 && p->text[0] != '\0' &&
		    text_quote(slice_of(p->text), &q) != NULL);
	if (c != NULL)
		ask(c, SLICE("gmail.com"), reply);
	classifier_free(c);
	arena_free(arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct classifier *builtin;
	struct slice in = { (const char *)data, n }, rules;
	const char *nul;
	struct why why;

	if (builtin == NULL)
		must(classifier_builtin(&builtin, &why) == 0);
	if (n == 0)
		return 0;
	in = slice_from(in, 1);
	if (data[0] % 2 == 0) {
		ask(builtin, SLICE("Yahoo.com"), in);
		ask(builtin, in, in);
		return 0;
	}
	nul = memchr(in.p, '\0', in.n);
	rules = (struct slice){ in.p, nul != NULL ? (size_t)(nul - in.p) :
	    in.n };
	ask_own(rules, nul != NULL ? slice_from(in, rules.n + 1) : rules);
	return 0;
}
