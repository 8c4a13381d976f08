/*
 * released - tables, records and readers of release/.
 *
 * An LMDB environment of kind "release", format 1:
 *
 *	table	  key		  value
 *	done	  be64 sequence	  u8 format = 1, u8 result, i64 time, field
 *				  text, queue id
 *	trying	  be64 sequence	  u8 format = 1, u8 state, i64 time, u64 file,
 *				  field queue id
 *	records	  "inventory"	  u8 format = 1, i64 time, u64 ours, foreign,
 *				  i64 oldest, field trouble
 *
 * The sequence is that of the hold event everywhere.  A row of done lives
 * until the gate has forgotten its row of the message; a row of trying from
 * before the first rename in Postfix's queue until after the last word to
 * Postfix about it.  Both are few, so nobody needs an index.
 */
#include "lib/released.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/wire.h"

enum { FORMAT = 1, BATCH = 256 };

static const char *const tables[] = { "done", "trying", "records", NULL };
const struct db_layout released_layout = { .version = 1, .kind = "release",
	.tables = tables };
const char *const released_names[] = { "done", "gone", "dropped", "expired",
	"failed", NULL };

struct released_reader {
	char		*dir, *file;
	struct db	*db;		/* NULL: not there */
	dev_t		 dev;
	ino_t		 ino;
};

/* --- rows ----------------------------------------------------------------- */

/* senseless - bytes that are none of ours */
static int
senseless(struct why *why, const char *what)
{
	return why_set(why, "%s makes no sense, or was written by a newer "
	    "Penstock", what);
}

/* put_text - a field, cut where it is too long */
static void
put_text(struct buf *b, struct slice text)
{
	if (text.n > RELEASED_TEXT)
		text.n = RELEASED_TEXT;
	put_field(b, text);
}

/* released_encode - a row of done */
void
released_encode(const struct released *r, struct buf *b)
{
	put_u8(b, FORMAT);
	put_u8(b, (uint8_t)r->result);
	put_i64(b, r->time);
	put_text(b, r->text);
	put_field(b, r->queue_id);
}

/* released_decode - and back */
int
released_decode(uint64_t seq, struct slice value, struct released *r,
    struct why *why)
{
	struct wire w = wire_of(value);
	uint8_t format = get_u8(&w), result = get_u8(&w);

	r->seq = seq;
	r->result = result < RELEASED_RESULTS ?
	    (enum released_result)result : RELEASED_FAILED;
	r->time = get_i64(&w);
	r->text = get_field(&w);
	r->queue_id = get_field(&w);
	if (format != FORMAT || result >= RELEASED_RESULTS || w.bad ||
	    w.p != w.end || r->text.n > RELEASED_TEXT)
		return senseless(why, "what was done about a held message");
	return 0;
}

/* inventory_encode - the one record */
void
inventory_encode(const struct inventory *i, struct buf *b)
{
	put_u8(b, FORMAT);
	put_i64(b, i->time);
	put_u64(b, i->ours);
	put_u64(b, i->foreign);
	put_i64(b, i->oldest);
	put_text(b, i->trouble);
}

/* inventory_decode - and back */
int
inventory_decode(struct slice value, struct inventory *i, struct why *why)
{
	struct wire w = wire_of(value);
	uint8_t format = get_u8(&w);

	i->time = get_i64(&w);
	i->ours = get_u64(&w);
	i->foreign = get_u64(&w);
	i->oldest = get_i64(&w);
	i->trouble = get_field(&w);
	if (format != FORMAT || w.bad || w.p != w.end ||
	    i->trouble.n > RELEASED_TEXT)
		return senseless(why, "the inventory of the hold queue");
	return 0;
}

/* trying_encode - a row of trying */
void
trying_encode(const struct trying *t, struct buf *b)
{
	put_u8(b, FORMAT);
	put_u8(b, t->state);
	put_i64(b, t->time);
	put_u64(b, t->file);
	put_field(b, t->queue_id);
}

/* trying_decode - and back */
int
trying_decode(uint64_t seq, struct slice value, struct trying *t,
    struct why *why)
{
	struct wire w = wire_of(value);
	uint8_t format = get_u8(&w);

	t->seq = seq;
	t->state = get_u8(&w);
	t->time = get_i64(&w);
	t->file = get_u64(&w);
	t->queue_id = get_field(&w);
	if (format != FORMAT || w.bad || w.p != w.end)
		return senseless(why, "the note of an order under way");
	return 0;
}

/* --- the owner ------------------------------------------------------------ */

/* released_open - as penstock-release */
int
released_open(struct db **db, const char *dir, uint64_t map_size,
    struct why *why)
{
	return db_open_owner(db, dir, &released_layout, map_size, why);
}

