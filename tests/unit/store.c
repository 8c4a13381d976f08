/*
 * The gate's store: sequences, indexes, counters, forms, status; and that
 * store_verify sees when they do not agree.
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

#include "lib/store.h"
#include "lib/store_in.h"
#include "lib/wire.h"

#define MAP	(UINT64_C(64) << 20)
#define SECOND	INT64_C(1000000)
#define MINUTE	(60 * SECOND)
#define T0	(INT64_C(1763712000) * SECOND)	/* a full minute */

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
	snprintf(folder, sizeof(folder), "/tmp/penstock-store.XXXXXX");
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

/* append - an event in the transaction that is open */
static uint64_t
append(int64_t time, const char *queue_id)
{
	struct event e = { .kind = EVENT_ACCEPT, .count = 1,
		.queue_id = slice_of(queue_id) };
	struct buf b = BUF_INIT;
	uint64_t seq = 0;

	event_encode(&e, &b);
	must(store_append(store, buf_slice(&b), time, e.queue_id, &seq, &why));
	buf_free(&b);
	return seq;
}

/* one - an event in a transaction of its own */
static uint64_t
one(int64_t time, const char *queue_id)
{
	uint64_t seq;

	must(store_begin(store, &why));
	seq = append(time, queue_id);
	must(store_commit(store, &why));
	return seq;
}

/* event - decoded, or fail */
static struct event
event(uint64_t seq)
{
	struct slice encoded;
	struct event e;
	size_t got;

	must(store_read(store, seq, 1, arena, &encoded, &got, &why));
	assert_int_equal(got, 1);
	must(event_decode(encoded, &e, arena, &why));
	return e;
}

/* reopen - as after a restart */
static void
reopen(void)
{
	store_close(store);
	must(store_open(&store, dir, MAP, &why));
}

static void
sequences_are_dense_and_go_on_after_a_restart(void **state)
{
	struct slice encoded[10];
	uint64_t seq;
	int64_t time;
	size_t got;

	(void)state;
	must(store_last(store, &seq, &time, &why));
	assert_true(seq == 0 && time == 0);
	assert_true(one(T0, "") == 1);
	must(store_begin(store, &why));
	assert_true(append(T0 + 1, "A") == 2);
	assert_true(append(T0 + 2, "B") == 3);
	store_abort(store);
	must(store_begin(store, &why));
	assert_true(append(T0 + 3, "C") == 2);
	must(store_commit(store, &why));
	reopen();
	assert_true(one(T0 + 4, "D") == 3);
	must(store_last(store, &seq, &time, &why));
	assert_true(seq == 3 && time == T0 + 4);
	must(store_read(store, 2, 10, arena, encoded, &got, &why));
	assert_int_equal(got, 2);
	must(store_read(store, 4, 10, arena, encoded, &got, &why));
	assert_int_equal(got, 0);
	assert_true(event(2).seq == 2 && event(2).time == T0 + 3);
}

static void
time_never_goes_back(void **state)
{
	struct status status = { .heartbeat = T0 + MINUTE };
	uint64_t seq;
	int64_t time;

	(void)state;
	one(T0, "");
	one(T0 - MINUTE, "");
	assert_true(event(2).time == T0);
	reopen();
	one(1, "");
	assert_true(event(3).time == T0);
	/* an idle gate lives on without events: its heartbeat counts */
	must(store_begin(store, &why));
	must(store_put_status(store, &status, &why));
	must(store_commit(store, &why));
	must(store_last(store, &seq, &time, &why));
	assert_true(seq == 3 && time == T0 + MINUTE);
}

