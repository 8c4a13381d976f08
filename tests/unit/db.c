/*
 * The door to LMDB: what is made, what is refused, what bad days look like.
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
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/db.h"

#define MIB	(UINT64_C(1) << 20)

enum { ROWS, MORE };
static const char *const names[] = { "rows", "more", NULL };
static const struct db_layout layout = { 1, "test", names, 0 };

static char folder[64], dir[80];
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
	no_room = 0;
	snprintf(folder, sizeof(folder), "/tmp/penstock-db.XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	chmod(folder, 0755);
	snprintf(dir, sizeof(dir), "%s/gate", folder);
	return 0;
}

static int
teardown(void **state)
{
	static const char *const subs[] = { "/gate/.new", "/gate", "/copy",
		"" };
	static const char *const files[] = { "data.mdb", "lock.mdb",
		"owner.lock", "aside" };
	char path[160];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		for (size_t k = 0; k < 4; k++) {
			snprintf(path, sizeof(path), "%s%s/%s", folder,
			    subs[i], files[k]);
			unlink(path);
		}
		snprintf(path, sizeof(path), "%s%s", folder, subs[i]);
		rmdir(path);
	}
	return 0;
}

/* at - a path below the store's folder */
static const char *
at(const char *name)
{
	static char path[160];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

/* own - the store, opened by its owner */
static struct db *
own(uint64_t map)
{
	struct db *db = NULL;
	struct why why;

	if (db_open_owner(&db, dir, &layout, map, &why) == -1)
		fail_msg("%s", why.text);
	return db;
}

/* begin - or fail */
static struct db_txn *
begin(struct db *db, bool write)
{
	struct db_txn *txn = NULL;
	struct why why;

	if (db_begin(db, write, &txn, &why) == -1)
		fail_msg("%s", why.text);
	return txn;
}

/* commit - or fail */
static void
commit(struct db_txn *txn)
{
	struct why why;

	if (db_commit(txn, &why) == -1)
		fail_msg("%s", why.text);
}

/* put_rows - n rows of that size from key first on; -1 as db_put */
static int
put_rows(struct db_txn *txn, unsigned first, unsigned n, size_t size,
    struct why *why)
{
	static char value[65536];
	char key[16];

	for (unsigned i = first; i < first + n; i++) {
		snprintf(key, sizeof(key), "%08u", i);
		if (db_put(txn, ROWS, slice_of(key),
		    (struct slice){ value, size }, why) == -1)
			return -1;
	}
	return 0;
}

/* fill - a store with n rows of that size, closed again */
static void
fill(unsigned n, size_t size)
{
	struct db *db = own(256 * MIB);
	struct db_txn *txn = begin(db, true);
	struct why why;

	assert_int_equal(put_rows(txn, 0, n, size, &why), 0);
	commit(txn);
	db_close(db);
}

static void
modes_and_group_are_as_designed(void **state)
{
	static const struct {
		const char	*name;
		mode_t		 mode;
	} cases[] = { { "", 02750 }, { "data.mdb", 0640 },
		{ "lock.mdb", 0660 }, { "owner.lock", 0640 } };
	struct group *group = getgrnam("penstock");
	struct stat st;
	mode_t mask = umask(0077);

	(void)state;
	db_close(own(64 * MIB));
	umask(mask);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(stat(at(cases[i].name), &st), 0);
		/* owner.lock is nobody else's business: umask may cut it */
		if ((st.st_mode & 07777) != cases[i].mode && i != 3)
			fail_msg("%s: got %o, want %o", at(cases[i].name),
			    st.st_mode & 07777, cases[i].mode);
		if (group != NULL && geteuid() == 0 && i != 3)
			assert_int_equal(st.st_gid, group->gr_gid);
	}
	assert_int_not_equal(access(at(".new"), F_OK), 0);
}

