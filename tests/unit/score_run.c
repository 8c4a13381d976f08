/*
 * A week is judged: who gets a score and who does not, what lists say of it,
 * the tier of the week before, what is advised, and that whoever reads a score
 * again gets what was said, by the knots of then.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "lib/suppress.h"
#include "lib/token.h"
#include "reputation/advice.h"
#include "reputation/watch.h"

#define MAP	(UINT64_C(64) << 20)
#define DAY	20605			/* a Monday */

extern const char reputation_data[];

static char root[64];
static struct db *watch;
static struct knots *k;
static struct arena *arena;
static struct why why;

/* must - or the reason */
static void
must(int rc)
{
	if (rc == -1)
		fail_msg("%s", why.text);
}

/* below - a path in the folder of the test */
static const char *
below(const char *store, const char *file)
{
	static char path[160];

	snprintf(path, sizeof(path), "%s/%s/%s", root, store, file);
	return path;
}

static int
setup(void **state)
{
	struct problems problems;

	(void)state;
	arena = arena_new(1 << 16, 0);
	problems_init(&problems, arena);
	snprintf(root, sizeof(root), "/tmp/penstock-score.XXXXXX");
	if (arena == NULL || mkdtemp(root) == NULL || fold_init(&why) == -1)
		return -1;
	if (knots_load(NULL, &k, &problems, &why) != 1)
		return -1;
	must(watch_open(&watch, below("watch", ""), MAP, &why));
	return 0;
}

static int
teardown(void **state)
{
	static const char *const stores[] = { "watch", "consent", "desk" };
	static const char *const files[] = { "data.mdb", "lock.mdb",
		"owner.lock", "writer.lock", "" };

	(void)state;
	db_close(watch);
	knots_free(k);
	arena_free(arena);
	for (size_t i = 0; i < 3; i++)
		for (size_t f = 0; f < 5; f++)
			if (files[f][0] != '\0')
				unlink(below(stores[i], files[f]));
			else
				rmdir(below(stores[i], ""));
	return rmdir(root);
}

/* What a tenant sends each day, and what goes wrong of it. */
struct mail {
	const char	*group, *tenant, *pool, *address, *provider;
	uint64_t	n, hard, blocked, slow, complaints, violated;
};

/* fill - days [from, until), counted back from DAY, of those senders */
static void
fill(const struct mail *list, size_t n, int from, int until)
{
	struct db_txn *txn;

	must(db_begin(watch, true, &txn, &why));
	for (int day = DAY - from; day < DAY - until; day++)
		for (size_t i = 0; i < n; i++) {
			const struct mail *m = &list[i];
			struct cell c = { .at = day,
				.group = slice_of(m->group),
				.tenant = slice_of(m->tenant),
				.domain = SLICE("x.test"),
				.stream = SLICE("news"),
				.pool = slice_of(m->pool),
				.address = slice_of(m->address),
				.provider = slice_of(m->provider) };

			c.n[TALLY_ACCEPTED] = m->n;
			c.n[TALLY_HARD] = m->hard;
			c.n[TALLY_BLOCKED] = m->blocked;
			c.n[TALLY_SLOW] = m->slow;
			c.n[TALLY_DELIVERED] = m->n - m->hard - m->blocked;
			c.n[TALLY_FEEDBACK] = strcmp(m->provider, "yahoo") ==
			    0 ? c.n[TALLY_DELIVERED] : 0;
			c.n[TALLY_COMPLAINTS] = m->complaints;
			c.n[TALLY_VIOLATED] = m->violated;
			must(rollup_put(txn, GRAIN_DAY, &c, &why));
		}
	must(db_commit(txn, &why));
}

/* Everybody of a week, as scores_each tells them. */
struct told {
	struct scored	list[64];
	char		names[64][64];
	size_t		n;
};

static bool
tell(void *with, const struct scored *x)
{
	struct told *t = with;

	assert_true(t->n < 64);
	t->list[t->n] = *x;
	snprintf(t->names[t->n], sizeof(t->names[0]), "%.*s",
	    SLICE_ARG(x->name));
	t->list[t->n].name = slice_of(t->names[t->n]);
	t->n++;
	return true;
}

