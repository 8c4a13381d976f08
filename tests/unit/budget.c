/*
 * The budget: counted before the call, whatever happens in between; and what a
 * refusal says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/date.h"
#include "reputation/budget.h"
#include "reputation/watch.h"

#define MAP	(UINT64_C(64) << 20)

static char folder[64], dir[80];
static const struct budget_rules rules = { .central = 5, .each = 3,
	.apart = 30 * CLOCK_DAY, .days = 30 };

/* --- a process that dies in the middle of a write ------------------------- */

static int steps = -1;		/* so many are left; -1: it lives for ever */

/* step - kill -9 before the call that counts it to nothing */
static void
step(void)
{
	if (steps > 0 && --steps == 0)
		kill(getpid(), SIGKILL);
}

ssize_t	pwrite64(int, const void *, size_t, off_t);
ssize_t	pwritev64(int, const struct iovec *, int, off_t);

/* pwrite - ours stands before libc's, as all below */
ssize_t
pwrite(int fd, const void *p, size_t n, off_t at)
{
	step();
	return syscall(SYS_pwrite64, fd, p, n, at);
}

ssize_t
pwrite64(int fd, const void *p, size_t n, off_t at)
{
	return pwrite(fd, p, n, at);
}

ssize_t
pwritev(int fd, const struct iovec *v, int n, off_t at)
{
	step();
	return syscall(SYS_pwritev, fd, v, n, (unsigned long)at, 0UL);
}

ssize_t
pwritev64(int fd, const struct iovec *v, int n, off_t at)
{
	return pwritev(fd, v, n, at);
}

int
fdatasync(int fd)
{
	step();
	return (int)syscall(SYS_fdatasync, fd);
}

/* --- */

static int
setup(void **state)
{
	(void)state;
	steps = -1;
	snprintf(folder, sizeof(folder), "/tmp/penstock-budget.XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(dir, sizeof(dir), "%s/watch", folder);
	return 0;
}

static int
teardown(void **state)
{
	static const char *const files[] = { "data.mdb", "lock.mdb",
		"owner.lock" };
	char path[160];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		(void)unlink(path);
	}
	(void)rmdir(dir);
	return rmdir(folder);
}

/* opened - the store, as penstock-alert has it */
static struct db *
opened(void)
{
	struct db *db;
	struct why why;

	if (watch_open(&db, dir, MAP, &why) == -1)
		fail_msg("%s", why.text);
	return db;
}

/* at - noon of a day of 2026 */
static int64_t
at(int month, int day)
{
	return date_days(2026, month, day) * CLOCK_DAY + 12 * CLOCK_HOUR;
}

/* ask - about a domain that has sent for long */
static struct budget_ask
ask(const char *provider, const char *subject, int64_t now)
{
	return (struct budget_ask){ .provider = slice_of(provider),
	    .subject = slice_of(subject), .now = now, .days = 30 };
}

/* take - what it says */
static enum budget_said
take(struct db *db, struct budget_ask a, struct budget_answer *answer)
{
	struct budget_answer look;
	struct why why;
	int got;

	if (budget_look(db, &rules, &a, &look, &why) == -1)
		fail_msg("%s", why.text);
	if ((got = budget_take(db, &rules, &a, answer, &why)) == -1)
		fail_msg("%s", why.text);
	assert_int_equal(look.said, answer->said);
	assert_string_equal(look.text, answer->text);
	assert_int_equal(got == 1, answer->said == BUDGET_MAY);
	assert_int_equal(answer->text[0] == '\0', got == 1);
	return answer->said;
}

static void
test_a_first_refresh(void **state)
{
	struct budget_ask a = ask("google", "acme.example", at(3, 1));
	struct budget_answer answer;
	struct db *db = opened();

	(void)state;
	a.days = 29;
	assert_int_equal(take(db, a, &answer), BUDGET_YOUNG);
	assert_string_equal(answer.text, "acme.example has had mail on 29 "
	    "days; a provider is asked from 30 days on, or when its warmup is "
	    "finished");
	a.warm = true;
	assert_int_equal(take(db, a, &answer), BUDGET_MAY);
	assert_int_equal(answer.central, 1);
	assert_int_equal(answer.each, 1);
	assert_int_equal(answer.next, at(3, 31));
	db_close(db);
}