static void
a_second_owner_is_told_the_first_ones_pid(void **state)
{
	struct db *db = own(64 * MIB), *second;
	char want[64];
	struct why why;

	(void)state;
	assert_int_equal(db_open_owner(&second, dir, &layout, 64 * MIB, &why),
	    -1);
	assert_int_equal(why.kind, WHY_BUSY);
	snprintf(want, sizeof(want), "is in use by pid %ld", (long)getpid());
	if (strstr(why.text, want) == NULL)
		fail_msg("got \"%s\", want \"%s\"", why.text, want);
	db_close(db);
	db_close(own(64 * MIB));
}

static void
rows_come_back_in_order(void **state)
{
	struct db *db = own(64 * MIB);
	struct db_txn *txn = begin(db, true);
	struct db_cursor *cursor = NULL;
	struct slice k, v;
	struct why why;
	uint64_t n;

	(void)state;
	db_put(txn, ROWS, SLICE("b"), SLICE("2"), &why);
	db_put(txn, ROWS, SLICE("a"), SLICE("1"), &why);
	assert_int_equal(db_append(txn, ROWS, SLICE("d"), SLICE(""), &why), 0);
	commit(txn);
	txn = begin(db, false);
	assert_int_equal(db_seek(txn, ROWS, SLICE_NONE, &cursor, &k, &v,
	    &why), 1);
	assert_true(slice_is(k, "a") && slice_is(v, "1"));
	assert_int_equal(db_seek(txn, ROWS, SLICE("c"), &cursor, &k, &v,
	    &why), 1);
	assert_true(slice_is(k, "d") && v.n == 0 && v.p != NULL);
	assert_int_equal(db_next(cursor, &k, &v, &why), 0);
	assert_int_equal(db_seek(txn, ROWS, SLICE("e"), &cursor, &k, &v,
	    &why), 0);
	db_cursor_close(cursor);
	assert_int_equal(db_last(txn, ROWS, &k, &v, &why), 1);
	assert_true(slice_is(k, "d"));
	assert_int_equal(db_last(txn, MORE, &k, &v, &why), 0);
	assert_int_equal(db_get(txn, ROWS, SLICE("x"), &v, &why), 0);
	assert_int_equal(db_count(txn, ROWS, &n, &why), 0);
	assert_true(n == 3);
	db_abort(txn);
	txn = begin(db, true);
	assert_int_equal(db_delete(txn, ROWS, SLICE("a"), &why), 1);
	assert_int_equal(db_delete(txn, ROWS, SLICE("a"), &why), 0);
	db_abort(txn);
	txn = begin(db, false);
	assert_int_equal(db_get(txn, ROWS, SLICE("a"), &v, &why), 1);
	db_abort(txn);
	db_close(db);
}

static void
a_reader_of_nothing_finds_nothing(void **state)
{
	struct db *db;
	struct why why;

	(void)state;
	assert_int_equal(db_open_reader(&db, dir, &layout, &why), 0);
	assert_int_equal(mkdir(dir, 0755), 0);
	assert_int_equal(db_open_reader(&db, dir, &layout, &why), 0);
}

static void
another_kind_or_version_is_refused(void **state)
{
	static const struct {
		const char	*name;
		struct db_layout layout;
		const char	*said;
	} cases[] = {
		{ .name = "another kind", .layout = { 1, "gate", names, 0 },
		    .said = "kind \"test\", not \"gate\"" },
		{ .name = "written by a newer one",
		    .layout = { 0, "test", names, 0 }, .said = "newer" },
		{ .name = "written by an older one",
		    .layout = { 2, "test", names, 0 }, .said = "older" },
	};

	(void)state;
	db_close(own(64 * MIB));
	for (size_t i = 0; i < 3; i++) {
		struct db *db;
		struct why why = { .text = "" };

		if (db_open_owner(&db, dir, &cases[i].layout, 64 * MIB,
		    &why) != -1 || strstr(why.text, cases[i].said) == NULL)
			fail_msg("%s: got \"%s\", want \"%s\"", cases[i].name,
			    why.text, cases[i].said);
		assert_int_equal(db_open_reader(&db, dir, &cases[i].layout,
		    &why), -1);
	}
}

