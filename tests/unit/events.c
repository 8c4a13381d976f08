/*
 * penstock events and penstock store, as processes: what they print, where
 * they begin, how they end.
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
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "tools/tool.h"

#define T0	(INT64_C(1763712000) * CLOCK_SECOND)	/* 08:00 UTC */

typedef int (*command)(const struct tool *, int, char **);

static char folder[64], dir[80], conf[96];
static char out[1 << 20], err[4096];
static struct store *store;
static struct why why;

static int
setup(void **state)
{
	FILE *f;

	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/penstock-events.XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(dir, sizeof(dir), "%s/gate", folder);
	snprintf(conf, sizeof(conf), "%s/penstock.conf", folder);
	if ((f = fopen(conf, "w")) == NULL)
		return -1;
	fprintf(f, "store = \"%s\"\n", folder);
	fclose(f);
	return 0;
}

static int
teardown(void **state)
{
	static const char *const names[] = { "gate/data.mdb", "gate/lock.mdb",
		"gate/owner.lock", "copy/data.mdb", "copy/lock.mdb",
		"penstock.conf", "cursor", "out", "err" };
	char path[160];

	(void)state;
	store_close(store);
	store = NULL;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
	rmdir(dir);
	snprintf(path, sizeof(path), "%s/copy", folder);
	rmdir(path);
	rmdir(folder);
	return 0;
}

/* at - a path in the folder */
static char *
at(const char *name)
{
	static char path[4][160];
	static int turn;
	char *p = path[turn++ % 4];

	snprintf(p, sizeof(path[0]), "%s/%s", folder, name);
	return p;
}

/* append - one event; the store stays open while keep */
static void
append(struct event e, int64_t time, bool keep)
{
	struct buf b = BUF_INIT;
	uint64_t seq;

	if (store == NULL && store_open(&store, dir, 64u << 20, &why) == -1)
		fail_msg("%s", why.text);
	event_encode(&e, &b);
	if (store_begin(store, &why) == -1 ||
	    store_append(store, buf_slice(&b), time, e.queue_id, &seq,
	    &why) == -1 || store_commit(store, &why) == -1)
		fail_msg("%s", why.text);
	buf_free(&b);
	if (!keep) {
		store_close(store);
		store = NULL;
	}
}

/* five - of two tenants, a minute apart */
static void
five(void)
{
	for (int i = 0; i < 5; i++)
		append((struct event){
			.kind = i == 3 ? EVENT_REFUSE : EVENT_ACCEPT,
			.verdict = i == 3 ? VERDICT_REFUSE : VERDICT_PASS,
			.tenant = i % 2 ? SLICE("other") : SLICE("acme"),
			.mail_from = SLICE("a\033[31m@acme.example"),
			.queue_id = i == 4 ? SLICE("Q5") : SLICE("Q1"),
			.rule = SLICE("acme.conf:3"), .count = 1 },
		    T0 + i * CLOCK_MINUTE, i < 4);
}

/* begin - a command in a process of its own, its output to fd */
static pid_t
begin(command run, const char *arguments, int fd)
{
	struct tool tool = { conf, false };
	char text[400], *argv[16], *save = NULL;
	int argc = 0, status;
	pid_t pid;

	snprintf(text, sizeof(text), "%s", arguments);
	for (char *p = strtok_r(text, " ", &save); p != NULL;
	    p = strtok_r(NULL, " ", &save))
		argv[argc++] = p;
	fflush(NULL);
	if ((pid = fork()) != 0)
		return pid;
	dup2(fd, STDOUT_FILENO);
	if (freopen(at("err"), "w", stderr) == NULL)
		_exit(99);
	for (int i = 3; i < 64; i++)
		close(i);	/* the other end of our pipe, too */
	status = run(&tool, argc, argv);
	fflush(NULL);
	_exit(status);
}

/* end - of a process: its exit status */
static int
end(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFEXITED(status))
		fail_msg("ended by signal %d", WTERMSIG(status));
	return WEXITSTATUS(status);
}

/* slurp - a file as text */
static void
slurp(const char *path, char *to, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = fd == -1 ? 0 : read(fd, to, size - 1);

	to[n > 0 ? n : 0] = '\0';
	if (fd != -1)
		close(fd);
}

