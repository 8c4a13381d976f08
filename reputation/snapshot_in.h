/*
 * snapshot_in - what the files of snapshot share; nobody else includes it.
 *
 * snapshot.c: the set of rows, which importer reads what, days that are
 * missing.  snapshot_text.c: texts and figures of strangers.
 * snapshot_google.c, snapshot_snds.c (CSV and JSON to rows of names,
 * snapshot_snds_row.c what they mean), snapshot_dnsbl.c, snapshot_csv.c: an
 * importer each.  snapshot_store.c: rows as bytes.
 */
#ifndef REPUTATION_SNAPSHOT_IN_H
#define REPUTATION_SNAPSHOT_IN_H

#include "lib/csv.h"
#include "reputation/jdoc.h"
#include "reputation/snapshot.h"

struct snapshot_item {
	struct snapshot	 row;
	bool		 daily;		/* one of a series of days */
	bool		 paged;		/* of an answer in pages */
	size_t		 order;		/* as they came */
};

struct snapshot_set {
	struct arena	*arena;
	struct snapshot_ask ask;
	struct snapshot_item *items;
	size_t		 n, cap;
	struct snapshot	*rows;		/* at the end */
	size_t		 nrows;
	int32_t		 day;		/* taken */
	uint8_t		 raw[HASH_SHA256];	/* of what is being read */
	size_t		 pages, open;	/* of Google; those with a token */
	struct slice	 token;
	size_t		 refused;
	char		 first[300];	/* sentence about the first of them */
	bool		 failed;	/* no memory, or too many rows */
	struct buf	 scratch;
	struct snapshot_item nobody;	/* written where no room is */
};

/* A row with no value yet, AVAILABLE, of the day it was taken; never NULL: when
 * there is no room it is one that nobody will see, and the set has failed.
 * Texts are copied, made harmless, and cut where they are too long. */
struct snapshot_item *snapshot_add(struct snapshot_set *, const char *type,
	    struct slice subject, struct slice metric);
/* A row about all that was read. */
void	snapshot_whole(struct snapshot_set *, enum snapshot_state,
	    const char *, ...) __attribute__((format(printf, 3, 4)));
/* State and note of a row; its value is taken off unless AVAILABLE. */
void	snapshot_say(struct snapshot_set *, struct snapshot_item *,
	    enum snapshot_state, const char *, ...)
	    __attribute__((format(printf, 4, 5)));
void	snapshot_note(struct snapshot_set *, struct snapshot_item *,
	    struct slice);
/* A text as value. */
void	snapshot_value(struct snapshot_set *, struct snapshot_item *,
	    struct slice value, const char *unit);
/* 0 to 1, or it is API_ERROR; a whole number, likewise. */
void	snapshot_share(struct snapshot_set *, struct snapshot_item *, double);
void	snapshot_count(struct snapshot_set *, struct snapshot_item *,
	    int64_t);

/* --- snapshot_text.c ------------------------------------------------------ */
/* Made harmless and cut; in the arena. Absent: no memory. */
struct slice snapshot_text(struct arena *, struct slice, size_t most);
/* A plain decimal number, all of it. */
bool	snapshot_number(struct slice, double *);
/* An address in its one form; false: it is none. */
bool	snapshot_address(struct slice, char out[64]);
/* A domain in lower case, without a final dot; false: it is none. */
bool	snapshot_domain(struct slice, char out[256]);
/* "2026-08-03", "20260803", "8/3/2026", each with a time behind it or not
 * ("9:00 PM", "T21:00:00Z"): the day. */
bool	snapshot_day(struct slice, int32_t *);
/* SomeName, SOME_NAME, "some name" -> some_name */
void	snapshot_name(struct slice, char *out, size_t room);
/* Is it HTML? A console that wants somebody to sign in says it like that. */
bool	snapshot_is_html(struct slice);
/* "Access denied", "invalid key", ...: it is about a right that we lack. */
bool	snapshot_denied(struct slice);
/* Bytes as csv_new reads them. */
struct snapshot_bytes { struct slice rest; };
ssize_t	snapshot_give(void *, void *, size_t);

/* --- one for each provider ------------------------------------------------ */
void	snapshot_google(struct snapshot_set *, struct slice);
void	snapshot_google_end(struct snapshot_set *);
void	snapshot_snds(struct snapshot_set *, struct slice);
void	snapshot_dnsbl(struct snapshot_set *, struct slice);
/* Is the first line the header of our own columns? */
bool	snapshot_is_csv(struct slice);
void	snapshot_csv(struct snapshot_set *, struct slice);

/* snapshot_snds.c finds fields, snapshot_snds_row.c makes rows of them. */
enum snds_field { SNDS_ADDRESS, SNDS_LAST, SNDS_START, SNDS_END, SNDS_PERIOD,
	SNDS_RCPT, SNDS_DATA, SNDS_MESSAGES, SNDS_RESULT, SNDS_COMPLAINTS,
	SNDS_TRAPS, SNDS_HELO, SNDS_SENDER, SNDS_COMMENTS, SNDS_BLOCKED,
	SNDS_REASON, SNDS_IGNORED, SNDS_FIELDS };
struct snds_row { struct slice f[SNDS_FIELDS]; };	/* absent: no such */
void	snapshot_snds_row(struct snapshot_set *, const struct snds_row *);

#endif