static void
test_thirty_days_apart(void **state)
{
	struct budget_ask a = ask("google", "acme.example", at(3, 1));
	struct budget_answer answer;
	struct db *db = opened();
	struct why why;

	(void)state;
	assert_int_equal(take(db, a, &answer), BUDGET_MAY);
	assert_int_equal(budget_worked(db, &rules, &a, &why), 0);
	a.now = at(3, 31) - 1;
	assert_int_equal(take(db, a, &answer), BUDGET_EARLY);
	assert_string_equal(answer.text, "it was asked a short while ago; the "
	    "next refresh is from 2026-04-01 on");
	assert_int_equal(answer.last, at(3, 1));
	a.now = at(3, 31);
	assert_int_equal(take(db, a, &answer), BUDGET_MAY);
	/* another subject is another matter */
	a = ask("google", "bolt.example", at(3, 31));
	assert_int_equal(take(db, a, &answer), BUDGET_MAY);
	db_close(db);
}

static void
test_numbers_of_a_month(void **state)
{
	static const char *const names[] = { "a.example", "b.example",
		"c.example", "d.example" };
	struct budget_answer answer;
	struct budget_ask a;
	struct db *db = opened();
	struct why why;

	(void)state;
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(take(db, ask("google", names[i], at(3, 2)),
		    &answer), BUDGET_MAY);
	a = ask("google", names[3], at(3, 2));
	assert_int_equal(take(db, a, &answer), BUDGET_PROVIDER);
	assert_string_equal(answer.text, "all 3 calls to google of this month "
	    "are used; the next are from 2026-04-01 on, or with a larger "
	    "number for \"google_calls\"");
	assert_int_equal(answer.next, date_days(2026, 4, 1) * CLOCK_DAY);
	/* a page more is a call more, and has no room either */
	assert_int_equal(budget_more(db, &rules, &a, &answer, &why), 0);
	assert_int_equal(take(db, ask("microsoft", "account", at(3, 2)),
	    &answer), BUDGET_MAY);
	a = ask("microsoft", "account", at(3, 2));
	assert_int_equal(budget_more(db, &rules, &a, &answer, &why), 1);
	assert_int_equal(answer.central, 5);
	assert_int_equal(budget_more(db, &rules, &a, &answer, &why), 0);
	assert_int_equal(answer.said, BUDGET_CENTRAL);
	/* a person's request finds no room either */
	a.request = 7;
	assert_int_equal(take(db, a, &answer), BUDGET_CENTRAL);
	/* another month, another budget; also at the end of a year */
	a.now = date_days(2026, 4, 1) * CLOCK_DAY;
	assert_int_equal(take(db, a, &answer), BUDGET_MAY);
	assert_int_equal(answer.central, 1);
	a = ask("google", "z.example", date_days(2027, 1, 1) * CLOCK_DAY);
	assert_int_equal(take(db, a, &answer), BUDGET_MAY);
	assert_int_equal(answer.central, 1);
	db_close(db);
}

static void
test_a_request_does_not_wait(void **state)
{
	struct budget_ask a = ask("google", "acme.example", at(3, 1));
	struct budget_answer answer;
	struct db *db = opened();
	struct why why;
	uint64_t seq;

	(void)state;
	assert_int_equal(take(db, a, &answer), BUDGET_MAY);
	a.request = 12;
	a.days = 0;
	a.now = at(3, 2);
	assert_int_equal(take(db, a, &answer), BUDGET_MAY);
	assert_int_equal(answer.next, at(4, 1));
	/* and is done once */
	assert_int_equal(take(db, a, &answer), BUDGET_DONE);
	assert_string_equal(answer.text, "desk:12 was looked at already");
	assert_int_equal(budget_place(db, &seq, &why), 0);
	assert_int_equal(seq, 12);
	assert_int_equal(budget_passed(db, 11, &why), 0);
	assert_int_equal(budget_place(db, &seq, &why), 0);
	assert_int_equal(seq, 12);
	db_close(db);
}

static void
test_failures_wait_longer_each_time(void **state)
{
	static const int waits[] = { 1, 2, 4, 8, 16, 30, 30 };
	struct budget_ask a = ask("google", "acme.example", at(1, 1));
	struct budget_answer answer;
	struct db *db = opened();
	struct why why;

	(void)state;
	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		a.now = at((int)i + 1, 1);
		assert_int_equal(take(db, a, &answer), BUDGET_MAY);
		assert_int_equal(budget_failed(db, &rules, &a, 0, &why), 0);
		a.now += waits[i] * CLOCK_DAY - 1;
		assert_int_equal(take(db, a, &answer), BUDGET_EARLY);
		assert_int_equal(answer.next, at((int)i + 1, 1) + waits[i] *
		    CLOCK_DAY);
	}
	/* what a server says (Retry-After) counts when it is longer */
	a.now = at(11, 1);
	assert_int_equal(take(db, a, &answer), BUDGET_MAY);
	assert_int_equal(budget_failed(db, &rules, &a, 40 * CLOCK_DAY, &why),
	    0);
	assert_int_equal(budget_look(db, &rules, &a, &answer, &why), 0);
	assert_int_equal(answer.next, at(11, 1) + 40 * CLOCK_DAY);
	a.now = answer.next;
	assert_int_equal(take(db, a, &answer), BUDGET_MAY);
	assert_int_equal(budget_worked(db, &rules, &a, &why), 0);
	db_close(db);
}

