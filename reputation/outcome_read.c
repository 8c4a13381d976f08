/*
 * outcome_read - reading outcomes, totals and cursors; each call its own
 * transaction, and what leaves it is copied.
 */
#include "reputation/outcome_in.h"

#include <stdlib.h>
#include <string.h>

#include "lib/wire.h"

/* outcomes_last - the sequence of the latest outcome */
int
outcomes_last(struct outcomes *o, uint64_t *seq, struct why *why)
{
	struct db_txn *txn = NULL;
	struct slice key, value;
	int got;

	*seq = 0;
	if (db_begin(o->db, false, &txn, why) == -1)
		return -1;
	got = db_last(txn, T_OUTCOMES, &key, &value, why);
	if (got == 1 && key.n == 8)
		*seq = be64_get((const uint8_t *)key.p);
	db_abort(txn);
	return got == -1 ? -1 : 0;
}

/* outcomes_read - some records in their order */
int
outcomes_read(struct outcomes *o, uint64_t from, size_t n, struct arena *arena,
    struct outcome *out, size_t *count, struct why *why)
{
	struct db_cursor *cursor = NULL;
	struct db_txn *txn = NULL;
	struct slice key, value, kept;
	uint8_t room[8];
	int got;

	*count = 0;
	if (db_begin(o->db, false, &txn, why) == -1)
		return -1;
	got = db_seek(txn, T_OUTCOMES, outcome_be64(from, room), &cursor,
	    &key, &value, why);
	while (got == 1 && *count < n) {
		kept = arena_copy(arena, value);
		if (kept.p == NULL)
			got = why_kind(why, WHY_MEMORY,
			    "no memory for outcomes");
		else if ((got = outcome_decode(kept, &out[*count],
		    why)) == 0) {
			++*count;
			if (*count < n)
				got = db_next(cursor, &key, &value, why);
		}
	}
	db_cursor_close(cursor);
	db_abort(txn);
	return got == -1 ? -1 : 0;
}

/* outcomes_span - by the index of hours */
int
outcomes_span(struct outcomes *o, int64_t since, int64_t until, uint64_t *from,
    uint64_t *to, struct why *why)
{
	struct db_cursor *cursor = NULL;
	struct db_txn *txn = NULL;
	struct slice key, value;
	uint32_t hour = since > 0 ? (uint32_t)(since / OUTCOME_HOUR) : 0;
	uint8_t room[4] = { (uint8_t)(hour >> 24), (uint8_t)(hour >> 16),
		(uint8_t)(hour >> 8), (uint8_t)hour };
	int got;

	*from = UINT64_MAX;
	*to = 0;
	if (db_begin(o->db, false, &txn, why) == -1)
		return -1;
	got = db_seek(txn, T_HOURS, (struct slice){ (char *)room, 4 }, &cursor,
	    &key, &value, why);
	for (; got == 1; got = db_next(cursor, &key, &value, why)) {
		const uint8_t *k = (const uint8_t *)key.p;
		struct wire w = wire_of(value);
		uint64_t first = get_u64(&w), last = get_u64(&w);

		if (key.n != 4 || w.bad)
			continue;
		hour = (uint32_t)k[0] << 24 | (uint32_t)k[1] << 16 |
		    (uint32_t)k[2] << 8 | k[3];
		if (hour * OUTCOME_HOUR >= until)
			break;
		if (first < *from)
			*from = first;
		if (last > *to)
			*to = last;
	}
	db_cursor_close(cursor);
	db_abort(txn);
	return got == -1 ? -1 : 0;
}

/* outcomes_of_event - sequences of what became of it */
int
outcomes_of_event(struct outcomes *o, uint64_t event, uint64_t *seqs, size_t n,
    size_t *count, struct why *why)
{
	struct db_txn *txn = NULL;
	int rc;

	*count = 0;
	if (db_begin(o->db, false, &txn, why) == -1)
		return -1;
	rc = outcome_run_find(o, txn, T_BY_EVENT, event, 0, 0, seqs, n, count,
	    why);
	db_abort(txn);
	return rc;
}