/* run - to its end; out and err hold what it said */
static int
run(command c, const char *arguments)
{
	int fd = open(at("out"), O_WRONLY | O_CREAT | O_TRUNC, 0644), status;

	status = end(begin(c, arguments, fd));
	close(fd);
	slurp(at("out"), out, sizeof(out));
	slurp(at("err"), err, sizeof(err));
	return status;
}

/* lines - of out */
static int
lines(void)
{
	int n = 0;

	for (const char *p = out; (p = strchr(p, '\n')) != NULL; p++)
		n++;
	return n;
}

static void
where_there_is_no_store_it_says_so(void **state)
{
	(void)state;
	assert_int_equal(run(tool_events, ""), TOOL_BROKEN);
	assert_non_null(strstr(err, "no store yet"));
	assert_int_equal(run(tool_store_stat, ""), TOOL_BROKEN);
	assert_int_equal(run(tool_store_verify, ""), TOOL_BROKEN);
	assert_non_null(strstr(err, "no store"));
}

static void
events_are_chosen_by_options(void **state)
{
	static const struct {
		const char	*name, *arguments;
		int		 status, lines;
	} cases[] = {
		{ "all of them", "", 0, 5 },
		{ "as JSON", "--json", 0, 5 },
		{ "from a moment", "--since 2025-11-21T08:03:00Z", 0, 2 },
		{ "from before everything", "--since 2001-01-01", 0, 5 },
		{ "from now", "--since 1s", 0, 0 },
		{ "of a tenant", "--tenant other --json", 0, 2 },
		{ "of a kind", "--kind refuse", 0, 1 },
		{ "of a queue id", "--queue-id Q5", 0, 1 },
		{ "of nobody", "--tenant nobody", 0, 0 },
		{ "a kind that is none", "--kind bounce", 2, 0 },
		{ "an option that is none", "--last", 2, 0 },
		{ "an option without its value", "--since", 2, 0 },
		{ "a moment that is none", "--since yesteryear", 3, 0 },
	};

	(void)state;
	five();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int status = run(tool_events, cases[i].arguments);

		if (status != cases[i].status || lines() != cases[i].lines)
			fail_msg("%s: got %d and %d lines, want %d and %d\n%s",
			    cases[i].name, status, lines(), cases[i].status,
			    cases[i].lines, err);
	}
}

static void
a_line_for_eyes_is_safe_and_one_for_scripts_whole(void **state)
{
	(void)state;
	five();
	assert_int_equal(run(tool_events, "--kind refuse"), 0);
	assert_null(strchr(out, '\033'));
	assert_non_null(strstr(out, "2025-11-21T08:03:00.000000Z  refuse "));
	assert_non_null(strstr(out, " a?[31m@acme.example "));
	assert_non_null(strstr(out, " refuse  acme.conf:3\n"));
	assert_int_equal(run(tool_events, "--kind refuse --json"), 0);
	assert_int_equal(strncmp(out, "{\"kind\":\"refuse\",\"seq\":4,", 24), 0);
	assert_string_equal(out + strlen(out) - 2, "}\n");
}

static void
a_cursor_goes_on_where_it_ended(void **state)
{
	char words[200], next[32];

	(void)state;
	five();
	snprintf(words, sizeof(words), "--json --cursor %s", at("cursor"));
	assert_int_equal(run(tool_events, words), 0);
	assert_int_equal(lines(), 5);
	slurp(at("cursor"), next, sizeof(next));
	assert_string_equal(next, "6\n");
	assert_int_equal(run(tool_events, words), 0);
	assert_int_equal(lines(), 0);
	append((struct event){ .kind = EVENT_DEFER }, T0 + CLOCK_HOUR, false);
	assert_int_equal(run(tool_events, words), 0);
	assert_int_equal(lines(), 1);
	/* since counts only as long as there is no cursor */
	snprintf(words, sizeof(words), "--since 2001-01-01 --cursor %s",
	    at("cursor"));
	assert_int_equal(run(tool_events, words), 0);
	assert_int_equal(lines(), 0);
}

