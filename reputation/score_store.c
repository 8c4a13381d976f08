/*
 * score_store - what was judged, with all that it was made of.
 *
 * Rows of the table "scores" of watch/.  Numbers in keys are big-endian, in
 * values little-endian:
 *
 *	u8 kind, name, u8 0, be32 day	a score of the week that ended before
 *					that day
 *	u8 0xfe				i32 day of the last week that is whole
 *	u8 0xff, u8[32] SHA-256		knots (knots.c)
 *
 *	a score: u8 format = 1, u8[32] hash of its knots, u8 signals known
 *	(bit i), u8 warming, u8 tier before, u32 calm before, u64 x2 and n2 of
 *	each known signal, i64 volume in thousandths, u32 minor, major,
 *	confirmed, u64 recipients; and what was said: u8 tier, u8 judged, u8
 *	enough, u8 confidence, u32 calm, u32 total, raw, high in thousandths
 *
 * The knots are kept once per version of the file, so that a score of last
 * year is made again by those of last year; a reader that gets another result
 * than what was said then says so (holds).
 */
#include "reputation/score_in.h"

#include <string.h>

#include "lib/wire.h"
#include "reputation/watch.h"

enum { FORMAT = 1, KEY_LAST = 0xfe, KEY_KNOTS = 0xff,
	TAIL = 1 + 4 };		/* of a key, behind the name */

_Static_assert(SIGNALS <= 8, "a bit for each signal");

/* score_key - of a subject and a week; false: a name that no key can have */
bool
score_key(enum subject_kind kind, struct slice name, int32_t day,
    struct score_key *out)
{
	size_t n = 0;

	if (name.n > SCORE_NAME || (name.n > 0 &&
	    memchr(name.p, '\0', name.n) != NULL))
		return false;
	out->bytes[n++] = (uint8_t)kind;
	if (name.n > 0)
		memcpy(out->bytes + n, name.p, name.n);
	n += name.n;
	out->bytes[n++] = 0;
	for (int i = 0; i < 4; i++)
		out->bytes[n++] = (uint8_t)((uint32_t)day >> (24 - 8 * i));
	out->n = n;
	return true;
}

/* key_slice - as the database takes it */
static struct slice
key_slice(const struct score_key *k)
{
	return (struct slice){ (const char *)k->bytes, k->n };
}

/* read_key - and back; false: it is none of a score */
static bool
read_key(struct slice key, struct scored *out)
{
	const uint8_t *end;

	if (key.n < 1 + TAIL || (uint8_t)key.p[0] >= SUBJECT_KINDS)
		return false;
	end = (const uint8_t *)key.p + key.n - 4;
	out->kind = (enum subject_kind)key.p[0];
	out->name = (struct slice){ key.p + 1, key.n - 1 - TAIL };
	out->in.day = (int32_t)((uint32_t)end[0] << 24 |
	    (uint32_t)end[1] << 16 | (uint32_t)end[2] << 8 | end[3]);
	return end[-1] == 0;
}

/* thousandths - as they are stored and compared */
static uint32_t
thousandths(double v)
{
	return (uint32_t)(v * 1000.0 + 0.5);
}

/* put_said - what a score was, for whoever makes it again */
static void
put_said(struct buf *b, const struct score *s)
{
	put_u8(b, (uint8_t)s->tier);
	put_u8(b, (uint8_t)s->judged);
	put_u8(b, s->enough);
	put_u8(b, (uint8_t)s->confidence);
	put_u32(b, s->calm);
	put_u32(b, thousandths(s->total));
	put_u32(b, thousandths(s->total_raw));
	put_u32(b, thousandths(s->total_high));
}

