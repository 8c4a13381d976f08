/*
 * repeat - a table that is filled for a minute and emptied at once.
 *
 * Open addressing, twice as many places as entries, never deleted from.  The
 * key is a hash of 128 bits: two that collide would be counted as one, which
 * happens less often than memory turns a bit.  The first event is kept in its
 * encoded form: one allocation that is used again the next minute.
 *
 * A client that varies what is compared (it cannot vary rules or limits, and
 * tenants only by being let in as them) fills the table at worst; then its
 * refusals are written one by one, as they would be without it.
 */
#include "milter/repeat.h"

#include <stdlib.h>
#include <string.h>

#include "lib/hash.h"
#include "lib/wire.h"

enum { PLACES = 2 * REPEAT_MAX };

struct repeat {
	uint8_t		key[16];
	bool		used;
	uint32_t	count;		/* not counting the first */
	struct buf	first;
};

struct repeats {
	struct repeat	places[PLACES];
	size_t		used;
	struct buf	scratch;
	struct arena	*arena;
};

/* repeats_new - empty */
struct repeats *
repeats_new(void)
{
	struct repeats *r = calloc(1, sizeof(*r));

	if (r != NULL && (r->arena = arena_new(16u << 10, 0)) == NULL) {
		free(r);
		return NULL;
	}
	return r;
}

/* repeats_free - what was counted and not flushed is lost */
void
repeats_free(struct repeats *r)
{
	size_t i;

	if (r == NULL)
		return;
	for (i = 0; i < PLACES; i++)
		buf_free(&r->places[i].first);
	buf_free(&r->scratch);
	arena_free(r->arena);
	free(r);
}

/* key_of - what makes two refusals the same */
static bool
key_of(struct repeats *r, const struct event *e, uint8_t key[16])
{
	struct buf *b = &r->scratch;

	buf_reset(b);
	put_u8(b, (uint8_t)e->kind);
	put_u8(b, (uint8_t)e->stage);
	put_field(b, e->tenant);
	put_field(b, e->limit);
	put_field(b, e->rule);
	put_u32(b, e->flags & EVENT_UNOWNED);
	if (buf_failed(b))
		return false;
	hash_128(b->data, b->len, key);
	return true;
}

/* repeats_count - count it, or say that it is to be written */
bool
repeats_count(struct repeats *r, const struct event *e)
{
	struct repeat *p;
	uint8_t key[16];
	size_t at;

	if (!key_of(r, e, key))
		return false;
	memcpy(&at, key, sizeof(at));
	for (at %= PLACES; (p = &r->places[at])->used; at = (at + 1) % PLACES)
		if (memcmp(p->key, key, sizeof(key)) == 0) {
			if (p->count == UINT32_MAX)
				return false;
			p->count++;
			return true;
		}
	if (r->used == REPEAT_MAX)
		return false;
	buf_reset(&p->first);
	event_encode(e, &p->first);
	if (buf_failed(&p->first))
		return false;
	memcpy(p->key, key, sizeof(key));
	p->used = true;
	p->count = 0;
	r->used++;
	return false;
}

/* repeats_empty - nothing in it, not even a first one */
bool
repeats_empty(const struct repeats *r)
{
	return r->used == 0;
}

/* flush_one - the event that stands for all repeats of one kind */
static void
flush_one(struct repeats *r, const struct repeat *p,
    void (*each)(void *, const struct event *), void *with)
{
	struct event e;
	struct why why;

	arena_reset(r->arena);
	if (event_decode(buf_slice(&p->first), &e, r->arena, &why) == -1)
		return;			/* ours, from memory: cannot be */
	e.count = p->count;
	e.queue_id = e.message_id = SLICE_NONE;
	e.nrecipients = e.nfrom_domains = e.ncharges = 0;
	e.size = 0;
	each(with, &e);
}

/* repeats_flush - the end of the minute */
void
repeats_flush(struct repeats *r, void (*each)(void *, const struct event *),
    void *with)
{
	size_t i;

	for (i = 0; i < PLACES && r->used > 0; i++) {
		struct repeat *p = &r->places[i];

		if (!p->used)
			continue;
		if (p->count > 0)
			flush_one(r, p, each, with);
		p->used = false;
		r->used--;
	}
}
