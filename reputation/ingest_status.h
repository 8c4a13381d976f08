/*
 * ingest_status - penstock-ingest's word about itself, for who asks.
 *
 * Kept in outcomes/ as the note INGEST_STATUS, written every few seconds.
 * Ownership: decoding borrows the bytes, the list lives in the arena.
 */
#ifndef REPUTATION_INGEST_STATUS_H
#define REPUTATION_INGEST_STATUS_H

#include <stdint.h>

#include "lib/buf.h"
#include "lib/mem.h"
#include "lib/why.h"

#define INGEST_STATUS	"status"

struct ingest_log {
	struct slice	name;		/* "file:/var/log/mail.log" */
	uint64_t	lines;		/* since the program started */
	uint64_t	rate;		/* a second, of late */
	uint64_t	done, size;	/* bytes of the file as it is */
	uint64_t	gaps, cut;
	int64_t		time;		/* us, of the last line; 0: none */
	struct slice	unread;		/* why it cannot be read; empty: it
					   can */
};

struct ingest_status {
	int64_t		pid;		/* 0: it was told to end, and did */
	int64_t		started, heartbeat;	/* us, wall clock */
	struct slice	version;
	struct ingest_log *logs;
	size_t		nlogs;
};

void	ingest_status_encode(const struct ingest_status *, struct buf *);
int	ingest_status_decode(struct slice, struct arena *,
	    struct ingest_status *, struct why *);

#endif
