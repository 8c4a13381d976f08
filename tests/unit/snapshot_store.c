/*
 * Rows of snapshots in two stores: the later one holds, in one order; and a
 * desk that was made before there were any.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <unistd.h>

#include "lib/desk.h"
#include "reputation/snapshot.h"
#include "reputation/watch.h"

#define MAP	(UINT64_C(64) << 20)

static char folder[64], watch_dir[80], desk_dir[80];

static int
setup(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/penstock-snap.XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(watch_dir, sizeof(watch_dir), "%s/watch", folder);
	snprintf(desk_dir, sizeof(desk_dir), "%s/desk", folder);
	return 0;
}

static int
teardown(void **state)
{
	static const char *const files[] = { "data.mdb", "lock.mdb",
		"owner.lock" };
	const char *const dirs[] = { watch_dir, desk_dir };
	char path[160];

	(void)state;
	for (size_t d = 0; d < 2; d++) {
		for (size_t i = 0; i < 3; i++) {
			snprintf(path, sizeof(path), "%s/%s", dirs[d],
			    files[i]);
			(void)unlink(path);
		}
		(void)rmdir(dirs[d]);
	}
	return rmdir(folder);
}

/* row - a figure of that day, taken at that time */
static struct snapshot
row(const char *subject, const char *metric, int32_t day, int64_t taken,
    const char *value)
{
	return (struct snapshot){ .provider = SLICE("google"),
	    .subject_type = SLICE("domain"), .subject = slice_of(subject),
	    .metric = slice_of(metric), .value = slice_of(value),
	    .unit = SLICE("share"), .begin = day, .end = day, .taken = taken,
	    .fetched = taken, .source = SLICE("file"), .note = SLICE(""),
	    .state = SNAPSHOT_AVAILABLE };
}

/* put - what snapshots_put says */
static int
put(struct db *db, unsigned table, struct snapshot s)
{
	struct db_txn *txn;
	struct why why;
	int got;

	assert_int_equal(db_begin(db, true, &txn, &why), 0);
	if ((got = snapshots_put(txn, table, &s, &why)) == -1)
		fail_msg("%s", why.text);
	assert_int_equal(db_commit(txn, &why), 0);
	return got;
}

struct seen { char text[2000]; size_t n; int most; };

/* see - "subject metric day value", for snapshots_each */
static bool
see(void *with, const struct snapshot *s)
{
	struct seen *seen = with;

	seen->n += (size_t)snprintf(seen->text + seen->n, sizeof(seen->text) -
	    seen->n, "%.*s %.*s %d %.*s\n", SLICE_ARG(s->subject),
	    SLICE_ARG(s->metric), (int)s->begin, SLICE_ARG(s->value));
	return seen->most == 0 || --seen->most > 0;
}

static void
test_two_stores_one_order(void **state)
{
	struct seen seen = { .n = 0 };
	struct db *watch;
	struct desk *desk;
	struct why why;

	(void)state;
	assert_int_equal(watch_open(&watch, watch_dir, MAP, &why), 0);
	assert_int_equal(desk_open(&desk, desk_dir, MAP, &why), 0);
	assert_int_equal(put(watch, WATCH_SNAPSHOTS, row("b.example", "spam",
	    10, 5, "0.1")), 1);
	assert_int_equal(put(watch, WATCH_SNAPSHOTS, row("b.example", "spam",
	    -3, 5, "0.2")), 1);
	assert_int_equal(put(watch, WATCH_SNAPSHOTS, row("b.example", "spam",
	    11, 5, "0.3")), 1);
	assert_int_equal(put(desk_db(desk), DESK_T_SNAPSHOTS, row("b.example",
	    "spam", 10, 6, "0.4")), 1);
	assert_int_equal(put(desk_db(desk), DESK_T_SNAPSHOTS, row("b.example",
	    "spam", 11, 4, "0.5")), 1);
	assert_int_equal(put(desk_db(desk), DESK_T_SNAPSHOTS, row("b.example",
	    "spa", 300, 4, "0.6")), 1);
	assert_int_equal(put(desk_db(desk), DESK_T_SNAPSHOTS, row("a.example",
	    "tls", 20, 4, "0.7")), 1);
	assert_int_equal(snapshots_each(watch, desk_db(desk), INT32_MIN,
	    INT32_MAX, see, &seen, &why), 0);
	assert_string_equal(seen.text, "a.example tls 20 0.7\n"
	    "b.example spa 300 0.6\nb.example spam -3 0.2\n"
	    "b.example spam 10 0.4\nb.example spam 11 0.3\n");
	seen = (struct seen){ .n = 0 };
	assert_int_equal(snapshots_each(watch, desk_db(desk), 10, 12, see,
	    &seen, &why), 0);
	assert_string_equal(seen.text, "b.example spam 10 0.4\n"
	    "b.example spam 11 0.3\n");
	seen = (struct seen){ .most = 1 };
	assert_int_equal(snapshots_each(NULL, desk_db(desk), 0, 400, see,
	    &seen, &why), 0);
	assert_string_equal(seen.text, "a.example tls 20 0.7\n");
	seen = (struct seen){ .n = 0 };
	assert_int_equal(snapshots_each(NULL, NULL, 0, 400, see, &seen, &why),
	    0);
	assert_string_equal(seen.text, "");
	desk_close(desk);
	db_close(watch);
}