/* encode - the value of a row */
static void
encode(const struct scored *x, struct buf *b)
{
	const struct score_input *in = &x->in;
	uint8_t known = 0;

	for (int s = 0; s < SIGNALS; s++)
		known |= (uint8_t)(in->known[s] ? 1u << s : 0);
	put_u8(b, FORMAT);
	put_bytes(b, x->knots, HASH_SHA256);
	put_u8(b, known);
	put_u8(b, in->warming);
	put_u8(b, (uint8_t)in->before);
	put_u32(b, in->calm);
	for (int s = 0; s < SIGNALS; s++)
		if (in->known[s]) {
			put_u64(b, in->x2[s]);
			put_u64(b, in->n2[s]);
		}
	put_i64(b, (int64_t)(in->volume * 1000.0 + 0.5));
	put_u32(b, in->minor);
	put_u32(b, in->major);
	put_u32(b, in->confirmed);
	put_u64(b, in->recipients);
	put_said(b, &x->score);
}

/* decode - the input, and where what was said begins */
static int
decode(struct slice value, struct scored *x, struct slice *said,
    struct why *why)
{
	struct wire w = wire_of(value);
	struct score_input *in = &x->in;
	uint8_t format = get_u8(&w), known;

	get_bytes(&w, x->knots, HASH_SHA256);
	known = get_u8(&w);
	in->warming = get_u8(&w) != 0;
	in->before = (enum tier)get_u8(&w);
	in->calm = get_u32(&w);
	for (int s = 0; s < SIGNALS; s++) {
		in->known[s] = known >> s & 1;
		in->x2[s] = in->known[s] ? get_u64(&w) : 0;
		in->n2[s] = in->known[s] ? get_u64(&w) : 0;
	}
	in->volume = (double)get_i64(&w) / 1000.0;
	in->minor = get_u32(&w);
	in->major = get_u32(&w);
	in->confirmed = get_u32(&w);
	in->recipients = get_u64(&w);
	*said = (struct slice){ (const char *)w.p, (size_t)(w.end - w.p) };
	x->stored = (enum tier)get_u8(&w);
	(void)get_u8(&w);			/* judged, enough, confidence */
	(void)get_u8(&w);
	(void)get_u8(&w);
	for (int i = 0; i < 4; i++)
		(void)get_u32(&w);
	if (w.bad || w.p != w.end || format != FORMAT ||
	    in->before > TIER_CRITICAL || x->stored > TIER_CRITICAL)
		return why_set(why, "a score of %zu bytes is none of this "
		    "release", value.n);
	return 0;
}

/* judge - again, and is it what was said? */
static void
judge(const struct knots *k, struct slice said, struct scored *x)
{
	struct buf again = BUF_INIT;

	score_make(k, &x->in, &x->score);
	put_said(&again, &x->score);
	x->holds = !buf_failed(&again) && slice_eq(buf_slice(&again), said);
	buf_free(&again);
}

/* scores_put - one score; the same week again takes its place */
int
scores_put(struct db_txn *txn, const struct scored *x, struct why *why)
{
	struct buf b = BUF_INIT;
	struct score_key key;
	int rc;

	if (!score_key(x->kind, x->name, x->in.day, &key))
		return why_set(why, "a name of %zu bytes cannot have a score",
		    x->name.n);
	encode(x, &b);
	rc = buf_failed(&b) ? why_kind(why, WHY_MEMORY, "no memory for a "
	    "score") : db_put(txn, WATCH_SCORES, key_slice(&key),
	    buf_slice(&b), why);
	buf_free(&b);
	return rc;
}

/* scores_put_knots - those that judge now, once */
int
scores_put_knots(struct db_txn *txn, const struct knots *k, struct why *why)
{
	char key[1 + HASH_SHA256] = { (char)KEY_KNOTS };
	struct slice k_key = { key, sizeof(key) }, there;
	struct buf b = BUF_INIT;
	int rc;

	memcpy(key + 1, k->hash, HASH_SHA256);
	if ((rc = db_get(txn, WATCH_SCORES, k_key, &there, why)) != 0)
		return rc == 1 ? 0 : -1;
	knots_encode(k, &b);
	rc = buf_failed(&b) ? why_kind(why, WHY_MEMORY, "no memory for the "
	    "knots") : db_put(txn, WATCH_SCORES, k_key, buf_slice(&b), why);
	buf_free(&b);
	return rc;
}

