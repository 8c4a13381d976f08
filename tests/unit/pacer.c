/*
 * The pacer: who waited longest goes first, in turn between tenants, never
 * above a cap; what nobody may have is dropped, what waited too long goes back.
 */
#include "tests/unit/pacer_world.h"

#include <sys/wait.h>

static const char policy[] =
    "timezone = \"UTC\"\n"
    "group \"g\" { cap \"shared\" { limit = \"30/minute\"  over = \"hold\" } }\n"
    "tenant \"one\" { logins = {\"one\"}\n"
    "  domains = {\"one.example\"}\n"
    "  cap \"own\" { limit = \"10/hour\"  over = \"hold\" } }\n"
    "tenant \"a\" { group = \"g\"  logins = {\"a\"}\n"
    "  domains = {\"a.example\"} }\n"
    "tenant \"b\" { group = \"g\"  logins = {\"b\"}\n"
    "  domains = {\"b.example\"} }\n"
    "tenant \"slow\" { logins = {\"slow\"}  domains = {\"slow.example\"}\n"
    "  hold_max = \"1h\"\n"
    "  throttle \"drip\" { rate = \"10/hour\"  burst = 2  over = \"hold\"\n"
    "    jitter = 0.2 }\n"
    "  stream \"news\" { match = {\"sender:never@*\"}\n"
    "    priority = \"bulk\" } }\n"
    "pool \"w\" { cap \"way\" { limit = \"10/hour\"  over = \"hold\" }\n"
    "  address \"192.0.2.1\" { transport = \"w1\" } }\n"
    "tenant \"ads\" { pool \"w\" { }  priority = \"bulk\"\n"
    "  logins = {\"ads\"}  domains = {\"ads.example\"} }\n"
    "tenant \"pw\" { pool \"w\" { }  logins = {\"pw\"}\n"
    "  domains = {\"pw.example\"} }\n";

static const char *barred;
static bool tripped_now;

static int
suppressed(void *with, const struct mailbox *box,
    const struct suppress_who *who, struct suppress_hit *hit, struct why *w)
{
	(void)with, (void)who, (void)w;
	memset(hit, 0, sizeof(*hit));
	return barred != NULL && strstr(barred, box->text.p) != NULL;
}

static int
tripped(void *with, const uint8_t key[TRIP_KEY], struct trip *trip)
{
	(void)with, (void)key;
	memset(trip, 0, sizeof(*trip));
	trip->time = NOW - 1;
	return tripped_now;
}

static const struct happened lists = { .suppressed = suppressed,
	.tripped = tripped };

static int
setup(void **state)
{
	(void)state;
	barred = NULL;
	tripped_now = false;
	world_begin(policy);
	gate.happened = &lists;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	world_end();
	return 0;
}

/* used - of the first limit of that tenant's default stream with that name */
static int64_t
used(const char *tenant, const char *limit)
{
	const struct tenant *t = policy_tenant(gate.policy, slice_of(tenant));
	struct decide_facts f = { .provider = DECIDE_ALL };
	struct arena *arena = arena_new(4096, 0);
	const struct limit **limits;
	struct counter_view view = { .used = -1 };
	struct ask *asks;
	size_t n;

	must(decide_asks_of(gate.policy, t, &f, now, arena, &asks, &limits,
	    &n));
	for (size_t i = 0; i < n; i++)
		if (slice_is(limits[i]->name, limit))
			ledger_view(gate.ledger, &asks[i], now, &view);
	arena_free(arena);
	return view.used;
}

