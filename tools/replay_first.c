/*
 * replay_first - the last full record of each kind of refusal.
 *
 * The gate writes a refusal out once a minute and then counts its like: same
 * kind, stage, tenant, limit and line.  The record of the count has no
 * recipients and comes when the minute is over.  So a repeat is taken for
 * another try of the one before it: what was turned away then is turned away
 * again, and what would have passed is asked once more.
 *
 * One of a fixed size for each kind, so that memory grows with the policy and
 * not with the mail.
 */
#include <string.h>

#include "lib/map.h"
#include "lib/wire.h"
#include "tools/replay.h"

/* key_of - as milter/repeat.c makes it */
static struct slice
key_of(const struct event *e, struct buf *b)
{
	buf_reset(b);
	buf_char(b, 'f');		/* beside the tally's own keys */
	put_u8(b, (uint8_t)e->kind);
	put_u8(b, (uint8_t)e->stage);
	put_field(b, e->tenant);
	put_field(b, e->limit);
	put_field(b, e->rule);
	return buf_slice(b);
}

/* copy - what fits, with its length */
static void
copy(struct replay_text *to, struct slice from)
{
	to->n = from.n < sizeof(to->text) ? from.n : 0;
	if (to->n > 0)
		memcpy(to->text, from.p, to->n);
}

/* replay_first_keep - a refusal with its recipients */
int
replay_first_keep(struct replay_tally *t, const struct replay_attempt *a)
{
	const struct event *e = a->of;
	struct buf b = BUF_INIT;
	struct slice key = key_of(e, &b);
	struct replay_first *f = map_get(t->index, key);
	int done = 0;

	if (f == NULL) {
		f = arena_alloc(t->arena, sizeof(*f));
		key = arena_copy(t->arena, key);
		if (f == NULL || key.p == NULL || buf_failed(&b) ||
		    map_set(t->index, key, f) == -1)
			done = -1;
	}
	if (done == 0) {
		copy(&f->recipient, a->recipient);
		copy(&f->from, e->nfrom_domains > 0 ? e->from_domains[0] :
		    SLICE(""));
		copy(&f->limit, a->limit);
		copy(&f->rule, a->rule);
		copy(&f->tenant, a->now);
		f->would = a->would;
		f->size = e->size;
	}
	buf_free(&b);
	return done;
}

/* replay_first_get - the one that this is a repeat of, or NULL */
const struct replay_first *
replay_first_get(const struct replay_tally *t, const struct event *e)
{
	struct buf b = BUF_INIT;
	const struct replay_first *f = map_get(t->index, key_of(e, &b));

	buf_free(&b);
	return f;
}