/* told_of - one subject, or the test fails */
static const struct scored *
told_of(const struct told *t, enum subject_kind kind, const char *name)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->list[i].kind == kind && slice_is(t->list[i].name, name))
			return &t->list[i];
	fail_msg("no score of %s %s", subject_names[kind], name);
	return NULL;
}

/* read_all - the scores of weeks that end in [from, until); how many.  Names
 * lie in that list, which is not to be copied. */
static size_t
read_all(struct told *t, int from, int until)
{
	t->n = 0;
	must(scores_each(watch, k, SUBJECT_KINDS, SLICE_NONE, from, until,
	    tell, t, &why));
	return t->n;
}

static const struct mail senders[] = {
	{ "g1", "good", "b2b", "192.0.2.1", "yahoo", 900, 3, 0, 9, 0, 0 },
	{ "g1", "good", "b2b", "192.0.2.1", "google", 100, 0, 0, 1, 0, 0 },
	{ "g1", "bad", "b2b", "192.0.2.1", "yahoo", 400, 48, 40, 12, 3, 0 },
	{ "g1", "bad", "b2b", "192.0.2.1", "google", 600, 72, 4, 3, 0, 0 },
	{ "", "small", "b2c", "192.0.2.2", "google", 20, 4, 0, 0, 0, 0 },
	{ "", "bent", "", "", "google", 300, 0, 0, 0, 0, 1 },
};
enum { SENDERS = sizeof(senders) / sizeof(senders[0]) };

static void
who_had_mail_is_judged_once(void **state)
{
	size_t judged;
	struct told t;
	int32_t last;

	(void)state;
	assert_int_equal(scores_last(watch, &last, &why), 0);
	fill(senders, SENDERS, 63, 0);
	must(scores_run(watch, NULL, k, DAY, &judged, &why));
	/* platform, g1, four tenants, x.test, b2b and b2c, two addresses */
	assert_int_equal(judged, 1 + 1 + 4 + 1 + 2 + 2);
	must(scores_run(watch, NULL, k, DAY, &judged, &why));
	assert_int_equal(judged, 0);
	assert_int_equal(scores_last(watch, &last, &why), 1);
	assert_int_equal(last, DAY);
	read_all(&t, DAY, DAY + 1);
	assert_int_equal(t.n, 11);
	for (size_t i = 0; i < t.n; i++)
		assert_true(t.list[i].holds && t.list[i].stored ==
		    t.list[i].score.tier);
	assert_int_equal(told_of(&t, SUBJECT_TENANT, "good")->stored,
	    TIER_HEALTHY);
	assert_int_equal(told_of(&t, SUBJECT_TENANT, "bad")->stored,
	    TIER_CRITICAL);
	assert_int_equal(told_of(&t, SUBJECT_TENANT, "small")->stored,
	    TIER_UNKNOWN);
	/* seven days with one each: no more than the most of minor ones */
	assert_true(told_of(&t, SUBJECT_TENANT, "bent")->score.total == 15.0);
	assert_false(told_of(&t, SUBJECT_POOL, "b2b")->in.known[
	    SIGNAL_POLICY]);
	/* nobody asked the lists: n/a */
	assert_false(told_of(&t, SUBJECT_TENANT, "good")->in.known[
	    SIGNAL_UNSUB]);
	assert_int_equal(read_all(&t, DAY + 1, DAY + 99), 0);
	assert_int_equal(read_all(&t, DAY - 99, DAY), 0);
}

static void
one_subject_is_found_among_all(void **state)
{
	struct told t = { .n = 0 };

	(void)state;
	must(scores_each(watch, k, SUBJECT_TENANT, SLICE("bad"), 0, DAY + 1,
	    tell, &t, &why));
	assert_int_equal(t.n, 1);
	assert_string_equal(t.names[0], "bad");
	t.n = 0;
	must(scores_each(watch, k, SUBJECT_TENANT, SLICE_NONE, 0, DAY + 1,
	    tell, &t, &why));
	assert_int_equal(t.n, 4);
	t.n = 0;
	must(scores_each(watch, k, SUBJECT_TENANT, SLICE("ba"), 0, DAY + 1,
	    tell, &t, &why));
	assert_int_equal(t.n, 0);
}