static void
the_oldest_go_when_the_window_turns_and_once(void **state)
{
	struct held rows[64];
	struct arena *arena = arena_new(4096, 0);
	struct event e;
	struct slice encoded;
	size_t n, got;

	(void)state;
	for (int i = 0; i < 10; i++)
		assert_int_equal(deliver("one", 1, true), VERDICT_PASS);
	for (int i = 0; i < 25; i++)
		assert_int_equal(deliver("one", 1, true), VERDICT_HOLD);
	assert_int_equal(paced(), 0);
	assert_int_equal(how_many(HELD_WAITING), 25);
	later(CLOCK_HOUR);
	assert_int_equal(paced(), 10);
	assert_int_equal(used("one", "own"), 10);
	n = in_state(HELD_GO, arena, rows, 64);
	assert_int_equal(n, 10);
	assert_int_equal(paced(), 0);
	/* the ten oldest, each by an event that names it */
	for (size_t i = 0; i < n; i++) {
		assert_true(i == 0 || rows[i].seq == rows[i - 1].seq + 1);
		assert_true(rows[i].decided == now);
		must(store_read(gate.store, rows[i].decision, 1, arena,
		    &encoded, &got, &why));
		must(event_decode(encoded, &e, arena, &why));
		assert_true(e.kind == EVENT_RELEASE &&
		    e.verdict == VERDICT_PASS && e.voids == rows[i].seq);
		assert_true(slice_eq(e.queue_id, rows[i].queue_id));
		assert_int_equal(e.ncharges, 2);
		assert_true(slice_is(e.charges[0].name, "own") &&
		    e.charges[0].amount == 1);
		assert_true(slice_is(e.charges[1].name, "held:own") &&
		    e.charges[1].amount == -1);
	}
	/* new mail stands behind those that wait, room or not */
	later(CLOCK_HOUR);
	assert_int_equal(deliver("one", 1, true), VERDICT_HOLD);
	assert_int_equal(paced(), 10);
	later(CLOCK_HOUR);
	assert_int_equal(paced(), 6);
	assert_int_equal(deliver("one", 1, true), VERDICT_PASS);
	assert_int_equal(how_many(HELD_WAITING), 0);
	arena_free(arena);
}

static void
a_restart_forgets_nobody_and_lets_nobody_go_twice(void **state)
{
	(void)state;
	for (int i = 0; i < 30; i++)
		(void)deliver("one", 1, true);
	for (int i = 1; i <= 2; i++) {
		stop();
		start();
		assert_int_equal(paced(), 0);
		later(CLOCK_HOUR);
		assert_int_equal(paced(), 10);
		stop();
		start();
		assert_int_equal(paced(), 0);
		assert_int_equal(used("one", "own"), 10);
		assert_int_equal(how_many(HELD_GO), 10 * i);
	}
}

static void
tenants_take_turns(void **state)
{
	static const char *const who[] = { "a", "b" };
	struct held rows[64];
	struct arena *arena = arena_new(4096, 0);
	size_t n, of_a = 0;

	(void)state;
	/* 200 of a wait before the first of b comes */
	for (int i = 0; i < 230; i++)
		assert_true(deliver("a", 1, true) <= VERDICT_HOLD);
	for (int i = 0; i < 50; i++)
		assert_int_equal(deliver("b", 2, true), VERDICT_HOLD);
	later(CLOCK_MINUTE);
	(void)paced();
	assert_int_equal(used("a", "shared"), 30);
	n = in_state(HELD_GO, arena, rows, 64);
	for (size_t i = 0; i < n; i++)
		of_a += slice_is(rows[i].tenant, who[0]);
	/* recipients, not messages: 15 and 15, or what two more make of it */
	if (of_a < 14 || of_a > 16)
		fail_msg("got %zu of a, want 15", of_a);
	arena_free(arena);
}

static void
what_is_for_other_mail_is_not_closed_by_a_campaign(void **state)
{
	struct arena *arena = arena_new(4096, 0);
	struct held rows[64];
	size_t n, of_pw = 0;

	(void)state;
	for (int i = 0; i < 30; i++)
		(void)deliver("ads", 1, true);
	for (int i = 0; i < 8; i++)
		(void)deliver("pw", 1, true);
	assert_int_equal(how_many(HELD_WAITING), 22 + 6);
	paced();
	assert_int_equal(how_many(HELD_GO), 0);
	/* in the next hour the campaign has what the others leave of eight */
	later(CLOCK_HOUR);
	paced();
	n = in_state(HELD_GO, arena, rows, 64);
	for (size_t i = 0; i < n; i++)
		of_pw += slice_is(rows[i].tenant, "pw");
	assert_int_equal(of_pw, 6);
	assert_int_equal(n, 8);
	arena_free(arena);
}

static void
what_is_too_large_for_the_rest_is_first_in_the_next(void **state)
{
	(void)state;
	assert_int_equal(deliver("one", 9, true), VERDICT_PASS);
	assert_int_equal(deliver("one", 5, true), VERDICT_HOLD);
	assert_int_equal(deliver("one", 1, true), VERDICT_HOLD);
	assert_int_equal(deliver("one", 6, true), VERDICT_HOLD);
	/* one is left of this hour, and the second one is one */
	assert_int_equal(paced(), 1);
	assert_int_equal(used("one", "own"), 10);
	later(CLOCK_HOUR);
	assert_int_equal(paced(), 1);
	assert_int_equal(used("one", "own"), 5);
	later(CLOCK_HOUR);
	assert_int_equal(paced(), 1);
	assert_int_equal(used("one", "own"), 6);
}

