/*
 * build - memory and words that every part of the making of a policy needs.
 */
#include "policy/build.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/text.h"

#define NEAREST_NAMES	1000	/* more names than that are not gone through */

/* build_alloc - zeroed; what fails once has failed for good */
void *
build_alloc(struct build *b, struct arena *arena, size_t n, size_t size)
{
	void *p = b->nomem ? NULL : arena_array(arena, n, size);

	if (p == NULL)
		b->nomem = true;
	return p;
}

/* build_copy - the same text in another arena; empty without memory */
struct slice
build_copy(struct build *b, struct arena *arena, struct slice text)
{
	struct slice copy = b->nomem ? SLICE_NONE : arena_copy(arena, text);

	if (copy.p == NULL) {
		b->nomem = true;
		return SLICE("");
	}
	return copy;
}

/* build_printf - never NULL */
char *
build_printf(struct build *b, struct arena *arena, const char *format, ...)
{
	static char none[1];
	char *text = NULL;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (n >= 0)
		text = build_alloc(b, arena, (size_t)n + 1, 1);
	if (text == NULL)
		return none;
	va_start(args, format);
	vsnprintf(text, (size_t)n + 1, format, args);
	va_end(args);
	return text;
}

/* build_path - below a folder, unless absolute */
char *
build_path(struct build *b, struct arena *arena, const char *folder,
    struct slice name)
{
	if (name.n > 0 && name.p[0] == '/')
		return build_printf(b, arena, "%.*s", SLICE_ARG(name));
	return build_printf(b, arena, "%s/%.*s", folder, SLICE_ARG(name));
}

/* build_place - as it is printed everywhere */
const char *
build_place(struct place at, char *out, size_t n)
{
	snprintf(out, n, "%s:%u:%u", at.file != NULL ? at.file : "?", at.line,
	    at.col);
	return out;
}

/* nearest_row - among the names of a table whose rows stand nowhere else */
static bool
nearest_row(struct keyword *rows, size_t n, struct slice word, char *out,
    size_t room)
{
	static const char *const nowhere[] = { "" };
	struct keyword_table table = { rows, n, nowhere };
	const char *near;

	out[0] = '\0';
	for (size_t i = 0; i < n; i++)
		rows[i].where = 1;
	near = keyword_nearest(&table, word, 1);
	if (near != NULL)
		snprintf(out, room, "; did you mean \"%s\"?", near);
	return near != NULL;
}

/* build_nearest - a hint for a name that is not there */
const char *
build_nearest(const struct map *names, struct slice word, char *out, size_t n)
{
	struct keyword *rows = NULL;
	struct slice name;
	size_t at = 0, i = 0;

	out[0] = '\0';
	if (map_count(names) == 0 || map_count(names) > NEAREST_NAMES ||
	    (rows = calloc(map_count(names), sizeof(*rows))) == NULL)
		return out;
	while (map_next(names, &at, &name, NULL))
		rows[i++].name = name.p;	/* copies of an arena: NUL */
	nearest_row(rows, i, word, out, n);
	free(rows);
	return out;
}

/* build_near - a hint from a list of words */
const char *
build_near(const char *const *words, struct slice word, char *out, size_t n)
{
	struct keyword rows[32] = { { .name = NULL } };
	size_t i;

	for (i = 0; words[i] != NULL && i < sizeof(rows) / sizeof(*rows); i++)
		rows[i].name = words[i];
	nearest_row(rows, i, word, out, n);
	return out;
}

/* build_items - a string is a set of one */
const struct value *
build_items(const struct value *v, size_t *n)
{
	*n = v->type == VALUE_SET ? v->nitems : 1;
	return v->type == VALUE_SET ? v->items : v;
}

/* build_told - places are known by file, line and column */
bool
build_told(struct build *b, struct place at, char what)
{
	struct slice key = slice_of(build_printf(b, b->work, "%c%p:%u:%u",
	    what, (const void *)at.file, at.line, at.col));
	void *was = NULL;

	if (map_add(b->warned, key, b, &was) == -1)
		b->nomem = true;
	return was != NULL;
}

/* build_provider - a hint for a provider that nobody knows */
const char *
build_provider(struct build *b, struct slice word)
{
	struct keyword rows[PROVIDER_MAX] = { { .name = NULL } };
	const char *list = "; known are ";
	char near[128];
	size_t n = 0;

	for (unsigned i = PROVIDER_OTHER; i < provider_count(); i++)
		rows[n++].name = provider_name(i);
	if (nearest_row(rows, n, word, near, sizeof(near)))
		return build_printf(b, b->work, "%s", near);
	for (size_t i = 0; i < n; i++)
		list = build_printf(b, b->work, "%s%s%s", list,
		    i > 0 ? ", " : "", rows[i].name);
	return list;
}

/* build_header - may it be the name of a header? */
bool
build_header(struct slice name)
{
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] < '!' || name.p[i] > '~' || name.p[i] == ':')
			return false;
	return name.n >= 1 && name.n <= 76;
}

/* build_name - the title of a block as a name */
bool
build_name(const struct node *node, struct slice *name,
    struct problems *problems)
{
	struct quoted q;

	*name = node->titles[0].text;
	if (keyword_is_name(*name))
		return true;
	problem_error(problems, node->titles[0].at,
	    "%s is not a name; a name has 1 to 64 letters, digits, \".\", "
	    "\"_\" or \"-\"", text_quote(*name, &q));
	return false;
}

/* build_reply_text - may it stand in an SMTP reply? */
bool
build_reply_text(const struct node *node, struct problems *problems)
{
	const struct value *v = &node->value;

	if (v->text.n == 0) {
		problem_error(problems, v->at, "%.*s is empty; %s",
		    SLICE_ARG(node->name), slice_is(node->name, "paused") ?
		    "give the reason, it is told to the sender" :
		    "leave it out instead");
		return false;
	}
	if (v->text.n > 200) {
		problem_error(problems, v->at, "%.*s is too long: %zu bytes; "
		    "an SMTP reply has room for 200", SLICE_ARG(node->name),
		    v->text.n);
		return false;
	}
	for (size_t i = 0; i < v->text.n; i++)
		if (v->text.p[i] < 0x20 || v->text.p[i] > 0x7e) {
			problem_error(problems, v->at, "%.*s goes into SMTP "
			    "replies, which are plain ASCII; byte %zu is not",
			    SLICE_ARG(node->name), i + 1);
			return false;
		}
	return true;
}

/* choice_index - the enum behind a word */
int
choice_index(const struct keyword *row, const struct value *v)
{
	int i = 0;

	while (row->choices[i] != NULL && !slice_is(v->text, row->choices[i]))
		i++;
	return i;
}
