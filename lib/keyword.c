/*
 * keyword - the words that may stand in a file, as tables.
 *
 * One row feeds the check of a file, the dump of what is in force, and the
 * test that the manual names every setting.  The messages here are the ones a
 * postmaster meets most often, so each says what to write instead.
 */
#include "lib/keyword.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/scan.h"
#include "lib/text.h"

#define NEAREST_MAX	64	/* bytes of a word worth a guess */

const char *const keyword_type_names[] = {
	"a block", "a string", "a name", "a number",
	"a rate such as \"200/hour\"", "a cap such as \"1000/day\"",
	"a duration such as \"15 minutes\"", "a size such as \"64 MiB\"",
	"one of its words", "a set such as {\"a\", \"b\"}",
	"a time zone such as \"Europe/Madrid\"",
	"a date such as \"2026-11-01\"",
	"a string or a set such as {\"a\", \"b\"}"
};

/* keyword_is_name - [A-Za-z0-9._-]{1,64} */
bool
keyword_is_name(struct slice s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (!(s.p[i] >= 'a' && s.p[i] <= 'z') &&
		    !(s.p[i] >= 'A' && s.p[i] <= 'Z') &&
		    !(s.p[i] >= '0' && s.p[i] <= '9') &&
		    s.p[i] != '.' && s.p[i] != '_' && s.p[i] != '-')
			return false;
	return s.n >= 1 && s.n <= 64;
}

/* distance - insertions, deletions, changes and swapped neighbours */
static unsigned
distance(struct slice a, struct slice b)
{
	unsigned row[3][NEAREST_MAX + 1], *before = row[0], *last = row[1];
	unsigned *now = row[2], *spare, least;
	size_t i, j;

	for (j = 0; j <= b.n; j++)
		last[j] = (unsigned)j;
	for (i = 1; i <= a.n; i++) {
		now[0] = (unsigned)i;
		for (j = 1; j <= b.n; j++) {
			least = last[j - 1] + (a.p[i - 1] != b.p[j - 1]);
			if (last[j] + 1 < least)
				least = last[j] + 1;
			if (now[j - 1] + 1 < least)
				least = now[j - 1] + 1;
			if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] &&
			    a.p[i - 2] == b.p[j - 1] &&
			    before[j - 2] + 1 < least)
				least = before[j - 2] + 1;
			now[j] = least;
		}
		spare = before;
		before = last;
		last = now;
		now = spare;
	}
	return last[b.n];
}

/* keyword_nearest - what was probably meant */
const char *
keyword_nearest(const struct keyword_table *table, struct slice word,
    unsigned where)
{
	const char *best = NULL;
	unsigned most, d;
	struct slice name;
	size_t i;

	if (word.n > NEAREST_MAX)
		return NULL;
	most = word.n / 2 < 2 ? (unsigned)word.n / 2 : 2;
	for (i = 0; i < table->n; i++) {
		name = slice_of(table->rows[i].name);
		if ((table->rows[i].where & where) == 0 ||
		    name.n > NEAREST_MAX || name.n > word.n + most ||
		    word.n > name.n + most)
			continue;
		d = distance(word, name);
		if (d <= most) {
			best = table->rows[i].name;
			if (d == 0)
				break;
			most = d - 1;
		}
	}
	return best;
}

/* place_name - the name of the one block of a bit */
static const char *
place_name(const struct keyword_table *table, unsigned where)
{
	size_t i = 0;

	while (where > 1) {
		where >>= 1;
		i++;
	}
	return table->where_names[i];
}

/* places_list - "throttle, cap or group" for a mask; returns out */
static const char *
places_list(const struct keyword_table *table, unsigned mask, char *out,
    size_t room)
{
	size_t used = 0;
	unsigned bit;
	int n;

	out[0] = '\0';
	for (bit = 1; bit != 0 && mask != 0; bit <<= 1) {
		if ((mask & bit) == 0)
			continue;
		mask &= ~bit;
		n = snprintf(out + used, room - used, "%s%s",
		    used == 0 ? "" : mask != 0 ? ", " : " or ",
		    place_name(table, bit));
		if (n < 0 || (size_t)n >= room - used)
			break;
		used += (size_t)n;
	}
	return out;
}

/* choices_list - "defer, hold or refuse"; returns out */
static const char *
choices_list(const char *const *choices, char *out, size_t room)
{
	size_t used = 0;
	int n;

	out[0] = '\0';
	for (; *choices != NULL; choices++) {
		n = snprintf(out + used, room - used, "%s\"%s\"",
		    used == 0 ? "" : choices[1] != NULL ? ", " : " or ",
		    *choices);
		if (n < 0 || (size_t)n >= room - used)
			break;
		used += (size_t)n;
	}
	return out;
}

