/*
 * outcome - the outcomes/ store: its tables byte by byte, and a transaction.
 *
 * An LMDB environment of kind "outcomes", format 2.  Numbers in values are
 * little-endian, in keys big-endian, so that they sort; "field" is u32 length
 * and that many bytes; text in keys ends with a zero byte.
 *
 *	table	     key			value
 *	meta	     "secret"			u8[32] for the address index
 *		     "applied"			u64 gate event read last
 *		     "count NAME"		u64
 *		     "status"			its program's word about itself
 *						(ingest_status.c)
 *		     "prune"			how far a round is (prune.c)
 *	outcomes     be64 sequence		a record (outcome_code.c)
 *	hours	     be32 hour since 1970	u64 first, last sequence of an
 *						outcome of that hour
 *	messages     text instance,		message, below
 *		     text queue id,
 *		     be64 generation
 *	index	     runs (outcome_run.c) of	event; roles, or 4: it was a
 *		     keyed hash of an address	Message-ID
 *		     or of a Message-ID
 *	by_event     runs of event		sequence
 *	days	     "t" be32 day, text tenant,	u64 count
 *		     stream, provider, kind,
 *		     category
 *		     "a" be32 day, text		u64 count
 *		     address, provider, kind
 *		     "d" be32 day, text		u64 count
 *		     provider, u8 bucket
 *		     "w" ...			lib/fate.c
 *	finals	     u8[16] counter of an open	u64 recipients that became final
 *		     limit
 *	domains	     recipient domain		lib/happenings.c
 *	cursors	     name of a log		its reader's (follow.c)
 *	samples	     text kind, u8 slot		i64 time, field sample
 *	suppressions, backoff, dmarc, quarantine, breakers,
 *	strikes: rows of other modules
 *
 *	message: u8 format = 1 or 2, u8 flags (1 a notice), u64 event, i64
 *	first, last, expired, removed, u32 accepted, final, field tenant, group,
 *	stream, campaign, pool, address, u32 open limits, each: u8[16] key,
 *	i64 amount; u32 recipients, each: u8[8] hash of the address in lower
 *	case, u16 kinds seen (bit i: the i-th kind; 0x8000 the event names it,
 *	0x4000 as a local one, 0x2000 the log told its bounce), i32 first day
 *	deferred, u32 days (bit i: on day + i); format 2: u32 warmups, each:
 *	u8[16] counter of a day
 *
 * The generation of a message is the sequence of its event; a message that
 * has none gets 2^63 + the second of its first line.  So a queue id that
 * comes again (short ones do) is another message, and lines find theirs by
 * time.
 *
 * Sums (days, finals, counts) and messages are kept in memory while a
 * transaction lasts and written at its end, once each: the log speaks of a
 * message some seven times.  An outcome, its indexes and its sums are there
 * together or not at all.
 *
 * Not chosen: one row per recipient (twice the rows for mail that mostly has
 * one), ids for the names in the keys of totals (a report would have to
 * guess the names of tenants that are gone).
 */
#include "reputation/outcome.h"
#include "reputation/outcome_in.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "lib/wire.h"

const char *const outcomes_tables[] = { "meta", "outcomes", "hours", "messages",
	"by_event", "index", "days", "finals", "domains",
	"cursors", "samples", "suppressions", "backoff", "dmarc",
	"quarantine", "breakers", "strikes", NULL };
const struct db_layout outcomes_layout = { .version = 2, .kind = "outcomes",
	.tables = outcomes_tables };

enum { CACHE_FIRST = 1 << 20 };

/* outcome_be64 - a number as a key */
struct slice
outcome_be64(uint64_t v, uint8_t room[8])
{
	be64_put(room, v);
	return (struct slice){ (const char *)room, 8 };
}

/* outcome_u64 - a number that is the value of a row */
uint64_t
outcome_u64(struct slice value)
{
	struct wire w = wire_of(value);

	return value.n == 8 ? get_u64(&w) : 0;
}

/* outcomes_new - the struct around an environment; takes it */
static struct outcomes *
outcomes_new(struct db *db, struct why *why)
{
	struct outcomes *o = calloc(1, sizeof(*o));

	if (o == NULL) {
		db_close(db);
		why_kind(why, WHY_MEMORY, "no memory to open a store");
		return NULL;
	}
	o->db = db;
	return o;
}

