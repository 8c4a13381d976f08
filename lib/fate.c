/*
 * fate - see fate.h.
 *
 *	table	key				value
 *	days	"w", u8[16] subject,		u64 count
 *		be32 minute since 1970,
 *		u8 fate, text provider, tenant
 *	meta	"applied"			u64 event of the gate
 *
 * Text in keys ends with a zero byte.  The subject stands first, so that its
 * day is one run of rows.
 *
 * Why minutes: a day is that of a pool's zone, and zones are off by quarters
 * of an hour, or by whatever a file of zoneinfo says.  Most minutes have no
 * row, and a busy one has a handful for thousands of outcomes.
 */
#include "lib/fate.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/db.h"
#include "lib/wire.h"

enum { HEAD = 1 + FATE_SUBJECT, FRONT = HEAD + 4 + 1, NAME = 64 };

static const char *const tables[] = { "days", "meta", NULL };
enum { DAYS, META };
static const struct db_layout layout = { .version = DB_ANY_VERSION,
	.kind = "outcomes", .tables = tables };

struct fates {
	struct db	*db;
};

/* --- a row ---------------------------------------------------------------- */

/* front - subject and minute, as keys begin */
static size_t
front(const uint8_t subject[FATE_SUBJECT], int64_t minute, char *out)
{
	out[0] = 'w';
	memcpy(out + 1, subject, FATE_SUBJECT);
	for (int i = 0; i < 4; i++)
		out[HEAD + i] = (char)((uint64_t)minute >> (24 - 8 * i));
	return HEAD + 4;
}

/* put_name - and the zero behind it */
static size_t
put_name(char *out, struct slice name)
{
	size_t n = 0;

	for (size_t i = 0; i < name.n && i < NAME; i++)
		if (name.p[i] != '\0')
			out[n++] = name.p[i];
	out[n++] = '\0';
	return n;
}

/* fate_key - where it is counted */
struct slice
fate_key(const uint8_t subject[FATE_SUBJECT], const struct fate_row *row,
    char room[FATE_KEY])
{
	size_t n = front(subject, row->minute, room);

	room[n++] = (char)row->fate;
	n += put_name(room + n, row->provider);
	n += put_name(room + n, row->tenant);
	return (struct slice){ room, n };
}

/* get_name - up to its zero */
static bool
get_name(struct slice *rest, struct slice *name)
{
	const char *end = rest->n > 0 ? memchr(rest->p, '\0', rest->n) : NULL;

	if (end == NULL)
		return false;
	*name = (struct slice){ rest->p, (size_t)(end - rest->p) };
	*rest = slice_from(*rest, name->n + 1);
	return true;
}

/* fate_row - and back */
bool
fate_row(struct slice key, struct slice value,
    uint8_t subject[FATE_SUBJECT], struct fate_row *row)
{
	const uint8_t *k = (const uint8_t *)key.p;
	struct slice rest = slice_from(key, FRONT);
	struct wire w = wire_of(value);

	if (key.n < FRONT || k[0] != 'w' || k[FRONT - 1] >= FATES ||
	    value.n != 8)
		return false;
	memcpy(subject, k + 1, FATE_SUBJECT);
	k += HEAD;
	row->minute = (int64_t)((uint32_t)k[0] << 24 | (uint32_t)k[1] << 16 |
	    (uint32_t)k[2] << 8 | k[3]);
	row->fate = k[4];
	row->count = get_u64(&w);
	return get_name(&rest, &row->provider) &&
	    get_name(&rest, &row->tenant) && rest.n == 0;
}

/* --- a reader ------------------------------------------------------------- */

/* fates_open - as it is now; a reader of one day needs no other */
int
fates_open(struct fates **out, const char *root, struct why *why)
{
	struct fates *f = calloc(1, sizeof(*f));
	char *dir = NULL;
	int got;

	*out = NULL;
	if (f == NULL || asprintf(&dir, "%s/outcomes", root) == -1) {
		free(f);
		return why_kind(why, WHY_MEMORY, "no memory");
	}
	got = db_open_reader(&f->db, dir, &layout, why);
	free(dir);
	if (got == 1)
		*out = f;
	else
		free(f);
	return got;
}

/* fates_close - no call may be under way */
void
fates_close(struct fates *f)
{
	if (f == NULL)
		return;
	db_close(f->db);
	free(f);
}

/* fates_each - of some minutes */
int
fates_each(struct fates *f, const uint8_t subject[FATE_SUBJECT],
    int64_t since, int64_t until, bool (*each)(void *,
    const struct fate_row *), void *with, struct why *why)
{
	struct db_cursor *cursor = NULL;
	struct db_txn *txn = NULL;
	struct slice key, value;
	uint8_t whose[FATE_SUBJECT];
	struct fate_row row;
	char room[FATE_KEY];
	int got;

	if (db_begin(f->db, false, &txn, why) == -1)
		return -1;
	got = db_seek(txn, DAYS, (struct slice){ room, front(subject,
	    since > 0 ? since / FATE_MINUTE : 0, room) }, &cursor, &key,
	    &value, why);
	for (; got == 1 && key.n > HEAD && memcmp(key.p, room, HEAD) == 0;
	    got = db_next(cursor, &key, &value, why)) {
		if (!fate_row(key, value, whose, &row)) {
			got = why_kind(why, WHY_BROKEN, "a row of what became "
			    "of a warmup's mail makes no sense");
			break;
		}
		if (row.minute * FATE_MINUTE >= until || !each(with, &row))
			break;
	}
	db_cursor_close(cursor);
	db_abort(txn);
	return got == -1 ? -1 : 0;
}

/* fates_applied - how far the ingester is behind the gate */
int
fates_applied(struct fates *f, uint64_t *seq, struct why *why)
{
	struct db_txn *txn = NULL;
	struct slice value;
	struct wire w;
	int got;

	*seq = 0;
	if (db_begin(f->db, false, &txn, why) == -1)
		return -1;
	got = db_get(txn, META, SLICE("applied"), &value, why);
	if (got == 1 && value.n == 8) {
		w = wire_of(value);
		*seq = get_u64(&w);
	}
	db_abort(txn);
	return got == -1 ? -1 : 0;
}
