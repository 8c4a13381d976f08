/*
 * desk - the store of decisions: one environment, several writers in turn.
 *
 * An LMDB environment of kind "desk", format 1:
 *
 *	table		key		value
 *	records		be64 sequence	a decision (desk_record.c); dense, but
 *					in front of one of kind "anew"
 *	suppressions	lib/suppress.c's own
 *	snapshots	reputation/snapshot_store.c's own; a desk that was
 *			made before there were any gets it from the next
 *			operator who decides something
 *
 * Why no table of what is in force.  It would be a second truth beside the
 * records.  Everybody who acts on the desk has its own store and keeps there
 * what it has applied, with the sequence; a command line reads the records
 * from the first on, which for ten thousand decisions takes milliseconds.
 *
 * Why a lock of our own in front of LMDB's.  LMDB's writer lock has no
 * time-out: an operator who stops his shell with Ctrl-Z in the wrong moment
 * would stop all others.  flock is asked for and given up after DESK_PATIENCE,
 * with the other's pid in the sentence.
 *
 * The chain tells tampering from the inside only: who can write the store can
 * write a new chain.  So the gate keeps the end of the chain in its own store,
 * where no operator writes, and `penstock audit --verify` compares.
 */
#include "lib/desk.h"

#include <ctype.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/text.h"
#include "lib/wire.h"

enum { SALT = 16 };

static const char *const tables[] = { "records", "suppressions", "snapshots",
	NULL };
static const struct db_layout layout = { .version = 1, .kind = "desk",
	.tables = tables, .first = 2 };
/* As a Penstock made it that knew of no snapshots; only who writes adds. */
static const char *const old_tables[] = { "records", "suppressions", NULL };
static const struct db_layout old_layout = { .version = 1, .kind = "desk",
	.tables = old_tables };

struct desk {
	struct db	*db;
	struct db_txn	*txn;		/* a writer's, as all below */
	struct buf	 buf;
	uint64_t	 seq;		/* last one, in txn */
	uint8_t		 chain[HASH_SHA256];
};

/* desk_new - the struct around an environment; takes it */
static struct desk *
desk_new(struct db *db, struct why *why)
{
	struct desk *d = calloc(1, sizeof(*d));

	if (d == NULL) {
		db_close(db);
		why_kind(why, WHY_MEMORY, "no memory to open the desk");
		return NULL;
	}
	d->db = db;
	return d;
}

/* folder - made by root without a group penstock, it is for those who read the
 * gate's store; otherwise lib/db makes it */
static void
folder(const char *dir)
{
	struct stat st;
	char *gate = NULL;

	if (geteuid() == 0 && asprintf(&gate, "%s/../gate", dir) != -1 &&
	    access(dir, F_OK) == -1 && errno == ENOENT &&
	    mkdir(dir, 0750) == 0) {
		if (stat(gate, &st) == 0 &&
		    chown(dir, (uid_t)-1, st.st_gid) == -1) {
			/* its own group is kept */
		}
		(void)chmod(dir, S_ISGID | 0770);
	}
	free(gate);
}

/* desk_open - to write, as soon as nobody else does */
int
desk_open(struct desk **out, const char *dir, uint64_t map_size,
    struct why *why)
{
	struct db *db = NULL;
	struct stat st;

	*out = NULL;
	folder(dir);
	if (db_open_shared(&db, dir, &layout, map_size, DESK_PATIENCE,
	    why) == -1) {
		if (why->kind == WHY_BUSY)
			return why_in(why, "another operator is at the desk");
		if (why->kind != WHY_OTHER)
			return -1;
		if (stat(dir, &st) == -1 && errno == ENOENT)
			return why_in(why, "no desk yet, and root must make it "
			    "(install -d -m 2770 -g penstock %s)", dir);
		return access(dir, W_OK) == 0 ? -1 : why_in(why, "decisions "
		    "are for the group of the folder %s", dir);
	}
	return (*out = desk_new(db, why)) != NULL ? 0 : -1;
}