/* scores_put_last - all of that week is judged */
int
scores_put_last(struct db_txn *txn, int32_t day, struct why *why)
{
	const char key = (char)KEY_LAST;
	struct buf b = BUF_INIT;
	int rc;

	put_u32(&b, (uint32_t)day);
	rc = buf_failed(&b) ? why_kind(why, WHY_MEMORY, "no memory") :
	    db_put(txn, WATCH_SCORES, (struct slice){ &key, 1 },
	    buf_slice(&b), why);
	buf_free(&b);
	return rc;
}

/* scores_last - the week that was judged last */
int
scores_last(struct db *watch, int32_t *day, struct why *why)
{
	const char key = (char)KEY_LAST;
	struct db_txn *txn = NULL;
	struct slice value;
	struct wire w;
	int got;

	if (db_begin(watch, false, &txn, why) == -1)
		return -1;
	got = db_get(txn, WATCH_SCORES, (struct slice){ &key, 1 }, &value,
	    why);
	if (got == 1) {
		w = wire_of(value);
		*day = (int32_t)get_u32(&w);
		if (w.bad)
			got = why_set(why, "watch/: the last week judged "
			    "makes no sense");
	}
	db_abort(txn);
	return got;
}

/* scores_before - the tier of the weeks before, if there was one not long ago;
 * fetch */
int
scores_before(struct db_txn *txn, enum subject_kind kind, struct slice name,
    int32_t day, struct score_input *in, struct why *why)
{
	struct db_cursor *cursor = NULL;
	struct scored x = { .name = SLICE_NONE };
	struct slice k, v, said;
	struct score_key key;
	struct wire w;
	int got;

	in->before = TIER_UNKNOWN;
	in->calm = 0;
	if (!score_key(kind, name, day - 1, &key))
		return 0;
	got = db_floor(txn, WATCH_SCORES, key_slice(&key), &cursor, &k, &v,
	    why);
	if (got == 1 && read_key(k, &x) && x.kind == kind &&
	    slice_eq(x.name, name) && x.in.day < day &&
	    x.in.day >= day - SCORE_MEMORY) {
		if ((got = decode(v, &x, &said, why)) == 0) {
			w = wire_of(slice_from(said, 4));
			in->before = x.stored;
			in->calm = get_u32(&w);
			got = 1;
		}
	} else if (got == 1)
		got = 0;
	db_cursor_close(cursor);
	return got;
}

/* scores_has - was it judged already?  fetch */
int
scores_has(struct db_txn *txn, enum subject_kind kind, struct slice name,
    int32_t day, struct why *why)
{
	struct score_key key;
	struct slice value;

	return score_key(kind, name, day, &key) ? db_get(txn, WATCH_SCORES,
	    key_slice(&key), &value, why) : 0;
}

/* --- a walk --------------------------------------------------------------- */

/* A few versions of the knots, as the scores name them. */
enum { VERSIONS = 8 };
struct walk {
	struct db_txn	*txn;
	struct db_cursor *cursor;
	const struct knots *now;
	struct knots	*then[VERSIONS];
	size_t		 n;		/* read so far */
	int32_t		 from, until;
};

