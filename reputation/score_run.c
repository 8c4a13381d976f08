/*
 * score_run - a week is judged.
 *
 * The cells of two weeks are added up once, into memory, and what was accepted
 * on each day of nine (past.h); then each subject gets its score, beside that
 * of the week before, and what the score advises, some hundred of them in a
 * transaction.  A run that was cut short goes on where it ended: whoever has a
 * score of that week is passed over.  The week counts as judged when all are.
 *
 * Unsubscribes stand in consent/ under an id of the list, and a trap that an
 * operator named stands in desk/; both are read from the first row on, since
 * neither has an index by date.  Ids are those of the tenants and streams that
 * had mail in these weeks.
 */
#include "reputation/score_in.h"

#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/map.h"
#include "lib/suppress.h"
#include "lib/token.h"
#include "reputation/advice.h"
#include "reputation/past.h"
#include "reputation/watch.h"

enum { DAYS = 63 /* of volume */, WEEK = 7, WEEKS = 14, BATCH = 300,
	PAGE = 256 };

static const enum subject_kind judged_kinds[] = { SUBJECT_PLATFORM,
	SUBJECT_GROUP, SUBJECT_TENANT, SUBJECT_DOMAIN, SUBJECT_POOL,
	SUBJECT_ADDRESS };
enum { KINDS = sizeof(judged_kinds) / sizeof(judged_kinds[0]) };

struct said {				/* of a subject, in the lists */
	struct slice	tenant;		/* of an id of a list or a tenant */
	uint64_t	left2;		/* unsubscribes, in halves */
	unsigned	traps;
};

struct run {
	struct db	*watch;
	const struct score_sources *sources;
	const struct knots *knots;
	int32_t		 day;
	struct sums	*sums;
	struct makeup	*makeup;
	struct past	*past;
	struct arena	*arena, *one;	/* of the run, of a subject */
	struct map	*ids;		/* u64 -> said of the tenant */
	struct map	*said[SUBJECT_KINDS];	/* name -> said */
	struct db_txn	*txn;
	size_t		 pending, judged;
	bool		 consent;	/* there is one */
};

/* --- what the lists say --------------------------------------------------- */

/* said_of - made when it is new; NULL: no memory */
static struct said *
said_of(struct run *r, enum subject_kind kind, struct slice name)
{
	struct said *s;

	if (r->said[kind] == NULL && (r->said[kind] = map_new()) == NULL)
		return NULL;
	if ((s = map_get(r->said[kind], name)) != NULL)
		return s;
	s = arena_alloc(r->arena, sizeof(*s));
	if (s == NULL || (s->tenant = arena_copy(r->arena, name)).p == NULL ||
	    map_set(r->said[kind], s->tenant, s) == -1)
		return NULL;
	return s;
}

/* name_id - an id that entries may have, and whose it is */
static bool
name_id(struct run *r, uint64_t id, enum subject_kind kind,
    struct slice name)
{
	struct slice key = arena_copy(r->arena, (struct slice){
	    (const char *)&id, sizeof(id) });
	struct said *s = said_of(r, kind, name);

	return key.p != NULL && s != NULL && map_set(r->ids, key, s) == 0;
}

/* name_ids - of tenants and their streams, and of groups */
static int
name_ids(struct run *r, struct why *why)
{
	const struct sum *const *list;
	const char *slash;
	bool good = true;
	size_t n;

	list = sums_of(r->sums, SUBJECT_STREAM, &n);
	for (size_t i = 0; i < n && good; i++) {
		struct slice tenant = list[i]->name;

		slash = tenant.n > 0 ? memchr(tenant.p, '/', tenant.n) : NULL;
		if (slash == NULL)
			continue;
		tenant.n = (size_t)(slash - tenant.p);
		good = name_id(r, token_list(tenant, slice_from(list[i]->name,
		    tenant.n + 1)), SUBJECT_TENANT, tenant);
	}
	list = sums_of(r->sums, SUBJECT_TENANT, &n);
	for (size_t i = 0; i < n && good; i++)
		good = name_id(r, hash_id("tenant", list[i]->name),
		    SUBJECT_TENANT, list[i]->name);
	list = sums_of(r->sums, SUBJECT_GROUP, &n);
	for (size_t i = 0; i < n && good; i++)
		good = name_id(r, hash_id("group", list[i]->name),
		    SUBJECT_GROUP, list[i]->name);
	return good ? 0 : why_kind(why, WHY_MEMORY, "no memory for names");
}