/* unknown - no row has this name here: elsewhere, or nearly? */
static void
unknown(const struct keyword_table *table, const struct node *node,
    unsigned where, struct problems *problems)
{
	const char *in = place_name(table, where), *near;
	char list[256], hint[96] = "";
	unsigned mask = 0;
	struct quoted q;
	size_t i;

	for (i = 0; i < table->n; i++)
		if (slice_is(node->name, table->rows[i].name))
			mask |= table->rows[i].where;
	near = keyword_nearest(table, node->name, where);
	if (near != NULL)
		snprintf(hint, sizeof(hint), "; did you mean \"%s\"?", near);
	if (mask != 0)
		problem_error(problems, node->at,
		    "%s cannot stand in %s; its place is in %s%s",
		    text_quote(node->name, &q), in,
		    places_list(table, mask, list, sizeof(list)), hint);
	else
		problem_error(problems, node->at, "unknown word %s in %s%s",
		    text_quote(node->name, &q), in, hint);
}

/* check_titles - as many as the row says */
static bool
check_titles(const struct keyword *row, const struct node *node,
    struct problems *problems)
{
	struct quoted q;

	if (node->ntitles == row->titles)
		return true;
	if (node->ntitles < row->titles)
		problem_error(problems, node->at,
		    "%s needs a title: %s \"...\" { ... }", row->name,
		    row->name);
	else if (row->titles == 0)
		problem_error(problems, node->titles[0].at,
		    "%s takes no title, found %s", row->name,
		    text_quote(node->titles[0].text, &q));
	else
		problem_error(problems, node->titles[row->titles].at,
		    "%s takes one title, found a second: %s", row->name,
		    text_quote(node->titles[row->titles].text, &q));
	return false;
}

/* check_number - whole and within its bounds, or a share */
static bool
check_number(const struct keyword *row, const struct value *v,
    struct problems *problems)
{
	bool bounded = row->least != 0 || row->most != 0;
	int64_t thousandths, n;
	struct quoted q;
	struct why why;

	if (!bounded || row->most == 1) {
		if (scan_thousandths(v->text, &thousandths, &why) == -1) {
			problem_error(problems, v->at, "%s: %s", row->name,
			    why.text);
			return false;
		}
		if (!bounded || (thousandths >= row->least * 1000 &&
		    thousandths <= row->most * 1000))
			return true;
	} else if (scan_count(v->text, row->least, row->most, &n, &why) == 0) {
		return true;
	}
	problem_error(problems, v->at, "%s: expected a %snumber from %" PRId64
	    " to %" PRId64 ", found %s", row->name,
	    row->most == 1 ? "" : "whole ", row->least, row->most,
	    text_quote(v->text, &q));
	return false;
}

/* check_choice - one of the row's words */
static bool
check_choice(const struct keyword *row, const struct value *v,
    struct problems *problems)
{
	const char *const *c;
	struct quoted q;
	char list[256];

	for (c = row->choices; *c != NULL; c++)
		if (slice_is(v->text, *c))
			return true;
	problem_error(problems, v->at, "%s: expected %s, found %s", row->name,
	    choices_list(row->choices, list, sizeof(list)),
	    text_quote(v->text, &q));
	return false;
}

/* value_fits - is this the type of value that the row takes? */
static bool
value_fits(enum keyword_type type, enum value_type found)
{
	switch (type) {
	case KEYWORD_NUMBER: return found == VALUE_NUMBER;
	case KEYWORD_SET: return found == VALUE_SET;
	case KEYWORD_SIZE: return found != VALUE_SET;
	case KEYWORD_LIST: return found != VALUE_NUMBER;
	default: return found == VALUE_STRING;
	}
}

/* wrong_type - say what was found and how to write it */
static void
wrong_type(const struct keyword *row, const struct value *v,
    struct problems *problems)
{
	char list[256];
	struct quoted q;

	if (v->type == VALUE_SET)
		problem_error(problems, v->at, "%s: expected %s, found a set",
		    row->name, row->type != KEYWORD_CHOICE ?
		    keyword_type_names[row->type] :
		    choices_list(row->choices, list, sizeof(list)));
	else if (row->type == KEYWORD_SET)
		problem_error(problems, v->at, "%s: expected a set: %s = {%s}",
		    row->name, row->name, text_quote(v->text, &q));
	else if (row->type == KEYWORD_NUMBER)
		problem_error(problems, v->at, "%s: expected a number without "
		    "quotes, found %s", row->name, text_quote(v->text, &q));
	else
		problem_error(problems, v->at, "%s: expected %s, found the "
		    "number %.*s", row->name, row->type != KEYWORD_CHOICE ?
		    keyword_type_names[row->type] :
		    choices_list(row->choices, list, sizeof(list)),
		    (int)(v->text.n < 40 ? v->text.n : 40), v->text.p);
}

/* check_value - of a setting or an include */
static bool
check_value(const struct keyword *row, const struct value *v,
    struct problems *problems)
{
	struct quoted q;

