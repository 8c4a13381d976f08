/*
 * replay_pages - the events of the store in their order, some ahead.
 *
 * A recipient that was turned away is an event of its own, and nothing in it
 * names the message whose other recipients were accepted.  Whether it hears
 * yes or no depends on them.  So for each such refusal the next AHEAD events
 * are looked through for the end of a message of the same login, client and
 * sender, at most JOIN later: if there is one the recipient is asked for
 * together with it, and else alone.  The writer does not hurry with refusals,
 * so one may also stand behind the end of its message, with the same time: no
 * record gets an earlier time than the one before it.
 *
 * Three pages are in memory, each with an arena of its own: one behind, the
 * one that is being replayed, and one ahead.  No transaction is open between
 * two pages.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/wire.h"
#include "tools/replay.h"

enum { PAGE = 256, PAGES = 3, AHEAD = PAGE, TIDY = 64 /* pages */ };

#define JOIN	(30 * CLOCK_SECOND)

struct place_in_time {		/* an event in a page */
	struct event	 e;
	uint8_t		 who[16];	/* login, client, sender */
	uint64_t	 joins;		/* refusal: index of the message, or 0 */
};

struct leaf {
	struct arena	*arena;
	struct place_in_time at[PAGE];
	size_t		 n;
};

struct pages {
	struct store	*store;
	struct leaf	 leaves[PAGES];
	uint64_t	 read;		/* events in memory or gone, from 1 */
	uint64_t	 next;		/* sequence to be read */
	uint64_t	 last;		/* sequence of the last one wanted */
	struct buf	 scratch;
	const struct event *joined[2 * AHEAD];
};

/* event_at - the n-th that was read, from 1 */
static struct place_in_time *
event_at(struct pages *p, uint64_t n)
{
	return &p->leaves[(n - 1) / PAGE % PAGES].at[(n - 1) % PAGE];
}

/* who - the same for all events of one message */
static void
who(struct pages *p, struct place_in_time *at)
{
	struct buf *b = &p->scratch;

	buf_reset(b);
	put_field(b, at->e.tenant);
	put_field(b, at->e.login);
	put_field(b, at->e.client);
	put_field(b, at->e.mail_from);
	put_field(b, at->e.listener);
	hash_128(b->data, b->len, at->who);
}

/* leaf_read - the next page, over the oldest one */
static int
leaf_read(struct pages *p, struct why *why)
{
	struct leaf *leaf = &p->leaves[p->read / PAGE % PAGES];
	struct slice encoded[PAGE];
	size_t i, got, n = PAGE;

	leaf->n = 0;
	if (p->next > p->last)
		return 0;
	if (n > p->last - p->next + 1)
		n = (size_t)(p->last - p->next + 1);
	arena_reset(leaf->arena);
	if (store_read(p->store, p->next, n, leaf->arena, encoded, &got,
	    why) == -1)
		return -1;
	for (i = 0; i < got; i++) {
		struct place_in_time *at = &leaf->at[i];

		if (event_decode(encoded[i], &at->e, leaf->arena, why) == -1)
			return why_in(why, "event behind %llu",
			    (unsigned long long)p->next - 1);
		at->joins = 0;
		who(p, at);
		p->next = at->e.seq + 1;
	}
	if (buf_failed(&p->scratch))
		return why_kind(why, WHY_MEMORY, "out of memory");
	if (got < n)
		p->next = p->last + 1;		/* that was all */
	leaf->n = got;
	p->read += got;
	return 0;
}

/* is_refused - one recipient, turned away with the message going on */
static bool
is_refused(const struct event *e)
{
	return (e->kind == EVENT_REFUSE || e->kind == EVENT_DEFER) &&
	    e->stage == STAGE_RCPT && e->nrecipients == 1;
}

/* is_end - of a message that had recipients */
static bool
is_end(const struct event *e)
{
	return e->kind == EVENT_ACCEPT || e->kind == EVENT_HOLD ||
	    ((e->kind == EVENT_REFUSE || e->kind == EVENT_DEFER) &&
	    e->stage > STAGE_RCPT && e->nrecipients > 0);
}

