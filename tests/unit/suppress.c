/*
 * suppress - the record byte by byte, what the later word is, and three real
 * stores that come, go and are asked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "lib/hash.h"
#include "lib/suppress.h"

enum { OUT = SUPPRESS_OUTCOMES, CON = SUPPRESS_CONSENT, DESK = SUPPRESS_DESK };
enum { LIST = 11, OTHER_LIST = 12, TENANT = 21, GROUP = 31 };

static struct arena *arena;

/* --- judging -------------------------------------------------------------- */

struct said {
	int	store;			/* -1 ends */
	enum suppress_scope scope;
	uint64_t id;
	enum suppress_reason reason;
	int	date;			/* negative: a lift */
	int	expires;
};

static const struct {
	const char	*name;
	struct said	 said[5];
	bool		 bulk;
	int		 want;		/* date of the hit, 0 none */
} cases[] = {
	{ "nobody said anything", { { -1, 0, 0, 0, 0, 0 } }, true, 0 },
	{ "an unsubscribe of this list", { { CON, SUPPRESS_LIST, LIST, SUPPRESS_UNSUBSCRIBE, 5, 0 }, { -1, 0, 0, 0, 0, 0 } }, true, 5 },
	{ "it binds its list whatever the priority", { { CON, SUPPRESS_LIST, LIST, SUPPRESS_UNSUBSCRIBE, 5, 0 }, { -1, 0, 0, 0, 0, 0 } }, false, 5 },
	{ "an unsubscribe of another list", { { CON, SUPPRESS_LIST, OTHER_LIST, SUPPRESS_UNSUBSCRIBE, 5, 0 }, { -1, 0, 0, 0, 0, 0 } }, true, 0 },
	{ "an unsubscribe from the tenant binds bulk", { { CON, SUPPRESS_TENANT, TENANT, SUPPRESS_UNSUBSCRIBE, 5, 0 }, { -1, 0, 0, 0, 0, 0 } }, true, 5 },
	{ "a password reset still arrives", { { CON, SUPPRESS_TENANT, TENANT, SUPPRESS_UNSUBSCRIBE, 5, 0 }, { -1, 0, 0, 0, 0, 0 } }, false, 0 },
	{ "a hard bounce binds a password reset", { { OUT, SUPPRESS_TENANT, TENANT, SUPPRESS_HARD_BOUNCE, 5, 0 }, { -1, 0, 0, 0, 0, 0 } }, false, 5 },
	{ "another tenant's complaint", { { OUT, SUPPRESS_TENANT, 99, SUPPRESS_COMPLAINT, 5, 0 }, { -1, 0, 0, 0, 0, 0 } }, true, 0 },
	{ "the group's", { { DESK, SUPPRESS_GROUP, GROUP, SUPPRESS_MANUAL, 5, 0 }, { -1, 0, 0, 0, 0, 0 } }, true, 5 },
	{ "the platform's", { { DESK, SUPPRESS_PLATFORM, 0, SUPPRESS_ERASURE, 5, 0 }, { -1, 0, 0, 0, 0, 0 } }, false, 5 },
	{ "the widest is told", { { CON, SUPPRESS_LIST, LIST, SUPPRESS_UNSUBSCRIBE, 9, 0 }, { DESK, SUPPRESS_PLATFORM, 0, SUPPRESS_MANUAL, 5, 0 }, { OUT, SUPPRESS_TENANT, TENANT, SUPPRESS_COMPLAINT, 7, 0 }, { -1, 0, 0, 0, 0, 0 } }, true, 5 },
	{ "removed at the desk after it was said", { { CON, SUPPRESS_LIST, LIST, SUPPRESS_UNSUBSCRIBE, 5, 0 }, { DESK, SUPPRESS_LIST, LIST, SUPPRESS_MANUAL, -6, 0 }, { -1, 0, 0, 0, 0, 0 } }, true, 0 },
	{ "unsubscribed after the desk removed it", { { CON, SUPPRESS_LIST, LIST, SUPPRESS_UNSUBSCRIBE, 7, 0 }, { DESK, SUPPRESS_LIST, LIST, SUPPRESS_MANUAL, -6, 0 }, { -1, 0, 0, 0, 0, 0 } }, true, 7 },
	{ "both in one moment: no mail", { { CON, SUPPRESS_LIST, LIST, SUPPRESS_UNSUBSCRIBE, 6, 0 }, { DESK, SUPPRESS_LIST, LIST, SUPPRESS_MANUAL, -6, 0 }, { -1, 0, 0, 0, 0, 0 } }, true, 6 },
	{ "removed for another list", { { CON, SUPPRESS_LIST, LIST, SUPPRESS_UNSUBSCRIBE, 5, 0 }, { DESK, SUPPRESS_LIST, OTHER_LIST, SUPPRESS_MANUAL, -6, 0 }, { -1, 0, 0, 0, 0, 0 } }, true, 5 },
	{ "removed for the tenant, not for the list", { { CON, SUPPRESS_LIST, LIST, SUPPRESS_UNSUBSCRIBE, 5, 0 }, { DESK, SUPPRESS_TENANT, TENANT, SUPPRESS_MANUAL, -6, 0 }, { -1, 0, 0, 0, 0, 0 } }, true, 5 },
	{ "resubscribed", { { DESK, SUPPRESS_LIST, LIST, SUPPRESS_UNSUBSCRIBE, 5, 0 }, { CON, SUPPRESS_LIST, LIST, SUPPRESS_UNSUBSCRIBE, -6, 0 }, { -1, 0, 0, 0, 0, 0 } }, true, 0 },
	{ "a resubscribe proves no mailbox", { { OUT, SUPPRESS_LIST, LIST, SUPPRESS_HARD_BOUNCE, 5, 0 }, { CON, SUPPRESS_LIST, LIST, SUPPRESS_UNSUBSCRIBE, -6, 0 }, { -1, 0, 0, 0, 0, 0 } }, true, 5 },
	{ "nor does it undo an operator", { { DESK, SUPPRESS_LIST, LIST, SUPPRESS_MANUAL, 5, 0 }, { CON, SUPPRESS_LIST, LIST, SUPPRESS_UNSUBSCRIBE, -6, 0 }, { -1, 0, 0, 0, 0, 0 } }, true, 5 },
	{ "delivered again: outcomes lifts its own", { { OUT, SUPPRESS_TENANT, TENANT, SUPPRESS_HARD_BOUNCE, 5, 0 }, { OUT, SUPPRESS_TENANT, TENANT, SUPPRESS_HARD_BOUNCE, -6, 0 }, { -1, 0, 0, 0, 0, 0 } }, true, 0 },
	{ "but nobody else's", { { CON, SUPPRESS_TENANT, TENANT, SUPPRESS_UNSUBSCRIBE, 5, 0 }, { OUT, SUPPRESS_TENANT, TENANT, SUPPRESS_HARD_BOUNCE, -6, 0 }, { -1, 0, 0, 0, 0, 0 } }, true, 5 },
	{ "a complaint binds bulk mail", { { OUT, SUPPRESS_TENANT, TENANT, SUPPRESS_COMPLAINT, 5, 0 }, { -1, 0, 0, 0, 0, 0 } }, true, 5 },
	{ "and not the receipts of a shop", { { OUT, SUPPRESS_TENANT, TENANT, SUPPRESS_COMPLAINT, 5, 0 }, { -1, 0, 0, 0, 0, 0 } }, false, 0 },
	{ "a complaint about a list binds the list", { { OUT, SUPPRESS_LIST, LIST, SUPPRESS_COMPLAINT, 5, 0 }, { -1, 0, 0, 0, 0, 0 } }, false, 5 },
	{ "expired", { { DESK, SUPPRESS_TENANT, TENANT, SUPPRESS_MANUAL, 5, 100 }, { -1, 0, 0, 0, 0, 0 } }, true, 0 },
	{ "not yet expired", { { DESK, SUPPRESS_TENANT, TENANT, SUPPRESS_MANUAL, 5, 101 }, { -1, 0, 0, 0, 0, 0 } }, true, 5 },
	{ "a lift that expired lifts nothing", { { CON, SUPPRESS_LIST, LIST, SUPPRESS_UNSUBSCRIBE, 5, 0 }, { DESK, SUPPRESS_LIST, LIST, SUPPRESS_MANUAL, -6, 99 }, { -1, 0, 0, 0, 0, 0 } }, true, 5 },
};