	if (!value_fits(row->type, v->type)) {
		wrong_type(row, v, problems);
		return false;
	}
	switch (row->type) {
	case KEYWORD_NUMBER:
		return check_number(row, v, problems);
	case KEYWORD_CHOICE:
		return check_choice(row, v, problems);
	case KEYWORD_NAME:
		if (keyword_is_name(v->text))
			return true;
		problem_error(problems, v->at, "%s: %s is not a name; a name "
		    "has 1 to 64 letters, digits, \".\", \"_\" or \"-\"",
		    row->name, text_quote(v->text, &q));
		return false;
	default:
		return true;
	}
}

/* keyword_check - the row of a node, when all that a row knows is right */
const struct keyword *
keyword_check(const struct keyword_table *table, const struct node *node,
    unsigned where, struct problems *problems)
{
	const struct keyword *row = NULL;
	bool block = node->type == NODE_BLOCK;
	size_t i;

	/* A word may be a block in one row and a setting in another. */
	for (i = 0; i < table->n; i++)
		if ((table->rows[i].where & where) != 0 &&
		    slice_is(node->name, table->rows[i].name)) {
			row = &table->rows[i];
			if ((row->type == KEYWORD_BLOCK) == block)
				break;
		}
	if (row == NULL) {
		unknown(table, node, where, problems);
		return NULL;
	}
	if (block && row->type != KEYWORD_BLOCK) {
		problem_error(problems, node->at,
		    "%s is a setting, not a block; write %s = %s", row->name,
		    row->name, row->type == KEYWORD_SET ? "{...}" :
		    row->type == KEYWORD_NUMBER ? "..." : "\"...\"");
		return NULL;
	}
	if (!block && row->type == KEYWORD_BLOCK) {
		problem_error(problems, node->at,
		    "%s is a block, not a setting; write %s %s{ ... }",
		    row->name, row->name, row->titles > 0 ? "\"...\" " : "");
		return NULL;
	}
	if (block ? !check_titles(row, node, problems) :
	    !check_value(row, &node->value, problems))
		return NULL;
	return row;
}

/* slice_compare - by bytes, then by length */
static int
slice_compare(struct slice a, struct slice b)
{
	int order = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

	return order != 0 ? order : a.n < b.n ? -1 : a.n > b.n;
}

/* same_compare - 0 when the later of the two would repeat the other */
static int
same_compare(const struct node *a, const struct node *b)
{
	int order;
	size_t i;

	if ((order = slice_compare(a->name, b->name)) != 0)
		return order;
	if (a->type != b->type)
		return a->type < b->type ? -1 : 1;
	if (a->type == NODE_INCLUDE)
		return slice_compare(a->value.text, b->value.text);
	if (a->ntitles != b->ntitles)
		return a->ntitles < b->ntitles ? -1 : 1;
	for (i = 0; i < a->ntitles; i++)
		if ((order = slice_compare(a->titles[i].text,
		    b->titles[i].text)) != 0)
			return order;
	return 0;
}

/* node_compare - for qsort: equals in the order of the file */
static int
node_compare(const void *va, const void *vb)
{
	const struct node *a = *(const struct node *const *)va;
	const struct node *b = *(const struct node *const *)vb;
	int order = same_compare(a, b);

	if (order != 0)
		return order;
	if (a->at.line != b->at.line)
		return a->at.line < b->at.line ? -1 : 1;
	return a->at.col < b->at.col ? -1 : a->at.col > b->at.col;
}

/* repeated - say that one stands here again */
static void
repeated(const struct node *first, const struct node *again,
    struct problems *problems)
{
	const char *title = NULL;
	struct quoted q;

	if (again->type == NODE_INCLUDE)
		title = text_quote(again->value.text, &q);
	else if (again->ntitles > 0)
		title = text_quote(again->titles[0].text, &q);
	problem_error(problems, again->at, "%.64s%s%s %s already at %s:%u:%u",
	    again->name.p, title != NULL ? " " : "",
	    title != NULL ? title : "",
	    again->type == NODE_SETTING ? "was set" : "stands",
	    first->at.file, first->at.line, first->at.col);
}

/*
 * keyword_duplicates - sorted, so that 100,000 tenants in one file cost no
 * more than they must; the array is short-lived and not the arena's.
 */
void
keyword_duplicates(const struct node *chain, struct problems *problems)
{
	const struct node *few[32], **all = few, *node;
	size_t n = 0, i, first = 0;

	for (node = chain; node != NULL; node = node->next)
		n++;
	if (n < 2)
		return;
	if (n > sizeof(few) / sizeof(few[0])) {
		all = calloc(n, sizeof(*all));
		if (all == NULL) {
			problem_error(problems, chain->at, "out of memory");
			return;
		}
	}
	for (n = 0, node = chain; node != NULL; node = node->next)
		all[n++] = node;
	qsort(all, n, sizeof(*all), node_compare);
	for (i = 1; i < n; i++) {
		if (same_compare(all[first], all[i]) == 0)
			repeated(all[first], all[i], problems);
		else
			first = i;
	}
	if (all != few)
		free(all);
}
