/*
 * quarantine - rows of the table "quarantine".
 *
 *	key			value
 *	be64 ~id		u8 format = 1, i64 time, u64 size, field kind,
 *				reason, sender, recipient, message
 *	be64 0			u64 id given last (there is no id ~0)
 *
 * The complement makes the latest the first behind the counter.  A new one
 * takes the place of the one that is QUARANTINE_MOST older.
 */
#include "reputation/quarantine.h"

#include "lib/wire.h"

/* row_key - of an id */
static struct slice
row_key(uint64_t id, uint8_t room[8])
{
	be64_put(room, ~id);
	return (struct slice){ (const char *)room, 8 };
}

/* cut - at most n bytes */
static struct slice
cut(struct slice s, size_t n)
{
	return (struct slice){ s.p, s.n < n ? s.n : n };
}

/* last_id - given last */
static int
last_id(struct outcomes *o, uint64_t *id, struct why *why)
{
	uint8_t room[8] = { 0 };
	struct slice value;
	int got = outcomes_get(o, OUTCOMES_QUARANTINE,
	    (struct slice){ (char *)room, 8 }, &value, why);

	*id = 0;
	if (got == 1) {
		struct wire w = wire_of(value);

		*id = get_u64(&w);
	}
	return got == -1 ? -1 : 0;
}

/* quarantine_put - the row, the counter, and one that goes */
int
quarantine_put(struct outcomes *o, struct quarantined *q, struct why *why)
{
	uint8_t room[8], zero[8] = { 0 };
	struct buf b = BUF_INIT;
	uint64_t last;
	int rc = -1;

	if (last_id(o, &last, why) == -1)
		return -1;
	q->id = last + 1;
	put_u8(&b, 1);
	put_i64(&b, q->time);
	put_u64(&b, q->size);
	put_field(&b, cut(q->kind, 32));
	put_field(&b, cut(q->reason, 480));
	put_field(&b, cut(q->sender, 512));
	put_field(&b, cut(q->recipient, 512));
	put_field(&b, cut(q->message, QUARANTINE_BYTES));
	if (buf_failed(&b)) {
		why_kind(why, WHY_MEMORY, "no memory for the quarantine");
		goto out;
	}
	if (outcomes_put(o, OUTCOMES_QUARANTINE, row_key(q->id, room),
	    buf_slice(&b), why) == -1)
		goto out;
	buf_reset(&b);
	put_u64(&b, q->id);
	if (outcomes_put(o, OUTCOMES_QUARANTINE, (struct slice){ (char *)zero,
	    8 }, buf_slice(&b), why) == -1)
		goto out;
	if (q->id > QUARANTINE_MOST && outcomes_delete(o, OUTCOMES_QUARANTINE,
	    row_key(q->id - QUARANTINE_MOST, room), why) == -1)
		goto out;
	rc = outcomes_count(o, "quarantined", 1, why);
out:
	buf_free(&b);
	return rc;
}

/* row_read - a value; the id is the key's */
static int
row_read(struct slice value, struct quarantined *q, struct why *why)
{
	struct wire w = wire_of(value);

	if (get_u8(&w) != 1)
		return why_set(why, "a quarantined mail of a newer Penstock");
	q->time = get_i64(&w);
	q->size = get_u64(&w);
	q->kind = get_field(&w);
	q->reason = get_field(&w);
	q->sender = get_field(&w);
	q->recipient = get_field(&w);
	q->message = get_field(&w);
	return w.bad ? why_set(why, "a quarantined mail is damaged") : 0;
}

struct walk {
	bool		(*call)(void *, const struct quarantined *);
	void		*with;
	bool		failed;
	struct why	why;
};

/* one_row - all but the counter */
static bool
one_row(void *self, struct slice key, struct slice value)
{
	struct quarantined q = { .id = 0 };
	struct walk *w = self;

	if (key.n != 8 || be64_get((const uint8_t *)key.p) == 0)
		return true;
	q.id = ~be64_get((const uint8_t *)key.p);
	if (row_read(value, &q, &w->why) == -1) {
		w->failed = true;
		return false;
	}
	return w->call(w->with, &q);
}

/* quarantine_each - one transaction */
int
quarantine_each(struct outcomes *o,
    bool (*call)(void *, const struct quarantined *), void *with,
    struct why *why)
{
	struct walk w = { .call = call, .with = with };
	uint8_t room[8] = { 0 };

	if (outcomes_each(o, OUTCOMES_QUARANTINE,
	    (struct slice){ (char *)room, 8 }, one_row, &w, why) == -1)
		return -1;
	if (w.failed)
		*why = w.why;
	return w.failed ? -1 : 0;
}

/* quarantine_get - one of them */
int
quarantine_get(struct outcomes *o, uint64_t id, struct arena *arena,
    struct quarantined *q, struct why *why)
{
	struct slice value;
	uint8_t room[8];
	int got;

	*q = (struct quarantined){ .id = id };
	if (id == UINT64_MAX)		/* its key is the counter's */
		return 0;
	got = outcomes_row(o, OUTCOMES_QUARANTINE, row_key(id, room), arena,
	    &value, why);
	if (got == 1 && row_read(value, q, why) == -1)
		return -1;
	return got;
}
