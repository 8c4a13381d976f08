/*
 * Progress: pictures of warmups, one made from the other, and their bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/provider.h"
#include "policy/progress.h"

static int
setup(void **state)
{
	struct why why;

	(void)state;
	return provider_init(&why);
}

/* index_of - the number that a provider has here */
static unsigned
index_of(const char *name)
{
	for (unsigned i = 0; i < provider_count(); i++)
		if (strcmp(provider_name(i), name) == 0)
			return i;
	fail_msg("no provider %s", name);
	return 0;
}

/* row - one with that first byte of its key, on that day */
static struct warm_row
row(unsigned char key, int day)
{
	return (struct warm_row){ .key = { key }, .day = day, .date = 20000,
	    .started = 20000 - day + 1, .name = SLICE("192.0.2.10"),
	    .rule = SLICE("A1"), .inputs = SLICE("used 50 of 50") };
}

/* day_of - of the row with that key; 0: there is none */
static int
day_of(const struct progress *p, unsigned char first)
{
	uint8_t key[PROGRESS_KEY] = { first };
	const struct warm_row *r = progress_find(p, key);

	return r != NULL ? r->day : 0;
}

static void
nothing_is_an_empty_picture(void **state)
{
	const struct warm_row *first;
	struct progress *p;

	(void)state;
	assert_int_equal(progress_rows(NULL, &first), 0);
	assert_int_equal(day_of(NULL, 1), 0);
	assert_int_equal(progress_thousandths(NULL, 3, 20000), 1000);
	progress_drop(progress_hold(NULL));
	p = progress_after(NULL, NULL, 0);
	assert_non_null(p);
	assert_int_equal(progress_rows(p, &first), 0);
	assert_int_equal(day_of(p, 1), 0);
	progress_drop(p);
}

static void
a_row_replaces_the_one_of_its_key(void **state)
{
	struct warm_row rows[] = { row(9, 1), row(2, 4), row(5, 2), row(2, 5),
		row(7, 3), row(7, 0) };
	struct warm_row more[] = { row(5, 3), row(1, 1), row(9, 0) };
	struct progress *p, *q;
	const struct warm_row *first;

	(void)state;
	p = progress_after(NULL, rows, sizeof(rows) / sizeof(rows[0]));
	assert_non_null(p);
	assert_int_equal(progress_rows(p, &first), 3);
	assert_int_equal(first[0].key[0], 2);
	assert_int_equal(first[2].key[0], 9);
	assert_int_equal(day_of(p, 2), 5);	/* the later of two */
	assert_int_equal(day_of(p, 7), 0);	/* and taken out */
	q = progress_after(p, more, 3);
	assert_non_null(q);
	assert_int_equal(progress_rows(q, &first), 3);
	assert_int_equal(day_of(q, 1), 1);
	assert_int_equal(day_of(q, 2), 5);
	assert_int_equal(day_of(q, 5), 3);
	assert_int_equal(day_of(q, 9), 0);
	/* the old one is as it was, and goes first */
	assert_int_equal(day_of(p, 9), 1);
	assert_int_equal(day_of(p, 5), 2);
	progress_drop(p);
	assert_true(slice_is(first[1].inputs, "used 50 of 50"));
	progress_drop(q);
}

static void
texts_are_the_pictures_own(void **state)
{
	char name[] = "mine";
	struct warm_factor factor = { .provider = { name, 4 }, .index = 5,
		.thousandths = 500, .until = 20003, .rule = SLICE("R1") };
	struct warm_row r = row(3, 2);
	uint8_t key[PROGRESS_KEY] = { 3 };
	struct progress *p, *held;

	(void)state;
	r.name = (struct slice){ name, 4 };
	r.factors = &factor;
	r.nfactors = 1;
	p = progress_after(NULL, &r, 1);
	held = progress_hold(p);
	progress_drop(p);
	memset(name, 'x', 4);
	memset(&factor, 0, sizeof(factor));
	assert_true(slice_is(progress_find(held, key)->name, "mine"));
	assert_true(slice_is(progress_find(held, key)->factors[0].provider,
	    "mine"));
	assert_int_equal(progress_find(held, key)->factors[0].until, 20003);
	progress_drop(held);
}

static void
many_rows_are_found(void **state)
{
	enum { N = 5000 };
	struct warm_row *rows = calloc(N, sizeof(*rows));
	struct progress *p;
	uint32_t dice = 1;

	(void)state;
	for (int i = 0; i < N; i++) {
		rows[i] = row(0, i % 40 + 1);
		dice = dice * 1664525 + 1013904223;
		memcpy(rows[i].key, &dice, sizeof(dice));
	}
	p = progress_after(NULL, rows, N);
	assert_non_null(p);
	for (int i = 0; i < N; i++)
		assert_int_equal(progress_find(p, rows[i].key)->day,
		    i % 40 + 1);
	rows[0].key[15] = 1;
	assert_null(progress_find(p, rows[0].key));
	progress_drop(p);
	free(rows);
}