/* entry_of - a row of the table as an entry */
static struct suppress_entry
entry_of(const struct said *s)
{
	return (struct suppress_entry){ s->scope, s->reason, s->date < 0,
	    s->id, s->date < 0 ? -s->date : s->date, s->expires,
	    SLICE("test"), SLICE("") };
}

/* records_of - what the three stores would hold */
static void
records_of(const struct said *said, struct buf bufs[SUPPRESS_STORES],
    struct slice out[SUPPRESS_STORES])
{
	struct suppress_entry list[SUPPRESS_STORES][5];
	struct suppress_record r[SUPPRESS_STORES] = { { .n = 0 } };

	for (; said->store != -1; said++)
		list[said->store][r[said->store].n++] = entry_of(said);
	for (int i = 0; i < SUPPRESS_STORES; i++) {
		r[i].rules = 1;
		r[i].address = SLICE("ann@example.org");
		r[i].list = list[i];
		bufs[i] = (struct buf)BUF_INIT;
		out[i] = SLICE_NONE;
		if (r[i].n == 0)
			continue;
		suppress_encode(&r[i], &bufs[i]);
		assert_false(buf_failed(&bufs[i]));
		out[i] = buf_slice(&bufs[i]);
	}
}

static void
the_later_word_counts(void **state)
{
	int wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct suppress_who who = { LIST, TENANT, GROUP,
		    cases[i].bulk, 100, false };
		struct suppress_hit hit = { .date = 0 };
		struct slice records[SUPPRESS_STORES];
		struct buf bufs[SUPPRESS_STORES];
		struct why why;
		int got;

		records_of(cases[i].said, bufs, records);
		got = suppress_judge(records, &who, &hit, &why);
		if (got != (cases[i].want != 0) ||
		    (got == 1 && hit.date != cases[i].want)) {
			print_error("%s: got %d, date %lld, want date %d\n",
			    cases[i].name, got, (long long)hit.date,
			    cases[i].want);
			wrong++;
		}
		for (int k = 0; k < SUPPRESS_STORES; k++)
			buf_free(&bufs[k]);
	}
	assert_int_equal(wrong, 0);
}

