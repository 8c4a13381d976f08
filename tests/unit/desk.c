/*
 * The desk: what is written stays as it was written, or shows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/desk.h"
#include "lib/wire.h"

#define MIB	(UINT64_C(1) << 20)
#define MAP	(64 * MIB)

static char folder[64], dir[80];
static struct arena *arena;
static const uint8_t zeros[HASH_SHA256];

static int no_room;		/* what fallocate says instead of working */

/* posix_fallocate - ours stands before libc's: a disk that is full */
int
posix_fallocate(int fd, off_t at, off_t n)
{
	if (no_room != 0)
		return no_room;
	return fallocate(fd, 0, at, n) == 0 ? 0 : errno;
}

static int
setup(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/penstock-desk.XXXXXX");
	if (mkdtemp(folder) == NULL || (arena = arena_new(4096, 0)) == NULL)
		return -1;
	snprintf(dir, sizeof(dir), "%s/desk", folder);
	return 0;
}

static int
teardown(void **state)
{
	static const char *const files[] = { "data.mdb", "lock.mdb",
		"owner.lock" };
	char path[160];

	(void)state;
	arena_free(arena);
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		unlink(path);
	}
	rmdir(dir);
	rmdir(folder);
	return 0;
}

/* pause_of - a decision with something in it */
static struct desk_record
pause_of(const char *tenant)
{
	return (struct desk_record){ .kind = DESK_PAUSE,
		.time = INT64_C(1795000000) * CLOCK_SECOND, .uid = 1000,
		.user = SLICE("ada"), .tenant = slice_of(tenant),
		.reason = SLICE("invoice 4711 unpaid"),
		.before = SLICE("runs"), .after = SLICE("paused") };
}

/* open_desk - to write */
static struct desk *
open_desk(void)
{
	struct desk *d = NULL;
	struct why why;

	if (desk_open(&d, dir, MAP, &why) == -1)
		fail_msg("%s", why.text);
	return d;
}

/* append - one, on disk; its sequence */
static uint64_t
append(struct desk *d, const struct desk_record *r)
{
	uint64_t seq = 0;
	struct why why;

	if (desk_append(d, r, &seq, &why) == -1)
		fail_msg("%s", why.text);
	return seq;
}

/* first_wrong - the first row that does not follow; 0: all do */
static uint64_t
first_wrong(const struct desk_row *rows, size_t n)
{
	const uint8_t *before = zeros;

	for (size_t i = 0; i < n; i++) {
		if (!desk_follows(&rows[i], i + 1, before))
			return i + 1;
		before = rows[i].chain;
	}
	return 0;
}

static void
what_goes_in_comes_out_in_order(void **state)
{
	struct desk_record r = pause_of("acme");
	struct desk *d = open_desk();
	struct desk_row rows[8];
	uint8_t chain[HASH_SHA256];
	uint64_t last;
	struct why why;
	size_t got;

	(void)state;
	assert_int_equal(append(d, &r), 1);
	r = (struct desk_record){ .kind = DESK_GRANT, .tenant = SLICE("acme"),
		.limit = SLICE("daily"), .limit_kind = 1, .amount = 500,
		.until = INT64_C(1796000000) * CLOCK_SECOND,
		.reason = SLICE("launch day") };
	assert_int_equal(append(d, &r), 2);
	r = (struct desk_record){ .kind = DESK_SUPPRESS_ADD,
		.subject = SLICE("someone@example.org"),
		.reason = SLICE("asked by letter") };
	assert_int_equal(append(d, &r), 3);
	assert_int_equal(desk_read(d, 1, 8, arena, rows, &got, &why), 0);
	assert_int_equal(got, 3);
	assert_true(slice_is(rows[0].record.reason, "invoice 4711 unpaid"));
	assert_true(slice_is(rows[0].record.user, "ada"));
	assert_true(rows[1].record.amount == 500);
	assert_true(slice_is(rows[1].record.limit, "daily"));
	assert_true(rows[1].record.time > 0);
	assert_true(slice_is(rows[2].record.subject, "someone@example.org"));
	assert_int_equal(first_wrong(rows, got), 0);
	assert_int_equal(desk_last(d, &last, chain, &why), 0);
	assert_int_equal(last, 3);
	assert_memory_equal(chain, rows[2].chain, sizeof(chain));
	/* some, from the middle */
	assert_int_equal(desk_read(d, 2, 1, arena, rows, &got, &why), 0);
	assert_int_equal(got, 1);
	assert_int_equal(rows[0].record.seq, 2);
	assert_int_equal(desk_read(d, 4, 8, arena, rows, &got, &why), 0);
	assert_int_equal(got, 0);
	desk_close(d);
}

