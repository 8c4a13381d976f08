/*
 * Indexes in runs: every entry is found, by whatever transactions it came, in
 * order and from any point on; small transactions leave few rows.
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

#include "reputation/outcome_in.h"

#define MAP	(UINT64_C(256) << 20)
enum { KEYS = 37, MOST = 200000 };

static char folder[64], dir[80];
static struct outcomes *store;
static struct why why;
static struct outcome_entry model[MOST];
static size_t nmodel;
static uint64_t seeds;

/* must - or the reason */
static void
must(int rc)
{
	if (rc == -1)
		fail_msg("%s", why.text);
}

/* dice - a number below n, the same in every run */
static uint64_t
dice(uint64_t n)
{
	seeds = seeds * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (seeds >> 33) % n;
}

static int
setup(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/penstock-run.XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(dir, sizeof(dir), "%s/outcomes", folder);
	must(outcomes_open(&store, dir, MAP, &why));
	nmodel = 0;
	seeds = 7;
	return 0;
}

static int
teardown(void **state)
{
	static const char *const files[] = { "data.mdb", "lock.mdb",
		"owner.lock" };
	char path[160];

	(void)state;
	outcomes_close(store);
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		unlink(path);
	}
	rmdir(dir);
	rmdir(folder);
	return 0;
}

/* key_of - few keys that many share, and many that are alone */
static uint64_t
key_of(uint64_t n)
{
	return n < KEYS ? n * UINT64_C(0x9e3779b97f4a7c15) : ~n;
}

/* add - n entries in one transaction, sequences rising */
static void
add(size_t n, uint64_t *seq, bool keep)
{
	must(outcomes_begin(store, &why));
	for (size_t i = 0; i < n; i++) {
		uint64_t key = key_of(dice(2 * KEYS));
		unsigned bits = 1u << dice(3);

		*seq += dice(3) == 0;
		must(outcome_run_add(store, T_INDEX, key, *seq, bits, &why));
		if (keep && nmodel < MOST)
			model[nmodel++] = (struct outcome_entry){ key,
				*seq << 3 | bits };
	}
	++*seq;
	if (keep)
		must(outcomes_commit(store, &why));
	else
		outcomes_abort(store);
}

/* wanted - what the model says */
static size_t
wanted(uint64_t key, unsigned bits, uint64_t after, uint64_t *seqs, size_t n)
{
	size_t got = 0;

	for (size_t i = 0; i < nmodel && got < n; i++) {
		uint64_t seq = model[i].value >> 3;

		if (model[i].key == key && seq > after && (bits == 0 ||
		    (model[i].value & bits) != 0) &&
		    (got == 0 || seqs[got - 1] != seq))
			seqs[got++] = seq;
	}
	return got;
}

/* compare - an answer with the model's */
static void
compare(uint64_t key, unsigned bits, uint64_t after, size_t n)
{
	uint64_t want[256], have[256];
	size_t nwant = wanted(key, bits, after, want, n), got;
	struct db_txn *txn;

	must(db_begin(outcomes_db(store), false, &txn, &why));
	must(outcome_run_find(store, txn, T_INDEX, key, bits, after, have, n,
	    &got, &why));
	db_abort(txn);
	if (got != nwant || memcmp(want, have, got * sizeof(*want)) != 0)
		fail_msg("key %llx bits %u after %llu: got %zu want %zu",
		    (unsigned long long)key, bits, (unsigned long long)after,
		    got, nwant);
}

/* ask_all - every key, from several points on */
static void
ask_all(uint64_t seq)
{
	for (uint64_t n = 0; n < 2 * KEYS; n++)
		for (unsigned bits = 0; bits < 8; bits += 3)
			compare(key_of(n), bits, dice(3) == 0 ? 0 :
			    dice(seq + 2), 1 + dice(255));
}

/* heads - how many runs there are */
static size_t
heads(void)
{
	struct db_cursor *cursor = NULL;
	struct db_txn *txn;
	struct slice key, value;
	size_t n = 0;
	int got;

	must(db_begin(outcomes_db(store), false, &txn, &why));
	for (got = db_seek(txn, T_INDEX, SLICE_NONE, &cursor, &key, &value,
	    &why); got == 1; got = db_next(cursor, &key, &value, &why))
		n += key.n == 8;
	db_cursor_close(cursor);
	db_abort(txn);
	must(got);
	return n;
}

static void
every_entry_is_found_however_it_came(void **state)
{
	static const size_t sizes[] = { 1, 2, 5, 40, 123, 124, 125, 700 };
	uint64_t seq = 1;

	(void)state;
	for (int i = 0; i < 400; i++) {
		add(sizes[dice(8)], &seq, dice(9) != 0);
		if (i % 40 == 0)
			ask_all(seq);
	}
	ask_all(seq);
	if (heads() > 16)
		fail_msg("%zu runs of %zu entries", heads(), nmodel);
}

static void
long_runs_are_closed_and_stay(void **state)
{
	uint64_t seq = 1;
	size_t before;

	(void)state;
	add(40000, &seq, true);
	add(33000, &seq, true);
	before = heads();
	assert_int_equal(before, 2);
	for (int i = 0; i < 300; i++)
		add(1 + dice(3), &seq, true);
	assert_in_range(heads(), before + 1, before + 16);
	ask_all(seq);
}

static void
the_writer_sees_what_it_has_not_written(void **state)
{
	uint64_t found[4], seq = 1;
	size_t n;

	(void)state;
	add(10, &seq, true);
	must(outcomes_begin(store, &why));
	must(outcome_run_add(store, T_BY_EVENT, 5, 1, 0, &why));
	must(outcome_run_add(store, T_BY_EVENT, 6, 2, 0, &why));
	must(outcomes_commit(store, &why));
	must(outcomes_begin(store, &why));
	must(outcome_run_add(store, T_BY_EVENT, 5, 3, 0, &why));
	must(outcome_run_find(store, store->txn, T_BY_EVENT, 5, 0, 0, found,
	    4, &n, &why));
	assert_true(n == 2 && found[0] == 1 && found[1] == 3);
	must(outcome_run_find(store, store->txn, T_BY_EVENT, 5, 0, 1, found,
	    4, &n, &why));
	assert_true(n == 1 && found[0] == 3);
	outcomes_abort(store);
	must(outcomes_of_event(store, 5, found, 4, &n, &why));
	assert_true(n == 1 && found[0] == 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(every_entry_is_found_however_it_came),
		CASE(long_runs_are_closed_and_stay),
		CASE(the_writer_sees_what_it_has_not_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
