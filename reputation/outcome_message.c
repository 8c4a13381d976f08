/*
 * outcome_message - what is known of a message and of each of its recipients.
 *
 * Messages are read when a line or a report speaks of them and kept until the
 * transaction ends; then the changed ones are written.  Recipients are known
 * by eight bytes of hash: the first "sorted" of them are in order, up to TAIL
 * newer ones follow as they came, so that a message to a hundred thousand
 * costs no square of that.
 */
#include "reputation/outcome_in.h"

#include <stdlib.h>
#include <string.h>

#include "lib/hash.h"
#include "lib/wire.h"

enum { FORMAT = 2, PLAIN = 1, NOTICE = 1, TAIL = 256, ID_MOST = 64,
	LOWERED = 512, HASH = 8, RCPT = 18, OPEN = 24 };

#define REOPENED (60 * INT64_C(1000000))	/* lines behind "removed" */
#define LONGEST	(10 * OUTCOME_DAY)	/* a foreign id, first to last line */

/* Messages of one queue id that are in memory. */
struct chain {
	struct chain		*next;
	struct outcome_message	 m;
	uint64_t		 generation;
};

/* put_name - text of a key, made short and free of zeros */
static void
put_name(struct buf *b, struct slice text)
{
	uint8_t hash[16];

	if (text.n > ID_MOST || memchr(text.n > 0 ? text.p : "", '\0',
	    text.n) != NULL) {
		static const char hex[] = "0123456789abcdef";

		hash_128(text.p, text.n, hash);
		buf_char(b, '#');
		for (size_t i = 0; i < sizeof(hash); i++) {
			buf_char(b, hex[hash[i] >> 4]);
			buf_char(b, hex[hash[i] & 15]);
		}
	} else {
		buf_slices(b, text);
	}
	buf_char(b, '\0');
}

/* prefix - instance and queue id, as keys begin; in o->buf */
static struct slice
prefix(struct outcomes *o, struct slice instance, struct slice queue_id)
{
	buf_reset(&o->buf);
	put_name(&o->buf, instance);
	put_name(&o->buf, queue_id);
	return buf_slice(&o->buf);
}

/* outcome_address_hash - the same for two spellings in ASCII case */
void
outcome_address_hash(struct slice address, uint8_t out[8])
{
	char low[LOWERED];
	uint8_t hash[16];
	size_t n = address.n < sizeof(low) ? address.n : sizeof(low);

	for (size_t i = 0; i < n; i++)
		low[i] = address.p[i] >= 'A' && address.p[i] <= 'Z' ?
		    (char)(address.p[i] | 0x20) : address.p[i];
	hash_128(low, n, hash);
	memcpy(out, hash, 8);
}

/* keep - a text of a message, in the memory of the transaction */
static struct slice
keep(struct outcomes *o, struct slice text, bool *failed)
{
	struct slice kept = arena_copy(o->arena, text);

	*failed |= kept.p == NULL;
	return kept;
}

/* decode_warm - behind all else; false as below */
static bool
decode_warm(struct outcomes *o, struct wire *w, struct outcome_message *m)
{
	m->nwarm = get_u32(w);
	if (w->bad || m->nwarm > (size_t)(w->end - w->p) / FATE_SUBJECT)
		return false;
	m->warm = arena_array(o->arena, m->nwarm + 1, sizeof(*m->warm));
	for (size_t i = 0; m->warm != NULL && i < m->nwarm; i++)
		get_bytes(w, m->warm[i], sizeof(m->warm[i]));
	return m->warm != NULL;
}

/* decode - a row; false when it makes no sense or memory ends */
static bool
decode(struct outcomes *o, struct slice value, struct outcome_message *m)
{
	struct slice *texts[] = { &m->tenant, &m->group, &m->stream,
		&m->campaign, &m->pool, &m->address };
	struct wire w = wire_of(value);
	uint8_t format = get_u8(&w);
	bool failed = format != FORMAT && format != PLAIN;
	size_t i;

	m->notice = (get_u8(&w) & NOTICE) != 0;
	m->event = get_u64(&w);
	m->first = get_i64(&w);
	m->last = get_i64(&w);
	m->expired = get_i64(&w);
	m->removed = get_i64(&w);
	m->accepted = get_u32(&w);
	m->final = get_u32(&w);
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		*texts[i] = keep(o, get_field(&w), &failed);
	m->nopen = get_u32(&w);
	if (w.bad || failed || m->nopen > (size_t)(w.end - w.p) / OPEN)
		return false;
	m->open = arena_array(o->arena, m->nopen + 1, sizeof(*m->open));
	for (i = 0; m->open != NULL && i < m->nopen; i++) {
		get_bytes(&w, m->open[i].key, sizeof(m->open[i].key));
		m->open[i].amount = get_i64(&w);
	}
	m->nrcpts = m->sorted = get_u32(&w);
	if (w.bad || m->nrcpts > (size_t)(w.end - w.p) / RCPT)
		return false;
	m->room = m->nrcpts + (m->nrcpts > 4 ? TAIL : 4);
	m->rcpts = arena_array(o->arena, m->room, sizeof(*m->rcpts));
	for (i = 0; m->rcpts != NULL && i < m->nrcpts; i++) {
		struct outcome_rcpt *r = &m->rcpts[i];

		get_bytes(&w, r->hash, sizeof(r->hash));
		r->kinds = get_u16(&w);
		r->day = (int32_t)get_u32(&w);
		r->days = get_u32(&w);
	}
	if (format == FORMAT && !decode_warm(o, &w, m))
		return false;
	return !w.bad && w.p == w.end && m->open != NULL && m->rcpts != NULL;
}

