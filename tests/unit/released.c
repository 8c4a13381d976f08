/*
 * released - the records byte by byte, and a store that comes, is read while
 * its owner writes, is replaced and goes.
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

#include "lib/released.h"

#define MAP	(UINT64_C(16) << 20)

static char root[64], dir[80];
static struct released_reader *reader;
static struct arena *arena;
static struct why why;

/* must - or the reason */
static void
must(int rc)
{
	if (rc == -1)
		fail_msg("%s", why.text);
}

static int
setup(void **state)
{
	(void)state;
	snprintf(root, sizeof(root), "/tmp/penstock-released.XXXXXX");
	if (mkdtemp(root) == NULL)
		return -1;
	snprintf(dir, sizeof(dir), "%s/release", root);
	must(released_reader(&reader, root, &why));
	arena = arena_new(4096, 0);
	return 0;
}

/* clear - no store any more */
static void
clear(void)
{
	static const char *const files[] = { "data.mdb", "lock.mdb",
		"owner.lock" };
	char path[160];

	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		unlink(path);
	}
	rmdir(dir);
}

static int
teardown(void **state)
{
	(void)state;
	released_reader_close(reader);
	arena_free(arena);
	clear();
	rmdir(root);
	return 0;
}

/* --- bytes ---------------------------------------------------------------- */

/* The three records: every cut, a byte more and a wrong format must fail. */
enum what { DONE, INVENTORY, TRYING, WHATS };

/* decode - one of them */
static int
decode(enum what what, struct slice bytes)
{
	struct inventory i;
	struct released r;
	struct trying t;

	return what == DONE ? released_decode(7, bytes, &r, &why) :
	    what == INVENTORY ? inventory_decode(bytes, &i, &why) :
	    trying_decode(7, bytes, &t, &why);
}

static void
whole_or_not_at_all(void **state)
{
	const struct released r = { 7, 1763712000000000, RELEASED_FAILED,
		SLICE("postsuper said no"), SLICE("4F2A61234") };
	const struct inventory i = { 5, 400, 3, 4, SLICE("no") };
	const struct trying t = { 7, 8, 1, UINT64_MAX, SLICE("4F2A61234") };
	struct buf b[WHATS] = { BUF_INIT, BUF_INIT, BUF_INIT };

	(void)state;
	released_encode(&r, &b[DONE]);
	inventory_encode(&i, &b[INVENTORY]);
	trying_encode(&t, &b[TRYING]);
	for (int what = 0; what < WHATS; what++) {
		size_t n = b[what].len;

		assert_int_equal(decode((enum what)what, buf_slice(&b[what])),
		    0);
		for (size_t cut = 0; cut < n; cut++) {
			/* at the end of its own memory, for asan */
			char *copy = malloc(cut + 1);

			memcpy(copy, b[what].data, cut);
			if (decode((enum what)what, (struct slice){ copy,
			    cut }) == 0)
				fail_msg("record %d cut at %zu passed", what,
				    cut);
			free(copy);
		}
		buf_char(&b[what], 'x');
		assert_int_equal(decode((enum what)what, buf_slice(&b[what])),
		    -1);
		b[what].len--;
		b[what].data[0] = 2;
		assert_int_equal(decode((enum what)what, buf_slice(&b[what])),
		    -1);
		b[what].data[0] = 1;
	}
	b[DONE].data[1] = RELEASED_RESULTS;
	assert_int_equal(decode(DONE, buf_slice(&b[DONE])), -1);
	for (int what = 0; what < WHATS; what++)
		buf_free(&b[what]);
}

static void
every_field_comes_back(void **state)
{
	const struct inventory i = { 5, 400, 3, 4, SLICE("no") };
	const struct trying t = { 7, 8, 1, UINT64_MAX, SLICE("4F2A61234") };
	struct inventory i2;
	struct trying t2;
	struct released r2;
	struct buf b = BUF_INIT;

	(void)state;
	for (int result = 0; result < RELEASED_RESULTS; result++) {
		const struct released r = { 7, -1,
			(enum released_result)result, SLICE(""), SLICE("Q") };

		assert_non_null(released_names[result]);
		buf_reset(&b);
		released_encode(&r, &b);
		must(released_decode(7, buf_slice(&b), &r2, &why));
		assert_int_equal(r2.seq, 7);
		assert_int_equal(r2.time, -1);
		assert_int_equal(r2.result, result);
		assert_int_equal(r2.text.n, 0);
		assert_true(slice_is(r2.queue_id, "Q"));
	}
	assert_null(released_names[RELEASED_RESULTS]);
	buf_reset(&b);
	inventory_encode(&i, &b);
	must(inventory_decode(buf_slice(&b), &i2, &why));
	assert_int_equal(i2.time, 5);
	assert_int_equal(i2.ours, 400);
	assert_int_equal(i2.foreign, 3);
	assert_int_equal(i2.oldest, 4);
	assert_true(slice_is(i2.trouble, "no"));
	buf_reset(&b);
	trying_encode(&t, &b);
	must(trying_decode(7, buf_slice(&b), &t2, &why));
	assert_int_equal(t2.file, UINT64_MAX);
	assert_int_equal(t2.state, 1);
	assert_int_equal(t2.time, 8);
	assert_true(slice_is(t2.queue_id, "4F2A61234"));
	buf_free(&b);
}