static void
the_format_is_what_it_was(void **state)
{
	/* chain, body, clear part; made by another program from the words at
	 * the head of desk_record.c */
	static const char *const golden =
	    "8e201c6890ab4ef7a106997be8097528a399941edc474549fff353cdbf32c1f6"
	    "a7000000010100070000000000000000305f018b600600e8030000feffffffff"
	    "ffffff0300000000000000018711fd89ef2be17b01819a225d046a32abde652c"
	    "194f4e18dbd703523b6ac2e10400000061636d65040000006e65777306000000"
	    "676f6f676c65050000006461696c79010000006f13000000696e766f69636520"
	    "3437313120756e706169640300000061646103000000626f620400000072756e"
	    "7306000000706175736564130000003031323334353637383961626364650061"
	    "4062";
	struct desk_record r = pause_of("acme");
	static const uint8_t salt[16] = "0123456789abcde";
	struct buf b = BUF_INIT;
	char hex[2 * 512 + 1] = "";

	(void)state;
	r.seq = 7;
	r.stream = SLICE("news");
	r.provider = SLICE("google");
	r.limit = SLICE("daily");
	r.limit_kind = 1;
	r.amount = -2;
	r.until = 3;
	r.object = SLICE("o");
	r.subject = SLICE("a@b");
	r.sudo = SLICE("bob");
	desk_encode(&r, salt, zeros, &b);
	assert_false(buf_failed(&b));
	assert_true(b.len < 512);
	for (size_t i = 0; i < b.len; i++)
		snprintf(hex + 2 * i, 3, "%02x", (uint8_t)b.data[i]);
	assert_string_equal(hex, golden);
	buf_free(&b);
}

static void
every_flipped_bit_is_found(void **state)
{
	static const uint8_t salt[16] = "0123456789abcde";
	struct desk_record r = pause_of("acme");
	struct buf b = BUF_INIT;
	struct desk_row row;
	struct why why;
	size_t found = 0;

	(void)state;
	r.seq = 1;
	r.subject = SLICE("a@b.example");
	desk_encode(&r, salt, zeros, &b);
	assert_int_equal(desk_decode(buf_slice(&b), &row, &why), 0);
	assert_true(desk_follows(&row, 1, zeros));
	for (size_t bit = 0; bit < b.len * 8; bit++) {
		b.data[bit / 8] ^= (char)(1 << bit % 8);
		if (desk_decode(buf_slice(&b), &row, &why) == 0 &&
		    desk_follows(&row, 1, zeros))
			fail_msg("bit %zu of %zu bytes", bit, b.len);
		found++;
		b.data[bit / 8] ^= (char)(1 << bit % 8);
	}
	assert_int_equal(found, b.len * 8);
	buf_free(&b);
}

static void
cut_at_every_byte_it_is_no_record(void **state)
{
	struct desk_record r = pause_of("acme");
	struct buf b = BUF_INIT;
	struct desk_row row;
	struct why why;

	(void)state;
	desk_encode(&r, NULL, zeros, &b);
	for (size_t n = 0; n < b.len; n++) {
		char *cut = malloc(n + 1);	/* for the sanitizer's eyes */

		memcpy(cut, b.data, n);
		assert_int_equal(desk_decode((struct slice){ cut, n }, &row,
		    &why), -1);
		free(cut);
	}
	buf_char(&b, 'x');
	assert_int_equal(desk_decode(buf_slice(&b), &row, &why), -1);
	buf_free(&b);
}

