/*
 * classify_load - a file of rules: every mistake with its place, what is kept
 * when it is broken, and a search that agrees with a slow and simple one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/buf.h"
#include "reputation/classify_in.h"

#define GOOD	"a * 550 5.1.* quota none full\n"

struct mistake_case {
	const char	*name, *text;
	unsigned	 line, col;
	const char	*says;		/* somewhere in the sentence */
};

/* clang-format off */
static const struct mistake_case mistakes[] = {
	{ "an empty file", "", 1, 1, "there is no rule in it" },
	{ "comments alone", "# x\n\n \t\n", 1, 1, "there is no rule in it" },
	{ "a column is missing", GOOD "b * 550 5.1.1 quota none\n", 2, 25, "a rule has 7 columns" },
	{ "one word", "b\n", 1, 2, "a rule has 7 columns" },
	{ "a name that is none", "b/c * * * quota none full\n", 1, 1, "\"b/c\" is no name for a rule" },
	{ "a name twice", GOOD "\n" GOOD, 3, 1, "rule a stands already at t:1:1" },
	{ "a provider nobody knows", "b gogle * * quota none full\n", 1, 3, "there is no provider \"gogle\"" },
	{ "a code with letters", "b * 5xx * quota none full\n", 1, 5, "expected a code such as 550 or 5??" },
	{ "two stars in a code", "b * * 5.*.* quota none full\n", 1, 7, "at most one \"*\", found \"5.*.*\"" },
	{ "a code that is too long", "b * * 5.1.1000000000 quota none full\n", 1, 7, "found \"5.1.1000000000\"" },
	{ "a category that is none", "b * * * quotas none full\n", 1, 9, "\"quotas\" is no category; expected one of unknown, recipient_unknown" },
	{ "an action that is none", "b * * * quota suppress full\n", 1, 15, "expected one of none, suppress_now" },
	{ "neither code nor words", "b * * * quota none -\n", 1, 20, "it would match every reply" },
	{ "a term without a word", "b * * * quota none full & & x\n", 1, 26, "nothing stands between" },
	{ "a term that ends in a star", "b * * * quota none full*\n", 1, 25, "nothing stands between" },
	{ "an empty pair of quotes", "b * * * quota none \"\"\n", 1, 20, "nothing stands between" },
	{ "a piece that is too long", "b * * * quota none x*0123456789012345678901234567890123456789012345678901234567890123x\n", 1, 22, "more than 64 bytes without" },
	{ "nine terms", "b * * * quota none a&b&c&d&e&f&g&h&i\n", 1, 20, "more than 8 terms" },
	{ "nine pieces", "b * * * quota none a*b*c*d*e*f*g*h*i\n", 1, 36, "more than 8 pieces" },
	{ "a byte that is no text", "b * * * quota none fu\xffll\n", 1, 22, "byte 0xff is no text" },
	{ "a control byte", "b * * * quota none fu\033ll\n", 1, 22, "byte 0x1b is no text" },
	{ "a byte order mark", "\xef\xbb\xbf" GOOD, 1, 1, "byte order mark" },
};
/* clang-format on */

/* read_text - the first problem that has this text, or NULL */
static const struct problem *
read_text(struct problems *problems, const char *text, const char *says)
{
	struct classifier *c = NULL;
	const struct problem *p;
	struct why why;
	int got = classifier_parse(&c, "t", slice_of(text), problems, &why);

	if (got != 0)
		print_error("got %d\n", got);
	classifier_free(c);
	problems_sort(problems);
	for (p = problems->first; p != NULL; p = p->next)
		if (strstr(p->text, says) != NULL)
			return p;
	return problems->first;
}