/* read_secret - fetch: the key of the address index */
static int
read_secret(struct outcomes *o, struct db_txn *txn, struct why *why)
{
	struct slice value;
	int got = db_get(txn, T_META, SLICE("secret"), &value, why);

	if (got != 1)
		return got;
	if (value.n != sizeof(o->secret))
		return why_kind(why, WHY_BROKEN,
		    "the key of the address index has %zu bytes", value.n);
	memcpy(o->secret, value.p, sizeof(o->secret));
	return 1;
}

/* make_secret - once, in a new store */
static int
make_secret(struct outcomes *o, struct why *why)
{
	if (getrandom(o->secret, sizeof(o->secret), 0) !=
	    sizeof(o->secret))
		return why_errno(why, "no random bytes");
	if (outcomes_begin(o, why) == -1)
		return -1;
	if (outcome_put(o, T_META, SLICE("secret"), (struct slice){
	    (const char *)o->secret, sizeof(o->secret) }, why) == -1) {
		outcomes_abort(o);
		return -1;
	}
	return outcomes_commit(o, why);
}

/* caches - what the writer has in memory */
static int
caches(struct outcomes *o, struct why *why)
{
	o->arena = arena_new(CACHE_FIRST, 0);
	o->messages = map_new();
	o->sums = map_new();
	o->hours = map_new();
	if (o->arena == NULL || o->messages == NULL || o->sums == NULL ||
	    o->hours == NULL)
		return why_kind(why, WHY_MEMORY, "no memory for the store");
	return 0;
}

/* outcomes_open - as the owner; goes on behind the last outcome */
int
outcomes_open(struct outcomes **out, const char *dir, uint64_t map_size,
    struct why *why)
{
	struct db_txn *txn = NULL;
	struct slice key, value;
	struct outcomes *o = NULL;
	struct db *db = NULL;
	int rc = -1, got;

	*out = NULL;
	if (fold_init(why) == -1 ||
	    db_open_owner(&db, dir, &outcomes_layout, map_size, why) == -1 ||
	    (o = outcomes_new(db, why)) == NULL)
		return -1;
	if (caches(o, why) == -1 || db_begin(db, false, &txn, why) == -1 ||
	    (got = db_last(txn, T_OUTCOMES, &key, &value, why)) == -1)
		goto out;
	if (got == 1 && key.n == 8)
		o->kept_seq = be64_get((const uint8_t *)key.p);
	if ((got = read_secret(o, txn, why)) == -1)
		goto out;
	db_abort(txn);
	txn = NULL;
	if (got == 0 && make_secret(o, why) == -1)
		goto out;
	rc = 0;
out:
	db_abort(txn);
	if (rc == -1)
		outcomes_close(o);
	else
		*out = o;
	return rc;
}

/* outcomes_open_read - somebody else's */
int
outcomes_open_read(struct outcomes **out, const char *dir, struct why *why)
{
	struct db_txn *txn = NULL;
	struct outcomes *o;
	struct db *db = NULL;
	int rc = db_open_reader(&db, dir, &outcomes_layout, why);

	*out = NULL;
	if (rc != 1)
		return rc;
	if ((o = outcomes_new(db, why)) == NULL)
		return -1;
	if (db_begin(db, false, &txn, why) == -1 ||
	    read_secret(o, txn, why) == -1)
		rc = -1;
	db_abort(txn);
	if (rc == -1)
		outcomes_close(o);
	else
		*out = o;
	return rc;
}

/* outcomes_close - a transaction that is open is dropped */
void
outcomes_close(struct outcomes *o)
{
	if (o == NULL)
		return;
	outcomes_abort(o);
	map_free(o->messages);
	map_free(o->sums);
	map_free(o->hours);
	outcome_runs_forget(o);
	arena_free(o->arena);
	db_close(o->db);
	buf_free(&o->buf);
	free(o);
}

/* outcomes_db - for what the door to LMDB does itself */
struct db *
outcomes_db(struct outcomes *o)
{
	return o->db;
}

/* --- a transaction ------------------------------------------------------- */

/* forget - the cache of a transaction that has ended */
static void
forget(struct outcomes *o)
{
	struct map **maps[] = { &o->messages, &o->sums, &o->hours };

	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
		struct map *fresh = map_new();

		if (fresh == NULL) {	/* empty the old one instead */
			struct slice key;
			void *value;
			size_t at = 0;

			while (map_next(*maps[i], &at, &key, &value)) {
				map_remove(*maps[i], key);
				at = 0;
			}
			continue;
		}
		map_free(*maps[i]);
		*maps[i] = fresh;
	}
	outcome_runs_forget(o);
	arena_reset(o->arena);
}

