/*
 * journal - what units said, from the system's journal; the door to systemd's
 * library.
 *
 * Threads: one.
 */
#ifndef TOOLS_INGEST_JOURNAL_H
#define TOOLS_INGEST_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/slice.h"
#include "lib/why.h"

struct journal;

/* folder: of journal files; "": the journal of this machine.  cursor: as
 * journal_cursor wrote it; p NULL: from now on. Action. */
int	journal_open(struct journal **, const char *folder, const char *unit,
	    struct slice cursor, struct why *);
void	journal_close(struct journal *);		/* NULL allowed */
/* The next entry; slices live until the next call. Fetch. */
int	journal_next(struct journal *, struct slice *tag,
	    struct slice *message, int64_t *time, struct why *);
/* Behind the last entry taken; appended. false: none was. */
bool	journal_cursor(struct journal *, struct buf *);

#endif