/* --- never one call too many ---------------------------------------------- */

/* caller - a program that asks for ever: writes a byte for each call it makes,
 * and dies at some step */
static void
caller(int out, int seed, int die)
{
	static const char *const names[] = { "a.example", "b.example",
		"c.example", "d.example", "e.example", "f.example" };
	struct budget_answer answer;
	struct why why;
	struct db *db;

	steps = die;
	if (watch_open(&db, dir, MAP, &why) == -1)
		_exit(3);
	for (int i = 0; i < 8; i++) {
		struct budget_ask a = ask(i % 3 == 0 ? "microsoft" : "google",
		    names[(seed + i) % 6], at(3, 1 + i));
		int got;

		a.request = i % 2 == 0 ? (uint64_t)(seed * 8 + i + 1) : 0;
		got = budget_take(db, &rules, &a, &answer, &why);
		step();
		for (int more = 0; got == 1 && more < 50; more++) {
			if (write(out, "c", 1) != 1)
				_exit(3);
			step();
			got = (seed + i) % 4 == 0 ? budget_more(db, &rules, &a,
			    &answer, &why) : 0;
			step();
		}
		if (got == -1)
			_exit(4);
	}
	db_close(db);
	_exit(0);
}

/* lives - one life of it, killed at that step; the calls that it made, and
 * whether it came to its end */
static int
lives(int seed, int die, bool *whole)
{
	char room[256];
	int fds[2], status, calls = 0;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	assert_true((pid = fork()) != -1);
	if (pid == 0) {
		close(fds[0]);
		caller(fds[1], seed, die);
	}
	close(fds[1]);
	while ((n = read(fds[0], room, sizeof(room))) > 0)
		calls += (int)n;
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	*whole = WIFEXITED(status);
	if (*whole)
		assert_int_equal(WEXITSTATUS(status), 0);
	else
		assert_int_equal(WTERMSIG(status), SIGKILL);
	return calls;
}

/* counted - of March */
static struct budget_answer
counted(void)
{
	struct budget_ask a = ask("google", "x.example", at(3, 20));
	struct budget_answer answer;
	struct db *db = opened();
	struct why why;

	assert_int_equal(budget_look(db, &rules, &a, &answer, &why), 0);
	db_close(db);
	return answer;
}

/* fresh - a store without a row */
static void
fresh(void)
{
	void *none = NULL;

	(void)teardown(&none);
	assert_int_equal(setup(&none), 0);
}

static void
test_killed_at_every_step(void **state)
{
	bool whole = false;
	int die, crashes = 0;

	(void)state;
	for (die = 1; !whole && die < 2000; die++) {
		struct budget_answer answer;
		bool again;
		int calls;

		fresh();
		calls = lives(die, die, &whole);
		crashes += !whole;
		answer = counted();
		assert_true(calls <= answer.central);
		assert_true(answer.central <= calls + 1);
		/* it starts again, and goes on with what is left */
		calls += lives(die + 1, 0, &again);
		answer = counted();
		assert_true(again);
		assert_true(calls <= answer.central);
		assert_true(answer.central <= rules.central);
		assert_true(answer.each <= rules.each);
	}
	assert_true(whole);
	assert_true(crashes > 20);
}

static void
test_many_lives(void **state)
{
	const char *text = getenv("ROUNDS");
	int rounds = text != NULL ? atoi(text) : 50;
	unsigned random = 20261125;

	(void)state;
	for (int round = 0; round < rounds; round++) {
		struct budget_answer answer;
		int calls = 0;
		bool whole;

		fresh();
		for (int life = 0; life < 6; life++) {
			random = random * 1103515245u + 12345u;
			calls += lives(round + life, 1 + (int)(random >> 16) %
			    60, &whole);
		}
		answer = counted();
		assert_true(calls <= answer.central);
		assert_true(answer.central <= rules.central);
		assert_true(answer.each <= rules.each);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(test_a_first_refresh),
		T(test_thirty_days_apart),
		T(test_numbers_of_a_month),
		T(test_a_request_does_not_wait),
		T(test_failures_wait_longer_each_time),
		T(test_killed_at_every_step),
		T(test_many_lives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