/* desk_open_read - to look, and to follow */
int
desk_open_read(struct desk **out, const char *dir, struct why *why)
{
	struct db_about about;
	struct db *db = NULL;
	int rc = db_look(dir, &about, why);

	*out = NULL;
	if (rc == 1)
		rc = db_open_reader(&db, dir, about.ntables >
		    layout.first ? &layout : &old_layout, why);
	if (rc != 1)
		return rc;
	return (*out = desk_new(db, why)) != NULL ? 1 : -1;
}

/* desk_close - a transaction that is open is dropped */
void
desk_close(struct desk *d)
{
	if (d == NULL)
		return;
	db_abort(d->txn);
	db_close(d->db);
	buf_free(&d->buf);
	free(d);
}

/* desk_db - for rows of others in the same environment */
struct db *
desk_db(struct desk *d)
{
	return d->db;
}

/* desk_same - is it still the file that others open? */
int
desk_same(struct desk *d, struct why *why)
{
	return db_check_file(d->db, why);
}

/* desk_verify - before anybody trusts a page */
int
desk_verify(const char *dir, struct why *why)
{
	return db_verify(dir, NULL, why);
}

/* --- who and why ---------------------------------------------------------- */

/* name_of - of a user; "" when there is none */
static struct slice
name_of(uid_t uid, struct arena *arena)
{
	struct passwd pw, *found = NULL;
	struct slice name;
	char room[4096];

	if (getpwuid_r(uid, &pw, room, sizeof(room), &found) != 0 ||
	    found == NULL)
		return SLICE("");
	name = arena_copy(arena, slice_of(found->pw_name));
	return name.p != NULL ? name : SLICE("");
}

/* desk_who - root may say for whom it acts, nobody else */
void
desk_who(struct desk_record *r, struct arena *arena)
{
	const char *text = geteuid() == 0 ? getenv("SUDO_UID") : NULL;
	unsigned long uid;
	char *end;

	r->uid = getuid();
	r->user = name_of(getuid(), arena);
	r->sudo = SLICE("");
	if (text == NULL || !isdigit((unsigned char)text[0]))
		return;
	errno = 0;
	uid = strtoul(text, &end, 10);
	if (errno != 0 || *end != '\0' || uid >= UINT32_MAX)
		return;
	r->sudo = name_of((uid_t)uid, arena);
	if (r->sudo.n == 0 && (end = arena_printf(arena, "uid %lu",
	    uid)) != NULL)
		r->sudo = slice_of(end);
}

/* desk_reason - it goes into replies and logs: one line, printable */
int
desk_reason(struct slice reason, struct why *why)
{
	struct quoted q;
	size_t i, n;

	if (slice_trim(reason).n == 0)
		return why_set(why, "the reason is empty; write for whoever "
		    "reads it at night: --reason \"invoice 4711 unpaid\"");
	if (reason.n > DESK_TEXT)
		return why_set(why, "the reason has %zu bytes, at most %d are "
		    "kept", reason.n, DESK_TEXT);
	for (i = 0; i < reason.n; i += n) {
		unsigned char c = (unsigned char)reason.p[i];

		n = text_utf8(reason.p + i, reason.n - i);
		if (n == 0 || c < ' ' || c == 0x7f ||
		    (c == 0xc2 && (unsigned char)reason.p[i + 1] < 0xa0))
			return why_set(why, "the reason must be one line of "
			    "printable text, not %s", text_quote(reason, &q));
	}
	return 0;
}