static void
test_what_is_put(void **state)
{
	struct snapshot s = row("a.example", "spam", 10, 5, "0.1"), longest;
	static char name[256];
	struct db *watch;
	struct why why;

	(void)state;
	assert_int_equal(watch_open(&watch, watch_dir, MAP, &why), 0);
	assert_int_equal(put(watch, WATCH_SNAPSHOTS, s), 1);
	assert_int_equal(put(watch, WATCH_SNAPSHOTS, s), 0);
	s.fetched = 99;				/* says nothing new */
	assert_int_equal(put(watch, WATCH_SNAPSHOTS, s), 0);
	s.value = SLICE("0.2");			/* read better, of that time */
	assert_int_equal(put(watch, WATCH_SNAPSHOTS, s), 1);
	s.taken = 4;
	assert_int_equal(put(watch, WATCH_SNAPSHOTS, s), 0);
	s.taken = 6;
	assert_int_equal(put(watch, WATCH_SNAPSHOTS, s), 1);
	/* the longest names there may be have a key */
	memset(name, 'x', sizeof(name) - 1);
	longest = row(name, "", 10, 5, "1");
	longest.subject.n = SNAPSHOT_SUBJECT;
	longest.metric = (struct slice){ name, SNAPSHOT_METRIC };
	longest.provider = (struct slice){ name, SNAPSHOT_PROVIDER };
	assert_int_equal(put(watch, WATCH_SNAPSHOTS, longest), 1);
	db_close(watch);
}

static void
test_files_that_are_known(void **state)
{
	uint8_t raw[HASH_SHA256] = { 7 }, other[HASH_SHA256] = { 8 };
	struct seen seen = { .n = 0 };
	struct db_txn *txn;
	struct desk *desk;
	struct db *db;
	struct why why;

	(void)state;
	assert_int_equal(desk_open(&desk, desk_dir, MAP, &why), 0);
	db = desk_db(desk);
	assert_int_equal(snapshots_known(db, DESK_T_SNAPSHOTS, raw,
	    SLICE("google"), SLICE_NONE, &why), 0);
	assert_int_equal(db_begin(db, true, &txn, &why), 0);
	assert_int_equal(snapshots_mark(txn, DESK_T_SNAPSHOTS, raw,
	    SLICE("google"), SLICE_NONE, 5, &why), 0);
	assert_int_equal(db_commit(txn, &why), 0);
	assert_int_equal(snapshots_known(db, DESK_T_SNAPSHOTS, raw,
	    SLICE("google"), SLICE_NONE, &why), 1);
	assert_int_equal(snapshots_known(db, DESK_T_SNAPSHOTS, other,
	    SLICE("google"), SLICE_NONE, &why), 0);
	/* for another subject it says something else */
	assert_int_equal(snapshots_known(db, DESK_T_SNAPSHOTS, raw,
	    SLICE("google"), SLICE("a.example"), &why), 0);
	assert_int_equal(snapshots_known(db, DESK_T_SNAPSHOTS, raw,
	    SLICE("microsoft"), SLICE_NONE, &why), 0);
	/* and a mark is no row */
	assert_int_equal(snapshots_each(NULL, db, INT32_MIN, INT32_MAX, see,
	    &seen, &why), 0);
	assert_string_equal(seen.text, "");
	desk_close(desk);
}

static void
test_a_desk_of_before(void **state)
{
	static const char *const tables[] = { "records", "suppressions",
		NULL };
	static const struct db_layout old = { .version = 1, .kind = "desk",
		.tables = tables };
	struct desk_record pause = { .kind = DESK_PAUSE,
	    .tenant = SLICE("acme"), .reason = SLICE("why not") };
	uint8_t raw[HASH_SHA256] = { 0 }, chain[HASH_SHA256];
	struct seen seen = { .n = 0 };
	struct desk *desk;
	uint64_t seq;
	struct db *db;
	struct why why;

	(void)state;
	assert_int_equal(db_open_shared(&db, desk_dir, &old, MAP, 0, &why), 0);
	db_close(db);
	/* who reads it finds no snapshots, and all the rest */
	assert_int_equal(desk_open_read(&desk, desk_dir, &why), 1);
	assert_int_equal(desk_last(desk, &seq, chain, &why), 0);
	assert_int_equal(snapshots_each(NULL, desk_db(desk), 0, 400, see,
	    &seen, &why), 0);
	assert_int_equal(snapshots_known(desk_db(desk), DESK_T_SNAPSHOTS, raw,
	    SLICE("google"), SLICE_NONE, &why), 0);
	desk_close(desk);
	assert_int_equal(desk_verify(desk_dir, &why), 0);
	/* who writes it adds the table */
	assert_int_equal(desk_open(&desk, desk_dir, MAP, &why), 0);
	assert_int_equal(desk_append(desk, &pause, &seq, &why), 0);
	assert_int_equal(put(desk_db(desk), DESK_T_SNAPSHOTS, row("a.example",
	    "spam", 10, 5, "0.1")), 1);
	desk_close(desk);
	assert_int_equal(desk_open_read(&desk, desk_dir, &why), 1);
	assert_int_equal(snapshots_each(NULL, desk_db(desk), 0, 400, see,
	    &seen, &why), 0);
	assert_string_equal(seen.text, "a.example spam 10 0.1\n");
	desk_close(desk);
	assert_int_equal(desk_verify(desk_dir, &why), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(test_two_stores_one_order),
		T(test_what_is_put),
		T(test_files_that_are_known),
		T(test_a_desk_of_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