/* find_end - of the message that a refused recipient belongs to */
static uint64_t
find_end(struct pages *p, uint64_t n)
{
	const struct place_in_time *from = event_at(p, n), *to;
	uint64_t i, most = n + AHEAD < p->read ? n + AHEAD : p->read;

	for (i = n + 1; i <= most; i++) {
		to = event_at(p, i);
		if (to->e.time - from->e.time > JOIN)
			break;
		if (is_end(&to->e) && memcmp(to->who, from->who,
		    sizeof(to->who)) == 0)
			return i;
	}
	return 0;
}

/* claim - refused recipients of this message that are recorded behind it */
static void
claim(struct pages *p, uint64_t n)
{
	const struct place_in_time *end = event_at(p, n);
	uint64_t i, most = n + AHEAD < p->read ? n + AHEAD : p->read;

	for (i = n + 1; i <= most; i++) {
		struct place_in_time *at = event_at(p, i);

		if (at->e.time > end->e.time)
			break;
		if (is_refused(&at->e) && memcmp(at->who, end->who,
		    sizeof(at->who)) == 0)
			at->joins = n;
	}
}

/* join - the refused recipients that wait for this message */
static size_t
join(struct pages *p, uint64_t n)
{
	uint64_t i = n > AHEAD ? n - AHEAD : 1;
	uint64_t most = n + AHEAD < p->read ? n + AHEAD : p->read;
	size_t got = 0;

	if (!is_end(&event_at(p, n)->e))
		return 0;
	claim(p, n);
	for (; i <= most; i++)
		if (event_at(p, i)->joins == n)
			p->joined[got++] = &event_at(p, i)->e;
	return got;
}

/* tidy - counters that say nothing any more go: nobody stores ours */
static void
tidy(struct replay *r, int64_t now)
{
	static uint8_t dropped[PAGE][16];
	struct counter_row rows[64];
	bool left = true;

	ledger_round_begin(r->ledger, r->settled);
	while (ledger_round_next(r->ledger, rows, 64, &left) > 0 || left)
		;
	for (int i = 0; i < 256; i++)
		(void)ledger_sweep(r->ledger, now, dropped, PAGE);
}

/* one - the n-th event */
static int
one(struct replay *r, struct pages *p, uint64_t n, struct why *why)
{
	struct place_in_time *at = event_at(p, n);

	arena_reset(r->arena);
	r->counts = at->e.time >= r->since;
	if (at->joins != 0 || (is_refused(&at->e) &&
	    (at->joins = find_end(p, n)) != 0))
		return 0;
	return replay_event(r, &at->e, p->joined, join(p, n), why);
}

/* all - a page at a time, with one more in sight */
static int
all(struct replay *r, struct pages *p, void (*show)(void *, uint64_t),
    void *with, struct why *why)
{
	uint64_t n, end, page;

	if (leaf_read(p, why) == -1)
		return -1;
	for (n = 1, page = 0; n <= p->read; page++) {
		end = p->read;
		if (leaf_read(p, why) == -1)
			return -1;
		for (; n <= end; n++)
			if (one(r, p, n, why) == -1)
				return -1;
		if (page % TIDY == TIDY - 1)
			tidy(r, event_at(p, end)->e.time);
		if (show != NULL)
			show(with, event_at(p, end)->e.seq);
	}
	return 0;
}

/* replay_pages - those from first to last */
int
replay_pages(struct replay *r, struct store *store, uint64_t first,
    uint64_t last, void (*show)(void *, uint64_t), void *with,
    struct why *why)
{
	struct pages *p = calloc(1, sizeof(*p));
	int done = 0;

	if (p == NULL)
		return why_kind(why, WHY_MEMORY, "out of memory");
	p->store = store;
	p->next = first;
	p->last = last;
	for (int i = 0; i < PAGES; i++)
		if ((p->leaves[i].arena = arena_new(64u << 10, 0)) == NULL)
			done = why_kind(why, WHY_MEMORY, "out of memory");
	if (done == 0)
		done = all(r, p, show, with, why);
	for (int i = 0; i < PAGES; i++)
		arena_free(p->leaves[i].arena);
	buf_free(&p->scratch);
	free(p);
	return done;
}