/* by_hash - for qsort */
static int
by_hash(const void *a, const void *b)
{
	return memcmp(a, b, HASH);
}

/* order - the newer ones into their places */
static void
order(struct outcome_message *m)
{
	if (m->sorted != m->nrcpts && m->nrcpts > 0)
		qsort(m->rcpts, m->nrcpts, sizeof(*m->rcpts), by_hash);
	m->sorted = m->nrcpts;
}

/* encode - a row, in o->buf */
static void
encode(struct outcomes *o, struct outcome_message *m)
{
	struct slice *texts[] = { &m->tenant, &m->group, &m->stream,
		&m->campaign, &m->pool, &m->address };
	struct buf *b = &o->buf;
	size_t i;

	order(m);
	buf_reset(b);
	put_u8(b, m->nwarm > 0 ? FORMAT : PLAIN);
	put_u8(b, m->notice ? NOTICE : 0);
	put_u64(b, m->event);
	put_i64(b, m->first);
	put_i64(b, m->last);
	put_i64(b, m->expired);
	put_i64(b, m->removed);
	put_u32(b, m->accepted);
	put_u32(b, m->final);
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		put_field(b, *texts[i]);
	put_u32(b, (uint32_t)m->nopen);
	for (i = 0; i < m->nopen; i++) {
		put_bytes(b, m->open[i].key, sizeof(m->open[i].key));
		put_i64(b, m->open[i].amount);
	}
	put_u32(b, (uint32_t)m->nrcpts);
	for (i = 0; i < m->nrcpts; i++) {
		put_bytes(b, m->rcpts[i].hash, sizeof(m->rcpts[i].hash));
		put_u16(b, m->rcpts[i].kinds);
		put_u32(b, (uint32_t)m->rcpts[i].day);
		put_u32(b, m->rcpts[i].days);
	}
	if (m->nwarm == 0)
		return;
	put_u32(b, (uint32_t)m->nwarm);
	for (i = 0; i < m->nwarm; i++)
		put_bytes(b, m->warm[i], sizeof(m->warm[i]));
}

/* compare - keys as the store has them in order */
static int
compare(struct slice a, struct slice b)
{
	int rc = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

	return rc != 0 ? rc : (a.n > b.n) - (a.n < b.n);
}

/* by_row - for qsort */
static int
by_row(const void *a, const void *b)
{
	return compare((*(struct outcome_message *const *)a)->key,
	    (*(struct outcome_message *const *)b)->key);
}

/* changed - those that did, in their order; NULL without memory */
static struct outcome_message **
changed(struct outcomes *o, size_t *n)
{
	struct outcome_message **list;
	struct slice key;
	void *value;
	size_t at = 0;

	*n = 0;
	while (map_next(o->messages, &at, &key, &value))
		for (struct chain *c = value; c != NULL; c = c->next)
			*n += c->m.dirty;
	list = arena_array(o->arena, *n + 1, sizeof(*list));
	*n = at = 0;
	while (list != NULL && map_next(o->messages, &at, &key, &value))
		for (struct chain *c = value; c != NULL; c = c->next)
			if (c->m.dirty)
				list[(*n)++] = &c->m;
	if (list != NULL)
		qsort(list, *n, sizeof(struct outcome_message *), by_row);
	return list;
}

/* outcome_messages_write - those that changed; behind all others, long queue
 * ids fill the pages to the brim */