static void
swapped_and_removed_rows_are_found(void **state)
{
	struct desk *d = open_desk();
	struct desk_row rows[4], swap;
	struct desk_record r;
	struct why why;
	size_t got;

	(void)state;
	for (int i = 0; i < 4; i++) {
		r = pause_of("acme");
		append(d, &r);
	}
	assert_int_equal(desk_read(d, 1, 4, arena, rows, &got, &why), 0);
	assert_int_equal(first_wrong(rows, 4), 0);
	swap = rows[1];
	rows[1] = rows[2];
	rows[2] = swap;
	assert_int_equal(first_wrong(rows, 4), 2);
	rows[2] = rows[3];
	assert_int_equal(first_wrong(rows, 3), 2);
	desk_close(d);
}

static void
a_lost_desk_goes_on_behind_what_it_lacks(void **state)
{
	struct desk_record r = { .kind = DESK_ANEW,
		.reason = SLICE("disk died") }, next = pause_of("acme");
	uint8_t before[HASH_SHA256], after[HASH_SHA256] = { 7, 0xab };
	struct desk *d = open_desk();
	struct desk_row rows[4];
	struct why why;
	uint64_t seq;
	size_t got;

	(void)state;
	assert_int_equal(append(d, &next), 1);
	/* not in front of what there is, nor beside it */
	assert_int_equal(desk_anew(d, &r, 1, after, &seq, &why), -1);
	assert_non_null(strstr(why.text, "move the folder away"));
	assert_int_equal(desk_anew(d, &r, 5, after, &seq, &why), 0);
	assert_int_equal(seq, 6);
	assert_int_equal(append(d, &next), 7);
	assert_int_equal(desk_read(d, 1, 4, arena, rows, &got, &why), 0);
	assert_int_equal(got, 3);
	assert_int_equal(rows[1].record.seq, 6);
	assert_int_equal(rows[1].record.amount, 1);
	assert_true(desk_anew_after(&rows[1].record, before));
	assert_memory_equal(before, after, sizeof(before));
	assert_true(desk_follows(&rows[1], 6, before));
	assert_true(desk_follows(&rows[2], 7, rows[1].chain));
	assert_false(desk_anew_after(&rows[2].record, before));
	/* whoever is behind the gap does not see it */
	assert_int_equal(desk_read(d, 7, 4, arena, rows, &got, &why), 0);
	assert_int_equal(got, 1);
	desk_close(d);
}

static void
an_erased_subject_leaves_the_chain_whole(void **state)
{
	static const uint8_t salt[16] = "0123456789abcde";
	struct desk_record r = { .kind = DESK_SUPPRESS_ADD, .seq = 1,
		.subject = SLICE("a@b.example") };
	struct buf b = BUF_INIT;
	struct desk_row row;
	struct why why;
	size_t clear;

	(void)state;
	desk_encode(&r, salt, zeros, &b);
	clear = 4 + 16 + r.subject.n;
	memset(b.data + b.len - clear, 0, 4);
	b.len -= clear - 4;
	assert_int_equal(desk_decode(buf_slice(&b), &row, &why), 0);
	assert_true(row.erased);
	assert_int_equal(row.record.subject.n, 0);
	assert_true(desk_follows(&row, 1, zeros));
	buf_free(&b);
}

