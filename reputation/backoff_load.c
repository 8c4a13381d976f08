/*
 * backoff_load - the language of conf/backoff.conf.
 *
 *	rule "NAME" {
 *		provider  = {"google", "microsoft"}	# default: all
 *		text      = {"words & more words"}	# any of them
 *		code      = "421"
 *		enhanced  = "4.7.28"
 *		category  = {"rate_limit"}
 *		from      = "answer"			# or "connection"
 *		threshold = "2/hour"
 *		action    = "slow"			# or "pause"
 *		rate      = "10/minute"			# of slow
 *		duration  = "30 minutes"
 *	}
 *
 * A text is written as in bounces.rules, and judged by the code that reads
 * those: each becomes a line of such a file, and the place of a mistake in the
 * line is the place in the string.
 */
#include "reputation/backoff_in.h"

#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/keyword.h"
#include "lib/scan.h"
#include "lib/text.h"

enum word { WORD_RULE, WORD_PROVIDER, WORD_TEXT, WORD_CODE, WORD_ENHANCED,
	WORD_CATEGORY, WORD_FROM, WORD_THRESHOLD, WORD_ACTION, WORD_RATE,
	WORD_DURATION };
enum { IN_FILE = 1, IN_RULE = 2, THRESHOLD_MOST = 1000000 };
#define DURATION_MOST	CLOCK_DAY

static const char *const where_names[] = { "the file", "rule" };

/* clang-format off */
static const struct keyword rows[] = {
	{ "rule", KEYWORD_BLOCK, IN_FILE, WORD_RULE, .titles = 1,
	  .help = "answers that ask for less, and what follows" },
	{ "provider", KEYWORD_LIST, IN_RULE, WORD_PROVIDER, .unset = "all",
	  .help = "names or sets of providers.conf" },
	{ "text", KEYWORD_LIST, IN_RULE, WORD_TEXT, .unset = "any",
	  .help = "words of the answer as in bounces.rules; any of them" },
	{ "code", KEYWORD_STRING, IN_RULE, WORD_CODE, .unset = "any",
	  .help = "reply code: 421, 4??" },
	{ "enhanced", KEYWORD_STRING, IN_RULE, WORD_ENHANCED, .unset = "any",
	  .help = "enhanced code: 4.7.28, 4.7.*" },
	{ "category", KEYWORD_LIST, IN_RULE, WORD_CATEGORY, .unset = "any",
	  .help = "what bounces.rules makes of the answer" },
	{ "from", KEYWORD_CHOICE, IN_RULE, WORD_FROM, backoff_from_names,
	  .unset = "answer",
	  .help = "answer: a server's words; connection: it was not reached" },
	{ "threshold", KEYWORD_RATE, IN_RULE, WORD_THRESHOLD,
	  .help = "\"2/hour\": so many recipients within that time" },
	{ "action", KEYWORD_CHOICE, IN_RULE, WORD_ACTION,
	  backoff_action_names,
	  .help = "what the next mail there gets" },
	{ "rate", KEYWORD_RATE, IN_RULE, WORD_RATE,
	  .help = "what action = \"slow\" lets through" },
	{ "duration", KEYWORD_DURATION, IN_RULE, WORD_DURATION,
	  .help = "how long; then it is over by itself" },
};
/* clang-format on */

const struct keyword_table backoff_keywords = { rows,
	sizeof(rows) / sizeof(rows[0]), where_names };

/* A line of the classifier, and where its parts were written. */
struct line {
	struct place	text_at, code_at, enhanced_at;
	unsigned	code_col, enhanced_col, text_col;
	bool		bare;		/* codes alone */
};

/* A rule while it is read. */
struct draft {
	struct backoff_rule rule;
	struct value	 texts;		/* items; nitems 0: none */
	struct value	 code, enhanced;	/* text.n 0: any */
	bool		 has_rate, has_action, has_category;
};

struct loader {
	struct backoffs	*b;
	struct problems	*problems;
	struct arena	*arena;		/* for the load only */
	const char	*file;
	struct buf	 text;		/* lines of the classifier */
	struct line	*lines;
	size_t		 nlines;
	bool		 failed;	/* no memory */
};

/* items_of - a set, or the one string */
static const struct value *
items_of(const struct value *v, size_t *n)
{
	*n = v->type == VALUE_SET ? v->nitems : 1;
	return v->type == VALUE_SET ? v->items : v;
}