static void
a_throttle_lets_them_out_one_by_one_and_not_all_in_time(void **state)
{
	(void)state;
	assert_int_equal(deliver("slow", 2, true), VERDICT_PASS);
	for (int i = 0; i < 10; i++)
		assert_int_equal(deliver("slow", 1, true), VERDICT_HOLD);
	/* the eleventh would wait for more than an hour */
	assert_int_equal(deliver("slow", 1, true), VERDICT_DEFER);
	assert_int_equal(paced(), 0);
	later(CLOCK_MINUTE * 7 + CLOCK_MINUTE / 2);
	assert_int_equal(paced(), 1);
	assert_int_equal(paced(), 0);
	later(CLOCK_MINUTE * 50);
	assert_int_equal(paced(), 2);
	/* hold_max is over: one more goes, what is left goes back */
	later(CLOCK_MINUTE * 10);
	assert_int_equal(paced(), 7);
	assert_int_equal(how_many(HELD_GO), 4);
	assert_int_equal(how_many(HELD_EXPIRE), 6);
	assert_int_equal(how_many(HELD_WAITING), 0);
	assert_int_equal(paced(), 0);
}

static void
who_may_not_have_it_any_more_does_not_get_it(void **state)
{
	(void)state;
	assert_int_equal(deliver("one", 10, true), VERDICT_PASS);
	assert_int_equal(deliver("one", 1, true), VERDICT_HOLD);
	assert_int_equal(deliver("one", 2, true), VERDICT_HOLD);
	later(CLOCK_HOUR);
	barred = "r0@example.org";
	assert_int_equal(paced(), 2);
	assert_int_equal(how_many(HELD_DROP), 1);
	assert_int_equal(how_many(HELD_EXPIRE), 1);
	assert_int_equal(used("one", "own"), 0);
	barred = NULL;
	assert_int_equal(deliver("one", 10, true), VERDICT_PASS);
}

static void
what_waits_for_somebody_waits_apart(void **state)
{
	char text[2048];

	(void)state;
	for (int i = 0; i < 32; i++)
		assert_true(deliver("a", 1, true) <= VERDICT_HOLD);
	assert_int_equal(deliver("b", 1, true), VERDICT_HOLD);
	later(CLOCK_MINUTE);
	snprintf(text, sizeof(text), "%s", policy);
	memcpy(strstr(text, "domains = {\"a.example\"}"),
	    "domains={\"a.example\"} ", 23);
	snprintf(strstr(text, "tenant \"a\""), 1200, "tenant \"a\" { group = "
	    "\"g\"  paused = \"invoice\"  logins = {\"a\"}\n"
	    "  domains = {\"a.example\"} }\n%s", strstr(policy,
	    "tenant \"b\""));
	policy_of(text);
	assert_int_equal(paced(), 1);
	assert_int_equal(how_many(HELD_WAITING), 2);
	policy_of(policy);
	later(CLOCK_MINUTE);
	assert_int_equal(paced(), 2);
}

/* order - of an operator, about the oldest that waits, or all */
static void
order(unsigned kind, bool all)
{
	struct arena *arena = arena_new(4096, 0);
	struct desk_record r = { .seq = 12, .kind = kind,
		.tenant = SLICE("k") };
	struct held rows[8];
	int64_t time;
	uint64_t seq;

	assert_true(in_state(HELD_WAITING, arena, rows, 8) > 0);
	r.object = all ? SLICE("*") : rows[0].queue_id;
	must(store_last(gate.store, &seq, &time, &why));
	r.amount = (int64_t)(all ? seq : rows[0].seq);
	must(pacer_order(gate.pacer, &r, &why));
	must(pacer_order(gate.pacer, &r, &why));
	arena_free(arena);
}

