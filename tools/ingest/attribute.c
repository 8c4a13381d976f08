/*
 * attribute - from a claim to the gate's own event.
 *
 * In this order: the return path that the gate made for the message, which is
 * where the report came to; the queue id that our own Postfix tells, together
 * with the Message-ID; the Message-ID of the message that came back, by the
 * index of the reader of the log, and, for events that it has not seen yet, by
 * looking at the last ones; a token in List-Unsubscribe of the message that
 * came back.
 *
 * The recipient must be one of the event.  A report about another address (one
 * that it was forwarded to) is taken for the one recipient, if there is only
 * one: whoever can name the message got it through that recipient.  One beside
 * a recipient on this machine is not the only one.
 *
 * A Message-ID or a return path proves the message and not the recipient: who
 * got the same message can name the others, and each of them once, since an
 * outcome of a recipient and a message is recorded once.  What he says of
 * anybody else's message, or of an address that the message did not go to, has
 * no effect and is kept.  A link of one recipient (by_token) proves both.
 *
 * A Message-ID is the sender's choice, and some give one to a whole campaign:
 * of all events with it, the last that has the recipient is meant.  Where
 * several have it, nobody is taken for a recipient whom the report does not
 * name: it would be the wrong one, or the one whom a tenant put there to catch
 * complaints about the others.
 *
 * Not proven: a message older than ATTRIBUTE_AGE.  Queue ids come again, and a
 * bounce takes days, not months.
 */
#include "tools/ingest/attribute.h"

#include <ctype.h>

#include "tools/ingest/fields.h"

enum { BEHIND = 5000, IDS = 64, IDS_MOST = 4096, TOKENS = 8 };

const char *const proof_names[] = { "none", "queue-id", "message-id",
	"token", "return-path", NULL };

/* read_event - of that sequence; fetch */
static int
read_event(const struct attribute_by *by, uint64_t seq, struct arena *arena,
    struct event *e, struct why *why)
{
	int got;

	if (by->gate == NULL)
		return 0;
	if ((got = store_event(by->gate, seq, arena, e, why)) != 1)
		return got;
	return (e->kind == EVENT_ACCEPT ||
	    e->kind == EVENT_HOLD) && by->now - e->time < ATTRIBUTE_AGE &&
	    e->time < by->now + INT64_C(3600000000);
}

/* is_here - did the gate let it through, to wherever? */
static bool
is_here(const struct event_recipient *r)
{
	return r->verdict == VERDICT_PASS || r->verdict == VERDICT_HOLD;
}

/* is_remote - did the gate let it through to somebody else's server? */
static bool
is_remote(const struct event_recipient *r)
{
	return !r->local && is_here(r);
}

/* named_of - whom the claim names; NULL: nobody of this message */
static const struct event_recipient *
named_of(const struct event *e, const struct claim *c)
{
	for (size_t i = 0; i < e->nrecipients; i++) {
		const struct event_recipient *r = &e->recipients[i];

		if (is_remote(r) && ((c->recipient.n > 0 && slice_case_eq(
		    r->address, c->recipient)) || (c->original.n > 0 &&
		    slice_case_eq(r->address, c->original))))
			return r;
	}
	return NULL;
}

/* recipient_of - the same, or the only one there is */
static const struct event_recipient *
recipient_of(const struct event *e, const struct claim *c)
{
	const struct event_recipient *r = named_of(e, c), *only = NULL;
	size_t n = 0;

	for (size_t i = 0; r == NULL && i < e->nrecipients; i++) {
		n += is_here(&e->recipients[i]);
		if (is_remote(&e->recipients[i]))
			only = &e->recipients[i];
	}
	return n == 1 ? only : r;
}

/* try_event - is this the message?  Fetch */
static int
try_event(const struct attribute_by *by, uint64_t seq, const struct claim *c,
    struct arena *arena, struct proof *p, struct why *why)
{
	int got = read_event(by, seq, arena, &p->event, why);

	if (got != 1)
		return got;
	p->recipient = recipient_of(&p->event, c);
	return p->recipient != NULL;
}

/* bare - a Message-ID without its angles */
static struct slice
bare(struct slice id)
{
	id = slice_trim(id);
	if (id.n >= 2 && id.p[0] == '<' && id.p[id.n - 1] == '>')
		id = (struct slice){ id.p + 1, id.n - 2 };
	return id;
}