/* complete - has a record what its kind needs? */
static int
complete(const struct desk_record *r, struct why *why)
{
	static const char *const words[] = { "a reason", "a tenant", "a limit",
		"a subject", "an object", "an end (until)" };
	bool lacks[6];
	unsigned i;

	if (r->kind == 0 || r->kind >= DESK_KINDS)
		return why_set(why, "there is no decision of kind %u",
		    r->kind);
	lacks[0] = r->reason.n == 0;
	lacks[1] = r->tenant.n == 0;
	lacks[2] = r->limit.n == 0;
	lacks[3] = r->subject.n == 0;
	lacks[4] = r->object.n == 0;
	lacks[5] = r->until == 0;
	for (i = 0; i < 6; i++)
		if ((desk_kinds[r->kind].needs >> i & 1) != 0 && lacks[i])
			return why_set(why, "a decision of kind %s needs %s",
			    desk_kinds[r->kind].name, words[i]);
	return r->reason.n > 0 ? desk_reason(r->reason, why) : 0;
}

/* --- writing -------------------------------------------------------------- */

/* tail - sequence and chain of the last row; zeros when there is none */
static int
tail(struct db_txn *txn, uint64_t *seq, uint8_t chain[HASH_SHA256],
    struct why *why)
{
	struct slice key, value;
	struct desk_row row;
	int got;

	*seq = 0;
	memset(chain, 0, HASH_SHA256);
	got = db_last(txn, DESK_T_RECORDS, &key, &value, why);
	if (got != 1)
		return got;
	if (key.n != 8)
		return why_kind(why, WHY_BROKEN, "the last key of the desk "
		    "makes no sense; penstock audit --verify tells more");
	*seq = be64_get((const uint8_t *)key.p);
	if (desk_decode(value, &row, why) == -1)
		return why_in(why, "desk:%llu", (unsigned long long)*seq);
	memcpy(chain, row.chain, HASH_SHA256);
	return 0;
}

/* desk_begin - behind the last record */
int
desk_begin(struct desk *d, struct db_txn **txn, struct why *why)
{
	*txn = NULL;
	if (db_begin(d->db, true, &d->txn, why) == -1)
		return -1;
	if (tail(d->txn, &d->seq, d->chain, why) == -1) {
		desk_abort(d);
		return -1;
	}
	*txn = d->txn;
	return 0;
}

/* desk_put - the next record, chained to the one before it */
int
desk_put(struct desk *d, const struct desk_record *from, uint64_t *seq,
    struct why *why)
{
	struct desk_record r = *from;
	uint8_t salt[SALT], key[8];

	if (complete(&r, why) == -1)
		return -1;
	if (getrandom(salt, sizeof(salt), 0) != (ssize_t)sizeof(salt))
		return why_errno(why, "no random bytes");
	r.seq = d->seq + 1;
	if (r.time == 0)
		r.time = clock_wall();
	buf_reset(&d->buf);
	desk_encode(&r, salt, d->chain, &d->buf);
	if (buf_failed(&d->buf))
		return why_kind(why, WHY_MEMORY, "no memory for a decision");
	be64_put(key, r.seq);
	if (db_append(d->txn, DESK_T_RECORDS, (struct slice){ (char *)key, 8 },
	    buf_slice(&d->buf), why) == -1)
		return -1;
	memcpy(d->chain, d->buf.data, HASH_SHA256);
	d->seq = *seq = r.seq;
	return 0;
}

/* desk_commit - on disk */
int
desk_commit(struct desk *d, struct why *why)
{
	struct db_txn *txn = d->txn;

	d->txn = NULL;
	return db_commit(txn, why);
}

/* desk_abort - as if it had not begun */
void
desk_abort(struct desk *d)
{
	db_abort(d->txn);
	d->txn = NULL;
}

/* desk_append - one decision */
int
desk_append(struct desk *d, const struct desk_record *r, uint64_t *seq,
    struct why *why)
{
	struct db_txn *txn;

	if (desk_begin(d, &txn, why) == -1)
		return -1;
	if (desk_put(d, r, seq, why) == -1) {
		desk_abort(d);
		return -1;
	}
	return desk_commit(d, why);
}