struct advised {
	size_t		n;
	struct advice	list[32];
	char		texts[32][400], names[32][64], objects[32][64];
};

static bool
hear(void *with, const struct advice *a)
{
	struct advised *d = with;

	assert_true(d->n < 32);
	d->list[d->n] = *a;
	snprintf(d->texts[d->n], 400, "%.*s", SLICE_ARG(a->text));
	snprintf(d->names[d->n], 64, "%.*s", SLICE_ARG(a->name));
	snprintf(d->objects[d->n], 64, "%.*s", SLICE_ARG(a->object));
	d->n++;
	return true;
}

/* advice_of - to one subject, or the test fails */
static size_t
advice_of(const struct advised *d, enum subject_kind kind, const char *name,
    enum advice_what what)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->list[i].kind == kind && d->list[i].what == what &&
		    strcmp(d->names[i], name) == 0)
			return i;
	fail_msg("no advice to %s %s: %s", subject_names[kind], name,
	    advice_names[what]);
	return 0;
}

static void
what_a_score_recommends_has_its_figures(void **state)
{
	struct advised d = { .n = 0 };
	size_t i;

	(void)state;
	must(advice_each(watch, 0, DAY + 1, hear, &d, &why));
	i = advice_of(&d, SUBJECT_ADDRESS, "192.0.2.1", ADVICE_THROTTLE);
	assert_string_equal(d.objects[i], "yahoo");
	assert_string_equal(d.texts[i], "yahoo blocked or slowed 854 of "
	    "18,200 recipients (4.7 %) of address 192.0.2.1 in two weeks, all "
	    "others 112 of 9,800 (1.1 %): let half as much go there");
	i = advice_of(&d, SUBJECT_ADDRESS, "192.0.2.1", ADVICE_REVIEW);
	assert_string_equal(d.objects[i], "bad");
	assert_string_equal(d.texts[i], "1,680 of 1,722 hard bounces of "
	    "address 192.0.2.1 in two weeks were mail of bad (1,680): look at "
	    "its lists");
	i = advice_of(&d, SUBJECT_TENANT, "bad", ADVICE_REASSIGN);
	assert_string_equal(d.objects[i], "b2b");
	assert_non_null(strstr(d.texts[i], "shares pool b2b with 1 other "
	    "tenant: give it a pool of its own, so that the other does not"));
	i = advice_of(&d, SUBJECT_TENANT, "bad", ADVICE_REVIEW);
	assert_string_equal(d.objects[i], "bad");
	assert_int_equal(strlen(d.list[i].id), ADVICE_ID);
	for (i = 0; i < d.n; i++) {
		assert_string_not_equal(d.names[i], "good");
		assert_string_not_equal(d.names[i], "small");
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(d.list[i].id, d.list[j].id);
	}
	/* of other weeks there is none */
	d.n = 0;
	must(advice_each(watch, DAY + 1, DAY + 50, hear, &d, &why));
	must(advice_each(watch, 0, DAY, hear, &d, &why));
	assert_int_equal(d.n, 0);
}

static void
the_week_after_knows_the_one_before(void **state)
{
	static const struct mail well[] = {
		{ "g1", "bad", "b2b", "192.0.2.1", "google", 1000, 0, 0, 0, 0,
		    0 } };
	size_t judged;
	struct told t;

	(void)state;
	for (int week = 1; week <= 5; week++) {
		fill(well, 1, -7 * (week - 1), -7 * week);
		must(scores_run(watch, NULL, k, DAY + 7 * week, &judged,
		    &why));
	}
	read_all(&t, DAY, DAY + 36);
	/* the second week still has half of the first; then two are calm,
	 * and one step; and so on */
	static const enum tier want[] = { TIER_CRITICAL, TIER_CRITICAL,
		TIER_CRITICAL, TIER_AT_RISK, TIER_AT_RISK, TIER_WATCH };
	size_t at = 0;

	for (size_t i = 0; i < t.n; i++)
		if (t.list[i].kind == SUBJECT_TENANT &&
		    slice_is(t.list[i].name, "bad")) {
			assert_int_equal(t.list[i].in.day, DAY + 7 * at);
			if (at < 6 && t.list[i].stored != want[at])
				fail_msg("week %zu: got %s, want %s", at,
				    tier_names[t.list[i].stored],
				    tier_names[want[at]]);
			assert_true(t.list[i].holds);
			at++;
		}
	assert_int_equal(at, 6);
}