static void
an_operator_drops_and_hurries(void **state)
{
	static const char breaker[] = "tenant \"k\" { logins = {\"k\"}\n"
	    "  domains = {\"k.example\"}\n"
	    "  cap \"few\" { limit = \"3/hour\"  over = \"hold\" }\n"
	    "  breaker \"bad\" { when = \"hard_bounce\"  rate = \"5%\"\n"
	    "    least = 10  window = \"1h\"  action = \"hold\" } }\n";
	struct arena *arena = arena_new(4096, 0);
	struct held rows[8];

	(void)state;
	policy_of(breaker);
	tripped_now = true;
	for (int i = 0; i < 3; i++)
		assert_int_equal(deliver("k", 1, true), VERDICT_HOLD);
	assert_int_equal(paced(), 0);
	order(DESK_HOLD_DROP, false);
	assert_int_equal(how_many(HELD_DROP), 1);
	order(DESK_HOLD_RELEASE, false);
	assert_int_equal(in_state(HELD_WAITING, arena, rows, 8), 2);
	assert_true(slice_is(rows[0].why, "desk:12"));
	/* a restart does not forget what he said */
	stop();
	start();
	assert_int_equal(paced(), 1);
	assert_int_equal(how_many(HELD_GO), 1);
	assert_int_equal(how_many(HELD_WAITING), 1);
	/* and a cap is a cap for him as well: its charges came when it did */
	order(DESK_HOLD_RELEASE, false);
	assert_int_equal(paced(), 1);
	assert_int_equal(used("k", "few"), 3);
	/* all of them; what comes later is not meant */
	later(CLOCK_HOUR);
	for (int i = 0; i < 3; i++)
		assert_int_equal(deliver("k", 1, true), VERDICT_HOLD);
	order(DESK_HOLD_RELEASE, true);
	later(CLOCK_HOUR);
	assert_int_equal(deliver("k", 1, true), VERDICT_HOLD);
	assert_int_equal(paced(), 3);
	assert_int_equal(deliver("k", 1, true), VERDICT_HOLD);
	order(DESK_HOLD_DROP, true);
	assert_int_equal(how_many(HELD_WAITING), 0);
	assert_int_equal(how_many(HELD_DROP), 3);
	arena_free(arena);
}

static void
an_operator_means_one_a_tenant_or_all(void **state)
{
	static const char two[] =
	    "tenant \"k\" { logins = {\"k\"} domains = {\"k.example\"}\n"
	    "  cap \"few\" { limit = \"9/hour\"  over = \"hold\" }\n"
	    "  breaker \"bad\" { when = \"hard_bounce\"  rate = \"5%\"\n"
	    "    least = 10  window = \"1h\"  action = \"hold\" } }\n"
	    "tenant \"m\" { logins = {\"m\"} domains = {\"m.example\"}\n"
	    "  breaker \"bad\" { when = \"hard_bounce\"  rate = \"5%\"\n"
	    "    least = 10  window = \"1h\"  action = \"hold\" } }\n";
	struct desk_record r = { .kind = DESK_HOLD_RELEASE, .seq = 12,
		.object = SLICE("*"), .tenant = SLICE("k") };
	struct arena *arena = arena_new(4096, 0);
	struct held rows[8];

	(void)state;
	policy_of(two);
	tripped_now = true;
	for (int i = 0; i < 3; i++)
		assert_int_equal(deliver("k", 1, true), VERDICT_HOLD);
	for (int i = 0; i < 3; i++)
		assert_int_equal(deliver("m", 1, true), VERDICT_HOLD);
	assert_int_equal(paced(), 0);
	assert_int_equal(in_state(HELD_WAITING, arena, rows, 8), 6);
	/* of a tenant: what was held up to then, and not the last one */
	r.amount = (int64_t)rows[1].seq;
	must(pacer_order(gate.pacer, &r, &why));
	must(pacer_order(gate.pacer, &r, &why));
	assert_int_equal(paced(), 2);
	assert_int_equal(how_many(HELD_GO), 2);
	assert_int_equal(how_many(HELD_WAITING), 4);
	/* one, by what it is, and not by what else bears its queue id */
	r = (struct desk_record){ .kind = DESK_HOLD_DROP, .seq = 13,
		.tenant = SLICE("m"), .object = rows[3].queue_id,
		.amount = (int64_t)rows[4].seq };
	must(pacer_order(gate.pacer, &r, &why));
	assert_int_equal(how_many(HELD_DROP), 0);
	r.amount = (int64_t)rows[3].seq;
	must(pacer_order(gate.pacer, &r, &why));
	assert_int_equal(how_many(HELD_DROP), 1);
	/* all there is */
	r = (struct desk_record){ .kind = DESK_HOLD_DROP, .seq = 14,
		.object = SLICE("*"), .amount = (int64_t)rows[5].seq };
	must(pacer_order(gate.pacer, &r, &why));
	must(pacer_order(gate.pacer, &r, &why));
	assert_int_equal(how_many(HELD_DROP), 4);
	assert_int_equal(how_many(HELD_WAITING), 0);
	assert_int_equal(paced(), 0);
	arena_free(arena);
}

