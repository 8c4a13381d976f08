/*
 * restore - counters after a restart, from a store on disk: checkpoint and
 * replay, crashes in the middle of a round, voids.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "policy/ledger.h"

#define SECOND	INT64_C(1000000)
#define DAY	(86400 * SECOND)
#define T0	(INT64_C(20000) * DAY)
#define KEYS	7
#define MAP	(UINT64_C(64) << 20)

static char dir[64];
static struct store *store;
static struct ledger *ledger;
static struct arena *arena;
static int64_t now;
static bool grouped;			/* the transaction is open */
static int64_t spent[KEYS];		/* what must be found again */

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int
setup(void **state)
{
	struct why why;

	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/penstock-restore-XXXXXX");
	if (mkdtemp(dir) == NULL || store_open(&store, dir, MAP, &why) == -1)
		return -1;
	ledger = ledger_new();
	arena = arena_new(1 << 14, 0);
	memset(spent, 0, sizeof(spent));
	now = T0;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	store_close(store);
	ledger_free(ledger);
	arena_free(arena);
	return nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static struct ask
ask_of(int k, int64_t amount)
{
	struct ask ask = { .most = LEDGER_AMOUNT_MAX };

	memset(ask.charge.key, 'a' + k, 16);
	ask.charge.tenant = 7;
	ask.charge.amount = amount;
	ask.charge.name = SLICE("limit");
	ask.charge.rule = SLICE("p:1");
	if (k == KEYS - 1) {
		ask.charge.kind = LIMIT_THROTTLE;
		ask.charge.rate = 1;
		ask.charge.period = DAY;
		return ask;
	}
	ask.charge.kind = LIMIT_CAP;
	ask.charge.shared = k % 2 == 1;
	ask.charge.window = now - (now % DAY);
	ask.charge.window_end = ask.charge.window + DAY;
	return ask;
}

/* write_event - as the writer does: a commit each, or many in a group */
static uint64_t
write_event(enum event_kind kind, struct charge *charges, size_t n,
    uint64_t voids)
{
	struct event e = { .kind = kind, .count = 1, .charges = charges,
		.ncharges = n, .voids = voids, .tenant = SLICE("t") };
	struct buf b = BUF_INIT;
	struct why why;
	uint64_t seq;

	event_encode(&e, &b);
	if (!grouped)
		assert_int_equal(store_begin(store, &why), 0);
	if (store_append(store, buf_slice(&b), now, SLICE_NONE, &seq,
	    &why) == -1 || (!grouped && store_commit(store, &why) == -1))
		fail_msg("%s", why.text);
	buf_free(&b);
	return seq;
}

/* message - charges two counters; settled unless we crash before */
static uint64_t
message(int k, int64_t amount, bool settled)
{
	struct ask asks[2] = { ask_of(k, amount), ask_of((k + 1) % KEYS, 1) };
	struct charge charges[2];
	struct claim claim = { 0 };
	uint64_t seq;
	size_t i;

	assert_int_equal(ledger_seal(ledger, &claim, arena, asks, 2, now,
	    NULL, NULL), 1);
	for (i = 0; i < 2; i++)
		charges[i] = claim.asks[i].charge;
	seq = write_event(EVENT_ACCEPT, charges, 2, 0);
	if (settled)
		ledger_settle(ledger, charges, 2, true, seq, now);
	spent[k] += amount;
	spent[(k + 1) % KEYS] += 1;
	return seq;
}

/* messages - many of them, in one commit */
static void
messages(int n, int64_t amount)
{
	struct why why;
	int i;

	assert_int_equal(store_begin(store, &why), 0);
	grouped = true;
	for (i = 0; i < n; i++)
		(void)message(i % KEYS, amount, true);
	grouped = false;
	assert_int_equal(store_commit(store, &why), 0);
}

/* take_back - a void of a message just written */
static void
take_back(int k, int64_t amount, uint64_t voids)
{
	struct charge charges[2] = { ask_of(k, amount).charge,
		ask_of((k + 1) % KEYS, 1).charge };
	uint64_t seq = write_event(EVENT_VOID, charges, 2, voids);

	ledger_void(ledger, charges, 2, seq, now);
	spent[k] -= amount;
	spent[(k + 1) % KEYS] -= 1;
}

/* checkpoint - in slices of one commit each; slices: then we crash */
static void
checkpoint(int slices)
{
	struct counter_row row;
	struct why why;
	uint64_t seq;
	int64_t time;
	bool left = true;

	assert_int_equal(store_last(store, &seq, &time, &why), 0);
	ledger_round_begin(ledger, seq);
	while (left && slices-- > 0) {
		assert_int_equal(store_begin(store, &why), 0);
		if (ledger_round_next(ledger, &row, 1, &left) == 1)
			assert_int_equal(store_put_counter(store, &row, &why),
			    0);
		if (!left)
			assert_int_equal(store_put_checkpoint(store, seq,
			    &why), 0);
		assert_int_equal(store_commit(store, &why), 0);
	}
}

/* restart - nothing but the store is left */
static uint64_t
restart(void)
{
	struct counter_view view;
	struct ask ask;
	struct why why;
	uint64_t seq;
	int k;

	ledger_free(ledger);
	store_close(store);
	store = NULL;
	ledger = ledger_new();
	if (store_open(&store, dir, MAP, &why) == -1 ||
	    ledger_restore(ledger, store, &seq, &why) == -1)
		fail_msg("%s", why.text);
	for (k = 0; k < KEYS; k++) {
		ask = ask_of(k, 1);
		ledger_view(ledger, &ask, now, &view);
		if (view.used != spent[k])
			fail_msg("counter %d: %lld spent, %lld found again", k,
			    (long long)spent[k], (long long)view.used);
	}
	return seq;
}

static void
an_empty_store_is_an_empty_ledger(void **state)
{
	(void)state;
	assert_int_equal(restart(), 0);
}

static void
events_alone_are_enough(void **state)
{
	(void)state;
	messages(600, 3);		/* three batches of the replay */
	assert_int_equal(restart(), 600);
}

static void
a_checkpoint_and_what_follows_it(void **state)
{
	(void)state;
	messages(40, 2);
	checkpoint(100);
	assert_int_equal(restart(), 40);
	messages(10, 3);
	assert_int_equal(restart(), 50);
}

static void
a_crash_inside_a_round_counts_each_once(void **state)
{
	int slices;

	(void)state;
	for (slices = 0; slices <= KEYS; slices++) {
		messages(9, 1);
		checkpoint(slices);
		(void)message(slices % KEYS, 2, true);
		(void)restart();
	}
}

static void
an_event_on_disk_that_nobody_settled_is_counted(void **state)
{
	(void)state;
	(void)message(0, 5, true);
	checkpoint(100);
	(void)message(0, 5, false);
	(void)restart();
}

static void
a_void_gives_back_before_and_behind_the_checkpoint(void **state)
{
	uint64_t seq;

	(void)state;
	(void)message(1, 4, true);
	seq = message(2, 4, true);
	take_back(2, 4, seq);
	(void)restart();
	checkpoint(100);
	seq = message(3, 4, true);
	checkpoint(100);
	take_back(3, 4, seq);
	(void)restart();
	checkpoint(100);
	(void)restart();
}

static void
events_of_other_kinds_charge_nothing(void **state)
{
	(void)state;
	(void)message(1, 4, true);
	(void)write_event(EVENT_DEFER, NULL, 0, 0);
	(void)write_event(EVENT_RELOAD, NULL, 0, 0);
	(void)message(1, 4, true);
	assert_int_equal(restart(), 4);
}

static void
windows_that_are_over_come_back_empty(void **state)
{
	int i;

	(void)state;
	messages(10, 2);
	checkpoint(100);
	now += DAY;
	spent[KEYS - 1]--;		/* it leaks one a day */
	for (i = 0; i < KEYS - 1; i++)
		spent[i] = 0;
	(void)restart();
	(void)message(2, 3, true);
	(void)restart();
}

static void
rows_swept_are_not_missed(void **state)
{
	uint8_t dropped[KEYS][16];
	struct why why;
	size_t i, n, turn;

	(void)state;
	(void)message(0, 2, true);
	checkpoint(100);
	checkpoint(100);		/* the slice before is on disk */
	now += 2 * DAY;
	memset(spent, 0, sizeof(spent));
	for (turn = 0; turn < 256; turn++) {
		n = ledger_sweep(ledger, now, dropped, KEYS);
		assert_int_equal(store_begin(store, &why), 0);
		for (i = 0; i < n; i++)
			assert_int_equal(store_drop_counter(store, dropped[i],
			    &why), 0);
		if (turn < 255 && n == 0) {
			store_abort(store);
			continue;
		}
		assert_int_equal(store_commit(store, &why), 0);
	}
	(void)message(0, 1, true);
	(void)restart();
}

#define T(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_empty_store_is_an_empty_ledger),
		T(events_alone_are_enough),
		T(a_checkpoint_and_what_follows_it),
		T(a_crash_inside_a_round_counts_each_once),
		T(an_event_on_disk_that_nobody_settled_is_counted),
		T(a_void_gives_back_before_and_behind_the_checkpoint),
		T(events_of_other_kinds_charge_nothing),
		T(windows_that_are_over_come_back_empty),
		T(rows_swept_are_not_missed),
	};

	return cmocka_run_group_tests_name("restore", tests, NULL, NULL);
}