/* read_providers - names and sets */
static void
read_providers(struct loader *l, struct draft *d, const struct value *v)
{
	const struct value *items;
	provider_set set;
	struct quoted q;
	size_t n;

	items = items_of(v, &n);
	if (n == 0)
		problem_error(l->problems, v->at, "provider is empty: no "
		    "answer would count; leave it out for all");
	for (size_t i = 0; i < n; i++) {
		if ((set = provider_find(items[i].text)) == 0)
			problem_error(l->problems, items[i].at, "there is no "
			    "provider %s in providers.conf",
			    text_quote(items[i].text, &q));
		d->rule.providers |= set;
	}
}

/* read_categories - of the classifier */
static void
read_categories(struct loader *l, struct draft *d, const struct value *v)
{
	const struct value *items;
	struct quoted q;
	size_t n, c;

	items = items_of(v, &n);
	if (n == 0)
		problem_error(l->problems, v->at, "category is empty: no "
		    "answer would count; leave it out for all");
	for (size_t i = 0; i < n; i++) {
		for (c = 0; c < CATEGORIES; c++)
			if (slice_is(items[i].text, category_names[c]))
				break;
		if (c == CATEGORIES)
			problem_error(l->problems, items[i].at, "%s is no "
			    "category of penstock-bounces(5)",
			    text_quote(items[i].text, &q));
		else
			d->rule.categories |= 1u << c;
	}
}

/* read_threshold - so many within such a time */
static void
read_threshold(struct loader *l, struct draft *d, const struct value *v)
{
	struct quoted q;
	struct rate rate;
	struct why why;

	if (scan_rate(v->text, &rate, &why) == -1) {
		problem_error(l->problems, v->at, "threshold: %s", why.text);
		d->rule.threshold = 1;
		return;
	}
	if (rate.n > THRESHOLD_MOST || rate.period < CLOCK_MINUTE ||
	    rate.period > CLOCK_DAY)
		problem_error(l->problems, v->at, "threshold: expected 1 to "
		    "%d per minute, hour or day, found %s", THRESHOLD_MOST,
		    text_quote(v->text, &q));
	d->rule.threshold = rate.n;
	d->rule.window = rate.period;
}

/* read_rate - what slow lets through */
static void
read_rate(struct loader *l, struct draft *d, const struct value *v)
{
	struct rate rate;
	struct why why;

	d->has_rate = true;
	if (scan_rate(v->text, &rate, &why) == -1) {
		problem_error(l->problems, v->at, "rate: %s", why.text);
		return;
	}
	d->rule.rate = rate.n;
	d->rule.period = rate.period;
}

/* read_duration - how long */
static void
read_duration(struct loader *l, struct draft *d, const struct value *v)
{
	struct quoted q;
	struct why why;

	if (scan_duration(v->text, &d->rule.duration, &why) == -1) {
		problem_error(l->problems, v->at, "duration: %s", why.text);
		d->rule.duration = CLOCK_HOUR;
	} else if (d->rule.duration < CLOCK_SECOND ||
	    d->rule.duration > DURATION_MOST)
		problem_error(l->problems, v->at, "duration: %s is not "
		    "between a second and a day", text_quote(v->text, &q));
}

/* choice - the number of what was chosen */
static unsigned
choice(const struct keyword *row, const struct value *v)
{
	unsigned i = 0;

	while (row->choices[i] != NULL && !slice_is(v->text, row->choices[i]))
		i++;
	return i;
}

/* read_one - one line of a rule */
static void
read_one(struct loader *l, struct draft *d, const struct keyword *row,
    const struct node *n)
{
	const struct value *v = &n->value;
	const struct value *items;

	switch ((enum word)row->id) {
	case WORD_PROVIDER:
		read_providers(l, d, v);
		break;
	case WORD_TEXT:
		items = items_of(v, &d->texts.nitems);
		d->texts.items = (struct value *)(uintptr_t)items;
		if (d->texts.nitems == 0)
			problem_error(l->problems, v->at, "text is empty: no "
			    "answer would count; leave it out for any");
		break;
	case WORD_CODE:
		d->code = *v;
		break;
	case WORD_ENHANCED:
		d->enhanced = *v;
		break;
	case WORD_CATEGORY:
		d->has_category = true;
		read_categories(l, d, v);
		break;
	case WORD_FROM:
		d->rule.from = (enum backoff_from)choice(row, v);
		break;
	case WORD_THRESHOLD:
		read_threshold(l, d, v);
		break;
	case WORD_ACTION:
		d->has_action = true;
		d->rule.action = (enum backoff_action)choice(row, v);
		break;
	case WORD_RATE:
		read_rate(l, d, v);
		break;
	case WORD_DURATION:
		read_duration(l, d, v);
		break;
	case WORD_RULE:
		break;
	}
}

