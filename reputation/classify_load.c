/*
 * classify_load - a file of rules, line by line, into a classifier.
 *
 *	id  provider  code  enhanced  category  action  text
 *
 * Columns are parted by blanks or tabs; the text is the rest of the line.  "*"
 * in the second to fourth column is "any", "-" as text is "none".  The text is
 * terms joined by "&", a term is pieces parted by "*"; a piece in double quotes
 * keeps its blanks, and "&" and "*" in it are letters.  A line that is empty or
 * begins with "#" is nothing.
 *
 * All mistakes of a file are named; a file with one of them is not used.
 */
#include "reputation/classify_in.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/keyword.h"
#include "lib/map.h"
#include "lib/text.h"

#define LINE_MAX_BYTES	1024
#define COLUMNS		7	/* the text among them */

extern const char bounces_data[];	/* made from conf/bounces.rules */

/* A rule as it was read; sorted before it gets its number. */
struct draft {
	struct rule	 rule;
	struct slice	 text;		/* SLICE_NONE: no words */
	struct place	 at;		/* of the text */
	size_t		 order;
};

/* A piece where it stands; "at" in the sequence of pieces. */
struct use {
	struct slice	 text;
	uint32_t	 at;
};

struct loader {
	struct classifier *c;
	struct problems	*problems;
	struct arena	*arena;		/* drafts and uses: for the load only */
	struct map	*ids;
	struct draft	*drafts;
	struct use	*uses;
	size_t		 nuses;
	bool		 failed;	/* no memory */
};

/* at_byte - the place of a byte of a line */
static struct place
at_byte(struct place line, struct slice all, const char *p)
{
	line.col = (unsigned)(p - all.p) + 1;
	return line;
}

/* column - the next word of the line; n == 0: there is none */
static struct slice
column(struct slice *rest)
{
	struct slice word;

	*rest = slice_trim(*rest);
	word = (struct slice){ rest->p, 0 };
	while (word.n < rest->n && rest->p[word.n] != ' ' &&
	    rest->p[word.n] != '\t')
		word.n++;
	*rest = slice_from(*rest, word.n);
	return word;
}

/* read_glob - "5.1.*", or "*" for any */
static void
read_glob(struct loader *l, struct place at, struct slice word,
    const char *allowed, const char *example, char out[GLOB_MAX])
{
	struct quoted q;
	unsigned stars = 0;
	bool fine = word.n < GLOB_MAX;
	size_t i;

	out[0] = '\0';
	for (i = 0; fine && i < word.n; i++) {
		fine = word.p[i] != '\0' &&
		    strchr(allowed, word.p[i]) != NULL;
		stars += word.p[i] == '*';
	}
	if (!fine || stars > 1) {
		problem_error(l->problems, at, "expected a code such as %s "
		    "with \"?\" for a digit and at most one \"*\", found %s",
		    example, text_quote(word, &q));
		return;
	}
	if (slice_is(word, "*"))
		return;
	memcpy(out, word.p, word.n);
	out[word.n] = '\0';
}

/* read_name - one of a closed set; its number, or 0 with a problem */
static unsigned
read_name(struct loader *l, struct place at, struct slice word,
    const char *const *names, size_t n, const char *what)
{
	char list[256];
	size_t i, used = 0;
	struct quoted q;

	for (i = 0; i < n; i++)
		if (slice_is(word, names[i]))
			return (unsigned)i;
	list[0] = '\0';
	for (i = 0; i < n; i++)
		used += (size_t)snprintf(list + used, sizeof(list) - used,
		    "%s%s", i > 0 ? ", " : "", names[i]);
	problem_error(l->problems, at, "%s is no %s; expected one of %s",
	    text_quote(word, &q), what, list);
	return 0;
}

/* read_id - a name that no rule above has */
static void
read_id(struct loader *l, struct place at, struct slice word,
    struct rule *rule)
{
	struct place *place, *before = NULL;
	struct quoted q;
	void *old;