static void
mistakes_are_named(void **state)
{
	const struct mistake_case *m;
	const struct problem *p;
	struct problems problems;
	struct arena *arena;
	int wrong = 0;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		m = &mistakes[i];
		arena = arena_new(4096, 0);
		problems_init(&problems, arena);
		p = read_text(&problems, m->text, m->says);
		if (p == NULL || strstr(p->text, m->says) == NULL ||
		    p->at.line != m->line || p->at.col != m->col) {
			print_error("%s: got %u:%u: %s, want %u:%u: %s\n",
			    m->name, p != NULL ? p->at.line : 0,
			    p != NULL ? p->at.col : 0,
			    p != NULL ? p->text : "-", m->line, m->col,
			    m->says);
			wrong++;
		}
		arena_free(arena);
	}
	assert_int_equal(wrong, 0);
}

static void
all_mistakes_in_one_run(void **state)
{
	struct arena *arena = arena_new(4096, 0);
	struct classifier *c;
	struct problems problems;
	struct buf b = BUF_INIT;
	struct why why;

	(void)state;
	problems_init(&problems, arena);
	assert_int_equal(classifier_parse(&c, "t", SLICE("x\n" GOOD
	    "b none * * quota none x\nc * z z quot non x\n"), &problems,
	    &why), 0);
	assert_null(c);
	assert_int_equal(problems.errors, 6);
	/* But not without end. */
	for (int i = 0; i < 5000; i++)
		buf_str(&b, "x\n");
	problems_init(&problems, arena);
	assert_int_equal(classifier_parse(&c, "t", buf_slice(&b), &problems,
	    &why), 0);
	assert_true(problems.errors <= 202);
	buf_free(&b);
	arena_free(arena);
}

static void
limits_of_a_file(void **state)
{
	struct arena *arena = arena_new(4096, 0);
	struct classifier *c;
	struct problems problems;
	struct buf b = BUF_INIT;
	struct finding f;
	struct why why;
	int i;

	(void)state;
	problems_init(&problems, arena);
	for (i = 0; i < CLASSIFY_RULES_MAX; i++)
		buf_printf(&b, "r%d * * * quota none w%dx & v%dx\n", i, i, i);
	assert_int_equal(classifier_parse(&c, "t", buf_slice(&b), &problems,
	    &why), 1);
	assert_int_equal(classifier_rules(c), CLASSIFY_RULES_MAX);
	classify(c, 0, SLICE_NONE, SLICE("v4095x w4095x"), &f);
	assert_true(slice_is(f.rule, "r4095"));
	classifier_free(c);
	buf_str(&b, GOOD);
	assert_int_equal(classifier_parse(&c, "t", buf_slice(&b), &problems,
	    &why), 0);
	assert_int_equal(problems.errors, 1);
	assert_non_null(strstr(problems.first->text, "more than 4096 rules"));
	/* Too many pieces: one problem, not one per rule. */
	buf_reset(&b);
	for (i = 0; i < 2048; i++)
		buf_printf(&b, "r%d * * * quota none a*b*c*d*e*f*g*h & "
		    "a*b*c*d*e*f*g\n", i);
	problems_init(&problems, arena);
	assert_int_equal(classifier_parse(&c, "t", buf_slice(&b), &problems,
	    &why), 0);
	assert_non_null(strstr(problems.first->text, "more than 16384"));
	/* A line that is too long. */
	buf_reset(&b);
	buf_str(&b, "r * * * quota none x");
	for (i = 0; i < 300; i++)
		buf_str(&b, " & y");
	problems_init(&problems, arena);
	assert_int_equal(classifier_parse(&c, "t", buf_slice(&b), &problems,
	    &why), 0);
	assert_non_null(strstr(problems.first->text, "bytes in one line"));
	buf_free(&b);
	arena_free(arena);
}