/* check_rule - what must be there, and what says nothing */
static void
check_rule(struct loader *l, const struct draft *d, const struct node *n)
{
	const struct backoff_rule *r = &d->rule;

	if (r->threshold == 0)
		problem_error(l->problems, n->at, "rule \"%.*s\" has no "
		    "threshold; write threshold = \"5/hour\"",
		    SLICE_ARG(r->name));
	if (!d->has_action)
		problem_error(l->problems, n->at, "rule \"%.*s\" has no "
		    "action; write action = \"slow\" or \"pause\"",
		    SLICE_ARG(r->name));
	if (r->duration == 0)
		problem_error(l->problems, n->at, "rule \"%.*s\" has no "
		    "duration; write duration = \"30 minutes\"",
		    SLICE_ARG(r->name));
	if (d->has_action && d->has_rate != (r->action == BACKOFF_SLOW))
		problem_error(l->problems, n->at, d->has_rate ? "rule "
		    "\"%.*s\" has a rate, and pause lets nothing through" :
		    "rule \"%.*s\" has no rate; write rate = \"10/minute\"",
		    SLICE_ARG(r->name));
	if (d->texts.nitems == 0 && d->code.text.n == 0 &&
	    d->enhanced.text.n == 0 && !d->has_category &&
	    r->from == BACKOFF_ANSWER)
		problem_error(l->problems, n->at, "rule \"%.*s\" has neither "
		    "text, code, enhanced nor category: every refusal would "
		    "count", SLICE_ARG(r->name));
}

/* add_line - one text of a rule as a line of bounces.rules */
static void
add_line(struct loader *l, size_t rule, const struct draft *d,
    const struct value *text, const struct node *n)
{
	struct line *line;
	size_t begin = l->text.len;
	struct slice code = d->code.text.n > 0 ? d->code.text : SLICE("*");
	struct slice enhanced = d->enhanced.text.n > 0 ? d->enhanced.text :
	    SLICE("*");

	if (l->nlines == BACKOFF_TEXTS) {
		problem_error(l->problems, n->at, "more than %d texts in all "
		    "rules", BACKOFF_TEXTS);
		return;
	}
	line = &l->lines[l->nlines++];
	line->bare = text == NULL;
	line->text_at = text != NULL ? text->at : n->at;
	line->code_at = d->code.text.n > 0 ? d->code.at : n->at;
	line->enhanced_at = d->enhanced.text.n > 0 ? d->enhanced.at : n->at;
	buf_printf(&l->text, "%zu.%zu * ", rule, l->nlines);
	line->code_col = (unsigned)(l->text.len - begin) + 1;
	buf_slices(&l->text, code);
	buf_char(&l->text, ' ');
	line->enhanced_col = (unsigned)(l->text.len - begin) + 1;
	buf_slices(&l->text, enhanced);
	buf_str(&l->text, " unknown none ");
	line->text_col = (unsigned)(l->text.len - begin) + 1;
	buf_slices(&l->text, text != NULL ? text->text : SLICE("-"));
	buf_char(&l->text, '\n');
}

/* one_word - a code that would become several columns, or a text that would
 * be none, is said here */
static bool
one_word(struct loader *l, const struct value *v, const char *what)
{
	struct quoted q;

	for (size_t i = 0; i < v->text.n; i++)
		if ((unsigned char)v->text.p[i] <= ' ') {
			problem_error(l->problems, v->at, "%s: expected one "
			    "code, found %s", what, text_quote(v->text, &q));
			return false;
		}
	return true;
}

/* add_lines - all texts of a rule */
static void
add_lines(struct loader *l, size_t rule, struct draft *d,
    const struct node *n)
{
	struct quoted q;

	if (!one_word(l, &d->code, "code") ||
	    !one_word(l, &d->enhanced, "enhanced"))
		return;
	for (size_t i = 0; i < d->texts.nitems; i++) {
		const struct value *v = &d->texts.items[i];
		struct slice text = slice_trim(v->text);

		if (text.n == 0 || slice_is(text, "-"))
			problem_error(l->problems, v->at, "text: %s has no "
			    "word", text_quote(v->text, &q));
		else
			add_line(l, rule, d, v, n);
	}
	if (d->texts.nitems == 0 &&
	    (d->code.text.n > 0 || d->enhanced.text.n > 0))
		add_line(l, rule, d, NULL, n);
	d->rule.texts = d->texts.nitems > 0 || d->code.text.n > 0 ||
	    d->enhanced.text.n > 0;
}