/* outcomes_begin - room is reserved, nothing written */
int
outcomes_begin(struct outcomes *o, struct why *why)
{
	if (o->txn != NULL)
		return why_set(why, "a transaction is open already");
	if (db_begin(o->db, true, &o->txn, why) == -1)
		return -1;
	o->bad = false;
	o->puts = 0;
	o->seq = o->kept_seq;
	return 0;
}

/* outcomes_abort - as if it had not begun */
void
outcomes_abort(struct outcomes *o)
{
	db_cursor_close(o->cursor);
	o->cursor = NULL;
	if (o->txn == NULL)
		return;
	db_abort(o->txn);
	o->txn = NULL;
	o->seq = o->kept_seq;
	forget(o);
}

/* write_sums - every sum once */
static int
write_sums(struct outcomes *o, struct why *why)
{
	struct slice key, value, in;
	void *sum;
	size_t at = 0;

	while (map_next(o->sums, &at, &key, &sum)) {
		unsigned table = (unsigned char)key.p[0];
		int got;

		in = slice_from(key, 1);
		if ((got = db_get(o->txn, table, in, &value, why)) == -1)
			return outcome_fail(o, why);
		buf_reset(&o->buf);
		put_u64(&o->buf, (got == 1 ? outcome_u64(value) : 0) +
		    *(uint64_t *)sum);
		if (outcome_put_buf(o, table, in, why) == -1)
			return -1;
	}
	return 0;
}

/* write_hours - every hour that had an outcome */
static int
write_hours(struct outcomes *o, struct why *why)
{
	struct slice key, value;
	void *kept;
	size_t at = 0;

	while (map_next(o->hours, &at, &key, &kept)) {
		uint64_t *span = kept, first, last;
		struct wire w;
		int got = db_get(o->txn, T_HOURS, key, &value, why);

		if (got == -1)
			return outcome_fail(o, why);
		w = wire_of(value);
		if (got == 1 && value.n == 16) {
			first = get_u64(&w);
			last = get_u64(&w);
			if (first < span[0])
				span[0] = first;
			if (last > span[1])
				span[1] = last;
		}
		buf_reset(&o->buf);
		put_u64(&o->buf, span[0]);
		put_u64(&o->buf, span[1]);
		if (outcome_put_buf(o, T_HOURS, key, why) == -1)
			return -1;
	}
	return 0;
}

/* outcomes_commit - on disk, all of it */
int
outcomes_commit(struct outcomes *o, struct why *why)
{
	struct db_txn *txn;

	if (!o->bad && (outcome_messages_write(o, why) == -1 ||
	    write_sums(o, why) == -1 || write_hours(o, why) == -1 ||
	    outcome_runs_write(o, why) == -1))
		o->bad = true;
	if (o->bad) {
		*why = o->failed;
		outcomes_abort(o);
		return -1;
	}
	db_cursor_close(o->cursor);
	o->cursor = NULL;
	txn = o->txn;
	o->txn = NULL;
	if (db_commit(txn, why) == -1) {
		o->seq = o->kept_seq;
		forget(o);
		return -1;
	}
	o->kept_seq = o->seq;
	forget(o);
	return 0;
}

/* outcomes_pending - how much a commit would write */
size_t
outcomes_pending(const struct outcomes *o)
{
	return o->puts + map_count(o->messages) + map_count(o->sums);
}

/* --- rows ---------------------------------------------------------------- */

/* outcome_fail - what fails behind it says the same */
int
outcome_fail(struct outcomes *o, struct why *why)
{
	if (o->bad)
		*why = o->failed;
	else
		o->failed = *why;
	o->bad = true;
	return -1;
}

/* outcome_put - one row */
int
outcome_put(struct outcomes *o, unsigned table, struct slice key,
    struct slice value, struct why *why)
{
	o->puts++;
	if (db_put(o->txn, table, key, value, why) == -1)
		return outcome_fail(o, why);
	return 0;
}

/* outcome_put_buf - one row whose value was built in o->buf */
int
outcome_put_buf(struct outcomes *o, unsigned table, struct slice key,
    struct why *why)
{
	if (buf_failed(&o->buf)) {
		why_kind(why, WHY_MEMORY, "no memory to write a row");
		return outcome_fail(o, why);
	}
	return outcome_put(o, table, key, buf_slice(&o->buf), why);
}

/* outcome_append_buf - the same, behind all others of its table */
int
outcome_append_buf(struct outcomes *o, unsigned table, struct slice key,
    struct why *why)
{
	if (buf_failed(&o->buf)) {
		why_kind(why, WHY_MEMORY, "no memory to write a row");
		return outcome_fail(o, why);
	}
	o->puts++;
	if (db_append(o->txn, table, key, buf_slice(&o->buf), why) == -1)
		return outcome_fail(o, why);
	return 0;
}