/* take_text - the next name of a key */
static bool
take_text(struct slice *rest, struct slice *text)
{
	const char *end = memchr(rest->p, '\0', rest->n);

	if (end == NULL)
		return false;
	*text = (struct slice){ rest->p, (size_t)(end - rest->p) };
	*rest = slice_from(*rest, text->n + 1);
	return true;
}

/* total_of - a row of totals */
static bool
total_of(enum outcome_totals which, struct slice key, struct slice value,
    struct outcome_total *t)
{
	struct slice rest = slice_from(key, 5);
	const uint8_t *k = (const uint8_t *)key.p;

	memset(t, 0, sizeof(*t));
	if (key.n < 5)
		return false;
	t->day = (int32_t)((uint32_t)k[1] << 24 | (uint32_t)k[2] << 16 |
	    (uint32_t)k[3] << 8 | k[4]);
	t->count = outcome_u64(value);
	switch (which) {
	case TOTALS_ADDRESS:
		return take_text(&rest, &t->address) &&
		    take_text(&rest, &t->provider) &&
		    take_text(&rest, &t->kind);
	case TOTALS_TENANT:
		return take_text(&rest, &t->tenant) &&
		    take_text(&rest, &t->stream) &&
		    take_text(&rest, &t->provider) &&
		    take_text(&rest, &t->kind) &&
		    take_text(&rest, &t->category);
	case TOTALS_DELAY:
		if (!take_text(&rest, &t->provider) || rest.n != 1)
			return false;
		t->bucket = rest.p[0];
		return true;
	}
	return false;
}

/* outcomes_totals - of some days */
int
outcomes_totals(struct outcomes *o, enum outcome_totals which, int32_t from,
    int32_t to, bool (*call)(void *, const struct outcome_total *),
    void *with, struct why *why)
{
	struct db_cursor *cursor = NULL;
	struct db_txn *txn = NULL;
	struct slice key, value;
	struct outcome_total t;
	uint32_t day = from > 0 ? (uint32_t)from : 0;
	uint8_t room[5] = { (uint8_t)which, (uint8_t)(day >> 24),
		(uint8_t)(day >> 16), (uint8_t)(day >> 8), (uint8_t)day };
	int got;

	if (db_begin(o->db, false, &txn, why) == -1)
		return -1;
	got = db_seek(txn, T_DAYS, (struct slice){ (char *)room, 5 }, &cursor,
	    &key, &value, why);
	for (; got == 1 && key.n > 0 && key.p[0] == (char)which;
	    got = db_next(cursor, &key, &value, why)) {
		if (!total_of(which, key, value, &t)) {
			got = why_kind(why, WHY_BROKEN,
			    "a row of totals makes no sense");
			break;
		}
		if (t.day > to || !call(with, &t))
			break;
	}
	db_cursor_close(cursor);
	db_abort(txn);
	return got == -1 ? -1 : 0;
}

/* read_u64 - fetch: a number in a row */
static int
read_u64(struct outcomes *o, unsigned table, struct slice key, uint64_t *n,
    struct why *why)
{
	struct db_txn *txn = NULL;
	struct slice value;
	int got;

	*n = 0;
	if (db_begin(o->db, false, &txn, why) == -1)
		return -1;
	if ((got = db_get(txn, table, key, &value, why)) == 1)
		*n = outcome_u64(value);
	db_abort(txn);
	return got;
}

/* outcomes_finals - of the counter of an open limit */
int
outcomes_finals(struct outcomes *o, const uint8_t key[16], uint64_t *n,
    struct why *why)
{
	return read_u64(o, T_FINALS, (struct slice){ (const char *)key, 16 },
	    n, why);
}