static void
an_owner_adds_the_tables_of_a_later_release_and_no_others(void **state)
{
	static const char *const more[] = { "rows", "more", "late", NULL };
	static const char *const lost[] = { "rows", "gone", "late", NULL };
	static const struct db_layout later = { 1, "test", more, 2 };
	static const struct db_layout broken = { 1, "test", lost, 2 };
	struct db *db;
	struct why why;

	(void)state;
	db_close(own(64 * MIB));
	assert_int_equal(db_open_reader(&db, dir, &later, &why), -1);
	assert_int_equal(db_open_owner(&db, dir, &broken, 64 * MIB, &why), -1);
	assert_int_equal(db_open_owner(&db, dir, &later, 64 * MIB, &why), 0);
	db_close(db);
	assert_int_equal(db_open_reader(&db, dir, &later, &why), 1);
	db_close(db);
	/* whoever knows less still reads it */
	assert_int_equal(db_open_reader(&db, dir, &layout, &why), 1);
	db_close(db);
}

static void
any_version_is_for_readers(void **state)
{
	static const struct db_layout any = { DB_ANY_VERSION, "test", names,
		0 };
	struct db *db;
	struct why why;

	(void)state;
	db_close(own(64 * MIB));
	assert_int_equal(db_open_owner(&db, dir, &any, 64 * MIB, &why), -1);
	assert_int_equal(db_open_reader(&db, dir, &any, &why), 1);
	db_close(db);
}

static void
a_file_cut_off_anywhere_is_refused(void **state)
{
	struct db_stat st;
	struct db *db;
	struct why why;
	off_t cuts[6], used;

	(void)state;
	fill(100, 4000);
	db = own(256 * MIB);
	assert_int_equal(db_stat(db, &st, &why), 0);
	db_close(db);
	used = (off_t)st.used;
	cuts[0] = used - 1;
	cuts[1] = used / 2;
	cuts[2] = 8192;
	cuts[3] = 4096 + 100;
	cuts[4] = 100;
	cuts[5] = 0;
	/* what is allocated beyond may go: nothing is in it */
	assert_int_equal(truncate(at("data.mdb"), used), 0);
	db_close(own(256 * MIB));
	for (size_t i = 0; i < 6; i++) {
		assert_int_equal(truncate(at("data.mdb"), cuts[i]), 0);
		why.kind = WHY_OTHER;
		if (db_open_owner(&db, dir, &layout, 256 * MIB, &why) != -1 ||
		    why.kind != WHY_BROKEN)
			fail_msg("cut at %lld: the owner opened it",
			    (long long)cuts[i]);
		if (db_open_reader(&db, dir, &layout, &why) != -1 ||
		    strstr(why.text, "backup") == NULL)
			fail_msg("cut at %lld: got \"%s\"", (long long)cuts[i],
			    why.text);
	}
}

static void
what_is_no_store_is_refused(void **state)
{
	char zeros[16384] = "";
	struct db *db;
	struct why why;
	int fd;

	(void)state;
	assert_int_equal(mkdir(dir, 0755), 0);
	fd = open(at("data.mdb"), O_WRONLY | O_CREAT, 0644);
	assert_int_equal(write(fd, zeros, sizeof(zeros)), sizeof(zeros));
	close(fd);
	assert_int_equal(db_open_owner(&db, dir, &layout, 64 * MIB, &why), -1);
	assert_non_null(strstr(why.text, "damaged"));
}

static void
a_creation_cut_short_is_begun_again(void **state)
{
	int fd;

	(void)state;
	assert_int_equal(mkdir(dir, 0755), 0);
	assert_int_equal(mkdir(at(".new"), 0755), 0);
	fd = open(at(".new/data.mdb"), O_WRONLY | O_CREAT, 0644);
	assert_int_equal(write(fd, "half", 4), 4);
	close(fd);
	db_close(own(64 * MIB));
	assert_int_not_equal(access(at(".new"), F_OK), 0);
}

static void
the_file_is_allocated_beyond_what_is_used(void **state)
{
	struct db *db = own(256 * MIB);
	struct db_stat st;
	struct stat file;
	struct why why;

	(void)state;
	db_abort(begin(db, true));
	assert_int_equal(db_stat(db, &st, &why), 0);
	assert_int_equal(stat(at("data.mdb"), &file), 0);
	assert_true((uint64_t)file.st_blocks * 512 >= st.used + DB_SPARE);
	db_close(db);
	/* and never beyond the map */
	db = own(8 * MIB);
	db_abort(begin(db, true));
	db_close(db);
}