static const struct factor_case {
	const char *name;
	int thousandths[2];
	int64_t until[2];
	size_t n;
	int64_t date;
	int want;
} factor_cases[] = {
	{ "half of it, for three days", { 500 }, { 103 }, 1, 102,
	    500 },
	{ "all of it on the first day without", { 500 }, { 103 },
	    1, 103, 1000 },
	{ "a stop has no end", { 0 }, { 0 }, 1, 9999, 0 },
	{ "a stop beside a rollback stops", { 500, 0 }, { 103, 0 },
	    2, 100, 0 },
	{ "the least of two", { 700, 300 }, { 103, 103 }, 2, 100, 300 },
	{ "what is over does not count", { 700, 300 }, { 103, 100 }, 2,
	    100, 700 },
};

static void
factors_are_in_force_until_they_are_over(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(factor_cases) / sizeof(factor_cases[0]);
	    i++) {
		const struct factor_case *c = &factor_cases[i];
		struct warm_factor f[2];
		struct warm_row r = row(1, 5);
		int got;

		for (int k = 0; k < 2; k++)
			f[k] = (struct warm_factor){ .index = 7,
			    .thousandths = c->thousandths[k],
			    .until = c->until[k] };
		r.factors = f;
		r.nfactors = c->n;
		got = progress_thousandths(&r, 7, c->date);
		if (got != c->want)
			fail_msg("%s: got %d, want %d", c->name, got, c->want);
		assert_int_equal(progress_thousandths(&r, 8, c->date), 1000);
	}
}

/* full - a row with something in every field */
static struct warm_row
full(struct warm_factor f[2])
{
	struct warm_row r = row(4, 17);

	f[0] = (struct warm_factor){ .provider = SLICE("google"),
	    .index = index_of("google"), .thousandths = 500, .until = 20010,
	    .rule = SLICE("R1") };
	f[1] = (struct warm_factor){ .provider = SLICE("gone.example"),
	    .index = UINT32_MAX, .thousandths = 0, .rule = SLICE("S1") };
	r.used = 19999;
	r.clean = 3;
	r.warmed = 20001;
	r.stopped = 20002;
	r.seq = 77;
	r.factors = f;
	r.nfactors = 2;
	return r;
}

static void
bytes_come_back(void **state)
{
	struct warm_factor f[2], got_f[PROGRESS_FACTORS];
	struct warm_row r = full(f), got;
	struct buf b = BUF_INIT, again = BUF_INIT;
	struct why why;

	(void)state;
	progress_encode(&r, &b);
	assert_int_equal(progress_decode(r.key, buf_slice(&b), &got, got_f,
	    &why), 0);
	assert_memory_equal(got.key, r.key, sizeof(r.key));
	assert_int_equal(got.day, 17);
	assert_int_equal(got.started, r.started);
	assert_int_equal(got.warmed, 20001);
	assert_int_equal(got.stopped, 20002);
	assert_int_equal(got.seq, 77);
	assert_true(slice_is(got.inputs, "used 50 of 50"));
	assert_int_equal(got.nfactors, 2);
	assert_int_equal(got.factors[0].index, index_of("google"));
	assert_int_equal(progress_thousandths(&got, index_of("google"),
	    20009), 500);
	assert_true(slice_is(got.factors[1].provider, "gone.example"));
	progress_encode(&got, &again);
	assert_int_equal(again.len, b.len);
	assert_memory_equal(again.data, b.data, b.len);
	buf_free(&again);
	buf_free(&b);
}

static void
bytes_cut_anywhere_are_refused(void **state)
{
	struct warm_factor f[2], got_f[PROGRESS_FACTORS];
	struct warm_row r = full(f), got;
	struct buf b = BUF_INIT;
	struct why why;

	(void)state;
	progress_encode(&r, &b);
	for (size_t n = 0; n < b.len; n++) {
		char *cut = malloc(n + 1);

		memcpy(cut, b.data, n);
		assert_int_equal(progress_decode(r.key, (struct slice){ cut,
		    n }, &got, got_f, &why), -1);
		free(cut);
	}
	buf_add(&b, "x", 1);
	assert_int_equal(progress_decode(r.key, buf_slice(&b), &got, got_f,
	    &why), -1);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_an_empty_picture),
		cmocka_unit_test(a_row_replaces_the_one_of_its_key),
		cmocka_unit_test(texts_are_the_pictures_own),
		cmocka_unit_test(many_rows_are_found),
		cmocka_unit_test(factors_are_in_force_until_they_are_over),
		cmocka_unit_test(bytes_come_back),
		cmocka_unit_test(bytes_cut_anywhere_are_refused),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
