/*
 * Rows of cells as bytes: one that is cut anywhere is no row.
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

#include "reputation/rollup_in.h"

#define MAP	(UINT64_C(16) << 20)
#define D0	20600			/* a day */

static char folder[64];
static struct db *watch;
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
	snprintf(folder, sizeof(folder), "/tmp/penstock-row.XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	must(watch_open(&watch, folder, MAP, &why));
	return 0;
}

static int
teardown(void **state)
{
	static const char *const files[] = { "data.mdb", "lock.mdb",
		"owner.lock" };
	char path[128];

	(void)state;
	db_close(watch);
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, files[i]);
		unlink(path);
	}
	rmdir(folder);
	return 0;
}

static void
a_row_cut_at_any_byte_is_refused(void **state)
{
	struct cell c = { .at = D0, .tenant = SLICE("acme"),
		.domain = SLICE("acme.test"), .n = { 1, 0, UINT64_MAX / 4 } };
	struct category_cell category = { .at = D0, .kind = SLICE("bounced"),
		.category = SLICE("quota"), .count = 1, .last = 2 };
	static const unsigned tables[] = { WATCH_DAYS, WATCH_CATEGORIES };
	struct slice key, value;
	struct db_txn *txn;

	(void)state;
	must(db_begin(watch, true, &txn, &why));
	must(rollup_put(txn, GRAIN_DAY, &c, &why));
	must(rollup_put_category(txn, GRAIN_DAY, &category, &why));
	must(db_commit(txn, &why));
	must(db_begin(watch, false, &txn, &why));
	for (size_t t = 0; t < 2; t++) {
		must(db_last(txn, tables[t], &key, &value, &why));
		for (size_t n = 0; n <= value.n; n++) {
			char *cut = malloc(n + 1);
			struct slice s = { cut, n };
			bool good;

			memcpy(cut, value.p, n);
			good = t == 0 ? rollup_cell(key, s, &c) :
			    rollup_category(key, s, &category);
			if (good != (n == value.n))
				fail_msg("table %zu: %zu of %zu bytes", t, n,
				    value.n);
			free(cut);
		}
		assert_false(t == 0 ? rollup_cell(SLICE("short"), value, &c) :
		    rollup_category(SLICE("short"), value, &category));
	}
	db_abort(txn);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    a_row_cut_at_any_byte_is_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