static void
a_large_transaction_asks_for_no_more_than_it_may_take(void **state)
{
	struct db *db = own(4096 * MIB);
	struct db_txn *txn = begin(db, true);
	struct db_stat st;
	struct stat file;
	struct why why;
	uint64_t key = 1;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		key = key * UINT64_C(6364136223846793005) + 12345;
		assert_int_equal(db_put(txn, ROWS, (struct slice){
		    (const char *)&key, sizeof(key) }, SLICE("a row of a "
		    "hundred bytes or so, as there are many in a list of "
		    "people who want no mail"), &why), 0);
	}
	commit(txn);
	assert_int_equal(db_stat(db, &st, &why), 0);
	assert_int_equal(stat(at("data.mdb"), &file), 0);
	assert_true((uint64_t)file.st_blocks * 512 < 3 * st.used +
	    2 * DB_SPARE);
	db_close(db);
}

static void
no_room_on_the_disk_is_seen_before_anything_is_written(void **state)
{
	struct db *db = own(256 * MIB);
	struct db_txn *txn;
	struct why why;
	unsigned n;

	(void)state;
	no_room = ENOSPC;
	assert_int_equal(db_begin(db, true, &txn, &why), -1);
	assert_int_equal(why.kind, WHY_NOROOM);
	assert_null(txn);
	db_abort(begin(db, false));
	no_room = 0;
	txn = begin(db, true);
	assert_int_equal(put_rows(txn, 0, 10, 100, &why), 0);
	commit(txn);
	/* what was allocated is used to the half, not to the end */
	no_room = ENOSPC;
	for (n = 1; n < 100; n++) {
		if (db_begin(db, true, &txn, &why) == -1)
			break;
		assert_int_equal(put_rows(txn, n * 100, 16, 65536, &why), 0);
		commit(txn);
	}
	assert_int_equal(why.kind, WHY_NOROOM);
	assert_in_range(n, 20, 40);
	no_room = 0;
	db_abort(begin(db, true));
	db_close(db);
}

static void
a_large_transaction_reserves_as_it_goes(void **state)
{
	struct db *db = own(1024 * MIB);
	struct db_txn *txn = begin(db, true);
	struct why why = { .kind = WHY_OTHER };
	struct stat before, after;

	(void)state;
	stat(at("data.mdb"), &before);
	no_room = ENOSPC;
	assert_int_equal(put_rows(txn, 0, 2000, 65536, &why), -1);
	assert_int_equal(why.kind, WHY_NOROOM);
	db_abort(txn);
	no_room = 0;
	txn = begin(db, true);
	assert_int_equal(put_rows(txn, 0, 2000, 65536, &why), 0);
	stat(at("data.mdb"), &after);
	assert_true(after.st_size > before.st_size);
	commit(txn);
	db_close(db);
}

static void
a_full_map_is_lived_through(void **state)
{
	struct db *db = own(4 * MIB);
	struct db_txn *txn = NULL;
	struct why why = { .kind = WHY_OTHER };
	unsigned n;
	char key[16];

	(void)state;
	for (n = 0; n < 1000; n++) {
		txn = begin(db, true);
		if (put_rows(txn, n * 100, 16, 4000, &why) == -1) {
			db_abort(txn);
			break;
		}
		if (db_commit(txn, &why) == -1)
			break;
	}
	assert_in_range(n, 10, 100);
	assert_int_equal(why.kind, WHY_NOROOM);
	assert_non_null(strstr(why.text, "map_size"));
	/* what was there is there, and room can be made */
	for (unsigned k = 0; k < n / 2; k++) {
		txn = begin(db, true);
		for (unsigned i = 0; i < 16; i++) {
			snprintf(key, sizeof(key), "%08u", k * 100 + i);
			assert_int_equal(db_delete(txn, ROWS, slice_of(key),
			    &why), 1);
		}
		commit(txn);
	}
	txn = begin(db, true);
	assert_int_equal(put_rows(txn, 900000, 16, 4000, &why), 0);
	commit(txn);
	db_close(db);
	/* or the map made larger */
	db = own(64 * MIB);
	txn = begin(db, true);
	assert_int_equal(put_rows(txn, 910000, 1000, 4000, &why), 0);
	commit(txn);
	db_close(db);
}

