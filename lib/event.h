/*
 * event - what the gate did, as one record; the record is the durable charge.
 *
 * The byte format stands at the head of event.c; it is versioned and readers
 * refuse a newer version.  The sequence and the time are patched in by the
 * writer inside its transaction (fixed places at the head of the record).
 * Fields of a kind that does not use them are empty.
 * Ownership: slices borrow; event_decode borrows the bytes it was given and
 * takes arrays from the arena.   Threads: any.
 */
#ifndef LIB_EVENT_H
#define LIB_EVENT_H

#include <stdint.h>
#include "lib/buf.h"
#include "lib/hash.h"
#include "lib/mem.h"
#include "lib/slice.h"
#include "lib/why.h"

enum event_kind { EVENT_ACCEPT, EVENT_HOLD, EVENT_REFUSE, EVENT_DEFER,
	EVENT_DROP, EVENT_VOID, EVENT_RELEASE, EVENT_RELOAD, EVENT_WARMUP,
	EVENT_STATUS, EVENT_RESET };
extern const char *const event_kind_names[];	/* NULL-ended */

enum verdict { VERDICT_PASS, VERDICT_HOLD, VERDICT_DEFER, VERDICT_REFUSE,
	VERDICT_DROP };
extern const char *const verdict_names[];	/* NULL-ended */

/* Where in the SMTP dialogue it was decided. */
enum stage { STAGE_CONNECT, STAGE_MAIL, STAGE_RCPT, STAGE_HEADERS,
	STAGE_MESSAGE };
extern const char *const stage_names[];

/* HELD is no limit of a policy: how much waits for one in the hold queue. */
enum limit_kind { LIMIT_THROTTLE, LIMIT_CAP, LIMIT_OPEN, LIMIT_HELD };
extern const char *const limit_kind_names[];

/*
 * One charge to one counter.  Plain data: replay needs no policy.  key is
 * hash_128(kind, limit name, dimension values), never the number or the file.
 */
struct charge {
	uint8_t		key[16];
	uint8_t		kind;		/* enum limit_kind */
	uint8_t		shared;		/* the key spans several tenants */
	uint64_t	tenant;		/* id of the tenant that spends */
	int64_t		amount;		/* recipients, messages or bytes; of a
					   RESET: what is forgotten; below 0:
					   what a RELEASE gives back */
	int64_t		window;		/* cap: start, us; others: 0 */
	int64_t		window_end;	/* cap: end, us; others: 0 */
	int64_t		rate;		/* throttle: leaks rate per period us */
	int64_t		period;
	struct slice	name;		/* limit name, for eyes */
	struct slice	rule;		/* file:line */
};

struct event_recipient {
	struct slice	address;	/* local@domain as canonical text */
	struct slice	domain;
	struct slice	provider;
	bool		local;		/* delivered here: never charged */
	enum verdict	verdict;
	struct slice	rule;		/* file:line, empty for none */
};

struct event_signature {
	struct slice	domain, selector;
};

struct event {
	enum event_kind	 kind;
	uint64_t	 seq;		/* 0 until the writer gives it */
	int64_t		 time;		/* us UTC */
	struct slice	 instance;	/* which Postfix: milter's {daemon_name}
					   family or configured; may be empty */
	struct slice	 queue_id;
	struct slice	 group, tenant, login, listener;
	struct slice	 client;	/* address text */
	struct slice	 mail_from;	/* canonical text, "" for <> */
	struct slice	*from_domains;
	size_t		 nfrom_domains;
	struct slice	 stream, matched;	/* WARMUP: its key, in hex */
	struct slice	 campaign, pool, address;
	struct slice	 message_id;
	int64_t		 size;		/* bytes of the message as seen */
	uint32_t	 flags;		/* EVENT_LONG_LINES */
	uint8_t		 policy_hash[HASH_SHA256];
	struct event_signature *signatures;
	size_t		 nsignatures;
	enum verdict	 verdict;
	enum verdict	 would;		/* shadow: what was not said; or PASS */
	enum stage	 stage;
	struct slice	 rule;		/* file:line that made the verdict */
	struct slice	 reply;		/* text told to the client, refusals; or
					   what a shadow would have said */
	struct slice	 limit;		/* name of the limit, refusals by one */
	uint32_t	 count;		/* repeats in this record, >= 1 */
	struct charge	*charges;
	size_t		 ncharges;
	struct event_recipient *recipients;
	size_t		 nrecipients;
	uint64_t	 voids;		/* EVENT_VOID: seq it takes back;
					   RELEASE: of the hold it is about;
					   WARMUP: the decision before it */
	struct slice	 text;		/* RELOAD, STATUS, RESET: what happened;
					   WARMUP: policy/adapt_text.c */
	struct slice	 return_path;	/* MAIL FROM as it left, where the gate
					   wrote its own */
	uint64_t	 token;		/* id of the message's short token, or 0 */
};
#define EVENT_LONG_LINES	1u	/* signed lines over 998 bytes */
#define EVENT_NO_POSTAL		2u	/* bulk, without a postal address */
#define EVENT_OVERFLOW		4u	/* its own pool had no room: by the
					   overflow of that */
#define EVENT_UNOWNED		8u	/* refused: a sender that is not the
					   tenant's to use */

void	event_encode(const struct event *, struct buf *);
/* Patches an encoded event in place. */
void	event_stamp(struct slice encoded, uint64_t seq, int64_t time);
/* Both of an encoded event; false: it is none. */
bool	event_head(struct slice encoded, uint64_t *seq, int64_t *time);
int	event_decode(struct slice, struct event *, struct arena *,
	    struct why *);
/* The id that the index of tokens has for this record: of mail that went, or
 * 0. It stands at its end. */
uint64_t event_token(struct slice encoded);
/* Only the head and the charges, for replay: no arena for recipients. */
int	event_charges(struct slice, uint64_t *seq, int64_t *time,
	    enum event_kind *, uint64_t *voids, struct charge **, size_t *n,
	    struct arena *, struct why *);

/*
 * What is counted of an event (event_peek.c): no arena, and all else is
 * stepped over.  Slices borrow the record.
 */
struct event_peek {
	enum event_kind	 kind;
	enum verdict	 verdict;
	uint32_t	 flags, count;
	uint64_t	 seq, voids;
	int64_t		 time, size;
	struct slice	 group, tenant, domain, stream, pool, address;
						/* domain: the first of From */
	uint32_t	 recipients;		/* that are to come */
	const uint8_t	*at, *end;		/* private */
};
struct event_peek_recipient {
	bool		 local;
	enum verdict	 verdict;
	struct slice	 address, provider;
};
int	event_peek(struct slice, struct event_peek *, struct why *);
int	event_peek_next(struct event_peek *, struct event_peek_recipient *,
	    struct why *);					/* fetch */

/* One JSON object, no newline; keys as in penstock-events, all present. */
void	event_json(const struct event *, struct buf *);
/* us as RFC 3339 text, UTC, microseconds, without quotes. */
void	event_time(int64_t us, struct buf *);

#endif
