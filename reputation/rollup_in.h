/*
 * rollup_in - what the files of the rollup share; nobody else includes it.
 *
 * rollup.c: a batch, from the stores to the tables.  rollup_count.c: which
 * cell an event or an outcome counts in.  rollup_code.c: rows as bytes.
 * rollup_read.c: reading, and what is too old.
 */
#ifndef REPUTATION_ROLLUP_IN_H
#define REPUTATION_ROLLUP_IN_H

#include <string.h>

#include "lib/buf.h"
#include "lib/mem.h"
#include "reputation/rollup.h"

#define ROLLUP_HOUR	(3600 * INT64_C(1000000))
#define ROLLUP_DAY	(24 * ROLLUP_HOUR)

enum { ROLLUP_NAMES = 7,	/* of a cell, and of a category's */
	ROLLUP_NAME = 255, ROLLUP_PACKED = ROLLUP_NAMES * (1 + ROLLUP_NAME),
	ROLLUP_KEY = 4 + 16 };

/*
 * A row to be, of either kind, with what is to be added to it.  Its names
 * stand packed behind its numbers, as they are in the value.
 */
struct tallied {
	uint64_t	 hash;
	int32_t		 at;
	uint32_t	 nnames;		/* bytes */
	const char	*names;
	uint8_t		 key[ROLLUP_KEY];	/* made at the end */
	uint64_t	 n[];			/* TALLIES, or count and last */
};
enum { OF_COUNT, OF_LAST, OF_CATEGORY };

/*
 * Rows, and where to find them by their names (open addressing).  Those of
 * hours that are over are retired: in the list, and not found any more, so
 * that what is searched stays small.  One may come twice then; both are added.
 */
struct tally_table {
	struct tallied	**rows;
	size_t		 n, room;
	struct tally_place {
		uint64_t	 hash;
		struct tallied	*row;	/* NULL: free */
	}		*places;
	size_t		 size, used;	/* size: a power of two */
	size_t		 numbers;	/* in each row */
	int32_t		 newest;	/* hour of a row */
};

struct rollup {
	struct db	*db;
	struct arena	*arena;		/* rows of the batch */
	struct arena	*reading;	/* outcomes */
	struct tally_table hours, days, categories, category_hours;
	uint64_t	 seed;
	size_t		 most_records, most_cells;
	struct buf	 value;
	struct tallied	*last;		/* cell of the last record */
	struct senders	*senders;	/* of events that outcomes are about */
	char		 provider[64];	/* asked last: does it report? */
	size_t		 nprovider;
	bool		 reports;
};

/* --- rollup_count.c ------------------------------------------------------ */
int	rollup_event(struct rollup *, struct store_walk *,
	    struct slice encoded, struct why *);
int	rollup_outcome(struct rollup *, struct store_walk *,
	    const struct outcome *, struct why *);
struct senders *rollup_senders_new(void);
void	rollup_senders_free(struct senders *);
/* Hours to days, at the end of a batch. */
int	rollup_fold(struct rollup *, struct why *);
int	rollup_table_new(struct tally_table *, size_t numbers);
void	rollup_table_empty(struct tally_table *);
void	rollup_table_free(struct tally_table *);

/* --- rollup_code.c ------------------------------------------------------- */
/* Names as they stand in a value; room has ROLLUP_PACKED bytes. */
struct slice rollup_pack(const struct slice names[ROLLUP_NAMES], char *room);
/* One more behind those that are in room; where it ends. */
static inline size_t
rollup_pack_one(char *room, size_t at, struct slice s)
{
	size_t n = s.n < ROLLUP_NAME ? s.n : ROLLUP_NAME;

	room[at] = (char)n;
	if (n > 0)
		memcpy(room + at + 1, s.p, n);
	return at + 1 + n;
}
/* The key of a row; the names, packed, are hashed. */
void	rollup_key(int32_t at, struct slice packed, uint8_t key[ROLLUP_KEY]);
/* Adds n to the row of that key in a table; a row of zeros goes. */
int	rollup_add(struct db_txn *, unsigned table,
	    const uint8_t key[ROLLUP_KEY], struct slice packed,
	    const uint64_t *n, struct buf *, struct why *);
/* The same behind all rows that are there: nothing is looked up. */
int	rollup_append(struct db_txn *, unsigned table,
	    const uint8_t key[ROLLUP_KEY], struct slice packed,
	    const uint64_t *n, struct buf *, struct why *);
/* The names of cells in the order of keys. */
void	rollup_names(const struct cell *, struct slice names[ROLLUP_NAMES]);
bool	rollup_cell(struct slice key, struct slice value, struct cell *);
bool	rollup_category(struct slice key, struct slice value,
	    struct category_cell *);

/* --- rollup_read.c ------------------------------------------------------- */
int	rollup_resume(struct db *watch, struct why *);

#endif