/* put - the whole of a file */
static void
put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void
a_broken_file_keeps_the_rules(void **state)
{
	struct arena *arena = arena_new(4096, 0);
	char path[] = "/tmp/penstock-rules-XXXXXX";
	struct classifier *c = NULL;
	struct problems problems;
	struct finding f;
	struct why why;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd != -1);
	close(fd);
	problems_init(&problems, arena);
	put(path, GOOD);
	assert_int_equal(classifier_load(&c, path, &problems, &why), 1);
	put(path, "broken\n");
	assert_int_equal(classifier_reload(&c, path, &problems, &why), 0);
	assert_int_equal(problems.errors, 1);
	assert_string_equal(problems.first->at.file, path);
	classify(c, 0, SLICE_NONE, SLICE("550 5.1.2 full"), &f);
	assert_true(slice_is(f.rule, "a"));
	unlink(path);
	assert_int_equal(classifier_reload(&c, path, &problems, &why), -1);
	assert_non_null(strstr(why.text, "there is no file"));
	classify(c, 0, SLICE_NONE, SLICE("550 5.1.2 full"), &f);
	assert_true(slice_is(f.rule, "a"));
	put(path, "z * * * quota none full\n");
	assert_int_equal(classifier_reload(&c, path, &problems, &why), 1);
	classify(c, 0, SLICE_NONE, SLICE("550 5.1.2 full"), &f);
	assert_true(slice_is(f.rule, "z"));
	/* A file that is named must be there; one that is not, need not. */
	classifier_free(c);
	unlink(path);
	assert_int_equal(classifier_installed(&c, path, &problems, &why), -1);
	assert_null(c);
	arena_free(arena);
}

/* --- against a slow and simple search ------------------------------------- */

static uint32_t seed = 1;

/* roll - 0 to n - 1 */
static unsigned
roll(unsigned n)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 16) % n;
}

/* letters - of a small alphabet */
static void
letters(struct buf *b, unsigned n, const char *alphabet)
{
	while (n-- > 0)
		buf_char(b, alphabet[roll((unsigned)strlen(alphabet))]);
}

/* term_holds - its pieces in this order, each as early as it can be */
static bool
term_holds(const struct classifier *c, const struct term *term,
    struct slice text)
{
	struct slice piece;
	const char *at;

	for (unsigned i = 0; i < term->npieces; i++) {
		piece = c->pieces[c->sequence[term->at + i]].text;
		at = memmem(text.p, text.n, piece.p, piece.n);
		if (at == NULL)
			return false;
		text = slice_from(text, (size_t)(at - text.p) + piece.n);
	}
	return true;
}

/* rule_holds - all of its terms */
static bool
rule_holds(const struct classifier *c, size_t rule, struct slice text)
{
	for (size_t i = 0; i < c->nterms; i++)
		if (c->terms[i].rule == rule &&
		    !term_holds(c, &c->terms[i], text))
			return false;
	return true;
}

static void
it_agrees_with_a_slow_search(void **state)
{
	const char *rounds = getenv("ROUNDS");
	int n = rounds != NULL ? atoi(rounds) * 4 : 200;
	static struct finding found[64];
	static struct said said;
	struct arena *arena = arena_new(4096, 0);
	struct buf rules = BUF_INIT, text = BUF_INIT;
	struct classifier *c;
	struct problems problems;
	struct why why;

	(void)state;
	while (n-- > 0) {
		buf_reset(&rules);
		for (unsigned i = 0; i < 40; i++) {
			buf_printf(&rules, "%u * * * quota none ", i);
			for (unsigned t = 1 + roll(3); t-- > 0;) {
				for (unsigned p = 1 + roll(3); p-- > 0;) {
					letters(&rules, 1 + roll(4), "abc");
					buf_str(&rules, p > 0 ? "*" : "");
				}
				buf_str(&rules, t > 0 ? "&" : "\n");
			}
		}
		problems_init(&problems, arena);
		assert_int_equal(classifier_parse(&c, "t", buf_slice(&rules),
		    &problems, &why), 1);
		for (unsigned k = 0; k < 20; k++) {
			size_t at = 0, got;

			buf_reset(&text);
			letters(&text, roll(60), "aabbc ");
			said_read(&said, buf_slice(&text));
			got = classify_all(c, 0, SLICE_NONE, buf_slice(&text),
			    found, 64);
			for (size_t i = 0; i < c->nrules; i++) {
				if (!rule_holds(c, i, (struct slice){
				    said.text, said.n }))
					continue;
				assert_true(at < got);
				assert_true(slice_eq(found[at++].rule,
				    c->rules[i].id));
			}
			assert_int_equal(at, got);
		}
		classifier_free(c);
		arena_reset(arena);
	}
	buf_free(&rules);
	buf_free(&text);
	arena_free(arena);
}