static void
a_file_that_was_replaced_is_seen(void **state)
{
	struct db *db = own(64 * MIB);
	char data[160];
	struct why why;
	int fd;

	(void)state;
	snprintf(data, sizeof(data), "%s", at("data.mdb"));
	assert_int_equal(db_check_file(db, &why), 0);
	assert_int_equal(rename(data, at("aside")), 0);
	assert_int_equal(db_check_file(db, &why), -1);
	assert_int_equal(why.kind, WHY_BROKEN);
	fd = open(data, O_WRONLY | O_CREAT, 0644);
	close(fd);
	assert_int_equal(db_check_file(db, &why), -1);
	assert_non_null(strstr(why.text, "another file"));
	unlink(data);
	assert_int_equal(rename(at("aside"), data), 0);
	db_abort(begin(db, true));
	assert_int_equal(truncate(data, 16384), 0);
	assert_int_equal(db_check_file(db, &why), -1);
	db_close(db);
}

static void
a_copy_is_whole_and_replaces_nothing(void **state)
{
	char copy[80];
	struct db_stat a, b;
	struct db *db;
	struct why why;

	(void)state;
	snprintf(copy, sizeof(copy), "%s/copy", folder);
	fill(500, 1000);
	db = own(256 * MIB);
	assert_int_equal(db_copy(db, copy, &why), 0);
	assert_int_equal(db_copy(db, copy, &why), -1);
	assert_int_equal(db_stat(db, &a, &why), 0);
	db_close(db);
	if (db_verify(copy, &layout, &why) == -1)
		fail_msg("%s", why.text);
	assert_int_equal(db_open_reader(&db, copy, &layout, &why), 1);
	assert_int_equal(db_stat(db, &b, &why), 0);
	assert_true(a.entries[ROWS] == 500 && b.entries[ROWS] == 500);
	assert_true(b.used <= a.used && b.file_size < a.file_size);
	db_close(db);
	/* whole: an owner can go on with it */
	assert_int_equal(db_open_owner(&db, copy, &layout, 64 * MIB, &why), 0);
	db_close(db);
}

static void
verify_finds_damage_and_survives_it(void **state)
{
	struct db_stat st;
	struct db *db;
	struct why why;
	char junk[4096];
	uint64_t page;
	int fd, found = 0;

	(void)state;
	fill(500, 1000);
	assert_int_equal(db_verify(dir, &layout, &why), 0);
	db = own(256 * MIB);
	assert_int_equal(db_stat(db, &st, &why), 0);
	db_close(db);
	memset(junk, 0xff, sizeof(junk));
	fd = open(at("data.mdb"), O_RDWR);
	for (page = 2; page < st.used / 4096; page += 7) {
		char kept[4096];

		assert_int_equal(pread(fd, kept, 4096, (off_t)page * 4096),
		    4096);
		assert_int_equal(pwrite(fd, junk, 4096, (off_t)page * 4096),
		    4096);
		if (db_verify(dir, &layout, &why) == -1)
			found++;
		assert_int_equal(pwrite(fd, kept, 4096, (off_t)page * 4096),
		    4096);
	}
	close(fd);
	/* a free page may be junk */
	assert_true(found >= (int)(st.used / 4096 / 7 * 8 / 10));
	assert_int_equal(db_verify(dir, &layout, &why), 0);
}

/* as_nobody - a reader without the right to write lock.mdb; exit status */
static int
as_nobody(void)
{
	struct db *db;
	struct why why;

	if (setgroups(0, NULL) == -1 || setresgid(65534, 65534, 65534) == -1 ||
	    setresuid(65534, 65534, 65534) == -1)
		return 77;
	if (db_open_reader(&db, dir, &layout, &why) != -1)
		return 1;
	return strstr(why.text, "ReadWritePaths=") != NULL &&
	    strstr(why.text, "lock.mdb") != NULL ? 0 : 2;
}

