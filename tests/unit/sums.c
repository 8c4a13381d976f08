/*
 * Cells of some days, added up by whom they are about: days and spans, who
 * sent to whom, whose figures may be seen, and what a person may call them.
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

#include "reputation/sums.h"

#define MAP	(UINT64_C(64) << 20)
#define D0	20600

static char folder[64];
static struct db *watch;
static struct sums *sums;
static struct why why;

/* must - or the reason */
static void
must(int rc)
{
	if (rc == -1)
		fail_msg("%s", why.text);
}

/* clang-format off */
static const struct {
	int32_t		 day;
	const char	*group, *tenant, *domain, *stream, *pool, *address,
			*provider;
	uint64_t	 accepted;
} rows[] = {
	{ 0, "g1", "acme", "acme.test", "news", "b2b", "192.0.2.1", "google", 1 },
	{ 5, "g1", "acme", "acme.test", "news", "b2b", "192.0.2.1", "google", 10 },
	{ 6, "g1", "acme", "b.acme.test", "mail", "b2b", "192.0.2.2", "yahoo", 100 },
	{ 6, "g1", "beta", "beta.test", "news", "", "", "google", 1000 },
	{ 6, "", "solo", "solo.test", "", "b2b", "192.0.2.1", "google", 10000 },
	{ 7, "g1", "acme", "acme.test", "news", "b2b", "192.0.2.1", "google", 100000 },
	{ -1, "g1", "acme", "acme.test", "news", "b2b", "192.0.2.1", "google", 100000 },
};
/* clang-format on */

static int
setup(void **state)
{
	struct db_txn *txn;
	char dir[96];

	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/penstock-sums.XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(dir, sizeof(dir), "%s/watch", folder);
	must(watch_open(&watch, dir, MAP, &why));
	must(db_begin(watch, true, &txn, &why));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cell c = { .at = D0 + rows[i].day,
			.group = slice_of(rows[i].group),
			.tenant = slice_of(rows[i].tenant),
			.domain = slice_of(rows[i].domain),
			.stream = slice_of(rows[i].stream),
			.pool = slice_of(rows[i].pool),
			.address = slice_of(rows[i].address),
			.provider = slice_of(rows[i].provider) };

		c.n[TALLY_ACCEPTED] = rows[i].accepted;
		must(rollup_put(txn, GRAIN_DAY, &c, &why));
	}
	must(db_commit(txn, &why));
	return 0;
}

static int
teardown(void **state)
{
	static const char *const files[] = { "data.mdb", "lock.mdb",
		"owner.lock" };
	char path[160];

	(void)state;
	sums_free(sums);
	sums = NULL;
	db_close(watch);
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/watch/%s", folder, files[i]);
		unlink(path);
	}
	snprintf(path, sizeof(path), "%s/watch", folder);
	rmdir(path);
	rmdir(folder);
	return 0;
}

/* add_up - the seven days, of which the last two are the span */
static void
add_up(const struct scope *scope)
{
	sums_free(sums);
	must(sums_new(&sums, D0, 7, 2, scope, &why));
	must(sums_read(sums, watch, &why));
}

/* accepted - of the span; 0 when there is no such subject */
static uint64_t
accepted(enum subject_kind kind, const char *name)
{
	const struct sum *s = sums_find(sums, kind, slice_of(name));

	return s != NULL ? s->all[TALLY_ACCEPTED] : 0;
}