/* warms - address 192.0.2.9 does */
static bool
warms(void *with, enum subject_kind kind, struct slice name)
{
	(void)with;
	return kind == SUBJECT_ADDRESS && slice_is(name, "192.0.2.9");
}

/* list_entry - of one address, in a store */
static void
list_entry(struct db *db, unsigned table, const char *address,
    enum suppress_scope scope, uint64_t id, enum suppress_reason reason,
    int64_t date)
{
	struct suppress_entry e = { .scope = scope, .id = id,
		.reason = reason, .date = date, .source = SLICE("test"),
		.note = SLICE("") };
	struct db_txn *txn;
	struct folded f;

	must(fold_text(slice_of(address), arena, NULL, &f, &why));
	must(db_begin(db, true, &txn, &why));
	must(suppress_add(txn, table, &f, slice_of(address), &e, arena,
	    &why));
	must(db_commit(txn, &why));
}

static void
lists_and_warmups_are_asked(void **state)
{
	static const char *const tables[] = { "suppressions", NULL };
	static const struct db_layout consent = { .version = 1,
		.kind = "consent", .tables = tables };
	static const char *const desk_tables[] = { "records", "suppressions",
		NULL };
	static const struct db_layout desk = { .version = 1, .kind = "desk",
		.tables = desk_tables };
	static const struct mail again[] = {
		{ "g2", "left", "b2b", "192.0.2.9", "google", 100, 0, 30, 0,
		    0, 0 } };
	const int64_t end = (DAY + 70) * CLOCK_DAY;
	uint64_t list = token_list(SLICE("left"), SLICE("news"));
	uint64_t tenant = hash_id("tenant", SLICE("left"));
	struct score_sources from = { .warming = warms };
	struct advised d = { .n = 0 };
	struct db *db;
	size_t judged;
	struct told t;

	(void)state;
	fill(again, 1, -7, -70);
	must(db_open_owner(&db, below("consent", ""), &consent, MAP, &why));
	list_entry(db, 0, "a@x.test", SUPPRESS_LIST, list,
	    SUPPRESS_UNSUBSCRIBE, end - 1);
	list_entry(db, 0, "b@x.test", SUPPRESS_LIST, list,
	    SUPPRESS_UNSUBSCRIBE, end - 7 * CLOCK_DAY);
	list_entry(db, 0, "c@x.test", SUPPRESS_TENANT, tenant,
	    SUPPRESS_UNSUBSCRIBE, end - 7 * CLOCK_DAY - 1);
	list_entry(db, 0, "d@x.test", SUPPRESS_LIST, list,
	    SUPPRESS_UNSUBSCRIBE, end - 14 * CLOCK_DAY - 1);
	list_entry(db, 0, "e@x.test", SUPPRESS_LIST, list,
	    SUPPRESS_UNSUBSCRIBE, end);
	list_entry(db, 0, "f@x.test", SUPPRESS_LIST, 4711,
	    SUPPRESS_UNSUBSCRIBE, end - 1);
	db_close(db);
	must(db_open_owner(&db, below("desk", ""), &desk, MAP, &why));
	list_entry(db, 1, "t@x.test", SUPPRESS_TENANT, tenant, SUPPRESS_TRAP,
	    end - 1);
	list_entry(db, 1, "u@x.test", SUPPRESS_TENANT, tenant,
	    SUPPRESS_MANUAL, end - 1);
	list_entry(db, 1, "v@x.test", SUPPRESS_TENANT, tenant, SUPPRESS_TRAP,
	    end - 8 * CLOCK_DAY);
	db_close(db);
	must(suppress_open(&from.lists, root, 0, &why));
	must(scores_run(watch, &from, k, DAY + 70, &judged, &why));
	suppress_close(from.lists);
	read_all(&t, DAY + 70, DAY + 71);
	for (int i = 0; i < 3; i++) {
		static const struct { enum subject_kind kind; const char *n; }
		    who[] = { { SUBJECT_TENANT, "left" },
			{ SUBJECT_GROUP, "g2" }, { SUBJECT_PLATFORM, "" } };
		const struct scored *x = told_of(&t, who[i].kind, who[i].n);

		assert_true(x->in.known[SIGNAL_UNSUB]);
		assert_int_equal(x->in.x2[SIGNAL_UNSUB], 2 + 2 + 1);
		assert_int_equal(x->in.n2[SIGNAL_UNSUB], 100 * 7 * 3);
		assert_int_equal(x->in.confirmed, i == 0);
	}
	assert_true(told_of(&t, SUBJECT_TENANT, "left")->score.points[
	    SIGNAL_POLICY] == 50.0);
	const struct scored *x = told_of(&t, SUBJECT_ADDRESS, "192.0.2.9");

	assert_true(x->in.warming && !x->in.known[SIGNAL_VOLUME] &&
	    !x->in.known[SIGNAL_UNSUB]);
	assert_true(told_of(&t, SUBJECT_POOL, "b2b")->in.known[
	    SIGNAL_VOLUME]);
	must(advice_each(watch, DAY + 70, DAY + 71, hear, &d, &why));
	size_t i = advice_of(&d, SUBJECT_ADDRESS, "192.0.2.9",
	    ADVICE_WARMUP_HOLD);

	assert_non_null(strstr(d.texts[i], "address 192.0.2.9 is warming up "
	    "and has 60.0 points (blocked for reputation, content or "
	    "authentication: at least 2"));
}