static void
a_reader_that_cannot_take_a_slot_is_told_what_to_do(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	if (geteuid() != 0) {
		print_message("skipped: needs root to become nobody\n");
		skip();
	}
	db_close(own(64 * MIB));
	/* may read everything, but not write the lock */
	assert_int_equal(chmod(dir, 0755), 0);
	assert_int_equal(chmod(at("data.mdb"), 0644), 0);
	assert_int_equal(chmod(at("lock.mdb"), 0644), 0);
	if ((pid = fork()) == 0)
		_exit(as_nobody());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* read_twice - in a child: open, say so, wait, read again; exit status */
static int
read_twice(int say, int hear)
{
	struct db_txn *txn;
	struct db *db;
	struct slice v;
	struct why why;
	char c = 0;

	if (db_open_reader(&db, dir, &layout, &why) != 1)
		return 1;
	if (write(say, &c, 1) != 1 || read(hear, &c, 1) != 1)
		return 2;
	if (db_begin(db, false, &txn, &why) == -1) {
		fprintf(stderr, "%s\n", why.text);
		return 3;
	}
	if (db_get(txn, ROWS, SLICE("00001999"), &v, &why) != 1)
		return 4;
	db_abort(txn);
	db_close(db);
	return 0;
}

static void
a_reader_follows_when_the_map_grows(void **state)
{
	int up[2], down[2], status;
	struct db_txn *txn;
	struct db *db;
	struct why why;
	pid_t pid;
	char c = 0;

	(void)state;
	db_close(own(1 * MIB));
	assert_int_equal(pipe(up), 0);
	assert_int_equal(pipe(down), 0);
	if ((pid = fork()) == 0)
		_exit(read_twice(up[1], down[0]));
	assert_int_equal(read(up[0], &c, 1), 1);
	db = own(64 * MIB);
	txn = begin(db, true);
	assert_int_equal(put_rows(txn, 0, 2000, 4000, &why), 0);
	commit(txn);
	assert_int_equal(write(down[1], &c, 1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	db_close(db);
	for (int i = 0; i < 2; i++)
		close(up[i]), close(down[i]);
}

/* The number of the last transaction in lock.mdb, behind two words of 32 bits
 * and the writers' mutex. */
#define LAST_TXN	(8 + (off_t)sizeof(pthread_mutex_t))

/* die_in_commit - an owner that is killed when its second commit is on disk and
 * before that is said in lock.mdb, as far as others can see */
static void
die_in_commit(void)
{
	struct db *db = own(64 * MIB);
	int fd = open(at("lock.mdb"), O_RDWR | O_CLOEXEC);
	uint64_t before, after;
	struct db_txn *txn;
	struct why why;

	txn = begin(db, true);
	assert_int_equal(put_rows(txn, 2000, 10, 100, &why), 0);
	commit(txn);
	assert_int_equal(pread(fd, &before, 8, LAST_TXN), 8);
	txn = begin(db, true);
	assert_int_equal(put_rows(txn, 2010, 10, 100, &why), 0);
	commit(txn);
	assert_int_equal(pread(fd, &after, 8, LAST_TXN), 8);
	assert_int_equal(after, before + 1);
	assert_int_equal(pwrite(fd, &before, 8, LAST_TXN), 8);
	(void)begin(db, true);		/* the mutex is taken */
	raise(SIGKILL);
}

static void
who_follows_a_killed_owner_sees_his_last_commit(void **state)
{
	int up[2], down[2], status;
	struct slice key, value;
	struct db_txn *txn;
	struct why why;
	struct db *db;
	pid_t reader, owner;
	bool seen[2];
	char c = 0;

	(void)state;
	fill(2000, 100);
	assert_int_equal(pipe(up), 0);
	assert_int_equal(pipe(down), 0);
	/* while somebody reads, LMDB believes what stands in lock.mdb */
	if ((reader = fork()) == 0)
		_exit(read_twice(up[1], down[0]));
	assert_int_equal(read(up[0], &c, 1), 1);
	if ((owner = fork()) == 0) {
		die_in_commit();
		_exit(1);
	}
	assert_int_equal(waitpid(owner, &status, 0), owner);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	db = own(64 * MIB);
	for (int i = 0; i < 2; i++) {
		txn = begin(db, i == 1);
		seen[i] = db_last(txn, ROWS, &key, &value, &why) == 1 &&
		    slice_is(key, "00002019");
		db_abort(txn);
	}
	db_close(db);
	assert_int_equal(write(down[1], &c, 1), 1);
	assert_int_equal(waitpid(reader, &status, 0), reader);
	assert_int_equal(WEXITSTATUS(status), 0);
	for (int i = 0; i < 2; i++)
		close(up[i]), close(down[i]);
	assert_true(seen[1]);		/* who writes */
	assert_true(seen[0]);		/* who only reads, before that */
}

/* slots - reader slots that another process finds in use, as the owner */
static unsigned
slots(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct db_stat stat = { .readers = 99 };
		struct db *db;
		struct why why;

		if (db_open_owner(&db, dir, &layout, 64 * MIB, &why) == 0 &&
		    db_stat(db, &stat, &why) == 0)
			db_close(db);
		_exit((int)stat.readers);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return (unsigned)WEXITSTATUS(status);
}

static void
a_store_opened_twice_in_a_process_keeps_its_readers(void **state)
{
	struct db *db, *first, *second;
	struct db_txn *txn;
	struct slice value;
	struct why why;

	(void)state;
	assert_int_equal(db_open_owner(&db, dir, &layout, 64 * MIB, &why), 0);
	db_close(db);
	assert_int_equal(db_open_reader(&first, dir, &layout, &why), 1);
	assert_int_equal(db_open_reader(&second, dir, &layout, &why), 1);
	assert_int_equal(db_begin(first, false, &txn, &why), 0);
	assert_int_equal(slots(), 1);
	/* what LMDB itself would lose here is the lock of the whole process */
	db_close(second);
	assert_int_equal(slots(), 1);
	assert_int_equal(db_get(txn, ROWS, SLICE("x"), &value, &why), 0);
	/* the reader cannot become a writer, and says so */
	assert_int_equal(db_open_owner(&db, dir, &layout, 64 * MIB, &why), -1);
	assert_int_equal(why.kind, WHY_BUSY);
	db_abort(txn);
	db_close(first);
	assert_int_equal(db_open_owner(&db, dir, &layout, 64 * MIB, &why), 0);
	assert_int_equal(db_open_reader(&first, dir, &layout, &why), 1);
	db_close(db);
	assert_int_equal(db_begin(first, false, &txn, &why), 0);
	db_abort(txn);
	db_close(first);
}

#define T(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(modes_and_group_are_as_designed),
		T(a_second_owner_is_told_the_first_ones_pid),
		T(rows_come_back_in_order),
		T(a_reader_of_nothing_finds_nothing),
		T(another_kind_or_version_is_refused),
		T(an_owner_adds_the_tables_of_a_later_release_and_no_others),
		T(any_version_is_for_readers),
		T(a_file_cut_off_anywhere_is_refused),
		T(what_is_no_store_is_refused),
		T(a_creation_cut_short_is_begun_again),
		T(the_file_is_allocated_beyond_what_is_used),
		T(a_large_transaction_asks_for_no_more_than_it_may_take),
		T(no_room_on_the_disk_is_seen_before_anything_is_written),
		T(a_large_transaction_reserves_as_it_goes),
		T(a_full_map_is_lived_through),
		T(a_file_that_was_replaced_is_seen),
		T(a_copy_is_whole_and_replaces_nothing),
		T(verify_finds_damage_and_survives_it),
		T(a_reader_that_cannot_take_a_slot_is_told_what_to_do),
		T(a_reader_follows_when_the_map_grows),
		T(who_follows_a_killed_owner_sees_his_last_commit),
		T(a_store_opened_twice_in_a_process_keeps_its_readers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
