/*
 * backoff - see backoff.h.
 *
 * The words and codes of all rules are one classifier (classify.h), made of a
 * line for each text: so a reply is read once whatever number of rules there
 * is, and takes time in proportion to its length whatever stands in it.  The
 * id of such a line is the number of its rule and its own.
 *
 * A rule that says no more than a category needs no line.
 */
#include "reputation/backoff.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reputation/backoff_in.h"

const char *const backoff_from_names[] = { "answer", "connection", NULL };

extern const char backoff_data[];	/* made from conf/backoff.conf */

/* backoffs_free - NULL is allowed */
void
backoffs_free(struct backoffs *b)
{
	if (b == NULL)
		return;
	classifier_free(b->texts);
	arena_free(b->arena);
	free(b);
}

/* backoffs_rules - all of them */
const struct backoff_rule *
backoffs_rules(const struct backoffs *b, size_t *n)
{
	*n = b->n;
	return b->rules;
}

/* backoffs_load - rules in a file */
int
backoffs_load(struct backoffs **out, const char *path,
    struct problems *problems, struct why *why)
{
	struct arena *arena = arena_new(1 << 14, 0);
	struct slice text, file;
	int got;

	*out = NULL;
	/* problems point to the name, so it lives as long as they do */
	file = arena_copy(problems->arena, slice_of(path));
	if (arena == NULL || file.p == NULL)
		got = why_kind(why, WHY_MEMORY, "no memory for %s", path);
	else if ((got = parse_read(arena, path, &text, why)) == 0)
		got = why_set(why, "there is no file %s", path);
	if (got == 1)
		got = backoffs_parse(out, file.p, text, problems, why);
	arena_free(arena);
	return got;
}

/* backoffs_builtin - what was compiled in */
int
backoffs_builtin(struct backoffs **out, struct why *why)
{
	struct arena *arena = arena_new(4096, 0);
	struct problems problems;
	int got;

	*out = NULL;
	if (arena == NULL)
		return why_kind(why, WHY_MEMORY, "no memory for back-off");
	problems_init(&problems, arena);
	got = backoffs_parse(out, "backoff.conf", slice_of(backoff_data),
	    &problems, why);
	if (got == 0) {
		problems_sort(&problems);
		got = why_set(why, "the built-in rules: %s:%u:%u: %s",
		    problems.first->at.file, problems.first->at.line,
		    problems.first->at.col, problems.first->text);
	}
	arena_free(arena);
	return got == 1 ? 0 : -1;
}

/* backoffs_installed - the file of this machine, or what was compiled in */
int
backoffs_installed(struct backoffs **out, const char *configured,
    struct problems *problems, struct why *why)
{
	if (configured == NULL && access(BACKOFF_DEFAULT, F_OK) == -1 &&
	    errno == ENOENT)
		return backoffs_builtin(out, why) == 0 ? 1 : -1;
	return backoffs_load(out, configured != NULL ? configured :
	    BACKOFF_DEFAULT, problems, why);
}

/* --- whose word ----------------------------------------------------------- */

/* skip - that word at the front, if it is there */
static bool
skip(struct slice *s, const char *word)
{
	if (!slice_starts(*s, slice_of(word)))
		return false;
	*s = slice_from(*s, strlen(word));
	return true;
}

/* name - the next word, which is a host; false: nothing follows it */
static bool
name(struct slice *s, struct slice *host)
{
	const char *blank = memchr(s->n > 0 ? s->p : "", ' ', s->n);

	if (blank == NULL || blank == s->p)
		return false;
	*host = (struct slice){ s->p, (size_t)(blank - s->p) };
	*s = slice_from(*s, host->n + 1);
	return true;
}

/* backoff_whose - by the words that Postfix puts before it; what a server said
 * stands behind them, so it cannot look like them */
enum backoff_from
backoff_whose(struct slice text, struct slice *host)
{
	static const char *const lost[] = { "lost connection with ",
		"conversation with " };

	*host = SLICE_NONE;
	if (skip(&text, "host "))
		return name(&text, host) && (skip(&text, "said: ") ||
		    skip(&text, "refused to talk to me: ")) ?
		    BACKOFF_ANSWER : BACKOFF_OURS;
	for (size_t i = 0; i < sizeof(lost) / sizeof(lost[0]); i++)
		if (skip(&text, lost[i]))
			return name(&text, host) ? BACKOFF_CONNECTION :
			    BACKOFF_OURS;
	if (!skip(&text, "connect to ") || !name(&text, host))
		return BACKOFF_OURS;
	while (host->n > 0 && host->p[host->n - 1] == ':')
		host->n--;
	return BACKOFF_CONNECTION;
}

/* backoff_words - what follows "said: " */
struct slice
backoff_words(struct slice text)
{
	struct slice all = text, host;

	if (!skip(&text, "host ") || !name(&text, &host) ||
	    !(skip(&text, "said: ") || skip(&text, "refused to talk to me: ")))
		return all;
	return text;
}

/* --- which rules ---------------------------------------------------------- */

/* lines - mark the rules whose words or codes are there */
static void
lines(const struct backoffs *b, struct slice domain, struct slice reply,
    bool said[BACKOFF_RULES])
{
	struct finding found[BACKOFF_TEXTS];
	size_t n;

	if (b->texts == NULL)
		return;
	n = classify_all(b->texts, PROVIDER_OTHER, domain, reply, found,
	    BACKOFF_TEXTS);
	for (size_t i = 0; i < n; i++)
		said[strtoul(found[i].rule.p, NULL, 10)] = true;
}

/* backoffs_match - those that it counts for */
size_t
backoffs_match(const struct backoffs *b, enum backoff_from from,
    unsigned provider, struct slice domain, enum category category,
    struct slice reply, const struct backoff_rule **out, size_t room)
{
	bool said[BACKOFF_RULES] = { false };
	size_t n = 0;

	if (from == BACKOFF_OURS || provider >= PROVIDER_MAX)
		return 0;
	lines(b, domain, reply, said);
	for (size_t i = 0; i < b->n && n < room; i++) {
		const struct backoff_rule *r = &b->rules[i];

		if (r->from == from && (!r->texts || said[i]) &&
		    (r->providers == 0 || (r->providers >> provider & 1)) &&
		    (r->categories == 0 || (r->categories >> category & 1)))
			out[n++] = r;
	}
	return n;
}
