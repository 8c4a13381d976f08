/*
 * decisions - see decisions.h.
 */
#include "tools/ingest/decisions.h"

#include <stdlib.h>

#include "lib/log.h"

enum { ROWS = 64 };

/* open_desk - fetch; said when it cannot be read */
static struct desk *
open_desk(struct decisions *d)
{
	char *dir = xasprintf("%s/desk", d->in->config->store);
	struct desk *desk = NULL;
	struct why why;
	int got = desk_open_read(&desk, dir, &why);

	if (got == -1 && !d->blind)
		log_error("%s: %s; what a person lifts does not count anew",
		    desk_kind_name(d->kind), why.text);
	d->blind = got == -1;
	free(dir);
	return desk;
}

/* decisions_follow - one that cannot be read is waited for */
int
decisions_follow(struct decisions *d, struct arena *arena, struct why *why)
{
	struct desk *desk = open_desk(d);
	struct desk_row rows[ROWS];
	struct why ignored;
	size_t got = ROWS;
	int rc = 0;

	while (desk != NULL && rc == 0 && got == ROWS) {
		if (desk_read(desk, d->seq + 1, ROWS, arena, rows, &got,
		    &ignored) == -1)
			break;
		for (size_t i = 0; rc == 0 && i < got; i++) {
			if (rows[i].record.kind == d->kind)
				rc = d->obey(d->with, &rows[i].record, why);
			if (rc == 0)
				d->seq = rows[i].record.seq;
		}
	}
	desk_close(desk);
	return rc;
}
