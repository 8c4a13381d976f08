/*
 * fuzz parse - any bytes as a .conf file.  Every place lies in the file, every
 * problem can be shown to a person, no arena grows over its limit, and a file
 * without a mistake, written out again, is read as the same tree.
 *
 * The first byte chooses the memory: even, as much as it takes.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/keyword.h"
#include "lib/parse.h"
#include "lib/text.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const char	 file[] = "fuzz.conf";
static const char	*text;		/* what is being read */
static size_t		 length;

/* must - stop where the fuzzer sees it */
static void
must(bool fine)
{
	if (!fine)
		abort();
}

/* inside - does the place lie in the text, or just behind its last byte? */
static void
inside(struct place at)
{
	const char *p = text, *end = text + length, *newline;
	unsigned line;

	must(at.file == file && at.line >= 1 && at.col >= 1);
	for (line = 1; line < at.line; line++) {
		newline = memchr(p, '\n', (size_t)(end - p));
		must(newline != NULL);
		p = newline + 1;
	}
	newline = memchr(p, '\n', (size_t)(end - p));
	must(at.col - 1 <= (size_t)((newline != NULL ? newline : end) - p));
}

/* value - what every value promises; written out again */
static void
value(const struct value *v, enum value_type type, struct buf *out)
{
	size_t i;

	inside(v->at);
	must(v->type == type);
	if (type == VALUE_SET) {
		must(v->nitems == 0 || v->items != NULL);
		buf_char(out, '{');
		for (i = 0; i < v->nitems; i++) {
			if (i > 0)
				buf_char(out, ',');
			value(&v->items[i], VALUE_STRING, out);
		}
		buf_str(out, "}");
		return;
	}
	must(v->text.p != NULL);
	if (type == VALUE_NUMBER) {
		buf_slices(out, v->text);
		return;
	}
	buf_char(out, '"');
	for (i = 0; i < v->text.n; i++) {
		if (v->text.p[i] == '"' || v->text.p[i] == '\\')
			buf_char(out, '\\');
		buf_char(out, v->text.p[i]);
	}
	buf_char(out, '"');
}

/* tree - what every node promises; written out again */
static void
tree(const struct node *n, int depth, struct buf *out)
{
	size_t i;

	must(depth <= PARSE_DEPTH_MAX);
	for (; n != NULL; n = n->next) {
		inside(n->at);
		must(n->name.n > 0 && n->name.p[n->name.n] == '\0');
		buf_slices(out, n->name);
		if (n->type != NODE_BLOCK) {
			must((n->type == NODE_INCLUDE) ==
			    slice_is(n->name, "include"));
			buf_char(out, n->type == NODE_SETTING ? '=' : ' ');
			value(&n->value, n->type == NODE_INCLUDE ?
			    VALUE_STRING : n->value.type, out);
			buf_char(out, '\n');
			continue;
		}
		must(n->ntitles <= PARSE_TITLES_MAX);
		for (i = 0; i < n->ntitles; i++)
			value(&n->titles[i], VALUE_STRING, out);
		buf_char(out, '{');
		tree(n->child, depth + 1, out);
		buf_str(out, "}\n");
	}
}

/* readable - problems have a place and a text that harms no terminal */
static void
readable(const struct problems *problems)
{
	const struct problem *p;
	unsigned n = 0;
	size_t i, left;

	for (p = problems->first; p != NULL; p = p->next, n++) {
		inside(p->at);
		left = strlen(p->text);
		must(left > 0);
		for (i = 0; i < left; i++)
			must((unsigned char)p->text[i] >= ' ' &&
			    p->text[i] != 0x7f);
		for (i = 0; i < left; i += text_utf8(p->text + i, left - i))
			must(text_utf8(p->text + i, left - i) > 0);
		if (p->next != NULL)
			must(p->at.line < p->next->at.line ||
			    (p->at.line == p->next->at.line &&
			    p->at.col <= p->next->at.col));
	}
	must(n <= problems->errors + problems->warnings);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct buf first = BUF_INIT, second = BUF_INIT;
	struct arena *arena = NULL;
	struct problems problems;
	struct node *root;
	size_t limit;

	if (n == 0)
		return 0;
	limit = data[0] % 2 == 0 ? 0 : 64 + (size_t)data[0] * 64;
	text = (const char *)data + 1;
	length = n - 1;
	arena = arena_new(64, limit);
	must(arena != NULL);
	problems_init(&problems, arena);
	root = parse_text(arena, file, (struct slice){ text, length },
	    &problems);
	tree(root, 0, &first);
	must(limit == 0 || arena_used(arena) <= limit);
	if (limit == 0 && problems.errors == 0) {
		text = first.data;
		length = first.len;
		root = parse_text(arena, file, buf_slice(&first), &problems);
		must(problems.errors == 0);
		tree(root, 0, &second);
		must(slice_eq(buf_slice(&first), buf_slice(&second)));
	} else {
		keyword_duplicates(root, &problems);
		problems_sort(&problems);
		readable(&problems);
	}
	arena_free(arena);
	buf_free(&first);
	buf_free(&second);
	return 0;
}
