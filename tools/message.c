/*
 * message - see message.h.
 *
 * The MTA hands a milter each field as name and value, folds as LF, one space
 * behind the colon eaten.  Lines may end in LF or CRLF here.  A first line
 * "From " of a mailbox file is left out.  The size is counted as the gate
 * counts it: every line with CRLF, and the empty line after the headers whether
 * it is there or not.
 */
#include "tools/message.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define FILE_MAX	(256u << 20)

/* slurp - the whole file */
static int
slurp(const char *path, struct buf *out, struct why *why)
{
	FILE *in = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
	char chunk[1 << 14];
	size_t n;
	int ret = -1;

	if (in == NULL)
		return why_errno(why, "%s", path);
	while ((n = fread(chunk, 1, sizeof(chunk), in)) > 0 &&
	    out->len <= FILE_MAX)
		buf_add(out, chunk, n);
	if (ferror(in))
		(void)why_errno(why, "%s", path);
	else if (buf_failed(out) || out->len > FILE_MAX)
		(void)why_set(why, "%s: too large", path);
	else
		ret = 0;
	if (in != stdin)
		fclose(in);
	return ret;
}

/* message_line - cut the next line off; false at the end */
bool
message_line(struct slice *rest, struct slice *line)
{
	const char *end;

	if (rest->n == 0)
		return false;
	end = memchr(rest->p, '\n', rest->n);
	line->p = rest->p;
	line->n = end != NULL ? (size_t)(end - rest->p) : rest->n;
	*rest = slice_from(*rest, line->n + (end != NULL));
	if (line->n > 0 && line->p[line->n - 1] == '\r')
		line->n--;
	return true;
}

/* field_name - up to the colon; n == 0: it is no field */
static struct slice
field_name(struct slice line)
{
	const char *colon = memchr(line.p, ':', line.n);
	struct slice name = { line.p, 0 };
	size_t i;

	if (colon == NULL)
		return name;
	name.n = (size_t)(colon - line.p);
	for (i = 0; i < name.n; i++)
		if (name.p[i] < ' ' || name.p[i] > '~')
			return (struct slice){ line.p, 0 };
	while (name.n > 0 && name.p[name.n - 1] == ' ')
		name.n--;
	return memchr(name.p, ' ', name.n) == NULL ? name :
	    (struct slice){ line.p, 0 };
}

/* fold_add - a continuation line of the last value */
static int
fold_add(struct header_fact *last, struct slice line, struct arena *arena)
{
	const char *text = arena_printf(arena, "%.*s\n%.*s",
	    SLICE_ARG(last->value), SLICE_ARG(line));

	if (text == NULL)
		return -1;
	last->value = slice_of(text);
	return 0;
}

/* field_add - a field begins with this line */
static int
field_add(struct message_file *m, size_t *cap, struct slice line,
    struct slice name, struct arena *arena)
{
	const char *colon = memchr(line.p, ':', line.n);
	struct slice value = slice_from(line, (size_t)(colon - line.p) + 1);
	struct header_fact *to;

	if (m->nheaders == *cap) {
		*cap = *cap > 0 ? *cap * 2 : 32;
		to = arena_array(arena, *cap, sizeof(*to));
		if (to == NULL)
			return -1;
		if (m->nheaders > 0)
			memcpy(to, m->headers, m->nheaders * sizeof(*to));
		m->headers = to;
	}
	if (value.n > 0 && *value.p == ' ')
		value = slice_from(value, 1);
	to = &m->headers[m->nheaders++];
	to->name = arena_copy(arena, name);
	to->value = arena_copy(arena, value);
	return to->name.p != NULL && to->value.p != NULL ? 0 : -1;
}

/* fields - all of the head; -1 without memory */
static int
fields(struct slice *rest, struct arena *arena, struct message_file *m)
{
	struct slice line, name, before = *rest;
	size_t cap = 0;
	int done = 0;

	for (; message_line(rest, &line) && line.n > 0; before = *rest) {
		name = field_name(line);
		if (m->nheaders > 0 && (*line.p == ' ' || *line.p == '\t'))
			done = fold_add(&m->headers[m->nheaders - 1], line,
			    arena);
		else if (name.n > 0)
			done = field_add(m, &cap, line, name, arena);
		else if (m->nheaders == 0 && slice_starts(line,
		    SLICE("From ")))
			continue;
		else {
			*rest = before;	/* the body began without a gap */
			break;
		}
		if (done == -1)
			return -1;
		m->size += (int64_t)line.n + 2;
	}
	return 0;
}

/* message_read - the file, cut into fields */
int
message_read(const char *path, struct arena *arena, struct message_file *m,
    struct why *why)
{
	struct slice rest, line;

	memset(m, 0, sizeof(*m));
	if (slurp(path, &m->text, why) == -1)
		return -1;
	rest = buf_slice(&m->text);
	if (fields(&rest, arena, m) == -1)
		return why_kind(why, WHY_MEMORY, "%s: out of memory", path);
	m->body = rest;
	m->size += 2;
	while (message_line(&rest, &line))
		m->size += (int64_t)line.n + 2;
	return 0;
}

/* message_free - the text; the fields are the arena's */
void
message_free(struct message_file *m)
{
	buf_free(&m->text);
	m->body = SLICE_NONE;
}