/* outcomes_counter - of the program itself */
int
outcomes_counter(struct outcomes *o, const char *name, uint64_t *n,
    struct why *why)
{
	char key[96] = "count ";
	size_t len = strnlen(name, sizeof(key) - 6);

	memcpy(key + 6, name, len);
	return read_u64(o, T_META, (struct slice){ key, len + 6 }, n, why) ==
	    -1 ? -1 : 0;
}

/* outcomes_applied - the gate's event that was read last */
int
outcomes_applied(struct outcomes *o, uint64_t *seq, struct why *why)
{
	return read_u64(o, T_META, SLICE("applied"), seq, why) == -1 ? -1 : 0;
}

/* read_copy - fetch: a row, copied */
static int
read_copy(struct outcomes *o, unsigned table, struct slice key,
    struct arena *arena, struct slice *value, struct why *why)
{
	struct db_txn *txn = NULL;
	int got;

	if (db_begin(o->db, false, &txn, why) == -1)
		return -1;
	if ((got = db_get(txn, table, key, value, why)) == 1 &&
	    (*value = arena_copy(arena, *value)).p == NULL)
		got = why_kind(why, WHY_MEMORY, "no memory for a row");
	db_abort(txn);
	return got;
}

/* outcomes_cursor - how far a log was read */
int
outcomes_cursor(struct outcomes *o, struct slice name, struct arena *arena,
    struct slice *value, struct why *why)
{
	return read_copy(o, T_CURSORS, name, arena, value, why);
}

/* outcomes_note - what the program said of itself */
int
outcomes_note(struct outcomes *o, const char *name, struct arena *arena,
    struct slice *value, struct why *why)
{
	return read_copy(o, T_META, slice_of(name), arena, value, why);
}

/* outcomes_row - of somebody else's table */
int
outcomes_row(struct outcomes *o, enum outcomes_table table, struct slice key,
    struct arena *arena, struct slice *value, struct why *why)
{
	return read_copy(o, T_THEIRS + (unsigned)table, key, arena, value,
	    why);
}

/* outcomes_each - the rows of such a table */
int
outcomes_each(struct outcomes *o, enum outcomes_table table, struct slice from,
    bool (*call)(void *, struct slice key, struct slice value), void *with,
    struct why *why)
{
	struct db_cursor *cursor = NULL;
	struct db_txn *txn = NULL;
	struct slice key, value;
	int got;

	if (db_begin(o->db, false, &txn, why) == -1)
		return -1;
	got = db_seek(txn, T_THEIRS + (unsigned)table, from, &cursor, &key,
	    &value, why);
	while (got == 1 && call(with, key, value))
		got = db_next(cursor, &key, &value, why);
	db_cursor_close(cursor);
	db_abort(txn);
	return got == -1 ? -1 : 0;
}

/* outcomes_samples - of what nobody understood, the latest first */
int
outcomes_samples(struct outcomes *o, const char *kind, struct arena *arena,
    struct slice *texts, int64_t *times, size_t *count, struct why *why)
{
	char key[64];
	size_t n = strnlen(kind, 60);
	uint64_t total;
	char name[80];

	*count = 0;
	memcpy(name, "strange ", 8);
	memcpy(name + 8, kind, n);
	name[8 + n] = '\0';
	if (outcomes_counter(o, name, &total, why) == -1)
		return -1;
	memcpy(key, kind, n);
	key[n] = '\0';
	for (uint64_t i = 1; i <= total && i <= OUTCOMES_SAMPLES; i++) {
		struct slice value;
		struct wire w;
		int got;

		key[n + 1] = (char)((total - i) % OUTCOMES_SAMPLES);
		got = read_copy(o, T_SAMPLES, (struct slice){ key, n + 2 },
		    arena, &value, why);
		if (got == -1)
			return -1;
		if (got == 0)
			continue;
		w = wire_of(value);
		times[*count] = get_i64(&w);
		texts[*count] = get_field(&w);
		*count += !w.bad;
	}
	return 0;
}
