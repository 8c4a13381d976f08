/*
 * suppress - who must not get mail, of which list, tenant, group or of anyone.
 *
 * Three stores have a table "suppressions" of one shape, described at the head
 * of suppress.c: outcomes/ (bounces, complaints), consent/ (unsubscribes) and
 * desk/ (operators).  Each is written by its owner through suppress_add or
 * suppress_merge, under the hash of the folded address; the gate reads all
 * three.  An entry suppresses or lifts; for one scope the later word counts,
 * see suppress_judge.
 * Times are microseconds since 1970 UTC.  fold_init (lib/fold.h) comes first.
 * Threads: a struct suppress is for any; suppress_add writes in the caller's
 * transaction.
 */
#ifndef LIB_SUPPRESS_H
#define LIB_SUPPRESS_H

#include <stdbool.h>
#include <stdint.h>
#include "lib/db.h"
#include "lib/fold.h"
#include "lib/mem.h"
#include "lib/wire.h"

#define SUPPRESS_TABLE	"suppressions"	/* a name in the owner's db_layout */
#define SUPPRESS_SOURCE	64		/* bytes kept of source and of note */
#define SUPPRESS_NOTE	256
#define SUPPRESS_ENTRIES 4096		/* of one address in one store */

enum suppress_store { SUPPRESS_OUTCOMES, SUPPRESS_CONSENT, SUPPRESS_DESK,
	SUPPRESS_STORES };
extern const char *const suppress_store_names[];	/* "outcomes", ... */

enum suppress_scope {			/* from narrow to wide */
	SUPPRESS_LIST,			/* id: token_list(tenant, stream) */
	SUPPRESS_TENANT,		/* id: hash_id("tenant", name) */
	SUPPRESS_GROUP,			/* id: hash_id("group", name) */
	SUPPRESS_PLATFORM,		/* id: 0 */
	SUPPRESS_SCOPES
};
extern const char *const suppress_scope_names[];	/* "list", ... */

enum suppress_reason {			/* numbers are stored: add at the end */
	SUPPRESS_UNSUBSCRIBE, SUPPRESS_HARD_BOUNCE, SUPPRESS_COMPLAINT,
	SUPPRESS_INVALID, SUPPRESS_MANUAL, SUPPRESS_IMPORT, SUPPRESS_TRAP,
	SUPPRESS_ERASURE, SUPPRESS_REASONS
};
extern const char *const suppress_reason_names[];	/* "unsubscribe", ... */
/* Takes an operator --force to lift: the address or the law says no. */
bool	suppress_is_firm(enum suppress_reason);

struct suppress_entry {
	enum suppress_scope	scope;
	enum suppress_reason	reason;
	bool			lift;	/* mail may flow again */
	uint64_t		id;	/* of the scope */
	int64_t			date;	/* since when */
	int64_t			expires; /* 0: never */
	struct slice		source;	/* "one-click", "dsn", "acme.csv" */
	struct slice		note;	/* for people; may be empty */
};

struct suppress_record {		/* one address in one store */
	unsigned		 rules;	/* fold_version() of its key */
	struct slice		 address; /* as it came, local@domain */
	struct suppress_entry	*list;
	size_t			 n;
	uint8_t			 key[FOLD_HASH]; /* suppress_page fills it */
};

void	suppress_encode(const struct suppress_record *, struct buf *);
/* Slices borrow the bytes, the list lives in the arena. Action. */
int	suppress_decode(struct slice, struct arena *, struct suppress_record *,
	    struct why *);

/*
 * suppress_merge - one entry more for an address.  old: the row of that store,
 * p == NULL: none.  An entry of the same scope, id and reason is replaced when
 * it is older; a suppression or lift that the new one outdates within this
 * store goes.  1: out, which was empty, holds the new row; 0: the old one says
 * so already (an equal or later word stands); -1.
 */
int	suppress_merge(struct slice old, struct slice address,
	    const struct suppress_entry *, struct arena *, struct buf *out,
	    struct why *);
/* The same, read from and written to the owner's table. */
int	suppress_add(struct db_txn *, unsigned table, const struct folded *,
	    struct slice address, const struct suppress_entry *,
	    struct arena *, struct why *);

struct suppress_who {			/* the mail in question */
	uint64_t	list, tenant, group;	/* 0: there is none */
	bool		bulk;		/* priority of the stream */
	int64_t		now;
	bool		complained;	/* a complaint binds all its mail,
					   not bulk alone */
};

struct suppress_hit {
	enum suppress_store	store;
	enum suppress_scope	scope;
	enum suppress_reason	reason;
	uint64_t		id;
	int64_t			date, expires;
	char			source[SUPPRESS_SOURCE + 1];
};

/*
 * suppress_judge - what three records (as stored; p == NULL: none) say.  An
 * entry stands unless it expired, or a later lift of the same scope and id
 * covers it: one of desk/ covers all, one of consent/ unsubscribes (a press on
 * "resubscribe" proves no mailbox), one of outcomes/ what stands in outcomes/.
 * An unsubscribe of a list binds that list; a wider one binds bulk mail, and so
 * does a complaint, unless "complained" is set; all other reasons bind all
 * mail.  The widest that stands is told.
 * Fetch: 1 suppressed, 0 not, -1 a record is damaged.
 */
int	suppress_judge(const struct slice records[SUPPRESS_STORES],
	    const struct suppress_who *, struct suppress_hit *, struct why *);

/* What becomes of one entry, beside all that three decoded records say: it
 * stands, a later word lifted it, its time is over, or it is itself a lift. */
enum suppress_state { SUPPRESS_STANDS, SUPPRESS_LIFTED, SUPPRESS_EXPIRED,
	SUPPRESS_LIFTS };
enum suppress_state suppress_state(
	    const struct suppress_record records[SUPPRESS_STORES],
	    enum suppress_store, const struct suppress_entry *, int64_t now);
/* Now, or just behind the latest word of these records on that scope and id:
 * the date of a decision that must hold whatever the clock did. */
int64_t	suppress_date(const struct suppress_record records[SUPPRESS_STORES],
	    enum suppress_scope, uint64_t id, int64_t now);

struct suppress;

/* root: the folder of the stores.  seen: stores (bit 1 << suppress_store) that
 * were there once, from suppress_seen of an earlier life: one of them missing
 * is an error of each check, not an empty list.  Fails without memory only. */
int	suppress_open(struct suppress **, const char *root, unsigned seen,
	    struct why *);
void	suppress_close(struct suppress *);		/* NULL allowed */
unsigned suppress_seen(struct suppress *);
/* Looks which stores came, went or were replaced. suppress_check does so by
 * itself once a second. Action: -1 while one cannot be read. */
int	suppress_refresh(struct suppress *, struct why *);
/* Fetch: 1 suppressed (*hit), 0 not, -1 nobody knows: 451. */
int	suppress_check(struct suppress *, const uint8_t hash[FOLD_HASH],
	    const struct suppress_who *, struct suppress_hit *, struct why *);
/* All there is of one address, for people; n == 0 where there is nothing.
 * Copies into the arena. Fetch. */
int	suppress_find(struct suppress *, const uint8_t hash[FOLD_HASH],
	    struct arena *, struct suppress_record out[SUPPRESS_STORES],
	    struct why *);
/* Up to max records of a store behind key (begun false: the first), in one
 * transaction; key moves to the last. How many, 0 at the end, -1.  Copies into
 * the arena. */
long	suppress_page(struct suppress *, enum suppress_store,
	    uint8_t key[FOLD_HASH], bool *begun, struct arena *,
	    struct suppress_record *out, size_t max, struct why *);

#endif