static void
a_moment_is_found_by_minute_and_by_halving(void **state)
{
	static const struct {
		const char	*name;
		int64_t		 time;
		uint64_t	 want;
	} cases[] = {
		{ "before everything", 0, 1 },
		{ "long before", T0 - 5 * MINUTE, 1 },
		{ "the first one's very moment", T0, 1 },
		{ "a us behind the first", T0 + 1, 2 },
		{ "within the minute", T0 + 11 * SECOND, 3 },
		{ "the last of its minute", T0 + 50 * SECOND, 51 },
		{ "behind the last of its minute", T0 + 50 * SECOND + 1, 52 },
		{ "a minute without events", T0 + 2 * MINUTE, 52 },
		{ "the only one of its minute", T0 + 3 * MINUTE, 52 },
		{ "behind everything, same minute", T0 + 3 * MINUTE + 1, 53 },
		{ "behind everything", T0 + 9 * MINUTE, 53 },
	};

	(void)state;
	one(T0, "");
	must(store_begin(store, &why));
	append(T0 + 10 * SECOND, "");
	for (int i = 2; i <= 50; i++)
		append(T0 + (i < 12 ? 12 : i) * SECOND, "");
	must(store_commit(store, &why));
	one(T0 + 3 * MINUTE, "");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t seq = 0;

		must(store_seq_at(store, cases[i].time, &seq, &why));
		if (seq != cases[i].want)
			fail_msg("%s: got %llu, want %llu", cases[i].name,
			    (unsigned long long)seq,
			    (unsigned long long)cases[i].want);
	}
}

static void
a_queue_id_leads_to_its_latest_event(void **state)
{
	char huge[301];
	uint64_t seq;

	(void)state;
	memset(huge, 'x', 300);
	huge[300] = '\0';
	one(T0, "4bXyZ");
	one(T0, huge);
	one(T0, "other");
	one(T0, "4bXyZ");
	assert_int_equal(store_by_queue_id(store, SLICE("4bXyZ"), &seq, &why),
	    1);
	assert_true(seq == 4);
	assert_int_equal(store_by_queue_id(store, slice_of(huge), &seq, &why),
	    1);
	assert_true(seq == 2);
	huge[0] = 'y';
	assert_int_equal(store_by_queue_id(store, slice_of(huge), &seq, &why),
	    0);
	assert_int_equal(store_by_queue_id(store, SLICE(""), &seq, &why), 0);
}

static void
a_sequence_leads_to_its_event_and_to_no_other(void **state)
{
	struct event e;

	(void)state;
	one(T0, "first");
	one(T0, "second");
	assert_int_equal(store_event(store, 0, arena, &e, &why), 0);
	assert_int_equal(store_event(store, 2, arena, &e, &why), 1);
	assert_true(e.seq == 2 && slice_is(e.queue_id, "second"));
	assert_int_equal(store_event(store, 3, arena, &e, &why), 0);
}

struct seen {
	struct counter_row rows[4];
	size_t		 n, most;
};

/* see - callback of store_counters */
static void
a_token_leads_to_its_message(void **state)
{
	struct event e = { .kind = EVENT_ACCEPT, .count = 1,
		.queue_id = SLICE("T1"), .token = 77 };
	struct buf b = BUF_INIT;
	uint64_t seq, got;

	(void)state;
	event_encode(&e, &b);
	must(store_begin(store, &why));
	must(store_append(store, buf_slice(&b), 1000, e.queue_id, &seq, &why));
	must(store_commit(store, &why));
	/* the same again as a void: the message stays the one that went */
	buf_reset(&b);
	e.kind = EVENT_VOID;
	event_encode(&e, &b);
	must(store_begin(store, &why));
	must(store_append(store, buf_slice(&b), 1000, e.queue_id, &got,
	    &why));
	must(store_commit(store, &why));
	buf_free(&b);
	reopen();
	assert_int_equal(store_by_token(store, 77, &got, &why), 1);
	assert_true(got == seq);
	assert_int_equal(store_by_token(store, 78, &got, &why), 0);
}

static bool
see(void *with, const struct counter_row *row)
{
	struct seen *s = with;

	s->rows[s->n++] = *row;
	return s->n < s->most;
}