static void
a_decision_that_lacks_something_is_refused(void **state)
{
	static const struct {
		const char *name;
		struct desk_record r;
		const char *says;
	} cases[] = {
		{ "no reason", { .kind = DESK_PAUSE,
		    .tenant = { "a", 1 } }, "needs a reason" },
		{ "no tenant", { .kind = DESK_PAUSE,
		    .reason = { "a", 1 } }, "needs a tenant" },
		{ "a grant for ever", { .kind = DESK_GRANT,
		    .tenant = { "a", 1 }, .limit = { "d", 1 },
		    .reason = { "a", 1 } }, "needs an end" },
		{ "a reset of nothing", { .kind = DESK_RESET,
		    .tenant = { "a", 1 }, .reason = { "a", 1 } },
		    "needs a limit" },
		{ "a release of nothing", { .kind = DESK_HOLD_RELEASE,
		    .reason = { "a", 1 } }, "needs an object" },
		{ "a drop without a word", { .kind = DESK_HOLD_DROP,
		    .object = { "*", 1 } }, "needs a reason" },
		{ "two lines", { .kind = DESK_PAUSE, .tenant = { "a", 1 },
		    .reason = { "a\nb", 3 } }, "one line" },
		{ "a bell", { .kind = DESK_PAUSE, .tenant = { "a", 1 },
		    .reason = { "a\ab", 3 } }, "one line" },
		{ "blanks", { .kind = DESK_PAUSE, .tenant = { "a", 1 },
		    .reason = { "  ", 2 } }, "empty" },
		{ "bad UTF-8", { .kind = DESK_PAUSE, .tenant = { "a", 1 },
		    .reason = { "a\xff", 2 } }, "printable" },
		{ "a control character of C1", { .kind = DESK_PAUSE,
		    .tenant = { "a", 1 }, .reason = { "a\xc2\x9b", 3 } },
		    "printable" },
		{ "a kind of tomorrow", { .kind = 999 }, "no decision" },
	};
	struct desk *d = open_desk();
	uint64_t seq;
	struct why why;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (desk_append(d, &cases[i].r, &seq, &why) != -1)
			fail_msg("%s: taken", cases[i].name);
		if (strstr(why.text, cases[i].says) == NULL)
			fail_msg("%s: got \"%s\", want \"%s\"", cases[i].name,
			    why.text, cases[i].says);
	}
	/* and the desk is as empty as before, and usable */
	assert_int_equal(append(d, &(struct desk_record){ .kind = DESK_PAUSE,
	    .tenant = SLICE("a"), .reason = SLICE("gr\xc3\xbc\xc3\x9f") }), 1);
	desk_close(d);
}

/* writer - another operator, in a process of his own; fds: a start signal */
static pid_t
writer(int go, int n)
{
	pid_t pid = fork();
	char c;

	if (pid != 0)
		return pid;
	if (read(go, &c, 1) != 1)
		_exit(9);
	for (int i = 0; i < n; i++) {
		struct desk_record r = pause_of("acme");
		struct desk *d;
		uint64_t seq;
		struct why why;

		if (desk_open(&d, dir, MAP, &why) == -1 ||
		    desk_append(d, &r, &seq, &why) == -1)
			_exit(1);
		desk_close(d);
	}
	_exit(0);
}

static void
two_operators_wait_for_each_other(void **state)
{
	enum { EACH = 20 };
	struct desk_row rows[2 * EACH + 1];
	struct desk *d;
	int go[2], status;
	pid_t pids[2];
	struct why why;
	size_t got;

	(void)state;
	desk_close(open_desk());
	assert_int_equal(pipe(go), 0);
	pids[0] = writer(go[0], EACH);
	pids[1] = writer(go[0], EACH);
	assert_int_equal(write(go[1], "gg", 2), 2);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	close(go[0]);
	close(go[1]);
	assert_int_equal(desk_open_read(&d, dir, &why), 1);
	assert_int_equal(desk_read(d, 1, 2 * EACH + 1, arena, rows, &got,
	    &why), 0);
	assert_int_equal(got, 2 * EACH);
	assert_int_equal(first_wrong(rows, got), 0);
	desk_close(d);
}

static void
files_are_the_groups(void **state)
{
	static const struct { const char *name; unsigned mode; } cases[] = {
		{ "", 02770 }, { "data.mdb", 0660 }, { "lock.mdb", 0660 },
		{ "owner.lock", 0660 } };
	mode_t old = umask(077);
	struct stat st;
	char path[160];

	(void)state;
	desk_close(open_desk());
	umask(old);
	for (size_t i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, cases[i].name);
		assert_int_equal(stat(path, &st), 0);
		if ((st.st_mode & 07777) != cases[i].mode)
			fail_msg("%s: got %o, want %o", path,
			    st.st_mode & 07777, cases[i].mode);
	}
}

