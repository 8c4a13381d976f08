/*
 * The writer: durable before it answers, and what it does on bad days.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <sys/wait.h>

#include "tests/unit/writer_gate.h"

/* --- good days ------------------------------------------------------------ */

static void
what_is_answered_is_on_disk_and_spent(void **state)
{
	struct mail m;
	struct event e;

	(void)state;
	mail_make(&m, 3, "4bXyZ");
	assert_int_equal(spent(3), 0);
	must(mail_send(&m));
	assert_true(m.seq == 1);
	assert_int_equal(spent(0), 3);
	e = event(1);
	assert_true(e.kind == EVENT_ACCEPT && e.time == T0);
	assert_true(slice_is(e.charges[0].rule, "acme.conf:4"));
	mail_free(&m);
	the_same_after_restart(3);
}

enum { THREADS = 16, EACH = 100 };
static uint64_t given[THREADS][EACH];

/* send_many - one session's mail */
static void *
send_many(void *arg)
{
	uint64_t *seqs = arg;

	for (int i = 0; i < EACH; i++) {
		struct mail m;

		mail_make(&m, 2, "Q");
		if (mail_send(&m) == 0)
			seqs[i] = m.seq;
		mail_free(&m);
	}
	return NULL;
}

static void
many_share_one_commit(void **state)
{
	static bool seen[THREADS * EACH + 1];
	pthread_t threads[THREADS];
	int syncs;

	(void)state;
	memset(given, 0, sizeof(given));
	memset(seen, 0, sizeof(seen));
	must(send_one(1));
	syncs = disk_syncs;
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, send_many, given[i]);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	syncs = disk_syncs - syncs;
	for (int i = 0; i < THREADS; i++)
		for (int k = 0; k < EACH; k++) {
			uint64_t seq = given[i][k] - 1;

			/* dense, each once, rising within a session */
			assert_in_range(seq, 1, THREADS * EACH);
			assert_false(seen[seq]);
			seen[seq] = true;
			assert_true(k == 0 || given[i][k] > given[i][k - 1]);
		}
	assert_int_equal(spent(0), 1 + 2 * THREADS * EACH);
	if (syncs > THREADS * EACH / 2)
		fail_msg("%d commits for %d events", syncs, THREADS * EACH);
	the_same_after_restart(1 + 2 * THREADS * EACH);
}

static void
an_accepted_message_whose_edits_failed_is_void(void **state)
{
	struct mail m;
	struct event e;

	(void)state;
	must(send_one(5));
	mail_make(&m, 3, "Q2");
	must(mail_send(&m));
	assert_int_equal(spent(0), 8);
	writer_void(writer, &m.event, m.seq);
	must(send_one(1));		/* a void goes before mail */
	assert_int_equal(spent(0), 6);
	e = event(3);
	assert_true(e.kind == EVENT_VOID && e.voids == 2);
	assert_true(e.ncharges == 1 && e.charges[0].amount == 3);
	assert_true(e.nrecipients == 1 &&
	    slice_is(e.recipients[0].address, "bob@x.example"));
	mail_free(&m);
	the_same_after_restart(6);
}

/* --- a slow disk ---------------------------------------------------------- */

static bool
is_void_there(void)
{
	return last_seq() >= 2;
}

static void
what_lands_behind_the_deadline_is_given_back(void **state)
{
	const char *reason = "";
	struct mail m;
	int64_t began;

	(void)state;
	writer_tune(writer, SHORT, CLOCK_SECOND);
	disk_hold(true);
	mail_make(&m, 3, "Q1");
	assert_int_equal(mail_send(&m), -1);
	assert_int_equal(m.why.kind, WHY_BUSY);
	mail_free(&m);
	/* as long as the disk is silent, nobody waits for it */
	assert_false(writer_alive(writer, &reason));
	assert_string_equal(reason, "the store does not answer");
	began = clock_mono();
	assert_int_equal(send_one(2), -1);
	assert_true(clock_mono() - began < SHORT);
	assert_int_equal(spent(3), 0);
	disk_hold(false);
	until(is_void_there, "the void");
	until(alive, "the writer's next beat");
	writer_tune(writer, WRITER_DEADLINE, CLOCK_SECOND);
	must(send_one(1));
	assert_int_equal(spent(0), 1);
	assert_true(last_seq() == 3);
	assert_true(event(1).kind == EVENT_ACCEPT);
	assert_true(event(2).kind == EVENT_VOID && event(2).voids == 1);
	assert_true(event(2).charges[0].amount == 3 &&
	    slice_is(event(2).queue_id, "Q1"));
	the_same_after_restart(1);
}