static void
counters_come_back_to_the_bit(void **state)
{
	static const struct counter_row rows[3] = {
		{ .key = { 1 }, .kind = LIMIT_CAP, .shared = 1,
		    .level = INT64_MAX, .window = INT64_MIN,
		    .window_end = INT64_MAX, .seq = UINT64_MAX >> 1 },
		{ .key = { 2 }, .kind = LIMIT_THROTTLE, .tenant = UINT64_MAX,
		    .level = -1, .time = T0, .rate = 200, .period = MINUTE },
		{ .key = { 3 }, .kind = LIMIT_CAP },
	};
	struct seen seen = { .most = 4 };
	uint64_t checkpoint;

	(void)state;
	must(store_begin(store, &why));
	for (size_t i = 0; i < 3; i++)
		must(store_put_counter(store, &rows[i], &why));
	must(store_put_checkpoint(store, 42, &why));
	must(store_drop_counter(store, rows[2].key, &why));
	must(store_drop_counter(store, rows[2].key, &why));
	must(store_commit(store, &why));
	must(store_counters(store, &checkpoint, see, &seen, &why));
	assert_int_equal(seen.n, 2);
	assert_true(checkpoint == 42);
	for (size_t i = 0; i < 2; i++) {
		const struct counter_row *a = &seen.rows[i], *b = &rows[i];

		assert_memory_equal(a->key, b->key, 16);
		assert_true(a->kind == b->kind && a->shared == b->shared &&
		    a->tenant == b->tenant && a->level == b->level &&
		    a->time == b->time && a->window == b->window &&
		    a->window_end == b->window_end && a->rate == b->rate &&
		    a->period == b->period && a->seq == b->seq);
	}
	seen.n = 0;
	seen.most = 1;
	must(store_counters(store, &checkpoint, see, &seen, &why));
	assert_int_equal(seen.n, 1);
}

static void
forms_are_kept_by_path_and_removed(void **state)
{
	struct slice *paths, text;
	struct buf big = BUF_INIT;
	size_t n;

	(void)state;
	for (int i = 0; i < 100000; i++)
		buf_str(&big, "tenant ");
	must(store_begin(store, &why));
	must(store_put_form(store, SLICE("/etc/a.conf"), SLICE("old"), &why));
	must(store_put_form(store, SLICE("/etc/a.conf"), SLICE(""), &why));
	must(store_put_form(store, SLICE("/etc/b.conf"), buf_slice(&big),
	    &why));
	must(store_put_form(store, SLICE("/etc/c.conf"), SLICE("x"), &why));
	must(store_put_form(store, SLICE("/etc/c.conf"), SLICE_NONE, &why));
	must(store_commit(store, &why));
	assert_int_equal(store_form(store, SLICE("/etc/a.conf"), arena, &text,
	    &why), 1);
	assert_int_equal(text.n, 0);
	assert_int_equal(store_form(store, SLICE("/etc/b.conf"), arena, &text,
	    &why), 1);
	assert_true(slice_eq(text, buf_slice(&big)));
	assert_int_equal(store_form(store, SLICE("/etc/c.conf"), arena, &text,
	    &why), 0);
	must(store_forms(store, arena, &paths, &n, &why));
	assert_int_equal(n, 2);
	assert_true(slice_starts(paths[0], SLICE("/etc/")));
	buf_free(&big);
}

static void
the_status_comes_back(void **state)
{
	struct status status = { .pid = 77, .started = T0, .heartbeat = T0 + 1,
		.wall = T0 + 2, .clock_jump = -3, .generation = 4,
		.result = STATUS_PARTLY, .draining = 1, .accepted = 5,
		.deferred = 6, .refused = 7, .failed = 8, .overflow = 9,
		.text = SLICE("acme.conf:3: broken"), .version = SLICE("0.1"),
		.socket = SLICE("unix:/x") }, got;

	(void)state;
	assert_int_equal(store_status(store, &got, arena, &why), 0);
	must(store_begin(store, &why));
	must(store_put_status(store, &status, &why));
	must(store_commit(store, &why));
	assert_int_equal(store_status(store, &got, arena, &why), 1);
	assert_true(got.pid == 77 && got.started == T0 &&
	    got.heartbeat == T0 + 1 && got.wall == T0 + 2 &&
	    got.clock_jump == -3 && got.generation == 4 &&
	    got.result == STATUS_PARTLY && got.draining == 1);
	assert_true(got.accepted == 5 && got.deferred == 6 &&
	    got.refused == 7 && got.failed == 8 && got.overflow == 9);
	assert_true(slice_is(got.text, "acme.conf:3: broken") &&
	    slice_is(got.version, "0.1") && slice_is(got.socket, "unix:/x"));
}