/* put - a row under a sequence; the buffer is freed */
static int
put(struct db_txn *txn, unsigned table, uint64_t seq, struct buf *b,
    struct why *why)
{
	uint8_t key[8];
	int rc;

	be64_put(key, seq);
	rc = buf_failed(b) ? why_kind(why, WHY_MEMORY, "no memory for a row") :
	    db_put(txn, table, (struct slice){ (char *)key, 8 }, buf_slice(b),
	    why);
	buf_free(b);
	return rc;
}

/* drop - a row under a sequence */
static int
drop(struct db_txn *txn, unsigned table, uint64_t seq, struct why *why)
{
	uint8_t key[8];

	be64_put(key, seq);
	return db_delete(txn, table, (struct slice){ (char *)key, 8 }, why);
}

/* released_put - what was done */
int
released_put(struct db_txn *txn, const struct released *r, struct why *why)
{
	struct buf b = BUF_INIT;

	released_encode(r, &b);
	return put(txn, RELEASED_T_DONE, r->seq, &b, why);
}

/* released_drop - the gate has read it */
int
released_drop(struct db_txn *txn, uint64_t seq, struct why *why)
{
	return drop(txn, RELEASED_T_DONE, seq, why);
}

/* released_get - one row */
int
released_get(struct db_txn *txn, uint64_t seq, struct released *r,
    struct why *why)
{
	struct slice value;
	uint8_t key[8];
	int got;

	be64_put(key, seq);
	got = db_get(txn, RELEASED_T_DONE, (struct slice){ (char *)key, 8 },
	    &value, why);
	if (got == 1 && released_decode(seq, value, r, why) == -1)
		return -1;
	return got;
}

/* inventory_put - the one record */
int
inventory_put(struct db_txn *txn, const struct inventory *i, struct why *why)
{
	struct buf b = BUF_INIT;
	int rc;

	inventory_encode(i, &b);
	rc = buf_failed(&b) ? why_kind(why, WHY_MEMORY, "no memory for a "
	    "record") : db_put(txn, RELEASED_T_RECORDS, SLICE("inventory"),
	    buf_slice(&b), why);
	buf_free(&b);
	return rc;
}

/* trying_put - an order that begins */
int
trying_put(struct db_txn *txn, const struct trying *t, struct why *why)
{
	struct buf b = BUF_INIT;

	trying_encode(t, &b);
	return put(txn, RELEASED_T_TRYING, t->seq, &b, why);
}

/* trying_drop - it is over */
int
trying_drop(struct db_txn *txn, uint64_t seq, struct why *why)
{
	return drop(txn, RELEASED_T_TRYING, seq, why);
}

/* --- rows in order -------------------------------------------------------- */

struct walk {
	struct db_cursor *cursor;
	struct slice	 key, value;
};

/* step - the next row, of a table whose keys are sequences: fetch */
static int
step(struct db_txn *txn, unsigned table, uint64_t from, struct walk *w,
    uint64_t *seq, struct why *why)
{
	uint8_t key[8];
	int got;

	be64_put(key, from);
	got = w->cursor != NULL ? db_next(w->cursor, &w->key, &w->value, why) :
	    db_seek(txn, table, (struct slice){ (char *)key, 8 }, &w->cursor,
	    &w->key, &w->value, why);
	if (got == 1 && w->key.n != 8)
		return why_kind(why, WHY_BROKEN, "a key of release/ is no "
		    "sequence");
	if (got == 1)
		*seq = be64_get((const uint8_t *)w->key.p);
	return got;
}

/* trying_rows - what is under way */
int
trying_rows(struct db_txn *txn, uint64_t from, size_t n, struct trying *out,
    size_t *got, struct why *why)
{
	struct walk w = { .cursor = NULL };
	uint64_t seq;
	int rc = 0;

	for (*got = 0; *got < n && (rc = step(txn, RELEASED_T_TRYING, from, &w,
	    &seq, why)) == 1; ++*got)
		if ((rc = trying_decode(seq, w.value, &out[*got], why)) == -1)
			break;
	db_cursor_close(w.cursor);
	return rc == -1 ? -1 : 0;
}

/* released_rows - what was done */
int
released_rows(struct db_txn *txn, uint64_t from, size_t n,
    struct released *out, size_t *got, struct why *why)
{
	struct walk w = { .cursor = NULL };
	uint64_t seq;
	int rc = 0;

	for (*got = 0; *got < n && (rc = step(txn, RELEASED_T_DONE, from, &w,
	    &seq, why)) == 1; ++*got)
		if ((rc = released_decode(seq, w.value, &out[*got],
		    why)) == -1)
			break;
	db_cursor_close(w.cursor);
	return rc == -1 ? -1 : 0;
}

/* --- readers -------------------------------------------------------------- */

/* released_reader - names only */
int
released_reader(struct released_reader **out, const char *root,
    struct why *why)
{
	struct released_reader *r = calloc(1, sizeof(*r));