static void
no_desk_is_no_error_and_a_lost_one_is(void **state)
{
	struct desk *d = NULL;
	char path[160];
	struct why why;

	(void)state;
	assert_int_equal(desk_open_read(&d, dir, &why), 0);
	desk_close(open_desk());
	assert_int_equal(desk_open_read(&d, dir, &why), 1);
	assert_int_equal(desk_same(d, &why), 0);
	snprintf(path, sizeof(path), "%s/data.mdb", dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(desk_same(d, &why), -1);
	assert_non_null(strstr(why.text, "is gone"));
	desk_close(d);
}

static void
a_full_disk_is_said_and_lived_through(void **state)
{
	struct desk_record r = pause_of("acme");
	struct desk *d;
	uint64_t seq;
	struct why why;

	(void)state;
	no_room = ENOSPC;
	d = open_desk();
	assert_int_equal(desk_append(d, &r, &seq, &why), -1);
	no_room = 0;
	assert_int_equal(why.kind, WHY_NOROOM);
	assert_non_null(strstr(why.text, "no room on the disk"));
	assert_int_equal(append(d, &r), 1);
	desk_close(d);
}

static void
a_writer_that_stays_is_named_by_its_pid(void **state)
{
	char pid[64];
	struct why why;
	int fds[2], status;
	pid_t child;
	char c;

	(void)state;
	desk_close(open_desk());
	assert_int_equal(pipe(fds), 0);
	if ((child = fork()) == 0) {
		(void)open_desk();
		(void)!write(fds[1], "x", 1);
		pause();
		_exit(0);
	}
	assert_int_equal(read(fds[0], &c, 1), 1);
	assert_int_equal(db_open_shared(&(struct db *){ NULL }, dir,
	    &(struct db_layout){ .version = 1, .kind = "desk",
	    .tables = (const char *const[]){ "records", NULL } }, MAP, 30000,
	    &why), -1);
	snprintf(pid, sizeof(pid), "in use by pid %ld", (long)child);
	assert_int_equal(why.kind, WHY_BUSY);
	assert_non_null(strstr(why.text, pid));
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	close(fds[0]);
	close(fds[1]);
	desk_close(open_desk());	/* and the next one gets in */
}

static void
only_root_is_believed_about_sudo(void **state)
{
	struct desk_record r = { .kind = DESK_PAUSE };

	(void)state;
	setenv("SUDO_UID", "0", 1);
	desk_who(&r, arena);
	assert_int_equal(r.uid, getuid());
	assert_true(slice_is(r.sudo, geteuid() == 0 ? "root" : ""));
	setenv("SUDO_UID", "4000000001", 1);
	desk_who(&r, arena);
	assert_true(slice_is(r.sudo,
	    geteuid() == 0 ? "uid 4000000001" : ""));
	setenv("SUDO_UID", "12x", 1);
	desk_who(&r, arena);
	assert_true(slice_is(r.sudo, ""));
	unsetenv("SUDO_UID");
}

static void
json_is_one_line_and_has_every_key(void **state)
{
	static const char *const keys[] = { "kind", "seq", "time", "uid",
		"tenant", "stream", "provider", "limit", "amount", "until",
		"reason", "user", "sudo", "before", "after", "subject",
		"chain", "object", "limit_kind", "erased" };
	struct desk_record r = pause_of("acme");
	struct buf b = BUF_INIT, json = BUF_INIT;
	struct desk_row row;
	char key[32];
	struct why why;

	(void)state;
	desk_encode(&r, NULL, zeros, &b);
	assert_int_equal(desk_decode(buf_slice(&b), &row, &why), 0);
	desk_json(&row, &json);
	buf_char(&json, '\0');
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		snprintf(key, sizeof(key), "\"%s\":", keys[i]);
		if (strstr(json.data, key) == NULL)
			fail_msg("no %s in %s", key, json.data);
	}
	assert_null(strchr(json.data, '\n'));
	buf_free(&b);
	buf_free(&json);
}

int
main(void)
{
#define TEST(t)	cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_goes_in_comes_out_in_order),
		TEST(the_format_is_what_it_was),
		TEST(every_flipped_bit_is_found),
		TEST(cut_at_every_byte_it_is_no_record),
		TEST(swapped_and_removed_rows_are_found),
		TEST(a_lost_desk_goes_on_behind_what_it_lacks),
		TEST(an_erased_subject_leaves_the_chain_whole),
		TEST(a_decision_that_lacks_something_is_refused),
		TEST(two_operators_wait_for_each_other),
		TEST(files_are_the_groups),
		TEST(no_desk_is_no_error_and_a_lost_one_is),
		TEST(a_full_disk_is_said_and_lived_through),
		TEST(a_writer_that_stays_is_named_by_its_pid),
		TEST(only_root_is_believed_about_sudo),
		TEST(json_is_one_line_and_has_every_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