static void
a_long_text_is_cut(void **state)
{
	char text[RELEASED_TEXT + 100];
	struct released r = { 7, 1, RELEASED_GONE, { text, sizeof(text) },
		SLICE("Q") };
	struct buf b = BUF_INIT;

	(void)state;
	memset(text, 'x', sizeof(text));
	released_encode(&r, &b);
	must(released_decode(7, buf_slice(&b), &r, &why));
	assert_int_equal(r.text.n, RELEASED_TEXT);
	buf_free(&b);
}

/* --- the store ------------------------------------------------------------ */

/* fill - rows 1 to n of both tables, done by one owner who leaves */
static void
fill(uint64_t n)
{
	const struct inventory i = { 50, n, 1, 0, SLICE("") };
	struct db *db = NULL;
	struct db_txn *txn;

	must(released_open(&db, dir, MAP, &why));
	must(db_begin(db, true, &txn, &why));
	for (uint64_t seq = n; seq > 0; seq--) {
		const struct released r = { seq, (int64_t)seq, RELEASED_DONE,
			SLICE("out"), SLICE("Q") };
		const struct trying t = { seq, 3, 1, seq, SLICE("Q") };

		must(released_put(txn, &r, &why));
		must(trying_put(txn, &t, &why));
	}
	must(inventory_put(txn, &i, &why));
	must(db_commit(txn, &why));
	db_close(db);
}

/* count - rows that a reader sees from a sequence on */
static size_t
count(uint64_t from)
{
	struct released rows[8];
	size_t got, all = 0;

	arena_reset(arena);
	do {
		must(released_read(reader, from, 8, arena, rows, &got, &why));
		for (size_t i = 0; i < got; i++) {
			assert_true(rows[i].seq >= from);
			assert_true(slice_is(rows[i].text, "out"));
			from = rows[i].seq + 1;
		}
		all += got;
	} while (got == 8);
	return all;
}

static void
a_store_comes_and_goes(void **state)
{
	struct inventory i;

	(void)state;
	assert_int_equal(count(0), 0);
	assert_int_equal(released_inventory(reader, arena, &i, &why), 0);
	fill(300);
	assert_int_equal(count(0), 300);
	assert_int_equal(count(290), 11);
	assert_int_equal(count(301), 0);
	assert_int_equal(released_inventory(reader, arena, &i, &why), 1);
	assert_int_equal(i.ours, 300);
	assert_int_equal(i.foreign, 1);
	clear();
	fill(2);
	assert_int_equal(count(0), 2);
	clear();
	assert_int_equal(count(0), 0);
	assert_int_equal(released_inventory(reader, arena, &i, &why), 0);
}

static void
rows_are_replaced_and_dropped(void **state)
{
	struct released r = { 3, 9, RELEASED_GONE, SLICE("by hand"),
		SLICE("Q") };
	struct trying t[4];
	struct db *db = NULL;
	struct db_txn *txn;
	size_t got;

	(void)state;
	fill(5);
	must(released_open(&db, dir, MAP, &why));
	must(db_begin(db, true, &txn, &why));
	must(released_put(txn, &r, &why));
	assert_int_equal(released_drop(txn, 4, &why), 1);
	assert_int_equal(released_drop(txn, 4, &why), 0);
	assert_int_equal(trying_drop(txn, 1, &why), 1);
	assert_int_equal(trying_drop(txn, 1, &why), 0);
	assert_int_equal(released_get(txn, 3, &r, &why), 1);
	assert_int_equal(r.result, RELEASED_GONE);
	assert_int_equal(released_get(txn, 4, &r, &why), 0);
	must(trying_rows(txn, 0, 4, t, &got, &why));
	assert_int_equal(got, 4);
	assert_int_equal(t[0].seq, 2);
	assert_int_equal(t[3].seq, 5);
	must(trying_rows(txn, 5, 4, t, &got, &why));
	assert_int_equal(got, 1);
	must(db_commit(txn, &why));
	db_close(db);
}

static void
damage_is_found(void **state)
{
	struct released_tally tally;
	struct db *db = NULL;
	struct db_txn *txn;

	(void)state;
	assert_int_equal(released_verify(dir, &tally, &why), -1);
	fill(300);
	must(released_verify(dir, &tally, &why));
	assert_int_equal(tally.done, 300);
	assert_int_equal(tally.trying, 300);
	must(released_open(&db, dir, MAP, &why));
	must(db_begin(db, true, &txn, &why));
	must(db_put(txn, RELEASED_T_DONE, SLICE("12345678"), SLICE("rubbish"),
	    &why));
	must(db_commit(txn, &why));
	db_close(db);
	assert_int_equal(released_verify(dir, &tally, &why), -1);
	assert_int_equal(why.kind, WHY_BROKEN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_or_not_at_all),
		cmocka_unit_test(every_field_comes_back),
		cmocka_unit_test(a_long_text_is_cut),
		cmocka_unit_test_setup_teardown(a_store_comes_and_goes, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(rows_are_replaced_and_dropped,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(damage_is_found, setup,
		    teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
