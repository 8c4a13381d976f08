/*
 * follow_in - what follow.c (lines) and follow_find.c (which file) share;
 * nobody else includes it.
 */
#ifndef TOOLS_INGEST_FOLLOW_IN_H
#define TOOLS_INGEST_FOLLOW_IN_H

#include "tools/ingest/follow.h"
#include "tools/ingest/gz.h"

#define FOLLOW_PRINT	256	/* bytes at each end that are compared */

/* Which bytes of which content are done. */
struct follow_mark {
	uint64_t	dev, ino;	/* where it was: only a hint */
	uint64_t	offset;		/* of the unpacked content */
	char		head[FOLLOW_PRINT];	/* its first bytes */
	char		tail[FOLLOW_PRINT];	/* the last ones before offset,
						   fewer when it is less */
};

/* A file that is open for reading. */
struct follow_file {
	int		fd;		/* -1: none, or packed */
	struct gz	*gz;
	char		*path;		/* as found */
	uint64_t	dev, ino;
	uint64_t	size;		/* on disk */
	int64_t		mtime;		/* us */
	bool		live;		/* under its own name */
	bool		damaged;	/* packed, and no more comes out of it */
};

/* Packed files that could not be read to their end: each is said once. */
struct follow_bad {
	uint64_t	ino[8];		/* of the last ones, in turn */
	size_t		n;
	char		text[512];	/* of the last one */
	bool		fresh;		/* nobody took it yet */
};
void	follow_bad_add(struct follow_bad *, const struct follow_file *,
	    const struct why *);

void	follow_file_close(struct follow_file *);
/* By name. Fetch: 0 there is none. */
int	follow_file_open(struct follow_file *, const char *path, bool live,
	    struct why *);
/* Does it hold what was marked?  Leaves a packed file behind those bytes,
 * a plain one for pread. Fetch: 1 it does, 0 not. */
int	follow_file_matches(struct follow_file *, const struct follow_mark *,
	    struct why *);
/*
 * The file that holds what was marked, behind those bytes; *next says that it
 * is done and names the one after it instead.  path: of the live one. Fetch:
 * 0 it is nowhere: then the oldest there is, from its beginning.
 */
int	follow_find(const char *path, const struct follow_mark *, bool next,
	    struct follow_file *, struct follow_bad *, struct why *);

#endif
