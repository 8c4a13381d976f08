/*
 * The table of what is held: what is written comes back, what contradicts
 * itself does not, and a walk finds the few among the many.
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

#include "lib/held.h"
#include "lib/store_in.h"
#include "lib/wire.h"

#define MAP	(UINT64_C(64) << 20)
#define SECOND	INT64_C(1000000)
#define T0	(INT64_C(1763712000) * SECOND)

static char folder[64], dir[80];
static struct store *store;
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
	snprintf(folder, sizeof(folder), "/tmp/penstock-held.XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(dir, sizeof(dir), "%s/gate", folder);
	arena = arena_new(4096, 0);
	if (store_open(&store, dir, MAP, &why) == -1)
		fail_msg("%s", why.text);
	return 0;
}

static int
teardown(void **state)
{
	static const char *const files[] = { "data.mdb", "lock.mdb",
		"owner.lock" };
	char path[160];

	(void)state;
	store_close(store);
	store = NULL;
	arena_free(arena);
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		unlink(path);
	}
	rmdir(dir);
	rmdir(folder);
	return 0;
}

/* waiting - a row with something in it */
static struct held
waiting(uint64_t seq)
{
	return (struct held){ .seq = seq, .since = T0, .until = T0 + SECOND,
		.forecast = T0 + 2, .tenant_id = 99, .instance = SLICE("smtpd"),
		.queue_id = SLICE("4bXyZ9"), .tenant = SLICE("acme"),
		.stream = SLICE("news"), .pool = SLICE("b2b"),
		.address = SLICE("192.0.2.10"), .why = SLICE("daily") };
}

/* turned - and what was decided of it, by that event */
static struct held
turned(uint64_t seq, enum held_state state, uint64_t decision)
{
	struct held h = waiting(seq);

	h.state = state;
	h.decided = T0 + 1;
	h.decision = decision;
	return h;
}

/* same - in every field */
static bool
same(const struct held *a, const struct held *b)
{
	return a->seq == b->seq && a->state == b->state &&
	    a->since == b->since && a->until == b->until &&
	    a->decided == b->decided && a->decision == b->decision &&
	    a->forecast == b->forecast && a->tenant_id == b->tenant_id &&
	    slice_eq(a->instance, b->instance) &&
	    slice_eq(a->queue_id, b->queue_id) &&
	    slice_eq(a->tenant, b->tenant) && slice_eq(a->stream, b->stream) &&
	    slice_eq(a->pool, b->pool) && slice_eq(a->address, b->address) &&
	    slice_eq(a->why, b->why);
}

/* put - in a transaction of its own */
static void
put(struct held h)
{
	must(store_begin(store, &why));
	must(store_put_held(store, &h, &why));
	must(store_commit(store, &why));
}

static void
a_row_comes_back_and_cut_anywhere_it_does_not(void **state)
{
	struct held rows[] = { waiting(7), turned(7, HELD_GO, 8),
		turned(7, HELD_DROP, 9), turned(7, HELD_EXPIRE, 10) }, got;
	struct buf b = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		buf_reset(&b);
		held_encode(&rows[i], &b);
		must(held_decode(7, buf_slice(&b), &got, &why));
		assert_true(same(&got, &rows[i]));
		for (size_t n = 0; n < b.len; n++)
			if (held_decode(7, (struct slice){ b.data, n }, &got,
			    &why) != -1)
				fail_msg("cut at %zu of %zu it is taken", n,
				    b.len);
		buf_char(&b, 'x');
		assert_int_equal(held_decode(7, buf_slice(&b), &got, &why),
		    -1);
	}
	buf_free(&b);
}

static void
what_contradicts_itself_is_refused(void **state)
{
	static const char long_id[HELD_QUEUE_ID + 2] =
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	struct {
		const char	*name;
		struct held	 row;
		bool		 fine;
	} cases[] = {
		{ "waits", waiting(7), true },
		{ "may go", turned(7, HELD_GO, 8), true },
		{ "a queue id that is two lines", waiting(7), false },
		{ "a queue id that is all of them", waiting(7), false },
		{ "no queue id", waiting(7), false },
		{ "a queue id with a NUL", waiting(7), false },
		{ "a queue id that is too long", waiting(7), false },
		{ "a queue id that is as long as it may be", waiting(7),
		    true },
		{ "waits, and is decided", waiting(7), false },
		{ "waits, decided by an event", waiting(7), false },
		{ "may go, and nobody said so", turned(7, HELD_GO, 0), false },
		{ "decided before it was held", turned(7, HELD_GO, 7), false },
		{ "decided at no time", turned(7, HELD_DROP, 8), false },
		{ "over before it began", waiting(7), false },
		{ "a state of tomorrow", turned(7, HELD_EXPIRE + 1, 8),
		    false },
	};
	struct buf b = BUF_INIT;

	(void)state;
	cases[2].row.queue_id = SLICE("4bXyZ9\nALL");
	cases[3].row.queue_id = SLICE("-");
	cases[4].row.queue_id = SLICE("");
	cases[5].row.queue_id = SLICE("4bX\0yZ");
	cases[6].row.queue_id = slice_of(long_id);
	cases[7].row.queue_id = (struct slice){ long_id, HELD_QUEUE_ID };
	cases[8].row.decided = T0 + 1;
	cases[9].row.decision = 8;
	cases[12].row.decided = 0;
	cases[13].row.until = T0 - 1;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct held got;
		int rc;

		buf_reset(&b);
		held_encode(&cases[i].row, &b);
		rc = held_decode(7, buf_slice(&b), &got, &why);
		if ((rc == 0) != cases[i].fine)
			fail_msg("%s: got %d", cases[i].name, rc);
	}
	b.data[0] = 2;
	assert_int_equal(held_decode(7, buf_slice(&b), &cases[0].row, &why),
	    -1);
	assert_non_null(strstr(why.text, "newer Penstock"));
	buf_free(&b);
}

