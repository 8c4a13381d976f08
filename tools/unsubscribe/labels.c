/*
 * labels - a sorted array; a line that makes no sense is passed over, since a
 * page without a name is better than none.
 */
#include "tools/unsubscribe/labels.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "lib/parse.h"
#include "lib/text.h"

enum { NAME_MAX_BYTES = 200 };

struct label {
	uint64_t	id;
	bool		tenant;
	struct slice	name;
};

struct labels {
	struct arena	*arena;
	struct label	*list;
	size_t		 n;
};

/* compare - by kind and id */
static int
compare(const void *va, const void *vb)
{
	const struct label *a = va, *b = vb;

	if (a->tenant != b->tenant)
		return a->tenant ? -1 : 1;
	return a->id < b->id ? -1 : a->id > b->id;
}

/* word - up to the next blank; rest begins behind the blanks */
static struct slice
word(struct slice *rest)
{
	size_t n = 0;
	struct slice w;

	while (n < rest->n && rest->p[n] != ' ' && rest->p[n] != '\t')
		n++;
	w = (struct slice){ rest->p, n };
	*rest = slice_trim(slice_from(*rest, n));
	return w;
}

/* read_id - 16 hex digits */
static bool
read_id(struct slice text, uint64_t *id)
{
	if (text.n != 16)
		return false;
	*id = 0;
	for (size_t i = 0; i < 16; i++) {
		char c = text.p[i];

		if (c >= '0' && c <= '9')
			*id = *id << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			*id = *id << 4 | (uint64_t)(c - 'a' + 10);
		else
			return false;
	}
	return true;
}

/* is_name - text that a page can show */
static bool
is_name(struct slice text)
{
	size_t n;

	if (text.n == 0 || text.n > NAME_MAX_BYTES)
		return false;
	for (size_t i = 0; i < text.n; i += n) {
		n = text_utf8(text.p + i, text.n - i);
		if (n == 0 || (unsigned char)text.p[i] < 0x20 ||
		    text.p[i] == 0x7f)
			return false;
	}
	return true;
}

/* read_line - "tenant ID NAME" */
static void
read_line(struct labels *labels, struct slice rest)
{
	struct slice kind = word(&rest), id = word(&rest);
	struct label *l = &labels->list[labels->n];

	l->tenant = slice_is(kind, "tenant");
	l->name = rest;
	if ((l->tenant || slice_is(kind, "list")) && read_id(id, &l->id) &&
	    is_name(rest))
		labels->n++;
}

/* read_text - room for every line, then the lines */
static int
read_text(struct labels *labels, struct slice text)
{
	size_t lines = 1;

	for (size_t i = 0; i < text.n; i++)
		lines += text.p[i] == '\n';
	labels->list = arena_array(labels->arena, lines, sizeof(struct label));
	if (labels->list == NULL)
		return -1;
	while (text.n > 0) {
		const char *end = memchr(text.p, '\n', text.n);
		size_t n = end != NULL ? (size_t)(end - text.p) : text.n;

		read_line(labels, slice_trim((struct slice){ text.p, n }));
		text = slice_from(text, n + (end != NULL));
	}
	qsort(labels->list, labels->n, sizeof(struct label), compare);
	return 0;
}

/* labels_load - the file as it is now */
int
labels_load(struct labels **out, const char *path, struct why *why)
{
	struct labels *labels = calloc(1, sizeof(*labels));
	struct slice text;
	int rc = -1;

	*out = NULL;
	if (labels == NULL || (labels->arena = arena_new(4096, 0)) == NULL) {
		why_kind(why, WHY_MEMORY, "%s: no memory", path);
		goto out;
	}
	if ((rc = parse_read(labels->arena, path, &text, why)) != 1)
		goto out;
	if (read_text(labels, text) == -1) {
		rc = why_kind(why, WHY_MEMORY, "%s: no memory", path);
		goto out;
	}
	*out = labels;
	labels = NULL;
out:
	labels_free(labels);
	return rc;
}

/* labels_free - NULL is allowed */
void
labels_free(struct labels *labels)
{
	if (labels == NULL)
		return;
	arena_free(labels->arena);
	free(labels);
}

/* find - the name of one */
static struct slice
find(const struct labels *labels, bool tenant, uint64_t id)
{
	struct label key = { id, tenant, SLICE_NONE }, *found;

	if (labels == NULL)
		return SLICE_NONE;
	found = bsearch(&key, labels->list, labels->n, sizeof(key), compare);
	return found != NULL ? found->name : SLICE_NONE;
}

/* labels_tenant - or nothing */
struct slice
labels_tenant(const struct labels *labels, uint64_t id)
{
	return find(labels, true, id);
}

/* labels_list - or nothing */
struct slice
labels_list(const struct labels *labels, uint64_t id)
{
	return find(labels, false, id);
}