/* read_rule - one block */
static void
read_rule(struct loader *l, struct node *node)
{
	struct backoffs *b = l->b;
	struct draft d = { .rule = { .at = node->at } };
	const char *slash = strrchr(l->file, '/');
	struct quoted q;
	char *place;

	if (!keyword_is_name(node->titles[0].text)) {
		problem_error(l->problems, node->titles[0].at, "%s is no name "
		    "for a rule: expected 1 to 64 of A-Z a-z 0-9 . _ -",
		    text_quote(node->titles[0].text, &q));
		return;
	}
	if (b->n == BACKOFF_RULES) {
		problem_error(l->problems, node->at, "more than %d rules",
		    BACKOFF_RULES);
		return;
	}
	d.rule.name = arena_copy(b->arena, node->titles[0].text);
	place = arena_printf(b->arena, "%.100s:%u", slash != NULL ? slash + 1 :
	    l->file, node->at.line);
	if (d.rule.name.p == NULL || place == NULL) {
		l->failed = true;
		return;
	}
	d.rule.place = slice_of(place);
	keyword_duplicates(node->child, l->problems);
	for (const struct node *n = node->child; n != NULL; n = n->next) {
		const struct keyword *row = keyword_check(&backoff_keywords,
		    n, IN_RULE, l->problems);

		if (row != NULL)
			read_one(l, &d, row, n);
	}
	check_rule(l, &d, node);
	add_lines(l, b->n, &d, node);
	b->rules[b->n++] = d.rule;
}

/* tell - mistakes in the lines, where they stand in the strings */
static void
tell(struct loader *l, struct problems *found)
{
	unsigned told = 0;		/* line */

	for (struct problem *p = found->first; p != NULL; p = p->next) {
		const struct line *line = &l->lines[p->at.line > 0 &&
		    p->at.line <= l->nlines ? p->at.line - 1 : 0];
		bool before = p->at.col < line->text_col &&
		    p->at.col >= line->code_col;	/* else: all of it */
		struct place at = !before ? line->text_at :
		    p->at.col >= line->enhanced_col ? line->enhanced_at :
		    line->code_at;

		/* a code that is none leaves nothing to look for: said once */
		if (line->bare && p->at.line == told)
			continue;
		told = p->at.line;
		if (p->at.col > line->text_col)
			at.col += p->at.col - line->text_col + 1;
		problem_error(l->problems, at, "%s", p->text);
	}
}

/* compile - the lines; -1 no memory */
static int
compile(struct loader *l, struct why *why)
{
	struct problems found;
	int got;

	if (l->nlines == 0)
		return 0;
	if (buf_failed(&l->text))
		return -1;
	problems_init(&found, l->arena);
	got = classifier_parse(&l->b->texts, l->file, buf_slice(&l->text),
	    &found, why);
	if (got == 0)
		tell(l, &found);
	return got == -1 ? -1 : 0;
}

/* read_all - every block; -1 no memory */
static int
read_all(struct loader *l, struct slice text, struct why *why)
{
	struct node *tree = parse_text(l->arena, l->file, text, l->problems);

	keyword_duplicates(tree, l->problems);
	for (struct node *n = tree; n != NULL && !l->failed; n = n->next)
		if (keyword_check(&backoff_keywords, n, IN_FILE,
		    l->problems) != NULL)
			read_rule(l, n);
	return l->failed || compile(l, why) == -1 ? -1 : 0;
}

/* backoffs_parse - rules in memory; a file without any is one that wants no
 * back-off */
int
backoffs_parse(struct backoffs **out, const char *file, struct slice text,
    struct problems *problems, struct why *why)
{
	struct loader l = { .problems = problems, .file = file,
		.text = BUF_INIT };
	unsigned errors = problems->errors;
	int got = -1;

	*out = NULL;
	if (provider_init(why) == -1)
		return -1;
	l.arena = arena_new(1 << 14, 0);
	if (l.arena == NULL || (l.b = calloc(1, sizeof(*l.b))) == NULL ||
	    (l.b->arena = arena_new(1 << 14, 0)) == NULL ||
	    (l.b->rules = arena_array(l.b->arena, BACKOFF_RULES,
	    sizeof(*l.b->rules))) == NULL ||
	    (l.lines = arena_array(l.arena, BACKOFF_TEXTS,
	    sizeof(*l.lines))) == NULL || read_all(&l, text, why) == -1) {
		why_kind(why, WHY_MEMORY, "no memory for the rules of %s",
		    file);
		goto out;
	}
	got = problems->errors == errors;
	if (got == 1) {
		*out = l.b;
		l.b = NULL;
	}
out:
	backoffs_free(l.b);
	arena_free(l.arena);
	buf_free(&l.text);
	return got;
}
