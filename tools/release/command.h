/*
 * command - runs a program of Postfix and waits for it.
 *
 * By path and vector, never through a shell; with a file or nothing as its
 * input; what it prints is kept, a few kilobytes of it, and printed by nobody
 * else.  It has a minute and is killed then.  Its environment is ours.
 * For a process without threads and without LMDB: it forks.
 */
#ifndef TOOLS_RELEASE_COMMAND_H
#define TOOLS_RELEASE_COMMAND_H

#include "lib/buf.h"
#include "lib/why.h"

/* A nameless file with these bytes, to be read from the start; -1. */
int	command_file(struct slice, struct why *);
/* in: -1 for none.  out NULL: as err.  -1: it could not be run to its end.
 * *status: its exit status; 128 and more: the signal that ended it. */
int	command_run(char *const *argv, int in, struct buf *out,
	    struct buf *err, int *status, struct why *);

#endif