static void
a_cursor_that_cannot_be_is_refused(void **state)
{
	static const struct {
		const char	*name, *text, *said;
	} cases[] = {
		{ "of another store", "7\n", "another store" },
		{ "empty", "", "no cursor" },
		{ "zero", "0\n", "no cursor" },
		{ "negative", "-1\n", "no cursor" },
		{ "words", "six\n", "no cursor" },
		{ "too long a number", "99999999999999999999\n", "no cursor" },
		{ "two lines", "1\n2\n", "no cursor" },
	};
	char words[200];

	(void)state;
	five();
	snprintf(words, sizeof(words), "--cursor %s", at("cursor"));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		FILE *f = fopen(at("cursor"), "w");

		fputs(cases[i].text, f);
		fclose(f);
		if (run(tool_events, words) != TOOL_BROKEN ||
		    strstr(err, cases[i].said) == NULL || out[0] != '\0')
			fail_msg("%s: got \"%s\", want \"%s\"", cases[i].name,
			    err, cases[i].said);
	}
}

/* read_lines - n lines of a pipe, within 10 s */
static void
read_lines(int fd, int n)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char c;

	while (n > 0) {
		if (poll(&p, 1, 10000) != 1 || read(fd, &c, 1) != 1)
			fail_msg("%d lines did not come", n);
		n -= c == '\n';
	}
}

static void
a_follower_sees_what_comes_and_ends_well(void **state)
{
	for (int by_signal = 0; by_signal < 2; by_signal++) {
		int fds[2];
		pid_t pid;

		if (by_signal) {
			teardown(state);
			setup(state);
		}
		five();
		assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
		pid = begin(tool_events, "--follow --json", fds[1]);
		close(fds[1]);
		read_lines(fds[0], 5);
		append((struct event){ .kind = EVENT_DEFER },
		    T0 + CLOCK_HOUR, true);
		read_lines(fds[0], 1);
		if (by_signal)
			kill(pid, SIGINT);
		else
			close(fds[0]);
		assert_int_equal(end(pid), TOOL_OK);
		if (by_signal)
			close(fds[0]);
	}
}

static void
the_store_is_told_verified_dumped_and_copied(void **state)
{
	char copy[160];
	int fd;

	(void)state;
	five();
	assert_int_equal(run(tool_store_stat, "--json"), TOOL_OK);
	assert_non_null(strstr(out, "\"last_seq\":5,"));
	assert_non_null(strstr(out, "\"events\":5,"));
	assert_int_equal(run(tool_store_stat, ""), TOOL_OK);
	assert_non_null(strstr(out, "  events        5 rows"));
	assert_int_equal(run(tool_store_dump, ""), TOOL_OK);
	assert_int_equal(lines(), 7);	/* store, checkpoint, five */
	assert_non_null(strstr(out, "{\"record\":\"event\",\"kind\":\"accept\""
	    ",\"seq\":1,"));
	assert_int_equal(run(tool_store_verify, ""), TOOL_OK);
	assert_non_null(strstr(out, "5 events (1 to 5)"));
	snprintf(copy, sizeof(copy), "%s", at("copy"));
	assert_int_equal(run(tool_store_backup, copy), TOOL_OK);
	assert_int_equal(run(tool_store_backup, copy), TOOL_NO);
	assert_non_null(strstr(err, "replaces nothing"));
	assert_int_equal(run(tool_store_backup, ""), TOOL_USAGE);
	/* and damage is an answer, not an accident */
	fd = open(at("gate/data.mdb"), O_RDWR);
	assert_int_equal(ftruncate(fd, 12288), 0);
	close(fd);
	assert_int_equal(run(tool_store_verify, ""), TOOL_NO);
	assert_non_null(strstr(err, "cut off"));
}

#define T(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(where_there_is_no_store_it_says_so),
		T(events_are_chosen_by_options),
		T(a_line_for_eyes_is_safe_and_one_for_scripts_whole),
		T(a_cursor_goes_on_where_it_ended),
		T(a_cursor_that_cannot_be_is_refused),
		T(a_follower_sees_what_comes_and_ends_well),
		T(the_store_is_told_verified_dumped_and_copied),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