/* knots_of - those that judged; NULL: nobody kept them, or failed */
static const struct knots *
knots_of(struct walk *w, const uint8_t hash[HASH_SHA256], struct why *why)
{
	char key[1 + HASH_SHA256] = { (char)KEY_KNOTS };
	struct knots **slot = &w->then[w->n % VERSIONS];
	struct slice value;
	int got;

	why->text[0] = '\0';
	if (memcmp(w->now->hash, hash, HASH_SHA256) == 0)
		return w->now;
	for (size_t i = 0; i < VERSIONS; i++)
		if (w->then[i] != NULL && memcmp(w->then[i]->hash, hash,
		    HASH_SHA256) == 0)
			return w->then[i];
	memcpy(key + 1, hash, HASH_SHA256);
	got = db_get(w->txn, WATCH_SCORES, (struct slice){ key, sizeof(key) },
	    &value, why);
	if (got != 1)
		return NULL;
	knots_free(*slot);
	if (knots_decode(value, slot, why) == -1)
		return NULL;
	w->n++;
	return *slot;
}

/* one - a row within the days; fetch: 0 the caller has enough */
static int
one(struct walk *w, struct scored *x, struct slice value,
    bool (*each)(void *, const struct scored *), void *with, struct why *why)
{
	const struct knots *k;
	struct slice said;

	if (decode(value, x, &said, why) == -1)
		return why_in(why, "%s %.*s", subject_names[x->kind],
		    SLICE_ARG(x->name));
	k = knots_of(w, x->knots, why);
	if (k == NULL && why->text[0] != '\0')
		return -1;
	judge(k != NULL ? k : w->now, said, x);
	x->holds = x->holds && k != NULL;
	return each(with, x) ? 1 : 0;
}

/* skip - where the walk goes on behind that row; fetch as db_seek.  Rows in
 * front of the days are passed over at once, and so are those behind them. */
static int
skip(struct walk *w, const struct scored *x, struct slice *k, struct slice *v,
    struct why *why)
{
	struct score_key key;

	if (x->in.day >= w->from && x->in.day < w->until)
		return db_next(w->cursor, k, v, why);
	(void)score_key(x->kind, x->name, w->from, &key);
	if (x->in.day >= w->until)
		key.bytes[key.n - TAIL] = 1;	/* behind all of its days */
	return db_seek(w->txn, WATCH_SCORES, key_slice(&key), &w->cursor, k,
	    v, why);
}

/* walk - all rows of the kind and name; fetch's -1, or 0 */
static int
walk(struct walk *w, enum subject_kind kind, struct slice name,
    bool (*each)(void *, const struct scored *), void *with, struct why *why)
{
	struct slice k, v;
	struct score_key key = { .n = 0 };
	struct scored x;
	int got;

	if (name.p != NULL && !score_key(kind, name, w->from, &key))
		return 0;
	if (name.p == NULL && kind < SUBJECT_KINDS)
		key = (struct score_key){ { (uint8_t)kind }, 1 };
	got = db_seek(w->txn, WATCH_SCORES, key.n > 0 ? key_slice(&key) :
	    SLICE_NONE, &w->cursor, &k, &v, why);
	while (got == 1) {
		x = (struct scored){ .name = SLICE_NONE };
		if (!read_key(k, &x) || (kind < SUBJECT_KINDS && x.kind !=
		    kind) || (name.p != NULL && !slice_eq(name, x.name)))
			return 0;
		if (x.in.day >= w->from && x.in.day < w->until &&
		    (got = one(w, &x, v, each, with, why)) != 1)
			return got;
		got = skip(w, &x, &k, &v, why);
	}
	return got;
}

/* scores_each - judged again, week by week */
int
scores_each(struct db *watch, const struct knots *knots,
    enum subject_kind kind, struct slice name, int32_t from, int32_t until,
    bool (*each)(void *, const struct scored *), void *with, struct why *why)
{
	struct walk w = { .now = knots, .from = from > 0 ? from : 0,
		.until = until };
	int rc;

	if (db_begin(watch, false, &w.txn, why) == -1)
		return -1;
	rc = walk(&w, kind, name, each, with, why);
	db_cursor_close(w.cursor);
	db_abort(w.txn);
	for (size_t i = 0; i < VERSIONS; i++)
		knots_free(w.then[i]);
	return rc == -1 ? -1 : 0;
}
