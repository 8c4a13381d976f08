/*
 * happenings - see happenings.h.
 *
 *	table	  key			value
 *	finals	  u8[16] counter	u64 recipients that became final
 *	domains	  recipient domain	u8 format = 1, i64 first, last, u64
 *					count, field provider, field relay
 *	breakers  trip_key		u8 format = 1, i64 time, floor, u64
 *					bad, all, i64 window, field tenant,
 *					stream, login, breaker, when
 *	backoff	  backoff_key		happenings_backoff.c
 *
 * The ledger asks with its mutex held, so nothing here waits for a disk or for
 * another program: an answer is a look into mapped memory.  Once a second one
 * caller looks with stat(2) whether the store is still the file that is open;
 * only when it is another one (it came into being, or from a backup) do the
 * others wait, for as long as it takes to open it.
 */
#include "lib/happenings.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/clock.h"
#include "lib/hash.h"
#include "lib/log.h"
#include "lib/provider.h"
#include "lib/wire.h"

static const char *const tables[] = { "finals", "domains", "breakers",
	"backoff", NULL };
enum { FINALS, DOMAINS, BREAKERS, BACKOFF };
static const struct db_layout layout = { .version = DB_ANY_VERSION,
	.kind = "outcomes", .tables = tables };

struct happenings {
	char		*dir, *file;
	pthread_rwlock_t lock;		/* of db and what follows */
	struct db	*db;		/* NULL: not there, or not to be read */
	dev_t		 dev;
	ino_t		 ino;
	bool		 said;		/* that it cannot be read */
	int64_t		 looked;	/* clock_mono; atomic */
};

/* --- rows ----------------------------------------------------------------- */

/* learned_encode - a row of domains */
void
learned_encode(const struct learned *l, struct buf *b)
{
	put_u8(b, 1);
	put_i64(b, l->first);
	put_i64(b, l->last);
	put_u64(b, l->count);
	put_field(b, l->provider);
	put_field(b, l->relay);
}

/* learned_decode - and back */
int
learned_decode(struct slice domain, struct slice value, struct learned *l,
    struct why *why)
{
	struct wire w = wire_of(value);
	uint8_t format = get_u8(&w);

	l->domain = domain;
	l->first = get_i64(&w);
	l->last = get_i64(&w);
	l->count = get_u64(&w);
	l->provider = get_field(&w);
	l->relay = get_field(&w);
	if (format != 1 || w.bad || w.p != w.end)
		return why_set(why, "what was learned of a domain makes no "
		    "sense, or was written by a newer Penstock");
	return 0;
}

/* trip_encode - a row of breakers */
void
trip_encode(const struct trip *t, struct buf *b)
{
	put_u8(b, 1);
	put_i64(b, t->time);
	put_i64(b, t->floor);
	put_u64(b, t->bad);
	put_u64(b, t->all);
	put_i64(b, t->window);
	put_field(b, t->tenant);
	put_field(b, t->stream);
	put_field(b, t->login);
	put_field(b, t->breaker);
	put_field(b, t->when);
}

/* trip_decode - and back; texts borrow */
int
trip_decode(struct slice value, struct trip *t, struct why *why)
{
	struct wire w = wire_of(value);
	uint8_t format = get_u8(&w);

	t->time = get_i64(&w);
	t->floor = get_i64(&w);
	t->bad = get_u64(&w);
	t->all = get_u64(&w);
	t->window = get_i64(&w);
	t->tenant = get_field(&w);
	t->stream = get_field(&w);
	t->login = get_field(&w);
	t->breaker = get_field(&w);
	t->when = get_field(&w);
	if (format != 1 || w.bad || w.p != w.end)
		return why_set(why, "the row of a breaker makes no sense, or "
		    "was written by a newer Penstock");
	return 0;
}

/* trip_key - of what it counts apart */
void
trip_key(uint64_t tenant, struct slice breaker, uint64_t stream,
    uint64_t login, uint8_t out[TRIP_KEY])
{
	const uint64_t ids[] = { tenant, hash_id("breaker", breaker), stream,
		login };
	uint8_t text[sizeof(ids)];

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)(ids[i / 8] >> (8 * (i % 8)));
	hash_128(text, sizeof(text), out);
}

/* --- the store ------------------------------------------------------------ */

/* happenings_open - names only */
int
happenings_open(struct happenings **out, const char *root, struct why *why)
{
	struct happenings *h = calloc(1, sizeof(*h));

	*out = NULL;
	if (h == NULL || asprintf(&h->dir, "%s/outcomes", root) == -1) {
		free(h);
		return why_kind(why, WHY_MEMORY, "no memory");
	}
	if (asprintf(&h->file, "%s/data.mdb", h->dir) == -1) {
		free(h->dir);
		free(h);
		return why_kind(why, WHY_MEMORY, "no memory");
	}
	pthread_rwlock_init(&h->lock, NULL);
	h->looked = INT64_MIN;
	*out = h;
	return 0;
}

/* happenings_close - nobody may be in a call */
void
happenings_close(struct happenings *h)
{
	if (h == NULL)
		return;
	db_close(h->db);
	pthread_rwlock_destroy(&h->lock);
	free(h->file);
	free(h->dir);
	free(h);
}

