/*
 * A log that is written, renamed, copied and cut, packed and removed while it
 * is read, and read by a process that dies: each line once and in order.
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
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "lib/clock.h"
#include "reputation/logline.h"
#include "tools/ingest/follow.h"

enum { KEEP = 6, LINES = 4000, MOVES = 3000 };

static char folder[64], path[96];
static struct follow *follow;
static struct why why;
static int out = -1;			/* the writer's descriptor */
static unsigned written;		/* lines, numbered from 0 */
static unsigned next_line;		/* expected */
static struct buf cursor;		/* as committed */
static unsigned committed;
static atomic_uint reached;		/* by the reader, of two threads */

/* name - FILE, FILE.1, FILE.1.gz */
static const char *
name(unsigned n, const char *end)
{
	static char names[4][128];
	static unsigned at;
	char *s = names[at++ % 4];

	if (n == 0)
		snprintf(s, 128, "%s%s", path, end);
	else
		snprintf(s, 128, "%s.%u%s", path, n, end);
	return s;
}

/* open_out - the writer's descriptor on a new or old live file */
static void
open_out(void)
{
	if (out != -1)
		close(out);
	out = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	assert_true(out != -1);
}

/* write_text - raw bytes */
static void
write_text(const char *s, size_t n)
{
	assert_true(write(out, s, n) == (ssize_t)n);
}

/* write_line - the next numbered one */
static void
write_line(void)
{
	char line[64];
	int n = snprintf(line, sizeof(line), "line %u of a log\n", written++);

	write_text(line, (size_t)n);
}

/* shift - FILE.n becomes FILE.n+1, the oldest goes */
static void
shift(void)
{
	static const char *const ends[] = { "", ".gz" };

	for (unsigned n = KEEP; n >= 1; n--)
		for (unsigned i = 0; i < 2; i++) {
			if (n == KEEP)
				unlink(name(n, ends[i]));
			else
				rename(name(n, ends[i]), name(n + 1, ends[i]));
		}
}

/* rotate - by rename; the writer may be slow to see it */
static void
rotate(void)
{
	shift();
	rename(path, name(1, ""));
}

/* copy - a file's bytes into another, packed or not */
static void
copy(const char *from, const char *to, bool pack)
{
	char room[4096];
	int in = open(from, O_RDONLY | O_CLOEXEC);
	gzFile z = gzopen(to, pack ? "w" : "wT");
	ssize_t n;

	assert_true(in != -1 && z != NULL);
	while ((n = read(in, room, sizeof(room))) > 0)
		assert_int_equal(gzwrite(z, room, (unsigned)n), n);
	close(in);
	assert_int_equal(gzclose(z), Z_OK);
}

/* copytruncate - the other way of rotating */
static void
copytruncate(void)
{
	shift();
	copy(path, name(1, ""), false);
	assert_int_equal(truncate(path, 0), 0);
}

/* pack - gzip FILE.n */
static void
pack(unsigned n)
{
	if (access(name(n, ""), F_OK) != 0)
		return;
	copy(name(n, ""), name(n, ".gz"), true);
	unlink(name(n, ""));
}

/* start - a reader, from what was committed */
static void
start(void)
{
	struct slice at = cursor.len > 0 ? buf_slice(&cursor) : SLICE_NONE;

	if (follow_open(&follow, path, at, &why) == -1)
		fail_msg("%s", why.text);
	next_line = committed;
}

/* commit - lines and cursor together */
static void
commit(void)
{
	buf_reset(&cursor);
	if (!follow_cursor(follow, &cursor))
		buf_reset(&cursor);
	committed = next_line;
}

/* crash - what was not committed never happened */
static void
crash(void)
{
	follow_close(follow);
	start();
}

/* take - up to n lines; how many came */
static unsigned
take(unsigned n)
{
	unsigned took = 0;
	struct slice line;
	char want[64];
	int got;

	for (unsigned idle = 0; took < n && idle < 12;) {
		if ((got = follow_fill(follow, &why)) == -1)
			fail_msg("%s", why.text);
		idle = got == 1 ? 0 : idle + 1;
		while (got == 1 && took < n && follow_line(follow, &line)) {
			snprintf(want, sizeof(want), "line %u of a log",
			    next_line);
			if (!slice_is(line, want))
				fail_msg("got \"%.*s\" want \"%s\"",
				    SLICE_ARG(line), want);
			next_line++;
			took++;
		}
	}
	return took;
}