/* weight - of a date, in halves: this week, the one before, or none */
static uint64_t
weight(const struct run *r, int64_t date)
{
	int64_t end = r->day * CLOCK_DAY;

	return date >= end || date < end - 2 * WEEK * CLOCK_DAY ? 0 :
	    date >= end - WEEK * CLOCK_DAY ? 2 : 1;
}

/* take - an entry of a list; false: no memory */
static bool
take(struct run *r, enum suppress_store store,
    const struct suppress_entry *e)
{
	uint64_t w = e->lift ? 0 : weight(r, e->date);
	struct said *s, *all = said_of(r, SUBJECT_PLATFORM, SLICE("")), *group;
	struct slice name;

	if (all == NULL)
		return false;
	s = e->scope == SUPPRESS_PLATFORM ? all : map_get(r->ids,
	    (struct slice){ (const char *)&e->id, sizeof(e->id) });
	if (w == 0 || s == NULL)
		return true;
	if (store == SUPPRESS_DESK) {
		s->traps += e->reason == SUPPRESS_TRAP && w == 2;
		return true;
	}
	if (e->reason != SUPPRESS_UNSUBSCRIBE)
		return true;
	s->left2 += w;
	if (s == all || e->scope == SUPPRESS_GROUP)
		return true;
	all->left2 += w;
	name = makeup_group(r->makeup, s->tenant);
	if (name.n == 0)
		return true;
	if ((group = said_of(r, SUBJECT_GROUP, name)) == NULL)
		return false;
	group->left2 += w;
	return true;
}

/* read_list - all of one store */
static int
read_list(struct run *r, enum suppress_store store, struct why *why)
{
	struct suppress_record *page = calloc(PAGE, sizeof(*page));
	uint8_t key[FOLD_HASH];
	bool begun = false, good = page != NULL;
	long n = 0;

	while (good) {
		arena_reset(r->one);
		n = suppress_page(r->sources->lists, store, key, &begun,
		    r->one, page, PAGE, why);
		if (n <= 0)
			break;
		for (long i = 0; i < n && good; i++)
			for (size_t k = 0; k < page[i].n && good; k++)
				good = take(r, store, &page[i].list[k]);
	}
	free(page);
	if (!good)
		return why_kind(why, WHY_MEMORY, "no memory for lists");
	return n == -1 ? -1 : 0;
}

/* read_lists - unsubscribes and traps */
static int
read_lists(struct run *r, struct why *why)
{
	if (r->sources == NULL || r->sources->lists == NULL)
		return 0;
	if (name_ids(r, why) == -1 ||
	    read_list(r, SUPPRESS_CONSENT, why) == -1 ||
	    read_list(r, SUPPRESS_DESK, why) == -1)
		return -1;
	r->consent = suppress_seen(r->sources->lists) >> SUPPRESS_CONSENT & 1;
	return 0;
}

/* heard - what the lists say of a subject, into its input */
static void
heard(const struct run *r, const struct sum *sum, struct score_input *in)
{
	const struct said *s = r->said[sum->kind] != NULL ?
	    map_get(r->said[sum->kind], sum->name) : NULL;

	if (!r->consent)
		in->known[SIGNAL_UNSUB] = false;
	in->confirmed = s != NULL ? s->traps : 0;
	if (s != NULL)
		in->x2[SIGNAL_UNSUB] += s->left2;
}

/* --- one subject ---------------------------------------------------------- */

/* silent - nothing to judge in these two weeks */
static bool
silent(const struct sum *sum)
{
	uint64_t n = 0;

	if (sum->name.n == 0 && sum->kind != SUBJECT_PLATFORM)
		return true;		/* no group, Postfix's own route */
	for (int32_t i = 0; i < WEEKS; i++)
		n += sum->days[i][TALLY_ACCEPTED] + tally_ended(sum->days[i]) +
		    (sum->kind == SUBJECT_TENANT ?
		    sum->days[i][TALLY_VIOLATED] : 0);
	return n == 0;
}

