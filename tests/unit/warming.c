/*
 * Which addresses and pools warm up, by the rows of the gate and the cells of
 * two weeks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/store_warm.h"
#include "policy/progress.h"
#include "tools/alert/warming.h"

#define MAP	(UINT64_C(64) << 20)
#define DAY	20605

static char root[64];
static struct store *gate;
static struct db *watch;
static struct why why;

/* must - or the reason */
static void
must(int rc)
{
	if (rc == -1)
		fail_msg("%s", why.text);
}

static const struct row {
	const char	*name;
	int64_t		used, warmed;
	bool		warms;
} rows[] = {
	{ "192.0.2.1", DAY - 1, 0, true },
	{ "2001:db8::1", DAY - 14, 0, true },
	{ "192.0.2.2", DAY - 1, DAY - 3, false },	/* it is done */
	{ "192.0.2.3", DAY - 15, 0, false },	/* nobody uses it any more */
	{ "acme/news a@b.example", DAY - 1, 0, false },	/* a login's */
};
enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static const struct { const char *pool, *address; int day; } cells[] = {
	{ "b2b", "192.0.2.1", DAY - 14 }, { "old", "192.0.2.1", DAY - 15 },
	{ "six", "2001:db8::1", DAY - 1 }, { "done", "192.0.2.2", DAY - 1 },
	{ "later", "192.0.2.1", DAY }, { "", "192.0.2.1", DAY - 1 },
};

/* fill - both stores */
static void
fill(void)
{
	struct db_txn *txn;
	struct buf b = BUF_INIT;

	must(store_begin(gate, &why));
	for (size_t i = 0; i < ROWS; i++) {
		uint8_t key[STORE_WARM_KEY] = { (uint8_t)(i + 1) };
		struct warm_row r = { .name = slice_of(rows[i].name),
			.day = 3, .date = DAY, .started = DAY - 30,
			.used = rows[i].used, .warmed = rows[i].warmed,
			.rule = SLICE("A1"), .inputs = SLICE("") };

		buf_reset(&b);
		progress_encode(&r, &b);
		must(store_put_warm(gate, key, buf_slice(&b), &why));
	}
	must(store_commit(gate, &why));
	buf_free(&b);
	must(db_begin(watch, true, &txn, &why));
	for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
		struct cell c = { .at = cells[i].day, .group = SLICE(""),
			.tenant = SLICE("t"), .domain = SLICE(""),
			.stream = SLICE(""), .pool = slice_of(cells[i].pool),
			.address = slice_of(cells[i].address),
			.provider = SLICE("google") };

		c.n[TALLY_ACCEPTED] = 1;
		must(rollup_put(txn, GRAIN_DAY, &c, &why));
	}
	must(db_commit(txn, &why));
}

static int
setup(void **state)
{
	char dir[96];

	(void)state;
	snprintf(root, sizeof(root), "/tmp/penstock-warming.XXXXXX");
	if (mkdtemp(root) == NULL)
		return -1;
	snprintf(dir, sizeof(dir), "%s/gate", root);
	must(store_open(&gate, dir, MAP, &why));
	snprintf(dir, sizeof(dir), "%s/watch", root);
	must(watch_open(&watch, dir, MAP, &why));
	fill();
	return 0;
}

static int
teardown(void **state)
{
	static const char *const files[] = { "gate/data.mdb",
		"gate/lock.mdb", "gate/owner.lock", "watch/data.mdb",
		"watch/lock.mdb", "watch/owner.lock" };
	char path[128];

	(void)state;
	store_close(gate);
	db_close(watch);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", root, files[i]);
		unlink(path);
	}
	snprintf(path, sizeof(path), "%s/gate", root);
	rmdir(path);
	snprintf(path, sizeof(path), "%s/watch", root);
	rmdir(path);
	return rmdir(root);
}

static void
addresses_warm_up_until_it_is_done(void **state)
{
	struct warming *w;

	(void)state;
	must(warming_read(&w, gate, watch, DAY, &why));
	for (size_t i = 0; i < ROWS; i++)
		if (warming_is(w, SUBJECT_ADDRESS, slice_of(rows[i].name)) !=
		    rows[i].warms)
			fail_msg("%s: want %s", rows[i].name, rows[i].warms ?
			    "warming" : "not");
	assert_false(warming_is(w, SUBJECT_TENANT, SLICE("192.0.2.1")));
	warming_free(w);
}

static void
a_pool_does_whose_mail_left_by_one(void **state)
{
	struct warming *w;

	(void)state;
	must(warming_read(&w, gate, watch, DAY, &why));
	assert_true(warming_is(w, SUBJECT_POOL, SLICE("b2b")));
	assert_true(warming_is(w, SUBJECT_POOL, SLICE("six")));
	assert_false(warming_is(w, SUBJECT_POOL, SLICE("old")));
	assert_false(warming_is(w, SUBJECT_POOL, SLICE("done")));
	assert_false(warming_is(w, SUBJECT_POOL, SLICE("later")));
	assert_false(warming_is(w, SUBJECT_POOL, SLICE("")));
	warming_free(w);
}

static void
without_a_gate_nobody_does(void **state)
{
	struct warming *w;

	(void)state;
	must(warming_read(&w, NULL, watch, DAY, &why));
	assert_false(warming_is(w, SUBJECT_ADDRESS, SLICE("192.0.2.1")));
	warming_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_warm_up_until_it_is_done),
		cmocka_unit_test(a_pool_does_whose_mail_left_by_one),
		cmocka_unit_test(without_a_gate_nobody_does),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