/* same - is it the file that is open, or as absent as it was? */
static bool
same(struct happenings *h, bool there, const struct stat *st)
{
	bool is;

	pthread_rwlock_rdlock(&h->lock);
	is = there ? h->db != NULL && st->st_dev == h->dev &&
	    st->st_ino == h->ino : h->db == NULL;
	pthread_rwlock_unlock(&h->lock);
	return is;
}

/* reopen - another file, or none */
static void
reopen(struct happenings *h, bool there, const struct stat *st)
{
	struct why why;
	int got = 0;

	pthread_rwlock_wrlock(&h->lock);
	db_close(h->db);
	h->db = NULL;
	if (there && (got = db_open_reader(&h->db, h->dir, &layout,
	    &why)) != 1)
		h->db = NULL;
	if (got == -1 && !h->said)
		log_error("outcomes: %s; open limits do not learn what "
		    "arrived", why.text);
	h->said = got == -1;
	h->dev = st->st_dev;
	h->ino = st->st_ino;
	pthread_rwlock_unlock(&h->lock);
}

/* happenings_refresh - did it come, go, or become another one? */
void
happenings_refresh(struct happenings *h)
{
	struct stat st = { .st_ino = 0 };
	bool there = stat(h->file, &st) == 0;

	if (!same(h, there, &st))
		reopen(h, there, &st);
}

/* look - once a second, by whoever comes first */
static void
look(struct happenings *h)
{
	int64_t looked = __atomic_load_n(&h->looked, __ATOMIC_ACQUIRE);
	int64_t now = clock_mono();

	if ((looked != INT64_MIN && now - looked <= CLOCK_SECOND) ||
	    !__atomic_compare_exchange_n(&h->looked, &looked, now, false,
	    __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return;
	happenings_refresh(h);
}

/* begin - fetch: a transaction, with the lock held until end */
static int
begin(struct happenings *h, struct db_txn **txn)
{
	struct why why;

	*txn = NULL;
	look(h);
	pthread_rwlock_rdlock(&h->lock);
	if (h->db == NULL)
		return 0;
	return db_begin(h->db, false, txn, &why) == 0;
}

/* end - of what begin began, whatever it said */
static void
end(struct happenings *h, struct db_txn *txn)
{
	db_abort(txn);
	pthread_rwlock_unlock(&h->lock);
}

/* --- answers -------------------------------------------------------------- */

/* happenings_finals - a look-up */
int64_t
happenings_finals(void *happenings, const uint8_t key[16])
{
	struct happenings *h = happenings;
	struct slice value;
	struct db_txn *txn;
	struct why why;
	int64_t n = 0;

	if (begin(h, &txn) == 1 && db_get(txn, FINALS, (struct slice){
	    (const char *)key, 16 }, &value, &why) == 1 && value.n == 8) {
		struct wire w = wire_of(value);
		uint64_t got = get_u64(&w);

		n = got > INT64_MAX ? INT64_MAX : (int64_t)got;
	}
	end(h, txn);
	return n;
}

/* happenings_trip - a look-up; a row that makes no sense tripped now, since
 * nobody knows better */
int
happenings_trip(struct happenings *h, const uint8_t key[TRIP_KEY],
    struct trip *trip)
{
	struct slice value;
	struct db_txn *txn;
	struct why why;
	int got = 0;

	if (begin(h, &txn) == 1 && db_get(txn, BREAKERS, (struct slice){
	    (const char *)key, TRIP_KEY }, &value, &why) == 1) {
		if (trip_decode(value, trip, &why) == -1)
			*trip = (struct trip){ .time = clock_wall() };
		trip->tenant = trip->stream = trip->login = SLICE_NONE;
		trip->breaker = trip->when = SLICE_NONE;
		got = 1;
	}
	end(h, txn);
	return got;
}

/* happenings_backoff - a look-up; a row that makes no sense is none, since it
 * cannot say when it ends */
int
happenings_backoff(struct happenings *h, const uint8_t key[BACKOFF_KEY],
    const struct backoff_when *when, struct backoff *out)
{
	struct backoff_row row;
	struct slice value;
	struct db_txn *txn;
	struct why why;
	int got = 0;

	if (begin(h, &txn) == 1 && db_get(txn, BACKOFF, (struct slice){
	    (const char *)key, BACKOFF_KEY }, &value, &why) == 1 &&
	    backoff_decode(value, &row, &why) == 0)
		got = backoff_strictest(&row, when, out);
	end(h, txn);
	return got;
}

/* by_name - a provider's index */
static unsigned
by_name(struct slice name)
{
	for (unsigned i = 0; i < provider_count(); i++)
		if (slice_is(name, provider_name(i)))
			return i;
	return PROVIDER_UNRESOLVED;
}

/* happenings_provider - a look-up, and the name made an index */
unsigned
happenings_provider(struct happenings *h, struct slice domain)
{
	unsigned provider = PROVIDER_UNRESOLVED;
	struct slice value;
	struct learned l;
	struct db_txn *txn;
	struct why why;

	if (domain.n == 0 || domain.n > DB_KEY_MAX)
		return PROVIDER_UNRESOLVED;
	if (begin(h, &txn) == 1 && db_get(txn, DOMAINS, domain, &value,
	    &why) == 1 && learned_decode(domain, value, &l, &why) == 0)
		provider = by_name(l.provider);
	end(h, txn);
	return provider;
}