int
outcome_messages_write(struct outcomes *o, struct why *why)
{
	struct slice key, value, last = SLICE("");
	struct outcome_message **list;
	size_t n;
	int got = db_last(o->txn, T_MESSAGES, &key, &value, why);

	if (got == -1)
		return outcome_fail(o, why);
	if (got == 1)
		last = arena_copy(o->arena, key);
	if ((list = changed(o, &n)) == NULL || last.p == NULL) {
		why_kind(why, WHY_MEMORY, "no memory for messages");
		return outcome_fail(o, why);
	}
	for (size_t i = 0; i < n; i++) {
		bool behind = compare(list[i]->key, last) > 0;

		encode(o, list[i]);
		if ((behind ? outcome_append_buf(o, T_MESSAGES, list[i]->key,
		    why) : outcome_put_buf(o, T_MESSAGES, list[i]->key,
		    why)) == -1)
			return -1;
		if (behind)
			last = list[i]->key;
		list[i]->dirty = false;
	}
	return 0;
}

/* remember - a chain link for that generation, empty */
static struct chain *
remember(struct outcomes *o, struct slice key)
{
	struct slice front = { key.p, key.n - 8 };
	struct chain *c = arena_alloc(o->arena, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->m.key = arena_copy(o->arena, key);
	if (c->m.key.p == NULL)
		return NULL;
	front.p = c->m.key.p;
	c->generation = be64_get((const uint8_t *)c->m.key.p + front.n);
	c->next = map_get(o->messages, front);
	/* the head is the map's: a new link goes behind it */
	if (c->next != NULL) {
		struct chain *head = c->next;

		c->next = head->next;
		head->next = c;
	} else if (map_set(o->messages, front, c) == -1) {
		return NULL;
	}
	return c;
}

/* load - every message of a queue id, from its rows; NULL and 0: none */
static int
load(struct outcomes *o, struct slice front, struct chain **out,
    struct why *why)
{
	struct slice key, value;
	struct chain *c;
	int got;

	if ((*out = map_get(o->messages, front)) != NULL)
		return 0;
	got = db_seek(o->txn, T_MESSAGES, front, &o->cursor, &key, &value,
	    why);
	for (; got == 1 && key.n == front.n + 8 &&
	    memcmp(key.p, front.p, front.n) == 0;
	    got = db_next(o->cursor, &key, &value, why)) {
		if ((c = remember(o, key)) == NULL) {
			why_kind(why, WHY_MEMORY, "no memory for a message");
			return outcome_fail(o, why);
		}
		if (!decode(o, value, &c->m)) {
			why_kind(why, WHY_BROKEN, "the row of a message makes "
			    "no sense: check the store outcomes/");
			return outcome_fail(o, why);
		}
	}
	if (got == -1)
		return outcome_fail(o, why);
	*out = map_get(o->messages, front);
	return 0;
}

/* make - a new message; front is in o->buf */
static struct chain *
make(struct outcomes *o, uint64_t generation)
{
	struct chain *c;
	uint8_t room[8];
	struct slice be = outcome_be64(generation, room);

	buf_slices(&o->buf, be);
	if (buf_failed(&o->buf) ||
	    (c = remember(o, buf_slice(&o->buf))) == NULL)
		return NULL;
	c->m.room = 4;
	c->m.rcpts = arena_array(o->arena, c->m.room, sizeof(*c->m.rcpts));
	c->m.dirty = true;
	return c->m.rcpts != NULL ? c : NULL;
}

/* no_memory - the transaction cannot go on */
static int
no_memory(struct outcomes *o, struct why *why)
{
	why_kind(why, WHY_MEMORY, "no memory for a message");
	return outcome_fail(o, why);
}

/* outcome_message_of - the message of an event */
int
outcome_message_of(struct outcomes *o, struct slice instance,
    struct slice queue_id, uint64_t event, int64_t time,
    struct outcome_message **out, struct why *why)
{
	struct slice front = prefix(o, instance, queue_id);
	struct chain *c;

	*out = NULL;
	if (buf_failed(&o->buf))
		return no_memory(o, why);
	if (load(o, front, &c, why) == -1)
		return -1;
	while (c != NULL && c->m.event != event)
		c = c->next;
	if (c == NULL) {
		if ((c = make(o, event)) == NULL)
			return no_memory(o, why);
		c->m.event = event;
		c->m.first = c->m.last = time;
	}
	*out = &c->m;
	return 0;
}

/* covers - may a line of that moment be about this message of ours? */
static bool
covers(const struct outcome_message *m, int64_t time)
{
	return m->first - OUTCOME_SLACK <= time &&
	    (m->removed == 0 || time <= m->removed + REOPENED);
}

/* outcome_message_at - the message that a line speaks of */
int
outcome_message_at(struct outcomes *o, struct slice instance,
    struct slice queue_id, int64_t time, bool wanted,
    struct outcome_message **out, struct why *why)
{
	struct slice front = prefix(o, instance, queue_id);
	struct outcome_message *best = NULL;
	struct chain *c;

	*out = NULL;
	if (buf_failed(&o->buf))
		return no_memory(o, why);
	if (load(o, front, &c, why) == -1)
		return -1;
	for (; c != NULL; c = c->next) {
		struct outcome_message *m = &c->m;

		if (m->event != 0 ? !covers(m, time) :
		    (m->first - LONGEST > time || m->last + LONGEST < time ||
		    (m->removed != 0 && time > m->removed + REOPENED)))
			continue;
		if (best == NULL || (m->event != 0) > (best->event != 0) ||
		    ((m->event != 0) == (best->event != 0) &&
		    m->first > best->first))
			best = m;
	}
	if (best == NULL && wanted) {
		if ((c = make(o, OUTCOME_FOREIGN +
		    (uint64_t)(time / INT64_C(1000000)))) == NULL)
			return no_memory(o, why);
		best = &c->m;
		best->first = best->last = time;
	}
	if (best == NULL)
		return 0;
	if (best->event == 0 && time < best->first) {
		best->first = time;
		best->dirty = true;
	}
	if (time > best->last) {
		best->last = time;
		best->dirty = true;
	}
	*out = best;
	return 1;
}

/* outcome_message_moved - all that is known goes with the new queue id */
int
outcome_message_moved(struct outcomes *o, struct outcome_message *m,
    struct slice instance, struct slice queue_id, int64_t time,
    struct why *why)
{
	struct outcome_message *to;
	struct slice key;

	if (outcome_message_of(o, instance, queue_id, m->event, time, &to,
	    why) == -1)
		return -1;
	if (to == m || to->nrcpts > 0)
		return 0;
	key = to->key;
	*to = *m;
	to->key = key;
	to->dirty = true;
	to->rcpts = arena_array(o->arena, m->room, sizeof(*to->rcpts));
	if (to->rcpts == NULL)
		return no_memory(o, why);
	memcpy(to->rcpts, m->rcpts, m->nrcpts * sizeof(*to->rcpts));
	m->removed = time;
	m->nopen = 0;
	m->dirty = true;
	return 0;
}

/* outcome_message_void - as if it had not been accepted */
int
outcome_message_void(struct outcomes *o, struct slice instance,
    struct slice queue_id, uint64_t event, struct why *why)
{
	struct slice front = prefix(o, instance, queue_id);
	struct chain *c;

	if (buf_failed(&o->buf))
		return no_memory(o, why);
	if (load(o, front, &c, why) == -1)
		return -1;
	while (c != NULL && c->m.event != event)
		c = c->next;
	/* Kept as a message without recipients that ended before it began: a
	 * line that comes all the same is foreign. */
	if (c != NULL) {
		c->m.removed = c->m.first - REOPENED - 2 * OUTCOME_SLACK;
		c->m.accepted = 0;
		c->m.nopen = c->m.nwarm = 0;
		c->m.nrcpts = c->m.sorted = 0;
		c->m.dirty = true;
	}
	return 0;
}

/* find - one that is there */
static struct outcome_rcpt *
find(const struct outcome_message *m, const uint8_t hash[HASH])
{
	struct outcome_rcpt *r = m->sorted == 0 ? NULL : bsearch(hash,
	    m->rcpts, m->sorted, sizeof(*m->rcpts), by_hash);

	for (size_t i = m->sorted; r == NULL && i < m->nrcpts; i++)
		if (memcmp(m->rcpts[i].hash, hash, HASH) == 0)
			r = &m->rcpts[i];
	return r;
}

/* outcome_rcpt_known - is it one that the gate accepted? */
bool
outcome_rcpt_known(const struct outcome_message *m, struct slice address)
{
	const struct outcome_rcpt *r;
	uint8_t hash[HASH];

	outcome_address_hash(address, hash);
	r = find(m, hash);
	return r != NULL && (r->kinds & (RCPT_KNOWN | RCPT_LOCAL)) != 0;
}

/* outcome_rcpt_of - one recipient of it */
struct outcome_rcpt *
outcome_rcpt_of(struct outcomes *o, struct outcome_message *m,
    struct slice address)
{
	struct outcome_rcpt *r, *wider;
	uint8_t hash[HASH];

	outcome_address_hash(address, hash);
	if ((r = find(m, hash)) != NULL)
		return r;
	if (m->nrcpts - m->sorted >= TAIL)
		order(m);
	if (m->nrcpts == m->room) {
		wider = arena_array(o->arena, m->room * 2, sizeof(*wider));
		if (wider == NULL)
			return NULL;
		memcpy(wider, m->rcpts, m->nrcpts * sizeof(*wider));
		m->rcpts = wider;
		m->room *= 2;
	}
	r = &m->rcpts[m->nrcpts++];
	memset(r, 0, sizeof(*r));
	memcpy(r->hash, hash, HASH);
	m->dirty = true;
	return r;
}
