/*
 * ingest - what the parts of penstock-ingest share: the store that they write,
 * the gate's that they read, the rules; and the log as one of the parts.
 *
 * The store is written by one thread, the main one, in short transactions.
 * Threads: one.
 */
#ifndef TOOLS_INGEST_INGEST_H
#define TOOLS_INGEST_INGEST_H

#include "lib/config.h"
#include "lib/store.h"
#include "reputation/backoff.h"
#include "reputation/classify.h"
#include "reputation/join.h"
#include "reputation/outcome.h"

struct ingest {
	const struct config	*config;
	struct outcomes		*outcomes;
	struct store		*gate;		/* NULL: there is none yet */
	struct classifier	*classifier;
	struct backoffs		*backoffs;
	struct join		*join;
	struct join_rules	 rules;
	struct logline_clock	 clock;
	int64_t			 gate_asked;	/* mono, when it was not there */
	bool			 no_room;	/* said already */
};

/* Everything but the store, which is opened here as its owner: WHY_BUSY when
 * somebody else has it. Threads come later, if at all. Action. */
int	ingest_open(struct ingest *, const struct config *, struct why *);
void	ingest_close(struct ingest *);
/* The rules of the classifier and of back-off anew; the old ones stay when
 * there is a mistake in the new ones, which is logged. */
void	ingest_reload(struct ingest *);
/* Opens the gate's store when it is there by now. Action. */
int	ingest_gate(struct ingest *, struct why *);

/* --- a log --------------------------------------------------------------- */
struct source;

/* Where the cursor in the store says, or from the beginning. */
int	source_file(struct source **, struct ingest *, const char *path,
	    struct why *);
int	source_journal(struct source **, struct ingest *, const char *unit,
	    struct why *);
/* A file or "-" as it is, to its end, without a cursor. */
int	source_once(struct source **, struct ingest *, const char *path,
	    struct why *);
void	source_free(struct source *);
const char *source_name(const struct source *);

/*
 * Reads, joins and commits until there is nothing more for now, or until some
 * 200 ms are over. Fetch: 1 there is more, 0 not, or no room on disk: what was
 * read is read again then. -1: the program cannot go on.
 */
int	source_pump(struct source *, struct why *);

struct source_stat {
	uint64_t lines, bytes, size, gaps, cut;	/* bytes of this file, done */
	uint64_t total;			/* bytes of lines taken, ever */
	int64_t	 time;			/* us, of the last line */
	const char *unread;		/* why it cannot be read; "": it can */
};
void	source_stat(const struct source *, struct source_stat *);

#endif
