/*
 * outcome_run - an index in sorted runs.
 *
 * A hash has no neighbours: in one tree of all of them every message would
 * dirty three pages of its own, the more so the more there is (half of the
 * time of a big log went there).  So what a transaction indexes is sorted when
 * it ends, and appended as a run behind the others.  A question is put to each
 * run, which costs a descent of the tree.
 *
 * A new run swallows the one before it while that one is open and at most
 * twice as large, so that many small transactions leave few runs, and an entry
 * is written again a few times at most.  A run of CLOSED entries is closed.
 * There are never more than a dozen open ones.
 *
 * Rows of a table: a run begins with one of eight bytes,
 *
 *	be64 base		u8 format = 1, u8 closed, u32 entries
 *
 * and behind it stand its entries by key and value, at most CHUNK in a row,
 * which is so large that a page takes two of them:
 *
 *	be64 base, be64 key,	u64 key, u64 value x n
 *	be64 value (the first)
 *
 * A value is a sequence of events or outcomes times 8, and three bits.  The
 * base is the first sequence of the run.  Sequences of a later run are later
 * ones, so what is asked behind a sequence begins at the run that has it, and
 * old runs go away whole.
 */
#include "reputation/outcome_in.h"

#include <stdlib.h>
#include <string.h>

#include "lib/wire.h"

enum { FORMAT = 1, CHUNK = 124, CLOSED = 1 << 15, HEAD = 8, ROW = 24,
	ENTRY = 16, FIRST_ROOM = 1024 };

struct run {			/* one that is in the store */
	uint64_t	base;
	bool		closed;
	uint32_t	entries;
};

/* outcome_run_add - an entry more, in memory until the commit */
int
outcome_run_add(struct outcomes *o, unsigned table, uint64_t key,
    uint64_t seq, unsigned bits, struct why *why)
{
	struct outcome_run *r = &o->runs[table == T_BY_EVENT];

	if (r->n == r->room) {
		size_t room = r->room > 0 ? r->room * 2 : FIRST_ROOM;
		struct outcome_entry *list = room > SIZE_MAX / sizeof(*list) ?
		    NULL : realloc(r->list, room * sizeof(*list));

		if (list == NULL) {
			why_kind(why, WHY_MEMORY, "no memory for an index");
			return outcome_fail(o, why);
		}
		r->list = list;
		r->room = room;
	}
	r->list[r->n++] = (struct outcome_entry){ key, seq << 3 | bits };
	return 0;
}

/* outcome_runs_forget - what was to be added */
void
outcome_runs_forget(struct outcomes *o)
{
	for (size_t i = 0; i < 2; i++) {
		free(o->runs[i].list);
		o->runs[i] = (struct outcome_run){ .list = NULL };
	}
}

/* by_key - for qsort */
static int
by_key(const void *a, const void *b)
{
	const struct outcome_entry *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return x->value < y->value ? -1 : x->value > y->value;
}

/* key_of - a row of a run */
static struct slice
key_of(uint64_t base, uint64_t key, uint64_t value, uint8_t room[ROW])
{
	be64_put(room, base);
	be64_put(room + 8, key);
	be64_put(room + 16, value);
	return (struct slice){ (const char *)room, ROW };
}

/* head_of - the row that a run begins with; false: it is none */
static bool
head_of(struct slice key, struct slice value, struct run *run)
{
	struct wire w = wire_of(value);
	uint8_t format = get_u8(&w);

	if (key.n != HEAD)
		return false;
	run->base = be64_get((const uint8_t *)key.p);
	run->closed = get_u8(&w) != 0;
	run->entries = get_u32(&w);
	return format == FORMAT && !w.bad;
}

/* broken - a row that makes no sense */
static int
broken(struct why *why)
{
	return why_kind(why, WHY_BROKEN, "a row of an index makes no sense: "
	    "check the store outcomes/");
}

/* last_run - fetch: the one that a new one may swallow */
static int
last_run(struct outcomes *o, unsigned table, struct run *run, struct why *why)
{
	struct slice key, value;
	uint8_t room[HEAD];
	int got = db_last(o->txn, table, &key, &value, why);

	if (got != 1)
		return got;
	if (key.n < HEAD)
		return broken(why);
	key = outcome_be64(be64_get((const uint8_t *)key.p), room);
	if ((got = db_get(o->txn, table, key, &value, why)) == -1)
		return -1;
	return got == 1 && head_of(key, value, run) ? 1 : broken(why);
}

/* swallow - its entries join those in memory, its rows go away */
static int
swallow(struct outcomes *o, unsigned table, const struct run *run,
    struct why *why)
{
	struct slice key, value;
	uint8_t room[HEAD], gone[ROW];
	struct slice at = outcome_be64(run->base, room);
	struct db_cursor *cursor;
	int got;

	for (;;) {
		cursor = NULL;
		got = db_seek(o->txn, table, at, &cursor, &key, &value, why);
		db_cursor_close(cursor);
		if (got != 1 || key.n > ROW || memcmp(key.p, room, HEAD) != 0)
			return got == -1 ? -1 : 0;
		for (struct wire w = wire_of(value); key.n == ROW &&
		    w.p < w.end;) {
			uint64_t k = get_u64(&w), v = get_u64(&w);

			if (w.bad)
				return broken(why);
			if (outcome_run_add(o, table, k, v >> 3,
			    (unsigned)(v & 7), why) == -1)
				return -1;
		}
		memcpy(gone, key.p, key.n);
		if (db_delete(o->txn, table, (struct slice){ (char *)gone,
		    key.n }, why) == -1)
			return -1;
	}
}

