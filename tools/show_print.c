/*
 * show_print - the list of `penstock policy show`, and its two voices.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "tools/show.h"
#include "tools/tool.h"

enum { COLUMNS = 80, LEAST = 16 };	/* LEAST: of a value */

/* show_add - one line */
void
show_add(struct show *s, struct show_line line)
{
	if (s->n == s->cap) {
		s->cap = s->cap > 0 ? s->cap * 2 : 64;
		s->lines = xrealloc(s->lines, s->cap * sizeof(*s->lines));
	}
	s->lines[s->n++] = line;
}

/* show_value - a setting with its text; NULL: none */
void
show_value(struct show *s, const char *name, const char *text,
    struct place at)
{
	show_add(s, (struct show_line){ SHOW_VALUE, name, NULL, text, false,
	    at });
}

/* show_text - a slice of the policy; empty: none */
void
show_text(struct show *s, const char *name, struct slice t, struct place at)
{
	show_value(s, name, t.n > 0 ? arena_copy(s->arena, t).p : NULL, at);
}

/* show_number - bare in JSON */
void
show_number(struct show *s, const char *name, int64_t n, struct place at)
{
	show_add(s, (struct show_line){ SHOW_VALUE, name, NULL,
	    arena_printf(s->arena, "%lld", (long long)n), true, at });
}

/* show_set - the strings of a set */
void
show_set(struct show *s, const char *name, const struct slice *set, size_t n,
    struct place at)
{
	struct buf all = BUF_INIT;

	for (size_t i = 0; i < n; i++) {
		buf_str(&all, i > 0 ? ", " : "");
		buf_add(&all, set[i].p, set[i].n);
	}
	show_text(s, name, buf_slice(&all), at);
	buf_free(&all);
}

/* show_block - what follows up to show_end is inside */
void
show_block(struct show *s, const char *name, struct slice title,
    struct place at)
{
	show_add(s, (struct show_line){ SHOW_BLOCK, name, title.p != NULL ?
	    arena_copy(s->arena, title).p : NULL, NULL, false, at });
}

/* show_end - of the block that was begun */
void
show_end(struct show *s)
{
	show_add(s, (struct show_line){ .kind = SHOW_END });
}

/* from - where a line comes from, as people and JSON read it */
static const char *
from(const struct show *s, const struct show_line *l)
{
	return l->at.file == NULL ? "default" :
	    policy_rule(s->policy, l->at, s->arena).p;
}

/* shown - how wide a name is with its title and what it stands in */
static int
shown(const struct show_line *l, int depth)
{
	return depth * 2 + (int)strlen(l->name) + (l->kind == SHOW_BLOCK &&
	    l->title != NULL ? (int)strlen(l->title) + 3 : 0);
}

/* room - for a value, so that all of it fits COLUMNS */
static size_t
room(const struct show *s)
{
	size_t names = 0, places = 0, n;
	int depth = 0;

	for (size_t i = 0; i < s->n; i++) {
		const struct show_line *l = &s->lines[i];

		if (l->kind == SHOW_END) {
			depth--;
			continue;
		}
		n = (size_t)shown(l, depth);
		names = n > names ? n : names;
		n = strlen(from(s, l));
		places = n > places ? n : places;
		depth += l->kind == SHOW_BLOCK;
	}
	n = names + places + 4;
	return n + LEAST < COLUMNS ? COLUMNS - n : LEAST;
}

/* piece - of a value, up to a blank that still fits, or else behind a slash of
 * a path; all of a longer word */
static int
piece(const char *value, size_t most)
{
	size_t n = strlen(value), end = most;

	if (n <= most)
		return (int)n;
	while (end > 0 && value[end] != ' ')
		end--;
	for (n = most; end == 0 && n > 1; n--)
		if (value[n - 1] == '/')
			end = n;
	return (int)(end > 0 ? end : 1 + strcspn(value + 1, " "));
}

/* print_value - a row, and one for each further part of a long value */
static void
print_value(struct table *table, const char *value, const char *at,
    size_t most)
{
	int n = piece(value, most);

	table_cell(table, "%.*s", n, value);
	table_cell(table, "%s", at);
	for (value += n; *value != '\0'; value += n) {
		value += *value == ' ';
		n = piece(value, most);
		table_cell(table, "%s", "");
		table_cell(table, "%.*s", n, value);
		table_cell(table, "%s", "");
	}
}

/* show_print - aligned, one value per line, or as many as it needs */
void
show_print(const struct show *s, bool color)
{
	static const char *const headings[] = { "SETTING", "VALUE", "FROM",
	    NULL };
	struct table *table = table_new(headings, "<<<");
	size_t most = room(s);
	int depth = 0;

	for (size_t i = 0; i < s->n; i++) {
		const struct show_line *l = &s->lines[i];

		if (l->kind == SHOW_END) {
			depth--;
			continue;
		}
		if (l->kind == SHOW_BLOCK && l->title != NULL)
			table_cell(table, "%*s%s \"%s\"", depth * 2, "",
			    l->name, l->title);
		else
			table_cell(table, "%*s%s", depth * 2, "", l->name);
		print_value(table, l->kind == SHOW_BLOCK ? "" :
		    l->value != NULL ? l->value : "-", from(s, l), most);
		depth += l->kind == SHOW_BLOCK;
	}
	table_print(table, stdout, color);
	table_free(table);
}

/* put_line - a line as an object; a block is left open, for what is in it */
static void
put_line(const struct show *s, const struct show_line *l, struct buf *out)
{
	buf_str(out, "{\"name\":");
	buf_json(out, slice_of(l->name));
	if (l->title != NULL) {
		buf_str(out, ",\"title\":");
		buf_json(out, slice_of(l->title));
	}
	if (l->kind == SHOW_VALUE) {
		buf_str(out, ",\"value\":");
		if (l->value == NULL)
			buf_str(out, "null");
		else if (l->number)
			buf_str(out, l->value);
		else
			buf_json(out, slice_of(l->value));
	}
	buf_str(out, ",\"from\":");
	buf_json(out, slice_of(from(s, l)));
	buf_str(out, l->kind == SHOW_BLOCK ? ",\"inside\":[" : "}");
}

/* show_json - the same list; blocks have an array "inside" */
void
show_json(const struct show *s)
{
	struct buf out = BUF_INIT;
	bool first = true;

	buf_char(&out, '[');
	for (size_t i = 0; i < s->n; i++) {
		if (s->lines[i].kind == SHOW_END) {
			buf_str(&out, "]}");
			first = false;
			continue;
		}
		buf_str(&out, first ? "" : ",");
		put_line(s, &s->lines[i], &out);
		first = s->lines[i].kind == SHOW_BLOCK;
	}
	buf_char(&out, ']');
	printf("%.*s\n", SLICE_ARG(buf_slice(&out)));
	buf_free(&out);
}