	if (!keyword_is_name(word)) {
		problem_error(l->problems, at, "%s is no name for a rule: "
		    "expected 1 to 64 of A-Z a-z 0-9 . _ -",
		    text_quote(word, &q));
		return;
	}
	rule->id = arena_copy(l->c->arena, word);
	place = arena_alloc(l->arena, sizeof(*place));
	if (rule->id.p == NULL || place == NULL) {
		l->failed = true;
		return;
	}
	*place = at;
	if (map_add(l->ids, rule->id, place, &old) == -1)
		l->failed = true;
	else if ((before = old) != NULL)
		problem_error(l->problems, at, "rule %s stands already at "
		    "%s:%u:%u", rule->id.p, before->file, before->line,
		    before->col);
}

/* read_provider - a provider, a set of them, or all */
static void
read_provider(struct loader *l, struct place at, struct slice word,
    struct rule *rule)
{
	struct quoted q;

	if (slice_is(word, "*"))
		return;
	rule->providers = provider_find(word);
	if (rule->providers == 0)
		problem_error(l->problems, at, "there is no provider %s; "
		    "write * for all, or a name of providers.conf",
		    text_quote(word, &q));
}

/* read_columns - what stands before the text */
static void
read_columns(struct loader *l, struct place line, struct slice all,
    const struct slice *words, struct draft *d)
{
	struct place at[COLUMNS];
	unsigned i;

	for (i = 0; i < COLUMNS; i++)
		at[i] = at_byte(line, all, words[i].p);
	read_id(l, at[0], words[0], &d->rule);
	read_provider(l, at[1], words[1], &d->rule);
	read_glob(l, at[2], words[2], "0123456789?*", "550 or 5??",
	    d->rule.code);
	read_glob(l, at[3], words[3], "0123456789.?*", "5.1.1 or 5.7.*",
	    d->rule.enhanced);
	d->rule.category = read_name(l, at[4], words[4], category_names,
	    CATEGORIES, "category");
	d->rule.action = read_name(l, at[5], words[5], action_names, ACTIONS,
	    "action");
	d->text = slice_is(words[6], "-") ? SLICE_NONE : words[6];
	d->at = at[6];
	if (d->text.p == NULL && d->rule.code[0] == '\0' &&
	    d->rule.enhanced[0] == '\0')
		problem_error(l->problems, at[6], "this rule has neither a "
		    "code nor words: it would match every reply");
}

/* check_bytes - a line is text */
static bool
check_bytes(struct loader *l, struct place line, struct slice all)
{
	size_t i, n;

	for (i = 0; i < all.n; i += n) {
		n = text_utf8(all.p + i, all.n - i);
		if (n == 1 && all.p[i] != '\t' &&
		    ((unsigned char)all.p[i] < ' ' || all.p[i] == 0x7f))
			n = 0;
		if (n > 0)
			continue;
		problem_error(l->problems, at_byte(line, all, all.p + i),
		    "byte 0x%02x is no text", (unsigned char)all.p[i]);
		return false;
	}
	return true;
}

/* read_line - one rule, or nothing */
static void
read_line(struct loader *l, struct place line, struct slice all)
{
	struct slice rest = all, words[COLUMNS];
	struct draft *d = &l->drafts[l->c->nrules];
	unsigned i;

	if (rest.n > 0 && rest.p[rest.n - 1] == '\r')
		rest.n--;
	rest = slice_trim(rest);
	if (rest.n == 0 || rest.p[0] == '#')
		return;
	if (all.n > LINE_MAX_BYTES) {
		problem_error(l->problems, line, "%zu bytes in one line; a "
		    "rule has at most %u", all.n, LINE_MAX_BYTES);
		return;
	}
	if (!check_bytes(l, line, all))
		return;
	for (i = 0; i < COLUMNS - 1; i++)
		words[i] = column(&rest);
	words[COLUMNS - 1] = slice_trim(rest);
	if (words[COLUMNS - 1].n == 0) {
		problem_error(l->problems, at_byte(line, all,
		    words[COLUMNS - 1].p), "a rule has 7 columns: id provider "
		    "code enhanced category action text; \"-\" as text is "
		    "none");
		return;
	}
	if (l->c->nrules == CLASSIFY_RULES_MAX) {
		problem_error(l->problems, line, "more than %u rules",
		    CLASSIFY_RULES_MAX);
		return;
	}
	memset(d, 0, sizeof(*d));
	d->order = l->c->nrules++;
	read_columns(l, line, all, words, d);
}

