/*
 * db_file - the files of a store before LMDB sees them.
 *
 * Why look into data.mdb ourselves: LMDB maps the file and trusts it.  When it
 * is shorter than its meta pages say (a copy cut off, a file system repaired),
 * opening succeeds and the first read of a missing page is SIGBUS.  So the two
 * meta pages are read first.  What is relied on is the format of LMDB 0.9
 * (data version 1) on a 64-bit little-endian machine; page n is at n * size:
 *
 *	 +0	page header: u64 number, u16, u16 flags (8 = meta), u32
 *	+16	u32	magic 0xBEEFC0DE
 *	+20	u32	data version 1
 *	+24	u64	address, u64 map size
 *	+40	u32	page size (the free list's md_pad)
 *	+40	48 bytes each: free list, main table
 *	+136	u64	last page used
 *	+144	u64	transaction number
 *
 * The meta page with the greater transaction number is the live one.
 *
 * data.mdb appears by rename when it is complete (db.c), so one that is empty
 * or has no meta pages is damage, never a creation that was cut off.
 *
 * The owner's lock is flock on owner.lock: it belongs to the inode, so another
 * path to the folder or a bind mount does not get around it; and it ends with
 * the process, however that ends.
 */
#include "lib/db_in.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"

enum { META_LEN = 152, META_FLAG = 8 };

/* db_path - dir/name */
char *
db_path(const char *dir, const char *name, struct why *why)
{
	char *path = NULL;

	if (asprintf(&path, "%s/%s", dir, name) == -1) {
		why_kind(why, WHY_MEMORY, "no memory for the path of %s", dir);
		return NULL;
	}
	return path;
}

/* readers_group - the group that reads stores, or -1 for the own one */
static gid_t
readers_group(void)
{
	struct group group, *found = NULL;
	char room[4096];

	if (getgrnam_r("penstock", &group, room, sizeof(room), &found) != 0 ||
	    found == NULL)
		return (gid_t)-1;
	return found->gr_gid;
}

/* set_mode - mode and group as far as we may; chown clears set-gid: first */
static void
set_mode(const char *path, mode_t mode)
{
	gid_t gid = readers_group();

	if (gid != (gid_t)-1 && chown(path, (uid_t)-1, gid) == -1) {
		/* not ours to give: the own group is kept */
	}
	if (chmod(path, mode) == -1) {
		/* somebody else made it; what counts is whether it opens */
	}
}

/* db_file_mode - mode and group of one file of the folder */
void
db_file_mode(const char *dir, const char *name, unsigned mode)
{
	struct why why;
	char *path = db_path(dir, name, &why);

	if (path != NULL)
		set_mode(path, (mode_t)mode);
	free(path);
}

/* db_file_folder - make it when it is missing; what stands keeps its mode */
int
db_file_folder(const char *dir, const struct db_modes *modes,
    struct why *why)
{
	if (mkdir(dir, 0750) == 0) {
		set_mode(dir, (mode_t)modes->folder);
		return 0;
	}
	if (errno != EEXIST)
		return why_errno(why, "cannot make the folder %s", dir);
	return 0;
}

/* lock_wait - flock, tried again until the time is over */
static int
lock_wait(int fd, int64_t patience)
{
	struct timespec pause = { .tv_nsec = 10000000 };
	int64_t until = clock_mono() + patience;

	while (flock(fd, LOCK_EX | LOCK_NB) == -1) {
		if ((errno != EWOULDBLOCK && errno != EINTR) ||
		    clock_mono() >= until)
			return -1;
		nanosleep(&pause, NULL);
	}
	return 0;
}

/* db_file_own - the lock that only one writing program holds */
int
db_file_own(const char *dir, const struct db_modes *modes, int64_t patience,
    struct why *why)
{
	char *path = db_path(dir, DB_OWNER, why), pid[32];
	int fd = -1, saved;
	ssize_t n;

	if (path == NULL)
		return -1;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
	    (mode_t)modes->owner);
	if (fd == -1) {
		why_errno(why, "cannot open %s", path);
		goto out;
	}
	if (modes->owner == 0660 && fchmod(fd, 0660) == -1) {
		/* somebody else made it, and let us in */
	}
	if (lock_wait(fd, patience) == -1) {
		saved = errno;
		n = pread(fd, pid, sizeof(pid) - 1, 0);
		pid[n > 0 ? n : 0] = '\0';
		if (saved == EWOULDBLOCK)
			why_kind(why, WHY_BUSY, "%s is in use by pid %ld",
			    dir, strtol(pid, NULL, 10));
		else
			why_set(why, "cannot lock %s: %s", path,
			    strerror(saved));
		goto fail;
	}
	n = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
	/* the text is for people: without room for it the lock still holds */
	if (ftruncate(fd, 0) == 0 && pwrite(fd, pid, (size_t)n, 0) != n)
		n = ftruncate(fd, 0);
	goto out;