/* by_queue_id - what our own Postfix says of its own mail; id: Message-ID of
 * what came back */
static int
by_queue_id(const struct attribute_by *by, const struct claim *c,
    struct slice id, struct arena *arena, struct proof *p, struct why *why)
{
	uint64_t seq;
	int got;

	if (c->queue_id.n == 0 || by->gate == NULL)
		return 0;
	got = store_by_queue_id(by->gate, c->queue_id, &seq, why);
	if (got == 1)
		got = try_event(by, seq, c, arena, p, why);
	/* A queue id can be guessed; what was in the message cannot. */
	if (got == 1 && p->event.message_id.n > 0 &&
	    !slice_eq(bare(p->event.message_id), bare(id)))
		got = 0;
	return got;
}

/* not_seen_yet - the next behind *seq of the last events, which are in no index
 * yet; fetch */
static int
not_seen_yet(const struct attribute_by *by, struct slice id, uint64_t *seq,
    struct why *why)
{
	uint64_t applied, last, from;
	struct arena *scratch;
	struct slice encoded;
	struct event e;
	int64_t time;
	size_t got = 1;
	int rc = 0;

	if (outcomes_applied(by->outcomes, &applied, why) == -1 ||
	    store_last(by->gate, &last, &time, why) == -1)
		return -1;
	if ((scratch = arena_new(1 << 14, 0)) == NULL)
		return why_kind(why, WHY_MEMORY, "no memory for events");
	from = last > BEHIND && applied + 1 < last - BEHIND ? last - BEHIND :
	    applied + 1;
	if (from <= *seq)
		from = *seq + 1;
	for (; rc == 0 && from <= last && got == 1; from++) {
		arena_reset(scratch);
		rc = store_read(by->gate, from, 1, scratch, &encoded, &got,
		    why);
		if (rc == 0 && got == 1)
			rc = event_decode(encoded, &e, scratch, why);
		if (rc == 0 && got == 1 && e.message_id.n > 0 &&
		    slice_eq(bare(e.message_id), id)) {
			*seq = e.seq;
			rc = 1;
		}
	}
	arena_free(scratch);
	return rc;
}

/* Events with one Message-ID. */
struct same {
	uint64_t	named;		/* the last with the recipient; 0 */
	uint64_t	last;		/* of all */
	size_t		n;
};

/* look_at - one of them; action */
static int
look_at(const struct attribute_by *by, uint64_t seq, const struct claim *c,
    struct arena *scratch, struct same *same, struct why *why)
{
	struct event e;
	int got;

	arena_reset(scratch);
	if ((got = read_event(by, seq, scratch, &e, why)) != 1)
		return got;
	same->n++;
	same->last = seq;
	if (named_of(&e, c) != NULL)
		same->named = seq;
	return 0;
}

/* same_id - all of them, as far as that is bounded; action */
static int
same_id(const struct attribute_by *by, struct slice id, const struct claim *c,
    struct arena *scratch, struct same *same, struct why *why)
{
	uint64_t seqs[IDS], after = 0, seq = 0;
	size_t n = IDS, asked = 0;
	int got;

	while (n == IDS && asked < IDS_MOST) {
		if (outcomes_by_message_id(by->outcomes, id, after, seqs, IDS,
		    &n, why) == -1)
			return -1;
		for (size_t i = 0; i < n; i++)
			if (look_at(by, seqs[i], c, scratch, same, why) == -1)
				return -1;
		after = n > 0 ? seqs[n - 1] : after;
		asked += n;
	}
	while ((got = not_seen_yet(by, id, &seq, why)) == 1)
		if (look_at(by, seq, c, scratch, same, why) == -1)
			return -1;
	return got;
}

/* by_message_id - of the one who is named, or of the only one there is */
static int
by_message_id(const struct attribute_by *by, const struct claim *c,
    struct slice id, struct arena *arena, struct proof *p, struct why *why)
{
	struct same same = { .n = 0 };
	struct arena *scratch;
	uint64_t seq;
	int got;