/* read_lines - all of them, and some after too many mistakes */
static void
read_lines(struct loader *l, const char *file, struct slice text)
{
	struct place line = { file, 0, 1 };
	unsigned errors = l->problems->errors;
	const char *end;
	struct slice one;

	while (text.n > 0 && !l->failed) {
		end = memchr(text.p, '\n', text.n);
		one = (struct slice){ text.p,
		    end != NULL ? (size_t)(end - text.p) : text.n };
		text = slice_from(text, one.n + (end != NULL));
		line.line++;
		if (l->problems->errors - errors >= PARSE_ERRORS_MAX) {
			problem_error(l->problems, line, "too many mistakes; "
			    "the rest of the file was not read");
			return;
		}
		read_line(l, line, one);
	}
}

/* tier - text first, provider second, code last */
static int
tier(const struct draft *d)
{
	return (d->text.p == NULL ? 2 : 0) + (d->rule.providers == 0 ? 1 : 0);
}

/* draft_compare - strongest first, as in the file within a tier */
static int
draft_compare(const void *a, const void *b)
{
	const struct draft *x = a, *y = b;

	if (tier(x) != tier(y))
		return tier(x) - tier(y);
	return x->order < y->order ? -1 : x->order > y->order;
}

/* unquoted - the piece itself, folded; n == 0: there was nothing */
static struct slice
unquoted(struct loader *l, struct slice raw)
{
	bool blank = false;
	char *out;

	raw = slice_trim(raw);
	if (raw.n >= 2 && raw.p[0] == '"' && raw.p[raw.n - 1] == '"') {
		raw = (struct slice){ raw.p + 1, raw.n - 2 };
		blank = raw.n > 0 && (raw.p[0] == ' ' || raw.p[0] == '\t');
	}
	if ((out = arena_alloc(l->c->arena, raw.n + 2)) == NULL) {
		l->failed = true;
		return SLICE_NONE;
	}
	out[0] = ' ';			/* folding drops it at the beginning */
	raw.n = said_fold(out + 1, raw);
	return (struct slice){ blank ? out : out + 1, raw.n + blank };
}

/* piece_end - where it ends: at "*", at "&" or with the text */
static size_t
piece_end(struct slice text)
{
	size_t i = 0;

	while (i < text.n && (text.p[i] == ' ' || text.p[i] == '\t'))
		i++;
	if (i < text.n && text.p[i] == '"')
		for (i++; i < text.n && text.p[i] != '"';)
			i++;
	while (i < text.n && text.p[i] != '*' && text.p[i] != '&')
		i++;
	return i;
}

/* add_piece - the next one of a term; false: the rule is not worth more */
static bool
add_piece(struct loader *l, const struct draft *d, struct slice raw,
    struct term *term)
{
	struct place at = d->at;
	struct slice piece = unquoted(l, raw);

	at.col += (unsigned)(raw.p - d->text.p);
	if (l->failed)
		return false;
	if (piece.n == 0 || piece.n > PIECE_MAX) {
		problem_error(l->problems, at, piece.n == 0 ?
		    "nothing stands between two of \"&\" and \"*\"" :
		    "more than 64 bytes without a \"*\"");
		return false;
	}
	if (term->npieces == TERM_PIECES_MAX || l->nuses == PIECES_MAX) {
		problem_error(l->problems, at, l->nuses == PIECES_MAX ?
		    "more than 16384 pieces of text in one file" :
		    "more than 8 pieces parted by \"*\"");
		return false;
	}
	l->uses[l->nuses] = (struct use){ piece, (uint32_t)l->nuses };
	l->nuses++;
	term->npieces++;
	return true;
}

