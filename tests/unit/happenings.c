/*
 * What outcomes/ tells the gate beside suppressions: a store that comes, goes
 * and is replaced while somebody asks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "lib/happenings.h"
#include "lib/provider.h"
#include "reputation/outcome_in.h"

#define MAP	(UINT64_C(16) << 20)

static const uint8_t key[16] = "an open counter";
static char root[64], dir[80];
static struct happenings *h;
static struct why why;
static int64_t now;

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
	now = INT64_C(1763712000) * CLOCK_SECOND;
	snprintf(root, sizeof(root), "/tmp/penstock-happen.XXXXXX");
	if (mkdtemp(root) == NULL)
		return -1;
	snprintf(dir, sizeof(dir), "%s/outcomes", root);
	must(provider_init(&why));
	must(happenings_open(&h, root, &why));
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
	happenings_close(h);
	h = NULL;
	clear();
	rmdir(root);
	return 0;
}

/* fill - a store in which so many are final, and one domain is known */
static void
fill(int64_t finals, const char *provider)
{
	struct learned l = { .domain = SLICE("corp.example"),
		.provider = slice_of(provider), .relay = SLICE("mx.example"),
		.first = now, .last = now, .count = 1 };
	struct outcomes *o;
	pid_t child = fork();
	int status;

	if (child != 0) {	/* another program writes it */
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(status, 0);
		return;
	}
	must(outcomes_open(&o, dir, MAP, &why));
	must(outcomes_begin(o, &why));
	must(outcome_sum(o, T_FINALS, (struct slice){ (const char *)key, 16 },
	    finals, &why));
	must(outcome_learn(o, &l, &why));
	must(outcomes_commit(o, &why));
	outcomes_close(o);
	_exit(0);
}

/* provider - its name, as learned */
static const char *
provider(const char *domain)
{
	return provider_name(happenings_provider(h, slice_of(domain)));
}

static void
a_store_that_comes_later_is_found(void **state)
{
	(void)state;
	assert_int_equal(happenings_finals(h, key), 0);
	assert_string_equal(provider("corp.example"), "unresolved");
	fill(7, "google");
	assert_int_equal(happenings_finals(h, key), 0);
	happenings_refresh(h);
	assert_int_equal(happenings_finals(h, key), 7);
	assert_int_equal(happenings_finals(h, (const uint8_t *)
	    "another counter."), 0);
	assert_string_equal(provider("corp.example"), "google");
	assert_string_equal(provider("none.example"), "unresolved");
	assert_string_equal(provider(""), "unresolved");
}

static void
what_is_written_while_it_is_open_is_seen_at_once(void **state)
{
	(void)state;
	fill(1, "google");
	assert_int_equal(happenings_finals(h, key), 1);
	fill(2, "a provider that was renamed");
	assert_int_equal(happenings_finals(h, key), 3);
	assert_string_equal(provider("corp.example"), "unresolved");
}

static void
a_store_that_goes_says_nothing_and_another_one_is_taken(void **state)
{
	(void)state;
	fill(5, "google");
	assert_int_equal(happenings_finals(h, key), 5);
	clear();
	happenings_refresh(h);
	assert_int_equal(happenings_finals(h, key), 0);
	fill(9, "yahoo");
	happenings_refresh(h);
	assert_int_equal(happenings_finals(h, key), 9);
	assert_string_equal(provider("corp.example"), "yahoo");
}

static void
a_row_cut_at_every_byte_is_refused(void **state)
{
	struct learned l = { .provider = SLICE("google"),
		.relay = SLICE("mx.example"), .count = 3 }, back;
	struct buf b = BUF_INIT;
	struct slice row;

	(void)state;
	learned_encode(&l, &b);
	row = buf_slice(&b);
	for (size_t n = 0; n < row.n; n++)
		assert_int_equal(learned_decode(SLICE("x"), (struct slice){
		    row.p, n }, &back, &why), -1);
	assert_int_equal(learned_decode(SLICE("x"), row, &back, &why), 0);
	assert_int_equal(back.count, 3);
	buf_free(&b);
}

int
main(void)
{
#define CASE(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(a_store_that_comes_later_is_found),
		CASE(what_is_written_while_it_is_open_is_seen_at_once),
		CASE(a_store_that_goes_says_nothing_and_another_one_is_taken),
		CASE(a_row_cut_at_every_byte_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