static void
a_walk_finds_the_few_among_the_many(void **state)
{
	struct held rows[16], one;
	size_t got;

	(void)state;
	must(store_begin(store, &why));
	for (uint64_t seq = 1; seq <= 5000; seq++) {
		struct held h = seq % 1250 == 0 ?
		    turned(seq, HELD_GO, seq + 1) : waiting(seq);

		must(store_put_held(store, &h, &why));
	}
	must(store_commit(store, &why));
	must(store_held(store, 0, HELD_GO, 16, arena, rows, &got, &why));
	assert_int_equal(got, 4);
	assert_true(rows[0].seq == 1250 && rows[3].seq == 5000);
	assert_true(slice_is(rows[3].queue_id, "4bXyZ9"));
	must(store_held(store, 1251, HELD_GO, 1, arena, rows, &got, &why));
	assert_true(got == 1 && rows[0].seq == 2500);
	must(store_held(store, 4998, HELD_ALL, 16, arena, rows, &got, &why));
	assert_true(got == 3 && rows[2].state == HELD_GO);
	must(store_held(store, 0, HELD_DROP, 16, arena, rows, &got, &why));
	assert_int_equal(got, 0);
	assert_int_equal(store_held_at(store, 2500, arena, &one, &why), 1);
	assert_true(one.seq == 2500 && one.state == HELD_GO);
	must(store_begin(store, &why));
	must(store_drop_held(store, 2500, &why));
	must(store_drop_held(store, 2500, &why));
	must(store_commit(store, &why));
	assert_int_equal(store_held_at(store, 2500, arena, &one, &why), 0);
}

static void
a_row_that_cannot_be_read_is_named(void **state)
{
	struct held rows[4];
	struct db_txn *txn;
	uint8_t key[8];
	size_t got;

	(void)state;
	put(waiting(1));
	be64_put(key, 2);
	must(db_begin(store_db(store), true, &txn, &why));
	must(db_put(txn, T_HELD, (struct slice){ (char *)key, 8 },
	    SLICE("\1\0x"), &why));
	must(db_commit(txn, &why));
	assert_int_equal(store_held(store, 0, HELD_ALL, 4, arena, rows, &got,
	    &why), -1);
	assert_non_null(strstr(why.text, "held message 2"));
	assert_int_equal(why.kind, WHY_BROKEN);
	must(store_held(store, 0, HELD_ALL, 1, arena, rows, &got, &why));
	assert_int_equal(got, 1);
}

/* event - one of them for verify to find */
static void
event(enum event_kind kind, const char *queue_id, uint64_t about)
{
	struct event e = { .kind = kind, .count = 1, .voids = about,
		.queue_id = slice_of(queue_id) };
	struct buf b = BUF_INIT;
	uint64_t seq;

	event_encode(&e, &b);
	must(store_begin(store, &why));
	must(store_append(store, buf_slice(&b), T0, e.queue_id, &seq, &why));
	must(store_commit(store, &why));
	buf_free(&b);
}

static void
verify_compares_it_with_the_events(void **state)
{
	struct {
		const char	*name;
		struct held	 row;
		const char	*said;	/* NULL: well */
	} cases[] = {
		{ "waits behind its hold", waiting(1), NULL },
		{ "goes by its release", turned(1, HELD_GO, 3), NULL },
		{ "waits behind what was accepted", waiting(2),
		    "event 2, which is of something else" },
		{ "waits behind nothing", waiting(9),
		    "event 9, which is missing" },
		{ "goes by another's release", turned(1, HELD_GO, 4),
		    "event 4, which is of something else" },
		{ "goes by what is no release", turned(1, HELD_GO, 2),
		    "event 2, which is of something else" },
		{ "another queue id", waiting(1),
		    "event 1, which is of something else" },
	};

	cases[6].row.queue_id = SLICE("other");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct store_tally t;
		int rc;

		if (i > 0) {
			teardown(state);
			setup(state);
		}
		event(EVENT_HOLD, "4bXyZ9", 0);
		event(EVENT_ACCEPT, "4bXyZ8", 0);
		event(EVENT_RELEASE, "4bXyZ9", 1);
		event(EVENT_RELEASE, "4bXyZ9", 2);
		put(cases[i].row);
		store_close(store);
		store = NULL;
		why.text[0] = '\0';
		rc = store_verify(dir, &t, &why);
		if (cases[i].said == NULL ? rc != 0 || t.held != 1 :
		    rc != -1 || strstr(why.text, cases[i].said) == NULL)
			fail_msg("%s: got %d \"%s\", want \"%s\"",
			    cases[i].name, rc, why.text,
			    cases[i].said != NULL ? cases[i].said : "");
	}
}

#define T(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_row_comes_back_and_cut_anywhere_it_does_not),
		T(what_contradicts_itself_is_refused),
		T(a_walk_finds_the_few_among_the_many),
		T(a_row_that_cannot_be_read_is_named),
		T(verify_compares_it_with_the_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