/* add_terms - the text of one rule, which has got its number */
static void
add_terms(struct loader *l, const struct draft *d, uint16_t number)
{
	struct rule *rule = &l->c->rules[number];
	struct slice rest = d->text, raw;
	struct term *term = NULL;
	bool more = true, fresh = true;

	for (; more; rest = slice_from(rest, raw.n + 1)) {
		raw = (struct slice){ rest.p, piece_end(rest) };
		more = raw.n < rest.n;
		if (fresh && rule->nterms == RULE_TERMS_MAX) {
			problem_error(l->problems, d->at, "more than %u terms "
			    "joined by \"&\"", RULE_TERMS_MAX);
			return;
		}
		if (fresh) {
			term = &l->c->terms[l->c->nterms++];
			*term = (struct term){ (uint32_t)l->nuses, number, 0 };
			rule->nterms++;
		}
		if (!add_piece(l, d, raw, term))
			return;
		fresh = more && rest.p[raw.n] == '&';
	}
}

/* add_rules - numbers, terms and pieces */
static void
add_rules(struct loader *l)
{
	struct classifier *c = l->c;
	size_t i;

	qsort(l->drafts, c->nrules, sizeof(*l->drafts), draft_compare);
	for (i = 0; i < c->nrules && !l->failed; i++) {
		c->rules[i] = l->drafts[i].rule;
		if (l->drafts[i].text.p == NULL)
			c->bare[i / 64] |= UINT64_C(1) << i % 64;
		else
			add_terms(l, &l->drafts[i], (uint16_t)i);
	}
}

/* use_compare - equal texts side by side */
static int
use_compare(const void *a, const void *b)
{
	const struct use *x = a, *y = b;
	size_t n = x->text.n < y->text.n ? x->text.n : y->text.n;
	int order = memcmp(x->text.p, y->text.p, n);

	if (order != 0)
		return order;
	return x->text.n < y->text.n ? -1 : x->text.n > y->text.n;
}

/* number_pieces - equal pieces are one; the sequence has their numbers */
static void
number_pieces(struct loader *l)
{
	struct classifier *c = l->c;
	size_t i;

	qsort(l->uses, l->nuses, sizeof(*l->uses), use_compare);
	for (i = 0; i < l->nuses; i++) {
		if (i == 0 || use_compare(&l->uses[i - 1], &l->uses[i]) != 0)
			c->pieces[c->npieces++].text = l->uses[i].text;
		c->sequence[l->uses[i].at] = (uint16_t)(c->npieces - 1);
	}
	c->nsequence = l->nuses;
}

/* list_starts - for each piece the terms that begin with it */
static void
list_starts(struct classifier *c)
{
	struct piece *piece;
	uint32_t at = 0;
	size_t i;

	for (i = 0; i < c->nterms; i++)
		c->pieces[c->sequence[c->terms[i].at]].nstarts++;
	for (i = 0; i < c->npieces; i++) {
		c->pieces[i].at = at;
		at += c->pieces[i].nstarts;
		c->pieces[i].nstarts = 0;
	}
	for (i = 0; i < c->nterms; i++) {
		piece = &c->pieces[c->sequence[c->terms[i].at]];
		c->starts[piece->at + piece->nstarts++] = (uint16_t)i;
	}
}

/* compile - rules that have no mistake; -1: no memory */
static int
compile(struct loader *l)
{
	struct classifier *c = l->c;

	c->pieces = arena_array(c->arena, l->nuses + 1, sizeof(*c->pieces));
	c->sequence = arena_array(c->arena, l->nuses + 1,
	    sizeof(*c->sequence));
	c->starts = arena_array(c->arena, c->nterms + 1, sizeof(*c->starts));
	if (c->pieces == NULL || c->sequence == NULL || c->starts == NULL)
		return -1;
	number_pieces(l);
	list_starts(c);
	return find_build(&c->find, c->arena, c->pieces, c->npieces);
}