/* write_run - sorted, behind all others */
static int
write_run(struct outcomes *o, unsigned table, const struct outcome_run *r,
    uint64_t base, struct why *why)
{
	uint8_t room[ROW];

	buf_reset(&o->buf);
	put_u8(&o->buf, FORMAT);
	put_u8(&o->buf, r->n >= CLOSED);
	put_u32(&o->buf, (uint32_t)r->n);
	if (outcome_append_buf(o, table, outcome_be64(base, room), why) == -1)
		return -1;
	for (size_t i = 0; i < r->n;) {
		struct slice key = key_of(base, r->list[i].key,
		    r->list[i].value, room);

		buf_reset(&o->buf);
		for (size_t n = 0; n < CHUNK && i < r->n; n++, i++) {
			put_u64(&o->buf, r->list[i].key);
			put_u64(&o->buf, r->list[i].value);
		}
		if (outcome_append_buf(o, table, key, why) == -1)
			return -1;
	}
	return 0;
}

/* write_table - what the transaction indexed there */
static int
write_table(struct outcomes *o, unsigned table, struct why *why)
{
	struct outcome_run *r = &o->runs[table == T_BY_EVENT];
	uint64_t base = UINT64_MAX;
	struct run last = { .base = 0 };
	int got;

	if (r->n == 0)
		return 0;
	for (size_t i = 0; i < r->n; i++)
		if (r->list[i].value >> 3 < base)
			base = r->list[i].value >> 3;
	while ((got = last_run(o, table, &last, why)) == 1 &&
	    (last.base >= base || (!last.closed &&
	    last.entries / 2 <= r->n))) {
		if (swallow(o, table, &last, why) == -1)
			return outcome_fail(o, why);
		if (last.base < base)
			base = last.base;
	}
	if (got == -1)
		return outcome_fail(o, why);
	qsort(r->list, r->n, sizeof(*r->list), by_key);
	return write_run(o, table, r, base, why);
}

/* outcome_runs_write - at the end of a transaction */
int
outcome_runs_write(struct outcomes *o, struct why *why)
{
	return write_table(o, T_INDEX, why) == -1 ||
	    write_table(o, T_BY_EVENT, why) == -1 ? -1 : 0;
}

struct search {
	uint64_t	 key, after;
	unsigned	 bits;		/* one of them; 0: any */
	uint64_t	*seqs;
	size_t		 n, most;
};

/* found - the entry, if it is asked for; false: there is no room for more */
static bool
found(struct search *s, uint64_t key, uint64_t value)
{
	if (key == s->key && value >> 3 > s->after &&
	    (s->bits == 0 || (value & s->bits) != 0) &&
	    (s->n == 0 || s->seqs[s->n - 1] != value >> 3)) {
		if (s->n == s->most)
			return false;
		s->seqs[s->n++] = value >> 3;
	}
	return true;
}

/* search_rows - of one run, from the row on that has it. Fetch: 0 all found. */
static int
search_rows(struct db_txn *txn, unsigned table, uint64_t base,
    struct db_cursor **cursor, struct search *s, struct why *why)
{
	uint8_t room[ROW];
	struct slice key, value;
	int got = db_floor(txn, table, key_of(base, s->key,
	    (s->after + 1) << 3, room), cursor, &key, &value, why);

	for (; got == 1 && key.n <= ROW && memcmp(key.p, room, HEAD) == 0;
	    got = db_next(*cursor, &key, &value, why)) {
		if (key.n != ROW)
			continue;
		if (be64_get((const uint8_t *)key.p + 8) > s->key)
			break;
		for (struct wire w = wire_of(value); w.p < w.end;) {
			uint64_t k = get_u64(&w), v = get_u64(&w);

			if (w.bad)
				return broken(why);
			if (k > s->key)
				break;
			if (!found(s, k, v))
				return 1;
		}
	}
	return got == -1 ? -1 : 0;
}

/* outcome_run_find - sequences behind "after", in their order */
int
outcome_run_find(struct outcomes *o, struct db_txn *txn, unsigned table,
    uint64_t sought, unsigned bits, uint64_t after, uint64_t *seqs, size_t n,
    size_t *count, struct why *why)
{
	struct search s = { sought, after, bits, seqs, 0, n };
	struct db_cursor *cursor = NULL;
	struct slice key, value;
	uint8_t room[HEAD];
	uint64_t base;
	int got;

	*count = 0;
	got = db_floor(txn, table, outcome_be64(after + 1, room), &cursor,
	    &key, &value, why);
	while (got == 1) {
		if (key.n < HEAD) {
			got = broken(why);
			break;
		}
		base = be64_get((const uint8_t *)key.p);
		if ((got = search_rows(txn, table, base, &cursor, &s,
		    why)) != 0)
			break;
		got = db_seek(txn, table, outcome_be64(base + 1, room),
		    &cursor, &key, &value, why);
	}
	db_cursor_close(cursor);
	if (got == -1)
		return -1;
	if (txn == o->txn)	/* the writer sees what it has not written */
		for (size_t i = 0; i < o->runs[table == T_BY_EVENT].n; i++) {
			const struct outcome_entry *e =
			    &o->runs[table == T_BY_EVENT].list[i];

			if (!found(&s, e->key, e->value))
				break;
		}
	*count = s.n;
	return 0;
}