/* clang-format off */
static const struct {
	enum subject_kind kind;
	const char	*name;
	uint64_t	 span, day0, day6;
} subjects[] = {
	{ SUBJECT_PLATFORM, "", 11110, 1, 11100 },
	{ SUBJECT_GROUP, "g1", 1110, 1, 1100 },
	{ SUBJECT_TENANT, "acme", 110, 1, 100 },
	{ SUBJECT_TENANT, "beta", 1000, 0, 1000 },
	{ SUBJECT_TENANT, "solo", 10000, 0, 10000 },
	{ SUBJECT_DOMAIN, "acme.test", 10, 1, 0 },
	{ SUBJECT_DOMAIN, "b.acme.test", 100, 0, 100 },
	{ SUBJECT_POOL, "b2b", 10110, 1, 10100 },
	{ SUBJECT_ADDRESS, "192.0.2.1", 10010, 1, 10000 },
	{ SUBJECT_ADDRESS, "192.0.2.2", 100, 0, 100 },
	{ SUBJECT_STREAM, "acme/news", 10, 1, 0 },
	{ SUBJECT_STREAM, "acme/mail", 100, 0, 100 },
	{ SUBJECT_STREAM, "beta/news", 1000, 0, 1000 },
	{ SUBJECT_PROVIDER, "google", 11010, 1, 11000 },
	{ SUBJECT_PROVIDER, "yahoo", 100, 0, 100 },
};
/* clang-format on */

static void
everybody_has_his_days_and_his_span(void **state)
{
	(void)state;
	add_up(NULL);
	assert_int_equal(sums_from(sums), D0);
	assert_int_equal(sums_ndays(sums), 7);
	for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++) {
		const struct sum *s = sums_find(sums, subjects[i].kind,
		    slice_of(subjects[i].name));

		if (s == NULL || s->all[TALLY_ACCEPTED] != subjects[i].span ||
		    s->days[0][TALLY_ACCEPTED] != subjects[i].day0 ||
		    s->days[6][TALLY_ACCEPTED] != subjects[i].day6 ||
		    s->days[3][TALLY_ACCEPTED] != 0)
			fail_msg("%s:%s", subject_names[subjects[i].kind],
			    subjects[i].name);
		assert_true(slice_is(s->name, subjects[i].name));
		assert_true(s->kind == subjects[i].kind);
	}
}

static void
kinds_are_sorted_and_nobody_without_a_name_is_in_them(void **state)
{
	static const size_t want[] = { 1, 1, 3, 4, 1, 2, 3, 2 };
	const struct sum *const *list;
	size_t n;

	(void)state;
	add_up(NULL);
	for (enum subject_kind k = 0; k < SUBJECT_KINDS; k++) {
		list = sums_of(sums, k, &n);
		if (n != want[k])
			fail_msg("%s: got %zu, want %zu", subject_names[k], n,
			    want[k]);
		for (size_t i = 1; i < n; i++)
			assert_true(strncmp(list[i - 1]->name.p,
			    list[i]->name.p, list[i]->name.n) < 0);
	}
}

static void
who_sent_to_whom_in_the_span(void **state)
{
	(void)state;
	add_up(NULL);
	assert_true(sums_to(sums, SUBJECT_TENANT, SLICE("acme"),
	    SLICE("google"))[TALLY_ACCEPTED] == 10);
	assert_true(sums_to(sums, SUBJECT_TENANT, SLICE("acme"),
	    SLICE("yahoo"))[TALLY_ACCEPTED] == 100);
	assert_true(sums_to(sums, SUBJECT_ADDRESS, SLICE("192.0.2.1"),
	    SLICE("google"))[TALLY_ACCEPTED] == 10010);
	assert_true(sums_to(sums, SUBJECT_PLATFORM, SLICE(""),
	    SLICE("google"))[TALLY_ACCEPTED] == 11010);
	assert_true(sums_to(sums, SUBJECT_TENANT, SLICE("beta"),
	    SLICE("yahoo"))[TALLY_ACCEPTED] == 0);
}

static void
a_scope_hides_everybody_else(void **state)
{
	struct scope group = { .group = SLICE("g1") },
	    tenant = { .tenant = SLICE("acme") },
	    neither = { .group = SLICE("g1"), .tenant = SLICE("solo") },
	    alone = { .group = SLICE("") };

	(void)state;
	add_up(&group);
	assert_true(accepted(SUBJECT_PLATFORM, "") == 1110);
	assert_null(sums_find(sums, SUBJECT_TENANT, SLICE("solo")));
	assert_true(accepted(SUBJECT_POOL, "b2b") == 110);
	add_up(&tenant);
	assert_true(accepted(SUBJECT_PROVIDER, "google") == 10);
	assert_null(sums_find(sums, SUBJECT_TENANT, SLICE("beta")));
	add_up(&neither);
	assert_null(sums_find(sums, SUBJECT_PLATFORM, SLICE("")));
	add_up(&alone);
	assert_true(accepted(SUBJECT_PLATFORM, "") == 10000);
}