	*out = NULL;
	if (r == NULL || asprintf(&r->dir, "%s/release", root) == -1) {
		free(r);
		return why_kind(why, WHY_MEMORY, "no memory");
	}
	if (asprintf(&r->file, "%s/data.mdb", r->dir) == -1) {
		free(r->dir);
		free(r);
		return why_kind(why, WHY_MEMORY, "no memory");
	}
	*out = r;
	return 0;
}

/* released_reader_close - and the names */
void
released_reader_close(struct released_reader *r)
{
	if (r == NULL)
		return;
	db_close(r->db);
	free(r->file);
	free(r->dir);
	free(r);
}

/* begin - fetch: a transaction on the store that is there now */
static int
begin(struct released_reader *r, struct db_txn **txn, struct why *why)
{
	struct stat st = { .st_ino = 0 };
	int got;

	*txn = NULL;
	if (stat(r->file, &st) == -1 || r->db == NULL || st.st_dev != r->dev ||
	    st.st_ino != r->ino) {
		db_close(r->db);
		r->db = NULL;
		if (st.st_ino == 0)
			return 0;
		got = db_open_reader(&r->db, r->dir, &released_layout, why);
		if (got != 1) {
			r->db = NULL;
			return got;
		}
		r->dev = st.st_dev;
		r->ino = st.st_ino;
	}
	return db_begin(r->db, false, txn, why) == -1 ? -1 : 1;
}

/* released_read - copied, so that no transaction stays open */
int
released_read(struct released_reader *r, uint64_t from, size_t n,
    struct arena *arena, struct released *out, size_t *got, struct why *why)
{
	struct db_txn *txn;
	int rc = begin(r, &txn, why);

	*got = 0;
	if (rc == 1)
		rc = released_rows(txn, from, n, out, got, why);
	for (size_t i = 0; rc == 0 && i < *got; i++) {
		out[i].text = arena_copy(arena, out[i].text);
		out[i].queue_id = arena_copy(arena, out[i].queue_id);
		if (out[i].text.p == NULL || out[i].queue_id.p == NULL)
			rc = why_kind(why, WHY_MEMORY, "no memory for rows of "
			    "release/");
	}
	db_abort(txn);
	return rc == -1 ? -1 : 0;
}

/* released_inventory - the one record */
int
released_inventory(struct released_reader *r, struct arena *arena,
    struct inventory *out, struct why *why)
{
	struct slice value;
	struct db_txn *txn;
	int got = begin(r, &txn, why);

	if (got == 1)
		got = db_get(txn, RELEASED_T_RECORDS, SLICE("inventory"),
		    &value, why);
	if (got == 1 && inventory_decode(value, out, why) == -1)
		got = -1;
	if (got == 1 && (out->trouble = arena_copy(arena,
	    out->trouble)).p == NULL)
		got = why_kind(why, WHY_MEMORY, "no memory for the inventory");
	db_abort(txn);
	return got;
}

/* --- verify --------------------------------------------------------------- */

/* read_all - every record of an environment, some at a time */
static int
read_all(struct db *db, struct released_tally *tally, struct why *why)
{
	static const struct inventory none;
	struct released done[BATCH];
	struct trying trying[BATCH];
	struct inventory inventory = none;
	struct db_txn *txn = NULL;
	uint64_t from = 0;
	struct slice value;
	size_t got = 0;
	int rc = -1;

	memset(tally, 0, sizeof(*tally));
	if (db_begin(db, false, &txn, why) == -1)
		return -1;
	do {
		if (released_rows(txn, from, BATCH, done, &got, why) == -1)
			goto out;
		tally->done += got;
		from = got > 0 ? done[got - 1].seq + 1 : 0;
	} while (got == BATCH);
	from = 0;
	do {
		if (trying_rows(txn, from, BATCH, trying, &got, why) == -1)
			goto out;
		tally->trying += got;
		from = got > 0 ? trying[got - 1].seq + 1 : 0;
	} while (got == BATCH);
	rc = db_get(txn, RELEASED_T_RECORDS, SLICE("inventory"), &value, why);
	if (rc == 1)
		rc = inventory_decode(value, &inventory, why);
out:
	db_abort(txn);
	if (rc == -1)
		why->kind = WHY_BROKEN;
	return rc;
}

/* released_verify - pages, then records */
int
released_verify(const char *dir, struct released_tally *tally,
    struct why *why)
{
	struct db *db = NULL;
	int rc;

	if (db_verify(dir, &released_layout, why) == -1)
		return -1;
	rc = db_open_reader(&db, dir, &released_layout, why);
	if (rc == 0)
		rc = why_set(why, "there is no store in %s", dir);
	else if (rc == 1)
		rc = read_all(db, tally, why);
	db_close(db);
	return rc;
}