/* --- bytes ---------------------------------------------------------------- */

static const struct said two[] = {
	{ CON, SUPPRESS_LIST, LIST, SUPPRESS_UNSUBSCRIBE, 5, 0 },
	{ CON, SUPPRESS_TENANT, TENANT, SUPPRESS_MANUAL, -6, 7 },
	{ -1, 0, 0, 0, 0, 0 } };

static void
a_record_is_written_as_described(void **state)
{
	static const uint8_t want[] = { 1, 1, 0,
		15, 0, 0, 0, 'a', 'n', 'n', '@', 'e', 'x', 'a', 'm', 'p', 'l',
		'e', '.', 'o', 'r', 'g', 2, 0, 0, 0,
		0, 0, 0, 11, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 't', 'e', 's', 't',
		0, 0, 0, 0,
		1, 4, 1, 21, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0,
		7, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 't', 'e', 's', 't',
		0, 0, 0, 0 };
	struct slice records[SUPPRESS_STORES];
	struct buf bufs[SUPPRESS_STORES];
	struct suppress_record r;
	struct why why;

	(void)state;
	records_of(two, bufs, records);
	assert_int_equal(records[CON].n, sizeof(want));
	assert_memory_equal(records[CON].p, want, sizeof(want));
	assert_int_equal(suppress_decode(records[CON], arena, &r, &why), 0);
	assert_int_equal(r.n, 2);
	assert_true(slice_is(r.address, "ann@example.org"));
	assert_true(!r.list[0].lift && r.list[1].lift);
	assert_true(r.list[1].id == TENANT && r.list[1].expires == 7);
	buf_free(&bufs[CON]);
}

static void
a_record_cut_or_longer_is_damaged(void **state)
{
	struct slice records[SUPPRESS_STORES], only[SUPPRESS_STORES] = {
	    SLICE_NONE, SLICE_NONE, SLICE_NONE };
	struct suppress_who who = { LIST, TENANT, GROUP, true, 1, false };
	struct buf bufs[SUPPRESS_STORES];
	struct suppress_record r;
	struct suppress_hit hit;
	struct why why;
	char *cut;

	(void)state;
	records_of(two, bufs, records);
	for (size_t n = 0; n < records[CON].n; n++) {
		assert_non_null(cut = malloc(n + 1));
		memcpy(cut, records[CON].p, n);
		only[CON] = (struct slice){ cut, n };
		arena_reset(arena);
		assert_int_equal(suppress_decode(only[CON], arena, &r, &why),
		    -1);
		assert_int_equal(suppress_judge(only, &who, &hit, &why), -1);
		assert_int_equal(why.kind, WHY_BROKEN);
		free(cut);
	}
	buf_char(&bufs[CON], 'x');
	assert_int_equal(suppress_decode(buf_slice(&bufs[CON]), arena, &r,
	    &why), -1);
	buf_free(&bufs[CON]);
}