/* desk_anew - behind a record that is not there */
int
desk_anew(struct desk *d, const struct desk_record *from, uint64_t after,
    const uint8_t chain[HASH_SHA256], uint64_t *seq, struct why *why)
{
	struct desk_record r = *from;
	char hex[2 * HASH_SHA256 + 1];
	struct db_txn *txn;

	if (desk_begin(d, &txn, why) == -1)
		return -1;
	if (d->seq >= after) {
		(void)why_set(why, "there is a desk:%llu, which the gate does "
		    "not know: move the folder away, keep it for whoever asks "
		    "what happened, and say it again", (unsigned long long)
		    d->seq);
		desk_abort(d);
		return -1;
	}
	for (size_t i = 0; i < HASH_SHA256; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", chain[i]);
	r.kind = DESK_ANEW;
	r.amount = (int64_t)d->seq;
	r.object = slice_of(hex);
	d->seq = after;
	memcpy(d->chain, chain, HASH_SHA256);
	if (desk_put(d, &r, seq, why) == -1) {
		desk_abort(d);
		return -1;
	}
	return desk_commit(d, why);
}

/* nibble - of hex; -1 */
static int
nibble(char c)
{
	return c >= '0' && c <= '9' ? c - '0' :
	    c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* desk_anew_after - the chain in its object */
bool
desk_anew_after(const struct desk_record *r, uint8_t chain[HASH_SHA256])
{
	if (r->kind != DESK_ANEW || r->object.n != 2 * HASH_SHA256 ||
	    r->amount < 0)
		return false;
	for (size_t i = 0; i < HASH_SHA256; i++) {
		int high = nibble(r->object.p[2 * i]);
		int low = nibble(r->object.p[2 * i + 1]);

		if (high == -1 || low == -1)
			return false;
		chain[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* --- reading -------------------------------------------------------------- */

/* desk_last - the end of the chain */
int
desk_last(struct desk *d, uint64_t *seq, uint8_t chain[HASH_SHA256],
    struct why *why)
{
	struct db_txn *txn = NULL;
	int rc;

	if (db_begin(d->db, false, &txn, why) == -1)
		return -1;
	rc = tail(txn, seq, chain, why);
	db_abort(txn);
	return rc;
}

/* read_row - a copy of one row; its key must be the next one, or it says that
 * those before it are gone */
static int
read_row(struct slice key, struct slice value, uint64_t seq,
    struct arena *arena, struct desk_row *row, struct why *why)
{
	uint64_t at = key.n == 8 ? be64_get((const uint8_t *)key.p) : 0;
	struct slice copy;

	if (at < seq)
		return why_kind(why, WHY_BROKEN, "desk:%llu is missing",
		    (unsigned long long)seq);
	if ((copy = arena_copy(arena, value)).p == NULL)
		return why_kind(why, WHY_MEMORY, "no memory to read the desk");
	if (desk_decode(copy, row, why) == -1)
		return why_in(why, "desk:%llu", (unsigned long long)at);
	if (at != seq && (row->record.kind != DESK_ANEW ||
	    row->record.seq != at))
		return why_kind(why, WHY_BROKEN, "desk:%llu is missing",
		    (unsigned long long)seq);
	return 0;
}

/* desk_read - some rows, in order */
int
desk_read(struct desk *d, uint64_t from, size_t n, struct arena *arena,
    struct desk_row *rows, size_t *got, struct why *why)
{
	struct db_cursor *cursor = NULL;
	struct db_txn *txn = NULL;
	struct slice key, value;
	uint8_t at[8];
	int rc;

	*got = 0;
	if (from == 0)
		from = 1;
	if (db_begin(d->db, false, &txn, why) == -1)
		return -1;
	be64_put(at, from);
	rc = db_seek(txn, DESK_T_RECORDS, (struct slice){ (char *)at, 8 },
	    &cursor, &key, &value, why);
	while (rc == 1 && *got < n) {
		if (read_row(key, value, from, arena, &rows[*got],
		    why) == -1) {
			rc = -1;
			break;
		}
		from = rows[(*got)++].record.seq + 1;
		rc = db_next(cursor, &key, &value, why);
	}
	db_cursor_close(cursor);
	db_abort(txn);
	return rc == -1 ? -1 : 0;
}