	id = bare(id);
	if (id.n == 0 || id.n > 998 || by->gate == NULL)
		return 0;
	if ((scratch = arena_new(1 << 14, 0)) == NULL)
		return why_kind(why, WHY_MEMORY, "no memory for events");
	got = same_id(by, id, c, scratch, &same, why);
	arena_free(scratch);
	seq = same.named != 0 ? same.named : same.n == 1 ? same.last : 0;
	return got == -1 ? -1 : seq == 0 ? 0 :
	    try_event(by, seq, c, arena, p, why);
}

/* by_path - s: the short token of a return path, or of CFBL-Feedback-ID */
static int
by_path(const struct attribute_by *by, const struct claim *c, struct slice s,
    struct arena *arena, struct proof *p, struct why *why)
{
	struct token_short t;
	uint64_t seq;
	int got;

	if (by->ring == NULL || by->gate == NULL || s.n == 0)
		return 0;
	if (memchr(s.p, '@', s.n) != NULL && (s = token_in_path(s)).p == NULL)
		return 0;
	if ((got = token_short_read(by->ring, slice_trim(s), &t, why)) != 1 ||
	    (got = store_by_token(by->gate, t.id, &seq, why)) != 1)
		return got;
	return try_event(by, seq, c, arena, p, why);
}

/* is_token_byte - URL-safe base64 */
static bool
is_token_byte(char c)
{
	return isalnum((unsigned char)c) || c == '-' || c == '_';
}

/* by_token - each word of the field that might be one */
static int
by_token(const struct attribute_by *by, const struct claim *c,
    struct arena *arena, struct proof *p, struct why *why)
{
	struct slice s = SLICE_NONE, word;
	int tried = 0, got;

	if (by->ring == NULL || c->returned.n == 0)
		return 0;
	s = field_find(c->returned, "List-Unsubscribe", arena);
	while (s.n > 0 && tried < TOKENS) {
		for (word = s, word.n = 0; word.n < s.n &&
		    is_token_byte(s.p[word.n]); word.n++)
			;
		s = slice_from(s, word.n + (word.n == 0));
		if (word.n < TOKEN_SHORT || word.n > TOKEN_MAX)
			continue;
		tried++;
		got = token_read(by->ring, word, arena, &p->token, why);
		if (got == -1)
			return -1;
		if (got == 1 && (c->recipient.n == 0 || slice_case_eq(
		    p->token.recipient, c->recipient) || slice_case_eq(
		    p->token.recipient, c->original)))
			return 1;
	}
	return 0;
}

/* attribute - the order is argued at the head of this file */
int
attribute(const struct attribute_by *by, const struct claim *c,
    struct arena *arena, struct proof *p, struct why *why)
{
	struct slice id;
	int got;

	*p = (struct proof){ .by = PROOF_PATH };
	/* an id that somebody spoilt on its way is no reason to give up */
	if ((got = by_path(by, c, c->feedback_id, arena, p, why)) != 0 ||
	    (got = by_path(by, c, c->path, arena, p, why)) != 0)
		return got;
	p->by = PROOF_QUEUE_ID;
	id = c->returned.n > 0 ? field_find(c->returned, "Message-ID",
	    arena) : SLICE_NONE;
	if ((got = by_queue_id(by, c, id, arena, p, why)) != 0)
		return got;
	p->by = PROOF_MESSAGE_ID;
	if ((got = by_message_id(by, c, id, arena, p, why)) != 0 ||
	    (got = by_message_id(by, c, c->message_id, arena, p, why)) != 0)
		return got;
	p->by = PROOF_TOKEN;
	if ((got = by_token(by, c, arena, p, why)) != 0)
		return got;
	p->by = PROOF_NONE;
	return 0;
}

/* attribute_message - by its Message-ID, whoever the recipient is */
int
attribute_message(const struct attribute_by *by, struct slice id,
    struct arena *arena, struct event *e, struct why *why)
{
	uint64_t seqs[IDS], seq = 0;
	size_t n;
	int got;

	id = bare(id);
	if (id.n == 0 || id.n > 998 || by->gate == NULL)
		return 0;
	if (outcomes_by_message_id(by->outcomes, id, 0, seqs, IDS, &n,
	    why) == -1)
		return -1;
	if (n > 0)
		return read_event(by, seqs[n - 1], arena, e, why);
	got = not_seen_yet(by, id, &seq, why);
	return got == 1 ? read_event(by, seq, arena, e, why) : got;
}
