/*
 * unpack - gzip, zip or neither, poured into a sink: a door to zlib.
 *
 * For attachments of strangers: what comes out is bounded, and by how much it
 * may be more than what went in.  Memory is a window and a buffer, whatever
 * the attachment says of itself.   Threads: any.
 */
#ifndef TOOLS_INGEST_UNPACK_H
#define TOOLS_INGEST_UNPACK_H

#include <stddef.h>
#include "lib/slice.h"
#include "lib/why.h"

#define UNPACK_IN	((size_t)10 << 20)	/* bytes of an attachment */
#define UNPACK_OUT	((size_t)64 << 20)	/* bytes that come out */
#define UNPACK_RATIO	200u	/* times, counted beyond UNPACK_FREE bytes */
#define UNPACK_FREE	((size_t)1 << 20)

/* Gets the bytes in pieces. Action: -1 ends the pouring. */
typedef int (*unpack_sink)(void *, const void *, size_t, struct why *);

/* Told apart by their first bytes.  Of a zip the first file counts. Action. */
int	unpack(struct slice, unpack_sink, void *, struct why *);

#endif
