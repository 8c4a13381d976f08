/*
 * rollup_in - what the files of the rollup share; nobody else includes it.
 *
 * rollup.c: a batch, from the stores to the tables.  rollup_count.c: which
 * cell an event or an outcome counts in.  rollup_code.c: rows as bytes.
 * rollup_read.c: reading, and what is too old.
 */
#ifndef REPUTATION_ROLLUP_IN_H
#define REPUTATION_ROLLUP_IN_H

#include "lib/buf.h"
#include "lib/map.h"
#include "lib/mem.h"
#include "reputation/rollup.h"

#define ROLLUP_HOUR	(3600 * INT64_C(1000000))
#define ROLLUP_DAY	(24 * ROLLUP_HOUR)

enum { ROLLUP_NAMES = 7,	/* of a cell, and of a category's */
	ROLLUP_NAME = 255, ROLLUP_KEY = 4 + 16 };

/* A row to be, of either kind, with what is to be added to it. */
struct tallied {
	uint64_t	 hash;
	uint8_t		 key[ROLLUP_KEY];	/* made at the end */
	int32_t		 at;
	struct slice	 names[ROLLUP_NAMES];
	uint64_t	 n[];			/* TALLIES, or count and last */
};
enum { OF_COUNT, OF_LAST, OF_CATEGORY };

/* Rows under the names that they are about; open addressing. */
struct tally_table {
	struct tallied	**places;
	size_t		 size, n;	/* size: a power of two */
	size_t		 numbers;	/* in each row */
};

struct rollup {
	struct db	*db;
	struct arena	*arena;		/* rows of the batch */
	struct arena	*reading;	/* outcomes */
	struct tally_table hours, days, categories;
	uint64_t	 seed;
	size_t		 most_records, most_cells;
	struct buf	 key;		/* names one behind the other */
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

/* --- rollup_code.c ------------------------------------------------------- */
/* The key of a row; the names are hashed. */
void	rollup_key(int32_t at, const struct slice names[ROLLUP_NAMES],
	    struct buf *, uint8_t key[ROLLUP_KEY]);
/* Adds n to the row of that key in a table; a row of zeros goes. */
int	rollup_add(struct db_txn *, unsigned table,
	    const uint8_t key[ROLLUP_KEY],
	    const struct slice names[ROLLUP_NAMES], const uint64_t *n,
	    struct buf *, struct why *);
/* The names of cells in the order of keys. */
void	rollup_names(const struct cell *, struct slice names[ROLLUP_NAMES]);
bool	rollup_cell(struct slice key, struct slice value, struct cell *);
bool	rollup_category(struct slice key, struct slice value,
	    struct category_cell *);

/* --- rollup_read.c ------------------------------------------------------- */
int	rollup_resume(struct db *watch, struct why *);

#endif