/* prepare - the room for the most there may be */
static int
prepare(struct loader *l)
{
	struct arena *arena = arena_new(1 << 16, 0);
	struct classifier *c;

	l->arena = arena_new(1 << 16, 0);
	l->ids = map_new();
	l->drafts = calloc(CLASSIFY_RULES_MAX, sizeof(*l->drafts));
	l->uses = calloc(PIECES_MAX, sizeof(*l->uses));
	if (l->arena == NULL || l->ids == NULL || l->drafts == NULL ||
	    l->uses == NULL || arena == NULL ||
	    (c = arena_alloc(arena, sizeof(*c))) == NULL) {
		arena_free(arena);
		return -1;
	}
	c->arena = arena;
	l->c = c;
	return 0;
}

/* read_rules - lines, rules, terms; -1: no memory */
static int
read_rules(struct loader *l, const char *file, struct slice text)
{
	struct classifier *c = l->c;
	unsigned errors = l->problems->errors;

	if (slice_starts(text, SLICE("\xef\xbb\xbf")))
		problem_error(l->problems, (struct place){ file, 1, 1 },
		    "the file begins with a byte order mark; save it as UTF-8 "
		    "without one");
	read_lines(l, file, text);
	if (l->failed)
		return -1;
	if (c->nrules == 0 && l->problems->errors == errors)
		problem_error(l->problems, (struct place){ file, 1, 1 },
		    "there is no rule in it");
	c->rules = arena_array(c->arena, c->nrules + 1, sizeof(*c->rules));
	c->terms = arena_array(c->arena, TERMS_MAX, sizeof(*c->terms));
	if (c->rules == NULL || c->terms == NULL)
		return -1;
	add_rules(l);
	return l->failed ? -1 : 0;
}

/* classifier_parse - rules in memory */
int
classifier_parse(struct classifier **out, const char *file,
    struct slice text, struct problems *problems, struct why *why)
{
	struct loader l = { .problems = problems };
	unsigned errors = problems->errors;
	int result = -1;

	*out = NULL;
	if (provider_init(why) == -1)
		return -1;
	if (prepare(&l) == -1 || read_rules(&l, file, text) == -1)
		goto memory;
	result = problems->errors == errors;
	if (result == 1 && compile(&l) == -1)
		goto memory;
	if (result == 1) {
		*out = l.c;
		l.c = NULL;
	}
	goto out;
memory:
	result = why_kind(why, WHY_MEMORY, "no memory for the rules of %s",
	    file);
out:
	classifier_free(l.c);
	map_free(l.ids);
	arena_free(l.arena);
	free(l.drafts);
	free(l.uses);
	return result;
}

/* classifier_load - rules in a file */
int
classifier_load(struct classifier **out, const char *path,
    struct problems *problems, struct why *why)
{
	struct arena *arena = arena_new(1 << 16, 0);
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
		got = classifier_parse(out, file.p, text, problems, why);
	arena_free(arena);
	return got;
}

/* classifier_reload - the new rules, or the ones that are held */
int
classifier_reload(struct classifier **held, const char *path,
    struct problems *problems, struct why *why)
{
	struct classifier *fresh;
	int got = classifier_load(&fresh, path, problems, why);

	if (got == 1) {
		classifier_free(*held);
		*held = fresh;
	}
	return got;
}

/* classifier_builtin - what was compiled in */
int
classifier_builtin(struct classifier **out, struct why *why)
{
	struct arena *arena = arena_new(4096, 0);
	struct problems problems;
	int got;

	*out = NULL;
	if (arena == NULL)
		return why_kind(why, WHY_MEMORY, "no memory for the rules");
	problems_init(&problems, arena);
	got = classifier_parse(out, "bounces.rules", slice_of(bounces_data),
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

/* classifier_installed - the file of this machine, or what was compiled in */
int
classifier_installed(struct classifier **out, const char *configured,
    struct problems *problems, struct why *why)
{
	if (configured == NULL && access(CLASSIFY_DEFAULT, F_OK) == -1 &&
	    errno == ENOENT)
		return classifier_builtin(out, why) == 0 ? 1 : -1;
	return classifier_load(out, configured != NULL ? configured :
	    CLASSIFY_DEFAULT, problems, why);
}