/* --- input of strangers ------------------------------------------------ */

static void
no_text_makes_it_slow(void **state)
{
	struct arena *arena = arena_new(4096, 0);
	struct buf rules = BUF_INIT;
	static char text[1 << 20];
	struct timespec began, ended;
	struct classifier *c;
	struct problems problems;
	struct finding f;
	struct why why;
	double ms;

	(void)state;
	/* Pieces that all end at each byte, and terms that wait at each. */
	for (int i = 0; i < 2000; i++) {
		buf_printf(&rules, "r%d * * * quota none a*", i);
		for (int k = 0; k <= i % 60; k++)
			buf_char(&rules, 'a');
		buf_printf(&rules, "*aa*aaa*z%d\n", i);
	}
	problems_init(&problems, arena);
	assert_int_equal(classifier_parse(&c, "t", buf_slice(&rules),
	    &problems, &why), 1);
	memset(text, 'a', sizeof(text));
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &began);
	for (int i = 0; i < 10; i++)
		classify(c, 0, SLICE_NONE,
		    (struct slice){ text, sizeof(text) }, &f);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ended);
	ms = (double)(ended.tv_sec - began.tv_sec) * 1e3 +
	    (double)(ended.tv_nsec - began.tv_nsec) / 1e6;
	print_message("%.2f ms for the worst megabyte\n", ms / 10);
	assert_true(slice_is(f.rule, "-"));
	assert_true(ms / 10 < 200);
	classifier_free(c);
	buf_free(&rules);
	arena_free(arena);
}

static void
cut_at_every_byte(void **state)
{
	static const char reply[] = "X-Postfix; host mx.example[192.0.2.1] "
	    "said: 550-5.1.1 <a@b.example>:\r\n 550 5.1.1 Unbekannt \xc3\x9c "
	    "\xe2\x80\x99 user unknown (in reply to RCPT TO command)";
	struct classifier *c;
	struct finding f;
	struct why why;
	char *copy;

	(void)state;
	assert_int_equal(classifier_builtin(&c, &why), 0);
	for (size_t from = 0; from < sizeof(reply); from++)
		for (size_t to = from; to < sizeof(reply); to++) {
			copy = malloc(to - from + 1);
			memcpy(copy, reply + from, to - from);
			classify(c, 0, SLICE_NONE,
			    (struct slice){ copy, to - from }, &f);
			assert_true(f.category < CATEGORIES &&
			    f.action < ACTIONS && f.rule.n > 0);
			free(copy);
		}
	/* The same for a file of rules. */
	for (size_t to = 0; to < sizeof(GOOD); to++) {
		struct arena *arena = arena_new(4096, 0);
		struct classifier *cut;
		struct problems problems;

		problems_init(&problems, arena);
		copy = malloc(to + 1);
		memcpy(copy, GOOD, to);
		assert_true(classifier_parse(&cut, "t",
		    (struct slice){ copy, to }, &problems, &why) >= 0);
		assert_true((cut != NULL) == (problems.errors == 0));
		classifier_free(cut);
		free(copy);
		arena_free(arena);
	}
	classifier_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mistakes_are_named),
		cmocka_unit_test(all_mistakes_in_one_run),
		cmocka_unit_test(limits_of_a_file),
		cmocka_unit_test(a_broken_file_keeps_the_rules),
		cmocka_unit_test(it_agrees_with_a_slow_search),
		cmocka_unit_test(no_text_makes_it_slow),
		cmocka_unit_test(cut_at_every_byte),
	};
	struct why why;

	if (provider_init(&why) == -1) {
		print_error("%s\n", why.text);
		return 1;
	}
	return cmocka_run_group_tests_name("classify_load", tests, NULL, NULL);
}