/* put_done - in a process of its own, as penstock-release is */
static int
put_done(const struct held *rows, size_t n, enum released_result result,
    bool other)
{
	struct db *db = NULL;
	struct db_txn *txn;

	if (released_open(&db, at("release"), UINT64_C(16) << 20,
	    &why) == -1 || db_begin(db, true, &txn, &why) == -1)
		return 1;
	for (size_t i = 0; i < n; i++) {
		struct released r = { .seq = rows[i].seq, .time = now,
			.result = result, .text = SLICE(""),
			.queue_id = other ? SLICE("other") :
			rows[i].queue_id };

		if (released_put(txn, &r, &why) == -1)
			return 1;
	}
	return db_commit(txn, &why) == -1;
}

/* done - penstock-release says so of all rows in that state */
static void
done(int state, enum released_result result, bool other)
{
	struct arena *arena = arena_new(4096, 0);
	struct held rows[64];
	size_t n = in_state(state, arena, rows, 64);
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(put_done(rows, n, result, other));
	assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
	assert_int_equal(status, 0);
	arena_free(arena);
}

static void
rows_go_when_their_message_went(void **state)
{
	(void)state;
	assert_int_equal(deliver("one", 10, true), VERDICT_PASS);
	assert_int_equal(deliver("one", 1, true), VERDICT_HOLD);
	assert_int_equal(deliver("one", 10, true), VERDICT_HOLD);
	later(CLOCK_HOUR);
	assert_int_equal(paced(), 1);
	done(HELD_GO, RELEASED_FAILED, false);
	(void)paced();
	assert_int_equal(how_many(HELD_GO), 1);
	done(HELD_GO, RELEASED_DONE, true);
	(void)paced();
	assert_int_equal(how_many(HELD_GO), 1);
	done(HELD_ALL, RELEASED_DONE, false);
	(void)paced();
	/* the one that nobody let go stays */
	assert_int_equal(how_many(HELD_ALL), 1);
	assert_int_equal(how_many(HELD_WAITING), 1);
	/* until somebody takes it away: then no new mail stands behind it */
	assert_int_equal(deliver("one", 1, true), VERDICT_HOLD);
	done(HELD_WAITING, RELEASED_GONE, false);
	(void)paced();
	(void)paced();
	assert_int_equal(how_many(HELD_ALL), 0);
	assert_int_equal(deliver("one", 9, true), VERDICT_PASS);
}

static void
what_is_taken_back_is_not_let_go(void **state)
{
	(void)state;
	assert_int_equal(deliver("one", 10, true), VERDICT_PASS);
	assert_int_equal(deliver("one", 1, false), VERDICT_DEFER);
	assert_int_equal(deliver("one", 1, true), VERDICT_HOLD);
	(void)paced();
	later(CLOCK_HOUR);
	assert_int_equal(paced(), 1);
	assert_int_equal(used("one", "own"), 1);
	assert_int_equal(how_many(HELD_ALL), 1);
}

static void
its_thread_does_it_by_itself(void **state)
{
	int64_t end = clock_mono() + 30 * CLOCK_SECOND;

	(void)state;
	assert_int_equal(deliver("one", 10, true), VERDICT_PASS);
	assert_int_equal(deliver("one", 3, true), VERDICT_HOLD);
	must(pacer_start(gate.pacer, &why));
	later(CLOCK_HOUR);
	pacer_wake(gate.pacer);
	while (how_many(HELD_GO) == 0) {
		if (clock_mono() > end)
			fail_msg("it did not go");
		usleep(1000);
	}
}

#define T(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_oldest_go_when_the_window_turns_and_once),
		T(a_restart_forgets_nobody_and_lets_nobody_go_twice),
		T(tenants_take_turns),
		T(what_is_for_other_mail_is_not_closed_by_a_campaign),
		T(what_is_too_large_for_the_rest_is_first_in_the_next),
		T(a_throttle_lets_them_out_one_by_one_and_not_all_in_time),
		T(who_may_not_have_it_any_more_does_not_get_it),
		T(what_waits_for_somebody_waits_apart),
		T(an_operator_drops_and_hurries),
		T(an_operator_means_one_a_tenant_or_all),
		T(rows_go_when_their_message_went),
		T(what_is_taken_back_is_not_let_go),
		T(its_thread_does_it_by_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