fail:
	close(fd);
	fd = -1;
out:
	free(path);
	return fd;
}

/* le64 - eight bytes, little-endian, as LMDB left them */
static uint64_t
le64(const uint8_t *p)
{
	uint64_t v = 0;
	int i;

	for (i = 7; i >= 0; i--)
		v = v << 8 | p[i];
	return v;
}

/* le32 - four bytes */
static uint32_t
le32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	    (uint32_t)p[3] << 24;
}

/* read_meta - one meta page; false when there is none at that place */
static bool
read_meta(int fd, uint64_t at, uint64_t *size, uint64_t *last, uint64_t *txn)
{
	uint8_t page[META_LEN];

	if (pread(fd, page, sizeof(page), (off_t)at) != (ssize_t)sizeof(page))
		return false;
	*size = le32(page + 40);
	*last = le64(page + 136);
	*txn = le64(page + 144);
	return le32(page + 16) == 0xBEEFC0DE && le32(page + 20) == 1 &&
	    (page[10] & META_FLAG) != 0 && *size >= 512 && *size <= 65536 &&
	    (*size & (*size - 1)) == 0 && *last < UINT64_C(1) << 47;
}

/* db_file_whole - is the file there, and as long as it says? */
int
db_file_whole(const char *dir, struct why *why)
{
	char *path = db_path(dir, DB_DATA, why);
	uint64_t size, last[2], txn[2], again, need;
	struct stat st;
	int fd = -1, rc = -1;

	if (path == NULL)
		return -1;
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1) {
		if (errno == ENOENT || errno == ENOTDIR)
			rc = 0;
		else
			why_errno(why, "cannot open %s", path);
		goto out;
	}
	if (!read_meta(fd, 0, &size, &last[0], &txn[0]) ||
	    !read_meta(fd, size, &again, &last[1], &txn[1]) || again != size) {
		why_kind(why, WHY_BROKEN, "%s is damaged: it does not begin "
		    "with the two meta pages of an LMDB file; move it away and "
		    "put a backup in its place", path);
		goto out;
	}
	need = (last[txn[1] > txn[0]] + 1) * size;
	/* the length last: the owner may be at work, and files only grow */
	if (fstat(fd, &st) == -1) {
		why_errno(why, "cannot look at %s", path);
		goto out;
	}
	if ((uint64_t)st.st_size < need) {
		why_kind(why, WHY_BROKEN, "%s is cut off: it has %lld bytes "
		    "and should have %llu; move it away and put a backup in "
		    "its place", path, (long long)st.st_size,
		    (unsigned long long)need);
		goto out;
	}
	rc = 1;
out:
	if (fd != -1)
		close(fd);
	free(path);
	return rc;
}

/*
 * db_file_slot - may this process write the lock file?
 *
 * On a read-only mount LMDB goes on without a slot in it; the owner then
 * takes the pages it is reading for free.  A folder without lock.mdb is a
 * backup or was never opened: the lock is made, and given to whom the data
 * belongs, so that root reading first does not lock the owner out.
 */
int
db_file_slot(const char *dir, struct why *why)
{
	char *path = db_path(dir, DB_LOCK, why);
	char *data = db_path(dir, DB_DATA, why);
	struct stat st;
	int fd = -1, rc = -1;

	if (path == NULL || data == NULL)
		goto out;
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd == -1 && errno == ENOENT) {
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0660);
		if (fd != -1 && stat(data, &st) == 0 &&
		    fchown(fd, st.st_uid, st.st_gid) == -1) {
			/* not root: it is ours then, and ours to read */
		}
		if (fd != -1)
			(void)fchmod(fd, 0660);
	}
	if (fd == -1) {
		why_errno(why, "cannot read the store %s: its lock.mdb must be "
		    "writable for readers too; a systemd unit needs "
		    "\"ReadWritePaths=%s\", a person the group of the folder",
		    dir, path);
		goto out;
	}
	rc = 0;
out:
	if (fd != -1)
		close(fd);
	free(path);
	free(data);
	return rc;
}