static void
a_put_that_failed_and_was_overlooked_fails_the_commit(void **state)
{
	static char megabyte[1 << 20];
	struct slice huge = { megabyte, sizeof(megabyte) };
	char path[32];
	uint64_t seq;
	int64_t time;
	struct why ignored;

	(void)state;
	must(store_begin(store, &why));
	append(T0, "");
	for (int i = 0; i < 100; i++) {
		snprintf(path, sizeof(path), "/etc/%d.conf", i);
		(void)store_put_form(store, slice_of(path), huge, &ignored);
	}
	assert_int_equal(store_commit(store, &why), -1);
	assert_int_equal(why.kind, WHY_NOROOM);
	must(store_last(store, &seq, &time, &why));
	assert_true(seq == 0);
	assert_true(one(T0, "") == 1);
}

static void
a_probe_leaves_nothing_behind(void **state)
{
	struct store_tally tally;

	(void)state;
	must(store_probe(store, 256 << 10, &why));
	assert_int_equal(store_probe(store, 2 * MAP, &why), -1);
	assert_int_equal(why.kind, WHY_NOROOM);
	must(store_probe(store, 256 << 10, &why));
	assert_true(one(T0, "A") == 1);
	store_close(store);
	store = NULL;
	must(store_verify(dir, &tally, &why));
	assert_true(tally.events == 1);
}

/* raw - write a row past the store's own rules */
static void
raw(unsigned table, struct slice key, struct slice value)
{
	struct db_txn *txn;

	must(db_begin(store_db(store), true, &txn, &why));
	if (value.p == NULL)
		assert_int_equal(db_delete(txn, table, key, &why), 1);
	else
		must(db_put(txn, table, key, value, &why));
	must(db_commit(txn, &why));
}

/* number - as a key of events and minutes, or as a value of an index */
static struct slice
number(uint64_t v, bool key)
{
	static uint8_t room[4][8];
	static int turn;
	uint8_t *p = room[turn++ % 4];

	for (int i = 0; i < 8; i++)
		p[i] = (uint8_t)(v >> 8 * (key ? 7 - i : i));
	return (struct slice){ (char *)p, 8 };
}

/* encoded_as - an event that calls itself by that sequence and time */
static struct slice
encoded_as(uint64_t seq, int64_t time)
{
	static struct buf b;
	struct event e = { .kind = EVENT_ACCEPT, .seq = seq, .time = time,
		.queue_id = SLICE("Q3") };

	buf_reset(&b);
	event_encode(&e, &b);
	return buf_slice(&b);
}

enum damage { NONE, GAP, FALSE_SEQ, BACKWARDS, CUT, NO_MINUTE, FALSE_MINUTE,
	NO_QUEUE_ID, FALSE_QUEUE_ID, OLD_QUEUE_ID, SHORT_COUNTER,
	EARLY_COUNTER, EARLY_CHECKPOINT, FALSE_STATUS, FALSE_FORM };

/* damage_it - one thing that cannot be */
static void
damage_it(enum damage what)
{
	static const char row[STORE_COUNTER] = { 1 };
	char early[STORE_COUNTER] = { 1 };

	switch (what) {
	case NONE:
		break;
	case GAP:
		raw(T_EVENTS, number(2, true), SLICE_NONE);
		break;
	case FALSE_SEQ:
		raw(T_EVENTS, number(3, true), encoded_as(4, T0 + MINUTE));
		break;
	case BACKWARDS:
		raw(T_EVENTS, number(3, true), encoded_as(3, T0 - 1));
		break;
	case CUT:
		raw(T_EVENTS, number(2, true), SLICE("\1"));
		break;
	case NO_MINUTE:
		raw(T_MINUTES, number((T0 + MINUTE) / MINUTE, true),
		    SLICE_NONE);
		break;
	case FALSE_MINUTE:
		raw(T_MINUTES, number(T0 / MINUTE + 5, true),
		    number(2, false));
		break;
	case NO_QUEUE_ID:
		raw(T_QUEUE_IDS, SLICE("Q3"), SLICE_NONE);
		break;
	case FALSE_QUEUE_ID:
		raw(T_QUEUE_IDS, SLICE("Q9"), number(3, false));
		break;
	case OLD_QUEUE_ID:
		raw(T_QUEUE_IDS, SLICE("Q3"), number(2, false));
		break;
	case SHORT_COUNTER:
		raw(T_COUNTERS, SLICE("0123456789abcdef"),
		    (struct slice){ row, STORE_COUNTER - 1 });
		break;
	case EARLY_COUNTER:
		early[STORE_COUNTER - 8] = 4;
		raw(T_COUNTERS, SLICE("0123456789abcdef"),
		    (struct slice){ early, STORE_COUNTER });
		break;
	case EARLY_CHECKPOINT:
		raw(T_META, SLICE("checkpoint"), number(4, false));
		break;
	case FALSE_STATUS:
		raw(T_META, SLICE("status"), SLICE("\1\2"));
		break;
	case FALSE_FORM:
		raw(T_FORMS, SLICE("0123456789abcdef"),
		    SLICE("\1\0\0\0a\1\0\0\0b"));
		break;
	}
}