/* flush - commit what is pending */
static int
flush(struct run *r, struct why *why)
{
	struct db_txn *txn = r->txn;

	r->txn = NULL;
	r->pending = 0;
	return txn != NULL ? db_commit(txn, why) : 0;
}

/* advise - what that score recommends */
static int
advise(struct run *r, const struct scored *x, struct why *why)
{
	struct advice list[ADVICE_KINDS];
	size_t n;

	arena_reset(r->one);
	if (advice_make(x, r->sums, r->makeup, r->one, list, &n, why) == -1)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (advice_put(r->txn, &list[i], why) == -1)
			return -1;
	return 0;
}

/* judge - a subject, if it was not judged */
static int
judge(struct run *r, const struct sum *sum, struct why *why)
{
	const struct score_sources *from = r->sources;
	struct scored x = { .kind = sum->kind, .name = sum->name,
		.in.day = r->day };
	uint64_t days[DAYS];
	struct score_key key;
	int got;

	if (silent(sum) || !score_key(sum->kind, sum->name, r->day, &key))
		return 0;
	if (r->txn == NULL && (db_begin(r->watch, true, &r->txn, why) == -1 ||
	    scores_put_knots(r->txn, r->knots, why) == -1))
		return -1;
	if ((got = scores_has(r->txn, sum->kind, sum->name, r->day, why)) != 0)
		return got == 1 ? 0 : -1;
	if (scores_before(r->txn, sum->kind, sum->name, r->day, &x.in,
	    why) == -1)
		return -1;
	score_gather(r->knots, sum, WEEKS, &x.in);
	if (past_of(r->past, sum->kind, sum->name, days))
		score_past(days, DAYS, &x.in);
	heard(r, sum, &x.in);
	x.in.warming = from != NULL && from->warming != NULL &&
	    from->warming(from->with, sum->kind, sum->name);
	if (x.in.warming)		/* its schedule is the bound */
		x.in.known[SIGNAL_VOLUME] = false;
	memcpy(x.knots, r->knots->hash, HASH_SHA256);
	score_make(r->knots, &x.in, &x.score);
	x.stored = x.score.tier;
	if (scores_put(r->txn, &x, why) == -1 || advise(r, &x, why) == -1)
		return -1;
	r->judged++;
	return ++r->pending >= BATCH ? flush(r, why) : 0;
}

/* judge_all - and then the week is */
static int
judge_all(struct run *r, struct why *why)
{
	const struct sum *const *list;
	size_t n;

	for (size_t k = 0; k < KINDS; k++) {
		list = sums_of(r->sums, judged_kinds[k], &n);
		for (size_t i = 0; i < n; i++)
			if (judge(r, list[i], why) == -1)
				return -1;
	}
	if (r->txn == NULL && db_begin(r->watch, true, &r->txn, why) == -1)
		return -1;
	return scores_put_last(r->txn, r->day, why) == -1 ? -1 :
	    flush(r, why);
}

/* scores_run - of the week that ends before that day */
int
scores_run(struct db *watch, const struct score_sources *sources,
    const struct knots *knots, int32_t day, size_t *judged, struct why *why)
{
	struct run r = { .watch = watch, .sources = sources, .knots = knots,
		.day = day };
	int rc = -1;

	*judged = 0;
	r.arena = arena_new(1 << 16, 0);
	r.one = arena_new(1 << 14, 0);
	r.ids = map_new();
	if (r.arena == NULL || r.one == NULL || r.ids == NULL)
		why_kind(why, WHY_MEMORY, "no memory to judge a week");
	else if (sums_new(&r.sums, day - WEEKS, WEEKS, WEEKS, NULL,
	    why) == 0 && sums_read(r.sums, watch, why) == 0 &&
	    past_read(&r.past, watch, day - DAYS, DAYS, why) == 0 &&
	    makeup_read(&r.makeup, watch, day - WEEKS, day, why) == 0 &&
	    read_lists(&r, why) == 0)
		rc = judge_all(&r, why);
	db_abort(r.txn);
	*judged = r.judged;
	for (size_t i = 0; i < SUBJECT_KINDS; i++)
		map_free(r.said[i]);
	map_free(r.ids);
	makeup_free(r.makeup);
	past_free(r.past);
	sums_free(r.sums);
	arena_free(r.one);
	arena_free(r.arena);
	return rc;
}
