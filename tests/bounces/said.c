/*
 * said - what the reader of bounces finds in messages, a line per recipient:
 * file, number, form, action, domain, and the reply as it is classified.
 *
 *	said MESSAGE ...
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/parse.h"
#include "tools/ingest/dsn.h"
#include "tools/ingest/fields.h"

/* flat - no tab and no line end, or the columns would not be columns */
static void
flat(struct buf *b, struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		buf_char(b, (unsigned char)s.p[i] < ' ' ? ' ' : s.p[i]);
}

/* domain - of an address; "-" without one */
static struct slice
domain(struct slice address)
{
	const char *at = address.p != NULL ?
	    memrchr(address.p, '@', address.n) : NULL;

	return at == NULL ? SLICE("-") :
	    slice_from(address, (size_t)(at + 1 - address.p));
}

/* print - one recipient; the status goes before words that have no code */
static void
print(const char *name, size_t n, const struct dsn *dsn,
    const struct dsn_recipient *r)
{
	struct buf b = BUF_INIT;

	buf_printf(&b, "%s\t%zu\t%s\t%s\t", name, n, dsn_form_names[dsn->form],
	    dsn_action_names[r->action]);
	flat(&b, domain(r->address));
	buf_char(&b, '\t');
	if (!dsn_has_code(r->diagnostic)) {
		flat(&b, r->status);
		buf_char(&b, ' ');
	}
	flat(&b, r->diagnostic);
	buf_char(&b, '\n');
	fwrite(b.data, 1, b.len, stdout);
	buf_free(&b);
}

/* from_nobody - the envelope, as the last server wrote it down */
static bool
from_nobody(const struct mail *m, struct arena *arena)
{
	return slice_is(slice_trim(field_find(m->head, "Return-Path", arena)),
	    "<>");
}

/* read_one - one message */
static void
read_one(const char *path)
{
	struct arena *arena = arena_new(1 << 20, 0);
	const char *name = strrchr(path, '/');
	struct slice raw;
	struct mail mail;
	struct dsn dsn;
	struct why why;

	if (arena == NULL || parse_read(arena, path, &raw, &why) != 1)
		exit(1);
	if (mail_read(raw, arena, &mail, &why) == 0 &&
	    dsn_read(&mail, from_nobody(&mail, arena), arena, &dsn,
	    &why) == 1)
		for (size_t i = 0; i < dsn.n; i++)
			print(name != NULL ? name + 1 : path, i + 1, &dsn,
			    &dsn.list[i]);
	arena_free(arena);
}

int
main(int argc, char **argv)
{
	mail_init();
	for (int i = 1; i < argc; i++)
		read_one(argv[i]);
	return 0;
}