/* --- stores --------------------------------------------------------------- */

static char root[] = "/tmp/penstock-suppress-XXXXXX";
static const char *const tables[] = { "other", SUPPRESS_TABLE, NULL };
static const struct db_layout layouts[SUPPRESS_STORES] = {
	{ 3, "outcomes", tables, 0 }, { 1, "consent", tables, 0 },
	{ 2, "desk", tables, 0 } };
enum { TABLE = 1 };

/* dir_of - of one store; good until the next call */
static const char *
dir_of(int store, const char *file)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s%s%s", root,
	    suppress_store_names[store], file[0] != '\0' ? "/" : "", file);
	return path;
}

/* own - one store, as its owner */
static struct db *
own(int store)
{
	struct db *db;
	struct why why;

	if (db_open_owner(&db, dir_of(store, ""), &layouts[store],
	    1u << 30, &why) == -1)
		fail_msg("%s", why.text);
	return db;
}

/* wipe - one store, or what is left of it */
static void
wipe(int store)
{
	unlink(dir_of(store, "data.mdb"));
	unlink(dir_of(store, "lock.mdb"));
	unlink(dir_of(store, "owner.lock"));
	rmdir(dir_of(store, ""));
}

/* say - one entry for an address, committed; what suppress_add returned */
static int
say(struct db *db, const char *address, const struct said *s)
{
	struct suppress_entry e = entry_of(s);
	struct db_txn *txn;
	struct folded f;
	struct why why;
	int rc;

	if (fold_text(slice_of(address), arena, NULL, &f, &why) == -1 ||
	    db_begin(db, true, &txn, &why) == -1)
		fail_msg("%s", why.text);
	rc = suppress_add(txn, TABLE, &f, slice_of(address), &e, arena, &why);
	if (rc == -1)
		fail_msg("%s", why.text);
	if (db_commit(txn, &why) == -1)
		fail_msg("%s", why.text);
	return rc;
}

/* ask - of bulk mail of LIST to that address */
static int
ask(struct suppress *s, const char *address, struct suppress_hit *hit,
    struct why *why)
{
	struct suppress_who who = { LIST, TENANT, GROUP, true, 1000,
	    false };
	struct folded f;

	if (fold_text(slice_of(address), arena, NULL, &f, why) == -1)
		fail_msg("%s", why->text);
	why->text[0] = '\0';
	return suppress_check(s, f.hash, &who, hit, why);
}

static void
a_store_that_goes_is_missed(void **state)
{
	static const struct said left = { CON, SUPPRESS_LIST, LIST,
	    SUPPRESS_UNSUBSCRIBE, 5, 0 };
	struct suppress *s;
	struct suppress_hit hit;
	struct db *db;
	struct why why;

	(void)state;
	assert_int_equal(suppress_open(&s, root, 0, &why), 0);
	assert_int_equal(ask(s, "ann@example.org", &hit, &why), 0);
	assert_int_equal(suppress_seen(s), 0);
	db = own(CON);
	assert_int_equal(say(db, "Ann+x@Gmail.com", &left), 1);
	assert_int_equal(suppress_refresh(s, &why), 0);
	assert_int_equal(suppress_seen(s), 1u << CON);
	assert_int_equal(ask(s, "a.nn@googlemail.com", &hit, &why), 1);
	assert_int_equal(hit.store, SUPPRESS_CONSENT);
	assert_string_equal(hit.source, "test");
	assert_int_equal(ask(s, "bob@gmail.com", &hit, &why), 0);
	/* said while the reader is open: seen at once */
	assert_int_equal(say(db, "bob@gmail.com", &left), 1);
	assert_int_equal(ask(s, "bob@gmail.com", &hit, &why), 1);
	db_close(db);
	wipe(CON);
	assert_int_equal(suppress_refresh(s, &why), -1);
	assert_int_equal(ask(s, "bob@gmail.com", &hit, &why), -1);
	assert_non_null(strstr(why.text, "was here and is gone"));
	assert_int_equal(ask(s, "ann@example.org", &hit, &why), -1);
	/* it comes back, as another file */
	db = own(CON);
	assert_int_equal(suppress_refresh(s, &why), 0);
	assert_int_equal(ask(s, "bob@gmail.com", &hit, &why), 0);
	suppress_close(s);
	db_close(db);
	wipe(CON);
	/* and what an earlier life saw is missed from the beginning */
	assert_int_equal(suppress_open(&s, root, 1u << CON, &why), 0);
	assert_int_equal(ask(s, "bob@gmail.com", &hit, &why), -1);
	assert_non_null(strstr(why.text, "/consent was here"));
	suppress_close(s);
}

