/*
 * gz - a file that may be packed by gzip, read from its beginning; the door
 * to zlib of the log's reader.
 *
 * What comes out is bounded by the caller, who asks for it piece by piece.
 * Threads: one.
 */
#ifndef TOOLS_INGEST_GZ_H
#define TOOLS_INGEST_GZ_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/why.h"

struct gz;

/* Takes the descriptor, whatever it returns. Action. */
int	 gz_open(struct gz **, int fd, struct why *);
/* Up to n unpacked bytes; 0 at the end; -1 damaged, or not all there yet. */
ssize_t	 gz_read(struct gz *, void *, size_t n, struct why *);
uint64_t gz_at(const struct gz *);	/* packed bytes read so far */
void	 gz_close(struct gz *);			/* NULL allowed */

#endif