/* gaps - that the reader complained of */
static uint64_t
gaps(void)
{
	struct follow_stat st;

	follow_stat(follow, &st);
	return st.gaps;
}

/* begin - a folder and an empty log */
static int
begin(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/penstock-follow.XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/mail.log", folder);
	written = next_line = committed = 0;
	buf_reset(&cursor);
	open_out();
	start();
	return 0;
}

/* finish - nothing stays */
static int
finish(void **state)
{
	(void)state;
	follow_close(follow);
	follow = NULL;
	close(out);
	out = -1;
	for (unsigned n = 0; n <= KEEP; n++) {
		unlink(name(n, ""));
		unlink(name(n, ".gz"));
	}
	unlink(name(0, "-20261120"));
	unlink(name(0, "-20261121.gz"));
	return rmdir(folder);
}

static void
lines_come_when_they_are_whole(void **state)
{
	(void)state;
	assert_int_equal(take(1), 0);
	write_text("line 0 of", 9);
	assert_int_equal(take(1), 0);
	write_text(" a log\nline 1 of a log\nline 2", 29);
	assert_int_equal(take(9), 2);
	commit();
	crash();
	write_text(" of a log\r\n", 11);
	assert_int_equal(take(9), 1);
}

static void
a_renamed_file_is_read_to_its_end_first(void **state)
{
	(void)state;
	write_line();
	assert_int_equal(take(9), 1);
	rotate();
	write_line();			/* still into the old one */
	assert_int_equal(take(9), 1);
	write_line();
	open_out();
	write_line();			/* the new one */
	assert_int_equal(take(9), 2);
	write_line();
	assert_int_equal(take(9), 1);
	assert_int_equal(gaps(), 0);
}

/* mover - writes and renames as fast as the reader comes along */
static void *
mover(void *with)
{
	(void)with;
	for (unsigned i = 0; i < MOVES; i++) {
		write_line();
		if (i % 3 == 0)
			write_line();
		while (written - atomic_load(&reached) > KEEP / 2)
			sched_yield();
		rotate();
		open_out();
	}
	write_line();
	return NULL;
}

static void
no_file_is_passed_over_while_names_move(void **state)
{
	const unsigned all = 1 + MOVES + (MOVES + 2) / 3 + 1;
	int64_t end = clock_mono() + 120 * CLOCK_SECOND;
	pthread_t thread;

	(void)state;
	write_line();			/* it knows its place */
	assert_int_equal(take(1), 1);
	atomic_store(&reached, 1);
	assert_int_equal(pthread_create(&thread, NULL, mover, NULL), 0);
	while (next_line < all && clock_mono() < end) {
		(void)take(1);
		atomic_store(&reached, next_line);
	}
	assert_int_equal(next_line, all);
	pthread_join(thread, NULL);
	assert_int_equal(gaps(), 0);
}

static void
a_crash_finds_its_place_in_a_packed_file(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++)
		write_line();
	assert_int_equal(take(30), 30);
	commit();
	assert_int_equal(take(20), 20);		/* lost with the crash */
	for (int i = 0; i < 3; i++) {
		rotate();
		open_out();
		write_line();
	}
	pack(3);
	pack(2);
	crash();
	assert_int_equal(take(LINES), 73);
	assert_int_equal(gaps(), 0);
}

static void
a_file_that_was_copied_and_cut_is_read_on_in_the_copy(void **state)
{
	(void)state;
	for (int i = 0; i < 50; i++)
		write_line();
	assert_int_equal(take(20), 20);
	commit();
	copytruncate();
	for (int i = 0; i < 80; i++)	/* longer than before: size lies */
		write_line();
	assert_int_equal(take(LINES), 110);
	commit();
	copytruncate();
	crash();
	write_line();
	assert_int_equal(take(LINES), 1);
	assert_int_equal(gaps(), 0);
}