static void
what_is_still_queued_at_the_deadline_never_lands(void **state)
{
	struct mail first, second;
	pthread_t thread;

	(void)state;
	disk_hold(true);
	mail_make(&first, 3, "Q1");
	pthread_create(&thread, NULL, send_thread, &first);
	disk_await();
	writer_tune(writer, SHORT, CLOCK_SECOND);
	mail_make(&second, 4, "Q2");
	assert_int_equal(mail_send(&second), -1);
	assert_int_equal(spent(3), 0);
	disk_hold(false);
	pthread_join(thread, NULL);
	writer_tune(writer, WRITER_DEADLINE, CLOCK_SECOND);
	/* the first had the long deadline, and was in time */
	assert_int_equal(first.rc, 0);
	until(alive, "the writer's next beat");
	must(send_one(1));
	assert_true(last_seq() == 2);
	assert_int_equal(spent(0), 4);
	mail_free(&first);
	mail_free(&second);
	the_same_after_restart(4);
}

/* --- a broken disk -------------------------------------------------------- */

static void
no_room_is_451_until_there_is(void **state)
{
	const char *reason = "";
	int64_t began;

	(void)state;
	must(send_one(1));
	disk_error = ENOSPC;
	assert_int_equal(send_one(5), -1);
	assert_int_equal(why.kind, WHY_NOROOM);
	assert_int_equal(spent(0), 1);
	assert_false(writer_alive(writer, &reason));
	assert_string_equal(reason, "no room to record mail");
	began = clock_mono();
	assert_int_equal(send_one(5), -1);
	assert_true(clock_mono() - began < CLOCK_SECOND);
	assert_true(writer_beats(writer));
	disk_error = 0;
	until(alive, "room");
	must(send_one(2));
	assert_int_equal(spent(0), 3);
	assert_true(last_seq() == 2);
	the_same_after_restart(3);
}

static void
voids_and_refusals_wait_for_room(void **state)
{
	struct event note = { .kind = EVENT_DEFER, .count = 1,
		.verdict = VERDICT_DEFER, .tenant = SLICE("acme") };
	struct mail m;

	(void)state;
	mail_make(&m, 3, "Q1");
	must(mail_send(&m));
	disk_error = ENOSPC;
	writer_void(writer, &m.event, m.seq);
	writer_note(writer, &note);
	assert_int_equal(send_one(1), -1);
	assert_int_equal(spent(0), 3);
	disk_error = 0;
	until(alive, "room");
	must(send_one(1));
	mail_free(&m);
	stop();
	start();
	assert_int_equal(spent(0), 1);
	assert_true(event(2).kind == EVENT_VOID);
	assert_true(event(3).kind == EVENT_DEFER ||
	    event(4).kind == EVENT_DEFER);
}

/* in_child - the same again in a process that may end; its status */
static int
in_child(void (*act)(void))
{
	int status;
	pid_t pid;

	stop();
	fflush(NULL);
	if ((pid = fork()) == 0) {
		start();
		act();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	start();
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* send_on_a_broken_disk - one message is fine, the next meets EIO */
static void
send_on_a_broken_disk(void)
{
	must(send_one(1));
	disk_error = EIO;
	(void)send_one(5);
}

static void
any_other_error_of_a_commit_ends_the_process(void **state)
{
	(void)state;
	assert_int_equal(in_child(send_on_a_broken_disk), 74);
	/* LMDB's meta page was not written: it was not there, or was */
	assert_int_equal(spent(0), 1);
	assert_true(last_seq() == 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_is_answered_is_on_disk_and_spent),
		T(many_share_one_commit),
		T(an_accepted_message_whose_edits_failed_is_void),
		T(what_lands_behind_the_deadline_is_given_back),
		T(what_is_still_queued_at_the_deadline_never_lands),
		T(no_room_is_451_until_there_is),
		T(voids_and_refusals_wait_for_room),
		T(any_other_error_of_a_commit_ends_the_process),
	};

	log_open("unit", false, LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
