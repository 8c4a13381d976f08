/*
 * happenings - what the gate asks of outcomes/ beside suppressions: how many
 * recipients of an open limit are final, whose a domain is as deliveries
 * taught it, which breakers are tripped, and who asks for less mail.
 *
 * penstock-ingest writes that store (reputation/outcome.h); the rows that both
 * sides know are described here.  A store that is not there yet says nothing.
 * One that is gone says nothing either: open limits fill up then, and it is
 * lib/suppress that defers mail.
 * Threads: any.
 */
#ifndef LIB_HAPPENINGS_H
#define LIB_HAPPENINGS_H

#include <stdbool.h>
#include <stdint.h>
#include "lib/buf.h"
#include "lib/db.h"

/* What the relays of a recipient domain said about its provider. */
struct learned {
	struct slice	domain, provider, relay;	/* relay: the host */
	int64_t		first, last;			/* us */
	uint64_t	count;
};
void	 learned_encode(const struct learned *, struct buf *);
/* Texts borrow the value. Action. */
int	 learned_decode(struct slice domain, struct slice value,
	    struct learned *, struct why *);

/*
 * A breaker that tripped: too much of one tenant's mail bounced.  The row says
 * when; that it was lifted is said by the desk alone (policy/orders.h), and the
 * later of both counts.
 */
struct trip {
	int64_t		time;		/* us, wall clock; 0: not yet */
	int64_t		floor;		/* what is not later does not count */
	uint64_t	bad, all;	/* when it tripped */
	int64_t		window;
	struct slice	tenant, stream, login, breaker, when;
};
void	 trip_encode(const struct trip *, struct buf *);
int	 trip_decode(struct slice, struct trip *, struct why *);
/* stream and login: 0, or hash_id of the name when it counts apart. */
#define TRIP_KEY	16
void	 trip_key(uint64_t tenant, struct slice breaker, uint64_t stream,
	    uint64_t login, uint8_t out[TRIP_KEY]);

/*
 * Back-off: a provider said, more often than a rule of backoff.conf bears, that
 * it wants less; of one tenant, or of one address of ours.  A row holds all
 * rules that were met there, each with what it has counted since; one that is
 * in force ends by itself.  reputation/backoff.h has the rules.
 */
enum backoff_action { BACKOFF_SLOW, BACKOFF_PAUSE };
extern const char *const backoff_action_names[];	/* NULL-ended */
#define BACKOFF_STEPS	20
#define BACKOFF_ENTRIES	32	/* rules of one row */
#define BACKOFF_REPLY	160	/* bytes of an answer that are kept */
#define BACKOFF_KEY	16
struct backoff_entry {
	struct slice	rule, place;	/* its name; "backoff.conf:12" */
	enum backoff_action action;
	int64_t		rate, period;	/* slow: so many in so many us */
	int64_t		since, until;	/* us, by the log; since 0: never yet */
	uint64_t	hits;		/* that made it so, */
	int64_t		window;		/* within so many us */
	struct slice	reply;		/* the last of them */
	int64_t		floor;		/* what is not later counts not */
	int64_t		last;		/* us, of the last that counted */
	int64_t		step, head;	/* us; number of the newest step */
	uint32_t	counts[BACKOFF_STEPS];
};
struct backoff_row {
	bool		address;	/* whose: an address, or a tenant */
	bool		domain;		/* to: a recipient domain of no known
					   provider, or a provider */
	struct slice	whose, to;
	size_t		n;
	struct backoff_entry entries[BACKOFF_ENTRIES];
};
void	 backoff_encode(const struct backoff_row *, struct buf *);
/* Texts borrow the bytes. */
int	 backoff_decode(struct slice, struct backoff_row *, struct why *);
/* id: hash_id("tenant", name) or hash_id("address", text). */
void	 backoff_key(bool address, uint64_t id, bool domain, struct slice to,
	    uint8_t out[BACKOFF_KEY]);
/* What mail to that domain is counted under: its provider, or, where nobody
 * knows one, the domain (lower case) itself: true. */
bool	 backoff_to(unsigned provider, struct slice domain, struct slice *to);

struct backoff_when {
	int64_t		now;		/* us */
	int64_t		lifted;		/* us: what began by then is over */
	int64_t		most;		/* us: how long one may last */
};
struct backoff {			/* the strictest that is in force */
	enum backoff_action action;
	int64_t		rate, period, since, until, window;
	uint64_t	hits;
	char		rule[65], place[128], reply[BACKOFF_REPLY + 1];
};
/* Does that entry hold then?  *until: its end, as far as it may last. */
bool	 backoff_holds(const struct backoff_entry *,
	    const struct backoff_when *, int64_t *until);
/* Fetch, of a row: a pause before slow, the later end, the lower rate. */
int	 backoff_strictest(const struct backoff_row *,
	    const struct backoff_when *, struct backoff *);

struct happenings;

/* root: the folder of the stores. Fails without memory only. */
int	 happenings_open(struct happenings **, const char *root, struct why *);
void	 happenings_close(struct happenings *);		/* NULL allowed */

/* Looks whether the store came, went or was replaced; the answers do so by
 * themselves once a second. */
void	 happenings_refresh(struct happenings *);

/* How many recipients became final, ever, of the counter of that key: for
 * ledger_finals.  0 when nobody knows, so that a limit rather stays full. */
int64_t	 happenings_finals(void *happenings, const uint8_t key[16]);
/* Fetch: did it ever trip?  *trip has no texts then. */
int	 happenings_trip(struct happenings *, const uint8_t key[TRIP_KEY],
	    struct trip *);
/* Fetch: does mail of that key have to go slower, or wait? */
int	 happenings_backoff(struct happenings *,
	    const uint8_t key[BACKOFF_KEY], const struct backoff_when *,
	    struct backoff *);
/* Index of the provider that deliveries taught of a domain (lower case), or
 * PROVIDER_UNRESOLVED. provider_init comes first. */
unsigned happenings_provider(struct happenings *, struct slice domain);

#endif