static void
names_with_dates_are_in_order(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++)
		write_line();
	assert_int_equal(take(5), 5);
	commit();
	rename(path, name(0, "-20261120"));
	open_out();
	write_line();
	copy(path, name(0, "-20261121.gz"), true);
	unlink(path);
	open_out();
	write_line();
	crash();
	assert_int_equal(take(LINES), 7);
	assert_int_equal(gaps(), 0);
}

static void
a_file_that_is_gone_is_a_gap_and_not_the_end(void **state)
{
	(void)state;
	write_line();
	write_line();
	assert_int_equal(take(9), 2);
	commit();
	unlink(path);
	open_out();
	write_line();
	write_line();
	crash();
	assert_int_equal(take(9), 2);
	assert_int_equal(gaps(), 1);
}

static void
an_empty_file_between_two_is_passed_over(void **state)
{
	(void)state;
	write_line();
	assert_int_equal(take(9), 1);
	commit();
	for (int i = 0; i < 3; i++) {	/* rotated with nothing in it */
		rotate();
		open_out();
		assert_int_equal(take(1), 0);
	}
	pack(1);
	write_line();
	crash();
	assert_int_equal(take(9), 1);
	assert_int_equal(gaps(), 0);
}

/* damaged - whether one was told, and that it names that file */
static bool
damaged(const char *file)
{
	struct slice text;

	if (follow_damaged(follow, &text) == 0)
		return false;
	if (!slice_starts(text, slice_of(file)))
		fail_msg("told of \"%.*s\", not of %s", SLICE_ARG(text), file);
	return true;
}

/* count_to_the_end - lines in whatever order, the last of them exactly */
static unsigned
count_to_the_end(const char *last)
{
	struct slice line;
	unsigned n = 0, idle = 0;
	bool seen = false;
	int got;

	while (idle < 12) {
		if ((got = follow_fill(follow, &why)) == -1)
			fail_msg("%s", why.text);
		idle = got == 1 ? 0 : idle + 1;
		while (got == 1 && follow_line(follow, &line)) {
			assert_true(slice_starts(line, SLICE("line ")));
			assert_true(line.n > 8 && slice_is(slice_from(line,
			    line.n - 8), "of a log"));
			seen = slice_is(line, last);
			n++;
		}
	}
	assert_true(seen);
	return n;
}

static void
a_damaged_packed_file_is_left_and_told_once(void **state)
{
	unsigned got;

	(void)state;
	for (int i = 0; i < 60000; i++)
		write_line();
	assert_int_equal(take(5), 5);
	commit();
	rotate();
	open_out();
	write_line();
	pack(1);
	assert_int_equal(truncate(name(1, ".gz"), 90000), 0);
	crash();
	got = count_to_the_end("line 60000 of a log");
	assert_in_range(got, 1000, 59000);
	assert_true(damaged(name(1, ".gz")));
	/* what comes is read on, and that file is not told of again */
	write_text("line 60001 of a log\n", 20);
	assert_int_equal(count_to_the_end("line 60001 of a log"), 1);
	assert_false(damaged(""));
	assert_int_equal(gaps(), 0);
}