/* clang-format off */
static const struct {
	const char	*text;
	bool		 known;
	enum subject_kind kind;
	const char	*name;
} said[] = {
	{ "tenant:acme", true, SUBJECT_TENANT, "acme" },
	{ "tenant:nobody", true, SUBJECT_TENANT, "nobody" },
	{ "address:2001:db8::1", true, SUBJECT_ADDRESS, "2001:db8::1" },
	{ "platform", true, SUBJECT_PLATFORM, "" },
	{ "platform:", true, SUBJECT_PLATFORM, "" },
	{ "acme", true, SUBJECT_TENANT, "acme" },
	{ "192.0.2.2", true, SUBJECT_ADDRESS, "192.0.2.2" },
	{ "acme/news", true, SUBJECT_STREAM, "acme/news" },
	{ "google", true, SUBJECT_PROVIDER, "google" },
	{ "nobody", false, SUBJECT_PLATFORM, "" },
	{ "", false, SUBJECT_PLATFORM, "" },
};
/* clang-format on */

static void
a_person_may_leave_out_the_kind(void **state)
{
	(void)state;
	add_up(NULL);
	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
		enum subject_kind kind = SUBJECT_KINDS;
		struct slice name = SLICE_NONE;
		bool known = subject_parse(slice_of(said[i].text), sums,
		    &kind, &name);

		if (known != said[i].known || (known && (kind !=
		    said[i].kind || !slice_is(name, said[i].name))))
			fail_msg("\"%s\"", said[i].text);
	}
	assert_false(subject_parse(SLICE("acme"), NULL,
	    &(enum subject_kind){ 0 }, &(struct slice){ NULL, 0 }));
}

static void
a_name_of_two_kinds_is_nobody(void **state)
{
	struct cell c = { .at = D0, .tenant = SLICE("b2b"), .n = { 1 } };
	enum subject_kind kind;
	struct slice name;
	struct db_txn *txn;

	(void)state;
	must(db_begin(watch, true, &txn, &why));
	must(rollup_put(txn, GRAIN_DAY, &c, &why));
	must(db_commit(txn, &why));
	add_up(NULL);
	assert_false(subject_parse(SLICE("b2b"), sums, &kind, &name));
	assert_true(subject_parse(SLICE("pool:b2b"), sums, &kind, &name));
}

static void
spans_that_are_none_are_refused(void **state)
{
	static const int32_t spans[][2] = { { 0, 0 }, { 7, 8 }, { 7, 0 },
		{ -1, -1 } };

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(sums_new(&sums, D0, spans[i][0], spans[i][1],
		    NULL, &why), -1);
}

static void
what_ended_is_what_shares_are_of(void **state)
{
	uint64_t n[TALLIES];

	(void)state;
	for (size_t i = 0; i < TALLIES; i++)
		n[i] = UINT64_C(1) << i;
	assert_true(tally_ended(n) == (UINT64_C(1) << TALLY_DELIVERED |
	    UINT64_C(1) << TALLY_HARD | UINT64_C(1) << TALLY_BLOCKED |
	    UINT64_C(1) << TALLY_BOUNCED | UINT64_C(1) << TALLY_EXPIRED));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(everybody_has_his_days_and_his_span),
		CASE(kinds_are_sorted_and_nobody_without_a_name_is_in_them),
		CASE(who_sent_to_whom_in_the_span),
		CASE(a_scope_hides_everybody_else),
		CASE(a_person_may_leave_out_the_kind),
		CASE(a_name_of_two_kinds_is_nobody),
		CASE(spans_that_are_none_are_refused),
		CASE(what_ended_is_what_shares_are_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