/* outcome_sum - add to a counter, in memory until the commit */
int
outcome_sum(struct outcomes *o, unsigned table, struct slice key, int64_t add,
    struct why *why)
{
	char room[DB_KEY_MAX + 1];
	struct slice whole = { room, key.n + 1 }, kept;
	uint64_t *sum;

	if (key.n > DB_KEY_MAX) {
		why_set(why, "a key of %zu bytes is too long", key.n);
		return outcome_fail(o, why);
	}
	room[0] = (char)table;
	memcpy(room + 1, key.p, key.n);
	if ((sum = map_get(o->sums, whole)) == NULL) {
		kept = arena_copy(o->arena, whole);
		sum = arena_alloc(o->arena, sizeof(*sum));
		if (kept.p == NULL || sum == NULL ||
		    map_set(o->sums, kept, sum) == -1) {
			why_kind(why, WHY_MEMORY, "no memory for a sum");
			return outcome_fail(o, why);
		}
	}
	*sum += (uint64_t)add;
	return 0;
}

/* outcomes_put_cursor - how far a log was read */
int
outcomes_put_cursor(struct outcomes *o, struct slice name, struct slice value,
    struct why *why)
{
	return outcome_put(o, T_CURSORS, name, value, why);
}

/* outcomes_put_note - the program's word about itself */
int
outcomes_put_note(struct outcomes *o, const char *name, struct slice text,
    struct why *why)
{
	return outcome_put(o, T_META, slice_of(name), text, why);
}

/* outcomes_put_applied - how far the gate's events were read */
int
outcomes_put_applied(struct outcomes *o, uint64_t seq, struct why *why)
{
	buf_reset(&o->buf);
	put_u64(&o->buf, seq);
	return outcome_put_buf(o, T_META, SLICE("applied"), why);
}

/* outcomes_count - one of the program's own counters */
int
outcomes_count(struct outcomes *o, const char *name, int64_t add,
    struct why *why)
{
	char key[96] = "count ";
	size_t n = strnlen(name, sizeof(key) - 6);

	memcpy(key + 6, name, n);
	return outcome_sum(o, T_META, (struct slice){ key, n + 6 }, add, why);
}

/* outcomes_strange - counted, and one of the last of its kind */
int
outcomes_strange(struct outcomes *o, const char *kind, int64_t time,
    struct slice sample, struct why *why)
{
	char key[96], name[80] = "strange ";
	size_t n = strnlen(kind, 60);
	struct slice counted = { key, n + 14 }, value;
	uint64_t before, *now;
	int got;

	memcpy(name + 8, kind, n);
	memcpy(key, "count ", 6);
	memcpy(key + 6, name, n + 8);
	if ((got = db_get(o->txn, T_META, counted, &value, why)) == -1)
		return outcome_fail(o, why);
	before = got == 1 ? outcome_u64(value) : 0;
	if (outcomes_count(o, name, 1, why) == -1)
		return -1;
	memmove(key + 1, key, counted.n);
	key[0] = (char)T_META;
	now = map_get(o->sums, (struct slice){ key, counted.n + 1 });
	if (now != NULL)
		before += *now - 1;
	memcpy(key, kind, n);
	key[n] = '\0';
	key[n + 1] = (char)(before % OUTCOMES_SAMPLES);
	if (sample.n > 512)
		sample.n = 512;
	buf_reset(&o->buf);
	put_i64(&o->buf, time);
	put_field(&o->buf, sample);
	return outcome_put_buf(o, T_SAMPLES, (struct slice){ key, n + 2 }, why);
}

/* outcomes_put - a row of somebody else's table */
int
outcomes_put(struct outcomes *o, enum outcomes_table table, struct slice key,
    struct slice value, struct why *why)
{
	return outcome_put(o, T_THEIRS + (unsigned)table, key, value, why);
}

/* outcomes_delete - and away with one */
int
outcomes_delete(struct outcomes *o, enum outcomes_table table,
    struct slice key, struct why *why)
{
	int got = db_delete(o->txn, T_THEIRS + (unsigned)table, key, why);

	o->puts++;
	return got == -1 ? outcome_fail(o, why) : got;
}

/* outcomes_get - as the transaction sees it */
int
outcomes_get(struct outcomes *o, enum outcomes_table table, struct slice key,
    struct slice *value, struct why *why)
{
	int got = db_get(o->txn, T_THEIRS + (unsigned)table, key, value, why);

	return got == -1 ? outcome_fail(o, why) : got;
}