static void
saying_it_again_changes_nothing(void **state)
{
	static const struct said
	    at5 = { CON, SUPPRESS_LIST, LIST, SUPPRESS_UNSUBSCRIBE, 5, 0 },
	    at6 = { CON, SUPPRESS_LIST, LIST, SUPPRESS_UNSUBSCRIBE, 6, 0 },
	    lift = { CON, SUPPRESS_LIST, LIST, SUPPRESS_UNSUBSCRIBE, -7, 0 },
	    other = { CON, SUPPRESS_LIST, OTHER_LIST, SUPPRESS_UNSUBSCRIBE, 5,
	    0 },
	    at8 = { CON, SUPPRESS_LIST, LIST, SUPPRESS_UNSUBSCRIBE, 8, 0 },
	    bounce = { CON, SUPPRESS_LIST, LIST, SUPPRESS_HARD_BOUNCE, 5, 0 };
	struct suppress_record found[SUPPRESS_STORES];
	struct suppress *s;
	struct suppress_hit hit;
	struct folded f;
	struct db *db = own(CON);
	struct why why;

	(void)state;
	assert_int_equal(suppress_open(&s, root, 0, &why), 0);
	assert_int_equal(say(db, "c@example.org", &at6), 1);
	assert_int_equal(say(db, "c@example.org", &at6), 0);
	assert_int_equal(say(db, "c@example.org", &at5), 0);
	assert_int_equal(say(db, "c@example.org", &other), 1);
	assert_int_equal(say(db, "c@example.org", &bounce), 1);
	assert_int_equal(ask(s, "c@example.org", &hit, &why), 1);
	assert_int_equal(say(db, "c@example.org", &lift), 1);
	assert_int_equal(say(db, "c@example.org", &lift), 0);
	assert_int_equal(ask(s, "c@example.org", &hit, &why), 0);
	assert_int_equal(say(db, "c@example.org", &at6), 0);
	assert_int_equal(ask(s, "c@example.org", &hit, &why), 0);
	assert_int_equal(say(db, "c@example.org", &at8), 1);
	assert_int_equal(ask(s, "c@example.org", &hit, &why), 1);
	assert_int_equal(hit.date, 8);
	assert_int_equal(fold_text(SLICE("c@example.org"), arena, NULL, &f,
	    &why), 0);
	assert_int_equal(suppress_find(s, f.hash, arena, found, &why), 1);
	assert_int_equal(found[OUT].n + found[DESK].n, 0);
	assert_int_equal(found[CON].n, 2);	/* the other list, and at8 */
	suppress_close(s);
	db_close(db);
	wipe(CON);
}

static void
pages_give_every_record_once(void **state)
{
	static const struct said left = { DESK, SUPPRESS_PLATFORM, 0,
	    SUPPRESS_MANUAL, 5, 0 };
	struct suppress_record out[7];
	struct suppress *s;
	struct db *db = own(DESK);
	struct why why;
	uint8_t key[FOLD_HASH];
	bool begun = false, seen[100] = { false };
	char address[32];
	long n;

	(void)state;
	assert_int_equal(suppress_open(&s, root, 0, &why), 0);
	for (int i = 0; i < 100; i++) {
		snprintf(address, sizeof(address), "u%02d@example.org", i);
		assert_int_equal(say(db, address, &left), 1);
	}
	while ((n = suppress_page(s, SUPPRESS_DESK, key, &begun, arena, out, 7,
	    &why)) > 0) {
		for (long i = 0; i < n; i++) {
			int which = atoi(out[i].address.p + 1);

			assert_false(seen[which]);
			seen[which] = true;
		}
	}
	assert_int_equal(n, 0);
	for (int i = 0; i < 100; i++)
		assert_true(seen[i]);
	suppress_close(s);
	db_close(db);
	wipe(DESK);
}