static void
a_packed_file_without_a_byte_is_passed_over_and_told(void **state)
{
	static const char junk[] = "\x1f\x8b\x08\0\0\0\0\0\0\x03"
	    "this was a log, before the disk had other ideas";
	int fd;

	(void)state;
	write_line();
	assert_int_equal(take(9), 1);
	commit();
	rotate();
	open_out();
	rotate();			/* and this one will be damaged */
	fd = open(name(1, ".gz"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(write(fd, junk, sizeof(junk) - 1) ==
	    sizeof(junk) - 1);
	close(fd);
	unlink(name(1, ""));
	open_out();
	write_line();
	crash();
	assert_int_equal(take(9), 1);
	assert_true(damaged(name(1, ".gz")));
	assert_int_equal(take(9), 0);
	assert_false(damaged(""));
	assert_int_equal(gaps(), 0);
}

static void
a_line_without_an_end_is_one_when_its_file_is_left(void **state)
{
	(void)state;
	write_text("line 0 of a log", 15);
	assert_int_equal(take(9), 0);
	rotate();
	open_out();
	written = 1;
	write_line();
	assert_int_equal(take(9), 2);
}

static void
a_line_of_a_megabyte_is_cut_and_the_next_is_whole(void **state)
{
	size_t n = 3 << 20;
	char *text = malloc(n);
	struct slice line;
	struct follow_stat st;
	int got;
	unsigned lines = 0;

	(void)state;
	memset(text, 'x', n);
	text[n - 1] = '\n';
	write_text(text, n);
	write_text("short\n", 6);
	for (int i = 0; i < 20; i++) {
		if ((got = follow_fill(follow, &why)) == -1)
			fail_msg("%s", why.text);
		while (got == 1 && follow_line(follow, &line)) {
			lines++;
			assert_true(lines == 1 ? line.n == LOGLINE_MAX :
			    slice_is(line, "short"));
		}
	}
	follow_stat(follow, &st);
	assert_int_equal(lines, 2);
	assert_int_equal(st.cut, 1);
	free(text);
}

static void
a_log_of_which_nothing_was_read_is_known_by_its_file(void **state)
{
	(void)state;
	assert_int_equal(take(1), 0);
	commit();
	write_line();
	rotate();
	open_out();
	write_line();
	crash();
	assert_int_equal(take(9), 2);
	assert_int_equal(gaps(), 0);
}

/* one_round - a random schedule; every line once, and in order */
static void
one_round(unsigned seed)
{
	unsigned ends[200], n = 0;	/* lines there were at each rotation */

	assert_int_equal(begin(NULL), 0);
	srandom(seed);
	write_line();			/* a first cursor: the log is known */
	assert_int_equal(take(1), 1);
	commit();
	for (unsigned step = 0; step < 120 && written < LINES - 40; step++) {
		unsigned dice = (unsigned)random() % 100;

		if (dice < 40) {
			for (unsigned i = (unsigned)random() % 30; i > 0; i--)
				write_line();
		} else if (dice < 60) {
			take((unsigned)random() % 40);
		} else if (dice < 72) {
			take((unsigned)random() % 40);
			commit();
		} else if (dice < 82) {
			crash();
		} else if (n + 2 < KEEP || ends[n + 2 - KEEP] < committed) {
			/* what is committed lies in a file that stays */
			ends[n++] = written;
			if (dice < 88) {
				rotate();
				if (random() % 2)
					write_line();	/* a slow writer */
				open_out();
			} else if (dice < 93) {
				copytruncate();
			} else {
				rotate();
				open_out();
				pack((unsigned)random() % 3 + 1);
				pack((unsigned)random() % 3 + 1);
			}
		}
	}
	write_line();
	take(LINES);
	if (next_line != written || gaps() != 0)
		fail_msg("seed %u: got %u lines and %llu gaps, want %u and "
		    "none", seed, next_line, (unsigned long long)gaps(),
		    written);
	assert_int_equal(finish(NULL), 0);
}

static void
random_schedules_lose_nothing_and_read_nothing_twice(void **state)
{
	const char *text = getenv("ROUNDS");
	unsigned rounds = text != NULL ? (unsigned)atoi(text) : 50;

	(void)state;
	for (unsigned i = 0; i < rounds; i++)
		one_round(i + 1);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, begin, finish)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(lines_come_when_they_are_whole),
		CASE(a_renamed_file_is_read_to_its_end_first),
		CASE(no_file_is_passed_over_while_names_move),
		CASE(a_crash_finds_its_place_in_a_packed_file),
		CASE(a_file_that_was_copied_and_cut_is_read_on_in_the_copy),
		CASE(names_with_dates_are_in_order),
		CASE(a_file_that_is_gone_is_a_gap_and_not_the_end),
		CASE(an_empty_file_between_two_is_passed_over),
		CASE(a_damaged_packed_file_is_left_and_told_once),
		CASE(a_packed_file_without_a_byte_is_passed_over_and_told),
		CASE(a_line_without_an_end_is_one_when_its_file_is_left),
		CASE(a_log_of_which_nothing_was_read_is_known_by_its_file),
		CASE(a_line_of_a_megabyte_is_cut_and_the_next_is_whole),
		cmocka_unit_test(
		    random_schedules_lose_nothing_and_read_nothing_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
