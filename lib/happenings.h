/*
 * happenings - what the gate asks of outcomes/ beside suppressions: how many
 * recipients of an open limit are final, whose a domain is as deliveries
 * taught it, and which breakers are tripped.
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
/* Index of the provider that deliveries taught of a domain (lower case), or
 * PROVIDER_UNRESOLVED. provider_init comes first. */
unsigned happenings_provider(struct happenings *, struct slice domain);

#endif