static void
a_score_is_made_again_by_the_knots_of_then(void **state)
{
	struct problems problems;
	struct knots *now = k, *other = NULL;
	const char *at = strstr(reputation_data, "2 %: 10");
	char *text;
	struct told t;

	(void)state;
	problems_init(&problems, arena);
	text = arena_printf(arena, "%.*s2 %%: 20%s", (int)(at -
	    reputation_data), reputation_data, at + 7);
	assert_int_equal(knots_parse("new.conf", slice_of(text), &other,
	    &problems, &why), 1);
	k = other;
	read_all(&t, DAY, DAY + 71);
	for (size_t i = 0; i < t.n; i++)
		assert_true(t.list[i].holds);
	assert_memory_equal(t.list[0].knots, now->hash, HASH_SHA256);
	k = now;
	knots_free(other);
}

static void
a_score_that_was_changed_does_not_hold(void **state)
{
	struct db_txn *txn;
	struct scored x;
	struct told t;

	(void)state;
	read_all(&t, DAY, DAY + 1);
	x = *told_of(&t, SUBJECT_TENANT, "bad");
	x.in.x2[SIGNAL_BOUNCE] = 0;	/* the figures, not what was said */
	must(db_begin(watch, true, &txn, &why));
	must(scores_put(txn, &x, &why));
	must(db_commit(txn, &why));
	read_all(&t, DAY, DAY + 1);
	assert_false(told_of(&t, SUBJECT_TENANT, "bad")->holds);
	assert_true(told_of(&t, SUBJECT_TENANT, "good")->holds);
	/* by knots that nobody kept it cannot be made again */
	x = *told_of(&t, SUBJECT_TENANT, "good");
	x.knots[0] ^= 1;
	must(db_begin(watch, true, &txn, &why));
	must(scores_put(txn, &x, &why));
	must(db_commit(txn, &why));
	read_all(&t, DAY, DAY + 1);
	assert_false(told_of(&t, SUBJECT_TENANT, "good")->holds);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_had_mail_is_judged_once),
		cmocka_unit_test(one_subject_is_found_among_all),
		cmocka_unit_test(what_a_score_recommends_has_its_figures),
		cmocka_unit_test(the_week_after_knows_the_one_before),
		cmocka_unit_test(lists_and_warmups_are_asked),
		cmocka_unit_test(a_score_is_made_again_by_the_knots_of_then),
		cmocka_unit_test(a_score_that_was_changed_does_not_hold),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