static void
verify_finds_what_does_not_agree(void **state)
{
	static const struct {
		const char	*name;
		enum damage	 damage;
		const char	*said;	/* NULL: well */
	} cases[] = {
		{ "a sound store", NONE, NULL },
		{ "an event is missing", GAP, "events 2 to 2 are missing" },
		{ "an event under another's number", FALSE_SEQ,
		    "event 3 calls itself 4" },
		{ "an event before the one before it", BACKWARDS,
		    "earlier than" },
		{ "an event cut off", CUT, "event 2: " },
		{ "a minute without its mark", NO_MINUTE,
		    "event 3 is the first of its minute" },
		{ "a mark at another minute's event", FALSE_MINUTE,
		    "which is of another" },
		{ "a queue id that leads nowhere", NO_QUEUE_ID,
		    "does not know it" },
		{ "a queue id that leads elsewhere", FALSE_QUEUE_ID,
		    "which bears Q3" },
		{ "a queue id that leads to an older event", OLD_QUEUE_ID,
		    "does not know it" },
		{ "a counter cut off", SHORT_COUNTER, "counter 1 makes" },
		{ "a counter from the future", EARLY_COUNTER,
		    "a counter is as of event 4" },
		{ "a checkpoint from the future", EARLY_CHECKPOINT,
		    "the checkpoint is as of event 4" },
		{ "a status that is none", FALSE_STATUS, "status" },
		{ "a form under another's key", FALSE_FORM,
		    "last good form 1" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct store_tally t;
		int rc;

		if (i > 0) {
			teardown(state);
			setup(state);
		}
		one(T0, "Q1");
		one(T0 + 1, "Q2");
		one(T0 + MINUTE, "Q3");
		damage_it(cases[i].damage);
		store_close(store);
		store = NULL;
		why.text[0] = '\0';
		rc = store_verify(dir, &t, &why);
		if (cases[i].said == NULL ? rc != 0 : rc != -1 ||
		    strstr(why.text, cases[i].said) == NULL)
			fail_msg("%s: got %d \"%s\", want \"%s\"",
			    cases[i].name, rc, why.text,
			    cases[i].said != NULL ? cases[i].said : "");
		if (rc == 0)
			assert_true(t.events == 3 && t.first == 1 &&
			    t.last == 3 && t.minutes == 2 &&
			    t.queue_ids == 3);
	}
}

static void
verify_takes_tables_larger_than_a_batch(void **state)
{
	struct store_tally t;
	char id[16];

	(void)state;
	must(store_begin(store, &why));
	for (int i = 1; i <= 3500; i++) {
		snprintf(id, sizeof(id), "Q%d", i);
		append(T0 + i * SECOND, id);
	}
	must(store_commit(store, &why));
	store_close(store);
	store = NULL;
	must(store_verify(dir, &t, &why));
	assert_true(t.events == 3500 && t.queue_ids == 3500 &&
	    t.minutes == 59);
}

#define T(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(sequences_are_dense_and_go_on_after_a_restart),
		T(time_never_goes_back),
		T(a_moment_is_found_by_minute_and_by_halving),
		T(a_sequence_leads_to_its_event_and_to_no_other),
		T(a_queue_id_leads_to_its_latest_event),
		T(a_token_leads_to_its_message),
		T(counters_come_back_to_the_bit),
		T(forms_are_kept_by_path_and_removed),
		T(the_status_comes_back),
		T(a_put_that_failed_and_was_overlooked_fails_the_commit),
		T(a_probe_leaves_nothing_behind),
		T(verify_finds_what_does_not_agree),
		T(verify_takes_tables_larger_than_a_batch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