/* fill - n entries of each store, in the order of their keys */
static void
fill(struct db *db, uint64_t n, uint64_t first)
{
	struct said s = { OUT, SUPPRESS_TENANT, TENANT, SUPPRESS_HARD_BOUNCE,
	    5, 0 };
	struct suppress_entry e = entry_of(&s);
	struct suppress_record r = { .rules = 1, .list = &e, .n = 1,
	    .address = SLICE("somebody.else@example.org") };
	struct buf b = BUF_INIT;
	struct db_txn *txn = NULL;
	uint8_t key[FOLD_HASH] = { 0 };
	struct why why;

	suppress_encode(&r, &b);
	for (uint64_t i = 0; i < n; i++) {
		if (txn == NULL && db_begin(db, true, &txn, &why) == -1)
			fail_msg("%s", why.text);
		/* spread evenly over all keys, ascending */
		be64_put(key, first + i * (UINT64_MAX / n));
		if (db_append(txn, TABLE, (struct slice){ (char *)key,
		    FOLD_HASH }, buf_slice(&b), &why) == -1)
			fail_msg("%s", why.text);
		if (i % 100000 == 99999 || i == n - 1) {
			if (db_commit(txn, &why) == -1)
				fail_msg("%s", why.text);
			txn = NULL;
		}
	}
	buf_free(&b);
}

static void
three_look_ups_take_microseconds(void **state)
{
	const char *rounds = getenv("ROUNDS");
	int count = rounds != NULL ? atoi(rounds) : 50;
	/* 10,000,000 in all with ROUNDS=1000 */
	uint64_t each = (uint64_t)(count < 1000 ? count : 1000) * 10000 /
	    SUPPRESS_STORES;
	struct suppress_who who = { LIST, TENANT, GROUP, true, 1000,
	    false };
	struct db *db[SUPPRESS_STORES];
	struct suppress *s;
	struct suppress_hit hit;
	struct why why;
	uint8_t key[FOLD_HASH] = { 0 };
	uint64_t seed = 1;
	int64_t began, took;
	const int n = 20000;
	long hits = 0;

	(void)state;
	for (int i = 0; i < SUPPRESS_STORES; i++) {
		if (db_open_owner(&db[i], dir_of(i, ""), &layouts[i],
		    UINT64_C(4) << 30, &why) == -1)
			fail_msg("%s", why.text);
		fill(db[i], each, 0);
	}
	assert_int_equal(suppress_open(&s, root, 0, &why), 0);
	for (int round = 0; round < 2; round++) {
		began = clock_mono();
		for (int i = 0; i < n; i++) {
			seed = hash_64(seed, &i, sizeof(i));
			/* every other one is there */
			be64_put(key, i % 2 ? seed : seed % each *
			    (UINT64_MAX / each));
			hits += suppress_check(s, key, &who, &hit, &why) == 1;
		}
		took = clock_mono() - began;
	}
	print_message("%.2f us for three look-ups among %llu entries\n",
	    (double)took / n, (unsigned long long)each * SUPPRESS_STORES);
	assert_true(hits >= n);
	suppress_close(s);
	for (int i = 0; i < SUPPRESS_STORES; i++) {
		db_close(db[i]);
		wipe(i);
	}
}

static int
teardown(void **state)
{
	(void)state;
	for (int i = 0; i < SUPPRESS_STORES; i++)
		wipe(i);
	return rmdir(root);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_later_word_counts),
		cmocka_unit_test(a_record_is_written_as_described),
		cmocka_unit_test(a_record_cut_or_longer_is_damaged),
		cmocka_unit_test(a_store_that_goes_is_missed),
		cmocka_unit_test(saying_it_again_changes_nothing),
		cmocka_unit_test(pages_give_every_record_once),
		cmocka_unit_test(three_look_ups_take_microseconds),
	};
	struct why why;
	int failed;

	if (fold_init(&why) == -1 || (arena = arena_new(65536, 0)) == NULL ||
	    mkdtemp(root) == NULL)
		return 1;
	failed = cmocka_run_group_tests_name("suppress", tests, NULL,
	    teardown);
	arena_free(arena);
	return failed;
}
